"""Prompts as Python sees them: frozen pydantic models.

The models hold the shapes; the rules (what an id may be, how format and template agree) are the core's, which every
:class:`Prompt` is checked by when it is built. A prompt that a manager holds lives in the core; a ``Prompt`` is its
face, made when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, PydanticSerializationError

from prompt_manager import _native
from prompt_manager.exceptions import PromptManagerError

if TYPE_CHECKING:
    from prompt_manager._native import CompiledPrompt, Engine

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
    "VariableFacts",
]


class PromptFormat(StrEnum):
    """What a prompt renders to."""

    TEXT = "text"
    CHAT = "chat"
    COMPLETION = "completion"
    INSTRUCTION = "instruction"


class PromptStatus(StrEnum):
    """Where a version of a prompt is in its life."""

    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    ARCHIVED = "archived"


class Role(StrEnum):
    """Who speaks in a message; ``PLACEHOLDER`` stands for messages that are given at render."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"
    FUNCTION = "function"
    TOOL = "tool"
    PLACEHOLDER = "placeholder"


def in_utc(time: datetime) -> datetime:
    """The time in UTC; a naive one is read as UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _now() -> datetime:
    return datetime.now(UTC)


#: A time in UTC; a naive one is read as UTC.
Time = Annotated[datetime, AfterValidator(in_utc)]

#: A schema by name, or a JSON Schema in place.
SchemaReference = str | dict[str, Any]

Strings = tuple[str, ...]


def _broken_rule(error: Exception) -> PydanticCustomError:
    """What the core says, as pydantic shows it."""
    return PydanticCustomError("prompt", "{reason}", {"reason": str(error)})


def _mistakes(prompt: dict[str, Any], broken: list[str]) -> list[InitErrorDetails]:
    """What the core finds wrong with a prompt; the fields in ``broken`` are known to be wrong and left out."""
    try:
        _native.check_prompt(prompt, broken)
    except PromptManagerError as error:
        found = error.context.get("errors") or [error]
        return [InitErrorDetails(type=_broken_rule(one), loc=(), input=None) for one in found]
    return []


def _again(detail: ErrorDetails) -> InitErrorDetails:
    """A mistake that pydantic found, for an exception that reports more."""
    ours = detail["type"] == "prompt"
    kind = PydanticCustomError("prompt", "{reason}", {"reason": detail["msg"]}) if ours else detail["type"]
    return InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"], ctx=detail.get("ctx", {}))


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Variable(_Model):
    """A variable of a template.

    ``type`` is one of string, integer, float, boolean, list, dict, enum, any, date, datetime and uuid; values are
    checked, not coerced. A variable is required unless it has a default or ``required`` is false.
    """

    type: str = "any"
    description: str | None = None
    default: Any = None
    required: bool | None = None

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


#: Names alone, or names with what they are. Empty: read from the template.
Variables = Annotated[Strings | dict[str, Variable], PlainSerializer(_as_written)]


class PromptTemplate(_Model):
    """A template for one text. ``helpers`` is read for the sake of older files, and ignored."""

    content: str
    variables: Variables = ()
    partials: dict[str, str] = Field(default_factory=dict)
    helpers: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return {"content": value} if isinstance(value, str) else value


class Message(_Model):
    """A message of a chat template, or with the role ``placeholder`` the place for messages given at render.

    ``content`` is a template, or parts in OpenAI's forms (``text``, ``image_url``, ``input_audio``, ``file``) whose
    texts are templates. Texts in the arguments of tool calls are templates too. ``cache`` hints that the provider may
    keep the conversation up to here: ``True`` or a duration such as ``"1h"``.
    """

    role: Role
    content: str | tuple[str | dict[str, Any], ...] | None = None
    name: str | None = None
    tool_calls: tuple[dict[str, Any], ...] | None = None
    tool_call_id: str | None = None
    function_call: dict[str, Any] | None = None
    cache: bool | str | dict[str, Any] | None = None
    optional: bool | None = None


class ChatPromptTemplate(_Model):
    """A template for messages."""

    messages: tuple[Message, ...]
    variables: Variables = ()
    partials: dict[str, str] = Field(default_factory=dict)


class Tool(_Model):
    """A tool that the model may call; ``parameters`` is a JSON Schema of an object."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Settings(_Model):
    """What a request should set besides its messages. ``extra`` is handed to the provider as it is."""

    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: str | Strings | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


class PromptMetadata(_Model):
    """What a prompt says about itself. Further keys are allowed; all must be JSON, and is made so: dates become texts.

    ``temperature`` and ``max_tokens`` count as settings where the prompt's settings are silent.
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
    custom: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _as_json(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        try:
            return _native.plain_json(value, "metadata")
        except PromptManagerError as error:
            raise _broken_rule(error) from error


class Prompt(_Model):
    """A prompt in one version.

    Raises:
        pydantic.ValidationError: it breaks a rule, such as a chat with a text template, or a version that is not
            semantic. Templates are parsed when the prompt is registered or first used.

    >>> prompt = Prompt(id="greeting", format="text", template="Hello {{name}}!")
    >>> prompt.replace(version="1.1.0").version
    '1.1.0'
    """

    #: The prompt in the core, once it is compiled, and once its texts are taken as they are.
    __slots__ = ("_as_is", "_core")

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
    tool_choice: str | dict[str, Any] | None = None
    settings: Settings = Field(default_factory=Settings)
    labels: Strings = ()

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            prompt = handler(value)
        except ValidationError as broken:
            details = broken.errors(include_url=False)
            wrong = {str(detail["loc"][0]) for detail in details if detail["loc"]}
            if not isinstance(value, Mapping):
                raise
            # What pydantic finds is about types; the core's rules about the other fields are reported with it.
            rest = {key: item for key, item in value.items() if key not in wrong and item is not None}
            more = _mistakes(rest, sorted(wrong))
            if not more:
                raise
            raise ValidationError.from_exception_data(
                cls.__name__, [*map(_again, details), *more], hide_input=True
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
        plain = self.model_dump(mode="json", exclude={"metadata"}, exclude_none=True)
        metadata = self.metadata.model_dump(mode="json", exclude_defaults=True)
        return {**plain, "metadata": metadata} if metadata else plain

    @property
    def content_hash(self) -> str:
        """SHA-256, in hexadecimal, of what changes the model's input; the same on every platform and in every release.

        Hashed are the format, template, partials, variables, schemas, tools and settings; not id, version, status,
        labels, metadata, uid and times. Where the rest of an application must tell two prompts apart, this does.

        >>> prompt = Prompt(id="greeting", format="text", template="Hello {{name}}!")
        >>> prompt.content_hash == prompt.replace(version="2.0.0", status="active").content_hash
        True
        """
        core: CompiledPrompt | None = getattr(self, "_core", None)
        return _native.content_hash(self._plain()) if core is None else core.content_hash

    def to_yaml(self) -> str:
        r"""The prompt as the text of a prompt file for people: blocks for texts with line breaks, no defaults.

        Read from a file it is the same prompt again.

        Raises:
            PromptValidationError: it has no such form, such as metadata that nests too deep.

        >>> print(Prompt(id="bye", format="text", template="Goodbye\n{{name}}").to_yaml().partition("uid:")[0])
        id: bye
        version: "1.0.0"
        format: text
        status: draft
        template: |-
          Goodbye
          {{name}}
        <BLANKLINE>
        """
        return _native.prompt_yaml(self._plain())

    def replace(self, **changes: Any) -> Self:
        """A new prompt with these fields changed, checked anew; ``updated_at`` is now unless it is given.

        Raises:
            pydantic.ValidationError: the changed prompt breaks a rule.
        """
        return type(self)(**{**dict(self), "updated_at": _now(), **changes})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy; with ``update`` the same as :meth:`replace`."""
        return self.replace(**update) if update else super().model_copy(deep=deep)

    @classmethod
    def _of(cls, core: CompiledPrompt) -> Self:
        """The face of a prompt that the core holds."""
        prompt = cls.model_validate(core.to_dict())
        object.__setattr__(prompt, "_core", core)
        return prompt

    def _compiled(self, engine: Engine) -> CompiledPrompt:
        """The prompt in the core, compiled by this engine; once compiled it is kept."""
        core: CompiledPrompt | None = getattr(self, "_core", None)
        if core is None or not core.belongs_to(engine):
            core = _native.compile_prompt(self._plain(), engine)
            object.__setattr__(self, "_core", core)
        return core

    def _opaque(self) -> CompiledPrompt:
        """The prompt in the core, its texts as they are: for an engine that is not ours."""
        core: CompiledPrompt | None = getattr(self, "_as_is", None)
        if core is None:
            core = _native.opaque_prompt(self._plain())
            object.__setattr__(self, "_as_is", core)
        return core


class PromptSummary(_Model):
    """What a list shows of a prompt."""

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
    """A version of a prompt in its history: when it was made, by whom, from which, and what changed.

    Raises:
        pydantic.ValidationError: ``version`` is not the prompt's, or ``checksum`` not its content hash. Both are those
            of the prompt where they are not given.
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
    """One move of a label, to ``version`` from ``previous``.

    Without a version the label was taken off, without a previous one it was new.
    """

    label: str
    version: str | None
    previous: str | None = None
    moved_at: Time = Field(default_factory=_now)
    author: str | None = None


Change = Literal["added", "removed", "moved", "changed"]


class MessageChange(_Model):
    """A message or placeholder that differs; ``old`` and ``new`` are its places, from 1.

    ``text`` is what it says: of a changed one the difference, unified.
    """

    change: Change
    role: str
    old: int | None
    new: int | None
    text: str


class TextChange(_Model):
    """A partial that differs, and how, unified."""

    name: str
    change: Change
    text: str


class VariableFacts(_Model):
    """What a variable is, whether it is declared or read from the template."""

    type: str
    required: bool
    default: Any = None
    description: str | None = None


class VariableChange(_Model):
    """A variable that differs."""

    name: str
    change: Change
    old: VariableFacts | None
    new: VariableFacts | None


class ToolChange(_Model):
    """A tool that differs."""

    name: str
    change: Change
    old: dict[str, Any] | None
    new: dict[str, Any] | None


class ValueChange(_Model):
    """A value that differs; ``None`` where there was or is none."""

    key: str
    old: Any
    new: Any


class PromptDiff(_Model):
    """What differs between two prompts, and how far that raises the version; as text with ``str()``.

    ``bump`` is ``major`` for what callers must follow (a variable that is required, removed or of another type, another
    format or schema, a tool to answer), ``minor`` for what changes how the model works or what callers may use,
    ``patch`` for wording, ``none`` where the model is sent the same. Status, labels and metadata raise nothing.
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

    def __str__(self) -> str:
        return self.text


class PromptExecution(_Model):
    """A record of one render."""

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
    metadata: dict[str, Any] = Field(default_factory=dict)


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
