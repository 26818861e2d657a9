//! The errors of a conversion: they name the prompt and the provider.

use crate::error::{Error, Kind};

/// Turns an error of a render or of a provider's rule into a conversion error, whose message names the prompt and the
/// provider. A render error becomes the cause.
pub(super) fn wrap(error: Error, id: &str, provider: &str) -> Error {
    let about = [format!(" for prompt '{id}'"), format!(" of prompt '{id}'")];
    let message = || {
        let message = about.iter().fold(error.message().to_owned(), |text, about| text.replace(about, ""));
        format!("Failed to convert prompt '{id}' to {provider} format: {message}")
    };
    match error.kind() {
        Kind::Conversion => {
            let message = message();
            error.recast(Kind::Conversion, message).with_context("prompt_id", id)
        }
        Kind::TemplateRender => {
            let mut wrapped = Error::new(Kind::Conversion, message()).with_context("prompt_id", id);
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
