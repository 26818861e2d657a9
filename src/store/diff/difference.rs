//! The difference between two prompts, as data.

use serde::Serialize;
use serde_json::Value;

use crate::prompt::{Bump, Version};

/// The difference between an old and a new prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// The id of the new prompt.
    pub prompt_id: String,
    /// The version of the old prompt.
    pub old_version: Version,
    /// The version of the new prompt.
    pub new_version: Version,
    /// Whether both prompts have the same content hash, so that a model receives the same.
    pub same_content: bool,
    /// The unified diff of the template; empty if the text is the same.
    pub template: String,
    /// The messages that differ, sorted by their new position.
    pub messages: Vec<MessageChange>,
    /// The partials that differ, sorted by name.
    pub partials: Vec<TextChange>,
    /// The variables that differ, sorted by name.
    pub variables: Vec<VariableChange>,
    /// The tools that differ, sorted by name.
    pub tools: Vec<ToolChange>,
    /// The settings that differ, including those in the metadata.
    pub settings: Vec<ValueChange>,
    /// Changes of `input_schema` and `output_schema`.
    pub schemas: Vec<ValueChange>,
    /// Changes of `format`, `tool_choice`, `status` and the keys of the metadata.
    pub other: Vec<ValueChange>,
    /// Labels that only the new prompt has.
    pub labels_added: Vec<String>,
    /// Labels that only the old prompt has.
    pub labels_removed: Vec<String>,
    /// The proposed version bump.
    pub bump: Bump,
    /// The reasons for the bump.
    pub reasons: Vec<String>,
}

/// How a part of a prompt changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is the same, at another position.
    Moved,
    /// It has other content, at the same position.
    Changed,
}

impl Change {
    /// The word for it after "was", such as `added`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::Changed => "changed",
        }
    }
}

/// A message or placeholder that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageChange {
    /// How it changed.
    pub change: Change,
    /// Its role, or `placeholder` for a placeholder.
    pub role: String,
    /// Its position in the old prompt, from 1.
    pub old: Option<usize>,
    /// Its position in the new prompt, from 1.
    pub new: Option<usize>,
    /// The unified diff of its text if it changed; otherwise its whole text.
    pub text: String,
    /// Whether it was optional, and is not any more.
    #[serde(skip)]
    pub lost_optional: bool,
}

/// A named text that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextChange {
    /// Its name.
    pub name: String,
    /// How it changed.
    pub change: Change,
    /// The unified diff.
    pub text: String,
}

/// A variable that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariableChange {
    /// Its name.
    pub name: String,
    /// How it changed.
    pub change: Change,
    /// Its old value.
    pub old: Option<VariableSummary>,
    /// Its new value.
    pub new: Option<VariableSummary>,
}

/// The properties of a variable that a diff compares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariableSummary {
    /// Its type.
    pub r#type: &'static str,
    /// The values of an enum; empty for other types.
    pub values: Vec<Value>,
    /// Whether rendering needs a value for it.
    pub required: bool,
    /// The value that is used if none is given.
    pub default: Option<Value>,
    /// Its description.
    pub description: Option<String>,
}

/// A tool that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolChange {
    /// Its name.
    pub name: String,
    /// How it changed.
    pub change: Change,
    /// Its old value.
    pub old: Option<Value>,
    /// Its new value.
    pub new: Option<Value>,
}

/// A value that differs. `old` or `new` is `None` if there is no value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueChange {
    /// Its key, such as `temperature`.
    pub key: String,
    /// Its old value.
    pub old: Option<Value>,
    /// Its new value.
    pub new: Option<Value>,
}
