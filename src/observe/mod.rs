//! What an application can see of its renders: counts, durations, and `tracing` events.

pub mod exposition;
pub mod history;
pub mod metrics;
pub mod sketch;
pub mod slow;
