//! Chat messages, with one type for their three stages.
//!
//! A [`Message<L>`] is generic over its texts `L`. In a file they are [`String`]s;
//! in a compiled prompt they are templates; in a rendered prompt they are output. [`Message::try_map`] converts a
//! message from one stage to the next. It copies the structure (roles, parts, tool calls), which is never parsed out of
//! rendered text.

use serde_json::{Value, json};

use super::history::Carried;
use super::tree::Tree;
use crate::error::Result;
use crate::template::Output;

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
    /// Whether a tool message is the error of a call that failed.
    pub is_error: bool,
    /// Whether it comes from a history that was given for a placeholder.
    pub from_history: bool,
    /// What a message of a history has in the format of one provider.
    pub carried: Option<Box<Carried<L>>>,
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
    /// `{type: image, file_id: …}`
    UploadedImage {
        /// The id of an image that was uploaded to the provider.
        file_id: L,
        /// The image's MIME type, which Gemini needs if the id does not show it.
        media_type: Option<L>,
    },
    /// `{type: file, …}`
    File(Box<FilePart<L>>),
    /// `{type: search_result, source: …, title: …, content: […], citations: true}`
    SearchResult(Box<SearchResultPart<L>>),
}

/// A file: `{file: {file_id: …}}`, `{file: {filename: …, file_data: …}}`, `{url: …}` or `{text: …}`, perhaps with
/// `title`, `context` and `citations` beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct FilePart<L> {
    /// The id of a file that was uploaded to the provider.
    pub file_id: Option<L>,
    /// The file's name.
    pub filename: Option<L>,
    /// The file as a `data:` URL.
    pub file_data: Option<L>,
    /// The URL of the file.
    pub url: Option<L>,
    /// The content of a text file.
    pub text: Option<L>,
    /// The title of the document.
    pub title: Option<L>,
    /// What the model should know about the document.
    pub context: Option<L>,
    /// Whether the model may cite the document.
    pub citations: bool,
}

impl<L> Default for FilePart<L> {
    fn default() -> Self {
        Self {
            file_id: None,
            filename: None,
            file_data: None,
            url: None,
            text: None,
            title: None,
            context: None,
            citations: false,
        }
    }
}

impl<L> FilePart<L> {
    /// The texts with their keys, in reading order.
    pub(crate) fn texts(&self) -> [(&'static str, Option<&L>); 7] {
        [
            ("file_id", self.file_id.as_ref()),
            ("filename", self.filename.as_ref()),
            ("file_data", self.file_data.as_ref()),
            ("url", self.url.as_ref()),
            ("text", self.text.as_ref()),
            ("title", self.title.as_ref()),
            ("context", self.context.as_ref()),
        ]
    }

    /// The source of the file, which can be of any of the four kinds.
    pub(crate) fn source(&self) -> Option<&L> {
        [&self.file_id, &self.file_data, &self.url, &self.text].into_iter().find_map(Option::as_ref)
    }
}

/// A result of a search, which the model can cite.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchResultPart<L> {
    /// Where it was found.
    pub source: L,
    /// Its title.
    pub title: L,
    /// Its texts.
    pub content: Vec<L>,
    /// Whether the model may cite it.
    pub citations: bool,
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

/// A hint that the provider may cache the prompt up to and including the message or part that has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheHint {
    /// For Anthropic, Bedrock and the providers behind LiteLLM. OpenAI gets it only if that is asked for.
    pub portable: Option<PortableCache>,
    /// For OpenAI alone.
    pub openai: Option<OpenAiCache>,
}

/// What a [`CacheHint`] asks of the providers that share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortableCache {
    /// The lifetime, such as `5m` or `1h`; the provider's default if absent. In a history it can be any text.
    pub ttl: Option<String>,
}

/// What a [`CacheHint`] asks of OpenAI.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenAiCache {
    /// One of [`OpenAiCache::TIMES`]; that of the request if absent.
    pub ttl: Option<&'static str>,
}

impl PortableCache {
    /// The lifetimes that Anthropic and Bedrock accept.
    pub const TIMES: [&'static str; 2] = ["5m", "1h"];
}

impl OpenAiCache {
    /// The lifetimes that OpenAI accepts.
    pub const TIMES: [&'static str; 2] = ["30m", "12h"];

    /// A breakpoint with this lifetime. `None` if OpenAI does not accept it.
    #[must_use]
    pub fn with_ttl(ttl: &str) -> Option<Self> {
        let known = Self::TIMES.into_iter().find(|known| *known == ttl)?;
        Some(Self { ttl: Some(known) })
    }
}

impl CacheHint {
    /// The hint of every provider but OpenAI.
    #[must_use]
    pub fn portable(ttl: Option<String>) -> Self {
        Self { portable: Some(PortableCache { ttl }), openai: None }
    }

    /// The lifetime for every provider but OpenAI.
    #[must_use]
    pub fn ttl(&self) -> Option<&str> {
        self.portable.as_ref()?.ttl.as_deref()
    }

    /// Reads what [`CacheHint::to_json`] writes, and a time alone. `None` for anything else.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let known = |ttl: &Value, times: &[&'static str]| {
            times.iter().copied().find(|time| ttl.as_str() == Some(*time))
        };
        let portable = |ttl: &Value| known(ttl, &PortableCache::TIMES).map(str::to_owned);
        let members = match value {
            Value::Bool(true) => return Some(Self::portable(None)),
            Value::Object(members) => members,
            time => return portable(time).map(|ttl| Self::portable(Some(ttl))),
        };
        if members
            .iter()
            .any(|(key, value)| !matches!(key.as_str(), "type" | "ttl" | "openai") || value.is_null())
        {
            return None;
        }
        let ttl = match members.get("ttl") {
            Some(ttl) => Some(portable(ttl)?),
            None => None,
        };
        let openai = match members.get("openai") {
            None => None,
            Some(Value::Bool(true)) => Some(OpenAiCache::default()),
            Some(Value::Object(openai)) if openai.is_empty() => Some(OpenAiCache::default()),
            Some(Value::Object(openai)) => Some(OpenAiCache::with_ttl(openai.get("ttl")?.as_str()?)?),
            Some(time) => Some(OpenAiCache::with_ttl(time.as_str()?)?),
        };
        let is_portable = openai.is_none() || ttl.is_some() || members.contains_key("type");
        Some(Self { portable: is_portable.then_some(PortableCache { ttl }), openai })
    }

    /// As a prompt file has it: `true`, `{ttl: 1h}`, `{ttl: 1h, openai: {ttl: 30m}}`.
    pub(crate) fn to_json(&self) -> Value {
        let openai = self.openai.map(|openai| match openai.ttl {
            Some(ttl) => json!({ "ttl": ttl }),
            None => Value::Bool(true),
        });
        match (&self.portable, self.ttl(), openai) {
            (_, None, None) => Value::Bool(true),
            (_, Some(ttl), None) => json!({ "ttl": ttl }),
            (_, Some(ttl), Some(openai)) => json!({ "ttl": ttl, "openai": openai }),
            (Some(_), None, Some(openai)) => json!({ "type": "ephemeral", "openai": openai }),
            (None, None, Some(openai)) => json!({ "openai": openai }),
        }
    }
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
                    && self.carried.is_none()
                    && !self.optional
                    && !self.is_error =>
            {
                Some(text)
            }
            _ => None,
        }
    }

    /// The hints of the message and its parts, in reading order.
    pub(crate) fn cache_hints(&self) -> impl Iterator<Item = &CacheHint> {
        let parts = match &self.content {
            Some(Content::Parts(parts)) => &parts[..],
            _ => &[],
        };
        parts.iter().filter_map(|part| part.cache.as_ref()).chain(&self.cache)
    }

    /// Removes the hints that are for OpenAI alone.
    pub(crate) fn keep_portable_hints(&mut self) {
        let parts = match &mut self.content {
            Some(Content::Parts(parts)) => &mut parts[..],
            _ => &mut [],
        };
        for hint in parts.iter_mut().map(|part| &mut part.cache).chain([&mut self.cache]) {
            hint.take_if(|hint| hint.portable.is_none());
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
            is_error: false,
            from_history: false,
            carried: None,
        }
    }

    /// Converts every text with `map`, in reading order.
    ///
    /// # Errors
    /// The first error of `map`.
    pub fn try_map<'a, M>(&'a self, mut map: impl FnMut(&'a L) -> Result<M>) -> Result<Message<M>> {
        self.try_map_dyn(&mut map)
    }

    /// Compiled once for all closures, which keeps the crate small.
    fn try_map_dyn<'a, M>(&'a self, map: &mut dyn FnMut(&'a L) -> Result<M>) -> Result<Message<M>> {
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
            is_error: self.is_error,
            from_history: self.from_history,
            carried: match &self.carried {
                Some(carried) => Some(Box::new(carried.try_map(map)?)),
                None => None,
            },
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
            Self::UploadedImage { file_id, .. } => is_blank(file_id),
            Self::File(file) => file.source().is_none_or(is_blank),
            Self::SearchResult(result) => result.content.iter().all(is_blank),
        }
    }
}

impl<L> Part<L> {
    fn try_map<'a, M>(&'a self, map: &mut dyn FnMut(&'a L) -> Result<M>) -> Result<Part<M>> {
        let body = match &self.body {
            PartBody::Text(text) => PartBody::Text(map(text)?),
            PartBody::ImageUrl { url, detail } => {
                PartBody::ImageUrl { url: map(url)?, detail: detail.as_ref().map(&mut *map).transpose()? }
            }
            PartBody::Image { media_type, data } => {
                PartBody::Image { media_type: map(media_type)?, data: map(data)? }
            }
            PartBody::Audio { data, format } => PartBody::Audio { data: map(data)?, format: map(format)? },
            PartBody::UploadedImage { file_id, media_type } => PartBody::UploadedImage {
                file_id: map(file_id)?,
                media_type: media_type.as_ref().map(&mut *map).transpose()?,
            },
            PartBody::File(file) => PartBody::File(Box::new(FilePart {
                file_id: file.file_id.as_ref().map(&mut *map).transpose()?,
                filename: file.filename.as_ref().map(&mut *map).transpose()?,
                file_data: file.file_data.as_ref().map(&mut *map).transpose()?,
                url: file.url.as_ref().map(&mut *map).transpose()?,
                text: file.text.as_ref().map(&mut *map).transpose()?,
                title: file.title.as_ref().map(&mut *map).transpose()?,
                context: file.context.as_ref().map(&mut *map).transpose()?,
                citations: file.citations,
            })),
            PartBody::SearchResult(result) => PartBody::SearchResult(Box::new(SearchResultPart {
                source: map(&result.source)?,
                title: map(&result.title)?,
                content: result.content.iter().map(&mut *map).collect::<Result<_>>()?,
                citations: result.citations,
            })),
        };
        Ok(Part { body, cache: self.cache.clone() })
    }
}

impl<L> ToolCall<L> {
    fn try_map<'a, M>(&'a self, map: &mut dyn FnMut(&'a L) -> Result<M>) -> Result<ToolCall<M>> {
        Ok(ToolCall { id: map(&self.id)?, function: self.function.try_map(map)? })
    }
}

impl<L> FunctionCall<L> {
    fn try_map<'a, M>(&'a self, map: &mut dyn FnMut(&'a L) -> Result<M>) -> Result<FunctionCall<M>> {
        Ok(FunctionCall { name: map(&self.name)?, arguments: self.arguments.try_map(map)? })
    }
}
