//! Converts a JSON Schema to the subset that the Gemini API accepts, for answers and for the parameters of functions.
//! Rules that the subset lacks become words in the description, and validation of the answer checks them.

use serde_json::{Map, Value, json};

use super::reference_circle::circle;
use super::root_reference::{definition_name, resolve_root};
use super::words::describe;
use crate::error::{Error, Kind, Result};

/// Keywords that are kept unchanged.
const KEPT: [&str; 8] =
    ["type", "title", "description", "format", "minItems", "maxItems", "minimum", "maximum"];

/// Keywords that tell a model nothing.
const LEFT_OUT: [&str; 5] = ["$schema", "$comment", "discriminator", "readOnly", "writeOnly"];

/// Converts a document to the subset.
///
/// # Errors
/// [`Kind::Schema`] for a part that the subset cannot express, with its path.
pub(super) fn to_subset(document: &Value) -> Result<Value> {
    let mut root = node(document, "#")?;
    resolve_root(&mut root).ok_or_else(|| cannot("#", "a reference to something outside `$defs`"))?;
    check_references(&root)?;
    Ok(Value::Object(root))
}

fn cannot(path: &str, what: &str) -> Error {
    let message = format!("{path}: {what} cannot be expressed in Gemini's structured output");
    Error::new(Kind::Schema, message).with_hint("declare each member, and let one that repeats be optional")
}

fn node(schema: &Value, path: &str) -> Result<Map<String, Value>> {
    let schema = match schema {
        Value::Object(schema) => schema,
        Value::Bool(true) => return Ok(Map::new()),
        _ => return Err(cannot(path, "a schema that allows nothing")),
    };
    let mut rest = schema.clone();
    rest.retain(|key, _| !LEFT_OUT.contains(&key.as_str()));
    // What all parts of one have belongs to the schema itself.
    if let Some(Value::Array(parts)) = rest.get("allOf") {
        let [Value::Object(part)] = &parts[..] else {
            return Err(cannot(path, "`allOf` of several schemas"));
        };
        let part = part.clone();
        rest.shift_remove("allOf");
        for (key, value) in part {
            rest.entry(key).or_insert(value);
        }
    }
    let mut out = Map::new();
    if let Some(Value::Object(definitions)) = rest.shift_remove("$defs") {
        out.insert("$defs".to_owned(), members(&definitions, &format!("{path}/$defs"))?);
    }
    if let Some(reference) = rest.shift_remove("$ref") {
        describe(&mut out, rest);
        if out.keys().any(|key| key != "$defs") {
            // Nothing but keys with a dollar sign may be beside a reference.
            out.insert("anyOf".to_owned(), json!([{"$ref": reference}]));
        } else {
            out.insert("$ref".to_owned(), reference);
        }
        return Ok(out);
    }
    for key in KEPT {
        if let Some(value) = rest.shift_remove(key) {
            out.insert(key.to_owned(), value);
        }
    }
    literals(&mut out, &mut rest);
    for (key, sent) in [("anyOf", "anyOf"), ("oneOf", "anyOf"), ("prefixItems", "prefixItems")] {
        let Some(Value::Array(parts)) = rest.shift_remove(key) else { continue };
        let parts = parts.iter().enumerate().map(|(at, part)| node(part, &format!("{path}/{key}/{at}")));
        if out.contains_key(sent) {
            return Err(cannot(path, "two lists of choices"));
        }
        out.insert(sent.to_owned(), json!(parts.collect::<Result<Vec<_>>>()?));
    }
    for key in ["items", "additionalProperties"] {
        match rest.shift_remove(key) {
            None => {}
            Some(Value::Bool(allowed)) => drop(out.insert(key.to_owned(), json!(allowed))),
            Some(inner) => {
                out.insert(key.to_owned(), Value::Object(node(&inner, &format!("{path}/{key}"))?));
            }
        }
    }
    if let Some(Value::Object(properties)) = rest.shift_remove("properties") {
        out.insert("properties".to_owned(), members(&properties, &format!("{path}/properties"))?);
    }
    out.extend(rest.shift_remove("required").map(|required| ("required".to_owned(), required)));
    describe(&mut out, rest);
    Ok(out)
}

/// Moves the values of `enum` or `const` that the subset has: texts and numbers. Null among them becomes a choice.
fn literals(out: &mut Map<String, Value>, rest: &mut Map<String, Value>) {
    let values = match (rest.get("enum"), rest.get("const")) {
        (Some(Value::Array(values)), _) => values.clone(),
        (None, Some(value)) => vec![value.clone()],
        _ => return,
    };
    let (nulls, values): (Vec<_>, Vec<_>) = values.into_iter().partition(Value::is_null);
    if values.is_empty() || !values.iter().all(|value| value.is_string() || value.is_number()) {
        return;
    }
    rest.shift_remove("enum");
    rest.shift_remove("const");
    let kind = |value: &Value| match value {
        Value::String(_) => "string",
        Value::Number(number) if number.is_f64() => "number",
        _ => "integer",
    };
    let kinds: Vec<&str> = values.iter().map(kind).collect();
    let kind = if kinds.iter().all(|kind| *kind == kinds[0]) { kinds[0] } else { "" };
    if nulls.is_empty() {
        if !kind.is_empty() && !out.contains_key("type") {
            out.insert("type".to_owned(), json!(kind));
        }
        out.insert("enum".to_owned(), json!(values));
    } else {
        out.shift_remove("type");
        let mut choice = Map::new();
        if !kind.is_empty() {
            choice.insert("type".to_owned(), json!(kind));
        }
        choice.insert("enum".to_owned(), json!(values));
        out.insert("anyOf".to_owned(), json!([choice, {"type": "null"}]));
    }
}

fn members(schemas: &Map<String, Value>, path: &str) -> Result<Value> {
    let converted = schemas
        .iter()
        .map(|(name, schema)| Ok((name.clone(), json!(node(schema, &format!("{path}/{name}"))?))));
    Ok(Value::Object(converted.collect::<Result<_>>()?))
}

/// Checks that every reference leads to a definition, and that none must lead back to itself: Gemini follows such a
/// reference only from a member that can be left out.
fn check_references(root: &Map<String, Value>) -> Result<()> {
    let none = Map::new();
    let definitions = root.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    let mut all = Vec::new();
    references(&Value::Object(root.clone()), false, &mut all)?;
    if let Some(missing) = all.iter().find(|name| !definitions.contains_key(*name)) {
        return Err(cannot("#", &format!("a reference to `{missing}`, which is not defined,")));
    }
    let mut required: Vec<(&str, Vec<String>)> = Vec::with_capacity(definitions.len());
    for (name, definition) in definitions {
        let mut names = Vec::new();
        references(definition, true, &mut names)?;
        required.push((name, names));
    }
    match circle(&required) {
        Some(name) => {
            Err(cannot(&format!("#/$defs/{name}"), "a schema that refers to itself in a required member"))
        }
        None => Ok(()),
    }
}

/// Collects the names of the definitions that a schema refers to; if `required`, without those of members that can be
/// left out.
fn references(schema: &Value, required: bool, names: &mut Vec<String>) -> Result<()> {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let name = definition_name(reference);
                names.push(name.ok_or_else(|| cannot("#", "a schema that refers to itself"))?);
            }
            let is_required = |name: &str| {
                let list = members.get("required").and_then(Value::as_array);
                list.is_some_and(|list| list.iter().any(|listed| listed == name))
            };
            for (key, member) in members {
                match member {
                    Value::Object(properties) if key == "properties" => {
                        for (name, property) in properties {
                            if !required || is_required(name) {
                                references(property, required, names)?;
                            }
                        }
                    }
                    member => references(member, required, names)?,
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| references(item, required, names)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::to_subset;

    #[test]
    fn rules_that_gemini_lacks_become_words() {
        let document = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "description": "A name", "minLength": 2, "pattern": "^[A-Z]"},
            "kind": {"const": "fern"}, "size": {"enum": [1, 2, null]}, "sure": {"const": true},
            "left": {"type": "integer", "minimum": 0, "exclusiveMaximum": 9}}});
        assert_eq!(
            to_subset(&document).unwrap()["properties"],
            json!({
                "name": {"type": "string", "description": "A name\n\n{minLength: 2, pattern: ^[A-Z]}"},
                "kind": {"type": "string", "enum": ["fern"]},
                "size": {"anyOf": [{"type": "integer", "enum": [1, 2]}, {"type": "null"}]},
                "sure": {"description": "{const: true}"},
                "left": {"type": "integer", "minimum": 0, "description": "{exclusiveMaximum: 9}"}
            })
        );
    }

    #[test]
    fn nothing_is_beside_a_reference() {
        let document = json!({"type": "object", "$defs": {"A": {"type": "string"}},
            "properties": {"a": {"$ref": "#/$defs/A", "description": "The a"}, "b": {"$ref": "#/$defs/A"}}});
        assert_eq!(
            to_subset(&document).unwrap()["properties"],
            json!({"a": {"description": "The a", "anyOf": [{"$ref": "#/$defs/A"}]}, "b": {"$ref": "#/$defs/A"}})
        );
    }

    #[test]
    fn a_schema_may_refer_to_itself_only_where_that_can_end() {
        let tree = |required: &[&str]| {
            json!({"$ref": "#/$defs/Node", "$defs": {"Node": {"type": "object", "required": required, "properties": {
                "value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}}}}})
        };
        assert!(to_subset(&tree(&["value"])).is_ok());
        let error = to_subset(&tree(&["value", "next"])).unwrap_err();
        assert!(error.message().contains("#/$defs/Node"), "{}", error.message());
        for wrong in [
            json!({"properties": {"a": false}}),
            json!({"allOf": [{"type": "object"}, {"type": "array"}]}),
            json!({"$ref": "#/$defs/Missing"}),
            json!({"properties": {"a": {"$ref": "#"}}}),
        ] {
            assert!(to_subset(&wrong).is_err(), "{wrong}");
        }
    }
}
