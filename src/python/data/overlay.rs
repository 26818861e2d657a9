//! Adds members to a mapping without copying it, so that the cost does not depend on its size.
//!
//! It is the context of a partial that gets arguments, and the variables of a prompt with defaults.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::python::text::PyText;

/// Members that hide those of a base with the same name. The methods for Python are in `python/overlay.rs`.
#[pyclass(frozen, mapping, module = "prompt_manager._native")]
pub struct Overlay {
    pub(super) base: Option<Py<PyAny>>,
    pub(super) members: Py<PyDict>,
}

impl Overlay {
    pub(super) fn over<'py>(
        py: Python<'py>,
        base: Option<&Bound<'py, PyAny>>,
        members: Vec<(&PyText, Bound<'py, PyAny>)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // The members of an overlay are copied and not kept as a base, so that a lookup never walks a chain.
        let (base, own) = match base.map(|base| base.cast_exact::<Self>()) {
            Some(Ok(overlay)) => {
                let (members, base) = overlay.get().parts(py);
                (base.cloned(), members.copy()?)
            }
            _ => (base.cloned(), PyDict::new(py)),
        };
        for (name, value) in members {
            own.set_item(name.string(py), value)?;
        }
        let overlay = Self { base: base.map(Bound::unbind), members: own.unbind() };
        Ok(Bound::new(py, overlay)?.into_any())
    }

    /// Returns the members and the base.
    pub(in crate::python) fn parts<'a, 'py>(
        &'a self,
        py: Python<'py>,
    ) -> (&'a Bound<'py, PyDict>, Option<&'a Bound<'py, PyAny>>) {
        (self.members.bind(py), self.base.as_ref().map(|base| base.bind(py)))
    }
}
