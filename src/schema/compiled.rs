//! A compiled schema: parents merged, names resolved, patterns compiled. Also the validation of data against it.

use std::collections::HashSet;

use serde_json::Value;

use super::coerce::{self, CoerceOptions, Coercion};
use super::model::FieldType;
use super::rules::Rule;
use super::values::{Trail, Values};
use super::violation::{Violation, invalid};
use crate::error::{Error, Kind, Result, nearest};
use crate::limits::DATA_DEPTH;
use crate::stack_room;
use crate::template::{Text, ValueKind};

/// Maximum number of violations that one error lists.
const MAX_VIOLATIONS: usize = 1000;

/// A schema and everything that it refers to, ready to validate data.
#[derive(Debug)]
pub struct CompiledSchema<T, F, M> {
    /// The schema's name, for messages.
    pub name: String,
    pub(super) objects: Vec<ObjectPlan<T, F>>,
    pub(super) models: Vec<M>,
    pub(super) root: PlanIndex,
}

/// What validates a value: an index into the compiled schema's list of objects or of models.
#[derive(Debug, Clone, Copy)]
pub(super) enum PlanIndex {
    Object(usize),
    Model(usize),
}

/// How a dict is validated: the compiled form of one [`Schema`](super::Schema).
#[derive(Debug)]
pub(super) struct ObjectPlan<T, F> {
    pub(super) fields: Vec<FieldPlan<T, F>>,
    /// Whether keys that are not fields are refused.
    pub(super) forbid_extra: bool,
    /// Whether keys that are not fields are dropped.
    pub(super) drop_extra: bool,
    pub(super) coerce: bool,
}

/// The value that a field gets if its key is missing.
#[derive(Debug)]
pub(super) struct DefaultValue {
    pub(super) value: Value,
    /// Whether it is converted to the field's type, as a given value is.
    pub(super) convert: bool,
}

/// How one field is validated.
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
    /// Whether the schema has a field of this name. For a model the answer is always true: its fields are not known.
    #[must_use]
    pub fn has_field(&self, name: &str) -> bool {
        match self.root {
            PlanIndex::Model(_) => true,
            PlanIndex::Object(at) => self.objects[at].fields.iter().any(|field| field.name.as_str() == name),
        }
    }

    /// The fields, each with whether its value is required; `None` for a model, whose fields are not known.
    #[must_use]
    pub fn fields(&self) -> Option<Vec<(&str, bool)>> {
        match self.root {
            PlanIndex::Model(_) => None,
            PlanIndex::Object(at) => {
                let fields = &self.objects[at].fields;
                Some(
                    fields
                        .iter()
                        .map(|field| (field.name.as_str(), field.required && field.default.is_none()))
                        .collect(),
                )
            }
        }
    }

    /// Whether the schema supplies a value if this key is missing. For a model the answer is always true.
    #[must_use]
    pub fn supplies(&self, name: &str) -> bool {
        match self.root {
            PlanIndex::Model(_) => true,
            PlanIndex::Object(at) => self.objects[at]
                .fields
                .iter()
                .any(|field| field.name.as_str() == name && field.default.is_some()),
        }
    }

    /// The model that validates, if it is not a schema.
    #[must_use]
    pub fn model(&self) -> Option<&M> {
        match self.root {
            PlanIndex::Model(at) => self.models.get(at),
            PlanIndex::Object(_) => None,
        }
    }

    /// Validates a value. Returns the converted value, or `None` if it fits unchanged. `what` names the value in
    /// messages; `coerce` overrides the setting of the schemas.
    ///
    /// # Errors
    /// [`Kind::SchemaInvalid`] with all violations; or the error of the caller's code.
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
        let mut validation =
            Validation { data, compiled: self, coerce, violations: Vec::new(), unread: None };
        let converted = match validation.nested(self.root, value, &Trail::Root, 0) {
            Ok(converted) => converted,
            Err(error) => return Err(validation.with_path(what, error)),
        };
        if validation.violations.is_empty() {
            Ok(converted)
        } else {
            Err(invalid(what, &self.name, &validation.violations))
        }
    }
}

/// One validation of data, with the violations found so far.
struct Validation<'w, D: Values> {
    data: &'w D,
    compiled: &'w CompiledSchema<D::Text, D::Function, D::Model>,
    coerce: Option<bool>,
    violations: Vec<Violation>,
    /// The path of the value that could not be read, after an error.
    unread: Option<String>,
}

impl<'w, D: Values> Validation<'w, D> {
    #[cold]
    fn add_violation(&mut self, trail: &Trail<'_>, rule: &str, message: impl Into<String>) {
        if self.violations.len() < MAX_VIOLATIONS {
            self.violations.push(Violation::new(trail, rule, message));
        }
    }

    /// The error with the path of the value that could not be read. `what` names the data.
    fn with_path(self, what: &str, error: Error) -> Error {
        match self.unread {
            Some(path) if error.kind() == Kind::TemplateRender => {
                let message = format!("{what}: {path}: {}", error.message());
                error.recast(Kind::TemplateRender, message).with_context("field", path)
            }
            _ => error,
        }
    }

    /// Validates a value against a schema or model. Returns the converted value if it changed.
    fn nested(
        &mut self,
        plan: PlanIndex,
        value: &D::Value,
        trail: &Trail<'_>,
        depth: usize,
    ) -> Result<Option<D::Value>> {
        if depth > DATA_DEPTH {
            self.add_violation(trail, "depth", format!("the data nests deeper than {DATA_DEPTH} levels"));
            return Ok(None);
        }
        stack_room::check(depth, Kind::Schema)?;
        match plan {
            PlanIndex::Object(at) => {
                let compiled = self.compiled;
                self.object(&compiled.objects[at], value, trail, depth)
            }
            PlanIndex::Model(at) => {
                let known = self.violations.len();
                let converted = self.data.validate(&self.compiled.models[at], value, &mut self.violations)?;
                for violation in &mut self.violations[known..] {
                    violation.path = join_path(trail, &violation.path);
                }
                Ok(converted)
            }
        }
    }

    fn object(
        &mut self,
        object: &'w ObjectPlan<D::Text, D::Function>,
        value: &D::Value,
        trail: &Trail<'_>,
        depth: usize,
    ) -> Result<Option<D::Value>> {
        let data = self.data;
        let kind = data.kind_of(value)?;
        if !matches!(kind, ValueKind::Mapping | ValueKind::Record) {
            self.add_violation(trail, "type", format!("must be a dict, not {kind}"));
            return Ok(None);
        }
        let coerce = self.coerce.unwrap_or(object.coerce);
        let mut present = 0;
        let mut changes = Vec::new();
        for field in &object.fields {
            match data.member(value, &field.name)? {
                Some(member) => {
                    present += 1;
                    if let Some(converted) = self.field(field, &member, trail, depth, coerce)? {
                        changes.push((&field.name, converted));
                    }
                }
                None => match &field.default {
                    Some(default) => changes.push((&field.name, self.default_value(field, default, coerce)?)),
                    None if field.required => {
                        let trail = Trail::Key(trail, field.name.as_str());
                        self.add_violation(&trail, "required", "is missing");
                    }
                    None => {}
                },
            }
        }
        if object.forbid_extra && present < data.size(value)? {
            self.extra_keys(object, value, trail)?;
        }
        if object.drop_extra && present < data.size(value)? {
            let kept = data.pick(value, &mut object.fields.iter().map(|field| &field.name))?;
            return data.amend(&kept, changes).map(Some);
        }
        if changes.is_empty() { Ok(None) } else { data.amend(value, changes).map(Some) }
    }

    /// The value for a missing key. Rules are not applied to it: the author chose the default.
    fn default_value(
        &self,
        field: &FieldPlan<D::Text, D::Function>,
        default: &DefaultValue,
        coerce: bool,
    ) -> Result<D::Value> {
        let (data, value) = (self.data, self.data.of_json(&default.value)?);
        if !default.convert || !coerce {
            return Ok(value);
        }
        let options = CoerceOptions { coerce, allow_inf_nan: field.allow_inf_nan };
        match coerce::take(data, field.field_type, &value, data.kind_of(&value)?, options)? {
            Coercion::New(converted) => Ok(converted),
            Coercion::Same | Coercion::Wrong(_) => Ok(value),
        }
    }

    /// Reports the keys that are not fields.
    #[cold]
    fn extra_keys(
        &mut self,
        object: &ObjectPlan<D::Text, D::Function>,
        value: &D::Value,
        trail: &Trail<'_>,
    ) -> Result<()> {
        let fields = || object.fields.iter().map(|field| field.name.as_str());
        let known: HashSet<&str> = fields().collect();
        let mut reported = false;
        for name in self.data.names(value, usize::MAX)? {
            if known.contains(name.as_str()) {
                continue;
            }
            reported = true;
            if self.violations.len() >= MAX_VIOLATIONS {
                break;
            }
            let message = match nearest(&name, fields()) {
                Some(near) => format!("is not a field of the schema; did you mean `{near}`?"),
                None => "is not a field of the schema".to_owned(),
            };
            self.add_violation(&Trail::Key(trail, &name), "extra", message);
        }
        if !reported {
            self.add_violation(trail, "extra", "has a key that is not text");
        }
        Ok(())
    }

    fn field(
        &mut self,
        field: &'w FieldPlan<D::Text, D::Function>,
        value: &D::Value,
        parent: &Trail<'_>,
        depth: usize,
        coerce: bool,
    ) -> Result<Option<D::Value>> {
        let trail = &Trail::Key(parent, field.name.as_str());
        let outcome = self.field_at(field, value, trail, depth, coerce);
        if outcome.is_err() {
            // The innermost field comes first.
            self.unread.get_or_insert_with(|| trail.to_string());
        }
        outcome
    }

    fn field_at(
        &mut self,
        field: &'w FieldPlan<D::Text, D::Function>,
        value: &D::Value,
        trail: &Trail<'_>,
        depth: usize,
        coerce: bool,
    ) -> Result<Option<D::Value>> {
        let data = self.data;
        let kind = data.kind_of(value)?;
        if kind == ValueKind::Null {
            if !field.nullable && field.field_type != FieldType::Any {
                self.add_violation(trail, "null", "must not be null");
            }
            if field.nullable || field.rules.is_empty() || field.field_type != FieldType::Any {
                return Ok(None);
            }
        }
        let options = CoerceOptions { coerce, allow_inf_nan: field.allow_inf_nan };
        let mut converted = match coerce::take(data, field.field_type, value, kind, options)? {
            Coercion::Same => None,
            Coercion::New(new) => Some(new),
            Coercion::Wrong(message) => {
                self.add_violation(trail, "type", message);
                return Ok(None);
            }
        };
        let inner = match field.field_type {
            FieldType::List if field.nested.is_some() || field.item_type.is_some() => {
                self.items(field, converted.as_ref().unwrap_or(value), trail, depth, coerce)?
            }
            FieldType::Dict => match field.nested {
                Some(plan) => self.nested(plan, value, trail, depth + 1)?,
                None => None,
            },
            _ => None,
        };
        converted = inner.or(converted);
        if !field.rules.is_empty() {
            let value = converted.as_ref().unwrap_or(value);
            let kind = if converted.is_some() { data.kind_of(value)? } else { kind };
            for rule in &field.rules {
                if let Some(message) = rule.broken(data, value, kind)? {
                    self.add_violation(trail, rule.word(), message);
                }
            }
        }
        Ok(converted)
    }

    /// Validates the items of a list. Returns a new list if some changed.
    fn items(
        &mut self,
        field: &'w FieldPlan<D::Text, D::Function>,
        list: &D::Value,
        trail: &Trail<'_>,
        depth: usize,
        coerce: bool,
    ) -> Result<Option<D::Value>> {
        let data = self.data;
        let mut changes = Vec::new();
        let mut at = 0;
        let options = CoerceOptions { coerce, allow_inf_nan: field.allow_inf_nan };
        data.walk(list, &mut |item| {
            let trail = Trail::Index(trail, at);
            let mut current = None;
            let mut fits = true;
            if let Some(wanted) = field.item_type {
                match coerce::take(data, wanted, &item.value, data.kind_of(&item.value)?, options)? {
                    Coercion::Same => {}
                    Coercion::New(new) => current = Some(new),
                    Coercion::Wrong(message) => {
                        fits = false;
                        self.add_violation(&trail, "type", message);
                    }
                }
            }
            if let (Some(plan), true) = (field.nested, fits) {
                let converted =
                    self.nested(plan, current.as_ref().unwrap_or(&item.value), &trail, depth + 1)?;
                current = converted.or(current);
            }
            changes.extend(current.map(|item| (at, item)));
            at += 1;
            Ok(())
        })?;
        if changes.is_empty() { Ok(None) } else { data.list(list, changes).map(Some) }
    }
}

/// Joins a path that a model reported to the path of the value that the model validated.
fn join_path(trail: &Trail<'_>, path: &str) -> String {
    let trail = trail.to_string();
    match (trail.is_empty(), path) {
        (_, "") => trail,
        (true, path) => path.to_owned(),
        (false, path) if path.starts_with('[') => trail + path,
        (false, path) => format!("{trail}.{path}"),
    }
}
