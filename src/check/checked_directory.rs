//! A directory that is checked: its prompts and partials, for the rules between them.

use super::checked_prompt::PromptSource;
use super::options::CheckOptions;
use crate::prompt::Prompt;
use crate::template::TemplateOptions;

/// A prompt of a directory. Prompts that are registered in Python have no source.
pub struct DirectoryPrompt<'d> {
    /// The prompt.
    pub prompt: &'d Prompt,
    /// Its places in its file.
    pub source: Option<&'d dyn PromptSource>,
}

/// A partial of a directory.
pub struct DirectoryPartial<'d> {
    /// The name by which prompts include it.
    pub name: &'d str,
    /// The path of its file.
    pub file: &'d str,
    /// The text of the file.
    pub source: &'d str,
}

/// A directory that is checked.
pub struct CheckedDirectory<'d> {
    /// The prompts without errors.
    pub prompts: Vec<DirectoryPrompt<'d>>,
    /// The partials without errors.
    pub partials: Vec<DirectoryPartial<'d>>,
    /// Whether no file has an error. If one has, the prompts are not all of them.
    pub is_whole: bool,
    /// How the templates were compiled.
    pub template_options: TemplateOptions,
    /// What the check is asked for.
    pub options: &'d CheckOptions,
}

impl CheckedDirectory<'_> {
    /// The source of a partial, as a prompt sees it.
    pub(super) fn partial_of(&self, prompt: &Prompt, name: &str) -> Option<String> {
        let own = prompt.partials().iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        own.or_else(|| self.partial(name).map(|partial| partial.source)).map(str::to_owned)
    }

    /// The partial of this name.
    pub(super) fn partial(&self, name: &str) -> Option<&DirectoryPartial<'_>> {
        let at = self.partials.binary_search_by(|partial| partial.name.cmp(name)).ok()?;
        self.partials.get(at)
    }
}
