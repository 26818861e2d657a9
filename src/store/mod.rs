//! Reading prompt files, keeping prompts in memory and in files.

mod admit;
pub mod atomic;
mod content;
pub mod diff;
pub mod directory;
pub mod encoding;
mod failure;
pub mod file;
pub mod history;
pub mod labels;
pub mod lock;
pub mod memory;
mod missing;
mod place;
pub mod queue;
mod registry;
mod walk;
pub mod watch;
pub mod yaml;
pub mod yaml_write;

pub use labels::{LabelMove, Labels};
pub use registry::{Filter, Registry, Which};
pub use walk::Stranger;

use crate::prompt::{Prompt, Status};

/// What a storage gives of its prompts.
#[derive(Debug, Default)]
pub struct Kept {
    /// The good ones.
    pub prompts: Vec<Prompt>,
    /// What their authors should know.
    pub warnings: Vec<String>,
    /// What is wrong, each with its file.
    pub errors: Vec<crate::Error>,
}

/// Which prompts are wanted of a storage: those that fit all that is given.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Tags, of which a prompt must have all.
    pub tags: Vec<String>,
    /// The status.
    pub status: Option<Status>,
}

impl Wanted {
    /// Whether a prompt fits.
    #[must_use]
    pub fn fits(&self, prompt: &Prompt) -> bool {
        self.status.is_none_or(|status| status == prompt.status)
            && self.tags.iter().all(|wanted| prompt.metadata.tags().any(|tag| tag == wanted))
    }
}
