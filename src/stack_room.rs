//! Ends recursion in an error where the stack of the thread is small.
//!
//! The limits of nesting fit the stack of a usual thread. A thread that was started with a smaller one, such as by
//! `threading.stack_size(65536)`, would overflow it before it reaches them.

#[cfg(feature = "python")]
use std::{panic, thread};

use crate::error::{Error, Kind, Result};

/// What stays free for the calls that do not nest, and for Python code that they run.
const RESERVE: usize = if cfg!(debug_assertions) { 36 << 10 } else { 20 << 10 };

/// The number of bytes of the stack that compiling a template takes for each level of nesting.
const COMPILE_LEVEL_BYTES: usize = if cfg!(debug_assertions) { 10 << 10 } else { 4 << 10 };

/// The nesting up to which the stack is not looked at.
pub(crate) const SHALLOW: usize = 3;

/// What reading or writing a file may need: a value as deep as a file can have, in all functions that walk it.
#[cfg(feature = "python")]
const FILE_BYTES: usize = 256 << 10;

/// Does the work on a thread of its own if the stack of this one has too little room to read or write files.
#[cfg(feature = "python")]
pub(crate) fn with_room<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if stacker::remaining_stack().is_none_or(|left| left >= FILE_BYTES) {
        return work();
    }
    let mut waiting = Some(work);
    let ended = thread::scope(|scope| {
        let run = || waiting.take().map(|work| work());
        // The thread itself takes some of its stack.
        let started = thread::Builder::new().stack_size(2 * FILE_BYTES).spawn_scoped(scope, run);
        started.ok().map(thread::ScopedJoinHandle::join)
    });
    match ended {
        Some(Ok(Some(done))) => done,
        Some(Err(panicked)) => panic::resume_unwind(panicked),
        // The system has no thread left.
        Some(Ok(None)) | None => waiting.map(|work| work()).expect("nobody has done the work"),
    }
}

/// The number of levels of a template around another that can be compiled on this thread.
pub(crate) fn levels_to_compile() -> usize {
    let levels = |left: usize| left.saturating_sub(RESERVE) / COMPILE_LEVEL_BYTES;
    stacker::remaining_stack().map_or(usize::MAX, |left| levels(left).max(SHALLOW - 1))
}

/// Checks that the stack has room for another level of nesting.
///
/// # Errors
/// Of this kind, if it has not.
#[inline]
pub(crate) fn check(depth: usize, kind: Kind) -> Result<()> {
    let is_full = depth > SHALLOW && stacker::remaining_stack().is_some_and(|left| left < RESERVE);
    if is_full { Err(full(kind)) } else { Ok(()) }
}

/// The error for nesting that the stack of the thread cannot hold.
#[cold]
pub(crate) fn full(kind: Kind) -> Error {
    Error::new(kind, "templates or values are nested deeper than the stack of this thread can hold")
        .with_hint("give the thread a larger stack, such as by `threading.stack_size(1024 * 1024)`")
}
