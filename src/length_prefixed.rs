//! A digest of several parts that depends on where one ends and the next begins.

use sha2::{Digest, Sha256};

/// A SHA-256 over parts, each with its length before it, so that no two lists of parts are hashed alike.
#[derive(Default)]
pub(crate) struct LengthPrefixedDigest(Sha256);

impl LengthPrefixedDigest {
    /// Adds a part.
    pub(crate) fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The digest.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
