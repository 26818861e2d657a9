//! Slow renders, as `tracing` events. A program that reads no events pays one comparison for each render.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing::Level;

use crate::prompt::Prompt;

/// A render that takes at least this many microseconds is slow. The default is 100 milliseconds.
static SLOW: AtomicU64 = AtomicU64::new(100_000);

/// Sets how long a render must take to be slow.
pub fn set_slow(time: Duration) {
    SLOW.store(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Calls `render`, and emits a `tracing` event if it was slow.
pub fn watched<R>(prompt: &Prompt, render: impl FnOnce() -> R) -> R {
    if !tracing::level_enabled!(Level::WARN) {
        return render();
    }
    let start = Instant::now();
    let rendered = render();
    let time = start.elapsed();
    if time >= Duration::from_micros(SLOW.load(Ordering::Relaxed)) {
        let duration_ms = time.as_secs_f64() * 1000.0;
        tracing::warn!(prompt = %prompt.id, version = %prompt.version, duration_ms, "slow render");
    }
    rendered
}
