"""What every integration is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from prompt_manager._native import Engine
from prompt_manager.core._sync import AWAITING, run, run_asking
from prompt_manager.exceptions import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager._native import CompiledPrompt, Schemas
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.models import Prompt
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

    #: What an engine that is not ours renders: the variables as its templates are to see them, the texts, the partials.
    Prepared = tuple[Mapping[str, Any], list[str], dict[str, str]]
    #: What it rendered: the prompt, the variables as its templates saw them, and the texts.
    Foreign = tuple[CompiledPrompt, Mapping[str, Any], list[str]]

__all__ = ["BaseIntegration", "PromptConversionWarning"]

T = TypeVar("T")


class PromptConversionWarning(UserWarning):
    """A conversion left something out, or said it another way."""


async def rendered_by(engine: TemplateEngineProtocol, ask: CallMode, prompt_id: str, prepared: Prepared) -> list[str]:
    """Have an engine that is not ours render the texts of a prompt, one after the other."""
    context, texts, partials = prepared
    rendered: list[str] = []
    for text in texts:
        try:
            made = await ask(engine, "render", text, context, partials=partials or None)
        except Exception as error:
            # The engine is a stranger's code: what it raises is passed on as the cause.
            raise ConversionError(
                f"Failed to convert prompt '{prompt_id}': {type(engine).__name__} could not render text "
                f"{len(rendered)} of {len(texts)}",
                prompt_id=prompt_id,
            ) from error
        if not isinstance(made, str):
            raise TypeError(f"{type(engine).__name__}.render must give a str, not {type(made).__name__}")
        rendered.append(made)
    return rendered


class BaseIntegration(ABC, Generic[T]):
    """Turns prompts into what a framework takes.

    A subclass says how in :meth:`convert`; :meth:`convert_sync` then works too.

    Args:
        template_engine: What renders the templates, such as ``manager.template_engine``; or one of your own, which
            offers what :class:`~prompt_manager.core.protocols.TemplateEngineProtocol` says. Texts are then opaque: the
            variables that are checked are those that the prompt declares, and what else is missing is for the engine to
            say.
        strict_validation: Refuse what the provider would refuse. Otherwise the nearest lawful thing is done, with a
            :class:`PromptConversionWarning` for each lossy step.
        schemas: The schemas that prompts name, such as ``manager.schemas``. A prompt that came from a manager brings
            its own, but not to a template engine of your own.
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
        self._own_engine = template_engine if isinstance(template_engine, Engine) else None
        if self._own_engine is None and not callable(getattr(template_engine, "render", None)):
            raise TypeError(
                "template_engine must be a TemplateEngine, or have its coroutine `render(template, variables, *, "
                f"partials=None)`; {type(template_engine).__name__} has none"
            )
        self._strict_validation = strict_validation
        self._schemas: Schemas | None = None if schemas is None else schemas._core
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
        """The rendered messages of a chat prompt in the form of prompt files, for a conversion of your own.

        Raises:
            PromptError: the prompt is no chat.
            TemplateRenderError: a variable is missing or of another type, or a template cannot be rendered.
            ConversionError: a template engine of your own failed.
        """
        if self._own_engine is None:
            core, context, texts = await self._foreign(AWAITING, prompt, variables)
            return core.assemble_messages(context, texts, self._output_instructions, self._schemas)
        core = prompt._compiled(self._own_engine)
        return core.render_messages(variables, self._output_instructions, self._schemas)

    def render_messages_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """:meth:`render_messages`, for code that does not await."""
        if self._own_engine is None:
            core, context, texts = self._foreign_sync("render_messages", prompt, variables)
            return core.assemble_messages(context, texts, self._output_instructions, self._schemas)
        core = prompt._compiled(self._own_engine)
        return core.render_messages(variables, self._output_instructions, self._schemas)

    async def _foreign(self, ask: CallMode, prompt: Prompt, variables: Mapping[str, Any]) -> Foreign:
        """Have an engine that is not ours render the texts of a prompt, one after the other."""
        core = prompt._opaque()
        prepared = self._prepare(core, variables)
        return core, prepared[0], await rendered_by(self._template_engine, ask, core.id, prepared)

    def _foreign_sync(self, name: str, prompt: Prompt, variables: Mapping[str, Any]) -> Foreign:
        return run_asking(
            lambda ask: self._foreign(ask, prompt, variables),
            f"{type(self).__name__}.{name}",
            (self._template_engine, "render"),
        )

    def _prepare(self, core: CompiledPrompt, variables: Mapping[str, Any]) -> Prepared:
        """The variables as the templates are to see them, the texts that are templates, and the partials."""
        return core.prepare(variables, self._schemas)
