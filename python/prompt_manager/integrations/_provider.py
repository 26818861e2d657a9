"""What the integrations have in common that make plain dicts; the core knows the forms and the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from prompt_manager._native import Converter, nearest
from prompt_manager.core._sync import AWAITING
from prompt_manager.integrations.base import BaseIntegration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from prompt_manager._native import CompiledPrompt
    from prompt_manager.core.models import Prompt, Role
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.validation.loader import SchemaLoader

__all__ = ["ProviderIntegration"]

T = TypeVar("T")


class ProviderIntegration(BaseIntegration[T]):
    """An integration whose form is plain data, made by the core."""

    def __init__(
        self,
        provider: str,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool,
        schemas: SchemaLoader | None,
        output_instructions: bool,
        **options: bool,
    ) -> None:
        super().__init__(
            template_engine,
            strict_validation=strict_validation,
            schemas=schemas,
            output_instructions=output_instructions,
        )
        self._converter = Converter(
            provider,
            self._own_engine,
            strict=strict_validation,
            schemas=self._schemas,
            output_instructions=output_instructions,
            **options,
        )

    async def convert(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """The prompt in the provider's form; the class says which.

        Raises:
            ConversionError: a variable is missing, or the messages break a rule of the provider.
            IncompatibleFormatError: the provider has no form for prompts of this format.
            IntegrationError: the prompt is a draft without a template.
            SchemaError: the prompt names a schema that is not there.
            SchemaValidationError: the variables do not fit its input schema.
            TemplateSyntaxError: a template cannot be parsed.
        """
        form: T
        if self._own_engine is None:
            form = self._converter.assemble(*await self._foreign(AWAITING, prompt, variables))
        else:
            form = self._converter.convert(prompt, variables)
        return form

    def convert_sync(self, prompt: Prompt, variables: Mapping[str, Any]) -> T:
        """:meth:`convert`, for code that does not await."""
        form: T
        if self._own_engine is None:
            form = self._converter.assemble(*self._foreign_sync("convert", prompt, variables))
        else:
            form = self._converter.convert(prompt, variables)
        return form

    async def build_request(
        self, prompt: Prompt, variables: Mapping[str, Any], *, model: str | None = None, **arguments: Any
    ) -> dict[str, Any]:
        """All arguments of the call that sends the prompt: messages, tools, settings, the form of the answer.

        What the prompt's settings ask for and the call has no argument for is left out, with a
        :class:`~prompt_manager.integrations.PromptConversionWarning`.

        Args:
            prompt: The prompt.
            variables: The values of its variables.
            model: The model; the one in the prompt's settings by default.
            arguments: Further arguments of the call, which win over those of the prompt; ``None`` leaves one out.

        Raises:
            ConversionError: no model is named, or as :meth:`convert`.
            TypeError: an argument is a misspelt ``model``.
        """
        _check_arguments(arguments)
        if self._own_engine is None:
            parts = await self._foreign(AWAITING, prompt, variables)
            request = self._converter.assemble_request(*parts, model=model, given=list(arguments))
        else:
            request = self._converter.request(prompt, variables, model=model, given=list(arguments))
        return _joined(request, arguments)

    def build_request_sync(
        self, prompt: Prompt, variables: Mapping[str, Any], *, model: str | None = None, **arguments: Any
    ) -> dict[str, Any]:
        """:meth:`build_request`, for code that does not await."""
        _check_arguments(arguments)
        if self._own_engine is None:
            parts = self._foreign_sync("build_request", prompt, variables)
            request = self._converter.assemble_request(*parts, model=model, given=list(arguments))
        else:
            request = self._converter.request(prompt, variables, model=model, given=list(arguments))
        return _joined(request, arguments)

    def validate_compatibility(self, prompt: Prompt) -> bool:
        """Whether the provider has a form for this prompt; :meth:`explain_compatibility` says why not."""
        return not self.explain_compatibility(prompt)

    def explain_compatibility(self, prompt: Prompt) -> list[str]:
        """Why the prompt cannot be converted, as far as that does not depend on variables; empty where it can.

        A placeholder may be given any messages: a prompt is compatible if there are some with which it is.
        """
        return self._converter.explain(prompt._opaque())

    def _prepare(
        self, core: CompiledPrompt, variables: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], list[str], dict[str, str]]:
        return self._converter.prepare(core, variables)

    def _map_role(self, role: Role) -> str:
        return self._converter.map_role(role)


def _check_arguments(arguments: Iterable[str]) -> None:
    """Refuse an argument that is a slip of ``model``. All others are the provider's, which refuses those it lacks."""
    for name in arguments:
        # OpenRouter takes `models`, which LiteLLM passes on.
        if name != "models" and nearest(name, ["model"]):
            raise TypeError(f"unexpected keyword argument '{name}'; did you mean 'model'?")


def _joined(request: dict[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """The request with the caller's arguments."""
    for name, value in arguments.items():
        if value is None:
            request.pop(name, None)
        elif name == "extra_body" and isinstance(value, dict) and name in request:
            request[name] = {**request[name], **value}
        else:
            request[name] = value
    return request
