//! A version's file: one prompt as JSON or as YAML.
//!
//! JSON has its own parser, because `agentic-prompt-manager` writes escapes that YAML does not have. It is as strict as
//! the YAML reader: a duplicate key is an error. This module does no file access.

use std::ffi::OsStr;
use std::path::Path;

use super::{yaml, yaml_write};
use crate::check::Finding;
use crate::de::yaml::decode;
use crate::de::{NodeReader, json};
use crate::error::{Error, Kind, Place, Result};
use crate::prompt::read::{PromptDefaults, read_prompt};
use crate::prompt::{Prompt, Status};

/// The format of a version's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON, with an indentation of two.
    Json,
    /// YAML that is easy to read and edit.
    Yaml,
}

impl Encoding {
    /// The encoding of files with this extension, in any case.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        let is = |known: &str| extension.eq_ignore_ascii_case(known);
        if is("json") {
            Some(Self::Json)
        } else if is("yaml") || is("yml") {
            Some(Self::Yaml)
        } else {
            None
        }
    }

    /// The encoding of the file at this path, by its extension.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        path.extension().and_then(OsStr::to_str).and_then(Self::of_extension)
    }

    /// The extension of new files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }

    /// The prompt as the text of a file.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] if reading the text would not give the same prompt.
    pub fn write(self, prompt: &Prompt) -> Result<String> {
        match self {
            Self::Json => write_json(prompt),
            Self::Yaml => yaml_write::write_prompt(prompt),
        }
    }

    /// The prompt of a file, and warnings for its author. `name` is the file name for errors.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] with the place.
    pub fn read(self, name: &str, bytes: &[u8]) -> Result<(Prompt, Vec<String>)> {
        let text = decode(name, bytes)?;
        match self {
            Self::Json => read_json(name, text),
            Self::Yaml => read_yaml(name, text),
        }
    }
}

fn write_json(prompt: &Prompt) -> Result<String> {
    let failed = |why: String| {
        Error::new(Kind::PromptInvalid, format!("prompt '{}' cannot be written as JSON: {why}", prompt.id))
            .with_context("prompt_id", prompt.id.as_str())
    };
    let mut text = serde_json::to_string_pretty(prompt).map_err(|error| failed(error.to_string()))?;
    text.push('\n');
    match read_json("", &text) {
        Ok((back, _)) if back == *prompt => Ok(text),
        Ok(_) => Err(failed("reading the text would not give the same prompt".to_owned())),
        Err(error) => Err(failed(error.message().to_owned())),
    }
}

fn read_json(name: &str, text: &str) -> Result<(Prompt, Vec<String>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = NodeReader::new(Kind::PromptInvalid);
    let node = json::read(text, &mut reader);
    let raw =
        node.and_then(|node| read_prompt(&mut reader, node, PromptDefaults::of_program(Status::Active)));
    if let Some(error) = Error::sum_up(Kind::PromptInvalid, name, reader.located(name, text)) {
        return Err(error);
    }
    // If there is no error, there is a prompt.
    let raw = raw.ok_or_else(|| {
        Error::new(Kind::PromptInvalid, "the file contains no prompt").with_place(Place::of(
            Some(name),
            text,
            0,
        ))
    })?;
    let ignored = raw.helpers.map(|_| {
        format!(
            "{name}: `helpers` of prompt `{}` are ignored; register them with the template engine",
            raw.prompt.id
        )
    });
    Ok((raw.prompt, ignored.into_iter().collect()))
}

fn read_yaml(name: &str, text: &str) -> Result<(Prompt, Vec<String>)> {
    let mut read = yaml::read_stored(name, text);
    if let Some(error) = Error::sum_up(Kind::PromptInvalid, name, std::mem::take(&mut read.errors)) {
        return Err(error);
    }
    match read.prompts.len() {
        1 => {
            let warnings = read.warnings.iter().map(Finding::report).collect();
            Ok((read.prompts.swap_remove(0).prompt, warnings))
        }
        count => {
            Err(Error::new(Kind::PromptInvalid, format!("the file contains {count} prompts; expected one"))
                .with_place(read.prompts.swap_remove(1).place()))
        }
    }
}
