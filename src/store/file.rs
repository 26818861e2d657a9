//! Stores prompts in files, one for each version: `{root}/{id}/{version}.json` or `.yaml`.
//!
//! A writer holds the lock of the prompt's directory while it checks the rules of versions and writes. So only one
//! writer does this at a time, across all processes. Readers need no lock, because a file is replaced in one step.
//! Labels are in `.labels.json` next to the versions. Nothing is cached between calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::encoding::Encoding;
use super::errors::{all_archived, no_prompt, no_such_version, no_version, reason, unreadable, unwritable};
use super::generation::GenerationChange;
use super::labels::{LabelMove, LabelRequest, tell_of_move};
use super::layout::{self, LOCK, VersionFiles};
use super::lock::{DEFAULT_LOCK_TIMEOUT, Lock};
use super::version_file::{LABELS, StoredPrompt, read_labels, read_version, twice, write_labels};
use super::version_rules::{merge, try_latest};
use super::walk::{self, UnmanagedFile};
use super::{ListFilter, StoredPrompts, atomic};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, PromptId, Version};

/// A directory of prompts.
#[derive(Debug, Clone)]
pub struct FileStore {
    root: PathBuf,
    encoding: Encoding,
    create: bool,
    lock_timeout: Duration,
}

/// The maximum number of attempts to read, if files disappear meanwhile.
const ATTEMPTS: usize = 16;

impl FileStore {
    /// A store in this directory. The directory is not accessed before the first call. With `create`, a directory that
    /// does not exist is an empty store, and the first save creates it.
    #[must_use]
    pub fn new(root: PathBuf, encoding: Encoding, create: bool) -> Self {
        Self { root, encoding, create, lock_timeout: DEFAULT_LOCK_TIMEOUT }
    }

    /// Sets how long the store waits for other writers.
    #[must_use]
    pub fn with_lock_timeout(mut self, lock_timeout: Duration) -> Self {
        self.lock_timeout = lock_timeout;
        self
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Saves a prompt under its id and version. A version that exists keeps its encoding.
    ///
    /// # Errors
    /// [`Kind::VersionConflict`] if the version exists and is not a draft, and the new one has other content or is a
    /// draft;
    /// [`Kind::Prompt`] for a prompt without a template; [`Kind::StorageWrite`], [`Kind::StorageRead`] with the path.
    pub fn save(&self, prompt: &Prompt) -> Result<()> {
        prompt.check_storable()?;
        layout::check_id(&prompt.id)?;
        // Refuse a prompt that cannot be written before anything is changed.
        self.encoding.write(prompt).map_err(|error| cannot_keep(&self.root, &error))?;
        let root = self.make_root()?;
        let directory = layout::claim(&root, &prompt.id, self.lock_timeout)?;
        let lock = Lock::take_below(&root, &directory.join(LOCK), self.lock_timeout)?;
        let saved = self.save_locked(&root, &directory, prompt);
        if saved.is_err() && layout::files(&root, &directory).is_ok_and(|files| files.is_empty()) {
            leave(&root, &directory, lock);
        }
        if saved.is_ok() {
            tracing::info!(prompt = %prompt.id, version = %prompt.version, "saved a prompt");
        }
        saved
    }

    fn save_locked(&self, root: &Path, directory: &Path, prompt: &Prompt) -> Result<()> {
        let files = layout::files(root, directory)?;
        let (known, path) = match files.get(&prompt.version) {
            Some(paths) => (read_one(root, paths, &prompt.id, &prompt.version)?, paths[0].clone()),
            None => (None, directory.join(format!("{}.{}", prompt.version, self.encoding.extension()))),
        };
        let known = known.map(|given| given.prompt);
        let Some(kept) = merge(known.as_ref(), prompt)? else { return Ok(()) };
        let encoding = Encoding::of_path(&path).unwrap_or(self.encoding);
        let text = encoding.write(&kept).map_err(|error| cannot_keep(&path, &error))?;
        atomic::sweep_below(root, directory);
        let _change = GenerationChange::begin(root);
        atomic::write_below(root, &path, text.as_bytes())
    }

    /// This version of the prompt, by default the latest.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`]; [`Kind::StorageRead`] if the file of this version, or a
    /// file that may be the latest version, is damaged.
    pub fn load(&self, id: &str, version: Option<&str>) -> Result<StoredPrompt> {
        for _ in 0..ATTEMPTS {
            let (root, id, directory, files) = self.versions(id)?;
            let found = match version {
                Some(version) => {
                    let version = pick(&files, id.as_str(), version)?;
                    read_one(&root, &files[&version], &id, &version)?
                }
                None => match read_latest(&root, &files, &id)? {
                    LatestLookup::Found(given) => Some(*given),
                    LatestLookup::Gone => None,
                    LatestLookup::Archived => return Err(all_archived(id.as_str())),
                },
            };
            if let Some(mut given) = found {
                match read_labels(&root, &directory) {
                    Ok(labels) => labels.apply(&mut given.prompt),
                    Err(error) => given.warnings.push(error.report()),
                }
                return Ok(given);
            }
        }
        Err(unreadable("directory", &self.root.join(id), "its files disappear while they are read"))
    }

    /// Removes one version of a prompt and the labels that point at it, or the whole prompt.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`], [`Kind::StorageWrite`].
    pub fn delete(&self, id: &str, version: Option<&str>) -> Result<()> {
        let (_, prompt_id, directory, _) = self.versions(id)?;
        let root = self.make_root()?;
        let lock = Lock::take_below(&root, &directory.join(LOCK), self.lock_timeout)?;
        let _change = GenerationChange::begin(&root);
        let outcome = self.delete_locked(&root, &prompt_id, &directory, version);
        if layout::files(&root, &directory).is_ok_and(|files| files.is_empty()) {
            let _ = atomic::remove_below(&root, &directory.join(LABELS));
            leave(&root, &directory, lock);
        }
        if outcome.is_ok() {
            tracing::info!(prompt = id, version, "deleted a prompt");
        }
        outcome
    }

    fn delete_locked(
        &self,
        root: &Path,
        id: &PromptId,
        directory: &Path,
        version: Option<&str>,
    ) -> Result<()> {
        let files = layout::files(root, directory)?;
        if files.is_empty() {
            return Err(self.unknown(id.as_str()));
        }
        let Some(version) = version else {
            return files.values().flatten().try_for_each(|path| atomic::remove_below(root, path));
        };
        let version = pick(&files, id.as_str(), version)?;
        let paths = &files[&version];
        let mut labels = read_labels(root, directory)?;
        // A damaged file is removed too. The labels that it named are already lost.
        let written = read_one(root, paths, id, &version).ok().flatten().map(|it| it.prompt.labels);
        paths.iter().try_for_each(|path| atomic::remove_below(root, path))?;
        if !labels.forget(&version, &written.unwrap_or_default()).is_empty() && files.len() > 1 {
            write_labels(root, directory, &labels)?;
        }
        Ok(())
    }

    /// All versions that match the filter, sorted by id and version, and the errors of files that cannot be used.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] if the directory itself cannot be read.
    pub fn list(&self, filter: &ListFilter) -> Result<StoredPrompts> {
        let mut kept = match self.find_root()? {
            Some(root) => walk::list(&root)?,
            None => StoredPrompts::default(),
        };
        kept.prompts.retain(|prompt| filter.matches(prompt));
        Ok(kept)
    }

    /// Whether the prompt has a file; with `version`, whether that version has one. The file may be damaged.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] if a directory cannot be read.
    pub fn exists(&self, id: &str, version: Option<&str>) -> Result<bool> {
        match self.versions(id) {
            Ok((.., files)) => Ok(version
                .is_none_or(|version| version.parse().is_ok_and(|it: Version| files.contains_key(&it)))),
            Err(error) if error.kind() == Kind::PromptNotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Points a label at a version. Without a version, removes the label.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`], [`Kind::StorageWrite`]; see
    /// [`Labels::set`](super::Labels::set).
    pub fn set_label(
        &self,
        id: &str,
        label: &str,
        version: Option<&str>,
        author: Option<&str>,
    ) -> Result<LabelMove> {
        let (_, _, directory, _) = self.versions(id)?;
        let root = self.make_root()?;
        let lock = Lock::take_below(&root, &directory.join(LOCK), self.lock_timeout)?;
        let (_, prompt_id, _, files) = match self.versions(id) {
            Ok(found) => found,
            Err(error) => {
                // The prompt was deleted meanwhile. Remove the directory and file that taking the lock has created.
                leave(&root, &directory, lock);
                return Err(error);
            }
        };
        let version = version.map(|version| pick(&files, id, version)).transpose()?;
        let mut labels = read_labels(&root, &directory)?;
        if let Some(version) = &version
            && let Some(paths) = files.get(version)
        {
            read_one(&root, paths, &prompt_id, version)?
                .ok_or_else(|| no_version(id, &version.to_string(), files.keys()))?;
        }
        let written = if labels.knows(label) { None } else { written(&root, &files, &prompt_id, label) };
        let request = LabelRequest { label, version: version.as_ref(), author };
        let (moved, changed) = labels.set(id, request, written.as_ref())?;
        if changed {
            atomic::sweep_below(&root, &directory);
            let _change = GenerationChange::begin(&root);
            write_labels(&root, &directory, &labels)?;
            tell_of_move(id, &moved);
        }
        Ok(moved)
    }

    /// The moves of one label of a prompt, or of all labels, oldest first.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::StorageRead`].
    pub fn label_history(&self, id: &str, label: Option<&str>) -> Result<Vec<LabelMove>> {
        let (root, _, directory, _) = self.versions(id)?;
        Ok(read_labels(&root, &directory)?.history(label))
    }

    /// Saves the prompt of an unmanaged file under this id and version. With `take`, then removes the file.
    ///
    /// # Errors
    /// As [`FileStore::save`]; [`Kind::PromptInvalid`] if the id, the version or the prompt breaks a rule.
    pub fn adopt(&self, path: &Path, id: &str, version: &str, take: bool) -> Result<()> {
        let root = self.make_root()?;
        let is_inside = path.starts_with(&root);
        let above = if is_inside { &root } else { atomic::directory_of(path) };
        let prompt = walk::renamed(above, path, id, version)?;
        let target = root.join(id).join(format!("{version}.json"));
        if take && fs::canonicalize(path).is_ok_and(|path| path == target) {
            // The path is already right. Only the id or version in the file is wrong.
            let directory = layout::claim(&root, &prompt.id, self.lock_timeout)?;
            let _lock = Lock::take_below(&root, &directory.join(LOCK), self.lock_timeout)?;
            let text = Encoding::Json.write(&prompt).map_err(|error| cannot_keep(&target, &error))?;
            let _change = GenerationChange::begin(&root);
            return atomic::write_below(&root, &target, text.as_bytes());
        }
        self.save(&prompt)?;
        if take {
            let _change = GenerationChange::begin(&root);
            atomic::remove_below(above, path)?;
            if let Some(directory) = path.parent() {
                layout::prune(&root, directory);
            }
        }
        Ok(())
    }

    /// The JSON files of the store that are not at the path where it would save their prompt; with a `source`, all JSON
    /// files below that directory. The second list has the errors of files that cannot be read.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] if the directory itself cannot be read.
    pub fn unmanaged_files(&self, source: Option<&Path>) -> Result<(Vec<UnmanagedFile>, Vec<Error>)> {
        walk::unmanaged_files(source.unwrap_or(&self.root), source.is_some())
    }

    /// The root, and the id, directory and files of a prompt. It has at least one file.
    fn versions(&self, id: &str) -> Result<(PathBuf, PromptId, PathBuf, VersionFiles)> {
        let root = self.find_root()?;
        let prompt_id: PromptId =
            id.parse().map_err(|error: Error| no_prompt(id, []).with_hint(error.message().to_owned()))?;
        let Some(root) = root else { return Err(self.unknown(id)) };
        let Some(directory) = layout::find(&root, &prompt_id)? else { return Err(self.unknown(id)) };
        let files = layout::files(&root, &directory)?;
        if files.is_empty() { Err(self.unknown(id)) } else { Ok((root, prompt_id, directory, files)) }
    }

    fn unknown(&self, id: &str) -> Error {
        let known = layout::neighbours(&self.root, id);
        let error = no_prompt(id, known.iter().map(String::as_str));
        let is_empty = fs::read_dir(&self.root).map_or(true, |mut entries| entries.next().is_none());
        if is_empty { error.with_hint(missing_or_empty(&self.root)) } else { error }
    }

    /// The root, with links resolved. `None` if it does not exist and may be created later.
    pub(super) fn find_root(&self) -> Result<Option<PathBuf>> {
        match layout::real_root(&self.root)? {
            None if !self.create => Err(unreadable("directory", &self.root, "it does not exist")),
            found => Ok(found),
        }
    }

    /// The root, with links resolved. Creates it if it does not exist and `create` is set.
    fn make_root(&self) -> Result<PathBuf> {
        if let Some(root) = layout::real_root(&self.root)? {
            return Ok(root);
        }
        if !self.create {
            return Err(unwritable("directory", &self.root, "it does not exist"));
        }
        atomic::make_directory(&self.root)?;
        fs::canonicalize(&self.root)
            .map_err(|error| unwritable("directory", &self.root, &reason(&error)).with_cause(error))
    }
}

enum LatestLookup {
    Found(Box<StoredPrompt>),
    Archived,
    /// A file disappeared while it was read.
    Gone,
}

/// Finds the latest version of the prompt. Lower versions are read only if they are needed.
fn read_latest(root: &Path, files: &VersionFiles, id: &PromptId) -> Result<LatestLookup> {
    let read = files.iter().map(|(version, paths)| match read_one(root, paths, id, version) {
        Ok(Some(given)) => Ok(given),
        Ok(None) => Err(None),
        Err(error) => Err(Some(error)),
    });
    match try_latest(read, |given| given.prompt.status) {
        Ok(Some(given)) => Ok(LatestLookup::Found(Box::new(given))),
        Ok(None) => Ok(LatestLookup::Archived),
        Err(None) => Ok(LatestLookup::Gone),
        Err(Some(error)) => Err(error),
    }
}

/// Reads the only file of a version. `None` if the file has disappeared.
fn read_one(
    root: &Path,
    paths: &[PathBuf],
    id: &PromptId,
    version: &Version,
) -> Result<Option<StoredPrompt>> {
    if let [first, second, ..] = paths {
        return Err(twice(id.as_str(), version, first, second));
    }
    read_version(root, &paths[0], id, version)
}

/// Parses a version and checks that it has a file.
fn pick(files: &VersionFiles, id: &str, text: &str) -> Result<Version> {
    let version: Version = text.parse().map_err(|error| no_such_version(id, text, error))?;
    if files.contains_key(&version) {
        return Ok(version);
    }
    Err(no_version(id, text, files.keys()))
}

/// The highest version whose file names the label. A damaged file is left out: a move needs only the version that it
/// names.
fn written(root: &Path, files: &VersionFiles, id: &PromptId, label: &str) -> Option<Version> {
    let names_it = |(version, paths): &(&Version, &Vec<PathBuf>)| {
        let given = read_one(root, paths, id, version).ok().flatten();
        given.is_some_and(|given| given.prompt.labels.iter().any(|known| known == label))
    };
    files.iter().rev().find(names_it).map(|(version, _)| version.clone())
}

/// The hint for a prompt that is not found because the disk of the store may be gone.
fn missing_or_empty(root: &Path) -> String {
    format!(
        "the directory {} is missing or empty; check its path, and that its disk is mounted",
        root.display()
    )
}

/// Removes the directory of a prompt that has no versions left.
fn leave(root: &Path, directory: &Path, lock: Lock) {
    atomic::sweep_below(root, directory);
    if lock.remove().is_ok() {
        layout::prune(root, directory);
    }
}

fn cannot_keep(path: &Path, error: &Error) -> Error {
    unwritable("file", path, error.message())
}
