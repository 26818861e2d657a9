//! Follows directories in which people edit files.
//!
//! A thread waits for the system to tell of changes, lets them settle, and has everything read anew. What an editor
//! does to save a file is many events, and a checkout thousands; both end in one reload. A reload that finds something
//! wrong is told of only once nothing changes any more, for a file may be read while it is written. What a reload is,
//! and whom it tells, is the business of a [`Follow`].
//!
//! The thread ends with its [`Watch`]. A process that was forked has no such thread: what it read stays as it is.

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
use crate::error::{Error, Kind, Result};

/// How long nothing may change before a reload.
const QUIET: Duration = Duration::from_millis(50);

/// The same where more changes than an editor makes have come: a checkout or a generator, which pauses at times.
const QUIET_OF_MANY: Duration = Duration::from_millis(200);

/// How many changes are more than an editor makes.
const MANY: usize = 60;

/// How long a reload is put off at most, where something changes without end.
const LONGEST: Duration = Duration::from_secs(5);

/// How long after a reload that found something wrong a further change may come that mends it.
const GRACE: Duration = Duration::from_millis(100);

/// How often the directories themselves are looked at, for no event tells that one is there again, or that a link on
/// the way to it leads elsewhere.
const LOOK: Duration = Duration::from_millis(500);

/// What is done when files have changed. It runs on the thread of the watch.
pub trait Follow: Send + 'static {
    /// What there is to tell of a reload.
    type Account: Send;

    /// Reads everything anew and puts it in the place of what was there before.
    fn reload(&mut self) -> Self::Account;

    /// Whether the reload found nothing wrong.
    fn is_clean(account: &Self::Account) -> bool;

    /// Takes the account of the reloads since the last; what came of those before was not final.
    fn tell(&mut self, account: Self::Account);

    /// Takes the account of a fault of ours: the reload broke off.
    fn broke_off(&mut self, error: Error);

    /// Directories outside those that are watched to which links in them led.
    fn linked(&self) -> Vec<PathBuf>;
}

/// A message to the thread of the watch.
enum ThreadSignal {
    Changed,
    Stop,
}

/// Directories whose changes are noted, so that none is missed between reading them and following them.
pub struct Noted {
    roots: Vec<PathBuf>,
    watcher: RecommendedWatcher,
    sender: Sender<ThreadSignal>,
    receiver: Receiver<ThreadSignal>,
}

impl Noted {
    /// Begins to note what changes below these directories.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] where the system cannot watch one of them.
    pub fn begin(roots: Vec<PathBuf>) -> Result<Self> {
        let (sender, receiver) = channel();
        let (changed, below) = (sender.clone(), roots.clone());
        let handler = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| !matters(&event, &below)) {
                return;
            }
            // Nobody listens any more where the watch has ended.
            let _ = changed.send(ThreadSignal::Changed);
        };
        let first = roots.first().cloned().unwrap_or_default();
        let watcher = notify::recommended_watcher(handler).map_err(|error| unwatchable(&first, error))?;
        let mut noted = Self { roots, watcher, sender, receiver };
        noted.watch()?;
        Ok(noted)
    }

    /// Follows the directories on a thread of its own, until the watch is dropped or stopped.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] where the system has no thread to give.
    pub fn follow<F: Follow>(self, follow: F) -> Result<Watch> {
        let sender = self.sender.clone();
        let first = self.roots.first().cloned().unwrap_or_default();
        let mut watching = Watching {
            seen: self.roots.iter().map(|root| identity(root)).collect(),
            noted: self,
            linked: HashSet::new(),
            follow,
        };
        watching.watch_linked();
        let thread = thread::Builder::new()
            .name("prompt-manager-watch".to_owned())
            .spawn(move || watching.run())
            .map_err(|error| unreadable("directory", &first, "it cannot be watched").with_cause(error))?;
        Ok(Watch { sender, thread: Some(thread), process: std::process::id() })
    }

    /// Watches the directories as they are now: one that was removed and made again is another to the system.
    fn watch(&mut self) -> Result<()> {
        for root in &self.roots {
            // It is an error where it was not watched, as at first.
            let _ = self.watcher.unwatch(root);
        }
        for root in &self.roots {
            self.watcher.watch(root, RecursiveMode::Recursive).map_err(|error| unwatchable(root, error))?;
        }
        Ok(())
    }
}

/// A directory that is followed. Dropping it ends that without waiting.
pub struct Watch {
    sender: Sender<ThreadSignal>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl Watch {
    /// Whether changes are followed: until it is stopped, and in the process that started it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process == std::process::id() && self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Ends the following and waits for a reload that is under way.
    pub fn stop(&mut self) {
        // A forked child has the handle and not the thread.
        let own = self.process == std::process::id();
        let Some(thread) = self.thread.take().filter(|_| own) else { return };
        let _ = self.sender.send(ThreadSignal::Stop);
        // Whoever is told of a reload, on that very thread, may stop it too.
        if thread.thread().id() != thread::current().id() {
            // A panic in it has been told of.
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            let _ = self.sender.send(ThreadSignal::Stop);
        }
    }
}

/// The thread's own.
struct Watching<F> {
    noted: Noted,
    /// What the directories were when they were last looked at.
    seen: Vec<Option<Identity>>,
    /// Directories outside that are watched too.
    linked: HashSet<PathBuf>,
    follow: F,
}

/// The watch was stopped.
struct Stopped;

impl<F: Follow> Watching<F> {
    fn run(mut self) {
        while self.next_change().and_then(|()| self.reload()).is_ok() {}
    }

    /// Waits until something has changed.
    fn next_change(&mut self) -> std::result::Result<(), Stopped> {
        loop {
            match self.noted.receiver.recv_timeout(LOOK) {
                Ok(ThreadSignal::Changed) => return Ok(()),
                Err(RecvTimeoutError::Timeout) if self.moved() => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(ThreadSignal::Stop) | Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
            }
        }
    }

    /// Whether a directory is another than before, or none.
    fn moved(&self) -> bool {
        self.noted.roots.iter().map(|root| identity(root)).ne(self.seen.iter().cloned())
    }

    /// Reloads until nothing changes any more, and tells of the last time.
    fn reload(&mut self) -> std::result::Result<(), Stopped> {
        loop {
            self.settle()?;
            // In this order: what changes from here on is either read or noted.
            self.seen = self.noted.roots.iter().map(|root| identity(root)).collect();
            let _ = self.noted.watch();
            let reload = catch_unwind(AssertUnwindSafe(|| self.follow.reload()));
            let Ok(account) = reload else {
                self.follow.broke_off(Error::new(
                    Kind::StorageRead,
                    "the reload broke off; this is a fault of prompt-manager",
                ));
                return Ok(());
            };
            let again = self.watch_linked();
            if again || (!F::is_clean(&account) && self.changes_within(GRACE)?) {
                continue;
            }
            self.follow.tell(account);
            return Ok(());
        }
    }

    /// Waits until nothing has changed for a while.
    fn settle(&self) -> std::result::Result<(), Stopped> {
        let (begin, mut changes) = (Instant::now(), 0);
        while begin.elapsed() < LONGEST {
            let quiet = if changes < MANY { QUIET } else { QUIET_OF_MANY };
            if !self.changes_within(quiet)? {
                return Ok(());
            }
            changes += 1;
        }
        Ok(())
    }

    fn changes_within(&self, time: Duration) -> std::result::Result<bool, Stopped> {
        match self.noted.receiver.recv_timeout(time) {
            Ok(ThreadSignal::Changed) => Ok(true),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Ok(ThreadSignal::Stop) | Err(RecvTimeoutError::Disconnected) => Err(Stopped),
        }
    }

    /// Watches where links lead; whether there are new ones, which may have changed before they were watched.
    fn watch_linked(&mut self) -> bool {
        let linked: HashSet<PathBuf> = self.follow.linked().into_iter().collect();
        for gone in self.linked.difference(&linked) {
            let _ = self.noted.watcher.unwatch(gone);
        }
        let mut new = false;
        for directory in linked.difference(&self.linked) {
            new |= self.noted.watcher.watch(directory, RecursiveMode::NonRecursive).is_ok();
        }
        self.linked = linked;
        new
    }
}

/// What tells a directory from another of the same path.
type Identity = (PathBuf, Option<u64>);

fn identity(directory: &Path) -> Option<Identity> {
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

/// Whether an event can change what the directories hold. Reading them makes events too.
fn matters(event: &Event, roots: &[PathBuf]) -> bool {
    if event.need_rescan() {
        return true;
    }
    let any_name = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
        EventKind::Access(_) => return false,
        // Something was renamed, or it is a directory that comes or goes.
        EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Create(CreateKind::Folder)
        | EventKind::Remove(RemoveKind::Folder) => true,
        _ => false,
    };
    event.paths.iter().any(|path| !is_hidden(path, roots) && (any_name || may_hold_prompts(path)))
}

/// Whether loading passes over it: something on the way to it begins with a dot.
fn is_hidden(path: &Path, roots: &[PathBuf]) -> bool {
    let below = roots.iter().find_map(|root| path.strip_prefix(root).ok());
    let below = below.or_else(|| path.file_name().map(Path::new)).unwrap_or(path);
    below.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
}

fn may_hold_prompts(path: &Path) -> bool {
    path.extension().is_none_or(|extension| extension == "yaml" || extension == "yml") || path.is_dir()
}

fn unwatchable(directory: &Path, error: notify::Error) -> Error {
    let cannot = |why: &str| unreadable("directory", directory, &format!("it cannot be watched, {why}"));
    let refused = match &error.kind {
        // The error that reading it would be.
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
