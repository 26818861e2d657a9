//! Finds variables that a caller gives and that the prompt does not declare: usually one whose name is misspelt.
//!
//! A render that gives only declared variables pays for one comparison of two counts.

use super::compiled::{Compiled, PromptBody, read};
use super::pipeline::RenderOptionsOf;
use super::unknown_variables::UnknownVariables;
use crate::error::{Error, Kind, Result, nearest};
use crate::limits::HINT_NAMES;
use crate::schema::Values;
use crate::template::{EmptyLibrary, LayeredLibrary, Text};

/// The most names that the caller gives, and the most declared variables, that are compared with each other. The names
/// may be those of a stranger's data.
const COMPARED_GIVEN: usize = 20;
const COMPARED_DECLARED: usize = 100;

impl<T: Text> Compiled<T> {
    /// Whether the prompt declares a variable or has a placeholder of this name, or reads it where it declares nothing.
    #[must_use]
    pub fn has_variable(&self, name: &str) -> bool {
        self.declares(name) || self.is_placeholder(name)
    }

    pub(super) fn declares(&self, name: &str) -> bool {
        self.declared.iter().any(|declared| declared.name.as_str() == name)
    }

    fn is_placeholder(&self, name: &str) -> bool {
        match &*self.body {
            PromptBody::Chat(chat) => chat.placeholders().any(|(known, _)| known == name),
            _ => false,
        }
    }

    /// Looks for variables that the prompt does not declare, if it declares any. `given` is the number of declared
    /// variables that were given, as far as it is known.
    #[inline]
    pub(super) fn check_unknown<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        given: Option<usize>,
        options: &RenderOptionsOf<'_, D>,
    ) -> Result<()> {
        let Some(unknown) = options.unknown else { return Ok(()) };
        if given.is_some() && data.member_count(variables) == given {
            return Ok(());
        }
        self.find_unknown(data, variables, given, options, unknown)
    }

    #[cold]
    fn find_unknown<D: Values<Text = T>>(
        &self,
        data: &D,
        variables: &D::Value,
        given: Option<usize>,
        options: &RenderOptionsOf<'_, D>,
        unknown: &dyn UnknownVariables,
    ) -> Result<()> {
        if self.prompt.declared().is_none() {
            return Ok(());
        }
        let is_strict = unknown.is_strict();
        if !is_strict && given.is_some_and(|given| given >= self.declared.len()) {
            // No declared variable is missing, so none can be meant.
            return Ok(());
        }
        let names = data.names(variables, if is_strict { usize::MAX } else { HINT_NAMES })?;
        let mut stray: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| !self.has_variable(name)).collect();
        if stray.is_empty() {
            return Ok(());
        }
        let input = match (self.input_schema(), options.schemas) {
            (Ok(Some(wanted)), Some(schemas)) => schemas.compiled(wanted).ok(),
            _ => None,
        };
        stray.retain(|name| !input.as_ref().is_some_and(|schema| schema.has_field(name)));
        let mut missing = Vec::new();
        for variable in &*self.declared {
            if missing.len() < COMPARED_DECLARED && data.member(variables, &variable.name)?.is_none() {
                missing.push(variable.name.as_str());
            }
        }
        if is_strict {
            return self.refuse_unknown(&stray, &missing);
        }
        for name in stray.into_iter().take(COMPARED_GIVEN) {
            let Some(meant) = nearest(name, missing.iter().copied()) else { continue };
            if !self.reads(name) && !unknown.is_known_elsewhere(&self.prompt.id, name) {
                unknown.suspect(&self.prompt, name, meant)?;
            }
        }
        Ok(())
    }

    /// Whether a template of the prompt reads a variable that it does not declare.
    fn reads(&self, name: &str) -> bool {
        let own = LayeredLibrary(&*self.partials, &EmptyLibrary);
        // Compiling the prompt has read them before.
        read(&self.body, &own).is_ok_and(|read| read.contains_key(name))
    }

    fn refuse_unknown(&self, stray: &[&str], missing: &[&str]) -> Result<()> {
        let Some(first) = stray.first() else { return Ok(()) };
        let list: Vec<String> = stray.iter().map(|name| format!("'{name}'")).collect();
        let plural = if stray.len() == 1 { "" } else { "s" };
        let error = Error::new(
            Kind::TemplateRender,
            format!("Unknown variable{plural} {} for prompt '{}'", list.join(", "), self.prompt.id),
        )
        .with_context("variable", *first)
        .with_context("variables", stray.iter().map(ToString::to_string).collect::<Vec<_>>());
        let near = stray
            .iter()
            .take(COMPARED_GIVEN)
            .find_map(|name| nearest(name, missing.iter().copied()).map(|near| (name, near)));
        Err(self.named(match near {
            Some((name, near)) => error.with_hint(format!("`{name}` was given: is it meant to be `{near}`?")),
            None => error.with_hint("declare it under `variables`, or do not give it"),
        }))
    }
}
