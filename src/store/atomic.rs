//! Writes a file completely or not at all.
//!
//! A file is written under a temporary name in its own directory, synced to the disk and renamed. Then the directory
//! is synced too. If the process is killed before that, the old file is still there. A temporary file may remain: its
//! name begins with a dot, and [`sweep`] removes it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::below::{self, Entry};
use super::errors::{reason, unwritable};
use crate::error::{Error, Result};

/// How often to create a directory again if another process removes it at the same time.
const ATTEMPTS: usize = 16;

/// Writes a file with these bytes, in place of any file that has the path. A link is replaced, not followed. The
/// directory must exist. The new file keeps the permissions of a file that it replaces.
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// use prompt_manager::store::atomic;
///
/// let path = directory.path().join("1.0.0.json");
/// atomic::write(&path, b"{}")?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"{}");
/// # Ok::<(), prompt_manager::Error>(())
/// ```
///
/// # Errors
/// [`crate::Kind::StorageWrite`] with the path. The old file is still there, unless only the sync of the
/// directory failed.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_below(directory_of(path), path, bytes)
}

/// As [`write()`]. No directory below the root may be a link, not even one that is put there meanwhile.
///
/// # Errors
/// As [`write()`].
pub(super) fn write_below(root: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    Entry::open(root, path).and_then(|entry| entry.write(bytes)).map_err(|error| cannot_write(path, error))
}

/// Replaces the content of a file, as [`write()`] does, if it is still `before`. A link is followed.
///
/// # Errors
/// [`crate::Kind::StorageWrite`] with the path, also if the content has changed.
pub fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<()> {
    let target = fs::canonicalize(path).map_err(|error| cannot_write(path, error))?;
    // What is read and what is written is in the same directory, even if another takes its place.
    let entry = Entry::open(directory_of(&target), &target).map_err(|error| cannot_write(path, error))?;
    let mut current = Vec::new();
    let read = entry.open_file().and_then(|mut file| file.read_to_end(&mut current));
    read.map_err(|error| cannot_write(path, error))?;
    if current != before {
        return Err(
            unwritable("file", path, "it has changed since it was read").with_hint("run the command again")
        );
    }
    entry.write(after).map_err(|error| cannot_write(path, error))
}

/// Writes a file with these bytes in one step. Missing directories are created. The path must not exist.
///
/// # Errors
/// [`crate::Kind::StorageWrite`] with the path, also if the file exists.
pub fn create(path: &Path, bytes: &[u8]) -> Result<()> {
    make_directory(directory_of(path))?;
    let created = Entry::open(directory_of(path), path).and_then(|entry| entry.create(bytes));
    created.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => unwritable("file", path, "it exists"),
        _ => cannot_write(path, error),
    })
}

/// Writes a file with these bytes, in place of any file that has the path, as [`write()`] does. A link is followed, and what
/// is no file, such as a pipe, is written to.
///
/// # Errors
/// [`crate::Kind::StorageWrite`] with the path.
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |error| cannot_write(path, error);
    match fs::metadata(path) {
        Ok(about) if about.is_file() => write(&fs::canonicalize(path).map_err(failed)?, bytes),
        Ok(_) => OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(failed),
        Err(_) => write(path, bytes),
    }
}

/// Where a new file takes the place of what has the path: where a link leads to, or else the path.
///
/// # Errors
/// [`crate::Kind::StorageWrite`] for a directory, and for a device or a pipe, which a new file would replace.
pub(crate) fn replaceable(path: &Path) -> Result<PathBuf> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(unwritable("file", path, "it is a directory")),
        Ok(about) if !about.is_file() => Err(unwritable("file", path, "it is a device or a pipe")),
        Ok(_) => fs::canonicalize(path).map_err(|error| cannot_write(path, error)),
        Err(_) => Ok(path.to_owned()),
    }
}

/// Removes a file and syncs its directory. A file that does not exist is not an error.
///
/// # Errors
/// [`crate::Kind::StorageWrite`] with the path.
pub fn remove(path: &Path) -> Result<()> {
    remove_below(directory_of(path), path)
}

/// As [`remove`]. No directory below the root may be a link, not even one that is put there meanwhile.
///
/// # Errors
/// As [`remove`].
pub(super) fn remove_below(root: &Path, path: &Path) -> Result<()> {
    match Entry::open(root, path).and_then(|entry| entry.remove_file()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|error| {
            unwritable("file", path, &format!("it cannot be removed, {}", reason(&error))).with_cause(error)
        }),
    }
}

/// Creates a directory below a root, the root, and the directories between them. None below the root may be a link.
///
/// # Errors
/// As [`make_directory`].
pub(super) fn make_directory_below(root: &Path, path: &Path) -> Result<()> {
    make_directory(root)?;
    below::make_directory(root, path).map_err(|error| {
        let why = reason(&error);
        unwritable("directory", path, &why).with_cause(error)
    })
}

/// Creates a directory and its missing parents, and syncs each of them to the disk.
///
/// # Errors
/// [`crate::Kind::StorageWrite`] with the path.
pub fn make_directory(path: &Path) -> Result<()> {
    let failed = |error: io::Error| {
        let why = reason(&error);
        unwritable("directory", path, &why).with_cause(error)
    };
    for attempt in 0.. {
        match fs::create_dir(path) {
            Ok(()) => return sync_directory(directory_of(path)).map_err(failed),
            Err(_) if path.is_dir() => return Ok(()),
            // A parent is missing. It may vanish again, because deleting a prompt removes empty directories.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => {
                match path.parent() {
                    Some(parent) if !parent.as_os_str().is_empty() => make_directory(parent)?,
                    _ => return Err(failed(error)),
                }
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

/// Removes the temporary files that killed writers left in a directory. The caller must hold the lock of the directory,
/// so that nobody else is writing there. A file that cannot be removed stays; it does no harm.
pub fn sweep(directory: &Path) {
    sweep_below(directory, directory);
}

/// As [`sweep`], without following links below the root.
pub(super) fn sweep_below(root: &Path, directory: &Path) {
    let _ = below::remove_temporary(root, directory);
}

/// The directory that contains a path.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs the names in a directory to the disk. Windows cannot open a directory as a file, and syncs names itself.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

pub(crate) fn cannot_write(path: &Path, error: io::Error) -> Error {
    unwritable("file", path, &reason(&error)).with_cause(error)
}
