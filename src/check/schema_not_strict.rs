//! `schema-not-strict`: a provider cannot enforce the output schema.
//!
//! `build_request` then describes the schema in words, and the answer may break it. Needs `--provider`.
//!
//! Bad:
//!
//! ```yaml
//! # prompts/tags.yaml, checked with --provider openai
//! template: "Tags of {{text}}"
//! output_schema: {type: object, properties: {tags: {type: object}}}
//! ```
//!
//! Good:
//!
//! ```yaml
//! # prompts/tags.yaml, checked with --provider openai
//! template: "Tags of {{text}}"
//! output_schema:
//!   {type: object, properties: {tags: {type: array, items: {type: string}}}, required: [tags], additionalProperties: false}
//! ```

use super::checked_prompt::{CheckedPrompt, PromptSource};
use super::code::Code;
use super::finding::Finding;
use crate::schema::{Schema, SchemaRef, SchemaSet, json_schema};

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    if checked.options.providers.is_empty() {
        return Vec::new();
    }
    let schema: &Schema = match checked.output {
        Some(SchemaRef::Inline(schema)) => schema,
        Some(SchemaRef::Name(name)) => match checked.schemas.iter().find(|schema| schema.name == **name) {
            Some(schema) => schema,
            None => return Vec::new(),
        },
        None => return Vec::new(),
    };
    let mut set = SchemaSet::<Box<str>, (), ()>::default();
    if set.add(checked.schemas.to_vec()).is_err() {
        return Vec::new();
    }
    let no_models = |(): &()| Ok(serde_json::Value::Null);
    let write = |mode| json_schema::write(&set, schema, mode, &no_models);
    if write(json_schema::JsonSchemaMode::Full).is_err() {
        // A mistake of the schema itself.
        return Vec::new();
    }
    let mut findings: Vec<Finding> = Vec::new();
    for provider in &checked.options.providers {
        let Err(error) = write(provider.schema_mode()) else { continue };
        let (id, name, reason) = (&checked.prompt.id, provider.name(), error.message());
        let message = format!("{name} cannot enforce the output schema of prompt `{id}`: {reason}");
        let place = checked.source.map(PromptSource::output_schema);
        let finding = checked.finding(Code::SchemaNotStrict, message, place).with_optional_hint(error.hint());
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}
