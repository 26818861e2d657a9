//! The error type of the core. An error has a kind, a message, a place and a hint about what to do.
//!
//! Code that reads a template knows only an offset into it. [`Error::at`] keeps that offset, and [`Error::locate`]
//! computes line and column once, when the error leaves the template. An error never holds the value of a variable.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The result type of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an error. Each kind is one exception class of the Python package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A prompt operation failed, and no other kind applies.
    Prompt,
    /// No prompt has this id.
    PromptNotFound,
    /// A prompt or a prompt file breaks a rule.
    PromptInvalid,
    /// A template cannot be parsed.
    TemplateSyntax,
    /// A template cannot be rendered with these variables.
    TemplateRender,
    /// The prompt exists, but not in this version.
    VersionNotFound,
    /// The id and version already exist, and this prompt may not replace them.
    VersionConflict,
    /// A file or directory cannot be read.
    StorageRead,
    /// A file or directory cannot be written.
    StorageWrite,
    /// A schema is missing or misused.
    Schema,
    /// A schema file breaks a rule.
    SchemaParse,
    /// Data does not fit a schema.
    SchemaInvalid,
    /// A prompt cannot be passed to a provider.
    Integration,
    /// A rendered prompt breaks a rule of the provider.
    Conversion,
    /// The provider does not accept prompts of this format.
    IncompatibleFormat,
    /// The caller's code raised an exception. It is passed on unchanged.
    Foreign,
}

/// A position in a file or template. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's path or the template's name.
    pub name: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The text of the line, shown with a caret. A very long line is cut.
    pub source_line: Option<String>,
}

/// An error of the core. One pointer wide, so that results stay small.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.repr.message)]
pub struct Error {
    repr: Box<Repr>,
}

#[derive(Debug)]
struct Repr {
    kind: Kind,
    message: String,
    offset: Option<usize>,
    place: Option<Place>,
    hint: Option<String>,
    context: Vec<(&'static str, ContextValue)>,
    errors: Vec<Error>,
    cause: Option<Cause>,
}

/// A value of an error's context, for programs to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextValue {
    /// A text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// A list of records; each record has the same named texts.
    Records(Vec<Vec<(&'static str, String)>>),
}

impl From<String> for ContextValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for ContextValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for ContextValue {
    fn from(texts: Vec<String>) -> Self {
        Self::List(texts)
    }
}

/// The error of foreign code that caused an error of this crate.
pub type Cause = Arc<dyn StdError + Send + Sync + 'static>;

impl Error {
    /// Makes an error of this kind with a one-line message.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            repr: Box::new(Repr {
                kind,
                message: message.into(),
                offset: None,
                place: None,
                hint: None,
                context: Vec::new(),
                errors: Vec::new(),
                cause: None,
            }),
        }
    }

    /// Sets the byte offset in the source, unless an offset or a place is already known.
    #[must_use]
    pub fn at(mut self, offset: usize) -> Self {
        if self.repr.place.is_none() {
            self.repr.offset.get_or_insert(offset);
        }
        self
    }

    /// Turns the offset into a place in `source`. Does nothing without an offset or if the place is already known.
    #[must_use]
    pub fn locate(mut self, name: Option<&str>, source: &str) -> Self {
        if let Some(offset) = self.repr.offset.take()
            && self.repr.place.is_none()
        {
            self.repr.place = Some(Place::of(name, source, offset));
        }
        self
    }

    /// Sets the place and replaces any earlier one.
    #[must_use]
    pub fn with_place(mut self, place: Place) -> Self {
        self.repr.offset = None;
        self.repr.place = Some(place);
        self
    }

    /// Adds a hint about what to do. An earlier hint is kept.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.repr.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Adds a hint, if there is one.
    #[must_use]
    pub fn with_optional_hint(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.with_hint(hint),
            None => self,
        }
    }

    /// Adds a context value for programs to read, such as `("prompt_id", "greeting")`. An earlier value of the same
    /// name is kept.
    #[must_use]
    pub fn with_context(mut self, name: &'static str, value: impl Into<ContextValue>) -> Self {
        if !self.repr.context.iter().any(|(known, _)| *known == name) {
            self.repr.context.push((name, value.into()));
        }
        self
    }

    /// Adds the errors that this error summarizes.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Error>) -> Self {
        self.repr.errors = errors;
        self
    }

    /// The only error, or one that sums up several: "3 problems in the prompt".
    #[must_use]
    pub fn sum_up(kind: Kind, place: &str, mut errors: Vec<Error>) -> Option<Self> {
        match errors.len() {
            0 | 1 => errors.pop(),
            count => Some(Self::new(kind, format!("{count} problems in {place}")).with_errors(errors)),
        }
    }

    /// Adds the error of foreign code that caused this error.
    #[must_use]
    pub fn with_cause(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.repr.cause = Some(Arc::new(cause));
        self
    }

    /// Replaces kind and message. Place, hint, context, errors and cause are kept.
    #[must_use]
    pub fn recast(mut self, kind: Kind, message: impl Into<String>) -> Self {
        self.repr.kind = kind;
        self.repr.message = message.into();
        self
    }

    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.repr.kind
    }

    /// The one-line message, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.repr.message
    }

    /// The byte offset in the source, if the error is not located yet.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        self.repr.offset
    }

    /// The place, if it is known.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.repr.place.as_ref()
    }

    /// The hint about what to do.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.repr.hint.as_deref()
    }

    /// The context values for programs to read.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, ContextValue)] {
        &self.repr.context
    }

    /// The errors that this error summarizes.
    #[must_use]
    pub fn errors(&self) -> &[Error] {
        &self.repr.errors
    }

    /// The error of foreign code that caused this error.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        self.repr.cause.as_ref()
    }

    /// Formats message, place, source line with a caret, and hint as a compiler does.
    #[must_use]
    pub fn report(&self) -> String {
        let mut text = self.message().to_owned();
        if let Some(place) = self.place() {
            text.push_str(&place.to_string());
        }
        if let Some(hint) = self.hint() {
            text.push_str("\n  hint: ");
            text.push_str(hint);
        }
        for (_, value) in self.context() {
            // The message already contains a single record.
            let ContextValue::Records(records) = value else { continue };
            for record in records.iter().filter(|_| records.len() > 1) {
                let text_of =
                    |wanted: &str| record.iter().find(|(name, _)| *name == wanted).map(|(_, text)| text);
                let path = text_of("path").filter(|path| !path.is_empty()).map(|path| format!("{path}: "));
                let message = text_of("message").map_or("", String::as_str);
                text.push_str("\n  - ");
                text.push_str(&path.unwrap_or_default());
                text.push_str(message);
            }
        }
        for error in self.errors() {
            text.push_str("\n\n");
            text.push_str(&error.report());
        }
        text
    }
}

/// Maximum number of characters of a source line that are shown.
const MAX_SHOWN_LINE: usize = 160;

/// Where the lines of a text begin, and how many characters come before parts of it. With it, the places of many offsets in
/// one text take no longer than the text, even if it is one long line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineStarts {
    starts: Vec<usize>,
    /// The number of characters before each multiple of [`Self::BLOCK`]. Only long lines need it.
    chars: OnceLock<Vec<usize>>,
}

impl LineStarts {
    /// The number of bytes in which characters are counted one by one.
    const BLOCK: usize = 1024;

    /// Finds the lines of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes());
        Self { starts: std::iter::once(0).chain(newlines.map(|at| at + 1)).collect(), chars: OnceLock::new() }
    }

    /// The line of an offset, counted from 1.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// The offset at which a line begins. Lines are counted from 1.
    #[must_use]
    pub fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line.checked_sub(1)?).copied()
    }

    /// A line of the text, without its line break; `text` is the text that [`Self::of`] was given.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str, line: usize) -> Option<&'t str> {
        let end = self.start(line + 1).map_or(text.len(), |next| next - 1);
        Some(&text[self.start(line)?..end])
    }

    /// The offset of a line and column; the end of the line, if it is shorter.
    #[must_use]
    pub fn offset(&self, text: &str, line: usize, column: usize) -> Option<usize> {
        let begin = self.start(line)?;
        let length = self.text(text, line)?.trim_end_matches('\r').len();
        let before = column.checked_sub(1)?;
        if length <= Self::BLOCK {
            let mut offsets = text[begin..begin + length].char_indices();
            return Some(begin + offsets.nth(before).map_or(length, |(offset, _)| offset));
        }
        let wanted = self.chars_before(text, begin) + before;
        let block = self.counts(text).partition_point(|count| *count <= wanted).saturating_sub(1);
        let ahead = wanted - self.counts(text)[block];
        let mut starts =
            (block * Self::BLOCK..begin + length).filter(|offset| text.is_char_boundary(*offset));
        Some(starts.nth(ahead).unwrap_or(begin + length))
    }

    /// The column of an offset, counted in characters from 1.
    fn column(&self, text: &str, line_start: usize, offset: usize) -> usize {
        if offset - line_start <= Self::BLOCK {
            return text[line_start..offset].chars().count() + 1;
        }
        self.chars_before(text, offset) - self.chars_before(text, line_start) + 1
    }

    fn chars_before(&self, text: &str, offset: usize) -> usize {
        let block = offset / Self::BLOCK;
        self.counts(text)[block] + first_bytes(&text.as_bytes()[block * Self::BLOCK..offset])
    }

    fn counts(&self, text: &str) -> &[usize] {
        self.chars.get_or_init(|| {
            let blocks = text.as_bytes().chunks(Self::BLOCK).scan(0, |sum, block| {
                *sum += first_bytes(block);
                Some(*sum)
            });
            std::iter::once(0).chain(blocks).collect()
        })
    }
}

/// The number of bytes with which a character begins.
fn first_bytes(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

impl Place {
    /// The place of byte `offset` in `source`. An offset past the end gives the place of the end.
    #[must_use]
    pub fn of(name: Option<&str>, source: &str, offset: usize) -> Self {
        let offset = offset.min(source.len());
        let newlines = memchr::memchr_iter(b'\n', &source.as_bytes()[..offset]);
        let (count, last) = newlines.fold((0, None), |(count, _), at| (count + 1, Some(at)));
        let line_start = last.map_or(0, |at| at + 1);
        let rest = &source[line_start..];
        let text = &rest[..memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len())];
        let column = source[line_start..source.floor_char_boundary(offset)].chars().count() + 1;
        Self::new(name, count + 1, column, text)
    }

    /// [`Place::of`] for a source whose lines are known.
    #[must_use]
    pub fn with_lines(name: Option<&str>, source: &str, offset: usize, lines: &LineStarts) -> Self {
        let offset = source.floor_char_boundary(offset);
        let line = lines.line(offset);
        let column = lines.column(source, lines.start(line).unwrap_or_default(), offset);
        Self::new(name, line, column, lines.text(source, line).unwrap_or_default())
    }

    fn new(name: Option<&str>, line: usize, column: usize, text: &str) -> Self {
        let text = text.strip_suffix('\r').unwrap_or(text);
        Self {
            name: name.map(str::to_owned),
            line,
            column,
            source_line: Some(text.chars().take(MAX_SHOWN_LINE).collect()),
        }
    }
}

/// The known name that is most similar to `name`, for "did you mean"; `None` if none is similar enough.
#[must_use]
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    const MAX_COMPARED: usize = 64;
    let name: String = name.chars().take(MAX_COMPARED).collect::<String>().to_lowercase();
    let max_distance = name.chars().count().div_ceil(3).min(3);
    // Names of other lengths differ in as many characters. Only for ASCII, where small letters are as long as capitals.
    let may_be_near = |candidate: &str| {
        !candidate.is_ascii() || !name.is_ascii() || candidate.len().abs_diff(name.len()) <= max_distance
    };
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= 4 * MAX_COMPARED && may_be_near(candidate))
        .map(|candidate| (strsim::osa_distance(&name, &candidate.to_lowercase()), candidate))
        // A candidate whose every character would have to change is a different name.
        .filter(|(distance, candidate)| *distance <= max_distance && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

impl fmt::Display for Place {
    /// Writes ` at NAME:LINE:COLUMN`, then the source line with a caret if the line is known and not blank.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "\n  at {name}:{}:{}", self.line, self.column)?,
            None => write!(f, "\n  at line {}, column {}", self.line, self.column)?,
        }
        let Some(line) = self.source_line.as_deref().filter(|line| !line.trim().is_empty()) else {
            return Ok(());
        };
        let number = self.line.to_string();
        write!(f, "\n  {number} | {line}")?;
        if self.column <= line.chars().count() + 1 {
            // Tabs stay tabs, so that the caret is below its character at any tab width.
            let lead: String =
                line.chars().take(self.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(f, "\n  {:width$} | {lead}^", "", width = number.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{LineStarts, Place};

    /// Lines of all lengths around a block, with characters of one to four bytes and with both line breaks.
    fn texts() -> Vec<String> {
        let lines = |unit: &str, lengths: &[usize], line_break: &str| {
            lengths.iter().map(|length| unit.repeat(*length)).collect::<Vec<_>>().join(line_break)
        };
        vec![
            String::new(),
            "\n\n".to_owned(),
            lines("a", &[0, 1023, 1024, 1025, 2500, 3], "\n"),
            lines("é", &[2, 511, 512, 513, 900], "\r\n"),
            lines("a√🙂", &[127, 128, 129, 300, 0, 1], "\n"),
            lines("🙂a", &[1, 700], "\n") + "\n",
        ]
    }

    #[test]
    fn a_place_in_a_text_with_known_lines_is_that_in_the_text() {
        for text in texts() {
            let lines = LineStarts::of(&text);
            for offset in 0..text.len() + 2 {
                let place = Place::with_lines(Some("f"), &text, offset, &lines);
                assert_eq!(place, Place::of(Some("f"), &text, offset), "{offset}");
            }
        }
    }

    #[test]
    fn the_offset_of_a_place_is_where_it_came_from() {
        for text in texts() {
            let lines = LineStarts::of(&text);
            for offset in (0..text.len()).filter(|offset| text.is_char_boundary(*offset)) {
                let place = Place::with_lines(None, &text, offset, &lines);
                let is_line_end = text[offset..].starts_with("\r\n") || text[offset..].starts_with('\n');
                let found = lines.offset(&text, place.line, place.column);
                assert!(found == Some(offset) || is_line_end && found < Some(offset), "{offset} {found:?}");
                assert_eq!(lines.offset(&text, place.line, 9_999), lines.offset(&text, place.line, 99_999));
            }
            assert_eq!(lines.offset(&text, text.split('\n').count() + 1, 1), None);
        }
    }
}
