//! Decimals: their text, as Python's `decimal.Decimal` writes it, and their arithmetic.

use arrow_buffer::i256;

/// A decimal: `value` divided by ten to the power of `scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecimalNumber {
    pub(super) value: i256,
    pub(super) scale: i8,
}

/// The digits that Python keeps of a sum.
const PRECISION: usize = 28;

impl DecimalNumber {
    pub(super) fn is_zero(self) -> bool {
        self.value == i256::ZERO
    }

    /// The nearest float.
    pub(super) fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The sum of two decimals, or with `subtract` their difference, rounded as Python does.
    pub(super) fn sum(self, other: Self, subtract: bool) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.scaled(scale)?, other.scaled(scale)?);
        let value = if subtract { a.checked_sub(b) } else { a.checked_add(b) }?;
        Some(Self { value, scale }.rounded())
    }

    fn scaled(self, scale: i8) -> Option<i256> {
        let mut value = self.value;
        for _ in self.scale..scale {
            value = value.checked_mul(i256::from_i128(10))?;
        }
        Some(value)
    }

    /// Rounds to the digits that Python keeps, half to even.
    fn rounded(self) -> Self {
        let digits = self.value.to_string().trim_start_matches('-').len();
        let Some(drop) = digits.checked_sub(PRECISION).filter(|drop| *drop > 0) else { return self };
        let ten = i256::from_i128(10);
        let mut unit = i256::ONE;
        for _ in 0..drop {
            unit = unit.wrapping_mul(ten);
        }
        let (whole, rest) = (self.value.wrapping_div(unit), self.value.wrapping_rem(unit).wrapping_abs());
        let twice = rest.wrapping_mul(i256::from_i128(2));
        let is_odd = whole.wrapping_rem(i256::from_i128(2)) != i256::ZERO;
        let step = if self.value < i256::ZERO { i256::MINUS_ONE } else { i256::ONE };
        let value = if twice > unit || (twice == unit && is_odd) { whole.wrapping_add(step) } else { whole };
        let scale = self.scale - i8::try_from(drop).unwrap_or(0);
        Self { value, scale }
    }

    /// The digits before and after the decimal point, without a sign.
    pub(super) fn plain(self) -> (String, String) {
        let text = self.value.to_string();
        let digits = text.trim_start_matches('-');
        match usize::try_from(self.scale) {
            Ok(scale) => {
                let padded = format!("{digits:0>width$}", width = scale + 1);
                let (whole, fraction) = padded.split_at(padded.len() - scale);
                (whole.to_owned(), fraction.to_owned())
            }
            Err(_) => (format!("{digits}{}", "0".repeat(self.scale.unsigned_abs().into())), String::new()),
        }
    }
}

impl std::fmt::Display for DecimalNumber {
    /// As `str()` of Python's `Decimal`: with an exponent where there are more than six zeros after the point.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.value.to_string();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text.as_str()),
        };
        let exponent = -i64::from(self.scale);
        let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let left = exponent + count;
        if exponent <= 0 && left > -6 {
            let (whole, fraction) = self.plain();
            let point = if fraction.is_empty() { "" } else { "." };
            return write!(f, "{sign}{whole}{point}{fraction}");
        }
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{sign}{first}{point}{rest}E{:+}", left - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(value: i128, scale: i8) -> DecimalNumber {
        DecimalNumber { value: i256::from_i128(value), scale }
    }

    #[test]
    fn decimals_read_as_python_writes_them() {
        for (value, scale, text) in [
            (12345, 2, "123.45"),
            (-5, 2, "-0.05"),
            (0, 2, "0.00"),
            (7, 0, "7"),
            (1, 6, "0.000001"),
            (1, 7, "1E-7"),
            (-123, 9, "-1.23E-7"),
            (12, -3, "1.2E+4"),
            (0, 8, "0E-8"),
        ] {
            assert_eq!(decimal(value, scale).to_string(), text);
        }
    }

    #[test]
    fn sums_of_decimals_keep_pythons_28_digits() {
        let sum = |a, b| decimal(a, 2).sum(decimal(b, 1), false).map(|sum| sum.to_string());
        assert_eq!(sum(125, 5).as_deref(), Some("1.75"));
        let large = decimal(99_999_999_999_999_999_999_999_999_999, 1).sum(decimal(1, 1), false);
        assert_eq!(large.map(|sum| sum.to_string()).as_deref(), Some("1.000000000000000000000000000E+28"));
    }
}
