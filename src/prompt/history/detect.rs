//! Detects the format of a value of a history.

use super::super::tree::Tree;
use super::bedrock;
use super::values::{get, items, kind, members, text};

/// The formats that a history can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HistoryFormat {
    /// Our own format, and that of OpenAI's Chat Completions, which many other APIs use.
    Chat,
    /// Items of OpenAI's Responses API.
    Responses,
    /// Turns of Anthropic's Messages API.
    Anthropic,
    /// LangChain's messages.
    LangChain,
    /// Turns of the Gemini API.
    Gemini,
    /// Turns of Bedrock's Converse API.
    Bedrock,
    /// Requests and responses of Pydantic AI.
    PydanticAi,
    /// `ChatMessage`s of `LlamaIndex`.
    LlamaIndex,
}

/// The key of `LlamaIndex` for the type of a block.
pub(super) const BLOCK_TYPE: &str = "block_type";

/// The format of a value. Anything unknown counts as Chat, whose reader has the error for it.
pub(super) fn format_of(value: &Tree<String>) -> HistoryFormat {
    let fields = members(value);
    let role = text(fields, "role");
    let content = get(fields, "content");
    let kind = kind(value);
    if is_langchain_pair(value)
        || kind.is_some_and(is_langchain_type)
            && content.is_some()
            && role.is_none_or(|_| kind == Some("chat"))
        || matches!(role, Some("human" | "ai"))
    {
        return HistoryFormat::LangChain;
    }
    if get(fields, "stop_reason").is_some() {
        return HistoryFormat::Anthropic;
    }
    let parts_have = |list: &str, key: &str| {
        let parts = get(fields, list).map(items).unwrap_or_default();
        parts.iter().any(|part| text(members(part), key).is_some())
    };
    if content.is_none() && parts_have("parts", "part_kind") {
        return HistoryFormat::PydanticAi;
    }
    if content.is_none() && (parts_have("blocks", BLOCK_TYPE) || is_empty_llama_index(fields)) {
        return HistoryFormat::LlamaIndex;
    }
    if content.is_none() && kind.is_none() && matches!(get(fields, "parts"), Some(Tree::List(_))) {
        return HistoryFormat::Gemini;
    }
    let parts = content.map(items).unwrap_or_default();
    if kind.is_none() && !parts.is_empty() && parts.iter().all(is_bedrock_block) {
        return HistoryFormat::Bedrock;
    }
    if parts.iter().any(is_responses_part) || get(fields, "phase").is_some() {
        return HistoryFormat::Responses;
    }
    let can_be_anthropic = !matches!(role, Some("tool" | "function" | "developer"));
    if can_be_anthropic && !parts.iter().any(is_chat_part) && parts.iter().any(is_anthropic_part) {
        return HistoryFormat::Anthropic;
    }
    match (kind, role) {
        (Some("message"), Some(_)) => HistoryFormat::Responses,
        // `additional_tools` is the only other item that has a role.
        (Some(kind), role) if is_item_type(kind) && (role.is_none() || kind == "additional_tools") => {
            HistoryFormat::Responses
        }
        (None, None) if matches!(fields, [(key, Tree::Text(_))] if key == "id") => HistoryFormat::Responses,
        (None, Some("system"))
            if get(fields, "output_config").is_some() || get(fields, "clear_at").is_some() =>
        {
            HistoryFormat::Anthropic
        }
        _ => HistoryFormat::Chat,
    }
}

/// What a value is that holds a message, if it is none itself, and the part of it that is one.
pub(super) fn whole_response(value: &Tree<String>) -> Option<(&'static str, &'static str)> {
    let fields = members(value);
    if get(fields, "role").is_some() {
        return None;
    }
    let has_list = |key: &str| matches!(get(fields, key), Some(Tree::List(_)));
    let has_map =
        |key: &str, inner: &str| get(fields, key).is_some_and(|value| get(members(value), inner).is_some());
    Some(if has_list("candidates") {
        ("a whole response of Gemini", "pass `response.candidates[0].content`")
    } else if has_map("content", "parts") {
        ("a candidate of a response of Gemini", "pass its `content`")
    } else if has_map("output", "message") {
        ("a whole response of Bedrock", "pass `response[\"output\"][\"message\"]`")
    } else if has_map("message", "role") {
        ("an object around a message", "pass its `message`")
    } else if has_list("choices") {
        ("a whole response of Chat Completions", "pass `response.choices[0].message`")
    } else if has_list("output") && text(fields, "object") == Some("response") {
        ("a whole response of the Responses API", "pass the items of `response.output`")
    } else {
        return None;
    })
}

/// Whether this is a message of `LlamaIndex` without a block, such as one with calls only.
fn is_empty_llama_index(fields: &[(String, Tree<String>)]) -> bool {
    matches!(get(fields, "blocks"), Some(Tree::List(blocks)) if blocks.is_empty())
        && matches!(get(fields, "additional_kwargs"), Some(Tree::Map(_)))
}

fn is_langchain_pair(value: &Tree<String>) -> bool {
    matches!(items(value), [Tree::Text(role), Tree::Text(_) | Tree::List(_)]
        if is_langchain_type(role) || matches!(role.as_str(), "user" | "assistant" | "developer"))
}

fn is_langchain_type(kind: &str) -> bool {
    matches!(kind, "human" | "ai" | "system" | "tool" | "function" | "chat" | "developer")
        || kind.ends_with("MessageChunk")
}

/// Whether a part is one of the Responses API, in which every part of a message has a type of its own.
fn is_responses_part(part: &Tree<String>) -> bool {
    matches!(
        kind(part),
        Some("input_text" | "input_image" | "input_file" | "output_text" | "computer_screenshot")
    )
}

/// Whether only Chat Completions and APIs like it have such a part.
fn is_chat_part(part: &Tree<String>) -> bool {
    matches!(kind(part), Some("image_url" | "video_url" | "document_url" | "input_audio" | "file"))
}

/// Whether a part is a block that only Anthropic has.
fn is_anthropic_part(part: &Tree<String>) -> bool {
    let fields = members(part);
    match kind(part) {
        Some("text") => {
            get(fields, "citations").is_some() || fields.iter().any(|(key, _)| key == "citations")
        }
        Some("image") => get(fields, "source").is_some(),
        Some("thinking") => text(fields, "thinking").is_some(),
        Some("search_result") => is_anthropic_search_result(fields),
        Some(kind) => is_anthropic_block(kind),
        None => false,
    }
}

/// Whether a search result is in Anthropic's format: its content is a list of blocks, and its keys are Anthropic's.
fn is_anthropic_search_result(fields: &[(String, Tree<String>)]) -> bool {
    let content = get(fields, "content").map(items).unwrap_or_default();
    let is_block = |item: &Tree<String>| matches!(item, Tree::Map(_));
    let is_own = get(fields, "cache").is_some() || matches!(get(fields, "citations"), Some(Tree::Bool(_)));
    !is_own && !content.is_empty() && content.iter().all(is_block)
}

/// Whether a part is a block of Bedrock's, which has its kind as the key.
fn is_bedrock_block(part: &Tree<String>) -> bool {
    kind(part).is_none() && bedrock::block_key(part).is_some()
}

/// Whether this is the type of a block of Anthropic's. `server_tool_result` is LangChain's.
pub(super) fn is_anthropic_block(kind: &str) -> bool {
    matches!(
        kind,
        "tool_use"
            | "tool_result"
            | "redacted_thinking"
            | "document"
            | "search_result"
            | "container_upload"
            | "server_tool_use"
            | "mcp_tool_use"
            | "mcp_tool_listing"
            | "compaction"
            | "fallback"
            | "tool_addition"
            | "tool_removal"
    ) || (kind.ends_with("_tool_result") && kind != "server_tool_result")
}

/// Whether this is the type of an item of the Responses API.
pub(super) fn is_item_type(kind: &str) -> bool {
    kind.ends_with("_call")
        || kind.ends_with("_call_output")
        || matches!(
            kind,
            "reasoning"
                | "item_reference"
                | "compaction"
                | "compaction_trigger"
                | "program"
                | "program_output"
                | "mcp_list_tools"
                | "mcp_approval_request"
                | "mcp_approval_response"
                | "tool_search_output"
                | "additional_tools"
                | "configuration_update"
        )
}
