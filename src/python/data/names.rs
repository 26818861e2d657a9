//! The names of the members of a value.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::PyData;
use super::object::{Object, is_public};
use super::overlay::Overlay;
use super::packages::{columns, numpy_names};
use super::reading::ObjectReading;
use super::resolved::Resolved;
use super::walk::too_many;
use crate::error::Result;
use crate::limits::ITERATOR_ITEMS;
use crate::template::ValueKind;

impl<'py> PyData<'_, 'py> {
    /// Returns the first `most` names of the members of a value. A key that is no text has none.
    pub(super) fn names_of(&self, resolved: &Resolved<'py>, most: usize) -> Result<Vec<String>> {
        if let Ok(overlay) = resolved.value.cast_exact::<Overlay>() {
            return self.overlaid_names(overlay.get(), most);
        }
        let keys = self.member_keys(resolved, most)?;
        Ok(keys.iter().filter_map(|key| key.extract().ok()).collect())
    }

    /// Returns the first `most` keys of the members of a value, which is not an overlay. More than [`ITERATOR_ITEMS`] keys
    /// are an error, unless fewer are asked for.
    pub(super) fn member_keys(&self, resolved: &Resolved<'py>, most: usize) -> Result<Vec<Object<'py>>> {
        let keys = self.looked_up(first_keys(resolved, most.min(ITERATOR_ITEMS + 1)))?;
        if keys.len() > ITERATOR_ITEMS { Err(too_many("a mapping")) } else { Ok(keys) }
    }
}

/// The first keys of the members of a value. Keys of a mapping are data and always public; fields are only the public ones.
fn first_keys<'py>(resolved: &Resolved<'py>, most: usize) -> PyResult<Vec<Object<'py>>> {
    let value = &resolved.value;
    let py = value.py();
    let listed = |keys: Object<'py>| keys.try_iter()?.take(most).collect();
    match resolved.reading {
        ObjectReading::Series => return listed(value.getattr(intern!(py, "index"))?),
        ObjectReading::Row => return listed(columns(value)?),
        ObjectReading::NumpyRow => {
            return numpy_names(value)?.map_or(Ok(Vec::new()), |names| listed(names.into_any()));
        }
        _ => {}
    }
    if resolved.kind == ValueKind::Mapping {
        return match value.cast::<PyDict>() {
            Ok(dict) => Ok(dict.keys().iter().take(most).collect()),
            Err(_) => listed(value.call_method0(intern!(py, "keys"))?),
        };
    }
    let mut keys: Vec<_> = resolved.fields().into_iter().flat_map(PyDictMethods::keys).collect();
    for key in resolved.extra()?.into_iter().flat_map(|extra| extra.keys()) {
        if key.cast::<PyString>().is_ok_and(|key| is_public(&key.to_string_lossy())) {
            keys.push(key);
        }
    }
    keys.truncate(most);
    Ok(keys)
}
