//! Prompt files for `YAMLLoader`, and directories that are followed.
//!
//! A reload runs on the watch's own thread and needs no interpreter: files are read and compiled, and the registry's
//! set is exchanged under its lock, so that a render sees the old set or the new one. Only to tell of it the thread
//! attaches.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use super::error::{OrRaise, raise};
use super::prompt::CompiledPrompt;
use super::registry::{PyRegistry, SharedRegistry, is_skip};
use super::runtime::on_thread;
use super::schema::SharedSchemas;
use super::template::{Engine, Shared};
use super::text::PyText;
use crate::error::{Error, Fact};
use crate::prompt::{AboutFile, Prompt, PromptId, Version};
use crate::store::directory::{self, Known, Loaded};
use crate::store::watch::{self, Follow, Noted};

/// A directory that is followed: while it lives, what is saved there is live in the registry.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct Watch {
    watch: Mutex<watch::Watch>,
    state: Arc<State>,
}

impl Watch {
    fn stop(&self) {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).stop();
    }
}

/// What the thread and the program both see.
#[derive(Default)]
struct State {
    /// What the last reload found wrong.
    error: Mutex<Option<Error>>,
    reloads: AtomicU64,
    /// How many files the last load read.
    files_read: AtomicUsize,
}

#[pymethods]
impl Watch {
    /// Ends it, and waits for a reload that is under way.
    fn close_sync(&self, py: Python<'_>) {
        py.detach(|| self.stop());
    }

    /// [`Watch::close_sync`], to await.
    fn close<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let watch = slf.clone().unbind();
        on_thread(slf.py(), move || {
            watch.get().stop();
            Ok(())
        })
    }

    /// Whether changes are followed.
    #[getter]
    fn is_running(&self) -> bool {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).is_running()
    }

    /// What the last reload found wrong, one exception for each place.
    #[getter]
    fn errors(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        let error = self.state.error.lock().unwrap_or_else(PoisonError::into_inner);
        let exception = |error: &Error| raise(py, error).into_value(py).into_any();
        match &*error {
            None => Vec::new(),
            Some(error) if error.errors().is_empty() => vec![exception(error)],
            Some(error) => error.errors().iter().map(exception).collect(),
        }
    }

    /// How often changes were taken over.
    #[getter]
    fn reloads(&self) -> u64 {
        self.state.reloads.load(Ordering::Relaxed)
    }

    /// How many files the last of these times read; the others were as before.
    #[getter]
    fn files_read(&self) -> usize {
        self.state.files_read.load(Ordering::Relaxed)
    }
}

/// Loads a directory into a registry and follows it; gives the watch and what to warn of.
#[pyfunction]
#[pyo3(signature = (registry, path, *, schema_dir, on_error))]
pub fn watch_directory_sync(
    registry: &Bound<'_, PyRegistry>,
    path: PathBuf,
    schema_dir: Option<PathBuf>,
    on_error: &str,
) -> PyResult<(Watch, Vec<String>)> {
    let py = registry.py();
    let start = Start::new(registry, path, schema_dir, on_error)?;
    py.detach(|| start.run()).or_raise(py)
}

/// [`watch_directory_sync`], to await.
#[pyfunction]
#[pyo3(signature = (registry, path, *, schema_dir, on_error))]
pub fn watch_directory<'py>(
    registry: &Bound<'py, PyRegistry>,
    path: PathBuf,
    schema_dir: Option<PathBuf>,
    on_error: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let start = Start::new(registry, path, schema_dir, on_error)?;
    on_thread(registry.py(), move || start.run().map_err(|error| Python::attach(|py| raise(py, &error))))
}

/// What the start of a watch needs.
struct Start {
    path: PathBuf,
    schemas: Option<PathBuf>,
    skip: bool,
    prompts: Arc<SharedRegistry>,
    shared: Arc<Shared>,
    /// The schemas of the registry.
    into: Arc<SharedSchemas>,
}

impl Start {
    /// The paths are made absolute, for a program may change its directory.
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
        })
    }

    /// Changes are noted from before the first load on, so that none is missed.
    fn run(self) -> crate::Result<(Watch, Vec<String>)> {
        let roots = [Some(self.path.clone()), self.schemas.clone()].into_iter().flatten().collect();
        let noted = Noted::begin(roots)?;
        let state = Arc::new(State::default());
        let mut directory = Directory {
            start: self,
            state: Arc::clone(&state),
            held: Vec::new(),
            schemas: Vec::new(),
            linked: Vec::new(),
            warned: HashSet::new(),
            known: Known::default(),
            registrations: 0,
        };
        let mut account = directory.load();
        // What is not the fault of single files cannot be skipped.
        let fatal = |error: &mut Error| !directory.start.skip || error.errors().is_empty();
        if let Some(error) = account.error.take_if(fatal) {
            return Err(error);
        }
        let mut warnings = account.warnings;
        directory.warned = warnings.iter().cloned().collect();
        if let Some(error) = account.error {
            warnings.extend(error.errors().iter().map(Error::report));
            *state.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        let watch = Mutex::new(noted.follow(directory)?);
        Ok((Watch { watch, state }, warnings))
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// The prompts of a directory in a registry.
struct Directory {
    start: Start,
    state: Arc<State>,
    /// What of the registry came from here, and from which file.
    held: Vec<(PromptId, Version, String)>,
    /// The names of the schemas that came from here.
    schemas: Vec<String>,
    linked: Vec<PathBuf>,
    /// What the author was warned of at the last reload.
    warned: HashSet<String>,
    /// The files as they were at the last reload, compiled after so many registrations of helpers and partials.
    known: Known<PyText>,
    registrations: u64,
}

/// What a reload has to tell.
struct Account {
    error: Option<Error>,
    warnings: Vec<String>,
    prompts: usize,
}

impl Directory {
    /// Reads the files that changed and, unless something forbids it, exchanges the registry's set.
    fn load(&mut self) -> Account {
        let _gate = gate();
        let Start { path, schemas, shared, .. } = &self.start;
        let registrations = shared.registrations();
        if registrations != self.registrations {
            // A name may be a helper's now, or a partial another.
            (self.registrations, self.known) = (registrations, Known::default());
        }
        let known = &mut self.known;
        match directory::load_again(path, schemas.as_deref(), &shared.options, shared, known) {
            Ok(loaded) => {
                self.state.files_read.store(loaded.read, Ordering::Relaxed);
                self.put(loaded)
            }
            Err(error) => Account { error: Some(error), warnings: Vec::new(), prompts: 0 },
        }
    }

    fn put(&mut self, mut loaded: Loaded<PyText>) -> Account {
        self.linked = std::mem::take(&mut loaded.linked);
        let warnings = std::mem::take(&mut loaded.warnings);
        let error = loaded.error(&self.start.path);
        let prompts = loaded.prompts.len();
        let error = match error {
            Some(error) if !self.start.skip => Some(error),
            error => self.exchange(loaded, error.as_ref()).err().or(error),
        };
        Account { error, warnings, prompts }
    }

    /// Puts the new prompts in the place of the old, in one step. Of files that are broken, the old ones stay.
    fn exchange(&mut self, loaded: Loaded<PyText>, error: Option<&Error>) -> crate::Result<()> {
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
        held.extend(kept);
        self.held = held;
        // While a file is broken, schemas that are not found are kept: they may be in it.
        let gone = if error.is_none() { std::mem::take(&mut self.schemas) } else { Vec::new() };
        self.schemas.extend(loaded.schemas.iter().map(|schema| schema.name.clone()));
        self.start.into.write().exchange(&gone, loaded.schemas);
        Ok(())
    }
}

/// The file that an error is about.
fn file_of(error: &Error) -> Option<&str> {
    if let Some(name) = error.place().and_then(|place| place.name.as_deref()) {
        return Some(name);
    }
    error.context().iter().find_map(|(name, value)| match value {
        Fact::Text(path) if *name == "path" => Some(path.as_str()),
        _ => None,
    })
}

impl Follow for Directory {
    type Account = Account;

    fn reload(&mut self) -> Account {
        self.state.reloads.fetch_add(1, Ordering::Relaxed);
        self.load()
    }

    fn is_clean(account: &Account) -> bool {
        account.error.is_none()
    }

    fn tell(&mut self, account: Account) {
        let Account { error, warnings, prompts } = account;
        let path = self.start.path.display();
        let new = warnings.iter().filter(|warning| !self.warned.contains(*warning));
        let mut lines: Vec<_> = new.map(|warning| ("warning", warning.clone())).collect();
        self.warned = warnings.into_iter().collect();
        match &error {
            Some(error) => {
                let text = format!("{}\n\nThe last good prompts stay in use.", error.report());
                lines.push(("error", text));
            }
            None => lines.push(("info", format!("read {prompts} prompts of {path} anew"))),
        }
        {
            let _gate = gate();
            *self.state.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
        }
        log(&lines);
    }

    fn broke_off(&mut self, error: Error) {
        let warnings = self.warned.iter().cloned().collect();
        self.tell(Account { error: Some(error), warnings, prompts: 0 });
    }

    fn linked(&self) -> Vec<PathBuf> {
        self.linked.clone()
    }
}

/// Logs from a thread of ours. Python's own handling prints warnings and errors where the program sets up no other.
///
/// Not under the gate: `logging` has a lock of its own, which a thread that forks may have taken before the gate.
fn log(lines: &[(&str, String)]) {
    let ended = gate();
    if *ended {
        return;
    }
    TELLING.fetch_add(1, Ordering::AcqRel);
    drop(ended);
    Python::try_attach(|py| {
        let told = py.import("logging").and_then(|logging| {
            let logger = logging.call_method1("getLogger", ("prompt_manager",))?;
            lines.iter().try_for_each(|(level, line)| logger.call_method1(*level, ("%s", line)).map(drop))
        });
        if let Err(error) = told {
            error.write_unraisable(py, None);
        }
    });
    // A handler that forked goes on in the child too, where the count began anew.
    let _ =
        TELLING.fetch_update(Ordering::AcqRel, Ordering::Acquire, |telling| Some(telling.saturating_sub(1)));
}

/// How many threads of ours are logging.
static TELLING: AtomicUsize = AtomicUsize::new(0);

/// Held while a thread of ours reloads. A thread that forks takes it first, for the child must find no lock taken by a
/// thread that it lacks. It says whether the interpreter is ending, when no thread may attach any more.
static GATE: Mutex<bool> = Mutex::new(false);

type Gate = MutexGuard<'static, bool>;

fn gate() -> Gate {
    GATE.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// The gate, while this thread forks.
    static FORKING: RefCell<Option<Gate>> = const { RefCell::new(None) };
}

/// Takes the gate without keeping from the interpreter whoever has it.
fn attached_gate(py: Python<'_>) -> Gate {
    loop {
        match GATE.try_lock() {
            Ok(gate) => return gate,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => py.detach(|| thread::sleep(Duration::from_millis(1))),
        }
    }
}

/// Waits without letting go of the interpreter, which whoever has the gate does not need: were other threads to run,
/// `logging` could be imported, and set up its own part in forks, in the middle of this one.
#[pyfunction]
fn before_fork() {
    FORKING.set(Some(gate()));
}

#[pyfunction]
fn after_fork() {
    FORKING.take();
}

#[pyfunction]
fn after_fork_in_child() {
    // Whoever was logging is not here.
    TELLING.store(0, Ordering::Release);
    after_fork();
}

#[pyfunction]
fn at_exit(py: Python<'_>) {
    *attached_gate(py) = true;
    while TELLING.load(Ordering::Acquire) > 0 {
        py.detach(|| thread::sleep(Duration::from_millis(1)));
    }
}

/// Has forks and the end of the interpreter wait for threads of ours, from the first watch on.
fn wait_for_threads(py: Python<'_>) -> PyResult<()> {
    static DONE: PyOnceLock<()> = PyOnceLock::new();
    DONE.get_or_try_init(py, || {
        py.import("atexit")?.call_method1("register", (wrap_pyfunction!(at_exit, py)?,))?;
        let os = py.import("os")?;
        if !os.hasattr("register_at_fork")? {
            return Ok(());
        }
        let hooks = PyDict::new(py);
        hooks.set_item("before", wrap_pyfunction!(before_fork, py)?)?;
        hooks.set_item("after_in_parent", wrap_pyfunction!(after_fork, py)?)?;
        hooks.set_item("after_in_child", wrap_pyfunction!(after_fork_in_child, py)?)?;
        os.call_method("register_at_fork", (), Some(&hooks)).map(drop)
    })
    .map(drop)
}

/// Reads the prompts of a file or directory, by file: for each its version and metadata, where it has them, and its
/// prompts. And what to warn of.
#[pyfunction]
#[pyo3(signature = (path, engine, *, on_error))]
pub fn read_prompts_sync<'py>(
    path: PathBuf,
    engine: &Bound<'py, Engine>,
    on_error: &str,
) -> PyResult<(Vec<File<'py>>, Vec<String>)> {
    let py = engine.py();
    let read = Reading::new(path, engine, on_error)?;
    let shared = Arc::clone(&read.shared);
    let (loaded, warnings) = py.detach(|| read.run()).or_raise(py)?;
    Ok((files(py, loaded, &shared)?, warnings))
}

/// [`read_prompts_sync`], to await.
#[pyfunction]
#[pyo3(signature = (path, engine, *, on_error))]
pub fn read_prompts<'py>(
    path: PathBuf,
    engine: &Bound<'py, Engine>,
    on_error: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let read = Reading::new(path, engine, on_error)?;
    on_thread(engine.py(), move || {
        let shared = Arc::clone(&read.shared);
        let read = read.run();
        Python::attach(|py| {
            let (loaded, warnings) = read.or_raise(py)?;
            let files = files(py, loaded, &shared)?
                .into_iter()
                .map(|(version, metadata, prompts)| (version, metadata.map(Bound::unbind), prompts));
            Ok((files.collect::<Vec<_>>(), warnings))
        })
    })
}

/// What a file says of itself, and its prompts.
type File<'py> = (Option<String>, Option<Bound<'py, PyAny>>, Vec<CompiledPrompt>);

/// What reading files is asked for.
struct Reading {
    path: PathBuf,
    skip: bool,
    shared: Arc<Shared>,
}

impl Reading {
    fn new(path: PathBuf, engine: &Bound<'_, Engine>, on_error: &str) -> PyResult<Self> {
        Ok(Self { path, skip: is_skip(on_error)?, shared: Arc::clone(&engine.get().shared) })
    }

    fn run(&self) -> crate::Result<(Loaded<PyText>, Vec<String>)> {
        let Self { path, skip, shared } = self;
        let mut loaded = if path.is_dir() {
            directory::load(path, None, &shared.options, shared)?
        } else {
            directory::load_file(path, &shared.options, shared)
        };
        let mut warnings = std::mem::take(&mut loaded.warnings);
        if *skip {
            warnings.extend(loaded.errors.iter().map(Error::report));
        } else if let Some(error) = loaded.error(path) {
            return Err(error);
        }
        Ok((loaded, warnings))
    }
}

/// The prompts by file. They come in the order of the files.
fn files<'py>(py: Python<'py>, loaded: Loaded<PyText>, shared: &Arc<Shared>) -> PyResult<Vec<File<'py>>> {
    let mut files: Vec<File<'py>> = Vec::new();
    let mut last = None;
    for (compiled, place) in loaded.prompts.into_iter().zip(loaded.places) {
        let prompt = CompiledPrompt { compiled, shared: Arc::clone(shared), schemas: None };
        if let Some(file) = files.last_mut().filter(|_| last == place.name) {
            file.2.push(prompt);
            continue;
        }
        let about = place.name.as_ref().and_then(|name| loaded.about.get(name));
        let AboutFile { version, metadata } = about.cloned().unwrap_or_default();
        let metadata = (!metadata.is_empty()).then(|| pythonize::pythonize(py, metadata.as_map()));
        files.push((version, metadata.transpose()?, vec![prompt]));
        last = place.name;
    }
    Ok(files)
}
