//! `Metrics`: counts of renders, and `CountedRegistry`: renders that count themselves, without a call of Python code.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::arguments;
use super::registry::{PyRegistry, which};
use super::text::PyText;
use crate::observe::exposition::{COUNTERS, DURATION, prometheus_text};
use crate::observe::history::{Micros, PromptCounts};
use crate::observe::metrics::{BUCKETS, Metrics, MetricsReport, PromptSeries};
use crate::prompt::Compiled;

/// What a `MetricsCollector` counts.
#[pyclass(frozen, name = "Metrics", module = "prompt_manager._native")]
pub struct PyMetrics {
    metrics: Arc<Metrics>,
}

/// The time now. A clock before 1970 counts as 1970.
fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}

#[pymethods]
impl PyMetrics {
    #[new]
    fn new(max_prompts: usize) -> Self {
        Self { metrics: Arc::new(Metrics::new(max_prompts)) }
    }

    fn record_render(
        &self,
        #[pyo3(from_py_with = arguments::metadata)] prompt_id: &str,
        #[pyo3(from_py_with = arguments::metadata)] version: &str,
        duration_ms: f64,
        success: bool,
    ) -> PyResult<()> {
        check_duration(duration_ms)?;
        self.metrics.record_render(prompt_id, version, duration_ms, success, now());
        Ok(())
    }

    fn record_batch(
        &self,
        #[pyo3(from_py_with = arguments::metadata)] prompt_id: &str,
        #[pyo3(from_py_with = arguments::metadata)] version: &str,
        rows: u64,
        errors: u64,
        duration_ms: f64,
    ) -> PyResult<()> {
        check_duration(duration_ms)?;
        self.metrics.record_batch(prompt_id, version, rows, errors, duration_ms, now());
        Ok(())
    }

    fn record_cache(
        &self,
        #[pyo3(from_py_with = arguments::metadata)] prompt_id: &str,
        #[pyo3(from_py_with = arguments::optional_metadata)] version: Option<&str>,
        hit: bool,
    ) {
        self.metrics.record_cache(prompt_id, version, hit, now());
    }

    fn reset(&self) {
        self.metrics.reset();
    }

    /// The report since this time, in microseconds since 1970, or since the start.
    #[pyo3(signature = (since = None))]
    fn report<'py>(&self, py: Python<'py>, since: Option<Micros>) -> PyResult<Bound<'py, PyDict>> {
        let report = py.detach(|| self.metrics.report(since));
        report_dict(py, &report)
    }

    /// All metrics in the text format of Prometheus.
    fn prometheus_text(&self, py: Python<'_>) -> String {
        py.detach(|| prometheus_text(&self.metrics))
    }

    /// All metrics for a client library: the counters, each as name, description and samples, and the histogram as name,
    /// description and series. Each sample and series begins with the id and the version.
    fn families<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyAny>)> {
        let series = py.detach(|| self.metrics.series());
        let counters = PyList::empty(py);
        for (name, help, read) in COUNTERS {
            let samples: Vec<_> = series.iter().map(|one| (labels(one), read(one))).collect();
            counters.append((name, help, samples))?;
        }
        let histograms: Vec<_> = series.iter().map(|one| (labels(one), buckets(one), one.seconds)).collect();
        let (name, help) = DURATION;
        Ok((counters, (name, help, histograms).into_pyobject(py)?.into_any()))
    }
}

fn check_duration(duration: f64) -> PyResult<()> {
    if duration.is_finite() && duration >= 0.0 {
        Ok(())
    } else {
        Err(PyValueError::new_err(format!("duration_ms must be 0 or more, not {duration}")))
    }
}

fn labels(series: &PromptSeries) -> (&str, &str) {
    (&series.id, series.version.as_deref().unwrap_or_default())
}

/// The buckets of a series, each as its upper bound and the number of renders below.
fn buckets(series: &PromptSeries) -> Vec<(String, u64)> {
    let mut below = 0;
    let mut found: Vec<(String, u64)> = BUCKETS
        .iter()
        .zip(series.buckets)
        .map(|(bound, count)| {
            below += count;
            (bound.to_string(), below)
        })
        .collect();
    found.push(("+Inf".to_owned(), series.timed));
    found
}

#[allow(clippy::cast_precision_loss, reason = "the quotient is rounded anyway")]
fn ratio(part: f64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part / whole as f64 }
}

fn report_dict<'py>(py: Python<'py>, report: &MetricsReport) -> PyResult<Bound<'py, PyDict>> {
    let PromptCounts { renders, errors, cache_hits, cache_misses, .. } = report.total;
    let time = |time: Option<Micros>| {
        time.and_then(|time| jiff::Timestamp::from_microsecond(time).ok()).map(|time| time.to_string())
    };
    let summary = PyDict::new(py);
    summary.set_item("total_renders", renders)?;
    summary.set_item("total_errors", errors)?;
    summary.set_item("total_cache_hits", cache_hits)?;
    summary.set_item("total_cache_misses", cache_misses)?;
    #[allow(clippy::cast_precision_loss, reason = "the quotient is rounded anyway")]
    summary.set_item("cache_hit_rate", ratio(cache_hits as f64, cache_hits + cache_misses))?;
    summary.set_item("first_render", time(report.renders.map(|(first, _)| first)))?;
    summary.set_item("last_render", time(report.renders.map(|(_, last)| last)))?;
    let performance = PyDict::new(py);
    for (name, value) in ["avg", "min", "max", "p50", "p95", "p99"].into_iter().zip(report.durations) {
        performance.set_item(format!("{name}_duration_ms"), value)?;
    }
    let per_prompt = PyList::empty(py);
    for (name, counts) in &report.prompts {
        let prompt = PyDict::new(py);
        prompt.set_item("prompt", name)?;
        prompt.set_item("renders", counts.renders)?;
        prompt.set_item("errors", counts.errors)?;
        prompt.set_item("cache_hits", counts.cache_hits)?;
        prompt.set_item("cache_misses", counts.cache_misses)?;
        prompt.set_item("avg_duration_ms", ratio(counts.duration, counts.renders))?;
        per_prompt.append(prompt)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("summary", summary)?;
    dict.set_item("performance", performance)?;
    dict.set_item("per_prompt", per_prompt)?;
    Ok(dict)
}

/// A registry whose renders are counted.
#[pyclass(frozen, name = "CountedRegistry", module = "prompt_manager._native")]
pub struct PyCountedRegistry {
    registry: Py<PyRegistry>,
    metrics: Vec<Arc<Metrics>>,
}

impl PyCountedRegistry {
    /// Counts a render. An id or label that does not exist is not counted, because no render began.
    fn counted<T>(&self, compiled: &Compiled<PyText>, render: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        let start = Instant::now();
        let rendered = render();
        let duration = start.elapsed().as_secs_f64() * 1000.0;
        let (id, version, now) = (compiled.prompt().id.as_str(), compiled.version_text(), now());
        for metrics in &self.metrics {
            metrics.record_render(id, version, duration, rendered.is_ok(), now);
        }
        rendered
    }
}

#[pymethods]
impl PyCountedRegistry {
    #[new]
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn new(registry: Py<PyRegistry>, metrics: Vec<Bound<'_, PyMetrics>>) -> Self {
        let metrics = metrics.iter().map(|metrics| Arc::clone(&metrics.get().metrics)).collect();
        Self { registry, metrics }
    }

    /// [`PyRegistry::render`].
    #[pyo3(signature = (id, variables, *, version = None, label = None, output_instructions = true))]
    pub(super) fn render<'py>(
        &self,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        variables: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<&str>,
        output_instructions: bool,
    ) -> PyResult<Bound<'py, PyString>> {
        let registry = self.registry.get();
        let compiled = registry.compiled(variables.py(), id, which(version, label)?)?;
        self.counted(&compiled, || registry.text_of(&compiled, variables, output_instructions))
    }

    /// [`PyRegistry::render_messages`].
    #[pyo3(signature = (id, variables, *, version = None, label = None, output_instructions = true))]
    fn render_messages<'py>(
        &self,
        #[pyo3(from_py_with = arguments::id)] id: &str,
        variables: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = arguments::optional_version)] version: Option<&str>,
        #[pyo3(from_py_with = arguments::optional_label)] label: Option<&str>,
        output_instructions: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let registry = self.registry.get();
        let compiled = registry.compiled(variables.py(), id, which(version, label)?)?;
        let handle = registry.handle(&compiled);
        self.counted(&compiled, || handle.render_messages(variables, output_instructions))
    }
}
