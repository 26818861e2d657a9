//! Which text of a prompt is meant, for saying where in it a template is wrong.

use std::fmt;

/// A text of a prompt that is compiled as a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeafId<'a> {
    /// The text template.
    Template,
    /// A leaf of a chat entry, counted as [`super::Message::try_map`] visits them.
    Message {
        /// Which entry.
        index: usize,
        /// Which leaf of it.
        leaf: usize,
    },
    /// A partial.
    Partial(&'a str),
}

impl fmt::Display for LeafId<'_> {
    /// The path in the prompt: `template`, `messages[2]`, `partials.tone`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template => f.write_str("template"),
            Self::Message { index, .. } => write!(f, "messages[{index}]"),
            Self::Partial(name) => write!(f, "partials.{name}"),
        }
    }
}
