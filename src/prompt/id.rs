//! The id of a prompt: a name that is a safe path inside a store on every operating system.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::de::{shown, text_serde};
use crate::error::{Error, Kind, Result};
use crate::limits::ID_CHARACTERS;

/// The id of a prompt, such as `support/triage`.
///
/// An id has 1 to 255 characters: segments of ASCII letters, digits, `_`, `-` and `.`, joined by `/`. No segment is
/// empty, begins or ends with a dot, or is a name that Windows reserves for a device. So no id can name a path outside
/// the directory of a store. An id is cheap to clone.
///
/// ```
/// use prompt_manager::prompt::PromptId;
///
/// let id: PromptId = "support/triage".parse()?;
/// assert_eq!(id.as_str(), "support/triage");
/// assert!("../secrets".parse::<PromptId>().is_err());
/// # Ok::<(), prompt_manager::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PromptId(Arc<str>);

impl PromptId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The stand-in for an id that could not be read. Prompts with it are never returned to the caller.
    pub(super) fn stand_in() -> Self {
        Self("unreadable".into())
    }
}

const ALLOWED: &str = "an id is 1 to 255 characters: segments of letters a-z and A-Z, digits, `_`, `-` and `.`, \
                       joined by `/`";

/// Names that Windows reserves for devices, in any case and with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

fn is_device(segment: &str) -> bool {
    let stem = segment.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered =
        |prefix: &str| stem.strip_prefix(prefix).is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']));
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}

/// Why the text is not a valid id; `None` if it is.
fn problem(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    // The limit counts characters, not bytes.
    if text.chars().count() > ID_CHARACTERS {
        return Some(format!("it is longer than {ID_CHARACTERS} characters"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        return Some(format!("the character {bad:?} is not allowed"));
    }
    text.split('/').find_map(|segment| {
        if segment.is_empty() {
            Some("a segment is empty".to_owned())
        } else if segment.starts_with('.') {
            Some(format!("the segment `{segment}` begins with a dot"))
        } else if segment.ends_with('.') {
            Some(format!("the segment `{segment}` ends with a dot"))
        } else if is_device(segment) {
            Some(format!("the segment `{segment}` is the name of a device on Windows"))
        } else {
            None
        }
    })
}

impl FromStr for PromptId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match problem(text) {
            None => Ok(Self(text.into())),
            Some(problem) => {
                Err(Error::new(Kind::PromptInvalid, format!("{} cannot be an id: {problem}", shown(text)))
                    .with_hint(ALLOWED))
            }
        }
    }
}

impl TryFrom<String> for PromptId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl Borrow<str> for PromptId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for PromptId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PromptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(PromptId);
