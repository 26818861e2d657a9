//! Reading prompt files, keeping prompts in memory and in files.

pub mod atomic;
pub mod directory;
mod failure;
pub mod lock;
mod registry;
pub mod watch;
pub mod yaml;

pub use registry::{Registry, Which};
