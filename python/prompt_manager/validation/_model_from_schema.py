"""Makes pydantic models of schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ForwardRef, Optional, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from pydantic_core import PydanticUndefined

from prompt_manager._native import Schemas
from prompt_manager.exceptions import SchemaParseError
from prompt_manager.validation.models import _READ, SchemaField, _plain
from prompt_manager.validation.validators import ValidatorFactory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prompt_manager.validation.models import FieldValidator, Schema
    from prompt_manager.validation.validators import BaseValidator

__all__ = ["make_model"]


class SchemaSource(Protocol):
    """The part of a loader that gives the schemas and models which a schema refers to."""

    _core: Schemas

    def get_schema(self, name: str) -> Schema | None:
        """The schema of this name."""

    def get_model(self, name: str) -> type[BaseModel] | None:
        """The pydantic model of this name."""


def make_model(loader: SchemaSource, schema: Schema, name: str) -> type[BaseModel]:
    """Make a pydantic model that validates as the schema does. Pydantic checks the types, the core each rule.

    Raises:
        SchemaParseError: The schema refers to one that does not exist.
    """
    maker = _ModelMaker(loader)
    model = maker.model(schema, {}, name)
    for made in maker.models.values():
        made.model_rebuild(_types_namespace=maker.models)
    return model


class _ModelMaker:
    """Makes the model of a schema, and those of all schemas that it refers to."""

    def __init__(self, loader: SchemaSource) -> None:
        self.loader = loader
        #: The models, by the name that annotations use.
        self.models: dict[str, type[BaseModel]] = {}
        self._references: dict[str, str] = {}

    def model(self, schema: Schema, outer: Mapping[str, Schema], name: str | None = None) -> type[BaseModel]:
        """Make one model. ``outer`` holds the definitions of the schemas around this one."""
        own = {**outer, **{definition.name: definition for definition in schema.definitions}}
        reference = self._references.setdefault(schema.model_dump_json(), f"Schema{len(self._references)}")
        fields: dict[str, Any] = {}
        for at, plain in enumerate(self.loader._core.fields(_plain(schema))):
            field = SchemaField.model_validate(plain, context=_READ)
            public = field.name.isidentifier() and not field.name.startswith(("_", "model_"))
            alias = None if public and not hasattr(BaseModel, field.name) else field.name
            default = _default(field, coerce=schema.coerce)
            info = Field(alias=alias, description=field.description, default=default)
            if isinstance(default, (list, dict)):
                info = Field(alias=alias, description=field.description, default_factory=_copier(default))
            fields[field.name if alias is None else f"field_{at}"] = (self._annotation(field, own), info)
        config = ConfigDict(
            extra="forbid" if schema.strict else "allow" if schema.allow_extra else "ignore",
            strict=not schema.coerce,
            hide_input_in_errors=True,
            serialize_by_alias=True,
        )
        made = create_model(name or schema.name, __config__=config, __doc__=schema.description, **fields)
        self.models[reference] = made
        return made

    def _annotation(self, field: SchemaField, own: Mapping[str, Schema]) -> Any:
        kind: Any = _simple(field.type)
        if field.nested_schema is not None:
            kind = self._reference(field.nested_schema, own)
        elif field.type == "list":
            item = field.item_schema and self._reference(field.item_schema, own)
            kind = list[item or (_number(field.item_type or "any", allow_inf_nan=field.allow_inf_nan))]  # type: ignore[misc]
        elif field.type == "float":
            kind = _number("float", allow_inf_nan=field.allow_inf_nan)
        for rule in field.validators:
            kind = Annotated[kind, AfterValidator(self._rule(rule))]
        if field.nullable or (not field.required and field.default is None):
            return kind | None if not isinstance(kind, ForwardRef) else Optional[kind]  # noqa: UP045 - a ForwardRef has no `|`
        return kind

    def _rule(self, rule: FieldValidator) -> BaseValidator:
        functions = {}
        if rule.custom_function is not None:
            function = self.loader._core.function(rule.custom_function)
            functions = {} if function is None else {rule.custom_function: function}
        return ValidatorFactory.create_validator(rule.model_dump(exclude_none=True), functions)

    def _reference(self, name: str, own: Mapping[str, Schema]) -> Any:
        schema = own.get(name) or self.loader.get_schema(name)
        if schema is None:
            model = self.loader.get_model(name)
            if model is None:
                raise SchemaParseError(f"there is no schema {name!r}", missing=name)
            return model
        text = schema.model_dump_json()
        if text not in self._references:
            self.model(schema, own)
        return ForwardRef(self._references[text])


def _simple(kind: str) -> Any:
    if kind == "uuid":
        from uuid import UUID

        return UUID
    if kind in ("date", "datetime"):
        import datetime as dt

        return dt.date if kind == "date" else dt.datetime
    known = {"string": str, "integer": int, "float": float, "boolean": bool, "list": list, "dict": dict}
    return known.get(kind, Any)


def _number(kind: str, *, allow_inf_nan: bool) -> Any:
    simple = _simple(kind)
    return Annotated[simple, Field(allow_inf_nan=allow_inf_nan)] if simple is float else simple


def _default(field: SchemaField, *, coerce: bool) -> Any:
    if field.default is None:
        return PydanticUndefined if field.required else None
    # The core converts a default as it converts any value.
    alone = Schemas()
    plain = {"name": "x", "type": str(field.type), "default": field.default}
    alone.add({"name": "default", "coerce": coerce, "fields": [plain]}, checked=True)
    return alone.validate("default", {})["x"]


def _copier(default: Any) -> Callable[[], Any]:
    from copy import deepcopy

    return lambda: deepcopy(default)
