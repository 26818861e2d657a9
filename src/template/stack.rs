//! How much of the thread's stack is taken by renders that called a helper and wait for it. A helper may render too,
//! and call itself that way; each render counts on from here, so that no chain of them ends the process.

use std::cell::Cell;

thread_local! {
    static LEVELS: Cell<usize> = const { Cell::new(0) };
}

/// What a call of a helper counts for, in levels: the frames of its language stand on the same stack.
const CALL: usize = 4;

/// How many levels are open on this thread.
pub(super) fn levels() -> usize {
    LEVELS.get()
}

/// A call of a helper; while it lives, its levels count.
pub(super) struct Calling {
    before: usize,
}

impl Calling {
    /// Calls with this many levels open.
    pub(super) fn at(levels: usize) -> Self {
        Self { before: LEVELS.replace(levels + CALL) }
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        LEVELS.set(self.before);
    }
}
