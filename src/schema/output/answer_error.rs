//! Why an answer cannot be read.

/// The offset at which reading failed, and why.
#[derive(Debug)]
pub(super) struct AnswerError {
    pub(super) offset: usize,
    pub(super) message: String,
}
