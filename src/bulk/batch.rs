//! Renders a prompt for each row of record batches.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::columns::{ColumnNeeds, UsedColumns};
use super::data::TextPool;
use super::output::{MessageShape, OutputColumn, RowOutput};
use super::row_render::{RowContext, RowRender};
use super::value::{ArrowValue, MemberColumn, StructCell};
use crate::convert::conversion_error::wrap;
use crate::convert::{ProviderConverter, Report, RequestOptions};
use crate::error::{Error, Kind, Result};
use crate::prompt::{Prompt, Rendered};
use crate::schema::ResponseSchema;

/// What a batch makes of each row.
#[derive(Debug, Clone)]
pub enum BatchTarget {
    /// A text. A chat becomes a transcript.
    Text,
    /// Messages.
    Messages(Arc<MessageShape>),
    /// The conversation in a provider's format, as JSON.
    Conversation(ProviderConverter),
    /// A request to a provider, as JSON.
    Request {
        /// The provider.
        rules: ProviderConverter,
        /// The model, if it is not the one of the prompt.
        model: Option<String>,
        /// The schema of the answer.
        response: Option<Arc<ResponseSchema>>,
    },
}

impl BatchTarget {
    /// The name of the column that it adds.
    #[must_use]
    pub fn column(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Messages(_) => "messages",
            Self::Conversation(_) | Self::Request { .. } => "request",
        }
    }

    fn shape(&self) -> Option<&Arc<MessageShape>> {
        match self {
            Self::Messages(shape) => Some(shape),
            _ => None,
        }
    }
}

/// How a batch is rendered.
pub struct Batch {
    /// The prompt.
    pub prompt: Prompt,
    /// Renders one row.
    pub render: Box<dyn RowRender>,
    /// The format of each result.
    pub target: BatchTarget,
    /// The columns that a table must have.
    pub needs: ColumnNeeds,
    /// Whether output instructions are appended.
    pub output_instructions: bool,
    /// The name of the column that is added.
    pub column: String,
    /// The name of the column for errors. `None`: the first error ends the batch.
    pub error_column: Option<String>,
    /// The maximum number of threads.
    pub threads: usize,
}

/// The caller's side of a batch. It is called on the thread that asked for the batch.
pub trait BatchHost {
    /// Called about every 50 milliseconds.
    ///
    /// # Errors
    /// The user interrupted the batch, which then ends.
    fn check_interrupt(&self) -> Result<()>;
}

/// The results of some rows.
#[derive(Debug, Default)]
pub struct BatchResult {
    /// The rows with the new columns, in order. Usually one batch for each thread.
    pub batches: Vec<RecordBatch>,
    /// How many rows failed.
    pub failed: usize,
    /// What the conversions changed or dropped, each once.
    pub warnings: BTreeSet<String>,
}

/// The fewest rows for which a thread is worth starting.
const THREAD_ROWS: usize = 512;

/// The time between two looks for interrupts.
const INTERRUPT: Duration = Duration::from_millis(50);

/// The most warnings that are kept.
const WARNINGS: usize = 20;

/// The stack of a thread: a render may need as much as on the main thread.
const STACK: usize = 8 * 1024 * 1024;

impl Batch {
    /// Checks the columns of a table, and what the requests of all rows have.
    ///
    /// # Errors
    /// As [`ColumnNeeds::check`] and [`ProviderConverter::check_request`]; [`Kind::TemplateRender`] if the table already
    /// has a column with the name of a new one.
    pub fn check(&self, schema: &Schema) -> Result<(UsedColumns, SchemaRef)> {
        if let BatchTarget::Request { rules, model, response } = &self.target {
            rules
                .check_request(&self.prompt, &request_options(model.as_deref(), response.as_ref()))
                .map_err(|error| wrap(error, self.prompt.id.as_str(), rules.name()))?;
        }
        let used = self.needs.check(schema)?;
        let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
        let data_type = OutputColumn::data_type(self.target.shape());
        let error = self.error_column.as_ref().map(|name| (name, DataType::Utf8, "error_column"));
        for (name, data_type, option) in [(&self.column, data_type, "column")].into_iter().chain(error) {
            if fields.iter().any(|field| field.name() == name) {
                let message = format!("the table already has a column '{name}'");
                return Err(Error::new(Kind::TemplateRender, message)
                    .with_hint(format!("name the new column with `{option}=`, or drop the old one")));
            }
            fields.push(Arc::new(Field::new(name, data_type, true)));
        }
        Ok((used, Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))))
    }

    /// Renders the rows of a record batch, whose first row has this number.
    ///
    /// # Errors
    /// The error of the first row that fails, with its number, unless there is a column for errors; the error of
    /// [`BatchHost::check_interrupt`]; and as [`UsedColumns::open`].
    pub fn render(
        &self,
        rows: &RecordBatch,
        first_row: usize,
        used: &UsedColumns,
        schema: &SchemaRef,
        host: &dyn BatchHost,
    ) -> Result<BatchResult> {
        let members = used.open(rows)?;
        let run = BatchRun { batch: self, rows, first_row, members: &members, schema };
        let count = rows.num_rows();
        let threads = if self.render.is_parallel() { self.threads } else { 1 };
        let threads = threads.min(count / THREAD_ROWS).max(1);
        if threads == 1 {
            let last = std::cell::Cell::new(Instant::now());
            return run.range(0..count, &|| {
                if last.get().elapsed() < INTERRUPT {
                    return Ok(());
                }
                last.set(Instant::now());
                host.check_interrupt()
            });
        }
        run.in_threads(count, threads, host)
    }
}

fn request_options<'m>(model: Option<&'m str>, response: Option<&Arc<ResponseSchema>>) -> RequestOptions<'m> {
    RequestOptions { model, response: response.cloned(), ..RequestOptions::default() }
}

/// The work on one record batch.
struct BatchRun<'r> {
    batch: &'r Batch,
    rows: &'r RecordBatch,
    first_row: usize,
    members: &'r [MemberColumn<'r>],
    schema: &'r SchemaRef,
}

impl BatchRun<'_> {
    /// Renders ranges of the rows in several threads, while this one waits for them and for an interrupt.
    fn in_threads(&self, count: usize, threads: usize, host: &dyn BatchHost) -> Result<BatchResult> {
        let stop = AtomicBool::new(false);
        // The first range with an error. Those after it need not go on.
        let failed = AtomicUsize::new(usize::MAX);
        let (send, receive) = channel();
        std::thread::scope(|scope| {
            let mut started = 0;
            let mut unstarted = None;
            for at in 0..threads {
                let range = count * at / threads..count * (at + 1) / threads;
                let (send, stop, failed) = (send.clone(), &stop, &failed);
                let work = move || {
                    let result = self.range(range, &|| {
                        if stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed) < at {
                            return Err(Error::new(Kind::Foreign, "the batch was stopped"));
                        }
                        Ok(())
                    });
                    if result.is_err() {
                        failed.fetch_min(at, Ordering::Relaxed);
                    }
                    // The receiver waits for every thread that was started.
                    let _ = send.send((at, result));
                };
                match std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work) {
                    Ok(_) => started += 1,
                    Err(error) => {
                        unstarted = Some(error);
                        stop.store(true, Ordering::Relaxed);
                        break;
                    }
                }
            }
            // The threads have the other senders: if one of them panics, the loop below ends, and so does the scope.
            drop(send);
            let mut parts: Vec<Option<Result<BatchResult>>> = (0..threads).map(|_| None).collect();
            let mut interrupted = None;
            while started > 0 {
                match receive.recv_timeout(INTERRUPT) {
                    Ok((at, result)) => {
                        parts[at] = Some(result);
                        started -= 1;
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => {
                        if interrupted.is_none()
                            && let Err(error) = host.check_interrupt()
                        {
                            stop.store(true, Ordering::Relaxed);
                            interrupted = Some(error);
                        }
                    }
                }
            }
            if let Some(error) = interrupted {
                return Err(error);
            }
            if let Some(error) = unstarted {
                return Err(Error::new(Kind::TemplateRender, "a thread for the batch cannot be started")
                    .with_hint("pass threads=1")
                    .with_cause(error));
            }
            let mut all = BatchResult::default();
            for part in parts {
                let part = part.unwrap_or_else(|| {
                    Err(Error::new(Kind::TemplateRender, "a thread of the batch ended without a result"))
                })?;
                all.batches.extend(part.batches);
                all.failed += part.failed;
                all.warnings.extend(part.warnings);
            }
            Ok(all)
        })
    }

    /// Renders a range of the rows.
    fn range(&self, range: Range<usize>, interrupt: &dyn Fn() -> Result<()>) -> Result<BatchResult> {
        let (batch, pool) = (self.batch, TextPool::default());
        let context = RowContext {
            pool: &pool,
            interrupt,
            as_text: matches!(batch.target, BatchTarget::Text),
            output_instructions: batch.output_instructions,
        };
        let mut result = BatchResult::default();
        let mut part = RowsPart::new(batch, range.start);
        for row in range.clone() {
            if row % 64 == 0 {
                interrupt()?;
            }
            let mut report = Report::default();
            let output = self.row(row, &context, &mut report).and_then(|output| {
                if !part.output.has_room(&output) {
                    let full = std::mem::replace(&mut part, RowsPart::new(batch, row));
                    if full.from < row {
                        result.batches.push(full.finish(self, row)?);
                    }
                    if !part.output.has_room(&output) {
                        let message = "a row gives more text than a column of Arrow can hold";
                        return Err(Error::new(Kind::TemplateRender, message));
                    }
                }
                part.output.push(output, &mut report, |text| pool.give(text))
            });
            for warning in report.warnings() {
                if result.warnings.len() < WARNINGS && !result.warnings.contains(warning) {
                    result.warnings.insert(warning.clone());
                }
            }
            match (output, &mut part.errors) {
                (Ok(()), Some(errors)) => errors.append_null(),
                (Ok(()), None) => {}
                (Err(error), Some(errors)) if error.kind() != Kind::Foreign => {
                    result.failed += 1;
                    part.output.push_null();
                    errors.append_value(self.numbered(row, &error));
                }
                (Err(error), _) if error.kind() == Kind::Foreign => return Err(error),
                (Err(error), _) => {
                    let message = self.numbered(row, &error);
                    let number = (self.first_row + row).to_string();
                    let kind = error.kind();
                    return Err(error.recast(kind, message).with_context("row", number));
                }
            }
        }
        let is_empty = part.from == range.end && !result.batches.is_empty();
        if !is_empty {
            result.batches.push(part.finish(self, range.end)?);
        }
        Ok(result)
    }

    /// The message of a row's error.
    fn numbered(&self, row: usize, error: &Error) -> String {
        format!("row {}: {}", self.first_row + row, error.message())
    }

    fn row(&self, row: usize, context: &RowContext<'_>, report: &mut Report) -> Result<RowOutput> {
        let batch = self.batch;
        let value = ArrowValue::Struct(StructCell { members: self.members, row });
        let rendered = batch.render.rendered(&value, context);
        let of_provider =
            |rules: &ProviderConverter, error| wrap(error, batch.prompt.id.as_str(), rules.name());
        match &batch.target {
            BatchTarget::Text => match rendered?.into_messages() {
                Err(text) => Ok(RowOutput::Text(text)),
                Ok(messages) => Ok(RowOutput::Messages(messages)),
            },
            BatchTarget::Messages(_) => Ok(match rendered? {
                Rendered::Plain(messages) => RowOutput::Plain(messages),
                Rendered::Messages(messages) => RowOutput::Messages(messages),
                Rendered::Text(text) => RowOutput::Text(text),
            }),
            BatchTarget::Conversation(rules) => rendered
                .and_then(|rendered| rules.convert(rendered, report)?.to_json_text())
                .map(RowOutput::Text)
                .map_err(|error| of_provider(rules, error)),
            BatchTarget::Request { rules, model, response } => rendered
                .and_then(|rendered| {
                    let options = request_options(model.as_deref(), response.as_ref());
                    rules.request(&batch.prompt, rendered, &options, report)?.to_json_text()
                })
                .map(RowOutput::Text)
                .map_err(|error| of_provider(rules, error)),
        }
    }
}

/// The new columns of some rows, under construction.
struct RowsPart {
    from: usize,
    output: OutputColumn,
    errors: Option<StringBuilder>,
}

impl RowsPart {
    fn new(batch: &Batch, from: usize) -> Self {
        let errors = batch.error_column.as_ref().map(|_| StringBuilder::new());
        Self { from, output: OutputColumn::new(batch.target.shape()), errors }
    }

    fn finish(self, run: &BatchRun<'_>, to: usize) -> Result<RecordBatch> {
        let input = run.rows.slice(self.from, to - self.from);
        let mut columns: Vec<ArrayRef> = input.columns().to_vec();
        columns.push(self.output.finish()?);
        if let Some(mut errors) = self.errors {
            columns.push(Arc::new(errors.finish()));
        }
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(input.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(run.schema), columns, &options).map_err(|error| {
            Error::new(
                Kind::TemplateRender,
                format!("the result of the batch is not valid Arrow data: {error}"),
            )
        })
    }
}
