//! Which schemas a name can refer to: the definitions of the schema that uses it, then those of the schemas around it.

use std::rc::Rc;

use super::model::Schema;

/// A schema, and the schemas that contain it as a definition. A parent of it has its own: names within a parent mean
/// what they mean where the parent is written.
#[derive(Debug, Clone)]
pub struct ScopedSchema<'s>(Rc<ScopeNode<'s>>);

#[derive(Debug)]
struct ScopeNode<'s> {
    schema: &'s Schema,
    outer: Option<ScopedSchema<'s>>,
}

impl<'s> ScopedSchema<'s> {
    /// A schema that is no definition of another.
    #[must_use]
    pub fn new(schema: &'s Schema) -> Self {
        Self(Rc::new(ScopeNode { schema, outer: None }))
    }

    /// A definition of this schema.
    #[must_use]
    pub fn inner(&self, definition: &'s Schema) -> Self {
        Self(Rc::new(ScopeNode { schema: definition, outer: Some(self.clone()) }))
    }

    /// The schema itself.
    #[must_use]
    pub fn schema(&self) -> &'s Schema {
        self.0.schema
    }

    /// The schema and those that contain it, the innermost first.
    pub fn around(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |scoped| scoped.0.outer.as_ref())
    }

    /// The definition that a name refers to here. Inner definitions come before outer ones.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<Self> {
        self.around().find_map(|around| Some(around.inner(around.schema().definitions.named(name)?)))
    }
}
