//! What a prompt asks of the model beside its messages.

use serde_json::{Map, Value};

/// Settings for a request; what is absent is left to the caller or the provider.
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
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// For repeatable answers.
    pub seed: Option<i64>,
    /// As the provider defines it.
    pub presence_penalty: Option<f64>,
    /// As the provider defines it.
    pub frequency_penalty: Option<f64>,
    /// As the provider defines it.
    pub top_k: Option<u64>,
    /// Anything else that the provider takes, passed on as it is.
    pub extra: Map<String, Value>,
}

impl Settings {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
