//! Converts to LangChain: flat templates to f-strings, and a rendered message to its class with the arguments of the
//! constructor. Python makes the objects.
//!
//! Calls and results are not paired: LangChain composes conversations from pieces, and a prompt is one of them. Cache
//! hints are in Anthropic's format, and only where the chat model is known to accept them: the models have no common
//! format for them.

use serde::de::IgnoredAny;

use super::carried::CarriedTarget;
use super::image_address::{self, FILE, IMAGE};
use super::payload::{Member, Payload, member};
use super::report::{Position, Report, RuleViolation, ViolationHandler};
use super::rules::{self, CallRef, DROPPED, PASSED_ON, REPAIRED};
use crate::error::{Error, Kind, Result};
use crate::prompt::{
    CacheHint, Content, FilePart, FunctionCall, Message, Part, PartBody, Role, ToolCall, Tree,
};
use crate::template::{FlatPiece, Output, Template, Text};

/// Names that LangChain reserves. No variable can have them.
const RESERVED: [&str; 2] = ["self", "stop"];

/// The options of the conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LangChainOptions {
    /// Fail instead of changing or dropping something.
    pub strict: bool,
    /// Write cache hints as `cache_control`. If false they are left out without a warning, because they change only the
    /// price.
    pub cache_control: bool,
}

impl Default for LangChainOptions {
    fn default() -> Self {
        Self { strict: true, cache_control: false }
    }
}

/// LangChain's name for a role.
#[must_use]
pub fn map_role(role: Role) -> &'static str {
    match role {
        Role::System | Role::Developer => "system",
        Role::User => "human",
        Role::Assistant => "ai",
        Role::Function => "function",
        Role::Tool => "tool",
    }
}

/// The error if LangChain reserves this variable name.
#[must_use]
pub fn reserved(name: &str) -> Option<Error> {
    RESERVED.contains(&name).then(|| {
        let problem = format!("LangChain reserves the name `{name}`");
        Error::new(Kind::Conversion, problem).with_hint("rename the variable").with_context("variable", name)
    })
}

/// The template as an f-string of LangChain, with literal braces doubled. `None` if the template is not flat, or if a
/// format string cannot have one of its names.
#[must_use]
pub fn f_string<T: Text>(template: &Template<T>) -> Option<String> {
    let mut written = String::with_capacity(template.source().len());
    for piece in template.flat()? {
        match piece {
            FlatPiece::Text(text) => text.chars().for_each(|c| {
                written.push(c);
                if matches!(c, '{' | '}') {
                    written.push(c);
                }
            }),
            FlatPiece::Name(name) if is_field(name) => {
                written.push('{');
                written.push_str(name);
                written.push('}');
            }
            FlatPiece::Name(_) => return None,
        }
    }
    Some(written)
}

/// Whether a format string can have this field name. A dot, a bracket, a colon and the like have another meaning there,
/// and a number is a position.
fn is_field(name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    name.chars().all(is_word) && !name.starts_with(char::is_numeric)
}

/// The messages of a history, each as [`message`] gives it. What only one provider understands is left out.
///
/// # Errors
/// As [`message`]. In strict mode, also if something would be left out.
pub fn history<S: Output>(
    messages: Vec<Message<S>>,
    options: &LangChainOptions,
    report: &mut Report,
) -> Result<Vec<Payload<S>>> {
    let messages = CarriedTarget::langchain(options.strict).settle(messages, report)?;
    let numbered = messages.into_iter().enumerate();
    numbered.filter_map(|(index, each)| message(each, index, options, report).transpose()).collect()
}

/// The class of a rendered message and its arguments: `{"class": "human", "arguments": {"content": …}}`. `index` is the
/// index of the message, for error messages. `None` for a message that is dropped, because all of its parts were.
///
/// # Errors
/// [`Kind::Conversion`] for a message that lacks what its class needs. Without `strict`, only if no similar message is
/// valid.
pub fn message<S: Output>(
    mut message: Message<S>,
    index: usize,
    options: &LangChainOptions,
    report: &mut Report,
) -> Result<Option<Payload<S>>> {
    let at = Position { index, role: message.role };
    let mut violations = ViolationHandler::new(options.strict, report);
    message.keep_portable_hints();
    rules::check_fields(&mut message, at, &mut violations)?;
    if rules::is_blank_input(&message) {
        violations.refuse(rules::empty_content(at))?;
    }
    let calls = !message.tool_calls.is_empty() || message.function_call.is_some();
    let may_be_empty = calls || rules::may_be_empty(&message);
    let refusal = message.refusal.filter(|refusal| !refusal.is_empty());
    let cache = message.cache.as_ref().filter(|_| options.cache_control);
    let content = ContentWriter { at, cache_control: options.cache_control, violations: &mut violations }
        .content(message.content, cache, may_be_empty || refusal.is_some())?;
    let Some(content) = content else {
        violations.handle(rules::empty_content(at), DROPPED)?;
        return Ok(None);
    };
    let mut arguments = vec![member("content", content)];
    arguments.extend(message.name.map(|name| member("name", Payload::Text(name))));
    arguments.extend(message.tool_call_id.map(|id| member("tool_call_id", Payload::Text(id))));
    arguments.extend(message.is_error.then(|| member("status", Payload::Static("error"))));
    let mut extra: Vec<Member<S>> = Vec::new();
    if message.role == Role::Developer {
        extra.push(member("__openai_role__", Payload::Static("developer")));
    }
    if let Some(call) = message.function_call {
        extra.push(member("function_call", function_call(call, at, &mut violations)?));
    }
    extra.extend(refusal.map(|refusal| member("refusal", Payload::Text(refusal))));
    if !extra.is_empty() {
        arguments.push(member("additional_kwargs", Payload::Map(extra)));
    }
    arguments.extend(tool_calls(message.tool_calls, at, &mut violations)?);
    let class = Payload::Static(map_role(at.role));
    Ok(Some(Payload::map([("class", class), ("arguments", Payload::Map(arguments))])))
}

/// Writes the content of one message.
struct ContentWriter<'w, 'r> {
    at: Position,
    cache_control: bool,
    violations: &'w mut ViolationHandler<'r>,
}

impl ContentWriter<'_, '_> {
    /// Writes the content. `None` if all parts were dropped, and the message needs content.
    fn content<S: Output>(
        &mut self,
        content: Option<Content<S>>,
        cache: Option<&CacheHint>,
        may_be_empty: bool,
    ) -> Result<Option<Payload<S>>> {
        let parts = match content {
            Some(Content::Text(text)) if cache.is_none() || text.is_empty() => {
                return Ok(Some(Payload::Text(text)));
            }
            Some(Content::Text(text)) => vec![Part { body: PartBody::Text(text), cache: None }],
            Some(Content::Parts(parts)) => parts,
            // The classes do not accept null.
            None if may_be_empty || self.at.role == Role::Function => return Ok(Some(Payload::Static(""))),
            None => {
                let hint = "add content, or remove the message";
                let violation = RuleViolation::new(self.at, "the message has no content", hint);
                return self.violations.refuse(violation).map(|()| Some(Payload::Static("")));
            }
        };
        let has_parts = !parts.is_empty();
        let mut blocks = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            blocks.extend(self.part(part, index)?);
        }
        match blocks.last_mut() {
            Some(last) => self.cached(last, cache)?,
            None if may_be_empty || matches!(self.at.role, Role::Tool | Role::Function) => {}
            None if has_parts => return Ok(None),
            None => self.violations.refuse(rules::empty_content(self.at))?,
        }
        Ok(Some(Payload::List(blocks)))
    }

    fn part<S: Output>(&mut self, mut part: Part<S>, index: usize) -> Result<Option<Payload<S>>> {
        let cache = part.cache.take().filter(|_| self.cache_control);
        let mut written = match part_payload(part.body, index, self.at) {
            Ok(written) => written,
            Err(violation) => {
                self.violations.handle(violation, DROPPED)?;
                return Ok(None);
            }
        };
        self.cached(&mut written, cache.as_ref())?;
        Ok(Some(written))
    }

    /// Adds a cache hint to a part, unless it has one.
    fn cached<S>(&mut self, part: &mut Payload<S>, cache: Option<&CacheHint>) -> Result<()> {
        if let (Some(cache), Payload::Map(members)) = (cache, part)
            && members.iter().all(|(key, _)| key.as_str() != rules::CACHE_CONTROL)
        {
            members.push(rules::cache_control(cache, "Anthropic", self.at, self.violations)?);
        }
        Ok(())
    }
}

/// What reads the parts, for error messages.
const MODEL: &str = "a chat model";

/// A part in the format that LangChain's chat models share, which is OpenAI's.
fn part_payload<S: Output>(
    body: PartBody<S>,
    index: usize,
    at: Position,
) -> Result<Payload<S>, RuleViolation> {
    if let Some(violation) = rules::empty_part(&body, index, at) {
        return Err(violation);
    }
    Ok(match body {
        PartBody::Text(text) => {
            Payload::map([("type", Payload::Static("text")), ("text", Payload::Text(text))])
        }
        PartBody::ImageUrl { url, detail } => {
            if let Some(violation) = image_address::local_address(&url, IMAGE, index, at, MODEL) {
                return Err(violation);
            }
            let mut image = vec![member("url", rules::plain_data_url(url, index, at)?)];
            image.extend(detail.map(|detail| member("detail", Payload::Text(detail))));
            Payload::map([("type", Payload::Static("image_url")), ("image_url", Payload::Map(image))])
        }
        PartBody::Image { media_type, data } => {
            let data = rules::plain_base64(data, index, at)?;
            let url = Payload::String(rules::data_url(&media_type, &data));
            Payload::map([
                ("type", Payload::Static("image_url")),
                ("image_url", Payload::map([("url", url)])),
            ])
        }
        PartBody::Audio { data, format } => {
            let sound = [("data", rules::plain_base64(data, index, at)?), ("format", Payload::Text(format))];
            Payload::map([("type", Payload::Static("input_audio")), ("input_audio", Payload::map(sound))])
        }
        PartBody::UploadedImage { file_id, .. } => {
            Payload::map([("type", Payload::Static("image")), ("file_id", Payload::Text(file_id))])
        }
        PartBody::File(file) => self::file(*file, index, at)?,
        PartBody::SearchResult(result) => {
            let text =
                |text| Payload::map([("type", Payload::Static("text")), ("text", Payload::Text(text))]);
            Payload::map([
                ("type", Payload::Static("search_result")),
                ("source", Payload::Text(result.source)),
                ("title", Payload::Text(result.title)),
                ("content", Payload::List(result.content.into_iter().map(text).collect())),
                ("citations", Payload::map([("enabled", Payload::Bool(result.citations))])),
            ])
        }
    })
}

/// A file in OpenAI's format, or as LangChain's own block for one with a URL or a text.
fn file<S: Output>(file: FilePart<S>, index: usize, at: Position) -> Result<Payload<S>, RuleViolation> {
    let FilePart { file_id, filename, file_data, url, text, title, context, citations } =
        rules::with_inline_data(file);
    let local = url.as_ref().and_then(|url| image_address::local_address(url, FILE, index, at, MODEL));
    if let Some(violation) = local {
        return Err(violation);
    }
    let given = |fields: Vec<(&'static str, Option<S>)>| -> Vec<Member<S>> {
        fields.into_iter().filter_map(|(key, value)| Some(member(key, Payload::Text(value?)))).collect()
    };
    let mut block = if file_id.is_some() || file_data.is_some() {
        let mut fields = given(vec![("file_id", file_id), ("filename", filename)]);
        if let Some(data) = file_data {
            fields.push(member("file_data", rules::plain_data_url(data, index, at)?));
        }
        vec![member("type", Payload::Static("file")), member("file", Payload::Map(fields))]
    } else {
        let kind = if text.is_some() { "text-plain" } else { "file" };
        let mut block = vec![member("type", Payload::Static(kind))];
        block.extend(given(vec![("url", url), ("text", text)]));
        block.push(member(
            "mime_type",
            Payload::Static(if kind == "file" { "application/pdf" } else { "text/plain" }),
        ));
        block
    };
    block.extend(given(vec![("title", title), ("context", context)]));
    block.extend(citations.then(|| member("citations", Payload::map([("enabled", Payload::Bool(true))]))));
    Ok(Payload::Map(block))
}

/// The calls whose arguments are an object as `tool_calls`, the others as `invalid_tool_calls`.
fn tool_calls<S: Output>(
    calls: Vec<ToolCall<S>>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Vec<Member<S>>> {
    let (mut valid, mut invalid) = (Vec::new(), Vec::new());
    for (index, call) in calls.into_iter().enumerate() {
        let call_ref = CallRef::Tool(index);
        let (name, id) = (Payload::Text(call.function.name), Payload::Text(call.id));
        let written = written(&call.function.arguments);
        let mut arguments = rules::object(call.function.arguments, call_ref, at);
        if arguments.is_err()
            && let Some(object) = written.as_deref().and_then(rules::repaired)
            && let Err(violation) = std::mem::replace(&mut arguments, Ok(object))
        {
            violations.handle(violation, REPAIRED)?;
        }
        match arguments {
            Ok(arguments) => valid.push(Payload::map([
                ("name", name),
                ("args", arguments),
                ("id", id),
                ("type", Payload::Static("tool_call")),
            ])),
            Err(violation) => {
                violations.handle(violation, PASSED_ON)?;
                invalid.push(Payload::map([
                    ("name", name),
                    ("args", written.map_or(Payload::Null, Payload::String)),
                    ("id", id),
                    ("error", Payload::Null),
                    ("type", Payload::Static("invalid_tool_call")),
                ]));
            }
        }
    }
    let lists = [("tool_calls", valid), ("invalid_tool_calls", invalid)];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    Ok(lists.map(|(key, list)| member(key, Payload::List(list))).collect())
}

/// Arguments as JSON text, or the text that is there instead.
fn written<S: Output>(arguments: &Tree<S>) -> Option<String> {
    match arguments {
        Tree::Text(text) => Some(text.with_str(str::to_owned)),
        arguments => arguments.to_json_text().ok(),
    }
}

/// An OpenAI `function_call`, which LangChain keeps in OpenAI's format: its arguments are JSON text.
fn function_call<S: Output>(
    call: FunctionCall<S>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Payload<S>> {
    let call_ref = CallRef::Function;
    let arguments = match call.arguments {
        Tree::Text(text) => {
            if text.with_str(|text| serde_json::from_str::<IgnoredAny>(text).is_err()) {
                let problem = format!("the arguments of {call_ref} are not JSON text");
                violations
                    .handle(RuleViolation::new(at, problem, "write the arguments as a mapping"), PASSED_ON)?;
            }
            Payload::Text(text)
        }
        arguments => Payload::String(arguments.to_json_text()?),
    };
    Ok(Payload::map([("name", Payload::Text(call.name)), ("arguments", arguments)]))
}
