//! `labels.yaml`, which tells where the labels of a directory's prompts point.
//!
//! ```yaml
//! labels:
//!   greeting:
//!     production: 1.0.1
//! history:
//!   greeting:
//!     - {label: production, version: 1.0.1, previous: 1.0.0, moved_at: "2026-01-31T12:00:00Z", author: "Ada"}
//! ```
//!
//! `labels` counts, and a person may edit it. `history` has the moves that programs made; an edit by hand becomes a move
//! the next time a program writes the file.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::atomic;
use super::errors::{newest_versions, reason, unreadable, unwritable};
use super::labels::{LabelMove, LabelRequest, Labels, tell_of_move};
use super::lock::{DEFAULT_LOCK_TIMEOUT, Lock};
use super::prompt_tree::FileKind;
use super::stable_read::{FileStamp, read_settled};
use crate::check::{CODE, Code, Finding};
use crate::de::yaml::{decode, documents, read_document};
use crate::de::{KeyHint, NodeReader, SourceNode, SourceSpan};
use crate::error::{Error, Kind, LineStarts, Place, Result, nearest};
use crate::prompt::{PromptId, Version, check_label};

/// The file's name where a program creates it.
const NAME: &str = "labels.yaml";

/// The lock of writers.
const LOCK: &str = ".labels.lock";

/// The first lines of a file that a program creates.
const HEADER: &str =
    "# Where labels point. `set_label` and `rollback` write this file, and you may edit `labels` by hand.\n";

/// The keys of the file.
const KEYS: [&str; 2] = ["labels", "history"];

/// The hint for any other key, which is often the id of a prompt.
const LABELS_BY_PROMPT: &str =
    "write the labels of each prompt under `labels`: `labels: {greeting: {production: 1.0.1}}`";

/// Keys of a prompt, which is in the wrong file.
const PROMPT_KEYS: [&str; 6] = ["id", "template", "messages", "chat_template", "prompts", "variables"];

/// The hint for them.
const NO_PROMPT: &str = "this file is for the labels of the directory; give a prompt file another name";

/// The content of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct LabelFile {
    /// The comments at its top.
    header: String,
    /// When it was saved, which is when an edit by hand was made at the latest.
    saved: Option<Timestamp>,
    targets: BTreeMap<PromptId, BTreeMap<String, LabelTarget>>,
    history: BTreeMap<PromptId, Vec<LabelMove>>,
}

/// Where a label points, and the place in the file.
#[derive(Debug, Clone)]
pub(super) struct LabelTarget {
    /// `None` for a label that is off, even if a prompt file names it.
    pub(super) version: Option<Version>,
    pub(super) place: Place,
}

/// Reads a file of labels.
///
/// # Errors
/// Every mistake with its line and column.
pub(super) fn read(path: &Path) -> std::result::Result<LabelFile, Vec<Error>> {
    let name = path.display().to_string();
    let (file, _) = read_settled(path).map_err(|error| vec![error])?;
    let text = decode(&name, &file.bytes).map_err(|error| vec![error])?;
    let mut read = parse(&name, text)?;
    read.saved = file.saved;
    Ok(read)
}

fn parse(name: &str, text: &str) -> std::result::Result<LabelFile, Vec<Error>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let comments =
        text.split_inclusive('\n').take_while(|line| line.starts_with('#') || line.trim().is_empty());
    let mut file = LabelFile { header: comments.collect(), ..LabelFile::default() };
    let mut reader = NodeReader::of_yaml(Kind::PromptInvalid, text);
    let lines = LineStarts::of(text);
    let place =
        |span: SourceSpan| Place::with_lines(Some(name), text, span.offset().unwrap_or_default(), &lines);
    let mut nodes = Vec::new();
    for chunk in documents(text) {
        nodes.extend(read_document(text, &chunk, &mut reader));
    }
    if let [_, second, ..] = nodes.as_slice() {
        reader.wrong(second.span, "expected one document");
    }
    let root = nodes.into_iter().next().filter(|node| !node.is_null());
    let is_empty = root.is_none();
    if let Some(node) = root {
        file.read_root(&mut reader, node, &place);
    }
    let errors = reader.located(name, text);
    match errors.is_empty() {
        true if is_empty => Err(vec![empty(name, text)]),
        true => Ok(file),
        false => Err(errors),
    }
}

/// The error for a file without content. A save that was cut off leaves one, and would take all labels away.
fn empty(name: &str, text: &str) -> Error {
    Error::new(Kind::PromptInvalid, "the file of the labels is empty")
        .with_hint("delete the file, or write `{}`, if no label points anywhere; else restore its content")
        .with_place(Place::of(Some(name), text, 0))
        .with_context("path", name)
}

impl LabelFile {
    fn read_root(
        &mut self,
        reader: &mut NodeReader<'_>,
        node: SourceNode<'_>,
        place: &dyn Fn(SourceSpan) -> Place,
    ) {
        let expected = "the labels of this directory, a mapping with `labels`";
        let hint_of = |key: &str| match nearest(key, KEYS) {
            _ if PROMPT_KEYS.contains(&key) => Some(KeyHint::new(NO_PROMPT)),
            None => Some(KeyHint::new(LABELS_BY_PROMPT)),
            Some(_) => None,
        };
        let Some(mut fields) = reader.hinted_fields(node, expected, &KEYS, hint_of) else {
            return;
        };
        for (id, span, node) in Self::by_prompt(reader, fields.take_value("labels")) {
            let Some(id) = parse_id(reader, &id, span) else { continue };
            let targets = self.targets.entry(id).or_default();
            for (label, span, node) in
                reader.members(node, "a mapping of labels to versions").unwrap_or_default()
            {
                if let Err(error) = check_label(&label) {
                    reader.note(span, error);
                    continue;
                }
                let place = place(node.span);
                let mark = reader.mark();
                let version = if node.is_null() { None } else { reader.parse(node) };
                if reader.is_clean_since(mark) {
                    targets.insert(label, LabelTarget { version, place });
                }
            }
        }
        for (id, span, node) in Self::by_prompt(reader, fields.take_value("history")) {
            let Some(id) = parse_id(reader, &id, span) else { continue };
            let items = reader.items(node, "a list of moves").unwrap_or_default();
            let moves: Vec<LabelMove> =
                items.into_iter().filter_map(|item| read_move(reader, item)).collect();
            self.history.insert(id, moves);
        }
    }

    fn by_prompt<'n>(
        reader: &mut NodeReader<'_>,
        node: Option<SourceNode<'n>>,
    ) -> Vec<(String, SourceSpan, SourceNode<'n>)> {
        node.and_then(|node| reader.members(node, "a mapping whose keys are ids of prompts"))
            .unwrap_or_default()
    }

    /// Every label with its prompt.
    pub(super) fn targets(&self) -> impl Iterator<Item = (&PromptId, &str, &LabelTarget)> {
        self.targets
            .iter()
            .flat_map(|(id, labels)| labels.iter().map(move |(label, target)| (id, label.as_str(), target)))
    }

    /// The ids of the prompts of which the file has labels or moves.
    pub(super) fn ids(&self) -> impl Iterator<Item = &PromptId> {
        self.targets.keys().chain(self.history.keys())
    }

    /// The moves of a prompt's labels. An edit by hand is a move too. `written` gives the version whose prompt file names a
    /// label, which counts for a label that a person took out of this file.
    pub(super) fn labels(&self, id: &PromptId, written: impl Fn(&str) -> Option<Version>) -> Labels {
        let mut labels = Labels::new(self.history.get(id).cloned().unwrap_or_default());
        let none = BTreeMap::new();
        let targets = self.targets.get(id).unwrap_or(&none);
        let moved: Vec<(String, Option<Version>)> = labels
            .targets()
            .into_iter()
            .map(|(label, version)| (label.to_owned(), version.cloned()))
            .collect();
        let mut edit = |label: &str, version: Option<Version>, previous: Option<Version>| {
            if version != previous {
                let moved_at = self.saved.unwrap_or_else(Timestamp::now);
                labels.push(LabelMove { label: label.to_owned(), version, previous, moved_at, author: None });
            }
        };
        for (label, previous) in &moved {
            if !targets.contains_key(label) {
                edit(label, written(label), previous.clone());
            }
        }
        for (label, target) in targets {
            let known = moved.iter().find(|(known, _)| known == label);
            let previous = known.map_or_else(|| written(label), |(_, previous)| previous.clone());
            edit(label, target.version.clone(), previous);
        }
        labels
    }

    /// Points a label at a version. A label that is off is named only if a prompt file names it.
    fn set(&mut self, id: &PromptId, label: &str, version: Option<Version>, is_written: bool) {
        let labels = self.targets.entry(id.clone()).or_default();
        if version.is_none() && !is_written {
            labels.remove(label);
        } else {
            let place = Place::of(None, "", 0);
            labels.insert(label.to_owned(), LabelTarget { version, place });
        }
        if labels.is_empty() {
            self.targets.remove(id);
        }
    }

    fn text(&self) -> String {
        let mut text = if self.header.is_empty() { HEADER.to_owned() } else { self.header.clone() };
        text.push_str("labels:\n");
        for (id, labels) in &self.targets {
            let _ = writeln!(text, "  {}:", key(id.as_str()));
            for (label, target) in labels {
                let version = target.version.as_ref().map_or_else(|| "null".to_owned(), Version::to_string);
                let _ = writeln!(text, "    {}: {version}", key(label));
            }
        }
        text.push_str("history:\n");
        for (id, moves) in &self.history {
            let _ = writeln!(text, "  {}:", key(id.as_str()));
            for made in moves {
                let _ = writeln!(text, "    - {}", move_text(made));
            }
        }
        text
    }
}

fn parse_id(reader: &mut NodeReader<'_>, id: &str, span: SourceSpan) -> Option<PromptId> {
    id.parse().map_err(|error| reader.note(span, error)).ok()
}

fn read_move(reader: &mut NodeReader<'_>, node: SourceNode<'_>) -> Option<LabelMove> {
    let known = &["label", "version", "previous", "moved_at", "author"];
    let mark = reader.mark();
    let mut fields = reader.fields(node, "a move of a label, which is a mapping", known)?;
    let label = reader.required_spanned(&mut fields, "label").text;
    let version = fields.take_value("version").and_then(|node| reader.parse(node));
    let previous = fields.take_value("previous").and_then(|node| reader.parse(node));
    let moved_at = reader.required_spanned(&mut fields, "moved_at");
    let author = reader.optional_text(&mut fields, "author");
    if !reader.is_clean_since(mark) {
        return None;
    }
    if let Ok(time) = moved_at.text.parse() {
        return Some(LabelMove { label, version, previous, moved_at: time, author });
    }
    reader.wrong(moved_at.span, "expected a time such as \"2026-01-31T12:00:00Z\"");
    None
}

/// A key of YAML. Ids and labels need quotes only if YAML takes the word for something else.
fn key(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() > 5
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    if is_plain { name.to_owned() } else { quoted(name) }
}

/// A text in JSON, which is also YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn move_text(made: &LabelMove) -> String {
    let version =
        |version: &Option<Version>| version.as_ref().map_or_else(|| "null".to_owned(), Version::to_string);
    let mut text = format!(
        "{{label: {}, version: {}, previous: {}, moved_at: {}",
        key(&made.label),
        version(&made.version),
        version(&made.previous),
        quoted(&made.moved_at.to_string())
    );
    if let Some(author) = &made.author {
        let _ = write!(text, ", author: {}", quoted(author));
    }
    text.push('}');
    text
}

/// The file of a directory, if there is one.
///
/// # Errors
/// [`Kind::StorageRead`] if the directory cannot be read, or has two such files.
fn find(directory: &Path) -> Result<Option<PathBuf>> {
    let failed =
        |error: std::io::Error| unreadable("directory", directory, &reason(&error)).with_cause(error);
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if FileKind::of(Path::new(&name)) == Some(FileKind::Labels) {
            found.push(directory.join(name));
        }
    }
    found.sort();
    match found.as_slice() {
        [] => Ok(None),
        [path] => Ok(Some(path.clone())),
        [first, second, ..] => Err(two_files(first, second)),
    }
}

/// The error for two files of labels.
pub(super) fn two_files(first: &Path, second: &Path) -> Error {
    let why = format!("{} exists too", first.display());
    unreadable("file", second, &why).with_hint("keep one of them")
}

/// The error for a label that points at a version that does not exist.
pub(super) fn unknown_target(
    id: &PromptId,
    label: &str,
    target: &LabelTarget,
    versions: &HashMap<&PromptId, Vec<&Version>>,
) -> Error {
    let wanted = target.version.as_ref().map(ToString::to_string).unwrap_or_default();
    let file = target.place.name.clone().unwrap_or_default();
    let mut known: Vec<&Version> = versions.get(id).cloned().unwrap_or_default();
    known.sort_unstable();
    let error = if known.is_empty() {
        let error = Error::new(
            Kind::PromptInvalid,
            format!("label '{label}' is of prompt '{id}', which does not exist"),
        );
        match nearest(id.as_str(), versions.keys().map(|id| id.as_str())) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error,
        }
    } else {
        let message =
            format!("label '{label}' of prompt '{id}' points at version {wanted}, which does not exist");
        Error::new(Kind::PromptInvalid, message).with_hint(newest_versions(known.into_iter()))
    };
    error
        .with_place(target.place.clone())
        .with_context("path", file)
        .with_context("prompt_id", id.as_str())
        .with_context("label", label)
        .with_context(CODE, Code::UnknownLabelTarget.as_str())
}

/// The warning about a label that a prompt file points at another version.
pub(super) fn disagreement(
    id: &PromptId,
    label: &str,
    target: &LabelTarget,
    named: &Version,
    place: &Place,
) -> Finding {
    let version = target.version.as_ref().map(ToString::to_string).unwrap_or_default();
    let file = place.name.clone().unwrap_or_default();
    let message = format!(
        "label '{label}' of prompt '{id}' points at {version} here, and at {named} in {file}:{}",
        place.line
    );
    let finding = Finding::in_file(Code::LabelDisagreement, message, target.place.clone());
    Finding { prompt_id: Some(id.to_string()), ..finding }
        .with_hint("this file counts; take the label out of `labels:` in the prompt file")
}

fn read_current(path: Option<&Path>) -> Result<LabelFile> {
    let Some(path) = path else { return Ok(LabelFile::default()) };
    read(path).map_err(|errors| {
        let name = path.display().to_string();
        Error::new(Kind::StorageRead, format!("the file {name} cannot be used"))
            .with_context("path", name)
            .with_errors(errors)
    })
}

/// The labels of a prompt that the file of a directory names, with the versions that they point at. Labels that are off are
/// left out.
///
/// # Errors
/// [`Kind::StorageRead`] if the file cannot be used.
pub fn named_labels(directory: &Path, id: &str) -> Result<BTreeMap<String, Version>> {
    let file = read_current(find(directory)?.as_deref())?;
    let of_prompt = file.targets().filter(|(known, ..)| known.as_str() == id);
    let named = of_prompt.filter_map(|(_, label, target)| Some((label.to_owned(), target.version.clone()?)));
    Ok(named.collect())
}

/// The moves of a prompt's labels as the file of a directory has them now. `written` as for [`move_label`].
///
/// # Errors
/// [`Kind::StorageRead`] if the file cannot be used.
pub fn label_history(
    directory: &Path,
    id: &PromptId,
    written: impl Fn(&str) -> Option<Version>,
) -> Result<Labels> {
    Ok(read_current(find(directory)?.as_deref())?.labels(id, written))
}

/// Points a label at a version in the file of a directory, under a lock. Without a version, takes the label off. Returns
/// the move, and all moves of the prompt.
///
/// `written` gives the version at which a prompt file points a label; it counts if the file of labels does not name it.
///
/// # Errors
/// [`Kind::StorageRead`] if the file cannot be used, [`Kind::StorageWrite`] if it cannot be written; those of
/// [`Labels::set`].
pub fn move_label(
    directory: &Path,
    id: &PromptId,
    request: LabelRequest<'_>,
    written: impl Fn(&str) -> Option<Version>,
) -> Result<(LabelMove, Labels)> {
    let root = real("directory", directory)?;
    let home = home_of(&root)?;
    let lock = Lock::take_below(&home, &home.join(LOCK), DEFAULT_LOCK_TIMEOUT)?;
    let moved = move_locked(&root, &home, id, request, written);
    // People keep this directory under version control, so no lock file stays in it.
    let _ = lock.remove();
    moved
}

fn real(what: &str, path: &Path) -> Result<PathBuf> {
    fs::canonicalize(path).map_err(|error| unwritable(what, path, &reason(&error)).with_cause(error))
}

/// The directory that contains the file of labels. It is another one if the file is a link, so that directories which share
/// a file share its lock, and a move does not replace the link.
fn home_of(root: &Path) -> Result<PathBuf> {
    let Some(found) = find(root)? else { return Ok(root.to_owned()) };
    Ok(real("file", &found)?.parent().unwrap_or(root).to_owned())
}

fn move_locked(
    root: &Path,
    home: &Path,
    id: &PromptId,
    request: LabelRequest<'_>,
    written: impl Fn(&str) -> Option<Version>,
) -> Result<(LabelMove, Labels)> {
    let found = find(root)?;
    let mut file = read_current(found.as_deref())?;
    let mut labels = file.labels(id, &written);
    let named = written(request.label);
    let (made, changed) = labels.set(id.as_str(), request, named.as_ref())?;
    if changed {
        let path = found.map_or_else(|| Ok(root.join(NAME)), |path| real("file", &path))?;
        file.set(id, request.label, request.version.cloned(), named.is_some());
        file.history.insert(id.clone(), labels.history(None));
        write(home, &path, &file)?;
        tell_of_move(id.as_str(), &made);
    }
    Ok((made, labels))
}

fn write(root: &Path, path: &Path, file: &LabelFile) -> Result<()> {
    let text = file.text();
    if parse("", &text).is_err() {
        return Err(unwritable("file", path, "reading the text would not give the same labels"));
    }
    atomic::sweep_below(root, root);
    atomic::write_below(root, path, text.as_bytes())
}

/// Tells whether the file of a directory changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LabelFileStamp(Vec<Option<FileStamp>>);

impl LabelFileStamp {
    /// The stamp of the file as it is now. `known` are the files of labels that a load found, whose names may be in upper
    /// case. It costs no look at other files of the directory.
    #[must_use]
    pub fn of(directory: &Path, known: &[PathBuf]) -> Self {
        let usual = ["labels.yaml", "labels.yml"].map(|name| directory.join(name));
        let others = known.iter().filter(|path| !usual.contains(path));
        let paths = usual.iter().chain(others);
        Self(paths.map(|path| fs::metadata(path).ok().map(|about| FileStamp::of(&about))).collect())
    }
}
