//! Finds definitions of a JSON Schema that refer to themselves.

use std::collections::HashMap;

/// A definition that refers to itself, perhaps through others, or that refers to one. Each definition has the names of
/// those that it refers to.
pub(super) fn circle<'d>(definitions: &'d [(&'d str, Vec<String>)]) -> Option<&'d str> {
    // Removes the definitions that refer only to removed ones. A circle is never removed.
    let mut waiting: HashMap<&str, usize> =
        definitions.iter().map(|(name, names)| (*name, names.len())).collect();
    let mut users: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, names) in definitions {
        for to in names {
            users.entry(to).or_default().push(name);
        }
    }
    let mut free: Vec<&str> =
        waiting.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    while let Some(name) = free.pop() {
        waiting.remove(name);
        for user in users.get(name).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    free.push(user);
                }
            }
        }
    }
    definitions.iter().map(|(name, _)| *name).find(|name| waiting.contains_key(name))
}
