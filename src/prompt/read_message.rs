//! Reads chat entries: messages, their parts, tool calls and placeholders.
//!
//! Only shapes are checked. What a provider allows on which role is for the conversions.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::check_name;
use super::message::{CacheHint, Content, FunctionCall, Message, Part, PartBody, Role, ToolCall, Tree};
use super::model::ChatEntry;
use crate::error::Result;
use crate::wire::{Keys, Leaf, Placed, invalid, located, mapping, problem, raw_leaf, unknown};

/// A chat entry as it is read, with the places of its texts.
#[derive(Debug)]
pub(crate) enum WireEntry {
    Message(Box<Message<Leaf>>),
    Placeholder { name: String, optional: bool },
}

impl WireEntry {
    /// The entry without places; `source` as for [`Leaf::resolve`].
    pub(crate) fn resolve(&self, source: Option<&str>) -> Result<ChatEntry> {
        Ok(match self {
            Self::Message(message) => ChatEntry::Message(message.try_map(|leaf| leaf.resolve(source))?),
            Self::Placeholder { name, optional } => {
                ChatEntry::Placeholder { name: name.clone(), optional: *optional }
            }
        })
    }
}

impl<'de> Deserialize<'de> for ChatEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WireEntry::deserialize(deserializer)?.resolve(None).map_err(|error| located(&error, None))
    }
}

impl<'de> Deserialize<'de> for Message<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match ChatEntry::deserialize(deserializer)? {
            ChatEntry::Message(message) => Ok(message),
            ChatEntry::Placeholder { .. } => Err(invalid("a placeholder", "a message")),
        }
    }
}

const ENTRY: &[&str] = &[
    "role",
    "content",
    "refusal",
    "name",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "cache",
    "optional",
];

/// The word that makes an entry a placeholder.
const PLACEHOLDER: &str = "placeholder";

mapping!(WireEntry, "a message", read_entry);

fn read_entry<'de, A: MapAccess<'de>>(mut map: A) -> Result<WireEntry, A::Error> {
    let mut role: Option<Placed<String>> = None;
    let mut name: Option<Leaf> = None;
    let mut optional: Option<Placed<bool>> = None;
    let mut message = Message::empty(Role::User);
    while let Some(key) = map.next_key_seed(Keys(ENTRY))? {
        match key {
            "role" => role = Some(map.next_value()?),
            "content" => message.content = map.next_value::<WireContent>()?.0,
            "refusal" => message.refusal = map.next_value()?,
            "name" => name = map.next_value()?,
            "tool_calls" => {
                let calls: Option<Vec<WireToolCall>> = map.next_value()?;
                message.tool_calls = calls.unwrap_or_default().into_iter().map(|call| call.0).collect();
            }
            "tool_call_id" => message.tool_call_id = map.next_value()?,
            "function_call" => {
                message.function_call = map.next_value::<Option<WireFunctionCall>>()?.map(|call| call.0);
            }
            "cache" => message.cache = map.next_value::<WireCache>()?.0,
            _ => optional = map.next_value()?,
        }
    }
    let role = role.ok_or_else(|| de::Error::missing_field("role"))?;
    if role.value == PLACEHOLDER {
        return placeholder(&role, name, optional.is_some_and(|optional| optional.value), &message);
    }
    let mut words = Role::ALL.map(Role::as_str).to_vec();
    words.push(PLACEHOLDER);
    message.role = Role::ALL
        .into_iter()
        .find(|known| known.as_str() == role.value)
        .ok_or_else(|| located(&unknown(crate::Kind::PromptInvalid, "role", &role.value, &words), role.at))?;
    // What writes all its keys may write this one as false.
    if let Some(optional) = optional.filter(|optional| optional.value) {
        return Err(problem(optional.at, "only a placeholder can be `optional`", None));
    }
    message.name = name;
    Ok(WireEntry::Message(Box::new(message)))
}

fn placeholder<E: de::Error>(
    role: &Placed<String>,
    name: Option<Leaf>,
    optional: bool,
    rest: &Message<Leaf>,
) -> Result<WireEntry, E> {
    let Some(name) = name else {
        let hint = "name the variable that holds the messages: `name: history`";
        return Err(problem(role.at, "a placeholder needs a name", Some(hint)));
    };
    check_name(&name.text).map_err(|error| located(&error, name.at))?;
    let extra = [
        ("content", rest.content.is_some()),
        ("refusal", rest.refusal.is_some()),
        ("tool_calls", !rest.tool_calls.is_empty()),
        ("tool_call_id", rest.tool_call_id.is_some()),
        ("function_call", rest.function_call.is_some()),
        ("cache", rest.cache.is_some()),
    ];
    if let Some((key, _)) = extra.into_iter().find(|(_, present)| *present) {
        return Err(problem(role.at, &format!("a placeholder takes no `{key}`"), None));
    }
    Ok(WireEntry::Placeholder { name: name.text, optional })
}

/// The visits that give a leaf for text, and for a bare number or truth value where text is meant.
macro_rules! text_visits {
    ($make:expr) => {
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok($make(Leaf::new(text.to_owned())))
        }

        fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
            Ok($make(Leaf::new(text)))
        }

        fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($make(raw_leaf("a truth value")))
        }

        fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($make(raw_leaf("a number")))
        }

        fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($make(raw_leaf("a number")))
        }

        fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($make(raw_leaf("a number")))
        }
    };
}

pub(super) use text_visits;

struct WireContent(Option<Content<Leaf>>);

impl<'de> Deserialize<'de> for WireContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let placed = Placed::<AnyContent>::deserialize(deserializer)?;
        let mut content = placed.value.0;
        if let Some(Content::Text(leaf)) = &mut content {
            leaf.at = placed.at;
        }
        Ok(Self(content))
    }
}

struct AnyContent(Option<Content<Leaf>>);

impl<'de> Deserialize<'de> for AnyContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl<'de> Visitor<'de> for V {
            type Value = AnyContent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of parts")
            }

            text_visits!(|leaf| AnyContent(Some(Content::Text(leaf))));

            fn visit_unit<E: de::Error>(self) -> Result<AnyContent, E> {
                Ok(AnyContent(None))
            }

            fn visit_none<E: de::Error>(self) -> Result<AnyContent, E> {
                Ok(AnyContent(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<AnyContent, A::Error> {
                let mut parts = Vec::new();
                while let Some(WirePart(part)) = seq.next_element()? {
                    parts.push(part);
                }
                Ok(AnyContent(Some(Content::Parts(parts))))
            }
        }

        deserializer.deserialize_any(V)
    }
}

/// A part: a mapping, or a bare text for a text part.
struct WirePart(Part<Leaf>);

impl<'de> Deserialize<'de> for WirePart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let placed = Placed::<AnyPart>::deserialize(deserializer)?;
        Ok(Self(match placed.value {
            AnyPart::Bare(leaf) => Part { body: PartBody::Text(Leaf { at: placed.at, ..leaf }), cache: None },
            AnyPart::Part(part) => part,
        }))
    }
}

enum AnyPart {
    Bare(Leaf),
    Part(Part<Leaf>),
}

impl<'de> Deserialize<'de> for AnyPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl<'de> Visitor<'de> for V {
            type Value = AnyPart;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a part of a message: a text or a mapping with a `type`")
            }

            text_visits!(AnyPart::Bare);

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnyPart, A::Error> {
                read_part(map).map(AnyPart::Part)
            }
        }

        deserializer.deserialize_any(V)
    }
}

const PART: &[&str] = &["type", "text", "image_url", "media_type", "data", "input_audio", "file", "cache"];

/// The types of parts, with the keys that each has.
const PART_TYPES: [(&str, &[&str]); 5] = [
    ("text", &["text"]),
    ("image_url", &["image_url"]),
    ("image", &["media_type", "data"]),
    ("input_audio", &["input_audio"]),
    ("file", &["file"]),
];

fn read_part<'de, A: MapAccess<'de>>(mut map: A) -> Result<Part<Leaf>, A::Error> {
    let mut part_type: Option<Placed<String>> = None;
    let (mut text, mut media_type, mut data) = (None, None, None);
    let (mut image_url, mut input_audio, mut file) = (None, None, None);
    let mut cache = None;
    let mut seen = Vec::new();
    while let Some(key) = map.next_key_seed(Keys(PART))? {
        match key {
            "type" => part_type = Some(map.next_value()?),
            "text" => text = Some(map.next_value::<Leaf>()?),
            "media_type" => media_type = Some(map.next_value::<Leaf>()?),
            "data" => data = Some(map.next_value::<Leaf>()?),
            "image_url" => image_url = Some(map.next_value::<ImageUrl>()?),
            "input_audio" => input_audio = Some(map.next_value::<Audio>()?),
            "file" => file = Some(map.next_value::<File>()?),
            _ => cache = map.next_value::<WireCache>()?.0,
        }
        seen.push(key);
    }
    let part_type = part_type.ok_or_else(|| de::Error::missing_field("type"))?;
    let words = PART_TYPES.map(|(word, _)| word);
    let Some((word, keys)) = PART_TYPES.into_iter().find(|(word, _)| *word == part_type.value) else {
        return Err(located(
            &unknown(crate::Kind::PromptInvalid, "type of part", &part_type.value, &words),
            part_type.at,
        ));
    };
    let foreign = seen.into_iter().find(|key| !matches!(*key, "type" | "cache") && !keys.contains(key));
    if let Some(key) = foreign {
        return Err(problem(part_type.at, &format!("a part of type {word} takes no `{key}`"), None));
    }
    let lacking = |key: &str| problem(part_type.at, &format!("a part of type {word} needs `{key}`"), None);
    let body = match word {
        "text" => PartBody::Text(text.ok_or_else(|| lacking("text"))?),
        "image_url" => {
            let ImageUrl { url, detail } = image_url.ok_or_else(|| lacking("image_url"))?;
            PartBody::ImageUrl { url, detail }
        }
        "image" => PartBody::Image {
            media_type: media_type.ok_or_else(|| lacking("media_type"))?,
            data: data.ok_or_else(|| lacking("data"))?,
        },
        "input_audio" => {
            let Audio { data, format } = input_audio.ok_or_else(|| lacking("input_audio"))?;
            PartBody::Audio { data, format }
        }
        _ => {
            let File { id, name, data } = file.ok_or_else(|| lacking("file"))?;
            PartBody::File { file_id: id, filename: name, file_data: data }
        }
    };
    Ok(Part { body, cache })
}

struct ImageUrl {
    url: Leaf,
    detail: Option<Leaf>,
}

mapping!(ImageUrl, "a mapping with `url`", |mut map: A| {
    let (mut url, mut detail) = (None, None);
    while let Some(key) = map.next_key_seed(Keys(&["url", "detail"]))? {
        match key {
            "url" => url = Some(map.next_value()?),
            _ => detail = map.next_value()?,
        }
    }
    Ok(ImageUrl { url: url.ok_or_else(|| serde::de::Error::missing_field("url"))?, detail })
});

struct Audio {
    data: Leaf,
    format: Leaf,
}

mapping!(Audio, "a mapping with `data` and `format`", |mut map: A| {
    let (mut data, mut format) = (None, None);
    while let Some(key) = map.next_key_seed(Keys(&["data", "format"]))? {
        match key {
            "data" => data = Some(map.next_value()?),
            _ => format = Some(map.next_value()?),
        }
    }
    Ok(Audio {
        data: data.ok_or_else(|| serde::de::Error::missing_field("data"))?,
        format: format.ok_or_else(|| serde::de::Error::missing_field("format"))?,
    })
});

struct File {
    id: Option<Leaf>,
    name: Option<Leaf>,
    data: Option<Leaf>,
}

mapping!(File, "a mapping with `file_id`, or `filename` and `file_data`", |mut map: A| {
    let mut file = File { id: None, name: None, data: None };
    while let Some(key) = map.next_key_seed(Keys(&["file_id", "filename", "file_data"]))? {
        match key {
            "file_id" => file.id = map.next_value()?,
            "filename" => file.name = map.next_value()?,
            _ => file.data = map.next_value()?,
        }
    }
    if file.id.is_none() && file.data.is_none() {
        return Err(serde::de::Error::missing_field("file_id"));
    }
    Ok(file)
});

struct WireToolCall(ToolCall<Leaf>);

mapping!(WireToolCall, "a tool call", |mut map: A| {
    let (mut id, mut function, mut name, mut arguments) = (None, None, None, None);
    while let Some(key) = map.next_key_seed(Keys(&["id", "type", "function", "name", "arguments"]))? {
        match key {
            "id" => id = Some(map.next_value()?),
            "type" => read_function_type(&map.next_value()?)?,
            "function" => function = map.next_value::<Option<WireFunctionCall>>()?,
            "name" => name = map.next_value::<Option<Leaf>>()?,
            _ => arguments = Some(map.next_value::<Placed<Arguments>>()?),
        }
    }
    let id = id.ok_or_else(|| serde::de::Error::missing_field("id"))?;
    let function = match (function, name) {
        (Some(function), None) if arguments.is_none() => function.0,
        (None, Some(name)) => function_call(name, arguments)?,
        (None, None) => return Err(serde::de::Error::missing_field("function")),
        _ => return Err(invalid("both `function` and `name` or `arguments`", "one form of a tool call")),
    };
    Ok(WireToolCall(ToolCall { id, function }))
});

/// Checks `type: function`, which OpenAI's forms of tools and calls carry.
pub(super) fn read_function_type<E: de::Error>(word: &Placed<String>) -> Result<(), E> {
    if word.value == "function" {
        return Ok(());
    }
    Err(located(&unknown(crate::Kind::PromptInvalid, "type of tool", &word.value, &["function"]), word.at))
}

struct WireFunctionCall(FunctionCall<Leaf>);

mapping!(WireFunctionCall, "a function call", |mut map: A| {
    let (mut name, mut arguments) = (None, None);
    while let Some(key) = map.next_key_seed(Keys(&["name", "arguments"]))? {
        match key {
            "name" => name = Some(map.next_value()?),
            _ => arguments = Some(map.next_value()?),
        }
    }
    let name = name.ok_or_else(|| serde::de::Error::missing_field("name"))?;
    Ok(WireFunctionCall(function_call(name, arguments)?))
});

fn function_call<E: de::Error>(
    name: Leaf,
    arguments: Option<Placed<Arguments>>,
) -> Result<FunctionCall<Leaf>, E> {
    const HINT: &str = "write the arguments as a mapping; each text in it is a template of its own";
    let Some(Placed { value, at }) = arguments else {
        return Ok(FunctionCall { name, arguments: Tree::Map(Vec::new()) });
    };
    let arguments = match value.0 {
        Tree::Null => Tree::Map(Vec::new()),
        Tree::Text(text) if text.text.trim().is_empty() => Tree::Map(Vec::new()),
        Tree::Text(text) => {
            let json: Value = serde_json::from_str(&text.text)
                .map_err(|_| problem(at, "these arguments are not JSON", Some(HINT)))?;
            of_json(json)
        }
        tree => tree,
    };
    if !matches!(arguments, Tree::Map(_)) {
        return Err(problem(at, "arguments must be an object", Some(HINT)));
    }
    Ok(FunctionCall { name, arguments })
}

fn of_json(value: Value) -> Tree<Leaf> {
    match value {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(value),
        Value::Number(value) => Tree::Number(value),
        Value::String(text) => Tree::Text(Leaf::new(text)),
        Value::Array(items) => Tree::List(items.into_iter().map(of_json).collect()),
        Value::Object(members) => {
            Tree::Map(members.into_iter().map(|(key, value)| (key, of_json(value))).collect())
        }
    }
}

struct Arguments(Tree<Leaf>);

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TreeSeed(0).deserialize(deserializer).map(Self)
    }
}

/// Reads a tree at this depth.
struct TreeSeed(usize);

impl<'de> DeserializeSeed<'de> for TreeSeed {
    type Value = Tree<Leaf>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<Leaf>, D::Error> {
        if self.0 > 64 {
            return Err(invalid("deeper arguments", "at most 64 levels"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TreeSeed {
    type Value = Tree<Leaf>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON can hold")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Tree<Leaf>, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Tree<Leaf>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Tree<Leaf>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Tree<Leaf>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Tree<Leaf>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Tree<Leaf>, E> {
        Number::from_f64(value)
            .map(Tree::Number)
            .ok_or_else(|| invalid("NaN or infinity in arguments", "a number that JSON can hold"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Tree<Leaf>, E> {
        Ok(Tree::Text(Leaf::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree<Leaf>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(TreeSeed(self.0 + 1))? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree<Leaf>, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            members.push((key, map.next_value_seed(TreeSeed(self.0 + 1))?));
        }
        Ok(Tree::Map(members))
    }
}

/// `true`, `"1h"`, `{ttl: 1h}` or `{type: ephemeral, ttl: 1h}`; false and null are no hint.
struct WireCache(Option<CacheHint>);

impl<'de> Deserialize<'de> for WireCache {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl<'de> Visitor<'de> for V {
            type Value = WireCache;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a cache hint: `true`, a time such as `1h`, or `{ttl: 1h}`")
            }

            fn visit_unit<E: de::Error>(self) -> Result<WireCache, E> {
                Ok(WireCache(None))
            }

            fn visit_none<E: de::Error>(self) -> Result<WireCache, E> {
                Ok(WireCache(None))
            }

            fn visit_bool<E: de::Error>(self, cache: bool) -> Result<WireCache, E> {
                Ok(WireCache(cache.then_some(CacheHint { ttl: None })))
            }

            fn visit_str<E: de::Error>(self, ttl: &str) -> Result<WireCache, E> {
                Ok(WireCache(Some(CacheHint { ttl: Some(ttl.to_owned()) })))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireCache, A::Error> {
                let mut ttl = None;
                while let Some(key) = map.next_key_seed(Keys(&["type", "ttl"]))? {
                    if key == "ttl" {
                        ttl = map.next_value::<Option<String>>()?;
                        continue;
                    }
                    let word: Placed<String> = map.next_value()?;
                    if word.value != "ephemeral" {
                        let error =
                            unknown(crate::Kind::PromptInvalid, "type of cache", &word.value, &["ephemeral"]);
                        return Err(located(&error, word.at));
                    }
                }
                Ok(WireCache(Some(CacheHint { ttl })))
            }
        }

        deserializer.deserialize_any(V)
    }
}
