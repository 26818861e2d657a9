//! `circular-partial`: a partial includes itself in every render, so a render never ends.
//!
//! A partial may include itself inside a block, as one that prints a tree does.
//!
//! Bad:
//!
//! ```yaml
//! template: "{{> rules}}"
//! partials:
//!   rules: "Be brief. {{> tone}}"
//!   tone: "Be kind. {{> rules}}"
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "{{> rules}}"
//! partials:
//!   rules: "Be brief. {{> tone}}"
//!   tone: "Be kind."
//! ```

use std::collections::{HashMap, HashSet};

use super::checked_directory::CheckedDirectory;
use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use super::tag_uses::IncludedPartials;
use crate::circles::Circles;
use crate::error::Place;
use crate::prompt::TemplateLocation;
use crate::template::{TemplateOptions, tree};

/// A message names up to so many partials of a circle.
const NAMED: usize = 12;

/// The message and the hint for a circle of partials.
fn describe(circle: &[String]) -> (String, &'static str) {
    let names = circle.iter().chain(circle.first()).take(NAMED + 1);
    let way = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" includes ");
    let (first, length) = (&circle[0], circle.len());
    let rest = match length {
        ..=NAMED => String::new(),
        _ => format!(", and so on, back to `{first}` after {length} partials"),
    };
    (
        format!("partial `{first}` includes itself without end: {way}{rest}"),
        "remove one of the tags, or put it in a block that ends, such as `{{#if}}` or `{{#each}}`",
    )
}

/// Circles among partials that include each other in every render, one for each group of partials that lead to each other.
/// Each begins with the first of its partials in the order of `names`, and is a shortest one.
fn circles<'n>(
    names: impl Iterator<Item = &'n str> + Clone,
    source: &dyn Fn(&str) -> Option<String>,
    options: &TemplateOptions,
) -> Vec<Vec<String>> {
    let mut partials: Vec<String> = Vec::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut number_of = |name: &str, partials: &mut Vec<String>| {
        *numbers.entry(name.to_owned()).or_insert_with(|| {
            partials.push(name.to_owned());
            partials.len() - 1
        })
    };
    let starts: Vec<usize> = names.map(|name| number_of(name, &mut partials)).collect();
    let mut inclusions: Vec<Vec<usize>> = Vec::new();
    while let Some(name) = partials.get(inclusions.len()) {
        let included = always_included(name, source, options);
        inclusions.push(included.iter().map(|name| number_of(name, &mut partials)).collect());
    }
    let circles = Circles::of(inclusions);
    let mut groups = HashSet::new();
    let firsts =
        starts.into_iter().filter(|&start| circles.any_through(start) && groups.insert(circles.group(start)));
    let partials_of =
        |circle: Vec<usize>| circle.into_iter().map(|number| partials[number].clone()).collect();
    firsts.filter_map(|start| circles.shortest_through(start)).map(partials_of).collect()
}

fn always_included(
    name: &str,
    source: &dyn Fn(&str) -> Option<String>,
    options: &TemplateOptions,
) -> Vec<String> {
    let Some(text) = source(name) else { return Vec::new() };
    let Ok(program) = tree(&text, options) else { return Vec::new() };
    let included = IncludedPartials::of(&program);
    let others = included.always.iter().filter(|(next, _)| !included.inlines.contains(next));
    others.map(|(next, _)| next.to_string()).collect()
}

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    // A circle of partials of the directory only is one of the directory.
    let names = checked.prompt.partials().iter().map(|(name, _)| name.as_str());
    let finding = |circle: Vec<String>| {
        let (message, hint) = describe(&circle);
        let place = checked.place(TemplateLocation::Partial(&circle[0]), 0);
        let message = format!("{message} (prompt `{}`)", checked.prompt.id);
        checked.finding(Code::CircularPartial, message, place).with_hint(hint)
    };
    circles(names, checked.partial, &checked.template_options).into_iter().map(finding).collect()
}

/// The circles among the partials of a directory.
pub(super) fn find_in_directory(checked: &CheckedDirectory<'_>) -> Vec<Finding> {
    let source = |name: &str| checked.partial(name).map(|partial| partial.source.to_owned());
    let names = checked.partials.iter().map(|partial| partial.name);
    let circles = circles(names, &source, &checked.template_options);
    let finding = |circle: Vec<String>| {
        let partial = checked.partial(&circle[0])?;
        let (message, hint) = describe(&circle);
        let place = Place::of(Some(partial.file), partial.source, 0);
        Some(Finding::in_file(Code::CircularPartial, message, place).with_hint(hint))
    };
    circles.into_iter().filter_map(finding).collect()
}
