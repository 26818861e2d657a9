"""The types that integrations return.

For a type checker these are the types of the providers' packages, so that you can pass a converted prompt to their
functions. At run time they are plain types, and no provider's package is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict

__all__ = [
    "AnthropicMessage",
    "AnthropicMessageDict",
    "AnthropicMessagesRequest",
    "AnthropicMessagesStream",
    "AnthropicRequest",
    "AnthropicRequestDict",
    "BedrockConversation",
    "BedrockRequest",
    "GeminiContents",
    "GeminiRequest",
    "LangChainPrompt",
    "LiteLLMCompletion",
    "LiteLLMMessage",
    "LiteLLMRequest",
    "OpenAIChatCompletion",
    "OpenAIChatRequest",
    "OpenAIChatStream",
    "OpenAICompletion",
    "OpenAIFunctionCallDict",
    "OpenAIMessage",
    "OpenAIMessageDict",
    "OpenAIResponse",
    "OpenAIResponsesRequest",
    "OpenAIResponsesStream",
    "OpenAIToolCallDict",
    "Provider",
]

#: The names of the providers that a manager converts for.
Provider: TypeAlias = Literal["openai", "openai-responses", "anthropic", "litellm", "gemini", "bedrock"]

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anthropic.types import MessageParam, TextBlockParam
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
    from google.genai.types import ContentDict, GenerateContentConfigDict
    from langchain_core.prompts import ChatPromptTemplate, StringPromptTemplate
    from openai.types.chat import ChatCompletionMessageParam
    from openai.types.chat.completion_create_params import (
        CompletionCreateParamsNonStreaming,
        CompletionCreateParamsStreaming,
    )
    from openai.types.responses import ResponseInputParam
    from openai.types.responses.response_create_params import (
        ResponseCreateParamsNonStreaming,
        ResponseCreateParamsStreaming,
    )

    #: A message of OpenAI's Chat Completions.
    OpenAIMessage: TypeAlias = ChatCompletionMessageParam
    #: A message of Anthropic's Messages.
    AnthropicMessage: TypeAlias = MessageParam
    #: A template of LangChain: text for a text prompt, a chat template for a chat.
    LangChainPrompt: TypeAlias = StringPromptTemplate | ChatPromptTemplate

    #: The arguments of ``chat.completions.create``.
    OpenAIChatRequest: TypeAlias = CompletionCreateParamsNonStreaming
    #: The arguments of ``chat.completions.create`` with ``stream=True``.
    OpenAIChatStream: TypeAlias = CompletionCreateParamsStreaming
    #: The arguments of ``responses.create``.
    OpenAIResponsesRequest: TypeAlias = ResponseCreateParamsNonStreaming
    #: The arguments of ``responses.create`` with ``stream=True``.
    OpenAIResponsesStream: TypeAlias = ResponseCreateParamsStreaming
    #: The arguments of Anthropic's ``messages.create``.
    AnthropicMessagesRequest: TypeAlias = MessageCreateParamsNonStreaming
    #: The arguments of Anthropic's ``messages.create`` with ``stream=True``.
    AnthropicMessagesStream: TypeAlias = MessageCreateParamsStreaming

    class OpenAIResponse(TypedDict, total=False):
        """``instructions`` and ``input`` of Responses."""

        instructions: str
        input: Required[ResponseInputParam]

    class AnthropicRequest(TypedDict, total=False):
        """``system`` and ``messages`` of Anthropic's Messages."""

        system: str | Iterable[TextBlockParam]
        messages: Required[list[MessageParam]]

    class GeminiContents(TypedDict, total=False):
        """``contents`` and ``config`` of Gemini's ``generate_content``."""

        contents: Required[list[ContentDict]]
        config: GenerateContentConfigDict

    class GeminiRequest(GeminiContents, total=False):
        """The arguments of Gemini's ``generate_content`` and ``generate_content_stream``."""

        model: Required[str]
else:
    OpenAIMessage: TypeAlias = dict[str, Any]
    AnthropicMessage: TypeAlias = dict[str, Any]
    LangChainPrompt: TypeAlias = Any
    OpenAIChatRequest: TypeAlias = dict[str, Any]
    OpenAIChatStream: TypeAlias = dict[str, Any]
    OpenAIResponsesRequest: TypeAlias = dict[str, Any]
    OpenAIResponsesStream: TypeAlias = dict[str, Any]
    AnthropicMessagesRequest: TypeAlias = dict[str, Any]
    AnthropicMessagesStream: TypeAlias = dict[str, Any]
    OpenAIResponse: TypeAlias = dict[str, Any]
    AnthropicRequest: TypeAlias = dict[str, Any]
    #: ``contents`` and ``config`` of Gemini's ``generate_content``.
    GeminiContents: TypeAlias = dict[str, Any]
    #: The arguments of Gemini's ``generate_content`` and ``generate_content_stream``.
    GeminiRequest: TypeAlias = dict[str, Any]

#: ``system`` and ``messages`` of Bedrock's ``converse``. boto3's functions are untyped.
BedrockConversation: TypeAlias = dict[str, Any]
#: The arguments of Bedrock's ``converse`` and ``converse_stream``.
BedrockRequest: TypeAlias = dict[str, Any]
#: ``messages`` of Chat Completions.
OpenAIChatCompletion: TypeAlias = list[OpenAIMessage]
#: ``prompt`` of Completions, or ``input`` of Responses.
OpenAICompletion: TypeAlias = str
#: A message in OpenAI's format. LiteLLM's functions take untyped dicts.
LiteLLMMessage: TypeAlias = dict[str, Any]

#: The arguments of ``litellm.completion``.
LiteLLMRequest: TypeAlias = dict[str, Any]

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
