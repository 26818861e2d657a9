//! The walk over a conversation that both of OpenAI's interfaces share: the fields of each message are lawful, every
//! call is answered once, and calls in the old form have ids where they are written as tool calls.

use crate::convert::report::{Judge, Position, Report};
use crate::convert::rules::{self, FUNCTION_ID, Ids, Link, PASSED_ON, Pairing, Which};
use crate::error::{Error, Result};
use crate::prompt::{Message, Role};
use crate::template::Output;

pub(super) struct Walk<'r> {
    pub(super) judge: Judge<'r>,
    pairing: Pairing,
    /// The ids of the conversation, where calls in the old form get some.
    ids: Option<Ids>,
}

impl<'r> Walk<'r> {
    /// Begins a walk over messages, of which there must be one. With `functions_as_tools` calls in the old form get ids.
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
        let ids = (functions_as_tools && messages.iter().any(old)).then(|| Ids::of(messages));
        Ok(Self { judge: Judge::new(strict, report), pairing: Pairing::default(), ids })
    }

    /// Whether no call waits for its result, so that any turn may follow.
    pub(super) fn is_idle(&self) -> bool {
        self.pairing.is_idle()
    }

    /// Checks the next message; gives the id that its call in the old form gets, or that its result answers.
    pub(super) fn check<S: Output>(
        &mut self,
        message: &mut Message<S>,
        at: Position,
    ) -> Result<Option<String>> {
        rules::check_fields(message, at, &mut self.judge)?;
        match message.role {
            Role::Tool => {
                if let Some(id) = &message.tool_call_id {
                    id.with_str(|id| self.pairing.answer(Link::Id, id, at))?;
                }
                Ok(None)
            }
            Role::Function if self.ids.is_some() => self.answered(message, at),
            _ => self.turn(message, at),
        }
    }

    fn turn<S: Output>(&mut self, message: &Message<S>, at: Position) -> Result<Option<String>> {
        if let Some(fault) = self.pairing.close().into_iter().next() {
            return Err(fault.into());
        }
        for (index, call) in message.tool_calls.iter().enumerate() {
            call.id.with_str(|id| {
                let which = Which::Tool(index);
                if let Some(fault) = self.pairing.duplicate(id, which, at) {
                    return Err(Error::from(fault));
                }
                self.pairing.call(Link::Id, id, None, which, at);
                Ok(())
            })?;
        }
        let (Some(call), Some(ids)) = (&message.function_call, &mut self.ids) else { return Ok(None) };
        let id = ids.fresh(FUNCTION_ID);
        call.name.with_str(|name| {
            self.pairing.call(Link::Name, name, Some(id.clone()), Which::Function, at);
        });
        Ok(Some(id))
    }

    /// The id of the call that a function's message answers.
    fn answered<S: Output>(&mut self, message: &Message<S>, at: Position) -> Result<Option<String>> {
        let Some(name) = &message.name else { return Ok(None) };
        Ok(name.with_str(|name| self.pairing.answer(Link::Name, name, at))?)
    }

    /// Ends the walk; a call that is still open then is passed on where the conversion is not strict.
    pub(super) fn finish(mut self) -> Result<()> {
        for fault in self.pairing.close() {
            self.judge.lossy(fault, PASSED_ON)?;
        }
        Ok(())
    }
}
