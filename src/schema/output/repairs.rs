//! The repairs of an answer, and their positions.

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
    /// A text in three quotes, as Python writes it.
    TripleQuotes,
    /// A quote within a text, without a backslash before it.
    UnescapedQuote,
    /// A text without quotes.
    UnquotedText,
    /// A backslash before a quote that does not need it.
    NeedlessEscape,
    /// A backslash before a character that JSON cannot escape. It is part of the text.
    UnknownEscape,
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
    /// A list with the answer as its only item.
    ListAround,
    /// A JSON text that holds the answer.
    JsonInText,
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
            Self::TripleQuotes => "triple_quotes",
            Self::UnescapedQuote => "unescaped_quote",
            Self::UnquotedText => "unquoted_text",
            Self::NeedlessEscape => "needless_escape",
            Self::UnknownEscape => "unknown_escape",
            Self::Comment => "comment",
            Self::UnquotedKey => "unquoted_key",
            Self::PythonWord => "python_word",
            Self::NotFinite => "not_finite",
            Self::ControlCharacter => "control_character",
            Self::ListAround => "list_around",
            Self::JsonInText => "json_in_text",
            Self::CutOff => "cut_off",
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Fence => "a code fence around the JSON",
            Self::Prose => "text around the JSON",
            Self::TrailingComma => "a comma before a closing bracket",
            Self::SingleQuotes => "a text in single quotes",
            Self::CurlyQuotes => "a text in curly quotes",
            Self::TripleQuotes => "a text in three quotes",
            Self::UnescapedQuote => "a quote within a text, without a backslash before it",
            Self::UnquotedText => "a text without quotes",
            Self::NeedlessEscape => "a backslash before a quote that needs none",
            Self::UnknownEscape => {
                "a backslash before a character that JSON cannot escape; it is part of the text"
            }
            Self::Comment => "a comment",
            Self::UnquotedKey => "a key without quotes",
            Self::PythonWord => "True, False or None instead of true, false or null",
            Self::NotFinite => "NaN or Infinity, which JSON does not have",
            Self::ControlCharacter => "a line break or control character within a text",
            Self::ListAround => "a list with the answer as its only item",
            Self::JsonInText => "the answer is JSON within a JSON text",
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

/// Adds line and column to repairs at byte offsets. Reads the text once, however many repairs a line has.
pub(super) fn located(source: &str, mut repairs: Vec<(usize, RepairKind)>) -> Vec<Repair> {
    repairs.sort_by_key(|(offset, _)| *offset);
    let (mut line, mut column, mut at) = (1, 1, 0);
    let mut found = Vec::with_capacity(repairs.len());
    for (offset, kind) in repairs {
        for c in source[at..offset].chars() {
            if c == '\n' {
                (line, column) = (line + 1, 1);
            } else {
                column += 1;
            }
        }
        at = offset;
        found.push(Repair { kind, line, column });
    }
    found
}
