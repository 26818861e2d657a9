//! Which files of a directory are prompts, partials and schemas.
//!
//! | path | content |
//! |---|---|
//! | `**/*.yaml`, `**/*.yml`, in any case | prompts |
//! | `**/*.test.yaml` | tests of prompts, which are skipped |
//! | `partials/**/*.hbs` | partials that every prompt can include |
//! | `schemas/` | schemas, unless they are in another directory |
//! | `labels.yaml` | where labels point |
//!
//! Names that begin with a dot are skipped, and links are followed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::encoding::Encoding;
use super::errors::{reason, unreadable};
use super::regular_file::kind_name;
use crate::check::{Code, Finding};
use crate::error::{Error, Kind, Result};

/// The directory of the partials, below that of the prompts.
const PARTIALS: &str = "partials";

/// The extension of a partial, in any case.
const PARTIAL: &str = "hbs";

/// The directory of the schemas, below that of the prompts, where no other is given.
const SCHEMAS: &str = "schemas";

/// The name of the file of the labels, without its extension.
const LABELS: &str = "labels";

/// What the name of a file of tests ends in, before the extension.
const TESTS: &str = ".test";

/// The files of a directory of prompts, in the order of their paths.
#[derive(Debug, Default)]
pub(super) struct PromptTree {
    pub(super) prompts: Vec<PathBuf>,
    /// The partials by name: the path below their directory, without the extension.
    pub(super) partials: Vec<(String, PathBuf)>,
    /// The directory of the schemas, if there is one.
    pub(super) schemas: Option<PathBuf>,
    /// The files that tell where labels point; more than one is an error.
    pub(super) labels: Vec<PathBuf>,
    /// An error for each entry that cannot be read, and for each file in the wrong place.
    pub(super) errors: Vec<Error>,
    /// A warning for each entry that has the name of a prompt file and is none.
    pub(super) warnings: Vec<Finding>,
    /// The directories that contain the targets of links.
    pub(super) linked: Vec<PathBuf>,
}

impl PromptTree {
    /// Lists the files below a directory. `schemas` is the directory of the schemas, which may be inside.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] if the directory itself cannot be read.
    pub(super) fn find(root: &Path, schemas: Option<&Path>) -> Result<Self> {
        let default = || Some(root.join(SCHEMAS)).filter(|path| path.is_dir());
        let schemas = schemas.map(Path::to_owned).or_else(default);
        let skipped = schemas.as_deref().and_then(|schemas| inside(root, schemas));
        let found = walk(root, skipped.as_deref())?;
        let YamlFiles { files, errors, mut warnings, linked } = found;
        // The labels are in use until a file can be read, so this is an error when it is read.
        let is_of_labels = |finding: &mut Finding| {
            let file = finding.file.as_ref().map(Path::new);
            let below = file.and_then(|file| file.strip_prefix(root).ok());
            below.and_then(FileKind::of) == Some(FileKind::Labels)
        };
        let broken = warnings.extract_if(.., is_of_labels).filter_map(|finding| finding.file);
        let labels = broken.map(PathBuf::from).collect();
        let mut tree = Self { schemas, labels, errors, warnings, linked, ..Self::default() };
        for path in files {
            tree.sort_in(root, path);
        }
        Ok(tree)
    }

    fn sort_in(&mut self, root: &Path, path: PathBuf) {
        let below = path.strip_prefix(root).unwrap_or(&path);
        let kind = FileKind::of(below);
        if let Ok(partial) = below.strip_prefix(PARTIALS)
            && partial != Path::new("")
        {
            if kind == Some(FileKind::Partial) {
                match name_of(partial) {
                    Some(name) => self.partials.push((name, path)),
                    None => self.errors.push(unreadable("file", &path, "its path is not UTF-8 text")),
                }
            } else if kind.is_some() {
                let why = format!("a prompt file cannot be in `{PARTIALS}/`, which holds partials");
                let hint =
                    format!("move the prompt out of `{PARTIALS}/`; a partial is a file `NAME.{PARTIAL}`");
                self.errors.push(misplaced(&path, why, hint));
            }
            return;
        }
        match kind {
            Some(FileKind::Prompts) => self.prompts.push(path),
            Some(FileKind::Labels) => self.labels.push(path),
            // Not for a load of prompts.
            Some(FileKind::Tests | FileKind::Partial) | None => {}
        }
    }
}

/// What a file in a directory of prompts is, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Prompts, as YAML.
    Prompts,
    /// Tests of prompts.
    Tests,
    /// Where labels point.
    Labels,
    /// A partial.
    Partial,
}

impl FileKind {
    /// The kind of a file, by its path below the directory. `None` for other files.
    #[must_use]
    pub fn of(below: &Path) -> Option<Self> {
        if below.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(PARTIAL)) {
            return Some(Self::Partial);
        }
        let stem = below.file_stem().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match Encoding::of_path(below)? {
            Encoding::Json => None,
            Encoding::Yaml if stem.ends_with(TESTS) => Some(Self::Tests),
            Encoding::Yaml if stem == LABELS && below.parent() == Some(Path::new("")) => Some(Self::Labels),
            Encoding::Yaml => Some(Self::Prompts),
        }
    }

    /// The name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prompts => "prompts",
            Self::Tests => "tests",
            Self::Labels => "labels",
            Self::Partial => "partial",
        }
    }
}

/// The files of tests below a directory, in the order of their paths.
///
/// # Errors
/// [`Kind::StorageRead`] if the directory, or an entry below it, cannot be read, also because it is a pipe or the like.
pub fn test_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let is_of_tests = |path: &Path| FileKind::of(path) == Some(FileKind::Tests);
    let found = walk(directory, None)?;
    let of_tests =
        |finding: &&Finding| finding.file.as_ref().is_some_and(|file| is_of_tests(Path::new(file)));
    let warning = found.warnings.iter().find(of_tests);
    let refused = warning.map(|finding| Error::new(Kind::StorageRead, finding.message.clone()));
    match found.errors.into_iter().chain(refused).next() {
        Some(error) => Err(error),
        None => Ok(found.files.into_iter().filter(|path| is_of_tests(path)).collect()),
    }
}

/// The path of a directory below the root, as a walk from the root meets it; `None` if it is not below.
fn inside(root: &Path, directory: &Path) -> Option<PathBuf> {
    let (real_root, real) = (fs::canonicalize(root).ok()?, fs::canonicalize(directory).ok()?);
    let below = real.strip_prefix(real_root).ok()?;
    (below != Path::new("")).then(|| root.join(below))
}

fn name_of(partial: &Path) -> Option<String> {
    let path = partial.with_extension("");
    let parts = path.iter().map(OsStr::to_str).collect::<Option<Vec<_>>>()?;
    Some(parts.join("/"))
}

fn misplaced(path: &Path, why: String, hint: String) -> Error {
    let name = path.display().to_string();
    Error::new(Kind::PromptInvalid, why)
        .with_hint(hint)
        .with_place(crate::error::Place::of(Some(&name), "", 0))
        .with_context("path", name)
}

/// The YAML files below a directory, in the order of their paths.
#[derive(Debug, Default)]
pub(super) struct YamlFiles {
    pub(super) files: Vec<PathBuf>,
    /// An error for each entry that cannot be read.
    pub(super) errors: Vec<Error>,
    /// A warning for each entry that has the name of such a file and is none.
    pub(super) warnings: Vec<Finding>,
    /// The directories that contain the targets of links.
    pub(super) linked: Vec<PathBuf>,
}

impl YamlFiles {
    /// Lists them.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] if the directory itself cannot be read.
    pub(super) fn find(directory: &Path) -> Result<Self> {
        let mut found = walk(directory, None)?;
        found.files.retain(|path| Encoding::of_path(path) == Some(Encoding::Yaml));
        Ok(found)
    }
}

/// Whether a change of the file at this path can change what a load of prompts gives.
pub(super) fn is_of_prompts(path: &Path) -> bool {
    FileKind::of(path).is_some()
}

/// Lists all files below a directory, without those below the directory that is skipped.
fn walk(directory: &Path, skipped: Option<&Path>) -> Result<YamlFiles> {
    let kind = fs::metadata(directory)
        .map_err(|error| unreadable("directory", directory, &reason(&error)).with_cause(error))?;
    if !kind.is_dir() {
        return Err(unreadable("directory", directory, "it is not a directory"));
    }
    let mut found = YamlFiles::default();
    let is_wanted = |entry: &DirEntry| is_visible(entry) && skipped != Some(entry.path());
    for entry in WalkDir::new(directory).follow_links(true).into_iter().filter_entry(is_wanted) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let why = error.io_error().map_or_else(|| error.to_string(), reason);
                found.errors.push(unreadable("file", error.path().unwrap_or(directory), &why));
                continue;
            }
        };
        if !is_of_prompts(entry.path()) || entry.depth() == 0 {
            continue;
        }
        // Only plain files: reading a pipe would wait for a writer.
        if !entry.file_type().is_file() {
            found.warnings.push(not_a_file(&entry));
            continue;
        }
        if entry.path_is_symlink() {
            let target = fs::canonicalize(entry.path()).ok();
            found.linked.extend(target.and_then(|target| target.parent().map(Path::to_owned)));
        }
        found.files.push(entry.into_path());
    }
    found.files.sort_unstable();
    Ok(found)
}

/// The warning about an entry that has the name of a prompt file and is none.
fn not_a_file(entry: &DirEntry) -> Finding {
    let path = entry.path().display().to_string();
    let what = kind_name(entry.file_type());
    let finding = if entry.file_type().is_dir() {
        Finding::new(Code::NotAFile, format!("{path} is a directory with the name of a prompt file"))
            .with_hint("rename it; the files in it are loaded")
    } else {
        Finding::new(Code::NotAFile, format!("{path} is {what}, not a file, and was not read"))
            .with_hint("remove it, or give it another name")
    };
    Finding { file: Some(path), ..finding }
}

/// Whether the walk looks at an entry: its name begins with no dot, or it is the directory where the walk began.
fn is_visible(entry: &DirEntry) -> bool {
    entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
}
