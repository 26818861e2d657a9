//! Validation of [`serde_json::Value`], for the crate's tests and for Rust callers.

use std::convert::Infallible;

use serde_json::{Number, Value};
use speedate::{Date, DateTime};

use super::coerce::midnight;
use super::numeric::NumericValue;
use super::values::{NewValue, Values};
use super::violation::Violation;
use crate::error::{Error, Kind, Result};
use crate::template::{Data, JsonData, JsonDataValue};

/// A function that a `custom` validator calls with a JSON value.
pub type JsonFunction = fn(&Value) -> bool;

impl<'v> Values for JsonData<'v> {
    type Function = JsonFunction;
    type Model = Infallible;

    fn member(&self, value: &JsonDataValue<'v>, name: &Box<str>) -> Result<Option<JsonDataValue<'v>>> {
        let has = value.value().as_object().is_some_and(|members| members.contains_key(&**name));
        if has { self.get(value, name) } else { Ok(None) }
    }

    fn size(&self, value: &JsonDataValue<'v>) -> Result<usize> {
        Ok(value.value().as_object().map_or(0, serde_json::Map::len))
    }

    fn is_list(&self, value: &JsonDataValue<'v>) -> bool {
        value.value().is_array()
    }

    fn numeric_value(&self, value: &JsonDataValue<'v>) -> Result<Option<NumericValue>> {
        Ok(match value.value() {
            Value::Bool(truth) => Some(NumericValue::Integer(i128::from(*truth))),
            Value::Number(number) => Some(NumericValue::of(number)),
            _ => None,
        })
    }

    fn with_text<R>(&self, value: &JsonDataValue<'v>, read: impl FnOnce(&str) -> R) -> Result<Option<R>> {
        Ok(value.value().as_str().map(read))
    }

    fn bytes(&self, _: &JsonDataValue<'v>) -> Option<Vec<u8>> {
        None
    }

    fn moment(&self, value: &JsonDataValue<'v>) -> Result<Option<DateTime>> {
        let text = value.value().as_str().unwrap_or_default();
        let date = || Date::parse_str_rfc3339(text).map(|date| DateTime { date, time: midnight() });
        Ok(DateTime::parse_str_rfc3339(text).or_else(|_| date()).ok())
    }

    fn make(&self, made: NewValue<'_>) -> Result<JsonDataValue<'v>> {
        let number = |number: Option<Number>| {
            number
                .map(Value::Number)
                .ok_or_else(|| Error::new(Kind::SchemaInvalid, "JSON cannot represent this number"))
        };
        Ok(JsonDataValue::owned(match made {
            NewValue::Bool(truth) => Value::Bool(truth),
            NewValue::Integer(whole) => number(Number::from_i128(whole))?,
            NewValue::Digits(digits) => {
                let whole = digits.parse().ok().and_then(Number::from_i128);
                number(whole.or_else(|| digits.parse().ok().and_then(Number::from_f64)))?
            }
            NewValue::Float(float) => number(Number::from_f64(float))?,
            NewValue::Text(text) => Value::from(text),
            NewValue::Date(date) => Value::from(date.to_string()),
            NewValue::DateTime(moment) => Value::from(moment.to_string()),
            NewValue::Uuid(uuid) => Value::from(uuid.to_string()),
        }))
    }

    fn list(
        &self,
        value: &JsonDataValue<'v>,
        changes: Vec<(usize, JsonDataValue<'v>)>,
    ) -> Result<JsonDataValue<'v>> {
        let mut items = value.value().as_array().cloned().unwrap_or_default();
        for (at, item) in changes {
            items[at] = item.value().clone();
        }
        Ok(JsonDataValue::owned(items))
    }

    fn amend(
        &self,
        value: &JsonDataValue<'v>,
        changes: Vec<(&Box<str>, JsonDataValue<'v>)>,
    ) -> Result<JsonDataValue<'v>> {
        self.overlay(Some(value), changes)
    }

    fn pick(
        &self,
        value: &JsonDataValue<'v>,
        names: &mut dyn Iterator<Item = &'_ Box<str>>,
    ) -> Result<JsonDataValue<'v>> {
        let member = |name: &str| Some((name.to_owned(), value.value().get(name)?.clone()));
        Ok(JsonDataValue::owned(names.filter_map(|name| member(name)).collect::<serde_json::Map<_, _>>()))
    }

    fn call(&self, function: &JsonFunction, _: &str, value: &JsonDataValue<'v>) -> Result<bool> {
        Ok(function(value.value()))
    }

    fn validate(
        &self,
        model: &Infallible,
        _: &JsonDataValue<'v>,
        _: &mut Vec<Violation>,
    ) -> Result<Option<JsonDataValue<'v>>> {
        match *model {}
    }

    fn json_schema(&self, model: &Infallible) -> Result<Value> {
        match *model {}
    }

    fn append(&self, output: String, text: &str) -> String {
        output + text
    }
}
