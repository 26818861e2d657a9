//! Watches a directory, so that a saved change takes effect in the registry.
//!
//! A reload runs on a thread of the watch and needs no interpreter. Files are read and compiled first; then the
//! registry's prompts are replaced under its lock, so that a render sees either the old prompts or the new ones. The
//! thread attaches to the interpreter only to log.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use super::arguments;
use super::check::{PyFinding, findings};
use super::directory_source::{DirectoryReport, DirectorySource};
use super::error::{OrRaise, raise};
use super::fork_gate::{LoggingGuard, gate, wait_for_threads};
use super::prompt::PromptOrigin;
use super::registry::{PyRegistry, is_skip};
use super::runtime::{detached, on_thread};
use crate::check::Finding;
use crate::error::Error;
use crate::store::watch::{self, ChangeRecorder, ReloadHandler};

/// Watches a directory. While it runs, the registry takes over each change that is saved there.
#[pyclass(frozen, name = "Watch", module = "prompt_manager._native")]
pub struct PyWatch {
    watch: Mutex<watch::DirectoryWatch>,
    state: Arc<WatchState>,
}

impl PyWatch {
    fn stop(&self) {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).stop();
    }
}

/// The state that the watch's thread writes and the program reads.
#[derive(Default)]
struct WatchState {
    /// The problems that the last reload found.
    error: Mutex<Option<Error>>,
    /// The number of reloads.
    reloads: AtomicU64,
    /// The number of files that the last load read.
    files_read: AtomicUsize,
}

#[pymethods]
impl PyWatch {
    /// Stops watching, and waits for a reload that has begun.
    fn close_sync(&self, py: Python<'_>) {
        py.detach(|| self.stop());
    }

    /// The coroutine of [`PyWatch::close_sync`].
    fn close<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let watch = slf.clone().unbind();
        on_thread(slf.py(), move || {
            watch.get().stop();
            Ok(())
        })
    }

    /// Whether the directory is watched.
    #[getter]
    fn is_running(&self) -> bool {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).is_running()
    }

    /// The problems that the last reload found, one exception for each place.
    #[getter]
    fn errors(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        exceptions(py, self.state.error.lock().unwrap_or_else(PoisonError::into_inner).as_ref())
    }

    /// The number of reloads.
    #[getter]
    fn reloads(&self) -> u64 {
        self.state.reloads.load(Ordering::Relaxed)
    }

    /// The number of files that the last reload read. The others had not changed.
    #[getter]
    fn files_read(&self) -> usize {
        self.state.files_read.load(Ordering::Relaxed)
    }
}

/// An exception for each problem of an error.
fn exceptions(py: Python<'_>, error: Option<&Error>) -> Vec<Py<PyAny>> {
    let exception = |error: &Error| raise(py, error).into_value(py).into_any();
    match error {
        None => Vec::new(),
        Some(error) if error.errors().is_empty() => vec![exception(error)],
        Some(error) => error.errors().iter().map(exception).collect(),
    }
}

/// Loads a directory into a registry and watches it. Returns the watch and the warnings of the first load.
#[pyfunction]
#[pyo3(signature = (registry, path, *, schema_dir, on_error))]
pub fn watch_directory_sync(
    registry: &Bound<'_, PyRegistry>,
    #[pyo3(from_py_with = arguments::path)] path: PathBuf,
    #[pyo3(from_py_with = arguments::optional_path)] schema_dir: Option<PathBuf>,
    #[pyo3(from_py_with = arguments::option)] on_error: &str,
) -> PyResult<(PyWatch, Vec<PyFinding>)> {
    let py = registry.py();
    let source = source(registry, path, schema_dir, on_error)?;
    let origin = Arc::clone(&registry.get().origin);
    detached(py, || start(source, origin)).or_raise(py)
}

/// The coroutine of [`watch_directory_sync`].
#[pyfunction]
#[pyo3(signature = (registry, path, *, schema_dir, on_error))]
pub fn watch_directory<'py>(
    registry: &Bound<'py, PyRegistry>,
    #[pyo3(from_py_with = arguments::path)] path: PathBuf,
    #[pyo3(from_py_with = arguments::optional_path)] schema_dir: Option<PathBuf>,
    #[pyo3(from_py_with = arguments::option)] on_error: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let source = source(registry, path, schema_dir, on_error)?;
    let origin = Arc::clone(&registry.get().origin);
    on_thread(registry.py(), move || {
        start(source, origin).map_err(|error| Python::attach(|py| raise(py, &error)))
    })
}

/// The directory that the arguments name.
fn source(
    registry: &Bound<'_, PyRegistry>,
    path: PathBuf,
    schemas: Option<PathBuf>,
    on_error: &str,
) -> PyResult<DirectorySource> {
    wait_for_threads(registry.py())?;
    Ok(DirectorySource::new(path, schemas, is_skip(on_error)?, registry.get().target()))
}

/// Loads the directory and starts the thread. It records changes before the first load begins, so that none is missed.
fn start(source: DirectorySource, origin: Arc<PromptOrigin>) -> crate::Result<(PyWatch, Vec<PyFinding>)> {
    let roots = [Some(source.path.clone()), source.schema_dir.clone()].into_iter().flatten().collect();
    let recorder = ChangeRecorder::begin(roots)?;
    let state = Arc::new(WatchState::default());
    let mut directory =
        WatchedDirectory { source, origin, state: Arc::clone(&state), warned: HashSet::new() };
    let gate = gate();
    let report = directory.source.load_first()?;
    drop(gate);
    state.files_read.store(directory.source.files_read, Ordering::Relaxed);
    let mut warnings = report.warnings;
    directory.warned = warnings.iter().map(Finding::report).collect();
    if let Some(error) = report.error {
        warnings.extend(error.errors().iter().map(Finding::of_error));
        *state.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
    let watch = Mutex::new(recorder.start_thread(directory)?);
    Ok((PyWatch { watch, state }, findings(warnings)))
}

/// A watched directory.
struct WatchedDirectory {
    source: DirectorySource,
    /// Has the observers of the registry.
    origin: Arc<PromptOrigin>,
    state: Arc<WatchState>,
    /// The warnings of the last reload. They are logged once.
    warned: HashSet<String>,
}

impl ReloadHandler for WatchedDirectory {
    type ReloadReport = DirectoryReport;

    fn reload(&mut self) -> DirectoryReport {
        self.state.reloads.fetch_add(1, Ordering::Relaxed);
        let _gate = gate();
        let report = self.source.load();
        self.state.files_read.store(self.source.files_read, Ordering::Relaxed);
        report
    }

    fn is_clean(report: &DirectoryReport) -> bool {
        report.error.is_none()
    }

    fn report(&mut self, report: DirectoryReport) {
        let DirectoryReport { error, warnings, prompts, .. } = report;
        let path = self.source.path.display();
        let warnings: Vec<String> = warnings.iter().map(Finding::report).collect();
        let new = warnings.iter().filter(|warning| !self.warned.contains(*warning));
        let mut lines: Vec<_> = new.map(|warning| ("warning", warning.clone())).collect();
        // A load that failed as a whole found no warnings, so the old ones may still hold.
        if error.is_none() || !warnings.is_empty() {
            self.warned = warnings.into_iter().collect();
        }
        if let Some(error) = &error {
            let text = format!("{}\n\nThe last good prompts stay in use.", error.report());
            lines.push(("error", text));
        } else {
            tracing::info!(directory = %path, prompts, "reloaded prompts");
            lines.push(("info", format!("reloaded {prompts} prompts from {path}")));
        }
        {
            let _gate = gate();
            *self.state.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
        }
        on_python_thread(|py| {
            log(py, &lines)?;
            let source = self.source.path.display().to_string();
            let error = self.state.error.lock().unwrap_or_else(PoisonError::into_inner);
            let errors = exceptions(py, error.as_ref());
            drop(error);
            self.origin.observers.tell_of_reload(py, &source, prompts, errors)
        });
    }

    fn panicked(&mut self, error: Error) {
        self.report(DirectoryReport::failed(error));
    }

    fn linked_directories(&self) -> Vec<PathBuf> {
        self.source.linked.clone()
    }
}

/// Runs Python code on the watch's thread, unless the interpreter is ending.
fn on_python_thread(run: impl FnOnce(Python<'_>) -> PyResult<()>) {
    let Some(_logging) = LoggingGuard::begin() else { return };
    Python::try_attach(|py| {
        if let Err(error) = run(py) {
            error.write_unraisable(py, None);
        }
    });
}

/// Logs from the watch's thread. Where a program configures no logging, Python itself prints warnings and errors.
fn log(py: Python<'_>, lines: &[(&str, String)]) -> PyResult<()> {
    let logger = py.import("logging")?.call_method1("getLogger", ("prompt_manager",))?;
    lines.iter().try_for_each(|(level, line)| logger.call_method1(*level, ("%s", line)).map(drop))
}
