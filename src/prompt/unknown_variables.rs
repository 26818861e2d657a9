//! What is done about variables that a caller gives and that the prompt does not declare.

use super::{Prompt, PromptId};
use crate::error::Result;

/// What a manager does about variables that a prompt does not declare.
pub trait UnknownVariables {
    /// Whether each of them is an error.
    fn is_strict(&self) -> bool;

    /// Whether another prompt has a variable of this name. A caller may give the same variables to several prompts.
    fn is_known_elsewhere(&self, prompt: &PromptId, name: &str) -> bool;

    /// Called for a name that is close to `meant`, a declared variable that was not given.
    ///
    /// # Errors
    /// If the caller turns the warning into an error.
    fn suspect(&self, prompt: &Prompt, name: &str, meant: &str) -> Result<()>;
}
