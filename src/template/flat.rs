//! Whether a template is flat: text and plain names of the context, and nothing else. Such a template can be said in
//! any format string.

use super::ast::{Statement, Strip};
use super::context::{Style, Text};
use super::program::{Kinds, Node};
use super::{Template, parse};

/// A piece of a flat template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text between tags.
    Text(&'t str),
    /// A tag that prints the variable of this name.
    Name(&'t str),
}

impl<T: Text> Template<T> {
    /// The pieces of a flat template; `None` where it has a tag that is more than a variable's name, such as a block,
    /// a path, a helper, a partial, a comment or a tilde, or where the engine's options change what a tag prints.
    #[must_use]
    pub fn flat(&self) -> Option<Vec<Piece<'_>>> {
        if self.options().is_javascript() || self.options().allow_none {
            return None;
        }
        // What was lowered knows a variable from a helper; the source alone still shows tildes and comments.
        let written = parse(self.source(), &self.options().limits).ok()?;
        let plain = written.body.iter().all(|statement| match statement {
            Statement::Content(_) => true,
            Statement::Mustache(mustache) => mustache.strip == Strip::default(),
            _ => false,
        });
        if !plain {
            return None;
        }
        self.body().nodes.iter().map(piece).collect()
    }
}

fn piece<T: Text>(node: &Node<T>) -> Option<Piece<'_>> {
    const AS_IT_IS: Style = Style { html: false, lenient: false, javascript_numbers: false };
    match node {
        Node::Text(text) => Some(Piece::Text(text.as_str())),
        Node::Print { expr, style, short: true } if *style == AS_IT_IS => match &expr.kind {
            Kinds::Path(path) => path.parts.first().map(|name| Piece::Name(name.as_str())),
            _ => None,
        },
        _ => None,
    }
}
