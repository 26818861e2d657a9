//! Compiled prompts by id and version, in memory, and the labels that point at versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::errors::{all_archived, no_label, no_prompt, no_prompt_among, no_such_version, no_version};
use super::labels::{LabelMove, LabelRequest, Labels, tell_of_move};
use super::version_rules::{self, Replacement, check_raised, check_replacement};
use crate::error::{Error, Result};
use crate::hash::{HashMap, HashSet};
use crate::prompt::{Compiled, Format, Prompt, PromptId, Status, Version, check_label};
use crate::template::Text;

/// All registered prompts, in all versions.
#[derive(Debug)]
pub struct Registry<T> {
    prompts: HashMap<PromptId, RegisteredPrompt<T>>,
    /// The ids in order, so that the cost of a page does not depend on the number of prompts.
    order: BTreeSet<PromptId>,
}

/// One prompt.
#[derive(Debug)]
struct RegisteredPrompt<T> {
    versions: CompiledVersions<T>,
    labels: Labels,
}

type CompiledVersions<T> = BTreeMap<Version, Arc<Compiled<T>>>;

/// Which version of a prompt to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionSelector<'a> {
    /// The highest active version, or if none is active, the highest that is not archived.
    Latest,
    /// This version, even if it is archived.
    Version(&'a str),
    /// The version that this label points at.
    Label(&'a str),
}

/// What differs after an exchange of prompts.
#[derive(Debug, Default)]
pub struct ExchangeResult {
    /// The prompts of which anything differs.
    pub changed: Vec<PromptId>,
    /// The labels that point elsewhere now.
    pub moves: Vec<(PromptId, LabelMove)>,
}

/// The conditions of a search. A prompt must meet all of them.
#[derive(Debug, Default)]
pub struct SearchFilter<'a> {
    /// The status.
    pub status: Option<Status>,
    /// The format.
    pub format: Option<Format>,
    /// The category.
    pub category: Option<&'a str>,
    /// Tags. A prompt must have all of them.
    pub tags: Vec<&'a str>,
    /// A label. The search looks at the version that it points at, not at the latest.
    pub label: Option<&'a str>,
    /// Words. Each must occur in the id, the description, a tag or a template. Case is ignored.
    pub text: Option<&'a str>,
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self { prompts: HashMap::default(), order: BTreeSet::new() }
    }
}

impl<T: Text> Registry<T> {
    /// The prompt with this id.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`] if the id does not exist or all its versions are archived;
    /// [`crate::Kind::VersionNotFound`] if the prompt has no such version or label.
    pub fn get(&self, id: &str, which: VersionSelector<'_>) -> Result<&Arc<Compiled<T>>> {
        let versions = self.versions(id)?;
        match which {
            VersionSelector::Latest => latest(versions).ok_or_else(|| all_archived(id)),
            VersionSelector::Version(wanted) => {
                let version: Version = wanted.parse().map_err(|error| no_such_version(id, wanted, error))?;
                versions.get(&version).ok_or_else(|| no_version(id, wanted, versions.keys()))
            }
            VersionSelector::Label(label) => labelled(versions, label).ok_or_else(|| {
                let known = versions.values().flat_map(|compiled| &compiled.prompt().labels);
                no_label(id, label, known.map(String::as_str))
            }),
        }
    }

    /// All versions of a prompt, the lowest first.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`].
    pub fn versions(&self, id: &str) -> Result<&CompiledVersions<T>> {
        self.entry(id).map(|entry| &entry.versions)
    }

    fn entry_mut(&mut self, id: &str) -> Result<&mut RegisteredPrompt<T>> {
        self.entry(id)?;
        self.prompts.get_mut(id).ok_or_else(|| no_prompt(id, []))
    }

    fn entry(&self, id: &str) -> Result<&RegisteredPrompt<T>> {
        self.prompts.get(id).ok_or_else(|| {
            let add = "load a directory, or create one with `create_prompt`";
            no_prompt_among(id, self.order.iter().map(PromptId::as_str), add, Some("list_prompts"))
        })
    }

    /// Whether the prompt exists; with `version`, whether that version exists.
    #[must_use]
    pub fn contains(&self, id: &str, version: Option<&str>) -> bool {
        self.prompts.get(id).is_some_and(|entry| {
            version.is_none_or(|version| {
                version.parse().is_ok_and(|version: Version| entry.versions.contains_key(&version))
            })
        })
    }

    /// Whether [`Registry::insert`] would add the prompt. False if it already exists with the same content.
    ///
    /// # Errors
    /// [`crate::Kind::VersionConflict`] if the version exists and is not a draft, and the new one has other
    /// content or is a draft.
    pub fn can_insert(&self, prompt: &Prompt) -> Result<bool> {
        let existing = self.known(prompt).map(|compiled| compiled.prompt());
        Ok(check_replacement(existing, prompt)? == Replacement::Whole)
    }

    /// Replaces the named prompts by the new ones, and the moves of the labels of these ids: all of them, or none on an
    /// error. Other prompts stay unchanged. Returns what differs afterwards.
    ///
    /// # Errors
    /// [`crate::Kind::VersionConflict`] if a new prompt has the id and version of a prompt that is not replaced, and
    /// other content.
    pub fn exchange(
        &mut self,
        named: &[(PromptId, Version)],
        new: Vec<Arc<Compiled<T>>>,
        labels: BTreeMap<PromptId, Labels>,
    ) -> Result<ExchangeResult> {
        if let Some((_, error)) = self.conflicts(named, &new).into_iter().next() {
            return Err(error);
        }
        let given: HashSet<(&PromptId, &Version)> = new.iter().map(|compiled| key(compiled)).collect();
        let old: HashSet<(&PromptId, &Version)> = named.iter().map(|(id, version)| (id, version)).collect();
        let mut gone = old;
        gone.retain(|key| !given.contains(key));
        drop(given);
        let affected: BTreeSet<PromptId> = (named.iter().map(|(id, _)| id))
            .chain(new.iter().map(|compiled| &compiled.prompt().id))
            .chain(labels.keys())
            .cloned()
            .collect();
        let before: Vec<Vec<Arc<Compiled<T>>>> = affected.iter().map(|id| self.held(id)).collect();
        let moved: BTreeSet<PromptId> = labels.keys().cloned().collect();
        self.replace_moves(labels.clone());
        for (id, version) in &gone {
            self.prompts.get_mut(*id).and_then(|entry| entry.versions.remove(*version));
        }
        for compiled in new {
            let same = |known: &Arc<Compiled<T>>| Arc::ptr_eq(known, &compiled);
            if !self.known(compiled.prompt()).is_some_and(same) {
                self.put(compiled);
            }
        }
        for (id, _) in gone {
            if self.prompts.get(id).is_some_and(|entry| entry.versions.is_empty()) {
                self.forget(id.as_str());
            }
        }
        // The moves of ids that did not exist before.
        self.replace_moves(labels);
        for id in &moved {
            if let Some(entry) = self.prompts.get_mut(id) {
                entry.relabel();
            }
        }
        let mut result = ExchangeResult::default();
        for (id, before) in affected.into_iter().zip(&before) {
            let now = self.held(&id);
            result.moves.extend(self.moves_between(&id, before, &now));
            if !before.iter().map(|each| each.prompt()).eq(now.iter().map(|each| each.prompt())) {
                result.changed.push(id);
            }
        }
        Ok(result)
    }

    /// The prompts that [`Registry::exchange`] would refuse, with its errors.
    pub fn conflicts(
        &self,
        named: &[(PromptId, Version)],
        new: &[Arc<Compiled<T>>],
    ) -> Vec<(PromptId, Error)> {
        let old: HashSet<(&PromptId, &Version)> = named.iter().map(|(id, version)| (id, version)).collect();
        let added = new.iter().filter(|compiled| !old.contains(&key(compiled)));
        let refused = added.filter_map(|compiled| {
            let error = self.can_insert(compiled.prompt()).err()?;
            Some((compiled.prompt().id.clone(), error))
        });
        refused.collect()
    }

    fn held(&self, id: &PromptId) -> Vec<Arc<Compiled<T>>> {
        self.prompts.get(id).into_iter().flat_map(|entry| entry.versions.values().cloned()).collect()
    }

    /// Sets the moves of labels without a change of the versions.
    fn replace_moves(&mut self, labels: BTreeMap<PromptId, Labels>) {
        for (id, labels) in labels {
            if let Some(entry) = self.prompts.get_mut(&id) {
                entry.labels = labels;
            }
        }
    }

    /// The moves of the labels of a prompt that do not point any more where they pointed before.
    fn moves_between(
        &self,
        id: &PromptId,
        before: &[Arc<Compiled<T>>],
        now: &[Arc<Compiled<T>>],
    ) -> Vec<(PromptId, LabelMove)> {
        let (before, now) = (label_targets(before), label_targets(now));
        let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let changed = names.into_iter().filter(|label| before.get(*label) != now.get(*label));
        let moves = changed.map(|label| {
            let version = now.get(label).cloned();
            let history = self.prompts.get(id).map(|entry| entry.labels.history(Some(label)));
            let recorded =
                history.and_then(|moves| moves.last().cloned()).filter(|made| made.version == version);
            let (moved_at, author) =
                recorded.map_or((jiff::Timestamp::now(), None), |made| (made.moved_at, made.author));
            let previous = before.get(label).cloned();
            (id.clone(), LabelMove { label: label.clone(), version, previous, moved_at, author })
        });
        moves.collect()
    }

    /// Adds a prompt, and returns whether it did. A version that already exists with the same content stays unchanged.
    /// A draft is replaced.
    ///
    /// # Errors
    /// As [`Registry::can_insert`].
    pub fn insert(&mut self, compiled: Arc<Compiled<T>>) -> Result<bool> {
        let admitted = self.can_insert(compiled.prompt())?;
        if admitted {
            self.put(compiled);
        }
        Ok(admitted)
    }

    /// Adds a prompt. If it already exists with the same content, updates its status, metadata and times.
    ///
    /// # Errors
    /// As [`Registry::can_insert`].
    pub fn upsert(&mut self, compiled: Arc<Compiled<T>>) -> Result<()> {
        self.can_insert(compiled.prompt())?;
        self.put(compiled);
        Ok(())
    }

    /// Checks that [`Registry::update`] would accept the prompt.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`] and [`crate::Kind::VersionNotFound`] if the version does not exist;
    /// [`crate::Kind::VersionConflict`] if it is not a draft, and the new one has other content or is a draft.
    pub fn can_update(&self, prompt: &Prompt) -> Result<()> {
        let Prompt { id, version, .. } = prompt;
        let versions = self.versions(id.as_str())?;
        let known = versions
            .get(version)
            .ok_or_else(|| no_version(id.as_str(), &version.to_string(), versions.keys()))?;
        check_replacement(Some(known.prompt()), prompt).map(drop)
    }

    /// Checks that the new number of a raised version is free, or that an earlier attempt at the same call has used it.
    ///
    /// # Errors
    /// [`crate::Kind::VersionConflict`].
    pub fn check_raised(&self, prompt: &Prompt) -> Result<()> {
        let Some(existing) = self.known(prompt) else { return Ok(()) };
        let newest = self.versions(prompt.id.as_str())?.keys().next_back();
        check_raised(existing.prompt(), prompt, newest.unwrap_or(&prompt.version))
    }

    /// Replaces a version that exists. Everything in a draft may change; in any other version only the status, metadata
    /// and times.
    ///
    /// # Errors
    /// As [`Registry::can_update`].
    pub fn update(&mut self, compiled: Arc<Compiled<T>>) -> Result<()> {
        self.can_update(compiled.prompt())?;
        self.put(compiled);
        Ok(())
    }

    fn known(&self, prompt: &Prompt) -> Option<&Arc<Compiled<T>>> {
        self.prompts.get(&prompt.id)?.versions.get(&prompt.version)
    }

    /// Stores a prompt without checks, with the labels that point at it.
    fn put(&mut self, compiled: Arc<Compiled<T>>) {
        let Prompt { id, version, .. } = compiled.prompt();
        let (id, version) = (id.clone(), version.clone());
        if !self.prompts.contains_key(&id) {
            self.order.insert(id.clone());
        }
        let entry = self.prompts.entry(id).or_default();
        let compiled = relabelled(&compiled, &entry.labels).unwrap_or(compiled);
        entry.versions.insert(version, compiled);
    }

    /// Removes a prompt with all its versions and labels.
    fn forget(&mut self, id: &str) {
        self.prompts.remove(id);
        self.order.remove(id);
    }

    /// Moves a label to a version, or removes it. Returns the move. If the label already points at the version, the
    /// move is from the version to itself and is not recorded.
    ///
    /// # Errors
    /// [`crate::Kind::PromptInvalid`] for an invalid name of a label; [`crate::Kind::PromptNotFound`];
    /// [`crate::Kind::VersionNotFound`] if the version, or the label to remove, does not exist.
    pub fn set_label(
        &mut self,
        id: &str,
        label: &str,
        version: Option<&str>,
        author: Option<&str>,
    ) -> Result<LabelMove> {
        let version = self.can_set_label(id, label, version)?;
        let request = LabelRequest { label, version: version.as_ref(), author };
        let entry = self.entry_mut(id)?;
        let written = labelled(&entry.versions, label).map(|compiled| compiled.prompt().version.clone());
        let (made, changed) = entry.labels.set(id, request, written.as_ref())?;
        if changed {
            tell_of_move(id, &made);
            entry.relabel();
        }
        Ok(made)
    }

    /// Checks that [`Registry::set_label`] would accept this move. Returns the version.
    ///
    /// # Errors
    /// As [`Registry::set_label`].
    pub fn can_set_label(&self, id: &str, label: &str, version: Option<&str>) -> Result<Option<Version>> {
        check_label(label).map_err(|error| error.with_context("prompt_id", id))?;
        match version {
            Some(version) => self
                .get(id, VersionSelector::Version(version))
                .map(|compiled| Some(compiled.prompt().version.clone())),
            None => self.get(id, VersionSelector::Label(label)).map(|_| None),
        }
    }

    /// Records a move that a storage has made. It moves the label here even if another process was first, so that it moved
    /// nothing in the storage.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`].
    pub fn record_label_move(&mut self, id: &str, made: LabelMove) -> Result<()> {
        let entry = self.entry_mut(id)?;
        let previous =
            labelled(&entry.versions, &made.label).map(|compiled| compiled.prompt().version.clone());
        if made.version != previous {
            entry.labels.push(LabelMove { previous, ..made });
            entry.relabel();
        }
        Ok(())
    }

    /// Replaces the history of a prompt's labels.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`].
    pub fn set_labels(&mut self, id: &str, labels: Labels) -> Result<()> {
        let entry = self.entry_mut(id)?;
        entry.labels = labels;
        entry.relabel();
        Ok(())
    }

    /// The labels of a prompt and their moves.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`].
    pub fn labels(&self, id: &str) -> Result<&Labels> {
        self.entry(id).map(|entry| &entry.labels)
    }

    /// Where a rollback takes a label of a prompt that is not in a storage; see [`Labels::rollback_target`].
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`], [`crate::Kind::VersionNotFound`].
    pub fn rollback_target(&self, id: &str, label: &str, labels: &Labels) -> Result<Version> {
        let versions = self.versions(id)?;
        labels.rollback_target(id, label, |version| versions.contains_key(version))
    }

    /// Removes one version of a prompt, or all. Returns the moves that removed its labels. The history of the labels is
    /// removed together with the last version.
    ///
    /// # Errors
    /// [`crate::Kind::PromptNotFound`], [`crate::Kind::VersionNotFound`].
    pub fn remove(&mut self, id: &str, version: Option<&str>) -> Result<Vec<LabelMove>> {
        let Some(version) = version else {
            self.entry(id)?;
            self.forget(id);
            return Ok(Vec::new());
        };
        let compiled = Arc::clone(self.get(id, VersionSelector::Version(version))?);
        let Prompt { id, version, labels, .. } = compiled.prompt();
        let entry = self.entry_mut(id.as_str())?;
        // If the files of two versions name a label, it points at the higher version.
        let points_here = |label: &&String| {
            labelled(&entry.versions, label).is_some_and(|held| Arc::ptr_eq(held, &compiled))
        };
        let written: Vec<String> = labels.iter().filter(points_here).cloned().collect();
        entry.versions.remove(version);
        if entry.versions.is_empty() {
            self.forget(id.as_str());
            return Ok(Vec::new());
        }
        let off = entry.labels.forget(version, &written);
        entry.relabel();
        Ok(off)
    }

    /// All versions of all prompts, sorted by id and version.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Compiled<T>>> {
        self.entries().flat_map(|entry| entry.versions.values())
    }

    fn entries(&self) -> impl Iterator<Item = &RegisteredPrompt<T>> {
        self.order.iter().filter_map(|id| self.prompts.get(id))
    }

    /// The latest version of each prompt, or with a label the version that it points at, if it meets the conditions.
    /// Sorted by id. The iterator is lazy.
    pub fn find<'f>(&'f self, filter: &'f SearchFilter<'_>) -> impl Iterator<Item = &'f Arc<Compiled<T>>> {
        let words: Vec<String> =
            filter.text.unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
        self.entries()
            .filter_map(|entry| match filter.label {
                None => latest(&entry.versions),
                Some(label) => labelled(&entry.versions, label),
            })
            .filter(move |compiled| fits(compiled.prompt(), filter) && holds(compiled.prompt(), &words))
    }

    /// The status of each prompt: that of its latest version, or archived if all versions are.
    pub fn statuses(&self) -> impl Iterator<Item = Status> {
        let status = |entry: &RegisteredPrompt<T>| {
            latest(&entry.versions).map_or(Status::Archived, |latest| latest.status())
        };
        self.prompts.values().map(status)
    }

    /// The ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = &PromptId> {
        self.order.iter()
    }

    /// The number of ids.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prompts.len()
    }

    /// Whether there are no prompts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prompts.is_empty()
    }
}

impl<T> Default for RegisteredPrompt<T> {
    fn default() -> Self {
        Self { versions: BTreeMap::new(), labels: Labels::default() }
    }
}

impl<T: Text> RegisteredPrompt<T> {
    /// Sets the labels of every version according to the moves.
    fn relabel(&mut self) {
        for place in self.versions.values_mut() {
            if let Some(relabelled) = relabelled(place, &self.labels) {
                *place = relabelled;
            }
        }
    }
}

fn key<T: Text>(compiled: &Compiled<T>) -> (&PromptId, &Version) {
    let Prompt { id, version, .. } = compiled.prompt();
    (id, version)
}

/// The prompt with its labels according to the moves. `None` if it already has them.
fn relabelled<T: Text>(compiled: &Compiled<T>, labels: &Labels) -> Option<Arc<Compiled<T>>> {
    let Prompt { version, labels: written, .. } = compiled.prompt();
    labels.of(version, written).map(|right| Arc::new(compiled.with_labels(right)))
}

/// Where the labels of a prompt point. The versions come in order, and the highest that has a label counts.
fn label_targets<T: Text>(versions: &[Arc<Compiled<T>>]) -> BTreeMap<String, Version> {
    let targets = versions.iter().flat_map(|compiled| {
        let Prompt { labels, version, .. } = compiled.prompt();
        labels.iter().map(|label| (label.clone(), version.clone()))
    });
    targets.collect()
}

fn latest<T: Text>(versions: &CompiledVersions<T>) -> Option<&Arc<Compiled<T>>> {
    version_rules::latest(versions.values(), |compiled| compiled.status())
}

/// The version that a label points at. If several files name the label, it is the highest of their versions.
fn labelled<'v, T: Text>(versions: &'v CompiledVersions<T>, label: &str) -> Option<&'v Arc<Compiled<T>>> {
    versions.values().rev().find(|compiled| compiled.prompt().labels.iter().any(|known| known == label))
}

fn fits(prompt: &Prompt, filter: &SearchFilter<'_>) -> bool {
    filter.status.is_none_or(|status| prompt.status == status)
        && filter.format.is_none_or(|format| prompt.format == format)
        && filter.category.is_none_or(|category| prompt.metadata.category() == Some(category))
        && filter.tags.iter().all(|tag| prompt.metadata.has_tag(tag))
}

/// Whether every word occurs somewhere in the prompt. `words` must be in lower case.
fn holds(prompt: &Prompt, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let mut texts = vec![prompt.id.as_str().to_lowercase()];
    texts.extend(prompt.metadata.description().map(str::to_lowercase));
    texts.extend(prompt.metadata.tags().map(str::to_lowercase));
    prompt.each_text(&mut |text| texts.push(text.to_lowercase()));
    words.iter().all(|word| texts.iter().any(|text| text.contains(word)))
}
