//! Resolves a YAML scalar to null, a boolean, a number or a string.
//!
//! The rules are those of the core schema of YAML 1.2, with three additions that keep text as text. A number with a
//! leading zero (`0123`) or an underscore (`1_000`) is a string. So are the booleans of YAML 1.1 (`yes`, `off`).
//! serde-saphyr has the same rules; a test compares the two on thousands of texts.

use std::borrow::Cow;

use granit_parser::{ScalarStyle, Tag};
use serde_json::Number;

use super::NodeValue;
use super::node::loses_digits;

/// The tags that have a meaning here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarTag {
    /// No tag.
    Free,
    /// `!!str`: a string, even if it looks like another type.
    Text,
    /// `!` alone: a string too, but lists and mappings may also have this tag.
    NonSpecific,
    Null,
    Bool,
    Int,
    Float,
    /// `!!merge`
    Merge,
    /// `!!seq`
    List,
    /// `!!map`
    Map,
    /// A tag for a type that does not exist here or in JSON, such as `!!binary` or `!!timestamp`.
    Other,
    /// Any other tag, such as `!own` or `!!python/object`, which means something to another program.
    Unknown,
}

const NAMESPACE: &str = "tag:yaml.org,2002:";

impl ScalarTag {
    pub(super) fn of(tag: Option<&Tag>) -> Self {
        let Some(tag) = tag else { return Self::Free };
        let (handle, suffix) = tag.parts();
        let full = format!("{handle}{suffix}");
        if let Some(name) = full.strip_prefix(NAMESPACE) {
            return match name {
                "merge" => Self::Merge,
                _ => Self::named(name),
            };
        }
        match full.as_str() {
            "!" => Self::NonSpecific,
            _ => full.strip_prefix("!!").map_or(Self::Unknown, Self::named),
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "null" => Self::Null,
            "seq" => Self::List,
            "map" => Self::Map,
            "str" => Self::Text,
            "timestamp" | "binary" | "set" | "omap" | "pairs" | "value" | "yaml" => Self::Other,
            _ => Self::Unknown,
        }
    }
}

/// The message for a scalar whose tag cannot be applied.
pub(super) type Refusal = &'static str;

/// The value of a scalar.
pub(super) fn resolve(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: ScalarTag,
) -> Result<NodeValue<'_>, Refusal> {
    let plain = style == ScalarStyle::Plain;
    match tag {
        ScalarTag::Text | ScalarTag::NonSpecific => Ok(NodeValue::Text(text)),
        ScalarTag::Null => Ok(NodeValue::Null),
        ScalarTag::Bool => boolean(&text).map(NodeValue::Bool).ok_or("expected `true` or `false`"),
        ScalarTag::Int => {
            integer(&text).map(NodeValue::Number).ok_or("expected a whole number of at most 64 bits")
        }
        ScalarTag::Float => float(&text).ok_or("expected a number"),
        ScalarTag::List | ScalarTag::Map => Err("the tag does not fit: it is for a list or a mapping"),
        ScalarTag::Other => Err("a value with this tag cannot be read: write it as text, without the tag"),
        ScalarTag::Free | ScalarTag::Merge | ScalarTag::Unknown if !plain => Ok(NodeValue::Text(text)),
        ScalarTag::Free | ScalarTag::Merge | ScalarTag::Unknown => Ok(bare(text)),
    }
}

/// The value of a scalar without quotes and without a tag.
fn bare(text: Cow<'_, str>) -> NodeValue<'_> {
    // For most texts the first character decides.
    match text.as_bytes().first() {
        None => return NodeValue::Null,
        Some(b'~' | b'n' | b'N') if matches!(&*text, "~" | "null" | "Null" | "NULL") => {
            return NodeValue::Null;
        }
        Some(b't' | b'T' | b'f' | b'F') => {
            return boolean(&text).map_or(NodeValue::Text(text), NodeValue::Bool);
        }
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => {}
        Some(_) => return NodeValue::Text(text),
    }
    let trimmed = trim(&text);
    if has_leading_zero(trimmed) || trimmed.contains('_') {
        return NodeValue::Text(text);
    }
    if let Some(number) = integer(trimmed) {
        return NodeValue::Number(number);
    }
    match float(trimmed) {
        Some(NodeValue::Number(number)) => match exact(trimmed, &number) {
            Some(exact) => NodeValue::ExactNumber(Cow::Owned(exact)),
            None => NodeValue::Number(number),
        },
        Some(value) => value,
        None => NodeValue::Text(text),
    }
}

/// The JSON text of a number whose digits are lost in `number`. `None` if none are, or if JSON spells it otherwise.
fn exact(text: &str, number: &Number) -> Option<String> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let is_json = text.parse::<Number>().is_ok();
    (is_json && loses_digits(text, number)).then(|| text.to_owned())
}

/// Removes the white space around a text, which conversions ignore.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// `true` and `false` in the spellings of YAML 1.2.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match trim(text) {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Whether it is a decimal number with an extra leading zero, such as `007`.
fn has_leading_zero(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A whole number of at most 64 bits: decimal, or with `0x`, `0o` or `0b`. Single underscores between digits are
/// allowed here, but [`bare`] does not pass them.
pub(super) fn integer(text: &str) -> Option<Number> {
    let text = trim(text);
    if let Some(digits) = text.strip_prefix('-') {
        let magnitude = magnitude(digits)?;
        return i64::try_from(-i128::from(magnitude)).ok().map(Number::from);
    }
    magnitude(text.strip_prefix('+').unwrap_or(text)).map(Number::from)
}

fn magnitude(digits: &str) -> Option<u64> {
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => return None,
        _ => (10, digits),
    };
    let mut value: u64 = 0;
    let mut after_digit = false;
    for byte in digits.bytes() {
        if byte == b'_' {
            if !after_digit {
                return None;
            }
            after_digit = false;
            continue;
        }
        let digit = (byte as char).to_digit(radix)?;
        value = value.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))?;
        after_digit = true;
    }
    after_digit.then_some(value)
}

/// A number with a fraction or an exponent, `.nan` or `.inf`. A number that is too large for 64 bits counts as
/// infinite.
pub(super) fn float(text: &str) -> Option<NodeValue<'static>> {
    let text = trim(text);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF") {
        return Some(NodeValue::NonFinite);
    }
    // Rust also parses `inf` and `nan`, which are strings here.
    let digit = unsigned.starts_with(|c: char| c.is_ascii_digit());
    if !digit && !unsigned.starts_with('.') {
        return None;
    }
    match Number::from_f64(text.parse().ok()?) {
        Some(number) => Some(NodeValue::Number(number)),
        None => digit.then_some(NodeValue::NonFinite),
    }
}
