//! Reading prompt files, and keeping prompts in memory.

pub mod directory;
mod registry;
pub mod yaml;

pub use registry::{Registry, Which};
