//! The core of prompt-manager. It renders Handlebars templates, reads prompts from files, and converts rendered
//! prompts to the request formats of language-model providers.
//!
//! Everything outside [`mod@python`] is plain Rust and builds without Python (`--no-default-features`). The
//! template engine is generic over the data that it reads ([`template::Data`]): the bindings read Python objects in
//! place, and the Rust tests read [`serde_json::Value`].
//!
//! | module | subject |
//! |---|---|
//! | [`error`] | the one error type |
//! | [`limits`] | every limit, with its default |
//! | [`template`] | the Handlebars engine |
//! | [`prompt`] | prompts: identity, version, messages, variables, the render pipeline |
//! | [`schema`] | schemas of inputs and outputs |
//! | [`convert`] | conversion of rendered messages to a provider's format |
//! | [`bulk`] | rendering Arrow tables |
//! | [`check`] | rules about prompts, which loads and the command line run |
//! | [`observe`] | metrics of renders, and `tracing` events |
//! | [`store`] | reading prompt files, storing prompts in memory and in files |
#![deny(unsafe_code)]

mod base64;
pub mod bulk;
pub mod check;
mod circles;
pub mod convert;
mod de;
pub mod error;
mod hash;
mod length_prefixed;
pub mod limits;
pub mod observe;
pub mod prompt;
#[cfg(feature = "python")]
pub mod python;
pub mod schema;
mod stack_room;
pub mod store;
pub mod template;

pub use error::{Error, Kind, Result};
