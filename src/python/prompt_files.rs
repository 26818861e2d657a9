//! Reads prompt files for `YAMLLoader`.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use super::arguments;
use super::check::{PyFinding, findings};
use super::error::OrRaise;
use super::library::EngineState;
use super::prompt::{CompiledPrompt, PromptOrigin};
use super::registry::is_skip;
use super::runtime::{detached, on_thread};
use super::schema::PySchemas;
use super::template::Engine;
use super::text::PyText;
use crate::prompt::AboutFile;
use crate::store::directory::{self, LoadedDirectory};

/// Reads the prompts of a file or directory. Returns the files, each with its version, metadata and prompts, the warnings,
/// and the schemas of the directory.
#[pyfunction]
#[pyo3(signature = (path, engine, *, on_error))]
pub fn read_prompts_sync<'py>(
    #[pyo3(from_py_with = arguments::path)] path: PathBuf,
    engine: &Bound<'py, Engine>,
    #[pyo3(from_py_with = arguments::option)] on_error: &str,
) -> PyResult<LoadedPromptFiles<'py>> {
    let py = engine.py();
    let read = ReadRequest::new(path, engine, on_error)?;
    let (loaded, warnings, origin) = detached(py, || read.run()).or_raise(py)?;
    Ok((files(py, loaded, &origin)?, warnings, PySchemas::of(&origin.schemas)))
}

/// The coroutine of [`read_prompts_sync`].
#[pyfunction]
#[pyo3(signature = (path, engine, *, on_error))]
pub fn read_prompts<'py>(
    #[pyo3(from_py_with = arguments::path)] path: PathBuf,
    engine: &Bound<'py, Engine>,
    #[pyo3(from_py_with = arguments::option)] on_error: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let read = ReadRequest::new(path, engine, on_error)?;
    on_thread(engine.py(), move || {
        let read = read.run();
        Python::attach(|py| {
            let (loaded, warnings, origin) = read.or_raise(py)?;
            let files = files(py, loaded, &origin)?
                .into_iter()
                .map(|(version, metadata, prompts)| (version, metadata.map(Bound::unbind), prompts));
            Ok((files.collect::<Vec<_>>(), warnings, PySchemas::of(&origin.schemas)))
        })
    })
}

/// The version of a file, its metadata and its prompts.
type LoadedPromptFile<'py> = (Option<String>, Option<Bound<'py, PyAny>>, Vec<CompiledPrompt>);

/// The files, the warnings, and the schemas.
type LoadedPromptFiles<'py> = (Vec<LoadedPromptFile<'py>>, Vec<PyFinding>, PySchemas);

/// The arguments of a read, converted.
struct ReadRequest {
    path: PathBuf,
    skip: bool,
    shared: Arc<EngineState>,
}

impl ReadRequest {
    /// Converts the arguments.
    fn new(path: PathBuf, engine: &Bound<'_, Engine>, on_error: &str) -> PyResult<Self> {
        Ok(Self { path, skip: is_skip(on_error)?, shared: Arc::clone(&engine.get().shared) })
    }

    /// Reads the files. The origin of their prompts has the schemas of the directory.
    fn run(&self) -> crate::Result<(LoadedDirectory<PyText>, Vec<PyFinding>, Arc<PromptOrigin>)> {
        let Self { path, skip, shared } = self;
        let mut loaded = if path.is_dir() {
            directory::load(path, None, &shared.options, shared)?
        } else {
            directory::load_file(path, &shared.options, shared)
        };
        let warnings = loaded.findings(*skip);
        if let Some(error) = loaded.error(path).filter(|_| !skip) {
            return Err(error);
        }
        let origin = PromptOrigin::of_files(shared);
        origin.schemas.write().add(std::mem::take(&mut loaded.schemas))?;
        shared.put_loaded(path, std::mem::take(&mut loaded.partials), false);
        Ok((loaded, findings(warnings), Arc::new(origin)))
    }
}

/// Groups the prompts by file, in the order of the files.
fn files<'py>(
    py: Python<'py>,
    loaded: LoadedDirectory<PyText>,
    origin: &Arc<PromptOrigin>,
) -> PyResult<Vec<LoadedPromptFile<'py>>> {
    let has_schemas = origin.schemas.read().names().next().is_some();
    let mut files: Vec<LoadedPromptFile<'py>> = Vec::new();
    let mut last = None;
    for (compiled, place) in loaded.prompts.into_iter().zip(loaded.places) {
        let prompt = if has_schemas {
            CompiledPrompt::of_registry(&compiled, origin)
        } else {
            CompiledPrompt::alone(compiled, &origin.shared)
        };
        if let Some(file) = files.last_mut().filter(|_| last == place.name) {
            file.2.push(prompt);
            continue;
        }
        let about_file = place.name.as_ref().and_then(|name| loaded.about.get(name));
        let AboutFile { version, metadata } = about_file.cloned().unwrap_or_default();
        let metadata = (!metadata.is_empty()).then(|| pythonize::pythonize(py, metadata.as_map()));
        files.push((version, metadata.transpose()?, vec![prompt]));
        last = place.name;
    }
    Ok(files)
}
