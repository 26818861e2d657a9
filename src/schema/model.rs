//! A schema as a schema file says it, complete and typed. Nothing is enforced here.

use serde_json::{Map, Value};

use crate::error::Kind;
use crate::prompt::Version;
use crate::wire::words;

/// The types of fields and variables; the one list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// True or false.
    Boolean,
    /// Items in order.
    List,
    /// Keys and values.
    Dict,
    /// One of the values that an `enum` validator allows.
    Enum,
    /// Anything.
    Any,
    /// A calendar date.
    Date,
    /// A date with a time.
    DateTime,
    /// A UUID.
    Uuid,
}

impl FieldType {
    /// Every type, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::String,
        Self::Integer,
        Self::Float,
        Self::Boolean,
        Self::List,
        Self::Dict,
        Self::Enum,
        Self::Any,
        Self::Date,
        Self::DateTime,
        Self::Uuid,
    ];

    /// The word for it in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Dict => "dict",
            Self::Enum => "enum",
            Self::Any => "any",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Uuid => "uuid",
        }
    }

    /// Whether a JSON value is of the type, without conversion. A whole number is a float too, a truth value is no
    /// integer; dates, datetimes and UUIDs are texts in ISO form. What an enum allows is for its validator to say.
    #[must_use]
    pub fn fits(self, value: &Value) -> bool {
        match self {
            Self::Any | Self::Enum => true,
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Float => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Dict => value.is_object(),
            Self::Date => value.as_str().is_some_and(is_date),
            Self::DateTime => value.as_str().is_some_and(is_datetime),
            Self::Uuid => value.as_str().is_some_and(|text| uuid::Uuid::try_parse(text).is_ok()),
        }
    }
}

fn is_date(text: &str) -> bool {
    // jiff also reads the date out of a datetime; the length keeps that apart.
    text.len() == "2026-01-31".len() && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_datetime(text: &str) -> bool {
    !is_date(text)
        && (text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok())
}

words!(FieldType, "type", Kind::PromptInvalid);

/// The rules that a validator can state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidatorKind {
    /// At least `min_value` characters or items.
    MinLength,
    /// At most `max_value` characters or items.
    MaxLength,
    /// At least `min_value`.
    MinValue,
    /// At most `max_value`.
    MaxValue,
    /// From `min_value` to `max_value`.
    Range,
    /// Text that `pattern` matches.
    Regex,
    /// One of `allowed_values`.
    Enum,
    /// An email address.
    Email,
    /// A URL.
    Url,
    /// A UUID.
    Uuid,
    /// A calendar date.
    Date,
    /// A date with a time.
    DateTime,
    /// A function of the application, by the name `custom_function`.
    Custom,
}

impl ValidatorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::MinLength,
        Self::MaxLength,
        Self::MinValue,
        Self::MaxValue,
        Self::Range,
        Self::Regex,
        Self::Enum,
        Self::Email,
        Self::Url,
        Self::Uuid,
        Self::Date,
        Self::DateTime,
        Self::Custom,
    ];

    /// The word for it in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MinLength => "min_length",
            Self::MaxLength => "max_length",
            Self::MinValue => "min_value",
            Self::MaxValue => "max_value",
            Self::Range => "range",
            Self::Regex => "regex",
            Self::Enum => "enum",
            Self::Email => "email",
            Self::Url => "url",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Custom => "custom",
        }
    }
}

words!(ValidatorKind, "validator", Kind::SchemaParse);

/// A named schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// What prompts call it.
    pub name: String,
    /// Its version, 1.0.0 unless given.
    pub version: Version,
    /// What it describes.
    pub description: Option<String>,
    /// Whether values must have their type already, instead of being converted to it.
    pub strict: bool,
    /// Whether data may have keys that are no fields.
    pub allow_extra: bool,
    /// The schema whose fields come first.
    pub extends: Option<String>,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// What the schema's file says beside; free.
    pub metadata: Map<String, Value>,
}

/// One field of a schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The key in the data.
    pub name: String,
    /// The type of its value.
    pub field_type: FieldType,
    /// Whether the key must be there; true unless said otherwise or a default is given.
    pub required: bool,
    /// The value where the key is missing.
    pub default: Option<Value>,
    /// Whether null is allowed.
    pub nullable: bool,
    /// What the field means.
    pub description: Option<String>,
    /// The type of a list's items.
    pub item_type: Option<FieldType>,
    /// The schema of a list's items, by name.
    pub item_schema: Option<String>,
    /// The schema of a dict, by name.
    pub nested_schema: Option<String>,
    /// Further rules, in order.
    pub validators: Vec<Validator>,
}

/// One rule about a field's value.
#[derive(Debug, Clone, PartialEq)]
pub struct Validator {
    /// Which rule.
    pub kind: ValidatorKind,
    /// The lower bound, of a length too.
    pub min_value: Option<f64>,
    /// The upper bound, of a length too.
    pub max_value: Option<f64>,
    /// The pattern of `regex`.
    pub pattern: Option<String>,
    /// The values of `enum`.
    pub allowed_values: Vec<Value>,
    /// What to say instead of the rule's own message.
    pub error_message: Option<String>,
    /// The function of `custom`.
    pub custom_function: Option<String>,
}
