//! `schema-mismatch`: the input schema refuses what the prompt takes.
//!
//! The values of a render must fit both the declared variables and the input schema. Where the two contradict each other,
//! every render fails, or every one that leaves a variable out.
//!
//! Bad:
//!
//! ```yaml
//! # prompts/schemas/person.yaml
//! schemas:
//!   - {name: person, fields: [{name: name, type: string}, {name: age, type: integer}]}
//! ```
//!
//! ```yaml
//! # prompts/greeting.yaml
//! template: "{{name}} from {{city}} is {{age}}"
//! variables: {name: string, age: string, city: string}
//! input_schema: person
//! ```
//!
//! Good:
//!
//! ```yaml
//! # prompts/schemas/person.yaml
//! schemas:
//!   - {name: person, fields: [{name: name, type: string}, {name: age, type: integer}, {name: city, type: string}]}
//! ```
//!
//! ```yaml
//! # prompts/greeting.yaml
//! template: "{{name}} from {{city}} is {{age}}"
//! variables: {name: string, age: integer, city: string}
//! input_schema: person
//! ```
//!
//! Found are variables and placeholders that a strict schema does not have, variables whose type is another than that of
//! the field, and variables that may be left out although the field is required.

use super::checked_prompt::CheckedPrompt;
use super::code::Code;
use super::finding::Finding;
use super::input_fields::{InputFields, KnownFields};
use crate::error::{Place, nearest};
use crate::prompt::{ChatEntry, Variable};
use crate::schema::{Field, FieldType};

pub(super) fn find(checked: &CheckedPrompt<'_>) -> Vec<Finding> {
    let InputFields::Known(known) = &checked.input else { return Vec::new() };
    let mut findings = Vec::new();
    let mut add = |place: Option<Place>, (problem, hint): (String, String)| {
        let message = format!("{problem} (prompt `{}`)", checked.prompt.id);
        findings.push(checked.finding(Code::SchemaMismatch, message, place).with_hint(hint));
    };
    match checked.prompt.declared() {
        Some(declared) => {
            for (index, variable) in declared.items.iter().enumerate() {
                let problem = match known.get(&variable.name) {
                    Some(field) => disagreement(variable, field, known, declared.short),
                    None => refusal(&variable.name, known),
                };
                let place = || {
                    let source = checked.source?;
                    Some(source.variable(index).unwrap_or_else(|| source.id()))
                };
                if let Some(problem) = problem {
                    add(place(), problem);
                }
            }
        }
        None => {
            for (name, reference) in &checked.references.variables {
                let is_unknown = known.get(name).is_none();
                if let Some(problem) = is_unknown.then(|| refusal(name, known)).flatten() {
                    add(checked.place_of(reference), problem);
                }
            }
        }
    }
    let entries = checked.prompt.chat_template.iter().flat_map(|chat| &chat.messages);
    for entry in entries {
        if let ChatEntry::Placeholder { name, .. } = entry
            && known.get(name).is_none()
            && checked.prompt.declared().is_none_or(|declared| declared.get(name).is_none())
            && let Some(problem) = refusal(name, known)
        {
            add(checked.source.map(super::checked_prompt::PromptSource::id), problem);
        }
    }
    findings
}

/// A name that the schema does not have.
fn refusal(name: &str, known: &KnownFields<'_>) -> Option<(String, String)> {
    let schema = known.schema;
    known.is_closed.then(|| {
        let hint = match nearest(name, known.fields.iter().map(|field| field.name.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add the field to the schema, or write `allow_extra: true` in schema `{schema}`"),
        };
        (format!("input schema `{schema}` has no field `{name}`, and refuses a value for it"), hint)
    })
}

/// A variable that no value fits, or that may be left out only in one of the two.
fn disagreement(
    variable: &Variable,
    field: &Field,
    known: &KnownFields<'_>,
    is_short: bool,
) -> Option<(String, String)> {
    let (name, schema) = (&variable.name, known.schema);
    let (kind, wanted) = (variable.field_type, field.field_type);
    if let (Some(one), Some(other)) = (TypeGroup::of(kind), TypeGroup::of(wanted))
        && one != other
    {
        return Some((
            format!("variable `{name}` is of type {kind}, but in input schema `{schema}` of type {wanted}"),
            "use the same type in both".to_owned(),
        ));
    }
    let may_be_missing = !is_short && !variable.is_required() && variable.default.is_none();
    (may_be_missing && field.required && field.default.is_none()).then(|| {
        (
            format!("variable `{name}` may be left out, but input schema `{schema}` requires it"),
            "give both a default, or make both required or both optional".to_owned(),
        )
    })
}

/// Types with values in common.
#[derive(PartialEq)]
enum TypeGroup {
    Text,
    Number,
    Boolean,
    List,
    Dict,
}

impl TypeGroup {
    fn of(kind: FieldType) -> Option<Self> {
        Some(match kind {
            FieldType::String | FieldType::Date | FieldType::DateTime | FieldType::Uuid => Self::Text,
            FieldType::Integer | FieldType::Float => Self::Number,
            FieldType::Boolean => Self::Boolean,
            FieldType::List => Self::List,
            FieldType::Dict => Self::Dict,
            FieldType::Enum | FieldType::Any => return None,
        })
    }
}
