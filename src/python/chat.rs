//! `ChatTemplate`: compiled messages that are not part of a prompt.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::data::PyData;
use super::error::OrRaise;
use super::library::{EngineState, PartialMap};
use super::message_dicts::messages_to_python;
use super::payload::{check_encodable, payload_to_python};
use super::template::{Engine, check_variables, read_partials, type_name, usages_to_dict};
use super::text::{PyOutput, PyText};
use crate::convert::Report;
use crate::convert::langchain::{self, LangChainOptions};
use crate::error::{Error, Kind};
use crate::prompt::{Chat, ChatEntry, Message};
use crate::template::{Data, LayeredLibrary, ValueKind};

/// Messages whose texts are compiled templates. It is immutable, so every thread can use it.
#[pyclass(frozen, name = "ChatTemplate", module = "prompt_manager.core.template")]
pub struct PyChatTemplate {
    chat: Chat<PyText>,
    partials: PartialMap,
    shared: Arc<EngineState>,
}

/// Compiles messages for `ChatTemplateEngine.compile`.
#[pyfunction]
#[pyo3(signature = (messages, engine, *, partials = None))]
pub(super) fn compile_chat(
    messages: &Bound<'_, PyAny>,
    engine: &Bound<'_, Engine>,
    partials: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyChatTemplate> {
    let py = messages.py();
    let shared = &engine.get().shared;
    let partials = read_partials(partials, shared)?;
    let entries = read_entries(messages)?;
    let chat = Chat::compile(&entries, &shared.options, shared).or_raise(py)?;
    Ok(PyChatTemplate { chat, partials, shared: Arc::clone(shared) })
}

#[pymethods]
impl PyChatTemplate {
    /// Return the messages with their texts rendered, and placeholders replaced by the messages of their variable.
    fn render<'py>(&self, variables: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        messages_to_python(variables.py(), self.messages(variables)?, None)
    }

    /// Returns the messages as classes and arguments of LangChain, and one warning for each thing that was lost.
    fn render_for_langchain<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        strict: bool,
    ) -> PyResult<(Vec<Bound<'py, PyAny>>, Vec<String>)> {
        let py = variables.py();
        let mut report = Report::default();
        let messages = self.messages(variables)?;
        let made =
            langchain::history(messages, &LangChainOptions { strict, cache_control: false }, &mut report)
                .or_raise(py)?;
        let made = made.into_iter().map(|payload| {
            check_encodable(&payload).or_raise(py)?;
            payload_to_python(py, payload)
        });
        Ok((made.collect::<PyResult<_>>()?, report.warnings().to_vec()))
    }

    /// Returns the names of the variables that the messages read and of their placeholders, sorted.
    #[getter]
    fn variables(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.usages().or_raise(py)?.into_keys().collect())
    }

    /// Return how the messages use each variable that they read, as `TemplateEngine.analyze` does.
    fn analyze<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        usages_to_dict(py, self.usages().or_raise(py)?)
    }

    fn __repr__(&self) -> String {
        let usages = self.usages().unwrap_or_default();
        format!("<ChatTemplate, variables {:?}>", usages.into_keys().collect::<Vec<_>>())
    }
}

impl PyChatTemplate {
    fn messages<'py>(&self, variables: &Bound<'py, PyAny>) -> PyResult<Vec<Message<PyOutput<'py>>>> {
        let py = variables.py();
        check_variables(variables, &self.shared)?;
        let data = PyData::new(py, &self.shared);
        let library = LayeredLibrary(&self.partials, &self.shared);
        self.chat.messages(&data, variables, &library, &missing_placeholder).or_raise(py)
    }

    /// Returns how the variables are used. A placeholder counts as a list that is iterated over.
    fn usages(&self) -> crate::Result<crate::template::VariableUsages> {
        let mut usages = self.chat.variables(&LayeredLibrary(&self.partials, &self.shared))?;
        for (name, optional) in self.chat.placeholders() {
            let variable = usages.entry(name.to_owned()).or_default();
            variable.required |= !optional;
            variable.tested = false;
            variable.iterated = true;
            variable.paths.insert(name.to_owned());
        }
        Ok(usages)
    }
}

/// Reads messages in the format of prompt files.
fn read_entries(messages: &Bound<'_, PyAny>) -> PyResult<Vec<ChatEntry>> {
    let py = messages.py();
    // Without an engine, because the messages outlive this call.
    let py_data = PyData::without_engine(py);
    if py_data.kind(messages).or_raise(py)? != ValueKind::Sequence {
        let given = type_name(messages);
        return Err(PyTypeError::new_err(format!("messages must be a list of messages, not {given}")));
    }
    let mut entries = Vec::new();
    for (index, message) in messages.try_iter()?.enumerate() {
        let in_message = |why: String| Error::new(Kind::PromptInvalid, format!("message {index}: {why}"));
        let mut json =
            py_data.to_json(&message?).map_err(|error| in_message(error.message().into())).or_raise(py)?;
        // A message that is a pydantic model has a key with `None` for each field that is not set.
        if let Some(members) = json.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        let entry = ChatEntry::from_json(&json).map_err(|error| {
            let message = format!("message {index}: {}", error.message());
            error.recast(Kind::PromptInvalid, message)
        });
        entries.push(entry.or_raise(py)?);
    }
    Ok(entries)
}

fn missing_placeholder(name: &str) -> Error {
    Error::new(Kind::TemplateRender, format!("Missing variable '{name}', which holds messages"))
        .with_context("variable", name)
        .with_hint("give it a list of messages, or mark the placeholder with \"optional\": true")
}
