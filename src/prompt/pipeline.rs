//! The render pipeline: from a prompt and variables to text or messages. The manager, every integration, every built-in
//! plugin and the command line use it.
//!
//! 1. If the prompt has an input schema, the required variables must be given, unless the schema supplies them. Then
//!    the schema validates all variables; the later steps use the validated values.
//! 2. Every declared variable is checked: a required one must be given, and a typed one must have its type. Defaults
//!    are added.
//! 3. The templates are rendered, and the placeholders are filled with the given messages.
//! 4. If the prompt has an output schema, the instructions for the answer are appended.

use std::sync::Arc;

use super::compiled::{Asked, Compiled, PromptBody};
use super::library::Declared;
use super::unknown_variables::UnknownVariables;
use super::{Content, Format, Message, Part, PartBody, Role, message};
use crate::error::{ContextValue, Error, Kind, Result, nearest};
use crate::limits::HINT_NAMES;
use crate::schema::json_schema::JsonSchemaMode;
use crate::schema::rules::AllowedValues;
use crate::schema::{FieldType, ResponseSchema, SchemaRef, SharedSchemaSet, Values};
use crate::template::{Data, Library, Output, Sink, Style, Text, ValueKind, WriteOutcome, partial_hint};

/// The key of the output schema, for error messages.
const OUTPUT: &str = "output_schema";

/// The options of one render.
pub struct RenderOptions<'s, T, F, M> {
    /// The schemas that prompts refer to by name.
    pub schemas: Option<&'s SharedSchemaSet<T, F, M>>,
    /// Whether output instructions are appended, if the prompt has an output schema.
    pub output_instructions: bool,
    /// Whether [`Compiled::resolve`] has already resolved the variables. They are then not validated again, because an
    /// input schema may refuse a value that it converted itself, or a default that the prompt added.
    pub resolved: bool,
    /// What is done about variables that the prompt does not declare. `None`: nothing.
    pub unknown: Option<&'s dyn UnknownVariables>,
}

impl<T, F, M> Default for RenderOptions<'_, T, F, M> {
    fn default() -> Self {
        Self { schemas: None, output_instructions: true, resolved: false, unknown: None }
    }
}

/// The role and the text of each message.
pub type PlainMessages<S> = Vec<(Role, S)>;

/// The result of a render.
#[derive(Debug, Clone, PartialEq)]
pub enum Rendered<S> {
    /// The text of a prompt that is not a chat.
    Text(S),
    /// The messages of a chat.
    Messages(Vec<Message<S>>),
    /// The messages of a chat in which each message has only a role and a text that is not blank. This is a faster path
    /// for most chats.
    Plain(PlainMessages<S>),
}

impl<S> Rendered<S> {
    /// The messages of a chat.
    ///
    /// # Errors
    /// The text of a prompt that is not a chat.
    pub fn into_messages(self) -> Result<Vec<Message<S>>, S> {
        match self {
            Self::Text(text) => Err(text),
            Self::Messages(messages) => Ok(messages),
            Self::Plain(texts) => Ok(plain_messages(texts)),
        }
    }
}

fn plain_messages<S>(texts: PlainMessages<S>) -> Vec<Message<S>> {
    texts.into_iter().map(|(role, text)| Message::plain(role, text)).collect()
}

/// [`RenderOptions`] for one kind of data.
pub type RenderOptionsOf<'s, D> =
    RenderOptions<'s, <D as Data>::Text, <D as Values>::Function, <D as Values>::Model>;

impl<T: Text> Compiled<T> {
    /// Renders a text prompt. A chat becomes a transcript for people to read, `role: content`; use
    /// [`Compiled::messages`] for a provider.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`] for a variable that is missing or of another type, and as
    /// [`Template::render`](crate::template::Template::render); [`Kind::Prompt`] for a draft without a
    /// template.
    pub fn render<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        engine: &dyn Library<T>,
    ) -> Result<D::Output> {
        self.render_with(data, variables, engine, &RenderOptions::default())
    }

    /// [`Compiled::render`] with schemas.
    ///
    /// # Errors
    /// As [`Compiled::render`]; [`Kind::SchemaInvalid`] for variables that do not fit the input schema;
    /// [`Kind::Schema`] for a schema that does not exist.
    pub fn render_with<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        engine: &dyn Library<T>,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<D::Output> {
        match &*self.body {
            PromptBody::Text(template) => {
                let output = self.resolved(data, variables, engine, options, |context| {
                    template
                        .render(data, context, None, &self.library(engine))
                        .map_err(|error| self.named(error))
                })?;
                self.appended(data, output, options)
            }
            PromptBody::Chat(_) => {
                Ok(transcript(data, &self.messages_with(data, variables, engine, options)?))
            }
            PromptBody::Nothing => Err(self.template_required()),
        }
    }

    /// Renders a chat prompt to messages.
    ///
    /// # Errors
    /// As [`Compiled::render`]; [`Kind::Prompt`] for a prompt that is not a chat.
    pub fn messages<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        engine: &dyn Library<T>,
    ) -> Result<Vec<Message<D::Output>>> {
        self.messages_with(data, variables, engine, &RenderOptions::default())
    }

    /// [`Compiled::messages`] with schemas.
    ///
    /// # Errors
    /// As [`Compiled::messages`] and [`Compiled::render_with`].
    pub fn messages_with<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        engine: &dyn Library<T>,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Vec<Message<D::Output>>> {
        let chat = match &*self.body {
            PromptBody::Chat(chat) => chat,
            PromptBody::Nothing => return Err(self.template_required()),
            PromptBody::Text(_) => return Err(self.no_messages()),
        };
        let resolved = self.resolve_with(data, variables, engine, options)?;
        let context = resolved.as_ref().unwrap_or(variables);
        let missing = |name: &str| self.missing(data, context, &[name]);
        let messages = chat.messages(data, context, &self.library(engine), &missing);
        self.with_output_instructions(data, messages, options)
    }

    /// Renders to text or to messages, according to the prompt's format, for a conversion.
    ///
    /// # Errors
    /// As [`Compiled::render_with`].
    pub fn rendered<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        engine: &dyn Library<T>,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Rendered<D::Output>> {
        if let Some((texts, is_blank)) = self.plain(data, variables, engine, options)? {
            Ok(if is_blank { Rendered::Messages(plain_messages(texts)) } else { Rendered::Plain(texts) })
        } else if self.is_chat() {
            self.messages_with(data, variables, engine, options).map(Rendered::Messages)
        } else {
            self.render_with(data, variables, engine, options).map(Rendered::Text)
        }
    }

    /// [`Compiled::messages_with`] for a chat with plain messages, to which nothing is appended, and whether one of them
    /// is blank. `None` for any other prompt.
    fn plain<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        engine: &dyn Library<T>,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Option<(PlainMessages<D::Output>, bool)>> {
        let PromptBody::Chat(chat) = &*self.body else { return Ok(None) };
        let is_alone = self.output.is_none() || !options.output_instructions;
        let Some(templates) = chat.plain().filter(|_| is_alone) else { return Ok(None) };
        let partials = self.library(engine);
        let texts = self.resolved(data, variables, engine, options, |context| {
            data.fences().settle(|| {
                let mut is_blank = false;
                let mut texts = Vec::with_capacity(chat.entries.len());
                for (role, template) in templates.clone() {
                    let text =
                        template.render(data, context, None, &partials).map_err(|error| self.named(error))?;
                    is_blank |= may_be_blank(template.source()) && message::is_blank(&text);
                    texts.push((role, text));
                }
                Ok((texts, is_blank))
            })
        });
        texts.map(Some)
    }

    /// Renders with the resolved variables. Where a render finds missing variables by itself, they are looked up only to
    /// describe its failure.
    #[inline]
    fn resolved<D: Values<Text = T>, R>(
        &self,
        data: &D,
        variables: &D::Value,
        engine: &dyn Library<T>,
        options: &RenderOptionsOf<'_, D>,
        render: impl FnOnce(&D::Value) -> Result<R>,
    ) -> Result<R> {
        if !self.is_checked_by_render || options.resolved {
            let resolved = self.resolve_with(data, variables, engine, options)?;
            return render(resolved.as_ref().unwrap_or(variables));
        }
        let rendered = render(variables);
        match &rendered {
            Ok(_) => self.check_unknown(data, variables, Some(self.declared.len()), options)?,
            // A missing variable is the better description. An error of the caller's own code stays.
            Err(error) if error.kind() == Kind::TemplateRender => {
                self.resolve_with(data, variables, engine, options)?;
            }
            Err(_) => {}
        }
        rendered
    }

    /// The variables for a custom template engine, as [`Compiled::resolve`] returns them.
    ///
    /// # Errors
    /// As [`Compiled::render_with`].
    pub fn context<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Option<D::Value>> {
        if matches!(&*self.body, PromptBody::Nothing) {
            return Err(self.template_required());
        }
        self.resolve(data, variables, options)
    }

    /// Builds the result from the texts of [`Compiled::texts`] that a custom engine rendered. `context` are the
    /// variables of that render, with the messages of placeholders.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`] for a placeholder without messages; [`Kind::Prompt`] for too few texts.
    pub fn assembled<D: Values<Text = T>>(
        &self,
        data: &D,
        context: &D::Value,
        texts: Vec<D::Output>,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Rendered<D::Output>> {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().ok_or_else(|| self.named(text_missing()));
        match &*self.body {
            PromptBody::Nothing => Err(self.template_required()),
            PromptBody::Text(_) => self.appended(data, next()?, options).map(Rendered::Text),
            PromptBody::Chat(chat) => {
                let missing = |name: &str| self.missing(data, context, &[name]);
                let messages = chat.messages_by(data, context, &missing, |_| next());
                self.with_output_instructions(data, messages, options).map(Rendered::Messages)
            }
        }
    }

    /// As [`Compiled::render`], of texts that another engine rendered; see [`Compiled::assembled`].
    ///
    /// # Errors
    /// As [`Compiled::assembled`].
    pub fn assembled_text<D: Values<Text = T>>(
        &self,
        data: &D,
        context: &D::Value,
        texts: Vec<D::Output>,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<D::Output> {
        let rendered = self.assembled(data, context, texts, options)?;
        Ok(rendered.into_messages().map_or_else(|text| text, |messages| transcript(data, &messages)))
    }

    /// Appends the instructions for the answer, if there are any, to rendered messages.
    fn with_output_instructions<D: Values<Text = T>>(
        &self,
        data: &D,
        messages: Result<Vec<Message<D::Output>>>,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Vec<Message<D::Output>>> {
        let mut messages = messages.map_err(|error| self.named(error))?;
        if let Some(text) = self.instructions(data, options)? {
            instruct(data, &text, &mut messages);
        }
        Ok(messages)
    }

    /// Resolves the variables to what the templates see: validates them by the input schema, checks them, and adds the
    /// defaults. `None` means that the variables need no change.
    ///
    /// # Errors
    /// As [`Compiled::render_with`] for the variables.
    #[inline]
    pub fn resolve<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Option<D::Value>> {
        if options.resolved {
            return Ok(None);
        }
        let validated = self.validated(data, variables, options)?;
        let (checked, given) = self.checked(data, validated.as_ref().unwrap_or(variables))?;
        // After validation it is not known how many the caller gave.
        self.check_unknown(data, variables, validated.is_none().then_some(given), options)?;
        Ok(checked.or(validated))
    }

    /// As [`Compiled::resolve`]. The error for a missing variable that has the name of a partial says how to include it.
    pub(super) fn resolve_with<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        engine: &dyn Library<T>,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Option<D::Value>> {
        self.resolve(data, variables, options).map_err(|error| {
            let missing = error.context().iter().find_map(|(key, value)| match value {
                ContextValue::Text(name) if *key == "variable" => Some(name.clone()),
                _ => None,
            });
            match missing.filter(|name| error.hint().is_none() && self.may_mean_partial(name, engine)) {
                Some(name) => error.with_hint(partial_hint(&name)),
                None => error,
            }
        })
    }

    /// Whether the author, who declared no variable of this name, may have meant the partial of the name.
    pub(super) fn may_mean_partial(&self, name: &str, engine: &dyn Library<T>) -> bool {
        let is_declared = self.prompt.declared().is_some_and(|declared| declared.get(name).is_some());
        !is_declared && self.library(engine).partial(name).is_some()
    }

    /// Appends the instructions for the answer, if there are any, to rendered text.
    fn appended<D: Values<Text = T>>(
        &self,
        data: &D,
        output: D::Output,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<D::Output> {
        match self.instructions(data, options)? {
            Some(text) => Ok(data.append(output, &format!("\n\n{text}"))),
            None => Ok(output),
        }
    }

    /// The output schema of the prompt.
    ///
    /// # Errors
    /// [`Kind::SchemaParse`] for a JSON Schema in the prompt that is not supported.
    pub fn output_schema(&self) -> Result<Option<&SchemaRef>> {
        self.asked(OUTPUT, self.output.as_deref())
    }

    /// The output schema for a request for structured output. If the strict subset cannot express it, the result is the
    /// full schema and the reason.
    ///
    /// # Errors
    /// As [`Compiled::output_schema`]; [`Kind::Schema`] for a schema that does not exist.
    pub fn response_schema<D: Values<Text = T>>(
        &self,
        data: &D,
        options: &RenderOptionsOf<'_, D>,
        form: JsonSchemaMode,
    ) -> Result<Option<Arc<ResponseSchema>>> {
        let Some(wanted) = self.output_schema()? else { return Ok(None) };
        let none = SharedSchemaSet::default();
        let response = options.schemas.unwrap_or(&none).response(data, wanted, form);
        response.map(Some).map_err(|error| self.about_schema(OUTPUT, error))
    }

    pub(super) fn asked<'c>(&self, key: &str, asked: Option<&'c Asked>) -> Result<Option<&'c SchemaRef>> {
        match asked {
            None => Ok(None),
            Some(Ok(wanted)) => Ok(Some(wanted)),
            Some(Err(error)) => {
                let message = format!("`{key}` of prompt '{}': {}", self.prompt.id, error.message());
                Err(self.named(Error::new(error.kind(), message)).with_optional_hint(error.hint()))
            }
        }
    }

    /// Adds the prompt's id to an error about one of its schemas. The message then begins with the key of the schema.
    pub(super) fn about_schema(&self, key: &str, error: Error) -> Error {
        let message = format!("`{key}` of prompt '{}': {}", self.prompt.id, error.message());
        let kind = error.kind();
        match kind {
            Kind::Schema | Kind::SchemaParse => self.named(error.recast(kind, message)),
            _ => self.named(error),
        }
    }

    /// The variables after validation by the input schema. `None` if there is no schema, or if they do not change.
    #[inline]
    fn validated<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Option<D::Value>> {
        match &self.input {
            None => Ok(None),
            asked => self.validate_input(data, variables, options, asked.as_deref()),
        }
    }

    fn validate_input<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        options: &RenderOptionsOf<'_, D>,
        asked: Option<&Asked>,
    ) -> Result<Option<D::Value>> {
        const KEY: &str = "input_schema";
        let Some(wanted) = self.asked(KEY, asked)? else { return Ok(None) };
        let none = SharedSchemaSet::default();
        let schemas = options.schemas.unwrap_or(&none);
        let compiled = schemas.compiled(wanted).map_err(|error| self.about_schema(KEY, error))?;
        // Only the defaults of variables that are also in the schema. The others are added when the variables are
        // checked.
        let (mut members, mut missing) = (Vec::new(), Vec::new());
        for declared in &*self.declared {
            let name = declared.name.as_str();
            if data.member(variables, &declared.name)?.is_some() {
                continue;
            }
            match &declared.default {
                Some(default) if compiled.has_field(name) => {
                    members.push((&declared.name, data.of_json(default)?));
                }
                None if declared.required && !compiled.supplies(name) => missing.push(name),
                _ => {}
            }
        }
        if !missing.is_empty() {
            return Err(self.missing(data, variables, &missing));
        }
        let completed = if members.is_empty() { None } else { Some(data.overlay(Some(variables), members)?) };
        let given = completed.as_ref().unwrap_or(variables);
        let what = format!("the input of prompt '{}'", self.prompt.id);
        let made = compiled.validate(data, given, &what, None).map_err(|error| self.named(error))?;
        Ok(made.or(completed))
    }

    /// The instructions for the answer, which a render appends.
    ///
    /// # Errors
    /// [`Kind::SchemaParse`] for a JSON Schema in the prompt that is not supported; [`Kind::Schema`] for a schema that
    /// does not exist.
    #[inline]
    pub fn instructions<D: Values<Text = T>>(
        &self,
        data: &D,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<Option<Arc<str>>> {
        if self.output.is_none() || !options.output_instructions {
            return Ok(None);
        }
        let Some(wanted) = self.output_schema()? else { return Ok(None) };
        let none = SharedSchemaSet::default();
        let text = options.schemas.unwrap_or(&none).instructions(data, wanted);
        text.map(Some).map_err(|error| self.about_schema(OUTPUT, error))
    }

    pub(super) fn named(&self, error: Error) -> Error {
        error.with_context("prompt_id", self.prompt.id.as_str())
    }

    /// The error for messages of a prompt that is not a chat.
    #[must_use]
    pub fn no_messages(&self) -> Error {
        let (id, format) = (&self.prompt.id, self.prompt.format);
        Error::new(Kind::Prompt, format!("prompt `{id}` has format {format} and no messages"))
            .with_hint("render it to text")
    }

    pub(super) fn template_required(&self) -> Error {
        let format = self.prompt.format;
        let wanted = if format == Format::Chat { "Chat template" } else { "Template" };
        self.named(
            Error::new(
                Kind::Integration,
                format!("{wanted} required for {} format", format.as_str().to_uppercase()),
            )
            .with_hint("a draft may lack its template, but cannot be rendered"),
        )
    }

    /// Checks the variables. Returns them with the missing defaults, or `None` if they need no change, and how many of
    /// the declared ones were given.
    fn checked<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
    ) -> Result<(Option<D::Value>, usize)> {
        let mut absent = 0;
        let mut missing = Vec::new();
        let mut defaults = Vec::new();
        for declared in &*self.declared {
            let found = data.get(variables, &declared.name)?;
            match found {
                Some(value) if declared.field_type == FieldType::Any => {
                    if declared.default.is_some() && data.kind_of(&value)? == ValueKind::Null {
                        defaults.push(declared);
                    }
                }
                Some(value) if is_of_type(data, declared.field_type, &value)? => {
                    if let Some(allowed) = &declared.allowed
                        && !allowed.has(data, &value, data.kind_of(&value)?)?
                    {
                        return Err(self.not_allowed(declared, allowed));
                    }
                }
                Some(value) if data.kind_of(&value)? == ValueKind::Null && !declared.required => {
                    defaults.push(declared);
                }
                Some(value) => {
                    return Err(match &declared.allowed {
                        Some(allowed) => self.not_allowed(declared, allowed),
                        None => self.wrong_type(declared, data.kind_of(&value)?),
                    });
                }
                None if declared.required => missing.push(declared.name.as_str()),
                None => {
                    absent += 1;
                    defaults.push(declared);
                }
            }
        }
        if !missing.is_empty() {
            return Err(self.missing(data, variables, &missing));
        }
        let mut members = Vec::new();
        for declared in defaults {
            if let Some(default) = &declared.default {
                members.push((&declared.name, data.of_json(default)?));
            }
        }
        let completed = if members.is_empty() { None } else { Some(data.overlay(Some(variables), members)?) };
        Ok((completed, self.declared.len() - absent))
    }

    fn not_allowed(&self, declared: &Declared<T>, allowed: &AllowedValues) -> Error {
        let (name, id) = (declared.name.as_str(), &self.prompt.id);
        let message = format!("variable '{name}' of prompt '{id}' must be one of {allowed}");
        self.named(Error::new(Kind::TemplateRender, message).with_context("variable", name))
    }

    fn wrong_type(&self, declared: &Declared<T>, found: ValueKind) -> Error {
        let (name, wanted) = (declared.name.as_str(), declared.field_type);
        self.named(
            Error::new(
                Kind::TemplateRender,
                format!(
                    "variable '{name}' of prompt '{}' must be of type {wanted}, not {}",
                    self.prompt.id,
                    found.name()
                ),
            )
            .with_context("variable", name),
        )
    }

    fn missing<D: Data<Text = T>>(&self, data: &D, variables: &D::Value, names: &[&str]) -> Error {
        let list: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        let plural = if names.len() == 1 { "" } else { "s" };
        let error = Error::new(
            Kind::TemplateRender,
            format!("Missing variable{plural} {} for prompt '{}'", list.join(", "), self.prompt.id),
        )
        .with_context("variable", names.first().copied().unwrap_or_default())
        .with_context("variables", names.iter().map(ToString::to_string).collect::<Vec<_>>());
        let given = match data.names(variables, HINT_NAMES) {
            Ok(given) => given,
            Err(error) => return error,
        };
        // A name that is declared is not a misspelling of another, and no name is a misspelling of itself.
        let stray = given.iter().map(String::as_str);
        let stray = stray.filter(|name| !self.declares(name) && !names.contains(name));
        let error = match names
            .iter()
            .take(20)
            .find_map(|name| nearest(name, stray.clone().take(100)).map(|near| (*name, near)))
        {
            Some((name, near)) => error.with_hint(format!("`{near}` was given: is it meant to be `{name}`?")),
            None => error,
        };
        self.named(error)
    }
}

/// Whether a template may render to blank text: unless it begins with a text of its own, which spares the look at what
/// was rendered.
fn may_be_blank(source: &str) -> bool {
    let source = source.trim_start();
    source.is_empty() || source.starts_with("{{")
}

/// The error for fewer rendered texts than the prompt has templates.
pub(super) fn text_missing() -> Error {
    Error::new(Kind::Prompt, "a text of the prompt was not rendered")
}

/// Appends the instructions to the last of the leading system messages, or adds a system message for them.
fn instruct<D: Values>(data: &D, text: &str, messages: &mut Vec<Message<D::Output>>) {
    let leading = |message: &&mut Message<D::Output>| matches!(message.role, Role::System | Role::Developer);
    let Some(last) = messages.iter_mut().take_while(leading).last() else {
        messages.insert(0, Message::plain(Role::System, data.output(text)));
        return;
    };
    append(data, text, last);
}

/// Appends a text to the content of a message.
pub(super) fn append<D: Values>(data: &D, text: &str, message: &mut Message<D::Output>) {
    match &mut message.content {
        Some(Content::Text(known)) => {
            *known = data.append(known.clone(), &format!("\n\n{text}"));
        }
        Some(Content::Parts(parts)) => {
            parts.push(Part { body: PartBody::Text(data.output(text)), cache: None });
        }
        none => *none = Some(Content::Text(data.output(text))),
    }
}

/// Whether a value is of a type, without conversion. Dates, datetimes and UUIDs may be texts in ISO form.
fn is_of_type<D: Data>(data: &D, wanted: FieldType, value: &D::Value) -> Result<bool> {
    let kind = data.kind_of(value)?;
    Ok(match wanted {
        FieldType::Any => true,
        FieldType::String => kind == ValueKind::String,
        FieldType::Integer => kind == ValueKind::Integer,
        FieldType::Float => matches!(kind, ValueKind::Float | ValueKind::Integer),
        FieldType::Boolean => kind == ValueKind::Bool,
        FieldType::List => matches!(kind, ValueKind::Sequence | ValueKind::Iterable),
        FieldType::Dict => matches!(kind, ValueKind::Mapping | ValueKind::Record),
        FieldType::Enum => !matches!(
            kind,
            ValueKind::Null | ValueKind::Sequence | ValueKind::Mapping | ValueKind::Record | ValueKind::Other
        ),
        FieldType::Date if kind == ValueKind::Date => true,
        FieldType::DateTime if kind == ValueKind::DateTime => true,
        FieldType::Uuid if kind == ValueKind::Uuid => true,
        FieldType::Date | FieldType::DateTime | FieldType::Uuid if kind == ValueKind::String => {
            let mut sink = data.sink();
            let style = Style { html: false, lenient: false, javascript_numbers: false };
            data.write(value, style, &mut sink)? == WriteOutcome::Done
                && sink.finish().with_str(|text| wanted.fits(&text.into()))
        }
        FieldType::Date | FieldType::DateTime | FieldType::Uuid => false,
    })
}

/// The messages as a text for people to read.
fn transcript<D: Data>(data: &D, messages: &[Message<D::Output>]) -> D::Output {
    let mut out = data.sink();
    for (at, message) in messages.iter().enumerate() {
        if at > 0 {
            out.str("\n\n");
        }
        transcribe(message, &mut out);
    }
    out.finish()
}

/// Writes one message of a transcript.
fn transcribe<S: Sink>(message: &Message<S::Output>, out: &mut S)
where
    S::Output: Output,
{
    let line = |text: &S::Output, out: &mut S| text.with_str(|text| out.str(text));
    out.str(message.role.as_str());
    if let Some(name) = &message.name {
        out.str(" (");
        line(name, out);
        out.str(")");
    }
    out.str(": ");
    match &message.content {
        None => {}
        Some(Content::Text(text)) => line(text, out),
        Some(Content::Parts(parts)) => {
            for (at, part) in parts.iter().enumerate() {
                if at > 0 {
                    out.str("\n");
                }
                match &part.body {
                    PartBody::Text(text) => line(text, out),
                    PartBody::ImageUrl { url, .. } => {
                        out.str("[image ");
                        let shown: String = url.with_str(|url| url.chars().take(60).collect());
                        out.str(&shown);
                        out.str("]");
                    }
                    PartBody::Image { .. } | PartBody::UploadedImage { .. } => out.str("[image]"),
                    PartBody::Audio { .. } => out.str("[audio]"),
                    PartBody::SearchResult(result) => {
                        out.str("[search result ");
                        line(&result.title, out);
                        out.str("]");
                    }
                    PartBody::File(file) => {
                        out.str("[file");
                        if let Some(filename) = file.filename.as_ref().or(file.title.as_ref()) {
                            out.str(" ");
                            line(filename, out);
                        }
                        out.str("]");
                    }
                }
            }
        }
    }
    if let Some(refusal) = &message.refusal {
        out.str("[refuses: ");
        line(refusal, out);
        out.str("]");
    }
    let calls = message.tool_calls.iter().map(|call| &call.function).chain(&message.function_call);
    for call in calls {
        out.str("[calls ");
        line(&call.name, out);
        out.str(" with ");
        out.str(&call.arguments.to_json_text().unwrap_or_default());
        out.str("]");
    }
}
