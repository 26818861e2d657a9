//! Python objects as JSON, where structure and not text is wanted.

use pyo3::prelude::*;
use pyo3::types::PyFloat;
use serde_json::{Map, Number, Value};

use super::sort::{enum_value, sort};
use super::{Object, PyData};
use crate::error::{Error, Kind, Result};
use crate::template::{Data, Output, Sink, Sort, Style, Written};

/// How deep values nest that become JSON; one that holds itself ends here.
const JSON_DEPTH: usize = 100;

impl<'py> PyData<'py> {
    /// The value as JSON. Records become objects; what prints as itself, such as a date, becomes a text.
    pub(super) fn json(&self, value: &Object<'py>, depth: usize) -> Result<Value> {
        if depth > JSON_DEPTH {
            return Err(Error::new(
                Kind::TemplateRender,
                format!("the value nests more than {JSON_DEPTH} deep, or holds itself"),
            ));
        }
        let no_json = |sort: Sort| Error::new(Kind::TemplateRender, format!("{sort} has no JSON form"));
        Ok(match sort(value) {
            Sort::Null => Value::Null,
            Sort::Bool => {
                Value::Bool(value.is_truthy().map_err(|error| self.raised(error, "asking for a truth"))?)
            }
            Sort::Integer => {
                let plain = enum_value(value).unwrap_or_else(|| value.clone());
                if let Ok(number) = plain.extract::<i64>() {
                    number.into()
                } else if let Ok(number) = plain.extract::<u64>() {
                    number.into()
                } else {
                    return Err(Error::new(
                        Kind::TemplateRender,
                        "a whole number beyond 64 bits has no JSON form",
                    ));
                }
            }
            Sort::Float => {
                let plain = enum_value(value).unwrap_or_else(|| value.clone());
                match plain.cast::<PyFloat>() {
                    Ok(number) => Number::from_f64(number.value()).map(Value::Number).ok_or_else(|| {
                        Error::new(Kind::TemplateRender, "NaN and infinity have no JSON form")
                    })?,
                    // A decimal keeps its digits.
                    Err(_) => Value::String(self.spell(&plain)?),
                }
            }
            Sort::Sequence | Sort::Iterable => {
                let mut items = Vec::new();
                self.walk(value, &mut |item| {
                    items.push(self.json(&item.value, depth + 1)?);
                    Ok(())
                })?;
                Value::Array(items)
            }
            Sort::Mapping | Sort::Record => {
                let mut members = Map::new();
                self.walk(value, &mut |item| {
                    if let Some(key) = &item.key {
                        members.insert(self.spell(key)?, self.json(&item.value, depth + 1)?);
                    }
                    Ok(())
                })?;
                Value::Object(members)
            }
            sort @ Sort::Other => return Err(no_json(sort)),
            Sort::String | Sort::Date | Sort::DateTime | Sort::Uuid | Sort::Scalar => {
                Value::String(self.spell(value)?)
            }
        })
    }

    /// The text that a tag would print.
    fn spell(&self, value: &Object<'py>) -> Result<String> {
        let mut sink = self.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        match self.write(value, style, &mut sink)? {
            Written::Done => Ok(sink.finish().with_str(str::to_owned)),
            Written::Null => Ok("null".to_owned()),
            Written::NoText(sort) => {
                let message = format!("{sort} cannot be a key in JSON");
                Err(Error::new(Kind::TemplateRender, message))
            }
        }
    }
}
