//! Reads one JSON value: lists, dicts, and what is between values.

use std::collections::HashMap;

use super::answer_error::AnswerError;
use super::comments::{AnswerComment, COMMENT_WITHOUT_END, begins_comment};
use super::cursor::{AnswerParser, ReadValue};
use super::parsed::Parsed;
use super::quotes::{TextPlace, begins_text};
use super::repairs::RepairKind;
use crate::error::Kind;
use crate::stack_room;

/// Maximum nesting of an answer.
const MAX_DEPTH: usize = 128;

/// The members of a dict that is being read. A large dict is searched by hash.
#[derive(Default)]
struct Members {
    list: Vec<(String, Parsed)>,
    places: HashMap<String, usize>,
}

impl Members {
    /// Up to this many members, a linear search is faster than hashing.
    const FEW: usize = 16;

    /// The position of a key.
    fn place(&mut self, name: &str) -> Option<usize> {
        if self.list.len() <= Self::FEW {
            return self.list.iter().position(|(known, _)| known == name);
        }
        if self.places.is_empty() {
            let places = self.list.iter().enumerate().map(|(at, (name, _))| (name.clone(), at));
            self.places = places.collect();
        }
        self.places.get(name).copied()
    }

    /// Adds a member. Returns false if the key already has another value, or any value if `once`.
    fn add(&mut self, name: String, value: Parsed, once: bool) -> bool {
        if let Some(at) = self.place(&name) {
            return !once && self.list[at].1 == value;
        }
        if self.list.len() > Self::FEW {
            self.places.insert(name.clone(), self.list.len());
        }
        self.list.push((name, value));
        true
    }

    fn parsed(self) -> Parsed {
        Parsed::Dict(self.list)
    }
}

impl AnswerParser<'_> {
    /// Reads the whole text as one value.
    pub(super) fn whole(&mut self) -> Result<Parsed, AnswerError> {
        self.blank()?;
        let parsed = self.value(0)?;
        self.blank()?;
        if self.at < self.text.len() { self.stop("there is more text after the JSON") } else { Ok(parsed) }
    }

    /// Reads an outermost value and closes it if it is cut off.
    pub(super) fn value(&mut self, depth: usize) -> Result<Parsed, AnswerError> {
        match self.piece(depth, TextPlace::Item)? {
            ReadValue::Whole(parsed) => Ok(parsed),
            ReadValue::Cut(Some(_)) if self.ends_in_comment => self.stop(COMMENT_WITHOUT_END),
            ReadValue::Cut(Some(parsed)) => {
                self.repair(self.text.len(), RepairKind::CutOff)?;
                Ok(parsed)
            }
            ReadValue::Cut(None) => self.stop("the JSON ends before it begins"),
        }
    }

    /// Reads an outermost value, complete or cut off.
    pub(super) fn outermost(&mut self) -> Result<ReadValue, AnswerError> {
        self.piece(0, TextPlace::Item)
    }

    /// Skips white space and comments.
    pub(super) fn blank(&mut self) -> Result<(), AnswerError> {
        loop {
            while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
                self.at += 1;
            }
            // Usually there is nothing else to skip.
            match self.peek() {
                Some(b'/' | b'#' | 0x0b | 0x0c | 0x80..) if !self.strict => {}
                Some(b'/' | b'#') if self.strict => {}
                _ => return Ok(()),
            }
            let rest = self.rest();
            let trimmed = rest.trim_start();
            if trimmed.len() < rest.len() && !self.strict {
                self.at += rest.len() - trimmed.len();
                continue;
            }
            if begins_comment(rest) {
                self.repair(self.at, RepairKind::Comment)?;
            }
            let Some(comment) = AnswerComment::read(self.text, self.at, self.single_texts > 0)? else {
                return Ok(());
            };
            self.ends_in_comment = comment.is_last;
            self.at += comment.length;
        }
    }

    fn piece(&mut self, depth: usize, place: TextPlace) -> Result<ReadValue, AnswerError> {
        if depth > MAX_DEPTH {
            return self.stop(format!("it nests deeper than {MAX_DEPTH} levels"));
        }
        if let Err(full) = stack_room::check(depth, Kind::Schema) {
            return self.stop(full.message().to_owned());
        }
        match self.peek() {
            None => Ok(ReadValue::Cut(None)),
            Some(b'{') => self.dict(depth),
            Some(b'[') => self.list(depth),
            Some(_) if begins_text(self.rest()) => Ok(match self.text(place)? {
                Some(text) => ReadValue::Whole(Parsed::Text(text)),
                None => ReadValue::Cut(None),
            }),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.word(),
        }
    }

    /// The complete part of a list or dict that has no end.
    fn cut(&mut self, parsed: Parsed) -> ReadValue {
        self.open += 1;
        ReadValue::Cut(Some(parsed))
    }

    fn list(&mut self, depth: usize) -> Result<ReadValue, AnswerError> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.blank()?;
            match self.peek() {
                None => return Ok(self.cut(Parsed::List(items))),
                Some(b']') => break,
                Some(b',') => return self.stop("a value is missing before the comma"),
                Some(_) => {}
            }
            match self.piece(depth + 1, TextPlace::Item)? {
                ReadValue::Whole(item) => items.push(item),
                ReadValue::Cut(item) => {
                    items.extend(item);
                    return Ok(self.cut(Parsed::List(items)));
                }
            }
            if !self.comma(b']')? {
                return Ok(self.cut(Parsed::List(items)));
            }
        }
        self.at += 1;
        Ok(ReadValue::Whole(Parsed::List(items)))
    }

    fn dict(&mut self, depth: usize) -> Result<ReadValue, AnswerError> {
        let mut members = Members::default();
        self.at += 1;
        loop {
            self.blank()?;
            let start = self.at;
            let name = match self.peek() {
                None => return Ok(self.cut(members.parsed())),
                Some(b'}') => break,
                Some(_) if begins_text(self.rest()) => self.text(TextPlace::Key)?,
                Some(_) => self.bare_key()?,
            };
            let Some(name) = name else { return Ok(self.cut(members.parsed())) };
            self.blank()?;
            match self.peek() {
                None => return Ok(self.cut(members.parsed())),
                Some(b':') => self.at += 1,
                Some(_) => return self.stop("a colon is missing after the key"),
            }
            self.blank()?;
            let (value, cut) = match self.piece(depth + 1, TextPlace::Member)? {
                ReadValue::Whole(value) => (Some(value), false),
                ReadValue::Cut(value) => (value, true),
            };
            let is_clear = match value {
                Some(value) => members.add(name, value, self.strict),
                // What was cut off may have been another value.
                None => members.place(&name).is_none(),
            };
            if !is_clear {
                self.at = start;
                return self.stop("a key appears twice");
            }
            if cut || !self.comma(b'}')? {
                return Ok(self.cut(members.parsed()));
            }
        }
        self.at += 1;
        Ok(ReadValue::Whole(members.parsed()))
    }

    /// Skips the comma after a member. Returns false if the text ends. Does not skip a closing bracket.
    fn comma(&mut self, close: u8) -> Result<bool, AnswerError> {
        self.blank()?;
        match self.peek() {
            None => Ok(false),
            Some(byte) if byte == close => Ok(true),
            Some(b',') => {
                let comma = self.at;
                self.at += 1;
                self.blank()?;
                if self.peek() == Some(close) {
                    self.repair(comma, RepairKind::TrailingComma)?;
                }
                Ok(true)
            }
            Some(_) => self.stop("a comma or a closing bracket is missing"),
        }
    }

    /// Reads a key without quotes.
    fn bare_key(&mut self) -> Result<Option<String>, AnswerError> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$' || c == '-'))
            .unwrap_or(rest.len());
        let word = &rest[..length];
        if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return self.stop("a key is missing");
        }
        self.repair(self.at, RepairKind::UnquotedKey)?;
        self.at += length;
        Ok((!self.rest().is_empty()).then(|| word.to_owned()))
    }
}
