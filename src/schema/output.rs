//! Reads the JSON in a model's answer.
//!
//! Models put JSON into code fences and prose, leave trailing commas, quote as Python does, write comments, and stop in
//! the middle. The meaning is clear in these cases: the answer is repaired, and each repair is recorded. A value is
//! never made up. What was cut off is left out. Two answers in one text, and everything whose meaning is a guess, are
//! errors.

use std::collections::HashMap;

use super::violation::{Violation, invalid};
use crate::error::{Place, Result};

/// Maximum nesting of an answer.
const MAX_DEPTH: usize = 128;

/// A JSON value that keeps every digit of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits in 64 bits.
    Integer(i64),
    /// The digits of a larger whole number.
    Digits(String),
    /// Any other number; NaN and the infinities only as a repair.
    Float(f64),
    /// Text.
    Text(String),
    /// Items.
    List(Vec<Parsed>),
    /// Members in the order of the text.
    Dict(Vec<(String, Parsed)>),
}

impl Parsed {
    /// Converts to [`serde_json::Value`]. Numbers that it cannot hold become the nearest; NaN and infinity become null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::from(*truth),
            Self::Integer(whole) => Value::from(*whole),
            Self::Digits(digits) => {
                digits.parse::<u64>().map_or_else(|_| Value::from(digits.parse::<f64>().ok()), Value::from)
            }
            Self::Float(float) => Value::from(*float),
            Self::Text(text) => Value::from(text.as_str()),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Dict(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
            }
        }
    }
}

/// The kind of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepairKind {
    /// A code fence around the JSON.
    Fence,
    /// Text before or after it.
    Prose,
    /// A comma before a closing bracket.
    TrailingComma,
    /// A text in single quotes.
    SingleQuotes,
    /// A text in typographic quotes.
    CurlyQuotes,
    /// A backslash before a quote that does not need it.
    NeedlessEscape,
    /// A comment.
    Comment,
    /// A key without quotes.
    UnquotedKey,
    /// `True`, `False` or `None`, as Python writes them.
    PythonWord,
    /// `NaN` or `Infinity`, which are not JSON.
    NotFinite,
    /// A line break or another control character within a text.
    ControlCharacter,
    /// The end is missing; incomplete parts are left out.
    CutOff,
}

impl RepairKind {
    /// The name in Python.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fence => "code_fence",
            Self::Prose => "prose",
            Self::TrailingComma => "trailing_comma",
            Self::SingleQuotes => "single_quotes",
            Self::CurlyQuotes => "curly_quotes",
            Self::NeedlessEscape => "needless_escape",
            Self::Comment => "comment",
            Self::UnquotedKey => "unquoted_key",
            Self::PythonWord => "python_word",
            Self::NotFinite => "not_finite",
            Self::ControlCharacter => "control_character",
            Self::CutOff => "cut_off",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Fence => "a code fence around the JSON",
            Self::Prose => "text around the JSON",
            Self::TrailingComma => "a comma before a closing bracket",
            Self::SingleQuotes => "a text in single quotes",
            Self::CurlyQuotes => "a text in curly quotes",
            Self::NeedlessEscape => "a backslash before a quote that needs none",
            Self::Comment => "a comment",
            Self::UnquotedKey => "a key without quotes",
            Self::PythonWord => "True, False or None instead of true, false or null",
            Self::NotFinite => "NaN or Infinity, which JSON does not have",
            Self::ControlCharacter => "a line break or control character within a text",
            Self::CutOff => "the end is missing; incomplete parts are left out",
        }
    }
}

/// A repair and its position. Line and column count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The kind of the repair.
    pub kind: RepairKind,
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Repair {
    /// Describes what was repaired.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.kind.message()
    }
}

/// Options for reading an answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerOptions {
    /// Accept only valid JSON.
    pub strict: bool,
    /// Accept only a dict, so that a list in the prose is not taken for the answer.
    pub dict: bool,
}

/// An answer that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its JSON.
    pub parsed: Parsed,
    /// The repairs, in the order of the text.
    pub repairs: Vec<Repair>,
    /// How many lists and dicts lack their end, from the outside in; each is the last item of the one around it.
    pub open: usize,
}

/// Reads the JSON of an answer.
///
/// # Errors
/// [`Kind::SchemaInvalid`](crate::Kind::SchemaInvalid) with the rule `syntax` if the text has no JSON, has more than
/// one possible answer, or is not clear.
pub fn parse(text: &str, options: AnswerOptions) -> Result<Answer> {
    let source = text.strip_prefix('\u{feff}').unwrap_or(text);
    read(source, options)
        .map(|found| Answer {
            parsed: found.parsed,
            repairs: located(source, found.repairs),
            open: found.open,
        })
        .map_err(|stop| failed(source, &stop))
}

fn read(source: &str, options: AnswerOptions) -> Result<FoundAnswer, AnswerError> {
    let mut direct = AnswerParser::new(source, 0, options.strict);
    let whole = direct.whole();
    // The text is valid JSON, but not a dict.
    let other = whole.is_ok();
    let stop = match whole {
        Ok(parsed) if options.strict || !options.dict || matches!(parsed, Parsed::Dict(_)) => {
            return Ok(FoundAnswer { start: 0, parsed, repairs: direct.repairs, open: direct.open });
        }
        Ok(_) => AnswerError { offset: 0, message: "the answer is JSON, but not an object".to_owned() },
        Err(stop) => stop,
    };
    if options.strict {
        return Err(stop);
    }
    let start = after_reasoning(source)?;
    let fenced = fenced(source, start, options)?;
    let scan = if fenced.found.is_empty() { scan(source, start, source.len(), options)? } else { fenced };
    let mut found = scan.found.into_iter();
    match (found.next(), found.next()) {
        (Some(mut only), None) => {
            if start > 0 && !only.repairs.iter().any(|(_, kind)| *kind == RepairKind::Prose) {
                only.repairs.push((0, RepairKind::Prose));
            }
            Ok(only)
        }
        (Some(first), Some(second)) => {
            let second = Place::of(None, source, second.start);
            let message = format!(
                "the text has two different answers, and the second begins at line {}, column {}",
                second.line, second.column
            );
            Err(AnswerError { offset: first.start, message })
        }
        // If the whole text looks like JSON, report its error; otherwise the error of the part that came nearest to an
        // answer.
        (None, _) if other || source.trim_start().starts_with(['{', '[']) => Err(stop),
        (None, _) if !source[start..].contains(['{', '[']) && stop.offset < source.len() => {
            Err(AnswerError { offset: start, message: "the text has no JSON".to_owned() })
        }
        (None, _) => Err(scan.nearest.map_or(stop, |(_, nearest)| nearest)),
    }
}

/// The offset at which the answer begins: after the model's reasoning, if that is marked.
fn after_reasoning(source: &str) -> Result<usize, AnswerError> {
    for (open, close) in [("<think>", "</think>"), ("<thinking>", "</thinking>")] {
        if let Some(end) = source.find(close) {
            return Ok(end + close.len());
        }
        if source.trim_start().starts_with(open) {
            let message = "the answer ends within the model's reasoning".to_owned();
            return Err(AnswerError { offset: source.len(), message });
        }
    }
    Ok(0)
}

fn failed(source: &str, stop: &AnswerError) -> crate::Error {
    let place = Place::of(None, source, stop.offset);
    let message = format!("{} (line {}, column {})", stop.message, place.line, place.column);
    invalid("cannot read the answer", "", &[Violation::new(&"", "syntax", message)])
}

fn located(source: &str, mut repairs: Vec<(usize, RepairKind)>) -> Vec<Repair> {
    repairs.sort_by_key(|(offset, _)| *offset);
    let (mut line, mut line_start, mut at) = (1, 0, 0);
    let mut found = Vec::with_capacity(repairs.len());
    for (offset, kind) in repairs {
        for (newline, _) in source[at..offset].match_indices('\n') {
            line += 1;
            line_start = at + newline + 1;
        }
        at = offset;
        found.push(Repair { kind, line, column: source[line_start..offset].chars().count() + 1 });
    }
    found
}

/// An answer found in a text.
struct FoundAnswer {
    start: usize,
    parsed: Parsed,
    repairs: Vec<(usize, RepairKind)>,
    open: usize,
}

/// The answers found in a text. The search stops after two different answers, because two are an error.
#[derive(Default)]
struct FoundAnswers {
    found: Vec<FoundAnswer>,
    /// The failed attempt that read the most: how much it read, and its error.
    nearest: Option<(usize, AnswerError)>,
}

impl FoundAnswers {
    fn add(&mut self, found: FoundAnswer) {
        if !self.found.iter().any(|known| known.parsed == found.parsed) {
            self.found.push(found);
        }
    }

    fn failed(&mut self, length: usize, stop: AnswerError) {
        if self.nearest.as_ref().is_none_or(|(known, _)| *known < length) {
            self.nearest = Some((length, stop));
        }
    }
}

/// The JSON in code fences. Fences of other languages count only if no fence is marked `json`.
fn fenced(source: &str, from: usize, options: AnswerOptions) -> Result<FoundAnswers, AnswerError> {
    let fences = fences(source, from);
    let json = |fence: &&Fence| {
        fence.language.is_some_and(|word| word.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("json")))
    };
    let chosen: Vec<&Fence> = if fences.iter().any(|fence| json(&fence)) {
        fences.iter().filter(json).collect()
    } else {
        fences.iter().collect()
    };
    let mut scanned = FoundAnswers::default();
    for fence in chosen {
        let inside = scan(source, fence.start, fence.end, options)?;
        if let Some((length, stop)) = inside.nearest {
            scanned.failed(length, stop);
        }
        for mut answer in inside.found {
            // Only a fence without an end may hold a cut-off answer.
            if fence.closed && answer.open > 0 {
                let message = "the JSON in a code fence has no end, but the fence has one".to_owned();
                return Err(AnswerError { offset: fence.end, message });
            }
            answer.repairs.push((fence.open, RepairKind::Fence));
            scanned.add(answer);
        }
        if scanned.found.len() > 1 {
            break;
        }
    }
    Ok(scanned)
}

struct Fence<'s> {
    open: usize,
    start: usize,
    end: usize,
    closed: bool,
    language: Option<&'s str>,
}

/// The code fences of a text. Three backticks within a line are not a fence: a text in JSON may have them.
fn fences(source: &str, from: usize) -> Vec<Fence<'_>> {
    const TICKS: &str = "```";
    let mut found = Vec::new();
    let (mut at, mut line_end) = (from, from);
    while let Some(open) = source[at..].find(TICKS).map(|offset| at + offset) {
        let after = open + TICKS.len();
        // Searched once per line, however many backticks the line has.
        if line_end < after {
            line_end = source[after..].find('\n').map_or(source.len(), |offset| after + offset);
        }
        let word = source[after..line_end].trim();
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric());
        if !plain && !begins_line(source, open) {
            at = after;
            continue;
        }
        // A fence on one line has no language; its content follows.
        let (start, language) = if plain { (line_end, Some(word)) } else { (after, None) };
        let close = source[start..].match_indices(TICKS).map(|(offset, _)| start + offset).find(|close| {
            language.is_none() || begins_line(source, *close) || ends_json(source, start, *close)
        });
        found.push(Fence {
            open,
            start,
            end: close.unwrap_or(source.len()),
            closed: close.is_some(),
            language,
        });
        at = close.map_or(source.len(), |close| close + TICKS.len());
    }
    found
}

/// Whether only spaces precede the offset on its line.
fn begins_line(source: &str, at: usize) -> bool {
    source[..at].trim_end_matches([' ', '\t', '>']).chars().next_back().is_none_or(|c| c == '\n' || c == '\r')
}

/// Whether the fence at the offset follows a closing bracket and ends its line.
fn ends_json(source: &str, start: usize, at: usize) -> bool {
    source[start..at].trim_end().ends_with(['}', ']'])
        && source[at + 3..]
            .trim_start_matches([' ', '\t'])
            .chars()
            .next()
            .is_none_or(|c| c == '\n' || c == '\r')
}

/// The answers between two offsets of a text. A bracket in prose is skipped. Text that begins as JSON and then breaks
/// is an error, because a part of it is not the answer.
fn scan(source: &str, start: usize, end: usize, options: AnswerOptions) -> Result<FoundAnswers, AnswerError> {
    /// How many characters may be read for each character of the text.
    const MAX_READS: usize = 8;
    let text = &source[..end];
    let mut budget = (end - start).saturating_mul(MAX_READS) + 10_000;
    let mut scanned = FoundAnswers::default();
    let mut at = start;
    while let Some(offset) = text[at..].find(['{', '[']) {
        let open = at + offset;
        let mut parser = AnswerParser::new(text, open, false);
        let parsed = parser.value(0);
        budget = budget.saturating_sub(parser.at - open);
        if budget == 0 {
            let message = "too much of the text looks like JSON but is not".to_owned();
            return Err(AnswerError { offset: open, message });
        }
        at = match parsed {
            Ok(parsed) => {
                // An open bracket with nothing complete after it is prose.
                let empty = matches!(&parsed, Parsed::Dict(members) if members.is_empty())
                    || matches!(&parsed, Parsed::List(items) if items.is_empty());
                if parser.open > 0 && empty {
                    let message = "the JSON ends before any part of it is complete".to_owned();
                    scanned.failed(parser.at - open, AnswerError { offset: text.len(), message });
                    open + 1
                } else {
                    if matches!(parsed, Parsed::Dict(_)) || !options.dict {
                        scanned.add(parser.found(source, start, open, parsed));
                    }
                    parser.at
                }
            }
            Err(stop) if parser.solid => return Err(stop),
            Err(stop) => {
                // Text that begins as JSON and continues as something else, such as a template to fill in, contains no
                // answer.
                let next = if parser.begun { extent(text, open) } else { Some(open + 1) };
                let Some(next) = next else { return Err(stop) };
                budget = budget.saturating_sub(next - open);
                scanned.failed(parser.at - open, stop);
                next
            }
        };
        if scanned.found.len() > 1 {
            break;
        }
    }
    Ok(scanned)
}

/// The offset after the bracket that closes the one at `open`. Brackets in double quotes do not count.
fn extent(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (offset, byte) in text.as_bytes()[open..].iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return Some(open + offset + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The offset at which reading failed, and why.
#[derive(Debug)]
struct AnswerError {
    offset: usize,
    message: String,
}

/// A value that was read, complete or cut off.
enum ReadValue {
    Whole(Parsed),
    /// The text ended within the value; has the complete part of a list or dict.
    Cut(Option<Parsed>),
}

/// The members of a dict that is being read. A large dict is searched by hash.
#[derive(Default)]
struct Members {
    list: Vec<(String, Parsed)>,
    places: HashMap<String, usize>,
}

impl Members {
    /// Adds a member. Returns false if the key already has another value, or any value if `once`.
    fn add(&mut self, name: String, value: Parsed, once: bool) -> bool {
        /// Up to this many members, a linear search is faster than hashing.
        const FEW: usize = 16;
        let known = if self.list.len() <= FEW {
            self.list.iter().position(|(known, _)| *known == name)
        } else {
            if self.places.is_empty() {
                let places = self.list.iter().enumerate().map(|(at, (name, _))| (name.clone(), at));
                self.places = places.collect();
            }
            self.places.get(&name).copied()
        };
        if let Some(at) = known {
            return !once && self.list[at].1 == value;
        }
        if self.list.len() > FEW {
            self.places.insert(name.clone(), self.list.len());
        }
        self.list.push((name, value));
        true
    }

    fn parsed(self) -> Parsed {
        Parsed::Dict(self.list)
    }
}

struct AnswerParser<'s> {
    text: &'s str,
    at: usize,
    strict: bool,
    repairs: Vec<(usize, RepairKind)>,
    /// How many lists and dicts lack their end.
    open: usize,
    /// Whether something complete was read that is unlikely in prose: a member with a quoted key, or an item that is a
    /// list or dict.
    solid: bool,
    /// Whether something began that is unlikely in prose: a quoted key with its colon, or a list or dict in a list.
    begun: bool,
}

impl<'s> AnswerParser<'s> {
    fn new(text: &'s str, at: usize, strict: bool) -> Self {
        Self { text, at, strict, repairs: Vec::new(), open: 0, solid: false, begun: false }
    }

    /// The answer that was read, with a repair for any prose around it.
    fn found(&mut self, source: &str, start: usize, open: usize, parsed: Parsed) -> FoundAnswer {
        let mut repairs = std::mem::take(&mut self.repairs);
        let outside = |text: &str| !text.trim().is_empty();
        if outside(&source[start..open]) {
            repairs.push((start, RepairKind::Prose));
        } else if outside(&self.text[self.at..]) {
            repairs.push((self.at, RepairKind::Prose));
        }
        FoundAnswer { start: open, parsed, repairs, open: self.open }
    }

    fn stop<R>(&self, message: impl Into<String>) -> Result<R, AnswerError> {
        Err(AnswerError { offset: self.at, message: message.into() })
    }

    /// Records a repair; in strict mode it is an error instead.
    fn repair(&mut self, offset: usize, kind: RepairKind) -> Result<(), AnswerError> {
        if self.strict {
            return Err(AnswerError { offset, message: kind.message().to_owned() });
        }
        self.repairs.push((offset, kind));
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }

    /// Reads the whole text as one value.
    fn whole(&mut self) -> Result<Parsed, AnswerError> {
        self.blank()?;
        let parsed = self.value(0)?;
        self.blank()?;
        if self.at < self.text.len() { self.stop("there is more text after the JSON") } else { Ok(parsed) }
    }

    /// Reads an outermost value and closes it if it is cut off.
    fn value(&mut self, depth: usize) -> Result<Parsed, AnswerError> {
        match self.piece(depth)? {
            ReadValue::Whole(parsed) => Ok(parsed),
            ReadValue::Cut(Some(parsed)) => {
                self.repair(self.text.len(), RepairKind::CutOff)?;
                Ok(parsed)
            }
            ReadValue::Cut(None) => self.stop("the JSON ends before it begins"),
        }
    }

    /// Skips white space and comments.
    fn blank(&mut self) -> Result<(), AnswerError> {
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
            let length = if rest.starts_with("//") || rest.starts_with('#') {
                rest.find('\n').unwrap_or(rest.len())
            } else if let Some(inside) = rest.strip_prefix("/*") {
                inside.find("*/").map_or(rest.len(), |end| end + 4)
            } else {
                return Ok(());
            };
            self.repair(self.at, RepairKind::Comment)?;
            self.at += length;
        }
    }

    fn piece(&mut self, depth: usize) -> Result<ReadValue, AnswerError> {
        if depth > MAX_DEPTH {
            return self.stop(format!("it nests deeper than {MAX_DEPTH} levels"));
        }
        match self.peek() {
            None => Ok(ReadValue::Cut(None)),
            Some(b'{') => self.dict(depth),
            Some(b'[') => self.list(depth),
            Some(b'"' | b'\'') => Ok(match self.quoted()? {
                Some(text) => ReadValue::Whole(Parsed::Text(text)),
                None => ReadValue::Cut(None),
            }),
            Some(0x80..) if self.curly_pair().is_some() => Ok(match self.curly()? {
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
                Some(b'{' | b'[') => self.begun = true,
                Some(_) => {}
            }
            match self.piece(depth + 1)? {
                ReadValue::Whole(item) => {
                    self.solid |= matches!(item, Parsed::List(_) | Parsed::Dict(_));
                    items.push(item);
                }
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
            let quoted = matches!(self.peek(), Some(b'"' | b'\''));
            let name = match self.peek() {
                None => return Ok(self.cut(members.parsed())),
                Some(b'}') => break,
                Some(_) if quoted => self.quoted()?,
                Some(0x80..) if self.curly_pair().is_some() => self.curly()?,
                Some(_) => self.bare_key()?,
            };
            let Some(name) = name else { return Ok(self.cut(members.parsed())) };
            self.blank()?;
            match self.peek() {
                None => return Ok(self.cut(members.parsed())),
                Some(b':') => {
                    self.at += 1;
                    self.begun |= quoted;
                }
                Some(_) => return self.stop("a colon is missing after the key"),
            }
            self.blank()?;
            let (value, cut) = match self.piece(depth + 1)? {
                ReadValue::Whole(value) => (Some(value), false),
                ReadValue::Cut(value) => (value, true),
            };
            self.solid |= quoted && !cut;
            if let Some(value) = value
                && !members.add(name, value, self.strict)
            {
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

    /// Reads a text in quotes; `None` if it has no end.
    fn quoted(&mut self) -> Result<Option<String>, AnswerError> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let quote = bytes[start];
        if quote == b'\'' {
            self.repair(start, RepairKind::SingleQuotes)?;
        }
        self.at += 1;
        let mut text = String::new();
        let mut from = self.at;
        loop {
            let Some(&byte) = bytes.get(self.at) else { return Ok(None) };
            match byte {
                _ if byte == quote => {
                    text.push_str(&self.text[from..self.at]);
                    self.at += 1;
                    return Ok(Some(text));
                }
                b'\\' => {
                    text.push_str(&self.text[from..self.at]);
                    match self.escape(quote)? {
                        Some(c) => text.push(c),
                        None => return Ok(None),
                    }
                    from = self.at;
                }
                0..=0x1f => {
                    if self.repairs.last().is_none_or(|(_, kind)| *kind != RepairKind::ControlCharacter) {
                        self.repair(self.at, RepairKind::ControlCharacter)?;
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// The closing quotes that match the curly quote here, if there is one.
    fn curly_pair(&self) -> Option<&'static [char]> {
        match self.rest().chars().next()? {
            '“' => Some(&['”']),
            '„' => Some(&['“', '”']),
            '‘' => Some(&['’']),
            _ => None,
        }
    }

    /// Reads a text in curly quotes; `None` if it has no end.
    fn curly(&mut self) -> Result<Option<String>, AnswerError> {
        let close = self.curly_pair().unwrap_or_default();
        self.repair(self.at, RepairKind::CurlyQuotes)?;
        self.at += '“'.len_utf8();
        let mut text = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else { return Ok(None) };
            if c == '\\' {
                match self.escape(b'\'')? {
                    Some(c) => text.push(c),
                    None => return Ok(None),
                }
                continue;
            }
            self.at += c.len_utf8();
            if close.contains(&c) {
                return Ok(Some(text));
            }
            text.push(c);
        }
    }

    /// Reads the character of an escape; `None` if the text ends within it.
    fn escape(&mut self, quote: u8) -> Result<Option<char>, AnswerError> {
        let start = self.at;
        let Some(c) = self.text[start + 1..].chars().next() else {
            self.at = self.text.len();
            return Ok(None);
        };
        self.at += 1 + c.len_utf8();
        Ok(Some(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(start),
            '\'' if !self.strict => {
                if quote == b'"' {
                    self.repair(start, RepairKind::NeedlessEscape)?;
                }
                '\''
            }
            _ => {
                self.at = start;
                return self.stop("a backslash precedes a character that it cannot escape");
            }
        }))
    }

    /// Reads the character of `\uXXXX`, or of a surrogate pair.
    fn unicode(&mut self, start: usize) -> Result<Option<char>, AnswerError> {
        let half = |parser: &mut Self| -> Result<Option<u32>, AnswerError> {
            let Some(digits) = parser.text.as_bytes().get(parser.at..parser.at + 4) else {
                let rest = parser.rest();
                if rest.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    parser.at = parser.text.len();
                    return Ok(None);
                }
                return parser.stop("four hexadecimal digits are missing after \\u");
            };
            let code = std::str::from_utf8(digits)
                .ok()
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            match code.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
                Some(code) => {
                    parser.at += 4;
                    Ok(Some(code))
                }
                None => parser.stop("four hexadecimal digits are missing after \\u"),
            }
        };
        let Some(first) = half(self)? else { return Ok(None) };
        let mut code = first;
        if (0xd800..0xdc00).contains(&first) {
            if self.rest().is_empty() || self.rest() == "\\" {
                self.at = self.text.len();
                return Ok(None);
            }
            if self.rest().starts_with("\\u") {
                self.at += 2;
                let Some(second) = half(self)? else { return Ok(None) };
                if (0xdc00..0xe000).contains(&second) {
                    code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                }
            }
        }
        match char::from_u32(code) {
            Some(c) => Ok(Some(c)),
            None => Err(AnswerError {
                offset: start,
                message: "half a surrogate pair is not a character".to_owned(),
            }),
        }
    }

    /// Reads a JSON number. A number at the end of the text may be cut off, so it is incomplete.
    fn number(&mut self) -> Result<ReadValue, AnswerError> {
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

    fn word(&mut self) -> Result<ReadValue, AnswerError> {
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
                return self.stop("expected a JSON value");
            }
        };
        if let Some(kind) = kind {
            self.repair(self.at, kind)?;
        }
        self.at += length;
        Ok(ReadValue::Whole(parsed))
    }
}
