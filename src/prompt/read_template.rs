//! Reads the template of a text and that of a chat.

use super::Variables;
use super::keys;
use super::model::{ChatEntry, ChatTemplate, TextTemplate};
use super::read_message::{RawEntry, read_entry};
use super::read_variables::read_variables;
use crate::de::{Fields, NodeReader, NodeValue, SourceNode, SourceSpan, SpannedText};

#[derive(Default)]
pub(super) struct TemplateParts {
    variables: Option<Variables>,
    partials: Vec<(String, String)>,
    pub(super) partial_spans: Vec<SourceSpan>,
    pub(super) variable_spans: Vec<SourceSpan>,
    pub(super) helpers: Option<SourceSpan>,
}

impl TemplateParts {
    fn read(reader: &mut NodeReader<'_>, fields: &mut Fields<'_>) -> Self {
        let mut parts = Self::default();
        if let Some(node) = fields.take_value("variables") {
            // An empty declaration is the same as none.
            let (variables, spans) = read_variables(reader, node);
            parts.variables = Some(variables).filter(|variables| !variables.items.is_empty());
            parts.variable_spans = spans;
        }
        if let Some(node) = fields.take_value("partials") {
            let partials = reader.members(node, "a mapping from names to templates").unwrap_or_default();
            for (name, _, node) in partials {
                let SpannedText { text, span } = reader.spanned(node);
                parts.partials.push((name, text));
                parts.partial_spans.push(span);
            }
        }
        // The published package writes an empty mapping, which has no effect.
        parts.helpers = fields.take_value("helpers").and_then(|node| match node.value {
            NodeValue::Map(helpers) if helpers.is_empty() => None,
            _ => Some(node.span),
        });
        parts
    }
}

pub(super) fn read_template(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
) -> (TextTemplate, SourceSpan, TemplateParts) {
    let short = match reader.spanned_or_node(node) {
        Ok(content) => {
            let SpannedText { text, span } = content;
            let template = TextTemplate { content: text, variables: None, partials: Vec::new() };
            return (template, span, TemplateParts::default());
        }
        Err(node) => node,
    };
    let span = short.span;
    let expected = "a template: a string, or a mapping with `content`";
    let Some(mut fields) = reader.fields(short, expected, keys::TEMPLATE) else {
        return (TextTemplate::default(), span, TemplateParts::default());
    };
    let content = reader.required_spanned(&mut fields, "content");
    let mut parts = TemplateParts::read(reader, &mut fields);
    let template = TextTemplate {
        content: content.text,
        variables: parts.variables.take(),
        partials: std::mem::take(&mut parts.partials),
    };
    (template, content.span, parts)
}

pub(super) fn read_chat(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
) -> (ChatTemplate, Vec<Vec<SourceSpan>>, TemplateParts) {
    let expected = "a chat template: a mapping with `messages`";
    let Some(mut fields) = reader.fields(node, expected, keys::CHAT_TEMPLATE) else {
        return <_>::default();
    };
    let list = reader.required(&mut fields, "messages");
    let items = list.and_then(|list| reader.items(list, "a list of messages")).unwrap_or_default();
    let (mut messages, mut entries) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for item in items {
        // A stand-in replaces an entry that cannot be read, so that the other entries keep their indexes.
        let stand_in = || ChatEntry::Placeholder { name: String::new(), optional: true };
        let read = read_entry(reader, item);
        let RawEntry { entry, spans } =
            read.unwrap_or_else(|| RawEntry { entry: stand_in(), spans: Vec::new() });
        messages.push(entry);
        entries.push(spans);
    }
    let mut parts = TemplateParts::read(reader, &mut fields);
    let chat = ChatTemplate {
        messages,
        variables: parts.variables.take(),
        partials: std::mem::take(&mut parts.partials),
    };
    (chat, entries, parts)
}
