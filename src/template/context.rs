//! What the engine asks of the data that it reads and of the output that it writes.
//!
//! The renderer never sees a Python object or a JSON value: it sees [`Data`], which answers questions about values,
//! and [`Sink`], which takes the output. The bindings implement both over Python objects, walked in place; the
//! implementation over [`serde_json::Value`] is in [`super::Json`].

use std::fmt;
use std::hash::Hash;

use super::closure::Closure;
use super::program::Literal;
use crate::error::Result;

/// A fixed piece of text in a template: a name in a path, or the text between tags.
///
/// It is made once, when a template is compiled, so an implementation may keep beside it whatever makes looking it
/// up or writing it fast.
pub trait Text: fmt::Debug + Send + Sync + 'static {
    /// Keeps this text.
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

/// The sorts of values that a template can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// No value (`None`, `null`).
    Null,
    /// True or false.
    Bool,
    /// A whole number of any size.
    Integer,
    /// A number with a fraction, NaN and the infinities included; decimals too.
    Float,
    /// Text.
    String,
    /// A calendar date.
    Date,
    /// A date with a time.
    DateTime,
    /// A UUID.
    Uuid,
    /// Items in order.
    Sequence,
    /// Keys and values.
    Mapping,
    /// An object with declared public fields, such as a pydantic model, a dataclass or a named tuple.
    Record,
    /// Something else that can be walked once: a set, a generator.
    Iterable,
    /// Something that prints as itself, such as a path or an enum member of another type.
    Scalar,
    /// Anything else.
    Other,
}

impl Sort {
    /// The word for it in an error message.
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
}

impl std::fmt::Display for Sort {
    /// The word with its article: "a list", "an integer".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        write!(f, "{article} {name}")
    }
}

/// Gives the values of `@root`, `@index` and the like, by name.
pub type Frame<'a, D> = dyn Fn() -> Vec<(&'static str, <D as Data>::Value)> + 'a;

/// A call of a helper that the caller registered.
pub struct Invocation<'a, D: Data> {
    /// The name that it was called by.
    pub name: &'a str,
    /// The arguments by position; a missing one is `None`.
    pub positional: Vec<Option<D::Value>>,
    /// The arguments by name.
    pub named: Vec<(&'a D::Text, Option<D::Value>)>,
    /// The context where it stands.
    pub context: Option<&'a D::Value>,
    /// What `@name` finds where it stands: the loop's values and the root, and what the caller gave.
    pub data: &'a Frame<'a, D>,
    /// What the caller gave for `@name`.
    pub caller_data: Option<&'a D::Value>,
    /// Its block, where it opens one.
    pub block: Option<Closure<D::Text, D::Kept>>,
}

/// One round of a walk over a value.
pub struct Item<V> {
    /// The key in a mapping or the field's name in a record; sequences have none.
    pub key: Option<V>,
    /// The item.
    pub value: V,
    /// Whether nothing follows.
    pub last: bool,
}

/// A world of values that templates can read.
///
/// Errors come back as [`crate::Error`] without a place; the renderer adds it.
pub trait Data {
    /// Fixed text of templates for this world.
    type Text: Text;
    /// A value, cheap to clone. It must stay valid while other values change (a strong reference).
    type Value: Clone;
    /// A value that can be kept beyond a render.
    type Kept;
    /// A helper that the caller registered.
    type Helper;
    /// Where output goes.
    type Sink: Sink<Text = Self::Text, Output = Self::Output>;
    /// Finished output.
    type Output: Output;

    /// What sort of value this is.
    fn sort(&self, value: &Self::Value) -> Sort;

    /// The member of a mapping, record or sequence under this name (`length` included, and indexes as `0`, `1`);
    /// `None` where there is none, or where `value` has no members. Nothing else of a value can be reached.
    ///
    /// # Errors
    /// When asking ran code of the caller and that failed.
    fn get(&self, value: &Self::Value, key: &Self::Text) -> Result<Option<Self::Value>>;

    /// The member under a key that is itself a value, as `lookup` needs it.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn lookup(&self, value: &Self::Value, key: &Self::Value) -> Result<Option<Self::Value>>;

    /// The names that [`Data::get`] would find, for suggesting one; empty where `value` has no names.
    fn names(&self, value: &Self::Value) -> Vec<String>;

    /// What a condition makes of the value. A mapping without members is false when `empty_mapping_is_false`.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn truth(&self, value: &Self::Value, empty_mapping_is_false: bool) -> Result<Truth>;

    /// Calls `visit` for each item of a sequence, mapping, record or iterable, in order. Other values have none.
    ///
    /// # Errors
    /// What `visit` gives, at once; or as [`Data::get`].
    fn walk(&self, value: &Self::Value, visit: &mut dyn FnMut(Item<Self::Value>) -> Result<()>)
    -> Result<()>;

    /// Writes the value as text, unless it has none; then nothing is written and the answer says so.
    ///
    /// # Errors
    /// When the value's own conversion to text fails.
    fn write(&self, value: &Self::Value, style: Style, out: &mut Self::Sink) -> Result<Written>;

    /// [`Data::get`] and [`Data::write`] in one, for the usual tag: one name of the context. `None` where the world
    /// has no short cut for it, or there is no such member; then nothing was written.
    ///
    /// # Errors
    /// As those.
    fn write_member(
        &self,
        _value: &Self::Value,
        _key: &Self::Text,
        _style: Style,
        _out: &mut Self::Sink,
    ) -> Result<Option<Written>> {
        Ok(None)
    }

    /// Whether both are the very same value, which decides if a block opens a new level for `../`.
    fn same(&self, a: &Self::Value, b: &Self::Value) -> bool;

    /// Whether two values are equal. Numbers are equal by value whatever their types; a number, a text and a truth
    /// value never equal one another.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn equal(&self, a: &Self::Value, b: &Self::Value) -> Result<bool>;

    /// The order of two numbers, two texts or two times; `None` where they have none.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn order(&self, a: &Self::Value, b: &Self::Value) -> Result<Option<std::cmp::Ordering>>;

    /// How many characters, items or members the value has; `None` where that cannot be asked.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn length(&self, value: &Self::Value) -> Result<Option<usize>>;

    /// A text as a value.
    fn text(&self, text: &str) -> Self::Value;

    /// The value as JSON, for handing structure (not text) to the core.
    ///
    /// # Errors
    /// When JSON cannot say it.
    fn to_json(&self, value: &Self::Value) -> Result<serde_json::Value>;

    /// Keeps a value beyond the render.
    fn keep(&self, value: &Self::Value) -> Self::Kept;

    /// The value that was kept.
    fn restore(&self, kept: &Self::Kept) -> Self::Value;

    /// The helper that the caller registered under this name.
    fn helper(&self, name: &Self::Text) -> Option<Self::Helper>;

    /// Calls a helper that the caller registered. `None`: it gave nothing.
    ///
    /// # Errors
    /// What the helper raised.
    fn invoke(&self, helper: &Self::Helper, call: Invocation<'_, Self>) -> Result<Option<Self::Value>>
    where
        Self: Sized;

    /// The value that a literal of a template stands for.
    fn literal(&self, literal: &Literal<Self::Text>) -> Self::Value;

    /// A value of this world for a JSON value, such as the default of a variable.
    ///
    /// # Errors
    /// When it cannot be made.
    fn of_json(&self, value: &serde_json::Value) -> Result<Self::Value>;

    /// The same mapping with some members added, for `{{> partial key=value}}` and for defaults. Members of
    /// `base` that are not named stay reachable; `base` itself does not change.
    ///
    /// # Errors
    /// As [`Data::get`].
    fn overlay(
        &self,
        base: Option<&Self::Value>,
        members: Vec<(&Self::Text, Self::Value)>,
    ) -> Result<Self::Value>;

    /// Takes what a template logs. By default it is dropped.
    ///
    /// # Errors
    /// When the log of the caller's raised.
    fn log(&self, _level: &str, _text: &str) -> Result<()> {
        Ok(())
    }

    /// Called now and then during a long render.
    ///
    /// # Errors
    /// When the render should stop, because the user asked for it.
    fn pulse(&self) -> Result<()> {
        Ok(())
    }

    /// A new, empty sink.
    fn sink(&self) -> Self::Sink;

    /// Finished output that says `text`.
    fn output(&self, text: &str) -> Self::Output;
}

/// What a condition makes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// Null, false, NaN, empty text, an empty sequence.
    False,
    /// The number zero: false for `if`, unless it is told to include zero; a value for `with`.
    Zero,
    /// Everything else.
    True,
}

/// Whether a value could be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was.
    Done,
    /// It is null: whether that may stand for nothing is for the caller to say.
    Null,
    /// It has no text, such as a mapping.
    NoText(Sort),
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Escape the characters that HTML reserves, as Handlebars does.
    pub html: bool,
    /// Write what has no text of its own as JavaScript would, instead of refusing it.
    pub lenient: bool,
    /// Write numbers as JavaScript does, instead of as Python does.
    pub javascript_numbers: bool,
}

/// Where rendered output goes.
pub trait Sink {
    /// Fixed text of templates.
    type Text: Text;
    /// What it becomes.
    type Output;

    /// Appends fixed text of the template.
    fn text(&mut self, text: &Self::Text);
    /// Appends other text.
    fn str(&mut self, text: &str);
    /// Bytes so far, or a fair estimate of them.
    fn bytes(&self) -> usize;
    /// Appends the whole of `inner`, each of its lines led by `indent` (a last empty line not), as a partial that
    /// stands alone on an indented line is written.
    fn indented(&mut self, inner: Self, indent: &str);
    /// The finished output.
    fn finish(self) -> Self::Output;
}

/// Finished output: text that the provider conversions can look at and pass on.
pub trait Output: Clone {
    /// Whether nothing was written.
    fn is_empty(&self) -> bool;
    /// Reads the text, which may cost a conversion.
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
