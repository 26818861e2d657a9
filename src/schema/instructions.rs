//! The instructions that tell a model what to answer: a JSON Schema, and an example that is valid against it.

use serde_json::Value;

/// Writes the instructions that are appended to a prompt.
#[must_use]
pub fn instructions(schema: &Value, example: Option<&Value>) -> String {
    let mut text = format!(
        "Answer with one JSON object and nothing else: no code fence, no remark. It must be valid against this JSON \
         Schema:\n\n{schema}"
    );
    if let Some(example) = example {
        text.push_str("\n\nAn example of the form, not of the content:\n\n");
        text.push_str(&example.to_string());
    }
    text
}
