//! [`serde_json::Value`] as template data, for Rust callers and the tests of this crate.

use std::cmp::Ordering;
use std::marker::PhantomData;
use std::rc::Rc;

use serde_json::{Number, Value};

use super::context::{Data, Invocation, Item, Sink, Style, Truth, ValueKind, WriteOutcome};
use super::escape::escape_html;
use super::fence::Fences;
use super::json_text::JsonText;
use super::number;
use super::program::Literal;
use super::{EmptyLibrary, Template};
use crate::error::Result;

/// JSON values as data. They print as in Python, or as in JavaScript if the style asks for it.
#[derive(Debug, Default)]
pub struct JsonData<'v> {
    /// Whether members are looked up by JavaScript's rules.
    javascript: bool,
    fences: Fences,
    data: PhantomData<&'v Value>,
}

impl JsonData<'_> {
    /// JSON values by JavaScript's rules, for templates in the `handlebars` dialect.
    #[must_use]
    pub fn javascript() -> Self {
        Self { javascript: true, ..Self::default() }
    }
}

/// A JSON value: part of the caller's data, or made during a render.
#[derive(Debug, Clone)]
pub enum JsonDataValue<'v> {
    /// Part of the caller's data.
    Borrowed(&'v Value),
    /// Made during the render.
    Owned(Rc<Value>),
}

impl JsonDataValue<'_> {
    /// The JSON itself.
    #[must_use]
    pub fn value(&self) -> &Value {
        match self {
            Self::Borrowed(value) => value,
            Self::Owned(value) => value,
        }
    }

    pub(crate) fn owned(value: impl Into<Value>) -> Self {
        Self::Owned(Rc::new(value.into()))
    }
}

/// The member of an object or array under a name.
fn member<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(key),
        Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
        _ => None,
    }
}

/// The number of characters, items or members.
fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(members) => Some(members.len()),
        _ => None,
    }
}

/// The `length` of a text or one of its characters.
fn of_javascript_text<'v>(text: &str, name: &str) -> Option<JsonDataValue<'v>> {
    Some(match JavascriptMember::of(text, name)? {
        JavascriptMember::Length(length) => JsonDataValue::owned(length),
        JavascriptMember::Character(character) => JsonDataValue::owned(character),
    })
}

/// The number of a key that is an array index in JavaScript, whose objects have such keys first.
#[must_use]
pub fn array_index(key: &str) -> Option<u32> {
    key.parse::<u32>().ok().filter(|index| *index < u32::MAX && index.to_string() == key)
}

/// The `length` of a text or one of its characters, as text. JavaScript counts them in UTF-16.
#[derive(Debug)]
pub enum JavascriptMember {
    /// The length.
    Length(usize),
    /// A character.
    Character(String),
}

impl JavascriptMember {
    /// The member of a text.
    #[must_use]
    pub fn of(text: &str, name: &str) -> Option<Self> {
        if name == "length" {
            return Some(Self::Length(text.encode_utf16().count()));
        }
        let index = name.parse::<usize>().ok().filter(|index| index.to_string() == name)?;
        Some(Self::Character(String::from_utf16_lossy(&[text.encode_utf16().nth(index)?])))
    }
}

/// The members of an object. With `javascript` in JavaScript's order, which puts keys that are array indexes first.
fn members(object: &serde_json::Map<String, Value>, javascript: bool) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = object.iter().collect();
    if javascript {
        members.sort_by_key(|(key, _)| array_index(key).map_or((1, 0), |index| (0, index)));
    }
    members
}

impl<'v> Data for JsonData<'v> {
    type Text = Box<str>;
    type Value = JsonDataValue<'v>;
    type Kept = Value;
    type Helper = std::convert::Infallible;
    type Sink = String;
    type Output = String;

    fn keep(&self, value: &Self::Value) -> Value {
        value.value().clone()
    }

    fn restore(&self, kept: &Value) -> Self::Value {
        JsonDataValue::owned(kept.clone())
    }

    fn helper(&self, _: &Box<str>) -> Option<Self::Helper> {
        None
    }

    fn invoke(&self, helper: &Self::Helper, _: Invocation<'_, Self>) -> Result<Option<Self::Value>> {
        match *helper {}
    }

    fn kind_of(&self, value: &Self::Value) -> Result<ValueKind> {
        Ok(match value.value() {
            Value::Null => ValueKind::Null,
            Value::Bool(_) => ValueKind::Bool,
            Value::Number(number) if number.is_f64() => ValueKind::Float,
            Value::Number(_) => ValueKind::Integer,
            Value::String(_) => ValueKind::String,
            Value::Array(_) => ValueKind::Sequence,
            Value::Object(_) => ValueKind::Mapping,
        })
    }

    fn get(&self, value: &Self::Value, key: &Box<str>) -> Result<Option<Self::Value>> {
        let found = match value {
            JsonDataValue::Borrowed(value) => member(value, key).map(JsonDataValue::Borrowed),
            JsonDataValue::Owned(value) => {
                member(value, key).map(|found| JsonDataValue::owned(found.clone()))
            }
        };
        if found.is_some() {
            return Ok(found);
        }
        Ok(match value.value() {
            Value::String(text) if self.javascript => of_javascript_text(text, key),
            // In JavaScript an object has no length.
            Value::Object(_) if self.javascript => None,
            value if &**key == "length" => length(value).map(JsonDataValue::owned),
            _ => None,
        })
    }

    fn has_member(&self, mapping: &Self::Value, name: &Box<str>) -> Result<bool> {
        Ok(mapping.value().as_object().is_some_and(|members| members.contains_key(&**name)))
    }

    fn lookup(&self, value: &Self::Value, key: &Self::Value) -> Result<Option<Self::Value>> {
        let key = match key.value() {
            Value::String(text) => text.as_str().into(),
            Value::Number(number) => number.to_string().into(),
            _ => return Ok(None),
        };
        self.get(value, &key)
    }

    fn names(&self, value: &Self::Value, most: usize) -> Result<Vec<String>> {
        Ok(match value.value() {
            Value::Object(members) => members.keys().take(most).cloned().collect(),
            _ => Vec::new(),
        })
    }

    fn member_count(&self, value: &Self::Value) -> Option<usize> {
        value.value().as_object().map(serde_json::Map::len)
    }

    fn truth(&self, value: &Self::Value, empty_mapping_is_false: bool) -> Result<Truth> {
        let is = |truth: bool| if truth { Truth::True } else { Truth::False };
        Ok(match value.value() {
            Value::Null => Truth::False,
            Value::Bool(value) => is(*value),
            Value::Number(number) if number.as_f64() == Some(0.0) => Truth::Zero,
            Value::Number(_) => Truth::True,
            Value::String(text) => is(!text.is_empty()),
            Value::Array(items) => is(!items.is_empty()),
            Value::Object(members) => is(!members.is_empty() || !empty_mapping_is_false),
        })
    }

    fn walk(
        &self,
        value: &Self::Value,
        visit: &mut dyn FnMut(Item<Self::Value>) -> Result<()>,
    ) -> Result<()> {
        let keep = |found: &Value| JsonDataValue::owned(found.clone());
        match value {
            JsonDataValue::Borrowed(Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    visit(Item {
                        key: None,
                        value: JsonDataValue::Borrowed(item),
                        last: at + 1 == items.len(),
                    })?;
                }
            }
            JsonDataValue::Borrowed(Value::Object(object)) => {
                for (at, (key, item)) in members(object, self.javascript).into_iter().enumerate() {
                    let key = Some(JsonDataValue::owned(key.as_str()));
                    visit(Item { key, value: JsonDataValue::Borrowed(item), last: at + 1 == object.len() })?;
                }
            }
            other => match other.value() {
                Value::Array(items) => {
                    for (at, item) in items.iter().enumerate() {
                        visit(Item { key: None, value: keep(item), last: at + 1 == items.len() })?;
                    }
                }
                Value::Object(object) => {
                    for (at, (key, item)) in members(object, self.javascript).into_iter().enumerate() {
                        let key = Some(JsonDataValue::owned(key.as_str()));
                        visit(Item { key, value: keep(item), last: at + 1 == object.len() })?;
                    }
                }
                _ => {}
            },
        }
        Ok(())
    }

    fn write(&self, value: &Self::Value, style: Style, out: &mut String) -> Result<WriteOutcome> {
        let mut text = String::new();
        let mut outcome = WriteOutcome::Done;
        let text: &str = match value.value() {
            Value::String(text) => text,
            other => {
                outcome = spell(other, style, &mut text);
                if matches!(outcome, WriteOutcome::Null | WriteOutcome::NoText(_)) {
                    return Ok(outcome);
                }
                &text
            }
        };
        if style.html {
            escape_html(text, |piece| out.push_str(piece));
        } else {
            out.push_str(text);
        }
        Ok(outcome)
    }

    fn same(&self, a: &Self::Value, b: &Self::Value) -> bool {
        let (a, b) = (a.value(), b.value());
        std::ptr::eq(a, b) || (!a.is_array() && !a.is_object() && a == b)
    }

    fn equal(&self, a: &Self::Value, b: &Self::Value) -> Result<bool> {
        Ok(equal(a.value(), b.value()))
    }

    fn order(&self, a: &Self::Value, b: &Self::Value) -> Result<Option<Ordering>> {
        Ok(match (a.value(), b.value()) {
            (Value::Number(a), Value::Number(b)) => order_numbers(a, b),
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            _ => None,
        })
    }

    fn length(&self, value: &Self::Value) -> Result<Option<usize>> {
        Ok(length(value.value()))
    }

    fn text(&self, text: &str) -> Self::Value {
        JsonDataValue::owned(text)
    }

    fn to_json(&self, value: &Self::Value) -> Result<Value> {
        Ok(value.value().clone())
    }

    fn literal(&self, literal: &Literal<Box<str>>) -> Self::Value {
        match literal {
            Literal::Null => JsonDataValue::Borrowed(&Value::Null),
            Literal::Bool(value) => JsonDataValue::owned(*value),
            Literal::Integer(value) => JsonDataValue::owned(*value),
            Literal::Float(value) => JsonDataValue::owned(*value),
            Literal::Text(text) => JsonDataValue::owned(&**text),
        }
    }

    fn of_json(&self, value: &Value) -> Result<Self::Value> {
        Ok(JsonDataValue::owned(value.clone()))
    }

    fn overlay(
        &self,
        base: Option<&Self::Value>,
        members: Vec<(&Box<str>, Self::Value)>,
    ) -> Result<Self::Value> {
        let mut object = match base.map(JsonDataValue::value) {
            Some(Value::Object(object)) => object.clone(),
            _ => serde_json::Map::new(),
        };
        object.extend(members.into_iter().map(|(key, value)| (key.to_string(), value.value().clone())));
        Ok(JsonDataValue::owned(object))
    }

    fn without(&self, base: &Self::Value, names: &[&Box<str>]) -> Result<Self::Value> {
        let Value::Object(object) = base.value() else { return Ok(base.clone()) };
        let mut object = object.clone();
        object.retain(|key, _| names.iter().all(|name| ***name != *key));
        Ok(JsonDataValue::owned(object))
    }

    fn fences(&self) -> &Fences {
        &self.fences
    }

    fn sum(&self, a: &Self::Value, b: &Self::Value, subtract: bool) -> Result<Option<Self::Value>> {
        let (Value::Number(a), Value::Number(b)) = (a.value(), b.value()) else { return Ok(None) };
        let sum = if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128()) {
            Number::from_i128(if subtract { a - b } else { a + b })
        } else {
            let sum = a.as_f64().zip(b.as_f64()).map(|(a, b)| if subtract { a - b } else { a + b });
            sum.and_then(Number::from_f64)
        };
        Ok(sum.map(JsonDataValue::owned))
    }

    fn to_json_text(&self, value: &Self::Value, indent: Option<usize>, limit: usize) -> Result<String> {
        let mut text = JsonText::new(indent, limit);
        write_json(value.value(), &mut text)?;
        Ok(text.finish())
    }

    fn sink(&self) -> String {
        String::new()
    }

    fn output(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Whether two values are equal. Numbers are compared by value, inside lists and objects too.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => order_numbers(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

fn order_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn write_json(value: &Value, out: &mut JsonText) -> Result<()> {
    match value {
        Value::Null => out.literal("null"),
        Value::Bool(true) => out.literal("true"),
        Value::Bool(false) => out.literal("false"),
        Value::Number(number) => out.literal(&number.to_string()),
        Value::String(text) => out.string(text),
        Value::Array(items) => {
            out.open('[')?;
            for item in items {
                out.item()?;
                write_json(item, out)?;
            }
            out.close(']')
        }
        Value::Object(members) => {
            out.open('{')?;
            for (key, member) in members {
                out.item()?;
                out.key(key)?;
                write_json(member, out)?;
            }
            out.close('}')
        }
    }
}

/// Appends the text of a value.
fn spell(value: &Value, style: Style, out: &mut String) -> WriteOutcome {
    match value {
        Value::Null => return WriteOutcome::Null,
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => {
            match number.as_f64().filter(|_| number.is_f64() || style.javascript_numbers) {
                Some(float) if style.javascript_numbers => out.push_str(&number::javascript(float)),
                Some(float) => out.push_str(&number::python(float)),
                None => out.push_str(&number.to_string()),
            }
        }
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            let mut written = WriteOutcome::Done;
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                match spell(item, style, out) {
                    WriteOutcome::Done => {}
                    WriteOutcome::Null | WriteOutcome::NullItem => written = WriteOutcome::NullItem,
                    no_text @ WriteOutcome::NoText(_) => return no_text,
                }
            }
            return written;
        }
        Value::Object(_) if style.lenient => out.push_str("[object Object]"),
        Value::Object(_) => return WriteOutcome::NoText(ValueKind::Mapping),
    }
    WriteOutcome::Done
}

impl Sink for String {
    type Text = Box<str>;
    type Output = String;

    fn text(&mut self, text: &Box<str>) {
        self.push_str(text);
    }

    fn str(&mut self, text: &str) {
        self.push_str(text);
    }

    fn output(&mut self, output: &String) {
        self.push_str(output);
    }

    fn bytes(&self) -> usize {
        self.len()
    }

    fn ends_in_line_break(&self) -> bool {
        self.ends_with('\n')
    }

    fn indented(&mut self, inner: Self, indent: &str) {
        super::escape::indent_lines(&inner, indent, |piece| self.push_str(piece));
    }

    fn finish(self) -> String {
        self
    }
}

impl Template<Box<str>> {
    /// Renders over JSON, without partials.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn render_json(&self, context: &Value) -> Result<String> {
        self.render(&JsonData::default(), &JsonDataValue::Borrowed(context), None, &EmptyLibrary)
    }
}
