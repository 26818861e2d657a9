//! Which version a label of one prompt points at, and where it pointed before.
//!
//! Storages and the registry keep the moves of labels; a prompt's file may name labels too. A label that was ever
//! moved is where its last move left it, whatever files say; one that was not is where the files say. These rules exist
//! only here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::errors::no_label;
use crate::error::{Error, Kind, Result, nearest};
use crate::prompt::{Prompt, Version, check_label};

/// One move of a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelMove {
    /// The label.
    pub label: String,
    /// Where it points since this move; `None` if it was removed.
    pub version: Option<Version>,
    /// Where it pointed before, if anywhere.
    pub previous: Option<Version>,
    /// When; never earlier than the move before it.
    pub moved_at: Timestamp,
    /// Who moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
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

    /// The moves of one label, or of all; the oldest first.
    #[must_use]
    pub fn history(&self, label: Option<&str>) -> Vec<LabelMove> {
        self.moves.iter().filter(|one| label.is_none_or(|label| one.label == label)).cloned().collect()
    }

    /// Whether the label was ever moved.
    #[must_use]
    pub fn knows(&self, label: &str) -> bool {
        self.moves.iter().any(|one| one.label == label)
    }

    /// Where each label that was moved points now.
    fn targets(&self) -> BTreeMap<&str, Option<&Version>> {
        self.moves.iter().map(|one| (one.label.as_str(), one.version.as_ref())).collect()
    }

    /// The labels that point at a version whose file names these; `None` where they are the same.
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

    /// Gives a prompt the labels that point at it.
    pub fn apply(&self, prompt: &mut Prompt) {
        if let Some(right) = self.of(&prompt.version, &prompt.labels) {
            prompt.labels = right;
        }
    }

    /// Adds a move. A clock that went backwards does not turn the order of the times.
    pub fn push(&mut self, mut made: LabelMove) -> &LabelMove {
        if let Some(last) = self.moves.last() {
            made.moved_at = made.moved_at.max(last.moved_at);
        }
        self.moves.push(made);
        &self.moves[self.moves.len() - 1]
    }

    /// Points a label at a version, or with none takes it off. Returns the move, and whether anything changed.
    ///
    /// `written` is where the prompt's files say that it points; it counts where the label was never moved. The clock
    /// may have been set back: no move is recorded as earlier than the one before.
    ///
    /// # Errors
    /// [`crate::Kind::VersionNotFound`] where a label that points nowhere is to be taken off;
    /// [`crate::Kind::PromptInvalid`] for a name that no label can have.
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

    /// Takes off the labels that point at a version that is gone; gives the moves. Its file named these.
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

    /// Where a rollback takes a label: to what it pointed at before the version that it points at now, and so one
    /// step further with each rollback, as an undo does. Versions that are no longer there are passed over.
    ///
    /// # Errors
    /// [`Kind::VersionNotFound`] where the label was never moved or nothing is before.
    pub fn rollback_target(
        &self,
        id: &str,
        label: &str,
        is_there: impl Fn(&Version) -> bool,
    ) -> Result<Version> {
        let mut trail: Vec<Option<&Version>> = Vec::new();
        for made in self.moves.iter().filter(|made| made.label == label) {
            if trail.is_empty() {
                trail.push(made.previous.as_ref());
            }
            let to = made.version.as_ref();
            if trail.len() > 1 && to.is_some() && trail[trail.len() - 2] == to {
                // Back where it came from: what was undone is forgotten.
                trail.pop();
            } else {
                trail.push(to);
            }
        }
        trail.pop();
        let before = trail.into_iter().rev().flatten().find(|version| is_there(version)).cloned();
        before.ok_or_else(|| {
            let message = match self.moves.iter().find(|made| made.label == label) {
                Some(_) => {
                    format!("label '{label}' of prompt '{id}' points at its first version: nothing is before")
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
                None => error,
            }
        })
    }
}

/// What a move of a label asks for.
#[derive(Debug, Clone, Copy)]
pub struct LabelRequest<'a> {
    /// The label.
    pub label: &'a str,
    /// Where it is to point; nowhere if absent.
    pub version: Option<&'a Version>,
    /// Who moves it.
    pub author: Option<&'a str>,
}
