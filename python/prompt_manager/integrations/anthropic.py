"""Anthropic's Messages. Plain dicts: the ``anthropic`` package is not needed to make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager import _native
from prompt_manager.integrations.base import BaseIntegration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager.core.models import Prompt, Role
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["AnthropicIntegration"]


class AnthropicIntegration(BaseIntegration[dict[str, Any]]):
    """Prompts for ``client.messages.create(**form, model=..., max_tokens=...)``.

    Args:
        template_engine: What renders the templates.
        strict_validation: Refuse what the API would refuse, and what loses something on the way.
        merge_system: Join several system messages at the start, in strict mode too.
        merge_turns: Merge consecutive turns of one role, in strict mode too.
        schemas: The schemas that prompts name; a prompt that came from a manager brings its own.
        output_instructions: Append what the answer must look like, where a prompt has an output schema.
        allow_prefill: Let the conversation end with the assistant's turn, which the model then continues.

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
        schemas: SchemaLoader | None = None,
        output_instructions: bool = True,
    ) -> None:
        super().__init__(
            template_engine,
            strict_validation=strict_validation,
            schemas=schemas,
            output_instructions=output_instructions,
        )
        self._merge_system = merge_system
        self._merge_turns = merge_turns
        self._allow_prefill = allow_prefill

    async def convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> dict[str, Any]:
        """A chat prompt as ``{"system": ..., "messages": [...]}``; without a system message the key is left out.

        Raises:
            ConversionError: a variable is missing, or the messages break a rule of the API.
            IncompatibleFormatError: the prompt is no chat.
            IntegrationError: the prompt is a draft without a template.
            TemplateSyntaxError: a template cannot be parsed.
        """
        form, steps = self._converted(prompt, variables)
        if steps:
            self._warn(steps)
        return form

    def convert_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> dict[str, Any]:
        """:meth:`convert`, for code that does not await."""
        form, steps = self._converted(prompt, variables)
        if steps:
            self._warn(steps)
        return form

    def _converted(self, prompt: Prompt, variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        return self._compiled(prompt).anthropic(
            variables,
            strict=self._strict_validation,
            merge_system=self._merge_system,
            merge_turns=self._merge_turns,
            allow_prefill=self._allow_prefill,
            output_instructions=self._output_instructions,
            schemas=self._schemas,
        )

    def validate_compatibility(self, prompt: Prompt) -> bool:
        """Whether the prompt is a chat."""
        return prompt.format == "chat"

    def _map_role(self, role: Role) -> str:
        return _native.map_role("Anthropic", role)

    def _validate_alternation(self, messages: Sequence[Mapping[str, Any]]) -> None:
        _native.validate_alternation([message["role"] for message in messages])
