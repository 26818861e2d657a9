//! The cache hints of a conversation: Anthropic and Bedrock accept four, and those of an hour only before those of five
//! minutes.

use super::report::{Position, RuleViolation, ViolationHandler};
use super::rules::{LEFT_OUT, LONG_AFTER_SHORT, PASSED_ON, SENT_SHORT};
use crate::error::Result;

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

    /// Notes whether a hint is for an hour. Returns whether the API accepts its time after those before.
    pub(super) fn accept_time(
        &mut self,
        is_hour: bool,
        at: Position,
        violations: &mut ViolationHandler<'_>,
    ) -> Result<bool> {
        match self.time_violation(is_hour, at) {
            None => Ok(true),
            Some(violation) => violations.handle(violation, SENT_SHORT).map(|()| false),
        }
    }

    /// The same for a hint of the provider's own history, which is sent as it came.
    pub(super) fn note_carried(
        &mut self,
        is_hour: bool,
        at: Position,
        violations: &mut ViolationHandler<'_>,
    ) {
        if let Some(violation) = self.time_violation(is_hour, at) {
            violations.warn(&violation, PASSED_ON);
        }
    }

    fn time_violation(&mut self, is_hour: bool, at: Position) -> Option<RuleViolation> {
        self.has_short |= !is_hour;
        let (problem, remedy) = LONG_AFTER_SHORT;
        let problem = || format!("{} {problem}", self.provider);
        (self.has_short && is_hour).then(|| RuleViolation::new(at, problem(), remedy))
    }
}
