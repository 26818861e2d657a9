//! Writes Python objects as JSON text, for the helper `json`.
//!
//! The text is written at once and not by way of a tree of JSON values, so that an integer of any size keeps its digits
//! and a value that is much larger as JSON than in memory reaches a limit before it fills the memory.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyString};

use super::PyData;
use super::json::JSON_DEPTH;
use super::kind::{Object, bare, kind_of};
use crate::error::{Error, Kind, Result};
use crate::template::{Data, JsonText, Sink, Style, ValueKind, WriteOutcome};

/// The number of bytes of text that are written for one step.
const BYTES_OF_A_STEP: usize = 64;

impl<'py> PyData<'_, 'py> {
    /// Writes a value as JSON. A record becomes an object. A date, a UUID and the like become the text that a template
    /// prints.
    pub(super) fn write_json(&self, value: &Object<'py>, depth: usize, out: &mut JsonText) -> Result<()> {
        if depth > JSON_DEPTH {
            return Err(fail(format!(
                "the value is nested more than {JSON_DEPTH} levels deep, or contains itself"
            )));
        }
        let before = out.len();
        let value = &bare(value);
        match kind_of(value) {
            ValueKind::Null => out.literal("null")?,
            ValueKind::Bool => {
                let truth = value.is_truthy();
                let truth = truth.map_err(|error| self.raised(error, "converting a value to bool"))?;
                out.literal(if truth { "true" } else { "false" })?;
            }
            ValueKind::Integer => {
                self.printed_text(value)?
                    .0
                    .to_str()
                    .map_or_else(|_| Err(not_text()), |digits| out.literal(digits))?;
            }
            ValueKind::Float => self.write_json_float(value, out)?,
            ValueKind::Sequence => {
                out.open('[')?;
                self.walk(value, &mut |item| {
                    self.count_work(1)?;
                    out.item()?;
                    self.write_json(&item.value, depth + 1, out)
                })?;
                out.close(']')?;
            }
            ValueKind::Mapping | ValueKind::Record => {
                out.open('{')?;
                self.walk(value, &mut |item| {
                    self.count_work(1)?;
                    let Some(key) = &item.key else { return Ok(()) };
                    out.item()?;
                    self.write_json_key(key, out)?;
                    self.write_json(&item.value, depth + 1, out)
                })?;
                out.close('}')?;
            }
            kind @ (ValueKind::Other | ValueKind::Iterable) => {
                return Err(fail(format!("{kind} cannot be written as JSON")));
            }
            ValueKind::String
            | ValueKind::Date
            | ValueKind::DateTime
            | ValueKind::Uuid
            | ValueKind::Scalar => self.write_json_string(&self.printed_text(value)?.0, out)?,
        }
        if depth == 0 || out.len() - before > BYTES_OF_A_STEP {
            self.count_work(((out.len() - before) / BYTES_OF_A_STEP) as u64)?;
        }
        Ok(())
    }

    fn write_json_float(&self, value: &Object<'py>, out: &mut JsonText) -> Result<()> {
        match value.cast::<PyFloat>() {
            Ok(number) => {
                let number = serde_json::Number::from_f64(number.value())
                    .ok_or_else(|| fail("NaN and infinity cannot be written as JSON"))?;
                out.literal(&number.to_string())
            }
            // A decimal keeps its digits.
            Err(_) => self.write_json_string(&self.printed_text(value)?.0, out),
        }
    }

    fn write_json_string(&self, text: &Bound<'py, PyString>, out: &mut JsonText) -> Result<()> {
        if let Ok(text) = text.to_str() {
            return out.string(text);
        }
        // Halves of surrogate pairs, which UTF-8 cannot hold.
        let encoded = text
            .call_method1("encode", ("utf-16-le", "surrogatepass"))
            .map_err(|error| self.raised(error, "encoding a text"))?;
        let encoded = encoded.cast::<PyBytes>().map_err(|_| not_text())?.as_bytes();
        out.utf16_string(encoded.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])))
    }

    fn write_json_key(&self, key: &Object<'py>, out: &mut JsonText) -> Result<()> {
        match kind_of(&bare(key)) {
            ValueKind::Null => out.string("null")?,
            _ => self.write_json_string(&self.printed_text(key)?.0, out)?,
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
            WriteOutcome::NoText(kind) => Err(fail(format!("{kind} cannot be a key in JSON"))),
        }
    }
}

fn fail(message: impl Into<String>) -> Error {
    Error::new(Kind::TemplateRender, message)
}

fn not_text() -> Error {
    fail("a value has no text that can be written as JSON")
}
