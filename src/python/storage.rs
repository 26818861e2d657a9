//! `FileStore` and `MemoryStore`: where prompts are kept. Prompts come and go as plain data.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use serde::Serialize;
use serde_json::Value;

use super::error::{OrRaise, raise};
use super::prompt::read_prompt;
use super::runtime::on_thread;
use crate::error::{Error, Kind};
use crate::prompt::Prompt;
use crate::store::encoding::Encoding;
use crate::store::{self, Kept, Stranger, Wanted, file, memory, yaml_write};

/// A value that becomes plain data of Python.
struct Plain(Value);

impl Plain {
    fn of(value: &impl Serialize) -> crate::Result<Self> {
        serde_json::to_value(value).map(Self).map_err(|error| Error::new(Kind::Prompt, error.to_string()))
    }

    fn each<T: Serialize>(values: &[T]) -> crate::Result<Vec<Self>> {
        values.iter().map(Self::of).collect()
    }
}

impl<'py> IntoPyObject<'py> for Plain {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        Ok(pythonize::pythonize(py, &self.0)?)
    }
}

/// Errors that are handed out and not raised.
struct Problems(Vec<Error>);

impl<'py> IntoPyObject<'py> for Problems {
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

/// A prompt, and what to warn of.
type Loaded = (Plain, Vec<String>);
/// Prompts, and what to warn of.
type Listed = (Vec<Plain>, Vec<String>);
/// Path, id, version, and whether it could be kept so.
type Found = (PathBuf, String, String, bool);

fn listed(kept: Kept) -> crate::Result<Listed> {
    let mut warnings = kept.warnings;
    warnings.extend(kept.errors.iter().map(Error::report));
    Ok((Plain::each(&kept.prompts)?, warnings))
}

fn wanted(py: Python<'_>, tags: Vec<String>, status: Option<&str>) -> PyResult<Wanted> {
    Ok(Wanted { tags, status: status.map(str::parse).transpose().or_raise(py)? })
}

/// Work for a thread of the runtime.
fn later<'py, R>(
    py: Python<'py>,
    work: impl FnOnce() -> crate::Result<R> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    R: for<'p> IntoPyObject<'p> + Send + 'static,
{
    on_thread(py, move || work().map_err(|error| Python::attach(|py| raise(py, &error))))
}

/// Work for this thread, while others may run Python.
fn now<R: Send>(py: Python<'_>, work: impl FnOnce() -> crate::Result<R> + Send) -> PyResult<R> {
    py.detach(work).or_raise(py)
}

/// Prompts in files.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct FileStore {
    store: Arc<file::FileStore>,
}

/// What a method of the store does, as work that may be done here or on another thread.
impl FileStore {
    fn loading(&self, id: String, version: Option<String>) -> impl FnOnce() -> crate::Result<Loaded> + use<> {
        let store = Arc::clone(&self.store);
        move || {
            let given = store.load(&id, version.as_deref())?;
            Ok((Plain::of(&given.prompt)?, given.warnings))
        }
    }

    fn labelling(
        &self,
        id: String,
        label: String,
        version: Option<String>,
        author: Option<String>,
    ) -> impl FnOnce() -> crate::Result<Plain> + use<> {
        let store = Arc::clone(&self.store);
        move || Plain::of(&store.set_label(&id, &label, version.as_deref(), author.as_deref())?)
    }

    fn recalling(
        &self,
        id: String,
        label: Option<String>,
    ) -> impl FnOnce() -> crate::Result<Vec<Plain>> + use<> {
        let store = Arc::clone(&self.store);
        move || Plain::each(&store.label_history(&id, label.as_deref())?)
    }

    fn checking(&self) -> impl FnOnce() -> crate::Result<Problems> + use<> {
        let store = Arc::clone(&self.store);
        move || Ok(Problems(store.list(&Wanted::default())?.errors))
    }

    fn finding(
        &self,
        source: Option<PathBuf>,
    ) -> impl FnOnce() -> crate::Result<(Vec<Found>, Vec<String>)> + use<> {
        let store = Arc::clone(&self.store);
        move || {
            let (found, errors) = store.strangers(source.as_deref())?;
            let found =
                found.into_iter().map(|Stranger { path, id, version, lawful }| (path, id, version, lawful));
            Ok((found.collect(), errors.iter().map(Error::report).collect()))
        }
    }

    fn adopting(
        &self,
        path: PathBuf,
        id: String,
        version: String,
        take: bool,
    ) -> impl FnOnce() -> crate::Result<()> + use<> {
        let store = Arc::clone(&self.store);
        move || store.adopt(&path, &id, &version, take)
    }
}

#[pymethods]
impl FileStore {
    #[new]
    #[pyo3(signature = (path, *, format, create, lock_timeout))]
    fn new(path: PathBuf, format: &str, create: bool, lock_timeout: f64) -> PyResult<Self> {
        let encoding = match format {
            "json" => Encoding::Json,
            "yaml" => Encoding::Yaml,
            other => {
                return Err(PyValueError::new_err(format!("format must be 'json' or 'yaml', not {other:?}")));
            }
        };
        let patience = Duration::try_from_secs_f64(lock_timeout)
            .map_err(|_| PyValueError::new_err("lock_timeout must be a number of seconds, not negative"))?;
        let store = file::FileStore::new(path, encoding, create).with_patience(patience);
        Ok(Self { store: Arc::new(store) })
    }

    fn save_sync(&self, prompt: &Bound<'_, PyAny>) -> PyResult<()> {
        let read = read_prompt(prompt)?;
        now(prompt.py(), || self.store.save(&read))
    }

    fn save<'py>(&self, prompt: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (store, read) = (Arc::clone(&self.store), read_prompt(prompt)?);
        later(prompt.py(), move || store.save(&read))
    }

    fn load_sync(&self, py: Python<'_>, id: String, version: Option<String>) -> PyResult<Loaded> {
        now(py, self.loading(id, version))
    }

    fn load<'py>(&self, py: Python<'py>, id: String, version: Option<String>) -> PyResult<Bound<'py, PyAny>> {
        later(py, self.loading(id, version))
    }

    fn delete_sync(&self, py: Python<'_>, id: &str, version: Option<&str>) -> PyResult<()> {
        now(py, || self.store.delete(id, version))
    }

    fn delete<'py>(
        &self,
        py: Python<'py>,
        id: String,
        version: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let store = Arc::clone(&self.store);
        later(py, move || store.delete(&id, version.as_deref()))
    }

    fn list_sync(&self, py: Python<'_>, tags: Vec<String>, status: Option<&str>) -> PyResult<Listed> {
        let wanted = wanted(py, tags, status)?;
        now(py, || self.store.list(&wanted).and_then(listed))
    }

    fn list<'py>(
        &self,
        py: Python<'py>,
        tags: Vec<String>,
        status: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (store, wanted) = (Arc::clone(&self.store), wanted(py, tags, status)?);
        later(py, move || store.list(&wanted).and_then(listed))
    }

    fn exists_sync(&self, py: Python<'_>, id: &str, version: Option<&str>) -> PyResult<bool> {
        now(py, || self.store.exists(id, version))
    }

    fn exists<'py>(
        &self,
        py: Python<'py>,
        id: String,
        version: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let store = Arc::clone(&self.store);
        later(py, move || store.exists(&id, version.as_deref()))
    }

    fn set_label_sync(
        &self,
        py: Python<'_>,
        id: String,
        label: String,
        version: Option<String>,
        author: Option<String>,
    ) -> PyResult<Plain> {
        now(py, self.labelling(id, label, version, author))
    }

    fn set_label<'py>(
        &self,
        py: Python<'py>,
        id: String,
        label: String,
        version: Option<String>,
        author: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, self.labelling(id, label, version, author))
    }

    fn label_history_sync(&self, py: Python<'_>, id: String, label: Option<String>) -> PyResult<Vec<Plain>> {
        now(py, self.recalling(id, label))
    }

    fn label_history<'py>(
        &self,
        py: Python<'py>,
        id: String,
        label: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, self.recalling(id, label))
    }

    /// What is wrong with the files, as exceptions.
    fn check_sync(&self, py: Python<'_>) -> PyResult<Problems> {
        now(py, self.checking())
    }

    fn check<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, self.checking())
    }

    /// Files that no store of ours would have written so, and what cannot be read.
    fn strangers_sync(&self, py: Python<'_>, source: Option<PathBuf>) -> PyResult<(Vec<Found>, Vec<String>)> {
        now(py, self.finding(source))
    }

    fn strangers<'py>(&self, py: Python<'py>, source: Option<PathBuf>) -> PyResult<Bound<'py, PyAny>> {
        later(py, self.finding(source))
    }

    fn adopt_sync(
        &self,
        py: Python<'_>,
        path: PathBuf,
        id: String,
        version: String,
        take: bool,
    ) -> PyResult<()> {
        now(py, self.adopting(path, id, version, take))
    }

    fn adopt<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        id: String,
        version: String,
        take: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        later(py, self.adopting(path, id, version, take))
    }
}

/// Prompts in memory.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct MemoryStore {
    store: Mutex<memory::MemoryStore>,
}

impl MemoryStore {
    /// Works under the lock, with nothing of Python's inside, which could wait for a thread that waits for the lock.
    fn with<R>(&self, work: impl FnOnce(&mut memory::MemoryStore) -> R) -> R {
        work(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[pymethods]
impl MemoryStore {
    #[new]
    fn new() -> Self {
        Self { store: Mutex::default() }
    }

    fn save_sync(&self, prompt: &Bound<'_, PyAny>) -> PyResult<()> {
        let read = read_prompt(prompt)?;
        self.with(|store| store.save(&read)).or_raise(prompt.py())
    }

    fn load_sync(&self, py: Python<'_>, id: &str, version: Option<&str>) -> PyResult<Loaded> {
        let prompt: Prompt = self.with(|store| store.load(id, version)).or_raise(py)?;
        Ok((Plain::of(&prompt).or_raise(py)?, Vec::new()))
    }

    fn delete_sync(&self, py: Python<'_>, id: &str, version: Option<&str>) -> PyResult<()> {
        self.with(|store| store.delete(id, version)).or_raise(py)
    }

    fn list_sync(&self, py: Python<'_>, tags: Vec<String>, status: Option<&str>) -> PyResult<Listed> {
        let wanted: store::Wanted = wanted(py, tags, status)?;
        let prompts = self.with(|store| store.list(&wanted));
        Ok((Plain::each(&prompts).or_raise(py)?, Vec::new()))
    }

    fn exists_sync(&self, id: &str, version: Option<&str>) -> bool {
        self.with(|store| store.exists(id, version))
    }

    fn set_label_sync(
        &self,
        py: Python<'_>,
        id: &str,
        label: &str,
        version: Option<&str>,
        author: Option<&str>,
    ) -> PyResult<Plain> {
        let moved = self.with(|store| store.set_label(id, label, version, author)).or_raise(py)?;
        Plain::of(&moved).or_raise(py)
    }

    fn label_history_sync(&self, py: Python<'_>, id: &str, label: Option<&str>) -> PyResult<Vec<Plain>> {
        let moves = self.with(|store| store.label_history(id, label)).or_raise(py)?;
        Plain::each(&moves).or_raise(py)
    }
}

/// A prompt that Python built, as the text of a YAML file.
#[pyfunction]
pub(super) fn prompt_yaml(prompt: &Bound<'_, PyAny>) -> PyResult<String> {
    yaml_write::write_prompt(&read_prompt(prompt)?).or_raise(prompt.py())
}
