//! Lists all files of a store. A bad file does not hide the others: every error is collected with its file.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use serde_json::Value;

use super::StoredPrompts;
use super::below::{self, EntryKind, LINK};
use super::directory::in_parallel;
use super::encoding::Encoding;
use super::errors::{reason, unreadable};
use super::labels::{LABEL_ROUNDS, Labels};
use super::layout::{check_id, version_of};
use super::version_file::{LABELS, StoredPrompt, damaged, read_labels, read_plain, read_version, twice};
use crate::de::plain;
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, PromptId, Status, Version};

/// The hint for an id or version that is invalid here.
const MIGRATE: &str = "use `migrate(rename=...)` to save it under another name";

/// Every version of every prompt below the root, by id and version.
pub(super) fn list(root: &Path) -> Result<StoredPrompts> {
    let mut listed = ListedStore::of(root, BTreeMap::new())?;
    for _ in 0..LABEL_ROUNDS {
        if listed.lost.is_empty() {
            break;
        }
        let again = ListedStore::of(root, listed.labels)?;
        if again.lost.is_empty() {
            return Ok(again.kept);
        }
        listed = ListedStore::of(root, BTreeMap::new())?;
        if listed.lost == again.lost {
            // Somebody deleted the versions by hand.
            break;
        }
    }
    Ok(listed.kept)
}

/// The labels of prompts that point at versions which were not found.
type LostLabels = BTreeSet<(String, String, Version)>;

/// What one pass over a store finds.
struct ListedStore {
    kept: StoredPrompts,
    labels: BTreeMap<String, Labels>,
    lost: LostLabels,
}

impl ListedStore {
    /// Reads all files but those of the labels that are given.
    fn of(root: &Path, mut labels: BTreeMap<String, Labels>) -> Result<Self> {
        let mut tree = StoreTree::of(root)?;
        let read = in_parallel(&tree.files, |path| read_file(root, path));
        let mut kept = StoredPrompts { errors: std::mem::take(&mut tree.errors), ..StoredPrompts::default() };
        let mut found: BTreeMap<(PromptId, Version), Vec<(PathBuf, StoredPrompt)>> = BTreeMap::new();
        for (path, outcome) in tree.files.iter().zip(read) {
            match outcome {
                Ok(None) => {}
                Ok(Some(given)) => {
                    let key = (given.prompt.id.clone(), given.prompt.version.clone());
                    found.entry(key).or_default().push((path.clone(), given));
                }
                Err(error) => kept.errors.push(error),
            }
        }
        read_labels_of(&tree.labelled, root, &mut labels, &mut kept.errors);
        let lost = lost_labels(&labels, &found.keys().collect());
        for ((id, version), mut given) in found {
            if let [(first, _), (second, _), ..] = given.as_slice() {
                kept.errors.push(twice(id.as_str(), &version, first, second));
            } else if let Some((_, StoredPrompt { mut prompt, warnings })) = given.pop() {
                if let Some(labels) = labels.get(id.as_str()) {
                    labels.apply(&mut prompt);
                }
                kept.warnings.extend(warnings);
                kept.prompts.push(prompt);
            }
        }
        Ok(Self { kept, labels, lost })
    }
}

fn lost_labels(labels: &BTreeMap<String, Labels>, found: &BTreeSet<&(PromptId, Version)>) -> LostLabels {
    let mut versions: BTreeMap<&str, BTreeSet<&Version>> = BTreeMap::new();
    for (id, version) in found {
        versions.entry(id.as_str()).or_default().insert(version);
    }
    let known = labels.iter().filter_map(|(id, labels)| Some((id, labels, versions.get(id.as_str())?)));
    let lost = known.flat_map(|(id, labels, versions)| {
        let lost = labels.lost(|version| versions.contains(version));
        lost.into_iter().map(|(label, version)| (id.clone(), label.to_owned(), version.clone()))
    });
    lost.collect()
}

/// Reads the labels in these directories that are not known yet.
fn read_labels_of(
    directories: &[PathBuf],
    root: &Path,
    labels: &mut BTreeMap<String, Labels>,
    errors: &mut Vec<Error>,
) {
    for directory in directories {
        let Some(id) = id_of(root, directory).filter(|id| !labels.contains_key(id)) else { continue };
        match read_labels(root, directory) {
            Ok(found) => drop(labels.insert(id, found)),
            Err(error) => errors.push(error),
        }
    }
}

/// A prompt file that the store does not manage, because its id or version is invalid or differs from its path. In a
/// directory that is not a store, this is any file with a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmanagedFile {
    /// The file.
    pub path: PathBuf,
    /// The id in it.
    pub id: String,
    /// The version in it.
    pub version: String,
    /// Whether it can be saved under this id and version.
    pub is_valid: bool,
}

/// The JSON files below a directory that contain a prompt but are not where a store would save it. With `all`, also
/// those that are. The second list has an error for each file that cannot be read.
///
/// # Errors
/// [`Kind::StorageRead`] if the directory itself cannot be read.
pub(super) fn unmanaged_files(root: &Path, all: bool) -> Result<(Vec<UnmanagedFile>, Vec<Error>)> {
    let real = fs::canonicalize(root)
        .map_err(|error| unreadable("directory", root, &reason(&error)).with_cause(error))?;
    let tree = StoreTree::of(&real)?;
    let (mut found, mut errors) = (Vec::new(), tree.errors);
    for path in tree.files {
        match named(&real, &path) {
            Ok(Some((id, version))) => {
                let is_valid = id.parse().is_ok_and(|id: PromptId| check_id(&id).is_ok())
                    && version.parse::<Version>().is_ok();
                let in_place = is_valid && path == real.join(&id).join(format!("{version}.json"));
                if all || !in_place {
                    found.push(UnmanagedFile { path, id, version, is_valid });
                }
            }
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    Ok((found, errors))
}

/// The id and version in a JSON file.
fn named(root: &Path, path: &Path) -> Result<Option<(String, String)>> {
    if Encoding::of_path(path) != Some(Encoding::Json) {
        return Ok(None);
    }
    let Some((value, _)) = read_value(root, path)? else { return Ok(None) };
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Ok(text("id").zip(text("version")))
}

fn read_value(root: &Path, path: &Path) -> Result<Option<(Value, Option<Timestamp>)>> {
    let Some(file) = read_plain(root, path)? else { return Ok(None) };
    let value = serde_json::from_slice(&file.bytes).map_err(|error| {
        damaged(path, Error::new(Kind::PromptInvalid, format!("this is not JSON: {}", plain(&error))))
    });
    value.map(|value| Some((value, file.saved)))
}

/// The prompt of a JSON file below a root, under this id and version.
pub(super) fn renamed(root: &Path, path: &Path, id: &str, version: &str) -> Result<Prompt> {
    id.parse::<PromptId>().and_then(|id| check_id(&id))?;
    version.parse::<Version>()?;
    let Some((mut value, saved)) = read_value(root, path)? else {
        return Err(unreadable("file", path, "it does not exist"));
    };
    let Value::Object(members) = &mut value else {
        return Err(unreadable("file", path, "it contains no prompt"));
    };
    members.insert("id".to_owned(), id.into());
    members.insert("version".to_owned(), version.into());
    let mut prompt = Prompt::from_json(&value, Status::Active).map_err(|error| damaged(path, error))?;
    super::directory::identify(&mut prompt, saved);
    Ok(prompt)
}

/// The files below a root that may contain a version.
#[derive(Debug, Default)]
pub(super) struct StoreTree {
    pub(super) root: PathBuf,
    pub(super) files: Vec<PathBuf>,
    /// Directories with a file of labels.
    pub(super) labelled: Vec<PathBuf>,
    /// Directories with the name of a version's file.
    misplaced: Vec<PathBuf>,
    /// Directories that cannot be read.
    pub(super) unreadable: Vec<PathBuf>,
    pub(super) errors: Vec<Error>,
}

impl StoreTree {
    /// Lists the files. The errors are about entries that cannot be used.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] if the root cannot be read.
    pub(super) fn of(root: &Path) -> Result<Self> {
        let mut tree = Self { root: root.to_owned(), ..Self::default() };
        let mut open = vec![root.to_owned()];
        while let Some(directory) = open.pop() {
            match tree.look_into(&directory, &mut open) {
                Ok(()) => {}
                // The prompt was deleted at the same time.
                Err(error) if error.kind() == io::ErrorKind::NotFound && directory != root => {}
                Err(error) => {
                    let error = unreadable("directory", &directory, &reason(&error)).with_cause(error);
                    if directory == root {
                        return Err(error);
                    }
                    tree.errors.push(error);
                    tree.unreadable.push(directory);
                }
            }
        }
        tree.files.sort_unstable();
        // If such a directory contains files, only the files are reported.
        for path in std::mem::take(&mut tree.misplaced) {
            if !tree.files.iter().any(|file| file.starts_with(&path)) {
                tree.errors.push(unreadable("file", &path, "it is a directory"));
            }
        }
        Ok(tree)
    }

    /// Whether there is nothing of a store, not even something that cannot be used.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.errors.is_empty()
    }

    fn look_into(&mut self, directory: &Path, open: &mut Vec<PathBuf>) -> io::Result<()> {
        for (name, kind) in below::list(&self.root, directory)? {
            let path = directory.join(&name);
            let name = name.to_string_lossy();
            let is_version = version_of(&name).is_some();
            match kind {
                EntryKind::Directory => {
                    if is_version {
                        self.misplaced.push(path.clone());
                    }
                    open.push(path);
                }
                EntryKind::Link if is_version || path.is_dir() => {
                    self.errors.push(unreadable("file", &path, LINK));
                }
                _ if name == LABELS => self.labelled.push(directory.to_owned()),
                EntryKind::File if !name.starts_with('.') && Encoding::of_path(&path).is_some() => {
                    self.files.push(path);
                }
                // Reading it is the error that says what it is.
                EntryKind::Other if is_version => self.files.push(path),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The id that a directory's path means. `None` for the root, and for a name that is not UTF-8.
pub(super) fn id_of(root: &Path, directory: &Path) -> Option<String> {
    let parts = directory.strip_prefix(root).ok()?.iter().map(OsStr::to_str).collect::<Option<Vec<_>>>()?;
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The prompt in a file. `None` if the file is gone or does not belong to the store.
fn read_file(root: &Path, path: &Path) -> Result<Option<StoredPrompt>> {
    match version_at(root, path)? {
        Some((id, version)) => read_version(root, path, &id, &version),
        None => Ok(None),
    }
}

/// The id and version that the path of a file gives. `None` if the file does not belong to the store.
///
/// # Errors
/// [`Kind::StorageRead`] if the store would not save a version there.
pub(super) fn version_at(root: &Path, path: &Path) -> Result<Option<(PromptId, Version)>> {
    let directory = path.parent().unwrap_or(root);
    let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    if directory == root {
        return Err(unreadable("file", path, "it is not in the directory of a prompt").with_hint(
            "a storage keeps each version at ID/VERSION.json; use `from_directory` for prompt files with other names",
        ));
    }
    let Some(id) = id_of(root, directory) else {
        return Err(unreadable("file", path, "its path is not UTF-8 text"));
    };
    let stem = name.rsplit_once('.').map_or(&*name, |(stem, _)| stem);
    // Files in hidden directories, such as those of a version control system, do not belong to the store.
    if id.split('/').any(|segment| segment.starts_with('.'))
        && !stem.starts_with(|c: char| c.is_ascii_digit())
    {
        return Ok(None);
    }
    let invalid = |error: Error| unreadable("file", path, error.message()).with_hint(MIGRATE);
    let id: PromptId = id.parse().map_err(invalid)?;
    check_id(&id).map_err(invalid)?;
    let version: Version = stem.parse().map_err(invalid)?;
    Ok(Some((id, version)))
}
