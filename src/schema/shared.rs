//! Schemas that several threads use at once, and what of them is kept: plans, instructions, schemas of answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use super::describe;
use super::example::example;
use super::json_schema::{self, Form};
use super::model::Schema;
use super::plan::Plan;
use super::set::{Entry, Set};
use super::strict;
use super::values::Values;
use crate::error::{Error, Result};
use crate::template::Text;

/// A schema that a prompt wants: by its name, or its own.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// One that is registered under this name.
    Name(Box<str>),
    /// One that stands in the prompt.
    Own(Arc<Schema>),
}

impl Wanted {
    /// The schema's name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Own(schema) => &schema.name,
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
struct Kept<T, F, M> {
    _schema: Arc<Schema>,
    plan: Arc<Plan<T, F, M>>,
}

/// A [`Set`] behind a lock. No code of the caller's runs while the lock is held.
#[derive(Debug)]
pub struct Schemas<T, F, M> {
    set: RwLock<Set<T, F, M>>,
    own: Mutex<HashMap<usize, Kept<T, F, M>>>,
    instructions: Mutex<HashMap<(String, usize), Arc<str>>>,
    responses: Mutex<HashMap<(String, usize, Form), Arc<ResponseSchema>>>,
    /// How often the set was changed, so that nothing is kept that was made of an earlier one.
    changes: AtomicU64,
}

impl<T, F, M> Default for Schemas<T, F, M> {
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

fn address(wanted: &Wanted) -> usize {
    match wanted {
        Wanted::Name(_) => 0,
        Wanted::Own(schema) => Arc::as_ptr(schema).addr(),
    }
}

impl<T, F, M> Schemas<T, F, M> {
    /// The schemas, for looking.
    pub fn read(&self) -> RwLockReadGuard<'_, Set<T, F, M>> {
        self.set.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schemas, for changing; what was made of them is forgotten.
    pub fn write(&self) -> RwLockWriteGuard<'_, Set<T, F, M>> {
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

impl<T: Text, F: Clone, M: Clone> Schemas<T, F, M> {
    /// The plan of a schema.
    ///
    /// # Errors
    /// As [`Set::plan`].
    pub fn plan(&self, wanted: &Wanted) -> Result<Arc<Plan<T, F, M>>> {
        /// Prompts' own schemas that are kept ready at once.
        const KEPT: usize = 4096;
        let schema = match wanted {
            Wanted::Name(name) => return self.read().plan(name),
            Wanted::Own(schema) => schema,
        };
        let own = || self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = own().get(&address(wanted)) {
            return Ok(Arc::clone(&kept.plan));
        }
        let before = self.changes.load(Ordering::SeqCst);
        let plan = Arc::new(self.read().plan_of(schema)?);
        let mut own = own();
        if own.len() >= KEPT {
            own.clear();
            // An address may now become another schema's.
            self.forget();
        }
        if self.changes.load(Ordering::SeqCst) == before {
            own.insert(address(wanted), Kept { _schema: Arc::clone(schema), plan: Arc::clone(&plan) });
        }
        Ok(plan)
    }

    /// The JSON Schema of a schema.
    ///
    /// # Errors
    /// As [`json_schema::write`].
    pub fn json_schema(
        &self,
        wanted: &Wanted,
        form: Form,
        of_model: json_schema::OfModel<'_, M>,
    ) -> Result<Value> {
        let (schema, model) = self.find(wanted)?;
        match (schema, model) {
            (Some(schema), _) => {
                // The models that it names are asked after the lock is given back.
                let models: Vec<(String, M)> = {
                    let set = self.read();
                    let model = |name: &str| match set.get(name) {
                        Some(Entry::Model(model)) => Some((name.to_owned(), model.clone())),
                        _ => None,
                    };
                    set.names().filter_map(model).collect()
                };
                let mut set = Set::<T, F, Value>::default();
                for (name, model) in models {
                    if let Ok(says) = of_model(&model) {
                        set.put(name, Entry::Model(says));
                    }
                }
                {
                    let ours = self.read();
                    for name in ours.names() {
                        if let Some(Entry::Schema(schema)) = ours.get(name) {
                            set.put(name.to_owned(), Entry::Schema(Arc::clone(schema)));
                        }
                    }
                }
                json_schema::write(&set, &schema, form, &|says: &Value| Ok(says.clone()))
            }
            (None, Some(model)) => {
                let says = of_model(&model)?;
                if form == Form::Strict { strict::subset(&says) } else { Ok(says) }
            }
            (None, None) => Err(self.read().unknown(wanted.name())),
        }
    }

    /// The schema of an answer for a request; where the form is strict and cannot say it, in full and with the reason.
    ///
    /// # Errors
    /// As [`Schemas::json_schema`] in full.
    pub fn response<D>(&self, data: &D, wanted: &Wanted, form: Form) -> Result<Arc<ResponseSchema>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let kept = || self.responses.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (wanted.name().to_owned(), address(wanted), form);
        if let Some(response) = kept().get(&key) {
            return Ok(Arc::clone(response));
        }
        let before = self.changes.load(Ordering::SeqCst);
        self.plan(wanted)?;
        let write = |form| self.json_schema(wanted, form, &|model| data.json_schema(model));
        let mut schema = write(Form::Full)?;
        let mut not_strict = None;
        if form == Form::Strict {
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

    fn find(&self, wanted: &Wanted) -> Result<(Option<Arc<Schema>>, Option<M>)> {
        Ok(match wanted {
            Wanted::Own(schema) => (Some(Arc::clone(schema)), None),
            Wanted::Name(name) => {
                let set = self.read();
                match set.get(name) {
                    Some(Entry::Schema(schema)) => (Some(Arc::clone(schema)), None),
                    Some(Entry::Model(model)) => (None, Some(model.clone())),
                    None => return Err(set.unknown(name)),
                }
            }
        })
    }

    /// An example that the schema itself finds valid; `None` where none can be thought of.
    ///
    /// # Errors
    /// As [`Set::plan`].
    pub fn example<D>(&self, data: &D, wanted: &Wanted) -> Result<Option<Value>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let (schema, model) = self.find(wanted)?;
        let guess = match (schema, model) {
            (Some(schema), _) => example(&*self.read(), &schema)?,
            // What a model's own JSON Schema describes is a schema as good as any, where it can be read.
            (None, Some(model)) => {
                let read = data.json_schema(&model).and_then(|says| json_schema::read(wanted.name(), &says));
                read.ok().and_then(|schema| example(&Set::<T, F, M>::default(), &schema).ok().flatten())
            }
            (None, None) => None,
        };
        let Some(guess) = guess else { return Ok(None) };
        let plan = self.plan(wanted)?;
        let fits = plan.validate(data, &data.of_json(&guess)?, "the example", None);
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
    /// As [`Schemas::json_schema`].
    pub fn instructions<D>(&self, data: &D, wanted: &Wanted) -> Result<Arc<str>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let kept = || self.instructions.lock().unwrap_or_else(PoisonError::into_inner);
        // The address tells a prompt's own schema apart; its plan keeps it alive.
        let key = (wanted.name().to_owned(), address(wanted));
        if let Some(text) = kept().get(&key) {
            return Ok(Arc::clone(text));
        }
        let before = self.changes.load(Ordering::SeqCst);
        self.plan(wanted)?;
        let mut says = self.json_schema(wanted, Form::Full, &|model| data.json_schema(model))?;
        if let Some(says) = says.as_object_mut() {
            says.remove("$schema");
        }
        let example = self.example(data, wanted)?;
        let text: Arc<str> = describe::instructions(&says, example.as_ref()).into();
        let mut kept = kept();
        if self.changes.load(Ordering::SeqCst) == before {
            kept.insert(key, Arc::clone(&text));
        }
        Ok(text)
    }
}
