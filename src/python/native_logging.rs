//! Sends the `tracing` events of the core to Python's `logging`, for programs that ask for it.
//!
//! An event can happen under a lock of the core, where Python code must not run. So it is put into a queue, and a thread
//! of its own logs it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::fork_gate::LoggingGuard;
use crate::observe::slow::set_slow;

/// The maximum number of events that wait. Later ones are dropped and counted.
const MAX_WAITING: usize = 10_000;

/// The events of other crates are not logged.
const TARGET: &str = "prompt_manager";

/// The level as a number, 0 for off and 5 for trace.
static LEVEL: AtomicUsize = AtomicUsize::new(0);

/// The process whose thread logs. A forked child starts a thread of its own at its first event.
static LOGGING_PROCESS: AtomicU32 = AtomicU32::new(0);

static DROPPED: AtomicU64 = AtomicU64::new(0);

static QUEUE: Mutex<VecDeque<LogLine>> = Mutex::new(VecDeque::new());

static ARRIVED: Condvar = Condvar::new();

/// Whether the thread is logging an event that it has taken out of the queue.
static BUSY: AtomicBool = AtomicBool::new(false);

type Queue = MutexGuard<'static, VecDeque<LogLine>>;

fn queue() -> Queue {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// The queue, held from before this thread forks until after the fork.
    static FORKING: RefCell<Option<Queue>> = const { RefCell::new(None) };
}

/// An event as `logging` gets it.
struct LogLine {
    level: u8,
    text: String,
}

/// The numbers of the levels in `logging`.
fn python_level(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

fn filter() -> LevelFilter {
    match LEVEL.load(Ordering::Relaxed) {
        0 => LevelFilter::OFF,
        1 => LevelFilter::ERROR,
        2 => LevelFilter::WARN,
        3 => LevelFilter::INFO,
        4 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

/// Takes the events of the core.
struct LoggingSubscriber;

impl Subscriber for LoggingSubscriber {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= filter() && metadata.target().starts_with(TARGET)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(filter())
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = LineText::default();
        event.record(&mut line);
        push(LogLine { level: python_level(*event.metadata().level()), text: line.message + &line.fields });
    }

    // The core has no spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The message and the fields of an event.
#[derive(Default)]
struct LineText {
    message: String,
    fields: String,
}

impl Visit for LineText {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

fn push(line: LogLine) {
    if FORKING.with_borrow(Option::is_some) {
        // This thread holds the queue already.
        return;
    }
    {
        let mut queue = queue();
        if queue.len() >= MAX_WAITING {
            DROPPED.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.push_back(line);
    }
    let process = std::process::id();
    if LOGGING_PROCESS.swap(process, Ordering::AcqRel) == process {
        ARRIVED.notify_one();
    } else {
        let _ = thread::Builder::new().name("native-logging".to_owned()).spawn(log_forever);
    }
}

/// Logs each event, until the interpreter ends.
fn log_forever() {
    loop {
        let mut queue = queue();
        while queue.is_empty() {
            queue = ARRIVED.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        BUSY.store(true, Ordering::Release);
        let lines = std::mem::take(&mut *queue);
        drop(queue);
        let Some(_logging) = LoggingGuard::begin() else {
            BUSY.store(false, Ordering::Release);
            return;
        };
        Python::try_attach(|py| {
            if let Err(error) = log(py, lines) {
                error.write_unraisable(py, None);
            }
        });
        BUSY.store(false, Ordering::Release);
    }
}

fn log(py: Python<'_>, lines: VecDeque<LogLine>) -> PyResult<()> {
    let logger = py.import("logging")?.call_method1("getLogger", ("prompt_manager.native",))?;
    let dropped = DROPPED.swap(0, Ordering::Relaxed);
    if dropped > 0 {
        logger.call_method1(
            "warning",
            ("%d events were dropped, because they came faster than they were logged", dropped),
        )?;
    }
    lines.into_iter().try_for_each(|line| logger.call_method1("log", (line.level, "%s", line.text)).map(drop))
}

/// Waits until all events are logged, for at most two seconds.
#[pyfunction]
pub(super) fn flush_native_logging(py: Python<'_>) {
    for _ in 0..2_000 {
        if queue().is_empty() && !BUSY.load(Ordering::Acquire) {
            return;
        }
        py.detach(|| thread::sleep(Duration::from_millis(1)));
    }
}

#[pyfunction]
fn hold_queue() {
    FORKING.set(Some(queue()));
}

#[pyfunction]
fn release_queue() {
    FORKING.take();
}

/// In a forked child, the events that the parent logs are not logged again.
#[pyfunction]
fn release_queue_in_child() {
    if let Some(mut queue) = FORKING.take() {
        queue.clear();
    }
    BUSY.store(false, Ordering::Release);
}

/// Sends events of this level and above to the logger `prompt_manager.native`. 0 is off and 5 is trace.
#[pyfunction]
#[pyo3(signature = (level, slow_render_ms))]
pub(super) fn set_native_logging(py: Python<'_>, level: usize, slow_render_ms: f64) -> PyResult<()> {
    static INSTALLED: PyOnceLock<()> = PyOnceLock::new();
    let slow = Duration::try_from_secs_f64(slow_render_ms / 1000.0);
    set_slow(slow.map_err(|_| PyValueError::new_err("slow_render_ms must be 0 or more"))?);
    if level == 0 && INSTALLED.get(py).is_none() {
        return Ok(());
    }
    LEVEL.store(level, Ordering::Relaxed);
    INSTALLED.get_or_try_init(py, || {
        super::fork_gate::wait_for_threads(py)?;
        py.import("atexit")?.call_method1("register", (wrap_pyfunction!(flush_native_logging, py)?,))?;
        let os = py.import("os")?;
        if os.hasattr("register_at_fork")? {
            let hooks = PyDict::new(py);
            hooks.set_item("before", wrap_pyfunction!(hold_queue, py)?)?;
            hooks.set_item("after_in_parent", wrap_pyfunction!(release_queue, py)?)?;
            hooks.set_item("after_in_child", wrap_pyfunction!(release_queue_in_child, py)?)?;
            os.call_method("register_at_fork", (), Some(&hooks))?;
        }
        tracing::subscriber::set_global_default(LoggingSubscriber).map_err(|_| {
            PyRuntimeError::new_err("this process already has another subscriber of tracing events")
        })
    })?;
    tracing::callsite::rebuild_interest_cache();
    Ok(())
}
