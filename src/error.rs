//! The one error type of the core: a kind, what happened, where, and what to do about it.
//!
//! Code that reads a template knows only an offset into it; [`Error::at`] keeps that offset and [`Error::locate`]
//! works out line and column once, when the error leaves the template. Nothing here ever holds a variable's value.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// What the functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong; each kind is one exception class of the Python package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A prompt operation failed for a reason that has no kind of its own.
    Prompt,
    /// No prompt has this id.
    PromptNotFound,
    /// A prompt, or a file that should hold one, breaks a rule.
    PromptInvalid,
    /// A template cannot be parsed.
    TemplateSyntax,
    /// A template cannot be rendered with these variables.
    TemplateRender,
    /// The prompt exists, this version of it does not.
    VersionNotFound,
    /// An id and version exist already with other content.
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
    /// A prompt cannot be handed to a provider.
    Integration,
    /// A rendered prompt breaks a rule of the provider.
    Conversion,
    /// The provider has no form for a prompt of this format.
    IncompatibleFormat,
    /// Code of the caller raised; the cause is passed on as it is.
    Foreign,
}

/// Where in a file or template something was found. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's path or the template's name.
    pub name: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The line's text, for showing with a caret; cut where it is very long.
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
    context: Vec<(&'static str, Fact)>,
    errors: Vec<Error>,
    cause: Option<Cause>,
}

/// A fact about an error, for programs to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// One text.
    Text(String),
    /// Several.
    List(Vec<String>),
    /// Several facts of one form, each of named texts.
    Records(Vec<Vec<(&'static str, String)>>),
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Fact {
    fn from(texts: Vec<String>) -> Self {
        Self::List(texts)
    }
}

/// An error of somebody else's that led to one of ours.
pub type Cause = Arc<dyn StdError + Send + Sync + 'static>;

impl Error {
    /// An error of this kind with a one-line message.
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

    /// Notes the byte offset in the source that is being read, unless one is known already.
    #[must_use]
    pub fn at(mut self, offset: usize) -> Self {
        if self.repr.place.is_none() {
            self.repr.offset.get_or_insert(offset);
        }
        self
    }

    /// Turns the noted offset into a place in `source`. Without an offset, or with a place already, nothing changes.
    #[must_use]
    pub fn locate(mut self, name: Option<&str>, source: &str) -> Self {
        if let Some(offset) = self.repr.offset.take()
            && self.repr.place.is_none()
        {
            self.repr.place = Some(Place::of(name, source, offset));
        }
        self
    }

    /// Sets the place outright, replacing what was known.
    #[must_use]
    pub fn with_place(mut self, place: Place) -> Self {
        self.repr.offset = None;
        self.repr.place = Some(place);
        self
    }

    /// Adds what the reader can do about it. The first hint stays.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.repr.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Adds a fact for programs to read, such as `("prompt_id", "greeting")`. The first of a name stays.
    #[must_use]
    pub fn with_context(mut self, name: &'static str, value: impl Into<Fact>) -> Self {
        if !self.repr.context.iter().any(|(known, _)| *known == name) {
            self.repr.context.push((name, value.into()));
        }
        self
    }

    /// Adds the errors that this one sums up.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Error>) -> Self {
        self.repr.errors = errors;
        self
    }

    /// The only one of several errors, or one that names them all: "3 problems in the prompt".
    #[must_use]
    pub fn sum_up(kind: Kind, place: &str, mut errors: Vec<Error>) -> Option<Self> {
        match errors.len() {
            0 | 1 => errors.pop(),
            count => Some(Self::new(kind, format!("{count} problems in {place}")).with_errors(errors)),
        }
    }

    /// Adds the error of somebody else's code that led to this one.
    #[must_use]
    pub fn with_cause(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.repr.cause = Some(Arc::new(cause));
        self
    }

    /// The same error with another kind and message; place, hint, context and cause stay.
    #[must_use]
    pub fn recast(mut self, kind: Kind, message: impl Into<String>) -> Self {
        self.repr.kind = kind;
        self.repr.message = message.into();
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.repr.kind
    }

    /// One line that says what happened, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.repr.message
    }

    /// Where it happened, once it is known.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.repr.place.as_ref()
    }

    /// What the reader can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.repr.hint.as_deref()
    }

    /// The facts for programs to read.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, Fact)] {
        &self.repr.context
    }

    /// The errors that this one sums up.
    #[must_use]
    pub fn errors(&self) -> &[Error] {
        &self.repr.errors
    }

    /// The error of somebody else's code that led to this one.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        self.repr.cause.as_ref()
    }

    /// Message, place, the line with a caret, and hint, as a compiler prints them.
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
        for (_, fact) in self.context() {
            // One alone is in the message.
            let Fact::Records(records) = fact else { continue };
            for record in records.iter().filter(|_| records.len() > 1) {
                let said =
                    |wanted: &str| record.iter().find(|(name, _)| *name == wanted).map(|(_, said)| said);
                let path = said("path").filter(|path| !path.is_empty()).map(|path| format!("{path}: "));
                let message = said("message").map_or("", String::as_str);
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

/// How much of a source line is kept for showing.
const SHOWN_LINE: usize = 160;

impl Place {
    /// The place of byte `offset` in `source`. An offset past the end means the end.
    #[must_use]
    pub fn of(name: Option<&str>, source: &str, offset: usize) -> Self {
        let mut offset = offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        let line_start = source[..offset].rfind('\n').map_or(0, |newline| newline + 1);
        let text = source[line_start..].lines().next().unwrap_or_default();
        Self {
            name: name.map(str::to_owned),
            line: source[..line_start].matches('\n').count() + 1,
            column: source[line_start..offset].chars().count() + 1,
            source_line: Some(text.chars().take(SHOWN_LINE).collect()),
        }
    }
}

/// The known name that `name` is most likely a slip of; `None` where nothing is near.
#[must_use]
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    const LOOKED_AT: usize = 64;
    let name: String = name.chars().take(LOOKED_AT).collect::<String>().to_lowercase();
    let room = name.chars().count().div_ceil(3).min(3);
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= 4 * LOOKED_AT)
        .map(|candidate| (strsim::osa_distance(&name, &candidate.to_lowercase()), candidate))
        // A name of which nothing is left is another name.
        .filter(|(distance, candidate)| *distance <= room && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

impl fmt::Display for Place {
    /// ` at NAME:LINE:COLUMN`, then the line and a caret where the line is known and not blank.
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
            // Tabs stay tabs, so that the caret stands below its character in any terminal.
            let lead: String =
                line.chars().take(self.column - 1).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            write!(f, "\n  {:width$} | {lead}^", "", width = number.len())?;
        }
        Ok(())
    }
}
