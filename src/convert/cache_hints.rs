//! The cache hints of a conversation: Anthropic and Bedrock accept four, and those of an hour only before those of five
//! minutes.

use super::report::{Position, RuleViolation, ViolationHandler};
use super::rules::{LEFT_OUT, LONG_AFTER_SHORT, SENT_SHORT};
use crate::error::Result;
use crate::prompt::CacheHint;

/// The maximum number of cache hints in a request.
pub(super) const MAX_HINTS: usize = 4;

/// The cache hints so far.
pub(super) struct CacheHints {
    provider: &'static str,
    count: usize,
    /// Whether one of them is for five minutes.
    has_short: bool,
}

impl CacheHints {
    pub(super) fn new(provider: &'static str) -> Self {
        Self { provider, count: 0, has_short: false }
    }

    /// Counts a hint. Returns whether the API accepts it.
    pub(super) fn accept(&mut self, at: Position, violations: &mut ViolationHandler<'_>) -> Result<bool> {
        if self.count < MAX_HINTS {
            self.count += 1;
            return Ok(true);
        }
        let remedy = "keep the hints after the longest parts that do not change between requests";
        let problem = format!("{} accepts at most four cache hints in a request", self.provider);
        violations.handle(RuleViolation::new(at, problem, remedy), LEFT_OUT)?;
        Ok(false)
    }

    /// Notes the time of a hint. Returns whether the API accepts it after those before.
    pub(super) fn accept_time(
        &mut self,
        hint: &CacheHint,
        at: Position,
        violations: &mut ViolationHandler<'_>,
    ) -> Result<bool> {
        self.note_carried(hint.ttl() == Some("1h"));
        if !self.has_short || !hint.is_own_hour() {
            return Ok(true);
        }
        let (problem, remedy) = LONG_AFTER_SHORT;
        let problem = format!("{} {problem}", self.provider);
        violations.handle(RuleViolation::new(at, problem, remedy), SENT_SHORT).map(|()| false)
    }

    /// Notes the time of a hint that is sent as it came.
    pub(super) fn note_carried(&mut self, is_hour: bool) {
        self.has_short |= !is_hour;
    }
}
