//! What a check is asked for beyond the rules of a load.

use super::code::Code;
use crate::convert::ProviderConverter;
use crate::prompt::Prompt;

/// What a check is asked for beyond the rules of a load.
#[derive(Debug, Default)]
pub struct CheckOptions {
    /// The providers that the prompts are for.
    pub providers: Vec<ProviderConverter>,
    /// Rules that run although they are off by default.
    pub also: Vec<Code>,
    /// The names of the schemas that are registered in Python. `None`: not all of them are known, so a prompt with
    /// another name is fine.
    pub registered_schemas: Option<Vec<String>>,
    /// Whether findings have fixes.
    pub fixes: bool,
    /// The prompts as they were at another commit, of the files that changed since then.
    pub earlier: Vec<Prompt>,
}

impl CheckOptions {
    /// Whether a rule runs.
    #[must_use]
    pub fn runs(&self, code: Code) -> bool {
        code.is_default() || self.also.contains(&code)
    }
}
