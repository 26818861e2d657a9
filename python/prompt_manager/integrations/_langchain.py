"""LangChain's templates for prompts that its own f-strings cannot say. Importing this loads ``langchain_core``.

Each renders by the one pipeline, with the variables checked as every render checks them, and what a value says is never
looked at again. All of them can be pickled, and written and read by ``dumps`` and ``loads`` with
:data:`ALLOWED_OBJECTS`.
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
from prompt_manager.integrations.base import PromptConversionWarning, rendered_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from langchain_core.load.serializable import SerializedConstructor, SerializedNotImplemented

    from prompt_manager.core._sync import CallMode

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

#: The module by which these classes are known in what ``dumps`` writes.
_NAMESPACE = ["prompt_manager", "integrations", "langchain"]

_CLASSES: dict[str, type[BaseMessage]] = {
    "system": SystemMessage,
    "human": HumanMessage,
    "ai": AIMessage,
    "tool": ToolMessage,
    "function": FunctionMessage,
}


def _warned(made: tuple[list[dict[str, Any]], list[str]]) -> list[dict[str, Any]]:
    """The messages; of each lossy step it is warned."""
    messages, steps = made
    for step in steps:
        warn(step, PromptConversionWarning, stacklevel=4)
    return messages


def _message(made: dict[str, Any]) -> BaseMessage:
    return _CLASSES[made["class"]](**made["arguments"])


class PromptSource(Serializable):
    """A prompt, or one message of it, with the engine and the schemas that it renders by. It never changes.

    ``dumps`` writes it where all of that is data: an engine with helpers, and a schema that is a model or calls a
    function, can be pickled but not written as JSON.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    core: LangChainSource = Field(exclude=True, repr=False)
    engine: Annotated[TemplateEngineProtocol, SkipValidation()] = Field(exclude=True, repr=False)

    _required: list[str] = PrivateAttr()
    _optional: list[str] = PrivateAttr()
    #: The names that it knows, where no others matter.
    _known: frozenset[str] | None = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _read(cls, values: dict[str, Any]) -> dict[str, Any]:
        if "core" in values:
            return values
        known = dict(values)
        engine = TemplateEngine(**known.pop("options"))
        for name, text in known.pop("partials").items():
            engine.register_partial(name, text)
        return {"core": _compiled(engine=engine, models={}, functions={}, **known), "engine": engine}

    def model_post_init(self, context: object, /) -> None:  # noqa: ARG002 - pydantic calls it so
        """Read once what it needs."""
        required, optional, complete = self.core.variables()
        if not isinstance(self.engine, Engine):
            required = sorted({*required, *(self._read_by_engine() - {*optional})})
        self._required = required
        self._optional = optional
        self._known = frozenset((*required, *optional)) if complete else None

    def _read_by_engine(self) -> set[str]:
        """What an engine that is not ours says that its templates read, where it can say that."""
        extract = getattr(self.engine, "extract_variables", None)
        return {name for text in self.core.texts for name in extract(text)} if callable(extract) else set()

    @property
    def required(self) -> list[str]:
        """The variables that must be given."""
        return list(self._required)

    @property
    def optional(self) -> list[str]:
        """The variables that may be given."""
        return list(self._optional)

    def among(self, variables: Mapping[str, Any], strangers: frozenset[str] | None = None) -> Mapping[str, Any]:
        """The variables without those that are not its own: all that it does not know, or of those the strangers."""
        known = self._known
        if known is None:
            return variables
        return {
            name: value
            for name, value in variables.items()
            if name in known or not (strangers is None or name in strangers)
        }

    def text(self, variables: Mapping[str, Any]) -> str:
        """The text of a prompt that is no chat."""
        if isinstance(self.engine, Engine):
            return self.core.render(variables)
        return self.core.assemble(self._foreign_sync(variables)[0])

    async def atext(self, variables: Mapping[str, Any]) -> str:
        """:meth:`text`, for code that awaits."""
        if isinstance(self.engine, Engine):
            return self.core.render(variables)
        return self.core.assemble((await self._foreign(AWAITING, variables))[0])

    def rendered(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The messages, each as a class and its arguments."""
        if isinstance(self.engine, Engine):
            return _warned(self.core.render_messages(variables))
        return _warned(self.core.assemble_messages(self._foreign_sync(variables)))

    async def arendered(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """:meth:`rendered`, for code that awaits."""
        if isinstance(self.engine, Engine):
            return _warned(self.core.render_messages(variables))
        return _warned(self.core.assemble_messages(await self._foreign(AWAITING, variables)))

    async def _foreign(self, ask: CallMode, variables: Mapping[str, Any]) -> list[str]:
        return await rendered_by(self.engine, ask, self.core.id, self.core.prepare(variables))

    def _foreign_sync(self, variables: Mapping[str, Any]) -> list[str]:
        asked = (self.engine, "render")
        return run_asking(lambda ask: self._foreign(ask, variables), "ainvoke", asked, twin="invoke")

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Where it is found."""
        return _NAMESPACE

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """It is, where what it holds is data."""
        return True

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """What ``dumps`` writes."""
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
        """All but the engine."""
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
        return self.core is other.core or (self._state(), _engine(self)) == (other._state(), _engine(other))

    def __hash__(self) -> int:
        return hash((self.core.id, self.core.index))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[..., PromptSource], tuple[dict[str, Any], TemplateEngineProtocol]]:
        return _restore, (self._state(), self.engine)


def _engine(source: PromptSource) -> object:
    engine = source.engine
    if not isinstance(engine, Engine):
        return engine
    return type(engine), engine.__getnewargs_ex__(), engine.__getstate__()


def _restore(state: dict[str, Any], engine: TemplateEngineProtocol) -> PromptSource:
    return PromptSource(core=_compiled(engine=engine, **state), engine=engine)


def _compiled(
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


class _Text(StringPromptTemplate):
    """What the texts share: ``+``, and where they are found."""

    #: Made of what is rendered.
    input_variables: list[str] = Field(default_factory=list)

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Where it is found."""
        return _NAMESPACE

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
        core = _compiled(engine=engine, prompt=prompt, schemas=(), models={}, functions={}, index=0, strict=True)
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
            yield part, part.source.among(variables) if isinstance(part, HandlebarsPromptTemplate) else variables

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
        return _NAMESPACE

    @property
    def input_variables(self) -> list[str]:
        """The variables that must be given."""
        return self.source.required

    def format(self, **kwargs: Any) -> BaseMessage:
        """The message.

        Raises:
            ConversionError: a variable is missing or of another type, a value has no text, or the message lacks what
                LangChain's needs.
            SchemaValidationError: the variables do not fit the prompt's input schema.
        """
        return _message(self.source.rendered(self.source.among(kwargs))[0])

    def format_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """The message in a list."""
        return [self.format(**kwargs)]

    async def aformat_messages(self, **kwargs: Any) -> list[BaseMessage]:
        """:meth:`format_messages`, for code that awaits."""
        return [_message((await self.source.arendered(self.source.among(kwargs)))[0])]

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
        return _NAMESPACE

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
        return self.source.among(variables, places) if places else variables

    def _composed(self, rendered: list[dict[str, Any]], variables: dict[str, Any]) -> list[BaseMessage]:
        """The rendered messages with what stands between them."""
        own = iter(rendered)
        messages: list[BaseMessage] = []
        for part in self.messages:
            if isinstance(part, BaseMessage):
                messages.append(part)
            elif isinstance(part, MessagesPlaceholder):
                messages += part.format_messages(**variables)
            elif isinstance(part, HandlebarsMessagePromptTemplate):
                messages.append(_message(next(own)))
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
        return HandlebarsPromptTemplate(source=source) if text is None else PromptTemplate.from_template(text)
    messages: list[Any] = [_entry(source, place, entry) for place, entry in enumerate(entries)]
    ours = core.requires_unread or any(isinstance(message, HandlebarsMessagePromptTemplate) for message in messages)
    if core.instructions is not None and not core.carries_instructions:
        messages.insert(0, SystemMessage(content=core.instructions))
    return HandlebarsChatPromptTemplate(messages=messages, source=source) if ours else ChatPromptTemplate(messages)


def _entry(source: PromptSource, place: int, entry: dict[str, Any]) -> BaseMessagePromptTemplate:
    if entry["kind"] == "placeholder":
        return MessagesPlaceholder(entry["name"], optional=entry["optional"])
    text = entry["f_string"]
    if text is None:
        return HandlebarsMessagePromptTemplate(
            source=PromptSource(core=source.core.excerpt(place), engine=source.engine)
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
