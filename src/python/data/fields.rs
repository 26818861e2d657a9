//! The declared fields of a class: of pydantic models, dataclasses, attrs and msgspec classes, and named tuples.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::object::{Object, is_public, optional};

/// Returns the names of the declared public fields, as the keys of a dict, and whether the class is a pydantic model.
/// `None` for a class that declares no fields.
pub(super) fn declared<'py>(class: &Bound<'py, PyType>) -> PyResult<(Option<Bound<'py, PyDict>>, bool)> {
    let py = class.py();
    let attribute = |name: &Bound<'py, PyString>| optional(py, class.getattr(name));
    if let Some(fields) = attribute(intern!(py, "__pydantic_fields__"))?.and_then(as_dict) {
        let names = public(py, fields.keys().iter())?;
        add_computed(class, &names)?;
        return Ok((Some(names), true));
    }
    if let Some(fields) = attribute(intern!(py, "__dataclass_fields__"))?.and_then(as_dict) {
        let names = PyDict::new(py);
        for (name, field) in fields {
            if is_stored(&field)? {
                add(&names, &name)?;
            }
        }
        return Ok((Some(names), false));
    }
    if let Some(fields) = attribute(intern!(py, "__attrs_attrs__"))?.and_then(as_tuple) {
        let names = PyDict::new(py);
        for field in fields.iter() {
            add(&names, &field.getattr(intern!(py, "name"))?)?;
        }
        return Ok((Some(names), false));
    }
    if let Some(fields) = attribute(intern!(py, "__struct_fields__"))?.and_then(as_tuple) {
        return Ok((Some(public(py, fields.iter())?), false));
    }
    if class.is_subclass_of::<PyTuple>()?
        && let Some(fields) = attribute(intern!(py, "_fields"))?.and_then(as_tuple)
    {
        return Ok((Some(public(py, fields.iter())?), false));
    }
    Ok((None, false))
}

/// Adds the computed fields of a pydantic model.
fn add_computed<'py>(class: &Bound<'py, PyType>, names: &Bound<'py, PyDict>) -> PyResult<()> {
    let py = class.py();
    let Some(decorators) = optional(py, class.getattr(intern!(py, "__pydantic_decorators__")))? else {
        return Ok(());
    };
    let Some(computed) = optional(py, decorators.getattr(intern!(py, "computed_fields")))? else {
        return Ok(());
    };
    let Some(computed) = as_dict(computed) else { return Ok(()) };
    computed.keys().iter().try_for_each(|name| add(names, &name))
}

fn public<'py>(py: Python<'py>, fields: impl Iterator<Item = Object<'py>>) -> PyResult<Bound<'py, PyDict>> {
    let names = PyDict::new(py);
    for name in fields {
        add(&names, &name)?;
    }
    Ok(names)
}

/// Adds a name if it is public.
fn add<'py>(names: &Bound<'py, PyDict>, name: &Object<'py>) -> PyResult<()> {
    let is_public = name.cast::<PyString>().is_ok_and(|name| is_public(&name.to_string_lossy()));
    if is_public { names.set_item(name, names.py().None()) } else { Ok(()) }
}

/// Whether instances have the field of a dataclass. A dataclass also lists class variables and arguments of the constructor
/// among its fields.
fn is_stored(field: &Object<'_>) -> PyResult<bool> {
    let py = field.py();
    let Some(kind) = optional(py, field.getattr(intern!(py, "_field_type")))? else { return Ok(true) };
    let Some(name) = optional(py, kind.getattr(intern!(py, "name")))? else { return Ok(true) };
    name.eq("_FIELD")
}

fn as_dict(found: Object<'_>) -> Option<Bound<'_, PyDict>> {
    found.cast_into().ok()
}

fn as_tuple(found: Object<'_>) -> Option<Bound<'_, PyTuple>> {
    found.cast_into().ok()
}
