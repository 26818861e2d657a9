//! How handlebars.js joins what a program writes: with `+`.
//!
//! A program's output is `a + b + c`, from the left, and what a tag without escaping gives is not turned into text
//! first. So numbers and truth values at the start of a program are added up until the first text, and a program that
//! writes nothing else gives its sum on to the program around it. The `handlebars` dialect does the same: [`Sums`]
//! holds back a program's numbers until text makes them text.

use super::context::{Data, Sink, Sort};
use super::number::javascript;
use crate::error::Result;

/// A number or truth value that is not text yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Raw {
    Bool(bool),
    Number(f64),
}

impl Raw {
    /// The value as handlebars.js would add it; `None` for what joins as text.
    pub(super) fn of<D: Data>(data: &D, value: &D::Value) -> Result<Option<Self>> {
        Ok(match data.sort(value) {
            Sort::Bool => data.to_json(value)?.as_bool().map(Self::Bool),
            Sort::Integer | Sort::Float => data.to_json(value)?.as_f64().map(Self::Number),
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

/// What a program has written so far.
#[derive(Debug, Clone, Copy)]
enum Written {
    Nothing,
    /// Numbers only, and this is their sum.
    Raw(Raw),
    Text,
}

/// The programs that are being rendered, the outermost first.
#[derive(Debug, Default)]
pub(super) struct Sums {
    programs: Vec<Written>,
}

impl Sums {
    /// A program begins.
    pub(super) fn begin(&mut self) {
        self.programs.push(Written::Nothing);
    }

    /// The innermost program ends; gives its sum where it wrote nothing else.
    pub(super) fn end(&mut self) -> Option<Raw> {
        match self.programs.pop() {
            Some(Written::Raw(raw)) => Some(raw),
            _ => None,
        }
    }

    /// Text follows: what was held back is written before it.
    pub(super) fn text<S: Sink>(&mut self, out: &mut S) {
        for program in &mut self.programs {
            if let Written::Raw(raw) = program {
                out.str(&raw.text());
                *program = Written::Text;
            }
        }
        if let Some(program) = self.programs.last_mut() {
            *program = Written::Text;
        }
    }

    /// A value follows in the innermost program.
    pub(super) fn raw<S: Sink>(&mut self, raw: Raw, out: &mut S) {
        match self.programs.last_mut() {
            Some(program @ Written::Nothing) => *program = Written::Raw(raw),
            Some(Written::Raw(sum)) => *sum = Raw::Number(sum.number() + raw.number()),
            Some(Written::Text) | None => {
                self.text(out);
                out.str(&raw.text());
            }
        }
    }
}
