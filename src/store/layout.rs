//! The paths of a file store: it saves a prompt as `{root}/{id}/{version}.json`.
//!
//! A store does not follow links below its root, so it reads and writes nothing outside of it. On a case-insensitive
//! file system two ids that differ only in case would share a directory. The second of them is therefore refused on
//! every system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use super::atomic;
use super::below::{self, Entry, LINK};
use super::encoding::Encoding;
use super::errors::{reason, unreadable, unwritable};
use super::lock::Lock;
use crate::error::{Error, Kind, Result};
use crate::prompt::{PromptId, Version};

/// The lock file of the root, and of each prompt's directory.
pub(super) const LOCK: &str = ".lock";

/// The files of each version of a prompt. A version with more than one file is a mistake that somebody made by hand.
pub(super) type VersionFiles = BTreeMap<Version, Vec<PathBuf>>;

/// The version and encoding in the name of a file. `None` if it is not the name of a version's file.
pub(super) fn version_of(name: &str) -> Option<(Version, Encoding)> {
    let (stem, extension) = name.rsplit_once('.')?;
    Some((stem.parse().ok()?, Encoding::of_extension(extension)?))
}

/// Checks that an id can be a path: no segment may look like the name of a version's file.
///
/// # Errors
/// [`Kind::StorageWrite`].
pub(super) fn check_id(id: &PromptId) -> Result<()> {
    match id.as_str().split('/').find(|segment| version_of(segment).is_some()) {
        None => Ok(()),
        Some(segment) => Err(Error::new(
            Kind::StorageWrite,
            format!(
                "prompt '{id}' cannot be saved in files: `{segment}` is reserved for the file of a version"
            ),
        )
        .with_context("prompt_id", id.as_str())
        .with_hint("rename this part of the id")),
    }
}

/// The result of looking for a path below the root.
enum PathLookup {
    Nothing,
    Directory(PathBuf),
    /// The path in another case, on a case-insensitive file system.
    Other(PathBuf),
}

/// Looks for `{root}/{name}`. `root` must not contain links.
fn look(root: &Path, name: &str) -> Result<PathLookup> {
    let path = root.join(name);
    let real = match fs::canonicalize(&path) {
        Ok(real) => real,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(PathLookup::Nothing);
        }
        Err(error) => return Err(unreadable("directory", &path, &reason(&error)).with_cause(error)),
    };
    if real == path {
        return Ok(if real.is_dir() { PathLookup::Directory(path) } else { PathLookup::Nothing });
    }
    let inside = real.strip_prefix(root).ok().and_then(Path::to_str);
    if inside.is_some_and(|inside| inside.replace('\\', "/").eq_ignore_ascii_case(name)) {
        return Ok(PathLookup::Other(real));
    }
    Err(unreadable("directory", &path, LINK))
}

/// The root, with links resolved. `None` if it does not exist.
///
/// # Errors
/// [`Kind::StorageRead`].
pub(super) fn real_root(root: &Path) -> Result<Option<PathBuf>> {
    match fs::canonicalize(root) {
        Ok(real) if real.is_dir() => Ok(Some(real)),
        Ok(_) => Err(unreadable("directory", root, "it is not a directory")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable("directory", root, &reason(&error)).with_cause(error)),
    }
}

/// The directory of a prompt, if it exists.
///
/// # Errors
/// [`Kind::StorageRead`] if it is a link.
pub(super) fn find(root: &Path, id: &PromptId) -> Result<Option<PathBuf>> {
    Ok(match look(root, id.as_str())? {
        PathLookup::Directory(path) => Some(path),
        PathLookup::Nothing | PathLookup::Other(_) => None,
    })
}

/// The directory of a prompt. Creates it if it does not exist.
///
/// # Errors
/// [`Kind::StorageWrite`] if it cannot be created, or if the id exists in another case.
pub(super) fn claim(root: &Path, id: &PromptId, lock_timeout: Duration) -> Result<PathBuf> {
    match look(root, id.as_str())? {
        PathLookup::Directory(path) => return Ok(path),
        PathLookup::Other(path) => return Err(another_case(root, id, &path)),
        PathLookup::Nothing => {}
    }
    // The lock prevents two processes from creating the id in two cases at the same time.
    let _lock = Lock::take_below(root, &root.join(LOCK), lock_timeout)?;
    check_way(root, id)?;
    let path = root.join(id.as_str());
    atomic::make_directory_below(root, &path)?;
    Ok(path)
}

/// Refuses an id if a part of its path is a link, or exists in another case.
fn check_way(root: &Path, id: &PromptId) -> Result<()> {
    let mut parent = root.to_owned();
    for segment in id.as_str().split('/') {
        let Ok(entries) = fs::read_dir(&parent) else { return Ok(()) };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name == segment && entry.path().is_symlink() {
                return Err(unreadable("directory", &entry.path(), LINK));
            }
            if name != segment && name.eq_ignore_ascii_case(segment) {
                return Err(another_case(root, id, &entry.path()));
            }
        }
        parent.push(segment);
    }
    Ok(())
}

fn another_case(root: &Path, id: &PromptId, there: &Path) -> Error {
    let why = format!("{} exists, and its name differs only in case", there.display());
    unwritable("directory", &root.join(id.as_str()), &why)
        .with_context("prompt_id", id.as_str())
        .with_hint("some file systems ignore case: use the name that exists, or another id")
}

/// The files of the versions in a prompt's directory, which is below the root. Only their names are looked at.
///
/// # Errors
/// [`Kind::StorageRead`] if the directory cannot be read.
pub(super) fn files(root: &Path, directory: &Path) -> Result<VersionFiles> {
    let mut files = VersionFiles::new();
    let failed = |error: io::Error| unreadable("directory", directory, &reason(&error)).with_cause(error);
    let entries = match below::list(root, directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        other => other.map_err(failed)?,
    };
    for (name, _) in entries {
        if let Some((version, _)) = name.to_str().and_then(version_of) {
            files.entry(version).or_default().push(directory.join(name));
        }
    }
    for paths in files.values_mut() {
        paths.sort();
    }
    Ok(files)
}

/// Removes a prompt's directory and its parents below the root, as long as they are empty.
pub(super) fn prune(root: &Path, directory: &Path) {
    let mut directory = directory;
    let remove = |directory| Entry::open(root, directory).and_then(|entry| entry.remove_directory());
    while directory != root && remove(directory).is_ok() {
        let Some(parent) = directory.parent() else { return };
        directory = parent;
    }
}

/// The ids next to an id that does not exist, for a suggestion.
pub(super) fn neighbours(root: &Path, id: &str) -> Vec<String> {
    let (parent, prefix) = match id.rsplit_once('/') {
        Some((parent, _)) => (root.join(parent), format!("{parent}/")),
        None => (root.to_owned(), String::new()),
    };
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.')).map(|name| format!("{prefix}{name}")).collect()
}
