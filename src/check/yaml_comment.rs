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

use std::collections::HashSet;

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use crate::error::Place;
use crate::prompt::TemplateLocation;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (location, comment, place) in cut_texts(checked) {
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

/// The words in what is cut off.
pub(super) fn words_of_cut_texts(checked: &CheckedPrompt<'_>) -> HashSet<String> {
    let words = |comment: &str| -> Vec<String> {
        comment.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned).collect()
    };
    cut_texts(checked).flat_map(|(_, comment, _)| words(comment)).collect()
}

/// The rest of each text that YAML takes for a comment, and its place.
fn cut_texts<'c>(
    checked: &'c CheckedPrompt<'_>,
) -> impl Iterator<Item = (TemplateLocation<'c>, &'c str, Place)> {
    checked.texts().into_iter().filter_map(|(location, _)| {
        let (comment, place) = checked.source?.comment_after(checked.prompt, location)?;
        is_text(comment).then_some((location, comment, place))
    })
}

/// Whether a comment reads like the rest of a text.
fn is_text(comment: &str) -> bool {
    let rest = comment.trim_start_matches('#');
    comment.contains("{{") || rest.starts_with(|c: char| !c.is_whitespace() && c != '!')
}

/// The beginning of a text.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
