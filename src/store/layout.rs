//! Where a file store saves its prompts: `{root}/{id}/{version}.json`.
//!
//! A store follows no links below its root, so nothing outside of it is read or written. On a disk that knows no case
//! two ids that differ only in case would be one directory; so the second is refused, on every system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use super::atomic;
use super::encoding::Encoding;
use super::errors::{reason, unreadable, unwritable};
use super::lock::Lock;
use crate::error::{Error, Kind, Result};
use crate::prompt::{PromptId, Version};

/// The lock file of the root, and of each prompt's directory.
pub(super) const LOCK: &str = ".lock";

/// Why a link is not used.
pub(super) const LINK: &str = "it is a link, and a store follows none";

/// The files of a prompt's versions. More than one for a version is a mistake that somebody made by hand.
pub(super) type VersionFiles = BTreeMap<Version, Vec<PathBuf>>;

/// The version and encoding that a file's name tells of; `None` where it is no name of such a file.
pub(super) fn version_of(name: &str) -> Option<(Version, Encoding)> {
    let (stem, extension) = name.rsplit_once('.')?;
    Some((stem.parse().ok()?, Encoding::of_extension(extension)?))
}

/// Whether an id can be kept in files: no segment is what the file of a version is called.
///
/// # Errors
/// [`Kind::StorageWrite`].
pub(super) fn check_id(id: &PromptId) -> Result<()> {
    match id.as_str().split('/').find(|segment| version_of(segment).is_some()) {
        None => Ok(()),
        Some(segment) => Err(Error::new(
            Kind::StorageWrite,
            format!(
                "prompt '{id}' cannot be saved in files: `{segment}` is how the file of a version is named"
            ),
        )
        .with_context("prompt_id", id.as_str())
        .with_hint("rename the segment")),
    }
}

/// What exists at a path below the root.
enum PathLookup {
    Nothing,
    Directory(PathBuf),
    /// Another spelling of it, on a disk that knows no case.
    Other(PathBuf),
}

/// Looks for `{root}/{name}`, where `root` has no links in it.
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

/// The root without links in it; `None` where there is none.
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

/// The directory of a prompt, if there is one.
///
/// # Errors
/// [`Kind::StorageRead`] if a link is in its place.
pub(super) fn find(root: &Path, id: &PromptId) -> Result<Option<PathBuf>> {
    Ok(match look(root, id.as_str())? {
        PathLookup::Directory(path) => Some(path),
        PathLookup::Nothing | PathLookup::Other(_) => None,
    })
}

/// The directory of a prompt, which is made where it is missing.
///
/// # Errors
/// [`Kind::StorageWrite`] where it cannot be made, or another spelling of the id is there.
pub(super) fn claim(root: &Path, id: &PromptId, lock_timeout: Duration) -> Result<PathBuf> {
    match look(root, id.as_str())? {
        PathLookup::Directory(path) => return Ok(path),
        PathLookup::Other(path) => return Err(another_case(root, id, &path)),
        PathLookup::Nothing => {}
    }
    // One at a time, so that two spellings are not both made.
    let _lock = Lock::take(&root.join(LOCK), lock_timeout)?;
    check_way(root, id)?;
    let path = root.join(id.as_str());
    atomic::make_directory(&path)?;
    Ok(path)
}

/// Refuses an id of which a part is there with another case, or as a link that leads elsewhere.
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
    let why = format!("{} is there, and differs only in case", there.display());
    unwritable("directory", &root.join(id.as_str()), &why)
        .with_context("prompt_id", id.as_str())
        .with_hint("some disks know no case: use the spelling that is there, or another id")
}

/// The files of the versions in a prompt's directory, by their names alone.
///
/// # Errors
/// [`Kind::StorageRead`] where the directory cannot be read.
pub(super) fn files(directory: &Path) -> Result<VersionFiles> {
    let mut files = VersionFiles::new();
    let failed = |error: io::Error| unreadable("directory", directory, &reason(&error)).with_cause(error);
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        other => other.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if let Some((version, _)) = entry.file_name().to_str().and_then(version_of) {
            files.entry(version).or_default().push(entry.path());
        }
    }
    for paths in files.values_mut() {
        paths.sort();
    }
    Ok(files)
}

/// Removes a prompt's directory and those above it, up to the root, as far as they are empty.
pub(super) fn prune(root: &Path, directory: &Path) {
    let mut directory = directory;
    while directory != root && fs::remove_dir(directory).is_ok() {
        let Some(parent) = directory.parent() else { return };
        directory = parent;
    }
}

/// The ids beside one that does not exist, to suggest which one was meant.
pub(super) fn neighbours(root: &Path, id: &str) -> Vec<String> {
    let (parent, prefix) = match id.rsplit_once('/') {
        Some((parent, _)) => (root.join(parent), format!("{parent}/")),
        None => (root.to_owned(), String::new()),
    };
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.')).map(|name| format!("{prefix}{name}")).collect()
}
