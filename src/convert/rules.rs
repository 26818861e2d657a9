//! What the rules of the providers share: which fields a role may have, what a name looks like, and how calls and
//! their results pair up.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde_json::Value;

use super::form::{Form, Member, member};
use super::report::{Fault, Judge, Position};
use crate::error::{Error, Kind, Result};
use crate::prompt::{CacheHint, Content, FunctionCall, Message, PartBody, Role, ToolCall, Tree};
use crate::template::Output;

/// What is done about a fault that has no lawful way out.
pub(super) const PASSED_ON: &str = "passed on as it is";
/// What is done with a field that has no place.
pub(super) const LEFT_OUT: &str = "left out";
/// What is done with a message or part that has no place.
pub(super) const DROPPED: &str = "dropped";

/// Whether names and ids may be spelt like this: `^[a-zA-Z0-9_-]+$`.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The error for a conversation without messages.
pub(super) fn no_messages() -> Error {
    Error::new(Kind::Conversion, "the conversation has no messages").with_hint(
        "a prompt needs at least one message; a placeholder may have been filled with an empty list",
    )
}

/// Which of a message's calls is meant, for error texts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// The tool call at this place in the list.
    Tool(usize),
    /// The call in the old form.
    Function,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool(index) => write!(f, "tool call {index}"),
            Self::Function => f.write_str("the function call"),
        }
    }
}

/// Checks that a message has the fields that its role needs, whoever the provider is, and removes from it a field
/// that its role cannot have.
pub(super) fn check_fields<S: Output>(
    message: &mut Message<S>,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<()> {
    if message.role != Role::Tool && message.tool_call_id.take().is_some() {
        let hint = "only a tool message answers a call; remove `tool_call_id` or change the role to `tool`";
        judge.lossy(Fault::new(at, "`tool_call_id` on a message that is not a tool's", hint), LEFT_OUT)?;
    }
    if message.role != Role::Assistant && message.refusal.take().is_some() {
        let hint = "only the assistant refuses; remove `refusal` or change the role to `assistant`";
        judge.lossy(Fault::new(at, "`refusal` on a message that is not the assistant's", hint), LEFT_OUT)?;
    }
    match message.role {
        Role::Tool if message.tool_call_id.as_ref().is_none_or(S::is_empty) => {
            let hint = "set `tool_call_id` to the id of the tool call that it answers";
            return Err(Fault::new(at, "a tool message without `tool_call_id`", hint).into());
        }
        Role::Function if message.name.as_ref().is_none_or(S::is_empty) => {
            let hint = "set `name` to the name of the function that was called";
            return Err(Fault::new(at, "a function message without `name`", hint).into());
        }
        _ => {}
    }
    if message.tool_calls.is_empty() && message.function_call.is_none() {
        return Ok(());
    }
    if message.role != Role::Assistant {
        let hint = "only an assistant message makes calls; move them to one";
        return Err(Fault::new(at, "calls on a message that is not the assistant's", hint).into());
    }
    if message.function_call.is_some() && !message.tool_calls.is_empty() {
        let hint = "write the function call as one of the `tool_calls`";
        return Err(Fault::new(at, "both `tool_calls` and `function_call`", hint).into());
    }
    for (index, call) in message.tool_calls.iter().enumerate() {
        check_call(call, index, at, judge)?;
    }
    message.function_call.as_ref().map_or(Ok(()), |call| check_function(call, Which::Function, at, judge))
}

fn check_call<S: Output>(
    call: &ToolCall<S>,
    index: usize,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<()> {
    if call.id.is_empty() {
        let hint = "give it an `id` that its result refers to";
        return Err(Fault::new(at, format!("{} has no id", Which::Tool(index)), hint).into());
    }
    check_function(&call.function, Which::Tool(index), at, judge)
}

fn check_function<S: Output>(
    call: &FunctionCall<S>,
    which: Which,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<()> {
    if call.name.is_empty() {
        let hint = "say which function is called";
        return Err(Fault::new(at, format!("{which} has no name"), hint).into());
    }
    if !call.name.with_str(is_name) {
        let problem = format!("the name of {which} has characters other than letters, digits, `_` and `-`");
        judge.lossy(Fault::new(at, problem, "rename the function"), PASSED_ON)?;
    }
    Ok(())
}

/// Which sort of call a result answers, and by what it refers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// By the id of a tool call.
    Id,
    /// By the name of a function.
    Name,
}

/// Pairs calls and results while a conversation is walked: every call is answered before the next turn, once, and
/// nothing is answered that was not called.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    /// The calls of the turn that is being answered.
    calls: Vec<Call>,
    /// Every id so far.
    ids: HashSet<String>,
}

#[derive(Debug)]
struct Call {
    link: Link,
    key: String,
    at: Position,
    which: Which,
    /// The id under which it is sent, where that is not the key.
    sent: Option<String>,
    answered: bool,
}

impl Pairing {
    /// Whether no call waits for its result.
    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether an earlier tool call has this id.
    pub(super) fn duplicate(&self, id: &str, which: Which, at: Position) -> Option<Fault> {
        self.ids.contains(id).then(|| {
            let hint = "every tool call of a conversation needs an id of its own";
            Fault::new(at, format!("{which} has the id of an earlier tool call"), hint)
        })
    }

    /// Notes a call that waits for its result. `sent` is the id that goes to the provider where it is not `key`.
    pub(super) fn call(&mut self, link: Link, key: &str, sent: Option<String>, which: Which, at: Position) {
        if link == Link::Id {
            self.ids.insert(key.to_owned());
        }
        self.calls.push(Call { link, key: key.to_owned(), at, which, sent, answered: false });
    }

    /// Notes a result; gives the id under which its call was sent where that is not `key`.
    pub(super) fn answer(&mut self, link: Link, key: &str, at: Position) -> Result<Option<String>, Fault> {
        let mut answered = false;
        for call in &mut self.calls {
            if call.link == link && call.key == key {
                if !call.answered {
                    call.answered = true;
                    return Ok(call.sent.clone());
                }
                answered = true;
            }
        }
        Err(if answered {
            Fault::new(at, "a second result for the same call", "keep one result for each call")
        } else {
            let problem = "a result whose call was not made in the assistant's turn before it";
            Fault::new(at, problem, "put it right after the assistant message that makes the call")
        })
    }

    /// Ends the turn: the calls that are still open.
    pub(super) fn close(&mut self) -> Vec<Fault> {
        self.calls
            .drain(..)
            .filter(|call| !call.answered)
            .map(|call| {
                let hint = "answer every call before the next turn, or remove the call";
                Fault::new(call.at, format!("{} has no result", call.which), hint)
            })
            .collect()
    }
}

/// Gives ids that match the name pattern and collide with no other id of the conversation; the same ones whenever
/// the same conversation is converted.
#[derive(Debug, Default)]
pub(super) struct Ids {
    taken: HashSet<String>,
    renamed: HashMap<String, String>,
    made: usize,
}

impl Ids {
    /// Knows the ids that stay as they are, so that no new one collides with them.
    pub(super) fn of<S: Output>(messages: &[Message<S>]) -> Self {
        let calls = messages.iter().flat_map(|message| message.tool_calls.iter().map(|call| &call.id));
        let results = messages.iter().filter_map(|message| message.tool_call_id.as_ref());
        let ids = calls.chain(results);
        let taken = ids.filter_map(|id| id.with_str(|id| is_name(id).then(|| id.to_owned()))).collect();
        Self { taken, ..Self::default() }
    }

    /// What to send for this id, if not the id itself: always the same for the same id.
    pub(super) fn rewrite(&mut self, id: &str) -> Option<String> {
        if is_name(id) {
            return None;
        }
        if let Some(known) = self.renamed.get(id) {
            return Some(known.clone());
        }
        let new = self.fresh(id);
        self.renamed.insert(id.to_owned(), new.clone());
        Some(new)
    }

    /// An id that nothing has, much like `base`.
    pub(super) fn fresh(&mut self, base: &str) -> String {
        let spell = |c: char| if u8::try_from(c).is_ok_and(is_name_byte) { c } else { '_' };
        let base: String = base.chars().map(spell).collect();
        let mut id = base.clone();
        while !self.taken.insert(id.clone()) {
            // One counter for the whole conversation, so that many equal ids do not each count from 1.
            self.made += 1;
            id = format!("{base}_{}", self.made);
        }
        id
    }
}

/// What the made-up ids of calls in the old form begin with.
pub(super) const FUNCTION_ID: &str = "function_call";

/// The key of a cache hint.
pub(super) const CACHE_CONTROL: &str = "cache_control";

/// The member that a cache hint becomes, in the form of Anthropic, which LiteLLM takes too.
pub(super) fn cache_control<S>(cache: &CacheHint, at: Position, judge: &mut Judge<'_>) -> Result<Member<S>> {
    let ttl = match cache.ttl.as_deref() {
        None => None,
        Some("5m") => Some("5m"),
        Some("1h") => Some("1h"),
        Some(_) => {
            let fault =
                Fault::new(at, "the cache hint has a `ttl` that Anthropic does not know", "use 5m or 1h");
            judge.lossy(fault, LEFT_OUT)?;
            None
        }
    };
    let kind = ("type", Form::Static("ephemeral"));
    Ok(member(
        CACHE_CONTROL,
        match ttl {
            None => Form::map([kind]),
            Some(ttl) => Form::map([kind, ("ttl", Form::Static(ttl))]),
        },
    ))
}

/// Arguments as an object. No text at all is an empty one, as models write it for a function that takes nothing.
pub(super) fn object<S: Output>(arguments: Tree<S>, which: Which, at: Position) -> Result<Form<S>, Fault> {
    let problem = match arguments {
        Tree::Map(_) => return Ok(Form::of_tree(arguments)),
        Tree::Text(text) if is_blank(&text) => return Ok(Form::Map(Vec::new())),
        Tree::Text(text) => match text.with_str(|text| serde_json::from_str::<Value>(text)) {
            Ok(value @ Value::Object(_)) => return Ok(Form::of_json(value)),
            Ok(_) => "are not a JSON object",
            Err(_) => "are not JSON",
        },
        _ => "are not an object",
    };
    let hint = "write the arguments as a mapping";
    Err(Fault::new(at, format!("the arguments of {which} {problem}"), hint))
}

/// What a part is, for error texts.
pub(super) fn part_kind<S>(body: &PartBody<S>) -> &'static str {
    match body {
        PartBody::Text(_) => "a text",
        PartBody::ImageUrl { .. } | PartBody::Image { .. } => "an image",
        PartBody::Audio { .. } => "audio",
        PartBody::File { .. } => "a file",
    }
}

/// A part other than text that lacks what it is there for.
pub(super) fn hollow_part<S: Output>(body: &PartBody<S>, index: usize, at: Position) -> Option<Fault> {
    let lacks = |text: &Option<S>| text.as_ref().is_none_or(S::is_empty);
    let hollow = match body {
        PartBody::Text(_) => false,
        PartBody::ImageUrl { url, .. } => url.is_empty(),
        PartBody::Image { media_type, data } => media_type.is_empty() || data.is_empty(),
        PartBody::Audio { data, .. } => data.is_empty(),
        PartBody::File { file_id, file_data, .. } => lacks(file_id) && lacks(file_data),
    };
    hollow.then(|| {
        let problem = format!("part {index} is {} without an address or data", part_kind(body));
        Fault::new(at, problem, "remove the part, or fill it")
    })
}

/// Takes a refusal, for which only Chat Completions has a form: what it says becomes the content where there is none.
pub(super) fn refusal_as_content<S: Output>(
    message: &mut Message<S>,
    provider: &str,
    at: Position,
    judge: &mut Judge<'_>,
) -> Result<()> {
    let Some(refusal) = message.refusal.take().filter(|refusal| !refusal.is_empty()) else { return Ok(()) };
    let hint = "write the refusal as the content";
    let done = if message.content.is_none() { "sent as the content" } else { LEFT_OUT };
    judge.lossy(Fault::new(at, format!("{provider} takes no `refusal`"), hint), done)?;
    message.content.get_or_insert(Content::Text(refusal));
    Ok(())
}

/// Base64 as a `data:` address.
pub(super) fn data_url<S: Output>(media_type: &S, data: &S) -> String {
    media_type.with_str(|media_type| data.with_str(|data| format!("data:{media_type};base64,{data}")))
}

/// Whether there is nothing to read in it.
pub(super) fn is_blank<S: Output>(text: &S) -> bool {
    text.is_empty() || text.with_str(|text| text.trim().is_empty())
}
