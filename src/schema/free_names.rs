//! Names that are different from each other.

use std::collections::{HashMap, HashSet};

/// Names that are taken.
#[derive(Debug, Default)]
pub(super) struct FreeNames {
    taken: HashSet<String>,
    /// The last number that was appended to each name.
    counts: HashMap<String, usize>,
}

impl FreeNames {
    /// Takes a name. If it is taken already, a number is appended.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let mut free = wanted.to_owned();
        let mut count = *self.counts.get(wanted).unwrap_or(&1);
        while !self.taken.insert(free.clone()) {
            count += 1;
            free = format!("{wanted}_{count}");
        }
        self.counts.insert(wanted.to_owned(), count);
        free
    }
}
