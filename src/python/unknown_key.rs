//! `unknown_key`: what to say about a key that a model of the Python package does not have.

use pyo3::prelude::*;

use crate::{prompt, schema};

/// Returns the message about a key that a model does not have, by the rules for files, and the key that was probably
/// meant. `None` for a model whose keys are not those of a file.
#[pyfunction]
pub(super) fn unknown_key(model: &str, key: &str) -> Option<(String, Option<&'static str>)> {
    let (error, meant) = prompt::unknown_key(model, key).or_else(|| schema::unknown_key(model, key))?;
    Some((error.report(), meant))
}
