//! The Handlebars engine.
//!
//! ```text
//! source ─ lexer ─▶ tokens ─ parser ─▶ ast ─ whitespace ─▶ ast ─┬─ program ─▶ what render walks
//!                                                              └─ variables
//! ```
//!
//! A template is parsed once and rendered many times, over any data that implements [`Data`]:
//!
//! ```
//! use prompt_manager::template::{Json, Options, Template};
//! use serde_json::json;
//!
//! let template = Template::parse("greeting", "Hello {{name}}!", &Options::default())?;
//! assert_eq!(template.render_json(&json!({"name": "Ada"}))?, "Hello Ada!");
//! # Ok::<(), prompt_manager::Error>(())
//! ```

pub mod ast;
mod cache;
mod closure;
pub mod context;
mod escape;
mod flat;
mod helpers;
mod json;
mod lexer;
mod number;
mod parser;
mod print;
mod program;
mod render;
mod stack;
mod sums;
mod variables;
mod whitespace;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use cache::Cache;
pub use closure::{Branch, Closure, Given};
pub use context::{Data, Invocation, Item, Output, Sink, Sort, Style, Text, Truth, Written};
pub use escape::{escape_html, indent_lines};
pub use flat::Piece;
pub use json::{Json, JsonValue};
pub use number::{javascript as javascript_number, python as python_number};
pub use print::print;
pub use program::Literal;
pub use render::{KeptLibrary, Library};
pub use variables::{Variable, Variables};

use crate::error::Result;
use crate::limits::Limits;

/// How templates are read and rendered. The default is the `prompt` dialect: strict, and without escaping.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the language, set on its own")]
pub struct Options {
    /// Which language the templates are in.
    pub dialect: Dialect,
    /// A tag whose value is missing is an error, and so is one whose value has no text.
    pub strict: bool,
    /// A tag whose value is null prints nothing; otherwise it is an error.
    pub allow_none: bool,
    /// What tags print is escaped for HTML, except in `{{{ }}}` and `{{& }}`.
    pub escape: bool,
    /// A partial that stands alone on an indented line does not pass the indentation on to its lines.
    pub prevent_indent: bool,
    /// A block tag that stands alone on its line leaves the line where it is.
    pub ignore_standalone: bool,
    /// A partial sees only the context that it is given.
    pub explicit_partial_context: bool,
    /// A path whose middle is missing is an error.
    pub assume_objects: bool,
    /// Names that are helpers' whether or not they are registered.
    pub known_helpers: Arc<[Box<str>]>,
    /// No other name is a helper's.
    pub known_helpers_only: bool,
    /// A name that the context lacks is looked for in those around it.
    pub compat: bool,
    /// What a template, and a render of it, may use.
    pub limits: Limits,
}

/// The two languages that the engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// Handlebars for prompts: values as Python writes them, helpers for prompts, faults found when compiling.
    #[default]
    Prompt,
    /// Handlebars as handlebars.js has it, to the letter.
    Handlebars,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dialect: Dialect::Prompt,
            strict: true,
            allow_none: false,
            escape: false,
            prevent_indent: false,
            ignore_standalone: false,
            explicit_partial_context: false,
            assume_objects: false,
            known_helpers: Arc::default(),
            known_helpers_only: false,
            compat: false,
            limits: Limits::default(),
        }
    }
}

impl Options {
    /// The options of handlebars.js.
    #[must_use]
    pub fn handlebars() -> Self {
        Self {
            dialect: Dialect::Handlebars,
            strict: false,
            allow_none: true,
            escape: true,
            ..Self::default()
        }
    }

    /// Whether values are read and written as JavaScript does.
    #[must_use]
    pub fn is_javascript(&self) -> bool {
        self.dialect == Dialect::Handlebars
    }

    /// How the values of tags are written.
    fn style(&self, escaped: bool) -> Style {
        let javascript = self.is_javascript();
        Style {
            html: self.escape && escaped,
            lenient: javascript || !self.strict,
            javascript_numbers: javascript,
        }
    }
}

/// Reads a template's source as it is written: no white space is trimmed and no name resolved. [`print()`] is the way
/// back.
///
/// # Errors
/// [`Kind::TemplateSyntax`](crate::Kind::TemplateSyntax), with the place, for what is not a template, and for one that
/// passes a limit.
pub fn parse<'s>(source: &'s str, limits: &Limits) -> Result<ast::Program<'s>> {
    parser::parse(source, limits).map_err(|error| error.locate(None, source))
}

/// A template that is ready to render. Cheap to clone; never changes.
#[derive(Debug)]
pub struct Template<T> {
    inner: Arc<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    name: Option<Box<str>>,
    source: Box<str>,
    options: Options,
    body: program::Body<T>,
    usage: Arc<variables::Usage>,
}

impl<T> Clone for Template<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T: Text> Template<T> {
    /// Parses a template. `name` is what errors call it; an empty one means it has none.
    ///
    /// # Errors
    /// [`Kind::TemplateSyntax`](crate::Kind::TemplateSyntax), with the place, for what is not a template; for one
    /// that passes a limit; and for a helper that does not exist.
    pub fn parse(name: &str, source: &str, options: &Options) -> Result<Self> {
        Self::parse_with(name, source, options, &EmptyLibrary)
    }

    /// [`Template::parse`] with the helpers that the caller registered.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse_with(name: &str, source: &str, options: &Options, library: &dyn Library<T>) -> Result<Self> {
        let name = Some(name).filter(|name| !name.is_empty());
        Self::parse_here(name, source, options, library).map_err(|error| error.locate(name, source))
    }

    fn parse_here(
        name: Option<&str>,
        source: &str,
        options: &Options,
        library: &dyn Library<T>,
    ) -> Result<Self> {
        let mut program = parser::parse(source, &options.limits)?;
        whitespace::control(&mut program, options.ignore_standalone);
        Self::of_program(name, source, &program, options, library)
    }

    fn of_program(
        name: Option<&str>,
        source: &str,
        program: &ast::Program,
        options: &Options,
        library: &dyn Library<T>,
    ) -> Result<Self> {
        let body = program::lower(program, options, library)?;
        let usage = Arc::new(variables::usage(program, &|name| library.has_helper(name)));
        let inner = Inner {
            name: name.map(Into::into),
            source: source.into(),
            options: options.clone(),
            body,
            usage,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A template that is one text, whatever stands in it: one that another engine renders.
    ///
    /// # Errors
    /// [`Kind::TemplateSyntax`](crate::Kind::TemplateSyntax) for a text that passes a limit.
    pub fn literal(name: &str, source: &str, options: &Options) -> Result<Self> {
        parser::check_size(source, &options.limits)?;
        let text = ast::Content {
            original: source.into(),
            from: 0,
            to: source.len(),
            left_stripped: false,
            right_stripped: false,
            span: ast::Span { start: 0, end: source.len() },
        };
        let program = ast::Program { body: vec![ast::Statement::Content(text)], ..ast::Program::default() };
        let name = Some(name).filter(|name| !name.is_empty());
        Self::of_program(name, source, &program, options, &EmptyLibrary)
    }

    /// What errors call it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name.as_deref()
    }

    /// The text that it was parsed from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// The options that it was parsed with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    fn body(&self) -> &program::Body<T> {
        &self.inner.body
    }

    /// The variables that it reads, those of the partials that it includes among them.
    ///
    /// # Errors
    /// [`Kind::TemplateSyntax`](crate::Kind::TemplateSyntax) where partials include each other so often that the
    /// account would pass [`limits::VARIABLE_USES`](crate::limits::VARIABLE_USES).
    pub fn variables(&self, partials: &dyn Library<T>) -> Result<Variables> {
        let usage = |name: &str| partials.partial(name).map(|partial| Arc::clone(&partial.inner.usage));
        variables::join(&self.inner.usage, &usage)
    }

    /// Renders into `out`. `caller_data` holds what `@name` finds outside loops.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`](crate::Kind::TemplateRender), with the place, for a value that is missing where one
    /// is needed, a value that has no text, a partial that does not exist, and a limit that is passed; or what code
    /// of the caller raised.
    pub fn render_into<D: Data<Text = T>>(
        &self,
        data: &D,
        context: &D::Value,
        caller_data: Option<&D::Value>,
        partials: &dyn Library<T>,
        out: &mut D::Sink,
    ) -> Result<()> {
        // The commonest template of all has no tags.
        if let [program::Node::Text(text)] = &*self.inner.body.nodes {
            out.text(text);
            return Ok(());
        }
        render::render(self, data, context, caller_data, partials, out)
    }

    /// Renders to finished output; see [`Template::render_into`].
    ///
    /// # Errors
    /// As [`Template::render_into`].
    pub fn render<D: Data<Text = T>>(
        &self,
        data: &D,
        context: &D::Value,
        caller_data: Option<&D::Value>,
        partials: &dyn Library<T>,
    ) -> Result<D::Output> {
        let mut out = data.sink();
        self.render_into(data, context, caller_data, partials, &mut out)?;
        Ok(out.finish())
    }
}

/// Nothing: no partials, no helpers.
#[derive(Debug, Clone, Copy)]
pub struct EmptyLibrary;

impl<T: Text> Library<T> for EmptyLibrary {
    fn partial(&self, _: &str) -> Option<Template<T>> {
        None
    }

    fn kept(&self) -> KeptLibrary<T> {
        Box::new(Self)
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One library before another: a prompt's own partials before the engine's.
#[derive(Clone, Copy)]
pub struct Both<'p, T>(pub &'p dyn Library<T>, pub &'p dyn Library<T>);

impl<T: Text> Library<T> for Both<'_, T> {
    fn partial(&self, name: &str) -> Option<Template<T>> {
        self.0.partial(name).or_else(|| self.1.partial(name))
    }

    fn has_helper(&self, name: &str) -> bool {
        self.0.has_helper(name) || self.1.has_helper(name)
    }

    fn helpers(&self) -> Vec<String> {
        let mut names = self.0.helpers();
        names.extend(self.1.helpers());
        names
    }

    fn kept(&self) -> KeptLibrary<T> {
        Box::new(KeptBoth(self.0.kept(), self.1.kept()))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.0.names();
        names.extend(self.1.names());
        names
    }
}

/// [`Both`], owned.
struct KeptBoth<T>(KeptLibrary<T>, KeptLibrary<T>);

impl<T: Text> Library<T> for KeptBoth<T> {
    fn partial(&self, name: &str) -> Option<Template<T>> {
        self.0.partial(name).or_else(|| self.1.partial(name))
    }

    fn names(&self) -> Vec<String> {
        Both(&*self.0, &*self.1).names()
    }

    fn has_helper(&self, name: &str) -> bool {
        Both(&*self.0, &*self.1).has_helper(name)
    }

    fn helpers(&self) -> Vec<String> {
        Both(&*self.0, &*self.1).helpers()
    }

    fn kept(&self) -> KeptLibrary<T> {
        Box::new(Self(self.0.kept(), self.1.kept()))
    }
}

impl<T: Text> Library<T> for BTreeMap<Box<str>, Template<T>> {
    fn kept(&self) -> KeptLibrary<T> {
        Box::new(self.clone())
    }

    fn partial(&self, name: &str) -> Option<Template<T>> {
        self.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.keys().map(ToString::to_string).collect()
    }
}
