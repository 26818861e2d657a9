//! `RenderEvent`: one render, as its observers see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

use super::prompt::CompiledPrompt;
use super::text::PyText;
use crate::prompt::Compiled;

/// One render: what is rendered and for whom. All methods of an observer get the same object for one render.
#[pyclass(frozen, module = "prompt_manager.core.events")]
pub struct RenderEvent {
    compiled: Arc<Compiled<PyText>>,
    operation: Py<PyString>,
    label: Option<Py<PyAny>>,
    target: Option<Py<PyString>>,
    cache_hit: AtomicBool,
    prompt_id: Py<PyString>,
    version: Py<PyString>,
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

    /// The id of the prompt.
    #[getter]
    fn prompt_id(&self, py: Python<'_>) -> Py<PyString> {
        self.prompt_id.clone_ref(py)
    }

    /// The version of the prompt.
    #[getter]
    fn version(&self, py: Python<'_>) -> Py<PyString> {
        self.version.clone_ref(py)
    }

    /// The label by which the caller asked for this version, or ``None``.
    #[getter]
    fn label(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.label.as_ref().map(|label| label.clone_ref(py))
    }

    /// The called method: ``"render"``, ``"render_messages"``, ``"convert"``, ``"build_request"`` or
    /// ``"render_for_plugin"``.
    #[getter]
    fn operation(&self, py: Python<'_>) -> Py<PyString> {
        self.operation.clone_ref(py)
    }

    /// The provider or framework that the result is for, such as ``"openai"``, or ``None`` for a plain render.
    #[getter]
    fn target(&self, py: Python<'_>) -> Option<Py<PyString>> {
        self.target.as_ref().map(|target| target.clone_ref(py))
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

    /// The fields of the record of this render that every record has from its start.
    fn _record_fields<'py>(
        slf: &Bound<'py, Self>,
        variables: &Bound<'py, PyDict>,
        content: &Bound<'py, PyString>,
        duration_ms: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (py, this) = (slf.py(), slf.get());
        // A copy has room for all keys, where a new dictionary would grow twice.
        let fields = FIELDS_OF_RECORDS.get_or_try_init(py, || empty_fields(py))?.bind(py).copy()?;
        fields.set_item(intern!(py, "prompt_id"), &this.prompt_id)?;
        fields.set_item(intern!(py, "prompt_version"), &this.version)?;
        fields.set_item(intern!(py, "variables"), variables)?;
        fields.set_item(intern!(py, "rendered_content"), content)?;
        fields.set_item(intern!(py, "duration_ms"), duration_ms)?;
        fields.set_item(intern!(py, "target"), &this.target)?;
        fields.set_item(intern!(py, "cache_hit"), this.cache_hit())?;
        fields.set_item(intern!(py, "_event"), slf)?;
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

/// The fields of a record before its values are known.
static FIELDS_OF_RECORDS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

fn empty_fields(py: Python<'_>) -> PyResult<Py<PyDict>> {
    let fields = PyDict::new(py);
    for key in [
        intern!(py, "prompt_id"),
        intern!(py, "prompt_version"),
        intern!(py, "variables"),
        intern!(py, "rendered_content"),
        intern!(py, "duration_ms"),
        intern!(py, "error"),
        intern!(py, "target"),
        intern!(py, "cache_hit"),
        intern!(py, "_event"),
        intern!(py, "_ended"),
    ] {
        fields.set_item(key, py.None())?;
    }
    fields.set_item(intern!(py, "success"), true)?;
    Ok(fields.unbind())
}
