//! YAML text to nodes, one document at a time.
//!
//! The parser's events become the tree directly. An alias becomes a copy of the anchored node, and merge keys (`<<`)
//! are resolved. A duplicate key is a mistake. Limits stop a text that is nested too deeply, or that aliases make too
//! large.

use std::borrow::Cow;
use std::collections::HashSet;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::node::{NodeValue, SourceNode, SourceSpan};
use super::reader::NodeReader;
use super::scalars::{self, ScalarTag};
use super::words::REPEATED_KEY;
use super::{mustache, shown, yaml_errors};
use crate::error::{Error, Kind, Place, Result};

/// The bytes of a file as text.
///
/// # Errors
/// [`Kind::PromptInvalid`] at the first byte that is not UTF-8.
pub(crate) fn decode<'a>(file_name: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let found = other_encoding(bytes)
            .map_or_else(|| "this byte is not valid".to_owned(), |name| format!("it is {name}"));
        Error::new(Kind::PromptInvalid, format!("the file must be UTF-8, but {found}"))
            .with_place(Place::of(Some(file_name), &good, good.len()))
            .with_hint("save the file with the encoding UTF-8")
    })
}

/// The text of a YAML file without its byte order mark. In YAML a carriage return alone is a line break, but the parser
/// loses the last one of a block. Places do not change.
pub(crate) fn source_text(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lone =
        text.match_indices('\r').map(|(at, _)| at).filter(|at| !text[at + 1..].starts_with('\n')).peekable();
    if lone.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut changed = String::with_capacity(text.len());
    let mut from = 0;
    for at in lone {
        changed.push_str(&text[from..at]);
        changed.push('\n');
        from = at + 1;
    }
    changed.push_str(&text[from..]);
    Cow::Owned(changed)
}

/// The encoding that the byte order mark at the start names. That of UTF-32 in little-endian order begins with the one
/// of UTF-16, so it is looked for first.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    const MARKS: [(&[u8], &str); 4] = [
        (&[0xff, 0xfe, 0, 0], "UTF-32"),
        (&[0, 0, 0xfe, 0xff], "UTF-32"),
        (&[0xff, 0xfe], "UTF-16"),
        (&[0xfe, 0xff], "UTF-16"),
    ];
    MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)).map(|(_, name)| *name)
}

/// The maximum nesting of lists and mappings in a document.
const DEPTH: usize = 40;

/// The maximum number of aliases in a document. The same limit applies to anchors, and to merge keys.
const REFERENCES: usize = 1_000;

/// The maximum number of events that aliases repeat in a document. A scalar is one event. A list or mapping is two,
/// plus the events of its members.
const REPEATED_EVENTS: usize = 10_000;

/// The maximum number of events that are kept for aliases.
const KEPT_EVENTS: usize = 100_000;

/// A document with at least this many aliases must have one anchor for every ten of them.
const MANY_ALIASES: usize = 100;

/// A text that is shorter than this, in bytes, has the limits of a text of this length.
const SMALL: usize = 64 * 1024;

/// The tree of one document, which is the part of `text` at `chunk`. Offsets count from the start of `text`. `None` if
/// the document is not YAML; this is then the only mistake that `reader` notes for it.
pub(crate) fn read_document<'s>(
    text: &'s str,
    chunk: &Chunk,
    reader: &mut NodeReader<'s>,
) -> Option<SourceNode<'s>> {
    let source = &text[chunk.start..chunk.end];
    let mut builder = Builder::new(source, chunk.start);
    match builder.build() {
        Ok(node) => {
            for mistake in builder.mistakes {
                note(reader, mistake);
            }
            Some(node)
        }
        Err(mistake) => {
            let is_yaml = !mistake.message.starts_with(NOT_YAML);
            if is_yaml {
                note(reader, *mistake);
            } else if let Some(tab) = tab_line(text, mistake.span) {
                reader.wrong_hint(tab, "a tab cannot indent YAML", "indent with spaces");
            } else if let Some(mustache) = mustache_in_line(text, mistake.span) {
                reader.wrong_hint(mustache, "expected a string, found a mapping", mustache::HINT);
            } else {
                note(reader, *mistake);
            }
            None
        }
    }
}

fn note(reader: &mut NodeReader<'_>, Mistake { span, message, hint }: Mistake) {
    match hint {
        Some(hint) => reader.wrong_hint(span, message, hint),
        None => reader.wrong(span, message),
    }
}

const NOT_YAML: &str = "this is not YAML";

/// A mistake in the YAML of a document.
struct Mistake {
    span: SourceSpan,
    message: String,
    hint: Option<&'static str>,
}

/// A mistake that ends the reading of a document.
type Fatal = Box<Mistake>;

#[allow(clippy::unnecessary_box_returns, reason = "a small error keeps the results of many calls small")]
fn fatal(span: SourceSpan, message: impl Into<String>) -> Fatal {
    Box::new(Mistake { span, message: message.into(), hint: None })
}

#[allow(clippy::unnecessary_box_returns, reason = "as `fatal`")]
fn unknown_anchor(span: SourceSpan) -> Fatal {
    let message = "this alias refers to an anchor that does not exist".to_owned();
    Box::new(Mistake { span, message, hint: Some("write a text that begins with `*` in quotes") })
}

#[allow(clippy::unnecessary_box_returns, reason = "as `fatal`")]
fn too_much(span: SourceSpan) -> Fatal {
    fatal(span, "the document is nested too deeply, or its aliases make it too large")
}

/// A list or mapping that is being read.
struct Open<'s> {
    span: SourceSpan,
    anchor: usize,
    /// The counts of the document when this began.
    since: Counts,
    /// The nesting of its deepest member.
    deepest: usize,
    content: OpenContent<'s>,
}

enum OpenContent<'s> {
    List(Vec<SourceNode<'s>>),
    Map {
        entries: Vec<(SourceNode<'s>, SourceNode<'s>)>,
        /// A key that waits for its value.
        key: Option<WaitingKey<'s>>,
        /// The entries that merge keys add.
        merged: Vec<(SourceNode<'s>, SourceNode<'s>)>,
    },
}

enum WaitingKey<'s> {
    Merge,
    Of(SourceNode<'s>),
}

/// The counts that are limited.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    events: usize,
    bytes: usize,
    owned_bytes: usize,
    merge_keys: usize,
}

impl Counts {
    fn since(self, earlier: Self) -> Self {
        Self {
            events: self.events - earlier.events,
            bytes: self.bytes - earlier.bytes,
            owned_bytes: self.owned_bytes - earlier.owned_bytes,
            merge_keys: self.merge_keys - earlier.merge_keys,
        }
    }
}

/// The node of an anchor, with its counts and nesting.
struct Anchored<'s> {
    node: SourceNode<'s>,
    counts: Counts,
    depth: usize,
}

struct Builder<'s> {
    text: &'s str,
    /// Where `text` begins in the file.
    base: usize,
    open: Vec<Open<'s>>,
    anchors: Vec<Option<Anchored<'s>>>,
    counts: Counts,
    anchored: usize,
    aliases: usize,
    repeated: usize,
    kept: Counts,
    mistakes: Vec<Mistake>,
}

impl<'s> Builder<'s> {
    fn new(text: &'s str, base: usize) -> Self {
        Self {
            text,
            base,
            open: Vec::new(),
            anchors: Vec::new(),
            counts: Counts::default(),
            anchored: 0,
            aliases: 0,
            repeated: 0,
            kept: Counts::default(),
            mistakes: Vec::new(),
        }
    }

    fn build(&mut self) -> Result<SourceNode<'s>, Fatal> {
        let mut options = granit_parser::options! { flow_nesting_limit: DEPTH };
        options.set_emit_comments(false);
        let mut root = None;
        for item in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = item.map_err(|error| self.scan_error(&error))?;
            self.counts.events += 1;
            let span_here = self.span(&span);
            let done = match event {
                Event::Scalar(text, style, anchor, tag) => {
                    self.scalar(span_here, &span, text, style, anchor, tag.as_deref())?
                }
                Event::SequenceStart(_, anchor, tag) => {
                    self.fits(span_here, tag.as_deref(), ScalarTag::List)?;
                    self.begin(span_here, anchor, OpenContent::List(Vec::new()))?;
                    None
                }
                Event::MappingStart(_, anchor, tag) => {
                    self.fits(span_here, tag.as_deref(), ScalarTag::Map)?;
                    let content = OpenContent::Map { entries: Vec::new(), key: None, merged: Vec::new() };
                    self.begin(span_here, anchor, content)?;
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => self.end()?,
                Event::Alias(anchor) => self.alias(span_here, anchor)?,
                _ => None,
            };
            if let Some(node) = done {
                if root.is_some() {
                    return Err(fatal(span_here, "a second document needs `---` before it"));
                }
                root = Some(node);
            } else if root.is_some() && !self.open.is_empty() {
                return Err(fatal(span_here, "a second document needs `---` before it"));
            }
        }
        if self.aliases >= MANY_ALIASES && self.aliases > 10 * self.anchored {
            return Err(too_much(SourceSpan::new(self.base, self.base)));
        }
        let end = SourceSpan::new(self.base, self.base);
        Ok(root.unwrap_or(SourceNode::new(end, NodeValue::Null)))
    }

    fn span(&self, span: &Span) -> SourceSpan {
        let start = span.start.byte_offset().unwrap_or_default();
        let end = span.end.byte_offset().unwrap_or(start);
        SourceSpan::new(self.base + start, self.base + end)
    }

    #[allow(clippy::unnecessary_box_returns, reason = "as `fatal`")]
    fn scan_error(&self, error: &ScanError) -> Fatal {
        let marker = error.marker();
        let offset = marker.byte_offset().unwrap_or_else(|| {
            self.text.char_indices().nth(marker.index()).map_or(self.text.len(), |(offset, _)| offset)
        });
        let span = SourceSpan::new(self.base + offset, self.base + offset);
        match error.kind() {
            ErrorKind::UnknownAnchor => unknown_anchor(span),
            kind => match yaml_errors::explained(kind) {
                Some((message, hint)) => {
                    Box::new(Mistake { span, message: format!("{NOT_YAML}: {message}"), hint: Some(hint) })
                }
                None => fatal(span, format!("{NOT_YAML}: {}", error.info())),
            },
        }
    }

    fn room(&self) -> usize {
        2 * self.text.len().max(SMALL)
    }

    /// Checks the limits after the counts have grown.
    fn check_budget(&self, span: SourceSpan) -> Result<(), Fatal> {
        let room = self.room();
        let exceeded = self.counts.events > room
            || self.counts.bytes > room
            || self.counts.merge_keys > REFERENCES
            || self.anchored > REFERENCES
            || self.aliases > REFERENCES
            || self.repeated > REPEATED_EVENTS
            || self.kept.events > KEPT_EVENTS
            || self.kept.owned_bytes > room;
        if exceeded { Err(too_much(span)) } else { Ok(()) }
    }

    fn scalar(
        &mut self,
        mut span: SourceSpan,
        raw: &Span,
        text: Cow<'s, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<Option<SourceNode<'s>>, Fatal> {
        let before = Counts { events: self.counts.events - 1, ..self.counts };
        self.counts.bytes += text.len();
        if let Cow::Owned(text) = &text {
            self.counts.owned_bytes += text.len();
        }
        self.anchored += usize::from(anchor != 0);
        self.check_budget(span)?;
        let tag = self.known_tag(span, tag);
        let is_merge = text == "<<"
            && (tag == ScalarTag::Merge || tag == ScalarTag::Free && style == ScalarStyle::Plain);
        if is_merge
            && let Some(Open { content: OpenContent::Map { key: key @ None, .. }, .. }) = self.open.last_mut()
        {
            *key = Some(WaitingKey::Merge);
            self.counts.merge_keys += 1;
            self.check_budget(span)?;
            return Ok(None);
        }
        let text = match text {
            Cow::Owned(mut text) if self.lacks_line_break(raw, style) && text.ends_with('\n') => {
                text.pop();
                Cow::Owned(text)
            }
            text => text,
        };
        let value = scalars::resolve(text, style, tag).map_err(|refusal| fatal(span, refusal))?;
        if tag != ScalarTag::Free {
            // The source text of a tagged number is not its value, so it must not be read from there.
            span.end = span.start;
        }
        let node = SourceNode::new(span, value);
        if anchor != 0 {
            self.keep(anchor, &node, before, 0)?;
        }
        Ok(self.add(node, 0))
    }

    /// Whether this is a block scalar at the end of a text that has no final line break. The parser adds one to it.
    fn lacks_line_break(&self, span: &Span, style: ScalarStyle) -> bool {
        matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
            && !self.text.ends_with('\n')
            && span.end.byte_offset().is_some_and(|end| end >= self.text.len())
    }

    /// The tag of a value. One that has no meaning here is a mistake: the program that it is for would read another
    /// value than we do.
    fn known_tag(&mut self, value: SourceSpan, tag: Option<&Tag>) -> ScalarTag {
        let known = ScalarTag::of(tag);
        if let (ScalarTag::Unknown, Some(tag)) = (known, tag) {
            let written = format!("{}{}", tag.original_handle(), tag.suffix());
            let message =
                format!("the tag {} has no meaning here: write the value without it", shown(&written));
            self.mistakes.push(Mistake { span: self.before(value, &written), message, hint: None });
        }
        known
    }

    /// The place of a word that stands shortly before a value, or else that of the value.
    fn before(&self, value: SourceSpan, word: &str) -> SourceSpan {
        const NEAR: usize = 1024;
        let here = value.offset().unwrap_or_default().saturating_sub(self.base);
        let end = self.text.floor_char_boundary(here + word.len());
        let start = self.text.floor_char_boundary(here.saturating_sub(NEAR));
        let found = self.text[start..end].rfind(word).map(|at| self.base + start + at);
        found.map_or(value, |at| SourceSpan::new(at, at))
    }

    /// Checks that the tag of a list or mapping, if there is one, is for this type.
    fn fits(&mut self, span: SourceSpan, tag: Option<&Tag>, own: ScalarTag) -> Result<(), Fatal> {
        let tag = self.known_tag(span, tag);
        if tag == own || matches!(tag, ScalarTag::Free | ScalarTag::NonSpecific | ScalarTag::Unknown) {
            return Ok(());
        }
        Err(fatal(span, "the tag does not fit: it is for another type of value"))
    }

    fn begin(&mut self, span: SourceSpan, anchor: usize, content: OpenContent<'s>) -> Result<(), Fatal> {
        if self.open.len() >= DEPTH {
            return Err(too_much(span));
        }
        let since = Counts { events: self.counts.events - 1, ..self.counts };
        self.anchored += usize::from(anchor != 0);
        self.check_budget(span)?;
        self.open.push(Open { span, anchor, since, deepest: 0, content });
        Ok(())
    }

    fn end(&mut self) -> Result<Option<SourceNode<'s>>, Fatal> {
        // The parser never ends a list or mapping that it has not begun.
        let Some(Open { span, anchor, since, deepest, content }) = self.open.pop() else { return Ok(None) };
        let value = match content {
            OpenContent::List(items) => NodeValue::List(items),
            OpenContent::Map { entries, merged, .. } => NodeValue::Map(self.unique(entries, merged)),
        };
        let node = SourceNode::new(span, value);
        if anchor != 0 {
            self.keep(anchor, &node, since, deepest + 1)?;
        }
        Ok(self.add(node, deepest + 1))
    }

    /// Keeps the node of an anchor for its aliases.
    fn keep(
        &mut self,
        anchor: usize,
        node: &SourceNode<'s>,
        since: Counts,
        depth: usize,
    ) -> Result<(), Fatal> {
        let counts = self.counts.since(since);
        self.kept.events += counts.events;
        self.kept.owned_bytes += counts.owned_bytes;
        self.check_budget(node.span)?;
        if self.anchors.len() <= anchor {
            self.anchors.resize_with(anchor + 1, || None);
        }
        self.anchors[anchor] = Some(Anchored { node: node.clone(), counts, depth });
        Ok(())
    }

    fn alias(&mut self, span: SourceSpan, anchor: usize) -> Result<Option<SourceNode<'s>>, Fatal> {
        self.aliases += 1;
        if self.open.iter().any(|open| open.anchor == anchor) {
            return Err(fatal(span, "an alias cannot refer to a value that contains it"));
        }
        let Some(Some(Anchored { node, counts, depth })) = self.anchors.get(anchor) else {
            return Err(unknown_anchor(span));
        };
        let depth = *depth;
        self.counts.events += counts.events;
        self.counts.bytes += counts.bytes;
        self.counts.owned_bytes += counts.owned_bytes;
        self.counts.merge_keys += counts.merge_keys;
        self.repeated += counts.events;
        self.check_budget(span)?;
        if self.open.len() + depth > DEPTH {
            return Err(too_much(span));
        }
        let node = node.clone();
        Ok(self.add(node, depth))
    }

    /// Adds a node to the innermost open list or mapping. Returns the node if none is open: then it is the root.
    fn add(&mut self, node: SourceNode<'s>, depth: usize) -> Option<SourceNode<'s>> {
        let Some(open) = self.open.last_mut() else { return Some(node) };
        open.deepest = open.deepest.max(depth);
        match &mut open.content {
            OpenContent::List(items) => items.push(node),
            OpenContent::Map { entries, key, merged } => match key.take() {
                None => *key = Some(WaitingKey::Of(node)),
                Some(WaitingKey::Of(key)) => entries.push((key, node)),
                Some(WaitingKey::Merge) => {
                    let span = node.span;
                    if !merge(node, merged) {
                        let message = "`<<` takes a mapping or a list of mappings".to_owned();
                        self.mistakes.push(Mistake { span, message, hint: None });
                    }
                }
            },
        }
        None
    }

    /// The entries, without those that repeat a key, which is a mistake. Then the merged entries with new keys.
    fn unique(
        &mut self,
        entries: Vec<(SourceNode<'s>, SourceNode<'s>)>,
        merged: Vec<(SourceNode<'s>, SourceNode<'s>)>,
    ) -> Vec<(SourceNode<'s>, SourceNode<'s>)> {
        let mut known = KnownKeys::default();
        let mut kept = entries;
        kept.retain(|(key, _)| {
            let Some(name) = self.identity(key) else { return true };
            let is_new = known.insert(name);
            if !is_new {
                let message =
                    format!("the key {} is defined twice", shown(&self.identity(key).unwrap_or_default()));
                self.mistakes.push(Mistake { span: key.span, message, hint: Some(REPEATED_KEY) });
            }
            is_new
        });
        kept.extend(
            merged.into_iter().filter(|(key, _)| self.identity(key).is_none_or(|name| known.insert(name))),
        );
        kept
    }

    /// The text by which keys are compared. `None` for a value that no reader accepts as a key. For readers `1` and
    /// `"1"` are the same key, so together they are duplicates. `0x1` is compared as the number 1.
    fn identity(&self, key: &SourceNode<'s>) -> Option<Cow<'s, str>> {
        match &key.value {
            NodeValue::Text(text) => Some(text.clone()),
            NodeValue::Number(number) if !number.is_f64() => Some(Cow::Owned(number.to_string())),
            NodeValue::Number(_) | NodeValue::ExactNumber(_) | NodeValue::NonFinite | NodeValue::Bool(_) => {
                let (start, end) = (key.span.start as usize - self.base, key.span.end as usize - self.base);
                self.text.get(start..end).map(Cow::Borrowed)
            }
            NodeValue::Null | NodeValue::List(_) | NodeValue::Map(_) => None,
        }
    }
}

/// Adds the entries of the value of a merge key, which is a mapping or a list of mappings. Returns false for any other
/// value.
fn merge<'s>(node: SourceNode<'s>, merged: &mut Vec<(SourceNode<'s>, SourceNode<'s>)>) -> bool {
    match node.value {
        NodeValue::Null => true,
        NodeValue::Map(entries) => {
            merged.extend(entries);
            true
        }
        NodeValue::List(items) => items.into_iter().all(|item| merge(item, merged)),
        _ => false,
    }
}

/// The keys that were seen. The first few are compared one by one, which is faster than hashing them.
#[derive(Default)]
struct KnownKeys<'s> {
    few: Vec<Cow<'s, str>>,
    many: HashSet<Cow<'s, str>>,
}

impl<'s> KnownKeys<'s> {
    const FEW: usize = 12;

    /// Whether the key is new.
    fn insert(&mut self, key: Cow<'s, str>) -> bool {
        if self.few.len() < Self::FEW {
            let is_new = !self.few.contains(&key);
            if is_new {
                self.few.push(key);
            }
            return is_new;
        }
        !self.few.contains(&key) && self.many.insert(key)
    }
}

/// A document of a file.
pub(crate) struct Chunk {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Splits a text at its document markers, and leaves out documents without content.
///
/// A marker is a line that consists of `---` or `...`, or begins with one of them and white space. YAML does not allow
/// such a line inside a block or quoted scalar, so it is a marker everywhere. The parser gets one document at a time,
/// so that a broken document does not hide the ones after it.
pub(crate) fn documents(text: &str) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let (mut start, mut offset, mut content) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        let marker = |mark: &str| {
            line.strip_prefix(mark)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        };
        let (begins, ends) = (marker("---"), marker("..."));
        if begins && content {
            chunks.push(Chunk { start, end: offset });
            (start, content) = (offset, false);
        }
        offset += line.len();
        if ends {
            if content {
                chunks.push(Chunk { start, end: offset });
            }
            (start, content) = (offset, false);
            continue;
        }
        if content {
            continue;
        }
        let own = if begins { &line[3..] } else { line }.trim();
        // A directive belongs to the document after it, so it does not count as content.
        content = !(own.is_empty() || own.starts_with('#') || line.starts_with('%'));
    }
    if content {
        chunks.push(Chunk { start, end: text.len() });
    }
    chunks
}

/// The line of a span or the line after it, whichever is indented with a tab.
fn tab_line(text: &str, span: SourceSpan) -> Option<SourceSpan> {
    let at = span.offset()?.min(text.len());
    let first = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let mut start = first;
    for line in text[first..].split_inclusive('\n').take(2) {
        let blank = line.len() - line.trim_start().len();
        if line[..blank].contains('\t') && !line.trim().is_empty() {
            return Some(SourceSpan::new(start, start));
        }
        start += line.len();
    }
    None
}

fn mustache_in_line(text: &str, span: SourceSpan) -> Option<SourceSpan> {
    let at = span.offset()?.min(text.len());
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let found = start + mustache::find(text[start..].lines().next()?)?;
    Some(SourceSpan::new(found, found))
}
