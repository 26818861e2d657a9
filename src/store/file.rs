//! Prompts kept in files, one for each version: `{root}/{id}/{version}.json` or `.yaml`.
//!
//! Writers take the lock of the prompt's directory, so that what may replace what is decided by one of them at a time,
//! in whatever process; readers take none, because files are replaced whole. Labels stand in `.labels.json` beside
//! the versions. The files are the truth: nothing is kept in memory between calls.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::admit::{admit, try_latest};
use super::content::{File, read};
use super::directory::identify;
use super::encoding::Encoding;
use super::failure::{reason, unreadable, unwritable};
use super::labels::{LabelMove, Labels, Request};
use super::lock::{Lock, PATIENCE};
use super::missing::{all_archived, no_prompt, no_such_version, no_version};
use super::place::{self, Files, LINK, LOCK};
use super::walk::{self, Stranger};
use super::{Kept, Wanted, atomic};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, PromptId, Version};

/// The file of a prompt's labels, in its directory.
pub(super) const LABELS: &str = ".labels.json";

/// A directory of prompts.
#[derive(Debug, Clone)]
pub struct FileStore {
    root: PathBuf,
    encoding: Encoding,
    create: bool,
    patience: Duration,
}

/// A prompt that was read, and what its author should know.
#[derive(Debug)]
pub struct Given {
    /// The prompt.
    pub prompt: Prompt,
    /// What its author should know.
    pub warnings: Vec<String>,
}

/// An attempt that found a file gone that was there a moment before is made anew, so many times.
const ATTEMPTS: usize = 16;

impl FileStore {
    /// The store in this directory, which is touched only when it is used. With `create` a directory that is missing
    /// is an empty store, made by the first save.
    #[must_use]
    pub fn new(root: PathBuf, encoding: Encoding, create: bool) -> Self {
        Self { root, encoding, create, patience: PATIENCE }
    }

    /// The same store, which waits so long for other writers.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Keeps a prompt in its version. A version that is there keeps its encoding.
    ///
    /// # Errors
    /// [`Kind::VersionConflict`] where the id and version exist, are no draft, and have other content;
    /// [`Kind::Prompt`] for a prompt without a template; [`Kind::StorageWrite`], [`Kind::StorageRead`] with the path.
    pub fn save(&self, prompt: &Prompt) -> Result<()> {
        prompt.check_storable()?;
        place::check_id(&prompt.id)?;
        // What has no written form is refused before anything is touched.
        self.encoding.write(prompt).map_err(|error| cannot_keep(&self.root, &error))?;
        let root = self.make_root()?;
        let directory = place::claim(&root, &prompt.id, self.patience)?;
        let lock = Lock::take(&directory.join(LOCK), self.patience)?;
        let saved = self.save_locked(&directory, prompt);
        if saved.is_err() && place::files(&directory).is_ok_and(|files| files.is_empty()) {
            leave(&root, &directory, lock);
        }
        saved
    }

    fn save_locked(&self, directory: &Path, prompt: &Prompt) -> Result<()> {
        let files = place::files(directory)?;
        let (known, path) = match files.get(&prompt.version) {
            Some(paths) => (read_one(paths, &prompt.id, &prompt.version)?, paths[0].clone()),
            None => (None, directory.join(format!("{}.{}", prompt.version, self.encoding.extension()))),
        };
        let known = known.map(|given| given.prompt);
        let Some(kept) = admit(known.as_ref(), prompt)? else { return Ok(()) };
        let encoding = path.extension().and_then(|it| it.to_str()).and_then(Encoding::of_extension);
        let text =
            encoding.unwrap_or(self.encoding).write(&kept).map_err(|error| cannot_keep(&path, &error))?;
        atomic::sweep(directory);
        atomic::write(&path, text.as_bytes())
    }

    /// The prompt in this version, or in its latest.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`]; [`Kind::StorageRead`] where the file that is wanted, or one
    /// that may be the latest, is damaged.
    pub fn load(&self, id: &str, version: Option<&str>) -> Result<Given> {
        for _ in 0..ATTEMPTS {
            let (id, directory, files) = self.versions(id)?;
            let found = match version {
                Some(version) => {
                    let version = pick(&files, id.as_str(), version)?;
                    read_one(&files[&version], &id, &version)?
                }
                None => match read_latest(&files, &id)? {
                    Latest::Found(given) => Some(*given),
                    Latest::Gone => None,
                    Latest::Archived => return Err(all_archived(id.as_str())),
                },
            };
            if let Some(mut given) = found {
                match read_labels(&directory) {
                    Ok(labels) => labels.apply(&mut given.prompt),
                    Err(error) => given.warnings.push(error.report()),
                }
                return Ok(given);
            }
        }
        Err(unreadable("directory", &self.root.join(id), "its files vanish while they are read"))
    }

    /// Removes one version of a prompt, with the labels that point at it, or all that there is of it.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`], [`Kind::StorageWrite`].
    pub fn delete(&self, id: &str, version: Option<&str>) -> Result<()> {
        let (lawful, directory, _) = self.versions(id)?;
        let root = self.make_root()?;
        let lock = Lock::take(&directory.join(LOCK), self.patience)?;
        let outcome = self.delete_locked(&lawful, &directory, version);
        if place::files(&directory).is_ok_and(|files| files.is_empty()) {
            let _ = atomic::remove(&directory.join(LABELS));
            leave(&root, &directory, lock);
        }
        outcome
    }

    fn delete_locked(&self, id: &PromptId, directory: &Path, version: Option<&str>) -> Result<()> {
        let files = place::files(directory)?;
        if files.is_empty() {
            return Err(self.unknown(id.as_str()));
        }
        let Some(version) = version else {
            return files.values().flatten().try_for_each(|path| atomic::remove(path));
        };
        let version = pick(&files, id.as_str(), version)?;
        let paths = &files[&version];
        let mut labels = read_labels(directory)?;
        // A damaged file is to be removed too; what labels it named is lost already.
        let written = read_one(paths, id, &version).ok().flatten().map(|it| it.prompt.labels);
        paths.iter().try_for_each(|path| atomic::remove(path))?;
        if !labels.forget(&version, &written.unwrap_or_default()).is_empty() && files.len() > 1 {
            write_labels(directory, &labels)?;
        }
        Ok(())
    }

    /// Every version of every prompt that is wanted, by id and version; and what is wrong, each with its file.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] where the directory itself cannot be read.
    pub fn list(&self, wanted: &Wanted) -> Result<Kept> {
        let mut kept = match self.find_root()? {
            Some(root) => walk::list(&root)?,
            None => Kept::default(),
        };
        kept.prompts.retain(|prompt| wanted.fits(prompt));
        Ok(kept)
    }

    /// Whether there is a file for the prompt, in this version if one is given. It may be damaged.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] where a directory cannot be read.
    pub fn exists(&self, id: &str, version: Option<&str>) -> Result<bool> {
        match self.versions(id) {
            Ok((_, _, files)) => Ok(version
                .is_none_or(|version| version.parse().is_ok_and(|it: Version| files.contains_key(&it)))),
            Err(error) if error.kind() == Kind::PromptNotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Points a label at a version, or with none takes it off.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`], [`Kind::StorageWrite`]; see [`Labels::set`].
    pub fn set_label(
        &self,
        id: &str,
        label: &str,
        version: Option<&str>,
        author: Option<&str>,
    ) -> Result<LabelMove> {
        let (_, directory, _) = self.versions(id)?;
        let lock = Lock::take(&directory.join(LOCK), self.patience)?;
        let (lawful, _, files) = match self.versions(id) {
            Ok(found) => found,
            Err(error) => {
                // The prompt was deleted meanwhile; what taking the lock made goes too.
                leave(&self.make_root()?, &directory, lock);
                return Err(error);
            }
        };
        let version = version.map(|version| pick(&files, id, version)).transpose()?;
        let mut labels = read_labels(&directory)?;
        let written = if labels.knows(label) { None } else { written(&files, &lawful, label)? };
        let request = Request { label, version: version.as_ref(), author };
        let (moved, changed) = labels.set(id, request, written.as_ref())?;
        if changed {
            atomic::sweep(&directory);
            write_labels(&directory, &labels)?;
        }
        Ok(moved)
    }

    /// The moves of one label of a prompt, or of all; the oldest first.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::StorageRead`].
    pub fn label_history(&self, id: &str, label: Option<&str>) -> Result<Vec<LabelMove>> {
        let (_, directory, _) = self.versions(id)?;
        Ok(read_labels(&directory)?.history(label))
    }

    /// Keeps the prompt of a file that is no file of this store as it stands, under this id and version. With `take`
    /// the file is then removed.
    ///
    /// # Errors
    /// Those of [`FileStore::save`]; [`Kind::PromptInvalid`] where id, version or the prompt break a rule.
    pub fn adopt(&self, path: &Path, id: &str, version: &str, take: bool) -> Result<()> {
        let prompt = walk::renamed(path, id, version)?;
        let root = self.make_root()?;
        let target = root.join(id).join(format!("{version}.json"));
        if take && fs::canonicalize(path).is_ok_and(|path| path == target) {
            // The path is right already, only what the file says is not.
            let directory = place::claim(&root, &prompt.id, self.patience)?;
            let _lock = Lock::take(&directory.join(LOCK), self.patience)?;
            let text = Encoding::Json.write(&prompt).map_err(|error| cannot_keep(&target, &error))?;
            return atomic::write(&target, text.as_bytes());
        }
        self.save(&prompt)?;
        if take {
            atomic::remove(path)?;
            if let Some(directory) = path.parent() {
                place::prune(&root, directory);
            }
        }
        Ok(())
    }

    /// The JSON files below a directory that hold a prompt which is not where a store of ours would keep it: of this
    /// store, or all those of another. What cannot be read is in the second list.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] where the directory itself cannot be read.
    pub fn strangers(&self, source: Option<&Path>) -> Result<(Vec<Stranger>, Vec<Error>)> {
        walk::strangers(source.unwrap_or(&self.root), source.is_some())
    }

    /// The id, directory and files of a prompt that has any.
    fn versions(&self, id: &str) -> Result<(PromptId, PathBuf, Files)> {
        let root = self.find_root()?;
        let lawful: PromptId =
            id.parse().map_err(|error: Error| no_prompt(id, []).with_hint(error.message().to_owned()))?;
        let directory = match &root {
            Some(root) => place::find(root, &lawful)?,
            None => None,
        };
        let Some(directory) = directory else { return Err(self.unknown(id)) };
        let files = place::files(&directory)?;
        if files.is_empty() { Err(self.unknown(id)) } else { Ok((lawful, directory, files)) }
    }

    fn unknown(&self, id: &str) -> Error {
        let known = place::neighbours(&self.root, id);
        no_prompt(id, known.iter().map(String::as_str))
    }

    /// The root without links in it, if it is there or need not be.
    fn find_root(&self) -> Result<Option<PathBuf>> {
        match place::real_root(&self.root)? {
            None if !self.create => Err(unreadable("directory", &self.root, "there is none")),
            found => Ok(found),
        }
    }

    /// The root without links in it, which is made where it is missing and may be.
    fn make_root(&self) -> Result<PathBuf> {
        if let Some(root) = place::real_root(&self.root)? {
            return Ok(root);
        }
        if !self.create {
            return Err(unwritable("directory", &self.root, "there is none"));
        }
        atomic::make_directory(&self.root)?;
        fs::canonicalize(&self.root)
            .map_err(|error| unwritable("directory", &self.root, &reason(&error)).with_cause(error))
    }
}

enum Latest {
    Found(Box<Given>),
    Archived,
    /// A file vanished while it was read.
    Gone,
}

/// The version that stands for the prompt. Lower ones are not read without need.
fn read_latest(files: &Files, id: &PromptId) -> Result<Latest> {
    let read = files.iter().map(|(version, paths)| match read_one(paths, id, version) {
        Ok(Some(given)) => Ok(given),
        Ok(None) => Err(None),
        Err(error) => Err(Some(error)),
    });
    match try_latest(read, |given| given.prompt.status) {
        Ok(Some(given)) => Ok(Latest::Found(Box::new(given))),
        Ok(None) => Ok(Latest::Archived),
        Err(None) => Ok(Latest::Gone),
        Err(Some(error)) => Err(error),
    }
}

/// The prompt in a version's only file; `None` where the file is gone.
fn read_one(paths: &[PathBuf], id: &PromptId, version: &Version) -> Result<Option<Given>> {
    if let [first, second, ..] = paths {
        return Err(twice(id.as_str(), version, first, second));
    }
    read_version(&paths[0], id, version)
}

/// The version of this text, which the files have.
fn pick(files: &Files, id: &str, text: &str) -> Result<Version> {
    let version: Version = text.parse().map_err(|error| no_such_version(id, text, error))?;
    if files.contains_key(&version) {
        return Ok(version);
    }
    Err(no_version(id, text, files.keys()))
}

/// The highest version whose file names the label.
fn written(files: &Files, id: &PromptId, label: &str) -> Result<Option<Version>> {
    for (version, paths) in files.iter().rev() {
        let given = read_one(paths, id, version)?;
        if given.is_some_and(|given| given.prompt.labels.iter().any(|known| known == label)) {
            return Ok(Some(version.clone()));
        }
    }
    Ok(None)
}

/// Lets a prompt's directory go that holds no version any more.
fn leave(root: &Path, directory: &Path, lock: Lock) {
    atomic::sweep(directory);
    if lock.remove().is_ok() {
        place::prune(root, directory);
    }
}

/// The prompt in the file of a version; `None` where there is no file.
///
/// # Errors
/// [`Kind::StorageRead`] with the path where it cannot be read, or holds something else than it should.
pub(super) fn read_version(path: &Path, id: &PromptId, version: &Version) -> Result<Option<Given>> {
    let Some((prompt, saved, warnings)) = read_prompt(path)? else { return Ok(None) };
    if prompt.id != *id || prompt.version != *version {
        let found = format!("it holds prompt '{}' in version {}", prompt.id, prompt.version);
        return Err(unreadable("file", path, &found)
            .with_hint(format!("its place is that of prompt '{id}' in version {version}")));
    }
    let mut prompt = prompt;
    identify(&mut prompt, saved);
    Ok(Some(Given { prompt, warnings }))
}

type ReadPrompt = (Prompt, Option<jiff::Timestamp>, Vec<String>);

/// Whatever prompt a file holds.
fn read_prompt(path: &Path) -> Result<Option<ReadPrompt>> {
    let Some(file) = read_plain(path)? else { return Ok(None) };
    let encoding = path.extension().and_then(|extension| extension.to_str()).and_then(Encoding::of_extension);
    let (prompt, warnings) = encoding
        .unwrap_or(Encoding::Json)
        .read(&path.display().to_string(), &file.bytes)
        .map_err(|error| damaged(path, error))?;
    Ok(Some((prompt, file.saved, warnings)))
}

/// A file that is neither link nor directory; `None` where there is none.
pub(super) fn read_plain(path: &Path) -> Result<Option<File>> {
    let why = match fs::symlink_metadata(path) {
        Ok(about) if about.is_file() => None,
        Ok(about) if about.is_symlink() => Some(LINK.to_owned()),
        Ok(about) if about.is_dir() => Some("it is a directory".to_owned()),
        Ok(_) => Some("it is no file".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => Some(reason(&error)),
    };
    if let Some(why) = why {
        return Err(unreadable("file", path, &why));
    }
    match read(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an error says that a file is not there.
fn is_gone(error: &Error) -> bool {
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::NotFound)
}

/// A file that cannot be made sense of, for this reason.
pub(super) fn damaged(path: &Path, error: Error) -> Error {
    let name = path.display().to_string();
    Error::new(Kind::StorageRead, format!("the file {name} cannot be used"))
        .with_context("path", name)
        .with_errors(vec![error])
}

fn cannot_keep(path: &Path, error: &Error) -> Error {
    unwritable("file", path, error.message())
}

/// One version in two files.
pub(super) fn twice(id: &str, version: &Version, first: &Path, second: &Path) -> Error {
    Error::new(
        Kind::StorageRead,
        format!(
            "prompt '{id}' has version {version} twice, in {} and in {}",
            first.display(),
            second.display()
        ),
    )
    .with_context("path", second.display().to_string())
    .with_context("prompt_id", id)
    .with_hint("remove one of the files")
}

/// The labels of a prompt's directory.
///
/// # Errors
/// [`Kind::StorageRead`] with the path.
pub(super) fn read_labels(directory: &Path) -> Result<Labels> {
    let path = directory.join(LABELS);
    let Some(file) = read_plain(&path)? else { return Ok(Labels::default()) };
    serde_json::from_slice(&file.bytes).map_err(|error| {
        let why = format!("it holds no moves of labels: {}", crate::de::plain(&error));
        unreadable("file", &path, &why).with_cause(error)
    })
}

fn write_labels(directory: &Path, labels: &Labels) -> Result<()> {
    let path = directory.join(LABELS);
    let failed = |error: serde_json::Error| unwritable("file", &path, &error.to_string());
    let mut text = serde_json::to_string_pretty(labels).map_err(failed)?;
    text.push('\n');
    atomic::write(&path, text.as_bytes())
}
