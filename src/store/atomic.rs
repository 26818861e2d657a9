//! Files that are there whole or not at all.
//!
//! A file is written under a temporary name in its own directory, brought to the disk, and renamed into place, and
//! the directory is brought to the disk too. A process that is killed leaves the old file, and perhaps a temporary
//! one, which begins with a dot and which [`sweep`] removes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::errors::{reason, unwritable};
use crate::error::{Error, Result};

/// How the name of a temporary file begins and ends.
const TEMPORARY: (&str, &str) = (".saving-", ".tmp");

/// How often a directory is made again that somebody else removes meanwhile.
const ATTEMPTS: usize = 16;

/// Puts a file with these bytes in the place of whatever file has the path. A link is replaced, not followed. The
/// directory must be there; a file that is replaced hands on its permissions.
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
/// [`crate::Kind::StorageWrite`] with the path. The old file is still there, unless it is the directory that cannot
/// be brought to the disk.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let directory = directory_of(path);
    let failed = |error: io::Error| cannot_write(path, error);
    let mut file = temporary(path, directory).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    sync_directory(directory).map_err(failed)
}

/// Removes a file, and brings that to the disk. A file that is not there is none to remove.
///
/// # Errors
/// [`crate::Kind::StorageWrite`] with the path.
pub fn remove(path: &Path) -> Result<()> {
    let removed = match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other,
    };
    removed.and_then(|()| sync_directory(directory_of(path))).map_err(|error| {
        unwritable("file", path, &format!("it cannot be removed, {}", reason(&error))).with_cause(error)
    })
}

/// Makes a directory and those above it that are missing, each brought to the disk.
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
            // One above it is missing, and may be again: whoever deletes a prompt removes what is empty.
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

/// Removes the temporary files that killed writers left in a directory. Only whoever holds the lock of the directory
/// may do so, for nobody else is writing there then. What cannot be removed stays; it does no harm.
pub fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(is_temporary) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1)
}

/// A new file in the directory, with the permissions of the file that it will replace, or those of any new file.
fn temporary(path: &Path, directory: &Path) -> io::Result<NamedTempFile> {
    let file = builder().prefix(TEMPORARY.0).suffix(TEMPORARY.1).tempfile_in(directory)?;
    if let Ok(old) = fs::symlink_metadata(path)
        && old.is_file()
    {
        file.as_file().set_permissions(old.permissions())?;
    }
    Ok(file)
}

/// How temporary files are made: open to those to whom a file made as usual is open.
#[cfg(unix)]
fn builder() -> Builder<'static, 'static> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    let mut builder = Builder::new();
    // The process's mask takes off what it takes off of any new file.
    builder.permissions(Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn builder() -> Builder<'static, 'static> {
    Builder::new()
}

/// The directory that a path is in.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Brings the names in a directory to the disk. Where a directory cannot be opened as a file, as on Windows, the
/// system does so itself.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    unwritable("file", path, &reason(&error)).with_cause(error)
}
