//! A prompt with its templates compiled: what the registry keeps and what renders.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::chat::{Chat, Entry};
use super::{ChatEntry, Format, Prompt, SchemaRef, Status, TemplateLocation, Variables};
use crate::error::{Error, Kind, Result, nearest};
use crate::schema::{FieldType, Wanted, json_schema};
use crate::template::{Both, EmptyLibrary, Library, Options, Template, Text};

/// A prompt that is ready to render. It never changes.
#[derive(Debug)]
pub struct Compiled<T> {
    pub(super) prompt: Prompt,
    pub(super) body: Arc<Body<T>>,
    pub(super) partials: Arc<BTreeMap<Box<str>, Template<T>>>,
    pub(super) declared: Arc<[Declared<T>]>,
    pub(super) input: Option<Arc<Asked>>,
    pub(super) output: Option<Arc<Asked>>,
}

/// A schema that the prompt asks for, or why its own cannot be one.
pub(super) type Asked = Result<Wanted>;

fn asked(key: &str, schema: Option<&SchemaRef>) -> Option<Asked> {
    Some(match schema? {
        SchemaRef::Name(name) => Ok(Wanted::Name(name.as_str().into())),
        SchemaRef::Inline(document) => json_schema::read(key, &Value::Object(document.clone()))
            .map(|schema| Wanted::Own(Arc::new(schema))),
    })
}

/// What there is to render.
#[derive(Debug)]
pub(super) enum Body<T> {
    /// Nothing yet: a draft.
    Nothing,
    Text(Template<T>),
    Chat(Chat<T>),
}

/// A variable that a render checks.
#[derive(Debug)]
pub(super) struct Declared<T> {
    pub(super) name: T,
    pub(super) field_type: FieldType,
    pub(super) required: bool,
    pub(super) default: Option<Value>,
}

/// A template of a prompt that does not parse, and which one.
pub struct Fault<'p> {
    /// Where in the prompt.
    pub leaf: TemplateLocation<'p>,
    /// What is wrong, with the place in the template.
    pub error: Error,
}

/// What a variable of a prompt is, for people and programs to read.
#[derive(Debug, Clone, PartialEq)]
pub struct VariableInfo {
    /// Its name.
    pub name: String,
    /// What it must be.
    pub field_type: FieldType,
    /// Whether a render needs it.
    pub required: bool,
    /// What holds where it is not given.
    pub default: Option<Value>,
    /// What it means.
    pub description: Option<String>,
}

impl<T: Text> Compiled<T> {
    /// Compiles every template of a prompt; `engine` holds the partials that are not its own.
    ///
    /// # Errors
    /// The first template that does not parse. [`Compiled::compile_all`] gives them all.
    pub fn compile(prompt: Prompt, options: &Options, engine: &dyn Library<T>) -> Result<Self> {
        let first = match Self::parse(&prompt, options, engine) {
            Ok(parts) => return Ok(Self::assemble(prompt, parts)),
            Err(faults) => faults.into_iter().next().map(|fault| fault.error),
        };
        let error = first.unwrap_or_else(|| Error::new(Kind::Prompt, "the prompt cannot be compiled"));
        Err(error.with_context("prompt_id", prompt.id.as_str()))
    }

    /// Compiles every template of a prompt, giving all faults at once to `report`.
    pub fn compile_all(
        prompt: Prompt,
        options: &Options,
        engine: &dyn Library<T>,
        report: impl FnOnce(&Prompt, Vec<Fault<'_>>),
    ) -> Option<Self> {
        match Self::parse(&prompt, options, engine) {
            Ok(parts) => Some(Self::assemble(prompt, parts)),
            Err(faults) => {
                report(&prompt, faults);
                None
            }
        }
    }

    /// Takes the texts of a prompt as they are, for a template engine that is not ours. Of the variables only those that
    /// are declared are known.
    ///
    /// # Errors
    /// The first text that passes a limit.
    pub fn opaque(prompt: Prompt, options: &Options) -> Result<Self> {
        let literal = |text: &String| Template::literal("", text, options);
        let body = match (&prompt.template, &prompt.chat_template) {
            (Some(template), _) => Body::Text(literal(&template.content)?),
            (None, Some(chat)) => Body::Chat(Chat::opaque(&chat.messages, literal)?),
            (None, None) => Body::Nothing,
        };
        let declared = declare(&prompt, &body, &EmptyLibrary)?;
        Ok(Self::assemble(prompt, (body, BTreeMap::new(), declared)))
    }

    /// The texts that are templates, in the order in which [`Compiled::assembled`] takes them rendered. Partials are
    /// not among them.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        match &*self.body {
            Body::Nothing => Vec::new(),
            Body::Text(template) => vec![template.source()],
            Body::Chat(chat) => chat.texts(),
        }
    }

    /// What is wrong with the templates of a prompt that has other mistakes.
    pub fn faults<'p>(prompt: &'p Prompt, options: &Options, engine: &dyn Library<T>) -> Vec<Fault<'p>> {
        let mut compiler = Compiler::<T>::new(None, options, engine);
        for (name, source) in prompt.partials() {
            compiler.template(TemplateLocation::Partial(name), source);
        }
        compiler.body(prompt);
        compiler.faults
    }

    fn parse<'p>(
        prompt: &'p Prompt,
        options: &Options,
        engine: &dyn Library<T>,
    ) -> Result<Parts<T>, Vec<Fault<'p>>> {
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
        let body = compiler.body(prompt);
        if !compiler.faults.is_empty() {
            return Err(compiler.faults);
        }
        match declare(prompt, &body, &Both(&partials, engine)) {
            Ok(declared) => Ok((body, partials, declared)),
            Err(error) => {
                let leaf = match &body {
                    Body::Chat(_) => TemplateLocation::Message { index: 0, leaf: 0 },
                    _ => TemplateLocation::Template,
                };
                Err(vec![Fault { leaf, error }])
            }
        }
    }

    fn assemble(prompt: Prompt, (body, partials, declared): Parts<T>) -> Self {
        let input = asked("input_schema", prompt.input_schema.as_ref()).map(Arc::new);
        let output = asked("output_schema", prompt.output_schema.as_ref()).map(Arc::new);
        let (body, partials, declared) = (Arc::new(body), Arc::new(partials), declared.into());
        Self { prompt, body, partials, declared, input, output }
    }

    /// The same prompt with other labels; what is compiled is shared.
    #[must_use]
    pub fn with_labels(&self, labels: Vec<String>) -> Self {
        Self {
            prompt: Prompt { labels, ..self.prompt.clone() },
            body: Arc::clone(&self.body),
            partials: Arc::clone(&self.partials),
            declared: Arc::clone(&self.declared),
            input: self.input.clone(),
            output: self.output.clone(),
        }
    }

    /// What the author should know: names that the templates need and `variables` does not declare.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let Some(declared) = self.prompt.declared() else { return Vec::new() };
        let known: HashSet<&str> = declared.items.iter().map(|variable| variable.name.as_str()).collect();
        // Compiling has read them before, with more partials.
        let read = read(&self.body, &Both(&*self.partials, &EmptyLibrary)).unwrap_or_default();
        read.into_iter()
            .filter(|(name, required)| *required && !known.contains(name.as_str()))
            .map(|(name, _)| {
                let id = &self.prompt.id;
                let near =
                    nearest(&name, known.iter().copied()).map(|near| format!("; did you mean `{near}`?"));
                format!(
                    "prompt `{id}` uses `{name}`, which its `variables` do not declare{}",
                    near.unwrap_or_default()
                )
            })
            .collect()
    }

    /// The prompt as its author wrote it.
    #[must_use]
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// The variables in order, placeholders last.
    #[must_use]
    pub fn variables(&self) -> Vec<VariableInfo> {
        let declared = self.prompt.variables();
        let mut infos: Vec<VariableInfo> = self
            .declared
            .iter()
            .map(|variable| VariableInfo {
                name: variable.name.as_str().to_owned(),
                field_type: variable.field_type,
                required: variable.required,
                default: variable.default.clone(),
                description: declared
                    .and_then(|declared| declared.get(variable.name.as_str()))
                    .and_then(|variable| variable.description.clone()),
            })
            .collect();
        if let Body::Chat(chat) = &*self.body {
            for (name, optional) in chat.placeholders() {
                if !infos.iter().any(|info| info.name == name) {
                    infos.push(VariableInfo {
                        name: name.to_owned(),
                        field_type: FieldType::List,
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

type Parts<T> = (Body<T>, BTreeMap<Box<str>, Template<T>>, Vec<Declared<T>>);

/// The variables to check at a render: those that the prompt declares, or else those that its templates read.
pub(super) fn declare<T: Text>(
    prompt: &Prompt,
    body: &Body<T>,
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
                required: variable.is_required() && (!variables.short || needs(&variable.name)),
                default: variable.default.clone(),
            })
            .collect(),
    })
}

/// The variables that the templates read, and whether a render needs them. Placeholders are not among them.
fn read<T: Text>(body: &Body<T>, partials: &dyn Library<T>) -> Result<BTreeMap<String, bool>> {
    let found = match body {
        Body::Nothing => return Ok(BTreeMap::new()),
        Body::Text(template) => template.variables(partials)?,
        Body::Chat(chat) => chat.variables(partials)?,
    };
    Ok(found.into_iter().map(|(name, variable)| (name, variable.required)).collect())
}

/// Compiles the templates of one prompt or chat and gathers what is wrong with them.
pub(super) struct Compiler<'c, 'p, T> {
    /// The prompt's id, for the names of its templates.
    id: Option<&'c str>,
    options: &'c Options,
    engine: &'c dyn Library<T>,
    pub(super) faults: Vec<Fault<'p>>,
}

impl<'c, 'p, T: Text> Compiler<'c, 'p, T> {
    pub(super) fn new(id: Option<&'c str>, options: &'c Options, engine: &'c dyn Library<T>) -> Self {
        Self { id, options, engine, faults: Vec::new() }
    }

    fn body(&mut self, prompt: &'p Prompt) -> Body<T> {
        match (&prompt.template, &prompt.chat_template) {
            (Some(template), _) => {
                self.template(TemplateLocation::Template, &template.content).map_or(Body::Nothing, Body::Text)
            }
            (None, Some(chat)) => Body::Chat(Chat::entries(self, &chat.messages)),
            (None, None) => Body::Nothing,
        }
    }

    fn template(&mut self, leaf: TemplateLocation<'p>, source: &str) -> Option<Template<T>> {
        let name = match (self.id, leaf) {
            (None, _) => leaf.to_string(),
            (Some(id), TemplateLocation::Template) => id.to_owned(),
            (Some(id), _) => format!("{id} {leaf}"),
        };
        Template::parse_with(&name, source, self.options, self.engine)
            .map_err(|error| self.faults.push(Fault { leaf, error }))
            .ok()
    }

    pub(super) fn entry(&mut self, index: usize, entry: &ChatEntry) -> Option<Entry<T>> {
        match entry {
            ChatEntry::Placeholder { name, optional } => {
                Some(Entry::Placeholder { name: T::new(name), optional: *optional })
            }
            ChatEntry::Message(message) => {
                let known = self.faults.len();
                let mut leaf = 0;
                let compiled = message.try_map(|source| {
                    let place = TemplateLocation::Message { index, leaf };
                    leaf += 1;
                    // A fault is kept; an empty template stands in, so that the rest is looked at too.
                    match self.template(place, source) {
                        Some(template) => Ok(template),
                        None => Template::parse("", "", self.options),
                    }
                });
                compiled.ok().filter(|_| self.faults.len() == known).map(Entry::Message)
            }
        }
    }
}
