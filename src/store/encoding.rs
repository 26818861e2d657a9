//! A version's file: one prompt as JSON or as YAML.
//!
//! JSON is read by a JSON parser, because the published package writes escapes that YAML does not know, and as
//! strictly as YAML is: a key twice is an error. Nothing here touches a disk.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use serde_json::Value;

use super::{yaml, yaml_write};
use crate::error::{Error, Kind, Result};
use crate::prompt::read::WirePrompt;
use crate::prompt::{Prompt, Status};
use crate::wire::yaml::{decode, place_in};
use crate::wire::{plain, shown};

/// How a version's file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON, with an indentation of two.
    Json,
    /// YAML for people.
    Yaml,
}

impl Encoding {
    /// The encoding of files whose name ends so.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// How the names of new files end.
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
    /// [`Kind::PromptInvalid`] where it would not read back as the same prompt.
    pub fn write(self, prompt: &Prompt) -> Result<String> {
        match self {
            Self::Json => write_json(prompt),
            Self::Yaml => yaml_write::write_prompt(prompt),
        }
    }

    /// The prompt of a file, and what its author should know. `name` is the file's, for errors.
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
        Ok(_) => Err(failed("it would not read back as it is".to_owned())),
        Err(error) => Err(failed(error.message().to_owned())),
    }
}

fn read_json(name: &str, text: &str) -> Result<(Prompt, Vec<String>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let translated = |error: serde_json::Error| {
        let place = place_in(name, text, error.line(), error.column());
        // What is wrong with the whole is found at its end, which says nothing.
        let at_end = error.is_data() && place.line >= text.trim_end().lines().count();
        let place = if at_end { place_in(name, text, 1, 1) } else { place };
        Error::new(Kind::PromptInvalid, said(&error)).with_place(place)
    };
    // First as JSON alone: what is wrong with the text is said before what is wrong with the prompt.
    let mut parser = serde_json::Deserializer::from_str(text);
    Unique.deserialize(&mut parser).and_then(|()| parser.end()).map_err(translated)?;
    let mut wire =
        WirePrompt::deserialize(&mut serde_json::Deserializer::from_str(text)).map_err(translated)?;
    let prompt = wire.take(Status::Active, None).and_then(|prompt| prompt.check().map(|()| prompt));
    let prompt = prompt.map_err(|error| error.with_place(place_in(name, text, 1, 1)))?;
    let ignored = names_helpers(text).then(|| {
        format!(
            "{name}: `helpers` of prompt `{}` are ignored; register them with the template engine",
            prompt.id
        )
    });
    Ok((prompt, ignored.into_iter().collect()))
}

/// Whether the template has helpers, which only the published package writes; it writes an empty mapping always.
fn names_helpers(text: &str) -> bool {
    text.contains("\"helpers\"")
        && serde_json::from_str::<Value>(text).is_ok_and(|prompt| {
            prompt["template"]["helpers"].as_object().is_some_and(|helpers| !helpers.is_empty())
        })
}

/// What the parser says, without the place, which is kept apart, and without values.
fn said(error: &serde_json::Error) -> String {
    let message = plain(error);
    match error.classify() {
        serde_json::error::Category::Data => message,
        serde_json::error::Category::Eof => "the file ends too early".to_owned(),
        _ => format!("this is not JSON: {message}"),
    }
}

fn read_yaml(name: &str, text: &str) -> Result<(Prompt, Vec<String>)> {
    let mut read = yaml::read_prompts(name, text);
    if !read.errors.is_empty() {
        return Err(read.errors.swap_remove(0));
    }
    match read.prompts.len() {
        1 => Ok((read.prompts.swap_remove(0).prompt, read.warnings)),
        count => {
            Err(Error::new(Kind::PromptInvalid, format!("the file holds {count} prompts; expected one"))
                .with_place(read.prompts.swap_remove(1).place()))
        }
    }
}

/// Walks JSON and refuses a key that an object has twice.
#[derive(Clone, Copy)]
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(de::Error::custom(format_args!("the key {} is there twice", shown(&key))));
            }
            keys.insert(key);
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}
