//! Turns the payload that a conversion returns into Python objects.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

use super::surrogates;
use super::text::PyOutput;
use crate::convert::{Key, Payload};
use crate::error::{Error, Kind, Result};

/// Makes dicts, lists and strings from rendered messages. Halves of surrogate pairs are kept.
pub(super) fn payload_to_python<'py>(
    py: Python<'py>,
    payload: Payload<PyOutput<'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match payload {
        Payload::Null => py.None().into_bound(py),
        Payload::Bool(value) => PyBool::new(py, value).to_owned().into_any(),
        Payload::Number(value) => pythonize::pythonize(py, &value)?,
        Payload::ExactNumber(text) => {
            // As Python's own `json` reads it.
            if text.contains(['.', 'e', 'E']) {
                PyFloat::new(py, text.parse().unwrap_or(f64::NAN)).into_any()
            } else {
                py.get_type::<PyInt>().call1((text,))?
            }
        }
        Payload::Static(word) => fixed(py, word).into_any(),
        Payload::String(text) => surrogates::to_python(py, &text).into_any(),
        Payload::Text(output) => output.0.into_any(),
        Payload::Bytes(bytes) => PyBytes::new(py, &bytes).into_any(),
        Payload::List(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(payload_to_python(py, item)?)?;
            }
            list.into_any()
        }
        Payload::Map(members) => {
            let dict = PyDict::new(py);
            for (key, value) in members {
                let key = match &key {
                    Key::Static(key) => fixed(py, key),
                    Key::String(key) => surrogates::to_python(py, key),
                };
                dict.set_item(key, payload_to_python(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// Checks that a provider can be sent the payload: no text may hold half a surrogate pair.
pub(super) fn check_encodable(payload: &Payload<PyOutput<'_>>) -> Result<()> {
    lone_surrogate(payload).map_or(Ok(()), |path| Err(not_encodable(&path)))
}

/// The error for a text with half a surrogate pair at a path.
pub(super) fn not_encodable(path: &str) -> Error {
    let message = match path.trim_start_matches('.') {
        "" => "the text holds half a surrogate pair, which cannot be sent".to_owned(),
        path => format!("`{path}` holds half a surrogate pair, which cannot be sent"),
    };
    Error::new(Kind::Conversion, message)
        .with_hint("was the text cut in the middle of an emoji, or decoded with errors=\"surrogateescape\"?")
}

/// Returns the path to the first text with half a surrogate pair.
fn lone_surrogate(payload: &Payload<PyOutput<'_>>) -> Option<String> {
    match payload {
        Payload::Text(output) => surrogates::has_lone(&output.0).then(String::new),
        Payload::String(text) => surrogates::has_stand_in(text).then(String::new),
        Payload::List(items) => items
            .iter()
            .enumerate()
            .find_map(|(at, item)| lone_surrogate(item).map(|inner| format!("[{at}]{inner}"))),
        Payload::Map(members) => members.iter().find_map(|(key, value)| match key {
            // The key is a text of the caller, so the message does not show it.
            Key::String(key) if surrogates::has_stand_in(key) => Some(String::new()),
            key => lone_surrogate(value).map(|inner| format!(".{}{inner}", key.as_str())),
        }),
        _ => None,
    }
}

/// Returns a fixed word of a provider's format as an interned string. The most frequent words are looked up only once.
pub(super) fn fixed<'py>(py: Python<'py>, word: &'static str) -> Bound<'py, PyString> {
    macro_rules! interned {
        ($($known:literal),*) => {
            match word {
                $($known => intern!(py, $known).clone(),)*
                _ => PyString::intern(py, word),
            }
        };
    }
    interned!(
        "role",
        "content",
        "system",
        "user",
        "assistant",
        "messages",
        "type",
        "text",
        "tool",
        "developer"
    )
}
