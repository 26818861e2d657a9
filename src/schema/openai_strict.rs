//! The JSON Schema of a model in the subset that OpenAI's structured output takes: every key is required, nothing
//! further is allowed, and no keyword stands in it that the subset lacks.
//!
//! What fits the subset fits the model, but for rules that the subset cannot say, such as the length of a text: they
//! are left out here, and checked when the answer is.

use serde_json::{Map, Value, json};

use crate::error::{Error, Kind, Result};

/// Keywords that are kept as they are.
const KEPT: &[&str] = &[
    "title",
    "description",
    "enum",
    "const",
    "pattern",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
];

/// Remarks, and rules that are left to the check of the answer.
const LEFT_OUT: &[&str] = &[
    "$schema",
    "$id",
    "$comment",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "discriminator",
    "minLength",
    "maxLength",
    "uniqueItems",
];

/// The formats that the subset knows.
pub(super) const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// The document in the subset.
///
/// # Errors
/// [`Kind::Schema`] for what the subset cannot say, with the way to it.
pub(super) fn subset(document: &Value) -> Result<Value> {
    let Value::Object(mut root) = node(document, "#")? else {
        return Err(cannot("#", "a schema that is no object"));
    };
    // The root must be an object itself; a model that refers to itself is a reference to its definition.
    if let Some(Value::String(reference)) = root.get("$ref") {
        let target =
            reference.strip_prefix("#/$defs/").map(|name| name.replace("~1", "/").replace("~0", "~"));
        let found = target.and_then(|name| root.get("$defs")?.get(&name)?.as_object().cloned());
        let found = found.ok_or_else(|| cannot("#", "a reference to something outside `$defs`"))?;
        root.remove("$ref");
        root.extend(found);
    }
    if root.get("type") == Some(&json!("object")) {
        Ok(Value::Object(root))
    } else {
        Err(cannot("#", "an answer that is no object"))
    }
}

fn cannot(path: &str, what: &str) -> Error {
    let message = format!("{path}: {what} has no form in OpenAI's strict subset");
    Error::new(Kind::Schema, message).with_hint("name each member, or leave `strict` out")
}

fn node(says: &Value, path: &str) -> Result<Value> {
    let Value::Object(says) = says else { return Err(cannot(path, "a value of any type")) };
    let mut made = Map::new();
    for (key, value) in says {
        match (key.as_str(), value) {
            ("$defs" | "definitions" | "properties", Value::Object(members)) => {
                let members = members
                    .iter()
                    .map(|(name, member)| Ok((name.clone(), node(member, &format!("{path}/{key}/{name}"))?)));
                made.insert(key.clone(), Value::Object(members.collect::<Result<_>>()?));
            }
            ("items", items) => {
                made.insert(key.clone(), node(items, &format!("{path}/items"))?);
            }
            ("anyOf", Value::Array(choices)) => {
                made.insert(key.clone(), choice(choices, &format!("{path}/anyOf"))?);
            }
            // A discriminator tells the choices apart, so that only one of them can fit.
            ("oneOf", Value::Array(choices)) if says.contains_key("discriminator") => {
                made.insert("anyOf".to_owned(), choice(choices, &format!("{path}/oneOf"))?);
            }
            ("allOf", Value::Array(parts)) if parts.len() == 1 => {
                let Value::Object(part) = node(&parts[0], &format!("{path}/allOf/0"))? else { continue };
                made.extend(part);
            }
            ("format", Value::String(format)) => {
                if FORMATS.contains(&format.as_str()) {
                    made.insert(key.clone(), value.clone());
                }
            }
            ("additionalProperties", Value::Bool(_)) | ("required", _) => {}
            ("additionalProperties", _) => return Err(cannot(path, "an object with any keys")),
            ("type" | "$ref", value) => drop(made.insert(key.clone(), value.clone())),
            (key, _) if KEPT.contains(&key) => drop(made.insert(key.to_owned(), value.clone())),
            (key, _) if LEFT_OUT.contains(&key) => {}
            (key, _) => return Err(cannot(path, &format!("`{key}`"))),
        }
    }
    close(made, path)
}

fn choice(choices: &[Value], path: &str) -> Result<Value> {
    let made = choices.iter().enumerate().map(|(at, choice)| node(choice, &format!("{path}/{at}")));
    Ok(Value::Array(made.collect::<Result<_>>()?))
}

/// Requires every member of an object and allows no others; nothing stands beside a reference.
fn close(mut made: Map<String, Value>, path: &str) -> Result<Value> {
    if made.contains_key("$ref") {
        made.retain(|key, _| key == "$ref" || key == "$defs");
        return Ok(Value::Object(made));
    }
    let kinds = match made.get("type") {
        Some(Value::Array(kinds)) => kinds.clone(),
        Some(kind) => vec![kind.clone()],
        None => Vec::new(),
    };
    let is = |name: &str| kinds.iter().any(|kind| kind == name);
    if is("object") {
        let Some(Value::Object(members)) = made.get("properties") else {
            return Err(cannot(path, "an object with any keys"));
        };
        let required: Value = members.keys().map(String::as_str).collect();
        made.insert("required".to_owned(), required);
        made.insert("additionalProperties".to_owned(), json!(false));
    }
    if is("array") && !made.contains_key("items") {
        return Err(cannot(path, "a list of anything"));
    }
    if kinds.is_empty() && !["anyOf", "enum", "const"].iter().any(|key| made.contains_key(*key)) {
        return Err(cannot(path, "a value of any type"));
    }
    Ok(Value::Object(made))
}
