//! `changed-version`: the content of an active version changed.
//!
//! A version names a content: whoever renders, logs or compares version 1.2.0 relies on it. A changed prompt is a new
//! version. The files are compared with git's `HEAD`, or with the commit of `--base`; outside a repository nothing is.
//!
//! Bad:
//!
//! ```yaml
//! # prompts/greeting.yaml, in the last commit
//! version: 1.2.0
//! template: "Hello {{name}}!"
//! ```
//!
//! ```yaml
//! # prompts/greeting.yaml
//! version: 1.2.0
//! template: "Good day {{name}}!"
//! ```
//!
//! Good:
//!
//! ```yaml
//! # prompts/greeting.yaml, in the last commit
//! version: 1.2.0
//! template: "Hello {{name}}!"
//! ```
//!
//! ```yaml
//! # prompts/greeting.yaml
//! version: 1.3.0
//! template: "Good day {{name}}!"
//! ```
//!
//! `prompt-manager bump greeting` raises the version in the file, and with `--keep` writes the changed prompt to a new file
//! beside it. Drafts may change. So may metadata, labels and the layout of a file, which are no content.

use std::collections::HashMap;

use super::checked_directory::CheckedDirectory;
use super::code::Code;
use super::finding::Finding;
use crate::prompt::{Prompt, Status};

pub(super) fn find(checked: &CheckedDirectory<'_>) -> Vec<Finding> {
    let earlier: HashMap<_, &Prompt> =
        checked.options.earlier.iter().map(|prompt| ((&prompt.id, &prompt.version), prompt)).collect();
    if earlier.is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for one in &checked.prompts {
        let Prompt { id, version, status, .. } = one.prompt;
        let (Some(before), Some(source)) = (earlier.get(&(id, version)), one.source) else { continue };
        let is_active = before.status == Status::Active && *status == Status::Active;
        if !is_active || before.content_hash(None) == one.prompt.content_hash(None) {
            continue;
        }
        let message = format!("the content of prompt `{id}` changed, and its version is still {version}");
        let place = source.version();
        let file = place.name.clone();
        let prompt_id = Some(id.as_str().to_owned());
        let finding =
            Finding { file, prompt_id, place: Some(place), ..Finding::new(Code::ChangedVersion, message) };
        let hint = format!(
            "raise the version with `prompt-manager bump {id}`, where `--keep` also keeps this one; or write `status: draft`"
        );
        findings.push(finding.with_hint(hint));
    }
    findings
}
