//! `FileStore` and `MemoryStore`, the storages of prompts. Prompts are passed as plain data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use serde::Serialize;
use serde_json::Value;

use super::arguments;
use super::error::{OrRaise, raise};
use super::prompt::read_prompt;
use super::runtime::{detached, in_turn, in_turn_sync, on_thread};
use crate::error::{Error, Kind};
use crate::prompt::Prompt;
use crate::store::encoding::Encoding;
use crate::store::file::FileStore;
use crate::store::memory::MemoryStore;
use crate::store::queue::{Access, WorkQueue};
use crate::store::{LabelMove, Labels, ListFilter, StoredPrompts, UnmanagedFile, yaml_write};

/// A value that becomes dicts, lists, strings and numbers of Python.
pub(super) struct PlainData(Value);

impl PlainData {
    pub(super) fn of(value: &impl Serialize) -> crate::Result<Self> {
        serde_json::to_value(value).map(Self).map_err(|error| Error::new(Kind::Prompt, error.to_string()))
    }

    pub(super) fn each<'a, T: Serialize + 'a>(
        values: impl IntoIterator<Item = &'a T>,
    ) -> crate::Result<Vec<Self>> {
        values.into_iter().map(Self::of).collect()
    }
}

impl<'py> IntoPyObject<'py> for PlainData {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        Ok(pythonize::pythonize(py, &self.0)?)
    }
}

/// Errors that are returned as exceptions, and not raised.
struct ErrorList(Vec<Error>);

impl<'py> IntoPyObject<'py> for ErrorList {
    type Target = PyList;
    type Output = Bound<'py, PyList>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let list = PyList::empty(py);
        for error in &self.0 {
            list.append(raise(py, error).into_value(py))?;
        }
        Ok(list)
    }
}

/// A prompt, and warnings.
type LoadedPrompt = (PlainData, Vec<String>);
/// Prompts, and warnings.
type PromptList = (Vec<PlainData>, Vec<String>);
/// Path, id, version, and whether the two are valid.
type UnmanagedFileInfo = (PathBuf, String, String, bool);

fn listed(kept: StoredPrompts) -> crate::Result<PromptList> {
    let mut warnings = kept.warnings;
    warnings.extend(kept.errors.iter().map(Error::report));
    Ok((PlainData::each(&kept.prompts)?, warnings))
}

fn wanted(py: Python<'_>, tags: Vec<String>, status: Option<&str>) -> PyResult<ListFilter> {
    Ok(ListFilter { tags, status: status.map(str::parse).transpose().or_raise(py)? })
}

/// Prompts in files. Its calls run in the order in which they are made.
#[pyclass(frozen, name = "FileStore", module = "prompt_manager._native")]
pub struct PyFileStore {
    store: Arc<FileStore>,
    queue: WorkQueue,
}

impl PyFileStore {
    /// The store in the core.
    pub(super) fn shared(&self) -> Arc<FileStore> {
        Arc::clone(&self.store)
    }

    fn in_turn<'py, R>(
        &self,
        py: Python<'py>,
        access: Access,
        work: impl FnOnce(&FileStore) -> crate::Result<R> + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>>
    where
        R: for<'p> IntoPyObject<'p> + Send + 'static,
    {
        let store = Arc::clone(&self.store);
        in_turn(py, &self.queue, access, move || work(&store))
    }

    fn in_turn_sync<R: Send>(
        &self,
        py: Python<'_>,
        access: Access,
        work: impl FnOnce(&FileStore) -> crate::Result<R> + Send,
    ) -> PyResult<R> {
        in_turn_sync(py, &self.queue, access, || work(&self.store))
    }
}

fn load(store: &FileStore, id: &str, version: Option<&str>) -> crate::Result<LoadedPrompt> {
    let given = store.load(id, version)?;
    Ok((PlainData::of(&given.prompt)?, given.warnings))
}

fn label_history(store: &FileStore, id: &str, label: Option<&str>) -> crate::Result<Vec<PlainData>> {
    PlainData::each(&store.label_history(id, label)?)
}

fn check(store: &FileStore) -> crate::Result<ErrorList> {
    Ok(ErrorList(store.list(&ListFilter::default())?.errors))
}

fn unmanaged_files(
    store: &FileStore,
    source: Option<&Path>,
) -> crate::Result<(Vec<UnmanagedFileInfo>, Vec<String>)> {
    let (found, errors) = store.unmanaged_files(source)?;
    let found =
        found.into_iter().map(|UnmanagedFile { path, id, version, is_valid }| (path, id, version, is_valid));
    Ok((found.collect(), errors.iter().map(Error::report).collect()))
}

#[pymethods]
impl PyFileStore {
    #[new]
    #[pyo3(signature = (path, *, format, create, lock_timeout))]
    fn new(
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::option)] format: &str,
        create: bool,
        lock_timeout: f64,
    ) -> PyResult<Self> {
        let encoding = match format {
            "json" => Encoding::Json,
            "yaml" => Encoding::Yaml,
            other => {
                return Err(PyValueError::new_err(format!("format must be 'json' or 'yaml', not '{other}'")));
            }
        };
        let lock_timeout = Duration::try_from_secs_f64(lock_timeout)
            .map_err(|_| PyValueError::new_err("lock_timeout must be a number of seconds, not negative"))?;
        let store = FileStore::new(path, encoding, create).with_lock_timeout(lock_timeout);
        Ok(Self { store: Arc::new(store), queue: WorkQueue::default() })
    }

    fn save_sync(&self, prompt: &Bound<'_, PyAny>) -> PyResult<()> {
        let read = read_prompt(prompt)?;
        self.in_turn_sync(prompt.py(), Access::Write, |store| store.save(&read))
    }

    fn save<'py>(&self, prompt: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let read = read_prompt(prompt)?;
        self.in_turn(prompt.py(), Access::Write, move |store| store.save(&read))
    }

    fn load_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
    ) -> PyResult<LoadedPrompt> {
        self.in_turn_sync(py, Access::Read, |store| load(store, id, version))
    }

    fn load<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Read, move |store| load(store, &id, version.as_deref()))
    }

    fn delete_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
    ) -> PyResult<()> {
        self.in_turn_sync(py, Access::Write, |store| store.delete(id, version))
    }

    fn delete<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Write, move |store| store.delete(&id, version.as_deref()))
    }

    fn list_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::texts)] tags: Vec<String>,
        #[pyo3(from_py_with = arguments::optional_metadata)] status: Option<&str>,
    ) -> PyResult<PromptList> {
        let wanted = wanted(py, tags, status)?;
        self.in_turn_sync(py, Access::Read, |store| store.list(&wanted).and_then(listed))
    }

    fn list<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::texts)] tags: Vec<String>,
        #[pyo3(from_py_with = arguments::optional_metadata)] status: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let wanted = wanted(py, tags, status)?;
        self.in_turn(py, Access::Read, move |store| store.list(&wanted).and_then(listed))
    }

    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn exists_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::lookup)] id: String,
        #[pyo3(from_py_with = arguments::optional_lookup)] version: Option<String>,
    ) -> PyResult<bool> {
        self.in_turn_sync(py, Access::Read, |store| store.exists(&id, version.as_deref()))
    }

    fn exists<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::lookup)] id: String,
        #[pyo3(from_py_with = arguments::optional_lookup)] version: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Read, move |store| store.exists(&id, version.as_deref()))
    }

    fn set_label_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::label)] label: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_metadata)] author: Option<&str>,
    ) -> PyResult<PlainData> {
        self.in_turn_sync(py, Access::Write, |store| {
            PlainData::of(&store.set_label(id, label, version, author)?)
        })
    }

    fn set_label<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::label)] label: String,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<String>,
        #[pyo3(from_py_with = arguments::optional_metadata)] author: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Write, move |store| {
            PlainData::of(&store.set_label(&id, &label, version.as_deref(), author.as_deref())?)
        })
    }

    fn label_history_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<&str>,
    ) -> PyResult<Vec<PlainData>> {
        self.in_turn_sync(py, Access::Read, |store| label_history(store, id, label))
    }

    fn label_history<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Read, move |store| label_history(store, &id, label.as_deref()))
    }

    /// A text that differs after each change, or `None` if the store cannot tell.
    fn generation_sync(&self, py: Python<'_>) -> Option<String> {
        detached(py, || self.store.generation())
    }

    fn generation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let store = Arc::clone(&self.store);
        on_thread(py, move || Ok(store.generation()))
    }

    /// The problems of the files, as exceptions.
    fn check_sync(&self, py: Python<'_>) -> PyResult<ErrorList> {
        self.in_turn_sync(py, Access::Read, check)
    }

    fn check<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Read, check)
    }

    /// Files that are not where this store saves them, and the problems of files that cannot be read.
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn unmanaged_files_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::optional_path)] source: Option<PathBuf>,
    ) -> PyResult<(Vec<UnmanagedFileInfo>, Vec<String>)> {
        self.in_turn_sync(py, Access::Read, |store| unmanaged_files(store, source.as_deref()))
    }

    fn unmanaged_files<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::optional_path)] source: Option<PathBuf>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Read, move |store| unmanaged_files(store, source.as_deref()))
    }

    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn adopt_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::version)] version: &str,
        take: bool,
    ) -> PyResult<()> {
        self.in_turn_sync(py, Access::Write, |store| store.adopt(&path, id, version, take))
    }

    fn adopt<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::version)] version: String,
        take: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Write, move |store| store.adopt(&path, &id, &version, take))
    }
}

/// Prompts in memory.
#[pyclass(frozen, name = "MemoryStore", module = "prompt_manager._native")]
pub struct PyMemoryStore {
    store: Mutex<MemoryStore>,
}

impl PyMemoryStore {
    /// Runs `work` under the lock. It must not call Python, which could wait for a thread that waits for the lock.
    fn with<R>(&self, work: impl FnOnce(&mut MemoryStore) -> R) -> R {
        work(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl PyMemoryStore {
    #[new]
    fn new() -> Self {
        Self { store: Mutex::default() }
    }

    fn save_sync(&self, prompt: &Bound<'_, PyAny>) -> PyResult<()> {
        let read = read_prompt(prompt)?;
        self.with(|store| store.save(&read)).or_raise(prompt.py())
    }

    fn load_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
    ) -> PyResult<LoadedPrompt> {
        let prompt: Prompt = self.with(|store| store.load(id, version)).or_raise(py)?;
        Ok((PlainData::of(&prompt).or_raise(py)?, Vec::new()))
    }

    fn delete_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
    ) -> PyResult<()> {
        self.with(|store| store.delete(id, version)).or_raise(py)
    }

    fn list_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::texts)] tags: Vec<String>,
        #[pyo3(from_py_with = arguments::optional_metadata)] status: Option<&str>,
    ) -> PyResult<PromptList> {
        let wanted: ListFilter = wanted(py, tags, status)?;
        let prompts = self.with(|store| store.list(&wanted));
        Ok((PlainData::each(&prompts).or_raise(py)?, Vec::new()))
    }

    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn exists_sync(
        &self,
        #[pyo3(from_py_with = arguments::lookup)] id: String,
        #[pyo3(from_py_with = arguments::optional_lookup)] version: Option<String>,
    ) -> bool {
        self.with(|store| store.exists(&id, version.as_deref()))
    }

    fn set_label_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::label)] label: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_metadata)] author: Option<&str>,
    ) -> PyResult<PlainData> {
        let moved = self.with(|store| store.set_label(id, label, version, author)).or_raise(py)?;
        PlainData::of(&moved).or_raise(py)
    }

    /// The prompts as they were saved, and the moves of their labels by id.
    fn state(&self, py: Python<'_>) -> PyResult<(Vec<PlainData>, PlainData)> {
        let plain = |store: &mut MemoryStore| {
            let (prompts, labels) = store.state();
            let moves: BTreeMap<&str, Vec<LabelMove>> =
                labels.iter().map(|(id, labels)| (id.as_str(), labels.history(None))).collect();
            Ok((PlainData::each(prompts)?, PlainData::of(&moves)?))
        };
        self.with(plain).or_raise(py)
    }

    /// Puts back what [`PyMemoryStore::state`] returned.
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn restore(&self, prompts: Vec<Bound<'_, PyAny>>, moves: &Bound<'_, PyAny>) -> PyResult<()> {
        let prompts = prompts.iter().map(read_prompt).collect::<PyResult<Vec<_>>>()?;
        let moves: BTreeMap<String, Vec<LabelMove>> = pythonize::depythonize(moves)?;
        let labels = moves.into_iter().map(|(id, moves)| (id, Labels::new(moves))).collect();
        self.with(|store| store.restore(prompts, labels));
        Ok(())
    }

    /// A number that is greater after each change.
    fn generation_sync(&self) -> u64 {
        self.with(|store| store.generation())
    }

    fn label_history_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<&str>,
    ) -> PyResult<Vec<PlainData>> {
        let moves = self.with(|store| store.label_history(id, label)).or_raise(py)?;
        PlainData::each(&moves).or_raise(py)
    }
}

/// A prompt that Python built, as the text of a YAML file.
#[pyfunction]
pub(super) fn prompt_yaml(prompt: &Bound<'_, PyAny>) -> PyResult<String> {
    let (py, read) = (prompt.py(), read_prompt(prompt)?);
    detached(py, || yaml_write::write_prompt(&read)).or_raise(py)
}
