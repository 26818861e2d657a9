//! Compares Python objects, for the helpers `eq`, `lt` and the like.
//!
//! Python compares two lists in one uninterrupted call, whose work grows with every value inside them. Lists, mappings and
//! objects with fields are therefore compared here, item by item, and each item counts as a step.

use std::cmp::Ordering;

use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::PyData;
use super::object::Object;
use super::overlay::Overlay;
use super::reading::ObjectReading;
use super::resolved::Resolved;
use crate::error::{Error, Kind, Result};
use crate::limits::{BYTES_OF_A_STEP, ONE_CALL_VALUES, PLAIN_DEPTH};
use crate::stack_room;
use crate::template::{Item, ValueKind};

impl<'py> PyData<'_, 'py> {
    /// Whether two values are equal. `depth` is how many values they are inside of.
    pub(super) fn equal_at(&self, a: &Object<'py>, b: &Object<'py>, depth: usize) -> Result<bool> {
        self.count_work(1)?;
        // As in Python, an item equals itself, even one that is NaN.
        if depth > 0 && a.is(b) {
            return Ok(true);
        }
        if depth > PLAIN_DEPTH {
            return Err(too_deep());
        }
        stack_room::check(depth, Kind::TemplateRender)?;
        let (a, b) = (self.content(a)?, self.content(b)?);
        match (a.kind, b.kind) {
            (ValueKind::Integer | ValueKind::Float, ValueKind::Integer | ValueKind::Float) => {
                self.count_numbers(&a, &b)?;
                self.python_equal(&a, &b)
            }
            (a_kind, b_kind) if a_kind != b_kind => Ok(false),
            (ValueKind::Null, _) => Ok(true),
            (ValueKind::String, _) => {
                self.count_text(&a.value)?;
                self.python_equal(&a, &b)
            }
            (ValueKind::Sequence, _) => self.equal_sequences(&a, &b, depth),
            (ValueKind::Mapping, _) => self.equal_mappings(&a, &b, depth),
            (ValueKind::Record, _) => self.equal_records(&a, &b),
            (ValueKind::Iterable, _) if self.is_set(&a)? && self.is_set(&b)? => self.equal_sets(&a, &b),
            _ => self.python_equal(&a, &b),
        }
    }

    /// Returns the order of two numbers, two texts or two times. `None` if the values have none, or one is NaN.
    pub(super) fn order_of(&self, a: &Resolved<'py>, b: &Resolved<'py>) -> Result<Option<Ordering>> {
        if a.kind.is_number() && b.kind.is_number() {
            self.count_numbers(a, b)?;
        } else if a.kind != b.kind
            || !matches!(a.kind, ValueKind::String | ValueKind::Date | ValueKind::DateTime)
        {
            return Ok(None);
        }
        let (a_value, b_value) = (&a.value, &b.value);
        let order = || -> PyResult<Option<Ordering>> {
            if a_value.lt(b_value)? {
                Ok(Some(Ordering::Less))
            } else if a_value.gt(b_value)? {
                Ok(Some(Ordering::Greater))
            } else {
                Ok(a_value.eq(b_value)?.then_some(Ordering::Equal))
            }
        };
        order().map_err(|error| {
            if a.kind == ValueKind::DateTime && error.is_instance_of::<PyTypeError>(self.py) {
                let message = "cannot compare a datetime that has a time zone with one that has none";
                return Error::new(Kind::TemplateRender, message)
                    .with_hint("give both a time zone before the render")
                    .with_cause(error);
            }
            self.comparing(error)
        })
    }

    /// Compares two values by their own `__eq__`.
    fn python_equal(&self, a: &Resolved<'py>, b: &Resolved<'py>) -> Result<bool> {
        a.value.eq(&b.value).map_err(|error| self.comparing(error))
    }

    fn comparing(&self, error: PyErr) -> Error {
        self.raised(error, "comparing two values")
            .with_hint("compare members that are numbers or texts, such as `(eq a.id b.id)`")
    }

    fn equal_sequences(&self, a: &Resolved<'py>, b: &Resolved<'py>, depth: usize) -> Result<bool> {
        let (a, b) = (self.by_position(a)?, self.by_position(b)?);
        let count = self.size_of(&a)?;
        if count != self.size_of(&b)? {
            return Ok(false);
        }
        for at in 0..count {
            let (Some(of_a), Some(of_b)) = (self.item(&a, at)?, self.item(&b, at)?) else { return Ok(false) };
            if !self.equal_at(&of_a, &of_b, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_mappings(&self, a: &Resolved<'py>, b: &Resolved<'py>, depth: usize) -> Result<bool> {
        let (a, b) = (&self.without_overlay(&a.value)?, &self.without_overlay(&b.value)?);
        if self.size_of(a)? != self.size_of(b)? {
            return Ok(false);
        }
        let raised = |error| self.raised(error, "reading a mapping");
        for key in a.try_iter().map_err(raised)? {
            let key = key.map_err(raised)?;
            self.count_key(&key)?;
            let of_a = a.get_item(&key).map_err(raised)?;
            let of_b = match b.get_item(&key) {
                Ok(found) => found,
                Err(error) if error.is_instance_of::<PyKeyError>(self.py) => return Ok(false),
                Err(error) => return Err(raised(error)),
            };
            if !self.equal_at(&of_a, &of_b, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn without_overlay(&self, mapping: &Object<'py>) -> Result<Object<'py>> {
        match mapping.cast_exact::<Overlay>() {
            Ok(overlay) => Ok(self.merged(overlay.get())?.into_any()),
            Err(_) => Ok(mapping.clone()),
        }
    }

    /// Compares two objects with fields as their class does, which may leave out fields.
    fn equal_records(&self, a: &Resolved<'py>, b: &Resolved<'py>) -> Result<bool> {
        self.count_values(&a.value, 0, &mut 0)?;
        self.count_values(&b.value, 0, &mut 0)?;
        self.python_equal(a, b)
    }

    /// Whether it compares as a set: a set, or a view of a mapping's keys or items. A view of the values does not.
    fn is_set(&self, resolved: &Resolved<'py>) -> Result<bool> {
        if resolved.reading != ObjectReading::Set {
            return Ok(false);
        }
        let set = self.py.import(intern!(self.py, "collections.abc")).and_then(|abc| abc.getattr("Set"));
        self.looked_up(set.and_then(|set| resolved.value.is_instance(&set)))
    }

    fn equal_sets(&self, a: &Resolved<'py>, b: &Resolved<'py>) -> Result<bool> {
        if self.size_of(&a.value)? != self.size_of(&b.value)? {
            return Ok(false);
        }
        let raised = |error| self.comparing(error);
        for item in a.value.try_iter().map_err(raised)? {
            let item = item.map_err(raised)?;
            self.count_key(&item)?;
            if !b.value.contains(item).map_err(raised)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Counts the values inside a key. Python hashes and compares all of them in one call, and reads a tuple that is
    /// inside twice two times.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`] if there are more than [`ONE_CALL_VALUES`].
    pub(super) fn count_key(&self, key: &Object<'py>) -> Result<()> {
        if key.cast_exact::<PyString>().is_ok() {
            return self.count_work(1);
        }
        self.count_values(key, 0, &mut 0)
    }

    fn count_values(&self, value: &Object<'py>, depth: usize, counted: &mut u64) -> Result<()> {
        self.count_work(1)?;
        *counted += 1;
        if depth > PLAIN_DEPTH {
            return Err(too_deep());
        }
        stack_room::check(depth, Kind::TemplateRender)?;
        if *counted > ONE_CALL_VALUES {
            return Err(Error::new(
                Kind::TemplateRender,
                format!("a key, an item of a set or an object holds more than {ONE_CALL_VALUES} values"),
            )
            .with_hint("compare the members that matter, such as `(eq a.id b.id)`, and use short keys"));
        }
        let resolved = self.content(value)?;
        match resolved.kind {
            ValueKind::Sequence | ValueKind::Mapping | ValueKind::Record => {}
            ValueKind::Iterable if resolved.reading == ObjectReading::Set => {}
            ValueKind::Integer => return self.count_integer(&resolved.value),
            ValueKind::String => return self.count_text(&resolved.value),
            _ => return Ok(()),
        }
        self.walk_resolved(&resolved, &mut |Item { value, .. }| self.count_values(&value, depth + 1, counted))
    }

    /// Counts a text that is read whole.
    fn count_text(&self, text: &Object<'py>) -> Result<()> {
        self.count_work((self.size_of(text)? / BYTES_OF_A_STEP) as u64)
    }
}

fn too_deep() -> Error {
    Error::new(
        Kind::TemplateRender,
        format!("the values are nested more than {PLAIN_DEPTH} levels deep, or one contains itself"),
    )
    .with_hint("compare the members that matter, such as `(eq a.id b.id)`")
}
