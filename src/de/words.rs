//! Types whose values are words from a fixed list, and the errors for other words.

use crate::error::{Error, Kind, nearest};

/// A word in backquotes, for messages. A very long word is cut.
pub(crate) fn shown(word: &str) -> String {
    const SHOWN: usize = 60;
    match word.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("`{}…`", word[..cut].escape_debug()),
        None => format!("`{}`", word.escape_debug()),
    }
}

/// For each kind of word: words of other tools and languages, and the word that prompt files have for them.
const OTHER_WORDS: &[(&str, &[(&str, &str)])] = &[
    (
        "type",
        &[
            ("str", "string"),
            ("text", "string"),
            ("int", "integer"),
            ("long", "integer"),
            ("number", "float"),
            ("double", "float"),
            ("decimal", "float"),
            ("bool", "boolean"),
            ("array", "list"),
            ("tuple", "list"),
            ("object", "dict"),
            ("map", "dict"),
            ("mapping", "dict"),
            ("timestamp", "datetime"),
        ],
    ),
    (
        "role",
        &[
            ("human", "user"),
            ("ai", "assistant"),
            ("bot", "assistant"),
            ("model", "assistant"),
            ("history", "placeholder"),
        ],
    ),
    ("status", &[("published", "active"), ("live", "active"), ("production", "active")]),
];

/// The word of prompt files that another tool's word probably means.
fn meant_by(what: &str, word: &str) -> Option<&'static str> {
    let words = OTHER_WORDS.iter().find(|(name, _)| *name == what).map(|(_, words)| *words)?;
    words.iter().find(|(other, _)| other.eq_ignore_ascii_case(word)).map(|(_, ours)| *ours)
}

/// The hint for a key that a mapping has twice.
pub(super) const REPEATED_KEY: &str = "keep one of them";

/// The error for a word that is not one of `known`: "unknown format `txt`; did you mean `text`?", with the list.
pub(crate) fn unknown(kind: Kind, what: &str, word: &str, known: &[&str]) -> Error {
    let mut message = format!("unknown {what} {}", shown(word));
    let other = meant_by(what, word).filter(|meant| known.contains(meant));
    if let Some(meant) = other.or_else(|| nearest(word, known.iter().copied())) {
        message.push_str("; did you mean `");
        message.push_str(meant);
        message.push_str("`?");
    }
    Error::new(kind, message).with_hint(format!("known: {}", known.join(", ")))
}

/// The message and hint of an error in one line, for an error type that cannot have a hint.
pub(crate) fn one_line(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{}; {hint}", error.message()),
        None => error.message().to_owned(),
    }
}

/// Implements `FromStr`, `Display` and `Serialize` for an enum of words. It needs `ALL`, `as_str`, and its name in
/// errors.
macro_rules! words {
    ($type:ty, $what:literal, $kind:expr) => {
        impl std::str::FromStr for $type {
            type Err = $crate::error::Error;

            fn from_str(text: &str) -> $crate::error::Result<Self> {
                Self::ALL
                    .into_iter()
                    .find(|word| word.as_str() == text)
                    .ok_or_else(|| $crate::de::unknown($kind, $what, text, &Self::ALL.map(Self::as_str)))
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

/// Implements `Deserialize` and `Serialize` as a string for a type with `FromStr` and `Display`.
macro_rules! text_serde {
    ($type:ty) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(|error: $crate::error::Error| {
                    serde::de::Error::custom($crate::de::one_line(&error))
                })
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
