//! Where the variables of a prompt are used.

use super::checked_prompt::{CheckedPrompt, PromptSource};
use crate::error::Place;
use crate::prompt::{ChatEntry, Compiled, TemplateLocation};
use crate::template::{LayeredLibrary, Library, References, Text};

/// The first use of a variable in one of the templates of a prompt.
#[derive(Debug, Clone)]
pub struct VariableUse {
    /// The variable.
    pub name: String,
    /// The template: `template`, `messages[2]`.
    pub location: String,
    /// The partial that the template includes and that has the name.
    pub partial: Option<String>,
    /// The place in the file. A partial of the directory is in another file, so it is that of the tag that includes it.
    pub place: Option<Place>,
}

/// The uses of the variables of a prompt: for each template, each variable once.
pub fn variable_uses<T: Text>(
    compiled: &Compiled<T>,
    engine: &dyn Library<T>,
    source: Option<&dyn PromptSource>,
) -> Vec<VariableUse> {
    let prompt = compiled.prompt();
    let library = LayeredLibrary(compiled.partials(), engine);
    let mut uses = Vec::new();
    compiled.each_template(|location, template| {
        let mut references = References::default();
        references.add(template, &library);
        let variables = std::mem::take(&mut references.variables);
        let templates = vec![location];
        let checked = CheckedPrompt::for_places(prompt, references, templates, source);
        uses.extend(variables.iter().map(|(name, reference)| VariableUse {
            name: name.to_string(),
            location: location.to_string(),
            partial: reference.partial.as_ref().map(|(partial, _)| partial.to_string()),
            place: source.and_then(|_| checked.place_of(reference)),
        }));
    });
    let entries = prompt.chat_template.as_ref().map(|chat| chat.messages.as_slice()).unwrap_or_default();
    for (index, entry) in entries.iter().enumerate() {
        let ChatEntry::Placeholder { name, .. } = entry else { continue };
        let location = TemplateLocation::Message { index, text: 0 }.to_string();
        uses.push(VariableUse { name: name.clone(), location, partial: None, place: None });
    }
    uses
}
