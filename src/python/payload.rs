//! Turns the payload that a conversion returns into Python objects.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};

use super::text::PyOutput;
use crate::convert::{Key, Payload};

/// Makes dicts, lists and strings from a payload.
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
        Payload::String(text) => PyString::new(py, &text).into_any(),
        Payload::Text(output) => output.0.into_any(),
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
                    Key::String(key) => PyString::new(py, key),
                };
                dict.set_item(key, payload_to_python(py, value)?)?;
            }
            dict.into_any()
        }
    })
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
