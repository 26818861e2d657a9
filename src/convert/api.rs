//! The API calls that requests are for, and the names that they give to settings.

/// The API calls that a request can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    /// `client.chat.completions.create`
    Chat,
    /// `client.completions.create`
    Completions,
    /// `client.responses.create`
    Responses,
    /// `client.messages.create`
    Messages,
    /// `litellm.completion`
    LiteLlm,
    /// `litellm.text_completion`
    LiteLlmText,
}

impl Api {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Chat => "OpenAI's Chat Completions",
            Self::Completions => "OpenAI's Completions",
            Self::Responses => "OpenAI's Responses",
            Self::Messages => "Anthropic's Messages",
            Self::LiteLlm | Self::LiteLlmText => "LiteLLM",
        }
    }

    /// The arguments that hold the conversation.
    pub(super) fn conversation_keys(self) -> &'static [&'static str] {
        match self {
            Self::Chat | Self::LiteLlm => &["messages"],
            Self::Completions | Self::LiteLlmText => &["prompt"],
            Self::Responses => &["instructions", "input"],
            Self::Messages => &["system", "messages"],
        }
    }

    /// The argument for the format of the answer. `None` if the call has no such argument.
    pub(super) fn format_key(self) -> Option<&'static str> {
        match self {
            Self::Chat | Self::LiteLlm => Some("response_format"),
            Self::Responses => Some("text"),
            Self::Messages => Some("output_config"),
            // The instructions in the prompt describe the format.
            Self::Completions | Self::LiteLlmText => None,
        }
    }

    /// Whether it accepts only a text, without tools or an answer format.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Completions | Self::LiteLlmText)
    }

    /// The argument for a setting. `None` if the call has no such argument.
    pub(super) fn argument(self, setting: Setting) -> Option<&'static str> {
        use Setting as S;
        Some(match (self, setting) {
            (Self::Messages, S::Stop) => "stop_sequences",
            (Self::Chat, S::MaxTokens) => "max_completion_tokens",
            (Self::Responses, S::MaxTokens) => "max_output_tokens",
            (_, S::MaxTokens) => "max_tokens",
            (Self::Messages, _) | (Self::Responses, S::Stop | S::Seed | S::Presence | S::Frequency) => {
                return None;
            }
            (Self::LiteLlm | Self::LiteLlmText, S::TopK) => "top_k",
            (_, S::TopK) => return None,
            (_, setting) => setting.name(),
        })
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
