//! The lexer: turns template text into tokens by the rules of handlebars.js 4.7, where the first rule that matches
//! wins.
//!
//! Outside tags everything is content. `{{` opens a tag; inside it the lexer tells names, literals and marks apart.
//! Three places have rules of their own: the text after an escaped tag (`\{{`), comments, and raw blocks (`{{{{name}}}}
//! … {{{{/name}}}}`). The lexer makes tokens on demand, so an error at the start of a long template is found without
//! reading the rest.

use std::borrow::Cow;

use crate::error::{Error, Kind, Result};

/// A token with its place, in byte offsets.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'s> {
    pub(super) kind: TokenKind<'s>,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Whether the mark of a tag has a tilde.
pub(super) type Tilde = bool;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind<'s> {
    Content(Cow<'s, str>),
    /// A whole comment, and whether its two ends have a tilde.
    Comment(Tilde, Tilde),
    /// `{{{{`
    OpenRawBlock,
    /// `}}}}`
    CloseRawBlock,
    /// `{{{{/name}}}}`
    EndRawBlock(&'s str),
    /// `{{>`
    OpenPartial(Tilde),
    /// `{{#>`
    OpenPartialBlock(Tilde),
    /// `{{#` or `{{#*`
    OpenBlock {
        tilde: Tilde,
        decorator: bool,
    },
    /// `{{/`
    OpenEndBlock(Tilde),
    /// The whole tag `{{else}}` or `{{^}}`
    Inverse(Tilde, Tilde),
    /// `{{^`
    OpenInverse(Tilde),
    /// `{{else` before a name
    OpenInverseChain(Tilde),
    /// `{{{`
    OpenUnescaped(Tilde),
    /// `{{`, `{{&` or `{{*`
    Open {
        tilde: Tilde,
        raw: bool,
        decorator: bool,
    },
    /// `}}}`
    CloseUnescaped(Tilde),
    /// `}}`
    Close(Tilde),
    OpenSexpr,
    CloseSexpr,
    Equals,
    /// A name. `bracketed`: it is written as `[any text]`.
    Id {
        text: Cow<'s, str>,
        bracketed: bool,
    },
    /// `.` or `/`
    Sep,
    String(Cow<'s, str>),
    /// `@`
    Data,
    Bool(bool),
    Undefined,
    Null,
    Number(&'s str),
    /// `as |`
    OpenBlockParams,
    /// `|`
    CloseBlockParams,
    Eof,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LexerState {
    /// Outside tags.
    Content,
    /// At an escaped tag, which is content.
    Escaped,
    /// Inside a tag.
    Tag,
    /// Inside a raw block. The number counts the raw blocks that are open within it.
    Raw(usize),
}

pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
    state: LexerState,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, at: 0, state: LexerState::Content }
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn take(&mut self, len: usize, kind: TokenKind<'s>) -> Token<'s> {
        let start = self.at;
        self.at += len;
        Token { kind, start, end: self.at }
    }

    /// The next token. At the end it is [`TokenKind::Eof`], on every further call too.
    pub(super) fn next(&mut self) -> Result<Token<'s>> {
        if self.state == LexerState::Content
            && let Some(content) = self.content()
        {
            return Ok(content);
        }
        if self.state == LexerState::Tag {
            self.at += leading_space(self.rest()).len();
        }
        match self.state {
            LexerState::Raw(open) => self.raw(open),
            _ if self.at == self.source.len() => Ok(self.take(0, TokenKind::Eof)),
            LexerState::Escaped => Ok(self.escaped()),
            LexerState::Tag | LexerState::Content => self.tag(),
        }
    }

    /// Content up to the next tag, if there is any. In `\{{` the tag is content; `\\{{` is a backslash before a tag.
    fn content(&mut self) -> Option<Token<'s>> {
        let rest = self.rest();
        let (text, len) = match find_braces(rest) {
            None => (rest, rest.len()),
            Some(len) => {
                let text = &rest[..len];
                self.state = LexerState::Tag;
                match text.strip_suffix('\\') {
                    None => (text, len),
                    Some(kept) => {
                        if !kept.ends_with('\\') {
                            self.state = LexerState::Escaped;
                        }
                        (kept, len)
                    }
                }
            }
        };
        if text.is_empty() {
            self.at += len;
            return None;
        }
        Some(self.take(len, TokenKind::Content(text.into())))
    }

    /// Content that begins with an escaped `{{`, up to the next tag, escaped or not.
    fn escaped(&mut self) -> Token<'s> {
        let rest = self.rest();
        let mut len = find_braces(&rest[2..]).map_or(rest.len(), |found| found + 2);
        let before = &rest[2..len];
        if len < rest.len() {
            // The backslashes belong to the next tag and are read again with it.
            len -= before.bytes().rev().take(2).take_while(|byte| *byte == b'\\').count();
        }
        self.state = LexerState::Content;
        self.take(len, TokenKind::Content(rest[..len].into()))
    }

    fn raw(&mut self, open: usize) -> Result<Token<'s>> {
        let rest = self.rest();
        if let Some(inner) = rest.strip_prefix("{{{{") {
            if let Some(name) = inner.strip_prefix('/') {
                let len = id_len(name);
                if len > 0 && name[len..].starts_with("}}}}") {
                    let whole = 5 + len + 4;
                    if open == 0 {
                        self.state = LexerState::Content;
                        return Ok(self.take(whole, TokenKind::EndRawBlock(&name[..len])));
                    }
                    self.state = LexerState::Raw(open - 1);
                    return Ok(self.take(whole, TokenKind::Content(rest[..whole].into())));
                }
            } else if !inner.is_empty() {
                self.state = LexerState::Raw(open + 1);
                return Ok(self.take(4, TokenKind::Content("{{{{".into())));
            }
        }
        let first = rest.chars().next().map_or(0, char::len_utf8);
        match rest.get(first..).and_then(|after| after.find("{{{{")) {
            Some(found) if first > 0 => {
                Ok(self.take(first + found, TokenKind::Content(rest[..first + found].into())))
            }
            _ => Err(self.error("this raw block is never closed")),
        }
    }

    /// A token of a tag, which is not at its end.
    fn tag(&mut self) -> Result<Token<'s>> {
        use TokenKind as K;
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let first = bytes[0];
        if rest.starts_with("{{") {
            return self.open(rest);
        }
        if matches!(first, b'}' | b'~')
            && let Some((len, kind)) = closing(rest)
        {
            self.state = match kind {
                K::CloseRawBlock => LexerState::Raw(0),
                _ => LexerState::Content,
            };
            return Ok(self.take(len, kind));
        }
        let found = match first {
            b'(' => Some((1, K::OpenSexpr)),
            b')' => Some((1, K::CloseSexpr)),
            b'=' => Some((1, K::Equals)),
            b'@' => Some((1, K::Data)),
            b'|' => Some((1, K::CloseBlockParams)),
            b'.' if bytes.get(1) == Some(&b'.') => Some((2, id("..", false))),
            b'.' if rest[1..].starts_with(ends_name) => Some((1, id(".", false))),
            b'.' | b'/' => Some((1, K::Sep)),
            b'"' | b'\'' => quoted(rest, char::from(first)).map(|(len, text)| (len, K::String(text))),
            b'[' => quoted(rest, ']').map(|(len, text)| (len, K::Id { text, bracketed: true })),
            _ => word(rest),
        };
        match found {
            Some((len, kind)) => Ok(self.take(len, kind)),
            None => Err(self.unreadable(rest)),
        }
    }

    /// The token of the mark that opens a tag.
    fn open(&mut self, rest: &'s str) -> Result<Token<'s>> {
        use TokenKind as K;
        if rest.starts_with("{{{{") {
            return Ok(self.take(4, K::OpenRawBlock));
        }
        let tilde = rest[2..].starts_with('~');
        let lead = 2 + usize::from(tilde);
        let inner = &rest[lead..];
        let mut marks = inner.bytes();
        let (first, second) = (marks.next(), marks.next());
        let plain = K::Open { tilde, raw: false, decorator: false };
        let (len, kind) = match first {
            Some(b'!') => return self.comment(rest, tilde, inner.starts_with("!--")),
            Some(b'#') => match second {
                Some(b'>') => (2, K::OpenPartialBlock(tilde)),
                Some(b'*') => (2, K::OpenBlock { tilde, decorator: true }),
                _ => (1, K::OpenBlock { tilde, decorator: false }),
            },
            Some(b'>') => (1, K::OpenPartial(tilde)),
            Some(b'/') => (1, K::OpenEndBlock(tilde)),
            Some(b'{') => (1, K::OpenUnescaped(tilde)),
            Some(b'&') => (1, K::Open { tilde, raw: true, decorator: false }),
            Some(b'*') => (1, K::Open { tilde, raw: false, decorator: true }),
            Some(b'^') => match close_of_inverse(&inner[1..]) {
                Some((after, close)) => return Ok(self.inverse(lead + 1 + after, tilde, close)),
                None => (1, K::OpenInverse(tilde)),
            },
            _ => {
                let spaces = leading_space(inner).len();
                let word = &inner[spaces..];
                let after = word.strip_prefix("else");
                match after.and_then(close_of_inverse) {
                    Some((after, close)) => return Ok(self.inverse(lead + spaces + 4 + after, tilde, close)),
                    None if is_else(word) => (spaces + 4, K::OpenInverseChain(tilde)),
                    None => (0, plain),
                }
            }
        };
        Ok(self.take(lead + len, kind))
    }

    /// The token of a whole tag `{{else}}` or `{{^}}`.
    fn inverse(&mut self, len: usize, open: Tilde, close: Tilde) -> Token<'s> {
        self.state = LexerState::Content;
        self.take(len, TokenKind::Inverse(open, close))
    }

    fn comment(&mut self, rest: &'s str, open: Tilde, dashed: bool) -> Result<Token<'s>> {
        let end = if dashed { dashed_comment(rest) } else { rest.find("}}").map(|found| found + 2) };
        let Some(len) = end else {
            return Err(self.error("this comment is never closed").with_hint(if dashed {
                "end it with `--}}`"
            } else {
                "end it with `}}`"
            }));
        };
        self.state = LexerState::Content;
        let close = rest[..len - 2].ends_with('~');
        Ok(self.take(len, TokenKind::Comment(open, close)))
    }

    fn error(&self, message: &str) -> Error {
        Error::new(Kind::TemplateSyntax, message).at(self.at)
    }

    fn unreadable(&self, rest: &str) -> Error {
        let first = rest.chars().next().unwrap_or_default();
        match first {
            '"' | '\'' => {
                self.error("this quoted text is never closed").with_hint(format!("end it with {first}"))
            }
            '[' => self.error("this bracketed name is never closed").with_hint("end it with ]"),
            _ if id_len(rest) == rest.len() => {
                self.error("this tag is never closed").with_hint("end it with `}}`")
            }
            '}' => self.error("unexpected '}' in a tag").with_hint("end the tag with `}}`"),
            _ => self.error(&format!("unexpected {first:?} in a tag")),
        }
    }
}

/// The byte offset of the first `{{`.
fn find_braces(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'{', bytes).find(|at| bytes.get(at + 1) == Some(&b'{'))
}

/// The mark that closes a tag, if the text starts with one, and its length.
fn closing(rest: &str) -> Option<(usize, TokenKind<'_>)> {
    use TokenKind as K;
    match rest.as_bytes() {
        [b'}', b'}', b'}', b'}', ..] => Some((4, K::CloseRawBlock)),
        [b'}', b'}', b'}', ..] => Some((3, K::CloseUnescaped(false))),
        [b'}', b'}', ..] => Some((2, K::Close(false))),
        [b'}', b'~', b'}', b'}', ..] => Some((4, K::CloseUnescaped(true))),
        [b'~', b'}', b'}', ..] => Some((3, K::Close(true))),
        _ => None,
    }
}

fn id(text: &str, bracketed: bool) -> TokenKind<'_> {
    TokenKind::Id { text: text.into(), bracketed }
}

/// Whether JavaScript's `\s` matches the character.
pub(super) const fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c != '\u{85}' && c.is_whitespace())
}

/// The white space at the start of a text.
pub(super) fn leading_space(text: &str) -> &str {
    // Most texts begin with another character, for which one look is enough.
    if text.as_bytes().first().is_none_or(u8::is_ascii_graphic) {
        return "";
    }
    &text[..text.len() - text.trim_start_matches(is_space).len()]
}

/// The white space at the end of a text.
pub(super) fn trailing_space(text: &str) -> &str {
    if text.as_bytes().last().is_none_or(u8::is_ascii_graphic) {
        return "";
    }
    &text[text.trim_end_matches(is_space).len()..]
}

/// Whether a name may contain this character.
const fn is_name(c: char) -> bool {
    !is_space(c)
        && !matches!(c, '!' | '"' | '#' | '%'..=',' | '.' | '/' | ';'..='>' | '@' | '['..='^' | '`' | '{'..='~')
}

/// Whether a name may end before this character.
fn ends_name(c: char) -> bool {
    is_space(c) || matches!(c, '=' | '~' | '}' | '/' | '.' | ')' | '|')
}

fn ends_literal(c: char) -> bool {
    is_space(c) || matches!(c, '~' | '}' | ')')
}

/// [`is_name`] of each ASCII character.
const ASCII_NAMES: [bool; 128] = {
    let mut names = [false; 128];
    let mut at: u8 = 0;
    while at < 128 {
        names[at as usize] = is_name(at as char);
        at += 1;
    }
    names
};

/// The length of the name at the start, whatever follows it.
fn id_len(text: &str) -> usize {
    let ends = |byte: &u8| !ASCII_NAMES.get(usize::from(*byte)).is_some_and(|is_name| *is_name);
    let ascii = text.as_bytes().iter().position(ends).unwrap_or(text.len());
    if text.as_bytes().get(ascii).is_none_or(u8::is_ascii) {
        return ascii;
    }
    ascii + text[ascii..].find(|c| !is_name(c)).unwrap_or(text.len() - ascii)
}

/// Whether the lexer reads this text as one name if the character `next` follows it.
pub(super) fn is_one_name(text: &str, next: char) -> bool {
    let with_next = format!("{text}{next}");
    matches!(word(&with_next), Some((len, TokenKind::Id { .. })) if len == text.len())
}

/// A literal, a name, or the start of block parameters.
fn word(rest: &str) -> Option<(usize, TokenKind<'_>)> {
    use TokenKind as K;
    let then = |len: usize, ends: fn(char) -> bool| rest[len..].chars().next().is_some_and(ends);
    let literal = match rest.as_bytes().first() {
        Some(b't') => Some(("true", K::Bool(true))),
        Some(b'f') => Some(("false", K::Bool(false))),
        Some(b'u') => Some(("undefined", K::Undefined)),
        Some(b'n') => Some(("null", K::Null)),
        _ => None,
    };
    if let Some((word, kind)) = literal
        && rest.starts_with(word)
        && then(word.len(), ends_literal)
    {
        return Some((word.len(), kind));
    }
    if let Some(len) = number_len(rest)
        && then(len, ends_literal)
    {
        return Some((len, K::Number(&rest[..len])));
    }
    if let Some(after) = rest.strip_prefix("as") {
        let bar = after.trim_start_matches(is_space);
        if bar.len() < after.len() && bar.starts_with('|') {
            return Some((rest.len() - bar.len() + 1, K::OpenBlockParams));
        }
    }
    let len = id_len(rest);
    (len > 0 && then(len, ends_name)).then(|| (len, id(&rest[..len], false)))
}

/// The length of a number such as `-12.5` at the start of the text.
fn number_len(text: &str) -> Option<usize> {
    if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return None;
    }
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with('-'));
    let whole = digits(sign);
    if whole == 0 {
        return None;
    }
    let mut len = sign + whole;
    if text[len..].starts_with('.') {
        let fraction = digits(len + 1);
        if fraction > 0 {
            len += 1 + fraction;
        }
    }
    Some(len)
}

/// A quoted text or bracketed name at the start: its length in the source, and its content. A `\` keeps the closing
/// mark after it from closing, unless no other closing mark follows.
fn quoted(rest: &str, close: char) -> Option<(usize, Cow<'_, str>)> {
    let mut escaped_close = None;
    let mut end = None;
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] == b'\\' && bytes.get(at + 1) == Some(&(close as u8)) {
            escaped_close = Some(at + 1);
            at += 2;
        } else if bytes[at] == close as u8 {
            end = Some(at);
            break;
        } else {
            at += 1;
        }
    }
    let end = end.or(escaped_close)?;
    let text = &rest[1..end];
    if !text.contains('\\') {
        return Some((end + 1, text.into()));
    }
    let text = if close == ']' {
        unescape_brackets(text)
    } else {
        text.replace(&format!("\\{close}"), &close.to_string())
    };
    Some((end + 1, text.into()))
}

/// Replaces `\\` by `\` and `\]` by `]`.
fn unescape_brackets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(&next) if c == '\\' && matches!(next, '\\' | ']') => {
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

/// Whether the text begins with the whole word `else`.
pub(super) fn is_else(text: &str) -> bool {
    text.strip_prefix("else")
        .is_some_and(|after| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
}

/// Reads the end of the tag `{{^}}` or `{{else}}`, with optional spaces and tilde: its length, and whether it has the tilde.
fn close_of_inverse(rest: &str) -> Option<(usize, Tilde)> {
    let after = rest.trim_start_matches(is_space);
    let (after, tilde) = after.strip_prefix('~').map_or((after, false), |after| (after, true));
    let after = after.strip_prefix("}}")?;
    Some((rest.len() - after.len(), tilde))
}

/// The length of a comment that ends with `--}}` or `--~}}`.
fn dashed_comment(rest: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = rest[from..].find("--") {
        let after = from + found + 2;
        for close in ["}}", "~}}"] {
            if rest[after..].starts_with(close) {
                return Some(after + close.len());
            }
        }
        from += found + 1;
    }
    None
}
