//! Compiled prompts by id and version, in memory, and the labels that point at versions.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::labels::LabelMove;
use super::moves::Moves;
use crate::error::{Error, Kind, Result, nearest};
use crate::prompt::{Compiled, Format, Prompt, PromptId, Status, Version, check_label};
use crate::template::Text;

/// Every prompt that was registered, in every version.
#[derive(Debug)]
pub struct Registry<T> {
    prompts: HashMap<PromptId, Entry<T>>,
}

/// One prompt.
#[derive(Debug)]
struct Entry<T> {
    versions: Versions<T>,
    moves: Moves,
}

type Versions<T> = BTreeMap<Version, Arc<Compiled<T>>>;

/// Which version of a prompt is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// The highest active one; where none is active, the highest that is not archived.
    Latest,
    /// This one, archived or not.
    Version(&'a str),
    /// The one that this label points at.
    Label(&'a str),
}

/// What a search asks for; a prompt fits that has all of it.
#[derive(Debug, Default)]
pub struct Filter<'a> {
    /// The status.
    pub status: Option<Status>,
    /// The format.
    pub format: Option<Format>,
    /// The category.
    pub category: Option<&'a str>,
    /// Tags, of which it must have all.
    pub tags: Vec<&'a str>,
    /// A label: the version that it points at is looked at, in place of the latest.
    pub label: Option<&'a str>,
    /// Words, of which each must stand in the id, the description, a tag or a template; case does not count.
    pub text: Option<&'a str>,
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self { prompts: HashMap::new() }
    }
}

impl<T: Text> Registry<T> {
    /// The prompt with this id.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`] for an id that is not there, or one whose versions are all archived;
    /// [`Kind::VersionNotFound`] for a version or label that it does not have.
    pub fn get(&self, id: &str, which: Which<'_>) -> Result<&Arc<Compiled<T>>> {
        let versions = self.versions(id)?;
        match which {
            Which::Latest => latest(versions).ok_or_else(|| {
                Error::new(Kind::PromptNotFound, format!("every version of prompt '{id}' is archived"))
                    .with_context("prompt_id", id)
                    .with_hint("name the version that is meant")
            }),
            Which::Version(wanted) => {
                let version: Version = wanted.parse().map_err(|error: Error| {
                    let message = error.message().to_owned();
                    error.recast(Kind::VersionNotFound, message).with_context("prompt_id", id)
                })?;
                versions.get(&version).ok_or_else(|| no_version(id, wanted, versions))
            }
            Which::Label(label) => labelled(versions, label).ok_or_else(|| no_label(id, label, versions)),
        }
    }

    /// All versions of a prompt, the lowest first.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`].
    pub fn versions(&self, id: &str) -> Result<&Versions<T>> {
        self.entry(id).map(|entry| &entry.versions)
    }

    fn entry(&self, id: &str) -> Result<&Entry<T>> {
        self.prompts.get(id).ok_or_else(|| not_found(id, self.prompts.keys().map(PromptId::as_str)))
    }

    /// Whether the prompt exists, in this version if one is given.
    #[must_use]
    pub fn contains(&self, id: &str, version: Option<&str>) -> bool {
        self.prompts.get(id).is_some_and(|entry| {
            version.is_none_or(|version| {
                version.parse().is_ok_and(|version: Version| entry.versions.contains_key(&version))
            })
        })
    }

    /// Whether [`Registry::insert`] would add the prompt; not so where it is there with the same content.
    ///
    /// # Errors
    /// [`Kind::VersionConflict`] where the id and version exist, are no draft, and have other content.
    pub fn admits(&self, prompt: &Prompt) -> Result<bool> {
        match self.known(prompt) {
            Some(known) if known.status() != Status::Draft => same_content(known, prompt).map(|()| false),
            _ => Ok(true),
        }
    }

    /// Puts prompts in the place of those that are named, all or none. Others are not touched.
    ///
    /// # Errors
    /// [`Kind::VersionConflict`] where a new one has the id and version of another, and other content.
    pub fn exchange(&mut self, named: &[(PromptId, Version)], new: Vec<Arc<Compiled<T>>>) -> Result<()> {
        let named: HashSet<(&PromptId, &Version)> = named.iter().map(|(id, version)| (id, version)).collect();
        for compiled in &new {
            let Prompt { id, version, .. } = compiled.prompt();
            if !named.contains(&(id, version)) {
                self.admits(compiled.prompt())?;
            }
        }
        for (id, version) in named {
            self.prompts.get_mut(id).and_then(|entry| entry.versions.remove(version));
        }
        for compiled in new {
            self.put(compiled);
        }
        self.prompts.retain(|_, entry| !entry.versions.is_empty());
        Ok(())
    }

    /// Adds a prompt; gives whether it did. What exists already with the same content is left as it is; a draft is
    /// replaced.
    ///
    /// # Errors
    /// As [`Registry::admits`].
    pub fn insert(&mut self, compiled: Arc<Compiled<T>>) -> Result<bool> {
        let admitted = self.admits(compiled.prompt())?;
        if admitted {
            self.put(compiled);
        }
        Ok(admitted)
    }

    /// Adds a prompt, or puts it in the place of the same content: its status, metadata and times are the new ones.
    ///
    /// # Errors
    /// As [`Registry::admits`].
    pub fn keep(&mut self, compiled: Arc<Compiled<T>>) -> Result<()> {
        self.admits(compiled.prompt())?;
        self.put(compiled);
        Ok(())
    }

    /// Whether [`Registry::update`] would take the prompt.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`] and [`Kind::VersionNotFound`] where it is not there; [`Kind::VersionConflict`] where it
    /// is no draft, and the new one has other content or is one.
    pub fn allows(&self, prompt: &Prompt) -> Result<()> {
        let Prompt { id, version, .. } = prompt;
        let versions = self.versions(id.as_str())?;
        let known =
            versions.get(version).ok_or_else(|| no_version(id.as_str(), &version.to_string(), versions))?;
        if known.status() == Status::Draft {
            return Ok(());
        }
        same_content(known, prompt)?;
        if prompt.status == Status::Draft {
            let was = known.status();
            let message =
                format!("version {version} of prompt '{id}' is {was} and cannot become a draft again");
            return Err(conflict(prompt, message).with_hint("raise the version for a new draft"));
        }
        Ok(())
    }

    /// Puts a prompt in the place of the version that is there: a draft whole, any other only with another status,
    /// other metadata and other times.
    ///
    /// # Errors
    /// As [`Registry::allows`].
    pub fn update(&mut self, compiled: Arc<Compiled<T>>) -> Result<()> {
        self.allows(compiled.prompt())?;
        self.put(compiled);
        Ok(())
    }

    fn known(&self, prompt: &Prompt) -> Option<&Arc<Compiled<T>>> {
        self.prompts.get(&prompt.id)?.versions.get(&prompt.version)
    }

    /// Puts a prompt into its place, with the labels that point at it.
    fn put(&mut self, compiled: Arc<Compiled<T>>) {
        let Prompt { id, version, .. } = compiled.prompt();
        let (id, version) = (id.clone(), version.clone());
        let entry = self.prompts.entry(id).or_default();
        let compiled = relabelled(&compiled, &entry.moves.current()).unwrap_or(compiled);
        entry.versions.insert(version, compiled);
    }

    /// Moves a label to a version, or takes it off; gives the move. Where the label points there already, the move is
    /// from the version to itself, and not noted.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] for a name that no label can have; [`Kind::PromptNotFound`];
    /// [`Kind::VersionNotFound`] for a version that is not there, or a label to take off that is not.
    pub fn set_label(
        &mut self,
        id: &str,
        label: &str,
        version: Option<&str>,
        author: Option<&str>,
        now: Timestamp,
    ) -> Result<LabelMove> {
        let version = self.allows_label(id, label, version)?;
        let previous = labelled(self.versions(id)?, label).map(|compiled| compiled.prompt().version.clone());
        let made = LabelMove {
            label: label.to_owned(),
            version,
            previous,
            moved_at: now,
            author: author.map(str::to_owned),
        };
        let Some(entry) = self.prompts.get_mut(id).filter(|_| made.version != made.previous) else {
            return Ok(made);
        };
        let made = entry.moves.push(made).clone();
        entry.relabel();
        Ok(made)
    }

    /// Whether [`Registry::set_label`] would move the label so; gives the version.
    ///
    /// # Errors
    /// As [`Registry::set_label`].
    pub fn allows_label(&self, id: &str, label: &str, version: Option<&str>) -> Result<Option<Version>> {
        check_label(label).map_err(|error| error.with_context("prompt_id", id))?;
        match version {
            Some(version) => {
                self.get(id, Which::Version(version)).map(|compiled| Some(compiled.prompt().version.clone()))
            }
            None => self.get(id, Which::Label(label)).map(|_| None),
        }
    }

    /// Takes over a move that a storage made.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`].
    pub fn note_move(&mut self, id: &str, made: LabelMove) -> Result<()> {
        self.entry(id)?;
        let moved = made.version != made.previous;
        if let Some(entry) = self.prompts.get_mut(id).filter(|_| moved) {
            entry.moves.push(made);
            entry.relabel();
        }
        Ok(())
    }

    /// Takes over the whole history of a prompt's labels, oldest move first.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`].
    pub fn set_moves(&mut self, id: &str, moves: Moves) -> Result<()> {
        self.entry(id)?;
        if let Some(entry) = self.prompts.get_mut(id) {
            entry.moves = moves;
            entry.relabel();
        }
        Ok(())
    }

    /// The moves of a prompt's labels.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`].
    pub fn moves(&self, id: &str) -> Result<&Moves> {
        self.entry(id).map(|entry| &entry.moves)
    }

    /// Where a rollback takes a label; see [`Moves::before`].
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`].
    pub fn before(&self, id: &str, label: &str, moves: &Moves) -> Result<Version> {
        let versions = self.versions(id)?;
        moves.before(id, label, |version| versions.contains_key(version))
    }

    /// Removes one version of a prompt, or all; gives the moves that took its labels off. With its last version goes
    /// the history of the labels.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`].
    pub fn remove(&mut self, id: &str, version: Option<&str>, now: Timestamp) -> Result<Vec<LabelMove>> {
        let Some(version) = version else {
            self.versions(id)?;
            self.prompts.remove(id);
            return Ok(Vec::new());
        };
        let compiled = Arc::clone(self.get(id, Which::Version(version))?);
        let version = &compiled.prompt().version;
        let Some(entry) = self.prompts.get_mut(id) else { return Ok(Vec::new()) };
        let labels: Vec<String> = compiled
            .prompt()
            .labels
            .iter()
            // Of two versions whose files name a label, it points at the higher.
            .filter(|label| labelled(&entry.versions, label).is_some_and(|held| Arc::ptr_eq(held, &compiled)))
            .cloned()
            .collect();
        entry.versions.remove(version);
        if entry.versions.is_empty() {
            self.prompts.remove(id);
            return Ok(Vec::new());
        }
        let off = labels.into_iter().map(|label| LabelMove {
            label,
            version: None,
            previous: Some(version.clone()),
            moved_at: now,
            author: None,
        });
        let off = off.map(|made| entry.moves.push(made).clone()).collect();
        entry.relabel();
        Ok(off)
    }

    /// Every version of every prompt, by id and version.
    #[must_use]
    pub fn all(&self) -> Vec<&Arc<Compiled<T>>> {
        let mut found: Vec<_> = self.prompts.values().flat_map(|entry| entry.versions.values()).collect();
        found.sort_by(|a, b| a.prompt().id.cmp(&b.prompt().id));
        found
    }

    /// The latest version of every prompt, or the one that the label points at, where it fits; by id.
    #[must_use]
    pub fn find(&self, filter: &Filter<'_>) -> Vec<&Arc<Compiled<T>>> {
        let words: Vec<String> =
            filter.text.unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
        let mut found: Vec<_> = self
            .prompts
            .values()
            .filter_map(|entry| match filter.label {
                None => latest(&entry.versions),
                Some(label) => labelled(&entry.versions, label),
            })
            .filter(|compiled| fits(compiled.prompt(), filter) && holds(compiled.prompt(), &words))
            .collect();
        found.sort_unstable_by(|a, b| a.prompt().id.cmp(&b.prompt().id));
        found
    }

    /// The status of every prompt: that of its latest version, or archived where all are.
    pub fn statuses(&self) -> impl Iterator<Item = Status> {
        let status =
            |entry: &Entry<T>| latest(&entry.versions).map_or(Status::Archived, |latest| latest.status());
        self.prompts.values().map(status)
    }

    /// The ids, in no order.
    pub fn ids(&self) -> impl Iterator<Item = &PromptId> {
        self.prompts.keys()
    }

    /// How many ids there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.prompts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prompts.is_empty()
    }
}

impl<T> Default for Entry<T> {
    fn default() -> Self {
        Self { versions: BTreeMap::new(), moves: Moves::default() }
    }
}

impl<T: Text> Entry<T> {
    /// Gives every version the labels that the moves give it.
    fn relabel(&mut self) {
        let current = self.moves.current();
        for place in self.versions.values_mut() {
            if let Some(relabelled) = relabelled(place, &current) {
                *place = relabelled;
            }
        }
    }
}

/// The prompt with the labels that the moves give it; nothing where it has them.
fn relabelled<T: Text>(
    compiled: &Compiled<T>,
    current: &BTreeMap<&str, Option<&Version>>,
) -> Option<Arc<Compiled<T>>> {
    let Prompt { labels, version, .. } = compiled.prompt();
    let mut right = labels.clone();
    for (label, target) in current {
        let has = right.iter().position(|known| known == label);
        match (has, *target == Some(version)) {
            (Some(at), false) => drop(right.remove(at)),
            (None, true) => right.push((*label).to_owned()),
            (Some(_), true) | (None, false) => {}
        }
    }
    (right != *labels).then(|| Arc::new(compiled.with_labels(right)))
}

fn latest<T: Text>(versions: &Versions<T>) -> Option<&Arc<Compiled<T>>> {
    // One version is the usual case, and an active one at the end the next.
    let of = |wanted: fn(Status) -> bool| move |compiled: &&Arc<Compiled<T>>| wanted(compiled.status());
    let active = versions.values().rev().find(of(|status| status == Status::Active));
    active.or_else(|| versions.values().rev().find(of(|status| status != Status::Archived)))
}

/// The version that a label points at: of several whose files name it, the highest.
fn labelled<'v, T: Text>(versions: &'v Versions<T>, label: &str) -> Option<&'v Arc<Compiled<T>>> {
    versions.values().rev().find(|compiled| compiled.prompt().labels.iter().any(|known| known == label))
}

fn fits(prompt: &Prompt, filter: &Filter<'_>) -> bool {
    filter.status.is_none_or(|status| prompt.status == status)
        && filter.format.is_none_or(|format| prompt.format == format)
        && filter.category.is_none_or(|category| prompt.metadata.category() == Some(category))
        && filter.tags.iter().all(|tag| prompt.metadata.tags().any(|known| known == *tag))
}

/// Whether each of the words, in lower case, stands somewhere in the prompt.
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

/// The error about an id that is not there, with the one that is near.
pub(super) fn not_found<'k>(id: &str, known: impl IntoIterator<Item = &'k str>) -> Error {
    let error =
        Error::new(Kind::PromptNotFound, format!("there is no prompt '{id}'")).with_context("prompt_id", id);
    match nearest(id, known) {
        Some(near) => error.with_hint(format!("did you mean '{near}'?")),
        None => error,
    }
}

/// The error about a version that is not there, with those that are.
pub(super) fn no_version<V>(id: &str, wanted: &str, versions: &BTreeMap<Version, V>) -> Error {
    let known: Vec<String> = versions.keys().rev().take(5).map(ToString::to_string).collect();
    let known = match known.as_slice() {
        [only] => format!("its only version is {only}"),
        newest => format!("its newest versions are {}", newest.join(", ")),
    };
    Error::new(Kind::VersionNotFound, format!("prompt '{id}' has no version {wanted}"))
        .with_context("prompt_id", id)
        .with_context("version", wanted)
        .with_hint(known)
}

fn no_label<T: Text>(id: &str, label: &str, versions: &Versions<T>) -> Error {
    let error = Error::new(Kind::VersionNotFound, format!("prompt '{id}' has no label '{label}'"))
        .with_context("prompt_id", id)
        .with_context("label", label);
    let known = versions.values().flat_map(|compiled| &compiled.prompt().labels).map(String::as_str);
    match nearest(label, known) {
        Some(near) => error.with_hint(format!("did you mean '{near}'?")),
        None => error,
    }
}

fn conflict(prompt: &Prompt, message: String) -> Error {
    Error::new(Kind::VersionConflict, message)
        .with_context("prompt_id", prompt.id.as_str())
        .with_context("version", prompt.version.to_string())
}

fn same_content<T: Text>(known: &Compiled<T>, prompt: &Prompt) -> Result<()> {
    let same = known.prompt().content_hash(None) == prompt.content_hash(None);
    if same { Ok(()) } else { Err(other_content(prompt)) }
}

/// The error about a version that is there with other content.
pub(super) fn other_content(prompt: &Prompt) -> Error {
    let Prompt { id, version, .. } = prompt;
    let message = format!("prompt '{id}' has a version {version} already, with other content");
    conflict(prompt, message).with_hint("a version that is no draft never changes: raise the version")
}
