//! Output by the stable ABI, which does not show where a string has its characters.
//!
//! For short ASCII texts it is fastest to fill one Rust string and to convert it at the end. For other texts this would
//! encode and decode every value. So [`JoinedSink`] joins Python strings from the first text on that is not ASCII, and never
//! copies a long one. `docs/performance.md` compares this with an f-string.

use std::cell::Cell;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use super::indented_lines;
use crate::python::surrogates;
use crate::python::text::{PyOutput, PyText};
use crate::template::{Sink, Text, escape_html, indent_lines};

/// Collects the output of a render: a buffer of short ASCII texts, and pieces that are joined at the end. After the first
/// text that is not ASCII, every text becomes a piece.
pub struct JoinedSink<'py> {
    py: Python<'py>,
    /// The buffer. It is ASCII, and follows the pieces.
    text: String,
    pieces: Vec<Bound<'py, PyString>>,
    /// The number of characters in the pieces.
    characters: usize,
    /// Whether short texts become pieces too.
    joining: bool,
}

/// A string of at least this many characters becomes a piece and is not copied. Reading a string that is not ASCII as
/// UTF-8 would also keep a UTF-8 copy inside the caller's object for as long as it lives. Copying shorter strings is
/// cheaper: with a limit of 256, rendering 20 documents of 500 characters took a quarter longer.
const LONG_TEXT: usize = 1024;

/// The capacity in bytes of the largest buffer that a thread keeps for its next render.
const MAX_KEPT_BUFFER: usize = 1 << 18;

thread_local! {
    /// The buffer of this thread's last render, which the next render reuses.
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

impl<'py> JoinedSink<'py> {
    pub(in crate::python) fn new(py: Python<'py>) -> Self {
        let text = BUFFER.take();
        Self { py, text, pieces: Vec::new(), characters: 0, joining: false }
    }

    fn piece(&mut self, piece: Bound<'py, PyString>, characters: usize) {
        self.flush();
        self.characters += characters;
        self.pieces.push(piece);
    }

    /// Moves the text in the buffer to the pieces.
    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.characters += self.text.len();
            self.pieces.push(PyString::new(self.py, &self.text));
            self.text.clear();
        }
    }

    /// Appends a Python string.
    #[inline]
    pub(in crate::python) fn string(&mut self, string: Bound<'py, PyString>) {
        let characters = string.len().unwrap_or(0);
        if !self.joining && characters < LONG_TEXT {
            if let Ok(text) = string.to_str()
                && text.len() == characters
            {
                return self.text.push_str(text);
            }
            // Not ASCII, or with a lone surrogate, which UTF-8 cannot encode.
            self.joining = true;
        }
        self.piece(string, characters);
    }
}

impl JoinedSink<'_> {
    /// Appends a text with the reserved characters of HTML escaped.
    pub(in crate::python) fn escaped(&mut self, text: &str) {
        if !self.joining && text.is_ascii() {
            return escape_html(text, |piece| self.text.push_str(piece));
        }
        let mut escaped = String::with_capacity(text.len());
        escape_html(text, |piece| escaped.push_str(piece));
        self.str(&escaped);
    }
}

/// Keeps the buffer for the next render.
impl Drop for JoinedSink<'_> {
    fn drop(&mut self) {
        if self.text.capacity() <= MAX_KEPT_BUFFER {
            self.text.clear();
            BUFFER.set(std::mem::take(&mut self.text));
        }
    }
}

impl<'py> Sink for JoinedSink<'py> {
    type Text = PyText;
    type Output = PyOutput<'py>;

    #[inline]
    fn text(&mut self, text: &PyText) {
        if text.is_ascii() && !self.joining {
            self.text.push_str(text.as_str());
        } else {
            self.joining = true;
            let string = text.string(self.py).clone();
            self.piece(string, text.as_str().len());
        }
    }

    fn str(&mut self, text: &str) {
        let ascii = text.is_ascii();
        if ascii && !self.joining {
            self.text.push_str(text);
        } else {
            self.joining = true;
            let string =
                if ascii { PyString::new(self.py, text) } else { surrogates::to_python(self.py, text) };
            self.piece(string, text.len());
        }
    }

    fn output(&mut self, output: &PyOutput<'py>) {
        self.string(output.0.clone());
    }

    fn bytes(&self) -> usize {
        self.characters + self.text.len()
    }

    fn ends_in_line_break(&self) -> bool {
        if !self.text.is_empty() {
            return self.text.ends_with('\n');
        }
        let py = self.py;
        // The method of `str` itself, because a subclass may override it.
        let ends = |last: &Bound<'py, PyString>| {
            let ends_with = py.get_type::<PyString>().getattr(intern!(py, "endswith"))?;
            ends_with.call1((last, intern!(py, "\n")))?.is_truthy()
        };
        let mut pieces = self.pieces.iter().rev();
        pieces
            .find(|piece| piece.len().is_ok_and(|length| length > 0))
            .is_some_and(|last| ends(last).unwrap_or(false))
    }

    fn indented(&mut self, inner: Self, indent: &str) {
        if inner.pieces.is_empty() {
            return indent_lines(&inner.text, indent, |piece| self.str(piece));
        }
        indented_lines(self, &inner.finish().0, indent);
    }

    fn finish(mut self) -> PyOutput<'py> {
        if self.pieces.is_empty() {
            return PyOutput(PyString::new(self.py, &self.text));
        }
        self.flush();
        // A subclass of `str` would bring its own methods along, so only a plain `str` is returned as it is.
        if let [only] = self.pieces.as_slice()
            && only.is_exact_instance_of::<PyString>()
        {
            return PyOutput(only.clone());
        }
        let py = self.py;
        let pieces = std::mem::take(&mut self.pieces);
        // Moving the pieces into the list avoids two calls for each reference count. Only converting an item could fail,
        // and the pieces are Python objects already.
        let pieces = PyList::new(py, pieces).unwrap_or_else(|_| PyList::empty(py));
        let joined = intern!(py, "").call_method1(intern!(py, "join"), (&pieces,));
        // Joining strings fails only if memory runs out. Then Rust joins them.
        PyOutput(joined.and_then(|joined| Ok(joined.cast_into::<PyString>()?)).unwrap_or_else(|_| {
            let text: String = pieces.iter().map(|piece| piece.to_string()).collect();
            PyString::new(py, &text)
        }))
    }
}
