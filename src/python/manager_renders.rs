//! `ManagerRenders`: the base class of `PromptManager`, whose `render_sync` calls no Python code on its way to the core.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::arguments;
use super::metrics::PyCountedRegistry;
use super::registry::{PyRegistry, which};

/// Renders the prompts of a registry to text. Its name in Python is that of its subclass, for error messages.
#[pyclass(frozen, subclass, name = "PromptManager", module = "prompt_manager._native")]
pub struct ManagerRenders {
    /// One of the constants below.
    route: AtomicU8,
    registry: OnceLock<Py<PyRegistry>>,
    counted: RwLock<Option<Py<PyCountedRegistry>>>,
}

/// The subclass renders by its method `_render_sync`: an observer, a cache or another engine takes part.
const BY_SUBCLASS: u8 = 0;

/// A render is only a call of the registry.
const BY_REGISTRY: u8 = 1;

/// A render is a call of the counted registry.
const BY_COUNTED: u8 = 2;

#[pymethods]
impl ManagerRenders {
    /// The arguments are those of the subclass, which reads them itself.
    #[new]
    #[pyo3(signature = (*_arguments, **_options))]
    fn new(_arguments: &Bound<'_, PyAny>, _options: Option<&Bound<'_, PyAny>>) -> Self {
        Self { route: AtomicU8::new(BY_SUBCLASS), registry: OnceLock::new(), counted: RwLock::default() }
    }

    /// Sets what renders: the counted registry, else the registry, else `_render_sync` of the subclass.
    #[pyo3(signature = (registry = None, counted = None))]
    fn _render_by(
        &self,
        registry: Option<&Bound<'_, PyRegistry>>,
        counted: Option<Bound<'_, PyCountedRegistry>>,
    ) {
        let route = match (&counted, registry) {
            (Some(_), _) => BY_COUNTED,
            // A second registry is left to the subclass.
            (None, Some(registry))
                if self.registry.get_or_init(|| registry.clone().unbind()).is(registry) =>
            {
                BY_REGISTRY
            }
            _ => BY_SUBCLASS,
        };
        let counted = counted.map(Bound::unbind);
        let old =
            std::mem::replace(&mut *self.counted.write().unwrap_or_else(PoisonError::into_inner), counted);
        self.route.store(route, Ordering::Release);
        // Dropped outside the lock, because dropping a Python object may run code.
        drop(old);
    }

    #[allow(clippy::doc_markdown, reason = "the docstring of `PromptManager.render`, for Python")]
    #[doc = include_str!("manager_renders.txt")]
    #[pyo3(signature = (prompt_id, variables = None, *, version = None, label = None, output_instructions = true,
        use_cache = true))]
    #[allow(clippy::too_many_arguments, reason = "each is an option, given by name")]
    fn render_sync<'py>(
        slf: &Bound<'py, Self>,
        prompt_id: &Bound<'py, PyAny>,
        variables: Option<&Bound<'py, PyAny>>,
        version: Option<&Bound<'py, PyAny>>,
        label: Option<&Bound<'py, PyAny>>,
        output_instructions: bool,
        use_cache: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let variables = variables.cloned().unwrap_or_else(|| PyDict::new(py).into_any());
        let this = slf.get();
        let route = this.route.load(Ordering::Acquire);
        if route != BY_SUBCLASS {
            let id = arguments::id(prompt_id)?;
            let version: Option<&str> = version.map(arguments::version).transpose()?;
            let label: Option<&str> = label.map(arguments::label).transpose()?;
            if let (BY_REGISTRY, Some(registry)) = (route, this.registry.get()) {
                let registry = registry.get();
                let compiled = registry.compiled(py, id, which(version, label)?)?;
                return Ok(registry.text_of(&compiled, &variables, output_instructions)?.into_any());
            }
            let counted = this.counted.read().unwrap_or_else(PoisonError::into_inner);
            let counted = counted.as_ref().map(|counted| counted.clone_ref(py));
            if let Some(counted) = counted {
                let text = counted.get().render(id, &variables, version, label, output_instructions)?;
                return Ok(text.into_any());
            }
        }
        let options = PyDict::new(py);
        options.set_item(intern!(py, "version"), version)?;
        options.set_item(intern!(py, "label"), label)?;
        options.set_item(intern!(py, "output_instructions"), output_instructions)?;
        options.set_item(intern!(py, "use_cache"), use_cache)?;
        slf.call_method(intern!(py, "_render_sync"), (prompt_id, variables), Some(&options))
    }
}
