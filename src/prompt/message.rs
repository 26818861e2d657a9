//! Chat messages, with one type for their three stages.
//!
//! A [`Message<L>`] is generic over its texts `L`, the leaves of its structure. In a file the leaves are [`String`]s;
//! in a compiled prompt they are templates; in a rendered prompt they are output. [`Message::try_map`] converts a
//! message from one stage to the next. It copies the structure (roles, parts, tool calls), which is never parsed out of
//! rendered text.

use serde_json::Number;

use crate::error::Result;
use crate::template::{JsonText, Output};

/// The role of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The application's instructions.
    System,
    /// The application's instructions, under the name that newer OpenAI models use.
    Developer,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// The result of a function call, in OpenAI's older format.
    Function,
    /// The result of a tool call.
    Tool,
}

impl Role {
    /// Every role, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::System, Self::Developer, Self::User, Self::Assistant, Self::Function, Self::Tool];

    /// The name in files and in the formats of providers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Function => "function",
            Self::Tool => "tool",
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<L> {
    /// The role.
    pub role: Role,
    /// The content; absent in an assistant message that only calls tools.
    pub content: Option<Content<L>>,
    /// The assistant's refusal, instead of content or in addition to it.
    pub refusal: Option<L>,
    /// The name of the speaker or function.
    pub name: Option<L>,
    /// The tools that the assistant calls.
    pub tool_calls: Vec<ToolCall<L>>,
    /// The id of the call that a tool message answers.
    pub tool_call_id: Option<L>,
    /// The function call, in OpenAI's older format.
    pub function_call: Option<FunctionCall<L>>,
    /// A hint that the provider may cache the prompt up to and including this.
    pub cache: Option<CacheHint>,
    /// Whether the message is left out where it renders to blank text.
    pub optional: bool,
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Content<L> {
    /// Plain text.
    Text(L),
    /// Several parts.
    Parts(Vec<Part<L>>),
}

/// One part of a message's content.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<L> {
    /// The kind of the part and its data.
    pub body: PartBody<L>,
    /// A hint that the provider may cache the prompt up to and including this.
    pub cache: Option<CacheHint>,
}

/// The kind of a content part and its data.
#[derive(Debug, Clone, PartialEq)]
pub enum PartBody<L> {
    /// `{type: text, text: …}`
    Text(L),
    /// `{type: image_url, image_url: {url: …, detail: …}}`; the URL may be a `data:` URL.
    ImageUrl {
        /// The URL.
        url: L,
        /// The level of detail: `auto`, `low` or `high`.
        detail: Option<L>,
    },
    /// `{type: image, media_type: image/png, data: <base64>}`
    Image {
        /// The image's MIME type.
        media_type: L,
        /// The image in base64.
        data: L,
    },
    /// `{type: input_audio, input_audio: {data: <base64>, format: wav}}`
    Audio {
        /// The audio in base64.
        data: L,
        /// `wav` or `mp3`.
        format: L,
    },
    /// `{type: file, file: {file_id: …}}` or `{type: file, file: {filename: …, file_data: …}}`
    File {
        /// The id of a file that was uploaded to the provider.
        file_id: Option<L>,
        /// The file's name.
        filename: Option<L>,
        /// The file as a `data:` URL.
        file_data: Option<L>,
    },
}

/// A tool call.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall<L> {
    /// The id, to which the tool result refers.
    pub id: L,
    /// The tool and its arguments.
    pub function: FunctionCall<L>,
}

/// A function's name and arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionCall<L> {
    /// The function.
    pub name: L,
    /// The arguments: a mapping, in which each text is a template, or a text that is JSON and no template.
    pub arguments: Tree<L>,
}

/// A JSON value whose texts are leaves `L`.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<L> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A number with digits that [`Number`] would lose: its text in JSON.
    ExactNumber(String),
    /// A text.
    Text(L),
    /// A list.
    List(Vec<Tree<L>>),
    /// An object, in the order of the file.
    Map(Vec<(String, Tree<L>)>),
}

/// A hint that the provider may cache the prompt up to and including the message or part that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheHint {
    /// The lifetime, such as `5m` or `1h`; the provider's default if absent.
    pub ttl: Option<String>,
}

impl<L> Message<L> {
    /// Makes a message with a text and nothing else.
    #[must_use]
    pub fn plain(role: Role, text: L) -> Self {
        Self { content: Some(Content::Text(text)), ..Self::empty(role) }
    }

    /// The text, if the message has nothing else.
    #[must_use]
    pub fn plain_text(&self) -> Option<&L> {
        match &self.content {
            Some(Content::Text(text))
                if matches!(self.role, Role::System | Role::Developer | Role::User | Role::Assistant)
                    && self.refusal.is_none()
                    && self.name.is_none()
                    && self.tool_call_id.is_none()
                    && self.function_call.is_none()
                    && self.tool_calls.is_empty()
                    && self.cache.is_none()
                    && !self.optional =>
            {
                Some(text)
            }
            _ => None,
        }
    }

    /// Makes a message without content.
    #[must_use]
    pub fn empty(role: Role) -> Self {
        Self {
            role,
            content: None,
            refusal: None,
            name: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
            function_call: None,
            cache: None,
            optional: false,
        }
    }

    /// Converts every leaf with `map`, in reading order.
    ///
    /// # Errors
    /// The first error of `map`.
    pub fn try_map<'a, M>(&'a self, mut map: impl FnMut(&'a L) -> Result<M>) -> Result<Message<M>> {
        let map = &mut map;
        Ok(Message {
            role: self.role,
            content: match &self.content {
                None => None,
                Some(Content::Text(text)) => Some(Content::Text(map(text)?)),
                Some(Content::Parts(parts)) => {
                    Some(Content::Parts(parts.iter().map(|part| part.try_map(map)).collect::<Result<_>>()?))
                }
            },
            refusal: self.refusal.as_ref().map(&mut *map).transpose()?,
            name: self.name.as_ref().map(&mut *map).transpose()?,
            tool_calls: self.tool_calls.iter().map(|call| call.try_map(map)).collect::<Result<_>>()?,
            tool_call_id: self.tool_call_id.as_ref().map(&mut *map).transpose()?,
            function_call: self.function_call.as_ref().map(|call| call.try_map(map)).transpose()?,
            cache: self.cache.clone(),
            optional: self.optional,
        })
    }
}

/// Whether the text is empty or only white space.
#[must_use]
pub fn is_blank<L: Output>(text: &L) -> bool {
    text.is_empty() || text.with_str(|text| text.trim().is_empty())
}

impl<L: Output> Message<L> {
    /// Whether it is optional and blank.
    #[must_use]
    pub fn is_left_out(&self) -> bool {
        self.optional && self.is_blank()
    }

    /// Whether a model would read nothing in it: no text, image, sound, file, call or refusal.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.tool_calls.is_empty()
            && self.function_call.is_none()
            && self.refusal.as_ref().is_none_or(is_blank)
            && match &self.content {
                None => true,
                Some(Content::Text(text)) => is_blank(text),
                Some(Content::Parts(parts)) => parts.iter().all(|part| part.body.is_blank()),
            }
    }
}

impl<L: Output> PartBody<L> {
    fn is_blank(&self) -> bool {
        match self {
            Self::Text(text) => is_blank(text),
            Self::ImageUrl { url, .. } => is_blank(url),
            Self::Image { data, .. } | Self::Audio { data, .. } => is_blank(data),
            Self::File { file_id, file_data, .. } => [file_id, file_data].into_iter().flatten().all(is_blank),
        }
    }
}

impl<L> Part<L> {
    fn try_map<'a, M>(&'a self, map: &mut impl FnMut(&'a L) -> Result<M>) -> Result<Part<M>> {
        let body = match &self.body {
            PartBody::Text(text) => PartBody::Text(map(text)?),
            PartBody::ImageUrl { url, detail } => {
                PartBody::ImageUrl { url: map(url)?, detail: detail.as_ref().map(&mut *map).transpose()? }
            }
            PartBody::Image { media_type, data } => {
                PartBody::Image { media_type: map(media_type)?, data: map(data)? }
            }
            PartBody::Audio { data, format } => PartBody::Audio { data: map(data)?, format: map(format)? },
            PartBody::File { file_id, filename, file_data } => PartBody::File {
                file_id: file_id.as_ref().map(&mut *map).transpose()?,
                filename: filename.as_ref().map(&mut *map).transpose()?,
                file_data: file_data.as_ref().map(&mut *map).transpose()?,
            },
        };
        Ok(Part { body, cache: self.cache.clone() })
    }
}

impl<L> ToolCall<L> {
    fn try_map<'a, M>(&'a self, map: &mut impl FnMut(&'a L) -> Result<M>) -> Result<ToolCall<M>> {
        Ok(ToolCall { id: map(&self.id)?, function: self.function.try_map(map)? })
    }
}

impl<L> FunctionCall<L> {
    fn try_map<'a, M>(&'a self, map: &mut impl FnMut(&'a L) -> Result<M>) -> Result<FunctionCall<M>> {
        Ok(FunctionCall { name: map(&self.name)?, arguments: self.arguments.try_map(map)? })
    }
}

impl<L> Tree<L> {
    /// Converts every text with `map`, in reading order.
    ///
    /// # Errors
    /// The first error of `map`.
    pub fn try_map<'a, M>(&'a self, map: &mut impl FnMut(&'a L) -> Result<M>) -> Result<Tree<M>> {
        Ok(match self {
            Self::Null => Tree::Null,
            Self::Bool(value) => Tree::Bool(*value),
            Self::Number(value) => Tree::Number(value.clone()),
            Self::ExactNumber(text) => Tree::ExactNumber(text.clone()),
            Self::Text(text) => Tree::Text(map(text)?),
            Self::List(items) => {
                Tree::List(items.iter().map(|item| item.try_map(map)).collect::<Result<_>>()?)
            }
            Self::Map(members) => Tree::Map(
                members
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), value.try_map(map)?)))
                    .collect::<Result<_>>()?,
            ),
        })
    }
}

impl<L> Tree<L> {
    /// Whether a number in it is an [`Tree::ExactNumber`].
    pub(super) fn has_exact_number(&self) -> bool {
        match self {
            Self::ExactNumber(_) => true,
            Self::List(items) => items.iter().any(Self::has_exact_number),
            Self::Map(members) => members.iter().any(|(_, value)| value.has_exact_number()),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }
}

impl<L: Output> Tree<L> {
    /// Writes compact JSON, as Python's `json.dumps` does with `ensure_ascii=False` and `separators=(",", ":")`.
    ///
    /// # Errors
    /// None: the text has no limit.
    pub fn to_json_text(&self) -> Result<String> {
        let mut text = JsonText::new(None, usize::MAX);
        self.write_json(&mut text)?;
        Ok(text.finish())
    }

    fn write_json(&self, out: &mut JsonText) -> Result<()> {
        match self {
            Self::Null => out.literal("null"),
            Self::Bool(true) => out.literal("true"),
            Self::Bool(false) => out.literal("false"),
            Self::Number(number) => out.literal(&number.to_string()),
            Self::ExactNumber(text) => out.literal(text),
            Self::Text(text) => text.with_str(|text| out.string(text)),
            Self::List(items) => {
                out.open('[')?;
                for item in items {
                    out.item()?;
                    item.write_json(out)?;
                }
                out.close(']')
            }
            Self::Map(members) => {
                out.open('{')?;
                for (key, value) in members {
                    out.item()?;
                    out.key(key)?;
                    value.write_json(out)?;
                }
                out.close('}')
            }
        }
    }
}
