//! Keeps a registry up to date without a thread: a call that asks for a label or the latest version looks at the source of
//! the prompts, at most once in an interval.
//!
//! One call looks, and the others use what is there meanwhile. Between two looks, a call reads the clock once. A look holds
//! the gate of forks, so that a forked child never inherits one that is going on; only a storage in Python, whose looks run
//! Python code, needs the count of forks.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::directory_source::DirectorySource;
use super::error::raise;
use super::fork_gate::{forks, gate};
use super::reload::ReloadReport;
use super::runtime::{detached, on_thread};
use super::storage::PlainData;
use super::store_source::StoreSource;
use crate::check::Finding;
use crate::error::Error;
use crate::prompt::PromptId;
use crate::store::{ExchangeResult, LabelMove};

/// When to look, and where.
pub(super) struct Refresh {
    /// The interval and the time of the next look, in nanoseconds; the latter since `started`.
    interval: u64,
    due: AtomicU64,
    started: Instant,
    is_looking: AtomicBool,
    /// [`forks`] at the beginning of the last look.
    forks: AtomicU32,
    source: RefreshSource,
}

/// Where the prompts come from.
pub(super) enum RefreshSource {
    /// The core looks. `report` takes what it found.
    Core { source: Arc<Mutex<CoreSource>>, report: Py<PyAny> },
    /// Python looks: `look_sync()`, and the coroutine function `look()`.
    Python { look_sync: Py<PyAny>, look: Py<PyAny> },
}

/// A source of prompts that the core reads.
pub(super) enum CoreSource {
    Store(Box<StoreSource>),
    /// A directory, which is loaded again if its `labels.yaml` changes.
    Directory(Box<DirectorySource>),
}

impl CoreSource {
    /// Takes over what changed. `None` if nothing did.
    fn load(&mut self) -> Option<PyLook> {
        match self {
            Self::Store(store) => store.load().map(|report| PyLook::of(report, Clone::clone)),
            Self::Directory(directory) => {
                directory.load_if_relabelled().map(|report| PyLook::of(report, Finding::report))
            }
        }
    }
}

/// What a look at the source of a registry's prompts found.
#[pyclass(frozen, name = "Look", module = "prompt_manager._native")]
pub struct PyLook {
    error: Option<Error>,
    /// Warnings for the authors of what was read.
    #[pyo3(get)]
    warnings: Vec<String>,
    /// The number of versions that the source has.
    #[pyo3(get)]
    prompts: usize,
    changed: Vec<PromptId>,
    moves: Vec<(PromptId, LabelMove)>,
}

impl PyLook {
    fn of<W>(report: ReloadReport<W>, text: impl Fn(&W) -> String) -> Self {
        let warnings = report.warnings.iter().map(text).collect();
        let ReloadReport { error, prompts, result, .. } = report;
        Self { error, warnings, prompts, changed: result.changed, moves: result.moves }
    }

    /// The look that made this exchange.
    pub(super) fn of_exchange(result: ExchangeResult, error: Option<Error>, prompts: usize) -> Self {
        Self::of(ReloadReport::<String> { error, prompts, result, ..ReloadReport::new() }, Clone::clone)
    }
}

#[pymethods]
impl PyLook {
    /// The problem that the look found, as an exception that is not raised.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.error.as_ref().map(|error| raise(py, error).into_value(py).into_any())
    }

    /// The ids of the prompts that changed.
    #[getter]
    fn changed(&self) -> Vec<String> {
        self.changed.iter().map(ToString::to_string).collect()
    }

    /// The labels that point elsewhere now: the id of the prompt and the move.
    #[getter]
    fn moves(&self, py: Python<'_>) -> PyResult<Vec<(String, PlainData)>> {
        let plain = |(id, made): &(PromptId, LabelMove)| Ok((id.to_string(), PlainData::of(made)?));
        let moves = self.moves.iter().map(plain).collect::<crate::Result<_>>();
        moves.map_err(|error| raise(py, &error))
    }
}

/// The right to look, until it is dropped.
struct LookClaim<'r>(&'r Refresh);

impl Drop for LookClaim<'_> {
    fn drop(&mut self) {
        self.0.is_looking.store(false, Ordering::Release);
    }
}

/// As [`LookClaim`], for a look on another thread.
struct SharedClaim(Arc<Refresh>);

impl Drop for SharedClaim {
    fn drop(&mut self) {
        self.0.is_looking.store(false, Ordering::Release);
    }
}

impl Refresh {
    /// Looks at this source every so many seconds. The first look is due now.
    ///
    /// # Errors
    /// `ValueError` unless `seconds` is a number of seconds that is not negative.
    pub(super) fn new(seconds: f64, source: RefreshSource) -> PyResult<Self> {
        let interval = Duration::try_from_secs_f64(seconds).map_err(|_| {
            PyValueError::new_err("refresh must be a number of seconds, not negative, or None")
        })?;
        Ok(Self {
            interval: nanos(interval),
            due: AtomicU64::new(0),
            started: Instant::now(),
            is_looking: AtomicBool::new(false),
            forks: AtomicU32::new(forks()),
            source,
        })
    }

    /// Claims the look if it is due and nobody else is looking. The caller must look and then release the claim.
    fn claim(&self) -> bool {
        let now = nanos(self.started.elapsed());
        now >= self.due.load(Ordering::Relaxed) && self.claim_due(now)
    }

    #[cold]
    fn claim_due(&self, now: u64) -> bool {
        let forks = forks();
        let is_inherited = self.forks.swap(forks, Ordering::AcqRel) != forks;
        if self.is_looking.swap(true, Ordering::AcqRel) && !is_inherited {
            return false;
        }
        self.due.store(now.saturating_add(self.interval), Ordering::Relaxed);
        true
    }

    /// Looks in this thread if it is time, and returns whether it did. What goes wrong is reported, and the last good
    /// prompts stay in use.
    pub(super) fn look_if_due(&self, py: Python<'_>) -> bool {
        let is_due = self.claim();
        if is_due {
            let _claim = LookClaim(self);
            self.look_and_report(py);
        }
        is_due
    }

    fn look_and_report(&self, py: Python<'_>) {
        let outcome = match &self.source {
            RefreshSource::Core { source, report } => match detached(py, || look(source)) {
                Some(look) => report.call1(py, (look,)).map(drop),
                None => Ok(()),
            },
            RefreshSource::Python { look_sync, .. } => look_sync.call0(py).map(drop),
        };
        if let Err(error) = outcome {
            error.write_unraisable(py, None);
        }
    }

    /// The coroutine of [`Refresh::look_if_due`], if it is time: an awaitable of a [`PyLook`] or `None`, or the coroutine
    /// of a storage in Python. The look itself goes on if the await is cancelled.
    pub(super) fn due_look<'py>(self: &Arc<Self>, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !self.claim() {
            return Ok(None);
        }
        let claim = SharedClaim(Arc::clone(self));
        match &self.source {
            RefreshSource::Core { source, .. } => {
                let source = Arc::clone(source);
                on_thread(py, move || {
                    let look = look(&source);
                    drop(claim);
                    Ok(look)
                })
                .map(Some)
            }
            RefreshSource::Python { look, .. } => {
                let released = Bound::new(py, ReleasedClaim(Mutex::new(Some(claim))))?;
                look.bind(py).call1((released,)).map(Some)
            }
        }
    }

    /// Looks now, whether it is time or not.
    pub(super) fn look_now(&self, py: Python<'_>) -> Option<PyLook> {
        let RefreshSource::Core { source, .. } = &self.source else { return None };
        self.postpone();
        detached(py, || look(source))
    }

    /// The coroutine of [`Refresh::look_now`].
    pub(super) fn look_now_awaitable<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let RefreshSource::Core { source, .. } = &self.source else { return Ok(None) };
        self.postpone();
        let source = Arc::clone(source);
        on_thread(py, move || Ok(look(&source))).map(Some)
    }

    /// Makes the next look due after a whole interval.
    pub(super) fn postpone(&self) {
        let now = nanos(self.started.elapsed());
        self.due.store(now.saturating_add(self.interval), Ordering::Relaxed);
    }
}

/// The claim of a look in Python, which ends with the object or when it is called.
#[pyclass(frozen, module = "prompt_manager._native")]
struct ReleasedClaim(Mutex<Option<SharedClaim>>);

#[pymethods]
impl ReleasedClaim {
    fn __call__(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Must be called without the interpreter, which a thread that forks holds while it waits for the gate.
fn look(source: &Mutex<CoreSource>) -> Option<PyLook> {
    let _gate = gate();
    source.lock().unwrap_or_else(PoisonError::into_inner).load()
}

/// The first load of a directory. Must be called without the interpreter.
///
/// # Errors
/// Those of [`DirectorySource::load_first`].
pub(super) fn load_first(source: &Mutex<CoreSource>) -> crate::Result<Vec<Finding>> {
    let _gate = gate();
    match &mut *source.lock().unwrap_or_else(PoisonError::into_inner) {
        CoreSource::Directory(directory) => {
            let report = directory.load_first()?;
            let skipped = report.error.iter().flat_map(Error::errors).map(Finding::of_error);
            Ok(report.warnings.into_iter().chain(skipped.collect::<Vec<_>>()).collect())
        }
        CoreSource::Store(_) => Ok(Vec::new()),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
