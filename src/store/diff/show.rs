//! The text format of a diff: a line with the proposed bump, then the changes by section.

use std::fmt;

use serde_json::Value;

use super::difference::{
    Change, Diff, MessageChange, TextChange, ValueChange, VariableChange, VariableSummary,
};
use super::proposal::compare_variable;

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prompt_id, old_version, new_version, bump, .. } = self;
        write!(f, "{prompt_id} {old_version} → {new_version}: {bump} ({})", self.reasons.join("; "))?;
        let labels = self.labels_added.iter().map(|label| format!("+ {label}"));
        let labels = labels.chain(self.labels_removed.iter().map(|label| format!("- {label}")));
        let tools = self.tools.iter().map(|tool| format!("{} {}", tool.name, tool.change.as_str()));
        section(f, "template", self.template.lines().map(str::to_owned))?;
        section(f, "messages", self.messages.iter().flat_map(MessageChange::lines))?;
        section(f, "partials", self.partials.iter().flat_map(TextChange::lines))?;
        section(f, "variables", self.variables.iter().map(VariableChange::line))?;
        section(f, "tools", tools)?;
        section(f, "settings", self.settings.iter().map(ValueChange::line))?;
        section(f, "schemas", self.schemas.iter().map(ValueChange::line))?;
        section(f, "labels", labels)?;
        section(f, "other", self.other.iter().map(ValueChange::line))
    }
}

/// Writes a heading and its lines, or nothing if there are no lines.
fn section(f: &mut fmt::Formatter<'_>, name: &str, lines: impl Iterator<Item = String>) -> fmt::Result {
    for (at, line) in lines.enumerate() {
        if at == 0 {
            write!(f, "\n\n{name}")?;
        }
        write!(f, "\n  {line}")?;
    }
    Ok(())
}

impl MessageChange {
    fn lines(&self) -> Vec<String> {
        let (role, change) = (&self.role, self.change.as_str());
        let place = self.new.or(self.old).unwrap_or_default();
        let was = self.old.filter(|old| *old != place).map(|old| format!(", was message {old}"));
        let mut lines = vec![format!("message {place} ({role}) {change}{}", was.unwrap_or_default())];
        let mark = match self.change {
            Change::Moved => return lines,
            Change::Changed => "",
            Change::Added => "+",
            Change::Removed => "-",
        };
        lines.extend(self.text.lines().map(|line| format!("  {mark}{line}")));
        lines
    }
}

impl TextChange {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} {}", self.name, self.change.as_str())];
        lines.extend(self.text.lines().map(|line| format!("  {line}")));
        lines
    }
}

impl VariableChange {
    fn line(&self) -> String {
        let name = &self.name;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => {
                let reasons: Vec<String> =
                    compare_variable(name, old, new).into_iter().map(|(_, reason)| reason).collect();
                format!("~ {}", reasons.join("; "))
            }
            (None, new) => format!("+ {name}: {}", new.as_ref().map(ToString::to_string).unwrap_or_default()),
            (Some(old), None) => format!("- {name}: {old}"),
        }
    }
}

impl fmt::Display for VariableSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.r#type)?;
        if !self.values.is_empty() {
            let values: Vec<String> = self.values.iter().map(Value::to_string).collect();
            write!(f, " of {}", values.join(", "))?;
        }
        f.write_str(if self.required { ", required" } else { ", optional" })?;
        match &self.default {
            Some(default) => write!(f, ", default {default}"),
            None => Ok(()),
        }
    }
}

impl ValueChange {
    fn line(&self) -> String {
        let shown =
            |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
        format!("{}: {} → {}", self.key, shown(&self.old), shown(&self.new))
    }
}
