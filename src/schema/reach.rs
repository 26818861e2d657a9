//! What a schema needs to be what it is elsewhere: the schemas, models and functions that it reaches by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::model::Schema;
use super::set::{Entry, Set};

/// What a schema reaches, by name.
#[derive(Debug)]
pub struct Reach<F, M> {
    /// Schemas of the set.
    pub schemas: BTreeMap<String, Arc<Schema>>,
    /// Models.
    pub models: BTreeMap<String, M>,
    /// Functions.
    pub functions: BTreeMap<String, F>,
}

impl<F, M> Default for Reach<F, M> {
    fn default() -> Self {
        Self { schemas: BTreeMap::new(), models: BTreeMap::new(), functions: BTreeMap::new() }
    }
}

impl<T, F: Clone, M: Clone> Set<T, F, M> {
    /// Adds what stands under a name, and what that reaches. A name that leads nowhere is left out: whoever validates
    /// is told.
    pub fn reach(&self, name: &str, reach: &mut Reach<F, M>) {
        if reach.schemas.contains_key(name) || reach.models.contains_key(name) {
            return;
        }
        match self.get(name) {
            None => {}
            Some(Entry::Model(model)) => drop(reach.models.insert(name.to_owned(), model.clone())),
            Some(Entry::Schema(schema)) => {
                reach.schemas.insert(name.to_owned(), Arc::clone(schema));
                self.reach_of(schema, reach);
            }
        }
    }

    /// Adds what a schema reaches that stands under no name.
    pub fn reach_of(&self, schema: &Schema, reach: &mut Reach<F, M>) {
        let fields = schema.fields.iter().flat_map(|field| [&field.item_schema, &field.nested_schema]);
        for name in fields.flatten().chain(&schema.extends) {
            // A definition of the schema's own may have the name too; that one of the set comes along does no harm.
            self.reach(name, reach);
        }
        let rules = schema.fields.iter().flat_map(|field| &field.validators);
        for name in rules.filter_map(|rule| rule.custom_function.as_ref()) {
            if let Some(function) = self.function(name) {
                reach.functions.insert(name.clone(), function.clone());
            }
        }
        for definition in &schema.definitions {
            self.reach_of(definition, reach);
        }
    }
}
