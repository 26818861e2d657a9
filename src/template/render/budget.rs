//! Counts what a render uses, and ends it at a limit: steps, open levels, the stack, output.

use super::super::context::{Data, Sink};
use super::super::dialect::StaticDialect;
use super::super::program::Call;
use super::super::stack;
use super::{Renderer, Scope, next_check};
use crate::error::{Error, Kind, Result};
use crate::limits::{Limits, MAX_DEPTH};
use crate::stack_room;

impl<D: Data, L: StaticDialect> Renderer<'_, D, L> {
    #[inline]
    pub(super) fn step(&mut self, offset: usize, scope: &Scope<'_, D>) -> Result<()> {
        self.steps += 1;
        if self.steps < self.next_check {
            Ok(())
        } else {
            self.check_steps(scope).map_err(|error| error.at(offset))
        }
    }

    /// Counts work as this many steps.
    pub(super) fn work(&mut self, steps: usize, scope: &Scope<'_, D>) -> Result<()> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps < self.next_check { Ok(()) } else { self.check_steps(scope) }
    }

    /// Counts a call of a helper with its arguments.
    pub(super) fn work_of(&mut self, call: &Call<D::Text>, scope: &Scope<'_, D>) -> Result<()> {
        self.work(1 + call.params.len() + call.hash.len(), scope)
    }

    /// Checks the limit on steps and whether the user interrupted the render.
    #[cold]
    fn check_steps(&mut self, scope: &Scope<'_, D>) -> Result<()> {
        let limit = scope.template.options().limits.steps;
        if self.steps > limit {
            return Err(Error::new(
                Kind::TemplateRender,
                format!("the render exceeded the limit of {limit} steps"),
            )
            .with_hint("render less data at once, or raise limits.steps"));
        }
        self.next_check = next_check(self.steps, limit);
        self.data.check_interrupt()
    }

    #[inline]
    pub(super) fn enter(&mut self, offset: usize, scope: &Scope<'_, D>) -> Result<()> {
        self.levels += 1;
        let limit = scope.template.options().limits.depth.min(MAX_DEPTH);
        if self.levels > limit {
            return Err(too_deep(limit).at(offset));
        }
        self.fits(limit)
            .and_then(|()| stack_room::check(self.levels, Kind::TemplateRender))
            .map_err(|error| error.at(offset))
    }

    /// Checks that the stack has room, if outer renders wait for helpers that render.
    #[inline]
    pub(in crate::template) fn fits(&self, limit: usize) -> Result<()> {
        if self.outside == 0 {
            return Ok(());
        }
        if self.outside + self.levels > limit.max(Limits::default().depth) {
            return Err(stack::nested_too_deep());
        }
        stack_room::check(self.outside, Kind::TemplateRender)
    }
}

/// Checks the length of the output.
#[inline]
pub(super) fn check_output<D: Data>(scope: &Scope<'_, D>, out: &D::Sink) -> Result<()> {
    let limit = scope.template.options().limits.output_bytes;
    if out.bytes() <= limit { Ok(()) } else { Err(too_long(limit)) }
}

#[cold]
fn too_long(limit: usize) -> Error {
    Error::new(Kind::TemplateRender, format!("the output is longer than the limit of {limit} bytes"))
        .with_hint("shorten the output, or raise limits.output_bytes")
}

#[cold]
fn too_deep(limit: usize) -> Error {
    Error::new(Kind::TemplateRender, format!("blocks and partials are nested more than {limit} levels deep"))
        .with_hint("check whether a partial includes itself without end, or raise limits.depth")
}
