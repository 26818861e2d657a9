//! Rules of a JSON Schema as words in its description, for a provider that has no keyword for them.

use serde_json::{Map, Value, json};

/// Moves title and description to `out`, and adds what is left in `rest` to the description.
pub(super) fn describe(out: &mut Map<String, Value>, mut rest: Map<String, Value>) {
    let given = out.shift_remove("description").or_else(|| rest.shift_remove("description"));
    let mut description = match given {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    if let Some(title) = rest.shift_remove("title")
        && !out.contains_key("$ref")
    {
        out.insert("title".to_owned(), title);
    }
    if !rest.is_empty() {
        let words = rest.iter().map(|(key, value)| match value {
            Value::String(text) => format!("{key}: {text}"),
            value => format!("{key}: {value}"),
        });
        let words = words.collect::<Vec<_>>().join(", ");
        let gap = if description.is_empty() { "" } else { "\n\n" };
        description = format!("{description}{gap}{{{words}}}");
    }
    if !description.is_empty() {
        out.insert("description".to_owned(), json!(description));
    }
}
