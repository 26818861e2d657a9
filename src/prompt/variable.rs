//! The variables that a template declares.

use serde_json::Value;

use crate::de::shown;
use crate::error::{Error, Kind, Result};
use crate::schema::FieldType;

/// The variables of a template, in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Variables {
    /// Whether they are a list of names. There, a name that the template uses only under its own test is optional.
    pub short: bool,
    /// The variables.
    pub items: Vec<Variable>,
}

impl Variables {
    /// The variable of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.items.iter().find(|variable| variable.name == name)
    }
}

/// One variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name, as the template uses it.
    pub name: String,
    /// Its type; `any` unless given.
    pub field_type: FieldType,
    /// What it means.
    pub description: Option<String>,
    /// The value where none is given. Null counts as no default.
    pub default: Option<Value>,
    /// What the file says outright about being required.
    pub required: Option<bool>,
}

impl Variable {
    /// A required variable of any type.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            field_type: FieldType::Any,
            description: None,
            default: None,
            required: None,
        }
    }

    /// Whether a render needs a value: yes, unless there is a default or `required: false`.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(true) && self.default.is_none()
    }

    /// Checks that the default is of the type.
    pub(crate) fn check_default(&self) -> Result<()> {
        match &self.default {
            Some(default) if !self.field_type.fits(default) => Err(Error::new(
                Kind::PromptInvalid,
                format!("the default of variable `{}` is not of type {}", self.name, self.field_type),
            )
            .with_hint(match self.field_type {
                FieldType::String => "write text that looks like a number or a truth value in quotes",
                FieldType::Date => "write a date as \"2026-01-31\"",
                FieldType::DateTime => "write a date with a time as \"2026-01-31T12:00:00Z\"",
                _ => "change the type or the default",
            })),
            _ => Ok(()),
        }
    }
}

/// What Handlebars keeps for itself and so cannot stand in a name.
const RESERVED: &str = "!\"#%&'()*+,./;<=>@[\\]^`{|}~";

/// Whether a template can use this name.
///
/// # Errors
/// [`Kind::PromptInvalid`], saying what stands in the way.
pub fn check_name(name: &str) -> Result<()> {
    let error =
        |why: &str| Error::new(Kind::PromptInvalid, format!("{} cannot be a variable: {why}", shown(name)));
    if name.is_empty() {
        return Err(error("it is empty"));
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(error("a name has no blanks"));
    }
    match name.chars().find(|c| RESERVED.contains(*c)) {
        Some(bad) => Err(error(&format!("the character {bad:?} means something else in a template"))),
        None => Ok(()),
    }
}
