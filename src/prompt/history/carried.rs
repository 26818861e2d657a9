//! What a history has that only one provider understands.

use super::super::tree::Tree;
use crate::error::{Result, nearest};

/// The format of carried content, which is that of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarriedFormat {
    /// Content blocks of Anthropic's Messages API.
    Anthropic,
    /// Items of OpenAI's Responses API.
    Responses,
    /// A message of OpenAI's Chat Completions API, perhaps with keys of servers that speak its format.
    Chat,
    /// Parts of a turn of the Gemini API, in the spelling of its Python package.
    Gemini,
    /// Content blocks of Bedrock's Converse API.
    Bedrock,
}

/// Content in a provider's own format, beside the message that the other providers get.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried<L> {
    /// The format.
    pub format: CarriedFormat,
    /// The blocks, the items, or the one message, without keys that no request has.
    pub items: Vec<Tree<L>>,
    /// The keys of a turn beside its role and its blocks.
    pub beside: Vec<(String, Tree<L>)>,
    /// The types and keys that the message itself cannot express. They are part of the format and not the user's data.
    pub only: Vec<String>,
    /// Keys that OpenAI's format does not have, but servers that speak it do, such as `reasoning_content`.
    pub extensions: Vec<String>,
    /// The places of keys that no format has, such as "key 3 of the message". Their names may be the user's data.
    pub unknown: Vec<String>,
    /// The indexes of parts with more than one kind of content. Each kind is an item of its own.
    pub split: Vec<usize>,
}

impl<L> Carried<L> {
    pub(super) fn new(format: CarriedFormat) -> Self {
        Self {
            format,
            items: Vec::new(),
            beside: Vec::new(),
            only: Vec::new(),
            extensions: Vec::new(),
            unknown: Vec::new(),
            split: Vec::new(),
        }
    }

    /// Converts every text with `map`, in reading order.
    ///
    /// # Errors
    /// The first error of `map`.
    pub(crate) fn try_map<'a, M>(&'a self, map: &mut dyn FnMut(&'a L) -> Result<M>) -> Result<Carried<M>> {
        Ok(Carried {
            format: self.format,
            items: self.items.iter().map(|item| item.try_map(map)).collect::<Result<_>>()?,
            beside: self
                .beside
                .iter()
                .map(|(key, value)| Ok((key.clone(), value.try_map(map)?)))
                .collect::<Result<_>>()?,
            only: self.only.clone(),
            extensions: self.extensions.clone(),
            unknown: self.unknown.clone(),
            split: self.split.clone(),
        })
    }
}

/// Notes a type or key, once. What no format has as a word may be the user's data, and is noted without it.
pub(super) fn note(names: &mut Vec<String>, name: &str) {
    let is_word = (1..=64).contains(&name.len())
        && name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '.'));
    let name = if is_word { name } else { "a part of an unknown type" };
    note_text(names, name);
}

/// Notes a type or key that is a word of the format, once.
pub(super) fn note_word(names: &mut Vec<String>, name: &'static str) {
    note_text(names, name);
}

/// Notes the place of a key of an unknown name, once. `at` counts from 0, and `meant` is the known key that is similar.
pub(super) fn note_place(places: &mut Vec<String>, at: usize, owner: &str, meant: Option<&str>) {
    let meant = meant.map(|meant| format!(" (is it meant to be `{meant}`?)")).unwrap_or_default();
    note_text(places, &format!("key {} of {owner}{meant}", at + 1));
}

/// Removes the keys that are not `known`, and notes their places. `owner` is what they are keys of.
pub(super) fn keep_known(
    fields: &mut Vec<(String, Tree<String>)>,
    known: &[&str],
    owner: &str,
    unknown: &mut Vec<String>,
) {
    let mut at = 0;
    fields.retain(|(key, value)| {
        at += 1;
        if known.contains(&key.as_str()) {
            return true;
        }
        if !matches!(value, Tree::Null) {
            note_place(unknown, at - 1, owner, nearest(key, known.iter().copied()));
        }
        false
    });
}

fn note_text(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}
