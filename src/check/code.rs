//! The codes of the rules.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The prompt loads and renders, and probably not as its author meant it.
    Warning,
    /// The prompt does not load, or cannot be rendered or sent.
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
    /// A file that cannot be read.
    ///
    /// It is missing where a link points, the process may not read it, or it changes faster than it can be read.
    ///
    /// Bad:
    ///
    /// ```sh
    /// ln -s gone.yaml prompts/greeting.yaml
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// template: "Hello {{name}}!"
    /// ```
    UnreadableFile,
    /// A prompt that breaks a rule of prompt files.
    ///
    /// A file with such a prompt does not load. [prompt-files.md](prompt-files.md) has every key with its type.
    ///
    /// Bad:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// tempalte: "Hello {{name}}!"
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// template: "Hello {{name}}!"
    /// ```
    InvalidPrompt,
    /// A template that cannot be parsed.
    ///
    /// The hint knows the habits of other template languages: filters, operators, indexes, doubled braces.
    ///
    /// Bad:
    ///
    /// ```yaml
    /// template: "{{#if name}}Hello {{name}}!"
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// template: "{{#if name}}Hello {{name}}!{{/if}}"
    /// ```
    TemplateSyntax,
    /// A schema that cannot be used.
    ///
    /// The mistake is in a schema file, or in a JSON Schema that is written in a prompt. Only JSON Schemas that a schema can
    /// express are accepted.
    ///
    /// Bad:
    ///
    /// ```yaml
    /// # prompts/schemas/person.yaml
    /// schemas:
    ///   - {name: person, fields: [{name: age, type: number}]}
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// # prompts/schemas/person.yaml
    /// schemas:
    ///   - {name: person, fields: [{name: age, type: integer}]}
    /// ```
    InvalidSchema,
    /// A schema that a prompt names and that does not exist.
    ///
    /// Schemas are those of the schema files and, if `app` names the manager of the project, those that it registers.
    ///
    /// Bad:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// template: "Hello {{name}}!"
    /// input_schema: preson
    /// ```
    ///
    /// ```yaml
    /// # prompts/schemas/person.yaml
    /// schemas:
    ///   - {name: person, fields: [{name: name, type: string}]}
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// template: "Hello {{name}}!"
    /// input_schema: person
    /// ```
    ///
    /// ```yaml
    /// # prompts/schemas/person.yaml
    /// schemas:
    ///   - {name: person, fields: [{name: name, type: string}]}
    /// ```
    UnknownSchema,
    /// A partial that exists nowhere.
    UnknownPartial,
    /// A helper that exists nowhere.
    ///
    /// Helpers are those of the template language and, if `app` names the manager of the project, those of its engine.
    ///
    /// Bad:
    ///
    /// ```yaml
    /// template: "Hello {{uper name}}!"
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// template: "Hello {{upper name}}!"
    /// ```
    UnknownHelper,
    /// A version that a label points at and that does not exist.
    ///
    /// Whoever asks for the label gets an error.
    ///
    /// Bad:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// version: 1.2.0
    /// template: "Hello {{name}}!"
    /// ```
    ///
    /// ```yaml
    /// # prompts/labels.yaml
    /// labels:
    ///   greeting: {production: 1.3.0}
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// version: 1.2.0
    /// template: "Hello {{name}}!"
    /// ```
    ///
    /// ```yaml
    /// # prompts/labels.yaml
    /// labels:
    ///   greeting: {production: 1.2.0}
    /// ```
    UnknownLabelTarget,
    /// A variable that is used and not declared.
    UndeclaredVariable,
    /// A variable that is declared and never used.
    UnusedVariable,
    /// A YAML comment that cuts a text.
    YamlComment,
    /// Syntax of another template language.
    ForeignSyntax,
    /// Helpers in a prompt file, which have no effect.
    ///
    /// A helper is a function, so it is registered in Python: `engine.register_helper("shout", shout)`.
    ///
    /// Bad:
    ///
    /// ```yaml
    /// template:
    ///   content: "Hello {{name}}!"
    ///   helpers: [shout]
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// template:
    ///   content: "Hello {{name}}!"
    /// ```
    IgnoredHelpers,
    /// A part of a schema that has no effect.
    ///
    /// Bad:
    ///
    /// ```yaml
    /// # prompts/schemas/person.yaml
    /// schemas:
    ///   - {name: person, fields: [{name: name, type: string, item_type: string}]}
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// # prompts/schemas/person.yaml
    /// schemas:
    ///   - {name: person, fields: [{name: names, type: list, item_type: string}]}
    /// ```
    SchemaWithoutEffect,
    /// A label that a prompt file and the file of labels point at different versions.
    ///
    /// `labels.yaml` wins, so the label in the prompt file misleads whoever reads it.
    ///
    /// Bad:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// prompts:
    ///   - {id: greeting, version: 1.2.0, template: "Hello {{name}}!", labels: [production]}
    ///   - {id: greeting, version: 1.3.0, template: "Good day {{name}}!"}
    /// ```
    ///
    /// ```yaml
    /// # prompts/labels.yaml
    /// labels:
    ///   greeting: {production: 1.3.0}
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// prompts:
    ///   - {id: greeting, version: 1.2.0, template: "Hello {{name}}!"}
    ///   - {id: greeting, version: 1.3.0, template: "Good day {{name}}!"}
    /// ```
    ///
    /// ```yaml
    /// # prompts/labels.yaml
    /// labels:
    ///   greeting: {production: 1.3.0}
    /// ```
    LabelDisagreement,
    /// A variable that is not declared, and whose name is close to a declared one.
    MisspeltVariable,
    /// A variable that is used in a way that its type does not allow.
    WrongType,
    /// A partial that includes itself without end.
    CircularPartial,
    /// A partial that no template includes.
    UnusedPartial,
    /// An input schema that refuses what the prompt takes.
    SchemaMismatch,
    /// An output schema that a provider cannot enforce.
    SchemaNotStrict,
    /// A prompt that a provider would refuse.
    ProviderRefusal,
    /// Words that a partial glues together, or blank lines that it doubles.
    PartialSpacing,
    /// Ids that differ only in case.
    SimilarId,
    /// A text that looks like a key or token.
    Secret,
    /// A variable with untrusted text that is outside a fence.
    UnfencedVariable,
    /// An active version whose content changed.
    ChangedVersion,
    /// The same text in three prompts.
    RepeatedText,
    /// A pipe, a device, a socket or a directory with the name of a prompt file.
    ///
    /// It is not read. The files in a directory are.
    ///
    /// Bad:
    ///
    /// ```sh
    /// mkfifo prompts/greeting.yaml
    /// ```
    ///
    /// Good:
    ///
    /// ```yaml
    /// # prompts/greeting.yaml
    /// template: "Hello {{name}}!"
    /// ```
    NotAFile,
    /// A name in a block that is not read from the variables.
    OuterVariable,
    /// Quotes of typography where the template language or YAML needs plain ones.
    CurlyQuotes,
}

/// What is known about a rule: its number, its name, and how bad its findings are.
type CodeRow = (&'static str, &'static str, Severity);

impl Code {
    /// Every code, in the order of the numbers.
    pub const ALL: [Self; 31] = [
        Self::UnreadableFile,
        Self::InvalidPrompt,
        Self::TemplateSyntax,
        Self::InvalidSchema,
        Self::UnknownSchema,
        Self::UnknownPartial,
        Self::UnknownHelper,
        Self::UnknownLabelTarget,
        Self::UndeclaredVariable,
        Self::UnusedVariable,
        Self::YamlComment,
        Self::ForeignSyntax,
        Self::IgnoredHelpers,
        Self::SchemaWithoutEffect,
        Self::LabelDisagreement,
        Self::MisspeltVariable,
        Self::WrongType,
        Self::CircularPartial,
        Self::UnusedPartial,
        Self::SchemaMismatch,
        Self::SchemaNotStrict,
        Self::ProviderRefusal,
        Self::PartialSpacing,
        Self::SimilarId,
        Self::Secret,
        Self::UnfencedVariable,
        Self::ChangedVersion,
        Self::RepeatedText,
        Self::NotAFile,
        Self::OuterVariable,
        Self::CurlyQuotes,
    ];

    fn row(self) -> CodeRow {
        use Severity::{Error, Warning};
        match self {
            Self::UnreadableFile => ("PM001", "unreadable-file", Error),
            Self::InvalidPrompt => ("PM002", "invalid-prompt", Error),
            Self::TemplateSyntax => ("PM003", "template-syntax", Error),
            Self::InvalidSchema => ("PM004", "invalid-schema", Error),
            Self::UnknownSchema => ("PM005", "unknown-schema", Error),
            Self::UnknownPartial => ("PM006", "unknown-partial", Error),
            Self::UnknownHelper => ("PM007", "unknown-helper", Error),
            Self::UnknownLabelTarget => ("PM008", "unknown-label-target", Error),
            Self::UndeclaredVariable => ("PM009", "undeclared-variable", Warning),
            Self::UnusedVariable => ("PM010", "unused-variable", Warning),
            Self::YamlComment => ("PM011", "yaml-comment", Warning),
            Self::ForeignSyntax => ("PM012", "foreign-syntax", Warning),
            Self::IgnoredHelpers => ("PM013", "ignored-helpers", Warning),
            Self::SchemaWithoutEffect => ("PM014", "schema-without-effect", Warning),
            Self::LabelDisagreement => ("PM015", "label-disagreement", Warning),
            Self::MisspeltVariable => ("PM016", "misspelt-variable", Warning),
            Self::WrongType => ("PM017", "wrong-type", Warning),
            Self::CircularPartial => ("PM018", "circular-partial", Error),
            Self::UnusedPartial => ("PM019", "unused-partial", Warning),
            Self::SchemaMismatch => ("PM020", "schema-mismatch", Warning),
            Self::SchemaNotStrict => ("PM021", "schema-not-strict", Warning),
            Self::ProviderRefusal => ("PM022", "provider-refusal", Error),
            Self::PartialSpacing => ("PM023", "partial-spacing", Warning),
            Self::SimilarId => ("PM024", "similar-id", Warning),
            Self::Secret => ("PM025", "secret", Warning),
            Self::UnfencedVariable => ("PM026", "unfenced-variable", Warning),
            Self::ChangedVersion => ("PM027", "changed-version", Warning),
            Self::RepeatedText => ("PM028", "repeated-text", Warning),
            Self::NotAFile => ("PM029", "not-a-file", Warning),
            Self::OuterVariable => ("PM030", "outer-variable", Warning),
            Self::CurlyQuotes => ("PM031", "curly-quotes", Warning),
        }
    }

    /// The name of the rule.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// The code of the rule: `PM` and three digits. A code never changes, and never gets another meaning.
    #[must_use]
    pub fn number(self) -> &'static str {
        self.row().0
    }

    /// How bad its findings are.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.row().2
    }

    /// Whether the rule runs unless somebody asks for it. The others find what is often meant so.
    #[must_use]
    pub fn is_default(self) -> bool {
        !matches!(self, Self::UnfencedVariable | Self::RepeatedText)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
