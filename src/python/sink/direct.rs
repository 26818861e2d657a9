//! Output by the C API of one Python version.
//!
//! A render gathers parts: the strings of its values and of the template, which it does not copy, and ASCII text of its
//! own in a buffer. At the end it makes one string of the right size and width, and copies each part once.

use pyo3::prelude::*;
use pyo3::types::PyString;

use super::indented_lines;
use crate::python::ffi::TextParts;
use crate::python::surrogates;
use crate::python::text::{PyOutput, PyText};
use crate::template::{Sink, escape_html};

/// Collects the output of a render.
pub struct DirectSink<'py> {
    parts: TextParts<'py>,
}

impl<'py> DirectSink<'py> {
    #[inline]
    pub(in crate::python) fn new(py: Python<'py>) -> Self {
        Self { parts: TextParts::new(py) }
    }

    /// Appends a Python string.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as `TextParts::push_string`")]
    pub(in crate::python) fn string(&mut self, string: Bound<'py, PyString>) {
        self.parts.push_string(string);
    }

    /// Appends a text with the reserved characters of HTML escaped.
    pub(in crate::python) fn escaped(&mut self, text: &str) {
        if text.is_ascii() {
            return self.parts.push_ascii(|buffer| escape_html(text, |piece| buffer.push_str(piece)));
        }
        let mut escaped = String::with_capacity(text.len());
        escape_html(text, |piece| escaped.push_str(piece));
        self.str(&escaped);
    }
}

impl<'py> Sink for DirectSink<'py> {
    type Text = PyText;
    type Output = PyOutput<'py>;

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "as `TextParts::push_string`")]
    fn text(&mut self, text: &PyText) {
        self.parts.push_fixed(text.fixed(self.parts.py()));
    }

    fn str(&mut self, text: &str) {
        if text.is_ascii() {
            self.parts.push_ascii(|buffer| buffer.push_str(text));
        } else {
            self.string(surrogates::to_python(self.parts.py(), text));
        }
    }

    fn output(&mut self, output: &PyOutput<'py>) {
        self.string(output.0.clone());
    }

    #[inline]
    fn bytes(&self) -> usize {
        self.parts.length()
    }

    fn ends_in_line_break(&self) -> bool {
        self.parts.ends_in_line_break()
    }

    fn indented(&mut self, inner: Self, indent: &str) {
        indented_lines(self, &inner.finish().0, indent);
    }

    #[inline]
    fn finish(self) -> PyOutput<'py> {
        // A subclass of `str` would bring its own methods along, so only a plain `str` is returned as it is.
        if let Some(string) = self.parts.only_string()
            && string.is_exact_instance_of::<PyString>()
        {
            return PyOutput(string.clone());
        }
        PyOutput(self.parts.join().unwrap_or_else(|_| in_rust(&self.parts)))
    }
}

/// Joins the parts in Rust, after memory for Python's way of joining ran out.
#[cold]
fn in_rust<'py>(parts: &TextParts<'py>) -> Bound<'py, PyString> {
    let text: String = parts.strings().map(|string| surrogates::to_rust(&string).into_owned()).collect();
    surrogates::to_python(parts.py(), &text)
}
