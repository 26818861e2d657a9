//! Comparing versions, raising them, and their history.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::error::{OrRaise, raise};
use super::prompt::CompiledPrompt;
use super::runtime;
use crate::error::{Error, Kind};
use crate::prompt::{Bump, Version};
use crate::store;
use crate::store::history;

/// What differs between two prompts, as plain data, with the text for people under `text`.
#[pyfunction]
pub(super) fn diff<'py>(
    old: &Bound<'py, CompiledPrompt>,
    new: &Bound<'py, CompiledPrompt>,
) -> PyResult<Bound<'py, PyAny>> {
    let diff = store::diff::diff(&old.get().compiled, &new.get().compiled);
    let found = pythonize::pythonize(old.py(), &diff)?;
    found.set_item("text", diff.to_string())?;
    Ok(found)
}

/// The version that follows this one: raised by a person, or for a change that was found to be so large.
#[pyfunction]
#[pyo3(signature = (version, bump, *, found))]
pub(super) fn raise_version(py: Python<'_>, version: &str, bump: &str, found: bool) -> PyResult<String> {
    let raised = version.parse::<Version>().and_then(|version| {
        let bump: Bump = bump.parse()?;
        if found { version.follow(bump) } else { version.raise(bump) }
    });
    raised.or_raise(py).map(|version| version.to_string())
}

/// An awaitable for what a function gives that waits for a disk.
#[pyfunction]
#[pyo3(signature = (function, *arguments))]
pub(super) fn on_thread(
    py: Python<'_>,
    function: Py<PyAny>,
    arguments: Py<PyTuple>,
) -> PyResult<Bound<'_, PyAny>> {
    runtime::on_thread(py, move || Python::attach(|py| function.call1(py, arguments.bind(py))))
}

/// The records of versions, in memory or in files. Its calls wait for the disk.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct History {
    history: history::History,
}

#[pymethods]
impl History {
    #[new]
    #[pyo3(signature = (path = None))]
    fn new(path: Option<PathBuf>) -> Self {
        Self { history: path.map_or_else(history::History::in_memory, history::History::in_files) }
    }

    fn save(&self, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = record.py();
        let record = pythonize::depythonize(record)
            .map_err(|error| raise(py, &Error::new(Kind::PromptInvalid, crate::de::plain(&error))))?;
        py.detach(|| self.history.save(record)).or_raise(py)
    }

    /// The records, the lowest version first, and a text for each file that cannot be read.
    fn records<'py>(&self, py: Python<'py>, id: &str) -> PyResult<(Vec<Bound<'py, PyAny>>, Vec<String>)> {
        let (records, errors) = py.detach(|| self.history.records(id)).or_raise(py)?;
        let records = records.values().map(|record| Ok(pythonize::pythonize(py, record)?));
        Ok((records.collect::<PyResult<_>>()?, errors.iter().map(Error::report).collect()))
    }

    fn get<'py>(&self, py: Python<'py>, id: &str, version: &str) -> PyResult<Bound<'py, PyAny>> {
        let record = py.detach(|| self.history.get(id, version)).or_raise(py)?;
        Ok(pythonize::pythonize(py, &record)?)
    }

    #[pyo3(signature = (id, after, up_to))]
    fn changelog<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        after: Option<&str>,
        up_to: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let records = py.detach(|| self.history.changelog(id, after, up_to)).or_raise(py)?;
        Ok(pythonize::pythonize(py, &records)?)
    }

    fn remove(&self, py: Python<'_>, id: &str, version: Option<&str>) -> PyResult<()> {
        py.detach(|| self.history.remove(id, version)).or_raise(py)
    }

    /// How many records there are; an error that sums up the files that cannot be read.
    fn check(&self, py: Python<'_>) -> PyResult<usize> {
        let checked = py.detach(|| {
            let (mut count, mut wrong) = (0, Vec::new());
            for id in self.history.ids()? {
                let (records, errors) = self.history.records(&id)?;
                count += records.len();
                wrong.extend(errors);
            }
            match wrong.len() {
                0 => Ok(count),
                bad => {
                    Err(Error::new(Kind::StorageRead, format!("{bad} files of the history cannot be read"))
                        .with_errors(wrong))
                }
            }
        });
        checked.or_raise(py)
    }
}
