//! Compares two prompts part by part, and proposes a version bump.
//!
//! The bump is chosen from the application's side. A change that callers must react to is major. A change of the
//! model's behaviour, or of what callers may use, is minor. A change of wording is a patch. Changes of status, labels
//! and metadata are listed, but do not cause a bump.

mod difference;
mod proposal;
mod show;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use similar::{Algorithm, DiffOp, TextDiff, capture_diff_slices};

pub use difference::{
    Change, Diff, MessageChange, TextChange, ToolChange, ValueChange, VariableChange, VariableSummary,
};

use crate::prompt::{
    Bump, ChatEntry, Compiled, Content, Message, Partials, Prompt, SchemaSource, Tool, VariableInfo,
};
use crate::template::Text;

/// Compares two prompts.
#[must_use]
pub fn diff<T: Text>(old: &Compiled<T>, new: &Compiled<T>) -> Diff {
    let (before, after) = (old.prompt(), new.prompt());
    let mut diff = Diff {
        prompt_id: after.id.to_string(),
        old_version: before.version.clone(),
        new_version: after.version.clone(),
        same_content: before.content_hash(None) == after.content_hash(None),
        template: templates(before, after),
        messages: messages(entries(before), entries(after)),
        partials: partials(partials_of(before), partials_of(after)),
        variables: variables(old.variables(), new.variables()),
        tools: tools(&before.tools, &after.tools),
        settings: values(&settings(before), &settings(after)),
        schemas: values(&schemas(before), &schemas(after)),
        other: values(&other(before), &other(after)),
        labels_added: without(&after.labels, &before.labels),
        labels_removed: without(&before.labels, &after.labels),
        bump: Bump::None,
        reasons: Vec::new(),
    };
    (diff.bump, diff.reasons) = proposal::proposal(&diff);
    diff
}

/// The time limit for comparing two texts. After it, the diff is still correct, but may not be the shortest.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// The unified diff of two texts, by line; empty if they are equal.
fn unified(old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let lines = TextDiff::configure().timeout(TIME_LIMIT).diff_lines(old, new);
    let ends_differ = old.ends_with('\n') != new.ends_with('\n');
    lines.unified_diff().missing_newline_hint(ends_differ).to_string()
}

fn templates(old: &Prompt, new: &Prompt) -> String {
    let text =
        |prompt: &Prompt| prompt.template.as_ref().map_or_else(String::new, |text| text.content.clone());
    unified(&text(old), &text(new))
}

fn partials_of(prompt: &Prompt) -> &[(String, String)] {
    const NONE: &Partials = &Vec::new();
    match (&prompt.template, &prompt.chat_template) {
        (Some(template), _) => &template.partials,
        (None, Some(chat)) => &chat.partials,
        (None, None) => NONE,
    }
}

fn partials(old: &[(String, String)], new: &[(String, String)]) -> Vec<TextChange> {
    let text = |(name, text): &(String, String)| (name.clone(), text.clone());
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (old.iter().map(text).collect(), new.iter().map(text).collect());
    changes(&old, &new)
        .map(|(name, change, old, new)| {
            let text = unified(old.map_or("", String::as_str), new.map_or("", String::as_str));
            TextChange { name, change, text }
        })
        .collect()
}

/// The members that differ between two mappings, by name.
fn changes<'m, V: PartialEq>(
    old: &'m BTreeMap<String, V>,
    new: &'m BTreeMap<String, V>,
) -> impl Iterator<Item = (String, Change, Option<&'m V>, Option<&'m V>)> {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| {
        let (old, new) = (old.get(name), new.get(name));
        let change = match (old, new) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Removed,
            (None, _) => Change::Added,
        };
        Some((name.clone(), change, old, new))
    })
}

fn entries(prompt: &Prompt) -> &[ChatEntry] {
    prompt.chat_template.as_ref().map_or(&[], |chat| &chat.messages)
}

fn role_of(entry: &ChatEntry) -> &'static str {
    match entry {
        ChatEntry::Message(message) => message.role.as_str(),
        ChatEntry::Placeholder { .. } => "placeholder",
    }
}

/// The text of an entry: its content if it has nothing else, otherwise its members as JSON.
fn text_of(entry: &ChatEntry) -> String {
    let message = match entry {
        ChatEntry::Placeholder { name, optional } => {
            return format!("{name}{}", if *optional { " (optional)" } else { "" });
        }
        ChatEntry::Message(message) => message,
    };
    let plain = Message { content: None, ..message.clone() } == Message::empty(message.role);
    match &message.content {
        Some(Content::Text(text)) if plain => text.clone(),
        _ => {
            let mut json = json!(message);
            if let Some(members) = json.as_object_mut() {
                members.shift_remove("role");
            }
            serde_json::to_string_pretty(&json).unwrap_or_default()
        }
    }
}

/// Whether it is a message that may be left out. An optional placeholder is compared as a variable.
fn is_optional(entry: &ChatEntry) -> bool {
    matches!(entry, ChatEntry::Message(message) if message.optional)
}

/// The messages that differ. A new message at the position of an old one with the same role counts as changed. A
/// message that was removed at one position and added at another counts as moved.
fn messages(old: &[ChatEntry], new: &[ChatEntry]) -> Vec<MessageChange> {
    let written = |entries: &[ChatEntry]| -> Vec<String> {
        entries.iter().map(|entry| json!(entry).to_string()).collect()
    };
    let (old_keys, new_keys) = (written(old), written(new));
    let (mut removed, mut added, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for op in capture_diff_slices(Algorithm::Myers, &old_keys, &new_keys) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let mut left: Vec<usize> = op.old_range().collect();
        for at in op.new_range() {
            match left.iter().position(|other| role_of(&old[*other]) == role_of(&new[at])) {
                Some(other) => {
                    let from = left.remove(other);
                    found.push(MessageChange {
                        change: Change::Changed,
                        role: role_of(&new[at]).to_owned(),
                        old: Some(from + 1),
                        new: Some(at + 1),
                        text: unified(&text_of(&old[from]), &text_of(&new[at])),
                        lost_optional: is_optional(&old[from]) && !is_optional(&new[at]),
                    });
                }
                None => added.push(at),
            }
        }
        removed.extend(left);
    }
    for at in added {
        let from = removed
            .iter()
            .position(|from| old_keys[*from] == new_keys[at])
            .map(|place| removed.remove(place));
        found.push(MessageChange {
            change: if from.is_some() { Change::Moved } else { Change::Added },
            role: role_of(&new[at]).to_owned(),
            old: from.map(|from| from + 1),
            new: Some(at + 1),
            text: text_of(&new[at]),
            lost_optional: false,
        });
    }
    found.extend(removed.into_iter().map(|at| MessageChange {
        change: Change::Removed,
        role: role_of(&old[at]).to_owned(),
        old: Some(at + 1),
        new: None,
        text: text_of(&old[at]),
        lost_optional: false,
    }));
    found.sort_by_key(|change| (change.new.or(change.old), change.new.is_none()));
    found
}

fn variables(old: Vec<VariableInfo>, new: Vec<VariableInfo>) -> Vec<VariableChange> {
    let facts = |infos: Vec<VariableInfo>| -> BTreeMap<String, VariableSummary> {
        let fact = |info: VariableInfo| {
            let r#type = info.field_type.as_str();
            let VariableInfo { name, values, required, default, description, .. } = info;
            (name, VariableSummary { r#type, values, required, default, description })
        };
        infos.into_iter().map(fact).collect()
    };
    changes(&facts(old), &facts(new))
        .map(|(name, change, old, new)| VariableChange { name, change, old: old.cloned(), new: new.cloned() })
        .collect()
}

fn tools(old: &[Tool], new: &[Tool]) -> Vec<ToolChange> {
    let named = |tools: &[Tool]| -> BTreeMap<String, Value> {
        let mut named = BTreeMap::new();
        for tool in tools {
            let name = match tool {
                Tool::Function(function) => function.name.clone(),
                Tool::Provider(tool) => format!("{}.{}", tool.provider, tool.name()),
            };
            // A prompt may have several tools of one type, such as two servers.
            let mut free = name.clone();
            let mut count = 1;
            while named.contains_key(&free) {
                count += 1;
                free = format!("{name} {count}");
            }
            named.insert(free, json!(tool));
        }
        named
    };
    changes(&named(old), &named(new))
        .map(|(name, change, old, new)| ToolChange { name, change, old: old.cloned(), new: new.cloned() })
        .collect()
}

fn values(old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>) -> Vec<ValueChange> {
    changes(old, new)
        .map(|(key, _, old, new)| ValueChange { key, old: old.cloned(), new: new.cloned() })
        .collect()
}

/// The settings of a prompt. Those under `extra` have the key `extra.NAME`.
fn settings(prompt: &Prompt) -> BTreeMap<String, Value> {
    let mut settings: Map<String, Value> = json!(prompt.settings()).as_object().cloned().unwrap_or_default();
    let extra =
        settings.shift_remove("extra").and_then(|extra| extra.as_object().cloned()).unwrap_or_default();
    settings
        .into_iter()
        .chain(extra.into_iter().map(|(key, value)| (format!("extra.{key}"), value)))
        .collect()
}

fn schemas(prompt: &Prompt) -> BTreeMap<String, Value> {
    let named = |key: &str, schema: &Option<SchemaSource>| {
        schema.as_ref().map(|schema| (key.to_owned(), json!(schema)))
    };
    [named("input_schema", &prompt.input_schema), named("output_schema", &prompt.output_schema)]
        .into_iter()
        .flatten()
        .collect()
}

fn other(prompt: &Prompt) -> BTreeMap<String, Value> {
    let mut other = BTreeMap::from([
        ("format".to_owned(), json!(prompt.format)),
        ("status".to_owned(), json!(prompt.status)),
    ]);
    if let Some(choice) = &prompt.tool_choice {
        other.insert("tool_choice".to_owned(), json!(choice));
    }
    // The two settings in the metadata are compared with the settings.
    let described =
        prompt.metadata.as_map().iter().filter(|(key, _)| *key != "temperature" && *key != "max_tokens");
    other.extend(described.map(|(key, value)| (format!("metadata.{key}"), value.clone())));
    other
}

fn without(all: &[String], those: &[String]) -> Vec<String> {
    all.iter().filter(|label| !those.contains(label)).cloned().collect()
}
