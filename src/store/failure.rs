//! What the system refuses, said with the file that it is about.

use std::io;
use std::path::Path;

use crate::error::{Error, Kind};

/// An error about a file or directory that cannot be read.
pub(super) fn unreadable(what: &str, path: &Path, why: &str) -> Error {
    refused(Kind::StorageRead, "read", what, path, why)
}

/// An error about a file or directory that cannot be written.
pub(super) fn unwritable(what: &str, path: &Path, why: &str) -> Error {
    refused(Kind::StorageWrite, "write", what, path, why)
}

fn refused(kind: Kind, verb: &str, what: &str, path: &Path, why: &str) -> Error {
    let name = if path.as_os_str().is_empty() { "''".to_owned() } else { path.display().to_string() };
    Error::new(kind, format!("cannot {verb} the {what} {name}: {why}")).with_context("path", name)
}

/// What the system says of a failure, without its number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
