//! Version bumps: which number increases, and what happens to a pre-release.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::Version;
use crate::de::shown;
use crate::error::{Error, Kind, Result};

/// The size of a version bump, ordered from none to major.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    /// No bump: the model receives the same content.
    None,
    /// A change of wording.
    Patch,
    /// A change that callers may use but can ignore.
    Minor,
    /// A change that callers must adapt to.
    Major,
}

impl Bump {
    /// The lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

impl fmt::Display for Bump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Bump {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found =
            [Self::None, Self::Patch, Self::Minor, Self::Major].into_iter().find(|b| b.as_str() == text);
        found.ok_or_else(|| {
            Error::new(Kind::PromptInvalid, format!("unknown bump {}", shown(text)))
                .with_hint("write major, minor or patch")
        })
    }
}

impl Version {
    /// The next version when a person chooses the bump. A pre-release becomes its release if that is a large enough
    /// bump: `2.0.0-rc.1` raised by major, minor or patch is `2.0.0`, and `1.2.3-rc.1` raised by minor is `1.3.0`.
    ///
    /// # Errors
    /// [`Kind::PromptInvalid`] if a number would be too large.
    pub fn raise(&self, bump: Bump) -> Result<Self> {
        if !self.pre_release().is_empty() && self.is_pre_release_of(bump) {
            return Ok(Self::new(self.major(), self.minor(), self.patch()));
        }
        let next = |number: u64| {
            number.checked_add(1).ok_or_else(|| {
                Error::new(
                    Kind::PromptInvalid,
                    format!("version {self} cannot be raised: its numbers are too large"),
                )
            })
        };
        Ok(match bump {
            Bump::None => self.clone(),
            Bump::Patch => Self::new(self.major(), self.minor(), next(self.patch())?),
            Bump::Minor => Self::new(self.major(), next(self.minor())?, 0),
            Bump::Major => Self::new(next(self.major())?, 0, 0),
        })
    }

    /// The next version when the bump follows from a diff. A pre-release is followed by the next pre-release, of a
    /// higher release if the change requires it. Before 1.0.0, where anything may change, the major number stays 0.
    ///
    /// # Errors
    /// As [`Version::raise`].
    pub fn raise_for_change(&self, change: Bump) -> Result<Self> {
        let change = if self.major() == 0 { change.min(Bump::Minor) } else { change };
        if change == Bump::None {
            return Ok(self.clone());
        }
        if self.pre_release().is_empty() {
            return self.raise(change);
        }
        if self.is_pre_release_of(change) {
            let release = Self::new(self.major(), self.minor(), self.patch());
            return format!("{release}-{}", next_pre_release(self.pre_release())).parse();
        }
        let word = self.pre_release().split('.').next().unwrap_or_default();
        let first =
            if word.bytes().all(|byte| byte.is_ascii_digit()) { "1".to_owned() } else { format!("{word}.1") };
        format!("{}-{first}", self.raise(change)?).parse()
    }

    /// Whether the release of this pre-release is at least such a bump above the release before it.
    fn is_pre_release_of(&self, bump: Bump) -> bool {
        match bump {
            Bump::None | Bump::Patch => true,
            Bump::Minor => self.patch() == 0,
            Bump::Major => self.patch() == 0 && self.minor() == 0,
        }
    }
}

/// The next pre-release: `rc.2` after `rc.1`, `rc.1` after `rc`.
fn next_pre_release(text: &str) -> String {
    let (stem, last) = text.rsplit_once('.').map_or(("", text), |(stem, last)| (stem, last));
    let next = last.parse::<u64>().ok().and_then(|number| number.checked_add(1));
    match (stem, next) {
        ("", Some(next)) => next.to_string(),
        (stem, Some(next)) => format!("{stem}.{next}"),
        (_, None) => format!("{text}.1"),
    }
}
