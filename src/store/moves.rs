//! The moves of a prompt's labels: what each points at, what it pointed at, and what a rollback goes back to.
//!
//! A label that was never moved points at whatever version's file names it. From its first move on, the moves alone
//! count.

use std::collections::BTreeMap;

use super::labels::LabelMove;
use crate::error::{Error, Kind, Result, nearest};
use crate::prompt::Version;

/// The moves of one prompt's labels, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moves(Vec<LabelMove>);

impl Moves {
    /// These moves, in the order in which they were made.
    #[must_use]
    pub fn new(moves: Vec<LabelMove>) -> Self {
        Self(moves)
    }

    /// All moves, or those of one label; oldest first.
    #[must_use]
    pub fn of(&self, label: Option<&str>) -> Vec<&LabelMove> {
        self.0.iter().filter(|made| label.is_none_or(|label| made.label == label)).collect()
    }

    /// The last move of a label.
    #[must_use]
    pub fn last(&self, label: &str) -> Option<&LabelMove> {
        self.0.iter().rev().find(|made| made.label == label)
    }

    /// Every label that was ever moved, with where it points now.
    #[must_use]
    pub fn current(&self) -> BTreeMap<&str, Option<&Version>> {
        self.0.iter().map(|made| (made.label.as_str(), made.version.as_ref())).collect()
    }

    /// Adds a move. A clock that went backwards does not turn the order of the times.
    pub fn push(&mut self, mut made: LabelMove) -> &LabelMove {
        if let Some(last) = self.0.last() {
            made.moved_at = made.moved_at.max(last.moved_at);
        }
        self.0.push(made);
        &self.0[self.0.len() - 1]
    }

    /// Where a rollback takes a label: to what it pointed at before the version that it points at now, and so one
    /// step further with each rollback, as an undo does. Versions that are no longer there are passed over.
    ///
    /// # Errors
    /// [`Kind::VersionNotFound`] where the label was never moved or nothing is before.
    pub fn before(&self, id: &str, label: &str, is_there: impl Fn(&Version) -> bool) -> Result<Version> {
        let mut trail: Vec<Option<&Version>> = Vec::new();
        for made in self.0.iter().filter(|made| made.label == label) {
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
            let message = match self.last(label) {
                Some(_) => {
                    format!("label '{label}' of prompt '{id}' points at its first version: nothing is before")
                }
                None => format!("label '{label}' of prompt '{id}' was never moved"),
            };
            let error = Error::new(Kind::VersionNotFound, message)
                .with_context("prompt_id", id)
                .with_context("label", label);
            let near =
                nearest(label, self.0.iter().map(|made| made.label.as_str())).filter(|near| *near != label);
            match near {
                Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                None => error,
            }
        })
    }
}
