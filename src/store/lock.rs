//! A lock file that lets one writer work at a time, across threads and processes.
//!
//! The operating system locks the file, and releases the lock when the process ends, even if it is killed. The file
//! itself stays. Only code that takes the lock is kept out. Readers need no lock, because files are replaced as a
//! whole.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use same_file::Handle;

use super::atomic;
use super::below::Entry;
use super::errors::{reason, unwritable};
use crate::error::{Error, Result};

/// How long to wait for a lock by default. A save takes milliseconds.
pub const DEFAULT_LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// The first and the longest pause between two attempts.
const PAUSES: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(20));

/// A lock that is held until it is dropped. A thread that takes a lock it already holds waits until the timeout.
#[derive(Debug)]
pub struct Lock {
    file: File,
    root: PathBuf,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of this file. The file and its directories are created if they are missing.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// use prompt_manager::store::lock::{Lock, DEFAULT_LOCK_TIMEOUT};
    ///
    /// let held = Lock::take(&directory.path().join("greeting/.lock"), DEFAULT_LOCK_TIMEOUT)?;
    /// // Nobody else writes here until `held` is dropped.
    /// # Ok::<(), prompt_manager::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Kind::StorageWrite`] with the path if the file cannot be created, or if another writer holds the lock
    /// for longer than `lock_timeout`.
    pub fn take(path: &Path, lock_timeout: Duration) -> Result<Self> {
        Self::take_below(atomic::directory_of(path), path, lock_timeout)
    }

    /// As [`Lock::take`]. No directory below the root may be a link, not even one that is put there meanwhile.
    ///
    /// # Errors
    /// As [`Lock::take`].
    pub(super) fn take_below(root: &Path, path: &Path, lock_timeout: Duration) -> Result<Self> {
        let start = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            if let Some(lock) = Self::attempt(root, path)? {
                return Ok(lock);
            }
            if start.elapsed() >= lock_timeout {
                return Err(busy(path, lock_timeout));
            }
            thread::sleep(pause.min(lock_timeout.saturating_sub(start.elapsed())));
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Tries once. `None` if another writer holds the lock or has just removed the file.
    fn attempt(root: &Path, path: &Path) -> Result<Option<Self>> {
        let failed = |error: io::Error| {
            let why = reason(&error);
            unwritable("lock file", path, &why).with_cause(error)
        };
        let file = match Entry::open(root, path).and_then(|entry| entry.open_lock(true)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let directory = path.parent().ok_or_else(|| failed(error))?;
                atomic::make_directory_below(root, directory)?;
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let lock = Self { file, root: root.to_owned(), path: path.to_owned() };
        Ok(lock.is_in_place().map_err(failed)?.then_some(lock))
    }

    /// Whether the path still names the locked file. Deleting a prompt removes its lock file too.
    fn is_in_place(&self) -> io::Result<bool> {
        let held = Handle::from_file(self.file.try_clone()?)?;
        let named = Entry::open(&self.root, &self.path).and_then(|entry| entry.open_lock(false));
        match named.and_then(Handle::from_file) {
            Ok(named) => Ok(held == named),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes the lock file and releases the lock. Writers that wait for it see that it is gone, and start again.
    ///
    /// # Errors
    /// [`crate::Kind::StorageWrite`] with the path.
    pub fn remove(self) -> Result<()> {
        atomic::remove_below(&self.root, &self.path)
    }
}

impl Drop for Lock {
    /// Unlocks explicitly. Closing the file is not enough, because a forked process may have it open too.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

fn busy(path: &Path, lock_timeout: Duration) -> Error {
    let why = format!("another writer has held it for {} s", lock_timeout.as_secs_f32());
    unwritable("lock file", path, &why).with_hint(
        "wait for the other writer or stop it; its lock is released when it ends, and the lock file may stay",
    )
}
