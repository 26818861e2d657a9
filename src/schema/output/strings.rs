//! Texts in an answer: quotes of several kinds, escapes, and characters that JSON forbids in a text.

use super::answer_error::AnswerError;
use super::comments::{HOLDS_JSON, begins_comment};
use super::cursor::AnswerParser;
use super::fences::FENCE_ENDS_FIRST;
use super::quote_pairs::QuotePairs;
use super::quotes::{Quotes, TextPlace, begins_text, key_of};
use super::repairs::RepairKind;

/// The error for an escape that JSON does not have, where the meaning is unclear.
const UNKNOWN_ESCAPE: &str = "a backslash precedes a character that it cannot escape";

/// A text that is being read.
#[derive(Default)]
struct PartialText {
    text: String,
    /// The first escape that JSON does not have.
    unknown_escape: Option<usize>,
    /// Whether an escape could also be a backslash and a letter: `\t` in `\theta`.
    has_doubtful_escape: bool,
    has_control_character: bool,
    quotes_within: QuotePairs,
}

impl PartialText {
    fn finish(self) -> Result<String, AnswerError> {
        match self.unknown_escape {
            // Of `\alpha\beta` the second is an escape of JSON, but the author meant neither.
            Some(offset) if self.has_doubtful_escape => {
                Err(AnswerError { offset, message: UNKNOWN_ESCAPE.to_owned() })
            }
            _ => Ok(self.text),
        }
    }
}

impl AnswerParser<'_> {
    /// Reads a text in quotes; `None` if it has no end.
    pub(super) fn text(&mut self, place: TextPlace) -> Result<Option<String>, AnswerError> {
        let Some(quotes) = Quotes::open(self.rest(), place, self.strict) else {
            return self.stop("a text is missing");
        };
        if let Some(repair) = quotes.repair {
            self.repair(self.at, repair)?;
        }
        self.single_texts += usize::from(place != TextPlace::Key && quotes.is_single());
        self.at += quotes.open.len();
        let mut partial = PartialText::default();
        let mut from = self.at;
        while let Some(byte) = self.peek() {
            if quotes.may_close_with(byte)
                && let Some(close) = quotes.close(self.rest())
            {
                if self.closes(quotes, close, place, &mut partial)? {
                    partial.text.push_str(&self.text[from..self.at]);
                    self.at += close.len();
                    return partial.finish().map(Some);
                }
                self.at += close.len();
            } else if byte == b'\\' {
                partial.text.push_str(&self.text[from..self.at]);
                if !self.escape(quotes, &mut partial)? {
                    return Ok(None);
                }
                from = self.at;
            } else {
                if byte < 0x20 {
                    self.control_character(byte, quotes, &mut partial)?;
                }
                partial.quotes_within.is_quoting |=
                    byte >= 0x80 && self.text.as_bytes()[self.at..].starts_with(quotes.open.as_bytes());
                self.at += 1;
            }
        }
        Ok(None)
    }

    /// Whether the quotes here end the text. If they do not, they are part of it.
    fn closes(
        &mut self,
        quotes: Quotes,
        close: &str,
        place: TextPlace,
        partial: &mut PartialText,
    ) -> Result<bool, AnswerError> {
        let after = &self.rest()[close.len()..];
        if quotes.is_triple() {
            if after.starts_with(&close[..1]) {
                return self.stop("it is unclear which three quotes end the text");
            }
            return Ok(true);
        }
        let is_between = partial.quotes_within.pair_up() && item_follows(after, place);
        let closes = match &mut self.choices {
            // The quotes within the text pair up, so these are between two items.
            Some(_) if is_between => true,
            Some(choices) if place != TextPlace::Key => {
                may_end(after, place) && choices.ends(partial.quotes_within.has_any)
            }
            // A key with quotes in it would hide a missing comma or colon.
            _ => true,
        };
        if !closes {
            // It is unclear whether the quotes end the text and a comment follows.
            let next = after.trim_start();
            let next = next.strip_prefix(',').map_or(next, str::trim_start);
            if begins_comment(next) {
                return self.stop(HOLDS_JSON);
            }
            if text_follows(after, place) {
                return self.stop("a comma is missing between two texts");
            }
            self.note_key_within_text(after);
            self.note_unclear_end(partial.quotes_within.is_quoting, quotes.open, after);
            partial.quotes_within.add(quotes.is_single(), self.text[..self.at].chars().next_back(), after);
            self.repair(self.at, RepairKind::UnescapedQuote)?;
        }
        Ok(closes)
    }

    /// Notes a key of the schema that begins with the quote here, or that follows it without quotes.
    fn note_key_within_text(&mut self, after: &str) {
        let next = after.trim_start().strip_prefix(',').map(str::trim_start);
        let keys = [key_of(self.rest()), next.and_then(key_of)];
        if let Some(choices) = &mut self.choices {
            for key in keys.into_iter().flatten() {
                choices.note_key(key.name);
            }
        }
    }

    /// Notes a quote that may be the end of the text: it ends no quotation within the text, and what follows separates
    /// it from another text.
    fn note_unclear_end(&mut self, is_quoting: bool, open: &str, after: &str) {
        if let Some(choices) = &mut self.choices {
            choices.is_doubtful |= !is_quoting
                && after.trim_start().starts_with([',', ';', ':', ']', '}'])
                && opens_next(after, open);
        }
    }

    fn control_character(
        &mut self,
        byte: u8,
        quotes: Quotes,
        partial: &mut PartialText,
    ) -> Result<(), AnswerError> {
        if byte == b'\n' && self.in_fence {
            // Blank lines before the fence have a line break of their own.
            let next = self.text[self.at + 1..].trim_start_matches([' ', '\t', '\r']);
            if next.starts_with("```") {
                self.at = self.text.len() - next.len();
                return self.stop(FENCE_ENDS_FIRST);
            }
        }
        if !partial.has_control_character && !quotes.is_triple() {
            partial.has_control_character = true;
            self.repair(self.at, RepairKind::ControlCharacter)?;
        }
        Ok(())
    }

    /// Reads an escape; returns false if the answer ends within it.
    fn escape(&mut self, quotes: Quotes, partial: &mut PartialText) -> Result<bool, AnswerError> {
        let start = self.at;
        let Some(c) = self.text[start + 1..].chars().next() else {
            self.at = self.text.len();
            return Ok(false);
        };
        self.at += 1 + c.len_utf8();
        let letter_follows = self.peek().is_some_and(|byte| byte.is_ascii_alphabetic());
        partial.has_doubtful_escape |= c == '\\' || (letter_follows && "bfnrt".contains(c));
        let unescaped = match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' if self.peek().is_none_or(|byte| byte.is_ascii_hexdigit()) => match self.unicode(start)? {
                Some(c) => c,
                None => return Ok(false),
            },
            '\'' if !self.strict => {
                if quotes.repair.is_none() {
                    self.repair(start, RepairKind::NeedlessEscape)?;
                }
                c
            }
            _ if self.strict || has_another_meaning(c, self.rest()) => {
                self.at = start;
                return self.stop(UNKNOWN_ESCAPE);
            }
            _ => {
                if partial.unknown_escape.is_none() {
                    partial.unknown_escape = Some(start);
                    self.repair(start, RepairKind::UnknownEscape)?;
                }
                partial.text.push('\\');
                c
            }
        };
        partial.text.push(unescaped);
        Ok(true)
    }

    /// Reads the character of `\uXXXX`, or of a surrogate pair. `None` if the answer ends within it.
    fn unicode(&mut self, start: usize) -> Result<Option<char>, AnswerError> {
        let Some(first) = self.four_digits()? else { return Ok(None) };
        let mut code = first;
        if (0xd800..0xdc00).contains(&first) {
            if self.rest().is_empty() || self.rest() == "\\" {
                self.at = self.text.len();
                return Ok(None);
            }
            if self.rest().starts_with("\\u") {
                self.at += 2;
                let Some(second) = self.four_digits()? else { return Ok(None) };
                if (0xdc00..0xe000).contains(&second) {
                    code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                }
            }
        }
        let Some(c) = char::from_u32(code) else {
            let message = "half a surrogate pair is not a character".to_owned();
            return Err(AnswerError { offset: start, message });
        };
        Ok(Some(c))
    }

    /// Reads four hexadecimal digits; `None` if the answer ends within them.
    fn four_digits(&mut self) -> Result<Option<u32>, AnswerError> {
        let rest = self.rest().as_bytes();
        let length = rest.iter().take(4).take_while(|digit| digit.is_ascii_hexdigit()).count();
        if length == rest.len() && length < 4 {
            self.at = self.text.len();
            return Ok(None);
        }
        let digits = &self.rest()[..length];
        match u32::from_str_radix(digits, 16) {
            Ok(code) if length == 4 => {
                self.at += 4;
                Ok(Some(code))
            }
            _ => self.stop("four hexadecimal digits are missing after \\u"),
        }
    }
}

/// Whether an escape that JSON does not have is one in Python or JavaScript (`\x41`, `\0`, a line continued), or one of
/// Markdown (`\_`). Then it is unclear whether the backslash is part of the text.
fn has_another_meaning(c: char, rest: &str) -> bool {
    let hexadecimal =
        |count: usize| rest.len() >= count && rest.bytes().take(count).all(|byte| byte.is_ascii_hexdigit());
    match c {
        'x' => hexadecimal(2),
        'U' => hexadecimal(8),
        'N' => rest.starts_with('{'),
        '_' | '*' | '#' | '`' | '~' => true,
        c => c.is_ascii_digit() || c.is_control(),
    }
}

/// Whether a text may end before `after`.
fn may_end(after: &str, place: TextPlace) -> bool {
    let after = after.trim_start();
    let next = after.strip_prefix(',').map(str::trim_start);
    match place {
        TextPlace::Key => after.starts_with(':'),
        TextPlace::Member => {
            after.starts_with('}') || next.is_some_and(|next| next.starts_with('}') || key_of(next).is_some())
        }
        TextPlace::Item => {
            let value = |c: char| c.is_ascii_digit() || matches!(c, ']' | '[' | '{' | '-');
            let words = ["null", "true", "false", "None", "True", "False"];
            after.starts_with(']')
                || next.is_some_and(|next| {
                    next.starts_with(value)
                        || begins_text(next)
                        || words.iter().any(|word| next.starts_with(word))
                })
        }
    }
}

/// Whether the next item of a list follows, and is a text.
fn item_follows(after: &str, place: TextPlace) -> bool {
    let next = after.trim_start().strip_prefix(',').map(str::trim_start);
    place == TextPlace::Item && next.is_some_and(begins_text)
}

/// Whether a text follows that is not part of the one that a quote would end: the comma or plus between them is missing.
fn text_follows(after: &str, place: TextPlace) -> bool {
    let next = after.trim_start();
    let joined = next.strip_prefix('+').is_some_and(|next| begins_text(next.trim_start()));
    let is_apart = next.len() < after.len() || place == TextPlace::Item;
    let quoted = next.chars().next().filter(|_| is_apart && begins_text(next));
    let ends = |quote: char| next[quote.len_utf8()..].trim_start().starts_with([',', ']', '}']);
    joined || quoted.is_some_and(|quote| !ends(quote))
}

/// Whether the next opening quote begins a text, by what is around it.
fn opens_next(after: &str, open: &str) -> bool {
    let Some((before, rest)) = after.split_once(open) else { return false };
    let follows_word = before.chars().next_back().is_some_and(char::is_alphanumeric);
    !follows_word && !rest.starts_with(|c: char| c.is_whitespace() || ",;:]}".contains(c)) && !rest.is_empty()
}
