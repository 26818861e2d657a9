//! The Handlebars engine.

pub mod context;

pub use context::{Data, Item, Output, Sink, Sort, Style, Text};
