//! Reads prompt files in YAML, which includes JSON. This module does no file access.
//!
//! A file contains one prompt, a `prompts:` list, or several documents. All errors are collected, and a broken prompt
//! does not hide the others. A place in a template is mapped back to the file.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::written_text::offset_in_source;
use crate::check::{Code, Finding, LineStart, PromptSource};
use crate::de::yaml::{decode, documents, read_document, source_text};
use crate::de::{NodeReader, SourceSpan};
use crate::error::{Error, Kind, LineStarts, Place};
use crate::limits::FILE_BYTES;
use crate::prompt::read::{self, Document, PromptDefaults, PromptSpans, RawPrompt};
use crate::prompt::{AboutFile, Prompt, PromptId, Status, TemplateLocation, Version};

/// The content of a prompt file. A prompt with errors does not hide the others.
#[derive(Debug, Default)]
pub struct ReadFile {
    /// The prompts without errors, in order.
    pub prompts: Vec<LocatedPrompt>,
    /// Warnings for the author.
    pub warnings: Vec<Finding>,
    /// The prompts with errors. Their templates can still be checked.
    pub broken: Vec<BrokenPrompt>,
    /// The errors, sorted by place. Each is [`Kind::PromptInvalid`].
    pub errors: Vec<Error>,
    /// The version and metadata of a file with a list of prompts.
    pub about: AboutFile,
}

/// A prompt and its places in the file.
#[derive(Debug)]
pub struct LocatedPrompt {
    /// The prompt.
    pub prompt: Prompt,
    /// The places of its id and templates.
    pub places: Places,
}

/// A prompt with errors. Members that could not be read have placeholder values.
#[derive(Debug)]
pub struct BrokenPrompt {
    /// The members that could be read.
    pub located: LocatedPrompt,
    /// The id as it is written, if there is one.
    pub id: Option<String>,
}

/// The places of the id and the templates of a prompt in its file.
#[derive(Debug)]
pub struct Places {
    /// The file, shared by its prompts.
    file: Arc<SourceFile>,
    spans: PromptSpans,
}

#[derive(Debug)]
struct SourceFile {
    name: String,
    text: String,
    /// Where the lines begin. Found when the first place is asked for.
    lines: OnceLock<LineStarts>,
}

impl SourceFile {
    fn lines(&self) -> &LineStarts {
        self.lines.get_or_init(|| LineStarts::of(&self.text))
    }

    fn place(&self, offset: usize) -> Place {
        Place::with_lines(Some(&self.name), &self.text, offset, self.lines())
    }
}

/// Reads a prompt file that a person wrote. `file_name` appears in errors and warnings. A prompt without an id gets the
/// name of the file without its extension.
///
/// ```
/// use prompt_manager::store::yaml::read_prompts;
///
/// let file = read_prompts("hello.yaml", "template: Hello {{name}}!\n");
/// assert!(file.errors.is_empty());
/// assert_eq!(file.prompts[0].prompt.id.as_str(), "hello");
/// ```
#[must_use]
pub fn read_prompts(file_name: &str, text: &str) -> ReadFile {
    read_with(file_name, text, PromptDefaults::of_file(stem(file_name)))
}

/// [`read_prompts`] of a file that a store wrote.
pub(super) fn read_stored(file_name: &str, text: &str) -> ReadFile {
    read_with(file_name, text, PromptDefaults::of_program(Status::Active))
}

fn read_with(file_name: &str, text: &str, defaults: PromptDefaults<'_>) -> ReadFile {
    let mut read = ReadFile::default();
    let text = &*source_text(text);
    let file =
        Arc::new(SourceFile { name: file_name.to_owned(), text: text.to_owned(), lines: OnceLock::new() });
    let whole = |message: String| {
        Error::new(Kind::PromptInvalid, message).with_place(Place::of(Some(file_name), text, 0))
    };
    if text.len() as u64 > FILE_BYTES {
        let mut place = Place::of(Some(file_name), "", 0);
        place.source_line = None;
        let error = Error::new(Kind::PromptInvalid, format!("the file is larger than {FILE_BYTES} bytes"));
        read.errors.push(error.with_place(place));
        return read;
    }
    let mut reader = NodeReader::of_yaml(Kind::PromptInvalid, text);
    let chunks = documents(text);
    let defaults = if chunks.len() > 1 { defaults.of_several() } else { defaults };
    for chunk in chunks {
        let Some(root) = read_document(text, &chunk, &mut reader) else { continue };
        match read::read_document(&mut reader, root, defaults) {
            Document::Prompt(prompt) => read.extend(prompt.map(|prompt| *prompt), &file),
            Document::Several(prompts, about) => {
                read.extend(prompts, &file);
                read.about = about;
            }
        }
    }
    read.errors = reader.located(file_name, text);
    if read.prompts.is_empty() && read.errors.is_empty() {
        let error = whole("the file contains no prompt".to_owned());
        read.errors.push(error.with_hint("write at least a `template`, or delete the file"));
    }
    read
}

/// [`read_prompts`] from bytes, which must be UTF-8.
#[must_use]
pub fn read_prompts_bytes(file_name: &str, bytes: &[u8]) -> ReadFile {
    read_authored(file_name, stem(file_name), bytes)
}

/// [`read_prompts_bytes`]; a prompt without an id gets this one.
pub(crate) fn read_authored(file_name: &str, id: Option<&str>, bytes: &[u8]) -> ReadFile {
    match decode(file_name, bytes) {
        Ok(text) => read_with(file_name, text, PromptDefaults::of_file(id)),
        Err(error) => ReadFile { errors: vec![error], ..ReadFile::default() },
    }
}

fn stem(file_name: &str) -> Option<&str> {
    Path::new(file_name).file_stem().and_then(OsStr::to_str)
}

impl ReadFile {
    fn extend(&mut self, prompts: impl IntoIterator<Item = RawPrompt>, file: &Arc<SourceFile>) {
        for RawPrompt { prompt, is_good, id, spans, helpers } in prompts {
            let places = Places { file: Arc::clone(file), spans };
            if let Some(helpers) = helpers.filter(|_| is_good) {
                let finding = Finding::in_file(
                    Code::IgnoredHelpers,
                    format!("`helpers` of prompt `{}` are ignored", prompt.id),
                    places.of(helpers),
                );
                self.warnings.push(Finding {
                    prompt_id: Some(prompt.id.as_str().to_owned()),
                    ..finding.with_hint("register them with the template engine")
                });
            }
            let located = LocatedPrompt { prompt, places };
            if is_good {
                self.prompts.push(located);
            } else {
                self.broken.push(BrokenPrompt { located, id });
            }
        }
    }
}

impl LocatedPrompt {
    /// The name of the file.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.places.file.name
    }

    /// [`Places::id`].
    #[must_use]
    pub fn place(&self) -> Place {
        self.places.id()
    }

    /// [`Places::in_file`].
    #[must_use]
    pub fn place_in_file(&self, location: TemplateLocation<'_>, line: usize, column: usize) -> Option<Place> {
        self.places.in_file(&self.prompt, location, line, column)
    }
}

impl PromptSource for Places {
    fn id(&self) -> Place {
        self.id()
    }

    fn version(&self) -> Place {
        self.of(self.spans.version.unwrap_or(self.spans.id))
    }

    fn input_schema(&self) -> Place {
        self.of(self.spans.input_schema.unwrap_or(self.spans.id))
    }

    fn output_schema(&self) -> Place {
        self.of(self.spans.output_schema.unwrap_or(self.spans.id))
    }

    fn starts(&self, prompt: &Prompt, locations: &[TemplateLocation<'_>]) -> Vec<Option<Place>> {
        let partials: HashMap<&str, SourceSpan> = prompt
            .partials()
            .iter()
            .zip(&self.spans.partials)
            .map(|((name, _), span)| (name.as_str(), *span))
            .collect();
        let start = |location: &TemplateLocation<'_>| match location {
            TemplateLocation::Partial(name) => partials.get(name).map(|span| self.of(*span)),
            _ => self.span_of(prompt, *location).map(|span| self.of(span)),
        };
        locations.iter().map(start).collect()
    }

    fn line_start(&self, start: &Place, template: &str, wanted: &str, line: usize) -> Option<LineStart> {
        self.in_block(template, start.line, wanted, line)
            .or_else(|| self.on_line(start.line, start.column, wanted, line))
    }

    fn offset_in_text(&self, start: &Place, template: &str, offset: usize) -> Option<usize> {
        let begin = self.offset(start.line, start.column)?;
        Some(begin + offset_in_source(self.file.text.get(begin..)?, template, offset)?)
    }

    fn offset(&self, line: usize, column: usize) -> Option<usize> {
        self.file.lines().offset(&self.file.text, line, column)
    }

    fn place(&self, offset: usize) -> Place {
        self.file.place(offset)
    }

    fn text(&self) -> &str {
        &self.file.text
    }

    fn variable_offsets(&self) -> Vec<usize> {
        self.spans.variables.iter().filter_map(|span| span.offset()).collect()
    }

    fn variable(&self, index: usize) -> Option<Place> {
        self.spans.variables.get(index).map(|span| self.of(*span))
    }

    fn comment_after(&self, prompt: &Prompt, location: TemplateLocation<'_>) -> Option<(&str, Place)> {
        self.comment_behind(prompt, location)
    }
}

impl Places {
    /// The place of the prompt's id.
    #[must_use]
    pub fn id(&self) -> Place {
        self.of(self.spans.id)
    }

    fn of(&self, span: SourceSpan) -> Place {
        self.file.place(span.offset().unwrap_or_default())
    }

    /// The insertions and replacements that write another version into the file, and with `id` the id where it is not
    /// written. They are ranges of the text without a byte order mark, in order.
    pub(super) fn edits(&self, id: Option<&PromptId>, version: &Version) -> Vec<(Range<usize>, String)> {
        let PromptSpans { first, id: id_span, version: written, .. } = self.spans;
        let text = &self.file.text;
        let at = first.offset().unwrap_or_default();
        let column = at - text[..at].rfind('\n').map_or(0, |line| line + 1);
        let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let line = format!("{line_break}{}", " ".repeat(column));
        let has_id = id_span != first;
        let mut edits = Vec::new();
        if let Some(id) = id.filter(|_| !has_id) {
            edits.push((at..at, format!("id: {id}{line}")));
        }
        match written {
            Some(span) => {
                let quote =
                    span.slice(text).and_then(|old| old.chars().next()).filter(|c| matches!(c, '"' | '\''));
                let quote = quote.map(String::from).unwrap_or_default();
                edits.push((span.start as usize..span.end as usize, format!("{quote}{version}{quote}")));
            }
            None if has_id => {
                let end = id_span.end as usize;
                let end = text[end..].find(['\r', '\n']).map_or(text.len(), |length| end + length);
                edits.push((end..end, format!("{line}version: {version}")));
            }
            None => edits.push((at..at, format!("version: {version}{line}"))),
        }
        edits.sort_by_key(|(range, _)| range.start);
        edits
    }

    /// Maps a line and column of one of the prompt's templates to the place in the file. For a text whose characters are
    /// not found there, it is the start of the text. `None` if the prompt has no such template.
    #[must_use]
    pub fn in_file(
        &self,
        prompt: &Prompt,
        location: TemplateLocation<'_>,
        line: usize,
        column: usize,
    ) -> Option<Place> {
        let start = self.of(self.span_of(prompt, location)?);
        let text = location.text(prompt)?;
        let wanted = text.split('\n').nth(line.checked_sub(1)?);
        if let Some(begin) = wanted.and_then(|wanted| self.line_start(&start, text, wanted, line)) {
            return Some(self.file.place(self.offset(begin.line, begin.before + column)?));
        }
        let offset = LineStarts::of(text).offset(text, line, column);
        let found = offset.and_then(|offset| self.offset_in_text(&start, text, offset));
        Some(found.map_or(start, |offset| self.file.place(offset)))
    }

    /// The YAML comment right behind a text without quotes; see [`PromptSource::comment_after`].
    fn comment_behind(&self, prompt: &Prompt, location: TemplateLocation<'_>) -> Option<(&str, Place)> {
        let span = self.span_of(prompt, location)?;
        let text = span.slice(&self.file.text)?;
        // In quotes and in a block, a `#` is part of the text. A block ends where a line ends.
        if text.starts_with(['"', '\'', '|', '>']) || text.ends_with('\n') || text.is_empty() {
            return None;
        }
        let end = span.start as usize + text.len();
        let rest = self.file.text[end..].lines().next()?;
        let comment = rest.trim_start();
        let is_comment = comment.len() < rest.len() && comment.starts_with('#');
        let offset = end + rest.len() - comment.len();
        is_comment.then(|| (comment, self.file.place(offset)))
    }

    fn span_of(&self, prompt: &Prompt, location: TemplateLocation<'_>) -> Option<SourceSpan> {
        match location {
            TemplateLocation::Template => self.spans.content,
            TemplateLocation::Message { index, text } => self.spans.entries.get(index)?.get(text).copied(),
            TemplateLocation::Partial(name) => {
                let index = prompt.partials().iter().position(|(known, _)| known == name)?;
                self.spans.partials.get(index).copied()
            }
        }
    }

    fn file_line(&self, line: usize) -> Option<&str> {
        let text = self.file.lines().text(&self.file.text, line)?;
        Some(text.strip_suffix('\r').unwrap_or(text))
    }

    /// Where a template's line in a literal block begins, behind its indentation. `None` unless the file's line contains
    /// that text. The parser reports the first line of a block that is not blank as its start.
    fn in_block(&self, text: &str, start_line: usize, wanted: &str, line: usize) -> Option<LineStart> {
        let blank_lines = text.len() - text.trim_start_matches('\n').len();
        let file_line = (start_line + line - 1).checked_sub(blank_lines)?;
        let indent = self.file_line(file_line)?.strip_suffix(wanted)?;
        let is_indent = indent.chars().all(|c| c == ' ');
        is_indent.then_some(LineStart { line: file_line, before: indent.len() })
    }

    /// Where a text on one line begins. `None` unless the text is there.
    fn on_line(&self, start_line: usize, column: usize, wanted: &str, line: usize) -> Option<LineStart> {
        let mut before = column - 1;
        let mut rest = self.file_line(start_line)?.chars();
        let mut ahead = rest.clone();
        ahead.nth(before).filter(|_| line == 1).map(|first| {
            if matches!(first, '"' | '\'') {
                before += 1;
            }
        })?;
        if before > 0 {
            rest.nth(before - 1)?;
        }
        rest.as_str().starts_with(wanted).then_some(LineStart { line: start_line, before })
    }
}
