//! Prompts, parsed from files or from a caller into types that need no further check.

mod bump;
mod chat;
mod check_unknown;
mod compiled;
mod compiler;
pub(crate) mod hash;
mod history;
mod id;
mod key_hints;
mod keys;
mod label;
mod library;
pub mod message;
mod metadata;
mod model;
mod pipeline;
pub(crate) mod read;
mod read_cache;
mod read_message;
mod read_settings;
mod read_template;
mod read_tools;
mod read_variables;
mod render_inputs;
mod settings;
pub(crate) mod spelling;
mod split;
mod template_location;
mod tool;
mod tree;
mod unknown_variables;
mod variable;
mod version;
mod write;

pub use bump::Bump;
pub use chat::Chat;
pub use compiled::{Compiled, VariableInfo};
pub use compiler::TemplateError;
pub use history::{Carried, CarriedFormat};
pub(crate) use history::{is_part_content, snake_case};
pub use id::PromptId;
pub use key_hints::unknown_key;
pub use label::check_label;
pub use message::{
    CacheHint, Content, FilePart, FunctionCall, Message, OpenAiCache, Part, PartBody, PortableCache, Role,
    SearchResultPart, ToolCall,
};
pub use metadata::Metadata;
pub use model::{ChatEntry, ChatTemplate, Format, Partials, Prompt, SchemaSource, Status, TextTemplate};
pub use pipeline::{RenderOptions, RenderOptionsOf, Rendered};
pub use read::AboutFile;
pub use render_inputs::{RenderInputs, engine_partials, readable_variables};
pub use settings::{Effort, Settings, Verbosity};
pub use split::{Need, OwnMessages, PromptEntry};
pub use template_location::TemplateLocation;
pub(crate) use tool::no_parameters;
pub use tool::{FunctionTool, ProviderTool, Tool, ToolChoice};
pub use tree::Tree;
pub use unknown_variables::UnknownVariables;
pub use variable::{Variable, Variables, check_name};
pub use version::Version;
