//! Reads and writes below the root of a store, without following links.
//!
//! A check before an operation leaves time for another process to put a link in the place of a directory or file. So each
//! operation opens the directories from the root down, each relative to the one above and none through a link, and then
//! works relative to the last of them. Windows has no such calls: there the path is checked for links before the operation.
//!
//! The root itself may be a link, or lie below one.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::regular_file::check_regular;

/// The prefix and suffix of the name of a temporary file.
const TEMPORARY: (&str, &str) = (".saving-", ".tmp");

/// How often an operation is repeated if another process removes a directory at the same time.
const ATTEMPTS: usize = 16;

/// The reason why a link is refused.
pub(super) const LINK: &str = "it is a link, and a store does not follow links";

/// What the name in a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Directory,
    Link,
    /// A pipe, a device or a socket.
    Other,
}

/// The names from the root down to a path below it.
fn names<'p>(root: &Path, path: &'p Path) -> io::Result<Vec<&'p OsStr>> {
    // A bare name is below the working directory.
    let below = path.strip_prefix(root).ok().or_else(|| (root == Path::new(".")).then_some(path));
    Ok(below.ok_or_else(|| io::Error::other("it is not below the root"))?.iter().collect())
}

fn is_a_link() -> io::Error {
    io::Error::other(LINK)
}

/// A path below a root, as the directory that contains it and its name there.
pub(super) struct Entry<'p> {
    directory: Directory,
    name: &'p OsStr,
}

impl<'p> Entry<'p> {
    /// Opens the directory of a path, without following links below the root.
    ///
    /// # Errors
    /// Of kind `NotFound` if a directory does not exist.
    pub(super) fn open(root: &Path, path: &'p Path) -> io::Result<Self> {
        let names = names(root, path)?;
        let (name, above) = names.split_last().ok_or_else(|| io::Error::other("it is the root"))?;
        Ok(Self { directory: Directory::open(root, above)?, name })
    }

    /// Opens a regular file to read it.
    ///
    /// # Errors
    /// Of kind `NotFound` if there is none. Anything else with the name is an error that says what it is.
    pub(super) fn open_file(&self) -> io::Result<File> {
        let file = self.directory.open_file(self.name)?;
        check_regular(&file)?;
        Ok(file)
    }

    /// Writes a file with these bytes in one step, in place of a file that has the name. A link is replaced.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.directory.write(self.name, bytes)
    }

    /// Writes a file with these bytes in one step.
    ///
    /// # Errors
    /// Of kind `AlreadyExists` if something has the name, even a link.
    pub(super) fn create(&self, bytes: &[u8]) -> io::Result<()> {
        self.directory.create(self.name, bytes)
    }

    /// Removes the file, and syncs the directory.
    pub(super) fn remove_file(&self) -> io::Result<()> {
        self.directory.remove_file(self.name)?;
        self.directory.sync()
    }

    /// Removes the directory if it is empty.
    pub(super) fn remove_directory(&self) -> io::Result<()> {
        self.directory.remove_directory(self.name)
    }

    /// Opens a file to lock it. Creates it if it is missing and `create` is true.
    pub(super) fn open_lock(&self, create: bool) -> io::Result<File> {
        let file = self.directory.open_lock(self.name, create)?;
        check_regular(&file)?;
        Ok(file)
    }
}

/// Creates a directory below an existing root, and its missing parents, and syncs each of them.
pub(super) fn make_directory(root: &Path, path: &Path) -> io::Result<()> {
    let names = names(root, path)?;
    for attempt in 0.. {
        match Directory::open(root, &[]).and_then(|directory| directory.make(&names)) {
            Ok(()) => return Ok(()),
            // Another process removes directories that are empty.
            Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The names in a directory below the root, with what they are.
pub(super) fn list(root: &Path, directory: &Path) -> io::Result<Vec<(OsString, EntryKind)>> {
    Directory::open(root, &names(root, directory)?)?.entries()
}

/// Removes the temporary files in a directory. A file that cannot be removed stays.
pub(super) fn remove_temporary(root: &Path, directory: &Path) -> io::Result<()> {
    let directory = Directory::open(root, &names(root, directory)?)?;
    for (name, _) in directory.entries()? {
        if name.to_str().is_some_and(is_temporary) {
            let _ = directory.remove_file(&name);
        }
    }
    Ok(())
}

fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1)
}

/// A name for a temporary file that no other file of this process has. Another process may have it.
pub(super) fn temporary_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
    format!("{}{:x}-{count:x}-{nanos:x}{}", TEMPORARY.0, std::process::id(), TEMPORARY.1)
}

#[cfg(unix)]
use unix::Directory;

#[cfg(not(unix))]
use other::Directory;

#[cfg(unix)]
mod unix {
    use std::ffi::{OsStr, OsString};
    use std::fs::File;
    use std::io::{self, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};

    use super::{EntryKind, is_a_link, temporary_name};
    use crate::store::regular_file::not_regular;

    const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

    /// An open directory.
    pub(super) struct Directory(OwnedFd);

    impl Directory {
        pub(super) fn open(root: &Path, names: &[&OsStr]) -> io::Result<Self> {
            let mut directory = Self(rustix::fs::open(root, DIRECTORY, Mode::empty())?);
            for name in names {
                directory = directory.child(name)?;
            }
            Ok(directory)
        }

        fn child(&self, name: &OsStr) -> io::Result<Self> {
            match rustix::fs::openat(&self.0, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(child) => Ok(Self(child)),
                // Systems differ in the error for a link.
                Err(_) if self.kind(name) == Some(FileType::Symlink) => Err(is_a_link()),
                Err(error) => Err(error.into()),
            }
        }

        /// Opens a file without waiting for the writer of a pipe.
        pub(super) fn open_file(&self, name: &OsStr) -> io::Result<File> {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
                Ok(file) => Ok(File::from(file)),
                Err(error) => Err(match self.kind(name) {
                    // Systems differ in the error for a link.
                    Some(FileType::Symlink) => is_a_link(),
                    Some(FileType::Socket) => not_regular("a socket"),
                    _ => error.into(),
                }),
            }
        }

        fn kind(&self, name: &OsStr) -> Option<FileType> {
            let about = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
            Some(FileType::from_raw_mode(about.st_mode))
        }

        pub(super) fn make(self, names: &[&OsStr]) -> io::Result<()> {
            let mut directory = self;
            for name in names {
                match rustix::fs::mkdirat(&directory.0, *name, Mode::from_raw_mode(0o777)) {
                    Ok(()) => directory.sync()?,
                    Err(rustix::io::Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
                directory = directory.child(name)?;
            }
            Ok(())
        }

        pub(super) fn write(&self, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
            let (temporary, mut file) = self.temporary()?;
            let written = self.keep_permissions(name, &file).and_then(|()| {
                file.write_all(bytes)?;
                file.sync_all()?;
                rustix::fs::renameat(&self.0, &temporary, &self.0, name).map_err(io::Error::from)
            });
            if written.is_err() {
                let _ = self.remove_file(OsStr::new(&temporary));
            }
            written?;
            self.sync()
        }

        pub(super) fn create(&self, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
            let (temporary, mut file) = self.temporary()?;
            let written = file.write_all(bytes).and_then(|()| file.sync_all());
            let linked = written.and_then(|()| {
                rustix::fs::linkat(&self.0, &temporary, &self.0, name, AtFlags::empty())
                    .map_err(io::Error::from)
            });
            let _ = self.remove_file(OsStr::new(&temporary));
            linked?;
            self.sync()
        }

        /// Creates a temporary file with the usual permissions of a new file.
        fn temporary(&self) -> io::Result<(String, File)> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            loop {
                let name = temporary_name();
                match rustix::fs::openat(&self.0, &name, flags, Mode::from_raw_mode(0o666)) {
                    Ok(file) => return Ok((name, File::from(file))),
                    Err(rustix::io::Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }

        /// Gives a new file the permissions of the file that it will replace.
        fn keep_permissions(&self, name: &OsStr, file: &File) -> io::Result<()> {
            match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(old) if FileType::from_raw_mode(old.st_mode) == FileType::RegularFile => {
                    Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(old.st_mode))?)
                }
                _ => Ok(()),
            }
        }

        pub(super) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
        }

        pub(super) fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
            Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
        }

        pub(super) fn open_lock(&self, name: &OsStr, create: bool) -> io::Result<File> {
            let create = if create { OFlags::CREATE } else { OFlags::empty() };
            let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | create;
            match rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o666)) {
                Ok(file) => Ok(File::from(file)),
                Err(_) if self.kind(name) == Some(FileType::Symlink) => Err(is_a_link()),
                Err(error) => Err(error.into()),
            }
        }

        pub(super) fn entries(&self) -> io::Result<Vec<(OsString, EntryKind)>> {
            let mut entries = Vec::new();
            for entry in Dir::read_from(&self.0)? {
                let entry = entry?;
                let name = OsStr::from_bytes(entry.file_name().to_bytes());
                if name == "." || name == ".." {
                    continue;
                }
                // Some file systems do not tell the kind here. A name that is gone by now is left out.
                let kind = match entry.file_type() {
                    FileType::Unknown => self.kind(name),
                    kind => Some(kind),
                };
                let kind = kind.map(|kind| match kind {
                    FileType::RegularFile => EntryKind::File,
                    FileType::Directory => EntryKind::Directory,
                    FileType::Symlink => EntryKind::Link,
                    _ => EntryKind::Other,
                });
                entries.extend(kind.map(|kind| (name.to_owned(), kind)));
            }
            Ok(entries)
        }

        pub(super) fn sync(&self) -> io::Result<()> {
            Ok(rustix::fs::fsync(&self.0)?)
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::ffi::{OsStr, OsString};
    use std::fs::{self, File, OpenOptions};
    use std::io::{self, Write};
    use std::path::{Path, PathBuf};

    use super::{EntryKind, is_a_link, temporary_name};

    /// The path of a directory that was no link when it was looked at.
    pub(super) struct Directory(PathBuf);

    impl Directory {
        pub(super) fn open(root: &Path, names: &[&OsStr]) -> io::Result<Self> {
            let mut directory = Self(root.to_owned());
            for name in names {
                directory = directory.child(name)?;
            }
            Ok(directory)
        }

        fn child(&self, name: &OsStr) -> io::Result<Self> {
            let path = self.path_of(name)?;
            let about = fs::metadata(&path)?;
            if about.is_dir() { Ok(Self(path)) } else { Err(io::ErrorKind::NotADirectory.into()) }
        }

        /// The path of a name that is no link.
        fn path_of(&self, name: &OsStr) -> io::Result<PathBuf> {
            let path = self.0.join(name);
            if path.is_symlink() { Err(is_a_link()) } else { Ok(path) }
        }

        pub(super) fn make(self, names: &[&OsStr]) -> io::Result<()> {
            let mut directory = self;
            for name in names {
                match fs::create_dir(directory.0.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ => {}
                }
                directory = directory.child(name)?;
            }
            Ok(())
        }

        pub(super) fn create(&self, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
            let temporary = temporary_name();
            self.write(OsStr::new(&temporary), bytes)?;
            let linked = fs::hard_link(self.0.join(&temporary), self.0.join(name));
            let _ = fs::remove_file(self.0.join(&temporary));
            linked
        }

        pub(super) fn write(&self, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
            let temporary = self.0.join(temporary_name());
            let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            let written = file.write_all(bytes).and_then(|()| file.sync_all());
            drop(file);
            let written = written.and_then(|()| fs::rename(&temporary, self.0.join(name)));
            if written.is_err() {
                let _ = fs::remove_file(&temporary);
            }
            written
        }

        pub(super) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
            fs::remove_file(self.0.join(name))
        }

        pub(super) fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
            fs::remove_dir(self.0.join(name))
        }

        pub(super) fn open_lock(&self, name: &OsStr, create: bool) -> io::Result<File> {
            let path = self.path_of(name)?;
            OpenOptions::new().read(true).write(true).create(create).truncate(false).open(path)
        }

        pub(super) fn open_file(&self, name: &OsStr) -> io::Result<File> {
            File::open(self.path_of(name)?)
        }

        pub(super) fn entries(&self) -> io::Result<Vec<(OsString, EntryKind)>> {
            let entry_of = |entry: fs::DirEntry| {
                let kind = entry.file_type()?;
                let kind = if kind.is_symlink() {
                    EntryKind::Link
                } else if kind.is_dir() {
                    EntryKind::Directory
                } else if kind.is_file() {
                    EntryKind::File
                } else {
                    EntryKind::Other
                };
                Ok((entry.file_name(), kind))
            };
            fs::read_dir(&self.0)?.map(|entry| entry.and_then(entry_of)).collect()
        }

        /// Windows syncs the names in a directory itself.
        #[allow(clippy::unused_self, reason = "other systems need the directory")]
        pub(super) fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }
}
