//! What the beginning of a line of Markdown tells about the line: a quotation, a row of a table, a footnote.

use super::marks::is_blank;

/// What a line is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MarkdownBlock {
    Paragraph,
    Quotation,
    Footnote,
    Row,
}

/// The minimum indentation of a line that continues a footnote.
const INDENT: usize = 2;

/// What was read of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineProgress {
    /// Only blanks and marks of quotations.
    Blank,
    /// Marks of lists too, which may precede those of quotations.
    List,
    /// Other text.
    Inside,
}

/// The line of some prose that is read from left to right.
pub(super) struct MarkdownLine {
    progress: LineProgress,
    block: MarkdownBlock,
    has_quote_mark: bool,
    /// The last mark of a quotation or list.
    last_mark: Option<char>,
    /// Whether a blank follows `last_mark`.
    is_apart: bool,
    /// The block before empty lines, which goes on if the line is indented.
    suspended: MarkdownBlock,
    indent: usize,
}

impl MarkdownLine {
    /// The beginning of a line that continues a block.
    pub(super) fn new() -> Self {
        Self::after(MarkdownBlock::Paragraph, MarkdownBlock::Paragraph)
    }

    fn after(block: MarkdownBlock, suspended: MarkdownBlock) -> Self {
        let progress = LineProgress::Blank;
        Self {
            progress,
            block,
            has_quote_mark: false,
            last_mark: None,
            is_apart: false,
            suspended,
            indent: 0,
        }
    }

    /// Reads a character. `after` is the one that follows it.
    pub(super) fn read(&mut self, c: char, after: char) {
        if c == '\n' {
            // Quotations and footnotes go on to the next blank line, also without their mark.
            let ends = self.progress == LineProgress::Blank || self.block == MarkdownBlock::Row;
            let block = if ends { MarkdownBlock::Paragraph } else { self.block };
            let is_footnote = self.block == MarkdownBlock::Footnote;
            *self = Self::after(block, if is_footnote { self.block } else { self.suspended });
            return;
        }
        if self.progress == LineProgress::Inside {
            return;
        }
        if is_blank(c) {
            self.is_apart = true;
            self.indent += if c == '\t' { INDENT } else { 1 };
            return;
        }
        self.resume();
        // Not an arrow, and not a comparison.
        let begins = match self.last_mark {
            None | Some('>' | '＞') => true,
            Some(mark) => self.is_apart && !mark.is_ascii_digit(),
        };
        self.last_mark = Some(c);
        self.is_apart = false;
        self.progress = LineProgress::Inside;
        match c {
            '>' | '＞' if begins => {
                self.has_quote_mark = true;
                self.block = MarkdownBlock::Quotation;
                self.progress = LineProgress::Blank;
            }
            '-' | '*' | '+' | '.' | ')' | '0'..='9' => self.progress = LineProgress::List,
            '|' => self.block = MarkdownBlock::Row,
            '[' if after == '^' => self.block = MarkdownBlock::Footnote,
            // A heading ends a quotation.
            '#' if !self.has_quote_mark => self.block = MarkdownBlock::Paragraph,
            _ => {}
        }
    }

    /// Continues a footnote on an indented line after empty lines, or ends it.
    fn resume(&mut self) {
        if self.progress != LineProgress::Blank || self.has_quote_mark {
            return;
        }
        if self.continues() {
            self.block = self.suspended;
        }
        self.suspended = MarkdownBlock::Paragraph;
    }

    /// Whether the line is indented as the rest of a footnote before empty lines is.
    fn continues(&self) -> bool {
        self.progress == LineProgress::Blank
            && self.block == MarkdownBlock::Paragraph
            && self.indent >= INDENT
    }

    /// Notes a value, or something else that is not prose.
    pub(super) fn skip(&mut self) {
        self.resume();
        self.progress = LineProgress::Inside;
    }

    /// Whether a value here is in a quotation, a table or a footnote.
    pub(super) fn quotes(&self) -> bool {
        let block = if self.continues() { self.suspended } else { self.block };
        block != MarkdownBlock::Paragraph
    }

    /// Whether only blanks and marks of quotations were read of this line.
    pub(super) fn is_empty(&self) -> bool {
        self.progress == LineProgress::Blank
    }

    /// Ends the paragraph before a code fence, unless the fence is on a line of the quotation.
    pub(super) fn fence(&mut self) {
        if self.block == MarkdownBlock::Quotation && !self.has_quote_mark {
            self.block = MarkdownBlock::Paragraph;
        }
    }
}
