//! Whether two values of Arrow columns are the same one, and which of two comes first.

use std::cmp::Ordering;

use super::number;
use super::value::ArrowValue;
use crate::error::{Error, Kind, Result};

/// Whether both are the identical cell, or equal values that are no lists or mappings.
pub(super) fn is_same(a: &ArrowValue<'_>, b: &ArrowValue<'_>) -> bool {
    match (a, b) {
        (ArrowValue::List(a), ArrowValue::List(b)) => a.is(b),
        (ArrowValue::Struct(a), ArrowValue::Struct(b)) => a.is(b),
        (ArrowValue::Map(a), ArrowValue::Map(b)) => a.is(b),
        (ArrowValue::Items(a), ArrowValue::Items(b)) => std::ptr::eq(a.as_ptr(), b.as_ptr()),
        (ArrowValue::Members(a), ArrowValue::Members(b)) => std::ptr::eq(a.as_ptr(), b.as_ptr()),
        (a, b) if a.kind().is_number() && b.kind().is_number() => {
            number::order(a, b) == Some(Ordering::Equal)
        }
        (a, b) => match (a.as_text(), b.as_text()) {
            (Some(a), Some(b)) => a == b,
            (None, None) => equal_scalars(a, b),
            _ => false,
        },
    }
}

/// Whether two values are equal that are no numbers, texts, lists or mappings.
pub(super) fn equal_scalars(a: &ArrowValue<'_>, b: &ArrowValue<'_>) -> bool {
    match (a, b) {
        (ArrowValue::Null, ArrowValue::Null) => true,
        (ArrowValue::Bool(a), ArrowValue::Bool(b)) => a == b,
        (ArrowValue::Bytes(a), ArrowValue::Bytes(b)) => a == b,
        (ArrowValue::Date(a), ArrowValue::Date(b)) => a == b,
        // The same moment on two clocks is equal; a time with a zone never equals one without.
        (ArrowValue::Moment(a), ArrowValue::Moment(b)) => {
            (a.seconds, a.nanoseconds, a.offset.is_some()) == (b.seconds, b.nanoseconds, b.offset.is_some())
        }
        (ArrowValue::Time(a), ArrowValue::Time(b)) => a == b,
        (ArrowValue::Duration(a), ArrowValue::Duration(b)) => a == b,
        (ArrowValue::Uuid(a), ArrowValue::Uuid(b)) => a == b,
        _ => false,
    }
}

/// The order of two numbers, two texts or two times.
///
/// # Errors
/// [`Kind::TemplateRender`] for two moments of which only one has a time zone.
pub(super) fn order_of(a: &ArrowValue<'_>, b: &ArrowValue<'_>) -> Result<Option<Ordering>> {
    if let (Some(a), Some(b)) = (a.as_text(), b.as_text()) {
        return Ok(Some(a.cmp(b)));
    }
    match (a, b) {
        (ArrowValue::Date(a), ArrowValue::Date(b)) => Ok(Some(a.cmp(b))),
        (ArrowValue::Moment(a), ArrowValue::Moment(b)) => {
            if a.offset.is_some() != b.offset.is_some() {
                let message = "cannot compare a datetime that has a time zone with one that has none";
                return Err(Error::new(Kind::TemplateRender, message)
                    .with_hint("give both a time zone before the render"));
            }
            Ok(Some((a.seconds, a.nanoseconds).cmp(&(b.seconds, b.nanoseconds))))
        }
        (a, b) if a.kind().is_number() && b.kind().is_number() => Ok(number::order(a, b)),
        _ => Ok(None),
    }
}
