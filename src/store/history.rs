//! The history of versions: when each was made, by whom, from which version, and what changed. In memory or in files.
//!
//! In files, a record is `ROOT/ID/@VERSION.json`; no id can name such a path, because an id contains no `@`. A file is
//! replaced in one step, under a lock for each id. Every call reads the files again, so that processes that share a
//! directory see the same. A damaged file is reported by name and hides no other.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::atomic;
use super::below::{self, Entry};
use super::errors::{no_prompt_among, no_version, reason, unreadable, unwritable};
use super::lock::{DEFAULT_LOCK_TIMEOUT, Lock};
use super::stable_read::{FileContent, read_below};
use super::version_file::unless_gone;
use super::version_rules::check_replacement;
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, PromptId, Version};

/// The record of one version of a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionRecord {
    /// The prompt.
    pub prompt: Prompt,
    /// Its version.
    pub version: Version,
    /// When the version was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Option<String>,
    /// What changed.
    pub changelog: Option<String>,
    /// The version that it was made from.
    pub parent_version: Option<Version>,
    /// The content hash.
    pub checksum: String,
}

/// The records of one prompt, the lowest version first.
pub type VersionRecords = BTreeMap<Version, VersionRecord>;

/// The records of prompts.
#[derive(Debug)]
pub struct History {
    storage: RecordStorage,
}

#[derive(Debug)]
enum RecordStorage {
    Memory(RwLock<HashMap<PromptId, VersionRecords>>),
    Files(PathBuf),
}

impl VersionRecord {
    /// Checks that version and checksum are those of the prompt.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`].
    pub fn check(&self) -> Result<()> {
        let error = |message: String| {
            Err(Error::new(Kind::PromptInvalid, message).with_context("prompt_id", self.prompt.id.as_str()))
        };
        if self.version != self.prompt.version {
            return error(format!(
                "the record is of version {}, but its prompt is version {}",
                self.version, self.prompt.version
            ));
        }
        if self.checksum != self.prompt.content_hash(None) {
            return error(
                "the checksum does not match the content: something else has changed the record".to_owned(),
            );
        }
        self.prompt.check()
    }

    /// This record in place of an older one of the same version. If the content is the same, the facts of the older
    /// record stay.
    fn after(self, known: Option<VersionRecord>) -> Result<Self> {
        let Some(known) = known else { return Ok(self) };
        check_replacement(Some(&known.prompt), &self.prompt)?;
        let parent_version = self.parent_version.clone().or(known.parent_version);
        if known.checksum == self.checksum {
            return Ok(Self {
                created_at: known.created_at,
                created_by: known.created_by.or(self.created_by),
                changelog: self.changelog.or(known.changelog),
                parent_version,
                ..self
            });
        }
        Ok(Self { parent_version, ..self })
    }
}

impl History {
    /// A history that ends with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { storage: RecordStorage::Memory(RwLock::default()) }
    }

    /// A history in the files of this directory, which is made where it is missing when something is saved.
    #[must_use]
    pub fn in_files(root: PathBuf) -> Self {
        Self { storage: RecordStorage::Files(root) }
    }

    /// Saves a record. If the version exists with the same content, its time and author stay; status, metadata and
    /// missing facts come from the new record.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] as [`VersionRecord::check`]; [`Kind::VersionConflict`] if the version exists, is no
    /// draft, and the new one has other content or is a draft; [`Kind::StorageWrite`] and [`Kind::StorageRead`] with
    /// the file.
    pub fn save(&self, record: VersionRecord) -> Result<()> {
        record.check()?;
        let (id, version) = (record.prompt.id.clone(), record.version.clone());
        match &self.storage {
            RecordStorage::Memory(all) => {
                let mut all = all.write().unwrap_or_else(PoisonError::into_inner);
                let known = all.get(&id).and_then(|records| records.get(&version)).cloned();
                let record = record.after(known)?;
                all.entry(id).or_default().insert(version, record);
                Ok(())
            }
            RecordStorage::Files(root) => {
                let directory = directory_of(root, &id)?;
                let _lock = Lock::take_below(root, &directory.join(".lock"), DEFAULT_LOCK_TIMEOUT)?;
                atomic::sweep_below(root, &directory);
                let path = directory.join(file_name(&version));
                let known = unless_gone(read(root, &path, &id, Some(&version)))?;
                let record = record.after(known)?;
                let text = serde_json::to_vec_pretty(&record)
                    .map_err(|error| unwritable("file", &path, &error.to_string()).with_cause(error))?;
                atomic::write_below(root, &path, &text)
            }
        }
    }

    /// The records of a prompt, and an error for each damaged file.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::StorageRead`].
    pub fn records(&self, id: &str) -> Result<(VersionRecords, Vec<Error>)> {
        let (records, errors) = match &self.storage {
            RecordStorage::Memory(all) => {
                let all = all.read().unwrap_or_else(PoisonError::into_inner);
                (all.get(id).cloned().unwrap_or_default(), Vec::new())
            }
            RecordStorage::Files(root) => match id.parse::<PromptId>() {
                Ok(id) => read_all(root, &directory_of(root, &id)?, &id)?,
                Err(_) => (VersionRecords::new(), Vec::new()),
            },
        };
        if records.is_empty() && errors.is_empty() {
            let ids = self.ids()?;
            let add = "save a version with `save_version`";
            return Err(no_prompt_among(id, ids.iter().map(String::as_str), add, None));
        }
        Ok((records, errors))
    }

    /// One record.
    ///
    /// # Errors
    /// As [`History::records`]; [`Kind::VersionNotFound`]; [`Kind::StorageRead`] if its file is damaged.
    pub fn get(&self, id: &str, version: &str) -> Result<VersionRecord> {
        let (mut records, errors) = self.records(id)?;
        let wanted = version.parse::<Version>().ok();
        if let Some(record) = wanted.as_ref().and_then(|wanted| records.remove(wanted)) {
            return Ok(record);
        }
        let file = wanted.map(|wanted| file_name(&wanted)).unwrap_or_default();
        let damaged = errors.into_iter().find(|error| {
            error.place().and_then(|place| place.name.as_deref()).is_some_and(|name| name.ends_with(&file))
                || error.message().contains(&file)
        });
        Err(damaged.filter(|_| !file.is_empty()).unwrap_or_else(|| no_version(id, version, records.keys())))
    }

    /// The records with a changelog that lie after one version and up to another, the highest first.
    ///
    /// # Errors
    /// As [`History::records`]; [`Kind::VersionNotFound`] for a version that is not there; [`Kind::PromptInvalid`] if
    /// the first is the later one.
    pub fn changelog(&self, id: &str, from: Option<&str>, to: Option<&str>) -> Result<Vec<VersionRecord>> {
        let (records, _) = self.records(id)?;
        let known = |version: &str| {
            let parsed = version.parse::<Version>().ok().filter(|version| records.contains_key(version));
            parsed.ok_or_else(|| no_version(id, version, records.keys()))
        };
        let (from, to) = (from.map(known).transpose()?, to.map(known).transpose()?);
        if let (Some(from), Some(to)) = (&from, &to)
            && from > to
        {
            return Err(Error::new(Kind::PromptInvalid, format!("version {from} is after {to}"))
                .with_context("prompt_id", id)
                .with_hint("give the older version first"));
        }
        let lies_between = |record: &VersionRecord| {
            from.as_ref().is_none_or(|from| record.version > *from)
                && to.as_ref().is_none_or(|to| record.version <= *to)
        };
        let all = records.into_values().rev();
        Ok(all.filter(|record| record.changelog.is_some() && lies_between(record)).collect())
    }

    /// Removes the record of one version of a prompt, or of all.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`], [`Kind::StorageWrite`].
    pub fn remove(&self, id: &str, version: Option<&str>) -> Result<()> {
        let (records, _) = self.records(id)?;
        let version = match version {
            None => None,
            Some(version) => {
                let found = version.parse::<Version>().ok().filter(|version| records.contains_key(version));
                Some(found.ok_or_else(|| no_version(id, version, records.keys()))?)
            }
        };
        match &self.storage {
            RecordStorage::Memory(all) => {
                let mut all = all.write().unwrap_or_else(PoisonError::into_inner);
                if let (Some(version), Some(records)) = (&version, all.get_mut(id)) {
                    records.remove(version);
                }
                if version.is_none() || all.get(id).is_some_and(VersionRecords::is_empty) {
                    all.remove(id);
                }
                Ok(())
            }
            RecordStorage::Files(root) => remove_files(root, id, version.as_ref()),
        }
    }

    /// Every id that has a record, sorted.
    ///
    /// # Errors
    /// [`Kind::StorageRead`].
    pub fn ids(&self) -> Result<Vec<String>> {
        let mut ids = match &self.storage {
            RecordStorage::Memory(all) => {
                let all = all.read().unwrap_or_else(PoisonError::into_inner);
                all.keys().map(ToString::to_string).collect()
            }
            RecordStorage::Files(root) => {
                let mut ids = Vec::new();
                gather_ids(root, root, "", &mut ids)?;
                ids
            }
        };
        ids.sort_unstable();
        Ok(ids)
    }
}

fn file_name(version: &Version) -> String {
    format!("@{version}.json")
}

fn version_of(file: &str) -> Option<&str> {
    file.strip_prefix('@')?.strip_suffix(".json")
}

/// The directory of an id. No part of it below the root may be a link, which could lead out of the root.
fn directory_of(root: &Path, id: &PromptId) -> Result<PathBuf> {
    let mut directory = root.to_owned();
    for segment in id.as_str().split('/') {
        directory.push(segment);
        if directory.is_symlink() {
            return Err(unreadable("directory", &directory, "it is a link"));
        }
    }
    Ok(directory)
}

fn read_all(root: &Path, directory: &Path, id: &PromptId) -> Result<(VersionRecords, Vec<Error>)> {
    let (mut records, mut errors) = (VersionRecords::new(), Vec::new());
    for name in names_in(root, directory)? {
        let Some(version) = version_of(&name) else { continue };
        let path = directory.join(&name);
        let record = match version.parse::<Version>() {
            Ok(version) => read(root, &path, id, Some(&version)),
            Err(_) => Err(unreadable("file", &path, &format!("{version} is not a version"))),
        };
        match record {
            Ok(record) => drop(records.insert(record.version.clone(), record)),
            Err(error) => errors.push(error),
        }
    }
    Ok((records, errors))
}

/// The names in a directory below the root, sorted; none where it is not there.
fn names_in(root: &Path, directory: &Path) -> Result<Vec<String>> {
    let entries = match below::list(root, directory) {
        Ok(entries) => entries,
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable("directory", directory, &reason(&error)).with_cause(error)),
    };
    let mut names: Vec<String> =
        entries.into_iter().filter_map(|(name, _)| name.into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}

fn read(root: &Path, path: &Path, id: &PromptId, version: Option<&Version>) -> Result<VersionRecord> {
    let FileContent { bytes, .. } = read_below(root, path)?;
    let record: VersionRecord = serde_json::from_slice(&bytes).map_err(|error| {
        unreadable("file", path, &format!("it contains no record of a version: {}", crate::de::plain(&error)))
    })?;
    record.check().map_err(|error| unreadable("file", path, error.message()))?;
    if record.prompt.id != *id || version.is_some_and(|version| record.version != *version) {
        let why = format!("it holds version {} of prompt '{}'", record.version, record.prompt.id);
        return Err(unreadable("file", path, &why)
            .with_hint("names that differ only in case share a file on some systems"));
    }
    Ok(record)
}

fn remove_files(root: &Path, id: &str, version: Option<&Version>) -> Result<()> {
    let directory = directory_of(root, &id.parse()?)?;
    let lock = Lock::take_below(root, &directory.join(".lock"), DEFAULT_LOCK_TIMEOUT)?;
    for name in names_in(root, &directory)? {
        if version_of(&name).is_some() && version.is_none_or(|version| name == file_name(version)) {
            atomic::remove_below(root, &directory.join(name))?;
        }
    }
    if names_in(root, &directory)?.iter().any(|name| version_of(name).is_some()) {
        return Ok(());
    }
    lock.remove()?;
    // Another id may have its directory in this one, which then stays.
    let _ = Entry::open(root, &directory).and_then(|entry| entry.remove_directory());
    Ok(())
}

fn gather_ids(root: &Path, directory: &Path, above: &str, ids: &mut Vec<String>) -> Result<()> {
    for name in names_in(root, directory)? {
        let path = directory.join(&name);
        if path.is_symlink() || !path.is_dir() {
            continue;
        }
        let id = if above.is_empty() { name } else { format!("{above}/{name}") };
        if id.parse::<PromptId>().is_err() {
            continue;
        }
        if names_in(root, &path)?.iter().any(|name| version_of(name).is_some()) {
            ids.push(id.clone());
        }
        gather_ids(root, &path, &id, ids)?;
    }
    Ok(())
}
