//! Converts to OpenAI's Chat Completions API: a list of messages. LiteLLM accepts the same list. [`responses`] converts
//! to OpenAI's other API.
//!
//! The rules are those of the API and of the types in its SDK. The modules `checker` and `parts` have the rules that
//! both APIs share.

mod breakpoints;
mod checker;
mod parts;
pub mod responses;

use super::carried;
use super::payload::{Member, Payload, member};
use super::report::{Position, Report, RuleViolation, ViolationHandler};
use super::rules::{self, CallRef, DROPPED, LEFT_OUT, PASSED_ON};
use crate::error::Result;
use crate::prompt::message::is_blank;
use crate::prompt::{CacheHint, Content, FunctionCall, Message, Part, Role, ToolCall};
use crate::template::Output;
use breakpoints::Breakpoints;
use checker::ConversationChecker;
use parts::{AcceptedPart, PartTarget, arguments_text};

/// The options of the conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAiOptions {
    /// Fail instead of changing or dropping something.
    pub strict: bool,
    /// Write a `function_call`, and its result, as tool calls.
    pub functions_sent_as_tools: bool,
    /// Write developer messages as system messages.
    pub developer_as_system: bool,
    /// How cache hints are written. The others are left out without a warning, because they change only the price.
    pub cache: WrittenHints,
}

/// The cache hints that are written, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WrittenHints {
    /// Those for OpenAI, as breakpoints.
    #[default]
    OpenAi,
    /// All, as OpenAI's breakpoints.
    All,
    /// Those for the providers behind LiteLLM, as `cache_control`.
    CacheControl,
    /// None.
    Nothing,
}

impl WrittenHints {
    fn has_breakpoints(self) -> bool {
        matches!(self, Self::OpenAi | Self::All)
    }

    pub(super) fn is_breakpoint(self, hint: &CacheHint) -> bool {
        self == Self::All || (self == Self::OpenAi && hint.openai.is_some())
    }
}

impl Default for OpenAiOptions {
    fn default() -> Self {
        Self {
            strict: true,
            functions_sent_as_tools: false,
            developer_as_system: false,
            cache: WrittenHints::default(),
        }
    }
}

impl OpenAiOptions {
    /// The options for LiteLLM. On the way to other providers LiteLLM gives a `function_call` and its result different
    /// ids, so they are written as tool calls.
    #[must_use]
    pub fn for_litellm(strict: bool, developer_as_system: bool, cache_control: bool) -> Self {
        let cache = if cache_control { WrittenHints::CacheControl } else { WrittenHints::Nothing };
        Self { strict, functions_sent_as_tools: true, developer_as_system, cache }
    }

    /// LiteLLM alone gets functions as tools.
    fn target(self) -> PartTarget {
        if self.functions_sent_as_tools { PartTarget::LiteLlm } else { PartTarget::Chat }
    }

    pub(super) fn role(self, role: Role) -> &'static str {
        match role {
            Role::Developer if self.developer_as_system => map_role(Role::System),
            Role::Function if self.functions_sent_as_tools => map_role(Role::Tool),
            role => map_role(role),
        }
    }
}

/// OpenAI's name for a role.
#[must_use]
pub fn map_role(role: Role) -> &'static str {
    role.as_str()
}

/// Converts messages to the list for `messages=`.
///
/// # Errors
/// [`Kind::Conversion`](crate::Kind::Conversion) if the API would refuse the conversation. Without `strict`, only if no
/// similar conversation is valid.
pub fn messages<S: Output>(
    messages: Vec<Message<S>>,
    options: OpenAiOptions,
    report: &mut Report,
) -> Result<Payload<S>> {
    let mut checker =
        ConversationChecker::new(&messages, options.strict, options.functions_sent_as_tools, report)?;
    let mut list = Vec::with_capacity(messages.len());
    let mut breakpoints = Breakpoints::default();
    for (index, mut message) in messages.into_iter().enumerate() {
        let at = Position { index, role: message.role };
        if checker.is_idle()
            && let Some(text) = plain_text(&mut message)
        {
            let role = Payload::Static(options.role(at.role));
            list.push(Payload::map([("role", role), ("content", Payload::Text(text))]));
            continue;
        }
        let id = checker.check(&mut message, at)?;
        if let Some(carried) = message.carried.take() {
            // What has no tool call of OpenAI's older format is sent as it came.
            if !options.functions_sent_as_tools || id.is_none() {
                let members =
                    carried::chat_message(*carried, options.role(at.role), options.functions_sent_as_tools);
                let message = Payload::Map(members);
                breakpoints.note(&message, at);
                list.push(message);
                continue;
            }
        }
        let may_be_empty = rules::may_be_empty(&message);
        let writer = MessageWriter { options, at, may_be_empty, violations: &mut checker.violations };
        let message = writer.message(message, id)?;
        if let Some(message) = message {
            breakpoints.note(&message, at);
            list.push(message);
        }
    }
    if list.is_empty() {
        return Err(rules::no_turns(options.target().name(), true));
    }
    if options.cache.has_breakpoints() {
        breakpoints.limit(&mut list, &mut checker.violations)?;
    }
    checker.finish()?;
    Ok(Payload::List(list))
}

/// Takes the text of a message that has only a text, as most have. No rule applies to it. This fast path saves a
/// quarter of the time for plain messages.
fn plain_text<S: Output>(message: &mut Message<S>) -> Option<S> {
    let plain = message.plain_text().is_some_and(|text| message.from_history || !is_blank(text));
    match message.content.take_if(|_| plain) {
        Some(Content::Text(text)) => Some(text),
        _ => None,
    }
}

/// Writes one message whose fields were checked.
struct MessageWriter<'w, 'r> {
    options: OpenAiOptions,
    at: Position,
    /// Whether the text may be empty.
    may_be_empty: bool,
    violations: &'w mut ViolationHandler<'r>,
}

impl MessageWriter<'_, '_> {
    /// Writes the message. `None` if it is dropped, because all of its parts were. `id` is the id that was made for its
    /// `function_call`, or of the call that its result answers.
    fn message<S: Output>(mut self, message: Message<S>, id: Option<String>) -> Result<Option<Payload<S>>> {
        let mut id = id.map(Payload::String);
        let name = match message.name {
            // The call has the name of the function.
            Some(_) if self.at.role == Role::Function && id.is_some() => None,
            Some(name) => message_name(name, self.options.target(), self.at, self.violations)?,
            None => None,
        };
        if message.content.is_none() {
            self.without_part(message.cache.as_ref())?;
        }
        let has_parts = rules::has_parts(message.content.as_ref());
        let content = match message.content {
            Some(content) => self.content(content, message.cache.as_ref())?,
            None => None,
        };
        let refusal = message.refusal.filter(|refusal| !refusal.is_empty());
        let calls = !message.tool_calls.is_empty() || message.function_call.is_some();
        let mut members = Vec::with_capacity(5);
        members.push(member("role", Payload::Static(self.options.role(self.at.role))));
        let has_other_fields = calls || refusal.is_some();
        if has_parts && content.is_none() && !has_other_fields && self.at.role != Role::Function {
            self.violations.handle(parts::empty_content_violation(self.at), DROPPED)?;
            return Ok(None);
        }
        let content = content_or_null(content, has_other_fields, id.is_some(), self.at, self.violations)?;
        members.push(member("content", content));
        members.extend(refusal.map(|refusal| member("refusal", Payload::Text(refusal))));
        members.extend(name.map(|name| member("name", name)));
        if let Some(call) = message.function_call {
            let function = self.function(call, CallRef::Function)?;
            members.push(match id.take() {
                Some(id) => member("tool_calls", Payload::List(vec![tool_call(id, function)])),
                None => member("function_call", function),
            });
        }
        if message.is_error {
            members.extend(self.error_flag()?);
        }
        members.extend(message.tool_call_id.map(Payload::Text).or(id).map(|id| member("tool_call_id", id)));
        if !message.tool_calls.is_empty() {
            members.push(self.tool_calls(message.tool_calls)?);
        }
        Ok(Some(Payload::Map(members)))
    }

    /// The flag of a failed call. LiteLLM takes it, and decides what the provider behind it sees; its adapter for Anthropic leaves
    /// the flag out.
    fn error_flag<S>(&mut self) -> Result<Option<Member<S>>> {
        if self.options.functions_sent_as_tools {
            return Ok(Some(member("is_error", Payload::Bool(true))));
        }
        self.violations.handle(rules::error_flag(self.options.target().name(), self.at), LEFT_OUT)?;
        Ok(None)
    }

    /// Converts the content. `None` if it is empty.
    fn content<S: Output>(
        &mut self,
        content: Content<S>,
        cache: Option<&CacheHint>,
    ) -> Result<Option<Payload<S>>> {
        let is_one_text = self.at.role == Role::Function && !self.options.functions_sent_as_tools;
        let parts = match content {
            Content::Text(text) if text.is_empty() => {
                return Ok((self.may_be_empty || self.at.role == Role::Tool).then_some(Payload::Text(text)));
            }
            Content::Text(text) if is_one_text => {
                self.without_part(cache)?;
                return Ok(Some(Payload::Text(text)));
            }
            Content::Text(text) => {
                let Some(hint) = self.hint(cache)? else {
                    return Ok(Some(Payload::Text(text)));
                };
                return Ok(Some(Payload::List(vec![Payload::Map(vec![
                    member("type", Payload::Static("text")),
                    member("text", Payload::Text(text)),
                    hint,
                ])])));
            }
            Content::Parts(parts) if self.at.role == Role::Function => {
                for part in &parts {
                    self.without_part(part.cache.as_ref())?;
                }
                self.without_part(cache)?;
                return parts::one_text(parts, self.options.target(), self.at, self.violations);
            }
            Content::Parts(parts) => parts,
        };
        let mut list = Vec::with_capacity(parts.len());
        for (index, part) in parts.into_iter().enumerate() {
            list.extend(self.part(part, index)?);
        }
        if let Some(Payload::Map(last)) = list.last_mut()
            && last.iter().all(|(key, _)| !matches!(key.as_str(), rules::CACHE_CONTROL | rules::BREAKPOINT))
        {
            last.extend(self.hint(cache)?);
        }
        if list.is_empty() {
            // The result must be sent, because its call would have none otherwise.
            return Ok((self.at.role == Role::Tool).then_some(Payload::Static("")));
        }
        Ok(Some(Payload::List(list)))
    }

    /// The member for a cache hint, if it is written.
    fn hint<S>(&mut self, cache: Option<&CacheHint>) -> Result<Option<Member<S>>> {
        let Some(cache) = cache else { return Ok(None) };
        Ok(match self.options.cache {
            WrittenHints::OpenAi => breakpoints::breakpoint(cache, false),
            WrittenHints::All => breakpoints::breakpoint(cache, true),
            WrittenHints::CacheControl if cache.portable.is_some() => {
                Some(rules::cache_control(cache, self.options.target().name(), self.at, self.violations)?)
            }
            WrittenHints::CacheControl | WrittenHints::Nothing => None,
        })
    }

    /// Handles a cache hint on content that has no parts.
    fn without_part(&mut self, cache: Option<&CacheHint>) -> Result<()> {
        if cache.is_some_and(|cache| self.options.cache.is_breakpoint(cache)) {
            breakpoints::no_part(self.at, self.violations)?;
        }
        Ok(())
    }

    fn part<S: Output>(&mut self, part: Part<S>, index: usize) -> Result<Option<Payload<S>>> {
        let Some(accepted) =
            parts::accepted_part(part.body, self.options.target(), index, self.at, self.violations)?
        else {
            return Ok(None);
        };
        let (kind, inner) = match accepted {
            AcceptedPart::Text(text) => ("text", text),
            AcceptedPart::Image { url, detail } => {
                let detail = detail.map(|detail| member("detail", detail));
                ("image_url", Payload::Map([member("url", url)].into_iter().chain(detail).collect()))
            }
            AcceptedPart::Audio { data, format } => {
                let sound = [("data", data), ("format", Payload::Text(format))];
                ("input_audio", Payload::map(sound))
            }
            AcceptedPart::File(fields) => ("file", Payload::Map(fields)),
            // Only the Responses API accepts them.
            AcceptedPart::UploadedImage(_) | AcceptedPart::FileUrl { .. } => return Ok(None),
        };
        let mut members = vec![member("type", Payload::Static(kind)), member(kind, inner)];
        members.extend(self.hint(part.cache.as_ref())?);
        Ok(Some(Payload::Map(members)))
    }

    fn tool_calls<S: Output>(&mut self, calls: Vec<ToolCall<S>>) -> Result<Member<S>> {
        let mut list = Vec::with_capacity(calls.len());
        for (index, call) in calls.into_iter().enumerate() {
            list.push(tool_call(Payload::Text(call.id), self.function(call.function, CallRef::Tool(index))?));
        }
        Ok(member("tool_calls", Payload::List(list)))
    }

    fn function<S: Output>(&mut self, call: FunctionCall<S>, call_ref: CallRef) -> Result<Payload<S>> {
        let arguments = arguments_text(call.arguments, call_ref, self.at, self.violations)?;
        Ok(Payload::map([("name", Payload::Text(call.name)), ("arguments", arguments)]))
    }
}

fn tool_call<S>(id: Payload<S>, function: Payload<S>) -> Payload<S> {
    Payload::map([("id", id), ("type", Payload::Static("function")), ("function", function)])
}

/// The value of `content`: null for an empty one, where the API allows that. Only a result of a `function_call` can be
/// empty; as that of a tool call it is an empty text.
fn content_or_null<S>(
    content: Option<Payload<S>>,
    has_other_fields: bool,
    sent_as_tool: bool,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Payload<S>> {
    match content {
        Some(content) => Ok(content),
        None if has_other_fields => Ok(Payload::Null),
        None if at.role == Role::Function => {
            Ok(if sent_as_tool { Payload::Static("") } else { Payload::Null })
        }
        None if at.role == Role::Tool => {
            violations.handle(rules::empty_content(at), rules::SENT_EMPTY)?;
            Ok(Payload::Static(""))
        }
        None => violations.refuse(parts::empty_content_violation(at)).map(|()| Payload::Null),
    }
}

fn message_name<S: Output>(
    name: S,
    target: PartTarget,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Option<Payload<S>>> {
    let is_valid = name.with_str(rules::is_name);
    if at.role == Role::Tool {
        let hint = "remove `name`; `tool_call_id` identifies the result";
        let problem = format!("{} does not accept `name` on a tool message", target.name());
        violations.handle(RuleViolation::new(at, problem, hint), LEFT_OUT)?;
    } else if is_valid {
        return Ok(Some(Payload::Text(name)));
    } else {
        let hint = "use only letters, digits, `_` and `-`";
        let violation =
            RuleViolation::new(at, "`name` has characters other than letters, digits, `_` and `-`", hint);
        if at.role == Role::Function {
            // A function message must have its name.
            violations.handle(violation, PASSED_ON)?;
            return Ok(Some(Payload::Text(name)));
        }
        violations.handle(violation, LEFT_OUT)?;
    }
    Ok(None)
}
