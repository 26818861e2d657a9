//! YAML, as every file of ours is read: the parser's options, documents one by one, and its errors as ours.

use std::borrow::Cow;

use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error as YamlError, MergeKeyPolicy, NonFiniteFloatPolicy, Options};

use super::{At, shown, sort_of, split};
use crate::error::{Error, Kind, Place, Result};

/// The bytes of a file as text.
///
/// # Errors
/// [`Kind::PromptInvalid`] at the first byte that is not UTF-8.
pub(crate) fn decode<'a>(file_name: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let found = if utf16 { "it is UTF-16" } else { "it has a byte that is not" };
        Error::new(Kind::PromptInvalid, format!("the file must be UTF-8, and {found}"))
            .with_place(Place::of(Some(file_name), &good, good.len()))
            .with_hint("save the file with the encoding UTF-8")
    })
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
        if content {
            continue;
        }
        let own = if begins { &line[3..] } else { line }.trim();
        // A directive belongs to the document after it, so it is no content of its own.
        content = !(own.is_empty() || own.starts_with('#') || line.starts_with('%'));
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

pub(crate) fn place_in(name: &str, text: &str, line: usize, column: usize) -> Place {
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
            format!("the key {} is there twice", shown(key))
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
