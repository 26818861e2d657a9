//! `misspelt-variable`: a template uses a variable that is not declared, and whose name is close to a declared one.
//!
//! A misspelt variable in `{{name}}` is an error of the render, but in a condition it counts as false, and the text
//! vanishes without a word.
//!
//! Bad:
//!
//! ```yaml
//! template: "{{#if vpi}}Thank you for your loyalty.{{/if}} Dear {{name}}"
//! variables: {name: string, vip: {type: boolean, default: false}}
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "{{#if vip}}Thank you for your loyalty.{{/if}} Dear {{name}}"
//! variables: {name: string, vip: {type: boolean, default: false}}
//! ```
//!
//! The names of placeholders and of the fields of the input schema are declared ones too. The declared variable is not
//! reported as unused: it is one mistake.

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use super::undeclared_variable::{known_names, message, undeclared};
use crate::error::nearest;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let known: Vec<&str> = known_names(checked).collect();
    for (name, reference, meant) in undeclared(checked) {
        let Some(meant) = meant else { continue };
        let text = message(checked, name, reference);
        let finding = checked.finding(Code::MisspeltVariable, text, checked.place_of(reference));
        let is_only = nearest(name, known.iter().copied().filter(|known| *known != meant)).is_none();
        let fix = is_only.then(|| checked.rename_fix(reference, name, meant)).flatten();
        findings.push(finding.with_hint(format!("did you mean `{meant}`?")).with_fix(fix));
    }
    findings
}
