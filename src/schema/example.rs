//! An example of data that fits a schema, for showing a model what is wanted.
//!
//! What is made here is a good guess; whoever shows it validates it first, for rules may contradict each other, and a
//! function of the application may want anything.

use std::cell::Cell;

use regex_syntax::hir::{ClassUnicodeRange, Hir, HirKind};
use serde_json::{Map, Value, json};

use super::dates::DateFormat;
use super::model::{Field, FieldType, Schema, Validator, ValidatorKind};
use super::rules::NumericValue;
use super::schema_set::{SchemaEntry, SchemaSet};
use crate::error::Result;

/// How deep an example goes into schemas that refer to one another.
const DEPTH: usize = 8;

/// How many dicts an example has at most; schemas that name one another often would make it grow without end.
const DICTS: usize = 500;

/// Data that should fit the schema; `None` where none can be thought of, or only something too large to show.
///
/// # Errors
/// As [`SchemaSet::fields`].
pub fn example<T, F, M>(set: &SchemaSet<T, F, M>, schema: &Schema) -> Result<Option<Value>> {
    let left = Cell::new(DICTS);
    let made = whole(set, schema, &[], ExampleBudget { depth: 0, left: &left })?;
    Ok(made.filter(|_| left.get() > 0))
}

/// How far an example has come.
#[derive(Clone, Copy)]
struct ExampleBudget<'a> {
    depth: usize,
    /// How many dicts it may still have.
    left: &'a Cell<usize>,
}

fn whole<'s, T, F, M>(
    set: &'s SchemaSet<T, F, M>,
    schema: &'s Schema,
    own: &[&'s [Schema]],
    at: ExampleBudget<'_>,
) -> Result<Option<Value>> {
    if at.depth > DEPTH || at.left.get() == 0 {
        return Ok(None);
    }
    at.left.set(at.left.get() - 1);
    let own: Vec<&[Schema]> = own.iter().copied().chain([schema.definitions.as_slice()]).collect();
    let mut members = Map::new();
    for field in set.fields(schema, &own)? {
        match value(set, field, &own, at)? {
            Some(value) => drop(members.insert(field.name.clone(), value)),
            None if field.required && field.default.is_none() => return Ok(None),
            None => {}
        }
    }
    Ok(Some(Value::Object(members)))
}

fn value<'s, T, F, M>(
    set: &'s SchemaSet<T, F, M>,
    field: &'s Field,
    own: &[&'s [Schema]],
    at: ExampleBudget<'_>,
) -> Result<Option<Value>> {
    if let Some(allowed) = field.allowed() {
        return Ok(allowed.first().map(|value| (*value).clone()));
    }
    let found = match field.field_type {
        FieldType::List => Some(list(set, field, own, at)?),
        FieldType::Dict => match &field.nested_schema {
            Some(name) => named(set, name, own, at)?,
            None => Some(json!({})),
        },
        kind => simple(kind, field),
    };
    Ok(found.or_else(|| field.nullable.then_some(Value::Null)))
}

fn named<'s, T, F, M>(
    set: &'s SchemaSet<T, F, M>,
    name: &str,
    own: &[&'s [Schema]],
    at: ExampleBudget<'_>,
) -> Result<Option<Value>> {
    let deeper = ExampleBudget { depth: at.depth + 1, ..at };
    let local = own.iter().rev().flat_map(|list| list.iter()).find(|schema| schema.name == name);
    match (local, set.get(name)) {
        (Some(schema), _) => whole(set, schema, own, deeper),
        (None, Some(SchemaEntry::Schema(schema))) => whole(set, schema, own, deeper),
        _ => Ok(None),
    }
}

fn list<'s, T, F, M>(
    set: &'s SchemaSet<T, F, M>,
    field: &'s Field,
    own: &[&'s [Schema]],
    at: ExampleBudget<'_>,
) -> Result<Value> {
    let (low, high) = bounds(field, true);
    let count = low.max(1).min(high);
    let item = match (&field.item_schema, field.item_type) {
        (Some(name), _) => named(set, name, own, at)?,
        (None, Some(kind)) => simple(kind, &Field::new("", kind)),
        (None, None) => Some(json!("text")),
    };
    Ok(Value::Array(item.map(|item| vec![item; count]).unwrap_or_default()))
}

/// The bounds of the field's length, no more than can be shown.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded on both sides")]
fn bounds(field: &Field, of_list: bool) -> (usize, usize) {
    let most: usize = if of_list { 5 } else { 500 };
    let (mut low, mut high) = (0, most);
    for validator in &field.validators {
        let bound = |number: &serde_json::Number| NumericValue::of(number).float().clamp(0.0, 1e6);
        if matches!(validator.kind, ValidatorKind::MinLength | ValidatorKind::MaxLength) {
            low = low.max(validator.min_value.as_ref().map_or(0, |low| bound(low).ceil() as usize));
            high = high.min(validator.max_value.as_ref().map_or(high, |high| bound(high) as usize));
        }
    }
    (low, high)
}

fn simple(kind: FieldType, field: &Field) -> Option<Value> {
    const DATE: &str = "2026-01-31";
    const DATETIME: &str = "2026-01-31T12:00:00Z";
    const UUID: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    let rule = |wanted: ValidatorKind| field.validators.iter().find(|validator| validator.kind == wanted);
    Some(match kind {
        FieldType::Integer | FieldType::Float => number(kind, field),
        FieldType::Boolean => json!(true),
        FieldType::List => json!([]),
        FieldType::Dict => json!({}),
        FieldType::Date => json!(DATE),
        FieldType::DateTime => json!(DATETIME),
        FieldType::Uuid => json!(UUID),
        FieldType::String | FieldType::Enum | FieldType::Any => {
            let written = |validator: &Validator| {
                DateFormat::new(validator.format.as_deref()?, validator.kind).ok()?.sample()
            };
            if let Some(text) = field.validators.iter().find_map(written) {
                return Some(json!(text));
            }
            let fixed = [
                (ValidatorKind::Email, "ada@example.com"),
                (ValidatorKind::Url, "https://example.com/"),
                (ValidatorKind::Uuid, UUID),
                (ValidatorKind::Date, DATE),
                (ValidatorKind::DateTime, DATETIME),
            ];
            if let Some((_, text)) = fixed.into_iter().find(|(kind, _)| rule(*kind).is_some()) {
                return Some(json!(text));
            }
            let (low, high) = bounds(field, false);
            if let Some(pattern) = rule(ValidatorKind::Regex).and_then(|rule| rule.pattern.as_deref()) {
                return [low, 1, 0].into_iter().find_map(|repeat| matching(pattern, repeat)).map(Value::from);
            }
            if rule(ValidatorKind::MinValue)
                .or(rule(ValidatorKind::MaxValue))
                .or(rule(ValidatorKind::Range))
                .is_some()
            {
                return Some(number(FieldType::Float, field));
            }
            let words = "some text ".repeat(low.div_ceil(10).max(1));
            let text: String =
                words.trim_end().chars().chain("....".chars().cycle()).take(low.max(9).min(high)).collect();
            json!(text)
        }
    })
}

fn number(kind: FieldType, field: &Field) -> Value {
    let mut chosen = if kind == FieldType::Integer { json!(1) } else { json!(1.5) };
    let fits = |value: &Value, number: &serde_json::Number, above: bool| {
        let (value, bound) = (value.as_number().map(NumericValue::of), NumericValue::of(number));
        value.is_some_and(|value| if above { value >= bound } else { value <= bound })
    };
    let rounded = |number: &serde_json::Number, round: fn(f64) -> f64| match kind {
        FieldType::Integer if number.is_f64() => json!(
            format!("{:.0}", round(number.as_f64().unwrap_or_default())).parse::<i64>().unwrap_or_default()
        ),
        _ => Value::Number(number.clone()),
    };
    for validator in &field.validators {
        match (validator.min_value.as_ref(), validator.max_value.as_ref()) {
            _ if matches!(validator.kind, ValidatorKind::MinLength | ValidatorKind::MaxLength) => {}
            (Some(low), _) if !fits(&chosen, low, true) => chosen = rounded(low, f64::ceil),
            (_, Some(high)) if !fits(&chosen, high, false) => chosen = rounded(high, f64::floor),
            _ => {}
        }
    }
    chosen
}

/// A text that the pattern should match, each repetition taken `repeat` times where it may be.
fn matching(pattern: &str, repeat: usize) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut text = String::new();
    spell(&hir, u32::try_from(repeat).unwrap_or(u32::MAX), &mut text);
    let regex = super::rules::pattern(pattern).ok()?;
    regex.is_match(&text).then_some(text)
}

fn spell(hir: &Hir, repeat: u32, text: &mut String) {
    /// An example longer than that shows nobody anything.
    const LONGEST: usize = 2000;
    if text.len() > LONGEST {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.extend(pick(class)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            for _ in 0..repeat.clamp(repetition.min, most).max(repetition.min) {
                spell(&repetition.sub, repeat, text);
            }
        }
        HirKind::Capture(capture) => spell(&capture.sub, repeat, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| spell(part, repeat, text)),
        HirKind::Alternation(choices) => {
            if let Some(first) = choices.first() {
                spell(first, repeat, text);
            }
        }
    }
}

/// A character of a class; a plain letter or digit where it has one.
fn pick(class: &regex_syntax::hir::Class) -> Option<char> {
    let class = match class {
        regex_syntax::hir::Class::Unicode(class) => class.clone(),
        regex_syntax::hir::Class::Bytes(class) => class.to_unicode_class()?,
    };
    let has = |c: char| class.iter().any(|range| range.start() <= c && c <= range.end());
    ('a'..='z')
        .chain('A'..='Z')
        .chain('0'..='9')
        .find(|c| has(*c))
        .or_else(|| class.iter().next().map(ClassUnicodeRange::start))
}
