//! Prompts: what a file or a caller says, parsed into types that need no further check.

pub mod message;

pub use message::{Cache, Content, FunctionCall, Message, Part, PartBody, Role, ToolCall, Tree};
