"""The base class of integrations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from prompt_manager._native import CompiledPrompt
from prompt_manager.core._own_engine import render_texts
from prompt_manager.core._prompt_argument import require_prompt
from prompt_manager.core._sync import AWAITING, run, run_asking
from prompt_manager.core.template import native_engine
from prompt_manager.exceptions import ConversionError, PromptManagerError, TemplateError
from prompt_manager.validation._holder import held_schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import Self

    from prompt_manager._native import Engine, Schemas
    from prompt_manager.core._links import ObserverLinks
    from prompt_manager.core._own_engine import Prepared
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.models import Prompt
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

    #: The output of a custom template engine: the prompt, the variables that its templates saw, and the rendered texts.
    RenderedTexts = tuple[CompiledPrompt, Mapping[str, Any], list[str]]
    #: A conversion of a prompt, or of its handle, in the given mode.
    Conversion = Callable[[CallMode, Prompt | CompiledPrompt, Mapping[str, Any]], Coroutine[Any, Any, Any]]

__all__ = ["BaseIntegration", "PromptConversionWarning"]

T = TypeVar("T")


class PromptConversionWarning(UserWarning):
    """A conversion left something out or changed it, because the provider does not support it."""


async def convert_texts(
    engine: TemplateEngineProtocol, mode: CallMode, prompt_id: str, framework: str | None, prepared: Prepared
) -> list[str]:
    """Render the texts of a prompt with a custom template engine, for a conversion."""
    try:
        return await render_texts(engine, mode, prompt_id, prepared)
    except PromptManagerError as error:
        cause = error.__cause__ if "engine" in error.context else error
        raise ConversionError(
            f"Failed to convert prompt '{prompt_id}': {error.message}", prompt_id=prompt_id, framework=framework
        ) from cause


def explain_templates(prompt: Prompt, engine: Engine | None) -> list[str]:
    """Return what keeps the templates of a prompt from being rendered: a partial or helper that exists nowhere.

    The templates of a custom engine, for which ``engine`` is ``None``, cannot be searched.
    """
    if engine is None:
        return []
    try:
        return prompt._converted_by(engine).unknown_partials()
    except TemplateError as error:
        return [error.message]


def links_of(prompt: Prompt | CompiledPrompt) -> ObserverLinks | None:
    """The observers of the manager that a prompt came from.

    Raises:
        TypeError: the argument is not a prompt.
    """
    if isinstance(prompt, CompiledPrompt):
        return prompt.observers
    require_prompt(prompt)
    return prompt._observers


class BaseIntegration(ABC, Generic[T]):
    """Converts prompts to the format of a framework.

    A subclass implements :meth:`convert`; :meth:`convert_sync` then works too.

    Args:
        template_engine: The engine that renders the templates, such as ``manager.template_engine``. A custom engine
            must implement :class:`~prompt_manager.core.protocols.TemplateEngineProtocol`. With a custom engine, only
            the variables that the prompt declares are checked before the render, because only the engine can parse its
            templates.
        strict_validation: Raise an error for anything that the provider would reject. If false, convert to the nearest
            valid result, with a :class:`PromptConversionWarning` for each change.
        schemas: The schemas that prompts refer to by name, such as ``manager.schemas``. A prompt from a manager has
            its own.
        output_instructions: Append instructions that describe the expected answer, if the prompt has an output schema.

    Raises:
        TypeError: ``template_engine`` cannot render, or ``schemas`` is not a :class:`SchemaLoader`.
    """

    #: The name of the framework in the context of errors, as the plugin of the framework has it.
    _framework: str | None = None
    #: The arguments of the constructor, for a copy.
    _arguments: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def __new__(cls, *arguments: Any, **options: Any) -> Self:
        """Keep the arguments, so that the integration can be pickled and copied."""
        integration = super().__new__(cls)
        integration._arguments = (arguments, options)
        return integration

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """What pickle and deepcopy take: the class and the arguments of its constructor.

        Raises:
            PromptPicklingError: a custom template engine cannot be pickled.
        """
        if self._native_engine is None:
            from prompt_manager.core._pickling import check_picklable

            name = type(self._template_engine).__name__
            check_picklable(f"the template engine {name}", self._template_engine, "give its class a __reduce__")
        return _make, (type(self), *self._arguments)

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        schemas: SchemaLoader | None = None,
        output_instructions: bool = True,
    ) -> None:
        self._template_engine = template_engine
        #: The template engine if it is the package's, or None if it is a custom one.
        self._native_engine = native_engine(template_engine)
        if self._native_engine is None and not callable(getattr(template_engine, "render", None)):
            raise TypeError(
                "template_engine must be a TemplateEngine, or have a coroutine `render(template, variables, *, "
                f"partials=None)`; {type(template_engine).__name__} has none"
            )
        self._strict_validation = strict_validation
        self._schemas: Schemas | None = None if schemas is None else held_schemas(schemas)
        self._output_instructions = output_instructions

    @property
    def template_engine(self) -> TemplateEngineProtocol:
        """The engine that renders the templates."""
        return self._template_engine

    @property
    def strict_validation(self) -> bool:
        """Whether anything that the provider would reject is an error."""
        return self._strict_validation

    @abstractmethod
    async def convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """Render a prompt and convert it to the framework's format.

        Raises:
            ConversionError: a variable is missing, or the result breaks a rule of the provider.
            IncompatibleFormatError: the framework does not support prompts of this format.
        """

    def convert_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """Render a prompt and convert it to the framework's format.

        Raises:
            ConversionError: a variable is missing, or the result breaks a rule of the provider.
            IncompatibleFormatError: the framework does not support prompts of this format.
        """
        return run(self.convert(prompt, variables), f"{type(self).__name__}.convert", self)

    @abstractmethod
    def validate_compatibility(self, prompt: Prompt) -> bool:
        """Return whether the framework supports this prompt."""

    async def render_messages(self, prompt: Prompt, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Render the messages of a chat prompt to dicts in the format of prompt files, for use in :meth:`convert`.

        Raises:
            PromptError: the prompt is not a chat prompt.
            TemplateRenderError: a variable is missing or has the wrong type, or a template cannot be rendered.
            ConversionError: a custom template engine failed.
        """
        rendered: list[dict[str, Any]]
        if links_of(prompt) is not None:
            rendered = await self._observed(AWAITING, "render_messages", prompt, variables, self._messages)
        else:
            rendered = await self._messages(AWAITING, prompt, variables)
        return rendered

    async def _messages(
        self, mode: CallMode, prompt: Prompt | CompiledPrompt, variables: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        if self._native_engine is None:
            core, context, texts = await self._render_texts(mode, prompt, variables)
            return core.assemble_messages(context, texts, self._output_instructions, self._schemas)
        core = self._compiled(prompt, self._native_engine)
        return core.render_messages(variables, self._output_instructions, self._schemas)

    def render_messages_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Render the messages of a chat prompt to dicts in the format of prompt files, for use in :meth:`convert`.

        Raises:
            PromptError: the prompt is not a chat prompt.
            TemplateRenderError: a variable is missing or has the wrong type, or a template cannot be rendered.
            ConversionError: a custom template engine failed.
        """
        if self._native_engine is not None and links_of(prompt) is None:
            core = prompt._converted_by(self._native_engine)
            return core.render_messages(variables, self._output_instructions, self._schemas)
        rendered: list[dict[str, Any]] = self._blocking("render_messages", prompt, variables, self._messages)
        return rendered

    @property
    def _target(self) -> str:
        """The name of the framework for observers."""
        return self._framework or type(self).__name__

    @staticmethod
    def _compiled(prompt: Prompt | CompiledPrompt, engine: Engine) -> CompiledPrompt:
        """The handle of a prompt for a conversion with this engine."""
        return prompt.converted_by(engine) if isinstance(prompt, CompiledPrompt) else prompt._converted_by(engine)

    async def _observed(
        self,
        mode: CallMode,
        operation: str,
        prompt: Prompt | CompiledPrompt,
        variables: Mapping[str, Any],
        convert: Conversion,
        *,
        label: str | None = None,
    ) -> Any:
        """Return the result of a conversion, and notify the observers of the manager that the prompt came from."""
        from prompt_manager.core.events import RenderEvent
        from prompt_manager.integrations._observed import observe

        links = links_of(prompt)
        engine = self._native_engine
        if engine is not None:
            core = self._compiled(prompt, engine)
        else:
            core = prompt.opaque() if isinstance(prompt, CompiledPrompt) else prompt._opaque()
        if links is None:
            return await convert(mode, core, variables)
        event, observed = RenderEvent(core, operation, label=label, target=self._target), core.observed()
        return await observe(links, mode, event, variables, lambda: convert(mode, observed, variables))

    def _blocking(
        self,
        operation: str,
        prompt: Prompt | CompiledPrompt,
        variables: Mapping[str, Any],
        convert: Conversion,
        *,
        label: str | None = None,
    ) -> Any:
        """Run a conversion for callers that do not await, observed if the prompt has observers."""
        links = links_of(prompt)
        own = self._template_engine if self._native_engine is None else None

        def work(mode: CallMode) -> Coroutine[Any, Any, Any]:
            return self._observed(mode, operation, prompt, variables, convert, label=label)

        waits = links is not None and any(observers.renders_wait for observers in links.of_renders)
        return run_asking(work, f"{type(self).__name__}.{operation}", (own, "render"), observers_wait=waits)

    async def _render_texts(
        self, mode: CallMode, prompt: Prompt | CompiledPrompt, variables: Mapping[str, Any]
    ) -> RenderedTexts:
        """Render the texts of a prompt with the custom template engine."""
        core = prompt if isinstance(prompt, CompiledPrompt) else prompt._opaque()
        prepared = self._prepare(core, variables)
        return core, prepared[0], await convert_texts(self._template_engine, mode, core.id, self._framework, prepared)

    def _prepare(self, core: CompiledPrompt, variables: Mapping[str, Any]) -> Prepared:
        """Return the variables for the templates, the template texts, and the partials."""
        return core.prepare(variables, self._schemas)


def _make(kind: type[BaseIntegration[Any]], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Restore a pickled integration."""
    return kind(*arguments, **options)
