//! Where work on files runs for coroutines: a tokio runtime of our own.
//!
//! It starts at first use, and anew in a process that was forked, for the threads of a runtime do not live on in the
//! child. (The global runtime of `pyo3-async-runtimes` would hang there.) It ends before the interpreter does: a
//! thread that hands over a result while the interpreter is taken down crashes the process.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3_async_runtimes::TaskLocals;
use pyo3_async_runtimes::generic::{self, ContextExt};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{JoinError, JoinHandle};

tokio::task_local! {
    static LOCALS: TaskLocals;
}

/// The runtime, with the process that started it.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// How long the end of the interpreter waits for work that nobody awaits any more.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Ends the runtime of this process; Python calls it before the interpreter is taken down.
#[pyfunction]
fn end_runtime(py: Python<'_>) {
    let mut place = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    // That of a parent is left alone, as in `handle`.
    let ours = place.take_if(|(owner, _)| *owner == std::process::id());
    drop(place);
    if let Some((_, runtime)) = ours {
        py.detach(|| runtime.shutdown_timeout(LAST_WAIT));
    }
}

/// Has Python call [`end_runtime`]; once, for a child that is forked inherits it.
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

struct Files;

struct Joined(JoinError);

impl generic::JoinError for Joined {
    fn is_panic(&self) -> bool {
        self.0.is_panic()
    }

    fn into_panic(self) -> Box<dyn std::any::Any + Send + 'static> {
        self.0.into_panic()
    }
}

struct Join(Option<JoinHandle<()>>);

impl Future for Join {
    type Output = Result<(), Joined>;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        match &mut self.0 {
            Some(handle) => Pin::new(handle).poll(context).map_err(Joined),
            None => std::task::Poll::Ready(Ok(())),
        }
    }
}

impl generic::Runtime for Files {
    type JoinError = Joined;
    type JoinHandle = Join;

    fn spawn<F: Future<Output = ()> + Send + 'static>(future: F) -> Join {
        Join(handle().ok().map(|handle| handle.spawn(future)))
    }

    fn spawn_blocking<F: FnOnce() + Send + 'static>(work: F) -> Join {
        Join(handle().ok().map(|handle| handle.spawn_blocking(work)))
    }
}

impl ContextExt for Files {
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

/// An awaitable that runs `work` on a thread of the runtime. An await that is cancelled leaves the work to end by
/// itself, with nobody to take its result.
pub(super) fn on_thread<'py, R>(
    py: Python<'py>,
    work: impl FnOnce() -> PyResult<R> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>>
where
    R: for<'p> IntoPyObject<'p> + Send + 'static,
{
    end_with_interpreter(py)?;
    let handle = handle()?;
    generic::future_into_py::<Files, _, R>(py, async move {
        match handle.spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => Err(pyo3::exceptions::PyRuntimeError::new_err(error.to_string())),
        }
    })
}
