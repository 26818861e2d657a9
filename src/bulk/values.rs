//! Lets schemas validate and convert values of Arrow columns.

use std::convert::Infallible;

use serde_json::Value;
use speedate::{DateTime, Time};

use super::data::{ArrowData, changed_items, owned_members, set_members};
use super::number;
use super::text::ArrowText;
use super::time::{Moment, civil, days};
use super::value::ArrowValue;
use crate::error::Result;
use crate::schema::numeric::NumericValue;
use crate::schema::{NewValue, Values, Violation};
use crate::template::{Text, ValueKind};

impl<'a> Values for ArrowData<'a> {
    // A schema with functions or models of the application is applied to Python objects.
    type Function = Infallible;
    type Model = Infallible;

    fn member(&self, value: &ArrowValue<'a>, name: &ArrowText) -> Result<Option<ArrowValue<'a>>> {
        Ok(value.member(name.as_str()))
    }

    fn size(&self, value: &ArrowValue<'a>) -> Result<usize> {
        Ok(value.size().unwrap_or_default())
    }

    fn is_list(&self, value: &ArrowValue<'a>) -> bool {
        value.kind() == ValueKind::Sequence
    }

    fn numeric_value(&self, value: &ArrowValue<'a>) -> Result<Option<NumericValue>> {
        Ok(number::numeric_value(value))
    }

    fn with_text<R>(&self, value: &ArrowValue<'a>, read: impl FnOnce(&str) -> R) -> Result<Option<R>> {
        Ok(value.as_text().map(read))
    }

    fn bytes(&self, value: &ArrowValue<'a>) -> Option<Vec<u8>> {
        match value {
            ArrowValue::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }

    fn moment(&self, value: &ArrowValue<'a>) -> Result<Option<DateTime>> {
        Ok(match value {
            ArrowValue::Moment(moment) => Some(moment.clock()),
            ArrowValue::Date(days) => {
                let (year, month, day) = civil((*days).into());
                let date = speedate::Date { year: u16::try_from(year).unwrap_or_default(), month, day };
                let time = Time { hour: 0, minute: 0, second: 0, microsecond: 0, tz_offset: None };
                Some(DateTime { date, time })
            }
            _ => None,
        })
    }

    fn make(&self, made: NewValue<'_>) -> Result<ArrowValue<'a>> {
        Ok(match made {
            NewValue::Bool(truth) => ArrowValue::Bool(truth),
            NewValue::Integer(whole) => ArrowValue::integer(whole),
            NewValue::Digits(digits) => ArrowValue::Digits(digits.into()),
            NewValue::Float(float) => ArrowValue::Float(float),
            NewValue::Text(text) => ArrowValue::owned_text(text),
            NewValue::Date(date) => ArrowValue::Date(days(date)),
            NewValue::DateTime(moment) => ArrowValue::Moment(Moment::of(&moment)),
            NewValue::Uuid(uuid) => ArrowValue::Uuid(uuid),
        })
    }

    fn list(&self, value: &ArrowValue<'a>, changes: Vec<(usize, ArrowValue<'a>)>) -> Result<ArrowValue<'a>> {
        Ok(changed_items(value, changes))
    }

    fn amend(
        &self,
        value: &ArrowValue<'a>,
        changes: Vec<(&ArrowText, ArrowValue<'a>)>,
    ) -> Result<ArrowValue<'a>> {
        let mut members = owned_members(self, value)?;
        set_members(&mut members, changes);
        Ok(ArrowValue::Members(members.into()))
    }

    fn pick(
        &self,
        value: &ArrowValue<'a>,
        names: &mut dyn Iterator<Item = &'_ ArrowText>,
    ) -> Result<ArrowValue<'a>> {
        let picked = names.filter_map(|name| Some((name.shared().clone(), value.member(name.as_str())?)));
        Ok(ArrowValue::Members(picked.collect()))
    }

    fn call(&self, function: &Infallible, _: &str, _: &ArrowValue<'a>) -> Result<bool> {
        match *function {}
    }

    fn validate(
        &self,
        model: &Infallible,
        _: &ArrowValue<'a>,
        _: &mut Vec<Violation>,
    ) -> Result<Option<ArrowValue<'a>>> {
        match *model {}
    }

    fn json_schema(&self, model: &Infallible) -> Result<Value> {
        match *model {}
    }

    fn append(&self, output: String, text: &str) -> String {
        output + text
    }
}
