//! Reads prompt files for `YAMLLoader`.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use super::arguments;
use super::check::{PyFinding, findings};
use super::error::OrRaise;
use super::library::EngineState;
use super::prompt::CompiledPrompt;
use super::registry::is_skip;
use super::runtime::on_thread;
use super::template::Engine;
use super::text::PyText;
use crate::prompt::AboutFile;
use crate::store::directory::{self, LoadedDirectory};

/// Reads the prompts of a file or directory. Returns the files, each with its version, metadata and prompts, and the
/// warnings.
#[pyfunction]
#[pyo3(signature = (path, engine, *, on_error))]
pub fn read_prompts_sync<'py>(
    #[pyo3(from_py_with = arguments::path)] path: PathBuf,
    engine: &Bound<'py, Engine>,
    #[pyo3(from_py_with = arguments::option)] on_error: &str,
) -> PyResult<(Vec<LoadedPromptFile<'py>>, Vec<PyFinding>)> {
    let py = engine.py();
    let read = ReadRequest::new(path, engine, on_error)?;
    let shared = Arc::clone(&read.shared);
    let (loaded, warnings) = py.detach(|| read.run()).or_raise(py)?;
    Ok((files(py, loaded, &shared)?, warnings))
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

/// The version of a file, its metadata and its prompts.
type LoadedPromptFile<'py> = (Option<String>, Option<Bound<'py, PyAny>>, Vec<CompiledPrompt>);

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

    /// Reads the files.
    fn run(&self) -> crate::Result<(LoadedDirectory<PyText>, Vec<PyFinding>)> {
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
        shared.put_loaded(path, std::mem::take(&mut loaded.partials), false);
        Ok((loaded, findings(warnings)))
    }
}

/// Groups the prompts by file, in the order of the files.
fn files<'py>(
    py: Python<'py>,
    loaded: LoadedDirectory<PyText>,
    shared: &Arc<EngineState>,
) -> PyResult<Vec<LoadedPromptFile<'py>>> {
    let mut files: Vec<LoadedPromptFile<'py>> = Vec::new();
    let mut last = None;
    for (compiled, place) in loaded.prompts.into_iter().zip(loaded.places) {
        let prompt = CompiledPrompt::alone(compiled, shared);
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
