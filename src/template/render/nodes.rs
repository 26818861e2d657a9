//! Renders the statements of a program and evaluates their expressions.

use super::super::context::{Data, Sink, Style, Truth, WriteOutcome};
use super::super::dialect::StaticDialect;
use super::super::program::{CompiledProgram, Expr, ExprKind, Node};
use super::budget::check_output;
use super::errors::{fail, finish, locate};
use super::{ContextFrame, Inlines, ParamValues, Params, Renderer, Scope};
use crate::error::Result;

impl<D: Data, L: StaticDialect> Renderer<'_, D, L> {
    /// Renders the template of a scope.
    pub(super) fn whole(mut self, scope: &Scope<'_, D>, out: &mut D::Sink) -> Result<()> {
        self.fits(scope.template.options().limits.depth)?;
        self.body(scope.template.body(), scope, out).map_err(|error| locate(error, scope.template))?;
        self.settle(out);
        Ok(())
    }

    /// Renders a branch that may belong to another template, and so be written in the other dialect.
    pub(super) fn branch_of_any(
        &mut self,
        body: &CompiledProgram<D::Text>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        if scope.template.options().dialect == L::DIALECT {
            return self.branch(body, None, scope, out);
        }
        self.concat.text(out);
        self.in_other_dialect(|other| {
            other.branch(body, None, scope, out)?;
            other.settle(out);
            Ok(())
        })
    }

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
        if L::DIALECT.adds_numbers() {
            self.concat.begin();
        }
        for node in nodes {
            match node {
                Node::Text(text) => {
                    if L::DIALECT.adds_numbers() {
                        self.concat.text(out);
                    }
                    out.text(text);
                }
                Node::Print { expr, style } => {
                    self.step(expr.span.start, scope)?;
                    match (&expr.kind, &scope.context.value) {
                        (ExprKind::Member(name), Some(context)) if !L::DIALECT.adds_numbers() => {
                            let written = self.data.write_member(context, name, *style, out);
                            if !matches!(written, Ok(Some(WriteOutcome::Done))) {
                                self.print_unusual(written, expr, *style, scope, out)?;
                            }
                        }
                        _ => self.print(expr, *style, scope, out)?,
                    }
                }
                Node::Block(block) => {
                    self.step(block.span.start, scope)?;
                    self.enter(block.span.start, scope)?;
                    self.block(block, scope, out)?;
                    self.leave(out);
                }
                Node::Partial(partial) => {
                    self.step(partial.span.start, scope)?;
                    self.enter(partial.span.start, scope)?;
                    self.partial(partial, scope, out)?;
                    self.leave(out);
                }
            }
        }
        check_output(scope, out)?;
        if L::DIALECT.adds_numbers() {
            self.sum = self.concat.end();
        }
        Ok(())
    }

    /// Ends a block or partial.
    #[inline]
    fn leave(&mut self, out: &mut D::Sink) {
        self.levels -= 1;
        if L::DIALECT.adds_numbers() {
            self.join(out);
        }
    }

    /// Finishes a tag for which [`Data::write_member`] wrote no text.
    #[cold]
    fn print_unusual(
        &mut self,
        written: Result<Option<WriteOutcome>>,
        expr: &Expr<D::Text>,
        style: Style,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        match written {
            Ok(Some(outcome)) => finish(outcome, expr, scope),
            Ok(None) => self.print(expr, style, scope, out),
            Err(error) => Err(error.at(expr.span.start)),
        }
    }

    /// Writes the value of a tag.
    fn print(
        &mut self,
        expr: &Expr<D::Text>,
        style: Style,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let value = self.terminal(expr, scope)?;
        if L::DIALECT.adds_numbers() && self.adds(value.as_ref(), style, out)? {
            return Ok(());
        }
        let Some(value) = value else { return Ok(()) };
        let outcome = self.data.write(&value, style, out).map_err(|error| error.at(expr.span.start))?;
        finish(outcome, expr, scope)
    }

    /// The value of a tag or block. In strict mode a missing value is an error.
    pub(super) fn terminal(
        &mut self,
        expr: &Expr<D::Text>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        let value = self.eval(expr, scope)?;
        if !scope.template.options().strict {
            return Ok(value);
        }
        if L::DIALECT.has_inherited_names() {
            return self.strict_in_javascript(expr, value, scope);
        }
        if value.is_none() { Err(self.missing(expr, expr.span.start, scope)) } else { Ok(value) }
    }

    /// The value of an expression. `None` if it has no value.
    pub(super) fn eval(&mut self, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let value = match &expr.kind {
            ExprKind::Literal(literal) => return Ok(Some(self.data.literal(literal))),
            ExprKind::Undefined => return Ok(None),
            ExprKind::InvalidCall(message) => return Err(fail(&**message, expr.span.start)),
            ExprKind::Member(name) => self.member(name, scope),
            ExprKind::Path(path) => self.path(path.borrowed(), scope),
            ExprKind::HelperMissing(call) => self.with_helper_missing(call, scope),
            ExprKind::UnresolvedCall(call) => self.unresolved(call, scope),
            ExprKind::Call(call) => self.call(call, scope),
        };
        value.map_err(|error| error.at(expr.span.start))
    }

    pub(super) fn truth(&self, value: Option<&D::Value>) -> Result<Truth> {
        value.map_or(Ok(Truth::False), |value| self.data.truth(value, L::DIALECT.empty_mapping_is_false()))
    }

    /// Renders a branch in the same context.
    #[inline]
    pub(in crate::template) fn branch(
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
    pub(in crate::template) fn within(
        &mut self,
        body: &CompiledProgram<D::Text>,
        context: D::Value,
        values: ParamValues<D::Value>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        if body.params == 0 {
            return self.within_alone(body, context, scope, out);
        }
        if scope.context.value.as_ref().is_some_and(|current| self.data.same(current, &context)) {
            return self.branch(body, values, scope, out);
        }
        let frame = ContextFrame { value: Some(context), up: Some(scope.context) };
        self.branch(body, values, &Scope { context: &frame, ..*scope }, out)
    }

    /// [`Renderer::within`] for a branch without parameters.
    #[inline]
    pub(super) fn within_alone(
        &mut self,
        body: &CompiledProgram<D::Text>,
        context: D::Value,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        if scope.context.value.as_ref().is_some_and(|current| self.data.same(current, &context)) {
            return self.body(body, scope, out);
        }
        let frame = ContextFrame { value: Some(context), up: Some(scope.context) };
        self.body(body, &Scope { context: &frame, ..*scope }, out)
    }
}
