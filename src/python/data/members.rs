//! Reads one member of a value.

use pyo3::exceptions::{PyIndexError, PyKeyError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::PyData;
use super::object::{Object, is_public, optional};
use super::overlay::Overlay;
use super::packages::{column, numpy_names};
use super::reading::ObjectReading;
use super::resolved::Resolved;
use crate::error::Result;
use crate::python::surrogates;
use crate::template::ValueKind;

impl<'py> PyData<'_, 'py> {
    /// Returns the member of a value. `key` is the name as a Python string.
    #[inline]
    pub(super) fn member(
        &self,
        value: &Object<'py>,
        name: &str,
        key: &Object<'py>,
    ) -> Result<Option<Object<'py>>> {
        // For a subclass of `dict` too, `__missing__` is not called. The exact type is tested first, because that needs
        // no call into Python.
        let dict = match value.cast_exact::<PyDict>() {
            Ok(dict) => dict,
            Err(_) => match value.cast::<PyDict>() {
                Ok(dict) => dict,
                Err(_) => return self.of_object(value, name, key),
            },
        };
        match dict.get_item(key) {
            Ok(Some(found)) => Ok(Some(found)),
            Ok(None) => self.absent(dict, name),
            Err(error) => Err(self.raised(error, "reading a mapping")),
        }
    }

    /// Returns the member of a `dict` that does not have the name as a key: its length, or the value of an integer key.
    #[cold]
    fn absent(&self, dict: &Bound<'py, PyDict>, name: &str) -> Result<Option<Object<'py>>> {
        // In JavaScript an object has no length.
        if name == "length" && !self.is_javascript() {
            return self.counted(dict).map(Some);
        }
        // A template writes an integer key as digits.
        match name.parse::<u64>() {
            Ok(number) => dict.get_item(number).map_err(|error| self.raised(error, "reading a mapping")),
            Err(_) => Ok(None),
        }
    }

    /// Returns the member of a value that is not a `dict`.
    fn of_object(&self, value: &Object<'py>, name: &str, key: &Object<'py>) -> Result<Option<Object<'py>>> {
        let resolved = self.content(value)?;
        match resolved.kind {
            ValueKind::Sequence => self.of_sequence(&resolved, name, key),
            ValueKind::Iterable if resolved.reading == ObjectReading::Set => match name.parse::<usize>() {
                _ if name == "length" => self.counted(&resolved.value).map(Some),
                Ok(index) => self.nth(&resolved, index),
                Err(_) => Ok(None),
            },
            ValueKind::String if self.is_javascript() => self.of_javascript_text(&resolved.value, name),
            ValueKind::String if name == "length" => self.counted(&resolved.value).map(Some),
            ValueKind::Mapping => match self.of_mapping(&resolved.value, name, key)? {
                None if name == "length" && !self.is_javascript() => self.counted(&resolved.value).map(Some),
                found => Ok(found),
            },
            ValueKind::Record => self.of_record(&resolved, name, key),
            _ => Ok(None),
        }
    }

    /// Returns a label of a Series, a column of a row, a declared field of a named tuple, the length, or an item.
    fn of_sequence(
        &self,
        resolved: &Resolved<'py>,
        name: &str,
        key: &Object<'py>,
    ) -> Result<Option<Object<'py>>> {
        let value = &resolved.value;
        let labelled = match resolved.reading {
            ObjectReading::Series => self.looked_up(labelled(value, key))?,
            ObjectReading::Row => self.looked_up(column(value, key))?,
            _ => match resolved.fields() {
                Some(fields) if self.looked_up(fields.contains(key))? => return self.field(value, name, key),
                _ => None,
            },
        };
        if labelled.is_some() {
            return Ok(labelled);
        }
        if name == "length" {
            return self.counted(value).map(Some);
        }
        let Ok(index) = name.parse::<usize>() else { return Ok(None) };
        if resolved.reading != ObjectReading::Series {
            return self.item(value, index);
        }
        // Where the labels are integers, they are the members, and positions are not.
        match self.looked_up(integer_label(value, index))? {
            IntegerLabel::Found(found) => Ok(Some(found)),
            IntegerLabel::Missing => Ok(None),
            IntegerLabel::OtherLabels => {
                self.item(&self.looked_up(by_position(value, ObjectReading::Series))?, index)
            }
        }
    }

    /// Returns the member of a mapping, which may be a `dict`.
    pub(super) fn of_mapping(
        &self,
        mapping: &Object<'py>,
        name: &str,
        key: &Object<'py>,
    ) -> Result<Option<Object<'py>>> {
        if let Ok(overlay) = mapping.cast_exact::<Overlay>() {
            return self.overlaid(overlay.get(), name, key);
        }
        if let Ok(dict) = mapping.cast::<PyDict>() {
            return dict.get_item(key).map_err(|error| self.raised(error, "reading a mapping"));
        }
        match mapping.get_item(key) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_instance_of::<PyKeyError>(self.py) => Ok(None),
            Err(error) => Err(self.raised(error, "reading a mapping")),
        }
    }

    /// Returns a declared or extra field of a record.
    pub(super) fn of_record(
        &self,
        resolved: &Resolved<'py>,
        name: &str,
        key: &Object<'py>,
    ) -> Result<Option<Object<'py>>> {
        let value = &resolved.value;
        if resolved.reading == ObjectReading::NumpyRow {
            let names = self.looked_up(numpy_names(value))?;
            let has = names.map_or(Ok(false), |names| names.contains(key));
            return if self.looked_up(has)? {
                self.looked_up(value.get_item(key)).map(Some)
            } else {
                Ok(None)
            };
        }
        let declared = resolved.fields().map_or(Ok(false), |fields| fields.contains(key));
        if self.looked_up(declared)? {
            return self.field(value, name, key);
        }
        match self.looked_up(resolved.extra())? {
            Some(extra) if is_public(name) => self.looked_up(extra.get_item(key)),
            _ => Ok(None),
        }
    }

    /// Returns the length or a character of a text. JavaScript counts in UTF-16.
    fn of_javascript_text(&self, value: &Object<'py>, name: &str) -> Result<Option<Object<'py>>> {
        let Ok(text) = value.cast::<PyString>() else { return Ok(None) };
        let units = || self.looked_up(surrogates::utf16(text));
        if name == "length" {
            return Ok(Some(self.integer(units()?.len())));
        }
        // JavaScript accepts an index only in its plain spelling: `1`, not `01`.
        let index = name.parse::<usize>().ok().filter(|index| index.to_string() == name);
        let Some(index) = index else { return Ok(None) };
        let Some(unit) = units()?.get(index).copied() else { return Ok(None) };
        // A Python string can also contain half of a surrogate pair.
        let chr = self.py.import("builtins").and_then(|builtins| builtins.call_method1("chr", (unit,)));
        self.looked_up(chr).map(Some)
    }

    /// Returns the result of a lookup in an object of the caller.
    pub(super) fn looked_up<R>(&self, result: PyResult<R>) -> Result<R> {
        result.map_err(|error| self.raised(error, "reading a field"))
    }

    fn field(&self, value: &Object<'py>, name: &str, key: &Object<'py>) -> Result<Option<Object<'py>>> {
        let Ok(key) = key.cast::<PyString>() else { return Ok(None) };
        if !is_public(name) {
            return Ok(None);
        }
        // A field may be declared and never set.
        self.looked_up(value.getattr_opt(key))
    }

    pub(super) fn counted(&self, value: &Object<'py>) -> Result<Object<'py>> {
        self.size_of(value).map(|length| self.integer(length))
    }

    pub(super) fn size_of(&self, value: &Object<'py>) -> Result<usize> {
        value.len().map_err(|error| self.raised(error, "taking the length of a value"))
    }

    /// Returns an item of a sequence.
    pub(super) fn item(&self, value: &Object<'py>, index: usize) -> Result<Option<Object<'py>>> {
        if let Ok(list) = value.cast_exact::<PyList>() {
            return Ok(list.get_item(index).ok());
        }
        if let Ok(tuple) = value.cast::<PyTuple>() {
            return Ok(tuple.get_item(index).ok());
        }
        if index >= self.size_of(value)? {
            return Ok(None);
        }
        match value.get_item(index) {
            Ok(found) => Ok(Some(found)),
            // The sequence became shorter.
            Err(error) if error.is_instance_of::<PyIndexError>(self.py) => Ok(None),
            Err(error) => Err(self.raised(error, "reading a sequence")),
        }
    }

    /// Returns an item of a set, in the order of its iteration.
    fn nth(&self, resolved: &Resolved<'py>, index: usize) -> Result<Option<Object<'py>>> {
        let mut items = self.looked_up(resolved.value.try_iter())?;
        items.nth(index).map(|item| self.looked_up(item)).transpose()
    }
}

/// The object that gives the items of a sequence by position.
pub(super) fn by_position<'py>(value: &Object<'py>, reading: ObjectReading) -> PyResult<Object<'py>> {
    if reading == ObjectReading::Series {
        value.getattr(intern!(value.py(), "array"))
    } else {
        Ok(value.clone())
    }
}

/// Returns the value with a label in a Series.
fn labelled<'py>(series: &Object<'py>, label: &Object<'py>) -> PyResult<Option<Object<'py>>> {
    let py = series.py();
    let has = optional(py, series.getattr(intern!(py, "index"))?.contains(label))?;
    if has != Some(true) {
        return Ok(None);
    }
    series.getattr(intern!(py, "loc"))?.get_item(label).map(Some)
}

/// What a number means in a Series.
enum IntegerLabel<'py> {
    Found(Object<'py>),
    Missing,
    /// The labels are not integers.
    OtherLabels,
}

fn integer_label<'py>(series: &Object<'py>, number: usize) -> PyResult<IntegerLabel<'py>> {
    let py = series.py();
    if let Some(found) = labelled(series, &number.into_pyobject(py)?.into_any())? {
        return Ok(IntegerLabel::Found(found));
    }
    let labels = series.getattr(intern!(py, "index"))?.getattr(intern!(py, "inferred_type"))?;
    Ok(if labels.eq("integer")? { IntegerLabel::Missing } else { IntegerLabel::OtherLabels })
}
