//! Opens regular files and nothing else: reading a pipe or a device could wait, or never end.

use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::path::Path;

/// The error for what is no regular file. `what` is what it is, with its article.
pub(super) fn not_regular(what: &str) -> io::Error {
    io::Error::other(format!("it is {what}, not a file"))
}

/// Refuses an open file that is no regular file.
pub(super) fn check_regular(file: &File) -> io::Result<()> {
    let kind = file.metadata()?.file_type();
    if kind.is_file() { Ok(()) } else { Err(not_regular(kind_name(kind))) }
}

/// What an entry is that is no regular file, with its article.
pub(super) fn kind_name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;

        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a directory" } else { "something else" }
}

/// Opens a regular file to read it. A link is followed, and the writer of a pipe is not waited for.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path).map_err(|error| {
        // A socket cannot be opened at all.
        let kind = fs::metadata(path).ok().map(|about| about.file_type());
        kind.filter(|kind| !kind.is_file() && !kind.is_dir())
            .map_or(error, |kind| not_regular(kind_name(kind)))
    })?;
    check_regular(&file)?;
    Ok(file)
}
