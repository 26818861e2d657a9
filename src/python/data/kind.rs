//! The kind of value of a Python object, and the fields that a template can read.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyNone, PySequence, PyString,
    PyTuple, PyType,
};

use super::overlay::Overlay;
use crate::template::ValueKind;

/// A Python object that templates read.
pub(in crate::python) type Object<'py> = Bound<'py, PyAny>;

/// Returns the value of an enum member, the text of a `UserString`, and any other object itself. Call this before reading
/// an object.
pub(super) fn bare<'py>(value: &Object<'py>) -> Object<'py> {
    // Testing for a `UserString` is slow, because it runs the Python code of `abc`. So plain values are not tested.
    if is_plain(value) {
        return value.clone();
    }
    inner(value).unwrap_or_else(|| value.clone())
}

/// Whether the object has one of Python's own types, and not a subclass.
#[inline]
fn is_plain(value: &Object<'_>) -> bool {
    value.cast_exact::<PyString>().is_ok()
        || value.cast_exact::<PyDict>().is_ok()
        || value.cast_exact::<PyList>().is_ok()
        || value.cast_exact::<PyInt>().is_ok()
        || value.cast::<PyNone>().is_ok()
        || value.cast_exact::<PyBool>().is_ok()
        || value.cast_exact::<PyFloat>().is_ok()
}

/// Returns the value of an enum member or the text of a `UserString`.
fn inner<'py>(value: &Object<'py>) -> Option<Object<'py>> {
    let py = value.py();
    let is = |kind: &Bound<'py, PyType>| value.is_instance(kind).unwrap_or(false);
    if known_type(py, &ENUM, "enum", "Enum").is_some_and(is) {
        return value.getattr(intern!(py, "value")).ok();
    }
    if known_type(py, &USER_STRING, "collections", "UserString").is_some_and(is) {
        return value.getattr(intern!(py, "data")).ok();
    }
    None
}

type TypeCell = PyOnceLock<Option<Py<PyType>>>;

static ENUM: TypeCell = PyOnceLock::new();
static USER_STRING: TypeCell = PyOnceLock::new();
static DATE: TypeCell = PyOnceLock::new();
static DATETIME: TypeCell = PyOnceLock::new();
static UUID: TypeCell = PyOnceLock::new();
static PATH: TypeCell = PyOnceLock::new();
static NUMBER: TypeCell = PyOnceLock::new();
static TIME: TypeCell = PyOnceLock::new();
static TIMEDELTA: TypeCell = PyOnceLock::new();

/// Returns a type of the standard library, or `None` if its module is not imported. A program that has not imported the
/// module cannot have an object of that type.
pub(super) fn known_type<'py>(
    py: Python<'py>,
    cell: &'static TypeCell,
    module: &str,
    name: &str,
) -> Option<&'py Bound<'py, PyType>> {
    if let Some(known) = cell.get(py) {
        return known.as_ref().map(|known| known.bind(py));
    }
    let modules = py.import(intern!(py, "sys")).and_then(|sys| sys.getattr(intern!(py, "modules"))).ok()?;
    let module = modules.get_item(module).ok()?;
    let found = module.getattr(name).ok()?.cast_into::<PyType>().ok()?.unbind();
    cell.get_or_init(py, || Some(found)).as_ref().map(|known| known.bind(py))
}

/// Returns the kind of a value. An enum member has the kind of its value.
pub(in crate::python) fn kind_of(value: &Object<'_>) -> ValueKind {
    if value.cast_exact::<PyString>().is_ok() {
        ValueKind::String
    } else if value.cast_exact::<PyDict>().is_ok() {
        ValueKind::Mapping
    } else if value.cast_exact::<PyList>().is_ok() {
        ValueKind::Sequence
    } else if value.cast_exact::<PyInt>().is_ok() {
        ValueKind::Integer
    } else if value.cast::<PyNone>().is_ok() {
        ValueKind::Null
    } else if value.cast_exact::<PyBool>().is_ok() {
        ValueKind::Bool
    } else if value.cast_exact::<PyFloat>().is_ok() {
        ValueKind::Float
    } else {
        kind_of_object(value)
    }
}

fn kind_of_object(value: &Object<'_>) -> ValueKind {
    let py = value.py();
    if let Some(inner) = inner(value) {
        return kind_of(&inner);
    }
    if value.cast::<PyString>().is_ok() {
        return ValueKind::String;
    }
    if value.cast::<PyDict>().is_ok() || value.cast_exact::<Overlay>().is_ok() {
        return ValueKind::Mapping;
    }
    if value.cast::<PyInt>().is_ok() {
        return ValueKind::Integer;
    }
    if value.cast::<PyFloat>().is_ok() {
        return ValueKind::Float;
    }
    if value.cast::<PyTuple>().is_ok() || value.cast::<PyList>().is_ok() {
        return ValueKind::Sequence;
    }
    if value.cast::<PyBytes>().is_ok()
        || value.cast::<PyByteArray>().is_ok()
        || value.cast::<PyType>().is_ok()
    {
        return ValueKind::Other;
    }
    let is = |cell, module, name| {
        known_type(py, cell, module, name).is_some_and(|known| value.is_instance(known).unwrap_or(false))
    };
    if is(&DATETIME, "datetime", "datetime") {
        ValueKind::DateTime
    } else if is(&DATE, "datetime", "date") {
        ValueKind::Date
    } else if is(&UUID, "uuid", "UUID") {
        ValueKind::Uuid
    } else if is(&NUMBER, "numbers", "Number") {
        ValueKind::Float
    } else if is(&PATH, "pathlib", "PurePath")
        || is(&TIME, "datetime", "time")
        || is(&TIMEDELTA, "datetime", "timedelta")
    {
        ValueKind::Scalar
    } else if fields(value).is_some() {
        ValueKind::Record
    } else if value.cast::<PyMapping>().is_ok() {
        ValueKind::Mapping
    } else if value.cast::<PySequence>().is_ok() {
        ValueKind::Sequence
    } else if value.is_iterable() {
        ValueKind::Iterable
    } else {
        ValueKind::Other
    }
}

/// Tests whether an object can be iterated over, without starting an iteration.
trait MaybeIterable {
    fn is_iterable(&self) -> bool;
}

impl MaybeIterable for Object<'_> {
    fn is_iterable(&self) -> bool {
        self.get_type().hasattr(intern!(self.py(), "__iter__")).unwrap_or(false)
    }
}

/// Returns the declared fields of a pydantic model or dataclass, by name. A dataclass also declares pseudo-fields; see
/// [`is_stored`].
pub(super) fn fields<'py>(value: &Object<'py>) -> Option<Bound<'py, PyDict>> {
    let py = value.py();
    let class = value.get_type();
    for declared in [intern!(py, "__pydantic_fields__"), intern!(py, "__dataclass_fields__")] {
        if let Ok(found) = class.getattr(declared)
            && let Ok(found) = found.cast_into::<PyDict>()
        {
            return Some(found);
        }
    }
    None
}

/// Whether instances have the field. A dataclass also lists class variables and arguments of the constructor among its
/// fields.
pub(super) fn is_stored(field: &Object<'_>) -> bool {
    let py = field.py();
    let kind = field.getattr(intern!(py, "_field_type")).and_then(|kind| kind.getattr(intern!(py, "name")));
    kind.is_err() || kind.is_ok_and(|name| name.eq("_FIELD").unwrap_or(false))
}

/// Whether a name is public. Templates cannot read private fields.
pub(super) fn is_public(name: &str) -> bool {
    !name.starts_with('_')
}

/// Returns the extra fields of a pydantic model that allows them.
pub(super) fn extra<'py>(value: &Object<'py>) -> Option<Bound<'py, PyDict>> {
    value.getattr(intern!(value.py(), "__pydantic_extra__")).ok()?.cast_into::<PyDict>().ok()
}

/// Returns the field names of a named tuple.
pub(super) fn tuple_fields<'py>(value: &Object<'py>) -> Option<Bound<'py, PyTuple>> {
    if value.cast::<PyTuple>().is_err() || value.cast_exact::<PyTuple>().is_ok() {
        return None;
    }
    value.get_type().getattr(intern!(value.py(), "_fields")).ok()?.cast_into::<PyTuple>().ok()
}
