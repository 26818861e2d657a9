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

/// The text in pieces of about 1 MiB whose letters have the same lower case as in the whole text.
pub fn pieces_to_lower(text: &str) -> impl Iterator<Item = &str> {
    pieces_to_lower_of(text, PIECE)
}

/// Only the lower case of `Σ` depends on the letters around it. A text with it is split where [`ends_context`] holds for the
/// characters on both sides. If no place nearby is such, the piece grows by another `size` bytes.
fn pieces_to_lower_of(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let has_sigma = text.contains('Σ');
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut end = rest.floor_char_boundary(size);
        while has_sigma && end < rest.len() {
            let mut near = rest[end..].char_indices().take(NEAR).zip(rest[end..].chars().skip(1));
            if let Some(((at, last), _)) =
                near.find(|((_, last), next)| ends_context(*last) && ends_context(*next))
            {
                end += at + last.len_utf8();
                break;
            }
            end = rest.floor_char_boundary(end + size);
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The number of characters among which a piece may end.
const NEAR: usize = 64;

/// Whether a `Σ` before this character has the same form whatever comes after it, and a `Σ` after it whatever comes before. A
/// `Σ` is never such a character, because its own form depends on both sides.
fn ends_context(character: char) -> bool {
    // A letter after `Σ` makes it `σ`, and the end of a word `ς`. Unicode's case-ignorable characters are passed over.
    let has_letter_after = |rest: &str| format!("AΣ{character}{rest}").to_lowercase().contains('σ');
    character != 'Σ' && (has_letter_after("") || !has_letter_after("A"))
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

#[cfg(test)]
mod tests {
    use super::pieces_to_lower_of;

    #[test]
    fn lower_case_in_pieces_is_that_of_the_whole_text() {
        let characters = ['Σ', 'σ', 'a', 'É', ' ', '.', '\'', '中', '\u{301}', 'İ'];
        let mut seed = 1_u64;
        for length in 0..60 {
            for _ in 0..40 {
                let mut random = || {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    usize::try_from(seed >> 40).unwrap_or(0)
                };
                let kinds = 2 + random() % (characters.len() - 1);
                let text: String = (0..length).map(|_| characters[random() % kinds]).collect();
                for size in [4, 7, 16] {
                    let pieces: Vec<_> = pieces_to_lower_of(&text, size).collect();
                    assert_eq!(pieces.concat(), text);
                    assert_eq!(
                        pieces.iter().map(|piece| piece.to_lowercase()).collect::<String>(),
                        text.to_lowercase()
                    );
                }
            }
        }
        let chinese = "中".repeat(100);
        assert_eq!(pieces_to_lower_of(&chinese, 30).count(), 10);
        assert!(pieces_to_lower_of(&format!("Σ{chinese}"), 30).count() > 8);
    }
}
