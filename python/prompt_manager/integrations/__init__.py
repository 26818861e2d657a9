"""Convert prompts to the request formats of providers. Importing this loads none of the providers' packages."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from prompt_manager.integrations.anthropic import AnthropicIntegration
    from prompt_manager.integrations.base import BaseIntegration, PromptConversionWarning
    from prompt_manager.integrations.bedrock import BedrockIntegration
    from prompt_manager.integrations.gemini import GeminiIntegration
    from prompt_manager.integrations.langchain import LangChainIntegration
    from prompt_manager.integrations.litellm import LiteLLMIntegration
    from prompt_manager.integrations.openai import OpenAIIntegration

__all__ = [
    "AnthropicIntegration",
    "BaseIntegration",
    "BedrockIntegration",
    "GeminiIntegration",
    "LangChainIntegration",
    "LiteLLMIntegration",
    "OpenAIIntegration",
    "PromptConversionWarning",
]

_MODULES = {
    "AnthropicIntegration": "anthropic",
    "BaseIntegration": "base",
    "BedrockIntegration": "bedrock",
    "GeminiIntegration": "gemini",
    "LangChainIntegration": "langchain",
    "LiteLLMIntegration": "litellm",
    "OpenAIIntegration": "openai",
    "PromptConversionWarning": "base",
}


def __getattr__(name: str) -> object:
    from prompt_manager._lazy import load

    return load(__name__, _MODULES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
