//! The parameters of a tool that a provider enforces.

use serde_json::Value;

use super::json_schema::JsonSchemaMode;
use super::{anthropic_subset, gemini_subset, openai_strict};
use crate::error::Result;

/// Converts the parameters of a strict tool to what the provider enforces. No rule gets lost, because nothing else
/// checks the arguments of a call.
///
/// # Errors
/// [`Kind::Schema`](crate::Kind::Schema) for a part that the provider cannot enforce, with its path.
pub fn strict_parameters(parameters: &Value, mode: JsonSchemaMode) -> Result<Value> {
    match mode {
        JsonSchemaMode::Full => Ok(parameters.clone()),
        JsonSchemaMode::Strict => openai_strict::to_strict_without_loss(parameters),
        JsonSchemaMode::Anthropic => anthropic_subset::to_subset(parameters),
        JsonSchemaMode::Gemini => gemini_subset::to_subset(parameters),
    }
}
