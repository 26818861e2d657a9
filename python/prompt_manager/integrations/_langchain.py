"""LangChain template classes for prompts that f-strings cannot express. Importing this loads ``langchain_core``.

They check variables as every render does, and never interpret a value as template text. They can be pickled, written
with LangChain's ``dumps``, and read with ``loads`` and :data:`ALLOWED_OBJECTS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self
from warnings import warn

from langchain_core.load.serializable import Serializable
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
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
from pydantic import ConfigDict, Field, PrivateAttr, SkipValidation, model_validator

from prompt_manager._native import Engine, LangChainSource, Schemas, compile_prompt, opaque_prompt
from prompt_manager.core._sync import AWAITING, run_asking
from prompt_manager.core.protocols import TemplateEngineProtocol  # noqa: TC001 - pydantic reads it
from prompt_manager.core.template import TemplateEngine
from prompt_manager.integrations.base import PromptConversionWarning, render_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from langchain_core.load.serializable import SerializedConstructor, SerializedNotImplemented

    from prompt_manager.core._sync import Ask

__all__ = [
    "ALLOWED_OBJECTS",
    "VALID_NAMESPACES",
    "HandlebarsChatPromptTemplate",
    "HandlebarsMessagePromptTemplate",
    "HandlebarsPromptTemplate",
    "JoinedPromptTemplate",
    "PromptSource",
    "build",
]

#: The module under which ``dumps`` writes these classes.
_NAMESPACE = ["prompt_manager", "integrations", "langchain"]

_CLASSES: dict[str, type[BaseMessage]] = {
    "system": SystemMessage,
    "human": HumanMessage,
    "ai": AIMessage,
    "tool": ToolMessage,
    "function": FunctionMessage,
}


def _messages_with_warnings(rendered: tuple[list[dict[str, Any]], list[str]]) -> list[dict[str, Any]]:
    """Return the rendered messages, and issue the warnings about their conversion."""
    messages, warnings = rendered
    for text in warnings:
        warn(text, PromptConversionWarning, stacklevel=4)
    return messages


def _build_message(rendered: dict[str, Any]) -> BaseMessage:
    return _CLASSES[rendered["class"]](**rendered["arguments"])


class PromptSource(Serializable):
    """An immutable prompt, or one of its messages, with the template engine and the schemas that it needs.

    ``dumps`` can write it if all of that is data. An engine with helpers, and a schema that is a model or calls a
    function, can be pickled but not written as JSON.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    core: LangChainSource = Field(exclude=True, repr=False)
    engine: Annotated[TemplateEngineProtocol, SkipValidation()] = Field(exclude=True, repr=False)

    _required: list[str] = PrivateAttr()
    _optional: list[str] = PrivateAttr()
    #: The names of all its variables, or None if it may use others too.
    _known: frozenset[str] | None = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _from_dumps(cls, values: dict[str, Any]) -> dict[str, Any]:
        if "core" in values:
            return values
        known = dict(values)
        engine = TemplateEngine(**known.pop("options"))
        for name, text in known.pop("partials").items():
            engine.register_partial(name, text)
        return {"core": _build_core(engine=engine, models={}, functions={}, **known), "engine": engine}

    def model_post_init(self, context: object, /) -> None:  # noqa: ARG002 - the signature is pydantic's
        """Read the variables once."""
        required, optional, complete = self.core.variables()
        if not isinstance(self.engine, Engine):
            required = sorted({*required, *(self._variables_from_engine() - {*optional})})
        self._required = required
        self._optional = optional
        self._known = frozenset((*required, *optional)) if complete else None

    def _variables_from_engine(self) -> set[str]:
        """Return the variables that a custom engine finds in the templates, if it can extract them."""
        extract = getattr(self.engine, "extract_variables", None)
        return {name for text in self.core.texts for name in extract(text)} if callable(extract) else set()

    @property
    def required(self) -> list[str]:
        """The variables that you must pass."""
        return list(self._required)

    @property
    def optional(self) -> list[str]:
        """The variables that you may leave out."""
        return list(self._optional)

    def among(self, variables: Mapping[str, Any], foreign: frozenset[str] | None = None) -> Mapping[str, Any]:
        """Return the variables that it uses: all without those that it does not know.

        Args:
            variables: The variables.
            foreign: Leave out only these of the unknown names.
        """
        known = self._known
        if known is None:
            return variables
        return {
            name: value
            for name, value in variables.items()
            if name in known or not (foreign is None or name in foreign)
        }

    def text(self, variables: Mapping[str, Any]) -> str:
        """Render a prompt that is not a chat."""
        if isinstance(self.engine, Engine):
            return self.core.render(variables)
        return self.core.assemble(self._render_texts_sync(variables)[0])

    async def atext(self, variables: Mapping[str, Any]) -> str:
        """Asynchronous version of :meth:`text`."""
        if isinstance(self.engine, Engine):
            return self.core.render(variables)
        return self.core.assemble((await self._render_texts(AWAITING, variables))[0])

    def rendered(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Render the messages, each to a message class and its arguments."""
        if isinstance(self.engine, Engine):
            return _messages_with_warnings(self.core.render_messages(variables))
        return _messages_with_warnings(self.core.assemble_messages(self._render_texts_sync(variables)))

    async def arendered(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Asynchronous version of :meth:`rendered`."""
        if isinstance(self.engine, Engine):
            return _messages_with_warnings(self.core.render_messages(variables))
        return _messages_with_warnings(self.core.assemble_messages(await self._render_texts(AWAITING, variables)))

    async def _render_texts(self, ask: Ask, variables: Mapping[str, Any]) -> list[str]:
        return await render_texts(self.engine, ask, self.core.id, self.core.prepare(variables))

    def _render_texts_sync(self, variables: Mapping[str, Any]) -> list[str]:
        asked = (self.engine, "render")
        return run_asking(lambda ask: self._render_texts(ask, variables), "ainvoke", asked, twin="invoke")

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Return the module under which LangChain writes and reads the class."""
        return _NAMESPACE

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return True. :meth:`to_json` decides for each object."""
        return True

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """Return the data that ``dumps`` writes."""
        state = self._state()
        if type(self.engine) is not TemplateEngine or state["models"] or state["functions"]:
            return self.to_json_not_implemented()
        helpers, partials = self.engine.__getstate__()
        if helpers:
            return self.to_json_not_implemented()
        data = {name: value for name, value in state.items() if name not in {"models", "functions"}}
        options = self.engine.__getnewargs_ex__()[1]
        return {
            "lc": 1,
            "type": "constructor",
            "id": self.lc_id(),
            "kwargs": {**data, "options": options, "partials": dict(partials)},
        }

    def _state(self) -> dict[str, Any]:
        """Return everything but the engine."""
        core = self.core
        schemas, models, functions = core.reach()
        return {
            "prompt": core.to_dict(),
            "schemas": schemas,
            "models": models,
            "functions": functions,
            "index": core.index,
            "instructions": core.instructions,
            "strict": core.strict,
        }

    def __repr__(self) -> str:
        return f"PromptSource({self.core.id!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PromptSource):
            return NotImplemented
        if self.core is other.core:
            return True
        return (self._state(), _engine_state(self)) == (other._state(), _engine_state(other))

    def __hash__(self) -> int:
        return hash((self.core.id, self.core.index))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[..., PromptSource], tuple[dict[str, Any], TemplateEngineProtocol]]:
        return _restore, (self._state(), self.engine)


def _engine_state(source: PromptSource) -> object:
    engine = source.engine
    if not isinstance(engine, Engine):
        return engine
    return type(engine), engine.__getnewargs_ex__(), engine.__getstate__()


def _restore(state: dict[str, Any], engine: TemplateEngineProtocol) -> PromptSource:
    return PromptSource(core=_build_core(engine=engine, **state), engine=engine)


def _build_core(
    *,
    engine: TemplateEngineProtocol,
    prompt: dict[str, Any],
    schemas: Sequence[dict[str, Any]],
    models: Mapping[str, Any],
    functions: Mapping[str, Callable[[Any], bool]],
    index: int,
    instructions: str | None = None,
    strict: bool,
) -> LangChainSource:
    known = Schemas()
    for name, function in functions.items():
        known.register_function(name, function)
    for name, model in models.items():
        known.put_model(name, model)
    for schema in schemas:
        known.put(schema)
    return LangChainSource(
        compile_prompt(prompt, engine) if isinstance(engine, Engine) else opaque_prompt(prompt),
        strict=strict,
        schemas=known,
        opaque=not isinstance(engine, Engine),
        index=index,
        instructions=instructions,
    )


class _TextTemplate(StringPromptTemplate):
    """The base class of the templates of one text."""

    #: Filled in from the template.
    input_variables: list[str] = Field(default_factory=list)

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Return the module under which LangChain writes and reads the class."""
        return _NAMESPACE

    def save(self, file_path: Path | str) -> None:
        """Not supported. Use ``langchain_core.load.dumps`` instead.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no `save`: write it with `langchain_core.load.dumps` instead"
        )

    def _parts(self) -> list[StringPromptTemplate]:
        return [self]

    def _parse(self, text: str) -> StringPromptTemplate:
        """Make a template of the text, with the same engine."""
        raise NotImplementedError

    def __add__(self, other: object) -> JoinedPromptTemplate:
        """Concatenate two templates. A ``str`` is parsed as a template of the same engine.

        Raises:
            ValueError: both bind the same variable.
        """
        return self._concatenate(other, before=False)

    def __radd__(self, other: object) -> JoinedPromptTemplate:
        return self._concatenate(other, before=True)

    def _concatenate(self, other: object, *, before: bool) -> JoinedPromptTemplate:
        if isinstance(other, str):
            other = self._parse(other)
        if not isinstance(other, StringPromptTemplate):
            return NotImplemented  # type: ignore[no-any-return]
        first, second = (other, self) if before else (self, other)
        twice = sorted({*first.partial_variables} & {*second.partial_variables})
        if twice:
            raise ValueError(f"Cannot have same variable partialed twice: {', '.join(twice)}")
        return JoinedPromptTemplate(
            parts=[
                part
                for template in (first, second)
                for part in (template._parts() if isinstance(template, _TextTemplate) else [template])
            ],
            partial_variables={**first.partial_variables, **second.partial_variables},
        )


class HandlebarsPromptTemplate(_TextTemplate):
    """A LangChain string prompt template that renders Handlebars.

    >>> template = HandlebarsPromptTemplate.from_template("{{#if name}}Dear {{name}}{{else}}Hello{{/if}}!")
    >>> template.format(name="{Ada}")
    'Dear {Ada}!'
    >>> template.optional_variables
    ['name']
    """

    source: PromptSource

    @classmethod
    def from_template(cls, template: str, *, template_engine: TemplateEngineProtocol | None = None) -> Self:
        """Make a template from a text.

        Args:
            template: The text.
            template_engine: The engine that renders it. By default a new :class:`~prompt_manager.TemplateEngine`.

        Raises:
            TemplateSyntaxError: the text cannot be parsed.
        """
        engine = TemplateEngine() if template_engine is None else template_engine
        prompt = {"id": "template", "format": "text", "template": template}
        core = _build_core(engine=engine, prompt=prompt, schemas=(), models={}, functions={}, index=0, strict=True)
        return cls(source=PromptSource(core=core, engine=engine))

    @model_validator(mode="before")
    @classmethod
    def _set_variables(cls, values: dict[str, Any]) -> dict[str, Any]:
        source = values.get("source")
        return _with_variables(values, source.required, source.optional) if isinstance(source, PromptSource) else values

    @property
    def template(self) -> str:
        """The source of the template."""
        return self.source.core.source

    @property
    def _prompt_type(self) -> str:
        return "handlebars"

    def format(self, **kwargs: Any) -> str:
        """Render the text.

        Raises:
            ConversionError: a variable is missing or has the wrong type, or a value has no text.
            SchemaValidationError: the variables do not match the prompt's input schema.
        """
        return self.source.text(self._merge_partial_and_user_variables(**kwargs))

    async def aformat(self, **kwargs: Any) -> str:
        """Asynchronous version of :meth:`format`."""
        return await self.source.atext(self._merge_partial_and_user_variables(**kwargs))

    def pretty_repr(self, html: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002 - the signature is LangChain's
        """Return the source of the template."""
        return self.template

    def _parse(self, text: str) -> StringPromptTemplate:
        return HandlebarsPromptTemplate.from_template(text, template_engine=self.source.engine)


class JoinedPromptTemplate(_TextTemplate):
    """Concatenated templates: the result of ``+`` with a :class:`HandlebarsPromptTemplate`."""

    parts: Annotated[list[StringPromptTemplate], SkipValidation()]

    @model_validator(mode="before")
    @classmethod
    def _set_variables(cls, values: dict[str, Any]) -> dict[str, Any]:
        parts = values.get("parts", ())
        required = {name for part in parts for name in part.input_variables}
        optional = {name for part in parts for name in part.optional_variables} - required
        return _with_variables(values, sorted(required), sorted(optional))

    @property
    def _prompt_type(self) -> str:
        return "joined"

    def format(self, **kwargs: Any) -> str:
        """Render each template, and concatenate the texts."""
        return "".join(part.format(**variables) for part, variables in self._parts_with_variables(kwargs))

    async def aformat(self, **kwargs: Any) -> str:
        """Asynchronous version of :meth:`format`."""
        return "".join([await part.aformat(**variables) for part, variables in self._parts_with_variables(kwargs)])

    def _parts_with_variables(self, kwargs: dict[str, Any]) -> Iterator[tuple[StringPromptTemplate, Mapping[str, Any]]]:
        """Iterate over the templates, each with the variables that it uses."""
        variables = self._merge_partial_and_user_variables(**kwargs)
        for part in self.parts:
            yield part, part.source.among(variables) if isinstance(part, HandlebarsPromptTemplate) else variables

    def pretty_repr(self, html: bool = False) -> str:  # noqa: FBT001, FBT002 - the signature is LangChain's
        """Return the sources of the templates."""
        return "".join(part.pretty_repr(html=html) for part in self.parts)

    def _parts(self) -> list[StringPromptTemplate]:
        return self.parts

    def _parse(self, text: str) -> StringPromptTemplate:
        return next(part for part in self.parts if isinstance(part, HandlebarsPromptTemplate))._parse(text)


def _with_variables(values: dict[str, Any], required: list[str], optional: list[str]) -> dict[str, Any]:
    """Add the names and types of its unbound variables to the fields of a template."""
    bound = values.get("partial_variables") or {}
    return {
        **values,
        "input_variables": [name for name in required if name not in bound],
        "optional_variables": [name for name in optional if name not in bound],
        "input_types": {**dict.fromkeys((*required, *optional), Any), **values.get("input_types", {})},
    }


class HandlebarsMessagePromptTemplate(BaseMessagePromptTemplate):
    """A LangChain template for one message of a prompt: of any role, with parts, tool calls, tool results and names.

    Used without the rest of the prompt, for example in a slice of the template, it checks only the variables of this
    message. If the prompt has an input schema, it checks all of the input.
    """

    model_config = ConfigDict(frozen=True)

    source: PromptSource

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Return the module under which LangChain writes and reads the class."""
        return _NAMESPACE

    @property
    def input_variables(self) -> list[str]:
        """The variables that you must pass."""
        return self.source.required

    def format(self, **kwargs: Any) -> BaseMessage:
        """Render the message.

        Raises:
            ConversionError: a variable is missing or has the wrong type, a value has no text, or the message lacks a
                field that LangChain requires.
            SchemaValidationError: the variables do not match the prompt's input schema.
        """
        return _build_message(self.source.rendered(self.source.among(kwargs))[0])

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """Render the message, and return it in a list. Raises as :meth:`format` does."""
        return [self.format(**kwargs)]

    async def aformat_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """Asynchronous version of :meth:`format_messages`."""
        return [_build_message((await self.source.arendered(self.source.among(kwargs)))[0])]

    def pretty_repr(self, html: bool = False) -> str:  # noqa: FBT001, FBT002 - the signature is LangChain's
        """Return a title with the role, and the source of the message's templates."""
        role = self.source.core.entries()[0]["role"]
        return f"{get_msg_title_repr(f'{role.title()} Message', bold=html)}\n\n{self.source.core.source}"


class HandlebarsChatPromptTemplate(ChatPromptTemplate):
    """A LangChain template for a chat prompt. It checks the variables once, for the whole prompt.

    A slice of it, and its sum with another template, is a plain ``ChatPromptTemplate`` of the same message templates.
    """

    #: Filled in from the messages.
    input_variables: list[str] = Field(default_factory=list)
    source: PromptSource
    #: The original messages, to find out whether the list was changed.
    parts: Annotated[tuple[Any, ...] | None, SkipValidation()] = Field(default=None, exclude=True, repr=False)

    def model_post_init(self, context: object, /) -> None:
        """Add the optional variables and types that the prompt declares and the messages do not have."""
        super().model_post_init(context)
        if self.parts is None:
            self.parts = tuple(self.messages)
        own = {*self.source.optional}
        self.optional_variables = sorted(({*self.optional_variables} - own) | (own - {*self.partial_variables}))
        for name in (*self.source.required, *self.source.optional):
            self.input_types.setdefault(name, Any)

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Return the module under which LangChain writes and reads the class."""
        return _NAMESPACE

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """Return the data that ``dumps`` writes. If the messages were changed, it is a plain ``ChatPromptTemplate``."""
        if self._is_unchanged():
            return super().to_json()
        return ChatPromptTemplate(self.messages, partial_variables=self.partial_variables).to_json()

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """Render the messages.

        Raises:
            ConversionError: a variable is missing or has the wrong type, a value has no text, or a message lacks a
                field that LangChain requires.
            SchemaValidationError: the variables do not match the prompt's input schema.
        """
        if not self._is_unchanged():
            return super().format_messages(**kwargs)
        variables = self._merge_partial_and_user_variables(**kwargs)
        return self._build_messages(self.source.rendered(self._without_placeholders(variables)), variables)

    async def aformat_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """Asynchronous version of :meth:`format_messages`."""
        if not self._is_unchanged():
            return await super().aformat_messages(**kwargs)
        variables = self._merge_partial_and_user_variables(**kwargs)
        return self._build_messages(await self.source.arendered(self._without_placeholders(variables)), variables)

    def _without_placeholders(self, variables: dict[str, Any]) -> Mapping[str, Any]:
        """Return the variables without the messages for placeholders, which LangChain fills in."""
        names = frozenset(part.variable_name for part in self.messages if isinstance(part, MessagesPlaceholder))
        return self.source.among(variables, names) if names else variables

    def _build_messages(self, rendered: list[dict[str, Any]], variables: dict[str, Any]) -> list[BaseMessage]:
        """Return the rendered messages, with the fixed messages and placeholders between them."""
        remaining = iter(rendered)
        messages: list[BaseMessage] = []
        for part in self.messages:
            if isinstance(part, BaseMessage):
                messages.append(part)
            elif isinstance(part, MessagesPlaceholder):
                messages += part.format_messages(**variables)
            elif isinstance(part, HandlebarsMessagePromptTemplate):
                messages.append(_build_message(next(remaining)))
            else:
                # One of LangChain's templates may have been changed in place, so it renders itself. Our render has
                # only checked its variables.
                next(remaining)
                messages += part.format_messages(**variables)
        return messages

    def _is_unchanged(self) -> bool:
        """Return whether the messages are the original ones."""
        original = self.parts or ()
        return len(original) == len(self.messages) and all(
            part is message for part, message in zip(original, self.messages, strict=True)
        )


#: The classes that ``loads(text, allowed_objects=..., valid_namespaces=...)`` needs to read a written template.
ALLOWED_OBJECTS: list[type[Serializable]] = [
    PromptSource,
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
    *_CLASSES.values(),
]

#: The namespace of these classes, for ``loads``.
VALID_NAMESPACES = ["prompt_manager"]


def build(
    core: LangChainSource, engine: TemplateEngineProtocol
) -> PromptTemplate | HandlebarsPromptTemplate | ChatPromptTemplate:
    """Build the LangChain template of a prompt, without bound variables."""
    source = PromptSource(core=core, engine=engine)
    entries = core.entries()
    if entries[0]["kind"] == "text":
        text = entries[0]["f_string"]
        return HandlebarsPromptTemplate(source=source) if text is None else PromptTemplate.from_template(text)
    messages: list[Any] = [_message_template(source, index, entry) for index, entry in enumerate(entries)]
    needs_engine = core.requires_unread or any(
        isinstance(message, HandlebarsMessagePromptTemplate) for message in messages
    )
    if core.instructions is not None and not core.carries_instructions:
        messages.insert(0, SystemMessage(content=core.instructions))
    if needs_engine:
        return HandlebarsChatPromptTemplate(messages=messages, source=source)
    return ChatPromptTemplate(messages)


def _message_template(source: PromptSource, index: int, entry: dict[str, Any]) -> BaseMessagePromptTemplate:
    if entry["kind"] == "placeholder":
        return MessagesPlaceholder(entry["name"], optional=entry["optional"])
    text = entry["f_string"]
    if text is None:
        return HandlebarsMessagePromptTemplate(
            source=PromptSource(core=source.core.excerpt(index), engine=source.engine)
        )
    prompt = PromptTemplate.from_template(text)
    match entry["role"]:
        case "system":
            return SystemMessagePromptTemplate(prompt=prompt)
        case "developer":
            return SystemMessagePromptTemplate(prompt=prompt, additional_kwargs={"__openai_role__": "developer"})
        case "user":
            return HumanMessagePromptTemplate(prompt=prompt)
        case _:
            return AIMessagePromptTemplate(prompt=prompt)
