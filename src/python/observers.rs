//! The observers of a registry, for calls that do not go through a manager: conversions by an integration, and reloads of
//! a watched directory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The observers of a registry, as the Python package links them: an object with weak references, so that no cycle through
/// the registry keeps an application's observers alive.
#[derive(Default)]
pub(super) struct RegistryObservers {
    links: RwLock<Option<Py<PyAny>>>,
    /// Whether one of them has a method for an event of a render.
    hear_renders: AtomicBool,
}

impl RegistryObservers {
    /// Replaces the observers.
    pub(super) fn set(&self, links: Option<Py<PyAny>>, hear_renders: bool) {
        let old = std::mem::replace(&mut *self.links.write().unwrap_or_else(PoisonError::into_inner), links);
        self.hear_renders.store(hear_renders, Ordering::Release);
        // Dropping the old object can run Python code, so it happens after the lock is released.
        drop(old);
    }

    fn links<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let links = self.links.read().unwrap_or_else(PoisonError::into_inner);
        links.as_ref().map(|links| links.bind(py).clone())
    }

    /// The observers, if one of them hears renders. This is all that a conversion without observers pays.
    pub(super) fn of_renders<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        if self.hear_renders.load(Ordering::Acquire) { self.links(py) } else { None }
    }

    /// Calls `on_reload` of the observers. Their own errors never arrive here.
    pub(super) fn tell_of_reload(
        &self,
        py: Python<'_>,
        source: &str,
        prompts: usize,
        errors: Vec<Py<PyAny>>,
    ) -> PyResult<()> {
        static TELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let Some(links) = self.links(py) else { return Ok(()) };
        let tell = TELL.import(py, "prompt_manager.core._links", "tell_of_reload")?;
        tell.call1((links, source, prompts, errors)).map(drop)
    }
}
