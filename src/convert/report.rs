//! How a conversion says what is wrong: as an error, or as a warning where it can go on.
//!
//! Both name the message by its place in the rendered conversation and by its role, and never show what it says.

use std::borrow::Cow;
use std::fmt;

use crate::error::{Error, Kind, Result};
use crate::prompt::Role;

/// The lossy steps of a conversion that was not strict, in order. The caller shows each as a warning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    warnings: Vec<String>,
    problems: Vec<String>,
}

impl Report {
    /// One text for each step, such as `message 2 (user): Anthropic takes no names; left out`.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The same without what was done about it, and with what can be done in its place.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Notes a step that concerns no message.
    pub(super) fn note(&mut self, warning: String) {
        self.warnings.push(warning);
    }
}

/// A message's place in the rendered conversation, counted from 0, and its role.
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

/// A rule that a message breaks.
#[derive(Debug)]
pub(super) struct Fault {
    at: Position,
    problem: Cow<'static, str>,
    hint: &'static str,
}

impl Fault {
    pub(super) fn new(at: Position, problem: impl Into<Cow<'static, str>>, hint: &'static str) -> Self {
        Self { at, problem: problem.into(), hint }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::new(Kind::Conversion, format!("{}: {}", fault.at, fault.problem)).with_hint(fault.hint)
    }
}

/// An error's message and hint in one line.
pub(super) fn with_hint(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{}: {hint}", error.message()),
        None => error.message().to_owned(),
    }
}

/// Decides what a fault leads to.
pub(super) struct Judge<'a> {
    pub(super) strict: bool,
    report: &'a mut Report,
}

impl<'a> Judge<'a> {
    pub(super) fn new(strict: bool, report: &'a mut Report) -> Self {
        Self { strict, report }
    }

    /// Refuses the fault in strict mode; otherwise notes it with what the conversion has `done` about it.
    pub(super) fn lossy(&mut self, fault: Fault, done: &str) -> Result<()> {
        if self.strict {
            return Err(fault.into());
        }
        self.report.warnings.push(format!("{}: {}; {done}", fault.at, fault.problem));
        self.report.problems.push(with_hint(&Error::from(fault)));
        Ok(())
    }
}
