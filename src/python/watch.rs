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
use super::error::{OrRaise, raise};
use super::fork_gate::{LoggingGuard, gate, wait_for_threads};
use super::library::EngineState;
use super::prompt::PromptOrigin;
use super::registry::{PyRegistry, SharedRegistry, is_skip};
use super::runtime::on_thread;
use super::schema::SharedSchemas;
use super::text::PyText;
use crate::check::Finding;
use crate::error::{ContextValue, Error};
use crate::prompt::{Prompt, PromptId, Version};
use crate::store::directory::{self, FileCache, LoadedDirectory};
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
    let start = WatchRequest::new(registry, path, schema_dir, on_error)?;
    py.detach(|| start.run()).or_raise(py)
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
    let start = WatchRequest::new(registry, path, schema_dir, on_error)?;
    on_thread(registry.py(), move || start.run().map_err(|error| Python::attach(|py| raise(py, &error))))
}

/// The arguments of a watch, converted.
struct WatchRequest {
    path: PathBuf,
    schemas: Option<PathBuf>,
    skip: bool,
    prompts: Arc<SharedRegistry>,
    shared: Arc<EngineState>,
    /// The schemas of the registry, which get those of the directory.
    into: Arc<SharedSchemas>,
    /// Has the observers of the registry.
    origin: Arc<PromptOrigin>,
}

impl WatchRequest {
    /// Converts the arguments. The paths become absolute, because a program may change its working directory.
    fn new(
        registry: &Bound<'_, PyRegistry>,
        path: PathBuf,
        schemas: Option<PathBuf>,
        on_error: &str,
    ) -> PyResult<Self> {
        wait_for_threads(registry.py())?;
        let registry = registry.get();
        Ok(Self {
            path: absolute(path),
            schemas: schemas.map(absolute),
            skip: is_skip(on_error)?,
            prompts: Arc::clone(&registry.prompts),
            shared: Arc::clone(&registry.shared),
            into: Arc::clone(&registry.schemas),
            origin: Arc::clone(&registry.origin),
        })
    }

    /// Loads the directory and starts the thread. It records changes before the first load begins, so that none is missed.
    fn run(self) -> crate::Result<(PyWatch, Vec<PyFinding>)> {
        let roots = [Some(self.path.clone()), self.schemas.clone()].into_iter().flatten().collect();
        let recorder = ChangeRecorder::begin(roots)?;
        let state = Arc::new(WatchState::default());
        let mut directory = WatchedDirectory {
            start: self,
            state: Arc::clone(&state),
            held: Vec::new(),
            schemas: Vec::new(),
            linked: Vec::new(),
            warned: HashSet::new(),
            known: FileCache::default(),
            registrations: 0,
        };
        let mut result = directory.load();
        // `skip` is for single files. A problem of the directory itself is always an error.
        let fatal = |error: &mut Error| !directory.start.skip || error.errors().is_empty();
        if let Some(error) = result.error.take_if(fatal) {
            return Err(error);
        }
        let mut warnings = result.warnings;
        directory.warned = warnings.iter().map(Finding::report).collect();
        if let Some(error) = result.error {
            warnings.extend(error.errors().iter().map(Finding::of_error));
            *state.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        let watch = Mutex::new(recorder.start_thread(directory)?);
        Ok((PyWatch { watch, state }, findings(warnings)))
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// A watched directory, and the prompts and schemas of the registry that came from it.
struct WatchedDirectory {
    start: WatchRequest,
    state: Arc<WatchState>,
    /// The prompts of the registry that came from this directory, each with its file.
    held: Vec<(PromptId, Version, String)>,
    /// The names of the schemas that came from this directory.
    schemas: Vec<String>,
    /// The directories that links lead to. They are watched too.
    linked: Vec<PathBuf>,
    /// The warnings of the last reload. They are logged once.
    warned: HashSet<String>,
    /// The files as they were at the last reload.
    known: FileCache<PyText>,
    /// [`EngineState::registrations`] at the time when those files were compiled.
    registrations: u64,
}

/// The result of a reload.
struct ReloadResult {
    error: Option<Error>,
    warnings: Vec<Finding>,
    prompts: usize,
}

impl WatchedDirectory {
    /// Reads the files that changed. Replaces the registry's prompts, unless an error forbids it.
    fn load(&mut self) -> ReloadResult {
        let _gate = gate();
        let WatchRequest { path, schemas, shared, .. } = &self.start;
        let registrations = shared.registrations();
        if registrations != self.registrations {
            // A name may now be a helper, or a partial may have another text, so everything is compiled again.
            (self.registrations, self.known) = (registrations, FileCache::default());
        }
        let known = &mut self.known;
        match directory::load_again(path, schemas.as_deref(), &shared.options, shared, known) {
            Ok(loaded) => {
                self.state.files_read.store(loaded.read, Ordering::Relaxed);
                self.put(loaded)
            }
            Err(error) => ReloadResult { error: Some(error), warnings: Vec::new(), prompts: 0 },
        }
    }

    /// Puts the loaded prompts and schemas into the registry, and returns the result.
    fn put(&mut self, mut loaded: LoadedDirectory<PyText>) -> ReloadResult {
        self.linked = std::mem::take(&mut loaded.linked);
        let warnings = loaded.findings(false);
        let error = loaded.error(&self.start.path);
        let prompts = loaded.prompts.len();
        let error = match error {
            Some(error) if !self.start.skip => Some(error),
            error => self.exchange(loaded, error.as_ref()).err().or(error),
        };
        ReloadResult { error, warnings, prompts }
    }

    /// Replaces the old prompts by the new ones in one step. A file with an error keeps its old prompts.
    fn exchange(&mut self, loaded: LoadedDirectory<PyText>, error: Option<&Error>) -> crate::Result<()> {
        let broken: HashSet<&str> =
            error.iter().flat_map(|error| error.errors()).filter_map(file_of).collect();
        let mut held: Vec<_> = loaded
            .prompts
            .iter()
            .zip(&loaded.places)
            .map(|(compiled, place)| {
                let Prompt { id, version, .. } = compiled.prompt();
                (id.clone(), version.clone(), place.name.clone().unwrap_or_default())
            })
            .collect();
        let new: HashSet<(&PromptId, &Version)> = held.iter().map(|(id, version, _)| (id, version)).collect();
        let (kept, old): (Vec<_>, Vec<_>) =
            self.held.iter().cloned().partition(|(id, version, file)| {
                broken.contains(file.as_str()) && !new.contains(&(id, version))
            });
        let old: Vec<_> = old.into_iter().map(|(id, version, _)| (id, version)).collect();
        self.start.prompts.write().unwrap_or_else(PoisonError::into_inner).exchange(&old, loaded.prompts)?;
        let is_changed = self.start.shared.put_loaded(&self.start.path, loaded.partials, error.is_some());
        // The files were compiled with these partials, so this registration makes none of them outdated.
        self.registrations += u64::from(is_changed);
        held.extend(kept);
        self.held = held;
        // While a file has an error, schemas that are not found are kept, because they may be in that file.
        let gone = if error.is_none() { std::mem::take(&mut self.schemas) } else { Vec::new() };
        self.schemas.extend(loaded.schemas.iter().map(|schema| schema.name.clone()));
        self.start.into.write().exchange(&gone, loaded.schemas);
        Ok(())
    }
}

/// Returns the file that an error is about.
fn file_of(error: &Error) -> Option<&str> {
    if let Some(name) = error.place().and_then(|place| place.name.as_deref()) {
        return Some(name);
    }
    error.context().iter().find_map(|(name, value)| match value {
        ContextValue::Text(path) if *name == "path" => Some(path.as_str()),
        _ => None,
    })
}

impl ReloadHandler for WatchedDirectory {
    type ReloadReport = ReloadResult;

    fn reload(&mut self) -> ReloadResult {
        self.state.reloads.fetch_add(1, Ordering::Relaxed);
        self.load()
    }

    fn is_clean(result: &ReloadResult) -> bool {
        result.error.is_none()
    }

    fn report(&mut self, result: ReloadResult) {
        let ReloadResult { error, warnings, prompts } = result;
        let path = self.start.path.display();
        let warnings: Vec<String> = warnings.iter().map(Finding::report).collect();
        let new = warnings.iter().filter(|warning| !self.warned.contains(*warning));
        let mut lines: Vec<_> = new.map(|warning| ("warning", warning.clone())).collect();
        // A load that failed as a whole says nothing of the warnings.
        if error.is_none() || !warnings.is_empty() {
            self.warned = warnings.into_iter().collect();
        }
        match &error {
            Some(error) => {
                let text = format!("{}\n\nThe last good prompts stay in use.", error.report());
                lines.push(("error", text));
            }
            None => lines.push(("info", format!("reloaded {prompts} prompts from {path}"))),
        }
        {
            let _gate = gate();
            *self.state.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
        }
        on_python_thread(|py| {
            log(py, &lines)?;
            let source = self.start.path.display().to_string();
            let error = self.state.error.lock().unwrap_or_else(PoisonError::into_inner);
            let errors = exceptions(py, error.as_ref());
            drop(error);
            self.start.origin.observers.tell_of_reload(py, &source, prompts, errors)
        });
    }

    fn panicked(&mut self, error: Error) {
        self.report(ReloadResult { error: Some(error), warnings: Vec::new(), prompts: 0 });
    }

    fn linked_directories(&self) -> Vec<PathBuf> {
        self.linked.clone()
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
