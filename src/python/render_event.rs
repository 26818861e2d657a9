//! `RenderEvent`: one render, as its observers see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyString};

use super::prompt::CompiledPrompt;
use super::text::PyText;
use crate::prompt::Compiled;

/// One render: what is rendered and for whom. All methods of an observer get the same object for one render.
#[pyclass(frozen, module = "prompt_manager.core.events")]
pub struct RenderEvent {
    compiled: Arc<Compiled<PyText>>,
    /// The id of the prompt.
    #[pyo3(get)]
    prompt_id: Py<PyString>,
    /// The version of the prompt.
    #[pyo3(get)]
    version: Py<PyString>,
    /// The label by which the caller asked for this version, or ``None``.
    #[pyo3(get)]
    label: Option<Py<PyAny>>,
    /// The called method: ``"render"``, ``"render_messages"``, ``"convert"``, ``"build_request"`` or
    /// ``"render_for_plugin"``.
    #[pyo3(get)]
    operation: Py<PyString>,
    /// The provider or framework that the result is for, such as ``"openai"``, or ``None`` for a plain render.
    #[pyo3(get)]
    target: Option<Py<PyString>>,
    cache_hit: AtomicBool,
    execution_id: PyOnceLock<Py<PyAny>>,
}

impl RenderEvent {
    /// An event without a target.
    pub(super) fn of(
        compiled: &Arc<Compiled<PyText>>,
        operation: &Bound<'_, PyString>,
        label: Option<&Bound<'_, PyAny>>,
    ) -> Self {
        let (py, prompt) = (operation.py(), compiled.prompt());
        Self {
            compiled: Arc::clone(compiled),
            operation: operation.clone().unbind(),
            label: label.map(|label| label.clone().unbind()),
            target: None,
            cache_hit: AtomicBool::new(false),
            prompt_id: PyString::new(py, prompt.id.as_str()).unbind(),
            version: PyString::new(py, &prompt.version.to_string()).unbind(),
            execution_id: PyOnceLock::new(),
        }
    }
}

#[pymethods]
impl RenderEvent {
    #[new]
    #[pyo3(signature = (core, operation, *, label = None, target = None, cache_hit = false))]
    fn new(
        core: &CompiledPrompt,
        operation: &Bound<'_, PyString>,
        label: Option<&Bound<'_, PyAny>>,
        target: Option<Py<PyString>>,
        cache_hit: bool,
    ) -> Self {
        let event = Self::of(&core.compiled, operation, label);
        Self { target, cache_hit: AtomicBool::new(cache_hit), ..event }
    }

    /// Whether the result came from a cache.
    #[getter]
    fn cache_hit(&self) -> bool {
        self.cache_hit.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_cache_hit(&self, hit: bool) {
        self.cache_hit.store(hit, Ordering::Relaxed);
    }

    /// The id of this render, which its :class:`~prompt_manager.core.models.PromptExecution` has too.
    #[getter]
    fn execution_id(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        static RANDOM_UUID: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let id = self.execution_id.get_or_try_init(py, || {
            let make = RANDOM_UUID.import(py, "prompt_manager.core._random_uuid", "random_uuid")?;
            make.call0().map(Bound::unbind)
        })?;
        Ok(id.clone_ref(py))
    }

    /// The content hash of the prompt version.
    #[getter]
    fn content_hash(&self) -> &str {
        self.compiled.content_hash()
    }

    /// The fields of the record of this render that every record has from its start, with what completes it later: the event,
    /// and the time at which the render ended.
    fn _record_fields<'py>(
        slf: &Bound<'py, Self>,
        variables: &Bound<'py, PyDict>,
        content: &Bound<'py, PyString>,
        duration_ms: &Bound<'py, PyAny>,
        ended: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        static KEYS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
        let (py, this) = (slf.py(), slf.get());
        let none = py.None().into_bound(py);
        let values: [(&Bound<'py, PyString>, &Bound<'py, PyAny>); 11] = [
            (intern!(py, "prompt_id"), this.prompt_id.bind(py)),
            (intern!(py, "prompt_version"), this.version.bind(py)),
            (intern!(py, "variables"), variables),
            (intern!(py, "rendered_content"), content),
            (intern!(py, "success"), &PyBool::new(py, true)),
            (intern!(py, "duration_ms"), duration_ms),
            (intern!(py, "error"), &none),
            (intern!(py, "target"), this.target.as_ref().map_or(&none, |target| target.bind(py))),
            (intern!(py, "cache_hit"), &PyBool::new(py, this.cache_hit())),
            (intern!(py, "_event"), slf),
            (intern!(py, "_ended"), ended),
        ];
        // A copy has room for all keys, where a new dictionary would grow twice.
        let keys = KEYS.get_or_try_init(py, || {
            let keys = PyDict::new(py);
            values.iter().try_for_each(|(key, _)| keys.set_item(key, &none))?;
            PyResult::Ok(keys.unbind())
        })?;
        let fields = keys.bind(py).copy()?;
        values.iter().try_for_each(|(key, value)| fields.set_item(key, value))?;
        Ok(fields)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let mut text = format!("<RenderEvent {} {} {}", self.operation, self.prompt_id, self.version);
        if let Some(target) = &self.target {
            text.push_str(" for ");
            text.push_str(&target.bind(py).to_string_lossy());
        }
        text.push('>');
        text
    }
}
