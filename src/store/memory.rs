//! Stores uncompiled prompts in memory, by the same rules as the store in files.

use std::collections::BTreeMap;

use super::ListFilter;
use super::errors::{all_archived, no_prompt, no_prompt_among, no_such_version, no_version};
use super::labels::{LabelMove, LabelRequest, Labels};
use super::version_rules::{latest, merge};
use crate::error::Result;
use crate::prompt::{Prompt, PromptId, Version};

/// Prompts by id and version.
#[derive(Debug, Default)]
pub struct MemoryStore {
    prompts: BTreeMap<PromptId, VersionedPrompt>,
    /// The number of changes so far.
    changes: u64,
}

/// The versions of one prompt, at least one, and its labels.
#[derive(Debug, Default)]
struct VersionedPrompt {
    versions: BTreeMap<Version, Prompt>,
    labels: Labels,
}

impl VersionedPrompt {
    fn give(&self, prompt: &Prompt) -> Prompt {
        let mut prompt = prompt.clone();
        self.labels.apply(&mut prompt);
        prompt
    }

    /// The highest version whose prompt was saved with the label.
    fn written(&self, label: &str) -> Option<&Version> {
        let mut versions = self.versions.iter().rev();
        versions
            .find(|(_, prompt)| prompt.labels.iter().any(|known| known == label))
            .map(|(version, _)| version)
    }
}

impl MemoryStore {
    /// Saves a prompt under its id and version.
    ///
    /// # Errors
    /// [`crate::Kind::VersionConflict`] if the version exists and is not a draft, and the new one has other content or
    /// is a draft;
    /// [`crate::Kind::Prompt`] for a prompt without a template.
    pub fn save(&mut self, prompt: &Prompt) -> Result<()> {
        prompt.check_storable()?;
        let known = self.prompts.get(&prompt.id).and_then(|entry| entry.versions.get(&prompt.version));
        if let Some(kept) = merge(known, prompt)? {
            self.changes += 1;
            let entry = self.prompts.entry(kept.id.clone()).or_default();
            entry.versions.insert(kept.version.clone(), kept);
        }
        Ok(())
    }

    /// This version of the prompt, by default the latest.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`], [`crate::Kind::VersionNotFound`].
    pub fn load(&self, id: &str, version: Option<&str>) -> Result<Prompt> {
        let entry = self.entry(id)?;
        let prompt = match version {
            Some(version) => &entry.versions[&self.version(id, version)?],
            None => {
                latest(entry.versions.values(), |prompt| prompt.status).ok_or_else(|| all_archived(id))?
            }
        };
        Ok(entry.give(prompt))
    }

    /// Removes one version of a prompt and the labels that point at it, or all versions.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`], [`crate::Kind::VersionNotFound`].
    pub fn delete(&mut self, id: &str, version: Option<&str>) -> Result<()> {
        self.entry(id)?;
        let version = version.map(|version| self.version(id, version)).transpose()?;
        self.changes += 1;
        if let (Some(version), Some(entry)) = (version, self.prompts.get_mut(id)) {
            if let Some(gone) = entry.versions.remove(&version) {
                entry.labels.forget(&version, &gone.labels);
            }
            if !entry.versions.is_empty() {
                return Ok(());
            }
        }
        self.prompts.remove(id);
        Ok(())
    }

    /// All versions that match the filter, sorted by id and version.
    #[must_use]
    pub fn list(&self, filter: &ListFilter) -> Vec<Prompt> {
        let entries = self.prompts.values();
        entries
            .flat_map(|entry| {
                entry.versions.values().filter(|prompt| filter.matches(prompt)).map(|it| entry.give(it))
            })
            .collect()
    }

    /// The prompts as they were saved, and the labels by id.
    #[must_use]
    pub fn state(&self) -> (Vec<&Prompt>, BTreeMap<&PromptId, &Labels>) {
        let prompts = self.prompts.values().flat_map(|entry| entry.versions.values()).collect();
        (prompts, self.prompts.iter().map(|(id, entry)| (id, &entry.labels)).collect())
    }

    /// Puts back what [`MemoryStore::state`] returned.
    pub fn restore(&mut self, prompts: Vec<Prompt>, mut labels: BTreeMap<String, Labels>) {
        self.changes += 1;
        for prompt in prompts {
            let entry = self.prompts.entry(prompt.id.clone()).or_default();
            if let Some(labels) = labels.remove(prompt.id.as_str()) {
                entry.labels = labels;
            }
            entry.versions.insert(prompt.version.clone(), prompt);
        }
    }

    /// A number that is greater after each change.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.changes
    }

    /// Whether the prompt exists; with `version`, whether that version exists.
    #[must_use]
    pub fn exists(&self, id: &str, version: Option<&str>) -> bool {
        version.map_or_else(|| self.entry(id).is_ok(), |version| self.version(id, version).is_ok())
    }

    /// Points a label at a version. Without a version, removes the label.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`], [`crate::Kind::VersionNotFound`]; see [`Labels::set`].
    pub fn set_label(
        &mut self,
        id: &str,
        label: &str,
        version: Option<&str>,
        author: Option<&str>,
    ) -> Result<LabelMove> {
        let version = version.map(|version| self.version(id, version)).transpose()?;
        let written = self.entry(id)?.written(label).cloned();
        let Some(entry) = self.prompts.get_mut(id) else { return Err(no_prompt(id, [])) };
        let request = LabelRequest { label, version: version.as_ref(), author };
        let (made, changed) = entry.labels.set(id, request, written.as_ref())?;
        self.changes += u64::from(changed);
        Ok(made)
    }

    /// The moves of one label of a prompt, or of all labels, oldest first.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`].
    pub fn label_history(&self, id: &str, label: Option<&str>) -> Result<Vec<LabelMove>> {
        Ok(self.entry(id)?.labels.history(label))
    }

    fn entry(&self, id: &str) -> Result<&VersionedPrompt> {
        self.prompts.get(id).ok_or_else(|| {
            let ids = self.prompts.keys().map(PromptId::as_str);
            no_prompt_among(id, ids, "save one with `save`", Some("list"))
        })
    }

    /// Parses a version and checks that the prompt has it.
    fn version(&self, id: &str, text: &str) -> Result<Version> {
        let entry = self.entry(id)?;
        let version: Version = text.parse().map_err(|error| no_such_version(id, text, error))?;
        if entry.versions.contains_key(&version) {
            return Ok(version);
        }
        Err(no_version(id, text, entry.versions.keys()))
    }
}
