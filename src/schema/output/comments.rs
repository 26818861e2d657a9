//! Comments in an answer. A text of the answer may look like one: where that is possible, the answer is unclear.

use super::answer_error::AnswerError;
use super::quotes::key_of;

/// The error for a comment that may be a part of a text, or hide a part of the answer.
pub(super) const HOLDS_JSON: &str = "a comment holds quotes or brackets, so it may be a part of the answer";

/// The error for a comment that goes on to the end of the text.
pub(super) const COMMENT_WITHOUT_END: &str = "a comment has no end, so it may be a part of the answer";

/// A comment at the beginning of a text.
pub(super) struct AnswerComment {
    pub(super) length: usize,
    /// Whether the text ends before the line of the comment does.
    pub(super) is_last: bool,
}

impl AnswerComment {
    /// Reads the comment at the offset; `None` if there is none. `after_single` tells whether a text in single quotes
    /// precedes it.
    pub(super) fn read(text: &str, at: usize, after_single: bool) -> Result<Option<Self>, AnswerError> {
        let rest = &text[at..];
        if !begins_comment(rest) {
            return Ok(None);
        }
        let unclear = |message: &str| Err(AnswerError { offset: at, message: message.to_owned() });
        let (length, is_last) = if let Some(inside) = rest.strip_prefix("/*") {
            let Some(end) = inside.find("*/") else { return unclear(COMMENT_WITHOUT_END) };
            (end + 4, false)
        } else {
            let end = rest.find('\n');
            (end.unwrap_or(rest.len()), end.is_none())
        };
        if may_hold_json(rest, length, after_single) {
            return unclear(HOLDS_JSON);
        }
        Ok(Some(Self { length, is_last }))
    }
}

/// Whether a comment begins here.
pub(super) fn begins_comment(rest: &str) -> bool {
    ["//", "/*", "#"].iter().any(|mark| rest.starts_with(mark))
}

/// Whether reading stopped at a comment that may be a part of the answer.
pub(super) fn is_unclear_comment(stop: &AnswerError) -> bool {
    [HOLDS_JSON, COMMENT_WITHOUT_END].contains(&stop.message.as_str())
}

/// Whether the comment at the beginning of a text has a bracket, a fence or a quote. An apostrophe is none.
fn may_hold_json(rest: &str, length: usize, after_single: bool) -> bool {
    let mut before = ' ';
    for (offset, c) in rest[..length].char_indices() {
        let is_json = match c {
            '{' | '}' | '[' | ']' | '"' | '“' | '”' | '„' => true,
            '\'' | '‘' | '’' => {
                !is_apostrophe(before, &rest[offset + c.len_utf8()..], after_single)
                    || key_of(&rest[offset..]).is_some_and(|key| key.is_quoted)
            }
            _ => false,
        };
        if is_json {
            return true;
        }
        before = c;
    }
    rest[..length].contains("```")
}

/// Whether a single quote between a character and a text is within a word, or ends no text of the answer: there is none
/// in single quotes, or nothing that may follow a text follows.
fn is_apostrophe(before: char, after: &str, after_single: bool) -> bool {
    let is_within_word = before.is_alphanumeric() && after.starts_with(char::is_alphanumeric);
    let next = after.trim_start();
    is_within_word || !(after_single && (next.is_empty() || next.starts_with([',', '}', ']', ':'])))
}
