//! Converts the JSON Schema of a model to the subset that OpenAI's structured output accepts: every key is required, no
//! other keys are allowed, and keywords that the subset lacks are left out or refused.
//!
//! Rules that the subset cannot express, such as the length of a text, are left out here. Validation of the answer
//! checks them.

use serde_json::{Map, Value, json};

use crate::error::{Error, Kind, Result};

/// Keywords that are kept unchanged.
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

/// Annotations, and rules that only the validation of the answer checks.
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

/// The formats that the subset supports.
pub(super) const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// Converts a document to the subset.
///
/// # Errors
/// [`Kind::Schema`] for a part that the subset cannot express, with its path.
pub(super) fn to_strict(document: &Value) -> Result<Value> {
    let Value::Object(mut root) = node(document, "#")? else {
        return Err(cannot("#", "a schema that is not an object"));
    };
    // The root must be an object, but a model that refers to itself has a reference to its definition there.
    if let Some(Value::String(reference)) = root.get("$ref") {
        let target =
            reference.strip_prefix("#/$defs/").map(|name| name.replace("~1", "/").replace("~0", "~"));
        let definition = target.and_then(|name| root.get("$defs")?.get(&name)?.as_object().cloned());
        let definition = definition.ok_or_else(|| cannot("#", "a reference to something outside `$defs`"))?;
        root.remove("$ref");
        root.extend(definition);
    }
    if root.get("type") == Some(&json!("object")) {
        Ok(Value::Object(root))
    } else {
        Err(cannot("#", "an answer that is not an object"))
    }
}

fn cannot(path: &str, what: &str) -> Error {
    let message = format!("{path}: {what} cannot be expressed in OpenAI's strict subset");
    Error::new(Kind::Schema, message).with_hint("declare each member, or leave `strict` out")
}

fn node(schema: &Value, path: &str) -> Result<Value> {
    let Value::Object(schema) = schema else { return Err(cannot(path, "a value of any type")) };
    let mut strict = Map::new();
    for (key, value) in schema {
        match (key.as_str(), value) {
            ("$defs" | "definitions" | "properties", Value::Object(members)) => {
                let members = members
                    .iter()
                    .map(|(name, member)| Ok((name.clone(), node(member, &format!("{path}/{key}/{name}"))?)));
                strict.insert(key.clone(), Value::Object(members.collect::<Result<_>>()?));
            }
            ("items", items) => {
                strict.insert(key.clone(), node(items, &format!("{path}/items"))?);
            }
            ("anyOf", Value::Array(choices)) => {
                strict.insert(key.clone(), choice(choices, &format!("{path}/anyOf"))?);
            }
            // The discriminator distinguishes the choices, so only one of them can fit.
            ("oneOf", Value::Array(choices)) if schema.contains_key("discriminator") => {
                strict.insert("anyOf".to_owned(), choice(choices, &format!("{path}/oneOf"))?);
            }
            ("allOf", Value::Array(parts)) if parts.len() == 1 => {
                let Value::Object(part) = node(&parts[0], &format!("{path}/allOf/0"))? else { continue };
                strict.extend(part);
            }
            ("format", Value::String(format)) => {
                if FORMATS.contains(&format.as_str()) {
                    strict.insert(key.clone(), value.clone());
                }
            }
            ("additionalProperties", Value::Bool(_)) | ("required", _) => {}
            ("additionalProperties", _) => return Err(cannot(path, "an object with any keys")),
            ("type" | "$ref", value) => drop(strict.insert(key.clone(), value.clone())),
            (key, _) if KEPT.contains(&key) => drop(strict.insert(key.to_owned(), value.clone())),
            (key, _) if LEFT_OUT.contains(&key) => {}
            (key, _) => return Err(cannot(path, &format!("`{key}`"))),
        }
    }
    close(strict, path)
}

fn choice(choices: &[Value], path: &str) -> Result<Value> {
    let choices = choices.iter().enumerate().map(|(at, choice)| node(choice, &format!("{path}/{at}")));
    Ok(Value::Array(choices.collect::<Result<_>>()?))
}

/// Requires every member of an object and allows no others. Removes all keys beside a reference.
fn close(mut strict: Map<String, Value>, path: &str) -> Result<Value> {
    if strict.contains_key("$ref") {
        strict.retain(|key, _| key == "$ref" || key == "$defs");
        return Ok(Value::Object(strict));
    }
    let kinds = match strict.get("type") {
        Some(Value::Array(kinds)) => kinds.clone(),
        Some(kind) => vec![kind.clone()],
        None => Vec::new(),
    };
    let is = |name: &str| kinds.iter().any(|kind| kind == name);
    if is("object") {
        let Some(Value::Object(members)) = strict.get("properties") else {
            return Err(cannot(path, "an object with any keys"));
        };
        let required: Value = members.keys().map(String::as_str).collect();
        strict.insert("required".to_owned(), required);
        strict.insert("additionalProperties".to_owned(), json!(false));
    }
    if is("array") && !strict.contains_key("items") {
        return Err(cannot(path, "a list of anything"));
    }
    if kinds.is_empty() && !["anyOf", "enum", "const"].iter().any(|key| strict.contains_key(*key)) {
        return Err(cannot(path, "a value of any type"));
    }
    Ok(Value::Object(strict))
}
