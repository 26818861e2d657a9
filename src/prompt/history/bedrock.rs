//! Reads turns of Amazon Bedrock's Converse API.

use super::super::message::{
    CacheHint, Content, FilePart, FunctionCall, Message, Part, PartBody, Role, ToolCall,
};
use super::super::tree::Tree;
use super::carried::{Carried, CarriedFormat, keep_known, note_word};
use super::values::{self, MemberSlice, get, into_items, into_members, items, members, text};
use crate::error::{Error, Kind, Result};

/// The keys of content blocks, of which a block has one, each with the keys of its object.
const BLOCKS: [(&str, &[&str]); 14] = [
    ("text", &[]),
    ("image", &["format", "source", "error"]),
    ("document", &["format", "name", "source", "context", "citations"]),
    ("video", &["format", "source"]),
    ("audio", &["format", "source", "error"]),
    ("toolUse", &["toolUseId", "name", "input", "type"]),
    ("toolResult", &["toolUseId", "content", "status", "type"]),
    ("guardContent", &["text", "image"]),
    ("cachePoint", &["type", "ttl"]),
    ("reasoningContent", &["reasoningText", "redactedContent"]),
    ("citationsContent", &["content", "citations"]),
    ("searchResult", &["source", "title", "content", "citations"]),
    ("toolAddition", &["tool"]),
    ("toolRemoval", &["tool"]),
];

/// The keys of a block in the result of a tool that no other block has.
const RESULT_BLOCK: [&str; 1] = ["json"];

/// The key of a content block. `None` if it is none of Bedrock's.
pub(super) fn block_key(block: &Tree<String>) -> Option<&'static str> {
    let mut keys = members(block).iter().filter(|(_, value)| !matches!(value, Tree::Null));
    keys.find_map(|(key, _)| BLOCKS.iter().find(|(known, _)| known == key)).map(|(key, _)| *key)
}

/// The block without keys that Bedrock does not have. Their places are added to `unknown`.
fn known_block(block: Tree<String>, index: usize, unknown: &mut Vec<String>) -> Tree<String> {
    let Tree::Map(mut fields) = block else { return block };
    let known: Vec<_> = BLOCKS.iter().map(|(key, _)| *key).collect();
    keep_known(&mut fields, &known, &format!("block {index}"), unknown);
    fields.retain(|(_, value)| !matches!(value, Tree::Null));
    for (key, value) in &mut fields {
        known_members(key, value, index, unknown);
    }
    Tree::Map(fields)
}

/// Removes the keys that the object of a block does not have.
fn known_members(key: &str, value: &mut Tree<String>, index: usize, unknown: &mut Vec<String>) {
    let known = BLOCKS.iter().find(|(known, _)| *known == key);
    let (Some((_, known)), Tree::Map(fields)) = (known, value) else { return };
    keep_known(fields, known, &format!("`{key}` of block {index}"), unknown);
    let content = fields.iter_mut().find(|(inner, _)| key == "toolResult" && inner == "content");
    let Some((_, Tree::List(blocks))) = content else { return };
    let known: Vec<_> = BLOCKS.iter().map(|(key, _)| *key).chain(RESULT_BLOCK).collect();
    for block in blocks {
        let Tree::Map(fields) = block else { continue };
        keep_known(fields, &known, &format!("the content of block {index}"), unknown);
        for (key, value) in fields {
            known_members(key, value, index, unknown);
        }
    }
}

/// The block as blocks with one key each.
fn with_one_key(block: Tree<String>) -> Vec<Tree<String>> {
    match block {
        Tree::Map(fields) => fields.into_iter().map(|field| Tree::Map(vec![field])).collect(),
        block => vec![block],
    }
}

/// Reads a turn: a message for each result of the user's, and one for the other blocks.
///
/// # Errors
/// [`Kind::PromptInvalid`] for a role or a block that is none of Bedrock's.
pub(super) fn read(turn: Tree<String>) -> Result<Vec<Message<String>>> {
    let Some(mut turn) = into_members(turn) else { return Ok(Vec::new()) };
    turn.get("role").map_or(Ok(()), |role| values::check_text(role, "`role`"))?;
    let role = match turn.text("role") {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        Some(_) => {
            let problem = "unknown role; Bedrock has user, assistant and system";
            return Err(Error::new(Kind::PromptInvalid, problem));
        }
        None => return Err(Error::new(Kind::PromptInvalid, "`role` is missing")),
    };
    let mut unknown = Vec::new();
    keep_known(&mut turn.0, &["role", "content"], "the turn", &mut unknown);
    let mut reader = BedrockTurnReader {
        results: Vec::new(),
        rest: Message::empty(role),
        parts: Vec::new(),
        carried: Carried::new(CarriedFormat::Bedrock),
    };
    for (index, block) in turn.take("content").map(into_items).unwrap_or_default().into_iter().enumerate() {
        check_block(&block, index)?;
        reader.add_block(block, index);
    }
    Ok(reader.finish(unknown))
}

/// Checks the type of a block's content.
fn check_block(block: &Tree<String>, index: usize) -> Result<()> {
    for (key, value) in members(block) {
        let what = format!("`{key}` of block {index}");
        match key.as_str() {
            _ if matches!(value, Tree::Null) => {}
            "text" => values::check_text(value, &what)?,
            key if BLOCKS.iter().any(|(known, _)| *known == key) => values::check_mapping(value, &what)?,
            _ => {}
        }
        let content = get(members(value), "content").filter(|_| key == "toolResult");
        let what = format!("`content` of block {index}");
        content.map_or(Ok(()), |content| values::check_mappings(content, &what))?;
    }
    Ok(())
}

struct BedrockTurnReader {
    results: Vec<Message<String>>,
    rest: Message<String>,
    parts: Vec<Part<String>>,
    carried: Carried<String>,
}

impl BedrockTurnReader {
    fn add_block(&mut self, block: Tree<String>, index: usize) {
        let mut unknown = Vec::new();
        let blocks = with_one_key(known_block(block, index, &mut unknown));
        let split = (blocks.len() > 1).then_some(index);
        for block in blocks {
            self.add(block);
            let last = match self.results.last_mut().filter(|_| self.carried.items.is_empty()) {
                Some(result) => result.carried.as_deref_mut(),
                None => Some(&mut self.carried),
            };
            if let Some(carried) = last {
                carried.unknown.append(&mut unknown);
                carried.split.extend(split.filter(|split| !carried.split.contains(split)));
            }
        }
    }

    fn add(&mut self, block: Tree<String>) {
        let Some(key) = block_key(&block) else { return };
        let Some(value) = get(members(&block), key) else { return };
        let fields = members(value);
        match key {
            // In a turn of the assistant it is the result of a tool that the provider runs.
            "toolResult" if self.rest.role == Role::User && text(fields, "type").is_none() => {
                let result = result(fields, &block);
                return self.results.push(result);
            }
            "toolUse" if text(fields, "type").is_none() => self.rest.tool_calls.push(call(fields)),
            "cachePoint" => {
                let hint = Some(CacheHint::portable(text(fields, "ttl").map(str::to_owned)));
                if let Some(result) = self.results.last_mut().filter(|_| self.carried.items.is_empty()) {
                    result.cache = hint;
                    if let Some(carried) = &mut result.carried {
                        carried.items.push(block);
                    }
                    return;
                }
                match self.parts.last_mut().filter(|_| self.rest.tool_calls.is_empty()) {
                    Some(part) => part.cache = hint,
                    None => self.rest.cache = hint,
                }
            }
            _ => self.parts.extend(portable(key, value, &mut self.carried.only)),
        }
        self.carried.items.push(block);
    }

    /// The messages. `unknown` are the keys of the turn.
    fn finish(mut self, unknown: Vec<String>) -> Vec<Message<String>> {
        if !self.carried.items.is_empty() {
            self.rest.content = values::content(self.parts);
            self.rest.carried = Some(Box::new(self.carried));
            self.results.push(self.rest);
        }
        if !unknown.is_empty()
            && let Some(first) = self.results.first_mut()
        {
            let carried = first.carried.get_or_insert_with(|| Box::new(Carried::new(CarriedFormat::Bedrock)));
            carried.unknown.extend(unknown);
        }
        self.results
    }
}

fn call(fields: &MemberSlice) -> ToolCall<String> {
    let owned = |key| text(fields, key).unwrap_or_default().to_owned();
    let arguments = get(fields, "input").cloned().unwrap_or_else(|| Tree::Map(Vec::new()));
    ToolCall { id: owned("toolUseId"), function: FunctionCall { name: owned("name"), arguments } }
}

/// A tool message for a `toolResult` block.
fn result(fields: &MemberSlice, block: &Tree<String>) -> Message<String> {
    let mut carried = Carried::new(CarriedFormat::Bedrock);
    let content = get(fields, "content").map(items).unwrap_or_default();
    let parts: Vec<_> = content
        .iter()
        .filter_map(|block| {
            let fields = members(block);
            if let Some(value) = get(fields, "json") {
                return Some(values::text_part(value.to_json_text().unwrap_or_default(), None));
            }
            let key = block_key(block)?;
            portable(key, get(fields, key)?, &mut carried.only)
        })
        .collect();
    carried.items.push(block.clone());
    Message {
        // Other providers need a text in every result.
        content: values::content(parts).or_else(|| Some(Content::Text(String::new()))),
        tool_call_id: text(fields, "toolUseId").map(str::to_owned),
        is_error: text(fields, "status") == Some("error"),
        carried: Some(Box::new(carried)),
        ..Message::empty(Role::Tool)
    }
}

/// The part that the other providers get for a block, if they can express it.
fn portable(key: &'static str, value: &Tree<String>, only: &mut Vec<String>) -> Option<Part<String>> {
    let fields = members(value);
    let body = match key {
        "text" => match value {
            Tree::Text(text) => Some(PartBody::Text(text.clone())),
            _ => None,
        },
        "image" => image(fields, only),
        "document" => document(fields, only),
        "audio" => media(fields, only).map(|data| PartBody::Audio {
            data: data.to_owned(),
            format: text(fields, "format").unwrap_or_default().to_owned(),
        }),
        "citationsContent" => {
            note_word(only, key);
            Some(PartBody::Text(joined(get(fields, "content")?)))
        }
        "guardContent" => {
            note_word(only, key);
            match get(fields, "text") {
                Some(inner) => text(members(inner), "text").map(|text| PartBody::Text(text.to_owned())),
                None => image(members(get(fields, "image")?), only),
            }
        }
        key => {
            note_word(only, key);
            None
        }
    };
    body.map(|body| Part { body, cache: None })
}

/// The base64 data of an image, a document or a sound. An object in S3 is for Bedrock only.
fn media<'t>(fields: &'t MemberSlice, only: &mut Vec<String>) -> Option<&'t str> {
    let source = get(fields, "source").map(members).unwrap_or_default();
    let bytes = text(source, "bytes");
    if bytes.is_none() {
        note_word(only, if get(source, "s3Location").is_some() { "s3Location" } else { "source" });
    }
    bytes
}

fn image(fields: &MemberSlice, only: &mut Vec<String>) -> Option<PartBody<String>> {
    let data = media(fields, only)?.to_owned();
    let format = text(fields, "format").unwrap_or("png");
    Some(PartBody::Image { media_type: format!("image/{format}"), data })
}

fn document(fields: &MemberSlice, only: &mut Vec<String>) -> Option<PartBody<String>> {
    let source = get(fields, "source").map(members).unwrap_or_default();
    let written = text(source, "text").map(str::to_owned);
    let written = written.or_else(|| get(source, "content").map(joined));
    let format = text(fields, "format").unwrap_or(if written.is_some() { "txt" } else { "pdf" });
    let name = text(fields, "name").unwrap_or("document");
    let data = if written.is_some() { None } else { Some(media(fields, only)?) };
    Some(PartBody::File(Box::new(FilePart {
        filename: Some(format!("{name}.{format}")),
        file_data: data.map(|data| values::data_url(document_type(format), data)),
        text: written,
        context: text(fields, "context").map(str::to_owned),
        citations: values::is_enabled(get(fields, "citations")),
        ..FilePart::default()
    })))
}

/// The MIME type of a document.
fn document_type(format: &str) -> &'static str {
    match format {
        "csv" => "text/csv",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls" => "application/vnd.ms-excel",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "html" => "text/html",
        "txt" => "text/plain",
        "md" => "text/markdown",
        _ => "application/pdf",
    }
}

fn joined(content: &Tree<String>) -> String {
    let texts: Vec<_> = items(content).iter().filter_map(|item| text(members(item), "text")).collect();
    texts.join("\n\n")
}
