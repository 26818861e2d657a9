//! Numbers for rules and conversions: exact integers and floats, which can be compared with each other.

use std::cmp::Ordering;

use serde_json::Number;

/// A number. Whole numbers are exact.
#[derive(Debug, Clone, Copy)]
pub enum NumericValue {
    /// A whole number.
    Integer(i128),
    /// Any other number, and whole numbers that are too large for an `i128`.
    Float(f64),
}

impl NumericValue {
    /// Converts a JSON number, such as the bound of a rule.
    #[must_use]
    pub fn of(number: &Number) -> Self {
        match number.as_i128() {
            Some(whole) => Self::Integer(whole),
            None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    /// The nearest float.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a float is asked for")]
    pub fn float(self) -> f64 {
        match self {
            Self::Integer(whole) => whole as f64,
            Self::Float(float) => float,
        }
    }
}

impl PartialEq for NumericValue {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for NumericValue {
    #[allow(clippy::cast_possible_truncation, reason = "the float is whole and in range")]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        /// Floats of this size or more are compared with integers by sign only. Smaller ones fit an `i128`.
        const EDGE: f64 = 1.0e38;
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            (Self::Integer(a), Self::Float(b)) if b.abs() < EDGE => {
                // The whole parts are compared first, because a float cannot hold every whole number.
                let whole = b.trunc();
                Some(a.cmp(&(whole as i128)).then(0.0.partial_cmp(&(b - whole))?))
            }
            (Self::Integer(_), Self::Float(b)) => 0.0.partial_cmp(b),
            (Self::Float(_), Self::Integer(_)) => other.partial_cmp(self).map(Ordering::reverse),
        }
    }
}
