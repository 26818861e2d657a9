//! The provider that a prompt is converted for, and the options of the conversion.

use super::payload::Payload;
use super::report::Report;
use super::{anthropic, openai};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Format, Message, Prompt, Rendered, Role};
use crate::schema::json_schema::JsonSchemaMode;
use crate::template::Output;

/// An API of a provider, with its own options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// OpenAI's Chat Completions API; for text prompts the older Completions API.
    OpenAi(openai::OpenAiOptions),
    /// OpenAI's Responses API.
    Responses {
        /// Fail instead of changing or dropping something.
        strict: bool,
    },
    /// Anthropic's Messages API.
    Anthropic(anthropic::AnthropicOptions),
    /// LiteLLM, which accepts OpenAI's format.
    LiteLlm(openai::OpenAiOptions),
}

/// Converts prompts for one provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderConverter {
    /// The provider and its options.
    pub provider: Provider,
    /// Convert the text of a text prompt to one user message.
    pub to_messages: bool,
}

impl ProviderConverter {
    /// The provider's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.provider {
            Provider::OpenAi(_) | Provider::Responses { .. } => "OpenAI",
            Provider::Anthropic(_) => "Anthropic",
            Provider::LiteLlm(_) => "LiteLLM",
        }
    }

    /// The provider's name for a role.
    ///
    /// # Errors
    /// [`Kind::Conversion`] for a role that the provider does not have.
    pub fn map_role(self, role: Role) -> Result<&'static str> {
        match self.provider {
            Provider::Anthropic(_) => anthropic::map_role(role),
            _ => Ok(openai::map_role(role)),
        }
    }

    /// Whether the conversion fails instead of changing or dropping something.
    #[must_use]
    pub fn is_strict(self) -> bool {
        match self.provider {
            Provider::OpenAi(options) | Provider::LiteLlm(options) => options.strict,
            Provider::Responses { strict } => strict,
            Provider::Anthropic(options) => options.strict,
        }
    }

    /// The same converter, not strict.
    #[must_use]
    pub fn lenient(self) -> Self {
        let provider = match self.provider {
            Provider::OpenAi(options) => Provider::OpenAi(openai::OpenAiOptions { strict: false, ..options }),
            Provider::LiteLlm(options) => {
                Provider::LiteLlm(openai::OpenAiOptions { strict: false, ..options })
            }
            Provider::Responses { .. } => Provider::Responses { strict: false },
            Provider::Anthropic(options) => {
                Provider::Anthropic(anthropic::AnthropicOptions { strict: false, ..options })
            }
        };
        Self { provider, ..self }
    }

    /// The same converter for requests, in which a text is a user message.
    #[must_use]
    pub fn for_requests(self) -> Self {
        Self { to_messages: true, ..self }
    }

    /// The JSON Schema that the provider enforces.
    #[must_use]
    pub fn schema_mode(self) -> JsonSchemaMode {
        match self.provider {
            Provider::Anthropic(_) => JsonSchemaMode::Anthropic,
            _ => JsonSchemaMode::Strict,
        }
    }

    /// Checks that the provider accepts prompts of this format.
    ///
    /// # Errors
    /// [`Kind::IncompatibleFormat`] if it does not.
    pub fn check_format(self, prompt: &Prompt) -> Result<()> {
        if prompt.format == Format::Chat
            || self.to_messages
            || !matches!(self.provider, Provider::Anthropic(_))
        {
            return Ok(());
        }
        let format = prompt.format.as_str().to_uppercase();
        let name = self.name();
        let message = format!("Prompt '{}' uses {format} format, but {name} requires CHAT format", prompt.id);
        Err(Error::new(Kind::IncompatibleFormat, message)
            .with_hint("pass to_messages=True to send the text as a user message")
            .with_context("prompt_id", prompt.id.as_str()))
    }

    /// The provider's name for a role, if every text of that role that is not blank is valid and becomes `{"role": …,
    /// "content": …}` in a list. `None`: use [`ProviderConverter::convert`].
    #[must_use]
    pub fn plain_role(self, role: Role) -> Option<&'static str> {
        match self.provider {
            Provider::OpenAi(options) | Provider::LiteLlm(options) => Some(options.role(role)),
            Provider::Responses { .. } | Provider::Anthropic(_) => None,
        }
    }

    /// Converts a rendered prompt to messages, to an object that contains messages, or to a text.
    ///
    /// # Errors
    /// [`Kind::Conversion`] if the provider would refuse the result. Without strict mode, only if no similar
    /// conversation is valid.
    pub fn convert<S: Output>(self, rendered: Rendered<S>, report: &mut Report) -> Result<Payload<S>> {
        let messages = match rendered.into_messages() {
            Ok(messages) => messages,
            Err(text) if self.to_messages => vec![Message::plain(Role::User, text)],
            Err(text) => return Ok(Payload::Text(text)),
        };
        match self.provider {
            Provider::OpenAi(options) | Provider::LiteLlm(options) => {
                openai::messages(messages, options, report)
            }
            Provider::Responses { strict } => openai::responses::request(messages, strict, report),
            Provider::Anthropic(options) => anthropic::request(messages, &options, report),
        }
    }
}
