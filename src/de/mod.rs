//! Reads YAML, JSON and Python values into one kind of tree, of [`SourceNode`]s with their places in the source. Plain
//! functions walk the tree and collect every mistake.
//!
//! | module | subject |
//! |---|---|
//! | [`node`] | the tree |
//! | [`yaml`] | YAML text to nodes, one document at a time |
//! | [`yaml_aliases`] | finds the parts of a YAML text that an alias repeats |
//! | [`yaml_errors`] | explains the mistakes that the YAML parser finds |
//! | [`scalars`] | the value of a YAML scalar: null, a boolean, a number or a string |
//! | [`json`] | JSON text to nodes |
//! | [`paths`] | the paths of nodes that were not read from a text |
//! | [`mustache`] | the hint for a value that begins with `{{` |
//! | [`reader`] | collects mistakes, and reads the types that all readers need |
//! | [`words`](mod@words) | types whose values are words from a fixed list |

pub(crate) mod json;
mod mustache;
pub(crate) mod node;
mod paths;
pub(crate) mod reader;
mod scalars;
pub(crate) mod words;
pub(crate) mod yaml;
pub(crate) mod yaml_aliases;
mod yaml_errors;

#[cfg(test)]
#[path = "../../tests/rust/yaml_nodes.rs"]
mod yaml_nodes;

pub(crate) use json::plain;
pub(crate) use node::{KeyPath, NodeValue, SourceNode, SourceSpan, nearest_number};
pub(crate) use paths::{NodePaths, PathStep};
pub(crate) use reader::{Fields, KeyHint, NodeReader, SpannedText, unknown_key};
pub(crate) use words::{one_line, shown, text_serde, unknown, words};

/// The maximum nesting of lists and mappings in a value that a prompt or schema contains as JSON. Deeper values could
/// overflow the stack of the code that walks them.
pub(crate) const VALUE_DEPTH: usize = 64;
