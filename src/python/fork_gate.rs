//! Makes forks and the end of the interpreter wait for our threads, which reload watched directories and log.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// How many threads of ours are logging.
static LOGGING: AtomicUsize = AtomicUsize::new(0);

/// A thread of ours that is logging: the interpreter does not end before it is dropped.
///
/// It does not hold the gate. `logging` has a lock of its own, which a forking thread may hold while it waits for the
/// gate.
pub(super) struct LoggingGuard;

impl LoggingGuard {
    /// Counts this thread as logging; `None` once the interpreter ends.
    pub(super) fn begin() -> Option<Self> {
        let has_ended = gate();
        if *has_ended {
            return None;
        }
        LOGGING.fetch_add(1, Ordering::AcqRel);
        Some(Self)
    }
}

impl Drop for LoggingGuard {
    fn drop(&mut self) {
        // A logging handler that forks also returns in the child, where the count is zero again.
        let _ = LOGGING
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |threads| Some(threads.saturating_sub(1)));
    }
}

/// A thread of ours holds this lock while it reloads, and a thread that forks takes it first. So no lock that a reload
/// takes is locked for ever in the child, where the reloading thread does not exist. The value is true once the
/// interpreter ends: from then on no thread may attach.
static GATE: Mutex<bool> = Mutex::new(false);

type Gate = MutexGuard<'static, bool>;

/// Takes the gate. Not for a thread that is attached to the interpreter.
pub(super) fn gate() -> Gate {
    GATE.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// The gate, from before this thread forks until after.
    static FORKING: RefCell<Option<Gate>> = const { RefCell::new(None) };
}

/// Takes the gate on a thread that is attached, and detaches while it waits: whoever holds the gate may need the
/// interpreter.
fn attached_gate(py: Python<'_>) -> Gate {
    loop {
        match GATE.try_lock() {
            Ok(gate) => return gate,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => py.detach(|| thread::sleep(Duration::from_millis(1))),
        }
    }
}

/// Takes the gate and stays attached, because a reload does not need the interpreter. If other threads could run here,
/// one could import `logging`, which registers fork hooks of its own in the middle of this fork.
#[pyfunction]
fn before_fork() {
    FORKING.set(Some(gate()));
}

/// Lets threads of ours go on.
#[pyfunction]
fn after_fork() {
    FORKING.take();
}

/// Lets threads of the child go on. The thread that was logging does not exist there.
#[pyfunction]
fn after_fork_in_child() {
    LOGGING.store(0, Ordering::Release);
    after_fork();
}

/// Forbids further attaching, and waits for threads that are logging.
#[pyfunction]
fn at_exit(py: Python<'_>) {
    *attached_gate(py) = true;
    while LOGGING.load(Ordering::Acquire) > 0 {
        py.detach(|| thread::sleep(Duration::from_millis(1)));
    }
}

/// Registers the hooks that make forks and the end of the interpreter wait for threads of ours. The first watch calls
/// it.
pub(super) fn wait_for_threads(py: Python<'_>) -> PyResult<()> {
    static DONE: PyOnceLock<()> = PyOnceLock::new();
    DONE.get_or_try_init(py, || {
        py.import("atexit")?.call_method1("register", (wrap_pyfunction!(at_exit, py)?,))?;
        let os = py.import("os")?;
        if !os.hasattr("register_at_fork")? {
            return Ok(());
        }
        let hooks = PyDict::new(py);
        hooks.set_item("before", wrap_pyfunction!(before_fork, py)?)?;
        hooks.set_item("after_in_parent", wrap_pyfunction!(after_fork, py)?)?;
        hooks.set_item("after_in_child", wrap_pyfunction!(after_fork_in_child, py)?)?;
        os.call_method("register_at_fork", (), Some(&hooks)).map(drop)
    })
    .map(drop)
}
