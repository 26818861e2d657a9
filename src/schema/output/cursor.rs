//! The position in a text from which a value is read, with the repairs so far.

use super::answer_error::AnswerError;
use super::choices::Choices;
use super::parsed::Parsed;
use super::repairs::RepairKind;

/// A value that was read, complete or cut off.
pub(super) enum ReadValue {
    Whole(Parsed),
    /// The text ended within the value; has the complete part of a list or dict.
    Cut(Option<Parsed>),
}

pub(super) struct AnswerParser<'s> {
    pub(super) text: &'s str,
    /// The offset of the next character.
    pub(super) at: usize,
    /// Whether only valid JSON is accepted.
    pub(super) strict: bool,
    /// Whether the value is in a code fence, whose end cannot be within a text.
    pub(super) in_fence: bool,
    /// Where texts end that have quotes in them. If this is `None`, the first quote ends a text.
    pub(super) choices: Option<Choices<'s>>,
    pub(super) repairs: Vec<(usize, RepairKind)>,
    /// How many texts in single quotes were read, other than keys.
    pub(super) single_texts: usize,
    /// Whether the text ends with the line of a comment.
    pub(super) ends_in_comment: bool,
    /// How many lists and dicts lack their end.
    pub(super) open: usize,
}

impl<'s> AnswerParser<'s> {
    pub(super) fn new(text: &'s str, at: usize, strict: bool) -> Self {
        Self {
            text,
            at,
            strict,
            in_fence: false,
            choices: None,
            repairs: Vec::new(),
            single_texts: 0,
            ends_in_comment: false,
            open: 0,
        }
    }

    pub(super) fn stop<R>(&self, message: impl Into<String>) -> Result<R, AnswerError> {
        Err(AnswerError { offset: self.at, message: message.into() })
    }

    /// Records a repair; in strict mode it is an error instead.
    pub(super) fn repair(&mut self, offset: usize, kind: RepairKind) -> Result<(), AnswerError> {
        if self.strict {
            return Err(AnswerError { offset, message: kind.message().to_owned() });
        }
        self.repairs.push((offset, kind));
        Ok(())
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }
}
