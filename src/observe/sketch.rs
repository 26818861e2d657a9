//! `DurationSketch`: a histogram of durations in bounded memory, from which quantiles are read.
//!
//! The upper bound of each bucket is a fixed factor above that of the bucket before, so that every duration of a bucket
//! is within [`RELATIVE_ERROR`] of the value that represents its bucket. There are at most about 1,900 buckets, and memory
//! is used only for those between the shortest and the longest duration. Sum, minimum and maximum are exact.

/// The largest relative error of a quantile.
pub const RELATIVE_ERROR: f64 = 0.009;

/// The upper bound of a bucket divided by that of the bucket before.
const GROWTH: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);

/// The upper bound of the first bucket in milliseconds: a nanosecond.
const SMALLEST: f64 = 1e-6;

/// The bound above which durations share a bucket: 11 days.
const LARGEST: f64 = 1e9;

/// Durations in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct DurationSketch {
    /// The number of durations in each bucket, from the bucket `first` on.
    counts: Vec<u64>,
    first: usize,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the logarithm is between 0 and 2,000"
)]
fn bucket_of(duration: f64) -> usize {
    if duration <= SMALLEST {
        return 0;
    }
    ((duration.min(LARGEST) / SMALLEST).ln() / GROWTH.ln()).ceil() as usize
}

/// The value that represents a bucket: as far from its lower bound as from its upper one, relatively. Durations of less than
/// a nanosecond count as none.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are 2,000 buckets")]
fn value_of(bucket: usize) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    SMALLEST * GROWTH.powi(bucket as i32) * 2.0 / (GROWTH + 1.0)
}

impl DurationSketch {
    /// Adds a duration.
    pub fn add(&mut self, duration: f64) {
        if self.count == 0 {
            (self.min, self.max) = (duration, duration);
        } else {
            (self.min, self.max) = (self.min.min(duration), self.max.max(duration));
        }
        self.count += 1;
        self.sum += duration;
        *self.place(bucket_of(duration)) += 1;
    }

    /// The count of a bucket, for which memory is made.
    fn place(&mut self, bucket: usize) -> &mut u64 {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            let missing = self.first - bucket;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = bucket;
        }
        let index = bucket - self.first;
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        &mut self.counts[index]
    }

    /// Adds all durations of another sketch.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            self.clone_from(other);
            return;
        }
        for (index, count) in other.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            *self.place(other.first + index) += count;
        }
        self.count += other.count;
        self.sum += other.sum;
        (self.min, self.max) = (self.min.min(other.min), self.max.max(other.max));
    }

    /// The shortest duration; 0 if there is none.
    #[must_use]
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The longest duration; 0 if there is none.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The mean duration; 0 if there is none.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "the quotient is rounded anyway")]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// The shortest duration that is at least as long as this part of all durations, within [`RELATIVE_ERROR`]; 0 if there
    /// is none. So the highest quantiles of few durations are their maximum.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank is at most the count"
    )]
    pub fn quantile(&self, part: f64) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let rank = ((part * self.count as f64).ceil() as u64).max(1);
        if rank == 1 {
            return self.min;
        }
        if rank >= self.count {
            return self.max;
        }
        let mut below = 0;
        for (index, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= rank {
                return value_of(self.first + index).clamp(self.min, self.max);
            }
        }
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator, so that the test needs no crate and always sees the same numbers.
    fn numbers(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            #[allow(clippy::cast_precision_loss)]
            let number = (state >> 11) as f64 / (1_u64 << 53) as f64;
            number
        }
    }

    #[test]
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn quantiles_are_within_one_percent() {
        let shapes: [fn(f64) -> f64; 4] = [
            |x| x * 10.0,
            |x| 1e-6 - x.max(1e-12).ln() * 0.002,
            |x| 1e-5 * 1e10_f64.powf(x),
            |x| 1.0 + x.floor(),
        ];
        for (seed, shape) in (1..).zip(shapes) {
            let (mut sketch, mut all, mut next) = (DurationSketch::default(), Vec::new(), numbers(seed));
            for _ in 0..20_000 {
                let duration = shape(next());
                sketch.add(duration);
                all.push(duration);
            }
            all.sort_by(f64::total_cmp);
            for part in [0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
                let exact = all[((part * all.len() as f64).ceil() as usize).max(1) - 1];
                let error = (sketch.quantile(part) - exact).abs() / exact.max(SMALLEST);
                assert!(
                    error <= 0.01,
                    "{part} of shape {seed}: {} instead of {exact}",
                    sketch.quantile(part)
                );
            }
        }
    }

    #[test]
    fn merged_sketches_equal_one_sketch() {
        let (mut whole, mut left, mut right) =
            (DurationSketch::default(), DurationSketch::default(), DurationSketch::default());
        for (index, duration) in [3.0, 0.5, 1e-9, 7e12, 0.0, 40.0].into_iter().enumerate() {
            whole.add(duration);
            if index % 2 == 0 { left.add(duration) } else { right.add(duration) }
        }
        left.merge(&right);
        left.merge(&DurationSketch::default());
        assert_eq!((left.count, left.min, left.max), (whole.count, whole.min, whole.max));
        for part in [0.0, 0.3, 0.5, 0.8, 1.0] {
            assert!((left.quantile(part) - whole.quantile(part)).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn memory_is_bounded_for_any_durations() {
        let mut sketch = DurationSketch::default();
        for power in -400..400 {
            sketch.add(10_f64.powi(power).min(f64::MAX));
        }
        assert!(sketch.counts.len() < 2_000, "{} buckets", sketch.counts.len());
    }
}
