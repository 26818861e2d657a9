//! `Registry`: the prompts that a manager holds.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::error::{OrRaise, raise};
use super::prompt::CompiledPrompt;
use super::runtime::on_thread;
use super::template::{Engine, Shared};
use super::text::PyText;
use crate::prompt::Compiled;
use crate::store::directory::{self, Loaded};
use crate::store::{self, Which};

pub(super) type Prompts = RwLock<store::Registry<PyText>>;

/// Compiled prompts by id and version.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct Registry {
    pub(super) prompts: Arc<Prompts>,
    pub(super) shared: Arc<Shared>,
}

fn which<'a>(version: Option<&'a str>, label: Option<&'a str>) -> PyResult<Which<'a>> {
    match (version, label) {
        (None, None) => Ok(Which::Latest),
        (Some(version), None) => Ok(Which::Version(version)),
        (None, Some(label)) => Ok(Which::Label(label)),
        (Some(_), Some(_)) => Err(PyValueError::new_err("give a version or a label, not both")),
    }
}

impl Registry {
    /// Reads under the lock. Nothing in `read` may run Python code, which could wait for a thread that waits for the
    /// lock; so errors of the core are raised only after it.
    fn reading<R>(&self, read: impl FnOnce(&store::Registry<PyText>) -> R) -> R {
        read(&self.prompts.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes under the lock; see [`Registry::reading`].
    fn writing<R>(&self, write: impl FnOnce(&mut store::Registry<PyText>) -> R) -> R {
        write(&mut self.prompts.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn find(&self, py: Python<'_>, id: &str, which: Which<'_>) -> PyResult<CompiledPrompt> {
        let compiled = self.reading(|prompts| prompts.get(id, which).map(Arc::clone));
        Ok(CompiledPrompt { compiled: compiled.or_raise(py)?, shared: Arc::clone(&self.shared) })
    }

    fn handle(&self, compiled: &Arc<Compiled<PyText>>) -> CompiledPrompt {
        CompiledPrompt { compiled: Arc::clone(compiled), shared: Arc::clone(&self.shared) }
    }
}

/// Whether bad files are to be warned of instead of refused.
pub(super) fn is_skip(on_error: &str) -> PyResult<bool> {
    match on_error {
        "raise" => Ok(false),
        "skip" => Ok(true),
        other => Err(PyValueError::new_err(format!("on_error must be 'raise' or 'skip', not {other:?}"))),
    }
}

/// What a load is asked for.
struct Load {
    path: PathBuf,
    schemas: Option<PathBuf>,
    /// Whether bad files are warned of instead of refused.
    skip: bool,
    prompts: Arc<Prompts>,
    shared: Arc<Shared>,
}

impl Load {
    /// Loads the directory into the registry; gives what to warn of.
    fn run(self) -> crate::Result<Vec<String>> {
        let mut loaded: Loaded<PyText> =
            directory::load(&self.path, self.schemas.as_deref(), &self.shared.options, &self.shared)?;
        let mut warnings = std::mem::take(&mut loaded.warnings);
        if self.skip {
            warnings.extend(loaded.errors.iter().map(crate::Error::report));
        } else if let Some(error) = loaded.error(&self.path) {
            return Err(error);
        }
        let mut prompts = self.prompts.write().unwrap_or_else(PoisonError::into_inner);
        for compiled in loaded.prompts {
            prompts.insert(Arc::new(compiled))?;
        }
        Ok(warnings)
    }
}

impl Registry {
    fn load(&self, path: PathBuf, schemas: Option<PathBuf>, on_error: &str) -> PyResult<Load> {
        let skip = is_skip(on_error)?;
        Ok(Load { path, schemas, skip, prompts: Arc::clone(&self.prompts), shared: Arc::clone(&self.shared) })
    }
}

#[pymethods]
impl Registry {
    #[new]
    fn new(engine: &Bound<'_, Engine>) -> Self {
        Self { prompts: Arc::default(), shared: Arc::clone(&engine.get().shared) }
    }

    #[pyo3(signature = (path, *, schema_dir, on_error))]
    fn load_directory_sync(
        &self,
        py: Python<'_>,
        path: PathBuf,
        schema_dir: Option<PathBuf>,
        on_error: &str,
    ) -> PyResult<Vec<String>> {
        let load = self.load(path, schema_dir, on_error)?;
        py.detach(|| load.run()).or_raise(py)
    }

    #[pyo3(signature = (path, *, schema_dir, on_error))]
    fn load_directory<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        schema_dir: Option<PathBuf>,
        on_error: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let load = self.load(path, schema_dir, on_error)?;
        on_thread(py, move || load.run().map_err(|error| Python::attach(|py| raise(py, &error))))
    }

    /// [`Registry::insert`], which gives the draft that was replaced.
    fn replace(&self, prompt: &Bound<'_, CompiledPrompt>) -> PyResult<Option<CompiledPrompt>> {
        let compiled = Arc::clone(&prompt.get().compiled);
        compiled.check_storable().or_raise(prompt.py())?;
        let before = self.writing(|prompts| prompts.insert(compiled)).or_raise(prompt.py())?;
        Ok(before.map(|before| self.handle(&before)))
    }

    /// Takes back what [`Registry::replace`] did, unless the prompt was replaced since.
    #[pyo3(signature = (prompt, before))]
    fn restore(&self, prompt: &Bound<'_, CompiledPrompt>, before: Option<&Bound<'_, CompiledPrompt>>) {
        let before = before.map(|before| Arc::clone(&before.get().compiled));
        self.writing(|prompts| prompts.restore(&prompt.get().compiled, before));
    }

    /// Adds a prompt that this registry's engine compiled.
    fn insert(&self, prompt: &Bound<'_, CompiledPrompt>) -> PyResult<()> {
        let compiled = Arc::clone(&prompt.get().compiled);
        compiled.check_storable().or_raise(prompt.py())?;
        self.writing(|prompts| prompts.insert(compiled)).or_raise(prompt.py()).map(|_| ())
    }

    #[pyo3(signature = (id, version = None))]
    fn remove(&self, py: Python<'_>, id: &str, version: Option<&str>) -> PyResult<()> {
        self.writing(|prompts| prompts.remove(id, version)).or_raise(py)
    }

    #[pyo3(signature = (id, *, version = None, label = None))]
    fn get(
        &self,
        py: Python<'_>,
        id: &str,
        version: Option<&str>,
        label: Option<&str>,
    ) -> PyResult<CompiledPrompt> {
        self.find(py, id, which(version, label)?)
    }

    /// The latest version of every prompt that has one in use, by id.
    fn latest(&self) -> Vec<CompiledPrompt> {
        self.reading(|prompts| prompts.latest().into_iter().map(|compiled| self.handle(compiled)).collect())
    }

    /// Every version of every prompt, by id and version.
    fn all(&self) -> Vec<CompiledPrompt> {
        self.reading(|prompts| prompts.all().into_iter().map(|compiled| self.handle(compiled)).collect())
    }

    /// The versions of a prompt, the lowest first.
    fn versions(&self, py: Python<'_>, id: &str) -> PyResult<Vec<String>> {
        let versions = |prompts: &store::Registry<PyText>| {
            Ok(prompts.versions(id)?.keys().map(ToString::to_string).collect())
        };
        self.reading(versions).or_raise(py)
    }

    #[pyo3(signature = (id, version = None))]
    fn contains(&self, id: &str, version: Option<&str>) -> bool {
        self.reading(|prompts| prompts.contains(id, version))
    }

    fn __len__(&self) -> usize {
        self.reading(store::Registry::len)
    }

    #[pyo3(signature = (id, variables, *, version = None, label = None))]
    fn render<'py>(
        &self,
        id: &str,
        variables: &Bound<'py, PyAny>,
        version: Option<&str>,
        label: Option<&str>,
    ) -> PyResult<Bound<'py, PyString>> {
        self.find(variables.py(), id, which(version, label)?)?.render(variables)
    }

    #[pyo3(signature = (id, variables, *, version = None, label = None))]
    fn render_messages<'py>(
        &self,
        id: &str,
        variables: &Bound<'py, PyAny>,
        version: Option<&str>,
        label: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.find(variables.py(), id, which(version, label)?)?.render_messages(variables)
    }
}
