//! Decides what becomes of content of a history that only one provider understands.

use super::payload::{Member, Payload};
use super::report::{Position, Report, RuleViolation, ViolationHandler};
use super::rules::{BREAKPOINT, LEFT_OUT};
use crate::error::Result;
use crate::prompt::{Carried, CarriedFormat, Message, Tree};
use crate::template::Output;

/// The provider that a history is converted for, as far as carried content is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct CarriedTarget {
    /// The provider's name, for messages.
    pub(super) name: &'static str,
    /// The format that the provider accepts. `None`: only what every provider accepts.
    pub(super) format: Option<CarriedFormat>,
    /// Whether it accepts keys that extend OpenAI's format.
    pub(super) has_extensions: bool,
    /// Whether it gets OpenAI's cache hints of any history in its own format.
    pub(super) has_breakpoints: bool,
    /// Fail instead of leaving something out.
    pub(super) strict: bool,
}

impl CarriedTarget {
    /// Messages that any provider accepts, in the format of prompt files.
    pub(super) const PROMPT_FILES: Self = Self {
        name: "the format of prompt files",
        format: None,
        has_extensions: false,
        has_breakpoints: true,
        strict: false,
    };

    /// LangChain's messages, which any provider may get.
    pub(super) fn langchain(strict: bool) -> Self {
        Self { name: "LangChain", has_breakpoints: false, strict, ..Self::PROMPT_FILES }
    }

    /// Keeps in each message what the provider accepts in its own format, and leaves out the rest. A message in which
    /// nothing remains is removed.
    ///
    /// # Errors
    /// [`Kind::Conversion`](crate::Kind::Conversion) in strict mode, if something would be left out.
    pub(super) fn settle<S: Output>(
        self,
        messages: Vec<Message<S>>,
        report: &mut Report,
    ) -> Result<Vec<Message<S>>> {
        if messages.iter().all(|message| message.carried.is_none()) {
            return Ok(messages);
        }
        let mut kept = Vec::with_capacity(messages.len());
        for (index, mut message) in messages.into_iter().enumerate() {
            let Some(carried) = message.carried.take() else {
                kept.push(message);
                continue;
            };
            let at = Position { index, role: message.role };
            // A message without items cannot be sent in its own format.
            let is_own = Some(carried.format) == self.format && !carried.items.is_empty();
            self.leave_out(&carried, at, is_own, report)?;
            let is_sent = is_own && (self.format != Some(CarriedFormat::Chat) || self.sends(&carried));
            if is_sent {
                message.carried = Some(carried);
            } else if message.is_blank() && message.tool_call_id.is_none() && carried.only_is_lost() {
                continue;
            }
            kept.push(message);
        }
        Ok(kept)
    }

    fn sends<S>(self, carried: &Carried<S>) -> bool {
        !carried.only.is_empty() || self.has_extensions
    }

    fn leave_out<S>(
        self,
        carried: &Carried<S>,
        at: Position,
        is_own: bool,
        report: &mut Report,
    ) -> Result<()> {
        let mut handler = ViolationHandler::new(self.strict, report);
        let handle = |handler: &mut ViolationHandler<'_>, names: &[String], hint: &'static str| {
            if names.is_empty() {
                return Ok(());
            }
            let problem = format!("{} does not accept {}", self.name, listed(names));
            handler.handle(RuleViolation::new(at, problem, hint), LEFT_OUT)
        };
        for index in &carried.split {
            let what = if carried.format == CarriedFormat::Bedrock { "block" } else { "part" };
            let problem = format!("{what} {index} has more than one kind of content");
            handler.handle(RuleViolation::new(at, problem, SPLIT_HINT), "sent as several")?;
        }
        if !is_own {
            let is_lost = |name: &&String| !(self.has_breakpoints && *name == BREAKPOINT);
            let lost: Vec<String> = carried.only.iter().filter(is_lost).cloned().collect();
            handle(&mut handler, &lost, FOREIGN_HINT)?;
        }
        if !(is_own && self.has_extensions) {
            if !carried.unknown.is_empty() {
                handle(&mut handler, &carried.unknown, UNKNOWN_HINT)?;
            }
            if is_own {
                // Servers that speak OpenAI's format add these to every reply, which must go back in as it came.
                handler.strict = false;
            }
            handle(&mut handler, &carried.extensions, FOREIGN_HINT)?;
        }
        Ok(())
    }
}

impl<S> Carried<S> {
    /// Whether a message without other content had only content of another provider.
    fn only_is_lost(&self) -> bool {
        !self.only.is_empty() || !self.extensions.is_empty()
    }
}

const FOREIGN_HINT: &str = "only the provider of that reply understands it; remove it from the history, or pass \
                            strict_validation=False to leave it out";
const UNKNOWN_HINT: &str = "remove the key from the message, or pass strict_validation=False to leave it out";

const SPLIT_HINT: &str = "write one for each kind of content";

/// Names in backquotes, and descriptions as they are: `a`, key 3 of the message.
fn listed(names: &[String]) -> String {
    let shown = |name: &String| if name.contains(' ') { name.clone() } else { format!("`{name}`") };
    names.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The items of the provider's own format, as they are sent.
pub(super) fn payloads<S>(carried: Carried<S>) -> impl Iterator<Item = Payload<S>> {
    carried.items.into_iter().map(Payload::from_tree)
}

/// The keys beside the items, as they are sent.
pub(super) fn members<S>(beside: Vec<(String, Tree<S>)>) -> Vec<Member<S>> {
    beside.into_iter().map(|(key, value)| (key.into(), Payload::from_tree(value))).collect()
}

/// The message in OpenAI's format, with another role name. `extended`: with the keys that extend it.
pub(super) fn chat_message<S>(mut carried: Carried<S>, role: &'static str, extended: bool) -> Vec<Member<S>> {
    let item = if extended { carried.items.pop() } else { carried.items.drain(..).next() };
    let Some(Payload::Map(mut members)) = item.map(Payload::from_tree) else { return Vec::new() };
    for (key, value) in &mut members {
        if key.as_str() == "role" {
            *value = Payload::Static(role);
        }
    }
    members
}
