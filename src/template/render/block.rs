//! Renders blocks.

use std::sync::Arc;

use super::super::context::{Data, Item, Sink, Style, Truth, ValueKind, WriteOutcome};
use super::super::dialect::StaticDialect;
use super::super::js_concat::Summand;
use super::super::program::{Block, BlockKind, Callee, Expr, ExprKind, Literal, PathRoot};
use super::super::{Output, Text, fence};
use super::call::CallArguments;
use super::errors::{fail, written};
use super::{LoopFrame, Renderer, Scope};
use crate::error::{Error, Kind, Result};
use crate::limits::BYTES_OF_A_STEP;

/// How many bytes of text a fence searches for its own tags at the cost of one step.
const BYTES_OF_A_FENCE_STEP: usize = 8;

impl<D: Data, L: StaticDialect> Renderer<'_, D, L> {
    /// Renders a block.
    #[inline]
    pub(super) fn block(
        &mut self,
        block: &Arc<Block<D::Text>>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        if L::DIALECT.replaces_null_context()
            && let Some(frame) = self.object_context(scope)?
        {
            return self.block_in(block, scope, &Scope { context: &frame, ..*scope }, out);
        }
        self.block_in(block, scope, scope, out)
    }

    /// Renders a block. Its condition and arguments are evaluated in `outer`, its branches are rendered in `scope`.
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
                let truth = self.condition(condition, include_zero.as_ref(), outer).map_err(at)?;
                let branch = if truth == *negate { &block.inverse } else { &block.body };
                self.branch(branch, None, scope, out)
            }
            BlockKind::Each(list) => match self.block_value(block, list, outer)? {
                Some(value) => self.each(block, list, &value, scope, out),
                None => self.branch(&block.inverse, None, scope, out),
            },
            BlockKind::With(value) => match self.block_value(block, value, outer)? {
                Some(value) if self.truth(Some(&value)).map_err(at)? != Truth::False => {
                    self.within(&block.body, value.clone(), Some([Some(value), None]), scope, out)
                }
                _ => self.branch(&block.inverse, None, scope, out),
            },
            BlockKind::Value(expr) => {
                let value = if L::DIALECT.refuses_lost_blocks() {
                    self.block_value(block, expr, outer)?
                } else {
                    self.terminal(expr, outer)?
                };
                self.value_block(block, expr, value, scope, out)
            }
            BlockKind::Result(expr) => {
                let value = self.eval(expr, outer)?;
                self.block_result(value, block, scope, out).map_err(at)
            }
            BlockKind::BlockHelperMissing { hook, name, value } => {
                let value = self.terminal(value, outer)?;
                let arguments = CallArguments { positional: vec![value], named: Vec::new() };
                let value = self.invoke(hook, name, arguments, Some(block), scope).map_err(at)?;
                self.block_result(value, block, scope, out).map_err(at)
            }
            BlockKind::Fence { name, open_line_break, close_line_break } => {
                let name = self.fence_name(name, outer)?;
                self.fence(&name, block, scope, out, open_line_break)?;
                out.str(close_line_break);
                Ok(())
            }
            BlockKind::Helper(name, call) => {
                let named = name.as_str();
                let arguments = self.arguments(call, outer).map_err(at)?;
                let value = self.invoke(name, named, arguments, Some(block), scope).map_err(at)?;
                self.block_result(value, block, scope, out).map_err(at)
            }
        }
    }

    /// Whether the condition of `if` holds.
    #[inline]
    fn condition(
        &mut self,
        condition: &Expr<D::Text>,
        include_zero: Option<&Expr<D::Text>>,
        scope: &Scope<'_, D>,
    ) -> Result<bool> {
        if let (ExprKind::Member(name), Some(context), None) =
            (&condition.kind, &scope.context.value, include_zero)
            && let Some(truth) = self.data.member_truth(context, name)?
        {
            return Ok(truth);
        }
        let value = self.eval(condition, scope)?;
        match (self.truth(value.as_ref())?, include_zero) {
            (Truth::Zero, Some(include)) => {
                let include = self.eval(include, scope)?;
                Ok(self.truth(include.as_ref())? == Truth::True)
            }
            (truth, _) => Ok(truth == Truth::True),
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
            matches!(&expr.kind, ExprKind::Call(call) if matches!(call.callee, Callee::Registered(_)));
        if value.is_some()
            || is_registered
            || block.has_inverse
            || !options.strict
            || !L::DIALECT.refuses_lost_blocks()
            || self.is_declared(expr, scope)
        {
            return Ok(value);
        }
        Err(self.missing(expr, expr.span.start, scope))
    }

    /// Whether an expression is a path that begins with a declared variable.
    pub(super) fn is_declared(&self, expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> bool {
        let Some(path) = expr.as_path() else { return false };
        let is_outermost = match path.root {
            PathRoot::Context(depth) => {
                let mut level = Some(scope.context);
                for _ in 0..depth {
                    level = level.and_then(|level| level.up);
                }
                level.is_some_and(|level| level.up.is_none())
            }
            PathRoot::Recursive | PathRoot::Top => true,
            PathRoot::Param { .. } | PathRoot::Data(_) => false,
        };
        is_outermost && path.parts.first().is_some_and(|name| self.partials.is_declared(name.as_str()))
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
            WriteOutcome::Done => Output::with_str(&sink.finish(), str::to_owned),
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
        let searched = Output::with_str(&inner, |text| self.fences.close(name, text, &check_interrupt))?;
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
        if L::DIALECT.adds_numbers() {
            self.sum = Summand::of(self.data, &value)?;
            if self.sum.is_some() {
                return Ok(());
            }
            self.concat.text(out);
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
                let branch =
                    if self.truth(Some(&value))? == Truth::True { &block.body } else { &block.inverse };
                self.branch(branch, None, scope, out)
            }
            ValueKind::Mapping if self.truth(Some(&value))? == Truth::False => {
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
        if data.is_plain_list(value) {
            while let Some(item) = data.list_item(value, index) {
                self.iteration(block, index, item, scope, out).map_err(|error| error.at(block.span.start))?;
                index += 1;
            }
        } else {
            if L::DIALECT.refuses_lost_blocks() {
                self.check_loop(expr, value, scope)?;
            }
            data.walk(value, &mut |item| {
                self.iteration(block, index, item, scope, out)?;
                index += 1;
                Ok(())
            })
            .map_err(|error| error.at(block.span.start))?;
        }
        if index == 0 { self.branch(&block.inverse, None, scope, out) } else { Ok(()) }
    }

    /// Renders the body of a loop for one item.
    #[inline]
    fn iteration(
        &mut self,
        block: &Block<D::Text>,
        index: usize,
        item: Item<D::Value>,
        scope: &Scope<'_, D>,
        out: &mut D::Sink,
    ) -> Result<()> {
        let Item { key, value, last } = item;
        self.step(block.span.start, scope)?;
        let params = (block.body.params > 0).then(|| self.loop_params(block, index, key.as_ref(), &value));
        let frame = LoopFrame { index: Some(index), key, last, data: None, up: scope.loop_frame };
        let scope = Scope { loop_frame: Some(&frame), ..*scope };
        if L::DIALECT.adds_numbers() {
            self.concat.text(out);
        }
        match params {
            Some(params) => self.within(&block.body, value, Some(params), &scope, out)?,
            None => self.within_alone(&block.body, value, &scope, out)?,
        }
        self.settle(out);
        Ok(())
    }

    /// The values of the parameters of a loop: the item, and its key or number.
    fn loop_params(
        &self,
        block: &Block<D::Text>,
        index: usize,
        key: Option<&D::Value>,
        value: &D::Value,
    ) -> [Option<D::Value>; 2] {
        let place = || self.data.literal(&Literal::Integer(i64::try_from(index).unwrap_or(i64::MAX)));
        let second = (block.body.params > 1).then(|| key.cloned().unwrap_or_else(place));
        [Some(value.clone()), second]
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
}
