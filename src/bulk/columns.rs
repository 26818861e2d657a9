//! Which columns of a table a prompt reads, and the check of their types before the first row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};

use super::column::value_type;
use super::value::{Column, MemberColumn};
use crate::error::{Error, Kind, Result, nearest};
use crate::prompt::{Compiled, VariableInfo, readable_variables};
use crate::schema::{FieldType, SharedSchemaSet};
use crate::template::{Library, Text};

/// What a prompt needs of a table.
#[derive(Debug, Default)]
pub struct ColumnNeeds {
    /// The prompt, for messages.
    pub prompt_id: String,
    /// The variables that a render may read. `None`: every column.
    pub known: Option<BTreeSet<Box<str>>>,
    /// The variables that a render checks.
    pub variables: Vec<VariableInfo>,
    /// The variables that the input schema converts or supplies.
    pub schema_fields: BTreeSet<String>,
    /// The variables of columns with other names.
    pub rename: BTreeMap<String, String>,
}

/// The columns of a table that a prompt reads: each with its position and the variable that it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedColumns(Vec<(usize, Arc<str>)>);

impl ColumnNeeds {
    /// What a prompt needs, with its schemas in this set.
    #[must_use]
    pub fn of<T: Text, F: Clone, M: Clone>(
        compiled: &Compiled<T>,
        engine: &dyn Library<T>,
        schemas: &SharedSchemaSet<T, F, M>,
        rename: BTreeMap<String, String>,
    ) -> Self {
        let mut needs = Self {
            prompt_id: compiled.prompt().id.to_string(),
            known: readable_variables(compiled, engine),
            variables: compiled.variables(),
            schema_fields: BTreeSet::new(),
            rename,
        };
        if let Some(known) = &mut needs.known {
            known.extend(needs.variables.iter().map(|variable| variable.name.as_str().into()));
        }
        let Ok(Some(input)) = compiled.input_schema() else { return needs };
        // A schema that does not exist is the error of every row.
        let Ok(schema) = schemas.compiled(input) else { return needs };
        if let Some(fields) = schema.fields() {
            needs.schema_fields = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
            if let Some(known) = &mut needs.known {
                known.extend(fields.iter().map(|(name, _)| (*name).into()));
            }
        } else {
            // Nobody knows what a model reads and supplies.
            needs.known = None;
            needs.variables.clear();
        }
        needs
    }

    /// The variables that a table must have.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        let is_needed = |variable: &&VariableInfo| {
            // A field of the schema may have a default, and otherwise the row has an error.
            variable.required && !self.schema_fields.contains(&variable.name)
        };
        self.variables.iter().filter(is_needed).map(|variable| variable.name.as_str())
    }

    /// Finds the columns that give variables, and checks them.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`] for a column that is missing, or whose type cannot be that of the variable.
    pub fn check(&self, schema: &Schema) -> Result<UsedColumns> {
        let used = self.used(schema)?;
        let is_given = |name: &str| used.0.iter().any(|(_, given)| **given == *name);
        self.check_renamed(is_given)?;
        let missing: Vec<&str> = self.required().filter(|name| !is_given(name)).collect();
        if !missing.is_empty() {
            return Err(self.missing(schema, &missing));
        }
        for variable in &self.variables {
            let found = used.0.iter().find(|(_, name)| **name == *variable.name);
            let Some((at, _)) = found.filter(|_| !self.schema_fields.contains(&variable.name)) else {
                continue;
            };
            let field = schema.field(*at);
            let found = value_type(field);
            if !may_be(variable.field_type, found) {
                let (column, wanted) = (field.name(), variable.field_type);
                let message = format!(
                    "the column '{column}' has the type {found}, but the variable '{}' of prompt '{}' must be of type \
                     {wanted}",
                    variable.name, self.prompt_id
                );
                return Err(self.error(message, &variable.name).with_hint("cast the column to that type"));
            }
        }
        Ok(used)
    }

    fn used(&self, schema: &Schema) -> Result<UsedColumns> {
        for column in self.rename.keys() {
            if schema.column_with_name(column).is_none() {
                let message = format!("`rename` names the column '{column}', which the table does not have");
                let error = self.error(message, column);
                let names = schema.fields().iter().map(|field| field.name().as_str());
                return Err(match nearest(column, names) {
                    Some(near) => error.with_hint(format!("did you mean '{near}'?")),
                    None => error,
                });
            }
        }
        let mut used: Vec<(usize, Arc<str>)> = Vec::new();
        for (at, field) in schema.fields().iter().enumerate() {
            let name = self.rename.get(field.name()).unwrap_or(field.name()).as_str();
            if self.known.as_ref().is_some_and(|known| !known.contains(name)) {
                continue;
            }
            if used.iter().any(|(_, known)| **known == *name) {
                let message = format!("two columns of the table give the variable '{name}'");
                return Err(self.error(message, name).with_hint("drop one of them, or rename it"));
            }
            used.push((at, name.into()));
        }
        Ok(UsedColumns(used))
    }

    /// Refuses a variable of `rename` that the prompt does not have, if one of nearly this name is given by no column.
    fn check_renamed(&self, is_given: impl Fn(&str) -> bool) -> Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        for (column, variable) in
            self.rename.iter().filter(|(_, variable)| !known.contains(variable.as_str()))
        {
            let open = known.iter().map(AsRef::as_ref).filter(|name| !is_given(name));
            if let Some(near) = nearest(variable, open) {
                let message = format!(
                    "`rename` gives the column '{column}' to the variable '{variable}', which prompt '{}' does not have",
                    self.prompt_id
                );
                return Err(self.error(message, variable).with_hint(format!("did you mean '{near}'?")));
            }
        }
        Ok(())
    }

    fn missing(&self, schema: &Schema, names: &[&str]) -> Error {
        let list: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        let plural = if names.len() == 1 { "" } else { "s" };
        let message = format!(
            "the table has no column for the variable{plural} {} of prompt '{}'",
            list.join(", "),
            self.prompt_id
        );
        let first = names.first().copied().unwrap_or_default();
        let error = self.error(message, first);
        let stray = schema.fields().iter().map(|field| field.name().as_str());
        let stray = stray.filter(|name| !self.variables.iter().any(|variable| variable.name == *name));
        match names.iter().find_map(|name| nearest(name, stray.clone()).map(|near| (*name, near))) {
            Some((name, near)) => error
                .with_hint(format!("is the column '{near}' meant? Pass rename={{\"{near}\": \"{name}\"}}")),
            None => error.with_hint(format!("add the column, or pass rename={{\"a column\": \"{first}\"}}")),
        }
    }

    fn error(&self, message: String, variable: &str) -> Error {
        Error::new(Kind::TemplateRender, message)
            .with_context("prompt_id", self.prompt_id.as_str())
            .with_context("variable", variable)
    }
}

impl UsedColumns {
    /// The names of the variables that columns give.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, name)| &**name)
    }

    /// The positions of the columns.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|(at, _)| *at)
    }

    /// Opens the columns of a batch.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`] for a column of a type that templates have no value for.
    pub fn open<'a>(&self, batch: &'a RecordBatch) -> Result<Vec<MemberColumn<'a>>> {
        let schema = batch.schema_ref();
        let open = |(at, name): &(usize, Arc<str>)| {
            let (field, array) = (schema.field(*at), batch.column(*at));
            let column = Column::open(field, array.as_ref()).map_err(|why| {
                Error::new(Kind::TemplateRender, format!("the column '{}' {why}", field.name()))
                    .with_context("variable", &**name)
                    .with_hint("cast the column to another type, or drop it")
            })?;
            Ok(MemberColumn { name: Arc::clone(name), column })
        };
        self.0.iter().map(open).collect()
    }
}

/// Whether a column of this type can give a variable of that type. The values of a dictionary count.
fn may_be(wanted: FieldType, found: &DataType) -> bool {
    let found = match found {
        DataType::Dictionary(_, values) => return may_be(wanted, values),
        DataType::RunEndEncoded(_, values) => return may_be(wanted, values.data_type()),
        found => found,
    };
    let is_text = matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let is_list = matches!(
        found,
        DataType::List(_)
            | DataType::LargeList(_)
            | DataType::ListView(_)
            | DataType::LargeListView(_)
            | DataType::FixedSizeList(_, _)
    );
    let is_mapping = matches!(found, DataType::Struct(_) | DataType::Map(_, _));
    // A column of nulls gives an optional variable.
    if *found == DataType::Null {
        return true;
    }
    match wanted {
        FieldType::Any => true,
        FieldType::String => is_text,
        FieldType::Integer => found.is_integer(),
        FieldType::Float => found.is_numeric(),
        FieldType::Boolean => *found == DataType::Boolean,
        FieldType::List => is_list,
        FieldType::Dict => is_mapping,
        FieldType::Enum => !is_list && !is_mapping,
        FieldType::Date => is_text || matches!(found, DataType::Date32 | DataType::Date64),
        FieldType::DateTime => is_text || matches!(found, DataType::Timestamp(_, _)),
        FieldType::Uuid => is_text || matches!(found, DataType::FixedSizeBinary(16)),
    }
}
