//! An answer that was read, and the options for reading it.

use super::parsed::Parsed;
use super::repairs::Repair;

/// Options for reading an answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswerOptions {
    /// Accept only valid JSON.
    pub strict: bool,
    /// Accept only a dict, so that a list in the prose is not taken for the answer.
    pub dict: bool,
}

/// An answer that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its JSON.
    pub parsed: Parsed,
    /// The repairs, in the order of the text.
    pub repairs: Vec<Repair>,
    /// How many lists and dicts lack their end, from the outside in; each is the last item of the one around it.
    pub open: usize,
}
