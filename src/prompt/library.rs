//! What the templates of a prompt use by name: its own partials and declared variables before what the engine has.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::schema::FieldType;
use crate::schema::rules::AllowedValues;
use crate::template::{KeptLibrary, LayeredLibrary, Library, Template, Text};

/// A variable whose value every render checks.
#[derive(Debug)]
pub(super) struct Declared<T> {
    pub(super) name: T,
    pub(super) field_type: FieldType,
    /// The values of an enum.
    pub(super) allowed: Option<Box<AllowedValues>>,
    pub(super) required: bool,
    pub(super) default: Option<Value>,
}

/// The library of one prompt, for one render.
pub(super) struct PromptLibrary<'c, T> {
    pub(super) partials: &'c Arc<BTreeMap<Box<str>, Template<T>>>,
    pub(super) declared: &'c Arc<[Declared<T>]>,
    pub(super) engine: &'c dyn Library<T>,
}

/// A [`PromptLibrary`] that owns its parts, for a helper that keeps its block.
struct OwnedPromptLibrary<T> {
    partials: Arc<BTreeMap<Box<str>, Template<T>>>,
    declared: Arc<[Declared<T>]>,
    engine: KeptLibrary<T>,
}

impl<T> OwnedPromptLibrary<T> {
    fn borrowed(&self) -> PromptLibrary<'_, T> {
        PromptLibrary { partials: &self.partials, declared: &self.declared, engine: &*self.engine }
    }
}

impl<T: Text> Library<T> for PromptLibrary<'_, T> {
    fn partial(&self, name: &str) -> Option<Template<T>> {
        LayeredLibrary(&**self.partials, self.engine).partial(name)
    }

    fn names(&self) -> Vec<String> {
        LayeredLibrary(&**self.partials, self.engine).names()
    }

    fn has_helper(&self, name: &str) -> bool {
        self.engine.has_helper(name)
    }

    fn is_declared(&self, name: &str) -> bool {
        self.declared.iter().any(|declared| declared.name.as_str() == name)
    }

    fn helpers(&self) -> Vec<String> {
        self.engine.helpers()
    }

    fn kept(&self) -> KeptLibrary<T> {
        Box::new(OwnedPromptLibrary {
            partials: Arc::clone(self.partials),
            declared: Arc::clone(self.declared),
            engine: self.engine.kept(),
        })
    }
}

impl<T: Text> Library<T> for OwnedPromptLibrary<T> {
    fn partial(&self, name: &str) -> Option<Template<T>> {
        self.borrowed().partial(name)
    }

    fn names(&self) -> Vec<String> {
        self.borrowed().names()
    }

    fn has_helper(&self, name: &str) -> bool {
        self.borrowed().has_helper(name)
    }

    fn is_declared(&self, name: &str) -> bool {
        self.borrowed().is_declared(name)
    }

    fn helpers(&self) -> Vec<String> {
        self.borrowed().helpers()
    }

    fn kept(&self) -> KeptLibrary<T> {
        self.borrowed().kept()
    }
}
