//! Reads tools, and the choice between them.

use super::read_message::read_function_type;
use super::tool::no_parameters;
use super::{Tool, ToolChoice, key_hints, keys};
use crate::de::{NodeReader, SourceNode, SourceSpan, SpannedText, unknown};
use crate::error::Kind;

/// Reads tools. Leaves out those with mistakes.
pub(super) fn read_tools(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> (Vec<Tool>, Vec<SourceSpan>) {
    let items = reader.items(node, "a list of tools").unwrap_or_default();
    let (mut tools, mut spans) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for item in items {
        let (mark, span) = (reader.mark(), item.span);
        let tool = read_tool(reader, item, true);
        if let Some(tool) = tool.filter(|_| reader.is_clean_since(mark)) {
            tools.push(tool);
            spans.push(span);
        }
    }
    (tools, spans)
}

fn read_tool(reader: &mut NodeReader<'_>, node: SourceNode<'_>, may_nest: bool) -> Option<Tool> {
    let (expected, known) =
        if may_nest { ("a tool", keys::TOOL) } else { ("a function", keys::TOOL_FUNCTION) };
    let mut fields = reader.hinted_fields(node, expected, known, key_hints::of_tool)?;
    if let Some(word) = fields.take("type") {
        read_function_type(reader, word);
    }
    if let Some(function) = fields.take_value("function") {
        if let Some((key, span)) = fields.first_of(|_| true) {
            reader.wrong(span, format!("a tool has `function` or `{key}`, not both"));
            return None;
        }
        return read_tool(reader, function, false);
    }
    let name = reader.required(&mut fields, "name").and_then(|node| reader.text_or_expected(node));
    if let Some(SpannedText { text, span }) = &name
        && let Err(error) = super::tool::check_tool_name(text)
    {
        reader.note(*span, error);
    }
    Some(Tool {
        name: name.map(|name| name.text).unwrap_or_default(),
        description: reader.optional_text(&mut fields, "description"),
        parameters: fields
            .take_value("parameters")
            .and_then(|node| reader.object(node, "parameters"))
            .unwrap_or_else(no_parameters),
        strict: fields.take_value("strict").and_then(|node| reader.boolean(&node)),
    })
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
