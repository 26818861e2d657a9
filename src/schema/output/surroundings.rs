//! Tells an answer from a quotation, by what is around it in the prose.

use super::fences::is_json_name;
use super::introductions::{Introduction, introduction, is_reported_after};
use super::labels::LineLabel;
use super::lines::MarkdownLine;
use super::marks::{QuotationMarks, is_blank, is_mark, written_mark};
use super::speakers::turn_of_another;
use super::tags::{OpenTags, plain_tag_length};

/// The error for an answer that may be a quotation.
pub(super) const IS_QUOTED: &str = "the JSON may be a quotation: it is within quotes, a tag, a table or other markup, or \
    follows words that do not introduce an answer; ask the model for JSON alone";

/// The error for JSON that is only in code of another language.
pub(super) const IS_CODE: &str = "the JSON is in a code fence of another language; ask the model for JSON alone, or in \
    a fence of `json`";

/// Whose turn it is in a transcript.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TranscriptTurn {
    Model,
    /// After the special token of somebody else.
    Another,
    /// After the label of somebody else. `true` if an empty line follows.
    Labelled(bool),
    /// After a line of markup that is not Markdown: `::: quote`.
    Markup,
    /// In a paragraph with a label that names neither the model nor a known speaker.
    Unknown,
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
    /// The fence of tildes that is open, and whether it names a language that is not JSON.
    tildes: Option<bool>,
    turn: TranscriptTurn,
    /// Whether the first value that may be the answer is in a quotation.
    is_quoted: bool,
    /// Whether a value is struck out.
    is_struck_out: bool,
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
            tildes: None,
            turn: TranscriptTurn::Model,
            is_quoted,
            is_struck_out: false,
            is_cut_off: false,
        }
    }

    /// Whether a code fence here is part of other code.
    pub(super) fn is_code(&self) -> bool {
        self.tildes == Some(true)
    }

    /// Reads the prose up to an offset.
    pub(super) fn read_to(&mut self, end: usize) {
        let text = &self.text[..end];
        while let Some(c) = text[self.at..].chars().next() {
            if self.at == self.start || self.before == '\n' || (self.before == '\r' && c != '\n') {
                self.begin_line();
            }
            let length = self.token(text, c).max(c.len_utf8());
            self.at += length;
            self.before = text[..self.at].chars().next_back().unwrap_or(' ');
        }
    }

    /// Reads what the beginning of a line tells about the lines after it.
    fn begin_line(&mut self) {
        let line = &self.text[self.at..];
        let bare = line.trim_start_matches([' ', '\t']);
        if bare.starts_with(['\n', '\r']) {
            self.turn = match self.turn {
                TranscriptTurn::Labelled(_) => TranscriptTurn::Labelled(true),
                TranscriptTurn::Unknown => TranscriptTurn::Model,
                turn => turn,
            };
            return;
        }
        if self.is_sticky() {
            return;
        }
        if is_directive(bare) {
            self.turn = TranscriptTurn::Markup;
            return;
        }
        match LineLabel::read(bare) {
            Some(LineLabel::Model) => self.turn = TranscriptTurn::Model,
            Some(LineLabel::Another) => self.turn = TranscriptTurn::Labelled(false),
            Some(LineLabel::Unknown) if self.turn == TranscriptTurn::Model => {
                self.turn = TranscriptTurn::Unknown;
            }
            _ => {}
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
        if c == '&' && self.line.is_empty() && rest.starts_with("&gt;") {
            self.line.read('>', ' ');
            return "&gt;".len();
        }
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
        self.is_quoted = self.is_quoted || self.quotes();
        self.is_struck_out |= self.code.is_some_and(|(c, _)| c == '~');
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
            || self.is_sticky()
            || self.tildes == Some(true)
            || !self.is_introduced()
    }

    /// Whether no words end this turn.
    fn is_sticky(&self) -> bool {
        matches!(self.turn, TranscriptTurn::Another | TranscriptTurn::Markup)
    }

    /// Whether the words before a value allow an answer.
    fn is_introduced(&self) -> bool {
        match introduction(&self.text[self.start..self.at]) {
            Introduction::Unknown => false,
            Introduction::Answer => self.turn != TranscriptTurn::Labelled(false),
            Introduction::None => self.turn == TranscriptTurn::Model,
        }
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

    /// Whether all that was opened is closed, and no value is struck out.
    pub(super) fn is_closed(&self) -> bool {
        !self.is_struck_out && self.code.is_none() && !self.marks.is_open() && !self.tags.is_open()
    }
}

/// Whether a line begins a block of a language other than Markdown: reStructuredText, Org, `AsciiDoc`, Textile and others.
fn is_directive(line: &str) -> bool {
    const DIRECTIVES: [&str; 12] =
        [":::", "#+", "!!!", "???", "bq.", "____", "@", "\\", "%%", "{%", "{{{", ".. "];
    DIRECTIVES.iter().any(|directive| line.starts_with(directive))
}

/// Whether nothing in some prose after a value tells that the value may be a quotation.
pub(super) fn is_plain_after(prose: &str) -> bool {
    let mut surroundings = Surroundings::new(prose, 0, false);
    surroundings.read_to(prose.len());
    surroundings.is_closed() && !is_reported_after(prose) && !has_marks(prose)
}

fn has_marks(prose: &str) -> bool {
    prose.contains(|c| is_mark(c) || matches!(c, '`' | '<' | '>'))
}

/// Whether nothing in some prose tells that a value after it may be a quotation.
pub(super) fn is_plain(prose: &str) -> bool {
    let mut surroundings = Surroundings::new(prose, 0, false);
    surroundings.read_to(prose.len());
    !surroundings.quotes() && !has_marks(prose)
}

/// Whether a text has no words, but only what encloses an answer: quotation marks, backticks, tags, the language of a
/// code fence.
pub(super) fn is_decoration(mut text: &str) -> bool {
    let is_decoration = |c: char| is_blank(c) || is_mark(c) || matches!(c, '`' | '~' | '>');
    loop {
        let rest = text.trim_start_matches(is_decoration);
        let follows_fence = text[..text.len() - rest.len()].ends_with(['`', '~']);
        let language = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let tag = if rest.starts_with(['[', '{', '\\']) { 0 } else { plain_tag_length(rest) };
        let skipped = if follows_fence && language > 0 { language } else { tag };
        if skipped == 0 {
            return rest.is_empty();
        }
        text = &rest[skipped..];
    }
}
