//! Chat messages, in one shape for their three lives.
//!
//! A [`Message<L>`] is generic over its leaves `L`, the places where text stands. In a file the leaves are
//! [`String`]s; compiled, they are templates; rendered, they are finished output. [`Message::try_map`] takes a
//! message from one life to the next, so that structure (roles, parts, tool calls) is only ever carried over and
//! never read back out of text.

use serde_json::Number;

use crate::error::Result;
use crate::template::Output;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions of the application.
    System,
    /// Instructions of the application, as newer OpenAI models call them.
    Developer,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// The result of a function call in OpenAI's first form.
    Function,
    /// The result of a tool call.
    Tool,
}

impl Role {
    /// Every role, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::System, Self::Developer, Self::User, Self::Assistant, Self::Function, Self::Tool];

    /// The word for it in files and provider forms.
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
    /// Who speaks.
    pub role: Role,
    /// What is said; absent in an assistant's message that only calls tools.
    pub content: Option<Content<L>>,
    /// Why the assistant does not answer, in place of content or beside it.
    pub refusal: Option<L>,
    /// The speaker's or function's name.
    pub name: Option<L>,
    /// The tools that the assistant calls.
    pub tool_calls: Vec<ToolCall<L>>,
    /// The call that a tool's message answers.
    pub tool_call_id: Option<L>,
    /// The call in OpenAI's first form.
    pub function_call: Option<FunctionCall<L>>,
    /// A hint that the provider may cache everything up to here.
    pub cache: Option<CacheHint>,
}

/// What a message says.
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
    /// What it is.
    pub body: PartBody<L>,
    /// A hint that the provider may cache everything up to here.
    pub cache: Option<CacheHint>,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub enum PartBody<L> {
    /// `{type: text, text: …}`
    Text(L),
    /// `{type: image_url, image_url: {url: …, detail: …}}`; the address may be a `data:` one.
    ImageUrl {
        /// The address.
        url: L,
        /// How closely the model looks: `auto`, `low`, `high`.
        detail: Option<L>,
    },
    /// `{type: image, media_type: image/png, data: <base64>}`
    Image {
        /// The picture's MIME type.
        media_type: L,
        /// The picture in base64.
        data: L,
    },
    /// `{type: input_audio, input_audio: {data: <base64>, format: wav}}`
    Audio {
        /// The sound in base64.
        data: L,
        /// `wav` or `mp3`.
        format: L,
    },
    /// `{type: file, file: {file_id: …}}` or `{type: file, file: {filename: …, file_data: …}}`
    File {
        /// A file that the provider has.
        file_id: Option<L>,
        /// The file's name.
        filename: Option<L>,
        /// The file as a `data:` address.
        file_data: Option<L>,
    },
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall<L> {
    /// What the result refers to.
    pub id: L,
    /// The tool and what it is given.
    pub function: FunctionCall<L>,
}

/// A function's name and arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionCall<L> {
    /// The function.
    pub name: L,
    /// A mapping in all that is valid; its text leaves are templates of their own.
    pub arguments: Tree<L>,
}

/// JSON whose texts are leaves.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<L> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(L),
    /// A list.
    List(Vec<Tree<L>>),
    /// An object, in the order in which it was written.
    Map(Vec<(String, Tree<L>)>),
}

/// A hint that the provider may cache the prompt up to where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheHint {
    /// How long, such as `5m` or `1h`; the provider's default when absent.
    pub ttl: Option<String>,
}

impl<L> Message<L> {
    /// A message that says this and has nothing else.
    #[must_use]
    pub fn plain(role: Role, text: L) -> Self {
        Self { content: Some(Content::Text(text)), ..Self::empty(role) }
    }

    /// The text of a message that has nothing else.
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
                    && self.cache.is_none() =>
            {
                Some(text)
            }
            _ => None,
        }
    }

    /// A message with nothing in it yet.
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
        }
    }

    /// The same message with every leaf turned into another by `map`, in reading order.
    ///
    /// # Errors
    /// The first that `map` gives.
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
        })
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
    /// The same tree with every text turned into another by `map`, in reading order.
    ///
    /// # Errors
    /// The first that `map` gives.
    pub fn try_map<'a, M>(&'a self, map: &mut impl FnMut(&'a L) -> Result<M>) -> Result<Tree<M>> {
        Ok(match self {
            Self::Null => Tree::Null,
            Self::Bool(value) => Tree::Bool(*value),
            Self::Number(value) => Tree::Number(value.clone()),
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

impl<L: Output> Tree<L> {
    /// The JSON text, compact, as Python's `json.dumps` writes it with `ensure_ascii=False` and no blanks.
    ///
    /// # Errors
    /// When a number has no JSON form.
    pub fn to_json_text(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}
