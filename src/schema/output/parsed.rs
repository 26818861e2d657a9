//! The JSON of an answer.

/// A JSON value that keeps every digit of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits in 64 bits.
    Integer(i64),
    /// The digits of a larger whole number.
    Digits(String),
    /// Any other number; NaN and the infinities only as a repair.
    Float(f64),
    /// Text.
    Text(String),
    /// Items.
    List(Vec<Parsed>),
    /// Members in the order of the text.
    Dict(Vec<(String, Parsed)>),
}

impl Parsed {
    /// Converts to [`serde_json::Value`]. Numbers that it cannot hold become the nearest; NaN and infinity become null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::from(*truth),
            Self::Integer(whole) => Value::from(*whole),
            Self::Digits(digits) => {
                digits.parse::<u64>().map_or_else(|_| Value::from(digits.parse::<f64>().ok()), Value::from)
            }
            Self::Float(float) => Value::from(*float),
            Self::Text(text) => Value::from(text.as_str()),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Dict(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
            }
        }
    }
}
