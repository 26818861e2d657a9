//! Hints for keys that other tools have and prompt files have not: where their value belongs.

use super::keys;
use crate::de::{self, KeyHint};
use crate::error::{Error, Kind};

/// The error for a key that a part of a prompt does not have, and the key that was probably meant. `owner` is the name
/// of the part's Python class. `None` for another class.
#[must_use]
pub fn unknown_key(owner: &str, key: &str) -> Option<(Error, Option<&'static str>)> {
    let (known, hint) = match owner {
        "Message" => (keys::MESSAGE, of_message(key)),
        "Variable" => (keys::VARIABLE, of_variable(key)),
        "Tool" => (keys::TOOL, of_tool(key)),
        "Settings" => (keys::SETTINGS, of_settings(key)),
        "PromptTemplate" => (keys::TEMPLATE, None),
        "ChatPromptTemplate" => (keys::CHAT_TEMPLATE, None),
        _ => return None,
    };
    Some(de::unknown_key(Kind::PromptInvalid, key, known, hint))
}

/// The hint for an unknown key of a prompt.
pub(super) fn of_prompt(key: &str) -> Option<KeyHint> {
    Some(match key {
        "model" => KeyHint::new("the model is a setting: `settings: {model: …}`"),
        "temperature" => KeyHint::new("this is a setting: `settings: {temperature: …}`"),
        "top_p" => KeyHint::new("this is a setting: `settings: {top_p: …}`"),
        "top_k" => KeyHint::new("this is a setting: `settings: {top_k: …}`"),
        "max_tokens" | "max_output_tokens" | "max_completion_tokens" => {
            KeyHint::new("this is a setting: `settings: {max_tokens: …}`")
        }
        "stop" | "stop_sequences" => KeyHint::new("this is a setting: `settings: {stop: […]}`"),
        "seed" => KeyHint::new("this is a setting: `settings: {seed: …}`"),
        "effort" | "reasoning_effort" => KeyHint::new("this is a setting: `settings: {effort: …}`"),
        "verbosity"
        | "thinking_budget"
        | "parallel_tool_calls"
        | "presence_penalty"
        | "frequency_penalty"
        | "extra"
        | "config"
        | "parameters"
        | "model_parameters" => KeyHint::new("write it under `settings`"),
        "description" => KeyHint::new("the description is metadata: `metadata: {description: …}`"),
        "author" => KeyHint::new("the author is metadata: `metadata: {author: …}`"),
        "tags" => KeyHint::new("the tags are metadata: `metadata: {tags: […]}`"),
        "category" => KeyHint::new("the category is metadata: `metadata: {category: …}`"),
        "use_cases" | "model_recommendations" | "title" => KeyHint::new("write it under `metadata`"),
        "prompt" | "content" | "text" | "body" | "instructions" => {
            KeyHint::of("template", "the text of a prompt is its `template`; a chat has `messages`")
        }
        "system" => {
            KeyHint::of("messages", "write it as a message: `messages: [{role: system, content: …}]`")
        }
        "developer" => {
            KeyHint::of("messages", "write it as a message: `messages: [{role: developer, content: …}]`")
        }
        "user" | "human" => {
            KeyHint::of("messages", "write it as a message: `messages: [{role: user, content: …}]`")
        }
        "assistant" | "ai" => {
            KeyHint::of("messages", "write it as a message: `messages: [{role: assistant, content: …}]`")
        }
        "name" => KeyHint::of("id", "a prompt is named by its `id`"),
        "input" | "inputs" | "input_variables" | "params" | "arguments" => {
            KeyHint::of("variables", "variables are declared under `variables`")
        }
        "functions" => KeyHint::of("tools", "the functions that a model may call are `tools`"),
        "response_format" | "output" | "response_schema" => KeyHint::of(
            "output_schema",
            "the answer is described by `output_schema`: a schema's name, or a JSON Schema",
        ),
        _ => return None,
    })
}

/// The hint for an unknown key of a message.
pub(super) fn of_message(key: &str) -> Option<KeyHint> {
    Some(match key {
        "text" | "template" | "message" | "prompt" | "parts" => {
            KeyHint::of("content", "the text of a message is its `content`")
        }
        "image" | "image_url" | "images" => KeyHint::of(
            "content",
            "an image is a part of the content: `content: [{type: image_url, image_url: {url: …}}]`",
        ),
        "system" => KeyHint::new("a message names its role: `role: system`, `content: …`"),
        "developer" => KeyHint::new("a message names its role: `role: developer`, `content: …`"),
        "user" | "human" => KeyHint::new("a message names its role: `role: user`, `content: …`"),
        "assistant" | "ai" => KeyHint::new("a message names its role: `role: assistant`, `content: …`"),
        "tool" => KeyHint::new("a message names its role: `role: tool`, `tool_call_id: …`, `content: …`"),
        "placeholder" => KeyHint::new("a message names its role: `role: placeholder`, `name: …`"),
        _ => return of_provider_cache(key),
    })
}

/// The hint for the key that a provider has for cache hints.
fn of_provider_cache(key: &str) -> Option<KeyHint> {
    match key {
        "cache_control" => Some(KeyHint::of("cache", "a cache hint is `cache: true` or `cache: {ttl: 1h}`")),
        "prompt_cache_breakpoint" => {
            Some(KeyHint::of("cache", "a cache hint for OpenAI is `cache: {openai: {ttl: 30m}}`"))
        }
        _ => None,
    }
}

/// The hint for an unknown key of a cache hint.
pub(super) fn of_cache(key: &str) -> Option<KeyHint> {
    match key {
        "anthropic" | "bedrock" | "litellm" => {
            Some(KeyHint::of("ttl", "`ttl` is for Anthropic, Bedrock and LiteLLM: `{ttl: 1h}`"))
        }
        "openai-responses" | "responses" => {
            Some(KeyHint::of("openai", "`openai` is for both APIs of OpenAI: `{openai: {ttl: 30m}}`"))
        }
        _ => None,
    }
}

/// The hint for an unknown key of a part of a message.
pub(super) fn of_part(key: &str) -> Option<KeyHint> {
    match key {
        "image" | "url" | "source" => Some(KeyHint::of("image_url", IMAGE)),
        "content" => Some(KeyHint::of("text", "the text of a part is its `text`")),
        _ => of_provider_cache(key),
    }
}

/// The hint for an unknown key of a file.
pub(super) fn of_file(key: &str) -> Option<KeyHint> {
    match key {
        "file_id" | "file_data" | "filename" => {
            Some(KeyHint::of("file", "write `{type: file, file: {file_id: …}}`"))
        }
        "file_url" | "source" => Some(KeyHint::of("url", "write `{type: file, url: …}`")),
        "data" => Some(KeyHint::of(
            "file",
            "write `{type: file, file: {filename: …, file_data: data:application/pdf;base64,…}}`",
        )),
        _ => of_provider_cache(key),
    }
}

/// The hint for an image that is written in another format.
pub(super) const IMAGE: &str = "write `{type: image_url, image_url: {url: …}}`, or `{type: image, media_type: \
                                image/png, data: …}` with the image in base64";

/// The hint for an unknown key of a variable.
pub(super) fn of_variable(key: &str) -> Option<KeyHint> {
    Some(match key {
        "enum" | "choices" | "options" | "allowed_values" | "allowed" => KeyHint::of("values", ENUM),
        "optional" | "nullable" => {
            KeyHint::of("required", "a variable that may be missing has `required: false`, or a `default`")
        }
        "value" => KeyHint::of("default", "the value for when none is given is the `default`"),
        _ => return None,
    })
}

/// The hint for the values of an enum.
pub(super) const ENUM: &str = "list what is allowed: `{type: enum, values: [low, high]}`";

/// The hint for an unknown key of a tool.
pub(super) fn of_tool(key: &str) -> Option<KeyHint> {
    match key {
        "input_schema" | "schema" | "args_schema" => {
            Some(KeyHint::of("parameters", "the schema of the arguments is `parameters`"))
        }
        _ => of_provider_cache(key),
    }
}

/// The hint for an unknown key of the settings.
pub(super) fn of_settings(key: &str) -> Option<KeyHint> {
    Some(match key {
        "max_output_tokens" | "max_completion_tokens" => {
            KeyHint::of("max_tokens", "the setting is called `max_tokens`")
        }
        "stop_sequences" => KeyHint::of("stop", "the setting is called `stop`"),
        "reasoning_effort" => KeyHint::of("effort", "the setting is called `effort`"),
        "budget_tokens" => KeyHint::of("thinking_budget", "the setting is called `thinking_budget`"),
        "google" => KeyHint::of("gemini", "the provider is called `gemini`"),
        "model_name" | "engine" | "deployment" => KeyHint::of("model", "the setting is called `model`"),
        _ => return None,
    })
}
