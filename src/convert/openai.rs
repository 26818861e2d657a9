//! OpenAI's Chat Completions: a list of messages.
//!
//! The rules are those of the API and of its SDK's types. Cache hints have no form here and are left out without a
//! warning, since they change nothing but the price.

use serde::de::IgnoredAny;

use super::form::{Form, Member, member};
use super::report::{Fault, Judge, Position, Report};
use super::rules::{self, DROPPED, LEFT_OUT, Link, PASSED_ON, Pairing, Which};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Content, FunctionCall, Message, Part, PartBody, Role, ToolCall, Tree};
use crate::template::Output;

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

/// OpenAI's word for a role.
#[must_use]
pub fn map_role(role: Role) -> &'static str {
    role.as_str()
}

/// The list that `messages=` of the API takes.
///
/// # Errors
/// [`Kind::Conversion`] where the API would refuse the conversation; without `strict` only where nothing lawful is
/// near.
pub fn messages<S: Output>(
    messages: Vec<Message<S>>,
    options: &Options,
    report: &mut Report,
) -> Result<Form<S>> {
    if messages.is_empty() {
        return Err(rules::no_messages());
    }
    let mut judge = Judge::new(options.strict, report);
    let mut pairing = Pairing::default();
    let mut list = Vec::with_capacity(messages.len());
    for (index, mut message) in messages.into_iter().enumerate() {
        let at = Position { index, role: message.role };
        if pairing.is_idle()
            && let Some(text) = plain_text(&mut message)
        {
            list.push(Form::map([("role", Form::Static(map_role(at.role))), ("content", Form::Text(text))]));
            continue;
        }
        rules::check_fields(&mut message, at, &mut judge)?;
        pair(&message, at, &mut pairing)?;
        list.push(message_form(message, at, &mut judge)?);
    }
    for fault in pairing.close() {
        judge.lossy(fault, PASSED_ON)?;
    }
    Ok(Form::List(list))
}

/// Takes the text of a message that has nothing else, as most have: no rule concerns it. This spares a quarter of the
/// time that plain messages take.
fn plain_text<S: Output>(message: &mut Message<S>) -> Option<S> {
    let plain = matches!(message.role, Role::System | Role::Developer | Role::User | Role::Assistant)
        && message.name.is_none()
        && message.tool_call_id.is_none()
        && message.function_call.is_none()
        && message.tool_calls.is_empty()
        && matches!(&message.content, Some(Content::Text(text)) if !text.is_empty());
    match message.content.take_if(|_| plain) {
        Some(Content::Text(text)) => Some(text),
        _ => None,
    }
}

/// Function messages are not paired: the old form has no ids, and the API takes them as they come.
fn pair<S: Output>(message: &Message<S>, at: Position, pairing: &mut Pairing) -> Result<()> {
    if message.role == Role::Tool {
        if let Some(id) = &message.tool_call_id {
            id.with_str(|id| pairing.answer(Link::Id, id, at))?;
        }
        return Ok(());
    }
    if let Some(fault) = pairing.close().into_iter().next() {
        return Err(fault.into());
    }
    for (index, call) in message.tool_calls.iter().enumerate() {
        call.id.with_str(|id| {
            let which = Which::Tool(index);
            if let Some(fault) = pairing.duplicate(id, which, at) {
                return Err(Error::from(fault));
            }
            pairing.call(Link::Id, id, None, which, at);
            Ok(())
        })?;
    }
    Ok(())
}

fn message_form<S: Output>(message: Message<S>, at: Position, judge: &mut Judge<'_>) -> Result<Form<S>> {
    let name = match message.name {
        Some(name) => name_form(name, at, judge)?,
        None => None,
    };
    let content = match message.content {
        Some(content) => content_form(content, at, judge)?,
        None => None,
    };
    let calls = !message.tool_calls.is_empty() || message.function_call.is_some();
    let extra = [name.is_some(), message.tool_call_id.is_some(), calls];
    let mut members = Vec::with_capacity(2 + extra.into_iter().filter(|is| *is).count());
    members.push(member("role", Form::Static(map_role(message.role))));
    members.push(member("content", content_or_null(content, calls, at)?));
    if let Some(name) = name {
        members.push(member("name", name));
    }
    if let Some(id) = message.tool_call_id {
        members.push(member("tool_call_id", Form::Text(id)));
    }
    if let Some(call) = message.function_call {
        members.push(member("function_call", function_form(call, Which::Function, at, judge)?));
    }
    if !message.tool_calls.is_empty() {
        members.push(tool_calls(message.tool_calls, at, judge)?);
    }
    Ok(Form::Map(members))
}

/// What `content` is, given what was found to say.
fn content_or_null<S>(content: Option<Form<S>>, calls: bool, at: Position) -> Result<Form<S>> {
    match content {
        Some(content) => Ok(content),
        None if calls || at.role == Role::Function => Ok(Form::Null),
        None if at.role == Role::Assistant => {
            let hint = "give it content or tool calls, or leave the message out";
            Err(Fault::new(at, "an assistant message with neither content nor calls", hint).into())
        }
        None => {
            let hint = "give it content, or leave the message out";
            Err(Fault::new(at, "the content is empty", hint).into())
        }
    }
}

fn name_form<S: Output>(name: S, at: Position, judge: &mut Judge<'_>) -> Result<Option<Form<S>>> {
    let fine = name.with_str(rules::is_name);
    if at.role == Role::Tool {
        let hint = "remove `name`: the result is known by its `tool_call_id`";
        judge.lossy(Fault::new(at, "OpenAI takes no `name` on a tool message", hint), LEFT_OUT)?;
    } else if fine {
        return Ok(Some(Form::Text(name)));
    } else {
        let hint = "use letters, digits, `_` and `-` only";
        let fault = Fault::new(at, "`name` has characters other than letters, digits, `_` and `-`", hint);
        if at.role == Role::Function {
            // A function message cannot be without its name.
            judge.lossy(fault, PASSED_ON)?;
            return Ok(Some(Form::Text(name)));
        }
        judge.lossy(fault, LEFT_OUT)?;
    }
    Ok(None)
}

/// `None` where nothing is said.
fn content_form<S: Output>(
    content: Content<S>,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Option<Form<S>>> {
    let parts = match content {
        Content::Text(text) => return Ok((!text.is_empty()).then_some(Form::Text(text))),
        Content::Parts(parts) => parts,
    };
    if at.role == Role::Function {
        return function_text(parts, at, judge);
    }
    let mut list = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        list.extend(part_form(part, index, at, judge)?);
    }
    Ok((!list.is_empty()).then_some(Form::List(list)))
}

/// A function message takes no parts: one text part is its text, several are joined.
fn function_text<S: Output>(
    parts: Vec<Part<S>>,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Option<Form<S>>> {
    let mut texts = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        match part.body {
            PartBody::Text(text) => texts.push(text),
            body => refuse_part(&body, index, at, judge)?,
        }
    }
    if texts.len() > 1 {
        let hint = "write the result as one text";
        judge.lossy(Fault::new(at, "OpenAI takes one text on a function message", hint), "joined")?;
        let mut joined = String::new();
        for text in &texts {
            text.with_str(|text| joined.push_str(text));
        }
        return Ok(Some(Form::String(joined)));
    }
    Ok(texts.pop().map(Form::Text))
}

/// A part in OpenAI's form; `None` where it was dropped.
fn part_form<S: Output>(
    part: Part<S>,
    index: usize,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Option<Form<S>>> {
    if let Some(fault) = rules::hollow_part(&part.body, index, at) {
        judge.lossy(fault, DROPPED)?;
        return Ok(None);
    }
    Ok(Some(match part.body {
        PartBody::Text(text) if text.is_empty() => {
            let hint = "remove the part, or give it text";
            judge.lossy(Fault::new(at, format!("part {index} is an empty text"), hint), DROPPED)?;
            return Ok(None);
        }
        PartBody::Text(text) => Form::map([("type", Form::Static("text")), ("text", Form::Text(text))]),
        body if at.role != Role::User => {
            refuse_part(&body, index, at, judge)?;
            return Ok(None);
        }
        PartBody::ImageUrl { url, detail } => {
            let detail = match detail {
                Some(detail) => detail_form(detail, index, at, judge)?,
                None => None,
            };
            image(Form::Text(url), detail)
        }
        PartBody::Image { media_type, data } => image(Form::String(data_url(&media_type, &data)), None),
        PartBody::Audio { data, format } => {
            if !format.with_str(|format| matches!(format, "wav" | "mp3")) {
                let problem = format!("part {index} is audio in a format that OpenAI does not know");
                judge.lossy(Fault::new(at, problem, "use wav or mp3"), DROPPED)?;
                return Ok(None);
            }
            let sound = [("data", Form::Text(data)), ("format", Form::Text(format))];
            Form::map([("type", Form::Static("input_audio")), ("input_audio", Form::map(sound))])
        }
        PartBody::File { file_id, filename, file_data } => {
            let fields = [("file_id", file_id), ("filename", filename), ("file_data", file_data)];
            let given = fields.into_iter().filter_map(|(key, value)| Some(member(key, Form::Text(value?))));
            Form::map([("type", Form::Static("file")), ("file", Form::Map(given.collect()))])
        }
    }))
}

fn refuse_part<S>(body: &PartBody<S>, index: usize, at: Position, judge: &mut Judge<'_>) -> Result<()> {
    let kind = rules::part_kind(body);
    let problem = format!("part {index} is {kind}, where OpenAI takes only text");
    judge.lossy(Fault::new(at, problem, "move the part to a user message"), DROPPED)
}

fn image<S>(url: Form<S>, detail: Option<Form<S>>) -> Form<S> {
    let mut inner = Vec::with_capacity(1 + usize::from(detail.is_some()));
    inner.push(member("url", url));
    inner.extend(detail.map(|detail| member("detail", detail)));
    Form::map([("type", Form::Static("image_url")), ("image_url", Form::Map(inner))])
}

fn detail_form<S: Output>(
    detail: S,
    index: usize,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Option<Form<S>>> {
    if detail.with_str(|detail| matches!(detail, "auto" | "low" | "high" | "original")) {
        return Ok(Some(Form::Text(detail)));
    }
    let problem = format!("part {index} has a `detail` that OpenAI does not know");
    judge.lossy(Fault::new(at, problem, "use auto, low, high or original"), LEFT_OUT)?;
    Ok(None)
}

fn data_url<S: Output>(media_type: &S, data: &S) -> String {
    media_type.with_str(|media_type| data.with_str(|data| format!("data:{media_type};base64,{data}")))
}

fn tool_calls<S: Output>(calls: Vec<ToolCall<S>>, at: Position, judge: &mut Judge<'_>) -> Result<Member<S>> {
    let mut list = Vec::with_capacity(calls.len());
    for (index, call) in calls.into_iter().enumerate() {
        list.push(Form::map([
            ("id", Form::Text(call.id)),
            ("type", Form::Static("function")),
            ("function", function_form(call.function, Which::Tool(index), at, judge)?),
        ]));
    }
    Ok(member("tool_calls", Form::List(list)))
}

fn function_form<S: Output>(
    call: FunctionCall<S>,
    which: Which,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Form<S>> {
    let arguments = arguments_form(call.arguments, which, at, judge)?;
    Ok(Form::map([("name", Form::Text(call.name)), ("arguments", arguments)]))
}

/// Arguments as JSON text. What is JSON text already stays to the letter.
fn arguments_form<S: Output>(
    arguments: Tree<S>,
    which: Which,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<Form<S>> {
    let hint = "write the arguments as a mapping";
    match &arguments {
        Tree::Map(_) => {}
        Tree::Text(text) if text.with_str(is_json) => return Ok(Form::of_tree(arguments)),
        Tree::Text(text) if rules::is_blank(text) => {
            let fault = Fault::new(at, format!("the arguments of {which} are empty"), hint);
            judge.lossy(fault, "sent as an empty object")?;
            return Ok(Form::Static("{}"));
        }
        Tree::Text(_) => {
            let problem = format!("the arguments of {which} are not JSON text");
            return Err(Fault::new(at, problem, hint).into());
        }
        _ => {
            let problem = format!("the arguments of {which} are neither a mapping nor JSON text");
            judge.lossy(Fault::new(at, problem, hint), "dumped as JSON text")?;
        }
    }
    arguments.to_json_text().map(Form::String).map_err(|error| {
        Error::new(Kind::Conversion, format!("{at}: the arguments of {which} cannot be dumped as JSON"))
            .with_cause(error)
    })
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}
