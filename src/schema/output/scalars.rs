//! Numbers and words in an answer.

use super::answer_error::AnswerError;
use super::cursor::{AnswerParser, ReadValue};
use super::parsed::Parsed;
use super::repairs::RepairKind;

impl AnswerParser<'_> {
    /// Reads a JSON number. A number at the end of the text may be cut off, so it is incomplete.
    pub(super) fn number(&mut self) -> Result<ReadValue, AnswerError> {
        /// The limit of Python.
        const DIGITS: usize = 4300;
        let rest = self.rest();
        if let Some(word) = ["-Infinity", "-inf"].into_iter().find(|word| rest.starts_with(word)) {
            self.repair(self.at, RepairKind::NotFinite)?;
            self.at += word.len();
            return Ok(ReadValue::Whole(Parsed::Float(f64::NEG_INFINITY)));
        }
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_')))
            .unwrap_or(rest.len());
        let number = &rest[..length];
        // Digits may be missing after the end of the text.
        if length == rest.len() && self.at > 0 && !self.strict && self.is_inside() {
            self.at += length;
            return Ok(ReadValue::Cut(None));
        }
        let digits = number.strip_prefix('-').unwrap_or(number);
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
            }
            None => (digits, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let all = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        let is_valid = all(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(all)
            && exponent.is_none_or(all);
        if !is_valid {
            return self.stop("a number is not valid JSON");
        }
        let parsed = if fraction.is_some() || exponent.is_some() {
            match number.parse::<f64>() {
                Ok(float) if float.is_finite() => Parsed::Float(float),
                _ => return self.stop("a number is too large"),
            }
        } else if number.len() > DIGITS {
            return self.stop("a number is too large");
        } else {
            number.parse().map_or_else(|_| Parsed::Digits(number.to_owned()), Parsed::Integer)
        };
        self.at += length;
        Ok(ReadValue::Whole(parsed))
    }

    /// Whether the current position is within a list or dict. A number outside is the whole answer and complete.
    fn is_inside(&self) -> bool {
        self.text[..self.at].contains(['{', '['])
    }

    pub(super) fn word(&mut self) -> Result<ReadValue, AnswerError> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (parsed, kind) = match &rest[..length] {
            "null" => (Parsed::Null, None),
            "true" => (Parsed::Bool(true), None),
            "false" => (Parsed::Bool(false), None),
            "None" => (Parsed::Null, Some(RepairKind::PythonWord)),
            "True" => (Parsed::Bool(true), Some(RepairKind::PythonWord)),
            "False" => (Parsed::Bool(false), Some(RepairKind::PythonWord)),
            "NaN" | "nan" => (Parsed::Float(f64::NAN), Some(RepairKind::NotFinite)),
            "Infinity" | "inf" => (Parsed::Float(f64::INFINITY), Some(RepairKind::NotFinite)),
            word => {
                let begun = ["null", "true", "false", "None", "True", "False", "NaN", "Infinity"];
                if length == rest.len() && length > 0 && begun.iter().any(|known| known.starts_with(word)) {
                    self.at += length;
                    return Ok(ReadValue::Cut(None));
                }
                return self.unquoted_text();
            }
        };
        // `None of these` begins with a word of Python and is a text.
        if self.choices.is_some() && !ends_value(&rest[length..]) {
            return self.unquoted_text();
        }
        if let Some(kind) = kind {
            self.repair(self.at, kind)?;
        }
        self.at += length;
        Ok(ReadValue::Whole(parsed))
    }

    /// Reads a text without quotes, up to the next comma, bracket or line break. Code, and words that stand for no value
    /// in some language, are errors.
    fn unquoted_text(&mut self) -> Result<ReadValue, AnswerError> {
        /// The words of other languages for a value that is missing or not a number.
        const NO_VALUE: [&str; 8] = ["undefined", "nil", "null", "none", "nan", "inf", "infinity", "void"];
        let rest = self.rest();
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '@' | '&' | '’');
        let end = rest.find(|c| !allowed(c)).unwrap_or(rest.len());
        let text = rest[..end].trim_end();
        let is_text = text.starts_with(char::is_alphabetic)
            && !NO_VALUE.iter().any(|word| text.eq_ignore_ascii_case(word))
            && !text.contains("..")
            && ends_value(&rest[end..]);
        if self.choices.is_none() || !is_text {
            return self.stop("expected a JSON value");
        }
        self.repair(self.at, RepairKind::UnquotedText)?;
        self.at += text.len();
        Ok(ReadValue::Whole(Parsed::Text(text.to_owned())))
    }
}

/// Whether a value may end before `after`.
fn ends_value(after: &str) -> bool {
    after.trim_start().starts_with([',', '}', ']'])
}
