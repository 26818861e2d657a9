//! The keys that a JSON Schema describes, at any depth.

use std::collections::HashSet;

use serde_json::Value;

/// Returns the name of every property in a JSON Schema.
#[must_use]
pub fn property_names(schema: &Value) -> HashSet<String> {
    let mut names = HashSet::new();
    collect(schema, &mut names);
    names
}

fn collect(schema: &Value, names: &mut HashSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                names.extend(properties.keys().cloned());
            }
            members.values().for_each(|member| collect(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}
