//! What a schema needs to be what it is elsewhere: the schemas, models and functions that it reaches by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::Schema;
use super::schema_set::{SchemaEntry, SchemaSet};

/// What a schema reaches, by name.
#[derive(Debug)]
pub struct Dependencies<F, M> {
    /// Schemas of the set.
    pub schemas: BTreeMap<String, Arc<Schema>>,
    /// Models.
    pub models: BTreeMap<String, M>,
    /// Functions.
    pub functions: BTreeMap<String, F>,
}

impl<F, M> Default for Dependencies<F, M> {
    fn default() -> Self {
        Self { schemas: BTreeMap::new(), models: BTreeMap::new(), functions: BTreeMap::new() }
    }
}

impl<T, F: Clone, M: Clone> SchemaSet<T, F, M> {
    /// Adds what stands under a name, and what that reaches. A name that leads nowhere is left out: whoever validates
    /// is told.
    pub fn add_dependencies(&self, name: &str, dependencies: &mut Dependencies<F, M>) {
        if dependencies.schemas.contains_key(name) || dependencies.models.contains_key(name) {
            return;
        }
        match self.get(name) {
            None => {}
            Some(SchemaEntry::Model(model)) => {
                drop(dependencies.models.insert(name.to_owned(), model.clone()))
            }
            Some(SchemaEntry::Schema(schema)) => {
                dependencies.schemas.insert(name.to_owned(), Arc::clone(schema));
                self.add_dependencies_of(schema, dependencies);
            }
        }
    }

    /// Adds what a schema reaches that stands under no name.
    pub fn add_dependencies_of(&self, schema: &Schema, dependencies: &mut Dependencies<F, M>) {
        let fields = schema.fields.iter().flat_map(|field| [&field.item_schema, &field.nested_schema]);
        for name in fields.flatten().chain(&schema.extends) {
            // A definition of the schema's own may have the name too; that one of the set comes along does no harm.
            self.add_dependencies(name, dependencies);
        }
        let rules = schema.fields.iter().flat_map(|field| &field.validators);
        for name in rules.filter_map(|rule| rule.custom_function.as_ref()) {
            if let Some(function) = self.function(name) {
                dependencies.functions.insert(name.clone(), function.clone());
            }
        }
        for definition in &schema.definitions {
            self.add_dependencies_of(definition, dependencies);
        }
    }
}
