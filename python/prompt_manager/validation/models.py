"""Schemas in Python: frozen pydantic models with the keys of schema files.

The models define the keys and their types. The rules (what a validator needs, which patterns are allowed) are in the
core, which checks every :class:`Schema`, :class:`SchemaField` and :class:`FieldValidator` when it is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from prompt_manager import _native
from prompt_manager._unknown_keys import NamedKeys
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
    """The rules that a validator can check."""

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


#: The validation context for data that the core has already checked.
_READ = object()


class _Model(NamedKeys):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    #: Whether the core has seen it, so that a model within a model is not checked again.
    _is_checked: bool = PrivateAttr(default=False)

    def _check_in_core(self, info: ValidationInfo, plain: Mapping[str, Any]) -> None:
        """Check by the core's rules, and raise its error as a pydantic error."""
        if not self._is_checked and info.context is not _READ:
            try:
                _native.check_schema(plain)
            except PromptManagerError as error:
                raise PydanticCustomError("schema", "{reason}", {"reason": str(error)}) from error
        self._is_checked = True


class FieldValidator(_Model):
    """One rule about a field's value.

    ``min_value`` and ``max_value`` bound a number, and the length of a text or list; both ends are allowed. ``pattern``
    is matched anywhere in the text unless it has ``^`` and ``$``. ``custom_function`` is the name of a registered
    function. ``format`` is the ``strftime`` format of ``date`` and ``datetime``; the default is ISO 8601. ``value`` is
    another key for the bound of a rule that has only one.

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
        self._check_in_core(info, {"name": "schema", "fields": [field]})
        return self


class SchemaField(_Model):
    """One field of a schema.

    A field is required unless it has a default or ``required`` is false. ``item_type`` and ``item_schema`` describe the
    items of a list, ``nested_schema`` the members of a dict; both schemas are given by name. ``read_only`` and
    ``write_only`` are notes for readers and not enforced.
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
        """A field with a default is not required, unless ``required`` is given."""
        if isinstance(value, Mapping) and "required" not in value:
            default, nullable = value.get("default"), value.get("nullable", False)
            given = default is not None or ("default" in value and nullable is True)
            return {**value, "required": not given}
        return value

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        self._check_in_core(info, {"name": "schema", "fields": [_plain(self)]})
        return self


class Schema(_Model):
    """A named schema.

    Args:
        strict: Refuse keys that are not fields. True unless ``allow_extra`` is true.
        allow_extra: Allow and keep such keys. If both are false, they are dropped.
        coerce: Convert values to their type, as pydantic's lax mode does.
        extends: The name of the schema whose fields come first.
        definitions: Schemas that only this one can name.

    Raises:
        pydantic.ValidationError: it breaks a rule. For example, two fields have the same name.

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
        """``strict`` and ``allow_extra`` are opposites: if only one is given, it decides the other."""
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
        self._check_in_core(info, _plain(self))
        return self

    def get_field(self, name: str) -> SchemaField | None:
        """The field of this name, or ``None``. Fields of the schemas that this one extends are not searched."""
        return next((field for field in self.fields if field.name == name), None)

    def get_required_fields(self) -> list[SchemaField]:
        """The fields that data must have."""
        return [field for field in self.fields if field.required]

    def get_optional_fields(self) -> list[SchemaField]:
        """The fields that data may leave out."""
        return [field for field in self.fields if not field.required]

    def to_json_schema(self, *, strict: bool = False, schemas: SchemaHolder | None = None) -> dict[str, Any]:
        """The schema as JSON Schema, draft 2020-12. ``custom`` rules are left out, since JSON Schema has none.

        Args:
            strict: Use the subset that OpenAI's structured output accepts. It requires every key, so a field that a
                model may leave out needs ``nullable``.
            schemas: The :class:`SchemaLoader` with the schemas that this one names.

        Raises:
            SchemaParseError: a schema that it names does not exist.
            SchemaError: the strict subset cannot express a field, for example one of type any.
            TypeError: ``schemas`` is not a :class:`SchemaLoader`.
        """
        known = _native.Schemas() if schemas is None else held_schemas(schemas).copy()
        known.put(_plain(self))
        return known.json_schema(self.name, strict=strict)

    @classmethod
    def from_json_schema(
        cls,
        document: Mapping[str, Any] | bool,  # noqa: FBT001 - JSON Schema has the schemas true and false
        *,
        name: str | None = None,
    ) -> Self:
        """Make a schema that accepts the same data as a JSON Schema of an object.

        Nested objects become ``definitions``. ``coerce`` is false, since JSON Schema converts nothing. ``True`` is the
        same as ``{}`` and accepts every object.

        Raises:
            SchemaParseError: the document has a keyword that a schema cannot express, or is ``False``, which accepts
                nothing. The message names it.
            TypeError: ``document`` is not a mapping.
        """
        if isinstance(document, bool):
            wanted = name or "schema"
            return cls.model_validate(_native.json_schema_to_schema(wanted, document), context=_READ)
        if not isinstance(document, Mapping):
            raise TypeError(f"a JSON Schema must be a mapping, not {type(document).__name__}")
        title = document.get("title")
        wanted = name or (title if isinstance(title, str) and title else "schema")
        return cls.model_validate(_native.json_schema_to_schema(wanted, dict(document)), context=_READ)

    @classmethod
    def from_pydantic(cls, model: type[BaseModel], *, name: str | None = None) -> Self:
        """Make a schema that validates as a pydantic model does. Nested models become ``definitions``.

        Raises:
            SchemaParseError: the model has something that a schema cannot express, such as a validator function or a
                union. The message names the field.
        """
        from prompt_manager.validation._pydantic import check_model
        from prompt_manager.validation._schema_from_model import read_model

        return cls.model_validate(read_model(model, name or check_model(model).__name__))


class SchemaRegistry(_Model):
    """The schemas of a file, with its version and metadata."""

    version: str = "1.0.0"
    schemas: tuple[Schema, ...] = ()
    metadata: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _unique(self) -> Self:
        seen = set()
        for schema in self.schemas:
            if schema.name in seen:
                raise ValueError(f"two schemas are named {schema.name!r}")
            seen.add(schema.name)
        return self

    def get_schema(self, name: str) -> Schema | None:
        """The schema of this name, or ``None``."""
        return next((schema for schema in self.schemas if schema.name == name), None)

    def add_schema(self, schema: Schema) -> None:
        """Add a schema to this registry.

        Raises:
            ValueError: a schema with this name exists.
            TypeError: it is not a :class:`Schema`.

        >>> registry = SchemaRegistry()
        >>> registry.add_schema(Schema(name="point", fields=[{"name": "x", "type": "float"}]))
        >>> [schema.name for schema in registry.schemas]
        ['point']
        """
        if not isinstance(schema, Schema):
            raise TypeError(f"schema must be a Schema, not {type(schema).__name__}")
        if self.get_schema(schema.name) is not None:
            raise ValueError(f"a schema named {schema.name!r} already exists")
        self._set_schemas((*self.schemas, schema))

    def remove_schema(self, name: str) -> bool:
        """Remove the schema of this name. Returns whether there was one."""
        kept = tuple(schema for schema in self.schemas if schema.name != name)
        is_there = len(kept) < len(self.schemas)
        self._set_schemas(kept)
        return is_there

    def _set_schemas(self, schemas: tuple[Schema, ...]) -> None:
        # Fields are frozen, so that a list which is assigned or changed in place does not skip the check of names.
        self.__dict__["schemas"] = schemas
        self.__pydantic_fields_set__.add("schemas")


def _read(plain: object) -> Schema:
    """A schema from data that the core has already checked."""
    return Schema.model_validate(plain, context=_READ)


def _plain(model: BaseModel) -> dict[str, Any]:
    """The model with the keys of a schema file. Values that are not set are left out, except a default of null."""
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
