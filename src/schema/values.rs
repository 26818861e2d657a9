//! What validation asks of the data beyond what templates ask: exact members, numbers, and making new values.

use std::fmt;

use speedate::{Date, DateTime};
use uuid::Uuid;

use super::numeric::NumericValue;
use super::violation::Violation;
use crate::error::Result;
use crate::template::Data;

/// A world of values that can be validated, and changed to fit.
pub trait Values: Data {
    /// A function of the application that `custom` calls.
    type Function: Clone;
    /// A model of the application that stands for a schema and validates by itself.
    type Model: Clone;

    /// The member under exactly this name; see [`Data::get`], which also knows names such as `length`.
    ///
    /// # Errors
    /// When asking ran code of the caller and that failed.
    fn member(&self, value: &Self::Value, name: &Self::Text) -> Result<Option<Self::Value>>;

    /// How many members a mapping or record has.
    ///
    /// # Errors
    /// As [`Values::member`].
    fn size(&self, value: &Self::Value) -> Result<usize>;

    /// Whether the value is the world's own list, which items can be put into.
    fn is_list(&self, value: &Self::Value) -> bool;

    /// The number that a number or truth value is; `None` for one that is not real.
    ///
    /// # Errors
    /// As [`Values::member`].
    fn numeric_value(&self, value: &Self::Value) -> Result<Option<NumericValue>>;

    /// Reads a text; `None` for what is no text, or has no UTF-8.
    fn with_text<R>(&self, value: &Self::Value, read: impl FnOnce(&str) -> R) -> Option<R>;

    /// The bytes of what is bytes.
    fn bytes(&self, value: &Self::Value) -> Option<Vec<u8>>;

    /// The instant of a date or datetime, without its offset's name.
    ///
    /// # Errors
    /// As [`Values::member`].
    fn moment(&self, value: &Self::Value) -> Result<Option<DateTime>>;

    /// A new value.
    ///
    /// # Errors
    /// When the world cannot hold it.
    fn make(&self, made: NewValue<'_>) -> Result<Self::Value>;

    /// The list with some items changed; any iterable becomes a list.
    ///
    /// # Errors
    /// As [`Values::member`].
    fn list(&self, value: &Self::Value, changes: Vec<(usize, Self::Value)>) -> Result<Self::Value>;

    /// The mapping with some members set, or a mapping of the record's members; the value itself does not change.
    ///
    /// # Errors
    /// As [`Values::member`].
    fn amend(&self, value: &Self::Value, changes: Vec<(&Self::Text, Self::Value)>) -> Result<Self::Value>;

    /// A mapping of the members under these names, where they are there.
    ///
    /// # Errors
    /// As [`Values::member`].
    fn pick(
        &self,
        value: &Self::Value,
        names: &mut dyn Iterator<Item = &'_ Self::Text>,
    ) -> Result<Self::Value>;

    /// Calls a function of `custom`.
    ///
    /// # Errors
    /// [`Kind::Schema`](crate::Kind::Schema) where the function itself fails.
    fn call(&self, function: &Self::Function, name: &str, value: &Self::Value) -> Result<bool>;

    /// Calls a model; what it found is added to `found`, with paths from the value.
    ///
    /// # Errors
    /// When the model fails in another way than by refusing the value.
    fn validate(
        &self,
        model: &Self::Model,
        value: &Self::Value,
        found: &mut Vec<Violation>,
    ) -> Result<Option<Self::Value>>;

    /// The JSON Schema of a model.
    ///
    /// # Errors
    /// [`Kind::Schema`](crate::Kind::Schema) where the model has none.
    fn json_schema(&self, model: &Self::Model) -> Result<serde_json::Value>;

    /// Finished output with more text behind it.
    fn append(&self, output: Self::Output, text: &str) -> Self::Output;
}

/// A value that a conversion makes.
#[derive(Debug)]
pub enum NewValue<'a> {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// The digits of a whole number of any size, with its sign.
    Digits(&'a str),
    /// A number.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// A date.
    Date(Date),
    /// A date with a time.
    DateTime(DateTime),
    /// A UUID.
    Uuid(Uuid),
}

/// The way to a value, from the outside in. It lives on the stack of the walk.
#[derive(Debug, Clone, Copy)]
pub enum Trail<'a> {
    /// The whole.
    Root,
    /// A member.
    Key(&'a Trail<'a>, &'a str),
    /// An item.
    Index(&'a Trail<'a>, usize),
}

impl fmt::Display for Trail<'_> {
    /// `items[3].email`; a key that is no plain word stands in brackets, cut where it is long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        match self {
            Trail::Root => Ok(()),
            Trail::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Trail::Key(parent, key) => {
                let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
                if key.is_empty() || !key.chars().all(plain) || key.chars().nth(SHOWN).is_some() {
                    let cut: String = key.chars().take(SHOWN).collect();
                    return write!(f, "{parent}[{cut:?}]");
                }
                match parent {
                    Trail::Root => f.write_str(key),
                    _ => write!(f, "{parent}.{key}"),
                }
            }
        }
    }
}
