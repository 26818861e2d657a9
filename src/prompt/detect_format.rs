//! Detects the foreign format of a message, for the hint of the error that refuses the message.

use serde_json::Value;

const ANTHROPIC: &str = "Anthropic's format";
const LANGCHAIN: &str = "LangChain's format";
const RESPONSES: &str = "the format of OpenAI's Responses API";
const GEMINI: &str = "Gemini's format";

/// The foreign format of a message. `None` if its keys do not show one.
pub(super) fn format_of(message: &Value) -> Option<&'static str> {
    if let Value::Array(pair) = message {
        return matches!(&pair[..], [Value::String(word), _] if is_langchain(word)).then_some(LANGCHAIN);
    }
    if message.get("parts").is_some_and(Value::is_array) {
        return Some(GEMINI);
    }
    if message.get("stop_reason").is_some() {
        return Some(ANTHROPIC);
    }
    let kind = word(message, "type");
    match kind {
        Some("function_call" | "function_call_output" | "reasoning") => return Some(RESPONSES),
        Some(kind) if is_langchain(kind) => return Some(LANGCHAIN),
        _ => {}
    }
    let parts = message.get("content").and_then(Value::as_array)?;
    let of_parts = parts.iter().find_map(part_format);
    of_parts.or_else(|| (kind == Some("message")).then_some(RESPONSES))
}

fn part_format(part: &Value) -> Option<&'static str> {
    match word(part, "type")? {
        "tool_use" | "tool_result" | "document" | "thinking" | "redacted_thinking" => Some(ANTHROPIC),
        "input_text" | "input_image" | "input_file" | "output_text" => Some(RESPONSES),
        _ => (part.get("source").is_some() || part.get("cache_control").is_some()).then_some(ANTHROPIC),
    }
}

/// Whether a `type` is one of LangChain's. Only LangChain writes `system` and `tool` as a type.
fn is_langchain(kind: &str) -> bool {
    matches!(kind, "human" | "ai" | "system" | "tool" | "AIMessageChunk" | "HumanMessageChunk")
}

fn word<'j>(json: &'j Value, key: &str) -> Option<&'j str> {
    json.get(key)?.as_str()
}
