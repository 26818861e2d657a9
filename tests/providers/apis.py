"""Each provider's API with all that belongs to it: what converts for it, and what checks its requests."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager.integrations import AnthropicIntegration, LiteLLMIntegration, OpenAIIntegration
from providers import anthropic_messages, openai_chat, openai_responses, reference

if TYPE_CHECKING:
    from collections.abc import Callable


class Api(NamedTuple):
    """One provider."""

    name: str
    #: Makes the integration, of an engine and options.
    integration: Callable[..., Any]
    #: A conversion without checks.
    plainly: Callable[[list[dict[str, Any]]], Any]
    #: Makes a body of what was converted, and checks it.
    check: Callable[[Any], None]
    #: Whether strict mode asks for more than the API does.
    is_stricter: Callable[[list[dict[str, Any]]], bool]


def repeats_system(messages):
    """Several instructions at the start, or an end that the model is to continue."""
    roles = ["system" if message["role"] == "developer" else message["role"] for message in messages]
    return roles[:2] == ["system", "system"] or roles[-1:] == ["assistant"]


APIS = {
    "openai": Api(
        "OpenAI",
        OpenAIIntegration,
        reference.openai_form,
        lambda form: openai_chat.check({"model": "m", "messages": form}),
        lambda _: False,
    ),
    "responses": Api(
        "OpenAI",
        partial(OpenAIIntegration, api="responses"),
        reference.responses_form,
        lambda form: openai_responses.check({"model": "m", **form}),
        lambda _: False,
    ),
    "litellm": Api(
        "LiteLLM",
        LiteLLMIntegration,
        reference.litellm_form,
        lambda form: openai_chat.check({"model": "m", "messages": form}),
        lambda _: False,
    ),
    "anthropic": Api(
        "Anthropic",
        AnthropicIntegration,
        reference.anthropic_form,
        lambda form: anthropic_messages.check({"model": "m", "max_tokens": 5, **form}),
        repeats_system,
    ),
}
