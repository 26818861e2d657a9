//! Rendered messages as Python dicts in the format of prompt files.

use pyo3::prelude::*;

use super::conversion_warning::warn;
use super::error::OrRaise;
use super::payload::payload_to_python;
use super::text::PyOutput;
use crate::convert::{Report, message_dicts};
use crate::prompt::Message;

/// The frameworks whose integrations can be strict.
const FRAMEWORKS: [&str; 3] = ["MCP", "Pydantic AI", "LlamaIndex"];

/// The messages as dicts. For the strict integration of a framework, anything that only one provider understands is an
/// error. Otherwise warns about what only one provider understands, which they cannot express.
pub(super) fn messages_to_python<'py>(
    py: Python<'py>,
    messages: Vec<Message<PyOutput<'py>>>,
    framework: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut report = Report::default();
    if let Some(name) = framework.and_then(|name| FRAMEWORKS.into_iter().find(|known| *known == name)) {
        return payload_to_python(
            py,
            message_dicts::strict_messages(messages, name, &mut report).or_raise(py)?,
        );
    }
    let payload = message_dicts::messages(messages, &mut report).or_raise(py)?;
    warn(py, &report)?;
    payload_to_python(py, payload)
}
