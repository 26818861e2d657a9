//! `LangChainSource`: a prompt as the template classes of `prompt_manager.integrations.langchain` hold it, whole or one
//! message of it. It renders by the one pipeline; LangChain's objects are made in Python.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::data::PyData;
use super::data::values::Held;
use super::error::{OrRaise, raise};
use super::form::{object, wrap};
use super::prompt::CompiledPrompt;
use super::schema::{Schemas, SharedSchemas, plain};
use super::template::{Engine, Shared, check_variables};
use super::text::PyText;
use crate::convert::{Report, langchain};
use crate::error::Error;
use crate::prompt::{Checks, Compiled, Content, Entry, Message, Role};
use crate::template::{Template, Text};

/// The name in error texts.
const LANGCHAIN: &str = "LangChain";

/// A prompt, or one message of it, ready for LangChain. It never changes, and may be used by any thread.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct LangChainSource {
    compiled: Arc<Compiled<PyText>>,
    shared: Arc<Shared>,
    schemas: Option<Arc<SharedSchemas>>,
    strict: bool,
    /// The place of its first entry in the whole prompt.
    index: usize,
    /// What is appended, for the answer's form.
    instructions: Option<Arc<str>>,
}

#[pymethods]
impl LangChainSource {
    /// `instructions` are those of a prompt that was taken apart before; otherwise they are made of the output schema.
    #[new]
    #[pyo3(signature = (prompt, *, strict, output_instructions = true, schemas = None, index = 0, instructions = None))]
    fn new(
        py: Python<'_>,
        prompt: &Bound<'_, CompiledPrompt>,
        strict: bool,
        output_instructions: bool,
        schemas: Option<&Bound<'_, Schemas>>,
        index: usize,
        instructions: Option<&str>,
    ) -> PyResult<Self> {
        let prompt = prompt.get();
        let schemas = prompt.schemas.clone().or_else(|| schemas.map(|given| Arc::clone(given.get().arc())));
        let made = Self {
            compiled: Arc::clone(&prompt.compiled),
            shared: Arc::clone(&prompt.shared),
            schemas,
            strict,
            index,
            instructions: instructions.map(Arc::from),
        };
        if made.instructions.is_some() {
            return Ok(made);
        }
        let checks = Checks { output_instructions, ..made.checks() };
        let instructions = made.compiled.instructions(&PyData::new(py, &made.shared), &checks);
        Ok(Self { instructions: instructions.or_raise(py)?, ..made })
    }

    #[getter]
    fn id(&self) -> &str {
        self.compiled.prompt().id.as_str()
    }

    #[getter]
    fn index(&self) -> usize {
        self.index
    }

    #[getter]
    fn strict(&self) -> bool {
        self.strict
    }

    #[getter]
    fn instructions(&self) -> Option<&str> {
        self.instructions.as_deref()
    }

    /// Whether a message of the prompt takes the instructions; otherwise they need one of their own.
    #[getter]
    fn carries_instructions(&self) -> bool {
        self.compiled.carrier().is_some()
    }

    /// The prompt as JSON, without what changes no render.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.compiled.bare())
    }

    /// The texts of the templates, for people to read.
    #[getter]
    fn source(&self) -> String {
        let mut texts: Vec<&str> = Vec::new();
        for entry in self.compiled.entries().unwrap_or_default() {
            match entry {
                Entry::Text(template) => texts.push(template.source()),
                // Nothing in the walk fails, so neither does it.
                Entry::Message(message) => {
                    let _ = message.try_map(|template| {
                        texts.push(template.source());
                        Ok(())
                    });
                }
                Entry::Placeholder { .. } => {}
            }
        }
        texts.join("\n")
    }

    /// The variables that must be given, those that may be, and whether these are all that a render looks at.
    fn variables(&self, py: Python<'_>) -> PyResult<(Vec<String>, Vec<String>, bool)> {
        let (needs, complete) = self.compiled.needs(&self.shared, self.schemas.as_deref()).or_raise(py)?;
        let (required, optional): (Vec<_>, Vec<_>) = needs.into_iter().partition(|need| need.required);
        let names = |needs: Vec<crate::prompt::Need>| needs.into_iter().map(|need| need.name).collect();
        Ok((names(required), names(optional), complete))
    }

    /// Whether a variable must be given that no template reads, so that LangChain would not ask for it.
    #[getter]
    fn requires_unread(&self, py: Python<'_>) -> PyResult<bool> {
        self.compiled.requires_unread(&self.shared).or_raise(py)
    }

    /// The entries: `{"kind": "text" | "message" | "placeholder", …}`. `f_string` is LangChain's own template of one that
    /// says the same, with `role`; a placeholder has `name` and `optional`.
    fn entries<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let entries = PyList::empty(py);
        for entry in self.compiled.entries().or_raise(py)? {
            let dict = PyDict::new(py);
            match entry {
                Entry::Text(template) => {
                    dict.set_item("kind", "text")?;
                    let whole = !self.requires_unread(py)?;
                    dict.set_item("f_string", self.f_string(template).filter(|_| whole))?;
                }
                Entry::Message(message) => {
                    dict.set_item("kind", "message")?;
                    dict.set_item("role", message.role.as_str())?;
                    dict.set_item("f_string", plain_text(message).and_then(|text| self.f_string(text)))?;
                }
                Entry::Placeholder { name, optional } => {
                    dict.set_item("kind", "placeholder")?;
                    dict.set_item("name", name)?;
                    dict.set_item("optional", optional)?;
                }
            }
            entries.append(dict)?;
        }
        Ok(entries)
    }

    /// The message at this place alone; the instructions go with the one that takes them.
    fn excerpt(&self, py: Python<'_>, index: usize) -> PyResult<Option<Self>> {
        let Some(compiled) = self.compiled.excerpt(index, &self.shared).or_raise(py)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            compiled: Arc::new(compiled),
            shared: Arc::clone(&self.shared),
            schemas: self.schemas.clone(),
            strict: self.strict,
            index: self.index + index,
            instructions: self.instructions.clone().filter(|_| self.compiled.carrier() == Some(index)),
        }))
    }

    /// What the input schema reaches: schemas as plain data, models by name, functions by name.
    fn reach<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyDict>, Bound<'py, PyDict>)> {
        let (schemas, models, functions) = (PyList::empty(py), PyDict::new(py), PyDict::new(py));
        if let Some(known) = &self.schemas {
            let reach = self.compiled.reach(known).or_raise(py)?;
            for schema in reach.schemas.values() {
                schemas.append(plain(py, &**schema)?)?;
            }
            for (name, model) in reach.models {
                models.set_item(name, model.bind(py))?;
            }
            for (name, function) in reach.functions {
                functions.set_item(name, function.bind(py))?;
            }
        }
        Ok((schemas, models, functions))
    }

    /// Refuses names that LangChain keeps for itself, among these, the variables and the placeholders.
    fn check_names(&self, py: Python<'_>, given: Vec<String>) -> PyResult<()> {
        let (needs, _) = self.compiled.needs(&self.shared, self.schemas.as_deref()).or_raise(py)?;
        let places = self.compiled.entries().or_raise(py)?.into_iter().filter_map(|entry| match entry {
            Entry::Placeholder { name, .. } => Some(name.to_owned()),
            _ => None,
        });
        let mut names = given.into_iter().chain(needs.into_iter().map(|need| need.name)).chain(places);
        match names.find_map(|name| langchain::reserved(&name)) {
            Some(error) => Err(self.raise(py, error)),
            None => Ok(()),
        }
    }

    /// The text of a prompt that is no chat.
    fn render<'py>(&self, variables: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
        let py = variables.py();
        check_variables(variables)?;
        let data = PyData::new(py, &self.shared);
        let text = self.compiled.render_with(&data, variables, &self.shared, &self.checks());
        let text = text.map(|text| match &self.instructions {
            Some(instructions) => crate::schema::Values::append(&data, text, &format!("\n\n{instructions}")),
            None => text,
        });
        Ok(text.map_err(|error| self.raise(py, error))?.0)
    }

    /// The messages of a chat without its placeholders, each as `{"class": …, "arguments": {…}}`, and a text for each
    /// lossy step.
    fn render_messages<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
    ) -> PyResult<(Vec<Bound<'py, PyAny>>, Vec<String>)> {
        let py = variables.py();
        check_variables(variables)?;
        let data = PyData::new(py, &self.shared);
        let messages = self.compiled.own_messages(
            &data,
            variables,
            &self.shared,
            &self.checks(),
            self.instructions.as_deref(),
        );
        let options = langchain::Options { strict: self.strict };
        let mut report = Report::default();
        let mut made = Vec::new();
        for (at, message) in messages.map_err(|error| self.raise(py, error))? {
            let form = langchain::message(message, self.index + at, &options, &mut report);
            made.push(object(py, form.map_err(|error| self.raise(py, error))?)?);
        }
        Ok((made, report.warnings().to_vec()))
    }

    fn __repr__(&self) -> String {
        let prompt = self.compiled.prompt();
        format!("<LangChainSource {} {}>", prompt.id, prompt.version)
    }
}

/// A template as LangChain's f-string; `None` where it has more than text and plain variables.
#[pyfunction]
pub(super) fn langchain_f_string(
    template: &Bound<'_, PyString>,
    engine: &Bound<'_, Engine>,
) -> PyResult<Option<String>> {
    Ok(langchain::f_string(&engine.get().parsed(template, "")?))
}

impl LangChainSource {
    /// The instructions are a fixed text here, so that the pipeline appends none.
    fn checks(&self) -> Checks<'_, PyText, Held, Held> {
        Checks { schemas: self.schemas.as_deref(), output_instructions: false }
    }

    fn raise(&self, py: Python<'_>, error: Error) -> PyErr {
        raise(py, &wrap(error, self.id(), LANGCHAIN))
    }

    /// LangChain's own template, where it says the same as ours.
    fn f_string(&self, template: &Template<PyText>) -> Option<String> {
        if self.compiled.has_schemas() || self.instructions.is_some() {
            return None;
        }
        let names = template.variables(&crate::template::EmptyLibrary).ok()?;
        if names.keys().any(|name| self.compiled.is_particular(name)) {
            return None;
        }
        langchain::f_string(template)
    }
}

/// The template of a message that is a role and a text.
fn plain_text<T: Text>(message: &Message<Template<T>>) -> Option<&Template<T>> {
    let has_class = matches!(message.role, Role::System | Role::Developer | Role::User | Role::Assistant);
    let bare = message.name.is_none()
        && message.refusal.is_none()
        && message.tool_calls.is_empty()
        && message.tool_call_id.is_none()
        && message.function_call.is_none();
    match &message.content {
        Some(Content::Text(text)) if has_class && bare => Some(text),
        _ => None,
    }
}
