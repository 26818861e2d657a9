//! Rules that the providers share: which fields a role can have, which characters a name can have, and how calls and
//! results pair up.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;

use super::media_type;
use super::payload::{Member, Payload, member};
use super::report::{EMPTY_CONTENT, Position, RuleViolation, ViolationHandler};
use crate::base64;
use crate::error::{Error, Kind, Result};
use crate::prompt::message::is_blank;
use crate::prompt::{
    CacheHint, Content, FilePart, FunctionCall, Message, PartBody, Role, SearchResultPart, Tree,
};
use crate::schema::output::{self, AnswerOptions, Repair, RepairKind};
use crate::template::Output;

/// What is done about a violation that the conversion cannot repair.
pub(super) const PASSED_ON: &str = "sent unchanged";
/// What is done with a field that the provider does not accept.
pub(super) const LEFT_OUT: &str = "left out";
/// What is done with a result that has no content.
pub(super) const SENT_EMPTY: &str = "sent as an empty text";
/// What is done with a message or part that the provider does not accept.
pub(super) const DROPPED: &str = "dropped";

/// The error of a conversation whose messages have no content.
pub(super) const NO_CONTENT: &str = "the conversation has no message with content";

/// Whether the text is a valid name or id: `^[a-zA-Z0-9_-]+$`.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The error for a conversation without messages.
pub(super) fn no_messages() -> Error {
    Error::new(Kind::Conversion, "the conversation has no messages")
        .with_hint("add a message; a placeholder may have been filled with an empty list")
}

/// The error for a conversation in which nothing but system messages has content. `has_others`: it has other messages.
pub(super) fn no_turns(provider: &str, has_others: bool) -> Error {
    let problem = if has_others { NO_CONTENT } else { "the conversation has only system messages" };
    Error::new(Kind::Conversion, problem)
        .with_hint(format!("{provider} needs at least one user message with content"))
}

/// Whether a conversation has other messages than system messages.
pub(super) fn has_turns<S>(messages: &[Message<S>]) -> bool {
    messages.iter().any(|message| !matches!(message.role, Role::System | Role::Developer))
}

/// The violation of a message without content.
pub(super) fn empty_content(at: Position) -> RuleViolation {
    let hint = match at.role {
        Role::Tool => "write an empty text (\"\") for a result without content",
        _ => "add content, or write `optional: true` to leave out the message when it is blank",
    };
    RuleViolation::new(at, EMPTY_CONTENT, hint)
}

/// Whether the content is a list of parts.
pub(super) fn has_parts<S>(content: Option<&Content<S>>) -> bool {
    matches!(content, Some(Content::Parts(parts)) if !parts.is_empty())
}

/// Whether a message may have an empty text. A user can send one, and OpenAI accepts it: a history is not refused for it.
pub(super) fn may_be_empty<S>(message: &Message<S>) -> bool {
    message.from_history && matches!(message.content, Some(Content::Text(_)))
}

/// Whether it is a system, developer or user message of the prompt in which a model would read nothing.
pub(super) fn is_blank_input<S: Output>(message: &Message<S>) -> bool {
    // An empty part, and one that is no text, has an error of its own.
    let has_own_error = match &message.content {
        Some(Content::Parts(parts)) => parts.iter().any(|part| match &part.body {
            PartBody::Text(text) => text.is_empty(),
            _ => true,
        }),
        _ => false,
    };
    matches!(message.role, Role::System | Role::Developer | Role::User)
        && !has_own_error
        && !may_be_empty(message)
        && message.is_blank()
}

/// One of a message's calls, for error messages.
#[derive(Debug, Clone, Copy)]
pub(super) enum CallRef {
    /// The tool call at this index in `tool_calls`.
    Tool(usize),
    /// The `function_call` of the older API.
    Function,
}

impl fmt::Display for CallRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(index) => write!(f, "tool call {index}"),
            Self::Function => f.write_str("the function call"),
        }
    }
}

/// A provider's rule for the names of functions.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameRule {
    pub(super) accepts: fn(&str) -> bool,
    /// What is wrong with the name of a call that the provider does not accept.
    pub(super) problem: &'static str,
    pub(super) hint: &'static str,
}

/// The rule of most providers.
const NAMES: NameRule = NameRule {
    accepts: is_name,
    problem: "has characters other than letters, digits, `_` and `-`",
    hint: "rename the function",
};

/// Checks that a message has the fields that its role needs at any provider, and removes fields that its role cannot
/// have. Checks the characters of the names of functions too.
pub(super) fn check_fields<S: Output>(
    message: &mut Message<S>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<()> {
    check_roles(message, at, violations)?;
    check_names(message, NAMES, at, violations)
}

/// Checks the names of the functions that a message calls.
pub(super) fn check_names<S: Output>(
    message: &Message<S>,
    rule: NameRule,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<()> {
    let calls = message.tool_calls.iter().enumerate();
    let mut calls = calls.map(|(index, call)| (CallRef::Tool(index), &call.function));
    calls.try_for_each(|(call_ref, call)| check_name(call, rule, call_ref, at, violations))?;
    let function = message.function_call.as_ref();
    function.map_or(Ok(()), |call| check_name(call, rule, CallRef::Function, at, violations))
}

/// As [`check_fields`], for a provider with a rule of its own for the names of functions.
pub(super) fn check_roles<S: Output>(
    message: &mut Message<S>,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<()> {
    if message.role != Role::Tool && message.tool_call_id.take().is_some() {
        let hint = "remove `tool_call_id`, or change the role to `tool`";
        violations.handle(
            RuleViolation::new(at, "`tool_call_id` is allowed only on a tool message", hint),
            LEFT_OUT,
        )?;
    }
    if message.role != Role::Tool && std::mem::take(&mut message.is_error) {
        let hint = "remove `is_error`, or change the role to `tool`";
        violations
            .handle(RuleViolation::new(at, "`is_error` is allowed only on a tool message", hint), LEFT_OUT)?;
    }
    if message.role != Role::Assistant && message.refusal.take().is_some() {
        let hint = "remove `refusal`, or change the role to `assistant`";
        violations.handle(
            RuleViolation::new(at, "`refusal` is allowed only on an assistant message", hint),
            LEFT_OUT,
        )?;
    }
    match message.role {
        Role::Tool if message.tool_call_id.as_ref().is_none_or(S::is_empty) => {
            let hint = "set `tool_call_id` to the id of the tool call that it answers";
            violations.refuse(RuleViolation::new(at, "a tool message needs `tool_call_id`", hint))?;
            message.tool_call_id = None;
        }
        Role::Function if message.name.as_ref().is_none_or(S::is_empty) => {
            let hint = "set `name` to the name of the function that was called";
            violations.refuse(RuleViolation::new(at, "a function message needs `name`", hint))?;
            message.name = None;
        }
        _ => {}
    }
    if message.tool_calls.is_empty() && message.function_call.is_none() {
        return Ok(());
    }
    if message.role != Role::Assistant {
        let hint = "move the calls to an assistant message";
        violations.refuse(RuleViolation::new(at, "calls are allowed only on an assistant message", hint))?;
    }
    if message.function_call.is_some() && !message.tool_calls.is_empty() {
        let hint = "write the function call as one of the `tool_calls`";
        let problem = "the message has both `tool_calls` and `function_call`";
        violations.refuse(RuleViolation::new(at, problem, hint))?;
    }
    for (index, call) in message.tool_calls.iter().enumerate() {
        let call_ref = CallRef::Tool(index);
        if call.id.is_empty() {
            let hint = "give it an `id` that its result refers to";
            violations.refuse(RuleViolation::new(at, format!("{call_ref} has no id"), hint))?;
        }
        check_has_name(&call.function, call_ref, at, violations)?;
    }
    let function = message.function_call.as_ref();
    function.map_or(Ok(()), |call| check_has_name(call, CallRef::Function, at, violations))
}

fn check_has_name<S: Output>(
    call: &FunctionCall<S>,
    call_ref: CallRef,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<()> {
    if call.name.is_empty() {
        let hint = "set `name` to the function that is called";
        violations.refuse(RuleViolation::new(at, format!("{call_ref} has no name"), hint))?;
    }
    Ok(())
}

fn check_name<S: Output>(
    call: &FunctionCall<S>,
    rule: NameRule,
    call_ref: CallRef,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<()> {
    // An empty name has an error of its own.
    if call.name.is_empty() || call.name.with_str(rule.accepts) {
        return Ok(());
    }
    let problem = format!("the name of {call_ref} {}", rule.problem);
    violations.handle(RuleViolation::new(at, problem, rule.hint), PASSED_ON)
}

/// How a result refers to its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum CallLink {
    /// By the id of a tool call.
    Id,
    /// By the name of a function.
    Name,
}

/// Pairs calls with results, message by message: every call must be answered once before the next turn, and every
/// result must answer a call.
#[derive(Debug, Default)]
pub(super) struct CallPairing {
    /// The calls of the last turn, whose results follow.
    calls: Vec<PendingCall>,
    /// The positions in `calls` of the calls with a key that wait for their results.
    waiting: HashMap<(CallLink, String), VecDeque<usize>>,
}

#[derive(Debug)]
struct PendingCall {
    at: Position,
    call_ref: CallRef,
    /// The id that is sent to the provider, if it is not `key`.
    sent: Option<String>,
    answered: bool,
}

impl CallPairing {
    /// Whether no call is waiting for its result.
    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// The violation if another tool call of the same turn has this id. In a later turn it is a new call.
    pub(super) fn duplicate(&self, id: &str, call_ref: CallRef, at: Position) -> Option<RuleViolation> {
        self.waiting.contains_key(&(CallLink::Id, id.to_owned())).then(|| {
            let hint = "give every tool call of a turn a different id";
            RuleViolation::new(at, format!("{call_ref} has the id of another tool call of its turn"), hint)
        })
    }

    /// Records a call that needs a result. `sent` is the id that is sent to the provider, if it is not `key`.
    pub(super) fn call(
        &mut self,
        link: CallLink,
        key: &str,
        sent: Option<String>,
        call_ref: CallRef,
        at: Position,
    ) {
        self.waiting.entry((link, key.to_owned())).or_default().push_back(self.calls.len());
        self.calls.push(PendingCall { at, call_ref, sent, answered: false });
    }

    /// Records a result. Returns the id that was sent for its call, if it is not `key`.
    pub(super) fn answer(
        &mut self,
        link: CallLink,
        key: &str,
        at: Position,
    ) -> Result<Option<String>, RuleViolation> {
        let waiting = self.waiting.get_mut(&(link, key.to_owned()));
        let is_known = waiting.is_some();
        if let Some(call) = waiting.and_then(VecDeque::pop_front).and_then(|at| self.calls.get_mut(at)) {
            call.answered = true;
            return Ok(call.sent.clone());
        }
        Err(if is_known {
            RuleViolation::new(
                at,
                "this is a second result for the same call",
                "keep one result for each call",
            )
        } else {
            let problem = "the assistant turn before this result did not make its call";
            RuleViolation::new(
                at,
                problem,
                "put the result right after the assistant message that makes the call",
            )
        })
    }

    /// Ends the turn. Returns a violation for each call without a result.
    pub(super) fn close(&mut self) -> Vec<RuleViolation> {
        self.waiting.clear();
        self.calls
            .drain(..)
            .filter(|call| !call.answered)
            .map(|call| {
                let hint = "add its result before the next turn, or remove the call";
                RuleViolation::new(call.at, format!("{} has no result", call.call_ref), hint)
            })
            .collect()
    }
}

/// Makes ids that match the name pattern and differ from all other ids of the conversation. Converting the same
/// conversation again makes the same ids.
#[derive(Debug)]
pub(super) struct IdRewriter {
    /// Whether the provider accepts an id.
    fits: fn(&str) -> bool,
    taken: HashSet<String>,
    renamed: HashMap<String, String>,
    made: usize,
}

impl IdRewriter {
    /// Collects the ids that stay as they are, so that no new id equals one of them.
    pub(super) fn from_messages<S: Output>(messages: &[Message<S>]) -> Self {
        Self::fitting(is_name, messages)
    }

    /// The same for a provider with a rule of its own for ids.
    pub(super) fn fitting<S: Output>(fits: fn(&str) -> bool, messages: &[Message<S>]) -> Self {
        let calls = messages.iter().flat_map(|message| message.tool_calls.iter().map(|call| &call.id));
        let results = messages.iter().filter_map(|message| message.tool_call_id.as_ref());
        Self::of(fits, calls.chain(results))
    }

    /// The same for the names of functions.
    pub(super) fn of_names<S: Output>(fits: fn(&str) -> bool, messages: &[Message<S>]) -> Self {
        let functions = |message: &'_ Message<S>| {
            let calls = message.tool_calls.iter().map(|call| &call.function);
            calls.chain(&message.function_call).map(|call| call.name.clone()).collect::<Vec<_>>()
        };
        let names: Vec<S> = messages.iter().flat_map(functions).collect();
        Self::of(fits, names.iter())
    }

    fn of<'m, S: Output + 'm>(fits: fn(&str) -> bool, ids: impl Iterator<Item = &'m S>) -> Self {
        let taken = ids.filter_map(|id| id.with_str(|id| fits(id).then(|| id.to_owned()))).collect();
        Self { fits, taken, renamed: HashMap::new(), made: 0 }
    }

    /// The id to send for this id, if it is not the id itself. The same id always gives the same result.
    pub(super) fn rewrite(&mut self, id: &str) -> Option<String> {
        if (self.fits)(id) {
            return None;
        }
        if let Some(known) = self.renamed.get(id) {
            return Some(known.clone());
        }
        let new = self.fresh(id);
        self.renamed.insert(id.to_owned(), new.clone());
        Some(new)
    }

    /// A new id that is like `base`.
    pub(super) fn fresh(&mut self, base: &str) -> String {
        let valid_char = |c: char| if u8::try_from(c).is_ok_and(is_name_byte) { c } else { '_' };
        let base: String = base.chars().map(valid_char).collect();
        // Cut short, if the provider accepts no long ids.
        let short = |id: &str| id.chars().take(40).collect::<String>();
        let base = if (self.fits)(&base) { base } else { short(&base) };
        let mut id = base.clone();
        while !self.taken.insert(id.clone()) {
            // One counter for the whole conversation, so that many equal ids do not each count from 1, which would take
            // quadratic time.
            self.made += 1;
            id = format!("{base}_{}", self.made);
            if !(self.fits)(&id) {
                id = format!("{}_{}", short(&base), self.made);
            }
        }
        id
    }
}

/// The start of the ids that are made for a `function_call`, which has none.
pub(super) const FUNCTION_ID: &str = "function_call";

/// The key of a cache hint.
pub(crate) const CACHE_CONTROL: &str = "cache_control";

/// Why a cache hint of an hour is refused after a shorter one, after the name of the provider, and what to do.
pub(super) const LONG_AFTER_SHORT: (&str, &str) = (
    "accepts a cache hint of 1h only before those of 5m",
    "give the hints before it `1h` too, or leave out its `ttl`; a hint without `ttl` is one of 5m",
);
/// What is done with such a hint.
pub(super) const SENT_SHORT: &str = "sent as 5m";

/// The key of a cache hint of OpenAI.
pub(super) const BREAKPOINT: &str = "prompt_cache_breakpoint";

/// The member for a cache hint in the format of Anthropic, which LiteLLM accepts too.
pub(super) fn cache_control<S>(
    cache: &CacheHint,
    provider: &str,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Member<S>> {
    let ttl = match cache.ttl() {
        None => None,
        Some("5m") => Some("5m"),
        Some("1h") => Some("1h"),
        Some(_) => {
            let problem = format!("{provider} does not support the `ttl` of this cache hint");
            violations.handle(RuleViolation::new(at, problem, "use 5m or 1h"), LEFT_OUT)?;
            None
        }
    };
    let kind = ("type", Payload::Static("ephemeral"));
    Ok(member(
        CACHE_CONTROL,
        match ttl {
            None => Payload::map([kind]),
            Some(ttl) => Payload::map([kind, ("ttl", Payload::Static(ttl))]),
        },
    ))
}

/// Arguments as an object. A blank text is an empty object: models write it for a function without arguments.
pub(super) fn object<S: Output>(
    arguments: Tree<S>,
    call_ref: CallRef,
    at: Position,
) -> Result<Payload<S>, RuleViolation> {
    let problem = match arguments {
        Tree::Map(_) => match Payload::from_tree(arguments) {
            object if has_too_large_number(&object) => TOO_LARGE,
            object => return Ok(object),
        },
        Tree::Text(text) if is_blank(&text) => return Ok(Payload::Map(Vec::new())),
        Tree::Text(text) => match text.with_str(Payload::from_json_text) {
            Some(object) if has_too_large_number(&object) => TOO_LARGE,
            Some(object @ Payload::Map(_)) => return Ok(object),
            Some(_) => "are not a JSON object",
            None => "are not JSON",
        },
        _ => "are not an object",
    };
    let hint = "write the arguments as a mapping";
    Err(RuleViolation::new(at, format!("the arguments of {call_ref} {problem}"), hint))
}

/// Arguments as an object. Those that are not JSON are sent as a text in an object, if that is allowed.
pub(super) fn object_or_text<S: Output>(
    arguments: Tree<S>,
    call_ref: CallRef,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<Payload<S>> {
    let broken = match &arguments {
        Tree::Text(text) => text.with_str(|text| {
            let is_broken = !text.trim().is_empty() && Payload::<S>::from_json_text(text).is_none();
            is_broken.then(|| text.to_owned())
        }),
        _ => None,
    };
    match (object(arguments, call_ref, at), broken) {
        (Err(violation), Some(text)) => {
            if let Some(object) = repaired(&text) {
                return violations.handle(violation, REPAIRED).map(|()| object);
            }
            violations.handle(violation, "sent as `_invalid_json`")?;
            Ok(Payload::map([("_invalid_json", Payload::String(text))]))
        }
        (Err(violation), None) => violations.refuse(violation).map(|()| Payload::Map(Vec::new())),
        (Ok(object), _) => Ok(object),
    }
}

/// What is done with arguments whose mistakes have only one meaning.
pub(super) const REPAIRED: &str = "repaired";

/// The object that arguments mean that are not JSON, if their mistakes have only one meaning.
pub(super) fn repaired<S>(text: &str) -> Option<Payload<S>> {
    let answer = output::parse(text, AnswerOptions { strict: false, dict: true }).ok()?;
    let is_certain = |repair: &Repair| {
        matches!(
            repair.kind,
            RepairKind::Fence
                | RepairKind::TrailingComma
                | RepairKind::SingleQuotes
                | RepairKind::Comment
                | RepairKind::UnquotedKey
                | RepairKind::PythonWord
                | RepairKind::ControlCharacter
        )
    };
    let is_certain = answer.open == 0 && answer.repairs.iter().all(is_certain);
    is_certain.then(|| Payload::from_parsed(answer.parsed)).filter(|object| !has_too_large_number(object))
}

const TOO_LARGE: &str = "have a number that is too large for an object";

/// Whether a number is beyond the range of floats, or has more digits than Python converts by default.
fn has_too_large_number<S>(payload: &Payload<S>) -> bool {
    const DIGITS: usize = 4300;
    match payload {
        Payload::ExactNumber(text) if text.contains(['.', 'e', 'E']) => {
            text.parse().is_ok_and(|number: f64| number.is_infinite())
        }
        Payload::ExactNumber(text) => text.trim_start_matches('-').len() > DIGITS,
        Payload::List(items) => items.iter().any(has_too_large_number),
        Payload::Map(members) => members.iter().any(|(_, value)| has_too_large_number(value)),
        _ => false,
    }
}

/// The violation of a failed call's result for a provider that has no flag for it.
pub(super) fn error_flag(provider: &str, at: Position) -> RuleViolation {
    let hint = "remove `is_error`, and say in the content that the call failed";
    RuleViolation::new(at, format!("{provider} does not accept `is_error`"), hint)
}

/// The kind of a part, for error messages.
pub(super) fn part_kind<S>(body: &PartBody<S>) -> &'static str {
    match body {
        PartBody::Text(_) => "a text",
        PartBody::ImageUrl { .. } | PartBody::Image { .. } | PartBody::UploadedImage { .. } => "an image",
        PartBody::Audio { .. } => "audio",
        PartBody::File(_) => "a file",
        PartBody::SearchResult(_) => "a search result",
    }
}

/// The violation if a part other than text has no content.
pub(super) fn empty_part<S: Output>(body: &PartBody<S>, index: usize, at: Position) -> Option<RuleViolation> {
    let is_empty = match body {
        PartBody::Text(_) => false,
        PartBody::ImageUrl { url, .. } => url.is_empty(),
        PartBody::Image { media_type, data } => media_type.is_empty() || data.is_empty(),
        PartBody::Audio { data, .. } => data.is_empty(),
        PartBody::UploadedImage { file_id, .. } => file_id.is_empty(),
        PartBody::File(file) => file.source().is_none_or(S::is_empty),
        PartBody::SearchResult(result) => result.content.iter().all(is_blank),
    };
    is_empty.then(|| {
        let (lacks, hint) = match body {
            PartBody::SearchResult(_) => ("text", "remove the part, or give it text"),
            PartBody::UploadedImage { .. } => ("a file id", "remove the part, or give it a file id"),
            PartBody::File(_) => {
                ("a file id, a URL, data or text", "remove the part, or give it one of them")
            }
            _ => ("a URL or data", "remove the part, or give it a URL or data"),
        };
        let problem = format!("part {index} is {} without {lacks}", part_kind(body));
        RuleViolation::new(at, problem, hint)
    })
}

/// Makes a refusal the content if there is none. Only Chat Completions has a field for refusals.
pub(super) fn refusal_as_content<S: Output>(
    message: &mut Message<S>,
    provider: &str,
    at: Position,
    violations: &mut ViolationHandler<'_>,
) -> Result<()> {
    let Some(refusal) = message.refusal.take().filter(|refusal| !refusal.is_empty()) else { return Ok(()) };
    let hint = "write the refusal as the content of the message";
    let done = if message.content.is_none() { "sent as the content" } else { LEFT_OUT };
    violations.handle(RuleViolation::new(at, format!("{provider} does not accept `refusal`"), hint), done)?;
    message.content.get_or_insert(Content::Text(refusal));
    Ok(())
}

/// Base64 data as a `data:` URL.
pub(super) fn data_url<S: Output>(media_type: &S, data: &Payload<S>) -> String {
    media_type.with_str(|media_type| {
        data.with_str(|data| format!("data:{media_type};base64,{data}")).unwrap_or_default()
    })
}

/// The file with the data of a `data:` URL under `file_data`.
pub(super) fn with_inline_data<S: Output>(mut file: FilePart<S>) -> FilePart<S> {
    if file.file_data.is_none() {
        file.file_data = file.url.take_if(|url| url.with_str(media_type::is_data_url));
    }
    file
}

/// Base64 data as the providers read them: in the standard alphabet, with padding and without line breaks.
pub(super) fn plain_base64<S: Output>(
    data: S,
    index: usize,
    at: Position,
) -> Result<Payload<S>, RuleViolation> {
    let plain = data.with_str(|data| base64::plain(data).map(into_respelled));
    let respelled = plain.ok_or_else(|| not_base64(index, at))?;
    Ok(respelled.map_or(Payload::Text(data), Payload::String))
}

/// The same for the data of a `data:` URL. Any other address stays as it is.
pub(super) fn plain_data_url<S: Output>(
    url: S,
    index: usize,
    at: Position,
) -> Result<Payload<S>, RuleViolation> {
    let respelled = url.with_str(|url| {
        let Some((_, data)) = media_type::data_url(url) else { return Ok(None) };
        let plain = base64::plain(data).ok_or_else(|| not_base64(index, at))?;
        let header = &url[..url.len() - data.len()];
        Ok(into_respelled(plain).map(|plain| format!("{header}{plain}")))
    })?;
    Ok(respelled.map_or(Payload::Text(url), Payload::String))
}

/// The text, if it is another spelling.
pub(super) fn into_respelled(text: Cow<'_, str>) -> Option<String> {
    match text {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}

pub(super) fn not_base64(index: usize, at: Position) -> RuleViolation {
    RuleViolation::new(at, format!("the data of part {index} are not base64"), "encode the data in base64")
}

/// The text of a document, below its title.
pub(super) fn document_text<S: Output>(text: S, title: Option<S>) -> Payload<S> {
    match title {
        None => Payload::Text(text),
        Some(title) => {
            Payload::String(title.with_str(|title| text.with_str(|text| format!("{title}\n\n{text}"))))
        }
    }
}

/// The title, source and texts of a search result.
pub(super) fn search_text<S: Output>(result: &SearchResultPart<S>) -> String {
    let mut joined = result.title.with_str(str::to_owned);
    joined.push('\n');
    result.source.with_str(|source| joined.push_str(source));
    for text in &result.content {
        joined.push_str("\n\n");
        text.with_str(|text| joined.push_str(text));
    }
    joined
}
