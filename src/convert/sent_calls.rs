//! The calls of a conversation and the ids that they are sent with, for providers whose results refer to calls by their
//! ids.

use super::report::{Position, ViolationHandler};
use super::rules::{CallLink, CallPairing, CallRef, FUNCTION_ID, IdRewriter, PASSED_ON};
use crate::error::Result;
use crate::prompt::Message;
use crate::template::Output;

/// The calls so far, with their ids.
pub(super) struct SentCalls {
    ids: IdRewriter,
    pairing: CallPairing,
}

impl SentCalls {
    pub(super) fn new(ids: IdRewriter) -> Self {
        Self { ids, pairing: CallPairing::default() }
    }

    /// Records a tool call. Returns the id to send, if it is not the call's own.
    pub(super) fn tool_call<S: Output>(
        &mut self,
        id: &S,
        call_ref: CallRef,
        at: Position,
        violations: &mut ViolationHandler<'_>,
    ) -> Result<Option<String>> {
        id.with_str(|id| {
            let sent = match self.pairing.duplicate(id, call_ref, at) {
                Some(violation) => {
                    violations.handle(violation, "sent with a new id")?;
                    Some(self.ids.fresh(id))
                }
                None => self.ids.rewrite(id),
            };
            self.pairing.call(CallLink::Id, id, sent.clone(), call_ref, at);
            Ok(sent)
        })
    }

    /// Records a `function_call`. Returns the id that is made for it.
    pub(super) fn function_call<S: Output>(&mut self, name: &S, at: Position) -> String {
        let id = self.ids.fresh(FUNCTION_ID);
        name.with_str(|name| {
            self.pairing.call(CallLink::Name, name, Some(id.clone()), CallRef::Function, at);
        });
        id
    }

    /// The id of the call that a message answers, as it was sent. `None` if there is no such call.
    pub(super) fn answered<S: Output>(
        &mut self,
        message: &Message<S>,
        at: Position,
        violations: &mut ViolationHandler<'_>,
    ) -> Result<Option<String>> {
        let (link, key) = match (&message.tool_call_id, &message.name) {
            (Some(id), _) => (CallLink::Id, id),
            (None, Some(name)) => (CallLink::Name, name),
            (None, None) => return Ok(None),
        };
        key.with_str(|key| match self.pairing.answer(link, key, at) {
            Ok(sent) => Ok(Some(sent.unwrap_or_else(|| key.to_owned()))),
            Err(violation) => violations.handle(violation, PASSED_ON).map(|()| None),
        })
    }

    /// The id that a result is sent with: that of its call, or else one that the provider accepts.
    pub(super) fn result_id<S: Output>(
        &mut self,
        message: &Message<S>,
        at: Position,
        violations: &mut ViolationHandler<'_>,
    ) -> Result<String> {
        if let Some(id) = self.answered(message, at, violations)? {
            return Ok(id);
        }
        Ok(match &message.tool_call_id {
            Some(id) => id.with_str(|id| self.ids.rewrite(id).unwrap_or_else(|| id.to_owned())),
            None => self.ids.fresh(FUNCTION_ID),
        })
    }

    /// Ends the pairing of the calls so far. Returns whether a call has no result.
    pub(super) fn close(&mut self, violations: &mut ViolationHandler<'_>) -> Result<bool> {
        let open = self.pairing.close();
        let any = !open.is_empty();
        for violation in open {
            violations.handle(violation, PASSED_ON)?;
        }
        Ok(any)
    }
}
