//! Writes JSON text piece by piece, compact or indented, up to a limit.

use std::fmt::{Display, Write};

use super::context::ValueKind;
use crate::error::{Error, Kind, Result};
use crate::limits::PLAIN_DEPTH;

/// JSON text under construction. The caller passes the pieces in order; commas and indentation are added here.
#[derive(Debug)]
pub struct JsonText {
    text: String,
    /// The spaces of one level, if the text is indented.
    indent: Option<usize>,
    limit: usize,
    depth: usize,
    /// Whether bytes are written as base64.
    pub takes_bytes: bool,
    /// Whether the innermost list or object has no item yet.
    is_empty: bool,
}

impl JsonText {
    /// An empty text of at most `limit` bytes, with `indent` spaces for each level.
    #[must_use]
    pub fn new(indent: Option<usize>, limit: usize) -> Self {
        Self { text: String::new(), indent, limit, depth: 0, takes_bytes: false, is_empty: true }
    }

    /// Adds a number, `true`, `false` or `null`, as it is written in JSON.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`] if the text is longer than the limit. The same holds for all other methods.
    pub fn literal(&mut self, literal: &str) -> Result<()> {
        self.text.push_str(literal);
        self.check()
    }

    /// Adds a floating-point number.
    ///
    /// # Errors
    /// As [`JsonText::literal`]; [`Kind::TemplateRender`] for NaN and infinity.
    pub fn float(&mut self, number: f64) -> Result<()> {
        match serde_json::Number::from_f64(number) {
            Some(number) => self.literal(&number.to_string()),
            None => Err(Error::new(Kind::TemplateRender, "NaN and infinity cannot be written as JSON")),
        }
    }

    /// The error for a value of a kind that JSON has no form of.
    #[must_use]
    pub fn unwritable(kind: ValueKind) -> Error {
        Error::new(Kind::TemplateRender, format!("{kind} cannot be written as JSON"))
    }

    /// The error for a value that cannot be the key of an object.
    #[must_use]
    pub fn no_key(what: impl Display) -> Error {
        Error::new(Kind::TemplateRender, format!("{what} cannot be a key in JSON"))
    }

    /// The error for a value that nests too deep.
    #[must_use]
    pub fn too_deep() -> Error {
        let message = format!("the value is nested more than {PLAIN_DEPTH} levels deep, or contains itself");
        Error::new(Kind::TemplateRender, message)
    }

    /// The error for a mapping in which two keys print alike, such as `1` and `"1"`.
    #[must_use]
    pub fn duplicate_key() -> Error {
        Error::new(Kind::TemplateRender, "two keys of a mapping are the same text in JSON")
            .with_hint("keys of JSON are texts: `1` and `\"1\"` are one key. Rename or remove one of the two")
    }

    /// Adds a string.
    ///
    /// # Errors
    /// As [`JsonText::literal`].
    pub fn string(&mut self, string: &str) -> Result<()> {
        self.text.push('"');
        self.escaped(string);
        self.text.push('"');
        self.check()
    }

    /// [`JsonText::string`] for a long text. `check` is called from time to time, and its error ends the work.
    ///
    /// # Errors
    /// As [`JsonText::literal`], and the error of `check`.
    pub fn long_string(&mut self, string: &str, mut check: impl FnMut() -> Result<()>) -> Result<()> {
        const PIECE: usize = 1 << 20;
        self.text.push('"');
        let mut rest = string;
        while rest.len() > PIECE {
            let mut at = PIECE;
            while !rest.is_char_boundary(at) {
                at -= 1;
            }
            let (piece, next) = rest.split_at(at);
            self.escaped(piece);
            self.check()?;
            check()?;
            rest = next;
        }
        self.escaped(rest);
        self.text.push('"');
        self.check()
    }

    /// Adds the key of an object's next member, after [`JsonText::item`].
    ///
    /// # Errors
    /// As [`JsonText::literal`].
    pub fn key(&mut self, key: &str) -> Result<()> {
        self.string(key)?;
        self.after_key();
        Ok(())
    }

    /// Adds what follows a key that was added as a string.
    pub fn after_key(&mut self) {
        self.text.push_str(if self.indent.is_some() { ": " } else { ":" });
    }

    /// Opens a list or an object.
    ///
    /// # Errors
    /// As [`JsonText::literal`].
    pub fn open(&mut self, bracket: char) -> Result<()> {
        self.text.push(bracket);
        self.depth += 1;
        self.is_empty = true;
        self.check()
    }

    /// Begins the next item of the innermost list or object.
    ///
    /// # Errors
    /// As [`JsonText::literal`].
    pub fn item(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.is_empty) {
            self.text.push(',');
        }
        self.line();
        self.check()
    }

    /// Closes the innermost list or object.
    ///
    /// # Errors
    /// As [`JsonText::literal`].
    pub fn close(&mut self, bracket: char) -> Result<()> {
        self.depth -= 1;
        if !std::mem::take(&mut self.is_empty) {
            self.line();
        }
        self.text.push(bracket);
        self.check()
    }

    /// The number of bytes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// What was added after the first `start` bytes.
    #[must_use]
    pub fn since(&self, start: usize) -> &str {
        self.text.get(start..).unwrap_or_default()
    }

    /// Whether nothing was added yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn line(&mut self) {
        if let Some(indent) = self.indent {
            self.text.push('\n');
            self.text.extend(std::iter::repeat_n(' ', indent * self.depth));
        }
    }

    fn escaped(&mut self, text: &str) {
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            let escape = match byte {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'\r' => "\\r",
                b'\t' => "\\t",
                0x08 => "\\b",
                0x0c => "\\f",
                0x00..=0x1f => "",
                _ => continue,
            };
            self.text.push_str(&text[from..at]);
            if escape.is_empty() {
                self.unit(u16::from(byte));
            } else {
                self.text.push_str(escape);
            }
            from = at + 1;
        }
        self.text.push_str(&text[from..]);
    }

    /// Adds a UTF-16 unit as an escape.
    fn unit(&mut self, unit: u16) {
        // Writing to a string does not fail.
        let _ = write!(self.text, "\\u{unit:04x}");
    }

    fn check(&self) -> Result<()> {
        if self.text.len() <= self.limit {
            return Ok(());
        }
        Err(Error::new(
            Kind::TemplateRender,
            format!("the text is longer than the limit of {} bytes", self.limit),
        )
        .with_hint("shorten the text, or raise limits.output_bytes"))
    }
}
