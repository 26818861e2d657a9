//! Rendered messages as Python dicts in the format of prompt files.

use pyo3::prelude::*;

use super::conversion_warning::warn;
use super::error::OrRaise;
use super::payload::payload_to_python;
use super::text::PyOutput;
use crate::convert::{Report, message_dicts};
use crate::prompt::Message;

/// The messages as dicts. Warns about what only one provider understands, which they cannot express.
pub(super) fn messages_to_python<'py>(
    py: Python<'py>,
    messages: Vec<Message<PyOutput<'py>>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut report = Report::default();
    let payload = message_dicts::messages(messages, &mut report).or_raise(py)?;
    warn(py, &report)?;
    payload_to_python(py, payload)
}
