//! The core of prompt-manager: Handlebars templates, prompts read from files, and their conversion to the
//! forms that language-model providers accept.
//!
//! Everything outside [`mod@python`] is plain Rust and builds without Python (`--no-default-features`). The
//! template engine is generic over the data that it reads ([`template::Data`]), so the bindings let it walk
//! Python objects in place while the tests here let it walk [`serde_json::Value`].
//!
//! | module | subject |
//! |---|---|
//! | [`error`] | the one error type |
//! | [`limits`] | every budget, with its default |
//! | [`template`] | the Handlebars engine |
//! | [`prompt`] | prompts: identity, version, messages, variables, the render pipeline |
//! | [`schema`] | schemas of inputs and outputs |
//! | [`convert`] | rendered messages in, a provider's form out |
//! | [`store`] | reading prompt files, keeping prompts in memory and in files |
#![forbid(unsafe_code)]

pub mod convert;
mod de;
pub mod error;
pub mod limits;
pub mod prompt;
#[cfg(feature = "python")]
pub mod python;
pub mod schema;
pub mod store;
pub mod template;

pub use error::{Error, Kind, Result};
