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

/// How far a line was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineProgress {
    /// To blanks and marks of quotations.
    Blank,
    /// To marks of lists, which may precede those of quotations.
    List,
    Inside,
}

/// The line of some prose that is read from left to right.
pub(super) struct MarkdownLine {
    progress: LineProgress,
    block: MarkdownBlock,
    has_quote_mark: bool,
    first: Option<char>,
    /// The last mark of a quotation or list.
    last_mark: Option<char>,
    /// Whether a blank follows it.
    is_apart: bool,
}

impl MarkdownLine {
    /// The beginning of a line that continues a block.
    pub(super) fn new() -> Self {
        Self::after(MarkdownBlock::Paragraph)
    }

    fn after(block: MarkdownBlock) -> Self {
        let progress = LineProgress::Blank;
        Self { progress, block, has_quote_mark: false, first: None, last_mark: None, is_apart: false }
    }

    /// Reads a character, before the one after it.
    pub(super) fn read(&mut self, c: char, after: char) {
        if c == '\n' {
            // Quotations and footnotes go on to the next blank line, also without their mark.
            let ends = self.progress == LineProgress::Blank || self.block == MarkdownBlock::Row;
            *self = Self::after(if ends { MarkdownBlock::Paragraph } else { self.block });
            return;
        }
        if self.progress == LineProgress::Inside {
            return;
        }
        if is_blank(c) {
            self.is_apart = true;
            return;
        }
        // Not an arrow, and not a comparison.
        let begins = match self.last_mark {
            None | Some('>' | '＞') => true,
            Some(mark) => self.is_apart && !mark.is_ascii_digit(),
        };
        self.last_mark = Some(c);
        self.first = self.first.or(Some(c));
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

    /// Notes a value, or something else that is not prose.
    pub(super) fn skip(&mut self) {
        self.progress = LineProgress::Inside;
    }

    /// Whether a value here is in a quotation, a table or a footnote.
    pub(super) fn quotes(&self) -> bool {
        self.block != MarkdownBlock::Paragraph
    }

    /// Whether nothing is before on this line.
    pub(super) fn is_empty(&self) -> bool {
        self.progress == LineProgress::Blank
    }

    /// Whether a line of code here is a comment, a command or a difference, and no statement.
    pub(super) fn is_no_statement(&self) -> bool {
        self.first.is_some_and(|c| matches!(c, '#' | '/' | '*' | ';' | '%' | '$' | '-' | '+'))
    }

    /// Ends the paragraph before a code fence, unless the fence is on a line of the quotation.
    pub(super) fn fence(&mut self) {
        if self.block == MarkdownBlock::Quotation && !self.has_quote_mark {
            self.block = MarkdownBlock::Paragraph;
        }
    }
}
