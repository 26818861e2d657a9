//! `undeclared-variable`: a template uses a variable that `variables` does not declare.
//!
//! A missing variable in `{{name}}` is an error of the render, but in a condition it counts as false, and the text
//! vanishes without a word.
//!
//! Bad:
//!
//! ```yaml
//! template: "{{#if vip}}Thank you for your loyalty.{{/if}} Dear {{name}}"
//! variables: [name]
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "{{#if vip}}Thank you for your loyalty.{{/if}} Dear {{name}}"
//! variables: {name: string, vip: {type: boolean, default: false}}
//! ```
//!
//! Prompts without `variables` are not checked: they declare what they use. Names of placeholders and of the fields of
//! the input schema count as declared. A name that is close to a declared one is `misspelt-variable`.

use std::collections::HashSet;

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::curly_quotes::has_curly_quote;
use super::finding::Finding;
use crate::error::nearest;
use crate::template::Reference;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, reference, meant) in undeclared(checked) {
        // A name with typographic quotes has a finding of its own.
        if meant.is_some() || has_curly_quote(name) {
            continue;
        }
        let text = message(checked, name, reference);
        let finding = checked.finding(Code::UndeclaredVariable, text, checked.place_of(reference));
        let fix = checked.declaration_fix(|declaration| declaration.add(name));
        findings.push(finding.with_hint(format!("add `{name}` to `variables`")).with_fix(fix));
    }
    findings
}

/// The most names of a prompt that are compared with each other. Beyond, no name counts as misspelt, and the check takes no
/// longer than reading the file.
const MAX_COMPARISONS: usize = 1_000_000;

/// The variables that the templates use and the prompt does not declare, each with the declared name that it is close to.
pub(super) fn undeclared<'c, 'p>(
    checked: &'c CheckedPrompt<'p>,
) -> impl Iterator<Item = (&'c str, &'c Reference, Option<&'p str>)> {
    let declared = checked.prompt.declared();
    let known_names: Vec<&str> = known_names(checked).collect();
    let known: HashSet<&str> = known_names.iter().copied().collect();
    let mut comparisons = MAX_COMPARISONS;
    let used = checked.references.variables.iter().filter(move |_| declared.is_some());
    used.filter_map(move |(name, reference)| {
        let is_known = known.contains(&**name) || checked.input.may_have(name);
        (!is_known).then(|| {
            comparisons = comparisons.saturating_sub(known.len());
            let meant = if comparisons == 0 { None } else { nearest(name, known_names.iter().copied()) };
            (&**name, reference, meant)
        })
    })
}

/// The names that a template of the prompt can use.
pub(super) fn known_names<'p>(checked: &CheckedPrompt<'p>) -> impl Iterator<Item = &'p str> {
    let declared = checked.prompt.declared().into_iter().flat_map(|declared| &declared.items);
    declared.map(|variable| variable.name.as_str()).chain(checked.input.names()).chain(checked.placeholders())
}

pub(super) fn message(checked: &CheckedPrompt<'_>, name: &str, reference: &Reference) -> String {
    let id = &checked.prompt.id;
    let partial = match &reference.partial {
        Some((partial, _)) => format!(" in partial `{partial}`"),
        None => String::new(),
    };
    format!("prompt `{id}` uses `{name}`{partial}, which its `variables` do not declare")
}
