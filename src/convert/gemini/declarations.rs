//! The functions of Gemini's tools, in either of the two spellings.

use serde_json::Value;

/// The key of a tool's list of functions. Gemini's other tools, such as its search, have keys of their own.
pub(super) const DECLARATIONS: &str = "function_declarations";

/// Spells the functions of a tool as Python's package does. The documentation of the REST API has `functionDeclarations`.
pub(in crate::convert) fn spell_tool(tool: &mut Value) {
    if let Value::Object(members) = tool
        && let Some(functions) = members.shift_remove("functionDeclarations")
    {
        members.entry(DECLARATIONS).or_insert(functions);
    }
}
