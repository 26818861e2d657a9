//! Functions that parse the answers of models.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::arguments;
use super::data::values::answer_to_python;
use super::error::OrRaise;
use super::prompt::CompiledPrompt;
use crate::error::Kind;
use crate::schema::output::{self, Answer, AnswerOptions};

/// The value, the repairs as `{kind, message, line, column}`, and the number of lists and dicts that are not closed.
type ParsedAnswer<'py> = (Bound<'py, PyAny>, Vec<Bound<'py, PyDict>>, usize);

/// Parses the JSON in a model's answer.
#[pyfunction]
#[pyo3(signature = (text, *, strict = false, dict = false))]
pub(super) fn parse_json<'py>(
    py: Python<'py>,
    #[pyo3(from_py_with = arguments::answer)] text: &str,
    strict: bool,
    dict: bool,
) -> PyResult<ParsedAnswer<'py>> {
    let answer = py.detach(|| output::parse(text, AnswerOptions { strict, dict })).or_raise(py)?;
    to_python(py, &answer)
}

/// Parses the JSON in a model's answer to a prompt. If it can only be read in a way that depends on the output schema,
/// the way that fits is taken.
#[pyfunction]
#[pyo3(signature = (prompt, text, *, strict = false))]
pub(super) fn parse_answer<'py>(
    prompt: &Bound<'py, CompiledPrompt>,
    #[pyo3(from_py_with = arguments::answer)] text: &str,
    strict: bool,
) -> PyResult<ParsedAnswer<'py>> {
    let (py, prompt) = (prompt.py(), prompt.get());
    let options = AnswerOptions { strict, dict: prompt.wants_dict(py)? };
    let error = match py.detach(|| output::parse(text, options)) {
        Ok(answer) => return to_python(py, &answer),
        Err(error) => error,
    };
    let names = match prompt.output_names(py) {
        Ok(names) => names.filter(|_| !strict),
        // A model without a JSON Schema may raise anything, but not what ends the program.
        Err(error) if is_exception(py, &error) => None,
        Err(error) => return Err(error).or_raise(py),
    };
    let fitting = match names {
        None => None,
        Some(names) => {
            let readings = py.detach(|| output::readings(text, options, &names));
            output::only_fitting(readings, |answer| fits(py, prompt, answer))?
        }
    };
    fitting.map_or_else(|| Err(error).or_raise(py), |answer| to_python(py, &answer))
}

/// Whether an answer fits the output schema of the prompt.
fn fits(py: Python<'_>, prompt: &CompiledPrompt, answer: &Answer) -> PyResult<bool> {
    let data = answer_to_python(py, &answer.parsed)?;
    match prompt.validated(&data, None, None) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == Kind::SchemaInvalid => Ok(false),
        Err(error) => Err(error).or_raise(py),
    }
}

fn is_exception(py: Python<'_>, error: &crate::Error) -> bool {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<PyErr>());
    cause.is_none_or(|cause| cause.is_instance_of::<PyException>(py))
}

fn to_python<'py>(py: Python<'py>, answer: &Answer) -> PyResult<ParsedAnswer<'py>> {
    let repairs = answer.repairs.iter().map(|repair| {
        let dict = PyDict::new(py);
        dict.set_item("kind", repair.kind.as_str())?;
        dict.set_item("message", repair.message())?;
        dict.set_item("line", repair.line)?;
        dict.set_item("column", repair.column)?;
        Ok(dict)
    });
    let repairs = repairs.collect::<PyResult<_>>()?;
    Ok((answer_to_python(py, &answer.parsed)?, repairs, answer.open))
}
