//! Measures how much of the thread's stack is used by renders that wait for code of the caller.
//!
//! A helper may render a template that calls the helper again, and so may a property or a comparison of a value. Each inner
//! render counts what the outer ones use as open levels. So such a recursion ends in an error and not in a stack overflow.

use std::cell::Cell;

use crate::error::{Error, Kind};
use crate::limits::LEVEL_BYTES;

/// What the open renders of a thread use of its stack.
#[derive(Clone, Copy)]
struct StackUse {
    /// The levels that renders have open that wait for a helper.
    levels: usize,
    /// The address at which the outermost render began; 0 if there is none.
    outermost: usize,
}

thread_local! {
    static USE: Cell<StackUse> = const { Cell::new(StackUse { levels: 0, outermost: 0 }) };
}

/// How many levels one helper call counts as. The Python frames of the helper are on the same stack.
const CALL: usize = 4;

/// The number of levels that are open on this thread.
pub(super) fn levels() -> usize {
    USE.get().levels
}

fn set_levels(levels: usize) -> usize {
    let before = USE.get();
    USE.set(StackUse { levels, ..before });
    before.levels
}

/// Counts one helper call for as long as it lives.
pub(super) struct HelperCallGuard {
    before: usize,
}

impl HelperCallGuard {
    /// Starts a helper call while this many levels are open.
    pub(super) fn at(levels: usize) -> Self {
        Self { before: set_levels(levels + CALL) }
    }
}

impl Drop for HelperCallGuard {
    fn drop(&mut self) {
        set_levels(self.before);
    }
}

/// One render, for as long as it lives.
pub(super) struct RenderGuard {
    /// The levels that outer renders have open, or that would take as much of the stack.
    pub(super) outside: usize,
    is_outermost: bool,
}

impl RenderGuard {
    /// Begins a render.
    #[inline]
    pub(super) fn begin() -> Self {
        let StackUse { levels, outermost } = USE.get();
        let here = stack_address();
        if outermost == 0 {
            USE.set(StackUse { levels, outermost: here });
            return Self { outside: levels, is_outermost: true };
        }
        Self { outside: levels.max(outermost.abs_diff(here) / LEVEL_BYTES), is_outermost: false }
    }
}

impl Drop for RenderGuard {
    #[inline]
    fn drop(&mut self) {
        if self.is_outermost {
            USE.set(StackUse { outermost: 0, ..USE.get() });
        }
    }
}

/// An address in the current stack frame.
#[inline]
fn stack_address() -> usize {
    let marker = 0_u8;
    std::hint::black_box(std::ptr::from_ref(&marker)).addr()
}

/// The error for renders that call each other without end.
#[cold]
pub(super) fn nested_too_deep() -> Error {
    Error::new(Kind::TemplateRender, "renders and helpers are nested too deep").with_hint(
        "check whether a helper, or a property of a value, renders a template that uses the same helper or property again",
    )
}
