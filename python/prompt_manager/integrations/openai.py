"""OpenAI's Chat Completions. Plain dicts: the ``openai`` package is not needed to make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prompt_manager import _native
from prompt_manager.integrations.base import BaseIntegration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager.core.models import Prompt, Role

__all__ = ["OpenAIIntegration"]


class OpenAIIntegration(BaseIntegration[list[dict[str, Any]] | str]):
    """Prompts for ``client.chat.completions.create(messages=...)``.

    >>> from prompt_manager import Prompt, TemplateEngine
    >>> prompt = Prompt(
    ...     id="hi", format="chat", chat_template={"messages": [{"role": "user", "content": "Hi, {{name}}"}]}
    ... )
    >>> OpenAIIntegration(TemplateEngine()).convert_sync(prompt, {"name": "Ada"})
    [{'role': 'user', 'content': 'Hi, Ada'}]
    """

    async def convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> list[dict[str, Any]] | str:
        """The messages of a chat prompt; of any other, its text.

        Raises:
            ConversionError: a variable is missing, or the messages break a rule of the API.
            IntegrationError: the prompt is a draft without a template.
            TemplateSyntaxError: a template cannot be parsed.
        """
        form, steps = self._converted(prompt, variables)
        if steps:
            self._warn(steps)
        return form

    def convert_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> list[dict[str, Any]] | str:
        """:meth:`convert`, for code that does not await."""
        form, steps = self._converted(prompt, variables)
        if steps:
            self._warn(steps)
        return form

    def _converted(self, prompt: Prompt, variables: Mapping[str, Any]) -> tuple[list[dict[str, Any]] | str, list[str]]:
        return self._compiled(prompt).openai(
            variables,
            strict=self._strict_validation,
            output_instructions=self._output_instructions,
            schemas=self._schemas,
        )

    def validate_compatibility(self, prompt: Prompt) -> bool:  # noqa: ARG002 - the base class asks with it
        """True: every format has a form."""
        return True

    def _map_role(self, role: Role) -> str:
        return _native.map_role("OpenAI", role)
