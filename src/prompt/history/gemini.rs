//! Reads turns of Google's Gemini API, in the spelling of its Python package and in that of its REST API.

use super::super::message::{Content, FilePart, FunctionCall, Message, Part, PartBody, Role, ToolCall};
use super::super::tree::Tree;
use super::carried::{Carried, CarriedFormat, note};
use super::values::{self, MemberSlice, get, into_items, into_members, members, text};
use crate::base64;
use crate::error::{Error, Kind, Result};

/// The keys of a part that hold its content. Others are options of the part.
const CONTENT: [&str; 9] = [
    "text",
    "inline_data",
    "file_data",
    "function_call",
    "function_response",
    "executable_code",
    "code_execution_result",
    "tool_call",
    "tool_response",
];

/// The keys whose values are data of the application or of a model, in which keys have no other spelling.
const DATA: [&str; 3] = ["args", "response", "part_metadata"];

/// Ids for calls without one. Gemini matches such a call and its result by name and order.
#[derive(Debug, Default)]
pub(super) struct GeminiCalls {
    made: usize,
    /// The names and ids of the calls of the last turn that have no result.
    open: Vec<(String, String)>,
}

impl GeminiCalls {
    fn next_id(&mut self) -> String {
        self.made += 1;
        format!("gemini_call_{}", self.made)
    }

    /// The id of a new call.
    fn call(&mut self, name: &str) -> String {
        let id = self.next_id();
        self.open.push((name.to_owned(), id.clone()));
        id
    }

    /// The id of the call that a result answers.
    fn answer(&mut self, name: &str) -> String {
        match self.open.iter().position(|(open, _)| open == name) {
            Some(at) => self.open.remove(at).1,
            None => self.next_id(),
        }
    }
}

/// Reads a turn: a message for each result of a function, and one for the other parts.
///
/// # Errors
/// [`Kind::PromptInvalid`] for a role or a part that is none of Gemini's.
pub(super) fn read(turn: Tree<String>, calls: &mut GeminiCalls) -> Result<Vec<Message<String>>> {
    let Some(mut turn) = into_members(spelled(turn)) else { return Ok(Vec::new()) };
    turn.get("role").map_or(Ok(()), |role| values::check_text(role, "`role`"))?;
    let role = match turn.text("role") {
        Some("model" | "assistant") => Role::Assistant,
        Some("system") => Role::System,
        Some("user" | "function" | "tool") | None => Role::User,
        Some(_) => return Err(Error::new(Kind::PromptInvalid, "unknown role")),
    };
    if role == Role::Assistant {
        calls.open.clear();
    }
    let mut messages = Vec::new();
    let mut rest = Message::empty(role);
    let mut parts = Vec::new();
    let mut carried = Carried::new(CarriedFormat::Gemini);
    for (index, part) in turn.take("parts").map(into_items).unwrap_or_default().into_iter().enumerate() {
        check_part(&part, index)?;
        let fields = members(&part);
        if let Some(response) = get(fields, "function_response") {
            messages.push(result(members(response), part.clone(), calls));
            continue;
        }
        if let Some(call) = get(fields, "function_call") {
            rest.tool_calls.push(read_call(members(call), &mut carried.only, calls));
            note_options(fields, &mut carried.only);
        } else {
            parts.extend(read_part(fields, &mut carried.only));
        }
        carried.items.push(part);
    }
    if !carried.items.is_empty() {
        rest.content = values::content(parts);
        rest.carried = Some(Box::new(carried));
        messages.push(rest);
    } else if messages.is_empty() {
        // A turn without parts, which the conversions refuse or drop as any message without content.
        messages.push(rest);
    }
    Ok(messages)
}

/// Checks the types of a part's content.
fn check_part(part: &Tree<String>, index: usize) -> Result<()> {
    values::check_mapping(part, &format!("part {index}"))?;
    for (key, value) in members(part) {
        let what = format!("`{key}` of part {index}");
        match key.as_str() {
            "text" => values::check_text(value, &what)?,
            key if CONTENT.contains(&key) => values::check_mapping(value, &what)?,
            _ => {}
        }
        let media = get(members(value), "parts").filter(|_| key == "function_response");
        media.map_or(Ok(()), |media| values::check_mappings(media, &format!("`parts` of part {index}")))?;
    }
    let data = get(members(part), "inline_data").and_then(|inline| text(members(inline), "data"));
    if data.is_some_and(|data| base64::decode(data).is_none()) {
        return Err(Error::new(Kind::PromptInvalid, format!("the data of part {index} are not base64")));
    }
    Ok(())
}

/// The value with the keys of Python's spelling, and without null, which dumps have for keys that are not set.
fn spelled(value: Tree<String>) -> Tree<String> {
    match value {
        Tree::Map(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !matches!(value, Tree::Null));
            let fields = fields.map(|(key, value)| {
                let key = snake_case(&key);
                let value = if DATA.contains(&key.as_str()) { value } else { spelled(value) };
                (key, value)
            });
            Tree::Map(fields.collect())
        }
        Tree::List(items) => Tree::List(items.into_iter().map(spelled).collect()),
        value => value,
    }
}

/// A key in Python's spelling, such as `max_tokens` for `maxTokens`.
pub(crate) fn snake_case(key: &str) -> String {
    let mut spelling = String::with_capacity(key.len() + 2);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            spelling.push('_');
        }
        spelling.push(letter.to_ascii_lowercase());
    }
    spelling
}

/// Notes the options of a part, which only Gemini understands.
fn note_options(fields: &MemberSlice, only: &mut Vec<String>) {
    for (key, value) in fields {
        if !CONTENT.contains(&key.as_str()) && !matches!(value, Tree::Bool(false)) {
            note(only, key);
        }
    }
}

fn read_call(call: &MemberSlice, only: &mut Vec<String>, calls: &mut GeminiCalls) -> ToolCall<String> {
    for key in ["partial_args", "will_continue"] {
        if get(call, key).is_some() {
            note(only, key);
        }
    }
    let name = text(call, "name").unwrap_or_default().to_owned();
    let id = text(call, "id").map_or_else(|| calls.call(&name), str::to_owned);
    let arguments = get(call, "args").cloned().unwrap_or_else(|| Tree::Map(Vec::new()));
    ToolCall { id, function: FunctionCall { name, arguments } }
}

/// A tool message for a part with the result of a function.
fn result(response: &MemberSlice, part: Tree<String>, calls: &mut GeminiCalls) -> Message<String> {
    let mut carried = Carried::new(CarriedFormat::Gemini);
    for key in ["scheduling", "will_continue"] {
        if get(response, key).is_some() {
            note(&mut carried.only, key);
        }
    }
    note_options(members(&part), &mut carried.only);
    let id = text(response, "id")
        .map_or_else(|| calls.answer(text(response, "name").unwrap_or_default()), str::to_owned);
    let (said, is_error) = result_text(get(response, "response"));
    let media = get(response, "parts").map(values::items).unwrap_or_default();
    let media: Vec<_> = media.iter().filter_map(|part| read_part(members(part), &mut carried.only)).collect();
    let content = if media.is_empty() {
        Content::Text(said)
    } else {
        Content::Parts([values::text_part(said, None)].into_iter().chain(media).collect())
    };
    carried.items.push(part);
    Message {
        content: Some(content),
        tool_call_id: Some(id),
        is_error,
        carried: Some(Box::new(carried)),
        ..Message::empty(Role::Tool)
    }
}

/// The text of a result, and whether it is an error. Gemini takes a text as the only member of an object.
fn result_text(response: Option<&Tree<String>>) -> (String, bool) {
    let Some(response) = response else { return (String::new(), false) };
    match members(response) {
        [(key, Tree::Text(text))] if matches!(key.as_str(), "output" | "result") => (text.clone(), false),
        [(key, value)] if key == "error" => match value {
            Tree::Text(text) => (text.clone(), true),
            value => (value.to_json_text().unwrap_or_default(), true),
        },
        _ => (response.to_json_text().unwrap_or_default(), false),
    }
}

/// The part that the other providers get, if they can express it.
fn read_part(fields: &MemberSlice, only: &mut Vec<String>) -> Option<Part<String>> {
    note_options(fields, only);
    if matches!(get(fields, "thought"), Some(Tree::Bool(true))) {
        return None;
    }
    let kind = fields.iter().map(|(key, _)| key.as_str()).find(|key| CONTENT.contains(key))?;
    let body = match kind {
        "text" => {
            let text = text(fields, kind).filter(|text| !text.is_empty())?;
            Some(PartBody::Text(text.to_owned()))
        }
        "inline_data" => inline(members(get(fields, kind)?)),
        "file_data" => linked(members(get(fields, kind)?)),
        _ => None,
    };
    if body.is_none() {
        note(only, kind);
    }
    body.map(|body| Part { body, cache: None })
}

fn inline(data: &MemberSlice) -> Option<PartBody<String>> {
    let media_type = text(data, "mime_type")?;
    let content = text(data, "data")?;
    Some(match media_type.split_once('/') {
        Some(("image", _)) => PartBody::Image { media_type: media_type.to_owned(), data: content.to_owned() },
        Some(("audio", kind)) => {
            let format = match kind {
                "mpeg" => "mp3",
                kind => kind.trim_start_matches("x-"),
            };
            PartBody::Audio { data: content.to_owned(), format: format.to_owned() }
        }
        _ => PartBody::File(Box::new(FilePart {
            filename: Some(text(data, "display_name").unwrap_or("document").to_owned()),
            file_data: Some(values::data_url(media_type, content)),
            ..FilePart::default()
        })),
    })
}

/// A file with an address that every provider can read. Google's own addresses are not among them.
fn linked(file: &MemberSlice) -> Option<PartBody<String>> {
    let url = text(file, "file_uri").filter(|url| url.starts_with("https://"))?;
    if url.starts_with("https://generativelanguage.googleapis.com/") {
        return None;
    }
    Some(match text(file, "mime_type").and_then(|media_type| media_type.split_once('/')) {
        Some(("image", _)) => PartBody::ImageUrl { url: url.to_owned(), detail: None },
        Some(("video" | "audio", _)) => return None,
        _ => PartBody::File(Box::new(FilePart {
            filename: text(file, "display_name").map(str::to_owned),
            url: Some(url.to_owned()),
            ..FilePart::default()
        })),
    })
}
