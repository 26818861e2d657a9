//! The rules of validators. Each [`Rule`] checks one value, for example its length or range.

use std::cmp::Ordering;
use std::fmt;

use regex::{Regex, RegexBuilder};
use serde_json::{Number, Value};

use super::dates::DateFormat;
use super::formats::{is_date, is_datetime, is_email, is_url, is_uuid};
use super::model::{Validator, ValidatorKind};
use super::numeric::NumericValue;
use super::values::Values;
use crate::error::{Error, Kind, Result};
use crate::template::ValueKind;

/// Compiles a pattern. It is matched in linear time, anywhere in the text unless it has `^` and `$`.
///
/// # Errors
/// [`Kind::SchemaParse`] for an invalid pattern, for look-around and backreferences, and for a pattern of more than a
/// megabyte when compiled.
pub fn pattern(text: &str) -> Result<Regex> {
    const COMPILED: usize = 1 << 20;
    RegexBuilder::new(text).size_limit(COMPILED).dfa_size_limit(COMPILED).build().map_err(|error| {
        let why = match &error {
            regex::Error::CompiledTooBig(_) => "it is too large when compiled".to_owned(),
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
        };
        let error = Error::new(Kind::SchemaParse, format!("the pattern cannot be used: {why}"));
        if !why.contains("look-around") && !why.contains("backreference") {
            return error;
        }
        error.with_hint(
            "patterns are matched in linear time, so look-around and backreferences are not supported; use two \
             validators, or `custom`",
        )
    })
}

/// A validator that is compiled and ready for use.
#[derive(Debug, Clone)]
pub struct Rule<F> {
    kind: ValidatorKind,
    check: Check<F>,
    message: Option<String>,
}

#[derive(Debug, Clone)]
enum Check<F> {
    Length { low: Option<NumericValue>, high: Option<NumericValue> },
    Range { low: Option<NumericValue>, high: Option<NumericValue> },
    Pattern(Regex),
    OneOf(AllowedValues),
    Text(fn(&str) -> bool, ValueKind),
    Written(DateFormat),
    Call { name: String, function: F },
}

/// A number as text for a message; a whole number has no fraction.
fn shown(number: NumericValue) -> String {
    match number {
        NumericValue::Integer(whole) => whole.to_string(),
        NumericValue::Float(float) => crate::template::python_number(float),
    }
}

impl<F> Rule<F> {
    /// Compiles a validator. `function` finds the function that a `custom` validator names.
    ///
    /// # Errors
    /// [`Kind::SchemaParse`] for a pattern that cannot be used or a function that does not exist.
    pub fn new(validator: &Validator, function: impl FnOnce(&str) -> Result<F>) -> Result<Self> {
        let bound = |number: &Option<Number>| number.as_ref().map(NumericValue::of);
        let (low, high) = (bound(&validator.min_value), bound(&validator.max_value));
        let check = match validator.kind {
            // If both bounds are given, both are checked, whatever the kind: no bound is ignored.
            ValidatorKind::MinLength | ValidatorKind::MaxLength => Check::Length { low, high },
            ValidatorKind::MinValue | ValidatorKind::MaxValue | ValidatorKind::Range => {
                Check::Range { low, high }
            }
            ValidatorKind::Regex => {
                Check::Pattern(pattern(validator.pattern.as_deref().unwrap_or_default())?)
            }
            ValidatorKind::Enum => Check::OneOf(AllowedValues::new(&validator.allowed_values)),
            ValidatorKind::Email => Check::Text(is_email, ValueKind::String),
            ValidatorKind::Url => Check::Text(is_url, ValueKind::String),
            ValidatorKind::Uuid => Check::Text(is_uuid, ValueKind::Uuid),
            ValidatorKind::Date | ValidatorKind::DateTime if validator.format.is_some() => Check::Written(
                DateFormat::new(validator.format.as_deref().unwrap_or_default(), validator.kind)?,
            ),
            ValidatorKind::Date => Check::Text(is_date, ValueKind::Date),
            ValidatorKind::DateTime => Check::Text(is_datetime, ValueKind::DateTime),
            ValidatorKind::Custom => {
                let name = validator.custom_function.clone().unwrap_or_default();
                Check::Call { function: function(&name)?, name }
            }
        };
        Ok(Self { kind: validator.kind, check, message: validator.error_message.clone() })
    }

    /// The name of the rule, such as `min_length`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.kind.as_str()
    }

    /// The error message if a value breaks the rule. The validator's own message replaces ours if it has one.
    ///
    /// # Errors
    /// If reading the value fails, or a function of the application fails.
    pub fn broken<D: Values<Function = F>>(
        &self,
        data: &D,
        value: &D::Value,
        kind: ValueKind,
    ) -> Result<Option<String>> {
        let broken = self.own(data, value, kind)?;
        Ok(broken.map(|message| self.message.clone().unwrap_or(message)))
    }

    fn own<D: Values<Function = F>>(
        &self,
        data: &D,
        value: &D::Value,
        kind: ValueKind,
    ) -> Result<Option<String>> {
        let unless = |fits: bool, message: &dyn Fn() -> String| (!fits).then(message);
        Ok(match &self.check {
            Check::Length { low, high } => match data.length(value)? {
                None => Some(format!("{kind} has no length")),
                Some(length) => {
                    let length = NumericValue::Integer(i128::try_from(length).unwrap_or(i128::MAX));
                    let what = if kind == ValueKind::String { "characters" } else { "items" };
                    outside(length, *low, *high)
                        .map(|(word, bound)| format!("must have at {word} {} {what}", shown(bound)))
                }
            },
            Check::Range { low, high } => {
                let number = matches!(kind, ValueKind::Integer | ValueKind::Float);
                match data.numeric_value(value)?.filter(|_| number) {
                    None => Some(format!("must be a number, not {kind}")),
                    Some(amount) => outside(amount, *low, *high)
                        .map(|(word, bound)| format!("must be at {word} {}", shown(bound))),
                }
            }
            Check::Pattern(pattern) => match data.with_text(value, |text| pattern.is_match(text))? {
                None => Some(format!("must be text, not {kind}")),
                Some(fits) => unless(fits, &|| format!("must match the pattern {}", pattern.as_str())),
            },
            Check::OneOf(allowed) => {
                unless(allowed.has(data, value, kind)?, &|| format!("must be one of {allowed}"))
            }
            Check::Text(_, own) if kind == *own && kind != ValueKind::String => None,
            Check::Text(fits, _) => {
                let what = match self.kind {
                    ValidatorKind::Email => "an email address",
                    ValidatorKind::Url => "an http or https URL",
                    ValidatorKind::Uuid => "a UUID",
                    ValidatorKind::Date => "a date such as 2026-01-31",
                    _ => "a date with a time such as 2026-01-31T12:00:00Z",
                };
                unless(data.with_text(value, *fits)?.unwrap_or(false), &|| format!("must be {what}"))
            }
            Check::Written(format) => match (kind, self.kind) {
                (ValueKind::Date, ValidatorKind::Date) | (ValueKind::DateTime, ValidatorKind::DateTime) => {
                    None
                }
                _ => {
                    let fits = data.with_text(value, |text| format.fits(text))?.unwrap_or(false);
                    unless(fits, &|| format!("must be {}", format.describe()))
                }
            },
            Check::Call { name, function } => {
                let fits = data.call(function, name, value)?;
                unless(fits, &|| format!("is refused by `{name}`"))
            }
        })
    }
}

/// The values of an enum.
#[derive(Debug, Clone)]
pub struct AllowedValues {
    texts: Vec<String>,
    others: Vec<Value>,
}

impl AllowedValues {
    /// These values.
    #[must_use]
    pub fn new(values: &[Value]) -> Self {
        let (texts, others): (Vec<_>, Vec<_>) = values.iter().cloned().partition(Value::is_string);
        let texts = texts.into_iter().filter_map(|text| text.as_str().map(str::to_owned)).collect();
        Self { texts, others }
    }

    /// Whether a value is one of them. 1 and 1.0 are equal; neither equals `true`.
    ///
    /// # Errors
    /// If reading the value fails.
    pub fn has<D: Values>(&self, data: &D, value: &D::Value, kind: ValueKind) -> Result<bool> {
        let text = data.with_text(value, |text| self.texts.iter().any(|known| known == text))?;
        Ok(text == Some(true) || is_one_of(data, value, kind, &self.others)?)
    }
}

impl fmt::Display for AllowedValues {
    /// The values in the order of the file, texts first: `'low', 'high', 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.texts.iter().map(|text| format!("'{text}'"));
        let known: Vec<String> = known.chain(self.others.iter().map(Value::to_string)).collect();
        f.write_str(&known.join(", "))
    }
}

/// The bound that a number exceeds, if any. NaN is outside every bound.
fn outside(
    amount: NumericValue,
    low: Option<NumericValue>,
    high: Option<NumericValue>,
) -> Option<(&'static str, NumericValue)> {
    let within = |ordering: Option<Ordering>, not: Ordering| ordering.is_some_and(|ordering| ordering != not);
    match (low, high) {
        (Some(low), _) if !within(amount.partial_cmp(&low), Ordering::Less) => Some(("least", low)),
        (_, Some(high)) if !within(amount.partial_cmp(&high), Ordering::Greater) => Some(("most", high)),
        _ => None,
    }
}

/// Whether a value equals one of the others.
fn is_one_of<D: Values>(data: &D, value: &D::Value, kind: ValueKind, others: &[Value]) -> Result<bool> {
    for other in others {
        let equal = match (other, kind) {
            (Value::Null, ValueKind::Null) => true,
            (Value::Bool(known), ValueKind::Bool) => {
                data.numeric_value(value)? == Some(NumericValue::Integer(i128::from(*known)))
            }
            (Value::Number(known), ValueKind::Integer | ValueKind::Float) => {
                data.numeric_value(value)? == Some(NumericValue::of(known))
            }
            (Value::Array(_), ValueKind::Sequence) | (Value::Object(_), ValueKind::Mapping) => {
                data.equal(value, &data.of_json(other)?)?
            }
            _ => false,
        };
        if equal {
            return Ok(true);
        }
    }
    Ok(false)
}
