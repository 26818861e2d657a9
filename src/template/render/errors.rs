//! The errors of a render.

use super::super::context::{Data, ValueKind, WriteOutcome};
use super::super::dialect::StaticDialect;
use super::super::program::{Expr, Partial, PartialName, PathRef, PathRoot, usage_of_builtin};
use super::super::{Template, Text, hints};
use super::path::context;
use super::{Renderer, Scope};
use crate::error::{Error, Kind, Result, nearest};
use crate::limits::HINT_NAMES;

pub(super) fn fail(message: impl Into<String>, offset: usize) -> Error {
    Error::new(Kind::TemplateRender, message).at(offset)
}

pub(super) fn locate<T: Text>(error: Error, template: &Template<T>) -> Error {
    error.locate(template.name(), template.source())
}

impl<D: Data, L: StaticDialect> Renderer<'_, D, L> {
    /// The error for a missing value that a tag prints.
    pub(super) fn missing(&self, expr: &Expr<D::Text>, offset: usize, scope: &Scope<'_, D>) -> Error {
        let name = written(expr, scope);
        let error = |message: String| fail(message, offset);
        let Some(path) = expr.as_path() else { return error(format!("`{name}` returned no value")) };
        let base = match path.root {
            PathRoot::Context(depth) => context(depth, scope),
            PathRoot::Recursive => context(0, scope),
            PathRoot::Top => Some(self.top.clone()),
            PathRoot::Data(_) if path.parts.first().is_some_and(|name| is_loop_name(name.as_str())) => {
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
            let is_variable = at == 0 && !matches!(path.root, PathRoot::Data(_));
            let found =
                if is_variable { self.data.variable(&value, part) } else { self.data.get(&value, part) };
            match found {
                Ok(Some(found)) => value = found,
                Ok(None) => {
                    let part = part.as_str();
                    let (known, kind) = match (self.data.names(&value, HINT_NAMES), self.data.kind_of(&value))
                    {
                        (Ok(known), Ok(kind)) => (known, kind),
                        (Err(error), _) | (_, Err(error)) => return error.at(offset),
                    };
                    let message =
                        if at == 0 && path.root == PathRoot::Context(0) && scope.context.up.is_none() {
                            format!("Missing variable '{part}'")
                        } else if at == 0 {
                            format!("`{name}` has no value: the current context has no `{part}`")
                        } else if kind == ValueKind::Null {
                            format!("`{name}` has no value: the value before `.{part}` is None")
                        } else {
                            format!("`{name}` has no value: the value before `.{part}` has no such member")
                        };
                    let error = error(message).with_context("variable", name);
                    let near = || nearest(part, known.iter().map(String::as_str));
                    let hint = if at == 0 && path.parts.len() == 1 && self.partials.partial(part).is_some() {
                        Some(hints::partial(part))
                    } else if let Some(near) = near() {
                        Some(format!("did you mean `{near}`?"))
                    } else if at > 0 && kind == ValueKind::Other {
                        Some(hints::UNKNOWN_CLASS.to_owned())
                    } else {
                        self.hint_for_missing(path, at, scope)
                    };
                    return error.with_optional_hint(hint);
                }
                Err(cause) => return cause.at(offset),
            }
        }
        error(format!("`{name}` has no value"))
    }

    /// A hint for a missing name that is no misspelling of another one.
    fn hint_for_missing(
        &self,
        path: PathRef<'_, D::Text>,
        at: usize,
        scope: &Scope<'_, D>,
    ) -> Option<String> {
        let name = path.parts.first().filter(|_| at == 0)?;
        if let PathRoot::Context(depth) = path.root {
            let has_name = |context: &D::Value| matches!(self.data.variable(context, name), Ok(Some(_)));
            let mut level = Some(scope.context);
            for _ in 0..depth {
                level = level.and_then(|level| level.up);
            }
            let mut steps = String::from("../");
            while let Some(outer) = level.and_then(|level| level.up) {
                if outer.value.as_ref().is_some_and(has_name) {
                    let name = name.as_str();
                    return Some(format!("it exists outside of the block: write `{steps}{name}`"));
                }
                steps.push_str("../");
                level = Some(outer);
            }
        }
        let name = name.as_str();
        match path.root {
            PathRoot::Data(_) => Some("pass the values of `@` names with `data={…}`".to_owned()),
            _ if path.parts.len() > 1 => None,
            _ => hints::for_name(name).map(ToOwned::to_owned).or_else(|| usage_of_builtin(name)),
        }
    }

    pub(super) fn no_partial(&self, partial: &Partial<D::Text>, scope: &Scope<'_, D>) -> Error {
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

/// Turns the result of writing a tag's value into an error where the options ask for one.
pub(super) fn finish<D: Data>(
    outcome: WriteOutcome,
    expr: &Expr<D::Text>,
    scope: &Scope<'_, D>,
) -> Result<()> {
    let offset = expr.span.start;
    match outcome {
        WriteOutcome::Done => Ok(()),
        WriteOutcome::Null | WriteOutcome::NullItem if scope.template.options().allow_none => Ok(()),
        WriteOutcome::Null => Err(fail(format!("`{}` is None", written(expr, scope)), offset)
            .with_hint("test it with `{{#if}}`, or print nothing for it with TemplateEngine(allow_none=True)")),
        WriteOutcome::NullItem => {
            Err(fail(format!("`{}` is a list in which an item is None", written(expr, scope)), offset)
                .with_hint(
                    "loop over it with `{{#each}}` and `{{#if}}`, or print nothing for it with TemplateEngine(allow_none=True)",
                ))
        }
        WriteOutcome::NoText(kind) => {
            Err(fail(format!("cannot print `{}`: {kind} has no text", written(expr, scope)), offset)
                .with_hint("print one of its members, or loop over it with `{{#each}}`"))
        }
    }
}

fn is_loop_name(name: &str) -> bool {
    matches!(name, "index" | "key" | "first" | "last")
}

/// The expression as written in the template.
pub(super) fn written<D: Data>(expr: &Expr<D::Text>, scope: &Scope<'_, D>) -> String {
    scope.template.source().get(expr.span.start..expr.span.end).unwrap_or_default().to_owned()
}
