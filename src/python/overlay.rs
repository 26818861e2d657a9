//! The methods that make `Overlay` a mapping for Python. A helper can get an overlay as its context.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::data::{Overlay, PyData};
use super::error::OrRaise;

#[pymethods]
impl Overlay {
    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        let name: String = key.extract().unwrap_or_default();
        let found = PyData::without_engine(py).overlaid(self, &name, key).or_raise(py)?;
        found.ok_or_else(|| PyKeyError::new_err(key.clone().unbind()))
    }

    fn __contains__(&self, key: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = key.py();
        let name: String = key.extract().unwrap_or_default();
        Ok(PyData::without_engine(py).overlaid(self, &name, key).or_raise(py)?.is_some())
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(PyData::without_engine(py).merged(self).or_raise(py)?.len())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let all = PyData::without_engine(py).merged(self).or_raise(py)?;
        Ok(all.try_iter()?.into_any())
    }

    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        Ok(PyData::without_engine(py).merged(self).or_raise(py)?.keys())
    }
}
