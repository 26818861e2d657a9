//! Where prompts are written in their files, and how the version there is changed.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use super::arguments;
use super::error::OrRaise;
use super::prompt::CompiledPrompt;
use super::registry::PyRegistry;
use super::runtime::detached;
use super::text::PyText;
use crate::check::{PromptSource, VariableUse, variable_uses};
use crate::error::Place;
use crate::prompt::{PromptId, Version};
use crate::store::directory::{self, LoadedDirectory};
use crate::store::{version_edit, yaml};

/// The id and version of a prompt, and the file, line and column of its id.
type WrittenPrompt = (String, String, String, usize, usize);

/// Where each prompt below a directory is written. Prompts with errors are left out.
#[pyfunction]
#[pyo3(signature = (registry, path, *, schema_dir))]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn prompt_places(
    registry: &Bound<'_, PyRegistry>,
    #[pyo3(from_py_with = arguments::path)] path: PathBuf,
    #[pyo3(from_py_with = arguments::optional_path)] schema_dir: Option<PathBuf>,
) -> PyResult<Vec<WrittenPrompt>> {
    let py = registry.py();
    let shared = Arc::clone(&registry.get().shared);
    let loaded: LoadedDirectory<PyText> =
        detached(py, || directory::load(&path, schema_dir.as_deref(), &shared.options, &shared))
            .or_raise(py)?;
    let prompts = loaded.prompts.iter().zip(loaded.places);
    Ok(prompts
        .map(|(compiled, Place { name, line, column, .. })| {
            let prompt = compiled.prompt();
            (prompt.id.to_string(), prompt.version.to_string(), name.unwrap_or_default(), line, column)
        })
        .collect())
}

/// The name of a variable, the template that uses it, the partial that has the name, and the line and column in the file.
type WrittenUse = (String, String, Option<String>, Option<(usize, usize)>);

/// Where each variable of a prompt is used. `file` is where the prompt is written, if it comes from a file.
#[pyfunction]
#[pyo3(signature = (registry, prompt, *, file))]
pub(super) fn prompt_uses(
    registry: &Bound<'_, PyRegistry>,
    prompt: &Bound<'_, CompiledPrompt>,
    #[pyo3(from_py_with = arguments::optional_path)] file: Option<PathBuf>,
) -> Vec<WrittenUse> {
    let shared = Arc::clone(&registry.get().shared);
    let compiled = Arc::clone(&prompt.get().compiled);
    let uses = detached(prompt.py(), || {
        let read = file.and_then(|file| {
            let bytes = std::fs::read(&file).ok()?;
            Some(yaml::read_authored(
                &file.display().to_string(),
                Some(compiled.prompt().id.as_str()),
                &bytes,
            ))
        });
        let prompts = read.map(|read| read.prompts).unwrap_or_default();
        let written = prompts.iter().find(|located| {
            let (here, loaded) = (&located.prompt, compiled.prompt());
            (&here.id, &here.version) == (&loaded.id, &loaded.version)
        });
        let source = written.map(|located| &located.places as &dyn PromptSource);
        variable_uses(&compiled, &shared, source)
    });
    let place = |place: Place| (place.line, place.column);
    uses.into_iter()
        .map(|VariableUse { name, location, partial, place: at }| (name, location, partial, at.map(place)))
        .collect()
}

/// The content of a prompt file with another version of one of its prompts.
#[pyfunction]
#[pyo3(signature = (file_name, content, prompt_id, version, new_version, *, write_id))]
pub(super) fn with_version(
    py: Python<'_>,
    file_name: &str,
    content: &[u8],
    #[pyo3(from_py_with = arguments::id)] prompt_id: &str,
    #[pyo3(from_py_with = arguments::version)] version: &str,
    #[pyo3(from_py_with = arguments::version)] new_version: &str,
    write_id: bool,
) -> PyResult<Vec<u8>> {
    let edited = detached(py, || {
        let (old, new) = (version.parse::<Version>()?, new_version.parse::<Version>()?);
        version_edit::with_version(file_name, content, &prompt_id.parse::<PromptId>()?, &old, &new, write_id)
    });
    edited.or_raise(py)
}
