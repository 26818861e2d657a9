//! Writes fixes into a file.

use std::fs;
use std::path::Path;

use super::atomic;
use super::errors::{reason, unreadable, unwritable};
use crate::check::{FileEdit, Fix, apply_edits, fingerprint};
use crate::de::yaml::{decode, source_text};
use crate::error::Result;

/// Applies fixes to a file, in one step. A fix that overlaps another one is left out.
///
/// # Errors
/// [`crate::Kind::StorageWrite`] if the file cannot be written, or if it has changed since the fixes were made;
/// [`crate::Kind::StorageRead`] if it cannot be read.
pub fn fix_file(path: &Path, fixes: &[&Fix]) -> Result<()> {
    let name = path.display().to_string();
    let before =
        fs::read(path).map_err(|error| unreadable("file", path, &reason(&error)).with_cause(error))?;
    let whole = decode(&name, &before)?;
    let text = whole.strip_prefix('\u{feff}').unwrap_or(whole);
    let now = fingerprint(&source_text(text));
    if fixes.iter().any(|fix| fix.fingerprint != now) {
        return Err(
            unwritable("file", path, "it has changed since it was read").with_hint("run the command again")
        );
    }
    let edits: Vec<FileEdit> = fixes.iter().map(|fix| fix.edit.clone()).collect();
    let after = format!("{}{}", &whole[..whole.len() - text.len()], apply_edits(text, &edits));
    atomic::replace(path, &before, after.as_bytes())
}
