//! The functions of Gemini's tools, in either of the two spellings.

use serde_json::Value;

use crate::convert::rules::NameRule;

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

/// The rule for the names of the functions that are called.
pub(super) const NAMES: NameRule = NameRule {
    accepts: |name| begins_as_name(name) && name.bytes().all(is_name_byte),
    problem: "is not one that Gemini accepts",
    hint: "begin it with a letter or `_`, and use only letters, digits, `_`, `.`, `:` and `-`",
};

/// Whether the first character can be that of the name of a function.
pub(super) fn begins_as_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte)
}
