//! `CompiledPrompt`: a prompt that lives in the core, ready to render and convert.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::completed;
use super::data::PyData;
use super::data::values::Held;
use super::error::{OrRaise, raise};
use super::form::{object, wrap};
use super::node;
use super::overlay::Overlay;
use super::schema::{Schemas, SharedSchemas};
use super::template::{Engine, Shared, check_variables};
use super::text::{PyOutput, PyText};
use crate::convert::plain;
use crate::error::Kind;
use crate::prompt::{Checks, Compiled, Prompt, Rendered, Status};
use crate::template::Options;

/// What another engine renders: the variables as its templates are to see them, the texts that are templates, and the
/// partials.
pub(super) type Prepared<'s, 'py> = (Bound<'py, PyAny>, Vec<&'s str>, BTreeMap<&'s str, &'s str>);

/// A prompt with its templates compiled. It never changes, and may be used by any thread.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct CompiledPrompt {
    pub(super) compiled: Arc<Compiled<PyText>>,
    pub(super) shared: Arc<Shared>,
    /// The schemas of the registry that holds it.
    pub(super) schemas: Option<Arc<SharedSchemas>>,
}

impl CompiledPrompt {
    /// What a render goes by: the schemas that came with the prompt, else those that are given.
    pub(super) fn checks<'s>(
        &'s self,
        given: Option<&'s Bound<'_, Schemas>>,
        output_instructions: bool,
    ) -> Checks<'s, PyText, Held, Held> {
        let schemas = self.schemas.as_deref().or_else(|| given.map(|given| given.get().shared()));
        Checks { schemas, output_instructions }
    }

    pub(super) fn prepared<'s, 'py>(
        &'s self,
        variables: &Bound<'py, PyAny>,
        checks: &Checks<'_, PyText, Held, Held>,
    ) -> crate::Result<Prepared<'s, 'py>> {
        let data = PyData::new(variables.py(), &self.shared);
        let context = self.compiled.context(&data, variables, checks)?;
        // The other engine may want more of a mapping than what lays defaults over another has.
        let context = match context.as_ref().map(|context| context.cast_exact::<Overlay>()) {
            Some(Ok(overlay)) => overlay.get().merged(&data)?.into_any(),
            _ => context.unwrap_or_else(|| variables.clone()),
        };
        let partials = self.compiled.prompt().partials().iter();
        let partials = partials.map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Ok((context, self.compiled.texts(), partials))
    }

    /// What another engine rendered, put together.
    pub(super) fn assembled<'py>(
        &self,
        context: &Bound<'py, PyAny>,
        texts: Vec<Bound<'py, PyString>>,
        checks: &Checks<'_, PyText, Held, Held>,
    ) -> crate::Result<Rendered<PyOutput<'py>>> {
        let data = PyData::new(context.py(), &self.shared);
        let texts = texts.into_iter().map(PyOutput).collect();
        self.compiled.assembled(&data, context, texts, checks)
    }

    /// See [`Compiled::address`].
    pub(super) fn address(&self) -> usize {
        self.compiled.address()
    }

    /// The prompt as JSON that [`Prompt::from_json`] takes.
    fn json(&self) -> PyResult<serde_json::Value> {
        serde_json::to_value(self.compiled.prompt())
            .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
    }
}

#[pymethods]
impl CompiledPrompt {
    #[getter]
    fn id(&self) -> &str {
        self.compiled.prompt().id.as_str()
    }

    #[getter]
    fn version(&self) -> String {
        self.compiled.prompt().version.to_string()
    }

    #[getter]
    fn format(&self) -> &'static str {
        self.compiled.prompt().format.as_str()
    }

    #[getter]
    fn status(&self) -> &'static str {
        self.compiled.prompt().status.as_str()
    }

    #[getter]
    fn content_hash(&self) -> String {
        self.compiled.prompt().content_hash(None)
    }

    #[getter]
    fn tags(&self) -> Vec<&str> {
        self.compiled.prompt().metadata.tags().collect()
    }

    #[getter]
    fn labels(&self) -> Vec<&str> {
        self.compiled.prompt().labels.iter().map(String::as_str).collect()
    }

    #[getter]
    fn description(&self) -> Option<&str> {
        self.compiled.prompt().metadata.description()
    }

    #[getter]
    fn category(&self) -> Option<&str> {
        self.compiled.prompt().metadata.category()
    }

    #[getter]
    fn author(&self) -> Option<&str> {
        self.compiled.prompt().metadata.author()
    }

    /// Whether this engine compiled it.
    fn belongs_to(&self, engine: &Bound<'_, Engine>) -> bool {
        Arc::ptr_eq(&self.shared, &engine.get().shared)
    }

    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize::pythonize(py, &self.json()?)?)
    }

    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let describe = |info: crate::prompt::VariableInfo| {
            let dict = PyDict::new(py);
            dict.set_item("name", info.name)?;
            dict.set_item("type", info.field_type.as_str())?;
            dict.set_item("required", info.required)?;
            dict.set_item("default", pythonize::pythonize(py, &info.default)?)?;
            dict.set_item("description", info.description)?;
            Ok(dict)
        };
        self.compiled.variables().into_iter().map(describe).collect()
    }

    #[pyo3(name = "render", signature = (variables, output_instructions = true, schemas = None))]
    fn render_with<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        output_instructions: bool,
        schemas: Option<&Bound<'py, Schemas>>,
    ) -> PyResult<Bound<'py, PyString>> {
        text(&self.compiled, &self.shared, variables, &self.checks(schemas, output_instructions))
    }

    #[pyo3(name = "render_messages", signature = (variables, output_instructions = true, schemas = None))]
    fn render_messages_with<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        output_instructions: bool,
        schemas: Option<&Bound<'py, Schemas>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.messages(variables, &self.checks(schemas, output_instructions))
    }

    /// The variables as the templates see them, in a dict that no render of this prompt checks again.
    #[pyo3(signature = (variables, framework))]
    fn complete<'py>(
        slf: &Bound<'py, Self>,
        variables: &Bound<'py, PyAny>,
        framework: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, prompt) = (slf.py(), slf.get());
        check_variables(variables)?;
        let data = PyData::new(py, &prompt.shared);
        let completed = prompt.compiled.completed(&data, variables, &prompt.checks(None, true));
        let completed = completed.map_err(|error| raise(py, &wrap(error, prompt.id(), framework)))?;
        let all = Overlay::all(&data, completed.as_ref().unwrap_or(variables)).or_raise(py)?;
        completed::of(slf, all, variables)
    }

    /// Validates an answer by the output schema; without one it is given back as it is.
    #[pyo3(signature = (data, *, coerce = None, schemas = None))]
    fn validate_output<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        coerce: Option<bool>,
        schemas: Option<&Bound<'py, Schemas>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let Some(wanted) = self.compiled.output_schema().or_raise(py)? else { return Ok(data.clone()) };
        let none = SharedSchemas::default();
        let schemas = self.checks(schemas, true).schemas.unwrap_or(&none);
        let what = format!("the output of prompt '{}'", self.id());
        let made =
            schemas.plan(wanted).and_then(|plan| plan.validate(&PyData::alone(py), data, &what, coerce));
        let made = made.map_err(|error| error.with_context("prompt_id", self.id()));
        Ok(made.or_raise(py)?.unwrap_or_else(|| data.clone()))
    }

    /// Whether the answer is to be a dict: where there is an output schema, but for a model, which may want a list.
    #[pyo3(signature = (schemas = None))]
    fn wants_dict(&self, py: Python<'_>, schemas: Option<&Bound<'_, Schemas>>) -> PyResult<bool> {
        let Some(wanted) = self.compiled.output_schema().or_raise(py)? else { return Ok(false) };
        let none = SharedSchemas::default();
        let schemas = self.checks(schemas, true).schemas.unwrap_or(&none);
        Ok(schemas.plan(wanted).or_raise(py)?.is_record())
    }

    /// What a template engine that is not ours renders; see [`Prepared`].
    #[pyo3(signature = (variables, schemas = None))]
    fn prepare<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        schemas: Option<&Bound<'py, Schemas>>,
    ) -> PyResult<Prepared<'_, 'py>> {
        let py = variables.py();
        check_variables(variables)?;
        self.prepared(variables, &self.checks(schemas, true)).or_raise(py)
    }

    /// The messages that another engine rendered the texts of; see [`CompiledPrompt::prepare`].
    #[pyo3(signature = (context, texts, output_instructions = true, schemas = None))]
    fn assemble_messages<'py>(
        &self,
        context: &Bound<'py, PyAny>,
        texts: Vec<Bound<'py, PyString>>,
        output_instructions: bool,
        schemas: Option<&Bound<'py, Schemas>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = context.py();
        let checks = self.checks(schemas, output_instructions);
        match self.assembled(context, texts, &checks).or_raise(py)?.into_messages() {
            Ok(messages) => object(py, plain::messages(messages)),
            Err(_) => Err(raise(py, &self.compiled.no_messages())),
        }
    }

    fn __repr__(&self) -> String {
        let prompt = self.compiled.prompt();
        format!("<CompiledPrompt {} {}>", prompt.id, prompt.version)
    }
}

impl CompiledPrompt {
    pub(super) fn render_messages<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        output_instructions: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.messages(variables, &self.checks(None, output_instructions))
    }

    fn messages<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        checks: &Checks<'_, PyText, Held, Held>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = variables.py();
        check_variables(variables)?;
        let data = PyData::new(py, &self.shared);
        let messages = self.compiled.messages_with(&data, variables, &self.shared, checks).or_raise(py)?;
        object(py, plain::messages(messages))
    }
}

/// Renders a prompt to text.
pub(super) fn text<'py>(
    compiled: &Compiled<PyText>,
    shared: &Arc<Shared>,
    variables: &Bound<'py, PyAny>,
    checks: &Checks<'_, PyText, Held, Held>,
) -> PyResult<Bound<'py, PyString>> {
    let py = variables.py();
    check_variables(variables)?;
    let data = PyData::new(py, shared);
    Ok(compiled.render_with(&data, variables, shared, checks).or_raise(py)?.0)
}

/// Reads a prompt that Python built; the rules are those of files, but for the default status.
pub(super) fn read_prompt(prompt: &Bound<'_, PyAny>) -> PyResult<Prompt> {
    read_partly(prompt, &[]).or_raise(prompt.py())
}

fn read_partly(prompt: &Bound<'_, PyAny>, broken: &[String]) -> crate::Result<Prompt> {
    Prompt::from_node(node::of_object(prompt, Kind::PromptInvalid)?, Status::Draft, broken)
}

/// Checks a prompt that Python built, given as plain data, and raises all its mistakes at once. The keys in `broken` are
/// known to be wrong and have been left out; rules about them are passed over.
#[pyfunction]
#[pyo3(signature = (prompt, broken = Vec::new()))]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn check_prompt(prompt: &Bound<'_, PyAny>, broken: Vec<String>) -> PyResult<()> {
    read_partly(prompt, &broken).map(|_| ()).or_raise(prompt.py())
}

/// The content hash of a prompt that Python built; `engine` names a template engine that is not ours.
#[pyfunction]
#[pyo3(signature = (prompt, engine = None))]
pub(super) fn content_hash(prompt: &Bound<'_, PyAny>, engine: Option<&str>) -> PyResult<String> {
    Ok(read_prompt(prompt)?.content_hash(engine))
}

/// Compiles a prompt that Python built.
#[pyfunction]
pub(super) fn compile_prompt(
    prompt: &Bound<'_, PyAny>,
    engine: &Bound<'_, Engine>,
) -> PyResult<CompiledPrompt> {
    let py = prompt.py();
    let shared = Arc::clone(&engine.get().shared);
    let compiled = Compiled::compile(read_prompt(prompt)?, &shared.options, &shared).or_raise(py)?;
    Ok(CompiledPrompt { compiled: Arc::new(compiled), shared, schemas: None })
}

/// Takes the texts of a prompt that Python built as they are, for a template engine that is not ours.
#[pyfunction]
pub(super) fn opaque_prompt(prompt: &Bound<'_, PyAny>) -> PyResult<CompiledPrompt> {
    let py = prompt.py();
    let shared = Shared::of(Options::default());
    let compiled = Compiled::opaque(read_prompt(prompt)?, &shared.options).or_raise(py)?;
    Ok(CompiledPrompt { compiled: Arc::new(compiled), shared, schemas: None })
}

/// Metadata as JSON: dates become texts, tuples lists.
#[pyfunction]
pub(super) fn plain_json<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    let json = PyData::alone(py).json(value, 0).map_err(|unsayable| {
        let message = format!("`{name}{}`: {}", unsayable.path, unsayable.error.message());
        raise(py, &unsayable.error.recast(Kind::PromptInvalid, message))
    })?;
    Ok(pythonize::pythonize(py, &json)?)
}
