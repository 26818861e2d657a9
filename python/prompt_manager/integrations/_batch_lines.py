"""Lines of the files that OpenAI, Anthropic and Google run as a batch."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any
from warnings import warn

from prompt_manager import _native
from prompt_manager._encodable import check_encodable
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations.base import PromptConversionWarning

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BATCH_PROVIDERS", "batch_line", "check_batch", "check_batch_arguments", "left_out"]

#: The providers that have such files.
BATCH_PROVIDERS = ("openai", "openai-responses", "anthropic", "gemini")


def check_batch(provider: object, custom_id: object) -> None:
    """Check what a line is for.

    Raises:
        TypeError: the provider is not named by a text.
        ValueError: the provider has no such files, or refuses ``custom_id``.
    """
    if not isinstance(provider, str):
        known = ", ".join(BATCH_PROVIDERS)
        raise TypeError(
            f"provider must be a str, not {type(provider).__name__}. Those that have batch files are {known}"
        )
    if provider not in BATCH_PROVIDERS:
        known = ", ".join(f'"{name}"' for name in BATCH_PROVIDERS)
        check_encodable(provider, "the name of the provider", ValueError)
        raise ValueError(f"provider '{provider}' has no batch files; those that have are {known}")
    if not isinstance(custom_id, str) or not custom_id:
        raise ValueError("custom_id must be a text that tells the answers of a batch apart, and must not be empty")
    check_encodable(custom_id, "the custom_id", ValueError)
    _native.check_batch_id(provider, custom_id)


def check_batch_arguments(arguments: Mapping[str, Any]) -> None:
    """Check that a line can have these arguments of ``build_request``.

    Raises:
        ValueError: they ask for a stream.
    """
    if arguments.get("stream"):
        raise ValueError("a batch has no streams; leave out stream=True")


def left_out(name: str) -> str:
    """Return the warning for an argument of a call."""
    return f"`{name}` is for a call, and a line of a batch has no such argument; left out"


def batch_line(provider: str, request: Mapping[str, Any], custom_id: str) -> dict[str, Any]:
    """Return the line for a request of ``build_request``, as a dict to be written as JSON.

    Raises:
        ConversionError: the request has a value that JSON does not have.
        ValueError: the provider has no such files, ``custom_id`` is empty, or the request asks for a stream.

    >>> batch_line("openai", {"model": "gpt-5", "messages": []}, "1")
    {'custom_id': '1', 'method': 'POST', 'url': '/v1/chat/completions', 'body': {'model': 'gpt-5', 'messages': []}}
    """
    check_batch(provider, custom_id)
    extra = request.get("extra_body")
    if request.get("stream") or (isinstance(extra, dict) and extra.get("stream")):
        raise ValueError("a batch has no streams; leave out `stream`")
    text = _json_of(request, provider)
    for name in _native.arguments_of_call(provider, text):
        warn(left_out(name), PromptConversionWarning, stacklevel=3)
    if provider == "gemini":
        return {"key": custom_id, "request": json.loads(_native.gemini_batch_body(text))}
    return _native.batch_line(provider, custom_id, {key: value for key, value in request.items() if key != "stream"})


def _json_of(request: Mapping[str, Any], provider: str) -> str:
    """Return a request as JSON.

    Raises:
        ConversionError: it has a value that JSON does not have. The message has its place.
    """
    try:
        return json.dumps(request, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        place, what = _not_json(request) or ("the request", "values that are nested too deeply")
    raise ConversionError(
        f"{place} has {what}, and a batch file has only JSON",
        framework="openai" if provider == "openai-responses" else provider,
        hint="write it as a dict, a list, a text or a finite number; bytes are base64 text",
    )


def _not_json(value: object, place: str = "", depth: int = 200) -> tuple[str, str] | None:
    """The place of the first value that JSON does not have, and what it is."""
    if isinstance(value, dict) and depth:
        inner = [(f"{place}.{key}" if place else str(key), member) for key, member in value.items()]
    elif isinstance(value, list | tuple) and depth:
        inner = [(f"{place}[{at}]", item) for at, item in enumerate(value)]
    elif value is None or isinstance(value, str | int | dict | list | tuple):
        return None
    elif isinstance(value, float):
        return None if isfinite(value) else (f"`{place}`", "a number that is not finite")
    else:
        return f"`{place}`", "bytes" if isinstance(value, bytes) else f"an object of the type {type(value).__name__}"
    return next(filter(None, (_not_json(member, at, depth - 1) for at, member in inner)), None)
