//! Converts to OpenAI's Responses API: `instructions`, and a list of items as `input`.
//!
//! Calls and their results are items next to the messages, and an assistant message has one text.

use super::breakpoints::{self, Breakpoints};
use super::checker::{ConversationChecker, EarlierCalls};
use super::parts::{self, AcceptedPart, PartTarget, arguments_text};
use super::plain_text;
use crate::convert::carried;
use crate::convert::payload::{Member, Payload, member};
use crate::convert::report::{Position, Report, RuleViolation, ViolationHandler};
use crate::convert::rules::{self, CallRef, DROPPED, LEFT_OUT};
use crate::error::{Error, Kind, Result};
use crate::prompt::{CacheHint, Content, FunctionCall, Message, Part, PartBody, Role};
use crate::template::Output;

/// The options of the conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponsesOptions {
    /// Fail instead of changing or dropping something.
    pub strict: bool,
    /// The conversation continues one that the provider keeps, so a result can answer a call that is not in it.
    pub continues: bool,
    /// Write all cache hints as breakpoints, and not only those for OpenAI. What is not written is left out without a
    /// warning, because it changes only the price.
    pub cache_breakpoints: bool,
}

impl Default for ResponsesOptions {
    fn default() -> Self {
        Self { strict: true, continues: false, cache_breakpoints: false }
    }
}

/// Converts messages to `{"instructions": …, "input": […]}`, without `instructions` if the conversation does not begin
/// with a system message.
///
/// # Errors
/// [`Kind::Conversion`] if the API would refuse the conversation. Without `strict`, only if no similar conversation is
/// valid.
pub fn request<S: Output>(
    messages: Vec<Message<S>>,
    options: ResponsesOptions,
    report: &mut Report,
) -> Result<Payload<S>> {
    let has_turns = rules::has_turns(&messages);
    let mut checker = ConversationChecker::new(&messages, options.strict, true, report)?;
    checker.earlier_calls = if options.continues { EarlierCalls::Given } else { EarlierCalls::Possible };
    let mut instructions = Vec::new();
    let mut input = Vec::with_capacity(messages.len());
    let mut breakpoints = Breakpoints::default();
    let all = options.cache_breakpoints;
    for (index, mut message) in messages.into_iter().enumerate() {
        let at = Position { index, role: message.role };
        let is_system = matches!(at.role, Role::System | Role::Developer) && message.carried.is_none();
        // The instructions have no parts, so a system message with a breakpoint is an item.
        if input.is_empty() && is_system && !message.cache_hints().any(|hint| is_written(hint, all)) {
            checker.check(&mut message, at)?;
            leave_out_name(&mut message, at, &mut checker.violations)?;
            if !message.from_history || !message.is_blank() {
                add_instructions(message.content, at, &mut checker.violations, &mut instructions)?;
            }
            continue;
        }
        if checker.is_idle()
            && let Some(text) = plain_text(&mut message)
        {
            input.push(message_item(at.role, Payload::Text(text)));
            continue;
        }
        if let Some(carried) = message.carried.take() {
            checker.check_calls(&message, at)?;
            for item in carried::payloads(*carried) {
                breakpoints.note(&item, at);
                input.push(item);
            }
            continue;
        }
        let id = checker.check(&mut message, at)?;
        leave_out_name(&mut message, at, &mut checker.violations)?;
        let known = input.len();
        let may_be_empty = rules::may_be_empty(&message);
        ItemWriter { at, all, may_be_empty, violations: &mut checker.violations, input: &mut input }
            .write(message, id)?;
        input[known..].iter().for_each(|item| breakpoints.note(item, at));
    }
    breakpoints.limit(&mut input, &mut checker.violations)?;
    checker.finish()?;
    if input.is_empty() && has_turns {
        return Err(rules::no_turns("the Responses API", true));
    }
    if input.is_empty() {
        return Err(Error::new(Kind::Conversion, "the conversation has only system messages")
            .with_hint("the Responses API needs at least one other message"));
    }
    let instructions = joined(instructions).map(|text| member("instructions", text));
    Ok(Payload::Map(instructions.into_iter().chain([member("input", Payload::List(input))]).collect()))
}

/// A message item.
fn message_item<S>(role: Role, content: Payload<S>) -> Payload<S> {
    Payload::map([("role", Payload::Static(role.as_str())), ("content", content)])
}

/// Removes a name, which only Chat Completions accepts. The name of a function message is already in its call.
fn leave_out_name<S: Output>(
    message: &mut Message<S>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<()> {
    if message.name.take().is_none() || at.role == Role::Function {
        return Ok(());
    }
    let hint = "remove `name`, or name the speaker in the content";
    violations.handle(RuleViolation::new(at, "the Responses API does not accept `name`", hint), LEFT_OUT)
}

/// Adds the texts of a system message at the start to the instructions.
fn add_instructions<S: Output>(
    content: Option<Content<S>>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
    texts: &mut Vec<Payload<S>>,
) -> Result<()> {
    let known = texts.len();
    let has_parts = rules::has_parts(content.as_ref());
    match content {
        None => {}
        Some(Content::Text(text)) => texts.extend((!text.is_empty()).then_some(Payload::Text(text))),
        Some(Content::Parts(parts)) => {
            for (index, part) in parts.into_iter().enumerate() {
                if let Some(AcceptedPart::Text(text)) =
                    parts::accepted_part(part.body, PartTarget::Responses, index, at, violations)?
                {
                    texts.push(text);
                }
            }
        }
    }
    if texts.len() == known && has_parts {
        violations.handle(parts::empty_content_violation(at), DROPPED)?;
    } else if texts.len() == known {
        violations.refuse(parts::empty_content_violation(at))?;
    }
    Ok(())
}

/// Joins texts with a blank line between them. `None` if there are none.
fn joined<S: Output>(mut texts: Vec<Payload<S>>) -> Option<Payload<S>> {
    if texts.len() <= 1 {
        return texts.pop();
    }
    let mut all = String::new();
    for text in &texts {
        if !all.is_empty() {
            all.push_str("\n\n");
        }
        text.with_str(|text| all.push_str(text));
    }
    Some(Payload::String(all))
}

/// Whether a cache hint is written.
fn is_written(hint: &CacheHint, all: bool) -> bool {
    all || hint.openai.is_some()
}

/// A part with a cache hint, unless it has one.
fn with_hint<S>(part: Payload<S>, hint: Option<Member<S>>) -> Payload<S> {
    match part {
        Payload::Map(mut members) => {
            let has_one = members.iter().any(|(key, _)| key.as_str() == rules::BREAKPOINT);
            members.extend(hint.filter(|_| !has_one));
            Payload::Map(members)
        }
        part => part,
    }
}

/// Writes the items of one message whose fields were checked.
struct ItemWriter<'w, 'r, S> {
    at: Position,
    /// Whether all cache hints are written.
    all: bool,
    /// Whether the text may be empty.
    may_be_empty: bool,
    violations: &'w mut ViolationHandler<'r>,
    input: &'w mut Vec<Payload<S>>,
}

impl<S: Output> ItemWriter<'_, '_, S> {
    fn write(mut self, message: Message<S>, id: Option<String>) -> Result<()> {
        let has_parts = rules::has_parts(message.content.as_ref());
        match message.role {
            Role::Tool | Role::Function => {
                if message.is_error {
                    self.violations.handle(rules::error_flag("the Responses API", self.at), LEFT_OUT)?;
                }
                let id = message.tool_call_id.map(Payload::Text).or(id.map(Payload::String));
                self.output(message.content, message.cache.as_ref(), id)
            }
            Role::Assistant => self.assistant(message, id),
            role => {
                let content = self.content(message.content, message.cache.as_ref())?;
                if has_parts && content.is_none() {
                    return self.dropped();
                }
                let content = self.required(content)?;
                self.input.push(message_item(role, content));
                Ok(())
            }
        }
    }

    fn assistant(&mut self, mut message: Message<S>, id: Option<String>) -> Result<()> {
        for _ in message.cache_hints().filter(|hint| is_written(hint, self.all)) {
            breakpoints::no_part(self.at, self.violations)?;
        }
        rules::refusal_as_content(&mut message, "the Responses API", self.at, self.violations)?;
        let calls = !message.tool_calls.is_empty() || message.function_call.is_some();
        let has_parts = rules::has_parts(message.content.as_ref());
        let texts = match message.content {
            Some(Content::Parts(parts)) => {
                parts::texts(parts, PartTarget::Responses, self.at, self.violations)?
            }
            Some(Content::Text(text)) if text.is_empty() => Vec::new(),
            Some(Content::Text(text)) => vec![text],
            None => Vec::new(),
        };
        if texts.is_empty() && !calls && has_parts {
            return self.dropped();
        }
        if texts.is_empty() && !calls {
            let content = self.required(None)?;
            self.input.push(message_item(Role::Assistant, content));
            return Ok(());
        }
        // The API accepts parts of the assistant only with the id of the reply, so each text is a message.
        let items = texts.into_iter().map(|text| message_item(Role::Assistant, Payload::Text(text)));
        self.input.extend(items);
        for (index, call) in message.tool_calls.into_iter().enumerate() {
            self.call(Payload::Text(call.id), call.function, CallRef::Tool(index))?;
        }
        match (message.function_call, id) {
            (Some(call), Some(id)) => self.call(Payload::String(id), call, CallRef::Function),
            _ => Ok(()),
        }
    }

    fn call(&mut self, id: Payload<S>, call: FunctionCall<S>, call_ref: CallRef) -> Result<()> {
        let arguments = arguments_text(call.arguments, call_ref, self.at, self.violations)?;
        self.input.push(Payload::map([
            ("type", Payload::Static("function_call")),
            ("call_id", id),
            ("name", Payload::Text(call.name)),
            ("arguments", arguments),
        ]));
        Ok(())
    }

    /// Writes the result of a call.
    fn output(
        &mut self,
        content: Option<Content<S>>,
        cache: Option<&CacheHint>,
        id: Option<Payload<S>>,
    ) -> Result<()> {
        let content = match content {
            // The result must be sent, because its call would have none otherwise.
            Some(content) => self.content(content, cache)?.unwrap_or(Payload::Static("")),
            None if self.at.role == Role::Function => Payload::Static(""),
            None => {
                self.violations.handle(rules::empty_content(self.at), rules::SENT_EMPTY)?;
                Payload::Static("")
            }
        };
        let id = id.unwrap_or(Payload::Null);
        self.input.push(Payload::map([
            ("type", Payload::Static("function_call_output")),
            ("call_id", id),
            ("output", content),
        ]));
        Ok(())
    }

    /// Drops a message, all of whose parts were dropped.
    fn dropped(&mut self) -> Result<()> {
        self.violations.handle(parts::empty_content_violation(self.at), DROPPED)
    }

    /// The content, which must not be empty.
    fn required(&mut self, content: Option<Payload<S>>) -> Result<Payload<S>> {
        if let Some(content) = content {
            return Ok(content);
        }
        if self.may_be_empty {
            return Ok(Payload::Static(""));
        }
        self.violations.refuse(parts::empty_content_violation(self.at)).map(|()| Payload::Null)
    }

    /// Converts the content. `None` if it is empty.
    fn content(
        &mut self,
        content: impl Into<Option<Content<S>>>,
        cache: Option<&CacheHint>,
    ) -> Result<Option<Payload<S>>> {
        let hint = cache.and_then(|cache| breakpoints::breakpoint(cache, self.all));
        let parts = match (content.into(), &hint) {
            (None, _) => return Ok(None),
            (Some(Content::Text(text)), _) if text.is_empty() => return Ok(None),
            (Some(Content::Text(text)), None) => return Ok(Some(Payload::Text(text))),
            (Some(Content::Text(text)), Some(_)) => vec![Part { body: PartBody::Text(text), cache: None }],
            (Some(Content::Parts(parts)), _) => parts,
        };
        let mut list = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            let hint = part.cache.as_ref().and_then(|cache| breakpoints::breakpoint(cache, self.all));
            let written = self.part(part, index)?;
            list.extend(written.map(|written| with_hint(written, hint)));
        }
        if let Some(last) = list.pop() {
            list.push(with_hint(last, hint));
        }
        Ok((!list.is_empty()).then_some(Payload::List(list)))
    }

    fn part(&mut self, part: Part<S>, index: usize) -> Result<Option<Payload<S>>> {
        if matches!(part.body, PartBody::Audio { .. }) {
            let problem = format!("part {index} is audio, which the Responses API does not accept");
            let violation = RuleViolation::new(self.at, problem, "send a transcript as text");
            self.violations.handle(violation, DROPPED)?;
            return Ok(None);
        }
        let Some(accepted) =
            parts::accepted_part(part.body, PartTarget::Responses, index, self.at, self.violations)?
        else {
            return Ok(None);
        };
        Ok(match accepted {
            AcceptedPart::Text(text) => {
                Some(Payload::map([("type", Payload::Static("input_text")), ("text", text)]))
            }
            AcceptedPart::Image { url, detail } => Some(Payload::map([
                ("type", Payload::Static("input_image")),
                ("image_url", url),
                ("detail", detail.unwrap_or(Payload::Static("auto"))),
            ])),
            AcceptedPart::File(fields) => {
                let kind = member("type", Payload::Static("input_file"));
                Some(Payload::Map([kind].into_iter().chain(fields).collect()))
            }
            AcceptedPart::UploadedImage(id) => Some(Payload::map([
                ("type", Payload::Static("input_image")),
                ("file_id", Payload::Text(id)),
                ("detail", Payload::Static("auto")),
            ])),
            AcceptedPart::FileUrl { url, filename } => {
                let mut file = vec![
                    member("type", Payload::Static("input_file")),
                    member("file_url", Payload::Text(url)),
                ];
                file.extend(filename.map(|name| member("filename", Payload::Text(name))));
                Some(Payload::Map(file))
            }
            AcceptedPart::Audio { .. } => None,
        })
    }
}
