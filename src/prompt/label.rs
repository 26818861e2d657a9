//! The rules for names of labels.

use super::Version;
use crate::de::shown;
use crate::error::{Error, Kind, Result};

/// Maximum length of a label in characters.
const MAX_LENGTH: usize = 255;

/// Checks the name of a label: 1 to 255 letters, digits, `_`, `-` and `.`, beginning with a letter or digit. A label
/// must not be a version, so that the two cannot be confused.
///
/// # Errors
/// [`Kind::PromptInvalid`] with the reason.
pub fn check_label(name: &str) -> Result<()> {
    let error = |why: String| {
        Error::new(Kind::PromptInvalid, format!("{} cannot be a label: {why}", shown(name)))
            .with_context("key", "labels")
            .with_hint(
                "a label is 1 to 255 letters a-z and A-Z, digits, `_`, `-` and `.`, such as `production`",
            )
    };
    if name.is_empty() {
        return Err(error("it is empty".to_owned()));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if let Some(bad) = name.chars().find(|c| !allowed(*c)) {
        return Err(error(format!("the character {bad:?} is not allowed")));
    }
    if name.len() > MAX_LENGTH {
        return Err(error(format!("it is longer than {MAX_LENGTH} characters")));
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(error("it begins with neither a letter nor a digit".to_owned()));
    }
    if name.parse::<Version>().is_ok() {
        return Err(error("it is a version".to_owned()));
    }
    Ok(())
}
