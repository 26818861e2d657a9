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
        self.add_all(vec![name.to_owned()], dependencies);
    }

    /// Adds the dependencies of a schema that is not registered itself.
    pub fn add_dependencies_of(&self, schema: &Schema, dependencies: &mut Dependencies<F, M>) {
        let mut waiting = Vec::new();
        self.look_into(schema, &mut waiting, dependencies);
        self.add_all(waiting, dependencies);
    }

    // A list of names instead of recursion, so that a long chain of schemas needs no more stack than a short one.
    fn add_all(&self, mut waiting: Vec<String>, dependencies: &mut Dependencies<F, M>) {
        while let Some(name) = waiting.pop() {
            if dependencies.schemas.contains_key(&name) || dependencies.models.contains_key(&name) {
                continue;
            }
            match self.get(&name) {
                None => {}
                Some(SchemaEntry::Model(model)) => drop(dependencies.models.insert(name, model.clone())),
                Some(SchemaEntry::Schema(schema)) => {
                    self.look_into(schema, &mut waiting, dependencies);
                    dependencies.schemas.insert(name, Arc::clone(schema));
                }
            }
        }
    }

    /// Adds the functions that a schema and its definitions use, and gives the names that they refer to.
    fn look_into(&self, schema: &Schema, names: &mut Vec<String>, dependencies: &mut Dependencies<F, M>) {
        let mut waiting = vec![schema];
        while let Some(schema) = waiting.pop() {
            let fields = schema.fields.iter().flat_map(|field| [&field.item_schema, &field.nested_schema]);
            // A name may be a definition of this schema instead. Adding the set's schema of that name too does no harm.
            names.extend(fields.flatten().chain(&schema.extends).cloned());
            let rules = schema.fields.iter().flat_map(|field| &field.validators);
            for name in rules.filter_map(|rule| rule.custom_function.as_ref()) {
                if let Some(function) = self.function(name) {
                    dependencies.functions.insert(name.clone(), function.clone());
                }
            }
            waiting.extend(schema.definitions.iter());
        }
    }
}
