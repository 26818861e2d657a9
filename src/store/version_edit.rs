//! Writes another version of a prompt into the text of its file. Everything else stays as it is written.

use super::yaml::{LocatedPrompt, read_authored};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, PromptId, Version};

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The content of a prompt file in which the version `old` of the prompt is `new`. With `write_id` the id is written too,
/// if the file has none, so that the content means the same in a file of another name.
///
/// ```
/// use prompt_manager::store::version_edit::with_version;
///
/// let (old, new) = ("1.0.0".parse()?, "1.0.1".parse()?);
/// let text = b"template: Hi # kept\n";
/// let edited = with_version("hi.yaml", text, &"hi".parse()?, &old, &new, false)?;
/// assert_eq!(edited, b"version: 1.0.1\ntemplate: Hi # kept\n");
/// # Ok::<(), prompt_manager::Error>(())
/// ```
///
/// # Errors
/// [`Kind::PromptInvalid`] if the file cannot be read, lacks this version, or is written in a way that cannot be changed in
/// place, such as a mapping in braces.
pub fn with_version(
    name: &str,
    bytes: &[u8],
    id: &PromptId,
    old: &Version,
    new: &Version,
    write_id: bool,
) -> Result<Vec<u8>> {
    let before = prompts(name, bytes, id)?;
    let found = before.iter().find(|located| located.prompt.id == *id && located.prompt.version == *old);
    let located = found.ok_or_else(|| {
        let message = format!("{name} has no version {old} of prompt '{id}'");
        Error::new(Kind::PromptInvalid, message).with_context("prompt_id", id.as_str())
    })?;
    let start = if bytes.starts_with(MARK) { MARK.len() } else { 0 };
    let mut edited = bytes.to_vec();
    for (range, text) in located.places.edits(write_id.then_some(id), new).into_iter().rev() {
        edited.splice(range.start + start..range.end + start, text.into_bytes());
    }
    let wanted = |located: &LocatedPrompt| match &located.prompt {
        prompt if prompt.id == *id && prompt.version == *old => {
            Prompt { version: new.clone(), ..prompt.clone() }
        }
        prompt => prompt.clone(),
    };
    let is_right = prompts(name, &edited, id).is_ok_and(|after| {
        after.iter().map(|located| &located.prompt).eq(&before.iter().map(wanted).collect::<Vec<_>>())
    });
    if is_right {
        return Ok(edited);
    }
    let message = format!("cannot change the version of prompt '{id}' in its file");
    Err(Error::new(Kind::PromptInvalid, message)
        .with_place(located.places.id())
        .with_context("prompt_id", id.as_str())
        .with_hint("write each key of the prompt on its own line, or raise its `version` by hand"))
}

fn prompts(name: &str, bytes: &[u8], id: &PromptId) -> Result<Vec<LocatedPrompt>> {
    let mut read = read_authored(name, Some(id.as_str()), bytes);
    if read.errors.is_empty() { Ok(read.prompts) } else { Err(read.errors.swap_remove(0)) }
}
