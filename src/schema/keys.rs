//! The keys of schema files. Any other key is an error.

use crate::de::{self, KeyHint};
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

/// What to do with JSON Schema where a schema of our own is expected.
const JSON_SCHEMA: &str = "this is JSON Schema: make a schema of it with `Schema.from_json_schema({...})`";

fn is_of_json_schema(key: &str) -> bool {
    matches!(
        key,
        "$schema"
            | "$id"
            | "$defs"
            | "$ref"
            | "type"
            | "title"
            | "properties"
            | "required"
            | "additionalProperties"
            | "items"
            | "enum"
            | "anyOf"
            | "oneOf"
            | "allOf"
    )
}

/// The hint for a key of a file of schemas that belongs to one schema, or to JSON Schema.
pub(super) fn file_hint(key: &str) -> Option<KeyHint> {
    if is_of_json_schema(key) {
        return Some(KeyHint::of("schemas", JSON_SCHEMA));
    }
    matches!(key, "name" | "fields" | "extends" | "strict" | "description").then(|| {
        KeyHint::of("schemas", "list the schemas of a file: `schemas: [{name: ..., fields: [...]}]`")
    })
}

/// The hint for a key of JSON Schema in a schema.
pub(super) fn schema_hint(key: &str) -> Option<KeyHint> {
    is_of_json_schema(key).then(|| KeyHint::of("fields", JSON_SCHEMA))
}

/// The hint for a key of a field that is one elsewhere: of a variable in a prompt, or in JSON Schema.
pub(super) fn field_hint(key: &str) -> Option<KeyHint> {
    Some(match key {
        "values" | "enum" | "allowed_values" | "choices" | "options" => KeyHint::new(
            "list what is allowed in a validator: `validators: [{type: enum, allowed_values: [...]}]`",
        ),
        "pattern" | "regex" => {
            KeyHint::new("put the pattern into a validator: `validators: [{type: regex, pattern: ...}]`")
        }
        "min_value" | "max_value" | "minimum" | "maximum" => KeyHint::new(
            "put the bound into a validator: `validators: [{type: range, min_value: ..., max_value: ...}]`",
        ),
        "min_length" | "max_length" => KeyHint::new(
            "put the length into a validator, such as `validators: [{type: max_length, max_value: ...}]`",
        ),
        "items" => KeyHint::new(
            "give the type of the items in `item_type`, or the name of their schema in `item_schema`",
        ),
        "fields" | "properties" | "schema" => KeyHint::new(
            "write the fields as a schema, and give its name in `nested_schema`, or in `item_schema` for a list",
        ),
        _ => return None,
    })
}

/// The hint for a key of a validator that authors are likely to write.
pub(super) fn validator_hint(key: &str) -> Option<KeyHint> {
    matches!(key, "values" | "enum" | "choices" | "options")
        .then(|| KeyHint::of("allowed_values", "write `allowed_values: [...]`"))
}

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
    let hint = match owner {
        "Schema" => schema_hint(key),
        "SchemaField" => field_hint(key),
        "FieldValidator" => validator_hint(key),
        _ => None,
    };
    Some(de::unknown_key(Kind::SchemaParse, key, known, hint))
}
