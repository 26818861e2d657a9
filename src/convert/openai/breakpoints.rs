//! Cache breakpoints, which end a prefix that OpenAI keeps: `prompt_cache_breakpoint` on the parts of both of its APIs.

use crate::convert::payload::{Member, Payload, member};
use crate::convert::report::{Position, RuleViolation, ViolationHandler};
use crate::convert::rules::{BREAKPOINT, LEFT_OUT};
use crate::error::Result;
use crate::prompt::CacheHint;

/// The maximum number of breakpoints in a request.
const MAX_BREAKPOINTS: usize = 4;

/// The member for a hint. `None` if the hint is not for OpenAI, unless `all` are. One without a lifetime of OpenAI's
/// has that of the request.
pub(super) fn breakpoint<S>(hint: &CacheHint, all: bool) -> Option<Member<S>> {
    let ttl = match hint.openai {
        Some(openai) => openai.ttl,
        None if all => None,
        None => return None,
    };
    let mut written = vec![member("mode", Payload::Static("explicit"))];
    written.extend(ttl.map(|ttl| member("ttl", Payload::Static(ttl))));
    Some(member(BREAKPOINT, Payload::Map(written)))
}

/// Handles a hint on content that has no parts.
pub(super) fn no_part(at: Position, violations: &mut ViolationHandler<'_>) -> Result<()> {
    let problem = "OpenAI accepts no cache breakpoint on this message";
    let hint = "move the cache hint to a message of the user, or to a part of one";
    violations.handle(RuleViolation::new(at, problem, hint), LEFT_OUT)
}

/// The places of the breakpoints of a request so far, in order.
#[derive(Default)]
pub(super) struct Breakpoints(Vec<Position>);

impl Breakpoints {
    /// Notes the breakpoints of a message or an item.
    pub(super) fn note<S>(&mut self, item: &Payload<S>, at: Position) {
        for part in parts(item) {
            if let Payload::Map(part) = part
                && part.iter().any(|(key, _)| key.as_str() == BREAKPOINT)
            {
                self.0.push(at);
            }
        }
    }

    /// Removes all but the last that the API accepts. It writes the latest ones, too, if there are more.
    pub(super) fn limit<S>(
        self,
        items: &mut [Payload<S>],
        violations: &mut ViolationHandler<'_>,
    ) -> Result<()> {
        let excess = self.0.len().saturating_sub(MAX_BREAKPOINTS);
        for at in &self.0[..excess] {
            let problem = "OpenAI accepts at most four cache breakpoints in a request";
            let hint = "remove the first ones: the last four cover the most of the prompt";
            violations.handle(RuleViolation::new(*at, problem, hint), LEFT_OUT)?;
        }
        let mut left = excess;
        for part in items.iter_mut().flat_map(parts_mut) {
            if left == 0 {
                break;
            }
            if let Payload::Map(part) = part
                && let Some(place) = part.iter().position(|(key, _)| key.as_str() == BREAKPOINT)
            {
                part.remove(place);
                left -= 1;
            }
        }
        Ok(())
    }
}

/// Whether parts are under this key: those of a message, or of the result of a call.
fn has_parts(key: &str) -> bool {
    matches!(key, "content" | "output")
}

fn parts<S>(item: &Payload<S>) -> impl Iterator<Item = &Payload<S>> {
    let members = match item {
        Payload::Map(members) => &members[..],
        _ => &[],
    };
    let lists = members.iter().filter_map(|(key, value)| match value {
        Payload::List(list) if has_parts(key.as_str()) => Some(list),
        _ => None,
    });
    lists.flatten()
}

fn parts_mut<S>(item: &mut Payload<S>) -> impl Iterator<Item = &mut Payload<S>> {
    let members = match item {
        Payload::Map(members) => &mut members[..],
        _ => &mut [],
    };
    let lists = members.iter_mut().filter_map(|(key, value)| match value {
        Payload::List(list) if has_parts(key.as_str()) => Some(list),
        _ => None,
    });
    lists.flatten()
}
