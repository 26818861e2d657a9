//! Lints: parts of a schema that have no effect. Files of `agentic-prompt-manager` may have them, so they are warnings
//! when a file is loaded. For a schema that a program builds they are errors.

use super::coerce::{self, CoerceOptions, Coercion};
use super::model::{Field, FieldType, Schema, Validator, ValidatorKind};
use crate::error::{Error, Kind};
use crate::template::{Data, JsonData, JsonDataValue};

/// Finds each part of the schema that has no effect, as [`Kind::SchemaParse`] with the place of the schema.
#[must_use]
pub fn lints(schema: &Schema) -> Vec<Error> {
    let mut found = Vec::new();
    for field in &schema.fields {
        let messages = lint_field(field, schema.coerce).into_iter();
        found.extend(messages.map(|message| {
            let error = Error::new(Kind::SchemaParse, format!("schema '{}': {message}", schema.name))
                .with_context("schema", schema.name.as_str())
                .with_context("code", "schema-without-effect");
            match &schema.place {
                Some(place) => error.with_place(place.clone()),
                None => error,
            }
        }));
    }
    found.extend(schema.definitions.iter().flat_map(lints));
    found
}

fn lint_field(field: &Field, coerce: bool) -> Vec<String> {
    let name = crate::de::shown(&field.name);
    let mut found = Vec::new();
    let list = field.field_type == FieldType::List;
    let misplaced = [
        ("item_type", "list", field.item_type.is_some() && !list),
        ("item_schema", "list", field.item_schema.is_some() && !list),
        ("nested_schema", "dict", field.nested_schema.is_some() && list),
    ];
    found.extend(misplaced.into_iter().filter(|(_, _, is_misplaced)| *is_misplaced).map(|(key, of, _)| {
        let kind = field.field_type;
        format!(
            "`{key}` belongs to a field of type {of}, but field {name} is of type {kind}: it has no effect"
        )
    }));
    if !accepts_default(field, coerce) {
        found.push(format!(
            "the default of field {name} is not of type {}; it is used unchanged",
            field.field_type
        ));
    }
    for validator in &field.validators {
        if let Some(bound) = missing_bound(validator) {
            let kind = validator.kind;
            found.push(format!(
                "field {name}: validator {kind} needs `{bound}`; without it, it checks nothing"
            ));
        }
    }
    found
}

/// Whether the default has the field's type or can be converted to it.
fn accepts_default(field: &Field, coerce: bool) -> bool {
    let Some(default) = field.default.as_ref().filter(|default| !default.is_null()) else { return true };
    if field.field_type.fits(default) {
        return true;
    }
    let (data, value) = (JsonData::default(), JsonDataValue::Borrowed(default));
    let options = CoerceOptions { coerce, allow_inf_nan: field.allow_inf_nan };
    let result =
        data.kind_of(&value).and_then(|kind| coerce::take(&data, field.field_type, &value, kind, options));
    result.is_ok_and(|coercion| !matches!(coercion, Coercion::Wrong(_)))
}

fn missing_bound(validator: &Validator) -> Option<&'static str> {
    let bound = match validator.kind {
        ValidatorKind::MinLength | ValidatorKind::MinValue => "min_value",
        ValidatorKind::MaxLength | ValidatorKind::MaxValue => "max_value",
        _ => return None,
    };
    (validator.min_value.is_none() && validator.max_value.is_none()).then_some(bound)
}
