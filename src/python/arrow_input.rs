//! `ArrowInput`: the record batches that another library hands over.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::SchemaRef;
use pyo3::prelude::*;

use super::error::of_signal_handler;
use super::ffi::record_batches;
use super::panic_text::panic_text;
use crate::error::{Error, Kind, Result};

/// Reads a table or a stream.
pub(super) struct ArrowInput {
    reader: Box<dyn RecordBatchReader + Send>,
    /// The number of rows that were read.
    rows: usize,
}

impl ArrowInput {
    /// Begins to read anything with Arrow's `PyCapsule` interface.
    pub(super) fn new(rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self { reader: record_batches(rows)?, rows: 0 })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.reader.schema()
    }

    /// The number of rows that were read.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Reads the next record batch. `None`: there is none.
    ///
    /// # Errors
    /// [`Kind::StorageRead`] with the number of rows before, if the stream ends with an error, or if a record batch is not
    /// as the schema says, for which the import panics. The exception of a signal handler, if one raised it meanwhile.
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>> {
        let rows = self.rows;
        let ended = |why: &str| {
            Error::new(Kind::StorageRead, format!("the input ended with an error after {rows} rows: {why}"))
        };
        let read = catch_unwind(AssertUnwindSafe(|| self.reader.next())).map_err(|panic| {
            ended(&format!("a record batch is not as the schema of its stream says: {}", panic_text(&*panic)))
        })?;
        let Some(batch) = read else { return Ok(None) };
        let batch = batch.map_err(|error| {
            // A stream that was interrupted cannot tell so, but the signal waits.
            let interrupted = Python::attach(|py| py.check_signals().err().map(of_signal_handler));
            // The reason is the text of the library that made the stream.
            interrupted.unwrap_or_else(|| ended(&error.to_string()).with_cause(error))
        })?;
        self.rows += batch.num_rows();
        Ok(Some(batch))
    }
}
