//! Reads messages in our own format and in that of OpenAI's Chat Completions, with the keys that SDKs, LiteLLM and
//! other servers add.

use super::super::keys;
use super::super::message::{Message, OpenAiCache};
use super::super::read_message::message_of_node;
use super::super::tree::Tree;
use super::carried::{Carried, CarriedFormat, note, note_place};
use super::values::{self, get, into_items, kind, members, text, to_node};
use crate::de::{NodeValue, SourceNode};
use crate::error::{Result, nearest};

type TreeFields = Vec<(String, Tree<String>)>;

/// Keys of replies that no request has.
const REPLY_KEYS: [&str; 7] =
    ["annotations", "parsed", "parsed_arguments", "content_parts", "id", "index", "prefix"];

/// Keys that servers add to OpenAI's format, and LiteLLM's `Message`.
const EXTENSIONS: [&str; 11] = [
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "reasoning_items",
    "thinking_blocks",
    "provider_specific_fields",
    "extra_content",
    "images",
    "format",
    "cache_control",
    "audio",
];

/// Whether the message has only texts and keys of our own, as most have.
pub(super) fn is_plain(node: &SourceNode<'_>) -> bool {
    let NodeValue::Map(fields) = &node.value else { return false };
    fields.iter().all(|(key, value)| {
        matches!((&key.value, &value.value), (NodeValue::Text(key), NodeValue::Text(text)) if match key.as_ref() {
            "role" => !matches!(text.as_ref(), "human" | "ai"),
            "content" | "name" | "tool_call_id" | "refusal" => true,
            _ => false,
        })
    })
}

/// Reads a message.
///
/// # Errors
/// As [`message_of_node`].
pub(super) fn read(message: Tree<String>) -> Result<Message<String>> {
    let Tree::Map(fields) = message else { return message_of_node(to_node(message)) };
    let mut reader = ChatReader { carried: Carried::new(CarriedFormat::Chat), has_own_parts: false };
    let read = reader.message(fields);
    let mut message = message_of_node(to_node(Tree::Map(read.portable)))?;
    let mut carried = reader.carried;
    if !carried.only.is_empty() || !carried.extensions.is_empty() || !carried.unknown.is_empty() {
        if !reader.has_own_parts {
            carried.items = vec![Tree::Map(read.openai), Tree::Map(read.full)];
        }
        message.carried = Some(Box::new(carried));
    }
    Ok(message)
}

/// The same object three times: for every provider, for OpenAI, and for servers that extend its format.
#[derive(Default)]
struct Readings {
    portable: TreeFields,
    openai: TreeFields,
    full: TreeFields,
}

impl Readings {
    fn put(&mut self, key: &str, value: Tree<String>) {
        self.openai.push((key.to_owned(), value.clone()));
        self.full.push((key.to_owned(), value.clone()));
        self.portable.push((key.to_owned(), value));
    }

    fn put_lists(&mut self, key: &str, items: Vec<Self>) {
        let mut lists = [Vec::new(), Vec::new(), Vec::new()];
        for item in items {
            for (list, fields) in lists.iter_mut().zip([item.portable, item.openai, item.full]) {
                list.extend((!fields.is_empty()).then_some(Tree::Map(fields)));
            }
        }
        let [portable, openai, full] = lists;
        for (fields, list) in
            [(&mut self.portable, portable), (&mut self.openai, openai), (&mut self.full, full)]
        {
            if !list.is_empty() {
                fields.push((key.to_owned(), Tree::List(list)));
            }
        }
    }
}

struct ChatReader {
    carried: Carried<String>,
    /// Whether the message has parts that only prompt files have. It is sent to no provider as it is.
    has_own_parts: bool,
}

/// The place of a key: its index, what it is a key of, and the keys that are known there.
type KeyPlace<'a> = (usize, &'a str, &'a [&'static str]);

impl ChatReader {
    fn message(&mut self, fields: TreeFields) -> Readings {
        let mut read = Readings::default();
        let is_result = text(&fields, "role") == Some("tool");
        for (at, (key, value)) in fields.into_iter().enumerate() {
            match key.as_str() {
                _ if matches!(value, Tree::Null)
                    || matches!(&value, Tree::List(items) if items.is_empty()) => {}
                "content" if matches!(value, Tree::List(_)) => {
                    self.content(into_items(value), &mut read);
                    // A result whose parts only one server understands is still a result.
                    if is_result && get(&read.portable, "content").is_none() {
                        read.portable.push((key, Tree::Text(String::new())));
                    }
                }
                "tool_calls" if matches!(value, Tree::List(_)) => {
                    let calls = into_items(value).into_iter().map(|call| self.call(call)).collect();
                    read.put_lists("tool_calls", calls);
                }
                "function_call" => read.put(&key, without(value, &REPLY_KEYS)),
                "cache_control" => Self::cache(value, &mut read),
                // OpenAI itself has no key for it.
                "is_error" => {
                    read.portable.push((key.clone(), value.clone()));
                    read.full.push((key, value));
                }
                "audio" if get(members(&value), "id").is_some() => {
                    note(&mut self.carried.only, "audio");
                    let id = get(members(&value), "id").cloned().unwrap_or(Tree::Null);
                    read.openai.push((key.clone(), values::object([("id", id.clone())])));
                    read.full.push((key, values::object([("id", id)])));
                }
                // No provider has these keys of prompt files.
                "cache" | "optional" => read.portable.push((key, value)),
                key if keys::MESSAGE.contains(&key) => read.put(key, value),
                _ => self.other((at, "the message", keys::MESSAGE), key, value, &mut read),
            }
        }
        read
    }

    /// Keeps a key that OpenAI does not have for the servers that do.
    fn other(
        &mut self,
        (at, owner, known): KeyPlace<'_>,
        key: String,
        value: Tree<String>,
        read: &mut Readings,
    ) {
        if matches!(value, Tree::Null) || REPLY_KEYS.contains(&key.as_str()) {
            return;
        }
        if EXTENSIONS.contains(&key.as_str()) {
            note(&mut self.carried.extensions, &key);
        } else {
            note_place(&mut self.carried.unknown, at, owner, nearest(&key, known.iter().copied()));
        }
        read.full.push((key, value));
    }

    /// A cache hint in Anthropic's format. Only its own format has more members than a time.
    fn cache(value: Tree<String>, read: &mut Readings) {
        let ttl = get(members(&value), "ttl").filter(|ttl| matches!(ttl, Tree::Text(_)));
        let hint = ttl.map(|ttl| ("ttl".to_owned(), ttl.clone())).into_iter().collect();
        read.portable.push(("cache".to_owned(), Tree::Map(hint)));
        read.full.push(("cache_control".to_owned(), value));
    }

    fn content(&mut self, parts: Vec<Tree<String>>, read: &mut Readings) {
        let mut readings = Vec::with_capacity(parts.len());
        for part in parts {
            if kind(&part) == Some("refusal") {
                note(&mut self.carried.only, "refusal");
                let refusal = get(members(&part), "refusal").cloned();
                read.portable.extend(refusal.map(|refusal| ("refusal".to_owned(), refusal)));
                let fields = members(&part).to_vec();
                readings.push(Readings { portable: Vec::new(), openai: fields.clone(), full: fields });
                continue;
            }
            match part {
                Tree::Map(fields) => readings.push(self.part(fields)),
                Tree::Text(text) => {
                    let mut part = Readings::default();
                    part.put("type", Tree::Text("text".to_owned()));
                    part.put("text", Tree::Text(text));
                    readings.push(part);
                }
                // The reader of messages has the error for it.
                part => readings
                    .push(Readings { portable: vec![("type".to_owned(), part)], ..Readings::default() }),
            }
        }
        read.put_lists("content", readings);
    }

    fn part(&mut self, fields: TreeFields) -> Readings {
        let word = text(&fields, "type").unwrap_or_default().to_owned();
        let known = keys::PART_TYPES.into_iter().find(|(known, _)| *known == word).map(|(_, keys)| keys);
        let mut read = Readings::default();
        if is_own_part(&fields, &word) {
            self.has_own_parts = true;
            return Readings { portable: without_nulls(fields), ..read };
        }
        let Some(known) = known else {
            if !is_extension_part(&fields, &word) {
                return Readings { portable: fields, ..read };
            }
            note(&mut self.carried.extensions, &word);
            read.full = fields;
            return read;
        };
        let mut breakpoint = None;
        for (at, (key, value)) in fields.into_iter().enumerate() {
            match key.as_str() {
                _ if matches!(value, Tree::Null) => {}
                "cache_control" => Self::cache(value, &mut read),
                values::BREAKPOINT => {
                    breakpoint = values::breakpoint(Some(&value), &mut self.carried.only);
                    read.openai.push((key.clone(), value.clone()));
                    read.full.push((key, value));
                }
                "image_url" if matches!(value, Tree::Text(_)) => {
                    read.put(&key, values::object([("url", value)]));
                }
                "image_url" | "file" | "input_audio" => self.inner(key, value, &mut read),
                "cache" => read.portable.push((key, value)),
                "type" => read.put(&key, value),
                key if known.contains(&key) => read.put(key, value),
                _ => self.other((at, "a part", known), key, value, &mut read),
            }
        }
        if let Some(breakpoint) = breakpoint {
            add_breakpoint(&mut read.portable, breakpoint);
        }
        read
    }

    /// The object of an image, a file or a sound.
    fn inner(&mut self, key: String, value: Tree<String>, read: &mut Readings) {
        let known: &[&str] = match key.as_str() {
            "image_url" => keys::IMAGE_URL,
            "file" => keys::FILE,
            _ => keys::INPUT_AUDIO,
        };
        let Tree::Map(fields) = value else { return read.put(&key, value) };
        let mut inner = Readings::default();
        let owner = format!("`{key}`");
        for (at, (key, value)) in fields.into_iter().enumerate() {
            match key.as_str() {
                _ if matches!(value, Tree::Null) => {}
                key if known.contains(&key) => inner.put(key, value),
                _ => self.other((at, &owner, known), key, value, &mut inner),
            }
        }
        read.portable.push((key.clone(), Tree::Map(inner.portable)));
        read.openai.push((key.clone(), Tree::Map(inner.openai)));
        read.full.push((key, Tree::Map(inner.full)));
    }

    fn call(&mut self, call: Tree<String>) -> Readings {
        let mut read = Readings::default();
        let Tree::Map(fields) = call else {
            return Readings { portable: vec![("id".to_owned(), call)], ..read };
        };
        let is_custom = get(&fields, "custom").is_some();
        for (at, (key, value)) in fields.into_iter().enumerate() {
            match key.as_str() {
                _ if matches!(value, Tree::Null) => {}
                "custom" => {
                    note(&mut self.carried.only, "custom");
                    read.openai.push((key.clone(), value.clone()));
                    read.portable.push(("function".to_owned(), as_function(&value)));
                    read.full.push((key, value));
                }
                "type" if is_custom => {
                    read.openai.push((key.clone(), value.clone()));
                    read.full.push((key, value));
                }
                "function" => read.put(&key, without(value, &REPLY_KEYS)),
                "id" => read.put(&key, value),
                key if keys::TOOL_CALL.contains(&key) => read.put(key, value),
                _ => self.other((at, "a tool call", keys::TOOL_CALL), key, value, &mut read),
            }
        }
        read
    }
}

/// Adds OpenAI's hint to the `cache` of a part.
fn add_breakpoint(portable: &mut TreeFields, breakpoint: OpenAiCache) {
    let written = match breakpoint.ttl {
        Some(ttl) => Tree::Text(ttl.to_owned()),
        None => Tree::Bool(true),
    };
    match portable.iter_mut().find(|(key, _)| key == "cache") {
        None => portable.push(("cache".to_owned(), values::object([("openai", written)]))),
        Some((_, Tree::Map(fields))) if get(fields, "openai").is_none() => {
            fields.push(("openai".to_owned(), written));
        }
        Some(_) => {}
    }
}

/// Whether a part is one that only prompt files have.
fn is_own_part(fields: &[(String, Tree<String>)], word: &str) -> bool {
    match word {
        "image" | "search_result" => true,
        "file" => get(fields, "file").is_none(),
        _ => false,
    }
}

/// Whether a part is one that a server adds to OpenAI's format.
fn is_extension_part(fields: &[(String, Tree<String>)], word: &str) -> bool {
    matches!(word, "video_url" | "document_url" | "document" | "tool_reference")
        || (word == "thinking" && get(fields, "thinking").is_some())
}

/// A call of a custom tool as the call of a function whose argument is the input.
fn as_function(custom: &Tree<String>) -> Tree<String> {
    let fields = members(custom);
    let field = |key| get(fields, key).cloned().unwrap_or_else(|| Tree::Text(String::new()));
    values::object([("name", field("name")), ("arguments", values::object([("input", field("input"))]))])
}

fn without_nulls(fields: TreeFields) -> TreeFields {
    fields.into_iter().filter(|(_, value)| !matches!(value, Tree::Null)).collect()
}

fn without(value: Tree<String>, keys: &[&str]) -> Tree<String> {
    match value {
        Tree::Map(fields) => Tree::Map(
            fields
                .into_iter()
                .filter(|(key, value)| !keys.contains(&key.as_str()) && !matches!(value, Tree::Null))
                .collect(),
        ),
        value => value,
    }
}
