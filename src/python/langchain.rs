//! `LangChainSource`: the prompt, or one of its messages, behind the template classes of
//! `prompt_manager.integrations.langchain`. It renders through the same pipeline as everything else. Python makes
//! LangChain's objects.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::arguments;
use super::data::PyData;
use super::error::{OrRaise, raise};
use super::payload::{check_encodable, payload_to_python};
use super::prompt::{CompiledPrompt, Prepared, PromptOrigin, PyRenderOptions};
use super::schema::{PySchemas, SharedSchemas, plain};
use super::template::{Engine, check_variables};
use super::text::{PyOutput, PyText};
use crate::convert::conversion_error::wrap;
use crate::convert::explain::explain_langchain;
use crate::convert::langchain::LangChainOptions;
use crate::convert::report::with_hint;
use crate::convert::{Payload, Report, langchain};
use crate::error::Error;
use crate::prompt::{Content, Message, OwnMessages, PromptEntry, RenderOptions, Role};
use crate::template::{Template, Text};

/// The provider's name in error messages.
const LANGCHAIN: &str = "LangChain";

/// Messages, each as a class and its arguments, and one warning for each thing that was lost.
type MessagesAndWarnings<'py> = (Vec<Option<Bound<'py, PyAny>>>, Vec<String>);

/// A prompt, or one of its messages, ready for LangChain. It is immutable, so every thread can use it.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct LangChainSource {
    prompt: CompiledPrompt,
    /// What the manager does about variables that the prompt does not declare. `None` for a single message, which is
    /// given the variables of the whole chat, and after the source was pickled.
    origin: Option<Arc<PromptOrigin>>,
    /// The schemas of the prompt; if it has none, those of the integration.
    schemas: Option<Arc<SharedSchemas>>,
    strict: bool,
    /// Whether cache hints become `cache_control`.
    cache_control: bool,
    /// Whether a custom engine renders the texts.
    opaque: bool,
    /// The index of its first entry in the whole prompt.
    index: usize,
    /// The output instructions, which are appended.
    instructions: Option<Arc<str>>,
}

#[pymethods]
impl LangChainSource {
    /// `instructions` are passed when a prompt was split before. Otherwise they are made from the output schema.
    #[new]
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::too_many_arguments,
        reason = "each is an option, given by name"
    )]
    #[pyo3(signature = (prompt, *, strict, output_instructions = true, schemas = None, opaque = false, index = 0,
        instructions = None, cache_control = false))]
    fn new(
        py: Python<'_>,
        prompt: &Bound<'_, CompiledPrompt>,
        strict: bool,
        output_instructions: bool,
        schemas: Option<&Bound<'_, PySchemas>>,
        opaque: bool,
        index: usize,
        instructions: Option<&str>,
        cache_control: bool,
    ) -> PyResult<Self> {
        let prompt = prompt.get();
        let schemas =
            prompt.schemas().cloned().or_else(|| schemas.map(|given| Arc::clone(given.get().arc())));
        let made = Self {
            prompt: CompiledPrompt::alone(Arc::clone(&prompt.compiled), &prompt.shared),
            origin: prompt.registry_origin().cloned(),
            schemas,
            strict,
            cache_control,
            opaque,
            index,
            instructions: instructions.map(Arc::from),
        };
        if made.instructions.is_some() {
            return Ok(made);
        }
        let options = RenderOptions { output_instructions, ..made.render_options() };
        let instructions = made.prompt.compiled.instructions(&PyData::new(py, &made.prompt.shared), &options);
        Ok(Self { instructions: instructions.or_raise(py)?, ..made })
    }

    #[getter]
    fn id(&self) -> &str {
        self.prompt.compiled.prompt().id.as_str()
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
    fn cache_control(&self) -> bool {
        self.cache_control
    }

    #[getter]
    fn instructions(&self) -> Option<&str> {
        self.instructions.as_deref()
    }

    /// Whether the instructions are appended to a message of the prompt. Otherwise they need their own message.
    #[getter]
    fn carries_instructions(&self) -> bool {
        self.prompt.compiled.carrier().is_some()
    }

    /// Returns the prompt as JSON, without the fields that do not change a render.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.prompt.compiled.bare())
    }

    /// The texts that are templates, in reading order.
    #[getter]
    fn texts(&self) -> Vec<&str> {
        self.prompt.compiled.texts()
    }

    /// The texts of the templates, for people to read.
    #[getter]
    fn source(&self) -> String {
        self.prompt.compiled.texts().join("\n")
    }

    /// Returns the required variables, the optional ones, and whether a render reads no others.
    fn variables(&self, py: Python<'_>) -> PyResult<(Vec<String>, Vec<String>, bool)> {
        let (needs, complete) =
            self.prompt.compiled.needs(&self.prompt.shared, self.schemas.as_deref()).or_raise(py)?;
        let (required, optional): (Vec<_>, Vec<_>) = needs.into_iter().partition(|need| need.required);
        let names = |needs: Vec<crate::prompt::Need>| needs.into_iter().map(|need| need.name).collect();
        Ok((names(required), names(optional), complete))
    }

    /// Whether a chat must check its variables as a whole: a variable is required that no template reads, for which
    /// LangChain would not ask, or a manager looks for names that the prompt does not declare.
    #[getter]
    fn checks_all_variables(&self, py: Python<'_>) -> PyResult<bool> {
        let looks = self.origin.is_some() && self.prompt.compiled.prompt().declared().is_some();
        Ok(looks || self.requires_unread(py)?)
    }

    /// The required variables that a prompt does not declare, and that have the name of a partial.
    fn named_like_partials(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.prompt.compiled.named_like_partials(&self.prompt.shared, self.schemas.as_deref()).or_raise(py)
    }

    /// Returns the entries: `{"kind": "text" | "message" | "placeholder", …}`. A text and a message have `f_string`, the
    /// equivalent f-string of LangChain or `None`. A message also has `role`; a placeholder has `name` and `optional`.
    fn entries<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let entries = PyList::empty(py);
        for entry in self.prompt.compiled.entries().or_raise(py)? {
            let dict = PyDict::new(py);
            match entry {
                PromptEntry::Text(template) => {
                    dict.set_item("kind", "text")?;
                    let whole = !self.requires_unread(py)?;
                    dict.set_item("f_string", self.f_string(template).filter(|_| whole))?;
                }
                PromptEntry::Message(message) => {
                    dict.set_item("kind", "message")?;
                    dict.set_item("role", message.role.as_str())?;
                    let text = plain_text(message).filter(|_| {
                        let hint = message.cache.as_ref().and_then(|hint| hint.portable.as_ref());
                        !self.cache_control || hint.is_none()
                    });
                    dict.set_item("f_string", text.and_then(|text| self.f_string(text)))?;
                }
                PromptEntry::Placeholder { name, optional } => {
                    dict.set_item("kind", "placeholder")?;
                    dict.set_item("name", name)?;
                    dict.set_item("optional", optional)?;
                }
            }
            entries.append(dict)?;
        }
        Ok(entries)
    }

    /// Returns the single message at an index. It keeps the instructions if they are appended to this message.
    fn excerpt(&self, py: Python<'_>, index: usize) -> PyResult<Option<Self>> {
        let Some(compiled) =
            self.prompt.compiled.excerpt(index, &self.prompt.shared, self.opaque).or_raise(py)?
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            prompt: CompiledPrompt::alone(Arc::new(compiled), &self.prompt.shared),
            origin: None,
            schemas: self.schemas.clone(),
            strict: self.strict,
            cache_control: self.cache_control,
            opaque: self.opaque,
            index: self.index + index,
            instructions: self.instructions.clone().filter(|_| self.prompt.compiled.carrier() == Some(index)),
        }))
    }

    /// Returns everything that the input schema depends on: schemas as plain data, models by name, functions by name.
    fn dependencies<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyDict>, Bound<'py, PyDict>)> {
        let (schemas, models, functions) = (PyList::empty(py), PyDict::new(py), PyDict::new(py));
        if let Some(known) = &self.schemas {
            let dependencies = self.prompt.compiled.dependencies(known).or_raise(py)?;
            for schema in dependencies.schemas.values() {
                schemas.append(plain(py, &**schema)?)?;
            }
            for (name, model) in dependencies.models {
                models.set_item(name, model.bind(py))?;
            }
            for (name, function) in dependencies.functions {
                functions.set_item(name, function.bind(py))?;
            }
        }
        Ok((schemas, models, functions))
    }

    /// Raises an error if one of these names, a variable or a placeholder has a name that LangChain reserves.
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn check_names(&self, py: Python<'_>, given: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        // A name that is no text is not reserved.
        let mut given = given.iter().filter_map(|name| arguments::lookup(name).ok());
        let reserved = match given.find_map(|name| langchain::reserved(&name)) {
            Some(error) => Some(error),
            None => self.reserved(py)?.into_iter().next(),
        };
        reserved.map_or(Ok(()), |error| Err(self.raise(py, error)))
    }

    /// Returns the reasons why LangChain does not support the prompt.
    fn explain(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let mut reasons: Vec<String> = self.reserved(py)?.iter().map(with_hint).collect();
        reasons.extend(explain_langchain(self.prompt.compiled.prompt(), &self.options()));
        Ok(reasons)
    }

    /// Renders a text prompt.
    fn render<'py>(&self, variables: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
        let py = variables.py();
        check_variables(variables, &self.prompt.shared)?;
        let data = PyData::new(py, &self.prompt.shared);
        let text =
            self.prompt.compiled.render_with(&data, variables, &self.prompt.shared, &self.render_options());
        self.text(py, text)
    }

    /// Renders a chat without its placeholders. Returns its messages, each as `{"class": …, "arguments": {…}}` or `None`
    /// for one that is left out, and one warning for each thing that was lost.
    fn render_messages<'py>(&self, variables: &Bound<'py, PyAny>) -> PyResult<MessagesAndWarnings<'py>> {
        let py = variables.py();
        check_variables(variables, &self.prompt.shared)?;
        let data = PyData::new(py, &self.prompt.shared);
        let instructions = self.instructions.as_deref();
        let messages = self.prompt.compiled.own_messages(
            &data,
            variables,
            &self.prompt.shared,
            &self.render_options(),
            instructions,
        );
        self.messages(py, messages)
    }

    /// Returns what a custom engine needs for a render: the resolved variables, the texts and the partials.
    fn prepare<'py>(&self, variables: &Bound<'py, PyAny>) -> PyResult<Prepared<'_, 'py>> {
        let py = variables.py();
        check_variables(variables, &self.prompt.shared)?;
        self.prompt.prepared(variables, &self.render_options()).map_err(|error| self.raise(py, error))
    }

    /// Does what [`LangChainSource::render`] does with a text that a custom engine rendered.
    fn assemble<'py>(&self, py: Python<'py>, text: Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
        self.text(py, Ok(PyOutput(text)))
    }

    /// Does what [`LangChainSource::render_messages`] does with texts that a custom engine rendered.
    fn assemble_messages<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<Bound<'py, PyString>>,
    ) -> PyResult<MessagesAndWarnings<'py>> {
        let data = PyData::new(py, &self.prompt.shared);
        let texts = texts.into_iter().map(PyOutput).collect();
        let messages = self.prompt.compiled.own_assembled(&data, texts, self.instructions.as_deref());
        self.messages(py, messages)
    }

    fn __repr__(&self) -> String {
        let prompt = self.prompt.compiled.prompt();
        format!("<LangChainSource {} {}>", prompt.id, prompt.version)
    }
}

/// Returns a template as an f-string of LangChain, or `None` if it has more than text and plain variables.
#[pyfunction]
pub(super) fn langchain_f_string(
    template: &Bound<'_, PyString>,
    engine: &Bound<'_, Engine>,
) -> PyResult<Option<String>> {
    Ok(langchain::f_string(&engine.get().parsed(template, "")?))
}

impl LangChainSource {
    /// The options of a render. [`LangChainSource::text`] appends the instructions, so the pipeline must not.
    fn render_options(&self) -> PyRenderOptions<'_> {
        RenderOptions {
            schemas: self.schemas.as_deref(),
            output_instructions: false,
            unknown: self.origin.as_ref().and_then(|origin| origin.unknown.active()),
            ..RenderOptions::default()
        }
    }

    /// The errors for the variables and placeholders with a name that LangChain reserves.
    fn reserved(&self, py: Python<'_>) -> PyResult<Vec<Error>> {
        let (needs, _) =
            self.prompt.compiled.needs(&self.prompt.shared, self.schemas.as_deref()).or_raise(py)?;
        let places =
            self.prompt.compiled.entries().or_raise(py)?.into_iter().filter_map(|entry| match entry {
                PromptEntry::Placeholder { name, .. } => Some(name.to_owned()),
                _ => None,
            });
        let names = needs.into_iter().map(|need| need.name).chain(places);
        Ok(names.filter_map(|name| langchain::reserved(&name)).collect())
    }

    fn options(&self) -> LangChainOptions {
        LangChainOptions { strict: self.strict, cache_control: self.cache_control }
    }

    /// Whether a variable is required that no template reads.
    fn requires_unread(&self, py: Python<'_>) -> PyResult<bool> {
        self.prompt.compiled.requires_unread(&self.prompt.shared).or_raise(py)
    }

    /// Appends the instructions to a rendered text.
    fn text<'py>(
        &self,
        py: Python<'py>,
        text: crate::Result<PyOutput<'py>>,
    ) -> PyResult<Bound<'py, PyString>> {
        let text = text.and_then(|text| check_encodable(&Payload::Text(text.clone())).map(|()| text));
        let text = text.map_err(|error| self.raise(py, error))?;
        let Some(instructions) = &self.instructions else { return Ok(text.0) };
        let data = PyData::new(py, &self.prompt.shared);
        Ok(crate::schema::Values::append(&data, text, &format!("\n\n{instructions}")).0)
    }

    fn messages<'py>(
        &self,
        py: Python<'py>,
        messages: crate::Result<OwnMessages<PyOutput<'py>>>,
    ) -> PyResult<MessagesAndWarnings<'py>> {
        let options = self.options();
        let mut report = Report::default();
        let mut made = Vec::new();
        for (at, message) in messages.map_err(|error| self.raise(py, error))? {
            let Some(message) = message else {
                made.push(None);
                continue;
            };
            let payload = langchain::message(message, self.index + at, &options, &mut report);
            let payload = payload
                .and_then(|payload| payload.as_ref().map_or(Ok(()), check_encodable).map(|()| payload));
            let payload = payload.map_err(|error| self.raise(py, error))?;
            made.push(payload.map(|payload| payload_to_python(py, payload)).transpose()?);
        }
        Ok((made, report.warnings().to_vec()))
    }

    fn raise(&self, py: Python<'_>, error: Error) -> PyErr {
        raise(py, &wrap(error, self.id(), LANGCHAIN))
    }

    /// Returns the equivalent f-string of LangChain, if there is one.
    fn f_string(&self, template: &Template<PyText>) -> Option<String> {
        if self.opaque || self.prompt.compiled.has_schemas() || self.instructions.is_some() {
            return None;
        }
        let names = template.variables(&crate::template::EmptyLibrary).ok()?;
        if names.keys().any(|name| self.prompt.compiled.is_particular(name)) {
            return None;
        }
        langchain::f_string(template)
    }
}

/// Returns the template of a message that has only a role and a text.
fn plain_text<T: Text>(message: &Message<Template<T>>) -> Option<&Template<T>> {
    let has_class = matches!(message.role, Role::System | Role::Developer | Role::User | Role::Assistant);
    let bare = !message.optional
        && message.name.is_none()
        && message.refusal.is_none()
        && message.tool_calls.is_empty()
        && message.tool_call_id.is_none()
        && message.function_call.is_none();
    match &message.content {
        Some(Content::Text(text)) if has_class && bare => Some(text),
        _ => None,
    }
}
