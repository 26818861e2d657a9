//! Converts to Anthropic's Messages API: `system` on its own, then turns that alternate between user and assistant.
//!
//! Calls are `tool_use` blocks in the turns of the assistant and results are `tool_result` blocks in those of the user,
//! so the messages are collected into turns one by one. The module `blocks` makes the blocks.

mod blocks;
mod own_blocks;

use super::cache_hints::CacheHints;
use super::carried;
use super::payload::{Member, Payload, member, put};
use super::report::{Position, Report, RuleViolation, ViolationHandler};
use super::rules::{self, CallRef, DROPPED, IdRewriter, LEFT_OUT, PASSED_ON};
use super::sent_calls::SentCalls;
use crate::error::{Error, Kind, Result};
use crate::prompt::{CacheHint, Carried, Content, Message, Role, ToolCall, Tree};
use crate::template::Output;
use blocks::TurnContent;

/// The options of the conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that the user names")]
pub struct AnthropicOptions {
    /// Fail instead of changing or dropping something.
    pub strict: bool,
    /// Join several system messages at the start, even in strict mode.
    pub merge_system: bool,
    /// Merge consecutive messages of one role, even in strict mode.
    pub merge_turns: bool,
    /// Allow the conversation to end with an assistant message, which the model then continues.
    pub allow_prefill: bool,
    /// Allow the conversation to begin with an assistant message.
    pub allow_assistant_first: bool,
    /// Send system messages after the first turn in their place, which newer models accept.
    pub inline_system: bool,
}

impl Default for AnthropicOptions {
    fn default() -> Self {
        Self {
            strict: true,
            merge_system: false,
            merge_turns: false,
            allow_prefill: false,
            allow_assistant_first: false,
            inline_system: false,
        }
    }
}

/// Anthropic's name for a role.
///
/// # Errors
/// [`Kind::Conversion`] for system and developer, which have no turns.
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

/// Checks that the roles begin with `user` and alternate. They are Anthropic's roles. An empty list is valid.
///
/// # Errors
/// [`Kind::Conversion`] with the position of the first role that breaks the order.
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
const USER_FIRST_HINT: &str =
    "begin the conversation with a user message, or pass allow_assistant_first=True";
const ALTERNATE_HINT: &str = "join the messages, or pass merge_turns=True";

fn must_alternate(position: usize) -> String {
    format!("Messages must alternate roles (position {position})")
}

/// Converts messages to `{"system": …, "messages": […]}`, without `system` if there is none.
///
/// # Errors
/// [`Kind::Conversion`] if the API would refuse the conversation, or if the options do not allow a part of it. Without
/// `strict`, only if no similar conversation is valid.
pub fn request<S: Output>(
    messages: Vec<Message<S>>,
    options: &AnthropicOptions,
    report: &mut Report,
) -> Result<Payload<S>> {
    if messages.is_empty() {
        return Err(rules::no_messages());
    }
    let mut conversation = Conversation {
        options,
        violations: ViolationHandler::new(options.strict, report),
        calls: SentCalls::new(IdRewriter::from_messages(&messages)),
        system: Vec::new(),
        turns: Vec::with_capacity(messages.len()),
        turn_messages: 0,
        hints: CacheHints::new("Anthropic"),
    };
    for (index, message) in messages.into_iter().enumerate() {
        conversation.add(message, index)?;
    }
    conversation.finish()
}

/// The conversation under construction.
struct Conversation<'a, S> {
    options: &'a AnthropicOptions,
    violations: ViolationHandler<'a>,
    calls: SentCalls,
    system: Vec<TurnContent<S>>,
    turns: Vec<Turn<S>>,
    /// The number of messages so far, without system messages.
    turn_messages: usize,
    hints: CacheHints,
}

/// Consecutive messages of one role.
struct Turn<S> {
    role_name: &'static str,
    content: TurnContent<S>,
    /// The number of tool results. They are its first blocks.
    results: usize,
    /// The keys of a turn of a history beside its role and content.
    beside: Vec<Member<S>>,
    /// The position of its last message.
    last: Position,
}

impl<S: Output> Conversation<'_, S> {
    fn add(&mut self, mut message: Message<S>, index: usize) -> Result<()> {
        let at = Position { index, role: message.role };
        message.keep_portable_hints();
        rules::check_fields(&mut message, at, &mut self.violations)?;
        self.limit_hints(&mut message, at)?;
        if message.role != Role::Function && message.name.take().is_some() {
            let hint = "remove `name`, or write the name in the content";
            self.violations
                .handle(RuleViolation::new(at, "Anthropic does not accept `name`", hint), LEFT_OUT)?;
        }
        if matches!(message.role, Role::System | Role::Developer) {
            if self.turn_messages == 0 || !self.options.inline_system {
                return self.add_system(message, at);
            }
            return self.add_inline_system(message, at);
        }
        self.turn_messages += 1;
        match message.role {
            Role::Tool | Role::Function => self.add_result(message, at),
            _ => self.add_turn(message, at),
        }
    }

    /// Removes the cache hints beyond the number that the API accepts in a request.
    fn limit_hints(&mut self, message: &mut Message<S>, at: Position) -> Result<()> {
        if let Some(carried) = &mut message.carried {
            return self.limit_carried_hints(&mut carried.items, at);
        }
        let one_block = message.tool_calls.is_empty() && message.function_call.is_none();
        let parts = match &mut message.content {
            Some(Content::Parts(parts)) => &mut parts[..],
            _ => &mut [],
        };
        // The message's own hint belongs on its last block, and is dropped if that block has one.
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
            if !self.hints.accept(at, &mut self.violations)? {
                *hint = None;
            } else if let Some(hint) = hint
                && !self.hints.accept_time(hint.ttl() == Some("1h"), at, &mut self.violations)?
            {
                *hint = CacheHint::portable(None);
            }
        }
        Ok(())
    }

    /// The same for blocks that are sent as they came.
    fn limit_carried_hints(&mut self, blocks: &mut [Tree<S>], at: Position) -> Result<()> {
        for block in blocks {
            let Tree::Map(members) = block else { continue };
            if let Some((_, Tree::List(inner))) = members.iter_mut().find(|(key, _)| key == "content") {
                self.limit_carried_hints(inner, at)?;
            }
            let Some(hint) = members.iter().position(|(key, _)| key == rules::CACHE_CONTROL) else {
                continue;
            };
            if self.hints.accept(at, &mut self.violations)? {
                self.hints.note_carried(is_hour(&members[hint].1), at, &mut self.violations);
            } else {
                members.remove(hint);
            }
        }
        Ok(())
    }

    fn add_system(&mut self, message: Message<S>, at: Position) -> Result<()> {
        if self.turn_messages > 0 {
            let problem = "Anthropic supports only one system message, before the first turn";
            let hint = "move it to the start, put its content in a user message, or pass inline_system=True for a \
                        model that accepts it";
            self.violations.handle(RuleViolation::new(at, problem, hint), "moved to the start")?;
        } else if !self.system.is_empty() && !self.options.merge_system {
            let hint = "join the system messages, or pass merge_system=True";
            let violation = RuleViolation::new(at, "Anthropic supports only one system message", hint);
            self.violations.refuse_if_strict(violation)?;
        }
        let content = match message.carried {
            Some(carried) => {
                self.refuse_beside(&carried, at)?;
                self.own_content(*carried, at)?
            }
            None => blocks::turn_content(message.content, at, &mut self.violations)?,
        };
        match content {
            Some(content) => {
                let content = content.cached(message.cache.as_ref(), at, &mut self.violations)?;
                self.system.push(content);
                Ok(())
            }
            None => self.violations.handle(rules::empty_content(at), DROPPED),
        }
    }

    /// The keys of a system turn have no place in the top-level `system`.
    fn refuse_beside(&mut self, carried: &Carried<S>, at: Position) -> Result<()> {
        for (key, _) in &carried.beside {
            let problem = format!("Anthropic accepts `{key}` only in a system message among the turns");
            let hint = "pass inline_system=True for a model that accepts it, or remove the key";
            self.violations.handle(RuleViolation::new(at, problem, hint), LEFT_OUT)?;
        }
        Ok(())
    }

    /// Adds a system message as a turn of its own.
    fn add_inline_system(&mut self, message: Message<S>, at: Position) -> Result<()> {
        self.turn_messages += 1;
        let (content, beside) = match message.carried {
            Some(mut carried) => {
                let beside = std::mem::take(&mut carried.beside);
                (self.own_content(*carried, at)?, carried::members(beside))
            }
            None => (blocks::turn_content(message.content, at, &mut self.violations)?, Vec::new()),
        };
        let Some(content) = content else {
            return self.violations.handle(rules::empty_content(at), DROPPED);
        };
        let content = content.cached(message.cache.as_ref(), at, &mut self.violations)?;
        self.calls.close(&mut self.violations)?;
        self.turns.push(Turn { role_name: SYSTEM, content, results: 0, beside, last: at });
        Ok(())
    }

    /// Adds a user or assistant message.
    fn add_turn(&mut self, mut message: Message<S>, at: Position) -> Result<()> {
        if let Some(carried) = message.carried.take() {
            return self.add_carried_turn(message.tool_calls, *carried, at);
        }
        rules::refusal_as_content(&mut message, "Anthropic", at, &mut self.violations)?;
        let content = blocks::turn_content(message.content, at, &mut self.violations)?;
        if content.is_none() && message.tool_calls.is_empty() && message.function_call.is_none() {
            return self.violations.handle(rules::empty_content(at), DROPPED);
        }
        self.begin(at)?;
        let mut content = content.unwrap_or_else(TurnContent::empty);
        for (index, call) in message.tool_calls.into_iter().enumerate() {
            let call_ref = CallRef::Tool(index);
            let sent = self.calls.tool_call(&call.id, call_ref, at, &mut self.violations)?;
            let id = sent.map_or(Payload::Text(call.id), Payload::String);
            content.blocks_mut().push(blocks::tool_use(
                id,
                call.function,
                call_ref,
                at,
                &mut self.violations,
            )?);
        }
        if let Some(call) = message.function_call {
            let id = Payload::String(self.calls.function_call(&call.name, at));
            let block = blocks::tool_use(id, call, CallRef::Function, at, &mut self.violations)?;
            content.blocks_mut().push(block);
        }
        let content = content.cached(message.cache.as_ref(), at, &mut self.violations)?;
        if let Some(turn) = self.turns.last_mut() {
            turn.content.append(content);
        }
        Ok(())
    }

    /// The blocks of a history as they are sent. `None` if all were dropped.
    fn own_content(&mut self, carried: Carried<S>, at: Position) -> Result<Option<TurnContent<S>>> {
        let blocks = own_blocks::checked(carried::payloads(carried).collect(), at, &mut self.violations)?;
        Ok((!blocks.is_empty()).then(|| TurnContent::of_blocks(blocks)))
    }

    /// Adds a turn in Anthropic's own blocks, among which the calls are.
    fn add_carried_turn(&mut self, calls: Vec<ToolCall<S>>, carried: Carried<S>, at: Position) -> Result<()> {
        let Some(mut content) = self.own_content(carried, at)? else {
            return self.violations.handle(rules::empty_content(at), DROPPED);
        };
        self.begin(at)?;
        let mut calls = calls.into_iter().enumerate();
        for block in content.blocks_mut() {
            if let Payload::Map(block) = block
                && own_blocks::is_kind(block, "tool_use")
                && let Some((index, call)) = calls.next()
            {
                let sent = (&mut self.calls, &mut self.violations);
                own_blocks::write_call(block, call, index, at, sent)?;
            }
        }
        if let Some(turn) = self.turns.last_mut() {
            turn.content.append(content);
        }
        Ok(())
    }

    /// Adds a `tool_result` block.
    fn add_carried_result(&mut self, message: &Message<S>, carried: Carried<S>, at: Position) -> Result<()> {
        let blocks = own_blocks::checked(carried::payloads(carried).collect(), at, &mut self.violations)?;
        self.begin(at)?;
        let id = self.calls.result_id(message, at, &mut self.violations)?;
        let Some(turn) = self.turns.last_mut() else { return Ok(()) };
        for mut block in blocks {
            if let Payload::Map(block) = &mut block {
                put(block, "tool_use_id", Payload::String(id.clone()));
            }
            turn.content.blocks_mut().insert(turn.results, block);
            turn.results += 1;
        }
        Ok(())
    }

    /// Adds a tool or function message.
    fn add_result(&mut self, mut message: Message<S>, at: Position) -> Result<()> {
        if let Some(carried) = message.carried.take() {
            return self.add_carried_result(&message, *carried, at);
        }
        let content = blocks::turn_content(message.content.take(), at, &mut self.violations)?;
        self.begin(at)?;
        let id = Payload::String(self.calls.result_id(&message, at, &mut self.violations)?);
        let mut result = Vec::with_capacity(4);
        result.push(member("type", Payload::Static("tool_result")));
        result.push(member("tool_use_id", id));
        result.extend(content.map(|content| member("content", content.into_payload())));
        result.extend(message.is_error.then(|| member("is_error", Payload::Bool(true))));
        if let Some(cache) = &message.cache {
            result.push(rules::cache_control(cache, "Anthropic", at, &mut self.violations)?);
        }
        if let Some(turn) = self.turns.last_mut() {
            // The API requires results before any other content of the user.
            turn.content.blocks_mut().insert(turn.results, Payload::Map(result));
            turn.results += 1;
        }
        Ok(())
    }

    /// Starts a new turn for a message, or continues the last turn if it has the same role.
    fn begin(&mut self, at: Position) -> Result<()> {
        let role_name = map_role(at.role)?;
        match self.turns.last_mut() {
            Some(turn) if turn.role_name == role_name => {
                let after_result = matches!(turn.last.role, Role::Tool | Role::Function);
                turn.last = at;
                if !after_result && !self.options.merge_turns {
                    let problem = must_alternate(self.turn_messages - 1);
                    let violation = RuleViolation::new(at, problem, ALTERNATE_HINT).of_order();
                    self.violations.refuse_if_strict(violation)?;
                }
                return Ok(());
            }
            None if role_name != "user" && !self.options.allow_assistant_first => {
                self.violations
                    .handle(RuleViolation::new(at, USER_FIRST, USER_FIRST_HINT).of_order(), PASSED_ON)?;
            }
            _ => {}
        }
        if role_name == "assistant" {
            self.calls.close(&mut self.violations)?;
        }
        self.turns.push(Turn {
            role_name,
            content: TurnContent::empty(),
            results: 0,
            beside: Vec::new(),
            last: at,
        });
        Ok(())
    }

    fn finish(mut self) -> Result<Payload<S>> {
        let open = self.calls.close(&mut self.violations)?;
        let Some(last) = self.turns.last_mut() else {
            return Err(rules::no_turns("Anthropic", self.turn_messages > 0));
        };
        if last.role_name == "assistant" {
            if !open && !self.options.allow_prefill {
                let hint = "end with a user message, or pass allow_prefill=True for a model that supports it";
                let violation =
                    RuleViolation::new(last.last, "the last message is from the assistant", hint).of_order();
                self.violations.handle(violation, PASSED_ON)?;
            }
            if let Some(text) = last.content.last_text()
                && let Some(Some(trimmed)) = text.with_str(trimmed_end)
            {
                let hint = "remove the white space at its end";
                let violation =
                    RuleViolation::new(last.last, "the last assistant message ends with white space", hint);
                self.violations.handle(violation, "stripped")?;
                *text = Payload::String(trimmed);
            }
        }
        let messages = self.turns.into_iter().map(|turn| {
            let role = member("role", Payload::Static(turn.role_name));
            let content = member("content", turn.content.into_payload());
            Payload::Map([role, content].into_iter().chain(turn.beside).collect())
        });
        let messages = member("messages", Payload::List(messages.collect()));
        Ok(Payload::Map(match blocks::system(self.system) {
            Some(system) => vec![member("system", system), messages],
            None => vec![messages],
        }))
    }
}

/// Whether a cache hint in Anthropic's format is for an hour.
fn is_hour<S: Output>(hint: &Tree<S>) -> bool {
    let Tree::Map(members) = hint else { return false };
    let is_hour = |value: &Tree<S>| matches!(value, Tree::Text(ttl) if ttl.with_str(|ttl| ttl == "1h"));
    members.iter().any(|(key, value)| key == "ttl" && is_hour(value))
}

/// The role of system messages among the turns.
const SYSTEM: &str = "system";

/// The text without the white space at its end. `None` if there is none.
fn trimmed_end(text: &str) -> Option<String> {
    let trimmed = text.trim_end();
    (trimmed.len() < text.len()).then(|| trimmed.to_owned())
}
