//! The instructions that tell a model what to answer: a JSON Schema, and an example that is valid against it.

use serde_json::Value;

use super::root_reference::definition_name;

/// Writes the instructions that are appended to a prompt.
#[must_use]
pub fn instructions(schema: &Value, example: Option<&Value>) -> String {
    let answer = kind_of_answer(schema);
    let mut text = format!(
        "Answer with one JSON {answer} and nothing else: no code fence, no remark. It must be valid against this JSON \
         Schema:\n\n{schema}"
    );
    if let Some(example) = example {
        text.push_str("\n\nAn example of the form, not of the content:\n\n");
        text.push_str(&example.to_string());
    }
    text
}

fn kind_of_answer(root: &Value) -> &'static str {
    // A model that refers to itself is a reference to its definition.
    let name = root.get("$ref").and_then(Value::as_str).and_then(definition_name);
    let schema = name.and_then(|name| root.get("$defs")?.get(&name)).unwrap_or(root);
    let is_choice = ["anyOf", "oneOf", "enum", "const"].iter().any(|key| schema.get(key).is_some());
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => "object",
        Some("array") => "array",
        None if !is_choice && schema.get("type").is_none() => "object",
        _ => "value",
    }
}
