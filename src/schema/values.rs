//! The operations on values that validation needs in addition to those of templates: exact members, numbers, and the
//! creation of new values.

use std::fmt;

use speedate::{Date, DateTime};
use uuid::Uuid;

use super::numeric::NumericValue;
use super::violation::Violation;
use crate::error::Result;
use crate::template::Data;

/// A kind of data, such as Python objects or JSON, that can be validated and converted.
pub trait Values: Data {
    /// A function of the application that `custom` calls.
    type Function: Clone;
    /// A model class of the application that is used as a schema and validates values itself.
    type Model: Clone;

    /// The member with exactly this name. In contrast, [`Data::get`] also accepts names such as `length`.
    ///
    /// # Errors
    /// If this runs code of the caller and that code fails.
    fn member(&self, value: &Self::Value, name: &Self::Text) -> Result<Option<Self::Value>>;

    /// The number of members of a mapping or record.
    ///
    /// # Errors
    /// The same as [`Values::member`].
    fn size(&self, value: &Self::Value) -> Result<usize>;

    /// Whether the value is a true list, such as Python's `list`, and not another sequence.
    fn is_list(&self, value: &Self::Value) -> bool;

    /// The value of a number or boolean; `None` for a number that is not real.
    ///
    /// # Errors
    /// The same as [`Values::member`].
    fn numeric_value(&self, value: &Self::Value) -> Result<Option<NumericValue>>;

    /// Reads a text; `None` if the value is not a text.
    ///
    /// # Errors
    /// The same as [`Values::member`].
    fn with_text<R>(&self, value: &Self::Value, read: impl FnOnce(&str) -> R) -> Result<Option<R>>;

    /// The content of a bytes value; `None` for other values.
    fn bytes(&self, value: &Self::Value) -> Option<Vec<u8>>;

    /// The date and time of a date or datetime, without the name of its time zone.
    ///
    /// # Errors
    /// The same as [`Values::member`].
    fn moment(&self, value: &Self::Value) -> Result<Option<DateTime>>;

    /// Makes a new value.
    ///
    /// # Errors
    /// If this kind of data cannot represent it.
    fn make(&self, made: NewValue<'_>) -> Result<Self::Value>;

    /// A list of the items of any iterable, with some items changed.
    ///
    /// # Errors
    /// The same as [`Values::member`].
    fn list(&self, value: &Self::Value, changes: Vec<(usize, Self::Value)>) -> Result<Self::Value>;

    /// A copy of a mapping, or a mapping of a record's members, with some members set. The value itself is not
    /// changed.
    ///
    /// # Errors
    /// The same as [`Values::member`].
    fn amend(&self, value: &Self::Value, changes: Vec<(&Self::Text, Self::Value)>) -> Result<Self::Value>;

    /// A mapping of the members with these names. Missing members are left out.
    ///
    /// # Errors
    /// The same as [`Values::member`].
    fn pick(
        &self,
        value: &Self::Value,
        names: &mut dyn Iterator<Item = &'_ Self::Text>,
    ) -> Result<Self::Value>;

    /// Calls the function of a `custom` validator.
    ///
    /// # Errors
    /// [`Kind::Schema`](crate::Kind::Schema) if the function itself fails.
    fn call(&self, function: &Self::Function, name: &str, value: &Self::Value) -> Result<bool>;

    /// Validates a value with a model. Violations are added to `found`, with paths relative to the value.
    ///
    /// # Errors
    /// If the model fails for another reason than an invalid value.
    fn validate(
        &self,
        model: &Self::Model,
        value: &Self::Value,
        found: &mut Vec<Violation>,
    ) -> Result<Option<Self::Value>>;

    /// The JSON Schema of a model.
    ///
    /// # Errors
    /// [`Kind::Schema`](crate::Kind::Schema) if the model has no JSON Schema.
    fn json_schema(&self, model: &Self::Model) -> Result<serde_json::Value>;

    /// Appends text to a finished output.
    fn append(&self, output: Self::Output, text: &str) -> Self::Output;
}

/// A value that a conversion makes.
#[derive(Debug)]
pub enum NewValue<'a> {
    /// A boolean.
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

/// The path to a value from the root. Each step is kept on the stack, so that a path costs no allocation.
#[derive(Debug, Clone, Copy)]
pub enum Trail<'a> {
    /// The root value.
    Root,
    /// A member.
    Key(&'a Trail<'a>, &'a str),
    /// An item.
    Index(&'a Trail<'a>, usize),
}

impl fmt::Display for Trail<'_> {
    /// For example `items[3].email`. A key with other characters than letters, digits, `_` and `-`, or a long key, is
    /// written in brackets, and cut if it is long.
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
