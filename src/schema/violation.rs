//! Violations: each rule of a schema that data breaks, with the path to the value.

use std::fmt;

use crate::error::{ContextValue, Error, Kind};

/// A rule that a value breaks. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path to the value, such as `items[3].email`; empty for the data itself.
    pub path: String,
    /// The rule: the name of a validator, or `required`, `type`, `null`, `extra`, `depth`, `syntax`.
    pub rule: String,
    /// What the value must be.
    pub message: String,
}

impl Violation {
    /// Makes a violation of a rule.
    #[must_use]
    pub fn new(path: &impl fmt::Display, rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.to_string(), rule: rule.into(), message: message.into() }
    }

    /// Path and message on one line.
    fn line(&self) -> String {
        if self.path.is_empty() { self.message.clone() } else { format!("{}: {}", self.path, self.message) }
    }
}

/// Combines all violations into one error. `what` names the data, such as "the input of prompt 'x'".
#[must_use]
pub fn invalid(what: &str, schema: &str, violations: &[Violation]) -> Error {
    let first = violations.first().map(Violation::line).unwrap_or_default();
    let more = match violations.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let records = violations.iter().map(|violation| {
        vec![
            ("path", violation.path.clone()),
            ("rule", violation.rule.clone()),
            ("message", violation.message.clone()),
        ]
    });
    let fits = if schema.is_empty() { String::new() } else { format!(" does not fit schema '{schema}'") };
    Error::new(Kind::SchemaInvalid, format!("{what}{fits}: {first}{more}"))
        .with_context("schema", schema)
        .with_context("errors", ContextValue::Records(records.collect()))
}
