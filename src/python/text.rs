//! Template text and render output as Python strings.

use std::fmt;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};
use smol_str::SmolStr;

use super::ffi::DictPosition;
#[cfg(not(any(Py_LIMITED_API, Py_GIL_DISABLED)))]
use super::ffi::FixedString as TextString;
use super::surrogates;
use crate::template::{Output, Text};

/// Fixed text of a template. Its Python string is made when it is first needed.
pub struct PyText {
    /// Most texts of a template are short names and words between tags, which need no memory of their own.
    text: SmolStr,
    #[cfg(any(Py_LIMITED_API, Py_GIL_DISABLED))]
    ascii: bool,
    fixed: PyOnceLock<TextString>,
    position: DictPosition,
}

/// A string of a template.
#[cfg(any(Py_LIMITED_API, Py_GIL_DISABLED))]
pub(super) struct InternedString(Py<PyString>);

#[cfg(any(Py_LIMITED_API, Py_GIL_DISABLED))]
use self::InternedString as TextString;

#[cfg(any(Py_LIMITED_API, Py_GIL_DISABLED))]
impl InternedString {
    fn new(py: Python<'_>, text: &str) -> Self {
        Self(PyString::intern(py, text).unbind())
    }

    fn string<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.0.bind(py)
    }
}

impl fmt::Debug for PyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl PyText {
    /// Returns the text as an interned Python string, which has a cached hash.
    #[inline]
    pub(super) fn string<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.fixed(py).string(py)
    }

    #[inline]
    pub(super) fn fixed(&self, py: Python<'_>) -> &TextString {
        self.fixed.get_or_init(py, || TextString::new(py, &self.text))
    }

    /// Returns the value under this name in a dict.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as `DictPosition::get`")]
    pub(super) fn value_in<'py>(&self, dict: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.position.get(dict, self.string(dict.py()))
    }

    /// Whether the text is ASCII.
    #[cfg(any(Py_LIMITED_API, Py_GIL_DISABLED))]
    pub(super) fn is_ascii(&self) -> bool {
        self.ascii
    }
}

impl Text for PyText {
    fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            #[cfg(any(Py_LIMITED_API, Py_GIL_DISABLED))]
            ascii: text.is_ascii(),
            fixed: PyOnceLock::new(),
            position: DictPosition::new(),
        }
    }

    fn as_str(&self) -> &str {
        &self.text
    }
}

/// The output of a finished render.
#[derive(Clone)]
pub struct PyOutput<'py>(pub(super) Bound<'py, PyString>);

impl Output for PyOutput<'_> {
    fn is_empty(&self) -> bool {
        self.0.len().unwrap_or(0) == 0
    }

    fn with_str<R>(&self, read: impl FnOnce(&str) -> R) -> R {
        read(&surrogates::to_rust(&self.0))
    }
}
