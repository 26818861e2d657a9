//! Looks up the values of paths.

use super::super::Text;
use super::super::context::{Data, Truth, ValueKind};
use super::super::dialect::StaticDialect;
use super::super::program::{Literal, PathRef, PathRoot};
use super::{LoopFrame, Renderer, Scope};
use crate::error::{Error, Kind, Result};

impl<D: Data, L: StaticDialect> Renderer<'_, D, L> {
    /// The value of a name in the current context.
    #[inline]
    pub(super) fn member(&self, name: &D::Text, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let Some(context) = &scope.context.value else { return Self::no_object(scope) };
        match self.data.variable(context, name)? {
            None if self.data.kind_of(context)? == ValueKind::Null => Self::no_object(scope),
            found => Ok(found),
        }
    }

    /// The value of a path.
    pub(super) fn path(&self, path: PathRef<'_, D::Text>, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let parts = path.parts;
        let (base, parts) = match path.root {
            PathRoot::Context(0) => match (&scope.context.value, parts) {
                // The most common case, without cloning the context.
                (Some(context), [first, rest @ ..]) => match self.data.variable(context, first)? {
                    Some(found) => (Some(found), rest),
                    None if !rest.is_empty() || self.data.kind_of(context)? == ValueKind::Null => {
                        return Self::no_object(scope);
                    }
                    None => return Ok(None),
                },
                (context, _) => (context.clone(), parts),
            },
            PathRoot::Context(depth) => (context(depth, scope), parts),
            PathRoot::Recursive => match parts {
                [first, rest @ ..] => (self.recursive(first, scope)?, rest),
                [] => (None, parts),
            },
            PathRoot::Top => (Some(self.top.clone()), parts),
            PathRoot::Param { block, index } => {
                let mut params = scope.params;
                for _ in 0..block {
                    params = params.and_then(|params| params.up);
                }
                let values = params.and_then(|params| params.values.as_ref());
                if values.is_none() && L::DIALECT.requires_block_params() {
                    return Err(Error::new(
                        Kind::TemplateRender,
                        "the helper passed no values for the parameters of its block",
                    ));
                }
                (values.and_then(|values| values.get(index).cloned().flatten()), parts)
            }
            PathRoot::Data(depth) => match parts.split_first() {
                Some((first, rest)) => (self.data_value(first, depth, scope)?, rest),
                None => (None, parts),
            },
        };
        let Some(mut value) = base else {
            return if parts.is_empty() { Ok(None) } else { Self::no_object(scope) };
        };
        let data_path = L::DIALECT.stops_at_false_data() && matches!(path.root, PathRoot::Data(_));
        let starts_in_context =
            matches!(path.root, PathRoot::Context(_) | PathRoot::Top) && parts.len() == path.parts.len();
        for (at, part) in parts.iter().enumerate() {
            if data_path && !self.is_something(Some(&value))? {
                // handlebars.js reads `@a.b` as `a && a.b`, but not in strict mode.
                return if scope.template.options().strict {
                    Self::no_object(scope)
                } else {
                    Ok(Some(value))
                };
            }
            let is_variable = at == 0 && starts_in_context;
            let found =
                if is_variable { self.data.variable(&value, part) } else { self.data.get(&value, part) };
            match found? {
                Some(found) => value = found,
                None if at + 1 < parts.len() || self.data.kind_of(&value)? == ValueKind::Null => {
                    return Self::no_object(scope);
                }
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    /// The result of a path with a missing value in its middle.
    fn no_object(scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let options = scope.template.options();
        if options.assume_objects || (options.strict && L::DIALECT.breaks_at_missing_objects()) {
            return Err(Error::new(Kind::TemplateRender, "a value in the middle of this path is missing"));
        }
        Ok(None)
    }

    /// The first value of this name that is not null, from the innermost context outwards.
    fn recursive(&self, name: &D::Text, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let mut level = Some(scope.context);
        while let Some(here) = level {
            level = here.up;
            let Some(context) = &here.value else { continue };
            let primitive = !matches!(
                self.data.kind_of(context)?,
                ValueKind::Sequence | ValueKind::Mapping | ValueKind::Null
            );
            if primitive && self.data.truth(context, false)? != Truth::True {
                // handlebars.js returns a falsy context as the value itself.
                return Ok(Some(context.clone()));
            }
            if let Some(found) = self.data.variable(context, name)?
                && self.data.kind_of(&found)? != ValueKind::Null
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The value of `@index` and the like. Other names are looked up in the caller's data.
    fn data_value(&self, name: &D::Text, depth: usize, scope: &Scope<'_, D>) -> Result<Option<D::Value>> {
        let mut loop_frame = scope.loop_frame;
        let mut top = false;
        for _ in 0..depth {
            match loop_frame {
                Some(frame) => loop_frame = frame.up,
                // The frame of the template itself is inside the one of the caller, if the caller gave one.
                None if !top && self.caller_data.is_some() => top = true,
                None => return Self::no_object(scope),
            }
        }
        if top {
            return self.caller_data.map_or(Ok(None), |data| self.data.get(data, name));
        }
        while let Some(frame) = loop_frame {
            if let Some(data) = &frame.data
                && let Some(found) = self.data.get(data, name)?
            {
                return Ok(Some(found));
            }
            if let Some(index) = frame.index
                && let Some(found) = self.loop_value(frame, index, name.as_str())
            {
                return Ok(Some(found));
            }
            // A frame with values of a helper hides only the names that it has.
            loop_frame = frame.up.filter(|_| frame.index.is_none());
        }
        match name.as_str() {
            "root" => return Ok(Some(self.top.clone())),
            "partial-block" if scope.block.is_some() => {
                return Ok(Some(self.data.literal(&Literal::Bool(true))));
            }
            _ => {}
        }
        match self.caller_data {
            Some(data) => self.data.get(data, name),
            None => Ok(None),
        }
    }

    pub(super) fn loop_value(
        &self,
        loop_frame: &LoopFrame<'_, D>,
        index: usize,
        name: &str,
    ) -> Option<D::Value> {
        let number = || self.data.literal(&Literal::Integer(i64::try_from(index).unwrap_or(i64::MAX)));
        match name {
            "index" => Some(number()),
            "key" => Some(loop_frame.key.clone().unwrap_or_else(number)),
            "first" => Some(self.data.literal(&Literal::Bool(index == 0))),
            "last" => Some(self.data.literal(&Literal::Bool(loop_frame.last))),
            _ => None,
        }
    }
}

/// The context `depth` levels up.
pub(super) fn context<D: Data>(depth: usize, scope: &Scope<'_, D>) -> Option<D::Value> {
    let mut level = scope.context;
    for _ in 0..depth {
        level = level.up?;
    }
    level.value.clone()
}
