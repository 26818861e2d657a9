//! Record batches of another library, by Arrow's `PyCapsule` interface
//! (<https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>).
//!
//! It does not use pyo3-arrow, which depends on 23 other crates, most of them for types of arrays that are not needed
//! here, and lets Arrow's panics through to Python.

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{
    Array, RecordBatch, RecordBatchIterator, RecordBatchOptions, RecordBatchReader, StructArray,
};
use arrow_schema::ArrowError;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::PyCapsule;

use super::arrow_offsets::without_offsets;
use super::arrow_stream::{BatchStream, schema_of};
use crate::python::panic_text::panic_text;

/// Reads a table, a record batch or a stream: an object with `__arrow_c_stream__` or `__arrow_c_array__`.
///
/// # Errors
/// `TypeError` if the object has neither, holds a column instead of a table, or breaks the interface; `ValueError` if it was
/// read already or has a null row; the exception of either method.
pub(crate) fn record_batches(table: &Bound<'_, PyAny>) -> PyResult<Box<dyn RecordBatchReader + Send>> {
    let py = table.py();
    if let Some(export) = table.getattr_opt(intern!(py, "__arrow_c_stream__"))? {
        let capsule: Bound<'_, PyCapsule> = export.call0()?.cast_into()?;
        return Ok(Box::new(stream_of(&capsule)?));
    }
    let Some(export) = table.getattr_opt(intern!(py, "__arrow_c_array__"))? else {
        let found = table.get_type().qualname()?;
        return Err(PyTypeError::new_err(format!("expected a table of Arrow, found {found}")));
    };
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = export.call0()?.extract()?;
    let batch = batch_of(&schema, &array)?;
    let schema = batch.schema();
    Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

fn stream_of(capsule: &Bound<'_, PyCapsule>) -> PyResult<BatchStream> {
    // SAFETY: a stream whose `release` is null is a released one, by the interface.
    let stream: FFI_ArrowArrayStream =
        unsafe { moved_out(capsule, c"arrow_array_stream", FFI_ArrowArrayStream::from_raw)? };
    if stream.release.is_none() {
        return Err(read_already());
    }
    imported(|| BatchStream::try_new(stream))?.ok_or_else(no_table)
}

fn batch_of(schema: &Bound<'_, PyCapsule>, array: &Bound<'_, PyCapsule>) -> PyResult<RecordBatch> {
    // SAFETY: as for a stream.
    let (schema, array) = unsafe {
        (
            moved_out(schema, c"arrow_schema", FFI_ArrowSchema::from_raw)?,
            moved_out(array, c"arrow_array", FFI_ArrowArray::from_raw)?,
        )
    };
    if array.is_released() {
        return Err(read_already());
    }
    let fields = imported(|| schema_of(&schema))?.ok_or_else(no_table)?;
    // SAFETY: an array is laid out by the schema beside it, by the interface.
    let data = imported(|| without_offsets(unsafe { from_ffi(array, &schema) }?))?;
    let rows = StructArray::from(data);
    if rows.null_count() > 0 {
        return Err(PyValueError::new_err("a row is null; a table of Arrow has no null rows"));
    }
    imported(|| {
        let schema = Arc::new(fields);
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(schema, rows.into_parts().1, &options)
    })
}

/// Takes what a capsule points to, and leaves a released one in its place, which the capsule does not release again.
///
/// # Safety
/// `take` moves a value of the type that a capsule of this name points to, by the interface.
unsafe fn moved_out<T>(
    capsule: &Bound<'_, PyCapsule>,
    name: &CStr,
    take: unsafe fn(*mut T) -> T,
) -> PyResult<T> {
    // No other thread takes it at the same time, even if Python has no global lock.
    with_critical_section(capsule, || {
        let pointer: NonNull<T> = capsule.pointer_checked(Some(name))?.cast();
        // SAFETY: by the caller, and the capsule owns what it points to.
        Ok(unsafe { take(pointer.as_ptr()) })
    })
}

/// The result of an import. Arrow panics where it sees that an array is not as its schema says.
fn imported<T>(import: impl FnOnce() -> Result<T, ArrowError>) -> PyResult<T> {
    let broken = |why: &str| {
        PyTypeError::new_err(format!("expected a table of Arrow, found one that cannot be read: {why}"))
    };
    match catch_unwind(AssertUnwindSafe(import)) {
        Ok(result) => result.map_err(|error| broken(&error.to_string())),
        Err(panic) => Err(broken(panic_text(&*panic))),
    }
}

fn no_table() -> PyErr {
    PyTypeError::new_err(
        "expected a table of Arrow, found a column\n  hint: pass the table or DataFrame that has the column",
    )
}

fn read_already() -> PyErr {
    PyValueError::new_err("the rows were read already, and can be read once")
}
