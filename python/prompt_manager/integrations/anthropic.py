"""Anthropic's Messages. Plain data: the ``anthropic`` package is not needed to make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager import _native
from prompt_manager.integrations._provider import ProviderIntegration
from prompt_manager.integrations.types import AnthropicRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["AnthropicIntegration"]


class AnthropicIntegration(ProviderIntegration[AnthropicRequest]):
    """Prompts for ``client.messages.create(**form, model=..., max_tokens=...)``.

    A chat becomes ``{"system": ..., "messages": [...]}``; without a system message the key is left out. Any other
    prompt is an :class:`~prompt_manager.exceptions.IncompatibleFormatError`, unless ``to_messages`` is given.

    :meth:`build_request` needs ``max_tokens``, in the prompt's settings or as an argument. What the older releases of
    the package have no argument for, such as the form of the answer, goes into ``extra_body``.

    Args:
        template_engine: What renders the templates.
        strict_validation: Refuse what the API would refuse, and what loses something on the way.
        merge_system: Join several system messages at the start, in strict mode too.
        merge_turns: Merge consecutive turns of one role, in strict mode too.
        allow_prefill: Let the conversation end with the assistant's turn, which the model then continues.
        to_messages: Give the text of a prompt that is no chat as a user's message.
        sampling: Have requests carry ``temperature``, ``top_p`` and ``top_k`` of the prompt's settings, which newer
            models refuse.
        schemas: The schemas that prompts name; a prompt from a manager carries its own.
        output_instructions: Append what the answer must look like, where a prompt has an output schema.
        structured_output: Have requests ask for that form of the answer too.

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
        to_messages: bool = False,
        sampling: bool = False,
        schemas: SchemaLoader | None = None,
        output_instructions: bool = True,
        structured_output: bool = True,
    ) -> None:
        super().__init__(
            "anthropic",
            template_engine,
            strict_validation=strict_validation,
            merge_system=merge_system,
            merge_turns=merge_turns,
            allow_prefill=allow_prefill,
            to_messages=to_messages,
            sampling=sampling,
            schemas=schemas,
            output_instructions=output_instructions,
            structured_output=structured_output,
        )

    def _validate_alternation(self, messages: Sequence[Mapping[str, Any]]) -> None:
        _native.validate_alternation([message["role"] for message in messages])
