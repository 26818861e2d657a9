//! Converts the JSON Schema of a model to the subset that OpenAI's structured output accepts: every key is required, no
//! other keys are allowed, and keywords that the subset lacks are left out or refused.
//!
//! Rules that the subset cannot express, such as the length of a text, are left out here. Validation of the answer
//! checks them.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::described_references::inline_described;
use super::root_reference::resolve_root;
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

/// Annotations. They are left out.
const ANNOTATIONS: &[&str] = &[
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
];

/// Rules that only the validation of the answer checks.
const RULES: &[&str] = &["minLength", "maxLength", "uniqueItems"];

/// The formats that the subset supports.
pub(super) const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// Converts a document to the subset. Rules that it lacks are left out, and optional keys become required.
///
/// # Errors
/// [`Kind::Schema`] for a part that the subset cannot express, with its path.
pub(super) fn to_strict(document: &Value) -> Result<Value> {
    Subset { may_lose: true }.document(document)
}

/// Converts a document to the subset, if that loses no rule. Objects that do not say so are closed.
///
/// # Errors
/// [`Kind::Schema`] for a part that the subset cannot express, with its path.
pub(super) fn to_strict_without_loss(document: &Value) -> Result<Value> {
    Subset { may_lose: false }.document(document)
}

fn cannot(path: &str, what: &str) -> Error {
    let message = format!("{path}: {what} cannot be expressed in OpenAI's strict subset");
    Error::new(Kind::Schema, message).with_hint("declare each member")
}

fn optional(path: &str, name: &str) -> Error {
    let message = format!("{path}/properties/{name}: OpenAI's strict subset has no optional keys");
    Error::new(Kind::Schema, message)
        .with_hint("list the key under `required`, and let its value be null where there may be none")
}

/// The conversion to the subset.
#[derive(Clone, Copy)]
struct Subset {
    /// Whether rules may get lost.
    may_lose: bool,
}

impl Subset {
    fn document(self, document: &Value) -> Result<Value> {
        let Value::Object(mut root) = self.node(document, "#")? else {
            return Err(cannot("#", "a schema that is not an object"));
        };
        resolve_root(&mut root).ok_or_else(|| cannot("#", "a reference to something outside `$defs`"))?;
        if root.get("type") != Some(&json!("object")) {
            return Err(cannot("#", "an answer that is not an object"));
        }
        inline_described(&mut root);
        Ok(Value::Object(root))
    }

    fn node(self, schema: &Value, path: &str) -> Result<Value> {
        let Value::Object(schema) = schema else { return Err(cannot(path, "a value of any type")) };
        let mut strict = Map::new();
        for (key, value) in schema {
            match (key.as_str(), value) {
                ("$defs" | "definitions" | "properties", Value::Object(members)) => {
                    let members = members.iter().map(|(name, member)| {
                        Ok((name.clone(), self.node(member, &format!("{path}/{key}/{name}"))?))
                    });
                    strict.insert(key.clone(), Value::Object(members.collect::<Result<_>>()?));
                }
                ("items", items) => {
                    strict.insert(key.clone(), self.node(items, &format!("{path}/items"))?);
                }
                ("anyOf", Value::Array(choices)) => {
                    strict.insert(key.clone(), self.choice(choices, &format!("{path}/anyOf"))?);
                }
                // The discriminator distinguishes the choices, so only one of them can fit.
                ("oneOf", Value::Array(choices)) if schema.contains_key("discriminator") => {
                    strict.insert("anyOf".to_owned(), self.choice(choices, &format!("{path}/oneOf"))?);
                }
                ("allOf", Value::Array(parts)) if parts.len() == 1 => {
                    let Value::Object(part) = self.node(&parts[0], &format!("{path}/allOf/0"))? else {
                        continue;
                    };
                    strict.extend(part);
                }
                ("format", Value::String(format)) if FORMATS.contains(&format.as_str()) => {
                    strict.insert(key.clone(), value.clone());
                }
                ("format", Value::String(format)) if !self.may_lose => {
                    return Err(cannot(path, &format!("the format `{format}`")));
                }
                ("additionalProperties", Value::Bool(true)) if !self.may_lose => {
                    return Err(cannot(path, "an object with any keys"));
                }
                ("format", Value::String(_)) | ("additionalProperties", Value::Bool(_)) | ("required", _) => {
                }
                ("additionalProperties", _) => return Err(cannot(path, "an object with any keys")),
                ("type" | "$ref", value) => drop(strict.insert(key.clone(), value.clone())),
                (key, _) if KEPT.contains(&key) => drop(strict.insert(key.to_owned(), value.clone())),
                (key, _) if ANNOTATIONS.contains(&key) || (self.may_lose && RULES.contains(&key)) => {}
                (key, _) => return Err(cannot(path, &format!("`{key}`"))),
            }
        }
        self.close(strict, schema.get("required"), path)
    }

    fn choice(self, choices: &[Value], path: &str) -> Result<Value> {
        let choices =
            choices.iter().enumerate().map(|(at, choice)| self.node(choice, &format!("{path}/{at}")));
        Ok(Value::Array(choices.collect::<Result<_>>()?))
    }

    /// Requires every member of an object and allows no others. Beside a reference, only words are kept.
    fn close(self, mut strict: Map<String, Value>, required: Option<&Value>, path: &str) -> Result<Value> {
        if strict.contains_key("$ref") {
            strict.retain(|key, _| matches!(key.as_str(), "$ref" | "$defs" | "title" | "description"));
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
            let required: HashSet<&str> =
                required.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            let is_required = |name: &String| required.contains(name.as_str());
            if !self.may_lose
                && let Some(name) = members.keys().find(|name| !is_required(name))
            {
                return Err(optional(path, name));
            }
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
}
