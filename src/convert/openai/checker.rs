//! Checks a conversation message by message, for both of OpenAI's APIs: each message has valid fields, and every call
//! is answered once. It also makes the ids for a `function_call` that is written as a tool call.

use crate::convert::report::{Position, Report, RuleViolation, ViolationHandler};
use crate::convert::rules::{self, CallLink, CallPairing, CallRef, FUNCTION_ID, IdRewriter, PASSED_ON};
use crate::error::Result;
use crate::prompt::{Message, Role};
use crate::template::Output;

/// Whether a result can answer a call that the provider keeps, and that is not among the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierCalls {
    Never,
    /// The API can continue a conversation, but nothing says that this one does.
    Possible,
    Given,
}

pub(super) struct ConversationChecker<'r> {
    pub(super) violations: ViolationHandler<'r>,
    pairing: CallPairing,
    pub(super) earlier_calls: EarlierCalls,
    /// The ids of the conversation, if it has a `function_call` that needs one.
    ids: Option<IdRewriter>,
}

impl<'r> ConversationChecker<'r> {
    /// Starts with the messages, which must not be empty. With `functions_as_tools` each `function_call` gets an id.
    pub(super) fn new<S: Output>(
        messages: &[Message<S>],
        strict: bool,
        functions_as_tools: bool,
        report: &'r mut Report,
    ) -> Result<Self> {
        if messages.is_empty() {
            return Err(rules::no_messages());
        }
        let old = |message: &Message<S>| message.function_call.is_some() || message.role == Role::Function;
        let ids =
            (functions_as_tools && messages.iter().any(old)).then(|| IdRewriter::from_messages(messages));
        let violations = ViolationHandler::new(strict, report);
        Ok(Self { violations, pairing: CallPairing::default(), earlier_calls: EarlierCalls::Never, ids })
    }

    /// Whether no call is waiting for its result, so that any turn can follow.
    pub(super) fn is_idle(&self) -> bool {
        self.pairing.is_idle()
    }

    /// Checks the next message. Returns the id that was made for its `function_call`, or of the call that it answers.
    pub(super) fn check<S: Output>(
        &mut self,
        message: &mut Message<S>,
        at: Position,
    ) -> Result<Option<String>> {
        rules::check_fields(message, at, &mut self.violations)?;
        if rules::is_blank_input(message) {
            self.violations.refuse(rules::empty_content(at))?;
        }
        self.check_calls(message, at)
    }

    /// Pairs the calls of the next message, or the result that it is. Returns the same as
    /// [`ConversationChecker::check`].
    pub(super) fn check_calls<S: Output>(
        &mut self,
        message: &Message<S>,
        at: Position,
    ) -> Result<Option<String>> {
        match message.role {
            Role::Tool => {
                let Some(id) = &message.tool_call_id else { return Ok(None) };
                let answered = id.with_str(|id| self.pairing.answer(CallLink::Id, id, at));
                let Err(violation) = answered else { return Ok(None) };
                match self.earlier_calls {
                    EarlierCalls::Given if self.pairing.is_idle() => {}
                    EarlierCalls::Possible if self.pairing.is_idle() => {
                        let hint = "put the call before its result, or pass previous_response_id or conversation to \
                                    build_request";
                        let problem = "the call of this result is not in the conversation";
                        self.violations.handle(RuleViolation::new(at, problem, hint), PASSED_ON)?;
                    }
                    _ => self.violations.refuse(violation)?,
                }
                Ok(None)
            }
            Role::Function if self.ids.is_some() => self.answered(message, at),
            _ => self.turn(message, at),
        }
    }

    fn turn<S: Output>(&mut self, message: &Message<S>, at: Position) -> Result<Option<String>> {
        for violation in self.pairing.close() {
            self.violations.refuse(violation)?;
        }
        for (index, call) in message.tool_calls.iter().enumerate() {
            call.id.with_str(|id| -> Result<()> {
                let call_ref = CallRef::Tool(index);
                if let Some(violation) = self.pairing.duplicate(id, call_ref, at) {
                    self.violations.refuse(violation)?;
                }
                self.pairing.call(CallLink::Id, id, None, call_ref, at);
                Ok(())
            })?;
        }
        let (Some(call), Some(ids)) = (&message.function_call, &mut self.ids) else { return Ok(None) };
        let id = ids.fresh(FUNCTION_ID);
        call.name.with_str(|name| {
            self.pairing.call(CallLink::Name, name, Some(id.clone()), CallRef::Function, at);
        });
        Ok(Some(id))
    }

    /// The id of the call that a function message answers.
    fn answered<S: Output>(&mut self, message: &Message<S>, at: Position) -> Result<Option<String>> {
        let Some(name) = &message.name else { return Ok(None) };
        match name.with_str(|name| self.pairing.answer(CallLink::Name, name, at)) {
            Ok(id) => Ok(id),
            Err(violation) => self.violations.refuse(violation).map(|()| None),
        }
    }

    /// Ends the conversation. A call without a result is an error in strict mode, and a warning otherwise.
    pub(super) fn finish(mut self) -> Result<()> {
        for violation in self.pairing.close() {
            self.violations.handle(violation, PASSED_ON)?;
        }
        Ok(())
    }
}
