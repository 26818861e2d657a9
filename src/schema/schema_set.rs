//! Schemas by name, with the functions and models of the application. Compiles them for validation.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::compiled::{CompiledSchema, DefaultValue, FieldPlan, ObjectPlan, PlanIndex};
use super::model::{Field, FieldType, Schema};
use super::rules::Rule;
use super::scope::ScopedSchema;
use crate::error::{Error, Kind, Result, nearest};
use crate::template::Text;

/// What a name refers to.
#[derive(Debug, Clone)]
pub enum SchemaEntry<M> {
    /// A schema.
    Schema(Arc<Schema>),
    /// A model of the application, which validates data itself.
    Model(M),
}

type CompiledSchemas<T, F, M> = HashMap<String, Arc<CompiledSchema<T, F, M>>>;

/// Schemas by name. A schema is compiled at first use; the result is kept until the set changes.
#[derive(Debug)]
pub struct SchemaSet<T, F, M> {
    entries: BTreeMap<String, SchemaEntry<M>>,
    functions: BTreeMap<String, F>,
    /// Where the chains of parents end; `None` if that is no longer known.
    chains: Option<ParentChains>,
    compiled: Mutex<CompiledSchemas<T, F, M>>,
}

impl<T, F, M> Default for SchemaSet<T, F, M> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            functions: BTreeMap::new(),
            chains: None,
            compiled: Mutex::default(),
        }
    }
}

impl<T, F, M> SchemaSet<T, F, M> {
    /// Adds schemas and returns the names that are new. Ignores a schema that is already there with the same content.
    ///
    /// # Errors
    /// [`Kind::Schema`] if a name already has different content; [`Kind::SchemaParse`] if schemas extend each other in
    /// a circle. Then nothing is added.
    pub fn add(&mut self, schemas: Vec<Schema>) -> Result<Vec<String>> {
        for schema in &schemas {
            if let Some(known) = self.entries.get(&schema.name) {
                let is_same = matches!(known, SchemaEntry::Schema(known) if has_same_content(known, schema));
                if !is_same {
                    return Err(name_conflict(&schema.name).with_context("schema", schema.name.as_str()));
                }
            }
        }
        let mut added = Vec::new();
        for schema in schemas {
            if self.entries.contains_key(&schema.name) {
                continue;
            }
            if let Some(circle) = self.extend_chain(&schema, &added) {
                self.remove(&added);
                return Err(circle);
            }
            added.push(schema.name.clone());
            self.entries.insert(schema.name.clone(), SchemaEntry::Schema(Arc::new(schema)));
        }
        self.clear_compiled();
        Ok(added)
    }

    /// Removes schemas and models. Ignores names that do not exist.
    pub fn remove(&mut self, names: &[String]) {
        self.clear_compiled();
        self.chains = None;
        for name in names {
            self.entries.remove(name);
        }
    }

    /// Records what a new schema extends. Returns the error if it would close a circle. The error begins with the first
    /// schema of those in `added` that is part of it.
    fn extend_chain(&mut self, schema: &Schema, added: &[String]) -> Option<Error> {
        let parent = parent_in_set(schema)?;
        let chains = self.chains.get_or_insert_with(|| ParentChains::of(&self.entries));
        if chains.add(&schema.name, parent) {
            return None;
        }
        let (mut chain, _) = self.chain_of_parents(&ScopedSchema::new(schema), &HashSet::new());
        let numbers: HashMap<&str, usize> = added.iter().map(String::as_str).zip(0..).collect();
        let number = |position: &usize| {
            numbers.get(chain[*position].schema().name.as_str()).copied().unwrap_or(usize::MAX)
        };
        let first = (0..chain.len()).min_by_key(number).unwrap_or_default();
        chain.rotate_left(first);
        Some(circle(&chain, &chain.first()?.schema().name))
    }

    /// Sets the schema or model of a name and returns the one that it replaces.
    pub fn put(&mut self, name: String, entry: SchemaEntry<M>) -> Option<SchemaEntry<M>> {
        self.clear_compiled();
        self.chains = None;
        self.entries.insert(name, entry)
    }

    /// Removes the schemas of the old names and sets the new schemas, replacing any of the same name.
    pub fn exchange(&mut self, old: &[String], schemas: Vec<Schema>) {
        self.clear_compiled();
        self.chains = None;
        for name in old {
            self.entries.remove(name);
        }
        for schema in schemas {
            self.entries.insert(schema.name.clone(), SchemaEntry::Schema(Arc::new(schema)));
        }
    }

    /// Registers a function for `custom` validators and returns the one that it replaces.
    pub fn register_function(&mut self, name: String, function: F) -> Option<F> {
        self.clear_compiled();
        self.functions.insert(name, function)
    }

    /// The function registered under a name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&F> {
        self.functions.get(name)
    }

    /// Removes and returns all schemas and models. Functions stay.
    pub fn clear(&mut self) -> BTreeMap<String, SchemaEntry<M>> {
        self.clear_compiled();
        self.chains = None;
        std::mem::take(&mut self.entries)
    }

    /// The schema or model of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SchemaEntry<M>> {
        self.entries.get(name)
    }

    /// Every name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    fn clear_compiled(&self) {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The error for a name without a schema.
    #[must_use]
    pub fn unknown(&self, name: &str) -> Error {
        let error =
            Error::new(Kind::Schema, format!("there is no schema '{name}'")).with_context("schema", name);
        match nearest(name, self.names()) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error.with_hint("load or register it first"),
        }
    }

    /// Resolves a name within a schema. Definitions come before the schemas of the set.
    pub(super) fn find<'s>(&'s self, name: &str, within: &ScopedSchema<'s>) -> Option<ResolvedSchema<'s, M>> {
        within.definition(name).map(ResolvedSchema::Schema).or_else(|| match self.entries.get(name)? {
            SchemaEntry::Schema(schema) => Some(ResolvedSchema::Schema(ScopedSchema::new(schema))),
            SchemaEntry::Model(model) => Some(ResolvedSchema::Model(model)),
        })
    }

    /// A schema and its parents, the schema first, and how the chain ends. It also ends before a schema of `checked`.
    fn chain_of_parents<'s>(
        &'s self,
        schema: &ScopedSchema<'s>,
        checked: &HashSet<*const Schema>,
    ) -> (Vec<ScopedSchema<'s>>, ChainEnd<'s>) {
        let mut chain = vec![schema.clone()];
        let mut seen = HashSet::from([std::ptr::from_ref(schema.schema())]);
        let mut last = schema.clone();
        while let Some(parent) = &last.schema().extends {
            last = match self.find(parent, &last) {
                Some(ResolvedSchema::Schema(found)) => found,
                Some(ResolvedSchema::Model(_)) => return (chain, ChainEnd::Model(parent)),
                None => return (chain, ChainEnd::Missing(parent)),
            };
            let address = std::ptr::from_ref(last.schema());
            if checked.contains(&address) {
                break;
            }
            if !seen.insert(address) {
                return (chain, ChainEnd::Circle(&last.schema().name));
            }
            chain.push(last.clone());
        }
        (chain, ChainEnd::Root)
    }

    fn parents<'s>(&'s self, schema: &ScopedSchema<'s>) -> Result<Vec<ScopedSchema<'s>>> {
        let (chain, end) = self.chain_of_parents(schema, &HashSet::new());
        match self.chain_error(&chain, &end, true) {
            Some(error) => Err(error),
            None => Ok(chain),
        }
    }

    /// The error for a chain of parents that does not end in a schema without a parent.
    fn chain_error(&self, chain: &[ScopedSchema<'_>], end: &ChainEnd<'_>, hint: bool) -> Option<Error> {
        let child = chain.last()?;
        let reference = format!("schema '{}' extends", child.schema().name);
        match end {
            ChainEnd::Root => None,
            ChainEnd::Model(name) => {
                let message = format!("{reference} '{name}', which is a model, not a schema");
                Some(placed(Error::new(Kind::SchemaParse, message), child.schema()))
            }
            ChainEnd::Missing(name) => {
                Some(placed(self.missing(&reference, name, hint.then_some(child)), child.schema()))
            }
            ChainEnd::Circle(name) => Some(circle(chain, name)),
        }
    }

    /// The error for a name that does not exist. With the schema that uses it, a similar name is suggested.
    fn missing(&self, reference: &str, name: &str, within: Option<&ScopedSchema<'_>>) -> Error {
        let error = Error::new(Kind::SchemaParse, format!("{reference} '{name}', but no such schema exists"))
            .with_context("missing", name);
        let Some(within) = within else { return error };
        let known = within.around().flat_map(|around| around.schema().definitions.iter());
        match nearest(name, known.map(|schema| schema.name.as_str()).chain(self.names())) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error,
        }
    }

    /// The error for a field that names a schema that does not exist.
    pub(super) fn missing_of_field(&self, owner: &ScopedSchema<'_>, field: &Field, name: &str) -> Error {
        self.missing(&field_reference(owner, field), name, Some(owner))
    }

    /// Checks all references. Returns an error for each name that does not exist and for each circle of parents.
    #[must_use]
    pub fn check(&self) -> Vec<Error> {
        let mut errors: Vec<Error> = Vec::new();
        let mut checked = HashSet::new();
        for entry in self.entries.values() {
            if let SchemaEntry::Schema(schema) = entry {
                self.check_one(&ScopedSchema::new(schema), &mut checked, &mut errors);
            }
        }
        errors.dedup_by(|a, b| a.message() == b.message());
        errors
    }

    /// Checks the references of a schema. `checked` has the schemas whose parents are checked.
    fn check_one<'s>(
        &'s self,
        schema: &ScopedSchema<'s>,
        checked: &mut HashSet<*const Schema>,
        errors: &mut Vec<Error>,
    ) {
        /// How many errors get a hint, because each hint compares all names.
        const MAX_HINTS: usize = 100;
        if !checked.contains(&std::ptr::from_ref(schema.schema())) {
            let (chain, end) = self.chain_of_parents(schema, checked);
            errors.extend(self.chain_error(&chain, &end, errors.len() < MAX_HINTS));
            checked.extend(chain.iter().map(|schema| std::ptr::from_ref(schema.schema())));
        }
        for field in &schema.schema().fields {
            let Some(name) = field.schema_name().filter(|name| self.find(name, schema).is_none()) else {
                continue;
            };
            let hint = (errors.len() < MAX_HINTS).then_some(schema);
            let error = self.missing(&field_reference(schema, field), name, hint);
            errors.push(placed(error, schema.schema()));
        }
        for definition in schema.schema().definitions.iter() {
            self.check_one(&schema.inner(definition), checked, errors);
        }
    }

    /// The fields of a schema and its parents with the schema that each is written in, those of the topmost parent
    /// first. A field that is defined again replaces the inherited one and keeps its position.
    ///
    /// # Errors
    /// [`Kind::SchemaParse`] if a parent is missing or schemas extend each other in a circle.
    pub fn fields<'s>(&'s self, schema: &ScopedSchema<'s>) -> Result<Vec<(ScopedSchema<'s>, &'s Field)>> {
        let mut fields: Vec<(ScopedSchema<'s>, &Field)> = Vec::new();
        let mut positions: HashMap<&str, usize> = HashMap::new();
        for owner in self.parents(schema)?.into_iter().rev() {
            for field in &owner.schema().fields {
                let found = (owner.clone(), field);
                match positions.entry(&field.name) {
                    Entry::Occupied(position) => fields[*position.get()] = found,
                    Entry::Vacant(position) => {
                        position.insert(fields.len());
                        fields.push(found);
                    }
                }
            }
        }
        Ok(fields)
    }
}

impl<T: Text, F: Clone, M: Clone> SchemaSet<T, F, M> {
    /// Compiles the schema or model of a name, or returns the kept one.
    ///
    /// # Errors
    /// [`Kind::Schema`] if the schema or a function does not exist; [`Kind::SchemaParse`] if a reference does not
    /// resolve or schemas extend each other in a circle.
    pub fn compiled(&self, name: &str) -> Result<Arc<CompiledSchema<T, F, M>>> {
        let kept = || self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = kept().get(name) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = match self.entries.get(name) {
            None => return Err(self.unknown(name)),
            Some(SchemaEntry::Schema(schema)) => self.compile(schema)?,
            Some(SchemaEntry::Model(model)) => CompiledSchema {
                name: name.to_owned(),
                objects: Vec::new(),
                models: vec![model.clone()],
                root: PlanIndex::Model(0),
            },
        };
        let compiled = Arc::new(compiled);
        kept().insert(name.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    /// Compiles a schema that is not registered.
    ///
    /// # Errors
    /// As [`SchemaSet::compiled`].
    pub fn compile(&self, schema: &Schema) -> Result<CompiledSchema<T, F, M>> {
        let mut compiler = SchemaCompiler {
            set: self,
            indices: HashMap::new(),
            queue: Vec::new(),
            objects: Vec::new(),
            models: Vec::new(),
        };
        let root = compiler.index_of(ScopedSchema::new(schema));
        // A queue instead of recursion, so that a long chain of schemas needs no more stack than a short one.
        while let Some((index, schema)) = compiler.queue.pop() {
            compiler.object(index, &schema)?;
        }
        let objects = compiler.objects.into_iter().flatten().collect();
        Ok(CompiledSchema { name: schema.name.clone(), objects, models: compiler.models, root })
    }
}

/// The ends of chains of parents, to find a circle without walking a whole chain for each schema.
#[derive(Debug)]
struct ParentChains {
    /// For each schema that extends another, a name further up its chain.
    further: HashMap<String, String>,
}

impl ParentChains {
    /// The chains of these schemas, without those that close a circle.
    fn of<M>(entries: &BTreeMap<String, SchemaEntry<M>>) -> Self {
        let mut chains = Self { further: HashMap::new() };
        for (name, entry) in entries {
            if let SchemaEntry::Schema(schema) = entry
                && let Some(parent) = parent_in_set(schema)
            {
                chains.add(name, parent);
            }
        }
        chains
    }

    /// Adds a schema that extends another. Returns false, and adds nothing, if the chain of the other ends with it.
    fn add(&mut self, name: &str, parent: &str) -> bool {
        let end = self.end(parent);
        let is_open = end != name;
        if is_open {
            self.further.insert(name.to_owned(), end);
        }
        is_open
    }

    /// The last name of a chain: of a schema that extends none, or that does not exist yet.
    fn end(&mut self, name: &str) -> String {
        let mut end = name;
        while let Some(further) = self.further.get(end) {
            end = further;
        }
        let end = end.to_owned();
        let mut passed = name.to_owned();
        while let Some(further) = self.further.get_mut(&passed).filter(|further| **further != end) {
            passed = std::mem::replace(further, end.clone());
        }
        end
    }
}

/// The name outside of its definitions that a schema extends, directly or through them.
fn parent_in_set(schema: &Schema) -> Option<&str> {
    let mut last = ScopedSchema::new(schema);
    let mut seen = HashSet::new();
    while seen.insert(std::ptr::from_ref(last.schema())) {
        let parent = last.schema().extends.as_deref()?;
        match last.definition(parent) {
            Some(found) => last = found,
            None => return Some(parent),
        }
    }
    None
}

/// How a chain of parents ends.
enum ChainEnd<'s> {
    /// With a schema that extends none.
    Root,
    /// With the name of a model, which has no fields to inherit.
    Model(&'s str),
    /// With a name that does not exist.
    Missing(&'s str),
    /// With the name of a schema that is in the chain already.
    Circle(&'s str),
}

/// A resolved name.
pub(super) enum ResolvedSchema<'s, M> {
    Schema(ScopedSchema<'s>),
    Model(&'s M),
}

/// Whether two schemas are equal apart from their places.
fn has_same_content(a: &Schema, b: &Schema) -> bool {
    let placeless = |schema: &Schema| Schema { place: None, ..schema.clone() };
    placeless(a) == placeless(b)
}

fn name_conflict(name: &str) -> Error {
    Error::new(Kind::Schema, format!("schema '{name}' already exists with different content"))
        .with_hint("rename one of them")
}

/// The error for schemas that extend each other in a circle. `chain` is the chain of parents up to the one that extends
/// `name`, which is in the chain already.
fn circle(chain: &[ScopedSchema<'_>], name: &str) -> Error {
    let names: Vec<&str> = chain.iter().map(|schema| schema.schema().name.as_str()).collect();
    let message = format!("schemas extend each other in a circle: {} → {name}", names.join(" → "));
    let error = Error::new(Kind::SchemaParse, message)
        .with_context("circle", names.iter().map(ToString::to_string).collect::<Vec<_>>());
    match chain.first() {
        Some(schema) => placed(error, schema.schema()),
        None => error,
    }
}

/// The start of a message about the schema that a field names.
fn field_reference(owner: &ScopedSchema<'_>, field: &Field) -> String {
    format!("field '{}' of schema '{}' names", field.name, owner.schema().name)
}

/// The error with the place of the schema, if that is known.
fn placed(error: Error, schema: &Schema) -> Error {
    match &schema.place {
        Some(place) => error.with_place(place.clone()),
        None => error,
    }
}

/// Whether a default is converted as a given value is. Dates and UUIDs are, because files write them as text.
fn needs_conversion(field: &Field, default: &Value) -> bool {
    !default.is_null()
        && match field.field_type {
            FieldType::Date | FieldType::DateTime | FieldType::Uuid => true,
            FieldType::List | FieldType::Dict => false,
            kind => !kind.fits(default),
        }
}

/// Compiles one schema and everything that it refers to.
struct SchemaCompiler<'s, T, F, M> {
    set: &'s SchemaSet<T, F, M>,
    /// The index of each schema that has one, by its address.
    indices: HashMap<*const Schema, PlanIndex>,
    /// The schemas that are still to be compiled, and their indices.
    queue: Vec<(usize, ScopedSchema<'s>)>,
    objects: Vec<Option<ObjectPlan<T, F>>>,
    models: Vec<M>,
}

impl<'s, T: Text, F: Clone, M: Clone> SchemaCompiler<'s, T, F, M> {
    /// The index of a schema. A schema without one gets the next and is queued.
    fn index_of(&mut self, schema: ScopedSchema<'s>) -> PlanIndex {
        let address = std::ptr::from_ref(schema.schema());
        if let Some(index) = self.indices.get(&address) {
            return *index;
        }
        let index = self.objects.len();
        self.objects.push(None);
        self.indices.insert(address, PlanIndex::Object(index));
        self.queue.push((index, schema));
        PlanIndex::Object(index)
    }

    fn object(&mut self, index: usize, scoped: &ScopedSchema<'s>) -> Result<()> {
        let schema = scoped.schema();
        let fields = self.set.fields(scoped)?;
        let fields = fields
            .into_iter()
            .map(|(owner, field)| self.field(schema, &owner, field))
            .collect::<Result<_>>()?;
        self.objects[index] = Some(ObjectPlan {
            fields,
            forbid_extra: schema.strict,
            drop_extra: !schema.strict && !schema.allow_extra,
            coerce: schema.coerce,
        });
        Ok(())
    }

    /// Compiles a field of a schema, which may be inherited from `owner`.
    fn field(&mut self, schema: &Schema, owner: &ScopedSchema<'s>, field: &Field) -> Result<FieldPlan<T, F>> {
        let nested = match field.schema_name() {
            None => None,
            Some(name) => Some(match self.set.find(name, owner) {
                Some(ResolvedSchema::Schema(found)) => self.index_of(found),
                Some(ResolvedSchema::Model(model)) => {
                    self.models.push(model.clone());
                    PlanIndex::Model(self.models.len() - 1)
                }
                None => return Err(self.set.missing_of_field(owner, field, name)),
            }),
        };
        let rules = field.validators.iter().map(|validator| {
            Rule::new(validator, |name| {
                self.set.functions.get(name).cloned().ok_or_else(|| {
                    let message = format!(
                        "field '{}' of schema '{}' calls the function '{name}', but no function is \
                         registered under that name",
                        field.name, schema.name
                    );
                    let error = Error::new(Kind::Schema, message).with_context("function", name);
                    match nearest(name, self.set.functions.keys().map(String::as_str)) {
                        Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                        None => error.with_hint("register it with `register_function(name, function)`"),
                    }
                })
            })
        });
        Ok(FieldPlan {
            name: T::new(&field.name),
            field_type: field.field_type,
            nullable: field.nullable,
            required: field.required,
            default: field.value_if_missing().map(|value| {
                let convert = schema.coerce && needs_conversion(field, value);
                Box::new(DefaultValue { value: value.clone(), convert })
            }),
            allow_inf_nan: field.allow_inf_nan,
            item_type: field.item_type.filter(|wanted| *wanted != FieldType::Any),
            nested,
            rules: rules.collect::<Result<_>>()?,
        })
    }
}
