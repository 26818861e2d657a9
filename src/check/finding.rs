//! A finding: a problem of a prompt or of its file, with its code and its place.

use super::code::{Code, Severity};
use super::fix::Fix;
use crate::error::{ContextValue, Error, Kind, Place};

/// The name under which an error keeps the code of a rule in its context.
pub const CODE: &str = "code";

/// A problem of a prompt or of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub code: Code,
    /// The problem, in one line.
    pub message: String,
    /// The place in the file; in the template, if the prompt comes from no file.
    pub place: Option<Place>,
    /// The path of the file.
    pub file: Option<String>,
    /// The id of the prompt.
    pub prompt_id: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// What a program can do about it. Only a check that is asked for fixes has them.
    pub fix: Option<Fix>,
}

impl Finding {
    /// A finding without a place.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            place: None,
            file: None,
            prompt_id: None,
            hint: None,
            fix: None,
        }
    }

    /// A finding at a place in a file.
    #[must_use]
    pub fn in_file(code: Code, message: impl Into<String>, place: Place) -> Self {
        Self { file: place.name.clone(), place: Some(place), ..Self::new(code, message) }
    }

    /// Adds a hint about what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
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

    /// Adds a fix, if there is one.
    #[must_use]
    pub fn with_fix(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix;
        self
    }

    /// The finding that an error of a load is.
    #[must_use]
    pub fn of_error(error: &Error) -> Self {
        let text = |wanted: &str| {
            error.context().iter().find_map(|(name, value)| match value {
                ContextValue::Text(text) if *name == wanted => Some(text.clone()),
                _ => None,
            })
        };
        let place = error.place();
        Self {
            code: code_of(error),
            message: error.message().to_owned(),
            file: text("path").or_else(|| place.and_then(|place| place.name.clone())),
            place: place.cloned(),
            prompt_id: text("prompt_id"),
            hint: error.hint().map(str::to_owned),
            fix: None,
        }
    }

    /// The error for a finding with which a prompt must not load.
    #[must_use]
    pub fn into_error(self) -> Error {
        let mut error = Error::new(Kind::TemplateSyntax, self.message).with_context(CODE, self.code.as_str());
        if let Some(place) = self.place {
            error = error.with_place(place);
        }
        if let Some(hint) = self.hint {
            error = error.with_hint(hint);
        }
        if let Some(id) = self.prompt_id {
            error = error.with_context("prompt_id", id);
        }
        match self.file {
            Some(file) => error.with_context("path", file),
            None => error,
        }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// The message with code, place, source line and hint, as a compiler prints it.
    #[must_use]
    pub fn report(&self) -> String {
        let Self { code, message, place, hint, .. } = self;
        let place = place.as_ref().map(ToString::to_string).unwrap_or_default();
        let hint = hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
        format!("{message} [{} {code}]{place}{hint}", code.number())
    }
}

/// The rule that an error is about: the one that the error names, or else that of its kind.
fn code_of(error: &Error) -> Code {
    let named = error.context().iter().find_map(|(name, value)| match value {
        ContextValue::Text(code) if *name == CODE => {
            Code::ALL.into_iter().find(|known| known.as_str() == code)
        }
        _ => None,
    });
    named.unwrap_or(match error.kind() {
        Kind::TemplateSyntax | Kind::TemplateRender => Code::TemplateSyntax,
        Kind::StorageRead | Kind::StorageWrite => Code::UnreadableFile,
        Kind::SchemaParse | Kind::SchemaInvalid => Code::InvalidSchema,
        Kind::Schema => Code::UnknownSchema,
        _ => Code::InvalidPrompt,
    })
}

/// The text of a warning about these findings.
#[must_use]
pub fn report(findings: &[Finding]) -> String {
    let reports: Vec<String> = findings.iter().map(Finding::report).collect();
    match reports.len() {
        1 => reports.concat(),
        count => format!("{count} problems\n\n{}", reports.join("\n\n")),
    }
}
