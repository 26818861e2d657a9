//! Recognises flat templates: text and plain variable names, and nothing else. A flat template can be rewritten as a
//! format string, such as LangChain's f-strings.

use super::ast::{Statement, Strip};
use super::context::{Style, Text};
use super::program::{Expr, ExprKind, Node};
use super::{Template, parse};

/// A piece of a flat template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlatPiece<'t> {
    /// Text between tags.
    Text(&'t str),
    /// A tag that prints the variable of this name.
    Name(&'t str),
}

impl<T: Text> Template<T> {
    /// The pieces of a flat template.
    ///
    /// `None` if a tag is more than a variable's name, such as a block, a path, a helper, a partial, a comment or a
    /// tilde, or if the engine's options change what a tag prints.
    #[must_use]
    pub fn flat(&self) -> Option<Vec<FlatPiece<'_>>> {
        if self.options().is_javascript() || self.options().allow_none {
            return None;
        }
        // The compiled program tells a variable from a helper; only the source shows tildes and comments.
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

fn piece<T: Text>(node: &Node<T>) -> Option<FlatPiece<'_>> {
    const UNCHANGED: Style = Style { html: false, lenient: false, javascript_numbers: false };
    match node {
        Node::Text(text) => Some(FlatPiece::Text(text.as_str())),
        Node::Print { expr: Expr { kind: ExprKind::Member(name), .. }, style } if *style == UNCHANGED => {
            Some(FlatPiece::Name(name.as_str()))
        }
        _ => None,
    }
}
