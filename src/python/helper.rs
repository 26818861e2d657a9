//! Helpers that are Python functions, and what those with `pass_options` are handed.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::data::PyData;
use super::error::{OrRaise, foreign, is_ours};
use super::overlay::Overlay;
use super::template::Shared;
use super::text::PyText;
use crate::error::{Error, Kind, Result};
use crate::template::{Branch, BranchArguments, Closure, Invocation};

/// A Python function that templates can call.
pub struct Helper {
    pub(super) function: Py<PyAny>,
    /// Whether its first argument is a [`HelperOptions`].
    pub(super) pass_options: bool,
}

impl Helper {
    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self { function: self.function.clone_ref(py), pass_options: self.pass_options }
    }
}

/// Calls a helper: positional arguments in order, named ones as keywords.
pub(super) fn invoke<'py>(
    py: Python<'py>,
    engine: Option<&Arc<Shared>>,
    helper: &Helper,
    call: Invocation<'_, PyData<'_, 'py>>,
) -> Result<Option<Bound<'py, PyAny>>> {
    let name = call.name;
    let raised = |raised: PyErr| {
        if is_ours(py, &raised) {
            // What a branch of its block could not do is said already.
            return Error::new(Kind::Foreign, "a branch failed").with_cause(raised);
        }
        let kind =
            raised.get_type(py).name().map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
        foreign(py, raised, || format!("helper `{name}` raised {kind}"))
    };
    let none = || py.None().into_bound(py);
    // A helper is handed plain dictionaries, whatever the engine lays over one.
    let plain = |value: Bound<'py, PyAny>| -> Result<Bound<'py, PyAny>> {
        match value.cast_exact::<Overlay>() {
            Ok(overlay) => Ok(overlay.get().merged(&PyData::alone(py))?.into_any()),
            Err(_) => Ok(value),
        }
    };
    let hash = PyDict::new(py);
    for (name, value) in call.named {
        hash.set_item(name.string(py), plain(value.unwrap_or_else(none))?).map_err(raised)?;
    }
    let mut arguments = Vec::with_capacity(call.positional.len() + 1);
    if helper.pass_options {
        let data = PyDict::new(py);
        if let Some(given) = call.caller_data.and_then(|data| data.cast::<PyDict>().ok()) {
            data.update(given.as_mapping()).map_err(raised)?;
        }
        for (name, value) in (call.data)() {
            data.set_item(name, plain(value)?).map_err(raised)?;
        }
        let options = HelperOptions {
            name: name.to_owned(),
            context: plain(call.context.cloned().unwrap_or_else(none))?.unbind(),
            data: data.unbind(),
            hash: hash.clone().unbind(),
            block: call.block,
            engine: engine.cloned(),
        };
        arguments.push(Bound::new(py, options).map_err(raised)?.into_any());
    }
    for value in call.positional {
        arguments.push(plain(value.unwrap_or_else(none))?);
    }
    let arguments = PyTuple::new(py, arguments).map_err(raised)?;
    // With options, the named arguments are in `options.hash`.
    let named = (!helper.pass_options && !hash.is_empty()).then_some(&hash);
    let result = helper.function.bind(py).call(arguments, named).map_err(raised)?;
    Ok((!result.is_none()).then_some(result))
}

/// What a helper that was registered with `pass_options=True` is handed as its first argument.
#[pyclass(frozen, module = "prompt_manager.core.template")]
pub struct HelperOptions {
    /// The name that the helper was called by.
    #[pyo3(get)]
    name: String,
    /// What `this` is where the helper stands.
    #[pyo3(get)]
    context: Py<PyAny>,
    /// What `@name` finds there.
    #[pyo3(get)]
    data: Py<PyDict>,
    /// The arguments by name.
    #[pyo3(get)]
    hash: Py<PyDict>,
    block: Option<Closure<PyText, Py<PyAny>>>,
    engine: Option<Arc<Shared>>,
}

/// The context that a branch is given; `None` is one too.
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
        let world = PyData::new(py, engine);
        let given = BranchArguments { context: context.as_ref(), data, params };
        Ok(block.render(&world, branch, given).or_raise(py)?.0)
    }
}

#[pymethods]
impl HelperOptions {
    /// Renders the block; empty text for a helper that opens none. The context is that of the helper unless given.
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

    /// Renders what stands after `{{else}}`.
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

    /// How many parameters the block names.
    #[getter]
    fn block_params(&self) -> usize {
        self.block.as_ref().map_or(0, Closure::params)
    }

    fn __repr__(&self) -> String {
        format!("<HelperOptions of `{}`>", self.name)
    }
}
