//! Converts a JSON Schema to the subset that the Gemini API accepts, for answers and for the parameters of functions.
//! Rules that the subset lacks become words in the description, and validation of the answer checks them.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::described_references::spend;
use super::intersection::{ANNOTATIONS, intersection, keep_constant};
use super::reference_circle::circle;
use super::root_reference::{definition_name, resolve_root};
use super::words::describe;
use crate::error::{Error, Kind, Result};

/// Keywords that are kept unchanged.
const KEPT: [&str; 8] =
    ["type", "title", "description", "format", "minItems", "maxItems", "minimum", "maximum"];

/// Keywords that tell a model nothing.
const LEFT_OUT: [&str; 9] = [
    "$schema",
    "$id",
    "$anchor",
    "$comment",
    "discriminator",
    "readOnly",
    "writeOnly",
    // References lead only to those of the document, which are taken from it before.
    "$defs",
    "definitions",
];

/// The maximum number of values that are copied from definitions.
const MAX_COPIED: usize = 10_000;

/// The maximum number of values in joined schemas, each counted where it is joined. Each property of one schema has the
/// `additionalProperties` of the other, so a few lines can give any number.
const MAX_JOINED: usize = 100_000;

/// Converts a document to the subset.
///
/// # Errors
/// [`Kind::Schema`] for a part that the subset cannot express, with its path.
pub(super) fn to_subset(document: &Value) -> Result<Value> {
    let Value::Object(document) = document else {
        return GeminiSubset::new(Map::new()).node(document, "#").map(Value::Object);
    };
    let mut document = document.clone();
    let definitions = take_definitions(&mut document);
    let mut subset = GeminiSubset::new(definitions.clone());
    let mut converted = subset.members(&definitions, "#/$defs")?;
    let document = Value::Object(document);
    let mut root = subset.node(&document, "#")?;
    if subset.refers_to_root {
        converted.insert(subset.root_name, Value::Object(root.clone()));
    }
    if !converted.is_empty() {
        root.insert("$defs".to_owned(), Value::Object(converted));
    }
    resolve_root(&mut root).ok_or_else(|| outside_of_definitions("#"))?;
    check_circles(&root)?;
    Ok(Value::Object(root))
}

/// Removes and returns the definitions, also those under their older keyword.
fn take_definitions(document: &mut Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for key in ["$defs", "definitions"] {
        if let Some(Value::Object(definitions)) = document.shift_remove(key) {
            for (name, definition) in definitions {
                all.entry(name).or_insert(definition);
            }
        }
    }
    all
}

fn cannot(path: &str, what: &str, hint: &'static str) -> Error {
    let message = format!("{path}: {what}, which Gemini's subset of JSON Schema cannot express");
    Error::new(Kind::Schema, message).with_hint(hint)
}

fn allows_nothing(path: &str) -> Error {
    cannot(path, "a schema that allows nothing", "remove it, or change it so that a value can fit it")
}

fn outside_of_definitions(path: &str) -> Error {
    let what = "a reference to something outside `$defs`";
    cannot(path, what, "move the schema that it refers to into `$defs`")
}

/// The conversion of one document.
struct GeminiSubset {
    definitions: Map<String, Value>,
    /// The name of the definition that stands for the document itself.
    root_name: String,
    refers_to_root: bool,
    /// The definitions that the schema under conversion was copied from.
    within: Vec<String>,
    /// The number of values that may still be copied.
    left: usize,
    /// The number of values that schemas of an `allOf` may still have together.
    left_to_join: usize,
}

impl GeminiSubset {
    fn new(definitions: Map<String, Value>) -> Self {
        let mut root_name = "Root".to_owned();
        while definitions.contains_key(&root_name) {
            root_name.push('_');
        }
        Self {
            definitions,
            root_name,
            refers_to_root: false,
            within: Vec::new(),
            left: MAX_COPIED,
            left_to_join: MAX_JOINED,
        }
    }

    fn node(&mut self, schema: &Value, path: &str) -> Result<Map<String, Value>> {
        let schema = match schema {
            Value::Object(schema) => schema,
            Value::Bool(true) => return Ok(Map::new()),
            _ => return Err(allows_nothing(path)),
        };
        let depth = self.within.len();
        let (joined, copied) = self.joined(schema, path, &mut Vec::new())?;
        self.within.extend(copied);
        let converted = self.keywords(joined, path);
        self.within.truncate(depth);
        converted
    }

    /// The schema with the rules of its `allOf`, and of its reference if rules are beside that. Also returns the names of
    /// the definitions that were copied. `chain` are the definitions that lead here.
    fn joined(
        &mut self,
        schema: &Map<String, Value>,
        path: &str,
        chain: &mut Vec<String>,
    ) -> Result<(Map<String, Value>, Vec<String>)> {
        let mut schema = schema.clone();
        schema.retain(|key, _| !LEFT_OUT.contains(&key.as_str()));
        let parts = match schema.shift_remove("allOf") {
            Some(Value::Array(parts)) => parts,
            _ => Vec::new(),
        };
        let mut copied = Vec::new();
        let mut all = vec![schema];
        for (at, part) in parts.iter().enumerate() {
            let path = format!("{path}/allOf/{at}");
            match part {
                Value::Object(part) => {
                    let (part, more) = self.joined(part, &path, chain)?;
                    copied.extend(more);
                    all.push(part);
                }
                Value::Bool(true) => {}
                _ => return Err(allows_nothing(&path)),
            }
        }
        let is_rule = |key: &str| !ANNOTATIONS.contains(&key) && key != "description";
        let rules = all.iter().flat_map(Map::keys).filter(|key| is_rule(key.as_str())).count();
        let mut joined = Map::new();
        for mut part in all {
            // A reference alone stays a reference. So does one that leads back here: the rules beside it become words.
            if rules > 1
                && let Some(reference) = part.get("$ref").cloned()
                && !self.leads_back(&reference, path, chain)?
            {
                part.shift_remove("$ref");
                let (definition, more) = self.copy(&reference, path, chain)?;
                copied.extend(more);
                part = self.joined_at(part, definition, path)?;
            }
            if let (Some(one), Some(other)) = (joined.get("$ref"), part.get("$ref"))
                && one != other
            {
                let hint = "write one schema with the rules of both";
                return Err(cannot(path, "two references that lead back here", hint));
            }
            joined = self.joined_at(joined, part, path)?;
        }
        Ok((joined, copied))
    }

    /// Whether a reference leads to a definition that the schema under conversion is a part of, so that a copy has no end.
    fn leads_back(&mut self, reference: &Value, path: &str, chain: &[String]) -> Result<bool> {
        let (_, name) = self.target(reference, path)?;
        Ok(name == self.root_name || self.within.contains(&name) || chain.contains(&name))
    }

    fn joined_at(
        &mut self,
        first: Map<String, Value>,
        second: Map<String, Value>,
        path: &str,
    ) -> Result<Map<String, Value>> {
        if first.is_empty() {
            return Ok(second);
        }
        let joined = intersection(first, second).map_err(|conflict| at_once(path, &conflict))?;
        let joined = Value::Object(joined);
        if !spend(&joined, &mut self.left_to_join) {
            let hint = "write schemas without `allOf` that have the rules of all";
            return Err(cannot(path, "a schema with so much in `allOf`", hint));
        }
        match joined {
            Value::Object(joined) => Ok(joined),
            _ => Ok(Map::new()),
        }
    }

    /// The definition that a reference leads to, and the names of the definitions that were copied.
    fn copy(
        &mut self,
        reference: &Value,
        path: &str,
        chain: &mut Vec<String>,
    ) -> Result<(Map<String, Value>, Vec<String>)> {
        let (_, name) = self.target(reference, path)?;
        let definition = self.definitions.get(&name).cloned().unwrap_or_default();
        if !spend(&definition, &mut self.left) {
            let what = format!("rules beside so many references as that to `{name}`");
            return Err(cannot(path, &what, "write the rules into the schemas in `$defs`"));
        }
        match definition {
            Value::Object(definition) => {
                chain.push(name.clone());
                let joined = self.joined(&definition, path, chain);
                chain.pop();
                let (definition, mut copied) = joined?;
                copied.push(name);
                Ok((definition, copied))
            }
            Value::Bool(true) => Ok((Map::new(), Vec::new())),
            _ => Err(allows_nothing(path)),
        }
    }

    /// The reference to a definition as it is sent, and the name of the definition.
    fn target(&mut self, reference: &Value, path: &str) -> Result<(String, String)> {
        let reference = reference.as_str().unwrap_or_default();
        if reference == "#" {
            self.refers_to_root = true;
            return Ok((format!("#/$defs/{}", self.root_name), self.root_name.clone()));
        }
        let Some(place) = reference.strip_prefix('#') else {
            let hint = "copy the schema that it refers to into `$defs`";
            return Err(cannot(path, "a reference to another document", hint));
        };
        let place = match place.strip_prefix("/definitions/") {
            Some(name) => format!("#/$defs/{name}"),
            None => reference.to_owned(),
        };
        let name = definition_name(&place).ok_or_else(|| outside_of_definitions(path))?;
        if !self.definitions.contains_key(&name) {
            let message = format!("{path}: there is no definition `{name}`, which `$ref` refers to");
            return Err(Error::new(Kind::Schema, message).with_hint("add the schema to `$defs`"));
        }
        Ok((place, name))
    }

    /// The keywords of a schema without `allOf`, as the subset has them.
    fn keywords(&mut self, mut rest: Map<String, Value>, path: &str) -> Result<Map<String, Value>> {
        keep_constant(&mut rest).map_err(|conflict| at_once(path, &conflict))?;
        let mut out = Map::new();
        if let Some(reference) = rest.shift_remove("$ref") {
            let (reference, _) = self.target(&reference, path)?;
            describe(&mut out, rest);
            if out.is_empty() {
                out.insert("$ref".to_owned(), json!(reference));
            } else {
                // Nothing but keys with a dollar sign may be beside a reference.
                out.insert("anyOf".to_owned(), json!([{"$ref": reference}]));
            }
            return Ok(out);
        }
        for key in KEPT {
            if let Some(value) = rest.shift_remove(key) {
                out.insert(key.to_owned(), value);
            }
        }
        literals(&mut out, &mut rest);
        // The older spelling.
        if let Some(Value::Array(_)) = rest.get("items")
            && let Some(items) = rest.shift_remove("items")
        {
            rest.entry("prefixItems").or_insert(items);
        }
        for (key, sent) in [("anyOf", "anyOf"), ("oneOf", "anyOf"), ("prefixItems", "prefixItems")] {
            let Some(Value::Array(parts)) = rest.shift_remove(key) else { continue };
            let parts =
                parts.iter().enumerate().map(|(at, part)| self.node(part, &format!("{path}/{key}/{at}")));
            let parts = parts.collect::<Result<Vec<_>>>()?;
            if out.insert(sent.to_owned(), json!(parts)).is_some() {
                return Err(at_once(path, "two lists of choices"));
            }
        }
        for key in ["items", "additionalProperties"] {
            match rest.shift_remove(key) {
                None => {}
                Some(Value::Bool(allowed)) => drop(out.insert(key.to_owned(), json!(allowed))),
                Some(inner) => {
                    let inner = self.node(&inner, &format!("{path}/{key}"))?;
                    out.insert(key.to_owned(), Value::Object(inner));
                }
            }
        }
        if let Some(Value::Object(properties)) = rest.shift_remove("properties") {
            let properties = self.members(&properties, &format!("{path}/properties"))?;
            out.insert("properties".to_owned(), Value::Object(properties));
        }
        out.extend(rest.shift_remove("required").map(|required| ("required".to_owned(), required)));
        describe(&mut out, rest);
        Ok(out)
    }

    fn members(&mut self, schemas: &Map<String, Value>, path: &str) -> Result<Map<String, Value>> {
        let converted = schemas
            .iter()
            .map(|(name, schema)| Ok((name.clone(), json!(self.node(schema, &format!("{path}/{name}"))?))));
        converted.collect()
    }
}

fn at_once(path: &str, conflict: &str) -> Error {
    cannot(path, conflict, "write one schema without `allOf` that has the rules of both")
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

/// Checks that no definition must lead back to itself: Gemini follows such a reference only from a member that can be
/// left out.
fn check_circles(root: &Map<String, Value>) -> Result<()> {
    let none = Map::new();
    let definitions = root.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    let mut required: Vec<(&str, Vec<String>)> = Vec::with_capacity(definitions.len());
    for (name, definition) in definitions {
        let mut names = Vec::new();
        required_references(definition, &mut names);
        required.push((name, names));
    }
    match circle(&required) {
        Some(name) => {
            let hint = "let the member that repeats be optional: remove it from `required`";
            Err(cannot(
                &format!("#/$defs/{name}"),
                "a schema that refers to itself in a required member",
                hint,
            ))
        }
        None => Ok(()),
    }
}

/// Collects the names of the definitions that a schema refers to, without those of members that can be left out.
fn required_references(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                names.extend(definition_name(reference));
            }
            let required: HashSet<&str> = match members.get("required") {
                Some(Value::Array(required)) => required.iter().filter_map(Value::as_str).collect(),
                _ => HashSet::new(),
            };
            for (key, member) in members {
                match member {
                    Value::Object(properties) if key == "properties" => {
                        let properties =
                            properties.iter().filter(|(name, _)| required.contains(name.as_str()));
                        properties.for_each(|(_, property)| required_references(property, names));
                    }
                    member => required_references(member, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| required_references(item, names)),
        _ => {}
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
        assert!(
            error.message().starts_with("#/$defs/Node: a schema that refers to itself in a required member")
        );
        assert!(error.hint().unwrap().contains("remove it from `required`"));
    }

    #[test]
    fn a_reference_to_the_document_leads_to_a_definition_of_it() {
        let document = |required: &[&str]| {
            json!({"type": "object", "required": required, "properties": {"next": {"$ref": "#"}},
                "$defs": {"Root": {"type": "string"}}})
        };
        let sent = to_subset(&document(&[])).unwrap();
        assert_eq!(sent["properties"]["next"], json!({"$ref": "#/$defs/Root_"}));
        assert_eq!(
            sent["$defs"]["Root_"],
            json!({"type": "object", "required": [], "properties": {"next": {"$ref": "#/$defs/Root_"}}})
        );
        assert!(to_subset(&document(&["next"])).is_err());
        let older = json!({"properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": {"type": "string"}}});
        assert_eq!(
            to_subset(&older).unwrap(),
            json!({"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "string"}}})
        );
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_refused_in_its_place() {
        for (reference, problem) in [
            ("https://example.org/a.json", "#/properties/a/items: a reference to another document"),
            ("other.json#/$defs/A", "#/properties/a/items: a reference to another document"),
            ("#/properties/b", "#/properties/a/items: a reference to something outside `$defs`"),
            ("#/$defs/A", "#/properties/a/items: there is no definition `A`"),
        ] {
            let document = json!({"properties": {"a": {"items": {"$ref": reference}}, "b": {}}});
            let error = to_subset(&document).unwrap_err();
            assert!(error.message().starts_with(problem), "{}", error.message());
        }
        let error = to_subset(&json!({"properties": {"a": false}})).unwrap_err();
        assert!(error.message().starts_with("#/properties/a: a schema that allows nothing"));
    }

    #[test]
    fn all_rules_of_all_of_are_kept() {
        let document = json!({
            "$defs": {
                "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
                "Plant": {"allOf": [{"$ref": "#/$defs/Named"}, {"properties": {"name": {"minLength": 2}}}]}
            },
            "type": "object", "required": ["size"],
            "properties": {"size": {"type": "integer", "minimum": 1, "allOf": [{"minimum": 5}, {"maximum": 9}]},
                "code": {"type": "string", "pattern": "^a", "allOf": [{"pattern": "b$"}]}},
            "allOf": [{"$ref": "#/$defs/Plant"}, {"properties": {"size": {"description": "In cm"}}}]
        });
        let sent = to_subset(&document).unwrap();
        assert_eq!(sent["required"], json!(["size", "name"]));
        assert_eq!(
            sent["properties"],
            json!({
                "size": {"type": "integer", "description": "In cm", "minimum": 5, "maximum": 9},
                "code": {"type": "string", "description": "{pattern: ^a, allOf: [{\"pattern\":\"b$\"}]}"},
                "name": {"type": "string", "description": "{minLength: 2}"}
            })
        );
        assert_eq!(sent["$defs"]["Plant"]["properties"]["name"], sent["properties"]["name"]);
    }

    #[test]
    fn rules_beside_a_reference_are_kept_and_must_end() {
        let document = json!({"$defs": {"A": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/A", "enum": ["x"]}}});
        assert_eq!(
            to_subset(&document).unwrap()["properties"]["a"],
            json!({"type": "string", "enum": ["x"]})
        );
        let circle = json!({"$defs": {"A": {"properties": {"a": {"$ref": "#/$defs/A", "title": "A", "minProperties": 1}}}}});
        let sent = to_subset(&circle).unwrap();
        let inner = &sent["$defs"]["A"]["properties"]["a"]["properties"]["a"];
        assert_eq!(inner["anyOf"], json!([{"$ref": "#/$defs/A"}]));
        assert_eq!(inner["description"], json!("{minProperties: 1}"));
        for part in [json!({"type": "array"}), json!(false), json!({"anyOf": [{}]})] {
            let document = json!({"type": "object", "anyOf": [{"required": ["a"]}], "allOf": [part]});
            assert!(to_subset(&document).is_err(), "{document}");
        }
        let many: Vec<_> = (0..30)
            .map(|at| {
                json!({"properties": {"l": {"$ref": format!("#/$defs/D{}", at + 1), "minProperties": 1},
            "r": {"$ref": format!("#/$defs/D{}", at + 1), "minProperties": 1}}})
            })
            .collect();
        let mut definitions = serde_json::Map::new();
        for (at, definition) in many.into_iter().enumerate() {
            definitions.insert(format!("D{at}"), definition);
        }
        definitions.insert("D30".to_owned(), json!({"type": "object"}));
        let error = to_subset(&json!({"$ref": "#/$defs/D0", "$defs": definitions})).unwrap_err();
        assert!(error.message().contains("so many references"), "{}", error.message());
    }
}
