//! Problems of a conversion: an error, or a warning if the conversion can continue.
//!
//! Both name the message by its index in the rendered conversation and by its role, and never show its content.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, Kind, Result};
use crate::prompt::Role;

/// The problem of a message without content.
pub(super) const EMPTY_CONTENT: &str = "the content is empty";

/// What a conversion that is not strict changed or dropped, in order. The caller shows each as a warning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    warnings: Vec<String>,
    /// All problems, if they are collected.
    problems: Option<Vec<Problem>>,
}

/// What a problem can follow from, if something was dropped for a problem of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FollowsFrom {
    Nothing,
    /// From a part of the message that was dropped. The message is dropped too if it is empty then.
    Parts {
        is_empty: bool,
    },
    /// From a message before or after it that was dropped.
    Neighbours,
}

/// A problem with a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// The index of the message in the rendered conversation.
    pub(super) message: usize,
    pub(super) text: String,
    pub(super) follows: FollowsFrom,
    /// Whether it is an error without strict mode, too.
    pub(super) is_fatal: bool,
}

impl Report {
    /// One text for each change, such as `message 2 (tool): the content is empty; sent without content`.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// A report for which a conversion continues after every problem, also after one that is always an error. What it
    /// returns is of no use.
    pub(super) fn of_all_problems() -> Self {
        Self { warnings: Vec::new(), problems: Some(Vec::new()) }
    }

    /// The problems in order, if they are collected.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.unwrap_or_default()
    }

    /// Adds a problem. Returns the violation if problems are not collected.
    fn collect(&mut self, violation: RuleViolation, is_fatal: bool) -> Result<(), RuleViolation> {
        let Some(problems) = &mut self.problems else { return Err(violation) };
        problems.push(Problem {
            message: violation.at.index,
            follows: violation.follows,
            text: with_hint(&violation.into()),
            is_fatal,
        });
        Ok(())
    }

    /// Adds a warning that is not about a message.
    pub fn note(&mut self, warning: String) {
        self.warnings.push(warning);
    }
}

/// A message's index in the rendered conversation, from 0, and its role.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) index: usize,
    pub(super) role: Role,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} ({})", self.index, self.role.as_str())
    }
}

/// A rule of the provider that a message breaks.
#[derive(Debug)]
pub(super) struct RuleViolation {
    at: Position,
    problem: Cow<'static, str>,
    hint: &'static str,
    follows: FollowsFrom,
}

impl RuleViolation {
    pub(super) fn new(at: Position, problem: impl Into<Cow<'static, str>>, hint: &'static str) -> Self {
        let problem = problem.into();
        let is_empty = problem == EMPTY_CONTENT;
        let follows = if is_empty { FollowsFrom::Parts { is_empty } } else { FollowsFrom::Nothing };
        Self { at, problem, hint, follows }
    }

    /// The violation of a rule about what is beside each other in a message.
    pub(super) fn of_parts(self) -> Self {
        Self { follows: FollowsFrom::Parts { is_empty: false }, ..self }
    }

    /// The violation of a rule about the order of messages.
    pub(super) fn of_order(self) -> Self {
        Self { follows: FollowsFrom::Neighbours, ..self }
    }
}

#[cfg(feature = "python")]
impl RuleViolation {
    /// The index of the message, the problem, and what to do.
    pub(super) fn into_parts(self) -> (usize, String, &'static str) {
        (self.at.index, self.problem.into_owned(), self.hint)
    }
}

impl From<RuleViolation> for Error {
    fn from(violation: RuleViolation) -> Self {
        Self::new(Kind::Conversion, format!("{}: {}", violation.at, violation.problem))
            .with_hint(violation.hint)
    }
}

/// The message and hint of an error in one line.
pub(crate) fn with_hint(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{}: {hint}", error.message()),
        None => error.message().to_owned(),
    }
}

/// Turns violations into errors in strict mode, and into warnings otherwise.
pub(super) struct ViolationHandler<'a> {
    pub(super) strict: bool,
    report: &'a mut Report,
}

impl<'a> ViolationHandler<'a> {
    pub(super) fn new(strict: bool, report: &'a mut Report) -> Self {
        Self { strict, report }
    }

    /// Returns the violation as an error, in strict mode or not, unless all problems are collected.
    pub(super) fn refuse(&mut self, violation: RuleViolation) -> Result<()> {
        Ok(self.report.collect(violation, true)?)
    }

    /// Returns the violation as an error in strict mode. Otherwise it is no problem, because nothing is lost.
    pub(super) fn refuse_if_strict(&mut self, violation: RuleViolation) -> Result<()> {
        match self.report.collect(violation, false) {
            Err(violation) if self.strict => Err(violation.into()),
            _ => Ok(()),
        }
    }

    /// Returns the violation as an error in strict mode. Otherwise adds a warning that says what was `done` about it.
    pub(super) fn handle(&mut self, violation: RuleViolation, done: &str) -> Result<()> {
        match self.report.collect(violation, false) {
            Ok(()) => {}
            Err(violation) if self.strict => return Err(violation.into()),
            Err(violation) => self.warn(&violation, done),
        }
        Ok(())
    }

    /// Adds a warning that says what was `done` about the violation, in strict mode too.
    pub(super) fn warn(&mut self, violation: &RuleViolation, done: &str) {
        self.report.warnings.push(format!("{}: {}; {done}", violation.at, violation.problem));
    }
}
