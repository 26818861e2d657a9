//! Reads schema files.
