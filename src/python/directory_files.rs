//! Which files there are in a directory of prompts, and how the command line writes files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;

use super::arguments;
use super::error::OrRaise;
use super::runtime::detached;
use crate::store::{atomic, label_file, prompt_tree};

/// What a file in a directory of prompts is, by its path below the directory: "prompts", "tests", "labels", "partial", or
/// `None`.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn file_kind(path: PathBuf) -> Option<&'static str> {
    prompt_tree::FileKind::of(&path).map(prompt_tree::FileKind::name)
}

/// The files of tests below a directory, in the order of their paths.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn find_test_files(py: Python<'_>, directory: PathBuf) -> PyResult<Vec<PathBuf>> {
    detached(py, || prompt_tree::test_files(&directory)).or_raise(py)
}

/// The labels of a prompt that labels.yaml of a directory names, with the versions that they point at.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn named_labels(
    py: Python<'_>,
    directory: PathBuf,
    #[pyo3(from_py_with = arguments::id)] id: &str,
) -> PyResult<BTreeMap<String, String>> {
    let named = detached(py, || label_file::named_labels(&directory, id)).or_raise(py)?;
    Ok(named.into_iter().map(|(label, version)| (label, version.to_string())).collect())
}

/// Creates a file in one step, with its directories, if nothing has the path.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn create_file(py: Python<'_>, path: PathBuf, content: &[u8]) -> PyResult<()> {
    atomic::create(&path, content).or_raise(py)
}

/// Writes a file in one step, in place of the one that has the path.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn write_file(py: Python<'_>, path: PathBuf, content: &[u8]) -> PyResult<()> {
    atomic::write_output(&path, content).or_raise(py)
}

/// Replaces the content of a file in one step, if it still is what it was before.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn replace_file(py: Python<'_>, path: PathBuf, before: &[u8], after: &[u8]) -> PyResult<()> {
    atomic::replace(&path, before, after).or_raise(py)
}
