//! A value as a template reads it.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::object::{Object, optional};
use super::reading::ObjectReading;
use super::type_info::TypeInfo;
use crate::template::ValueKind;

/// A value as it is read: not an enum member or an array without dimensions, but the value that it holds.
pub(super) struct Resolved<'py> {
    pub(super) value: Object<'py>,
    pub(super) kind: ValueKind,
    pub(super) reading: ObjectReading,
    /// `None` for Python's own types.
    pub(super) info: Option<Arc<TypeInfo>>,
}

impl<'py> Resolved<'py> {
    /// The names of the declared public fields, as the keys of a dict.
    pub(super) fn fields(&self) -> Option<&Bound<'py, PyDict>> {
        let fields = self.info.as_ref()?.fields.as_ref()?;
        Some(fields.bind(self.value.py()))
    }

    /// The extra fields of a pydantic model that allows them.
    pub(super) fn extra(&self) -> PyResult<Option<Bound<'py, PyDict>>> {
        if !self.info.as_ref().is_some_and(|info| info.pydantic) {
            return Ok(None);
        }
        let py = self.value.py();
        let extra = optional(py, self.value.getattr(intern!(py, "__pydantic_extra__")))?;
        Ok(extra.and_then(|extra| extra.cast_into::<PyDict>().ok()))
    }
}
