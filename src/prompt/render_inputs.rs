//! What the text of a render depends on, for the key under which it is cached.

use std::collections::BTreeSet;

use super::compiled::Compiled;
use super::{ChatEntry, TemplateLocation};
use crate::length_prefixed::LengthPrefixedDigest;
use crate::template::{LayeredLibrary, Library, References, TemplateOptions, Text};

/// What the text of a render depends on, apart from the values of the variables.
#[derive(Debug)]
pub struct RenderInputs {
    /// A digest of the prompt's content, of the partials that it includes, and of the engine's options. It is the same in
    /// every process.
    pub digest: [u8; 32],
    /// The variables that the render may read. `None`: all that are given.
    pub variables: Option<BTreeSet<Box<str>>>,
}

/// How a tag with the helper `log` begins. What it logs must not be skipped.
const LOGGING: [&str; 3] = ["{{log ", "{{~log ", "{{{log "];

impl RenderInputs {
    /// The inputs of the renders of a prompt. `None` if a render may depend on more, because a template names a helper
    /// that the caller registered, or because it logs.
    pub fn of<T: Text>(
        compiled: &Compiled<T>,
        options: &TemplateOptions,
        engine: &dyn Library<T>,
    ) -> Option<Self> {
        let library = LayeredLibrary(compiled.partials(), engine);
        let helpers = library.helpers();
        let is_pure = |source: &str| {
            !LOGGING.iter().any(|log| source.contains(log))
                && !helpers.iter().any(|helper| source.contains(helper.as_str()))
        };
        let (mut references, mut pure) = (References::default(), true);
        compiled.each_template(|_: TemplateLocation<'_>, template| {
            references.add(template, &library);
            pure &= is_pure(template.source());
        });
        let mut digest = LengthPrefixedDigest::default();
        digest.part(env!("CARGO_PKG_VERSION").as_bytes());
        digest.part(compiled.content_hash().as_bytes());
        // Names that are announced change no text, and may come in any order.
        let options = TemplateOptions {
            known_helpers: std::sync::Arc::default(),
            known_partials: std::sync::Arc::default(),
            ..options.clone()
        };
        digest.part(format!("{options:?}").as_bytes());
        let mut names = library.names();
        names.sort_unstable();
        names.dedup();
        for name in names {
            // A template that computes the name of a partial may include any.
            if !references.includes(&name) && !references.reads_all {
                continue;
            }
            let Some(partial) = library.partial(&name) else { continue };
            pure &= is_pure(partial.source());
            digest.part(name.as_bytes());
            digest.part(partial.source().as_bytes());
        }
        pure.then(|| Self { digest: digest.finish(), variables: variables(compiled, references) })
    }
}

/// The variables that a render may read, apart from those that it only checks. `None`: all that are given.
#[must_use]
pub fn readable_variables<T: Text>(
    compiled: &Compiled<T>,
    engine: &dyn Library<T>,
) -> Option<BTreeSet<Box<str>>> {
    variables(compiled, references(compiled, engine))
}

/// The names of the partials of the engine that a render may include.
#[must_use]
pub fn engine_partials<T: Text>(compiled: &Compiled<T>, engine: &dyn Library<T>) -> Vec<String> {
    let references = references(compiled, engine);
    let mut names = engine.names();
    names.retain(|name| references.includes(name) || references.reads_all);
    names
}

fn references<T: Text>(compiled: &Compiled<T>, engine: &dyn Library<T>) -> References {
    let library = LayeredLibrary(compiled.partials(), engine);
    let mut references = References::default();
    compiled.each_template(|_: TemplateLocation<'_>, template| {
        references.add(template, &library);
    });
    references
}

/// The variables that the templates and the placeholders may read.
fn variables<T: Text>(compiled: &Compiled<T>, references: References) -> Option<BTreeSet<Box<str>>> {
    if references.reads_all {
        return None;
    }
    let mut names = references.mentions;
    names.extend(references.variables.into_keys());
    for entry in compiled.prompt().chat_template.iter().flat_map(|chat| &chat.messages) {
        if let ChatEntry::Placeholder { name, .. } = entry {
            names.insert(name.as_str().into());
        }
    }
    Some(names)
}
