//! Reads LangChain's messages: their dumps, the forms of its stores and traces, and the pairs and role names that it
//! accepts.

use super::super::message::{
    CacheHint, Content, FilePart, FunctionCall, Message, Part, PartBody, Role, ToolCall,
};
use super::super::tree::Tree;
use super::carried::{Carried, CarriedFormat, note};
use super::detect::{is_anthropic_block, is_item_type};
use super::values::{self, TreeMembers, get, into_items, into_members, items, kind, members, text};
use crate::error::Result;

/// The result of reading a message of LangChain's.
pub(super) enum Read {
    /// A message of its own.
    Message(Box<Message<String>>),
    /// Turns or items in the format of a provider, which the content has.
    Native(Vec<Tree<String>>),
}

/// The message itself, of `{type, data}` as stores keep it, or `{lc, kwargs}` as traces do.
pub(super) fn unwrapped(value: Tree<String>) -> Tree<String> {
    let fields = members(&value);
    let is_stored = text(fields, "type").is_some() && matches!(get(fields, "data"), Some(Tree::Map(_)));
    let key = if is_stored {
        "data"
    } else if get(fields, "lc").is_some() && matches!(get(fields, "kwargs"), Some(Tree::Map(_))) {
        "kwargs"
    } else {
        return value;
    };
    let word = text(fields, "type").map(str::to_owned);
    let Some(Tree::Map(mut inner)) = into_members(value).and_then(|mut fields| fields.take(key)) else {
        return Tree::Null;
    };
    if is_stored && text(&inner, "type").is_none() {
        inner.extend(word.map(|word| ("type".to_owned(), Tree::Text(word))));
    }
    Tree::Map(inner)
}

/// Reads a message.
///
/// # Errors
/// [`Kind::PromptInvalid`](crate::error::Kind::PromptInvalid) for content that is neither a text nor a list.
pub(super) fn read(value: Tree<String>) -> Result<Read> {
    let value = match value {
        Tree::List(pair) => {
            let mut pair = pair.into_iter();
            let mut next = || pair.next().unwrap_or(Tree::Null);
            let role = next();
            values::object([("role", role), ("content", next())])
        }
        value => value,
    };
    let Some(mut fields) = into_members(value) else { return Ok(Read::Native(Vec::new())) };
    let content = fields.take("content");
    let additional =
        fields.take("additional_kwargs").and_then(into_members).unwrap_or(TreeMembers(Vec::new()));
    let role = role_of(&fields, &additional);
    let blocks = content.as_ref().map(items).unwrap_or_default();
    if role == Role::Assistant && blocks.iter().any(is_anthropic) {
        return Ok(Read::Native(vec![anthropic_turn(content, &fields)]));
    }
    if role == Role::Assistant && blocks.iter().any(is_item) {
        return Ok(Read::Native(responses_items(content, &fields)));
    }
    Ok(Read::Message(Box::new(message(role, content, fields, additional)?)))
}

fn role_of(fields: &TreeMembers, additional: &TreeMembers) -> Role {
    let word = match fields.text("type") {
        Some("chat") | None => fields.text("role"),
        word => word,
    };
    match word.unwrap_or_default() {
        "system" | "SystemMessageChunk" if additional.text("__openai_role__") == Some("developer") => {
            Role::Developer
        }
        "system" | "SystemMessageChunk" => Role::System,
        "developer" => Role::Developer,
        "human" | "user" | "HumanMessageChunk" => Role::User,
        "tool" | "ToolMessageChunk" => Role::Tool,
        "function" | "FunctionMessageChunk" => Role::Function,
        _ => Role::Assistant,
    }
}

fn is_anthropic(block: &Tree<String>) -> bool {
    match kind(block) {
        Some("thinking") => get(members(block), "signature").is_some(),
        Some(kind) => is_anthropic_block(kind),
        None => false,
    }
}

fn is_item(block: &Tree<String>) -> bool {
    match kind(block) {
        // LangChain's own block has the text under the key `reasoning`.
        Some("reasoning") => get(members(block), "summary").is_some(),
        Some(kind) => {
            is_item_type(kind) && !matches!(kind, "tool_call" | "invalid_tool_call" | "server_tool_call")
        }
        None => false,
    }
}

/// A turn in Anthropic's format. Blocks of a stream have an `index`, and calls may be only in `tool_calls`.
fn anthropic_turn(content: Option<Tree<String>>, fields: &TreeMembers) -> Tree<String> {
    let mut blocks: Vec<_> = content
        .map(into_items)
        .unwrap_or_default()
        .into_iter()
        .map(|block| without(block, &["index", "extras"]))
        .collect();
    for call in calls(fields) {
        let id = Tree::Text(call.id);
        if !blocks.iter().any(|block| get(members(block), "id") == Some(&id)) {
            let word = Tree::Text("tool_use".to_owned());
            let name = Tree::Text(call.function.name);
            blocks.push(values::object([
                ("type", word),
                ("id", id),
                ("name", name),
                ("input", call.function.arguments),
            ]));
        }
    }
    let role = Tree::Text("assistant".to_owned());
    // The key tells a reply of Anthropic's from other messages.
    let reason = Tree::Text("end_turn".to_owned());
    values::object([("role", role), ("content", Tree::List(blocks)), ("stop_reason", reason)])
}

/// Items of the Responses API. A text is a message, and calls may be only in `tool_calls`.
fn responses_items(content: Option<Tree<String>>, fields: &TreeMembers) -> Vec<Tree<String>> {
    let mut list = Vec::new();
    for block in content.map(into_items).unwrap_or_default() {
        let block = without(block, &["index"]);
        match block {
            // Chunks that were added up begin with a blank text.
            Tree::Text(text) if text.is_empty() => {}
            text @ Tree::Text(_) => list.push(message_item(TreeMembers(vec![("text".to_owned(), text)]))),
            Tree::Map(block) if text(&block, "type") == Some("text") => {
                list.push(message_item(TreeMembers(block)));
            }
            block => list.push(block),
        }
    }
    for call in calls(fields) {
        let id = Tree::Text(call.id);
        if !list.iter().any(|item| get(members(item), "call_id") == Some(&id)) {
            let arguments = call.function.arguments.to_json_text().unwrap_or_default();
            list.push(values::object([
                ("type", Tree::Text("function_call".to_owned())),
                ("call_id", id),
                ("name", Tree::Text(call.function.name)),
                ("arguments", Tree::Text(arguments)),
            ]));
        }
    }
    list
}

fn message_item(mut block: TreeMembers) -> Tree<String> {
    let id = block.take("id");
    let phase = block.take("phase");
    let text = block.take("text").unwrap_or_else(|| Tree::Text(String::new()));
    let annotations = block.take("annotations").unwrap_or_else(|| Tree::List(Vec::new()));
    let word = Tree::Text("output_text".to_owned());
    let part = values::object([("type", word), ("text", text), ("annotations", annotations)]);
    let mut item = vec![("type".to_owned(), Tree::Text("message".to_owned()))];
    item.extend(id.map(|id| ("id".to_owned(), id)));
    item.push(("role".to_owned(), Tree::Text("assistant".to_owned())));
    item.push(("status".to_owned(), Tree::Text("completed".to_owned())));
    item.push(("content".to_owned(), Tree::List(vec![part])));
    item.extend(phase.map(|phase| ("phase".to_owned(), phase)));
    Tree::Map(item)
}

fn without(value: Tree<String>, keys: &[&str]) -> Tree<String> {
    match value {
        Tree::Map(fields) => {
            Tree::Map(fields.into_iter().filter(|(key, _)| !keys.contains(&key.as_str())).collect())
        }
        value => value,
    }
}

fn message(
    role: Role,
    content: Option<Tree<String>>,
    mut fields: TreeMembers,
    mut additional: TreeMembers,
) -> Result<Message<String>> {
    let mut carried = Carried::new(CarriedFormat::Chat);
    let mut message = Message::empty(role);
    message.content = match content {
        Some(Tree::Text(text)) if text.is_empty() && role == Role::Assistant => None,
        Some(Tree::Text(text)) => Some(Content::Text(text)),
        Some(list) => {
            values::check_list(&list, "`content`")?;
            let parts = items(&list).iter().filter_map(|block| part(block, &mut carried.extensions));
            values::content(parts.collect())
        }
        None => None,
    };
    message.is_error = fields.text("status") == Some("error");
    message.tool_call_id = fields.take_text("tool_call_id");
    // LangChain's tool messages have the name of the tool, which the call has too.
    message.name = fields.take_text("name").filter(|_| role != Role::Tool);
    message.tool_calls = calls(&fields);
    message.refusal = additional.take_text("refusal");
    if let Some(call) = additional.take("function_call").filter(|_| message.tool_calls.is_empty()) {
        message.function_call = Some(function(members(&call), "arguments"));
    }
    if let Some(calls) = additional.take("tool_calls").filter(|_| message.tool_calls.is_empty()) {
        message.tool_calls = items(&calls).iter().map(chat_call).collect();
    }
    for (key, value) in &additional.0 {
        if key != "__openai_role__" && !values::is_unset(value) {
            note(&mut carried.extensions, key);
        }
    }
    if !carried.extensions.is_empty() {
        message.carried = Some(Box::new(carried));
    }
    Ok(message)
}

/// The calls, with those whose arguments are not JSON.
fn calls(fields: &TreeMembers) -> Vec<ToolCall<String>> {
    let lists = ["tool_calls", "invalid_tool_calls"].into_iter().filter_map(|key| fields.get(key));
    let call = |call: &Tree<String>| {
        let fields = members(call);
        match get(fields, "function") {
            Some(_) => chat_call(call),
            None => ToolCall {
                id: text(fields, "id").unwrap_or_default().to_owned(),
                function: function(fields, "args"),
            },
        }
    };
    lists.flat_map(items).map(call).collect()
}

fn chat_call(call: &Tree<String>) -> ToolCall<String> {
    let fields = members(call);
    let inner = get(fields, "function").map(members).unwrap_or_default();
    ToolCall { id: text(fields, "id").unwrap_or_default().to_owned(), function: function(inner, "arguments") }
}

fn function(fields: &[(String, Tree<String>)], key: &str) -> FunctionCall<String> {
    FunctionCall {
        name: text(fields, "name").unwrap_or_default().to_owned(),
        arguments: get(fields, key).cloned().unwrap_or_else(|| Tree::Map(Vec::new())),
    }
}

/// A part for a block of LangChain's content. A call is in `tool_calls` too.
fn part(block: &Tree<String>, left_out: &mut Vec<String>) -> Option<Part<String>> {
    let fields = match block {
        Tree::Text(text) => return Some(values::text_part(text.clone(), None)),
        block => members(block),
    };
    let owned = |key| text(fields, key).map(str::to_owned);
    let base64 = || owned("base64").or_else(|| owned("data"));
    let word = kind(block).unwrap_or_else(|| fields.first().map_or("block", |(key, _)| key));
    let body = match word {
        "tool_call" | "invalid_tool_call" | "tool_use" | "function_call" => return None,
        "text" => {
            for key in ["annotations", "extras", "citations"] {
                if get(fields, key).is_some_and(|value| !values::is_unset(value)) {
                    note(left_out, key);
                }
            }
            owned("text").map(PartBody::Text)
        }
        "image" | "image_url" => match (base64(), owned("url")) {
            (Some(data), _) => owned("mime_type")
                .or_else(|| owned("media_type"))
                .map(|media_type| PartBody::Image { media_type, data }),
            (None, Some(url)) => Some(PartBody::ImageUrl { url, detail: None }),
            (None, None) => get(fields, "image_url").and_then(|image| match image {
                Tree::Text(url) => Some(PartBody::ImageUrl { url: url.clone(), detail: None }),
                image => text(members(image), "url").map(|url| PartBody::ImageUrl {
                    url: url.to_owned(),
                    detail: text(members(image), "detail").map(str::to_owned),
                }),
            }),
        },
        "file" => file(fields),
        "audio" => base64().map(|data| {
            let format =
                owned("mime_type").map(|word| word.rsplit('/').next().unwrap_or_default().to_owned());
            PartBody::Audio { data, format: format.unwrap_or_else(|| "wav".to_owned()) }
        }),
        "input_audio" => get(fields, "input_audio").map(members).and_then(|sound| {
            Some(PartBody::Audio {
                data: text(sound, "data")?.to_owned(),
                format: text(sound, "format")?.to_owned(),
            })
        }),
        "text-plain" if get(fields, "text").is_some() => {
            Some(file_body(fields, FilePart { text: owned("text"), ..FilePart::default() }))
        }
        _ => None,
    };
    if body.is_none() {
        note(left_out, word);
    }
    let portable = values::cache_hint(get(fields, "cache_control")).and_then(|hint| hint.portable);
    let openai = values::breakpoint(get(fields, values::BREAKPOINT), &mut Vec::new());
    let cache = (portable.is_some() || openai.is_some()).then_some(CacheHint { portable, openai });
    body.map(|body| Part { body, cache })
}

fn file(fields: &[(String, Tree<String>)]) -> Option<PartBody<String>> {
    let owned = |fields: &[(String, Tree<String>)], key| text(fields, key).map(str::to_owned);
    if let Some(inner) = get(fields, "file").map(members) {
        let [file_id, filename, file_data] =
            ["file_id", "filename", "file_data"].map(|key| owned(inner, key));
        let file = FilePart { file_id, filename, file_data, ..FilePart::default() };
        return file.source().is_some().then(|| file_body(fields, file));
    }
    let extras = get(fields, "extras").map(members).unwrap_or_default();
    let filename = owned(extras, "filename").or_else(|| owned(fields, "filename"));
    if let Some(url) = owned(fields, "url") {
        return Some(file_body(fields, FilePart { filename, url: Some(url), ..FilePart::default() }));
    }
    let data = owned(fields, "base64").or_else(|| owned(fields, "data"))?;
    let media_type = owned(fields, "mime_type").unwrap_or_else(|| "application/pdf".to_owned());
    let file = FilePart {
        filename: Some(filename.unwrap_or_else(|| "document.pdf".to_owned())),
        file_data: Some(values::data_url(&media_type, &data)),
        ..FilePart::default()
    };
    Some(file_body(fields, file))
}

/// The file with what its block has beside it: there, or in its `extras`.
fn file_body(fields: &[(String, Tree<String>)], mut file: FilePart<String>) -> PartBody<String> {
    let extras = get(fields, "extras").map(members).unwrap_or_default();
    let beside = |key| get(fields, key).or_else(|| get(extras, key));
    file.title = beside("title").and_then(values::as_text).map(str::to_owned);
    file.context = beside("context").and_then(values::as_text).map(str::to_owned);
    file.citations = values::is_enabled(beside("citations"));
    PartBody::File(Box::new(file))
}
