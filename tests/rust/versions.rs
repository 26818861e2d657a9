//! Versions of prompts: diffs, content hashes and labels.

mod diff;
mod hash;
mod labels;
