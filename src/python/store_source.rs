//! A storage in files as the source of a registry's prompts: each load takes over what other processes changed.

use std::sync::{Arc, PoisonError};

use super::reload::{ReloadReport, ReloadTarget};
use super::text::PyText;
use crate::error::{Error, Kind};
use crate::store::file::FileStore;
use crate::store::{StoreCache, StoreChange};

/// A storage, and what the registry took over from it.
pub(super) struct StoreSource {
    store: Arc<FileStore>,
    target: ReloadTarget,
    cache: StoreCache<PyText>,
    /// [`super::library::EngineState::registrations`] at the time when the prompts were compiled.
    registrations: u64,
    /// The moment at which the last look began.
    looked: u64,
    /// Whether the last look found a problem. Then the next one looks at everything, to see whether it is gone.
    has_failed: bool,
}

impl StoreSource {
    /// A storage that was not loaded yet.
    pub(super) fn new(store: Arc<FileStore>, target: ReloadTarget) -> Self {
        Self { store, target, cache: StoreCache::default(), registrations: 0, looked: 0, has_failed: false }
    }

    /// Takes over what changed. `None` if the storage tells that nothing changed.
    pub(super) fn load(&mut self) -> Option<ReloadReport<String>> {
        self.cache.outdate(&self.target.writes.since(self.looked));
        if !self.has_failed && self.store.is_unchanged(&self.cache) {
            return None;
        }
        let shared = &self.target.shared;
        let registrations = shared.registrations();
        if registrations != self.registrations {
            // A name may now be a helper, so everything is compiled again.
            self.registrations = registrations;
            self.cache.forget_files();
        }
        let start = self.target.writes.now();
        self.looked = start;
        let report = match self.store.look(&shared.options, shared, &self.cache) {
            Ok(change) => self.take_over(change, start),
            Err(error) => ReloadReport::failed(error),
        };
        self.has_failed = report.error.is_some();
        Some(report)
    }

    fn take_over(&mut self, mut change: StoreChange<PyText>, start: u64) -> ReloadReport<String> {
        let mut report = ReloadReport { prompts: change.versions, ..ReloadReport::new() };
        let mut prompts = self.target.prompts.write().unwrap_or_else(PoisonError::into_inner);
        let mut left_out = self.target.writes.since(start);
        // A prompt that this process registered differently stays, and is a problem of this prompt alone.
        for (id, error) in prompts.conflicts(&change.old, &change.new) {
            if !left_out.iter().any(|newer| newer == id.as_str()) {
                left_out.push(id.to_string());
                change.errors.push(error);
            }
        }
        change.leave_out(&left_out);
        report.error = self.sum_up(std::mem::take(&mut change.errors));
        report.warnings = std::mem::take(&mut change.warnings);
        match prompts.exchange(&change.old, change.new, change.labels) {
            Ok(result) => {
                report.result = result;
                self.cache = change.cache;
            }
            Err(error) => report.error = Some(error),
        }
        report
    }

    fn sum_up(&self, errors: Vec<Error>) -> Option<Error> {
        let root = self.store.root().display().to_string();
        let count = errors.len();
        let problems = if count == 1 { "a problem".to_owned() } else { format!("{count} problems") };
        let error = Error::new(Kind::StorageRead, format!("{problems} in {root}"));
        (count > 0).then(|| error.with_context("path", root).with_errors(errors))
    }
}
