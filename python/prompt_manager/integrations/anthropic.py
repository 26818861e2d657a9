"""Convert prompts for Anthropic's Messages API, to plain data. This does not need the ``anthropic`` package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager.integrations._provider import ProviderIntegration
from prompt_manager.integrations.types import AnthropicMessagesRequest, AnthropicMessagesStream, AnthropicRequest
from prompt_manager.integrations.utils import validate_alternation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["AnthropicIntegration"]


class AnthropicIntegration(ProviderIntegration[AnthropicRequest, AnthropicMessagesRequest, AnthropicMessagesStream]):
    """Converts prompts for ``client.messages.create(**converted, model=..., max_tokens=...)``.

    A chat prompt becomes ``{"system": ..., "messages": [...]}``, without the key ``system`` if it has no system
    message. Any other prompt raises :class:`~prompt_manager.exceptions.IncompatibleFormatError`, unless ``to_messages``
    is true; :meth:`build_request` makes it one user message.

    :meth:`build_request` needs ``max_tokens``, in the prompt's settings or as an argument. The output format is in the
    argument ``output_config``, which the ``anthropic`` package has since 0.77.

    Args:
        template_engine: The engine that renders the templates.
        strict_validation: Raise an error for anything that the API would reject or that the conversion would lose.
        merge_system: Join several system messages at the start into one, even in strict mode.
        merge_turns: Merge consecutive messages of the same role, even in strict mode.
        allow_prefill: Allow the conversation to end with an assistant message, which the model then continues.
        allow_assistant_first: Allow the conversation to begin with an assistant message, such as a compacted history.
        inline_system: Send system messages after the first turn in their place, which newer models accept.
        to_messages: Convert a prompt that is not a chat to a single user message.
        sampling: Include ``temperature``, ``top_p`` and ``top_k`` of the prompt's settings in requests. Newer models
            reject them.
        extra_body: Put the output format into ``extra_body``, for an ``anthropic`` package before 0.77.
        schemas: The schemas that prompts refer to by name. A prompt from a manager has its own.
        output_instructions: Append instructions that describe the expected answer, if the prompt has an output schema.
            By default, a request whose schema the API enforces has none.
        structured_output: Make requests ask the API for an answer that follows the output schema.

    >>> from prompt_manager import Prompt, TemplateEngine
    >>> messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi, {{name}}"}]
    >>> prompt = Prompt(id="hi", format="chat", chat_template={"messages": messages})
    >>> AnthropicIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada"})
    {'system': 'Be kind.', 'messages': [{'role': 'user', 'content': 'Hi, Ada'}]}
    """

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        merge_system: bool = False,
        merge_turns: bool = False,
        allow_prefill: bool = False,
        allow_assistant_first: bool = False,
        inline_system: bool = False,
        to_messages: bool = False,
        sampling: bool = False,
        extra_body: bool = False,
        schemas: SchemaLoader | None = None,
        output_instructions: bool | None = None,
        structured_output: bool = True,
    ) -> None:
        super().__init__(
            "anthropic",
            template_engine,
            strict_validation=strict_validation,
            merge_system=merge_system,
            merge_turns=merge_turns,
            allow_prefill=allow_prefill,
            allow_assistant_first=allow_assistant_first,
            inline_system=inline_system,
            to_messages=to_messages,
            sampling=sampling,
            extra_body=extra_body,
            schemas=schemas,
            output_instructions=output_instructions,
            structured_output=structured_output,
        )

    def _validate_alternation(self, messages: Sequence[Mapping[str, Any]]) -> None:
        validate_alternation(messages)
