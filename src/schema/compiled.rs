//! A schema made ready: parents merged, names resolved, patterns compiled. And the walk that validates with it.

use serde_json::Value;

use super::coerce::{self, CoerceOptions, Coercion};
use super::model::FieldType;
use super::rules::Rule;
use super::values::{Trail, Values};
use super::violation::{Violation, invalid};
use crate::error::{Result, nearest};
use crate::limits::DATA_DEPTH;
use crate::template::{Sort, Text};

/// How many violations are told; what has more is wrong as a whole.
const TOLD: usize = 1000;

/// A schema and all that it reaches, ready to validate.
#[derive(Debug)]
pub struct CompiledSchema<T, F, M> {
    /// The schema's name, for messages.
    pub name: String,
    pub(super) records: Vec<ObjectPlan<T, F>>,
    pub(super) models: Vec<M>,
    pub(super) root: PlanIndex,
}

/// What a value is validated by: a place in the compiled's list of records or of models.
#[derive(Debug, Clone, Copy)]
pub(super) enum PlanIndex {
    Object(usize),
    Model(usize),
}

#[derive(Debug)]
pub(super) struct ObjectPlan<T, F> {
    pub(super) slots: Vec<FieldPlan<T, F>>,
    /// Whether further keys are refused.
    pub(super) closed: bool,
    /// Whether further keys are dropped.
    pub(super) drops: bool,
    pub(super) coerce: bool,
}

/// The value of a key that is missing.
#[derive(Debug)]
pub(super) struct DefaultValue {
    pub(super) value: Value,
    /// Whether it becomes of the type as a value that is given does.
    pub(super) converts: bool,
}

/// A field, ready.
#[derive(Debug)]
pub(super) struct FieldPlan<T, F> {
    pub(super) name: T,
    pub(super) field_type: FieldType,
    pub(super) nullable: bool,
    pub(super) required: bool,
    pub(super) default: Option<Box<DefaultValue>>,
    pub(super) allow_inf_nan: bool,
    pub(super) item_type: Option<FieldType>,
    pub(super) nested: Option<PlanIndex>,
    pub(super) rules: Vec<Rule<F>>,
}

impl<T: Text, F: Clone, M: Clone> CompiledSchema<T, F, M> {
    /// Whether the schema has a field of this name; a model may have any.
    #[must_use]
    pub fn has_field(&self, name: &str) -> bool {
        match self.root {
            PlanIndex::Model(_) => true,
            PlanIndex::Object(at) => self.records[at].slots.iter().any(|slot| slot.name.as_str() == name),
        }
    }

    /// The fields, each with whether a value must be given; `None` for a model, whose fields are not known.
    #[must_use]
    pub fn fields(&self) -> Option<Vec<(&str, bool)>> {
        match self.root {
            PlanIndex::Model(_) => None,
            PlanIndex::Object(at) => {
                let slots = &self.records[at].slots;
                Some(
                    slots
                        .iter()
                        .map(|slot| (slot.name.as_str(), slot.required && slot.default.is_none()))
                        .collect(),
                )
            }
        }
    }

    /// Whether a member that is missing gets a value. What a model supplies is not known.
    #[must_use]
    pub fn supplies(&self, name: &str) -> bool {
        match self.root {
            PlanIndex::Model(_) => true,
            PlanIndex::Object(at) => {
                self.records[at].slots.iter().any(|slot| slot.name.as_str() == name && slot.default.is_some())
            }
        }
    }

    /// Whether it is a schema and no model, so that what it describes is a dict.
    #[must_use]
    pub fn describes_dict(&self) -> bool {
        matches!(self.root, PlanIndex::Object(_))
    }

    /// Validates a value: `None` where it fits as it is, else what became of it. `what` is what the value is, for
    /// the message; `coerce` overrides what the schemas say of conversion.
    ///
    /// # Errors
    /// [`Kind::SchemaInvalid`](crate::Kind::SchemaInvalid) with all violations; what code of the caller raised.
    pub fn validate<D>(
        &self,
        data: &D,
        value: &D::Value,
        what: &str,
        coerce: Option<bool>,
    ) -> Result<Option<D::Value>>
    where
        D: Values<Text = T, Function = F, Model = M>,
    {
        let mut walk = Validation { data, compiled: self, coerce, found: Vec::new() };
        let made = walk.target(self.root, value, &Trail::Root, 0)?;
        if walk.found.is_empty() { Ok(made) } else { Err(invalid(what, &self.name, &walk.found)) }
    }
}

struct Validation<'w, D: Values> {
    data: &'w D,
    compiled: &'w CompiledSchema<D::Text, D::Function, D::Model>,
    coerce: Option<bool>,
    found: Vec<Violation>,
}

impl<'w, D: Values> Validation<'w, D> {
    #[cold]
    fn wrong(&mut self, trail: &Trail<'_>, rule: &str, message: impl Into<String>) {
        if self.found.len() < TOLD {
            self.found.push(Violation::new(trail, rule, message));
        }
    }

    /// Validates a whole against a schema or model; what became of it where it changed.
    fn target(
        &mut self,
        target: PlanIndex,
        value: &D::Value,
        trail: &Trail<'_>,
        depth: usize,
    ) -> Result<Option<D::Value>> {
        if depth > DATA_DEPTH {
            self.wrong(trail, "depth", format!("the data nests more than {DATA_DEPTH} deep"));
            return Ok(None);
        }
        match target {
            PlanIndex::Object(at) => {
                let compiled = self.compiled;
                self.record(&compiled.records[at], value, trail, depth)
            }
            PlanIndex::Model(at) => {
                let known = self.found.len();
                let made = self.data.validate(&self.compiled.models[at], value, &mut self.found)?;
                for violation in &mut self.found[known..] {
                    violation.path = joined(trail, &violation.path);
                }
                Ok(made)
            }
        }
    }

    fn record(
        &mut self,
        record: &'w ObjectPlan<D::Text, D::Function>,
        value: &D::Value,
        trail: &Trail<'_>,
        depth: usize,
    ) -> Result<Option<D::Value>> {
        let data = self.data;
        let sort = data.sort(value);
        if !matches!(sort, Sort::Mapping | Sort::Record) {
            self.wrong(trail, "type", format!("must be a dict, not {sort}"));
            return Ok(None);
        }
        let coerce = self.coerce.unwrap_or(record.coerce);
        let mut present = 0;
        let mut changes = Vec::new();
        for slot in &record.slots {
            match data.member(value, &slot.name)? {
                Some(member) => {
                    present += 1;
                    if let Some(made) = self.slot(slot, &member, trail, depth, coerce)? {
                        changes.push((&slot.name, made));
                    }
                }
                None => match &slot.default {
                    Some(default) => changes.push((&slot.name, self.absent(slot, default, coerce)?)),
                    None if slot.required => {
                        let trail = Trail::Key(trail, slot.name.as_str());
                        self.wrong(&trail, "required", "is missing");
                    }
                    None => {}
                },
            }
        }
        if record.closed && present < data.size(value)? {
            self.extra(record, value, trail);
        }
        if record.drops && present < data.size(value)? {
            let kept = data.pick(value, &mut record.slots.iter().map(|slot| &slot.name))?;
            return data.amend(&kept, changes).map(Some);
        }
        if changes.is_empty() { Ok(None) } else { data.amend(value, changes).map(Some) }
    }

    /// The value of a key that is missing. No rule is asked about it: a default is what the author wants.
    fn absent(
        &self,
        slot: &FieldPlan<D::Text, D::Function>,
        default: &DefaultValue,
        coerce: bool,
    ) -> Result<D::Value> {
        let (data, value) = (self.data, self.data.of_json(&default.value)?);
        if !default.converts || !coerce {
            return Ok(value);
        }
        let options = CoerceOptions { coerce, allow_inf_nan: slot.allow_inf_nan };
        match coerce::take(data, slot.field_type, &value, data.sort(&value), options)? {
            Coercion::New(made) => Ok(made),
            Coercion::Same | Coercion::Wrong(_) => Ok(value),
        }
    }

    /// Tells the keys that are no fields.
    #[cold]
    fn extra(&mut self, record: &ObjectPlan<D::Text, D::Function>, value: &D::Value, trail: &Trail<'_>) {
        let fields = || record.slots.iter().map(|slot| slot.name.as_str());
        let mut told = false;
        for name in self.data.names(value) {
            if fields().any(|field| field == name) {
                continue;
            }
            told = true;
            let message = match nearest(&name, fields()) {
                Some(near) => format!("is no field of the schema; did you mean `{near}`?"),
                None => "is no field of the schema".to_owned(),
            };
            self.wrong(&Trail::Key(trail, &name), "extra", message);
        }
        if !told {
            self.wrong(trail, "extra", "has a key that is no text");
        }
    }

    fn slot(
        &mut self,
        slot: &'w FieldPlan<D::Text, D::Function>,
        value: &D::Value,
        parent: &Trail<'_>,
        depth: usize,
        coerce: bool,
    ) -> Result<Option<D::Value>> {
        let data = self.data;
        let sort = data.sort(value);
        let trail = &Trail::Key(parent, slot.name.as_str());
        if sort == Sort::Null {
            if !slot.nullable && slot.field_type != FieldType::Any {
                self.wrong(trail, "null", "must not be null");
            }
            if slot.nullable || slot.rules.is_empty() || slot.field_type != FieldType::Any {
                return Ok(None);
            }
        }
        let options = CoerceOptions { coerce, allow_inf_nan: slot.allow_inf_nan };
        let mut made = match coerce::take(data, slot.field_type, value, sort, options)? {
            Coercion::Same => None,
            Coercion::New(made) => Some(made),
            Coercion::Wrong(message) => {
                self.wrong(trail, "type", message);
                return Ok(None);
            }
        };
        let inner = match slot.field_type {
            FieldType::List if slot.nested.is_some() || slot.item_type.is_some() => {
                self.items(slot, made.as_ref().unwrap_or(value), trail, depth, coerce)?
            }
            FieldType::Dict => match slot.nested {
                Some(target) => self.target(target, value, trail, depth + 1)?,
                None => None,
            },
            _ => None,
        };
        made = inner.or(made);
        if !slot.rules.is_empty() {
            let value = made.as_ref().unwrap_or(value);
            let sort = if made.is_some() { data.sort(value) } else { sort };
            for rule in &slot.rules {
                if let Some(message) = rule.broken(data, value, sort)? {
                    self.wrong(trail, rule.word(), message);
                }
            }
        }
        Ok(made)
    }

    /// Validates the items of a list; the list anew where some changed.
    fn items(
        &mut self,
        slot: &'w FieldPlan<D::Text, D::Function>,
        list: &D::Value,
        trail: &Trail<'_>,
        depth: usize,
        coerce: bool,
    ) -> Result<Option<D::Value>> {
        let data = self.data;
        let mut changes = Vec::new();
        let mut at = 0;
        let options = CoerceOptions { coerce, allow_inf_nan: slot.allow_inf_nan };
        data.walk(list, &mut |item| {
            let trail = Trail::Index(trail, at);
            let mut current = None;
            let mut fits = true;
            if let Some(wanted) = slot.item_type {
                match coerce::take(data, wanted, &item.value, data.sort(&item.value), options)? {
                    Coercion::Same => {}
                    Coercion::New(made) => current = Some(made),
                    Coercion::Wrong(message) => {
                        fits = false;
                        self.wrong(&trail, "type", message);
                    }
                }
            }
            if let (Some(target), true) = (slot.nested, fits) {
                let made = self.target(target, current.as_ref().unwrap_or(&item.value), &trail, depth + 1)?;
                current = made.or(current);
            }
            changes.extend(current.map(|made| (at, made)));
            at += 1;
            Ok(())
        })?;
        if changes.is_empty() { Ok(None) } else { data.list(list, changes).map(Some) }
    }
}

/// A path of a model's below the trail to it.
fn joined(trail: &Trail<'_>, path: &str) -> String {
    let trail = trail.to_string();
    match (trail.is_empty(), path) {
        (_, "") => trail,
        (true, path) => path.to_owned(),
        (false, path) if path.starts_with('[') => trail + path,
        (false, path) => format!("{trail}.{path}"),
    }
}
