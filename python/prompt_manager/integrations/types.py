"""The types that integrations return.

For a type checker these are the types of the providers' packages, so that you can pass a converted prompt to their
functions. At run time they are plain types, and no provider's package is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

__all__ = [
    "AnthropicMessage",
    "AnthropicMessageDict",
    "AnthropicRequest",
    "AnthropicRequestDict",
    "LangChainPrompt",
    "LiteLLMCompletion",
    "LiteLLMMessage",
    "OpenAIChatCompletion",
    "OpenAICompletion",
    "OpenAIFunctionCallDict",
    "OpenAIMessage",
    "OpenAIMessageDict",
    "OpenAIResponse",
    "OpenAIToolCallDict",
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

#: ``messages`` of LiteLLM's functions.
LiteLLMCompletion: TypeAlias = list[LiteLLMMessage]


class OpenAIFunctionCallDict(TypedDict):
    """The function that a model calls; ``arguments`` is JSON text."""

    name: str
    arguments: str


class OpenAIToolCallDict(TypedDict):
    """A tool call of OpenAI's."""

    id: str
    type: str
    function: OpenAIFunctionCallDict


class OpenAIMessageDict(TypedDict, total=False):
    """A message of OpenAI's, for code that builds one. Integrations return :data:`OpenAIMessage`."""

    role: str
    content: str | list[dict[str, Any]]
    name: str
    function_call: dict[str, Any]
    tool_calls: list[dict[str, Any]]
    tool_call_id: str


class AnthropicMessageDict(TypedDict, total=False):
    """A message of Anthropic's, for code that builds one. Integrations return :data:`AnthropicMessage`."""

    role: str
    content: str | list[dict[str, Any]]


class AnthropicRequestDict(TypedDict, total=False):
    """The arguments of Anthropic's ``messages.create``, for code that builds them."""

    model: str
    messages: list[AnthropicMessageDict]
    max_tokens: int
    system: str
    temperature: float
    top_p: float
    top_k: int
    metadata: dict[str, Any]
    stop_sequences: list[str]
    stream: bool
