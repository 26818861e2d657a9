//! Finds and renders partials.

use std::sync::Arc;

use super::super::context::{Data, Sink, Style, WriteOutcome};
use super::super::dialect::StaticDialect;
use super::super::program::{CompiledProgram, Expr, ExprKind, Literal, Partial, PartialName};
use super::super::{Output, Template, Text};
use super::errors::{fail, locate, written};
use super::{BlockOf, ContextFrame, Inlines, LoopFrame, Renderer, Scope, next_check};
use crate::error::Result;
use crate::limits::BYTES_OF_A_STEP;

/// A partial that was found.
enum FoundPartial<'s, D: Data> {
    Template(Template<D::Text>),
    Closure { body: &'s CompiledProgram<D::Text>, scope: Scope<'s, D>, block: Option<&'s BlockOf<'s, D>> },
}

impl<D: Data, L: StaticDialect> Renderer<'_, D, L> {
    pub(super) fn partial(
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
            None if Self::is_swapped(partial, scope) => match &partial.name {
                PartialName::Computed(name) => self.eval(name, scope)?,
                _ => None,
            },
            None if options.explicit_partial_context => None,
            None => scope.context.value.clone(),
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
                    Ok(None) => L::DIALECT
                        .hides_with_undefined()
                        .then(|| Ok((name, self.data.literal(&Literal::Null)))),
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
            self.concat.text(out);
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
        let same = match (&context, &scope.context.value) {
            (Some(new), Some(old)) => self.data.same(new, old),
            _ => false,
        };
        if same {
            return self.branch_of_any(body, scope, out);
        }
        let frame = ContextFrame { value: context, up: Some(scope.context) };
        self.branch_of_any(body, &Scope { context: &frame, ..*scope }, out)
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
        let framed = L::DIALECT.frames_partials();
        let frame = LoopFrame { index: None, key: None, last: false, data: None, up: scope.loop_frame };
        let loop_frame = if framed && given.is_some() { Some(&frame) } else { scope.loop_frame };
        match self.find(partial, scope)? {
            Some(FoundPartial::Template(template)) => {
                // In compat mode a partial can reach the contexts around it.
                let compat = scope.template.options().compat;
                let frame = ContextFrame { value: context, up: Some(scope.context).filter(|_| compat) };
                let same = match (&frame.value, &scope.context.value) {
                    (Some(new), Some(old)) => self.data.same(new, old),
                    (None, None) => true,
                    _ => false,
                };
                let frame = if compat && same { scope.context } else { &frame };
                let inner = Scope {
                    template: &template,
                    context: frame,
                    loop_frame,
                    params: None,
                    inlines: scope.inlines,
                    block,
                };
                // Inline partials that the block defines are in scope in the partial.
                let defined = given.as_ref().and_then(|(body, _)| body.inlines.as_ref());
                let inlines = defined.map(|set| Inlines { set, scope: *scope });
                let inner = Scope { inlines: inlines.as_ref().or(inner.inlines), ..inner };
                self.concat.text(out);
                // The partial may have another limit on steps.
                self.next_check =
                    self.next_check.min(next_check(self.steps, template.options().limits.steps));
                self.branch_of_any(template.body(), &inner, out).map_err(|error| locate(error, &template))?;
                self.settle(out);
                Ok(())
            }
            Some(FoundPartial::Closure { body, scope: defined, block: outer }) => {
                let block = if given.is_some() { block } else { outer };
                let own = LoopFrame { index: None, key: None, last: false, data: None, up: loop_frame };
                let loop_frame = if framed && matches!(partial.name, PartialName::Block) {
                    Some(&own)
                } else {
                    loop_frame
                };
                let inner = Scope { loop_frame, inlines: scope.inlines, block, ..defined };
                let result = self.entered(body, context, &inner, out);
                result.map_err(|error| locate(error, defined.template))
            }
            None => match &partial.block {
                Some(body) => {
                    let own = LoopFrame { index: None, key: None, last: false, data: None, up: loop_frame };
                    let loop_frame = if framed { Some(&own) } else { loop_frame };
                    self.entered(body, context, &Scope { loop_frame, ..*scope }, out)
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
            PartialName::Computed(_) if Self::is_swapped(partial, scope) => return Ok(None),
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
                if self.inline_name(&inline.name, &frame.scope)? == name {
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

    /// The computed name of an inline partial, which another template may define.
    fn inline_name(&mut self, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> Result<String> {
        if scope.template.options().dialect == L::DIALECT {
            return self.computed_name(expr, scope);
        }
        self.in_other_dialect(|other| other.computed_name(expr, scope))
    }

    /// Whether handlebars.js would use the computed name of a partial as its context, and find no name.
    fn is_swapped(partial: &Partial<D::Text>, scope: &Scope<'_, D>) -> bool {
        L::DIALECT.swaps_computed_names()
            && scope.template.options().explicit_partial_context
            && partial.context.is_none()
            && matches!(partial.name, PartialName::Computed(_))
    }

    /// Evaluates an expression to a partial's name.
    fn computed_name(&mut self, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> Result<String> {
        if let ExprKind::Literal(Literal::Text(name)) = &expr.kind {
            return Ok(name.as_str().to_owned());
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
                Ok(Output::with_str(&sink.finish(), str::to_owned))
            }
            WriteOutcome::Null | WriteOutcome::NullItem | WriteOutcome::NoText(_) => Err(no_name()),
        }
    }
}
