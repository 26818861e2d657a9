"""Schemas as Python sees them: frozen pydantic models of what schema files say.

The models hold the shapes; the rules (which validator needs what, what a pattern may be) are the core's, which every
:class:`Schema`, :class:`SchemaField` and :class:`FieldValidator` is checked by when it is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from prompt_manager import _native
from prompt_manager.exceptions import PromptManagerError
from prompt_manager.validation._holder import SchemaHolder, held_schemas

__all__ = ["FieldType", "FieldValidator", "Schema", "SchemaField", "SchemaRegistry", "ValidationType"]


class FieldType(StrEnum):
    """The types of fields."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    LIST = "list"
    DICT = "dict"
    ENUM = "enum"
    ANY = "any"
    DATE = "date"
    DATETIME = "datetime"
    UUID = "uuid"


class ValidationType(StrEnum):
    """The rules that a validator can state."""

    MIN_LENGTH = "min_length"
    MAX_LENGTH = "max_length"
    MIN_VALUE = "min_value"
    MAX_VALUE = "max_value"
    RANGE = "range"
    REGEX = "regex"
    ENUM = "enum"
    EMAIL = "email"
    URL = "url"
    UUID = "uuid"
    DATE = "date"
    DATETIME = "datetime"
    CUSTOM = "custom"


#: The context of models that are made of what the core has read.
_READ = object()


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    #: Whether the core has seen it, so that a model within a model is not checked again.
    _is_checked: bool = PrivateAttr(default=False)

    def _ask(self, info: ValidationInfo, plain: Mapping[str, Any]) -> None:
        """Ask the core, and say what it refuses as pydantic says it."""
        if not self._is_checked and info.context is not _READ:
            try:
                _native.check_schema(plain)
            except PromptManagerError as error:
                raise PydanticCustomError("schema", "{reason}", {"reason": str(error)}) from error
        self._is_checked = True


class FieldValidator(_Model):
    """One rule about a field's value.

    ``min_value`` and ``max_value`` bound a number, and the length of a text or list; both ends are allowed. ``pattern``
    is matched anywhere in the text unless it has ``^`` and ``$``. ``custom_function`` names a function that was
    registered under that name. ``format`` is how ``date`` and ``datetime`` are written, as in ``strftime``; ISO form
    unless it is given. ``value`` is another word for the one bound of a rule that has one.

    >>> FieldValidator(type="min_length", min_value=3).min_value
    3
    """

    type: ValidationType
    value: Any = None
    min_value: int | float | None = None
    max_value: int | float | None = None
    pattern: str | None = None
    format: str | None = None
    allowed_values: tuple[Any, ...] | None = None
    error_message: str | None = None
    custom_function: str | None = None

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        field = {"name": "field", "type": "any", "validators": [_plain(self)]}
        self._ask(info, {"name": "schema", "fields": [field]})
        return self


class SchemaField(_Model):
    """One field of a schema.

    A field is required unless it has a default or ``required`` is false. ``item_type`` and ``item_schema`` describe the
    items of a list, ``nested_schema`` a dict; schemas are named. ``read_only`` and ``write_only`` are remarks.
    """

    name: str
    type: FieldType
    required: bool = True
    default: Any = None
    nullable: bool = False
    description: str | None = None
    item_type: FieldType | None = None
    item_schema: str | None = None
    nested_schema: str | None = None
    allow_inf_nan: bool = False
    read_only: bool = False
    write_only: bool = False
    validators: tuple[FieldValidator, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _without_default(cls, value: object) -> object:
        """With a default a field need not be there, and so it is not required unless that is said."""
        if isinstance(value, Mapping) and "required" not in value:
            default, nullable = value.get("default"), value.get("nullable", False)
            given = default is not None or ("default" in value and nullable is True)
            return {**value, "required": not given}
        return value

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        self._ask(info, {"name": "schema", "fields": [_plain(self)]})
        return self


class Schema(_Model):
    """A named schema.

    Args:
        strict: Refuse keys that are no fields. True unless ``allow_extra`` is.
        allow_extra: Allow and keep them. Where both are said to be false, they are dropped.
        coerce: Convert values to their type, as pydantic's lax mode does.
        extends: The schema whose fields come first.
        definitions: Schemas that only this one names.

    Raises:
        pydantic.ValidationError: it breaks a rule, such as two fields of one name, or a pattern with look-around.

    >>> schema = Schema(name="point", fields=[{"name": "x", "type": "float"}])
    >>> schema.get_field("x").type.value
    'float'
    """

    name: str
    version: str = "1.0.0"
    description: str | None = None
    strict: bool = True
    allow_extra: bool = False
    coerce: bool = True
    extends: str | None = None
    fields: tuple[SchemaField, ...] = ()
    definitions: tuple[Schema, ...] = ()
    metadata: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _in_agreement(cls, value: object) -> object:
        """``strict`` and ``allow_extra`` say one thing in two ways; where one is silent, the other decides."""
        if not isinstance(value, Mapping):
            return value
        strict, extra = value.get("strict"), value.get("allow_extra")
        if strict is None and isinstance(extra, bool):
            return {**value, "strict": not extra}
        if extra is None and isinstance(strict, bool):
            return {**value, "allow_extra": not strict}
        return value

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        self._ask(info, _plain(self))
        return self

    def get_field(self, name: str) -> SchemaField | None:
        """The field of this name, those of parents not among them."""
        return next((field for field in self.fields if field.name == name), None)

    def get_required_fields(self) -> list[SchemaField]:
        """The fields that must be there."""
        return [field for field in self.fields if field.required]

    def get_optional_fields(self) -> list[SchemaField]:
        """The fields that may be missing."""
        return [field for field in self.fields if not field.required]

    def to_json_schema(self, *, strict: bool = False, schemas: SchemaHolder | None = None) -> dict[str, Any]:
        """The schema as JSON Schema, draft 2020-12. A ``custom`` rule has no form there and is left out.

        Args:
            strict: The subset that OpenAI's structured output takes. Every key is required there, so a field that a
                model should be able to leave out needs ``nullable``.
            schemas: The :class:`SchemaLoader` with the schemas that this one names.

        Raises:
            SchemaParseError: a schema that it names is not there.
            SchemaError: the strict subset cannot say a field, such as one of type any.
            TypeError: ``schemas`` is no :class:`SchemaLoader`.
        """
        known = _native.Schemas() if schemas is None else held_schemas(schemas).copy()
        known.put(_plain(self))
        return known.json_schema(self.name, strict=strict)

    @classmethod
    def from_json_schema(cls, document: Mapping[str, Any], *, name: str | None = None) -> Self:
        """A schema that accepts what a JSON Schema of an object accepts; objects within it become ``definitions``.

        JSON Schema converts nothing, so ``coerce`` is false.

        Raises:
            SchemaParseError: the document has a keyword that a schema cannot express; the message names it.
            TypeError: ``document`` is not a mapping.
        """
        if not isinstance(document, Mapping):
            raise TypeError(f"a JSON Schema must be a mapping, not {type(document).__name__}")
        title = document.get("title")
        wanted = name or (title if isinstance(title, str) and title else "schema")
        return cls.model_validate(_native.json_schema_to_schema(wanted, dict(document)), context=_READ)

    @classmethod
    def from_pydantic(cls, model: type[BaseModel], *, name: str | None = None) -> Self:
        """A schema that validates as a pydantic model does; nested models become ``definitions``.

        Raises:
            SchemaParseError: the model has something that a schema cannot say, such as a validator function or a
                union; the message names the field.
        """
        from prompt_manager.validation._pydantic import check_model
        from prompt_manager.validation._schema_from_model import read_model

        return cls.model_validate(read_model(model, name or check_model(model).__name__))


class SchemaRegistry(_Model):
    """A schema file."""

    version: str = "1.0.0"
    schemas: tuple[Schema, ...] = ()
    metadata: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        seen = set()
        for schema in self.schemas:
            if schema.name in seen:
                raise ValueError(f"schema {schema.name!r} is there twice")
            seen.add(schema.name)
        return self

    def get_schema(self, name: str) -> Schema | None:
        """The schema of this name."""
        return next((schema for schema in self.schemas if schema.name == name), None)

    def add_schema(self, schema: Schema) -> Self:
        """The registry with one schema more.

        Raises:
            ValueError: there is a schema of this name.
        """
        if self.get_schema(schema.name) is not None:
            raise ValueError(f"schema {schema.name!r} exists already")
        return self.model_copy(update={"schemas": (*self.schemas, schema)})

    def remove_schema(self, name: str) -> Self:
        """The registry without a schema; the same where it has none of this name."""
        return self.model_copy(update={"schemas": tuple(schema for schema in self.schemas if schema.name != name)})


def _read(plain: object) -> Schema:
    """A schema that the core has read, which therefore is not checked again."""
    return Schema.model_validate(plain, context=_READ)


def _plain(model: BaseModel) -> dict[str, Any]:
    """The model as files would have it; what is not said is left out, but for a default that is null."""
    plain = model.model_dump(mode="python", exclude_none=True)
    _keep_null_defaults(model, plain)
    return plain


def _keep_null_defaults(model: BaseModel, plain: dict[str, Any]) -> None:
    if isinstance(model, SchemaField):
        if "default" in model.model_fields_set and model.default is None and model.nullable:
            plain["default"] = None
    elif isinstance(model, Schema):
        for field, written in zip(model.fields, plain["fields"], strict=True):
            _keep_null_defaults(field, written)
        for definition, written in zip(model.definitions, plain["definitions"], strict=True):
            _keep_null_defaults(definition, written)
