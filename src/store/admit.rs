//! The rule of versions: what may take the place of a version that is kept.

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
        return Err(conflict(new));
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

fn conflict(prompt: &Prompt) -> Error {
    let Prompt { id, version, .. } = prompt;
    Error::new(
        Kind::VersionConflict,
        format!("prompt '{id}' has a version {version} already, with other content"),
    )
    .with_context("prompt_id", id.as_str())
    .with_context("version", version.to_string())
    .with_hint("a version that is no draft never changes: raise the version")
}

/// Whether the prompt may be kept at all.
///
/// # Errors
/// [`Kind::Prompt`] for a draft without a template, which is for its author alone.
pub(super) fn check_storable(prompt: &Prompt) -> Result<()> {
    if prompt.template.is_some() || prompt.chat_template.is_some() {
        return Ok(());
    }
    let id = &prompt.id;
    Err(Error::new(Kind::Prompt, format!("prompt '{id}' has no template and cannot be stored"))
        .with_context("prompt_id", id.as_str())
        .with_hint("a draft may lack its template while it is being written"))
}
