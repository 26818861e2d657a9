//! A set of inline partials that finds one by its name without comparing all names.
//!
//! Most names are written in the template. A name that is an expression is known only when the template renders, so
//! those partials are tried one by one.

use crate::hash::HashMap;

/// Inline partials in the order of the template. Of several with the same name, the last one counts.
#[derive(Debug)]
pub(super) struct InlineSet<P> {
    partials: Box<[P]>,
    /// The position of the last partial of each name that the template spells out.
    fixed: HashMap<Box<str>, usize>,
    /// The positions of the partials whose name is computed, in ascending order.
    computed: Box<[usize]>,
}

impl<P> InlineSet<P> {
    /// Collects partials, each with its name if the template spells it out.
    pub(super) fn new(named: Vec<(Option<Box<str>>, P)>) -> Self {
        let mut fixed = HashMap::default();
        let mut computed = Vec::new();
        let mut partials = Vec::with_capacity(named.len());
        for (at, (name, partial)) in named.into_iter().enumerate() {
            match name {
                Some(name) => drop(fixed.insert(name, at)),
                None => computed.push(at),
            }
            partials.push(partial);
        }
        Self { partials: partials.into(), fixed, computed: computed.into() }
    }

    /// The last partial with this name in the template. Computed names are not looked at.
    pub(super) fn fixed(&self, name: &str) -> Option<(usize, &P)> {
        let at = *self.fixed.get(name)?;
        Some((at, &self.partials[at]))
    }

    /// The partials with computed names, the last one first, down to position `after`.
    pub(super) fn computed_after(&self, after: Option<usize>) -> impl Iterator<Item = &P> {
        let later = move |at: &&usize| after.is_none_or(|after| **at > after);
        self.computed.iter().rev().take_while(later).map(|at| &self.partials[*at])
    }
}
