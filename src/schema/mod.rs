//! Schemas of what goes into a prompt and what comes back from a model.

mod model;
pub mod parse;

pub use model::{Field, FieldType, Schema, Validator, ValidatorKind};
