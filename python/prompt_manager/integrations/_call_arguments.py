"""The arguments of the providers' calls, so that a misspelt one is refused before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager._native import call_arguments, members_of_arguments, nearest, place_of, snake_case
from prompt_manager.integrations._config import as_mapping, check_mapping, gemini_config

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["CALLS", "CallArguments", "check_arguments", "options_of", "with_extra", "with_mappings"]


class CallArguments(NamedTuple):
    """What the caller of ``build_request`` adds to a prompt."""

    model: str | None
    arguments: dict[str, Any]


#: For each target, the arguments of its call in any release of the supported range.
CALLS: Mapping[str, frozenset[str]] = {
    target: frozenset(call_arguments(target))
    for target in ("openai", "openai-responses", "anthropic", "litellm", "gemini", "bedrock")
}


def check_arguments(target: str, integration: type[Any], arguments: Iterable[str], own: Collection[str]) -> None:
    """Refuse the first argument that neither the provider's call nor ours has.

    Args:
        target: The provider, as observers know it.
        integration: The class of its integration.
        arguments: The names of the arguments.
        own: The names of our own arguments.

    Raises:
        TypeError: there is such an argument. The message has the nearest name, or says where the argument belongs.

    >>> check_arguments("anthropic", object, ["max_token"], ["model"])
    Traceback (most recent call last):
    TypeError: unexpected keyword argument 'max_token'; did you mean 'max_tokens'? If not, pass extra={'max_token': ...}
    """
    known = CALLS[target]
    for name in arguments:
        if name == "modelId":
            raise TypeError("unexpected keyword argument 'modelId'; pass model=...")
        if name in known:
            continue
        if name == "api":
            raise TypeError("unexpected keyword argument 'api'; name the API by the provider, 'openai-responses'")
        if name in options_of(integration):
            cls = integration.__name__
            raise TypeError(
                f"unexpected keyword argument '{name}'; it is an option of the integration: "
                f"{cls}(engine, {name}=...).build_request(prompt, variables)"
            )
        holder = dict(members_of_arguments(target)).get(name)
        place = f"{holder}={{'{name}': ...}}" if holder is not None else place_of(target, name)
        if place is not None:
            raise TypeError(f"unexpected keyword argument '{name}'; pass {place}")
        if name == "stream" and target in _STREAMING_CALLS:
            call = _STREAMING_CALLS[target]
            raise TypeError(f"unexpected keyword argument 'stream'; to stream, pass the same request to {call}")
        extra = f"pass extra={{'{name}': ...}}"
        # Ours come first, because a caller who slips with `label` does not think of `logit_bias`.
        options = sorted(options_of(integration)) if "strict" in own else []
        near = nearest(name, sorted(own)) or nearest(name, options) or nearest(name, sorted(known))
        if near:
            raise TypeError(f"unexpected keyword argument '{name}'; did you mean '{near}'? If not, {extra}")
        raise TypeError(
            f"unexpected keyword argument '{name}'; the call for '{target}' has no such argument. If your model or "
            f"gateway has it, {extra}"
        )


def with_extra(target: str, arguments: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments together with those that are not checked.

    The packages of OpenAI and Anthropic refuse arguments that they do not know, and send the members of ``extra_body``.
    Gemini's and Bedrock's packages have such a mapping too. LiteLLM passes on what it does not know.

    Raises:
        TypeError: ``extra`` is not a mapping, or has an argument that is given by its name too, or ``model``.

    >>> with_extra("openai", {"stream": True}, {"min_p": 0.1})
    {'stream': True, 'extra_body': {'min_p': 0.1}}
    """
    if not isinstance(extra, Mapping):
        raise TypeError(f"`extra` must be a mapping of arguments, such as {{'min_p': 0.1}}, not {type(extra).__name__}")
    for name in extra:
        if name in arguments or name == "model":
            raise TypeError(f"`extra` has '{name}', which is an argument of its own: pass only {name}=...")
    if target == "litellm":
        return {**arguments, **extra}
    known = {name: value for name, value in extra.items() if name in CALLS[target]}
    body = {name: value for name, value in extra.items() if name not in known}
    together = {**arguments, **known}
    if target in _EXTRA_PATHS:
        holders = dict(members_of_arguments(target))
        for name, value in body.items():
            # The documentation of Gemini's REST API has its members in another spelling.
            member = snake_case(name) if target == "gemini" else name
            if member in holders:
                together = _nested(together, (holders[member],), {member: value})
            else:
                together = _nested(together, _EXTRA_PATHS[target], {name: value})
        return together
    if body:
        together["extra_body"] = {**body, **(together.get("extra_body") or {})}
    return together


def with_mappings(target: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with mappings and tools that can be merged with those of a prompt, after a check.

    Raises:
        TypeError: an argument that must be a mapping or a list has another type, or has a member that does not exist.

    >>> with_mappings("openai-responses", {"text": "low"})
    Traceback (most recent call last):
    TypeError: `text` must be a mapping, not str
    """
    for name in _MERGED.intersection(arguments):
        # A package has objects that stand for an argument that is not given.
        if isinstance(arguments[name], (str, bytes, int, float, list, tuple)):
            raise TypeError(f"`{name}` must be a mapping, not {type(arguments[name]).__name__}")
    if arguments.get("tools") is not None:
        arguments = {**arguments, "tools": _tools(arguments["tools"])}
    if target == "anthropic" and not _SAMPLING.isdisjoint(arguments):
        arguments = _in_extra_body(arguments)
    if target == "gemini" and arguments.get("config") is not None:
        return {**arguments, "config": gemini_config(arguments["config"])}
    if target == "bedrock":
        for name in _MAPPINGS_OF_BEDROCK:
            if arguments.get(name) is not None:
                check_mapping(target, name, arguments[name])
    return arguments


#: Arguments that newer packages of Anthropic do not have any more. All of them pass on the members of ``extra_body``.
_SAMPLING = frozenset({"temperature", "top_p", "top_k"})


def _in_extra_body(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with those of :data:`_SAMPLING` that have a value in ``extra_body``."""
    moved = {name: value for name, value in arguments.items() if name in _SAMPLING and value is not None}
    if not moved:
        return arguments
    left = {name: value for name, value in arguments.items() if name not in moved}
    return {**left, "extra_body": {**moved, **(left.get("extra_body") or {})}}


#: The arguments of the other calls that are merged with those of a prompt.
_MERGED = frozenset({"text", "reasoning", "output_config", "metadata", "extra_body"})


def _tools(tools: Any) -> Any:
    """The tools of the caller as a list, or ``None`` for an empty one, which OpenAI refuses."""
    if isinstance(tools, (str, bytes, int, float, Mapping)):
        raise TypeError(f"`tools` must be a list of tools, not {type(tools).__name__}")
    tools = list(tools) if isinstance(tools, Iterable) else tools
    return None if tools == [] else tools


#: Bedrock's arguments that are mappings.
_MAPPINGS_OF_BEDROCK = (
    "inferenceConfig",
    "toolConfig",
    "outputConfig",
    "additionalModelRequestFields",
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
    "requestMetadata",
    "serviceTier",
)

#: The calls that stream, of the packages whose call has no argument for it.
_STREAMING_CALLS = {
    "gemini": "client.models.generate_content_stream(**request)",
    "bedrock": "client.converse_stream(**request)",
}
#: Where the calls with settings in mappings have what they do not know.
_EXTRA_PATHS: Mapping[str, tuple[str, ...]] = {
    "gemini": ("config", "http_options", "extra_body"),
    "bedrock": ("additionalModelRequestFields",),
}


def _nested(arguments: Mapping[str, Any], path: tuple[str, ...], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with members added to the mapping at a path. Members that are there stay."""
    key, *rest = path
    given = arguments.get(key)
    inner = {} if given is None else as_mapping(key, given)
    return {**arguments, key: _nested(inner, tuple(rest), extra) if rest else {**extra, **inner}}


def options_of(integration: type[Any]) -> Mapping[str, Any]:
    """The options of an integration with their defaults, without its engine."""
    from inspect import Parameter, signature

    parameters = signature(integration.__init__).parameters.values()
    return {each.name: each.default for each in parameters if each.kind is Parameter.KEYWORD_ONLY}
