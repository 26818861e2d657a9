//! Schemas that several threads use at once, and what of them is kept: plans, instructions, schemas of answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use super::compiled::CompiledSchema;
use super::example::example;
use super::instructions;
use super::json_schema::{self, JsonSchemaMode};
use super::model::Schema;
use super::openai_strict;
use super::schema_set::{SchemaEntry, SchemaSet};
use super::values::Values;
use crate::error::{Error, Result};
use crate::template::Text;

/// A schema that a prompt wants: by its name, or its own.
#[derive(Debug, Clone)]
pub enum SchemaRef {
    /// One that is registered under this name.
    Name(Box<str>),
    /// One that stands in the prompt.
    Inline(Arc<Schema>),
}

impl SchemaRef {
    /// The schema's name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Inline(schema) => &schema.name,
        }
    }
}

/// The schema of an answer as a request names it.
#[derive(Debug)]
pub struct ResponseSchema {
    /// The schema's name.
    pub name: String,
    /// The JSON Schema, in the strict subset where that is wanted and can say it.
    pub schema: Value,
    /// Why it is not in the strict subset although that is wanted.
    pub not_strict: Option<Error>,
}

/// What is kept for a prompt's own schema. The schema is kept too, so that its address stays its own.
#[derive(Debug)]
struct CachedSchema<T, F, M> {
    _schema: Arc<Schema>,
    compiled: Arc<CompiledSchema<T, F, M>>,
}

/// A [`SchemaSet`] behind a lock. No code of the caller's runs while the lock is held.
#[derive(Debug)]
pub struct SchemaRegistry<T, F, M> {
    set: RwLock<SchemaSet<T, F, M>>,
    own: Mutex<HashMap<usize, CachedSchema<T, F, M>>>,
    instructions: Mutex<HashMap<(String, usize), Arc<str>>>,
    responses: Mutex<HashMap<(String, usize, JsonSchemaMode), Arc<ResponseSchema>>>,
    /// How often the set was changed, so that nothing is kept that was made of an earlier one.
    changes: AtomicU64,
}

impl<T, F, M> Default for SchemaRegistry<T, F, M> {
    fn default() -> Self {
        Self {
            set: RwLock::default(),
            own: Mutex::default(),
            instructions: Mutex::default(),
            responses: Mutex::default(),
            changes: AtomicU64::new(0),
        }
    }
}

fn address(wanted: &SchemaRef) -> usize {
    match wanted {
        SchemaRef::Name(_) => 0,
        SchemaRef::Inline(schema) => Arc::as_ptr(schema).addr(),
    }
}

impl<T, F, M> SchemaRegistry<T, F, M> {
    /// The schemas, for looking.
    pub fn read(&self) -> RwLockReadGuard<'_, SchemaSet<T, F, M>> {
        self.set.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schemas, for changing; what was made of them is forgotten.
    pub fn write(&self) -> RwLockWriteGuard<'_, SchemaSet<T, F, M>> {
        let set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.own.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.forget();
        set
    }

    /// Forgets what is kept by the address of a prompt's own schema.
    fn forget(&self) {
        self.instructions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.responses.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<T: Text, F: Clone, M: Clone> SchemaRegistry<T, F, M> {
    /// The compiled of a schema.
    ///
    /// # Errors
    /// As [`SchemaSet::compiled`].
    pub fn compiled(&self, wanted: &SchemaRef) -> Result<Arc<CompiledSchema<T, F, M>>> {
        /// Prompts' own schemas that are kept ready at once.
        const KEPT: usize = 4096;
        let schema = match wanted {
            SchemaRef::Name(name) => return self.read().compiled(name),
            SchemaRef::Inline(schema) => schema,
        };
        let own = || self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = own().get(&address(wanted)) {
            return Ok(Arc::clone(&kept.compiled));
        }
        let before = self.changes.load(Ordering::SeqCst);
        let compiled = Arc::new(self.read().compile(schema)?);
        let mut own = own();
        if own.len() >= KEPT {
            own.clear();
            // An address may now become another schema's.
            self.forget();
        }
        if self.changes.load(Ordering::SeqCst) == before {
            own.insert(
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
        form: JsonSchemaMode,
        of_model: json_schema::ModelSchema<'_, M>,
    ) -> Result<Value> {
        let (schema, model) = self.find(wanted)?;
        match (schema, model) {
            (Some(schema), _) => {
                // The models that it names are asked after the lock is given back.
                let models: Vec<(String, M)> = {
                    let set = self.read();
                    let model = |name: &str| match set.get(name) {
                        Some(SchemaEntry::Model(model)) => Some((name.to_owned(), model.clone())),
                        _ => None,
                    };
                    set.names().filter_map(model).collect()
                };
                let mut set = SchemaSet::<T, F, Value>::default();
                for (name, model) in models {
                    if let Ok(says) = of_model(&model) {
                        set.put(name, SchemaEntry::Model(says));
                    }
                }
                {
                    let ours = self.read();
                    for name in ours.names() {
                        if let Some(SchemaEntry::Schema(schema)) = ours.get(name) {
                            set.put(name.to_owned(), SchemaEntry::Schema(Arc::clone(schema)));
                        }
                    }
                }
                json_schema::write(&set, &schema, form, &|says: &Value| Ok(says.clone()))
            }
            (None, Some(model)) => {
                let says = of_model(&model)?;
                if form == JsonSchemaMode::Strict { openai_strict::subset(&says) } else { Ok(says) }
            }
            (None, None) => Err(self.read().unknown(wanted.name())),
        }
    }

    /// The schema of an answer for a request; where the form is strict and cannot say it, in full and with the reason.
    ///
    /// # Errors
    /// As [`SchemaRegistry::json_schema`] in full.
    pub fn response<D>(
        &self,
        data: &D,
        wanted: &SchemaRef,
        form: JsonSchemaMode,
    ) -> Result<Arc<ResponseSchema>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let kept = || self.responses.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (wanted.name().to_owned(), address(wanted), form);
        if let Some(response) = kept().get(&key) {
            return Ok(Arc::clone(response));
        }
        let before = self.changes.load(Ordering::SeqCst);
        self.compiled(wanted)?;
        let write = |form| self.json_schema(wanted, form, &|model| data.json_schema(model));
        let mut schema = write(JsonSchemaMode::Full)?;
        let mut not_strict = None;
        if form == JsonSchemaMode::Strict {
            match write(form) {
                Ok(strict) => schema = strict,
                Err(error) => not_strict = Some(error),
            }
        }
        if let Some(says) = schema.as_object_mut() {
            says.remove("$schema");
        }
        let response = Arc::new(ResponseSchema { name: wanted.name().to_owned(), schema, not_strict });
        let mut kept = kept();
        if self.changes.load(Ordering::SeqCst) == before {
            kept.insert(key, Arc::clone(&response));
        }
        Ok(response)
    }

    fn find(&self, wanted: &SchemaRef) -> Result<(Option<Arc<Schema>>, Option<M>)> {
        Ok(match wanted {
            SchemaRef::Inline(schema) => (Some(Arc::clone(schema)), None),
            SchemaRef::Name(name) => {
                let set = self.read();
                match set.get(name) {
                    Some(SchemaEntry::Schema(schema)) => (Some(Arc::clone(schema)), None),
                    Some(SchemaEntry::Model(model)) => (None, Some(model.clone())),
                    None => return Err(set.unknown(name)),
                }
            }
        })
    }

    /// An example that the schema itself finds valid; `None` where none can be thought of.
    ///
    /// # Errors
    /// As [`SchemaSet::compiled`].
    pub fn example<D>(&self, data: &D, wanted: &SchemaRef) -> Result<Option<Value>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let (schema, model) = self.find(wanted)?;
        let guess = match (schema, model) {
            (Some(schema), _) => example(&*self.read(), &schema)?,
            // What a model's own JSON Schema describes is a schema as good as any, where it can be read.
            (None, Some(model)) => {
                let read = data.json_schema(&model).and_then(|says| json_schema::read(wanted.name(), &says));
                read.ok().and_then(|schema| example(&SchemaSet::<T, F, M>::default(), &schema).ok().flatten())
            }
            (None, None) => None,
        };
        let Some(guess) = guess else { return Ok(None) };
        let compiled = self.compiled(wanted)?;
        let fits = compiled.validate(data, &data.of_json(&guess)?, "the example", None);
        Ok(fits.is_ok().then_some(guess))
    }

    /// The schemas and models in a set of their own.
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

    /// What a model is told about the answer that is wanted.
    ///
    /// # Errors
    /// As [`SchemaRegistry::json_schema`].
    pub fn instructions<D>(&self, data: &D, wanted: &SchemaRef) -> Result<Arc<str>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let kept = || self.instructions.lock().unwrap_or_else(PoisonError::into_inner);
        // The address tells a prompt's own schema apart; its compiled keeps it alive.
        let key = (wanted.name().to_owned(), address(wanted));
        if let Some(text) = kept().get(&key) {
            return Ok(Arc::clone(text));
        }
        let before = self.changes.load(Ordering::SeqCst);
        self.compiled(wanted)?;
        let mut says = self.json_schema(wanted, JsonSchemaMode::Full, &|model| data.json_schema(model))?;
        if let Some(says) = says.as_object_mut() {
            says.remove("$schema");
        }
        let example = self.example(data, wanted)?;
        let text: Arc<str> = instructions::instructions(&says, example.as_ref()).into();
        let mut kept = kept();
        if self.changes.load(Ordering::SeqCst) == before {
            kept.insert(key, Arc::clone(&text));
        }
        Ok(text)
    }
}
