"""The types that integrations return.

For a type checker these are the types of the providers' packages, so that you can pass a converted prompt to their
functions. At run time they are plain types, and no provider's package is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

__all__ = [
    "AnthropicMessage",
    "AnthropicRequest",
    "LangChainPrompt",
    "LiteLLMMessage",
    "OpenAIChatCompletion",
    "OpenAICompletion",
    "OpenAIMessage",
    "OpenAIResponse",
]

if TYPE_CHECKING:
    from anthropic.types import MessageParam
    from langchain_core.prompts import ChatPromptTemplate, StringPromptTemplate
    from openai.types.chat import ChatCompletionMessageParam

    OpenAIMessage: TypeAlias = ChatCompletionMessageParam
    AnthropicMessage: TypeAlias = MessageParam
    LangChainPrompt: TypeAlias = StringPromptTemplate | ChatPromptTemplate
else:
    OpenAIMessage: TypeAlias = dict[str, Any]
    AnthropicMessage: TypeAlias = dict[str, Any]
    LangChainPrompt: TypeAlias = Any

#: ``messages`` of Chat Completions.
OpenAIChatCompletion: TypeAlias = list[OpenAIMessage]
#: ``prompt`` of Completions, or ``input`` of Responses.
OpenAICompletion: TypeAlias = str
#: ``instructions`` and ``input`` of Responses.
OpenAIResponse: TypeAlias = dict[str, Any]
#: ``system`` and ``messages`` of Anthropic's Messages.
AnthropicRequest: TypeAlias = dict[str, Any]
#: A message in OpenAI's format. LiteLLM's functions take untyped dicts.
LiteLLMMessage: TypeAlias = dict[str, Any]
