//! `unfenced-variable`: untrusted text is printed among the instructions, outside a `fence`. Off by default.
//!
//! Whoever writes such a text can put instructions into it. In a `fence` block, the model sees where the text begins
//! and ends. The rule goes by the names of variables, such as `document`, `email` and `search_results`, so it is only
//! run when it is asked for.
//!
//! Bad:
//!
//! ```yaml
//! template: "Sum up this e-mail: {{email}}"
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: 'Sum up this e-mail: {{#fence "email"}}{{email}}{{/fence}}'
//! ```
//!
//! A message that has nothing but the variable is fine: all of it is what the other person wrote.

use super::checked_prompt::{CheckedPrompt, ParsedText};
use super::code::Code;
use super::finding::Finding;
use super::tag_uses::{UseKind, each_use};
use crate::template::ast::{Program, Statement};

/// Words in the names of variables that hold untrusted text.
const WORDS: &[&str] = &[
    "answer",
    "article",
    "attachment",
    "body",
    "chunk",
    "chunks",
    "comment",
    "comments",
    "content",
    "context",
    "conversation",
    "doc",
    "docs",
    "document",
    "documents",
    "email",
    "emails",
    "excerpt",
    "feedback",
    "file",
    "html",
    "input",
    "mail",
    "message",
    "messages",
    "page",
    "pages",
    "paste",
    "post",
    "posts",
    "query",
    "question",
    "reply",
    "result",
    "results",
    "review",
    "reviews",
    "snippet",
    "snippets",
    "source",
    "sources",
    "text",
    "thread",
    "ticket",
    "tickets",
    "transcript",
    "tweet",
    "untrusted",
    "webpage",
    "website",
];

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    if !checked.options.runs(Code::UnfencedVariable) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for ParsedText { location, program, .. } in checked.texts_with_variables() {
        if is_alone(program) {
            continue;
        }
        each_use(program, checked.is_helper, &mut |one| {
            let is_output = match one.kind {
                UseKind::Printed => true,
                UseKind::Iterated(block) => block.program.as_ref().is_some_and(prints),
                UseKind::Argument { call, .. } => {
                    matches!(
                        &*call.callee.name(),
                        "json" | "upper" | "lower" | "trim" | "truncate" | "indent" | "join" | "default"
                    )
                }
                _ => false,
            };
            let path: Vec<&str> = std::iter::once(one.name).chain(one.members).collect();
            let is_untrusted =
                path.first().is_some_and(looks_untrusted) || path.last().is_some_and(looks_untrusted);
            if !is_output || one.is_fenced || !is_untrusted {
                return;
            }
            let (path, name, id) = (path.join("."), path[path.len() - 1], &checked.prompt.id);
            let message = format!(
                "`{path}` looks like untrusted text, and is outside a fence ({location} of prompt `{id}`)"
            );
            let finding =
                checked.finding(Code::UnfencedVariable, message, checked.place(*location, one.offset));
            let hint = match one.kind {
                UseKind::Iterated(_) => "put what the loop prints in a block of `fence`".to_owned(),
                _ => format!("write `{{{{#fence \"{name}\"}}}}{{{{{path}}}}}{{{{/fence}}}}`"),
            };
            findings.push(finding.with_hint(hint));
        });
    }
    findings
}

/// Whether a block prints something outside a fence.
fn prints(program: &Program<'_>) -> bool {
    program.body.iter().any(|statement| match statement {
        Statement::Mustache(mustache) => {
            let path = mustache.call.callee.as_path();
            !path.is_some_and(|path| path.data && mustache.call.params().is_empty())
        }
        Statement::Block(block) if *block.call.callee.name() != *"fence" => {
            [&block.program, &block.inverse].into_iter().flatten().any(prints)
        }
        _ => false,
    })
}

/// Whether a text has one tag and nothing else.
fn is_alone(program: &Program<'_>) -> bool {
    let mut tags = 0;
    program.body.iter().all(|statement| match statement {
        Statement::Content(content) => content.value().trim().is_empty(),
        Statement::Mustache(_) => {
            tags += 1;
            tags == 1
        }
        Statement::Comment(_) => true,
        _ => false,
    })
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as iterators give it")]
fn looks_untrusted(name: &&str) -> bool {
    let mut words = Vec::new();
    for part in name.split(['_', '-']) {
        // `searchResults` has two words.
        let mut start = 0;
        for (at, c) in part.char_indices().skip(1) {
            if c.is_uppercase() {
                words.push(part[start..at].to_lowercase());
                start = at;
            }
        }
        words.push(part[start..].to_lowercase());
    }
    words.iter().any(|word| WORDS.contains(&&**word))
}
