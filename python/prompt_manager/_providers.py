"""The providers that requests are made for, by name. It loads nothing, because the command line starts with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BATCH_TARGETS", "PROVIDERS"]


class _Provider(NamedTuple):
    """The integration of a provider."""

    module: str
    name: str
    options: Mapping[str, Any] = {}


#: The providers by the names that callers and observers use.
PROVIDERS: Mapping[str, _Provider] = {
    "openai": _Provider("openai", "OpenAIIntegration"),
    "openai-responses": _Provider("openai", "OpenAIIntegration", {"api": "responses"}),
    "anthropic": _Provider("anthropic", "AnthropicIntegration"),
    "litellm": _Provider("litellm", "LiteLLMIntegration"),
    "gemini": _Provider("gemini", "GeminiIntegration"),
    "bedrock": _Provider("bedrock", "BedrockIntegration"),
}

#: What a batch renders for each row.
BATCH_TARGETS = ("text", "messages", *PROVIDERS, *(f"{provider}-request" for provider in PROVIDERS))
