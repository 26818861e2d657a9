//! Skips the reasoning that a model writes before its answer.

use super::answer_error::AnswerError;

/// The brackets and names of the tags around reasoning, in any case.
const TAGS: [(char, &str, char); 5] = [
    ('<', "think", '>'),
    ('<', "thinking", '>'),
    ('<', "thought", '>'),
    ('<', "reasoning", '>'),
    ('[', "think", ']'),
];

/// A kind of tag around reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ReasoningTag {
    open: char,
    name: &'static str,
    close: char,
}

impl ReasoningTag {
    /// The tag that opens at the beginning of a text, and its length. It may have blanks and attributes.
    fn opening(text: &str) -> Option<(Self, usize)> {
        TAGS.into_iter().find_map(|(open, name, close)| {
            let tag = Self { open, name, close };
            let rest = tag.after_name(text.strip_prefix(open)?)?;
            let attributes = rest.find(close).map(|length| &rest[..length])?;
            let is_tag = attributes.is_empty() || attributes.starts_with(char::is_whitespace);
            let is_plain =
                attributes.trim().is_empty() || (open == '<' && !attributes.contains(['<', '{', '[']));
            (is_tag && is_plain)
                .then_some((tag, text.len() - rest.len() + attributes.len() + close.len_utf8()))
        })
    }

    /// The offsets at which the first closing tag begins and ends.
    fn closing(self, text: &str) -> Option<(usize, usize)> {
        text.match_indices(self.open).find_map(|(offset, open)| {
            let name = text[offset + open.len()..].trim_start().strip_prefix('/')?;
            let rest = self.after_name(name.trim_start())?.trim_start().strip_prefix(self.close)?;
            Some((offset, text.len() - rest.len()))
        })
    }

    fn after_name(self, text: &str) -> Option<&str> {
        let (name, rest) = text.split_at_checked(self.name.len())?;
        name.eq_ignore_ascii_case(self.name).then_some(rest)
    }

    fn unclear(self) -> String {
        format!("it is unclear which {}/{}{} ends the model's reasoning", self.open, self.name, self.close)
    }
}

/// The end of the reasoning at the beginning of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ReasoningEnd {
    /// The offset at which the answer begins; 0 without reasoning.
    pub(super) offset: usize,
    tag: Option<ReasoningTag>,
}

impl ReasoningEnd {
    /// Finds the end of reasoning. It counts only at the beginning of the answer: a text within the JSON may have the
    /// same tags.
    pub(super) fn find(text: &str) -> Result<Self, AnswerError> {
        let mut end = Self::default();
        loop {
            let rest = text[end.offset..].trim_start();
            let Some((tag, opened)) = ReasoningTag::opening(rest) else { return Ok(end) };
            let start = text.len() - rest.len() + opened;
            let Some((length, closed)) = tag.closing(&text[start..]) else {
                let message = "the answer ends within the model's reasoning".to_owned();
                return Err(AnswerError { offset: text.len(), message });
            };
            if is_within_text(&text[start..start + length]) {
                return Err(AnswerError { offset: start + length, message: tag.unclear() });
            }
            end = Self { offset: start + closed, tag: Some(tag) };
        }
    }

    /// Refuses prose after the reasoning that closes it again: the first tag may have been a quotation.
    pub(super) fn check(&self, prose: impl Iterator<Item = impl AsRef<str>>) -> Result<(), AnswerError> {
        match self.tag {
            Some(tag) if prose.into_iter().any(|prose| tag.closing(prose.as_ref()).is_some()) => {
                Err(AnswerError { offset: self.offset, message: tag.unclear() })
            }
            _ => Ok(()),
        }
    }
}

/// Whether reasoning ends within the quotes of some JSON.
fn is_within_text(reasoning: &str) -> bool {
    reasoning.find(['{', '[']).is_some_and(|open| reasoning[open..].matches('"').count() % 2 == 1)
}
