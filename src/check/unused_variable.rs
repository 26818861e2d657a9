//! `unused-variable`: `variables` declares a name that no template uses.
//!
//! Either the name is misspelt, here or in the template, or the text that used it is gone. Whoever renders the prompt
//! still has to give a value.
//!
//! Bad:
//!
//! ```yaml
//! template: "Dear {{name}}"
//! variables: [name, company]
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "Dear {{name}}"
//! variables: [name]
//! ```
//!
//! A use in any message, tool call, partial or placeholder counts, and so does a field of that name in the input schema.
//! Nothing is reported where the templates may read all variables, as `{{json this}}` and `{{> (lookup . "name")}}` do.

use super::checked_prompt::CheckedPrompt;
use super::finding::{Code, Finding};
use crate::error::nearest;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let Some(declared) = checked.prompt.declared() else { return Vec::new() };
    let references = &checked.references;
    let has_text = checked.prompt.template.is_some() || checked.prompt.chat_template.is_some();
    if references.reads_all || !references.missing_partials.is_empty() || !has_text {
        return Vec::new();
    }
    let id = &checked.prompt.id;
    let mut findings = Vec::new();
    for (index, variable) in declared.items.iter().enumerate() {
        let name = variable.name.as_str();
        let is_used = references.variables.contains_key(name)
            || references.mentions.contains(name)
            || checked.input.may_have(name)
            || checked.placeholders().any(|placeholder| placeholder == name);
        if is_used {
            continue;
        }
        let message = format!("prompt `{id}` declares the variable `{name}` and never uses it");
        let place = checked.source.map(|source| source.variable(index).unwrap_or_else(|| source.id()));
        let finding = checked.finding(Code::UnusedVariable, message, place);
        let undeclared = references.variables.keys().map(|name| &**name);
        let near = nearest(name, undeclared.filter(|used| declared.get(used).is_none()));
        findings.push(match near {
            Some(near) => {
                finding.with_hint(format!("the template uses `{near}`: is it meant to be `{name}`?"))
            }
            None => finding.with_hint("use it in the template, or remove it"),
        });
    }
    findings
}
