//! Record batches of another library, by Arrow's `PyCapsule` interface
//! (<https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>).

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use arrow_array::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{
    Array, RecordBatch, RecordBatchIterator, RecordBatchOptions, RecordBatchReader, StructArray,
};
use arrow_schema::{ArrowError, DataType, Schema};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

/// Reads a table, a record batch or a stream: what has `__arrow_c_stream__`, or else `__arrow_c_array__`.
///
/// # Errors
/// `TypeError` if the object has neither, or holds a column instead of a table; the exception of either method.
pub(crate) fn record_batches(table: &Bound<'_, PyAny>) -> PyResult<Box<dyn RecordBatchReader + Send>> {
    let py = table.py();
    if let Some(export) = table.getattr_opt(intern!(py, "__arrow_c_stream__"))? {
        let capsule: Bound<'_, PyCapsule> = export.call0()?.cast_into()?;
        return Ok(Box::new(stream_of(&capsule)?));
    }
    let Some(export) = table.getattr_opt(intern!(py, "__arrow_c_array__"))? else {
        return Err(PyTypeError::new_err("the rows are in no table of Arrow"));
    };
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = export.call0()?.extract()?;
    let batch = batch_of(&schema, &array)?;
    let schema = batch.schema();
    Ok(Box::new(RecordBatchIterator::new([Ok(batch)], schema)))
}

fn stream_of(capsule: &Bound<'_, PyCapsule>) -> PyResult<ArrowArrayStreamReader> {
    let stream = pointer::<FFI_ArrowArrayStream>(capsule, c"arrow_array_stream")?;
    // SAFETY: a capsule of this name has a pointer to a stream, by the interface, and nothing else runs while the thread is
    // attached. The stream is moved out: its place holds a released one, which the capsule does not release again.
    unsafe { ArrowArrayStreamReader::from_raw(stream.as_ptr()) }.map_err(|error| no_table(&error))
}

fn batch_of(schema: &Bound<'_, PyCapsule>, array: &Bound<'_, PyCapsule>) -> PyResult<RecordBatch> {
    let schema = pointer::<FFI_ArrowSchema>(schema, c"arrow_schema")?;
    let array = pointer::<FFI_ArrowArray>(array, c"arrow_array")?;
    // SAFETY: as above for the array. The schema is borrowed while its capsule is.
    let (schema, array) = unsafe { (schema.as_ref(), FFI_ArrowArray::from_raw(array.as_ptr())) };
    if array.is_released() {
        return Err(PyTypeError::new_err("the rows were read already"));
    }
    // SAFETY: an array is laid out by the schema beside it, as the interface promises. Arrow panics where it sees that it is not.
    let imported = catch_unwind(AssertUnwindSafe(|| unsafe { from_ffi(array, schema) }));
    let data = imported
        .map_err(|_| PyTypeError::new_err("the rows are in no table of Arrow: they do not fit their schema"))?
        .map_err(|error| no_table(&error))?;
    if !matches!(data.data_type(), DataType::Struct(_)) {
        return Err(PyTypeError::new_err("the rows are a column of Arrow, which is no table"));
    }
    let rows = StructArray::from(data);
    if rows.null_count() > 0 {
        return Err(PyValueError::new_err("a row is null; a table of Arrow has no null rows"));
    }
    let schema = Arc::new(Schema::try_from(schema).map_err(|error| no_table(&error))?);
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(schema, rows.into_parts().1, &options).map_err(|error| no_table(&error))
}

/// What a capsule points to.
fn pointer<T>(capsule: &Bound<'_, PyCapsule>, name: &CStr) -> PyResult<NonNull<T>> {
    Ok(capsule.pointer_checked(Some(name))?.cast())
}

fn no_table(error: &ArrowError) -> PyErr {
    PyTypeError::new_err(format!("the rows are in no table of Arrow: {error}"))
}
