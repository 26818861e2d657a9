//! The rules of versions: what may replace a version that exists, and which version is the latest of a prompt.
//!
//! Storages in memory and in files, the registry and the history of versions all use these rules, so they never
//! disagree.

use std::convert::Infallible;

use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, Status, Version};

/// What a write to an id and version may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replacement {
    /// Everything: there is no such version yet, or it is a draft.
    Whole,
    /// Status, metadata, labels and times: the content is that of a version that is not a draft.
    Description,
}

/// What may change if `new` is written where `existing` is.
///
/// # Errors
/// [`Kind::VersionConflict`] if `existing` is not a draft, and `new` has other content or is a draft.
pub(super) fn check_replacement(existing: Option<&Prompt>, new: &Prompt) -> Result<Replacement> {
    let Some(existing) = existing.filter(|existing| existing.status != Status::Draft) else {
        return Ok(Replacement::Whole);
    };
    let refused = |what: &str, hint: &str| {
        let Prompt { id, version, status, .. } = existing;
        Err(conflict(new, format!("prompt '{id}' version {version} is {status} and {what}")).with_hint(hint))
    };
    if existing.content_hash(None) != new.content_hash(None) {
        return refused("its content cannot change", "save the change as a new version");
    }
    if new.status == Status::Draft {
        return refused("cannot become a draft again", "make the draft under a new version");
    }
    Ok(Replacement::Description)
}

/// What is to be stored if `new` is saved where `existing` is: `None` if nothing changes.
///
/// A draft is replaced. A version that is not a draft keeps its content, uid and time of creation; status, metadata and
/// labels become those of `new`.
///
/// # Errors
/// Those of [`check_replacement`].
pub(super) fn merge(existing: Option<&Prompt>, new: &Prompt) -> Result<Option<Prompt>> {
    let replacement = check_replacement(existing, new)?;
    let Some(existing) = existing else { return Ok(Some(new.clone())) };
    if replacement == Replacement::Whole {
        return Ok((existing != new).then(|| new.clone()));
    }
    let description = |prompt: &Prompt| (prompt.status, prompt.metadata.clone(), prompt.labels.clone());
    if description(existing) == description(new) {
        return Ok(None);
    }
    let mut changed = existing.clone();
    (changed.status, changed.metadata, changed.labels) = description(new);
    changed.updated_at = new.updated_at;
    Ok(Some(changed))
}

/// Checks that a version whose number was raised is new, or was made by the same call before: other content under its
/// number, even a draft, is somebody else's. `newest` is the newest version of the prompt.
///
/// # Errors
/// [`Kind::VersionConflict`]; also those of [`check_replacement`].
pub(super) fn check_raised(existing: &Prompt, new: &Prompt, newest: &Version) -> Result<()> {
    if existing.content_hash(None) != new.content_hash(None) {
        let Prompt { id, version, .. } = new;
        let message = format!(
            "prompt '{id}' version {version} already exists with other content; its newest is {newest}"
        );
        return Err(conflict(new, message)
            .with_hint("make the change to the newest version, or raise the version further"));
    }
    check_replacement(Some(existing), new).map(drop)
}

/// An error about a version that may not be written so.
fn conflict(prompt: &Prompt, message: String) -> Error {
    Error::new(Kind::VersionConflict, message)
        .with_context("prompt_id", prompt.id.as_str())
        .with_context("version", prompt.version.to_string())
}

/// The latest version of a prompt: the highest active one, or else the highest that is not archived. The versions come
/// in order, the lowest first; lower ones are read only if they are needed.
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
