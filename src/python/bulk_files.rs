//! `write_jsonl`, `batch_line` and `text_table`: batch files of providers, and tables of their results.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use super::arguments;
use super::arrow_input::ArrowInput;
use super::bulk::RenderedTable;
use super::error::OrRaise;
use crate::bulk::{JsonlOptions, JsonlProvider, JsonlWriter};
use crate::convert::call_arguments::body_of;

/// Writes requests as batch files. Returns the paths, the number of requests, the number of rows without one, and the names
/// of the arguments that were left out.
/// `progress` is called with the number of rows after each record batch.
#[pyfunction]
#[pyo3(signature = (rows, path, *, provider, column, custom_id, max_requests, max_bytes, progress))]
#[allow(
    clippy::too_many_arguments,
    clippy::needless_pass_by_value,
    reason = "each is an option, extracted from Python"
)]
pub(super) fn write_requests(
    py: Python<'_>,
    rows: &Bound<'_, PyAny>,
    #[pyo3(from_py_with = arguments::path)] path: PathBuf,
    provider: &str,
    column: String,
    custom_id: Option<String>,
    max_requests: usize,
    max_bytes: usize,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<(Vec<PathBuf>, usize, usize, Vec<String>)> {
    let provider = batch_provider(provider)?;
    let options = JsonlOptions { provider, column, custom_id, max_requests, max_bytes };
    let mut input = ArrowInput::new(rows)?;
    let mut writer = JsonlWriter::new(&path, &input.schema(), options).or_raise(py)?;
    while let Some(batch) = py.detach(|| input.next()).or_raise(py)? {
        py.detach(|| writer.write(&batch)).or_raise(py)?;
        if let Some(progress) = &progress {
            progress.call1((input.rows(),))?;
        }
        py.check_signals()?;
    }
    let result = py.detach(|| writer.finish()).or_raise(py)?;
    Ok((result.paths, result.requests, result.skipped, result.left_out.into_iter().collect()))
}

/// The names of the arguments of a request, as JSON, that are for a call, and that a line of a batch does not have.
#[pyfunction]
pub(super) fn arguments_of_call(provider: &str, request: &str) -> PyResult<Vec<String>> {
    Ok(crate::bulk::arguments_of_call(batch_provider(provider)?, request))
}

/// Checks the id of a line of a batch file.
///
/// Raises `ValueError` if the provider refuses it.
#[pyfunction]
pub(super) fn check_batch_id(provider: &str, custom_id: &str) -> PyResult<()> {
    let batches = batch_provider(provider)?;
    if batches.accepts(custom_id) {
        return Ok(());
    }
    let problem = format!("{} does not accept this custom_id\n  hint: {}", batches.name(), batches.id_rule());
    Err(PyValueError::new_err(problem))
}

/// The line of a batch file for a request of `build_request`.
#[pyfunction]
pub(super) fn batch_line<'py>(
    provider: &str,
    custom_id: &str,
    request: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyDict>> {
    let py = request.py();
    let members = body_of(members_of(request)?, |extra| {
        if extra.is_none() { Ok(Vec::new()) } else { members_of(extra.cast::<PyDict>()?) }
    })?;
    let body = members.into_py_dict(py)?;
    let line = PyDict::new(py);
    line.set_item("custom_id", custom_id)?;
    match batch_provider(provider)?.url() {
        Some(url) => {
            line.set_item("method", "POST")?;
            line.set_item("url", url)?;
            line.set_item("body", body)?;
        }
        None => line.set_item("params", body)?,
    }
    Ok(line)
}

/// The body of a line for Gemini, of a request in JSON.
///
/// Raises `ValueError` if it is no request for Gemini.
#[pyfunction]
pub(super) fn gemini_batch_body(request: &str) -> PyResult<String> {
    crate::bulk::gemini_batch_body(request)
        .ok_or_else(|| PyValueError::new_err("the request is for another provider than Gemini"))
}

fn members_of<'py>(mapping: &Bound<'py, PyDict>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    mapping.iter().map(|(name, value)| Ok((name.extract()?, value))).collect()
}

fn batch_provider(name: &str) -> PyResult<JsonlProvider> {
    JsonlProvider::of(name)
        .ok_or_else(|| {
            PyValueError::new_err(format!(
                "'{name}' has no batch files of requests\n  hint: those that have are openai, openai-responses, anthropic \
                 and gemini"
            ))
        })
}

/// A table of texts.
#[pyfunction]
pub(super) fn text_table(columns: Vec<(String, Vec<Option<String>>)>) -> PyResult<RenderedTable> {
    let fields: Vec<Field> = columns.iter().map(|(name, _)| Field::new(name, DataType::Utf8, true)).collect();
    let arrays =
        columns.into_iter().map(|(_, texts)| Arc::new(StringArray::from(texts)) as ArrayRef).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays);
    let batch = batch.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(RenderedTable { schema, batches: vec![batch], failed: 0 })
}
