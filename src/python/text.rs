//! Template text and render output as Python strings.
//!
//! For short ASCII texts it is fastest to fill one Rust string and to convert it at the end. For other texts this would
//! encode and decode every value. So [`PySink`] joins Python strings from the first text on that is not ASCII, and never
//! copies a long one. `docs/performance.md` compares this with an f-string.

use std::cell::Cell;
use std::fmt;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyString};

use super::surrogates;
use crate::template::{Output, Sink, Text, escape_html, indent_lines};

/// Fixed text of a template. Its Python string is made when it is first needed.
pub struct PyText {
    text: Box<str>,
    ascii: bool,
    string: PyOnceLock<Py<PyString>>,
}

impl fmt::Debug for PyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl PyText {
    /// Returns the text as an interned Python string, which has a cached hash.
    pub(super) fn string<'py>(&self, py: Python<'py>) -> &Bound<'py, PyString> {
        self.string.get_or_init(py, || PyString::intern(py, &self.text).unbind()).bind(py)
    }
}

impl Text for PyText {
    fn new(text: &str) -> Self {
        Self { text: text.into(), ascii: text.is_ascii(), string: PyOnceLock::new() }
    }

    fn as_str(&self) -> &str {
        &self.text
    }
}

/// Collects the output of a render: a buffer of short ASCII texts, and pieces that are joined at the end. After the first
/// text that is not ASCII, every text becomes a piece.
pub struct PySink<'py> {
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

impl<'py> PySink<'py> {
    pub(super) fn new(py: Python<'py>) -> Self {
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
    pub(super) fn string(&mut self, string: &Bound<'py, PyString>) {
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
        self.piece(string.clone(), characters);
    }
}

impl PySink<'_> {
    /// Appends a text with the reserved characters of HTML escaped.
    pub(super) fn escaped(&mut self, text: &str) {
        if !self.joining && text.is_ascii() {
            return escape_html(text, |piece| self.text.push_str(piece));
        }
        let mut escaped = String::with_capacity(text.len());
        escape_html(text, |piece| escaped.push_str(piece));
        self.str(&escaped);
    }
}

/// Keeps the buffer for the next render.
impl Drop for PySink<'_> {
    fn drop(&mut self) {
        if self.text.capacity() <= MAX_KEPT_BUFFER {
            self.text.clear();
            BUFFER.set(std::mem::take(&mut self.text));
        }
    }
}

impl<'py> Sink for PySink<'py> {
    type Text = PyText;
    type Output = PyOutput<'py>;

    #[inline]
    fn text(&mut self, text: &PyText) {
        if text.ascii && !self.joining {
            self.text.push_str(&text.text);
        } else {
            self.joining = true;
            let string = text.string(self.py).clone();
            self.piece(string, text.text.len());
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
        self.string(&output.0);
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
        let lines = inner.finish().0;
        let py = self.py;
        // Python's own methods also handle lone surrogates. They fail only if memory runs out. Then the lines stay as
        // they are.
        let or_same = |text: &Bound<'py, PyString>, made: PyResult<Bound<'py, PyAny>>| {
            made.ok().and_then(|made| made.cast_into::<PyString>().ok()).unwrap_or_else(|| text.clone())
        };
        let body = or_same(&lines, lines.call_method1(intern!(py, "removesuffix"), ("\n",)));
        let ended = body.len().unwrap_or(0) < lines.len().unwrap_or(0);
        let body = or_same(&body, body.call_method1(intern!(py, "replace"), ("\n", format!("\n{indent}"))));
        self.str(indent);
        self.string(&body);
        if ended {
            self.str("\n");
        }
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
