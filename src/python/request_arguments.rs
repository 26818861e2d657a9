//! The arguments that the caller of `build_request` adds to the request.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::json_texts;
use super::surrogates;
use crate::convert::is_merged;
use crate::error::{Kind, Result};

/// The arguments by their names.
pub(super) struct RequestArguments<'a, 'py>(pub(super) &'a Bound<'py, PyDict>);

impl RequestArguments<'_, '_> {
    /// Checks that they can be written as JSON: see [`json_texts::problem`].
    pub(super) fn check(&self) -> Result<()> {
        json_texts::problem(self.0.as_any(), Kind::Conversion).map_or(Ok(()), Err)
    }

    /// The names of the arguments. A mapping that is merged is named by the paths of its members.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.0.len());
        for (name, value) in self.0 {
            let name = text_of(&name);
            match value.cast::<PyDict>() {
                Ok(members) if is_merged(&name) => {
                    names.extend(members.iter().map(|(key, _)| format!("{name}.{}", text_of(&key))));
                }
                _ => names.push(name),
            }
        }
        names
    }

    /// Adds them to a request. `None` removes an argument.
    pub(super) fn add_to(&self, request: &Bound<'_, PyDict>) -> PyResult<()> {
        for (name, value) in self.0 {
            if value.is_none() {
                if request.contains(&name)? {
                    request.del_item(name)?;
                }
            } else if is_merged(&text_of(&name)) {
                merge(request, &name, &value)?;
            } else {
                request.set_item(name, value)?;
            }
        }
        Ok(())
    }
}

/// Sets a member. Mappings are merged, and the new members win.
fn merge(into: &Bound<'_, PyDict>, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let old = into.get_item(key)?;
    // The format of an answer is one thing: members of two formats are no format.
    let is_format = key.cast::<PyString>().is_ok_and(|key| key == "format");
    match (old.as_ref().map(|old| old.cast::<PyDict>()), value.cast::<PyDict>()) {
        (Some(Ok(old)), Ok(members)) if !is_format => {
            members.iter().try_for_each(|(key, value)| merge(old, &key, &value))
        }
        _ => into.set_item(key, value),
    }
}

fn text_of(key: &Bound<'_, PyAny>) -> String {
    key.cast::<PyString>().map(|key| surrogates::to_rust(key).into_owned()).unwrap_or_default()
}
