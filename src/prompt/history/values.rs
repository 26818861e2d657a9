//! Reads and changes JSON values of a history.

use super::super::message::{CacheHint, Content, OpenAiCache, Part, PartBody};
use super::super::tree::Tree;
use super::carried::note_word;
use crate::de::{NodeValue, SourceNode, SourceSpan};
use crate::error::{Error, Kind, Result};

/// The members of an object.
#[derive(Debug)]
pub(super) struct TreeMembers(pub(super) Vec<(String, Tree<String>)>);

/// The members of an object that stays in its history.
pub(super) type MemberSlice = [(String, Tree<String>)];

impl TreeMembers {
    /// The value of a key. Null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&Tree<String>> {
        get(&self.0, key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        text(&self.0, key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Tree<String>> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.remove(at).1).filter(|value| !matches!(value, Tree::Null))
    }

    pub(super) fn take_text(&mut self, key: &str) -> Option<String> {
        self.take(key).and_then(into_text)
    }
}

/// The value of a key. Null counts as absent.
pub(super) fn get<'t>(members: &'t MemberSlice, key: &str) -> Option<&'t Tree<String>> {
    members
        .iter()
        .find(|(known, _)| known == key)
        .map(|(_, value)| value)
        .filter(|value| !matches!(value, Tree::Null))
}

/// The text of a key.
pub(super) fn text<'t>(members: &'t MemberSlice, key: &str) -> Option<&'t str> {
    get(members, key).and_then(as_text)
}

pub(super) fn as_text(value: &Tree<String>) -> Option<&str> {
    match value {
        Tree::Text(text) => Some(text),
        _ => None,
    }
}

pub(super) fn into_text(value: Tree<String>) -> Option<String> {
    match value {
        Tree::Text(text) => Some(text),
        _ => None,
    }
}

pub(super) fn members(value: &Tree<String>) -> &MemberSlice {
    match value {
        Tree::Map(members) => members,
        _ => &[],
    }
}

pub(super) fn into_members(value: Tree<String>) -> Option<TreeMembers> {
    match value {
        Tree::Map(members) => Some(TreeMembers(members)),
        _ => None,
    }
}

pub(super) fn items(value: &Tree<String>) -> &[Tree<String>] {
    match value {
        Tree::List(items) => items,
        _ => &[],
    }
}

pub(super) fn into_items(value: Tree<String>) -> Vec<Tree<String>> {
    match value {
        Tree::List(items) => items,
        _ => Vec::new(),
    }
}

/// The `type` of an object.
pub(super) fn kind(value: &Tree<String>) -> Option<&str> {
    text(members(value), "type")
}

/// Checks that a value is a text.
///
/// # Errors
/// [`Kind::PromptInvalid`] if it is something else. `what` is the place of the value.
pub(super) fn check_text(value: &Tree<String>, what: &str) -> Result<()> {
    as_text(value).map(|_| ()).ok_or_else(|| wrong(what, "a string", value))
}

/// Checks that a value is a mapping.
///
/// # Errors
/// [`Kind::PromptInvalid`] if it is something else. `what` is the place of the value.
pub(super) fn check_mapping(value: &Tree<String>, what: &str) -> Result<()> {
    matches!(value, Tree::Map(_)).then_some(()).ok_or_else(|| wrong(what, "a mapping", value))
}

/// Checks that a value is a list of mappings.
///
/// # Errors
/// [`Kind::PromptInvalid`] if it is something else. `what` is the place of the value.
pub(super) fn check_mappings(value: &Tree<String>, what: &str) -> Result<()> {
    check_list(value, what)?;
    let check = |(index, item)| check_mapping(item, &format!("{what}[{index}]"));
    items(value).iter().enumerate().try_for_each(check)
}

/// Checks that a value is a list.
///
/// # Errors
/// [`Kind::PromptInvalid`] if it is something else. `what` is the place of the value.
pub(super) fn check_list(value: &Tree<String>, what: &str) -> Result<()> {
    matches!(value, Tree::List(_)).then_some(()).ok_or_else(|| wrong(what, "a list", value))
}

fn wrong(what: &str, expected: &str, found: &Tree<String>) -> Error {
    let found = match found {
        Tree::Null => "nothing",
        Tree::Bool(_) => "a boolean",
        Tree::Text(_) => "a string",
        Tree::List(_) => "a list",
        Tree::Map(_) => "a mapping",
        _ => "a number",
    };
    Error::new(Kind::PromptInvalid, format!("{what}: expected {expected}, found {found}"))
}

/// Whether the value is null or an empty list or object, as dumps have it for a key that is not set.
pub(super) fn is_unset(value: &Tree<String>) -> bool {
    match value {
        Tree::Null => true,
        Tree::List(items) => items.is_empty(),
        Tree::Map(members) => members.is_empty(),
        _ => false,
    }
}

pub(super) fn object<const N: usize>(members: [(&str, Tree<String>); N]) -> Tree<String> {
    Tree::Map(members.map(|(key, value)| (key.to_owned(), value)).into())
}

pub(super) fn text_part(text: String, cache: Option<CacheHint>) -> Part<String> {
    Part { body: PartBody::Text(text), cache }
}

/// Parts as the content of a message. A single plain text becomes a string, not a list.
pub(super) fn content(mut parts: Vec<Part<String>>) -> Option<Content<String>> {
    if let [Part { body: PartBody::Text(text), cache: None }] = &mut parts[..] {
        return Some(Content::Text(std::mem::take(text)));
    }
    (!parts.is_empty()).then_some(Content::Parts(parts))
}

/// A cache hint in Anthropic's format.
pub(super) fn cache_hint(value: Option<&Tree<String>>) -> Option<CacheHint> {
    let members = members(value?);
    Some(CacheHint::portable(text(members, "ttl").map(str::to_owned)))
}

/// Whether the `citations` of a document allow the model to cite it.
pub(super) fn is_enabled(citations: Option<&Tree<String>>) -> bool {
    citations.is_some_and(|citations| matches!(get(members(citations), "enabled"), Some(Tree::Bool(true))))
}

/// OpenAI's key for a cache hint.
pub(super) const BREAKPOINT: &str = "prompt_cache_breakpoint";

/// A cache hint in OpenAI's format. Adds to `only` what no other provider understands.
pub(super) fn breakpoint(value: Option<&Tree<String>>, only: &mut Vec<String>) -> Option<OpenAiCache> {
    let value = value?;
    note_word(only, BREAKPOINT);
    match text(members(value), "ttl") {
        None => Some(OpenAiCache::default()),
        Some(ttl) => OpenAiCache::with_ttl(ttl).or_else(|| {
            note_word(only, "an unknown `ttl` of a cache breakpoint");
            None
        }),
    }
}

/// The MIME type and base64 text of a `data:` URL.
pub(super) fn data_url(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}

/// The tree of JSON that was parsed.
pub(super) fn of_node(node: SourceNode<'_>) -> Tree<String> {
    match node.value {
        NodeValue::Null | NodeValue::NonFinite => Tree::Null,
        NodeValue::Bool(value) => Tree::Bool(value),
        NodeValue::Number(number) => Tree::Number(number),
        NodeValue::ExactNumber(text) => Tree::ExactNumber(text.into_owned()),
        NodeValue::Text(text) => Tree::Text(text.into_owned()),
        NodeValue::List(items) => Tree::List(items.into_iter().map(of_node).collect()),
        NodeValue::Map(members) => {
            let member = |(key, value): (SourceNode<'_>, SourceNode<'_>)| match key.value {
                NodeValue::Text(key) => Some((key.into_owned(), of_node(value))),
                _ => None,
            };
            Tree::Map(members.into_iter().filter_map(member).collect())
        }
    }
}

/// The node of a tree, without places.
pub(super) fn to_node(tree: Tree<String>) -> SourceNode<'static> {
    let value = match tree {
        Tree::Null => NodeValue::Null,
        Tree::Bool(value) => NodeValue::Bool(value),
        Tree::Number(number) => NodeValue::Number(number),
        Tree::ExactNumber(text) => NodeValue::ExactNumber(text.into()),
        Tree::Text(text) => NodeValue::Text(text.into()),
        Tree::List(items) => NodeValue::List(items.into_iter().map(to_node).collect()),
        Tree::Map(members) => NodeValue::Map(
            members.into_iter().map(|(key, value)| (to_node(Tree::Text(key)), to_node(value))).collect(),
        ),
    };
    SourceNode::new(SourceSpan::NONE, value)
}
