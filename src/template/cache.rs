//! Templates that were compiled from text not long ago, so that rendering the same text again does not parse it.

use std::collections::HashMap;

use super::Template;

/// How many templates are kept at most, in each of two generations.
const GENERATION: usize = 256;

/// Longest source in bytes that is kept.
const SOURCE: usize = 64 * 1024;

/// A bounded cache by source. When a generation is full, what was not asked for since the one before is dropped.
#[derive(Debug)]
pub struct Cache<T> {
    young: HashMap<Box<str>, Template<T>>,
    old: HashMap<Box<str>, Template<T>>,
    /// How often everything was dropped.
    cleared: u64,
}

/// When a template was looked for, for [`Cache::insert`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(u64);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), cleared: 0 }
    }
}

impl<T> Cache<T> {
    /// The template of this source, if it is kept.
    pub fn get(&mut self, source: &str) -> Option<Template<T>> {
        if let Some(found) = self.young.get(source) {
            return Some(found.clone());
        }
        let (source, found) = self.old.remove_entry(source)?;
        self.keep(source, found.clone());
        Some(found)
    }

    /// The time of a look that found nothing.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp(self.cleared)
    }

    /// Keeps a template that was compiled after this look, unless its source is very long or everything was dropped
    /// in between.
    pub fn insert(&mut self, source: &str, template: Template<T>, since: Stamp) {
        if source.len() <= SOURCE && since == self.stamp() {
            self.keep(source.into(), template);
        }
    }

    /// Drops everything, because the same source may mean something else from now on.
    pub fn clear(&mut self) {
        self.cleared += 1;
        self.young.clear();
        self.old.clear();
    }

    fn keep(&mut self, source: Box<str>, template: Template<T>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(source, template);
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, GENERATION, SOURCE};
    use crate::template::{Options, Template};

    fn parse(source: &str) -> Template<Box<str>> {
        Template::parse("", source, &Options::default()).expect("a template")
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut cache = Cache::default();
        let stamp = cache.stamp();
        cache.insert("kept", parse("kept"), stamp);
        cache.insert("lost", parse("lost"), stamp);
        for round in 0..3 * GENERATION {
            let source = format!("{round}");
            cache.insert(&source, parse(&source), stamp);
            assert!(cache.get("kept").is_some());
        }
        assert!(cache.get("lost").is_none());
        assert!(cache.young.len() + cache.old.len() <= 2 * GENERATION);
        cache.clear();
        assert!(cache.get("kept").is_none());
        cache.insert("kept", parse("kept"), stamp);
        assert!(cache.get("kept").is_none(), "it was compiled before everything was dropped");
    }

    #[test]
    fn a_long_source_is_not_kept() {
        let mut cache = Cache::default();
        let source = "x".repeat(SOURCE + 1);
        let stamp = cache.stamp();
        cache.insert(&source, parse(&source), stamp);
        assert!(cache.get(&source).is_none());
    }
}
