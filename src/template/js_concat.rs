//! Adds numbers as handlebars.js does, which joins the parts of its output with `+`.
//!
//! In JavaScript the output of a program is `a + b + c`, evaluated from the left, and a tag without escaping adds its
//! value as it is, not as text. Numbers and booleans at the start of a program are therefore added up until the first
//! text. A program without text passes its sum on to the program around it. The `handlebars` dialect does the same:
//! [`JsConcat`] holds back the numbers of a program until text follows.

use super::context::{Data, Sink, ValueKind};
use super::number::javascript;
use crate::error::Result;

/// A number or boolean that has not become text yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Summand {
    Bool(bool),
    Number(f64),
}

impl Summand {
    /// The value as handlebars.js adds it. `None` for a value that joins as text.
    pub(super) fn of<D: Data>(data: &D, value: &D::Value) -> Result<Option<Self>> {
        Ok(match data.kind_of(value)? {
            ValueKind::Bool => data.to_json(value)?.as_bool().map(Self::Bool),
            ValueKind::Integer | ValueKind::Float => data.to_json(value)?.as_f64().map(Self::Number),
            _ => None,
        })
    }

    fn number(self) -> f64 {
        match self {
            Self::Bool(value) => f64::from(u8::from(value)),
            Self::Number(value) => value,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => javascript(value),
        }
    }
}

/// The output of a program so far.
#[derive(Debug, Clone, Copy)]
enum ProgramOutput {
    Nothing,
    /// Only numbers; this is their sum.
    Raw(Summand),
    Text,
}

/// The programs that are being rendered, outermost first.
#[derive(Debug, Default)]
pub(super) struct JsConcat {
    programs: Vec<ProgramOutput>,
}

impl JsConcat {
    /// Starts a program.
    pub(super) fn begin(&mut self) {
        self.programs.push(ProgramOutput::Nothing);
    }

    /// Ends the innermost program. Returns its sum if it wrote nothing else.
    pub(super) fn end(&mut self) -> Option<Summand> {
        match self.programs.pop() {
            Some(ProgramOutput::Raw(raw)) => Some(raw),
            _ => None,
        }
    }

    /// Prepares for text: writes the sums that were held back.
    pub(super) fn text<S: Sink>(&mut self, out: &mut S) {
        for program in &mut self.programs {
            if let ProgramOutput::Raw(raw) = program {
                out.str(&raw.text());
                *program = ProgramOutput::Text;
            }
        }
        if let Some(program) = self.programs.last_mut() {
            *program = ProgramOutput::Text;
        }
    }

    /// Adds a number to the innermost program, or writes it if text came before.
    pub(super) fn raw<S: Sink>(&mut self, raw: Summand, out: &mut S) {
        match self.programs.last_mut() {
            Some(program @ ProgramOutput::Nothing) => *program = ProgramOutput::Raw(raw),
            Some(ProgramOutput::Raw(sum)) => *sum = Summand::Number(sum.number() + raw.number()),
            Some(ProgramOutput::Text) | None => {
                self.text(out);
                out.str(&raw.text());
            }
        }
    }
}
