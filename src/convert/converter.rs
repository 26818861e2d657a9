//! Which provider a prompt is converted for, and how.

use super::form::Form;
use super::report::Report;
use super::{anthropic, openai};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Format, Message, Prompt, Rendered, Role};
use crate::template::Output;

/// A provider's interface, with the options that are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// OpenAI's Chat Completions; for text its older Completions.
    OpenAi(openai::Options),
    /// OpenAI's Responses.
    Responses {
        /// Refuse what would need a lossy step.
        strict: bool,
    },
    /// Anthropic's Messages.
    Anthropic(anthropic::Options),
    /// LiteLLM, which takes OpenAI's form.
    LiteLlm(openai::Options),
}

/// How prompts are converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Converter {
    /// For whom.
    pub provider: Provider,
    /// Give the text of a prompt that is no chat as a user's message.
    pub to_messages: bool,
}

impl Converter {
    /// The provider's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.provider {
            Provider::OpenAi(_) | Provider::Responses { .. } => "OpenAI",
            Provider::Anthropic(_) => "Anthropic",
            Provider::LiteLlm(_) => "LiteLLM",
        }
    }

    /// The provider's word for a role.
    ///
    /// # Errors
    /// [`Kind::Conversion`] for a role that it has no word for.
    pub fn map_role(self, role: Role) -> Result<&'static str> {
        match self.provider {
            Provider::Anthropic(_) => anthropic::map_role(role),
            _ => Ok(openai::map_role(role)),
        }
    }

    /// Whether what would need a lossy step is refused.
    #[must_use]
    pub fn is_strict(self) -> bool {
        match self.provider {
            Provider::OpenAi(options) | Provider::LiteLlm(options) => options.strict,
            Provider::Responses { strict } => strict,
            Provider::Anthropic(options) => options.strict,
        }
    }

    /// The same without strictness.
    #[must_use]
    pub fn lenient(self) -> Self {
        let provider = match self.provider {
            Provider::OpenAi(options) => Provider::OpenAi(openai::Options { strict: false, ..options }),
            Provider::LiteLlm(options) => Provider::LiteLlm(openai::Options { strict: false, ..options }),
            Provider::Responses { .. } => Provider::Responses { strict: false },
            Provider::Anthropic(options) => {
                Provider::Anthropic(anthropic::Options { strict: false, ..options })
            }
        };
        Self { provider, ..self }
    }

    /// Checks that the provider has a form for prompts of this format.
    ///
    /// # Errors
    /// [`Kind::IncompatibleFormat`].
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
            .with_hint("pass to_messages=True to send the text as a user's message")
            .with_context("prompt_id", prompt.id.as_str()))
    }

    /// The word for a role, where a text of it that is not empty has the form `{"role": …, "content": …}` in a list,
    /// and breaks no rule.
    #[must_use]
    pub fn plain_role(self, role: Role) -> Option<&'static str> {
        match self.provider {
            Provider::OpenAi(options) | Provider::LiteLlm(options) => Some(options.role(role)),
            Provider::Responses { .. } | Provider::Anthropic(_) => None,
        }
    }

    /// The provider's form of what a prompt rendered to: messages, an object with messages in it, or a text.
    ///
    /// # Errors
    /// [`Kind::Conversion`] where the provider would refuse it; without strictness only where nothing lawful is near.
    pub fn form<S: Output>(self, rendered: Rendered<S>, report: &mut Report) -> Result<Form<S>> {
        let messages = match rendered.into_messages() {
            Ok(messages) => messages,
            Err(text) if self.to_messages => vec![Message::plain(Role::User, text)],
            Err(text) => return Ok(Form::Text(text)),
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
