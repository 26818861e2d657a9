//! Converts schemas to JSON Schema (draft 2020-12) and back. A part that the other side cannot express is an error that
//! names it; only annotations are dropped.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value, json};

use super::anthropic_subset;
use super::described_references::inline_described;
use super::free_names::FreeNames;
use super::gemini_subset;
use super::model::{Field, FieldType, Schema, Validator, ValidatorKind};
use super::numeric::NumericValue;
use super::openai_strict;
use super::pattern;
use super::schema_set::{ResolvedSchema, SchemaSet};
use super::scope::ScopedSchema;
use crate::error::{Error, Kind, Result};
use crate::stack_room;

/// Which JSON Schema to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonSchemaMode {
    /// Everything of the schema that draft 2020-12 can express.
    Full,
    /// The subset that OpenAI's structured output accepts: every key is required, no other keys are allowed, and
    /// keywords that the subset lacks are left out. Only a nullable field can be left out of an answer, as null.
    Strict,
    /// The subset that the structured output of Anthropic and Bedrock accepts: no other keys are allowed, and what the subset lacks is
    /// words in descriptions.
    Anthropic,
    /// The subset that the Gemini API accepts. What it lacks is words in descriptions.
    Gemini,
}

/// A function that gives the JSON Schema of a model of the application.
pub type ModelSchema<'m, M> = &'m dyn Fn(&M) -> Result<Value>;

/// Writes a schema as JSON Schema. Schemas that it refers to are written under `$defs`.
///
/// # Errors
/// [`Kind::SchemaParse`] for a reference that does not resolve; [`Kind::Schema`] for a part that cannot be expressed.
pub fn write<T, F, M>(
    set: &SchemaSet<T, F, M>,
    schema: &Schema,
    mode: JsonSchemaMode,
    model_schema: ModelSchema<'_, M>,
) -> Result<Value> {
    let mut writer = JsonSchemaWriter {
        set,
        mode,
        model_schema,
        definitions: Map::new(),
        taken: FreeNames::default(),
        references: HashMap::new(),
        queue: Vec::new(),
        models: Vec::new(),
    };
    let mut root = Map::new();
    if mode == JsonSchemaMode::Full {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    }
    root.insert("title".to_owned(), json!(schema.name));
    writer.references.insert(std::ptr::from_ref(schema), "#".to_owned());
    root.extend(writer.object(&ScopedSchema::new(schema))?);
    // A queue instead of recursion, so that a long chain of schemas needs no more stack than a short one.
    while let Some((name, found)) = writer.queue.pop() {
        let object = writer.object(&found)?;
        writer.definitions.insert(name, Value::Object(object));
    }
    if !writer.definitions.is_empty() {
        root.insert("$defs".to_owned(), Value::Object(writer.definitions));
    }
    match mode {
        JsonSchemaMode::Full => Ok(Value::Object(root)),
        JsonSchemaMode::Strict => {
            inline_described(&mut root);
            Ok(Value::Object(root))
        }
        JsonSchemaMode::Anthropic => anthropic_subset::to_subset(&Value::Object(root)),
        JsonSchemaMode::Gemini => gemini_subset::to_subset(&Value::Object(root)),
    }
}

struct JsonSchemaWriter<'w, T, F, M> {
    set: &'w SchemaSet<T, F, M>,
    mode: JsonSchemaMode,
    model_schema: ModelSchema<'w, M>,
    definitions: Map<String, Value>,
    /// The names under `$defs`.
    taken: FreeNames,
    /// The reference to each schema that has one, by its address.
    references: HashMap<*const Schema, String>,
    /// The schemas that are still to be written, and their names under `$defs`.
    queue: Vec<(String, ScopedSchema<'w>)>,
    /// The reference to each model that has one, by name.
    models: Vec<(String, String)>,
}

impl<'w, T, F, M> JsonSchemaWriter<'w, T, F, M> {
    fn object(&mut self, scoped: &ScopedSchema<'w>) -> Result<Map<String, Value>> {
        let schema = scoped.schema();
        let mut object = Map::new();
        if let Some(description) = &schema.description {
            object.insert("description".to_owned(), json!(description));
        }
        object.insert("type".to_owned(), json!("object"));
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (owner, field) in self.set.fields(scoped)? {
            let property = self.field(&owner, field)?;
            if self.mode == JsonSchemaMode::Strict || (field.required && field.default.is_none()) {
                required.push(field.name.clone());
            }
            properties.insert(field.name.clone(), property);
        }
        object.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() || self.mode == JsonSchemaMode::Strict {
            object.insert("required".to_owned(), json!(required));
        }
        if schema.strict || self.mode == JsonSchemaMode::Strict {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
        Ok(object)
    }

    fn inexpressible(schema: &Schema, field: &Field, what: &str) -> Error {
        let message = format!(
            "field '{}' of schema '{}': {what} cannot be expressed in OpenAI's strict subset",
            field.name, schema.name
        );
        Error::new(Kind::Schema, message)
            .with_hint("give it a schema that declares its members, or leave `strict` out")
    }

    /// The JSON Schema of a field of this schema or of one that extends it.
    fn field(&mut self, owner: &ScopedSchema<'w>, field: &'w Field) -> Result<Value> {
        let schema = owner.schema();
        let strict = self.mode == JsonSchemaMode::Strict;
        let mut keywords = match field.field_type {
            FieldType::List => {
                let mut keywords = Map::from_iter([("type".to_owned(), json!("array"))]);
                let items = match (&field.item_schema, field.item_type) {
                    (Some(name), _) => Some(self.reference(owner, field, name)?),
                    (None, Some(FieldType::Any) | None) if strict => {
                        return Err(Self::inexpressible(schema, field, "a list of anything"));
                    }
                    (None, Some(FieldType::Dict | FieldType::List)) if strict => {
                        return Err(Self::inexpressible(
                            schema,
                            field,
                            "a list of dicts or lists without a schema",
                        ));
                    }
                    (None, Some(FieldType::Any) | None) => None,
                    (None, Some(kind)) => Some(Value::Object(simple(kind))),
                };
                keywords.extend(items.map(|items| ("items".to_owned(), items)));
                keywords
            }
            FieldType::Dict => match &field.nested_schema {
                Some(name) => match self.reference(owner, field, name)? {
                    Value::Object(keywords) => keywords,
                    other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
                },
                None if strict => return Err(Self::inexpressible(schema, field, "a dict without a schema")),
                None => simple(FieldType::Dict),
            },
            FieldType::Any if strict && field.allowed().is_none() => {
                return Err(Self::inexpressible(schema, field, "type any"));
            }
            kind => simple(kind),
        };
        for validator in &field.validators {
            if field.field_type == FieldType::Any {
                narrow(validator.kind, &mut keywords);
            }
            rule(validator, field.field_type, strict, &mut keywords);
        }
        if let Some(allowed) = field.allowed() {
            if strict && !keywords.contains_key("type") {
                let kinds = kinds(&allowed);
                let kinds =
                    kinds.ok_or_else(|| Self::inexpressible(schema, field, "a list or dict as a value"))?;
                keywords.insert("type".to_owned(), kinds);
            }
            keywords.insert("enum".to_owned(), json!(allowed));
        }
        if field.nullable {
            keywords = nullable(keywords);
        }
        if let Some(description) = &field.description {
            keywords.insert("description".to_owned(), json!(description));
        }
        for (annotation, is_set) in [("readOnly", field.read_only), ("writeOnly", field.write_only)] {
            if is_set && !strict {
                keywords.insert(annotation.to_owned(), json!(true));
            }
        }
        if let (Some(default), false) = (&field.default, strict) {
            keywords.insert("default".to_owned(), default.clone());
        }
        Ok(Value::Object(keywords))
    }

    /// `{"$ref": ...}` to a named schema. Queues the schema for `$defs` if it is not there yet.
    fn reference(&mut self, owner: &ScopedSchema<'w>, field: &'w Field, name: &str) -> Result<Value> {
        let found = match self.set.find(name, owner) {
            Some(ResolvedSchema::Schema(found)) => found,
            Some(ResolvedSchema::Model(model)) => return self.model(name, model),
            None => return Err(self.set.missing_of_field(owner, field, name)),
        };
        let address = std::ptr::from_ref(found.schema());
        if let Some(reference) = self.references.get(&address) {
            return Ok(json!({"$ref": reference}));
        }
        let definition = self.free_name(name);
        let reference = reference_to(&definition);
        self.references.insert(address, reference.clone());
        self.queue.push((definition, found));
        Ok(json!({"$ref": reference}))
    }

    /// Reserves a free name under `$defs`.
    fn free_name(&mut self, name: &str) -> String {
        let free = self.taken.take(name);
        self.definitions.insert(free.clone(), Value::Null);
        free
    }

    /// `{"$ref": ...}` to the JSON Schema of a model. Writes it under `$defs` if it is not there yet.
    fn model(&mut self, name: &str, model: &M) -> Result<Value> {
        if let Some((_, reference)) = self.models.iter().find(|(known, _)| *known == name) {
            return Ok(json!({"$ref": reference}));
        }
        let mut keywords = (self.model_schema)(model)?;
        if self.mode == JsonSchemaMode::Strict {
            keywords = openai_strict::to_strict(&keywords)?;
        }
        let definition = self.free_name(name);
        let reference = reference_to(&definition);
        self.models.push((name.to_owned(), reference.clone()));
        let mut moved = Vec::new();
        if let Some(Value::Object(inner)) =
            keywords.as_object_mut().and_then(|keywords| keywords.remove("$defs"))
        {
            for (name, schema) in inner {
                let new_name = self.free_name(&format!("{definition}.{name}"));
                moved.push((reference_to(&name), new_name, schema));
            }
        }
        let references: Vec<(String, String)> =
            moved.iter().map(|(old, name, _)| (old.clone(), reference_to(name))).collect();
        for (_, name, mut schema) in moved {
            rewrite_references(&mut schema, &references);
            self.definitions.insert(name, schema);
        }
        rewrite_references(&mut keywords, &references);
        self.definitions.insert(definition, keywords);
        Ok(json!({"$ref": reference}))
    }
}

fn reference_to(name: &str) -> String {
    format!("#/$defs/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Replaces each old reference by the new one.
fn rewrite_references(keywords: &mut Value, references: &[(String, String)]) {
    match keywords {
        Value::Object(members) => {
            for (key, member) in members {
                let moved = |text: &str| references.iter().find(|(old, _)| old == text);
                match member.as_str().filter(|_| key == "$ref").and_then(moved) {
                    Some((_, new)) => *member = json!(new),
                    None => rewrite_references(member, references),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite_references(item, references)),
        _ => {}
    }
}

/// The types of scalar values; `None` if one is a list or dict.
fn kinds(values: &[&Value]) -> Option<Value> {
    let kind = |value: &Value| match value {
        Value::Null => Some("null"),
        Value::Bool(_) => Some("boolean"),
        Value::Number(number) if number.is_f64() => Some("number"),
        Value::Number(_) => Some("integer"),
        Value::String(_) => Some("string"),
        Value::Array(_) | Value::Object(_) => None,
    };
    let mut kinds = values.iter().map(|value| kind(value)).collect::<Option<Vec<_>>>()?;
    kinds.sort_unstable();
    kinds.dedup();
    Some(if let [only] = kinds.as_slice() { json!(only) } else { json!(kinds) })
}

/// The JSON Schema of a type without validators.
fn simple(kind: FieldType) -> Map<String, Value> {
    let (name, format) = match kind {
        FieldType::String => ("string", None),
        FieldType::Integer => ("integer", None),
        FieldType::Float => ("number", None),
        FieldType::Boolean => ("boolean", None),
        FieldType::List => ("array", None),
        FieldType::Dict => ("object", None),
        FieldType::Enum | FieldType::Any => return Map::new(),
        FieldType::Date => ("string", Some("date")),
        FieldType::DateTime => ("string", Some("date-time")),
        FieldType::Uuid => ("string", Some("uuid")),
    };
    let format = format.map(|format| ("format".to_owned(), json!(format)));
    [("type".to_owned(), json!(name))].into_iter().chain(format).collect()
}

/// Adds the keywords of a validator. `custom`, date formats and patterns that only the core supports cannot be
/// expressed; in the strict subset neither can lengths of texts and the format of URLs.
fn rule(validator: &Validator, kind: FieldType, strict: bool, keywords: &mut Map<String, Value>) {
    match validator.kind {
        ValidatorKind::MinLength | ValidatorKind::MaxLength => {
            let of = match kind {
                FieldType::List => &["Items"][..],
                FieldType::Dict if !strict => &["Properties"],
                FieldType::Any if !strict => &["Length", "Items", "Properties"],
                FieldType::String if !strict => &["Length"],
                _ => &[],
            };
            for of in of {
                bound(
                    keywords,
                    &format!("min{of}"),
                    validator.min_value.as_ref().map(|low| whole(low, f64::ceil)),
                );
                bound(
                    keywords,
                    &format!("max{of}"),
                    validator.max_value.as_ref().map(|high| whole(high, f64::floor)),
                );
            }
        }
        ValidatorKind::MinValue | ValidatorKind::MaxValue | ValidatorKind::Range => {
            bound(keywords, "minimum", validator.min_value.clone().map(Value::Number));
            bound(keywords, "maximum", validator.max_value.clone().map(Value::Number));
        }
        ValidatorKind::Regex => {
            let pattern = validator.pattern.as_deref().and_then(pattern::to_ecma);
            add_keyword(keywords, "pattern", pattern.map(Value::from), strict);
        }
        ValidatorKind::Email => {
            add_keyword(keywords, "format", Some(json!(if strict { "email" } else { "idn-email" })), strict);
        }
        ValidatorKind::Url if !strict => add_keyword(keywords, "format", Some(json!("iri")), strict),
        ValidatorKind::Uuid => add_keyword(keywords, "format", Some(json!("uuid")), strict),
        ValidatorKind::Date if validator.format.is_none() => {
            add_keyword(keywords, "format", Some(json!("date")), strict);
        }
        ValidatorKind::DateTime if validator.format.is_none() => {
            add_keyword(keywords, "format", Some(json!("date-time")), strict);
        }
        ValidatorKind::Url
        | ValidatorKind::Date
        | ValidatorKind::DateTime
        | ValidatorKind::Enum
        | ValidatorKind::Custom => {}
    }
}

/// Restricts type `any` to the types that a validator accepts.
fn narrow(kind: ValidatorKind, keywords: &mut Map<String, Value>) {
    let types = match kind {
        ValidatorKind::MinLength | ValidatorKind::MaxLength => json!(["string", "array", "object"]),
        ValidatorKind::MinValue | ValidatorKind::MaxValue | ValidatorKind::Range => json!("number"),
        ValidatorKind::Enum | ValidatorKind::Custom => return,
        _ => json!("string"),
    };
    keywords.entry("type").or_insert(types);
}

/// Sets a bound. An existing bound is kept if it is tighter.
fn bound(keywords: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    let Some(value) = value else { return };
    let number = |value: &Value| value.as_number().map(NumericValue::of);
    let tighter = match (keywords.get(key).and_then(number), number(&value)) {
        (Some(known), Some(new)) => {
            if key.starts_with("min") {
                new > known
            } else {
                new < known
            }
        }
        _ => true,
    };
    if tighter {
        keywords.insert(key.to_owned(), value);
    }
}

/// Sets a keyword. If it already has another value, both apply through `allOf`, which the strict subset lacks.
fn add_keyword(keywords: &mut Map<String, Value>, key: &str, value: Option<Value>, strict: bool) {
    let Some(value) = value else { return };
    match keywords.get(key) {
        None => drop(keywords.insert(key.to_owned(), value)),
        Some(known) if *known == value || strict => {}
        Some(_) => {
            let more = json!({key: value});
            match keywords.get_mut("allOf") {
                Some(Value::Array(all)) => all.push(more),
                _ => drop(keywords.insert("allOf".to_owned(), json!([more]))),
            }
        }
    }
}

/// Rounds the bound of a length to a whole number.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a length is neither negative nor that long"
)]
fn whole(number: &Number, round: fn(f64) -> f64) -> Value {
    number.as_u64().map_or_else(
        || json!(round(number.as_f64().unwrap_or_default()).max(0.0) as u64),
        |whole| json!(whole),
    )
}

/// Allows null as well.
fn nullable(mut keywords: Map<String, Value>) -> Map<String, Value> {
    if keywords.contains_key("$ref") {
        return Map::from_iter([("anyOf".to_owned(), json!([keywords, {"type": "null"}]))]);
    }
    if let Some(Value::Array(allowed)) = keywords.get_mut("enum")
        && !allowed.contains(&Value::Null)
    {
        allowed.push(Value::Null);
    }
    match keywords.get_mut("type") {
        Some(Value::Array(kinds)) if kinds.contains(&json!("null")) => {}
        Some(Value::Array(kinds)) => kinds.push(json!("null")),
        Some(kind) if kind == "null" => {}
        Some(kind) => *kind = json!([kind.clone(), "null"]),
        None => {}
    }
    keywords
}

/// The types that a keyword applies to; `None` if it applies to all.
fn only_for(key: &str) -> Option<&'static [FieldType]> {
    const TEXTS: &[FieldType] = &[FieldType::String, FieldType::Date, FieldType::DateTime, FieldType::Uuid];
    const NUMBERS: &[FieldType] = &[FieldType::Integer, FieldType::Float];
    match key {
        "minLength" | "maxLength" | "pattern" | "format" => Some(TEXTS),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => Some(NUMBERS),
        "items" | "minItems" | "maxItems" | "uniqueItems" | "prefixItems" | "contains" => {
            Some(&[FieldType::List])
        }
        "properties"
        | "required"
        | "additionalProperties"
        | "minProperties"
        | "maxProperties"
        | "patternProperties"
        | "propertyNames" => Some(&[FieldType::Dict]),
        _ => None,
    }
}

/// Whether a schema has no other keywords than `pattern` and `format`.
fn is_rule_of_text(keywords: &Value) -> bool {
    keywords
        .as_object()
        .is_some_and(|keywords| keywords.keys().all(|key| key == "pattern" || key == "format"))
}

/// Converts the JSON Schema of an object to a schema. Objects within it become definitions of the schema.
///
/// JSON Schema does not convert values, so the schema does not either.
///
/// # Errors
/// [`Kind::SchemaParse`] for a keyword that a schema cannot express, with its path.
pub fn read(name: &str, document: &Value) -> Result<Schema> {
    let mut reader = JsonSchemaReader {
        document,
        definitions: Vec::new(),
        root_name: name,
        names: HashMap::new(),
        taken: FreeNames::default(),
    };
    let anything = Map::new();
    let root = match document {
        Value::Object(root) => root,
        // JSON Schema reads `true` as `{}`.
        Value::Bool(true) => &anything,
        Value::Bool(false) => return Err(refused("#", ACCEPTS_NOTHING)),
        _ => return Err(refused("#", "it is not a JSON object")),
    };
    let root = match root.get("$ref").and_then(Value::as_str) {
        Some(reference) => reader.resolve(reference, "#")?,
        None => root,
    };
    reader.names.insert(std::ptr::from_ref(root), name.to_owned());
    reader.taken.take(name);
    let schema = reader.object(name, root, "#")?;
    Ok(Schema { definitions: reader.definitions.into(), ..schema })
}

/// Why the JSON Schema `false` is refused.
const ACCEPTS_NOTHING: &str = "a schema cannot express `false`, which accepts no value at all";

struct JsonSchemaReader<'r> {
    document: &'r Value,
    definitions: Vec<Schema>,
    root_name: &'r str,
    /// The name of each object that has one, by its address.
    names: HashMap<*const Map<String, Value>, String>,
    /// These names.
    taken: FreeNames,
}

fn refused(path: &str, why: &str) -> Error {
    Error::new(Kind::SchemaParse, format!("the JSON Schema cannot be converted to a schema: {path}: {why}"))
        .with_context("pointer", path)
}

fn unsupported(path: &str, keyword: &str) -> Error {
    let hint = match keyword {
        "fields" => "JSON Schema describes them under `properties`; `fields` is the format of schema files",
        _ => "leave it out, or register a pydantic model for the schema",
    };
    refused(path, &format!("a schema cannot express `{keyword}`")).with_hint(hint)
}

/// Keywords that do not affect validation.
const ANNOTATIONS: &[&str] = &[
    "$schema",
    "$id",
    "$comment",
    "$anchor",
    "$defs",
    "definitions",
    "title",
    "description",
    "examples",
    "deprecated",
    "default",
    "readOnly",
    "writeOnly",
];

impl<'r> JsonSchemaReader<'r> {
    fn resolve(&self, reference: &str, path: &str) -> Result<&'r Map<String, Value>> {
        let unknown = || {
            refused(path, &format!("`$ref` to {reference:?} does not point to an object of this document"))
        };
        let pointer = reference.strip_prefix('#').ok_or_else(unknown)?;
        self.document.pointer(pointer).and_then(Value::as_object).ok_or_else(unknown)
    }

    fn object(&mut self, name: &str, object: &'r Map<String, Value>, path: &str) -> Result<Schema> {
        let mut schema = Schema { coerce: false, strict: false, allow_extra: true, ..Schema::new(name) };
        schema.description = object.get("description").and_then(Value::as_str).map(str::to_owned);
        let mut required: Vec<&str> = Vec::new();
        let mut properties = None;
        for (key, value) in object {
            match (key.as_str(), value) {
                ("type", Value::String(kind)) if kind == "object" => {}
                ("type", _) => {
                    let hint = "put it into an object under a key, or register a pydantic model for it";
                    return Err(refused(path, "its type must be object").with_hint(hint));
                }
                ("properties", Value::Object(found)) => properties = Some(found),
                ("required", Value::Array(names)) if names.iter().all(Value::is_string) => {
                    required.extend(names.iter().filter_map(Value::as_str));
                }
                ("additionalProperties", Value::Bool(allowed)) => {
                    schema.strict = !allowed;
                    schema.allow_extra = *allowed;
                }
                // The same as `true`, which is the default.
                ("additionalProperties", Value::Object(keywords)) if keywords.is_empty() => {}
                (key, _) if ANNOTATIONS.contains(&key) => {}
                (key, _) => return Err(unsupported(path, key)),
            }
        }
        let listed: HashSet<&str> = required.iter().copied().collect();
        for (name, keywords) in properties.into_iter().flatten() {
            let path = format!("{path}/properties/{name}");
            let mut field = self.field(name, keywords, &path)?;
            field.required = listed.contains(name.as_str());
            schema.fields.push(field);
        }
        let mut known: HashSet<String> = schema.fields.iter().map(|field| field.name.clone()).collect();
        for name in required {
            if known.insert(name.to_owned()) {
                schema.fields.push(Field { nullable: true, ..Field::new(name, FieldType::Any) });
            }
        }
        Ok(schema)
    }

    /// The name of the schema for an object. Reads the object at its first use.
    fn named(&mut self, object: &'r Map<String, Value>, wanted: &str, path: &str) -> Result<String> {
        let address = std::ptr::from_ref(object);
        if let Some(name) = self.names.get(&address) {
            return Ok(name.clone());
        }
        let name = self.taken.take(wanted);
        self.names.insert(address, name.clone());
        let schema = self.object(&name, object, path)?;
        self.definitions.push(schema);
        Ok(name)
    }

    fn field(&mut self, name: &str, keywords: &'r Value, path: &str) -> Result<Field> {
        let mut field = Field::new(name, FieldType::Any);
        let keywords = match keywords {
            Value::Bool(true) => {
                field.nullable = true;
                return Ok(field);
            }
            Value::Bool(false) => return Err(refused(path, ACCEPTS_NOTHING)),
            Value::Object(keywords) => keywords,
            _ => return Err(refused(path, "it is not a JSON Schema")),
        };
        self.fill(&mut field, keywords, path)?;
        field.default = keywords.get("default").cloned();
        field.description = keywords.get("description").and_then(Value::as_str).map(str::to_owned);
        field.read_only = keywords.get("readOnly") == Some(&json!(true));
        field.write_only = keywords.get("writeOnly") == Some(&json!(true));
        Ok(field)
    }

    /// Reads the JSON Schema of a value into the field.
    fn fill(&mut self, field: &mut Field, keywords: &'r Map<String, Value>, path: &str) -> Result<()> {
        /// References may form a circle; each step makes the path longer.
        const MAX_PATH: usize = 2000;
        if path.len() > MAX_PATH {
            return Err(refused("#", "it nests too deeply, or a `$ref` leads back to itself"));
        }
        stack_room::check(path.len(), Kind::SchemaParse)?;
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            if let Some(other) =
                keywords.keys().find(|key| *key != "$ref" && !ANNOTATIONS.contains(&key.as_str()))
            {
                return Err(refused(path, &format!("a schema cannot express `{other}` beside `$ref`")));
            }
            let target = self.resolve(reference, path)?;
            if !target.contains_key("properties") && target.get("type") != Some(&json!("object")) {
                return self.fill(field, target, &format!("{path}/$ref"));
            }
            let wanted =
                reference.rsplit('/').next().filter(|name| *name != "#").unwrap_or(&field.name).to_owned();
            field.field_type = FieldType::Dict;
            field.nested_schema = Some(self.named(target, &wanted, path)?);
            return Ok(());
        }
        if let Some(choices) =
            keywords.get("anyOf").or_else(|| keywords.get("oneOf")).and_then(Value::as_array)
        {
            return self.choice(field, keywords, choices, path);
        }
        field.field_type = Self::kind(field, keywords, path)?;
        let mut range = Validator::new(ValidatorKind::Range);
        for (key, value) in keywords {
            self.keyword(field, &mut range, key, value, path)?;
        }
        if range.min_value.is_some() || range.max_value.is_some() {
            field.validators.push(range);
        }
        if field.field_type == FieldType::Dict && keywords.contains_key("properties") {
            let name = format!("{}.{}", self.root_name, field.name);
            field.nested_schema = Some(self.named(keywords, &name, path)?);
        }
        Ok(())
    }

    /// `anyOf` of one schema and null.
    fn choice(
        &mut self,
        field: &mut Field,
        keywords: &'r Map<String, Value>,
        choices: &'r [Value],
        path: &str,
    ) -> Result<()> {
        let key = if keywords.contains_key("anyOf") { "anyOf" } else { "oneOf" };
        if let Some(other) =
            keywords.keys().find(|known| *known != key && !ANNOTATIONS.contains(&known.as_str()))
        {
            return Err(refused(path, &format!("a schema cannot express `{other}` beside `{key}`")));
        }
        let null = json!({"type": "null"});
        let others: Vec<&Value> = choices.iter().filter(|choice| **choice != null).collect();
        match (others.as_slice(), choices.len() - others.len()) {
            ([Value::Object(only)], 1) => {
                self.fill(field, only, &format!("{path}/{key}"))?;
                field.nullable = true;
                Ok(())
            }
            _ => Err(refused(path, &format!("a schema cannot express `{key}` except for one type or null"))),
        }
    }

    fn kind(field: &mut Field, keywords: &Map<String, Value>, path: &str) -> Result<FieldType> {
        let listed = |value: &Value| value.as_array().is_some_and(|list| list.iter().any(Value::is_null));
        let enumerated = keywords.contains_key("enum") || keywords.contains_key("const");
        let kind = match keywords.get("type") {
            None => {
                field.nullable = !enumerated
                    || keywords.get("enum").is_some_and(listed)
                    || keywords.get("const") == Some(&Value::Null);
                return Ok(if enumerated { FieldType::Enum } else { FieldType::Any });
            }
            Some(Value::String(kind)) => kind.as_str(),
            Some(Value::Array(kinds)) => {
                let others: Vec<&str> =
                    kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect();
                field.nullable = others.len() < kinds.len();
                match others.as_slice() {
                    [only] => *only,
                    _ => {
                        return Err(refused(
                            path,
                            "a schema cannot express several types except for one type or null",
                        ));
                    }
                }
            }
            Some(_) => return Err(refused(path, "`type` must be the name of a type or a list of names")),
        };
        let format = keywords.get("format").and_then(Value::as_str);
        Ok(match (kind, format) {
            ("string", Some("date")) => FieldType::Date,
            ("string", Some("date-time")) => FieldType::DateTime,
            ("string", Some("uuid")) => FieldType::Uuid,
            ("string", _) => FieldType::String,
            ("integer", _) => FieldType::Integer,
            ("number", _) => FieldType::Float,
            ("boolean", _) => FieldType::Boolean,
            ("array", _) => FieldType::List,
            ("object", _) => FieldType::Dict,
            ("null", _) => {
                field.nullable = true;
                let only =
                    Validator { allowed_values: vec![Value::Null], ..Validator::new(ValidatorKind::Enum) };
                field.validators.push(only);
                FieldType::Any
            }
            (other, _) => {
                let known = "known: string, integer, number, boolean, array, object, null";
                return Err(refused(path, &format!("unknown type {other:?}")).with_hint(known));
            }
        })
    }

    fn keyword(
        &mut self,
        field: &mut Field,
        range: &mut Validator,
        key: &str,
        value: &'r Value,
        path: &str,
    ) -> Result<()> {
        let integer = field.field_type == FieldType::Integer;
        match (only_for(key), field.field_type) {
            (Some(_), FieldType::Any | FieldType::Enum) => {
                return Err(refused(path, &format!("a schema cannot express `{key}` without a type")));
            }
            // The keyword does not apply to values of other types.
            (Some(types), field_type) if !types.contains(&field_type) => return Ok(()),
            _ => {}
        }
        let mut rule = |validator: Validator| field.validators.push(validator);
        match (key, value) {
            ("minLength" | "minItems" | "minProperties", Value::Number(low)) => {
                rule(Validator { min_value: Some(low.clone()), ..Validator::new(ValidatorKind::MinLength) });
            }
            ("maxLength" | "maxItems" | "maxProperties", Value::Number(high)) => {
                rule(Validator { max_value: Some(high.clone()), ..Validator::new(ValidatorKind::MaxLength) });
            }
            ("minimum", Value::Number(low)) => range.min_value = Some(low.clone()),
            ("maximum", Value::Number(high)) => range.max_value = Some(high.clone()),
            ("exclusiveMinimum", Value::Number(low)) if integer && low.is_i64() => {
                range.min_value = low.as_i64().and_then(|low| low.checked_add(1)).map(Number::from);
            }
            ("exclusiveMaximum", Value::Number(high)) if integer && high.is_i64() => {
                range.max_value = high.as_i64().and_then(|high| high.checked_sub(1)).map(Number::from);
            }
            ("pattern", Value::String(pattern)) => {
                super::rules::pattern(pattern).map_err(|error| {
                    let message = format!(
                        "the JSON Schema cannot be converted to a schema: {path}: {}",
                        error.message()
                    );
                    error.recast(Kind::SchemaParse, message)
                })?;
                rule(Validator { pattern: Some(pattern.clone()), ..Validator::new(ValidatorKind::Regex) });
            }
            ("enum", Value::Array(allowed)) => {
                rule(Validator { allowed_values: allowed.clone(), ..Validator::new(ValidatorKind::Enum) });
            }
            ("const", value) => {
                rule(Validator {
                    allowed_values: vec![value.clone()],
                    ..Validator::new(ValidatorKind::Enum)
                });
            }
            ("format", Value::String(format)) => match format.as_str() {
                "email" | "idn-email" => rule(Validator::new(ValidatorKind::Email)),
                "uri" | "iri" => rule(Validator::new(ValidatorKind::Url)),
                "date" | "date-time" | "uuid" => {}
                other => return Err(refused(path, &format!("a schema cannot express the format {other:?}"))),
            },
            ("items", items) => self.items(field, items, path)?,
            // More keywords of a text; [`add_keyword`] writes a second pattern this way.
            ("allOf", Value::Array(all)) if all.iter().all(is_rule_of_text) => {
                for rule in all.iter().filter_map(Value::as_object).flatten() {
                    self.keyword(field, range, rule.0, rule.1, path)?;
                }
            }
            ("type", _) | ("additionalProperties", Value::Bool(true)) => {}
            ("properties" | "required" | "additionalProperties", _) => {
                // Only an object with `properties` becomes a schema, which reads these keywords.
                if key == "additionalProperties" && !value.is_boolean() {
                    return Err(unsupported(path, key));
                }
            }
            (key, _) if ANNOTATIONS.contains(&key) => {}
            (key, _) => return Err(unsupported(path, key)),
        }
        Ok(())
    }

    /// Reads the items of a list: a type without validators, or objects.
    fn items(&mut self, field: &mut Field, items: &'r Value, path: &str) -> Result<()> {
        let path = format!("{path}/items");
        let item = self.field(&field.name, items, &path)?;
        let plain = item.validators.is_empty() && item.item_type.is_none() && item.item_schema.is_none();
        if !plain {
            return Err(refused(&path, "a schema cannot express more about items than a type or a schema"));
        }
        if item.nullable && item.field_type != FieldType::Any {
            return Err(refused(&path, "a schema cannot express that items may be null"));
        }
        match item.nested_schema {
            Some(name) => field.item_schema = Some(name),
            None => field.item_type = Some(item.field_type),
        }
        Ok(())
    }
}
