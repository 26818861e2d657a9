//! Reads a store again and finds what changed: a process that renders takes over what others write.
//!
//! The generation file tells whether anything changed. If so, the times of all files are looked at, and only files that
//! changed are read and compiled. A file that cannot be used hides no other, and its last good version stays.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::directory::in_parallel;
use super::errors::unreadable;
use super::file::FileStore;
use super::generation::Generation;
use super::labels::{LABEL_ROUNDS, Labels};
use super::stable_read::{FileContent, FileStamp};
use super::version_file::{LABELS, damaged, parse_labels, parse_version, read_plain_stamped, twice};
use super::walk::{StoreTree, id_of, version_at};
use crate::error::{Error, Result};
use crate::prompt::{Compiled, PromptId, Version};
use crate::template::{Library, TemplateOptions, Text};

/// After this time every file is looked at, even if the generation is the same: a person may have edited a file, or a
/// writer was killed while another one wrote.
const FULL_LOOK_INTERVAL: Duration = Duration::from_mins(1);

/// A store as it was at the last look. A cache is valid for one set of options, helpers and partials.
#[derive(Debug)]
pub struct StoreCache<T> {
    versions: CachedFiles<StoredVersion<T>>,
    labels: CachedFiles<Labels>,
    held: BTreeMap<PromptId, HeldPrompt<T>>,
    /// The generation before the last look. `None` if the next look must look at all files.
    generation: Option<Generation>,
    last_look: Option<Instant>,
}

type CachedFiles<C> = HashMap<PathBuf, CachedFile<C>>;

/// A file that was read.
#[derive(Debug)]
struct CachedFile<C> {
    /// Shows whether the file has changed. `None` if a change might not show; then the hashes of its bytes are compared.
    stamp: Option<FileStamp>,
    hash: [u8; 32],
    content: Arc<C>,
}

/// A version that was read from its file.
#[derive(Debug)]
struct StoredVersion<T> {
    compiled: Arc<Compiled<T>>,
    warnings: Vec<String>,
}

/// What the store holds of one prompt. For a file that cannot be used, its last good content.
#[derive(Debug)]
struct HeldPrompt<T> {
    versions: BTreeMap<Version, Arc<StoredVersion<T>>>,
    labels: Option<Arc<Labels>>,
    /// Whether the registry has something newer, so that the next look takes over all of it.
    is_outdated: bool,
}

impl<T> StoreCache<T> {
    /// Makes the next look take over these prompts, whether they changed in the store or not. This process has written them
    /// to the registry after the last look, and another process may have replaced them in the store before that look.
    pub fn outdate(&mut self, ids: &[String]) {
        for id in ids {
            self.generation = None;
            if let Some(prompt) = self.held.get_mut(id.as_str()) {
                prompt.is_outdated = true;
            }
        }
    }

    /// Whether a label points at a version that this look did not find, and did not do so before.
    fn has_lost_labels_since(&self, before: &Self) -> bool {
        self.held.iter().any(|(id, prompt)| {
            let known = before.held.get(id);
            if known.is_some_and(|known| known.is_same(prompt)) {
                return false;
            }
            let lost = prompt.lost_labels();
            !lost.is_empty() && known.is_none_or(|known| !lost.is_subset(&known.lost_labels()))
        })
    }

    /// Forgets the files, so that all are read and compiled again if something changes.
    pub fn forget_files(&mut self) {
        self.versions.clear();
    }
}

impl<T> Default for StoreCache<T> {
    fn default() -> Self {
        Self {
            versions: HashMap::new(),
            labels: HashMap::new(),
            held: BTreeMap::new(),
            generation: None,
            last_look: None,
        }
    }
}

impl<T> Default for HeldPrompt<T> {
    fn default() -> Self {
        Self { versions: BTreeMap::new(), labels: None, is_outdated: false }
    }
}

impl<T> HeldPrompt<T> {
    /// The labels that point at versions which are not there.
    fn lost_labels(&self) -> BTreeSet<(&str, &Version)> {
        let Some(labels) = &self.labels else { return BTreeSet::new() };
        labels.lost(|version| self.versions.contains_key(version))
    }

    fn is_same(&self, other: &Self) -> bool {
        let same_labels = match (&self.labels, &other.labels) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        let mut pairs = self.versions.iter().zip(&other.versions);
        same_labels
            && !self.is_outdated
            && !other.is_outdated
            && self.versions.len() == other.versions.len()
            && pairs.all(|(one, other)| one.0 == other.0 && Arc::ptr_eq(one.1, other.1))
    }
}

/// What changed in a store since the last look.
#[derive(Debug)]
pub struct StoreChange<T> {
    /// The versions that the changed prompts had before.
    pub old: Vec<(PromptId, Version)>,
    /// The versions that the changed prompts have now, with the labels that their files name.
    pub new: Vec<Arc<Compiled<T>>>,
    /// The moves of the labels of the changed prompts.
    pub labels: BTreeMap<PromptId, Labels>,
    /// Warnings for the authors of the changed prompts.
    pub warnings: Vec<String>,
    /// The problems of all files.
    pub errors: Vec<Error>,
    /// The number of versions in the store.
    pub versions: usize,
    /// The number of files that were read.
    pub read: usize,
    /// The cache for the next look. It is valid once the change was taken over.
    pub cache: StoreCache<T>,
}

impl FileStore {
    /// A text that differs after each change of the store. `None` if the store cannot tell, because its generation
    /// file is missing or damaged, or a change is going on.
    #[must_use]
    pub fn generation(&self) -> Option<String> {
        Generation::read(self.root()).map(|generation| generation.as_str().to_owned())
    }

    /// Whether the store tells that nothing changed since the last look with this cache.
    #[must_use]
    pub fn is_unchanged<T>(&self, cache: &StoreCache<T>) -> bool {
        let is_recent = cache.last_look.is_some_and(|last| last.elapsed() < FULL_LOOK_INTERVAL);
        let known = cache.generation.as_ref().filter(|_| is_recent);
        known.is_some_and(|known| Generation::read(self.root()).as_ref() == Some(known))
    }

    /// Looks at all files, and reads those that changed since the last look with this cache.
    ///
    /// The files are not read at one moment, so they are looked at again if a label points at a version that was not found.
    ///
    /// # Errors
    /// [`crate::Kind::StorageRead`] if the directory cannot be read, or has vanished since the last look.
    pub fn look<T: Text>(
        &self,
        options: &TemplateOptions,
        engine: &(dyn Library<T> + Sync),
        cache: &StoreCache<T>,
    ) -> Result<StoreChange<T>> {
        let parse_version =
            |root: &Path, path: &Path, file: &FileContent| compile(root, path, file, options, engine);
        // Read once and before the files: a change that comes later gives another generation.
        let generation = Generation::read(self.root());
        let look_once = |last: &StoreCache<T>, labels| {
            self.look_once(cache, last, labels, generation.clone(), &parse_version)
        };
        let mut change = look_once(cache, HashMap::new())?;
        for _ in 0..LABEL_ROUNDS {
            if !change.cache.has_lost_labels_since(cache) {
                break;
            }
            let labels = std::mem::take(&mut change.cache.labels);
            let again = look_once(&change.cache, labels)?.after(&change);
            if !again.cache.has_lost_labels_since(cache) {
                return Ok(again);
            }
            change = look_once(&again.cache, HashMap::new())?.after(&again);
        }
        Ok(change)
    }

    /// One look at all files. Those in `last` were read before, and those in `labels` are not read.
    fn look_once<T: Text>(
        &self,
        cache: &StoreCache<T>,
        last: &StoreCache<T>,
        mut labels: CachedFiles<Labels>,
        generation: Option<Generation>,
        parse_version: &(impl Fn(&Path, &Path, &FileContent) -> Result<StoredVersion<T>> + Sync),
    ) -> Result<StoreChange<T>> {
        let tree = match self.find_root()? {
            Some(root) => StoreTree::of(&root)?,
            None => StoreTree::default(),
        };
        if !cache.held.is_empty() && tree.is_empty() && !Generation::exists(self.root()) {
            let why = "it contained prompts before, and now it is missing or empty";
            return Err(unreadable("directory", self.root(), why)
                .with_hint("the prompts stay in use; check that its disk is mounted"));
        }
        let mut look = StoreLook { tree: &tree, cache, errors: Vec::new(), read: 0 };
        let versions =
            look.files(&tree.files, &last.versions, |path, file| parse_version(&tree.root, path, file));
        let labelled = tree.labelled.iter().map(|directory| directory.join(LABELS));
        let labelled: Vec<_> = labelled.filter(|path| !labels.contains_key(path)).collect();
        labels.extend(look.files(&labelled, &last.labels, parse_labels));
        let held = look.held(&versions, &labels);
        let StoreLook { mut errors, read, .. } = look;
        errors.extend(tree.errors);
        // A file may be repaired by hand, which gives no new generation.
        let generation = generation.filter(|_| errors.is_empty());
        let next = StoreCache { versions, labels, held, generation, last_look: Some(Instant::now()) };
        Ok(StoreChange::between(cache, next, errors, read))
    }
}

fn compile<T: Text>(
    root: &Path,
    path: &Path,
    file: &FileContent,
    options: &TemplateOptions,
    engine: &dyn Library<T>,
) -> Result<StoredVersion<T>> {
    let Some((id, version)) = version_at(root, path)? else {
        return Err(unreadable("file", path, "it does not belong to the storage"));
    };
    let stored = parse_version(path, &id, &version, file)?;
    let compiled = Compiled::compile(stored.prompt, options, engine).map_err(|error| damaged(path, error))?;
    Ok(StoredVersion { compiled: Arc::new(compiled), warnings: stored.warnings })
}

/// One look at all files of a store.
struct StoreLook<'l, T> {
    tree: &'l StoreTree,
    cache: &'l StoreCache<T>,
    errors: Vec<Error>,
    read: usize,
}

/// The result of looking at a file: `None` if it is gone, and whether it was read.
type FileLook<C> = (Result<Option<CachedFile<C>>>, bool);

impl<T: Text> StoreLook<'_, T> {
    /// Reads the files that changed. Files that are gone or cannot be used are not in the result.
    fn files<C: Send + Sync>(
        &mut self,
        paths: &[PathBuf],
        known: &CachedFiles<C>,
        parse: impl Fn(&Path, &FileContent) -> Result<C> + Sync,
    ) -> CachedFiles<C> {
        let root = &self.tree.root;
        let looks = in_parallel(paths, |path| look_at(root, path, known.get(path), &parse));
        let mut files = HashMap::with_capacity(paths.len());
        for (path, (outcome, is_read)) in paths.iter().zip(looks) {
            self.read += usize::from(is_read);
            match outcome {
                Ok(Some(file)) => drop(files.insert(path.clone(), file)),
                Ok(None) => {}
                Err(error) => self.errors.push(error),
            }
        }
        files
    }

    /// What the store holds, with the last good content of what cannot be used now.
    fn held(
        &mut self,
        versions: &CachedFiles<StoredVersion<T>>,
        labels: &CachedFiles<Labels>,
    ) -> BTreeMap<PromptId, HeldPrompt<T>> {
        let root = &self.tree.root;
        let mut held: BTreeMap<PromptId, HeldPrompt<T>> = BTreeMap::new();
        let mut first: HashMap<(PromptId, Version), &PathBuf> = HashMap::new();
        for path in &self.tree.files {
            let Ok(Some((id, version))) = version_at(root, path) else { continue };
            let last_good =
                || self.cache.held.get(&id).and_then(|prompt| prompt.versions.get(&version)).cloned();
            let found = match first.get(&(id.clone(), version.clone())) {
                Some(other) => {
                    self.errors.push(twice(id.as_str(), &version, other, path));
                    last_good()
                }
                None => versions.get(path).map(|file| Arc::clone(&file.content)).or_else(last_good),
            };
            first.insert((id.clone(), version.clone()), path);
            let kept = &mut held.entry(id).or_default().versions;
            match found {
                Some(found) => drop(kept.insert(version, found)),
                None => drop(kept.remove(&version)),
            }
        }
        held.retain(|_, prompt| !prompt.versions.is_empty());
        for directory in &self.tree.labelled {
            let Some(id) = id_of(root, directory) else { continue };
            let Some(prompt) = held.get_mut(id.as_str()) else { continue };
            let last_good = || self.cache.held.get(id.as_str()).and_then(|prompt| prompt.labels.clone());
            let found = labels.get(&directory.join(LABELS)).map(|file| Arc::clone(&file.content));
            prompt.labels = found.or_else(last_good);
        }
        self.keep_unreadable(&mut held);
        held
    }

    /// Keeps the prompts in directories that cannot be read now.
    fn keep_unreadable(&self, held: &mut BTreeMap<PromptId, HeldPrompt<T>>) {
        for (id, prompt) in &self.cache.held {
            let path = self.tree.root.join(id.as_str());
            if !held.contains_key(id)
                && self.tree.unreadable.iter().any(|directory| path.starts_with(directory))
            {
                let HeldPrompt { versions, labels, is_outdated } = prompt;
                let (versions, labels) = (versions.clone(), labels.clone());
                held.insert(id.clone(), HeldPrompt { versions, labels, is_outdated: *is_outdated });
            }
        }
    }
}

/// Reads a file unless it is as it was.
fn look_at<C>(
    root: &Path,
    path: &Path,
    known: Option<&CachedFile<C>>,
    parse: impl Fn(&Path, &FileContent) -> Result<C>,
) -> FileLook<C> {
    let as_before = |known: &CachedFile<C>, stamp| CachedFile {
        stamp,
        hash: known.hash,
        content: Arc::clone(&known.content),
    };
    if let Some(known) = known
        && known.stamp.is_some()
        && fs::symlink_metadata(path).ok().as_ref().map(FileStamp::of) == known.stamp
    {
        return (Ok(Some(as_before(known, known.stamp.clone()))), false);
    }
    let (file, stamp) = match read_plain_stamped(root, path) {
        Ok(Some(read)) => read,
        Ok(None) => return (Ok(None), false),
        Err(error) => return (Err(error), true),
    };
    let hash = Sha256::digest(&file.bytes).into();
    let outcome = match known.filter(|known| known.hash == hash) {
        Some(known) => Ok(as_before(known, stamp)),
        None => parse(path, &file).map(|content| CachedFile { stamp, hash, content: Arc::new(content) }),
    };
    (outcome.map(Some), true)
}

impl<T: Text> StoreChange<T> {
    /// What differs between two looks.
    fn between(before: &StoreCache<T>, cache: StoreCache<T>, errors: Vec<Error>, read: usize) -> Self {
        let versions = cache.held.values().map(|prompt| prompt.versions.len()).sum();
        let (old, new) = (Vec::new(), Vec::new());
        let (labels, warnings) = (BTreeMap::new(), Vec::new());
        let mut change = Self { old, new, labels, warnings, errors, versions, read, cache };
        for (id, prompt) in &before.held {
            if !change.cache.held.get(id).is_some_and(|now| now.is_same(prompt)) {
                change.old.extend(prompt.versions.keys().map(|version| (id.clone(), version.clone())));
            }
        }
        for (id, prompt) in &change.cache.held {
            if before.held.get(id).is_some_and(|known| known.is_same(prompt)) {
                continue;
            }
            change.new.extend(prompt.versions.values().map(|version| Arc::clone(&version.compiled)));
            change.warnings.extend(prompt.versions.values().flat_map(|version| version.warnings.clone()));
            let moves = prompt.labels.as_deref().cloned().unwrap_or_default();
            change.labels.insert(id.clone(), moves);
        }
        change
    }

    /// This change. Its count of files that were read includes those of an earlier look.
    fn after(mut self, earlier: &Self) -> Self {
        self.read += earlier.read;
        self
    }

    /// Leaves out prompts of which the registry has something newer. The next look takes them over.
    pub fn leave_out(&mut self, ids: &[String]) {
        if ids.is_empty() {
            return;
        }
        let is_newer = |id: &PromptId| ids.iter().any(|newer| newer == id.as_str());
        self.old.retain(|(id, _)| !is_newer(id));
        self.new.retain(|compiled| !is_newer(&compiled.prompt().id));
        self.labels.retain(|id, _| !is_newer(id));
        self.cache.outdate(ids);
    }
}
