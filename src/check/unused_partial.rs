//! `unused-partial`: no template includes a partial.
//!
//! Either the name is misspelt where it was to be included, or the text that included it is gone.
//!
//! Bad:
//!
//! ```yaml
//! template: "Dear {{name}}"
//! partials:
//!   tone: "Be brief."
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "{{> tone}} Dear {{name}}"
//! partials:
//!   tone: "Be brief."
//! ```
//!
//! The partials of a directory are checked too. Nothing is reported where the name of a partial is computed, as in
//! `{{> (lookup . "name")}}`.

use std::collections::BTreeSet;

use super::checked_directory::{CheckedDirectory, DirectoryPartial};
use super::checked_prompt::{CheckedPrompt, texts};
use super::code::Code;
use super::finding::Finding;
use super::tag_uses::IncludedPartials;
use crate::error::Place;
use crate::prompt::TemplateLocation;
use crate::template::{TemplateOptions, tree};

/// The partials that are reached from some texts.
#[derive(Debug, Default)]
struct ReachedPartials {
    names: BTreeSet<String>,
    /// Whether the name of one of them is computed, so that it may be any.
    is_computed: bool,
}

impl ReachedPartials {
    fn add(
        &mut self,
        included: &IncludedPartials<'_>,
        source: &dyn Fn(&str) -> Option<String>,
        options: &TemplateOptions,
    ) {
        let mut waiting = Vec::new();
        self.take(included, &mut waiting);
        while let Some(name) = waiting.pop() {
            let Some(text) = source(&name) else { continue };
            if let Ok(program) = tree(&text, options) {
                self.take(&IncludedPartials::of(&program), &mut waiting);
            }
        }
    }

    /// Takes the names in one text. Those that are new wait.
    fn take(&mut self, included: &IncludedPartials<'_>, waiting: &mut Vec<String>) {
        self.is_computed |= included.is_computed;
        for (name, _) in &included.names {
            if !self.names.contains(&**name) {
                self.names.insert(name.to_string());
                waiting.push(name.to_string());
            }
        }
    }
}

/// The partials that a prompt includes, directly or through others.
fn reached(checked: &CheckedPrompt<'_>) -> ReachedPartials {
    let mut reached = ReachedPartials::default();
    for text in checked.parsed().iter().filter(|text| !matches!(text.location, TemplateLocation::Partial(_)))
    {
        reached.add(&IncludedPartials::of(&text.program), checked.partial, &checked.template_options);
    }
    reached
}

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let own = checked.prompt.partials();
    let has_text = checked.prompt.template.is_some() || checked.prompt.chat_template.is_some();
    if own.is_empty() || !has_text || !checked.references.missing_partials.is_empty() {
        return Vec::new();
    }
    let reached = reached(checked);
    if reached.is_computed {
        return Vec::new();
    }
    let unused = own.iter().filter(|(name, _)| !reached.names.contains(name));
    let finding = |name: &String| {
        let message =
            format!("prompt `{}` has the partial `{name}` and never includes it", checked.prompt.id);
        let place = checked.place(TemplateLocation::Partial(name), 0);
        let hint = format!("include it with `{{{{> {name}}}}}`, or remove it");
        checked.finding(Code::UnusedPartial, message, place).with_hint(hint)
    };
    unused.map(|(name, _)| finding(name)).collect()
}

/// The partials of a directory that no prompt includes.
pub(super) fn find_in_directory(checked: &CheckedDirectory<'_>) -> Vec<Finding> {
    if checked.partials.is_empty() || !checked.is_whole {
        return Vec::new();
    }
    let mut reached = ReachedPartials::default();
    for one in &checked.prompts {
        let source = |name: &str| checked.partial_of(one.prompt, name);
        for (location, text) in texts(one.prompt) {
            if matches!(location, TemplateLocation::Partial(_)) {
                continue;
            }
            if let Ok(program) = tree(text, &checked.template_options) {
                reached.add(&IncludedPartials::of(&program), &source, &checked.template_options);
            }
        }
    }
    if reached.is_computed {
        return Vec::new();
    }
    let unused = checked.partials.iter().filter(|partial| !reached.names.contains(partial.name));
    let finding = |partial: &DirectoryPartial<'_>| {
        let DirectoryPartial { name, file, source } = partial;
        let message = format!("no prompt of the directory includes the partial `{name}`");
        let place = Place::of(Some(file), source, 0);
        Finding::in_file(Code::UnusedPartial, message, place)
            .with_hint(format!("include it with `{{{{> {name}}}}}`, or remove the file"))
    };
    unused.map(finding).collect()
}
