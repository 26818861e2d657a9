//! The tools that a prompt offers to the model, and the choice between them.

use serde_json::{Map, Value, json};

use crate::de::shown;
use crate::error::{Error, Kind, Result};

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// The name: 1 to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// The description for the model.
    pub description: Option<String>,
    /// The JSON Schema of the arguments, of type object.
    pub parameters: Map<String, Value>,
    /// Whether the provider must enforce the schema.
    pub strict: Option<bool>,
}

impl Tool {
    /// Checks the name and that the parameters describe an object.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`].
    pub fn check(&self) -> Result<()> {
        check_tool_name(&self.name)?;
        match self.parameters.get("type") {
            None => Ok(()),
            Some(Value::String(word)) if word == "object" => Ok(()),
            Some(_) => Err(Error::new(
                Kind::PromptInvalid,
                format!("the parameters of tool `{}` must be of type object", self.name),
            )),
        }
    }
}

/// The schema of a tool without parameters.
pub(crate) fn no_parameters() -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), json!("object")), ("properties".to_owned(), json!({}))])
}

/// Which tools the model may or must call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// The model must not call a tool.
    None,
    /// The model must call at least one tool.
    Required,
    /// The model must call this tool.
    Tool(String),
}

impl ToolChoice {
    /// The accepted values, for the hint of an error.
    pub(super) const WORDS: [&'static str; 4] = ["auto", "none", "required", "{name: …}"];
}

/// Checks the name of a tool by the providers' rule.
pub(super) fn check_tool_name(name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::new(Kind::PromptInvalid, format!("{} cannot be a tool name", shown(name)))
        .with_hint("a tool name is 1 to 64 letters a-z and A-Z, digits, `_` and `-`"))
}
