//! `Finding`: a problem that a rule found in a prompt or its file.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::display::displayed;
use super::error::OrRaise;
use super::runtime::detached;
use crate::check::{CheckOptions, Code, Finding, Fix, report};
use crate::convert::ProviderConverter;
use crate::error::Place;
use crate::store;

/// A problem that a rule found.
#[pyclass(frozen, eq, name = "Finding", module = "prompt_manager._native")]
#[derive(PartialEq)]
pub struct PyFinding(Finding);

/// The arguments of the constructor, as pickle keeps them. The place is the name of the file or template, the line, the
/// column and the text of the line.
type FindingArguments<'f> =
    (&'f str, &'f str, Option<PickledPlace>, Option<&'f str>, Option<&'f str>, Option<&'f str>);
type PickledPlace = (Option<String>, usize, usize, Option<String>);

/// The findings as Python objects.
pub(super) fn findings(found: Vec<Finding>) -> Vec<PyFinding> {
    found.into_iter().map(PyFinding).collect()
}

/// Every rule: its code, its name and its severity.
#[pyfunction]
pub(super) fn rules() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut rules: Vec<_> =
        Code::ALL.iter().map(|code| (code.number(), code.as_str(), code.severity().as_str())).collect();
    rules.sort_unstable();
    rules
}

/// What a check is asked for, by the names of providers and the codes or names of rules.
pub(super) fn check_options(providers: &[String], also: &[String]) -> PyResult<CheckOptions> {
    let provider = |name: &String| {
        ProviderConverter::strict(name)
            .ok_or_else(|| PyValueError::new_err(format!("there is no provider {name:?} for a check")))
    };
    let code = |name: &String| {
        let known = Code::ALL.into_iter().find(|code| code.as_str() == name || code.number() == name);
        known.ok_or_else(|| PyValueError::new_err(format!("there is no rule {name:?}")))
    };
    Ok(CheckOptions {
        providers: providers.iter().map(provider).collect::<PyResult<_>>()?,
        also: also.iter().map(code).collect::<PyResult<_>>()?,
        ..CheckOptions::default()
    })
}

/// Applies the fixes of findings to their file, in one step. A fix that overlaps another one is left out.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn fix_file(py: Python<'_>, path: PathBuf, found: Vec<PyRef<'_, PyFinding>>) -> PyResult<()> {
    let fixes: Vec<Fix> = found.iter().filter_map(|finding| finding.0.fix.clone()).collect();
    detached(py, || store::fixes::fix_file(&path, &fixes.iter().collect::<Vec<_>>())).or_raise(py)
}

/// The text of a warning about these findings.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn report_findings(found: Vec<PyRef<'_, PyFinding>>) -> String {
    let found: Vec<Finding> = found.iter().map(|finding| finding.0.clone()).collect();
    report(&found)
}

#[pymethods]
impl PyFinding {
    #[new]
    fn new(
        rule: &str,
        message: String,
        place: Option<PickledPlace>,
        file: Option<String>,
        prompt_id: Option<String>,
        hint: Option<String>,
    ) -> PyResult<Self> {
        let known = Code::ALL.into_iter().find(|known| known.as_str() == rule);
        let code = known.ok_or_else(|| PyValueError::new_err(format!("unknown rule {rule:?}")))?;
        let place = place.map(|(name, line, column, source_line)| Place { name, line, column, source_line });
        Ok(Self(Finding { code, message, place, file, prompt_id, hint, fix: None }))
    }

    /// The code of the rule, such as `PM009`.
    #[getter]
    fn code(&self) -> &'static str {
        self.0.code.number()
    }

    /// The name of the rule, such as `undeclared-variable`.
    #[getter]
    fn rule(&self) -> &'static str {
        self.0.code.as_str()
    }

    /// `"warning"` or `"error"`.
    #[getter]
    fn severity(&self) -> &'static str {
        self.0.severity().as_str()
    }

    /// The problem, in one line.
    #[getter]
    fn message(&self) -> &str {
        &self.0.message
    }

    /// The path of the file; `None` for a prompt that comes from no file.
    #[getter]
    fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// The line in the file or template, from 1.
    #[getter]
    fn line(&self) -> Option<usize> {
        self.0.place.as_ref().map(|place| place.line)
    }

    /// The character in the line, from 1.
    #[getter]
    fn column(&self) -> Option<usize> {
        self.0.place.as_ref().map(|place| place.column)
    }

    /// The text of the line. A very long line is cut.
    #[getter]
    fn source_line(&self) -> Option<&str> {
        self.0.place.as_ref()?.source_line.as_deref()
    }

    /// The id of the prompt.
    #[getter]
    fn prompt_id(&self) -> Option<&str> {
        self.0.prompt_id.as_deref()
    }

    /// Whether [`fix_file`] can remove the problem. Only a check that was asked for fixes finds out.
    #[getter]
    fn has_fix(&self) -> bool {
        self.0.fix.is_some()
    }

    /// What to do about it.
    #[getter]
    fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    fn __str__(&self) -> String {
        self.0.report()
    }

    fn __repr__(&self) -> String {
        let Finding { code, message, file, place, .. } = &self.0;
        let place =
            place.as_ref().map(|place| format!(":{}:{}", place.line, place.column)).unwrap_or_default();
        format!(
            "<Finding {} {code} {}{place} {message:?}>",
            code.number(),
            file.as_deref().unwrap_or_default()
        )
    }

    /// The object for a notebook.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        displayed(slf.as_any(), "finding_html")
    }

    /// The object for rich.
    fn __rich__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        displayed(slf.as_any(), "finding_rich")
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.rule(), self.message(), self.file(), self.line(), self.column()).hash(&mut hasher);
        hasher.finish()
    }

    fn __getnewargs__(&self) -> FindingArguments<'_> {
        let Finding { message, place, file, prompt_id, hint, .. } = &self.0;
        let place = place.as_ref().map(|Place { name, line, column, source_line }| {
            (name.clone(), *line, *column, source_line.clone())
        });
        (self.rule(), message, place, file.as_deref(), prompt_id.as_deref(), hint.as_deref())
    }
}
