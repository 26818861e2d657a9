//! `partial-spacing`: a partial runs into the word beside it, or leaves two blank lines.
//!
//! The text around a partial and the partial itself are written in two places, so nobody sees the seam.
//!
//! Bad:
//!
//! ```yaml
//! template: "{{> tone}}Answer the question of {{name}}."
//! partials:
//!   tone: "Be brief."
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "{{> tone}} Answer the question of {{name}}."
//! partials:
//!   tone: "Be brief."
//! ```
//!
//! A seam is glued if one side ends a sentence or is a text of several words, and the other begins with a capital letter.
//! Blank lines are doubled if both sides have line breaks, and together they make two blank lines or more.

use std::collections::{HashMap, HashSet};

use super::checked_prompt::{CheckedPrompt, ParsedText};
use super::code::Code;
use super::finding::Finding;
use super::tag_uses::IncludedPartials;
use crate::template::ast::{PartialNode, Program, Statement};
use crate::template::{TemplateOptions, tree};

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut edges: HashMap<String, Option<Edges>> = HashMap::new();
    for ParsedText { location, program, .. } in checked.parsed() {
        let inlines: HashSet<_> = IncludedPartials::of(program).inlines.into_iter().collect();
        each_partial(program, &mut |before, partial, after| {
            let Some(path) = partial.name.as_path() else { return };
            let name = &*path.original;
            if inlines.contains(name) {
                return;
            }
            let edges = edges
                .entry(name.to_owned())
                .or_insert_with(|| Edges::of(&(checked.partial)(name)?, &checked.template_options));
            let Some(edges) = edges else { return };
            let puts_back = !checked.template_options.is_javascript();
            let Some((problem, hint)) = (Seam { before, after, partial, edges, puts_back }).problem() else {
                return;
            };
            let message =
                format!("partial `{name}` {problem} ({location} of prompt `{}`)", checked.prompt.id);
            let place = checked.place(*location, partial.span.start);
            findings.push(checked.finding(Code::PartialSpacing, message, place).with_hint(hint));
        });
    }
    findings
}

/// Calls `each` with every partial and the texts right before and after its tag.
fn each_partial<'t>(program: &'t Program<'t>, each: &mut impl FnMut(&'t str, &'t PartialNode<'t>, &'t str)) {
    let text = |statement: Option<&'t Statement<'t>>| match statement {
        Some(Statement::Content(content)) => content.value(),
        _ => "",
    };
    for (at, statement) in program.body.iter().enumerate() {
        match statement {
            Statement::Partial(partial) => {
                let before = text(at.checked_sub(1).and_then(|at| program.body.get(at)));
                each(before, partial, text(program.body.get(at + 1)));
            }
            Statement::Block(block) if !block.raw => {
                for branch in [&block.program, &block.inverse].into_iter().flatten() {
                    each_partial(branch, each);
                }
            }
            Statement::PartialBlock(block) => each_partial(&block.program, each),
            _ => {}
        }
    }
}

/// How a partial begins and ends.
struct Edges {
    /// The text at its start; `None` if it is not constant.
    head: Option<String>,
    tail: Option<String>,
    is_sentence: bool,
}

impl Edges {
    /// `None`: the partial is blank, or has mistakes.
    fn of(source: &str, options: &TemplateOptions) -> Option<Self> {
        let program = tree(source, options).ok()?;
        let is_blank = |text: &str| text.trim().is_empty();
        if program.body.iter().all(|statement| edge(Some(statement)).is_some_and(is_blank)) {
            return None;
        }
        Some(Self {
            head: edge(program.body.first()).map(str::to_owned),
            tail: edge(program.body.last()).map(str::to_owned),
            is_sentence: source.trim().contains(' '),
        })
    }
}

/// A partial between two texts.
struct Seam<'t> {
    before: &'t str,
    after: &'t str,
    partial: &'t PartialNode<'t>,
    edges: &'t Edges,
    /// Whether a line break after the tag is put back behind the partial.
    puts_back: bool,
}

impl Seam<'_> {
    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let (head, tail) = (self.edges.head.as_deref(), self.edges.tail.as_deref());
        let puts_back = self.puts_back && tail.is_none_or(|tail| !tail.ends_with('\n'));
        let kept = if puts_back { self.partial.line_break } else { "" };
        let (before, after) = (self.before, self.after);
        if head.is_some_and(|head| is_glued(before, head, before.contains(char::is_whitespace)))
            || (kept.is_empty() && tail.is_some_and(|tail| is_glued(tail, after, self.edges.is_sentence)))
        {
            return Some(("is glued to the text beside it", "write a blank or a line break between them"));
        }
        let is_doubled = |left: &str, right: &str| {
            let (end, start) = (breaks_at_end(left), breaks_at_start(right));
            end > 0 && start > 0 && end + start > 2 && end < 3 && start < 3
        };
        let is_doubled = head.is_some_and(|head| is_doubled(before, head))
            || tail
                .is_some_and(|tail| kept.is_empty() && is_doubled(tail, after) && !after.trim().is_empty());
        is_doubled.then_some((
            "and the text beside it make two blank lines",
            "remove the blank line of the partial, or the one beside the tag",
        ))
    }
}

/// The text of a statement; `None` if it is not constant.
fn edge<'t>(statement: Option<&'t Statement<'t>>) -> Option<&'t str> {
    match statement? {
        Statement::Content(content) => Some(content.value()),
        _ => None,
    }
}

/// Whether two texts are two sentences without anything between them. `has_words`: the left one has several words.
fn is_glued(left: &str, right: &str, has_words: bool) -> bool {
    let mut end = left.chars().rev();
    let begins = right.chars().next().is_some_and(char::is_uppercase);
    match end.next() {
        Some('.' | '!' | '?' | ':' | ';' | ',') => {
            begins && end.next().is_some_and(char::is_lowercase) && has_words
        }
        Some(last) => begins && last.is_lowercase() && has_words,
        None => false,
    }
}

fn breaks_at_end(text: &str) -> usize {
    let blank = &text[text.trim_end_matches(['\n', '\r', ' ', '\t']).len()..];
    blank.matches('\n').count()
}

fn breaks_at_start(text: &str) -> usize {
    let blank = &text[..text.len() - text.trim_start_matches(['\n', '\r', ' ', '\t']).len()];
    blank.matches('\n').count()
}
