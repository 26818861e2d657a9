//! The character references of HTML in a text, such as `&lt;`, `&#60;` and `&NoBreak;`.
//!
//! `html_entities.txt` has every named reference of HTML with its characters. References to `&` are resolved again
//! together with what follows, as often as they are nested: `&amp;lt;` can become `<` in a text that is unescaped twice.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::long_text::InterruptCheck;
use crate::error::Result;

/// Every named reference without its `&`, with the code points of its characters. A name without `;` may be followed by
/// anything.
static NAMED: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    include_str!("html_entities.txt").lines().filter_map(|line| line.split_once(' ')).collect()
});

/// The length in bytes of the longest name.
const NAME: usize = 32;

/// References that lenient readers also know in any case and without `;`.
const LENIENT: [(&str, char); 10] = [
    ("lt", '<'),
    ("gt", '>'),
    ("sol", '/'),
    ("lsaquo", '<'),
    ("lang", '<'),
    ("nbsp", ' '),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
    ("shy", '\u{ad}'),
    ("amp", '&'),
];

/// The text with the character references of HTML resolved.
///
/// # Errors
/// The error of the interrupt check.
pub(super) fn without_references<'t>(
    text: &'t str,
    interrupt: &mut InterruptCheck<'_>,
) -> Result<Cow<'t, str>> {
    if !text.contains('&') {
        return Ok(Cow::Borrowed(text));
    }
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        resolved.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        interrupt.after(at + 1)?;
        loop {
            let Some((characters, length)) = reference(rest) else {
                resolved.push('&');
                break;
            };
            rest = &rest[length..];
            interrupt.after(length)?;
            if characters != [Some('&'), None] {
                resolved.extend(characters.into_iter().flatten());
                break;
            }
        }
    }
    resolved.push_str(rest);
    Ok(Cow::Owned(resolved))
}

/// The one or two characters of a reference.
type Characters = [Option<char>; 2];

/// The characters of a reference whose `&` is before the text, and the length of the reference.
fn reference(text: &str) -> Option<(Characters, usize)> {
    let (characters, length) = match text.strip_prefix('#') {
        Some(number) => numeric(number).map(|(character, length)| ([Some(character), None], length + 1))?,
        None => named(text)?,
    };
    let has_end = !text[..length].ends_with(';') && text[length..].starts_with(';');
    Some((characters, length + usize::from(has_end)))
}

/// The character of a numeric reference after its `#`, and the length of the number.
fn numeric(number: &str) -> Option<(char, usize)> {
    let (radix, digits, skipped) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits, 1),
        None => (10, number, 0),
    };
    let length = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
    let digits = digits[..length].trim_start_matches('0');
    let code = (digits.len() <= 7).then(|| u32::from_str_radix(digits, radix).ok()).flatten()?;
    Some((char::from_u32(code)?, skipped + length))
}

/// The characters of a named reference, and the length of its name.
fn named(text: &str) -> Option<(Characters, usize)> {
    let run = text.bytes().take(NAME).take_while(u8::is_ascii_alphanumeric).count();
    let known = |name: &str| NAMED.get(name).map(|codes| (characters(codes), name.len()));
    if text[run..].starts_with(';')
        && let Some(found) = known(&text[..=run])
    {
        return Some(found);
    }
    let lenient = |(name, character): (&str, char)| {
        let has = text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        has.then_some(([Some(character), None], name.len()))
    };
    (2..=run)
        .rev()
        .find_map(|length| known(&text[..length]))
        .or_else(|| LENIENT.into_iter().find_map(lenient))
}

fn characters(codes: &str) -> Characters {
    let mut codes = codes.split(' ').map(|code| u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
    [codes.next().flatten(), codes.next().flatten()]
}

#[cfg(test)]
mod tests {
    use super::{NAMED, characters, without_references};
    use crate::template::long_text::InterruptCheck;

    fn resolved(text: &str) -> String {
        let go_on = || Ok(());
        without_references(text, &mut InterruptCheck::new(&go_on)).expect("nothing interrupts").into_owned()
    }

    #[test]
    fn every_named_reference_has_characters() {
        assert!(NAMED.len() > 2000);
        assert!(NAMED.values().all(|codes| characters(codes)[0].is_some()));
        assert!(NAMED.keys().all(|name| name.len() <= super::NAME));
    }

    #[test]
    fn references_are_resolved() {
        for (text, expected) in [
            ("a & b", "a & b"),
            ("&", "&"),
            ("&lt;&#60;&#x3C;", "<<<"),
            ("&ltimes;", "\u{22c9}"),
            ("&ltb", "<b"),
            ("&NoBreak;&ZeroWidthSpace;", "\u{2060}\u{200b}"),
            ("&amp;amp;lt; &amp;#38;", "< &"),
            ("&unknown; é&é", "&unknown; é&é"),
        ] {
            assert_eq!(resolved(text), expected, "{text}");
        }
    }

    #[test]
    fn nested_references_take_linear_time() {
        assert_eq!(resolved(&format!("&{}lt;", "amp;".repeat(100_000))), "<");
    }
}
