//! The pairs of calls and results in the messages of a framework, whose adapters in Python have no other rules.

use super::report::{Position, RuleViolation};
use super::rules::{CallLink, CallPairing, CallRef};
use crate::prompt::Role;

/// A message, as far as its calls and results are concerned.
pub(crate) struct PairedMessage {
    /// The position in the conversation.
    pub(crate) index: usize,
    /// The role.
    pub(crate) role: Role,
    /// The ids of its tool calls.
    pub(crate) calls: Vec<String>,
    /// The function that it calls in OpenAI's older format.
    pub(crate) function: Option<String>,
    /// The id of the call, or the name of the function, whose result it is.
    pub(crate) answered: Option<String>,
}

/// The calls without a result and the results without a call: the position, the problem, and what to do.
pub(crate) fn unpaired(messages: &[PairedMessage]) -> Vec<(usize, String, &'static str)> {
    let mut pairing = CallPairing::default();
    let mut found = Vec::new();
    for message in messages {
        let at = Position { index: message.index, role: message.role };
        let link = match message.role {
            Role::Tool => Some(CallLink::Id),
            Role::Function => Some(CallLink::Name),
            _ => None,
        };
        if let Some(link) = link {
            let answered = message.answered.as_ref().map(|key| pairing.answer(link, key, at));
            found.extend(answered.and_then(Result::err));
            continue;
        }
        found.extend(pairing.close());
        for (index, id) in message.calls.iter().enumerate() {
            let call_ref = CallRef::Tool(index);
            found.extend(pairing.duplicate(id, call_ref, at));
            pairing.call(CallLink::Id, id, None, call_ref, at);
        }
        if let Some(name) = &message.function {
            pairing.call(CallLink::Name, name, None, CallRef::Function, at);
        }
    }
    found.extend(pairing.close());
    found.into_iter().map(RuleViolation::into_parts).collect()
}
