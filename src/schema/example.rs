//! Makes an example of data that fits a schema, to show a model what to answer.
//!
//! The example is a guess: rules may contradict each other, and a function of the application may require anything.
//! Callers validate it before they show it.

use std::cell::Cell;

use regex_syntax::hir::{ClassUnicodeRange, Hir, HirKind};
use serde_json::{Map, Value, json};

use super::dates::DateFormat;
use super::model::{Field, FieldType, Schema, Validator, ValidatorKind};
use super::numeric::NumericValue;
use super::schema_set::{ResolvedSchema, SchemaSet};
use super::scope::ScopedSchema;
use crate::error::Result;

/// How deep an example follows schemas that refer to each other.
const MAX_DEPTH: usize = 8;

/// Maximum number of dicts in an example. Schemas that refer to each other often would otherwise make it grow without
/// end.
const MAX_DICTS: usize = 500;

/// Data that should fit the schema; `None` if no example is found or it would be too large.
///
/// # Errors
/// As [`SchemaSet::fields`].
pub fn example<T, F, M>(set: &SchemaSet<T, F, M>, schema: &Schema) -> Result<Option<Value>> {
    let left = Cell::new(MAX_DICTS);
    let example = object(set, &ScopedSchema::new(schema), ExampleBudget { depth: 0, dicts_left: &left })?;
    Ok(example.filter(|_| left.get() > 0))
}

/// How much larger an example may become.
#[derive(Clone, Copy)]
struct ExampleBudget<'a> {
    depth: usize,
    /// How many more dicts it may have.
    dicts_left: &'a Cell<usize>,
}

fn object<'s, T, F, M>(
    set: &'s SchemaSet<T, F, M>,
    scoped: &ScopedSchema<'s>,
    budget: ExampleBudget<'_>,
) -> Result<Option<Value>> {
    if budget.depth > MAX_DEPTH || budget.dicts_left.get() == 0 {
        return Ok(None);
    }
    budget.dicts_left.set(budget.dicts_left.get() - 1);
    let mut members = Map::new();
    for (owner, field) in set.fields(scoped)? {
        match value(set, field, &owner, budget)? {
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
    scope: &ScopedSchema<'s>,
    budget: ExampleBudget<'_>,
) -> Result<Option<Value>> {
    if let Some(allowed) = field.allowed() {
        return Ok(allowed.first().map(|value| (*value).clone()));
    }
    let found = match field.field_type {
        FieldType::List => Some(list(set, field, scope, budget)?),
        FieldType::Dict => match &field.nested_schema {
            Some(name) => named(set, name, scope, budget)?,
            None => Some(json!({})),
        },
        kind => simple(kind, field),
    };
    Ok(found.or_else(|| field.nullable.then_some(Value::Null)))
}

fn named<'s, T, F, M>(
    set: &'s SchemaSet<T, F, M>,
    name: &str,
    scope: &ScopedSchema<'s>,
    budget: ExampleBudget<'_>,
) -> Result<Option<Value>> {
    let deeper = ExampleBudget { depth: budget.depth + 1, ..budget };
    match set.find(name, scope) {
        Some(ResolvedSchema::Schema(found)) => object(set, &found, deeper),
        _ => Ok(None),
    }
}

fn list<'s, T, F, M>(
    set: &'s SchemaSet<T, F, M>,
    field: &'s Field,
    scope: &ScopedSchema<'s>,
    budget: ExampleBudget<'_>,
) -> Result<Value> {
    let (low, high) = bounds(field, true);
    let count = low.max(1).min(high);
    let item = match (&field.item_schema, field.item_type) {
        (Some(name), _) => named(set, name, scope, budget)?,
        (None, Some(kind)) => simple(kind, &Field::new("", kind)),
        (None, None) => Some(json!("text")),
    };
    Ok(Value::Array(item.map(|item| vec![item; count]).unwrap_or_default()))
}

/// The minimum and maximum length of the field, limited to what an example can show.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded on both sides")]
fn bounds(field: &Field, of_list: bool) -> (usize, usize) {
    let limit: usize = if of_list { 5 } else { 500 };
    let (mut low, mut high) = (0, limit);
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
            let formatted_date = |validator: &Validator| {
                DateFormat::new(validator.format.as_deref()?, validator.kind).ok()?.sample()
            };
            if let Some(text) = field.validators.iter().find_map(formatted_date) {
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
                return [low, 1, 0]
                    .into_iter()
                    .find_map(|repeat| text_matching(pattern, repeat))
                    .map(Value::from);
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

/// A text that matches the pattern. Each repetition is used `repeat` times if its bounds allow that.
fn text_matching(pattern: &str, repeat: usize) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut text = String::new();
    write_match(&hir, u32::try_from(repeat).unwrap_or(u32::MAX), &mut text);
    let regex = super::rules::pattern(pattern).ok()?;
    regex.is_match(&text).then_some(text)
}

fn write_match(hir: &Hir, repeat: u32, text: &mut String) {
    /// A longer example would not help a reader.
    const MAX_LENGTH: usize = 2000;
    if text.len() > MAX_LENGTH {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.extend(character_of(class)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            for _ in 0..repeat.clamp(repetition.min, most).max(repetition.min) {
                write_match(&repetition.sub, repeat, text);
            }
        }
        HirKind::Capture(capture) => write_match(&capture.sub, repeat, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write_match(part, repeat, text)),
        HirKind::Alternation(choices) => {
            if let Some(first) = choices.first() {
                write_match(first, repeat, text);
            }
        }
    }
}

/// A character of a class; an ASCII letter or digit if the class has one.
fn character_of(class: &regex_syntax::hir::Class) -> Option<char> {
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
