//! A mapping with some members laid over it: what a partial sees that was given values, and what a prompt's template
//! sees where variables have defaults. Nothing is copied, so the cost does not follow the size of the mapping.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::data::PyData;
use super::text::PyText;
use crate::error::{Error, Kind, Result};
use crate::template::{Data, Item};

/// Members over a base. A mapping for Python too, for a helper may be handed it as its context.
#[pyclass(frozen, mapping, module = "prompt_manager._native")]
pub struct Overlay {
    base: Option<Py<PyAny>>,
    members: Py<PyDict>,
}

impl Overlay {
    pub(super) fn over<'py>(
        py: Python<'py>,
        base: Option<&Bound<'py, PyAny>>,
        members: Vec<(&PyText, Bound<'py, PyAny>)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let own = PyDict::new(py);
        for (name, value) in members {
            own.set_item(name.string(py), value)?;
        }
        let overlay = Self { base: base.map(|base| base.clone().unbind()), members: own.unbind() };
        Ok(Bound::new(py, overlay)?.into_any())
    }

    /// The members, and what they lie over.
    pub(super) fn parts<'a, 'py>(
        &'a self,
        py: Python<'py>,
    ) -> (&'a Bound<'py, PyDict>, Option<&'a Bound<'py, PyAny>>) {
        (self.members.bind(py), self.base.as_ref().map(|base| base.bind(py)))
    }

    /// Base and members in one new dictionary.
    pub(super) fn merged<'py>(&self, data: &PyData<'_, 'py>) -> Result<Bound<'py, PyDict>> {
        let py = data.py();
        let all = PyDict::new(py);
        let kept = |outcome: PyResult<()>| {
            outcome.map_err(|error| {
                Error::new(Kind::TemplateRender, "a context cannot be walked").with_cause(error)
            })
        };
        if let Some(base) = &self.base {
            let mut index = 0;
            data.walk(base.bind(py), &mut |Item { key, value, .. }| {
                let kept = match key {
                    Some(key) => kept(all.set_item(key, value)),
                    // The items of a list are its members by number.
                    None => kept(all.set_item(index.to_string(), value)),
                };
                index += 1;
                kept
            })?;
        }
        kept(all.update(self.members.bind(py).as_mapping()))?;
        Ok(all)
    }

    /// The members of any mapping or record in one new dictionary.
    pub(super) fn all<'py>(data: &PyData<'_, 'py>, value: &Bound<'py, PyAny>) -> Result<Bound<'py, PyDict>> {
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return dict.copy().map_err(|error| {
                Error::new(Kind::TemplateRender, "a context cannot be copied").with_cause(error)
            });
        }
        match value.cast_exact::<Self>() {
            Ok(overlay) => overlay.get().merged(data),
            Err(_) => Self { base: Some(value.clone().unbind()), members: PyDict::new(data.py()).unbind() }
                .merged(data),
        }
    }

    pub(super) fn names(&self, data: &PyData<'_, '_>) -> Vec<String> {
        let py = data.py();
        let mut names = data.names(self.members.bind(py).as_any());
        names.extend(self.base.iter().flat_map(|base| data.names(base.bind(py))));
        names
    }

    /// The member under a name.
    pub(super) fn get<'py>(
        &self,
        data: &PyData<'_, 'py>,
        name: &str,
        key: &Bound<'py, PyAny>,
    ) -> Result<Option<Bound<'py, PyAny>>> {
        let py = data.py();
        if let Ok(Some(found)) = self.members.bind(py).get_item(key) {
            return Ok(Some(found));
        }
        match &self.base {
            Some(base) => data.member(base.bind(py), name, key),
            None => Ok(None),
        }
    }
}

#[pymethods]
impl Overlay {
    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        let name: String = key.extract().unwrap_or_default();
        let found = super::error::OrRaise::or_raise(self.get(&PyData::alone(py), &name, key), py)?;
        found.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(key.clone().unbind()))
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = key.py();
        let name: String = key.extract().unwrap_or_default();
        Ok(super::error::OrRaise::or_raise(self.get(&PyData::alone(py), &name, key), py)?.is_some())
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(super::error::OrRaise::or_raise(self.merged(&PyData::alone(py)), py)?.len())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = super::error::OrRaise::or_raise(self.merged(&PyData::alone(py)), py)?;
        Ok(all.try_iter()?.into_any())
    }

    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        Ok(super::error::OrRaise::or_raise(self.merged(&PyData::alone(py)), py)?.keys())
    }
}
