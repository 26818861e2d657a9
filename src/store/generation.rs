//! The generation file of a store: it tells other processes that something changed, without a look at every file.
//!
//! Each writer overwrites `{root}/.generation` twice: before it changes a file, with the state `writing`, and afterwards
//! with `settled`. Every text has the same length and a token that no other has, so two texts are never the same,
//! whichever machine wrote them and in whatever order they arrive; no lock is needed. The number only grows, for people
//! who look.
//!
//! A reader compares the whole text with what it last saw. If the file is missing or damaged, or says `writing` because a
//! writer is at work or was killed, the reader cannot know, and looks at every file.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::below::Entry;
use super::stable_read::FileStamp;

/// The name of the file.
const GENERATION: &str = ".generation";

/// A file that is larger was not written by a store.
const MAX_BYTES: u64 = 256;

/// What a generation file tells. Equal values mean that no store changed anything in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generation {
    text: String,
    /// Tells a file that was restored from a backup, with the text that it had before.
    stamp: FileStamp,
}

impl Generation {
    /// What the file of a store tells now. `None` if it does not tell whether something changed.
    pub(super) fn read(root: &Path) -> Option<Self> {
        let file = Entry::open(root, &root.join(GENERATION)).and_then(|entry| entry.open_file()).ok()?;
        let about = file.metadata().ok()?;
        if about.len() > MAX_BYTES {
            return None;
        }
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
        let is_settled = parse(&text).is_some_and(|(_, state)| state == State::Settled);
        is_settled.then(|| Self { text, stamp: FileStamp::of(&about) })
    }

    /// A text that differs between any two generations.
    pub(super) fn as_str(&self) -> &str {
        self.text.trim_end()
    }

    /// Whether there is a file, whatever it tells.
    pub(super) fn exists(root: &Path) -> bool {
        fs::symlink_metadata(root.join(GENERATION)).is_ok()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Writing,
    Settled,
}

/// The number and the state of a file with this text.
fn parse(text: &str) -> Option<(u64, State)> {
    let mut words = text.strip_suffix('\n')?.split(' ');
    let number = words.next()?.parse().ok()?;
    words.next().filter(|token| !token.is_empty())?;
    let state = match words.next()? {
        "writing" => State::Writing,
        "settled" => State::Settled,
        _ => return None,
    };
    words.next().is_none().then_some((number, state))
}

/// A change of a store that is going on. When it is dropped, the readers of the store look for what changed.
#[derive(Debug)]
pub(super) struct GenerationChange {
    root: PathBuf,
}

impl GenerationChange {
    /// Announces a change of the store at this root.
    ///
    /// A file that cannot be replaced is no error: if the store can be changed at all, the end of the change tries
    /// again.
    pub(super) fn begin(root: &Path) -> Self {
        let _ = overwrite(root, State::Writing);
        Self { root: root.to_owned() }
    }
}

impl Drop for GenerationChange {
    fn drop(&mut self) {
        let path = self.root.join(GENERATION);
        if overwrite(&self.root, State::Settled).is_err() {
            // Without a file, readers look at everything. A file of another user can be replaced, if not overwritten.
            let _ = Entry::open(&self.root, &path).and_then(|entry| entry.remove_file());
            let _ = overwrite(&self.root, State::Settled);
        }
    }
}

/// Writes the next generation. Nothing is synced: only running processes read the file, and a damaged one does no harm.
fn overwrite(root: &Path, state: State) -> io::Result<()> {
    let path = root.join(GENERATION);
    let mut file = Entry::open(root, &path)?.open_lock(true)?;
    let mut text = Vec::new();
    (&file).take(MAX_BYTES).read_to_end(&mut text)?;
    let before = std::str::from_utf8(&text).ok().and_then(parse).map_or(0, |(number, _)| number);
    // A file that was lost continues with the time, which is greater than any number before.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros());
    let number = before.saturating_add(1).max(u64::try_from(now).unwrap_or_default());
    let state = match state {
        State::Writing => "writing",
        State::Settled => "settled",
    };
    let text = format!("{number:020} {} {state}\n", token());
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

/// A word that no other call gives: random for each machine and start, and counted within a process and its forks.
fn token() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let random = RandomState::new().build_hasher().finish();
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_nanos());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{random:016x}-{:08x}-{count:016x}-{nanos:08x}", process::id())
}

#[cfg(test)]
#[path = "../../tests/rust/generation.rs"]
mod tests;
