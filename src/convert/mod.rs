//! Converts rendered messages to the format of a provider. Nothing here renders, reads a file or knows Python.
//!
//! A [`ProviderConverter`] holds the provider and its options. Each provider has a module that returns a [`Payload`], a
//! tree that the bindings turn into dicts. [`request`] adds the model, tools and settings of a prompt; [`explain`]
//! finds the problems of a conversion before anything is rendered.
//!
//! What a provider does not accept is an error in strict mode. Otherwise the conversion sends the nearest thing that
//! the provider accepts, and notes that in a [`Report`].

pub mod anthropic;
mod api;
pub mod bedrock;
mod cache_hints;
mod cache_order;
pub mod call_arguments;
mod carried;
pub mod conversion_error;
pub mod converter;
pub mod explain;
mod forced_choice;
pub mod gemini;
pub mod given_arguments;
pub(crate) mod image_address;
pub mod langchain;
pub(crate) mod media_type;
pub mod message_dicts;
pub mod openai;
pub mod payload;
mod portable_settings;
pub mod report;
pub mod request;
mod request_extra;
mod request_tools;
mod rules;
mod sent_calls;
#[cfg(feature = "python")]
pub(crate) mod unpaired;

pub use converter::{Provider, ProviderConverter};
pub use explain::RefusalReason;
pub use given_arguments::{
    CONFIG, DECIDING, GivenArguments, excluded_by, is_merged, is_merged_in_config, is_one_of,
};
pub use payload::{Key, Payload};
pub use report::Report;
pub use request::RequestOptions;
#[cfg(feature = "python")]
pub(crate) use {bedrock::arguments::CACHE_POINT, rules::CACHE_CONTROL};
