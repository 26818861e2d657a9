//! Writes a file completely or not at all.
//!
//! A file is written under a temporary name in its own directory, synced to the disk and renamed. Then the directory
//! is synced too. If the process is killed before that, the old file is still there. A temporary file may remain: its
//! name begins with a dot, and [`sweep`] removes it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use super::errors::{reason, unwritable};
use crate::error::{Error, Result};

/// The prefix and suffix of the name of a temporary file.
const TEMPORARY: (&str, &str) = (".saving-", ".tmp");

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
    let directory = directory_of(path);
    let failed = |error: io::Error| cannot_write(path, error);
    let mut file = temporary(path, directory).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    sync_directory(directory).map_err(failed)
}

/// Removes a file and syncs its directory. A file that does not exist is not an error.
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

/// Creates a temporary file with the permissions of the file that it will replace, or else the usual permissions.
fn temporary(path: &Path, directory: &Path) -> io::Result<NamedTempFile> {
    let file = builder().prefix(TEMPORARY.0).suffix(TEMPORARY.1).tempfile_in(directory)?;
    if let Ok(old) = fs::symlink_metadata(path)
        && old.is_file()
    {
        file.as_file().set_permissions(old.permissions())?;
    }
    Ok(file)
}

/// Creates temporary files with the same permissions as ordinary new files; by default only the owner could read them.
#[cfg(unix)]
fn builder() -> Builder<'static, 'static> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    let mut builder = Builder::new();
    // The umask of the process applies, as for any new file.
    builder.permissions(Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn builder() -> Builder<'static, 'static> {
    Builder::new()
}

/// The directory that contains a path.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs the names in a directory to the disk. Windows cannot open a directory as a file, and syncs names itself.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    unwritable("file", path, &reason(&error)).with_cause(error)
}
