//! `undeclared-variable`: a template uses a variable that `variables` does not declare.
//!
//! Usually the name is misspelt. A missing variable in `{{name}}` is an error of the render, but in a condition it counts
//! as false, and the text vanishes without a word.
//!
//! Bad:
//!
//! ```yaml
//! template: "{{#if vip}}Thank you for your loyalty.{{/if}} Dear {{nmae}}"
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
//! the input schema count as declared.

use super::checked_prompt::CheckedPrompt;
use super::finding::{Code, Finding};
use crate::error::nearest;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let Some(declared) = checked.prompt.declared() else { return Vec::new() };
    let id = &checked.prompt.id;
    let mut findings = Vec::new();
    for (name, reference) in &checked.references.variables {
        let is_known = declared.get(name).is_some()
            || checked.input.may_have(name)
            || checked.placeholders().any(|placeholder| placeholder == &**name);
        if is_known {
            continue;
        }
        let partial = match &reference.partial {
            Some((partial, _)) => format!(" in partial `{partial}`"),
            None => String::new(),
        };
        let message = format!("prompt `{id}` uses `{name}`{partial}, which its `variables` do not declare");
        let finding = checked.finding(Code::UndeclaredVariable, message, checked.place_of(reference));
        let names = declared.items.iter().map(|variable| variable.name.as_str());
        findings.push(match nearest(name, names) {
            Some(near) => finding.with_hint(format!("did you mean `{near}`?")),
            None => finding.with_hint(format!("add `{name}` to `variables`")),
        });
    }
    findings
}
