"""Convert prompts to LangChain's prompt templates. This needs ``langchain-core``, which is loaded on the first use."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from warnings import warn

from prompt_manager import _native
from prompt_manager._native import CompiledPrompt
from prompt_manager.core._prompt_argument import require_prompt
from prompt_manager.core._sync import AWAITING
from prompt_manager.exceptions import (
    IntegrationError,
    IntegrationNotAvailableError,
    PromptManagerError,
)
from prompt_manager.integrations.base import BaseIntegration, PromptConversionWarning, explain_templates, links_of
from prompt_manager.integrations.utils import handlebars_to_fstring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.language_models import BaseChatModel
    from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
    from langchain_core.runnables import Runnable

    from prompt_manager._native import LangChainSource
    from prompt_manager.core._sync import CallMode
    from prompt_manager.core.models import Prompt
    from prompt_manager.core.protocols import TemplateEngineProtocol
    from prompt_manager.integrations._langchain import (
        ALLOWED_OBJECTS,
        VALID_NAMESPACES,
        FStringPromptTemplate,
        HandlebarsChatPromptTemplate,
        HandlebarsMessagePromptTemplate,
        HandlebarsPromptTemplate,
        HistoryPlaceholder,
        JoinedPromptTemplate,
        PromptSource,
    )
    from prompt_manager.validation.loader import SchemaLoader

__all__ = [
    "ALLOWED_OBJECTS",
    "LANGCHAIN_AVAILABLE",
    "VALID_NAMESPACES",
    "FStringPromptTemplate",
    "HandlebarsChatPromptTemplate",
    "HandlebarsMessagePromptTemplate",
    "HandlebarsPromptTemplate",
    "HistoryPlaceholder",
    "JoinedPromptTemplate",
    "LangChainIntegration",
    "PromptSource",
]

#: Whether ``langchain-core`` is installed. Finding out does not load it.
LANGCHAIN_AVAILABLE = find_spec("langchain_core") is not None


_READS_PARTIAL = (
    "prompt '{id}' reads the variable `{name}`, and there is a partial of this name: to include the partial, write "
    "`{{{{> {name}}}}}`; to read the variable, declare it"
)


def _require_langchain() -> None:
    if not LANGCHAIN_AVAILABLE:
        raise IntegrationNotAvailableError("LangChain", "langchain")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _require_langchain()
    from prompt_manager.integrations import _langchain

    return getattr(_langchain, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class LangChainIntegration(BaseIntegration[Any]):
    """Converts prompts to templates for chains: ``integration.convert_sync(prompt, {}) | model``.

    A template that contains only text and plain variables becomes an f-string, in a subclass of LangChain's
    ``PromptTemplate`` whose values print as in every other conversion. Any other template becomes a ``Handlebars…``
    class of this module. Both render with the template engine and check their variables as every render does.

    Args:
        template_engine: The engine that renders the templates. With a custom engine, all templates become classes of
            this module. Their variables are those that the prompt declares and those that the engine's
            ``extract_variables`` returns.
        strict_validation: Raise an error for anything that LangChain's messages do not support.
        schemas: The schemas that prompts refer to by name. A prompt from a manager has its own.
        output_instructions: Append instructions that describe the expected answer, if the prompt has an output schema.
            They become fixed text of the template.
        cache_control: Convert cache hints to ``cache_control`` on the content, which ``ChatAnthropic`` accepts. By
            default only where :meth:`bind` has such a model, or Anthropic's in ``ChatLiteLLM``.

    Raises:
        IntegrationNotAvailableError: ``langchain-core`` is not installed.

    >>> from prompt_manager import Prompt, TemplateEngine
    >>> messages = [{"role": "user", "content": "{{#each names}}Hi, {{this}}! {{/each}}"}]
    >>> prompt = Prompt(id="hi", format="chat", chat_template={"messages": messages})
    >>> template = LangChainIntegration(TemplateEngine()).convert_sync(prompt, {})
    >>> template.format_messages(names=["Ada", "{Bo}"])[0].content
    'Hi, Ada! Hi, {Bo}! '
    """

    _framework = "langchain"

    def __init__(
        self,
        template_engine: TemplateEngineProtocol,
        *,
        strict_validation: bool = True,
        schemas: SchemaLoader | None = None,
        output_instructions: bool = True,
        cache_control: bool | None = None,
    ) -> None:
        _require_langchain()
        self._cache_control = cache_control
        super().__init__(
            template_engine,
            strict_validation=strict_validation,
            schemas=schemas,
            output_instructions=output_instructions,
        )

    async def convert(
        self, prompt: Prompt, variables: Mapping[str, Any]
    ) -> PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate:
        """Convert a chat prompt to a ``ChatPromptTemplate``, and any other prompt to a string prompt template.

        Args:
            prompt: The prompt.
            variables: Values to bind now, as ``template.partial(...)`` does. You pass the others when you use the
                template. If a value is a function, it is called on each use.

        Raises:
            ConversionError: a variable has a name that LangChain reserves.
            IntegrationError: the prompt is a draft without a template.
            SchemaError: a schema that the prompt refers to does not exist.
            TemplateSyntaxError: a template cannot be parsed.
        """
        if links_of(prompt) is not None:
            observed: PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate
            observed = await self._observed(AWAITING, "convert", prompt, variables, self._convert)
            return observed
        return self._template(prompt, variables)

    async def _convert(self, _mode: CallMode, prompt: Prompt | CompiledPrompt, variables: Mapping[str, Any]) -> Any:
        return self._template(prompt, variables)

    def convert_sync(
        self, prompt: Prompt, variables: Mapping[str, Any]
    ) -> PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate:
        """Convert a chat prompt to a ``ChatPromptTemplate``, and any other prompt to a string prompt template.

        Args:
            prompt: The prompt.
            variables: Values to bind now, as ``template.partial(...)`` does. You pass the others when you use the
                template. If a value is a function, it is called on each use.

        Raises:
            ConversionError: a variable has a name that LangChain reserves.
            IntegrationError: the prompt is a draft without a template.
            SchemaError: a schema that the prompt refers to does not exist.
            TemplateSyntaxError: a template cannot be parsed.
        """
        if links_of(prompt) is not None:
            observed: PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate
            observed = self._blocking("convert", prompt, variables, self._convert)
            return observed
        return self._template(prompt, variables)

    def bind(
        self,
        model: BaseChatModel | Runnable[Any, Any],
        prompt: Prompt,
        variables: Mapping[str, Any] | None = None,
        *,
        sampling: bool = False,
    ) -> Runnable[dict[str, Any], Any]:
        """Return a chain of the prompt's template and a chat model that has the prompt's tools, settings and schema.

        ``ChatOpenAI``, ``ChatAnthropic`` and ``ChatLiteLLM`` get what :meth:`build_request` of the provider's
        integration sends, also what the settings have for this provider only. Cache hints are kept for
        ``ChatAnthropic``, and for ``ChatLiteLLM`` with a model of Anthropic, such as ``anthropic/claude-sonnet-4-5``.
        Any other model gets the tools by ``bind_tools``, the output schema by ``with_structured_output``, and the
        settings in OpenAI's spelling. The model keeps its own name.

        A prompt with an output schema and without tools gives the validated data of the answer. Any other prompt gives
        the model's message.

        Args:
            model: The chat model.
            prompt: The prompt.
            variables: Values to bind now, as for :meth:`convert`.
            sampling: Give ``ChatAnthropic`` the settings ``temperature``, ``top_p`` and ``top_k``, which newer models
                reject.

        Raises:
            ConversionError: a variable has a name that LangChain reserves, or the provider would refuse a tool or
                setting.
            IntegrationError: the prompt is a draft without a template.
            SchemaError: a schema that the prompt refers to does not exist.
            TemplateSyntaxError: a template cannot be parsed.
        """
        from prompt_manager.integrations._langchain_model import bound_model

        require_prompt(prompt)
        engine = self._native_engine
        handle = prompt._opaque() if engine is None else self._compiled(prompt, engine)
        bound, options = bound_model(
            model,
            handle,
            strict=self._strict_validation,
            schemas=self._schemas,
            output_instructions=None if self._output_instructions else False,
            sampling=sampling,
            cache_control=self._cache_control,
        )
        return self._template(prompt, variables or {}, **options) | bound

    def _template(
        self, prompt: Prompt | CompiledPrompt, variables: Mapping[str, Any], **options: bool
    ) -> PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate:
        from prompt_manager.integrations._langchain import build

        core = self._core(prompt, **options)
        core.check_names(list(variables))
        for name in core.named_like_partials():
            if name not in variables:
                warn(_READS_PARTIAL.format(id=core.id, name=name), PromptConversionWarning, stacklevel=3)
        template = build(core, self._template_engine)
        if not variables:
            return template
        # `partial` returns a template of the same class, which LangChain's type hints do not declare.
        bound: PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate
        bound = template.partial(**variables)  # type: ignore[assignment]
        return bound

    def _core(
        self,
        prompt: Prompt | CompiledPrompt,
        *,
        output_instructions: bool | None = None,
        cache_control: bool | None = None,
    ) -> LangChainSource:
        engine = self._native_engine
        if engine is not None:
            core = self._compiled(prompt, engine)
        else:
            core = prompt if isinstance(prompt, CompiledPrompt) else prompt._opaque()
        return _native.LangChainSource(
            core,
            opaque=engine is None,
            strict=self._strict_validation,
            output_instructions=self._output_instructions if output_instructions is None else output_instructions,
            schemas=self._schemas,
            cache_control=bool(self._cache_control) if cache_control is None else cache_control,
        )

    def validate_compatibility(self, prompt: Prompt) -> bool:
        """Return whether LangChain supports the prompt: a text or chat that uses no name that LangChain reserves."""
        return not self.explain_compatibility(prompt)

    def explain_compatibility(self, prompt: Prompt) -> list[str]:
        """Return the reasons why LangChain does not support the prompt, or an empty list if it does."""
        require_prompt(prompt)
        reasons = []
        if prompt.format not in {"text", "chat"}:
            reasons.append(
                f"Prompt '{prompt.id}' uses {prompt.format.upper()} format, "
                "but LangChain has templates for TEXT and CHAT only; it is converted as TEXT"
            )
        try:
            reasons += self._core(prompt).explain()
        except PromptManagerError as error:
            reasons.append(error.message)
        else:
            reasons += explain_templates(prompt, self._native_engine)
        return reasons

    def _handlebars_to_fstring(self, template: str) -> str:
        """Convert the template to an f-string.

        Raises:
            ConversionError: it contains more than text and plain variables.
            IntegrationError: the template engine is a custom one; only that engine can parse its templates.
        """
        if self._native_engine is None:
            raise IntegrationError(f"only {type(self._template_engine).__name__} can parse its templates")
        return handlebars_to_fstring(template, self._native_engine)
