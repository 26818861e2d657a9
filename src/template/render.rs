//! The renderer: executes a compiled program, generic over the data and the output.
//!
//! Its state is a [`Scope`] on the stack, so entering a block allocates nothing. The contexts that `../` can reach, the
//! loops that `@index` and `@../index` can reach, the block parameters and the inline partials in scope are linked
//! lists through the stack frames of the renderer. It counts what a render uses: steps, output, open levels.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Template;
use super::closure::Closure;
use super::context::{Data, Invocation, Item, Sink, Style, Truth, ValueKind, WriteOutcome};
use super::fence::{self, Fences};
use super::helpers::{self, BuiltinHelper, HelperArguments};
use super::hints;
use super::inlines::InlineSet;
use super::program::{
    Block, BlockKind, Call, Callee, CompiledProgram, Expr, Inline, Kinds, Literal, Node, Partial,
    PartialName, PathRoot, Unknown, ValuePath, usage_of_builtin,
};
use super::stack;
use super::sums::{Summand, Sums};
use crate::error::{Error, Kind, Result, nearest};
use crate::limits::{BYTES_OF_A_STEP, Limits, MAX_DEPTH};

/// What templates can use by name: partials, and the helpers that the caller registered.
pub trait Library<T> {
    /// The partial of this name.
    fn partial(&self, name: &str) -> Option<Template<T>>;
    /// The names of all partials, for "did you mean" hints.
    fn names(&self) -> Vec<String>;
    /// Whether the caller registered a helper of this name.
    fn has_helper(&self, _name: &str) -> bool {
        false
    }
    /// Whether the helper of this name can read the whole context, and not only its arguments.
    fn sees_context(&self, _name: &str) -> bool {
        false
    }
    /// Whether the prompt declares a variable of this name, which a render may leave out.
    fn is_declared(&self, _name: &str) -> bool {
        false
    }
    /// The names of all helpers that the caller registered, for "did you mean" hints.
    fn helpers(&self) -> Vec<String> {
        Vec::new()
    }
    /// An owned copy of this library, for a helper that keeps its block.
    fn kept(&self) -> KeptLibrary<T>;
}

/// A library that owns its partials and helpers.
pub type KeptLibrary<T> = Box<dyn Library<T> + Send + Sync>;

/// The number of steps between two checks of whether the user interrupted the render.
const STEPS_BETWEEN_CHECKS: u64 = 0x4000;

/// The number of bytes of text that a fence is searched in for one step.
const BYTES_OF_A_FENCE_STEP: usize = 8;

/// Renders a template into `out`.
pub(super) fn render<D: Data>(
    template: &Template<D::Text>,
    data: &D,
    context: &D::Value,
    caller_data: Option<&D::Value>,
    partials: &dyn Library<D::Text>,
    out: &mut D::Sink,
) -> Result<()> {
    // As in handlebars.js, the caller can give another `@root`.
    let root = match caller_data {
        Some(given) => data.get(given, &super::Text::new("root"))?,
        None => None,
    };
    let mut walk = Renderer {
        data,
        partials,
        caller_data,
        top: root.as_ref().unwrap_or(context),
        steps: 0,
        alarm: alarm(0, template.options().limits.steps),
        levels: 0,
        outside: stack::levels(),
        frames: 0,
        open_partials: 0,
        fences: data.fences(),
        sums: Sums::default(),
        sum: None,
    };
    let level = Level { context: Some(context.clone()), up: None };
    let scope = Scope { template, level: &level, lap: None, params: None, inlines: None, block: None };
    walk.body(template.body(), &scope, out).map_err(|error| locate(error, template))?;
    walk.settle(out);
    Ok(())
}

/// The step after `steps` at which the renderer checks the limit and interrupts.
pub(super) fn alarm(steps: u64, limit: u64) -> u64 {
    limit.saturating_add(1).min(steps.saturating_add(STEPS_BETWEEN_CHECKS))
}

fn locate<T: super::Text>(error: Error, template: &Template<T>) -> Error {
    error.locate(template.name(), template.source())
}

/// What stays the same during a render, and what is counted.
pub(super) struct Renderer<'w, D: Data> {
    pub(super) data: &'w D,
    pub(super) partials: &'w dyn Library<D::Text>,
    pub(super) caller_data: Option<&'w D::Value>,
    pub(super) top: &'w D::Value,
    pub(super) steps: u64,
    /// The step at which the limit and interrupts are checked next.
    pub(super) alarm: u64,
    pub(super) levels: usize,
    /// Levels that other renders, waiting for a helper, have open on this thread.
    pub(super) outside: usize,
    /// The number of frames of kept scopes on the stack.
    pub(super) frames: usize,
    pub(super) open_partials: usize,
    pub(super) fences: &'w Fences,
    /// In the `handlebars` dialect: the numbers that are held back.
    pub(super) sums: Sums,
    /// The sum that the last program returned instead of text.
    pub(super) sum: Option<Summand>,
}

/// Everything that a statement can refer to.
pub(super) struct Scope<'s, D: Data> {
    /// The template that contains the statement.
    pub(super) template: &'s Template<D::Text>,
    pub(super) level: &'s Level<'s, D>,
    pub(super) lap: Option<&'s Lap<'s, D>>,
    pub(super) params: Option<&'s Params<'s, D>>,
    pub(super) inlines: Option<&'s Inlines<'s, D>>,
    pub(super) block: Option<&'s BlockOf<'s, D>>,
}

impl<D: Data> Clone for Scope<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Data> Copy for Scope<'_, D> {}

/// A context, linked to those that `../` reaches from it.
pub(super) struct Level<'s, D: Data> {
    pub(super) context: Option<D::Value>,
    pub(super) up: Option<&'s Level<'s, D>>,
}

/// One iteration of a loop.
pub(super) struct Lap<'s, D: Data> {
    /// The number of the iteration. `None` for a frame that only holds values that a helper passed to its block.
    pub(super) index: Option<usize>,
    pub(super) key: Option<D::Value>,
    pub(super) last: bool,
    /// A mapping with values for `@name` that a helper passed to its block.
    pub(super) data: Option<D::Value>,
    pub(super) up: Option<&'s Lap<'s, D>>,
}

/// The values of a block's parameters.
pub(super) struct Params<'s, D: Data> {
    /// `None`: the helper that rendered the block passed no values.
    pub(super) values: ParamValues<D::Value>,
    pub(super) up: Option<&'s Params<'s, D>>,
}

/// The values of a block's two parameters, if any are passed.
pub(super) type ParamValues<V> = Option<[Option<V>; 2]>;

/// Inline partials, with the scope in which they were defined.
pub(super) struct Inlines<'s, D: Data> {
    pub(super) set: &'s Arc<InlineSet<Inline<D::Text>>>,
    pub(super) scope: Scope<'s, D>,
}

/// The block of `@partial-block`, with the scope in which it was written.
pub(super) struct BlockOf<'s, D: Data> {
    pub(super) partial: &'s Arc<Partial<D::Text>>,
    pub(super) scope: Scope<'s, D>,
}

/// A partial that was found.
enum FoundPartial<'s, D: Data> {
    Template(Template<D::Text>),
    Closure { body: &'s CompiledProgram<D::Text>, scope: Scope<'s, D>, block: Option<&'s BlockOf<'s, D>> },
}

fn fail(message: impl Into<String>, offset: usize) -> Error {
    Error::new(Kind::TemplateRender, message).at(offset)
}

impl<D: Data> Renderer<'_, D> {
    /// Renders statements together with the partials that they define.
    #[inline]
    fn body(
        &mut self,
        body: &CompiledProgram<D::Text>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let Some(set) = &body.inlines else { return self.nodes(&body.nodes, scope, out) };
        let inlines = Inlines { set, scope: *scope };
        self.nodes(&body.nodes, &Scope { inlines: Some(&inlines), ..*scope }, out)
    }

    fn nodes(&mut self, nodes: &[Node<D::Text>], scope: &Scope<'_, D>, out: &mut D::Sink) -> Result<()> {
        let javascript = scope.template.options().is_javascript();
        if javascript {
            self.sums.begin();
        }
        for node in nodes {
            match node {
                Node::Text(text) => {
                    if javascript {
                        self.sums.text(out);
                    }
                    out.text(text);
                }
                Node::Print { expr, style, short } => {
                    self.step(expr.span.start, scope)?;
                    if !(*short && self.print_member(expr, *style, scope, out)?) {
                        self.print(expr, *style, scope, out)?;
                    }
                }
                Node::Block(block) => {
                    self.step(block.span.start, scope)?;
                    self.enter(block.span.start, scope)?;
                    self.block(block, scope, out)?;
                    self.levels -= 1;
                    if javascript {
                        self.join(out);
                    }
                }
                Node::Partial(partial) => {
                    self.step(partial.span.start, scope)?;
                    self.enter(partial.span.start, scope)?;
                    self.partial(partial, scope, out)?;
                    self.levels -= 1;
                    if javascript {
                        self.join(out);
                    }
                }
            }
        }
        let limit = scope.template.options().limits.output_bytes;
        if out.bytes() > limit {
            return Err(Error::new(
                Kind::TemplateRender,
                format!("the output is longer than the limit of {limit} bytes"),
            )
            .with_hint("shorten the output, or raise limits.output_bytes"));
        }
        if javascript {
            self.sum = self.sums.end();
        }
        Ok(())
    }

    /// Adds the output of a block or partial to its program: a sum, or else text, even if empty.
    fn join(&mut self, out: &mut D::Sink) {
        match self.sum.take() {
            Some(raw) => self.sums.raw(raw, out),
            None => self.sums.text(out),
        }
    }

    /// Writes the sum that a program returned as text, where text is needed.
    pub(super) fn settle(&mut self, out: &mut D::Sink) {
        if let Some(raw) = self.sum.take() {
            self.sums.raw(raw, out);
            self.sums.text(out);
        }
    }

    #[inline]
    fn step(&mut self, offset: usize, scope: &Scope<'_, D>) -> Result<()> {
        self.steps += 1;
        if self.steps < self.alarm { Ok(()) } else { self.alarmed(scope).map_err(|error| error.at(offset)) }
    }

    /// Counts work as this many steps.
    fn work(&mut self, steps: usize, scope: &Scope<'_, D>) -> Result<()> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps < self.alarm { Ok(()) } else { self.alarmed(scope) }
    }

    /// Counts a call of a helper with its arguments.
    fn work_of(&mut self, call: &Call<D::Text>, scope: &Scope<'_, D>) -> Result<()> {
        self.work(1 + call.params.len() + call.hash.len(), scope)
    }

    /// Checks the limit on steps and whether the user interrupted the render.
    #[cold]
    fn alarmed(&mut self, scope: &Scope<'_, D>) -> Result<()> {
        let limit = scope.template.options().limits.steps;
        if self.steps > limit {
            return Err(Error::new(
                Kind::TemplateRender,
                format!("the render exceeded the limit of {limit} steps"),
            )
            .with_hint("render less data at once, or raise limits.steps"));
        }
        self.alarm = alarm(self.steps, limit);
        self.data.check_interrupt()
    }

    fn enter(&mut self, offset: usize, scope: &Scope<'_, D>) -> Result<()> {
        self.levels += 1;
        let limit = scope.template.options().limits.depth.min(MAX_DEPTH);
        if self.levels > limit {
            return Err(fail(
                format!("blocks and partials are nested more than {limit} levels deep"),
                offset,
            )
            .with_hint("check whether a partial includes itself without end, or raise limits.depth"));
        }
        self.fits(limit).map_err(|error| error.at(offset))
    }

    /// Checks that the stack has room, if outer renders wait for helpers that render.
    pub(super) fn fits(&self, limit: usize) -> Result<()> {
        if self.outside == 0 || self.outside + self.levels <= limit.max(Limits::default().depth) {
            return Ok(());
        }
        Err(Error::new(Kind::TemplateRender, "renders and helpers are nested too deep")
            .with_hint("check whether a helper renders a template that calls the helper again"))
    }

    /// Writes the value of a tag.
    fn print(
        &mut self,
        expr: &Expr<D::Text>,
        style: Style,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let options = scope.template.options();
        let offset = expr.span.start;
        let value = self.terminal(expr, scope)?;
        if options.is_javascript() {
            let raw = match &value {
                Some(value) if !style.html => Summand::of(self.data, value)?,
                _ => None,
            };
            match raw {
                Some(raw) => {
                    self.sums.raw(raw, out);
                    return Ok(());
                }
                None => self.sums.text(out),
            }
        }
        let Some(value) = value else { return Ok(()) };
        let outcome = self.data.write(&value, style, out).map_err(|error| error.at(offset))?;
        finish(outcome, expr, scope)
    }

    /// The fast path for the most common tag: one name of the context. False: the general way must be taken.
    #[inline]
    fn print_member(
        &self,
        expr: &Expr<D::Text>,
        style: Style,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<bool> {
        let (Kinds::Path(path), Some(context)) = (&expr.kind, &scope.level.context) else { return Ok(false) };
        let [name] = &*path.parts else { return Ok(false) };
        match self.data.write_member(context, name, style, out) {
            Ok(Some(WriteOutcome::Done)) => Ok(true),
            Ok(Some(outcome)) => finish(outcome, expr, scope).map(|()| true),
            Ok(None) => Ok(false),
            Err(error) => Err(error.at(expr.span.start)),
        }
    }

    /// The value of a tag or block. In strict mode a missing value is an error. The `handlebars` dialect limits this to
    /// paths that end in a name, as handlebars.js does.
    fn terminal(&mut self, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let options = scope.template.options();
        let value = self.eval(expr, scope)?;
        if !options.strict {
            return Ok(value);
        }
        let path = match &expr.kind {
            Kinds::Path(path) => Some(path),
            Kinds::Asked(unknown) => Some(&unknown.value),
            _ => None,
        };
        if options.is_javascript()
            && let Some(path) = path
            && let Some(last) = path.parts.len().checked_sub(1)
            && matches!(path.root, PathRoot::Context(_))
            && let Some(parent) = self.path_to(path, last, scope)?
            && !matches!(
                self.data.kind_of(&parent)?,
                ValueKind::Sequence | ValueKind::Mapping | ValueKind::Record
            )
        {
            // `name in "text"` is an error in JavaScript.
            return Err(self.missing(expr, expr.span.start, scope));
        }
        let inherited = |path: &ValuePath<D::Text>| {
            path.parts.last().is_none_or(|name| is_inherited(super::Text::as_str(name)))
        };
        if options.is_javascript() && path.is_none_or(inherited) {
            return Ok(value);
        }
        if options.is_javascript()
            && let Some(ValuePath { root: PathRoot::Recursive, parts }) = path
            && let ([name], Some(found)) = (&**parts, &value)
        {
            // handlebars.js looks up the name again in the value that it found under the name.
            let text = self.data.kind_of(found)? == ValueKind::String;
            return match self.data.get(found, name)? {
                Some(inner) if !text => Ok(Some(inner)),
                _ => Err(self.missing(expr, expr.span.start, scope)),
            };
        }
        if value.is_none() { Err(self.missing(expr, expr.span.start, scope)) } else { Ok(value) }
    }

    /// The error for a missing value that a tag prints.
    fn missing(&self, expr: &Expr<D::Text>, offset: usize, scope: &Scope<'_, D>) -> Error {
        let name = written(expr, scope);
        let error = |message: String| fail(message, offset);
        let Kinds::Path(path) = &expr.kind else { return error(format!("`{name}` returned no value")) };
        let base = match path.root {
            PathRoot::Context(depth) => context(depth, scope),
            PathRoot::Recursive => context(0, scope),
            PathRoot::Top => Some(self.top.clone()),
            PathRoot::Data(_)
                if path.parts.first().is_some_and(|name| is_lap_name(super::Text::as_str(name))) =>
            {
                return error(format!("`{name}` is used outside a loop"))
                    .with_hint("it has a value only inside `{{#each}}`");
            }
            PathRoot::Data(_) => self.caller_data.cloned(),
            PathRoot::Param { .. } => None,
        };
        let Some(mut value) = base else {
            let error = error(format!("`{name}` has no value"));
            return match path.root {
                PathRoot::Data(_) => error.with_hint("pass the values of `@` names with `data={…}`"),
                _ => error,
            };
        };
        for (at, part) in path.parts.iter().enumerate() {
            match self.data.get(&value, part) {
                Ok(Some(found)) => value = found,
                Ok(None) => {
                    let part = super::Text::as_str(part);
                    let (known, kind) = match (self.data.names(&value), self.data.kind_of(&value)) {
                        (Ok(known), Ok(kind)) => (known, kind),
                        (Err(error), _) | (_, Err(error)) => return error.at(offset),
                    };
                    let message = if at == 0 && path.root == PathRoot::Context(0) && scope.level.up.is_none()
                    {
                        format!("Missing variable '{part}'")
                    } else if at == 0 {
                        format!("`{name}` has no value: the current context has no `{part}`")
                    } else if kind == ValueKind::Null {
                        format!("`{name}` has no value: the value before `.{part}` is None")
                    } else {
                        format!("`{name}` has no value: the value before `.{part}` has no such member")
                    };
                    let error = error(message).with_context("variable", name);
                    let near = nearest(part, known.iter().map(String::as_str));
                    let hint = match near {
                        Some(near) => Some(format!("did you mean `{near}`?")),
                        None => self.hint_for_missing(path, at, scope),
                    };
                    return match hint {
                        Some(hint) => error.with_hint(hint),
                        None => error,
                    };
                }
                Err(cause) => return cause.at(offset),
            }
        }
        error(format!("`{name}` has no value"))
    }

    /// A hint for a missing name that is no misspelling of another one.
    fn hint_for_missing(&self, path: &ValuePath<D::Text>, at: usize, scope: &Scope<'_, D>) -> Option<String> {
        let name = path.parts.first().filter(|_| at == 0)?;
        if let PathRoot::Context(depth) = path.root {
            let has_name = |context: &D::Value| matches!(self.data.get(context, name), Ok(Some(_)));
            let mut level = Some(scope.level);
            for _ in 0..depth {
                level = level.and_then(|level| level.up);
            }
            let mut steps = String::from("../");
            while let Some(outer) = level.and_then(|level| level.up) {
                if outer.context.as_ref().is_some_and(has_name) {
                    let name = super::Text::as_str(name);
                    return Some(format!("it exists outside of the block: write `{steps}{name}`"));
                }
                steps.push_str("../");
                level = Some(outer);
            }
        }
        let name = super::Text::as_str(name);
        match path.root {
            PathRoot::Data(_) => Some("pass the values of `@` names with `data={…}`".to_owned()),
            _ if path.parts.len() > 1 => None,
            _ => hints::for_name(name).map(ToOwned::to_owned).or_else(|| usage_of_builtin(name)),
        }
    }

    /// The value of an expression. `None` if it has no value.
    fn eval(&mut self, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        match &expr.kind {
            Kinds::Path(path) => self.path(path, scope).map_err(|error| error.at(expr.span.start)),
            Kinds::Literal(literal) => Ok(Some(self.data.literal(literal))),
            Kinds::Undefined => Ok(None),
            Kinds::Fault(message) => Err(fail(&**message, expr.span.start)),
            Kinds::Asked(unknown) => self.asked(unknown, scope).map_err(|error| error.at(expr.span.start)),
            Kinds::Unknown(unknown) => {
                self.unknown(unknown, scope).map_err(|error| error.at(expr.span.start))
            }
            Kinds::Call(call) => self.call(call, scope).map_err(|error| error.at(expr.span.start)),
        }
    }

    /// A call of an unknown helper. In handlebars.js it is an error, unless it has no arguments and the name has no
    /// value.
    fn unknown(&mut self, unknown: &Unknown<D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let value = self.path(&unknown.value, scope)?;
        let strict = scope.template.options().strict;
        let nothing = !strict && !self.is_something(value.as_ref())?;
        if nothing && unknown.hook {
            return self.ask(unknown, scope);
        }
        self.work_of(&unknown.call, scope)?;
        for value in unknown.call.params.iter().chain(unknown.call.hash.iter().map(|(_, value)| value)) {
            self.eval(value, scope)?;
        }
        if nothing && unknown.call.params.is_empty() {
            return Ok(None);
        }
        Err(Error::new(Kind::TemplateRender, format!("there is no helper `{}`", unknown.name)))
    }

    /// Whether a value is truthy in JavaScript, where every object and every list is.
    fn is_something(&self, value: Option<&D::Value>) -> Result<bool> {
        let Some(value) = value else { return Ok(false) };
        let object = matches!(
            self.data.kind_of(value)?,
            ValueKind::Sequence | ValueKind::Mapping | ValueKind::Record | ValueKind::Iterable
        );
        Ok(object || self.data.truth(value, false)? == Truth::True)
    }

    /// The value of a name. If it has none, the result of the caller's `helperMissing`.
    fn asked(&mut self, unknown: &Unknown<D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let value = self.path(&unknown.value, scope)?;
        match value {
            Some(value) if self.data.kind_of(&value)? != ValueKind::Null => Ok(Some(value)),
            value if scope.template.options().strict => Ok(value),
            _ => self.ask(unknown, scope),
        }
    }

    fn ask(&mut self, unknown: &Unknown<D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let Callee::Registered(hook) = &unknown.call.callee else { return Ok(None) };
        self.call_registered(hook, &unknown.name, &unknown.call, None, scope)
    }

    fn path(&self, path: &ValuePath<D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        self.path_to(path, path.parts.len(), scope)
    }

    /// The value of a path's first `count` names.
    fn path_to(
        &self,
        path: &ValuePath<D::Text>,
        count: usize,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        let parts: &[D::Text] = &path.parts[..count];
        let (base, parts) = match path.root {
            PathRoot::Context(0) => match (&scope.level.context, parts) {
                // The most common case, without cloning the context.
                (Some(context), [first, rest @ ..]) => match self.data.get(context, first)? {
                    Some(found) => (Some(found), rest),
                    None if !rest.is_empty() || self.data.kind_of(context)? == ValueKind::Null => {
                        return Self::no_object(scope);
                    }
                    None => return Ok(None),
                },
                (context, _) => (context.clone(), parts),
            },
            PathRoot::Context(depth) => (context(depth, scope), parts),
            PathRoot::Recursive => match parts {
                [first, rest @ ..] => (self.recursive(first, scope)?, rest),
                [] => (None, parts),
            },
            PathRoot::Top => (Some(self.top.clone()), parts),
            PathRoot::Param { block, index } => {
                let mut params = scope.params;
                for _ in 0..block {
                    params = params.and_then(|params| params.up);
                }
                let values = params.and_then(|params| params.values.as_ref());
                if values.is_none() && scope.template.options().is_javascript() {
                    return Err(Error::new(
                        Kind::TemplateRender,
                        "the helper passed no values for the parameters of its block",
                    ));
                }
                (values.and_then(|values| values.get(index).cloned().flatten()), parts)
            }
            PathRoot::Data(depth) => match parts.split_first() {
                Some((first, rest)) => (self.data_value(first, depth, scope)?, rest),
                None => (None, parts),
            },
        };
        let Some(mut value) = base else {
            return if parts.is_empty() { Ok(None) } else { Self::no_object(scope) };
        };
        let data_path = matches!(path.root, PathRoot::Data(_)) && scope.template.options().is_javascript();
        for (at, part) in parts.iter().enumerate() {
            if data_path && !self.is_something(Some(&value))? {
                // handlebars.js reads `@a.b` as `a && a.b`, but not in strict mode.
                return if scope.template.options().strict {
                    Self::no_object(scope)
                } else {
                    Ok(Some(value))
                };
            }
            match self.data.get(&value, part)? {
                Some(found) => value = found,
                None if at + 1 < parts.len() || self.data.kind_of(&value)? == ValueKind::Null => {
                    return Self::no_object(scope);
                }
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    /// The result of a path with a missing value in its middle.
    fn no_object(scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let options = scope.template.options();
        if options.assume_objects || (options.strict && options.is_javascript()) {
            return Err(Error::new(Kind::TemplateRender, "a value in the middle of this path is missing"));
        }
        Ok(None)
    }

    /// The first value of this name that is not null, from the innermost context outwards.
    fn recursive(&self, name: &D::Text, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let mut level = Some(scope.level);
        while let Some(here) = level {
            level = here.up;
            let Some(context) = &here.context else { continue };
            let primitive = !matches!(
                self.data.kind_of(context)?,
                ValueKind::Sequence | ValueKind::Mapping | ValueKind::Null
            );
            if primitive && self.data.truth(context, false)? != Truth::True {
                // handlebars.js returns a falsy context as the value itself.
                return Ok(Some(context.clone()));
            }
            if let Some(found) = self.data.get(context, name)?
                && self.data.kind_of(&found)? != ValueKind::Null
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The value of `@index` and the like. Other names are looked up in the caller's data.
    fn data_value(&self, name: &D::Text, depth: usize, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let mut lap = scope.lap;
        let mut top = false;
        for _ in 0..depth {
            match lap {
                Some(frame) => lap = frame.up,
                // The frame of the template itself is inside the one of the caller, if the caller gave one.
                None if !top && self.caller_data.is_some() => top = true,
                None => return Self::no_object(scope),
            }
        }
        if top {
            return self.caller_data.map_or(Ok(None), |data| self.data.get(data, name));
        }
        while let Some(frame) = lap {
            if let Some(data) = &frame.data
                && let Some(found) = self.data.get(data, name)?
            {
                return Ok(Some(found));
            }
            if let Some(index) = frame.index
                && let Some(found) = self.lap_value(frame, index, super::Text::as_str(name))
            {
                return Ok(Some(found));
            }
            // A frame with values of a helper hides only the names that it has.
            lap = frame.up.filter(|_| frame.index.is_none());
        }
        match super::Text::as_str(name) {
            "root" => return Ok(Some(self.top.clone())),
            "partial-block" if scope.block.is_some() => {
                return Ok(Some(self.data.literal(&Literal::Bool(true))));
            }
            _ => {}
        }
        match self.caller_data {
            Some(data) => self.data.get(data, name),
            None => Ok(None),
        }
    }

    fn lap_value(&self, lap: &Lap<'_, D>, index: usize, name: &str) -> Option<D::Value> {
        let number = || self.data.literal(&Literal::Integer(i64::try_from(index).unwrap_or(i64::MAX)));
        match name {
            "index" => Some(number()),
            "key" => Some(lap.key.clone().unwrap_or_else(number)),
            "first" => Some(self.data.literal(&Literal::Bool(index == 0))),
            "last" => Some(self.data.literal(&Literal::Bool(lap.last))),
            _ => None,
        }
    }

    fn call(&mut self, call: &Call<D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        match &call.callee {
            Callee::Prompt(helper) => self.call_prompt_helper(*helper, call, scope),
            Callee::Registered(name) => {
                self.call_registered(name, super::Text::as_str(name), call, None, scope)
            }
        }
    }

    fn call_prompt_helper(
        &mut self,
        helper: BuiltinHelper,
        call: &Call<D::Text>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        self.work_of(call, scope)?;
        let signature = helper.signature();
        let mut positional = Vec::with_capacity(call.params.len());
        for param in &call.params {
            let value = self.eval(param, scope)?;
            if value.is_none() && signature.needs_values {
                return Err(self.missing(param, param.span.start, scope));
            }
            positional.push(value);
        }
        let named = call
            .hash
            .iter()
            .map(|(name, value)| Ok((super::Text::as_str(name), self.eval(value, scope)?)))
            .collect::<Result<Vec<_>>>()?;
        let javascript = scope.template.options().is_javascript();
        let arguments = HelperArguments {
            data: self.data,
            positional: &positional,
            named: &named,
            javascript,
            limit: scope.template.options().limits.output_bytes,
            bytes_counted: Cell::new(0),
            item_limit: scope.template.options().limits.steps,
            items_counted: Cell::new(0),
            fences: self.fences,
        };
        let value = helpers::call(helper, &arguments).map_err(|error| match error.kind() {
            Kind::TemplateRender => {
                let message = format!("`{}`: {}", signature.name, error.message());
                error.recast(Kind::TemplateRender, message)
            }
            _ => error,
        })?;
        let bytes = arguments.bytes_counted.get() / BYTES_OF_A_STEP;
        let items = self.data.take_work().saturating_add(arguments.items_counted.get());
        self.work(bytes.saturating_add(usize::try_from(items).unwrap_or(usize::MAX)), scope)?;
        Ok(value)
    }

    /// The values of `@root`, `@index` and the like in this scope.
    fn frame(&self, scope: &Scope<'_, D>) -> Vec<(&'static str, D::Value)> {
        let mut values = vec![("root", self.top.clone())];
        if let Some(lap) = scope.lap
            && let Some(index) = lap.index
        {
            for name in ["index", "key", "first", "last"] {
                values.extend(self.lap_value(lap, index, name).map(|value| (name, value)));
            }
        }
        values
    }

    fn call_registered(
        &mut self,
        name: &D::Text,
        named: &str,
        call: &Call<D::Text>,
        block: Option<&Arc<Block<D::Text>>>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        self.work_of(call, scope)?;
        let positional = call.params.iter().map(|param| self.eval(param, scope)).collect::<Result<_>>()?;
        let hash = call
            .hash
            .iter()
            .map(|(name, value)| Ok((name, self.eval(value, scope)?)))
            .collect::<Result<_>>()?;
        self.invoke(name, named, positional, hash, block, scope)
    }

    /// Calls a registered helper with evaluated arguments. `named` is the name that the template uses.
    fn invoke(
        &mut self,
        name: &D::Text,
        named: &str,
        positional: Vec<Option<D::Value>>,
        hash: Vec<(&D::Text, Option<D::Value>)>,
        block: Option<&Arc<Block<D::Text>>>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        let Some(helper) = self.data.helper(name) else {
            return Err(Error::new(Kind::TemplateRender, format!("the helper `{named}` is not registered"))
                .with_hint("register it with the template engine before you render"));
        };
        let closure = block.map(|block| Closure::new(block, scope, self)).transpose()?;
        let steps = closure.as_ref().map(Closure::steps);
        let this = &*self;
        self.fits(scope.template.options().limits.depth)?;
        let calling = stack::HelperCallGuard::at(self.outside + self.levels);
        let result = this.data.invoke(
            &helper,
            Invocation {
                name: named,
                positional,
                named: hash,
                context: scope.level.context.as_ref(),
                data: &|| this.frame(scope),
                caller_data: self.caller_data,
                block: closure,
            },
        );
        drop(calling);
        // The steps of the block, if the helper rendered it, count here too.
        if let Some(steps) = steps {
            self.steps = self.steps.max(steps.load(Ordering::Relaxed));
        }
        result
    }

    fn truth(&self, value: Option<&D::Value>, scope: &Scope<'_, D>) -> Result<Truth> {
        let empty_mapping_is_false = !scope.template.options().is_javascript();
        value.map_or(Ok(Truth::False), |value| self.data.truth(value, empty_mapping_is_false))
    }

    /// Renders a block. In handlebars.js, if the context is null or missing, a block helper and its block see an empty
    /// object instead.
    fn block(&mut self, block: &Arc<Block<D::Text>>, scope: &Scope<'_, D>, out: &mut D::Sink) -> Result<()> {
        let something = || -> Result<bool> {
            match &scope.level.context {
                Some(context) => Ok(self.data.kind_of(context)? != ValueKind::Null),
                None => Ok(false),
            }
        };
        if !scope.template.options().is_javascript() || something()? {
            return self.block_in(block, scope, scope, out);
        }
        let empty = self.data.of_json(&serde_json::Value::Object(serde_json::Map::new()))?;
        let up = if scope.level.context.is_some() { scope.level.up } else { Some(scope.level) };
        let level = Level { context: Some(empty), up };
        self.block_in(block, scope, &Scope { level: &level, ..*scope }, out)
    }

    /// Renders a block. Its condition is evaluated in `outer`, its branches are rendered in `scope`.
    fn block_in(
        &mut self,
        block: &Arc<Block<D::Text>>,
        outer: &Scope<'_, D>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let at = |error: Error| error.at(block.span.start);
        match &block.kind {
            BlockKind::If { condition, include_zero, negate } => {
                let value = self.eval(condition, outer)?;
                let mut truth = self.truth(value.as_ref(), scope).map_err(at)?;
                if truth == Truth::Zero
                    && let Some(include) = include_zero
                {
                    let include = self.eval(include, outer)?;
                    if self.truth(include.as_ref(), scope).map_err(at)? == Truth::True {
                        truth = Truth::True;
                    }
                }
                let branch = if (truth == Truth::True) == *negate { &block.inverse } else { &block.body };
                self.branch(branch, None, scope, out)
            }
            BlockKind::Each(list) => match self.block_value(block, list, outer)? {
                Some(value) => self.each(block, list, &value, scope, out),
                None => self.branch(&block.inverse, None, scope, out),
            },
            BlockKind::With(value) => match self.block_value(block, value, outer)? {
                Some(value) if self.truth(Some(&value), scope).map_err(at)? != Truth::False => {
                    self.within(&block.body, value.clone(), Some([Some(value), None]), scope, out)
                }
                _ => self.branch(&block.inverse, None, scope, out),
            },
            BlockKind::Value(expr) => {
                let options = scope.template.options();
                let value = if options.is_javascript() {
                    self.terminal(expr, outer)?
                } else {
                    self.block_value(block, expr, outer)?
                };
                self.value_block(block, expr, value, scope, out)
            }
            BlockKind::Result(expr) => {
                let value = self.eval(expr, outer)?;
                self.block_result(value, block, scope, out).map_err(at)
            }
            BlockKind::Asked { hook, name, value } => {
                let value = self.terminal(value, outer)?;
                let value =
                    self.invoke(hook, name, vec![value], Vec::new(), Some(block), scope).map_err(at)?;
                self.block_result(value, block, scope, out).map_err(at)
            }
            BlockKind::Fence { name, open_line_break, close_line_break } => {
                let name = self.fence_name(name, outer)?;
                self.fence(&name, block, scope, out, open_line_break)?;
                out.str(close_line_break);
                Ok(())
            }
            BlockKind::Helper(name, call) => {
                let named = super::Text::as_str(name);
                let value = self.call_registered(name, named, call, Some(block), scope).map_err(at)?;
                self.block_result(value, block, scope, out).map_err(at)
            }
        }
    }

    /// The value of a block that needs one: `each`, `with`, or a block on a value. In strict mode a missing value is an
    /// error, unless the block has an `{{else}}` or the prompt declares the variable. The `handlebars` dialect never
    /// refuses it.
    fn block_value(
        &mut self,
        block: &Block<D::Text>,
        expr: &Expr<D::Text>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        let value = self.eval(expr, scope)?;
        let options = scope.template.options();
        // A helper of the caller that returns nothing gives an empty list.
        let is_registered =
            matches!(&expr.kind, Kinds::Call(call) if matches!(call.callee, Callee::Registered(_)));
        if value.is_some()
            || is_registered
            || block.has_inverse
            || !options.strict
            || options.is_javascript()
            || self.is_declared(expr, scope)
        {
            return Ok(value);
        }
        Err(self.missing(expr, expr.span.start, scope))
    }

    /// Whether an expression is a path that begins with a declared variable.
    fn is_declared(&self, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> bool {
        let Kinds::Path(path) = &expr.kind else { return false };
        let is_outermost = match path.root {
            PathRoot::Context(depth) => {
                let mut level = Some(scope.level);
                for _ in 0..depth {
                    level = level.and_then(|level| level.up);
                }
                level.is_some_and(|level| level.up.is_none())
            }
            PathRoot::Recursive | PathRoot::Top => true,
            PathRoot::Param { .. } | PathRoot::Data(_) => false,
        };
        is_outermost
            && path.parts.first().is_some_and(|name| self.partials.is_declared(super::Text::as_str(name)))
    }

    /// The value of a fence's argument.
    fn fence_name(&mut self, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> Result<String> {
        let at = |error: Error| error.at(expr.span.start);
        let mut sink = self.data.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        let value = self.terminal(expr, scope)?;
        let outcome = match &value {
            Some(value) => self.data.write(value, style, &mut sink).map_err(at)?,
            None => WriteOutcome::Null,
        };
        let name = match outcome {
            WriteOutcome::Done => super::Output::with_str(&sink.finish(), str::to_owned),
            WriteOutcome::Null | WriteOutcome::NullItem | WriteOutcome::NoText(_) => String::new(),
        };
        fence::check_name(&name).map_err(at)?;
        Ok(name)
    }

    /// Renders a block between the tags of a fence.
    fn fence(
        &mut self,
        name: &str,
        block: &Block<D::Text>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
        line_break: &str,
    ) -> Result<()> {
        if !self.fences.open(name) {
            return Err(fail(
                format!("the fence `{name}` is inside a fence of the same name"),
                block.span.start,
            )
            .with_hint("give the inner fence another name"));
        }
        let tag = self.fences.tag(name);
        for piece in ["<", &tag, ">", line_break] {
            out.str(piece);
        }
        let mut inner = self.data.sink();
        let result = self.branch(&block.body, None, scope, &mut inner);
        if result.is_err() {
            self.fences.leave(name);
            return result;
        }
        let ends_line = inner.bytes() == 0 || inner.ends_in_line_break();
        self.work(inner.bytes() / BYTES_OF_A_STEP, scope)?;
        let inner = inner.finish();
        let check_interrupt = || self.data.check_interrupt();
        let searched =
            super::Output::with_str(&inner, |text| self.fences.close(name, text, &check_interrupt))?;
        self.work(searched / BYTES_OF_A_FENCE_STEP, scope)?;
        out.output(&inner);
        if !ends_line {
            out.str(line_break);
        }
        for piece in ["</", &tag, ">"] {
            out.str(piece);
        }
        Ok(())
    }

    /// Writes the result of a block helper, if it has one.
    fn block_result(
        &mut self,
        value: Option<D::Value>,
        block: &Block<D::Text>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let Some(value) = value else { return Ok(()) };
        if scope.template.options().is_javascript() {
            self.sum = Summand::of(self.data, &value)?;
            if self.sum.is_some() {
                return Ok(());
            }
            self.sums.text(out);
        }
        let style = scope.template.options().style(false);
        match self.data.write(&value, style, out)? {
            WriteOutcome::Done | WriteOutcome::Null => Ok(()),
            WriteOutcome::NullItem if scope.template.options().allow_none => Ok(()),
            outcome @ (WriteOutcome::NullItem | WriteOutcome::NoText(_)) => {
                let name = scope.template.source().get(block.span.start..block.span.end).unwrap_or_default();
                let what = match outcome {
                    WriteOutcome::NoText(kind) => kind.to_string(),
                    _ => "a list in which an item is None".to_owned(),
                };
                let message = format!("`{name}` returned {what}, which cannot be printed");
                Err(Error::new(Kind::TemplateRender, message))
            }
        }
    }

    /// Renders a block on a value, as `blockHelperMissing` of handlebars.js does.
    fn value_block(
        &mut self,
        block: &Block<D::Text>,
        expr: &Expr<D::Text>,
        value: Option<D::Value>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let Some(value) = value else { return self.branch(&block.inverse, None, scope, out) };
        match self.data.kind_of(&value)? {
            ValueKind::Sequence | ValueKind::Iterable => self.each(block, expr, &value, scope, out),
            ValueKind::Null => self.branch(&block.inverse, None, scope, out),
            ValueKind::Bool => {
                let branch = if self.truth(Some(&value), scope)? == Truth::True {
                    &block.body
                } else {
                    &block.inverse
                };
                self.branch(branch, None, scope, out)
            }
            ValueKind::Mapping if self.truth(Some(&value), scope)? == Truth::False => {
                self.branch(&block.inverse, None, scope, out)
            }
            // handlebars.js passes the block its own options, in which the parameters are those of the scope around it.
            _ => self.within(&block.body, value, Some([None, None]), scope, out),
        }
    }

    fn each(
        &mut self,
        block: &Block<D::Text>,
        expr: &Expr<D::Text>,
        value: &D::Value,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let mut index = 0;
        let data = self.data;
        let javascript = scope.template.options().is_javascript();
        if !javascript {
            self.check_loop(expr, value, scope)?;
        }
        data.walk(value, &mut |Item { key, value, last }| {
            self.step(block.span.start, scope)?;
            let params = (block.body.params > 0).then(|| {
                let place = || data.literal(&Literal::Integer(i64::try_from(index).unwrap_or(i64::MAX)));
                let second = (block.body.params > 1).then(|| key.clone().unwrap_or_else(place));
                [Some(value.clone()), second]
            });
            let lap = Lap { index: Some(index), key, last, data: None, up: scope.lap };
            index += 1;
            let scope = Scope { lap: Some(&lap), ..*scope };
            if !javascript {
                return self.within(&block.body, value, params, &scope, out);
            }
            self.sums.text(out);
            self.within(&block.body, value, params, &scope, out)?;
            self.settle(out);
            Ok(())
        })
        .map_err(|error| error.at(block.span.start))?;
        if index == 0 { self.branch(&block.inverse, None, scope, out) } else { Ok(()) }
    }

    /// Refuses a value that has no items. handlebars.js renders nothing for it.
    fn check_loop(&self, expr: &Expr<D::Text>, value: &D::Value, scope: &Scope<'_, D>) -> Result<()> {
        let kind = self.data.kind_of(value)?;
        if matches!(
            kind,
            ValueKind::Sequence
                | ValueKind::Mapping
                | ValueKind::Record
                | ValueKind::Iterable
                | ValueKind::Null
        ) {
            return Ok(());
        }
        let name = written(expr, scope);
        let error =
            fail(format!("`each` takes a list or a mapping, but `{name}` is {kind}"), expr.span.start);
        Err(error.with_hint(format!("pass a list, or print the value with `{{{{{name}}}}}`")))
    }

    /// Renders a branch in the same context.
    #[inline]
    pub(super) fn branch(
        &mut self,
        body: &CompiledProgram<D::Text>,
        values: ParamValues<D::Value>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        if body.params == 0 {
            return self.body(body, scope, out);
        }
        let params = Params { values, up: scope.params };
        self.body(body, &Scope { params: Some(&params), ..*scope }, out)
    }

    /// Renders a branch with another context. If it is the current context, no new level for `../` is opened.
    #[inline]
    pub(super) fn within(
        &mut self,
        body: &CompiledProgram<D::Text>,
        context: D::Value,
        values: ParamValues<D::Value>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        if scope.level.context.as_ref().is_some_and(|current| self.data.same(current, &context)) {
            return self.branch(body, values, scope, out);
        }
        let level = Level { context: Some(context), up: Some(scope.level) };
        self.branch(body, values, &Scope { level: &level, ..*scope }, out)
    }

    fn partial(
        &mut self,
        partial: &Arc<Partial<D::Text>>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let offset = partial.span.start;
        let options = scope.template.options();
        if self.open_partials >= options.limits.partial_depth {
            return Err(fail(
                format!("partials are nested more than {} levels deep", options.limits.partial_depth),
                offset,
            )
            .with_hint(
                "check whether a partial includes itself without end, or raise limits.partial_depth",
            ));
        }
        let context = match &partial.context {
            Some(expr) => self.eval(expr, scope)?,
            None if is_swapped(partial, scope) => match &partial.name {
                PartialName::Computed(name) => self.eval(name, scope)?,
                _ => None,
            },
            None if options.explicit_partial_context => None,
            None => scope.level.context.clone(),
        };
        let context = if partial.hash.is_empty() {
            context
        } else {
            let members = partial
                .hash
                .iter()
                .filter_map(|(name, expr)| match self.eval(expr, scope) {
                    Ok(Some(value)) => Some(Ok((name, value))),
                    // In JavaScript an undefined argument hides the context's value of the same name.
                    Ok(None) => {
                        options.is_javascript().then(|| Ok((name, self.data.literal(&Literal::Null))))
                    }
                    Err(error) => Some(Err(error)),
                })
                .collect::<Result<Vec<_>>>()?;
            Some(self.data.overlay(context.as_ref(), members).map_err(|error| error.at(offset))?)
        };
        self.open_partials += 1;
        let result = self.indented(partial, context, scope, out);
        self.open_partials -= 1;
        result
    }

    /// Renders a partial with its indentation and the line break after it, if it is alone on its line.
    fn indented(
        &mut self,
        partial: &Arc<Partial<D::Text>>,
        context: Option<D::Value>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let indents = !partial.indent.is_empty() && !scope.template.options().prevent_indent;
        if !partial.indent.is_empty() {
            self.sums.text(out);
            if !indents {
                out.str(&partial.indent);
            }
        }
        let before = out.bytes();
        if indents {
            let mut inner = self.data.sink();
            let result = self.included(partial, context, scope, &mut inner);
            self.settle(&mut inner);
            out.indented(inner, &partial.indent);
            result?;
        } else {
            self.included(partial, context, scope, out)?;
        }
        // Without this line break, the next line would continue the last line of the partial.
        if !partial.line_break.is_empty() && out.bytes() > before && !out.ends_in_line_break() {
            out.str(partial.line_break);
        }
        Ok(())
    }

    /// Renders a block in its own scope with this context, which may be missing.
    fn entered(
        &mut self,
        body: &CompiledProgram<D::Text>,
        context: Option<D::Value>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        if let Some(context) = context {
            return self.within(body, context, None, scope, out);
        }
        let level = Level { context: None, up: Some(scope.level) };
        self.branch(body, None, &Scope { level: &level, ..*scope }, out)
    }

    /// Finds the partial and renders it.
    fn included(
        &mut self,
        partial: &Arc<Partial<D::Text>>,
        context: Option<D::Value>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let given = partial.block.as_ref().map(|body| (body, BlockOf { partial, scope: *scope }));
        let block = given.as_ref().map(|(_, block)| block).or(scope.block);
        // handlebars.js opens a frame for `@` names for a partial with a block, and another one for its block.
        let framed = scope.template.options().is_javascript();
        let frame = Lap { index: None, key: None, last: false, data: None, up: scope.lap };
        let lap = if framed && given.is_some() { Some(&frame) } else { scope.lap };
        match self.find(partial, scope)? {
            Some(FoundPartial::Template(template)) => {
                // In compat mode a partial can reach the contexts around it.
                let compat = scope.template.options().compat;
                let level = Level { context, up: Some(scope.level).filter(|_| compat) };
                let same = match (&level.context, &scope.level.context) {
                    (Some(new), Some(old)) => self.data.same(new, old),
                    (None, None) => true,
                    _ => false,
                };
                let level = if compat && same { scope.level } else { &level };
                let inner =
                    Scope { template: &template, level, lap, params: None, inlines: scope.inlines, block };
                // Inline partials that the block defines are in scope in the partial.
                let defined = given.as_ref().and_then(|(body, _)| body.inlines.as_ref());
                let inlines = defined.map(|set| Inlines { set, scope: *scope });
                let inner = Scope { inlines: inlines.as_ref().or(inner.inlines), ..inner };
                self.sums.text(out);
                // The partial may have another limit on steps.
                self.alarm = self.alarm.min(alarm(self.steps, template.options().limits.steps));
                self.body(template.body(), &inner, out).map_err(|error| locate(error, &template))?;
                self.settle(out);
                Ok(())
            }
            Some(FoundPartial::Closure { body, scope: defined, block: outer }) => {
                let block = if given.is_some() { block } else { outer };
                let own = Lap { index: None, key: None, last: false, data: None, up: lap };
                let lap = if framed && matches!(partial.name, PartialName::Block) { Some(&own) } else { lap };
                let inner = Scope { lap, inlines: scope.inlines, block, ..defined };
                let result = self.entered(body, context, &inner, out);
                result.map_err(|error| locate(error, defined.template))
            }
            None => match &partial.block {
                Some(body) => {
                    let own = Lap { index: None, key: None, last: false, data: None, up: lap };
                    let lap = if framed { Some(&own) } else { lap };
                    self.entered(body, context, &Scope { lap, ..*scope }, out)
                }
                None => Err(self.no_partial(partial, scope)),
            },
        }
    }

    fn find<'s>(
        &mut self,
        partial: &Partial<D::Text>,
        scope: &Scope<'s, D>,
    ) -> Result<Option<FoundPartial<'s, D>>> {
        let computed;
        let name = match &partial.name {
            PartialName::Block => {
                let found = scope.block.and_then(|block| Some((block.partial.block.as_ref()?, block)));
                return Ok(found.map(|(body, block)| FoundPartial::Closure {
                    body,
                    scope: block.scope,
                    block: block.scope.block,
                }));
            }
            PartialName::Fixed(name) => &**name,
            PartialName::Computed(_) if is_swapped(partial, scope) => return Ok(None),
            PartialName::Computed(expr) => {
                computed = self.computed_name(expr, scope)?;
                computed.as_str()
            }
        };
        let mut inlines = scope.inlines;
        while let Some(frame) = inlines {
            self.step(partial.span.start, scope)?;
            let fixed = frame.set.fixed(name);
            let mut found = fixed.map(|(_, inline)| inline);
            for inline in frame.set.computed_after(fixed.map(|(at, _)| at)) {
                self.step(partial.span.start, scope)?;
                if self.computed_name(&inline.name, &frame.scope)? == name {
                    found = Some(inline);
                    break;
                }
            }
            if let Some(inline) = found {
                return Ok(Some(FoundPartial::Closure {
                    body: &inline.body,
                    scope: frame.scope,
                    block: scope.block,
                }));
            }
            inlines = frame.scope.inlines;
        }
        Ok(self.partials.partial(name).map(FoundPartial::Template))
    }

    /// Evaluates an expression to a partial's name.
    fn computed_name(&mut self, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> Result<String> {
        if let Kinds::Literal(Literal::Text(name)) = &expr.kind {
            return Ok(super::Text::as_str(name).to_owned());
        }
        let offset = expr.span.start;
        let no_name =
            || fail(format!("the value of `{}` is not the name of a partial", written(expr, scope)), offset);
        let value = self.eval(expr, scope)?.ok_or_else(no_name)?;
        let mut sink = self.data.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        match self.data.write(&value, style, &mut sink)? {
            WriteOutcome::Done => {
                self.work(sink.bytes() / BYTES_OF_A_STEP, scope)?;
                Ok(super::Output::with_str(&sink.finish(), str::to_owned))
            }
            WriteOutcome::Null | WriteOutcome::NullItem | WriteOutcome::NoText(_) => Err(no_name()),
        }
    }

    fn no_partial(&self, partial: &Partial<D::Text>, scope: &Scope<'_, D>) -> Error {
        let offset = partial.span.start;
        let name = match &partial.name {
            PartialName::Block => {
                return fail(
                    "`@partial-block` is used in a template that was included without a block",
                    offset,
                )
                .with_hint("include the template with `{{#> name}} … {{/name}}`");
            }
            PartialName::Fixed(name) => name,
            PartialName::Computed(expr) => {
                // The name comes from a value, so the message does not show it.
                return fail(
                    format!("there is no partial with the name in `{}`", written(expr, scope)),
                    offset,
                );
            }
        };
        let known = self.partials.names();
        let error = fail(format!("there is no partial `{name}`"), offset);
        match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => {
                error.with_hint("define it under the template's `partials`, or register it with the engine")
            }
        }
    }
}

/// Whether handlebars.js takes the computed name of a partial for its context, and no name: it does so if a context is
/// required and the tag has none.
fn is_swapped<D: Data>(partial: &Partial<D::Text>, scope: &Scope<'_, D>) -> bool {
    let options = scope.template.options();
    options.is_javascript()
        && options.explicit_partial_context
        && partial.context.is_none()
        && matches!(partial.name, PartialName::Computed(_))
}

/// The context `depth` levels up.
fn context<D: Data>(depth: usize, scope: &Scope<'_, D>) -> Option<D::Value> {
    let mut level = scope.level;
    for _ in 0..depth {
        level = level.up?;
    }
    level.context.clone()
}

/// Turns the result of writing a tag's value into an error where the options ask for one.
fn finish<D: Data>(outcome: WriteOutcome, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> Result<()> {
    let offset = expr.span.start;
    match outcome {
        WriteOutcome::Done => Ok(()),
        WriteOutcome::Null | WriteOutcome::NullItem if scope.template.options().allow_none => Ok(()),
        WriteOutcome::Null => Err(fail(format!("`{}` is None", written(expr, scope)), offset)
            .with_hint("test it with `{{#if}}`, or use allow_none=True to print nothing")),
        WriteOutcome::NullItem => {
            Err(fail(format!("`{}` is a list in which an item is None", written(expr, scope)), offset)
                .with_hint(
                    "loop over it with `{{#each}}` and `{{#if}}`, or use allow_none=True to print nothing",
                ))
        }
        WriteOutcome::NoText(kind) => {
            Err(fail(format!("cannot print `{}`: {kind} has no text", written(expr, scope)), offset)
                .with_hint("print one of its members, or loop over it with `{{#each}}`"))
        }
    }
}

/// Whether every JavaScript object has a property of this name. Strict mode accepts such a name, although its value
/// cannot be reached.
fn is_inherited(name: &str) -> bool {
    const INHERITED: [&str; 12] = [
        "constructor",
        "toString",
        "toLocaleString",
        "valueOf",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "__proto__",
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
    ];
    INHERITED.contains(&name)
}

fn is_lap_name(name: &str) -> bool {
    matches!(name, "index" | "key" | "first" | "last")
}

/// The expression as written in the template.
fn written<D: Data>(expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> String {
    scope.template.source().get(expr.span.start..expr.span.end).unwrap_or_default().to_owned()
}
