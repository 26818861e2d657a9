//! Converts to Bedrock's Converse API: `system`, and messages that alternate between user and assistant.
//!
//! Calls are `toolUse` blocks of the assistant's messages, and results are `toolResult` blocks of the user's. The module
//! `blocks` makes the blocks.

pub(super) mod arguments;
mod blocks;
mod document_names;
mod own_blocks;
pub(super) mod tool_config;

use super::payload::{Key, Payload, member, put};
use super::report::{Position, Report, RuleViolation, ViolationHandler};
use super::rules::{self, CallRef, DROPPED, IdRewriter, LEFT_OUT, PASSED_ON};
use super::sent_calls::SentCalls;
use crate::error::{Error, Kind, Result};
use crate::prompt::{Carried, FunctionCall, Message, Role, ToolCall, Tree};
use crate::template::Output;
use blocks::BlockWriter;

/// The options of the conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that the user names")]
pub struct BedrockOptions {
    /// Fail instead of changing or dropping something.
    pub strict: bool,
    /// Allow the conversation to end with an assistant message, which the model then continues.
    pub allow_prefill: bool,
    /// Allow the conversation to begin with an assistant message.
    pub allow_assistant_first: bool,
    /// Send system messages after the first turn in their place, which newer models accept.
    pub inline_system: bool,
    /// Send the schema of the answer as a tool that the model must call, for models without structured output.
    pub schema_tool: bool,
}

impl BedrockOptions {
    /// The options without those that a model must support.
    #[must_use]
    pub fn usual(strict: bool) -> Self {
        Self {
            strict,
            allow_prefill: false,
            allow_assistant_first: false,
            inline_system: false,
            schema_tool: false,
        }
    }
}

/// Bedrock's name for a role.
///
/// # Errors
/// [`Kind::Conversion`] for system and developer, which have no turns.
pub fn map_role(role: Role) -> Result<&'static str> {
    match role {
        Role::User | Role::Function | Role::Tool => Ok(USER),
        Role::Assistant => Ok(ASSISTANT),
        Role::System | Role::Developer => {
            let message = format!("Unsupported role for Bedrock: {}", role.as_str());
            Err(Error::new(Kind::Conversion, message)
                .with_hint("system and developer messages go to the top-level `system`"))
        }
    }
}

const USER: &str = "user";
const ASSISTANT: &str = "assistant";
const SYSTEM: &str = "system";

/// The maximum length of the id of a call, and of the name of a tool.
const MAX_NAME: usize = 64;

/// Whether an id can be that of a call.
fn is_call_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    (1..=MAX_NAME).contains(&id.len()) && id.bytes().all(allowed)
}

/// Whether a name can be that of a tool.
fn is_tool_name(name: &str) -> bool {
    name.len() <= MAX_NAME && rules::is_name(name)
}

/// Converts messages to `{"system": […], "messages": […]}`, without `system` if there is none.
///
/// # Errors
/// [`Kind::Conversion`] if the API would refuse the conversation. Without `strict`, only if no similar conversation is
/// valid.
pub fn request<S: Output>(
    messages: Vec<Message<S>>,
    options: BedrockOptions,
    report: &mut Report,
) -> Result<Payload<S>> {
    if messages.is_empty() {
        return Err(rules::no_messages());
    }
    let mut conversation = BedrockConversation {
        options,
        calls: SentCalls::new(IdRewriter::fitting(is_call_id, &messages)),
        names: IdRewriter::of_names(is_tool_name, &messages),
        writer: BlockWriter::new(ViolationHandler::new(options.strict, report), &messages),
        has_turns: rules::has_turns(&messages),
        system: Vec::new(),
        turns: Vec::with_capacity(messages.len()),
    };
    for (index, message) in messages.into_iter().enumerate() {
        conversation.add(message, index)?;
    }
    conversation.finish()
}

/// The conversation under construction.
struct BedrockConversation<'a, S> {
    options: BedrockOptions,
    calls: SentCalls,
    /// The names of the tools that are called.
    names: IdRewriter,
    writer: BlockWriter<'a>,
    /// Whether there are other messages than system messages.
    has_turns: bool,
    system: Vec<Payload<S>>,
    turns: Vec<BlockTurn<S>>,
}

/// Consecutive messages of one role.
struct BlockTurn<S> {
    role_name: &'static str,
    /// The results of tools. The API requires them before any other content of the user.
    results: Vec<Payload<S>>,
    blocks: Vec<Payload<S>>,
    /// The position of its last message.
    last: Position,
}

impl<S: Output> BedrockConversation<'_, S> {
    fn add(&mut self, mut message: Message<S>, index: usize) -> Result<()> {
        let at = Position { index, role: message.role };
        message.keep_portable_hints();
        rules::check_roles(&mut message, at, &mut self.writer.violations)?;
        if message.role != Role::Function && message.name.take().is_some() {
            let hint = "remove `name`, or write the name in the content";
            let violation = RuleViolation::new(at, "Bedrock does not accept `name`", hint);
            self.writer.violations.handle(violation, LEFT_OUT)?;
        }
        match message.role {
            Role::System | Role::Developer => self.add_system(message, at),
            Role::Tool | Role::Function => self.add_result(message, at),
            Role::User | Role::Assistant => self.add_turn(message, at),
        }
    }

    fn add_system(&mut self, mut message: Message<S>, at: Position) -> Result<()> {
        let is_late = !self.turns.is_empty();
        // One of a history in Bedrock's format was in this place.
        let stays = is_late && (self.options.inline_system || message.carried.is_some());
        if is_late && !stays {
            let problem = "Bedrock accepts system messages only before the first turn";
            let hint = "move it to the start, put its content in a user message, or pass inline_system=True for a \
                        model that accepts it";
            self.writer.violations.handle(RuleViolation::new(at, problem, hint), "moved to the start")?;
        }
        let blocks = match message.carried.take() {
            Some(carried) => self.own_blocks(*carried, Vec::new(), at)?,
            None => self.writer.content(message.content, message.cache.as_ref(), at)?,
        };
        if blocks.is_empty() {
            return self.writer.violations.handle(rules::empty_content(at), DROPPED);
        }
        if stays {
            self.calls.close(&mut self.writer.violations)?;
            self.turns.push(BlockTurn { role_name: SYSTEM, results: Vec::new(), blocks, last: at });
        } else {
            self.system.extend(blocks);
        }
        Ok(())
    }

    /// Adds a message of the user or the assistant.
    fn add_turn(&mut self, mut message: Message<S>, at: Position) -> Result<()> {
        let blocks = if let Some(carried) = message.carried.take() {
            self.begin(at)?;
            let blocks = self.own_blocks(*carried, message.tool_calls, at)?;
            if blocks.is_empty() {
                return self.drop_turn(at);
            }
            blocks
        } else {
            rules::refusal_as_content(&mut message, "Bedrock", at, &mut self.writer.violations)?;
            let has_calls = !message.tool_calls.is_empty() || message.function_call.is_some();
            let cache = message.cache.take();
            let content = message.content.take();
            let mut blocks = self.writer.content(content, cache.as_ref().filter(|_| !has_calls), at)?;
            if blocks.is_empty() && !has_calls {
                return self.writer.violations.handle(rules::empty_content(at), DROPPED);
            }
            self.begin(at)?;
            self.calls(message, at, &mut blocks)?;
            if has_calls && let Some(cache) = &cache {
                blocks.extend(self.writer.cache_point(cache, at)?);
            }
            blocks
        };
        if let Some(turn) = self.turns.last_mut() {
            turn.blocks.extend(blocks);
        }
        Ok(())
    }

    fn calls(&mut self, message: Message<S>, at: Position, blocks: &mut Vec<Payload<S>>) -> Result<()> {
        for (index, call) in message.tool_calls.into_iter().enumerate() {
            blocks.push(self.tool_call(call, index, at)?);
        }
        if let Some(call) = message.function_call {
            let id = self.calls.function_call(&call.name, at);
            blocks.push(self.tool_use(Payload::String(id), call, CallRef::Function, at)?);
        }
        Ok(())
    }

    fn tool_call(&mut self, call: ToolCall<S>, index: usize, at: Position) -> Result<Payload<S>> {
        let call_ref = CallRef::Tool(index);
        let sent = self.calls.tool_call(&call.id, call_ref, at, &mut self.writer.violations)?;
        let id = sent.map_or(Payload::Text(call.id), Payload::String);
        self.tool_use(id, call.function, call_ref, at)
    }

    /// The blocks of a message in Bedrock's format, with the calls that it makes.
    fn own_blocks(
        &mut self,
        carried: Carried<S>,
        calls: Vec<ToolCall<S>>,
        at: Position,
    ) -> Result<Vec<Payload<S>>> {
        let mut calls = calls.into_iter().enumerate();
        let mut blocks = Vec::with_capacity(carried.items.len());
        for (index, item) in carried.items.into_iter().enumerate() {
            let call = if is_call(&item) { calls.next() } else { None };
            match call {
                Some((number, call)) => blocks.push(self.tool_call(call, number, at)?),
                None => blocks.extend(self.writer.own_block(item, index, at)?),
            }
        }
        Ok(blocks)
    }

    /// Drops a message without content, and its turn if it began one.
    fn drop_turn(&mut self, at: Position) -> Result<()> {
        self.writer.violations.handle(rules::empty_content(at), DROPPED)?;
        self.turns.pop_if(|turn| turn.results.is_empty() && turn.blocks.is_empty());
        Ok(())
    }

    fn tool_use(
        &mut self,
        id: Payload<S>,
        call: FunctionCall<S>,
        call_ref: CallRef,
        at: Position,
    ) -> Result<Payload<S>> {
        let name = match call.name.with_str(|name| self.tool_name(name, call_ref, at))? {
            Some(name) => Payload::String(name),
            None => Payload::Text(call.name),
        };
        let input = rules::object_or_text(call.arguments, call_ref, at, &mut self.writer.violations)?;
        let block = [("toolUseId", id), ("name", name), ("input", input)];
        Ok(Payload::map([("toolUse", Payload::map(block))]))
    }

    /// The name to send for a tool, if it is not its own.
    fn tool_name(&mut self, name: &str, call_ref: CallRef, at: Position) -> Result<Option<String>> {
        // An empty name has an error of its own.
        if name.is_empty() || is_tool_name(name) {
            return Ok(None);
        }
        let problem = format!(
            "the name of {call_ref} is not 1 to {MAX_NAME} letters a to z and A to Z, digits, `_` and `-`, as \
             Bedrock requires it"
        );
        let violation = RuleViolation::new(at, problem, "rename the function");
        self.writer.violations.handle(violation, "sent with another name")?;
        Ok(self.names.rewrite(name))
    }

    /// Adds a tool or function message.
    fn add_result(&mut self, mut message: Message<S>, at: Position) -> Result<()> {
        self.begin(at)?;
        let id = self.calls.result_id(&message, at, &mut self.writer.violations)?;
        let blocks = match message.carried.take() {
            Some(carried) => self.own_result(*carried, &id, at)?,
            None => self.result(message, id, at)?,
        };
        if let Some(turn) = self.turns.last_mut() {
            turn.results.extend(blocks);
        }
        Ok(())
    }

    /// The blocks of a result in Bedrock's format, with the id that its call was sent with.
    fn own_result(&mut self, carried: Carried<S>, id: &str, at: Position) -> Result<Vec<Payload<S>>> {
        let mut blocks = self.own_blocks(carried, Vec::new(), at)?;
        for block in &mut blocks {
            if let Payload::Map(members) = block
                && let Some((Key::String(key), Payload::Map(result))) = members.first_mut()
                && key == "toolResult"
            {
                put(result, "toolUseId", Payload::String(id.to_owned()));
            }
        }
        Ok(blocks)
    }

    fn result(&mut self, message: Message<S>, id: String, at: Position) -> Result<Vec<Payload<S>>> {
        let content = self.writer.result_content(message.content, at)?;
        let mut result =
            vec![member("toolUseId", Payload::String(id)), member("content", Payload::List(content))];
        result.extend(message.is_error.then(|| member("status", Payload::Static("error"))));
        let mut blocks = vec![Payload::map([("toolResult", Payload::Map(result))])];
        if let Some(cache) = &message.cache {
            blocks.extend(self.writer.cache_point(cache, at)?);
        }
        Ok(blocks)
    }

    /// Starts a new turn for a message, or continues the last turn if it has the same role.
    fn begin(&mut self, at: Position) -> Result<()> {
        let role_name = map_role(at.role)?;
        match self.turns.last_mut() {
            Some(turn) if turn.role_name == role_name => {
                turn.last = at;
                return Ok(());
            }
            None if role_name == ASSISTANT && !self.options.allow_assistant_first => {
                let problem = "the first message is from the assistant, but Bedrock needs one from the user";
                let hint = "begin the conversation with a user message, or pass allow_assistant_first=True for a \
                            model that accepts it";
                self.writer.violations.handle(RuleViolation::new(at, problem, hint).of_order(), PASSED_ON)?;
            }
            _ => {}
        }
        if role_name == ASSISTANT {
            self.calls.close(&mut self.writer.violations)?;
        }
        self.turns.push(BlockTurn { role_name, results: Vec::new(), blocks: Vec::new(), last: at });
        Ok(())
    }

    fn finish(mut self) -> Result<Payload<S>> {
        let open = self.calls.close(&mut self.writer.violations)?;
        let Some(last) = self.turns.last() else {
            return Err(rules::no_turns("Bedrock", self.has_turns));
        };
        if last.role_name == ASSISTANT && !open && !self.options.allow_prefill {
            let hint = "end with a user message, or pass allow_prefill=True for a model that supports it";
            let problem = "the last message is from the assistant, but Bedrock needs one from the user";
            let violation = RuleViolation::new(last.last, problem, hint).of_order();
            self.writer.violations.handle(violation, PASSED_ON)?;
        }
        for turn in &self.turns {
            self.writer.check_documents(&turn.blocks, turn.last)?;
        }
        let messages = self.turns.into_iter().map(|mut turn| {
            turn.results.append(&mut turn.blocks);
            Payload::map([
                ("role", Payload::Static(turn.role_name)),
                ("content", Payload::List(turn.results)),
            ])
        });
        let system = (!self.system.is_empty()).then(|| member("system", Payload::List(self.system)));
        let messages = member("messages", Payload::List(messages.collect()));
        Ok(Payload::Map(system.into_iter().chain([messages]).collect()))
    }
}

/// Whether a block is a call of one of the prompt's tools.
fn is_call<S>(block: &Tree<S>) -> bool {
    let Tree::Map(members) = block else { return false };
    matches!(members.first(), Some((key, Tree::Map(call)))
        if key == "toolUse" && !call.iter().any(|(key, value)| key == "type" && !matches!(value, Tree::Null)))
}
