//! Chooses the version bump for a diff, with reasons.

use super::difference::{
    Change, Diff, MessageChange, ToolChange, ValueChange, VariableChange, VariableSummary,
};
use crate::prompt::Bump;
use crate::schema::FieldType;

/// The proposed bump, and the changes that require it.
pub(super) fn proposal(diff: &Diff) -> (Bump, Vec<String>) {
    if diff.same_content {
        return (Bump::None, vec!["the model receives the same".to_owned()]);
    }
    let mut asked: Vec<(Bump, String)> = Vec::new();
    asked.extend(diff.variables.iter().flat_map(of_variable));
    asked.extend(diff.schemas.iter().map(of_schema));
    asked.extend(diff.tools.iter().map(of_tool));
    asked.extend(
        diff.settings.iter().map(|setting| (Bump::Minor, format!("the setting `{}` changed", setting.key))),
    );
    asked.extend(diff.other.iter().filter_map(|value| match value.key.as_str() {
        "format" => Some((Bump::Major, "the format changed".to_owned())),
        "tool_choice" => Some((Bump::Minor, "the tool choice changed".to_owned())),
        _ => None,
    }));
    asked.extend(diff.messages.iter().map(of_message));
    if !diff.template.is_empty() {
        asked.push((Bump::Patch, "the text of the template changed".to_owned()));
    }
    asked.extend(diff.partials.iter().map(|partial| {
        (Bump::Patch, format!("the partial `{}` was {}", partial.name, partial.change.as_str()))
    }));
    let bump = asked.iter().map(|(bump, _)| *bump).max().unwrap_or(Bump::Patch);
    let mut reasons: Vec<String> =
        asked.into_iter().filter(|(asked, _)| *asked == bump).map(|(_, reason)| reason).collect();
    if reasons.is_empty() {
        reasons.push("the same content is written differently".to_owned());
    }
    (bump, reasons)
}

fn of_variable(variable: &VariableChange) -> Vec<(Bump, String)> {
    let name = &variable.name;
    match (&variable.old, &variable.new) {
        (None, Some(new)) if new.required => {
            vec![(Bump::Major, format!("variable `{name}` was added and is required"))]
        }
        (None, _) => vec![(Bump::Minor, format!("variable `{name}` was added and is optional"))],
        (Some(_), None) => {
            vec![(Bump::Major, format!("variable `{name}` was removed; values for it have no effect now"))]
        }
        (Some(old), Some(new)) => compare_variable(name, old, new),
    }
}

pub(super) fn compare_variable(
    name: &str,
    old: &VariableSummary,
    new: &VariableSummary,
) -> Vec<(Bump, String)> {
    let mut asked = Vec::new();
    if old.r#type != new.r#type {
        let wider = new.r#type == FieldType::Any.as_str()
            || (old.r#type, new.r#type) == (FieldType::Integer.as_str(), FieldType::Float.as_str());
        let bump = if wider { Bump::Minor } else { Bump::Major };
        asked.push((bump, format!("variable `{name}` has type {}, not {}", new.r#type, old.r#type)));
    }
    if old.r#type == new.r#type && old.values != new.values {
        let is_kept = old.values.iter().all(|value| new.values.contains(value));
        let is_new = new.values.iter().any(|value| !old.values.contains(value));
        let (bump, how) = if !is_kept && is_new {
            (Bump::Major, "takes other values now")
        } else if !is_kept {
            (Bump::Major, "takes fewer values now")
        } else if old.values.len() < new.values.len() {
            (Bump::Minor, "takes more values now")
        } else {
            (Bump::Patch, "has its values in another order")
        };
        asked.push((bump, format!("variable `{name}` {how}")));
    }
    match (old.required, new.required) {
        (false, true) => asked.push((Bump::Major, format!("variable `{name}` is required now"))),
        (true, false) => asked.push((Bump::Minor, format!("variable `{name}` is optional now"))),
        (true, true) | (false, false) => {}
    }
    if old.default != new.default {
        asked.push((Bump::Minor, format!("the default of variable `{name}` changed")));
    }
    if old.description != new.description {
        asked.push((Bump::Patch, format!("the description of variable `{name}` changed")));
    }
    asked
}

fn of_schema(schema: &ValueChange) -> (Bump, String) {
    let key = &schema.key;
    match (&schema.old, &schema.new) {
        (Some(_), None) if key == "input_schema" => (Bump::Minor, format!("`{key}` was removed")),
        (None, Some(_)) => (Bump::Major, format!("`{key}` was added")),
        (Some(_), None) => (Bump::Major, format!("`{key}` was removed")),
        _ => (Bump::Major, format!("`{key}` changed")),
    }
}

fn of_tool(tool: &ToolChange) -> (Bump, String) {
    let name = &tool.name;
    match (&tool.old, &tool.new) {
        (None, _) => (Bump::Major, format!("tool `{name}` was added; the application must handle its calls")),
        (_, None) => (Bump::Minor, format!("tool `{name}` was removed")),
        (Some(old), Some(new)) if old.get("parameters") == new.get("parameters") => {
            (Bump::Minor, format!("the definition of tool `{name}` changed, but not its parameters"))
        }
        _ => (Bump::Major, format!("the parameters of tool `{name}` changed")),
    }
}

fn of_message(message: &MessageChange) -> (Bump, String) {
    let place = message.new.or(message.old).unwrap_or_default();
    if message.lost_optional {
        return (Bump::Major, format!("message {place} ({}) is not optional any more", message.role));
    }
    let bump = if message.change == Change::Changed { Bump::Patch } else { Bump::Minor };
    (bump, format!("message {place} ({}) was {}", message.role, message.change.as_str()))
}
