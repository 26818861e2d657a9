//! The options that a helper is called with.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::python::library::EngineState;
use crate::python::text::PyText;
use crate::template::Closure;

/// The first argument of a helper that was registered with `pass_options=True`.
// Its methods are in `helper.rs`.
#[pyclass(frozen, module = "prompt_manager.core.template")]
pub struct HelperOptions {
    /// The name under which the helper was called.
    #[pyo3(get)]
    pub(in crate::python) name: String,
    /// The value of `this` where the helper is called.
    #[pyo3(get)]
    pub(in crate::python) context: Py<PyAny>,
    /// The values of `@name`, by name.
    #[pyo3(get)]
    pub(in crate::python) data: Py<PyDict>,
    /// The named arguments.
    #[pyo3(get)]
    pub(in crate::python) hash: Py<PyDict>,
    /// The block, or `None` if the helper is called inline.
    pub(in crate::python) block: Option<Closure<PyText, Py<PyAny>>>,
    /// The engine that renders the block.
    pub(in crate::python) engine: Option<Arc<EngineState>>,
}
