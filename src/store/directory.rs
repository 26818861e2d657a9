//! Loads a directory of prompt files, and one of schema files.
//!
//! Files are found recursively and returned in the order of their paths. Threads that live as long as the call read
//! and compile them in parallel. A bad file does not hide the others: every error is collected with its place.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use jiff::Timestamp;
use uuid::Uuid;

use super::errors::{reason, unreadable};
use super::ignore_comments::hide_ignored;
use super::label_file::{self, LabelFile, two_files};
use super::labels::{LABEL_ROUNDS, Labels};
use super::prompt_tree::{PromptTree, YamlFiles};
use super::stable_read::{FileContent, FileStamp, read_settled};
use super::yaml::{self, BrokenPrompt, LocatedPrompt, Places, ReadFile};
use crate::check::{CheckOptions, Code, Finding, PromptSource, check, check_fully, find_secrets};
use crate::error::{Error, Kind, Place, Result};
use crate::prompt::{AboutFile, Compiled, Prompt, PromptId, SchemaSource, TemplateLocation, Version};
use crate::schema::{Schema, SchemaSet, parse};
use crate::template::{LayeredLibrary, Library, Template, TemplateOptions, Text};

/// The prompts and schemas of a directory, with all errors and warnings.
#[derive(Debug)]
pub struct LoadedDirectory<T> {
    /// The prompts without errors.
    pub prompts: Vec<Arc<Compiled<T>>>,
    /// The place of the id of each of these prompts.
    pub places: Vec<Place>,
    /// All places of each of these prompts, after a load for a check.
    pub sources: Vec<Arc<Places>>,
    /// The file version and metadata of files with a list of prompts, by file name.
    pub about: HashMap<String, AboutFile>,
    /// The schemas.
    pub schemas: Vec<Schema>,
    /// Warnings for the authors of the files.
    pub warnings: Vec<Finding>,
    /// The errors, each with its place.
    pub errors: Vec<Error>,
    /// The number of files.
    pub files: usize,
    /// The number of files that were read. The others had not changed since the last load.
    pub read: usize,
    /// The directories that contain the targets of links.
    pub linked: Vec<PathBuf>,
    /// The partials of the directory, which every prompt can include.
    pub partials: SharedPartials<T>,
    /// The names and the files of these partials, sorted by name.
    pub partial_files: Vec<(String, PathBuf)>,
    /// The labels of the prompts that the file of labels names. `None` if the file has an error.
    pub labels: Option<BTreeMap<PromptId, Labels>>,
    /// The files of labels. More than one is an error.
    pub label_files: Vec<PathBuf>,
}

/// Partials by name.
type SharedPartials<T> = BTreeMap<Box<str>, Template<T>>;

impl<T> Default for LoadedDirectory<T> {
    fn default() -> Self {
        Self {
            prompts: Vec::new(),
            places: Vec::new(),
            sources: Vec::new(),
            about: HashMap::new(),
            schemas: Vec::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
            files: 0,
            read: 0,
            linked: Vec::new(),
            partials: BTreeMap::new(),
            partial_files: Vec::new(),
            labels: Some(BTreeMap::new()),
            label_files: Vec::new(),
        }
    }
}

impl<T> LoadedDirectory<T> {
    /// Takes all warnings that no comment hides, and with `errors` what the errors say too, sorted by file and place.
    #[must_use]
    pub fn findings(&mut self, errors: bool) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.warnings);
        hide_ignored(&mut findings);
        if errors {
            findings.extend(self.errors.iter().map(Finding::of_error));
        }
        findings.sort_by(|one, other| {
            let key = |finding: &Finding| finding.place.as_ref().map(|place| (place.line, place.column));
            (&one.file, key(one)).cmp(&(&other.file, key(other)))
        });
        findings
    }

    /// Takes all errors and combines them into one.
    #[must_use]
    pub fn error(&mut self, directory: &Path) -> Option<Error> {
        if self.errors.is_empty() {
            return None;
        }
        let errors = std::mem::take(&mut self.errors);
        let count = errors.len();
        let problems = if count == 1 { "a problem".to_owned() } else { format!("{count} problems") };
        let message = format!("{problems} in {}", directory.display());
        Some(
            Error::new(Kind::StorageRead, message)
                .with_context("path", directory.display().to_string())
                .with_errors(errors),
        )
    }
}

/// The prompts of one file. They never change, so that a reload can use them again.
#[derive(Debug)]
struct LoadedFile<T> {
    name: String,
    about: AboutFile,
    prompts: Vec<FilePrompt<T>>,
    /// All places of these prompts, after a load for a check.
    sources: Vec<Arc<Places>>,
    warnings: Vec<Finding>,
}

#[derive(Debug)]
struct FilePrompt<T> {
    compiled: Arc<Compiled<T>>,
    /// The place of its id.
    place: Place,
    named_schemas: Vec<NamedSchema>,
}

/// A schema that a prompt uses by name.
#[derive(Debug)]
struct NamedSchema {
    key: &'static str,
    name: String,
    place: Place,
}

impl NamedSchema {
    /// The schemas that a prompt uses by name.
    fn of(prompt: &Prompt, places: &Places) -> Vec<Self> {
        let named = |key, schema: Option<&SchemaSource>, place: &dyn Fn() -> Place| match schema {
            Some(SchemaSource::Name(name)) => Some(Self { key, name: name.clone(), place: place() }),
            _ => None,
        };
        let input = named("input_schema", prompt.input_schema.as_ref(), &|| places.input_schema());
        let output = named("output_schema", prompt.output_schema.as_ref(), &|| places.output_schema());
        input.into_iter().chain(output).collect()
    }

    /// The error of a schema that does not exist.
    fn unknown(&self, prompt: &PromptId, known: &BTreeSet<String>) -> Error {
        let Self { key, name, place } = self;
        let message = format!(
            "prompt '{prompt}' uses the schema '{name}' as its {key}, but that schema does not exist"
        );
        let hint = match crate::error::nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "write it in a schema file, or register it with the manager".to_owned(),
        };
        Error::new(Kind::Schema, message).with_place(place.clone()).with_hint(hint)
    }
}

/// The result of reading a file, or of finding it in the cache.
struct FileOutcome<T> {
    file: Arc<LoadedFile<T>>,
    errors: Vec<Error>,
    /// Shows later whether the file has changed; `None` if a change could not be seen.
    stamp: Option<FileStamp>,
    /// Whether it comes from the cache.
    is_cached: bool,
}

/// The files of a directory at its last load. A file that has not changed since then is not read again.
/// The cache is valid for one set of options, helpers and partials.
#[derive(Debug)]
pub struct FileCache<T> {
    files: HashMap<PathBuf, (FileStamp, Arc<LoadedFile<T>>)>,
    /// The schemas with which the prompts were checked.
    schemas: Vec<Schema>,
    /// The partials of the directory, by name and text. The files were compiled with them.
    partials: Vec<(String, String)>,
}

impl<T> Default for FileCache<T> {
    fn default() -> Self {
        Self { files: HashMap::new(), schemas: Vec::new(), partials: Vec::new() }
    }
}

impl<T: Text> FileCache<T> {
    /// Empties the cache if the schemas or the partials of the directory are others now. What the rules find in a prompt
    /// depends on its input schema.
    fn keep_for(&mut self, schemas: &[Schema], partials: &SharedPartials<T>) {
        let partials = partials.iter().map(|(name, partial)| (name.to_string(), partial.source().to_owned()));
        let partials: Vec<_> = partials.collect();
        if self.schemas != schemas || self.partials != partials {
            *self = Self { files: HashMap::new(), schemas: schemas.to_vec(), partials };
        }
    }

    /// The cached file, unless it has changed.
    fn unchanged(&self, path: &Path) -> Option<FileOutcome<T>> {
        let (stamp, file) = self.files.get(path)?;
        if FileStamp::of(&fs::metadata(path).ok()?) != *stamp {
            return None;
        }
        let (file, stamp) = (Arc::clone(file), Some(stamp.clone()));
        Some(FileOutcome { file, errors: Vec::new(), stamp, is_cached: true })
    }

    /// Replaces the cache by the files of this load. Files with errors are left out, so that they are read again.
    fn remember(&mut self, files: Vec<PathBuf>, outcomes: &[FileOutcome<T>]) {
        let kept = files.into_iter().zip(outcomes).filter_map(|(path, outcome)| {
            let stamp = outcome.stamp.clone().filter(|_| outcome.errors.is_empty())?;
            Some((path, (stamp, Arc::clone(&outcome.file))))
        });
        self.files = kept.collect();
    }
}

/// Loads every prompt below `directory` and every schema below `schemas`.
///
/// `PromptTree` tells which files are prompts and which are partials. Without `schemas`, the schemas are those in the
/// directory `schemas` of `directory`, if there is one. Where there are schemas, a prompt that uses another is an error.
///
/// # Errors
/// [`Kind::StorageRead`] if a directory itself cannot be read. The errors of files are in the result.
pub fn load<T: Text>(
    directory: &Path,
    schemas: Option<&Path>,
    options: &TemplateOptions,
    engine: &(dyn Library<T> + Sync),
) -> Result<LoadedDirectory<T>> {
    load_again(directory, schemas, options, engine, &mut FileCache::default())
}

/// [`load`] for a check: every rule about one prompt is run, and the places of the prompts are kept.
///
/// # Errors
/// The same as [`load`].
pub fn load_for_check<T: Text>(
    directory: &Path,
    schemas: Option<&Path>,
    options: &TemplateOptions,
    engine: &(dyn Library<T> + Sync),
    check: &CheckOptions,
) -> Result<LoadedDirectory<T>> {
    let mut cache = FileCache::default();
    FileLoader { directory, options, engine, check: Some(check) }.load(schemas, &mut cache)
}

/// Like [`load`], but reads only the files that changed since the last load with this cache. The rules between files
/// are checked for all files.
///
/// # Errors
/// The same as [`load`].
pub fn load_again<T: Text>(
    directory: &Path,
    schemas: Option<&Path>,
    options: &TemplateOptions,
    engine: &(dyn Library<T> + Sync),
    cache: &mut FileCache<T>,
) -> Result<LoadedDirectory<T>> {
    FileLoader { directory, options, engine, check: None }.load(schemas, cache)
}

/// A directory that is loaded, and how.
struct FileLoader<'l, T> {
    directory: &'l Path,
    options: &'l TemplateOptions,
    engine: &'l (dyn Library<T> + Sync),
    /// What a check is asked for; `None` for a load.
    check: Option<&'l CheckOptions>,
}

/// One pass over the files of a directory.
struct LoadPass<T> {
    loaded: LoadedDirectory<T>,
    /// The file of labels, if this pass read it and a label points at a version that the pass did not find.
    lost_labels: Option<LabelFile>,
}

impl<T: Text> FileLoader<'_, T> {
    /// Loads the directory. After errors it loads it again, a few times at most, until the errors stay the same: the files
    /// are not read at one moment. If somebody writes a version and moves a label to it meanwhile, a pass can see the
    /// label and not the version. So the next pass reads the versions again and keeps these labels. The versions may have
    /// been deleted since, so the pass after that reads the labels again, too.
    fn load(&self, schemas: Option<&Path>, cache: &mut FileCache<T>) -> Result<LoadedDirectory<T>> {
        let mut pass = self.load_once(schemas, cache, None)?;
        for _ in 0..2 * LABEL_ROUNDS {
            if pass.loaded.errors.is_empty() {
                break;
            }
            let labels = pass.lost_labels.take();
            let is_fresh = labels.is_none();
            let again = self.load_once(schemas, cache, labels)?.after(&pass);
            let is_same = is_fresh && again.has_errors_of(&pass);
            pass = again;
            if is_same {
                break;
            }
        }
        let LoadedDirectory { files, read, prompts, errors, .. } = &pass.loaded;
        let (prompts, errors) = (prompts.len(), errors.len());
        tracing::info!(directory = %self.directory.display(), files, read, prompts, errors, "loaded prompts");
        Ok(pass.loaded)
    }

    /// One pass over the files. The file of labels is not read if it is given.
    fn load_once(
        &self,
        schemas: Option<&Path>,
        cache: &mut FileCache<T>,
        labels: Option<LabelFile>,
    ) -> Result<LoadPass<T>> {
        let Self { directory, options, engine, check } = *self;
        let mut loaded = LoadedDirectory::default();
        let tree = PromptTree::find(directory, schemas)?;
        if let Some(schemas) = &tree.schemas {
            load_schemas(schemas, &mut loaded)?;
        }
        let broken;
        (loaded.partials, broken) = load_partials(&tree.partials, options, engine, &mut loaded.errors);
        // A prompt that includes a partial with an error of its own is not another error.
        let known_partials = options.known_partials.iter().cloned().chain(broken).collect();
        let options = &TemplateOptions { known_partials, ..options.clone() };
        cache.keep_for(&loaded.schemas, &loaded.partials);
        loaded.errors.extend(tree.errors);
        loaded.warnings.extend(tree.warnings);
        loaded.linked.extend(tree.linked);
        loaded.files += tree.prompts.len();
        let (partials, schemas) = (&loaded.partials, &loaded.schemas);
        let outcomes = in_parallel(&tree.prompts, |path| {
            cache.unchanged(path).unwrap_or_else(|| {
                let id = id_of(directory, path);
                read_file(path, id.as_deref(), options, &LayeredLibrary(engine, partials), schemas, check)
            })
        });
        loaded.read = outcomes.iter().filter(|outcome| !outcome.is_cached).count();
        cache.remember(tree.prompts, &outcomes);
        loaded.partial_files = tree.partials;
        let registered = check.and_then(|check| check.registered_schemas.as_deref());
        let others = if tree.schemas.is_some() { Some(&[][..]) } else { registered };
        gather(&mut loaded, outcomes, others);
        loaded.label_files.clone_from(&tree.labels);
        if let Some((first, others)) = tree.labels.split_first() {
            loaded.errors.extend(others.iter().map(|second| two_files(first, second)));
            loaded.files += 1;
            return Ok(load_labels(first, labels, loaded));
        }
        Ok(LoadPass { loaded, lost_labels: None })
    }
}

impl<T> LoadPass<T> {
    /// This pass. Its count of files that were read is at least that of an earlier one.
    fn after(mut self, earlier: &Self) -> Self {
        self.loaded.read = self.loaded.read.max(earlier.loaded.read);
        self
    }

    fn has_errors_of(&self, other: &Self) -> bool {
        let reports = |pass: &Self| pass.loaded.errors.iter().map(Error::report).collect::<Vec<_>>();
        reports(self) == reports(other)
    }
}

/// Reads the file of labels, unless it is known. A broken one leaves all labels as they are.
fn load_labels<T: Text>(
    path: &Path,
    known: Option<LabelFile>,
    mut loaded: LoadedDirectory<T>,
) -> LoadPass<T> {
    let is_known = known.is_some();
    match known.map_or_else(|| label_file::read(path), Ok) {
        Ok(file) => {
            let is_lost = !put_labels(&file, &mut loaded);
            LoadPass { loaded, lost_labels: Some(file).filter(|_| is_lost && !is_known) }
        }
        Err(errors) => {
            loaded.labels = None;
            loaded.errors.extend(errors);
            LoadPass { loaded, lost_labels: None }
        }
    }
}

/// Takes over the labels. They win over labels in prompt files, which must not disagree. A label must point at a version
/// that exists, unless a file has errors, which may be that of the version. Returns whether all labels do.
fn put_labels<T: Text>(file: &LabelFile, loaded: &mut LoadedDirectory<T>) -> bool {
    let is_whole = loaded.errors.is_empty();
    let mut written: HashMap<(&PromptId, &str), (&Version, &Place)> = HashMap::new();
    let mut versions: HashMap<&PromptId, Vec<&Version>> = HashMap::new();
    for (compiled, place) in loaded.prompts.iter().zip(&loaded.places) {
        let Prompt { id, version, labels, .. } = compiled.prompt();
        versions.entry(id).or_default().push(version);
        for label in labels {
            let named = written.entry((id, label)).or_insert((version, place));
            if *named.0 < *version {
                *named = (version, place);
            }
        }
    }
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let mut is_complete = true;
    for (id, label, target) in file.targets() {
        let Some(version) = &target.version else { continue };
        let known = versions.get(id).map_or(&[][..], Vec::as_slice);
        if !known.contains(&version) {
            is_complete = false;
            errors.extend(is_whole.then(|| label_file::unknown_target(id, label, target, &versions)));
        } else if let Some((named, place)) = written.get(&(id, label)).filter(|(named, _)| *named != version)
        {
            warnings.push(label_file::disagreement(id, label, target, named, place));
        }
    }
    let named = |id: &PromptId, label: &str| written.get(&(id, label)).map(|(version, _)| (*version).clone());
    let labels = file.ids().filter(|id| versions.contains_key(id));
    let labels = labels.map(|id| (id.clone(), file.labels(id, |label| named(id, label)))).collect();
    loaded.labels = errors.is_empty().then_some(labels);
    loaded.errors.extend(errors);
    loaded.warnings.extend(warnings);
    is_complete
}

/// Loads one file. Whether the schemas that it uses exist is not checked.
pub fn load_file<T: Text>(
    path: &Path,
    options: &TemplateOptions,
    engine: &dyn Library<T>,
) -> LoadedDirectory<T> {
    let mut loaded = LoadedDirectory { files: 1, ..LoadedDirectory::default() };
    let id = path.file_name().and_then(|name| id_of(Path::new(""), Path::new(name)));
    gather(&mut loaded, [read_file(path, id.as_deref(), options, engine, &[], None)], None);
    loaded
}

/// Combines the files. A version that exists twice is an error. So is a schema that is neither loaded nor one of `others`,
/// if these are known.
fn gather<T: Text>(
    loaded: &mut LoadedDirectory<T>,
    outcomes: impl IntoIterator<Item = FileOutcome<T>>,
    others: Option<&[String]>,
) {
    let mut files = Vec::new();
    for FileOutcome { file, errors, .. } in outcomes {
        loaded.errors.extend(errors);
        files.push(file);
    }
    let mut first_places: HashMap<(&PromptId, &Version), &Place> = HashMap::new();
    let known = others.map(|others| {
        let ours = loaded.schemas.iter().map(|schema| schema.name.clone());
        ours.chain(others.iter().cloned()).collect::<BTreeSet<String>>()
    });
    for file in &files {
        if file.about.version.is_some() || !file.about.metadata.is_empty() {
            loaded.about.insert(file.name.clone(), file.about.clone());
        }
        loaded.warnings.extend_from_slice(&file.warnings);
        for (index, FilePrompt { compiled, place, named_schemas }) in file.prompts.iter().enumerate() {
            let Prompt { id, version, .. } = compiled.prompt();
            if let Some(first) = first_places.get(&(id, version)) {
                loaded.errors.push(there_twice(compiled.prompt(), first, place));
                continue;
            }
            if let Some(known) = &known {
                let unknown: Vec<_> =
                    named_schemas.iter().filter(|schema| !known.contains(&schema.name)).collect();
                if !unknown.is_empty() {
                    loaded.errors.extend(unknown.into_iter().map(|schema| schema.unknown(id, known)));
                    continue;
                }
            }
            first_places.insert((id, version), place);
            loaded.prompts.push(Arc::clone(compiled));
            loaded.places.push(place.clone());
            loaded.sources.extend(file.sources.get(index).cloned());
        }
    }
}

fn there_twice(prompt: &Prompt, first: &Place, place: &Place) -> Error {
    let Prompt { id, version, .. } = prompt;
    let name = first.name.as_deref().unwrap_or_default();
    Error::new(Kind::PromptInvalid, format!("prompt '{id}' has version {version} twice"))
        .with_hint(format!("the other is at {name}:{}; raise one of the versions", first.line))
        .with_place(place.clone())
}

fn load_schemas<T>(directory: &Path, loaded: &mut LoadedDirectory<T>) -> Result<()> {
    let mut found = SchemaFiles::default();
    let YamlFiles { files, errors, warnings, linked } = YamlFiles::find(directory)?;
    loaded.files += files.len();
    loaded.errors.extend(errors);
    loaded.warnings.extend(warnings);
    loaded.linked.extend(linked);
    for path in files {
        read_schema_file(&path, &mut found);
    }
    loaded.errors.extend(found.errors);
    // References between schemas must resolve and must not form a cycle.
    let mut set = SchemaSet::<Box<str>, (), ()>::default();
    match set.add(found.schemas.clone()) {
        Ok(_) => loaded.errors.extend(set.check()),
        Err(error) => loaded.errors.push(error),
    }
    let lints = found.schemas.iter().flat_map(crate::schema::lints);
    loaded.warnings.extend(lints.map(|lint| Finding::of_error(&lint)));
    loaded.schemas = found.schemas;
    Ok(())
}

/// The schemas of one or more files, with all errors.
#[derive(Debug, Default)]
pub struct SchemaFiles {
    /// The schemas without errors.
    pub schemas: Vec<Schema>,
    /// The position of each schema, by name.
    positions: HashMap<String, usize>,
    /// The errors, each with its place.
    pub errors: Vec<Error>,
    /// A warning for each entry that has the name of a schema file and is none.
    pub warnings: Vec<Finding>,
    /// The path, version and metadata of each file that could be read.
    pub heads: Vec<(String, Option<String>, serde_json::Map<String, serde_json::Value>)>,
}

/// Reads every schema file below a directory. References between schemas are not checked.
///
/// # Errors
/// [`Kind::StorageRead`] if the directory itself cannot be read.
pub fn schemas(directory: &Path) -> Result<SchemaFiles> {
    let YamlFiles { files, errors, warnings, .. } = YamlFiles::find(directory)?;
    let mut found = SchemaFiles { errors, warnings, ..SchemaFiles::default() };
    for path in files {
        read_schema_file(&path, &mut found);
    }
    Ok(found)
}

/// Reads one schema file.
///
/// # Errors
/// [`Kind::StorageRead`] if it cannot be read.
pub fn schema_file(path: &Path) -> Result<SchemaFiles> {
    fs::metadata(path).map_err(|error| unreadable("file", path, &reason(&error)).with_cause(error))?;
    let mut found = SchemaFiles::default();
    read_schema_file(path, &mut found);
    Ok(found)
}

fn read_schema_file(path: &Path, found: &mut SchemaFiles) {
    let name = path.display().to_string();
    let file = read_settled(path).and_then(|(file, _)| {
        crate::de::yaml::decode(&name, &file.bytes).map(|text| parse::read_file(&name, text))
    });
    let file = match file {
        Ok(file) => file,
        Err(error) => return found.errors.push(error),
    };
    found.errors.extend(file.errors);
    found.heads.push((name.clone(), file.version, file.metadata));
    for schema in file.schemas {
        let first = match found.positions.entry(schema.name.clone()) {
            Entry::Vacant(position) => {
                position.insert(found.schemas.len());
                found.schemas.push(schema);
                continue;
            }
            Entry::Occupied(position) => &found.schemas[*position.get()],
        };
        let first = first.place.as_ref().and_then(|place| place.name.clone()).unwrap_or_default();
        let message = format!("schema '{}' is in {first} and in {name}", schema.name);
        found.errors.push(
            Error::new(Kind::SchemaParse, message)
                .with_context("path", name.clone())
                .with_hint("rename one of them"),
        );
    }
}

/// Reads and parses the partials of a directory. Those with errors are left out; their names are the second result.
fn load_partials<T: Text>(
    files: &[(String, PathBuf)],
    options: &TemplateOptions,
    engine: &dyn Library<T>,
    errors: &mut Vec<Error>,
) -> (SharedPartials<T>, Vec<Box<str>>) {
    let (mut partials, mut broken) = (SharedPartials::new(), Vec::new());
    for (name, path) in files {
        match read_partial(name, path, options, engine) {
            Ok(partial) => drop(partials.insert(name.as_str().into(), partial)),
            Err(error) => {
                errors.push(error);
                broken.push(name.as_str().into());
            }
        }
    }
    (partials, broken)
}

fn read_partial<T: Text>(
    name: &str,
    path: &Path,
    options: &TemplateOptions,
    engine: &dyn Library<T>,
) -> Result<Template<T>> {
    let file_name = path.display().to_string();
    let (FileContent { bytes, .. }, _) = read_settled(path)?;
    let text = crate::de::yaml::decode(&file_name, &bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Template::parse_with(name, text, options, engine).map_err(|error| {
        let message = format!("{} (partial '{name}')", error.message());
        let kind = error.kind();
        let place = error.place().map(|place| Place { name: Some(file_name.clone()), ..place.clone() });
        let place = place.unwrap_or_else(|| Place::of(Some(&file_name), text, 0));
        error.recast(kind, message).with_place(place).with_context("path", file_name.clone())
    })
}

/// The id that the path of a file gives: the path below the directory without its extension.
pub(super) fn id_of(directory: &Path, path: &Path) -> Option<String> {
    let stem = path.with_extension("");
    let parts = stem.strip_prefix(directory).ok()?.iter().map(OsStr::to_string_lossy);
    Some(parts.collect::<Vec<_>>().join("/"))
}

fn read_file<T: Text>(
    path: &Path,
    id: Option<&str>,
    options: &TemplateOptions,
    engine: &dyn Library<T>,
    schemas: &[Schema],
    asked: Option<&CheckOptions>,
) -> FileOutcome<T> {
    let name = path.display().to_string();
    let (FileContent { bytes, saved }, stamp) = match read_settled(path) {
        Ok(read) => read,
        Err(error) => {
            let (about, prompts, warnings) = (AboutFile::default(), Vec::new(), Vec::new());
            let file = Arc::new(LoadedFile { name, about, prompts, sources: Vec::new(), warnings });
            return FileOutcome { file, errors: vec![error], stamp: None, is_cached: false };
        }
    };
    let ReadFile { prompts: found, broken, mut warnings, mut errors, about } =
        yaml::read_authored(&name, id, &bytes);
    let (mut prompts, mut sources) = (Vec::with_capacity(found.len()), Vec::new());
    if asked.is_some() {
        warnings.extend(find_secrets(&name, &String::from_utf8_lossy(&bytes)));
    }
    for LocatedPrompt { mut prompt, places } in found {
        identify(&mut prompt, saved);
        let compiled = Compiled::compile_all(prompt, options, engine, |prompt, found| {
            let id = Some(prompt.id.as_str());
            errors.extend(found.into_iter().map(|error| in_file(error, prompt, id, &places)));
        });
        let Some(compiled) = compiled else { continue };
        let found = match asked {
            Some(asked) => check_fully(&compiled, engine, Some(&places), schemas, asked),
            None => check(&compiled, engine, Some(&places), schemas),
        };
        let (wrong, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|finding| finding.code == Code::UnknownPartial);
        warnings.extend(others);
        if wrong.is_empty() {
            let named_schemas = NamedSchema::of(compiled.prompt(), &places);
            prompts.push(FilePrompt { compiled: Arc::new(compiled), place: places.id(), named_schemas });
            sources.extend(asked.map(|_| Arc::new(places)));
        }
        errors.extend(wrong.into_iter().map(Finding::into_error));
    }
    for BrokenPrompt { located: LocatedPrompt { prompt, places }, id } in &broken {
        let found = Compiled::<T>::template_errors(prompt, options, engine);
        errors.extend(found.into_iter().map(|error| in_file(error, prompt, id.as_deref(), places)));
    }
    errors.sort_by_key(|error| error.place().map(|place| (place.line, place.column)));
    let file = Arc::new(LoadedFile { name, about, prompts, sources, warnings });
    FileOutcome { file, errors, stamp, is_cached: false }
}

/// Fills in what the file of a prompt leaves out: a `uid` that is computed from the id and version, so that every load
/// gives the same one, and the times of the file.
pub(super) fn identify(prompt: &mut Prompt, saved: Option<Timestamp>) {
    let name = format!("{} {}", prompt.id, prompt.version);
    prompt.uid.get_or_insert_with(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()));
    prompt.created_at = prompt.created_at.or(saved);
    prompt.updated_at = prompt.updated_at.or(saved);
}

/// The error of a template, with its place in the file. `id` is the id of the prompt, if it has one.
fn in_file(
    error: crate::prompt::TemplateError<'_>,
    prompt: &Prompt,
    id: Option<&str>,
    places: &Places,
) -> Error {
    let crate::prompt::TemplateError { location, error } = error;
    let found = error.place().and_then(|place| places.in_file(prompt, location, place.line, place.column));
    let place = found.unwrap_or_else(|| places.id());
    let of_prompt = id.map(|id| format!(" of prompt '{id}'")).unwrap_or_default();
    let message = format!("{} ({location}{of_prompt})", error.message());
    let kind = error.kind();
    let file = place.name.clone().unwrap_or_default();
    let template = match id {
        Some(id) if location == TemplateLocation::Template => id.to_owned(),
        Some(id) => format!("{id} {location}"),
        None => location.to_string(),
    };
    let error = error.recast(kind, message).with_place(place);
    let error = match id {
        Some(id) => error.with_context("prompt_id", id),
        None => error,
    };
    error.with_context("path", file).with_context("template_name", template)
}

/// Applies `work` to every item on as many threads as there are processors. The threads end with the call,
/// so that a later fork cannot lose them.
pub(super) fn in_parallel<I: Sync, R: Send>(items: &[I], work: impl Fn(&I) -> R + Sync) -> Vec<R> {
    /// Below this many items a thread costs more than it saves.
    const WORTHWHILE: usize = 16;
    let threads =
        thread::available_parallelism().map_or(1, NonZero::get).min(items.len().div_ceil(WORTHWHILE));
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for other in others {
            match other.join() {
                Ok(results) => done.extend(results),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
