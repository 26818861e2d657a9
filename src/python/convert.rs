//! `Converter`: converts prompts to a provider's format, and warns about every step that loses something.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::{PyAttributeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};

use super::arguments;
use super::conversion_warning::warn;
use super::data::PyData;
use super::error::{OrRaise, raise};
use super::library::EngineState;
use super::payload::{check_encodable, fixed, payload_to_python};
use super::prompt::{CompiledPrompt, Prepared};
use super::request_arguments::RequestArguments;
use super::schema::PySchemas;
use super::surrogates;
use super::template::{Engine, check_variables};
use super::text::PyOutput;
use crate::convert::conversion_error::wrap;
use crate::convert::unpaired::{PairedMessage, unpaired};
use crate::convert::{self, Payload, Provider, Report, RequestOptions, anthropic, bedrock, gemini, openai};
use crate::error::{Error, Kind};
use crate::observe::slow;
use crate::prompt::{Rendered, Role};
use crate::schema::ResponseSchema;
use crate::schema::json_schema::JsonSchemaMode;

/// Converts prompts for a provider, with the options of an integration.
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own that the user names")]
#[pyclass(frozen, module = "prompt_manager._native")]
pub struct Converter {
    rules: convert::ProviderConverter,
    /// The engine that compiles prompts. `None` if the integration has a custom engine.
    engine: Option<(Py<Engine>, Arc<EngineState>)>,
    schemas: Option<Py<PySchemas>>,
    /// Whether instructions for the answer are appended. `None`: to a request, unless the provider enforces the schema.
    output_instructions: Option<bool>,
    structured_output: bool,
    sampling: bool,
    format_in_body: bool,
    old_max_tokens: bool,
    /// The provider's name for observers.
    target: &'static str,
}

#[pymethods]
impl Converter {
    #[new]
    #[allow(
        clippy::fn_params_excessive_bools,
        clippy::too_many_arguments,
        reason = "each is an option, given by name"
    )]
    #[pyo3(signature = (provider, engine, *, strict, schemas = None, output_instructions = None,
        structured_output = true, to_messages = false, merge_system = false, merge_turns = false,
        allow_prefill = false, allow_assistant_first = false, inline_system = false, sampling = false, extra_body = false, developer_as_system = false, cache_control = false,
        cache_breakpoints = false, old_max_tokens = false, schema_tool = false))]
    fn new(
        provider: &str,
        engine: Option<&Bound<'_, Engine>>,
        strict: bool,
        schemas: Option<Py<PySchemas>>,
        output_instructions: Option<bool>,
        structured_output: bool,
        to_messages: bool,
        merge_system: bool,
        merge_turns: bool,
        allow_prefill: bool,
        allow_assistant_first: bool,
        inline_system: bool,
        sampling: bool,
        extra_body: bool,
        developer_as_system: bool,
        cache_control: bool,
        cache_breakpoints: bool,
        old_max_tokens: bool,
        schema_tool: bool,
    ) -> PyResult<Self> {
        let target = match provider {
            "openai" => "openai",
            "responses" => "openai-responses",
            "anthropic" => "anthropic",
            "gemini" => "gemini",
            "bedrock" => "bedrock",
            _ => "litellm",
        };
        let provider = match provider {
            "openai" => Provider::OpenAi(openai::OpenAiOptions {
                strict,
                cache: if cache_breakpoints {
                    openai::WrittenHints::All
                } else {
                    openai::WrittenHints::OpenAi
                },
                ..openai::OpenAiOptions::default()
            }),
            "responses" => Provider::Responses(openai::responses::ResponsesOptions {
                strict,
                continues: false,
                cache_breakpoints,
            }),
            "anthropic" => Provider::Anthropic(anthropic::AnthropicOptions {
                strict,
                merge_system,
                merge_turns,
                allow_prefill,
                allow_assistant_first,
                inline_system,
            }),
            "gemini" => Provider::Gemini(gemini::GeminiOptions { strict, allow_prefill }),
            "bedrock" => Provider::Bedrock(bedrock::BedrockOptions {
                strict,
                allow_prefill,
                allow_assistant_first,
                inline_system,
                schema_tool,
            }),
            "litellm" => Provider::LiteLlm(openai::OpenAiOptions::for_litellm(
                strict,
                developer_as_system,
                cache_control,
            )),
            _ => return Err(PyValueError::new_err(format!("no provider is named '{provider}'"))),
        };
        let engine = engine.map(|engine| (engine.clone().unbind(), Arc::clone(&engine.get().shared)));
        let rules = convert::ProviderConverter { provider, to_messages };
        Ok(Self {
            rules,
            engine,
            schemas,
            output_instructions,
            structured_output,
            sampling,
            format_in_body: extra_body,
            old_max_tokens,
            target,
        })
    }

    /// The provider's name for observers.
    #[getter]
    fn target(&self) -> &'static str {
        self.target
    }

    /// Converts a prompt.
    fn convert<'py>(
        slf: &Bound<'py, Self>,
        prompt: &Bound<'py, PyAny>,
        variables: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, converter) = (slf.py(), slf.get());
        let compiled = converter.compiled(prompt)?;
        if let Some(observers) = compiled.get().render_observers(py) {
            static CONVERT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let observed = CONVERT.import(py, "prompt_manager.integrations._observed", "convert_now")?;
            return observed.call1((observers, slf, compiled, variables));
        }
        let compiled = compiled.get();
        let instructions = converter.output_instructions.unwrap_or(true);
        let rendered = converter.rendered(converter.rules, compiled, variables, instructions)?;
        converter.converted(py, compiled, rendered)
    }

    /// Converts a prompt with texts that a custom engine rendered; see [`Converter::prepare`].
    fn assemble<'py>(
        &self,
        prompt: &Bound<'py, CompiledPrompt>,
        context: &Bound<'py, PyAny>,
        texts: Vec<Bound<'py, PyString>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, compiled) = (prompt.py(), prompt.get());
        self.check_format(py, self.rules, compiled)?;
        let rendered = self.assembled(compiled, context, texts, self.output_instructions.unwrap_or(true))?;
        self.converted(py, compiled, rendered)
    }

    /// The arguments of the API call for a prompt, with those that the caller adds.
    #[pyo3(signature = (prompt, variables, *, model, arguments))]
    fn request<'py>(
        &self,
        prompt: &Bound<'py, PyAny>,
        variables: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = arguments::optional_model)] model: Option<&str>,
        arguments: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let compiled = self.compiled(prompt)?;
        let (py, compiled) = (prompt.py(), compiled.get());
        let parts = self.request_parts(py, compiled, arguments)?;
        let rendered = self.rendered(self.rules.for_requests(), compiled, variables, parts.instructions)?;
        self.request_of(py, compiled, rendered, model, &parts)
    }

    /// The arguments of the API call besides the model and the conversation, and whether the prompt needs instructions
    /// for the answer.
    fn arguments<'py>(&self, prompt: &Bound<'py, CompiledPrompt>) -> PyResult<(Bound<'py, PyAny>, bool)> {
        let (py, compiled) = (prompt.py(), prompt.get());
        let nothing = PyDict::new(py);
        let parts = self.request_parts(py, compiled, &nothing)?;
        let instructions = parts.instructions;
        let options = self.options(None, &parts);
        let mut report = Report::default();
        let payload = self.rules.arguments(compiled.compiled.prompt(), &options, &mut report);
        let payload: Payload<PyOutput<'_>> = payload.map_err(|error| self.wrapped(py, compiled, error))?;
        warn(py, &report)?;
        Ok((payload_to_python(py, payload)?, instructions))
    }

    /// The JSON Schema of the answer, with all rules of the prompt's output schema. `None` if it has none.
    fn answer_schema<'py>(&self, prompt: &Bound<'py, CompiledPrompt>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = prompt.py();
        let response = self.response_in(py, prompt.get(), JsonSchemaMode::Full)?;
        response.map(|response| Ok(pythonize::pythonize(py, &response.schema)?)).transpose()
    }

    /// As [`Converter::request`], with texts that a custom engine rendered.
    #[pyo3(signature = (prompt, context, texts, *, model, arguments))]
    #[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
    fn assemble_request<'py>(
        &self,
        prompt: &Bound<'py, CompiledPrompt>,
        context: &Bound<'py, PyAny>,
        texts: Vec<Bound<'py, PyString>>,
        #[pyo3(from_py_with = arguments::optional_model)] model: Option<&str>,
        arguments: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, compiled) = (prompt.py(), prompt.get());
        let parts = self.request_parts(py, compiled, arguments)?;
        let rendered = self.assembled(compiled, context, texts, parts.instructions)?;
        self.request_of(py, compiled, rendered, model, &parts)
    }

    /// The input for a custom template engine.
    fn prepare<'s, 'py>(
        &self,
        prompt: &'s Bound<'py, CompiledPrompt>,
        variables: &Bound<'py, PyAny>,
    ) -> PyResult<Prepared<'s, 'py>> {
        let py = variables.py();
        let prompt = prompt.get();
        check_variables(variables, &prompt.shared)?;
        let schemas = self.schemas.as_ref().map(|schemas| schemas.bind(py));
        let options = prompt.render_options(variables, schemas, true);
        prompt.prepared(variables, &options).map_err(|error| self.wrapped(py, prompt, error))
    }

    /// The reasons why a prompt cannot be converted, whatever its variables are. Empty if it can be.
    fn explain(&self, prompt: &Bound<'_, CompiledPrompt>) -> Vec<String> {
        self.rules.explain(prompt.get().compiled.prompt())
    }

    /// The provider's name for a role.
    fn map_role(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = arguments::metadata)] role: &str,
    ) -> PyResult<&'static str> {
        let provider = self.rules.name();
        let role = Role::ALL
            .into_iter()
            .find(|known| known.as_str() == role)
            .ok_or_else(|| Error::new(Kind::Conversion, format!("Unsupported role for {provider}: {role}")));
        role.and_then(|role| self.rules.map_role(role)).or_raise(py)
    }
}

impl Converter {
    /// The handle of a prompt for a conversion with this converter's engine.
    fn compiled<'py>(&self, prompt: &Bound<'py, PyAny>) -> PyResult<Bound<'py, CompiledPrompt>> {
        let py = prompt.py();
        if let Ok(core) = prompt.cast_exact::<CompiledPrompt>() {
            return Ok(core.clone());
        }
        let Some((engine, shared)) = &self.engine else {
            return Err(PyValueError::new_err(
                "this converter has a custom template engine, so the prompt must be compiled already",
            ));
        };
        let core = match prompt.getattr(intern!(py, "_core")) {
            Ok(core) => core,
            Err(error) if error.is_instance_of::<PyAttributeError>(py) => {
                let check = py.import("prompt_manager.core._prompt_argument")?;
                check.call_method1("require_prompt", (prompt,))?;
                prompt.call_method1(intern!(py, "_compiled"), (engine,))?
            }
            Err(error) => return Err(error),
        };
        let core = core.cast_into_exact::<CompiledPrompt>()?;
        if core.get().is_for(shared) {
            return Ok(core);
        }
        Bound::new(py, core.get().for_conversion(py, shared)?)
    }

    fn check_format(
        &self,
        py: Python<'_>,
        rules: convert::ProviderConverter,
        prompt: &CompiledPrompt,
    ) -> PyResult<()> {
        rules.check_format(prompt.compiled.prompt()).map_err(|error| self.wrapped(py, prompt, error))
    }

    fn rendered<'py>(
        &self,
        rules: convert::ProviderConverter,
        prompt: &CompiledPrompt,
        variables: &Bound<'py, PyAny>,
        instructions: bool,
    ) -> PyResult<Rendered<PyOutput<'py>>> {
        let py = variables.py();
        check_variables(variables, &prompt.shared)?;
        self.check_format(py, rules, prompt)?;
        let schemas = self.schemas.as_ref().map(|schemas| schemas.bind(py));
        let options = prompt.render_options(variables, schemas, instructions);
        let data = PyData::new(py, &prompt.shared);
        let rendered = slow::watched(prompt.compiled.prompt(), || {
            prompt.compiled.rendered(&data, variables, &prompt.shared, &options)
        });
        rendered.map_err(|error| self.wrapped(py, prompt, error))
    }

    fn assembled<'py>(
        &self,
        prompt: &CompiledPrompt,
        context: &Bound<'py, PyAny>,
        texts: Vec<Bound<'py, PyString>>,
        instructions: bool,
    ) -> PyResult<Rendered<PyOutput<'py>>> {
        let py = context.py();
        let schemas = self.schemas.as_ref().map(|schemas| schemas.bind(py));
        let options = prompt.schema_options(schemas, instructions);
        prompt.assembled(context, texts, &options).map_err(|error| self.wrapped(py, prompt, error))
    }

    fn converted<'py>(
        &self,
        py: Python<'py>,
        prompt: &CompiledPrompt,
        rendered: Rendered<PyOutput<'py>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Rendered::Plain(texts) = &rendered
            && let Some(messages) = self.plain(py, texts)?
        {
            return Ok(messages);
        }
        let mut report = Report::default();
        let payload = self.rules.convert(rendered, &mut report);
        let payload = payload.and_then(|payload| check_encodable(&payload).map(|()| payload));
        let payload = payload.map_err(|error| self.wrapped(py, prompt, error))?;
        warn(py, &report)?;
        payload_to_python(py, payload)
    }

    /// Plain messages as a list of dicts, if the provider accepts that. This skips the tree that other messages need.
    fn plain<'py>(
        &self,
        py: Python<'py>,
        texts: &[(Role, PyOutput<'py>)],
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut messages = Vec::with_capacity(texts.len());
        for (role, text) in texts {
            let Some(role) = self.rules.plain_role(*role).filter(|_| !surrogates::has_lone(&text.0)) else {
                return Ok(None);
            };
            let message = PyDict::new(py);
            message.set_item(intern!(py, "role"), fixed(py, role))?;
            message.set_item(intern!(py, "content"), &text.0)?;
            messages.push(message);
        }
        if messages.is_empty() {
            Ok(None)
        } else {
            PyList::new(py, messages).map(|list| Some(list.into_any()))
        }
    }

    /// Collects the parts of a request besides the rendered prompt.
    fn request_parts<'a, 'py>(
        &self,
        py: Python<'py>,
        prompt: &CompiledPrompt,
        arguments: &'a Bound<'py, PyDict>,
    ) -> PyResult<RequestParts<'a, 'py>> {
        let arguments = RequestArguments(arguments);
        let given = GivenByCaller {
            names: arguments.names(),
            removed: arguments.removed(),
            adds_tools: arguments.adds_tools()?,
            tool_names: arguments.tool_names()?,
            tool_hints: arguments.tool_hints()?,
            words: arguments.words(),
        };
        let response = if self.structured_output { self.response(py, prompt)? } else { None };
        let instructions = self.output_instructions.unwrap_or_else(|| {
            self.rules.needs_instructions(prompt.compiled.prompt(), response.as_deref(), given.as_arguments())
        });
        Ok(RequestParts { arguments, given, response, instructions })
    }

    /// The output schema as the provider enforces it.
    fn response(&self, py: Python<'_>, prompt: &CompiledPrompt) -> PyResult<Option<Arc<ResponseSchema>>> {
        self.response_in(py, prompt, self.rules.schema_mode())
    }

    fn response_in(
        &self,
        py: Python<'_>,
        prompt: &CompiledPrompt,
        mode: JsonSchemaMode,
    ) -> PyResult<Option<Arc<ResponseSchema>>> {
        let schemas = self.schemas.as_ref().map(|schemas| schemas.bind(py));
        let options = prompt.schema_options(schemas, true);
        let data = PyData::new(py, &prompt.shared);
        prompt.compiled.response_schema(&data, &options, mode).or_raise(py)
    }

    fn request_of<'py>(
        &self,
        py: Python<'py>,
        prompt: &CompiledPrompt,
        rendered: Rendered<PyOutput<'py>>,
        model: Option<&str>,
        parts: &RequestParts<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        parts.arguments.check().map_err(|error| self.wrapped(py, prompt, error))?;
        let options = self.options(model, parts);
        let mut report = Report::default();
        let payload = self.rules.request(prompt.compiled.prompt(), rendered, &options, &mut report);
        let payload = payload.and_then(|payload| check_encodable(&payload).map(|()| payload));
        let payload = payload.map_err(|error| self.wrapped(py, prompt, error))?;
        let request = payload_to_python(py, payload)?.cast_into::<PyDict>()?;
        parts.arguments.add_to(&request, self.rules.conversation_keys(), &mut report)?;
        warn(py, &report)?;
        Ok(request.into_any())
    }

    fn options<'a>(&self, model: Option<&'a str>, parts: &'a RequestParts<'_, '_>) -> RequestOptions<'a> {
        RequestOptions {
            model,
            given: parts.given.as_arguments(),
            response: parts.response.clone(),
            sampling: self.sampling,
            format_in_body: self.format_in_body,
            old_max_tokens: self.old_max_tokens,
        }
    }

    fn wrapped(&self, py: Python<'_>, prompt: &CompiledPrompt, error: Error) -> PyErr {
        raise(py, &wrap(error, prompt.compiled.prompt().id.as_str(), self.rules.name()))
    }
}

/// The parts of a request besides the rendered prompt.
struct RequestParts<'a, 'py> {
    arguments: RequestArguments<'a, 'py>,
    given: GivenByCaller,
    response: Option<Arc<ResponseSchema>>,
    /// Whether the instructions for the answer are appended.
    instructions: bool,
}

/// The owner of what [`convert::GivenArguments`] refers to.
struct GivenByCaller {
    names: Vec<String>,
    removed: Vec<String>,
    adds_tools: bool,
    tool_names: Vec<String>,
    tool_hints: Vec<bool>,
    words: Vec<(String, String)>,
}

impl GivenByCaller {
    fn as_arguments(&self) -> convert::GivenArguments<'_> {
        convert::GivenArguments {
            names: &self.names,
            removed: &self.removed,
            adds_tools: self.adds_tools,
            tool_names: &self.tool_names,
            tool_hints: &self.tool_hints,
            words: &self.words,
        }
    }
}

/// Checks that the roles begin with `user` and alternate, as Anthropic requires.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "extracted from Python")]
pub(super) fn validate_alternation(py: Python<'_>, roles: Vec<String>) -> PyResult<()> {
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    anthropic::validate_alternation(&roles).or_raise(py)
}

/// The arguments of a provider's call, in any release of the supported range. Empty for an unknown target.
#[pyfunction]
pub(super) fn call_arguments(target: &str) -> Vec<&'static str> {
    convert::call_arguments::call_arguments(target).unwrap_or_default()
}

/// The members of an argument that holds settings, each with the argument. Empty for a target without such an argument.
#[pyfunction]
pub(super) fn members_of_arguments(target: &str) -> Vec<(&'static str, &'static str)> {
    convert::call_arguments::members_of_arguments(target)
}

/// The members of a mapping among the arguments of a call. Empty for a mapping whose members are not known.
#[pyfunction]
pub(super) fn known_members(target: &str, argument: &str) -> Vec<&'static str> {
    convert::call_arguments::known_members(target, argument).to_vec()
}

/// Where a target takes what another provider has under this name. `None` if it is not known.
#[pyfunction]
pub(super) fn place_of(target: &str, name: &Bound<'_, PyString>) -> Option<&'static str> {
    convert::call_arguments::place_of(target, &name.to_string_lossy())
}

/// A name in Python's spelling, such as `max_tokens` for `maxTokens`.
#[pyfunction]
pub(super) fn snake_case(name: &Bound<'_, PyString>) -> String {
    crate::prompt::snake_case(&name.to_string_lossy())
}

/// Base64 in the standard alphabet, with padding and without white space. `None` for a text that is no base64.
#[pyfunction]
pub(super) fn plain_base64(text: &Bound<'_, PyString>) -> Option<String> {
    crate::base64::plain(&text.to_string_lossy()).map(Cow::into_owned)
}

/// The MIME type and the data of a `data:` URL in base64. `None` for any other text.
#[pyfunction]
pub(super) fn read_data_url(url: &Bound<'_, PyString>) -> Option<(String, String)> {
    let url = url.to_string_lossy();
    let (media_type, data) = convert::media_type::data_url(&url)?;
    Some((media_type.to_owned(), crate::base64::plain(data)?.into_owned()))
}

/// Where an address leads: `file`, `data`, `https` or `other`.
#[pyfunction]
pub(super) fn address_kind(address: &Bound<'_, PyString>) -> &'static str {
    convert::image_address::kind_of(&address.to_string_lossy())
}

/// The fields of a [`PairedMessage`].
type PairedFields = (usize, String, Vec<String>, Option<String>, Option<String>);

/// The calls of a conversation without a result, and the results without a call, each with its position, the problem
/// and a hint. A message is its position, its role, the ids of its calls, the function that it calls, and the id or name
/// that it answers.
#[pyfunction]
pub(super) fn unpaired_calls(messages: Vec<PairedFields>) -> Vec<(usize, String, &'static str)> {
    let paired = messages.into_iter().filter_map(|(index, role, calls, function, answered)| {
        let role = Role::ALL.into_iter().find(|known| known.as_str() == role)?;
        Some(PairedMessage { index, role, calls, function, answered })
    });
    unpaired(&paired.collect::<Vec<_>>())
}
