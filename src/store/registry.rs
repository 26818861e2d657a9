//! Compiled prompts by id and version, in memory.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::error::{Error, Kind, Result, nearest};
use crate::prompt::{Compiled, Prompt, PromptId, Status, Version};
use crate::template::Text;

/// Every prompt that was registered, in every version.
#[derive(Debug)]
pub struct Registry<T> {
    prompts: HashMap<PromptId, Versions<T>>,
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
                versions.get(&version).ok_or_else(|| {
                    let known: Vec<String> = versions.keys().rev().take(5).map(ToString::to_string).collect();
                    let known = match known.as_slice() {
                        [only] => format!("its only version is {only}"),
                        newest => format!("its newest versions are {}", newest.join(", ")),
                    };
                    Error::new(Kind::VersionNotFound, format!("prompt '{id}' has no version {wanted}"))
                        .with_context("prompt_id", id)
                        .with_context("version", wanted)
                        .with_hint(known)
                })
            }
            Which::Label(label) => versions
                .values()
                .rev()
                .find(|compiled| compiled.prompt().labels.iter().any(|known| known == label))
                .ok_or_else(|| {
                    Error::new(Kind::VersionNotFound, format!("prompt '{id}' has no label '{label}'"))
                        .with_context("prompt_id", id)
                        .with_context("label", label)
                }),
        }
    }

    /// All versions of a prompt, the lowest first.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`].
    pub fn versions(&self, id: &str) -> Result<&Versions<T>> {
        self.prompts.get(id).ok_or_else(|| {
            let error = Error::new(Kind::PromptNotFound, format!("there is no prompt '{id}'"))
                .with_context("prompt_id", id);
            match nearest(id, self.prompts.keys().map(PromptId::as_str)) {
                Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                None => error,
            }
        })
    }

    /// Whether the prompt exists, in this version if one is given.
    #[must_use]
    pub fn contains(&self, id: &str, version: Option<&str>) -> bool {
        self.prompts.get(id).is_some_and(|versions| {
            version.is_none_or(|version| {
                version.parse().is_ok_and(|version: Version| versions.contains_key(&version))
            })
        })
    }

    /// Adds a prompt. What exists already with the same content is left as it is; a draft is replaced, and given back.
    ///
    /// # Errors
    /// [`Kind::VersionConflict`] where the id and version exist, are no draft, and have other content.
    pub fn insert(&mut self, compiled: Arc<Compiled<T>>) -> Result<Option<Arc<Compiled<T>>>> {
        if !self.admits(compiled.prompt())? {
            return Ok(None);
        }
        let Prompt { id, version, .. } = compiled.prompt();
        Ok(self.prompts.entry(id.clone()).or_default().insert(version.clone(), compiled))
    }

    /// Takes back an [`Registry::insert`]: puts `before` in the place of `compiled`, or leaves the place empty. Where
    /// something else stands there by now, nothing changes.
    pub fn restore(&mut self, compiled: &Arc<Compiled<T>>, before: Option<Arc<Compiled<T>>>) {
        let Prompt { id, version, .. } = compiled.prompt();
        let Some(versions) = self.prompts.get_mut(id) else { return };
        if !versions.get(version).is_some_and(|known| Arc::ptr_eq(known, compiled)) {
            return;
        }
        match before {
            Some(before) => drop(versions.insert(version.clone(), before)),
            None => drop(versions.remove(version)),
        }
        if versions.is_empty() {
            self.prompts.remove(id);
        }
    }

    /// Whether the prompt is to be added: yes, unless it is there already.
    fn admits(&self, prompt: &Prompt) -> Result<bool> {
        let Prompt { id, version, .. } = prompt;
        let known = self.prompts.get(id).and_then(|versions| versions.get(version));
        let Some(known) = known.filter(|known| known.status() != Status::Draft) else { return Ok(true) };
        if known.prompt().content_hash(None) == prompt.content_hash(None) {
            return Ok(false);
        }
        Err(Error::new(
            Kind::VersionConflict,
            format!("prompt '{id}' has a version {version} already, with other content"),
        )
        .with_context("prompt_id", id.as_str())
        .with_context("version", version.to_string())
        .with_hint("a version that is no draft never changes: raise the version"))
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
            self.prompts.get_mut(id).and_then(|versions| versions.remove(version));
        }
        for compiled in new {
            let Prompt { id, version, .. } = compiled.prompt();
            self.prompts.entry(id.clone()).or_default().insert(version.clone(), compiled);
        }
        self.prompts.retain(|_, versions| !versions.is_empty());
        Ok(())
    }

    /// Removes one version of a prompt, or all.
    ///
    /// # Errors
    /// [`Kind::PromptNotFound`], [`Kind::VersionNotFound`].
    pub fn remove(&mut self, id: &str, version: Option<&str>) -> Result<()> {
        match version {
            None => self.versions(id).map(|_| ())?,
            Some(version) => {
                let version = self.get(id, Which::Version(version))?.prompt().version.clone();
                if let Some(versions) = self.prompts.get_mut(id) {
                    versions.remove(&version);
                    if !versions.is_empty() {
                        return Ok(());
                    }
                }
            }
        }
        self.prompts.remove(id);
        Ok(())
    }

    /// The latest version of every prompt that has one in use, by id.
    #[must_use]
    pub fn latest(&self) -> Vec<&Arc<Compiled<T>>> {
        let mut found: Vec<_> = self.prompts.values().filter_map(latest).collect();
        found.sort_unstable_by(|a, b| a.prompt().id.cmp(&b.prompt().id));
        found
    }

    /// Every version of every prompt, by id and version.
    #[must_use]
    pub fn all(&self) -> Vec<&Arc<Compiled<T>>> {
        let mut found: Vec<_> = self.prompts.values().flat_map(BTreeMap::values).collect();
        found.sort_by(|a, b| a.prompt().id.cmp(&b.prompt().id));
        found
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

fn latest<T: Text>(versions: &Versions<T>) -> Option<&Arc<Compiled<T>>> {
    // One version is the usual case, and an active one at the end the next.
    let of = |wanted: fn(Status) -> bool| move |compiled: &&Arc<Compiled<T>>| wanted(compiled.status());
    let active = versions.values().rev().find(of(|status| status == Status::Active));
    active.or_else(|| versions.values().rev().find(of(|status| status != Status::Archived)))
}
