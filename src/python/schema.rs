//! `Schemas`, the schemas that a manager or loader holds, and the functions that check a single schema or answer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::Value;

use super::arguments;
use super::check::{PyFinding, findings};
use super::data::PyData;
use super::data::values::SharedObject;
use super::error::{OrRaise, raise};
use super::runtime::{detached, on_thread};
use super::text::PyText;
use crate::check::Finding;
use crate::error::{Error, Kind};
use crate::schema::json_schema::{self, JsonSchemaMode};
use crate::schema::rules::Rule;
use crate::schema::{self, Schema, SchemaEntry, SchemaRef, ScopedSchema, Values, parse};
use crate::store::{directory, hide_ignored};
use crate::template::Data;

/// Schemas that validate Python objects, shared between threads.
pub(super) type SharedSchemas = schema::SharedSchemaSet<PyText, SharedObject, SharedObject>;

/// Schemas by name.
#[pyclass(frozen, name = "Schemas", module = "prompt_manager._native")]
pub struct PySchemas {
    shared: Arc<SharedSchemas>,
}

impl PySchemas {
    pub(super) fn of(shared: &Arc<SharedSchemas>) -> Self {
        Self { shared: Arc::clone(shared) }
    }

    pub(super) fn arc(&self) -> &Arc<SharedSchemas> {
        &self.shared
    }

    pub(super) fn shared(&self) -> &SharedSchemas {
        &self.shared
    }
}

/// Serializes a value to dicts, lists and scalars of Python.
pub(super) fn plain<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let json = serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(pythonize::pythonize(py, &json)?)
}

/// Reads a schema that Python built, by the rules for files. If `exact`, a setting without effect is an error.
fn read(schema: &Bound<'_, PyAny>, exact: bool) -> PyResult<Schema> {
    let py = schema.py();
    let json = PyData::without_engine(py).to_json(schema).map_err(|error| {
        let message = error.message().to_owned();
        error.recast(Kind::SchemaParse, message)
    });
    let read = json.and_then(|json| if exact { parse::read_exact(&json) } else { parse::read_one(&json) });
    read.or_raise(py)
}

/// The result of a load: the files and the warnings.
type LoadedSchemas = (Vec<LoadedSchemaFile>, Vec<PyFinding>);

#[derive(IntoPyObject)]
struct LoadedSchemaFile {
    path: String,
    version: Option<String>,
    metadata: Pythonized<serde_json::Map<String, Value>>,
    names: Vec<String>,
}

/// A value that is serialized when it is passed to Python.
struct Pythonized<T>(T);

impl<'py, T: serde::Serialize> IntoPyObject<'py> for Pythonized<T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize::pythonize(py, &self.0)?)
    }
}

/// Loads the schemas of a file, or of all files below a directory. Schemas of a directory may only refer to schemas that
/// exist. Schemas of a file may refer to schemas that are loaded later.
fn load(
    shared: &SharedSchemas,
    path: &Path,
    is_directory: Option<bool>,
    skip: bool,
) -> crate::Result<LoadedSchemas> {
    let is_directory = is_directory.unwrap_or_else(|| path.is_dir());
    let found = if is_directory { directory::schemas(path)? } else { directory::schema_file(path)? };
    let mut errors = found.errors;
    let good = add_each(shared, found.schemas, |set, problems| {
        errors.extend(problems);
        if is_directory && errors.is_empty() {
            errors = set.check();
        }
        errors.is_empty() || skip
    });
    if !errors.is_empty() && !skip {
        return Err(combined(errors, path));
    }
    let mut names: HashMap<String, Vec<String>> = HashMap::new();
    for schema in &good {
        let path = schema.place.as_ref().and_then(|place| place.name.clone()).unwrap_or_default();
        names.entry(path).or_default().push(schema.name.clone());
    }
    let file = |(path, version, metadata): (String, Option<String>, serde_json::Map<String, Value>)| {
        LoadedSchemaFile {
            names: names.remove(&path).unwrap_or_default(),
            path,
            version,
            metadata: Pythonized(metadata),
        }
    };
    let files = found.heads.into_iter().map(file).collect();
    let lints: Vec<Error> = good.iter().flat_map(schema::lints).collect();
    let mut warnings: Vec<Finding> = lints.iter().map(Finding::of_error).chain(found.warnings).collect();
    hide_ignored(&mut warnings);
    Ok((files, findings(errors.iter().map(Finding::of_error).chain(warnings).collect())))
}

/// Adds schemas and returns those that could be added. `keep` gets the set and the errors of the others; if it returns
/// false, the added schemas are removed again.
fn add_each(
    shared: &SharedSchemas,
    schemas: Vec<Schema>,
    keep: impl FnOnce(&schema::SchemaSet<PyText, SharedObject, SharedObject>, Vec<Error>) -> bool,
) -> Vec<Schema> {
    let mut set = shared.write();
    let (mut good, mut names, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for schema in schemas {
        match set.add(vec![schema.clone()]) {
            Ok(new) => {
                names.extend(new);
                good.push(schema);
            }
            Err(error) => errors.push(match &schema.place {
                Some(place) => error.with_place(place.clone()),
                None => error,
            }),
        }
    }
    if !keep(&set, errors) {
        set.remove(&names);
    }
    good
}

/// Returns the only error, or one error that contains all of them.
fn combined(mut errors: Vec<Error>, path: &Path) -> Error {
    if errors.len() == 1 {
        return errors.remove(0);
    }
    Error::new(Kind::SchemaParse, format!("{} problems in {}", errors.len(), path.display()))
        .with_context("path", path.display().to_string())
        .with_errors(errors)
}

#[pymethods]
impl PySchemas {
    #[new]
    fn new() -> Self {
        Self { shared: Arc::default() }
    }

    /// Whether both objects share the same schemas.
    fn is_same(&self, other: &Bound<'_, Self>) -> bool {
        Arc::ptr_eq(&self.shared, &other.get().shared)
    }

    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    #[pyo3(signature = (path, *, is_directory = None, skip = false))]
    fn load_sync(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        is_directory: Option<bool>,
        skip: bool,
    ) -> PyResult<LoadedSchemas> {
        let shared = Arc::clone(&self.shared);
        detached(py, || load(&shared, &path, is_directory, skip)).or_raise(py)
    }

    #[pyo3(signature = (path, *, is_directory = None, skip = false))]
    fn load<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::path)] path: PathBuf,
        is_directory: Option<bool>,
        skip: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let shared = Arc::clone(&self.shared);
        on_thread(py, move || {
            load(&shared, &path, is_directory, skip).map_err(|error| Python::attach(|py| raise(py, &error)))
        })
    }

    /// Returns an independent copy, without the functions.
    fn copy(&self) -> Self {
        Self { shared: Arc::new(self.shared.copy()) }
    }

    /// Adds a schema that Python built. If `checked`, settings without effect are accepted.
    #[pyo3(signature = (schema, *, checked = false))]
    fn add(&self, schema: &Bound<'_, PyAny>, checked: bool) -> PyResult<()> {
        let read = read(schema, !checked)?;
        let added = self.shared.write().add(vec![read]).map(drop);
        added.or_raise(schema.py())
    }

    /// Adds the schemas of another set, which were checked before. Models are left out.
    fn add_all(&self, py: Python<'_>, other: &Bound<'_, Self>) -> PyResult<()> {
        let schemas: Vec<Schema> = {
            let other = other.get().shared.read();
            let names = other.names();
            let schemas = names.filter_map(|name| match other.get(name) {
                Some(SchemaEntry::Schema(schema)) => Some((**schema).clone()),
                _ => None,
            });
            schemas.collect()
        };
        self.shared.write().add(schemas).map(drop).or_raise(py)
    }

    /// Adds a schema that was checked before. It replaces the schema or model of that name.
    fn put(&self, schema: &Bound<'_, PyAny>) -> PyResult<()> {
        let schema = read(schema, false)?;
        let before = self.shared.write().put(schema.name.clone(), SchemaEntry::Schema(Arc::new(schema)));
        drop(before);
        Ok(())
    }

    /// Adds a model. It replaces the schema or model of that name.
    fn put_model(&self, #[pyo3(from_py_with = arguments::schema_name)] name: String, model: Py<PyAny>) {
        let before = self.shared.write().put(name, SchemaEntry::Model(Arc::new(model)));
        // Dropped outside the lock, because dropping a Python object may run code.
        drop(before);
    }

    fn register_function(
        &self,
        #[pyo3(from_py_with = arguments::schema_name)] name: String,
        function: Py<PyAny>,
    ) {
        let before = self.shared.write().register_function(name, Arc::new(function));
        drop(before);
    }

    fn names(&self) -> Vec<String> {
        self.shared.read().names().map(str::to_owned).collect()
    }

    /// Returns a schema as plain data, or a model, or `None`.
    fn get<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::schema_name)] name: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let entry = self.shared.read().get(name).cloned();
        match entry {
            None => Ok(None),
            Some(SchemaEntry::Schema(schema)) => plain(py, &*schema).map(Some),
            Some(SchemaEntry::Model(model)) => Ok(Some(model.bind(py).clone())),
        }
    }

    fn clear(&self) {
        let before = self.shared.write().clear();
        drop(before);
    }

    /// Raises an error if a schema refers to a schema, model or function that does not exist.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        let first = self.shared.read().check().into_iter().next();
        first.map_or(Ok(()), |error| Err(raise(py, &error)))
    }

    #[pyo3(signature = (name, data, *, coerce = None))]
    fn validate<'py>(
        &self,
        #[pyo3(from_py_with = arguments::schema_name)] name: &str,
        data: &Bound<'py, PyAny>,
        coerce: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let compiled = self.shared.compiled(&SchemaRef::Name(name.into()));
        let made = compiled
            .and_then(|compiled| compiled.validate(&PyData::without_engine(py), data, "the data", coerce));
        Ok(made.or_raise(py)?.unwrap_or_else(|| data.clone()))
    }

    /// Returns the fields of a schema that Python built and of its parents, as plain data.
    fn fields<'py>(&self, schema: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = schema.py();
        let schema = read(schema, false)?;
        let fields = {
            let set = self.shared.read();
            let fields = set.fields(&ScopedSchema::new(&schema));
            fields.map(|fields| fields.into_iter().map(|(_, field)| field.clone()).collect::<Vec<_>>())
        };
        plain(py, &fields.or_raise(py)?)
    }

    /// Returns the function that was registered under a name.
    fn function(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::schema_name)] name: &str,
    ) -> Option<Py<PyAny>> {
        let function = self.shared.read().function(name).cloned();
        function.map(|function| function.clone_ref(py))
    }

    #[pyo3(signature = (name, *, strict = false))]
    fn json_schema<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::schema_name)] name: &str,
        strict: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mode = if strict { JsonSchemaMode::Strict } else { JsonSchemaMode::Full };
        let data = PyData::without_engine(py);
        let schema =
            self.shared.json_schema(&SchemaRef::Name(name.into()), mode, &|model| data.json_schema(model));
        plain(py, &schema.or_raise(py)?)
    }

    /// Returns example data that fits the schema, or `None` if no example can be made.
    fn example<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = arguments::schema_name)] name: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let example =
            self.shared.example(&PyData::without_engine(py), &SchemaRef::Name(name.into())).or_raise(py)?;
        example.map(|example| plain(py, &example)).transpose()
    }

    fn instructions(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::schema_name)] name: &str,
    ) -> PyResult<String> {
        let text = self.shared.instructions(&PyData::without_engine(py), &SchemaRef::Name(name.into()));
        Ok(text.or_raise(py)?.as_ref().to_owned())
    }
}

/// Checks a schema that Python built, and returns it as plain data in the format of files. If `exact`, a setting without
/// effect is an error.
#[pyfunction]
#[pyo3(signature = (schema, *, exact = true))]
pub(super) fn check_schema<'py>(schema: &Bound<'py, PyAny>, exact: bool) -> PyResult<Bound<'py, PyAny>> {
    plain(schema.py(), &read(schema, exact)?)
}

/// Checks a value with one validator. Returns the message of the violation, or `None`.
#[pyfunction]
#[pyo3(signature = (validator, value, function = None))]
pub(super) fn check_rule(
    validator: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
    function: Option<Py<PyAny>>,
) -> PyResult<Option<String>> {
    let py = value.py();
    let data = PyData::without_engine(py);
    let json: Value = data.to_json(validator).or_raise(py)?;
    let validator = parse::read_validator_of(&json).or_raise(py)?;
    let missing = || Error::new(Kind::Schema, "the validator calls a function, but none was passed");
    let rule = Rule::new(&validator, |_| function.map(Arc::new).ok_or_else(missing)).or_raise(py)?;
    let kind = data.kind_of(value).or_raise(py)?;
    rule.broken(&data, value, kind).or_raise(py)
}

/// Converts a JSON Schema to a schema, as plain data.
#[pyfunction]
pub(super) fn json_schema_to_schema<'py>(
    #[pyo3(from_py_with = arguments::schema_name)] name: &str,
    document: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = document.py();
    let json = PyData::without_engine(py).to_json(document).map_err(|error| {
        let message = error.message().to_owned();
        error.recast(Kind::SchemaParse, message)
    });
    let schema = json.and_then(|json| json_schema::read(name, &json)).or_raise(py)?;
    plain(py, &schema)
}
