//! The names that the input schema of a prompt gives its variables.

use crate::error::Result;
use crate::schema::{Schema, SchemaRef};

/// The fields of the input schema of a prompt.
pub(super) enum InputFields<'s> {
    /// The prompt has no input schema.
    Nothing,
    Known(Vec<&'s str>),
    /// There is a schema, and its fields are not known here: it is registered in Python, or is no object.
    Unknown,
}

impl<'s> InputFields<'s> {
    /// The fields of a schema, where `schemas` are those that are known by name.
    pub(super) fn of(input: &Result<Option<&'s SchemaRef>>, schemas: &'s [Schema]) -> Self {
        let schema = match input {
            Ok(None) => return Self::Nothing,
            Ok(Some(SchemaRef::Inline(schema))) => Some(&**schema),
            Ok(Some(SchemaRef::Name(name))) => schemas.iter().find(|schema| schema.name == **name),
            Err(_) => None,
        };
        let mut fields = Vec::new();
        let mut next = schema;
        // Schemas that extend each other in a circle are an error of their own.
        for _ in 0..=schemas.len() {
            let Some(schema) = next else { return Self::Unknown };
            fields.extend(schema.fields.iter().map(|field| field.name.as_str()));
            let Some(parent) = &schema.extends else { return Self::Known(fields) };
            next = schemas.iter().find(|schema| schema.name == *parent);
        }
        Self::Unknown
    }

    /// Whether the schema has a field of this name, or may have one.
    pub(super) fn may_have(&self, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Known(fields) => fields.contains(&name),
            Self::Unknown => true,
        }
    }
}
