//! Reads the messages that a placeholder is given: our own format, and the formats of providers, SDKs and
//! frameworks.
//!
//! Each format has a module that reads a value of it into [`Message`]s, which every provider understands. What only one
//! provider understands stays beside the message as [`Carried`]: the conversion to that provider sends it unchanged, and
//! any other conversion leaves it out. Nothing is parsed as a template.

mod anthropic;
mod bedrock;
mod calls;
mod carried;
mod chat;
mod detect;
mod frameworks;
mod gemini;
mod langchain;
mod responses;
mod values;

pub use carried::{Carried, CarriedFormat};
pub(crate) use gemini::{is_part_content, snake_case};

use super::message::{Message, Role};
use super::read_message::message_of_node;
use super::tree::Tree;
use crate::de::{NodeValue, json};
use crate::error::{Error, Kind, Result};
use calls::OpenCalls;
use detect::HistoryFormat;

/// The hint for a whole response of a provider, as JSON text, in which only a part is a message.
pub(super) fn part_of_response(text: &str) -> Option<&'static str> {
    let tree = values::of_node(json::parse(text).ok()?);
    detect::whole_response(&tree).map(|(_, part)| part)
}

/// Reads a history, one value at a time.
#[derive(Debug, Default)]
pub(super) struct HistoryReader {
    messages: Vec<Message<String>>,
    /// Whether the last message is a turn of the assistant in items of the Responses API, which the next item continues.
    is_turn_open: bool,
    calls: OpenCalls,
}

impl HistoryReader {
    /// Reads the next message, turn or item from JSON text.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] with the only mistake, or a summary of several.
    pub(super) fn push(&mut self, text: &str) -> Result<()> {
        let node = json::parse(text).map_err(|why| Error::new(Kind::PromptInvalid, why))?;
        let is_tree = matches!(node.value, NodeValue::Map(_) | NodeValue::List(_));
        if !is_tree || chat::is_plain(&node) {
            self.add(message_of_node(node)?);
            return Ok(());
        }
        self.push_tree(values::of_node(node))
    }

    fn push_tree(&mut self, value: Tree<String>) -> Result<()> {
        let value = langchain::unwrapped(value);
        if let Some((what, _)) = detect::whole_response(&value) {
            return Err(Error::new(Kind::PromptInvalid, format!("this is {what}")));
        }
        match detect::format_of(&value) {
            HistoryFormat::LangChain => match langchain::read(value)? {
                langchain::Read::Message(message) => self.add(*message),
                langchain::Read::Native(values) => {
                    return values.into_iter().try_for_each(|value| self.push_tree(value));
                }
            },
            HistoryFormat::Responses => self.push_item(value)?,
            HistoryFormat::Anthropic => {
                for message in anthropic::read(value)? {
                    self.add(message);
                }
            }
            HistoryFormat::Gemini => {
                for message in gemini::read(value, &mut self.calls)? {
                    self.add(message);
                }
            }
            HistoryFormat::Bedrock => {
                for message in bedrock::read(value)? {
                    self.add(message);
                }
            }
            HistoryFormat::PydanticAi => {
                for message in frameworks::read_pydantic_ai(&value)? {
                    self.add(message);
                }
            }
            HistoryFormat::LlamaIndex => self.add(frameworks::read_llama_index(&value)?),
            HistoryFormat::Chat => {
                let message = chat::read(value)?;
                self.add(message);
            }
        }
        Ok(())
    }

    fn add(&mut self, mut message: Message<String>) {
        self.is_turn_open = false;
        match message.role {
            Role::Assistant => {
                let continues = self.messages.last().is_some_and(|last| last.role == Role::Assistant);
                self.calls.note(&message, continues);
            }
            Role::Tool | Role::Function => self.calls.answer(&mut message),
            Role::System | Role::Developer | Role::User => {}
        }
        self.messages.push(message);
    }

    /// Adds an item of the Responses API. The items between two turns of the user are one message of the assistant.
    fn push_item(&mut self, item: Tree<String>) -> Result<()> {
        let Tree::Map(members) = item else { return Ok(()) };
        let message = responses::read(values::TreeMembers(members))?;
        let is_assistant = message.role == Role::Assistant;
        if is_assistant {
            self.calls.forget();
        }
        match self.messages.last_mut() {
            Some(last) if self.is_turn_open && is_assistant => responses::join(last, message),
            _ => self.messages.push(message),
        }
        self.is_turn_open = is_assistant;
        Ok(())
    }

    /// The messages, in order.
    pub(super) fn into_messages(self) -> Vec<Message<String>> {
        self.messages
    }
}
