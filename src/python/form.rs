//! From a conversion's tree to Python objects, and the errors of a render as a conversion's.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString};

use super::text::PyOutput;
use crate::convert::{Key, Payload};
use crate::error::{Error, Kind};

/// The tree as dicts, lists and strings.
pub(super) fn object<'py>(py: Python<'py>, form: Payload<PyOutput<'py>>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match form {
        Payload::Null => py.None().into_bound(py),
        Payload::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
        Payload::Number(value) => pythonize::pythonize(py, &value)?,
        Payload::Static(word) => fixed(py, word).into_any(),
        Payload::String(text) => PyString::new(py, &text).into_any(),
        Payload::Text(output) => output.0.into_any(),
        Payload::List(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(object(py, item)?)?;
            }
            list.into_any()
        }
        Payload::Map(members) => {
            let dict = PyDict::new(py);
            for (key, value) in members {
                let key = match &key {
                    Key::Static(key) => fixed(py, key),
                    Key::String(key) => PyString::new(py, key),
                };
                dict.set_item(key, object(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// A word that a provider prescribes. Those that every conversation has are kept as Python strings.
pub(super) fn fixed<'py>(py: Python<'py>, word: &'static str) -> Bound<'py, PyString> {
    macro_rules! kept {
        ($($known:literal),*) => {
            match word {
                $($known => intern!(py, $known).clone(),)*
                _ => PyString::intern(py, word),
            }
        };
    }
    kept!("role", "content", "system", "user", "assistant", "messages", "type", "text", "tool", "developer")
}

/// An error of a render or of a rule as the conversion's: what the prompt was converted to is said, and what a
/// render could not do is the cause.
pub(super) fn wrap(error: Error, id: &str, provider: &str) -> Error {
    let about = [format!(" for prompt '{id}'"), format!(" of prompt '{id}'")];
    let message = || {
        let message = about.iter().fold(error.message().to_owned(), |text, about| text.replace(about, ""));
        format!("Failed to convert prompt '{id}' to {provider} format: {message}")
    };
    match error.kind() {
        Kind::Conversion => {
            let message = message();
            error.recast(Kind::Conversion, message).with_context("prompt_id", id)
        }
        Kind::TemplateRender => {
            let mut wrapped = Error::new(Kind::Conversion, message()).with_context("prompt_id", id);
            if let Some(place) = error.place() {
                wrapped = wrapped.with_place(place.clone());
            }
            if let Some(hint) = error.hint() {
                wrapped = wrapped.with_hint(hint);
            }
            wrapped.with_cause(error)
        }
        _ => error,
    }
}
