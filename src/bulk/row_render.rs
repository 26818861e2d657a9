//! The step of a batch that renders one row, and a prompt that is compiled for it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::columns::ColumnNeeds;
use super::data::{ArrowData, TextPool};
use super::text::ArrowText;
use super::value::ArrowValue;
use crate::error::Result;
use crate::prompt::{Compiled, Prompt, RenderOptions, Rendered};
use crate::schema::{SchemaEntry, SharedSchemaSet};
use crate::template::{Template, TemplateOptions};

/// What the render of a row uses besides the row.
pub struct RowContext<'c> {
    /// Strings to write to.
    pub pool: &'c TextPool,
    /// Called from time to time; its error ends the batch.
    pub interrupt: &'c dyn Fn() -> Result<()>,
    /// Whether a chat becomes a transcript.
    pub as_text: bool,
    /// Whether output instructions are appended, if the prompt has an output schema.
    pub output_instructions: bool,
}

/// Renders rows of a table.
pub trait RowRender: Send + Sync {
    /// Renders a prompt with the columns of a row as its variables.
    ///
    /// # Errors
    /// As [`Compiled::rendered`].
    fn rendered(&self, row: &ArrowValue<'_>, context: &RowContext<'_>) -> Result<Rendered<String>>;

    /// Whether several threads render faster than one.
    fn is_parallel(&self) -> bool;
}

/// The schemas that a prompt for batches refers to. One with functions or models of the application is not among them.
pub type BatchSchemas = SharedSchemaSet<ArrowText, Infallible, Infallible>;

/// A prompt that renders rows without the application's code.
#[derive(Debug)]
pub struct BatchPrompt {
    compiled: Compiled<ArrowText>,
    partials: BTreeMap<Box<str>, Template<ArrowText>>,
    schemas: BatchSchemas,
    options: TemplateOptions,
}

impl BatchPrompt {
    /// Compiles a prompt with the partials that it may include and the schemas that it may refer to. A partial that does
    /// not parse is left out; a render that includes it fails.
    ///
    /// # Errors
    /// The first template of the prompt that does not parse.
    pub fn compile<'p>(
        prompt: Prompt,
        partials: impl IntoIterator<Item = (&'p str, &'p str)>,
        schemas: impl IntoIterator<Item = (String, SchemaEntry<Infallible>)>,
        options: &TemplateOptions,
    ) -> Result<Self> {
        let parsed = partials
            .into_iter()
            .filter_map(|(name, source)| Some((name.into(), Template::parse(name, source, options).ok()?)));
        let partials: BTreeMap<Box<str>, Template<ArrowText>> = parsed.collect();
        let compiled = Compiled::compile(prompt, options, &partials)?;
        let set = BatchSchemas::default();
        {
            let mut set = set.write();
            for (name, entry) in schemas {
                set.put(name, entry);
            }
        }
        Ok(Self { compiled, partials, schemas: set, options: options.clone() })
    }

    /// Whether the schemas of the prompt need no code of the application.
    #[must_use]
    pub fn has_own_schemas(&self) -> bool {
        let pool = TextPool::default();
        let data = ArrowData::new(false, self.options.limits.steps, &pool, &|| Ok(()));
        let input = match self.compiled.input_schema() {
            Ok(Some(schema)) => self.schemas.compiled(schema).is_ok(),
            input => input.is_ok(),
        };
        input && self.compiled.instructions(&data, &self.render_options(true)).is_ok()
    }

    /// What it needs of a table.
    #[must_use]
    pub fn needs(&self, rename: BTreeMap<String, String>) -> ColumnNeeds {
        ColumnNeeds::of(&self.compiled, &self.partials, &self.schemas, rename)
    }

    fn render_options(
        &self,
        output_instructions: bool,
    ) -> RenderOptions<'_, ArrowText, Infallible, Infallible> {
        RenderOptions { schemas: Some(&self.schemas), output_instructions, resolved: false, unknown: None }
    }
}

impl RowRender for BatchPrompt {
    fn rendered(&self, row: &ArrowValue<'_>, context: &RowContext<'_>) -> Result<Rendered<String>> {
        let javascript = self.options.is_javascript();
        let steps = self.options.limits.steps;
        let data = ArrowData::new(javascript, steps, context.pool, context.interrupt);
        let options = self.render_options(context.output_instructions);
        if context.as_text {
            self.compiled.render_with(&data, row, &self.partials, &options).map(Rendered::Text)
        } else {
            self.compiled.rendered(&data, row, &self.partials, &options)
        }
    }

    fn is_parallel(&self) -> bool {
        true
    }
}
