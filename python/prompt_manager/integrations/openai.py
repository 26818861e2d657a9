"""OpenAI's Chat Completions and Responses. Plain data: the ``openai`` package is not needed to make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from prompt_manager.integrations._provider import ProviderIntegration
from prompt_manager.integrations.types import OpenAIChatCompletion, OpenAICompletion, OpenAIResponse

if TYPE_CHECKING:
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["OpenAIIntegration"]


class OpenAIIntegration(ProviderIntegration[OpenAIChatCompletion | OpenAIResponse | OpenAICompletion]):
    """Prompts for ``client.chat.completions.create(messages=...)``, or for ``client.responses.create(**form)``.

    A chat becomes a list of messages, any other prompt its text, for ``client.completions.create(prompt=...)``. For the
    Responses API a chat becomes ``{"instructions": ..., "input": [...]}``, and any other prompt the text for ``input``.

    Args:
        template_engine: What renders the templates.
        strict_validation: Refuse what the API would refuse, and what loses something on the way.
        api: ``"chat"`` or ``"responses"``.
        to_messages: Give the text of a prompt that is no chat as a user's message.
        schemas: The schemas that prompts name; a prompt from a manager carries its own.
        output_instructions: Append what the answer must look like, where a prompt has an output schema.
        structured_output: Have requests ask for that form of the answer too.

    >>> from prompt_manager import Prompt, TemplateEngine
    >>> prompt = Prompt(
    ...     id="hi", format="chat", chat_template={"messages": [{"role": "user", "content": "Hi, {{name}}"}]}
    ... )
    >>> OpenAIIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada"})
    [{'role': 'user', 'content': 'Hi, Ada'}]
    >>> OpenAIIntegration(TemplateEngine()).build_request_sync(prompt, {"name": "Ada"}, model="gpt-5", store=False)
    {'model': 'gpt-5', 'messages': [{'role': 'user', 'content': 'Hi, Ada'}], 'store': False}
    """

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        api: Literal["chat", "responses"] = "chat",
        to_messages: bool = False,
        schemas: SchemaLoader | None = None,
        output_instructions: bool = True,
        structured_output: bool = True,
    ) -> None:
        if api not in {"chat", "responses"}:
            raise ValueError(f"api must be 'chat' or 'responses', not {api!r}")
        super().__init__(
            "responses" if api == "responses" else "openai",
            template_engine,
            strict_validation=strict_validation,
            to_messages=to_messages,
            schemas=schemas,
            output_instructions=output_instructions,
            structured_output=structured_output,
        )
