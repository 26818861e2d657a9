//! The paths of nodes that were not read from a text, such as Python data: `messages`, 0, `content`.

use super::node::{NodeValue, SourceNode, SourceSpan};

/// A step from a value into a value that it contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathStep {
    /// A key of a mapping.
    Key(String),
    /// An index of a list.
    Index(usize),
}

/// The path to each node of one tree.
#[derive(Debug, Default)]
pub(crate) struct NodePaths(Vec<Vec<PathStep>>);

impl NodePaths {
    /// Finds the paths of a tree's nodes, and sets the span of each node to the number of its path. A key has the path
    /// of its value.
    pub(crate) fn of(root: &mut SourceNode<'_>) -> Self {
        let mut paths = Self::default();
        paths.visit(root, &mut Vec::new());
        paths
    }

    /// The path of the node with this span.
    pub(crate) fn at(&self, span: SourceSpan) -> &[PathStep] {
        span.offset().and_then(|number| self.0.get(number)).map_or(&[], Vec::as_slice)
    }

    fn visit(&mut self, node: &mut SourceNode<'_>, path: &mut Vec<PathStep>) {
        node.span = self.number(path);
        match &mut node.value {
            NodeValue::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push(PathStep::Index(index));
                    self.visit(item, path);
                    path.pop();
                }
            }
            NodeValue::Map(entries) => {
                for (key, value) in entries {
                    let NodeValue::Text(name) = &key.value else {
                        // A key that is no string is a mistake of the mapping, and its value is not read.
                        key.span = node.span;
                        continue;
                    };
                    path.push(PathStep::Key(name.to_string()));
                    key.span = self.number(path);
                    self.visit(value, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn number(&mut self, path: &[PathStep]) -> SourceSpan {
        let number = self.0.len();
        self.0.push(path.to_vec());
        SourceSpan::new(number, number)
    }
}
