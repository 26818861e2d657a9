//! `invalid-schema`, for a schema that is written in a prompt and cannot be used.
//!
//! The prompt loads, because the schema may be meant for another tool; the first render or request that needs the schema
//! fails. The mistakes of schema files are errors of the load.

use super::checked_prompt::{CheckedPrompt, PromptSource};
use super::code::Code;
use super::finding::Finding;

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let place = || checked.source.map(PromptSource::id);
    let finding = |error: &crate::error::Error| {
        checked
            .finding(Code::InvalidSchema, error.message().to_owned(), place())
            .with_optional_hint(error.hint())
    };
    checked.schema_errors.iter().map(finding).collect()
}
