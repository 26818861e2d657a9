//! Prompts: what a file or a caller says, parsed into types that need no further check.

mod bump;
mod chat;
mod compiled;
mod foreign;
mod hash;
mod id;
mod label;
mod leaf;
pub mod message;
mod metadata;
mod model;
mod pipeline;
pub(crate) mod read;
mod read_message;
mod settings;
mod tool;
mod variable;
mod version;
mod write;

pub use bump::Bump;
pub use chat::Chat;
pub use compiled::{Compiled, Fault, VariableInfo};
pub use id::PromptId;
pub use label::check_label;
pub use leaf::LeafId;
pub use message::{Cache, Content, FunctionCall, Message, Part, PartBody, Role, ToolCall, Tree};
pub use metadata::Metadata;
pub use model::{ChatEntry, ChatTemplate, Format, Partials, Prompt, SchemaRef, Status, TextTemplate};
pub use pipeline::{Checks, ChecksOf, Rendered};
pub use read::AboutFile;
pub use settings::Settings;
pub(crate) use tool::no_parameters;
pub use tool::{Tool, ToolChoice};
pub use variable::{Variable, Variables, check_name};
pub use version::Version;
