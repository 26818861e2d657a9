//! Work on long texts in pieces, so that the user can interrupt it.

use crate::error::Result;

/// The number of bytes that are worked on between two checks of whether the user interrupted the render. The slowest
/// work, comparing the text of a fence, takes about 20 ms for them.
pub const PIECE: usize = 1 << 20;

/// The text in pieces of about 1 MiB.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Counts the bytes that are read, and checks for an interrupt after each piece.
pub(super) struct InterruptCheck<'a> {
    check_interrupt: &'a dyn Fn() -> Result<()>,
    bytes: usize,
}

impl<'a> InterruptCheck<'a> {
    pub(super) fn new(check_interrupt: &'a dyn Fn() -> Result<()>) -> Self {
        Self { check_interrupt, bytes: 0 }
    }

    /// Counts bytes that were read.
    ///
    /// # Errors
    /// The error of `check_interrupt`.
    #[inline]
    pub(super) fn after(&mut self, bytes: usize) -> Result<()> {
        self.bytes += bytes;
        if self.bytes < PIECE {
            return Ok(());
        }
        self.bytes = 0;
        (self.check_interrupt)()
    }
}
