//! The tokio runtime that does the file work of coroutines.
//!
//! It starts at first use. A forked child starts its own, because a fork does not copy the threads of a runtime. (The
//! global runtime of `pyo3-async-runtimes` would hang there.) It ends before the interpreter does, because a thread that
//! returns a result while the interpreter shuts down crashes the process.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3_async_runtimes::TaskLocals;
use pyo3_async_runtimes::generic::{self, ContextExt};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use super::error::{OrRaise, raise};
use crate::stack_room;
use crate::store::queue::{Access, WorkQueue, WorkTurn};

tokio::task_local! {
    static LOCALS: TaskLocals;
}

/// The runtime, with the process that started it.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// How long the end of the interpreter waits for work that nobody awaits any more.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Ends the runtime of this process. Python calls it before the interpreter shuts down.
#[pyfunction]
fn end_runtime(py: Python<'_>) {
    let mut place = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    // The runtime of a parent process is not touched, as in `handle`.
    let ours = place.take_if(|(owner, _)| *owner == std::process::id());
    drop(place);
    if let Some((_, runtime)) = ours {
        py.detach(|| runtime.shutdown_timeout(LAST_WAIT));
    }
}

/// Registers [`end_runtime`] with Python, once. A forked child inherits the registration.
fn end_with_interpreter(py: Python<'_>) -> PyResult<()> {
    static DONE: PyOnceLock<()> = PyOnceLock::new();
    DONE.get_or_try_init(py, || {
        let end = wrap_pyfunction!(end_runtime, py)?;
        py.import("atexit")?.call_method1("register", (end,)).map(drop)
    })
    .map(drop)
}

fn handle() -> std::io::Result<Handle> {
    let mut place = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if place.is_none()
        && let Ok(ending) = Handle::try_current()
    {
        // This is a thread of a runtime that is ending, which drops what it is given. A new runtime would outlive the end.
        return Ok(ending);
    }
    let process = std::process::id();
    match &*place {
        Some((owner, runtime)) if *owner == process => Ok(runtime.handle().clone()),
        _ => {
            let runtime =
                Builder::new_multi_thread().worker_threads(1).thread_name("prompt-manager").build()?;
            let handle = runtime.handle().clone();
            // The parent's runtime is forgotten: dropping it would wait for threads that this process does not have.
            std::mem::forget(place.replace((process, runtime)));
            Ok(handle)
        }
    }
}

struct FileRuntime;

struct TaskError(JoinError);

impl generic::JoinError for TaskError {
    fn is_panic(&self) -> bool {
        self.0.is_panic()
    }

    fn into_panic(self) -> Box<dyn std::any::Any + Send + 'static> {
        self.0.into_panic()
    }
}

struct TaskHandle(Option<JoinHandle<()>>);

impl Future for TaskHandle {
    type Output = Result<(), TaskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        match &mut self.0 {
            Some(handle) => Pin::new(handle).poll(context).map_err(TaskError),
            None => std::task::Poll::Ready(Ok(())),
        }
    }
}

impl generic::Runtime for FileRuntime {
    type JoinError = TaskError;
    type JoinHandle = TaskHandle;

    fn spawn<F: Future<Output = ()> + Send + 'static>(future: F) -> TaskHandle {
        TaskHandle(handle().ok().map(|handle| handle.spawn(future)))
    }

    fn spawn_blocking<F: FnOnce() + Send + 'static>(work: F) -> TaskHandle {
        TaskHandle(handle().ok().map(|handle| handle.spawn_blocking(work)))
    }
}

impl ContextExt for FileRuntime {
    fn scope<F, R>(locals: TaskLocals, future: F) -> Pin<Box<dyn Future<Output = R> + Send>>
    where
        F: Future<Output = R> + Send + 'static,
    {
        Box::pin(LOCALS.scope(locals, future))
    }

    fn get_task_locals() -> Option<TaskLocals> {
        LOCALS.try_with(Clone::clone).ok()
    }
}

/// Makes the Python object of a result.
type MakeObject = dyn for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + Send;

/// The result of work, which becomes a Python object in the thread that completes the awaitable. Every result has this one
/// type, so that tasks and awaitables are compiled once and not for each type of result.
struct AnyResult(Box<MakeObject>);

impl AnyResult {
    fn new<R: for<'py> IntoPyObject<'py> + Send + 'static>(result: R) -> Self {
        Self(Box::new(move |py| result.into_bound_py_any(py)))
    }
}

impl<'py> IntoPyObject<'py> for AnyResult {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        (self.0)(py)
    }
}

/// An awaitable that runs `work` on a thread of the runtime. An await that is cancelled leaves the work to end by
/// itself, with nobody to take its result.
pub(super) fn on_thread<'py, R>(
    py: Python<'py>,
    work: impl FnOnce() -> PyResult<R> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    R: for<'p> IntoPyObject<'p> + Send + 'static,
{
    any_on_thread(py, Box::new(move || work().map(AnyResult::new)))
}

fn any_on_thread(
    py: Python<'_>,
    work: Box<dyn FnOnce() -> PyResult<AnyResult> + Send>,
) -> PyResult<Bound<'_, PyAny>> {
    end_with_interpreter(py)?;
    let handle = handle()?;
    generic::future_into_py::<FileRuntime, _, _>(py, async move {
        match handle.spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => Err(PyRuntimeError::new_err(error.to_string())),
        }
    })
}

/// Work that waits in a queue. Whoever takes it out first decides: a thread runs it, or a cancelled await drops it.
type QueuedWork = Arc<Mutex<Option<Box<dyn FnOnce(WorkTurn) + Send>>>>;

fn take_work(work: &QueuedWork) -> Option<Box<dyn FnOnce(WorkTurn) + Send>> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Called by asyncio when an awaitable is done: work that has not begun by then, and is cancelled, never begins.
#[pyclass(frozen, module = "prompt_manager._native")]
struct DropCancelledWork(QueuedWork);

#[pymethods]
impl DropCancelledWork {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0(intern!(future.py(), "cancelled"))?.is_truthy()? {
            drop(take_work(&self.0));
        }
        Ok(())
    }
}

/// An awaitable that runs `work` on a thread of the runtime when its turn in the queue has come. The place in the queue
/// is taken now. If the await is cancelled, the work never begins, or it ends before the next work on the store begins.
pub(super) fn in_turn<'py, R>(
    py: Python<'py>,
    queue: &WorkQueue,
    access: Access,
    work: impl FnOnce() -> crate::Result<R> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    R: for<'p> IntoPyObject<'p> + Send + 'static,
{
    any_in_turn(py, queue, access, Box::new(move || work().map(AnyResult::new)))
}

fn any_in_turn<'py>(
    py: Python<'py>,
    queue: &WorkQueue,
    access: Access,
    work: Box<dyn FnOnce() -> crate::Result<AnyResult> + Send>,
) -> PyResult<Bound<'py, PyAny>> {
    end_with_interpreter(py)?;
    let handle = handle()?;
    let (sender, receiver) = oneshot::channel();
    let run = move |turn| {
        let result = work();
        // The turn ends before the thread waits for the interpreter.
        drop(turn);
        // Nobody receives the result of a cancelled await.
        let _ = sender.send(result.map_err(|error| Python::attach(|py| raise(py, &error))));
    };
    let queued: QueuedWork = Arc::new(Mutex::new(Some(Box::new(run))));
    let awaitable = generic::future_into_py::<FileRuntime, _, _>(py, async move {
        let dropped = |_| {
            PyRuntimeError::new_err("the work did not end: the interpreter is shutting down, or it failed")
        };
        receiver.await.map_err(dropped)?
    })?;
    let on_done = Bound::new(py, DropCancelledWork(Arc::clone(&queued)))?;
    awaitable.call_method1(intern!(py, "add_done_callback"), (on_done,))?;
    queue.enter(access, move |turn| {
        if queued.lock().is_ok_and(|work| work.is_some()) {
            handle.spawn_blocking(move || {
                if let Some(run) = take_work(&queued) {
                    run(turn);
                }
            });
        }
    });
    Ok(awaitable)
}

/// How often a thread that waits for its turn looks whether the user has pressed Ctrl-C.
const SIGNAL_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Reads or writes files without the interpreter, on a stack with room for that.
pub(super) fn detached<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> R {
    py.detach(|| stack_room::with_room(work))
}

/// Runs `work` in this thread when its turn in the queue has come. Other threads may run Python meanwhile.
pub(super) fn in_turn_sync<R: Send>(
    py: Python<'_>,
    queue: &WorkQueue,
    access: Access,
    work: impl FnOnce() -> crate::Result<R> + Send,
) -> PyResult<R> {
    let turn = wait_for_turn(py, queue, access)?;
    let result = detached(py, move || {
        let result = work();
        drop(turn);
        result
    });
    result.or_raise(py)
}

thread_local! {
    /// The queues in which this thread waits for its turn.
    static WAITING: RefCell<Vec<*const WorkQueue>> = const { RefCell::new(Vec::new()) };
}

/// Marks that this thread waits in a queue. While it waits, it runs signal handlers. If a handler made the thread wait in
/// the same queue again, the first wait could not end before the handler, and the second not before the first.
struct WaitingHere(*const WorkQueue);

impl WaitingHere {
    fn begin(queue: &WorkQueue) -> PyResult<Self> {
        let queue = std::ptr::from_ref(queue);
        WAITING.with_borrow_mut(|waiting| {
            if waiting.contains(&queue) {
                return Err(PyRuntimeError::new_err(
                    "a signal handler called a store while the thread that it interrupted waits for the same store, so \
                     the call would block forever: in the handler, set a flag or start a thread that makes the call",
                ));
            }
            waiting.push(queue);
            Ok(Self(queue))
        })
    }
}

impl Drop for WaitingHere {
    fn drop(&mut self) {
        WAITING.with_borrow_mut(|waiting| waiting.retain(|queue| *queue != self.0));
    }
}

/// Waits without the interpreter, which the work of others may need to end. An exception of a signal handler, such as
/// `KeyboardInterrupt`, gives up the place in the queue.
fn wait_for_turn(py: Python<'_>, queue: &WorkQueue, access: Access) -> PyResult<WorkTurn> {
    if let Some(turn) = queue.try_enter(access) {
        return Ok(turn);
    }
    let _waiting = WaitingHere::begin(queue)?;
    let (sender, mut receiver) = mpsc::sync_channel(1);
    // A turn that nobody waits for any more comes back with the error, and ends.
    queue.enter(access, move |turn| drop(sender.send(turn)));
    loop {
        let waited;
        (waited, receiver) = py.detach(move || (receiver.recv_timeout(SIGNAL_CHECK_INTERVAL), receiver));
        match waited {
            Ok(turn) => return Ok(turn),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(error @ RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err(error.to_string()));
            }
        }
    }
}
