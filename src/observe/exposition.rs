//! Metrics as text for Prometheus, in its exposition format 0.0.4.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write as _;

use super::metrics::{BUCKETS, Metrics, PromptSeries};

/// A count of each prompt version: the name of the metric, its description, and how to read it.
type Counter = (&'static str, &'static str, fn(&PromptSeries) -> u64);

/// The counters.
pub const COUNTERS: [Counter; 4] = [
    ("prompt_manager_renders", "Renders that succeeded.", |series| series.counts.renders),
    ("prompt_manager_render_errors", "Renders that failed.", |series| series.counts.errors),
    ("prompt_manager_cache_hits", "Renders whose result came from the cache.", |series| {
        series.counts.cache_hits
    }),
    ("prompt_manager_cache_misses", "Renders whose result was not in the cache.", |series| {
        series.counts.cache_misses
    }),
];

/// The name and the description of the histogram.
pub const DURATION: (&str, &str) =
    ("prompt_manager_render_duration_seconds", "The time of renders that succeeded.");

/// All metrics as text.
#[must_use]
pub fn prometheus_text(metrics: &Metrics) -> String {
    let series = metrics.series();
    let mut text = String::new();
    for (name, help, read) in COUNTERS {
        header(&mut text, &format!("{name}_total"), help, "counter");
        for one in &series {
            let _ = writeln!(text, "{name}_total{{{}}} {}", labels(one), read(one));
        }
    }
    let (name, help) = DURATION;
    header(&mut text, name, help, "histogram");
    for one in &series {
        write_histogram(&mut text, name, one);
    }
    text
}

fn header(text: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn write_histogram(text: &mut String, name: &str, series: &PromptSeries) {
    let labels = labels(series);
    let mut below = 0;
    for (bound, count) in BUCKETS.iter().zip(series.buckets) {
        below += count;
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {below}");
    }
    let PromptSeries { timed, seconds, .. } = series;
    let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {timed}");
    let _ = writeln!(text, "{name}_sum{{{labels}}} {seconds}");
    let _ = writeln!(text, "{name}_count{{{labels}}} {timed}");
}

fn labels(series: &PromptSeries) -> String {
    let version = series.version.as_deref().unwrap_or_default();
    format!("prompt=\"{}\",version=\"{}\"", escaped(&series.id), escaped(version))
}

/// The value of a label between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
