//! Text of templates and output of renders as Python strings.
//!
//! A Rust string that becomes one Python string at the end is the fastest output for short ASCII; for other scripts it
//! would encode and decode every value, so [`PySink`] turns to joining Python strings once it meets one that is not
//! ASCII, and takes long ones as they are. What that comes to, beside an f-string, is in `docs/performance.md`.

use std::cell::Cell;
use std::fmt;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyString};

use crate::template::{Output, Sink, Text, indent_lines};

/// Fixed text of a template, with the Python string of it once one was needed.
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
    /// The text as an interned Python string, whose hash is known.
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

/// Output on its way: a buffer of short ASCII texts, and pieces that are joined at the end. Once a short text is not
/// ASCII, everything becomes a piece.
pub struct PySink<'py> {
    py: Python<'py>,
    /// ASCII only; it comes after the pieces.
    text: String,
    pieces: Vec<Bound<'py, PyString>>,
    /// Characters in the pieces.
    characters: usize,
    /// Whether short texts are pieces too.
    joining: bool,
}

/// From this many characters on a string is a piece, which spares the caller's long strings a copy in UTF-8: asking one
/// that is not ASCII for that leaves the copy inside the object for as long as it lives. Shorter ones are cheaper copied:
/// with 256 in its place, 20 documents of 500 characters took a quarter longer.
const LONG: usize = 1024;

/// The largest buffer that a thread keeps for its next render.
const KEPT: usize = 1 << 18;

thread_local! {
    /// The buffer of the last render of this thread, so that the next need not grow one.
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

    /// Makes a piece of the buffer.
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
        if !self.joining && characters < LONG {
            if let Ok(text) = string.to_str()
                && text.len() == characters
            {
                return self.text.push_str(text);
            }
            // Not ASCII, or with a lone surrogate, which has no UTF-8 at all.
            self.joining = true;
        }
        self.piece(string.clone(), characters);
    }
}

/// Keeps the buffer of a render that has ended for the next.
impl Drop for PySink<'_> {
    fn drop(&mut self) {
        if self.text.capacity() <= KEPT {
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
        if text.is_ascii() && !self.joining {
            self.text.push_str(text);
        } else {
            self.joining = true;
            self.piece(PyString::new(self.py, text), text.len());
        }
    }

    fn bytes(&self) -> usize {
        self.characters + self.text.len()
    }

    fn indented(&mut self, inner: Self, indent: &str) {
        if inner.pieces.is_empty() {
            return indent_lines(&inner.text, indent, |piece| self.str(piece));
        }
        let lines = inner.finish().0;
        let py = self.py;
        // Done by Python, for the lines may hold what UTF-8 cannot say. Methods of `str` on strings do not fail,
        // short of memory; then the lines stay as they are.
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
        // A subclass of `str` would bring its own methods along.
        if let [only] = self.pieces.as_slice()
            && only.is_exact_instance_of::<PyString>()
        {
            return PyOutput(only.clone());
        }
        let py = self.py;
        let pieces = std::mem::take(&mut self.pieces);
        // The pieces are handed over, for each reference that is counted anew is two calls. What are objects already
        // need no conversion, which is what could fail.
        let pieces = PyList::new(py, pieces).unwrap_or_else(|_| PyList::empty(py));
        let joined = intern!(py, "").call_method1(intern!(py, "join"), (&pieces,));
        // Joining strings fails only when memory ends; the pieces in UTF-8 are the same text.
        PyOutput(joined.and_then(|joined| Ok(joined.cast_into::<PyString>()?)).unwrap_or_else(|_| {
            let text: String = pieces.iter().map(|piece| piece.to_string()).collect();
            PyString::new(py, &text)
        }))
    }
}

/// Finished output.
#[derive(Clone)]
pub struct PyOutput<'py>(pub(super) Bound<'py, PyString>);

impl Output for PyOutput<'_> {
    fn is_empty(&self) -> bool {
        self.0.len().unwrap_or(0) == 0
    }

    fn with_str<R>(&self, read: impl FnOnce(&str) -> R) -> R {
        read(&self.0.to_string_lossy())
    }
}
