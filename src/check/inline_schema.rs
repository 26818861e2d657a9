//! `invalid-schema`, for a schema that is written in a prompt and cannot be used.
//!
//! The prompt loads, because the schema may be meant for another tool; the first render or request that needs the schema
//! fails. The mistakes of schema files are errors of the load.

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use crate::error::{Error, Place};

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let finding = |(error, place): &(Error, Option<Place>)| {
        checked
            .finding(Code::InvalidSchema, error.message().to_owned(), place.clone())
            .with_optional_hint(error.hint())
    };
    checked.schema_errors.iter().map(finding).collect()
}
