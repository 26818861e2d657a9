//! `Registry`: the prompts that a manager holds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::arguments;
use super::check::{PyFinding, check_options, findings};
use super::directory_label::DirectoryLabel;
use super::directory_source::DirectorySource;
use super::error::{OrRaise, raise};
use super::fork_gate::wait_for_threads;
use super::library::EngineState;
use super::observers::RegistryObservers;
use super::prompt::{CompiledPrompt, PromptOrigin, face, text};
use super::refresh::{CoreSource, PyLook, Refresh, RefreshSource, load_first};
use super::reload::{ReloadTarget, SharedRegistry, WriteLog};
use super::runtime::{detached, on_thread};
use super::schema::{PySchemas, SharedSchemas};
use super::storage::{PlainData, PyFileStore};
use super::store_source::StoreSource;
use super::template::Engine;
use super::text::PyText;
use super::unknown_variables::UnknownVariablePolicy;
use crate::check::CheckOptions;
use crate::prompt::{Compiled, PromptId, RenderOptions, Version};
use crate::store::directory::{self, LoadedDirectory};
use crate::store::{self, LabelMove, Labels, SearchFilter, VersionSelector};

/// Compiled prompts by id and version.
#[pyclass(frozen, name = "Registry", module = "prompt_manager._native")]
pub struct PyRegistry {
    pub(super) prompts: Arc<SharedRegistry>,
    pub(super) shared: Arc<EngineState>,
    pub(super) schemas: Arc<SharedSchemas>,
    pub(super) origin: Arc<PromptOrigin>,
    writes: Arc<WriteLog>,
    /// Looks for changes of the source of the prompts.
    refresh: OnceLock<Arc<Refresh>>,
}

pub(super) fn which<'a>(version: Option<&'a str>, label: Option<&'a str>) -> PyResult<VersionSelector<'a>> {
    match (version, label) {
        (None, None) => Ok(VersionSelector::Latest),
        (Some(version), None) => Ok(VersionSelector::Version(version)),
        (None, Some(label)) => Ok(VersionSelector::Label(label)),
        (Some(_), Some(_)) => Err(PyValueError::new_err("give a version or a label, not both")),
    }
}

impl PyRegistry {
    /// Reads under the lock. `read` must not run Python code: it could wait for a thread that waits for the lock.
    /// Errors of the core are therefore raised after the lock is released.
    fn reading<R>(&self, read: impl FnOnce(&store::Registry<PyText>) -> R) -> R {
        read(&self.prompts.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes these prompts under the lock; see [`PyRegistry::reading`]. It detaches from the interpreter, because dropping
    /// a version drops its Python objects, which can run Python code. That code then runs after the lock is released.
    fn writing<R: Send>(
        &self,
        py: Python<'_>,
        ids: &[&str],
        write: impl FnOnce(&mut store::Registry<PyText>) -> R + Send,
    ) -> R {
        py.detach(|| {
            let mut prompts = self.prompts.write().unwrap_or_else(PoisonError::into_inner);
            self.writes.note(ids.iter().copied());
            write(&mut prompts)
        })
    }

    /// What a reload of prompts changes.
    pub(super) fn target(&self) -> ReloadTarget {
        ReloadTarget {
            prompts: Arc::clone(&self.prompts),
            shared: Arc::clone(&self.shared),
            schemas: Arc::clone(&self.schemas),
            writes: Arc::clone(&self.writes),
        }
    }

    /// Looks for changes in the source of the prompts, if it is time. A version that is asked for by its number needs no
    /// look, because it cannot change.
    fn refresh_for(&self, py: Python<'_>, which: VersionSelector<'_>) {
        if let Some(refresh) = self.refresh.get()
            && !matches!(which, VersionSelector::Version(_))
        {
            refresh.look_if_due(py);
        }
    }

    fn set_refresh(&self, refresh: Refresh) -> PyResult<()> {
        self.writes.start();
        let is_set = self.refresh.set(Arc::new(refresh)).is_ok();
        is_set.then_some(()).ok_or_else(|| PyValueError::new_err("the registry already looks for changes"))
    }

    pub(super) fn compiled(
        &self,
        py: Python<'_>,
        id: &str,
        which: VersionSelector<'_>,
    ) -> PyResult<Arc<Compiled<PyText>>> {
        self.refresh_for(py, which);
        let found = self.reading(|prompts| prompts.get(id, which).map(Arc::clone));
        match (&found, self.refresh.get()) {
            // Another process may have saved a version that is not here yet.
            (Err(_), Some(refresh)) if refresh.look_if_due(py) => {
                self.reading(|prompts| prompts.get(id, which).map(Arc::clone)).or_raise(py)
            }
            _ => found.or_raise(py),
        }
    }

    /// Renders a prompt of this registry to text.
    pub(super) fn text_of<'py>(
        &self,
        compiled: &Compiled<PyText>,
        variables: &Bound<'py, PyAny>,
        output_instructions: bool,
    ) -> PyResult<Bound<'py, PyString>> {
        let options = RenderOptions {
            schemas: Some(&*self.schemas),
            output_instructions,
            resolved: false,
            unknown: self.origin.unknown.active(),
        };
        text(compiled, &self.shared, variables, &options)
    }

    fn find(&self, py: Python<'_>, id: &str, which: VersionSelector<'_>) -> PyResult<CompiledPrompt> {
        Ok(self.handle(&self.compiled(py, id, which)?))
    }

    pub(super) fn handle(&self, compiled: &Arc<Compiled<PyText>>) -> CompiledPrompt {
        CompiledPrompt::of_registry(compiled, &self.origin)
    }

    /// The prompt as the registry stores it, without values that another registry attached. Fails for a draft without a
    /// template.
    fn storable(prompt: &Bound<'_, CompiledPrompt>) -> PyResult<Arc<Compiled<PyText>>> {
        let compiled = &prompt.get().compiled;
        compiled.prompt().check_storable().or_raise(prompt.py())?;
        Ok(Arc::new(compiled.without_attachment()))
    }
}

/// The conditions of a search.
struct SearchQuery {
    status: Option<String>,
    format: Option<String>,
    category: Option<String>,
    tags: Vec<String>,
    label: Option<String>,
    text: Option<String>,
}

impl SearchQuery {
    /// Extracts the conditions from a Python dict.
    fn extract(query: &Bound<'_, PyAny>) -> PyResult<Self> {
        let text = |name: &str| arguments::optional_metadata(&query.get_item(name)?);
        Ok(Self {
            status: text("status")?,
            format: text("format")?,
            category: text("category")?,
            tags: arguments::texts(&query.get_item("tags")?)?,
            label: arguments::optional_label(&query.get_item("label")?)?,
            text: text("text")?,
        })
    }

    fn filter(&self) -> crate::Result<SearchFilter<'_>> {
        Ok(SearchFilter {
            status: self.status.as_deref().map(str::parse).transpose()?,
            format: self.format.as_deref().map(str::parse).transpose()?,
            category: self.category.as_deref(),
            tags: self.tags.iter().map(String::as_str).collect(),
            label: self.label.as_deref(),
            text: self.text.as_deref(),
        })
    }
}

/// Parses `on_error`. Returns whether a bad file gives a warning instead of an error.
pub(super) fn is_skip(on_error: &str) -> PyResult<bool> {
    match on_error {
        "raise" => Ok(false),
        "skip" => Ok(true),
        other => Err(PyValueError::new_err(format!("on_error must be 'raise' or 'skip', not '{other}'"))),
    }
}

/// A directory to load, with its options and targets.
struct DirectoryLoad {
    path: PathBuf,
    schemas: Option<PathBuf>,
    /// Whether a bad file gives a warning instead of an error.
    skip: bool,
    prompts: Arc<SharedRegistry>,
    shared: Arc<EngineState>,
    into: Arc<SharedSchemas>,
}

impl DirectoryLoad {
    /// Loads the directory into the registry. Returns the warnings.
    fn run(self) -> crate::Result<Vec<PyFinding>> {
        let mut loaded: LoadedDirectory<PyText> =
            directory::load(&self.path, self.schemas.as_deref(), &self.shared.options, &self.shared)?;
        let warnings = loaded.findings(self.skip);
        if let Some(error) = loaded.error(&self.path).filter(|_| !self.skip) {
            return Err(error);
        }
        self.into.write().add(std::mem::take(&mut loaded.schemas))?;
        self.shared.put_loaded(&self.path, std::mem::take(&mut loaded.partials), false);
        let mut prompts = self.prompts.write().unwrap_or_else(PoisonError::into_inner);
        for compiled in loaded.prompts {
            prompts.insert(compiled)?;
        }
        for (id, labels) in loaded.labels.unwrap_or_default() {
            prompts.set_labels(id.as_str(), labels)?;
        }
        Ok(findings(warnings))
    }
}

impl PyRegistry {
    fn load(&self, path: PathBuf, schemas: Option<PathBuf>, on_error: &str) -> PyResult<DirectoryLoad> {
        Ok(DirectoryLoad {
            path,
            schemas,
            skip: is_skip(on_error)?,
            prompts: Arc::clone(&self.prompts),
            shared: Arc::clone(&self.shared),
            into: Arc::clone(&self.schemas),
        })
    }
}

impl PyRegistry {
    /// The first load of a directory that is loaded again if its labels change. It starts the looks if it succeeds.
    fn directory(
        &self,
        py: Python<'_>,
        path: PathBuf,
        schema_dir: Option<PathBuf>,
        on_error: &str,
        (seconds, report): (f64, Py<PyAny>),
    ) -> PyResult<impl FnOnce() -> crate::Result<Vec<PyFinding>> + Send + 'static> {
        wait_for_threads(py)?;
        let source = DirectorySource::new(path, schema_dir, is_skip(on_error)?, self.target());
        let source = Arc::new(Mutex::new(CoreSource::Directory(Box::new(source))));
        let first = Arc::clone(&source);
        self.set_refresh(Refresh::new(seconds, RefreshSource::Core { source, report })?)?;
        Ok(move || load_first(&first).map(findings))
    }
}

#[pymethods]
impl PyRegistry {
    #[new]
    fn new(engine: &Bound<'_, Engine>) -> Self {
        let (shared, schemas) = (Arc::clone(&engine.get().shared), Arc::default());
        let prompts = Arc::default();
        let unknown = UnknownVariablePolicy::new(Arc::downgrade(&prompts));
        let origin = PromptOrigin {
            shared: Arc::clone(&shared),
            schemas: Arc::clone(&schemas),
            unknown,
            observers: RegistryObservers::default(),
        };
        let (writes, refresh) = (Arc::default(), OnceLock::new());
        Self { prompts, shared, schemas, origin: Arc::new(origin), writes, refresh }
    }

    /// The schemas that the prompts refer to.
    #[getter]
    fn schemas(&self) -> PySchemas {
        PySchemas::of(&self.schemas)
    }

    /// Decides about variables that a prompt does not declare: `"warn"`, `"error"` or `"ignore"`.
    fn set_unknown_variables(&self, #[pyo3(from_py_with = arguments::option)] mode: &str) -> PyResult<()> {
        self.origin.unknown.set(mode)
    }

    /// Sets the observers of conversions and reloads; see `prompt_manager.core._links`.
    fn set_observers(&self, links: Option<Py<PyAny>>, hear_renders: bool) {
        self.origin.observers.set(links, hear_renders);
    }

    #[pyo3(signature = (path, *, schema_dir, on_error))]
    fn load_directory_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::optional_path)] schema_dir: Option<PathBuf>,
        #[pyo3(from_py_with = arguments::option)] on_error: &str,
    ) -> PyResult<Vec<PyFinding>> {
        let load = self.load(path, schema_dir, on_error)?;
        detached(py, || load.run()).or_raise(py)
    }

    #[pyo3(signature = (path, *, schema_dir, on_error))]
    fn load_directory<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::optional_path)] schema_dir: Option<PathBuf>,
        #[pyo3(from_py_with = arguments::option)] on_error: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let load = self.load(path, schema_dir, on_error)?;
        on_thread(py, move || load.run().map_err(|error| Python::attach(|py| raise(py, &error))))
    }

    /// From now on, renders look for changes in a storage in files, at most once in `seconds`. `report` is called with
    /// the [`PyLook`] of each look that found something.
    fn refresh_from_store(
        &self,
        py: Python<'_>,
        store: &Bound<'_, PyFileStore>,
        seconds: f64,
        report: Py<PyAny>,
    ) -> PyResult<()> {
        wait_for_threads(py)?;
        let source = CoreSource::Store(Box::new(StoreSource::new(store.get().shared(), self.target())));
        let source = Arc::new(Mutex::new(source));
        self.set_refresh(Refresh::new(seconds, RefreshSource::Core { source, report })?)
    }

    /// Loads a directory, and from now on loads it again if its `labels.yaml` changes; see
    /// [`PyRegistry::refresh_from_store`].
    #[pyo3(signature = (path, *, schema_dir, on_error, seconds, report))]
    fn refresh_from_directory_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::optional_path)] schema_dir: Option<PathBuf>,
        #[pyo3(from_py_with = arguments::option)] on_error: &str,
        seconds: f64,
        report: Py<PyAny>,
    ) -> PyResult<Vec<PyFinding>> {
        let load = self.directory(py, path, schema_dir, on_error, (seconds, report))?;
        detached(py, load).or_raise(py)
    }

    /// The coroutine of [`PyRegistry::refresh_from_directory_sync`].
    #[pyo3(signature = (path, *, schema_dir, on_error, seconds, report))]
    fn refresh_from_directory<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::optional_path)] schema_dir: Option<PathBuf>,
        #[pyo3(from_py_with = arguments::option)] on_error: &str,
        seconds: f64,
        report: Py<PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let load = self.directory(py, path, schema_dir, on_error, (seconds, report))?;
        on_thread(py, move || load().map_err(|error| Python::attach(|py| raise(py, &error))))
    }

    /// Points a label at a version in the `labels.yaml` of a directory, and in the registry. Returns the move.
    fn set_label_in_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::label)] label: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_metadata)] author: Option<&str>,
    ) -> PyResult<PlainData> {
        let work = DirectoryLabel { path, id, target: self.target() };
        detached(py, || work.set(label, version, author)).or_raise(py)
    }

    /// The coroutine of [`PyRegistry::set_label_in_sync`].
    fn set_label_in<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::label)] label: String,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<String>,
        #[pyo3(from_py_with = arguments::optional_metadata)] author: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let work = DirectoryLabel { path, id, target: self.target() };
        let set = move || work.set(&label, version.as_deref(), author.as_deref());
        on_thread(py, move || set().map_err(|error| Python::attach(|py| raise(py, &error))))
    }

    /// The moves of a prompt's labels in the `labels.yaml` of a directory.
    fn moves_in_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::id)] id: String,
    ) -> PyResult<Vec<PlainData>> {
        let work = DirectoryLabel { path, id, target: self.target() };
        detached(py, || work.history()).or_raise(py)
    }

    /// The coroutine of [`PyRegistry::moves_in_sync`].
    fn moves_in<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::id)] id: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        let work = DirectoryLabel { path, id, target: self.target() };
        on_thread(py, move || work.history().map_err(|error| Python::attach(|py| raise(py, &error))))
    }

    /// From now on, renders call `look_sync()`, at most once in `seconds`. [`PyRegistry::due_look`] returns the coroutine
    /// of `look(release)`, which calls `release()` at its end.
    fn refresh_from_calls(
        &self,
        py: Python<'_>,
        look_sync: Py<PyAny>,
        look: Py<PyAny>,
        seconds: f64,
    ) -> PyResult<()> {
        wait_for_threads(py)?;
        self.set_refresh(Refresh::new(seconds, RefreshSource::Python { look_sync, look })?)
    }

    /// Whether the registry looks for changes.
    #[getter]
    fn is_refreshing(&self) -> bool {
        self.refresh.get().is_some()
    }

    /// Looks for changes if it is time.
    fn look_if_due(&self, py: Python<'_>) {
        self.refresh_for(py, VersionSelector::Latest);
    }

    /// Looks for changes now. `None` if nothing changed.
    fn look_sync(&self, py: Python<'_>) -> Option<PyLook> {
        self.refresh.get()?.look_now(py)
    }

    /// The coroutine of [`PyRegistry::look_sync`].
    fn look<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.refresh.get().map_or(Ok(None), |refresh| refresh.look_now_awaitable(py))
    }

    /// An awaitable of a look for changes, if it is time.
    fn due_look<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.refresh.get().map_or(Ok(None), |refresh| refresh.due_look(py))
    }

    /// The moment at which a look in Python begins, for [`PyRegistry::exchange`].
    fn writes(&self) -> u64 {
        self.writes.now()
    }

    /// The prompts that this process wrote since this moment, for a look in Python.
    fn written_since(&self, start: u64) -> Vec<String> {
        self.writes.since(start)
    }

    /// Takes over what a look in Python found: replaces the old versions by the new ones, and sets the moves of labels.
    /// `start` is the moment at which the look began, and `versions` the number of versions in the storage. Prompts that
    /// were written since then stay as they are; their ids are returned with the look.
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn exchange(
        &self,
        py: Python<'_>,
        old: Vec<(String, String)>,
        new: Vec<Bound<'_, CompiledPrompt>>,
        moves: &Bound<'_, PyAny>,
        start: u64,
        versions: usize,
    ) -> PyResult<(PyLook, Vec<String>)> {
        let mut moves: BTreeMap<PromptId, Labels> =
            pythonize::depythonize::<BTreeMap<String, Vec<LabelMove>>>(moves)?
                .into_iter()
                .filter_map(|(id, moves)| Some((id.parse().ok()?, Labels::new(moves))))
                .collect();
        let old = old.into_iter().filter_map(|(id, version)| Some((id.parse().ok()?, version.parse().ok()?)));
        let mut old: Vec<(PromptId, Version)> = old.collect();
        let mut new = new.iter().map(Self::storable).collect::<PyResult<Vec<_>>>()?;
        let exchanged = py.detach(|| {
            let mut prompts = self.prompts.write().unwrap_or_else(PoisonError::into_inner);
            let mut newer = self.writes.since(start);
            let conflicts = prompts.conflicts(&old, &new);
            newer.extend(conflicts.iter().map(|(id, _)| id.to_string()));
            let is_newer = |id: &PromptId| newer.iter().any(|newer| newer == id.as_str());
            old.retain(|(id, _)| !is_newer(id));
            new.retain(|compiled| !is_newer(&compiled.prompt().id));
            moves.retain(|id, _| !is_newer(id));
            let error = conflicts.into_iter().map(|(_, error)| error).next();
            prompts
                .exchange(&old, new, moves)
                .map(|result| (PyLook::of_exchange(result, error, versions), newer))
        });
        exchanged.or_raise(py)
    }

    /// Runs every rule on the files of a directory as they are now, and on the prompts that come from elsewhere. `also`
    /// are rules that are off by default, and `base` the paths and contents of files at another commit. With `code`, the
    /// schemas of this registry are all that the application registers. With `fixes`, findings have fixes.
    #[pyo3(signature = (path, *, schema_dir, providers = Vec::new(), also = Vec::new(), base = Vec::new(), code = true,
        fixes = false))]
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    #[allow(clippy::too_many_arguments, reason = "each is an option, given by name")]
    fn check(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::optional_path)] path: Option<PathBuf>,
        #[pyo3(from_py_with = arguments::optional_path)] schema_dir: Option<PathBuf>,
        providers: Vec<String>,
        also: Vec<String>,
        base: Vec<(PathBuf, Vec<u8>)>,
        code: bool,
        fixes: bool,
    ) -> PyResult<Vec<PyFinding>> {
        let mut options = CheckOptions { fixes, ..check_options(&providers, &also)? };
        options.earlier =
            path.as_deref().map(|path| store::check::earlier_prompts(path, &base)).unwrap_or_default();
        detached(py, || {
            options.registered_schemas =
                code.then(|| self.schemas.read().names().map(str::to_owned).collect());
            let (path, schemas) = (path.as_deref(), schema_dir.as_deref());
            let (template, engine) = (&self.shared.options, &self.shared);
            let registered: Vec<_> = self.reading(|prompts| prompts.all().cloned().collect());
            store::check::check(path, schemas, template, engine, &registered, &options)
        })
        .map(findings)
        .or_raise(py)
    }

    /// Whether [`PyRegistry::insert`] would add the prompt. This registry's engine must have compiled it.
    fn can_insert(&self, prompt: &Bound<'_, CompiledPrompt>) -> PyResult<bool> {
        let compiled = &prompt.get().compiled;
        compiled.prompt().check_storable().or_raise(prompt.py())?;
        self.reading(|prompts| prompts.can_insert(compiled.prompt())).or_raise(prompt.py())
    }

    /// Adds a prompt, and returns whether it did. This registry's engine must have compiled it.
    fn insert(&self, prompt: &Bound<'_, CompiledPrompt>) -> PyResult<bool> {
        let compiled = Self::storable(prompt)?;
        let id = compiled.prompt().id.clone();
        self.writing(prompt.py(), &[id.as_str()], |prompts| prompts.insert(compiled)).or_raise(prompt.py())
    }

    /// Adds a prompt. If it already exists with the same content, updates its status and metadata.
    fn upsert(&self, prompt: &Bound<'_, CompiledPrompt>) -> PyResult<()> {
        let compiled = Self::storable(prompt)?;
        let id = compiled.prompt().id.clone();
        self.writing(prompt.py(), &[id.as_str()], |prompts| prompts.upsert(compiled)).or_raise(prompt.py())
    }

    /// Raises the error that [`PyRegistry::update`] would raise for the prompt.
    fn can_update(&self, prompt: &Bound<'_, CompiledPrompt>) -> PyResult<()> {
        let compiled = &prompt.get().compiled;
        compiled.prompt().check_storable().or_raise(prompt.py())?;
        self.reading(|prompts| prompts.can_update(compiled.prompt())).or_raise(prompt.py())
    }

    /// Checks that the new number of a raised version is free, or that an earlier attempt at the same call has used it.
    fn check_raised(&self, prompt: &Bound<'_, CompiledPrompt>) -> PyResult<()> {
        let compiled = &prompt.get().compiled;
        self.reading(|prompts| prompts.check_raised(compiled.prompt())).or_raise(prompt.py())
    }

    /// Replaces a version that exists.
    fn update(&self, prompt: &Bound<'_, CompiledPrompt>) -> PyResult<()> {
        let compiled = Self::storable(prompt)?;
        let id = compiled.prompt().id.clone();
        self.writing(prompt.py(), &[id.as_str()], |prompts| prompts.update(compiled)).or_raise(prompt.py())
    }

    /// Adds prompts, with the moves of their labels by id: all of them, or none if one is refused.
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn upsert_all(
        &self,
        py: Python<'_>,
        prompts: Vec<Bound<'_, CompiledPrompt>>,
        moves: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let moves: BTreeMap<String, Vec<LabelMove>> = pythonize::depythonize(moves)?;
        let compiled = prompts.iter().map(Self::storable).collect::<PyResult<Vec<_>>>()?;
        let ids: Vec<_> = compiled.iter().map(|each| each.prompt().id.clone()).collect();
        let ids: Vec<&str> = ids.iter().map(PromptId::as_str).collect();
        let kept = self.writing(py, &ids, |prompts| {
            compiled.iter().try_for_each(|each| prompts.can_insert(each.prompt()).map(|_| ()))?;
            compiled.into_iter().try_for_each(|each| prompts.upsert(each))?;
            moves.into_iter().try_for_each(|(id, moves)| prompts.set_labels(&id, Labels::new(moves)))
        });
        kept.or_raise(py)
    }

    /// Removes one version or all. Returns the moves that removed its labels.
    #[pyo3(signature = (id, version = None))]
    fn remove<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let off = self.writing(py, &[id], |prompts| prompts.remove(id, version)).or_raise(py)?;
        Ok(pythonize::pythonize(py, &off)?)
    }

    /// Moves a label, or removes it without a version. Returns the move.
    fn set_label<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::label)] label: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_metadata)] author: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let made = self.writing(py, &[id], |prompts| prompts.set_label(id, label, version, author));
        Ok(pythonize::pythonize(py, &made.or_raise(py)?)?)
    }

    /// Raises the error that [`PyRegistry::set_label`] would raise for this move.
    fn can_set_label(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::label)] label: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
    ) -> PyResult<()> {
        self.reading(|prompts| prompts.can_set_label(id, label, version).map(|_| ())).or_raise(py)
    }

    /// Records a move that a storage has made.
    fn record_label_move(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        made: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let made: LabelMove = pythonize::depythonize(made)?;
        self.writing(py, &[id], |prompts| prompts.record_label_move(id, made)).or_raise(py)
    }

    /// The moves of one label of a prompt, or of all labels, oldest first.
    #[pyo3(signature = (id, label = None))]
    fn moves<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let moves = self.reading(|prompts| prompts.labels(id).map(|labels| labels.history(label)));
        Ok(pythonize::pythonize(py, &moves.or_raise(py)?)?)
    }

    /// The version to which a rollback moves a label that has these moves.
    fn rollback_target(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::label)] label: &str,
        moves: &Bound<'_, PyAny>,
        stored: Option<Vec<String>>,
    ) -> PyResult<String> {
        let moves = Labels::new(pythonize::depythonize(moves)?);
        let before = match stored {
            Some(stored) => moves.rollback_target(id, label, |version| stored.contains(&version.to_string())),
            None => self.reading(|prompts| prompts.rollback_target(id, label, &moves)),
        };
        let before = before.or_raise(py)?;
        Ok(before.to_string())
    }

    #[pyo3(signature = (id, *, version = None, label = None))]
    fn get(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<&str>,
    ) -> PyResult<CompiledPrompt> {
        self.find(py, id, which(version, label)?)
    }

    /// The pydantic `Prompt` of a version. It is created at the first call. Later calls return the same object, until
    /// the version is replaced, labelled or removed.
    #[pyo3(signature = (id, *, version = None, label = None))]
    fn prompt<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        face(py, &self.compiled(py, id, which(version, label)?)?, &self.origin)
    }

    /// The latest version of each prompt, sorted by id. Prompts whose versions are all archived are left out.
    fn latest(&self) -> Vec<CompiledPrompt> {
        self.reading(|prompts| {
            prompts.find(&SearchFilter::default()).map(|compiled| self.handle(compiled)).collect()
        })
    }

    /// The latest version of each prompt, or with a label the version that it points at, if it meets the conditions.
    /// Sorted by id.
    #[pyo3(signature = (query, *, offset, limit))]
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn search(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = SearchQuery::extract)] query: SearchQuery,
        offset: usize,
        limit: Option<usize>,
    ) -> PyResult<Vec<CompiledPrompt>> {
        let filter = query.filter().or_raise(py)?;
        self.refresh_for(py, VersionSelector::Latest);
        Ok(self.reading(|prompts| {
            let found = prompts.find(&filter).skip(offset).take(limit.unwrap_or(usize::MAX));
            found.map(|compiled| self.handle(compiled)).collect()
        }))
    }

    /// The number of prompts that [`PyRegistry::search`] finds.
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn count(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = SearchQuery::extract)] query: SearchQuery,
    ) -> PyResult<usize> {
        let filter = query.filter().or_raise(py)?;
        self.refresh_for(py, VersionSelector::Latest);
        Ok(self.reading(|prompts| prompts.find(&filter).count()))
    }

    /// The number of ids, the number of versions, and the number of ids by the status of their latest version.
    fn stats(&self) -> (usize, usize, BTreeMap<&'static str, usize>) {
        self.reading(|prompts| {
            let mut statuses = BTreeMap::new();
            for status in prompts.statuses() {
                *statuses.entry(status.as_str()).or_default() += 1;
            }
            (prompts.len(), prompts.all().count(), statuses)
        })
    }

    /// All ids, sorted.
    fn ids(&self) -> Vec<String> {
        self.reading(|prompts| prompts.ids().map(ToString::to_string).collect())
    }

    /// All versions of all prompts, sorted by id and version.
    fn all(&self) -> Vec<CompiledPrompt> {
        self.reading(|prompts| prompts.all().map(|compiled| self.handle(compiled)).collect())
    }

    /// The versions of a prompt, lowest first.
    fn versions(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
    ) -> PyResult<Vec<String>> {
        let versions = |prompts: &store::Registry<PyText>| {
            Ok(prompts.versions(id)?.keys().map(ToString::to_string).collect())
        };
        self.reading(versions).or_raise(py)
    }

    #[pyo3(signature = (id, version = None))]
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn contains(
        &self,
        #[pyo3(from_py_with = arguments::lookup)] id: String,
        #[pyo3(from_py_with = arguments::optional_lookup)] version: Option<String>,
    ) -> bool {
        self.reading(|prompts| prompts.contains(&id, version.as_deref()))
    }

    fn __len__(&self) -> usize {
        self.reading(store::Registry::len)
    }

    #[pyo3(signature = (id, variables, *, version = None, label = None, output_instructions = true))]
    fn render<'py>(
        &self,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        variables: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<&str>,
        output_instructions: bool,
    ) -> PyResult<Bound<'py, PyString>> {
        // No `CompiledPrompt` is created here, because it would count three more references.
        let compiled = self.compiled(variables.py(), id, which(version, label)?)?;
        self.text_of(&compiled, variables, output_instructions)
    }

    #[pyo3(signature = (id, variables, *, version = None, label = None, output_instructions = true))]
    fn render_messages<'py>(
        &self,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        variables: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<&str>,
        output_instructions: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.find(variables.py(), id, which(version, label)?)?.render_messages(variables, output_instructions)
    }
}
