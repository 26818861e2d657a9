//! The request settings of a prompt, such as model and temperature.

use serde_json::{Map, Value};

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
    /// Other settings of the provider, passed on unchanged.
    pub extra: Map<String, Value>,
}

impl Settings {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
