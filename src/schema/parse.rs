//! Reads schema files: YAML with `schemas`, and beside them `version` and `metadata` of the file.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::dates::DateFormat;
use super::model::{Field, FieldType, Schema, Validator, ValidatorKind};
use super::rules;
use crate::error::{Error, Kind, Place};
use crate::limits::FILE_BYTES;
use crate::prompt::Version;
use crate::wire::yaml::{documents, libyaml_end, parse, translate};
use crate::wire::{At, Json, JsonObject, Keys, Path, Placed, located, mapping, problem, shown};

/// A schema file.
#[derive(Debug, Default)]
pub struct SchemaFile {
    /// What it calls its version.
    pub version: Option<String>,
    /// What it says of itself.
    pub metadata: Map<String, Value>,
    /// The good schemas, each with the file's metadata beside its own.
    pub schemas: Vec<Schema>,
    /// What is wrong: [`Kind::SchemaParse`], each with its place.
    pub errors: Vec<Error>,
}

/// Reads the schemas of a file. `file_name` is for errors. A broken schema does not hide those before it.
///
/// Every error is [`Kind::SchemaParse`] with its place.
#[must_use]
pub fn read_schemas(file_name: &str, text: &str) -> (Vec<Schema>, Vec<Error>) {
    let file = read_file(file_name, text);
    (file.schemas, file.errors)
}

/// Reads a schema file whole; see [`read_schemas`].
#[must_use]
pub fn read_file(file_name: &str, text: &str) -> SchemaFile {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut file = SchemaFile::default();
    let at_start = |message: String| {
        Error::new(Kind::SchemaParse, message).with_place(Place::of(Some(file_name), text, 0))
    };
    if text.len() as u64 > FILE_BYTES {
        file.errors.push(at_start(format!("the file is larger than {FILE_BYTES} bytes")));
        return file;
    }
    let chunks = documents(text);
    if chunks.is_empty() {
        file.errors.push(at_start("the file holds no schema".to_owned()));
    }
    let mut found: Vec<(Placed<String>, Schema)> = Vec::new();
    for chunk in chunks {
        let source = libyaml_end(chunk.text);
        let root = SchemaFileVisitor {
            schemas: &mut found,
            metadata: &mut file.metadata,
            version: &mut file.version,
            lines_before: chunk.lines_before,
        };
        if let Err(error) = parse(&source, |deserializer| deserializer.deserialize_map(root)) {
            file.errors.push(translate(&error, file_name, text, chunk.lines_before, Kind::SchemaParse));
        }
    }
    for (name, mut schema) in found {
        for (key, value) in &file.metadata {
            schema.metadata.entry(key).or_insert_with(|| value.clone());
        }
        schema.place = name.at.map(|at| Place {
            name: Some(file_name.to_owned()),
            line: at.line,
            column: at.column,
            source_line: text.lines().nth(at.line - 1).map(|line| line.chars().take(160).collect()),
        });
        file.schemas.push(schema);
    }
    file
}

/// Reads one schema that a program made, from any deserializer.
///
/// # Errors
/// The deserializer's, for what breaks a rule.
pub fn read_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Schema, D::Error> {
    <WireSchema as serde::Deserialize>::deserialize(deserializer).map(|wire| wire.schema)
}

/// [`read_one`], for what must say nothing without effect; see [`lints`](super::lints()).
///
/// # Errors
/// As that; the first remark.
pub fn read_exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Schema, D::Error> {
    let schema = read_one(deserializer)?;
    match super::lints(&schema).first() {
        Some(remark) => Err(located(remark, None)),
        None => Ok(schema),
    }
}

/// Reads one validator that a program made, from any deserializer.
///
/// # Errors
/// The deserializer's, for what breaks a rule.
pub fn read_validator_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Validator, D::Error> {
    <Validator as serde::Deserialize>::deserialize(deserializer)
}

/// Reads a file's root into lists that outlive an error.
struct SchemaFileVisitor<'a> {
    schemas: &'a mut Vec<(Placed<String>, Schema)>,
    metadata: &'a mut Map<String, Value>,
    version: &'a mut Option<String>,
    lines_before: usize,
}

impl<'de> Visitor<'de> for SchemaFileVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping with `schemas`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = false;
        while let Some(key) = map.next_key_seed(Keys(&["version", "metadata", "schemas"]))? {
            match key {
                "version" => *self.version = map.next_value()?,
                "metadata" => {
                    *self.metadata = map.next_value_seed(JsonObject("metadata"))?.unwrap_or_default();
                }
                _ => {
                    seen = true;
                    map.next_value_seed(Schemas(self.schemas, self.lines_before))?;
                }
            }
        }
        if seen { Ok(()) } else { Err(de::Error::missing_field("schemas")) }
    }
}

struct Schemas<'a>(&'a mut Vec<(Placed<String>, Schema)>, usize);

impl<'de> DeserializeSeed<'de> for Schemas<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Schemas<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of schemas")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(WireSchema { name, schema }) = seq.next_element()? {
            if let Some((first, _)) = self.0.iter().find(|(known, _)| known.value == name.value) {
                // The first may stand in an earlier document; its line is kept as the file counts it.
                return Err(twice("schema", &name, first.at.map(|at| at.line)));
            }
            let in_file = name.at.map(|at| At { line: at.line + self.1, ..at });
            self.0.push((Placed { value: name.value, at: in_file }, schema));
        }
        Ok(())
    }
}

/// The error for a name that is there already, with both places.
fn twice<E: de::Error>(what: &str, name: &Placed<String>, first_line: Option<usize>) -> E {
    let hint = first_line.map(|line| format!("the first is in line {line}"));
    problem(name.at, &format!("{what} {} is there twice", shown(&name.value)), hint.as_deref())
}

struct WireSchema {
    name: Placed<String>,
    schema: Schema,
}

mapping!(WireSchema, "a schema, which is a mapping", |map| read_schema(map));

fn read_schema<'de, A: MapAccess<'de>>(mut map: A) -> Result<WireSchema, A::Error> {
    const KEYS: &[&str] = &[
        "name",
        "version",
        "description",
        "strict",
        "allow_extra",
        "coerce",
        "extends",
        "fields",
        "definitions",
        "metadata",
    ];
    let (mut name, mut fields) = (None::<Placed<String>>, None);
    let (mut strict, mut extra) = (None, None);
    let mut schema = Schema::new("");
    while let Some(key) = map.next_key_seed(Keys(KEYS))? {
        match key {
            "name" => name = Some(map.next_value()?),
            "version" => schema.version = map.next_value::<Option<Version>>()?.unwrap_or_default(),
            "description" => schema.description = map.next_value()?,
            "strict" => strict = read_flag(&mut map)?,
            "allow_extra" => extra = read_flag(&mut map)?,
            "coerce" => schema.coerce = read_flag(&mut map)?.unwrap_or(true),
            "extends" => schema.extends = map.next_value()?,
            "definitions" => {
                let mut list = Vec::new();
                map.next_value_seed(Schemas(&mut list, 0))?;
                schema.definitions = list.into_iter().map(|(_, schema)| schema).collect();
            }
            "metadata" => schema.metadata = map.next_value_seed(JsonObject("metadata"))?.unwrap_or_default(),
            _ => fields = map.next_value::<Option<Fields>>()?,
        }
    }
    if strict == Some(true) && extra == Some(true) {
        let message = "`strict` refuses further keys and `allow_extra` allows them: both cannot be true";
        return Err(problem(name.as_ref().and_then(|name| name.at), message, None));
    }
    schema.strict = strict.unwrap_or(extra != Some(true));
    // Both false, and both said: further keys are dropped.
    schema.allow_extra = extra.unwrap_or(!schema.strict);
    let name = name.ok_or_else(|| de::Error::missing_field("name"))?;
    if name.value.trim().is_empty() {
        return Err(problem(name.at, "the name of a schema is empty", None));
    }
    if schema.extends.as_deref() == Some(name.value.as_str()) {
        return Err(problem(name.at, &format!("schema {} extends itself", shown(&name.value)), None));
    }
    // A schema that extends another may add nothing to it.
    schema.fields = match (fields, &schema.extends) {
        (Some(fields), _) => fields.0,
        (None, Some(_)) => Vec::new(),
        (None, None) => return Err(de::Error::missing_field("fields")),
    };
    schema.name.clone_from(&name.value);
    Ok(WireSchema { name, schema })
}

struct Fields(Vec<Field>);

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl<'de> Visitor<'de> for V {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of fields")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Fields, A::Error> {
                let (mut fields, mut lines) = (Vec::<Field>::new(), Vec::new());
                while let Some(WireField { name, field }) = seq.next_element()? {
                    if let Some(first) = fields.iter().position(|known| known.name == name.value) {
                        return Err(twice("field", &name, lines[first]));
                    }
                    lines.push(name.at.map(|at| at.line));
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_seq(V)
    }
}

struct WireField {
    name: Placed<String>,
    field: Field,
}

mapping!(WireField, "a field, which is a mapping", |map| read_field(map));

fn read_field<'de, A: MapAccess<'de>>(mut map: A) -> Result<WireField, A::Error> {
    const KEYS: &[&str] = &[
        "name",
        "type",
        "required",
        "default",
        "nullable",
        "description",
        "item_type",
        "item_schema",
        "nested_schema",
        "allow_inf_nan",
        "read_only",
        "write_only",
        "validators",
    ];
    let (mut name, mut field_type, mut required) = (None::<Placed<String>>, None::<Placed<String>>, None);
    let mut default = None;
    let mut field = Field::new("", FieldType::Any);
    while let Some(key) = map.next_key_seed(Keys(KEYS))? {
        match key {
            "name" => name = Some(map.next_value()?),
            "type" => field_type = Some(map.next_value()?),
            "required" => required = read_flag(&mut map)?,
            "default" => default = Some(map.next_value_seed(Json(Path::Root("default")))?),
            "nullable" => field.nullable = read_flag(&mut map)?.unwrap_or_default(),
            "description" => field.description = map.next_value()?,
            "item_type" => field.item_type = map.next_value()?,
            "item_schema" => field.item_schema = map.next_value()?,
            "nested_schema" => field.nested_schema = map.next_value()?,
            "allow_inf_nan" => field.allow_inf_nan = read_flag(&mut map)?.unwrap_or_default(),
            "read_only" => field.read_only = read_flag(&mut map)?.unwrap_or_default(),
            "write_only" => field.write_only = read_flag(&mut map)?.unwrap_or_default(),
            _ => field.validators = map.next_value::<Option<Vec<Validator>>>()?.unwrap_or_default(),
        }
    }
    let name = name.ok_or_else(|| de::Error::missing_field("name"))?;
    if name.value.is_empty() {
        return Err(problem(name.at, "the name of a field is empty", None));
    }
    let field_type = field_type.ok_or_else(|| de::Error::missing_field("type"))?;
    field.field_type = field_type.parse()?;
    fits_type(&mut field, field_type.at)?;
    // Null is a default of its own only where null is allowed.
    field.default = default.filter(|default| !default.is_null() || field.nullable);
    field.required = required.unwrap_or(field.default.is_none());
    field.name.clone_from(&name.value);
    Ok(WireField { name, field })
}

/// Checks that members are said only of what may have some. A value of any type that has a schema is a dict; beside a
/// list it has no effect, which is remarked.
fn fits_type<E: de::Error>(field: &mut Field, at: Option<At>) -> Result<(), E> {
    match field.field_type {
        _ if field.nested_schema.is_none() => Ok(()),
        FieldType::Dict | FieldType::List => Ok(()),
        FieldType::Any => {
            field.field_type = FieldType::Dict;
            Ok(())
        }
        other => {
            let message = format!("`nested_schema` belongs to a field of type dict, and this one is {other}");
            Err(problem(at, &message, None))
        }
    }
}

/// True or false, also in the words that YAML had for them in its version 1.1, and as 1 or 0; `None` for what is none.
struct Flag(Option<bool>);

impl<'de> serde::Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl Visitor<'_> for V {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a boolean")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(Some(value)))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Flag, E> {
                Ok(Flag(matches!(value, 0 | 1).then_some(value == 1)))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Flag, E> {
                Ok(Flag(matches!(value, 0 | 1).then_some(value == 1)))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Flag, E> {
                Ok(Flag(match value.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" => Some(true),
                    "false" | "no" | "off" => Some(false),
                    _ => None,
                }))
            }
        }

        deserializer.deserialize_any(V)
    }
}

fn read_flag<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<bool>, A::Error> {
    match map.next_value::<Option<Placed<Flag>>>()? {
        None => Ok(None),
        Some(Placed { value: Flag(Some(flag)), .. }) => Ok(Some(flag)),
        Some(Placed { at, .. }) => Err(problem(at, "`true` or `false` is expected here", None)),
    }
}

mapping!(Validator, "a validator, which is a mapping", |map| read_validator(map));

fn read_validator<'de, A: MapAccess<'de>>(mut map: A) -> Result<Validator, A::Error> {
    const KEYS: &[&str] = &[
        "type",
        "value",
        "min_value",
        "max_value",
        "pattern",
        "format",
        "allowed_values",
        "error_message",
        "custom_function",
    ];
    let mut kind: Option<Placed<String>> = None;
    let (mut pattern, mut format) = (None::<Placed<String>>, None::<Placed<String>>);
    let mut validator = Validator::new(ValidatorKind::Custom);
    while let Some(key) = map.next_key_seed(Keys(KEYS))? {
        match key {
            "type" => kind = Some(map.next_value()?),
            "value" => {
                let value = map.next_value_seed(Json(Path::Root("value")))?;
                validator.value = (!value.is_null()).then_some(value);
            }
            "min_value" => validator.min_value = read_bound(&mut map, key)?,
            "max_value" => validator.max_value = read_bound(&mut map, key)?,
            "pattern" => pattern = map.next_value()?,
            "format" => format = map.next_value()?,
            "allowed_values" => match map.next_value_seed(Json(Path::Root("allowed_values")))? {
                Value::Array(values) => validator.allowed_values = values,
                Value::Null => {}
                _ => return Err(crate::wire::invalid("another value at `allowed_values`", "a list")),
            },
            "error_message" => validator.error_message = map.next_value()?,
            _ => validator.custom_function = map.next_value()?,
        }
    }
    let kind = kind.ok_or_else(|| de::Error::missing_field("type"))?;
    validator.kind = kind.parse()?;
    take_value(&mut validator);
    if let Some(Placed { value, at }) = pattern {
        rules::pattern(&value).map_err(|error| located(&error, at))?;
        validator.pattern = Some(value);
    }
    if let Some(Placed { value, at }) = format {
        if !matches!(validator.kind, ValidatorKind::Date | ValidatorKind::DateTime) {
            let message = format!("`format` belongs to validator date or datetime, not {}", validator.kind);
            return Err(problem(at, &message, None));
        }
        DateFormat::new(&value, validator.kind).map_err(|error| located(&error, at))?;
        validator.format = Some(value);
    }
    check_validator(&validator).map_err(|error| located(&error, kind.at))?;
    Ok(validator)
}

/// Takes `value` as the bound that the rule needs and that is not given under its own name.
fn take_value(validator: &mut Validator) {
    let number = || validator.value.as_ref().and_then(Value::as_number).cloned();
    match validator.kind {
        ValidatorKind::MinLength | ValidatorKind::MinValue if validator.min_value.is_none() => {
            validator.min_value = number();
        }
        ValidatorKind::MaxLength | ValidatorKind::MaxValue if validator.max_value.is_none() => {
            validator.max_value = number();
        }
        _ => {}
    }
}

/// A number as it is written; `None` for NaN and the infinities.
struct Written(Option<Number>);

impl<'de> serde::Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl Visitor<'_> for V {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Written, E> {
                Ok(Written(Some(value.into())))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Written, E> {
                Ok(Written(Some(value.into())))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Written, E> {
                Ok(Written(Number::from_f64(value)))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Written, E> {
                let number = value.trim().parse::<Number>();
                number
                    .map(|number| Written(Some(number)))
                    .map_err(|_| E::invalid_type(de::Unexpected::Str(value), &self))
            }
        }

        deserializer.deserialize_any(V)
    }
}

/// A bound; NaN and the infinities bound nothing.
fn read_bound<'de, A: MapAccess<'de>>(map: &mut A, key: &str) -> Result<Option<Number>, A::Error> {
    let Some(bound) = map.next_value::<Option<Placed<Written>>>()? else { return Ok(None) };
    match bound.value.0 {
        Some(number) => Ok(Some(number)),
        None => Err(problem(bound.at, &format!("`{key}` must be a finite number"), None)),
    }
}

/// Checks that a rule has what it needs to mean anything. One that lacks its bound checks nothing; see
/// [`lints`](super::lints()).
fn check_validator(validator: &Validator) -> crate::Result<()> {
    let Validator { kind, min_value, max_value, .. } = validator;
    let lacking = match kind {
        ValidatorKind::Range if min_value.is_none() && max_value.is_none() => {
            Some("min_value` or `max_value")
        }
        ValidatorKind::Regex if validator.pattern.is_none() => Some("pattern"),
        ValidatorKind::Enum if validator.allowed_values.is_empty() => Some("allowed_values"),
        ValidatorKind::Custom if validator.custom_function.is_none() => Some("custom_function"),
        _ => None,
    };
    if let Some(key) = lacking {
        return Err(Error::new(Kind::SchemaParse, format!("validator {kind} needs `{key}`")));
    }
    if let (Some(low), Some(high)) = (min_value, max_value)
        && super::numeric::NumericValue::of(low) > super::numeric::NumericValue::of(high)
    {
        return Err(Error::new(Kind::SchemaParse, "`min_value` is greater than `max_value`"));
    }
    Ok(())
}
