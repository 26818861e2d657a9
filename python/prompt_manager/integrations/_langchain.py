"""LangChain templates for prompts that LangChain's own f-strings cannot express. The import loads ``langchain_core``.

Each template renders like every other prompt: variables are checked, and values are never read as templates. All
templates can be pickled. ``dumps`` writes them, and ``loads`` reads them with :data:`ALLOWED_OBJECTS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

from langchain_core.messages import BaseMessage, SystemMessage
from langchain_core.messages.base import get_msg_title_repr
from langchain_core.prompts import (
    AIMessagePromptTemplate,
    ChatPromptTemplate,
    HumanMessagePromptTemplate,
    MessagesPlaceholder,
    PromptTemplate,
    SystemMessagePromptTemplate,
)
from langchain_core.prompts.message import BaseMessagePromptTemplate
from langchain_core.prompts.string import StringPromptTemplate
from pydantic import ConfigDict, Field, SkipValidation, model_validator

from prompt_manager.core.protocols import TemplateEngineProtocol  # noqa: TC001 - pydantic reads it
from prompt_manager.core.template import TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations._langchain_history import MESSAGE_CLASSES, HistoryPlaceholder
from prompt_manager.integrations._langchain_source import NAMESPACE, PromptSource, compile_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from langchain_core.load.serializable import Serializable, SerializedConstructor, SerializedNotImplemented

    from prompt_manager._native import LangChainSource


__all__ = [
    "ALLOWED_OBJECTS",
    "VALID_NAMESPACES",
    "FStringPromptTemplate",
    "HandlebarsChatPromptTemplate",
    "HandlebarsMessagePromptTemplate",
    "HandlebarsPromptTemplate",
    "HistoryPlaceholder",
    "JoinedPromptTemplate",
    "PromptSource",
    "build",
]


def _message(made: dict[str, Any]) -> BaseMessage:
    return MESSAGE_CLASSES[made["class"]](**made["arguments"])


def _messages(made: list[dict[str, Any] | None]) -> list[BaseMessage]:
    """The messages that are not left out."""
    return [_message(each) for each in made if each is not None]


class _Text(StringPromptTemplate):
    """What the texts share: ``+``, and where they are found."""

    #: Made of what is rendered.
    input_variables: list[str] = Field(default_factory=list)

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Where it is found."""
        return NAMESPACE

    def save(self, file_path: Path | str) -> None:
        """Not to be had.

        Raises:
            NotImplementedError: always; ``dumps`` of ``langchain_core.load`` writes it.
        """
        raise NotImplementedError(f"write {type(self).__name__} with langchain_core.load.dumps, not with save")

    def _terms(self) -> list[StringPromptTemplate]:
        return [self]

    def _parsed(self, text: str) -> StringPromptTemplate:
        """A text as a template of the same engine."""
        raise NotImplementedError

    def __add__(self, other: object) -> JoinedPromptTemplate:
        """The one text and then the other. A ``str`` is a template of the same engine.

        Raises:
            ValueError: both bind the same variable.
        """
        return self._joined(other, before=False)

    def __radd__(self, other: object) -> JoinedPromptTemplate:
        return self._joined(other, before=True)

    def _joined(self, other: object, *, before: bool) -> JoinedPromptTemplate:
        if isinstance(other, str):
            other = self._parsed(other)
        if not isinstance(other, StringPromptTemplate):
            return NotImplemented  # type: ignore[no-any-return]
        first, second = (other, self) if before else (self, other)
        twice = sorted({*first.partial_variables} & {*second.partial_variables})
        if twice:
            raise ValueError(f"Cannot have same variable partialed twice: {', '.join(twice)}")
        parts = [part for term in (first, second) for part in (term._terms() if isinstance(term, _Text) else [term])]
        return JoinedPromptTemplate(
            parts=parts, partial_variables={**first.partial_variables, **second.partial_variables}
        )


class FStringPromptTemplate(PromptTemplate):
    """An f-string of LangChain, whose values print and are checked as in every other conversion of the prompt.

    LangChain's own template writes values as Python does: ``True``, ``None``, ``['a']``. This class renders with the
    engine of the prompt instead. After you change ``template`` or ``template_format``, it formats as LangChain's own.

    >>> from prompt_manager import Prompt
    >>> from prompt_manager.integrations import LangChainIntegration
    >>> prompt = Prompt(id="vip", template="VIP: {{vip}}")
    >>> template = LangChainIntegration(TemplateEngine()).convert_sync(prompt, {})
    >>> template.template
    'VIP: {vip}'
    >>> template.format(vip=True)
    'VIP: true'
    """

    source: PromptSource

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """The module under which ``dumps`` writes the class."""
        return NAMESPACE

    def format(self, **kwargs: Any) -> str:
        """Return the text.

        Raises:
            ConversionError: a variable is missing, a value has no text, or the text of a message is blank.
        """
        if self._is_changed():
            return super().format(**kwargs)
        variables = self._merge_partial_and_user_variables(**kwargs)
        if not self._is_of_message():
            return self.source.text(variables)
        return _content(self.source.rendered(self.source.only_used(variables)))

    async def aformat(self, **kwargs: Any) -> str:
        """Coroutine version of :meth:`format`."""
        if self._is_changed():
            return await super().aformat(**kwargs)
        variables = self._merge_partial_and_user_variables(**kwargs)
        if not self._is_of_message():
            return await self.source.atext(variables)
        return _content(await self.source.arendered(self.source.only_used(variables)))

    def pretty_repr(self, html: bool = False) -> str:  # noqa: FBT001, FBT002 - LangChain calls it so
        """Return the template, with the names of the variables in braces."""
        return self._own().pretty_repr(html=html)

    def save(self, file_path: Path | str) -> None:
        """Write the f-string alone, as LangChain does. What is read from the file prints values as Python does."""
        self._own().save(file_path)

    def _own(self) -> PromptTemplate:
        """The same f-string as LangChain's own template."""
        return PromptTemplate.from_template(
            self.template, template_format=self.template_format, partial_variables=dict(self.partial_variables)
        )

    def _is_of_message(self) -> bool:
        return bool(self.source.core.entries()[0]["kind"] == "message")

    def _is_changed(self) -> bool:
        """Whether the template is another than the prompt's."""
        return self.template_format != "f-string" or self.template != self.source.core.entries()[0]["f_string"]


def _content(made: list[dict[str, Any] | None]) -> str:
    """The text of a message that has no other content and is not optional."""
    return "".join(message["arguments"]["content"] for message in made if message is not None)


class HandlebarsPromptTemplate(_Text):
    """A text prompt as a template of LangChain's that renders with our engine.

    >>> template = HandlebarsPromptTemplate.from_template("{{#if name}}Dear {{name}}{{else}}Hello{{/if}}!")
    >>> template.format(name="{Ada}")
    'Dear {Ada}!'
    >>> template.optional_variables
    ['name']
    """

    source: PromptSource

    @classmethod
    def from_template(cls, template: str, *, template_engine: TemplateEngineProtocol | None = None) -> Self:
        """A template of its own, without a prompt around it.

        Raises:
            TemplateSyntaxError: it cannot be parsed.
        """
        engine = TemplateEngine() if template_engine is None else template_engine
        prompt = {"id": "template", "format": "text", "template": template}
        core = compile_source(engine=engine, prompt=prompt, schemas=(), models={}, functions={}, index=0, strict=True)
        return cls(source=PromptSource(core=core, engine=engine))

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: dict[str, Any]) -> dict[str, Any]:
        source = values.get("source")
        return _filled(values, source.required, source.optional) if isinstance(source, PromptSource) else values

    @property
    def template(self) -> str:
        """The template as it was written."""
        return self.source.core.source

    @property
    def _prompt_type(self) -> str:
        return "handlebars"

    def format(self, **kwargs: Any) -> str:
        """The text.

        Raises:
            ConversionError: a variable is missing or of another type, or a value has no text.
            SchemaValidationError: the variables do not fit the prompt's input schema.
        """
        return self.source.text(self._merge_partial_and_user_variables(**kwargs))

    async def aformat(self, **kwargs: Any) -> str:
        """:meth:`format`, for code that awaits."""
        return await self.source.atext(self._merge_partial_and_user_variables(**kwargs))

    def pretty_repr(self, html: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002 - LangChain calls it so
        """The template as it was written."""
        return self.template

    def _parsed(self, text: str) -> StringPromptTemplate:
        return HandlebarsPromptTemplate.from_template(text, template_engine=self.source.engine)


class JoinedPromptTemplate(_Text):
    """Texts one after the other: what ``+`` makes of a :class:`HandlebarsPromptTemplate` and another template."""

    parts: Annotated[list[StringPromptTemplate], SkipValidation()]

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: dict[str, Any]) -> dict[str, Any]:
        parts = values.get("parts", ())
        required = {name for part in parts for name in part.input_variables}
        optional = {name for part in parts for name in part.optional_variables} - required
        return _filled(values, sorted(required), sorted(optional))

    @property
    def _prompt_type(self) -> str:
        return "joined"

    def format(self, **kwargs: Any) -> str:
        """The texts, each rendered by its own template."""
        return "".join(part.format(**variables) for part, variables in self._shares(kwargs))

    async def aformat(self, **kwargs: Any) -> str:
        """:meth:`format`, for code that awaits."""
        return "".join([await part.aformat(**variables) for part, variables in self._shares(kwargs)])

    def _shares(self, kwargs: dict[str, Any]) -> Iterator[tuple[StringPromptTemplate, Mapping[str, Any]]]:
        """Each template with the variables that are its own."""
        variables = self._merge_partial_and_user_variables(**kwargs)
        for part in self.parts:
            if isinstance(part, HandlebarsPromptTemplate | FStringPromptTemplate):
                yield part, part.source.only_used(variables)
            else:
                yield part, variables

    def pretty_repr(self, html: bool = False) -> str:  # noqa: FBT001, FBT002 - LangChain calls it so
        """The templates as they were written."""
        return "".join(part.pretty_repr(html=html) for part in self.parts)

    def _terms(self) -> list[StringPromptTemplate]:
        return self.parts

    def _parsed(self, text: str) -> StringPromptTemplate:
        return next(part for part in self.parts if isinstance(part, HandlebarsPromptTemplate))._parsed(text)


def _filled(values: dict[str, Any], required: list[str], optional: list[str]) -> dict[str, Any]:
    """The fields of a template with the names of its variables, less those that are bound."""
    bound = values.get("partial_variables") or {}
    return {
        **values,
        "input_variables": [name for name in required if name not in bound],
        "optional_variables": [name for name in optional if name not in bound],
        "input_types": {**dict.fromkeys((*required, *optional), Any), **values.get("input_types", {})},
    }


class HandlebarsMessagePromptTemplate(BaseMessagePromptTemplate):
    """One message of a prompt, of any role, with all that it carries: parts, tool calls, results, names.

    On its own, in a slice or in a sum, it checks the variables that it uses; where the prompt has an input schema, all
    of the input by the schema.
    """

    model_config = ConfigDict(frozen=True)

    source: PromptSource

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Where it is found."""
        return NAMESPACE

    @property
    def input_variables(self) -> list[str]:
        """The variables that must be given."""
        return self.source.required

    def format(self, **kwargs: Any) -> BaseMessage:
        """The message.

        Raises:
            ConversionError: a variable is missing or of another type, a value has no text, the message lacks what
                LangChain's needs, or it is optional and blank.
            SchemaValidationError: the variables do not fit the prompt's input schema.
        """
        messages = self.format_messages(**kwargs)
        if not messages:
            raise ConversionError("the message is optional, and it rendered to blank text; use format_messages")
        return messages[0]

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """The message in a list, which is empty for an optional message that renders to blank text."""
        return _messages(self.source.rendered(self.source.only_used(kwargs)))

    async def aformat_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """:meth:`format_messages`, for code that awaits."""
        return _messages(await self.source.arendered(self.source.only_used(kwargs)))

    def pretty_repr(self, html: bool = False) -> str:  # noqa: FBT001, FBT002 - LangChain calls it so
        """The templates as they were written."""
        role = self.source.core.entries()[0]["role"]
        return f"{get_msg_title_repr(f'{role.title()} Message', bold=html)}\n\n{self.source.core.source}"


class HandlebarsChatPromptTemplate(ChatPromptTemplate):
    """A chat prompt as a template of LangChain's: the variables are checked once, for the whole prompt.

    A slice of it, and a sum with others, is a plain ``ChatPromptTemplate`` of the same message templates.
    """

    #: Made of the messages.
    input_variables: list[str] = Field(default_factory=list)
    source: PromptSource
    #: The messages as they were made, by which it is seen whether the list was changed since.
    parts: Annotated[tuple[Any, ...] | None, SkipValidation()] = Field(default=None, exclude=True, repr=False)

    def model_post_init(self, context: object, /) -> None:
        """Take in what the prompt knows of its variables, which the messages do not say."""
        super().model_post_init(context)
        if self.parts is None:
            self.parts = tuple(self.messages)
        own = {*self.source.optional}
        self.optional_variables = sorted(({*self.optional_variables} - own) | (own - {*self.partial_variables}))
        for name in (*self.source.required, *self.source.optional):
            self.input_types.setdefault(name, Any)

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Where it is found."""
        return NAMESPACE

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """What ``dumps`` writes: once its messages were changed, a plain ``ChatPromptTemplate``."""
        if self._is_whole():
            return super().to_json()
        return ChatPromptTemplate(self.messages, partial_variables=self.partial_variables).to_json()

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """The messages.

        Raises:
            ConversionError: a variable is missing or of another type, a value has no text, or a message lacks what
                LangChain's needs.
            SchemaValidationError: the variables do not fit the prompt's input schema.
        """
        if not self._is_whole():
            return super().format_messages(**kwargs)
        variables = self._merge_partial_and_user_variables(**kwargs)
        return self._composed(self.source.rendered(self._own(variables)), variables)

    async def aformat_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """:meth:`format_messages`, for code that awaits."""
        if not self._is_whole():
            return await super().aformat_messages(**kwargs)
        variables = self._merge_partial_and_user_variables(**kwargs)
        return self._composed(await self.source.arendered(self._own(variables)), variables)

    def _own(self, variables: dict[str, Any]) -> Mapping[str, Any]:
        """The variables without those of the placeholders, which LangChain fills."""
        places = frozenset(part.variable_name for part in self.messages if isinstance(part, MessagesPlaceholder))
        return self.source.only_used(variables, places) if places else variables

    def _composed(self, rendered: list[dict[str, Any] | None], variables: dict[str, Any]) -> list[BaseMessage]:
        """The rendered messages with the placeholders between them."""
        own = iter(rendered)
        messages: list[BaseMessage] = []
        for part in self.messages:
            if isinstance(part, BaseMessage):
                messages.append(part)
            elif isinstance(part, MessagesPlaceholder):
                messages += part.format_messages(**variables)
            elif isinstance(part, HandlebarsMessagePromptTemplate):
                messages += _messages([next(own)])
            else:
                # One of LangChain's own, which may have been changed in place; ours has only checked the variables.
                next(own)
                messages += part.format_messages(**variables)
        return messages

    def _is_whole(self) -> bool:
        """Whether its messages are those that it was made with."""
        made = self.parts or ()
        return len(made) == len(self.messages) and all(
            part is message for part, message in zip(made, self.messages, strict=True)
        )


#: What ``loads(text, allowed_objects=..., valid_namespaces=...)`` may make of what ``dumps`` wrote of a template.
ALLOWED_OBJECTS: list[type[Serializable]] = [
    PromptSource,
    FStringPromptTemplate,
    HandlebarsPromptTemplate,
    JoinedPromptTemplate,
    HandlebarsMessagePromptTemplate,
    HandlebarsChatPromptTemplate,
    PromptTemplate,
    ChatPromptTemplate,
    SystemMessagePromptTemplate,
    HumanMessagePromptTemplate,
    AIMessagePromptTemplate,
    MessagesPlaceholder,
    HistoryPlaceholder,
    *MESSAGE_CLASSES.values(),
]

#: The package that these classes are in.
VALID_NAMESPACES = ["prompt_manager"]


def build(
    core: LangChainSource, engine: TemplateEngineProtocol
) -> PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate:
    """The template of a prompt, without bound variables."""
    source = PromptSource(core=core, engine=engine)
    entries = core.entries()
    if entries[0]["kind"] == "text":
        text = entries[0]["f_string"]
        return HandlebarsPromptTemplate(source=source) if text is None else _f_string(source, text)
    messages: list[Any] = [_entry(source, place, entry) for place, entry in enumerate(entries)]
    ours = core.checks_all_variables or any(isinstance(each, HandlebarsMessagePromptTemplate) for each in messages)
    if core.instructions is not None and not core.carries_instructions:
        messages.insert(0, SystemMessage(content=core.instructions))
    return HandlebarsChatPromptTemplate(messages=messages, source=source) if ours else ChatPromptTemplate(messages)


def _f_string(source: PromptSource, text: str) -> FStringPromptTemplate:
    # LangChain reads the variables from the template.
    return FStringPromptTemplate(source=source, template=text, input_variables=[])


def _entry(source: PromptSource, place: int, entry: dict[str, Any]) -> BaseMessagePromptTemplate:
    if entry["kind"] == "placeholder":
        return HistoryPlaceholder(variable_name=entry["name"], optional=entry["optional"], strict=source.core.strict)
    text = entry["f_string"]
    own = PromptSource(core=source.core.excerpt(place), engine=source.engine)
    if text is None:
        return HandlebarsMessagePromptTemplate(source=own)
    prompt = _f_string(own, text)
    match entry["role"]:
        case "system":
            return SystemMessagePromptTemplate(prompt=prompt)
        case "developer":
            return SystemMessagePromptTemplate(prompt=prompt, additional_kwargs={"__openai_role__": "developer"})
        case "user":
            return HumanMessagePromptTemplate(prompt=prompt)
        case _:
            return AIMessagePromptTemplate(prompt=prompt)
