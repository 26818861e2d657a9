//! The tools that a prompt offers to the model, and the choice between them.

use serde_json::{Map, Value, json};

use super::message::CacheHint;
use crate::de::shown;
use crate::error::{Error, Kind, Result};

/// A tool that the model may use.
#[derive(Debug, Clone, PartialEq)]
pub enum Tool {
    /// A function of the application, which each provider gets in its own format.
    Function(FunctionTool),
    /// A tool of one provider, which only this provider gets.
    Provider(ProviderTool),
}

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionTool {
    /// The name: 1 to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// The description for the model.
    pub description: Option<String>,
    /// The JSON Schema of the arguments, of type object.
    pub parameters: Map<String, Value>,
    /// Whether the provider must enforce the schema.
    pub strict: Option<bool>,
    /// A hint that the provider may cache the tools up to and including this.
    pub cache: Option<CacheHint>,
}

/// A tool of a provider, such as its web search.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderTool {
    /// The provider; one of those that settings name.
    pub provider: &'static str,
    /// The tool in the provider's format.
    pub definition: Map<String, Value>,
}

impl ProviderTool {
    /// The `name` of the definition, or its `type`.
    #[must_use]
    pub fn name(&self) -> &str {
        let text = |key: &str| self.definition.get(key).and_then(Value::as_str);
        text("name").or_else(|| text("type")).unwrap_or_default()
    }

    /// Whether its definition has a name, which no other tool of the provider may have.
    fn is_named(&self) -> bool {
        self.definition.get("name").is_some_and(Value::is_string)
    }
}

impl Tool {
    /// The name. A tool of a provider without a name has that of its type.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Function(function) => &function.name,
            Self::Provider(tool) => tool.name(),
        }
    }

    /// Checks a function: its name, and that the parameters describe an object.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`].
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Function(function) => function.check(),
            Self::Provider(_) => Ok(()),
        }
    }

    /// Whether a request could have both although they have the same name.
    pub(super) fn clashes_with(&self, other: &Self) -> bool {
        let is_named = |tool: &Self| match tool {
            Self::Function(_) => true,
            Self::Provider(tool) => tool.is_named(),
        };
        let together = match (self, other) {
            (Self::Provider(tool), Self::Provider(other)) => tool.provider == other.provider,
            _ => true,
        };
        together && is_named(self) && is_named(other) && self.name() == other.name()
    }
}

impl FunctionTool {
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
