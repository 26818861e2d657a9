"""The API of each provider, with the integration that converts for it and the function that checks its requests."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager.integrations import AnthropicIntegration, LiteLLMIntegration, OpenAIIntegration
from providers import anthropic_messages, openai_chat, openai_responses, reference

if TYPE_CHECKING:
    from collections.abc import Callable


class Api(NamedTuple):
    """The API of a provider."""

    name: str
    #: Makes the integration from an engine and options.
    integration: Callable[..., Any]
    #: Converts messages without checks.
    convert_unchecked: Callable[[list[dict[str, Any]]], Any]
    #: Makes a request of converted messages, and checks it.
    check: Callable[[Any], None]
    #: Whether strict mode rejects messages that the API accepts.
    is_stricter: Callable[[list[dict[str, Any]]], bool]


def repeats_system(messages):
    """Return whether messages begin with several system messages, or end with one that the model continues."""
    roles = ["system" if message["role"] == "developer" else message["role"] for message in messages]
    return roles[:2] == ["system", "system"] or roles[-1:] == ["assistant"]


def has_blank_text(messages):
    """Return whether a message of the application or the user is blank, which is an error in every conversion."""
    texts = [message.get("content") for message in messages if message["role"] in ("system", "developer", "user")]
    parts = [part.get("text", "x") for text in texts if isinstance(text, list) for part in text]
    return any(isinstance(text, str) and not text.strip() for text in [*texts, *parts])


APIS = {
    "openai": Api(
        "OpenAI",
        OpenAIIntegration,
        reference.openai_form,
        lambda form: openai_chat.check({"model": "m", "messages": form}),
        has_blank_text,
    ),
    "responses": Api(
        "OpenAI",
        partial(OpenAIIntegration, api="responses"),
        reference.responses_form,
        lambda form: openai_responses.check({"model": "m", **form}),
        has_blank_text,
    ),
    "litellm": Api(
        "LiteLLM",
        LiteLLMIntegration,
        reference.litellm_form,
        lambda form: openai_chat.check({"model": "m", "messages": form}),
        has_blank_text,
    ),
    "anthropic": Api(
        "Anthropic",
        AnthropicIntegration,
        reference.anthropic_form,
        lambda form: anthropic_messages.check({"model": "m", "max_tokens": 5, **form}),
        lambda messages: repeats_system(messages) or has_blank_text(messages),
    ),
}
