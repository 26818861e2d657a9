//! The errors for a list that is too large or too deep to be printed by one tag.

use crate::error::{Error, Kind};
use crate::limits::{PRINT_DEPTH, PRINT_ITEMS};

/// The error for lists that nest deeper than [`PRINT_DEPTH`].
#[must_use]
pub fn too_deep_to_print() -> Error {
    Error::new(
        Kind::TemplateRender,
        format!("lists are nested more than {PRINT_DEPTH} levels deep, or one contains itself"),
    )
}

/// The error for a list of more than [`PRINT_ITEMS`] items.
#[must_use]
pub fn too_many_to_print() -> Error {
    Error::new(Kind::TemplateRender, format!("cannot print a list of more than {PRINT_ITEMS} items"))
        .with_hint("loop over it with `{{#each}}`")
}
