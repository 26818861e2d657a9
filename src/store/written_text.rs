//! Where the characters of a text of YAML are in its file, for texts that are not written as they are: in quotes with
//! escapes, over several lines, or folded (`>`).

use std::iter::Peekable;
use std::str::CharIndices;

/// The longest text that is searched, in bytes. Every finding in it is a search of its own.
const SEARCHED: usize = 20_000;

/// The offset in the source, which begins with the text's first character or its quote, of an offset in the text.
/// `None` if it is not certain.
pub(super) fn offset_in_source(source: &str, text: &str, offset: usize) -> Option<usize> {
    if offset > SEARCHED {
        return None;
    }
    let quote = source.chars().next().filter(|first| matches!(first, '"' | '\''));
    let mut written = source.char_indices().peekable();
    if quote.is_some() {
        written.next();
    }
    let mut read = text.char_indices().peekable();
    while let Some(&(at, wanted)) = read.peek() {
        if is_blank(wanted) {
            let start = written.peek()?.0;
            while read.next_if(|(_, char)| is_blank(*char)).is_some() {}
            let next = read.peek().map_or(text.len(), |(at, _)| *at);
            // Blank lines at the start of a block are before its first character.
            if !skip_blanks(&mut written, source, quote) && at > 0 {
                return None;
            }
            if (at..next).contains(&offset) {
                return Some(start);
            }
            continue;
        }
        read.next();
        let start = written.peek()?.0;
        if next_char(&mut written, source, quote)? != wanted {
            return None;
        }
        if at == offset {
            return Some(start);
        }
    }
    None
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r')
}

/// Skips blanks, line breaks, and their escapes in double quotes. Returns whether there were any.
fn skip_blanks(written: &mut Peekable<CharIndices<'_>>, source: &str, quote: Option<char>) -> bool {
    let mut is_found = false;
    while let Some(&(at, char)) = written.peek() {
        let is_escape = quote == Some('"')
            && char == '\\'
            && source[at + 1..].starts_with(['n', 't', 'r', ' ', '\t', '\n', '\r']);
        if is_escape {
            written.next();
        } else if !is_blank(char) {
            break;
        }
        written.next();
        is_found = true;
    }
    is_found
}

/// The next character that is no blank, without its escape.
fn next_char(written: &mut Peekable<CharIndices<'_>>, source: &str, quote: Option<char>) -> Option<char> {
    let (at, char) = written.next()?;
    match (quote, char) {
        (Some('\''), '\'') => written.next_if(|(_, next)| *next == '\'').map(|(_, next)| next),
        (Some('"'), '"') => None,
        (Some('"'), '\\') => {
            let (_, escape) = written.next()?;
            let digits = match escape {
                '"' | '\\' | '/' => return Some(escape),
                'x' => 2,
                'u' => 4,
                'U' => 8,
                // The rest of a word is on the next line.
                '\n' | '\r' => {
                    skip_blanks(written, source, quote);
                    return next_char(written, source, quote);
                }
                _ => return None,
            };
            let code = source.get(at + 2..at + 2 + digits)?;
            for _ in 0..digits {
                written.next();
            }
            char::from_u32(u32::from_str_radix(code, 16).ok()?)
        }
        _ => Some(char),
    }
}

#[cfg(test)]
mod tests {
    use super::offset_in_source;

    #[test]
    fn a_character_is_found_however_the_text_is_written() {
        for (source, text) in [
            ("\"a\\n\\tb {{x}}\"", "a\n\tb {{x}}"),
            ("'it''s {{x}}'", "it's {{x}}"),
            ("\"it\\\"s \\u00e9 {{x}}\"", "it\"s é {{x}}"),
            ("a\n  b {{x}}\nnext: 1", "a b {{x}}"),
            ("\"a\n\n  b\\\n  c {{x}}\"", "a\nbc {{x}}"),
            ("one\n  two\n\n  three {{x}}\n", "one two\nthree {{x}}\n"),
            ("one {{x}}\n", "\n\none {{x}}\n"),
        ] {
            let found = offset_in_source(source, text, text.find("{{x}}").unwrap());
            assert_eq!(found, source.find("{{x}}"), "{source}");
        }
        assert_eq!(offset_in_source("other {{x}}", "a {{x}}", 2), None);
    }
}
