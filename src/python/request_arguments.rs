//! The arguments that the caller of `build_request` adds to the request.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::json_texts;
use super::surrogates;
use crate::convert::{
    CACHE_CONTROL, CACHE_POINT, CONFIG, DECIDING, Report, excluded_by, is_merged, is_merged_in_config,
    is_one_of,
};
use crate::error::{Kind, Result};

/// The arguments by their names.
pub(super) struct RequestArguments<'a, 'py>(pub(super) &'a Bound<'py, PyDict>);

impl RequestArguments<'_, '_> {
    /// Checks that they can be written as JSON: see [`json_texts::problem`].
    pub(super) fn check(&self) -> Result<()> {
        json_texts::problem(self.0.as_any(), Kind::Conversion).map_or(Ok(()), Err)
    }

    /// The names of the arguments that remove one, and the paths of the members that do.
    pub(super) fn removed(&self) -> Vec<String> {
        let mut removed = Vec::new();
        for (name, value) in self.0 {
            let name = text_of(&name);
            match value.cast::<PyDict>() {
                Ok(members) if name == CONFIG => removed_members(members, is_merged_in_config, &mut removed),
                Ok(members) if is_merged(&name) => removed_paths(&name, members, &mut removed),
                _ if value.is_none() => removed.push(name),
                _ => {}
            }
        }
        removed
    }

    /// The tools, in order.
    fn tools(&self) -> PyResult<Vec<Bound<'_, PyAny>>> {
        let mut all = Vec::new();
        let holders = [CONFIG, TOOL_CONFIG].map(|holder| self.mapping(holder));
        for members in holders.iter().flatten().chain([self.0]) {
            if let Some(tools) = members.get_item(TOOLS)?.filter(is_filled) {
                all.extend(tools.try_iter()?.collect::<PyResult<Vec<_>>>()?);
            }
        }
        Ok(all)
    }

    /// The names of the tools.
    pub(super) fn tool_names(&self) -> PyResult<Vec<String>> {
        let mut names = Vec::new();
        for tool in self.tools()? {
            let functions = declarations(&tool);
            names.extend(functions.iter().flatten().filter_map(|function| name_of(&function)));
            names.extend(name_of(&tool));
        }
        Ok(names)
    }

    /// The cache hints of the tools, in order: whether each is for an hour.
    pub(super) fn tool_hints(&self) -> PyResult<Vec<bool>> {
        let hint = |tool: &Bound<'_, PyAny>| {
            let tool = tool.cast::<PyDict>().ok()?;
            let mut hints = [CACHE_CONTROL, CACHE_POINT].into_iter();
            let hint = hints.find_map(|key| tool.get_item(key).ok()?)?.cast_into::<PyDict>().ok()?;
            Some(hint.get_item("ttl").ok()?.is_some_and(|ttl| text_of(&ttl) == "1h"))
        };
        Ok(self.tools()?.iter().filter_map(hint).collect())
    }

    /// The texts at [`DECIDING`], each by its path, without the name of Gemini's `config`.
    pub(super) fn words(&self) -> Vec<(String, String)> {
        let word = |path: &&[&str]| {
            let mut value = self.0.clone().into_any();
            for key in *path {
                value = value.cast::<PyDict>().ok()?.get_item(key).ok()?.filter(|value| !value.is_none())?;
            }
            let named = path.strip_prefix(&[CONFIG]).unwrap_or(path);
            Some((named.join("."), text_of(&value)))
        };
        DECIDING.iter().filter_map(word).collect()
    }

    /// An argument that is a mapping.
    fn mapping(&self, name: &str) -> Option<Bound<'_, PyDict>> {
        self.0.get_item(name).ok()??.cast_into::<PyDict>().ok()
    }

    /// The names of the arguments, without tools that are appended. A mapping that is merged is named by the paths of
    /// its members, and the members of Gemini's `config` have no path.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.0.len());
        for (name, value) in self.0 {
            let name = text_of(&name);
            if name == TOOLS && is_filled(&value) {
                continue;
            }
            match value.cast::<PyDict>() {
                Ok(members) if name == CONFIG => config_names(members, &mut names),
                Ok(members) if is_merged(&name) => paths(&name, members, &mut names),
                _ => names.push(name),
            }
        }
        names
    }

    /// Whether there are tools, which are added to those of the prompt.
    pub(super) fn adds_tools(&self) -> PyResult<bool> {
        let has = |members: &Bound<'_, PyDict>| -> PyResult<bool> {
            Ok(members.get_item(TOOLS)?.is_some_and(|tools| is_filled(&tools)))
        };
        let mut adds = has(self.0)?;
        for holder in [CONFIG, TOOL_CONFIG] {
            if let Some(members) = self.mapping(holder) {
                adds |= has(&members)?;
            }
        }
        Ok(adds)
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
                report.note(replaces_messages(&text));
            }
            if text == CONFIG
                && let Ok(config) = value.cast::<PyDict>()
            {
                add_config(request, &name, config, conversation, report)?;
                continue;
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
                if text == TOOL_CONFIG
                    && let Ok(members) = value.cast::<PyDict>()
                {
                    let members = with_filled_tools(members)?;
                    if !members.is_empty() {
                        merge_members(request, &name, &members, report)?;
                    }
                    continue;
                }
                merge_argument(request, &name, &value, report)?;
            } else {
                request.set_item(name, value)?;
            }
        }
        Ok(())
    }
}

const TOOLS: &str = "tools";

/// Bedrock's argument for tools.
const TOOL_CONFIG: &str = "toolConfig";

fn replaces_messages(argument: &str) -> String {
    format!("the argument `{argument}` replaces what the prompt's messages make")
}

/// Adds the paths of the members of a mapping, without tools that are appended.
fn paths(name: &str, members: &Bound<'_, PyDict>, names: &mut Vec<String>) {
    for (key, value) in members {
        let key = text_of(&key);
        if name != TOOL_CONFIG || key != TOOLS || !is_filled(&value) {
            names.push(format!("{name}.{key}"));
        }
    }
}

/// Adds the names of the members of Gemini's `config`.
fn config_names(config: &Bound<'_, PyDict>, names: &mut Vec<String>) {
    for (key, value) in config {
        let key = text_of(&key);
        match value.cast::<PyDict>() {
            Ok(members) if is_merged_in_config(&key) => paths(&key, members, names),
            _ if key == TOOLS && is_filled(&value) => {}
            _ => names.push(key),
        }
    }
}

/// Adds the names of members that are `None`, and the paths of those inside mappings that are merged.
fn removed_members(members: &Bound<'_, PyDict>, merged: impl Fn(&str) -> bool, removed: &mut Vec<String>) {
    for (key, value) in members {
        let key = text_of(&key);
        match value.cast::<PyDict>() {
            Ok(members) if merged(&key) => removed_paths(&key, members, removed),
            _ if value.is_none() => removed.push(key),
            _ => {}
        }
    }
}

/// Adds the paths of the members that are `None`.
fn removed_paths(name: &str, members: &Bound<'_, PyDict>, removed: &mut Vec<String>) {
    let none = members.iter().filter(|(_, value)| value.is_none());
    removed.extend(none.map(|(key, _)| format!("{name}.{}", text_of(&key))));
}

/// The members of Bedrock's `toolConfig` without tools that only remove those of the prompt: the API refuses an empty
/// list.
fn with_filled_tools<'py>(members: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let members = members.copy()?;
    if members.get_item(TOOLS)?.is_some_and(|tools| !is_filled(&tools)) {
        members.del_item(TOOLS)?;
    }
    Ok(members)
}

/// Adds the members of Gemini's `config`. `None` removes one.
fn add_config(
    request: &Bound<'_, PyDict>,
    name: &Bound<'_, PyAny>,
    config: &Bound<'_, PyDict>,
    conversation: &[&str],
    report: &mut Report,
) -> PyResult<()> {
    let made = match request.get_item(name)? {
        Some(made) => made.cast_into::<PyDict>()?,
        None => PyDict::new(request.py()),
    };
    for (key, value) in config {
        let text = text_of(&key);
        if conversation.contains(&text.as_str()) && made.contains(&key)? {
            report.note(replaces_messages(&text));
        }
        if value.is_none() {
            if made.contains(&key)? {
                made.del_item(key)?;
            }
        } else if is_merged_in_config(&text) || text == TOOLS {
            merge_argument(&made, &key, &value, report)?;
        } else {
            made.set_item(key, value)?;
        }
    }
    if !made.is_empty() {
        request.set_item(name, made)?;
    }
    Ok(())
}

/// Whether a value is a list or tuple with items. An empty one replaces the tools of a prompt.
fn is_filled(value: &Bound<'_, PyAny>) -> bool {
    value.cast::<PyList>().is_ok_and(|list| !list.is_empty())
        || value.cast::<PyTuple>().is_ok_and(|tuple| !tuple.is_empty())
}

/// Adds tools of the caller. One that has the name of another replaces it.
fn append(tools: &Bound<'_, PyList>, added: &Bound<'_, PyAny>, report: &mut Report) -> PyResult<()> {
    for tool in added.try_iter()? {
        if let Some(name) = object_name(&tool?) {
            remove_function(tools, &name, report)?;
        }
    }
    let mut places = HashMap::new();
    for tool in tools.iter() {
        if let Some(functions) = declarations(&tool) {
            record(&functions, &mut places);
        }
    }
    record(tools, &mut places);
    for tool in added.try_iter()? {
        let tool = tool?;
        let Some(functions) = declarations(&tool) else {
            if !replaces(&tool, &places, report)? {
                places.extend(name_of(&tool).map(|name| (name, (tools.clone(), tools.len()))));
                tools.append(tool)?;
            }
            continue;
        };
        let others = PyList::empty(tool.py());
        for function in functions.iter() {
            if !replaces(&function, &places, report)? {
                others.append(function)?;
            }
        }
        if others.len() == functions.len() {
            tools.append(tool)?;
            continue;
        }
        let rest = tool.cast::<PyDict>()?.copy()?;
        if others.is_empty() {
            rest.del_item(DECLARATIONS)?;
        } else {
            rest.set_item(DECLARATIONS, others)?;
        }
        if !rest.is_empty() {
            tools.append(rest)?;
        }
    }
    Ok(())
}

/// A tool of a request, by the list that it is in and its position.
type ToolPlace<'py> = (Bound<'py, PyList>, usize);

fn record<'py>(tools: &Bound<'py, PyList>, places: &mut HashMap<String, ToolPlace<'py>>) {
    let named =
        tools.iter().enumerate().filter_map(|(at, tool)| Some((name_of(&tool)?, (tools.clone(), at))));
    places.extend(named);
}

/// Puts a tool in the place of the one with the same name. False if there is none.
fn replaces(
    tool: &Bound<'_, PyAny>,
    places: &HashMap<String, ToolPlace<'_>>,
    report: &mut Report,
) -> PyResult<bool> {
    let Some(name) = name_of(tool) else { return Ok(false) };
    let Some((tools, at)) = places.get(&name) else { return Ok(false) };
    report.note(replaces_tool(&name));
    tools.set_item(*at, tool)?;
    Ok(true)
}

/// Removes a function of the prompt's for one of the caller's that is an object, which cannot take its place in a list of
/// declarations.
fn remove_function(tools: &Bound<'_, PyList>, name: &str, report: &mut Report) -> PyResult<()> {
    for at in (0..tools.len()).rev() {
        let tool = tools.get_item(at)?;
        let list = declarations(&tool).unwrap_or_else(|| tools.clone());
        let Some(place) = list.iter().position(|function| name_of(&function).as_deref() == Some(name)) else {
            continue;
        };
        report.note(replaces_tool(name));
        list.del_item(place)?;
        if list.is_empty() && !list.is(tools) {
            let tool = tool.cast::<PyDict>()?;
            tool.del_item(DECLARATIONS)?;
            if tool.is_empty() {
                tools.del_item(at)?;
            }
        }
        return Ok(());
    }
    Ok(())
}

fn replaces_tool(name: &str) -> String {
    format!("the tool `{name}` of the arguments replaces the prompt's")
}

/// The key of the functions that one tool of Gemini's holds.
const DECLARATIONS: &str = "function_declarations";

/// The functions that one tool of Gemini's holds.
fn declarations<'py>(tool: &Bound<'py, PyAny>) -> Option<Bound<'py, PyList>> {
    tool.cast::<PyDict>().ok()?.get_item(DECLARATIONS).ok()??.cast_into().ok()
}

/// The name of a tool that is an object: a function, or one of a package.
fn object_name(tool: &Bound<'_, PyAny>) -> Option<String> {
    if tool.is_instance_of::<PyDict>() {
        return None;
    }
    let text = |name: &str| Some(text_of(tool.getattr(name).ok()?.cast::<PyString>().ok()?));
    text("name").or_else(|| text("__name__"))
}

/// The name of a tool, in the format of any provider.
fn name_of(tool: &Bound<'_, PyAny>) -> Option<String> {
    let Ok(tool) = tool.cast::<PyDict>() else { return object_name(tool) };
    let name = |tool: &Bound<'_, PyDict>| tool.get_item("name").ok()?.map(|name| text_of(&name));
    let inner = |key: &str| name(tool.get_item(key).ok()??.cast::<PyDict>().ok()?);
    name(tool).or_else(|| inner("function")).or_else(|| inner("toolSpec"))
}

/// Sets an argument whose members are merged. Anything but a mapping replaces it.
fn merge_argument(
    into: &Bound<'_, PyDict>,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    report: &mut Report,
) -> PyResult<()> {
    match value.cast::<PyDict>() {
        Ok(members) => merge_members(into, key, members, report),
        Err(_) => merge(into, key, value, report),
    }
}

/// Merges a mapping. One that has no members but those that remove others is left out; an empty one is sent as it came.
fn merge_members(
    into: &Bound<'_, PyDict>,
    key: &Bound<'_, PyAny>,
    members: &Bound<'_, PyDict>,
    report: &mut Report,
) -> PyResult<()> {
    let old = into.get_item(key)?.and_then(|old| old.cast_into::<PyDict>().ok());
    let made = old.unwrap_or_else(|| PyDict::new(into.py()));
    for (key, value) in members {
        merge(&made, &key, &value, report)?;
    }
    if !made.is_empty() || members.is_empty() {
        into.set_item(key, made)
    } else if into.contains(key)? {
        into.del_item(key)
    } else {
        Ok(())
    }
}

/// Sets a member, or removes it if it is `None`. Mappings are merged, tools are appended, and otherwise the new members
/// win.
fn merge(
    into: &Bound<'_, PyDict>,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    report: &mut Report,
) -> PyResult<()> {
    let old = into.get_item(key)?;
    if value.is_none() {
        return if old.is_some() { into.del_item(key) } else { Ok(()) };
    }
    let word = text_of(key);
    if word == TOOLS
        && is_filled(value)
        && let Some(Ok(tools)) = old.as_ref().map(|old| old.cast::<PyList>())
    {
        return append(tools, value, report);
    }
    if let Some(other) = excluded_by(&word)
        && into.contains(other)?
    {
        into.del_item(other)?;
    }
    match (old.as_ref().map(|old| old.cast::<PyDict>()), value.cast::<PyDict>()) {
        (Some(Ok(_)), Ok(members)) if !is_one_of(&word) => merge_members(into, key, members, report),
        _ => into.set_item(key, value),
    }
}

fn text_of(key: &Bound<'_, PyAny>) -> String {
    key.cast::<PyString>().map(|key| surrogates::to_rust(key).into_owned()).unwrap_or_default()
}
