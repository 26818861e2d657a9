"""The API of each provider, with the integration that converts for it and the function that checks its requests."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)
from providers import anthropic_messages, bedrock_converse, gemini_api, openai_chat, openai_responses, reference
from providers.reference_bedrock import bedrock_form
from providers.reference_gemini import gemini_form

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
    """Return whether messages have several system messages or a late one, or end with one that the model continues."""
    roles = ["system" if message["role"] == "developer" else message["role"] for message in messages]
    turns = [role for role in roles if role != "system"]
    leading = roles[: len(roles) - len(turns)]
    return roles[:2] == ["system", "system"] or roles[-1:] == ["assistant"] or "system" in roles[len(leading) :]


def has_blank_text(messages):
    """Return whether a message of the application or the user is blank, which is an error in every conversion."""
    texts = [message.get("content") for message in messages if message["role"] in ("system", "developer", "user")]
    parts = [part.get("text", "x") for text in texts if isinstance(text, list) for part in text]
    return any(isinstance(text, str) and not text.strip() for text in [*texts, *parts])


def has_blank_part(messages):
    """Return whether a part of a message or of a result is a blank text."""
    lists = [message["content"] for message in messages if isinstance(message.get("content"), list)]
    texts = [part.get("text") for parts in lists for part in parts]
    return any(isinstance(text, str) and not text.strip() for text in texts)


APIS = {
    "openai": Api(
        "OpenAI",
        OpenAIIntegration,
        reference.openai_form,
        lambda form: openai_chat.check({"model": "m", "messages": form}),
        has_blank_part,
    ),
    "responses": Api(
        "OpenAI",
        partial(OpenAIIntegration, api="responses"),
        reference.responses_form,
        lambda form: openai_responses.check({"model": "m", **form}),
        has_blank_part,
    ),
    "litellm": Api(
        "LiteLLM",
        LiteLLMIntegration,
        reference.litellm_form,
        lambda form: openai_chat.check({"model": "m", "messages": form}),
        has_blank_part,
    ),
    "anthropic": Api(
        "Anthropic",
        AnthropicIntegration,
        reference.anthropic_form,
        lambda form: anthropic_messages.check({"model": "m", "max_tokens": 5, **form}),
        lambda messages: repeats_system(messages) or has_blank_text(messages),
    ),
    "gemini": Api("Gemini", GeminiIntegration, gemini_form, gemini_api.check, has_blank_text),
    "bedrock": Api(
        "Bedrock",
        BedrockIntegration,
        bedrock_form,
        lambda form: bedrock_converse.check(with_tools(form)),
        # The checker takes a blank text in the result of a tool, which the models behind Bedrock refuse.
        lambda messages: has_blank_text(messages) or has_blank_part(messages) or repeats_system(messages),
    ),
}


def with_tools(form):
    """Add the tools of the calls, which a request of a prompt with tools has."""
    called = {block["toolUse"]["name"] for turn in form["messages"] for block in turn["content"] if "toolUse" in block}
    specs = [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in sorted(called)]
    return {**form, **({"toolConfig": {"tools": specs}} if specs else {})}
