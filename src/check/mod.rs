//! Rules about prompts. A load warns of what they find, and the command line runs the same ones.
//!
//! A rule is a function over a `CheckedPrompt`: a compiled prompt with what its templates refer to and, if it comes
//! from a file, its source. It has a file of its own with an example, and a row in `RULES`.
//!
//! | code | finds | severity |
//! |---|---|---|
//! | `undeclared-variable` | a variable that is used and not declared | warning |
//! | `unused-variable` | a variable that is declared and never used | warning |
//! | `unknown-partial` | a partial that exists nowhere | error |
//! | `yaml-comment` | a YAML comment that cuts a text | warning |
//! | `foreign-syntax` | syntax of another template language | warning |
//!
//! The other codes are of problems that are found while a file is read or a template is parsed.

mod checked_prompt;
mod finding;
mod foreign_syntax;
mod input_fields;
mod undeclared_variable;
mod unknown_partial;
mod unused_variable;
mod yaml_comment;

use crate::prompt::{Compiled, TemplateLocation};
use crate::schema::Schema;
use crate::template::{LayeredLibrary, Library, References, Text};

use checked_prompt::CheckedPrompt;
pub use checked_prompt::PromptSource;
pub use finding::{CODE, Code, Finding, Severity, report};
use input_fields::InputFields;

/// A rule: its code, and the function that finds what breaks it.
type PromptRule = (Code, fn(&CheckedPrompt<'_>) -> Vec<Finding>);

/// Every rule.
const RULES: &[PromptRule] = &[
    (Code::UnknownPartial, unknown_partial::find),
    (Code::UndeclaredVariable, undeclared_variable::find),
    (Code::UnusedVariable, unused_variable::find),
    (Code::YamlComment, yaml_comment::find),
    (Code::ForeignSyntax, foreign_syntax::find),
];

/// Runs every rule on a prompt. `engine` has the partials that are not its own, and `schemas` the schemas that are known.
/// The findings are sorted by place.
pub fn check<T: Text>(
    compiled: &Compiled<T>,
    engine: &dyn Library<T>,
    source: Option<&dyn PromptSource>,
    schemas: &[Schema],
) -> Vec<Finding> {
    let prompt = compiled.prompt();
    let library = LayeredLibrary(compiled.partials(), engine);
    let (references, templates) = references(compiled, &library);
    let partials = || library.names();
    let input = InputFields::of(&compiled.input_schema(), schemas);
    let checked = CheckedPrompt { prompt, references, templates, source, input, partials: &partials };
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|(_, find)| find(&checked)).collect();
    // Those without a place are last.
    findings.sort_by_key(|finding| {
        finding.place.as_ref().map_or((usize::MAX, 0), |place| (place.line, place.column))
    });
    findings
}

/// The partials that exist nowhere, of a prompt without a file; see [`check`].
pub fn unknown_partials<T: Text>(compiled: &Compiled<T>, engine: &dyn Library<T>) -> Vec<Finding> {
    let library = LayeredLibrary(compiled.partials(), engine);
    let (references, templates) = references(compiled, &library);
    let partials = || library.names();
    let (prompt, input) = (compiled.prompt(), InputFields::Unknown);
    unknown_partial::find(&CheckedPrompt {
        prompt,
        references,
        templates,
        source: None,
        input,
        partials: &partials,
    })
}

/// What the templates and the partials of a prompt refer to, with the template of each index.
fn references<'c, T: Text>(
    compiled: &'c Compiled<T>,
    library: &dyn Library<T>,
) -> (References, Vec<TemplateLocation<'c>>) {
    let (mut references, mut templates) = (References::default(), Vec::new());
    compiled.each_template(|location, template| {
        references.add(template, library);
        templates.push(location);
    });
    for (name, partial) in compiled.partials() {
        if !references.includes(name) {
            references.add_loose(partial, library);
            templates.push(TemplateLocation::Partial(name));
        }
    }
    (references, templates)
}
