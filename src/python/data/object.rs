//! The objects that templates read, and tests of their types that run no code of the caller.

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyModule, PyNone, PyString, PyTuple, PyType};

use crate::template::ValueKind;

/// A Python object that templates read.
pub(in crate::python) type Object<'py> = Bound<'py, PyAny>;

/// The kind of an object of one of Python's own types, and not of a subclass.
#[inline]
pub(super) fn plain_kind(value: &Object<'_>) -> Option<ValueKind> {
    Some(if value.cast_exact::<PyString>().is_ok() {
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
    } else if value.cast_exact::<PyTuple>().is_ok() {
        ValueKind::Sequence
    } else {
        return None;
    })
}

/// The result of an operation that an object may lack. Only a `TypeError` and an `AttributeError` mean that it does. Any
/// other exception may come from a signal handler, such as one for Ctrl-C, and must end the call.
pub(in crate::python) fn optional<T>(py: Python<'_>, result: PyResult<T>) -> PyResult<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error)
            if error.is_instance_of::<PyAttributeError>(py) || error.is_instance_of::<PyTypeError>(py) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether a name is public. Templates cannot read private fields.
pub(super) fn is_public(name: &str) -> bool {
    !name.starts_with('_')
}

type TypeCell = PyOnceLock<Py<PyAny>>;

/// Returns a type of a module, or `None` if the module is not imported. A program that has not imported the module cannot
/// have an object of that type.
pub(super) fn known_type<'py>(
    py: Python<'py>,
    cell: &'static TypeCell,
    module: &str,
    name: &str,
) -> Option<&'py Bound<'py, PyAny>> {
    if let Some(known) = cell.get(py) {
        return Some(known.bind(py));
    }
    let modules = py.import(intern!(py, "sys")).and_then(|sys| sys.getattr(intern!(py, "modules"))).ok()?;
    let modules = modules.cast_into::<PyDict>().ok()?;
    let module = modules.get_item(module).ok()??.cast_into::<PyModule>().ok()?;
    // A module that is being imported may not have the name yet. An attribute could be imported on demand, and what a
    // signal handler raises there would be lost.
    let found = module.dict().get_item(name).ok()??;
    let found = if found.cast::<PyType>().is_ok() { found } else { found.get_type().into_any() };
    cell.get_or_init(py, || found.unbind());
    cell.get(py).map(|known| known.bind(py))
}

/// Whether the class is the type with this name in a module, or a subclass of it. Runs no code of the caller. Where the
/// name is that of a constant, the type is that of the constant.
macro_rules! is_subtype {
    ($class:expr, $module:literal, $name:literal) => {{
        static CELL: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::PyAny>> = pyo3::sync::PyOnceLock::new();
        let class: &pyo3::Bound<'_, pyo3::types::PyType> = $class;
        $crate::python::data::object::known_type(class.py(), &CELL, $module, $name)
            .is_some_and(|known| class.mro().iter().any(|base| base.is(known)))
    }};
}
pub(super) use is_subtype;
