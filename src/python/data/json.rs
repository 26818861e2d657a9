//! Converts Python objects to JSON.

use pyo3::prelude::*;
use pyo3::types::PyFloat;
use serde_json::{Map, Number, Value};

use super::PyData;
use super::object::Object;
use super::reading::ObjectReading;
use crate::error::{Error, Kind, Result};
use crate::limits::PLAIN_DEPTH;
use crate::python::surrogates;
use crate::stack_room;
use crate::template::{Data, JsonText, Output, Sink, Style, ValueKind, WriteOutcome};

impl<'py> PyData<'_, 'py> {
    /// Converts a value to JSON. A record becomes an object. A date, a UUID and the like become the text that a template
    /// prints.
    pub(in crate::python) fn json(&self, value: &Object<'py>, depth: usize) -> Result<Value, JsonError> {
        if depth > PLAIN_DEPTH {
            return Err(json_error(format!(
                "the value is nested more than {PLAIN_DEPTH} levels deep, or contains itself"
            )));
        }
        stack_room::check(depth, Kind::TemplateRender)?;
        let resolved = self.content(value)?;
        let value = &resolved.value;
        Ok(match resolved.kind {
            ValueKind::Null => Value::Null,
            ValueKind::Bool => Value::Bool(
                value.is_truthy().map_err(|error| self.raised(error, "converting a value to bool"))?,
            ),
            ValueKind::Integer => {
                let number = value.extract::<i64>().map(Number::from);
                let number = number.or_else(|_| value.extract::<u64>().map(Number::from));
                number
                    .map(Value::Number)
                    .map_err(|_| json_error("an integer beyond 64 bits cannot be written as JSON"))?
            }
            ValueKind::Float => match value.cast::<PyFloat>() {
                Ok(number) => Number::from_f64(number.value())
                    .map(Value::Number)
                    .ok_or_else(|| json_error("NaN and infinity cannot be written as JSON"))?,
                // A decimal keeps its digits.
                Err(_) => Value::String(self.printed(value)?),
            },
            // Without an engine the JSON outlives the call, and the order of a set does not.
            kind if kind == ValueKind::Sequence
                || (resolved.reading == ObjectReading::Set && self.engine.is_some()) =>
            {
                let mut items = Vec::new();
                let mut failed = None;
                self.walk_resolved(&resolved, &mut |item| {
                    self.count_work(1)?;
                    if failed.is_none() {
                        match self.json(&item.value, depth + 1) {
                            Ok(item) => items.push(item),
                            Err(error) => failed = Some(error.within(&format!("[{}]", items.len()))),
                        }
                    }
                    Ok(())
                })?;
                failed.map_or(Ok(Value::Array(items)), Err)?
            }
            ValueKind::Mapping | ValueKind::Record => {
                let mut members = Map::new();
                let mut failed = None;
                self.walk_resolved(&resolved, &mut |item| {
                    self.count_work(1)?;
                    if let (None, Some(key)) = (&failed, &item.key) {
                        let key = self.json_key(key)?;
                        match self.json(&item.value, depth + 1) {
                            Ok(value) if !members.contains_key(&key) => drop(members.insert(key, value)),
                            Ok(_) => failed = Some(JsonText::duplicate_key().into()),
                            Err(error) => failed = Some(error.within(&format!(".{key}"))),
                        }
                    }
                    Ok(())
                })?;
                failed.map_or(Ok(Value::Object(members)), Err)?
            }
            kind @ (ValueKind::Other | ValueKind::Iterable | ValueKind::Sequence) => {
                return Err(json_error(format!("{kind} cannot be written as JSON")));
            }
            ValueKind::String
            | ValueKind::Date
            | ValueKind::DateTime
            | ValueKind::Uuid
            | ValueKind::Scalar => Value::String(self.printed(value)?),
        })
    }

    /// The text of a mapping's key in JSON.
    pub(in crate::python) fn json_key(&self, key: &Object<'py>) -> Result<String> {
        self.printed(key)
    }

    /// Returns the text that a template prints for a value.
    fn printed(&self, value: &Object<'py>) -> Result<String> {
        let mut sink = self.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        match self.write(value, style, &mut sink)? {
            WriteOutcome::Done => {
                let text = sink.finish();
                // Without an engine the JSON outlives the call, in a prompt or a schema.
                if self.engine.is_none() && surrogates::has_lone(&text.0) {
                    return Err(Error::new(
                        Kind::TemplateRender,
                        "text with half a surrogate pair, which is not a character, cannot be written as JSON",
                    ));
                }
                Ok(text.with_str(str::to_owned))
            }
            WriteOutcome::Null => Ok("null".to_owned()),
            WriteOutcome::NullItem => Err(Error::new(
                Kind::TemplateRender,
                "a list in which an item is None cannot be a key in JSON",
            )),
            WriteOutcome::NoText(kind) => {
                let message = format!("{kind} cannot be a key in JSON");
                Err(Error::new(Kind::TemplateRender, message))
            }
        }
    }
}

/// The reason why a value cannot be converted to JSON, and the place in the value.
pub(in crate::python) struct JsonError {
    /// The path to the place, such as `.team.since[0]`. It may contain keys of the value.
    pub(in crate::python) path: String,
    pub(in crate::python) error: Error,
}

impl JsonError {
    fn within(mut self, segment: &str) -> Self {
        self.path.insert_str(0, segment);
        self
    }
}

impl From<Error> for JsonError {
    fn from(error: Error) -> Self {
        Self { path: String::new(), error }
    }
}

fn json_error(message: impl Into<String>) -> JsonError {
    Error::new(Kind::TemplateRender, message).into()
}
