//! The names of the members of a value, for hints.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::PyData;
use super::object::{Object, is_public};
use super::overlay::Overlay;
use super::packages::{columns, numpy_names};
use super::reading::ObjectReading;
use super::resolved::Resolved;
use crate::error::Result;
use crate::template::ValueKind;

/// The maximum number of names that are compared for a suggestion.
const NAMES: usize = 1000;

impl<'py> PyData<'_, 'py> {
    /// Returns the names of the members of a value.
    pub(super) fn names_of(&self, resolved: &Resolved<'py>) -> Result<Vec<String>> {
        let value = &resolved.value;
        if let Ok(overlay) = value.cast_exact::<Overlay>() {
            return self.overlaid_names(overlay.get());
        }
        let text = |key: Object<'py>| key.extract::<String>().ok();
        let keys = self.looked_up(member_keys(resolved))?;
        Ok(keys.iter().take(NAMES).filter_map(text).collect())
    }
}

/// The keys of the members of a value. Keys of a mapping are data and always public; fields are only the public ones.
fn member_keys<'py>(resolved: &Resolved<'py>) -> PyResult<Bound<'py, PyList>> {
    let value = &resolved.value;
    let py = value.py();
    let listed = |keys: Object<'py>| -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, keys.try_iter()?.take(NAMES).collect::<PyResult<Vec<_>>>()?)
    };
    match resolved.reading {
        ObjectReading::Series => return listed(value.getattr(intern!(py, "index"))?),
        ObjectReading::Row => return listed(columns(value)?),
        ObjectReading::NumpyRow => {
            return numpy_names(value)?.map_or_else(|| Ok(PyList::empty(py)), |names| Ok(names.to_list()));
        }
        _ => {}
    }
    if resolved.kind == ValueKind::Mapping {
        return match value.cast::<PyDict>() {
            Ok(dict) => Ok(dict.keys()),
            Err(_) => listed(value.call_method0(intern!(py, "keys"))?),
        };
    }
    let keys = resolved.fields().map_or_else(|| PyList::empty(py), PyDictMethods::keys);
    for (key, _) in resolved.extra()?.iter().flatten() {
        if key.extract::<String>().is_ok_and(|key| is_public(&key)) {
            keys.append(key)?;
        }
    }
    Ok(keys)
}
