//! Compiles the templates of one prompt, and collects every template that does not parse.

use super::TemplateLocation;
use crate::error::Error;
use crate::template::{Library, Template, TemplateOptions, Text};

/// A template of a prompt that does not parse.
pub struct TemplateError<'p> {
    /// The place of the template in the prompt.
    pub location: TemplateLocation<'p>,
    /// The error, with its place in the template.
    pub error: Error,
}

/// Compiles templates with the options of one engine.
pub(super) struct Compiler<'c, 'p, T> {
    /// The prompt's id, which becomes part of the names of its templates.
    id: Option<&'c str>,
    options: &'c TemplateOptions,
    engine: &'c dyn Library<T>,
    errors: Vec<TemplateError<'p>>,
}

impl<'c, 'p, T: Text> Compiler<'c, 'p, T> {
    pub(super) fn new(id: Option<&'c str>, options: &'c TemplateOptions, engine: &'c dyn Library<T>) -> Self {
        Self { id, options, engine, errors: Vec::new() }
    }

    /// Compiles a template. Returns `None` if it does not parse, and keeps the error.
    pub(super) fn template(&mut self, location: TemplateLocation<'p>, source: &str) -> Option<Template<T>> {
        let name = match (self.id, location) {
            (None, _) => location.to_string(),
            (Some(id), TemplateLocation::Template) => id.to_owned(),
            (Some(id), _) => format!("{id} {location}"),
        };
        Template::parse_with(&name, source, self.options, self.engine)
            .map_err(|error| self.errors.push(TemplateError { location, error }))
            .ok()
    }

    /// Compiles a group of templates, such as those of one message. `None` where one of them does not parse. `compile`
    /// is called for each text and gets an empty template for one that does not parse, so that one call finds all errors.
    pub(super) fn group<R>(
        &mut self,
        compile: impl FnOnce(
            &mut dyn FnMut(TemplateLocation<'p>, &str) -> crate::Result<Template<T>>,
        ) -> crate::Result<R>,
    ) -> Option<R> {
        let known = self.errors.len();
        let options = self.options;
        let compiled = compile(&mut |location, source| match self.template(location, source) {
            Some(template) => Ok(template),
            None => Template::parse("", "", options),
        });
        compiled.ok().filter(|_| self.errors.len() == known)
    }

    /// Every template that did not parse.
    pub(super) fn into_errors(self) -> Vec<TemplateError<'p>> {
        self.errors
    }
}
