//! The Handlebars engine.
//!
//! ```text
//! source ─ lexer ─▶ tokens ─ parser ─▶ ast ─ whitespace ─▶ ast ─┬─ program ─▶ compiled program ─▶ render
//!                                                              └─ variables
//! ```
//!
//! A template is parsed once and rendered many times, with any data that implements [`Data`]:
//!
//! ```
//! use prompt_manager::template::{JsonData, Template, TemplateOptions};
//! use serde_json::json;
//!
//! let template = Template::parse("greeting", "Hello {{name}}!", &TemplateOptions::default())?;
//! assert_eq!(template.render_json(&json!({"name": "Ada"}))?, "Hello Ada!");
//! # Ok::<(), prompt_manager::Error>(())
//! ```

pub mod ast;
mod cache;
mod closure;
pub mod context;
mod date;
mod dialect;
mod effects;
mod escape;
mod fence;
mod flat;
mod helpers;
mod hints;
mod html_entities;
mod inlines;
mod js_concat;
mod json;
mod json_text;
mod lexer;
mod long_text;
mod look_alikes;
mod number;
mod parser;
mod print;
mod print_limits;
mod program;
mod references;
mod render;
mod stack;
mod variables;
mod whitespace;
mod work;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

pub use cache::TemplateCache;
pub use closure::{Branch, BranchArguments, Closure};
pub use context::{Data, Invocation, Item, Output, Sink, Style, Text, Truth, ValueKind, WriteOutcome};
pub use dialect::Dialect;
pub use escape::{escape_html, indent_lines};
pub use fence::Fences;
pub use flat::FlatPiece;
pub(crate) use hints::partial as partial_hint;
pub use json::{JavascriptMember, JsonData, JsonDataValue, array_index};
pub use json_text::JsonText;
pub use long_text::pieces;
pub use number::{javascript as javascript_number, python as python_number};
pub use print::print;
pub use print_limits::{too_deep_to_print, too_many_to_print};
pub use program::Literal;
pub use references::{Reference, References};
pub use render::{KeptLibrary, Library};
pub use variables::{VariableUsage, VariableUsages};
pub use work::WorkMeter;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::stack_room;

/// How templates are parsed and rendered. The default is the `prompt` dialect: strict, and without HTML escaping.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the language, set on its own")]
pub struct TemplateOptions {
    /// The language of the templates.
    pub dialect: Dialect,
    /// A missing value in a tag is an error, and so is a value that has no text.
    pub strict: bool,
    /// A tag whose value is null prints nothing. If false, it is an error.
    pub allow_none: bool,
    /// The output of tags is escaped for HTML, except in `{{{ }}}` and `{{& }}`.
    pub escape: bool,
    /// A partial that is alone on an indented line does not indent its own lines.
    pub prevent_indent: bool,
    /// A block tag that is alone on its line does not remove that line.
    pub ignore_standalone: bool,
    /// A partial sees only the context that the tag passes to it.
    pub explicit_partial_context: bool,
    /// A path with a missing value in its middle is an error.
    pub assume_objects: bool,
    /// Names of helpers, even if no such helper is registered.
    pub known_helpers: Arc<[Box<str>]>,
    /// Names of partials that are registered only after the templates that include them are loaded.
    pub known_partials: Arc<[Box<str>]>,
    /// Only the built-in and the known helpers can be called.
    pub known_helpers_only: bool,
    /// A name that the current context does not have is looked up in the contexts around it.
    pub compat: bool,
    /// Limits on a template and on each render of it.
    pub limits: Limits,
}

impl Default for TemplateOptions {
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
            known_partials: Arc::default(),
            known_helpers_only: false,
            compat: false,
            limits: Limits::default(),
        }
    }
}

impl TemplateOptions {
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

    /// Whether values are looked up and printed by JavaScript's rules.
    #[must_use]
    pub fn is_javascript(&self) -> bool {
        self.dialect.is_javascript()
    }

    /// Whether a helper of this name may be registered only after a template that calls it is compiled. In handlebars.js
    /// such a call is an error.
    fn announces_helper(&self, name: &str) -> bool {
        self.dialect.checks_calls()
            && self.known_helpers.iter().any(|known| **known == *name)
            && !program::is_built_in(name)
    }

    /// How a tag writes its value.
    fn style(&self, escaped: bool) -> Style {
        let javascript = self.is_javascript();
        Style {
            html: self.escape && escaped,
            lenient: javascript || !self.strict,
            javascript_numbers: javascript,
        }
    }
}

/// Parses a template's source into its syntax tree. White space is not trimmed and names are not resolved. [`print()`]
/// turns the tree back into source.
///
/// # Errors
/// [`Kind::TemplateSyntax`](crate::Kind::TemplateSyntax), with its place, if the source is not a template or exceeds a
/// limit.
pub fn parse<'s>(source: &'s str, limits: &Limits) -> Result<ast::Program<'s>> {
    let parsed = parser::parse(source, limits).map_err(|error| error.locate(None, source))?;
    Ok(parsed.program)
}

/// Parses a template's source into its syntax tree, in which white space is trimmed as a render does it.
///
/// # Errors
/// As [`parse`].
pub fn tree<'s>(source: &'s str, options: &TemplateOptions) -> Result<ast::Program<'s>> {
    let mut program = parse(source, &options.limits)?;
    whitespace::control(&mut program, options.ignore_standalone);
    Ok(program)
}

/// A compiled template. Cheap to clone; never changes.
#[derive(Debug)]
pub struct Template<T> {
    inner: Arc<ParsedTemplate<T>>,
}

#[derive(Debug)]
struct ParsedTemplate<T> {
    name: Option<Box<str>>,
    source: Box<str>,
    options: TemplateOptions,
    body: program::CompiledProgram<T>,
    /// How it uses variables, which is found when it is first asked for.
    usage: OnceLock<Arc<variables::TemplateUsage>>,
    calls_nothing: bool,
}

impl<T> Clone for Template<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T: Text> Template<T> {
    /// Parses and compiles a template. `name` is its name in errors; an empty one means no name.
    ///
    /// # Errors
    /// [`Kind::TemplateSyntax`](crate::Kind::TemplateSyntax), with its place, if the source is not a template, exceeds
    /// a limit, or calls a helper that does not exist.
    pub fn parse(name: &str, source: &str, options: &TemplateOptions) -> Result<Self> {
        Self::parse_with(name, source, options, &EmptyLibrary)
    }

    /// [`Template::parse`] with the helpers that the caller registered.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse_with(
        name: &str,
        source: &str,
        options: &TemplateOptions,
        library: &dyn Library<T>,
    ) -> Result<Self> {
        let name = Some(name).filter(|name| !name.is_empty());
        Self::parse_unlocated(name, source, options, library).map_err(|error| error.locate(name, source))
    }

    fn parse_unlocated(
        name: Option<&str>,
        source: &str,
        options: &TemplateOptions,
        library: &dyn Library<T>,
    ) -> Result<Self> {
        let parser::ParsedSource { mut program, depth } =
            parser::parse(source, &options.limits).map_err(|error| with_hint(error, source))?;
        whitespace::control(&mut program, options.ignore_standalone);
        // Parsing it again needs little of the stack, and finds what this library would find.
        let can_wait = depth <= stack_room::SHALLOW && library.helpers().is_empty();
        let names = (!can_wait).then_some(LookupNames { library, options });
        Self::from_program(name, source, &program, options, library, names)
    }

    fn from_program(
        name: Option<&str>,
        source: &str,
        program: &ast::Program,
        options: &TemplateOptions,
        library: &dyn Library<T>,
        read_now: Option<LookupNames<'_, T>>,
    ) -> Result<Self> {
        let body = program::lower(program, options, library)?;
        let read = |names| OnceLock::from(Arc::new(variables::usage(program, &names)));
        let usage = read_now.map(read).unwrap_or_default();
        let inner = ParsedTemplate {
            name: name.map(Into::into),
            source: source.into(),
            options: options.clone(),
            calls_nothing: effects::calls_nothing(&body),
            body,
            usage,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A template that prints its source as it is, for texts that another engine renders.
    ///
    /// # Errors
    /// [`Kind::TemplateSyntax`](crate::Kind::TemplateSyntax) if the text exceeds a limit.
    pub fn literal(name: &str, source: &str, options: &TemplateOptions) -> Result<Self> {
        parser::check_size(source, &options.limits)?;
        let text = ast::ContentNode {
            original: source.into(),
            from: 0,
            to: source.len(),
            left_stripped: false,
            right_stripped: false,
            span: ast::Span { start: 0, end: source.len() },
        };
        let program = ast::Program { body: vec![ast::Statement::Content(text)], ..ast::Program::default() };
        let name = Some(name).filter(|name| !name.is_empty());
        let names = LookupNames { library: &EmptyLibrary, options };
        Self::from_program(name, source, &program, options, &EmptyLibrary, Some(names))
    }

    /// The name of the template in errors.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name.as_deref()
    }

    /// The source of the template.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// The options with which it was compiled.
    #[must_use]
    pub fn options(&self) -> &TemplateOptions {
        &self.inner.options
    }

    /// Whether a render only prints, tests and loops over values. It then includes no partial and calls no helper.
    #[must_use]
    pub fn calls_nothing(&self) -> bool {
        self.inner.calls_nothing
    }

    /// The variables that every render prints, and fails without. `None` if a render may not fail without one, or may call
    /// something before it comes to one.
    #[must_use]
    pub fn always_printed(&self) -> Option<Vec<&str>> {
        let TemplateOptions { dialect, strict, .. } = self.options();
        let fails = *dialect == Dialect::Prompt && *strict && self.calls_nothing();
        fails.then(|| effects::always_printed(self.body()))
    }

    fn usage(&self) -> &Arc<variables::TemplateUsage> {
        self.inner.usage.get_or_init(|| {
            let names = LookupNames::<T> { library: &EmptyLibrary, options: self.options() };
            let program = tree(self.source(), self.options()).expect("it was parsed before");
            Arc::new(variables::usage(&program, &names))
        })
    }

    fn body(&self) -> &program::CompiledProgram<T> {
        &self.inner.body
    }

    /// The variables that the template and the partials that it includes read.
    ///
    /// # Errors
    /// [`Kind::TemplateSyntax`](crate::Kind::TemplateSyntax) if partials include each other so often that the template
    /// has more than [`limits::VARIABLE_USES`](crate::limits::VARIABLE_USES) uses of variables.
    pub fn variables(&self, partials: &dyn Library<T>) -> Result<VariableUsages> {
        let usage = |name: &str| partials.partial(name).map(|partial| Arc::clone(partial.usage()));
        variables::join(self.usage(), &usage)
    }

    /// Whether this template, or a partial that it includes, uses its whole context as a value, as `{{json this}}` does.
    /// It may be true where only a part of the context is used so.
    #[must_use]
    pub fn prints_context(&self, partials: &dyn Library<T>) -> bool {
        let usage = |name: &str| partials.partial(name).map(|partial| Arc::clone(partial.usage()));
        variables::prints_context(self.usage(), &usage)
    }

    /// Renders into `out`, once.
    fn render_into<D: Data<Text = T>>(
        &self,
        data: &D,
        context: &D::Value,
        caller_data: Option<&D::Value>,
        partials: &dyn Library<T>,
        out: &mut D::Sink,
    ) -> Result<()> {
        // A template without tags is the most common one.
        if let [program::Node::Text(text)] = &*self.inner.body.nodes {
            out.text(text);
            return Ok(());
        }
        render::render(self, data, context, caller_data, partials, out)
    }

    /// Renders and returns the finished output. `caller_data` is a mapping with the values of `@name` outside loops.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`](crate::Kind::TemplateRender), with its place, for a missing value, a value that has no
    /// text, a partial that does not exist, or an exceeded limit; or the error that code of the caller raised.
    pub fn render<D: Data<Text = T>>(
        &self,
        data: &D,
        context: &D::Value,
        caller_data: Option<&D::Value>,
        partials: &dyn Library<T>,
    ) -> Result<D::Output> {
        let result = data.fences().settle(|| {
            let mut out = data.sink();
            self.render_into(data, context, caller_data, partials, &mut out)?;
            Ok(out.finish())
        });
        // An error about the fences of the whole template has no place of its own.
        result.map_err(|error| error.at(0).locate(self.name(), self.source()))
    }
}

/// How the names of a template that is being compiled are looked up.
struct LookupNames<'l, T> {
    library: &'l dyn Library<T>,
    options: &'l TemplateOptions,
}

impl<T: Text> variables::HelperNames for LookupNames<'_, T> {
    fn is_helper(&self, name: &str) -> bool {
        self.library.has_helper(name)
            || self.options.announces_helper(name)
            || (self.options.is_javascript() && matches!(name, "log" | "lookup"))
    }

    fn sees_context(&self, name: &str) -> bool {
        // What a helper takes that is not registered yet is not known.
        self.library.sees_context(name)
            || (self.options.announces_helper(name) && !self.library.has_helper(name))
    }

    fn is_text(&self, block: &ast::BlockNode<'_>) -> bool {
        !self.options.is_javascript() && !self.is_helper(&block.call.callee.name())
    }

    fn is_recursive(&self) -> bool {
        self.options.compat
    }

    fn is_javascript(&self) -> bool {
        self.options.is_javascript()
    }
}

/// Adds a hint to a syntax error that has none, if the tag shows a known mistake.
fn with_hint(error: Error, source: &str) -> Error {
    // A hint that the error already has is kept.
    let hint = error.offset().and_then(|at| hints::for_tag(source, at));
    error.with_optional_hint(hint)
}

/// A library without partials and helpers.
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

/// Two libraries, the first of which takes precedence: a prompt's own partials before those of the engine.
#[derive(Clone, Copy)]
pub struct LayeredLibrary<'p, T>(pub &'p dyn Library<T>, pub &'p dyn Library<T>);

impl<T: Text> Library<T> for LayeredLibrary<'_, T> {
    fn partial(&self, name: &str) -> Option<Template<T>> {
        self.0.partial(name).or_else(|| self.1.partial(name))
    }

    fn has_helper(&self, name: &str) -> bool {
        self.0.has_helper(name) || self.1.has_helper(name)
    }

    fn sees_context(&self, name: &str) -> bool {
        self.0.sees_context(name) || self.1.sees_context(name)
    }

    fn helpers(&self) -> Vec<String> {
        let mut names = self.0.helpers();
        names.extend(self.1.helpers());
        names
    }

    fn kept(&self) -> KeptLibrary<T> {
        Box::new(OwnedLayeredLibrary(self.0.kept(), self.1.kept()))
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.0.names();
        names.extend(self.1.names());
        names
    }
}

/// A [`LayeredLibrary`] that owns its libraries.
struct OwnedLayeredLibrary<T>(KeptLibrary<T>, KeptLibrary<T>);

impl<T: Text> Library<T> for OwnedLayeredLibrary<T> {
    fn partial(&self, name: &str) -> Option<Template<T>> {
        self.0.partial(name).or_else(|| self.1.partial(name))
    }

    fn names(&self) -> Vec<String> {
        LayeredLibrary(&*self.0, &*self.1).names()
    }

    fn has_helper(&self, name: &str) -> bool {
        LayeredLibrary(&*self.0, &*self.1).has_helper(name)
    }

    fn sees_context(&self, name: &str) -> bool {
        LayeredLibrary(&*self.0, &*self.1).sees_context(name)
    }

    fn helpers(&self) -> Vec<String> {
        LayeredLibrary(&*self.0, &*self.1).helpers()
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
