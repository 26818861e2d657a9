//! The request settings of a prompt, such as model and temperature.

use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};

/// Settings for a request. The caller or the provider decides about absent ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// The model's name.
    pub model: Option<String>,
    /// From 0 to 2.
    pub temperature: Option<f64>,
    /// From 0 to 1.
    pub top_p: Option<f64>,
    /// More than 0.
    pub max_tokens: Option<u64>,
    /// Texts at which the model stops.
    pub stop: Vec<String>,
    /// The seed for repeatable answers.
    pub seed: Option<i64>,
    /// As the provider defines it.
    pub presence_penalty: Option<f64>,
    /// As the provider defines it.
    pub frequency_penalty: Option<f64>,
    /// As the provider defines it.
    pub top_k: Option<u64>,
    /// How much the model thinks.
    pub effort: Option<Effort>,
    /// How long the answer is.
    pub verbosity: Option<Verbosity>,
    /// The maximum number of tokens for thinking. 0: no thinking.
    pub thinking_budget: Option<u64>,
    /// Whether the model may call several tools at once.
    pub parallel_tool_calls: Option<bool>,
    /// Other settings of the provider, passed on unchanged.
    pub extra: Map<String, Value>,
    /// Arguments for one provider only, by its name; see `PROVIDERS`.
    pub providers: Vec<(&'static str, Map<String, Value>)>,
}

/// The providers that can have settings of their own.
pub const PROVIDERS: [&str; 5] = ["openai", "anthropic", "litellm", "gemini", "bedrock"];

/// How much the model thinks, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the word that a prompt has")]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

impl Effort {
    const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::XHigh, Self::Max];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }
}

impl std::str::FromStr for Effort {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|effort| effort.as_str() == word).ok_or_else(|| {
            let words = "none, minimal, low, medium, high, xhigh or max";
            Error::new(Kind::PromptInvalid, format!("`effort` must be {words}"))
        })
    }
}

/// How long the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word that a prompt has")]
pub enum Verbosity {
    Low,
    Medium,
    High,
}

impl Verbosity {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl std::str::FromStr for Verbosity {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        Ok(match word {
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            _ => return Err(Error::new(Kind::PromptInvalid, "`verbosity` must be low, medium or high")),
        })
    }
}

impl Settings {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The arguments for one provider only.
    #[must_use]
    pub fn of_provider(&self, provider: &str) -> Option<&Map<String, Value>> {
        self.providers.iter().find(|(name, _)| *name == provider).map(|(_, arguments)| arguments)
    }
}
