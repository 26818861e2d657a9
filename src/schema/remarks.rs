//! What a schema says without effect. Files of the published package may say it, so that a file loads with a warning;
//! to a program it is an error.

use super::coerce::{self, Outcome, Way};
use super::model::{Field, FieldType, Schema, Validator, ValidatorKind};
use crate::error::{Error, Kind};
use crate::template::{Data, Json, JsonValue};

/// Each thing that a schema says without effect, as [`Kind::SchemaParse`] with the place of the schema.
#[must_use]
pub fn remarks(schema: &Schema) -> Vec<Error> {
    let mut found = Vec::new();
    for field in &schema.fields {
        let own = of_field(field, schema.coerce).into_iter();
        found.extend(own.map(|message| {
            let error = Error::new(Kind::SchemaParse, format!("schema '{}': {message}", schema.name))
                .with_context("schema", schema.name.as_str());
            match &schema.place {
                Some(place) => error.with_place(place.clone()),
                None => error,
            }
        }));
    }
    found.extend(schema.definitions.iter().flat_map(remarks));
    found
}

fn of_field(field: &Field, coerce: bool) -> Vec<String> {
    let name = crate::de::shown(&field.name);
    let mut found = Vec::new();
    let list = field.field_type == FieldType::List;
    let said = [
        ("item_type", "list", field.item_type.is_some() && !list),
        ("item_schema", "list", field.item_schema.is_some() && !list),
        ("nested_schema", "dict", field.nested_schema.is_some() && list),
    ];
    found.extend(said.into_iter().filter(|(_, _, said)| *said).map(|(key, of, _)| {
        let kind = field.field_type;
        format!("`{key}` belongs to a field of type {of}, and field {name} is {kind}: it is not used")
    }));
    if !takes_default(field, coerce) {
        found.push(format!(
            "the default of field {name} is not of type {}, and is given as it is",
            field.field_type
        ));
    }
    for validator in &field.validators {
        if let Some(bound) = lacks_bound(validator) {
            let kind = validator.kind;
            found.push(format!(
                "field {name}: validator {kind} needs `{bound}`, and checks nothing without it"
            ));
        }
    }
    found
}

/// Whether the default is of the field's type, or becomes so.
fn takes_default(field: &Field, coerce: bool) -> bool {
    let Some(default) = field.default.as_ref().filter(|default| !default.is_null()) else { return true };
    if field.field_type.fits(default) {
        return true;
    }
    let (data, value) = (Json::default(), JsonValue::Borrowed(default));
    let way = Way { coerce, allow_inf_nan: field.allow_inf_nan };
    let taken = coerce::take(&data, field.field_type, &value, data.sort(&value), way);
    taken.is_ok_and(|taken| !matches!(taken, Outcome::Wrong(_)))
}

fn lacks_bound(validator: &Validator) -> Option<&'static str> {
    let bound = match validator.kind {
        ValidatorKind::MinLength | ValidatorKind::MinValue => "min_value",
        ValidatorKind::MaxLength | ValidatorKind::MaxValue => "max_value",
        _ => return None,
    };
    (validator.min_value.is_none() && validator.max_value.is_none()).then_some(bound)
}
