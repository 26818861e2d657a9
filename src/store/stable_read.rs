//! Reads complete files, even while somebody writes them.
//!
//! Our own storages replace files in one step, so that one look gives one state. Who edits a prompt file may write it
//! in place: first it is empty, then half of it is there. Such a file is looked at until it has been left alone for
//! longer than its times can tell, so that what is read is what somebody saved.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::below::Entry;
use super::errors::{reason, unreadable};
use super::regular_file::open;
use crate::error::Result;
use crate::limits::FILE_BYTES;

/// A file that was read.
pub(super) struct FileContent {
    pub(super) bytes: Vec<u8>,
    /// When it was last written.
    pub(super) saved: Option<Timestamp>,
}

/// For so long after a write the time of the next may be the same: systems count in ticks of up to a hundredth of a
/// second.
const TICK: Duration = Duration::from_millis(15);

/// The same for file systems that keep whole seconds, or every other.
const COARSE_TICK: Duration = Duration::from_millis(2_500);

/// How often a file that changes is looked at, a tick apart.
const LOOKS: usize = 70;

/// What tells whether a file is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStamp {
    size: u64,
    modified: Option<SystemTime>,
    /// Device, inode and the time of its last change, which no program can set.
    #[cfg(unix)]
    identity: (u64, u64, i64, i64),
}

impl FileStamp {
    pub(super) fn of(about: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;

        Self {
            size: about.len(),
            modified: about.modified().ok(),
            #[cfg(unix)]
            identity: (about.dev(), about.ino(), about.ctime(), about.ctime_nsec()),
        }
    }

    /// Whether nobody wrote in between. It may have another name, or none.
    fn has_content_of(&self, other: &Self) -> bool {
        (self.size, self.modified) == (other.size, other.modified)
    }

    /// Whether the last write is longer ago than this, or lies in the future of another machine's clock.
    fn is_older(&self, than: Duration) -> bool {
        let Some(modified) = self.modified else { return false };
        match SystemTime::now().duration_since(modified) {
            Ok(age) => age > than,
            Err(ahead) => ahead.duration() > than,
        }
    }

    /// Whether any later write shows in the times.
    fn is_sure(&self) -> bool {
        let whole_seconds = self
            .modified
            .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
            .is_none_or(|time| time.subsec_nanos() == 0);
        self.is_older(if whole_seconds { COARSE_TICK } else { TICK })
    }
}

/// What one look at a file gives.
struct ReadAttempt {
    file: FileContent,
    before: FileStamp,
    after: FileStamp,
    handle: fs::File,
}

fn look(path: &Path, open: impl FnOnce() -> io::Result<fs::File>) -> Result<ReadAttempt> {
    let failed = |error: io::Error| unreadable("file", path, &reason(&error)).with_cause(error);
    let too_large = |size: u64| {
        unreadable("file", path, &format!("it has {size} bytes, more than the limit of {FILE_BYTES}"))
    };
    let mut file = open().map_err(failed)?;
    let before = file.metadata().map_err(failed)?;
    if before.len() > FILE_BYTES {
        return Err(too_large(before.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or_default() + 1);
    file.by_ref().take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    let after = file.metadata().map_err(failed)?;
    let saved = after.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    Ok(ReadAttempt {
        file: FileContent { bytes, saved },
        before: FileStamp::of(&before),
        after: FileStamp::of(&after),
        handle: file,
    })
}

/// Reads a file below the root of a store that is not larger than allowed, as it is at the moment. No link is followed.
///
/// # Errors
/// [`crate::Kind::StorageRead`] with the path.
pub(super) fn read_below(root: &Path, path: &Path) -> Result<FileContent> {
    look(path, || Entry::open(root, path)?.open_file()).map(|look| look.file)
}

/// As [`read_below`], with the stamp of what was read where a later write cannot have the same.
///
/// # Errors
/// As [`read_below`].
pub(super) fn read_below_stamped(root: &Path, path: &Path) -> Result<(FileContent, Option<FileStamp>)> {
    let ReadAttempt { file, before, after, .. } = look(path, || Entry::open(root, path)?.open_file())?;
    let stamp = (before == after && after.is_sure()).then_some(after);
    Ok((file, stamp))
}

/// Reads a file that people edit: none of its states but one that was left alone for a moment. Gives its stamp where
/// a later write cannot have the same.
///
/// # Errors
/// [`crate::Kind::StorageRead`] with the path; for one that does not stop changing, too.
pub(super) fn read_settled(path: &Path) -> Result<(FileContent, Option<FileStamp>)> {
    let mut last: Option<Vec<u8>> = None;
    for _ in 0..LOOKS {
        let ReadAttempt { file, before, after, handle } = look(path, || open(path))?;
        // Some systems do not know the size of what they make up; reading it twice tells.
        let is_whole = file.bytes.len() as u64 == after.size || last.as_ref() == Some(&file.bytes);
        let is_quiet = before == after && is_whole;
        if is_quiet && after.is_older(TICK) {
            let sure = after.is_sure();
            return Ok((file, sure.then_some(after)));
        }
        thread::sleep(TICK);
        // It may have been replaced meanwhile: what was read is one state all the same where nobody wrote into it.
        let later = handle.metadata().map(|about| FileStamp::of(&about)).ok();
        if let Some(later) = later.filter(|later| is_quiet && later.has_content_of(&after)) {
            return Ok((file, later.is_sure().then_some(later)));
        }
        last = Some(file.bytes);
    }
    Err(unreadable("file", path, "it changes while it is read")
        .with_hint("write it under another name and rename it, which is one step"))
}
