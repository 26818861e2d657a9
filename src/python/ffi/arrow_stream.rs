//! Reads the record batches of another library's stream.
//!
//! Arrow has a reader for it, which cannot be told to call [`without_offsets`].

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{RecordBatch, RecordBatchOptions, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};

use super::arrow_offsets::without_offsets;

/// The most levels of a type, as in Arrow's C++ library. Arrow reads deeper ones until the stack overflows.
const LEVELS: usize = 64;

/// The schema of a table. `None`: it is that of a column.
///
/// # Errors
/// A type that Arrow does not know, or that has more than [`LEVELS`] levels.
pub(super) fn schema_of(schema: &FFI_ArrowSchema) -> Result<Option<Schema>, ArrowError> {
    if schema.format() != "+s" {
        return Ok(None);
    }
    if is_deeper(schema, LEVELS) {
        let message = format!("a column has lists or structs within each other on more than {LEVELS} levels");
        return Err(ArrowError::CDataInterface(message));
    }
    Schema::try_from(schema).map(Some)
}

fn is_deeper(schema: &FFI_ArrowSchema, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return true };
    schema.children().chain(schema.dictionary()).any(|inner| is_deeper(inner, levels))
}

/// A stream that is not released, and the schema of its record batches.
pub(super) struct BatchStream {
    stream: FFI_ArrowArrayStream,
    schema: SchemaRef,
}

impl BatchStream {
    /// Begins to read a stream that is not released. `None`: it has the parts of a column.
    ///
    /// # Errors
    /// The stream's own error, or that of a schema that cannot be read.
    pub(super) fn try_new(mut stream: FFI_ArrowArrayStream) -> Result<Option<Self>, ArrowError> {
        let mut schema = FFI_ArrowSchema::empty();
        let read = stream.get_schema.ok_or_else(released)?;
        // SAFETY: the stream is not released, and both pointers are valid during the call.
        if unsafe { read(&raw mut stream, &raw mut schema) } != 0 {
            return Err(last_error(&mut stream));
        }
        Ok(schema_of(&schema)?.map(|schema| Self { stream, schema: Arc::new(schema) }))
    }

    /// The next record batch. `None`: there is none.
    fn read(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let mut array = FFI_ArrowArray::empty();
        let read = self.stream.get_next.ok_or_else(released)?;
        // SAFETY: as for the schema.
        if unsafe { read(&raw mut self.stream, &raw mut array) } != 0 {
            return Err(last_error(&mut self.stream));
        }
        if array.is_released() {
            return Ok(None);
        }
        let rows = DataType::Struct(self.schema.fields().clone());
        // SAFETY: an array of a stream is laid out by its schema, by the interface.
        let data = without_offsets(unsafe { from_ffi_and_data_type(array, rows) }?)?;
        let options = RecordBatchOptions::new().with_row_count(Some(data.len()));
        let columns = StructArray::from(data).into_parts().1;
        RecordBatch::try_new_with_options(self.schema(), columns, &options).map(Some)
    }
}

fn released() -> ArrowError {
    ArrowError::CDataInterface("the stream was released".to_owned())
}

/// The reason of the call that failed.
fn last_error(stream: &mut FFI_ArrowArrayStream) -> ArrowError {
    let reason = stream.get_last_error.and_then(|read| {
        // SAFETY: the stream is not released. The text is valid until its next call.
        let text = unsafe { read(stream) };
        // SAFETY: as above; null is no text.
        (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
    });
    ArrowError::CDataInterface(reason.unwrap_or_else(|| "the stream gives no reason".to_owned()))
}

impl Iterator for BatchStream {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl RecordBatchReader for BatchStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
