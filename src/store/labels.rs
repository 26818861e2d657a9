//! The labels of one prompt: the version that each points at, and its earlier versions.
//!
//! Storages and the registry keep the moves of labels. A prompt's file can name labels too. A label that was moved
//! points where its last move put it, even if files differ. A label that was never moved points where the files put it.
//! These rules exist only here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::errors::no_label;
use crate::error::{Error, Kind, Result, nearest};
use crate::prompt::{Prompt, Version, check_label};

/// How often a store or a directory is read again while labels point at versions that were not found.
///
/// The files are not read at one moment. A label may have moved to a version that came after the directory was listed, so
/// the versions are read again after the labels; and that version may have been deleted since, so the labels are too.
pub(super) const LABEL_ROUNDS: usize = 2;

/// One move of a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelMove {
    /// The label.
    pub label: String,
    /// The version that it points at since this move. `None` if the label was removed.
    pub version: Option<Version>,
    /// The version that it pointed at before, if any.
    pub previous: Option<Version>,
    /// The time. It is never earlier than that of the move before.
    pub moved_at: Timestamp,
    /// Who moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// Tells of a move, as a `tracing` event.
pub fn tell_of_move(id: &str, made: &LabelMove) {
    let version = made.version.as_ref().map(ToString::to_string);
    let previous = made.previous.as_ref().map(ToString::to_string);
    tracing::info!(prompt = id, label = made.label, version, previous, "moved a label");
}

/// The moves of a prompt's labels, the oldest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    moves: Vec<LabelMove>,
}

impl Labels {
    /// These moves, in the order in which they were made.
    #[must_use]
    pub fn new(moves: Vec<LabelMove>) -> Self {
        Self { moves }
    }

    /// The moves of one label, or of all labels, oldest first.
    #[must_use]
    pub fn history(&self, label: Option<&str>) -> Vec<LabelMove> {
        self.moves.iter().filter(|one| label.is_none_or(|label| one.label == label)).cloned().collect()
    }

    /// Whether the label was ever moved.
    #[must_use]
    pub fn knows(&self, label: &str) -> bool {
        self.moves.iter().any(|one| one.label == label)
    }

    /// The version that each moved label points at now.
    pub(super) fn targets(&self) -> BTreeMap<&str, Option<&Version>> {
        self.moves.iter().map(|one| (one.label.as_str(), one.version.as_ref())).collect()
    }

    /// The labels that point at a version which does not exist.
    pub(super) fn lost(&self, exists: impl Fn(&Version) -> bool) -> BTreeSet<(&str, &Version)> {
        let targets = self.targets().into_iter();
        targets.filter_map(|(label, version)| Some((label, version?))).filter(|it| !exists(it.1)).collect()
    }

    /// The labels that point at a version whose file names the labels `written`. `None` if they are the same.
    #[must_use]
    pub fn of(&self, version: &Version, written: &[String]) -> Option<Vec<String>> {
        if self.moves.is_empty() {
            return None;
        }
        let targets = self.targets();
        let points_here = |label: &str| targets.get(label).map(|target| *target == Some(version));
        let mut right = written.to_vec();
        right.retain(|label| points_here(label).unwrap_or(true));
        for (label, target) in &targets {
            if *target == Some(version) && !right.iter().any(|known| known == label) {
                right.push((*label).to_owned());
            }
        }
        (right != written).then_some(right)
    }

    /// Sets the labels of a prompt to those that point at it.
    pub fn apply(&self, prompt: &mut Prompt) {
        if let Some(right) = self.of(&prompt.version, &prompt.labels) {
            prompt.labels = right;
        }
    }

    /// Adds a move. Its time is at least that of the last move, even if the clock was set back.
    pub fn push(&mut self, mut made: LabelMove) -> &LabelMove {
        if let Some(last) = self.moves.last() {
            made.moved_at = made.moved_at.max(last.moved_at);
        }
        self.moves.push(made);
        &self.moves[self.moves.len() - 1]
    }

    /// Points a label at a version. Without a version, removes the label. Returns the move, and whether anything
    /// changed.
    ///
    /// `written` is the version whose file names the label. It counts if the label was never moved. A move is never
    /// recorded as earlier than the one before, even if the clock was set back.
    ///
    /// # Errors
    /// [`crate::Kind::VersionNotFound`] if the label to remove does not exist; [`crate::Kind::PromptInvalid`] for an
    /// invalid name of a label.
    pub fn set(
        &mut self,
        id: &str,
        request: LabelRequest<'_>,
        written: Option<&Version>,
    ) -> Result<(LabelMove, bool)> {
        let LabelRequest { label, version, author } = request;
        check_label(label)?;
        let previous = match self.targets().get(label) {
            Some(target) => *target,
            None => written,
        };
        if version.is_none() && previous.is_none() {
            return Err(no_label(id, label, self.targets().into_keys()));
        }
        let moved = LabelMove {
            label: label.to_owned(),
            version: version.cloned(),
            previous: previous.cloned(),
            moved_at: Timestamp::now(),
            author: author.map(str::to_owned),
        };
        if version == previous {
            return Ok((moved, false));
        }
        Ok((self.push(moved).clone(), true))
    }

    /// Removes the labels that point at a deleted version, and returns the moves. `written` are the labels that its
    /// file named.
    pub fn forget(&mut self, version: &Version, written: &[String]) -> Vec<LabelMove> {
        let targets = self.targets();
        let never_moved = |label: &&String| !targets.contains_key(label.as_str());
        let mut gone: Vec<String> = written.iter().filter(never_moved).cloned().collect();
        let moved_here = targets.iter().filter(|(_, target)| **target == Some(version));
        gone.extend(moved_here.map(|(label, _)| (*label).to_owned()));
        let moved_at = Timestamp::now();
        let off = gone.into_iter().map(|label| LabelMove {
            label,
            version: None,
            previous: Some(version.clone()),
            moved_at,
            author: None,
        });
        off.map(|made| self.push(made).clone()).collect()
    }

    /// The version to which a rollback moves a label: the one before the version that it points at now. Each further
    /// rollback goes one step back, like an undo. Versions that no longer exist are skipped, and the label always moves.
    ///
    /// # Errors
    /// [`Kind::VersionNotFound`] if the label was never moved, or has no earlier version.
    pub fn rollback_target(
        &self,
        id: &str,
        label: &str,
        is_there: impl Fn(&Version) -> bool,
    ) -> Result<Version> {
        let mut trail: Vec<Option<&Version>> = Vec::new();
        let before = |trail: &[Option<&Version>]| {
            let (now, earlier) = trail.split_last()?;
            earlier.iter().rposition(|each| each != now && each.is_some_and(&is_there))
        };
        for made in self.moves.iter().filter(|made| made.label == label) {
            if trail.is_empty() {
                trail.push(made.previous.as_ref());
            }
            let to = made.version.as_ref();
            match before(&trail).filter(|at| trail[*at] == to) {
                // The label moved back, so the moves that this undid no longer count.
                Some(at) => trail.truncate(at + 1),
                None => trail.push(to),
            }
        }
        let before = before(&trail).and_then(|at| trail[at]).cloned();
        before.ok_or_else(|| {
            let message = match self.moves.iter().find(|made| made.label == label) {
                Some(_) => {
                    format!("label '{label}' of prompt '{id}' points at its first version, so there is no earlier one")
                }
                None => format!("label '{label}' of prompt '{id}' was never moved"),
            };
            let error = Error::new(Kind::VersionNotFound, message)
                .with_context("prompt_id", id)
                .with_context("label", label);
            let near = nearest(label, self.moves.iter().map(|made| made.label.as_str()))
                .filter(|near| *near != label);
            match near {
                Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                None if self.moves.iter().any(|made| made.label == label) => error,
                None => error.with_hint("a rollback undoes what `set_label` did, and nothing has set this label"),
            }
        })
    }
}

/// A requested move of a label.
#[derive(Debug, Clone, Copy)]
pub struct LabelRequest<'a> {
    /// The label.
    pub label: &'a str,
    /// The version to point at. `None` removes the label.
    pub version: Option<&'a Version>,
    /// Who moves it.
    pub author: Option<&'a str>,
}
