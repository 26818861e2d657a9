"""The base class of the integrations that return plain dicts. The core has each provider's format and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from prompt_manager._native import Converter
from prompt_manager.core._prompt_argument import require_prompt
from prompt_manager.core._sync import AWAITING
from prompt_manager.integrations._call_arguments import CallArguments, check_arguments, with_extra, with_mappings
from prompt_manager.integrations.base import BaseIntegration, explain_templates, links_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import Literal, overload

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.models import Prompt, Role
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

    RequestBuilder = Callable[
        [CallMode, Prompt | CompiledPrompt, Mapping[str, Any]], Coroutine[Any, Any, dict[str, Any]]
    ]

__all__ = ["ProviderIntegration"]

#: What a conversion gives, the arguments of a call, and those of a call with ``stream=True``.
T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S")

#: The keyword arguments of ``build_request`` that are not the provider's: those of an integration, and a manager's.
_OWN_ARGUMENTS = ("model", "extra")
OWN_ARGUMENTS = (*_OWN_ARGUMENTS, "version", "label", "output_instructions", "structured_output", "strict")


class ProviderIntegration(BaseIntegration[T], Generic[T, R, S]):
    """An integration that returns plain data, converted by the core."""

    def __init__(
        self,
        provider: str,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool,
        schemas: SchemaLoader | None,
        output_instructions: bool | None,
        **options: bool,
    ) -> None:
        super().__init__(
            template_engine,
            strict_validation=strict_validation,
            schemas=schemas,
            output_instructions=output_instructions is not False,
        )
        self._framework = "openai" if provider == "responses" else provider
        self._converter = Converter(
            provider,
            self._native_engine,
            strict=strict_validation,
            schemas=self._schemas,
            output_instructions=output_instructions,
            **options,
        )

    async def convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """Render a prompt and convert it to the provider's format, which the class describes.

        Raises:
            ConversionError: a variable is missing, or the messages break a rule of the provider.
            IncompatibleFormatError: the provider does not support prompts of this format.
            IntegrationError: the prompt is a draft without a template.
            SchemaError: a schema that the prompt refers to does not exist.
            SchemaValidationError: the variables do not match the prompt's input schema.
            TemplateSyntaxError: a template cannot be parsed.
        """
        converted: T
        if links_of(prompt) is not None:
            converted = await self._observed(AWAITING, "convert", prompt, variables, self._convert)
        else:
            converted = await self._convert(AWAITING, prompt, variables)
        return converted

    async def _convert(self, mode: CallMode, prompt: Prompt | CompiledPrompt, variables: Mapping[str, Any]) -> Any:
        if self._native_engine is None:
            return self._converter.assemble(*await self._render_texts(mode, prompt, variables))
        return self._converter.convert(prompt, variables)

    def convert_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """Render a prompt and convert it to the provider's format, which the class describes.

        Raises:
            ConversionError: a variable is missing, or the messages break a rule of the provider.
            IncompatibleFormatError: the provider does not support prompts of this format.
            IntegrationError: the prompt is a draft without a template.
            SchemaError: a schema that the prompt refers to does not exist.
            SchemaValidationError: the variables do not match the prompt's input schema.
            TemplateSyntaxError: a template cannot be parsed.
        """
        converted: T
        if self._native_engine is None:
            converted = self._blocking("convert", prompt, variables, self._convert)
        else:
            # The core itself notifies observers, so that the usual call pays nothing for them.
            converted = self._converter.convert(prompt, variables)
        return converted

    async def _convert_handle(self, core: CompiledPrompt, variables: Mapping[str, Any], label: str | None) -> Any:
        """Convert a prompt of a manager, which was asked for by this label."""
        return await self._observed(AWAITING, "convert", core, variables, self._convert, label=label)

    def _convert_handle_sync(self, core: CompiledPrompt, variables: Mapping[str, Any], label: str | None) -> Any:
        if self._native_engine is not None and core.observers is None:
            return self._converter.convert(core, variables)
        return self._blocking("convert", core, variables, self._convert, label=label)

    if TYPE_CHECKING:

        @overload
        async def build_request(
            self,
            prompt: Prompt,
            variables: Mapping[str, Any],
            *,
            stream: Literal[False] | None = None,
            model: str | None = None,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> R: ...

        @overload
        async def build_request(
            self,
            prompt: Prompt,
            variables: Mapping[str, Any],
            *,
            stream: Literal[True],
            model: str | None = None,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> S: ...

        @overload
        async def build_request(
            self,
            prompt: Prompt,
            variables: Mapping[str, Any],
            *,
            stream: bool | None,
            model: str | None = None,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> R | S: ...

    async def build_request(
        self,
        prompt: Prompt,
        variables: Mapping[str, Any],
        *,
        model: str | None = None,
        extra: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """Return all arguments of the provider's call: messages, tools, settings, and the output format.

        A prompt that is not a chat becomes one user message. A setting of the prompt that the call has no argument for
        is left out, with a :class:`~prompt_manager.integrations.PromptConversionWarning`.

        Args:
            prompt: The prompt.
            variables: The values of its variables.
            model: The model. By default the one in the prompt's settings.
            extra: Arguments for a model or gateway that has more than the provider's package. They are not checked.
            arguments: Further arguments of the call. They override those of the prompt; ``None`` removes one. The
                mappings ``extra_body``, ``metadata``, ``output_config``, ``reasoning`` and ``text`` are merged, and
                their members win. ``tools`` are added to those of the prompt; an empty list removes them.

        Raises:
            ConversionError: no model is given, a variable is missing, or the messages break a rule of the provider.
            IncompatibleFormatError: the provider does not support prompts of this format.
            IntegrationError: the prompt is a draft without a template.
            SchemaError: a schema that the prompt refers to does not exist.
            SchemaValidationError: the variables do not match the prompt's input schema.
            TemplateSyntaxError: a template cannot be parsed.
            TypeError: the call has no such argument, and the message has the nearest name.
        """
        call = self._call(model, arguments, extra)
        build = self._requests(call)
        if links_of(prompt) is not None:
            return await self._observed(AWAITING, "build_request", prompt, variables, build)
        return await build(AWAITING, prompt, variables)

    async def _build_handle(
        self, core: CompiledPrompt, variables: Mapping[str, Any], call: CallArguments, label: str | None
    ) -> dict[str, Any]:
        """Build the request of a prompt of a manager, which was asked for by this label."""
        build = self._requests(call)
        request: dict[str, Any] = await self._observed(AWAITING, "build_request", core, variables, build, label=label)
        return request

    def _build_handle_sync(
        self, core: CompiledPrompt, variables: Mapping[str, Any], call: CallArguments, label: str | None
    ) -> dict[str, Any]:
        if self._native_engine is not None and core.observers is None:
            return self._native_request(core, variables, call)
        build = self._requests(call)
        request: dict[str, Any] = self._blocking("build_request", core, variables, build, label=label)
        return request

    def _call(
        self,
        model: str | None,
        arguments: dict[str, Any],
        extra: Mapping[str, Any] | None,
        *,
        of_manager: bool = False,
    ) -> CallArguments:
        """The arguments of a call after a check of their names, with those that are not checked."""
        if arguments:
            check_arguments(self._target, type(self), arguments, OWN_ARGUMENTS if of_manager else _OWN_ARGUMENTS)
        together = arguments if extra is None else with_extra(self._target, arguments, extra)
        return CallArguments(model, with_mappings(self._target, together) if together else together)

    def _requests(self, call: CallArguments) -> RequestBuilder:
        """A function that builds a request with these arguments."""

        async def build(
            mode: CallMode, prompt: Prompt | CompiledPrompt, variables: Mapping[str, Any]
        ) -> dict[str, Any]:
            if self._native_engine is None:
                parts = await self._render_texts(mode, prompt, variables)
                return self._converter.assemble_request(*parts, model=call.model, arguments=call.arguments)
            return self._native_request(prompt, variables, call)

        return build

    def _native_request(
        self, prompt: Prompt | CompiledPrompt, variables: Mapping[str, Any], call: CallArguments
    ) -> dict[str, Any]:
        return self._converter.request(prompt, variables, model=call.model, arguments=call.arguments)

    if TYPE_CHECKING:

        @overload
        def build_request_sync(
            self,
            prompt: Prompt,
            variables: Mapping[str, Any],
            *,
            stream: Literal[False] | None = None,
            model: str | None = None,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> R: ...

        @overload
        def build_request_sync(
            self,
            prompt: Prompt,
            variables: Mapping[str, Any],
            *,
            stream: Literal[True],
            model: str | None = None,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> S: ...

        @overload
        def build_request_sync(
            self,
            prompt: Prompt,
            variables: Mapping[str, Any],
            *,
            stream: bool | None,
            model: str | None = None,
            extra: Mapping[str, Any] | None = None,
            **arguments: Any,
        ) -> R | S: ...

    def build_request_sync(
        self,
        prompt: Prompt,
        variables: Mapping[str, Any],
        *,
        model: str | None = None,
        extra: Mapping[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """Return all arguments of the provider's call: messages, tools, settings, and the output format.

        A prompt that is not a chat becomes one user message. A setting of the prompt that the call has no argument for
        is left out, with a :class:`~prompt_manager.integrations.PromptConversionWarning`.

        Args:
            prompt: The prompt.
            variables: The values of its variables.
            model: The model. By default the one in the prompt's settings.
            extra: Arguments for a model or gateway that has more than the provider's package. They are not checked.
            arguments: Further arguments of the call. They override those of the prompt; ``None`` removes one. The
                mappings ``extra_body``, ``metadata``, ``output_config``, ``reasoning`` and ``text`` are merged, and
                their members win. ``tools`` are added to those of the prompt; an empty list removes them.

        Raises:
            ConversionError: no model is given, a variable is missing, or the messages break a rule of the provider.
            IncompatibleFormatError: the provider does not support prompts of this format.
            IntegrationError: the prompt is a draft without a template.
            SchemaError: a schema that the prompt refers to does not exist.
            SchemaValidationError: the variables do not match the prompt's input schema.
            TemplateSyntaxError: a template cannot be parsed.
            TypeError: the call has no such argument, and the message has the nearest name.
        """
        call = self._call(model, arguments, extra)
        if self._native_engine is not None and links_of(prompt) is None:
            return self._native_request(prompt, variables, call)
        build = self._requests(call)
        return self._blocking("build_request", prompt, variables, build)

    def validate_compatibility(self, prompt: Prompt) -> bool:
        """Return whether the provider supports this prompt. :meth:`explain_compatibility` gives the reasons."""
        return not self.explain_compatibility(prompt)

    def explain_compatibility(self, prompt: Prompt) -> list[str]:
        """Return the reasons why the prompt cannot be converted, or an empty list if it can.

        A partial or helper that exists nowhere is a reason. The values of variables are not considered. A prompt with a
        placeholder is compatible if there are messages for the placeholder with which it can be converted.
        """
        require_prompt(prompt)
        return [*self._converter.explain(prompt._opaque()), *explain_templates(prompt, self._native_engine)]

    @property
    def _target(self) -> str:
        return self._converter.target

    def _prepare(
        self, core: CompiledPrompt, variables: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], list[str], dict[str, str]]:
        return self._converter.prepare(core, variables)

    def _map_role(self, role: Role) -> str:
        return self._converter.map_role(role)
