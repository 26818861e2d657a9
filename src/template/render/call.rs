//! Calls helpers.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::closure::Closure;
use super::super::context::{Data, Invocation};
use super::super::dialect::StaticDialect;
use super::super::helpers::{self, BuiltinHelper, HelperArguments};
use super::super::program::{Block, Call, Callee};
use super::super::{Text, stack};
use super::{Renderer, Scope};
use crate::error::{Error, Kind, Result};
use crate::limits::BYTES_OF_A_STEP;

/// The evaluated arguments of a registered helper. A missing value is `None`.
pub(super) struct CallArguments<'c, D: Data> {
    pub(super) positional: Vec<Option<D::Value>>,
    pub(super) named: Vec<(&'c D::Text, Option<D::Value>)>,
}

impl<D: Data, L: StaticDialect> Renderer<'_, D, L> {
    pub(super) fn call(&mut self, call: &Call<D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        match &call.callee {
            Callee::Prompt(helper) => self.call_prompt_helper(*helper, call, scope),
            Callee::Registered(name) => self.call_registered(name, name.as_str(), call, scope),
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
            .map(|(name, value)| Ok((name.as_str(), self.eval(value, scope)?)))
            .collect::<Result<Vec<_>>>()?;
        let arguments = HelperArguments {
            data: self.data,
            positional: &positional,
            named: &named,
            javascript: L::DIALECT.is_javascript(),
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
    pub(super) fn frame(&self, scope: &Scope<'_, D>) -> Vec<(&'static str, D::Value)> {
        let mut values = vec![("root", self.top.clone())];
        if let Some(loop_frame) = scope.loop_frame
            && let Some(index) = loop_frame.index
        {
            for name in ["index", "key", "first", "last"] {
                values.extend(self.loop_value(loop_frame, index, name).map(|value| (name, value)));
            }
        }
        values
    }

    /// Calls a registered helper outside a block.
    pub(super) fn call_registered(
        &mut self,
        name: &D::Text,
        named: &str,
        call: &Call<D::Text>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        let arguments = self.arguments(call, scope)?;
        self.invoke(name, named, arguments, None, scope)
    }

    /// Evaluates the arguments of a call.
    pub(super) fn arguments<'c>(
        &mut self,
        call: &'c Call<D::Text>,
        scope: &Scope<'_, D>,
    ) -> Result<CallArguments<'c, D>> {
        self.work_of(call, scope)?;
        let positional = call.params.iter().map(|param| self.eval(param, scope)).collect::<Result<_>>()?;
        let named = call
            .hash
            .iter()
            .map(|(name, value)| Ok((name, self.eval(value, scope)?)))
            .collect::<Result<_>>()?;
        Ok(CallArguments { positional, named })
    }

    /// Calls a registered helper with evaluated arguments. `named` is the name that the template uses.
    pub(super) fn invoke(
        &mut self,
        name: &D::Text,
        named: &str,
        arguments: CallArguments<'_, D>,
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
                positional: arguments.positional,
                named: arguments.named,
                context: scope.context.value.as_ref(),
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
}
