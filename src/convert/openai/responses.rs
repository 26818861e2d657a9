//! OpenAI's Responses: `instructions`, and a list of items as `input`.
//!
//! Calls and their results are items of their own beside the messages, and an assistant's message is one text.

use super::parts::{self, Lawful, arguments_form};
use super::plain_text;
use super::walk::Walk;
use crate::convert::form::{Form, member};
use crate::convert::report::{Fault, Judge, Position, Report};
use crate::convert::rules::{self, DROPPED, LEFT_OUT, Which};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Content, FunctionCall, Message, Part, PartBody, Role};
use crate::template::Output;

/// The object `{"instructions": …, "input": […]}`, without `instructions` where no system message leads.
///
/// # Errors
/// [`Kind::Conversion`] where the API would refuse the conversation; without `strict` only where nothing lawful is
/// near.
pub fn request<S: Output>(messages: Vec<Message<S>>, strict: bool, report: &mut Report) -> Result<Form<S>> {
    let mut walk = Walk::new(&messages, strict, true, report)?;
    let mut instructions = Vec::new();
    let mut input = Vec::with_capacity(messages.len());
    for (index, mut message) in messages.into_iter().enumerate() {
        let at = Position { index, role: message.role };
        if input.is_empty() && matches!(at.role, Role::System | Role::Developer) {
            walk.check(&mut message, at)?;
            leave_out_name(&mut message, at, &mut walk.judge)?;
            instruct(message.content, at, &mut walk.judge, &mut instructions)?;
            continue;
        }
        if walk.is_idle()
            && let Some(text) = plain_text(&mut message)
        {
            input.push(said(at.role, Form::Text(text)));
            continue;
        }
        let id = walk.check(&mut message, at)?;
        leave_out_name(&mut message, at, &mut walk.judge)?;
        Items { at, judge: &mut walk.judge, input: &mut input }.write(message, id)?;
    }
    walk.finish()?;
    if input.is_empty() {
        return Err(Error::new(Kind::Conversion, "the conversation has only system messages")
            .with_hint("the Responses API needs at least one message as input"));
    }
    let instructions = joined(instructions).map(|text| member("instructions", text));
    Ok(Form::Map(instructions.into_iter().chain([member("input", Form::List(input))]).collect()))
}

/// A message item.
fn said<S>(role: Role, content: Form<S>) -> Form<S> {
    Form::map([("role", Form::Static(role.as_str())), ("content", content)])
}

/// Removes a name, which only Chat Completions takes; a function's is the one of its call.
fn leave_out_name<S: Output>(message: &mut Message<S>, at: Position, judge: &mut Judge<'_>) -> Result<()> {
    if message.name.take().is_none() || at.role == Role::Function {
        return Ok(());
    }
    let hint = "remove `name`, or say in the content who speaks";
    judge.lossy(Fault::new(at, "the Responses API takes no `name`", hint), LEFT_OUT)
}

/// Adds the texts of a leading system message.
fn instruct<S: Output>(
    content: Option<Content<S>>,
    at: Position,
    judge: &mut Judge<'_>,
    texts: &mut Vec<S>,
) -> Result<()> {
    let known = texts.len();
    match content {
        None => {}
        Some(Content::Text(text)) => texts.extend((!text.is_empty()).then_some(text)),
        Some(Content::Parts(parts)) => {
            for (index, part) in parts.into_iter().enumerate() {
                if let Some(Lawful::Text(text)) = parts::lawful(part.body, index, at, judge)? {
                    texts.push(text);
                }
            }
        }
    }
    if texts.len() == known {
        return Err(parts::nothing_said(at).into());
    }
    Ok(())
}

/// Texts with a blank line between them; `None` for none.
fn joined<S: Output>(mut texts: Vec<S>) -> Option<Form<S>> {
    if texts.len() <= 1 {
        return texts.pop().map(Form::Text);
    }
    let mut all = String::new();
    for text in &texts {
        if !all.is_empty() {
            all.push_str("\n\n");
        }
        text.with_str(|text| all.push_str(text));
    }
    Some(Form::String(all))
}

/// Writes the items of one message whose fields are lawful.
struct Items<'w, 'r, S> {
    at: Position,
    judge: &'w mut Judge<'r>,
    input: &'w mut Vec<Form<S>>,
}

impl<S: Output> Items<'_, '_, S> {
    fn write(mut self, message: Message<S>, id: Option<String>) -> Result<()> {
        match message.role {
            Role::Tool | Role::Function => {
                let id = message.tool_call_id.map(Form::Text).or(id.map(Form::String));
                self.output(message.content, id)
            }
            Role::Assistant => self.assistant(message, id),
            role => match self.content(message.content)? {
                Some(content) => {
                    self.input.push(said(role, content));
                    Ok(())
                }
                None => Err(parts::nothing_said(self.at).into()),
            },
        }
    }

    fn assistant(&mut self, mut message: Message<S>, id: Option<String>) -> Result<()> {
        rules::refusal_as_content(&mut message, "the Responses API", self.at, self.judge)?;
        let calls = !message.tool_calls.is_empty() || message.function_call.is_some();
        let content = match message.content {
            Some(Content::Parts(parts)) => parts::one_text(parts, "assistant", self.at, self.judge)?,
            Some(Content::Text(text)) => (!text.is_empty()).then_some(Form::Text(text)),
            None => None,
        };
        match content {
            Some(content) => self.input.push(said(Role::Assistant, content)),
            None if calls => {}
            None => return Err(parts::nothing_said(self.at).into()),
        }
        for (index, call) in message.tool_calls.into_iter().enumerate() {
            self.call(Form::Text(call.id), call.function, Which::Tool(index))?;
        }
        match (message.function_call, id) {
            (Some(call), Some(id)) => self.call(Form::String(id), call, Which::Function),
            _ => Ok(()),
        }
    }

    fn call(&mut self, id: Form<S>, call: FunctionCall<S>, which: Which) -> Result<()> {
        let arguments = arguments_form(call.arguments, which, self.at, self.judge)?;
        self.input.push(Form::map([
            ("type", Form::Static("function_call")),
            ("call_id", id),
            ("name", Form::Text(call.name)),
            ("arguments", arguments),
        ]));
        Ok(())
    }

    /// The result of a call.
    fn output(&mut self, content: Option<Content<S>>, id: Option<Form<S>>) -> Result<()> {
        let content = match content {
            Some(content) => self.content(content)?,
            None => None,
        };
        let (Some(content), Some(id)) = (content, id) else {
            return Err(parts::nothing_said(self.at).into());
        };
        self.input.push(Form::map([
            ("type", Form::Static("function_call_output")),
            ("call_id", id),
            ("output", content),
        ]));
        Ok(())
    }

    /// `None` where nothing is said.
    fn content(&mut self, content: impl Into<Option<Content<S>>>) -> Result<Option<Form<S>>> {
        let parts = match content.into() {
            None => return Ok(None),
            Some(Content::Text(text)) => return Ok((!text.is_empty()).then_some(Form::Text(text))),
            Some(Content::Parts(parts)) => parts,
        };
        let mut list = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            list.extend(self.part(part, index)?);
        }
        Ok((!list.is_empty()).then_some(Form::List(list)))
    }

    fn part(&mut self, part: Part<S>, index: usize) -> Result<Option<Form<S>>> {
        if matches!(part.body, PartBody::Audio { .. }) {
            let problem = format!("part {index} is audio, which the Responses API does not take");
            let fault = Fault::new(self.at, problem, "send a transcript as text");
            self.judge.lossy(fault, DROPPED)?;
            return Ok(None);
        }
        let Some(lawful) = parts::lawful(part.body, index, self.at, self.judge)? else { return Ok(None) };
        Ok(match lawful {
            Lawful::Text(text) => {
                Some(Form::map([("type", Form::Static("input_text")), ("text", Form::Text(text))]))
            }
            Lawful::Image { url, detail } => Some(Form::map([
                ("type", Form::Static("input_image")),
                ("image_url", url),
                ("detail", detail.unwrap_or(Form::Static("auto"))),
            ])),
            Lawful::File(fields) => {
                let kind = member("type", Form::Static("input_file"));
                Some(Form::Map([kind].into_iter().chain(fields).collect()))
            }
            Lawful::Audio { .. } => None,
        })
    }
}
