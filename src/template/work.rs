//! Counts the work that a render does inside large values, such as writing one as JSON.
//!
//! The renderer counts tags and iterations. A single tag can walk a value of any size, so the data counts each item that
//! it visits there, checks the limit and lets the user interrupt.

use std::cell::Cell;

use crate::error::{Error, Kind, Result};

/// The number of steps between two checks of whether the user interrupted the render.
const CHECK_EVERY: u64 = 0x1000;

/// The work of one render inside values, in steps.
#[derive(Debug)]
pub struct WorkMeter {
    limit: u64,
    done: Cell<u64>,
    /// The number of steps at which the limit and interrupts are checked next.
    next_check: Cell<u64>,
    /// What [`WorkMeter::take`] has returned.
    taken: Cell<u64>,
}

impl WorkMeter {
    /// A meter that allows this many steps.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        let next_check = Cell::new(CHECK_EVERY.min(limit));
        Self { limit, done: Cell::new(0), next_check, taken: Cell::new(0) }
    }

    /// The steps since the last call.
    #[must_use]
    pub fn take(&self) -> u64 {
        let done = self.done.get();
        done - self.taken.replace(done)
    }

    /// Counts steps. `check_interrupt` is called from time to time.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`] if the limit is exceeded, or the error of `check_interrupt`.
    #[inline]
    pub fn count(&self, steps: u64, check_interrupt: impl FnOnce() -> Result<()>) -> Result<()> {
        let done = self.done.get().saturating_add(steps);
        self.done.set(done);
        if done < self.next_check.get() {
            return Ok(());
        }
        self.check_limit()?;
        check_interrupt()
    }

    #[cold]
    fn check_limit(&self) -> Result<()> {
        let (done, limit) = (self.done.get(), self.limit);
        if done > limit {
            let message = format!("the render exceeded the limit of {limit} steps");
            return Err(Error::new(Kind::TemplateRender, message)
                .with_hint("render less data at once, or raise limits.steps"));
        }
        self.next_check.set(done.saturating_add(CHECK_EVERY).min(limit.saturating_add(1)));
        Ok(())
    }
}
