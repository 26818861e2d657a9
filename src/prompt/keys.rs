//! The keys of prompt files, in the order of the documentation. Any other key is an error; [`super::key_hints`] knows
//! what some of them were meant to be.

/// The keys of a prompt. `prompts` is a list of several in one file.
pub(super) const PROMPT: &[&str] = &[
    "id",
    "version",
    "format",
    "status",
    "template",
    "messages",
    "variables",
    "partials",
    "chat_template",
    "tools",
    "tool_choice",
    "settings",
    "input_schema",
    "output_schema",
    "metadata",
    "labels",
    "uid",
    "created_at",
    "updated_at",
    "prompts",
];

pub(super) const TEMPLATE: &[&str] = &["content", "variables", "partials", "helpers"];

pub(super) const CHAT_TEMPLATE: &[&str] = &["messages", "variables", "partials", "helpers"];

pub(super) const MESSAGE: &[&str] = &[
    "role",
    "content",
    "refusal",
    "name",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "cache",
    "optional",
    "is_error",
];

/// The keys of a part of any type; see [`PART_TYPES`].
pub(super) const PART: &[&str] =
    &["type", "text", "image_url", "media_type", "data", "input_audio", "file", "cache"];

/// The types of parts, with the keys that each type needs.
pub(super) const PART_TYPES: [(&str, &[&str]); 6] = [
    ("text", &["text"]),
    ("image_url", &["image_url"]),
    ("image", &["media_type", "data"]),
    ("input_audio", &["input_audio"]),
    ("file", &["file"]),
    ("search_result", &["source", "title", "content"]),
];

/// The keys of a part of type `image` that is an uploaded file.
pub(super) const UPLOADED_IMAGE: &[&str] = &["type", "file_id", "media_type", "cache"];

/// The keys of a part of type `file`.
pub(super) const FILE_PART: &[&str] =
    &["type", "file", "url", "text", "title", "context", "citations", "cache"];

/// The keys of a part of type `search_result`.
pub(super) const SEARCH_RESULT: &[&str] = &["type", "source", "title", "content", "citations", "cache"];

pub(super) const IMAGE_URL: &[&str] = &["url", "detail"];

pub(super) const INPUT_AUDIO: &[&str] = &["data", "format"];

pub(super) const FILE: &[&str] = &["file_id", "filename", "file_data"];

/// The keys of a tool call: OpenAI's format, or flat.
pub(super) const TOOL_CALL: &[&str] = &["id", "type", "function", "name", "arguments"];

pub(super) const FUNCTION_CALL: &[&str] = &["name", "arguments"];

pub(super) const CACHE: &[&str] = &["type", "ttl", "openai"];

/// The keys of the `openai` of a cache hint.
pub(super) const OPENAI_CACHE: &[&str] = &["mode", "ttl"];

pub(super) const VARIABLE: &[&str] = &["type", "values", "description", "default", "required"];

/// The keys of a tool: OpenAI's format, or flat.
pub(super) const TOOL: &[&str] =
    &["name", "description", "parameters", "strict", "cache", "type", "function", "provider"];

/// The keys of the `function` of a tool in OpenAI's format.
pub(super) const TOOL_FUNCTION: &[&str] = &["name", "description", "parameters", "strict"];

pub(super) const TOOL_CHOICE: &[&str] = &["name", "type", "function"];

pub(super) const SETTINGS: &[&str] = &[
    "model",
    "temperature",
    "top_p",
    "max_tokens",
    "stop",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "top_k",
    "effort",
    "verbosity",
    "thinking_budget",
    "parallel_tool_calls",
    "extra",
    "openai",
    "anthropic",
    "litellm",
    "gemini",
    "bedrock",
];

/// The keys of metadata whose types are checked. Other keys are free.
pub(super) const METADATA: &[&str] = &[
    "author",
    "description",
    "category",
    "tags",
    "use_cases",
    "model_recommendations",
    "temperature",
    "max_tokens",
    "custom",
];
