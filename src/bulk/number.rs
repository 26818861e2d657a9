//! Compares and adds the numbers of Arrow columns, as Python does.

use std::cmp::Ordering;
use std::rc::Rc;

use arrow_buffer::i256;

use super::decimal::DecimalNumber;
use super::value::ArrowValue;
use crate::error::{Error, Kind, Result};
use crate::schema::numeric::NumericValue;

/// The number as an integer or a float. `None` for a value that is no number and no boolean.
pub(super) fn numeric_value(value: &ArrowValue<'_>) -> Option<NumericValue> {
    Some(match value {
        ArrowValue::Bool(truth) => NumericValue::Integer(i128::from(*truth)),
        ArrowValue::Integer(whole) => NumericValue::Integer((*whole).into()),
        ArrowValue::Digits(digits) => match digits.parse() {
            Ok(whole) => NumericValue::Integer(whole),
            Err(_) => NumericValue::Float(digits.parse().unwrap_or(f64::NAN)),
        },
        ArrowValue::Float(float) => NumericValue::Float(*float),
        ArrowValue::Decimal(decimal) => NumericValue::Float(decimal.to_f64()),
        _ => return None,
    })
}

/// The order of two numbers by their exact values. `None` if one is NaN, or is no number.
pub(super) fn order(a: &ArrowValue<'_>, b: &ArrowValue<'_>) -> Option<Ordering> {
    match (a, b) {
        (ArrowValue::Integer(a), ArrowValue::Integer(b)) => Some(a.cmp(b)),
        (ArrowValue::Float(a), ArrowValue::Float(b)) => a.partial_cmp(b),
        (ArrowValue::Integer(_) | ArrowValue::Float(_), ArrowValue::Integer(_) | ArrowValue::Float(_)) => {
            numeric_value(a)?.partial_cmp(&numeric_value(b)?)
        }
        _ => {
            if let (ArrowValue::Float(float), _) | (_, ArrowValue::Float(float)) = (a, b)
                && !float.is_finite()
            {
                return numeric_value(a)?.float().partial_cmp(&numeric_value(b)?.float());
            }
            Some(PlainNumber::of(a)?.cmp(&PlainNumber::of(b)?))
        }
    }
}

/// A finite number as its digits, without superfluous zeros.
#[derive(Debug, PartialEq, Eq)]
struct PlainNumber {
    is_negative: bool,
    whole: String,
    fraction: String,
}

impl PlainNumber {
    fn of(value: &ArrowValue<'_>) -> Option<Self> {
        let (is_negative, whole, fraction) = match value {
            ArrowValue::Integer(number) => (*number < 0, number.unsigned_abs().to_string(), String::new()),
            ArrowValue::Digits(digits) => {
                (digits.starts_with('-'), digits.trim_start_matches('-').to_owned(), String::new())
            }
            ArrowValue::Decimal(decimal) => {
                let (whole, fraction) = decimal.plain();
                (decimal.value < i256::ZERO, whole, fraction)
            }
            // So many digits are the exact value of any float.
            ArrowValue::Float(float) => {
                let text = format!("{:.1074}", float.abs());
                let (whole, fraction) = text.split_once('.')?;
                (*float < 0.0, whole.to_owned(), fraction.to_owned())
            }
            _ => return None,
        };
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let is_negative = is_negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { is_negative, whole: whole.to_owned(), fraction: fraction.to_owned() })
    }
}

impl Ord for PlainNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |a: &Self, b: &Self| {
            let whole = a.whole.len().cmp(&b.whole.len()).then_with(|| a.whole.cmp(&b.whole));
            whole.then_with(|| a.fraction.cmp(&b.fraction))
        };
        match (self.is_negative, other.is_negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for PlainNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The sum of two numbers, or their difference. `None` for types that Python cannot add, such as a decimal and a float.
///
/// # Errors
/// [`Kind::TemplateRender`] for numbers that are too large to be added.
pub(super) fn sum<'a>(
    a: &ArrowValue<'a>,
    b: &ArrowValue<'a>,
    subtract: bool,
) -> Result<Option<ArrowValue<'a>>> {
    if !a.kind().is_number() || !b.kind().is_number() {
        return Ok(None);
    }
    match (a, b) {
        (ArrowValue::Integer(a), ArrowValue::Integer(b)) => {
            let (a, b) = (i128::from(*a), i128::from(*b));
            Ok(Some(ArrowValue::integer(if subtract { a - b } else { a + b })))
        }
        (ArrowValue::Decimal(_), ArrowValue::Float(_)) | (ArrowValue::Float(_), ArrowValue::Decimal(_)) => {
            Ok(None)
        }
        (ArrowValue::Float(_), _) | (_, ArrowValue::Float(_)) => {
            let (Some(a), Some(b)) = (numeric_value(a), numeric_value(b)) else { return Ok(None) };
            let (a, b) = (a.float(), b.float());
            Ok(Some(ArrowValue::Float(if subtract { a - b } else { a + b })))
        }
        (a, b) => {
            let sum = exact(a).and_then(|a| a.sum(exact(b)?, subtract)).ok_or_else(too_large)?;
            let is_whole = !matches!(a, ArrowValue::Decimal(_)) && !matches!(b, ArrowValue::Decimal(_));
            Ok(Some(if is_whole {
                match sum.value.to_i128() {
                    Some(whole) => ArrowValue::integer(whole),
                    None => ArrowValue::Digits(sum.value.to_string().into()),
                }
            } else {
                ArrowValue::Decimal(Rc::new(sum))
            }))
        }
    }
}

fn exact(value: &ArrowValue<'_>) -> Option<DecimalNumber> {
    Some(match value {
        ArrowValue::Integer(whole) => DecimalNumber { value: i256::from_i128((*whole).into()), scale: 0 },
        ArrowValue::Digits(digits) => DecimalNumber { value: i256::from_string(digits)?, scale: 0 },
        ArrowValue::Decimal(decimal) => **decimal,
        _ => return None,
    })
}

fn too_large() -> Error {
    Error::new(Kind::TemplateRender, "a number is too large to be added or subtracted")
        .with_hint("add the numbers in the table, before the render")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_types_are_ordered_by_value() {
        let decimal = |value, scale| {
            ArrowValue::Decimal(Rc::new(DecimalNumber { value: i256::from_i128(value), scale }))
        };
        assert_eq!(order(&decimal(500, 2), &ArrowValue::Integer(5)), Some(Ordering::Equal));
        assert_eq!(order(&decimal(1, 1), &ArrowValue::Float(0.1)), Some(Ordering::Less));
        assert_eq!(order(&decimal(5, 1), &ArrowValue::Float(0.5)), Some(Ordering::Equal));
        assert_eq!(order(&decimal(-21, 1), &decimal(-2, 0)), Some(Ordering::Less));
        assert_eq!(order(&decimal(1, 0), &ArrowValue::Float(f64::INFINITY)), Some(Ordering::Less));
        assert_eq!(order(&decimal(1, 0), &ArrowValue::Float(f64::NAN)), None);
        let large = ArrowValue::integer(i128::from(u64::MAX));
        assert_eq!(order(&large, &ArrowValue::Integer(i64::MAX)), Some(Ordering::Greater));
    }
}
