//! Schemas as JSON Schema (draft 2020-12) and back. What the other side cannot say is refused by name, never dropped,
//! unless it is a remark.

use std::collections::HashMap;

use serde_json::{Map, Number, Value, json};

use super::model::{Field, FieldType, Schema, Validator, ValidatorKind};
use super::openai_strict;
use super::pattern;
use super::rules::NumericValue;
use super::schema_set::{SchemaEntry, SchemaSet};
use crate::error::{Error, Kind, Result};

/// Which JSON Schema is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonSchemaMode {
    /// All that draft 2020-12 can say of the schema.
    Full,
    /// The subset that OpenAI's structured output takes: every key is required, nothing further is allowed, and no
    /// keyword that the subset lacks. What fits it fits the schema, so only what may be null may be left out as null.
    Strict,
}

/// The JSON Schema of a model of the application.
pub type ModelSchema<'m, M> = &'m dyn Fn(&M) -> Result<Value>;

/// A schema as JSON Schema; schemas that it names stand under `$defs`.
///
/// # Errors
/// [`Kind::SchemaParse`] for references that lead nowhere; [`Kind::Schema`] for what the form cannot say.
pub fn write<T, F, M>(
    set: &SchemaSet<T, F, M>,
    schema: &Schema,
    form: JsonSchemaMode,
    of_model: ModelSchema<'_, M>,
) -> Result<Value> {
    let mut writer = JsonSchemaWriter {
        set,
        form,
        of_model,
        definitions: Map::new(),
        open: HashMap::new(),
        waiting: Vec::new(),
        models: Vec::new(),
    };
    let mut root = Map::new();
    if form == JsonSchemaMode::Full {
        root.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    }
    root.insert("title".to_owned(), json!(schema.name));
    writer.open.insert(std::ptr::from_ref(schema), "#".to_owned());
    root.extend(writer.object(schema, &[])?);
    // One after the other: a long chain of schemas takes no more of the stack than a short one.
    while let Some((place, found, own)) = writer.waiting.pop() {
        let object = writer.object(found, &own)?;
        writer.definitions.insert(place, Value::Object(object));
    }
    if !writer.definitions.is_empty() {
        root.insert("$defs".to_owned(), Value::Object(writer.definitions));
    }
    Ok(Value::Object(root))
}

struct JsonSchemaWriter<'w, T, F, M> {
    set: &'w SchemaSet<T, F, M>,
    form: JsonSchemaMode,
    of_model: ModelSchema<'w, M>,
    definitions: Map<String, Value>,
    /// The reference to each schema that has a place, by its address.
    open: HashMap<*const Schema, String>,
    /// Those that are still to be written: the place, the schema, and the definitions that it sees.
    waiting: Vec<(String, &'w Schema, Vec<&'w [Schema]>)>,
    /// The models that have a place, by name.
    models: Vec<(String, String)>,
}

impl<'w, T, F, M> JsonSchemaWriter<'w, T, F, M> {
    fn object(&mut self, schema: &'w Schema, own: &[&'w [Schema]]) -> Result<Map<String, Value>> {
        let own: Vec<&[Schema]> = own.iter().copied().chain([schema.definitions.as_slice()]).collect();
        let mut object = Map::new();
        if let Some(description) = &schema.description {
            object.insert("description".to_owned(), json!(description));
        }
        object.insert("type".to_owned(), json!("object"));
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in self.set.fields(schema, &own)? {
            let says = self.field(schema, field, &own)?;
            if self.form == JsonSchemaMode::Strict || (field.required && field.default.is_none()) {
                required.push(field.name.clone());
            }
            properties.insert(field.name.clone(), says);
        }
        object.insert("properties".to_owned(), Value::Object(properties));
        if !required.is_empty() || self.form == JsonSchemaMode::Strict {
            object.insert("required".to_owned(), json!(required));
        }
        if schema.strict || self.form == JsonSchemaMode::Strict {
            object.insert("additionalProperties".to_owned(), json!(false));
        }
        Ok(object)
    }

    fn cannot(schema: &Schema, field: &Field, what: &str) -> Error {
        let message = format!(
            "field '{}' of schema '{}': {what} has no form in OpenAI's strict subset",
            field.name, schema.name
        );
        Error::new(Kind::Schema, message).with_hint("name a schema of its members, or leave `strict` out")
    }

    fn field(&mut self, schema: &'w Schema, field: &'w Field, own: &[&'w [Schema]]) -> Result<Value> {
        let strict = self.form == JsonSchemaMode::Strict;
        let mut says = match field.field_type {
            FieldType::List => {
                let mut says = Map::from_iter([("type".to_owned(), json!("array"))]);
                let items = match (&field.item_schema, field.item_type) {
                    (Some(name), _) => Some(self.reference(schema, field, name, own)?),
                    (None, Some(FieldType::Any) | None) if strict => {
                        return Err(Self::cannot(schema, field, "a list of anything"));
                    }
                    (None, Some(FieldType::Dict | FieldType::List)) if strict => {
                        return Err(Self::cannot(schema, field, "a list of dicts or lists without a schema"));
                    }
                    (None, Some(FieldType::Any) | None) => None,
                    (None, Some(kind)) => Some(Value::Object(simple(kind))),
                };
                says.extend(items.map(|items| ("items".to_owned(), items)));
                says
            }
            FieldType::Dict => match &field.nested_schema {
                Some(name) => match self.reference(schema, field, name, own)? {
                    Value::Object(says) => says,
                    other => Map::from_iter([("allOf".to_owned(), json!([other]))]),
                },
                None if strict => return Err(Self::cannot(schema, field, "a dict without a schema")),
                None => simple(FieldType::Dict),
            },
            FieldType::Any if strict && field.allowed().is_none() => {
                return Err(Self::cannot(schema, field, "type any"));
            }
            kind => simple(kind),
        };
        for validator in &field.validators {
            if field.field_type == FieldType::Any {
                narrow(validator.kind, &mut says);
            }
            rule(validator, field.field_type, strict, &mut says);
        }
        if let Some(allowed) = field.allowed() {
            if strict && !says.contains_key("type") {
                let kinds = kinds(&allowed);
                let kinds = kinds.ok_or_else(|| Self::cannot(schema, field, "a list or dict as a value"))?;
                says.insert("type".to_owned(), kinds);
            }
            says.insert("enum".to_owned(), json!(allowed));
        }
        if field.nullable {
            says = nullable(says);
        }
        // Nothing may stand beside a reference in the subset.
        if let Some(description) =
            field.description.as_ref().filter(|_| !strict || !says.contains_key("$ref"))
        {
            says.insert("description".to_owned(), json!(description));
        }
        for (remark, said) in [("readOnly", field.read_only), ("writeOnly", field.write_only)] {
            if said && !strict {
                says.insert(remark.to_owned(), json!(true));
            }
        }
        if let (Some(default), false) = (&field.default, strict) {
            says.insert("default".to_owned(), default.clone());
        }
        Ok(Value::Object(says))
    }

    /// `{"$ref": ...}` to a named schema, which is written under `$defs` if it is not there yet.
    fn reference(
        &mut self,
        schema: &'w Schema,
        field: &'w Field,
        name: &str,
        own: &[&'w [Schema]],
    ) -> Result<Value> {
        let local = own.iter().rev().flat_map(|list| list.iter()).find(|known| known.name == name);
        let found = match local {
            Some(found) => found,
            None => match self.set.get(name) {
                Some(SchemaEntry::Schema(found)) => &**found,
                Some(SchemaEntry::Model(model)) => return self.model(name, model),
                None => {
                    let message = format!(
                        "field '{}' of schema '{}' names '{name}', and there is no such schema",
                        field.name, schema.name
                    );
                    return Err(Error::new(Kind::SchemaParse, message));
                }
            },
        };
        let address = std::ptr::from_ref(found);
        if let Some(reference) = self.open.get(&address) {
            return Ok(json!({"$ref": reference}));
        }
        let place = self.place(name);
        let reference = reference_to(&place);
        self.open.insert(address, reference.clone());
        self.waiting.push((place, found, own.to_vec()));
        Ok(json!({"$ref": reference}))
    }

    /// A free name under `$defs`, which is taken at once.
    fn place(&mut self, name: &str) -> String {
        let mut place = name.to_owned();
        let mut count = 1;
        while self.definitions.contains_key(&place) {
            count += 1;
            place = format!("{name}_{count}");
        }
        self.definitions.insert(place.clone(), Value::Null);
        place
    }

    /// A reference to a model's own JSON Schema, which is written under `$defs` if it is not there yet.
    fn model(&mut self, name: &str, model: &M) -> Result<Value> {
        if let Some((_, reference)) = self.models.iter().find(|(known, _)| *known == name) {
            return Ok(json!({"$ref": reference}));
        }
        let mut says = (self.of_model)(model)?;
        if self.form == JsonSchemaMode::Strict {
            says = openai_strict::subset(&says)?;
        }
        let place = self.place(name);
        let reference = reference_to(&place);
        self.models.push((name.to_owned(), reference.clone()));
        let mut moved = Vec::new();
        if let Some(Value::Object(theirs)) = says.as_object_mut().and_then(|says| says.remove("$defs")) {
            for (inner, said) in theirs {
                let place = self.place(&format!("{place}.{inner}"));
                moved.push((reference_to(&inner), place, said));
            }
        }
        let places: Vec<(String, String)> =
            moved.iter().map(|(old, place, _)| (old.clone(), reference_to(place))).collect();
        for (_, place, mut said) in moved {
            refer(&mut said, &places);
            self.definitions.insert(place, said);
        }
        refer(&mut says, &places);
        self.definitions.insert(place, says);
        Ok(json!({"$ref": reference}))
    }
}

fn reference_to(place: &str) -> String {
    format!("#/$defs/{}", place.replace('~', "~0").replace('/', "~1"))
}

/// Turns references to where definitions were into references to where they are.
fn refer(says: &mut Value, places: &[(String, String)]) {
    match says {
        Value::Object(members) => {
            for (key, member) in members {
                let moved = |text: &str| places.iter().find(|(old, _)| old == text);
                match member.as_str().filter(|_| key == "$ref").and_then(moved) {
                    Some((_, new)) => *member = json!(new),
                    None => refer(member, places),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, places)),
        _ => {}
    }
}

/// The type of values that are none of several parts; `None` where one is.
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

/// What a type alone says.
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

/// Adds what a validator says. `custom` and forms of dates have no form here, nor have patterns that only the core
/// reads; in the strict subset neither have lengths of texts, nor the format of URLs.
fn rule(validator: &Validator, kind: FieldType, strict: bool, says: &mut Map<String, Value>) {
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
                    says,
                    &format!("min{of}"),
                    validator.min_value.as_ref().map(|low| whole(low, f64::ceil)),
                );
                bound(
                    says,
                    &format!("max{of}"),
                    validator.max_value.as_ref().map(|high| whole(high, f64::floor)),
                );
            }
        }
        ValidatorKind::MinValue | ValidatorKind::MaxValue | ValidatorKind::Range => {
            bound(says, "minimum", validator.min_value.clone().map(Value::Number));
            bound(says, "maximum", validator.max_value.clone().map(Value::Number));
        }
        ValidatorKind::Regex => {
            let pattern = validator.pattern.as_deref().and_then(pattern::ecma);
            further(says, "pattern", pattern.map(Value::from), strict);
        }
        ValidatorKind::Email => {
            further(says, "format", Some(json!(if strict { "email" } else { "idn-email" })), strict);
        }
        ValidatorKind::Url if !strict => further(says, "format", Some(json!("iri")), strict),
        ValidatorKind::Uuid => further(says, "format", Some(json!("uuid")), strict),
        ValidatorKind::Date if validator.format.is_none() => {
            further(says, "format", Some(json!("date")), strict);
        }
        ValidatorKind::DateTime if validator.format.is_none() => {
            further(says, "format", Some(json!("date-time")), strict);
        }
        ValidatorKind::Url
        | ValidatorKind::Date
        | ValidatorKind::DateTime
        | ValidatorKind::Enum
        | ValidatorKind::Custom => {}
    }
}

/// The types that a rule leaves of any.
fn narrow(kind: ValidatorKind, says: &mut Map<String, Value>) {
    let types = match kind {
        ValidatorKind::MinLength | ValidatorKind::MaxLength => json!(["string", "array", "object"]),
        ValidatorKind::MinValue | ValidatorKind::MaxValue | ValidatorKind::Range => json!("number"),
        ValidatorKind::Enum | ValidatorKind::Custom => return,
        _ => json!("string"),
    };
    says.entry("type").or_insert(types);
}

/// Sets a bound; of two, the tighter stays.
fn bound(says: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    let Some(value) = value else { return };
    let number = |value: &Value| value.as_number().map(NumericValue::of);
    let tighter = match (says.get(key).and_then(number), number(&value)) {
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
        says.insert(key.to_owned(), value);
    }
}

/// Sets a keyword; where another value has it, both must hold, which the strict subset cannot say.
fn further(says: &mut Map<String, Value>, key: &str, value: Option<Value>, strict: bool) {
    let Some(value) = value else { return };
    match says.get(key) {
        None => drop(says.insert(key.to_owned(), value)),
        Some(known) if *known == value || strict => {}
        Some(_) => {
            let more = json!({key: value});
            match says.get_mut("allOf") {
                Some(Value::Array(all)) => all.push(more),
                _ => drop(says.insert("allOf".to_owned(), json!([more]))),
            }
        }
    }
}

/// A bound of a length, which is a whole number.
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

/// The same, or null.
fn nullable(mut says: Map<String, Value>) -> Map<String, Value> {
    if says.contains_key("$ref") {
        return Map::from_iter([("anyOf".to_owned(), json!([says, {"type": "null"}]))]);
    }
    if let Some(Value::Array(allowed)) = says.get_mut("enum")
        && !allowed.contains(&Value::Null)
    {
        allowed.push(Value::Null);
    }
    match says.get_mut("type") {
        Some(Value::Array(kinds)) if kinds.contains(&json!("null")) => {}
        Some(Value::Array(kinds)) => kinds.push(json!("null")),
        Some(kind) if kind == "null" => {}
        Some(kind) => *kind = json!([kind.clone(), "null"]),
        None => {}
    }
    says
}

/// The types that a keyword is about; `None` for one that is about any.
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

/// Whether a schema says nothing but a pattern or a format.
fn is_rule_of_text(says: &Value) -> bool {
    says.as_object().is_some_and(|says| says.keys().all(|key| key == "pattern" || key == "format"))
}

/// Reads a JSON Schema of an object; objects within it become definitions of the schema.
///
/// JSON Schema converts nothing, so neither does the schema.
///
/// # Errors
/// [`Kind::SchemaParse`] for each keyword that a schema cannot say, with the way to it.
pub fn read(name: &str, document: &Value) -> Result<Schema> {
    let mut reader = JsonSchemaReader { document, definitions: Vec::new(), names: Vec::new() };
    let Value::Object(root) = document else { return Err(refused("#", "it is no JSON object")) };
    let root = match root.get("$ref").and_then(Value::as_str) {
        Some(reference) => reader.resolve(reference, "#")?,
        None => root,
    };
    reader.names.push((std::ptr::from_ref(root), name.to_owned()));
    let schema = reader.object(name, root, "#")?;
    Ok(Schema { definitions: reader.definitions, ..schema })
}

struct JsonSchemaReader<'r> {
    document: &'r Value,
    definitions: Vec<Schema>,
    /// The objects that have a name.
    names: Vec<(*const Map<String, Value>, String)>,
}

fn refused(path: &str, why: &str) -> Error {
    Error::new(Kind::SchemaParse, format!("the JSON Schema cannot be a schema: {path}: {why}"))
        .with_context("pointer", path)
}

fn unsayable(path: &str, keyword: &str) -> Error {
    refused(path, &format!("a schema cannot say `{keyword}`"))
}

/// Keywords that say nothing about what is valid.
const REMARKS: &[&str] = &[
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
        let unknown =
            || refused(path, &format!("`$ref` to {reference:?} leads to no object of this document"));
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
                ("type", _) => return Err(refused(path, "the whole must be of type object")),
                ("properties", Value::Object(found)) => properties = Some(found),
                ("required", Value::Array(names)) => required.extend(names.iter().filter_map(Value::as_str)),
                ("additionalProperties", Value::Bool(allowed)) => {
                    schema.strict = !allowed;
                    schema.allow_extra = *allowed;
                }
                (key, _) if REMARKS.contains(&key) => {}
                (key, _) => return Err(unsayable(path, key)),
            }
        }
        for (name, says) in properties.into_iter().flatten() {
            let path = format!("{path}/properties/{name}");
            let mut field = self.field(name, says, &path)?;
            field.required = required.contains(&name.as_str());
            schema.fields.push(field);
        }
        for name in required {
            if !schema.fields.iter().any(|field| field.name == name) {
                schema.fields.push(Field { nullable: true, ..Field::new(name, FieldType::Any) });
            }
        }
        Ok(schema)
    }

    /// The name of the schema for an object; the object is read when it is first met.
    fn named(&mut self, object: &'r Map<String, Value>, wanted: &str, path: &str) -> Result<String> {
        let address = std::ptr::from_ref(object);
        if let Some((_, name)) = self.names.iter().find(|(known, _)| *known == address) {
            return Ok(name.clone());
        }
        let mut name = wanted.to_owned();
        while self.names.iter().any(|(_, known)| *known == name) {
            name.push('_');
        }
        self.names.push((address, name.clone()));
        let schema = self.object(&name, object, path)?;
        self.definitions.push(schema);
        Ok(name)
    }

    fn field(&mut self, name: &str, says: &'r Value, path: &str) -> Result<Field> {
        let mut field = Field::new(name, FieldType::Any);
        let says = match says {
            Value::Bool(true) => {
                field.nullable = true;
                return Ok(field);
            }
            Value::Object(says) => says,
            _ => return Err(refused(path, "it is no JSON Schema")),
        };
        self.fill(&mut field, says, path)?;
        field.default = says.get("default").cloned();
        field.description = says.get("description").and_then(Value::as_str).map(str::to_owned);
        field.read_only = says.get("readOnly") == Some(&json!(true));
        field.write_only = says.get("writeOnly") == Some(&json!(true));
        Ok(field)
    }

    /// Reads what is said of a value into the field.
    fn fill(&mut self, field: &mut Field, says: &'r Map<String, Value>, path: &str) -> Result<()> {
        /// References may lead in a circle, and each step makes the way longer.
        const LONGEST_WAY: usize = 2000;
        if path.len() > LONGEST_WAY {
            return Err(refused("#", "it nests too deep, or a `$ref` leads back to itself"));
        }
        if let Some(reference) = says.get("$ref").and_then(Value::as_str) {
            if let Some(other) = says.keys().find(|key| *key != "$ref" && !REMARKS.contains(&key.as_str())) {
                return Err(refused(path, &format!("a schema cannot say `{other}` beside `$ref`")));
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
        if let Some(choices) = says.get("anyOf").or_else(|| says.get("oneOf")).and_then(Value::as_array) {
            return self.choice(field, says, choices, path);
        }
        field.field_type = Self::kind(field, says, path)?;
        let mut range = Validator::new(ValidatorKind::Range);
        for (key, value) in says {
            self.keyword(field, &mut range, key, value, path)?;
        }
        if range.min_value.is_some() || range.max_value.is_some() {
            field.validators.push(range);
        }
        if field.field_type == FieldType::Dict && says.contains_key("properties") {
            let name = format!("{}.{}", self.names[0].1, field.name);
            field.nested_schema = Some(self.named(says, &name, path)?);
        }
        Ok(())
    }

    /// `anyOf` of one schema and null.
    fn choice(
        &mut self,
        field: &mut Field,
        says: &'r Map<String, Value>,
        choices: &'r [Value],
        path: &str,
    ) -> Result<()> {
        let key = if says.contains_key("anyOf") { "anyOf" } else { "oneOf" };
        if let Some(other) = says.keys().find(|known| *known != key && !REMARKS.contains(&known.as_str())) {
            return Err(refused(path, &format!("a schema cannot say `{other}` beside `{key}`")));
        }
        let null = json!({"type": "null"});
        let others: Vec<&Value> = choices.iter().filter(|choice| **choice != null).collect();
        match (others.as_slice(), choices.len() - others.len()) {
            ([Value::Object(only)], 1) => {
                self.fill(field, only, &format!("{path}/{key}"))?;
                field.nullable = true;
                Ok(())
            }
            _ => Err(refused(path, &format!("a schema cannot say `{key}`, but for one type or null"))),
        }
    }

    fn kind(field: &mut Field, says: &Map<String, Value>, path: &str) -> Result<FieldType> {
        let listed = |value: &Value| value.as_array().is_some_and(|list| list.iter().any(Value::is_null));
        let enumerated = says.contains_key("enum") || says.contains_key("const");
        let kind = match says.get("type") {
            None => {
                field.nullable = !enumerated
                    || says.get("enum").is_some_and(listed)
                    || says.get("const") == Some(&Value::Null);
                return Ok(if enumerated { FieldType::Enum } else { FieldType::Any });
            }
            Some(Value::String(kind)) => kind.as_str(),
            Some(Value::Array(kinds)) => {
                let others: Vec<&str> =
                    kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect();
                field.nullable = others.len() < kinds.len();
                match others.as_slice() {
                    [only] => *only,
                    _ => return Err(refused(path, "a schema cannot say several types, but for one or null")),
                }
            }
            Some(_) => return Err(refused(path, "`type` is no type")),
        };
        let format = says.get("format").and_then(Value::as_str);
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
            (other, _) => return Err(refused(path, &format!("unknown type {other:?}"))),
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
                return Err(refused(path, &format!("a schema cannot say `{key}` without a type")));
            }
            // To values of other types such a keyword says nothing.
            (Some(types), own) if !types.contains(&own) => return Ok(()),
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
                    let message = format!("the JSON Schema cannot be a schema: {path}: {}", error.message());
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
                other => return Err(refused(path, &format!("a schema cannot say the format {other:?}"))),
            },
            ("items", items) => self.items(field, items, path)?,
            // Further rules of a text, as two patterns are written.
            ("allOf", Value::Array(all)) if all.iter().all(is_rule_of_text) => {
                for rule in all.iter().filter_map(Value::as_object).flatten() {
                    self.keyword(field, range, rule.0, rule.1, path)?;
                }
            }
            ("type", _) | ("additionalProperties", Value::Bool(true)) => {}
            ("properties" | "required" | "additionalProperties", _) => {
                // Read with the object's schema, which only one with `properties` becomes.
                if key == "additionalProperties" && !value.is_boolean() {
                    return Err(unsayable(path, key));
                }
            }
            (key, _) if REMARKS.contains(&key) => {}
            (key, _) => return Err(unsayable(path, key)),
        }
        Ok(())
    }

    /// The items of a list: a type without further rules, or objects.
    fn items(&mut self, field: &mut Field, items: &'r Value, path: &str) -> Result<()> {
        let path = format!("{path}/items");
        let item = self.field(&field.name, items, &path)?;
        let plain = item.validators.is_empty() && item.item_type.is_none() && item.item_schema.is_none();
        if !plain {
            return Err(refused(&path, "a schema cannot say more of items than a type or a schema"));
        }
        if item.nullable && item.field_type != FieldType::Any {
            return Err(refused(&path, "a schema cannot say that items may be null"));
        }
        match item.nested_schema {
            Some(name) => field.item_schema = Some(name),
            None => field.item_type = Some(item.field_type),
        }
        Ok(())
    }
}
