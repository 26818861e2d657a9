//! The methods of `HelperOptions`, with which a helper renders the branches of its block.

use pyo3::prelude::*;
use pyo3::types::PyString;

use super::data::{HelperOptions, PyData};
use super::error::OrRaise;
use crate::template::{Branch, BranchArguments, Closure};

/// The context in which a branch is rendered. Python's `None` is also a valid context, so an `Option` cannot represent it.
enum Context<'py> {
    OfHelper,
    Is(Bound<'py, PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Context<'py> {
    type Error = std::convert::Infallible;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> Result<Self, Self::Error> {
        Ok(Self::Is(value.to_owned()))
    }
}

impl HelperOptions {
    fn branch<'py>(
        &self,
        py: Python<'py>,
        branch: Branch,
        context: Context<'py>,
        data: Option<&Bound<'py, PyAny>>,
        block_params: Option<Vec<Bound<'py, PyAny>>>,
    ) -> PyResult<Bound<'py, PyString>> {
        let (Some(block), Some(engine)) = (&self.block, &self.engine) else {
            return Ok(PyString::new(py, ""));
        };
        let context = match context {
            Context::OfHelper => None,
            Context::Is(context) => Some(context),
        };
        let params = block_params.map(|params| {
            let mut params = params.into_iter();
            [params.next(), params.next()]
        });
        let py_data = PyData::new(py, engine);
        let arguments = BranchArguments { context: context.as_ref(), data, params };
        Ok(block.render(&py_data, branch, arguments).or_raise(py)?.0)
    }
}

#[pymethods]
impl HelperOptions {
    /// Renders the block in the given context; by default in the context of the helper. Returns "" if there is no block.
    #[pyo3(name = "fn", signature = (context = Context::OfHelper, *, data = None, block_params = None))]
    fn main<'py>(
        &self,
        py: Python<'py>,
        context: Context<'py>,
        data: Option<&Bound<'py, PyAny>>,
        block_params: Option<Vec<Bound<'py, PyAny>>>,
    ) -> PyResult<Bound<'py, PyString>> {
        self.branch(py, Branch::Main, context, data, block_params)
    }

    /// Renders the part after `{{else}}`, like `fn`.
    #[pyo3(signature = (context = Context::OfHelper, *, data = None, block_params = None))]
    fn inverse<'py>(
        &self,
        py: Python<'py>,
        context: Context<'py>,
        data: Option<&Bound<'py, PyAny>>,
        block_params: Option<Vec<Bound<'py, PyAny>>>,
    ) -> PyResult<Bound<'py, PyString>> {
        self.branch(py, Branch::Inverse, context, data, block_params)
    }

    /// The number of block parameters, such as 2 for `as |item index|`.
    #[getter]
    fn block_params(&self) -> usize {
        self.block.as_ref().map_or(0, Closure::params)
    }

    fn __repr__(&self) -> String {
        format!("<HelperOptions of `{}`>", self.name)
    }
}
