//! What only handlebars.js does.

use super::super::Text;
use super::super::context::{Data, Style, Truth, ValueKind};
use super::super::dialect::StaticDialect;
use super::super::js_concat::Summand;
use super::super::program::{Callee, Expr, ExprKind, PathRef, PathRoot, UnresolvedCall};
use super::{ContextFrame, Renderer, Scope};
use crate::error::{Error, Kind, Result};

impl<D: Data, L: StaticDialect> Renderer<'_, D, L> {
    /// Adds the output of a block or partial to its program: a sum, or else text, even if empty.
    pub(super) fn join(&mut self, out: &mut D::Sink) {
        match self.sum.take() {
            Some(raw) => self.concat.raw(raw, out),
            None => self.concat.text(out),
        }
    }

    /// Writes the sum that a program returned as text, where text is needed.
    pub(in crate::template) fn settle(&mut self, out: &mut D::Sink) {
        if let Some(raw) = self.sum.take() {
            self.concat.raw(raw, out);
            self.concat.text(out);
        }
    }

    /// Adds the value of a tag to the numbers before it. False: it is text.
    pub(super) fn adds(&mut self, value: Option<&D::Value>, style: Style, out: &mut D::Sink) -> Result<bool> {
        let summand = match value {
            Some(value) if !style.html => Summand::of(self.data, value)?,
            _ => None,
        };
        match summand {
            Some(summand) => self.concat.raw(summand, out),
            None => self.concat.text(out),
        }
        Ok(summand.is_some())
    }

    /// The value of a tag in strict mode, which handlebars.js limits to paths that end in a name.
    pub(super) fn strict_in_javascript(
        &mut self,
        expr: &Expr<D::Text>,
        value: Option<D::Value>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        let path = match &expr.kind {
            ExprKind::HelperMissing(call) => Some(call.value.borrowed()),
            _ => expr.as_path(),
        };
        let Some(path) = path else { return Ok(value) };
        if let Some(last) = path.parts.len().checked_sub(1)
            && matches!(path.root, PathRoot::Context(_))
            && let Some(parent) = self.path(PathRef { parts: &path.parts[..last], ..path }, scope)?
            && !matches!(
                self.data.kind_of(&parent)?,
                ValueKind::Sequence | ValueKind::Mapping | ValueKind::Record
            )
        {
            // `name in "text"` is an error in JavaScript.
            return Err(self.missing(expr, expr.span.start, scope));
        }
        if path.parts.last().is_none_or(|name| is_inherited(name.as_str())) {
            return Ok(value);
        }
        if let (PathRoot::Recursive, [name], Some(found)) = (path.root, path.parts, &value) {
            // handlebars.js looks up the name again in the value that it found under the name.
            let text = self.data.kind_of(found)? == ValueKind::String;
            return match self.data.get(found, name)? {
                Some(inner) if !text => Ok(Some(inner)),
                _ => Err(self.missing(expr, expr.span.start, scope)),
            };
        }
        if value.is_none() { Err(self.missing(expr, expr.span.start, scope)) } else { Ok(value) }
    }

    /// The context of a block: if it is null or missing, an empty object.
    pub(super) fn object_context<'s>(&self, scope: &Scope<'s, D>) -> Result<Option<ContextFrame<'s, D>>> {
        let context = &scope.context.value;
        if let Some(context) = context
            && self.data.kind_of(context)? != ValueKind::Null
        {
            return Ok(None);
        }
        let empty = self.data.of_json(&serde_json::Value::Object(serde_json::Map::new()))?;
        let up = if context.is_some() { scope.context.up } else { Some(scope.context) };
        Ok(Some(ContextFrame { value: Some(empty), up }))
    }

    /// A call of an unknown helper. In handlebars.js it is an error, unless it has no arguments and the name has no
    /// value.
    pub(super) fn unresolved(
        &mut self,
        unknown: &UnresolvedCall<D::Text>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        let value = self.path(unknown.value.borrowed(), scope)?;
        let strict = scope.template.options().strict;
        let nothing = !strict && !self.is_something(value.as_ref())?;
        if nothing && unknown.hook {
            return self.call_helper_missing(unknown, scope);
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
    pub(super) fn is_something(&self, value: Option<&D::Value>) -> Result<bool> {
        let Some(value) = value else { return Ok(false) };
        let object = matches!(
            self.data.kind_of(value)?,
            ValueKind::Sequence | ValueKind::Mapping | ValueKind::Record | ValueKind::Iterable
        );
        Ok(object || self.data.truth(value, false)? == Truth::True)
    }

    /// The value of a name. If it has none, the result of the caller's `helperMissing`.
    pub(super) fn with_helper_missing(
        &mut self,
        unknown: &UnresolvedCall<D::Text>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        let value = self.path(unknown.value.borrowed(), scope)?;
        match value {
            Some(value) if self.data.kind_of(&value)? != ValueKind::Null => Ok(Some(value)),
            value if scope.template.options().strict => Ok(value),
            _ => self.call_helper_missing(unknown, scope),
        }
    }

    fn call_helper_missing(
        &mut self,
        unknown: &UnresolvedCall<D::Text>,
        scope: &Scope<'_, D>,
    ) -> Result<Option<D::Value>> {
        let Callee::Registered(hook) = &unknown.call.callee else { return Ok(None) };
        self.call_registered(hook, &unknown.name, &unknown.call, scope)
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
