//! The variables that a template declares.

use serde_json::Value;

use crate::de::shown;
use crate::error::{Error, Kind, Result};
use crate::schema::FieldType;

/// The variables of a template, in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Variables {
    /// Whether they are written as a list of names. Then a variable that the template uses only inside a test of itself
    /// is optional.
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
    /// The name that the template uses.
    pub name: String,
    /// The type; `any` by default.
    pub field_type: FieldType,
    /// The values of an enum; empty for other types.
    pub values: Vec<Value>,
    /// The description.
    pub description: Option<String>,
    /// The value if none is given. Null means no default.
    pub default: Option<Value>,
    /// The `required` key of the file, if it is written.
    pub required: Option<bool>,
}

impl Variable {
    /// Makes a required variable of any type.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            field_type: FieldType::Any,
            values: Vec::new(),
            description: None,
            default: None,
            required: None,
        }
    }

    /// Whether a render needs a value: true unless there is a default or `required: false`.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(true) && self.default.is_none()
    }

    fn has_value(&self, wanted: &Value) -> bool {
        let wanted = comparable(wanted);
        self.values.iter().any(|value| comparable(value) == wanted)
    }

    /// Checks that the default is of the type, and one of the values of an enum.
    pub(crate) fn check_default(&self) -> Result<()> {
        match &self.default {
            Some(default) if self.field_type == FieldType::Enum && !self.has_value(default) => {
                let name = &self.name;
                Err(Error::new(
                    Kind::PromptInvalid,
                    format!("the default of variable `{name}` is not one of its `values`"),
                )
                .with_hint("add it to the `values`, or change it"))
            }
            Some(default) if !self.field_type.fits(default) => Err(Error::new(
                Kind::PromptInvalid,
                format!("the default of variable `{}` is not of type {}", self.name, self.field_type),
            )
            .with_hint(match self.field_type {
                FieldType::String => "put text that looks like a number or a boolean in quotes",
                FieldType::Date => "write a date as \"2026-01-31\"",
                FieldType::DateTime => "write a date with a time as \"2026-01-31T12:00:00Z\"",
                _ => "change the type or the default",
            })),
            _ => Ok(()),
        }
    }
}

/// What two values of an enum have in common if they are equal. 1 and 1.0 are.
pub(super) fn comparable(value: &Value) -> Value {
    value.as_f64().map_or_else(|| value.clone(), Value::from)
}

/// Characters that Handlebars reserves, so a name cannot contain them.
const RESERVED: &str = "!\"#%&'()*+,./;<=>@[\\]^`{|}~";

/// Checks that a template can use this name.
///
/// # Errors
/// [`Kind::PromptInvalid`] with the reason.
pub fn check_name(name: &str) -> Result<()> {
    let error = |why: &str| {
        Error::new(Kind::PromptInvalid, format!("{} cannot be a variable name: {why}", shown(name)))
    };
    if name.is_empty() {
        return Err(error("it is empty"));
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(error("a name cannot contain white space or control characters"));
    }
    match name.chars().find(|c| RESERVED.contains(*c)) {
        Some(bad) => Err(error(&format!("the character {bad:?} is reserved in templates"))),
        None => Ok(()),
    }
}
