//! Counts by time, so that "since" can be answered in bounded memory.
//!
//! Every record goes into the window of its minute. A window that is older than an hour is added to the window of its
//! hour, an hour that is older than two days to that of its day, and a day that is older than a month to one window for
//! everything before. All windows together hold each record once.

use std::collections::VecDeque;

use super::sketch::DurationSketch;
use crate::hash::HashMap;

/// Microseconds since 1970, in UTC.
pub type Micros = i64;

/// One second.
pub const SECOND: Micros = 1_000_000;
const MINUTE: Micros = 60 * SECOND;
const HOUR: Micros = 60 * MINUTE;
const DAY: Micros = 24 * HOUR;

/// How long each kind of window lasts, and after what time it is added to the next kind.
const KINDS: [(Micros, Micros); 3] = [(MINUTE, HOUR), (HOUR, 2 * DAY), (DAY, 31 * DAY)];

/// What is counted of one prompt version.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PromptCounts {
    /// Renders that succeeded.
    pub renders: u64,
    /// Renders that failed.
    pub errors: u64,
    /// Results that came from the cache.
    pub cache_hits: u64,
    /// Results that were not in the cache.
    pub cache_misses: u64,
    /// The time of the renders that succeeded, in milliseconds.
    pub duration: f64,
}

impl PromptCounts {
    /// Adds other counts.
    pub fn add(&mut self, other: &Self) {
        self.renders += other.renders;
        self.errors += other.errors;
        self.cache_hits += other.cache_hits;
        self.cache_misses += other.cache_misses;
        self.duration += other.duration;
    }
}

/// What was counted in a span of time.
#[derive(Debug, Clone, Default)]
pub struct Window {
    /// When it begins.
    start: Micros,
    /// When the last minute ends that has a record.
    end: Micros,
    /// The counts by the index of the prompt version.
    pub counts: HashMap<usize, PromptCounts>,
    /// The durations of renders that succeeded.
    pub durations: DurationSketch,
    /// The times of the first and the last render.
    pub renders: Option<(Micros, Micros)>,
}

impl Window {
    fn at(start: Micros) -> Self {
        Self { start, end: start + MINUTE, ..Self::default() }
    }

    /// Adds everything of another window.
    fn merge(&mut self, other: &Self) {
        for (prompt, counts) in &other.counts {
            self.counts.entry(*prompt).or_default().add(counts);
        }
        self.end = self.end.max(other.end);
        self.durations.merge(&other.durations);
        if let Some((first, last)) = other.renders {
            self.note_render(first);
            self.note_render(last);
        }
    }

    /// Notes the time of a render.
    pub fn note_render(&mut self, time: Micros) {
        let (first, last) = self.renders.unwrap_or((time, time));
        self.renders = Some((first.min(time), last.max(time)));
    }
}

/// All windows.
#[derive(Debug, Default)]
pub struct WindowHistory {
    /// The windows of each of the [`KINDS`], the oldest first.
    windows: [VecDeque<Window>; KINDS.len()],
    /// Everything before.
    before: Window,
}

impl WindowHistory {
    /// The window for a record at this time.
    pub fn window(&mut self, now: Micros) -> &mut Window {
        let start = now.div_euclid(MINUTE) * MINUTE;
        // If the clock was set back, the last window stays the current one.
        if self.windows[0].back().is_none_or(|last| last.start < start) {
            self.age(now);
            self.windows[0].push_back(Window::at(start));
        }
        let last = self.windows[0].len() - 1;
        &mut self.windows[0][last]
    }

    /// Adds windows that are old to those of the next kind.
    fn age(&mut self, now: Micros) {
        for (kind, (length, age)) in KINDS.into_iter().enumerate() {
            while let Some(oldest) =
                self.windows[kind].pop_front_if(|oldest| oldest.start + length + age <= now)
            {
                let Some((length, _)) = KINDS.get(kind + 1) else {
                    self.before.merge(&oldest);
                    continue;
                };
                let start = oldest.start.div_euclid(*length) * length;
                let next = &mut self.windows[kind + 1];
                if next.back().is_none_or(|last| last.start < start) {
                    next.push_back(Window { start, ..Window::default() });
                }
                if let Some(last) = next.back_mut() {
                    last.merge(&oldest);
                }
            }
        }
    }

    /// Everything that was counted since this time. A window that began before it and ended after it counts as a whole.
    #[must_use]
    pub fn since(&self, since: Option<Micros>) -> Window {
        let mut sum = Window::default();
        for window in self.windows.iter().flatten().chain([&self.before]) {
            if since.is_none_or(|since| since < window.end) {
                sum.merge(window);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Micros = 1_800_000_000 * SECOND;

    fn filled(every: Micros, times: i64) -> WindowHistory {
        let mut history = WindowHistory::default();
        for n in 0..times {
            let now = START + n * every;
            let window = history.window(now);
            window.counts.entry(0).or_default().renders += 1;
            window.durations.add(1.0);
            window.note_render(now);
        }
        history
    }

    fn renders(window: &Window) -> u64 {
        window.counts.values().map(|counts| counts.renders).sum()
    }

    #[test]
    fn no_record_is_lost_or_counted_twice() {
        for (every, times) in [(SECOND, 10_000), (MINUTE, 10_000), (HOUR, 5_000), (DAY, 400), (90 * DAY, 9)] {
            let history = filled(every, times);
            let all = history.since(None);
            assert_eq!(renders(&all), times.unsigned_abs());
            assert_eq!(all.renders, Some((START, START + (times - 1) * every)));
            assert_eq!(renders(&history.since(Some(START - 1000 * DAY))), times.unsigned_abs());
            assert_eq!(renders(&history.since(Some(START + times * every + DAY))), 0);
        }
    }

    #[test]
    fn since_is_right_to_the_minute_in_the_last_hour() {
        let history = filled(MINUTE, 10_000);
        for minutes in 0..60 {
            let since = START + (9_999 - minutes) * MINUTE;
            assert_eq!(renders(&history.since(Some(since))), 1 + minutes.unsigned_abs());
        }
    }

    #[test]
    fn since_is_right_to_the_hour_in_the_last_two_days() {
        let history = filled(MINUTE, 10_000);
        for hours in 2..48 {
            let counted = renders(&history.since(Some(START + 9_999 * MINUTE - hours * HOUR)));
            let least = 60 * hours.unsigned_abs();
            assert!((least..=least + 60).contains(&counted), "{counted} in {hours} hours");
        }
    }

    #[test]
    fn the_number_of_windows_is_bounded() {
        let history = filled(MINUTE, 200_000);
        let windows: Vec<usize> = history.windows.iter().map(VecDeque::len).collect();
        assert!(windows[0] <= 61 && windows[1] <= 49 && windows[2] <= 33, "{windows:?}");
    }

    #[test]
    fn a_clock_that_is_set_back_loses_nothing() {
        let mut history = filled(MINUTE, 10);
        history.window(START - DAY).counts.entry(0).or_default().renders += 1;
        assert_eq!(renders(&history.since(None)), 11);
    }
}
