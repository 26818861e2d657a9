//! Writes Python objects as JSON text, for the helper `json`.
//!
//! The text is written at once and not by way of a tree of JSON values, so that an integer of any size keeps its digits
//! and a value that is much larger as JSON than in memory reaches a limit before it fills the memory.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyString};

use super::PyData;
use super::object::Object;
use super::reading::ObjectReading;
use crate::base64;
use crate::error::{Kind, Result};
use crate::limits::{BYTES_OF_A_STEP, PLAIN_DEPTH};
use crate::python::surrogates;
use crate::schema::Values;
use crate::stack_room;
use crate::template::{Data, JsonText, Sink, Style, ValueKind, WriteOutcome};

impl<'py> PyData<'_, 'py> {
    /// Writes a value as JSON. A record becomes an object. A date, a UUID and the like become the text that a template
    /// prints.
    pub(super) fn write_json(&self, value: &Object<'py>, depth: usize, out: &mut JsonText) -> Result<()> {
        if depth > PLAIN_DEPTH {
            return Err(JsonText::too_deep());
        }
        stack_room::check(depth, Kind::TemplateRender)?;
        let before = out.len();
        let resolved = self.content(value)?;
        let value = &resolved.value;
        match resolved.kind {
            ValueKind::Null => out.literal("null")?,
            ValueKind::Bool => {
                let truth = value.is_truthy();
                let truth = truth.map_err(|error| self.raised(error, "converting a value to bool"))?;
                out.literal(if truth { "true" } else { "false" })?;
            }
            ValueKind::Integer => out.literal(&surrogates::to_rust(&self.printed_text(value)?.0))?,
            ValueKind::Float => self.write_json_float(value, out)?,
            kind if kind == ValueKind::Sequence || resolved.reading == ObjectReading::Set => {
                out.open('[')?;
                self.walk_resolved(&resolved, &mut |item| {
                    self.count_work(1)?;
                    out.item()?;
                    self.write_json(&item.value, depth + 1, out)
                })?;
                out.close(']')?;
            }
            ValueKind::Mapping | ValueKind::Record => {
                out.open('{')?;
                let mut written = can_repeat_keys(value).then(HashSet::new);
                self.walk_resolved(&resolved, &mut |item| {
                    self.count_work(1)?;
                    let Some(key) = &item.key else { return Ok(()) };
                    out.item()?;
                    let start = out.len();
                    self.write_json_key(key, out)?;
                    if let Some(written) = &mut written
                        && !written.insert(out.since(start).to_owned())
                    {
                        return Err(JsonText::duplicate_key());
                    }
                    self.write_json(&item.value, depth + 1, out)
                })?;
                out.close('}')?;
            }
            ValueKind::Other
                if out.takes_bytes
                    && let Some(bytes) = Values::bytes(self, value) =>
            {
                out.string(&base64::encode(&bytes))?;
            }
            kind @ (ValueKind::Other | ValueKind::Iterable | ValueKind::Sequence) => {
                return Err(JsonText::unwritable(kind));
            }
            ValueKind::String
            | ValueKind::Date
            | ValueKind::DateTime
            | ValueKind::Uuid
            | ValueKind::Scalar => self.write_json_string(value, out)?,
        }
        if depth == 0 || out.len() - before > BYTES_OF_A_STEP {
            self.count_work(((out.len() - before) / BYTES_OF_A_STEP) as u64)?;
        }
        Ok(())
    }

    fn write_json_float(&self, value: &Object<'py>, out: &mut JsonText) -> Result<()> {
        match value.cast::<PyFloat>() {
            Ok(number) => out.float(number.value()),
            // A decimal keeps its digits.
            Err(_) => self.write_json_string(value, out),
        }
    }

    /// Writes the text that a template prints for a value.
    fn write_json_string(&self, value: &Object<'py>, out: &mut JsonText) -> Result<()> {
        out.long_string(&surrogates::to_rust(&self.printed_text(value)?.0), || self.check_interrupt())
    }

    fn write_json_key(&self, key: &Object<'py>, out: &mut JsonText) -> Result<()> {
        match self.kind(key)? {
            ValueKind::Null => out.string("null")?,
            _ => self.write_json_string(key, out)?,
        }
        out.after_key();
        Ok(())
    }

    /// The text that a template prints for a value.
    fn printed_text(&self, value: &Object<'py>) -> Result<crate::python::text::PyOutput<'py>> {
        let mut sink = self.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        match self.write(value, style, &mut sink)? {
            WriteOutcome::Done => Ok(sink.finish()),
            WriteOutcome::Null => Ok(self.output("null")),
            WriteOutcome::NullItem => Err(JsonText::no_key("a list in which an item is None")),
            WriteOutcome::NoText(kind) => Err(JsonText::no_key(kind)),
        }
    }
}

/// Whether two keys of a mapping can print alike. Two texts of a dict cannot.
fn can_repeat_keys(mapping: &Bound<'_, PyAny>) -> bool {
    match mapping.cast_exact::<PyDict>() {
        Ok(dict) => !dict.iter().all(|(key, _)| key.is_exact_instance_of::<PyString>()),
        Err(_) => true,
    }
}
