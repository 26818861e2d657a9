//! `yaml-comment`: YAML takes the rest of a text for a comment.
//!
//! In a text without quotes, a `#` after a blank begins a comment, so the model never sees what follows.
//!
//! Bad, because the template is only `Sum up ticket`:
//!
//! ```yaml
//! template: Sum up ticket #{{n}} for {{who}}
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "Sum up ticket #{{n}} for {{who}}"
//! ```
//!
//! A comment that reads like one, with a blank after its `#` and without a tag, is not reported.

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let Some(source) = checked.source else { return Vec::new() };
    let mut findings = Vec::new();
    for (location, _) in checked.texts() {
        let Some((comment, place)) = source.comment_after(checked.prompt, location) else { continue };
        if !is_text(comment) {
            continue;
        }
        let message = format!(
            "YAML takes `{}` for a comment, so it is not part of {location} of prompt `{}`",
            shortened(comment),
            checked.prompt.id
        );
        let finding = checked.finding(Code::YamlComment, message, Some(place));
        findings.push(finding.with_hint("put the text in quotes, or write it as a block with `|`"));
    }
    findings
}

/// Whether a comment reads like the rest of a text.
fn is_text(comment: &str) -> bool {
    let rest = comment.trim_start_matches('#');
    comment.contains("{{") || rest.starts_with(|c: char| !c.is_whitespace() && c != '!')
}

/// The beginning of a text.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
