//! The names that templates and the partials they include refer to, each with the first place of it.
//!
//! [`super::variables`] reads the uses of one template. This module follows its partials and keeps, of every path, the
//! variable at its start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::variables::{ContextPath, Include, TemplateUsage};
use super::{Library, Template, Text};
use crate::hash::HashSet;
use crate::limits::VARIABLE_USES;

/// Where a name is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The index of the template, in the order of [`References::add`].
    pub template: usize,
    /// The offset in its source: of the name, or of the tag that includes the partial with the name.
    pub offset: usize,
    /// The partial that has the name, and the offset there; `None` for a name in the template itself.
    pub partial: Option<(Box<str>, usize)>,
}

/// What some templates refer to.
#[derive(Debug, Default)]
pub struct References {
    /// The variables that they read for certain, by name.
    pub variables: BTreeMap<Box<str>, Reference>,
    /// Names that are perhaps variables: what a block is rendered with is not always known before a render.
    pub mentions: BTreeSet<Box<str>>,
    /// Whether they read all variables, as `{{json this}}` does, or may do so.
    pub reads_all: bool,
    /// The partials that they include by name and that exist nowhere.
    pub missing_partials: BTreeMap<Box<str>, Reference>,
    templates: usize,
    inlines: BTreeSet<Box<str>>,
    uses: u64,
    /// Partials that were followed with a context, so that each is followed once.
    followed: HashSet<(Box<str>, PartialContext)>,
    /// Their names.
    included: HashSet<Box<str>>,
}

/// What a partial reads its names from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum PartialContext {
    /// The variables of the prompt, except those that the tag gives by name.
    Variables { given: BTreeSet<Box<str>>, is_certain: bool },
    /// A value of a variable.
    Value,
    /// It is not known before a render.
    Unknown,
}

/// The template that is being followed.
struct Followed<'a> {
    usage: &'a TemplateUsage,
    context: &'a PartialContext,
    /// The place in the outermost template and the partial; `None` in the outermost template.
    place: Option<(usize, &'a str)>,
}

/// The maximum depth to which partials are followed.
const DEPTH: usize = 50;

impl References {
    /// Whether a template or partial includes this partial by name.
    #[must_use]
    pub fn includes(&self, name: &str) -> bool {
        self.included.contains(name)
    }

    /// Adds what a template refers to, and gives its index.
    pub fn add<T: Text>(&mut self, template: &Template<T>, partials: &dyn Library<T>) -> usize {
        let context = PartialContext::Variables { given: BTreeSet::new(), is_certain: true };
        self.add_in(&context, template, partials)
    }

    /// Adds what a partial refers to that no template includes by name. A name that is computed may include it, so it is
    /// not known what its names mean.
    pub fn add_loose<T: Text>(&mut self, partial: &Template<T>, partials: &dyn Library<T>) -> usize {
        self.add_in(&PartialContext::Unknown, partial, partials)
    }

    fn add_in<T: Text>(
        &mut self,
        context: &PartialContext,
        template: &Template<T>,
        partials: &dyn Library<T>,
    ) -> usize {
        let partial = |name: &str| partials.partial(name).map(|partial| Arc::clone(partial.usage()));
        self.follow(&Followed { usage: template.usage(), context, place: None }, &partial, 0);
        let Self { inlines, missing_partials, reads_all, .. } = self;
        let announced = &template.options().known_partials;
        missing_partials.retain(|name, _| {
            let is_announced = announced.contains(name);
            // Nobody knows yet what it reads.
            *reads_all |= is_announced;
            !is_announced && !inlines.contains(name)
        });
        self.templates += 1;
        self.templates - 1
    }

    fn follow(
        &mut self,
        followed: &Followed<'_>,
        partial: &dyn Fn(&str) -> Option<Arc<TemplateUsage>>,
        depth: usize,
    ) {
        let Followed { usage, context, .. } = followed;
        self.inlines.extend(usage.inlines().map(Into::into));
        if *context != &PartialContext::Value {
            self.mentions.extend(usage.mentions().map(Into::into));
            self.reads_all |= usage.reads_all();
        }
        for (name, offset, is_certain) in usage.variables() {
            match context {
                PartialContext::Variables { given, .. } if given.contains(name) => {}
                PartialContext::Variables { is_certain: true, .. } if is_certain => {
                    let place = self.place(followed, offset);
                    self.variables.entry(name.into()).or_insert(place);
                }
                PartialContext::Variables { .. } | PartialContext::Unknown => {
                    self.mentions.insert(name.into());
                }
                PartialContext::Value => {}
            }
        }
        for include in usage.includes() {
            self.include(followed, include, partial, depth);
        }
    }

    fn include(
        &mut self,
        followed: &Followed<'_>,
        include: &Include,
        partial: &dyn Fn(&str) -> Option<Arc<TemplateUsage>>,
        depth: usize,
    ) {
        self.uses += 1;
        if depth >= DEPTH || self.uses > VARIABLE_USES {
            // Too many to follow: from here on, any variable may be read.
            self.reads_all = true;
            return;
        }
        let name = include.name();
        let Some(usage) = partial(name) else {
            if !include.has_block() {
                let place = self.place(followed, include.offset());
                self.missing_partials.entry(name.into()).or_insert(place);
            }
            return;
        };
        let context = context_of(followed, include);
        if !self.followed.insert((name.into(), context.clone())) {
            return;
        }
        self.included.insert(name.into());
        let (offset, _) = followed.place.unwrap_or((include.offset(), name));
        let place = Some((offset, name));
        self.follow(&Followed { usage: &usage, context: &context, place }, partial, depth + 1);
    }

    fn place(&self, followed: &Followed<'_>, offset: usize) -> Reference {
        let template = self.templates;
        match followed.place {
            None => Reference { template, offset, partial: None },
            Some((tag, partial)) => {
                Reference { template, offset: tag, partial: Some((partial.into(), offset)) }
            }
        }
    }
}

/// What an included partial reads its names from.
fn context_of(followed: &Followed<'_>, include: &Include) -> PartialContext {
    let passed = match include.context_path() {
        ContextPath::Below if include.is_certain() => return PartialContext::Value,
        ContextPath::Below | ContextPath::Unknown => return PartialContext::Unknown,
        ContextPath::Whole => followed.context.clone(),
    };
    match passed {
        PartialContext::Variables { mut given, is_certain } => {
            given.extend(include.given().map(Into::into));
            PartialContext::Variables { given, is_certain: is_certain && include.is_certain() }
        }
        other => other,
    }
}
