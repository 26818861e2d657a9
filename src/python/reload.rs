//! What a reload of prompts changes in a registry, and what it reports.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::library::EngineState;
use super::schema::SharedSchemas;
use super::text::PyText;
use crate::error::Error;
use crate::store::{self, ExchangeResult};

/// The prompts of a registry, under the lock that renders read and writes take alone.
pub(super) type SharedRegistry = RwLock<store::Registry<PyText>>;

/// The registry that takes over what a source of prompts has, with its engine and schemas.
#[derive(Clone)]
pub(super) struct ReloadTarget {
    pub(super) prompts: Arc<SharedRegistry>,
    pub(super) shared: Arc<EngineState>,
    pub(super) schemas: Arc<SharedSchemas>,
    pub(super) writes: Arc<WriteLog>,
}

/// The result of a reload. `W` is a warning.
pub(super) struct ReloadReport<W> {
    pub(super) error: Option<Error>,
    pub(super) warnings: Vec<W>,
    /// The number of versions that the source has.
    pub(super) prompts: usize,
    /// What differs in the registry now.
    pub(super) result: ExchangeResult,
}

impl<W> ReloadReport<W> {
    pub(super) fn new() -> Self {
        Self { error: None, warnings: Vec::new(), prompts: 0, result: ExchangeResult::default() }
    }

    pub(super) fn failed(error: Error) -> Self {
        Self { error: Some(error), ..Self::new() }
    }
}

/// The writes of this process, so that a look at a storage that began before a write does not undo it.
///
/// A write changes the storage first and the registry second. So what a look finds is older than the registry only for
/// prompts that were written to the registry after the look began.
#[derive(Default)]
pub(super) struct WriteLog(Mutex<RecentWrites>);

#[derive(Default)]
pub(super) struct RecentWrites {
    /// Whether somebody looks at all, and the log is needed.
    is_needed: bool,
    count: u64,
    last: HashMap<String, u64>,
}

impl WriteLog {
    fn lock(&self) -> MutexGuard<'_, RecentWrites> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the log.
    pub(super) fn start(&self) {
        self.lock().is_needed = true;
    }

    /// Notes a write of these prompts. The caller holds the lock of the registry.
    pub(super) fn note<'i>(&self, ids: impl IntoIterator<Item = &'i str>) {
        let mut writes = self.lock();
        if writes.is_needed {
            writes.count += 1;
            let count = writes.count;
            writes.last.extend(ids.into_iter().map(|id| (id.to_owned(), count)));
        }
    }

    /// The moment at which a look begins.
    pub(super) fn now(&self) -> u64 {
        self.lock().count
    }

    /// The prompts that were written since this moment. Older writes are forgotten, because the look has seen them.
    pub(super) fn since(&self, start: u64) -> Vec<String> {
        let mut writes = self.lock();
        writes.last.retain(|_, count| *count > start);
        writes.last.keys().cloned().collect()
    }
}
