//! The cache hints of a whole request: Anthropic and Bedrock accept four, and those of an hour only before those of five
//! minutes. Both read the tools first, then the system blocks and the messages.

use super::api::Api;
use super::bedrock::arguments::CACHE_POINT;
use super::bedrock::tool_config::TOOL_CONFIG;
use super::cache_hints::MAX_HINTS;
use super::payload::{Member, Payload};
use super::request::RequestBuilder;
use super::rules::{CACHE_CONTROL, LONG_AFTER_SHORT, PASSED_ON, SENT_SHORT};
use crate::error::Result;
use crate::template::Output;

/// The keys under which blocks and tools can be. What is under other keys, such as the arguments of calls, is data.
const HOLDERS: [&str; 6] = ["tools", TOOL_CONFIG, "system", "messages", "content", "toolResult"];

/// The number of cache hints under a member of a request.
pub(super) fn count<S>(value: &Payload<S>, key: &str) -> usize {
    match value {
        Payload::List(items) => items.iter().map(|item| count(item, key)).sum(),
        Payload::Map(members) => members
            .iter()
            .map(|(known, value)| match known.as_str() {
                known if known == key => 1,
                known if HOLDERS.contains(&known) => count(value, key),
                _ => 0,
            })
            .sum(),
        _ => 0,
    }
}

/// Calls a function with each cache hint, in order, and removes those for which it returns false. The hint of a block is
/// after those inside the block.
fn retain_hints<S>(value: &mut Payload<S>, key: &str, keep: &mut impl FnMut(&mut Payload<S>) -> bool) {
    match value {
        Payload::List(items) => items.iter_mut().for_each(|item| retain_hints(item, key, keep)),
        Payload::Map(members) => {
            for (known, value) in members.iter_mut() {
                if HOLDERS.contains(&known.as_str()) {
                    retain_hints(value, key, keep);
                }
            }
            members.retain_mut(|(known, hint)| known.as_str() != key || keep(hint));
        }
        _ => {}
    }
}

/// Whether a hint is for an hour.
fn is_hour<S: Output>(hint: &Payload<S>) -> bool {
    let Payload::Map(members) = hint else { return false };
    members.iter().any(|(key, ttl)| key.as_str() == "ttl" && ttl.with_str(|ttl| ttl == "1h") == Some(true))
}

/// Sets the time of a hint to five minutes.
fn shorten<S>(hint: &mut Payload<S>) {
    let Payload::Map(members) = hint else { return };
    let ttl = members.iter_mut().filter(|(key, _)| key.as_str() == "ttl");
    ttl.for_each(|(_, ttl)| *ttl = Payload::Static("5m"));
}

/// The times of the hints so far.
#[derive(Default)]
struct HintTimes {
    /// Whether one of them is for five minutes.
    any_short: bool,
    /// Whether one of an hour was shortened.
    any_shortened: bool,
}

impl HintTimes {
    /// Notes the time of a hint. One of an hour after a shorter one is shortened, if its order is to be checked.
    fn visit<S: Output>(&mut self, hint: &mut Payload<S>, checks_order: bool) {
        if !is_hour(hint) {
            self.any_short = true;
        } else if checks_order && self.any_short {
            shorten(hint);
            self.any_shortened = true;
        }
    }
}

impl<S: Output> RequestBuilder<'_, S> {
    /// Checks the number and the order of the cache hints of a whole request.
    pub(super) fn check_hints(&mut self) -> Result<()> {
        // LiteLLM passes the hints on, and only Anthropic's models have these rules.
        let (name, key) = match self.api {
            Api::Messages => ("Anthropic", CACHE_CONTROL),
            Api::LiteLlm if self.is_claude() => ("Anthropic", CACHE_CONTROL),
            Api::Converse => ("Bedrock", CACHE_POINT),
            _ => return Ok(()),
        };
        if self.api != Api::Converse {
            self.limit_hints()?;
        }
        let mut times = HintTimes::default();
        for place in ["tools", TOOL_CONFIG] {
            self.visit_hints(place, key, |hint| times.visit(hint, true));
        }
        let after_tools = self.note_given_hints(name, times.any_short)?;
        times.any_short = after_tools;
        // The conversation has checked the order of its own hints, except for LiteLLM.
        for place in ["system", "messages"] {
            let is_checked = !after_tools && self.api != Api::LiteLlm;
            self.visit_hints(place, key, |hint| times.visit(hint, !is_checked));
        }
        self.visit_hints(key, key, |hint| times.visit(hint, true));
        if !times.any_shortened {
            return Ok(());
        }
        let problem =
            format!("{name} {}; it reads the tools first, then system and messages", LONG_AFTER_SHORT.0);
        self.refuse_or_note(problem, LONG_AFTER_SHORT.1, SENT_SHORT)
    }

    /// Calls a function with each cache hint in a member of the request, or with the member if it is a hint.
    fn visit_hints(&mut self, place: &str, key: &str, mut visit: impl FnMut(&mut Payload<S>)) {
        let member = self.members.iter_mut().find(|(known, _)| known.as_str() == place);
        match member {
            Some((_, hint)) if place == key => visit(hint),
            Some((_, value)) => retain_hints(value, key, &mut |hint| {
                visit(hint);
                true
            }),
            None => {}
        }
    }

    /// Checks the times of the hints of the caller's tools, which come after those of the prompt's. Returns whether a
    /// hint of the tools is for five minutes.
    fn note_given_hints(&mut self, name: &str, mut any_short: bool) -> Result<bool> {
        for is_hour in self.given.tool_hints {
            if *is_hour && any_short {
                let problem = format!("{name} {}, and a tool of the arguments has one", LONG_AFTER_SHORT.0);
                self.refuse_or_note(problem, LONG_AFTER_SHORT.1, PASSED_ON)?;
            }
            any_short |= !is_hour;
        }
        Ok(any_short)
    }

    /// Leaves out hints of Anthropic's tools, the one of the whole request, and those of the messages for LiteLLM, if there
    /// are more than four.
    fn limit_hints(&mut self) -> Result<()> {
        let is_given = self.given.has(CACHE_CONTROL) && !self.given.removes(CACHE_CONTROL);
        let hints = |(key, value): &Member<S>| {
            if key.as_str() == CACHE_CONTROL { 1 } else { count(value, CACHE_CONTROL) }
        };
        let in_place = |key: &str| HOLDERS.contains(&key) || key == CACHE_CONTROL;
        let sent = self.members.iter().filter(|(key, _)| in_place(key.as_str())).map(hints).sum::<usize>();
        let given = usize::from(is_given) + self.given.tool_hints.len();
        let mut extra = (sent + given).saturating_sub(MAX_HINTS);
        if extra == 0 {
            return Ok(());
        }
        let problem = "Anthropic accepts at most four cache hints in a request, with those of the tools and of `cache_control`";
        let hint = "remove a cache hint of the tools, of the messages, or of the settings";
        self.refuse_or_note(problem.to_owned(), hint, "the others are left out")?;
        let tools = self.members.iter_mut().find(|(key, _)| key.as_str() == "tools");
        if let Some((_, Payload::List(tools))) = tools {
            for tool in tools.iter_mut().rev() {
                let Payload::Map(members) = tool else { continue };
                let before = members.len();
                members.retain(|(key, _)| extra == 0 || key.as_str() != CACHE_CONTROL);
                extra -= usize::from(members.len() < before);
            }
        }
        if extra > 0 {
            let before = self.members.len();
            self.members.retain(|(key, _)| key.as_str() != CACHE_CONTROL);
            extra -= before - self.members.len();
        }
        for (_, value) in self.members.iter_mut().filter(|(key, _)| HOLDERS.contains(&key.as_str())) {
            let found = count(value, CACHE_CONTROL);
            let mut left = found.saturating_sub(extra);
            extra = extra.saturating_sub(found);
            retain_hints(value, CACHE_CONTROL, &mut |_| {
                let stays = left > 0;
                left -= usize::from(stays);
                stays
            });
        }
        Ok(())
    }
}
