//! The keys of schema files. Any other key is an error.

use crate::de;
use crate::error::{Error, Kind};

/// The keys of a file of schemas.
pub(super) const FILE: &[&str] = &["version", "metadata", "schemas"];

/// The keys of a schema.
pub(super) const SCHEMA: &[&str] = &[
    "name",
    "version",
    "description",
    "strict",
    "allow_extra",
    "coerce",
    "extends",
    "fields",
    "definitions",
    "metadata",
];

/// The keys of a field.
pub(super) const FIELD: &[&str] = &[
    "name",
    "type",
    "required",
    "default",
    "nullable",
    "description",
    "item_type",
    "item_schema",
    "nested_schema",
    "allow_inf_nan",
    "read_only",
    "write_only",
    "validators",
];

/// The keys of a validator.
pub(super) const VALIDATOR: &[&str] = &[
    "type",
    "value",
    "min_value",
    "max_value",
    "pattern",
    "format",
    "allowed_values",
    "error_message",
    "custom_function",
];

/// The error for a key that a part of a schema does not have, and the key that was probably meant. `owner` is the name of
/// the part's Python class. `None` for another class.
#[must_use]
pub fn unknown_key(owner: &str, key: &str) -> Option<(Error, Option<&'static str>)> {
    let known = match owner {
        "Schema" => SCHEMA,
        "SchemaField" => FIELD,
        "FieldValidator" => VALIDATOR,
        "SchemaRegistry" => FILE,
        _ => return None,
    };
    Some(de::unknown_key(Kind::SchemaParse, key, known, None))
}
