//! Tells an answer from a quotation, by what is around it in the prose.

use super::fences::is_json_name;
use super::lines::MarkdownLine;
use super::marks::{QuotationMarks, is_blank, is_mark, written_mark};
use super::speakers::{ends_with_label_of_another, turn_of_another};
use super::tags::{OpenTags, tag_length};

/// The error for an answer that may be a quotation.
pub(super) const IS_QUOTED: &str =
    "the JSON may be a quotation: it is within quotes, a tag or a Markdown quotation, or follows a label";

/// Whose turn it is in a transcript.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TranscriptTurn {
    Model,
    Another,
}

/// The prose around values, read once from left to right.
pub(super) struct Surroundings<'s> {
    text: &'s str,
    start: usize,
    /// The offset up to which the prose was read.
    at: usize,
    before: char,
    marks: QuotationMarks,
    tags: OpenTags<'s>,
    line: MarkdownLine,
    /// The marks that opened the code that is being read: the character, and how often.
    code: Option<(char, usize)>,
    /// Whether the text is code, of which only statements count.
    is_code: bool,
    /// The fence of tildes that is open, and whether it names a language that is not JSON.
    tildes: Option<bool>,
    turn: TranscriptTurn,
    /// Whether the first value that may be the answer is in a quotation.
    is_quoted: bool,
    /// Whether a single quote or a tag was open at the last value, and no prose followed.
    is_cut_off: bool,
}

impl<'s> Surroundings<'s> {
    /// The surroundings of a text from an offset on, which may be a quotation as a whole.
    pub(super) fn new(text: &'s str, start: usize, is_quoted: bool) -> Self {
        Self {
            text,
            start,
            at: start,
            before: ' ',
            marks: QuotationMarks::default(),
            tags: OpenTags::default(),
            line: MarkdownLine::new(),
            code: None,
            is_code: false,
            tildes: None,
            turn: TranscriptTurn::Model,
            is_quoted,
            is_cut_off: false,
        }
    }

    /// The surroundings of values in code.
    pub(super) fn of_code(text: &'s str, start: usize, is_quoted: bool) -> Self {
        Self { is_code: true, ..Self::new(text, start, is_quoted) }
    }

    /// Whether a code fence here is part of other code.
    pub(super) fn is_code(&self) -> bool {
        self.is_code || self.tildes == Some(true)
    }

    /// Reads the prose up to an offset.
    pub(super) fn read_to(&mut self, end: usize) {
        let text = &self.text[..end];
        while let Some(c) = text[self.at..].chars().next() {
            let length = self.token(text, c).max(c.len_utf8());
            self.at += length;
            self.before = text[..self.at].chars().next_back().unwrap_or(' ');
        }
    }

    /// Reads what begins with a character. Returns its length, or 0 if it is only the character.
    fn token(&mut self, text: &'s str, c: char) -> usize {
        let rest = &text[self.at..];
        if matches!(c, '<' | '[' | '-' | '&' | '＜' | '{' | '\\') {
            let turn = turn_of_another(rest);
            match turn {
                Some(true) => self.turn = TranscriptTurn::Another,
                Some(false) => self.turn = TranscriptTurn::Model,
                None => {}
            }
            let length = if turn.is_none() { self.tags.read(text, self.at, self.before) } else { 0 };
            if length > 0 {
                self.line.skip();
                return length;
            }
        }
        self.is_cut_off &= is_blank(c);
        let after = self.text[self.at + c.len_utf8()..].chars().next().unwrap_or(' ');
        if c == '`' || (c == '~' && rest.starts_with("~~")) {
            let count = rest.len() - rest.trim_start_matches(c).len();
            if c == '`' || !self.tilde_fence(&rest[count..], count) {
                self.code_span(c, count, &rest[count..]);
            }
            self.line.skip();
            return count;
        }
        // Several `>` at the beginning of a line are a quotation of Markdown.
        if let Some((mark, length)) = written_mark(rest).filter(|_| c != '>' || !self.line.is_empty()) {
            let after = self.text[self.at + length..].chars().next().unwrap_or(' ');
            // Two single quotes before a blank are an empty text.
            let is_empty_text = c == '\'' && is_blank(after) && after != '\n' && !self.marks.is_open();
            if !is_empty_text {
                self.marks.read(mark, self.before, after, self.at + length);
            }
            self.line.skip();
            return length;
        }
        self.line.read(c, after);
        self.marks.read(c, self.before, after, self.at + c.len_utf8());
        0
    }

    /// Reads the marks of a code span, or of words that are struck out.
    fn code_span(&mut self, c: char, count: usize, after: &str) {
        // One backtick within a word is an apostrophe.
        let is_apostrophe = count == 1
            && c == '`'
            && self.before.is_alphanumeric()
            && after.starts_with(char::is_alphanumeric);
        self.code = match self.code {
            None if is_apostrophe => None,
            None => Some((c, count)),
            Some(open) if open == (c, count) => None,
            open => open,
        };
    }

    /// Opens or closes a fence of tildes. Returns false if there is none.
    fn tilde_fence(&mut self, after: &str, count: usize) -> bool {
        const FENCE: usize = 3;
        /// The length of the longest name of a language, in bytes.
        const MAX_NAME: usize = 40;
        let end = after.bytes().take(MAX_NAME).position(|byte| byte == b'\n');
        let line = end.map_or(if after.len() < MAX_NAME { after } else { "…" }, |end| &after[..end]);
        let name = line.trim();
        if count < FENCE || !self.line.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return false;
        }
        self.tildes = match self.tildes {
            Some(_) => None,
            None => Some(!name.is_empty() && !is_json_name(name)),
        };
        true
    }

    /// Notes a value that may be the answer, or a code fence that has one. The prose before it must be read.
    pub(super) fn value(&mut self) {
        self.is_quoted |= self.quotes();
        self.is_cut_off = self.marks.is_open() || self.tags.is_open();
        self.marks.value();
        self.tags.value();
    }

    /// Whether a value here is in a quotation, as far as the prose before it tells.
    pub(super) fn quotes(&self) -> bool {
        let before = self.text[self.start..self.at].trim_end_matches(is_blank);
        let before = &self.text[..self.start + before.len()];
        self.marks.quotes(before)
            || self.tags.quotes(before)
            || self.code.is_some()
            || self.line.quotes()
            || self.turn == TranscriptTurn::Another
            || self.tildes == Some(true)
            || (self.is_code && self.line.is_no_statement())
            || self.follows_cell()
            || ends_with_label_of_another(before)
    }

    /// Whether the end of a cell of a table is before on the same line.
    fn follows_cell(&self) -> bool {
        let before = &self.text[self.start..self.at];
        before.trim_end_matches(|c| is_blank(c) && c != '\n').ends_with('|')
    }

    /// Skips what is not prose.
    pub(super) fn skip_to(&mut self, end: usize) {
        self.at = end;
        self.before = self.text[..end].chars().next_back().unwrap_or(' ');
        self.line.skip();
    }

    /// Ends the paragraph before a code fence.
    pub(super) fn fence(&mut self) {
        self.line.fence();
    }

    /// Whether the values may be quotations. The prose must be read to its end.
    pub(super) fn may_quote(&self) -> bool {
        self.is_quoted || self.is_cut_off || self.marks.is_unclear || self.tags.is_unclear
    }

    /// Whether all that was opened is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.code.is_none() && !self.marks.is_open() && !self.tags.is_open()
    }
}

/// Whether nothing in some prose tells that a value after it may be a quotation.
pub(super) fn is_plain(prose: &str) -> bool {
    let mut surroundings = Surroundings::new(prose, 0, false);
    surroundings.read_to(prose.len());
    !surroundings.quotes() && !prose.contains(|c| is_mark(c) || matches!(c, '`' | '<' | '>'))
}

/// Whether a text has no words, but only what encloses an answer: quotation marks, backticks, tags, the language of a
/// code fence.
pub(super) fn is_decoration(mut text: &str) -> bool {
    let is_decoration = |c: char| is_blank(c) || is_mark(c) || matches!(c, '`' | '~' | '>');
    loop {
        let rest = text.trim_start_matches(is_decoration);
        let follows_fence = text[..text.len() - rest.len()].ends_with(['`', '~']);
        let language = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let tag = if rest.starts_with(['[', '{', '\\']) { 0 } else { tag_length(rest) };
        let skipped = if follows_fence && language > 0 { language } else { tag };
        if skipped == 0 {
            return rest.is_empty();
        }
        text = &rest[skipped..];
    }
}
