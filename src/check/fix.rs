//! A change of a file that removes what a finding is about.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::de::yaml_aliases::repeated_parts;

/// A replacement in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileEdit {
    /// The first byte that is replaced, in the text without a byte order mark.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
    /// The new text.
    pub text: String,
}

/// A change of a file that removes what a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The replacement.
    pub edit: FileEdit,
    /// The [`fingerprint`] of the text that the edit is for.
    pub fingerprint: u64,
}

impl Fix {
    /// A fix of a file with this text, which has no byte order mark. There is none for a part that an alias repeats,
    /// because it would change what another prompt means.
    #[must_use]
    pub fn new(text: &str, edit: FileEdit) -> Option<Self> {
        let is_there = |part: Range<usize>| edit.start <= part.end && edit.end >= part.start;
        let has_aliases = text.contains('&') && text.contains('*');
        let is_repeated = has_aliases && repeated_parts(text).into_iter().any(is_there);
        (!is_repeated).then(|| Self { edit, fingerprint: fingerprint(text) })
    }
}

/// A number that shows whether a text has changed, within one process.
#[must_use]
pub fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Applies edits to a text. An edit that overlaps an earlier one is left out, and so is one at the same place.
#[must_use]
pub fn apply(text: &str, edits: &[FileEdit]) -> String {
    let mut sorted: Vec<&FileEdit> = edits.iter().collect();
    sorted.sort();
    let (mut changed, mut from) = (String::with_capacity(text.len()), 0);
    let mut last: Option<&FileEdit> = None;
    for edit in sorted {
        let is_apart = last.is_none_or(|last| edit.start >= last.end && edit.start > last.start);
        let Some(kept) = text.get(from..edit.start).filter(|_| is_apart && text.is_char_boundary(edit.end))
        else {
            continue;
        };
        changed.push_str(kept);
        changed.push_str(&edit.text);
        from = edit.end;
        last = Some(edit);
    }
    changed.push_str(text.get(from..).unwrap_or_default());
    changed
}
