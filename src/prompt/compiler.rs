//! Compiles the templates of one prompt, and collects every template that does not parse.

use super::TemplateLocation;
use crate::error::Error;
use crate::template::{Library, Template, TemplateOptions, Text};

/// A template of a prompt that does not parse.
pub struct TemplateError<'p> {
    /// The place of the template in the prompt.
    pub leaf: TemplateLocation<'p>,
    /// The error, with its place in the template.
    pub error: Error,
}

/// Compiles templates with the options of one engine.
pub(super) struct Compiler<'c, 'p, T> {
    /// The prompt's id, which becomes part of the names of its templates.
    id: Option<&'c str>,
    options: &'c TemplateOptions,
    engine: &'c dyn Library<T>,
    faults: Vec<TemplateError<'p>>,
}

impl<'c, 'p, T: Text> Compiler<'c, 'p, T> {
    pub(super) fn new(id: Option<&'c str>, options: &'c TemplateOptions, engine: &'c dyn Library<T>) -> Self {
        Self { id, options, engine, faults: Vec::new() }
    }

    /// The compiled template; `None` for one that does not parse, which is then among the faults.
    pub(super) fn template(&mut self, leaf: TemplateLocation<'p>, source: &str) -> Option<Template<T>> {
        let name = match (self.id, leaf) {
            (None, _) => leaf.to_string(),
            (Some(id), TemplateLocation::Template) => id.to_owned(),
            (Some(id), _) => format!("{id} {leaf}"),
        };
        Template::parse_with(&name, source, self.options, self.engine)
            .map_err(|error| self.faults.push(TemplateError { leaf, error }))
            .ok()
    }

    /// Compiles a group of templates, such as those of one message. `None` where one of them does not parse. `compile`
    /// is called for each text and gets an empty template for one that does not parse, so that one call finds all faults.
    pub(super) fn group<R>(
        &mut self,
        compile: impl FnOnce(
            &mut dyn FnMut(TemplateLocation<'p>, &str) -> crate::Result<Template<T>>,
        ) -> crate::Result<R>,
    ) -> Option<R> {
        let known = self.faults.len();
        let options = self.options;
        let compiled = compile(&mut |leaf, source| match self.template(leaf, source) {
            Some(template) => Ok(template),
            None => Template::parse("", "", options),
        });
        compiled.ok().filter(|_| self.faults.len() == known)
    }

    /// Every template that did not parse.
    pub(super) fn into_faults(self) -> Vec<TemplateError<'p>> {
        self.faults
    }
}
