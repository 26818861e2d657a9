//! `CompiledPrompt`: the Python object of a compiled prompt in the core, which renders and converts it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyType};

use super::data::Overlay;
use super::data::PyData;
use super::data::values::SharedObject;
use super::error::{OrRaise, raise};
use super::library::{EngineState, parse};
use super::message_dicts::messages_to_python;
use super::node;
use super::observers::RegistryObservers;
use super::schema::{PySchemas, SharedSchemas};
use super::template::{Engine, check_variables};
use super::text::{PyOutput, PyText};
use super::unknown_variables::UnknownVariablePolicy;
use crate::check;
use crate::convert::conversion_error::wrap;
use crate::de::PathStep;
use crate::error::{Error, Kind};
use crate::observe::slow;
use crate::prompt::{Compiled, Prompt, RenderInputs, RenderOptions, Rendered, Status, spelling};
use crate::template::TemplateOptions;

/// The input for a custom template engine: the variables, the template texts, and the partials by name.
pub(super) type Prepared<'s, 'py> = (Bound<'py, PyAny>, Vec<&'s str>, BTreeMap<&'s str, &'s str>);

/// The options of a render with Python objects.
pub(super) type PyRenderOptions<'s> = RenderOptions<'s, PyText, SharedObject, SharedObject>;

/// The parts that a prompt needs of its registry: the schemas that it refers to, and the engine with the partials that
/// it includes.
pub(super) struct PromptOrigin {
    pub(super) schemas: Arc<SharedSchemas>,
    pub(super) shared: Arc<EngineState>,
    pub(super) unknown: UnknownVariablePolicy,
    pub(super) observers: RegistryObservers,
}

impl PromptOrigin {
    /// The origin of prompts that were read from files and are in no registry. It has no schemas yet.
    pub(super) fn of_files(shared: &Arc<EngineState>) -> Self {
        Self {
            schemas: Arc::default(),
            shared: Arc::clone(shared),
            unknown: UnknownVariablePolicy::ignoring(),
            observers: RegistryObservers::default(),
        }
    }
}

/// The origin of a prompt, for Python code that passes it from one `CompiledPrompt` to another.
#[pyclass(frozen, name = "PromptOrigin", module = "prompt_manager._native")]
pub struct PyPromptOrigin(Arc<PromptOrigin>);

#[pymethods]
impl PyPromptOrigin {
    /// The observers that hear of a conversion of a prompt with this origin, or `None`.
    #[getter]
    fn observers<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.0.observers.of_renders(py)
    }
}

/// The variables that a plugin receives, and the variables of the caller from which they were made.
struct ResolvedVariables {
    given: Py<PyAny>,
    resolved: Py<PyDict>,
}

impl ResolvedVariables {
    fn clone_ref(&self, py: Python<'_>) -> Self {
        Self { given: self.given.clone_ref(py), resolved: self.resolved.clone_ref(py) }
    }
}

/// A prompt compiled for an engine other than the one that compiled it first.
struct EngineForm {
    /// A weak reference, so that a long-lived prompt does not keep an engine alive.
    engine: Weak<EngineState>,
    /// The number of registrations of helpers and partials at the time of the compilation: with this engine, and with
    /// the engine of the origin.
    registrations: (u64, u64),
    /// Whether the partials of the engine of the origin were added.
    has_partials: bool,
    compiled: Arc<Compiled<PyText>>,
}

/// Values that are stored with a compiled prompt and dropped with it.
#[derive(Default)]
struct PromptAttachment {
    /// The pydantic `Prompt`, created at the first request. It refers to a [`Compiled::without_attachment`], which
    /// avoids a reference cycle.
    face: OnceLock<Py<PyAny>>,
    forms: Mutex<Vec<EngineForm>>,
    opaque: OnceLock<Arc<Compiled<PyText>>>,
    /// The inputs of its renders, with the number of registrations of helpers and partials at that time.
    inputs: Mutex<Option<(u64, Option<Arc<RenderInputs>>)>>,
}

/// A prompt with compiled templates. It is immutable, and any thread can use it.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct CompiledPrompt {
    pub(super) compiled: Arc<Compiled<PyText>>,
    pub(super) shared: Arc<EngineState>,
    origin: Option<Arc<PromptOrigin>>,
    /// Set in the handle that a plugin receives: these variables are not validated again.
    resolution: Option<ResolvedVariables>,
    /// Set in the handle of a render that observers know already, so that they do not hear of it twice.
    is_observed: bool,
}

impl CompiledPrompt {
    /// A prompt that is not in a registry.
    pub(super) fn alone(compiled: Arc<Compiled<PyText>>, shared: &Arc<EngineState>) -> Self {
        Self { compiled, shared: Arc::clone(shared), origin: None, resolution: None, is_observed: false }
    }

    /// A prompt from a registry.
    pub(super) fn of_registry(compiled: &Arc<Compiled<PyText>>, origin: &Arc<PromptOrigin>) -> Self {
        Self {
            compiled: Arc::clone(compiled),
            shared: Arc::clone(&origin.shared),
            origin: Some(Arc::clone(origin)),
            resolution: None,
            is_observed: false,
        }
    }

    /// The registry that the prompt came from.
    pub(super) fn registry_origin(&self) -> Option<&Arc<PromptOrigin>> {
        self.origin.as_ref()
    }

    /// The observers that hear of a conversion of this prompt, if there are any.
    pub(super) fn render_observers<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let origin = self.origin.as_ref().filter(|_| !self.is_observed)?;
        origin.observers.of_renders(py)
    }

    /// The schemas of the registry that the prompt came from.
    pub(super) fn schemas(&self) -> Option<&Arc<SharedSchemas>> {
        self.origin.as_ref().map(|origin| &origin.schemas)
    }

    /// The options for a call that has no variables. The schemas of the prompt's origin come first, then those given.
    pub(super) fn schema_options<'s>(
        &'s self,
        given: Option<&'s Bound<'_, PySchemas>>,
        output_instructions: bool,
    ) -> PyRenderOptions<'s> {
        let own = self.schemas().map(Arc::as_ref);
        let schemas = own.or_else(|| given.map(|given| given.get().shared()));
        let unknown = self.origin.as_ref().and_then(|origin| origin.unknown.active());
        RenderOptions { schemas, output_instructions, resolved: false, unknown }
    }

    /// The options for a render with these variables. They count as resolved only if they are the same dict that
    /// [`CompiledPrompt::resolve`] returned. A later render with other variables validates them.
    pub(super) fn render_options<'s>(
        &'s self,
        variables: &Bound<'_, PyAny>,
        given: Option<&'s Bound<'_, PySchemas>>,
        output_instructions: bool,
    ) -> PyRenderOptions<'s> {
        let resolved = self.resolution.as_ref().is_some_and(|known| known.resolved.is(variables));
        RenderOptions { resolved, ..self.schema_options(given, output_instructions) }
    }

    /// The answer, converted by the output schema; `None` if it is unchanged.
    pub(super) fn validated<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        coerce: Option<bool>,
        given: Option<&Bound<'_, PySchemas>>,
    ) -> crate::Result<Option<Bound<'py, PyAny>>> {
        let Some(wanted) = self.compiled.output_schema()? else { return Ok(None) };
        let none = SharedSchemas::default();
        let schemas = self.schema_options(given, true).schemas.unwrap_or(&none);
        let what = format!("the output of prompt '{}'", self.id());
        let made = schemas.compiled(wanted).and_then(|compiled| {
            compiled.validate(&PyData::new(data.py(), &self.shared), data, &what, coerce)
        });
        made.map_err(|error| error.with_context("prompt_id", self.id()))
    }

    /// Whether the answer must be a dict. A pydantic model may also want a list.
    pub(super) fn wants_dict(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(wanted) = self.compiled.output_schema().or_raise(py)? else { return Ok(false) };
        let none = SharedSchemas::default();
        let compiled =
            self.schema_options(None, true).schemas.unwrap_or(&none).compiled(wanted).or_raise(py)?;
        match compiled.model() {
            None => Ok(true),
            Some(model) => {
                let pydantic = py.import("prompt_manager.validation._pydantic")?;
                pydantic.call_method1("wants_dict", (model.bind(py),))?.extract()
            }
        }
    }

    /// The keys of the output schema, at any depth; `None` without a schema.
    pub(super) fn output_names(&self, py: Python<'_>) -> crate::Result<Option<HashSet<String>>> {
        let Some(wanted) = self.compiled.output_schema()? else { return Ok(None) };
        let none = SharedSchemas::default();
        let schemas = self.schema_options(None, true).schemas.unwrap_or(&none);
        schemas.property_names(&PyData::without_engine(py), wanted).map(Some)
    }

    pub(super) fn prepared<'s, 'py>(
        &'s self,
        variables: &Bound<'py, PyAny>,
        options: &PyRenderOptions<'_>,
    ) -> crate::Result<Prepared<'s, 'py>> {
        let data = PyData::new(variables.py(), &self.shared);
        let context = self.compiled.context(&data, variables, options)?;
        // A custom engine may need all methods of a mapping, and an overlay has only some of them.
        let context = match context.as_ref().map(|context| context.cast_exact::<Overlay>()) {
            Some(Ok(overlay)) => data.merged(overlay.get())?.into_any(),
            _ => context.unwrap_or_else(|| variables.clone()),
        };
        let partials = self.compiled.prompt().partials().iter();
        let partials = partials.map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Ok((context, self.compiled.texts(), partials))
    }

    /// Builds the rendered prompt from texts that a custom engine rendered.
    pub(super) fn assembled<'py>(
        &self,
        context: &Bound<'py, PyAny>,
        texts: Vec<Bound<'py, PyString>>,
        options: &PyRenderOptions<'_>,
    ) -> crate::Result<Rendered<PyOutput<'py>>> {
        let data = PyData::new(context.py(), &self.shared);
        let texts = texts.into_iter().map(PyOutput).collect();
        self.compiled.assembled(&data, context, texts, options)
    }

    /// Whether a conversion with this engine can use the handle unchanged: the engine has compiled the prompt, and has
    /// the partials of its origin.
    pub(super) fn is_for(&self, engine: &Arc<EngineState>) -> bool {
        Arc::ptr_eq(&self.shared, engine) && !self.needs_partials(engine)
    }

    fn needs_partials(&self, engine: &Arc<EngineState>) -> bool {
        self.origin.as_ref().is_some_and(|origin| !Arc::ptr_eq(&origin.shared, engine))
    }

    /// The handle for a conversion with this engine. It uses the engine's options, helpers and partials. Partials that
    /// the engine does not have come from the engine of the origin.
    pub(super) fn for_conversion(&self, py: Python<'_>, engine: &Arc<EngineState>) -> PyResult<Self> {
        let compiled = self.compiled_for(engine, self.needs_partials(engine)).or_raise(py)?;
        Ok(self.with_compiled(py, compiled, engine))
    }

    pub(super) fn with_compiled(
        &self,
        py: Python<'_>,
        compiled: Arc<Compiled<PyText>>,
        shared: &Arc<EngineState>,
    ) -> Self {
        Self {
            compiled,
            shared: Arc::clone(shared),
            origin: self.origin.clone(),
            is_observed: self.is_observed,
            resolution: self.resolution.as_ref().map(|known| known.clone_ref(py)),
        }
    }

    /// The prompt compiled by this engine. It is cached as long as the engine exists.
    fn compiled_for(
        &self,
        engine: &Arc<EngineState>,
        has_partials: bool,
    ) -> crate::Result<Arc<Compiled<PyText>>> {
        if Arc::ptr_eq(&self.shared, engine) && !has_partials {
            return Ok(Arc::clone(&self.compiled));
        }
        let origin = self.origin.as_ref().filter(|_| has_partials);
        let registrations =
            (engine.registrations(), origin.map_or(0, |origin| origin.shared.registrations()));
        let is_same = |form: &&EngineForm| {
            form.has_partials == has_partials && std::ptr::eq(form.engine.as_ptr(), Arc::as_ptr(engine))
        };
        let forms = self.compiled.attachment::<PromptAttachment>().map(|attachment| &attachment.forms);
        let forms = || forms.map(|forms| forms.lock().unwrap_or_else(PoisonError::into_inner));
        let known = forms().and_then(|forms| {
            let current = |form: &&EngineForm| is_same(form) && form.registrations == registrations;
            forms.iter().find(current).map(|form| Arc::clone(&form.compiled))
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let partials = origin.map(|origin| origin.shared.partials_beside(engine)).unwrap_or_default();
        let compiled = Arc::new(compile_with(self.compiled.prompt(), partials, engine)?);
        if let Some(mut forms) = forms() {
            forms.retain(|form| form.engine.strong_count() > 0 && !is_same(&form));
            let (engine, compiled) = (Arc::downgrade(engine), Arc::clone(&compiled));
            forms.push(EngineForm { engine, registrations, has_partials, compiled });
        }
        Ok(compiled)
    }

    /// What a render depends on apart from the values; see [`RenderInputs::of`].
    pub(super) fn render_inputs(&self) -> Option<Arc<RenderInputs>> {
        let registrations = self.shared.registrations();
        let place = self.compiled.attachment::<PromptAttachment>().map(|attachment| &attachment.inputs);
        let place = || place.map(|place| place.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some((at, known)) = place().as_deref().and_then(Option::as_ref)
            && *at == registrations
        {
            return known.clone();
        }
        let inputs = RenderInputs::of(&self.compiled, &self.shared.options, &self.shared).map(Arc::new);
        if let Some(mut place) = place() {
            *place = Some((registrations, inputs.clone()));
        }
        inputs
    }

    /// The prompt as JSON, for [`Prompt::from_json`].
    fn json(&self) -> PyResult<serde_json::Value> {
        serde_json::to_value(self.compiled.prompt())
            .map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
    }
}

/// Compiles a prompt with additional partials. Its own partials of the same name come first. A partial that this engine
/// cannot parse is left out, because the prompt may not include it. If it does, the render reports a missing partial.
fn compile_with(
    prompt: &Prompt,
    partials: Vec<(String, String)>,
    engine: &Arc<EngineState>,
) -> crate::Result<Compiled<PyText>> {
    let compile = |partials: Vec<(String, String)>| {
        let mut prompt = prompt.clone();
        let own = match (&mut prompt.template, &mut prompt.chat_template) {
            (Some(template), _) => Some(&mut template.partials),
            (None, Some(chat)) => Some(&mut chat.partials),
            (None, None) => None,
        };
        if let Some(own) = own {
            let lacking = |(name, _): &(String, String)| !own.iter().any(|(known, _)| known == name);
            let lacking: Vec<_> = partials.into_iter().filter(lacking).collect();
            own.extend(lacking);
        }
        Compiled::compile(prompt, &engine.options, engine)
    };
    if partials.is_empty() {
        return compile(partials);
    }
    let all = partials.len();
    compile(partials.clone()).or_else(|error| {
        let parses = |(name, source): &(String, String)| parse(engine, name, source).is_ok();
        let good: Vec<_> = partials.into_iter().filter(parses).collect();
        if good.len() == all { Err(error) } else { compile(good) }
    })
}

/// The pydantic `Prompt` of a registered prompt. It is created once and stored with the prompt.
pub(super) fn face<'py>(
    py: Python<'py>,
    compiled: &Arc<Compiled<PyText>>,
    origin: &Arc<PromptOrigin>,
) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let place = compiled.attachment::<PromptAttachment>().map(|attachment| &attachment.face);
    if let Some(known) = place.and_then(OnceLock::get) {
        return Ok(known.bind(py).clone());
    }
    let class = CLASS.import(py, "prompt_manager.core.models", "Prompt")?;
    let core = CompiledPrompt::of_registry(&Arc::new(compiled.without_attachment()), origin);
    let made = class.call_method1(intern!(py, "_of"), (core,))?;
    // If another thread was faster, everybody gets the object of that thread.
    Ok(match place {
        Some(place) => place.get_or_init(|| made.unbind()).bind(py).clone(),
        None => made,
    })
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
    fn content_hash(&self) -> &str {
        self.compiled.content_hash()
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

    /// The schemas and partials of the registry that the prompt came from.
    #[getter]
    fn origin(&self) -> Option<PyPromptOrigin> {
        self.origin.clone().map(PyPromptOrigin)
    }

    /// The observers that hear of a conversion of this prompt, or `None`.
    #[getter]
    fn observers<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.render_observers(py)
    }

    /// The handle for a render that observers know already.
    fn observed(&self, py: Python<'_>) -> Self {
        Self { is_observed: true, ..self.with_compiled(py, Arc::clone(&self.compiled), &self.shared) }
    }

    /// The prompt compiled by this engine, with only its own partials.
    fn compiled_by<'py>(slf: &Bound<'py, Self>, engine: &Bound<'py, Engine>) -> PyResult<Bound<'py, Self>> {
        let (py, engine) = (slf.py(), &engine.get().shared);
        if Arc::ptr_eq(&slf.get().shared, engine) {
            return Ok(slf.clone());
        }
        let compiled = slf.get().compiled_for(engine, false).or_raise(py)?;
        Bound::new(py, slf.get().with_compiled(py, compiled, engine))
    }

    /// The prompt for a conversion with this engine; see [`CompiledPrompt::for_conversion`].
    fn converted_by<'py>(slf: &Bound<'py, Self>, engine: &Bound<'py, Engine>) -> PyResult<Bound<'py, Self>> {
        let (py, engine) = (slf.py(), &engine.get().shared);
        if slf.get().is_for(engine) {
            return Ok(slf.clone());
        }
        Bound::new(py, slf.get().for_conversion(py, engine)?)
    }

    /// The prompt with unparsed texts, for a custom template engine.
    fn opaque(&self, py: Python<'_>) -> PyResult<Self> {
        let place = self.compiled.attachment::<PromptAttachment>().map(|attachment| &attachment.opaque);
        let shared = EngineState::with_options(TemplateOptions::default());
        let opaque = if let Some(known) = place.and_then(OnceLock::get) {
            Arc::clone(known)
        } else {
            let prompt = self.compiled.prompt().clone();
            let opaque = Arc::new(Compiled::opaque(prompt, &shared.options).or_raise(py)?);
            place.map_or_else(
                || Arc::clone(&opaque),
                |place| Arc::clone(place.get_or_init(|| Arc::clone(&opaque))),
            )
        };
        Ok(self.with_compiled(py, opaque, &shared))
    }

    /// What keeps the prompt from being rendered: the partials that it includes and that exist nowhere.
    fn unknown_partials(&self) -> Vec<String> {
        let found = check::unknown_partials(&self.compiled, &self.shared);
        found.into_iter().map(|finding| finding.message).collect()
    }

    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize::pythonize(py, &self.json()?)?)
    }

    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let describe = |info: crate::prompt::VariableInfo| {
            let dict = PyDict::new(py);
            dict.set_item("name", info.name)?;
            dict.set_item("type", info.field_type.as_str())?;
            dict.set_item("values", pythonize::pythonize(py, &info.values)?)?;
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
        schemas: Option<&Bound<'py, PySchemas>>,
    ) -> PyResult<Bound<'py, PyString>> {
        let options = self.render_options(variables, schemas, output_instructions);
        text(&self.compiled, &self.shared, variables, &options)
    }

    #[pyo3(name = "render_messages", signature = (variables, output_instructions = true, schemas = None, framework = None))]
    fn render_messages_with<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        output_instructions: bool,
        schemas: Option<&Bound<'py, PySchemas>>,
        framework: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.messages(variables, &self.render_options(variables, schemas, output_instructions), framework)
    }

    /// Resolves the variables for a plugin. Returns them as a dict, with a handle that does not validate this dict
    /// again.
    #[pyo3(signature = (variables, framework))]
    fn resolve<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        framework: &str,
    ) -> PyResult<(Bound<'py, PyDict>, Self)> {
        let py = variables.py();
        check_variables(variables, &self.shared)?;
        let data = PyData::new(py, &self.shared);
        let options = self.render_options(variables, None, true);
        let resolved = self.compiled.resolve(&data, variables, &options);
        let resolved = resolved.map_err(|error| raise(py, &wrap(error, self.id(), framework)))?;
        let all = data.as_dict(resolved.as_ref().unwrap_or(variables)).or_raise(py)?;
        let resolution =
            ResolvedVariables { given: variables.clone().unbind(), resolved: all.clone().unbind() };
        let handle = self.with_compiled(py, Arc::clone(&self.compiled), &self.shared);
        Ok((all, Self { resolution: Some(resolution), is_observed: true, ..handle }))
    }

    /// The caller's variables from which [`CompiledPrompt::resolve`] made these. `None` for any other dict.
    fn given_variables<'py>(&self, variables: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let known = self.resolution.as_ref().filter(|known| known.resolved.is(variables))?;
        Some(known.given.bind(variables.py()).clone())
    }

    /// Shows the variables to the garbage collector, because they may refer to the prompt.
    #[allow(clippy::needless_pass_by_value, reason = "the signature that pyo3 requires")]
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(known) = &self.resolution {
            visit.call(&known.given)?;
            visit.call(&known.resolved)?;
        }
        Ok(())
    }

    /// Validates an answer against the output schema. Without a schema, returns the answer unchanged.
    #[pyo3(signature = (data, *, coerce = None, schemas = None))]
    fn validate_output<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        coerce: Option<bool>,
        schemas: Option<&Bound<'py, PySchemas>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.validated(data, coerce, schemas).or_raise(data.py())?.unwrap_or_else(|| data.clone()))
    }

    /// The input for a custom template engine; see [`Prepared`].
    #[pyo3(signature = (variables, schemas = None))]
    fn prepare<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        schemas: Option<&Bound<'py, PySchemas>>,
    ) -> PyResult<Prepared<'_, 'py>> {
        let py = variables.py();
        check_variables(variables, &self.shared)?;
        self.prepared(variables, &self.render_options(variables, schemas, true)).or_raise(py)
    }

    /// The text of the prompt, with texts that a custom engine rendered; see [`CompiledPrompt::prepare`].
    #[pyo3(signature = (context, texts, output_instructions = true))]
    fn assemble<'py>(
        &self,
        context: &Bound<'py, PyAny>,
        texts: Vec<Bound<'py, PyString>>,
        output_instructions: bool,
    ) -> PyResult<Bound<'py, PyString>> {
        let py = context.py();
        let options = self.schema_options(None, output_instructions);
        let data = PyData::new(py, &self.shared);
        let texts = texts.into_iter().map(PyOutput).collect();
        Ok(self.compiled.assembled_text(&data, context, texts, &options).or_raise(py)?.0)
    }

    /// The messages, with texts that a custom engine rendered; see [`CompiledPrompt::prepare`].
    #[pyo3(signature = (context, texts, output_instructions = true, schemas = None, framework = None))]
    fn assemble_messages<'py>(
        &self,
        context: &Bound<'py, PyAny>,
        texts: Vec<Bound<'py, PyString>>,
        output_instructions: bool,
        schemas: Option<&Bound<'py, PySchemas>>,
        framework: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = context.py();
        let options = self.schema_options(schemas, output_instructions);
        match self.assembled(context, texts, &options).or_raise(py)?.into_messages() {
            Ok(messages) => messages_to_python(py, messages, framework),
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
        self.messages(variables, &self.render_options(variables, None, output_instructions), None)
    }

    fn messages<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        options: &PyRenderOptions<'_>,
        framework: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = variables.py();
        check_variables(variables, &self.shared)?;
        let data = PyData::new(py, &self.shared);
        let messages = slow::watched(self.compiled.prompt(), || {
            self.compiled.messages_with(&data, variables, &self.shared, options)
        });
        let messages = messages.or_raise(py)?;
        messages_to_python(py, messages, framework)
    }
}

/// Renders a prompt to text.
pub(super) fn text<'py>(
    compiled: &Compiled<PyText>,
    shared: &Arc<EngineState>,
    variables: &Bound<'py, PyAny>,
    options: &PyRenderOptions<'_>,
) -> PyResult<Bound<'py, PyString>> {
    let py = variables.py();
    check_variables(variables, shared)?;
    let data = PyData::new(py, shared);
    let rendered =
        slow::watched(compiled.prompt(), || compiled.render_with(&data, variables, shared, options));
    Ok(rendered.or_raise(py)?.0)
}

/// Reads a prompt from Python data. The rules are those of prompt files, but the default status is draft.
pub(super) fn read_prompt(prompt: &Bound<'_, PyAny>) -> PyResult<Prompt> {
    let node = node::of_object(prompt, Kind::PromptInvalid);
    node.and_then(|node| Prompt::from_node(node, Status::Draft, &[])).or_raise(prompt.py())
}

impl<'py> IntoPyObject<'py> for PathStep {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        match self {
            Self::Key(key) => Ok(PyString::new(py, &key).into_any()),
            Self::Index(index) => Ok(index.into_pyobject(py)?.into_any()),
        }
    }
}

/// A mistake of a prompt: the path of the value that it is about, and the exception, which is returned and not raised.
type PromptMistake = (Vec<PathStep>, Py<PyAny>);

/// The mistakes of a prompt that is given as plain data. The keys in `broken` are known to be wrong and were left out;
/// rules about them are not checked.
#[pyfunction]
#[pyo3(signature = (prompt, broken = Vec::new()))]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn prompt_mistakes(
    prompt: &Bound<'_, PyAny>,
    broken: Vec<String>,
) -> PyResult<Vec<PromptMistake>> {
    let py = prompt.py();
    let node = || node::of_object(prompt, Kind::PromptInvalid).or_raise(py);
    if Prompt::from_node(node()?, Status::Draft, &broken).is_ok() {
        return Ok(Vec::new());
    }
    // The paths cost more than the check, so they are found for wrong prompts only.
    let mistakes = Prompt::mistakes(node()?, Status::Draft, &broken).into_iter();
    Ok(mistakes.map(|(path, error)| (path, raise(py, &error).into_value(py).into_any())).collect())
}

/// Checks which keys of a prompt are written, given as paths such as `template.variables`, and returns the format of a
/// prompt that names none.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn check_spelling(py: Python<'_>, written: Vec<String>) -> PyResult<&'static str> {
    let is_written = |path: &str| written.iter().any(|known| known == path);
    let mistakes = spelling::mistakes(is_written).into_iter().map(|mistake| mistake.error).collect();
    match Error::sum_up(Kind::PromptInvalid, "the prompt", mistakes) {
        Some(error) => Err(raise(py, &error)),
        None => Ok(spelling::format(
            is_written("template"),
            is_written("messages") || is_written("chat_template"),
        )
        .as_str()),
    }
}

/// The content hash of a prompt that is given as plain data. `engine` is the name of a custom template engine.
#[pyfunction]
#[pyo3(signature = (prompt, engine = None))]
pub(super) fn content_hash(prompt: &Bound<'_, PyAny>, engine: Option<&str>) -> PyResult<String> {
    Ok(read_prompt(prompt)?.content_hash(engine))
}

/// Compiles a prompt that is given as plain data. `origin` is the origin of the prompt from which it was made.
#[pyfunction]
#[pyo3(signature = (prompt, engine, origin = None))]
pub(super) fn compile_prompt(
    prompt: &Bound<'_, PyAny>,
    engine: &Bound<'_, Engine>,
    origin: Option<&Bound<'_, PyPromptOrigin>>,
) -> PyResult<CompiledPrompt> {
    let shared = &engine.get().shared;
    let compiled = Compiled::compile(read_prompt(prompt)?, &shared.options, shared).or_raise(prompt.py())?;
    Ok(of_origin(compiled, shared, origin))
}

/// As [`compile_prompt`], but with unparsed texts, for a custom template engine.
#[pyfunction]
#[pyo3(signature = (prompt, origin = None))]
pub(super) fn opaque_prompt(
    prompt: &Bound<'_, PyAny>,
    origin: Option<&Bound<'_, PyPromptOrigin>>,
) -> PyResult<CompiledPrompt> {
    let shared = EngineState::with_options(TemplateOptions::default());
    let compiled = Compiled::opaque(read_prompt(prompt)?, &shared.options).or_raise(prompt.py())?;
    Ok(of_origin(compiled, &shared, origin))
}

fn of_origin(
    compiled: Compiled<PyText>,
    shared: &Arc<EngineState>,
    origin: Option<&Bound<'_, PyPromptOrigin>>,
) -> CompiledPrompt {
    let origin = origin.map(|origin| Arc::clone(&origin.get().0));
    CompiledPrompt { origin, ..CompiledPrompt::alone(Arc::new(compiled), shared) }
}

/// Converts metadata to JSON: dates become strings, tuples become lists.
#[pyfunction]
pub(super) fn plain_json<'py>(value: &Bound<'py, PyAny>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    let json = PyData::without_engine(py).json(value, 0).map_err(|json_error| {
        let message = format!("`{name}{}`: {}", json_error.path, json_error.error.message());
        raise(py, &json_error.error.recast(Kind::PromptInvalid, message))
    })?;
    Ok(pythonize::pythonize(py, &json)?)
}
