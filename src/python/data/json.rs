//! Python objects as JSON, where structure and not text is wanted.

use pyo3::prelude::*;
use pyo3::types::PyFloat;
use serde_json::{Map, Number, Value};

use super::PyData;
use super::kind::{Object, bare, kind_of};
use crate::error::{Error, Kind, Result};
use crate::template::{Data, Sink, Style, ValueKind, WriteOutcome};

/// How deep values nest that become JSON; one that holds itself ends here.
const JSON_DEPTH: usize = 100;

impl<'py> PyData<'_, 'py> {
    /// The value as JSON. Records become objects; what prints as itself, such as a date, becomes a text.
    pub(in crate::python) fn json(&self, value: &Object<'py>, depth: usize) -> Result<Value, JsonError> {
        if depth > JSON_DEPTH {
            return Err(fault(format!("the value nests more than {JSON_DEPTH} deep, or is within itself")));
        }
        let value = &bare(value);
        Ok(match kind_of(value) {
            ValueKind::Null => Value::Null,
            ValueKind::Bool => {
                Value::Bool(value.is_truthy().map_err(|error| self.raised(error, "asking for a truth"))?)
            }
            ValueKind::Integer => {
                let number = value.extract::<i64>().map(Number::from);
                let number = number.or_else(|_| value.extract::<u64>().map(Number::from));
                number
                    .map(Value::Number)
                    .map_err(|_| fault("a whole number beyond 64 bits has no JSON form"))?
            }
            ValueKind::Float => match value.cast::<PyFloat>() {
                Ok(number) => Number::from_f64(number.value())
                    .map(Value::Number)
                    .ok_or_else(|| fault("NaN and infinity have no JSON form"))?,
                // A decimal keeps its digits.
                Err(_) => Value::String(self.spell(value)?),
            },
            ValueKind::Sequence => {
                let mut items = Vec::new();
                let mut failed = None;
                self.walk(value, &mut |item| {
                    if failed.is_none() {
                        match self.json(&item.value, depth + 1) {
                            Ok(item) => items.push(item),
                            Err(json_error) => {
                                failed = Some(json_error.within(&format!("[{}]", items.len())))
                            }
                        }
                    }
                    Ok(())
                })?;
                failed.map_or(Ok(Value::Array(items)), Err)?
            }
            ValueKind::Mapping | ValueKind::Record => {
                let mut members = Map::new();
                let mut failed = None;
                self.walk(value, &mut |item| {
                    if let (None, Some(key)) = (&failed, &item.key) {
                        let key = self.spell(key)?;
                        match self.json(&item.value, depth + 1) {
                            Ok(value) => drop(members.insert(key, value)),
                            Err(json_error) => failed = Some(json_error.within(&format!(".{key}"))),
                        }
                    }
                    Ok(())
                })?;
                failed.map_or(Ok(Value::Object(members)), Err)?
            }
            kind @ (ValueKind::Other | ValueKind::Iterable) => {
                return Err(fault(format!("{kind} has no JSON form")));
            }
            ValueKind::String
            | ValueKind::Date
            | ValueKind::DateTime
            | ValueKind::Uuid
            | ValueKind::Scalar => Value::String(self.spell(value)?),
        })
    }

    /// The text that a tag would print.
    fn spell(&self, value: &Object<'py>) -> Result<String> {
        let mut sink = self.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        match self.write(value, style, &mut sink)? {
            WriteOutcome::Done => match sink.finish().0.to_str() {
                Ok(text) => Ok(text.to_owned()),
                Err(_) => Err(Error::new(
                    Kind::TemplateRender,
                    "a text with half a surrogate pair, which is no character, has no JSON form",
                )),
            },
            WriteOutcome::Null => Ok("null".to_owned()),
            WriteOutcome::NoText(kind) => {
                let message = format!("{kind} cannot be a key in JSON");
                Err(Error::new(Kind::TemplateRender, message))
            }
        }
    }
}

/// What keeps a value from being JSON, and where in the value it is.
pub(in crate::python) struct JsonError {
    /// The way to it, such as `.team.since[0]`. It may hold keys of the value.
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

fn fault(message: impl Into<String>) -> JsonError {
    Error::new(Kind::TemplateRender, message).into()
}
