"""LiteLLM, which takes OpenAI's form. Plain data: the ``litellm`` package is not needed to make it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_manager.integrations._provider import ProviderIntegration
from prompt_manager.integrations.types import LiteLLMMessage

if TYPE_CHECKING:
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["LiteLLMIntegration"]


class LiteLLMIntegration(ProviderIntegration[list[LiteLLMMessage] | str]):
    """Prompts for ``litellm.completion(messages=...)``.

    A chat becomes a list of messages in OpenAI's form, any other prompt its text, for
    ``litellm.text_completion(prompt=...)``. Function calls in their old form become tool calls, since LiteLLM gives
    call and result different ids on the way to other providers.

    Args:
        template_engine: What renders the templates.
        strict_validation: Refuse what the API would refuse, and what loses something on the way.
        developer_as_system: Write developer messages as system messages, for providers that know no other.
        cache_control: Write cache hints as ``cache_control`` on parts, for providers that take it; they reach OpenAI's
            models unchanged.
        to_messages: Give the text of a prompt that is no chat as a user's message.
        schemas: The schemas that prompts name; a prompt from a manager carries its own.
        output_instructions: Append what the answer must look like, where a prompt has an output schema.
        structured_output: Have requests ask for that form of the answer too.

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
