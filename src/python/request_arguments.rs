//! The arguments that the caller of `build_request` adds to the request.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::json_texts;
use super::surrogates;
use crate::convert::{Report, is_merged};
use crate::error::{Kind, Result};

/// The arguments by their names.
pub(super) struct RequestArguments<'a, 'py>(pub(super) &'a Bound<'py, PyDict>);

impl RequestArguments<'_, '_> {
    /// Checks that they can be written as JSON: see [`json_texts::problem`].
    pub(super) fn check(&self) -> Result<()> {
        json_texts::problem(self.0.as_any(), Kind::Conversion).map_or(Ok(()), Err)
    }

    /// The names of the arguments that remove one.
    pub(super) fn removed(&self) -> Vec<String> {
        self.0.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| text_of(&name)).collect()
    }

    /// The names of the arguments, without tools that are appended. A mapping that is merged is named by the paths of
    /// its members.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.0.len());
        for (name, value) in self.0 {
            let name = text_of(&name);
            if name == TOOLS && is_filled(&value) {
                continue;
            }
            match value.cast::<PyDict>() {
                Ok(members) if is_merged(&name) => {
                    names.extend(members.iter().map(|(key, _)| format!("{name}.{}", text_of(&key))));
                }
                _ => names.push(name),
            }
        }
        names
    }

    /// Adds them to a request. `None` removes an argument, and tools join those of the request.
    ///
    /// `conversation` are the arguments that the prompt's messages make. Replacing one of them is a warning.
    pub(super) fn add_to(
        &self,
        request: &Bound<'_, PyDict>,
        conversation: &[&str],
        report: &mut Report,
    ) -> PyResult<()> {
        for (name, value) in self.0 {
            let text = text_of(&name);
            if conversation.contains(&text.as_str()) && request.contains(&name)? {
                report.note(format!("the argument `{text}` replaces what the prompt's messages make"));
            }
            if text == TOOLS
                && is_filled(&value)
                && let Some(tools) = request.get_item(&name)?
            {
                append(&tools.cast_into::<PyList>()?, &value, report)?;
                continue;
            }
            if value.is_none() {
                if request.contains(&name)? {
                    request.del_item(name)?;
                }
            } else if is_merged(&text) {
                merge(request, &name, &value)?;
            } else {
                request.set_item(name, value)?;
            }
        }
        Ok(())
    }
}

const TOOLS: &str = "tools";

/// Whether a value is a list with items. An empty list replaces the tools of a prompt.
fn is_filled(value: &Bound<'_, PyAny>) -> bool {
    value.cast::<PyList>().is_ok_and(|list| !list.is_empty())
}

/// Adds tools of the caller. One that has the name of another replaces it.
fn append(tools: &Bound<'_, PyList>, added: &Bound<'_, PyAny>, report: &mut Report) -> PyResult<()> {
    for tool in added.try_iter()? {
        let tool = tool?;
        let name = name_of(&tool);
        let same = tools.iter().position(|known| name.is_some() && name_of(&known) == name);
        match (same, name) {
            (Some(at), Some(name)) => {
                report.note(format!("the tool `{name}` of the arguments replaces the prompt's"));
                tools.set_item(at, tool)?;
            }
            _ => tools.append(tool)?,
        }
    }
    Ok(())
}

/// The name of a tool, in the format of any provider.
fn name_of(tool: &Bound<'_, PyAny>) -> Option<String> {
    let tool = tool.cast::<PyDict>().ok()?;
    let name = |tool: &Bound<'_, PyDict>| tool.get_item("name").ok()?.map(|name| text_of(&name));
    name(tool).or_else(|| name(tool.get_item("function").ok()??.cast::<PyDict>().ok()?))
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
