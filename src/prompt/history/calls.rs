//! Finds the call that a result of a history answers where an id does not tell, as Gemini does: by name, then by order.

use super::super::message::{Message, Role};
use super::carried::CarriedFormat;

/// The calls of the last turn of the assistant that have no result yet.
#[derive(Debug, Default)]
pub(super) struct OpenCalls {
    open: Vec<OpenCall>,
    /// How many ids were made, and those of the turn that is being read.
    made: usize,
    new: Vec<String>,
}

#[derive(Debug)]
struct OpenCall {
    id: String,
    name: String,
    /// Whether the call came without an id.
    is_made: bool,
}

impl OpenCalls {
    /// An id for a call without one.
    pub(super) fn made_id(&mut self) -> String {
        self.made += 1;
        let id = format!("gemini_call_{}", self.made);
        self.new.push(id.clone());
        id
    }

    /// Records the calls of a message of the assistant. `continues`: it continues the turn of the message before it.
    pub(super) fn note(&mut self, message: &Message<String>, continues: bool) {
        if !continues {
            self.forget();
        }
        let new = std::mem::take(&mut self.new);
        self.open.extend(message.tool_calls.iter().map(|call| OpenCall {
            id: call.id.clone(),
            name: call.function.name.clone(),
            is_made: new.contains(&call.id),
        }));
    }

    /// Forgets the calls, which no result can answer any more.
    pub(super) fn forget(&mut self) {
        self.open.clear();
    }

    /// Gives a result the id of its call, if one of the two came without an id.
    pub(super) fn answer(&mut self, result: &mut Message<String>) {
        let is_gemini =
            result.carried.as_ref().is_some_and(|carried| carried.format == CarriedFormat::Gemini);
        let name = if is_gemini { result.name.take() } else { result.name.clone() };
        let id = result.tool_call_id.as_deref().filter(|id| !id.is_empty());
        if let Some(at) = self.open.iter().position(|call| id == Some(call.id.as_str())) {
            self.open.remove(at);
            return;
        }
        let word = name.as_deref().or(id);
        let may_answer = |call: &OpenCall| call.is_made || (is_gemini && id.is_none());
        let by_name = self.open.iter().position(|call| may_answer(call) && word == Some(call.name.as_str()));
        let by_order = || self.open.iter().position(may_answer).filter(|_| name.is_none());
        if let Some(at) = by_name.or_else(by_order) {
            result.role = Role::Tool;
            result.name = None;
            result.tool_call_id = Some(self.open.remove(at).id);
        } else if is_gemini && id.is_none() {
            result.tool_call_id = Some(self.made_id());
        }
    }
}
