//! Reads the templates of a prompt: of a text, or of a chat, each in a short and in a long spelling.

use super::keys;
use super::message::Role;
use super::model::{ChatEntry, ChatTemplate, Format, TextTemplate};
use super::read_message::{RawEntry, read_entry};
use super::read_variables::read_variables;
use super::spelling::{self, SpellingMistake};
use super::{Partials, Variables};
use crate::de::{Fields, NodeReader, NodeValue, SourceNode, SourceSpan, SpannedText};

/// The templates of a prompt, and where they are.
#[derive(Default)]
pub(super) struct RawBody {
    pub(super) template: Option<TextTemplate>,
    pub(super) chat_template: Option<ChatTemplate>,
    /// Where the value of `template` is.
    pub(super) template_span: Option<SourceSpan>,
    /// Where the value of `messages` or `chat_template` is.
    pub(super) chat_span: Option<SourceSpan>,
    /// Where the text of the template is.
    pub(super) content: Option<SourceSpan>,
    /// For each chat entry the places of its texts.
    pub(super) entries: Vec<Vec<SourceSpan>>,
    /// Where the partials are.
    pub(super) partials: Vec<SourceSpan>,
    /// Where the variables are declared.
    pub(super) variables: Vec<SourceSpan>,
    /// Where `helpers` are, which are ignored.
    pub(super) helpers: Option<SourceSpan>,
    /// Which of `template` and `chat_template` could not be read.
    pub(super) broken: Vec<&'static str>,
}

impl RawBody {
    /// The format of a prompt that names none.
    pub(super) fn format(&self) -> Format {
        spelling::format(self.template.is_some(), self.chat_template.is_some())
    }

    /// Whether there is no template, and no key that was to be one.
    pub(super) fn is_missing(&self, fields: &Fields<'_>) -> bool {
        let is_meant = ["template", "messages", "chat_template"].iter().any(|key| fields.means(key));
        self.template.is_none() && self.chat_template.is_none() && self.broken.is_empty() && !is_meant
    }
}

/// Reads the templates of a prompt. In a file that a person wrote (`is_authored`), a text without content is a mistake.
pub(super) fn read_body(reader: &mut NodeReader<'_>, fields: &mut Fields<'_>, is_authored: bool) -> RawBody {
    let mut body = RawBody::default();
    let mut written = WrittenKeys::default();
    for key in ["messages", "chat_template"] {
        written.note(key, fields.key_span(key).filter(|_| fields.has_value(key)));
    }
    let beside = TemplateParts::read(reader, fields, &mut written, ["variables", "partials"]);
    let within = body.read_text(reader, fields, &mut written, is_authored);
    let of_chat = body.read_chat(reader, fields, &mut written, is_authored);
    let within = within.or(of_chat).unwrap_or_default();
    // What was to be a template counts as one.
    let is_meant = !body.is_missing(fields);
    let is_written = |path: &str| written.span(path).is_some() || (path == "template" && is_meant);
    for SpellingMistake { paths: [one, other], error } in spelling::mistakes(is_written) {
        let spans = [one, other].into_iter().filter_map(|path| written.span(path));
        reader.note(spans.max_by_key(|span| span.start).unwrap_or(fields.last), error);
    }
    body.adopt(within, beside);
    body
}

/// The paths of the keys of a prompt that have a value, with their places.
#[derive(Default)]
struct WrittenKeys(Vec<(&'static str, SourceSpan)>);

impl WrittenKeys {
    fn note(&mut self, path: &'static str, span: Option<SourceSpan>) {
        self.0.extend(span.map(|span| (path, span)));
    }

    fn span(&self, path: &str) -> Option<SourceSpan> {
        self.0.iter().find(|(known, _)| *known == path).map(|(_, span)| *span)
    }
}

/// What both kinds of template have.
#[derive(Default)]
struct TemplateParts {
    variables: Option<Variables>,
    partials: Partials,
    partial_spans: Vec<SourceSpan>,
    variable_spans: Vec<SourceSpan>,
    helpers: Option<SourceSpan>,
}

impl TemplateParts {
    /// Reads variables, partials and helpers. The paths of the first two are noted where they have a value.
    fn read(
        reader: &mut NodeReader<'_>,
        fields: &mut Fields<'_>,
        written: &mut WrittenKeys,
        [variables_path, partials_path]: [&'static str; 2],
    ) -> Self {
        let mut parts = Self::default();
        let span = fields.key_span("variables");
        if let Some(node) = fields.take_value("variables") {
            // An empty declaration is the same as none.
            let (variables, spans) = read_variables(reader, node);
            parts.variables = Some(variables).filter(|variables| !variables.items.is_empty());
            parts.variable_spans = spans;
            written.note(variables_path, span.filter(|_| parts.variables.is_some()));
        }
        let span = fields.key_span("partials");
        if let Some(node) = fields.take_value("partials") {
            let partials = reader.members(node, "a mapping from names to templates").unwrap_or_default();
            for (name, _, node) in partials {
                let SpannedText { text, span } = reader.spanned(node);
                parts.partials.push((name, text));
                parts.partial_spans.push(span);
            }
            written.note(partials_path, span.filter(|_| !parts.partials.is_empty()));
        }
        // `agentic-prompt-manager` writes an empty mapping, which has no effect.
        parts.helpers = fields.take_value("helpers").and_then(|node| match node.value {
            NodeValue::Map(helpers) if helpers.is_empty() => None,
            _ => Some(node.span),
        });
        parts
    }
}

impl RawBody {
    /// Reads `template`, and gives the parts in it.
    fn read_text(
        &mut self,
        reader: &mut NodeReader<'_>,
        fields: &mut Fields<'_>,
        written: &mut WrittenKeys,
        is_authored: bool,
    ) -> Option<TemplateParts> {
        let key = fields.key_span("template");
        let mark = reader.mark();
        let Some(node) = fields.take_value("template") else {
            if let Some(key) = key.filter(|_| is_authored) {
                note_blank(reader, key, key, "the template is blank", TEXT);
                self.broken.push("template");
            }
            return None;
        };
        let span = node.span;
        self.template_span = Some(span);
        let (content, parts) = read_template(reader, node, written);
        if is_authored && reader.is_clean_since(mark) && content.text.trim().is_empty() {
            note_blank(reader, content.span, key.unwrap_or(span), "the template is blank", TEXT);
        }
        if !reader.is_clean_since(mark) {
            self.broken.push("template");
        }
        self.content = Some(content.span);
        self.template = Some(TextTemplate { content: content.text, ..TextTemplate::default() });
        Some(parts)
    }

    /// Reads `messages` or `chat_template`, and gives the parts in the latter.
    fn read_chat(
        &mut self,
        reader: &mut NodeReader<'_>,
        fields: &mut Fields<'_>,
        written: &mut WrittenKeys,
        is_authored: bool,
    ) -> Option<TemplateParts> {
        let mark = reader.mark();
        let mut parts = None;
        let mut list = fields.take_value("messages");
        self.chat_span = list.as_ref().map(|node| node.span);
        if let Some(node) = fields.take_value("chat_template") {
            self.chat_span = self.chat_span.or(Some(node.span));
            let expected = "a chat template: a mapping with `messages`";
            if let Some(mut fields) = reader.fields(node, expected, keys::CHAT_TEMPLATE) {
                let own = reader.required(&mut fields, "messages");
                list = list.or(own);
                let paths = ["chat_template.variables", "chat_template.partials"];
                parts = Some(TemplateParts::read(reader, &mut fields, written, paths));
            }
        }
        if self.chat_span.is_some() {
            let messages = list.map(|list| self.read_messages(reader, list, is_authored));
            let messages = messages.unwrap_or_default();
            self.chat_template = Some(ChatTemplate { messages, ..ChatTemplate::default() });
        }
        if !reader.is_clean_since(mark) {
            self.broken.push("chat_template");
        }
        parts
    }

    fn read_messages(
        &mut self,
        reader: &mut NodeReader<'_>,
        list: SourceNode<'_>,
        is_authored: bool,
    ) -> Vec<ChatEntry> {
        let items = reader.items(list, "a list of messages").unwrap_or_default();
        let mut messages = Vec::with_capacity(items.len());
        for item in items {
            let mark = reader.mark();
            let read = read_entry(reader, item);
            if let Some(raw) = read.as_ref().filter(|_| is_authored && reader.is_clean_since(mark)) {
                check_authored(reader, raw);
            }
            // An empty place stands in for what cannot be read, so that the others keep their numbers.
            let (entry, spans) = read.map_or_else(
                || (ChatEntry::Placeholder { name: String::new(), optional: true }, Vec::new()),
                |raw| (raw.entry, raw.spans),
            );
            messages.push(entry);
            self.entries.push(spans);
        }
        messages
    }

    /// Gives the template, or else the chat, what is written in it or beside it.
    fn adopt(&mut self, within: TemplateParts, beside: TemplateParts) {
        let (variables, variable_spans) = if within.variables.is_some() {
            (within.variables, within.variable_spans)
        } else {
            (beside.variables, beside.variable_spans)
        };
        self.variables = variable_spans;
        let (partials, spans) = if within.partials.is_empty() {
            (beside.partials, beside.partial_spans)
        } else {
            (within.partials, within.partial_spans)
        };
        self.helpers = within.helpers;
        if let Some(template) = &mut self.template {
            (template.variables, template.partials, self.partials) = (variables, partials, spans);
        } else if let Some(chat) = &mut self.chat_template {
            (chat.variables, chat.partials, self.partials) = (variables, partials, spans);
        }
    }
}

/// Reads the text of a template, and what is written in it.
fn read_template(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
    written: &mut WrittenKeys,
) -> (SpannedText, TemplateParts) {
    let long = match reader.spanned_or_node(node) {
        Ok(content) => return (content, TemplateParts::default()),
        Err(node) => node,
    };
    let span = long.span;
    let expected = "a template: a string, or a mapping with `content`";
    let Some(mut fields) = reader.fields(long, expected, keys::TEMPLATE) else {
        return (SpannedText { text: String::new(), span }, TemplateParts::default());
    };
    let content = reader.required_spanned(&mut fields, "content");
    let paths = ["template.variables", "template.partials"];
    (content, TemplateParts::read(reader, &mut fields, written, paths))
}

/// Checks a message that a person wrote in a file: it has content, unless its role may lack it, and a tool's result
/// names the call that it answers.
fn check_authored(reader: &mut NodeReader<'_>, raw: &RawEntry) {
    let ChatEntry::Message(message) = &raw.entry else { return };
    if message.role == Role::Tool && message.tool_call_id.is_none() {
        let hint = "write the id of the tool call that it answers";
        reader.wrong_hint(raw.role, "a tool message needs `tool_call_id`", hint);
    }
    if message.is_blank() && !matches!(message.role, Role::Tool | Role::Function) {
        let span = raw.content.unwrap_or(raw.role);
        note_blank(reader, span, span, "the message has no content", "write its text, or remove the message");
    }
}

/// The hint for a blank template.
const TEXT: &str = "write the text of the prompt";

/// Notes a text without content. YAML may have taken it for a comment, which is on the line of its key then.
fn note_blank(reader: &mut NodeReader<'_>, span: SourceSpan, key: SourceSpan, message: &str, hint: &str) {
    const COMMENT: &str =
        "YAML takes ` #` for the start of a comment: write the text in quotes, or as a block with `|`";
    let line =
        key.offset().zip(reader.source()).and_then(|(offset, text)| text.get(offset..)?.lines().next());
    if line.is_some_and(|line| line.contains(" #")) {
        reader.wrong_hint(span, message, COMMENT);
    } else {
        reader.wrong_hint(span, message, hint);
    }
}
