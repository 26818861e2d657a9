//! Comparing versions, raising them, and their history.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use super::arguments;
use super::error::{OrRaise, raise};
use super::prompt::CompiledPrompt;
use super::runtime::{in_turn, in_turn_sync};
use super::storage::PlainData;
use crate::error::{Error, Kind};
use crate::prompt::{Bump, Version};
use crate::store;
use crate::store::history::{History, VersionRecord};
use crate::store::queue::{Access, WorkQueue};

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

/// The version that follows this one. `found`: the bump comes from a diff, not from a person.
#[pyfunction]
#[pyo3(signature = (version, bump, *, found))]
pub(super) fn raise_version(
    py: Python<'_>,
    #[pyo3(from_py_with = arguments::version)] version: &str,
    #[pyo3(from_py_with = arguments::option)] bump: &str,
    found: bool,
) -> PyResult<String> {
    let raised = version.parse::<Version>().and_then(|version| {
        let bump: Bump = bump.parse()?;
        if found { version.raise_for_change(bump) } else { version.raise(bump) }
    });
    raised.or_raise(py).map(|version| version.to_string())
}

/// The records of versions, in memory or in files. Calls run in the order in which they are made.
#[pyclass(frozen, name = "History", module = "prompt_manager._native")]
pub struct PyHistory {
    history: Arc<History>,
    queue: WorkQueue,
}

impl PyHistory {
    fn in_turn<'py, R>(
        &self,
        py: Python<'py>,
        access: Access,
        work: impl FnOnce(&History) -> crate::Result<R> + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>>
    where
        R: for<'p> IntoPyObject<'p> + Send + 'static,
    {
        let history = Arc::clone(&self.history);
        in_turn(py, &self.queue, access, move || work(&history))
    }

    fn in_turn_sync<R: Send>(
        &self,
        py: Python<'_>,
        access: Access,
        work: impl FnOnce(&History) -> crate::Result<R> + Send,
    ) -> PyResult<R> {
        in_turn_sync(py, &self.queue, access, || work(&self.history))
    }
}

/// The records, the lowest version first, and a text for each file that cannot be read.
type RecordList = (Vec<PlainData>, Vec<String>);

fn read_record(record: &Bound<'_, PyAny>) -> PyResult<VersionRecord> {
    pythonize::depythonize(record)
        .map_err(|error| raise(record.py(), &Error::new(Kind::PromptInvalid, crate::de::plain(&error))))
}

fn records(history: &History, id: &str) -> crate::Result<RecordList> {
    let (records, errors) = history.records(id)?;
    Ok((PlainData::each(records.values())?, errors.iter().map(Error::report).collect()))
}

fn check(history: &History) -> crate::Result<usize> {
    let (mut count, mut wrong) = (0, Vec::new());
    for id in history.ids()? {
        let (records, errors) = history.records(&id)?;
        count += records.len();
        wrong.extend(errors);
    }
    match wrong.len() {
        0 => Ok(count),
        bad => Err(Error::new(Kind::StorageRead, format!("{bad} files of the history cannot be read"))
            .with_errors(wrong)),
    }
}

#[pymethods]
impl PyHistory {
    #[new]
    #[pyo3(signature = (path = None))]
    fn new(#[pyo3(from_py_with = arguments::optional_path)] path: Option<PathBuf>) -> Self {
        let history = path.map_or_else(History::in_memory, History::in_files);
        Self { history: Arc::new(history), queue: WorkQueue::default() }
    }

    fn save_sync(&self, record: &Bound<'_, PyAny>) -> PyResult<()> {
        let read = read_record(record)?;
        self.in_turn_sync(record.py(), Access::Write, |history| history.save(read))
    }

    fn save<'py>(&self, record: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let read = read_record(record)?;
        self.in_turn(record.py(), Access::Write, move |history| history.save(read))
    }

    /// The records, the lowest version first, and a text for each file that cannot be read.
    fn records_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
    ) -> PyResult<RecordList> {
        self.in_turn_sync(py, Access::Read, |history| records(history, id))
    }

    fn records<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Read, move |history| records(history, &id))
    }

    fn get_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::version)] version: &str,
    ) -> PyResult<PlainData> {
        self.in_turn_sync(py, Access::Read, |history| PlainData::of(&history.get(id, version)?))
    }

    fn get<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::version)] version: String,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Read, move |history| PlainData::of(&history.get(&id, &version)?))
    }

    fn changelog_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_version)] after: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_version)] up_to: Option<&str>,
    ) -> PyResult<Vec<PlainData>> {
        self.in_turn_sync(py, Access::Read, |history| PlainData::each(&history.changelog(id, after, up_to)?))
    }

    fn changelog<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::optional_version)] after: Option<String>,
        #[pyo3(from_py_with = arguments::optional_version)] up_to: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Read, move |history| {
            PlainData::each(&history.changelog(&id, after.as_deref(), up_to.as_deref())?)
        })
    }

    fn remove_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
    ) -> PyResult<()> {
        self.in_turn_sync(py, Access::Write, |history| history.remove(id, version))
    }

    fn remove<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::id)] id: String,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Write, move |history| history.remove(&id, version.as_deref()))
    }

    /// How many records there are; an error that sums up the files that cannot be read.
    fn check_sync(&self, py: Python<'_>) -> PyResult<usize> {
        self.in_turn_sync(py, Access::Read, check)
    }

    fn check<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.in_turn(py, Access::Read, check)
    }
}
