//! Labels of the prompts of a directory: moves in its `labels.yaml`, which the registry takes over at once.

use std::path::PathBuf;
use std::sync::PoisonError;

use super::reload::ReloadTarget;
use super::storage::PlainData;
use crate::prompt::{PromptId, Version};
use crate::store::label_file::{label_history, move_label};
use crate::store::{LabelRequest, VersionSelector};

/// The labels of one prompt.
pub(super) struct DirectoryLabel {
    pub(super) path: PathBuf,
    pub(super) id: String,
    pub(super) target: ReloadTarget,
}

impl DirectoryLabel {
    /// Points a label at a version, or takes it off. Returns the move.
    pub(super) fn set(
        &self,
        label: &str,
        version: Option<&str>,
        author: Option<&str>,
    ) -> crate::Result<PlainData> {
        let id = self.known_id()?;
        let version = {
            let prompts = self.target.prompts.read().unwrap_or_else(PoisonError::into_inner);
            prompts.can_set_label(id.as_str(), label, version)?
        };
        let request = LabelRequest { label, version: version.as_ref(), author };
        let (made, labels) = move_label(&self.path, &id, request, |label| self.written(label))?;
        let mut prompts = self.target.prompts.write().unwrap_or_else(PoisonError::into_inner);
        prompts.set_labels(id.as_str(), labels)?;
        self.target.writes.note([id.as_str()]);
        drop(prompts);
        PlainData::of(&made)
    }

    /// The moves, the oldest first.
    pub(super) fn history(&self) -> crate::Result<Vec<PlainData>> {
        let id = self.known_id()?;
        let labels = label_history(&self.path, &id, |label| self.written(label))?;
        PlainData::each(&labels.history(None))
    }

    fn known_id(&self) -> crate::Result<PromptId> {
        let prompts = self.target.prompts.read().unwrap_or_else(PoisonError::into_inner);
        prompts.versions(&self.id)?;
        self.id.parse()
    }

    /// The version that a label points at in the registry. If the file of labels does not name the label, it is a prompt
    /// file that does.
    fn written(&self, label: &str) -> Option<Version> {
        let prompts = self.target.prompts.read().unwrap_or_else(PoisonError::into_inner);
        let found = prompts.get(&self.id, VersionSelector::Label(label)).ok();
        found.map(|compiled| compiled.prompt().version.clone())
    }
}
