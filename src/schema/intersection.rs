//! Joins schemas of an `allOf` into one that allows what all of them allow.
//!
//! Rules of which one schema has only one, such as two patterns, stay under `allOf`. Schemas inside, such as two of the
//! same property, become an `allOf` of their own.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::numeric::NumericValue;

/// What keeps two schemas from being joined.
type SchemaConflict = String;

type SchemaKeywords = Map<String, Value>;

/// Keywords that belong together. They say something else if one of them comes from another schema.
const GROUPS: [&[&str]; 2] = [&["if", "then", "else"], &["contains", "minContains", "maxContains"]];

/// Keywords of which the higher value is the narrower rule.
const LOWER_BOUNDS: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];

/// Keywords of which the lower value is the narrower rule.
const UPPER_BOUNDS: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];

/// Keywords that are no rules. The first schema's are kept.
pub(super) const ANNOTATIONS: [&str; 7] =
    ["title", "default", "examples", "example", "deprecated", "readOnly", "writeOnly"];

/// Joins two schemas.
///
/// # Errors
/// What keeps them from being joined: rules that exclude each other, or that no one schema can have.
pub(super) fn intersection(
    mut first: SchemaKeywords,
    mut second: SchemaKeywords,
) -> Result<SchemaKeywords, SchemaConflict> {
    let mut left = SchemaKeywords::new();
    for group in GROUPS {
        if group.iter().any(|key| first.contains_key(*key)) && !have_same(&first, &second, group) {
            left.extend(group.iter().filter_map(|key| second.shift_remove_entry(*key)));
        }
    }
    join_members(&mut first, &mut second)?;
    join_items(&mut first, &mut second)?;
    for (key, value) in second {
        match first.get_mut(&key) {
            None => drop(first.insert(key, value)),
            Some(own) if *own == value => {}
            Some(own) => match joined(&key, own, &value)? {
                Some(both) => *own = both,
                None => drop(left.insert(key, value)),
            },
        }
    }
    if !left.is_empty()
        && let Value::Array(parts) = first.entry("allOf").or_insert_with(|| json!([]))
    {
        parts.push(Value::Object(left));
    }
    keep_constant(&mut first)?;
    Ok(first)
}

fn have_same(first: &SchemaKeywords, second: &SchemaKeywords, keys: &[&str]) -> bool {
    keys.iter().all(|key| first.get(*key) == second.get(*key))
}

/// The value of a keyword that both schemas have. `None` if no one value says both.
fn joined(key: &str, first: &Value, second: &Value) -> Result<Option<Value>, SchemaConflict> {
    Ok(match (key, first, second) {
        ("type", first, second) => Some(common_types(first, second)?),
        ("enum", Value::Array(first), Value::Array(second)) => Some(common_values(first, second)?),
        ("const", first, second) if !is_same(first, second) => {
            return Err("two values that exclude each other".to_owned());
        }
        ("anyOf" | "oneOf", ..) => return Err(format!("two lists `{key}`")),
        ("$defs", Value::Object(first), Value::Object(second)) => Some(all_definitions(first, second)?),
        ("required" | "allOf", Value::Array(first), Value::Array(second)) => Some(union(first, second)),
        ("uniqueItems", Value::Bool(first), Value::Bool(second)) => Some(json!(*first || *second)),
        ("description", Value::String(first), Value::String(second)) => {
            Some(json!(format!("{first}\n\n{second}")))
        }
        (key, Value::Number(_), Value::Number(_)) if LOWER_BOUNDS.contains(&key) => {
            Some(if compare(first, second) == Some(Ordering::Less) { second } else { first }.clone())
        }
        (key, Value::Number(_), Value::Number(_)) if UPPER_BOUNDS.contains(&key) => {
            Some(if compare(first, second) == Some(Ordering::Greater) { second } else { first }.clone())
        }
        ("const", first, _) => Some(first.clone()),
        (key, first, _) if ANNOTATIONS.contains(&key) || key.starts_with('$') => Some(first.clone()),
        ("items" | "additionalProperties", first, second) => Some(both(first, second)),
        _ => None,
    })
}

/// A schema that allows what two allow.
fn both(first: &Value, second: &Value) -> Value {
    match (first, second) {
        (Value::Bool(false), _) | (_, Value::Bool(false)) => json!(false),
        (Value::Bool(true), other) | (other, Value::Bool(true)) => other.clone(),
        (first, second) if first == second => first.clone(),
        (first, second) => json!({"allOf": [first, second]}),
    }
}

/// Joins the properties, and lets the rule of each schema for other properties apply to those of the other one.
fn join_members(first: &mut SchemaKeywords, second: &mut SchemaKeywords) -> Result<(), SchemaConflict> {
    let (of_first, of_second) = (restrict(second, first)?, restrict(first, second)?);
    for (schema, properties) in [(&mut *first, of_first), (&mut *second, of_second)] {
        schema.extend(properties.map(|properties| ("properties".to_owned(), Value::Object(properties))));
    }
    let (Some(Value::Object(own)), Some(Value::Object(_))) =
        (first.get_mut("properties"), second.get("properties"))
    else {
        return Ok(());
    };
    let Some(Value::Object(more)) = second.shift_remove("properties") else { return Ok(()) };
    for (name, schema) in more {
        match own.get_mut(&name) {
            Some(own) => *own = both(own, &schema),
            None => drop(own.insert(name, schema)),
        }
    }
    Ok(())
}

/// The properties of `other` as the rule of a schema for other properties leaves them. `None` if it leaves them as they
/// are.
fn restrict(
    schema: &SchemaKeywords,
    other: &SchemaKeywords,
) -> Result<Option<SchemaKeywords>, SchemaConflict> {
    let Some(Value::Object(properties)) = other.get("properties") else { return Ok(None) };
    let rule = match schema.get("additionalProperties") {
        None | Some(Value::Bool(true)) => return Ok(None),
        Some(rule) => rule,
    };
    let own = schema.get("properties").and_then(Value::as_object);
    let is_own = |name: &str| own.is_some_and(|own| own.contains_key(name));
    if properties.keys().all(|name| is_own(name)) {
        return Ok(None);
    }
    if schema.contains_key("patternProperties") {
        return Err("`patternProperties` beside the properties of another schema".to_owned());
    }
    let required: HashSet<&str> = [schema, other].into_iter().flat_map(required_names).collect();
    let mut left = SchemaKeywords::new();
    for (name, property) in properties {
        if is_own(name) {
            left.insert(name.clone(), property.clone());
        } else if *rule != json!(false) {
            left.insert(name.clone(), both(property, rule));
        } else if required.contains(name.as_str()) {
            return Err(format!("`{name}`, which one schema requires and another one does not allow"));
        }
    }
    Ok(Some(left))
}

fn required_names(schema: &SchemaKeywords) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Joins the schemas of items by their place.
fn join_items(first: &mut SchemaKeywords, second: &mut SchemaKeywords) -> Result<(), SchemaConflict> {
    let prefix = |schema: &SchemaKeywords| schema.get("prefixItems").and_then(Value::as_array).cloned();
    let every = |items: &[Value], rule: Option<&Value>| {
        let rule = rule.unwrap_or(&Value::Bool(true));
        items.iter().map(|item| both(item, rule)).collect::<Vec<_>>()
    };
    let all = match (prefix(first), prefix(second)) {
        (None, None) => return Ok(()),
        (Some(own), None) => every(&own, second.get("items")),
        (None, Some(own)) => every(&own, first.get("items")),
        (Some(own), Some(other)) if own.len() == other.len() => {
            own.iter().zip(&other).map(|(own, other)| both(own, other)).collect()
        }
        _ => return Err("two lists `prefixItems` of different lengths".to_owned()),
    };
    second.shift_remove("prefixItems");
    first.insert("prefixItems".to_owned(), Value::Array(all));
    Ok(())
}

fn common_types(first: &Value, second: &Value) -> Result<Value, SchemaConflict> {
    let list = |kinds: &Value| match kinds {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let (first, second) = (list(first), list(second));
    let allows = |kinds: &[Value], kind: &Value| {
        kinds.contains(kind) || (kind == "integer" && kinds.contains(&json!("number")))
    };
    let mut common: Vec<Value> = first.iter().filter(|kind| allows(&second, kind)).cloned().collect();
    common.extend(second.iter().filter(|kind| allows(&first, kind) && !first.contains(kind)).cloned());
    match common.len() {
        0 => Err("two types that exclude each other".to_owned()),
        1 => Ok(common.remove(0)),
        _ => Ok(Value::Array(common)),
    }
}

fn common_values(first: &[Value], second: &[Value]) -> Result<Value, SchemaConflict> {
    let common: Vec<Value> =
        first.iter().filter(|value| second.iter().any(|other| is_same(value, other))).cloned().collect();
    if common.is_empty() {
        return Err("two lists of values that exclude each other".to_owned());
    }
    Ok(Value::Array(common))
}

/// Removes the list of values beside a constant, which is one of them.
pub(super) fn keep_constant(schema: &mut SchemaKeywords) -> Result<(), SchemaConflict> {
    let (Some(Value::Array(values)), Some(constant)) = (schema.get("enum"), schema.get("const")) else {
        return Ok(());
    };
    if !values.iter().any(|value| is_same(value, constant)) {
        return Err("a `const` that is not in `enum`".to_owned());
    }
    schema.shift_remove("enum");
    Ok(())
}

fn all_definitions(first: &SchemaKeywords, second: &SchemaKeywords) -> Result<Value, SchemaConflict> {
    let mut all = first.clone();
    for (name, definition) in second {
        if all.get(name).is_some_and(|own| own != definition) {
            return Err(format!("two definitions `{name}`"));
        }
        all.insert(name.clone(), definition.clone());
    }
    Ok(Value::Object(all))
}

fn union(first: &[Value], second: &[Value]) -> Value {
    let mut seen: HashSet<String> = first.iter().map(Value::to_string).collect();
    let more = second.iter().filter(|value| seen.insert(value.to_string()));
    first.iter().chain(more).cloned().collect()
}

fn compare(first: &Value, second: &Value) -> Option<Ordering> {
    match (first, second) {
        (Value::Number(first), Value::Number(second)) => {
            NumericValue::of(first).partial_cmp(&NumericValue::of(second))
        }
        _ => None,
    }
}

fn is_same(first: &Value, second: &Value) -> bool {
    first == second || compare(first, second) == Some(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::intersection;

    fn join(first: Value, second: Value) -> Result<Value, String> {
        let map = |value| match value {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        intersection(map(first), map(second)).map(Value::Object)
    }

    #[test]
    fn the_narrower_rule_of_two_is_kept() {
        for (first, second, both) in [
            (
                json!({"minimum": 1, "maximum": 9}),
                json!({"minimum": 5, "maximum": 99}),
                json!({"minimum": 5, "maximum": 9}),
            ),
            (json!({"minimum": 1}), json!({"minimum": 0.5}), json!({"minimum": 1})),
            (json!({"type": ["number", "null"]}), json!({"type": "integer"}), json!({"type": "integer"})),
            (json!({"enum": [1, "a"]}), json!({"enum": ["a", 1.0, 2]}), json!({"enum": [1, "a"]})),
            (json!({"enum": ["a", "b"]}), json!({"const": "b"}), json!({"const": "b"})),
            (json!({"required": ["a"]}), json!({"required": ["b", "a"]}), json!({"required": ["a", "b"]})),
            (json!({"uniqueItems": false}), json!({"uniqueItems": true}), json!({"uniqueItems": true})),
            (json!({"description": "A"}), json!({"description": "B"}), json!({"description": "A\n\nB"})),
            (json!({"title": "A"}), json!({"title": "B"}), json!({"title": "A"})),
            (
                json!({"items": {"type": "string"}}),
                json!({"items": {"minLength": 1}}),
                json!({"items": {"allOf": [{"type": "string"}, {"minLength": 1}]}}),
            ),
            (
                json!({"prefixItems": [{"type": "string"}]}),
                json!({"items": {"minLength": 1}}),
                json!({"prefixItems": [{"allOf": [{"type": "string"}, {"minLength": 1}]}], "items": {"minLength": 1}}),
            ),
        ] {
            assert_eq!(join(first, second).unwrap(), both);
        }
    }

    #[test]
    fn rules_that_one_schema_has_once_stay_beside_each_other() {
        assert_eq!(
            join(json!({"pattern": "a", "format": "x"}), json!({"pattern": "b", "format": "x"})).unwrap(),
            json!({"pattern": "a", "format": "x", "allOf": [{"pattern": "b"}]})
        );
        assert_eq!(
            join(json!({"if": {}, "then": {"a": 1}}), json!({"if": {}, "else": {"b": 1}})).unwrap(),
            json!({"if": {}, "then": {"a": 1}, "allOf": [{"if": {}, "else": {"b": 1}}]})
        );
    }

    #[test]
    fn properties_are_joined_under_the_rules_for_other_properties() {
        let closed = json!({"properties": {"a": {"type": "string"}}, "additionalProperties": false});
        let open = json!({"properties": {"a": {"minLength": 1}, "b": {}}});
        let both = json!({"properties": {"a": {"allOf": [{"type": "string"}, {"minLength": 1}]}}, "additionalProperties": false});
        assert_eq!(join(closed.clone(), open.clone()).unwrap(), both);
        let texts = json!({"additionalProperties": {"type": "string"}});
        assert_eq!(
            join(texts, json!({"properties": {"b": {"minLength": 1}}})).unwrap()["properties"],
            json!({"b": {"allOf": [{"minLength": 1}, {"type": "string"}]}})
        );
        let needed = json!({"properties": {"b": {}}, "required": ["b"]});
        assert!(join(closed, needed.clone()).unwrap_err().contains("`b`"));
        assert_eq!(join(open, needed).unwrap()["properties"]["b"], json!({}));
    }

    #[test]
    fn rules_that_exclude_each_other_are_refused() {
        for (first, second) in [
            (json!({"type": "string"}), json!({"type": "integer"})),
            (json!({"enum": [1]}), json!({"enum": [2]})),
            (json!({"const": 1}), json!({"const": 2})),
            (json!({"enum": [1]}), json!({"const": 2})),
            (json!({"anyOf": [{}]}), json!({"anyOf": [{"type": "null"}]})),
            (json!({"$defs": {"A": {}}}), json!({"$defs": {"A": {"type": "null"}}})),
            (json!({"prefixItems": [{}]}), json!({"prefixItems": []})),
        ] {
            assert!(join(first.clone(), second).is_err(), "{first}");
        }
    }
}
