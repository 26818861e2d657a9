//! Writes numbers as JavaScript and Python do. The `handlebars` dialect and literal names in templates need
//! JavaScript's rules.

/// The number as JavaScript's `String(number)` writes it.
#[must_use]
pub fn javascript(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let magnitude = number.abs();
    if (1e-6..1e21).contains(&magnitude) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    if magnitude >= 1.0 { text.replace('e', "e+") } else { text }
}

/// The variable name that a number literal in a template means.
pub(super) fn canonical(literal: &str) -> String {
    literal.parse().map_or_else(|_| literal.to_owned(), javascript)
}

/// The number as Python's `repr(float)` writes it.
#[must_use]
pub fn python(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if number == 0.0 || (1e-4..1e16).contains(&magnitude) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    // Python writes at least two digits of exponent, and a plus before a positive one.
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::{javascript, python};

    #[test]
    fn numbers_read_as_each_language_writes_them() {
        for (number, in_javascript, in_python) in [
            (0.0, "0", "0.0"),
            (-0.0, "0", "-0.0"),
            (1.0, "1", "1.0"),
            (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004"),
            (1e21, "1e+21", "1e+21"),
            (1e16, "10000000000000000", "1e+16"),
            (123_456_789.0, "123456789", "123456789.0"),
            (1e-7, "1e-7", "1e-07"),
            (0.000_05, "0.00005", "5e-05"),
            (1.5e300, "1.5e+300", "1.5e+300"),
            (f64::NAN, "NaN", "nan"),
            (f64::NEG_INFINITY, "-Infinity", "-inf"),
        ] {
            assert_eq!(javascript(number), in_javascript);
            assert_eq!(python(number), in_python);
        }
    }
}
