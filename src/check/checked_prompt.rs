//! A prompt that is checked, with what the rules ask of it.

use super::finding::{Code, Finding};
use super::input_fields::InputFields;
use crate::error::Place;
use crate::prompt::{ChatEntry, Prompt, TemplateLocation};
use crate::template::{Reference, References};

/// Where the parts of a prompt are in its file.
pub trait PromptSource {
    /// The place of the prompt's id.
    fn id(&self) -> Place;
    /// The place of a line and column of one of the prompt's templates; `None` if there is no such template.
    fn in_file(
        &self,
        prompt: &Prompt,
        location: TemplateLocation<'_>,
        line: usize,
        column: usize,
    ) -> Option<Place>;
    /// The place of the name of a declared variable.
    fn variable(&self, index: usize) -> Option<Place>;
    /// The YAML comment right behind a template that is a plain text without quotes, and its place.
    fn comment_after(&self, prompt: &Prompt, location: TemplateLocation<'_>) -> Option<(&str, Place)>;
}

/// A prompt that is checked, with what the rules ask of it.
pub(super) struct CheckedPrompt<'p> {
    pub(super) prompt: &'p Prompt,
    pub(super) references: References,
    /// The text of each template that was added to `references`.
    pub(super) templates: Vec<TemplateLocation<'p>>,
    pub(super) source: Option<&'p dyn PromptSource>,
    /// The fields of the input schema.
    pub(super) input: InputFields<'p>,
    /// The names of all partials, for hints.
    pub(super) partials: &'p dyn Fn() -> Vec<String>,
}

impl<'p> CheckedPrompt<'p> {
    /// A finding about this prompt, at a place in its file or template.
    pub(super) fn finding(&self, code: Code, message: String, place: Option<Place>) -> Finding {
        let file = self.source.and_then(|_| place.as_ref()?.name.clone());
        let prompt_id = Some(self.prompt.id.as_str().to_owned());
        Finding { place, file, prompt_id, ..Finding::new(code, message) }
    }

    /// The place where a name is used. For a partial of the engine it is that of the tag that includes it.
    pub(super) fn place_of(&self, reference: &Reference) -> Option<Place> {
        if let Some((partial, offset)) = &reference.partial {
            let own = TemplateLocation::Partial(partial);
            if own.text(self.prompt).is_some() {
                return self.place(own, *offset);
            }
        }
        self.place(*self.templates.get(reference.template)?, reference.offset)
    }

    /// The place of an offset in a template.
    pub(super) fn place(&self, location: TemplateLocation<'_>, offset: usize) -> Option<Place> {
        let id = self.prompt.id.as_str();
        let name = match location {
            TemplateLocation::Template => id.to_owned(),
            _ => format!("{id} {location}"),
        };
        let place = Place::of(Some(&name), location.text(self.prompt)?, offset);
        match self.source {
            None => Some(place),
            Some(source) => {
                source.in_file(self.prompt, location, place.line, place.column).or_else(|| Some(source.id()))
            }
        }
    }

    /// Every text of the prompt that is a template.
    pub(super) fn texts(&self) -> Vec<(TemplateLocation<'p>, &'p str)> {
        let prompt = self.prompt;
        let mut texts = Vec::new();
        if let Some(template) = &prompt.template {
            texts.push((TemplateLocation::Template, template.content.as_str()));
        } else if let Some(chat) = &prompt.chat_template {
            for (index, entry) in chat.messages.iter().enumerate() {
                let ChatEntry::Message(message) = entry else { continue };
                let mut leaf = 0;
                // The closure never fails.
                let _: crate::Result<crate::prompt::Message<()>> = message.try_map(|text| {
                    texts.push((TemplateLocation::Message { index, leaf }, text.as_str()));
                    leaf += 1;
                    Ok(())
                });
            }
        }
        texts.extend(
            prompt.partials().iter().map(|(name, text)| (TemplateLocation::Partial(name), text.as_str())),
        );
        texts
    }

    /// The names of the placeholders.
    pub(super) fn placeholders(&self) -> impl Iterator<Item = &'p str> + use<'p> {
        let entries =
            self.prompt.chat_template.as_ref().map(|chat| chat.messages.as_slice()).unwrap_or_default();
        entries.iter().filter_map(|entry| match entry {
            ChatEntry::Placeholder { name, .. } => Some(name.as_str()),
            ChatEntry::Message(_) => None,
        })
    }
}
