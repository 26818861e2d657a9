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
//! Found are Python's `{name}`, `${name}` and `%(name)s` of a declared variable, a template that is written as an f-string
//! (`f"Dear {name}"`), and the tags `{% … %}`, `{# … #}` and `<% … %>` of Jinja, Liquid and ERB, except between backticks.
//! Comments and raw blocks are not searched. In a partial file, for which nothing is declared, only f-strings and tags are
//! found.

use std::collections::HashSet;

use super::checked_directory::{CheckedDirectory, DirectoryPartial};
use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use crate::error::Place;
use crate::prompt::{TemplateLocation, Variables};
use crate::template::ast::{Program, Span, Statement};
use crate::template::tree;

/// A tag of another language.
struct ForeignTag {
    offset: usize,
    end: usize,
    hint: String,
}

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    each_tag(checked, &mut |location, tag, ForeignTag { offset, hint, .. }| {
        let id = &checked.prompt.id;
        let message =
            format!("`{tag}` in {location} of prompt `{id}` is text here, not a tag of the template");
        let finding = checked.finding(Code::ForeignSyntax, message, checked.place(location, offset));
        findings.push(finding.with_hint(hint));
    });
    findings
}

/// The tags in the partials of a directory, for whose variables nothing is declared.
pub(super) fn find_in_directory(checked: &CheckedDirectory<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for DirectoryPartial { name, file, source } in &checked.partials {
        let tags = tags(source, None);
        let Some(program) =
            (!tags.is_empty()).then(|| tree(source, &checked.template_options).ok()).flatten()
        else {
            continue;
        };
        let searched = contents(&program, false);
        for ForeignTag { offset, end, hint } in tags {
            if searched.iter().any(|span| (span.start..span.end).contains(&offset)) {
                let tag = &source[offset..end];
                let message = format!("`{tag}` in partial `{name}` is text here, not a tag of the template");
                let place = Place::of(Some(file), source, offset);
                findings.push(Finding::in_file(Code::ForeignSyntax, message, place).with_hint(hint));
            }
        }
    }
    findings
}

/// The words in tags of other languages.
pub(super) fn words_of_foreign_tags(checked: &CheckedPrompt<'_>) -> HashSet<String> {
    let mut words = HashSet::new();
    each_tag(checked, &mut |_, tag, _| {
        words.extend(tag.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned));
    });
    words
}

/// Calls `each` with every tag of another language, and its text.
fn each_tag(checked: &CheckedPrompt<'_>, each: &mut dyn FnMut(TemplateLocation<'_>, &str, ForeignTag)) {
    let declared = checked.prompt.declared();
    for (location, text) in checked.texts() {
        let tags = tags(text, declared);
        if tags.is_empty() {
            continue;
        }
        let mut searched = Vec::new();
        for parsed in checked.parsed().iter().filter(|parsed| parsed.location == location) {
            searched.extend(contents(&parsed.program, false));
        }
        for tag in tags {
            if searched.iter().any(|span| (span.start..span.end).contains(&tag.offset)) {
                each(location, &text[tag.offset..tag.end], tag);
            }
        }
    }
}

/// The most tags of one text that are reported. The first of each spelling is enough to find the others.
const REPORTED: usize = 20;

/// The tags in a text, wherever they are, each spelling once.
fn tags(text: &str, declared: Option<&Variables>) -> Vec<ForeignTag> {
    let mut tags: Vec<ForeignTag> = f_string(text).into_iter().collect();
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

/// The beginning of an f-string that is the whole text.
fn f_string(text: &str) -> Option<ForeignTag> {
    let literal = text.trim_end().strip_prefix(['f', 'F'])?;
    let quote = literal.chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let hint = "write the text alone, without the `f` and the quotes of the string";
    (literal.len() > 1 && literal.ends_with(quote)).then(|| ForeignTag {
        offset: 0,
        end: 2,
        hint: hint.to_owned(),
    })
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
    if is_in_code_span(&text[..offset], &rest[2 + inside.len()..]) {
        return None;
    }
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

/// Whether backticks are around what is between these texts, on its line.
fn is_in_code_span(before: &str, after: &str) -> bool {
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = after.split('\n').next().unwrap_or_default();
    before.matches('`').count() % 2 == 1 && after.contains('`')
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
    let hint = if rest.ends_with("()") {
        "a template cannot call methods: use a helper, such as `{{upper name}}`, or give the result as a variable"
            .to_owned()
    } else {
        format!("write `{{{{{name}{path}}}}}`")
    };
    let rest = rest.strip_suffix("()").unwrap_or(rest);
    is_rest_of_field(rest).then_some(ForeignTag { offset: start, end, hint })
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

/// The spans of the text between tags, with or without that of raw blocks.
pub(super) fn contents(program: &Program<'_>, with_raw: bool) -> Vec<Span> {
    let mut spans = Vec::new();
    collect(program, with_raw, &mut spans);
    spans
}

fn collect(program: &Program<'_>, with_raw: bool, spans: &mut Vec<Span>) {
    for statement in &program.body {
        match statement {
            Statement::Content(content) => spans.push(content.span),
            Statement::Block(block) if block.raw && !with_raw => {}
            Statement::Block(block) => {
                for branch in [&block.program, &block.inverse].into_iter().flatten() {
                    collect(branch, with_raw, spans);
                }
            }
            Statement::PartialBlock(block) => collect(&block.program, with_raw, spans),
            Statement::Inline(inline) => collect(&inline.program, with_raw, spans),
            Statement::Comment(_) | Statement::Mustache(_) | Statement::Partial(_) => {}
        }
    }
}
