//! Bedrock's argument `toolConfig`: its members, and what the caller's choice of tools allows.

use crate::convert::given_arguments::GivenArguments;

/// The argument for tools and the choice between them, and the path of the tools.
pub(in crate::convert) const TOOL_CONFIG: &str = "toolConfig";
pub(in crate::convert) const TOOLS_PATH: &str = "toolConfig.tools";

/// The member of [`TOOL_CONFIG`] for the choice of a tool.
pub(in crate::convert) const TOOL_CHOICE: &str = "toolChoice";

/// Whether the caller's choice of tools lets the model answer without a call of this tool.
pub(in crate::convert) fn allows_text(given: GivenArguments<'_>, name: &str) -> bool {
    given.has("toolConfig.toolChoice")
        && given.word("toolConfig.toolChoice.any").is_none()
        && given.word("toolConfig.toolChoice.tool.name") != Some(name)
}
