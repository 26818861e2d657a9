//! Lets templates read Python objects in place.
//!
//! A template can read the keys of a mapping, the items of a sequence, `length`, and the declared public fields of a
//! pydantic model, dataclass, attrs or msgspec class, named tuple, database row or registered class. No other attribute is ever read, and no method is called except those of
//! the mapping, sequence or iterator protocol. Each object is held by a strong reference while code of the caller may
//! run.

mod arrow;
mod compare;
mod fields;
pub(super) mod fingerprint;
mod helper_call;
mod helper_options;
mod json;
mod json_text;
mod kind;
pub(super) mod loggable;
mod members;
mod merge;
mod names;
mod numbers;
mod object;
mod overlay;
mod packages;
mod reading;
mod resolved;
mod type_info;
pub(super) mod values;
mod walk;
mod write;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::sync::Arc;

use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBoolMethods, PyComplex, PyDict, PyFloat, PyInt, PyList, PyString};

pub(super) use self::helper_options::HelperOptions;
pub(super) use self::object::Object;
pub(super) use self::overlay::Overlay;
use self::reading::ObjectReading;
pub(super) use self::type_info::TypeInfo;
use super::error::{foreign, of_signal_handler};
use super::library::{EngineState, HelperFunction};
use super::sink::PySink;
use super::surrogates;
use super::text::{PyOutput, PyText};
use crate::error::{Error, Kind, Result};
use crate::limits::Limits;
use crate::template::{
    Data, Fences, Invocation, Item, JsonText, Literal, Output, Sink, Style, Text, Truth, ValueKind,
    WorkMeter, WriteOutcome,
};

/// Python objects as template data, for one render.
pub struct PyData<'e, 'py> {
    py: Python<'py>,
    /// The engine, which has the helpers.
    engine: Option<&'e Arc<EngineState>>,
    /// The iterators that this render has read, with their items. An iterator returns its items only once, so a second
    /// `{{#each}}` reads them here.
    walked: RefCell<Vec<Walked<'py>>>,
    work: WorkMeter,
    fences: Fences,
}

/// The truth of a value of a type whose truth Python and templates see alike. `None` for other types.
#[inline]
fn plain_truth(value: &Object<'_>) -> Option<bool> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return text.len().ok().map(|length| length > 0);
    }
    if let Ok(list) = value.cast_exact::<PyList>() {
        return Some(!list.is_empty());
    }
    if value.is_none() {
        return Some(false);
    }
    value.cast_exact::<PyBool>().ok().map(PyBoolMethods::is_true)
}

struct Walked<'py> {
    iterator: Object<'py>,
    items: Vec<Object<'py>>,
    ended: bool,
}

impl<'e, 'py> PyData<'e, 'py> {
    /// The data of a render with this engine.
    pub(super) fn new(py: Python<'py>, engine: &'e Arc<EngineState>) -> Self {
        let work = WorkMeter::new(engine.options.limits.steps);
        Self { py, engine: Some(engine), walked: RefCell::default(), work, fences: Fences::default() }
    }

    /// The data without an engine, and so without helpers.
    pub(super) fn without_engine(py: Python<'py>) -> Self {
        let work = WorkMeter::new(Limits::default().steps);
        Self { py, engine: None, walked: RefCell::default(), work, fences: Fences::default() }
    }
}

impl<'py> PyData<'_, 'py> {
    /// Whether the engine reads values like JavaScript.
    pub(super) fn is_javascript(&self) -> bool {
        self.engine.is_some_and(|engine| engine.options.is_javascript())
    }

    /// Counts the work of one tag on a large value, in steps.
    #[inline]
    fn count_work(&self, steps: u64) -> Result<()> {
        self.work.count(steps, || self.check_interrupt())
    }

    pub(super) fn raised(&self, raised: PyErr, doing: &str) -> Error {
        foreign(self.py, raised, || format!("{doing} raised an exception"))
    }

    /// Writes a value that is no plain text.
    #[inline(never)]
    fn write_other(
        &self,
        value: &Object<'py>,
        style: Style,
        out: &mut PySink<'py>,
    ) -> Result<Option<WriteOutcome>> {
        self.write_any(value, style, 0, &mut 0, out).map(Some)
    }

    fn integer(&self, value: usize) -> Object<'py> {
        match value.into_pyobject(self.py) {
            Ok(value) => value.into_any(),
            Err(never) => match never {},
        }
    }
}

impl<'py> Data for PyData<'_, 'py> {
    type Text = PyText;
    type Value = Object<'py>;
    type Kept = Py<PyAny>;
    type Helper = HelperFunction;
    type Sink = PySink<'py>;
    type Output = PyOutput<'py>;

    fn keep(&self, value: &Object<'py>) -> Py<PyAny> {
        value.clone().unbind()
    }

    fn restore(&self, kept: &Py<PyAny>) -> Object<'py> {
        kept.bind(self.py).clone()
    }

    fn helper(&self, name: &PyText) -> Option<HelperFunction> {
        self.engine.and_then(|engine| engine.helper(self.py, name.as_str()))
    }

    fn invoke(&self, helper: &HelperFunction, call: Invocation<'_, Self>) -> Result<Option<Object<'py>>> {
        self.call_helper(helper, call)
    }

    fn kind_of(&self, value: &Object<'py>) -> Result<ValueKind> {
        self.kind(value)
    }

    #[inline]
    fn get(&self, value: &Object<'py>, key: &PyText) -> Result<Option<Object<'py>>> {
        if let Ok(dict) = value.cast_exact::<PyDict>()
            && let Some(found) =
                key.value_in(dict).map_err(|error| self.raised(error, "reading a mapping"))?
        {
            return Ok(Some(found));
        }
        self.member(value, key.as_str(), key.string(self.py).as_any())
    }

    fn has_member(&self, mapping: &Object<'py>, name: &PyText) -> Result<bool> {
        let content = self.content(mapping)?.value;
        Ok(self.of_mapping(&content, name.as_str(), name.string(self.py).as_any())?.is_some())
    }

    fn lookup(&self, value: &Object<'py>, key: &Object<'py>) -> Result<Option<Object<'py>>> {
        if let Ok(dict) = value.cast::<PyDict>() {
            self.count_key(key)?;
            let found = match dict.get_item(key) {
                // A key that cannot be hashed is not in the dict.
                Err(error) if error.is_instance_of::<PyTypeError>(self.py) => None,
                found => found.map_err(|error| self.raised(error, "reading a mapping"))?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        let mut sink = self.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        if self.write(key, style, &mut sink)? != WriteOutcome::Done {
            return Ok(None);
        }
        let name = sink.finish();
        name.with_str(|text| self.member(value, text, name.0.as_any()))
    }

    #[inline]
    fn member_count(&self, value: &Object<'py>) -> Option<usize> {
        value.cast_exact::<PyDict>().ok().map(PyDictMethods::len)
    }

    fn names(&self, value: &Object<'py>, most: usize) -> Result<Vec<String>> {
        self.names_of(&self.resolve(value)?, most)
    }

    fn truth(&self, value: &Object<'py>, empty_mapping_is_false: bool) -> Result<Truth> {
        let is = |truth: bool| if truth { Truth::True } else { Truth::False };
        let checked =
            |truth: PyResult<bool>| truth.map_err(|error| self.raised(error, "converting a value to bool"));
        let resolved = self.content(value)?;
        let value = &resolved.value;
        Ok(match resolved.kind {
            ValueKind::Null => Truth::False,
            ValueKind::Bool => is(checked(value.is_truthy())?),
            ValueKind::Integer | ValueKind::Float => {
                if checked(value.is_truthy())? {
                    // NaN is true for Python but false for templates. It is the only number that is not equal to itself.
                    is(checked(value.eq(value))?)
                } else {
                    Truth::Zero
                }
            }
            ValueKind::String | ValueKind::Sequence => is(self.size_of(value)? > 0),
            ValueKind::Mapping => is(!empty_mapping_is_false || self.size_of(value)? > 0),
            ValueKind::Iterable if resolved.reading == ObjectReading::Set => is(self.size_of(value)? > 0),
            ValueKind::Scalar if value.cast::<PyComplex>().is_ok() => is(checked(value.is_truthy())?),
            _ => Truth::True,
        })
    }

    fn walk(
        &self,
        value: &Object<'py>,
        visit: &mut dyn FnMut(Item<Object<'py>>) -> Result<()>,
    ) -> Result<()> {
        self.walk_resolved(&self.content(value)?, visit)
    }

    #[inline]
    fn write(&self, value: &Object<'py>, style: Style, out: &mut PySink<'py>) -> Result<WriteOutcome> {
        self.write_any(value, style, 0, &mut 0, out)
    }

    #[inline]
    fn write_member(
        &self,
        value: &Object<'py>,
        key: &PyText,
        style: Style,
        out: &mut PySink<'py>,
    ) -> Result<Option<WriteOutcome>> {
        let Ok(dict) = value.cast_exact::<PyDict>() else { return Ok(None) };
        match key.value_in(dict) {
            Ok(Some(found)) if !style.html => match found.cast_into_exact::<PyString>() {
                Ok(string) => {
                    out.string(string);
                    Ok(Some(WriteOutcome::Done))
                }
                Err(other) => self.write_other(&other.into_inner(), style, out),
            },
            Ok(Some(found)) => self.write_other(&found, style, out),
            Ok(None) => Ok(None),
            Err(error) => Err(self.raised(error, "reading a mapping")),
        }
    }

    #[inline]
    fn is_plain_list(&self, value: &Object<'py>) -> bool {
        value.cast_exact::<PyList>().is_ok()
    }

    #[inline]
    fn list_item(&self, list: &Object<'py>, at: usize) -> Option<Item<Object<'py>>> {
        // The length is read again for each item, because a template may run code that changes the list.
        let list = list.cast_exact::<PyList>().ok()?;
        let count = list.len();
        let value = (at < count).then(|| list.get_item(at).ok())??;
        Some(Item { key: None, value, last: at + 1 == count })
    }

    #[inline]
    fn member_truth(&self, value: &Object<'py>, key: &PyText) -> Result<Option<bool>> {
        let Ok(dict) = value.cast_exact::<PyDict>() else { return Ok(None) };
        let found = key.value_in(dict).map_err(|error| self.raised(error, "reading a mapping"))?;
        Ok(found.and_then(|found| plain_truth(&found)))
    }

    #[inline]
    fn same(&self, a: &Object<'py>, b: &Object<'py>) -> bool {
        // A dict, which is the usual context, is the same only as itself.
        if a.is(b) || a.cast_exact::<PyDict>().is_ok() || b.cast_exact::<PyDict>().is_ok() {
            return a.is(b);
        }
        // As in JavaScript, an equal text or number does not make a new context. Only Python's own types are compared, so
        // that no code of the caller runs.
        let own = |value: &Object<'py>| {
            value.cast_exact::<PyString>().is_ok()
                || value.cast_exact::<PyInt>().is_ok()
                || value.cast_exact::<PyFloat>().is_ok()
        };
        own(a) && own(b) && a.eq(b).unwrap_or(false)
    }

    fn equal(&self, a: &Object<'py>, b: &Object<'py>) -> Result<bool> {
        self.equal_at(a, b, 0)
    }

    fn order(&self, a: &Object<'py>, b: &Object<'py>) -> Result<Option<Ordering>> {
        self.order_of(&self.content(a)?, &self.content(b)?)
    }

    fn length(&self, value: &Object<'py>) -> Result<Option<usize>> {
        let resolved = self.content(value)?;
        match resolved.kind {
            ValueKind::String | ValueKind::Sequence | ValueKind::Mapping => {}
            ValueKind::Iterable if resolved.reading == ObjectReading::Set => {}
            _ => return Ok(None),
        }
        self.size_of(&resolved.value).map(Some)
    }

    fn text(&self, text: &str) -> Object<'py> {
        surrogates::to_python(self.py, text).into_any()
    }

    fn to_json(&self, value: &Object<'py>) -> Result<serde_json::Value> {
        self.json(value, 0).map_err(|json_error| json_error.error)
    }

    fn to_json_text(&self, value: &Object<'py>, indent: Option<usize>, limit: usize) -> Result<String> {
        let mut text = JsonText::new(indent, limit);
        self.write_json(value, 0, &mut text)?;
        Ok(text.finish())
    }

    fn to_message_json(&self, value: &Object<'py>, limit: usize) -> Result<String> {
        let mut text = JsonText::new(None, limit);
        text.takes_bytes = true;
        self.write_json(value, 0, &mut text)?;
        Ok(text.finish())
    }

    fn sum(&self, a: &Object<'py>, b: &Object<'py>, subtract: bool) -> Result<Option<Object<'py>>> {
        self.sum_of(&self.content(a)?, &self.content(b)?, subtract)
    }

    fn without(&self, base: &Object<'py>, names: &[&PyText]) -> Result<Object<'py>> {
        let members = self.as_dict(base)?;
        for name in names {
            match members.del_item(name.string(self.py)) {
                Err(error) if !error.is_instance_of::<PyKeyError>(self.py) => {
                    return Err(self.raised(error, "reading a mapping"));
                }
                _ => {}
            }
        }
        Ok(members.into_any())
    }

    fn fences(&self) -> &Fences {
        &self.fences
    }

    fn take_work(&self) -> u64 {
        self.work.take()
    }

    fn literal(&self, literal: &Literal<PyText>) -> Object<'py> {
        let py = self.py;
        match literal {
            Literal::Null => py.None().into_bound(py),
            Literal::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
            Literal::Integer(value) => match value.into_pyobject(py) {
                Ok(value) => value.into_any(),
                Err(never) => match never {},
            },
            Literal::Float(value) => PyFloat::new(py, *value).into_any(),
            Literal::Text(text) => text.string(py).clone().into_any(),
        }
    }

    fn of_json(&self, value: &serde_json::Value) -> Result<Object<'py>> {
        pythonize::pythonize(self.py, value).map_err(|error| {
            Error::new(Kind::TemplateRender, "the value cannot be converted to a Python object")
                .with_cause(error)
        })
    }

    fn overlay(
        &self,
        base: Option<&Object<'py>>,
        members: Vec<(&PyText, Object<'py>)>,
    ) -> Result<Object<'py>> {
        Overlay::over(self.py, base, members)
            .map_err(|error| self.raised(error, "adding values to a context"))
    }

    fn log(&self, level: &str, text: &str) -> Result<()> {
        let py = self.py;
        let number = match level {
            "debug" | "0" => 10,
            "warn" | "2" => 30,
            "error" | "3" => 40,
            _ => 20,
        };
        let logger = py
            .import("logging")
            .and_then(|logging| logging.call_method1("getLogger", ("prompt_manager.template",)));
        logger
            .and_then(|logger| logger.call_method1("log", (number, "%s", text)))
            .map(drop)
            .map_err(|error| self.raised(error, "logging"))
    }

    fn check_interrupt(&self) -> Result<()> {
        self.py.check_signals().map_err(of_signal_handler)
    }

    fn sink(&self) -> PySink<'py> {
        PySink::new(self.py)
    }

    fn output(&self, text: &str) -> PyOutput<'py> {
        PyOutput(surrogates::to_python(self.py, text))
    }
}
