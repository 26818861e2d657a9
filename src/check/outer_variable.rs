//! `outer-variable`: a block reads a variable of the prompt from its own context, where it is not.
//!
//! In `{{#each documents}}` a name is a member of the document. So `{{company}}` there fails in a render, and
//! `{{#if vip}}` is false, and its text vanishes without a word. `../` leads out of the block.
//!
//! Bad:
//!
//! ```yaml
//! template: "{{#each documents}}{{title}}, for {{company}}. {{/each}}"
//! variables: {documents: list, company: string}
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "{{#each documents}}{{title}}, for {{../company}}. {{/each}}"
//! variables: {documents: list, company: string}
//! ```
//!
//! The items may have a member of the name of a variable. So the rule reports a name only where no template uses the
//! variable itself, or where a condition tests a name that the blocks never print. `{{#if this.vip}}` says that the
//! item's member is meant. Prompts with an input schema are not checked: it describes the items.

use std::collections::HashSet;

use super::checked_prompt::{CheckedPrompt, ParsedText};
use super::code::Code;
use super::finding::Finding;
use super::input_fields::InputFields;
use super::tag_uses::{InnerName, UseKind, inner_names};

/// Those of variables that no template uses. Only for such a prompt, the templates are parsed again.
pub(super) fn find_unused(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let Some(declared) = checked.prompt.declared() else { return Vec::new() };
    let used = &checked.references.variables;
    if declared.items.iter().all(|variable| used.contains_key(variable.name.as_str())) {
        return Vec::new();
    }
    let inner = read_inside(checked);
    report(checked, &inner, &|one| !used.contains_key(one.name))
}

/// Those in conditions, of variables that are used elsewhere.
pub(super) fn find_conditions(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let inner = read_inside(checked);
    let printed: HashSet<&str> =
        inner.iter().filter(|(_, one)| is_printed(one.kind)).map(|(_, one)| one.name).collect();
    let used = &checked.references.variables;
    report(checked, &inner, &|one| {
        used.contains_key(one.name) && matches!(one.kind, UseKind::Tested) && !printed.contains(one.name)
    })
}

fn report(
    checked: &CheckedPrompt<'_>,
    inner: &[(&ParsedText<'_>, InnerName<'_>)],
    is_lost: &dyn Fn(&InnerName<'_>) -> bool,
) -> Vec<Finding> {
    let Some(declared) = checked.prompt.declared() else { return Vec::new() };
    let mut findings = Vec::new();
    for (text, one) in inner {
        let name = one.name;
        if declared.get(name).is_none() || !is_lost(one) {
            continue;
        }
        let (id, location) = (&checked.prompt.id, text.location);
        let message = format!(
            "`{name}` is read from the context of a block here, and not from the variables ({location} of prompt `{id}`)"
        );
        let outside = "../".repeat(one.levels);
        let hint = format!("write `{outside}{name}` for the variable, or `this.{name}` for the block's own");
        let finding = checked.finding(Code::OuterVariable, message, checked.place(text.location, one.offset));
        findings.push(finding.with_hint(hint));
    }
    findings
}

/// The names that blocks read from a context of their own, each with its text.
pub(super) fn read_inside<'c, 'p>(
    checked: &'c CheckedPrompt<'p>,
) -> Vec<(&'c ParsedText<'p>, InnerName<'c>)> {
    let options = &checked.template_options;
    if !matches!(checked.input, InputFields::Nothing) || options.compat || options.is_javascript() {
        return Vec::new();
    }
    let names = |text: &'c ParsedText<'p>| {
        let inner = inner_names(&text.program, checked.is_helper);
        inner.into_iter().map(move |one| (text, one))
    };
    checked.texts_with_variables().flat_map(names).collect()
}

fn is_printed(kind: UseKind<'_>) -> bool {
    matches!(kind, UseKind::Printed | UseKind::Iterated(_) | UseKind::Entered)
}
