//! Rules about prompts. A load warns of what some of them find, and the command line runs all of them.
//!
//! A rule is a function over a `CheckedPrompt`, a compiled prompt with what its templates refer to and, if it comes
//! from a file, its source; or over a [`CheckedDirectory`]. It has a file of its own with an example, and a row in
//! `LOAD_RULES`, `CHECK_RULES` or `DIRECTORY_RULES`. Loads run only the first ones: they are facts about one prompt, and
//! cost little.
//!
//! The codes without a file are of problems that are found while a file is read or a template is parsed; [`Code`] has
//! all of them.

mod changed_version;
mod checked_directory;
mod checked_prompt;
mod circular_partial;
mod code;
mod curly_quotes;
mod declaration_edits;
mod error_fixes;
mod finding;
mod fix;
mod foreign_syntax;
mod inline_schema;
mod input_fields;
mod misspelt_variable;
mod options;
mod outer_variable;
mod partial_spacing;
mod provider_refusal;
mod repeated_text;
mod schema_mismatch;
mod schema_not_strict;
mod secret;
mod similar_id;
mod tag_uses;
mod undeclared_variable;
mod unfenced_variable;
mod unknown_partial;
mod unused_partial;
mod unused_variable;
mod variable_use;
mod wrong_type;
mod yaml_comment;

use std::cell::OnceCell;

use crate::prompt::{Compiled, TemplateLocation};
use crate::schema::Schema;
use crate::template::{LayeredLibrary, Library, References, TemplateOptions, Text};

pub use checked_directory::{CheckedDirectory, DirectoryPartial, DirectoryPrompt};
use checked_prompt::CheckedPrompt;
pub use checked_prompt::{LineStart, PromptSource};
pub use code::{Code, Severity};
pub use error_fixes::fix_of_error;
pub use finding::{CODE, Finding, report};
pub use fix::{FileEdit, Fix, apply as apply_edits, fingerprint};
use input_fields::InputFields;
pub use options::CheckOptions;
pub use secret::find_in_file as find_secrets;
pub use variable_use::{VariableUse, variable_uses};

/// A rule about a prompt.
type PromptRule = fn(&CheckedPrompt<'_>) -> Vec<Finding>;

/// A rule about a directory.
type DirectoryRule = fn(&CheckedDirectory<'_>) -> Vec<Finding>;

/// The rules that a load runs.
const LOAD_RULES: &[PromptRule] = &[
    unknown_partial::find,
    undeclared_variable::find,
    misspelt_variable::find,
    unused_variable::find,
    outer_variable::find_unused,
    yaml_comment::find,
    foreign_syntax::find,
    curly_quotes::find,
];

/// The other rules about one prompt.
const CHECK_RULES: &[PromptRule] = &[
    wrong_type::find,
    outer_variable::find_conditions,
    circular_partial::find,
    unused_partial::find,
    partial_spacing::find,
    inline_schema::find,
    schema_mismatch::find,
    schema_not_strict::find,
    provider_refusal::find,
    secret::find,
    unfenced_variable::find,
];

/// The rules about several prompts.
const DIRECTORY_RULES: &[DirectoryRule] = &[
    circular_partial::find_in_directory,
    foreign_syntax::find_in_directory,
    unused_partial::find_in_directory,
    similar_id::find,
    changed_version::find,
    repeated_text::find,
];

/// Runs the rules of a load on a prompt. `engine` has the partials that are not its own, and `schemas` the schemas that
/// are known. The findings are sorted by place.
pub fn check<T: Text>(
    compiled: &Compiled<T>,
    engine: &dyn Library<T>,
    source: Option<&dyn PromptSource>,
    schemas: &[Schema],
) -> Vec<Finding> {
    run(&[LOAD_RULES], compiled, engine, source, schemas, &CheckOptions::default())
}

/// Runs every rule about one prompt; see [`check`].
pub fn check_fully<T: Text>(
    compiled: &Compiled<T>,
    engine: &dyn Library<T>,
    source: Option<&dyn PromptSource>,
    schemas: &[Schema],
    options: &CheckOptions,
) -> Vec<Finding> {
    run(&[LOAD_RULES, CHECK_RULES], compiled, engine, source, schemas, options)
}

/// Runs every rule about several prompts.
#[must_use]
pub fn check_directory(checked: &CheckedDirectory<'_>) -> Vec<Finding> {
    DIRECTORY_RULES.iter().flat_map(|find| find(checked)).collect()
}

/// The partials that exist nowhere, of a prompt without a file; see [`check`].
pub fn unknown_partials<T: Text>(compiled: &Compiled<T>, engine: &dyn Library<T>) -> Vec<Finding> {
    run(&[&[unknown_partial::find]], compiled, engine, None, &[], &CheckOptions::default())
}

fn run<T: Text>(
    rules: &[&[PromptRule]],
    compiled: &Compiled<T>,
    engine: &dyn Library<T>,
    source: Option<&dyn PromptSource>,
    schemas: &[Schema],
    options: &CheckOptions,
) -> Vec<Finding> {
    let prompt = compiled.prompt();
    let library = LayeredLibrary(compiled.partials(), engine);
    let ReadTemplates { references, templates, options: template_options } = read(compiled, &library);
    let partials = || library.names();
    let partial = |name: &str| library.partial(name).map(|partial| partial.source().to_owned());
    let is_helper = |name: &str| library.has_helper(name);
    let (input_schema, output_schema) = (compiled.input_schema(), compiled.output_schema());
    let input = InputFields::of(&input_schema, schemas);
    let output = output_schema.as_ref().ok().copied().flatten();
    let input_error = input_schema.err().map(|error| (error, source.map(PromptSource::input_schema)));
    let output_error = output_schema.err().map(|error| (error, source.map(PromptSource::output_schema)));
    let schema_errors = input_error.into_iter().chain(output_error).collect();
    let checked = CheckedPrompt {
        prompt,
        references,
        templates,
        source,
        input,
        output,
        schema_errors,
        schemas,
        partials: &partials,
        partial: &partial,
        is_helper: &is_helper,
        template_options,
        options,
        parsed: OnceCell::new(),
        located: OnceCell::new(),
    };
    let mut findings: Vec<Finding> =
        rules.iter().flat_map(|rules| rules.iter()).flat_map(|find| find(&checked)).collect();
    // Those without a place are last.
    findings.sort_by_key(|finding| {
        finding.place.as_ref().map_or((usize::MAX, 0), |place| (place.line, place.column))
    });
    findings
}

/// What the templates and the partials of a prompt refer to.
struct ReadTemplates<'c> {
    references: References,
    /// The template of each index.
    templates: Vec<TemplateLocation<'c>>,
    /// How they were compiled.
    options: TemplateOptions,
}

fn read<'c, T: Text>(compiled: &'c Compiled<T>, library: &dyn Library<T>) -> ReadTemplates<'c> {
    let (mut references, mut templates, mut options) = (References::default(), Vec::new(), None);
    compiled.each_template(|location, template| {
        options.get_or_insert_with(|| template.options().clone());
        references.add(template, library);
        templates.push(location);
    });
    for (name, partial) in compiled.partials() {
        if !references.includes(name) {
            references.add_loose(partial, library);
            templates.push(TemplateLocation::Partial(name));
        }
    }
    ReadTemplates { references, templates, options: options.unwrap_or_default() }
}
