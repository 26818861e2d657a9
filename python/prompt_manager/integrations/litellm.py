"""Convert prompts for LiteLLM, to plain data in OpenAI's format. This does not need the ``litellm`` package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager.integrations._provider import ProviderIntegration
from prompt_manager.integrations.types import LiteLLMMessage, LiteLLMRequest

if TYPE_CHECKING:
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["LiteLLMIntegration"]


class LiteLLMIntegration(ProviderIntegration[list[LiteLLMMessage] | str, LiteLLMRequest, LiteLLMRequest]):
    """Converts prompts for ``litellm.completion(messages=...)``.

    A chat prompt becomes a list of messages in OpenAI's format. Any other prompt becomes its text, for
    ``litellm.text_completion(prompt=...)``; :meth:`build_request` makes it one user message. Legacy function calls
    become tool calls, because LiteLLM gives the call and its result different ids when it translates them for other
    providers.

    Args:
        template_engine: The engine that renders the templates.
        strict_validation: Raise an error for anything that the API would reject or that the conversion would lose.
        developer_as_system: Convert developer messages to system messages, for providers without a developer role.
        cache_control: Convert cache hints to ``cache_control`` on message parts, for providers that support it. LiteLLM
            passes it to OpenAI's models unchanged.
        to_messages: Convert a prompt that is not a chat to a single user message.
        schemas: The schemas that prompts refer to by name. A prompt from a manager has its own.
        output_instructions: Append instructions that describe the expected answer, if the prompt has an output schema.
        structured_output: Make requests ask the API for an answer that follows the output schema.

    >>> from prompt_manager import Prompt, TemplateEngine
    >>> kind = {"role": "system", "content": "Be kind.", "cache": True}
    >>> messages = [kind, {"role": "user", "content": "Hi, {{name}}"}]
    >>> prompt = Prompt(id="hi", format="chat", chat_template={"messages": messages})
    >>> LiteLLMIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada"})
    [{'role': 'system', 'content': 'Be kind.'}, {'role': 'user', 'content': 'Hi, Ada'}]
    >>> LiteLLMIntegration(TemplateEngine(), cache_control=True).convert_sync(prompt, {"name": "Ada"})[0]["content"]
    [{'type': 'text', 'text': 'Be kind.', 'cache_control': {'type': 'ephemeral'}}]
    """

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        developer_as_system: bool = False,
        cache_control: bool = False,
        to_messages: bool = False,
        schemas: SchemaLoader | None = None,
        output_instructions: bool = True,
        structured_output: bool = True,
    ) -> None:
        super().__init__(
            "litellm",
            template_engine,
            strict_validation=strict_validation,
            developer_as_system=developer_as_system,
            cache_control=cache_control,
            to_messages=to_messages,
            schemas=schemas,
            output_instructions=output_instructions,
            structured_output=structured_output,
        )
