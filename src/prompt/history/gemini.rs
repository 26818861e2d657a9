//! Reads turns of Google's Gemini API, in the spelling of its Python package and in that of its REST API.

use super::super::message::{Content, FilePart, FunctionCall, Message, Part, PartBody, Role, ToolCall};
use super::super::tree::Tree;
use super::calls::OpenCalls;
use super::carried::{Carried, CarriedFormat, keep_known, note};
use super::values::{self, MemberSlice, get, into_items, into_members, members, text};
use crate::base64;
use crate::error::{Error, Kind, Result};

/// The keys of a part that hold its content, each with the keys of its object.
const CONTENT: [(&str, &[&str]); 9] = [
    ("text", &[]),
    ("inline_data", &["mime_type", "data", "display_name"]),
    ("file_data", &["mime_type", "file_uri", "display_name"]),
    ("function_call", &["id", "name", "args", "partial_args", "will_continue"]),
    ("function_response", &["id", "name", "response", "parts", "scheduling", "will_continue"]),
    ("executable_code", &["id", "code", "language"]),
    ("code_execution_result", &["id", "outcome", "output"]),
    ("tool_call", &["id", "tool_type", "args"]),
    ("tool_response", &["id", "tool_type", "response"]),
];

/// The keys of a part that are options beside its content.
const OPTIONS: [&str; 11] = [
    "thought",
    "thought_signature",
    "media_resolution",
    "video_metadata",
    "part_metadata",
    "audio_transcription",
    "media_processing",
    "speech_metadata",
    "document_metadata",
    "spreadsheet_metadata",
    "audio_metadata",
];

/// Whether the key of a part holds its content.
pub(crate) fn is_part_content(key: &str) -> bool {
    CONTENT.iter().any(|(known, _)| *known == key)
}

/// The keys whose values are data of the application or of a model, in which keys have no other spelling.
const DATA: [&str; 3] = ["args", "response", "part_metadata"];

/// Reads a turn: a message for each result of a function, and one for the other parts.
///
/// # Errors
/// [`Kind::PromptInvalid`] for a role or a part that is none of Gemini's.
pub(super) fn read(turn: Tree<String>, calls: &mut OpenCalls) -> Result<Vec<Message<String>>> {
    let Some(mut turn) = into_members(spelled(turn)) else { return Ok(Vec::new()) };
    turn.get("role").map_or(Ok(()), |role| values::check_text(role, "`role`"))?;
    let role = match turn.text("role") {
        Some("model" | "assistant") => Role::Assistant,
        Some("system") => Role::System,
        Some("user" | "function" | "tool") | None => Role::User,
        Some(_) => {
            return Err(Error::new(Kind::PromptInvalid, "unknown role; Gemini has user and model"));
        }
    };
    let mut unknown = Vec::new();
    keep_known(&mut turn.0, &["role", "parts"], "the turn", &mut unknown);
    let mut reader = GeminiTurnReader {
        results: Vec::new(),
        rest: Message::empty(role),
        parts: Vec::new(),
        carried: Carried::new(CarriedFormat::Gemini),
    };
    for (index, part) in turn.take("parts").map(into_items).unwrap_or_default().into_iter().enumerate() {
        check_part(&part, index)?;
        reader.add(part, index, calls);
    }
    Ok(reader.finish(unknown))
}

struct GeminiTurnReader {
    results: Vec<Message<String>>,
    rest: Message<String>,
    parts: Vec<Part<String>>,
    carried: Carried<String>,
}

impl GeminiTurnReader {
    fn add(&mut self, part: Tree<String>, index: usize, calls: &mut OpenCalls) {
        let mut unknown = Vec::new();
        let parts = with_one_content(known_part(part, index, &mut unknown));
        let split = (parts.len() > 1).then_some(index);
        for part in parts {
            let carried = if let Some(response) = get(members(&part), "function_response") {
                self.results.push(result(members(response), part.clone()));
                self.results.last_mut().and_then(|result| result.carried.as_deref_mut())
            } else {
                self.add_rest(part, calls);
                Some(&mut self.carried)
            };
            if let Some(carried) = carried {
                carried.unknown.append(&mut unknown);
                carried.split.extend(split.filter(|split| !carried.split.contains(split)));
            }
        }
    }

    fn add_rest(&mut self, part: Tree<String>, calls: &mut OpenCalls) {
        let fields = members(&part);
        if let Some(call) = get(fields, "function_call") {
            self.rest.tool_calls.push(read_call(members(call), &mut self.carried.only, calls));
            note_options(fields, &mut self.carried.only);
        } else {
            self.parts.extend(read_part(fields, &mut self.carried.only));
        }
        self.carried.items.push(part);
    }

    /// The messages. `unknown` are the keys of the turn.
    fn finish(mut self, unknown: Vec<String>) -> Vec<Message<String>> {
        let mut messages = self.results;
        if !self.carried.items.is_empty() {
            self.rest.content = values::content(self.parts);
            self.rest.carried = Some(Box::new(self.carried));
            messages.push(self.rest);
        } else if messages.is_empty() {
            // A turn without parts, which the conversions refuse or drop as any message without content.
            messages.push(self.rest);
        }
        if !unknown.is_empty()
            && let Some(first) = messages.first_mut()
        {
            let carried = first.carried.get_or_insert_with(|| Box::new(Carried::new(CarriedFormat::Gemini)));
            carried.unknown.extend(unknown);
        }
        messages
    }
}

/// The part without keys that Gemini does not have. Their places are added to `unknown`.
fn known_part(part: Tree<String>, index: usize, unknown: &mut Vec<String>) -> Tree<String> {
    let Tree::Map(mut fields) = part else { return part };
    let known: Vec<_> = CONTENT.iter().map(|(key, _)| *key).chain(OPTIONS).collect();
    keep_known(&mut fields, &known, &format!("part {index}"), unknown);
    for (key, value) in &mut fields {
        let inner = CONTENT.iter().find(|(known, _)| known == key);
        if let (Some((_, known)), Tree::Map(inner)) = (inner, value) {
            keep_known(inner, known, &format!("`{key}` of part {index}"), unknown);
        }
    }
    Tree::Map(fields)
}

/// The part as parts with one kind of content each. Its options go with the first content that is no text.
fn with_one_content(part: Tree<String>) -> Vec<Tree<String>> {
    let Tree::Map(fields) = part else { return vec![part] };
    let (contents, options): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(key, _)| is_part_content(key));
    let owner = contents.iter().position(|(key, _)| key != "text").unwrap_or(0);
    let mut parts: Vec<_> = contents.into_iter().map(|content| vec![content]).collect();
    match parts.get_mut(owner) {
        Some(part) => part.extend(options),
        None => parts.push(options),
    }
    parts.into_iter().map(Tree::Map).collect()
}

/// Checks the types of a part's content.
fn check_part(part: &Tree<String>, index: usize) -> Result<()> {
    values::check_mapping(part, &format!("part {index}"))?;
    for (key, value) in members(part) {
        let what = format!("`{key}` of part {index}");
        match key.as_str() {
            "text" => values::check_text(value, &what)?,
            key if is_part_content(key) => values::check_mapping(value, &what)?,
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
        if !is_part_content(key) && !matches!(value, Tree::Bool(false)) {
            note(only, key);
        }
    }
}

fn read_call(call: &MemberSlice, only: &mut Vec<String>, calls: &mut OpenCalls) -> ToolCall<String> {
    for key in ["partial_args", "will_continue"] {
        if get(call, key).is_some() {
            note(only, key);
        }
    }
    let name = text(call, "name").unwrap_or_default().to_owned();
    let id = text(call, "id").map_or_else(|| calls.made_id(), str::to_owned);
    let arguments = get(call, "args").cloned().unwrap_or_else(|| Tree::Map(Vec::new()));
    ToolCall { id, function: FunctionCall { name, arguments } }
}

/// A tool message for a part with the result of a function. Its name is for [`OpenCalls::answer`], which removes it.
fn result(response: &MemberSlice, part: Tree<String>) -> Message<String> {
    let mut carried = Carried::new(CarriedFormat::Gemini);
    for key in ["scheduling", "will_continue"] {
        if get(response, key).is_some() {
            note(&mut carried.only, key);
        }
    }
    note_options(members(&part), &mut carried.only);
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
        tool_call_id: text(response, "id").map(str::to_owned),
        name: text(response, "name").map(str::to_owned),
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
    let kind = fields.iter().map(|(key, _)| key.as_str()).find(|key| is_part_content(key))?;
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
