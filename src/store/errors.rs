//! Errors of stores: prompts, versions and labels that do not exist, files that cannot be read or written.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::error::{Error, Kind, nearest};
use crate::prompt::Version;

/// No prompt has this id; `known` are the ids that exist.
pub(super) fn no_prompt<'k>(id: &str, known: impl IntoIterator<Item = &'k str>) -> Error {
    let error =
        Error::new(Kind::PromptNotFound, format!("there is no prompt '{id}'")).with_context("prompt_id", id);
    match nearest(id, known) {
        Some(near) => error.with_hint(format!("did you mean '{near}'?")),
        None => error,
    }
}

/// There is no such prompt among all that there are, which come in order. The hint for an owner without prompts is how to
/// `add` one, and the hint for many how to `list` them.
pub(super) fn no_prompt_among<'k>(
    id: &str,
    all: impl Iterator<Item = &'k str> + Clone,
    add: &str,
    list: Option<&str>,
) -> Error {
    const SHOWN: usize = 5;
    let error = no_prompt(id, all.clone());
    if error.hint().is_some() {
        return error;
    }
    let shown: Vec<&str> = all.clone().take(SHOWN).collect();
    let (listed, count) = (shown.join(", "), all.count());
    error.with_hint(match count {
        0 => format!("there are no prompts yet: {add}"),
        1 => format!("the only prompt is {listed}"),
        _ if count <= SHOWN => format!("the prompts are {listed}"),
        _ => {
            let all = list.map(|list| format!("; `{list}` gives them all")).unwrap_or_default();
            format!("there are {count} prompts, among them {listed}{all}")
        }
    })
}

/// The prompt has versions, but none in use.
pub(super) fn all_archived(id: &str) -> Error {
    Error::new(Kind::PromptNotFound, format!("every version of prompt '{id}' is archived"))
        .with_context("prompt_id", id)
        .with_hint("name the version that is meant")
}

/// The prompt has no such version; `known` are those that it has, the lowest first.
pub(super) fn no_version<'k>(
    id: &str,
    wanted: &str,
    known: impl DoubleEndedIterator<Item = &'k Version>,
) -> Error {
    Error::new(Kind::VersionNotFound, format!("prompt '{id}' has no version {wanted}"))
        .with_context("prompt_id", id)
        .with_context("version", wanted)
        .with_hint(newest_versions(known))
}

/// A hint with the newest of the versions, the lowest first, that a prompt has.
pub(super) fn newest_versions<'k>(known: impl DoubleEndedIterator<Item = &'k Version>) -> String {
    const SHOWN: usize = 5;
    let known: Vec<String> = known.rev().take(SHOWN).map(ToString::to_string).collect();
    match known.as_slice() {
        [only] => format!("its only version is {only}"),
        newest => format!("its newest versions are {}", newest.join(", ")),
    }
}

/// The text is not a version, so the prompt cannot have it.
pub(super) fn no_such_version(id: &str, wanted: &str, error: Error) -> Error {
    let message = error.message().to_owned();
    error.recast(Kind::VersionNotFound, message).with_context("prompt_id", id).with_context("version", wanted)
}

/// The prompt has no such label; `known` are those that it has.
pub(super) fn no_label<'k>(id: &str, label: &str, known: impl IntoIterator<Item = &'k str>) -> Error {
    const SHOWN: usize = 10;
    let error = Error::new(Kind::VersionNotFound, format!("prompt '{id}' has no label '{label}'"))
        .with_context("prompt_id", id)
        .with_context("label", label);
    let known: BTreeSet<&str> = known.into_iter().filter(|known| *known != label).collect();
    if let Some(near) = nearest(label, known.iter().copied()) {
        return error.with_hint(format!("did you mean '{near}'?"));
    }
    let shown: Vec<&str> = known.into_iter().take(SHOWN).collect();
    error.with_hint(match shown.as_slice() {
        [] => "it has no labels yet: set one with `set_label` or `prompt-manager label set`".to_owned(),
        [only] => format!("its only label is {only}"),
        labels => format!("its labels are {}", labels.join(", ")),
    })
}

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

/// The system's message about a failure, without its number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
