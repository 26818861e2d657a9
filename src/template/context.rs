//! The interface between the engine and the data that it reads and the output that it writes.
//!
//! The renderer never sees a Python object or a JSON value. It asks [`Data`] about values and writes to a [`Sink`]. The
//! Python bindings implement both over Python objects, without copying them; [`super::JsonData`] implements them over
//! [`serde_json::Value`].

use std::fmt;
use std::hash::Hash;

use super::closure::Closure;
use super::fence::Fences;
use super::program::Literal;
use crate::error::Result;

/// A fixed text of a template: a name in a path, or the text between tags.
///
/// It is made once, when a template is compiled, so an implementation can store with it whatever makes lookups or
/// output fast.
pub trait Text: fmt::Debug + Send + Sync + 'static {
    /// Makes a fixed text.
    fn new(text: &str) -> Self;
    /// The text.
    fn as_str(&self) -> &str;
}

impl Text for Box<str> {
    fn new(text: &str) -> Self {
        text.into()
    }

    fn as_str(&self) -> &str {
        self
    }
}

/// The kinds of values that a template can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// No value (`None`, `null`).
    Null,
    /// True or false.
    Bool,
    /// An integer of any size.
    Integer,
    /// A floating-point number, including NaN and the infinities; also a decimal.
    Float,
    /// Text.
    String,
    /// A calendar date.
    Date,
    /// A date with a time.
    DateTime,
    /// A UUID.
    Uuid,
    /// A list or another ordered sequence.
    Sequence,
    /// A mapping from keys to values.
    Mapping,
    /// An object with declared public fields, such as a pydantic model, a dataclass or a named tuple.
    Record,
    /// Another value that can be iterated over, perhaps only once: a set, a generator.
    Iterable,
    /// Another value that has a text, such as a path or an enum member.
    Scalar,
    /// Anything else.
    Other,
}

impl ValueKind {
    /// The name of the kind in error messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::String => "string",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Uuid => "uuid",
            Self::Sequence => "list",
            Self::Mapping => "dict",
            Self::Record => "object with fields",
            Self::Iterable => "iterable",
            Self::Scalar => "scalar",
            Self::Other => "object",
        }
    }

    /// Whether values of the kind are numbers. A boolean is none.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Float)
    }
}

impl std::fmt::Display for ValueKind {
    /// The name with its article: "a list", "an integer".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        write!(f, "{article} {name}")
    }
}

/// A function that returns the values of `@root`, `@index` and the like, by name.
pub type Frame<'a, D> = dyn Fn() -> Vec<(&'static str, <D as Data>::Value)> + 'a;

/// A call of a helper that the caller registered.
pub struct Invocation<'a, D: Data> {
    /// The name that the template calls it by.
    pub name: &'a str,
    /// The positional arguments. A missing value is `None`.
    pub positional: Vec<Option<D::Value>>,
    /// The named arguments. A missing value is `None`.
    pub named: Vec<(&'a D::Text, Option<D::Value>)>,
    /// The context at the call.
    pub context: Option<&'a D::Value>,
    /// The values of `@name` at the call: those of the loop and the root.
    pub data: &'a Frame<'a, D>,
    /// The mapping that the caller of the render gave for `@name`.
    pub caller_data: Option<&'a D::Value>,
    /// The block, if the call opens one.
    pub block: Option<Closure<D::Text, D::Kept>>,
}

/// One item of an iteration over a value.
pub struct Item<V> {
    /// The key in a mapping, or the name of the field in a record. `None` for sequences.
    pub key: Option<V>,
    /// The item.
    pub value: V,
    /// Whether it is the last item.
    pub last: bool,
}

/// A kind of data that templates can read, such as Python objects or JSON.
///
/// Its errors come back as [`crate::Error`] without a place; the renderer adds the place.
pub trait Data {
    /// Fixed text of templates for this data.
    type Text: Text;
    /// A value, cheap to clone. It must stay valid while other values change, like a strong reference.
    type Value: Clone;
    /// A value that can be kept after the render ends.
    type Kept;
    /// A helper that the caller registered.
    type Helper;
    /// The output under construction.
    type Sink: Sink<Text = Self::Text, Output = Self::Output>;
    /// Finished output.
    type Output: Output;

    /// The kind of the value.
    ///
    /// # Errors
    /// If finding the kind runs code of the caller and that code fails.
    fn kind_of(&self, value: &Self::Value) -> Result<ValueKind>;

    /// The member of a mapping, record or sequence under this name. Sequences have the indexes `0`, `1`, … and
    /// `length`. `None` if there is no such member, or if `value` has no members. Templates can reach nothing else of a
    /// value.
    ///
    /// # Errors
    /// If the lookup runs code of the caller and that code fails.
    fn get(&self, value: &Self::Value, key: &Self::Text) -> Result<Option<Self::Value>>;

    /// Whether a mapping has a member under this name. Its `length` is none.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn has_member(&self, mapping: &Self::Value, name: &Self::Text) -> Result<bool>;

    /// The value of a name in a context: as [`Data::get`], but the number of variables is not a variable `length`.
    ///
    /// # Errors
    /// As [`Data::get`].
    #[inline]
    fn variable(&self, context: &Self::Value, name: &Self::Text) -> Result<Option<Self::Value>> {
        let found = self.get(context, name)?;
        if found.is_some()
            && name.as_str() == "length"
            && self.kind_of(context)? == ValueKind::Mapping
            && !self.has_member(context, name)?
        {
            return Ok(None);
        }
        Ok(found)
    }

    /// The member under a key that is a value, for the helper `lookup`.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn lookup(&self, value: &Self::Value, key: &Self::Value) -> Result<Option<Self::Value>>;

    /// The first `most` names that [`Data::get`] finds. Empty if `value` has no names.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn names(&self, value: &Self::Value, most: usize) -> Result<Vec<String>>;

    /// The number of names of a value, where it costs nothing to know.
    fn member_count(&self, _value: &Self::Value) -> Option<usize> {
        None
    }

    /// The result of the value as a condition. With `empty_mapping_is_false` a mapping without members is false.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn truth(&self, value: &Self::Value, empty_mapping_is_false: bool) -> Result<Truth>;

    /// Calls `visit` for each item of a sequence, mapping, record or iterable, in order. Other values have no items.
    ///
    /// # Errors
    /// The first error of `visit`, which ends the iteration; or as [`Data::get`].
    fn walk(&self, value: &Self::Value, visit: &mut dyn FnMut(Item<Self::Value>) -> Result<()>)
    -> Result<()>;

    /// Writes the value as text. If it has no text, nothing is written and the result says why.
    ///
    /// # Errors
    /// If the value's own conversion to text fails.
    fn write(&self, value: &Self::Value, style: Style, out: &mut Self::Sink) -> Result<WriteOutcome>;

    /// A faster [`Data::get`] and [`Data::write`] in one call, for the most common tag: one name of the context. `None`
    /// if this data has no such short cut, or there is no such member; then nothing was written.
    ///
    /// # Errors
    /// As [`Data::get`] and [`Data::write`].
    fn write_member(
        &self,
        _value: &Self::Value,
        _key: &Self::Text,
        _style: Style,
        _out: &mut Self::Sink,
    ) -> Result<Option<WriteOutcome>> {
        Ok(None)
    }

    /// Whether the value is a list whose items [`Data::list_item`] returns.
    fn is_plain_list(&self, _value: &Self::Value) -> bool {
        false
    }

    /// The item of a list at this position. `None` after the last one. A list may change while it is looped over.
    fn list_item(&self, _list: &Self::Value, _at: usize) -> Option<Item<Self::Value>> {
        None
    }

    /// A faster [`Data::get`] and [`Data::truth`] in one call, for the most common condition. `None` if this data has no
    /// such short cut for the value, or there is no such member.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn member_truth(&self, _value: &Self::Value, _key: &Self::Text) -> Result<Option<bool>> {
        Ok(None)
    }

    /// Whether both are the identical value. A block on the current context itself opens no new level for `../`.
    fn same(&self, a: &Self::Value, b: &Self::Value) -> bool;

    /// Whether two values are equal. Numbers are compared by value whatever their types. A number, a text and a boolean
    /// never equal one another.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn equal(&self, a: &Self::Value, b: &Self::Value) -> Result<bool>;

    /// The order of two numbers, two texts or two times. `None` if the values cannot be ordered.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn order(&self, a: &Self::Value, b: &Self::Value) -> Result<Option<std::cmp::Ordering>>;

    /// The number of characters, items or members. `None` if the value has no length.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn length(&self, value: &Self::Value) -> Result<Option<usize>>;

    /// A text as a value.
    fn text(&self, text: &str) -> Self::Value;

    /// The value as JSON, to pass structured data (not text) to the core.
    ///
    /// # Errors
    /// If JSON cannot represent the value.
    fn to_json(&self, value: &Self::Value) -> Result<serde_json::Value>;

    /// Keeps a value so that it outlives the render.
    fn keep(&self, value: &Self::Value) -> Self::Kept;

    /// The value that [`Data::keep`] kept.
    fn restore(&self, kept: &Self::Kept) -> Self::Value;

    /// The helper that the caller registered under this name.
    fn helper(&self, name: &Self::Text) -> Option<Self::Helper>;

    /// Calls a helper that the caller registered. `None`: the helper returned nothing.
    ///
    /// # Errors
    /// The error that the helper raised.
    fn invoke(&self, helper: &Self::Helper, call: Invocation<'_, Self>) -> Result<Option<Self::Value>>
    where
        Self: Sized;

    /// The value of a literal in a template.
    fn literal(&self, literal: &Literal<Self::Text>) -> Self::Value;

    /// A value of this data for a JSON value, such as the default of a variable.
    ///
    /// # Errors
    /// If the value cannot be made.
    fn of_json(&self, value: &serde_json::Value) -> Result<Self::Value>;

    /// A mapping with some members added, for `{{> partial key=value}}` and for defaults. The other members of `base`
    /// stay reachable; `base` itself does not change.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn overlay(
        &self,
        base: Option<&Self::Value>,
        members: Vec<(&Self::Text, Self::Value)>,
    ) -> Result<Self::Value>;

    /// Receives what a template logs. By default it is dropped.
    ///
    /// # Errors
    /// If the log of the caller fails.
    fn log(&self, _level: &str, _text: &str) -> Result<()> {
        Ok(())
    }

    /// Called regularly during a long render, so that the user can interrupt it.
    ///
    /// # Errors
    /// If the render should stop because the user interrupted it.
    fn check_interrupt(&self) -> Result<()> {
        Ok(())
    }

    /// The fences of this render, or of all renders of one chat.
    fn fences(&self) -> &Fences;

    /// The sum of two numbers, or their difference. `None` if they are not both numbers, or the result is not one.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn sum(&self, a: &Self::Value, b: &Self::Value, subtract: bool) -> Result<Option<Self::Value>>;

    /// The value as JSON text, with line breaks and this many spaces of indentation if `indent` is given.
    ///
    /// # Errors
    /// If JSON cannot represent the value, or the text would have more than `limit` bytes.
    fn to_json_text(&self, value: &Self::Value, indent: Option<usize>, limit: usize) -> Result<String>;

    /// A message of a history as compact JSON text, in which bytes are base64.
    ///
    /// # Errors
    /// As [`Data::to_json_text`].
    fn to_message_json(&self, value: &Self::Value, limit: usize) -> Result<String> {
        self.to_json_text(value, None, limit)
    }

    /// A mapping without some of the members of `base`.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn without(&self, base: &Self::Value, names: &[&Self::Text]) -> Result<Self::Value>;

    /// The work that this data has done on large values since the last call, in steps of a render.
    fn take_work(&self) -> u64 {
        0
    }

    /// A new, empty sink.
    fn sink(&self) -> Self::Sink;

    /// Finished output with this text.
    fn output(&self, text: &str) -> Self::Output;
}

/// The result of a value as a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Null, false, NaN, empty text, an empty sequence.
    False,
    /// The number zero: false for `if` without `includeZero=true`, true for `with`.
    Zero,
    /// Everything else.
    True,
}

/// The result of writing a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The value was written.
    Done,
    /// The value is null. The caller decides whether that prints nothing or is an error.
    Null,
    /// The value was written. It is a list in which a null printed nothing.
    NullItem,
    /// The value has no text, such as a mapping. Holds its kind.
    NoText(ValueKind),
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Escape the reserved characters of HTML, as Handlebars does.
    pub html: bool,
    /// Write values without a text as JavaScript does, instead of refusing them.
    pub lenient: bool,
    /// Write numbers as JavaScript does, instead of as Python does.
    pub javascript_numbers: bool,
}

/// The output of a render under construction.
pub trait Sink {
    /// Fixed text of templates.
    type Text: Text;
    /// The finished output.
    type Output;

    /// Appends fixed text of the template.
    fn text(&mut self, text: &Self::Text);
    /// Appends other text.
    fn str(&mut self, text: &str);
    /// Appends finished output.
    fn output(&mut self, output: &Self::Output);
    /// The number of bytes so far, or a good estimate.
    fn bytes(&self) -> usize;
    /// Whether the output so far ends in a line break.
    fn ends_in_line_break(&self) -> bool;
    /// Appends `inner` with `indent` before each line, except before an empty last line. This writes a partial that is
    /// alone on an indented line.
    fn indented(&mut self, inner: Self, indent: &str);
    /// The finished output.
    fn finish(self) -> Self::Output;
}

/// Finished output: text that the provider conversions can read and pass on.
pub trait Output: Clone {
    /// Whether the output is empty.
    fn is_empty(&self) -> bool;
    /// Passes the text to `read`. This may convert the text.
    fn with_str<R>(&self, read: impl FnOnce(&str) -> R) -> R;
}

impl Output for String {
    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    fn with_str<R>(&self, read: impl FnOnce(&str) -> R) -> R {
        read(self)
    }
}
