//! Converts one value to the type of its field. Values of other types are converted as in pydantic's lax mode.

use speedate::{
    Date, DateConfig, DateTime, DateTimeConfig, MicrosecondsPrecisionOverflowBehavior, TimeConfig,
};
use uuid::Uuid;

use super::formats::{is_date, is_datetime};
use super::model::FieldType;
use super::numeric::NumericValue;
use super::values::{NewValue, Values};
use crate::error::Result;
use crate::template::ValueKind;

/// The result of converting a value.
pub enum Coercion<V> {
    /// The value already has the type.
    Same,
    /// The converted value.
    New(V),
    /// The value cannot be converted; the text is the error message.
    Wrong(String),
}

/// Options for the values of a field.
#[derive(Debug, Clone, Copy)]
pub struct CoerceOptions {
    /// Whether values are converted.
    pub coerce: bool,
    /// Whether NaN and infinity are valid numbers.
    pub allow_inf_nan: bool,
}

/// Converts a value to a type. The items of a list and the members of a dict are not converted here.
///
/// # Errors
/// If reading the value fails.
pub fn take<D: Values>(
    data: &D,
    wanted: FieldType,
    value: &D::Value,
    kind: ValueKind,
    options: CoerceOptions,
) -> Result<Coercion<D::Value>> {
    match wanted {
        FieldType::Any => Ok(Coercion::Same),
        FieldType::String => string(data, value, kind, options),
        FieldType::Integer => integer(data, value, kind, options),
        FieldType::Float => float(data, value, kind, options),
        FieldType::Boolean => boolean(data, value, kind, options),
        FieldType::Date => date(data, value, kind, options),
        FieldType::DateTime => datetime(data, value, kind, options),
        FieldType::Uuid => uuid(data, value, kind, options),
        FieldType::List => list(data, value, kind, options),
        FieldType::Dict => match kind {
            ValueKind::Mapping | ValueKind::Record => Ok(Coercion::Same),
            _ => Ok(wrong("a dict", kind)),
        },
        FieldType::Enum => match kind {
            ValueKind::Null
            | ValueKind::Sequence
            | ValueKind::Mapping
            | ValueKind::Record
            | ValueKind::Iterable
            | ValueKind::Other => Ok(wrong("one of the allowed values", kind)),
            _ => Ok(Coercion::Same),
        },
    }
}

fn wrong<V>(wanted: &str, kind: ValueKind) -> Coercion<V> {
    Coercion::Wrong(format!("must be {wanted}, not {kind}"))
}

/// The result for a text that cannot be converted.
fn unread<V>(wanted: &str) -> Coercion<V> {
    Coercion::Wrong(format!("must be {wanted}, but this text is not"))
}

/// The text of a string, or of bytes in UTF-8.
fn text_of<D: Values>(data: &D, value: &D::Value, kind: ValueKind) -> Result<Option<String>> {
    match kind {
        ValueKind::String => data.with_text(value, str::to_owned),
        ValueKind::Other => Ok(data.bytes(value).and_then(|bytes| String::from_utf8(bytes).ok())),
        _ => Ok(None),
    }
}

fn string<D: Values>(
    data: &D,
    value: &D::Value,
    kind: ValueKind,
    options: CoerceOptions,
) -> Result<Coercion<D::Value>> {
    if kind == ValueKind::String {
        return Ok(Coercion::Same);
    }
    match text_of(data, value, kind)?.filter(|_| options.coerce) {
        Some(text) => Ok(Coercion::New(data.make(NewValue::Text(&text))?)),
        None => Ok(wrong("text", kind)),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the float is whole and in range")]
fn integer<D: Values>(
    data: &D,
    value: &D::Value,
    kind: ValueKind,
    options: CoerceOptions,
) -> Result<Coercion<D::Value>> {
    const WANTED: &str = "an integer";
    /// Whole floats below this limit become integers, as in pydantic.
    const EDGE: f64 = 9.223_372_036_854_775e18;
    if kind == ValueKind::Integer {
        return Ok(Coercion::Same);
    }
    if !options.coerce {
        return Ok(wrong(WANTED, kind));
    }
    if matches!(kind, ValueKind::Bool | ValueKind::Float) {
        return match data.numeric_value(value)? {
            Some(NumericValue::Integer(whole)) => Ok(Coercion::New(data.make(NewValue::Integer(whole))?)),
            Some(NumericValue::Float(float)) if !float.is_finite() => {
                Ok(Coercion::Wrong("must be a finite number".to_owned()))
            }
            Some(NumericValue::Float(float)) if float.fract() == 0.0 && float.abs() < EDGE => {
                Ok(Coercion::New(data.make(NewValue::Integer(float as i128))?))
            }
            Some(NumericValue::Float(float)) if float.fract() == 0.0 => {
                Ok(Coercion::Wrong("must be an integer, but a float this large is not exact".to_owned()))
            }
            Some(NumericValue::Float(_)) => {
                Ok(Coercion::Wrong("must be an integer, not a number with a fraction".to_owned()))
            }
            None => Ok(wrong(WANTED, kind)),
        };
    }
    // Fast path: most such texts contain only digits.
    if kind == ValueKind::String
        && let Some(Some(whole)) = data.with_text(value, |text| text.parse::<i64>().ok())?
    {
        return Ok(Coercion::New(data.make(NewValue::Integer(whole.into()))?));
    }
    let Some(text) = text_of(data, value, kind)? else { return Ok(wrong(WANTED, kind)) };
    match digits(&text) {
        Some(digits) => match digits.parse::<i128>() {
            Ok(whole) => Ok(Coercion::New(data.make(NewValue::Integer(whole))?)),
            Err(_) => Ok(Coercion::New(data.make(NewValue::Digits(&digits))?)),
        },
        None => Ok(unread(WANTED)),
    }
}

/// The digits of the whole number in a text, with a minus sign if it is negative. Surrounding blanks, a leading plus,
/// single underscores between digits and a fraction of zeros are ignored.
fn digits(text: &str) -> Option<String> {
    /// The limit of Python's `int`.
    const DIGITS: usize = 4300;
    let text = text.trim();
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let whole = match rest.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return None,
        None => rest,
    };
    let plain = without_underscores(whole)?;
    if plain.is_empty() || plain.len() > DIGITS || !plain.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let plain = plain.trim_start_matches('0');
    Some(match (negative, plain) {
        (_, "") => "0".to_owned(),
        (true, digits) => format!("-{digits}"),
        (false, digits) => digits.to_owned(),
    })
}

/// Removes single underscores between other characters. `None` if there is an underscore at an end or next to another.
fn without_underscores(text: &str) -> Option<String> {
    let is_valid = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    is_valid.then(|| text.replace('_', ""))
}

fn float<D: Values>(
    data: &D,
    value: &D::Value,
    kind: ValueKind,
    options: CoerceOptions,
) -> Result<Coercion<D::Value>> {
    const WANTED: &str = "a number";
    let finite = |float: f64| options.allow_inf_nan || float.is_finite();
    let infinite = || Ok(Coercion::Wrong("must be a finite number".to_owned()));
    match kind {
        ValueKind::Float => match data.numeric_value(value)? {
            None => Ok(wrong(WANTED, kind)),
            Some(amount) if !finite(amount.float()) => infinite(),
            Some(_) => Ok(Coercion::Same),
        },
        // An integer is a valid number. It becomes a float only if values are converted.
        ValueKind::Integer if !options.coerce => Ok(Coercion::Same),
        ValueKind::Integer | ValueKind::Bool if options.coerce => match data.numeric_value(value)? {
            Some(amount) if amount.float().is_finite() => {
                Ok(Coercion::New(data.make(NewValue::Float(amount.float()))?))
            }
            _ => Ok(Coercion::Wrong("is too large for a float".to_owned())),
        },
        _ => match text_of(data, value, kind)?.filter(|_| options.coerce) {
            None => Ok(wrong(WANTED, kind)),
            Some(text) => match float_of(&text) {
                None => Ok(unread(WANTED)),
                Some(float) if !finite(float) => infinite(),
                Some(float) => Ok(Coercion::New(data.make(NewValue::Float(float))?)),
            },
        },
    }
}

/// The number in a text, read like Python's `float`.
fn float_of(text: &str) -> Option<f64> {
    without_underscores(text.trim())?.parse().ok()
}

fn boolean<D: Values>(
    data: &D,
    value: &D::Value,
    kind: ValueKind,
    options: CoerceOptions,
) -> Result<Coercion<D::Value>> {
    const WANTED: &str = "true or false";
    if kind == ValueKind::Bool {
        return Ok(Coercion::Same);
    }
    if !options.coerce {
        return Ok(wrong(WANTED, kind));
    }
    let truth = match kind {
        ValueKind::Integer | ValueKind::Float => match data.numeric_value(value)? {
            Some(NumericValue::Integer(0) | NumericValue::Float(0.0)) => Some(false),
            Some(NumericValue::Integer(1) | NumericValue::Float(1.0)) => Some(true),
            _ => None,
        },
        _ => text_of(data, value, kind)?.and_then(|text| match text.to_ascii_lowercase().as_str() {
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            _ => None,
        }),
    };
    match truth {
        Some(truth) => Ok(Coercion::New(data.make(NewValue::Bool(truth))?)),
        None if kind == ValueKind::String => Ok(unread(WANTED)),
        None => Ok(wrong(WANTED, kind)),
    }
}

fn times() -> DateTimeConfig {
    let time = TimeConfig {
        microseconds_precision_overflow_behavior: MicrosecondsPrecisionOverflowBehavior::Truncate,
        unix_timestamp_offset: Some(0),
    };
    DateTimeConfig { time_config: time, ..DateTimeConfig::default() }
}

/// The date in a text. The year 0 is refused, because Python's dates begin with the year 1.
fn date_of(text: &str) -> Option<Date> {
    let date = Date::parse_bytes_with_config(text.as_bytes(), &DateConfig::default()).ok()?;
    (date.year > 0).then_some(date)
}

/// The date with time in a text; see [`date_of`].
fn datetime_of(text: &str) -> Option<DateTime> {
    let moment = DateTime::parse_bytes_with_config(text.as_bytes(), &times()).ok()?;
    (moment.date.year > 0).then_some(moment)
}

/// The date with time for a number of seconds since 1970, or of milliseconds if the number is large.
fn moment_of(amount: NumericValue) -> Option<DateTime> {
    match amount {
        NumericValue::Integer(whole) => {
            DateTime::from_timestamp_with_config(i64::try_from(whole).ok()?, 0, &times()).ok()
        }
        NumericValue::Float(float) if !float.is_finite() => None,
        NumericValue::Float(float) => DateTime::from_float_with_config(float, &times()).ok(),
    }
}

fn is_midnight(moment: &DateTime) -> bool {
    let time = &moment.time;
    (time.hour, time.minute, time.second, time.microsecond) == (0, 0, 0, 0)
}

fn date<D: Values>(
    data: &D,
    value: &D::Value,
    kind: ValueKind,
    options: CoerceOptions,
) -> Result<Coercion<D::Value>> {
    const WANTED: &str = "a date such as 2026-01-31";
    const TIMED: &str = "must be a date without a time";
    let exact = |moment: DateTime| {
        if is_midnight(&moment) {
            Ok(Coercion::New(data.make(NewValue::Date(moment.date))?))
        } else {
            Ok(Coercion::Wrong(TIMED.to_owned()))
        }
    };
    match kind {
        ValueKind::Date => Ok(Coercion::Same),
        ValueKind::String if !options.coerce => {
            let fits = data.with_text(value, is_date)?.unwrap_or(false);
            Ok(if fits { Coercion::Same } else { unread(WANTED) })
        }
        ValueKind::DateTime if options.coerce => match data.moment(value)? {
            Some(moment) => exact(moment),
            None => Ok(wrong(WANTED, kind)),
        },
        ValueKind::Integer | ValueKind::Float if options.coerce => {
            match data.numeric_value(value)?.and_then(moment_of) {
                Some(moment) => exact(moment),
                None => Ok(Coercion::Wrong(format!("must be {WANTED}, but this number is not"))),
            }
        }
        _ => {
            let Some(text) = text_of(data, value, kind)?.filter(|_| options.coerce) else {
                return Ok(wrong(WANTED, kind));
            };
            if let Some(date) = date_of(&text) {
                return Ok(Coercion::New(data.make(NewValue::Date(date))?));
            }
            datetime_of(&text).map_or_else(|| Ok(unread(WANTED)), exact)
        }
    }
}

fn datetime<D: Values>(
    data: &D,
    value: &D::Value,
    kind: ValueKind,
    options: CoerceOptions,
) -> Result<Coercion<D::Value>> {
    const WANTED: &str = "a date with a time such as 2026-01-31T12:00:00Z";
    let made = |moment: DateTime| Ok(Coercion::New(data.make(NewValue::DateTime(moment))?));
    match kind {
        ValueKind::DateTime => Ok(Coercion::Same),
        ValueKind::String if !options.coerce => {
            let fits = data.with_text(value, is_datetime)?.unwrap_or(false);
            Ok(if fits { Coercion::Same } else { unread(WANTED) })
        }
        ValueKind::Date if options.coerce => match data.moment(value)? {
            Some(moment) => made(moment),
            None => Ok(wrong(WANTED, kind)),
        },
        ValueKind::Integer | ValueKind::Float if options.coerce => {
            match data.numeric_value(value)?.and_then(moment_of) {
                Some(moment) => made(moment),
                None => Ok(Coercion::Wrong(format!("must be {WANTED}, but this number is not"))),
            }
        }
        _ => {
            let Some(text) = text_of(data, value, kind)?.filter(|_| options.coerce) else {
                return Ok(wrong(WANTED, kind));
            };
            if let Some(moment) = datetime_of(&text) {
                return made(moment);
            }
            match date_of(&text) {
                Some(day) => made(DateTime { date: day, time: midnight() }),
                None => Ok(unread(WANTED)),
            }
        }
    }
}

/// The start of a day, without an offset.
#[must_use]
pub fn midnight() -> speedate::Time {
    speedate::Time { hour: 0, minute: 0, second: 0, microsecond: 0, tz_offset: None }
}

fn uuid<D: Values>(
    data: &D,
    value: &D::Value,
    kind: ValueKind,
    options: CoerceOptions,
) -> Result<Coercion<D::Value>> {
    const WANTED: &str = "a UUID";
    match kind {
        ValueKind::Uuid => Ok(Coercion::Same),
        ValueKind::String => match data.with_text(value, |text| Uuid::try_parse(text).ok())?.flatten() {
            None => Ok(unread(WANTED)),
            Some(_) if !options.coerce => Ok(Coercion::Same),
            Some(uuid) => Ok(Coercion::New(data.make(NewValue::Uuid(uuid))?)),
        },
        ValueKind::Other if options.coerce => {
            let uuid = data.bytes(value).and_then(|bytes| {
                // The bytes may be the UUID as text, or its sixteen raw bytes.
                Uuid::try_parse_ascii(&bytes).ok().or_else(|| Uuid::from_slice(&bytes).ok())
            });
            match uuid {
                Some(uuid) => Ok(Coercion::New(data.make(NewValue::Uuid(uuid))?)),
                None => Ok(wrong(WANTED, kind)),
            }
        }
        _ => Ok(wrong(WANTED, kind)),
    }
}

fn list<D: Values>(
    data: &D,
    value: &D::Value,
    kind: ValueKind,
    options: CoerceOptions,
) -> Result<Coercion<D::Value>> {
    match kind {
        ValueKind::Sequence if data.is_list(value) || !options.coerce => Ok(Coercion::Same),
        ValueKind::Sequence | ValueKind::Iterable if options.coerce => {
            Ok(Coercion::New(data.list(value, Vec::new())?))
        }
        _ => Ok(wrong("a list", kind)),
    }
}
