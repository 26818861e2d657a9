//! `Batch`: renders a prompt for each row of Arrow tables.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::ffi::FFI_ArrowSchema;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::arrow_input::ArrowInput;
use super::conversion_warning::warn;
use super::data::PyData;
use super::error::{OrRaise, of_signal_handler, raise};
use super::library::EngineState;
use super::prompt::CompiledPrompt;
use super::schema::{PySchemas, SharedSchemas};
use super::text::{PyOutput, PyText};
use crate::bulk::{
    ArrowValue, Batch, BatchHost, BatchPrompt, BatchResult, BatchTarget, ColumnNeeds, MessageShape,
    RowContext, RowRender, UsedColumns,
};
use crate::convert::{GivenArguments, ProviderConverter, Report};
use crate::error::Error;
use crate::prompt::{Compiled, RenderOptions, Rendered, engine_partials};
use crate::schema::{Dependencies, SchemaEntry, SchemaRef as NamedSchema};
use crate::template::{Library, Output};

/// Renders rows over Python objects: for prompts with helpers, functions or models of the application.
struct PythonRows {
    compiled: Arc<Compiled<PyText>>,
    shared: Arc<EngineState>,
    schemas: Arc<SharedSchemas>,
}

impl RowRender for PythonRows {
    fn rendered(&self, row: &ArrowValue<'_>, context: &RowContext<'_>) -> crate::Result<Rendered<String>> {
        Python::attach(|py| {
            let data = PyData::new(py, &self.shared);
            let variables = data.of_arrow(row)?;
            let options = RenderOptions {
                schemas: Some(&*self.schemas),
                output_instructions: context.output_instructions,
                resolved: false,
                unknown: None,
            };
            let text = |text: &PyOutput<'_>| text.with_str(str::to_owned);
            if context.as_text {
                let rendered = self.compiled.render_with(&data, &variables, &self.shared, &options)?;
                return Ok(Rendered::Text(text(&rendered)));
            }
            Ok(match self.compiled.rendered(&data, &variables, &self.shared, &options)? {
                Rendered::Text(rendered) => Rendered::Text(text(&rendered)),
                Rendered::Plain(messages) => {
                    Rendered::Plain(messages.iter().map(|(role, rendered)| (*role, text(rendered))).collect())
                }
                Rendered::Messages(messages) => Rendered::Messages(
                    messages
                        .iter()
                        .map(|message| message.try_map(|rendered| Ok(text(rendered))))
                        .collect::<crate::Result<_>>()?,
                ),
            })
        })
    }

    fn is_parallel(&self) -> bool {
        false
    }
}

/// The interpreter, from which a batch hears of Ctrl-C.
struct PyHost;

impl BatchHost for PyHost {
    fn check_interrupt(&self) -> crate::Result<()> {
        Python::attach(|py| py.check_signals().map_err(of_signal_handler))
    }
}

/// The most rows that are rendered to estimate the size of one.
const EXPLAINED_ROWS: usize = 1_000;

/// Renders a prompt for each row of Arrow tables.
#[pyclass(frozen, name = "Batch", module = "prompt_manager._native")]
pub struct PyBatch {
    batch: Arc<Batch>,
    /// The helpers that the render calls, and whether it calls any code of the application.
    helpers: Vec<String>,
    runs_python: bool,
    /// The partials of the engine, and the schemas and functions, that the prompt needs.
    partials: Vec<String>,
    schemas: Vec<String>,
    functions: Vec<String>,
    schema_set: Arc<SharedSchemas>,
}

/// What a batch makes of a row, in the words of the caller.
fn target(
    py: Python<'_>,
    prompt: &CompiledPrompt,
    to: &str,
    options: &TargetOptions<'_>,
) -> PyResult<(BatchTarget, bool)> {
    let compiled = &prompt.compiled;
    let instructions = options.output_instructions.unwrap_or(true);
    match to {
        "text" => return Ok((BatchTarget::Text, instructions)),
        "messages" => {
            if !compiled.is_chat() {
                return Err(raise(py, &compiled.no_messages()));
            }
            let shape = MessageShape::of(compiled, options.dictionary);
            return Ok((BatchTarget::Messages(Arc::new(shape)), instructions));
        }
        _ => {}
    }
    let (name, is_request) = to.strip_suffix("-request").map_or((to, false), |name| (name, true));
    let rules = ProviderConverter::strict(name)
        .ok_or_else(|| PyValueError::new_err(format!("no provider is named '{name}'")))?;
    let rules = if options.strict { rules } else { rules.lenient() };
    if !is_request {
        rules.check_format(compiled.prompt()).or_raise(py)?;
        return Ok((BatchTarget::Conversation(rules), instructions));
    }
    let schema_options = prompt.schema_options(None, true);
    let data = PyData::new(py, &prompt.shared);
    let response = if options.structured_output {
        compiled.response_schema(&data, &schema_options, rules.schema_mode()).or_raise(py)?
    } else {
        None
    };
    let instructions = options.output_instructions.unwrap_or_else(|| {
        rules.needs_instructions(compiled.prompt(), response.as_deref(), GivenArguments::default())
    });
    let model = options.model.map(ToOwned::to_owned);
    Ok((BatchTarget::Request { rules, model, response }, instructions))
}

struct TargetOptions<'a> {
    model: Option<&'a str>,
    strict: bool,
    output_instructions: Option<bool>,
    structured_output: bool,
    dictionary: bool,
}

/// The schemas that a prompt needs, by name.
fn dependencies(
    compiled: &Compiled<PyText>,
    schemas: &SharedSchemas,
) -> Dependencies<super::data::values::SharedObject, super::data::values::SharedObject> {
    let mut found = Dependencies::default();
    let set = schemas.read();
    for wanted in [compiled.input_schema(), compiled.output_schema()].into_iter().flatten().flatten() {
        match wanted {
            NamedSchema::Name(name) => set.add_dependencies(name, &mut found),
            NamedSchema::Inline(schema) => set.add_dependencies_of(schema, &mut found),
        }
    }
    found
}

#[pymethods]
impl PyBatch {
    #[new]
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::too_many_arguments,
        reason = "each is an option, given by name"
    )]
    #[pyo3(signature = (prompt, to, *, model, strict, output_instructions, structured_output, dictionary, rename, column,
        error_column, threads))]
    fn new(
        prompt: &Bound<'_, CompiledPrompt>,
        to: &str,
        model: Option<&str>,
        strict: bool,
        output_instructions: Option<bool>,
        structured_output: bool,
        dictionary: bool,
        rename: BTreeMap<String, String>,
        column: Option<String>,
        error_column: Option<String>,
        threads: Option<usize>,
    ) -> PyResult<Self> {
        let (py, prompt) = (prompt.py(), prompt.get());
        let (compiled, shared) = (&prompt.compiled, &prompt.shared);
        let schemas = prompt.schemas().map(Arc::clone).unwrap_or_default();
        let options = TargetOptions { model, strict, output_instructions, structured_output, dictionary };
        let (target, output_instructions) = target(py, prompt, to, &options)?;
        let partial_names = engine_partials(compiled, shared);
        let found = dependencies(compiled, &schemas);
        let inputs = prompt.render_inputs();
        let own = match inputs {
            None => None,
            Some(_) => Some(core_prompt(prompt, &partial_names, &found.schemas).or_raise(py)?),
        };
        let needs = ColumnNeeds::of(compiled, shared, &schemas, rename);
        let own = own.filter(BatchPrompt::has_own_schemas);
        let runs_python = own.is_none();
        let render: Box<dyn RowRender> = match own {
            Some(own) => Box::new(own),
            None => Box::new(PythonRows {
                compiled: Arc::clone(compiled),
                shared: Arc::clone(shared),
                schemas: Arc::clone(&schemas),
            }),
        };
        let helpers = if runs_python { named_helpers(prompt, &partial_names) } else { Vec::new() };
        let threads = threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
            .max(1);
        let column = column.unwrap_or_else(|| target.column().to_owned());
        let batch = Batch {
            prompt: compiled.prompt().clone(),
            render,
            target,
            needs,
            output_instructions,
            column,
            error_column,
            threads,
        };
        Ok(Self {
            batch: Arc::new(batch),
            helpers,
            runs_python,
            partials: partial_names,
            schemas: found.schemas.into_keys().chain(found.models.into_keys()).collect(),
            functions: found.functions.into_keys().collect(),
            schema_set: schemas,
        })
    }

    /// The helpers in Python that the templates may call.
    #[getter]
    fn helpers(&self) -> Vec<&str> {
        self.helpers.iter().map(String::as_str).collect()
    }

    /// Whether a row is rendered over Python objects.
    #[getter]
    fn runs_python(&self) -> bool {
        self.runs_python
    }

    /// The names of the partials of the engine that a render may include.
    #[getter]
    fn partials(&self) -> Vec<&str> {
        self.partials.iter().map(String::as_str).collect()
    }

    /// The names of the schemas and models that the prompt refers to.
    #[getter]
    fn schemas(&self) -> Vec<&str> {
        self.schemas.iter().map(String::as_str).collect()
    }

    /// The names of the functions that the rules of these schemas call.
    #[getter]
    fn functions(&self) -> Vec<&str> {
        self.functions.iter().map(String::as_str).collect()
    }

    /// The set that has these schemas and functions.
    #[getter]
    fn schema_set(&self) -> PySchemas {
        PySchemas::of(&self.schema_set)
    }

    /// The variables that a render may read. `None`: a column of any name.
    #[getter]
    fn variables(&self) -> Option<Vec<&str>> {
        let known = self.batch.needs.known.as_ref()?;
        Some(known.iter().map(AsRef::as_ref).collect())
    }

    /// The variables that a table must have.
    #[getter]
    fn required(&self) -> Vec<&str> {
        self.batch.needs.required().collect()
    }

    /// The name of the column that is added.
    #[getter]
    fn column(&self) -> &str {
        &self.batch.column
    }

    /// The most threads that render.
    #[getter]
    fn threads(&self) -> usize {
        if self.batch.render.is_parallel() { self.batch.threads } else { 1 }
    }

    /// Returns the columns that give variables, and the average bytes of the new column for the first rows. A stream is used
    /// up.
    fn explain(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<(Vec<String>, usize)> {
        let mut input = ArrowInput::new(rows)?;
        let schema = input.schema();
        let (used, output) = self.batch.check(&schema).or_raise(py)?;
        let columns = used.positions().map(|at| schema.field(at).name().clone()).collect();
        let Some(first) = py.detach(|| input.next()).or_raise(py)? else { return Ok((columns, 0)) };
        let first = first.slice(0, first.num_rows().min(EXPLAINED_ROWS));
        let made = py.detach(|| self.batch.render(&first, 0, &used, &output, &PyHost)).or_raise(py)?;
        let arrays = made.batches.iter().filter_map(|batch| batch.column_by_name(&self.batch.column));
        // The memory of an array counts what its buffers have room for.
        let bytes: usize =
            arrays.map(|array| array.to_data().get_slice_memory_size().unwrap_or_default()).sum();
        Ok((columns, bytes / first.num_rows().max(1)))
    }

    /// Renders all rows of anything with the Arrow `PyCapsule` interface.
    fn render(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<RenderedTable> {
        let mut rendering = Rendering::new(&self.batch, ArrowInput::new(rows)?).or_raise(py)?;
        let mut all = BatchResult::default();
        py.detach(|| {
            while let Some(part) = rendering.next_result()? {
                all.batches.extend(part.batches);
                all.failed += part.failed;
                all.warnings.extend(part.warnings);
            }
            Ok(())
        })
        .map_err(|error: Error| raise(py, &error))?;
        warn_of(py, &all)?;
        Ok(RenderedTable { schema: Arc::clone(&rendering.schema), batches: all.batches, failed: all.failed })
    }

    /// Renders the rows of a stream while they are read.
    fn stream(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<RenderedStream> {
        let rendering = Rendering::new(&self.batch, ArrowInput::new(rows)?).or_raise(py)?;
        Ok(RenderedStream {
            schema: Arc::clone(&rendering.schema),
            rendering: Mutex::new(Some(Box::new(rendering))),
        })
    }
}

/// The prompt compiled for rows, with copies of its partials and schemas.
fn core_prompt(
    prompt: &CompiledPrompt,
    partial_names: &[String],
    schemas: &BTreeMap<String, Arc<crate::schema::Schema>>,
) -> crate::Result<BatchPrompt> {
    let partials: Vec<_> = partial_names
        .iter()
        .filter_map(|name| prompt.shared.partial(name).map(|partial| (name.as_str(), partial)))
        .collect();
    let sources = partials.iter().map(|(name, partial)| (*name, partial.source()));
    let schemas = schemas
        .iter()
        .map(|(name, schema)| (name.clone(), SchemaEntry::<Infallible>::Schema(Arc::clone(schema))));
    BatchPrompt::compile(prompt.compiled.prompt().clone(), sources, schemas, &prompt.shared.options)
}

/// The registered helpers whose names are in the templates.
fn named_helpers(prompt: &CompiledPrompt, partial_names: &[String]) -> Vec<String> {
    let mut sources = Vec::new();
    prompt.compiled.each_template(|_, template| sources.push(template.source().to_owned()));
    sources.extend(prompt.compiled.partials().values().map(|partial| partial.source().to_owned()));
    let partials = partial_names.iter().filter_map(|name| prompt.shared.partial(name));
    sources.extend(partials.map(|partial| partial.source().to_owned()));
    let mut helpers = prompt.shared.helpers();
    helpers.retain(|helper| sources.iter().any(|source| source.contains(helper.as_str())));
    helpers
}

/// Warns once about each thing that the conversions changed or dropped.
fn warn_of(py: Python<'_>, result: &BatchResult) -> PyResult<()> {
    let mut report = Report::default();
    for warning in &result.warnings {
        report.note(warning.clone());
    }
    warn(py, &report)
}

/// Record batches that are rendered one after the other.
struct Rendering {
    batch: Arc<Batch>,
    input: ArrowInput,
    used: UsedColumns,
    schema: SchemaRef,
    /// Whether the input was read to its end, or a row failed. Nothing follows then.
    has_ended: bool,
    /// Rendered rows that were not asked for yet.
    ready: VecDeque<RecordBatch>,
}

impl Rendering {
    fn new(batch: &Arc<Batch>, input: ArrowInput) -> crate::Result<Self> {
        let (used, schema) = batch.check(&input.schema())?;
        let (batch, ready) = (Arc::clone(batch), VecDeque::new());
        Ok(Self { batch, input, used, schema, has_ended: false, ready })
    }

    /// Renders the next record batch of the input. After the end or an error there is none.
    fn next_result(&mut self) -> crate::Result<Option<BatchResult>> {
        if self.has_ended {
            return Ok(None);
        }
        let result = self.rendered();
        self.has_ended = !matches!(result, Ok(Some(_)));
        result
    }

    fn rendered(&mut self) -> crate::Result<Option<BatchResult>> {
        let before = self.input.rows();
        let Some(rows) = self.input.next()? else { return Ok(None) };
        self.batch.render(&rows, before, &self.used, &self.schema, &PyHost).map(Some)
    }
}

impl Iterator for Rendering {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let result = match self.next_result() {
                Ok(None) => return None,
                Ok(Some(result)) => result,
                Err(error) => {
                    keep_interrupt(&error);
                    return Some(Err(ArrowError::ExternalError(error.report().into())));
                }
            };
            if !result.warnings.is_empty()
                && let Err(error) = Python::attach(|py| warn_of(py, &result))
            {
                return Some(Err(ArrowError::ExternalError(error.to_string().into())));
            }
            self.ready.extend(result.batches);
        }
        self.ready.pop_front().map(Ok)
    }
}

/// Lets the interpreter raise the `KeyboardInterrupt` that ended a render, because the reader of a stream gets no exception
/// but the text of an error.
fn keep_interrupt(error: &Error) {
    let Some(raised) = error.cause().and_then(|cause| cause.downcast_ref::<PyErr>()) else { return };
    Python::attach(|py| {
        if raised.is_instance_of::<PyKeyboardInterrupt>(py) {
            // It fails only while the interpreter ends.
            let _ = py.import("_thread").and_then(|module| module.call_method0("interrupt_main"));
        }
    });
}

impl RecordBatchReader for Rendering {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

fn schema_capsule<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyCapsule>> {
    let schema =
        FFI_ArrowSchema::try_from(schema).map_err(|error| PyValueError::new_err(error.to_string()))?;
    PyCapsule::new_with_value(py, schema, c"arrow_schema")
}

fn stream_capsule(
    py: Python<'_>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'_, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), c"arrow_array_stream")
}

/// The rendered rows of a table, for any library with the Arrow `PyCapsule` interface.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct RenderedTable {
    pub(super) schema: SchemaRef,
    pub(super) batches: Vec<RecordBatch>,
    pub(super) failed: usize,
}

#[pymethods]
impl RenderedTable {
    /// The number of rows.
    #[getter]
    fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The number of rows that have an error.
    #[getter]
    fn failed(&self) -> usize {
        self.failed
    }

    /// The names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    fn __len__(&self) -> usize {
        self.num_rows()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    /// Exports the rows. The Arrow interface lets an exporter ignore the requested schema.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batches: Vec<Result<RecordBatch, ArrowError>> = self.batches.iter().cloned().map(Ok).collect();
        stream_capsule(py, Box::new(RecordBatchIterator::new(batches, Arc::clone(&self.schema))))
    }

    fn __repr__(&self) -> String {
        format!("<RenderedTable {} rows, columns {}>", self.num_rows(), self.column_names().join(", "))
    }
}

/// The rows of a stream, which are rendered while they are read. It can be read once.
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct RenderedStream {
    schema: SchemaRef,
    rendering: Mutex<Option<Box<Rendering>>>,
}

#[pymethods]
impl RenderedStream {
    /// The names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    /// Exports the stream, once.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        // Detached, because a thread that renders holds the lock and may wait for the interpreter.
        let take = || self.rendering.lock().unwrap_or_else(PoisonError::into_inner).take();
        match py.detach(take).filter(|rendering| !rendering.has_ended) {
            Some(rendering) => stream_capsule(py, rendering),
            None => Err(PyValueError::new_err("the stream was read already")),
        }
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Renders the next rows.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<RenderedTable>> {
        let result = py.detach(|| {
            let mut rendering = self.rendering.lock().unwrap_or_else(PoisonError::into_inner);
            rendering.as_mut().map_or(Ok(None), |rendering| rendering.next_result())
        });
        let Some(result) = result.or_raise(py)? else { return Ok(None) };
        warn_of(py, &result)?;
        let schema = Arc::clone(&self.schema);
        Ok(Some(RenderedTable { schema, batches: result.batches, failed: result.failed }))
    }

    fn __repr__(&self) -> String {
        format!("<RenderedStream columns {}>", self.column_names().join(", "))
    }
}
