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

/// What a subset cannot express, and what to do.
pub(super) type Inexpressible<'a> = (&'a str, &'static str);

pub(super) const ANY_KEYS: Inexpressible<'_> = ("an object with any keys", "declare each member");
pub(super) const ANY_VALUE: Inexpressible<'_> = ("a value of any type", "give it a `type`");
pub(super) const ANY_ITEMS: Inexpressible<'_> = ("a list of anything", "give the type of its `items`");
pub(super) const NOT_AN_OBJECT: Inexpressible<'_> =
    ("an answer that is not an object", "put it into an object under a key");
pub(super) const OUTSIDE: Inexpressible<'_> =
    ("a reference to something outside `$defs`", "move the schema that it refers to into `$defs`");

fn cannot(path: &str, (what, hint): Inexpressible<'_>) -> Error {
    let message = format!("{path}: {what} cannot be expressed in OpenAI's strict subset");
    Error::new(Kind::Schema, message).with_hint(hint)
}

/// What to do about a keyword that the subset lacks.
fn instead_of(key: &str) -> &'static str {
    match key {
        "oneOf" => "write the choices under `anyOf`",
        "allOf" => "write the members of all parts into one object",
        _ => LEAVE_OUT,
    }
}

/// What to do about a rule that the subset lacks.
const LEAVE_OUT: &str = "leave this rule out, and check it when the tool is called";

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
            return Err(cannot("#", NOT_AN_OBJECT));
        };
        resolve_root(&mut root).ok_or_else(|| cannot("#", OUTSIDE))?;
        if root.get("type") != Some(&json!("object")) {
            return Err(cannot("#", NOT_AN_OBJECT));
        }
        inline_described(&mut root);
        Ok(Value::Object(root))
    }

    fn node(self, schema: &Value, path: &str) -> Result<Value> {
        let Value::Object(schema) = schema else { return Err(cannot(path, ANY_VALUE)) };
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
                    return Err(cannot(path, (&format!("the format `{format}`"), LEAVE_OUT)));
                }
                ("additionalProperties", Value::Bool(true)) if !self.may_lose => {
                    return Err(cannot(path, ANY_KEYS));
                }
                ("format", Value::String(_)) | ("additionalProperties", Value::Bool(_)) | ("required", _) => {
                }
                ("additionalProperties", _) => return Err(cannot(path, ANY_KEYS)),
                ("type" | "$ref", value) => drop(strict.insert(key.clone(), value.clone())),
                (key, _) if KEPT.contains(&key) => drop(strict.insert(key.to_owned(), value.clone())),
                (key, _) if ANNOTATIONS.contains(&key) || (self.may_lose && RULES.contains(&key)) => {}
                (key, _) => return Err(cannot(path, (&format!("`{key}`"), instead_of(key)))),
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
                return Err(cannot(path, ANY_KEYS));
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
            return Err(cannot(path, ANY_ITEMS));
        }
        if kinds.is_empty() && !["anyOf", "enum", "const"].iter().any(|key| strict.contains_key(*key)) {
            return Err(cannot(path, ANY_VALUE));
        }
        Ok(Value::Object(strict))
    }
}
