//! Arrow columns as template data: the row is the context, and its cells are read in place.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Number, Value};

use super::identity::{is_same, order_of};
use super::number;
use super::text::{ArrowText, TextSink};
use super::time::write_date;
use super::value::{ArrowValue, MemberValue};
use crate::error::Result;
use crate::limits::{PRINT_DEPTH, PRINT_ITEMS};
use crate::schema::numeric::NumericValue;
use crate::template::{
    Data, Fences, Invocation, Item, JavascriptMember, JsonText, Literal, Sink, Style, Text, Truth, ValueKind,
    WorkMeter, WriteOutcome, array_index, escape_html, javascript_number, python_number, too_deep_to_print,
    too_many_to_print,
};

/// Strings that are used again for the next render, so that a row allocates nothing.
#[derive(Debug, Default)]
pub struct TextPool(RefCell<Vec<String>>);

impl TextPool {
    /// The most strings that are kept, and the longest.
    const KEPT: usize = 64;
    const LONGEST: usize = 1 << 20;

    fn take(&self) -> String {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes back a string that is no longer needed.
    pub fn give(&self, mut text: String) {
        let mut kept = self.0.borrow_mut();
        if kept.len() < Self::KEPT && text.capacity() <= Self::LONGEST {
            text.clear();
            kept.push(text);
        }
    }
}

/// The data of the render of one row.
pub struct ArrowData<'a> {
    /// Whether values are looked up by JavaScript's rules.
    javascript: bool,
    fences: Fences,
    work: WorkMeter,
    pool: &'a TextPool,
    interrupt: &'a dyn Fn() -> Result<()>,
}

impl<'a> ArrowData<'a> {
    /// The data of a render that may take so many steps. `interrupt` is called from time to time.
    #[must_use]
    pub fn new(
        javascript: bool,
        steps: u64,
        pool: &'a TextPool,
        interrupt: &'a dyn Fn() -> Result<()>,
    ) -> Self {
        Self { javascript, fences: Fences::default(), work: WorkMeter::new(steps), pool, interrupt }
    }

    pub(super) fn count_work(&self, steps: u64) -> Result<()> {
        self.work.count(steps, || self.check_interrupt())
    }

    /// The member of a value under a name: a member of a mapping, an item of a list, or `length`.
    fn named(&self, value: &ArrowValue<'a>, name: &str) -> Option<ArrowValue<'a>> {
        let length = || (name == "length").then(|| value.size().map(ArrowValue::count)).flatten();
        match value {
            ArrowValue::List(_) | ArrowValue::Items(_) => length().or_else(|| value.item(name.parse().ok()?)),
            ArrowValue::Text(_) | ArrowValue::SharedText(_) if self.javascript => {
                match JavascriptMember::of(value.as_text()?, name)? {
                    JavascriptMember::Length(length) => Some(ArrowValue::count(length)),
                    JavascriptMember::Character(character) => Some(ArrowValue::SharedText(character.into())),
                }
            }
            ArrowValue::Text(_) | ArrowValue::SharedText(_) => length(),
            mapping => mapping.member(name).or_else(|| if self.javascript { None } else { length() }),
        }
    }

    fn write_at(
        &self,
        value: &ArrowValue<'a>,
        style: Style,
        depth: usize,
        items: &mut u64,
        out: &mut TextSink,
    ) -> Result<WriteOutcome> {
        // Writing to a string does not fail.
        match value {
            ArrowValue::Text(text) => write_text(text, style, out),
            ArrowValue::SharedText(text) => write_text(text, style, out),
            ArrowValue::Null => return Ok(WriteOutcome::Null),
            ArrowValue::Bool(truth) => out.str(if *truth { "true" } else { "false" }),
            ArrowValue::List(_) | ArrowValue::Items(_) => {
                return self.write_items(value, style, depth, items, out);
            }
            value if style.javascript_numbers && value.kind().is_number() => {
                let number = number::numeric_value(value).map_or(f64::NAN, NumericValue::float);
                out.str(&javascript_number(number));
            }
            ArrowValue::Integer(whole) => drop(write!(out.0, "{whole}")),
            ArrowValue::Digits(digits) => out.str(digits),
            ArrowValue::Float(float) => out.str(&python_number(*float)),
            ArrowValue::Decimal(decimal) => drop(write!(out.0, "{decimal}")),
            ArrowValue::Date(days) => drop(write_date(&mut out.0, *days)),
            ArrowValue::Moment(moment) => write_text(&moment.to_string(), style, out),
            ArrowValue::Time(time) => drop(write!(out.0, "{time}")),
            ArrowValue::Duration(duration) => drop(write!(out.0, "{duration}")),
            ArrowValue::Uuid(uuid) => drop(write!(out.0, "{uuid}")),
            _ if style.lenient => out.str("[object Object]"),
            value => return Ok(WriteOutcome::NoText(value.kind())),
        }
        Ok(WriteOutcome::Done)
    }

    /// Writes the items of a list, separated by commas.
    fn write_items(
        &self,
        list: &ArrowValue<'a>,
        style: Style,
        depth: usize,
        items: &mut u64,
        out: &mut TextSink,
    ) -> Result<WriteOutcome> {
        if depth >= PRINT_DEPTH {
            return Err(too_deep_to_print());
        }
        let mut written = WriteOutcome::Done;
        let mut at = 0;
        while let Some(item) = list.item(at) {
            *items += 1;
            self.count_work(1)?;
            if *items > PRINT_ITEMS {
                return Err(too_many_to_print());
            }
            if at > 0 {
                out.str(",");
            }
            at += 1;
            match self.write_at(&item, style, depth + 1, items, out)? {
                WriteOutcome::Done => {}
                WriteOutcome::Null | WriteOutcome::NullItem => written = WriteOutcome::NullItem,
                no_text @ WriteOutcome::NoText(_) => return Ok(no_text),
            }
        }
        Ok(written)
    }
}

fn write_text(text: &str, style: Style, out: &mut TextSink) {
    if style.html {
        escape_html(text, |piece| out.str(piece));
    } else {
        out.str(text);
    }
}

/// The members of a mapping as a new mapping keeps them. A key of a map is kept as its text.
pub(super) fn owned_members<'a>(
    data: &ArrowData<'a>,
    mapping: &ArrowValue<'a>,
) -> Result<Vec<MemberValue<'a>>> {
    let mut members = Vec::new();
    for (key, value) in mapping.members() {
        let key = match key {
            ArrowValue::SharedText(name) => name,
            key => data.printed(&key)?.into(),
        };
        members.push((key, value));
    }
    Ok(members)
}

/// Sets members of a mapping.
pub(super) fn set_members<'a>(members: &mut Vec<MemberValue<'a>>, new: Vec<(&ArrowText, ArrowValue<'a>)>) {
    for (name, value) in new {
        match members.iter_mut().find(|(known, _)| **known == *name.as_str()) {
            Some((_, known)) => *known = value,
            None => members.push((Arc::clone(name.shared()), value)),
        }
    }
}

/// A value that a JSON value makes.
fn of_json<'a>(value: &Value) -> ArrowValue<'a> {
    match value {
        Value::Null => ArrowValue::Null,
        Value::Bool(truth) => ArrowValue::Bool(*truth),
        Value::Number(number) => match number.as_i128() {
            Some(whole) => ArrowValue::integer(whole),
            None => ArrowValue::Float(Number::as_f64(number).unwrap_or(f64::NAN)),
        },
        Value::String(text) => ArrowValue::owned_text(text),
        Value::Array(items) => ArrowValue::Items(items.iter().map(of_json).collect()),
        Value::Object(members) => ArrowValue::Members(
            members.iter().map(|(key, value)| (key.as_str().into(), of_json(value))).collect(),
        ),
    }
}

impl<'a> Data for ArrowData<'a> {
    type Text = ArrowText;
    type Value = ArrowValue<'a>;
    type Kept = Value;
    // A prompt with helpers in Python is rendered over Python objects.
    type Helper = Infallible;
    type Sink = TextSink;
    type Output = String;

    fn kind_of(&self, value: &ArrowValue<'a>) -> Result<ValueKind> {
        Ok(value.kind())
    }

    #[inline]
    fn get(&self, value: &ArrowValue<'a>, key: &ArrowText) -> Result<Option<ArrowValue<'a>>> {
        if let ArrowValue::Struct(row) = value
            && let Some(column) = row.column(key)
        {
            return Ok(Some(column.value(row.row)));
        }
        Ok(self.named(value, key.as_str()))
    }

    fn has_member(&self, mapping: &ArrowValue<'a>, name: &ArrowText) -> Result<bool> {
        Ok(mapping.member(name.as_str()).is_some())
    }

    fn lookup(&self, value: &ArrowValue<'a>, key: &ArrowValue<'a>) -> Result<Option<ArrowValue<'a>>> {
        let mut name = self.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        if self.write(key, style, &mut name)? != WriteOutcome::Done {
            return Ok(None);
        }
        Ok(self.named(value, &name.0))
    }

    fn names(&self, value: &ArrowValue<'a>, most: usize) -> Result<Vec<String>> {
        let names = value.members().into_iter();
        Ok(names.filter_map(|(key, _)| key.as_text().map(str::to_owned)).take(most).collect())
    }

    fn member_count(&self, value: &ArrowValue<'a>) -> Option<usize> {
        (value.kind() == ValueKind::Mapping).then(|| value.size()).flatten()
    }

    fn truth(&self, value: &ArrowValue<'a>, empty_mapping_is_false: bool) -> Result<Truth> {
        let is = |truth: bool| if truth { Truth::True } else { Truth::False };
        Ok(match value {
            ArrowValue::Null => Truth::False,
            ArrowValue::Bool(truth) => is(*truth),
            ArrowValue::Integer(0) => Truth::Zero,
            ArrowValue::Decimal(decimal) if decimal.is_zero() => Truth::Zero,
            ArrowValue::Float(float) if *float == 0.0 => Truth::Zero,
            ArrowValue::Float(float) => is(!float.is_nan()),
            ArrowValue::Text(text) => is(!text.is_empty()),
            ArrowValue::SharedText(text) => is(!text.is_empty()),
            ArrowValue::List(list) => is(list.len() > 0),
            ArrowValue::Items(items) => is(!items.is_empty()),
            ArrowValue::Struct(_) | ArrowValue::Map(_) | ArrowValue::Members(_) => {
                is(!empty_mapping_is_false || value.size() != Some(0))
            }
            _ => Truth::True,
        })
    }

    fn walk(
        &self,
        value: &ArrowValue<'a>,
        visit: &mut dyn FnMut(Item<ArrowValue<'a>>) -> Result<()>,
    ) -> Result<()> {
        match value.kind() {
            ValueKind::Sequence => {
                let count = value.size().unwrap_or_default();
                for at in 0..count {
                    let Some(item) = value.item(at) else { break };
                    visit(Item { key: None, value: item, last: at + 1 == count })?;
                }
            }
            ValueKind::Mapping => {
                let mut members = value.members();
                if self.javascript {
                    let index = |key: &ArrowValue<'_>| key.as_text().and_then(array_index);
                    members.sort_by_key(|(key, _)| index(key).map_or((1, 0), |index| (0, index)));
                }
                let count = members.len();
                for (at, (key, value)) in members.into_iter().enumerate() {
                    visit(Item { key: Some(key), value, last: at + 1 == count })?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    #[inline]
    fn write(&self, value: &ArrowValue<'a>, style: Style, out: &mut TextSink) -> Result<WriteOutcome> {
        self.write_at(value, style, 0, &mut 0, out)
    }

    #[inline]
    fn write_member(
        &self,
        value: &ArrowValue<'a>,
        key: &ArrowText,
        style: Style,
        out: &mut TextSink,
    ) -> Result<Option<WriteOutcome>> {
        let ArrowValue::Struct(row) = value else { return Ok(None) };
        let Some(column) = row.column(key) else { return Ok(None) };
        match column.value(row.row) {
            ArrowValue::Text(text) if !style.html => {
                out.str(text);
                Ok(Some(WriteOutcome::Done))
            }
            value => self.write_at(&value, style, 0, &mut 0, out).map(Some),
        }
    }

    #[inline]
    fn is_plain_list(&self, value: &ArrowValue<'a>) -> bool {
        matches!(value, ArrowValue::List(_))
    }

    #[inline]
    fn list_item(&self, list: &ArrowValue<'a>, at: usize) -> Option<Item<ArrowValue<'a>>> {
        let ArrowValue::List(list) = list else { return None };
        Some(Item { key: None, value: list.get(at)?, last: at + 1 == list.len() })
    }

    #[inline]
    fn member_truth(&self, value: &ArrowValue<'a>, key: &ArrowText) -> Result<Option<bool>> {
        let ArrowValue::Struct(row) = value else { return Ok(None) };
        let Some(column) = row.column(key) else { return Ok(None) };
        let found = column.value(row.row);
        if found.kind() == ValueKind::Mapping {
            return Ok(None);
        }
        self.truth(&found, true).map(|truth| Some(truth == Truth::True))
    }

    fn same(&self, a: &ArrowValue<'a>, b: &ArrowValue<'a>) -> bool {
        is_same(a, b)
    }

    fn equal(&self, a: &ArrowValue<'a>, b: &ArrowValue<'a>) -> Result<bool> {
        self.equal_at(a, b, 0)
    }

    fn order(&self, a: &ArrowValue<'a>, b: &ArrowValue<'a>) -> Result<Option<Ordering>> {
        order_of(a, b)
    }

    fn length(&self, value: &ArrowValue<'a>) -> Result<Option<usize>> {
        Ok(value.size())
    }

    fn text(&self, text: &str) -> ArrowValue<'a> {
        ArrowValue::owned_text(text)
    }

    fn to_json(&self, value: &ArrowValue<'a>) -> Result<Value> {
        let text = self.to_json_text(value, None, usize::MAX)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn keep(&self, value: &ArrowValue<'a>) -> Value {
        self.to_json(value).unwrap_or_default()
    }

    fn restore(&self, kept: &Value) -> ArrowValue<'a> {
        of_json(kept)
    }

    fn helper(&self, _: &ArrowText) -> Option<Infallible> {
        None
    }

    fn invoke(&self, helper: &Infallible, _: Invocation<'_, Self>) -> Result<Option<ArrowValue<'a>>> {
        match *helper {}
    }

    fn literal(&self, literal: &Literal<ArrowText>) -> ArrowValue<'a> {
        match literal {
            Literal::Null => ArrowValue::Null,
            Literal::Bool(truth) => ArrowValue::Bool(*truth),
            Literal::Integer(whole) => ArrowValue::Integer(*whole),
            Literal::Float(float) => ArrowValue::Float(*float),
            Literal::Text(text) => ArrowValue::SharedText(Arc::clone(text.shared())),
        }
    }

    fn of_json(&self, value: &Value) -> Result<ArrowValue<'a>> {
        Ok(of_json(value))
    }

    fn overlay(
        &self,
        base: Option<&ArrowValue<'a>>,
        members: Vec<(&ArrowText, ArrowValue<'a>)>,
    ) -> Result<ArrowValue<'a>> {
        let mut all = base.map_or_else(|| Ok(Vec::new()), |base| owned_members(self, base))?;
        set_members(&mut all, members);
        Ok(ArrowValue::Members(all.into()))
    }

    fn without(&self, base: &ArrowValue<'a>, names: &[&ArrowText]) -> Result<ArrowValue<'a>> {
        let mut members = owned_members(self, base)?;
        members.retain(|(key, _)| names.iter().all(|name| *name.as_str() != **key));
        Ok(ArrowValue::Members(members.into()))
    }

    fn check_interrupt(&self) -> Result<()> {
        (self.interrupt)()
    }

    fn fences(&self) -> &Fences {
        &self.fences
    }

    fn sum(&self, a: &ArrowValue<'a>, b: &ArrowValue<'a>, subtract: bool) -> Result<Option<ArrowValue<'a>>> {
        number::sum(a, b, subtract)
    }

    fn to_json_text(&self, value: &ArrowValue<'a>, indent: Option<usize>, limit: usize) -> Result<String> {
        let mut text = JsonText::new(indent, limit);
        self.write_json(value, 0, &mut text)?;
        Ok(text.finish())
    }

    fn take_work(&self) -> u64 {
        self.work.take()
    }

    fn sink(&self) -> TextSink {
        TextSink(self.pool.take())
    }

    fn output(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// The items of a list, some of them changed.
pub(super) fn changed_items<'a>(
    list: &ArrowValue<'a>,
    changes: Vec<(usize, ArrowValue<'a>)>,
) -> ArrowValue<'a> {
    let mut items: Vec<_> = (0..).map_while(|at| list.item(at)).collect();
    for (at, item) in changes {
        if let Some(place) = items.get_mut(at) {
            *place = item;
        }
    }
    ArrowValue::Items(Rc::from(items))
}
