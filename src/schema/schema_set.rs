//! Schemas by name, with the functions and models of the application. Compiles them for validation.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::compiled::{CompiledSchema, DefaultValue, FieldPlan, ObjectPlan, PlanIndex};
use super::model::{Field, FieldType, Schema};
use super::rules::Rule;
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
    /// The names of schemas whose parents all exist and form no circle. Schemas that are added later cannot change that,
    /// so the search for circles stops at these names.
    rooted: HashSet<String>,
    compiled: Mutex<CompiledSchemas<T, F, M>>,
}

impl<T, F, M> Default for SchemaSet<T, F, M> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            functions: BTreeMap::new(),
            rooted: HashSet::new(),
            compiled: Mutex::default(),
        }
    }
}

impl<T, F, M> SchemaSet<T, F, M> {
    /// Adds schemas. Ignores a schema that is already there with the same content.
    ///
    /// # Errors
    /// [`Kind::Schema`] if a name already has different content; [`Kind::SchemaParse`] if schemas extend each other in
    /// a circle. Then nothing is added.
    pub fn add(&mut self, schemas: Vec<Schema>) -> Result<()> {
        for schema in &schemas {
            if let Some(known) = self.entries.get(&schema.name) {
                let is_same = matches!(known, SchemaEntry::Schema(known) if has_same_content(known, schema));
                if !is_same {
                    return Err(name_conflict(&schema.name).with_context("schema", schema.name.as_str()));
                }
            }
        }
        let names: Vec<String> = schemas.iter().map(|schema| schema.name.clone()).collect();
        let before =
            names.iter().map(|name| (name.clone(), self.entries.contains_key(name))).collect::<Vec<_>>();
        for schema in schemas {
            let name = schema.name.clone();
            self.entries.entry(name).or_insert_with(|| SchemaEntry::Schema(Arc::new(schema)));
        }
        if let Some(circle) = names.iter().find_map(|name| self.find_circle(name)) {
            for (name, known) in before {
                if !known {
                    self.entries.remove(&name);
                    self.rooted.remove(&name);
                }
            }
            return Err(circle);
        }
        self.clear_compiled();
        Ok(())
    }

    /// The error for a schema whose parents extend each other in a circle.
    fn find_circle(&mut self, name: &str) -> Option<Error> {
        let Some(SchemaEntry::Schema(schema)) = self.entries.get(name) else { return None };
        if schema.extends.as_ref().is_none_or(|parent| self.rooted.contains(parent)) {
            self.rooted.insert(name.to_owned());
            return None;
        }
        let (line, end) = self.line_of_parents(schema, &[], &HashSet::new());
        match end {
            LineEnd::Root => {
                let line: Vec<String> = line.iter().map(|schema| schema.name.clone()).collect();
                self.rooted.extend(line);
                None
            }
            LineEnd::Circle(name) => Some(circle(&line, name)),
            LineEnd::Model(_) | LineEnd::Missing(_) => None,
        }
    }

    /// Sets the schema or model of a name and returns the one that it replaces.
    pub fn put(&mut self, name: String, entry: SchemaEntry<M>) -> Option<SchemaEntry<M>> {
        self.clear_compiled();
        self.rooted.clear();
        self.entries.insert(name, entry)
    }

    /// Removes the schemas of the old names and sets the new schemas, replacing any of the same name.
    pub fn exchange(&mut self, old: &[String], schemas: Vec<Schema>) {
        self.clear_compiled();
        self.rooted.clear();
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

    /// Copies the schemas to a new set, to try whether others can be added. Models become schemas without fields.
    #[must_use]
    pub fn copy_schemas(&self) -> Self {
        let schema = |name: &String, entry: &SchemaEntry<M>| match entry {
            SchemaEntry::Schema(schema) => Arc::clone(schema),
            SchemaEntry::Model(_) => Arc::new(Schema::new(name.as_str())),
        };
        let copied = |(name, entry)| (String::clone(name), SchemaEntry::Schema(schema(name, entry)));
        Self { entries: self.entries.iter().map(copied).collect(), ..Self::default() }
    }

    /// Removes and returns all schemas and models. Functions stay.
    pub fn clear(&mut self) -> BTreeMap<String, SchemaEntry<M>> {
        self.clear_compiled();
        self.rooted.clear();
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

    /// Resolves a name. The definitions in `scope` come before the schemas of the set; inner definitions before outer.
    fn find<'s>(&'s self, name: &str, scope: &[&'s [Schema]]) -> Option<ResolvedSchema<'s, M>> {
        let local = scope.iter().rev().flat_map(|list| list.iter()).find(|schema| schema.name == name);
        local.map(ResolvedSchema::Schema).or_else(|| match self.entries.get(name)? {
            SchemaEntry::Schema(schema) => Some(ResolvedSchema::Schema(schema)),
            SchemaEntry::Model(model) => Some(ResolvedSchema::Model(model)),
        })
    }

    /// A schema and its parents, the schema first, and how the line ends. It also ends before a schema of `checked`.
    fn line_of_parents<'s>(
        &'s self,
        schema: &'s Schema,
        scope: &[&'s [Schema]],
        checked: &HashSet<*const Schema>,
    ) -> (Vec<&'s Schema>, LineEnd<'s>) {
        let mut line = vec![schema];
        let mut seen = HashSet::from([std::ptr::from_ref(schema)]);
        let mut last = schema;
        while let Some(parent) = &last.extends {
            last = match self.find(parent, scope) {
                Some(ResolvedSchema::Schema(found)) => found,
                Some(ResolvedSchema::Model(_)) => return (line, LineEnd::Model(parent)),
                None => return (line, LineEnd::Missing(parent)),
            };
            if checked.contains(&std::ptr::from_ref(last)) {
                break;
            }
            if !seen.insert(std::ptr::from_ref(last)) {
                return (line, LineEnd::Circle(&last.name));
            }
            line.push(last);
        }
        (line, LineEnd::Root)
    }

    fn parents<'s>(&'s self, schema: &'s Schema, scope: &[&'s [Schema]]) -> Result<Vec<&'s Schema>> {
        let (line, end) = self.line_of_parents(schema, scope, &HashSet::new());
        match self.line_error(&line, &end, scope) {
            Some(error) => Err(error),
            None => Ok(line),
        }
    }

    /// The error for a line of parents that does not end in a schema without a parent.
    fn line_error(&self, line: &[&Schema], end: &LineEnd<'_>, scope: &[&[Schema]]) -> Option<Error> {
        let child = line.last()?;
        let reference = format!("schema '{}' extends", child.name);
        match end {
            LineEnd::Root => None,
            LineEnd::Model(name) => {
                let message = format!("{reference} '{name}', which is a model, not a schema");
                Some(placed(Error::new(Kind::SchemaParse, message), child))
            }
            LineEnd::Missing(name) => Some(placed(self.missing(&reference, name, scope), child)),
            LineEnd::Circle(name) => Some(circle(line, name)),
        }
    }

    fn missing(&self, reference: &str, name: &str, scope: &[&[Schema]]) -> Error {
        let error = Error::new(Kind::SchemaParse, format!("{reference} '{name}', but no such schema exists"))
            .with_context("missing", name);
        let known = scope.iter().flat_map(|list| list.iter()).map(|schema| schema.name.as_str());
        match nearest(name, known.chain(self.names())) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error,
        }
    }

    /// Checks all references. Returns an error for each name that does not exist and for each circle of parents.
    #[must_use]
    pub fn check(&self) -> Vec<Error> {
        let mut errors: Vec<Error> = Vec::new();
        let mut checked = HashSet::new();
        for entry in self.entries.values() {
            if let SchemaEntry::Schema(schema) = entry {
                self.check_one(schema, &[], &mut checked, &mut errors);
            }
        }
        errors.dedup_by(|a, b| a.message() == b.message());
        errors
    }

    /// Checks the references of a schema. `checked` has the schemas whose parents are checked.
    fn check_one<'s>(
        &'s self,
        schema: &'s Schema,
        scope: &[&'s [Schema]],
        checked: &mut HashSet<*const Schema>,
        errors: &mut Vec<Error>,
    ) {
        let scope: Vec<&[Schema]> = scope.iter().copied().chain([schema.definitions.as_slice()]).collect();
        // A parent may be one of the definitions in scope, so its line of parents may differ from its own.
        let is_shared = scope.iter().all(|definitions| definitions.is_empty());
        let none = HashSet::new();
        let (line, end) = self.line_of_parents(schema, &scope, if is_shared { checked } else { &none });
        errors.extend(self.line_error(&line, &end, &scope));
        if is_shared {
            checked.extend(line.into_iter().map(std::ptr::from_ref));
        }
        for field in &schema.fields {
            let Some(name) = field.schema_name().filter(|name| self.find(name, &scope).is_none()) else {
                continue;
            };
            let reference = format!("field '{}' of schema '{}' names", field.name, schema.name);
            let error = self.missing(&reference, name, &scope);
            errors.push(placed(error, schema));
        }
        for definition in &schema.definitions {
            self.check_one(definition, &scope, checked, errors);
        }
    }

    /// The fields of a schema and its parents, those of the topmost parent first. A field that is defined again
    /// replaces the inherited one and keeps its position.
    ///
    /// # Errors
    /// [`Kind::SchemaParse`] if a parent is missing or schemas extend each other in a circle.
    pub fn fields<'s>(&'s self, schema: &'s Schema, scope: &[&'s [Schema]]) -> Result<Vec<&'s Field>> {
        let mut fields: Vec<&Field> = Vec::new();
        let mut positions: HashMap<&str, usize> = HashMap::new();
        for schema in self.parents(schema, scope)?.into_iter().rev() {
            for field in &schema.fields {
                match positions.entry(&field.name) {
                    Entry::Occupied(position) => fields[*position.get()] = field,
                    Entry::Vacant(position) => {
                        position.insert(fields.len());
                        fields.push(field);
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
        let root = compiler.index_of(schema, &[]);
        // A queue instead of recursion, so that a long chain of schemas needs no more stack than a short one.
        while let Some((index, schema, scope)) = compiler.queue.pop() {
            compiler.object(index, schema, &scope)?;
        }
        let objects = compiler.objects.into_iter().flatten().collect();
        Ok(CompiledSchema { name: schema.name.clone(), objects, models: compiler.models, root })
    }
}

/// How a line of parents ends.
enum LineEnd<'s> {
    /// With a schema that extends none.
    Root,
    /// With the name of a model, which has no fields to inherit.
    Model(&'s str),
    /// With a name that does not exist.
    Missing(&'s str),
    /// With the name of a schema that is in the line already.
    Circle(&'s str),
}

/// A resolved name.
enum ResolvedSchema<'s, M> {
    Schema(&'s Schema),
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

/// The error for schemas that extend each other in a circle. `line` is the line of parents up to the one that extends
/// `name`, which is in the line already.
fn circle(line: &[&Schema], name: &str) -> Error {
    let names: Vec<&str> = line.iter().map(|schema| schema.name.as_str()).collect();
    let message = format!("schemas extend each other in a circle: {} → {name}", names.join(" → "));
    let error = Error::new(Kind::SchemaParse, message)
        .with_context("circle", names.iter().map(ToString::to_string).collect::<Vec<_>>());
    match line.first() {
        Some(schema) => placed(error, schema),
        None => error,
    }
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
    /// The schemas that are still to be compiled: index, schema, and the definitions in its scope.
    queue: Vec<(usize, &'s Schema, Vec<&'s [Schema]>)>,
    objects: Vec<Option<ObjectPlan<T, F>>>,
    models: Vec<M>,
}

impl<'s, T: Text, F: Clone, M: Clone> SchemaCompiler<'s, T, F, M> {
    /// The index of a schema. A schema without one gets the next and is queued.
    fn index_of(&mut self, schema: &'s Schema, scope: &[&'s [Schema]]) -> PlanIndex {
        let address = std::ptr::from_ref(schema);
        if let Some(index) = self.indices.get(&address) {
            return *index;
        }
        let index = self.objects.len();
        self.objects.push(None);
        self.indices.insert(address, PlanIndex::Object(index));
        let scope = scope.iter().copied().chain([schema.definitions.as_slice()]).collect();
        self.queue.push((index, schema, scope));
        PlanIndex::Object(index)
    }

    fn object(&mut self, index: usize, schema: &'s Schema, scope: &[&'s [Schema]]) -> Result<()> {
        let fields = self.set.fields(schema, scope)?;
        let fields =
            fields.into_iter().map(|field| self.field(schema, field, scope)).collect::<Result<_>>()?;
        self.objects[index] = Some(ObjectPlan {
            fields,
            forbid_extra: schema.strict,
            drop_extra: !schema.strict && !schema.allow_extra,
            coerce: schema.coerce,
        });
        Ok(())
    }

    fn field(&mut self, schema: &Schema, field: &Field, scope: &[&'s [Schema]]) -> Result<FieldPlan<T, F>> {
        let nested = match field.schema_name() {
            None => None,
            Some(name) => Some(match self.set.find(name, scope) {
                Some(ResolvedSchema::Schema(found)) => self.index_of(found, scope),
                Some(ResolvedSchema::Model(model)) => {
                    self.models.push(model.clone());
                    PlanIndex::Model(self.models.len() - 1)
                }
                None => {
                    let reference = format!("field '{}' of schema '{}' names", field.name, schema.name);
                    return Err(self.set.missing(&reference, name, scope));
                }
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
