//! `similar-id`: two ids differ only in case.
//!
//! Whoever asks for one may get the other, and on a file system that ignores case the files replace each other.
//!
//! Bad:
//!
//! ```yaml
//! # prompts/a.yaml
//! {id: Support, template: "Help {{name}}."}
//! ```
//!
//! ```yaml
//! # prompts/b.yaml
//! {id: support, template: "Assist {{name}}."}
//! ```
//!
//! Good:
//!
//! ```yaml
//! # prompts/a.yaml
//! {id: support, template: "Help {{name}}."}
//! ```
//!
//! ```yaml
//! # prompts/b.yaml
//! {id: support_short, template: "Assist {{name}}."}
//! ```

use std::collections::BTreeMap;

use super::checked_directory::{CheckedDirectory, DirectoryPrompt};
use super::checked_prompt::PromptSource;
use super::code::Code;
use super::finding::Finding;

pub(super) fn find(checked: &CheckedDirectory<'_>) -> Vec<Finding> {
    let mut spellings: BTreeMap<String, Vec<&DirectoryPrompt<'_>>> = BTreeMap::new();
    for one in &checked.prompts {
        let known = spellings.entry(one.prompt.id.as_str().to_lowercase()).or_default();
        if known.iter().all(|known| known.prompt.id != one.prompt.id) {
            known.push(one);
        }
    }
    let mut findings = Vec::new();
    for prompts in spellings.values() {
        let Some((first, others)) = prompts.split_first() else { continue };
        for other in others {
            let (id, known) = (&other.prompt.id, &first.prompt.id);
            let message = format!("the ids `{known}` and `{id}` differ only in case");
            let place = other.source.map(PromptSource::id);
            let file = place.as_ref().and_then(|place| place.name.clone());
            let prompt_id = Some(id.as_str().to_owned());
            let finding = Finding { place, file, prompt_id, ..Finding::new(Code::SimilarId, message) };
            findings.push(finding.with_hint("rename one of them"));
        }
    }
    findings
}
