//! Finds definitions of a JSON Schema that refer to themselves.

use std::collections::HashMap;

use crate::circles::Circles;

/// The first definition that refers to itself, perhaps through others. Each definition has the names of those that it
/// refers to.
pub(super) fn circle<'d>(definitions: &'d [(&'d str, Vec<String>)]) -> Option<&'d str> {
    let numbers: HashMap<&str, usize> =
        definitions.iter().enumerate().map(|(number, (name, _))| (*name, number)).collect();
    let number_of = |name: &String| numbers.get(name.as_str()).copied();
    let edges = definitions.iter().map(|(_, names)| names.iter().filter_map(number_of).collect());
    let circles = Circles::of(edges.collect());
    (0..definitions.len()).find(|&number| circles.any_through(number)).map(|number| definitions[number].0)
}
