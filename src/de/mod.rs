//! Reads what people and programs write: YAML, JSON and Python values become one tree of [`SourceNode`]s with their places
//! in the source; plain functions walk it and collect every mistake.
//!
//! | module | subject |
//! |---|---|
//! | [`node`] | the tree, and values that JSON can hold taken from it |
//! | [`yaml`] | YAML text to nodes, one document at a time |
//! | [`scalars`] | what a bare YAML word means: null, a boolean, a number or a text |
//! | [`json`] | JSON text to nodes |
//! | [`mustache`] | the hint for a value that begins with `{{` |
//! | [`reader`] | the collector of mistakes, with what every reader asks of a node |
//! | [`words`](mod@words) | types that are words of a fixed list |

pub(crate) mod json;
mod mustache;
pub(crate) mod node;
pub(crate) mod reader;
mod scalars;
pub(crate) mod words;
pub(crate) mod yaml;

#[cfg(test)]
#[path = "../../tests/rust/yaml_nodes.rs"]
mod yaml_nodes;

pub(crate) use json::plain;
pub(crate) use node::{KeyPath, NodeValue, SourceNode, SourceSpan};
pub(crate) use reader::{Fields, NodeReader, SpannedText};
pub(crate) use words::{one_line, shown, text_serde, unknown, words};

/// How deep lists and mappings may nest inside a value that a prompt or schema carries as JSON. More would endanger the
/// stack of whoever walks it.
pub(crate) const VALUE_DEPTH: usize = 64;
