//! A directory as the source of a registry's prompts: each load takes over what changed in its files.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::PoisonError;

use super::reload::{ReloadReport, ReloadTarget};
use super::text::PyText;
use crate::check::Finding;
use crate::error::{ContextValue, Error};
use crate::prompt::{Prompt, PromptId, Version};
use crate::store::directory::{self, FileCache, LoadedDirectory};
use crate::store::label_file::LabelFileStamp;

/// A directory, and the prompts and schemas of the registry that came from it.
pub(super) struct DirectorySource {
    pub(super) path: PathBuf,
    pub(super) schema_dir: Option<PathBuf>,
    /// Whether a bad file gives a warning instead of an error.
    pub(super) skip: bool,
    target: ReloadTarget,
    /// The prompts of the registry that came from this directory, each with its file.
    held: Vec<(PromptId, Version, String)>,
    /// The names of the schemas that came from this directory.
    schemas: Vec<String>,
    /// The file of labels at the last load, and whether that load found no error.
    last: (LabelFileStamp, bool),
    /// The files of labels that the last load found.
    label_files: Vec<PathBuf>,
    /// The moment at which the last load began.
    looked: u64,
    /// The directories that links lead to.
    pub(super) linked: Vec<PathBuf>,
    /// The files as they were at the last load.
    known: FileCache<PyText>,
    /// [`super::library::EngineState::registrations`] at the time when those files were compiled.
    registrations: u64,
    /// The number of files that the last load read.
    pub(super) files_read: usize,
}

/// The result of a load.
pub(super) type DirectoryReport = ReloadReport<Finding>;

impl DirectorySource {
    /// A directory that was not loaded yet. The paths become absolute, because a program may change its working directory.
    pub(super) fn new(path: PathBuf, schema_dir: Option<PathBuf>, skip: bool, target: ReloadTarget) -> Self {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        Self {
            path: absolute(path),
            schema_dir: schema_dir.map(absolute),
            skip,
            target,
            held: Vec::new(),
            schemas: Vec::new(),
            last: (LabelFileStamp::default(), false),
            label_files: Vec::new(),
            looked: 0,
            linked: Vec::new(),
            known: FileCache::default(),
            registrations: 0,
            files_read: 0,
        }
    }

    /// The first load. `skip` is for single files: a problem of the directory itself is always an error.
    pub(super) fn load_first(&mut self) -> crate::Result<DirectoryReport> {
        let mut report = self.load();
        let skip = self.skip;
        match report.error.take_if(|error| !skip || error.errors().is_empty()) {
            Some(error) => Err(error),
            None => Ok(report),
        }
    }

    /// [`DirectorySource::load`] if the file of labels changed, or if the last load found an error. After a move of this
    /// process the file may be as it was at the last load, because somebody took the move back.
    pub(super) fn load_if_relabelled(&mut self) -> Option<DirectoryReport> {
        let is_written = !self.target.writes.since(self.looked).is_empty();
        let is_same = self.last.1 && !is_written && self.label_stamp() == self.last.0;
        (!is_same).then(|| self.load())
    }

    /// Reads the files that changed. Replaces the registry's prompts, unless an error forbids it.
    pub(super) fn load(&mut self) -> DirectoryReport {
        // Before the file is read: a later change gives another stamp.
        let stamp = self.label_stamp();
        self.looked = self.target.writes.now();
        let report = self.load_files();
        self.last = (stamp, report.error.is_none());
        report
    }

    fn label_stamp(&self) -> LabelFileStamp {
        LabelFileStamp::of(&self.path, &self.label_files)
    }

    fn load_files(&mut self) -> DirectoryReport {
        let registrations = self.target.shared.registrations();
        if registrations != self.registrations {
            // A name may now be a helper, or a partial may have another text, so everything is compiled again.
            (self.registrations, self.known) = (registrations, FileCache::default());
        }
        let shared = &self.target.shared;
        match directory::load_again(
            &self.path,
            self.schema_dir.as_deref(),
            &shared.options,
            shared,
            &mut self.known,
        ) {
            Ok(loaded) => {
                self.files_read = loaded.read;
                self.put(loaded)
            }
            Err(error) => ReloadReport::failed(error),
        }
    }

    /// Puts the loaded prompts and schemas into the registry, and returns the result.
    fn put(&mut self, mut loaded: LoadedDirectory<PyText>) -> DirectoryReport {
        self.linked = std::mem::take(&mut loaded.linked);
        self.label_files = std::mem::take(&mut loaded.label_files);
        let mut report = ReloadReport { warnings: loaded.findings(false), ..ReloadReport::new() };
        report.prompts = loaded.prompts.len();
        let error = loaded.error(&self.path);
        report.error = match error {
            Some(error) if !self.skip => Some(error),
            error => self.exchange(loaded, error.as_ref(), &mut report).err().or(error),
        };
        report
    }

    /// Replaces the old prompts by the new ones in one step. A file with an error keeps its old prompts.
    fn exchange(
        &mut self,
        loaded: LoadedDirectory<PyText>,
        error: Option<&Error>,
        report: &mut DirectoryReport,
    ) -> crate::Result<()> {
        let broken: HashSet<&str> =
            error.iter().flat_map(|error| error.errors()).filter_map(file_of).collect();
        let mut held: Vec<_> = loaded
            .prompts
            .iter()
            .zip(&loaded.places)
            .map(|(compiled, place)| {
                let Prompt { id, version, .. } = compiled.prompt();
                (id.clone(), version.clone(), place.name.clone().unwrap_or_default())
            })
            .collect();
        let new: HashSet<(&PromptId, &Version)> = held.iter().map(|(id, version, _)| (id, version)).collect();
        let (kept, old): (Vec<_>, Vec<_>) =
            self.held.iter().cloned().partition(|(id, version, file)| {
                broken.contains(file.as_str()) && !new.contains(&(id, version))
            });
        let old: Vec<_> = old.into_iter().map(|(id, version, _)| (id, version)).collect();
        // A broken file of labels changes none, so the last good ones stay. Otherwise a prompt that the file does not name
        // has no moves any more, not even those that this process wrote into an earlier file.
        let labels = loaded.labels.map(|mut labels| {
            for (id, ..) in &self.held {
                labels.entry(id.clone()).or_default();
            }
            labels
        });
        let mut prompts = self.target.prompts.write().unwrap_or_else(PoisonError::into_inner);
        report.result = prompts.exchange(&old, loaded.prompts, labels.unwrap_or_default())?;
        drop(prompts);
        let is_changed = self.target.shared.put_loaded(&self.path, loaded.partials, error.is_some());
        // The files were compiled with these partials, so this registration makes none of them outdated.
        self.registrations += u64::from(is_changed);
        held.extend(kept);
        self.held = held;
        // While a file has an error, schemas that are not found are kept, because they may be in that file.
        let gone = if error.is_none() { std::mem::take(&mut self.schemas) } else { Vec::new() };
        self.schemas.extend(loaded.schemas.iter().map(|schema| schema.name.clone()));
        self.target.schemas.write().exchange(&gone, loaded.schemas);
        Ok(())
    }
}

/// Returns the file that an error is about.
fn file_of(error: &Error) -> Option<&str> {
    if let Some(name) = error.place().and_then(|place| place.name.as_deref()) {
        return Some(name);
    }
    error.context().iter().find_map(|(name, value)| match value {
        ContextValue::Text(path) if *name == "path" => Some(path.as_str()),
        _ => None,
    })
}
