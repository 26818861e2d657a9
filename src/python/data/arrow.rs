//! Converts values of Arrow columns to Python objects, for prompts that call the application's code.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use super::PyData;
use super::object::Object;
use crate::bulk::{ArrowValue, date_of};
use crate::error::{Error, Kind, Result};
use crate::schema::{NewValue, Values};
use crate::template::{Data, ValueKind};

impl<'py> PyData<'_, 'py> {
    /// The Python object of a value of a column.
    pub(in crate::python) fn of_arrow(&self, value: &ArrowValue<'_>) -> Result<Object<'py>> {
        let converting = |error: PyErr| self.raised(error, "converting a value of a column");
        Ok(match value {
            ArrowValue::Null => self.py.None().into_bound(self.py),
            ArrowValue::Bool(truth) => self.make(NewValue::Bool(*truth))?,
            ArrowValue::Integer(whole) => self.make(NewValue::Integer((*whole).into()))?,
            ArrowValue::Digits(digits) => self.make(NewValue::Digits(digits))?,
            ArrowValue::Float(float) => self.make(NewValue::Float(*float))?,
            ArrowValue::Text(text) => self.text(text),
            ArrowValue::SharedText(text) => self.text(text),
            ArrowValue::Uuid(uuid) => self.make(NewValue::Uuid(*uuid))?,
            ArrowValue::Date(days) => {
                let date = date_of(*days).ok_or_else(|| out_of_range("a date"))?;
                self.make(NewValue::Date(date))?
            }
            ArrowValue::Moment(moment) => self.make(NewValue::DateTime(moment.zoned()))?,
            ArrowValue::Bytes(bytes) => PyBytes::new(self.py, bytes).into_any(),
            ArrowValue::Decimal(decimal) => {
                let class = self.class("decimal", "Decimal")?;
                class.call1((decimal.to_string(),)).map_err(converting)?
            }
            ArrowValue::Time(time) => {
                let (seconds, microseconds) = time.parts();
                let parts = (seconds / 3600, seconds / 60 % 60, seconds % 60, microseconds);
                self.class("datetime", "time")?.call1(parts).map_err(converting)?
            }
            ArrowValue::Duration(duration) => {
                let (seconds, microseconds) = duration.parts();
                self.class("datetime", "timedelta")?.call1((0, seconds, microseconds)).map_err(converting)?
            }
            list if list.kind() == ValueKind::Sequence => {
                let items = PyList::empty(self.py);
                for at in 0..list.size().unwrap_or_default() {
                    if let Some(item) = list.item(at) {
                        items.append(self.of_arrow(&item)?).map_err(converting)?;
                    }
                }
                items.into_any()
            }
            mapping => {
                let dict = PyDict::new(self.py);
                for (key, member) in mapping.members() {
                    dict.set_item(self.of_arrow(&key)?, self.of_arrow(&member)?).map_err(converting)?;
                }
                dict.into_any()
            }
        })
    }
}

fn out_of_range(what: &str) -> Error {
    Error::new(Kind::TemplateRender, format!("{what} of a column is not in the years 1 to 9999"))
}
