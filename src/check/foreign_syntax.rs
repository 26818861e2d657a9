//! `foreign-syntax`: a text has tags of another template language, which the model would get as they are.
//!
//! Bad:
//!
//! ```yaml
//! template: "Dear {name}, {% if vip %}thank you.{% endif %} {{name}}"
//! variables: [name, vip]
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "Dear {{name}}, {{#if vip}}thank you.{{/if}}"
//! variables: [name, vip]
//! ```
//!
//! Found are Python's `{name}`, `${name}` and `%(name)s` of a declared variable, and the tags `{% … %}`, `{# … #}` and
//! `<% … %>` of Jinja, Liquid and ERB, except between backticks. Comments and raw blocks are not searched.

use std::collections::HashSet;

use super::checked_prompt::CheckedPrompt;
use super::finding::{Code, Finding};
use crate::prompt::Variables;
use crate::template::ast::{Program, Span, Statement};

/// A tag of another language.
struct ForeignTag {
    offset: usize,
    end: usize,
    hint: String,
}

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let declared = checked.prompt.declared();
    let mut findings = Vec::new();
    for (location, text) in checked.texts() {
        let tags = tags(text, declared);
        if tags.is_empty() {
            continue;
        }
        let searched = contents(text);
        for ForeignTag { offset, end, hint } in tags {
            if !searched.iter().any(|span| (span.start..span.end).contains(&offset)) {
                continue;
            }
            let id = &checked.prompt.id;
            let tag = &text[offset..end];
            let message =
                format!("`{tag}` in {location} of prompt `{id}` is text here, not a tag of the template");
            let finding = checked.finding(Code::ForeignSyntax, message, checked.place(location, offset));
            findings.push(finding.with_hint(hint));
        }
    }
    findings
}

/// The most tags of one text that are reported. The first of each spelling is enough to find the others.
const REPORTED: usize = 20;

/// The tags in a text, wherever they are, each spelling once.
fn tags(text: &str, declared: Option<&Variables>) -> Vec<ForeignTag> {
    let mut tags = Vec::new();
    let mut known = HashSet::new();
    let mut after = 0;
    for (offset, _) in text.match_indices(['{', '<', '%']) {
        if offset < after {
            continue;
        }
        let found = statement(text, offset).or_else(|| replacement_field(text, offset, declared?));
        if let Some(tag) = found {
            after = tag.end;
            if known.insert(&text[tag.offset..tag.end]) {
                tags.push(tag);
            }
            if tags.len() == REPORTED {
                break;
            }
        }
    }
    tags
}

/// `{% … %}`, `{# … #}` or `<% … %>` on one line.
fn statement(text: &str, offset: usize) -> Option<ForeignTag> {
    let rest = text[offset..].lines().next()?;
    let (open, close) =
        [("{%", "%}"), ("{#", "#}"), ("<%", "%>")].into_iter().find(|(open, _)| rest.starts_with(open))?;
    if text[..offset].ends_with(['`', '{', '\\']) {
        return None;
    }
    let inside = &rest[2..rest.find(close)?];
    let body = inside.trim_start_matches(['-', '+', '=']);
    let is_tag = match open {
        "{#" => body.starts_with(' '),
        _ => body.trim_start().starts_with(|c: char| c.is_alphabetic() || c == '_'),
    };
    let hint = match body.trim_start().split(|c: char| !c.is_alphanumeric()).next() {
        _ if open == "{#" => "write a comment as `{{! … }}`".to_owned(),
        Some("if" | "elif" | "elsif" | "else" | "endif") => {
            "write `{{#if x}} … {{else}} … {{/if}}`".to_owned()
        }
        Some("for" | "endfor") => "write `{{#each items}} … {{this}} … {{/each}}`".to_owned(),
        Some("include" | "render") => "write `{{> name}}`".to_owned(),
        _ if inside.starts_with('=') => "write `{{name}}`".to_owned(),
        _ => "templates are written in Handlebars, with tags in double braces".to_owned(),
    };
    is_tag.then(|| ForeignTag { offset, end: offset + 2 + inside.len() + close.len(), hint })
}

/// `{name}`, `${name}` or `%(name)s` of a declared variable, perhaps with a member or a format.
fn replacement_field(text: &str, offset: usize, declared: &Variables) -> Option<ForeignTag> {
    let (before, rest) = text.split_at(offset);
    let (inside, end, start) = if let Some(rest) = rest.strip_prefix('{') {
        let inside = rest.split_once('}')?.0;
        let end = offset + inside.len() + 2;
        if before.ends_with(['{', '\\']) || text[end..].starts_with('}') || is_command(before) {
            return None;
        }
        (inside, end, if before.ends_with('$') { offset - 1 } else { offset })
    } else {
        let inside = rest.strip_prefix("%(")?.split_once(')')?.0;
        let end = offset + inside.len() + 4;
        text.get(..end).filter(|tag| tag.ends_with(['s', 'd', 'r', 'f']))?;
        (inside, end, offset)
    };
    let name_end = inside.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inside.len());
    let (name, rest) = inside.split_at(name_end);
    declared.get(name)?;
    let path = rest.split(['!', ':']).next().unwrap_or_default();
    is_rest_of_field(rest).then(|| ForeignTag {
        offset: start,
        end,
        hint: format!("write `{{{{{name}{path}}}}}`"),
    })
}

/// Whether this can follow the name in a replacement field of Python: members, a conversion, a format.
fn is_rest_of_field(rest: &str) -> bool {
    let (path, format) = rest.split_once(':').map_or((rest, None), |(path, format)| (path, Some(format)));
    let path = ["!r", "!s", "!a"].into_iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    let is_path = path.is_empty()
        || (path.starts_with(['.', '['])
            && path.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '[' | ']' | '\'' | '"')));
    // `{answer:string}` describes an answer; a format begins with a fill, a width or a precision.
    let is_format = |format: &str| {
        format.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '<' | '>' | '^' | '.' | ',' | '+'))
            && !format.contains(char::is_whitespace)
    };
    is_path && format.is_none_or(is_format)
}

/// Whether a text ends in a command of TeX, whose argument follows: `\textbf`.
fn is_command(before: &str) -> bool {
    before.trim_end_matches(|c: char| c.is_ascii_alphabetic()).ends_with('\\') && !before.ends_with('\\')
}

/// The spans of the text between tags, without raw blocks.
fn contents(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    // It was parsed before, within the engine's limits.
    if let Ok(program) = crate::template::parse(text, &crate::limits::Limits::default()) {
        collect(&program, &mut spans);
    }
    spans
}

fn collect(program: &Program<'_>, spans: &mut Vec<Span>) {
    for statement in &program.body {
        match statement {
            Statement::Content(content) => spans.push(content.span),
            Statement::Block(block) if block.raw => {}
            Statement::Block(block) => {
                for branch in [&block.program, &block.inverse].into_iter().flatten() {
                    collect(branch, spans);
                }
            }
            Statement::PartialBlock(block) => collect(&block.program, spans),
            Statement::Inline(inline) => collect(&inline.program, spans),
            Statement::Comment(_) | Statement::Mustache(_) | Statement::Partial(_) => {}
        }
    }
}
