//! Writes values of Arrow columns as JSON text, for the helper `json` and for placeholders.

use std::collections::HashSet;

use super::data::ArrowData;
use super::value::ArrowValue;
use crate::error::{Kind, Result};
use crate::limits::{BYTES_OF_A_STEP, PLAIN_DEPTH};
use crate::stack_room;
use crate::template::{Data, JsonText, Sink, Style, ValueKind, WriteOutcome};

impl<'a> ArrowData<'a> {
    /// Writes a value as JSON. A date, a UUID, a decimal and the like become the text that a template prints.
    pub(super) fn write_json(&self, value: &ArrowValue<'a>, depth: usize, out: &mut JsonText) -> Result<()> {
        if depth > PLAIN_DEPTH {
            return Err(JsonText::too_deep());
        }
        stack_room::check(depth, Kind::TemplateRender)?;
        let before = out.len();
        match value {
            ArrowValue::Null => out.literal("null")?,
            ArrowValue::Bool(true) => out.literal("true")?,
            ArrowValue::Bool(false) => out.literal("false")?,
            ArrowValue::Integer(whole) => out.literal(&whole.to_string())?,
            ArrowValue::Digits(digits) => out.literal(digits)?,
            ArrowValue::Float(float) => out.float(*float)?,
            ArrowValue::Text(text) => self.write_json_string(text, out)?,
            ArrowValue::SharedText(text) => self.write_json_string(text, out)?,
            ArrowValue::List(_) | ArrowValue::Items(_) => {
                out.open('[')?;
                let mut at = 0;
                while let Some(item) = value.item(at) {
                    self.count_work(1)?;
                    out.item()?;
                    self.write_json(&item, depth + 1, out)?;
                    at += 1;
                }
                out.close(']')?;
            }
            ArrowValue::Struct(_) | ArrowValue::Map(_) | ArrowValue::Members(_) => {
                self.write_json_members(value, depth, out)?;
            }
            ArrowValue::Bytes(_) => return Err(JsonText::unwritable(ValueKind::Other)),
            other => self.write_json_string(&self.printed(other)?, out)?,
        }
        if depth == 0 || out.len() - before > BYTES_OF_A_STEP {
            self.count_work(((out.len() - before) / BYTES_OF_A_STEP) as u64)?;
        }
        Ok(())
    }

    fn write_json_string(&self, text: &str, out: &mut JsonText) -> Result<()> {
        out.long_string(text, || self.check_interrupt())
    }

    fn write_json_members(&self, value: &ArrowValue<'a>, depth: usize, out: &mut JsonText) -> Result<()> {
        // Only a map can have a key twice.
        let mut written = matches!(value, ArrowValue::Map(_)).then(HashSet::new);
        out.open('{')?;
        for (key, member) in value.members() {
            self.count_work(1)?;
            out.item()?;
            let key = self.printed(&key)?;
            out.key(&key)?;
            if written.as_mut().is_some_and(|written| !written.insert(key)) {
                return Err(JsonText::duplicate_key());
            }
            self.write_json(&member, depth + 1, out)?;
        }
        out.close('}')
    }

    /// The text that a template prints for a value.
    pub(super) fn printed(&self, value: &ArrowValue<'a>) -> Result<String> {
        let mut sink = self.sink();
        let style = Style { html: false, lenient: false, javascript_numbers: false };
        match self.write(value, style, &mut sink)? {
            WriteOutcome::Done => Ok(sink.finish()),
            WriteOutcome::Null => Ok("null".to_owned()),
            WriteOutcome::NullItem => Err(JsonText::no_key("a list in which an item is None")),
            WriteOutcome::NoText(kind) => Err(JsonText::no_key(kind)),
        }
    }
}
