//! Reads schema files: YAML with `schemas`, and optionally the `version` and `metadata` of the file. All errors are
//! collected.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::dates::DateFormat;
use super::keys;
use super::model::{Field, FieldType, Schema, Validator, ValidatorKind};
use super::rules;
use crate::de::yaml::{documents, read_document, source_text};
use crate::de::{
    Fields, KeyPath, NodeReader, NodeValue, SourceNode, SourceSpan, SpannedText, nearest_number, shown,
};
use crate::error::{Error, Kind, LineStarts, Place, Result};
use crate::limits::FILE_BYTES;

/// A schema file.
#[derive(Debug, Default)]
pub struct SchemaFile {
    /// The version of the file.
    pub version: Option<String>,
    /// The metadata of the file.
    pub metadata: Map<String, Value>,
    /// The schemas without errors. The metadata of the file is merged into that of each schema.
    pub schemas: Vec<Schema>,
    /// The errors, each [`Kind::SchemaParse`] with its place.
    pub errors: Vec<Error>,
}

/// Reads the schemas of a file. `file_name` appears in errors. A broken schema does not hide the others.
///
/// Every error is [`Kind::SchemaParse`] with its place.
#[must_use]
pub fn read_schemas(file_name: &str, text: &str) -> (Vec<Schema>, Vec<Error>) {
    let file = read_file(file_name, text);
    (file.schemas, file.errors)
}

/// Reads a schema file with its version and metadata; see [`read_schemas`].
#[must_use]
pub fn read_file(file_name: &str, text: &str) -> SchemaFile {
    let text = &*source_text(text);
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
        file.errors.push(at_start("the file contains no schema".to_owned()));
    }
    let mut reader = NodeReader::of_yaml(Kind::SchemaParse, text);
    let mut found = NamedSchemas::new(Some(text));
    for chunk in chunks {
        let Some(root) = read_document(text, &chunk, &mut reader) else { continue };
        let expected = "a mapping with `schemas`";
        let Some(mut fields) = reader.hinted_fields(root, expected, keys::FILE, keys::file_hint) else {
            continue;
        };
        file.version = reader.optional_text(&mut fields, "version").or(file.version);
        if let Some(node) = fields.take_value("metadata") {
            file.metadata = reader.object(node, "metadata").unwrap_or_default();
        }
        if let Some(list) = reader.required(&mut fields, "schemas") {
            found.read(&mut reader, list);
        }
    }
    let lines = LineStarts::of(text);
    for (span, mut schema) in found.good {
        for (key, value) in &file.metadata {
            schema.metadata.entry(key).or_insert_with(|| value.clone());
        }
        schema.place = span.offset().map(|offset| Place::with_lines(Some(file_name), text, offset, &lines));
        file.schemas.push(schema);
    }
    file.errors.extend(reader.located(file_name, text));
    file
}

/// Reads one schema from JSON that a program made.
///
/// # Errors
/// [`Kind::SchemaParse`]: the only error, or one that lists all errors.
pub fn read_one(json: &Value) -> Result<Schema> {
    let mut reader = NodeReader::new(Kind::SchemaParse);
    let read = read_schema(&mut reader, SourceNode::of_json(json));
    let schema = reader.finish("the schema", read)?;
    schema.map(|(_, schema)| schema).ok_or_else(|| unreadable("schema"))
}

/// Like [`read_one`], but a member that has no effect is an error too; see [`lints`](super::lints()).
///
/// # Errors
/// The same as [`read_one`], and the first lint.
pub fn read_exact(json: &Value) -> Result<Schema> {
    let schema = read_one(json)?;
    match super::lints(&schema).into_iter().next() {
        Some(lint) => Err(lint),
        None => Ok(schema),
    }
}

/// Reads one validator from JSON that a program made.
///
/// # Errors
/// [`Kind::SchemaParse`]: the only error, or one that lists all errors.
pub fn read_validator_of(json: &Value) -> Result<Validator> {
    let mut reader = NodeReader::new(Kind::SchemaParse);
    let read = read_validator(&mut reader, SourceNode::of_json(json));
    reader.finish("the validator", read)?.ok_or_else(|| unreadable("validator"))
}

/// How a part of a schema is written, for the hint where something else is found.
#[derive(Clone, Copy)]
struct SchemaPart {
    list: &'static str,
    item: &'static str,
    hint: &'static str,
}

const SCHEMAS: SchemaPart = SchemaPart {
    list: "a list of schemas",
    item: "a schema, which is a mapping",
    hint: "write schemas as `[{name: ticket, fields: [{name: title, type: string}]}]`",
};

const FIELDS: SchemaPart = SchemaPart {
    list: "a list of fields",
    item: "a field, which is a mapping",
    hint: "write fields as `[{name: title, type: string}]`",
};

const VALIDATORS: SchemaPart = SchemaPart {
    list: "a list of validators",
    item: "a validator, which is a mapping",
    hint: "write validators as `[{type: min_length, min_value: 1}]`",
};

impl SchemaPart {
    /// The items of a list. Those that are no mappings are mistakes.
    fn items<'n>(self, reader: &mut NodeReader<'_>, list: SourceNode<'n>) -> Vec<SourceNode<'n>> {
        let NodeValue::List(mut items) = list.value else {
            let message = format!("expected {}, found {}", self.list, list.kind());
            reader.wrong_hint(list.span, message, self.hint);
            return Vec::new();
        };
        items.retain(|item| {
            let is_mapping = matches!(item.value, NodeValue::Map(_));
            if !is_mapping {
                let message = format!("expected {}, found {}", self.item, item.kind());
                reader.wrong_hint(item.span, message, self.hint);
            }
            is_mapping
        });
        items
    }
}

fn unreadable(what: &str) -> Error {
    Error::new(Kind::SchemaParse, format!("this is not a {what}"))
}

/// Schemas with distinct names.
struct NamedSchemas<'s> {
    /// The source text, if there is one. It is used to find line numbers.
    text: Option<&'s str>,
    names: HashMap<String, SourceSpan>,
    good: Vec<(SourceSpan, Schema)>,
}

impl<'s> NamedSchemas<'s> {
    fn new(text: Option<&'s str>) -> Self {
        Self { text, names: HashMap::new(), good: Vec::new() }
    }

    fn read(&mut self, reader: &mut NodeReader<'_>, list: SourceNode<'_>) {
        for item in SCHEMAS.items(reader, list) {
            let mark = reader.mark();
            let Some((name, schema)) = read_schema(reader, item) else { continue };
            let is_good = reader.is_clean_since(mark);
            if is_new(reader, "schema", &name, &mut self.names, self.text) && is_good {
                self.good.push((name.span, schema));
            }
        }
    }
}

/// Adds a name and returns whether it is new. A name that was read before is an error.
fn is_new(
    reader: &mut NodeReader<'_>,
    what: &str,
    name: &SpannedText,
    known: &mut HashMap<String, SourceSpan>,
    text: Option<&str>,
) -> bool {
    // A missing or empty name is reported elsewhere.
    if name.text.is_empty() {
        return true;
    }
    let Some(first) = known.get(&name.text) else {
        known.insert(name.text.clone(), name.span);
        return true;
    };
    let message = format!("{what} {} is defined twice", shown(&name.text));
    match text.zip(first.offset()) {
        Some((text, offset)) => {
            let line = Place::of(None, text, offset).line;
            reader.wrong_hint(name.span, message, &format!("the first definition is in line {line}"));
        }
        None => reader.wrong(name.span, message),
    }
    false
}

/// Reads a schema, and its name with the place.
fn read_schema(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<(SpannedText, Schema)> {
    let mut keys = reader.hinted_fields(node, SCHEMAS.item, keys::SCHEMA, keys::schema_hint)?;
    let mark = reader.mark();
    let name = reader.required_spanned(&mut keys, "name");
    if name.text.trim().is_empty() && reader.is_clean_since(mark) && !keys.means("name") {
        reader.wrong(name.span, "the name of a schema is empty");
    }
    let mut schema = Schema::new(name.text.as_str());
    if let Some(version) = keys.take_value("version") {
        schema.version = reader.parse(version).unwrap_or_default();
    }
    schema.description = reader.optional_text(&mut keys, "description");
    let strict = read_flag(reader, &mut keys, "strict");
    let extra = read_flag(reader, &mut keys, "allow_extra");
    if strict == Some(true) && extra == Some(true) {
        let message = "`strict` refuses extra keys and `allow_extra` allows them: both cannot be true";
        reader.wrong(name.span, message);
    }
    schema.strict = strict.unwrap_or(extra != Some(true));
    // If both are explicitly false, extra keys are dropped.
    schema.allow_extra = extra.unwrap_or(!schema.strict);
    schema.coerce = read_flag(reader, &mut keys, "coerce").unwrap_or(true);
    schema.extends = reader.optional_text(&mut keys, "extends");
    if schema.extends.as_deref() == Some(name.text.as_str()) && !name.text.is_empty() {
        reader.wrong(name.span, format!("schema {} extends itself", shown(&name.text)));
    }
    // A schema that extends another needs no fields of its own.
    match keys.take_value("fields") {
        Some(list) => schema.fields = read_fields(reader, list),
        None if schema.extends.is_none() && !keys.means("fields") && !keys.means("extends") => {
            reader.wrong(keys.last, "`fields` is missing");
        }
        None => {}
    }
    if let Some(list) = keys.take("definitions") {
        let mut definitions = NamedSchemas::new(reader.source());
        definitions.read(reader, list);
        schema.definitions =
            definitions.good.into_iter().map(|(_, schema)| schema).collect::<Vec<_>>().into();
    }
    if let Some(node) = keys.take_value("metadata") {
        schema.metadata = reader.object(node, "metadata").unwrap_or_default();
    }
    Some((name, schema))
}

fn read_fields(reader: &mut NodeReader<'_>, list: SourceNode<'_>) -> Vec<Field> {
    let (mut fields, mut names) = (Vec::new(), HashMap::new());
    for item in FIELDS.items(reader, list) {
        let Some((name, field)) = read_field(reader, item) else { continue };
        let source = reader.source();
        if is_new(reader, "field", &name, &mut names, source) {
            fields.push(field);
        }
    }
    fields
}

/// Reads a field, and its name with the place.
fn read_field(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<(SpannedText, Field)> {
    let mut keys = reader.hinted_fields(node, FIELDS.item, keys::FIELD, keys::field_hint)?;
    let mark = reader.mark();
    let name = reader.required_spanned(&mut keys, "name");
    if name.text.is_empty() && reader.is_clean_since(mark) && !keys.means("name") {
        reader.wrong(name.span, "the name of a field is empty");
    }
    let mut field = Field::new(name.text.as_str(), FieldType::Any);
    let type_node = reader.required(&mut keys, "type");
    let type_span = type_node.as_ref().map_or(name.span, |node| node.span);
    let field_type = type_node.and_then(|node| reader.parse(node));
    field.field_type = field_type.unwrap_or(FieldType::Any);
    let required = read_flag(reader, &mut keys, "required");
    let default = keys.take("default").map(|node| reader.json(node, KeyPath::Root("default")));
    field.nullable = read_flag(reader, &mut keys, "nullable").unwrap_or_default();
    field.description = reader.optional_text(&mut keys, "description");
    field.item_type = keys.take_value("item_type").and_then(|node| reader.parse(node));
    field.item_schema = reader.optional_text(&mut keys, "item_schema");
    field.nested_schema = reader.optional_text(&mut keys, "nested_schema");
    field.allow_inf_nan = read_flag(reader, &mut keys, "allow_inf_nan").unwrap_or_default();
    field.read_only = read_flag(reader, &mut keys, "read_only").unwrap_or_default();
    field.write_only = read_flag(reader, &mut keys, "write_only").unwrap_or_default();
    if let Some(list) = keys.take_value("validators") {
        let items = VALIDATORS.items(reader, list);
        field.validators = items.into_iter().filter_map(|item| read_validator(reader, item)).collect();
    }
    if field_type.is_some()
        && let Err(error) = fit_type(&mut field)
    {
        reader.note(type_span, error);
    }
    // `default: null` counts as a default only if the field is nullable.
    field.default = default.filter(|default| !default.is_null() || field.nullable);
    field.required = required.unwrap_or(field.default.is_none());
    Some((name, field))
}

/// Checks that `nested_schema` fits the type of the field. A field of type any with a `nested_schema` becomes a dict.
/// For a list the key has no effect, which is a lint.
fn fit_type(field: &mut Field) -> Result<()> {
    match field.field_type {
        _ if field.nested_schema.is_none() => Ok(()),
        FieldType::Dict | FieldType::List => Ok(()),
        FieldType::Any => {
            field.field_type = FieldType::Dict;
            Ok(())
        }
        other => {
            let message =
                format!("`nested_schema` belongs to a field of type dict, but this field has type {other}");
            Err(Error::new(Kind::SchemaParse, message))
        }
    }
}

/// Reads true or false. The words of YAML 1.1 (`yes`, `off`, ...) and the numbers 1 and 0 are accepted too.
fn read_flag(reader: &mut NodeReader<'_>, keys: &mut Fields<'_>, key: &'static str) -> Option<bool> {
    let node = keys.take_value(key)?;
    let flag = match &node.value {
        NodeValue::Bool(flag) => Some(*flag),
        NodeValue::Number(number) => match number.as_u64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        NodeValue::Text(word) => match word.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    };
    if flag.is_none() {
        reader.expected(&node, "`true` or `false`");
    }
    flag
}

/// Reads a validator. If it has an error, missing members are not checked.
fn read_validator(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<Validator> {
    let mut keys = reader.hinted_fields(node, VALIDATORS.item, keys::VALIDATOR, keys::validator_hint)?;
    let mark = reader.mark();
    let has_slips = keys.has_slips();
    let kind_node = reader.required(&mut keys, "type");
    let kind_span = kind_node.as_ref().map_or(keys.last, |node| node.span);
    let kind: Option<ValidatorKind> = kind_node.and_then(|node| reader.parse(node));
    let mut validator = Validator::new(kind.unwrap_or(ValidatorKind::Custom));
    validator.value = keys.take_value("value").map(|node| reader.json(node, KeyPath::Root("value")));
    validator.min_value = read_bound(reader, &mut keys, "min_value");
    validator.max_value = read_bound(reader, &mut keys, "max_value");
    let pattern = reader.optional_spanned(&mut keys, "pattern");
    if let Some(SpannedText { text, span }) = pattern {
        if let Err(error) = rules::pattern(&text) {
            reader.note(span, error);
        }
        validator.pattern = Some(text);
    }
    let format = reader.optional_spanned(&mut keys, "format");
    if let (Some(SpannedText { text, span }), Some(kind)) = (format, kind) {
        if !matches!(kind, ValidatorKind::Date | ValidatorKind::DateTime) {
            reader.wrong(
                span,
                format!("`format` works only with validators of type date or datetime, not {kind}"),
            );
        } else if let Err(error) = DateFormat::new(&text, kind) {
            reader.note(span, error);
        }
        validator.format = Some(text);
    }
    if let Some(list) = keys.take_value("allowed_values") {
        let span = list.span;
        let found = list.kind();
        match reader.json(list, KeyPath::Root("allowed_values")) {
            Value::Array(values) => validator.allowed_values = values,
            _ => reader.wrong(span, format!("expected a list for `allowed_values`, found {found}")),
        }
    }
    validator.error_message = reader.optional_text(&mut keys, "error_message");
    validator.custom_function = reader.optional_text(&mut keys, "custom_function");
    take_value(&mut validator);
    if !has_slips
        && reader.is_clean_since(mark)
        && let Err(error) = check_validator(&validator)
    {
        reader.note(kind_span, error);
    }
    Some(validator)
}

/// Uses `value` as the bound of the rule, unless the bound is given under its own name.
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

/// Reads a bound, which may be a number in quotes. NaN and infinity are refused, because they limit nothing.
fn read_bound(reader: &mut NodeReader<'_>, keys: &mut Fields<'_>, key: &'static str) -> Option<Number> {
    let node = keys.take_value(key)?;
    match &node.value {
        NodeValue::Number(number) => return Some(number.clone()),
        NodeValue::ExactNumber(text) => return nearest_number(text),
        NodeValue::NonFinite => reader.wrong(node.span, format!("`{key}` must be a finite number")),
        NodeValue::Text(text) => match text.trim().parse() {
            Ok(number) => return Some(number),
            Err(_) => reader.expected(&node, "a number"),
        },
        _ => reader.expected(&node, "a number"),
    }
    None
}

/// Checks that a validator has the members it needs. A missing bound is not an error here, but a lint; see
/// [`lints`](super::lints()).
fn check_validator(validator: &Validator) -> Result<()> {
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
