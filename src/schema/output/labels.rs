//! The labels at the beginning of lines, as transcripts have them: `User: …`, `**Answer:** …`.

use super::answer_words::{FILLERS, OTHERS, REASONING, is_answer_word, report_another, words_of};
use super::marks::is_blank;

/// Whose words follow a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineLabel {
    Model,
    /// Somebody else in a conversation.
    Another,
    /// Somebody unknown.
    Unknown,
}

impl LineLabel {
    /// Reads the label at the beginning of a line.
    pub(super) fn read(line: &str) -> Option<Self> {
        /// The length of the longest label, in bytes.
        const MAX_LABEL: usize = 80;
        const MAX_WORDS: usize = 4;
        const MAX_MODEL_WORDS: usize = 2;
        let marks =
            |c: char| is_blank(c) || matches!(c, '*' | '_' | '#' | '-' | '[' | '•' | '.' | ')' | '0'..='9');
        let mut end = line.len().min(MAX_LABEL);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        let near = line[..end].split(['\n', '\r']).next()?.trim_start_matches(marks);
        let (name, after) = near.split_at(near.find([':', '：', ']', '>'])?);
        let is_part = |c: char| c.is_alphanumeric() || is_blank(c) || "'’_-()*.".contains(c);
        if name.is_empty() || !name.chars().all(is_part) {
            return None;
        }
        let is_colon = after.starts_with([':', '：']);
        let mut rest = after.trim_start_matches([':', '：', ']', '>']);
        rest = rest.trim_start_matches(['*', '_']);
        if !rest.is_empty() && !rest.starts_with(|c| is_blank(c) || matches!(c, '{' | '[' | '`' | '"' | '“'))
        {
            return None;
        }
        let words = words_of(name);
        if words.is_empty() || words.len() > MAX_WORDS {
            return None;
        }
        let is_other = words.first().is_some_and(|word| OTHERS.contains(word.as_str())) && words.len() <= 2;
        let is_known = |word: &String| {
            is_answer_word(word) || FILLERS.contains(word.as_str()) || REASONING.contains(word.as_str())
        };
        Some(if is_other {
            Self::Another
        } else if words.iter().all(is_known) && !report_another(&words) {
            // `Here is the JSON:` may be somebody else's sentence.
            return (words.len() <= MAX_MODEL_WORDS).then_some(Self::Model);
        } else if is_colon {
            Self::Unknown
        } else {
            return None;
        })
    }
}
