//! The metadata of a prompt. It does not change what the model receives, except for the two settings that the published
//! package keeps here.

use serde_json::{Map, Value};

/// Descriptive JSON in the order of the file. Reading checks that the known keys have the types of the accessors. Other
/// keys are free.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata(pub(super) Map<String, Value>);

impl Metadata {
    /// All keys and values.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The author of the prompt.
    #[must_use]
    pub fn author(&self) -> Option<&str> {
        self.text("author")
    }

    /// The purpose of the prompt.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.text("description")
    }

    /// The category of the prompt.
    #[must_use]
    pub fn category(&self) -> Option<&str> {
        self.text("category")
    }

    /// The tags.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.texts("tags")
    }

    /// Whether one of the tags is this one. Case, and white space around them, make no difference.
    #[must_use]
    pub fn has_tag(&self, wanted: &str) -> bool {
        let wanted = wanted.trim().to_lowercase();
        self.tags().any(|tag| tag.trim().to_lowercase() == wanted)
    }

    /// The use cases.
    pub fn use_cases(&self) -> impl Iterator<Item = &str> {
        self.texts("use_cases")
    }

    /// The recommended models.
    pub fn model_recommendations(&self) -> impl Iterator<Item = &str> {
        self.texts("model_recommendations")
    }

    /// Free data of the application.
    #[must_use]
    pub fn custom(&self) -> Option<&Map<String, Value>> {
        self.0.get("custom").and_then(Value::as_object)
    }

    /// A setting that `agentic-prompt-manager` keeps here; see [`super::Prompt::settings`].
    #[must_use]
    pub fn temperature(&self) -> Option<f64> {
        self.0.get("temperature").and_then(Value::as_f64)
    }

    /// A setting that `agentic-prompt-manager` keeps here; see [`super::Prompt::settings`].
    #[must_use]
    pub fn max_tokens(&self) -> Option<u64> {
        self.0.get("max_tokens").and_then(Value::as_u64)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }
}
