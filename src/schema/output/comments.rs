//! Comments in an answer. A text of the answer may look like one: where that is possible, the answer is unclear.

use super::answer_error::AnswerError;

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
    /// Reads the comment at the offset; `None` if there is none.
    pub(super) fn read(text: &str, at: usize) -> Result<Option<Self>, AnswerError> {
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
        if may_hold_json(&rest[..length]) {
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

/// Whether a comment has a bracket, a fence or a quote. An apostrophe within a word is none.
fn may_hold_json(comment: &str) -> bool {
    let mut before = ' ';
    let mut rest = comment.chars();
    while let Some(c) = rest.next() {
        let is_json = match c {
            '{' | '}' | '[' | ']' | '"' | '“' | '”' | '„' => true,
            '\'' | '‘' | '’' => {
                !(before.is_alphanumeric() && rest.clone().next().is_some_and(char::is_alphanumeric))
            }
            _ => false,
        };
        if is_json {
            return true;
        }
        before = c;
    }
    comment.contains("```")
}
