//! The names of documents, of which Bedrock accepts only some, and each only once in a conversation.

use std::collections::{HashMap, HashSet};

use crate::prompt::{Message, Tree};
use crate::template::Output;

/// The maximum number of characters of a name.
pub(super) const MAX_NAME: usize = 200;

/// The names of a conversation.
#[derive(Debug, Default)]
pub(super) struct DocumentNames {
    taken: HashSet<String>,
    /// The names of documents of the history that were sent.
    sent: HashSet<String>,
    /// The last number that was added to a name, by the name.
    numbers: HashMap<String, usize>,
}

impl DocumentNames {
    /// Collects the names of documents that are sent as they came, so that no other document gets one of them.
    pub(super) fn beside<S: Output>(messages: &[Message<S>]) -> Self {
        let mut names = Self::default();
        let carried = messages.iter().filter_map(|message| message.carried.as_ref());
        for block in carried.flat_map(|carried| &carried.items) {
            names.collect(block);
        }
        names
    }

    fn collect<S: Output>(&mut self, block: &Tree<S>) {
        let Tree::Map(members) = block else { return };
        for (key, value) in members {
            match (key.as_str(), value) {
                ("document", Tree::Map(document)) => {
                    self.taken.extend(document.iter().find_map(|(key, name)| match name {
                        Tree::Text(name) if key == "name" => Some(name.with_str(str::to_owned)),
                        _ => None,
                    }));
                }
                ("toolResult", Tree::Map(result)) => {
                    let lists = result.iter().filter_map(|(_, content)| match content {
                        Tree::List(blocks) => Some(blocks),
                        _ => None,
                    });
                    for block in lists.flatten() {
                        self.collect(block);
                    }
                }
                _ => {}
            }
        }
    }

    /// The name of a document of the history, which keeps its own if that is `accepted` and not sent already.
    pub(super) fn own(&mut self, given: &str, accepted: &str) -> String {
        if given == accepted && self.sent.insert(given.to_owned()) {
            return given.to_owned();
        }
        self.unique(accepted)
    }

    /// The name, with a number if it is taken. The name has only characters that Bedrock accepts.
    pub(super) fn unique(&mut self, name: &str) -> String {
        if self.taken.insert(name.to_owned()) {
            return name.to_owned();
        }
        let number = self.numbers.entry(name.to_owned()).or_insert(1);
        loop {
            *number += 1;
            let suffix = format!(" ({number})");
            let stem = name.get(..MAX_NAME - suffix.len()).unwrap_or(name);
            let numbered = format!("{}{suffix}", stem.trim_end());
            if self.taken.insert(numbered.clone()) {
                return numbered;
            }
        }
    }
}

/// The name with hyphens for the characters that Bedrock does not accept.
pub(super) fn accepted(name: &str) -> String {
    let mut accepted = String::with_capacity(name.len());
    for letter in name.chars() {
        let is_second_space = letter == ' ' && accepted.ends_with(' ');
        let fits = letter.is_ascii_alphanumeric() || " -()[]".contains(letter);
        accepted.push(if fits && !is_second_space { letter } else { '-' });
    }
    accepted
}

#[cfg(test)]
mod tests {
    use super::{DocumentNames, MAX_NAME, accepted};

    #[test]
    fn names_stay_different_and_short() {
        let mut names = DocumentNames::default();
        let made: Vec<String> = ["a", "a", "a (2)", "a", "b ", "b "].map(|name| names.unique(name)).into();
        assert_eq!(made, ["a", "a (2)", "a (2) (2)", "a (3)", "b ", "b (2)"]);
        let long = "x".repeat(MAX_NAME);
        let made: Vec<String> = (0..12).map(|_| names.unique(&long)).collect();
        assert_eq!(made[0], long);
        assert!(made.iter().all(|name| name.len() <= MAX_NAME), "{made:?}");
        assert!(made[11].ends_with("x (12)"), "{}", made[11]);
    }

    #[test]
    fn other_characters_become_hyphens() {
        assert_eq!(accepted("Caf\u{e9} [v_2]  (a).b\tc"), "Caf- [v-2] -(a)-b-c");
    }
}
