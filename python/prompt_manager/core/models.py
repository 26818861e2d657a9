"""The pydantic models of prompts. They are frozen, and so is everything that a prompt holds.

The models define the shapes. The rules (valid ids, the template that a format needs) are the core's, which checks every
:class:`Prompt` that is built here. A registered prompt lives in the core, compiled; its ``Prompt`` is made at the first
request and then shared by everybody who asks for this version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from time import time as seconds_since_epoch
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import (
    InitErrorDetails,
    PydanticCustomError,
    PydanticSerializationError,
    to_jsonable_python,
)

from prompt_manager import _native
from prompt_manager._keywords import check_keywords
from prompt_manager._unknown_keys import NamedKeys, is_unknown_field, repeated
from prompt_manager.core._frozen import EMPTY_DICT, freeze, frozen_set
from prompt_manager.exceptions import PromptManagerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic.functional_validators import ModelWrapValidatorHandler

    from prompt_manager._native import CompiledPrompt, Engine
    from prompt_manager.core._links import ObserverLinks
    from prompt_manager.core.events import RenderEvent

__all__ = [
    "ChatPromptTemplate",
    "LabelMove",
    "Message",
    "MessageChange",
    "Prompt",
    "PromptDiff",
    "PromptExecution",
    "PromptFormat",
    "PromptMetadata",
    "PromptSchema",
    "PromptStatus",
    "PromptSummary",
    "PromptTemplate",
    "PromptVersion",
    "Role",
    "Settings",
    "TextChange",
    "Tool",
    "ToolChange",
    "ValueChange",
    "Variable",
    "VariableChange",
    "VariableInfo",
]


class PromptFormat(StrEnum):
    """What a prompt renders to."""

    TEXT = "text"
    CHAT = "chat"
    COMPLETION = "completion"
    INSTRUCTION = "instruction"


class PromptStatus(StrEnum):
    """The stage of a version: only a draft may be replaced, and an archived one is never the latest."""

    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    ARCHIVED = "archived"


class Role(StrEnum):
    """The role of a message. ``PLACEHOLDER`` marks the place of messages that are given at render."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    FUNCTION = "function"
    TOOL = "tool"
    PLACEHOLDER = "placeholder"


def in_utc(moment: datetime) -> datetime:
    """The time in UTC; a naive one is read as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _now() -> datetime:
    return datetime.now(UTC)


#: Make an object without its checks, and set the slots of a frozen one. Each is a third of `object.__setattr__`.
_new = object.__new__
_set_fields, _set_extra = vars(BaseModel)["__dict__"].__set__, vars(BaseModel)["__pydantic_extra__"].__set__
_set_given = vars(BaseModel)["__pydantic_fields_set__"].__set__
_set_private = vars(BaseModel)["__pydantic_private__"].__set__
_fields: Callable[[BaseModel], dict[str, Any]] = vars(BaseModel)["__dict__"].__get__

#: A time in UTC; a naive one is read as UTC.
Time = Annotated[datetime, AfterValidator(in_utc)]


def _frozen_json(value: dict[str, Any]) -> Any:
    """A read-only copy of JSON, after a check of what pydantic would change: its texts and its keys."""
    # The copy is bounded, the value may not be.
    frozen = freeze(value)
    try:
        _native.check_json_texts(frozen)
    except PromptManagerError as error:
        raise _broken_rule(error) from error
    return frozen


#: JSON that belongs to a prompt: read-only, and apart from the dict that the caller gave.
FrozenJson = Annotated[dict[str, Any], AfterValidator(_frozen_json)]

#: Partials by name, and other texts by name; read-only.
FrozenTexts = Annotated[dict[str, str], AfterValidator(freeze)]

#: The name of a schema, or a JSON Schema.
SchemaReference = str | FrozenJson

if TYPE_CHECKING:
    #: The declarations of variables, as a caller may give them.
    GivenVariables = Sequence[str] | Mapping[str, "Variable | Mapping[str, Any] | str | None"]

#: The validation context of prompts that the core has checked. No other object is it, so that no caller skips a check.
_CHECKED = object()

Strings = tuple[str, ...]


def _broken_rule(error: Exception) -> PydanticCustomError:
    """An error of the core as an error of pydantic's."""
    return PydanticCustomError("prompt", "{reason}", {"reason": str(error)})


def _mistakes(prompt: dict[str, Any], broken: list[str]) -> list[InitErrorDetails]:
    """What the core finds wrong with a prompt; the fields in ``broken`` are known to be wrong and left out."""
    try:
        mistakes = _native.prompt_mistakes(prompt, broken)
    except PromptManagerError as error:  # A value that is no JSON.
        mistakes = [([], error)]
    return [InitErrorDetails(type=_broken_rule(error), loc=tuple(path), input=None) for path, error in mistakes]


#: The keys of the short spelling, beside ``template``. The models hold them in ``template`` and ``chat_template``.
SHORT_FIELDS = ("messages", "variables", "partials")


def _in_long_form(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a prompt with ``messages``, ``variables`` and ``partials`` where the models hold them.

    A prompt without ``format`` gets the one that follows from its template.

    Raises:
        PromptValidationError: one thing is written in both spellings, or there is no template for it.
    """
    fields = {key: value for key, value in given.items() if key not in SHORT_FIELDS and (key != "format" or value)}
    short = {key: given[key] for key in SHORT_FIELDS if given.get(key) is not None}
    owners = [key for key in ("template", "chat_template") if fields.get(key) is not None]
    written = [*owners, *(key for key, value in short.items() if key == "messages" or value)]
    written += [
        f"{owner}.{key}" for owner in owners for key in ("variables", "partials") if _member(fields[owner], key)
    ]
    default_format = _native.check_spelling(written)
    fields.setdefault("format", default_format)
    if "messages" in short:
        owners.append("chat_template")
        fields["chat_template"] = {"messages": short.pop("messages")}
    members = _members(fields[owners[0]]) if short and owners else None
    if members is not None:
        fields[owners[0]] = {**members, **short}
    return fields


def _member(template: object, key: str) -> object:
    return (_members(template) or {}).get(key)


def _members(template: object) -> dict[str, Any] | None:
    """The fields of a template, which may be its text, a mapping or a model. ``None`` for what cannot be one."""
    if isinstance(template, str):
        return {"content": template}
    return dict(template) if isinstance(template, (Mapping, BaseModel)) else None


#: Types whose values cannot be changed.
_SCALARS = (str, int, float, bytes, date, time, timedelta, Decimal, Enum, UUID)


def _immutable(value: Any) -> Any:
    """A default, read-only; a value of a class that may be mutable becomes JSON."""

    def convert(other: Any) -> Any:
        if isinstance(other, bytearray):
            return bytes(other)
        return other if isinstance(other, _SCALARS) else freeze(to_jsonable_python(other))

    return freeze(value, convert)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Part(_Model):
    """A part of a prompt, or a prompt: everything that it holds is read-only."""

    def model_post_init(self, _: Any, /) -> None:
        # Pydantic hands both out, in `model_fields_set` and `model_extra`.
        object.__setattr__(self, "__pydantic_fields_set__", frozen_set(self.__pydantic_fields_set__))
        if self.__pydantic_extra__ is not None:
            object.__setattr__(self, "__pydantic_extra__", freeze(self.__pydantic_extra__))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; with ``update`` a changed one, which is validated."""
        return type(self)(**{**dict(self), **update}) if update else super().model_copy(deep=deep)


class _NamedPart(NamedKeys, _Part):
    """A part of a prompt whose keys are those of a file."""


class Variable(_NamedPart):
    """A variable of a template.

    ``type`` is one of string, integer, float, boolean, list, dict, enum, any, date, datetime and uuid; values are
    checked, not coerced. An enum has ``values``, of which a render accepts no other. A variable is required unless it
    has a default or ``required`` is false.
    """

    type: str = "any"
    values: Annotated[tuple[Any, ...], AfterValidator(_immutable)] = ()
    description: str | None = None
    default: Annotated[Any, AfterValidator(_immutable)] = None
    required: bool | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            type: str = "any",
            values: Sequence[Any] = (),
            description: str | None = None,
            default: Any = None,
            required: bool | None = None,
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: object) -> object:
        if value is None:
            return {}
        return {"type": value} if isinstance(value, str) else value


def _as_written(variables: Strings | dict[str, Variable]) -> object:
    if isinstance(variables, tuple):
        return list(variables)
    return {name: variable.model_dump(exclude_defaults=True) for name, variable in variables.items()}


def _spelling_of_variables(value: object) -> str | None:
    """How variables are given, so that a mistake is one of that spelling only. ``None`` for neither."""
    if isinstance(value, Mapping):
        return "mapping"
    if isinstance(value, list | tuple):
        return "names" if all(isinstance(name, str) for name in value) else None
    return "names" if isinstance(value, Iterable) and not isinstance(value, str | bytes) else None


#: The names of variables, or a mapping of names to definitions. Empty: the variables are read from the template.
Variables = Annotated[
    Annotated[Strings, Tag("names")] | Annotated[dict[str, Variable], Tag("mapping")],
    Discriminator(
        _spelling_of_variables,
        custom_error_type="variables",
        custom_error_message="expected a mapping of names to variables, or a list of names",
    ),
    AfterValidator(freeze),
    PlainSerializer(_as_written),
]


class PromptTemplate(_NamedPart):
    """A template for one text. ``helpers`` is accepted because older files have it, and ignored."""

    content: str
    variables: Variables = ()
    partials: FrozenTexts = EMPTY_DICT
    helpers: FrozenTexts = EMPTY_DICT

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            content: str,
            variables: GivenVariables = (),
            partials: Mapping[str, str] = ...,
            helpers: Mapping[str, str] = ...,
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return {"content": value} if isinstance(value, str) else value


class Message(_NamedPart):
    """A message of a chat template, or with the role ``placeholder`` the place for messages given at render.

    An ``optional`` message is left out where it renders to blank text; an optional placeholder may be given nothing.

    ``content`` is a template, or parts whose texts are templates (``text``, ``image_url``, ``image``, ``input_audio``,
    ``file``, ``search_result``). Texts in the arguments of tool calls are templates too. ``refusal`` is what an
    assistant said instead of content. ``cache`` hints that the provider may keep the conversation up to here: ``True``
    or a duration such as ``"1h"``, and for OpenAI ``{"openai": {"ttl": "30m"}}``. ``is_error`` marks a tool message as
    the error of a call that failed.
    """

    role: Role
    content: str | tuple[str | FrozenJson, ...] | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: tuple[FrozenJson, ...] | None = None
    tool_call_id: str | None = None
    function_call: FrozenJson | None = None
    cache: bool | str | FrozenJson | None = None
    optional: bool | None = None
    is_error: bool | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            role: Role | str,
            content: str | Sequence[str | Mapping[str, Any]] | None = None,
            refusal: str | None = None,
            name: str | None = None,
            tool_calls: Sequence[Mapping[str, Any]] | None = None,
            tool_call_id: str | None = None,
            function_call: Mapping[str, Any] | None = None,
            cache: bool | str | Mapping[str, Any] | None = None,
            optional: bool | None = None,
            is_error: bool | None = None,
        ) -> None: ...


class ChatPromptTemplate(_NamedPart):
    """A template for messages. ``helpers`` is accepted because older files have it, and ignored."""

    messages: tuple[Message, ...]
    variables: Variables = ()
    partials: FrozenTexts = EMPTY_DICT
    helpers: FrozenTexts = EMPTY_DICT

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            messages: Sequence[Message | Mapping[str, Any]],
            variables: GivenVariables = (),
            partials: Mapping[str, str] = ...,
            helpers: Mapping[str, str] = ...,
        ) -> None: ...


class Tool(_NamedPart):
    """A tool that the model may call; ``parameters`` is a JSON Schema of an object. ``cache`` is as in a message.

    OpenAI's format is accepted too, ``{"type": "function", "function": {...}}``, and so is the flat one of its
    Responses API. A tool of one provider is written in its format with the ``provider`` beside it, as in
    ``{"provider": "openai", "type": "web_search"}``. It goes to this provider only. Its ``definition`` is everything
    but the provider, and its ``name`` that of the definition, or its type.

    >>> Tool.model_validate({"provider": "openai", "type": "web_search"}).name
    'web_search'
    """

    name: str
    description: str | None = None
    parameters: FrozenJson | None = None
    strict: bool | None = None
    cache: bool | str | FrozenJson | None = None
    provider: Literal["openai", "anthropic", "litellm", "gemini", "bedrock"] | None = None
    definition: FrozenJson | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            name: str = ...,
            description: str | None = None,
            parameters: Mapping[str, Any] | None = None,
            strict: bool | None = None,
            cache: bool | str | Mapping[str, Any] | None = None,
            provider: Literal["openai", "anthropic", "litellm", "gemini", "bedrock"] | None = None,
            definition: Mapping[str, Any] | None = None,
        ) -> None: ...

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As a file has it."""
        if self.provider is not None and self.definition is not None:
            return {"provider": self.provider, **self.definition}
        plain: dict[str, Any] = handler(self)
        return {key: value for key, value in plain.items() if key not in {"provider", "definition"}}

    @model_validator(mode="before")
    @classmethod
    def _from_openai(cls, value: object) -> object:
        if isinstance(value, Mapping) and value.get("provider") is not None:
            rest = {key: each for key, each in value.items() if key != "provider"}
            definition = rest.get("definition", rest)
            if not isinstance(definition, Mapping):
                return value
            name = next((each for each in map(definition.get, ("name", "type")) if isinstance(each, str)), "")
            return {"name": name, "provider": value["provider"], "definition": dict(definition)}
        if not isinstance(value, Mapping):
            return value
        if value.get("type", "function") != "function":
            raise PydanticCustomError(
                "tool_type", "a tool of a provider, such as its web search, names it: `provider: openai`"
            )
        flat = {key: each for key, each in value.items() if key != "type"}
        function = flat.get("function")
        if flat.keys() == {"function", "cache"} and isinstance(function, Mapping):
            return {**function, "cache": flat["cache"]}
        return function if flat.keys() == {"function"} else flat


class Settings(_NamedPart):
    """The parameters of a request.

    A request has those that the provider's call takes, in its own spelling. ``extra`` is passed to any provider
    unchanged; ``openai``, ``anthropic``, ``litellm``, ``gemini`` and ``bedrock`` hold arguments of that provider only.
    """

    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: str | Strings | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    thinking_budget: int | None = None
    parallel_tool_calls: bool | None = None
    extra: FrozenJson = EMPTY_DICT
    openai: FrozenJson = EMPTY_DICT
    anthropic: FrozenJson = EMPTY_DICT
    litellm: FrozenJson = EMPTY_DICT
    gemini: FrozenJson = EMPTY_DICT
    bedrock: FrozenJson = EMPTY_DICT


class PromptMetadata(_Part):
    """The description of a prompt. Further keys are allowed. All values become JSON, dates for example strings.

    ``temperature`` and ``max_tokens`` are used as settings where the prompt's settings do not have them.
    """

    model_config = ConfigDict(extra="allow")

    author: str | None = None
    description: str | None = None
    tags: Strings = ()
    category: str | None = None
    use_cases: Strings = ()
    model_recommendations: Strings = ()
    temperature: float | None = None
    max_tokens: int | None = None
    custom: FrozenJson = EMPTY_DICT

    @model_validator(mode="before")
    @classmethod
    def _as_json(cls, value: object, info: ValidationInfo) -> object:
        if info.context is _CHECKED or not isinstance(value, Mapping):
            return value
        try:
            return _native.plain_json(value, "metadata")
        except PromptManagerError as error:
            raise _broken_rule(error) from error


class Prompt(_Part):
    """A prompt in one version.

    A text prompt has a ``template``; a chat has ``messages``, for which ``chat_template`` is the long spelling. With
    either go ``variables``, which declare what the templates use, and ``partials``, which the templates include. The
    ``format`` follows from what is given: ``text`` or ``chat``.

    A prompt cannot be changed, and neither can the dicts and lists that it holds: they are read-only views, apart from
    those that were given. :meth:`replace` makes a changed prompt; ``.copy()`` of a dict or list is a plain one.

    A prompt from a manager carries the manager's schemas and the partials of its template engine, so that any
    integration can convert it. A prompt made of it by :meth:`replace` or :meth:`model_copy` carries them too. A pickled
    prompt is plain data: unpickled, it carries none.

    Raises:
        pydantic.ValidationError: it breaks a rule, such as a chat with a text template, or a version that is not
            semantic. Templates are parsed when the prompt is registered or first used.

    >>> prompt = Prompt(id="greeting", template="Hello {{name}}!", variables={"name": "string"})
    >>> prompt.replace(version="1.1.0").version
    '1.1.0'
    >>> Prompt(id="ask", messages=[{"role": "user", "content": "{{question}}"}]).format.value
    'chat'
    """

    #: `_core`: the compiled prompt in the core, created when it is needed. `_opaque_core`: the same for a custom
    #: template engine, if there is no `_core`. `_origin`: the schemas and partials of the manager whose prompt this one
    #: was made from.
    __slots__ = ("_core", "_opaque_core", "_origin")

    if TYPE_CHECKING:
        _core: CompiledPrompt

        def __init__(
            self,
            *,
            id: str,
            version: str = "1.0.0",
            format: PromptFormat | str | None = None,
            status: PromptStatus | str = PromptStatus.DRAFT,
            template: PromptTemplate | Mapping[str, Any] | str | None = None,
            messages: Sequence[Message | Mapping[str, Any]] | None = None,
            variables: GivenVariables | None = None,
            partials: Mapping[str, str] | None = None,
            chat_template: ChatPromptTemplate | Mapping[str, Any] | None = None,
            tools: Sequence[Tool | Mapping[str, Any]] = (),
            tool_choice: str | Mapping[str, Any] | None = None,
            settings: Settings | Mapping[str, Any] = ...,
            input_schema: str | Mapping[str, Any] | None = None,
            output_schema: str | Mapping[str, Any] | None = None,
            metadata: PromptMetadata | Mapping[str, Any] = ...,
            labels: Sequence[str] = (),
            uid: UUID | str = ...,
            created_at: datetime | str = ...,
            updated_at: datetime | str = ...,
        ) -> None: ...

    id: str
    version: str = "1.0.0"
    uid: UUID = Field(default_factory=uuid4)
    format: PromptFormat
    template: PromptTemplate | None = None
    chat_template: ChatPromptTemplate | None = None
    status: PromptStatus = PromptStatus.DRAFT
    created_at: Time = Field(default_factory=_now)
    updated_at: Time = Field(default_factory=_now)
    metadata: PromptMetadata = Field(default_factory=PromptMetadata)
    input_schema: SchemaReference | None = None
    output_schema: SchemaReference | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str | FrozenJson | None = None
    settings: Settings = Field(default_factory=Settings)
    labels: Strings = ()

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        if info.context is _CHECKED:
            return handler(value)
        if isinstance(value, Mapping):
            try:
                value = _in_long_form(value)
            except PromptManagerError as error:
                raise _broken_rule(error) from error
        try:
            prompt = handler(value)
        except ValidationError as broken:
            details = broken.errors(include_url=False)
            if not isinstance(value, Mapping):
                raise
            # The core knows what an unknown field was meant to be.
            unknown = {detail["loc"][0] for detail in details if is_unknown_field(detail)}
            details = [detail for detail in details if not is_unknown_field(detail)]
            wrong = {str(detail["loc"][0]) for detail in details if detail["loc"]}
            # What pydantic finds is about types; the core's rules about the other fields are reported with it.
            rest = {key: item for key, item in value.items() if key not in wrong | unknown and item is not None}
            rest.update(dict.fromkeys(unknown))
            more = _mistakes(rest, sorted(wrong))
            if not more:
                raise
            raise ValidationError.from_exception_data(
                cls.__name__, [*map(repeated, details), *more], hide_input=True
            ) from None
        try:
            more = _mistakes(prompt._plain(), [])
        except PydanticSerializationError as error:
            raise _broken_rule(error) from error
        if more:
            raise ValidationError.from_exception_data(cls.__name__, more, hide_input=True)
        return prompt

    def _plain(self) -> dict[str, Any]:
        """The prompt as JSON, without what is not set."""
        try:
            plain = self.model_dump(mode="json", exclude={"metadata"}, exclude_none=True)
        except PydanticSerializationError as error:
            if error.__cause__ is None:
                raise
            # What a signal handler raised in Python code that pydantic called, such as ``_as_written``.
            raise error.__cause__ from None
        metadata = self.metadata.model_dump(mode="json", exclude_defaults=True)
        return {**plain, "metadata": metadata} if metadata else plain

    @property
    def content_hash(self) -> str:
        """The SHA-256, in hexadecimal, of everything that changes the model's input.

        It covers the format, template, partials, variables, schemas, tools and settings, but not the id, version,
        status, labels, metadata, uid and times. It is the same on every platform and in every release.

        >>> prompt = Prompt(id="greeting", format="text", template="Hello {{name}}!")
        >>> prompt.content_hash == prompt.replace(version="2.0.0", status="active").content_hash
        True
        """
        core: CompiledPrompt | None = getattr(self, "_core", None)
        return _native.content_hash(self._plain()) if core is None else core.content_hash

    def __repr__(self) -> str:
        kind = self.format.value
        if self.chat_template is not None:
            count = len(self.chat_template.messages)
            kind += f" of {count} message{'' if count == 1 else 's'}"
        return f"<Prompt {self.id} {self.version}, {kind}, {self.status.value}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from prompt_manager.display.html import prompt_html

        return prompt_html(self)

    def __rich__(self) -> object:
        from prompt_manager.display.terminal import prompt_rich

        return prompt_rich(self)

    @property
    def variables(self) -> list[str]:
        """The names of the variables, declared or read from the template, and of the placeholders.

        Raises:
            TemplateSyntaxError: a template cannot be parsed; or it calls a helper of yours, the prompt declares no
                variables, and it is not from a manager, whose template engine knows the helper.

        >>> Prompt(id="greeting", format="text", template="Hello {{name}}, {{greeting}}!").variables
        ['greeting', 'name']
        """
        return [variable["name"] for variable in self._inspected().variables()]

    def get_variables(self) -> list[str]:
        """The same as :attr:`variables`."""
        return self.variables

    def bump_version(self, level: Literal["major", "minor", "patch"] = "patch") -> str:
        """The version with this part raised. The prompt itself does not change; :meth:`replace` makes one that has it.

        Raises:
            ValueError: ``level`` is none of the three.

        >>> prompt = Prompt(id="greeting", format="text", template="Hello {{name}}!", version="1.4.2")
        >>> prompt.replace(version=prompt.bump_version("minor")).version
        '1.5.0'
        """
        if level not in {"major", "minor", "patch"}:
            raise ValueError(f"level must be 'major', 'minor' or 'patch', not {level!r}")
        return _native.raise_version(self.version, level, found=False)

    def to_yaml(self) -> str:
        r"""The text of a prompt file, without defaults, and with blocks for texts that have line breaks.

        Loading the file gives the same prompt again.

        Raises:
            PromptValidationError: it cannot be written as YAML, for example because its metadata is nested too deeply.

        >>> print(Prompt(id="bye", format="text", template="Goodbye\n{{name}}").to_yaml().partition("uid:")[0])
        id: bye
        version: "1.0.0"
        status: draft
        template: |-
          Goodbye
          {{name}}
        <BLANKLINE>
        """
        return _native.prompt_yaml(self._plain())

    def replace(self, **changes: Any) -> Self:
        """A new prompt with these fields changed, checked anew; ``updated_at`` is now unless it is given.

        ``messages``, ``variables`` and ``partials`` are accepted as well, and each changes itself alone. A ``template``
        that is a text changes the text, and the prompt keeps its variables and partials. A mapping changes the parts of
        the template that it names; a :class:`PromptTemplate` replaces the template as a whole. ``chat_template``
        follows the same rule.

        Raises:
            TypeError: a prompt has no such field; with the nearest name.
            pydantic.ValidationError: the changed prompt breaks a rule.

        >>> prompt = Prompt(id="hi", template="Hi {{name}}", variables={"name": {"type": "string", "default": "you"}})
        >>> prompt.replace(template="Hello {{name}}").template.variables["name"].default
        'you'
        """
        check_keywords(changes, [*type(self).model_fields, *SHORT_FIELDS])
        changed = type(self)(**{**dict(self), "updated_at": _now(), **self._in_template(changes)})
        core: CompiledPrompt | None = getattr(self, "_core", None)
        origin = getattr(self, "_origin", None) if core is None else core.origin
        if origin is not None:
            object.__setattr__(changed, "_origin", origin)
        return changed

    def _in_template(self, changes: dict[str, Any]) -> dict[str, Any]:
        """The changes, with a template that keeps what they do not name of the template of this prompt."""
        if changes.get("messages", changes) is None:  # As `chat_template=None`: the chat is taken away.
            changes = {"chat_template": None, **{key: value for key, value in changes.items() if key != "messages"}}
        short = {key: value for key, value in changes.items() if key in SHORT_FIELDS}
        owner = "template" if self.template is not None and "messages" not in short else "chat_template"
        held: PromptTemplate | ChatPromptTemplate | None = getattr(self, owner)
        given = changes.get(owner, {})
        named = None if isinstance(given, BaseModel) else _members(given)
        if held is None or not (short or owner in changes) or named is None:
            return changes
        if short.keys() & named.keys():  # Two spellings of one thing, which the check of the prompt refuses.
            return changes
        rest = {key: value for key, value in changes.items() if key not in SHORT_FIELDS}
        return {**rest, owner: {**dict(held), **named, **short}}

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; with ``update`` the same as :meth:`replace`."""
        return self.replace(**update) if update else super().model_copy(deep=deep)

    def __copy__(self) -> Self:
        return self._hand_on(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self._hand_on(super().__deepcopy__(memo))

    def _hand_on(self, copied: Self) -> Self:
        """The copy, with the handles of this prompt."""
        for name in self.__slots__:
            handle = getattr(self, name, None)
            if handle is not None:
                object.__setattr__(copied, name, handle)
        return copied

    @classmethod
    def _of(cls, core: CompiledPrompt) -> Self:
        """The prompt of a handle. The core has checked it, so nothing is checked again."""
        prompt = cls.model_validate(core.to_dict(), context=_CHECKED)
        object.__setattr__(prompt, "_core", core)
        return prompt

    def _with_core(self, core: CompiledPrompt) -> Self:
        """The same prompt with another handle. The two share everything else, for nothing of it can change."""
        copy = _new(type(self))
        _set_fields(copy, self.__dict__)
        _set_given(copy, self.__pydantic_fields_set__)
        _set_extra(copy, None)
        _set_private(copy, None)
        object.__setattr__(copy, "_core", core)
        return copy

    def _compiled(self, engine: Engine) -> CompiledPrompt:
        """The handle of the prompt, compiled by this engine with the prompt's own partials alone, as registries do.

        Each engine's compiled prompt is kept as long as the engine lives.
        """
        core: CompiledPrompt | None = getattr(self, "_core", None)
        if core is None:
            core = _native.compile_prompt(self._plain(), engine, getattr(self, "_origin", None))
            object.__setattr__(self, "_core", core)
        return core.compiled_by(engine)

    def _converted_by(self, engine: Engine) -> CompiledPrompt:
        """The handle for a conversion by this engine, with the schemas and partials that the prompt carries."""
        core: CompiledPrompt | None = getattr(self, "_core", None)
        return (self._compiled(engine) if core is None else core).converted_by(engine)

    def _inspected(self) -> CompiledPrompt:
        """The handle of the prompt, to look at. Its texts are parsed only if no variables are declared."""
        core: CompiledPrompt | None = getattr(self, "_core", None)
        if core is not None:
            return core
        part = self.template or self.chat_template
        if part is not None and part.variables:
            return self._opaque()
        return _native.compile_prompt(self._plain(), _native.Engine())

    @property
    def _observers(self) -> ObserverLinks | None:
        """The observers of the manager that the prompt came from, if they hear of renders."""
        source = getattr(self, "_core", None) or getattr(self, "_origin", None)
        return None if source is None else source.observers

    def _opaque(self) -> CompiledPrompt:
        """The handle for a custom template engine, with unparsed texts."""
        core: CompiledPrompt | None = getattr(self, "_core", None)
        if core is not None:
            return core.opaque()
        opaque: CompiledPrompt | None = getattr(self, "_opaque_core", None)
        if opaque is None:
            opaque = _native.opaque_prompt(self._plain(), getattr(self, "_origin", None))
            object.__setattr__(self, "_opaque_core", opaque)
        return opaque


class PromptSummary(_Model):
    """The entry of a prompt in a list."""

    id: str
    version: str
    format: PromptFormat
    status: PromptStatus
    description: str | None = None
    category: str | None = None
    author: str | None = None
    tags: Strings = ()
    labels: Strings = ()


class PromptVersion(_Model):
    """The record of one version in the history of a prompt: its author, its time, its parent and its changelog.

    ``version`` and ``checksum`` default to the prompt's version and content hash.

    Raises:
        pydantic.ValidationError: ``version`` or ``checksum`` is given and is not that of the prompt.
    """

    prompt: Prompt
    version: str = ""
    created_at: Time = Field(default_factory=_now)
    created_by: str | None = None
    changelog: str | None = None
    parent_version: str | None = None
    checksum: str = ""

    @model_validator(mode="after")
    def _of_its_prompt(self) -> Self:
        for name, right in (("version", self.prompt.version), ("checksum", self.prompt.content_hash)):
            if getattr(self, name) not in {"", right}:
                raise ValueError(f"{name} is not that of the prompt, {right}")
            object.__setattr__(self, name, right)
        return self


class LabelMove(_Model):
    """One move of a label, from version ``previous`` to ``version``.

    ``version`` is ``None`` where the label was removed, ``previous`` where the label was new.
    """

    label: str
    version: str | None
    previous: str | None = None
    moved_at: Time = Field(default_factory=_now)
    author: str | None = None


Change = Literal["added", "removed", "moved", "changed"]


class MessageChange(_Model):
    """A message or placeholder that differs; ``old`` and ``new`` are its positions, counted from 1.

    ``text`` is the text of the message; for a changed one, a unified diff.
    """

    change: Change
    role: str
    old: int | None
    new: int | None
    text: str


class TextChange(_Model):
    """A partial that differs; ``text`` is a unified diff."""

    name: str
    change: Change
    text: str


class VariableInfo(_Model):
    """The description of a variable, declared or read from the template."""

    type: str
    required: bool
    values: tuple[Any, ...] = ()
    default: Any = None
    description: str | None = None


class VariableChange(_Model):
    """A variable that differs."""

    name: str
    change: Change
    old: VariableInfo | None
    new: VariableInfo | None


class ToolChange(_Model):
    """A tool that differs."""

    name: str
    change: Change
    old: dict[str, Any] | None
    new: dict[str, Any] | None


class ValueChange(_Model):
    """A value that differs; ``None`` where it is missing."""

    key: str
    old: Any
    new: Any


class PromptDiff(_Model):
    """The difference between two prompts, and the version bump that it needs; ``str()`` shows it.

    ``bump`` is ``major`` for changes that callers must follow (a variable that is now required, removed or of another
    type, another format or schema, a tool to answer), ``minor`` for changes of the model's behaviour and for new
    options of callers, ``patch`` for wording, and ``none`` where the model gets the same input. Status, labels and
    metadata need no bump.
    """

    prompt_id: str
    old_version: str
    new_version: str
    same_content: bool
    template: str
    messages: tuple[MessageChange, ...]
    partials: tuple[TextChange, ...]
    variables: tuple[VariableChange, ...]
    tools: tuple[ToolChange, ...]
    settings: tuple[ValueChange, ...]
    schemas: tuple[ValueChange, ...]
    other: tuple[ValueChange, ...]
    labels_added: Strings
    labels_removed: Strings
    bump: Literal["none", "patch", "minor", "major"]
    reasons: Strings
    text: str = Field(repr=False)

    def __repr__(self) -> str:
        return f"<PromptDiff {self.prompt_id} {self.old_version} → {self.new_version}, {self.bump}>"

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        from prompt_manager.display.html import diff_html

        return diff_html(self)

    def __rich__(self) -> object:
        from prompt_manager.display.terminal import diff_rich

        return diff_rich(self)


class PromptExecution(_Model):
    """The record of one render, as observers get it."""

    model_config = ConfigDict(extra="allow")

    execution_id: UUID = Field(default_factory=uuid4)
    prompt_id: str
    prompt_version: str
    timestamp: Time = Field(default_factory=_now)
    variables: dict[str, Any]
    rendered_content: str
    success: bool
    duration_ms: float | None = None
    error: str | None = None
    #: The provider or framework that the result is for.
    target: str | None = None
    #: Whether the result came from a cache.
    cache_hit: bool = False
    metadata: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def _of_render(cls, event: RenderEvent, variables: dict[str, Any], content: str, duration_ms: float) -> Self:
        """The record of a successful render, not validated, and without what :meth:`_complete` adds."""
        record = _new(cls)
        _set_fields(record, event._record_fields(variables, content, duration_ms, seconds_since_epoch()))
        return record

    def _complete(self) -> bool:
        """Add what few observers read, which takes half the time of a record. Returns whether it was missing."""
        fields = _fields(self)
        if "_event" not in fields:
            return False
        # Two threads that complete the record at the same time get the same dictionary.
        fields.setdefault("metadata", {})
        # In the order of the model.
        fields = _FIELDS_OF_RECORDS | fields
        fields["execution_id"] = fields.pop("_event").execution_id
        fields["timestamp"] = datetime.fromtimestamp(fields.pop("_ended"), UTC)
        _set_given(self, _SET_BY_RENDERS.copy())
        _set_extra(self, {})
        _set_private(self, None)
        # Last, because another thread may look at the fields.
        _set_fields(self, fields)
        return True

    def __getattr__(self, name: str) -> Any:
        is_new = self._complete()
        fields = _fields(self)
        # Another thread may have completed the record since the name was missing.
        if name in fields:
            return fields[name]
        return getattr(self, name) if is_new else super().__getattr__(name)  # type: ignore[misc]

    # Pydantic reads all fields here: to compare, copy, pickle, print and serialize a record.
    @property
    def __dict__(self) -> dict[str, Any]:
        self._complete()
        return _fields(self)

    @__dict__.setter
    def __dict__(self, fields: dict[str, Any]) -> None:
        _set_fields(self, fields)


_FIELDS_OF_RECORDS: dict[str, Any] = dict.fromkeys(PromptExecution.model_fields)
_SET_BY_RENDERS = {"prompt_id", "prompt_version", "variables", "rendered_content", "success", "duration_ms"}


class PromptSchema(_Model):
    """A file of several prompts."""

    prompts: tuple[Prompt, ...] = Field(min_length=1)
    version: str = "1.0.0"
    metadata: dict[str, Any] = Field(default_factory=dict)

    @field_validator("prompts")
    @classmethod
    def _unique(cls, prompts: tuple[Prompt, ...]) -> tuple[Prompt, ...]:
        seen = set()
        for prompt in prompts:
            if (prompt.id, prompt.version) in seen:
                raise ValueError(f"prompt {prompt.id!r} has version {prompt.version} twice")
            seen.add((prompt.id, prompt.version))
        return prompts
