//! Reads messages of Pydantic AI and `LlamaIndex`, which no provider has, as messages in our own format.

use super::super::message::Message;
use super::super::tree::Tree;
use super::carried::{Carried, CarriedFormat, note};
use super::values::{self, MemberSlice, get, items, members, object, text};
use super::{chat, detect};
use crate::base64;
use crate::error::Result;

/// The keys of `additional_kwargs` that `LlamaIndex`'s models read as the message's own.
const ADDITIONAL: [&str; 5] = ["tool_calls", "tool_call_id", "function_call", "refusal", "name"];

/// A message under construction, with what no message of ours can have.
#[derive(Default)]
struct FrameworkMessage {
    role: String,
    parts: Vec<Tree<String>>,
    calls: Vec<Tree<String>>,
    others: Vec<(String, Tree<String>)>,
    only: Vec<String>,
}

impl FrameworkMessage {
    fn new(role: &str) -> Self {
        Self { role: role.to_owned(), ..Self::default() }
    }

    fn put(&mut self, key: &str, value: Tree<String>) {
        self.others.push((key.to_owned(), value));
    }

    /// Notes what no message of ours can have. Pydantic AI's words have hyphens.
    fn lose(&mut self, kind: &str) {
        note(&mut self.only, &kind.replace('-', "_"));
    }

    /// Adds a cache hint to the part before it.
    fn cache(&mut self, point: &MemberSlice) {
        if let Some(Tree::Map(part)) = self.parts.last_mut() {
            let ttl = get(point, "ttl").map(|ttl| ("ttl".to_owned(), ttl.clone()));
            part.push(("cache".to_owned(), Tree::Map(ttl.into_iter().collect())));
        }
    }

    fn read(mut self) -> Result<Message<String>> {
        let mut fields = vec![("role".to_owned(), Tree::Text(self.role))];
        let parts = std::mem::take(&mut self.parts);
        let content = match &parts[..] {
            [] => None,
            // With a cache hint it has another key.
            [Tree::Map(part)] if part.len() == 2 && get(part, "text").is_some() => get(part, "text").cloned(),
            _ => Some(Tree::List(parts)),
        };
        fields.extend(content.map(|content| ("content".to_owned(), content)));
        if !self.calls.is_empty() {
            fields.push(("tool_calls".to_owned(), Tree::List(self.calls)));
        }
        fields.extend(self.others);
        let mut message = chat::read(Tree::Map(fields))?;
        if !self.only.is_empty() {
            let carried = message.carried.get_or_insert_with(|| Box::new(Carried::new(CarriedFormat::Chat)));
            carried.items.clear();
            carried.only.append(&mut self.only);
        }
        Ok(message)
    }
}

/// Reads a request or a response of Pydantic AI. The instructions of a request are those of its Agent, and not a part of
/// the history.
///
/// # Errors
/// As the reader of our own format.
pub(super) fn read_pydantic_ai(value: &Tree<String>) -> Result<Vec<Message<String>>> {
    let fields = members(value);
    let parts = get(fields, "parts").map(items).unwrap_or_default();
    if text(fields, "kind") == Some("response") {
        return Ok(vec![response(parts).read()?]);
    }
    let read = |part: &Tree<String>| request_part(members(part)).map(FrameworkMessage::read);
    parts.iter().filter_map(read).collect()
}

fn response(parts: &[Tree<String>]) -> FrameworkMessage {
    let mut message = FrameworkMessage::new("assistant");
    for part in parts {
        let part = members(part);
        match text(part, "part_kind").unwrap_or_default() {
            "text" => message.parts.extend(text_part(get(part, "content"))),
            "tool-call" => message.calls.push(call(part, ["tool_call_id", "tool_name", "args"])),
            kind => message.lose(kind),
        }
    }
    message
}

/// The message of a part. `None` for a change of settings, instructions or tools, which are the Agent's.
fn request_part(part: &MemberSlice) -> Option<FrameworkMessage> {
    let content = get(part, "content");
    Some(match text(part, "part_kind").unwrap_or_default() {
        "system-prompt" => with_text("system", content),
        "user-prompt" => user_prompt(content),
        "tool-return" => tool_return(part, text(part, "outcome") == Some("failed")),
        "retry-prompt" if get(part, "tool_name").is_some() => tool_return(part, true),
        "retry-prompt" | "retry-feedback" => with_text("user", content),
        kind if kind.ends_with("-delta") || kind == "instruction-baseline" => return None,
        kind => {
            let mut message = FrameworkMessage::new("user");
            message.lose(kind);
            message
        }
    })
}

fn with_text(role: &str, content: Option<&Tree<String>>) -> FrameworkMessage {
    let mut message = FrameworkMessage::new(role);
    let said = content.map(as_text);
    message.parts.extend(text_part(said.map(Tree::Text).as_ref()));
    message
}

fn tool_return(part: &MemberSlice, is_error: bool) -> FrameworkMessage {
    let mut message = FrameworkMessage::new("tool");
    message.put("content", Tree::Text(get(part, "content").map(as_text).unwrap_or_default()));
    message.others.extend(get(part, "tool_call_id").map(|id| ("tool_call_id".to_owned(), id.clone())));
    if is_error {
        message.put("is_error", Tree::Bool(true));
    }
    message
}

fn user_prompt(content: Option<&Tree<String>>) -> FrameworkMessage {
    let Some(Tree::List(contents)) = content else { return with_text("user", content) };
    let mut message = FrameworkMessage::new("user");
    for content in contents {
        let fields = members(content);
        match text(fields, "kind") {
            _ if matches!(content, Tree::Text(_)) => message.parts.extend(text_part(Some(content))),
            Some("text" | "text-content") => message.parts.extend(text_part(get(fields, "content"))),
            Some("image-url") => message.parts.push(image_url(get(fields, "url"), None)),
            Some("document-url") => message.parts.push(typed("file", [("url", value(fields, "url"))])),
            Some("binary") => {
                let media_type = text(fields, "media_type").or_else(|| text(fields, "_media_type"));
                message
                    .parts
                    .push(data(media_type.unwrap_or_default(), text(fields, "data").unwrap_or_default()));
            }
            Some("cache-point") => message.cache(fields),
            kind => message.lose(kind.unwrap_or_default()),
        }
    }
    message
}

/// Reads a `ChatMessage` of `LlamaIndex`.
///
/// # Errors
/// As the reader of our own format.
pub(super) fn read_llama_index(value: &Tree<String>) -> Result<Message<String>> {
    let fields = members(value);
    let role = match text(fields, "role").unwrap_or("user") {
        "model" | "chatbot" => "assistant",
        role => role,
    };
    let mut message = FrameworkMessage::new(role);
    for block in get(fields, "blocks").map(items).unwrap_or_default() {
        llama_block(members(block), &mut message);
    }
    for (key, value) in get(fields, "additional_kwargs").map(members).unwrap_or_default() {
        match key.as_str() {
            _ if values::is_unset(value) => {}
            "tool_calls" => message.calls = items(value).to_vec(),
            key if ADDITIONAL.contains(&key) => message.put(key, value.clone()),
            key => message.lose(key),
        }
    }
    if role == "tool" && message.parts.is_empty() {
        message.put("content", Tree::Text(String::new()));
    }
    message.read()
}

fn llama_block(block: &MemberSlice, message: &mut FrameworkMessage) {
    let kind = text(block, detect::BLOCK_TYPE).unwrap_or_default();
    let address = get(block, "url").or_else(|| get(block, "path"));
    let encoded = |key: &str| text(block, key).map(encoded_once);
    let part = match kind {
        "text" => text_part(get(block, "text")),
        "image" => match encoded("image") {
            Some(image) => {
                Some(data(text(block, "image_mimetype").unwrap_or_else(|| sniffed(&image)), &image))
            }
            None => Some(image_url(address, get(block, "detail"))),
        },
        "audio" => encoded("audio").map(|audio| sound(text(block, "format").unwrap_or("mp3"), &audio)),
        "document" => match encoded("data") {
            Some(file) => Some(data(text(block, "document_mimetype").unwrap_or("application/pdf"), &file)),
            None => address.map(|url| typed("file", [("url", url.clone())])),
        },
        "tool_call" => {
            message.calls.push(call(block, ["tool_call_id", "tool_name", "tool_kwargs"]));
            return;
        }
        "tool_result" => {
            get(block, "content").map(as_text).and_then(|said| text_part(Some(&Tree::Text(said))))
        }
        "cache" => return message.cache(get(block, "cache_control").map(members).unwrap_or_default()),
        _ => None,
    };
    match part {
        Some(part) => message.parts.push(part),
        None if kind == "text" => {}
        None => message.lose(kind),
    }
}

fn value(fields: &MemberSlice, key: &str) -> Tree<String> {
    get(fields, key).cloned().unwrap_or(Tree::Null)
}

/// A text, or any other value as JSON.
fn as_text(value: &Tree<String>) -> String {
    match value {
        Tree::Text(text) => text.clone(),
        value => value.to_json_text().unwrap_or_default(),
    }
}

fn typed<const N: usize>(kind: &str, fields: [(&str, Tree<String>); N]) -> Tree<String> {
    let kind = ("type".to_owned(), Tree::Text(kind.to_owned()));
    let fields = fields.map(|(key, value)| (key.to_owned(), value));
    Tree::Map(std::iter::once(kind).chain(fields).collect())
}

/// A text part, unless there is no text in it.
fn text_part(said: Option<&Tree<String>>) -> Option<Tree<String>> {
    let said = said.filter(|said| !matches!(said, Tree::Text(text) if text.is_empty()))?;
    Some(typed("text", [("text", said.clone())]))
}

fn image_url(url: Option<&Tree<String>>, detail: Option<&Tree<String>>) -> Tree<String> {
    let mut image = vec![("url".to_owned(), url.cloned().unwrap_or(Tree::Null))];
    image.extend(detail.map(|detail| ("detail".to_owned(), detail.clone())));
    typed("image_url", [("image_url", Tree::Map(image))])
}

fn sound(format: &str, data: &str) -> Tree<String> {
    let sound = object([("data", Tree::Text(data.to_owned())), ("format", Tree::Text(format.to_owned()))]);
    typed("input_audio", [("input_audio", sound)])
}

/// Data as the part that their MIME type asks for.
fn data(media_type: &str, data: &str) -> Tree<String> {
    let owned = |text: &str| Tree::Text(text.to_owned());
    match media_type.split_once('/') {
        Some(("image", _)) => typed("image", [("media_type", owned(media_type)), ("data", owned(data))]),
        Some(("audio", "mpeg")) => sound("mp3", data),
        Some(("audio", format)) => sound(format.trim_start_matches("x-"), data),
        _ => {
            let url = Tree::Text(values::data_url(media_type, data));
            typed("file", [("file", object([("filename", owned("document")), ("file_data", url)]))])
        }
    }
}

/// The base64 text of data. `LlamaIndex`'s objects have it as bytes, which are then encoded once more.
fn encoded_once(data: &str) -> String {
    let inner = base64::decode(data).and_then(|bytes| String::from_utf8(bytes).ok());
    let is_encoded =
        |text: &String| !text.is_empty() && base64::plain(text).is_some_and(|plain| plain == *text);
    inner.filter(is_encoded).unwrap_or_else(|| data.to_owned())
}

/// The MIME type of an image by the first characters of its base64.
fn sniffed(image: &str) -> &'static str {
    match image.as_bytes() {
        [b'/', b'9', b'j', ..] => "image/jpeg",
        [b'R', b'0', b'l', ..] => "image/gif",
        [b'U', b'k', b'l', ..] => "image/webp",
        _ => "image/png",
    }
}

fn call(part: &MemberSlice, [id, name, arguments]: [&str; 3]) -> Tree<String> {
    let arguments = get(part, arguments).cloned().unwrap_or_else(|| Tree::Map(Vec::new()));
    let function = object([("name", value(part, name)), ("arguments", arguments)]);
    object([("id", value(part, id)), ("type", Tree::Text("function".to_owned())), ("function", function)])
}
