//! `Schemas`: the schemas that a manager or loader holds, and what of schemas needs none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;

use super::data::PyData;
use super::data::values::{SharedObject, object};
use super::error::{OrRaise, raise};
use super::runtime::on_thread;
use super::text::PyText;
use crate::error::{Error, Kind};
use crate::schema::json_schema::{self, JsonSchemaMode};
use crate::schema::output::{self, AnswerOptions};
use crate::schema::rules::Rule;
use crate::schema::{self, Schema, SchemaEntry, SchemaRef, Values, parse};
use crate::store::directory;
use crate::template::Data;

/// Schemas over Python objects, for several threads.
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

/// A mapping for Python of what serde can write.
pub(super) fn plain<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let json = serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(pythonize::pythonize(py, &json)?)
}

/// Reads a schema that Python made; the rules are those of files. Where it is `exact`, it may say nothing without
/// effect.
fn read(schema: &Bound<'_, PyAny>, exact: bool) -> PyResult<Schema> {
    let py = schema.py();
    let json = PyData::without_engine(py).to_json(schema).map_err(|error| {
        let message = error.message().to_owned();
        error.recast(Kind::SchemaParse, message)
    });
    let json = json.or_raise(py)?;
    let read = if exact { parse::read_exact(&json) } else { parse::read_one(&json) };
    read.map_err(|error| Error::new(Kind::SchemaParse, crate::wire::plain(&error))).or_raise(py)
}

/// What a load gives: for each file its path, version, metadata and the names of its schemas; and what to warn of.
type LoadedSchemas = (Vec<LoadedSchemaFile>, Vec<String>);

#[derive(IntoPyObject)]
struct LoadedSchemaFile {
    path: String,
    version: Option<String>,
    metadata: Pythonized<serde_json::Map<String, Value>>,
    names: Vec<String>,
}

/// What becomes a Python object by way of serde.
struct Pythonized<T>(T);

impl<'py, T: serde::Serialize> IntoPyObject<'py> for Pythonized<T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(pythonize::pythonize(py, &self.0)?)
    }
}

/// Loads schemas from a file, or from all files below a directory. In a directory, what schemas refer to must be
/// there; a file's may come later.
fn load(
    shared: &SharedSchemas,
    path: &Path,
    is_directory: Option<bool>,
    skip: bool,
) -> crate::Result<LoadedSchemas> {
    let is_directory = is_directory.unwrap_or_else(|| path.is_dir());
    let found = if is_directory { directory::schemas(path)? } else { directory::schema_file(path)? };
    let mut errors = found.errors;
    let mut trial = shared.read().copy_schemas();
    let mut good = Vec::new();
    for schema in found.schemas {
        match trial.add(vec![schema.clone()]) {
            Ok(()) => good.push(schema),
            Err(error) => errors.push(match &schema.place {
                Some(place) => error.with_place(place.clone()),
                None => error,
            }),
        }
    }
    if is_directory && errors.is_empty() {
        errors = trial.check();
    }
    if !errors.is_empty() && !skip {
        return Err(one(errors, path));
    }
    let name_of = |schema: &Schema| schema.place.as_ref().and_then(|place| place.name.clone());
    let file = |(path, version, metadata): (String, Option<String>, serde_json::Map<String, Value>)| {
        let own = good.iter().filter(|schema| name_of(schema).as_deref() == Some(path.as_str()));
        LoadedSchemaFile {
            names: own.map(|schema| schema.name.clone()).collect(),
            path,
            version,
            metadata: Pythonized(metadata),
        }
    };
    let files = found.heads.into_iter().map(file).collect();
    errors.extend(good.iter().flat_map(schema::lints));
    shared.write().add(good)?;
    Ok((files, errors.iter().map(Error::report).collect()))
}

/// The only error, or one that names all.
fn one(mut errors: Vec<Error>, path: &Path) -> Error {
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

    /// Whether two are views of the same schemas.
    fn is_same(&self, other: &Bound<'_, Self>) -> bool {
        Arc::ptr_eq(&self.shared, &other.get().shared)
    }

    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    #[pyo3(signature = (path, *, is_directory = None, skip = false))]
    fn load_sync(
        &self,
        py: Python<'_>,
        path: PathBuf,
        is_directory: Option<bool>,
        skip: bool,
    ) -> PyResult<LoadedSchemas> {
        let shared = Arc::clone(&self.shared);
        py.detach(|| load(&shared, &path, is_directory, skip)).or_raise(py)
    }

    #[pyo3(signature = (path, *, is_directory = None, skip = false))]
    fn load<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        is_directory: Option<bool>,
        skip: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let shared = Arc::clone(&self.shared);
        on_thread(py, move || {
            load(&shared, &path, is_directory, skip).map_err(|error| Python::attach(|py| raise(py, &error)))
        })
    }

    /// A copy that can be changed apart; functions stay behind.
    fn copy(&self) -> Self {
        Self { shared: Arc::new(self.shared.copy()) }
    }

    /// Adds a schema that Python made. One that is `checked` was read before.
    #[pyo3(signature = (schema, *, checked = false))]
    fn add(&self, schema: &Bound<'_, PyAny>, checked: bool) -> PyResult<()> {
        let read = read(schema, !checked)?;
        let added = self.shared.write().add(vec![read]);
        added.or_raise(schema.py())
    }

    /// Puts a schema that was checked before under its name, whatever stood there.
    fn put(&self, schema: &Bound<'_, PyAny>) -> PyResult<()> {
        let schema = read(schema, false)?;
        let before = self.shared.write().put(schema.name.clone(), SchemaEntry::Schema(Arc::new(schema)));
        drop(before);
        Ok(())
    }

    /// Puts a model under a name; the schema or model that stood there is replaced.
    fn put_model(&self, name: String, model: Py<PyAny>) {
        let before = self.shared.write().put(name, SchemaEntry::Model(Arc::new(model)));
        // Dropped outside the lock: the end of an object may run code.
        drop(before);
    }

    fn register_function(&self, name: String, function: Py<PyAny>) {
        let before = self.shared.write().register_function(name, Arc::new(function));
        drop(before);
    }

    fn names(&self) -> Vec<String> {
        self.shared.read().names().map(str::to_owned).collect()
    }

    /// The schema as plain data, or the model; `None` where there is neither.
    fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
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

    /// Checks that all that schemas refer to is there.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        let first = self.shared.read().check().into_iter().next();
        first.map_or(Ok(()), |error| Err(raise(py, &error)))
    }

    #[pyo3(signature = (name, data, *, coerce = None))]
    fn validate<'py>(
        &self,
        name: &str,
        data: &Bound<'py, PyAny>,
        coerce: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        let compiled = self.shared.compiled(&SchemaRef::Name(name.into()));
        let made = compiled
            .and_then(|compiled| compiled.validate(&PyData::without_engine(py), data, "the data", coerce));
        Ok(made.or_raise(py)?.unwrap_or_else(|| data.clone()))
    }

    /// The fields of a schema that Python made with those of its parents, as plain data.
    fn fields<'py>(&self, schema: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = schema.py();
        let schema = read(schema, false)?;
        let fields = {
            let set = self.shared.read();
            let fields = set.fields(&schema, &[&schema.definitions]);
            fields.map(|fields| fields.into_iter().cloned().collect::<Vec<_>>())
        };
        plain(py, &fields.or_raise(py)?)
    }

    /// The function that was registered under a name.
    fn function(&self, py: Python<'_>, name: &str) -> Option<Py<PyAny>> {
        let function = self.shared.read().function(name).cloned();
        function.map(|function| function.clone_ref(py))
    }

    #[pyo3(signature = (name, *, strict = false))]
    fn json_schema<'py>(&self, py: Python<'py>, name: &str, strict: bool) -> PyResult<Bound<'py, PyAny>> {
        let form = if strict { JsonSchemaMode::Strict } else { JsonSchemaMode::Full };
        let data = PyData::without_engine(py);
        let says =
            self.shared.json_schema(&SchemaRef::Name(name.into()), form, &|model| data.json_schema(model));
        plain(py, &says.or_raise(py)?)
    }

    /// Data that fits the schema; `None` where none can be thought of.
    fn example<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let example =
            self.shared.example(&PyData::without_engine(py), &SchemaRef::Name(name.into())).or_raise(py)?;
        example.map(|example| plain(py, &example)).transpose()
    }

    fn instructions(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        let text = self.shared.instructions(&PyData::without_engine(py), &SchemaRef::Name(name.into()));
        Ok(text.or_raise(py)?.as_ref().to_owned())
    }
}

/// Checks a schema that Python built, and gives it as files would have it. Where it is `exact`, it may say nothing
/// without effect.
#[pyfunction]
#[pyo3(signature = (schema, *, exact = true))]
pub(super) fn check_schema<'py>(schema: &Bound<'py, PyAny>, exact: bool) -> PyResult<Bound<'py, PyAny>> {
    plain(schema.py(), &read(schema, exact)?)
}

/// What is wrong with a value by one validator; `None` where nothing is.
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
    let validator = parse::read_validator_of(&json)
        .map_err(|error| Error::new(Kind::SchemaParse, crate::wire::plain(&error)))
        .or_raise(py)?;
    let missing = || Error::new(Kind::Schema, "a function is missing");
    let rule = Rule::new(&validator, |_| function.map(Arc::new).ok_or_else(missing)).or_raise(py)?;
    rule.broken(&data, value, data.kind_of(value)).or_raise(py)
}

/// A JSON Schema as a schema, in plain data.
#[pyfunction]
pub(super) fn json_schema_to_schema<'py>(
    name: &str,
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

/// The JSON of an answer, its repairs as `{kind, message, line, column}`, and how many lists and dicts lack their
/// end.
#[pyfunction]
#[pyo3(signature = (text, *, strict = false, dict = false))]
pub(super) fn parse_json<'py>(
    py: Python<'py>,
    text: &str,
    strict: bool,
    dict: bool,
) -> PyResult<(Bound<'py, PyAny>, Vec<Bound<'py, PyDict>>, usize)> {
    let answer = py.detach(|| output::parse(text, AnswerOptions { strict, dict })).or_raise(py)?;
    let repairs = answer.repairs.into_iter().map(|repair| {
        let dict = PyDict::new(py);
        dict.set_item("kind", repair.kind.as_str())?;
        dict.set_item("message", repair.message())?;
        dict.set_item("line", repair.line)?;
        dict.set_item("column", repair.column)?;
        Ok(dict)
    });
    let repairs = repairs.collect::<PyResult<_>>()?;
    Ok((object(py, &answer.parsed)?, repairs, answer.open))
}
