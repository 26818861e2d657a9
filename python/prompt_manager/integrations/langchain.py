"""LangChain's prompt templates. ``langchain-core`` is needed to make them, and loaded when the first is made."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from prompt_manager import _native
from prompt_manager.exceptions import (
    ConversionError,
    IntegrationError,
    IntegrationNotAvailableError,
    PromptManagerError,
)
from prompt_manager.integrations.base import BaseIntegration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.prompts import ChatPromptTemplate, PromptTemplate

    from prompt_manager._native import LangChainSource
    from prompt_manager.core.models import Prompt
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.integrations._langchain import (
        ALLOWED_OBJECTS,
        VALID_NAMESPACES,
        HandlebarsChatPromptTemplate,
        HandlebarsMessagePromptTemplate,
        HandlebarsPromptTemplate,
        JoinedPromptTemplate,
        PromptSource,
    )
    from prompt_manager.validation.loader import SchemaLoader

__all__ = [
    "ALLOWED_OBJECTS",
    "LANGCHAIN_AVAILABLE",
    "VALID_NAMESPACES",
    "HandlebarsChatPromptTemplate",
    "HandlebarsMessagePromptTemplate",
    "HandlebarsPromptTemplate",
    "JoinedPromptTemplate",
    "LangChainIntegration",
    "PromptSource",
]

#: Whether ``langchain-core`` is installed. Looking does not load it.
LANGCHAIN_AVAILABLE = find_spec("langchain_core") is not None


def _require() -> None:
    if not LANGCHAIN_AVAILABLE:
        raise IntegrationNotAvailableError("LangChain", "langchain")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _require()
    from prompt_manager.integrations import _langchain

    return getattr(_langchain, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class LangChainIntegration(BaseIntegration[Any]):
    """Prompts as templates for chains: ``integration.convert_sync(prompt, {}) | model``.

    A template whose every tag is a plain variable becomes LangChain's own, with f-strings; any other one of ours, which
    renders with the template engine and checks as our renders do.

    Args:
        template_engine: What renders the templates. With one of your own, every template is of our classes; what must
            be given is what the prompt declares, and what the engine's ``extract_variables`` names.
        strict_validation: Refuse what LangChain's messages have no form for.
        schemas: The schemas that prompts name; a prompt from a manager carries its own.
        output_instructions: Append what the answer must look like, where a prompt has an output schema. They become
            fixed text of the template.

    Raises:
        IntegrationNotAvailableError: ``langchain-core`` is not installed.

    >>> from prompt_manager import Prompt, TemplateEngine
    >>> messages = [{"role": "user", "content": "{{#each names}}Hi, {{this}}! {{/each}}"}]
    >>> prompt = Prompt(id="hi", format="chat", chat_template={"messages": messages})
    >>> template = LangChainIntegration(TemplateEngine()).convert_sync(prompt, {})
    >>> template.format_messages(names=["Ada", "{Bo}"])[0].content
    'Hi, Ada! Hi, {Bo}! '
    """

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        schemas: SchemaLoader | None = None,
        output_instructions: bool = True,
    ) -> None:
        _require()
        super().__init__(
            template_engine,
            strict_validation=strict_validation,
            schemas=schemas,
            output_instructions=output_instructions,
        )

    async def convert(
        self, prompt: Prompt, variables: Mapping[str, Any]
    ) -> PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate:
        """A chat prompt as a ``ChatPromptTemplate``, any other as a template of one text.

        Args:
            prompt: The prompt.
            variables: What is bound already, as ``.partial`` binds it; the others are given to the template. A function
                is called at each use.

        Raises:
            ConversionError: a variable has a name that LangChain keeps for itself.
            IntegrationError: the prompt is a draft without a template.
            SchemaError: a schema that the prompt names is not there.
            TemplateSyntaxError: a template cannot be parsed.
        """
        return self._template(prompt, variables)

    def convert_sync(
        self, prompt: Prompt, variables: Mapping[str, Any]
    ) -> PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate:
        """:meth:`convert`, for code that does not await."""
        return self._template(prompt, variables)

    def _template(
        self, prompt: Prompt, variables: Mapping[str, Any]
    ) -> PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate:
        from prompt_manager.integrations._langchain import build

        core = self._core(prompt)
        core.check_names(list(variables))
        template = build(core, self._template_engine)
        if not variables:
            return template
        # LangChain declares less of what `partial` gives than it does: a template of the same class.
        bound: PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate
        bound = template.partial(**variables)  # type: ignore[assignment]
        return bound

    def _core(self, prompt: Prompt) -> LangChainSource:
        ours = self._own_engine
        return _native.LangChainSource(
            prompt._opaque() if ours is None else prompt._converted_by(ours),
            opaque=ours is None,
            strict=self._strict_validation,
            output_instructions=self._output_instructions,
            schemas=self._schemas,
        )

    def validate_compatibility(self, prompt: Prompt) -> bool:
        """Whether LangChain has a template for the prompt as it is: a text or a chat without names that it keeps."""
        return not self.explain_compatibility(prompt)

    def explain_compatibility(self, prompt: Prompt) -> list[str]:
        """Why LangChain has no template for the prompt as it is; empty where it has."""
        reasons = []
        if prompt.format not in {"text", "chat"}:
            reasons.append(
                f"Prompt '{prompt.id}' uses {prompt.format.upper()} format, "
                "for which LangChain has no template; it is converted as TEXT"
            )
        try:
            core = self._core(prompt)
            core.entries()
            core.check_names([])
        except PromptManagerError as error:
            reasons.append(error.message)
        return reasons

    def _handlebars_to_fstring(self, template: str) -> str:
        """The template as an f-string.

        Raises:
            ConversionError: it has more than text and plain variables.
            IntegrationError: the template engine is one of your own, whose templates only it can read.
        """
        if self._own_engine is None:
            raise IntegrationError(f"only {type(self._template_engine).__name__} can read its templates")
        text = _native.langchain_f_string(template, self._own_engine)
        if text is None:
            raise ConversionError(
                "the template has no f-string: it has more than text and plain variables",
                hint="convert the prompt, which becomes a template class of ours",
            )
        return text
