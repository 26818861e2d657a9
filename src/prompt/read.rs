//! Reads prompts out of nodes: every key is checked and every mistake is noted.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::model::{ChatEntry, ChatTemplate, Format, Prompt, PromptPart, SchemaSource, Status, TextTemplate};
use super::read_message::{RawEntry, read_entry, read_function_type};
use super::tool::no_parameters;
use super::{Metadata, PromptId, Settings, Tool, ToolChoice, Variable, Variables, Version, check_name};
use crate::de::{
    Fields, KeyPath, NodeReader, NodeValue, SourceNode, SourceSpan, SpannedText, shown, unknown,
};
use crate::error::{Error, Kind, Result};
use crate::schema::FieldType;

/// A prompt as it was read, with the places of its parts. Where it is broken, stand-ins fill what could not be read.
#[derive(Debug)]
pub(crate) struct RawPrompt {
    pub(crate) prompt: Prompt,
    /// Whether there is no mistake in it.
    pub(crate) is_good: bool,
    /// The id as it is written, however wrong.
    pub(crate) id: Option<String>,
    pub(crate) spans: PromptSpans,
    /// Where `helpers` are, which are ignored.
    pub(crate) helpers: Option<SourceSpan>,
}

/// Where the parts of a prompt are.
#[derive(Debug)]
pub(crate) struct PromptSpans {
    pub(crate) id: SourceSpan,
    pub(crate) content: Option<SourceSpan>,
    /// For each chat entry the places of its texts, in the order of [`super::Message::try_map`].
    pub(crate) entries: Vec<Vec<SourceSpan>>,
    pub(crate) partials: Vec<SourceSpan>,
}

/// What a file of several prompts says of itself.
#[derive(Debug, Clone, Default)]
pub struct AboutFile {
    /// Its version, as it is written.
    pub version: Option<String>,
    /// Whatever its author keeps there.
    pub metadata: Metadata,
}

/// What a document holds.
pub(crate) enum Document {
    Prompt(Option<Box<RawPrompt>>),
    /// Several, and what the file says of itself.
    Several(Vec<RawPrompt>, AboutFile),
}

impl Prompt {
    /// Reads a prompt from JSON, with this status where it names none.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`]: the only mistake, or an error that sums them up.
    pub fn from_json(json: &Value, status: Status) -> Result<Self> {
        Self::from_node(SourceNode::of_json(json), status, &[])
    }

    /// [`Prompt::from_json`] from a node of any origin. The keys in `broken` are known to be wrong and have been left
    /// out; rules about them are passed over.
    pub(crate) fn from_node(node: SourceNode<'_>, status: Status, broken: &[String]) -> Result<Self> {
        let mut reader = NodeReader::new(Kind::PromptInvalid);
        let fields = reader.fields(node, A_PROMPT, PROMPT);
        let read = fields.and_then(|mut fields| {
            fields.pass_over(PROMPT.iter().copied().filter(|key| broken.iter().any(|broken| broken == key)));
            read_one(&mut reader, fields, status)
        });
        let prompt = reader.finish("the prompt", read)?;
        // Without a mistake there is a prompt.
        prompt.map(|raw| raw.prompt).ok_or_else(|| Error::new(Kind::PromptInvalid, "this is not a prompt"))
    }
}

impl<'de> serde::Deserialize<'de> for Prompt {
    /// [`Prompt::from_json`] with draft as the status of a prompt that names none.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Value::deserialize(deserializer)?;
        Self::from_json(&json, Status::Draft)
            .map_err(|error| serde::de::Error::custom(crate::de::one_line(&error)))
    }
}

const PROMPT: &[&str] = &[
    "id",
    "version",
    "format",
    "status",
    "template",
    "chat_template",
    "tools",
    "tool_choice",
    "settings",
    "input_schema",
    "output_schema",
    "metadata",
    "labels",
    "uid",
    "created_at",
    "updated_at",
    "prompts",
];

const A_PROMPT: &str = "a prompt, which is a mapping";

/// Reads a document of a file: a prompt, or the published package's list of several.
pub(crate) fn read_document(reader: &mut NodeReader<'_>, node: SourceNode<'_>, status: Status) -> Document {
    let Some(mut fields) = reader.fields(node, A_PROMPT, PROMPT) else { return Document::Prompt(None) };
    let Some(span) = fields.key_span("prompts") else {
        return Document::Prompt(Some(Box::new(read_fields(reader, fields, status))));
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
    let prompts = items.into_iter().filter_map(|item| read_prompt(reader, item, status)).collect();
    let version = reader.optional_text(&mut fields, "version");
    let metadata = fields.take_value("metadata").map(|node| read_metadata(reader, node));
    Document::Several(prompts, AboutFile { version, metadata: metadata.unwrap_or_default() })
}

/// Reads one prompt.
pub(crate) fn read_prompt(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
    status: Status,
) -> Option<RawPrompt> {
    let fields = reader.fields(node, A_PROMPT, PROMPT)?;
    read_one(reader, fields, status)
}

fn read_one(reader: &mut NodeReader<'_>, fields: Fields<'_>, status: Status) -> Option<RawPrompt> {
    if let Some(span) = fields.key_span("prompts") {
        reader.wrong(span, "expected one prompt, found a list under `prompts`");
        return None;
    }
    Some(read_fields(reader, fields, status))
}

/// Which keys of a prompt could be read.
struct Trust(Vec<&'static str>);

impl Trust {
    /// Reads the value of a key, and notes whether it could be.
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

fn read_fields(reader: &mut NodeReader<'_>, mut fields: Fields<'_>, default_status: Status) -> RawPrompt {
    let start = reader.mark();
    let is_known = fields.is_known;
    // A slip of a key's name counts as the key, with a value that is not known.
    let mut trust = Trust(PROMPT.iter().copied().filter(|key| fields.means(key)).collect());
    let mut spans = PromptSpans { id: fields.last, content: None, entries: Vec::new(), partials: Vec::new() };

    let id_node = reader.required(&mut fields, "id");
    let mut id_text = None;
    let id = id_node.and_then(|node| {
        spans.id = node.span;
        let SpannedText { text, span } = reader.text_or_expected(node)?;
        let parsed = text.parse::<PromptId>();
        id_text = Some(text);
        parsed.map_err(|error| reader.note(span, error)).ok()
    });
    let version = trust.read(reader, &mut fields, "version", |reader, node| reader.parse::<Version>(node));
    let mark = reader.mark();
    let format_node = reader.required(&mut fields, "format");
    let format_span = format_node.as_ref().map_or(spans.id, |node| node.span);
    let format = format_node.and_then(|node| reader.parse::<Format>(node));
    if !reader.is_clean_since(mark) {
        trust.0.push("format");
    }
    let status = trust.read(reader, &mut fields, "status", |reader, node| reader.parse::<Status>(node));

    let mut part_spans = PartSpans { format: format_span, ..PartSpans::at(spans.id) };
    let mut helpers = None;
    let template = trust.read(reader, &mut fields, "template", |reader, node| {
        part_spans.template = node.span;
        let (template, content, shared) = read_template(reader, node);
        spans.content = Some(content);
        spans.partials = shared.partial_spans;
        helpers = shared.helpers;
        template
    });
    let chat_template = trust.read(reader, &mut fields, "chat_template", |reader, node| {
        part_spans.chat_template = node.span;
        let (chat, entries, shared) = read_chat(reader, node);
        spans.entries = entries;
        if template.is_none() {
            spans.partials = shared.partial_spans;
            helpers = shared.helpers;
        }
        chat
    });
    let tools = trust.read(reader, &mut fields, "tools", |reader, node| {
        part_spans.tools = node.span;
        read_tools(reader, node)
    });
    let (tools, tool_spans) = tools.unwrap_or_default();
    let tool_choice = trust.read(reader, &mut fields, "tool_choice", |reader, node| {
        part_spans.tool_choice = node.span;
        read_choice(reader, node)
    });
    let settings = fields.take_value("settings").map(|node| read_settings(reader, node));
    let input_schema = read_schema(reader, &mut fields, "input_schema");
    let output_schema = read_schema(reader, &mut fields, "output_schema");
    let metadata = fields.take_value("metadata").map(|node| read_metadata(reader, node));
    let labels = fields.take_value("labels").map(|node| read_labels(reader, node));
    let (labels, label_spans) = labels.unwrap_or_default();
    let uid = fields.take_value("uid").and_then(|node| read_uid(reader, node));
    let created_at = fields.take_value("created_at").and_then(|node| read_time(reader, node));
    let updated_at = fields.take_value("updated_at").and_then(|node| read_time(reader, node));

    let prompt = Prompt {
        id: id.unwrap_or_else(PromptId::stand_in),
        version: version.flatten().unwrap_or_default(),
        format: format.unwrap_or(Format::Text),
        status: status.flatten().unwrap_or(default_status),
        template,
        chat_template,
        tools,
        tool_choice: tool_choice.flatten(),
        settings: settings.unwrap_or_default(),
        input_schema,
        output_schema,
        metadata: metadata.unwrap_or_default(),
        labels,
        uid,
        created_at,
        updated_at,
    };
    for (part, error) in prompt.problems(|key| !trust.0.contains(&key)) {
        let span = match part {
            PromptPart::Key(key) => part_spans.of(key),
            PromptPart::Tool(index) => tool_spans.get(index).copied().unwrap_or(part_spans.tools),
            PromptPart::Label(index) => label_spans.get(index).copied().unwrap_or(spans.id),
        };
        let error = match &id_text {
            Some(id) => error.with_context("prompt_id", id.as_str()),
            None => error,
        };
        reader.note(span, error);
    }
    let is_good = is_known && reader.is_clean_since(start);
    RawPrompt { prompt, is_good, id: id_text, spans, helpers }
}

/// Where the values of keys are that rules between keys are about.
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
        reader.wrong(span, "`uid` is not a UUID");
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
        reader.wrong_hint(span, "this is not a time", "write it as 2026-01-31T12:00:00Z");
    }
    time
}

fn read_schema(
    reader: &mut NodeReader<'_>,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<SchemaSource> {
    let node = fields.take_value(key)?;
    match node.value {
        NodeValue::Text(name) => Some(SchemaSource::Name(name.into_owned())),
        NodeValue::Map(_) => reader.object(node, key).map(SchemaSource::Inline),
        _ => {
            reader.expected(&node, "the name of a schema, or a JSON Schema as a mapping");
            None
        }
    }
}

fn read_labels(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> (Vec<String>, Vec<SourceSpan>) {
    let items = reader.items(node, "a list of strings").unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| reader.text_or_expected(item))
        .map(|SpannedText { text, span }| (text, span))
        .unzip()
}

/// What both kinds of template have.
#[derive(Default)]
struct TemplateParts {
    variables: Option<Variables>,
    partials: Vec<(String, String)>,
    partial_spans: Vec<SourceSpan>,
    helpers: Option<SourceSpan>,
}

impl TemplateParts {
    fn read(reader: &mut NodeReader<'_>, fields: &mut Fields<'_>) -> Self {
        let mut parts = Self::default();
        if let Some(node) = fields.take_value("variables") {
            // An empty declaration says nothing, like none.
            parts.variables =
                Some(read_variables(reader, node)).filter(|variables| !variables.items.is_empty());
        }
        if let Some(node) = fields.take_value("partials") {
            let partials = reader.members(node, "a mapping from names to templates").unwrap_or_default();
            for (name, _, node) in partials {
                let SpannedText { text, span } = reader.spanned(node);
                parts.partials.push((name, text));
                parts.partial_spans.push(span);
            }
        }
        // The published package writes an empty mapping, which says nothing.
        parts.helpers = fields.take_value("helpers").and_then(|node| match node.value {
            NodeValue::Map(helpers) if helpers.is_empty() => None,
            _ => Some(node.span),
        });
        parts
    }
}

fn read_template(
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
    let Some(mut fields) = reader.fields(short, expected, &["content", "variables", "partials", "helpers"])
    else {
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

fn read_chat(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
) -> (ChatTemplate, Vec<Vec<SourceSpan>>, TemplateParts) {
    let expected = "a chat template: a mapping with `messages`";
    let Some(mut fields) = reader.fields(node, expected, &["messages", "variables", "partials", "helpers"])
    else {
        return <_>::default();
    };
    let list = reader.required(&mut fields, "messages");
    let items = list.and_then(|list| reader.items(list, "a list of messages")).unwrap_or_default();
    let (mut messages, mut entries) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for item in items {
        // An empty place stands in for what cannot be read, so that the others keep their numbers.
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

fn read_variables(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Variables {
    let mut items: Vec<Variable> = Vec::new();
    if let NodeValue::List(names) = node.value {
        for name in names {
            let Some(SpannedText { text, span }) = reader.text_or_expected(name) else { continue };
            if let Err(error) = check_name(&text) {
                reader.note(span, error);
            } else if items.iter().any(|known| known.name == text) {
                reader.wrong(span, format!("variable {} is listed twice", shown(&text)));
            } else {
                items.push(Variable::new(text));
            }
        }
        return Variables { short: true, items };
    }
    let members = reader.members(node, "variables: a list of names, or a mapping from names to types");
    for (name, span, spec) in members.unwrap_or_default() {
        if let Err(error) = check_name(&name) {
            reader.note(span, error);
        }
        let mark = reader.mark();
        let spec_span = spec.span;
        let (variable, default_span) = read_variable(reader, spec, name);
        if reader.is_clean_since(mark)
            && let Err(error) = variable.check_default()
        {
            reader.note(default_span.unwrap_or(spec_span), error);
        }
        items.push(variable);
    }
    Variables { short: false, items }
}

/// Reads a variable's type or mapping; also where its default is.
fn read_variable(
    reader: &mut NodeReader<'_>,
    node: SourceNode<'_>,
    name: String,
) -> (Variable, Option<SourceSpan>) {
    let mut variable = Variable::new(name);
    match node.value {
        NodeValue::Null => return (variable, None),
        NodeValue::Text(_) => {
            variable.field_type = reader.parse(node).unwrap_or(FieldType::Any);
            return (variable, None);
        }
        _ => {}
    }
    let expected = "a type, or a mapping with `type`, `description`, `default`, `required`";
    let Some(mut fields) = reader.fields(node, expected, &["type", "description", "default", "required"])
    else {
        return (variable, None);
    };
    if let Some(word) = fields.take_value("type") {
        variable.field_type = reader.parse(word).unwrap_or(FieldType::Any);
    }
    variable.description = reader.optional_text(&mut fields, "description");
    variable.required = fields.take_value("required").and_then(|node| reader.boolean(&node));
    let default = fields.take_value("default");
    let span = default.as_ref().map(|node| node.span);
    variable.default = default.map(|node| reader.json(node, KeyPath::Root("default")));
    (variable, span)
}

/// Reads tools; broken ones are left out.
fn read_tools(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> (Vec<Tool>, Vec<SourceSpan>) {
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
    const FLAT: &[&str] = &["name", "description", "parameters", "strict"];
    const BOTH: &[&str] = &["name", "description", "parameters", "strict", "type", "function"];
    let (expected, known) = if may_nest { ("a tool", BOTH) } else { ("a function", FLAT) };
    let mut fields = reader.fields(node, expected, known)?;
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

fn read_choice(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<ToolChoice> {
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
    let mut fields = reader.fields(node, expected, &["name", "type", "function"])?;
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

fn read_settings(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Settings {
    const KEYS: &[&str] = &[
        "model",
        "temperature",
        "top_p",
        "max_tokens",
        "stop",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "top_k",
        "extra",
    ];
    let Some(mut fields) = reader.fields(node, "settings, which are a mapping", KEYS) else {
        return Settings::default();
    };
    let stop = fields.take_value("stop").map(|node| match node.value {
        NodeValue::List(_) => reader.texts(node),
        _ => match reader.spanned_or_node(node) {
            Ok(text) => vec![text.text],
            Err(node) => {
                reader.expected(&node, "a string or a list of strings");
                Vec::new()
            }
        },
    });
    let whole = |reader: &mut NodeReader<'_>, fields: &mut Fields<'_>, key: &'static str| {
        let node = fields.take_value(key)?;
        Some((reader.integer(&node)?, node.span))
    };
    let seed = whole(reader, &mut fields, "seed").and_then(|(number, span)| {
        let seed = number.as_i64();
        if seed.is_none() {
            reader.wrong(span, "`seed` must be a whole number of at most 64 bits");
        }
        seed
    });
    let top_k = whole(reader, &mut fields, "top_k").and_then(|(number, span)| {
        let count = number.as_u64();
        if count.is_none() {
            reader.wrong(span, "`top_k` must not be negative");
        }
        count
    });
    Settings {
        model: reader.optional_text(&mut fields, "model"),
        temperature: fields.take_value("temperature").and_then(|node| read_temperature(reader, &node)),
        top_p: read_number(reader, fields.take_value("top_p").as_ref(), "top_p", (0.0, 1.0), "from 0 to 1"),
        max_tokens: fields.take_value("max_tokens").and_then(|node| read_max_tokens(reader, &node)),
        stop: stop.unwrap_or_default(),
        seed,
        presence_penalty: read_finite(reader, &mut fields, "presence_penalty"),
        frequency_penalty: read_finite(reader, &mut fields, "frequency_penalty"),
        top_k,
        extra: fields
            .take_value("extra")
            .and_then(|node| reader.object(node, "settings.extra"))
            .unwrap_or_default(),
    }
}

fn read_number(
    reader: &mut NodeReader<'_>,
    node: Option<&SourceNode<'_>>,
    key: &str,
    (low, high): (f64, f64),
    range: &str,
) -> Option<f64> {
    let node = node?;
    let number = reader.float(node)?;
    if number.is_finite() && (low..=high).contains(&number) {
        return Some(number);
    }
    reader.wrong(node.span, format!("`{key}` must be {range}"));
    None
}

fn read_temperature(reader: &mut NodeReader<'_>, node: &SourceNode<'_>) -> Option<f64> {
    read_number(reader, Some(node), "temperature", (0.0, 2.0), "from 0 to 2")
}

fn read_finite(reader: &mut NodeReader<'_>, fields: &mut Fields<'_>, key: &'static str) -> Option<f64> {
    let node = fields.take_value(key);
    read_number(reader, node.as_ref(), key, (f64::MIN, f64::MAX), "a finite number")
}

fn read_max_tokens(reader: &mut NodeReader<'_>, node: &SourceNode<'_>) -> Option<u64> {
    let count = reader.integer(node)?.as_u64().filter(|count| *count > 0);
    if count.is_none() {
        reader.wrong(node.span, "`max_tokens` must be more than 0");
    }
    count
}

fn read_metadata(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Metadata {
    let root = KeyPath::Root("metadata");
    let mut metadata = Map::new();
    let members = reader.members(node, "metadata, which is a mapping").unwrap_or_default();
    for (key, _, node) in members {
        let known = matches!(
            key.as_str(),
            "author"
                | "description"
                | "category"
                | "tags"
                | "use_cases"
                | "model_recommendations"
                | "temperature"
                | "max_tokens"
                | "custom"
        );
        if known && node.is_null() {
            continue;
        }
        let value = match key.as_str() {
            "author" | "description" | "category" => Some(Value::String(reader.text(node))),
            "tags" | "use_cases" | "model_recommendations" => Some(Value::from(reader.texts(node))),
            "temperature" => read_temperature(reader, &node).map(Value::from),
            "max_tokens" => read_max_tokens(reader, &node).map(Value::from),
            "custom" => reader.object(node, "metadata.custom").map(Value::Object),
            _ => Some(reader.json(node, KeyPath::Key(&root, &key))),
        };
        if let Some(value) = value {
            metadata.insert(key, value);
        }
    }
    Metadata(metadata)
}
