//! Reads prompt files: YAML, and so JSON too. Nothing here touches a disk.
//!
//! A file holds one prompt, a `prompts:` list, or several documents. Each document is parsed in one pass by the
//! visitors of [`crate::prompt`], and a broken one hides no other. A place in a template is mapped back to the file.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, MapAccess, Visitor};

use crate::error::{ContextValue, Error, Kind, Place};
use crate::limits::FILE_BYTES;
use crate::prompt::read::{self, Document, WirePrompt};
use crate::prompt::{AboutFile, LeafId, Prompt, Status};
use crate::wire::At;
use crate::wire::yaml::{Chunk, decode, documents, libyaml_end, parse, place_in, translate};

/// What a file holds. Errors do not hide the prompts that are good.
#[derive(Debug, Default)]
pub struct ReadFile {
    /// The good prompts, in order.
    pub prompts: Vec<LocatedPrompt>,
    /// What the author should know, each with file and line.
    pub warnings: Vec<String>,
    /// What is wrong, each [`Kind::PromptInvalid`] with its place where there is one.
    pub errors: Vec<Error>,
    /// What a file with a list of prompts says of itself.
    pub about: AboutFile,
}

/// A prompt and where it stands in the file.
#[derive(Debug)]
pub struct LocatedPrompt {
    /// The prompt.
    pub prompt: Prompt,
    /// Where its parts stand.
    pub places: Places,
}

/// Where the id and the templates of a prompt stand in the file.
#[derive(Debug)]
pub struct Places {
    /// The file, shared by its prompts.
    file: Arc<SourceFile>,
    /// The lines before the prompt's document.
    lines_before: usize,
    id: Option<At>,
    content: Option<At>,
    /// For each chat entry the places of its leaves, in the order of [`crate::prompt::Message::try_map`].
    entries: Vec<Vec<Option<At>>>,
    partials: Vec<Option<At>>,
}

#[derive(Debug)]
struct SourceFile {
    name: String,
    text: String,
}

/// Reads a file of prompts. `file_name` is for errors and warnings.
///
/// ```
/// use prompt_manager::store::yaml::read_prompts;
///
/// let file = read_prompts("hello.yaml", "id: hello\nformat: text\ntemplate: Hello {{name}}!\n");
/// assert!(file.errors.is_empty());
/// assert_eq!(file.prompts[0].prompt.id.as_str(), "hello");
/// ```
#[must_use]
pub fn read_prompts(file_name: &str, text: &str) -> ReadFile {
    let mut read = ReadFile::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file = Arc::new(SourceFile { name: file_name.to_owned(), text: text.to_owned() });
    if text.len() as u64 > FILE_BYTES {
        read.errors.push(
            read::wrong(format!("the file is larger than {FILE_BYTES} bytes")).with_place(Place {
                name: Some(file_name.to_owned()),
                line: 1,
                column: 1,
                source_line: None,
            }),
        );
        return read;
    }
    for document in documents(text) {
        read_one(&file, &document, &mut read);
    }
    if read.prompts.is_empty() && read.errors.is_empty() {
        let error = read::wrong("the file holds no prompt").with_place(Place::of(Some(file_name), text, 0));
        read.errors.push(error);
    }
    read
}

/// [`read_prompts`] from bytes, which must be UTF-8.
#[must_use]
pub fn read_prompts_bytes(file_name: &str, bytes: &[u8]) -> ReadFile {
    match decode(file_name, bytes) {
        Ok(text) => read_prompts(file_name, text),
        Err(error) => ReadFile { errors: vec![error], ..ReadFile::default() },
    }
}

fn read_one(file: &Arc<SourceFile>, document: &Chunk<'_>, read: &mut ReadFile) {
    let source = libyaml_end(document.text);
    let mut found = Vec::new();
    let mut root = PromptFileVisitor { prompts: &mut found, about: &mut read.about };
    let outcome = parse(&source, |deserializer| deserializer.deserialize_map(&mut root));
    for wire in &mut found {
        match wire.take(Status::Active, Some(&source)).and_then(|prompt| prompt.check().map(|()| prompt)) {
            Ok(prompt) => {
                if let Some(at) = wire.helpers() {
                    read.warnings.push(format!(
                        "{}:{}: `helpers` of prompt `{}` are ignored; register them with the template engine",
                        file.name,
                        at.line + document.lines_before,
                        prompt.id
                    ));
                }
                read.prompts.push(LocatedPrompt::new(prompt, wire, file, document.lines_before));
            }
            Err(error) => {
                let key =
                    error.context().iter().find(|(name, _)| *name == "key").and_then(|(_, key)| match key {
                        ContextValue::Text(key) => Some(key.as_str()),
                        ContextValue::List(_) | ContextValue::Records(_) => None,
                    });
                let at = wire.place_of(key.unwrap_or("id"));
                let (line, column) = at.map_or((1, 1), |at| (at.line, at.column));
                read.errors.push(error.with_place(place(file, line + document.lines_before, column)));
            }
        }
    }
    if let Err(error) = outcome {
        read.errors.push(translate(
            &error,
            &file.name,
            &file.text,
            document.lines_before,
            Kind::PromptInvalid,
        ));
    }
}

/// Reads a document's root into a list.
struct PromptFileVisitor<'a> {
    prompts: &'a mut Vec<WirePrompt>,
    about: &'a mut AboutFile,
}

impl<'de> Visitor<'de> for &mut PromptFileVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a prompt, which is a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match read::read_document(map, Some(&mut *self.prompts))? {
            Document::Prompt(prompt) => self.prompts.push(*prompt),
            Document::Several(about) => *self.about = about,
        }
        Ok(())
    }
}

/// The place of a line and column of the file.
fn place(file: &SourceFile, line: usize, column: usize) -> Place {
    place_in(&file.name, &file.text, line, column)
}

impl LocatedPrompt {
    fn new(prompt: Prompt, wire: &WirePrompt, file: &Arc<SourceFile>, lines_before: usize) -> Self {
        let (mut content, mut entries, mut partials) = (None, Vec::new(), Vec::new());
        if let Some(template) = &wire.template {
            content = template.value.content.at;
            partials = template.value.partials.iter().map(|(_, leaf)| leaf.at).collect();
        }
        if let Some(chat) = &wire.chat_template {
            entries = chat.value.messages.iter().map(read::places).collect();
            partials = chat.value.partials.iter().map(|(_, leaf)| leaf.at).collect();
        }
        let file = Arc::clone(file);
        Self { prompt, places: Places { file, lines_before, id: wire.id.at, content, entries, partials } }
    }

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
    pub fn place_in_file(&self, leaf: LeafId<'_>, line: usize, column: usize) -> Option<Place> {
        self.places.in_file(&self.prompt, leaf, line, column)
    }
}

impl Places {
    /// Where the prompt's id stands.
    #[must_use]
    pub fn id(&self) -> Place {
        let (line, column) = self.id.map_or((1, 1), |at| (at.line, at.column));
        place(&self.file, line + self.lines_before, column)
    }

    /// The place in the file of a line and column of a template of the prompt. Exact for a literal block (`|`) and for
    /// a text on one line without escapes; otherwise where the text begins. `None` for a leaf that has no place: one
    /// that is not there, or a text inside a tool call's arguments.
    #[must_use]
    pub fn in_file(&self, prompt: &Prompt, leaf: LeafId<'_>, line: usize, column: usize) -> Option<Place> {
        let at = self.leaf_at(prompt, leaf)?;
        let text = leaf_text(prompt, leaf)?;
        let start_line = at.line + self.lines_before;
        let exact = || {
            let wanted = text.split('\n').nth(line.checked_sub(1)?)?;
            self.in_block(text, start_line, wanted, line)
                .map(|(line, indent)| (line, indent + column))
                .or_else(|| Some((start_line, self.on_line(start_line, at.column, wanted, line)? + column)))
        };
        let (line, column) = exact().unwrap_or((start_line, at.column));
        Some(place(&self.file, line, column))
    }

    fn leaf_at(&self, prompt: &Prompt, leaf: LeafId<'_>) -> Option<At> {
        match leaf {
            LeafId::Template => self.content,
            LeafId::Message { index, leaf } => *self.entries.get(index)?.get(leaf)?,
            LeafId::Partial(name) => *self.partials.get(partial_index(prompt, name)?)?,
        }
    }

    fn file_line(&self, line: usize) -> Option<&str> {
        self.file.text.lines().nth(line.checked_sub(1)?)
    }

    /// The file's line for a template's line in a literal block, and its indentation; only if it really is there.
    /// The parser places a block at its first line that is not blank.
    fn in_block(&self, text: &str, start_line: usize, wanted: &str, line: usize) -> Option<(usize, usize)> {
        let blank_lines = text.len() - text.trim_start_matches('\n').len();
        let file_line = (start_line + line - 1).checked_sub(blank_lines)?;
        let indent = self.file_line(file_line)?.strip_suffix(wanted)?;
        indent.chars().all(|c| c == ' ').then_some((file_line, indent.len()))
    }

    /// The characters before a one-line text on its line; only if it really is there.
    fn on_line(&self, start_line: usize, column: usize, wanted: &str, line: usize) -> Option<usize> {
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
        rest.as_str().starts_with(wanted).then_some(before)
    }
}

fn partial_index(prompt: &Prompt, name: &str) -> Option<usize> {
    partials_of(prompt).iter().position(|(known, _)| known == name)
}

fn partials_of(prompt: &Prompt) -> &[(String, String)] {
    match (&prompt.template, &prompt.chat_template) {
        (Some(template), _) => &template.partials,
        (None, Some(chat)) => &chat.partials,
        (None, None) => &[],
    }
}

fn leaf_text<'p>(prompt: &'p Prompt, leaf: LeafId<'_>) -> Option<&'p str> {
    match leaf {
        LeafId::Template => Some(&prompt.template.as_ref()?.content),
        LeafId::Partial(name) => Some(&partials_of(prompt).get(partial_index(prompt, name)?)?.1),
        LeafId::Message { index, leaf } => {
            let entry = prompt.chat_template.as_ref()?.messages.get(index)?;
            let crate::prompt::ChatEntry::Message(message) = entry else { return None };
            let mut leaves: Vec<&str> = Vec::new();
            message
                .try_map(|text| {
                    leaves.push(text);
                    Ok(())
                })
                .ok()?;
            leaves.get(leaf).copied()
        }
    }
}
