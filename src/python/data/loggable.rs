//! Copies values for a log: as plain dicts, lists and scalars, with the values of some names hidden.
//!
//! A value is read as a template reads it, so a field that a template can print is found by its name whatever holds it. An
//! object that a template cannot read, an iterator and an object that fails to be read become the name of their type.

use std::cell::Cell;

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFrozenSet, PyList, PySet, PyString};

use super::PyData;
use super::object::Object;
use super::resolved::Resolved;
use crate::error::{Error, Kind, Result};
use crate::limits::{LOGGED_CHARACTERS, LOGGED_DEPTH, LOGGED_MEMBERS};
use crate::python::error::raise;
use crate::python::template::type_name;
use crate::template::{Item, ValueKind};

/// What a log has in place of a hidden value.
const HIDDEN: &str = "[redacted]";

/// What a log has in place of what is beyond the limits.
const CUT: &str = "…";

/// The most bits of an integer that is logged. Python refuses to print much longer ones.
const INTEGER_BITS: u64 = 4096;

/// Returns a copy of the values for a log. The values of the names in `hidden`, which are case-folded, are replaced. A
/// `redact` function is called with each name and value, and what it returns is copied.
#[pyfunction]
#[pyo3(signature = (values, hidden, redact = None))]
pub(in crate::python) fn loggable<'py>(
    values: &Bound<'py, PyAny>,
    hidden: &Bound<'py, PySet>,
    redact: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let data = PyData::without_engine(values.py());
    let copier = LogCopier {
        data: &data,
        hidden,
        redact,
        members: Cell::new(LOGGED_MEMBERS),
        characters: Cell::new(LOGGED_CHARACTERS),
    };
    copier.copy(values, 0)
}

/// One copy, with what the limits leave.
struct LogCopier<'a, 'py> {
    data: &'a PyData<'a, 'py>,
    hidden: &'a Bound<'py, PySet>,
    redact: Option<&'a Object<'py>>,
    members: Cell<usize>,
    characters: Cell<usize>,
}

impl<'py> LogCopier<'_, 'py> {
    fn copy(&self, value: &Object<'py>, depth: usize) -> PyResult<Object<'py>> {
        match self.data.content(value) {
            Ok(resolved) => self.copy_resolved(value, &resolved, depth),
            Err(error) => self.unreadable(value, &error),
        }
    }

    fn copy_resolved(
        &self,
        value: &Object<'py>,
        resolved: &Resolved<'py>,
        depth: usize,
    ) -> PyResult<Object<'py>> {
        match resolved.kind {
            ValueKind::String => self.text(&resolved.value),
            ValueKind::Integer => self.integer(&resolved.value),
            ValueKind::Mapping | ValueKind::Record | ValueKind::Sequence => {
                self.container(value, resolved, depth)
            }
            // A view of a mapping's items has names that a template cannot read, so only sets are copied.
            ValueKind::Iterable if is_set(&resolved.value) => self.container(value, resolved, depth),
            ValueKind::Iterable | ValueKind::Other => Ok(self.type_of(value)),
            _ => Ok(resolved.value.clone()),
        }
    }

    fn container(
        &self,
        value: &Object<'py>,
        resolved: &Resolved<'py>,
        depth: usize,
    ) -> PyResult<Object<'py>> {
        if depth > LOGGED_DEPTH {
            return Ok(self.cut());
        }
        match self.labels(resolved) {
            Ok(Some(names)) => self.labelled(value, &names, depth),
            Ok(None) => self.walked(value, resolved, depth),
            Err(error) => self.unreadable(value, &error),
        }
    }

    /// The names of the items of a sequence that has some: a named tuple, a row, a series.
    fn labels(&self, resolved: &Resolved<'py>) -> Result<Option<Vec<String>>> {
        if resolved.kind != ValueKind::Sequence {
            return Ok(None);
        }
        let names = self.data.names_of(resolved, LOGGED_MEMBERS + 1)?;
        Ok((!names.is_empty()).then_some(names))
    }

    fn labelled(&self, value: &Object<'py>, names: &[String], depth: usize) -> PyResult<Object<'py>> {
        let py = value.py();
        let copied = PyDict::new(py);
        for name in names {
            if !self.take_member() {
                copied.set_item(CUT, CUT)?;
                break;
            }
            let key = PyString::new(py, name);
            match self.data.member(value, name, key.as_any()) {
                Ok(Some(item)) => copied.set_item(&key, self.named(key.as_any(), &item, depth)?)?,
                Ok(None) => {}
                Err(error) => return self.unreadable(value, &error),
            }
        }
        Ok(copied.into_any())
    }

    fn walked(&self, value: &Object<'py>, resolved: &Resolved<'py>, depth: usize) -> PyResult<Object<'py>> {
        let py = value.py();
        let (list, dict) = (PyList::empty(py), PyDict::new(py));
        let has_names = matches!(resolved.kind, ValueKind::Mapping | ValueKind::Record);
        let mut raised = None;
        let mut is_cut = false;
        let walk = self.data.walk_resolved(resolved, &mut |Item { key, value, .. }| {
            if !self.take_member() {
                is_cut = true;
                return Err(stop());
            }
            let copied = match key.filter(|_| has_names) {
                Some(key) => {
                    self.key(&key).and_then(|name| dict.set_item(name, self.named(&key, &value, depth)?))
                }
                None => self.copy(&value, depth + 1).and_then(|item| list.append(item)),
            };
            copied.map_err(|error| {
                raised = Some(error);
                stop()
            })
        });
        match (raised, walk) {
            (Some(raised), _) => return Err(raised),
            (None, Err(error)) if !is_cut => return self.unreadable(value, &error),
            _ => {}
        }
        if has_names {
            if is_cut {
                dict.set_item(CUT, CUT)?;
            }
            return Ok(dict.into_any());
        }
        if is_cut {
            list.append(CUT)?;
        }
        Ok(list.into_any())
    }

    /// The copy of a value that has a name.
    fn named(&self, name: &Object<'py>, value: &Object<'py>, depth: usize) -> PyResult<Object<'py>> {
        let Ok(name) = name.cast::<PyString>() else { return self.copy(value, depth + 1) };
        let folded = name.call_method0(intern!(name.py(), "casefold"))?;
        if self.hidden.contains(folded)? {
            return Ok(PyString::new(name.py(), HIDDEN).into_any());
        }
        match self.redact {
            Some(redact) => self.copy(&redact.call1((name, value))?, depth + 1),
            None => self.copy(value, depth + 1),
        }
    }

    /// The copy of a mapping's key. One that holds others may have names too.
    fn key(&self, key: &Object<'py>) -> PyResult<Object<'py>> {
        let Ok(resolved) = self.data.content(key) else { return Ok(self.type_of(key)) };
        match resolved.kind {
            ValueKind::Mapping
            | ValueKind::Record
            | ValueKind::Sequence
            | ValueKind::Iterable
            | ValueKind::Other => Ok(self.type_of(key)),
            _ => self.copy_resolved(key, &resolved, 0),
        }
    }

    fn text(&self, text: &Object<'py>) -> PyResult<Object<'py>> {
        let length = text.len()?;
        let left = self.characters.get();
        self.characters.set(left.saturating_sub(length));
        if length <= left {
            return Ok(text.clone());
        }
        let start = text.get_item(pyo3::types::PySlice::new(text.py(), 0, isize::try_from(left)?, 1))?;
        start.add(CUT)
    }

    fn integer(&self, value: &Object<'py>) -> PyResult<Object<'py>> {
        let bits: u64 = value.call_method0(intern!(value.py(), "bit_length"))?.extract()?;
        Ok(if bits > INTEGER_BITS { self.type_of(value) } else { value.clone() })
    }

    fn take_member(&self) -> bool {
        let left = self.members.get();
        self.members.set(left.saturating_sub(1));
        left > 0
    }

    fn cut(&self) -> Object<'py> {
        PyString::new(self.hidden.py(), CUT).into_any()
    }

    fn type_of(&self, value: &Object<'py>) -> Object<'py> {
        PyString::new(self.hidden.py(), &type_name(value)).into_any()
    }

    /// The name of the type of a value that cannot be read. An exception that stops the program is raised.
    fn unreadable(&self, value: &Object<'py>, error: &Error) -> PyResult<Object<'py>> {
        let py = value.py();
        let raised = raise(py, error);
        if raised.is_instance_of::<PyException>(py) { Ok(self.type_of(value)) } else { Err(raised) }
    }
}

fn is_set(value: &Object<'_>) -> bool {
    value.cast::<PySet>().is_ok() || value.cast::<PyFrozenSet>().is_ok()
}

/// The error that ends a walk.
fn stop() -> Error {
    Error::new(Kind::TemplateRender, "the value is too large for a log")
}
