//! The fields that the input schema of a prompt gives its variables.

use crate::error::Result;
use crate::schema::{Field, Schema, SchemaRef};

/// The fields of the input schema of a prompt.
pub(super) enum InputFields<'s> {
    /// The prompt has no input schema.
    Nothing,
    Known(KnownFields<'s>),
    /// There is a schema, and its fields are not known here: it is registered in Python, or is no object.
    Unknown,
}

/// The fields of an input schema and its parents.
pub(super) struct KnownFields<'s> {
    /// The name of the schema.
    pub(super) schema: &'s str,
    /// Whether the schema refuses other names.
    pub(super) is_closed: bool,
    /// The fields, those of the schema itself first.
    pub(super) fields: Vec<&'s Field>,
}

impl<'s> KnownFields<'s> {
    /// The field of this name.
    pub(super) fn get(&self, name: &str) -> Option<&'s Field> {
        self.fields.iter().copied().find(|field| field.name == name)
    }
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
        let Some(first) = schema else { return Self::Unknown };
        let mut known = KnownFields {
            schema: &first.name,
            is_closed: first.strict && !first.allow_extra,
            fields: Vec::new(),
        };
        let mut next = schema;
        // Schemas that extend each other in a circle are an error of their own.
        for _ in 0..=schemas.len() {
            let Some(schema) = next else { return Self::Unknown };
            known.fields.extend(&schema.fields);
            let Some(parent) = &schema.extends else { return Self::Known(known) };
            next = schemas.iter().find(|schema| schema.name == *parent);
        }
        Self::Unknown
    }

    /// Whether the schema has a field of this name, or may have one.
    pub(super) fn may_have(&self, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Known(known) => known.get(name).is_some(),
            Self::Unknown => true,
        }
    }

    /// The names that are known.
    pub(super) fn names(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        let fields = match self {
            Self::Known(known) => known.fields.clone(),
            Self::Nothing | Self::Unknown => Vec::new(),
        };
        fields.into_iter().map(|field| field.name.as_str())
    }
}
