//! How objects are shown in notebooks and by rich: Python code does it, and is imported at the first use.

use pyo3::prelude::*;

/// The most names that a short description lists.
const NAMES: usize = 6;

/// The result of a function of `prompt_manager.display` for this object.
pub(super) fn displayed<'py>(object: &Bound<'py, PyAny>, function: &str) -> PyResult<Bound<'py, PyAny>> {
    object.py().import("prompt_manager.display")?.call_method1(function, (object,))
}

/// The first of these names, and how many more there are.
pub(super) fn short_list(names: &[String]) -> String {
    let shown = names.iter().take(NAMES).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => format!("[{shown}]"),
        more => format!("[{shown}, and {more} more]"),
    }
}
