//! Extracts texts and paths from arguments.
//!
//! A Python text can have half a surrogate pair, which UTF-8 cannot encode. Without these functions, such an argument
//! raises a `UnicodeEncodeError`, which has the whole text in its `args`.

use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::error::raise;
use crate::error::{Error, Kind};
use crate::schema::{Violation, invalid};

/// Declares a function that extracts a text, and optionally one that extracts a text or `None`.
macro_rules! text_argument {
    ($kind:expr, $what:literal, $name:ident) => {
        #[doc = concat!("Extracts ", $what, ".")]
        pub(super) fn $name<'a, T: From<&'a str>>(argument: &'a Bound<'_, PyAny>) -> PyResult<T> {
            text(argument, $what, &|at| Error::new($kind, unencodable($what, at)))
        }
    };
    ($kind:expr, $what:literal, $name:ident, $optional:ident) => {
        text_argument!($kind, $what, $name);

        #[doc = concat!("Extracts ", $what, ", or `None`.")]
        pub(super) fn $optional<'a, T: From<&'a str>>(argument: &'a Bound<'_, PyAny>) -> PyResult<Option<T>> {
            if argument.is_none() { Ok(None) } else { $name(argument).map(Some) }
        }
    };
}

text_argument!(Kind::PromptNotFound, "the prompt's id", id);
text_argument!(Kind::VersionNotFound, "the version", version, optional_version);
text_argument!(Kind::VersionNotFound, "the label", label, optional_label);
text_argument!(Kind::PromptInvalid, "a text about the prompt", metadata, optional_metadata);
text_argument!(Kind::Schema, "the schema's name", schema_name);
text_argument!(
    Kind::TemplateSyntax,
    "the template's or helper's name",
    template_name,
    optional_template_name
);
text_argument!(Kind::Conversion, "the model", model, optional_model);

/// Extracts the value of an option, which is one of a few words.
pub(super) fn option<'a>(argument: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    let error = |_| PyValueError::new_err("an option is not one of its words: it has half a surrogate pair");
    match argument.cast::<PyString>() {
        Ok(string) => string.to_str().map_err(error),
        Err(_) => Err(no_string("an option", argument)),
    }
}

/// Extracts the answer of a model.
pub(super) fn answer<'a>(argument: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    text(argument, "the answer", &|at| {
        let message = format!("half a surrogate pair is not a character (character {at})");
        invalid("cannot read the answer", "", &[Violation::new(&"", "syntax", message)])
    })
}

/// Extracts a text for a lookup that only answers whether something exists.
pub(super) fn lookup(argument: &Bound<'_, PyAny>) -> PyResult<String> {
    match argument.cast::<PyString>() {
        // The replacement character is in no id and in no version.
        Ok(string) => Ok(string.to_string_lossy().into_owned()),
        Err(_) => Err(no_string("an id or version", argument)),
    }
}

/// As [`lookup`], for an argument that can be `None`.
pub(super) fn optional_lookup(argument: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if argument.is_none() { Ok(None) } else { lookup(argument).map(Some) }
}

/// Extracts metadata texts, such as tags.
pub(super) fn texts(argument: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let items: Vec<Bound<'_, PyAny>> = argument.extract()?;
    items.iter().map(|item| metadata(item)).collect()
}

/// Extracts a path.
pub(super) fn path(argument: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    argument.extract().map_err(|error| {
        without_value(argument.py(), error, &|at| Error::new(Kind::StorageRead, unencodable("the path", at)))
    })
}

/// As [`path`], for an argument that can be `None`.
pub(super) fn optional_path(argument: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    if argument.is_none() { Ok(None) } else { path(argument).map(Some) }
}

/// Returns the message for a text that UTF-8 cannot encode, without the text; `None` for any other. `what` names it.
#[pyfunction]
pub(super) fn encoding_problem(text: &Bound<'_, PyString>, what: &str) -> PyResult<Option<String>> {
    match text.to_str() {
        Ok(_) => Ok(None),
        Err(raised) => Ok(Some(unencodable(what, character(text.py(), &raised)?))),
    }
}

fn text<'a, T: From<&'a str>>(
    argument: &'a Bound<'_, PyAny>,
    what: &str,
    error: &dyn Fn(usize) -> Error,
) -> PyResult<T> {
    match argument.cast::<PyString>() {
        Ok(string) => {
            let text = string.to_str().map_err(|raised| without_value(argument.py(), raised, error));
            text.map(T::from)
        }
        Err(_) => Err(no_string(what, argument)),
    }
}

/// The error for an argument that is not a text. It has the type and not the value.
fn no_string(what: &str, argument: &Bound<'_, PyAny>) -> PyErr {
    match argument.get_type().name() {
        Ok(name) => PyTypeError::new_err(format!("{what} must be a str, not {name}")),
        Err(error) => error,
    }
}

/// Replaces an exception that has the text by an error that has only the position of the character, counted from 1.
fn without_value(py: Python<'_>, raised: PyErr, error: &dyn Fn(usize) -> Error) -> PyErr {
    if !raised.is_instance_of::<PyUnicodeEncodeError>(py) {
        return raised;
    }
    character(py, &raised).map_or_else(|failure| failure, |at| raise(py, &error(at)))
}

/// The position of the character that cannot be encoded, counted from 1.
fn character(py: Python<'_>, raised: &PyErr) -> PyResult<usize> {
    raised.value(py).getattr("start")?.extract::<usize>().map(|start| start + 1)
}

fn unencodable(what: &str, at: usize) -> String {
    format!(
        "{what} has half a surrogate pair at character {at}, which is not valid Unicode; remove or replace it"
    )
}
