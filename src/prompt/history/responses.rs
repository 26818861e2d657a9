//! Reads items of OpenAI's Responses API.

use super::super::message::{
    CacheHint, Content, FilePart, FunctionCall, Message, Part, PartBody, Role, ToolCall,
};
use super::super::tree::Tree;
use super::carried::{Carried, CarriedFormat, note};
use super::values::{self, TreeMembers, get, into_items, items, kind, members, text};
use crate::error::Result;

/// Reads an item. One that is neither a message nor a call nor its result is a message of the assistant's without
/// content.
///
/// # Errors
/// [`Kind::PromptInvalid`](crate::error::Kind::PromptInvalid) for content, arguments or an output of a type that they
/// cannot have.
pub(super) fn read(item: TreeMembers) -> Result<Message<String>> {
    let mut carried = Carried::new(CarriedFormat::Responses);
    let mut item = without_reply_keys(item);
    write_arguments(&mut item)?;
    let only = &mut carried.only;
    for key in ["namespace", "caller", "phase"] {
        if get(&item, key).is_some() {
            note(only, key);
        }
    }
    let mut message = match (text(&item, "type"), text(&item, "role")) {
        (Some("message") | None, Some(role)) => read_message(&item, role_of(role), only)?,
        (Some("function_call"), _) => {
            let arguments = Tree::Text(text(&item, "arguments").unwrap_or_default().to_owned());
            call(&item, arguments)
        }
        (Some("custom_tool_call"), _) => {
            note(only, "custom_tool_call");
            let input = get(&item, "input").cloned().unwrap_or(Tree::Null);
            call(&item, values::object([("input", input)]))
        }
        (Some("function_call_output"), _) => output(&item, only)?,
        (Some("custom_tool_call_output"), _) => {
            note(only, "custom_tool_call_output");
            output(&item, only)?
        }
        (kind, _) => {
            note(only, kind.unwrap_or("item_reference"));
            Message::empty(Role::Assistant)
        }
    };
    carried.items.push(Tree::Map(item));
    message.carried = Some(Box::new(carried));
    Ok(message)
}

/// Writes the arguments of a call as the text that the API takes, if somebody parsed them.
fn write_arguments(item: &mut [(String, Tree<String>)]) -> Result<()> {
    if text(item, "type") != Some("function_call") {
        return Ok(());
    }
    for (key, value) in item {
        if key == "arguments" && matches!(value, Tree::Map(_)) {
            *value = Tree::Text(value.to_json_text()?);
        }
        if key == "arguments" {
            values::check_text(value, "`arguments`")?;
        }
    }
    Ok(())
}

/// Appends the next item of the same turn.
pub(super) fn join(turn: &mut Message<String>, next: Message<String>) {
    turn.content = match (turn.content.take(), next.content) {
        (content, None) | (None, content) => content,
        (Some(first), Some(second)) => {
            let mut parts = into_parts(first);
            parts.extend(into_parts(second));
            Some(Content::Parts(parts))
        }
    };
    turn.refusal = turn.refusal.take().or(next.refusal);
    turn.tool_calls.extend(next.tool_calls);
    if let (Some(carried), Some(next)) = (&mut turn.carried, next.carried) {
        carried.items.extend(next.items);
        next.only.iter().for_each(|name| note(&mut carried.only, name));
    }
}

fn into_parts(content: Content<String>) -> Vec<Part<String>> {
    match content {
        Content::Text(text) => vec![values::text_part(text, None)],
        Content::Parts(parts) => parts,
    }
}

/// An item without the keys that the SDK adds to replies, and without null, which dumps have for keys that are not set.
fn without_reply_keys(item: TreeMembers) -> Vec<(String, Tree<String>)> {
    let is_code = text(&item.0, "type") == Some("code_interpreter_call");
    let mut kept = Vec::with_capacity(item.0.len());
    for (key, value) in item.0 {
        match key.as_str() {
            "parsed" | "parsed_arguments" | "created_by" | "content_parts" => {}
            // The API requires the key, and null is one of its values.
            "outputs" if is_code => kept.push((key, value)),
            _ if matches!(value, Tree::Null) => {}
            "async_" => kept.push(("async".to_owned(), value)),
            "content" | "output" if matches!(value, Tree::List(_)) => {
                let parts = into_items(value).into_iter().map(part_without_reply_keys);
                kept.push((key, Tree::List(parts.collect())));
            }
            _ => kept.push((key, value)),
        }
    }
    kept
}

fn part_without_reply_keys(part: Tree<String>) -> Tree<String> {
    match part {
        Tree::Map(fields) => {
            let is_kept =
                |(key, value): &(String, Tree<String>)| key != "parsed" && !matches!(value, Tree::Null);
            Tree::Map(fields.into_iter().filter(is_kept).collect())
        }
        part => part,
    }
}

fn role_of(role: &str) -> Role {
    match role {
        "user" => Role::User,
        "system" => Role::System,
        "developer" => Role::Developer,
        _ => Role::Assistant,
    }
}

fn read_message(
    item: &[(String, Tree<String>)],
    role: Role,
    only: &mut Vec<String>,
) -> Result<Message<String>> {
    let mut message = Message::empty(role);
    match get(item, "content") {
        Some(Tree::Text(text)) => message.content = Some(Content::Text(text.clone())),
        Some(content) => {
            values::check_list(content, "`content`")?;
            let mut parts = Vec::new();
            for item in items(content) {
                if kind(item) == Some("refusal") && role == Role::Assistant {
                    message.refusal = text(members(item), "refusal").map(str::to_owned);
                } else {
                    parts.extend(part(item, only));
                }
            }
            message.content = values::content(parts);
        }
        None => {}
    }
    Ok(message)
}

fn call(item: &[(String, Tree<String>)], arguments: Tree<String>) -> Message<String> {
    let owned = |key| text(item, key).unwrap_or_default().to_owned();
    let function = FunctionCall { name: owned("name"), arguments };
    Message {
        tool_calls: vec![ToolCall { id: owned("call_id"), function }],
        ..Message::empty(Role::Assistant)
    }
}

fn output(item: &[(String, Tree<String>)], only: &mut Vec<String>) -> Result<Message<String>> {
    let content = match get(item, "output") {
        Some(Tree::Text(text)) => Some(Content::Text(text.clone())),
        Some(output) => {
            values::check_list(output, "`output`")?;
            values::content(items(output).iter().filter_map(|item| part(item, only)).collect())
        }
        None => None,
    };
    Ok(Message {
        content: content.or_else(|| Some(Content::Text(String::new()))),
        tool_call_id: text(item, "call_id").map(str::to_owned),
        ..Message::empty(Role::Tool)
    })
}

/// The part that the other providers get, if they can express it.
fn part(part: &Tree<String>, only: &mut Vec<String>) -> Option<Part<String>> {
    let fields = members(part);
    for key in ["annotations", "logprobs"] {
        if get(fields, key).is_some_and(|value| !values::is_unset(value)) {
            note(only, key);
        }
    }
    let owned = |key| text(fields, key).map(str::to_owned);
    let kind = kind(part).unwrap_or("part without a type");
    let body = match kind {
        "input_text" | "output_text" | "text" => PartBody::Text(owned("text")?),
        "input_image" if get(fields, "image_url").is_some() => {
            PartBody::ImageUrl { url: owned("image_url")?, detail: owned("detail") }
        }
        "input_file" if get(fields, "file_data").is_some() => PartBody::File(Box::new(FilePart {
            filename: owned("filename"),
            file_data: owned("file_data"),
            ..FilePart::default()
        })),
        "input_file" if get(fields, "file_url").is_some() => PartBody::File(Box::new(FilePart {
            filename: owned("filename"),
            url: owned("file_url"),
            ..FilePart::default()
        })),
        kind => {
            note(only, if get(fields, "file_id").is_some() { "file_id" } else { kind });
            return None;
        }
    };
    let openai = values::breakpoint(get(fields, values::BREAKPOINT), only);
    Some(Part { body, cache: openai.map(|openai| CacheHint { portable: None, openai: Some(openai) }) })
}
