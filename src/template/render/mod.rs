//! The renderer: executes a compiled program, generic over the data and the output.
//!
//! Its state is a [`Scope`] on the stack, so entering a block allocates nothing. The contexts that `../` can reach, the
//! loops that `@index` and `@../index` can reach, the block parameters and the inline partials in scope are linked
//! lists through the stack frames of the renderer. It counts what a render uses: steps, output, open levels.

mod block;
mod budget;
mod call;
mod errors;
mod javascript;
mod nodes;
mod partial;
mod path;

use std::marker::PhantomData;
use std::sync::Arc;

use super::Template;
use super::context::Data;
use super::dialect::{Dialect, HandlebarsDialect, PromptDialect, StaticDialect};
use super::fence::Fences;
use super::inlines::InlineSet;
use super::js_concat::{JsConcat, Summand};
use super::program::{Inline, Partial};
use super::stack;
use crate::error::Result;

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

/// Renders a template into `out`.
pub(super) fn render<D: Data>(
    template: &Template<D::Text>,
    data: &D,
    context: &D::Value,
    caller_data: Option<&D::Value>,
    partials: &dyn Library<D::Text>,
    out: &mut D::Sink,
) -> Result<()> {
    let guard = stack::RenderGuard::begin();
    // As in handlebars.js, the caller can give another `@root`.
    let root = match caller_data {
        Some(given) => data.get(given, &super::Text::new("root"))?,
        None => None,
    };
    let start = Start {
        data,
        partials,
        caller_data,
        top: root.as_ref().unwrap_or(context),
        steps: 0,
        levels: 0,
        outside: guard.outside,
        frames: 0,
        fences: data.fences(),
    };
    let frame = ContextFrame { value: Some(context.clone()), up: None };
    let scope =
        Scope { template, context: &frame, loop_frame: None, params: None, inlines: None, block: None };
    match template.options().dialect {
        Dialect::Prompt => Renderer::<D, PromptDialect>::new(&start, template).whole(&scope, out),
        Dialect::Handlebars => render_handlebars(&start, &scope, out),
    }
}

/// Keeps the code of the other dialect out of the way of the usual one.
#[inline(never)]
fn render_handlebars<D: Data>(start: &Start<'_, D>, scope: &Scope<'_, D>, out: &mut D::Sink) -> Result<()> {
    Renderer::<D, HandlebarsDialect>::new(start, scope.template).whole(scope, out)
}

/// What a render begins with.
pub(super) struct Start<'w, D: Data> {
    pub(super) data: &'w D,
    pub(super) partials: &'w dyn Library<D::Text>,
    pub(super) caller_data: Option<&'w D::Value>,
    pub(super) top: &'w D::Value,
    pub(super) steps: u64,
    pub(super) levels: usize,
    pub(super) outside: usize,
    pub(super) frames: usize,
    pub(super) fences: &'w Fences,
}

/// The number of steps between two checks of whether the user interrupted the render.
const STEPS_BETWEEN_CHECKS: u64 = 0x4000;

/// The step after `steps` at which the renderer checks the limit and interrupts.
pub(super) fn next_check(steps: u64, limit: u64) -> u64 {
    limit.saturating_add(1).min(steps.saturating_add(STEPS_BETWEEN_CHECKS))
}

/// What stays the same during a render, and what is counted.
pub(super) struct Renderer<'w, D: Data, L: StaticDialect> {
    pub(super) data: &'w D,
    pub(super) partials: &'w dyn Library<D::Text>,
    pub(super) caller_data: Option<&'w D::Value>,
    pub(super) top: &'w D::Value,
    pub(super) steps: u64,
    /// The step at which the limit and interrupts are checked next.
    next_check: u64,
    pub(super) levels: usize,
    /// Levels that other renders, waiting for a helper, have open on this thread.
    pub(super) outside: usize,
    /// The number of frames of kept scopes on the stack.
    pub(super) frames: usize,
    open_partials: usize,
    pub(super) fences: &'w Fences,
    /// In the `handlebars` dialect: the numbers that are held back.
    concat: JsConcat,
    /// The sum that the last program returned instead of text.
    sum: Option<Summand>,
    dialect: PhantomData<L>,
}

/// Everything that a statement can refer to.
pub(super) struct Scope<'s, D: Data> {
    /// The template that contains the statement.
    pub(super) template: &'s Template<D::Text>,
    pub(super) context: &'s ContextFrame<'s, D>,
    pub(super) loop_frame: Option<&'s LoopFrame<'s, D>>,
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
pub(super) struct ContextFrame<'s, D: Data> {
    pub(super) value: Option<D::Value>,
    pub(super) up: Option<&'s ContextFrame<'s, D>>,
}

/// One iteration of a loop.
pub(super) struct LoopFrame<'s, D: Data> {
    /// The number of the iteration. `None` for a frame that only holds values that a helper passed to its block.
    pub(super) index: Option<usize>,
    pub(super) key: Option<D::Value>,
    pub(super) last: bool,
    /// A mapping with values for `@name` that a helper passed to its block.
    pub(super) data: Option<D::Value>,
    pub(super) up: Option<&'s LoopFrame<'s, D>>,
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

impl<'w, D: Data, L: StaticDialect> Renderer<'w, D, L> {
    pub(super) fn new(start: &Start<'w, D>, template: &Template<D::Text>) -> Self {
        let Start { data, partials, caller_data, top, steps, levels, outside, frames, fences } = *start;
        Self {
            data,
            partials,
            caller_data,
            top,
            steps,
            next_check: next_check(steps, template.options().limits.steps),
            levels,
            outside,
            frames,
            open_partials: 0,
            fences,
            concat: JsConcat::default(),
            sum: None,
            dialect: PhantomData,
        }
    }

    /// Goes on in the other dialect, with the same counts.
    fn in_other_dialect<R>(&mut self, run: impl FnOnce(&mut Renderer<'w, D, L::Other>) -> R) -> R {
        let mut other = Renderer {
            data: self.data,
            partials: self.partials,
            caller_data: self.caller_data,
            top: self.top,
            steps: self.steps,
            next_check: self.next_check,
            levels: self.levels,
            outside: self.outside,
            frames: self.frames,
            open_partials: self.open_partials,
            fences: self.fences,
            concat: std::mem::take(&mut self.concat),
            sum: self.sum.take(),
            dialect: PhantomData,
        };
        let result = run(&mut other);
        self.steps = other.steps;
        self.next_check = other.next_check;
        self.levels = other.levels;
        self.open_partials = other.open_partials;
        self.concat = other.concat;
        self.sum = other.sum;
        result
    }
}
