//! Prints Python objects as text.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyString};

use super::PyData;
use super::object::Object;
use super::resolved::Resolved;
use crate::error::{Kind, Result};
use crate::limits::{PRINT_DEPTH, PRINT_ITEMS};
use crate::python::error::foreign;
use crate::python::sink::PySink;
use crate::python::surrogates;
use crate::stack_room;
use crate::template::{
    Data, Item, Sink, Style, ValueKind, WriteOutcome, javascript_number, pieces, python_number,
    too_deep_to_print, too_many_to_print,
};

impl<'py> PyData<'_, 'py> {
    pub(super) fn write_any(
        &self,
        value: &Object<'py>,
        style: Style,
        depth: usize,
        items: &mut u64,
        out: &mut PySink<'py>,
    ) -> Result<WriteOutcome> {
        if let Ok(string) = value.cast_exact::<PyString>() {
            self.write_string(string, style, out)?;
            return Ok(WriteOutcome::Done);
        }
        let resolved = self.content(value)?;
        let value = &resolved.value;
        match resolved.kind {
            ValueKind::Null => return Ok(WriteOutcome::Null),
            ValueKind::Bool => {
                let truth =
                    value.is_truthy().map_err(|error| self.raised(error, "converting a value to bool"))?;
                out.str(if truth { "true" } else { "false" });
            }
            ValueKind::Integer | ValueKind::Float if style.javascript_numbers => match value.extract::<f64>()
            {
                Ok(number) => out.str(&javascript_number(number)),
                Err(error)
                    if error.is_instance_of::<PyOverflowError>(self.py)
                        || error.is_instance_of::<PyTypeError>(self.py) =>
                {
                    self.write_str(&value.str(), style, out)?;
                }
                Err(error) => return Err(self.raised(error, "converting a number")),
            },
            ValueKind::Integer => match value.extract::<i64>() {
                Ok(number) => out.str(&number.to_string()),
                Err(_) => self.write_digits(value, style, out)?,
            },
            ValueKind::Float => match value.cast_exact::<PyFloat>() {
                Ok(number) => out.str(&python_number(number.value())),
                Err(_) => self.write_str(&value.str(), style, out)?,
            },
            ValueKind::String => {
                // The text itself. A subclass may override `__str__`, which is not called.
                if let Ok(string) = value.cast::<PyString>() {
                    self.write_string(string, style, out)?;
                }
            }
            ValueKind::Date | ValueKind::DateTime | ValueKind::Uuid | ValueKind::Scalar => {
                self.write_str(&value.str(), style, out)?;
            }
            ValueKind::Sequence => return self.write_items(&resolved, style, depth, items, out),
            _ if style.lenient => out.str("[object Object]"),
            kind @ (ValueKind::Mapping | ValueKind::Record | ValueKind::Iterable | ValueKind::Other) => {
                return Ok(WriteOutcome::NoText(kind));
            }
        }
        Ok(WriteOutcome::Done)
    }

    /// Writes the items of a sequence, separated by commas.
    fn write_items(
        &self,
        list: &Resolved<'py>,
        style: Style,
        depth: usize,
        items: &mut u64,
        out: &mut PySink<'py>,
    ) -> Result<WriteOutcome> {
        if depth >= PRINT_DEPTH {
            return Err(too_deep_to_print());
        }
        stack_room::check(depth, Kind::TemplateRender)?;
        let mut first = true;
        let mut written = WriteOutcome::Done;
        self.walk_sequence(list, &mut |Item { value, .. }| {
            *items += 1;
            self.count_work(1)?;
            if *items > PRINT_ITEMS {
                return Err(too_many_to_print());
            }
            if !std::mem::take(&mut first) {
                out.str(",");
            }
            if matches!(written, WriteOutcome::NoText(_)) {
                return Ok(());
            }
            match self.write_any(&value, style, depth + 1, items, out)? {
                WriteOutcome::Done => {}
                WriteOutcome::Null | WriteOutcome::NullItem => written = WriteOutcome::NullItem,
                no_text @ WriteOutcome::NoText(_) => written = no_text,
            }
            Ok(())
        })?;
        Ok(written)
    }

    fn write_string(&self, string: &Bound<'py, PyString>, style: Style, out: &mut PySink<'py>) -> Result<()> {
        if !style.html {
            out.string(string.clone());
            return Ok(());
        }
        let text = surrogates::to_rust(string);
        for piece in pieces(&text) {
            out.escaped(piece);
            if piece.len() < text.len() {
                self.check_interrupt()?;
            }
        }
        Ok(())
    }

    /// Writes the result of `str()`.
    fn write_str(
        &self,
        text: &PyResult<Bound<'py, PyString>>,
        style: Style,
        out: &mut PySink<'py>,
    ) -> Result<()> {
        match text {
            Ok(text) => self.write_string(text, style, out),
            Err(error) => Err(self.raised(error.clone_ref(self.py), "converting a value to text")),
        }
    }
}

impl<'py> PyData<'_, 'py> {
    /// Writes the decimal digits of an `int`. A subclass may override `__repr__`, which is not called. Python refuses to
    /// convert an integer with more digits than `sys.get_int_max_str_digits()`, because that takes quadratic time.
    fn write_digits(&self, value: &Object<'py>, style: Style, out: &mut PySink<'py>) -> Result<()> {
        let int = self.py.get_type::<PyInt>();
        match int.call_method1(intern!(self.py, "__repr__"), (value,)) {
            Ok(digits) => self.write_str(&digits.cast_into().map_err(PyErr::from), style, out),
            Err(error) if error.is_instance_of::<PyValueError>(self.py) => {
                Err(foreign(self.py, error, || {
                    "an integer has more digits than Python converts to text".to_owned()
                })
                .with_hint("raise the limit with `sys.set_int_max_str_digits`, or pass the number as a text"))
            }
            Err(error) => Err(self.raised(error, "converting a value to text")),
        }
    }
}
