//! Calls helpers, which are Python functions.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::PyData;
use super::helper_options::HelperOptions;
use super::object::Object;
use super::overlay::Overlay;
use crate::error::{Error, Kind, Result};
use crate::python::error::{foreign, is_ours};
use crate::python::library::HelperFunction;
use crate::template::Invocation;

impl<'py> PyData<'_, 'py> {
    /// Calls a helper with its positional arguments in order and its named arguments as keyword arguments.
    pub(super) fn call_helper(
        &self,
        helper: &HelperFunction,
        call: Invocation<'_, Self>,
    ) -> Result<Option<Object<'py>>> {
        let py = self.py;
        let name = call.name;
        let raised = |raised: PyErr| {
            if is_ours(py, &raised) {
                // The helper rendered a branch of its block, and that failed. The error is complete already.
                return Error::new(Kind::Foreign, "a branch failed").with_cause(raised);
            }
            let kind = raised
                .get_type(py)
                .name()
                .map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
            foreign(py, raised, || format!("helper `{name}` raised {kind}"))
        };
        if call.block.is_some() && !helper.pass_options && !self.is_javascript() {
            let message = format!("helper `{name}` is called as a block, which it does not get");
            let hint = format!("register it with pass_options=True, or write `{{{{{name} …}}}}`");
            return Err(Error::new(Kind::TemplateRender, message).with_hint(hint));
        }
        let none = || py.None().into_bound(py);
        // A helper gets plain dicts, so an overlay is merged into one.
        let plain = |value: Object<'py>| -> Result<Object<'py>> {
            match value.cast_exact::<Overlay>() {
                Ok(overlay) => Ok(self.merged(overlay.get())?.into_any()),
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
                engine: self.engine.cloned(),
            };
            arguments.push(Bound::new(py, options).map_err(raised)?.into_any());
        }
        for value in call.positional {
            arguments.push(plain(value.unwrap_or_else(none))?);
        }
        let arguments = PyTuple::new(py, arguments).map_err(raised)?;
        // A helper that takes options finds the named arguments in `options.hash`.
        let named = (!helper.pass_options && !hash.is_empty()).then_some(&hash);
        let result = helper.function.bind(py).call(arguments, named).map_err(raised)?;
        Ok((!result.is_none()).then_some(result))
    }
}
