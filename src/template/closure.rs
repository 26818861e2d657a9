//! The block that a helper gets: its branches, which the helper can render as often as it likes.
//!
//! During a render the scopes live on the stack. A helper can keep its block for as long as it wants, so a [`Closure`]
//! owns a copy of the scope, made of values that the data can keep. Rendering a branch puts that scope back on the
//! stack. The work of a branch counts towards the limits of the render that called the helper.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Template;
use super::context::{Data, Sink};
use super::dialect::{Dialect, HandlebarsDialect, PromptDialect, StaticDialect};
use super::fence::{Fences, SharedTags};
use super::inlines::InlineSet;
use super::program::{Block, CompiledProgram, Inline, Partial};
use super::render::{BlockOf, ContextFrame, Inlines, KeptLibrary, LoopFrame, Params, Renderer, Scope, Start};
use super::stack;
use crate::error::{Error, Kind, Result};

/// A branch of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// The branch before `{{else}}`.
    Main,
    /// The branch after `{{else}}`.
    Inverse,
}

/// The branches of a block with their scope. `T` is the fixed text of the data, `K` its kept value.
pub struct Closure<T, K> {
    block: Arc<Block<T>>,
    scope: OwnedScope<T, K>,
    top: K,
    caller_data: Option<K>,
    partials: KeptLibrary<T>,
    tags: SharedTags,
    steps: Arc<AtomicU64>,
    levels: usize,
    /// The number of frames on the stack once the scope of this closure is there, including those of the closures
    /// around it.
    frames: usize,
}

/// The maximum number of frames of kept scopes on the stack. They are put there by recursion, so without a limit the
/// stack could overflow.
const FRAMES: usize = 2000;

/// What a helper changes in the scope of a branch.
pub struct BranchArguments<'g, D: Data> {
    /// The context. `None`: the context of the block.
    pub context: Option<&'g D::Value>,
    /// A mapping with values for `@name`.
    pub data: Option<&'g D::Value>,
    /// The values of the block's parameters.
    pub params: Option<[Option<D::Value>; 2]>,
}

/// A scope that owns its values. Its lists go from the outermost frame to the innermost.
struct OwnedScope<T, K> {
    template: Template<T>,
    levels: Vec<Option<K>>,
    loop_frames: Vec<OwnedLoopFrame<K>>,
    params: Vec<Option<[Option<K>; 2]>>,
    inlines: Option<Box<WithScope<SharedInlines<T>, T, K>>>,
    block: Option<Box<OwnedPartialBlock<T, K>>>,
}

type OwnedPartialBlock<T, K> = WithScope<Arc<Partial<T>>, T, K>;

type SharedInlines<T> = Arc<InlineSet<Inline<T>>>;

/// A value with the scope in which it was defined.
type WithScope<W, T, K> = (W, OwnedScope<T, K>);

struct OwnedLoopFrame<K> {
    index: Option<usize>,
    key: Option<K>,
    last: bool,
    data: Option<K>,
}

impl<T: super::Text, K> Closure<T, K> {
    pub(super) fn new<D: Data<Text = T, Kept = K>>(
        block: &Arc<Block<T>>,
        scope: &Scope<'_, D>,
        renderer: &Renderer<'_, D, impl StaticDialect>,
    ) -> Result<Self> {
        let mut frames = renderer.frames;
        let kept = keep(renderer.data, scope, &mut frames)?;
        Ok(Self {
            frames,
            block: Arc::clone(block),
            scope: kept,
            top: renderer.data.keep(renderer.top),
            caller_data: renderer.caller_data.map(|data| renderer.data.keep(data)),
            partials: renderer.partials.kept(),
            tags: renderer.fences.shared(),
            steps: Arc::new(AtomicU64::new(renderer.steps)),
            levels: renderer.levels,
        })
    }

    /// The number of steps that the render has taken, including those of branches.
    pub(super) fn steps(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.steps)
    }

    /// How many block parameters the block has.
    #[must_use]
    pub fn params(&self) -> usize {
        self.block.body.params
    }

    /// Renders a branch.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn render<D: Data<Text = T, Kept = K>>(
        &self,
        data: &D,
        branch: Branch,
        given: BranchArguments<'_, D>,
    ) -> Result<D::Output> {
        let (top, caller_data) =
            (data.restore(&self.top), self.caller_data.as_ref().map(|kept| data.restore(kept)));
        let body = match branch {
            Branch::Main => &self.block.body,
            Branch::Inverse => &self.block.inverse,
        };
        let fences = Fences::sharing(&self.tags);
        let mut out = data.sink();
        let mut given = Some(given);
        with_scope(data, &self.scope, &mut |scope| {
            let start = Start {
                data,
                partials: &*self.partials,
                caller_data: caller_data.as_ref(),
                top: &top,
                steps: self.steps.load(Ordering::Relaxed),
                levels: self.levels,
                outside: stack::levels().saturating_sub(self.levels),
                frames: self.frames,
                fences: &fences,
            };
            let Some(given) = given.take() else { return Ok(()) };
            let dialect = scope.template.options().dialect;
            let result = match dialect {
                Dialect::Prompt => {
                    let mut renderer = Renderer::<D, PromptDialect>::new(&start, scope.template);
                    self.counted(&mut renderer, body, given, scope, &mut out)
                }
                Dialect::Handlebars => {
                    let mut renderer = Renderer::<D, HandlebarsDialect>::new(&start, scope.template);
                    self.counted(&mut renderer, body, given, scope, &mut out)
                }
            };
            result.map_err(|error| error.locate(scope.template.name(), scope.template.source()))
        })?;
        Ok(out.finish())
    }

    /// Renders a branch and adds its steps to those of the render.
    fn counted<D: Data<Text = T, Kept = K>, L: StaticDialect>(
        &self,
        renderer: &mut Renderer<'_, D, L>,
        body: &CompiledProgram<T>,
        given: BranchArguments<'_, D>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        renderer.fits(scope.template.options().limits.depth)?;
        let result = branch_with(renderer, body, given, scope, out);
        renderer.settle(out);
        self.steps.store(renderer.steps, Ordering::Relaxed);
        result
    }
}

fn branch_with<D: Data, L: StaticDialect>(
    renderer: &mut Renderer<'_, D, L>,
    body: &CompiledProgram<D::Text>,
    given: BranchArguments<'_, D>,
    scope: &Scope<'_, D>,
    out: &mut D::Sink,
) -> Result<()> {
    let loop_frame = given.data.map(|data| LoopFrame {
        index: None,
        key: None,
        last: false,
        data: Some(data.clone()),
        up: scope.loop_frame,
    });
    let scope = &Scope { loop_frame: loop_frame.as_ref().or(scope.loop_frame), ..*scope };
    match given.context {
        Some(context) => renderer.within(body, context.clone(), given.params, scope, out),
        None => renderer.branch(body, given.params, scope, out),
    }
}

fn keep<D: Data>(data: &D, scope: &Scope<'_, D>, frames: &mut usize) -> Result<OwnedScope<D::Text, D::Kept>> {
    fn chain<'s, L>(first: Option<&'s L>, up: impl Fn(&'s L) -> Option<&'s L>) -> Vec<&'s L> {
        let mut found: Vec<_> = std::iter::successors(first, |link| up(link)).collect();
        found.reverse();
        found
    }
    let kept = |value: &Option<D::Value>| value.as_ref().map(|value| data.keep(value));
    let levels = chain(Some(scope.context), |level| level.up);
    let loop_frames = chain(scope.loop_frame, |loop_frame| loop_frame.up);
    let params = chain(scope.params, |params| params.up);
    *frames += levels.len() + loop_frames.len() + params.len();
    if *frames > FRAMES {
        return Err(Error::new(Kind::TemplateRender, "blocks of helpers are nested too deep")
            .with_hint("check whether a partial includes itself through a helper's block without end"));
    }
    let inlines = match scope.inlines {
        Some(inlines) => Some(Box::new((Arc::clone(inlines.set), keep(data, &inlines.scope, frames)?))),
        None => None,
    };
    let block = match scope.block {
        Some(block) => Some(Box::new((Arc::clone(block.partial), keep(data, &block.scope, frames)?))),
        None => None,
    };
    Ok(OwnedScope {
        template: scope.template.clone(),
        levels: levels.into_iter().map(|level| kept(&level.value)).collect(),
        loop_frames: loop_frames
            .into_iter()
            .map(|loop_frame| OwnedLoopFrame {
                index: loop_frame.index,
                key: kept(&loop_frame.key),
                last: loop_frame.last,
                data: kept(&loop_frame.data),
            })
            .collect(),
        params: params
            .into_iter()
            .map(|params| params.values.as_ref().map(|[first, second]| [kept(first), kept(second)]))
            .collect(),
        inlines,
        block,
    })
}

/// Puts a kept scope on the stack and passes it to `then`.
fn with_scope<D: Data>(
    data: &D,
    kept: &OwnedScope<D::Text, D::Kept>,
    then: &mut dyn FnMut(&Scope<'_, D>) -> Result<()>,
) -> Result<()> {
    with_levels(data, &kept.levels, None, &mut |level| {
        with_loop_frames(data, &kept.loop_frames, None, &mut |loop_frame| {
            with_params(data, &kept.params, None, &mut |params| {
                let scope = Scope {
                    template: &kept.template,
                    context: level,
                    loop_frame,
                    params,
                    inlines: None,
                    block: None,
                };
                with_inlines(data, kept, &mut |inlines| {
                    with_block(data, kept, &mut |block| then(&Scope { inlines, block, ..scope }))
                })
            })
        })
    })
}

fn with_levels<D: Data>(
    data: &D,
    kept: &[Option<D::Kept>],
    up: Option<&ContextFrame<'_, D>>,
    then: &mut dyn FnMut(&ContextFrame<'_, D>) -> Result<()>,
) -> Result<()> {
    let Some((first, rest)) = kept.split_first() else {
        return match up {
            Some(level) => then(level),
            None => then(&ContextFrame { value: None, up: None }),
        };
    };
    let level = ContextFrame { value: first.as_ref().map(|kept| data.restore(kept)), up };
    with_levels(data, rest, Some(&level), then)
}

fn with_loop_frames<D: Data>(
    data: &D,
    kept: &[OwnedLoopFrame<D::Kept>],
    up: Option<&LoopFrame<'_, D>>,
    then: &mut dyn FnMut(Option<&LoopFrame<'_, D>>) -> Result<()>,
) -> Result<()> {
    let Some((first, rest)) = kept.split_first() else { return then(up) };
    let restored = |kept: &Option<D::Kept>| kept.as_ref().map(|kept| data.restore(kept));
    let loop_frame = LoopFrame {
        index: first.index,
        key: restored(&first.key),
        last: first.last,
        data: restored(&first.data),
        up,
    };
    with_loop_frames(data, rest, Some(&loop_frame), then)
}

fn with_params<D: Data>(
    data: &D,
    kept: &[Option<[Option<D::Kept>; 2]>],
    up: Option<&Params<'_, D>>,
    then: &mut dyn FnMut(Option<&Params<'_, D>>) -> Result<()>,
) -> Result<()> {
    let Some((first, rest)) = kept.split_first() else { return then(up) };
    let restored = |kept: &Option<D::Kept>| kept.as_ref().map(|kept| data.restore(kept));
    let values = first.as_ref().map(|[first, second]| [restored(first), restored(second)]);
    let params = Params { values, up };
    with_params(data, rest, Some(&params), then)
}

fn with_inlines<D: Data>(
    data: &D,
    kept: &OwnedScope<D::Text, D::Kept>,
    then: &mut dyn FnMut(Option<&Inlines<'_, D>>) -> Result<()>,
) -> Result<()> {
    match kept.inlines.as_deref() {
        Some((set, scope)) => {
            with_scope(data, scope, &mut |scope| then(Some(&Inlines { set, scope: *scope })))
        }
        None => then(None),
    }
}

fn with_block<D: Data>(
    data: &D,
    kept: &OwnedScope<D::Text, D::Kept>,
    then: &mut dyn FnMut(Option<&BlockOf<'_, D>>) -> Result<()>,
) -> Result<()> {
    match kept.block.as_deref() {
        Some((partial, scope)) => {
            with_scope(data, scope, &mut |scope| then(Some(&BlockOf { partial, scope: *scope })))
        }
        None => then(None),
    }
}
