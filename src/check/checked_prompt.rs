//! A prompt that is checked, with what the rules ask of it.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::iter;

use super::code::Code;
use super::declaration_edits::Declaration;
use super::finding::Finding;
use super::fix::{FileEdit, Fix};
use super::input_fields::InputFields;
use super::options::CheckOptions;
use super::tag_uses::partial_scopes;
use crate::error::{Error, LineStarts, Place};
use crate::prompt::{ChatEntry, Prompt, TemplateLocation};
use crate::schema::{Schema, SchemaRef};
use crate::template::ast::Program;
use crate::template::{Reference, References, TemplateOptions, tree};

/// Where the parts of a prompt are in its file.
pub trait PromptSource {
    /// The place of the prompt's id.
    fn id(&self) -> Place;
    /// The place of the prompt's version, or of its id if the file names no version.
    fn version(&self) -> Place;
    /// The place of the value of `input_schema`, or of the id if there is none.
    fn input_schema(&self) -> Place;
    /// The place of the value of `output_schema`, or of the id if there is none.
    fn output_schema(&self) -> Place;
    /// The places where templates of the prompt begin; `None` for those that are not in the file.
    fn starts(&self, prompt: &Prompt, locations: &[TemplateLocation<'_>]) -> Vec<Option<Place>>;
    /// Where a line of a template begins in the file; `None` if it is not certain. `start` is where the template begins.
    fn line_start(&self, start: &Place, template: &str, wanted: &str, line: usize) -> Option<LineStart>;
    /// The offset in [`PromptSource::text`] of an offset in a template that is not written line by line; `None` if it is
    /// not certain. `start` is where the template begins.
    fn offset_in_text(&self, start: &Place, template: &str, offset: usize) -> Option<usize>;
    /// The offset in [`PromptSource::text`] of a line and column of the file.
    fn offset(&self, line: usize, column: usize) -> Option<usize>;
    /// The place of an offset in [`PromptSource::text`].
    fn place(&self, offset: usize) -> Place;
    /// The text of the file, without a byte order mark.
    fn text(&self) -> &str;
    /// The offset of the name of each declared variable.
    fn variable_offsets(&self) -> Vec<usize>;
    /// The place of the name of a declared variable.
    fn variable(&self, index: usize) -> Option<Place>;
    /// The YAML comment right behind a template that is a plain text without quotes, and its place.
    fn comment_after(&self, prompt: &Prompt, location: TemplateLocation<'_>) -> Option<(&str, Place)>;
}

/// Where a line of a template begins in the file.
#[derive(Debug, Clone, Copy)]
pub struct LineStart {
    /// The line of the file.
    pub line: usize,
    /// The number of characters before it on that line.
    pub before: usize,
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
    /// The output schema.
    pub(super) output: Option<&'p SchemaRef>,
    /// The errors in schemas that are written in the prompt, and the places of these schemas.
    pub(super) schema_errors: Vec<(Error, Option<Place>)>,
    /// The schemas that are known by name.
    pub(super) schemas: &'p [Schema],
    /// The names of all partials, for hints.
    pub(super) partials: &'p dyn Fn() -> Vec<String>,
    /// The source of a partial of the prompt or the engine.
    pub(super) partial: &'p dyn Fn(&str) -> Option<String>,
    /// Whether the caller registered a helper of a name.
    pub(super) is_helper: &'p dyn Fn(&str) -> bool,
    /// How its templates were compiled.
    pub(super) template_options: TemplateOptions,
    /// What the check is asked for; the default in a load.
    pub(super) options: &'p CheckOptions,
    pub(super) parsed: OnceCell<Vec<ParsedText<'p>>>,
    pub(super) located: OnceCell<LocatedTexts<'p>>,
}

/// A text of a prompt with its syntax tree.
#[derive(Debug)]
pub(super) struct ParsedText<'p> {
    pub(super) location: TemplateLocation<'p>,
    pub(super) program: Program<'p>,
}

/// The texts of a prompt, with what the places in them need.
#[derive(Debug)]
pub(super) struct LocatedTexts<'p> {
    texts: Vec<LocatedText<'p>>,
    indices: HashMap<TemplateLocation<'p>, usize>,
}

/// A text of a prompt, with what the places in it need.
#[derive(Debug)]
pub(super) struct LocatedText<'p> {
    text: &'p str,
    /// Where it begins in the file.
    start: Option<Place>,
    lines: LineStarts,
    /// Where its lines begin in the file, as far as they were asked for.
    in_file: RefCell<HashMap<usize, Option<LineStart>>>,
}

impl LocatedText<'_> {
    /// The place of an offset in the text.
    fn place(&self, offset: usize) -> Place {
        Place::with_lines(None, self.text, offset, &self.lines)
    }
}

/// What a check is asked for that only looks up places.
static NOTHING: CheckOptions = CheckOptions {
    providers: Vec::new(),
    also: Vec::new(),
    registered_schemas: None,
    fixes: false,
    earlier: Vec::new(),
};

impl<'p> CheckedPrompt<'p> {
    /// A prompt whose places are asked for, and nothing else.
    pub(super) fn for_places(
        prompt: &'p Prompt,
        references: References,
        templates: Vec<TemplateLocation<'p>>,
        source: Option<&'p dyn PromptSource>,
    ) -> Self {
        Self {
            prompt,
            references,
            templates,
            source,
            input: InputFields::Unknown,
            output: None,
            schema_errors: Vec::new(),
            schemas: &[],
            partials: &Vec::new,
            partial: &|_| None,
            is_helper: &|_| false,
            template_options: TemplateOptions::default(),
            options: &NOTHING,
            parsed: OnceCell::new(),
            located: OnceCell::new(),
        }
    }

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

    /// The fix that edits the declaration of the variables.
    pub(super) fn declaration_fix(
        &self,
        edit: impl FnOnce(&Declaration<'_>) -> Option<FileEdit>,
    ) -> Option<Fix> {
        let source = self.source.filter(|_| self.options.fixes)?;
        let declaration = Declaration::of(source.text(), source.variable_offsets())?;
        Fix::new(source.text(), edit(&declaration)?)
    }

    /// The fix that renames a variable where it is used.
    pub(super) fn rename_fix(&self, reference: &Reference, name: &str, new: &str) -> Option<Fix> {
        let source = self.source.filter(|_| self.options.fixes)?;
        let (location, offset) = match &reference.partial {
            Some((partial, offset)) => (TemplateLocation::Partial(partial), *offset),
            None => (*self.templates.get(reference.template)?, reference.offset),
        };
        let start = self.offset_in_file(location, &self.located(location)?.place(offset))?;
        let end = start + name.len();
        let is_there = source.text().get(start..end) == Some(name);
        is_there.then(|| Fix::new(source.text(), FileEdit { start, end, text: new.to_owned() }))?
    }

    /// The place of an offset in a template.
    pub(super) fn place(&self, location: TemplateLocation<'_>, offset: usize) -> Option<Place> {
        self.place_in_file(location, self.located(location)?.place(offset))
    }

    /// The place of a line and column in a template: in the file of the prompt, or else in the template.
    fn place_in_file(&self, location: TemplateLocation<'_>, place: Place) -> Option<Place> {
        let Some(source) = self.source else {
            let id = self.prompt.id.as_str();
            let name = match location {
                TemplateLocation::Template => id.to_owned(),
                _ => format!("{id} {location}"),
            };
            return Some(Place { name: Some(name), ..place });
        };
        let Some(start) = &self.located(location)?.start else { return Some(source.id()) };
        let found = self.offset_in_file(location, &place).map(|offset| source.place(offset));
        Some(found.unwrap_or_else(|| start.clone()))
    }

    /// The offset in the file of a line and column in a template; `None` if it is not certain.
    fn offset_in_file(&self, location: TemplateLocation<'_>, place: &Place) -> Option<usize> {
        let source = self.source?;
        let LocatedText { text, start, lines, .. } = self.located(location)?;
        if let Some(begin) = self.line_start(location, place.line) {
            return source.offset(begin.line, begin.before + place.column);
        }
        let offset = lines.offset(text, place.line, place.column)?;
        source.offset_in_text(start.as_ref()?, text, offset)
    }

    /// Where a line of a template begins in the file. Looked up once for each line, because one line can have thousands
    /// of findings.
    fn line_start(&self, location: TemplateLocation<'_>, line: usize) -> Option<LineStart> {
        let LocatedText { text, start, lines, in_file } = self.located(location)?;
        let known = in_file.borrow().get(&line).copied();
        known.unwrap_or_else(|| {
            let found = self.source?.line_start(start.as_ref()?, text, lines.text(text, line)?, line);
            in_file.borrow_mut().insert(line, found);
            found
        })
    }

    fn located(&self, location: TemplateLocation<'_>) -> Option<&LocatedText<'p>> {
        let LocatedTexts { texts, indices } = self.located.get_or_init(|| {
            let (locations, texts): (Vec<_>, Vec<_>) = self.texts().into_iter().unzip();
            let starts = self.source.map(|source| source.starts(self.prompt, &locations)).unwrap_or_default();
            let locate = |(text, start): (&'p str, Option<Place>)| LocatedText {
                text,
                start,
                lines: LineStarts::of(text),
                in_file: RefCell::default(),
            };
            LocatedTexts {
                texts: texts
                    .into_iter()
                    .zip(starts.into_iter().chain(iter::repeat(None)))
                    .map(locate)
                    .collect(),
                indices: locations.iter().copied().zip(0..).collect(),
            }
        });
        let indices: &HashMap<TemplateLocation<'_>, usize> = indices;
        texts.get(*indices.get(&location)?)
    }

    /// Every text of the prompt with its syntax tree. They are parsed when the first rule asks for them.
    pub(super) fn parsed(&self) -> &[ParsedText<'p>] {
        self.parsed.get_or_init(|| {
            let parse = |(location, text)| {
                // It was compiled before, so it has no mistakes.
                let program = tree(text, &self.template_options).ok()?;
                Some(ParsedText { location, program })
            };
            self.texts().into_iter().filter_map(parse).collect()
        })
    }

    /// The texts whose names are variables of the prompt: its template or messages, and the partials that every tag
    /// includes without a context of their own.
    pub(super) fn texts_with_variables(&self) -> impl Iterator<Item = &ParsedText<'p>> {
        let parsed = self.parsed();
        let is_partial = |text: &ParsedText<'_>| matches!(text.location, TemplateLocation::Partial(_));
        let partials: HashMap<&str, &ParsedText<'_>> = parsed
            .iter()
            .filter_map(|text| match text.location {
                TemplateLocation::Partial(name) => Some((name, text)),
                _ => None,
            })
            .collect();
        let mut scopes: HashMap<String, bool> = HashMap::new();
        let mut waiting: Vec<&ParsedText<'_>> = parsed.iter().filter(|text| !is_partial(text)).collect();
        while let Some(text) = waiting.pop() {
            for (name, has_variables) in partial_scopes(&text.program, self.is_helper) {
                let is_new = !scopes.contains_key(&*name);
                *scopes.entry(name.to_string()).or_insert(true) &= has_variables;
                waiting.extend(partials.get(&*name).filter(|_| is_new));
            }
        }
        parsed.iter().filter(move |text| match text.location {
            TemplateLocation::Partial(name) => scopes.get(name).copied().unwrap_or(false),
            _ => true,
        })
    }

    /// Every text of the prompt that is a template.
    pub(super) fn texts(&self) -> Vec<(TemplateLocation<'p>, &'p str)> {
        texts(self.prompt)
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

/// Every text of a prompt that is a template.
pub(super) fn texts(prompt: &Prompt) -> Vec<(TemplateLocation<'_>, &str)> {
    let mut texts = Vec::new();
    if let Some(template) = &prompt.template {
        texts.push((TemplateLocation::Template, template.content.as_str()));
    } else if let Some(chat) = &prompt.chat_template {
        for (index, entry) in chat.messages.iter().enumerate() {
            let ChatEntry::Message(message) = entry else { continue };
            let mut number = 0;
            // The closure never fails.
            let _: crate::Result<crate::prompt::Message<()>> = message.try_map(|text| {
                texts.push((TemplateLocation::Message { index, text: number }, text.as_str()));
                number += 1;
                Ok(())
            });
        }
    }
    texts.extend(
        prompt.partials().iter().map(|(name, text)| (TemplateLocation::Partial(name), text.as_str())),
    );
    texts
}
