//! Schemas by name, with the functions and models of the application, and what of them is ready to validate.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::compiled::{CompiledSchema, DefaultValue, FieldPlan, ObjectPlan, PlanIndex};
use super::model::{Field, FieldType, Schema};
use super::rules::Rule;
use crate::error::{Error, Kind, Result, nearest};
use crate::template::Text;

/// What stands under a name.
#[derive(Debug, Clone)]
pub enum SchemaEntry<M> {
    /// A schema.
    Schema(Arc<Schema>),
    /// A model of the application, which validates by itself.
    Model(M),
}

type CompiledSchemas<T, F, M> = HashMap<String, Arc<CompiledSchema<T, F, M>>>;

/// Schemas by name. CompiledSchemas are made at first use and kept until something changes.
#[derive(Debug)]
pub struct SchemaSet<T, F, M> {
    entries: BTreeMap<String, SchemaEntry<M>>,
    functions: BTreeMap<String, F>,
    plans: Mutex<CompiledSchemas<T, F, M>>,
}

impl<T, F, M> Default for SchemaSet<T, F, M> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), functions: BTreeMap::new(), plans: Mutex::default() }
    }
}

impl<T, F, M> SchemaSet<T, F, M> {
    /// Adds schemas. One that is there already with the same content is left as it is.
    ///
    /// # Errors
    /// [`Kind::Schema`] for a name that stands for something else; [`Kind::SchemaParse`] for parents in a circle.
    /// Then nothing is added.
    pub fn add(&mut self, schemas: Vec<Schema>) -> Result<()> {
        for schema in &schemas {
            if let Some(known) = self.entries.get(&schema.name) {
                let same = matches!(known, SchemaEntry::Schema(known) if same(known, schema));
                if !same {
                    return Err(taken(&schema.name).with_context("schema", schema.name.as_str()));
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
        let circle = names.iter().find_map(|name| self.ancestry(name, &[]).err().filter(is_circle));
        if let Some(circle) = circle {
            for (name, known) in before {
                if !known {
                    self.entries.remove(&name);
                }
            }
            return Err(circle);
        }
        self.forget();
        Ok(())
    }

    /// Puts a schema or model under its name, whatever stood there.
    pub fn put(&mut self, name: String, entry: SchemaEntry<M>) -> Option<SchemaEntry<M>> {
        self.forget();
        self.entries.insert(name, entry)
    }

    /// Removes the schemas of these names, and puts others under theirs, whatever stood there.
    pub fn exchange(&mut self, old: &[String], schemas: Vec<Schema>) {
        self.forget();
        for name in old {
            self.entries.remove(name);
        }
        for schema in schemas {
            self.entries.insert(schema.name.clone(), SchemaEntry::Schema(Arc::new(schema)));
        }
    }

    /// Adds a function that `custom` can name; gives the one that it replaces.
    pub fn register_function(&mut self, name: String, function: F) -> Option<F> {
        self.forget();
        self.functions.insert(name, function)
    }

    /// The function of a name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&F> {
        self.functions.get(name)
    }

    /// The schemas alone in a set of their own, for trying whether others fit; models stand as schemas without fields.
    #[must_use]
    pub fn copy_schemas(&self) -> Self {
        let schema = |name: &String, entry: &SchemaEntry<M>| match entry {
            SchemaEntry::Schema(schema) => Arc::clone(schema),
            SchemaEntry::Model(_) => Arc::new(Schema::new(name.as_str())),
        };
        let copied = |(name, entry)| (String::clone(name), SchemaEntry::Schema(schema(name, entry)));
        Self { entries: self.entries.iter().map(copied).collect(), ..Self::default() }
    }

    /// Removes everything but the functions.
    pub fn clear(&mut self) -> BTreeMap<String, SchemaEntry<M>> {
        self.forget();
        std::mem::take(&mut self.entries)
    }

    /// What stands under a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SchemaEntry<M>> {
        self.entries.get(name)
    }

    /// Every name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    fn forget(&self) {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The error for a name that is not there.
    #[must_use]
    pub fn unknown(&self, name: &str) -> Error {
        let error =
            Error::new(Kind::Schema, format!("there is no schema '{name}'")).with_context("schema", name);
        match nearest(name, self.names()) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error.with_hint("load or register it first"),
        }
    }

    /// The schema of a name, its own definitions first.
    fn find<'s>(&'s self, name: &str, own: &[&'s [Schema]]) -> Option<ResolvedSchema<'s, M>> {
        let own = own.iter().rev().flat_map(|list| list.iter()).find(|schema| schema.name == name);
        own.map(ResolvedSchema::Schema).or_else(|| match self.entries.get(name)? {
            SchemaEntry::Schema(schema) => Some(ResolvedSchema::Schema(schema)),
            SchemaEntry::Model(model) => Some(ResolvedSchema::Model(model)),
        })
    }

    /// A schema and its parents, the schema first.
    fn ancestry<'s>(&'s self, name: &str, own: &[&'s [Schema]]) -> Result<Vec<&'s Schema>> {
        match self.find(name, own) {
            Some(ResolvedSchema::Schema(schema)) => self.parents(schema, own),
            _ => Ok(Vec::new()),
        }
    }

    fn parents<'s>(&'s self, schema: &'s Schema, own: &[&'s [Schema]]) -> Result<Vec<&'s Schema>> {
        let mut line = vec![schema];
        let mut last = schema;
        while let Some(parent) = &last.extends {
            let placed = |error: Error| match &last.place {
                Some(place) => error.with_place(place.clone()),
                None => error,
            };
            let reference = format!("schema '{}' extends", last.name);
            last = match self.find(parent, own) {
                Some(ResolvedSchema::Schema(found)) => found,
                Some(ResolvedSchema::Model(_)) => {
                    let message = format!("{reference} '{parent}', which is a model and no schema");
                    return Err(placed(Error::new(Kind::SchemaParse, message)));
                }
                None => return Err(placed(self.missing(&reference, parent, own))),
            };
            if line.iter().any(|known| std::ptr::eq(*known, last)) {
                let names: Vec<&str> = line.iter().map(|schema| schema.name.as_str()).collect();
                let message =
                    format!("schemas extend one another in a circle: {} → {}", names.join(" → "), last.name);
                let error = Error::new(Kind::SchemaParse, message)
                    .with_context("circle", names.iter().map(ToString::to_string).collect::<Vec<_>>());
                return Err(match &schema.place {
                    Some(place) => error.with_place(place.clone()),
                    None => error,
                });
            }
            line.push(last);
        }
        Ok(line)
    }

    fn missing(&self, reference: &str, name: &str, own: &[&[Schema]]) -> Error {
        let error =
            Error::new(Kind::SchemaParse, format!("{reference} '{name}', and there is no such schema"))
                .with_context("missing", name);
        let known = own.iter().flat_map(|list| list.iter()).map(|schema| schema.name.as_str());
        match nearest(name, known.chain(self.names())) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error,
        }
    }

    /// What schemas refer to and is not there, and parents in a circle: an error for each.
    #[must_use]
    pub fn check(&self) -> Vec<Error> {
        let mut errors: Vec<Error> = Vec::new();
        for entry in self.entries.values() {
            if let SchemaEntry::Schema(schema) = entry {
                self.check_one(schema, &[], &mut errors);
            }
        }
        errors.dedup_by(|a, b| a.message() == b.message());
        errors
    }

    fn check_one<'s>(&'s self, schema: &'s Schema, own: &[&'s [Schema]], errors: &mut Vec<Error>) {
        let own: Vec<&[Schema]> = own.iter().copied().chain([schema.definitions.as_slice()]).collect();
        if let Err(error) = self.parents(schema, &own) {
            errors.push(error);
        }
        for field in &schema.fields {
            let Some(name) = field.names().filter(|name| self.find(name, &own).is_none()) else { continue };
            let reference = format!("field '{}' of schema '{}' names", field.name, schema.name);
            let error = self.missing(&reference, name, &own);
            errors.push(match &schema.place {
                Some(place) => error.with_place(place.clone()),
                None => error,
            });
        }
        for definition in &schema.definitions {
            self.check_one(definition, &own, errors);
        }
    }

    /// A schema with the fields of its parents, the first parent's first; a field that is there again replaces the
    /// earlier one in its place.
    ///
    /// # Errors
    /// [`Kind::SchemaParse`] for a parent that is missing, and for parents in a circle.
    pub fn fields<'s>(&'s self, schema: &'s Schema, own: &[&'s [Schema]]) -> Result<Vec<&'s Field>> {
        let mut fields: Vec<&Field> = Vec::new();
        for schema in self.parents(schema, own)?.into_iter().rev() {
            for field in &schema.fields {
                match fields.iter_mut().find(|known| known.name == field.name) {
                    Some(known) => *known = field,
                    None => fields.push(field),
                }
            }
        }
        Ok(fields)
    }
}

impl<T: Text, F: Clone, M: Clone> SchemaSet<T, F, M> {
    /// The compiled of a schema or model by name.
    ///
    /// # Errors
    /// [`Kind::Schema`] for a name or function that is not there; [`Kind::SchemaParse`] for references that lead
    /// nowhere or in a circle.
    pub fn compiled(&self, name: &str) -> Result<Arc<CompiledSchema<T, F, M>>> {
        let plans = || self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = plans().get(name) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = match self.entries.get(name) {
            None => return Err(self.unknown(name)),
            Some(SchemaEntry::Schema(schema)) => self.compile(schema)?,
            Some(SchemaEntry::Model(model)) => CompiledSchema {
                name: name.to_owned(),
                records: Vec::new(),
                models: vec![model.clone()],
                root: PlanIndex::Model(0),
            },
        };
        let compiled = Arc::new(compiled);
        plans().insert(name.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    /// The compiled of a schema that stands under no name.
    ///
    /// # Errors
    /// As [`SchemaSet::compiled`].
    pub fn compile(&self, schema: &Schema) -> Result<CompiledSchema<T, F, M>> {
        let mut planner = SchemaCompiler {
            set: self,
            known: HashMap::new(),
            waiting: Vec::new(),
            records: Vec::new(),
            models: Vec::new(),
        };
        let root = planner.place(schema, &[]);
        // One after the other: a long chain of schemas takes no more of the stack than a short one.
        while let Some((place, schema, own)) = planner.waiting.pop() {
            planner.record(place, schema, &own)?;
        }
        let records = planner.records.into_iter().flatten().collect();
        Ok(CompiledSchema { name: schema.name.clone(), records, models: planner.models, root })
    }
}

enum ResolvedSchema<'s, M> {
    Schema(&'s Schema),
    Model(&'s M),
}

/// Whether two schemas say the same, wherever they are written.
fn same(a: &Schema, b: &Schema) -> bool {
    let placeless = |schema: &Schema| Schema { place: None, ..schema.clone() };
    placeless(a) == placeless(b)
}

fn taken(name: &str) -> Error {
    Error::new(Kind::Schema, format!("schema '{name}' exists already, with other content"))
        .with_hint("rename one of them")
}

fn is_circle(error: &Error) -> bool {
    error.context().iter().any(|(name, _)| *name == "circle")
}

/// Whether a default is to be converted as a value that is given would be: dates and UUIDs are written as text.
fn converts(field: &Field, default: &Value) -> bool {
    !default.is_null()
        && match field.field_type {
            FieldType::Date | FieldType::DateTime | FieldType::Uuid => true,
            FieldType::List | FieldType::Dict => false,
            kind => !kind.fits(default),
        }
}

/// Makes the compiled of one schema and of all that it reaches.
struct SchemaCompiler<'s, T, F, M> {
    set: &'s SchemaSet<T, F, M>,
    /// The schemas that have a place in the compiled, by their address.
    known: HashMap<*const Schema, PlanIndex>,
    /// Those whose record is still to be made: the place, the schema, and the definitions that it sees.
    waiting: Vec<(usize, &'s Schema, Vec<&'s [Schema]>)>,
    records: Vec<Option<ObjectPlan<T, F>>>,
    models: Vec<M>,
}

impl<'s, T: Text, F: Clone, M: Clone> SchemaCompiler<'s, T, F, M> {
    /// The place of a schema, which is taken at once.
    fn place(&mut self, schema: &'s Schema, own: &[&'s [Schema]]) -> PlanIndex {
        let address = std::ptr::from_ref(schema);
        if let Some(target) = self.known.get(&address) {
            return *target;
        }
        let place = self.records.len();
        self.records.push(None);
        self.known.insert(address, PlanIndex::Object(place));
        let own = own.iter().copied().chain([schema.definitions.as_slice()]).collect();
        self.waiting.push((place, schema, own));
        PlanIndex::Object(place)
    }

    fn record(&mut self, place: usize, schema: &'s Schema, own: &[&'s [Schema]]) -> Result<()> {
        let fields = self.set.fields(schema, own)?;
        let slots = fields.into_iter().map(|field| self.slot(schema, field, own)).collect::<Result<_>>()?;
        self.records[place] = Some(ObjectPlan {
            slots,
            closed: schema.strict,
            drops: !schema.strict && !schema.allow_extra,
            coerce: schema.coerce,
        });
        Ok(())
    }

    fn slot(&mut self, schema: &Schema, field: &Field, own: &[&'s [Schema]]) -> Result<FieldPlan<T, F>> {
        let nested = match field.names() {
            None => None,
            Some(name) => Some(match self.set.find(name, own) {
                Some(ResolvedSchema::Schema(found)) => self.place(found, own),
                Some(ResolvedSchema::Model(model)) => {
                    self.models.push(model.clone());
                    PlanIndex::Model(self.models.len() - 1)
                }
                None => {
                    let reference = format!("field '{}' of schema '{}' names", field.name, schema.name);
                    return Err(self.set.missing(&reference, name, own));
                }
            }),
        };
        let rules = field.validators.iter().map(|validator| {
            Rule::new(validator, |name| {
                self.set.functions.get(name).cloned().ok_or_else(|| {
                    let message = format!(
                        "field '{}' of schema '{}' calls the function '{name}', and none is registered under \
                         that name",
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
            default: field.absent().map(|value| {
                let converts = schema.coerce && converts(field, value);
                Box::new(DefaultValue { value: value.clone(), converts })
            }),
            allow_inf_nan: field.allow_inf_nan,
            item_type: field.item_type.filter(|wanted| *wanted != FieldType::Any),
            nested,
            rules: rules.collect::<Result<_>>()?,
        })
    }
}
