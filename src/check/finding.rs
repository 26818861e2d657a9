//! A finding: a problem of a prompt or of its file, with its code and its place.

use std::fmt;

use crate::error::{ContextValue, Error, Kind, Place};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The prompt loads and renders, and probably not as its author meant it.
    Warning,
    /// The prompt does not load, or cannot be rendered.
    Error,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The rule that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A variable that is used and not declared.
    UndeclaredVariable,
    /// A variable that is declared and never used.
    UnusedVariable,
    /// A partial that exists nowhere.
    UnknownPartial,
    /// A helper that exists nowhere.
    UnknownHelper,
    /// A YAML comment that cuts a text.
    YamlComment,
    /// Syntax of another template language.
    ForeignSyntax,
    /// Helpers in a prompt file, which have no effect.
    IgnoredHelpers,
    /// A part of a schema that has no effect.
    SchemaWithoutEffect,
    /// A label that a prompt file and the file of labels point at different versions.
    LabelDisagreement,
    /// A file that cannot be read.
    UnreadableFile,
    /// A prompt that breaks a rule of prompt files.
    InvalidPrompt,
    /// A template that cannot be parsed.
    TemplateSyntax,
    /// A schema that cannot be used.
    InvalidSchema,
    /// A schema that a prompt names and that does not exist.
    UnknownSchema,
    /// A version that a label points at and that does not exist.
    UnknownLabelTarget,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 15] = [
        Self::UndeclaredVariable,
        Self::UnusedVariable,
        Self::UnknownPartial,
        Self::UnknownHelper,
        Self::YamlComment,
        Self::ForeignSyntax,
        Self::IgnoredHelpers,
        Self::SchemaWithoutEffect,
        Self::LabelDisagreement,
        Self::UnreadableFile,
        Self::InvalidPrompt,
        Self::TemplateSyntax,
        Self::InvalidSchema,
        Self::UnknownSchema,
        Self::UnknownLabelTarget,
    ];

    /// The name of the rule.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UndeclaredVariable => "undeclared-variable",
            Self::UnusedVariable => "unused-variable",
            Self::UnknownPartial => "unknown-partial",
            Self::UnknownHelper => "unknown-helper",
            Self::YamlComment => "yaml-comment",
            Self::ForeignSyntax => "foreign-syntax",
            Self::IgnoredHelpers => "ignored-helpers",
            Self::SchemaWithoutEffect => "schema-without-effect",
            Self::LabelDisagreement => "label-disagreement",
            Self::UnreadableFile => "unreadable-file",
            Self::InvalidPrompt => "invalid-prompt",
            Self::TemplateSyntax => "template-syntax",
            Self::InvalidSchema => "invalid-schema",
            Self::UnknownSchema => "unknown-schema",
            Self::UnknownLabelTarget => "unknown-label-target",
        }
    }

    /// The code of the rule: `PM` and three digits. A code never changes, and never gets another meaning.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::UnreadableFile => "PM001",
            Self::InvalidPrompt => "PM002",
            Self::TemplateSyntax => "PM003",
            Self::InvalidSchema => "PM004",
            Self::UnknownSchema => "PM005",
            Self::UnknownPartial => "PM006",
            Self::UnknownHelper => "PM007",
            Self::UnknownLabelTarget => "PM008",
            Self::UndeclaredVariable => "PM009",
            Self::UnusedVariable => "PM010",
            Self::YamlComment => "PM011",
            Self::ForeignSyntax => "PM012",
            Self::IgnoredHelpers => "PM013",
            Self::SchemaWithoutEffect => "PM014",
            Self::LabelDisagreement => "PM015",
        }
    }

    /// How bad its findings are.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::UndeclaredVariable
            | Self::UnusedVariable
            | Self::YamlComment
            | Self::ForeignSyntax
            | Self::IgnoredHelpers
            | Self::SchemaWithoutEffect
            | Self::LabelDisagreement => Severity::Warning,
            Self::UnknownPartial
            | Self::UnknownHelper
            | Self::UnreadableFile
            | Self::InvalidPrompt
            | Self::TemplateSyntax
            | Self::InvalidSchema
            | Self::UnknownSchema
            | Self::UnknownLabelTarget => Severity::Error,
        }
    }

    /// The rule that an error is about: the one that the error names, or else that of its kind.
    fn of_error(error: &Error) -> Self {
        let named = error.context().iter().find_map(|(name, value)| match value {
            ContextValue::Text(code) if *name == CODE => {
                Self::ALL.into_iter().find(|known| known.as_str() == code)
            }
            _ => None,
        });
        named.unwrap_or(match error.kind() {
            Kind::TemplateSyntax | Kind::TemplateRender => Self::TemplateSyntax,
            Kind::StorageRead | Kind::StorageWrite => Self::UnreadableFile,
            Kind::SchemaParse | Kind::SchemaInvalid => Self::InvalidSchema,
            Kind::Schema => Self::UnknownSchema,
            _ => Self::InvalidPrompt,
        })
    }
}

/// The name under which an error keeps the code of a rule in its context.
pub const CODE: &str = "code";

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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
}

impl Finding {
    /// A finding without a place.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, file: None, prompt_id: None, hint: None }
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
            code: Code::of_error(error),
            message: error.message().to_owned(),
            file: text("path").or_else(|| place.and_then(|place| place.name.clone())),
            place: place.cloned(),
            prompt_id: text("prompt_id"),
            hint: error.hint().map(str::to_owned),
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

/// The text of a warning about these findings.
#[must_use]
pub fn report(findings: &[Finding]) -> String {
    let reports: Vec<String> = findings.iter().map(Finding::report).collect();
    match reports.len() {
        1 => reports.concat(),
        count => format!("{count} problems\n\n{}", reports.join("\n\n")),
    }
}
