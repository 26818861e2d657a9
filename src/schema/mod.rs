//! Schemas of the data that goes into a prompt and of the answers that come back from a model.
//!
//! ```text
//! schema file ─ parse ─▶ Schema ─ SchemaSet ─▶ CompiledSchema ─ validate ─▶ the converted data, or every violation
//! ```
//!
//! Validation is generic over the data that it reads ([`Values`]), as the template engine is.

mod anthropic_subset;
pub mod coerce;
mod compiled;
mod dates;
mod dependencies;
mod described_references;
mod example;
pub mod formats;
mod free_names;
mod gemini_subset;
pub mod instructions;
mod intersection;
mod json;
pub mod json_schema;
mod keys;
mod lints;
mod model;
pub mod numeric;
mod openai_strict;
pub mod output;
pub mod parse;
mod pattern;
mod property_names;
mod reference_circle;
mod root_reference;
pub mod rules;
mod schema_set;
mod scope;
mod shared_schema_set;
mod strict_parameters;
mod values;
mod violation;
mod words;

pub use compiled::CompiledSchema;
pub use dependencies::Dependencies;
pub use example::example;
pub use json::JsonFunction;
pub use keys::unknown_key;
pub use lints::lints;
pub use model::{Definitions, Field, FieldType, Schema, Validator, ValidatorKind};
pub use schema_set::{SchemaEntry, SchemaSet};
pub use scope::ScopedSchema;
pub use shared_schema_set::{ResponseSchema, SchemaRef, SharedSchemaSet};
pub use strict_parameters::strict_parameters;
pub use values::{NewValue, Trail, Values};
pub use violation::{Violation, invalid};
