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

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::checked_directory::CheckedDirectory;
use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use super::tag_uses::IncludedPartials;
use crate::error::Place;
use crate::prompt::TemplateLocation;
use crate::template::{TemplateOptions, tree};

/// The message and the hint for a circle of partials.
pub(super) fn describe(circle: &[String]) -> (String, &'static str) {
    let way: Vec<String> = circle.iter().chain(circle.first()).map(|name| format!("`{name}`")).collect();
    (
        format!("partial {} includes itself without end: {}", way[0], way.join(" includes ")),
        "remove one of the tags, or put it in a block that ends, such as `{{#if}}` or `{{#each}}`",
    )
}

/// Which partials include which in every render.
type Inclusions = BTreeMap<String, Vec<String>>;

/// The circles among partials. Each begins with the first of its partials in the order of `names`; a partial is in one circle.
fn circles<'n>(
    names: impl Iterator<Item = &'n str> + Clone,
    source: &dyn Fn(&str) -> Option<String>,
    options: &TemplateOptions,
) -> Vec<Vec<String>> {
    let mut inclusions = Inclusions::new();
    let mut waiting: Vec<String> = names.clone().map(str::to_owned).collect();
    while let Some(name) = waiting.pop() {
        if let Entry::Vacant(entry) = inclusions.entry(name) {
            let included = always_included(entry.key(), source, options);
            waiting.extend(included.iter().cloned());
            entry.insert(included);
        }
    }
    remove_ends(&mut inclusions);
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut circles = Vec::new();
    for start in names {
        let mut way = Vec::new();
        if !known.contains(start) && leads_back(start, start, &inclusions, &mut BTreeSet::new(), &mut way) {
            known.extend(way.iter().cloned());
            circles.push(way);
        }
    }
    circles
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

/// Removes, again and again, the partials that include no other or that no other includes: they are in no circle. What is
/// left is small, so that the search for circles takes no longer than reading the partials.
fn remove_ends(inclusions: &mut Inclusions) {
    for _ in 0..2 {
        let mut included_by = Inclusions::new();
        for (name, included) in &*inclusions {
            included_by.entry(name.clone()).or_default();
            for next in included {
                included_by.entry(next.clone()).or_default().push(name.clone());
            }
        }
        let mut left: BTreeMap<&str, usize> =
            included_by.iter().map(|(name, by)| (name.as_str(), by.len())).collect();
        let mut ends: Vec<&str> =
            left.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        let mut removed: BTreeSet<String> = BTreeSet::new();
        while let Some(name) = ends.pop() {
            removed.insert(name.to_owned());
            for next in inclusions.get(name).into_iter().flatten() {
                if let Some(count) = left.get_mut(next.as_str()) {
                    *count -= 1;
                    if *count == 0 {
                        ends.push(next);
                    }
                }
            }
        }
        included_by.retain(|name, _| !removed.contains(name));
        for by in included_by.values_mut() {
            by.retain(|name| !removed.contains(name));
        }
        // The second round goes against the inclusions, and turns them back.
        *inclusions = included_by;
    }
}

fn leads_back<'i>(
    name: &'i str,
    start: &str,
    inclusions: &'i Inclusions,
    seen: &mut BTreeSet<&'i str>,
    way: &mut Vec<String>,
) -> bool {
    if !seen.insert(name) {
        return false;
    }
    way.push(name.to_owned());
    for next in inclusions.get(name).into_iter().flatten() {
        if next == start || leads_back(next, start, inclusions, seen, way) {
            return true;
        }
    }
    way.pop();
    false
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
