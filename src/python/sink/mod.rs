//! The output of a render as a Python string, in two ways: `direct` where the C API of the running Python version
//! shows where a string has its characters, and `joined` elsewhere. Both give the same text.

#[cfg(not(any(Py_LIMITED_API, Py_GIL_DISABLED)))]
mod direct;
#[cfg(any(Py_LIMITED_API, Py_GIL_DISABLED))]
mod joined;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

#[cfg(not(any(Py_LIMITED_API, Py_GIL_DISABLED)))]
pub use self::direct::DirectSink as PySink;
#[cfg(any(Py_LIMITED_API, Py_GIL_DISABLED))]
pub use self::joined::JoinedSink as PySink;
use crate::template::Sink;

/// Appends lines with `indent` before each of them, except before an empty last line.
///
/// Python's own methods also handle lone surrogates. They fail only if memory runs out. Then the lines stay as they are.
fn indented_lines<'py>(out: &mut PySink<'py>, lines: &Bound<'py, PyString>, indent: &str) {
    if lines.is_empty().unwrap_or(false) {
        return;
    }
    let py = lines.py();
    let or_same = |text: &Bound<'py, PyString>, made: PyResult<Bound<'py, PyAny>>| {
        made.ok().and_then(|made| made.cast_into::<PyString>().ok()).unwrap_or_else(|| text.clone())
    };
    let body = or_same(lines, lines.call_method1(intern!(py, "removesuffix"), ("\n",)));
    let ended = body.len().unwrap_or(0) < lines.len().unwrap_or(0);
    let body = or_same(&body, body.call_method1(intern!(py, "replace"), ("\n", format!("\n{indent}"))));
    out.str(indent);
    out.string(body);
    if ended {
        out.str("\n");
    }
}
