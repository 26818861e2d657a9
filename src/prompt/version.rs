//! The version of a prompt: a semantic version without build metadata, which has no order.

use std::fmt;
use std::str::FromStr;

use crate::de::{shown, text_serde};
use crate::error::{Error, Kind, Result};

/// A semantic version such as `1.2.0` or `2.0.0-rc.1`, with the order of semantic versions.
///
/// ```
/// use prompt_manager::prompt::Version;
///
/// let (candidate, release): (Version, Version) = ("2.0.0-rc.1".parse()?, "2.0.0".parse()?);
/// assert!(candidate < release);
/// assert!("1.0".parse::<Version>().is_err());
/// # Ok::<(), prompt_manager::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(semver::Version);

impl Version {
    /// Makes a release.
    #[must_use]
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self(semver::Version::new(major, minor, patch))
    }

    /// The major number.
    #[must_use]
    pub fn major(&self) -> u64 {
        self.0.major
    }

    /// The minor number.
    #[must_use]
    pub fn minor(&self) -> u64 {
        self.0.minor
    }

    /// The patch number.
    #[must_use]
    pub fn patch(&self) -> u64 {
        self.0.patch
    }

    /// The part after the hyphen; empty in a release.
    #[must_use]
    pub fn pre_release(&self) -> &str {
        self.0.pre.as_str()
    }
}

impl Default for Version {
    /// 1.0.0
    fn default() -> Self {
        Self::new(1, 0, 0)
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let error = |why: &str| {
            let hint = if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
                "write three numbers, such as 1.0.0; a name such as `production` is a label"
            } else {
                "write three numbers, such as 1.0.0 or \"1.0.0\"; a pre-release is 1.0.0-rc.1"
            };
            Error::new(Kind::PromptInvalid, format!("{} is not a version: {why}", shown(text)))
                .with_hint(hint)
        };
        if text.contains('+') {
            return Err(error("build metadata is not allowed, because it has no order"));
        }
        match semver::Version::parse(text) {
            Ok(version) => Ok(Self(version)),
            Err(_) if text.split('.').count() < 3 => Err(error("it needs three numbers")),
            Err(parse) => Err(error(&parse.to_string())),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_serde!(Version);
