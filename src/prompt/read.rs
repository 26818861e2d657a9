//! Reads prompts from nodes. Checks every key and notes every mistake.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::model::{Format, Prompt, PromptPart, SchemaSource, Status};
use super::read_settings::{read_metadata, read_settings};
use super::read_template::read_body;
use super::read_tools::{read_choice, read_tools};
use super::{Metadata, PromptId, Version, key_hints, keys};
use crate::de::{Fields, NodePaths, NodeReader, NodeValue, PathStep, SourceNode, SourceSpan, SpannedText};
use crate::error::{Error, Kind, Result};

/// A prompt as it was read, with the places of its parts. Stand-ins replace the parts that could not be read.
#[derive(Debug)]
pub(crate) struct RawPrompt {
    pub(crate) prompt: Prompt,
    /// Whether it has no mistakes.
    pub(crate) is_good: bool,
    /// The id as it is written, even if it is invalid.
    pub(crate) id: Option<String>,
    pub(crate) spans: PromptSpans,
    /// The place of the key `helpers`, which is ignored.
    pub(crate) helpers: Option<SourceSpan>,
}

/// The places of the parts of a prompt.
#[derive(Debug)]
pub(crate) struct PromptSpans {
    /// The first key.
    pub(crate) first: SourceSpan,
    /// The id. Without one it is the first key.
    pub(crate) id: SourceSpan,
    /// The value of `version`.
    pub(crate) version: Option<SourceSpan>,
    pub(crate) content: Option<SourceSpan>,
    /// The places of the texts of each chat entry, in the order of [`super::Message::try_map`].
    pub(crate) entries: Vec<Vec<SourceSpan>>,
    pub(crate) partials: Vec<SourceSpan>,
    /// The names of the declared variables, in order.
    pub(crate) variables: Vec<SourceSpan>,
    pub(crate) input_schema: Option<SourceSpan>,
    pub(crate) output_schema: Option<SourceSpan>,
}

/// The version and metadata of a file that has several prompts.
#[derive(Debug, Clone, Default)]
pub struct AboutFile {
    /// The version, as it is written.
    pub version: Option<String>,
    /// The metadata.
    pub metadata: Metadata,
}

/// The content of a document.
pub(crate) enum Document {
    Prompt(Option<Box<RawPrompt>>),
    /// Several prompts, with the version and metadata of the file.
    Several(Vec<RawPrompt>, AboutFile),
}

impl Prompt {
    /// Reads a prompt from JSON. `status` is the status of a prompt without one.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] with the only mistake, or a summary of several.
    pub fn from_json(json: &Value, status: Status) -> Result<Self> {
        Self::from_node(SourceNode::of_json(json), status, &[])
    }

    /// [`Prompt::from_json`] for a node of any origin. The keys in `broken` are known to be wrong and were left out;
    /// rules about them are not checked.
    pub(crate) fn from_node(node: SourceNode<'_>, status: Status, broken: &[String]) -> Result<Self> {
        let mut reader = NodeReader::new(Kind::PromptInvalid);
        let read = read_partly(&mut reader, node, status, broken);
        let prompt = reader.finish("the prompt", read)?;
        // If there is no mistake, there is a prompt.
        prompt.map(|raw| raw.prompt).ok_or_else(|| Error::new(Kind::PromptInvalid, "this is not a prompt"))
    }

    /// The mistakes for which [`Prompt::from_node`] refuses a node, each with the path of the value that it is about.
    #[cfg_attr(not(feature = "python"), allow(dead_code, reason = "only Python asks for paths"))]
    pub(crate) fn mistakes(
        mut node: SourceNode<'_>,
        status: Status,
        broken: &[String],
    ) -> Vec<(Vec<PathStep>, Error)> {
        let paths = NodePaths::of(&mut node);
        let mut reader = NodeReader::new(Kind::PromptInvalid);
        read_partly(&mut reader, node, status, broken);
        let mistakes = reader.into_mistakes().into_iter();
        mistakes.map(|(span, error)| (paths.at(span).to_vec(), error)).collect()
    }
}

/// Reads the prompt of a program. The keys in `broken` are known to be wrong and were left out.
fn read_partly(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
    status: Status,
    broken: &[String],
) -> Option<RawPrompt> {
    let mut fields = prompt_fields(reader, node)?;
    fields.pass_over(keys::PROMPT.iter().copied().filter(|key| broken.iter().any(|broken| broken == key)));
    read_one(reader, fields, PromptDefaults::of_program(status))
}

impl<'de> serde::Deserialize<'de> for Prompt {
    /// [`Prompt::from_json`] for which a prompt without a status is a draft.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Value::deserialize(deserializer)?;
        Self::from_json(&json, Status::Draft)
            .map_err(|error| serde::de::Error::custom(crate::de::one_line(&error)))
    }
}

/// The values of a prompt for keys that it does not have, and how strictly it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PromptDefaults<'d> {
    status: Status,
    /// The id, from the path of the file.
    id: Option<&'d str>,
    /// Whether the file has other prompts, so that each needs an id.
    is_one_of_several: bool,
    /// Whether a person wrote the file, so that a text without content is a mistake.
    is_authored: bool,
}

impl<'d> PromptDefaults<'d> {
    /// For prompts that a program made or stored.
    pub(crate) fn of_program(status: Status) -> Self {
        Self { status, id: None, is_one_of_several: false, is_authored: false }
    }

    /// For a file that a person wrote, with an id from its path.
    pub(crate) fn of_file(id: Option<&'d str>) -> Self {
        Self { status: Status::Active, id, is_one_of_several: false, is_authored: true }
    }

    /// For one of several prompts in a file.
    pub(crate) fn of_several(self) -> Self {
        Self { id: None, is_one_of_several: true, ..self }
    }
}

/// Reads a document of a file: one prompt, or the format of `agentic-prompt-manager` with a list of prompts.
pub(crate) fn read_document(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
    defaults: PromptDefaults<'_>,
) -> Document {
    if let NodeValue::List(_) = node.value {
        let message = "expected a prompt, which is a mapping, found a list";
        reader.wrong_hint(node.span, message, "list several prompts of a file under the key `prompts`");
        return Document::Prompt(None);
    }
    let Some(mut fields) = prompt_fields(reader, node) else { return Document::Prompt(None) };
    let Some(span) = fields.key_span("prompts") else {
        return Document::Prompt(Some(Box::new(read_fields(reader, fields, defaults))));
    };
    let own = fields.first_of(|key| !matches!(key, "version" | "metadata" | "prompts"));
    if let Some((key, own)) = own {
        reader.wrong_hint(
            if own.start > span.start { own } else { span },
            format!("both `prompts` and `{key}`: a file has one or the other"),
            "write one prompt, or a list of prompts with `version` and `metadata` of the file",
        );
    }
    let list = fields.take("prompts");
    let items = list.and_then(|list| reader.items(list, "a list of prompts")).unwrap_or_default();
    let several = defaults.of_several();
    let prompts = items.into_iter().filter_map(|item| read_prompt(reader, item, several)).collect();
    let version = reader.optional_text(&mut fields, "version");
    let metadata = fields.take_value("metadata").map(|node| read_metadata(reader, node));
    Document::Several(prompts, AboutFile { version, metadata: metadata.unwrap_or_default() })
}

/// Reads one prompt.
pub(crate) fn read_prompt(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
    defaults: PromptDefaults<'_>,
) -> Option<RawPrompt> {
    let fields = prompt_fields(reader, node)?;
    read_one(reader, fields, defaults)
}

fn prompt_fields<'n>(reader: &mut NodeReader<'_>, node: SourceNode<'n>) -> Option<Fields<'n>> {
    reader.hinted_fields(node, "a prompt, which is a mapping", keys::PROMPT, key_hints::of_prompt)
}

fn read_one(
    reader: &mut NodeReader<'_>,
    fields: Fields<'_>,
    defaults: PromptDefaults<'_>,
) -> Option<RawPrompt> {
    if let Some(span) = fields.key_span("prompts") {
        reader.wrong(span, "expected one prompt, found a list under `prompts`");
        return None;
    }
    Some(read_fields(reader, fields, defaults))
}

/// The keys of a prompt that could not be read. Rules about them are not checked.
struct UnreadableKeys(Vec<&'static str>);

impl UnreadableKeys {
    /// Reads the value of a key. Records the key if this fails.
    fn read<'n, T>(
        &mut self,
        reader: &mut NodeReader<'_>,
        fields: &mut Fields<'n>,
        key: &'static str,
        read: impl FnOnce(&mut NodeReader<'_>, SourceNode<'n>) -> T,
    ) -> Option<T> {
        let node = fields.take_value(key)?;
        let mark = reader.mark();
        let value = read(reader, node);
        if !reader.is_clean_since(mark) {
            self.0.push(key);
        }
        Some(value)
    }
}

fn read_fields(
    reader: &mut NodeReader<'_>,
    mut fields: Fields<'_>,
    defaults: PromptDefaults<'_>,
) -> RawPrompt {
    let start = reader.mark();
    let is_known = fields.is_known;
    // A misspelt key counts as a key that could not be read.
    let mut unreadable =
        UnreadableKeys(keys::PROMPT.iter().copied().filter(|key| fields.means(key)).collect());
    if fields.means("messages") {
        unreadable.0.push("chat_template");
    }
    let first = fields.first_of(|_| true).map_or(fields.last, |(_, span)| span);
    let RawId { id, text: id_text, span: id_span } = read_id(reader, &mut fields, defaults, first);
    let mut version_span = None;
    let version = unreadable.read(reader, &mut fields, "version", |reader, node| {
        version_span = Some(node.span);
        reader.parse::<Version>(node)
    });
    let status = unreadable.read(reader, &mut fields, "status", |reader, node| reader.parse::<Status>(node));
    let status = status.flatten().unwrap_or(defaults.status);
    let mut part_spans = PartSpans::at(id_span);
    let format = unreadable.read(reader, &mut fields, "format", |reader, node| {
        part_spans.format = node.span;
        reader.parse::<Format>(node)
    });
    let body = read_body(reader, &mut fields, defaults.is_authored);
    unreadable.0.extend(&body.broken);
    if format.is_none() && status != Status::Draft && body.is_missing(&fields) {
        let hint = "only a draft (`status: draft`) may lack them";
        reader.wrong_hint(fields.last, "`template` or `messages` is missing", hint);
        unreadable.0.push("format");
    }
    part_spans.template = body.template_span.unwrap_or(id_span);
    part_spans.chat_template = body.chat_span.unwrap_or(id_span);
    let tools = unreadable.read(reader, &mut fields, "tools", |reader, node| {
        part_spans.tools = node.span;
        read_tools(reader, node)
    });
    let (tools, tool_spans) = tools.unwrap_or_default();
    let tool_choice = unreadable.read(reader, &mut fields, "tool_choice", |reader, node| {
        part_spans.tool_choice = node.span;
        read_choice(reader, node)
    });
    let labels = fields.take_value("labels").map(|node| read_labels(reader, node));
    let (labels, label_spans) = labels.unwrap_or_default();
    let (input_schema, input_schema_span) = read_schema(reader, &mut fields, "input_schema").unzip();
    let (output_schema, output_schema_span) = read_schema(reader, &mut fields, "output_schema").unzip();
    let prompt = Prompt {
        id: id.unwrap_or_else(PromptId::stand_in),
        version: version.flatten().unwrap_or_default(),
        format: format.flatten().unwrap_or_else(|| body.format()),
        status,
        template: body.template,
        chat_template: body.chat_template,
        tools,
        tool_choice: tool_choice.flatten(),
        settings: fields.take_value("settings").map(|node| read_settings(reader, node)).unwrap_or_default(),
        input_schema,
        output_schema,
        metadata: fields.take_value("metadata").map(|node| read_metadata(reader, node)).unwrap_or_default(),
        labels,
        uid: fields.take_value("uid").and_then(|node| read_uid(reader, node)),
        created_at: fields.take_value("created_at").and_then(|node| read_time(reader, node)),
        updated_at: fields.take_value("updated_at").and_then(|node| read_time(reader, node)),
    };
    note_problems(reader, &prompt, &unreadable, id_text.as_deref(), |part| match part {
        PromptPart::Key(key) => part_spans.of(key),
        PromptPart::Tool(index) => tool_spans.get(index).copied().unwrap_or(part_spans.tools),
        PromptPart::Label(index) => label_spans.get(index).copied().unwrap_or(id_span),
    });
    let spans = PromptSpans {
        first,
        id: id_span,
        version: version_span,
        content: body.content,
        entries: body.entries,
        partials: body.partials,
        variables: body.variables,
        input_schema: input_schema_span,
        output_schema: output_schema_span,
    };
    let is_good = is_known && reader.is_clean_since(start);
    RawPrompt { prompt, is_good, id: id_text, spans, helpers: body.helpers }
}

/// Notes each rule that a prompt breaks, at the place of the part that breaks it.
fn note_problems(
    reader: &mut NodeReader<'_>,
    prompt: &Prompt,
    unreadable: &UnreadableKeys,
    id: Option<&str>,
    place: impl Fn(PromptPart) -> SourceSpan,
) {
    for (part, error) in prompt.problems(|key| !unreadable.0.contains(&key)) {
        let error = match id {
            Some(id) => error.with_context("prompt_id", id),
            None => error,
        };
        reader.note(place(part), error);
    }
}

/// The id of a prompt as it was read.
struct RawId {
    id: Option<PromptId>,
    /// The id as it is written, however wrong.
    text: Option<String>,
    span: SourceSpan,
}

/// Reads the id, or takes that of the file. `first` is the place of the first key.
fn read_id(
    reader: &mut NodeReader<'_>,
    fields: &mut Fields<'_>,
    defaults: PromptDefaults<'_>,
    first: SourceSpan,
) -> RawId {
    let Some(node) = fields.take_value("id") else {
        let missing = RawId { id: None, text: None, span: first };
        if fields.means("id") {
            return missing;
        }
        let Some(text) = defaults.id else {
            let hint = if defaults.is_one_of_several {
                "a file of several prompts needs an `id` for each"
            } else {
                "a prompt that is in no file of its own needs an `id`"
            };
            reader.wrong_hint(fields.last, "`id` is missing", hint);
            return missing;
        };
        let parsed = text.parse::<PromptId>();
        let id = parsed.map_err(|error| {
            let message = format!("the path of the file gives no id: {}", error.message());
            let hint = "write an `id:` in the file, or rename the file";
            reader.wrong_hint(first, message, hint);
        });
        return RawId { id: id.ok(), text: Some(text.to_owned()), span: first };
    };
    let span = node.span;
    let Some(SpannedText { text, span }) = reader.text_or_expected(node) else {
        return RawId { id: None, text: None, span };
    };
    let id = text.parse::<PromptId>().map_err(|error| reader.note(span, error)).ok();
    RawId { id, text: Some(text), span }
}

/// The places of the values that the rules between keys are about.
struct PartSpans {
    format: SourceSpan,
    template: SourceSpan,
    chat_template: SourceSpan,
    tools: SourceSpan,
    tool_choice: SourceSpan,
}

impl PartSpans {
    fn at(span: SourceSpan) -> Self {
        Self { format: span, template: span, chat_template: span, tools: span, tool_choice: span }
    }

    fn of(&self, key: &str) -> SourceSpan {
        match key {
            "template" => self.template,
            "chat_template" => self.chat_template,
            "tools" => self.tools,
            "tool_choice" => self.tool_choice,
            _ => self.format,
        }
    }
}

fn read_uid(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<uuid::Uuid> {
    let SpannedText { text, span } = reader.text_or_expected(node)?;
    let uid = text.parse().ok();
    if uid.is_none() {
        reader.wrong_hint(
            span,
            "`uid` is not a UUID",
            "leave it out, and a UUID is made from the id and version",
        );
    }
    uid
}

fn read_time(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<Timestamp> {
    let SpannedText { text, span } = reader.text_or_expected(node)?;
    let zoned = text.parse::<Timestamp>().ok();
    let naive = || {
        let naive: jiff::civil::DateTime = text.parse().ok()?;
        naive.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
    };
    let time = zoned.or_else(naive);
    if time.is_none() {
        reader.wrong_hint(span, "expected a date and time", "write it as 2026-01-31T12:00:00Z");
    }
    time
}

fn read_schema(
    reader: &mut NodeReader<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<(SchemaSource, SourceSpan)> {
    let node = fields.take_value(key)?;
    let span = node.span;
    let schema = match node.value {
        NodeValue::Text(name) => Some(SchemaSource::Name(name.into_owned())),
        NodeValue::Map(_) => reader.object(node, key).map(SchemaSource::Inline),
        _ => {
            reader.expected(&node, "the name of a schema, or a JSON Schema as a mapping");
            None
        }
    };
    schema.map(|schema| (schema, span))
}

fn read_labels(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> (Vec<String>, Vec<SourceSpan>) {
    let items = reader.items(node, "a list of strings").unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| reader.text_or_expected(item))
        .map(|SpannedText { text, span }| (text, span))
        .unzip()
}
