//! The content hash: one SHA-256 for everything about a prompt that changes what the model is sent.
//!
//! Hashed are the format, the template (a chat's messages, the partials, the variables), the schemas, the tools and
//! the tool choice, and the settings that hold; not id, version, status, labels, metadata, uid and times. With a
//! template engine that is not ours, its name too, for it decides what the text means.
//!
//! The bytes are the UTF-8 of canonical JSON: no blanks, members sorted by the code points of their keys, what is
//! absent or empty left out, and each scalar written one way:
//!
//! * text: `"`, `\` and the control characters below U+0020 escaped, with the short forms that JSON has for `\b`,
//!   `\t`, `\n`, `\f` and `\r` and `\u00xx` in lower case for the others; everything else as it is,
//! * an integer: its decimal digits,
//! * any other number: the shortest decimal that reads back as the same double, always with a point or an exponent
//!   (`1.0`, `0.1`, `1e16`, `1e-5`). `1` and `1.0` differ, because a template writes them differently.
//!
//! So the digest is the same on every platform and in every release. A key that later releases add is absent from
//! prompts that do not use it, and leaves their digests alone.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Prompt;

impl Prompt {
    /// The content hash in lower-case hexadecimal; `engine` names a template engine that is not ours.
    ///
    /// Two prompts that the same engine reads have the same content exactly where their hashes are equal.
    #[must_use]
    pub fn content_hash(&self, engine: Option<&str>) -> String {
        let mut text = String::new();
        canonical(&Value::Object(self.content(engine)), &mut text);
        let mut digest = String::with_capacity(64);
        for byte in Sha256::digest(text.as_bytes()) {
            // Writing to a string does not fail.
            let _ = write!(digest, "{byte:02x}");
        }
        digest
    }

    /// What is hashed, as JSON.
    fn content(&self, engine: Option<&str>) -> Map<String, Value> {
        let mut content = Map::new();
        let mut put = |key: &str, value: Value| {
            if !is_nothing(&value) {
                content.insert(key.to_owned(), value);
            }
        };
        let declared = self.declared();
        put("format", json(&self.format));
        put("variables", json(&declared));
        put("engine", json(&engine));
        if let Some(template) = &self.template {
            put("template", json(&template.content));
            put("partials", members(&template.partials));
        }
        if let Some(chat) = &self.chat_template {
            put("messages", json(&chat.messages));
            put("partials", members(&chat.partials));
        }
        put("tools", json(&self.tools));
        put("tool_choice", json(&self.tool_choice));
        put("settings", json(&self.settings()));
        put("input_schema", json(&self.input_schema));
        put("output_schema", json(&self.output_schema));
        content
    }
}

/// A part of a prompt as JSON. The parts have text keys and finite numbers, so nothing here can fail.
fn json(part: &impl Serialize) -> Value {
    serde_json::to_value(part).unwrap_or(Value::Null)
}

fn members(pairs: &[(String, String)]) -> Value {
    pairs.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))).collect()
}

/// Absent and empty say the same. A template without text is content all the same.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Writes canonical JSON; see the module's text.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => {
                let _ = write!(out, "{float:?}");
            }
            None => out.push_str(&number.to_string()),
        },
        Value::String(text) => quoted(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (at, (key, value)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quoted(key, out);
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
