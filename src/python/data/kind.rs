//! Finds the kind of value of a Python object.
//!
//! Python's own types are told apart by their exact type. Any other type is looked up in [`TypeInfo`], which is found once
//! for each type.

use std::sync::Arc;

use pyo3::prelude::*;

use super::PyData;
use super::object::{Object, plain_kind};
use super::packages;
use super::reading::ObjectReading;
use super::resolved::Resolved;
use super::type_info::TypeInfo;
use crate::error::{Error, Kind, Result};
use crate::template::ValueKind;

/// The maximum number of values that hold one another, such as an enum member whose value is an enum member.
const HELD_DEPTH: usize = 16;

impl<'py> PyData<'_, 'py> {
    /// Returns the kind of a value. An enum member has the kind of its value.
    #[inline]
    pub(in crate::python) fn kind(&self, value: &Object<'py>) -> Result<ValueKind> {
        match plain_kind(value) {
            Some(kind) => Ok(kind),
            None => Ok(self.resolve(value)?.kind),
        }
    }

    /// Finds how a value is read.
    pub(super) fn resolve(&self, value: &Object<'py>) -> Result<Resolved<'py>> {
        let mut value = value.clone();
        for _ in 0..HELD_DEPTH {
            if let Some(kind) = plain_kind(&value) {
                return Ok(Resolved { value, kind, reading: ObjectReading::Kind(kind), info: None });
            }
            let info =
                self.type_info(&value).map_err(|error| self.raised(error, "finding the type of a value"))?;
            let held = packages::held(&value, info.reading);
            let held = held.map_err(|error| self.raised(error, "reading the value that an object holds"))?;
            let Some(inner) = held else {
                let (kind, reading) = (info.reading.kind(), info.reading);
                return Ok(Resolved { value, kind, reading, info: Some(info) });
            };
            value = inner;
        }
        Err(Error::new(
            Kind::TemplateRender,
            format!("a value holds others more than {HELD_DEPTH} levels deep, or holds itself"),
        )
        .with_hint("an enum member's value, or a UserString's data, must not be the object itself"))
    }

    /// Finds how a value is read, to read its content. A data frame is an error.
    pub(super) fn content(&self, value: &Object<'py>) -> Result<Resolved<'py>> {
        let resolved = self.resolve(value)?;
        match resolved.reading {
            ObjectReading::Frame(rows) => {
                Err(Error::new(Kind::TemplateRender, "a data frame has no single meaning in a template")
                    .with_hint(format!("give its rows, as a list of dicts: `{rows}`")))
            }
            _ => Ok(resolved),
        }
    }

    /// Returns the value that an object holds, or the object itself.
    pub(super) fn bare(&self, value: &Object<'py>) -> Result<Object<'py>> {
        if plain_kind(value).is_some() { Ok(value.clone()) } else { Ok(self.resolve(value)?.value) }
    }

    fn type_info(&self, value: &Object<'py>) -> PyResult<Arc<TypeInfo>> {
        if let Some(engine) = self.engine
            && let Some(registered) = engine.registered_type(&value.get_type())
        {
            return Ok(registered);
        }
        TypeInfo::of(value)
    }
}
