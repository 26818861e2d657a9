//! Which version a label of one prompt points at, and where it pointed before.
//!
//! A storage keeps the moves of labels; a prompt's file may name labels too. A label that was ever moved is where its
//! last move left it, whatever files say; one that was not is where the files say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::prompt::{Prompt, Version, check_label};

use super::missing::no_label;

/// One move of a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelMove {
    /// The label.
    pub label: String,
    /// Where it points since; nowhere where it was taken off.
    pub version: Option<Version>,
    /// Where it pointed before, if anywhere.
    pub previous: Option<Version>,
    /// When; never before the move that stands before it.
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

    /// Gives a prompt the labels that point at it.
    pub fn apply(&self, prompt: &mut Prompt) {
        if self.moves.is_empty() {
            return;
        }
        let targets = self.targets();
        prompt.labels.retain(|label| {
            targets.get(label.as_str()).is_none_or(|target| *target == Some(&prompt.version))
        });
        for (label, target) in targets {
            if target == Some(&prompt.version) && !prompt.labels.iter().any(|known| known == label) {
                prompt.labels.push(label.to_owned());
            }
        }
    }

    /// Points a label at a version, or with none takes it off. Gives the move, and whether anything changed.
    ///
    /// `written` is where the prompt's files say that it points; it counts where the label was never moved. The clock
    /// may have been set back: no move is noted as earlier than the one before.
    ///
    /// # Errors
    /// [`crate::Kind::VersionNotFound`] where a label that points nowhere is to be taken off;
    /// [`crate::Kind::PromptInvalid`] for a name that no label can have.
    pub fn set(
        &mut self,
        id: &str,
        request: Request<'_>,
        written: Option<&Version>,
    ) -> Result<(LabelMove, bool)> {
        let Request { label, version, author } = request;
        check_label(label)?;
        let previous = match self.targets().get(label) {
            Some(target) => *target,
            None => written,
        };
        if version.is_none() && previous.is_none() {
            return Err(no_label(id, label));
        }
        let moved = LabelMove {
            label: label.to_owned(),
            version: version.cloned(),
            previous: previous.cloned(),
            moved_at: self.now(),
            author: author.map(str::to_owned),
        };
        if version == previous {
            return Ok((moved, false));
        }
        self.moves.push(moved.clone());
        Ok((moved, true))
    }

    /// Takes off the labels that point at a version that is gone. Whether there were any.
    pub fn forget(&mut self, version: &Version, written: &[String]) -> bool {
        let targets = self.targets();
        let mut gone: Vec<String> = targets
            .iter()
            .filter(|(_, target)| **target == Some(version))
            .map(|(label, _)| (*label).to_owned())
            .collect();
        gone.extend(written.iter().filter(|label| !targets.contains_key(label.as_str())).cloned());
        let moved_at = self.now();
        for label in &gone {
            self.moves.push(LabelMove {
                label: label.clone(),
                version: None,
                previous: Some(version.clone()),
                moved_at,
                author: None,
            });
        }
        !gone.is_empty()
    }

    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        self.moves.last().map_or(now, |last| last.moved_at.max(now))
    }
}

/// What a move of a label asks for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The label.
    pub label: &'a str,
    /// Where it is to point; nowhere if absent.
    pub version: Option<&'a Version>,
    /// Who moves it.
    pub author: Option<&'a str>,
}
