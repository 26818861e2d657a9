//! Lets schemas validate and coerce Python objects. A value that needs no coercion stays the same object.

use std::sync::Arc;

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use speedate::{DateTime, Time};

use super::PyData;
use super::object::Object;
use super::overlay::Overlay;
use crate::error::{Error, Kind, Result};
use crate::python::error::unless_final;
use crate::python::surrogates;
use crate::python::text::{PyOutput, PyText};
use crate::schema::numeric::NumericValue;
use crate::schema::{NewValue, Values, Violation};
use crate::template::{Data, Item, ValueKind};

/// The violations that a pydantic model found, each as path, rule and message.
type ReportedViolations = Vec<(String, String, String)>;

/// A function or model of the application. Several compiled schemas can share it.
pub type SharedObject = Arc<Py<PyAny>>;

impl<'py> PyData<'_, 'py> {
    fn wrong(&self, raised: PyErr) -> Error {
        self.raised(raised, "validating a value")
    }

    /// Imports a class of the standard library.
    pub(super) fn class(&self, module: &str, name: &str) -> Result<Object<'py>> {
        self.py.import(module).and_then(|module| module.getattr(name)).map_err(|error| self.wrong(error))
    }

    fn date(&self, date: speedate::Date) -> Result<Object<'py>> {
        let arguments = (date.year, date.month, date.day);
        self.class("datetime", "date")?.call1(arguments).map_err(|error| self.wrong(error))
    }

    fn datetime(&self, moment: DateTime) -> Result<Object<'py>> {
        let zone = match moment.time.tz_offset {
            None => self.py.None().into_bound(self.py),
            Some(0) => {
                self.class("datetime", "timezone")?.getattr("utc").map_err(|error| self.wrong(error))?
            }
            Some(offset) => {
                let delta = self.class("datetime", "timedelta")?.call1((0, offset));
                let zone = self.class("datetime", "timezone")?;
                delta.and_then(|delta| zone.call1((delta,))).map_err(|error| self.wrong(error))?
            }
        };
        let (date, time) = (moment.date, moment.time);
        let arguments =
            (date.year, date.month, date.day, time.hour, time.minute, time.second, time.microsecond, zone);
        self.class("datetime", "datetime")?.call1(arguments).map_err(|error| self.wrong(error))
    }

    /// Validates a value with a pydantic model.
    fn call_model(&self, model: &SharedObject, value: &Object<'py>) -> PyResult<Object<'py>> {
        let py = self.py;
        let helper = py.import("prompt_manager.validation._pydantic")?;
        let given = match value.cast_exact::<Overlay>() {
            Ok(overlay) => self
                .merged(overlay.get())
                .map_err(|error| crate::python::error::raise(py, &error))?
                .into_any(),
            Err(_) => value.clone(),
        };
        helper.call_method1("validate", (model.bind(py), given))
    }
}

impl<'py> Values for PyData<'_, 'py> {
    type Function = SharedObject;
    type Model = SharedObject;

    #[inline]
    fn member(&self, value: &Object<'py>, name: &PyText) -> Result<Option<Object<'py>>> {
        let key = name.string(self.py);
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return dict.get_item(key).map_err(|error| self.wrong(error));
        }
        if let Ok(overlay) = value.cast_exact::<Overlay>() {
            let (own, base) = overlay.get().parts(self.py);
            return match (own.get_item(key).map_err(|error| self.wrong(error))?, base) {
                (Some(found), _) => Ok(Some(found)),
                (None, Some(base)) => Values::member(self, base, name),
                (None, None) => Ok(None),
            };
        }
        let resolved = self.content(value)?;
        match resolved.kind {
            ValueKind::Mapping => self.of_mapping(&resolved.value, name_of(name), key.as_any()),
            ValueKind::Record => self.of_record(&resolved, name_of(name), key.as_any()),
            _ => Ok(None),
        }
    }

    fn size(&self, value: &Object<'py>) -> Result<usize> {
        if let Ok(dict) = value.cast::<PyDict>() {
            return Ok(dict.len());
        }
        let resolved = self.content(value)?;
        if resolved.kind == ValueKind::Record {
            self.member_keys(&resolved, usize::MAX).map(|keys| keys.len())
        } else {
            self.size_of(&resolved.value)
        }
    }

    fn is_list(&self, value: &Object<'py>) -> bool {
        value.cast::<PyList>().is_ok()
    }

    fn numeric_value(&self, value: &Object<'py>) -> Result<Option<NumericValue>> {
        if let Ok(number) = value.cast_exact::<PyFloat>() {
            return Ok(Some(NumericValue::Float(number.value())));
        }
        let value = &self.bare(value)?;
        if value.cast::<PyBool>().is_ok() || value.cast::<PyInt>().is_ok() {
            if let Ok(whole) = value.extract::<i64>() {
                return Ok(Some(NumericValue::Integer(whole.into())));
            }
            if let Ok(whole) = value.extract::<i128>() {
                return Ok(Some(NumericValue::Integer(whole)));
            }
        }
        match value.extract::<f64>() {
            Ok(number) => Ok(Some(NumericValue::Float(number))),
            Err(error) if error.is_instance_of::<PyTypeError>(self.py) => Ok(None),
            // The number is beyond the range of a float.
            Err(error) if error.is_instance_of::<PyOverflowError>(self.py) => {
                let negative = value.lt(0).map_err(|error| self.wrong(error))?;
                let beyond = if negative { f64::NEG_INFINITY } else { f64::INFINITY };
                Ok(Some(NumericValue::Float(beyond)))
            }
            Err(error) => Err(self.wrong(error)),
        }
    }

    #[inline]
    fn with_text<R>(&self, value: &Object<'py>, read: impl FnOnce(&str) -> R) -> Result<Option<R>> {
        if let Ok(text) = value.cast_exact::<PyString>() {
            return Ok(Some(read(&surrogates::to_rust(text))));
        }
        let value = self.bare(value)?;
        Ok(value.cast::<PyString>().ok().map(|text| read(&surrogates::to_rust(text))))
    }

    fn bytes(&self, value: &Object<'py>) -> Option<Vec<u8>> {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Some(bytes.as_bytes().to_vec());
        }
        value.cast::<PyByteArray>().ok().map(PyByteArrayMethods::to_vec)
    }

    fn moment(&self, value: &Object<'py>) -> Result<Option<DateTime>> {
        let resolved = self.content(value)?;
        let value = &resolved.value;
        let part = |name: &str| -> PyResult<u32> { value.getattr(name)?.extract() };
        let read = || -> PyResult<DateTime> {
            let year = u16::try_from(part("year")?)?;
            let date = speedate::Date {
                year,
                month: u8::try_from(part("month")?)?,
                day: u8::try_from(part("day")?)?,
            };
            let mut time = Time { hour: 0, minute: 0, second: 0, microsecond: 0, tz_offset: None };
            if resolved.kind == ValueKind::DateTime {
                time.hour = u8::try_from(part("hour")?)?;
                time.minute = u8::try_from(part("minute")?)?;
                time.second = u8::try_from(part("second")?)?;
                time.microsecond = part("microsecond")?;
            }
            Ok(DateTime { date, time })
        };
        read().map(Some).map_err(|error| self.wrong(error))
    }

    fn make(&self, made: NewValue<'_>) -> Result<Object<'py>> {
        let py = self.py;
        let integer =
            |digits: &str| py.get_type::<PyInt>().call1((digits,)).map_err(|error| self.wrong(error));
        match made {
            NewValue::Bool(truth) => Ok(PyBool::new(py, truth).to_owned().into_any()),
            NewValue::Integer(whole) => match i64::try_from(whole) {
                Ok(whole) => match whole.into_pyobject(py) {
                    Ok(whole) => Ok(whole.into_any()),
                    Err(never) => match never {},
                },
                Err(_) => integer(&whole.to_string()),
            },
            NewValue::Digits(digits) => integer(digits),
            NewValue::Float(float) => Ok(PyFloat::new(py, float).into_any()),
            NewValue::Text(text) => Ok(surrogates::to_python(py, text).into_any()),
            NewValue::Date(date) => self.date(date),
            NewValue::DateTime(moment) => self.datetime(moment),
            NewValue::Uuid(uuid) => {
                self.class("uuid", "UUID")?.call1((uuid.to_string(),)).map_err(|error| self.wrong(error))
            }
        }
    }

    fn list(&self, value: &Object<'py>, changes: Vec<(usize, Object<'py>)>) -> Result<Object<'py>> {
        let list = if let Ok(list) = value.cast::<PyList>() {
            list.get_slice(0, list.len())
        } else {
            let list = PyList::empty(self.py);
            self.walk(value, &mut |Item { value, .. }| {
                list.append(value).map_err(|error| self.wrong(error))
            })?;
            list
        };
        for (at, item) in changes {
            list.set_item(at, item).map_err(|error| self.wrong(error))?;
        }
        Ok(list.into_any())
    }

    fn amend(&self, value: &Object<'py>, changes: Vec<(&PyText, Object<'py>)>) -> Result<Object<'py>> {
        let dict = if let Ok(dict) = value.cast_exact::<PyDict>() {
            dict.copy().map_err(|error| self.wrong(error))?
        } else if let Ok(overlay) = value.cast_exact::<Overlay>() {
            self.merged(overlay.get())?
        } else {
            let dict = PyDict::new(self.py);
            self.walk(value, &mut |Item { key, value, .. }| {
                key.map_or(Ok(()), |key| dict.set_item(key, value)).map_err(|error| self.wrong(error))
            })?;
            dict
        };
        for (name, member) in changes {
            dict.set_item(name.string(self.py), member).map_err(|error| self.wrong(error))?;
        }
        Ok(dict.into_any())
    }

    fn pick(&self, value: &Object<'py>, names: &mut dyn Iterator<Item = &'_ PyText>) -> Result<Object<'py>> {
        let dict = PyDict::new(self.py);
        for name in names {
            if let Some(member) = Values::member(self, value, name)? {
                dict.set_item(name.string(self.py), member).map_err(|error| self.wrong(error))?;
            }
        }
        Ok(dict.into_any())
    }

    fn call(&self, function: &SharedObject, name: &str, value: &Object<'py>) -> Result<bool> {
        let py = self.py;
        let failed = |what: String| Error::new(Kind::Schema, format!("the function '{name}' {what}"));
        match function.bind(py).call1((value,)) {
            Ok(answer) => {
                if let Ok(answer) = answer.cast::<PyBool>() {
                    Ok(answer.is_true())
                } else {
                    let kind = crate::python::template::type_name(&answer);
                    Err(failed(format!("must return True or False, and returned {kind}"))
                        .with_context("function", name))
                }
            }
            Err(error) => {
                use pyo3::exceptions::{PyAssertionError, PyValueError};

                let error = unless_final(py, error)?;
                if error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyAssertionError>(py) {
                    return Ok(false);
                }
                let kind = error.get_type(py).name().map_or_else(|_| String::new(), |name| name.to_string());
                Err(failed(format!("raised {kind}")).with_context("function", name).with_cause(error))
            }
        }
    }

    fn validate(
        &self,
        model: &SharedObject,
        value: &Object<'py>,
        found: &mut Vec<Violation>,
    ) -> Result<Option<Object<'py>>> {
        let foreign =
            |error: PyErr| Error::new(Kind::Foreign, "a model raised an exception").with_cause(error);
        let answer = self.call_model(model, value).map_err(foreign)?;
        let (made, violations): (Object<'py>, Option<ReportedViolations>) =
            answer.extract().map_err(foreign)?;
        match violations {
            None => Ok(Some(made)),
            Some(violations) => {
                let reported =
                    violations.into_iter().map(|(path, rule, message)| Violation { path, rule, message });
                found.extend(reported);
                Ok(None)
            }
        }
    }

    fn json_schema(&self, model: &SharedObject) -> Result<serde_json::Value> {
        let py = self.py;
        let schema = || -> PyResult<serde_json::Value> {
            let helper = py.import("prompt_manager.validation._pydantic")?;
            let schema = helper.call_method1("json_schema", (model.bind(py),))?;
            Ok(pythonize::depythonize(&schema)?)
        };
        schema().map_err(|error| {
            Error::new(Kind::Schema, "the JSON Schema of the model cannot be made").with_cause(error)
        })
    }

    fn append(&self, output: PyOutput<'py>, text: &str) -> PyOutput<'py> {
        let joined = output.0.as_any().add(PyString::new(self.py, text)).ok();
        let joined = joined.and_then(|joined| joined.cast_into::<PyString>().ok());
        // Joining strings fails only if memory runs out.
        PyOutput(joined.unwrap_or(output.0))
    }
}

fn name_of(name: &PyText) -> &str {
    crate::template::Text::as_str(name)
}

/// Makes Python objects from the JSON of a model's answer.
pub(in crate::python) fn answer_to_python<'py>(
    py: Python<'py>,
    parsed: &crate::schema::output::Parsed,
) -> PyResult<Object<'py>> {
    use crate::schema::output::Parsed;
    Ok(match parsed {
        Parsed::Null => py.None().into_bound(py),
        Parsed::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any(),
        Parsed::Integer(whole) => whole.into_pyobject(py)?.into_any(),
        Parsed::Digits(digits) => py.get_type::<PyInt>().call1((digits,))?,
        Parsed::Float(float) => PyFloat::new(py, *float).into_any(),
        Parsed::Text(text) => PyString::new(py, text).into_any(),
        Parsed::List(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(answer_to_python(py, item)?)?;
            }
            list.into_any()
        }
        Parsed::Dict(members) => {
            let dict = PyDict::new(py);
            for (name, value) in members {
                dict.set_item(name, answer_to_python(py, value)?)?;
            }
            dict.into_any()
        }
    })
}
