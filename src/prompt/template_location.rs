//! Names one text of a prompt, so that an error can say in which template it is.

use std::fmt;

use super::model::{ChatEntry, Prompt};

/// A text of a prompt that is compiled as a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemplateLocation<'a> {
    /// The text template.
    Template,
    /// A text of a chat message.
    Message {
        /// The index of the message.
        index: usize,
        /// The index of the text, in the order in which [`super::Message::try_map`] visits the texts.
        text: usize,
    },
    /// A partial.
    Partial(&'a str),
}

impl TemplateLocation<'_> {
    /// The text itself.
    #[must_use]
    pub fn text<'p>(&self, prompt: &'p Prompt) -> Option<&'p str> {
        match *self {
            Self::Template => Some(&prompt.template.as_ref()?.content),
            Self::Partial(name) => {
                prompt.partials().iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
            }
            Self::Message { index, text } => {
                let ChatEntry::Message(message) = prompt.chat_template.as_ref()?.messages.get(index)? else {
                    return None;
                };
                let mut texts: Vec<&str> = Vec::new();
                // The closure never fails.
                let _: crate::Result<super::Message<()>> = message.try_map(|visited| {
                    texts.push(visited);
                    Ok(())
                });
                texts.get(text).copied()
            }
        }
    }
}

impl fmt::Display for TemplateLocation<'_> {
    /// The path in the prompt: `template`, `messages[2]`, `partials.tone`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template => f.write_str("template"),
            Self::Message { index, .. } => write!(f, "messages[{index}]"),
            Self::Partial(name) => write!(f, "partials.{name}"),
        }
    }
}
