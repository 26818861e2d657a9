//! The dependencies of a schema: the schemas, models and functions that it refers to by name, directly or through
//! others. A copy of the schema needs them to work elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::Schema;
use super::schema_set::{SchemaEntry, SchemaSet};

/// The dependencies of schemas, by name.
#[derive(Debug)]
pub struct Dependencies<F, M> {
    /// Schemas.
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
    /// Adds the schema or model of this name and its dependencies. Ignores a name that does not exist: validation
    /// reports it.
    pub fn add_dependencies(&self, name: &str, dependencies: &mut Dependencies<F, M>) {
        if dependencies.schemas.contains_key(name) || dependencies.models.contains_key(name) {
            return;
        }
        match self.get(name) {
            None => {}
            Some(SchemaEntry::Model(model)) => {
                drop(dependencies.models.insert(name.to_owned(), model.clone()));
            }
            Some(SchemaEntry::Schema(schema)) => {
                dependencies.schemas.insert(name.to_owned(), Arc::clone(schema));
                self.add_dependencies_of(schema, dependencies);
            }
        }
    }

    /// Adds the dependencies of a schema that is not registered itself.
    pub fn add_dependencies_of(&self, schema: &Schema, dependencies: &mut Dependencies<F, M>) {
        let fields = schema.fields.iter().flat_map(|field| [&field.item_schema, &field.nested_schema]);
        for name in fields.flatten().chain(&schema.extends) {
            // The name may be a definition of this schema instead. Adding the set's schema of that name too does no
            // harm.
            self.add_dependencies(name, dependencies);
        }
        let rules = schema.fields.iter().flat_map(|field| &field.validators);
        for name in rules.filter_map(|rule| rule.custom_function.as_ref()) {
            if let Some(function) = self.function(name) {
                dependencies.functions.insert(name.clone(), function.clone());
            }
        }
        for definition in schema.definitions.iter() {
            self.add_dependencies_of(definition, dependencies);
        }
    }
}
