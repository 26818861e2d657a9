//! Values of NumPy, pandas, polars, pyarrow and SQLAlchemy. They are recognised by type; no package is imported.

use pyo3::exceptions::PyOverflowError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyTuple, PyType};

use super::object::Object;
use super::object::is_subtype;
use super::reading::ObjectReading;
use crate::template::ValueKind;

/// Whether the objects of a class represent a missing value.
pub(super) fn is_null(class: &Bound<'_, PyType>) -> bool {
    is_subtype!(class, "pandas", "NA")
        || is_subtype!(class, "pandas", "NaT")
        || is_subtype!(class, "numpy.ma.core", "MaskedConstant")
}

/// Whether the objects of a class are scalars of NumPy that hold another Python value. Its texts and bytes are subclasses of
/// Python's own types and need no such step.
pub(super) fn is_numpy_scalar(class: &Bound<'_, PyType>) -> bool {
    is_subtype!(class, "numpy", "generic") && !is_subtype!(class, "numpy", "character")
}

/// How the objects of a class of one of the packages are read.
pub(super) fn reading(class: &Bound<'_, PyType>) -> Option<ObjectReading> {
    Some(if is_subtype!(class, "numpy", "void") {
        ObjectReading::NumpyRow
    } else if is_numpy_scalar(class) {
        ObjectReading::NumpyScalar
    } else if is_subtype!(class, "numpy", "ndarray") {
        ObjectReading::NumpyArray
    } else if is_subtype!(class, "pandas", "Series") {
        ObjectReading::Series
    } else if is_subtype!(class, "pandas", "DataFrame") {
        ObjectReading::Frame("frame.to_dict(\"records\")")
    } else if is_subtype!(class, "polars", "DataFrame") {
        ObjectReading::Frame("frame.to_dicts()")
    } else if is_subtype!(class, "polars", "LazyFrame") {
        ObjectReading::Frame("frame.collect().to_dicts()")
    } else if is_subtype!(class, "pyarrow", "Table") || is_subtype!(class, "pyarrow", "RecordBatch") {
        ObjectReading::Frame("table.to_pylist()")
    } else if is_subtype!(class, "pyarrow", "Scalar") {
        ObjectReading::ArrowScalar
    } else if is_subtype!(class, "sqlalchemy.engine", "Row") || is_subtype!(class, "sqlite3", "Row") {
        ObjectReading::Row
    } else if is_subtype!(class, "pandas", "Period")
        || is_subtype!(class, "pandas", "Interval")
        || is_subtype!(class, "pydantic.networks", "AnyUrl")
    {
        ObjectReading::Kind(ValueKind::Scalar)
    } else if is_subtype!(class, "pandas", "Index")
        || is_subtype!(class, "pandas.api.extensions", "ExtensionArray")
        || is_subtype!(class, "polars", "Series")
        || is_subtype!(class, "pyarrow", "Array")
        || is_subtype!(class, "pyarrow", "ChunkedArray")
    {
        ObjectReading::Array
    } else {
        return None;
    })
}

/// Returns the value that an object holds, or `None` if it holds no other value.
pub(super) fn held<'py>(value: &Object<'py>, reading: ObjectReading) -> PyResult<Option<Object<'py>>> {
    let py = value.py();
    match reading {
        ObjectReading::Attribute(name) => value.getattr(name).map(Some),
        ObjectReading::NumpyScalar => numpy_scalar(value).map(Some),
        ObjectReading::NumpyArray => match value.getattr(intern!(py, "ndim"))?.extract::<usize>()? {
            0 => value.get_item(PyTuple::empty(py)).map(Some),
            // Each row of a matrix is again a matrix of the same number of dimensions.
            _ if is_subtype!(&value.get_type(), "numpy", "matrix") => {
                value.getattr(intern!(py, "A")).map(Some)
            }
            _ => Ok(None),
        },
        // Without names it holds bytes.
        ObjectReading::NumpyRow if numpy_names(value)?.is_none() => {
            value.call_method0(intern!(py, "item")).map(Some)
        }
        ObjectReading::ArrowScalar => value.call_method0(intern!(py, "as_py")).map(Some),
        _ => Ok(None),
    }
}

/// The names of the fields of a row of a structured array.
pub(super) fn numpy_names<'py>(row: &Object<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let py = row.py();
    let names = row.getattr(intern!(py, "dtype"))?.getattr(intern!(py, "names"))?;
    Ok(names.cast_into().ok())
}

/// The names of the columns of a database row.
pub(super) fn columns<'py>(row: &Object<'py>) -> PyResult<Object<'py>> {
    let py = row.py();
    match row.getattr_opt(intern!(py, "_fields"))? {
        Some(fields) => Ok(fields),
        None => row.call_method0(intern!(py, "keys")),
    }
}

/// Returns a column of a database row. Reading it as an attribute could give a method of the row instead.
pub(super) fn column<'py>(row: &Object<'py>, name: &Object<'py>) -> PyResult<Option<Object<'py>>> {
    let py = row.py();
    // A row of `sqlite3` is itself read by name.
    let members = row.getattr_opt(intern!(py, "_mapping"))?.unwrap_or_else(|| row.clone());
    if columns(row)?.contains(name)? { members.get_item(name).map(Some) } else { Ok(None) }
}

/// Returns the Python value that a scalar of NumPy holds.
fn numpy_scalar<'py>(value: &Object<'py>) -> PyResult<Object<'py>> {
    let py = value.py();
    let class = value.get_type();
    if is_subtype!(&class, "numpy", "datetime64") || is_subtype!(&class, "numpy", "timedelta64") {
        return numpy_time(value);
    }
    if is_subtype!(&class, "numpy", "longdouble") {
        return value.call_method0(intern!(py, "__float__"));
    }
    if is_subtype!(&class, "numpy", "clongdouble") {
        return value.call_method0(intern!(py, "__complex__"));
    }
    if is_subtype!(&class, "numpy", "float32") || is_subtype!(&class, "numpy", "float16") {
        // The number with the digits that NumPy prints: 0.1, where the exact value is 0.10000000149011612.
        return py.get_type::<PyFloat>().call1((value.str()?,));
    }
    value.call_method0(intern!(py, "item"))
}

/// Returns the date, datetime or timedelta that a scalar of NumPy holds. One that Python's types cannot represent, because it
/// has nanoseconds or is out of range, is returned as NumPy's text.
fn numpy_time<'py>(value: &Object<'py>) -> PyResult<Object<'py>> {
    let py = value.py();
    let item = value.call_method0(intern!(py, "item"))?;
    if item.cast::<PyInt>().is_err() {
        return Ok(item);
    }
    let micro = if is_subtype!(&value.get_type(), "numpy", "datetime64") {
        "datetime64[us]"
    } else {
        "timedelta64[us]"
    };
    let converted = match value.call_method1(intern!(py, "astype"), (micro,)) {
        Ok(converted) => converted,
        // A number of years or months has no fixed length.
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyTypeError>(py) => {
            return Ok(value.str()?.into_any());
        }
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => return Ok(value.str()?.into_any()),
        Err(error) => return Err(error),
    };
    let item = converted.call_method0(intern!(py, "item"))?;
    if item.cast::<PyInt>().is_ok() || !converted.eq(value)? {
        return Ok(value.str()?.into_any());
    }
    Ok(item)
}
