//! A schema set that several threads use at once, with caches of compiled schemas, instructions and response schemas.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use super::anthropic_subset;
use super::compiled::CompiledSchema;
use super::example::example;
use super::gemini_subset;
use super::instructions;
use super::json_schema::{self, JsonSchemaMode};
use super::model::Schema;
use super::openai_strict;
use super::property_names::property_names;
use super::root_reference::resolve_root;
use super::schema_set::{SchemaEntry, SchemaSet};
use super::values::Values;
use crate::error::{Error, Result};
use crate::template::Text;

/// A reference to a schema, by name or with the schema itself.
#[derive(Debug, Clone)]
pub enum SchemaRef {
    /// The schema registered under this name.
    Name(Box<str>),
    /// A schema that the prompt contains.
    Inline(Arc<Schema>),
}

impl SchemaRef {
    /// The name of the schema, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Inline(schema) => &schema.name,
        }
    }
}

/// The schema of an answer for a request to a provider.
#[derive(Debug)]
pub struct ResponseSchema {
    /// The schema's name.
    pub name: String,
    /// The JSON Schema, in the strict subset if that is requested and possible.
    pub schema: Value,
    /// Why the schema is not in the strict subset although that was requested.
    pub not_strict: Option<Error>,
}

impl ResponseSchema {
    /// Whether the answer is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.schema.get("type").is_some_and(|kind| kind == "object")
    }
}

/// The compiled form of a schema that a prompt contains. It also holds the schema, so that no other schema gets the
/// address that is its key.
#[derive(Debug)]
struct CachedSchema<T, F, M> {
    _schema: Arc<Schema>,
    compiled: Arc<CompiledSchema<T, F, M>>,
}

/// A [`SchemaSet`] behind a lock. The caller's code never runs while the lock is held.
#[derive(Debug)]
pub struct SharedSchemaSet<T, F, M> {
    set: RwLock<SchemaSet<T, F, M>>,
    /// Compiled schemas of prompts, by the schema's address.
    inline: Mutex<HashMap<usize, CachedSchema<T, F, M>>>,
    instructions: Mutex<HashMap<(String, usize), Arc<str>>>,
    responses: Mutex<HashMap<(String, usize, JsonSchemaMode), Arc<ResponseSchema>>>,
    /// Counts the changes to the set, so that a result computed from an earlier state is not cached.
    changes: AtomicU64,
}

impl<T, F, M> Default for SharedSchemaSet<T, F, M> {
    fn default() -> Self {
        Self {
            set: RwLock::default(),
            inline: Mutex::default(),
            instructions: Mutex::default(),
            responses: Mutex::default(),
            changes: AtomicU64::new(0),
        }
    }
}

/// The address of an inline schema; 0 for a name.
fn address(wanted: &SchemaRef) -> usize {
    match wanted {
        SchemaRef::Name(_) => 0,
        SchemaRef::Inline(schema) => Arc::as_ptr(schema).addr(),
    }
}

impl<T, F, M> SharedSchemaSet<T, F, M> {
    /// Locks the set for reading.
    pub fn read(&self) -> RwLockReadGuard<'_, SchemaSet<T, F, M>> {
        self.set.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the set for writing and clears the caches.
    pub fn write(&self) -> RwLockWriteGuard<'_, SchemaSet<T, F, M>> {
        let set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.inline.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.clear_texts();
        set
    }

    /// Clears the caches of instructions and response schemas.
    fn clear_texts(&self) {
        self.instructions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.responses.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<T: Text, F: Clone, M: Clone> SharedSchemaSet<T, F, M> {
    /// The compiled schema; compiled at first use.
    ///
    /// # Errors
    /// As [`SchemaSet::compiled`].
    pub fn compiled(&self, wanted: &SchemaRef) -> Result<Arc<CompiledSchema<T, F, M>>> {
        /// Maximum number of cached inline schemas.
        const MAX_CACHED: usize = 4096;
        let schema = match wanted {
            SchemaRef::Name(name) => return self.read().compiled(name),
            SchemaRef::Inline(schema) => schema,
        };
        let inline = || self.inline.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = inline().get(&address(wanted)) {
            return Ok(Arc::clone(&cached.compiled));
        }
        let before = self.changes.load(Ordering::SeqCst);
        let compiled = Arc::new(self.read().compile(schema)?);
        let mut inline = inline();
        if inline.len() >= MAX_CACHED {
            inline.clear();
            // Another schema may now get the address of a dropped one.
            self.clear_texts();
        }
        if self.changes.load(Ordering::SeqCst) == before {
            inline.insert(
                address(wanted),
                CachedSchema { _schema: Arc::clone(schema), compiled: Arc::clone(&compiled) },
            );
        }
        Ok(compiled)
    }

    /// The JSON Schema of a schema.
    ///
    /// # Errors
    /// As [`json_schema::write`].
    pub fn json_schema(
        &self,
        wanted: &SchemaRef,
        mode: JsonSchemaMode,
        model_schema: json_schema::ModelSchema<'_, M>,
    ) -> Result<Value> {
        match self.find(wanted)? {
            SchemaEntry::Schema(schema) => {
                let set = self.with_model_schemas(model_schema);
                json_schema::write(&set, &schema, mode, &|document: &Value| Ok(document.clone()))
            }
            SchemaEntry::Model(model) => {
                let document = model_schema(&model)?;
                match mode {
                    JsonSchemaMode::Full => Ok(document),
                    JsonSchemaMode::Strict => openai_strict::to_strict(&document),
                    JsonSchemaMode::Anthropic => anthropic_subset::to_subset(&document),
                    JsonSchemaMode::Gemini => gemini_subset::to_subset(&document),
                }
            }
        }
    }

    /// A copy of the set with the JSON Schema of each model in the model's place. A model without one is left out.
    fn with_model_schemas(&self, model_schema: json_schema::ModelSchema<'_, M>) -> SchemaSet<T, F, Value> {
        // Models run the caller's code, so they are called after the lock is released.
        let entries: Vec<(String, SchemaEntry<M>)> = {
            let set = self.read();
            set.names().filter_map(|name| Some((name.to_owned(), set.get(name)?.clone()))).collect()
        };
        let mut copy = SchemaSet::default();
        for (name, entry) in entries {
            match entry {
                SchemaEntry::Schema(schema) => drop(copy.put(name, SchemaEntry::Schema(schema))),
                SchemaEntry::Model(model) => {
                    if let Ok(document) = model_schema(&model) {
                        copy.put(name, SchemaEntry::Model(document));
                    }
                }
            }
        }
        copy
    }

    /// The schema of an answer for a request. If the strict subset cannot express it, the result has the full JSON
    /// Schema and the reason.
    ///
    /// # Errors
    /// As [`SharedSchemaSet::json_schema`] with [`JsonSchemaMode::Full`].
    pub fn response<D>(
        &self,
        data: &D,
        wanted: &SchemaRef,
        mode: JsonSchemaMode,
    ) -> Result<Arc<ResponseSchema>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let kept = || self.responses.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (wanted.name().to_owned(), address(wanted), mode);
        if let Some(response) = kept().get(&key) {
            return Ok(Arc::clone(response));
        }
        let before = self.changes.load(Ordering::SeqCst);
        self.compiled(wanted)?;
        let write = |mode| self.json_schema(wanted, mode, &|model| data.json_schema(model));
        let mut schema = write(JsonSchemaMode::Full)?;
        let mut not_strict = None;
        if mode != JsonSchemaMode::Full {
            match write(mode) {
                Ok(strict) => schema = strict,
                Err(error) => not_strict = Some(error),
            }
        }
        if let Some(document) = schema.as_object_mut() {
            document.remove("$schema");
            // A reference to nothing is the provider's to refuse.
            let _ = resolve_root(document);
        }
        let response = Arc::new(ResponseSchema { name: wanted.name().to_owned(), schema, not_strict });
        let mut kept = kept();
        if self.changes.load(Ordering::SeqCst) == before {
            kept.insert(key, Arc::clone(&response));
        }
        Ok(response)
    }

    /// The keys of the data that the schema describes, at any depth.
    ///
    /// # Errors
    /// As [`SharedSchemaSet::json_schema`].
    pub fn property_names<D>(&self, data: &D, wanted: &SchemaRef) -> Result<HashSet<String>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let schema = self.json_schema(wanted, JsonSchemaMode::Full, &|model| data.json_schema(model))?;
        Ok(property_names(&schema))
    }

    fn find(&self, wanted: &SchemaRef) -> Result<SchemaEntry<M>> {
        match wanted {
            SchemaRef::Inline(schema) => Ok(SchemaEntry::Schema(Arc::clone(schema))),
            SchemaRef::Name(name) => {
                let set = self.read();
                set.get(name).cloned().ok_or_else(|| set.unknown(name))
            }
        }
    }

    /// An example that is valid against the schema; `None` if no valid example is found.
    ///
    /// # Errors
    /// As [`SchemaSet::compiled`].
    pub fn example<D>(&self, data: &D, wanted: &SchemaRef) -> Result<Option<Value>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let guess = match self.find(wanted)? {
            SchemaEntry::Schema(schema) => example(&*self.read(), &schema)?,
            // The JSON Schema of a model gives an example if it can be converted to a schema.
            SchemaEntry::Model(model) => {
                let read =
                    data.json_schema(&model).and_then(|document| json_schema::read(wanted.name(), &document));
                read.ok().and_then(|schema| example(&SchemaSet::<T, F, M>::default(), &schema).ok().flatten())
            }
        };
        let Some(guess) = guess else { return Ok(None) };
        let compiled = self.compiled(wanted)?;
        let fits = compiled.validate(data, &data.of_json(&guess)?, "the example", None);
        Ok(fits.is_ok().then_some(guess))
    }

    /// Copies schemas and models to a new set. Functions are not copied.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::default();
        {
            let ours = self.read();
            let mut set = copy.write();
            for name in ours.names() {
                if let Some(entry) = ours.get(name) {
                    set.put(name.to_owned(), entry.clone());
                }
            }
        }
        copy
    }

    /// The instructions that tell a model how to answer.
    ///
    /// # Errors
    /// As [`SharedSchemaSet::json_schema`].
    pub fn instructions<D>(&self, data: &D, wanted: &SchemaRef) -> Result<Arc<str>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let kept = || self.instructions.lock().unwrap_or_else(PoisonError::into_inner);
        // The address distinguishes inline schemas of the same name; the cache of compiled schemas keeps them alive.
        let key = (wanted.name().to_owned(), address(wanted));
        if let Some(text) = kept().get(&key) {
            return Ok(Arc::clone(text));
        }
        let before = self.changes.load(Ordering::SeqCst);
        self.compiled(wanted)?;
        let mut schema = self.json_schema(wanted, JsonSchemaMode::Full, &|model| data.json_schema(model))?;
        if let Some(document) = schema.as_object_mut() {
            document.remove("$schema");
        }
        let example = self.example(data, wanted)?;
        let text: Arc<str> = instructions::instructions(&schema, example.as_ref()).into();
        let mut kept = kept();
        if self.changes.load(Ordering::SeqCst) == before {
            kept.insert(key, Arc::clone(&text));
        }
        Ok(text)
    }
}
