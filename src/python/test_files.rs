//! Files of tests of prompts: which they are, and how their expected values are replaced.

use std::path::PathBuf;

use pyo3::prelude::*;

use super::error::OrRaise;
use crate::store::{atomic, prompt_tree};

/// Whether a path is that of a file of tests, by its name.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn is_test_file(path: PathBuf) -> bool {
    prompt_tree::is_test_file(&path)
}

/// The files of tests below a directory, in the order of their paths.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn find_test_files(py: Python<'_>, directory: PathBuf) -> PyResult<Vec<PathBuf>> {
    py.detach(|| prompt_tree::test_files(&directory)).or_raise(py)
}

/// Replaces the content of a file in one step, if it still is what it was before.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn replace_file(py: Python<'_>, path: PathBuf, before: &[u8], after: &[u8]) -> PyResult<()> {
    atomic::replace(&path, before, after).or_raise(py)
}
