//! Warns in Python about each step of a conversion that loses something.

use std::ffi::CString;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::stack_level::stack_level;
use crate::convert::Report;

/// Warns about each step that loses something. The warning points at the line that called the package.
pub(super) fn warn(py: Python<'_>, report: &Report) -> PyResult<()> {
    static CATEGORY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if report.warnings().is_empty() {
        return Ok(());
    }
    let category = CATEGORY.import(py, "prompt_manager.integrations.base", "PromptConversionWarning")?;
    let level = stack_level(py)?;
    for warning in report.warnings() {
        PyErr::warn(py, category, &c_text(warning), level)?;
    }
    Ok(())
}

/// The text of a warning as Python takes it: a name from a schema may have a NUL, which C ends a text with.
pub(super) fn c_text(warning: &str) -> CString {
    CString::new(warning.replace('\0', "\\0")).unwrap_or_default()
}
