//! `Engine` and `Template`: the template engine for Python.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
#[cfg(not(Py_GIL_DISABLED))]
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::arguments;
use super::data::{PyData, TypeInfo};
use super::display::{displayed, short_list};
use super::error::{OrRaise, raise};
#[cfg(not(Py_GIL_DISABLED))]
use super::ffi::FastMethod;
use super::library::{EngineState, HelperFunction, PartialMap, RegisteredFields, parse};
use super::text::PyText;
use crate::error::{Error, Kind};
use crate::limits::{Limits, MAX_DEPTH, MAX_NESTING};
use crate::template::{
    Dialect, EmptyLibrary, LayeredLibrary, Template, TemplateOptions, ValueKind, VariableUsages,
};

/// Compiles and renders templates with one set of options; the class behind `TemplateEngine`.
#[pyclass(frozen, subclass, module = "prompt_manager._native")]
pub struct Engine {
    pub(super) shared: Arc<EngineState>,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, dialect = "prompt", strict = None, allow_none = None, escape = None, limits = None,
        assume_objects = false, known_helpers = Vec::new(), known_helpers_only = false, known_partials = Vec::new(), prevent_indent = false,
        ignore_standalone = false, explicit_partial_context = false, compat = false))]
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::too_many_arguments,
        reason = "each is an option of the language, given by name"
    )]
    fn new(
        #[pyo3(from_py_with = arguments::option)] dialect: &str,
        strict: Option<bool>,
        allow_none: Option<bool>,
        escape: Option<bool>,
        limits: Option<&Bound<'_, PyDict>>,
        assume_objects: bool,
        known_helpers: Vec<String>,
        known_helpers_only: bool,
        known_partials: Vec<String>,
        prevent_indent: bool,
        ignore_standalone: bool,
        explicit_partial_context: bool,
        compat: bool,
    ) -> PyResult<Self> {
        let defaults = match dialect {
            "prompt" => TemplateOptions::default(),
            "handlebars" => TemplateOptions::handlebars(),
            other => {
                return Err(PyValueError::new_err(format!(
                    "dialect must be 'prompt' or 'handlebars', not '{other}'"
                )));
            }
        };
        let limits = limits.map_or(Ok(Limits::default()), read_limits)?;
        let options = TemplateOptions {
            strict: strict.unwrap_or(defaults.strict),
            allow_none: allow_none.unwrap_or(defaults.allow_none),
            escape: escape.unwrap_or(defaults.escape),
            assume_objects,
            known_helpers: known_helpers.into_iter().map(String::into_boxed_str).collect(),
            known_helpers_only,
            known_partials: known_partials.into_iter().map(String::into_boxed_str).collect(),
            prevent_indent,
            ignore_standalone,
            explicit_partial_context,
            compat,
            limits,
            ..defaults
        };
        Ok(Self { shared: EngineState::with_options(options) })
    }

    /// Compile a template, once for many renders. Errors in it name the template by `name`.
    ///
    /// Raises:
    ///     TemplateSyntaxError: the template has a mistake.
    #[allow(clippy::doc_markdown, reason = "for Python")]
    #[pyo3(signature = (template, *, name = None))]
    fn compile(
        slf: &Bound<'_, Self>,
        template: &Bound<'_, PyString>,
        #[pyo3(from_py_with = arguments::optional_template_name)] name: Option<&str>,
    ) -> PyResult<CompiledTemplate> {
        let template = slf.get().parsed(template, name.unwrap_or_default())?;
        Ok(CompiledTemplate { template, engine: slf.clone().unbind() })
    }

    #[allow(clippy::doc_markdown, reason = "the docstring of `TemplateEngine.render`, for Python")]
    #[doc = include_str!("template_render.txt")]
    #[pyo3(signature = (template, variables, *, partials = None, data = None))]
    fn render_sync<'py>(
        &self,
        template: &Bound<'py, PyAny>,
        variables: &Bound<'py, PyAny>,
        partials: Option<&Bound<'py, PyAny>>,
        data: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyString>> {
        let py = template.py();
        if let Ok(compiled) = template.cast::<CompiledTemplate>() {
            return compiled.get().render(variables, partials, data);
        }
        let source = template.cast::<PyString>().map_err(|_| {
            PyTypeError::new_err(format!("template must be a str or a Template, not {}", type_name(template)))
        })?;
        let template = self.cached(&text_of(source)?).or_raise(py)?;
        render(&template, &self.shared, variables, partials, data)
    }

    #[allow(clippy::doc_markdown, reason = "the docstring of `TemplateEngine.validate`, for Python")]
    #[doc = include_str!("template_validate.txt")]
    fn validate_sync(&self, template: &Bound<'_, PyString>) -> PyResult<bool> {
        self.parsed(template, "").map(|_| true)
    }

    /// Return the names of the variables that the template reads, sorted. Variables of its partials count too.
    ///
    /// Raises:
    ///     TemplateSyntaxError: the template or a partial has a mistake.
    #[allow(clippy::doc_markdown, reason = "for Python")]
    #[pyo3(signature = (template, *, partials = None))]
    fn extract_variables(
        &self,
        template: &Bound<'_, PyString>,
        partials: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<String>> {
        let own = read_partials(partials, &self.shared)?;
        let py = template.py();
        let template = self.parsed(template, "")?;
        let read = template.variables(&LayeredLibrary(&own, &self.shared)).or_raise(py)?;
        Ok(read.into_keys().collect())
    }

    /// Return how the template uses each variable that it reads: the keys `required`, `tested`, `iterated` and `paths`.
    ///
    /// Raises:
    ///     TemplateSyntaxError: the template or a partial has a mistake.
    #[allow(clippy::doc_markdown, reason = "for Python")]
    #[pyo3(signature = (template, *, partials = None))]
    fn analyze<'py>(
        &self,
        template: &Bound<'py, PyString>,
        partials: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let own = read_partials(partials, &self.shared)?;
        let read = self.parsed(template, "")?.variables(&LayeredLibrary(&own, &self.shared));
        usages_to_dict(template.py(), read.or_raise(template.py())?)
    }

    /// Registers a helper for `TemplateEngine.register_helper`.
    #[pyo3(name = "_register_helper")]
    fn add_helper(
        &self,
        #[pyo3(from_py_with = arguments::template_name)] name: &str,
        function: Py<PyAny>,
        pass_options: bool,
    ) {
        let helper = HelperFunction { function, pass_options };
        let replaced = {
            let mut helpers = self.shared.helpers.write().unwrap_or_else(PoisonError::into_inner);
            helpers.insert(name.into(), helper)
        };
        // Dropped outside the lock, because dropping a Python object may run code.
        drop(replaced);
        self.shared.registrations.fetch_add(1, Ordering::AcqRel);
        // A name that meant a variable may now mean the helper.
        self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Opens fields of a class for `TemplateEngine.register_type`, which checks the arguments.
    #[pyo3(name = "_register_type")]
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn add_type(&self, class_: &Bound<'_, PyType>, fields: Vec<Bound<'_, PyString>>) -> PyResult<()> {
        let py = class_.py();
        self.shared.register_type(py, class_, TypeInfo::registered(py, &fields)?);
        Ok(())
    }

    /// Register a partial that every template of this engine can include by its name.
    ///
    /// Raises:
    ///     TemplateSyntaxError: the partial has a mistake.
    #[allow(clippy::doc_markdown, reason = "for Python")]
    fn register_partial(
        &self,
        #[pyo3(from_py_with = arguments::template_name)] name: &str,
        template: &Bound<'_, PyString>,
    ) -> PyResult<()> {
        let partial = self.parsed(template, name)?;
        self.shared.partials.write().unwrap_or_else(PoisonError::into_inner).insert(name.into(), partial);
        self.shared.registrations.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Pickles the options. `__getstate__` pickles the helpers, partials and registered types.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        Ok((PyTuple::empty(py), options(py, &self.shared.options)?))
    }

    fn __getstate__(&self, py: Python<'_>) -> PickledEngine {
        let helpers = self.shared.helpers.read().unwrap_or_else(PoisonError::into_inner);
        let helpers = helpers
            .iter()
            .map(|(name, helper)| (name.to_string(), helper.function.clone_ref(py), helper.pass_options))
            .collect();
        let partials = self.shared.all_partials();
        let partials =
            partials.iter().map(|(name, partial)| (name.to_string(), partial.source().to_owned())).collect();
        (helpers, partials, self.shared.registered_types(py))
    }

    /// Registers the helpers before the partials, because partials may call them.
    fn __setstate__(&self, py: Python<'_>, state: PickledEngine) -> PyResult<()> {
        let (helpers, partials, types) = state;
        for (class, fields) in types {
            self.add_type(class.bind(py), fields.into_bound(py).extract()?)?;
        }
        for (name, function, pass_options) in helpers {
            self.add_helper(&name, function, pass_options);
        }
        partials
            .into_iter()
            .try_for_each(|(name, source)| self.register_partial(&name, &PyString::new(py, &source)))
    }
}

/// The pickled helpers (name, function, whether it takes options), partials (name, source) and registered types (class,
/// names of its fields).
type PickledEngine = (Vec<(String, Py<PyAny>, bool)>, Vec<(String, String)>, Vec<RegisteredFields>);

impl Engine {
    /// Compiles a template with the helpers that are registered now.
    pub(super) fn parsed(&self, source: &Bound<'_, PyString>, name: &str) -> PyResult<Template<PyText>> {
        parse(&self.shared, name, &text_of(source)?).or_raise(source.py())
    }

    /// Compiles a template, or returns it from the cache.
    fn cached(&self, source: &str) -> crate::Result<Template<PyText>> {
        let cache = || self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let epoch = {
            let mut cache = cache();
            if let Some(template) = cache.get(source) {
                return Ok(template);
            }
            cache.epoch()
        };
        let template = parse(&self.shared, "", source)?;
        cache().insert(source, template.clone(), epoch);
        Ok(template)
    }
}

/// A compiled template.
#[pyclass(frozen, name = "Template", module = "prompt_manager.core.template")]
pub struct CompiledTemplate {
    template: Template<PyText>,
    engine: Py<Engine>,
}

#[pymethods]
impl CompiledTemplate {
    /// Render the template. The arguments and the errors are those of `TemplateEngine.render`.
    #[allow(clippy::doc_markdown, reason = "for Python")]
    #[pyo3(signature = (variables, *, partials = None, data = None))]
    fn render<'py>(
        &self,
        variables: &Bound<'py, PyAny>,
        partials: Option<&Bound<'py, PyAny>>,
        data: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyString>> {
        render(&self.template, &self.engine.get().shared, variables, partials, data)
    }

    /// Returns the names of the variables that the template reads, sorted.
    #[getter]
    fn variables(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.template.variables(&self.engine.get().shared).or_raise(py)?.into_keys().collect())
    }

    /// Pickles the engine and the source, which is compiled again. Templates of one engine share it after unpickling.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<TemplateReduction<'py>> {
        let (template, engine) = (&slf.get().template, slf.get().engine.bind(slf.py()));
        let arguments =
            (engine.clone(), template.source().to_owned(), template.name().map(ToOwned::to_owned));
        Ok((slf.py().import("prompt_manager._native")?.getattr("restore_template")?, arguments))
    }

    /// The source text.
    #[getter]
    fn source(&self) -> &str {
        self.template.source()
    }

    fn __repr__(&self) -> String {
        let name = self.template.name().map_or_else(String::new, |name| format!(" {name:?}"));
        let variables = self.template.variables(&EmptyLibrary).unwrap_or_default();
        format!("<Template{name}, variables {}>", short_list(&variables.into_keys().collect::<Vec<_>>()))
    }

    /// The object for a notebook.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        displayed(slf.as_any(), "template_html")
    }

    /// The object for rich.
    fn __rich__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        displayed(slf.as_any(), "template_rich")
    }
}

/// The fast way of `Template.render`: one dict, and a template that calls no helper.
#[cfg(not(Py_GIL_DISABLED))]
pub(super) struct RenderDict;

#[cfg(not(Py_GIL_DISABLED))]
impl FastMethod for RenderDict {
    type Class = CompiledTemplate;

    const NAME: &'static str = "render";

    fn full() -> &'static PyOnceLock<Py<PyAny>> {
        static FULL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        &FULL
    }

    #[inline]
    fn call<'py>(
        class: &CompiledTemplate,
        argument: &Bound<'py, PyAny>,
    ) -> Option<PyResult<Bound<'py, PyString>>> {
        if !class.template.calls_nothing() || argument.cast_exact::<PyDict>().is_err() {
            return None;
        }
        let shared = &class.engine.get().shared;
        let data = PyData::new(argument.py(), shared);
        match class.template.render(&data, argument, None, shared) {
            Ok(output) => Some(Ok(output.0)),
            // The error may hold Python objects, which pyo3 drops at once only if it knows that the thread is attached.
            Err(error) => Some(Err(Python::attach(|py| {
                let raised = raise(py, &error);
                drop(error);
                raised
            }))),
        }
    }
}

/// A callable and its arguments, with which pickle restores the template.
type TemplateReduction<'py> = (Bound<'py, PyAny>, (Bound<'py, Engine>, String, Option<String>));

/// Restores a pickled template.
#[pyfunction]
pub(super) fn restore_template(
    engine: &Bound<'_, Engine>,
    source: &Bound<'_, PyString>,
    #[pyo3(from_py_with = arguments::optional_template_name)] name: Option<&str>,
) -> PyResult<CompiledTemplate> {
    Engine::compile(engine, source, name)
}

fn render<'py>(
    template: &Template<PyText>,
    shared: &Arc<EngineState>,
    variables: &Bound<'py, PyAny>,
    partials: Option<&Bound<'py, PyAny>>,
    data: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyString>> {
    let py = variables.py();
    check_variables(variables, shared)?;
    let py_data = PyData::new(py, shared);
    let output = if partials.is_none() {
        template.render(&py_data, variables, data, shared)
    } else {
        let own = read_partials(partials, shared)?;
        template.render(&py_data, variables, data, &LayeredLibrary(&own, shared))
    };
    Ok(output.or_raise(py)?.0)
}

/// Returns how each variable is used, by name.
pub(super) fn usages_to_dict(py: Python<'_>, variables: VariableUsages) -> PyResult<Bound<'_, PyDict>> {
    let usages = PyDict::new(py);
    for (name, variable) in variables {
        let usage = PyDict::new(py);
        usage.set_item("required", variable.required)?;
        usage.set_item("tested", variable.tested)?;
        usage.set_item("iterated", variable.iterated)?;
        usage.set_item("paths", variable.paths.into_iter().collect::<Vec<_>>())?;
        usages.set_item(name, usage)?;
    }
    Ok(usages)
}

/// Returns the options as keyword arguments for `Engine`.
fn options<'py>(py: Python<'py>, options: &TemplateOptions) -> PyResult<Bound<'py, PyDict>> {
    let TemplateOptions {
        dialect,
        strict,
        allow_none,
        escape,
        prevent_indent,
        ignore_standalone,
        explicit_partial_context,
        assume_objects,
        known_helpers,
        known_helpers_only,
        known_partials,
        compat,
        limits,
    } = options;
    let Limits { source_bytes, nesting, partial_depth, depth, steps, output_bytes } = *limits;
    let budgets = PyDict::new(py);
    budgets.set_item("source_bytes", source_bytes)?;
    budgets.set_item("nesting", nesting)?;
    budgets.set_item("partial_depth", partial_depth)?;
    budgets.set_item("depth", depth)?;
    budgets.set_item("steps", steps)?;
    budgets.set_item("output_bytes", output_bytes)?;
    let arguments = PyDict::new(py);
    arguments.set_item(
        "dialect",
        match dialect {
            Dialect::Prompt => "prompt",
            Dialect::Handlebars => "handlebars",
        },
    )?;
    arguments.set_item("strict", strict)?;
    arguments.set_item("allow_none", allow_none)?;
    arguments.set_item("escape", escape)?;
    arguments.set_item("prevent_indent", prevent_indent)?;
    arguments.set_item("ignore_standalone", ignore_standalone)?;
    arguments.set_item("explicit_partial_context", explicit_partial_context)?;
    arguments.set_item("assume_objects", assume_objects)?;
    arguments.set_item("known_helpers", known_helpers.iter().map(AsRef::as_ref).collect::<Vec<&str>>())?;
    arguments.set_item("known_helpers_only", known_helpers_only)?;
    arguments.set_item("known_partials", known_partials.iter().map(AsRef::as_ref).collect::<Vec<&str>>())?;
    arguments.set_item("compat", compat)?;
    arguments.set_item("limits", budgets)?;
    Ok(arguments)
}

/// Returns the text of a template. A lone surrogate, which UTF-8 cannot encode, is an error.
fn text_of<'t>(template: &'t Bound<'_, PyString>) -> PyResult<std::borrow::Cow<'t, str>> {
    let lone = || {
        Error::new(
            Kind::TemplateSyntax,
            "the template contains half a surrogate pair, which is not a character",
        )
        .with_hint("was it decoded with errors=\"surrogateescape\"?")
    };
    template.to_cow().map_err(|_| raise(template.py(), &lone()))
}

/// Returns the name of an object's type, for error messages.
pub(super) fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string())
}

/// Raises a `TypeError` if the variables are not a mapping or an object with fields.
#[inline]
pub(super) fn check_variables(variables: &Bound<'_, PyAny>, engine: &Arc<EngineState>) -> PyResult<()> {
    if variables.cast_exact::<PyDict>().is_ok() {
        return Ok(());
    }
    let py = variables.py();
    match PyData::new(py, engine).kind(variables).or_raise(py)? {
        ValueKind::Mapping | ValueKind::Record => Ok(()),
        _ => Err(PyTypeError::new_err(format!(
            "variables must be a mapping of names to values, not {}",
            type_name(variables)
        ))),
    }
}

/// Reads the partials that a caller passes as a mapping of names to templates.
pub(super) fn read_partials(
    partials: Option<&Bound<'_, PyAny>>,
    engine: &Arc<EngineState>,
) -> PyResult<PartialMap> {
    let mut read = PartialMap::new();
    let Some(partials) = partials else { return Ok(read) };
    let py = partials.py();
    let data = PyData::new(py, engine);
    if data.kind(partials).or_raise(py)? != ValueKind::Mapping {
        return Err(PyTypeError::new_err(format!(
            "partials must be a mapping of names to templates, not {}",
            type_name(partials)
        )));
    }
    for pair in data.items_of(partials).or_raise(py)? {
        let (name, source): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
        let name: String = arguments::template_name(&name)?;
        let partial = if let Ok(compiled) = source.cast::<CompiledTemplate>() {
            compiled.get().template.clone()
        } else {
            parse(engine, &name, &text_of(partial_text(&source)?)?).or_raise(source.py())?
        };
        read.insert(name.into(), partial);
    }
    Ok(read)
}

fn partial_text<'a, 'py>(partial: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyString>> {
    partial.cast::<PyString>().map_err(|_| {
        PyTypeError::new_err(format!("a partial must be a str or a Template, not {}", type_name(partial)))
    })
}

fn not_a_limit(name: &str) -> PyErr {
    PyValueError::new_err(format!("limits.{name} must be a whole number of at least 0 and at most 64 bits"))
}

fn read_limits(given: &Bound<'_, PyDict>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    for (name, value) in given {
        let name = arguments::option(&name)?;
        let known = match name {
            "source_bytes" => &mut limits.source_bytes,
            "nesting" => &mut limits.nesting,
            "partial_depth" => &mut limits.partial_depth,
            "depth" => &mut limits.depth,
            "output_bytes" => &mut limits.output_bytes,
            "steps" => {
                limits.steps = value.extract().map_err(|_| not_a_limit(name))?;
                continue;
            }
            _ => {
                return Err(pyo3::exceptions::PyValueError::new_err(format!(
                    "unknown limit {name:?}; the limits are source_bytes, nesting, partial_depth, depth, steps and \
                     output_bytes"
                )));
            }
        };
        *known = value.extract().map_err(|_| not_a_limit(name))?;
        let highest = match name {
            "nesting" => MAX_NESTING,
            "depth" | "partial_depth" => MAX_DEPTH,
            _ => usize::MAX,
        };
        if *known > highest {
            return Err(PyValueError::new_err(format!(
                "limits.{name} can be at most {highest}: deeper nesting could overflow the stack"
            )));
        }
    }
    Ok(limits)
}
