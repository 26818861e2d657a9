//! LangChain: f-strings for flat templates, and for a rendered message the class that it becomes with the arguments of
//! its constructor. The objects themselves are made in Python.
//!
//! Whether calls and results pair up is not looked at: LangChain composes conversations of pieces, of which a prompt is
//! one. Cache hints have no form that every chat model takes, and are left out without a warning.

use serde::de::IgnoredAny;

use super::form::{Form, Member, member};
use super::report::{Fault, Judge, Position, Report};
use super::rules::{self, PASSED_ON, Which};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Content, FunctionCall, Message, Part, PartBody, Role, ToolCall, Tree};
use crate::template::{Output, Piece, Template, Text};

/// Names that LangChain keeps for itself, so that no variable can have them.
const RESERVED: [&str; 2] = ["self", "stop"];

/// How to convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Refuse what would need a lossy step.
    pub strict: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: true }
    }
}

/// LangChain's word for a role.
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

/// Why a variable cannot have this name.
#[must_use]
pub fn reserved(name: &str) -> Option<Error> {
    RESERVED.contains(&name).then(|| {
        let problem = format!("LangChain keeps the name `{name}` for itself");
        Error::new(Kind::Conversion, problem).with_hint("rename the variable").with_context("variable", name)
    })
}

/// The template as LangChain's f-string, with literal braces doubled; `None` where it is not flat, or where a name is
/// none that a format string can have.
#[must_use]
pub fn f_string<T: Text>(template: &Template<T>) -> Option<String> {
    let mut written = String::with_capacity(template.source().len());
    for piece in template.flat()? {
        match piece {
            Piece::Text(text) => text.chars().for_each(|c| {
                written.push(c);
                if matches!(c, '{' | '}') {
                    written.push(c);
                }
            }),
            Piece::Name(name) if is_field(name) => {
                written.push('{');
                written.push_str(name);
                written.push('}');
            }
            Piece::Name(_) => return None,
        }
    }
    Some(written)
}

/// Whether a format string can name it: a dot, a bracket, a colon and the like mean something else there, and a number is
/// a position.
fn is_field(name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    name.chars().all(is_word) && !name.starts_with(char::is_numeric)
}

/// The class of a rendered message and what it is made of: `{"class": "human", "arguments": {"content": …}}`. `index` is
/// the message's place, for error texts.
///
/// # Errors
/// [`Kind::Conversion`] for a message that lacks what its class needs; without `strict` only where nothing lawful is near.
pub fn message<S: Output>(
    mut message: Message<S>,
    index: usize,
    options: &Options,
    report: &mut Report,
) -> Result<Form<S>> {
    let at = Position { index, role: message.role };
    let mut judge = Judge::new(options.strict, report);
    rules::check_fields(&mut message, at, &mut judge)?;
    let refusal = message.refusal.filter(|refusal| !refusal.is_empty());
    let says = !message.tool_calls.is_empty() || message.function_call.is_some() || refusal.is_some();
    let mut arguments = vec![member("content", content(message.content, says, at)?)];
    arguments.extend(message.name.map(|name| member("name", Form::Text(name))));
    arguments.extend(message.tool_call_id.map(|id| member("tool_call_id", Form::Text(id))));
    let mut extra: Vec<Member<S>> = Vec::new();
    if message.role == Role::Developer {
        extra.push(member("__openai_role__", Form::Static("developer")));
    }
    if let Some(call) = message.function_call {
        extra.push(member("function_call", function_call(call, at, &mut judge)?));
    }
    extra.extend(refusal.map(|refusal| member("refusal", Form::Text(refusal))));
    if !extra.is_empty() {
        arguments.push(member("additional_kwargs", Form::Map(extra)));
    }
    arguments.extend(tool_calls(message.tool_calls, at, &mut judge)?);
    Ok(Form::map([("class", Form::Static(map_role(at.role))), ("arguments", Form::Map(arguments))]))
}

fn content<S: Output>(content: Option<Content<S>>, says: bool, at: Position) -> Result<Form<S>> {
    match content {
        Some(Content::Text(text)) => Ok(Form::Text(text)),
        Some(Content::Parts(parts)) => Ok(Form::List(parts.into_iter().map(part).collect())),
        // The classes take no null.
        None if says || at.role == Role::Function => Ok(Form::Static("")),
        None => {
            let hint = "give it content, or leave the message out";
            Err(Fault::new(at, "the message says nothing", hint).into())
        }
    }
}

/// A part in the form that LangChain's chat models share, which is OpenAI's.
fn part<S: Output>(part: Part<S>) -> Form<S> {
    match part.body {
        PartBody::Text(text) => Form::map([("type", Form::Static("text")), ("text", Form::Text(text))]),
        PartBody::ImageUrl { url, detail } => {
            let mut image = vec![member("url", Form::Text(url))];
            image.extend(detail.map(|detail| member("detail", Form::Text(detail))));
            Form::map([("type", Form::Static("image_url")), ("image_url", Form::Map(image))])
        }
        PartBody::Image { media_type, data } => {
            let url = Form::String(rules::data_url(&media_type, &data));
            Form::map([("type", Form::Static("image_url")), ("image_url", Form::map([("url", url)]))])
        }
        PartBody::Audio { data, format } => {
            let sound = [("data", Form::Text(data)), ("format", Form::Text(format))];
            Form::map([("type", Form::Static("input_audio")), ("input_audio", Form::map(sound))])
        }
        PartBody::File { file_id, filename, file_data } => {
            let fields = [("file_id", file_id), ("filename", filename), ("file_data", file_data)];
            let given = fields.into_iter().filter_map(|(key, value)| Some(member(key, Form::Text(value?))));
            Form::map([("type", Form::Static("file")), ("file", Form::Map(given.collect()))])
        }
    }
}

/// The calls whose arguments are an object, and the others under the key that LangChain has for those.
fn tool_calls<S: Output>(
    calls: Vec<ToolCall<S>>,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Vec<Member<S>>> {
    let (mut valid, mut invalid) = (Vec::new(), Vec::new());
    for (index, call) in calls.into_iter().enumerate() {
        let which = Which::Tool(index);
        let (name, id) = (Form::Text(call.function.name), Form::Text(call.id));
        let written = written(&call.function.arguments);
        match rules::object(call.function.arguments, which, at) {
            Ok(arguments) => valid.push(Form::map([
                ("name", name),
                ("args", arguments),
                ("id", id),
                ("type", Form::Static("tool_call")),
            ])),
            Err(fault) => {
                judge.lossy(fault, PASSED_ON)?;
                invalid.push(Form::map([
                    ("name", name),
                    ("args", written.map_or(Form::Null, Form::String)),
                    ("id", id),
                    ("error", Form::Null),
                    ("type", Form::Static("invalid_tool_call")),
                ]));
            }
        }
    }
    let lists = [("tool_calls", valid), ("invalid_tool_calls", invalid)];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    Ok(lists.map(|(key, list)| member(key, Form::List(list))).collect())
}

/// Arguments as text: JSON, or what stands in its place.
fn written<S: Output>(arguments: &Tree<S>) -> Option<String> {
    match arguments {
        Tree::Text(text) => Some(text.with_str(str::to_owned)),
        arguments => arguments.to_json_text().ok(),
    }
}

/// A call in OpenAI's first form, which LangChain keeps as OpenAI has it: the arguments are JSON text.
fn function_call<S: Output>(call: FunctionCall<S>, at: Position, judge: &mut Judge<'_>) -> Result<Form<S>> {
    let which = Which::Function;
    let arguments = match call.arguments {
        Tree::Text(text) => {
            if text.with_str(|text| serde_json::from_str::<IgnoredAny>(text).is_err()) {
                let problem = format!("the arguments of {which} are not JSON text");
                judge.lossy(Fault::new(at, problem, "write the arguments as a mapping"), PASSED_ON)?;
            }
            Form::Text(text)
        }
        arguments => Form::String(arguments.to_json_text().map_err(|error| {
            let problem = format!("{at}: the arguments of {which} cannot be dumped as JSON");
            Error::new(Kind::Conversion, problem).with_cause(error)
        })?),
    };
    Ok(Form::map([("name", Form::Text(call.name)), ("arguments", arguments)]))
}
