//! Reads tools, and the choice between them.

use serde_json::Value;

use super::read_message::read_function_type;
use super::settings::PROVIDERS;
use super::tool::no_parameters;
use super::{FunctionTool, ProviderTool, Tool, ToolChoice, key_hints, keys, read_cache};
use crate::de::{NodeReader, NodeValue, SourceNode, SourceSpan, SpannedText, shown, unknown};
use crate::error::{Error, Kind};

/// Reads tools. Leaves out those with mistakes.
pub(super) fn read_tools(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> (Vec<Tool>, Vec<SourceSpan>) {
    let items = reader.items(node, "a list of tools").unwrap_or_default();
    let (mut tools, mut spans) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for item in items {
        let (mark, span) = (reader.mark(), item.span);
        let tool = read_tool(reader, item);
        if let Some(tool) = tool.filter(|_| reader.is_clean_since(mark)) {
            tools.push(tool);
            spans.push(span);
        }
    }
    (tools, spans)
}

fn read_tool(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<Tool> {
    let is_of_provider = match &node.value {
        NodeValue::Map(members) => members.iter().any(|(key, value)| {
            matches!(&key.value, NodeValue::Text(key) if key == "provider") && !value.is_null()
        }),
        _ => false,
    };
    if is_of_provider {
        read_provider_tool(reader, node).map(Tool::Provider)
    } else {
        read_function(reader, node, true).map(Tool::Function)
    }
}

/// Reads a tool in the format of its provider.
fn read_provider_tool(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<ProviderTool> {
    let span = node.span;
    let mut definition = reader.object(node, "tools")?;
    let provider = definition.shift_remove("provider");
    let word = provider.as_ref().and_then(Value::as_str).unwrap_or_default();
    let Some(provider) = PROVIDERS.into_iter().find(|known| *known == word) else {
        reader.note(span, unknown(Kind::PromptInvalid, "provider of a tool", word, &PROVIDERS));
        return None;
    };
    if !definition.get("type").is_some_and(Value::is_string) && provider != "gemini" && provider != "bedrock"
    {
        reader.wrong(span, format!("a tool of {provider} needs its `type`, such as `type: web_search`"));
        return None;
    }
    Some(ProviderTool { provider, definition })
}

fn read_function(reader: &mut NodeReader<'_>, node: SourceNode<'_>, may_nest: bool) -> Option<FunctionTool> {
    let (expected, known) =
        if may_nest { ("a tool", keys::TOOL) } else { ("a function", keys::TOOL_FUNCTION) };
    let mut fields = reader.hinted_fields(node, expected, known, key_hints::of_tool)?;
    if let Some(word) = fields.take("type") {
        read_tool_type(reader, word)?;
    }
    let cache = if may_nest { fields.take_value("cache") } else { None };
    let cache = cache.and_then(|node| read_cache::read(reader, node, false));
    if let Some(function) = fields.take_value("function") {
        if let Some((key, span)) = fields.first_of(|_| true) {
            reader.wrong(span, format!("a tool has `function` or `{key}`, not both"));
            return None;
        }
        return Some(FunctionTool { cache, ..read_function(reader, function, false)? });
    }
    let name = reader.required(&mut fields, "name").and_then(|node| reader.text_or_expected(node));
    if let Some(SpannedText { text, span }) = &name
        && let Err(error) = super::tool::check_tool_name(text)
    {
        reader.note(*span, error);
    }
    Some(FunctionTool {
        name: name.map(|name| name.text).unwrap_or_default(),
        description: reader.optional_text(&mut fields, "description"),
        parameters: fields
            .take_value("parameters")
            .and_then(|node| reader.object(node, "parameters"))
            .unwrap_or_else(no_parameters),
        strict: fields.take_value("strict").and_then(|node| reader.boolean(&node)),
        cache,
    })
}

/// Checks `type: function`. Any other type is that of a provider.
fn read_tool_type(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<()> {
    let SpannedText { text, span } = reader.text_or_expected(node)?;
    if text == "function" {
        return Some(());
    }
    let message = format!("a tool of type {} is a provider's, and names no provider", shown(&text));
    let hint = "write the provider, such as `provider: openai`; a function of yours has `type: function`";
    reader.note(span, Error::new(Kind::PromptInvalid, message).with_hint(hint));
    None
}

pub(super) fn read_choice(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<ToolChoice> {
    let node = match reader.spanned_or_node(node) {
        Ok(SpannedText { text, span }) => {
            return match text.as_str() {
                "auto" => Some(ToolChoice::Auto),
                "none" => Some(ToolChoice::None),
                "required" => Some(ToolChoice::Required),
                _ => {
                    let error = unknown(Kind::PromptInvalid, "tool choice", &text, &ToolChoice::WORDS);
                    reader.note(span, error);
                    None
                }
            };
        }
        Err(node) => node,
    };
    let expected = "`auto`, `none`, `required` or `{name: …}`";
    let mut fields = reader.fields(node, expected, keys::TOOL_CHOICE)?;
    if let Some(word) = fields.take("type") {
        read_function_type(reader, word);
    }
    if let Some(function) = fields.take("function") {
        let mut fields = reader.fields(function, "a mapping with `name`", &["name"])?;
        let name = reader.required(&mut fields, "name")?;
        return reader.text_or_expected(name).map(|name| ToolChoice::Tool(name.text));
    }
    let name = reader.required(&mut fields, "name")?;
    reader.text_or_expected(name).map(|name| ToolChoice::Tool(name.text))
}
