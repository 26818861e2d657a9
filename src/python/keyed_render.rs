//! `KeyedRender`: a render whose variables are resolved, with the key under which its text can be cached.

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::data::PyData;
use super::data::fingerprint::Fingerprint;
use super::error::OrRaise;
use super::prompt::{CompiledPrompt, text};
use super::template::check_variables;
use super::text::PyText;
use crate::prompt::{RenderInputs, RenderOptions};
use crate::template::{Data, Text};

/// A render of a prompt to text. The variables are validated once, although they are used for the key and the text.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct KeyedRender {
    prompt: CompiledPrompt,
    /// The variables as the templates see them.
    context: Py<PyAny>,
    output_instructions: bool,
    key: Option<String>,
}

#[pymethods]
impl KeyedRender {
    #[new]
    #[pyo3(signature = (prompt, variables, output_instructions = true))]
    fn new(
        prompt: &CompiledPrompt,
        variables: &Bound<'_, PyAny>,
        output_instructions: bool,
    ) -> PyResult<Self> {
        let py = variables.py();
        check_variables(variables, &prompt.shared)?;
        let data = PyData::new(py, &prompt.shared);
        let options = prompt.render_options(variables, None, output_instructions);
        let resolved = prompt.compiled.resolve(&data, variables, &options).or_raise(py)?;
        let context = resolved.unwrap_or_else(|| variables.clone());
        let key = match prompt.render_inputs() {
            None => None,
            Some(inputs) => {
                let instructions = prompt.compiled.instructions(&data, &options).or_raise(py)?;
                let instructions = instructions.as_deref().unwrap_or_default();
                let digest = digest(&data, &inputs, instructions, &context).or_raise(py)?;
                let id = prompt.compiled.prompt().id.as_str();
                let version = &prompt.compiled.prompt().version;
                digest.map(|digest| format!("prompt:{id}:{version}:{digest}"))
            }
        };
        let prompt = prompt.with_compiled(py, Arc::clone(&prompt.compiled), &prompt.shared);
        Ok(Self { prompt, context: context.unbind(), output_instructions, key })
    }

    /// The key, or `None` if the text must not be cached. It begins with `prompt:{id}:{version}:`, and is the same in every
    /// process. Two renders have the same key only if they give the same text.
    #[getter]
    fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The text.
    fn render<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        let options =
            RenderOptions { resolved: true, ..self.prompt.schema_options(None, self.output_instructions) };
        text(&self.prompt.compiled, &self.prompt.shared, self.context.bind(py), &options)
    }

    /// Shows the variables to the garbage collector.
    #[allow(clippy::needless_pass_by_value, reason = "the signature that pyo3 requires")]
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.context)
    }
}

/// The digest of everything that the text of a render depends on. `None` if a value has none.
fn digest<'py>(
    data: &PyData<'_, 'py>,
    inputs: &RenderInputs,
    instructions: &str,
    context: &Bound<'py, PyAny>,
) -> crate::Result<Option<String>> {
    let mut fingerprint = Fingerprint::starting_with(&[&inputs.digest, instructions.as_bytes()]);
    let is_complete = match &inputs.variables {
        None => fingerprint.add(data, "", Some(data.as_dict(context)?.as_any()))?,
        Some(names) => {
            let mut is_complete = true;
            for name in names {
                let value = data.get(context, &PyText::new(name))?;
                is_complete = is_complete && fingerprint.add(data, name, value.as_ref())?;
            }
            is_complete
        }
    };
    Ok(is_complete.then(|| fingerprint.hexadecimal()))
}
