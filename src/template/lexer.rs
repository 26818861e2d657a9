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
        loop {
            if self.at == self.source.len() && !matches!(self.state, LexerState::Raw(_)) {
                return Ok(self.take(0, TokenKind::Eof));
            }
            let token = match self.state {
                LexerState::Content => self.content(),
                LexerState::Escaped => Some(self.escaped()),
                LexerState::Tag => self.tag()?,
                LexerState::Raw(open) => Some(self.raw(open)?),
            };
            if let Some(token) = token {
                return Ok(token);
            }
        }
    }

    /// Content up to the next tag. In `\{{` the tag is content; `\\{{` is a backslash before a tag.
    fn content(&mut self) -> Option<Token<'s>> {
        let rest = self.rest();
        let Some(len) = find_braces(rest) else {
            return Some(self.take(rest.len(), TokenKind::Content(rest.into())));
        };
        let text = &rest[..len];
        let (text, state) = if let Some(kept) = text.strip_suffix('\\') {
            if kept.ends_with('\\') { (kept, LexerState::Tag) } else { (kept, LexerState::Escaped) }
        } else {
            (text, LexerState::Tag)
        };
        self.state = state;
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

    #[allow(
        clippy::too_many_lines,
        reason = "one arm for each mark, in the order in which they must be tried"
    )]
    fn tag(&mut self) -> Result<Option<Token<'s>>> {
        use TokenKind as K;
        let rest = self.rest();
        if rest.starts_with("{{") {
            return self.open(rest).map(Some);
        }
        // Closing marks, with and without a tilde.
        if rest.starts_with("}}}}") {
            self.state = LexerState::Raw(0);
            return Ok(Some(self.take(4, K::CloseRawBlock)));
        }
        if rest.starts_with(['}', '~'])
            && let Some((len, kind)) = closing(rest)
        {
            self.state = LexerState::Content;
            return Ok(Some(self.take(len, kind)));
        }
        let mut chars = rest.chars();
        let (first, second) = (chars.next().unwrap_or_default(), chars.next());
        let one = |kind| Ok(Some((1, kind)));
        let found: Result<Option<(usize, K<'s>)>> = match first {
            '(' => one(K::OpenSexpr),
            ')' => one(K::CloseSexpr),
            '=' => one(K::Equals),
            '@' => one(K::Data),
            '|' => one(K::CloseBlockParams),
            '.' if second == Some('.') => Ok(Some((2, id("..", false)))),
            '.' if second.is_some_and(ends_name) => one(id(".", false)),
            '.' | '/' => one(K::Sep),
            '"' | '\'' => Ok(quoted(rest, first).map(|(len, text)| (len, K::String(text)))),
            '[' => Ok(quoted(rest, ']').map(|(len, text)| (len, K::Id { text, bracketed: true }))),
            _ if is_space(first) => {
                self.at += rest.find(|c| !is_space(c)).unwrap_or(rest.len());
                return Ok(None);
            }
            _ => Ok(word(rest)),
        };
        let Some((len, kind)) = found? else {
            return Err(self.unreadable(first, rest));
        };
        Ok(Some(self.take(len, kind)))
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
        if inner.starts_with('!') {
            return self.comment(rest, tilde, inner.starts_with("!--"));
        }
        if let Some((len, close)) = whole_inverse(inner) {
            self.state = LexerState::Content;
            return Ok(self.take(lead + len, K::Inverse(tilde, close)));
        }
        let spaces = inner.len() - inner.trim_start_matches(is_space).len();
        let (len, kind) = if inner.starts_with("#>") {
            (2, K::OpenPartialBlock(tilde))
        } else if inner.starts_with('>') {
            (1, K::OpenPartial(tilde))
        } else if inner.starts_with("#*") {
            (2, K::OpenBlock { tilde, decorator: true })
        } else if inner.starts_with('#') {
            (1, K::OpenBlock { tilde, decorator: false })
        } else if inner.starts_with('/') {
            (1, K::OpenEndBlock(tilde))
        } else if inner.starts_with('^') {
            (1, K::OpenInverse(tilde))
        } else if is_else(&inner[spaces..]) {
            (spaces + 4, K::OpenInverseChain(tilde))
        } else if inner.starts_with('{') {
            (1, K::OpenUnescaped(tilde))
        } else if inner.starts_with('&') {
            (1, K::Open { tilde, raw: true, decorator: false })
        } else {
            let decorator = inner.starts_with('*');
            (usize::from(decorator), K::Open { tilde, raw: false, decorator })
        };
        Ok(self.take(lead + len, kind))
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

    fn unreadable(&self, first: char, rest: &str) -> Error {
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
    [
        ("}~}}", K::CloseUnescaped(true)),
        ("}}}", K::CloseUnescaped(false)),
        ("~}}", K::Close(true)),
        ("}}", K::Close(false)),
    ]
    .into_iter()
    .find_map(|(mark, kind)| rest.starts_with(mark).then_some((mark.len(), kind)))
}

fn id(text: &str, bracketed: bool) -> TokenKind<'_> {
    TokenKind::Id { text: text.into(), bracketed }
}

/// Whether JavaScript's `\s` matches the character.
pub(super) fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c != '\u{85}' && c.is_whitespace())
}

/// Whether a name may contain this character.
fn is_name(c: char) -> bool {
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

/// The length of the name at the start, whatever follows it.
fn id_len(text: &str) -> usize {
    text.find(|c| !is_name(c)).unwrap_or(text.len())
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

/// Reads `^}}` or `else}}`, with optional spaces and tilde: the length, and whether it has the tilde.
fn whole_inverse(inner: &str) -> Option<(usize, Tilde)> {
    let after =
        inner.strip_prefix('^').or_else(|| inner.trim_start_matches(is_space).strip_prefix("else"))?;
    let after = after.trim_start_matches(is_space);
    let (after, tilde) = after.strip_prefix('~').map_or((after, false), |after| (after, true));
    let after = after.strip_prefix("}}")?;
    Some((inner.len() - after.len(), tilde))
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
