//! The order of work on one store: first come, first served.
//!
//! A call takes its place when it is made. Reads that follow one another may run side by side; a write runs alone. So
//! whoever asks later never overtakes, whatever thread it runs in, and a read sees every write that was asked for
//! before it.

use std::collections::VecDeque;
use std::fmt;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How many reads run side by side. More threads would only wait for each other.
const MAX_READERS: usize = 16;

/// What a call does to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads, and may run beside other reads.
    Read,
    /// It may write, and runs alone.
    Write,
}

/// The calls on one store that run or wait.
///
/// ```
/// use prompt_manager::store::queue::{Access, WorkQueue};
///
/// let queue = WorkQueue::default();
/// let first = queue.try_enter(Access::Write).expect("nobody is before it");
/// queue.enter(Access::Read, |turn| {
///     println!("the write has ended");
///     drop(turn);
/// });
/// assert!(queue.try_enter(Access::Read).is_none());
/// drop(first);
/// assert!(queue.try_enter(Access::Read).is_some());
/// ```
#[derive(Debug, Default)]
pub struct WorkQueue {
    /// The calls of the process that made the queue, then those of the processes that were forked from it.
    first: ProcessQueue,
}

/// The calls of one process. A forked child begins with a queue of its own: the threads whose turn it was in the parent
/// do not exist in the child, and one of them may have held the mutex.
#[derive(Debug)]
struct ProcessQueue {
    process: u32,
    calls: Arc<Calls>,
    of_child: OnceLock<Box<ProcessQueue>>,
}

impl Default for ProcessQueue {
    fn default() -> Self {
        Self { process: process::id(), calls: Arc::default(), of_child: OnceLock::new() }
    }
}

#[derive(Debug, Default)]
struct Calls(Mutex<CallsState>);

#[derive(Debug, Default)]
struct CallsState {
    waiting: VecDeque<WaitingCall>,
    readers: usize,
    is_writing: bool,
    /// Whether a thread is starting calls now. It sees those that may start meanwhile, so another need not.
    is_starting: bool,
}

struct WaitingCall {
    access: Access,
    start: Box<dyn FnOnce(WorkTurn) + Send>,
}

impl fmt::Debug for WaitingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.access.fmt(f)
    }
}

/// The right to work on the store, until it is dropped.
#[derive(Debug)]
pub struct WorkTurn {
    calls: Arc<Calls>,
    access: Access,
}

impl WorkQueue {
    /// A turn at once, if the call need not wait.
    #[must_use]
    pub fn try_enter(&self, access: Access) -> Option<WorkTurn> {
        let calls = self.calls();
        let mut state = calls.state();
        if !state.waiting.is_empty() || !state.may_start(access) {
            return None;
        }
        state.begin(access);
        drop(state);
        Some(WorkTurn { calls: Arc::clone(calls), access })
    }

    /// Takes a place in the queue. `start` is called with the turn when it has come: at once in this thread, or later in
    /// the thread of a call that ends. So it hands the work over to where it is done, and neither works nor waits.
    pub fn enter(&self, access: Access, start: impl FnOnce(WorkTurn) + Send + 'static) {
        let calls = self.calls();
        calls.state().waiting.push_back(WaitingCall { access, start: Box::new(start) });
        Calls::start_waiting(calls);
    }

    /// The calls of this process.
    fn calls(&self) -> &Arc<Calls> {
        let current = process::id();
        let mut queue = &self.first;
        while queue.process != current {
            queue = queue.of_child.get_or_init(Box::default);
        }
        &queue.calls
    }
}

impl CallsState {
    fn may_start(&self, access: Access) -> bool {
        match access {
            Access::Read => !self.is_writing && self.readers < MAX_READERS,
            Access::Write => !self.is_writing && self.readers == 0,
        }
    }

    fn begin(&mut self, access: Access) {
        match access {
            Access::Read => self.readers += 1,
            Access::Write => self.is_writing = true,
        }
    }

    fn end(&mut self, access: Access) {
        match access {
            Access::Read => self.readers -= 1,
            Access::Write => self.is_writing = false,
        }
    }
}

impl Calls {
    fn state(&self) -> MutexGuard<'_, CallsState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts every call whose turn has come. A call that ends while it is started, because nobody wants its result any
    /// more, does not start the next one from within, which would nest as deep as the queue is long.
    fn start_waiting(this: &Arc<Self>) {
        if std::mem::replace(&mut this.state().is_starting, true) {
            return;
        }
        let _reset = ResetOnPanic(this);
        while let Some(call) = this.next() {
            (call.start)(WorkTurn { calls: Arc::clone(this), access: call.access });
        }
    }

    /// The next call that may start; without one this thread starts none any more.
    fn next(&self) -> Option<WaitingCall> {
        let mut state = self.state();
        if let Some(access) = state.waiting.front().map(|call| call.access)
            && state.may_start(access)
        {
            state.begin(access);
            return state.waiting.pop_front();
        }
        state.is_starting = false;
        None
    }
}

/// Lets other threads start calls after a panic in this one: the system may have no thread for the work.
struct ResetOnPanic<'a>(&'a Calls);

impl Drop for ResetOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state().is_starting = false;
        }
    }
}

impl Drop for WorkTurn {
    fn drop(&mut self) {
        self.calls.state().end(self.access);
        Calls::start_waiting(&self.calls);
    }
}
