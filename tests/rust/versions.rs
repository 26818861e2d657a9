//! What changes between versions of a prompt, and what is kept of it.

mod diff;
mod hash;
mod labels;
