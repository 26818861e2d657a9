//! Checks a directory of prompts, and the prompts that are registered beside it.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory::{self, LoadedDirectory, id_of};
use super::ignore_comments::hide_ignored;
use super::yaml;
use crate::check::{
    CheckOptions, CheckedDirectory, DirectoryPartial, DirectoryPrompt, Finding, Severity, check_directory,
    check_fully, find_secrets, fix_of_error,
};
use crate::de::yaml::source_text;
use crate::error::Result;
use crate::prompt::{Compiled, Prompt};
use crate::template::{Library, TemplateOptions, Text};

/// Runs every rule on the files of a directory as they are now, and on the registered prompts that come from elsewhere.
/// The findings are sorted by file and place.
///
/// # Errors
/// [`crate::Kind::StorageRead`] if the directory itself cannot be read.
pub fn check<T: Text>(
    path: Option<&Path>,
    schemas: Option<&Path>,
    template_options: &TemplateOptions,
    engine: &(dyn Library<T> + Sync),
    registered: &[Arc<Compiled<T>>],
    options: &CheckOptions,
) -> Result<Vec<Finding>> {
    let mut loaded: LoadedDirectory<T> = match path {
        Some(path) => directory::load_for_check(path, schemas, template_options, engine, options)?,
        None => LoadedDirectory::default(),
    };
    let is_whole = loaded.errors.is_empty();
    let partial_names: Vec<String> =
        loaded.partial_files.iter().map(|(_, path)| path.display().to_string()).collect();
    let partials: Vec<DirectoryPartial<'_>> = loaded
        .partial_files
        .iter()
        .zip(&partial_names)
        .filter_map(|((name, _), file)| {
            Some(DirectoryPartial { name, file, source: loaded.partials.get(name.as_str())?.source() })
        })
        .collect();
    let in_files: HashSet<_> = loaded.prompts.iter().map(|compiled| key(compiled.prompt())).collect();
    let mut prompts: Vec<DirectoryPrompt<'_>> = loaded
        .prompts
        .iter()
        .zip(&loaded.sources)
        .map(|(compiled, source)| DirectoryPrompt { prompt: compiled.prompt(), source: Some(&**source) })
        .collect();
    let others =
        registered.iter().map(|compiled| compiled.prompt()).filter(|prompt| !in_files.contains(&key(prompt)));
    prompts.extend(others.map(|prompt| DirectoryPrompt { prompt, source: None }));
    let template_options = template_options.clone();
    let checked = CheckedDirectory { prompts, partials, is_whole, template_options, options };
    let mut between = check_directory(&checked);
    between.extend(checked.partials.iter().flat_map(|partial| find_secrets(partial.file, partial.source)));
    let broken: HashSet<String> =
        loaded.errors.iter().map(Finding::of_error).filter_map(|finding| finding.prompt_id).collect();
    let is_checked =
        |prompt: &Prompt| !broken.contains(prompt.id.as_str()) && !in_files.contains(&key(prompt));
    let of_registry: Vec<Finding> = registered
        .iter()
        .filter(|compiled| is_checked(compiled.prompt()))
        .flat_map(|compiled| check_fully(compiled, engine, None, &loaded.schemas, options))
        .collect();
    drop((checked, in_files));
    loaded.warnings.extend(between);
    let mut found = loaded.findings(true);
    if options.fixes {
        add_fixes_of_errors(&mut found);
    }
    hide_ignored(&mut found);
    found.extend(of_registry);
    Ok(found)
}

/// Adds the fixes of errors. The files are read again, because a file with an error is not kept.
fn add_fixes_of_errors(found: &mut [Finding]) {
    for finding in found.iter_mut().filter(|finding| finding.severity() == Severity::Error) {
        let Some(bytes) = finding.file.as_ref().and_then(|file| fs::read(file).ok()) else { continue };
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        finding.fix = fix_of_error(finding, &source_text(text));
    }
}

/// What names a version of a prompt.
fn key(prompt: &Prompt) -> (&str, &crate::prompt::Version) {
    (prompt.id.as_str(), &prompt.version)
}

/// The prompts of files as they were at another time. Files with errors, which the other time had, are left out.
#[must_use]
pub fn earlier_prompts(directory: &Path, files: &[(PathBuf, Vec<u8>)]) -> Vec<Prompt> {
    let read = |(path, bytes): &(PathBuf, Vec<u8>)| {
        let id = id_of(directory, path);
        yaml::read_authored(&path.display().to_string(), id.as_deref(), bytes).prompts
    };
    files.iter().flat_map(read).map(|located| located.prompt).collect()
}
