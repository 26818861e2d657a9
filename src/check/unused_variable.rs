//! `unused-variable`: `variables` declares a name that no template uses.
//!
//! The text that used it is gone, and whoever renders the prompt still has to give a value. If the template uses a name
//! that is close to it, the mistake is `misspelt-variable`; if a tag of another template language has the name, it is
//! `foreign-syntax`, and if only a block with a context of its own does, `outer-variable`.
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
//! Nothing is reported where the templates may read all variables, as `{{json this}}` and `{{> (lookup . "name")}}` do, and
//! no name that stands in a text with `@root` or in a shared partial with blocks.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use super::foreign_syntax::words_of_foreign_tags;
use super::outer_variable::read_inside;
use super::undeclared_variable::undeclared;
use super::yaml_comment::words_of_cut_texts;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let Some(declared) = checked.prompt.declared() else { return Vec::new() };
    let references = &checked.references;
    let has_text = checked.prompt.template.is_some() || checked.prompt.chat_template.is_some();
    if references.reads_all || !references.missing_partials.is_empty() || !has_text {
        return Vec::new();
    }
    let id = &checked.prompt.id;
    let placeholders: HashSet<&str> = checked.placeholders().collect();
    let misspelt: HashSet<&str> = undeclared(checked).filter_map(|(_, _, meant)| meant).collect();
    let elsewhere = OnceCell::new();
    let mut findings = Vec::new();
    for (index, variable) in declared.items.iter().enumerate() {
        let name = variable.name.as_str();
        let is_used = references.variables.contains_key(name)
            || references.mentions.contains(name)
            || checked.input.may_have(name)
            || placeholders.contains(name);
        if is_used
            || misspelt.contains(name)
            || elsewhere.get_or_init(|| words_of_other_findings(checked)).contains(name)
        {
            continue;
        }
        let message = format!("prompt `{id}` declares the variable `{name}` and never uses it");
        let place = checked.source.map(|source| source.variable(index).unwrap_or_else(|| source.id()));
        let finding = checked.finding(Code::UnusedVariable, message, place);
        let fix = checked.declaration_fix(|declaration| declaration.remove(index));
        findings.push(finding.with_hint("use it in the template, or remove it").with_fix(fix));
    }
    findings
}

/// The words of texts that have a finding of their own, which is one mistake, or that may read the variable.
fn words_of_other_findings(checked: &CheckedPrompt<'_>) -> HashSet<String> {
    let mut words = words_of_foreign_tags(checked);
    words.extend(words_of_cut_texts(checked));
    words.extend(words_of_uncertain_texts(checked));
    words.extend(read_inside(checked).into_iter().map(|(_, one)| one.name.to_owned()));
    words
}

/// The words of texts in which a name may be a variable although no reference is certain: those with `@root`, by which a
/// partial with a context of its own reads variables, and shared partials with blocks, whose names
/// [`read_inside`] does not look at.
fn words_of_uncertain_texts(checked: &CheckedPrompt<'_>) -> HashSet<String> {
    let own =
        checked.texts().into_iter().map(|(_, text)| text.to_owned()).filter(|text| text.contains("@root"));
    let included = (checked.partials)().into_iter().filter(|name| checked.references.includes(name));
    let shared = included
        .filter_map(|name| (checked.partial)(&name))
        .filter(|text| text.contains("@root") || text.contains("{{#"));
    let words = |text: String| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
    };
    own.chain(shared).flat_map(words).collect()
}
