"""A chat model of LangChain with the tools, the settings and the output schema of a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from warnings import warn

from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import Runnable, RunnableLambda, RunnableSequence

from prompt_manager._native import Converter, parse_json
from prompt_manager.integrations.base import PromptConversionWarning
from prompt_manager.validation.output import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prompt_manager._native import CompiledPrompt, Schemas

__all__ = ["bound_model"]


class _ModelKind(NamedTuple):
    """How the chat models of a provider are called."""

    provider: str
    #: Where the format of the answer is.
    format_key: str
    options: Mapping[str, bool] = {}
    #: Whether a model of the kind accepts cache hints in Anthropic's format.
    takes_hints: Callable[[Any], bool] = lambda _model: False


def _is_of_anthropic(model: Any) -> bool:
    """Whether a model of LiteLLM is Anthropic's, by its provider or by its name."""
    overrides = getattr(model, "model_kwargs", None) or {}
    provider = overrides.get("custom_llm_provider") or getattr(model, "custom_llm_provider", None)
    name = overrides.get("model") or getattr(model, "model_name", None) or getattr(model, "model", None)
    return provider == "anthropic" or (provider is None and str(name).startswith(("anthropic/", "claude-")))


#: The chat models that pass on the arguments of the provider's call, by the names of their classes.
_KINDS: Mapping[str, _ModelKind] = {
    # LangChain turns the arguments of Chat Completions into those of Responses where it calls that.
    "BaseChatOpenAI": _ModelKind("openai", "response_format", {"old_max_tokens": True}),
    "ChatAnthropic": _ModelKind("anthropic", "output_config", takes_hints=lambda _model: True),
    "ChatLiteLLM": _ModelKind("litellm", "response_format", takes_hints=_is_of_anthropic),
}
_ANY = _ModelKind("openai", "response_format", {"old_max_tokens": True})


def bound_model(
    model: Runnable[Any, Any],
    prompt: CompiledPrompt,
    *,
    strict: bool,
    schemas: Schemas | None,
    output_instructions: bool | None,
    sampling: bool,
    cache_control: bool | None,
) -> tuple[Runnable[Any, Any], dict[str, bool]]:
    """Return the model with what the prompt has, and the options of the prompt's template for it."""
    inner = _unbound(model)
    kind = _kind(inner)
    used = kind or _ANY
    takes_hints = used.takes_hints(inner) if cache_control is None else cache_control
    of_provider = {"anthropic": {"sampling": sampling}, "litellm": {"cache_control": takes_hints}}
    converter = Converter(
        used.provider,
        None,
        strict=strict,
        schemas=schemas,
        output_instructions=output_instructions,
        **used.options,
        **of_provider.get(used.provider, {}),
    )
    arguments, instructions = converter.arguments(prompt)
    # The model has a name of its own.
    arguments.pop("model", None)
    if kind is None:
        bound = _bound_by_methods(model, prompt, schemas, arguments)
    else:
        bound = model.bind(**arguments) if arguments else model
        if kind.format_key in arguments and _has_format(arguments[kind.format_key]) and "tools" not in arguments:
            bound = bound | _reader(prompt, schemas)
    return bound, {"output_instructions": instructions, "cache_control": takes_hints}


def _unbound(model: Any) -> Any:
    """The model itself, which may be bound already."""
    inner = getattr(model, "bound", None)
    while inner is not None:
        model, inner = inner, getattr(inner, "bound", None)
    return model


def _kind(model: Any) -> _ModelKind | None:
    found = (_KINDS.get(cls.__name__) for cls in type(model).__mro__)
    return next((kind for kind in found if kind is not None), None)


def _has_format(value: Any) -> bool:
    """Whether this argument has the format of an answer. Anthropic's has other members as well."""
    return "format" in value or "json_schema" in value


def _bound_by_methods(
    model: Any, prompt: CompiledPrompt, schemas: Schemas | None, arguments: dict[str, Any]
) -> Runnable[Any, Any]:
    """Return a model of any provider with tools and schema, by the methods that all models share."""
    format_ = arguments.pop("response_format", None)
    schema = None if format_ is None else format_.get("json_schema", {}).get("schema")
    tools, choice = arguments.pop("tools", None), arguments.pop("tool_choice", None)
    if tools is not None:
        if schema is not None:
            warn(
                f"prompt '{prompt.id}' has tools and an output schema, and this model takes one of the two; "
                "the schema is not sent",
                PromptConversionWarning,
                stacklevel=4,
            )
        chosen = {} if choice is None else {"tool_choice": _choice_of_any(choice)}
        bound: Runnable[Any, Any] = model.bind_tools(tools, **chosen)
        return bound.bind(**arguments) if arguments else bound
    if schema is not None:
        return _first_bound(model.with_structured_output(schema), arguments) | RunnableLambda(
            lambda data: prompt.validate_output(data, schemas=schemas)
        )
    settled: Runnable[Any, Any] = model.bind(**arguments) if arguments else model
    return settled


def _choice_of_any(choice: Any) -> Any:
    """The choice of a tool as ``bind_tools`` of all models takes it: a word, or the name of the tool."""
    if isinstance(choice, dict):
        return choice["function"]["name"]
    return "any" if choice == "required" else choice


def _first_bound(chain: Runnable[Any, Any], arguments: dict[str, Any]) -> Runnable[Any, Any]:
    """Return a chain whose first step, the model, has these arguments."""
    if not arguments:
        return chain
    if not isinstance(chain, RunnableSequence):
        return chain.bind(**arguments)
    first, *rest = chain.steps
    return RunnableSequence(first.bind(**arguments), *rest)


def _reader(prompt: CompiledPrompt, schemas: Schemas | None) -> Runnable[Any, Any]:
    """The data of an answer, read and validated as ``manager.parse_output`` does it."""

    def read_output(text: str) -> Any:
        if schemas is None:
            return read_text(prompt, text, strict=False).data
        return prompt.validate_output(parse_json(text, dict=True)[0], schemas=schemas)

    return StrOutputParser() | RunnableLambda(read_output)
