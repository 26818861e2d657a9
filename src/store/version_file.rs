//! The files in the directory of a prompt: one for each version, and one for its labels.

use std::io;
use std::path::Path;

use super::atomic;
use super::directory::identify;
use super::encoding::Encoding;
use super::errors::{unreadable, unwritable};
use super::labels::Labels;
use super::stable_read::{FileContent, FileStamp, read_below, read_below_stamped};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, PromptId, Version};

/// The file of a prompt's labels, in its directory.
pub(super) const LABELS: &str = ".labels.json";

/// A prompt that was read, with warnings for its author.
#[derive(Debug)]
pub struct StoredPrompt {
    /// The prompt.
    pub prompt: Prompt,
    /// Warnings for its author.
    pub warnings: Vec<String>,
}

/// The prompt in the file of a version, which is below the root; `None` if there is no file.
///
/// # Errors
/// [`Kind::StorageRead`] with the path if it cannot be read, or contains another prompt or version.
pub(super) fn read_version(
    root: &Path,
    path: &Path,
    id: &PromptId,
    version: &Version,
) -> Result<Option<StoredPrompt>> {
    read_plain(root, path)?.map(|file| parse_version(path, id, version, &file)).transpose()
}

/// The prompt in the content of the file of a version.
///
/// # Errors
/// As [`read_version`].
pub(super) fn parse_version(
    path: &Path,
    id: &PromptId,
    version: &Version,
    file: &FileContent,
) -> Result<StoredPrompt> {
    let (prompt, warnings) = Encoding::of_path(path)
        .unwrap_or(Encoding::Json)
        .read(&path.display().to_string(), &file.bytes)
        .map_err(|error| damaged(path, error))?;
    if prompt.id != *id || prompt.version != *version {
        let found = format!("it contains prompt '{}' in version {}", prompt.id, prompt.version);
        return Err(unreadable("file", path, &found)
            .with_hint(format!("its path is that of prompt '{id}' in version {version}")));
    }
    let mut prompt = prompt;
    identify(&mut prompt, file.saved);
    Ok(StoredPrompt { prompt, warnings })
}

/// Reads a regular file below the root. `None` if there is none; a link or a directory is an error.
pub(super) fn read_plain(root: &Path, path: &Path) -> Result<Option<FileContent>> {
    unless_gone(read_below(root, path))
}

/// As [`read_plain`], with the stamp of the content where a later write cannot have the same.
pub(super) fn read_plain_stamped(
    root: &Path,
    path: &Path,
) -> Result<Option<(FileContent, Option<FileStamp>)>> {
    unless_gone(read_below_stamped(root, path))
}

/// `None` if the error is that the file does not exist.
pub(super) fn unless_gone<R>(outcome: Result<R>) -> Result<Option<R>> {
    match outcome {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an error means that a file does not exist.
fn is_gone(error: &Error) -> bool {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::NotFound)
}

/// The error for a file whose content cannot be used; `error` is the reason.
pub(super) fn damaged(path: &Path, error: Error) -> Error {
    let name = path.display().to_string();
    Error::new(Kind::StorageRead, format!("the file {name} cannot be used"))
        .with_context("path", name)
        .with_errors(vec![error])
}

/// The error for a version that is in two files.
pub(super) fn twice(id: &str, version: &Version, first: &Path, second: &Path) -> Error {
    Error::new(
        Kind::StorageRead,
        format!(
            "prompt '{id}' has version {version} twice, in {} and in {}",
            first.display(),
            second.display()
        ),
    )
    .with_context("path", second.display().to_string())
    .with_context("prompt_id", id)
    .with_hint("remove one of the files")
}

/// The labels of a prompt's directory, which is below the root.
///
/// # Errors
/// [`Kind::StorageRead`] with the path.
pub(super) fn read_labels(root: &Path, directory: &Path) -> Result<Labels> {
    let path = directory.join(LABELS);
    let Some(file) = read_plain(root, &path)? else { return Ok(Labels::default()) };
    parse_labels(&path, &file)
}

/// The labels in the content of a file of labels.
///
/// # Errors
/// As [`read_labels`].
pub(super) fn parse_labels(path: &Path, file: &FileContent) -> Result<Labels> {
    serde_json::from_slice(&file.bytes).map_err(|error| {
        let why = format!("it does not contain label moves: {}", crate::de::plain(&error));
        unreadable("file", path, &why).with_cause(error)
    })
}

/// Writes the labels of a prompt's directory, which is below the root.
///
/// # Errors
/// [`Kind::StorageWrite`] with the path.
pub(super) fn write_labels(root: &Path, directory: &Path, labels: &Labels) -> Result<()> {
    let path = directory.join(LABELS);
    let failed = |error: serde_json::Error| unwritable("file", &path, &error.to_string());
    let mut text = serde_json::to_string_pretty(labels).map_err(failed)?;
    text.push('\n');
    atomic::write_below(root, &path, text.as_bytes())
}
