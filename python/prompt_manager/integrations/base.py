"""What every integration is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from warnings import warn

from prompt_manager._native import Engine
from prompt_manager.core._sync import run
from prompt_manager.exceptions import IntegrationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.models import Prompt
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["BaseIntegration", "PromptConversionWarning"]

T = TypeVar("T")


class PromptConversionWarning(UserWarning):
    """A conversion that was not strict left something out, or said it another way."""


class BaseIntegration(ABC, Generic[T]):
    """Turns prompts into what a framework takes.

    A subclass says how in :meth:`convert`; :meth:`convert_sync` then works too.

    Args:
        template_engine: What renders the templates, such as ``manager.template_engine``.
        strict_validation: Refuse what the provider would refuse. Otherwise the nearest lawful thing is done, with a
            :class:`PromptConversionWarning` for each lossy step.
        schemas: The schemas that prompts name, such as ``manager.schemas``. A prompt that came from a manager brings
            its own.
        output_instructions: Append what the answer must look like, where a prompt has an output schema.
    """

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        schemas: SchemaLoader | None = None,
        output_instructions: bool = True,
    ) -> None:
        self._template_engine = template_engine
        self._strict_validation = strict_validation
        self._schemas = None if schemas is None else schemas._core
        self._output_instructions = output_instructions

    @property
    def template_engine(self) -> TemplateEngineProtocol:
        """What renders the templates."""
        return self._template_engine

    @property
    def strict_validation(self) -> bool:
        """Whether what the provider would refuse is an error."""
        return self._strict_validation

    @abstractmethod
    async def convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """Render a prompt in the framework's form.

        Raises:
            ConversionError: a variable is missing, or the result breaks a rule of the provider.
            IncompatibleFormatError: the framework has no form for prompts of this format.
        """

    def convert_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """:meth:`convert`, for code that does not await."""
        return run(self.convert(prompt, variables), f"{type(self).__name__}.convert", self)

    @abstractmethod
    def validate_compatibility(self, prompt: Prompt) -> bool:
        """Whether the framework has a form for this prompt."""

    async def render_messages(self, prompt: Prompt, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rendered messages of a chat prompt in the form of prompt files, for a conversion of your own."""
        return self._compiled(prompt).render_messages(variables, self._output_instructions, self._schemas)

    def render_messages_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """:meth:`render_messages`, for code that does not await."""
        return self._compiled(prompt).render_messages(variables, self._output_instructions, self._schemas)

    def _compiled(self, prompt: Prompt) -> CompiledPrompt:
        if not isinstance(self._template_engine, Engine):
            raise IntegrationError(
                f"{type(self).__name__} needs the package's own TemplateEngine, "
                f"not {type(self._template_engine).__name__}"
            )
        return prompt._compiled(self._template_engine)

    @staticmethod
    def _warn(steps: list[str]) -> None:
        """Warn of each lossy step, at the line that called the method which calls this."""
        for step in steps:
            warn(step, PromptConversionWarning, stacklevel=3)
