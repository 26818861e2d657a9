//! Variables that were completed for a prompt, before a plugin is handed them: a dict of Python's that knows its prompt.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::prompt::CompiledPrompt;

static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// These variables, marked as completed for the prompt from those that were given.
pub(super) fn of<'py>(
    prompt: &Bound<'py, CompiledPrompt>,
    variables: Bound<'py, PyDict>,
    given: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = CLASS.import(prompt.py(), "prompt_manager.core._completed", "CompletedVariables")?;
    class.call1((variables, prompt, given))
}

/// Whether the variables are marked as completed for the compiled prompt at this address.
pub(super) fn is_for(variables: &Bound<'_, PyAny>, address: usize) -> bool {
    let py = variables.py();
    // Where the class was never needed, nothing is of it.
    let Some(class) = CLASS.get(py) else { return false };
    variables.get_type().is(class)
        && variables
            .getattr(intern!(py, "prompt"))
            .is_ok_and(|prompt| prompt.cast::<CompiledPrompt>().is_ok_and(|p| p.get().address() == address))
}
