//! Descriptions beside references, which OpenAI's structured output does not accept: the definition takes the place of the
//! reference, as OpenAI's own package does it.

use serde_json::{Map, Value, json};

use super::root_reference::definition_name;

/// The maximum number of values that are copied from definitions.
const MAX_COPIED: usize = 10_000;

/// Replaces each reference that has a description or title by its definition with that description.
///
/// Where this would not end, or copy too much, the reference becomes the only choice of `anyOf`.
pub(super) fn inline_described(root: &mut Map<String, Value>) {
    let definitions = root.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut inliner = Inliner { definitions: &definitions, left: MAX_COPIED };
    root.values_mut().for_each(|value| inliner.value(value, &mut Vec::new()));
}

struct Inliner<'d> {
    definitions: &'d Map<String, Value>,
    /// The number of values that may still be copied.
    left: usize,
}

impl Inliner<'_> {
    /// `within` are the definitions that the value was copied from.
    fn value(&mut self, value: &mut Value, within: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, within)),
            Value::Object(members) => {
                let name = members.get("$ref").filter(|_| members.len() > 1).and_then(Value::as_str);
                let Some(name) = name.map(|reference| definition_name(reference).unwrap_or_default()) else {
                    members.values_mut().for_each(|member| self.value(member, within));
                    return;
                };
                let Some(definition) = self.definition(&name).filter(|_| !within.contains(&name)) else {
                    let reference = members.shift_remove("$ref");
                    members.insert("anyOf".to_owned(), json!([{"$ref": reference}]));
                    return;
                };
                members.shift_remove("$ref");
                for (key, member) in definition {
                    members.entry(key).or_insert(member);
                }
                within.push(name);
                self.value(value, within);
                within.pop();
            }
            _ => {}
        }
    }

    /// A copy of a definition, unless it is too large.
    fn definition(&mut self, name: &str) -> Option<Map<String, Value>> {
        let definition = self.definitions.get(name)?;
        let mut left = self.left;
        let fits = spend(definition, &mut left);
        if fits {
            self.left = left;
        }
        definition.as_object().filter(|_| fits).cloned()
    }
}

/// Subtracts the number of values in `value` from `left`. False if `left` is less than that.
pub(super) fn spend(value: &Value, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else { return false };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| spend(item, left)),
        Value::Object(members) => members.values().all(|member| spend(member, left)),
        _ => true,
    }
}
