//! Converts Python values to nodes, from which the core reads prompts.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyNone, PyString, PyTuple};
use serde_json::Number;

use super::data::PyData;
use crate::de::{NodeValue, SourceNode, SourceSpan};
use crate::error::{Error, Kind, Result};
use crate::limits::PLAIN_DEPTH;
use crate::stack_room;

/// Converts a value to a node. A value that is not plain data, such as a date or a model, is converted to JSON first.
///
/// # Errors
/// `kind` for a value that cannot be written as JSON.
pub(super) fn of_object(value: &Bound<'_, PyAny>, kind: Kind) -> Result<SourceNode<'static>> {
    of_value(value, 0).map_err(|error| {
        let message = error.message().to_owned();
        error.recast(kind, message)
    })
}

fn of_value(value: &Bound<'_, PyAny>, depth: usize) -> Result<SourceNode<'static>> {
    if depth > PLAIN_DEPTH {
        let message = format!("the value is nested more than {PLAIN_DEPTH} levels deep, or contains itself");
        return Err(Error::new(Kind::PromptInvalid, message));
    }
    stack_room::check(depth, Kind::PromptInvalid)?;
    let node = |value| Ok(SourceNode::new(SourceSpan::NONE, value));
    if let Ok(text) = value.cast_exact::<PyString>() {
        if let Ok(text) = text.to_cow() {
            return node(NodeValue::Text(Cow::Owned(text.into_owned())));
        }
    } else if value.cast_exact::<PyNone>().is_ok() {
        return node(NodeValue::Null);
    } else if let Ok(value) = value.cast_exact::<PyBool>() {
        return node(NodeValue::Bool(value.is_true()));
    } else if value.cast_exact::<PyInt>().is_ok() {
        let number = value.extract::<i64>().map(Number::from);
        if let Ok(number) = number.or_else(|_| value.extract::<u64>().map(Number::from)) {
            return node(NodeValue::Number(number));
        }
        // Python refuses to print integers of more digits than its own limit.
        let digits = value.str().and_then(|digits| Ok(digits.to_cow()?.into_owned()));
        if let Ok(digits) = digits {
            return node(NodeValue::ExactNumber(Cow::Owned(digits)));
        }
    } else if let Ok(value) = value.cast_exact::<PyFloat>() {
        return node(Number::from_f64(value.value()).map_or(NodeValue::NonFinite, NodeValue::Number));
    } else if let Ok(items) = value.cast_exact::<PyList>() {
        let items = items.iter().map(|item| of_value(&item, depth + 1));
        return node(NodeValue::List(items.collect::<Result<_>>()?));
    } else if let Ok(items) = value.cast_exact::<PyTuple>() {
        let items = items.iter().map(|item| of_value(&item, depth + 1));
        return node(NodeValue::List(items.collect::<Result<_>>()?));
    } else if let Ok(members) = value.cast_exact::<PyDict>() {
        let members =
            members.iter().map(|(key, value)| Ok((of_value(&key, depth + 1)?, of_value(&value, depth + 1)?)));
        return node(NodeValue::Map(members.collect::<Result<_>>()?));
    }
    let json =
        PyData::without_engine(value.py()).json(value, depth).map_err(|json_error| json_error.error)?;
    Ok(SourceNode::from_json(json))
}
