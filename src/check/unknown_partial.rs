//! `unknown-partial`: a template includes a partial that exists nowhere.
//!
//! The prompt could not be rendered, so this is an error: the prompt does not load.
//!
//! Bad:
//!
//! ```yaml
//! template: "{{> tnoe}} Dear {{name}}"
//! partials: {tone: Be brief.}
//! ```
//!
//! Good:
//!
//! ```yaml
//! template: "{{> tone}} Dear {{name}}"
//! partials: {tone: Be brief.}
//! ```
//!
//! A partial is one of the prompt, of the engine, or an inline partial anywhere among them. A tag whose name is computed is
//! not checked, nor is one with a block, which is rendered in the partial's place. To register a partial only after the
//! load, list its name in the engine's `known_partials`; then a render reports it if it is still missing.

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use crate::error::nearest;
use crate::template::Reference;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let missing = &checked.references.missing_partials;
    if missing.is_empty() {
        return Vec::new();
    }
    let known = (checked.partials)();
    let finding = |name: &str, reference: &Reference| {
        let within = match &reference.partial {
            Some((partial, _)) => format!(", which partial `{partial}` includes"),
            None => String::new(),
        };
        let id = &checked.prompt.id;
        let message = format!("there is no partial `{name}`{within} (prompt `{id}`)");
        let finding = checked.finding(Code::UnknownPartial, message, checked.place_of(reference));
        match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => finding.with_hint(format!("did you mean `{near}`?")),
            None => finding.with_hint(format!(
                "write it to `partials/{name}.hbs` in the directory of the prompts, or below `partials` in the prompt; or register it with the template engine before the load"
            )),
        }
    };
    missing.iter().map(|(name, reference)| finding(name, reference)).collect()
}
