//! The difference between two prompts, as data.

use serde::Serialize;
use serde_json::Value;

use crate::prompt::{Bump, Version};

/// What differs between an old prompt and a new one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// The id of the new one.
    pub prompt_id: String,
    /// The version of the old one.
    pub old_version: Version,
    /// The version of the new one.
    pub new_version: Version,
    /// Whether the model is sent the same.
    pub same_content: bool,
    /// The text of the template, unified; empty where it is the same.
    pub template: String,
    /// The messages that differ, by their new place.
    pub messages: Vec<MessageChange>,
    /// The partials that differ, by name.
    pub partials: Vec<TextChange>,
    /// The variables that differ, by name.
    pub variables: Vec<VariableChange>,
    /// The tools that differ, by name.
    pub tools: Vec<ToolChange>,
    /// The settings that differ, those in the metadata too.
    pub settings: Vec<ValueChange>,
    /// `input_schema` and `output_schema`.
    pub schemas: Vec<ValueChange>,
    /// `format`, `tool_choice`, `status`, and the keys of the metadata.
    pub other: Vec<ValueChange>,
    /// Labels that point at the new one only.
    pub labels_added: Vec<String>,
    /// Labels that point at the old one only.
    pub labels_removed: Vec<String>,
    /// How far the version is to be raised.
    pub bump: Bump,
    /// Why.
    pub reasons: Vec<String>,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is the same in another place.
    Moved,
    /// It is another in the same place.
    Changed,
}

/// A message or placeholder that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageChange {
    /// What became of it.
    pub change: Change,
    /// Its role; `placeholder` for one.
    pub role: String,
    /// Its place in the old prompt, from 1.
    pub old: Option<usize>,
    /// Its place in the new prompt, from 1.
    pub new: Option<usize>,
    /// Where it changed, what it says, unified; else the whole of what it says.
    pub text: String,
}

/// A named text that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextChange {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
    /// The difference, unified.
    pub text: String,
}

/// A variable that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariableChange {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
    /// What it was.
    pub old: Option<Facts>,
    /// What it is.
    pub new: Option<Facts>,
}

/// What a variable is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// Its type.
    pub r#type: &'static str,
    /// Whether a render needs it.
    pub required: bool,
    /// What holds where it is not given.
    pub default: Option<Value>,
    /// What it means.
    pub description: Option<String>,
}

/// A tool that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolChange {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
    /// What it was.
    pub old: Option<Value>,
    /// What it is.
    pub new: Option<Value>,
}

/// A value that differs; absent where there was or is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueChange {
    /// Where it stands, such as `temperature`.
    pub key: String,
    /// What it was.
    pub old: Option<Value>,
    /// What it is.
    pub new: Option<Value>,
}
