//! What a block helper is handed: the branches of its block, ready to render as often as it likes.
//!
//! The scopes of a walk live on the stack. A helper may keep what it is handed for as long as it wants, so a
//! [`Closure`] owns a copy of the scope, made of values that the data knows how to keep, and puts it back on the stack
//! when a branch is rendered. What a branch uses counts towards the limits of the render that called the helper.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Template;
use super::context::{Data, Sink};
use super::program::{Block, Body, Inline, Partial};
use super::render::{BlockOf, Inlines, KeptLibrary, Lap, Level, Params, Scope, Walk};
use super::stack;
use super::sums::Sums;
use crate::error::{Error, Kind, Result};

/// A branch of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// What stands before `{{else}}`.
    Main,
    /// What stands after it.
    Inverse,
}

/// The branches of a block with the scope that they stand in; `T` is the fixed text and `K` the kept value of the
/// data.
pub struct Closure<T, K> {
    block: Arc<Block<T>>,
    scope: Kept<T, K>,
    top: K,
    caller_data: Option<K>,
    partials: KeptLibrary<T>,
    steps: Arc<AtomicU64>,
    levels: usize,
    /// How many frames are on the stack once this closure's scope is, those of the closures around it included.
    frames: usize,
}

/// How many frames of kept scopes may be on the stack at once. They are put there by recursion, so this bounds it.
const FRAMES: usize = 2000;

/// What a branch is rendered with, where that differs from the scope.
pub struct Given<'g, D: Data> {
    /// The context.
    pub context: Option<&'g D::Value>,
    /// Values for `@name`, by name.
    pub data: Option<&'g D::Value>,
    /// The values of the block's parameters, where any are given.
    pub params: Option<[Option<D::Value>; 2]>,
}

/// A scope that owns what it refers to. Lists go from the outermost to the innermost.
struct Kept<T, K> {
    template: Template<T>,
    levels: Vec<Option<K>>,
    laps: Vec<KeptLap<K>>,
    params: Vec<Option<[Option<K>; 2]>>,
    inlines: Option<Box<Defined<InlineList<T>, T, K>>>,
    block: Option<Box<GivenBlock<T, K>>>,
}

type GivenBlock<T, K> = Defined<Arc<Partial<T>>, T, K>;

type InlineList<T> = Arc<[Arc<Inline<T>>]>;

/// Something with the scope in which it was defined.
type Defined<W, T, K> = (W, Kept<T, K>);

struct KeptLap<K> {
    index: Option<usize>,
    key: Option<K>,
    last: bool,
    data: Option<K>,
}

impl<T: super::Text, K> Closure<T, K> {
    pub(super) fn new<D: Data<Text = T, Kept = K>>(
        block: &Arc<Block<T>>,
        scope: &Scope<'_, D>,
        walk: &Walk<'_, D>,
    ) -> Result<Self> {
        let mut frames = walk.frames;
        let kept = keep(walk.data, scope, &mut frames)?;
        Ok(Self {
            frames,
            block: Arc::clone(block),
            scope: kept,
            top: walk.data.keep(walk.top),
            caller_data: walk.caller_data.map(|data| walk.data.keep(data)),
            partials: walk.partials.kept(),
            steps: Arc::new(AtomicU64::new(walk.steps)),
            levels: walk.levels,
        })
    }

    /// How many steps the render has taken, those of branches included.
    pub(super) fn steps(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.steps)
    }

    /// How many parameters the block names.
    #[must_use]
    pub fn params(&self) -> usize {
        self.block.body.params
    }

    /// Renders a branch.
    ///
    /// # Errors
    /// As [`Template::render_into`].
    pub fn render<D: Data<Text = T, Kept = K>>(
        &self,
        data: &D,
        branch: Branch,
        given: Given<'_, D>,
    ) -> Result<D::Output> {
        let (top, caller_data) =
            (data.restore(&self.top), self.caller_data.as_ref().map(|kept| data.restore(kept)));
        let body = match branch {
            Branch::Main => &self.block.body,
            Branch::Inverse => &self.block.inverse,
        };
        let mut out = data.sink();
        let mut given = Some(given);
        with_scope(data, &self.scope, &mut |scope| {
            let mut walk = Walk {
                data,
                partials: &*self.partials,
                caller_data: caller_data.as_ref(),
                top: &top,
                steps: self.steps.load(Ordering::Relaxed),
                alarm: 0,
                levels: self.levels,
                outside: stack::levels().saturating_sub(self.levels),
                frames: self.frames,
                open_partials: 0,
                sums: Sums::default(),
                sum: None,
            };
            let Some(given) = given.take() else { return Ok(()) };
            walk.fits(scope.template.options().limits.depth)?;
            let result = branch_with(&mut walk, body, given, scope, &mut out);
            walk.settle(&mut out);
            self.steps.store(walk.steps, Ordering::Relaxed);
            result.map_err(|error| error.locate(scope.template.name(), scope.template.source()))
        })?;
        Ok(out.finish())
    }
}

fn branch_with<D: Data>(
    walk: &mut Walk<'_, D>,
    body: &Body<D::Text>,
    given: Given<'_, D>,
    scope: &Scope<'_, D>,
    out: &mut D::Sink,
) -> Result<()> {
    let lap = given.data.map(|data| Lap {
        index: None,
        key: None,
        last: false,
        data: Some(data.clone()),
        up: scope.lap,
    });
    let scope = &Scope { lap: lap.as_ref().or(scope.lap), ..*scope };
    match given.context {
        Some(context) => walk.within(body, context.clone(), given.params, scope, out),
        None => walk.branch(body, given.params, scope, out),
    }
}

fn keep<D: Data>(data: &D, scope: &Scope<'_, D>, frames: &mut usize) -> Result<Kept<D::Text, D::Kept>> {
    fn chain<'s, L>(first: Option<&'s L>, up: impl Fn(&'s L) -> Option<&'s L>) -> Vec<&'s L> {
        let mut found: Vec<_> = std::iter::successors(first, |link| up(link)).collect();
        found.reverse();
        found
    }
    let kept = |value: &Option<D::Value>| value.as_ref().map(|value| data.keep(value));
    let levels = chain(Some(scope.level), |level| level.up);
    let laps = chain(scope.lap, |lap| lap.up);
    let params = chain(scope.params, |params| params.up);
    *frames += levels.len() + laps.len() + params.len();
    if *frames > FRAMES {
        return Err(Error::new(
            Kind::TemplateRender,
            "helpers that open blocks stand too deep within each other",
        )
        .with_hint("does a partial include itself through a helper's block? A recursion must end"));
    }
    let inlines = match scope.inlines {
        Some(inlines) => Some(Box::new((inlines.list.into(), keep(data, &inlines.scope, frames)?))),
        None => None,
    };
    let block = match scope.block {
        Some(block) => Some(Box::new((Arc::clone(block.partial), keep(data, &block.scope, frames)?))),
        None => None,
    };
    Ok(Kept {
        template: scope.template.clone(),
        levels: levels.into_iter().map(|level| kept(&level.context)).collect(),
        laps: laps
            .into_iter()
            .map(|lap| KeptLap {
                index: lap.index,
                key: kept(&lap.key),
                last: lap.last,
                data: kept(&lap.data),
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

/// Puts a kept scope on the stack and hands it to `then`.
fn with_scope<D: Data>(
    data: &D,
    kept: &Kept<D::Text, D::Kept>,
    then: &mut dyn FnMut(&Scope<'_, D>) -> Result<()>,
) -> Result<()> {
    with_levels(data, &kept.levels, None, &mut |level| {
        with_laps(data, &kept.laps, None, &mut |lap| {
            with_params(data, &kept.params, None, &mut |params| {
                let scope =
                    Scope { template: &kept.template, level, lap, params, inlines: None, block: None };
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
    up: Option<&Level<'_, D>>,
    then: &mut dyn FnMut(&Level<'_, D>) -> Result<()>,
) -> Result<()> {
    let Some((first, rest)) = kept.split_first() else {
        return match up {
            Some(level) => then(level),
            None => then(&Level { context: None, up: None }),
        };
    };
    let level = Level { context: first.as_ref().map(|kept| data.restore(kept)), up };
    with_levels(data, rest, Some(&level), then)
}

fn with_laps<D: Data>(
    data: &D,
    kept: &[KeptLap<D::Kept>],
    up: Option<&Lap<'_, D>>,
    then: &mut dyn FnMut(Option<&Lap<'_, D>>) -> Result<()>,
) -> Result<()> {
    let Some((first, rest)) = kept.split_first() else { return then(up) };
    let restored = |kept: &Option<D::Kept>| kept.as_ref().map(|kept| data.restore(kept));
    let lap = Lap {
        index: first.index,
        key: restored(&first.key),
        last: first.last,
        data: restored(&first.data),
        up,
    };
    with_laps(data, rest, Some(&lap), then)
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
    kept: &Kept<D::Text, D::Kept>,
    then: &mut dyn FnMut(Option<&Inlines<'_, D>>) -> Result<()>,
) -> Result<()> {
    match kept.inlines.as_deref() {
        Some((list, scope)) => {
            with_scope(data, scope, &mut |scope| then(Some(&Inlines { list, scope: *scope })))
        }
        None => then(None),
    }
}

fn with_block<D: Data>(
    data: &D,
    kept: &Kept<D::Text, D::Kept>,
    then: &mut dyn FnMut(Option<&BlockOf<'_, D>>) -> Result<()>,
) -> Result<()> {
    match kept.block.as_deref() {
        Some((partial, scope)) => {
            with_scope(data, scope, &mut |scope| then(Some(&BlockOf { partial, scope: *scope })))
        }
        None => then(None),
    }
}
