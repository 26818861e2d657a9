//! YAML files other than prompts, such as tests of prompts: values with their places, and values as text.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::data::PyData;
use super::error::{OrRaise, raise};
use super::runtime::detached;
use crate::de::yaml::{decode, documents, read_document, source_text};
use crate::de::{NodeReader, NodeValue, SourceNode};
use crate::error::{Error, Kind, LineStarts, Place};
use crate::limits::FILE_BYTES;
use crate::stack_room;
use crate::store::yaml_write;

/// Reads the only document of a YAML file. A node is `(line, column, value)`: a list has nodes as items, and a mapping is
/// a tuple of pairs of nodes.
#[pyfunction]
pub(super) fn read_yaml<'py>(py: Python<'py>, file_name: &str, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if data.len() as u64 > FILE_BYTES {
        let message = format!("{file_name} is larger than {FILE_BYTES} bytes");
        return Err(raise(py, &Error::new(Kind::PromptInvalid, message)));
    }
    let text = &*source_text(decode(file_name, data).or_raise(py)?);
    let (roots, mistakes) = detached(py, || read_one(file_name, text));
    if let Some(error) = mistakes {
        return Err(raise(py, &error));
    }
    let lines = LineStarts::of(text);
    let writer = NodeWriter { py, text, lines: &lines };
    match roots.first() {
        Some(root) => writer.node(root, 0),
        None => Ok((1, 1, py.None()).into_pyobject(py)?.into_any()),
    }
}

/// The documents of a YAML file that must have one at most, and the mistakes in it.
fn read_one<'s>(file_name: &str, text: &'s str) -> (Vec<SourceNode<'s>>, Option<Error>) {
    let mut reader = NodeReader::of_yaml(Kind::PromptInvalid, text);
    let mut roots = Vec::new();
    for chunk in documents(text) {
        roots.extend(read_document(text, &chunk, &mut reader));
    }
    if let [_, second, ..] = roots.as_slice() {
        reader.wrong(second.span, "expected one document");
    }
    if let Some(root) = roots.first() {
        note_non_finite(&mut reader, root);
    }
    let mistakes = Error::sum_up(Kind::PromptInvalid, file_name, reader.located(file_name, text));
    (roots, mistakes)
}

/// Notes numbers that JSON cannot hold.
fn note_non_finite(reader: &mut NodeReader<'_>, node: &SourceNode<'_>) {
    match &node.value {
        NodeValue::NonFinite => reader.wrong(node.span, "expected a finite number"),
        NodeValue::List(items) => items.iter().for_each(|item| note_non_finite(reader, item)),
        NodeValue::Map(members) => members.iter().for_each(|(_, value)| note_non_finite(reader, value)),
        _ => {}
    }
}

/// Converts nodes to Python.
struct NodeWriter<'a, 'py> {
    py: Python<'py>,
    text: &'a str,
    lines: &'a LineStarts,
}

impl<'py> NodeWriter<'_, 'py> {
    fn node(&self, node: &SourceNode<'_>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        stack_room::check(depth, Kind::PromptInvalid).or_raise(py)?;
        let value = match &node.value {
            NodeValue::Null | NodeValue::NonFinite => py.None().into_bound(py),
            NodeValue::Bool(value) => pythonize::pythonize(py, value)?,
            NodeValue::Number(number) => pythonize::pythonize(py, number)?,
            NodeValue::ExactNumber(digits) => exact_number(py, digits)?,
            NodeValue::Text(text) => text.as_ref().into_pyobject(py)?.into_any(),
            NodeValue::List(items) => {
                let items =
                    items.iter().map(|item| self.node(item, depth + 1)).collect::<PyResult<Vec<_>>>()?;
                PyList::new(py, items)?.into_any()
            }
            NodeValue::Map(members) => {
                let pairs = members
                    .iter()
                    .map(|(key, value)| Ok((self.node(key, depth + 1)?, self.node(value, depth + 1)?)))
                    .collect::<PyResult<Vec<_>>>()?;
                PyTuple::new(py, pairs)?.into_any()
            }
        };
        let offset = node.span.offset().unwrap_or_default();
        let place = Place::with_lines(None, self.text, offset, self.lines);
        Ok((place.line, place.column, value).into_pyobject(py)?.into_any())
    }
}

/// A number that has more digits than the core's numbers keep.
fn exact_number<'py>(py: Python<'py>, digits: &str) -> PyResult<Bound<'py, PyAny>> {
    let kind = if digits.contains(['.', 'e', 'E']) { "float" } else { "int" };
    py.import("builtins")?.getattr(kind)?.call1((digits,))
}

/// A plain value as YAML.
///
/// # Errors
/// `ValueError` if the value is not plain data.
#[pyfunction]
pub(super) fn write_yaml(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let json = PyData::without_engine(value.py())
        .json(value, 0)
        .map_err(|json_error| PyValueError::new_err(json_error.error.message().to_owned()))?;
    detached(value.py(), || yaml_write::write_value(&json))
        .map_err(|error| PyValueError::new_err(error.message().to_owned()))
}
