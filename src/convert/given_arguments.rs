//! The names of the arguments that the caller of a request sets.

/// The argument whose members a provider's package adds to the body of the request. They replace its other arguments.
pub(super) const EXTRA_BODY: &str = "extra_body";

/// The argument of Gemini's call that holds all settings.
pub const CONFIG: &str = "config";

/// The arguments, besides [`EXTRA_BODY`], that are merged member by member.
pub(super) const MERGED: [&str; 8] = [
    "text",
    "reasoning",
    "output_config",
    "metadata",
    // Bedrock's.
    "inferenceConfig",
    "toolConfig",
    "outputConfig",
    "additionalModelRequestFields",
];

/// The members of Gemini's `config` that are merged member by member.
const MERGED_IN_CONFIG: [&str; 4] = ["tool_config", "thinking_config", "http_options", "labels"];

/// Whether a member of Gemini's `config` is merged with the one of the prompt. All others replace it.
#[must_use]
pub fn is_merged_in_config(member: &str) -> bool {
    MERGED_IN_CONFIG.contains(&member)
}

/// Members that are one of several things. The one of the caller replaces that of the prompt as a whole, because members of
/// two of them are none of them.
const ONE_OF: [&str; 7] = [
    "format",
    "textFormat",
    "response_format",
    "toolChoice",
    "tool_choice",
    "function_calling_config",
    "thinking",
];

/// Whether a member is one of several things, so that two of them are not merged.
#[must_use]
pub fn is_one_of(member: &str) -> bool {
    ONE_OF.contains(&member)
}

/// The member that cannot be beside this one.
#[must_use]
pub fn excluded_by(member: &str) -> Option<&'static str> {
    match member {
        "thinking_level" => Some("thinking_budget"),
        "thinking_budget" => Some("thinking_level"),
        _ => None,
    }
}

/// Whether an argument of the caller is merged with the one of the prompt. All others replace it.
#[must_use]
pub fn is_merged(argument: &str) -> bool {
    argument == EXTRA_BODY || argument == CONFIG || MERGED.contains(&argument)
}

/// Whether two names are of the same argument. Chat Completions has an older and a newer name for one, and accepts only
/// one of them.
pub(super) fn is_same_argument(name: &str, other: &str) -> bool {
    const LIMITS: [&str; 2] = ["max_completion_tokens", "max_tokens"];
    name == other || (LIMITS.contains(&name) && LIMITS.contains(&other))
}

/// The arguments of a call that the caller sets. They are left out of the result.
///
/// A mapping that is merged is given by the paths of its members, such as `text.verbosity`.
#[derive(Debug, Default, Clone, Copy)]
pub struct GivenArguments<'a> {
    /// The names of all of them.
    pub names: &'a [String],
    /// The names of those that only remove an argument.
    pub removed: &'a [String],
    /// Whether there are tools, which are added to those of the prompt. They are not among `names`.
    pub adds_tools: bool,
    /// The names of these tools.
    pub tool_names: &'a [String],
    /// The cache hints of these tools, in order: whether each is for an hour.
    pub tool_hints: &'a [bool],
    /// The texts at [`DECIDING`], each by its path. A value that is no text is empty here.
    pub words: &'a [(String, String)],
}

/// The places of values that decide what a request can have of the prompt.
pub const DECIDING: [&[&str]; 9] = [
    &[CONFIG, "response_mime_type"],
    &["reasoning_effort"],
    &["tool_choice"],
    &["tool_choice", "type"],
    &["thinking", "type"],
    &[EXTRA_BODY, "thinking", "type"],
    &["toolConfig", "toolChoice", "any"],
    &["toolConfig", "toolChoice", "tool", "name"],
    &["additionalModelRequestFields", "thinking", "type"],
];

impl<'a> GivenArguments<'a> {
    /// Whether the caller sets this argument or this member of an argument.
    pub(super) fn has(self, path: &str) -> bool {
        self.names.iter().any(|given| is_same_argument(given, path))
    }

    /// The text of one of [`DECIDING`].
    pub(super) fn word(self, path: &str) -> Option<&'a str> {
        self.words.iter().find(|(known, _)| known == path).map(|(_, word)| word.as_str())
    }

    /// Whether the caller removes this argument or this member of an argument.
    pub(super) fn removes(self, key: &str) -> bool {
        self.removed.iter().any(|given| given == key)
    }

    /// Whether the caller sets members of this argument.
    pub(super) fn has_member_of(self, key: &str) -> bool {
        self.names.iter().any(|given| given.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
    }
}
