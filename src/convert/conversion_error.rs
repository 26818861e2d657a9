//! Conversion errors, which name the prompt and the provider.

use crate::error::{Error, Kind};

/// Turns a render error or a conversion error into a conversion error whose message names the prompt and the provider.
/// A render error becomes the cause. The context of these and of a format error names the framework as plugins do, in
/// lower case. Other errors are returned unchanged.
#[must_use]
pub fn wrap(error: Error, id: &str, provider: &str) -> Error {
    let mentions = [format!(" for prompt '{id}'"), format!(" of prompt '{id}'")];
    let message = || {
        let message =
            mentions.iter().fold(error.message().to_owned(), |text, mention| text.replace(mention, ""));
        format!("Failed to convert prompt '{id}' to {provider} format: {message}")
    };
    let framework = provider.to_lowercase();
    match error.kind() {
        Kind::Conversion => {
            let message = message();
            let wrapped = error.recast(Kind::Conversion, message).with_context("prompt_id", id);
            wrapped.with_context("framework", framework)
        }
        Kind::IncompatibleFormat => error.with_context("framework", framework),
        Kind::TemplateRender => {
            let mut wrapped = Error::new(Kind::Conversion, message())
                .with_context("prompt_id", id)
                .with_context("framework", framework);
            if let Some(place) = error.place() {
                wrapped = wrapped.with_place(place.clone());
            }
            if let Some(hint) = error.hint() {
                wrapped = wrapped.with_hint(hint);
            }
            wrapped.with_cause(error)
        }
        _ => error,
    }
}
