//! The provider that a prompt is converted for, and the options of the conversion.

use super::carried::CarriedTarget;
use super::openai::WrittenHints;
use super::payload::Payload;
use super::report::Report;
use super::{anthropic, bedrock, gemini, openai};
use crate::error::{Error, Kind, Result};
use crate::prompt::{CarriedFormat, Format, Message, Prompt, Rendered, Role};
use crate::schema::json_schema::JsonSchemaMode;
use crate::template::Output;

/// An API of a provider, with its own options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// OpenAI's Chat Completions API; for text prompts the older Completions API.
    OpenAi(openai::OpenAiOptions),
    /// OpenAI's Responses API.
    Responses(openai::responses::ResponsesOptions),
    /// Anthropic's Messages API.
    Anthropic(anthropic::AnthropicOptions),
    /// LiteLLM, which accepts OpenAI's format.
    LiteLlm(openai::OpenAiOptions),
    /// The Gemini API.
    Gemini(gemini::GeminiOptions),
    /// Bedrock's Converse API.
    Bedrock(bedrock::BedrockOptions),
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
    /// The converter that fails for everything that the provider would refuse. The names are those of requests.
    #[must_use]
    pub fn strict(provider: &str) -> Option<Self> {
        let provider = match provider {
            "openai" => Provider::OpenAi(openai::OpenAiOptions { strict: true, ..Default::default() }),
            "openai-responses" => Provider::Responses(openai::responses::ResponsesOptions {
                strict: true,
                ..Default::default()
            }),
            "anthropic" => {
                Provider::Anthropic(anthropic::AnthropicOptions { strict: true, ..Default::default() })
            }
            "litellm" => Provider::LiteLlm(openai::OpenAiOptions::for_litellm(true, false, false)),
            "gemini" => Provider::Gemini(gemini::GeminiOptions { strict: true, allow_prefill: false }),
            "bedrock" => Provider::Bedrock(bedrock::BedrockOptions::usual(true)),
            _ => return None,
        };
        Some(Self { provider, to_messages: false })
    }

    /// The provider's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.provider {
            Provider::OpenAi(_) | Provider::Responses(_) => "OpenAI",
            Provider::Anthropic(_) => "Anthropic",
            Provider::LiteLlm(_) => "LiteLLM",
            Provider::Gemini(_) => "Gemini",
            Provider::Bedrock(_) => "Bedrock",
        }
    }

    /// The provider's name for a role.
    ///
    /// # Errors
    /// [`Kind::Conversion`] for a role that the provider does not have.
    pub fn map_role(self, role: Role) -> Result<&'static str> {
        match self.provider {
            Provider::Anthropic(_) => anthropic::map_role(role),
            Provider::Gemini(_) => gemini::map_role(role),
            Provider::Bedrock(_) => bedrock::map_role(role),
            _ => Ok(openai::map_role(role)),
        }
    }

    fn carried_target(self) -> CarriedTarget {
        let (name, format) = match self.provider {
            Provider::OpenAi(_) => ("OpenAI", CarriedFormat::Chat),
            Provider::LiteLlm(_) => ("LiteLLM", CarriedFormat::Chat),
            Provider::Responses(_) => ("the Responses API", CarriedFormat::Responses),
            Provider::Anthropic(_) => ("Anthropic", CarriedFormat::Anthropic),
            Provider::Gemini(_) => ("Gemini", CarriedFormat::Gemini),
            Provider::Bedrock(_) => ("Bedrock", CarriedFormat::Bedrock),
        };
        let has_extensions = matches!(self.provider, Provider::LiteLlm(_));
        let has_breakpoints = matches!(self.provider, Provider::OpenAi(_) | Provider::Responses(_));
        let strict = self.is_strict();
        CarriedTarget { name, format: Some(format), has_extensions, has_breakpoints, strict }
    }

    /// Whether the conversion fails instead of changing or dropping something.
    #[must_use]
    pub fn is_strict(self) -> bool {
        match self.provider {
            Provider::OpenAi(options) | Provider::LiteLlm(options) => options.strict,
            Provider::Responses(options) => options.strict,
            Provider::Anthropic(options) => options.strict,
            Provider::Gemini(options) => options.strict,
            Provider::Bedrock(options) => options.strict,
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
            Provider::Responses(options) => {
                Provider::Responses(openai::responses::ResponsesOptions { strict: false, ..options })
            }
            Provider::Anthropic(options) => {
                Provider::Anthropic(anthropic::AnthropicOptions { strict: false, ..options })
            }
            Provider::Gemini(options) => Provider::Gemini(gemini::GeminiOptions { strict: false, ..options }),
            Provider::Bedrock(options) => {
                Provider::Bedrock(bedrock::BedrockOptions { strict: false, ..options })
            }
        };
        Self { provider, ..self }
    }

    /// The same converter for a conversation that continues one that the provider keeps. Only the Responses API has that.
    #[must_use]
    pub(super) fn continuing(self) -> Self {
        match self.provider {
            Provider::Responses(options) => {
                let options = openai::responses::ResponsesOptions { continues: true, ..options };
                Self { provider: Provider::Responses(options), ..self }
            }
            _ => self,
        }
    }

    /// The cache hints that are written in OpenAI's format.
    pub(super) fn written_hints(self) -> WrittenHints {
        match self.provider {
            Provider::OpenAi(options) | Provider::LiteLlm(options) => options.cache,
            Provider::Responses(options) if options.cache_breakpoints => WrittenHints::All,
            Provider::Responses(_) => WrittenHints::OpenAi,
            _ => WrittenHints::Nothing,
        }
    }

    /// Whether a request has the schema of the answer as a tool that the model must call.
    pub(super) fn sends_schema_as_tool(self) -> bool {
        matches!(self.provider, Provider::Bedrock(options) if options.schema_tool)
    }

    /// The same converter for requests, in which a text is a user message.
    #[must_use]
    pub fn for_requests(self) -> Self {
        Self { to_messages: true, ..self }
    }

    /// The JSON Schema that the provider enforces.
    #[must_use]
    pub fn schema_mode(self) -> JsonSchemaMode {
        self.api().schema_mode()
    }

    /// Checks that the provider accepts prompts of this format.
    ///
    /// # Errors
    /// [`Kind::IncompatibleFormat`] if it does not.
    pub fn check_format(self, prompt: &Prompt) -> Result<()> {
        if prompt.format == Format::Chat
            || self.to_messages
            || !matches!(self.provider, Provider::Anthropic(_) | Provider::Bedrock(_))
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
            _ => None,
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
        let messages = self.carried_target().settle(messages, report)?;
        match self.provider {
            Provider::OpenAi(options) | Provider::LiteLlm(options) => {
                openai::messages(messages, options, report)
            }
            Provider::Responses(options) => openai::responses::request(messages, options, report),
            Provider::Anthropic(options) => anthropic::request(messages, &options, report),
            Provider::Gemini(options) => gemini::request(messages, options, report),
            Provider::Bedrock(options) => bedrock::request(messages, options, report),
        }
    }
}
