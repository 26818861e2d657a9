//! `repeated-text`: the same text is in three prompts. Off by default.
//!
//! A change has to be made in each of them. A partial has the text once.
//!
//! Bad:
//!
//! ```yaml
//! # prompts/all.yaml
//! prompts:
//!   - id: a
//!     template: "{{x}}\nAnswer in the language of the question, and never in more than three sentences of plain text."
//!   - id: b
//!     template: "{{y}}\nAnswer in the language of the question, and never in more than three sentences of plain text."
//!   - id: c
//!     template: "{{z}}\nAnswer in the language of the question, and never in more than three sentences of plain text."
//! ```
//!
//! Good:
//!
//! ```handlebars
//! {{! prompts/partials/style.hbs }}
//! Answer in the language of the question, and never in more than three sentences of plain text.
//! ```
//!
//! ```yaml
//! # prompts/all.yaml
//! prompts:
//!   - {id: a, template: "{{x}}\n{{> style}}"}
//!   - {id: b, template: "{{y}}\n{{> style}}"}
//!   - {id: c, template: "{{z}}\n{{> style}}"}
//! ```
//!
//! The rule compares paragraphs of 80 characters or more between tags. All versions of a prompt count as one prompt.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::checked_directory::CheckedDirectory;
use super::checked_prompt::{CheckedPrompt, texts};
use super::code::Code;
use super::finding::Finding;
use crate::prompt::TemplateLocation;
use crate::template::ast::{Program, Statement};
use crate::template::{References, tree};

/// The fewest characters of a paragraph that is compared.
const LENGTH: usize = 80;

/// In how many prompts a paragraph must be.
const PROMPTS: usize = 3;

/// Where a paragraph is.
struct ParagraphUses<'d> {
    ids: BTreeSet<&'d str>,
    /// The prompt, the text and the offset of the first use.
    first: (usize, TemplateLocation<'d>, usize),
}

pub(super) fn find(checked: &CheckedDirectory<'_>) -> Vec<Finding> {
    if !checked.options.runs(Code::RepeatedText) {
        return Vec::new();
    }
    let mut uses: BTreeMap<String, ParagraphUses<'_>> = BTreeMap::new();
    for (index, one) in checked.prompts.iter().enumerate() {
        for (location, text) in texts(one.prompt) {
            let Ok(program) = tree(text, &checked.template_options) else { continue };
            let mut found = Vec::new();
            collect(&program, &mut found);
            for (paragraph, offset) in found {
                let first = (index, location, offset);
                let uses = uses.entry(paragraph).or_insert(ParagraphUses { ids: BTreeSet::new(), first });
                uses.ids.insert(one.prompt.id.as_str());
            }
        }
    }
    let mut findings = Vec::new();
    let mut checked_prompts: HashMap<usize, CheckedPrompt<'_>> = HashMap::new();
    for ParagraphUses { ids, first: (index, location, offset) } in uses.into_values() {
        let Some(one) = checked.prompts.get(index).filter(|_| ids.len() >= PROMPTS) else { continue };
        let place = checked_prompts
            .entry(index)
            .or_insert_with(|| {
                CheckedPrompt::for_places(one.prompt, References::default(), Vec::new(), one.source)
            })
            .place(location, offset);
        let names: Vec<String> = ids.iter().take(PROMPTS).map(|id| format!("`{id}`")).collect();
        let more = match ids.len() - names.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!("the same text is in the prompts {}{more}", names.join(", "));
        let file = place.as_ref().and_then(|place| place.name.clone()).filter(|_| one.source.is_some());
        let prompt_id = Some(one.prompt.id.as_str().to_owned());
        let finding = Finding { place, file, prompt_id, ..Finding::new(Code::RepeatedText, message) };
        findings.push(finding.with_hint("move it to a partial"));
    }
    findings
}

/// Collects the paragraphs between the tags of a program, each with its offset in the source.
fn collect(program: &Program<'_>, found: &mut Vec<(String, usize)>) {
    for statement in &program.body {
        match statement {
            Statement::Content(content) => {
                let mut at = content.span.start + content.from;
                for paragraph in content.value().split("\n\n") {
                    let text = paragraph.trim();
                    if text.chars().count() >= LENGTH {
                        let blank = paragraph.len() - paragraph.trim_start().len();
                        found.push((text.to_owned(), at + blank));
                    }
                    at += paragraph.len() + 2;
                }
            }
            Statement::Block(block) => {
                for branch in [&block.program, &block.inverse].into_iter().flatten() {
                    collect(branch, found);
                }
            }
            Statement::PartialBlock(block) => collect(&block.program, found),
            Statement::Inline(inline) => collect(&inline.program, found),
            Statement::Comment(_) | Statement::Mustache(_) | Statement::Partial(_) => {}
        }
    }
}
