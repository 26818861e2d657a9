//! What is known of each version beside its content: when it was made, by whom, from which, and what changed. Kept in
//! memory or in files.
//!
//! In files, a record is `ROOT/ID/@VERSION.json`; no id can name such a path, because `@` stands in none. Files are
//! replaced whole, under a lock for each id, and read anew by each call, so that processes that share a directory see
//! the same. A damaged file is told by name and hides no other.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::failure::{reason, unreadable, unwritable};
use super::lock::{Lock, PATIENCE};
use super::missing::{no_prompt, no_version};
use super::{admit, atomic};
use crate::error::{Error, Kind, Result};
use crate::limits::FILE_BYTES;
use crate::prompt::{Prompt, PromptId, Status, Version};

/// A version of a prompt in its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
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
pub type Records = BTreeMap<Version, Record>;

/// The records of prompts.
#[derive(Debug)]
pub struct History {
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Memory(RwLock<HashMap<PromptId, Records>>),
    Files(PathBuf),
}

impl Record {
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
                "the record is of version {}, its prompt of {}",
                self.version, self.prompt.version
            ));
        }
        if self.checksum != self.prompt.content_hash(None) {
            return error(
                "the checksum is not that of the content, which was changed by another hand".to_owned(),
            );
        }
        self.prompt.check()
    }

    /// This record in the place of an older one of the version. The same content keeps what is known of it; a draft is
    /// replaced.
    fn after(self, known: Option<Record>) -> Result<Self> {
        let Some(known) = known else { return Ok(self) };
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
        if known.prompt.status == Status::Draft {
            return Ok(Self { parent_version, ..self });
        }
        Err(admit::other_content(&self.prompt))
    }
}

impl History {
    /// A history that ends with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { kept: Kept::Memory(RwLock::default()) }
    }

    /// A history in the files of this directory, which is made where it is missing when something is saved.
    #[must_use]
    pub fn in_files(root: PathBuf) -> Self {
        Self { kept: Kept::Files(root) }
    }

    /// Keeps a record. One of the same version and content keeps its time, and takes over status, metadata and what
    /// it lacked.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] as [`Record::check`]; [`Kind::VersionConflict`] where the version is kept, is no draft,
    /// and has other content; [`Kind::StorageWrite`] and [`Kind::StorageRead`] with the file.
    pub fn save(&self, record: Record) -> Result<()> {
        record.check()?;
        let (id, version) = (record.prompt.id.clone(), record.version.clone());
        match &self.kept {
            Kept::Memory(all) => {
                let mut all = all.write().unwrap_or_else(PoisonError::into_inner);
                let known = all.get(&id).and_then(|records| records.get(&version)).cloned();
                let record = record.after(known)?;
                all.entry(id).or_default().insert(version, record);
                Ok(())
            }
            Kept::Files(root) => {
                let directory = directory_of(root, &id)?;
                let _lock = Lock::take(&directory.join(".lock"), PATIENCE)?;
                atomic::sweep(&directory);
                let path = directory.join(file_name(&version));
                let known = if path.exists() { Some(read(&path, &id, Some(&version))?) } else { None };
                let record = record.after(known)?;
                let text = serde_json::to_vec_pretty(&record)
                    .map_err(|error| unwritable("file", &path, &error.to_string()).with_cause(error))?;
                atomic::write(&path, &text)
            }
        }
    }

    /// The records of a prompt, and what is wrong with files of it.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::StorageRead`].
    pub fn records(&self, id: &str) -> Result<(Records, Vec<Error>)> {
        let (records, errors) = match &self.kept {
            Kept::Memory(all) => {
                let all = all.read().unwrap_or_else(PoisonError::into_inner);
                (all.get(id).cloned().unwrap_or_default(), Vec::new())
            }
            Kept::Files(root) => match id.parse::<PromptId>() {
                Ok(id) => read_all(&directory_of(root, &id)?, &id)?,
                Err(_) => (Records::new(), Vec::new()),
            },
        };
        if records.is_empty() && errors.is_empty() {
            let ids = self.ids()?;
            return Err(no_prompt(id, ids.iter().map(String::as_str)));
        }
        Ok((records, errors))
    }

    /// One record.
    ///
    /// # Errors
    /// As [`History::records`]; [`Kind::VersionNotFound`]; what is wrong with its file.
    pub fn get(&self, id: &str, version: &str) -> Result<Record> {
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
    /// As [`History::records`]; [`Kind::VersionNotFound`] for a version that is not there; [`Kind::PromptInvalid`] where
    /// they are given the wrong way round.
    pub fn changelog(&self, id: &str, from: Option<&str>, to: Option<&str>) -> Result<Vec<Record>> {
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
        let lies_between = |record: &Record| {
            from.as_ref().is_none_or(|from| record.version > *from)
                && to.as_ref().is_none_or(|to| record.version <= *to)
        };
        let all = records.into_values().rev();
        Ok(all.filter(|record| record.changelog.is_some() && lies_between(record)).collect())
    }

    /// Forgets a version of a prompt, or all.
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
        match &self.kept {
            Kept::Memory(all) => {
                let mut all = all.write().unwrap_or_else(PoisonError::into_inner);
                if let (Some(version), Some(records)) = (&version, all.get_mut(id)) {
                    records.remove(version);
                }
                if version.is_none() || all.get(id).is_some_and(Records::is_empty) {
                    all.remove(id);
                }
                Ok(())
            }
            Kept::Files(root) => remove_files(root, id, version.as_ref()),
        }
    }

    /// Every id that has a record, sorted.
    ///
    /// # Errors
    /// [`Kind::StorageRead`].
    pub fn ids(&self) -> Result<Vec<String>> {
        let mut ids = match &self.kept {
            Kept::Memory(all) => {
                let all = all.read().unwrap_or_else(PoisonError::into_inner);
                all.keys().map(ToString::to_string).collect()
            }
            Kept::Files(root) => {
                let mut ids = Vec::new();
                gather_ids(root, "", &mut ids)?;
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

fn read_all(directory: &Path, id: &PromptId) -> Result<(Records, Vec<Error>)> {
    let (mut records, mut errors) = (Records::new(), Vec::new());
    for name in names_in(directory)? {
        let Some(version) = version_of(&name) else { continue };
        let path = directory.join(&name);
        let record = match version.parse::<Version>() {
            Ok(version) => read(&path, id, Some(&version)),
            Err(_) => Err(unreadable("file", &path, &format!("{version} is no version"))),
        };
        match record {
            Ok(record) => drop(records.insert(record.version.clone(), record)),
            Err(error) => errors.push(error),
        }
    }
    Ok((records, errors))
}

/// The names in a directory, sorted; none where it is not there.
fn names_in(directory: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable("directory", directory, &reason(&error)).with_cause(error)),
    };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort_unstable();
    Ok(names)
}

fn read(path: &Path, id: &PromptId, version: Option<&Version>) -> Result<Record> {
    let failed = |error: std::io::Error| unreadable("file", path, &reason(&error)).with_cause(error);
    let about = fs::symlink_metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(unreadable("file", path, "it is no file"));
    }
    if about.len() > FILE_BYTES {
        let why = format!("it has {} bytes, more than the limit of {FILE_BYTES}", about.len());
        return Err(unreadable("file", path, &why));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let record: Record = serde_json::from_slice(&bytes).map_err(|error| {
        unreadable("file", path, &format!("it holds no record of a version: {}", crate::de::plain(&error)))
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
    let lock = Lock::take(&directory.join(".lock"), PATIENCE)?;
    for name in names_in(&directory)? {
        if version_of(&name).is_some() && version.is_none_or(|version| name == file_name(version)) {
            atomic::remove(&directory.join(name))?;
        }
    }
    if names_in(&directory)?.iter().any(|name| version_of(name).is_some()) {
        return Ok(());
    }
    lock.remove()?;
    // Another id may have its directory in this one, which then stays.
    let _ = fs::remove_dir(&directory);
    Ok(())
}

fn gather_ids(directory: &Path, above: &str, ids: &mut Vec<String>) -> Result<()> {
    for name in names_in(directory)? {
        let path = directory.join(&name);
        if path.is_symlink() || !path.is_dir() {
            continue;
        }
        let id = if above.is_empty() { name } else { format!("{above}/{name}") };
        if id.parse::<PromptId>().is_err() {
            continue;
        }
        if names_in(&path)?.iter().any(|name| version_of(name).is_some()) {
            ids.push(id.clone());
        }
        gather_ids(&path, &id, ids)?;
    }
    Ok(())
}
