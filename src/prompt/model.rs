//! The prompt as its author wrote it, and the rules between its parts.
//!
//! `read` and `read_message` read it, `write` writes it. Templates are text here; nothing is compiled.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::message::{Message, Role};
use super::{Metadata, PromptId, Settings, Tool, ToolChoice, Variables, Version, check_label};
use crate::de::words;
use crate::error::{Error, Kind, Result, nearest};

/// The format of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A text.
    Text,
    /// Chat messages.
    Chat,
    /// The beginning of a text, which the model continues.
    Completion,
    /// A task as one text.
    Instruction,
}

impl Format {
    /// Every format, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Text, Self::Chat, Self::Completion, Self::Instruction];

    /// The name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Chat => "chat",
            Self::Completion => "completion",
            Self::Instruction => "instruction",
        }
    }
}

words!(Format, "format", Kind::PromptInvalid);

/// The lifecycle status of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// In preparation; may lack its template and may be overwritten.
    Draft,
    /// In use.
    Active,
    /// Still in use, but should be replaced.
    Deprecated,
    /// No longer in use.
    Archived,
}

impl Status {
    /// Every status, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Active, Self::Deprecated, Self::Archived];

    /// The name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Deprecated => "deprecated",
            Self::Archived => "archived",
        }
    }
}

words!(Status, "status", Kind::PromptInvalid);
words!(Role, "role", Kind::PromptInvalid);

/// Partials by name, in the order of the file.
pub type Partials = Vec<(String, String)>;

/// A template for one text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TextTemplate {
    /// The template.
    pub content: String,
    /// The declared variables; taken from the template if absent.
    pub variables: Option<Variables>,
    /// The partials that the template can include.
    pub partials: Partials,
}

/// A template for messages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatTemplate {
    /// Messages and placeholders, in order.
    pub messages: Vec<ChatEntry>,
    /// The declared variables; taken from the templates if absent.
    pub variables: Option<Variables>,
    /// The partials that the messages can include.
    pub partials: Partials,
}

/// One entry of a chat template.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly every entry is a message")]
pub enum ChatEntry {
    /// A message whose leaves are templates.
    Message(Message<String>),
    /// A placeholder, which a render replaces by given messages.
    Placeholder {
        /// The variable that gives the messages.
        name: String,
        /// Whether the variable may be missing.
        optional: bool,
    },
}

/// The `input_schema` or `output_schema` of a prompt: a name, or the JSON Schema itself.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemaSource {
    /// The name of a registered schema.
    Name(String),
    /// A JSON Schema.
    Inline(Map<String, Value>),
}

/// A prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The id.
    pub id: PromptId,
    /// The version.
    pub version: Version,
    /// The format.
    pub format: Format,
    /// The lifecycle status.
    pub status: Status,
    /// The template of a text, completion or instruction prompt.
    pub template: Option<TextTemplate>,
    /// The template of a chat prompt.
    pub chat_template: Option<ChatTemplate>,
    /// The tools that it offers to the model.
    pub tools: Vec<Tool>,
    /// Which tools the model may or must call.
    pub tool_choice: Option<ToolChoice>,
    /// The settings as written; [`Prompt::settings`] gives the effective ones.
    pub settings: Settings,
    /// The schema of the variables.
    pub input_schema: Option<SchemaSource>,
    /// The schema of the model's answer.
    pub output_schema: Option<SchemaSource>,
    /// The metadata.
    pub metadata: Metadata,
    /// The labels that point to this version.
    pub labels: Vec<String>,
    /// An identifier that does not change when the prompt is renamed.
    pub uid: Option<Uuid>,
    /// The time of creation.
    pub created_at: Option<Timestamp>,
    /// The time of the last change.
    pub updated_at: Option<Timestamp>,
}

impl Prompt {
    /// Makes an empty draft in version 1.0.0.
    #[must_use]
    pub fn new(id: PromptId, format: Format) -> Self {
        Self {
            id,
            version: Version::default(),
            format,
            status: Status::Draft,
            template: None,
            chat_template: None,
            tools: Vec::new(),
            tool_choice: None,
            settings: Settings::default(),
            input_schema: None,
            output_schema: None,
            metadata: Metadata::default(),
            labels: Vec::new(),
            uid: None,
            created_at: None,
            updated_at: None,
        }
    }

    /// The effective settings: those under `settings`; where it has no temperature or `max_tokens`, those of the
    /// metadata.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let mut settings = self.settings.clone();
        settings.temperature = settings.temperature.or_else(|| self.metadata.temperature());
        settings.max_tokens = settings.max_tokens.or_else(|| self.metadata.max_tokens());
        settings
    }

    /// The declared variables of the text or chat template.
    #[must_use]
    pub fn variables(&self) -> Option<&Variables> {
        match (&self.template, &self.chat_template) {
            (Some(template), _) => template.variables.as_ref(),
            (None, Some(chat)) => chat.variables.as_ref(),
            (None, None) => None,
        }
    }

    /// The declared variables; `None` for an empty declaration, which counts as absent.
    pub(crate) fn declared(&self) -> Option<&Variables> {
        self.variables().filter(|variables| !variables.items.is_empty())
    }

    /// The partials of the text or chat template.
    #[must_use]
    pub fn partials(&self) -> &[(String, String)] {
        match (&self.template, &self.chat_template) {
            (Some(template), _) => &template.partials,
            (None, Some(chat)) => &chat.partials,
            (None, None) => &[],
        }
    }

    /// Calls `each` with every template and every partial, in reading order.
    pub fn each_text<'p>(&'p self, each: &mut impl FnMut(&'p str)) {
        let partials = match (&self.template, &self.chat_template) {
            (Some(template), _) => {
                each(&template.content);
                &template.partials
            }
            (None, Some(chat)) => {
                for entry in &chat.messages {
                    if let ChatEntry::Message(message) = entry {
                        // The closure always returns `Ok`, so this cannot fail.
                        let _ = message.try_map(|text| {
                            each(text);
                            Ok(())
                        });
                    }
                }
                &chat.partials
            }
            (None, None) => return,
        };
        for (_, text) in partials {
            each(text);
        }
    }

    /// Checks the rules between the parts: format and template agree, only a draft lacks its template, a chat has a
    /// message, no two tools share a name, the tool choice names a tool, and the names of labels are valid.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] with `prompt_id`: the first rule that is broken.
    pub fn check(&self) -> Result<()> {
        match self.problems(|_| true).into_iter().next() {
            None => Ok(()),
            Some((_, error)) => Err(error.with_context("prompt_id", self.id.as_str())),
        }
    }

    /// The rules of [`Prompt::check`] that are broken. `is_known` returns whether the value of a key could be read;
    /// rules about other keys are not checked.
    pub(super) fn problems(&self, is_known: impl Fn(&str) -> bool) -> Vec<(PromptPart, Error)> {
        let mut problems = Vec::new();
        self.check_template(&is_known, &mut problems);
        let mut earlier: HashMap<&str, Vec<&Tool>> = HashMap::new();
        for (index, tool) in self.tools.iter().enumerate() {
            let namesakes = earlier.entry(tool.name()).or_default();
            let clashes = namesakes.iter().any(|earlier| earlier.clashes_with(tool));
            namesakes.push(tool);
            if let Err(error) = tool.check() {
                problems.push((PromptPart::Tool(index), error));
            } else if clashes {
                let message = format!("two tools are named `{}`", tool.name());
                let error =
                    invalid(message).with_hint("rename one of them: a model calls a tool by its name");
                problems.push((PromptPart::Tool(index), error));
            }
        }
        if is_known("tools") {
            problems.extend(self.check_choice().err().map(|error| (PromptPart::Key("tool_choice"), error)));
        }
        for (index, label) in self.labels.iter().enumerate() {
            problems.extend(check_label(label).err().map(|error| (PromptPart::Label(index), error)));
        }
        problems
    }

    /// Checks that the prompt can be stored, which a draft without a template cannot.
    ///
    /// # Errors
    /// [`Kind::Prompt`] for such a draft.
    pub fn check_storable(&self) -> Result<()> {
        if self.template.is_some() || self.chat_template.is_some() {
            return Ok(());
        }
        let id = &self.id;
        Err(Error::new(Kind::Prompt, format!("prompt '{id}' has no template and cannot be stored"))
            .with_context("prompt_id", id.as_str())
            .with_hint("add a template; a draft without one can only be edited"))
    }

    fn check_template(&self, is_known: &impl Fn(&str) -> bool, problems: &mut Vec<(PromptPart, Error)>) {
        let format = self.format;
        let chat = format == Format::Chat;
        if is_known("format") {
            if self.template.is_some() && self.chat_template.is_some() {
                let error = invalid("a prompt has `template` or `messages`, not both".to_owned())
                    .with_hint("a chat has `messages`; every other prompt has a `template`");
                problems.push((PromptPart::Key("chat_template"), error));
            } else if chat && self.template.is_some() {
                let message = "format chat takes `messages`, not `template`".to_owned();
                problems.push((PromptPart::Key("template"), invalid(message)));
            } else if !chat && self.chat_template.is_some() {
                let error = invalid(format!("format {format} takes `template`, not `messages`"))
                    .with_hint("write `format: chat`, or leave the format out");
                problems.push((PromptPart::Key("chat_template"), error));
            }
        }
        let key = if chat { "messages" } else { "template" };
        let may_lack = self.status == Status::Draft
            || self.template.is_some()
            || self.chat_template.is_some()
            || !["format", "status", "template", "chat_template"].into_iter().all(is_known);
        if !may_lack {
            let error = invalid(format!("format {format} needs `{key}`"))
                .with_hint("only a draft (`status: draft`) may lack it");
            problems.push((PromptPart::Key("format"), error));
        }
        if is_known("chat_template")
            && self.chat_template.as_ref().is_some_and(|chat| chat.messages.is_empty())
        {
            let message = "a chat needs at least one message".to_owned();
            problems.push((PromptPart::Key("chat_template"), invalid(message)));
        }
    }

    fn check_choice(&self) -> Result<()> {
        match &self.tool_choice {
            Some(ToolChoice::Tool(name)) if !self.tools.iter().any(|tool| tool.name() == name) => {
                let message = format!("`tool_choice` names `{name}`, which is not a tool of this prompt");
                Err(match nearest(name, self.tools.iter().map(Tool::name)) {
                    Some(meant) => invalid(format!("{message}; did you mean `{meant}`?")),
                    None => invalid(message)
                        .with_hint("list it under `tools`, or write `auto`, `none` or `required`"),
                })
            }
            Some(ToolChoice::Required) if self.tools.is_empty() => {
                Err(invalid("`tool_choice: required` needs a tool under `tools`".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// The part of a prompt that breaks a rule.
#[derive(Debug, Clone, Copy)]
pub(super) enum PromptPart {
    /// The value of a key.
    Key(&'static str),
    /// A tool.
    Tool(usize),
    /// A label.
    Label(usize),
}

fn invalid(message: String) -> Error {
    Error::new(Kind::PromptInvalid, message)
}
