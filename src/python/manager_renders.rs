//! `ManagerRenders`: the base class of `PromptManager`, whose `render_sync` calls no Python code on its way to the core.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Instant;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::arguments;
use super::metrics::PyCountedRegistry;
use super::registry::{PyRegistry, which};
use super::render_event::RenderEvent;
use crate::store::VersionSelector;

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

/// A render is a call of the registry, and then one of the subclass, for observers that hear of its end.
const BY_HEARD_REGISTRY: u8 = 3;

impl ManagerRenders {
    /// Renders with the registry, and tells the subclass how it ended. An id or label that does not exist is not told of,
    /// because no render began.
    fn heard<'py>(
        slf: &Bound<'py, Self>,
        registry: &PyRegistry,
        (id, which): (&str, VersionSelector<'_>),
        label: Option<&Bound<'py, PyAny>>,
        variables: &Bound<'py, PyAny>,
        output_instructions: bool,
    ) -> PyResult<Bound<'py, PyString>> {
        let py = slf.py();
        let compiled = registry.compiled(py, id, which)?;
        let start = Instant::now();
        let rendered = registry.text_of(&compiled, variables, output_instructions);
        let duration = start.elapsed().as_secs_f64() * 1000.0;
        let event = RenderEvent::of(&compiled, intern!(py, "render"), label);
        match &rendered {
            Ok(text) => {
                slf.call_method1(intern!(py, "_tell_of_render"), (event, variables, text, duration))?
            }
            Err(error) => slf.call_method1(intern!(py, "_tell_of_failure"), (event, error.value(py)))?,
        };
        rendered
    }
}

#[pymethods]
impl ManagerRenders {
    /// The arguments are those of the subclass, which reads them itself.
    #[new]
    #[pyo3(signature = (*_arguments, **_options))]
    fn new(_arguments: &Bound<'_, PyAny>, _options: Option<&Bound<'_, PyAny>>) -> Self {
        Self { route: AtomicU8::new(BY_SUBCLASS), registry: OnceLock::new(), counted: RwLock::default() }
    }

    /// Sets what renders: the counted registry, else the registry, else `_render_sync` of the subclass. If it is heard,
    /// `_tell_of_render` or `_tell_of_failure` of the subclass is called at the end of a render by the registry.
    #[pyo3(signature = (registry = None, counted = None, *, heard = false))]
    fn _render_by(
        &self,
        registry: Option<&Bound<'_, PyRegistry>>,
        counted: Option<Bound<'_, PyCountedRegistry>>,
        heard: bool,
    ) {
        let route = match (&counted, registry) {
            (Some(_), _) => BY_COUNTED,
            // A second registry is left to the subclass.
            (None, Some(registry))
                if self.registry.get_or_init(|| registry.clone().unbind()).is(registry) =>
            {
                if heard {
                    BY_HEARD_REGISTRY
                } else {
                    BY_REGISTRY
                }
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
            let named: Option<&str> = label.map(arguments::label).transpose()?;
            match (route, this.registry.get()) {
                (BY_REGISTRY, Some(registry)) => {
                    let registry = registry.get();
                    let compiled = registry.compiled(py, id, which(version, named)?)?;
                    return Ok(registry.text_of(&compiled, &variables, output_instructions)?.into_any());
                }
                (BY_HEARD_REGISTRY, Some(registry)) => {
                    let asked = (id, which(version, named)?);
                    let registry = registry.get();
                    let text = Self::heard(slf, registry, asked, label, &variables, output_instructions)?;
                    return Ok(text.into_any());
                }
                _ => {}
            }
            let counted = this.counted.read().unwrap_or_else(PoisonError::into_inner);
            let counted = counted.as_ref().map(|counted| counted.clone_ref(py));
            if let Some(counted) = counted {
                let text = counted.get().render(id, &variables, version, named, output_instructions)?;
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
