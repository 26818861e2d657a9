//! Reading prompt files, and keeping prompts in memory.

pub mod yaml;
