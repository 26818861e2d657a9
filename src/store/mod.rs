//! Stores of prompts: prompt files that people write, storages in memory and in files, and the registry.

pub mod atomic;
mod below;
pub mod check;
pub mod diff;
pub mod directory;
pub mod encoding;
mod errors;
pub mod file;
mod file_reload;
pub mod fixes;
mod generation;
pub mod history;
mod ignore_comments;
pub mod label_file;
pub mod labels;
mod layout;
pub mod lock;
pub mod memory;
pub mod prompt_tree;
pub mod queue;
mod registry;
mod regular_file;
mod stable_read;
pub mod version_edit;
mod version_file;
mod version_rules;
mod walk;
pub mod watch;
mod written_text;
pub mod yaml;
pub mod yaml_write;

pub use file_reload::{StoreCache, StoreChange};
pub use ignore_comments::hide_ignored;
pub use labels::{LabelMove, LabelRequest, Labels};
pub use registry::{ExchangeResult, Registry, SearchFilter, VersionSelector};
pub use walk::UnmanagedFile;

use crate::prompt::{Prompt, Status};

/// The prompts of a storage, and the problems of its files.
#[derive(Debug, Default)]
pub struct StoredPrompts {
    /// The prompts that can be read.
    pub prompts: Vec<Prompt>,
    /// Warnings for their authors.
    pub warnings: Vec<String>,
    /// Errors, each with its file.
    pub errors: Vec<crate::Error>,
}

/// Which prompts a storage lists: those that match everything that is set.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Tags. A prompt must have all of them.
    pub tags: Vec<String>,
    /// The status.
    pub status: Option<Status>,
}

impl ListFilter {
    /// Whether a prompt matches.
    #[must_use]
    pub fn matches(&self, prompt: &Prompt) -> bool {
        self.status.is_none_or(|status| status == prompt.status)
            && self.tags.iter().all(|tag| prompt.metadata.has_tag(tag))
    }
}
