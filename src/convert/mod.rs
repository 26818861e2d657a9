//! Rendered messages in, a provider's form out. Pure: nothing here renders, reads a file or knows Python.
//!
//! A [`Converter`] knows the provider and its options. Each provider has a file and gives a [`Form`], a tree that the
//! bindings turn into dicts; [`request`] adds what a prompt asks of the model beside its messages, and [`explain`] says
//! before any render what would stand in the way. What cannot be said to a provider is an error in strict mode.
//! Otherwise the nearest lawful thing is done, and noted in a [`Report`].

pub mod anthropic;
pub mod converter;
pub mod explain;
pub mod form;
pub mod langchain;
pub mod openai;
pub mod plain;
pub mod report;
pub mod request;
mod rules;

pub use converter::{Converter, Provider};
pub use form::{Form, Key};
pub use report::Report;
pub use request::Request;
