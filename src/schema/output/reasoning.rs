//! Skips the reasoning that a model writes before its answer.

use super::answer_error::AnswerError;

/// The tags around reasoning.
const TAGS: [(&str, &str); 5] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
];

/// The end of the reasoning at the beginning of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ReasoningEnd {
    /// The offset at which the answer begins; 0 without reasoning.
    pub(super) offset: usize,
    /// The closing tag.
    tag: Option<&'static str>,
}

impl ReasoningEnd {
    /// Finds the end of reasoning. It counts only at the beginning of the answer: a text within the JSON may have the
    /// same tags.
    pub(super) fn find(text: &str) -> Result<Self, AnswerError> {
        let mut end = Self::default();
        loop {
            let rest = text[end.offset..].trim_start();
            let Some((open, close)) = TAGS.into_iter().find(|(open, _)| rest.starts_with(open)) else {
                return Ok(end);
            };
            let Some(length) = rest.find(close) else {
                let message = "the answer ends within the model's reasoning".to_owned();
                return Err(AnswerError { offset: text.len(), message });
            };
            if is_within_text(&rest[open.len()..length]) {
                let offset = text.len() - rest.len() + length;
                return Err(AnswerError { offset, message: unclear(close) });
            }
            end = Self { offset: text.len() - rest.len() + length + close.len(), tag: Some(close) };
        }
    }

    /// Refuses prose after the reasoning that closes it again: the first tag may have been a quotation.
    pub(super) fn check(&self, prose: impl Iterator<Item = impl AsRef<str>>) -> Result<(), AnswerError> {
        match self.tag {
            Some(tag) if prose.into_iter().any(|prose| prose.as_ref().contains(tag)) => {
                Err(AnswerError { offset: self.offset, message: unclear(tag) })
            }
            _ => Ok(()),
        }
    }
}

fn unclear(tag: &str) -> String {
    format!("it is unclear which {tag} ends the model's reasoning")
}

/// Whether reasoning ends within the quotes of some JSON.
fn is_within_text(reasoning: &str) -> bool {
    reasoning.find(['{', '[']).is_some_and(|open| reasoning[open..].matches('"').count() % 2 == 1)
}
