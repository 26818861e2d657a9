//! The tree that a conversion returns.
//!
//! It is built to be cheap. Words that a provider prescribes are static, rendered text is moved in as the renderer
//! returned it, and lists and maps are vectors of their final size. Three plain messages cost four allocations.

use std::collections::HashSet;

use serde_json::{Number, Value};

use crate::base64;
use crate::de::{NodeValue, SourceNode, nearest_number};
use crate::error::Result;
use crate::prompt::Tree;
use crate::schema::output::Parsed;
use crate::template::{JsonText, Output};

/// A JSON value whose texts can be rendered output.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload<S> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A number with digits that [`Number`] would lose: its text in JSON.
    ExactNumber(String),
    /// A word that the provider prescribes.
    Static(&'static str),
    /// A text that the conversion made.
    String(String),
    /// A rendered text, as the renderer returned it.
    Text(S),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Payload<S>>),
    /// An object, in order.
    Map(Vec<Member<S>>),
}

/// One member of an object.
pub type Member<S> = (Key, Payload<S>);

/// A member's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A key that the provider prescribes.
    Static(&'static str),
    /// A key from the user's data.
    String(String),
}

impl Key {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Static(key) => key,
            Self::String(key) => key,
        }
    }
}

impl From<&'static str> for Key {
    fn from(key: &'static str) -> Self {
        Self::Static(key)
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        Self::String(key)
    }
}

/// A member with a key that the provider prescribes.
pub(super) fn member<S>(key: &'static str, value: Payload<S>) -> Member<S> {
    (Key::Static(key), value)
}

/// The value of a member.
pub(super) fn find<'m, S>(members: &'m mut [Member<S>], key: &str) -> Option<&'m mut Payload<S>> {
    members.iter_mut().find(|(known, _)| known.as_str() == key).map(|(_, value)| value)
}

/// Sets a member.
pub(super) fn put<S>(members: &mut Vec<Member<S>>, key: &'static str, value: Payload<S>) {
    match find(members, key) {
        Some(known) => *known = value,
        None => members.push(member(key, value)),
    }
}

/// A member that is a text.
pub(super) fn text_of<S: Output>(members: &[Member<S>], key: &str) -> Option<String> {
    let (_, value) = members.iter().find(|(known, _)| known.as_str() == key)?;
    value.with_str(str::to_owned)
}

impl<S> Payload<S> {
    /// An object with these members.
    #[must_use]
    pub fn map<const N: usize>(members: [(&'static str, Self); N]) -> Self {
        let mut map = Vec::with_capacity(N);
        map.extend(members.map(|(key, value)| member(key, value)));
        Self::Map(map)
    }

    /// Converts a tree of JSON with rendered texts.
    #[must_use]
    pub fn from_tree(tree: Tree<S>) -> Self {
        match tree {
            Tree::Null => Self::Null,
            Tree::Bool(value) => Self::Bool(value),
            Tree::Number(value) => Self::Number(value),
            Tree::ExactNumber(text) => Self::ExactNumber(text),
            Tree::Text(text) => Self::Text(text),
            Tree::List(items) => Self::List(items.into_iter().map(Self::from_tree).collect()),
            Tree::Map(members) => Self::Map(
                members.into_iter().map(|(key, value)| (key.into(), Self::from_tree(value))).collect(),
            ),
        }
    }

    /// Reads JSON text. `None` if it is not JSON, or an object has a key twice.
    #[must_use]
    pub fn from_json_text(text: &str) -> Option<Self> {
        crate::de::json::parse(text).ok().map(Self::from_node)
    }

    fn from_node(node: SourceNode<'_>) -> Self {
        match node.value {
            NodeValue::Null | NodeValue::NonFinite => Self::Null,
            NodeValue::Bool(value) => Self::Bool(value),
            NodeValue::Number(number) => Self::Number(number),
            NodeValue::ExactNumber(text) => Self::ExactNumber(text.into_owned()),
            NodeValue::Text(text) => Self::String(text.into_owned()),
            NodeValue::List(items) => Self::List(items.into_iter().map(Self::from_node).collect()),
            NodeValue::Map(members) => Self::Map(
                members
                    .into_iter()
                    .filter_map(|(key, value)| match key.value {
                        NodeValue::Text(key) => Some((key.into_owned().into(), Self::from_node(value))),
                        _ => None,
                    })
                    .collect(),
            ),
        }
    }

    /// Converts the JSON of a text that was repaired.
    pub(super) fn from_parsed(parsed: Parsed) -> Self {
        match parsed {
            Parsed::Digits(digits) => Self::ExactNumber(digits),
            Parsed::Text(text) => Self::String(text),
            Parsed::List(items) => Self::List(items.into_iter().map(Self::from_parsed).collect()),
            Parsed::Dict(members) => Self::Map(
                members.into_iter().map(|(key, value)| (key.into(), Self::from_parsed(value))).collect(),
            ),
            scalar => Self::from_json(scalar.to_json()),
        }
    }

    /// Converts a JSON value.
    #[must_use]
    pub fn from_json(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(value) => Self::Number(value),
            Value::String(text) => Self::String(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from_json).collect()),
            Value::Object(members) => Self::Map(
                members.into_iter().map(|(key, value)| (key.into(), Self::from_json(value))).collect(),
            ),
        }
    }
}

impl<S: Output> Payload<S> {
    /// Passes the text to `read`. `None` if this is not a text.
    pub fn with_str<R>(&self, read: impl FnOnce(&str) -> R) -> Option<R> {
        match self {
            Self::Static(word) => Some(read(word)),
            Self::String(text) => Some(read(text)),
            Self::Text(text) => Some(text.with_str(read)),
            _ => None,
        }
    }

    /// The same as a JSON value, with bytes as base64. If an object has a key twice, the last one counts, as in a dict.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(value) => Value::Number(value.clone()),
            Self::ExactNumber(text) => nearest_number(text).map_or(Value::Null, Value::Number),
            Self::Static(word) => Value::from(*word),
            Self::String(text) => Value::from(text.as_str()),
            Self::Text(text) => text.with_str(|text| Value::from(text)),
            Self::Bytes(bytes) => Value::from(base64::encode(bytes)),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(members) => {
                members.iter().map(|(key, value)| (key.as_str().to_owned(), value.to_json())).collect()
            }
        }
    }

    /// The same as compact JSON.
    ///
    /// # Errors
    /// None: the text has no limit.
    pub(crate) fn to_json_text(&self) -> Result<String> {
        let mut text = JsonText::new(None, usize::MAX);
        self.write_json(&mut text)?;
        Ok(text.finish())
    }

    /// Writes the same as compact JSON.
    ///
    /// # Errors
    /// As [`JsonText::literal`].
    pub fn write_json(&self, out: &mut JsonText) -> Result<()> {
        match self {
            Self::Null => out.literal("null"),
            Self::Bool(true) => out.literal("true"),
            Self::Bool(false) => out.literal("false"),
            Self::Number(number) => out.literal(&number.to_string()),
            Self::ExactNumber(text) => out.literal(text),
            Self::Static(word) => out.string(word),
            Self::String(text) => out.string(text),
            Self::Text(text) => text.with_str(|text| out.string(text)),
            Self::Bytes(bytes) => out.string(&base64::encode(bytes)),
            Self::List(items) => {
                out.open('[')?;
                for item in items {
                    out.item()?;
                    item.write_json(out)?;
                }
                out.close(']')
            }
            Self::Map(members) => {
                out.open('{')?;
                for (key, value) in last_members(members) {
                    out.item()?;
                    out.key(key.as_str())?;
                    value.write_json(out)?;
                }
                out.close('}')
            }
        }
    }
}

/// The members of an object. If a key is there twice, the last one counts, as in a dict.
fn last_members<S>(members: &[Member<S>]) -> impl Iterator<Item = &Member<S>> {
    let mut names = HashSet::with_capacity(members.len());
    let is_unique = members.iter().all(|(key, _)| names.insert(key.as_str()));
    let counts = move |at: usize, key: &Key| {
        is_unique || !members[at + 1..].iter().any(|(later, _)| later.as_str() == key.as_str())
    };
    members.iter().enumerate().filter(move |(at, (key, _))| counts(*at, key)).map(|(_, member)| member)
}
