//! The API calls that requests are for, and the names that they give to settings.

use crate::schema::json_schema::JsonSchemaMode;

/// The API calls that a request can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    /// `client.chat.completions.create`
    Chat,
    /// `client.responses.create`
    Responses,
    /// `client.messages.create`
    Messages,
    /// `litellm.completion`
    LiteLlm,
    /// `client.models.generate_content`, whose settings are members of its `config`
    Gemini,
    /// `client.converse`
    Converse,
}

impl Api {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Chat => "OpenAI's Chat Completions",
            Self::Responses => "OpenAI's Responses",
            Self::Messages => "Anthropic's Messages",
            Self::LiteLlm => "LiteLLM",
            Self::Gemini => "Gemini",
            Self::Converse => "Bedrock",
        }
    }

    /// The argument for the model.
    pub(super) fn model_key(self) -> &'static str {
        match self {
            Self::Converse => "modelId",
            _ => "model",
        }
    }

    /// The argument and its member for what the provider's package has no argument for, if it is not `extra_body`.
    pub(super) fn body_path(self) -> Option<(&'static str, Option<&'static str>)> {
        match self {
            Self::Gemini => Some(("http_options", Some("extra_body"))),
            Self::Converse => Some(("additionalModelRequestFields", None)),
            _ => None,
        }
    }

    /// The arguments that are mappings, to which a prompt's settings, tools and schemas add members.
    pub(super) fn mappings(self) -> &'static [&'static str] {
        match self {
            Self::Chat | Self::LiteLlm => &["metadata"],
            Self::Responses => &["metadata", "reasoning", "text"],
            Self::Messages => &["metadata", "output_config", "thinking", "tool_choice"],
            Self::Gemini => &["http_options", "labels", "thinking_config", "tool_config"],
            Self::Converse => {
                &["additionalModelRequestFields", "inferenceConfig", "outputConfig", "toolConfig"]
            }
        }
    }

    /// The name under which a prompt's settings hold arguments for this provider only.
    pub(super) fn settings_key(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses => "openai",
            Self::Messages => "anthropic",
            Self::LiteLlm => "litellm",
            Self::Gemini => "gemini",
            Self::Converse => "bedrock",
        }
    }

    /// The JSON Schema that the API enforces.
    pub(super) fn schema_mode(self) -> JsonSchemaMode {
        match self {
            Self::Messages | Self::Converse => JsonSchemaMode::Anthropic,
            Self::Gemini => JsonSchemaMode::Gemini,
            _ => JsonSchemaMode::Strict,
        }
    }

    /// The arguments that hold the conversation.
    pub(super) fn conversation_keys(self) -> &'static [&'static str] {
        match self {
            Self::Chat | Self::LiteLlm => &["messages"],
            Self::Responses => &["instructions", "input"],
            Self::Messages | Self::Converse => &["system", "messages"],
            Self::Gemini => &["contents", "system_instruction"],
        }
    }

    /// The argument for the format of the answer.
    pub(super) fn format_key(self) -> &'static str {
        match self {
            Self::Chat | Self::LiteLlm => "response_format",
            Self::Responses => "text",
            Self::Messages => "output_config",
            Self::Gemini => "response_json_schema",
            Self::Converse => "outputConfig",
        }
    }

    /// The path of the format: the argument, or a member of it.
    pub(super) fn format_path(self) -> &'static str {
        match self {
            Self::Chat | Self::LiteLlm => "response_format",
            Self::Responses => "text.format",
            Self::Messages => "output_config.format",
            Self::Gemini => "response_json_schema",
            Self::Converse => "outputConfig.textFormat",
        }
    }

    /// The argument for a setting. `None` if the call has no such argument.
    pub(super) fn argument(self, setting: Setting) -> Option<&'static str> {
        use Setting as S;
        Some(match (self, setting) {
            (Self::Messages | Self::Gemini, S::Stop) => "stop_sequences",
            // They are members of `inferenceConfig`.
            (Self::Converse, _) => return None,
            (Self::Chat, S::MaxTokens) => "max_completion_tokens",
            (Self::Responses | Self::Gemini, S::MaxTokens) => "max_output_tokens",
            (_, S::MaxTokens) => "max_tokens",
            (Self::Messages, _) | (Self::Responses, S::Stop | S::Seed | S::Presence | S::Frequency) => {
                return None;
            }
            (Self::LiteLlm | Self::Gemini, S::TopK) => "top_k",
            (_, S::TopK) => return None,
            (_, setting) => setting.name(),
        })
    }
}

/// Bedrock's argument for settings that all models have.
pub(super) const INFERENCE_CONFIG: &str = "inferenceConfig";

/// The member of [`INFERENCE_CONFIG`] for a setting, if all models have it.
pub(super) fn inference_key(setting: Setting) -> Option<&'static str> {
    match setting {
        Setting::MaxTokens => Some("maxTokens"),
        Setting::Temperature => Some("temperature"),
        Setting::TopP => Some("topP"),
        Setting::Stop => Some("stopSequences"),
        Setting::TopK | Setting::Seed | Setting::Presence | Setting::Frequency => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    Temperature,
    TopP,
    TopK,
    MaxTokens,
    Stop,
    Seed,
    Presence,
    Frequency,
}

impl Setting {
    pub(super) const ALL: [Self; 8] = [
        Self::Temperature,
        Self::TopP,
        Self::TopK,
        Self::MaxTokens,
        Self::Stop,
        Self::Seed,
        Self::Presence,
        Self::Frequency,
    ];

    /// The key in a prompt's settings.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::TopK => "top_k",
            Self::MaxTokens => "max_tokens",
            Self::Stop => "stop",
            Self::Seed => "seed",
            Self::Presence => "presence_penalty",
            Self::Frequency => "frequency_penalty",
        }
    }

    /// Whether it is a sampling setting. Anthropic's API has these, but its newer packages have no arguments for them
    /// and its newer models refuse them.
    pub(super) fn is_sampling(self) -> bool {
        matches!(self, Self::Temperature | Self::TopP | Self::TopK)
    }
}
