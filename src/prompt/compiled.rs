//! A prompt with its templates compiled. The registry keeps it, and every render and conversion starts from it.

use std::any::Any;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::chat::Chat;
use super::compiler::{Compiler, TemplateError};
use super::library::{Declared, PromptLibrary};
use super::{Format, Prompt, SchemaSource, Status, TemplateLocation, Variables};
use crate::error::{Error, Kind, Result};
use crate::schema::rules::AllowedValues;
use crate::schema::{FieldType, SchemaRef, json_schema};
use crate::template::{EmptyLibrary, LayeredLibrary, Library, Template, TemplateOptions, Text};

/// A prompt that is ready to render. It never changes.
#[derive(Debug)]
pub struct Compiled<T> {
    pub(super) prompt: Arc<Prompt>,
    pub(super) body: Arc<PromptBody<T>>,
    pub(super) partials: Arc<BTreeMap<Box<str>, Template<T>>>,
    pub(super) declared: Arc<[Declared<T>]>,
    /// Whether a render finds by itself every variable that is missing. The variables then need no other check.
    pub(super) is_checked_by_render: bool,
    pub(super) input: Option<Arc<Asked>>,
    pub(super) output: Option<Arc<Asked>>,
    /// See [`Compiled::content_hash`]. Labels are no content, so prompts that differ in them share it.
    pub(super) content_hash: Arc<OnceLock<String>>,
    /// See [`Compiled::version_text`].
    pub(super) version_text: Arc<OnceLock<Box<str>>>,
    /// See [`Compiled::attachment`].
    pub(super) attachment: OnceLock<Box<dyn Any + Send + Sync>>,
}

/// The schema that a prompt refers to, or the error in a schema that is written in the prompt.
pub(super) type Asked = Result<SchemaRef>;

fn asked(key: &str, schema: Option<&SchemaSource>) -> Option<Asked> {
    Some(match schema? {
        SchemaSource::Name(name) => Ok(SchemaRef::Name(name.as_str().into())),
        SchemaSource::Inline(document) => json_schema::read(key, &Value::Object(document.clone()))
            .map(|schema| SchemaRef::Inline(Arc::new(schema))),
    })
}

/// The compiled templates of a prompt.
#[derive(Debug)]
pub(super) enum PromptBody<T> {
    /// No template yet: the prompt is a draft.
    Nothing,
    Text(Template<T>),
    Chat(Chat<T>),
}

/// The description of one variable of a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct VariableInfo {
    /// The name.
    pub name: String,
    /// The type that its value must have.
    pub field_type: FieldType,
    /// The values of an enum; empty for other types.
    pub values: Vec<Value>,
    /// Whether a render fails without it.
    pub required: bool,
    /// The value that is used when the caller gives none.
    pub default: Option<Value>,
    /// The author's description.
    pub description: Option<String>,
}

impl<T: Text> Compiled<T> {
    /// Compiles every template of a prompt; `engine` holds the partials that are not its own.
    ///
    /// # Errors
    /// The first template that does not parse. [`Compiled::compile_all`] gives them all.
    pub fn compile(prompt: Prompt, options: &TemplateOptions, engine: &dyn Library<T>) -> Result<Self> {
        let first = match Self::parse(&prompt, options, engine) {
            Ok(parts) => return Ok(Self::assemble(prompt, parts)),
            Err(errors) => errors.into_iter().next().map(|first| first.error),
        };
        let error = first.unwrap_or_else(|| Error::new(Kind::Prompt, "the prompt cannot be compiled"));
        Err(error.with_context("prompt_id", prompt.id.as_str()))
    }

    /// Compiles every template of a prompt, and passes all errors at once to `report`.
    pub fn compile_all(
        prompt: Prompt,
        options: &TemplateOptions,
        engine: &dyn Library<T>,
        report: impl FnOnce(&Prompt, Vec<TemplateError<'_>>),
    ) -> Option<Self> {
        match Self::parse(&prompt, options, engine) {
            Ok(parts) => Some(Self::assemble(prompt, parts)),
            Err(errors) => {
                report(&prompt, errors);
                None
            }
        }
    }

    /// Keeps the texts of a prompt unparsed, for a custom template engine. Only the declared
    /// variables are known then, because the texts cannot be searched for others.
    ///
    /// # Errors
    /// The first text that passes a limit.
    pub fn opaque(prompt: Prompt, options: &TemplateOptions) -> Result<Self> {
        let literal = |text: &String| Template::literal("", text, options);
        let body = match (&prompt.template, &prompt.chat_template) {
            (Some(template), _) => PromptBody::Text(literal(&template.content)?),
            (None, Some(chat)) => PromptBody::Chat(Chat::opaque(&chat.messages, literal)?),
            (None, None) => PromptBody::Nothing,
        };
        let declared = declare(&prompt, &body, &EmptyLibrary)?;
        Ok(Self::assemble(prompt, (body, BTreeMap::new(), declared)))
    }

    /// The texts that are templates, in the order in which [`Compiled::assembled`] takes them rendered. Partials are
    /// not among them.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        match &*self.body {
            PromptBody::Nothing => Vec::new(),
            PromptBody::Text(template) => vec![template.source()],
            PromptBody::Chat(chat) => chat.texts(),
        }
    }

    /// The templates that do not parse, of a prompt that has other mistakes.
    pub fn template_errors<'p>(
        prompt: &'p Prompt,
        options: &TemplateOptions,
        engine: &dyn Library<T>,
    ) -> Vec<TemplateError<'p>> {
        let mut compiler = Compiler::<T>::new(None, options, engine);
        for (name, source) in prompt.partials() {
            compiler.template(TemplateLocation::Partial(name), source);
        }
        Self::compile_body(&mut compiler, prompt);
        compiler.into_errors()
    }

    /// Compiles the template or the messages.
    fn compile_body<'p>(compiler: &mut Compiler<'_, 'p, T>, prompt: &'p Prompt) -> PromptBody<T> {
        match (&prompt.template, &prompt.chat_template) {
            (Some(template), _) => compiler
                .template(TemplateLocation::Template, &template.content)
                .map_or(PromptBody::Nothing, PromptBody::Text),
            (None, Some(chat)) => PromptBody::Chat(Chat::parse(compiler, &chat.messages)),
            (None, None) => PromptBody::Nothing,
        }
    }

    fn parse<'p>(
        prompt: &'p Prompt,
        options: &TemplateOptions,
        engine: &dyn Library<T>,
    ) -> Result<Parts<T>, Vec<TemplateError<'p>>> {
        let mut compiler = Compiler::new(Some(prompt.id.as_str()), options, engine);
        let own = match (&prompt.template, &prompt.chat_template) {
            (Some(template), _) => template.partials.as_slice(),
            (None, Some(chat)) => chat.partials.as_slice(),
            (None, None) => &[],
        };
        let mut partials = BTreeMap::new();
        for (name, source) in own {
            if let Some(partial) = compiler.template(TemplateLocation::Partial(name), source) {
                partials.insert(name.as_str().into(), partial);
            }
        }
        let body = Self::compile_body(&mut compiler, prompt);
        let errors = compiler.into_errors();
        if !errors.is_empty() {
            return Err(errors);
        }
        match declare(prompt, &body, &LayeredLibrary(&partials, engine)) {
            Ok(declared) => Ok((body, partials, declared)),
            Err(error) => {
                let location = match &body {
                    PromptBody::Chat(_) => TemplateLocation::Message { index: 0, text: 0 },
                    _ => TemplateLocation::Template,
                };
                Err(vec![TemplateError { location, error }])
            }
        }
    }

    fn assemble(prompt: Prompt, (body, partials, declared): Parts<T>) -> Self {
        let input = asked("input_schema", prompt.input_schema.as_ref()).map(Arc::new);
        let output = asked("output_schema", prompt.output_schema.as_ref()).map(Arc::new);
        let checks = input.is_none() && finds_missing(&prompt, &body, &declared);
        let compiled = Self::without_schemas(prompt, body, Arc::new(partials), declared);
        Self { input, output, is_checked_by_render: checks, ..compiled }
    }

    pub(super) fn without_schemas(
        prompt: Prompt,
        body: PromptBody<T>,
        partials: Arc<BTreeMap<Box<str>, Template<T>>>,
        declared: Vec<Declared<T>>,
    ) -> Self {
        Self {
            prompt: Arc::new(prompt),
            body: Arc::new(body),
            partials,
            declared: declared.into(),
            is_checked_by_render: false,
            input: None,
            output: None,
            content_hash: Arc::default(),
            version_text: Arc::default(),
            attachment: OnceLock::new(),
        }
    }

    /// The same prompt with other labels. The compiled templates are shared; the attachment is not.
    #[must_use]
    pub fn with_labels(&self, labels: Vec<String>) -> Self {
        Self { prompt: Arc::new(Prompt { labels, ..(*self.prompt).clone() }), ..self.without_attachment() }
    }

    /// The same prompt with an attachment of its own. Everything else is shared, so this copies no text.
    #[must_use]
    pub fn without_attachment(&self) -> Self {
        Self {
            prompt: Arc::clone(&self.prompt),
            body: Arc::clone(&self.body),
            partials: Arc::clone(&self.partials),
            declared: Arc::clone(&self.declared),
            is_checked_by_render: self.is_checked_by_render,
            input: self.input.clone(),
            output: self.output.clone(),
            content_hash: Arc::clone(&self.content_hash),
            version_text: Arc::clone(&self.version_text),
            attachment: OnceLock::new(),
        }
    }

    /// The [content hash](Prompt::content_hash) for our engine. The first call computes it.
    #[must_use]
    pub fn content_hash(&self) -> &str {
        self.content_hash.get_or_init(|| self.prompt.content_hash(None))
    }

    /// The number of the version as text.
    #[must_use]
    pub fn version_text(&self) -> &str {
        self.version_text.get_or_init(|| self.prompt.version.to_string().into())
    }

    /// The value that a binding keeps with this prompt, made by the first call. It is dropped with the prompt, so that a
    /// replaced or deleted version leaves nothing behind. A value of another type is never stored: there is one binding.
    pub fn attachment<A: Any + Send + Sync + Default>(&self) -> Option<&A> {
        self.attachment.get_or_init(|| Box::<A>::default()).downcast_ref()
    }

    /// Calls `each` with the template of every text, in reading order. Partials are not among them.
    pub fn each_template(&self, mut each: impl FnMut(TemplateLocation<'static>, &Template<T>)) {
        match &*self.body {
            PromptBody::Nothing => {}
            PromptBody::Text(template) => each(TemplateLocation::Template, template),
            PromptBody::Chat(chat) => chat.each_template(each),
        }
    }

    /// The partials of the prompt.
    #[must_use]
    pub fn partials(&self) -> &BTreeMap<Box<str>, Template<T>> {
        &self.partials
    }

    /// The input schema of the prompt.
    ///
    /// # Errors
    /// [`Kind::SchemaParse`] for a JSON Schema in the prompt that cannot be a schema.
    pub fn input_schema(&self) -> Result<Option<&SchemaRef>> {
        self.asked("input_schema", self.input.as_deref())
    }

    /// The prompt as its author wrote it.
    #[must_use]
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// What its templates use by name: its own partials and declared variables, and what the engine has.
    pub(super) fn library<'c>(&'c self, engine: &'c dyn Library<T>) -> PromptLibrary<'c, T> {
        PromptLibrary { partials: &self.partials, declared: &self.declared, engine }
    }

    /// The variables in order, placeholders last.
    #[must_use]
    pub fn variables(&self) -> Vec<VariableInfo> {
        // Where the prompt declares variables, they are these, in the same order.
        let written = self.prompt.declared().map(|declared| declared.items.as_slice()).unwrap_or_default();
        let mut infos: Vec<VariableInfo> = self
            .declared
            .iter()
            .enumerate()
            .map(|(index, variable)| {
                let written = written.get(index);
                VariableInfo {
                    name: variable.name.as_str().to_owned(),
                    field_type: variable.field_type,
                    values: written.map(|written| written.values.clone()).unwrap_or_default(),
                    required: variable.required,
                    default: variable.default.clone(),
                    description: written.and_then(|written| written.description.clone()),
                }
            })
            .collect();
        if let PromptBody::Chat(chat) = &*self.body {
            for (name, optional) in chat.placeholders() {
                if !infos.iter().any(|info| info.name == name) {
                    infos.push(VariableInfo {
                        name: name.to_owned(),
                        field_type: FieldType::List,
                        values: Vec::new(),
                        required: !optional,
                        default: None,
                        description: None,
                    });
                }
            }
        }
        infos
    }

    /// The prompt's status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.prompt.status
    }

    /// Whether it renders to messages.
    #[must_use]
    pub fn is_chat(&self) -> bool {
        self.prompt.format == Format::Chat
    }
}

type Parts<T> = (PromptBody<T>, BTreeMap<Box<str>, Template<T>>, Vec<Declared<T>>);

/// The variables that every render checks: those that the prompt declares, or else those that its templates read.
pub(super) fn declare<T: Text>(
    prompt: &Prompt,
    body: &PromptBody<T>,
    partials: &dyn Library<T>,
) -> Result<Vec<Declared<T>>> {
    let declared = prompt.declared();
    let read = match declared {
        // Only the short form asks how the templates use a name.
        Some(Variables { short: false, .. }) => BTreeMap::new(),
        _ => read(body, partials)?,
    };
    let needs = |name: &str| read.get(name).is_none_or(|needed| *needed);
    Ok(match declared {
        None => read
            .iter()
            .map(|(name, required)| Declared {
                name: T::new(name),
                field_type: FieldType::Any,
                allowed: None,
                required: *required,
                default: None,
            })
            .collect(),
        Some(variables) => variables
            .items
            .iter()
            .map(|variable| Declared {
                name: T::new(&variable.name),
                field_type: variable.field_type,
                allowed: (variable.field_type == FieldType::Enum)
                    .then(|| Box::new(AllowedValues::new(&variable.values))),
                required: variable.is_required() && (!variables.short || needs(&variable.name)),
                default: variable.default.clone(),
            })
            .collect(),
    })
}

/// Whether a render of the templates fails if a required variable is missing, and no variable has a type or a default. Where
/// the prompt declares its variables, all of them must be required: the number of those that were given shows whether the
/// caller gave others too.
fn finds_missing<T: Text>(prompt: &Prompt, body: &PromptBody<T>, declared: &[Declared<T>]) -> bool {
    let is_plain = |variable: &Declared<T>| {
        variable.field_type == FieldType::Any && variable.default.is_none() && variable.allowed.is_none()
    };
    let are_required = prompt.declared().is_none() || declared.iter().all(|variable| variable.required);
    if !are_required || !declared.iter().all(is_plain) {
        return false;
    }
    let printed: Option<Vec<Vec<&str>>> = match body {
        PromptBody::Nothing => None,
        PromptBody::Text(template) => template.always_printed().map(|printed| vec![printed]),
        PromptBody::Chat(chat) => chat
            .plain()
            .and_then(|messages| messages.map(|(_, template)| template.always_printed()).collect()),
    };
    let Some(printed) = printed else { return false };
    let printed: HashSet<&str> = printed.into_iter().flatten().collect();
    declared.iter().all(|variable| !variable.required || printed.contains(variable.name.as_str()))
}

/// The variables that the templates read, and whether a render needs them. Placeholders are not among them.
pub(super) fn read<T: Text>(
    body: &PromptBody<T>,
    partials: &dyn Library<T>,
) -> Result<BTreeMap<String, bool>> {
    let found = match body {
        PromptBody::Nothing => return Ok(BTreeMap::new()),
        PromptBody::Text(template) => template.variables(partials)?,
        PromptBody::Chat(chat) => chat.variables(partials)?,
    };
    Ok(found.into_iter().map(|(name, variable)| (name, variable.required)).collect())
}
