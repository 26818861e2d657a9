//! The content hash: a SHA-256 of everything in a prompt that changes what the model receives.
//!
//! The hash covers the format, the template (a chat's messages, the partials, the variables), the schemas, the tools,
//! the tool choice and the effective settings. It does not cover id, version, status, labels, metadata, uid and times.
//! With another template engine it also covers the engine's name, because the engine decides what the text means.
//!
//! The hashed bytes are canonical JSON in UTF-8: no white space, members sorted by the code points of their keys,
//! absent and empty values left out, and one spelling for each scalar:
//!
//! * text: `"`, `\` and the control characters below U+0020 escaped, as `\b`, `\t`, `\n`, `\f` and `\r` where JSON has
//!   them and otherwise as `\u00xx` in lower case; all other characters unchanged,
//! * an integer: its decimal digits,
//! * any other number: the shortest decimal that reads back as the same double, always with a point or an exponent
//!   (`1.0`, `0.1`, `1e16`, `1e-5`). `1` and `1.0` differ, because a template writes them differently.
//!
//! So the digest is the same on every platform and in every release. A key that a later release adds is absent from
//! prompts that do not use it, so their digests do not change.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Prompt;

/// Bytes in lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Prompt {
    /// The content hash in lower-case hexadecimal. `engine` names a template engine other than ours.
    ///
    /// Two prompts for the same engine have the same content exactly if their hashes are equal.
    #[must_use]
    pub fn content_hash(&self, engine: Option<&str>) -> String {
        let mut text = String::new();
        write_canonical(&Value::Object(self.content(engine)), &mut text);
        hexadecimal(&Sha256::digest(text.as_bytes()))
    }

    /// The hashed content as JSON.
    fn content(&self, engine: Option<&str>) -> Map<String, Value> {
        let mut content = Map::new();
        let mut put = |key: &str, value: Value| {
            if !is_absent(&value) {
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

/// A part of a prompt as JSON. The parts have text keys and finite numbers, so this cannot fail.
fn json(part: &impl Serialize) -> Value {
    serde_json::to_value(part).unwrap_or(Value::Null)
}

fn members(pairs: &[(String, String)]) -> Value {
    pairs.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))).collect()
}

/// Absent and empty values are the same. A template with an empty text still is content.
fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Writes canonical JSON, as the module documentation defines it.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => {
                let _ = write!(out, "{float:?}");
            }
            None => out.push_str(&number.to_string()),
        },
        Value::String(text) => write_quoted(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
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
                write_quoted(key, out);
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
    }
}

fn write_quoted(text: &str, out: &mut String) {
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
