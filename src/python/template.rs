//! `Engine` and `Template`: the template engine for Python.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::data::{PyData, sort};
use super::error::OrRaise;
use super::text::PyText;
use crate::limits::Limits;
use crate::template::{Both, NoPartials, Options, Partials, Sort, Template};

/// Partials by name.
pub(super) type PartialMap = BTreeMap<Box<str>, Template<PyText>>;

/// What an engine and all that it compiled have in common.
pub(super) struct Shared {
    pub(super) options: Options,
    partials: RwLock<PartialMap>,
}

impl Partials<PyText> for Shared {
    fn partial(&self, name: &str) -> Option<Template<PyText>> {
        self.partials.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.partials.read().unwrap_or_else(PoisonError::into_inner).names()
    }
}

/// Compiles and renders templates with one set of options; the class behind `TemplateEngine`.
#[pyclass(frozen, subclass, module = "prompt_manager._native")]
pub struct Engine {
    pub(super) shared: Arc<Shared>,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, strict = true, allow_none = false, escape = false, prevent_indent = false,
        ignore_standalone = false, explicit_partial_context = false, limits = None))]
    #[allow(clippy::fn_params_excessive_bools, reason = "each is an option of the language, given by name")]
    fn new(
        strict: bool,
        allow_none: bool,
        escape: bool,
        prevent_indent: bool,
        ignore_standalone: bool,
        explicit_partial_context: bool,
        limits: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let limits = limits.map_or(Ok(Limits::default()), read_limits)?;
        let options = Options {
            strict,
            allow_none,
            escape,
            prevent_indent,
            ignore_standalone,
            explicit_partial_context,
            limits,
        };
        Ok(Self { shared: Arc::new(Shared { options, partials: RwLock::default() }) })
    }

    #[pyo3(signature = (template, *, name = None))]
    fn compile(&self, py: Python<'_>, template: &str, name: Option<&str>) -> PyResult<CompiledTemplate> {
        let template =
            Template::parse(name.unwrap_or_default(), template, &self.shared.options).or_raise(py)?;
        Ok(CompiledTemplate { template, shared: Arc::clone(&self.shared) })
    }

    #[pyo3(signature = (template, variables, *, partials = None, data = None))]
    fn render_sync<'py>(
        &self,
        template: &Bound<'py, PyAny>,
        variables: &Bound<'py, PyAny>,
        partials: Option<&Bound<'py, PyDict>>,
        data: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyString>> {
        let py = template.py();
        if let Ok(compiled) = template.cast::<CompiledTemplate>() {
            return compiled.get().render(py, variables, partials, data);
        }
        let source = template.cast::<PyString>().map_err(|_| {
            PyTypeError::new_err(format!("template must be a str or a Template, not {}", type_name(template)))
        })?;
        self.compile(py, &source.to_cow()?, None)?.render(py, variables, partials, data)
    }

    fn validate_sync(&self, py: Python<'_>, template: &str) -> PyResult<bool> {
        self.compile(py, template, None).map(|_| true)
    }

    #[pyo3(signature = (template, *, partials = None))]
    fn extract_variables(
        &self,
        py: Python<'_>,
        template: &str,
        partials: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Vec<String>> {
        let own = read_partials(partials, &self.shared.options)?;
        let template = self.compile(py, template, None)?.template;
        Ok(template.variables(&Both(&own, &*self.shared)).into_keys().collect())
    }

    fn register_partial(&self, py: Python<'_>, name: &str, template: &str) -> PyResult<()> {
        let partial = Template::parse(name, template, &self.shared.options).or_raise(py)?;
        self.shared.partials.write().unwrap_or_else(PoisonError::into_inner).insert(name.into(), partial);
        Ok(())
    }
}

/// A template that is ready to render.
#[pyclass(frozen, name = "Template", module = "prompt_manager.core.template")]
pub struct CompiledTemplate {
    template: Template<PyText>,
    shared: Arc<Shared>,
}

#[pymethods]
impl CompiledTemplate {
    #[pyo3(signature = (variables, *, partials = None, data = None))]
    fn render<'py>(
        &self,
        py: Python<'py>,
        variables: &Bound<'py, PyAny>,
        partials: Option<&Bound<'py, PyDict>>,
        data: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyString>> {
        check_variables(variables)?;
        let world = PyData::new(py);
        let output = if partials.is_none() {
            self.template.render(&world, variables, data, &*self.shared)
        } else {
            let own = read_partials(partials, &self.shared.options)?;
            self.template.render(&world, variables, data, &Both(&own, &*self.shared))
        };
        Ok(output.or_raise(py)?.0)
    }

    /// The names of the variables that the template reads, sorted.
    #[getter]
    fn variables(&self) -> Vec<String> {
        self.template.variables(&*self.shared).into_keys().collect()
    }

    /// The text that it was compiled from.
    #[getter]
    fn source(&self) -> &str {
        self.template.source()
    }

    fn __repr__(&self) -> String {
        let name = self.template.name().map_or_else(String::new, |name| format!(" {name:?}"));
        format!(
            "<Template{name}, variables {:?}>",
            self.template.variables(&NoPartials).into_keys().collect::<Vec<_>>()
        )
    }
}

/// The name of an object's type, for messages.
pub(super) fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string())
}

/// Refuses variables that have no names.
#[inline]
pub(super) fn check_variables(variables: &Bound<'_, PyAny>) -> PyResult<()> {
    if variables.cast_exact::<PyDict>().is_ok() || matches!(sort(variables), Sort::Mapping | Sort::Record) {
        return Ok(());
    }
    Err(PyTypeError::new_err(format!(
        "variables must be a mapping of names to values, not {}",
        type_name(variables)
    )))
}

/// Partials that a caller gives as a dictionary of texts.
fn read_partials(partials: Option<&Bound<'_, PyDict>>, options: &Options) -> PyResult<PartialMap> {
    let mut read = PartialMap::new();
    for (name, source) in partials.into_iter().flatten() {
        let name: String = name.extract()?;
        let partial = if let Ok(compiled) = source.cast::<CompiledTemplate>() {
            compiled.get().template.clone()
        } else {
            Template::parse(&name, source.extract()?, options).or_raise(source.py())?
        };
        read.insert(name.into(), partial);
    }
    Ok(read)
}

fn read_limits(given: &Bound<'_, PyDict>) -> PyResult<Limits> {
    let mut limits = Limits::default();
    for (name, value) in given {
        let name: String = name.extract()?;
        let known = match name.as_str() {
            "source_bytes" => &mut limits.source_bytes,
            "nesting" => &mut limits.nesting,
            "partial_depth" => &mut limits.partial_depth,
            "depth" => &mut limits.depth,
            "output_bytes" => &mut limits.output_bytes,
            "steps" => {
                limits.steps = value.extract()?;
                continue;
            }
            _ => {
                return Err(pyo3::exceptions::PyValueError::new_err(format!(
                    "unknown limit {name:?}; the limits are source_bytes, nesting, partial_depth, depth, steps and \
                     output_bytes"
                )));
            }
        };
        *known = value.extract()?;
    }
    Ok(limits)
}
