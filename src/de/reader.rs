//! Collects mistakes, and reads the types of value that all readers of prompts and schemas need.
//!
//! If a node cannot be read, the mistake is noted and a stand-in value is returned, so that the other nodes are checked
//! too. [`NodeReader::mark`] and [`NodeReader::is_clean_since`] show whether a value is real.

use std::borrow::Cow;
use std::str::FromStr;

use serde_json::{Map, Number, Value};

use super::node::{KeyPath, NodeValue, SourceNode, SourceSpan, nearest_number};
use super::{VALUE_DEPTH, mustache, scalars, shown, unknown};
use crate::error::{Error, Kind, LineStarts, Place, nearest};

/// A text and its place. It may become a template.
#[derive(Debug, Clone)]
pub(crate) struct SpannedText {
    pub(crate) text: String,
    pub(crate) span: SourceSpan,
}

/// The hint for a wrong key that authors are likely to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyHint {
    /// The key that was meant, where its value belongs beside it.
    meant: Option<&'static str>,
    hint: &'static str,
}

impl KeyHint {
    /// The hint for a key whose value belongs elsewhere.
    pub(crate) fn new(hint: &'static str) -> Self {
        Self { meant: None, hint }
    }

    /// The hint for another name of a key.
    pub(crate) fn of(meant: &'static str, hint: &'static str) -> Self {
        Self { meant: Some(meant), hint }
    }
}

/// The error for a key that is not one of `known`, and the known key that was probably meant. `hint` is used if authors
/// are likely to write this key.
pub(crate) fn unknown_key(
    kind: Kind,
    name: &str,
    known: &'static [&'static str],
    hint: Option<KeyHint>,
) -> (Error, Option<&'static str>) {
    if let Some(KeyHint { meant, hint }) = hint {
        return (Error::new(kind, format!("unknown key {}", shown(name))).with_hint(hint), meant);
    }
    let message = unknown(kind, "key", name, known).message().to_owned();
    (Error::new(kind, message), nearest(name, known.iter().copied()))
}

/// Reads nodes and collects their mistakes.
pub(crate) struct NodeReader<'s> {
    kind: Kind,
    /// The text of the YAML file, if there is one. In YAML an unquoted number is accepted as a string, exactly as it is
    /// written, and a string that looks like a number or boolean is accepted as one. JSON and Python values must have
    /// the right type.
    yaml: Option<&'s str>,
    /// Whether the nodes are a user's data, whose unknown keys no message may quote.
    is_data: bool,
    mistakes: Vec<(SourceSpan, Error)>,
}

impl<'s> NodeReader<'s> {
    /// A reader whose mistakes have this kind.
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, yaml: None, is_data: false, mistakes: Vec::new() }
    }

    /// A reader of a user's data: the message about an unknown key says its place and not its name.
    pub(crate) fn of_data(kind: Kind) -> Self {
        Self { is_data: true, ..Self::new(kind) }
    }

    /// A reader of nodes from this YAML text.
    pub(crate) fn of_yaml(kind: Kind, text: &'s str) -> Self {
        Self { yaml: Some(text), ..Self::new(kind) }
    }

    /// The text of the YAML file.
    pub(crate) fn source(&self) -> Option<&'s str> {
        self.yaml
    }

    /// Notes a mistake. It gets the reader's kind.
    pub(crate) fn note(&mut self, span: SourceSpan, error: Error) {
        let message = error.message().to_owned();
        self.mistakes.push((span, error.recast(self.kind, message)));
    }

    /// Notes a mistake with this message.
    pub(crate) fn wrong(&mut self, span: SourceSpan, message: impl Into<String>) {
        self.note(span, Error::new(self.kind, message));
    }

    /// [`NodeReader::wrong`] with a hint.
    pub(crate) fn wrong_hint(&mut self, span: SourceSpan, message: impl Into<String>, hint: &str) {
        self.note(span, Error::new(self.kind, message).with_hint(hint));
    }

    /// Marks the current state, for [`NodeReader::is_clean_since`].
    pub(crate) fn mark(&self) -> usize {
        self.mistakes.len()
    }

    /// Whether no mistake was noted since the mark was taken.
    pub(crate) fn is_clean_since(&self, mark: usize) -> bool {
        self.mistakes.len() == mark
    }

    /// The mistakes with file name, line and column, sorted by their places in `text`.
    pub(crate) fn located(mut self, file_name: &str, text: &str) -> Vec<Error> {
        if self.mistakes.is_empty() {
            return Vec::new();
        }
        let lines = LineStarts::of(text);
        self.mistakes.sort_by_key(|(span, _)| span.start);
        let located = self.mistakes.into_iter().map(|(span, error)| {
            let offset = span.offset().unwrap_or_default();
            let place = Place::with_lines(Some(file_name), text, offset, &lines);
            // A hint that the error has already is kept.
            let hint = mustache::hint_at(&place);
            error.with_place(place).with_optional_hint(hint)
        });
        located.collect()
    }

    /// The mistakes, each with the span of the node that it is about.
    pub(crate) fn into_mistakes(self) -> Vec<(SourceSpan, Error)> {
        self.mistakes
    }

    /// The value, or its mistakes as one error. For values that do not come from a file.
    pub(crate) fn finish<T>(self, what: &str, value: T) -> crate::Result<T> {
        let mistakes: Vec<Error> = self.mistakes.into_iter().map(|(_, error)| error).collect();
        match Error::sum_up(self.kind, what, mistakes) {
            None => Ok(value),
            Some(error) => Err(error),
        }
    }

    /// Notes that a node has the wrong type: `expected a list, found a number`.
    pub(crate) fn expected(&mut self, node: &SourceNode<'_>, expected: &str) {
        let message = format!("expected {expected}, found {}", node.kind());
        let is_bare = matches!(
            node.value,
            NodeValue::Number(_) | NodeValue::ExactNumber(_) | NodeValue::NonFinite | NodeValue::Bool(_)
        );
        if is_bare && expected.contains("a string") {
            self.wrong_hint(node.span, message, "write it in quotes");
        } else {
            self.wrong(node.span, message);
        }
    }

    /// A mapping with these keys. Any other key is a mistake. `expected` describes it: `a prompt, which is a mapping`.
    pub(crate) fn fields<'n>(
        &mut self,
        node: SourceNode<'n>,
        expected: &str,
        known: &'static [&'static str],
    ) -> Option<Fields<'n>> {
        self.hinted_fields(node, expected, known, |_| None)
    }

    /// [`NodeReader::fields`] with hints for wrong keys that authors are likely to write.
    pub(crate) fn hinted_fields<'n>(
        &mut self,
        node: SourceNode<'n>,
        expected: &str,
        known: &'static [&'static str],
        hint_of: impl Fn(&str) -> Option<KeyHint>,
    ) -> Option<Fields<'n>> {
        let NodeValue::Map(entries) = node.value else {
            self.expected(&node, expected);
            return None;
        };
        let mut fields = Fields {
            last: node.span,
            entries: Vec::with_capacity(entries.len()),
            is_known: true,
            meant: Vec::new(),
        };
        for (at, (key, value)) in entries.into_iter().enumerate() {
            if self.yaml.is_some() {
                fields.last = key.span;
            }
            let Some(name) = self.key_text(&key) else {
                self.expected(&key, "a string as the key");
                // It may stand for any known key, so none is reported as missing.
                fields.is_known = false;
                fields.meant.extend(known);
                continue;
            };
            if let Some(known) = known.iter().find(|known| **known == name) {
                fields.entries.push((known, key.span, value));
            } else {
                let (mut error, meant) = unknown_key(self.kind, &name, known, hint_of(&name));
                if self.is_data {
                    let owner = expected.split([',', ':']).next().unwrap_or(expected);
                    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                    error = error.recast(self.kind, format!("key {} of {owner} is unknown{meant}", at + 1));
                }
                self.note(key.span, error);
                fields.is_known = false;
                fields.meant.extend(meant);
            }
        }
        Some(fields)
    }

    /// The keys and values of a mapping that may have any keys.
    pub(crate) fn members<'n>(
        &mut self,
        node: SourceNode<'n>,
        expected: &str,
    ) -> Option<Vec<(String, SourceSpan, SourceNode<'n>)>> {
        let NodeValue::Map(entries) = node.value else {
            self.expected(&node, expected);
            return None;
        };
        let mut members = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            match self.key_text(&key).map(Cow::into_owned) {
                Some(name) => members.push((name, key.span, value)),
                None => self.expected(&key, "a string as the key"),
            }
        }
        Some(members)
    }

    /// The value of a required key.
    pub(crate) fn required<'n>(
        &mut self,
        fields: &mut Fields<'n>,
        key: &'static str,
    ) -> Option<SourceNode<'n>> {
        let found = fields.take(key);
        if found.is_none() && !fields.means(key) {
            self.wrong(fields.last, format!("`{key}` is missing"));
        }
        found
    }

    fn key_text<'k>(&self, key: &'k SourceNode<'_>) -> Option<Cow<'k, str>>
    where
        's: 'k,
    {
        match &key.value {
            NodeValue::Text(text) => Some(Cow::Borrowed(text)),
            _ => self.written(key).map(Cow::Borrowed),
        }
    }

    /// The source text of an unquoted number or boolean of a YAML file.
    pub(crate) fn written(&self, node: &SourceNode<'_>) -> Option<&'s str> {
        match node.value {
            NodeValue::Number(_) | NodeValue::ExactNumber(_) | NodeValue::NonFinite | NodeValue::Bool(_) => {
                node.span.slice(self.yaml?).filter(|text| !text.is_empty())
            }
            _ => None,
        }
    }

    /// The text of a node, or the node itself if it is not a text.
    pub(crate) fn as_text<'n>(&self, node: SourceNode<'n>) -> Result<String, SourceNode<'n>> {
        if let Some(written) = self.written(&node) {
            return Ok(written.to_owned());
        }
        match node.value {
            NodeValue::Text(text) => {
                let mut text = text.into_owned();
                // The parser grows long texts by doubling. Prompts stay in memory, so the rest is freed.
                text.shrink_to_fit();
                Ok(text)
            }
            value => Err(SourceNode { value, ..node }),
        }
    }

    /// A text. Any other node is noted as a mistake and gives an empty text.
    pub(crate) fn text(&mut self, node: SourceNode<'_>) -> String {
        self.as_text(node).unwrap_or_else(|node| {
            self.expected(&node, "a string");
            String::new()
        })
    }

    /// A text with its place, or the node itself if it is not a text.
    pub(crate) fn spanned_or_node<'n>(&self, node: SourceNode<'n>) -> Result<SpannedText, SourceNode<'n>> {
        let span = node.span;
        self.as_text(node).map(|text| SpannedText { text, span })
    }

    /// A text with its place. `None` for any other node, which is noted as a mistake.
    pub(crate) fn text_or_expected(&mut self, node: SourceNode<'_>) -> Option<SpannedText> {
        self.spanned_or_node(node).map_err(|node| self.expected(&node, "a string")).ok()
    }

    /// [`NodeReader::text`] with its place.
    pub(crate) fn spanned(&mut self, node: SourceNode<'_>) -> SpannedText {
        SpannedText { span: node.span, text: self.text(node) }
    }

    /// The text of a key that may be missing or null.
    pub(crate) fn optional_text(&mut self, fields: &mut Fields<'_>, key: &'static str) -> Option<String> {
        fields.take_value(key).map(|node| self.text(node))
    }

    /// [`NodeReader::optional_text`] with its place.
    pub(crate) fn optional_spanned(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
    ) -> Option<SpannedText> {
        fields.take_value(key).map(|node| self.spanned(node))
    }

    /// The text of a required key, with its place.
    pub(crate) fn required_spanned(&mut self, fields: &mut Fields<'_>, key: &'static str) -> SpannedText {
        match self.required(fields, key) {
            Some(node) => self.spanned(node),
            None => SpannedText { text: String::new(), span: fields.last },
        }
    }

    /// A text that is parsed into its type. `None` if this fails, which is noted as a mistake.
    pub(crate) fn parse<T: FromStr<Err = Error>>(&mut self, node: SourceNode<'_>) -> Option<T> {
        let SpannedText { text, span } = self.text_or_expected(node)?;
        text.parse().map_err(|error| self.note(span, error)).ok()
    }

    /// True or false.
    pub(crate) fn boolean(&mut self, node: &SourceNode<'_>) -> Option<bool> {
        let found = match &node.value {
            NodeValue::Bool(value) => Some(*value),
            NodeValue::Text(text) if self.yaml.is_some() => scalars::boolean(text),
            _ => None,
        };
        if found.is_none() {
            self.expected(node, "`true` or `false`");
        }
        found
    }

    /// A number. NaN for a number that is not finite.
    pub(crate) fn float(&mut self, node: &SourceNode<'_>) -> Option<f64> {
        let read = |value: &NodeValue<'_>| match value {
            NodeValue::Number(number) => number.as_f64(),
            NodeValue::ExactNumber(text) => {
                nearest_number(text).map_or(Some(f64::NAN), |number| number.as_f64())
            }
            NodeValue::NonFinite => Some(f64::NAN),
            _ => None,
        };
        let found = read(&node.value).or_else(|| match &node.value {
            NodeValue::Text(text) if self.yaml.is_some() => read(&scalars::float(text)?),
            _ => None,
        });
        if found.is_none() {
            self.expected(node, "a number");
        }
        found
    }

    /// A whole number.
    pub(crate) fn integer(&mut self, node: &SourceNode<'_>) -> Option<Number> {
        let found = match &node.value {
            NodeValue::Number(number) if !number.is_f64() => Some(number.clone()),
            NodeValue::Text(text) if self.yaml.is_some() => scalars::integer(text),
            _ => None,
        };
        if found.is_none() {
            match node.value {
                // "found a number" would be no explanation.
                NodeValue::Number(_) | NodeValue::ExactNumber(_) | NodeValue::NonFinite => {
                    self.wrong(node.span, "expected a whole number");
                }
                _ => self.expected(node, "a whole number"),
            }
        }
        found
    }

    /// The items of a list. `expected` describes it: `a list of tools`.
    pub(crate) fn items<'n>(&mut self, node: SourceNode<'n>, expected: &str) -> Option<Vec<SourceNode<'n>>> {
        if let NodeValue::List(items) = node.value {
            return Some(items);
        }
        self.expected(&node, expected);
        None
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, node: SourceNode<'_>) -> Vec<String> {
        let items = self.items(node, "a list of strings").unwrap_or_default();
        items.into_iter().map(|item| self.text(item)).collect()
    }

    /// A value as JSON.
    pub(crate) fn json(&mut self, node: SourceNode<'_>, path: KeyPath<'_>) -> Value {
        if path.depth() > VALUE_DEPTH {
            self.wrong_hint(node.span, format!("`{path}` is nested too deeply"), "at most 64 levels");
            return Value::Null;
        }
        match node.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(value) => Value::Bool(value),
            NodeValue::Number(number) => Value::Number(number),
            // JSON values of the core have 64 bits.
            NodeValue::ExactNumber(text) if !text.contains(['.', 'e', 'E']) && text != "-0" => {
                let message = format!("`{path}` is an integer beyond 64 bits, which would lose digits");
                self.wrong_hint(node.span, message, "write it in quotes");
                Value::Null
            }
            NodeValue::ExactNumber(text) => nearest_number(&text).map_or_else(
                || {
                    self.wrong(node.span, format!("`{path}` is too large for a number"));
                    Value::Null
                },
                Value::Number,
            ),
            NodeValue::NonFinite => {
                self.wrong(node.span, format!("`{path}` is NaN or infinite, which JSON cannot hold"));
                Value::Null
            }
            NodeValue::Text(text) => Value::String(text.into_owned()),
            NodeValue::List(items) => Value::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| self.json(item, KeyPath::Index(&path, index)))
                    .collect(),
            ),
            NodeValue::Map(_) => {
                let members = self.members(node, "a mapping").unwrap_or_default();
                let members = members.into_iter().map(|(key, _, value)| {
                    let value = self.json(value, KeyPath::Key(&path, &key));
                    (key, value)
                });
                Value::Object(members.collect())
            }
        }
    }

    /// A mapping as JSON. `None` for null. `name` is the path to it.
    pub(crate) fn object(&mut self, node: SourceNode<'_>, name: &str) -> Option<Map<String, Value>> {
        let span = node.span;
        let kind = node.kind();
        match self.json(node, KeyPath::Root(name)) {
            Value::Object(members) => Some(members),
            Value::Null => None,
            _ => {
                self.wrong(span, format!("expected a mapping for `{name}`, found {kind}"));
                None
            }
        }
    }
}

/// The values of a mapping with known keys. Readers take them one by one.
pub(crate) struct Fields<'n> {
    /// Where a missing key is reported: in YAML the last key, unless the mapping is empty; otherwise the mapping.
    pub(crate) last: SourceSpan,
    entries: Vec<(&'static str, SourceSpan, SourceNode<'n>)>,
    /// Whether all keys are known.
    pub(crate) is_known: bool,
    /// The known keys that the unknown keys are probably misspellings of.
    meant: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Treats these keys as if they were misspelt: it is no mistake if they are missing.
    pub(crate) fn pass_over(&mut self, keys: impl Iterator<Item = &'static str>) {
        self.meant.extend(keys);
    }

    /// The value of a key. It can be null.
    pub(crate) fn take(&mut self, key: &str) -> Option<SourceNode<'n>> {
        let at = self.entries.iter().position(|(known, ..)| *known == key)?;
        Some(self.entries.swap_remove(at).2)
    }

    /// The value of a key, unless it is null.
    pub(crate) fn take_value(&mut self, key: &str) -> Option<SourceNode<'n>> {
        self.take(key).filter(|node| !node.is_null())
    }

    /// Whether a key that was not taken yet has a value other than null.
    pub(crate) fn has_value(&self, key: &str) -> bool {
        self.entries.iter().any(|(known, _, node)| *known == key && !node.is_null())
    }

    /// The place of a key that was not taken yet.
    pub(crate) fn key_span(&self, key: &str) -> Option<SourceSpan> {
        self.entries.iter().find(|(known, ..)| *known == key).map(|(_, span, _)| *span)
    }

    /// The first wanted key among those that were not taken yet.
    pub(crate) fn first_of(&self, is_wanted: impl Fn(&str) -> bool) -> Option<(&'static str, SourceSpan)> {
        let wanted = self.entries.iter().filter(|(key, ..)| is_wanted(key));
        wanted.min_by_key(|(_, span, _)| span.start).map(|(key, span, _)| (*key, *span))
    }

    /// The keys that were not taken yet.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.entries.iter().map(|(key, ..)| *key)
    }

    /// Whether any unknown key is probably a misspelling of a known one.
    pub(crate) fn has_slips(&self) -> bool {
        !self.meant.is_empty()
    }

    /// Whether an unknown key is probably a misspelling of this one.
    pub(crate) fn means(&self, key: &str) -> bool {
        self.meant.contains(&key)
    }
}
