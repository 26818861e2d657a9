//! Converts to the Gemini API: `contents`, a list of turns of the user and the model, and `config` with the system
//! instruction.
//!
//! Calls are parts of the turns of the model. The results of one turn's calls are parts of one turn of the user, in the
//! order of the calls. The module `parts` makes the parts.

pub(super) mod arguments;
pub(super) mod declarations;
mod own_parts;
mod parts;

use std::collections::HashMap;

use super::payload::{Payload, member};
use super::report::{Position, Report, RuleViolation, ViolationHandler};
use super::rules::{self, CallRef, DROPPED, IdRewriter, LEFT_OUT, PASSED_ON};
use super::sent_calls::SentCalls;
use crate::error::{Error, Kind, Result};
use crate::prompt::{Carried, FunctionCall, Message, Role, Tree};
use crate::template::Output;
use parts::PartWriter;

/// The options of the conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeminiOptions {
    /// Fail instead of changing or dropping something.
    pub strict: bool,
    /// Allow the conversation to end with a message of the assistant.
    pub allow_prefill: bool,
}

/// Gemini's name for a role.
///
/// # Errors
/// [`Kind::Conversion`] for system and developer, which have no turns.
pub fn map_role(role: Role) -> Result<&'static str> {
    match role {
        Role::User | Role::Function | Role::Tool => Ok(USER),
        Role::Assistant => Ok(MODEL),
        Role::System | Role::Developer => {
            let message = format!("Unsupported role for Gemini: {}", role.as_str());
            Err(Error::new(Kind::Conversion, message)
                .with_hint("system and developer messages go to `config.system_instruction`"))
        }
    }
}

const USER: &str = "user";
const MODEL: &str = "model";

/// Converts messages to `{"contents": […], "config": {"system_instruction": …}}`, without `config` if there are no
/// system messages.
///
/// # Errors
/// [`Kind::Conversion`] if the API would refuse the conversation. Without `strict`, only if no similar conversation is
/// valid.
pub fn request<S: Output>(
    messages: Vec<Message<S>>,
    options: GeminiOptions,
    report: &mut Report,
) -> Result<Payload<S>> {
    if messages.is_empty() {
        return Err(rules::no_messages());
    }
    let mut conversation = GeminiConversation {
        options,
        violations: ViolationHandler::new(options.strict, report),
        sent: SentCalls::new(IdRewriter::fitting(|_| true, &messages)),
        has_turns: rules::has_turns(&messages),
        calls: Vec::new(),
        places: HashMap::new(),
        system: Vec::new(),
        turns: Vec::with_capacity(messages.len()),
    };
    for (index, message) in messages.into_iter().enumerate() {
        conversation.add(message, index)?;
    }
    conversation.finish()
}

/// The conversation under construction.
struct GeminiConversation<'a, S> {
    options: GeminiOptions,
    violations: ViolationHandler<'a>,
    sent: SentCalls,
    /// Whether there are other messages than system messages.
    has_turns: bool,
    /// The calls of the last turn of the model.
    calls: Vec<TurnCall>,
    /// The places of these calls by their ids.
    places: HashMap<String, usize>,
    system: Vec<Payload<S>>,
    turns: Vec<ContentTurn<S>>,
}

struct TurnCall {
    id: String,
    name: String,
    /// Whether it is sent with its id. A history in Gemini's format can have calls without one.
    has_id: bool,
}

/// A turn. Its parts are the results of calls, each with the position of its call, or other parts.
struct ContentTurn<S> {
    role_name: &'static str,
    results: Vec<(usize, Payload<S>)>,
    /// Whether the results are those of a history in Gemini's format, whose turn other parts can continue.
    is_carried: bool,
    parts: Vec<Payload<S>>,
    last: Position,
}

impl<S: Output> GeminiConversation<'_, S> {
    fn add(&mut self, mut message: Message<S>, index: usize) -> Result<()> {
        let at = Position { index, role: message.role };
        rules::check_roles(&mut message, at, &mut self.violations)?;
        rules::check_names(&message, declarations::NAMES, at, &mut self.violations)?;
        if message.role != Role::Function && message.name.take().is_some() {
            let hint = "remove `name`, or write the name in the content";
            self.violations
                .handle(RuleViolation::new(at, "Gemini does not accept `name`", hint), LEFT_OUT)?;
        }
        match message.role {
            Role::System | Role::Developer => self.add_system(message, at),
            Role::Tool | Role::Function => self.add_result(message, at),
            Role::User | Role::Assistant => self.add_turn(message, at),
        }
    }

    fn add_system(&mut self, message: Message<S>, at: Position) -> Result<()> {
        if !self.turns.is_empty() {
            let problem = "Gemini accepts system messages only before the first turn";
            let hint = "move it to the start, or put its content in a user message";
            self.violations.handle(RuleViolation::new(at, problem, hint), "moved to the start")?;
        }
        let parts = parts::parts(message.content, at, &mut self.violations)?;
        if parts.is_empty() {
            return self.violations.handle(rules::empty_content(at), DROPPED);
        }
        self.system.extend(parts);
        Ok(())
    }

    /// Adds a message of the user or the assistant.
    fn add_turn(&mut self, mut message: Message<S>, at: Position) -> Result<()> {
        let parts = if message.carried.is_some() {
            let continues_results = self.continues_carried_results(at);
            if !continues_results {
                self.begin_calls(&message, at)?;
            }
            let parts = self.own_parts(message, at)?;
            if parts.is_empty() {
                return self.violations.handle(rules::empty_content(at), DROPPED);
            }
            if continues_results {
                self.continue_turn(parts, at);
                return Ok(());
            }
            parts
        } else {
            rules::refusal_as_content(&mut message, "Gemini", at, &mut self.violations)?;
            let content = message.content.take();
            let mut parts = parts::parts(content, at, &mut self.violations)?;
            if parts.is_empty() && message.tool_calls.is_empty() && message.function_call.is_none() {
                return self.violations.handle(rules::empty_content(at), DROPPED);
            }
            self.begin_calls(&message, at)?;
            let earlier =
                self.calls.len() - message.tool_calls.len() - usize::from(message.function_call.is_some());
            for (index, call) in message.tool_calls.into_iter().enumerate() {
                parts.push(self.call(earlier + index, call.function, CallRef::Tool(index), at)?);
            }
            if let Some(call) = message.function_call {
                parts.push(self.call(self.calls.len() - 1, call, CallRef::Function, at)?);
            }
            parts
        };
        let role_name = map_role(at.role)?;
        if role_name == MODEL && self.is_in_model_turn() {
            self.continue_turn(parts, at);
        } else {
            self.turns.push(ContentTurn {
                role_name,
                results: Vec::new(),
                is_carried: false,
                parts,
                last: at,
            });
        }
        Ok(())
    }

    /// The parts of a message in Gemini's format.
    fn own_parts(&mut self, mut message: Message<S>, at: Position) -> Result<Vec<Payload<S>>> {
        let Some(carried) = message.carried.take() else { return Ok(Vec::new()) };
        let sent = &self.calls[self.calls.len().saturating_sub(message.tool_calls.len())..];
        PartWriter { at, violations: &mut self.violations }.own_parts(*carried, message.tool_calls, sent)
    }

    /// Adds parts to the last turn.
    fn continue_turn(&mut self, parts: Vec<Payload<S>>, at: Position) {
        if let Some(turn) = self.turns.last_mut() {
            turn.parts.extend(parts);
            turn.last = at;
        }
    }

    /// Whether the last turn is one of the model, which further messages of the assistant continue.
    fn is_in_model_turn(&self) -> bool {
        self.turns.last().is_some_and(|turn| turn.role_name == MODEL)
    }

    /// Whether the message is the rest of a turn that begins with results, in a history in Gemini's format.
    fn continues_carried_results(&self, at: Position) -> bool {
        at.role == Role::User
            && self.turns.last().is_some_and(|turn| turn.is_carried && turn.parts.is_empty())
    }

    /// Records the calls of a message. Ends the pairing of those before it, unless it continues their turn.
    fn begin_calls(&mut self, message: &Message<S>, at: Position) -> Result<()> {
        let continues = at.role == Role::Assistant && self.is_in_model_turn();
        if !continues {
            self.sent.close(&mut self.violations)?;
            self.calls.clear();
            self.places.clear();
        }
        let is_first = self.turns.len() == usize::from(continues);
        if is_first && (!message.tool_calls.is_empty() || message.function_call.is_some()) {
            let problem = "Gemini accepts calls only after a turn of the user or the results of other calls";
            let hint = "put a user message before it";
            self.violations.handle(RuleViolation::new(at, problem, hint).of_order(), PASSED_ON)?;
        }
        let mut without_id = message.carried.iter().flat_map(|carried| calls_without_id(carried));
        for (index, call) in message.tool_calls.iter().enumerate() {
            let call_ref = CallRef::Tool(index);
            let has_id = !without_id.next().unwrap_or(false);
            let name = call.function.name.with_str(str::to_owned);
            let sent = self.sent.tool_call(&call.id, call_ref, at, &mut self.violations)?;
            let sent = sent.unwrap_or_else(|| call.id.with_str(str::to_owned));
            self.places.insert(sent.clone(), self.calls.len());
            self.calls.push(TurnCall { id: sent, name, has_id });
        }
        if let Some(call) = &message.function_call {
            let name = call.name.with_str(str::to_owned);
            let id = self.sent.function_call(&call.name, at);
            self.places.insert(id.clone(), self.calls.len());
            self.calls.push(TurnCall { id, name, has_id: true });
        }
        Ok(())
    }

    /// The part of the call at this index of the turn.
    fn call(
        &mut self,
        index: usize,
        call: FunctionCall<S>,
        call_ref: CallRef,
        at: Position,
    ) -> Result<Payload<S>> {
        let id = self.calls.get(index).map(|call| call.id.clone()).unwrap_or_default();
        let args = rules::object_or_text(call.arguments, call_ref, at, &mut self.violations)?;
        Ok(Payload::map([(
            "function_call",
            Payload::map([("id", Payload::String(id)), ("name", Payload::Text(call.name)), ("args", args)]),
        )]))
    }

    /// Adds a tool or function message.
    fn add_result(&mut self, mut message: Message<S>, at: Position) -> Result<()> {
        let call = self.answered(&message, at)?;
        let carried = message.carried.take();
        let is_carried = carried.is_some();
        let place = call.unwrap_or(usize::MAX);
        let results: Vec<Payload<S>> = match carried {
            Some(carried) => {
                let call = call.and_then(|at| self.calls.get(at));
                PartWriter { at, violations: &mut self.violations }.own_result(*carried, call)?
            }
            None => vec![self.result(message, call, at)?],
        };
        if !self.turns.last().is_some_and(|turn| !turn.results.is_empty() && turn.parts.is_empty()) {
            let turn =
                ContentTurn { role_name: USER, results: Vec::new(), is_carried, parts: Vec::new(), last: at };
            self.turns.push(turn);
        }
        if let Some(turn) = self.turns.last_mut() {
            turn.last = at;
            turn.results.extend(results.into_iter().map(|result| (place, result)));
        }
        Ok(())
    }

    /// The position of the call that a message answers among the calls of its turn.
    fn answered(&mut self, message: &Message<S>, at: Position) -> Result<Option<usize>> {
        let sent = self.sent.answered(message, at, &mut self.violations)?;
        Ok(sent.and_then(|sent| self.places.get(&sent).copied()))
    }

    /// The part of a result. Gemini needs the name of the function, which is that of its call.
    fn result(&mut self, message: Message<S>, call: Option<usize>, at: Position) -> Result<Payload<S>> {
        let (said, media) = parts::result_content(message.content, at, &mut self.violations)?;
        let (id, name) = if let Some(call) = call.and_then(|at| self.calls.get(at)) {
            let id = call.has_id.then(|| Payload::String(call.id.clone()));
            (id, Payload::String(call.name.clone()))
        } else {
            let id = message.tool_call_id.map(Payload::Text);
            (id, message.name.map_or(Payload::Static("unknown"), Payload::Text))
        };
        let key = if message.is_error { "error" } else { "output" };
        let mut response: Vec<_> = id.map(|id| member("id", id)).into_iter().collect();
        response.push(member("name", name));
        response.push(member("response", Payload::map([(key, said)])));
        if !media.is_empty() {
            response.push(member("parts", Payload::List(media)));
        }
        Ok(Payload::map([("function_response", Payload::Map(response))]))
    }

    fn finish(mut self) -> Result<Payload<S>> {
        let open = self.sent.close(&mut self.violations)?;
        let Some(last) = self.turns.last() else {
            return Err(rules::no_turns("Gemini", self.has_turns));
        };
        if last.role_name == MODEL && !open && !self.options.allow_prefill {
            let hint = "end with a user message, or pass allow_prefill=True for a model that continues it";
            let problem = "the last message is from the assistant, but Gemini needs one from the user";
            let violation = RuleViolation::new(last.last, problem, hint).of_order();
            self.violations.handle(violation, PASSED_ON)?;
        }
        let contents = member("contents", Payload::List(self.turns.into_iter().map(content).collect()));
        let config = instruction(self.system)
            .map(|instruction| member("config", Payload::map([("system_instruction", instruction)])));
        Ok(Payload::Map([contents].into_iter().chain(config).collect()))
    }
}

/// For each call of a turn in Gemini's format, whether it has no id.
fn calls_without_id<S>(carried: &Carried<S>) -> impl Iterator<Item = bool> {
    let get = |value: &'_ Tree<S>, key: &str| match value {
        Tree::Map(members) => members.iter().position(|(known, _)| known == key),
        _ => None,
    };
    carried.items.iter().filter_map(move |part| {
        let at = get(part, "function_call")?;
        let Tree::Map(members) = part else { return None };
        Some(get(&members[at].1, "id").is_none())
    })
}

/// A turn as it is sent, with its results in the order of their calls.
fn content<S>(mut turn: ContentTurn<S>) -> Payload<S> {
    turn.results.sort_by_key(|(place, _)| *place);
    let results = turn.results.into_iter().map(|(_, result)| result);
    Payload::map([
        ("parts", Payload::List(results.chain(turn.parts).collect())),
        ("role", Payload::Static(turn.role_name)),
    ])
}

/// The system instruction: one text, or parts.
fn instruction<S>(mut parts: Vec<Payload<S>>) -> Option<Payload<S>> {
    if parts.len() > 1 {
        return Some(Payload::map([("parts", Payload::List(parts))]));
    }
    let Payload::Map(mut members) = parts.pop()? else { return None };
    members.pop().map(|(_, text)| text)
}
