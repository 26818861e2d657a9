//! A cache of compiled templates by source text, so that rendering the same text again does not compile it again.

use super::Template;
use crate::hash::HashMap;

/// The maximum number of templates in each of the two generations.
const GENERATION: usize = 256;

/// The longest source that is cached, in bytes.
const SOURCE: usize = 64 * 1024;

/// A bounded cache of templates by source.
///
/// It has two generations. When the young one is full it becomes the old one, and the old one is dropped. A template
/// that is used moves to the young generation, so only templates that were not used for a while are dropped.
#[derive(Debug)]
pub struct TemplateCache<T> {
    young: HashMap<Box<str>, Template<T>>,
    old: HashMap<Box<str>, Template<T>>,
    /// How often the cache was cleared.
    epoch: u64,
}

/// The state of the cache when a lookup failed. [`TemplateCache::insert`] takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheEpoch(u64);

impl<T> Default for TemplateCache<T> {
    fn default() -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), epoch: 0 }
    }
}

impl<T> TemplateCache<T> {
    /// The template of this source, if it is cached.
    pub fn get(&mut self, source: &str) -> Option<Template<T>> {
        if let Some(found) = self.young.get(source) {
            return Some(found.clone());
        }
        let (source, found) = self.old.remove_entry(source)?;
        self.keep(source, found.clone());
        Some(found)
    }

    /// The current epoch. Read it before you compile a template for [`TemplateCache::insert`].
    #[must_use]
    pub fn epoch(&self) -> CacheEpoch {
        CacheEpoch(self.epoch)
    }

    /// Caches a template that was compiled since `since`.
    ///
    /// The template is not cached if its source is very long, or if the cache was cleared in between.
    pub fn insert(&mut self, source: &str, template: Template<T>, since: CacheEpoch) {
        if source.len() <= SOURCE && since == self.epoch() {
            self.keep(source.into(), template);
        }
    }

    /// Empties the cache. Call it when the same source may compile to another template, for example after a helper was
    /// registered.
    pub fn clear(&mut self) {
        self.epoch += 1;
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
    use super::{GENERATION, SOURCE, TemplateCache};
    use crate::template::{Template, TemplateOptions};

    fn parse(source: &str) -> Template<Box<str>> {
        Template::parse("", source, &TemplateOptions::default()).expect("a template")
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut cache = TemplateCache::default();
        let epoch = cache.epoch();
        cache.insert("kept", parse("kept"), epoch);
        cache.insert("lost", parse("lost"), epoch);
        for round in 0..3 * GENERATION {
            let source = format!("{round}");
            cache.insert(&source, parse(&source), epoch);
            assert!(cache.get("kept").is_some());
        }
        assert!(cache.get("lost").is_none());
        assert!(cache.young.len() + cache.old.len() <= 2 * GENERATION);
        cache.clear();
        assert!(cache.get("kept").is_none());
        cache.insert("kept", parse("kept"), epoch);
        assert!(cache.get("kept").is_none(), "it was compiled before everything was dropped");
    }

    #[test]
    fn a_long_source_is_not_kept() {
        let mut cache = TemplateCache::default();
        let source = "x".repeat(SOURCE + 1);
        let epoch = cache.epoch();
        cache.insert(&source, parse(&source), epoch);
        assert!(cache.get(&source).is_none());
    }
}
