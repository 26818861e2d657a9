//! Rendered messages in, a provider's form out. Pure: nothing here renders, reads a file or knows Python.
//!
//! Each provider has a file and gives a [`Form`], a tree that the bindings turn into dicts. What cannot be said to a
//! provider is an error in strict mode. Otherwise the nearest lawful thing is done, and noted in a [`Report`].

pub mod anthropic;
pub mod form;
pub mod openai;
pub mod plain;
pub mod report;
mod rules;

pub use form::{Form, Key};
pub use report::Report;
