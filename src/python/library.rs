//! The state of a template engine: its options and the registered helpers and partials.
//!
//! Templates, prompts and registries hold a reference to the [`EngineState`] of their engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use pyo3::prelude::*;
use pyo3::types::{PyList, PyType};

use super::data::TypeInfo;
use super::text::PyText;
use crate::template::{KeptLibrary, Library, Template, TemplateCache, TemplateOptions};

/// A Python function that templates can call.
pub struct HelperFunction {
    pub(super) function: Py<PyAny>,
    /// Whether its first argument is a [`HelperOptions`](super::data::HelperOptions).
    pub(super) pass_options: bool,
}

impl HelperFunction {
    pub(super) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self { function: self.function.clone_ref(py), pass_options: self.pass_options }
    }
}

/// Partials by name.
pub(super) type PartialMap = BTreeMap<Box<str>, Template<PyText>>;

/// The classes whose fields the caller opened. There are few, so a list is fast.
type RegisteredTypes = Vec<(Py<PyType>, Arc<TypeInfo>)>;

/// A registered class and a list of the names of its fields.
pub(super) type RegisteredFields = (Py<PyType>, Py<PyList>);

/// The state that an engine shares with everything that it compiled.
pub(super) struct EngineState {
    pub(super) options: TemplateOptions,
    pub(super) partials: RwLock<PartialMap>,
    /// The partials of the directories that were loaded. A registered one of the same name takes precedence.
    loaded: RwLock<BTreeMap<PathBuf, PartialMap>>,
    pub(super) helpers: RwLock<BTreeMap<Box<str>, HelperFunction>>,
    types: RwLock<RegisteredTypes>,
    /// Whether `types` is not empty.
    has_types: AtomicBool,
    /// The templates that were rendered most recently, by their source.
    pub(super) cache: Mutex<TemplateCache<PyText>>,
    /// The number of registrations of helpers and partials so far.
    pub(super) registrations: AtomicU64,
}

impl EngineState {
    /// Makes the state of an engine with these options and without helpers or partials.
    pub(super) fn with_options(options: TemplateOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            partials: RwLock::default(),
            loaded: RwLock::default(),
            helpers: RwLock::default(),
            types: RwLock::default(),
            has_types: AtomicBool::new(false),
            cache: Mutex::default(),
            registrations: AtomicU64::new(0),
        })
    }

    /// Returns the number of registrations so far. While it is unchanged, compiled templates are up to date.
    pub(super) fn registrations(&self) -> u64 {
        self.registrations.load(Ordering::Acquire)
    }

    /// Replaces the partials that came from a directory, and returns whether there are others now. With `keeps`, those
    /// that are not found stay, because their files may have an error.
    pub(super) fn put_loaded(&self, directory: &Path, partials: PartialMap, keeps: bool) -> bool {
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        let mut new =
            if keeps { loaded.get(directory).cloned().unwrap_or_default() } else { PartialMap::new() };
        new.extend(partials);
        let old = loaded.get(directory);
        let is_same = old.map_or(0, BTreeMap::len) == new.len()
            && old.into_iter().flatten().zip(&new).all(|((name, partial), (new_name, new_partial))| {
                name == new_name && partial.source() == new_partial.source()
            });
        if !is_same {
            loaded.insert(directory.to_owned(), new);
            self.registrations.fetch_add(1, Ordering::AcqRel);
        }
        !is_same
    }

    /// Returns the partials by name, those of loaded directories too.
    pub(super) fn all_partials(&self) -> PartialMap {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let registered = self.partials.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = PartialMap::new();
        for partials in loaded.values().chain([&*registered]) {
            all.extend(partials.iter().map(|(name, partial)| (name.clone(), partial.clone())));
        }
        all
    }

    /// Returns the names and sources of the partials that `other` lacks.
    pub(super) fn partials_beside(&self, other: &Self) -> Vec<(String, String)> {
        let known = other.all_partials();
        let lacking = self.all_partials().into_iter().filter(|(name, _)| !known.contains_key(name));
        lacking.map(|(name, partial)| (name.to_string(), partial.source().to_owned())).collect()
    }

    /// Opens fields of a class. A later registration of the same class replaces the earlier one.
    pub(super) fn register_type(&self, py: Python<'_>, class: &Bound<'_, PyType>, info: Arc<TypeInfo>) {
        let replaced = {
            let mut types = self.types.write().unwrap_or_else(PoisonError::into_inner);
            self.has_types.store(true, Ordering::Release);
            if let Some((_, known)) = types.iter_mut().find(|(known, _)| known.bind(py).is(class)) {
                Some(std::mem::replace(known, info))
            } else {
                types.push((class.clone().unbind(), info));
                None
            }
        };
        // Dropped outside the lock, because dropping a Python object may run code.
        drop(replaced);
    }

    /// Returns what is registered for a class, or else for the nearest of its base classes.
    pub(super) fn registered_type(&self, class: &Bound<'_, PyType>) -> Option<Arc<TypeInfo>> {
        if !self.has_types.load(Ordering::Acquire) {
            return None;
        }
        let py = class.py();
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        class.mro().iter().find_map(|base| {
            let found = types.iter().find(|(known, _)| known.bind(py).is(&base));
            found.map(|(_, info)| Arc::clone(info))
        })
    }

    /// Returns the registered classes with the names of their fields.
    pub(super) fn registered_types(&self, py: Python<'_>) -> Vec<RegisteredFields> {
        let types = self.types.read().unwrap_or_else(PoisonError::into_inner);
        types.iter().map(|(class, info)| (class.clone_ref(py), info.field_names(py).unbind())).collect()
    }

    /// Returns the registered helper with this name.
    pub(super) fn helper(&self, py: Python<'_>, name: &str) -> Option<HelperFunction> {
        let helpers = self.helpers.read().unwrap_or_else(PoisonError::into_inner);
        helpers.get(name).map(|helper| helper.clone_ref(py))
    }
}

/// Compiles a template. A name in it means a helper if a helper of that name is registered now.
pub(super) fn parse(engine: &Arc<EngineState>, name: &str, source: &str) -> crate::Result<Template<PyText>> {
    Template::parse_with(name, source, &engine.options, engine)
}

impl Library<PyText> for Arc<EngineState> {
    fn has_helper(&self, name: &str) -> bool {
        self.helpers.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    fn sees_context(&self, name: &str) -> bool {
        let helpers = self.helpers.read().unwrap_or_else(PoisonError::into_inner);
        helpers.get(name).is_some_and(|helper| helper.pass_options)
    }

    fn helpers(&self) -> Vec<String> {
        let helpers = self.helpers.read().unwrap_or_else(PoisonError::into_inner);
        helpers.keys().map(ToString::to_string).collect()
    }

    fn kept(&self) -> KeptLibrary<PyText> {
        Box::new(Self::clone(self))
    }

    fn partial(&self, name: &str) -> Option<Template<PyText>> {
        let registered = self.partials.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        registered.or_else(|| {
            let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
            loaded.values().rev().find_map(|partials| partials.get(name).cloned())
        })
    }

    fn names(&self) -> Vec<String> {
        self.all_partials().names()
    }
}
