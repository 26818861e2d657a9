//! Schemas of what goes into a prompt and what comes back from a model.
//!
//! ```text
//! schema file ─ parse ─▶ model ─ set ─▶ plan ─ validate ─▶ the data, converted, or every violation
//! ```
//!
//! Validation is generic over the data that it walks ([`Values`]), as the template engine is.

pub mod amount;
pub mod coerce;
mod dates;
pub mod describe;
mod example;
pub mod formats;
mod json;
pub mod json_schema;
mod model;
pub mod output;
pub mod parse;
mod pattern;
mod plan;
mod reach;
mod remarks;
pub mod rules;
mod set;
mod shared;
mod strict;
mod values;
mod violation;

pub use example::example;
pub use json::JsonFunction;
pub use model::{Field, FieldType, Schema, Validator, ValidatorKind};
pub use plan::Plan;
pub use reach::Reach;
pub use remarks::remarks;
pub use set::{Entry, Set};
pub use shared::{ResponseSchema, Schemas, Wanted};
pub use values::{Made, Trail, Values};
pub use violation::{Violation, invalid};
