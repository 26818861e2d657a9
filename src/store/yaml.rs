//! Reads prompt files: YAML, and so JSON too. Nothing here touches a disk.
//!
//! A file holds one prompt, a `prompts:` list, or several documents. Each document is parsed in one pass by the
//! visitors of [`crate::prompt`]; this module sets the parser's options, splits documents so that a broken one
//! hides no other, turns the parser's errors into ours, and maps a place in a template back to the file.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error as YamlError, MergeKeyPolicy, NonFiniteFloatPolicy, Options};

use crate::error::{Error, Kind, Place, Result};
use crate::limits::FILE_BYTES;
use crate::prompt::read::{self, Document, WirePrompt};
use crate::prompt::{Prompt, Status};
use crate::wire::{At, sort_of, split};

/// What a file holds. Errors do not hide the prompts that are good.
#[derive(Debug, Default)]
pub struct ReadFile {
    /// The good prompts, in order.
    pub prompts: Vec<LocatedPrompt>,
    /// What the author should know, each with file and line.
    pub warnings: Vec<String>,
    /// What is wrong, each [`Kind::PromptInvalid`] with its place where there is one.
    pub errors: Vec<Error>,
}

/// A prompt and where its templates stand in the file.
#[derive(Debug)]
pub struct LocatedPrompt {
    /// The prompt.
    pub prompt: Prompt,
    /// The file, shared by its prompts.
    file: Arc<File>,
    /// The lines before the prompt's document.
    lines_before: usize,
    id: Option<At>,
    content: Option<At>,
    /// For each chat entry the places of its leaves, in the order of [`crate::prompt::Message::try_map`].
    entries: Vec<Vec<Option<At>>>,
    partials: Vec<Option<At>>,
}

#[derive(Debug)]
struct File {
    name: String,
    text: String,
}

/// A text of a prompt that is compiled as a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeafId<'a> {
    /// The text template.
    Template,
    /// A leaf of a chat entry, counted as [`crate::prompt::Message::try_map`] visits them.
    Message {
        /// Which entry.
        index: usize,
        /// Which leaf of it.
        leaf: usize,
    },
    /// A partial.
    Partial(&'a str),
}

impl fmt::Display for LeafId<'_> {
    /// The path in the prompt: `template`, `messages[2]`, `partials.tone`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Template => f.write_str("template"),
            Self::Message { index, .. } => write!(f, "messages[{index}]"),
            Self::Partial(name) => write!(f, "partials.{name}"),
        }
    }
}

/// Reads a file of prompts. `file_name` is for errors and warnings.
///
/// ```
/// use prompt_manager::store::yaml::read_prompts;
///
/// let file = read_prompts("hello.yaml", "id: hello\nformat: text\ntemplate: Hello {{name}}!\n");
/// assert!(file.errors.is_empty());
/// assert_eq!(file.prompts[0].prompt.id.as_str(), "hello");
/// ```
#[must_use]
pub fn read_prompts(file_name: &str, text: &str) -> ReadFile {
    let mut read = ReadFile::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file = Arc::new(File { name: file_name.to_owned(), text: text.to_owned() });
    if text.len() as u64 > FILE_BYTES {
        read.errors.push(
            read::wrong(format!("the file is larger than {FILE_BYTES} bytes")).with_place(Place {
                name: Some(file_name.to_owned()),
                line: 1,
                column: 1,
                source_line: None,
            }),
        );
        return read;
    }
    for document in documents(text) {
        read_one(&file, &document, &mut read);
    }
    if read.prompts.is_empty() && read.errors.is_empty() {
        let error = read::wrong("the file holds no prompt").with_place(Place::of(Some(file_name), text, 0));
        read.errors.push(error);
    }
    read
}

/// [`read_prompts`] from bytes, which must be UTF-8.
#[must_use]
pub fn read_prompts_bytes(file_name: &str, bytes: &[u8]) -> ReadFile {
    match decode(file_name, bytes) {
        Ok(text) => read_prompts(file_name, text),
        Err(error) => ReadFile { errors: vec![error], ..ReadFile::default() },
    }
}

/// The bytes of a file as text.
///
/// # Errors
/// [`Kind::PromptInvalid`] at the first byte that is not UTF-8.
pub(crate) fn decode<'a>(file_name: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let found = if utf16 { "it is UTF-16" } else { "it has a byte that is not" };
        read::wrong(format!("the file must be UTF-8, and {found}"))
            .with_place(Place::of(Some(file_name), &good, good.len()))
            .with_hint("save the file with the encoding UTF-8")
    })
}

fn read_one(file: &Arc<File>, document: &Chunk<'_>, read: &mut ReadFile) {
    let source = libyaml_end(document.text);
    let mut found = Vec::new();
    let outcome = parse(&source, |deserializer| deserializer.deserialize_map(Root(&mut found)));
    for wire in &found {
        match wire.resolve(Status::Active, Some(&source)).and_then(|prompt| prompt.check().map(|()| prompt)) {
            Ok(prompt) => {
                if let Some(at) = wire.helpers() {
                    read.warnings.push(format!(
                        "{}:{}: `helpers` of prompt `{}` are ignored; register them with the template engine",
                        file.name,
                        at.line + document.lines_before,
                        prompt.id
                    ));
                }
                read.prompts.push(LocatedPrompt::new(prompt, wire, file, document.lines_before));
            }
            Err(error) => {
                let key =
                    error.context().iter().find(|(name, _)| *name == "key").map(|(_, key)| key.as_str());
                let at = wire.place_of(key.unwrap_or("id"));
                let (line, column) = at.map_or((1, 1), |at| (at.line, at.column));
                read.errors.push(error.with_place(place(file, line + document.lines_before, column)));
            }
        }
    }
    if let Err(error) = outcome {
        read.errors.push(translate(
            &error,
            &file.name,
            &file.text,
            document.lines_before,
            Kind::PromptInvalid,
        ));
    }
}

/// Reads a document's root into a list.
struct Root<'a>(&'a mut Vec<WirePrompt>);

impl<'de> Visitor<'de> for Root<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a prompt, which is a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        if let Document::Prompt(prompt) = read::read_document(map, Some(&mut *self.0))? {
            self.0.push(*prompt);
        }
        Ok(())
    }
}

/// Parses one document with the options that hold for all files.
pub(crate) fn parse<'de, T>(
    text: &'de str,
    read: impl for<'e> FnOnce(serde_saphyr::Deserializer<'de, 'e>) -> Result<T, YamlError>,
) -> Result<T, YamlError> {
    serde_saphyr::with_deserializer_from_str_with_options(text, options(text.len()), read)
}

/// A text of `bytes` needs at most one event for each byte and holds at most its own length in scalars. Aliases may
/// double that and no more, which is what stops a file that grows when it is read.
fn options(bytes: usize) -> Options {
    const SMALL: usize = 64 * 1024;
    let room = bytes.max(SMALL);
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 2 * room,
            max_nodes: 2 * room,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: 100_000,
            max_recorded_anchor_bytes: 2 * room,
            max_depth: 40,
            flow_nesting_limit: 40,
            max_total_scalar_bytes: 2 * room,
            max_merge_keys: 1_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Merge,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        // Passed on, because our own visitors refuse it with the path.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    }
}

/// One document of a file.
pub(crate) struct Chunk<'a> {
    pub(crate) text: &'a str,
    /// How many lines of the file come first.
    pub(crate) lines_before: usize,
}

/// Splits a text at its document markers. A line that begins with `---` or `...` and a blank is a marker wherever
/// it stands, in a block or a quoted scalar too: YAML forbids it there. Documents without content are left out.
pub(crate) fn documents(text: &str) -> Vec<Chunk<'_>> {
    let mut chunks = Vec::new();
    let (mut start, mut start_line, mut offset, mut content) = (0, 0, 0, false);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let marker = |mark: &str| {
            line.strip_prefix(mark)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        };
        let (begins, ends) = (marker("---"), marker("..."));
        if begins && content {
            chunks.push(Chunk { text: &text[start..offset], lines_before: start_line });
            (start, start_line, content) = (offset, number, false);
        }
        offset += line.len();
        if ends {
            if content {
                chunks.push(Chunk { text: &text[start..offset], lines_before: start_line });
            }
            (start, start_line, content) = (offset, number + 1, false);
            continue;
        }
        let own = if begins { &line[3..] } else { line }.trim();
        // A directive belongs to the document after it, so it is no content of its own.
        let directive = line.starts_with('%') && !content;
        content |= !(own.is_empty() || own.starts_with('#') || directive);
    }
    if content {
        chunks.push(Chunk { text: &text[start..], lines_before: start_line });
    }
    chunks
}

/// Makes a block scalar at the end of a text without a final line break read as libyaml reads it: without one.
/// The parser adds the break; writing the block's header with `-` keeps it from that.
pub(crate) fn libyaml_end(text: &str) -> Cow<'_, str> {
    if text.ends_with('\n') || text.lines().next_back().is_none_or(|line| line.trim().is_empty()) {
        return Cow::Borrowed(text);
    }
    // The header is the first from the top below which every line to the end is deeper than it.
    let mut header: Option<(usize, usize, usize)> = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if !line.trim().is_empty() && header.is_some_and(|(known, ..)| indent <= known) {
            header = None;
        }
        if header.is_none()
            && let Some((from, to)) = block_header(line)
        {
            header = Some((indent, offset + from, offset + to));
        }
        offset += line.len();
    }
    let Some((_, from, to)) = header else { return Cow::Borrowed(text) };
    let indicators: String = text[from..to].chars().filter(|c| !matches!(c, '+' | '-')).collect();
    Cow::Owned(format!("{}{indicators}-{}", &text[..from], &text[to..]))
}

/// Where in a line the indicators of a block scalar stand (`|`, `>2-`), if it ends with them.
fn block_header(line: &str) -> Option<(usize, usize)> {
    let line = line.trim_end();
    let line = line.find(" #").map_or(line, |comment| &line[..comment]).trim_end();
    let start = line.rfind(['|', '>'])?;
    let rest = &line[start + 1..];
    let indicators = rest.len() <= 2 && rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-'));
    let lead = &line[..start];
    let value = lead.trim().is_empty() || lead.ends_with(' ');
    let key = lead.trim_end().ends_with([':', '-']) || lead.contains(": ") || lead.trim().is_empty();
    (indicators && value && key).then_some((start, line.len()))
}

/// The place of a line and column of the file.
fn place(file: &File, line: usize, column: usize) -> Place {
    place_in(&file.name, &file.text, line, column)
}

fn place_in(name: &str, text: &str, line: usize, column: usize) -> Place {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text[start..].lines().next().unwrap_or_default();
    let offset = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(offset, _)| offset);
    Place::of(Some(name), text, start + offset)
}

/// The parser's error as ours, with the place in the file and a hint where one helps.
pub(crate) fn translate(error: &YamlError, name: &str, text: &str, lines_before: usize, kind: Kind) -> Error {
    let error = error.without_snippet();
    let told = message(error);
    let (at, mut message, mut hint) = match split(&told) {
        Some((line, column, message, hint)) => (Some((line, column)), message, hint),
        None => (error.location().and_then(At::of).map(|at| (at.line, at.column)), told.as_str(), None),
    };
    let (line, column) = at.unwrap_or((1, 1));
    let mut place = place_in(name, text, line + lines_before, column);
    if let YamlError::ExternalMessage { .. } = error
        && let Some(tab) = tab_line(text, place.line)
    {
        place = place_in(name, text, tab, 1);
        (message, hint) = ("a tab cannot indent YAML", Some("indent with spaces"));
    }
    if hint.is_none() && mustache_line(place.source_line.as_deref().unwrap_or_default()) {
        hint = Some(MUSTACHE);
    }
    let error = Error::new(kind, message).with_place(place);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

const MUSTACHE: &str = "a value that begins with `{{` is a mapping to YAML: write it in quotes, \"{{name}}\", \
                        or as a block with `|`";

/// The line at or just after this one that is indented with a tab.
fn tab_line(text: &str, line: usize) -> Option<usize> {
    let indented =
        |line: &str| line[..line.len() - line.trim_start().len()].contains('\t') && !line.trim().is_empty();
    let nearby = text.lines().enumerate().skip(line.saturating_sub(1)).take(2);
    nearby.filter(|(_, line)| indented(line)).map(|(number, _)| number + 1).next()
}

/// Whether the line has a value that begins with two braces outside quotes.
fn mustache_line(line: &str) -> bool {
    let line = line.trim_start();
    let mut values = line.match_indices(": ").map(|(offset, _)| &line[offset + 2..]);
    values.any(|value| value.trim_start().starts_with("{{"))
        || line.strip_prefix("- ").unwrap_or(line).trim_start().starts_with("{{")
}

/// What the parser says, in our words and without values.
fn message(error: &YamlError) -> String {
    match error {
        YamlError::Message { msg, .. } => msg.clone(),
        YamlError::ExternalMessage { msg, .. } => format!("this is not YAML: {msg}"),
        YamlError::SerdeInvalidType { unexpected, expected, .. } => {
            format!("{} stands here; expected {expected}", sort_of(unexpected))
        }
        YamlError::SerdeInvalidValue { unexpected, expected, .. } => {
            format!("{unexpected}; expected {expected}")
        }
        YamlError::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
        YamlError::Unexpected { expected, .. } => format!("{} is expected here", sort_word(expected)),
        YamlError::NullIntoString { .. } => "a text is expected here, and there is nothing".to_owned(),
        YamlError::InvalidScalar { ty, .. } => format!("{} is expected here", sort_word(ty)),
        YamlError::InvalidBooleanStrict { .. } => "`true` or `false` is expected here".to_owned(),
        YamlError::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key {} is there twice", crate::wire::shown(key))
        }
        YamlError::DuplicateMappingKey { key: None, .. } => "a key is there twice".to_owned(),
        YamlError::Eof { .. } => "the text ends where a value is expected".to_owned(),
        YamlError::UnknownAnchor { .. } => "this alias has no anchor".to_owned(),
        YamlError::Budget { .. }
        | YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. }
        | YamlError::AliasReplayCounterOverflow { .. } => {
            "the document nests too deep, or grows too much by its aliases".to_owned()
        }
        YamlError::MultipleDocuments { .. } => "a second document needs `---` before it".to_owned(),
        YamlError::AliasError { error, .. } => message(error),
        // The text of what is left holds no values; its place is cut off, because ours says it.
        other => {
            let text = other.to_string();
            text.split(" at line ").next().unwrap_or_default().to_owned()
        }
    }
}

/// The parser's word for what it wants.
fn sort_word(expected: &str) -> &str {
    match expected {
        "string scalar" | "scalar" => "a text",
        "sequence start" => "a list",
        "mapping start" => "a mapping",
        "boolean" => "`true` or `false`",
        "floating point" | "f64" => "a number",
        "i64" | "u64" => "a whole number",
        other => other,
    }
}

impl LocatedPrompt {
    fn new(prompt: Prompt, wire: &WirePrompt, file: &Arc<File>, lines_before: usize) -> Self {
        let (mut content, mut entries, mut partials) = (None, Vec::new(), Vec::new());
        if let Some(template) = &wire.template {
            content = template.value.content.at;
            partials = template.value.partials.iter().map(|(_, leaf)| leaf.at).collect();
        }
        if let Some(chat) = &wire.chat_template {
            entries = chat.value.messages.iter().map(read::places).collect();
            partials = chat.value.partials.iter().map(|(_, leaf)| leaf.at).collect();
        }
        Self { prompt, file: Arc::clone(file), lines_before, id: wire.id.at, content, entries, partials }
    }

    /// The name of the file.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file.name
    }

    /// Where the prompt's id stands.
    #[must_use]
    pub fn place(&self) -> Place {
        let (line, column) = self.id.map_or((1, 1), |at| (at.line, at.column));
        place(&self.file, line + self.lines_before, column)
    }

    /// The place in the file of a line and column of a template. Exact for a literal block (`|`) and for a text on
    /// one line without escapes; otherwise where the text begins. `None` for a leaf that has no place: one that is
    /// not there, or a text inside a tool call's arguments.
    #[must_use]
    pub fn place_in_file(&self, leaf: LeafId<'_>, line: usize, column: usize) -> Option<Place> {
        let at = self.leaf_at(leaf)?;
        let text = self.leaf_text(leaf)?;
        let start_line = at.line + self.lines_before;
        let exact = || {
            let wanted = text.split('\n').nth(line.checked_sub(1)?)?;
            self.in_block(text, start_line, wanted, line)
                .map(|(line, indent)| (line, indent + column))
                .or_else(|| Some((start_line, self.on_line(start_line, at.column, wanted, line)? + column)))
        };
        let (line, column) = exact().unwrap_or((start_line, at.column));
        Some(place(&self.file, line, column))
    }

    fn leaf_at(&self, leaf: LeafId<'_>) -> Option<At> {
        match leaf {
            LeafId::Template => self.content,
            LeafId::Message { index, leaf } => *self.entries.get(index)?.get(leaf)?,
            LeafId::Partial(name) => *self.partials.get(self.partial_index(name)?)?,
        }
    }

    fn partial_index(&self, name: &str) -> Option<usize> {
        self.partials_of().iter().position(|(known, _)| known == name)
    }

    fn partials_of(&self) -> &[(String, String)] {
        match (&self.prompt.template, &self.prompt.chat_template) {
            (Some(template), _) => &template.partials,
            (None, Some(chat)) => &chat.partials,
            (None, None) => &[],
        }
    }

    fn leaf_text(&self, leaf: LeafId<'_>) -> Option<&str> {
        match leaf {
            LeafId::Template => Some(&self.prompt.template.as_ref()?.content),
            LeafId::Partial(name) => Some(&self.partials_of().get(self.partial_index(name)?)?.1),
            LeafId::Message { index, leaf } => {
                let entry = self.prompt.chat_template.as_ref()?.messages.get(index)?;
                let crate::prompt::ChatEntry::Message(message) = entry else { return None };
                let mut leaves: Vec<&str> = Vec::new();
                message
                    .try_map(|text| {
                        leaves.push(text);
                        Ok(())
                    })
                    .ok()?;
                leaves.get(leaf).copied()
            }
        }
    }

    fn file_line(&self, line: usize) -> Option<&str> {
        self.file.text.lines().nth(line.checked_sub(1)?)
    }

    /// The file's line for a template's line in a literal block, and its indentation; only if it really is there.
    /// The parser places a block at its first line that is not blank.
    fn in_block(&self, text: &str, start_line: usize, wanted: &str, line: usize) -> Option<(usize, usize)> {
        let blank_lines = text.len() - text.trim_start_matches('\n').len();
        let file_line = (start_line + line - 1).checked_sub(blank_lines)?;
        let indent = self.file_line(file_line)?.strip_suffix(wanted)?;
        indent.chars().all(|c| c == ' ').then_some((file_line, indent.len()))
    }

    /// The characters before a one-line text on its line; only if it really is there.
    fn on_line(&self, start_line: usize, column: usize, wanted: &str, line: usize) -> Option<usize> {
        let mut before = column - 1;
        let mut rest = self.file_line(start_line)?.chars();
        let mut ahead = rest.clone();
        ahead.nth(before).filter(|_| line == 1).map(|first| {
            if matches!(first, '"' | '\'') {
                before += 1;
            }
        })?;
        if before > 0 {
            rest.nth(before - 1)?;
        }
        rest.as_str().starts_with(wanted).then_some(before)
    }
}
