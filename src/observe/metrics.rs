//! `Metrics`: counts and durations of renders by prompt version, in bounded memory, for any number of threads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::history::{Micros, PromptCounts, WindowHistory};
use crate::hash::HashMap;

/// The upper bounds of the buckets of [`PromptSeries::buckets`], in seconds. A render takes a few microseconds; a plugin or
/// an async observer can make it take longer.
pub const BUCKETS: [f64; 16] =
    [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 2.5e-2, 0.1, 1.0, 10.0];

/// The id and the version that represent all prompt versions beyond the largest number that is counted apart.
pub const OTHERS: &str = "*";

/// The metrics of an application.
#[derive(Debug)]
pub struct Metrics {
    state: Mutex<MetricsState>,
    max_prompts: usize,
}

#[derive(Debug, Default)]
struct MetricsState {
    /// The position of each prompt version in `series`, by id and version.
    places: HashMap<Box<str>, HashMap<Box<str>, usize>>,
    series: Vec<PromptSeries>,
    history: WindowHistory,
}

/// Everything that was counted of one prompt version.
#[derive(Debug, Clone)]
pub struct PromptSeries {
    /// The id of the prompt.
    pub id: Arc<str>,
    /// Its version. `None` for what was counted without one.
    pub version: Option<Arc<str>>,
    /// The counts.
    pub counts: PromptCounts,
    /// The number of renders that took at most the time of each of the [`BUCKETS`], and longer than the one before.
    pub buckets: [u64; BUCKETS.len()],
    /// The number of renders whose time was measured. The rows of a batch are not among them, because a batch is
    /// measured as a whole.
    pub timed: u64,
    /// The time of those renders, in seconds.
    pub seconds: f64,
}

impl PromptSeries {
    /// `id:version`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.version {
            Some(version) => format!("{}:{version}", self.id),
            None => self.id.to_string(),
        }
    }

    fn note_time(&mut self, seconds: f64) {
        self.timed += 1;
        self.seconds += seconds;
        if let Some(count) = self.buckets.get_mut(BUCKETS.partition_point(|bound| *bound < seconds)) {
            *count += 1;
        }
    }
}

/// The metrics of a span of time.
#[derive(Debug, Clone, Default)]
pub struct MetricsReport {
    /// The sum over all prompts.
    pub total: PromptCounts,
    /// The times of the first and the last render.
    pub renders: Option<(Micros, Micros)>,
    /// The mean, minimum, maximum, median, and the 95th and 99th percentile of the durations, in milliseconds.
    pub durations: [f64; 6],
    /// The counts of each prompt version, by name, sorted.
    pub prompts: Vec<(String, PromptCounts)>,
}

impl Metrics {
    /// Metrics that count at most `max_prompts` prompt versions apart.
    #[must_use]
    pub fn new(max_prompts: usize) -> Self {
        Self { state: Mutex::default(), max_prompts }
    }

    fn state(&self) -> MutexGuard<'_, MetricsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a render. `duration` is in milliseconds; that of a failed render is not counted.
    pub fn record_render(&self, id: &str, version: &str, duration: f64, success: bool, now: Micros) {
        let counts = if success {
            PromptCounts { renders: 1, duration, ..PromptCounts::default() }
        } else {
            PromptCounts { errors: 1, ..PromptCounts::default() }
        };
        let mut state = self.state();
        let place = state.place(id, Some(version), self.max_prompts);
        let window = state.history.window(now);
        window.note_render(now);
        window.counts.entry(place).or_default().add(&counts);
        if success {
            window.durations.add(duration);
            state.series[place].note_time(duration / 1000.0);
        }
        state.series[place].counts.add(&counts);
    }

    /// Counts a batch: rows that were rendered, rows that failed, and the time for all, in milliseconds.
    pub fn record_batch(&self, id: &str, version: &str, rows: u64, errors: u64, duration: f64, now: Micros) {
        let counts = PromptCounts { renders: rows, errors, duration, ..PromptCounts::default() };
        let mut state = self.state();
        let place = state.place(id, Some(version), self.max_prompts);
        let window = state.history.window(now);
        window.note_render(now);
        window.counts.entry(place).or_default().add(&counts);
        state.series[place].counts.add(&counts);
    }

    /// Counts a look into the cache.
    pub fn record_cache(&self, id: &str, version: Option<&str>, hit: bool, now: Micros) {
        let counts = PromptCounts {
            cache_hits: u64::from(hit),
            cache_misses: u64::from(!hit),
            ..PromptCounts::default()
        };
        let mut state = self.state();
        let place = state.place(id, version, self.max_prompts);
        state.history.window(now).counts.entry(place).or_default().add(&counts);
        state.series[place].counts.add(&counts);
    }

    /// Forgets everything.
    pub fn reset(&self) {
        *self.state() = MetricsState::default();
    }

    /// What was counted since this time, or since the start.
    #[must_use]
    pub fn report(&self, since: Option<Micros>) -> MetricsReport {
        let state = self.state();
        let window = state.history.since(since);
        let mut report = MetricsReport { renders: window.renders, ..MetricsReport::default() };
        for (place, counts) in &window.counts {
            report.total.add(counts);
            report.prompts.push((state.series[*place].name(), *counts));
        }
        drop(state);
        report.prompts.sort_by(|left, right| left.0.cmp(&right.0));
        let durations = &window.durations;
        report.durations = [
            durations.mean(),
            durations.min(),
            durations.max(),
            durations.quantile(0.5),
            durations.quantile(0.95),
            durations.quantile(0.99),
        ];
        report
    }

    /// Everything that was counted since the start, by prompt version, sorted.
    #[must_use]
    pub fn series(&self) -> Vec<PromptSeries> {
        let mut series = self.state().series.clone();
        series.sort_by(|left, right| (&left.id, &left.version).cmp(&(&right.id, &right.version)));
        series
    }
}

impl MetricsState {
    fn place(&mut self, id: &str, version: Option<&str>, max_prompts: usize) -> usize {
        // An empty version means none, because a version is never empty.
        let key = version.unwrap_or_default();
        if let Some(place) = self.places.get(id).and_then(|versions| versions.get(key)) {
            return *place;
        }
        if self.series.len() >= max_prompts && id != OTHERS {
            return self.place(OTHERS, Some(OTHERS), max_prompts);
        }
        let place = self.series.len();
        self.places.entry(id.into()).or_default().insert(key.into(), place);
        self.series.push(PromptSeries {
            id: id.into(),
            version: version.map(Arc::from),
            counts: PromptCounts::default(),
            buckets: [0; BUCKETS.len()],
            timed: 0,
            seconds: 0.0,
        });
        place
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn counts_are_exact_under_sixteen_threads() {
        let metrics = Metrics::new(10);
        thread::scope(|scope| {
            for thread in 0..16_u32 {
                let metrics = &metrics;
                scope.spawn(move || {
                    for n in 0..1_000_u32 {
                        let id = if n % 2 == 0 { "even" } else { "odd" };
                        metrics.record_render(id, "1.0.0", f64::from(thread + 1), n % 10 != 0, i64::from(n));
                        metrics.record_cache(id, Some("1.0.0"), n % 4 == 0, i64::from(n));
                    }
                });
            }
        });
        let report = metrics.report(None);
        assert_eq!((report.total.renders, report.total.errors), (14_400, 1_600));
        assert_eq!((report.total.cache_hits, report.total.cache_misses), (4_000, 12_000));
        let names: Vec<&str> = report.prompts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["even:1.0.0", "odd:1.0.0"]);
        assert_eq!(report.prompts[1].1.renders, 8_000);
        assert!((report.durations[1] - 1.0).abs() < 1e-9 && (report.durations[2] - 16.0).abs() < 1e-9);
    }

    #[test]
    fn prompts_beyond_the_limit_are_counted_together() {
        let metrics = Metrics::new(3);
        for n in 0..1_000 {
            metrics.record_render(&format!("p{n}"), "1.0.0", 1.0, true, 0);
        }
        let report = metrics.report(None);
        assert_eq!(report.total.renders, 1_000);
        assert_eq!(report.prompts.len(), 4);
        assert_eq!((report.prompts[0].0.as_str(), report.prompts[0].1.renders), ("*:*", 997));
    }

    #[test]
    fn an_id_with_a_colon_is_not_mixed_up() {
        let metrics = Metrics::new(10);
        metrics.record_render("a:b", "c", 1.0, true, 0);
        metrics.record_render("a", "b:c", 1.0, true, 0);
        assert_eq!(metrics.series().len(), 2);
    }

    #[test]
    fn reset_forgets_everything() {
        let metrics = Metrics::new(10);
        metrics.record_render("a", "1.0.0", 1.0, true, 0);
        metrics.reset();
        let report = metrics.report(None);
        assert_eq!((report.total, report.renders, report.prompts.len()), (PromptCounts::default(), None, 0));
        assert!(metrics.series().is_empty());
    }
}
