//! What is known of a template before it is rendered: whether a render calls code of the caller, and which variables it
//! certainly prints.

use super::context::Text;
use super::program::{Block, BlockKind, CompiledProgram, Expr, ExprKind, Node};

/// The names of the context that a program prints in any case.
pub(super) fn always_printed<T: Text>(program: &CompiledProgram<T>) -> Vec<&str> {
    let printed = program.nodes.iter().filter_map(|node| match node {
        Node::Print { expr: Expr { kind: ExprKind::Member(name), .. }, .. } => Some(name.as_str()),
        _ => None,
    });
    printed.collect()
}

/// Whether a program only prints, tests and loops over values. It then includes no partial and calls no helper.
pub(super) fn calls_nothing<T>(program: &CompiledProgram<T>) -> bool {
    program.inlines.is_none()
        && program.nodes.iter().all(|node| match node {
            Node::Text(_) => true,
            Node::Print { expr, .. } => is_value(expr),
            Node::Block(block) => block_calls_nothing(block),
            Node::Partial(_) => false,
        })
}

fn block_calls_nothing<T>(block: &Block<T>) -> bool {
    let tests_values = match &block.kind {
        BlockKind::If { condition, include_zero, .. } => {
            is_value(condition) && include_zero.as_ref().is_none_or(is_value)
        }
        BlockKind::Each(value) | BlockKind::With(value) | BlockKind::Value(value) => is_value(value),
        _ => false,
    };
    tests_values && calls_nothing(&block.body) && calls_nothing(&block.inverse)
}

fn is_value<T>(expr: &Expr<T>) -> bool {
    matches!(expr.kind, ExprKind::Member(_) | ExprKind::Path(_) | ExprKind::Literal(_))
}
