//! Reads turns of Anthropic's Messages API.

use super::super::message::{
    CacheHint, Content, FilePart, FunctionCall, Message, Part, PartBody, Role, ToolCall,
};
use super::super::tree::Tree;
use super::carried::{Carried, CarriedFormat, note};
use super::values::{self, TreeMembers, get, into_items, into_members, items, kind, members, text};
use crate::error::Result;

/// Reads a turn: a message for each tool result, and one for the other blocks.
///
/// # Errors
/// [`Kind::PromptInvalid`](crate::error::Kind::PromptInvalid) for content that is neither a text nor a list of texts
/// and blocks.
pub(super) fn read(turn: Tree<String>) -> Result<Vec<Message<String>>> {
    let Some(mut turn) = into_members(turn) else { return Ok(Vec::new()) };
    let role = match turn.text("role") {
        Some("user") => Role::User,
        Some("system") => Role::System,
        _ => Role::Assistant,
    };
    let content = match turn.take("content") {
        Some(Tree::Text(text)) => vec![text_block(text)],
        Some(content) => blocks(content, "`content`")?,
        None => Vec::new(),
    };
    let mut messages = Vec::new();
    let mut rest = TurnReader::new(role);
    for key in ["output_config", "clear_at"] {
        if let Some(value) = turn.take(key) {
            note(&mut rest.carried.only, key);
            rest.carried.beside.push((key.to_owned(), value));
        }
    }
    for block in content {
        if kind(&block) == Some("tool_result") {
            messages.push(result(block)?);
        } else {
            rest.add(block);
        }
    }
    if !rest.carried.items.is_empty() {
        messages.push(rest.finish());
    }
    Ok(messages)
}

/// The blocks of a list, in which LangChain and people write texts too. Chunks that were added up begin with a blank one.
fn blocks(content: Tree<String>, what: &str) -> Result<Vec<Tree<String>>> {
    values::check_list(&content, what)?;
    let mut blocks = into_items(content);
    blocks.retain(|block| !matches!(block, Tree::Text(text) if text.is_empty()));
    for (index, block) in blocks.iter_mut().enumerate() {
        if let Tree::Text(text) = block {
            *block = text_block(std::mem::take(text));
        }
        values::check_mapping(block, &format!("{what}[{index}]"))?;
    }
    Ok(blocks)
}

fn text_block(text: String) -> Tree<String> {
    values::object([("type", Tree::Text("text".to_owned())), ("text", Tree::Text(text))])
}

/// Collects the blocks of one message.
struct TurnReader {
    message: Message<String>,
    parts: Vec<Part<String>>,
    carried: Carried<String>,
}

impl TurnReader {
    fn new(role: Role) -> Self {
        Self {
            message: Message::empty(role),
            parts: Vec::new(),
            carried: Carried::new(CarriedFormat::Anthropic),
        }
    }

    fn add(&mut self, block: Tree<String>) {
        let Some(TreeMembers(block)) = into_members(block) else { return };
        let block: Vec<_> = block.into_iter().filter(|(_, value)| !matches!(value, Tree::Null)).collect();
        if text(&block, "type") == Some("tool_use") {
            self.message.tool_calls.push(call(&block, &mut self.carried.only));
        } else {
            self.parts.extend(part(&block, &mut self.carried.only));
        }
        self.carried.items.push(Tree::Map(block));
    }

    fn finish(mut self) -> Message<String> {
        self.message.content = values::content(self.parts);
        self.message.carried = Some(Box::new(self.carried));
        self.message
    }
}

fn call(block: &[(String, Tree<String>)], only: &mut Vec<String>) -> ToolCall<String> {
    for key in ["caller", "toolset_name", "cache_control"] {
        if get(block, key).is_some() && key != "cache_control" {
            note(only, key);
        }
    }
    let owned = |key| text(block, key).unwrap_or_default().to_owned();
    let arguments = get(block, "input").cloned().unwrap_or_else(|| Tree::Map(Vec::new()));
    ToolCall { id: owned("id"), function: FunctionCall { name: owned("name"), arguments } }
}

/// A tool message for a `tool_result` block.
fn result(block: Tree<String>) -> Result<Message<String>> {
    let Some(TreeMembers(block)) = into_members(block) else { return Ok(Message::empty(Role::Tool)) };
    let mut block: Vec<_> = block.into_iter().filter(|(_, value)| !matches!(value, Tree::Null)).collect();
    for (key, value) in &mut block {
        if key == "content" && !matches!(value, Tree::Text(_)) {
            *value = Tree::List(blocks(std::mem::replace(value, Tree::Null), "`content` of a result")?);
        }
    }
    let mut carried = Carried::new(CarriedFormat::Anthropic);
    let is_error = matches!(get(&block, "is_error"), Some(Tree::Bool(true)));
    if get(&block, "toolset_name").is_some() {
        note(&mut carried.only, "toolset_name");
    }
    let content = match get(&block, "content") {
        Some(Tree::Text(text)) => Some(Content::Text(text.clone())),
        Some(content) => {
            let parts = items(content).iter().filter_map(|item| part(members(item), &mut carried.only));
            values::content(parts.collect())
        }
        None => None,
    };
    let id = text(&block, "tool_use_id").map(str::to_owned);
    let cache = values::cache_hint(get(&block, "cache_control"));
    // Other providers need a text in every result.
    let content = content.or_else(|| Some(Content::Text(String::new())));
    carried.items.push(Tree::Map(block));
    Ok(Message {
        content,
        tool_call_id: id,
        cache,
        is_error,
        carried: Some(Box::new(carried)),
        ..Message::empty(Role::Tool)
    })
}

/// The part that the other providers get for a block, if they can express it.
pub(super) fn part(block: &[(String, Tree<String>)], only: &mut Vec<String>) -> Option<Part<String>> {
    let cache: Option<CacheHint> = values::cache_hint(get(block, "cache_control"));
    let kind = text(block, "type").unwrap_or("block without a type");
    let body = match kind {
        "text" => {
            if get(block, "citations").is_some_and(|citations| !values::is_unset(citations)) {
                note(only, "citations");
            }
            text(block, "text").map(|text| PartBody::Text(text.to_owned()))
        }
        "image" => {
            if get(block, "transformations").is_some() {
                note(only, "transformations");
            }
            get(block, "source").and_then(image)
        }
        "document" => document(block),
        _ => None,
    };
    if body.is_none() {
        note(only, kind);
    }
    body.map(|body| Part { body, cache })
}

fn image(source: &Tree<String>) -> Option<PartBody<String>> {
    let fields = members(source);
    match kind(source) {
        Some("base64") => Some(PartBody::Image {
            media_type: text(fields, "media_type")?.to_owned(),
            data: text(fields, "data")?.to_owned(),
        }),
        Some("url") => Some(PartBody::ImageUrl { url: text(fields, "url")?.to_owned(), detail: None }),
        _ => None,
    }
}

fn document(block: &[(String, Tree<String>)]) -> Option<PartBody<String>> {
    let source = get(block, "source")?;
    let owned = |fields, key| text(fields, key).map(str::to_owned);
    let fields = members(source);
    let mut file = FilePart {
        title: owned(block, "title"),
        context: owned(block, "context"),
        citations: values::is_enabled(get(block, "citations")),
        ..FilePart::default()
    };
    match kind(source)? {
        "base64" => {
            file.filename = file.title.is_none().then(|| "document.pdf".to_owned());
            file.file_data = Some(values::data_url(text(fields, "media_type")?, text(fields, "data")?));
        }
        "url" => file.url = Some(owned(fields, "url")?),
        "text" => file.text = Some(owned(fields, "data")?),
        _ => return None,
    }
    Some(PartBody::File(Box::new(file)))
}
