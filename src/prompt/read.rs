//! Reads prompts: the visitors behind `Deserialize`, in one pass and with places.
//!
//! [`WirePrompt`] is what the visitors make. It becomes a [`Prompt`] with [`WirePrompt::take`], which needs the
//! source text where the file has a bare number as a template.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::model::{ChatTemplate, Format, Prompt, SchemaSource, Status, TextTemplate};
use super::read_message::{WireEntry, read_function_type, text_visits};
use super::tool::{check_tool_name, no_parameters};
use super::{Metadata, PromptId, Settings, Tool, ToolChoice, Variable, Variables, Version, check_name};
use crate::error::{Error, Kind, Result};
use crate::schema::FieldType;
use crate::wire::{
    At, Json, JsonObject, Keys, Leaf, Named, Path, Placed, Texts, invalid, list, located, mapping, problem,
    raw_leaf, shown, unknown,
};

/// A prompt as it is read.
#[derive(Debug)]
pub(crate) struct WirePrompt {
    pub(crate) id: Placed<String>,
    parsed_id: PromptId,
    version: Option<Placed<String>>,
    format: Placed<String>,
    parsed_format: Format,
    status: Option<Status>,
    pub(crate) template: Option<Placed<WireText>>,
    pub(crate) chat_template: Option<Placed<WireChat>>,
    tools: Option<Placed<Vec<Tool>>>,
    tool_choice: Option<Placed<ToolChoice>>,
    settings: Settings,
    input_schema: Option<SchemaSource>,
    output_schema: Option<SchemaSource>,
    metadata: Metadata,
    labels: Vec<String>,
    uid: Option<uuid::Uuid>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

/// A text template as it is read.
#[derive(Debug)]
pub(crate) struct WireText {
    pub(crate) content: Leaf,
    variables: Option<Variables>,
    pub(crate) partials: Vec<(String, Leaf)>,
    pub(crate) helpers: Option<At>,
}

/// A chat template as it is read.
#[derive(Debug)]
pub(crate) struct WireChat {
    pub(crate) messages: Vec<WireEntry>,
    variables: Option<Variables>,
    pub(crate) partials: Vec<(String, Leaf)>,
    pub(crate) helpers: Option<At>,
}

/// What a file of several prompts says of itself.
#[derive(Debug, Clone, Default)]
pub struct AboutFile {
    /// Its version, as it stands there.
    pub version: Option<String>,
    /// Whatever its author keeps there.
    pub metadata: Metadata,
}

/// What a document holds.
pub(crate) enum Document {
    Prompt(Box<WirePrompt>),
    /// A file of several; they are in the list that was handed in. This is what the file says of itself.
    Several(AboutFile),
}

impl Prompt {
    /// Reads a prompt from any serde deserializer, with this status where it names none. The rules between its parts
    /// are not checked; see [`Prompt::check`].
    ///
    /// # Errors
    /// The deserializer's, with our message.
    pub fn read<'de, D: Deserializer<'de>>(deserializer: D, status: Status) -> Result<Self, D::Error> {
        WirePrompt::deserialize(deserializer)?.take(status, None).map_err(|error| located(&error, None))
    }
}

impl<'de> Deserialize<'de> for Prompt {
    /// [`Prompt::read`] with draft as the status of a prompt that names none.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer, Status::Draft)
    }
}

/// What is declared: an empty declaration says nothing, like none.
fn declared(variables: &mut Option<Variables>) -> Option<Variables> {
    variables.take().filter(|variables| !variables.items.is_empty())
}

impl WirePrompt {
    /// The prompt, without places; those are what is left here. `source` as for [`Leaf::resolve`].
    pub(crate) fn take(&mut self, status: Status, source: Option<&str>) -> Result<Prompt> {
        let partials = |partials: &mut [(String, Leaf)]| {
            partials
                .iter_mut()
                .map(|(name, leaf)| Ok((std::mem::take(name), leaf.take(source)?)))
                .collect::<Result<Vec<_>>>()
        };
        let template = self.template.as_mut().map(|Placed { value, .. }| {
            Result::<_>::Ok(TextTemplate {
                content: value.content.take(source)?,
                variables: declared(&mut value.variables),
                partials: partials(&mut value.partials)?,
            })
        });
        let chat_template = self.chat_template.as_mut().map(|Placed { value, .. }| {
            Result::<_>::Ok(ChatTemplate {
                messages: value.messages.iter().map(|entry| entry.resolve(source)).collect::<Result<_>>()?,
                variables: declared(&mut value.variables),
                partials: partials(&mut value.partials)?,
            })
        });
        Ok(Prompt {
            id: self.parsed_id.clone(),
            version: self
                .version
                .as_ref()
                .map_or_else(|| Ok(Version::default()), |text| text.value.parse())?,
            format: self.parsed_format,
            status: self.status.unwrap_or(status),
            template: template.transpose()?,
            chat_template: chat_template.transpose()?,
            tools: self.tools.as_mut().map(|tools| std::mem::take(&mut tools.value)).unwrap_or_default(),
            tool_choice: self.tool_choice.as_ref().map(|choice| choice.value.clone()),
            settings: std::mem::take(&mut self.settings),
            input_schema: self.input_schema.take(),
            output_schema: self.output_schema.take(),
            metadata: std::mem::take(&mut self.metadata),
            labels: std::mem::take(&mut self.labels),
            uid: self.uid,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    /// Where the value of a top-level key stands, for the errors of [`Prompt::check`].
    pub(crate) fn place_of(&self, key: &str) -> Option<At> {
        match key {
            "format" => self.format.at,
            "template" => self.template.as_ref()?.at,
            "chat_template" => self.chat_template.as_ref()?.at,
            "tools" => self.tools.as_ref()?.at,
            "tool_choice" => self.tool_choice.as_ref()?.at,
            _ => self.id.at,
        }
    }

    /// Where `helpers` stand, which are ignored.
    pub(crate) fn helpers(&self) -> Option<At> {
        let text = self.template.as_ref().and_then(|template| template.value.helpers);
        text.or_else(|| self.chat_template.as_ref().and_then(|chat| chat.value.helpers))
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

mapping!(WirePrompt, "a prompt, which is a mapping", |map| match read_document(map, None)? {
    Document::Prompt(prompt) => Ok(*prompt),
    Document::Several(_) => Err(invalid("`prompts`", "one prompt")),
});

/// Reads a document: a prompt or, where `several` is given, the published package's file of several. Those are
/// pushed one by one, so that the good ones before a broken one are kept.
pub(crate) fn read_document<'de, A: MapAccess<'de>>(
    mut map: A,
    mut several: Option<&mut Vec<WirePrompt>>,
) -> Result<Document, A::Error> {
    let (mut id, mut version, mut format, mut status) =
        (None::<Placed<String>>, None, None::<Placed<String>>, None);
    let (mut template, mut chat_template) = (None, None);
    let (mut tools, mut tool_choice, mut settings) = (None, None, None);
    let (mut input_schema, mut output_schema) = (None, None);
    let (mut metadata, mut labels, mut uid) = (None, Vec::new(), None);
    let (mut created_at, mut updated_at) = (None, None);
    let (mut has_prompts, mut own_key) = (false, None);
    while let Some(key) = map.next_key_seed(Keys(PROMPT))? {
        if !matches!(key, "version" | "metadata" | "prompts") {
            own_key = Some(key);
        }
        if let (true, Some(key)) = (has_prompts || key == "prompts", own_key) {
            return Err(invalid(
                &format!("both `prompts` and `{key}`"),
                "one prompt, or a list of prompts with `version` and `metadata` of the file",
            ));
        }
        match key {
            "id" => id = Some(map.next_value()?),
            "version" => version = map.next_value::<Option<Placed<String>>>()?,
            "format" => format = Some(map.next_value()?),
            "status" => status = map.next_value()?,
            "template" => template = map.next_value::<Option<Placed<WireText>>>()?,
            "chat_template" => chat_template = map.next_value()?,
            "tools" => tools = map.next_value::<Option<Placed<Tools>>>()?,
            "tool_choice" => {
                if let Some(choice) = map.next_value::<Option<Placed<WireChoice>>>()? {
                    tool_choice = Some(Placed { at: choice.at, value: choice.choice()? });
                }
            }
            "settings" => settings = map.next_value::<Option<Settings>>()?,
            "input_schema" => input_schema = read_schema(&mut map, "input_schema")?,
            "output_schema" => output_schema = read_schema(&mut map, "output_schema")?,
            "metadata" => metadata = map.next_value::<Option<Metadata>>()?,
            "labels" => labels = list(&mut map)?,
            "uid" => {
                uid = map.next_value::<Option<Placed<String>>>()?.map(|text| read_uid(&text)).transpose()?;
            }
            "created_at" => created_at = read_time(&mut map)?,
            "updated_at" => updated_at = read_time(&mut map)?,
            _ => {
                let Some(prompts) = several.as_deref_mut() else {
                    return Err(invalid("`prompts`", "one prompt"));
                };
                has_prompts = true;
                map.next_value_seed(Several(prompts))?;
            }
        }
    }
    if has_prompts {
        let version = version.map(|version: Placed<String>| version.value);
        return Ok(Document::Several(AboutFile { version, metadata: metadata.unwrap_or_default() }));
    }
    let id = id.ok_or_else(|| de::Error::missing_field("id"))?;
    let format = format.ok_or_else(|| de::Error::missing_field("format"))?;
    if let Some(text) = &version {
        text.parse::<Version, _>()?;
    }
    let template = template.map(|Placed { mut value, at }| {
        value.content.at = value.content.at.or(at);
        Placed { value, at }
    });
    Ok(Document::Prompt(Box::new(WirePrompt {
        parsed_id: id.parse()?,
        id,
        version,
        parsed_format: format.parse()?,
        format,
        status,
        template,
        chat_template,
        tools: tools.map(|Placed { value, at }| Placed { value: value.0, at }),
        tool_choice,
        settings: settings.unwrap_or_default(),
        input_schema,
        output_schema,
        metadata: metadata.unwrap_or_default(),
        labels,
        uid,
        created_at,
        updated_at,
    })))
}

/// Reads the list under `prompts` into a list that outlives an error.
struct Several<'a>(&'a mut Vec<WirePrompt>);

impl<'de> de::DeserializeSeed<'de> for Several<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Several<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of prompts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(prompt) = seq.next_element()? {
            self.0.push(prompt);
        }
        Ok(())
    }
}

fn read_uid<E: de::Error>(text: &Placed<String>) -> Result<uuid::Uuid, E> {
    text.value.parse().map_err(|_| problem(text.at, "`uid` is not a UUID", None))
}

fn read_time<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Timestamp>, A::Error> {
    let Some(text) = map.next_value::<Option<Placed<String>>>()? else { return Ok(None) };
    let zoned = text.value.parse::<Timestamp>().ok();
    let naive = || {
        let naive: jiff::civil::DateTime = text.value.parse().ok()?;
        naive.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
    };
    zoned
        .or_else(naive)
        .map(Some)
        .ok_or_else(|| problem(text.at, "this is not a time", Some("write it as 2026-01-31T12:00:00Z")))
}

fn read_schema<'de, A: MapAccess<'de>>(
    map: &mut A,
    key: &'static str,
) -> Result<Option<SchemaSource>, A::Error> {
    match map.next_value_seed(Json(Path::Root(key)))? {
        Value::Null => Ok(None),
        Value::String(name) => Ok(Some(SchemaSource::Name(name))),
        Value::Object(schema) => Ok(Some(SchemaSource::Inline(schema))),
        _ => Err(invalid(
            &format!("another value at `{key}`"),
            "the name of a schema, or a JSON Schema as a mapping",
        )),
    }
}

impl<'de> Deserialize<'de> for WireText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        fn short(content: Leaf) -> WireText {
            WireText { content, variables: None, partials: Vec::new(), helpers: None }
        }

        impl<'de> Visitor<'de> for V {
            type Value = WireText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a template: a text or a mapping with `content`")
            }

            text_visits!(short);

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireText, A::Error> {
                let (mut content, mut shared) = (None, Shared::default());
                while let Some(key) =
                    map.next_key_seed(Keys(&["content", "variables", "partials", "helpers"]))?
                {
                    if key == "content" {
                        content = Some(map.next_value()?);
                    } else {
                        shared.read(key, &mut map)?;
                    }
                }
                let content = content.ok_or_else(|| de::Error::missing_field("content"))?;
                let Shared { variables, partials, helpers } = shared;
                Ok(WireText { content, variables, partials, helpers })
            }
        }

        deserializer.deserialize_any(V)
    }
}

mapping!(WireChat, "a chat template: a mapping with `messages`", |mut map: A| {
    let (mut messages, mut shared) = (None, Shared::default());
    while let Some(key) = map.next_key_seed(Keys(&["messages", "variables", "partials", "helpers"]))? {
        if key == "messages" {
            messages = Some(map.next_value()?);
        } else {
            shared.read(key, &mut map)?;
        }
    }
    let messages = messages.ok_or_else(|| serde::de::Error::missing_field("messages"))?;
    let Shared { variables, partials, helpers } = shared;
    Ok(WireChat { messages, variables, partials, helpers })
});

/// What both kinds of template have.
#[derive(Default)]
struct Shared {
    variables: Option<Variables>,
    partials: Vec<(String, Leaf)>,
    helpers: Option<At>,
}

impl Shared {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "variables" => self.variables = map.next_value()?,
            "partials" => {
                self.partials =
                    map.next_value::<Option<Named<Leaf>>>()?.map(|named| named.0).unwrap_or_default();
            }
            _ => {
                let helpers: Option<Placed<de::IgnoredAny>> = map.next_value()?;
                self.helpers = helpers.and_then(|helpers| helpers.at);
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for TextTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = WireText::deserialize(deserializer)?;
        let text = |leaf: &Leaf| leaf.resolve(None).map_err(|error| located(&error, None));
        Ok(Self {
            content: text(&wire.content)?,
            variables: wire.variables,
            partials: wire.partials.into_iter().map(|(name, leaf)| (name, leaf.text)).collect(),
        })
    }
}

impl<'de> Deserialize<'de> for ChatTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = WireChat::deserialize(deserializer)?;
        let messages: Result<Vec<_>> = wire.messages.iter().map(|entry| entry.resolve(None)).collect();
        Ok(Self {
            messages: messages.map_err(|error| located(&error, None))?,
            variables: wire.variables,
            partials: wire.partials.into_iter().map(|(name, leaf)| (name, leaf.text)).collect(),
        })
    }
}

impl<'de> Deserialize<'de> for Variables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl<'de> Visitor<'de> for V {
            type Value = Variables;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("variables: a list of names, or a mapping from names to types")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Variables, A::Error> {
                let mut items: Vec<Variable> = Vec::new();
                while let Some(name) = seq.next_element::<Placed<String>>()? {
                    check_name(&name.value).map_err(|error| located(&error, name.at))?;
                    if items.iter().any(|known| known.name == name.value) {
                        let message = format!("variable {} is listed twice", shown(&name.value));
                        return Err(problem(name.at, &message, None));
                    }
                    items.push(Variable::new(name.value));
                }
                Ok(Variables { short: true, items })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Variables, A::Error> {
                let mut items: Vec<Variable> = Vec::new();
                while let Some(name) = map.next_key::<VariableName>()? {
                    let spec: Placed<WireVariable> = map.next_value()?;
                    if let Some(fault) = &spec.value.fault {
                        return Err(located(fault, spec.at));
                    }
                    let variable = Variable { name: name.0, ..spec.value.variable };
                    variable.check().map_err(|error| located(&error, spec.value.default_at.or(spec.at)))?;
                    items.push(variable);
                }
                Ok(Variables { short: false, items })
            }
        }

        deserializer.deserialize_any(V)
    }
}

/// A key that is a variable's name; the deserializer knows its place.
struct VariableName(String);

impl<'de> Deserialize<'de> for VariableName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        check_name(&name).map_err(|error| de::Error::custom(error.message()))?;
        Ok(Self(name))
    }
}

struct WireVariable {
    variable: Variable,
    default_at: Option<At>,
    /// What is wrong with the type's word, kept until the place is known.
    fault: Option<Error>,
}

impl<'de> Deserialize<'de> for WireVariable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        fn plain(field_type: FieldType) -> WireVariable {
            WireVariable {
                variable: Variable { field_type, ..Variable::new("") },
                default_at: None,
                fault: None,
            }
        }

        impl<'de> Visitor<'de> for V {
            type Value = WireVariable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a type, or a mapping with `type`, `description`, `default`, `required`")
            }

            fn visit_unit<E: de::Error>(self) -> Result<WireVariable, E> {
                Ok(plain(FieldType::Any))
            }

            fn visit_none<E: de::Error>(self) -> Result<WireVariable, E> {
                Ok(plain(FieldType::Any))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<WireVariable, E> {
                Ok(word
                    .parse()
                    .map_or_else(|fault| WireVariable { fault: Some(fault), ..plain(FieldType::Any) }, plain))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireVariable, A::Error> {
                let mut wire = plain(FieldType::Any);
                let variable = &mut wire.variable;
                while let Some(key) =
                    map.next_key_seed(Keys(&["type", "description", "default", "required"]))?
                {
                    match key {
                        "type" => {
                            variable.field_type = map.next_value::<Option<_>>()?.unwrap_or(FieldType::Any);
                        }
                        "description" => variable.description = map.next_value()?,
                        "required" => variable.required = map.next_value()?,
                        _ => {
                            let default: Placed<JsonValue> = map.next_value()?;
                            wire.default_at = default.at;
                            variable.default = Some(default.value.0).filter(|value| !value.is_null());
                        }
                    }
                }
                Ok(wire)
            }
        }

        deserializer.deserialize_any(V)
    }
}

struct JsonValue(Value);

impl<'de> Deserialize<'de> for JsonValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::DeserializeSeed::deserialize(Json(Path::Root("default")), deserializer).map(Self)
    }
}

struct Tools(Vec<Tool>);

impl<'de> Deserialize<'de> for Tools {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl<'de> Visitor<'de> for V {
            type Value = Tools;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tools")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tools, A::Error> {
                let mut tools: Vec<Tool> = Vec::new();
                while let Some(Placed { value: tool, at }) = seq.next_element::<Placed<Tool>>()? {
                    if tools.iter().any(|earlier| earlier.name == tool.name) {
                        return Err(problem(at, &format!("two tools are named `{}`", tool.name), None));
                    }
                    tool.check().map_err(|error| located(&error, at))?;
                    tools.push(tool);
                }
                Ok(Tools(tools))
            }
        }

        deserializer.deserialize_seq(V)
    }
}

mapping!(Tool, "a tool", |map| read_tool(map, true));

fn read_tool<'de, A: MapAccess<'de>>(mut map: A, nested: bool) -> Result<Tool, A::Error> {
    let keys: &[&str] = if nested {
        &["name", "description", "parameters", "strict", "type", "function"]
    } else {
        &["name", "description", "parameters", "strict"]
    };
    let (mut name, mut function, mut flat) = (None::<Placed<String>>, None, None);
    let mut tool = Tool { name: String::new(), description: None, parameters: no_parameters(), strict: None };
    while let Some(key) = map.next_key_seed(Keys(keys))? {
        if !matches!(key, "type" | "function") {
            flat = Some(key);
        }
        match key {
            "name" => name = Some(map.next_value()?),
            "description" => tool.description = map.next_value()?,
            "strict" => tool.strict = map.next_value()?,
            "parameters" => {
                if let Some(parameters) = map.next_value_seed(JsonObject("parameters"))? {
                    tool.parameters = parameters;
                }
            }
            "type" => read_function_type(&map.next_value()?)?,
            _ => function = map.next_value::<Option<NestedTool>>()?,
        }
    }
    match (function, flat) {
        (Some(function), None) => return Ok(function.0),
        (Some(_), Some(key)) => {
            return Err(invalid(&format!("both `function` and `{key}`"), "one form of a tool"));
        }
        (None, _) => {}
    }
    let name = name.ok_or_else(|| de::Error::missing_field("name"))?;
    check_tool_name(&name.value).map_err(|error| located(&error, name.at))?;
    tool.name = name.value;
    Ok(tool)
}

struct NestedTool(Tool);

mapping!(NestedTool, "a function", |map| read_tool(map, false).map(NestedTool));

impl<'de> Deserialize<'de> for ToolChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Placed::<WireChoice>::deserialize(deserializer)?.choice()
    }
}

impl Placed<WireChoice> {
    fn choice<E: de::Error>(self) -> Result<ToolChoice, E> {
        match self.value {
            WireChoice::Named(name) => Ok(ToolChoice::Tool(name)),
            WireChoice::Word(word) => match word.as_str() {
                "auto" => Ok(ToolChoice::Auto),
                "none" => Ok(ToolChoice::None),
                "required" => Ok(ToolChoice::Required),
                _ => Err(located(
                    &unknown(Kind::PromptInvalid, "tool choice", &word, &ToolChoice::WORDS),
                    self.at,
                )),
            },
        }
    }
}

enum WireChoice {
    Word(String),
    Named(String),
}

impl<'de> Deserialize<'de> for WireChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;

        impl<'de> Visitor<'de> for V {
            type Value = WireChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`auto`, `none`, `required` or `{name: …}`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<WireChoice, E> {
                Ok(WireChoice::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireChoice, A::Error> {
                let mut name = None;
                while let Some(key) = map.next_key_seed(Keys(&["name", "type", "function"]))? {
                    match key {
                        "name" => name = Some(map.next_value()?),
                        "type" => read_function_type(&map.next_value()?)?,
                        _ => name = Some(map.next_value::<OnlyName>()?.0),
                    }
                }
                name.map(WireChoice::Named).ok_or_else(|| de::Error::missing_field("name"))
            }
        }

        deserializer.deserialize_any(V)
    }
}

struct OnlyName(String);

mapping!(OnlyName, "a mapping with `name`", |mut map: A| {
    let mut name = None;
    while map.next_key_seed(Keys(&["name"]))?.is_some() {
        name = Some(map.next_value()?);
    }
    name.map(OnlyName).ok_or_else(|| serde::de::Error::missing_field("name"))
});

mapping!(Settings, "settings, which are a mapping", |mut map: A| {
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
    let mut settings = Settings::default();
    while let Some(key) = map.next_key_seed(Keys(KEYS))? {
        match key {
            "model" => settings.model = map.next_value()?,
            "temperature" => settings.temperature = read_temperature(&mut map)?,
            "top_p" => settings.top_p = read_number(&mut map, "top_p", 0.0, 1.0, "from 0 to 1")?,
            "max_tokens" => settings.max_tokens = read_max_tokens(&mut map)?,
            "stop" => settings.stop = map.next_value::<Texts>()?.0,
            "seed" => settings.seed = map.next_value()?,
            "presence_penalty" => settings.presence_penalty = read_finite(&mut map, "presence_penalty")?,
            "frequency_penalty" => settings.frequency_penalty = read_finite(&mut map, "frequency_penalty")?,
            "top_k" => settings.top_k = map.next_value()?,
            _ => settings.extra = map.next_value_seed(JsonObject("settings.extra"))?.unwrap_or_default(),
        }
    }
    Ok(settings)
});

fn read_number<'de, A: MapAccess<'de>>(
    map: &mut A,
    key: &str,
    low: f64,
    high: f64,
    range: &str,
) -> Result<Option<f64>, A::Error> {
    let Some(number) = map.next_value::<Option<Placed<f64>>>()? else { return Ok(None) };
    if number.value.is_finite() && (low..=high).contains(&number.value) {
        return Ok(Some(number.value));
    }
    Err(problem(number.at, &format!("`{key}` must be {range}"), None))
}

fn read_temperature<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<f64>, A::Error> {
    read_number(map, "temperature", 0.0, 2.0, "from 0 to 2")
}

fn read_finite<'de, A: MapAccess<'de>>(map: &mut A, key: &str) -> Result<Option<f64>, A::Error> {
    read_number(map, key, f64::MIN, f64::MAX, "a finite number")
}

fn read_max_tokens<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<u64>, A::Error> {
    let Some(number) = map.next_value::<Option<Placed<i64>>>()? else { return Ok(None) };
    match u64::try_from(number.value) {
        Ok(count) if count > 0 => Ok(Some(count)),
        _ => Err(problem(number.at, "`max_tokens` must be more than 0", None)),
    }
}

mapping!(Metadata, "metadata, which is a mapping", |map| read_metadata(map).map(Metadata));

fn read_metadata<'de, A: MapAccess<'de>>(mut map: A) -> Result<Map<String, Value>, A::Error> {
    let root = Path::Root("metadata");
    let mut metadata = Map::new();
    while let Some(key) = map.next_key::<String>()? {
        let value = match key.as_str() {
            "author" | "description" | "category" => map.next_value::<Option<String>>()?.map(Value::String),
            "tags" | "use_cases" | "model_recommendations" => {
                map.next_value::<Option<Vec<String>>>()?.map(Value::from)
            }
            "temperature" => read_temperature(&mut map)?.map(Value::from),
            "max_tokens" => read_max_tokens(&mut map)?.map(Value::from),
            "custom" => map.next_value_seed(JsonObject("metadata.custom"))?.map(Value::Object),
            _ => Some(map.next_value_seed(Json(Path::Key(&root, &key)))?),
        };
        if let Some(value) = value {
            metadata.insert(key, value);
        }
    }
    Ok(metadata)
}

/// The places of an entry's leaves, in the order of [`super::Message::try_map`].
pub(crate) fn places(entry: &WireEntry) -> Vec<Option<At>> {
    let mut places = Vec::new();
    if let WireEntry::Message(message) = entry {
        // The closure never fails, so there is no error to lose.
        let _: Result<super::Message<()>> = message.try_map(|leaf| {
            places.push(leaf.at);
            Ok(())
        });
    }
    places
}

/// The kind of every error that reading a prompt gives.
pub(crate) fn wrong(message: impl Into<String>) -> Error {
    Error::new(Kind::PromptInvalid, message)
}
