//! What the hand-written readers of prompt and schema files share: known keys, texts with their place, checked words.
//!
//! The readers are visitors over any serde deserializer, so that one set of rules reads YAML in a single pass and
//! also JSON and Python dicts. Nothing is buffered, because a buffered value loses its place. An error about a value
//! with a known place carries the place inside the message ([`problem`]); [`yaml`] takes it out again
//! ([`split`]). Without a place the message is plain text.

pub(crate) mod yaml;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Location, Spanned};

use crate::error::{Error, Kind, Result, nearest};

/// Where a value stands in the text that is being read. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// The value's first byte and its length, as far as the parser knows them.
    pub(crate) bytes: Option<(usize, usize)>,
}

impl At {
    pub(crate) fn of(location: Location) -> Option<Self> {
        if location == Location::UNKNOWN || location.line() == 0 {
            return None;
        }
        let span = location.span();
        let bytes = span.byte_offset().zip(span.byte_len()).and_then(|(offset, length)| {
            Some((usize::try_from(offset).ok()?, usize::try_from(length).ok()?))
        });
        Some(Self {
            line: usize::try_from(location.line()).ok()?,
            column: usize::try_from(location.column()).ok()?,
            bytes,
        })
    }
}

/// A value and where it is written; behind a YAML alias, where its anchor is.
#[derive(Debug, Clone)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) at: Option<At>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { value: spanned.value, at: At::of(spanned.defined) })
    }
}

impl Placed<String> {
    /// The text parsed into a type that cannot be wrong.
    pub(crate) fn parse<T: FromStr<Err = Error>, E: de::Error>(&self) -> Result<T, E> {
        self.value.parse().map_err(|error| located(&error, self.at))
    }
}

/// A text that may become a template, with its place.
#[derive(Debug, Clone)]
pub(crate) struct Leaf {
    pub(crate) text: String,
    pub(crate) at: Option<At>,
    /// The file has a bare number or word here where text is meant: `text` is not yet what is written.
    pub(crate) raw: bool,
}

impl Leaf {
    pub(crate) fn new(text: String) -> Self {
        Self { text, at: None, raw: false }
    }

    /// The text as it is written; `source` is the text that the leaf's place counts in.
    pub(crate) fn resolve(&self, source: Option<&str>) -> Result<String> {
        if self.raw { self.written(source) } else { Ok(self.text.clone()) }
    }

    /// [`Leaf::resolve`], which leaves the place alone behind.
    pub(crate) fn take(&mut self, source: Option<&str>) -> Result<String> {
        if self.raw { self.written(source) } else { Ok(std::mem::take(&mut self.text)) }
    }

    fn written(&self, source: Option<&str>) -> Result<String> {
        let written = self.at.and_then(|at| at.bytes).zip(source).and_then(|((offset, length), source)| {
            source.get(offset..offset.checked_add(length)?).filter(|text| !text.is_empty())
        });
        match written {
            Some(text) => Ok(text.trim_end().to_owned()),
            None => Err(Error::new(Kind::PromptInvalid, format!("{} stands where text is meant", self.text))
                .with_hint("write it in quotes")),
        }
    }
}

impl<'de> Deserialize<'de> for Leaf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let placed = Placed::<String>::deserialize(deserializer)?;
        Ok(Self { text: placed.value, at: placed.at, raw: false })
    }
}

/// The text leaf that a visitor gets for a bare number or truth value; what is written is looked up later.
pub(crate) fn raw_leaf(kind: &str) -> Leaf {
    Leaf { text: kind.to_owned(), at: None, raw: true }
}

/// Marks a place inside a message. The character is in no message of ours and not printable.
const MARK: char = '\u{1}';

/// An error of the deserializer's type that keeps place and hint; see the module's text.
pub(crate) fn problem<E: de::Error>(at: Option<At>, message: &str, hint: Option<&str>) -> E {
    match (at, hint) {
        (Some(At { line, column, .. }), hint) => {
            E::custom(format_args!("{MARK}{line}:{column}{MARK}{message}{MARK}{}", hint.unwrap_or_default()))
        }
        (None, Some(hint)) => E::custom(format_args!("{message}; {hint}")),
        (None, None) => E::custom(message),
    }
}

/// [`problem`] for an error of ours.
pub(crate) fn located<E: de::Error>(error: &Error, at: Option<At>) -> E {
    problem(at, error.message(), error.hint())
}

/// What [`problem`] put together: line, column, message and hint. `None` for any other text.
pub(crate) fn split(text: &str) -> Option<(usize, usize, &str, Option<&str>)> {
    let mut pieces = text.strip_prefix(MARK)?.splitn(3, MARK);
    let (line, column) = pieces.next()?.split_once(':')?;
    let message = pieces.next()?;
    let hint = pieces.next().filter(|hint| !hint.is_empty());
    Some((line.parse().ok()?, column.parse().ok()?, message, hint))
}

/// Serde's word for what was found, without the value: "string \"x\"" is a text.
pub(crate) fn sort_of(unexpected: &str) -> &'static str {
    let word = unexpected.split([' ', '`', '"']).next().unwrap_or_default();
    match word {
        "string" | "character" => "a text",
        "integer" | "floating" => "a number",
        "boolean" => "a truth value",
        "sequence" => "a list",
        "map" => "a mapping",
        "unit" | "Option" => "nothing",
        _ => "another value",
    }
}

/// What a deserializer that is no YAML parser says, in our words and without values.
pub(crate) fn plain(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if let Some((_, _, message, hint)) = split(text) {
        return hint.map_or_else(|| message.to_owned(), |hint| format!("{message}; {hint}"));
    }
    if let Some((found, expected)) =
        text.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        return format!("{} stands here; expected {expected}", sort_of(found));
    }
    if let Some(field) = text.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    text.to_owned()
}

/// A word for showing: a very long one is cut.
pub(crate) fn shown(word: &str) -> String {
    const SHOWN: usize = 60;
    match word.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("`{}…`", word[..cut].escape_debug()),
        None => format!("`{}`", word.escape_debug()),
    }
}

/// The error for a word that is not one of `known`: "unknown format `txt`; did you mean `text`?", with the list.
pub(crate) fn unknown(kind: Kind, what: &str, word: &str, known: &[&str]) -> Error {
    let mut message = format!("unknown {what} {}", shown(word));
    if let Some(meant) = nearest(word, known.iter().copied()) {
        message.push_str("; did you mean `");
        message.push_str(meant);
        message.push_str("`?");
    }
    Error::new(kind, message).with_hint(format!("known: {}", known.join(", ")))
}

/// Gives an enum of words `FromStr`, `Display` and serde, from its `ALL`, `as_str` and what to call it in errors.
macro_rules! words {
    ($type:ty, $what:literal, $kind:expr) => {
        impl std::str::FromStr for $type {
            type Err = $crate::error::Error;

            fn from_str(text: &str) -> $crate::error::Result<Self> {
                Self::ALL
                    .into_iter()
                    .find(|word| word.as_str() == text)
                    .ok_or_else(|| $crate::wire::unknown($kind, $what, text, &Self::ALL.map(Self::as_str)))
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        $crate::wire::text_serde!($type);
    };
}

/// Gives a type with `FromStr` and `Display` serde as a text, with the place in errors.
macro_rules! text_serde {
    ($type:ty) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::wire::Placed::<String>::deserialize(deserializer)?.parse()
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

pub(crate) use {text_serde, words};

/// Reads a key that must be one of these.
#[derive(Clone, Copy)]
pub(crate) struct Keys(pub(crate) &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'static str, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Keys {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<&'static str, E> {
        // Without a place of ours: the deserializer adds the key's.
        self.0
            .iter()
            .find(|known| **known == key)
            .copied()
            .ok_or_else(|| E::custom(unknown(Kind::PromptInvalid, "key", key, self.0).message()))
    }
}

/// Where a value stands inside a structure, for messages: `metadata.custom.rows[3]`.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    Root(&'a str),
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn depth(&self) -> usize {
        match self {
            Path::Root(_) => 0,
            Path::Key(parent, _) | Path::Index(parent, _) => parent.depth() + 1,
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root(name) => f.write_str(name),
            Path::Key(parent, key) => write!(f, "{parent}.{key}"),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// How deep JSON inside a prompt may nest; more would endanger the stack of whoever walks it.
const JSON_DEPTH: usize = 64;

/// Reads JSON, refusing what JSON cannot hold with the path to it.
#[derive(Clone, Copy)]
pub(crate) struct Json<'a>(pub(crate) Path<'a>);

impl<'de> DeserializeSeed<'de> for Json<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.0.depth() > JSON_DEPTH {
            return Err(invalid(&format!("`{}` nests too deep", self.0), "at most 64 levels"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Json<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at `{}` a value that JSON can hold", self.0)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| {
            invalid(&format!("NaN or infinity at `{}`", self.0), "a number that JSON can hold")
        })
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Json(Path::Index(&self.0, items.len())))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Json(Path::Key(&self.0, &key)))?;
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

/// An error with the place that the deserializer knows best, for values whose own place is not kept.
pub(crate) fn invalid<E: de::Error>(found: &str, expected: &str) -> E {
    E::invalid_value(de::Unexpected::Other(found), &expected)
}

/// Reads a JSON object, or null as `None`.
pub(crate) struct JsonObject<'a>(pub(crate) &'a str);

impl<'de> DeserializeSeed<'de> for JsonObject<'_> {
    type Value = Option<Map<String, Value>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match Json(Path::Root(self.0)).deserialize(deserializer)? {
            Value::Object(members) => Ok(Some(members)),
            Value::Null => Ok(None),
            _ => Err(invalid(&format!("another value at `{}`", self.0), "a mapping")),
        }
    }
}

/// A list, or null as nothing.
pub(crate) fn list<'de, T: Deserialize<'de>, A: MapAccess<'de>>(map: &mut A) -> Result<Vec<T>, A::Error> {
    Ok(map.next_value::<Option<Vec<T>>>()?.unwrap_or_default())
}

/// One text or a list of texts.
pub(crate) struct Texts(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl<'de> Visitor<'de> for V {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Texts, E> {
                Ok(Texts(Vec::new()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Texts, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(Texts)
            }
        }

        deserializer.deserialize_any(V)
    }
}

/// A mapping from names to `T` in the order in which it is written; a name twice is an error.
pub(crate) struct Named<T>(pub(crate) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut items: Vec<(String, T)> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if items.iter().any(|(known, _)| *known == name) {
                        return Err(de::Error::custom(format_args!("duplicate key {}", shown(&name))));
                    }
                    items.push((name, map.next_value()?));
                }
                Ok(Named(items))
            }
        }

        deserializer.deserialize_map(V(PhantomData))
    }
}

/// Makes `Deserialize` for a wire type out of a function that reads its mapping.
macro_rules! mapping {
    ($type:ty, $what:literal, $read:expr) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct V;

                impl<'de> serde::de::Visitor<'de> for V {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($what)
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$type, A::Error> {
                        $read(map)
                    }
                }

                deserializer.deserialize_map(V)
            }
        }
    };
}

pub(crate) use mapping;
