//! The rules of versions: what may take the place of one that is kept, and which stands for the prompt.

use std::convert::Infallible;

use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, Status};

/// What is to be kept under an id and version, where `known` is kept now and `new` is given: `None` where nothing
/// changes.
///
/// A draft is replaced. From then on the content stays, and status, metadata and labels may change; uid and the time
/// of making stay too. What is in use does not become a draft again.
///
/// # Errors
/// [`Kind::VersionConflict`] where `known` is no draft and `new` has other content.
pub(super) fn admit(known: Option<&Prompt>, new: &Prompt) -> Result<Option<Prompt>> {
    let Some(known) = known else { return Ok(Some(new.clone())) };
    if known.status == Status::Draft {
        return Ok((known != new).then(|| new.clone()));
    }
    if known.content_hash(None) != new.content_hash(None) {
        return Err(other_content(new));
    }
    let told = |prompt: &Prompt| (prompt.status, prompt.metadata.clone(), prompt.labels.clone());
    if new.status == Status::Draft || told(known) == told(new) {
        return Ok(None);
    }
    let mut changed = known.clone();
    (changed.status, changed.metadata, changed.labels) = told(new);
    changed.updated_at = new.updated_at;
    Ok(Some(changed))
}

/// The error about a version that is there with other content.
pub(super) fn other_content(prompt: &Prompt) -> Error {
    let Prompt { id, version, .. } = prompt;
    conflict(prompt, format!("prompt '{id}' has a version {version} already, with other content"))
        .with_hint("a version that is no draft never changes: raise the version")
}

/// An error about a version that may not be written so.
pub(super) fn conflict(prompt: &Prompt, message: String) -> Error {
    Error::new(Kind::VersionConflict, message)
        .with_context("prompt_id", prompt.id.as_str())
        .with_context("version", prompt.version.to_string())
}

/// The version that stands for a prompt: the highest active one, or else the highest that is not archived. They come
/// the lowest first; lower ones are not looked at without need.
pub(super) fn latest<P>(
    versions: impl DoubleEndedIterator<Item = P>,
    status: impl Fn(&P) -> Status,
) -> Option<P> {
    let Ok(latest) = try_latest(versions.map(Ok::<P, Infallible>), status);
    latest
}

/// [`latest`] of versions that may fail to be read.
pub(super) fn try_latest<P, E>(
    versions: impl DoubleEndedIterator<Item = std::result::Result<P, E>>,
    status: impl Fn(&P) -> Status,
) -> std::result::Result<Option<P>, E> {
    let mut best = None;
    for version in versions.rev() {
        let version = version?;
        match status(&version) {
            Status::Active => return Ok(Some(version)),
            Status::Archived => {}
            Status::Draft | Status::Deprecated => best = best.or(Some(version)),
        }
    }
    Ok(best)
}
