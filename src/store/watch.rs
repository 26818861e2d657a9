//! Watches directories of files that people edit, and reloads them after a change.
//!
//! A thread receives the change events of the operating system, waits until they stop, and then reloads. An editor
//! makes several events when it saves a file, and a checkout makes thousands; both cause one reload. A reload with
//! errors is reported only when nothing changes any more, because a file may be read while it is written. A
//! [`ReloadHandler`] does the reload and reports it.
//!
//! The thread ends when its [`DirectoryWatch`] is dropped. A forked process does not have the thread, so its prompts
//! do not change.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RemoveKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::errors::{reason, unreadable};
use super::prompt_tree::is_of_prompts;
use crate::error::{Error, Kind, Result};

/// How long nothing may change before a reload.
const QUIET_TIME: Duration = Duration::from_millis(50);

/// The same after [`MANY_CHANGES`]: a checkout or a generator pauses between its changes.
const QUIET_TIME_AFTER_MANY: Duration = Duration::from_millis(200);

/// More changes than an editor makes at once.
const MANY_CHANGES: usize = 60;

/// The longest delay of a reload, if changes never stop.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// How long to wait, after a reload with errors, for a change that may fix them.
const RETRY_TIME: Duration = Duration::from_millis(100);

/// How often to check the directories themselves. There is no event when one is created again, or when a link in its
/// path changes.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Reloads the files after a change. Its methods run on the thread of the watch.
pub trait ReloadHandler: Send + 'static {
    /// The result of a reload.
    type ReloadReport: Send;

    /// Reads the files again and replaces the old content.
    fn reload(&mut self) -> Self::ReloadReport;

    /// Whether the reload had no errors.
    fn is_clean(report: &Self::ReloadReport) -> bool;

    /// Takes the report of the last reload. The reports of the reloads just before it are dropped, because files were
    /// still changing.
    fn report(&mut self, report: Self::ReloadReport);

    /// Takes the error of a reload that panicked, which is a bug in this library.
    fn panicked(&mut self, error: Error);

    /// Directories outside the watched ones that contain the targets of links.
    fn linked_directories(&self) -> Vec<PathBuf>;
}

/// An event for the thread.
enum WatchEvent {
    Changed,
    Stop,
}

/// Records changes in directories. It starts before the first load, so that no change between the load and the start
/// of the thread is missed.
pub struct ChangeRecorder {
    roots: Vec<PathBuf>,
    watcher: RecommendedWatcher,
    sender: Sender<WatchEvent>,
    receiver: Receiver<WatchEvent>,
}

impl ChangeRecorder {
    /// Begins to record changes below these directories.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] if the system cannot watch one of them.
    pub fn begin(roots: Vec<PathBuf>) -> Result<Self> {
        let (sender, receiver) = channel();
        let (changed, below) = (sender.clone(), roots.clone());
        let on_event = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| !matters(&event, &below)) {
                return;
            }
            // Nobody receives the event after the watch has ended. That is no error.
            let _ = changed.send(WatchEvent::Changed);
        };
        let first = roots.first().cloned().unwrap_or_default();
        let watcher = notify::recommended_watcher(on_event).map_err(|error| unwatchable(&first, error))?;
        let mut recorder = Self { roots, watcher, sender, receiver };
        recorder.watch()?;
        Ok(recorder)
    }

    /// Starts a thread that reloads after changes, until the watch is dropped or stopped.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] if the system cannot start a thread.
    pub fn start_thread<F: ReloadHandler>(self, handler: F) -> Result<DirectoryWatch> {
        let sender = self.sender.clone();
        let first = self.roots.first().cloned().unwrap_or_default();
        let mut watch_thread = WatchThread {
            seen: self.roots.iter().map(|root| identity(root)).collect(),
            recorder: self,
            linked: HashSet::new(),
            handler,
        };
        watch_thread.watch_linked();
        let thread = thread::Builder::new()
            .name("prompt-manager-watch".to_owned())
            .spawn(move || watch_thread.run())
            .map_err(|error| unreadable("directory", &first, "it cannot be watched").with_cause(error))?;
        Ok(DirectoryWatch { sender, thread: Some(thread), process: std::process::id() })
    }

    /// Watches the directories again. For the system, a directory that was removed and created again is a new one.
    fn watch(&mut self) -> Result<()> {
        for root in &self.roots {
            // This is an error if the directory was not watched yet, as at the start. It can be ignored.
            let _ = self.watcher.unwatch(root);
        }
        for root in &self.roots {
            self.watcher.watch(root, RecursiveMode::Recursive).map_err(|error| unwatchable(root, error))?;
        }
        Ok(())
    }
}

/// A handle on watched directories. Dropping it stops the watch without waiting for the thread.
pub struct DirectoryWatch {
    sender: Sender<WatchEvent>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl DirectoryWatch {
    /// Whether changes cause reloads. `false` after [`DirectoryWatch::stop`], and in a forked process.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process == std::process::id() && self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Stops the watch and waits for a reload that is in progress.
    pub fn stop(&mut self) {
        // A forked child has the handle, but not the thread.
        let own = self.process == std::process::id();
        let Some(thread) = self.thread.take().filter(|_| own) else { return };
        let _ = self.sender.send(WatchEvent::Stop);
        // The handler runs on the watch's own thread and may stop the watch; a thread cannot join itself.
        if thread.thread().id() != thread::current().id() {
            // A panic of the thread has already been reported.
            let _ = thread.join();
        }
    }
}

impl Drop for DirectoryWatch {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            let _ = self.sender.send(WatchEvent::Stop);
        }
    }
}

/// The state of the thread.
struct WatchThread<F> {
    recorder: ChangeRecorder,
    /// The directories as they were at the last check.
    seen: Vec<Option<DirectoryIdentity>>,
    /// Directories outside, with targets of links. They are watched too.
    linked: HashSet<PathBuf>,
    handler: F,
}

/// The watch was stopped.
struct Stopped;

impl<F: ReloadHandler> WatchThread<F> {
    fn run(mut self) {
        while self.next_change().and_then(|()| self.reload()).is_ok() {}
    }

    /// Waits until something has changed.
    fn next_change(&mut self) -> std::result::Result<(), Stopped> {
        loop {
            match self.recorder.receiver.recv_timeout(POLL_INTERVAL) {
                Ok(WatchEvent::Changed) => return Ok(()),
                Err(RecvTimeoutError::Timeout) if self.has_moved() => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(WatchEvent::Stop) | Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
            }
        }
    }

    /// Whether a directory was removed or replaced by another.
    fn has_moved(&self) -> bool {
        self.recorder.roots.iter().map(|root| identity(root)).ne(self.seen.iter().cloned())
    }

    /// Reloads until nothing changes any more, and reports the last reload.
    fn reload(&mut self) -> std::result::Result<(), Stopped> {
        loop {
            self.settle()?;
            // This happens before the reload: every later change is then either read by it or recorded.
            self.seen = self.recorder.roots.iter().map(|root| identity(root)).collect();
            let _ = self.recorder.watch();
            let reload = catch_unwind(AssertUnwindSafe(|| self.handler.reload()));
            let Ok(report) = reload else {
                self.handler.panicked(Error::new(
                    Kind::StorageRead,
                    "the reload panicked; this is a bug in prompt-manager",
                ));
                return Ok(());
            };
            let again = self.watch_linked();
            if again || (!F::is_clean(&report) && self.changes_within(RETRY_TIME)?) {
                continue;
            }
            self.handler.report(report);
            return Ok(());
        }
    }

    /// Waits until nothing has changed for a while.
    fn settle(&self) -> std::result::Result<(), Stopped> {
        let (begin, mut changes) = (Instant::now(), 0);
        while begin.elapsed() < LONGEST_DELAY {
            let quiet = if changes < MANY_CHANGES { QUIET_TIME } else { QUIET_TIME_AFTER_MANY };
            if !self.changes_within(quiet)? {
                return Ok(());
            }
            changes += 1;
        }
        Ok(())
    }

    fn changes_within(&self, time: Duration) -> std::result::Result<bool, Stopped> {
        match self.recorder.receiver.recv_timeout(time) {
            Ok(WatchEvent::Changed) => Ok(true),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Ok(WatchEvent::Stop) | Err(RecvTimeoutError::Disconnected) => Err(Stopped),
        }
    }

    /// Watches the directories that links lead to. Returns whether there are new ones; their files may have changed
    /// before the watch on them began.
    fn watch_linked(&mut self) -> bool {
        let linked: HashSet<PathBuf> = self.handler.linked_directories().into_iter().collect();
        for gone in self.linked.difference(&linked) {
            let _ = self.recorder.watcher.unwatch(gone);
        }
        let mut new = false;
        for directory in linked.difference(&self.linked) {
            new |= self.recorder.watcher.watch(directory, RecursiveMode::NonRecursive).is_ok();
        }
        self.linked = linked;
        new
    }
}

/// Distinguishes a directory from another one that had the same path earlier.
type DirectoryIdentity = (PathBuf, Option<u64>);

fn identity(directory: &Path) -> Option<DirectoryIdentity> {
    let path = fs::canonicalize(directory).ok()?;
    let inode = inode(&path);
    Some((path, inode))
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(path).ok().map(|about| about.ino())
}

#[cfg(not(unix))]
fn inode(path: &Path) -> Option<u64> {
    let made = fs::metadata(path).and_then(|about| about.created()).ok()?;
    made.duration_since(std::time::UNIX_EPOCH).ok().map(|age| age.as_secs())
}

/// Whether an event can change the prompts. Reading files makes events too, which do not count.
fn matters(event: &Event, roots: &[PathBuf]) -> bool {
    if event.need_rescan() {
        return true;
    }
    let any_name = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => return false,
        // A rename, or a directory that was created or removed: its name need not be that of a prompt file.
        EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Create(CreateKind::Folder)
        | EventKind::Remove(RemoveKind::Folder) => true,
        _ => false,
    };
    event.paths.iter().any(|path| !is_hidden(path, roots) && (any_name || may_hold_prompts(path)))
}

/// Whether loading skips the path, because a part of it below the root begins with a dot.
fn is_hidden(path: &Path, roots: &[PathBuf]) -> bool {
    let below = roots.iter().find_map(|root| path.strip_prefix(root).ok());
    let below = below.or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
    below.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
}

fn may_hold_prompts(path: &Path) -> bool {
    path.extension().is_none() || is_of_prompts(path) || path.is_dir()
}

fn unwatchable(directory: &Path, error: notify::Error) -> Error {
    let cannot = |why: &str| unreadable("directory", directory, &format!("it cannot be watched, {why}"));
    let refused = match &error.kind {
        // The same error as for reading the directory.
        notify::ErrorKind::PathNotFound => unreadable("directory", directory, "no such file or directory"),
        notify::ErrorKind::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            unreadable("directory", directory, &reason(error))
        }
        notify::ErrorKind::Io(error) => cannot(&reason(error)),
        notify::ErrorKind::MaxFilesWatch => cannot("the system allows no more watches")
            .with_hint("raise fs.inotify.max_user_watches with sysctl"),
        _ => cannot(&error.to_string()),
    };
    refused.with_cause(error)
}
