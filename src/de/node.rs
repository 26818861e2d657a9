//! The tree that YAML, JSON and Python values are read into.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Number, Value};

/// The byte range of the source from which a node was read. A Python value has no source; see [`SourceSpan::NONE`], and
/// [`super::NodePaths`], which puts the number of a node here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceSpan {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl SourceSpan {
    /// The span of a node without a source.
    pub(crate) const NONE: Self = Self { start: u32::MAX, end: u32::MAX };

    /// Positions beyond 4 GiB count as 4 GiB; files are far smaller.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX - 1);
        Self { start: offset(start), end: offset(end) }
    }

    /// The first byte, unless there is no source.
    pub(crate) fn offset(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.start as usize)
    }

    /// The text that it covers.
    pub(crate) fn slice(self, source: &str) -> Option<&str> {
        source.get(self.start as usize..self.end as usize)
    }
}

/// A value and its place in the source. The place of a YAML alias is that of its anchor.
#[derive(Debug, Clone)]
pub(crate) struct SourceNode<'s> {
    pub(crate) span: SourceSpan,
    pub(crate) value: NodeValue<'s>,
}

/// The value of a node.
#[derive(Debug, Clone)]
pub(crate) enum NodeValue<'s> {
    Null,
    Bool(bool),
    Number(Number),
    /// A number with digits that [`Number`] would lose, such as an integer beyond 64 bits: its text in JSON.
    ExactNumber(Cow<'s, str>),
    /// NaN or an infinity, which JSON cannot hold.
    NonFinite,
    Text(Cow<'s, str>),
    List(Vec<SourceNode<'s>>),
    /// Keys and values in the order of the source. In YAML a key can be any node; readers accept only strings.
    Map(Vec<(SourceNode<'s>, SourceNode<'s>)>),
}

impl<'s> SourceNode<'s> {
    pub(crate) fn new(span: SourceSpan, value: NodeValue<'s>) -> Self {
        Self { span, value }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, NodeValue::Null)
    }

    /// The kind of the value, for messages: `a mapping`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            NodeValue::Null => "nothing",
            NodeValue::Bool(_) => "a boolean",
            NodeValue::Number(_) | NodeValue::ExactNumber(_) | NodeValue::NonFinite => "a number",
            NodeValue::Text(_) => "a string",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a mapping",
        }
    }

    /// Converts JSON to a tree without places.
    pub(crate) fn of_json(value: &'s Value) -> Self {
        let value = match value {
            Value::Null => NodeValue::Null,
            Value::Bool(value) => NodeValue::Bool(*value),
            Value::Number(number) => NodeValue::Number(number.clone()),
            Value::String(text) => NodeValue::Text(Cow::Borrowed(text)),
            Value::Array(items) => NodeValue::List(items.iter().map(SourceNode::of_json).collect()),
            Value::Object(members) => NodeValue::Map(
                members
                    .iter()
                    .map(|(key, value)| {
                        (
                            Self::new(SourceSpan::NONE, NodeValue::Text(Cow::Borrowed(key))),
                            SourceNode::of_json(value),
                        )
                    })
                    .collect(),
            ),
        };
        Self::new(SourceSpan::NONE, value)
    }
}

impl SourceNode<'static> {
    /// [`SourceNode::of_json`] for an owned value.
    #[cfg(feature = "python")]
    pub(crate) fn from_json(value: Value) -> Self {
        let text = |text: String| NodeValue::Text(Cow::Owned(text));
        let value = match value {
            Value::Null => NodeValue::Null,
            Value::Bool(value) => NodeValue::Bool(value),
            Value::Number(number) => NodeValue::Number(number),
            Value::String(value) => text(value),
            Value::Array(items) => NodeValue::List(items.into_iter().map(SourceNode::from_json).collect()),
            Value::Object(members) => NodeValue::Map(
                members
                    .into_iter()
                    .map(|(key, value)| {
                        (Self::new(SourceSpan::NONE, text(key)), SourceNode::from_json(value))
                    })
                    .collect(),
            ),
        };
        Self::new(SourceSpan::NONE, value)
    }
}

/// The float that is nearest to a number in JSON text.
pub(crate) fn nearest_number(text: &str) -> Option<Number> {
    text.parse().ok().and_then(Number::from_f64)
}

/// Whether `number`, read from this text, is another number than the text says.
pub(crate) fn loses_digits(text: &str, number: &Number) -> bool {
    fn digits(text: &str) -> &str {
        let text = text.strip_prefix(['-', '+']).unwrap_or(text);
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        text.trim_start_matches('0')
    }
    if text.contains(['e', 'E']) {
        return text.bytes().filter(u8::is_ascii_digit).count() > 17;
    }
    let written = number.to_string();
    text.starts_with('-') != written.starts_with('-') || digits(text) != digits(&written)
}

/// The path of a nested value, for messages: `metadata.custom.rows[3]`.
#[derive(Clone, Copy)]
pub(crate) enum KeyPath<'a> {
    Root(&'a str),
    Key(&'a KeyPath<'a>, &'a str),
    Index(&'a KeyPath<'a>, usize),
}

impl KeyPath<'_> {
    pub(crate) fn depth(&self) -> usize {
        match self {
            KeyPath::Root(_) => 0,
            KeyPath::Key(parent, _) | KeyPath::Index(parent, _) => parent.depth() + 1,
        }
    }
}

impl fmt::Display for KeyPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyPath::Root(name) => f.write_str(name),
            KeyPath::Key(parent, key) => write!(f, "{parent}.{key}"),
            KeyPath::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
