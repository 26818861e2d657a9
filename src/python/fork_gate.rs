//! Makes `os.fork` and the end of the interpreter wait for the threads that reload prompts.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// The number of reload threads that are logging.
static LOGGING: AtomicUsize = AtomicUsize::new(0);

/// Marks the current thread as logging. The interpreter does not end before the guard is dropped.
///
/// The guard does not hold the gate: Python's `logging` has its own lock, and a forking thread may hold that lock while it
/// waits for the gate.
pub(super) struct LoggingGuard;

impl LoggingGuard {
    /// Marks the current thread as logging. Returns `None` if the interpreter is ending.
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
        // If a logging handler forks, this also runs in the child, where the count was reset to zero.
        let _ = LOGGING
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |threads| Some(threads.saturating_sub(1)));
    }
}

/// Threads that reload hold this lock together, and a forking thread takes it alone before the fork. Otherwise a lock that
/// a reload holds would stay locked forever in the child, where the reload thread does not exist. The value is true once
/// the interpreter is ending: from then on no reload thread may attach.
static GATE: RwLock<bool> = RwLock::new(false);

type ReloadGate = RwLockReadGuard<'static, bool>;
type ClosedGate = RwLockWriteGuard<'static, bool>;

/// The number of forks between this process and the one that imported the package.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// A number that is another one in a forked child.
pub(super) fn forks() -> u32 {
    FORKS.load(Ordering::Acquire)
}

/// Passes the gate: until the result is dropped, no thread forks. The thread must not be attached to the interpreter.
pub(super) fn gate() -> ReloadGate {
    GATE.read().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// The gate, held from before this thread forks until after the fork.
    static FORKING: RefCell<Option<ClosedGate>> = const { RefCell::new(None) };
}

/// Closes the gate on a thread that is attached to the interpreter. It detaches while it waits, because a thread that
/// has passed the gate may need the interpreter.
fn attached_gate(py: Python<'_>) -> ClosedGate {
    loop {
        match GATE.try_write() {
            Ok(gate) => return gate,
            Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => py.detach(|| thread::sleep(Duration::from_millis(1))),
        }
    }
}

/// Closes the gate and stays attached, because a reload does not need the interpreter. If other threads could run now, one
/// of them could import `logging`, which registers its own fork hooks in the middle of this fork.
#[pyfunction]
fn before_fork() {
    FORKING.set(Some(GATE.write().unwrap_or_else(PoisonError::into_inner)));
}

/// Lets the reload threads continue.
#[pyfunction]
fn after_fork() {
    FORKING.take();
}

/// Opens the gate in the child and resets the count: threads that were logging do not exist there.
#[pyfunction]
fn after_fork_in_child() {
    LOGGING.store(0, Ordering::Release);
    FORKS.fetch_add(1, Ordering::AcqRel);
    after_fork();
}

/// Forbids reload threads to attach, and waits for those that are logging.
#[pyfunction]
fn at_exit(py: Python<'_>) {
    *attached_gate(py) = true;
    while LOGGING.load(Ordering::Acquire) > 0 {
        py.detach(|| thread::sleep(Duration::from_millis(1)));
    }
}

/// Registers the hooks that make forks and the end of the interpreter wait for the reload threads. The first watch calls
/// this.
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
