//! The typed contents of a schema file. Nothing is enforced here.

use std::collections::HashMap;
use std::ops::Deref;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::de::words;
use crate::error::{Kind, Place};
use crate::prompt::Version;

/// The types of fields and variables.
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

    /// The name in files.
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

    /// Whether a JSON value has this type without conversion. A whole number is also a float; a boolean is not an
    /// integer; dates, datetimes and UUIDs are texts in ISO format. The validator of an enum checks its values.
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
    // jiff also reads the date of a datetime; the length excludes that.
    text.len() == "2026-01-31".len() && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_datetime(text: &str) -> bool {
    !is_date(text)
        && (text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok())
}

words!(FieldType, "type", Kind::PromptInvalid);

/// The kinds of validators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidatorKind {
    /// Length from `min_value` to `max_value` characters or items; by convention only `min_value` is given.
    MinLength,
    /// The same as `MinLength`; by convention only `max_value` is given.
    MaxLength,
    /// A number from `min_value` to `max_value`; by convention only `min_value` is given.
    MinValue,
    /// The same as `MinValue`; by convention only `max_value` is given.
    MaxValue,
    /// A number from `min_value` to `max_value`.
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
    /// A function of the application, named by `custom_function`.
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

    /// The name in files.
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

/// A named schema. It serializes to the contents of a schema file, without the keys that are not set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Schema {
    /// The name by which prompts refer to it.
    pub name: String,
    /// Its version; 1.0.0 by default.
    pub version: Version,
    /// What it describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether keys that are not fields are refused. True by default, unless `allow_extra` is true.
    pub strict: bool,
    /// Whether keys that are not fields are allowed and kept. If neither this nor `strict` is true, they are dropped.
    pub allow_extra: bool,
    /// Whether values are converted to their field's type, as in pydantic's lax mode.
    pub coerce: bool,
    /// The parent schema, whose fields are inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// The fields, in order.
    pub fields: Vec<Field>,
    /// Schemas that only this schema can refer to.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub definitions: Definitions,
    /// Free metadata.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Its place in the schema file.
    #[serde(skip)]
    pub place: Option<Place>,
}

impl Schema {
    /// Makes a schema without fields, with defaults for everything else.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: Version::default(),
            description: None,
            strict: true,
            allow_extra: false,
            coerce: true,
            extends: None,
            fields: Vec::new(),
            definitions: Definitions::default(),
            metadata: Map::new(),
            place: None,
        }
    }
}

/// Schemas that only the schema that contains them can refer to, in order and by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Definitions {
    schemas: Vec<Schema>,
    #[serde(skip)]
    positions: HashMap<String, usize>,
}

impl From<Vec<Schema>> for Definitions {
    fn from(schemas: Vec<Schema>) -> Self {
        let mut positions = HashMap::with_capacity(schemas.len());
        for (position, schema) in schemas.iter().enumerate() {
            positions.entry(schema.name.clone()).or_insert(position);
        }
        Self { schemas, positions }
    }
}

impl Deref for Definitions {
    type Target = [Schema];

    fn deref(&self) -> &[Schema] {
        &self.schemas
    }
}

impl Definitions {
    /// The schema of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Schema> {
        self.positions.get(name).map(|position| &self.schemas[*position])
    }
}

/// One field of a schema.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a key of a schema file")]
pub struct Field {
    /// The key in the data.
    pub name: String,
    /// The type of its value.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Whether the key must be present. True by default, unless there is a default value.
    pub required: bool,
    /// The value if the key is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Whether null is allowed.
    #[serde(skip_serializing_if = "is_false")]
    pub nullable: bool,
    /// What the field means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The type of a list's items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_type: Option<FieldType>,
    /// The name of the schema of a list's items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_schema: Option<String>,
    /// The name of the schema of a dict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nested_schema: Option<String>,
    /// Whether NaN and the infinities are accepted as numbers.
    #[serde(skip_serializing_if = "is_false")]
    pub allow_inf_nan: bool,
    /// An annotation: the application sets the value. Not enforced.
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// An annotation: the value is never shown. Not enforced.
    #[serde(skip_serializing_if = "is_false")]
    pub write_only: bool,
    /// The validators, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub validators: Vec<Validator>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Field {
    /// Makes a required field of a type, without validators.
    #[must_use]
    pub fn new(name: impl Into<String>, field_type: FieldType) -> Self {
        Self {
            name: name.into(),
            field_type,
            required: true,
            default: None,
            nullable: false,
            description: None,
            item_type: None,
            item_schema: None,
            nested_schema: None,
            allow_inf_nan: false,
            read_only: false,
            write_only: false,
            validators: Vec::new(),
        }
    }

    /// The name of the schema that its items or members must fit.
    #[must_use]
    pub fn schema_name(&self) -> Option<&str> {
        match self.field_type {
            FieldType::List => self.item_schema.as_deref(),
            FieldType::Dict => self.nested_schema.as_deref(),
            _ => None,
        }
    }

    /// The value if the key is missing: the default, or null for an optional field that may be null.
    #[must_use]
    pub fn value_if_missing(&self) -> Option<&Value> {
        let null = (!self.required && self.nullable).then_some(&Value::Null);
        self.default.as_ref().or(null)
    }

    /// The values that all its `enum` validators allow; `None` if it has no such validator.
    #[must_use]
    pub fn allowed(&self) -> Option<Vec<&Value>> {
        let mut lists = self
            .validators
            .iter()
            .filter(|validator| validator.kind == ValidatorKind::Enum)
            .map(|validator| &validator.allowed_values);
        let first: Vec<&Value> = lists.next()?.iter().collect();
        Some(lists.fold(first, |kept, list| kept.into_iter().filter(|value| list.contains(value)).collect()))
    }
}

/// A validator of a field's value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Validator {
    /// The kind of the validator.
    #[serde(rename = "type")]
    pub kind: ValidatorKind,
    /// Another name for the bound of a validator with one bound; older files use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The lower bound of a number or a length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_value: Option<Number>,
    /// The upper bound of a number or a length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_value: Option<Number>,
    /// The pattern of a `regex` validator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The `strftime` format of a `date` or `datetime` validator; ISO format by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The values of an `enum` validator.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_values: Vec<Value>,
    /// The message that replaces the validator's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The name of the function of a `custom` validator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_function: Option<String>,
}

impl Validator {
    /// Makes a validator of a kind, without parameters.
    #[must_use]
    pub fn new(kind: ValidatorKind) -> Self {
        Self {
            kind,
            value: None,
            min_value: None,
            max_value: None,
            pattern: None,
            format: None,
            allowed_values: Vec::new(),
            error_message: None,
            custom_function: None,
        }
    }
}
