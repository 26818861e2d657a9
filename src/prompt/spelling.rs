//! The two spellings of a prompt: the short one, with `messages`, `variables` and `partials` beside the `template`, and
//! the long one, with `chat_template` and a `template` that holds them. What is written in both is an error.

use super::model::Format;
use crate::error::{Error, Kind};

/// The keys that mean the same: the short spelling, and the long one.
const SPELLINGS: [(&str, &str); 5] = [
    ("messages", "chat_template"),
    ("variables", "template.variables"),
    ("variables", "chat_template.variables"),
    ("partials", "template.partials"),
    ("partials", "chat_template.partials"),
];

/// The keys that hold the text or the messages.
const BODIES: [&str; 3] = ["template", "messages", "chat_template"];

/// A mistake in the spelling, with the paths of the keys that it is about.
pub(crate) struct SpellingMistake {
    pub(crate) paths: [&'static str; 2],
    pub(crate) error: Error,
}

/// Keys that are written in both spellings, and keys that need a template where none is written. `is_written` returns
/// whether the key at a path has a value.
pub(crate) fn mistakes(is_written: impl Fn(&str) -> bool) -> Vec<SpellingMistake> {
    let mistake =
        |paths, message: String| SpellingMistake { paths, error: Error::new(Kind::PromptInvalid, message) };
    let mut mistakes = Vec::new();
    for (short, long) in SPELLINGS.into_iter().filter(|(short, long)| is_written(short) && is_written(long)) {
        let SpellingMistake { paths, error } =
            mistake([short, long], format!("both `{short}` and `{long}`: they mean the same"));
        mistakes.push(SpellingMistake { paths, error: error.with_hint(format!("write `{short}` alone")) });
    }
    if !BODIES.into_iter().any(&is_written) {
        for key in ["variables", "partials"].into_iter().filter(|key| is_written(key)) {
            mistakes.push(mistake([key, key], format!("`{key}` needs a `template` or `messages`")));
        }
    }
    mistakes
}

/// The format of a prompt that names none.
pub(crate) fn format(has_template: bool, has_messages: bool) -> Format {
    if has_messages && !has_template { Format::Chat } else { Format::Text }
}
