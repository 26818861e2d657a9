//! JSON text to nodes. A duplicate key is a mistake.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde_json::Number;

use super::node::{NodeValue, SourceNode, SourceSpan, loses_digits};
use super::reader::NodeReader;
use super::shown;
use super::words::REPEATED_KEY;

/// The maximum nesting of JSON.
const DEPTH: usize = 127;

/// The tree of a JSON text. `None` if the text is not JSON; this is then the only mistake that `reader` notes.
pub(crate) fn read<'s>(text: &'s str, reader: &mut NodeReader<'_>) -> Option<SourceNode<'s>> {
    let mut parser = JsonParser { text, at: 0, twice: Vec::new() };
    match parser.whole() {
        Ok(node) => {
            for (span, key) in parser.twice {
                reader.wrong_hint(span, format!("the key {} is defined twice", shown(&key)), REPEATED_KEY);
            }
            Some(node)
        }
        Err(message) => {
            let at = SourceSpan::new(parser.at, parser.at);
            match message {
                None => reader.wrong(at, "the file ends too early"),
                Some(message) => reader.wrong(at, format!("this is not JSON: {message}")),
            }
            None
        }
    }
}

/// The tree of a JSON text that is a value of a file or a history, without places.
///
/// # Errors
/// What is wrong with the text, for a message.
pub(crate) fn parse(text: &str) -> Result<SourceNode<'_>, String> {
    parse_with(text, |key| format!("the key {} is defined twice", shown(key)))
}

/// As [`parse`], for a user's data, whose keys no message may quote.
pub(crate) fn parse_data(text: &str) -> Result<SourceNode<'_>, String> {
    parse_with(text, |_| "a key is defined twice".to_owned())
}

fn parse_with(text: &str, twice: impl FnOnce(&str) -> String) -> Result<SourceNode<'_>, String> {
    let mut parser = JsonParser { text, at: 0, twice: Vec::new() };
    match parser.whole() {
        Ok(node) => match parser.twice.first() {
            None => Ok(node),
            Some((_, key)) => Err(twice(key)),
        },
        Err(message) => Err(message.unwrap_or("it ends too early").to_owned()),
    }
}

/// The mistake at the parser's position. `None` if the text ends too early.
type JsonFault = Option<&'static str>;

struct JsonParser<'s> {
    text: &'s str,
    at: usize,
    twice: Vec<(SourceSpan, String)>,
}

impl<'s> JsonParser<'s> {
    fn whole(&mut self) -> Result<SourceNode<'s>, JsonFault> {
        let node = self.value(0)?;
        match self.peek() {
            None => Ok(node),
            Some(_) => Err(Some("there is more text after its end")),
        }
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn value(&mut self, depth: usize) -> Result<SourceNode<'s>, JsonFault> {
        let first = self.peek().ok_or(None)?;
        let start = self.at;
        if depth > DEPTH {
            return Err(Some("it is nested too deeply"));
        }
        let value = match first {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => NodeValue::Text(self.string()?),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.word("true", NodeValue::Bool(true))?,
            b'f' => self.word("false", NodeValue::Bool(false))?,
            b'n' => self.word("null", NodeValue::Null)?,
            _ => return Err(Some("expected a value")),
        };
        Ok(SourceNode::new(SourceSpan::new(start, self.at), value))
    }

    fn word(&mut self, word: &str, value: NodeValue<'s>) -> Result<NodeValue<'s>, JsonFault> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(value);
        }
        Err(Some("expected a value"))
    }

    fn number(&mut self) -> Result<NodeValue<'s>, JsonFault> {
        let rest = &self.text[self.at..];
        let length =
            rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let text = &rest[..length];
        let number = match text.parse::<Number>() {
            Ok(number) => Some(number),
            // A number beyond the range of floats, which is still JSON.
            Err(_) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => None,
            Err(_) => return Err(Some("this number is not valid")),
        };
        self.at += length;
        // The sign of `-0` counts too, because the text is passed on.
        Ok(match number {
            Some(number) if text != "-0" && !loses_digits(text, &number) => NodeValue::Number(number),
            _ => NodeValue::ExactNumber(Cow::Borrowed(text)),
        })
    }

    fn string(&mut self) -> Result<Cow<'s, str>, JsonFault> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let (mut end, mut is_plain) = (start + 1, true);
        loop {
            match bytes.get(end) {
                None => {
                    self.at = end;
                    return Err(None);
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    is_plain = false;
                    end += 2;
                }
                Some(0..0x20) => {
                    self.at = end;
                    return Err(Some("a control character must be written as an escape"));
                }
                Some(_) => end += 1,
            }
        }
        self.at = end + 1;
        if is_plain {
            return Ok(Cow::Borrowed(&self.text[start + 1..end]));
        }
        let text = &self.text[start..=end];
        serde_json::from_str(text).map(Cow::Owned).map_err(|_| {
            self.at = start;
            let is_surrogate = |escape: &str| {
                let digits = escape.get(1..3).unwrap_or_default();
                escape.starts_with('u')
                    && u8::from_str_radix(digits, 16).is_ok_and(|high| matches!(high, 0xd8..=0xdf))
            };
            if text.split('\\').any(is_surrogate) {
                Some("a string has half of a surrogate pair, which is not a character")
            } else {
                Some("an escape in this string is not valid")
            }
        })
    }

    fn array(&mut self, depth: usize) -> Result<NodeValue<'s>, JsonFault> {
        let mut items = Vec::new();
        self.at += 1;
        if self.peek().ok_or(None)? == b']' {
            self.at += 1;
            return Ok(NodeValue::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.goes_on(b']')? {
                return Ok(NodeValue::List(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<NodeValue<'s>, JsonFault> {
        let mut members: Vec<(SourceNode<'s>, SourceNode<'s>)> = Vec::new();
        let mut known = HashSet::new();
        self.at += 1;
        if self.peek().ok_or(None)? == b'}' {
            self.at += 1;
            return Ok(NodeValue::Map(members));
        }
        loop {
            if self.peek().ok_or(None)? != b'"' {
                return Err(Some("expected a key in quotes"));
            }
            let start = self.at;
            let key = self.string()?;
            let span = SourceSpan::new(start, self.at);
            if self.peek().ok_or(None)? != b':' {
                return Err(Some("expected `:` after the key"));
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            if known.insert(key.clone()) {
                members.push((SourceNode::new(span, NodeValue::Text(key)), value));
            } else {
                self.twice.push((span, key.into_owned()));
            }
            if !self.goes_on(b'}')? {
                return Ok(NodeValue::Map(members));
            }
        }
    }

    /// Reads a comma or the end. Returns whether it was a comma, after which another item must follow.
    fn goes_on(&mut self, end: u8) -> Result<bool, JsonFault> {
        match self.peek().ok_or(None)? {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == end => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(Some("expected `,` or the end of the list or object")),
        }
    }
}

/// Rewords serde's message about data of the wrong shape in the style of our errors, and without values. For records
/// that only programs write.
pub(crate) fn plain(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if let Some((found, expected)) =
        text.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        return format!("expected {expected}, found {}", kind_of(found));
    }
    match text.strip_prefix("missing field ") {
        Some(field) => format!("{field} is missing"),
        None => text.to_owned(),
    }
}

/// The kind of the value that serde found, without the value: `a string` for `string "x"`.
fn kind_of(unexpected: &str) -> &'static str {
    match unexpected.split([' ', '`', '"']).next().unwrap_or_default() {
        "string" | "character" => "a string",
        "integer" | "floating" => "a number",
        "boolean" => "a boolean",
        "sequence" => "a list",
        "map" => "a mapping",
        "unit" | "Option" => "nothing",
        _ => "another value",
    }
}
