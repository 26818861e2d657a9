//! OpenAI's Chat Completions: a list of messages. LiteLLM takes the same, and [`responses`] is their other interface.
//!
//! The rules are those of the API and of its SDK's types; they stand in `walk` and `parts`, for both interfaces.

mod parts;
pub mod responses;
mod walk;

use super::form::{Form, Member, member};
use super::report::{Fault, Judge, Position, Report};
use super::rules::{self, LEFT_OUT, PASSED_ON, Which};
use crate::error::Result;
use crate::prompt::{CacheHint, Content, FunctionCall, Message, Part, Role, ToolCall};
use crate::template::Output;
use parts::{Lawful, arguments_form};
use walk::Walk;

/// How to convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Options {
    /// Refuse what would need a lossy step.
    pub strict: bool,
    /// Write calls in the old form, and their results, as tool calls.
    pub functions_as_tools: bool,
    /// Write developer messages as system messages.
    pub developer_as_system: bool,
    /// Write cache hints as `cache_control` on parts. OpenAI has no form for them: without this they are left out
    /// without a warning, since they change nothing but the price.
    pub cache_control: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: true, functions_as_tools: false, developer_as_system: false, cache_control: false }
    }
}

impl Options {
    /// What LiteLLM is handed. It gives the two halves of a call in the old form different ids on the way to other
    /// providers, so that they are tool calls before it sees them.
    #[must_use]
    pub fn for_litellm(strict: bool, developer_as_system: bool, cache_control: bool) -> Self {
        Self { strict, functions_as_tools: true, developer_as_system, cache_control }
    }

    pub(super) fn role(self, role: Role) -> &'static str {
        match role {
            Role::Developer if self.developer_as_system => map_role(Role::System),
            Role::Function if self.functions_as_tools => map_role(Role::Tool),
            role => map_role(role),
        }
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
/// [`Kind::Conversion`](crate::Kind::Conversion) where the API would refuse the conversation; without `strict` only
/// where nothing lawful is near.
pub fn messages<S: Output>(
    messages: Vec<Message<S>>,
    options: Options,
    report: &mut Report,
) -> Result<Form<S>> {
    let mut walk = Walk::new(&messages, options.strict, options.functions_as_tools, report)?;
    let mut list = Vec::with_capacity(messages.len());
    for (index, mut message) in messages.into_iter().enumerate() {
        let at = Position { index, role: message.role };
        if walk.is_idle()
            && let Some(text) = plain_text(&mut message)
        {
            let role = Form::Static(options.role(at.role));
            list.push(Form::map([("role", role), ("content", Form::Text(text))]));
            continue;
        }
        let id = walk.check(&mut message, at)?;
        list.push(Writer { options, at, judge: &mut walk.judge }.message(message, id)?);
    }
    walk.finish()?;
    Ok(Form::List(list))
}

/// Takes the text of a message that has nothing else, as most have: no rule concerns it. This spares a quarter of the
/// time that plain messages take.
fn plain_text<S: Output>(message: &mut Message<S>) -> Option<S> {
    let plain = message.plain_text().is_some_and(|text| !text.is_empty());
    match message.content.take_if(|_| plain) {
        Some(Content::Text(text)) => Some(text),
        _ => None,
    }
}

/// Writes one message whose fields are lawful.
struct Writer<'w, 'r> {
    options: Options,
    at: Position,
    judge: &'w mut Judge<'r>,
}

impl Writer<'_, '_> {
    /// The message; `id` is what stands for a call in the old form, or is answered by its result.
    fn message<S: Output>(mut self, message: Message<S>, id: Option<String>) -> Result<Form<S>> {
        let mut id = id.map(Form::String);
        let name = match message.name {
            // The function's name is known by the call.
            Some(_) if self.at.role == Role::Function && id.is_some() => None,
            Some(name) => name_form(name, self.at, self.judge)?,
            None => None,
        };
        let content = match message.content {
            Some(content) => self.content(content, message.cache.as_ref())?,
            None => None,
        };
        let refusal = message.refusal.filter(|refusal| !refusal.is_empty());
        let calls = !message.tool_calls.is_empty() || message.function_call.is_some();
        let mut members = Vec::with_capacity(5);
        members.push(member("role", Form::Static(self.options.role(self.at.role))));
        let content = content_or_null(content, calls || refusal.is_some(), id.is_some(), self.at)?;
        members.push(member("content", content));
        members.extend(refusal.map(|refusal| member("refusal", Form::Text(refusal))));
        members.extend(name.map(|name| member("name", name)));
        if let Some(call) = message.function_call {
            let function = self.function(call, Which::Function)?;
            members.push(match id.take() {
                Some(id) => member("tool_calls", Form::List(vec![tool_call(id, function)])),
                None => member("function_call", function),
            });
        }
        members.extend(message.tool_call_id.map(Form::Text).or(id).map(|id| member("tool_call_id", id)));
        if !message.tool_calls.is_empty() {
            members.push(self.tool_calls(message.tool_calls)?);
        }
        Ok(Form::Map(members))
    }

    /// `None` where nothing is said.
    fn content<S: Output>(
        &mut self,
        content: Content<S>,
        cache: Option<&CacheHint>,
    ) -> Result<Option<Form<S>>> {
        let cache = cache.filter(|_| self.options.cache_control);
        let parts = match content {
            Content::Text(text) if text.is_empty() => return Ok(None),
            Content::Text(text) => {
                let Some(cache) = cache else { return Ok(Some(Form::Text(text))) };
                let hint = rules::cache_control(cache, self.at, self.judge)?;
                return Ok(Some(Form::List(vec![Form::Map(vec![
                    member("type", Form::Static("text")),
                    member("text", Form::Text(text)),
                    hint,
                ])])));
            }
            Content::Parts(parts) if self.at.role == Role::Function => {
                return parts::one_text(parts, "function", self.at, self.judge);
            }
            Content::Parts(parts) => parts,
        };
        let mut list = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            list.extend(self.part(part, index)?);
        }
        if let Some(cache) = cache
            && let Some(Form::Map(last)) = list.last_mut()
            && last.iter().all(|(key, _)| key.as_str() != rules::CACHE_CONTROL)
        {
            last.push(rules::cache_control(cache, self.at, self.judge)?);
        }
        Ok((!list.is_empty()).then_some(Form::List(list)))
    }

    fn part<S: Output>(&mut self, part: Part<S>, index: usize) -> Result<Option<Form<S>>> {
        let cache = part.cache.filter(|_| self.options.cache_control);
        let Some(lawful) = parts::lawful(part.body, index, self.at, self.judge)? else { return Ok(None) };
        let (kind, inner) = match lawful {
            Lawful::Text(text) => ("text", Form::Text(text)),
            Lawful::Image { url, detail } => {
                let detail = detail.map(|detail| member("detail", detail));
                ("image_url", Form::Map([member("url", url)].into_iter().chain(detail).collect()))
            }
            Lawful::Audio { data, format } => {
                let sound = [("data", Form::Text(data)), ("format", Form::Text(format))];
                ("input_audio", Form::map(sound))
            }
            Lawful::File(fields) => ("file", Form::Map(fields)),
        };
        let mut members = vec![member("type", Form::Static(kind)), member(kind, inner)];
        if let Some(cache) = cache {
            members.push(rules::cache_control(&cache, self.at, self.judge)?);
        }
        Ok(Some(Form::Map(members)))
    }

    fn tool_calls<S: Output>(&mut self, calls: Vec<ToolCall<S>>) -> Result<Member<S>> {
        let mut list = Vec::with_capacity(calls.len());
        for (index, call) in calls.into_iter().enumerate() {
            list.push(tool_call(Form::Text(call.id), self.function(call.function, Which::Tool(index))?));
        }
        Ok(member("tool_calls", Form::List(list)))
    }

    fn function<S: Output>(&mut self, call: FunctionCall<S>, which: Which) -> Result<Form<S>> {
        let arguments = arguments_form(call.arguments, which, self.at, self.judge)?;
        Ok(Form::map([("name", Form::Text(call.name)), ("arguments", arguments)]))
    }
}

fn tool_call<S>(id: Form<S>, function: Form<S>) -> Form<S> {
    Form::map([("id", id), ("type", Form::Static("function")), ("function", function)])
}

/// What `content` is, given what was found to say. A function's result may be nothing in the old form only.
fn content_or_null<S>(
    content: Option<Form<S>>,
    says_more: bool,
    as_tool: bool,
    at: Position,
) -> Result<Form<S>> {
    match content {
        Some(content) => Ok(content),
        None if says_more => Ok(Form::Null),
        None if at.role == Role::Function && !as_tool => Ok(Form::Null),
        None => Err(parts::nothing_said(at).into()),
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
