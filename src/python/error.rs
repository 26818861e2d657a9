//! Maps the core's errors to the exceptions of `prompt_manager.exceptions`. No other file does.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyDict, PyList, PyString, PyType};

use crate::error::{ContextValue, Error, Kind};

/// The name of the exception class for each kind.
fn class_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Prompt => "PromptError",
        Kind::PromptNotFound => "PromptNotFoundError",
        Kind::PromptInvalid => "PromptValidationError",
        Kind::TemplateSyntax => "TemplateSyntaxError",
        // An exception of the caller's code is raised unchanged, so only a foreign error without one gets here.
        Kind::TemplateRender | Kind::Foreign => "TemplateRenderError",
        Kind::VersionNotFound => "VersionNotFoundError",
        Kind::VersionConflict => "VersionConflictError",
        Kind::StorageRead => "StorageReadError",
        Kind::StorageWrite => "StorageWriteError",
        Kind::Schema => "SchemaError",
        Kind::SchemaParse => "SchemaParseError",
        Kind::SchemaInvalid => "SchemaValidationError",
        Kind::Integration => "IntegrationError",
        Kind::Conversion => "ConversionError",
        Kind::IncompatibleFormat => "IncompatibleFormatError",
    }
}

fn exceptions(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    MODULE
        .get_or_try_init(py, || py.import("prompt_manager.exceptions").map(Bound::unbind))
        .map(|module| module.bind(py))
}

/// Returns the known name that is most similar to a misspelt one, if one is similar enough.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn nearest(name: &Bound<'_, PyString>, known: Vec<String>) -> Option<String> {
    crate::error::nearest(&name.to_string_lossy(), known.iter().map(String::as_str)).map(str::to_owned)
}

/// Makes the exception for an error of the core.
pub(super) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let cause = error.cause().and_then(|cause| {
        let exception = cause.downcast_ref::<PyErr>().map(|exception| exception.clone_ref(py));
        exception.or_else(|| cause.downcast_ref::<Error>().map(|cause| raise(py, cause)))
    });
    if let (Kind::Foreign, Some(cause)) = (error.kind(), &cause) {
        return cause.clone_ref(py);
    }
    match instance(py, error) {
        Ok(exception) => {
            let raised = PyErr::from_value(exception);
            if cause.is_some() {
                raised.set_cause(py, cause);
            }
            raised
        }
        Err(failure) => failure,
    }
}

/// Calls `class(message, **context)` and attaches the report that the exception prints.
fn instance<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let class = exceptions(py)?.getattr(class_name(error.kind()))?;
    let class = class.cast::<PyType>()?;
    let context = PyDict::new(py);
    let of_template = matches!(error.kind(), Kind::TemplateSyntax | Kind::TemplateRender | Kind::Conversion);
    if let Some(place) = error.place() {
        // If the template comes from a file, the context has a `path` and the place is in that file.
        let in_file = error.context().iter().any(|(name, _)| *name == "path");
        context.set_item(if of_template && !in_file { "template_name" } else { "path" }, &place.name)?;
        context.set_item("line", place.line)?;
        context.set_item("column", place.column)?;
        context.set_item("source_line", &place.source_line)?;
    }
    if let Some(hint) = error.hint() {
        context.set_item("hint", hint)?;
    }
    for (name, value) in error.context() {
        match value {
            ContextValue::Text(text) => context.set_item(name, text)?,
            ContextValue::List(texts) => context.set_item(name, texts)?,
            ContextValue::Records(records) => {
                let dicts = records.iter().map(|record| record.clone().into_py_dict(py));
                context.set_item(name, dicts.collect::<PyResult<Vec<_>>>()?)?;
            }
        }
    }
    if !error.errors().is_empty() {
        let errors: Vec<_> =
            error.errors().iter().map(|error| instance(py, error)).collect::<PyResult<_>>()?;
        context.set_item("errors", PyList::new(py, errors)?)?;
    }
    let exception = class.call((error.message(),), Some(&context))?;
    exception.setattr("_report", error.report())?;
    Ok(exception)
}

/// Makes an error of the core for an exception that the caller's code raised. An `Exception` becomes the cause of a render
/// error with this message. What [`unless_final`] passes on is raised unchanged.
pub(super) fn foreign(py: Python<'_>, raised: PyErr, message: impl FnOnce() -> String) -> Error {
    match unless_final(py, raised) {
        Ok(raised) => Error::new(Kind::TemplateRender, message()).with_cause(raised),
        Err(error) => error,
    }
}

/// Gives back an exception that may become the cause of another.
///
/// # Errors
/// Of kind [`Kind::Foreign`] for `KeyboardInterrupt`, `SystemExit` and the like, and for what a signal handler raised: the
/// caller waits for that very exception, wherever in the call the signal came.
pub(super) fn unless_final(py: Python<'_>, raised: PyErr) -> Result<PyErr, Error> {
    if !raised.is_instance_of::<PyException>(py) {
        return Err(Error::new(
            Kind::Foreign,
            "the caller's code raised an exception that stops the program",
        )
        .with_cause(raised));
    }
    match is_from_signal_handler(py, &raised) {
        Ok(false) => Ok(raised),
        Ok(true) => Err(of_signal_handler(raised)),
        // Another signal came while this was looked at.
        Err(later) => Err(of_signal_handler(later)),
    }
}

fn is_from_signal_handler(py: Python<'_>, raised: &PyErr) -> PyResult<bool> {
    let module = py.import("prompt_manager._signal_handlers")?;
    module.call_method1("is_from_signal_handler", (raised.traceback(py),))?.extract()
}

/// The error for an exception of a signal handler, which is raised unchanged.
pub(super) fn of_signal_handler(raised: PyErr) -> Error {
    Error::new(Kind::Foreign, "a signal handler raised an exception").with_cause(raised)
}

/// Whether an exception is a `PromptManagerError`.
pub(super) fn is_ours(py: Python<'_>, raised: &PyErr) -> bool {
    let base = exceptions(py).and_then(|module| module.getattr("PromptManagerError"));
    base.is_ok_and(|base| raised.is_instance(py, &base))
}

/// Turns a result of the core into a result for Python.
pub(super) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raise(py, &error))
    }
}
