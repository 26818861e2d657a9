//! Anthropic's Messages: `system` apart, then turns of the user and the assistant that alternate.
//!
//! Calls are `tool_use` blocks in the assistant's turns and results are `tool_result` blocks in the user's, so the
//! messages are walked once and gathered into turns; what a block looks like is in `blocks`.

mod blocks;

use super::form::{Form, member};
use super::report::{Fault, Judge, Position, Report};
use super::rules::{self, DROPPED, FUNCTION_ID, Ids, LEFT_OUT, Link, PASSED_ON, Pairing, Which};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Content, Message, Role};
use crate::template::Output;
use blocks::Said;

/// How to convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that the user names")]
pub struct Options {
    /// Refuse what would need a lossy step.
    pub strict: bool,
    /// Join several system messages at the start, in strict mode too.
    pub merge_system: bool,
    /// Merge consecutive turns of one role, in strict mode too.
    pub merge_turns: bool,
    /// Let the conversation end with an assistant's turn, which the model then continues.
    pub allow_prefill: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: true, merge_system: false, merge_turns: false, allow_prefill: false }
    }
}

/// Anthropic's word for a role.
///
/// # Errors
/// [`Kind::Conversion`] for system and developer, which are no turns.
pub fn map_role(role: Role) -> Result<&'static str> {
    match role {
        Role::User | Role::Function | Role::Tool => Ok("user"),
        Role::Assistant => Ok("assistant"),
        Role::System | Role::Developer => {
            let message = format!("Unsupported role for Anthropic: {}", role.as_str());
            Err(Error::new(Kind::Conversion, message)
                .with_hint("system and developer messages go to the top-level `system`"))
        }
    }
}

/// Checks that turns begin with the user's and alternate. Roles are Anthropic's; no roles are fine.
///
/// # Errors
/// [`Kind::Conversion`] with the place of the first role that breaks the order.
pub fn validate_alternation(roles: &[&str]) -> Result<()> {
    if roles.first().is_some_and(|role| *role != "user") {
        return Err(Error::new(Kind::Conversion, USER_FIRST).with_hint(USER_FIRST_HINT));
    }
    match roles.windows(2).position(|pair| pair[0] == pair[1]) {
        Some(index) => Err(Error::new(Kind::Conversion, must_alternate(index + 1)).with_hint(ALTERNATE_HINT)),
        None => Ok(()),
    }
}

const USER_FIRST: &str = "First message must be from user in Anthropic format";
const USER_FIRST_HINT: &str = "begin the conversation with a user message";
const ALTERNATE_HINT: &str = "join the messages, or pass merge_turns=True";

fn must_alternate(position: usize) -> String {
    format!("Messages must alternate roles (position {position})")
}

/// The object `{"system": …, "messages": […]}`, without `system` where there is none.
///
/// # Errors
/// [`Kind::Conversion`] where the API would refuse the conversation, or where it holds what the options do not
/// allow; without `strict` only where nothing lawful is near.
pub fn request<S: Output>(
    messages: Vec<Message<S>>,
    options: &Options,
    report: &mut Report,
) -> Result<Form<S>> {
    if messages.is_empty() {
        return Err(rules::no_messages());
    }
    let mut conversation = Conversation {
        options,
        judge: Judge::new(options.strict, report),
        ids: Ids::of(&messages),
        pairing: Pairing::default(),
        system: Vec::new(),
        turns: Vec::with_capacity(messages.len()),
        walked: 0,
        hints: 0,
    };
    for (index, message) in messages.into_iter().enumerate() {
        conversation.add(message, index)?;
    }
    conversation.finish()
}

/// What the walk over the messages has gathered.
struct Conversation<'a, S> {
    options: &'a Options,
    judge: Judge<'a>,
    ids: Ids,
    pairing: Pairing,
    system: Vec<Said<S>>,
    turns: Vec<Turn<S>>,
    /// How many messages other than system messages there were.
    walked: usize,
    /// How many cache hints there were.
    hints: usize,
}

/// Consecutive messages of one side.
struct Turn<S> {
    speaker: &'static str,
    said: Said<S>,
    /// How many of its blocks, all at its start, are tool results.
    results: usize,
    /// The last message in it.
    last: Position,
}

impl<S: Output> Conversation<'_, S> {
    fn add(&mut self, mut message: Message<S>, index: usize) -> Result<()> {
        let at = Position { index, role: message.role };
        rules::check_fields(&mut message, at, &mut self.judge)?;
        self.limit_hints(&mut message, at)?;
        if message.role != Role::Function && message.name.take().is_some() {
            let hint = "remove `name`, or say in the content who speaks";
            self.judge.lossy(Fault::new(at, "Anthropic takes no `name`", hint), LEFT_OUT)?;
        }
        if matches!(message.role, Role::System | Role::Developer) {
            return self.add_system(message, at);
        }
        self.walked += 1;
        match message.role {
            Role::Tool | Role::Function => self.add_result(message, at),
            _ => self.add_turn(message, at),
        }
    }

    /// Leaves out the cache hints beyond those that the API takes in a request.
    fn limit_hints(&mut self, message: &mut Message<S>, at: Position) -> Result<()> {
        let one_block = message.tool_calls.is_empty() && message.function_call.is_none();
        let parts = match &mut message.content {
            Some(Content::Parts(parts)) => &mut parts[..],
            _ => &mut [],
        };
        // The message's own hint goes on its last block, and falls away where that has one.
        let falls_away = one_block
            && !matches!(message.role, Role::Tool | Role::Function)
            && parts.last().is_some_and(|part| part.cache.is_some());
        if falls_away {
            message.cache = None;
        }
        for hint in parts.iter_mut().map(|part| &mut part.cache).chain([&mut message.cache]) {
            if hint.is_none() {
                continue;
            }
            if self.hints == MOST_HINTS {
                let remedy = "keep the hints after the longest parts that stay the same";
                let problem = "more than the four cache hints that Anthropic takes in a request";
                self.judge.lossy(Fault::new(at, problem, remedy), LEFT_OUT)?;
                *hint = None;
            } else {
                self.hints += 1;
            }
        }
        Ok(())
    }

    fn add_system(&mut self, message: Message<S>, at: Position) -> Result<()> {
        if self.walked > 0 {
            let problem = "Anthropic supports only one system message, before the first turn";
            let hint = "move it to the start, or say it in a user message";
            self.judge.lossy(Fault::new(at, problem, hint), "moved to the start")?;
        } else if !self.system.is_empty() && self.options.strict && !self.options.merge_system {
            let hint = "join the system messages, or pass merge_system=True";
            return Err(Fault::new(at, "Anthropic supports only one system message", hint).into());
        }
        match blocks::say(message.content, at, &mut self.judge)? {
            Some(said) => {
                let said = said.cached(message.cache.as_ref(), at, &mut self.judge)?;
                self.system.push(said);
                Ok(())
            }
            None => self.judge.lossy(empty(at), DROPPED),
        }
    }

    /// A user's or assistant's message.
    fn add_turn(&mut self, mut message: Message<S>, at: Position) -> Result<()> {
        rules::refusal_as_content(&mut message, "Anthropic", at, &mut self.judge)?;
        let said = blocks::say(message.content, at, &mut self.judge)?;
        if said.is_none() && message.tool_calls.is_empty() && message.function_call.is_none() {
            return self.judge.lossy(empty(at), DROPPED);
        }
        self.begin(at)?;
        let mut said = said.unwrap_or_else(Said::nothing);
        for (index, call) in message.tool_calls.into_iter().enumerate() {
            let which = Which::Tool(index);
            let sent = self.call_id(&call.id, which, at)?;
            let id = sent.map_or(Form::Text(call.id), Form::String);
            said.blocks_mut().push(blocks::tool_use(id, call.function, which, at)?);
        }
        if let Some(call) = message.function_call {
            let id = self.ids.fresh(FUNCTION_ID);
            call.name.with_str(|name| {
                self.pairing.call(Link::Name, name, Some(id.clone()), Which::Function, at);
            });
            said.blocks_mut().push(blocks::tool_use(Form::String(id), call, Which::Function, at)?);
        }
        let said = said.cached(message.cache.as_ref(), at, &mut self.judge)?;
        if let Some(turn) = self.turns.last_mut() {
            turn.said.append(said);
        }
        Ok(())
    }

    /// A tool's or function's message.
    fn add_result(&mut self, message: Message<S>, at: Position) -> Result<()> {
        let said = blocks::say(message.content, at, &mut self.judge)?;
        if said.is_none() && message.role == Role::Tool {
            // The result itself must stay, or its call would have none.
            self.judge.lossy(empty(at), "sent without content")?;
        }
        self.begin(at)?;
        let id = match (message.tool_call_id, message.name) {
            (Some(id), _) => self.result_id(id, at)?,
            (None, Some(name)) => self.function_id(&name, at)?,
            (None, None) => return Ok(()),
        };
        let mut result = Vec::with_capacity(4);
        result.push(member("type", Form::Static("tool_result")));
        result.push(member("tool_use_id", id));
        result.extend(said.map(|said| member("content", said.into_form())));
        if let Some(cache) = &message.cache {
            result.push(rules::cache_control(cache, at, &mut self.judge)?);
        }
        if let Some(turn) = self.turns.last_mut() {
            // The API wants the results before anything else that the user says.
            turn.said.blocks_mut().insert(turn.results, Form::Map(result));
            turn.results += 1;
        }
        Ok(())
    }

    /// Makes the last turn one that a message with something to say belongs to.
    fn begin(&mut self, at: Position) -> Result<()> {
        let speaker = map_role(at.role)?;
        match self.turns.last_mut() {
            Some(turn) if turn.speaker == speaker => {
                let after_result = matches!(turn.last.role, Role::Tool | Role::Function);
                if !after_result && self.options.strict && !self.options.merge_turns {
                    let problem = must_alternate(self.walked - 1);
                    return Err(Fault::new(at, problem, ALTERNATE_HINT).into());
                }
                turn.last = at;
                return Ok(());
            }
            None if speaker != "user" => {
                self.judge.lossy(Fault::new(at, USER_FIRST, USER_FIRST_HINT), PASSED_ON)?;
            }
            _ => {}
        }
        if speaker == "assistant" {
            self.close()?;
        }
        self.turns.push(Turn { speaker, said: Said::nothing(), results: 0, last: at });
        Ok(())
    }

    /// Ends the pairing of the calls so far; whether one was left open.
    fn close(&mut self) -> Result<bool> {
        let open = self.pairing.close();
        let any = !open.is_empty();
        for fault in open {
            self.judge.lossy(fault, PASSED_ON)?;
        }
        Ok(any)
    }

    /// Notes a tool call; gives the id to send where that is not its own.
    fn call_id(&mut self, id: &S, which: Which, at: Position) -> Result<Option<String>> {
        id.with_str(|id| {
            let sent = match self.pairing.duplicate(id, which, at) {
                Some(fault) => {
                    self.judge.lossy(fault, "given an id of its own")?;
                    Some(self.ids.fresh(id))
                }
                None => self.ids.rewrite(id),
            };
            self.pairing.call(Link::Id, id, sent.clone(), which, at);
            Ok(sent)
        })
    }

    /// The id that a tool's result refers to.
    fn result_id(&mut self, id: S, at: Position) -> Result<Form<S>> {
        let sent = id.with_str(|id| match self.pairing.answer(Link::Id, id, at) {
            Ok(sent) => Ok(sent),
            Err(fault) => self.judge.lossy(fault, PASSED_ON).map(|()| self.ids.rewrite(id)),
        })?;
        Ok(sent.map_or(Form::Text(id), Form::String))
    }

    /// The id that a function's result refers to: the one that was made for its call.
    fn function_id(&mut self, name: &S, at: Position) -> Result<Form<S>> {
        let sent = name.with_str(|name| match self.pairing.answer(Link::Name, name, at) {
            Ok(sent) => Ok(sent),
            Err(fault) => self.judge.lossy(fault, PASSED_ON).map(|()| None),
        })?;
        Ok(Form::String(sent.unwrap_or_else(|| self.ids.fresh(FUNCTION_ID))))
    }

    fn finish(mut self) -> Result<Form<S>> {
        let open = self.close()?;
        let Some(last) = self.turns.last_mut() else {
            let problem = if self.walked > 0 {
                "nothing is left of the conversation: its turns are empty"
            } else {
                "the conversation has only system messages"
            };
            return Err(Error::new(Kind::Conversion, problem)
                .with_hint("Anthropic needs at least one user message with content"));
        };
        if last.speaker == "assistant" {
            if !open && !self.options.allow_prefill {
                let hint = "end with a user message, or pass allow_prefill=True for a model that takes it";
                let fault = Fault::new(last.last, "the last turn is the assistant's", hint);
                self.judge.lossy(fault, PASSED_ON)?;
            }
            if let Some(text) = last.said.last_text()
                && let Some(Some(trimmed)) = text.with_str(without_end)
            {
                let hint = "trim the end of the assistant's last message";
                let fault = Fault::new(last.last, "the assistant's last turn ends with white space", hint);
                self.judge.lossy(fault, "stripped")?;
                *text = Form::String(trimmed);
            }
        }
        let messages = self.turns.into_iter().map(|turn| {
            Form::map([("role", Form::Static(turn.speaker)), ("content", turn.said.into_form())])
        });
        let messages = member("messages", Form::List(messages.collect()));
        Ok(Form::Map(match blocks::system(self.system) {
            Some(system) => vec![member("system", system), messages],
            None => vec![messages],
        }))
    }
}

/// How many cache hints the API takes in a request.
const MOST_HINTS: usize = 4;

/// The text without the white space at its end, where there is some.
fn without_end(text: &str) -> Option<String> {
    let trimmed = text.trim_end();
    (trimmed.len() < text.len()).then(|| trimmed.to_owned())
}

fn empty(at: Position) -> Fault {
    Fault::new(at, "the content is empty", "give it content, or leave the message out")
}
