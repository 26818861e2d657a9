"""Convert prompts for OpenAI's APIs, to plain data. This does not need the ``openai`` package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal

from prompt_manager.integrations._provider import ProviderIntegration
from prompt_manager.integrations.types import OpenAIChatCompletion, OpenAICompletion, OpenAIResponse

if TYPE_CHECKING:
    from typing import overload

    from typing_extensions import TypeVar

    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.integrations.types import (
        OpenAIChatRequest,
        OpenAIChatStream,
        OpenAIResponsesRequest,
        OpenAIResponsesStream,
    )
    from prompt_manager.validation.loader import SchemaLoader

    # The types of a request and of its stream, which type checkers infer from `api`. Both are `Any` in the annotation
    # `OpenAIIntegration`.
    R = TypeVar("R", default=Any)
    S = TypeVar("S", default=Any)
else:
    from typing import TypeVar

    R = TypeVar("R")
    S = TypeVar("S")

__all__ = ["OpenAIIntegration"]


class OpenAIIntegration(
    ProviderIntegration[OpenAIChatCompletion | OpenAIResponse | OpenAICompletion, R, S], Generic[R, S]
):
    """Converts prompts for ``client.chat.completions.create(messages=...)`` or ``client.responses.create(...)``.

    With ``api="chat"``, a chat prompt becomes a list of messages. Any other prompt becomes its text, for
    ``client.completions.create(prompt=...)``; :meth:`build_request` makes it one user message.

    With ``api="responses"``, a chat prompt becomes ``{"instructions": ..., "input": [...]}``. Any other prompt becomes
    its text, for ``input``; :meth:`build_request` makes it one user message.

    Args:
        template_engine: The engine that renders the templates.
        strict_validation: Raise an error for anything that the API would reject or that the conversion would lose.
        api: ``"chat"`` for Chat Completions, ``"responses"`` for Responses.
        to_messages: Convert a prompt that is not a chat to a single user message.
        schemas: The schemas that prompts refer to by name. A prompt from a manager has its own.
        output_instructions: Append instructions that describe the expected answer, if the prompt has an output schema.
            By default, a request whose schema the API enforces has none.
        max_tokens_key: The argument of Chat Completions for ``settings.max_tokens``. With ``"max_tokens"``, requests
            are for servers with an API like OpenAI's, such as vLLM, Ollama or Mistral, and ``top_k`` goes into
            ``extra_body``.
        structured_output: Make requests ask the API for an answer that follows the output schema.
        cache_breakpoints: Send every cache hint of a prompt as ``prompt_cache_breakpoint``, which GPT-5.6 and later
            models accept. By default only those that name OpenAI, as in ``cache: {openai: {ttl: 30m}}``, are sent.

    >>> from prompt_manager import Prompt, TemplateEngine
    >>> prompt = Prompt(
    ...     id="hi", format="chat", chat_template={"messages": [{"role": "user", "content": "Hi, {{name}}"}]}
    ... )
    >>> OpenAIIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada"})
    [{'role': 'user', 'content': 'Hi, Ada'}]
    >>> OpenAIIntegration(TemplateEngine()).build_request_sync(prompt, {"name": "Ada"}, model="gpt-5", store=False)
    {'model': 'gpt-5', 'messages': [{'role': 'user', 'content': 'Hi, Ada'}], 'store': False}
    """

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: OpenAIIntegration[OpenAIChatRequest, OpenAIChatStream],
            template_engine: TemplateEngineProtocol,
            *,
            strict_validation: bool = True,
            api: Literal["chat"] = "chat",
            to_messages: bool = False,
            schemas: SchemaLoader | None = None,
            output_instructions: bool | None = None,
            max_tokens_key: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens",
            structured_output: bool = True,
            cache_breakpoints: bool = False,
        ) -> None: ...

        @overload
        def __init__(
            self: OpenAIIntegration[OpenAIResponsesRequest, OpenAIResponsesStream],
            template_engine: TemplateEngineProtocol,
            *,
            strict_validation: bool = True,
            api: Literal["responses"],
            to_messages: bool = False,
            schemas: SchemaLoader | None = None,
            output_instructions: bool | None = None,
            max_tokens_key: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens",
            structured_output: bool = True,
            cache_breakpoints: bool = False,
        ) -> None: ...

        @overload
        def __init__(
            self: OpenAIIntegration[Any, Any],
            template_engine: TemplateEngineProtocol,
            *,
            strict_validation: bool = True,
            api: Literal["chat", "responses"],
            to_messages: bool = False,
            schemas: SchemaLoader | None = None,
            output_instructions: bool | None = None,
            max_tokens_key: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens",
            structured_output: bool = True,
            cache_breakpoints: bool = False,
        ) -> None: ...

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        api: Literal["chat", "responses"] = "chat",
        to_messages: bool = False,
        schemas: SchemaLoader | None = None,
        output_instructions: bool | None = None,
        max_tokens_key: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens",
        structured_output: bool = True,
        cache_breakpoints: bool = False,
    ) -> None:
        if api not in {"chat", "responses"}:
            raise ValueError(f"api must be 'chat' or 'responses', not {api!r}")
        if max_tokens_key not in {"max_completion_tokens", "max_tokens"}:
            raise ValueError(f"max_tokens_key must be 'max_completion_tokens' or 'max_tokens', not {max_tokens_key!r}")
        super().__init__(
            "responses" if api == "responses" else "openai",
            template_engine,
            strict_validation=strict_validation,
            to_messages=to_messages,
            schemas=schemas,
            output_instructions=output_instructions,
            old_max_tokens=max_tokens_key == "max_tokens",
            structured_output=structured_output,
            cache_breakpoints=cache_breakpoints,
        )
