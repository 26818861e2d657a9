//! Finds texts in a Python value that JSON cannot hold.
//!
//! Dicts, lists and tuples are searched. Other values are left to whoever converts them.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::data::PyData;
use super::error::raise;
use super::payload::not_encodable;
use super::surrogates;
use crate::error::{Error, Kind};
use crate::template::JsonText;

/// The nesting down to which a value is searched. JSON that a provider accepts is not nested as deeply.
const MAX_DEPTH: usize = 400;

/// Returns the error for the first text with half a surrogate pair, or the first two keys of a mapping that are one key
/// in JSON, such as `1` and `"1"`.
pub(super) fn problem(value: &Bound<'_, PyAny>, kind: Kind) -> Option<Error> {
    let mut search = TextSearch { data: PyData::without_engine(value.py()), seen: HashSet::new() };
    search.problem(value, MAX_DEPTH).map(|found| {
        let (error, message) = match found.error {
            None => {
                let error = not_encodable(&found.path);
                let message = error.message().to_owned();
                (error, message)
            }
            Some(error) => {
                let message = match found.path.trim_start_matches('.') {
                    "" => error.message().to_owned(),
                    path => format!("`{path}`: {}", error.message()),
                };
                (error, message)
            }
        };
        error.recast(kind, message)
    })
}

/// Raises an error for a value with such a text.
#[pyfunction]
pub(super) fn check_json_texts(value: &Bound<'_, PyAny>) -> PyResult<()> {
    problem(value, Kind::PromptInvalid).map_or(Ok(()), |error| Err(raise(value.py(), &error)))
}

/// What is wrong at a path. Without an error it is half a surrogate pair.
struct Found {
    path: String,
    error: Option<Error>,
}

impl Found {
    fn within(mut self, segment: &str) -> Self {
        self.path.insert_str(0, segment);
        self
    }
}

struct TextSearch<'py> {
    data: PyData<'py, 'py>,
    /// The addresses of the containers so far.
    seen: HashSet<usize>,
}

impl<'py> TextSearch<'py> {
    fn problem(&mut self, value: &Bound<'py, PyAny>, depth: usize) -> Option<Found> {
        let lone = || Found { path: String::new(), error: None };
        if let Ok(text) = value.cast::<PyString>() {
            return surrogates::has_lone(text).then(lone);
        }
        let is_container = value.is_instance_of::<PyDict>()
            || value.is_instance_of::<PyList>()
            || value.is_instance_of::<PyTuple>();
        if !is_container || depth == 0 || !self.seen.insert(value.as_ptr().addr()) {
            return None;
        }
        if let Ok(members) = value.cast::<PyDict>() {
            return self.of_keys(members).or_else(|| {
                members.iter().find_map(|(key, value)| {
                    let found = self.problem(&value, depth - 1)?;
                    let key = key.cast::<PyString>().map(|key| surrogates::to_rust(key).into_owned());
                    Some(found.within(&format!(".{}", key.unwrap_or_default())))
                })
            });
        }
        let mut in_item = |(at, item): (usize, Bound<'py, PyAny>)| {
            self.problem(&item, depth - 1).map(|found| found.within(&format!("[{at}]")))
        };
        match value.cast::<PyList>() {
            Ok(items) => items.iter().enumerate().find_map(in_item),
            Err(_) => value.cast::<PyTuple>().ok()?.iter().enumerate().find_map(&mut in_item),
        }
    }

    /// What is wrong with the keys of a mapping. The keys are texts of the caller, so no message shows them.
    fn of_keys(&self, members: &Bound<'py, PyDict>) -> Option<Found> {
        let mut all_texts = true;
        for (key, _) in members {
            match key.cast::<PyString>() {
                Ok(text) if surrogates::has_lone(text) => {
                    return Some(Found { path: String::new(), error: None });
                }
                _ => all_texts &= key.is_exact_instance_of::<PyString>(),
            }
        }
        if all_texts {
            return None;
        }
        let mut written = HashSet::new();
        for (key, _) in members {
            let error = match self.data.json_key(&key) {
                Ok(key) => (!written.insert(key)).then(JsonText::duplicate_key),
                Err(error) => Some(error),
            };
            if error.is_some() {
                return Some(Found { path: String::new(), error });
            }
        }
        None
    }
}
