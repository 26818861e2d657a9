//! Converts a JSON Schema to the subset that the structured output of Anthropic and Bedrock accepts: objects allow no
//! other keys, and rules that the subset lacks become words in the description.
//!
//! It follows `transform_schema` of Anthropic's package. Validation of the answer checks all rules.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::openai_strict::{ANY_ITEMS, ANY_KEYS, ANY_VALUE, FORMATS, Inexpressible, NOT_AN_OBJECT, OUTSIDE};
use super::reference_circle::circle;
use super::root_reference::{definition_name, resolve_root};
use super::words::describe;
use crate::error::{Error, Kind, Result};

/// Keywords that tell a model nothing.
const LEFT_OUT: &[&str] =
    &["$schema", "$id", "$comment", "$anchor", "discriminator", "readOnly", "writeOnly"];

/// Converts a document to the subset.
///
/// # Errors
/// [`Kind::Schema`] for a part that the subset cannot express, with its path.
pub(super) fn to_subset(document: &Value) -> Result<Value> {
    let mut root = node(document, "#")?;
    // The root must be an object, but a model can have a reference to its definition there.
    resolve_root(&mut root).ok_or_else(|| cannot("#", OUTSIDE))?;
    if root.get("type") != Some(&json!("object")) {
        return Err(cannot("#", NOT_AN_OBJECT));
    }
    check_references(&root)?;
    Ok(Value::Object(root))
}

const CIRCLE: Inexpressible<'_> =
    ("a schema that refers to itself", "write as many levels as you need, each with a name of its own");

fn cannot(path: &str, (what, hint): Inexpressible<'_>) -> Error {
    let message = format!(
        "{path}: {what} cannot be expressed in Anthropic's structured output, which Bedrock's follows"
    );
    Error::new(Kind::Schema, message).with_hint(hint)
}

fn node(schema: &Value, path: &str) -> Result<Map<String, Value>> {
    let Value::Object(schema) = schema else { return Err(cannot(path, ANY_VALUE)) };
    let mut rest = schema.clone();
    rest.retain(|key, _| !LEFT_OUT.contains(&key.as_str()));
    let mut out = Map::new();
    if let Some(Value::Object(definitions)) = rest.shift_remove("$defs") {
        out.insert("$defs".to_owned(), members(&definitions, &format!("{path}/$defs"))?);
    }
    if let Some(reference) = rest.shift_remove("$ref") {
        out.insert("$ref".to_owned(), reference);
        describe(&mut out, rest);
        // Nothing may be beside a reference.
        if let Some(description) = out.shift_remove("description") {
            let reference = out.shift_remove("$ref");
            out.insert("anyOf".to_owned(), json!([{"$ref": reference}]));
            out.insert("description".to_owned(), description);
        }
        return Ok(out);
    }
    if let Some(Value::Array(kinds)) = rest.get("type")
        && !has_literals(&rest)
    {
        let choices = choices_of_types(&rest, kinds);
        rest.retain(|key, _| matches!(key.as_str(), "title" | "description" | "default"));
        rest.insert("anyOf".to_owned(), choices);
    }
    content(&mut out, &mut rest, path)?;
    describe(&mut out, rest);
    Ok(out)
}

/// A schema for each type of a list of types.
fn choices_of_types(schema: &Map<String, Value>, kinds: &[Value]) -> Value {
    let choice = |kind: &Value| {
        let mut choice = schema.clone();
        choice.retain(|key, _| !matches!(key.as_str(), "title" | "description" | "default"));
        choice.insert("type".to_owned(), kind.clone());
        if kind == "null" { json!({"type": "null"}) } else { Value::Object(choice) }
    };
    kinds.iter().map(choice).collect()
}

/// Moves the keywords of the subset from `rest` to `out`.
fn content(out: &mut Map<String, Value>, rest: &mut Map<String, Value>, path: &str) -> Result<()> {
    let literals = has_literals(rest);
    for key in ["enum", "const"] {
        if literals && let Some(value) = rest.shift_remove(key) {
            out.insert(key.to_owned(), value);
        }
    }
    // Beside values, the type adds nothing.
    let kind = rest.shift_remove("type").filter(|_| !literals);
    for (key, sent) in [("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")] {
        // Beside a type, `allOf` has only more rules for it, which become words.
        if kind.is_some() && key == "allOf" {
            continue;
        }
        let Some(Value::Array(parts)) = rest.shift_remove(key) else { continue };
        if kind.is_some() {
            return Err(cannot(path, (&format!("`{key}` beside a type"), "keep one of the two")));
        }
        let parts = parts.iter().enumerate().map(|(at, part)| node(part, &format!("{path}/{key}/{at}")));
        let parts: Vec<_> = parts.collect::<Result<_>>()?;
        if sent == "allOf" && parts.iter().any(|part| part.contains_key("$ref")) {
            return Err(cannot(
                path,
                ("`allOf` with a reference", "write the members of all parts into one object"),
            ));
        }
        if out.contains_key(sent) {
            return Err(cannot(path, ("`anyOf` beside `oneOf`", "keep one of the two")));
        }
        out.insert(sent.to_owned(), json!(parts));
    }
    let Some(kind) = kind else {
        let says_something = literals || out.contains_key("anyOf") || out.contains_key("allOf");
        return if says_something { Ok(()) } else { Err(cannot(path, ANY_VALUE)) };
    };
    out.insert("type".to_owned(), kind.clone());
    match kind.as_str() {
        Some("object") => object(out, rest, path),
        Some("array") => array(out, rest, path),
        Some("string") => {
            if let Some(format) = rest.get("format").and_then(Value::as_str).and_then(format) {
                out.insert("format".to_owned(), json!(format));
                rest.shift_remove("format");
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn object(out: &mut Map<String, Value>, rest: &mut Map<String, Value>, path: &str) -> Result<()> {
    let properties = rest.shift_remove("properties");
    match rest.shift_remove("additionalProperties") {
        Some(Value::Bool(false)) => {}
        None | Some(Value::Bool(true)) if properties.is_some() => {}
        _ => return Err(cannot(path, ANY_KEYS)),
    }
    let properties = match properties {
        Some(Value::Object(properties)) => members(&properties, &format!("{path}/properties"))?,
        _ => json!({}),
    };
    out.insert("properties".to_owned(), properties);
    out.extend(rest.shift_remove("required").map(|required| ("required".to_owned(), required)));
    out.insert("additionalProperties".to_owned(), json!(false));
    Ok(())
}

fn array(out: &mut Map<String, Value>, rest: &mut Map<String, Value>, path: &str) -> Result<()> {
    match rest.shift_remove("items") {
        Some(items) => {
            out.insert("items".to_owned(), Value::Object(node(&items, &format!("{path}/items"))?));
        }
        // The description lists the items.
        None if rest.contains_key("prefixItems") => {}
        None => return Err(cannot(path, ANY_ITEMS)),
    }
    if rest.get("minItems").is_some_and(|least| *least == json!(0) || *least == json!(1)) {
        out.extend(rest.shift_remove("minItems").map(|least| ("minItems".to_owned(), least)));
    }
    Ok(())
}

fn members(schemas: &Map<String, Value>, path: &str) -> Result<Value> {
    let converted = schemas
        .iter()
        .map(|(name, schema)| Ok((name.clone(), json!(node(schema, &format!("{path}/{name}"))?))));
    Ok(Value::Object(converted.collect::<Result<_>>()?))
}

/// The format of the subset for a format of JSON Schema. `None`: the format becomes words.
fn format(format: &str) -> Option<&str> {
    match format {
        // The subset has only the narrower formats.
        "idn-email" => Some("email"),
        "iri" => Some("uri"),
        format => (format == "uri" || FORMATS.contains(&format)).then_some(format),
    }
}

/// Whether the values of `enum` or `const` can be sent: none is a list or an object.
fn has_literals(schema: &Map<String, Value>) -> bool {
    let is_primitive = |value: &Value| !value.is_array() && !value.is_object();
    match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => !values.is_empty() && values.iter().all(is_primitive),
        (None, Some(value)) => is_primitive(value),
        _ => false,
    }
}

/// Checks that every reference leads to a definition, and none back to itself.
fn check_references(root: &Map<String, Value>) -> Result<()> {
    let none = Map::new();
    let definitions = root.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    let mut targets: Vec<(&str, Vec<String>)> = Vec::with_capacity(definitions.len());
    for (name, definition) in definitions {
        targets.push((name, references(definition)?));
    }
    let members = root.iter().filter(|(key, _)| *key != "$defs");
    let of_root: Vec<String> =
        members.map(|(_, member)| references(member)).collect::<Result<Vec<_>>>()?.concat();
    let known: HashSet<&str> = definitions.keys().map(String::as_str).collect();
    let mut all = targets.iter().flat_map(|(_, names)| names).chain(&of_root);
    if let Some(missing) = all.find(|name| !known.contains(name.as_str())) {
        return Err(cannot(
            "#",
            (&format!("a reference to `{missing}`, which is not defined,"), "define it in `$defs`"),
        ));
    }
    match circle(&targets) {
        Some(name) => Err(cannot(&format!("#/$defs/{name}"), CIRCLE)),
        None => Ok(()),
    }
}

/// The names of the definitions that a schema refers to.
fn references(schema: &Value) -> Result<Vec<String>> {
    Ok(match schema {
        Value::Object(members) => {
            let own = match members.get("$ref") {
                // `#` is the root, which leads here.
                Some(Value::String(reference)) => {
                    vec![definition_name(reference).ok_or_else(|| cannot("#", CIRCLE))?]
                }
                _ => Vec::new(),
            };
            let others = members.values().map(references).collect::<Result<Vec<_>>>()?.concat();
            [own, others].concat()
        }
        Value::Array(items) => items.iter().map(references).collect::<Result<Vec<_>>>()?.concat(),
        _ => Vec::new(),
    })
}
