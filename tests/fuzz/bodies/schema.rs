//! Validates any data by any schema.

use std::convert::Infallible;
use std::sync::LazyLock;

use arbitrary::Unstructured;
use prompt_manager::schema::json_schema::{self, JsonSchemaMode};
use prompt_manager::schema::{CompiledSchema, JsonFunction, Schema, SchemaSet, example, parse};
use prompt_manager::template::{JsonData, JsonDataValue};
use prompt_manager::{Error, Kind};
use serde_json::Value;

use super::words::Words;

type Schemas = SchemaSet<Box<str>, JsonFunction, Infallible>;
type Compiled = CompiledSchema<Box<str>, JsonFunction, Infallible>;

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::of(include_str!("../words/schema.txt")));

/// Reads a schema, in the form of schema files or in that of JSON Schema, and validates data by it.
///
/// The input is a byte that selects the form, then the schema and the data.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(is_json_schema) = input.arbitrary::<u8>().map(|byte| byte % 2 == 1) else { return };
    let (Ok(document), Ok(value)) = (WORDS.value(&mut input), WORDS.value(&mut input)) else { return };
    let read = if is_json_schema { json_schema::read("s", &document) } else { parse::read_one(&document) };
    let schema = match read {
        Ok(schema) => schema,
        Err(error) => return assert_is_schema_error(&error),
    };
    let mut set = Schemas::default();
    if let Err(error) = set.add(vec![schema.clone()]) {
        return assert_is_schema_error(&error);
    }
    for error in set.check() {
        assert_is_schema_error(&error);
    }
    written(&set, &schema);
    let compiled = match set.compiled(&schema.name) {
        Ok(compiled) => compiled,
        Err(error) => return assert_is_schema_error(&error),
    };
    for coerce in [None, Some(false), Some(true)] {
        let first = validated(&compiled, &value, coerce);
        assert_eq!(first, validated(&compiled, &value, coerce), "a second validation differs");
    }
    // What fits as it is fits with conversions.
    if validated(&compiled, &value, Some(false)).is_ok() {
        assert!(validated(&compiled, &value, Some(true)).is_ok(), "{value} by {document}");
    }
}

/// Writes the schema in every form.
fn written(set: &Schemas, schema: &Schema) {
    let modes =
        [JsonSchemaMode::Full, JsonSchemaMode::Strict, JsonSchemaMode::Anthropic, JsonSchemaMode::Gemini];
    for mode in modes {
        match json_schema::write(set, schema, mode, &|model| match *model {}) {
            Ok(document) => assert!(document.is_object(), "{document}"),
            Err(error) => assert_is_schema_error(&error),
        }
    }
    if let Err(error) = example(set, schema) {
        assert_is_schema_error(&error);
    }
}

/// The data that validation returns, or the report of the error.
fn validated(compiled: &Compiled, value: &Value, coerce: Option<bool>) -> Result<Value, String> {
    match compiled.validate(&JsonData::default(), &JsonDataValue::Borrowed(value), "the data", coerce) {
        Ok(None) => Ok(value.clone()),
        Ok(Some(made)) => Ok(made.value().clone()),
        Err(error) => {
            assert_is_schema_error(&error);
            Err(error.report())
        }
    }
}

fn assert_is_schema_error(error: &Error) {
    let kinds = [Kind::Schema, Kind::SchemaParse, Kind::SchemaInvalid];
    assert!(kinds.contains(&error.kind()), "{}", error.report());
    assert!(!error.report().is_empty());
}
