//! Counts how much of the thread's stack is used by renders that called a helper and wait for it.
//!
//! A helper may render a template that calls the helper again. Each inner render continues this count, so that such a
//! recursion ends in an error and not in a stack overflow.

use std::cell::Cell;

thread_local! {
    static LEVELS: Cell<usize> = const { Cell::new(0) };
}

/// How many levels one helper call counts as. The Python frames of the helper are on the same stack.
const CALL: usize = 4;

/// The number of levels that are open on this thread.
pub(super) fn levels() -> usize {
    LEVELS.get()
}

/// Counts one helper call for as long as it lives.
pub(super) struct HelperCallGuard {
    before: usize,
}

impl HelperCallGuard {
    /// Starts a helper call while this many levels are open.
    pub(super) fn at(levels: usize) -> Self {
        Self { before: LEVELS.replace(levels + CALL) }
    }
}

impl Drop for HelperCallGuard {
    fn drop(&mut self) {
        LEVELS.set(self.before);
    }
}
