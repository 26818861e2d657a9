//! Loads a directory of prompt files, and one of schema files.
//!
//! Files are found recursively, read and compiled in parallel by threads of this call's own, and given in the order
//! of their paths. A bad file hides no other: what is wrong is gathered, each with its place.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use ignore::WalkBuilder;

use super::yaml::{self, LocatedPrompt};
use crate::error::{Error, Kind, Place, Result};
use crate::limits::FILE_BYTES;
use crate::prompt::{Compiled, SchemaRef};
use crate::schema::{Schema, parse};
use crate::template::{Options, Partials, Text};

/// What a directory holds.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The good prompts.
    pub prompts: Vec<Compiled<T>>,
    /// The schemas.
    pub schemas: Vec<Schema>,
    /// What the author should know.
    pub warnings: Vec<String>,
    /// What is wrong, each with its place.
    pub errors: Vec<Error>,
    /// How many files were read.
    pub files: usize,
}

impl<T> Default for Loaded<T> {
    fn default() -> Self {
        Self { prompts: Vec::new(), schemas: Vec::new(), warnings: Vec::new(), errors: Vec::new(), files: 0 }
    }
}

impl<T> Loaded<T> {
    /// All errors as one that names them.
    #[must_use]
    pub fn error(&mut self, directory: &Path) -> Option<Error> {
        if self.errors.is_empty() {
            return None;
        }
        let errors = std::mem::take(&mut self.errors);
        let count = errors.len();
        let problems = if count == 1 { "a problem" } else { "problems" };
        let message = match count {
            1 => format!("{problems} in {}", directory.display()),
            _ => format!("{count} {problems} in {}", directory.display()),
        };
        Some(
            Error::new(Kind::StorageRead, message)
                .with_context("path", directory.display().to_string())
                .with_errors(errors),
        )
    }
}

/// A file's part of the whole.
struct Part<T> {
    prompts: Vec<(Compiled<T>, Place)>,
    warnings: Vec<String>,
    errors: Vec<Error>,
}

/// Loads every prompt below `directory` and every schema below `schemas`.
///
/// Files end in `.yaml` or `.yml`; what begins with a dot is passed over; links are followed. Where `schemas` is
/// given, a prompt that names a schema that is not there is an error.
///
/// # Errors
/// [`Kind::StorageRead`] where a directory itself cannot be read. What is wrong with files is in the result.
pub fn load<T: Text>(
    directory: &Path,
    schemas: Option<&Path>,
    options: &Options,
    engine: &(dyn Partials<T> + Sync),
) -> Result<Loaded<T>> {
    let mut loaded = Loaded::default();
    if let Some(schemas) = schemas {
        load_schemas(schemas, &mut loaded)?;
    }
    let files = find(directory)?;
    loaded.files += files.len();
    let parts = in_parallel(&files, |path| read_file(path, options, engine));
    let mut places: HashMap<String, Place> = HashMap::new();
    for part in parts {
        loaded.warnings.extend(part.warnings);
        loaded.errors.extend(part.errors);
        for (compiled, place) in part.prompts {
            let prompt = compiled.prompt();
            let key = format!("{} {}", prompt.id, prompt.version);
            if let Some(first) = places.get(&key) {
                loaded.errors.push(
                    Error::new(
                        Kind::PromptInvalid,
                        format!("prompt '{}' has version {} twice", prompt.id, prompt.version),
                    )
                    .with_hint(format!(
                        "the other is at {}:{}; raise one of the versions",
                        first.name.as_deref().unwrap_or_default(),
                        first.line
                    ))
                    .with_place(place),
                );
                continue;
            }
            if schemas.is_some() {
                loaded.errors.extend(unknown_schemas(&compiled, &loaded.schemas, &place));
            }
            places.insert(key, place);
            loaded.warnings.extend(compiled.warnings());
            loaded.prompts.push(compiled);
        }
    }
    Ok(loaded)
}

fn load_schemas<T>(directory: &Path, loaded: &mut Loaded<T>) -> Result<()> {
    let mut places: HashMap<String, String> = HashMap::new();
    let files = find(directory)?;
    loaded.files += files.len();
    for path in files {
        let name = path.display().to_string();
        let (schemas, errors) = match read(&path) {
            Ok(bytes) => match crate::wire::yaml::decode(&name, &bytes) {
                Ok(text) => parse::read_schemas(&name, text),
                Err(error) => (Vec::new(), vec![error]),
            },
            Err(error) => (Vec::new(), vec![error]),
        };
        loaded.errors.extend(errors);
        for schema in schemas {
            if let Some(first) = places.insert(schema.name.clone(), name.clone()) {
                loaded.errors.push(
                    Error::new(
                        Kind::SchemaParse,
                        format!("schema '{}' is in {first} and in {name}", schema.name),
                    )
                    .with_context("path", name.clone())
                    .with_hint("rename one of them"),
                );
            } else {
                loaded.schemas.push(schema);
            }
        }
    }
    Ok(())
}

/// Schemas that a prompt names and that are not there.
fn unknown_schemas<T: Text>(compiled: &Compiled<T>, schemas: &[Schema], place: &Place) -> Vec<Error> {
    let prompt = compiled.prompt();
    let named = [("input_schema", &prompt.input_schema), ("output_schema", &prompt.output_schema)];
    named
        .into_iter()
        .filter_map(|(key, schema)| match schema {
            Some(SchemaRef::Name(name)) if !schemas.iter().any(|schema| schema.name == *name) => {
                let error = Error::new(
                    Kind::Schema,
                    format!(
                        "prompt '{}' names the schema '{name}' as its {key}, and there is none",
                        prompt.id
                    ),
                )
                .with_place(place.clone());
                let near = crate::error::nearest(name, schemas.iter().map(|schema| schema.name.as_str()));
                Some(match near {
                    Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                    None => error,
                })
            }
            _ => None,
        })
        .collect()
}

/// The YAML files below a directory, in order.
fn find(directory: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |why: String| {
        Error::new(Kind::StorageRead, format!("cannot read the directory {}: {why}", directory.display()))
            .with_context("path", directory.display().to_string())
    };
    let kind = fs::metadata(directory).map_err(|error| unreadable(error.to_string()).with_cause(error))?;
    if !kind.is_dir() {
        return Err(unreadable("it is no directory".to_owned()));
    }
    let mut files = Vec::new();
    // Hidden files are passed over; no ignore file of a version control or search tool has a say.
    let walk = WalkBuilder::new(directory).standard_filters(false).hidden(true).follow_links(true).build();
    for entry in walk {
        let entry = entry.map_err(|error| unreadable(error.to_string()).with_cause(error))?;
        let path = entry.path();
        let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if yaml && entry.file_type().is_none_or(|kind| !kind.is_dir()) {
            files.push(entry.into_path());
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display().to_string();
    let unreadable = |why: String| {
        Error::new(Kind::StorageRead, format!("cannot read {name}: {why}")).with_context("path", name.clone())
    };
    let size = fs::metadata(path).map_err(|error| unreadable(error.to_string()).with_cause(error))?.len();
    if size > FILE_BYTES {
        return Err(unreadable(format!("it has {size} bytes, more than the limit of {FILE_BYTES}")));
    }
    fs::read(path).map_err(|error| unreadable(error.to_string()).with_cause(error))
}

fn read_file<T: Text>(path: &Path, options: &Options, engine: &dyn Partials<T>) -> Part<T> {
    let mut part = Part { prompts: Vec::new(), warnings: Vec::new(), errors: Vec::new() };
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            part.errors.push(error);
            return part;
        }
    };
    let file = yaml::read_prompts_bytes(&path.display().to_string(), &bytes);
    part.warnings = file.warnings;
    part.errors = file.errors;
    for located in file.prompts {
        let place = located.place();
        let prompt = located.prompt.clone();
        let faults = &mut part.errors;
        let compiled = Compiled::compile_all(prompt, options, engine, |prompt, found| {
            faults.extend(found.into_iter().map(|fault| in_file(fault, prompt.id.as_str(), &located)));
        });
        part.prompts.extend(compiled.map(|compiled| (compiled, place)));
    }
    part
}

/// A template's error with its place in the file.
fn in_file(fault: crate::prompt::Fault<'_>, id: &str, located: &LocatedPrompt) -> Error {
    let crate::prompt::Fault { leaf, error } = fault;
    let found = error.place().and_then(|place| located.place_in_file(leaf, place.line, place.column));
    let place = found.unwrap_or_else(|| located.place());
    let message = format!("{} ({leaf} of prompt '{id}')", error.message());
    let kind = error.kind();
    error.recast(kind, message).with_place(place).with_context("prompt_id", id)
}

/// Applies `work` to every item on as many threads as there are processors. The threads end with the call, so
/// nothing is left behind that a fork could break.
fn in_parallel<I: Sync, R: Send>(items: &[I], work: impl Fn(&I) -> R + Sync) -> Vec<R> {
    /// Below this many items a thread costs more than it saves.
    const WORTHWHILE: usize = 16;
    let threads =
        thread::available_parallelism().map_or(1, NonZero::get).min(items.len().div_ceil(WORTHWHILE));
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(take)).collect();
        let mut done = take();
        for other in others {
            match other.join() {
                Ok(part) => done.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
