"""Pydantic models and schemas: models called, models made of schemas, schemas made of models."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ForwardRef, Optional, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticUndefined
from pydantic_core.core_schema import ErrorType

from prompt_manager._native import Schemas, check_schema
from prompt_manager.exceptions import SchemaParseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from prompt_manager.validation.loader import SchemaLoader
    from prompt_manager.validation.models import FieldValidator, Schema, SchemaField
    from prompt_manager.validation.validators import BaseValidator

__all__ = ["check_model", "from_schema", "json_schema", "to_schema", "validate"]

#: Pydantic's own rules, whose messages never show the value.
_SILENT = set(get_args(ErrorType)) - {"value_error", "assertion_error", "union_tag_invalid"}


def check_model(model: object) -> type[BaseModel]:
    """The model, where it is one.

    Raises:
        TypeError: it is not.
    """
    if isinstance(model, type) and issubclass(model, BaseModel):
        return model
    kind = model.__name__ if isinstance(model, type) else type(model).__name__
    raise TypeError(f"a pydantic model is needed, not {kind}")


def validate(model: type[BaseModel], value: object) -> tuple[object, list[tuple[str, str, str]] | None]:
    """The model's instance; or each violation as path, rule and message."""
    try:
        return model.model_validate(value), None
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return None, [
            (
                _path(violation["loc"]),
                violation["type"],
                # What a validator of the application's says may hold the value.
                violation["msg"] if violation["type"] in _SILENT else f"is refused by {model.__name__}",
            )
            for violation in found
        ]


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON Schema."""
    return model.model_json_schema()


# Models of schemas


def from_schema(loader: SchemaLoader, schema: Schema, name: str) -> type[BaseModel]:
    """A pydantic model that validates as the schema does: the shapes are pydantic's, each rule is the core's.

    Raises:
        SchemaParseError: a schema that it names is not there.
    """
    maker = _Maker(loader)
    model = maker.model(schema, {}, name)
    for made in maker.models.values():
        made.model_rebuild(_types_namespace=maker.models)
    return model


class _Maker:
    """Makes the models of one schema and of all that it reaches."""

    def __init__(self, loader: SchemaLoader) -> None:
        self.loader = loader
        #: By the name that annotations refer to them by.
        self.models: dict[str, type[BaseModel]] = {}
        self._references: dict[str, str] = {}

    def model(self, schema: Schema, outer: Mapping[str, Schema], name: str | None = None) -> type[BaseModel]:
        from prompt_manager.validation.models import _READ, SchemaField, _plain

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
            return kind | None if not isinstance(kind, ForwardRef) else Optional[kind]  # noqa: UP045 - no `|` there
        return kind

    def _rule(self, rule: FieldValidator) -> BaseValidator:
        from prompt_manager.validation.validators import ValidatorFactory

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
    # What a default becomes is for the core to say.
    alone = Schemas()
    plain = {"name": "x", "type": str(field.type), "default": field.default}
    alone.add({"name": "default", "coerce": coerce, "fields": [plain]}, checked=True)
    return alone.validate("default", {})["x"]


def _copier(default: Any) -> Callable[[], Any]:
    from copy import deepcopy

    return lambda: deepcopy(default)


# Schemas of models


def to_schema(model: type[BaseModel], name: str) -> dict[str, Any]:
    """A schema that validates as the model does, as files would have it.

    The core schema that pydantic validates by is read, so that nothing which it does is overlooked: what is not known
    here is refused by name.

    Raises:
        SchemaParseError: for what a schema cannot express.
    """
    check_model(model)
    reader = _Reader(name)
    root = reader.resolve(model.__pydantic_core_schema__)
    if root["type"] != "model":
        raise reader.refusal(name, _function(root))
    schema = reader.model(root, name)
    return {**schema, "definitions": reader.definitions} if reader.definitions else schema


#: What says nothing about what is valid.
_REMARKS = {"type", "ref", "metadata", "serialization"}

_BOUNDS = {
    "min_length": ("min_length", "min_value"),
    "max_length": ("max_length", "max_value"),
    "ge": ("min_value", "min_value"),
    "le": ("max_value", "max_value"),
}

_SIMPLE = {
    "str": ("string", {"min_length", "max_length", "pattern"}),
    "int": ("integer", {"ge", "le", "gt", "lt"}),
    "float": ("float", {"ge", "le", "allow_inf_nan"}),
    "bool": ("boolean", set()),
    "any": ("any", set()),
    "date": ("date", set()),
    "datetime": ("datetime", set()),
    "uuid": ("uuid", set()),
    "list": ("list", {"min_length", "max_length", "items_schema"}),
    "dict": ("dict", {"min_length", "max_length", "keys_schema", "values_schema"}),
    "literal": ("enum", {"expected"}),
}

#: Constraints that hold their default value say nothing.
_SILENT_DEFAULTS = {
    "microseconds_precision": "truncate",
    "regex_engine": "rust-regex",
    "val_temporal_unit": "infer",
}


class _Reader:
    """Reads one model and all that it reaches."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.definitions: list[dict[str, Any]] = []
        self._named: dict[int, str] = {}
        self._known: dict[str, Any] = {}

    def refusal(self, path: str, what: str) -> SchemaParseError:
        return SchemaParseError(f"{path}: a schema cannot express {what}", path=path)

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a reference stands for."""
        while schema["type"] in ("definitions", "definition-ref"):
            if schema["type"] == "definitions":
                self._known.update({known["ref"]: known for known in schema["definitions"]})
                schema = schema["schema"]
            else:
                schema = self._known[schema["schema_ref"]]
        return schema

    def model(self, schema: Mapping[str, Any], name: str) -> dict[str, Any]:
        cls = schema["cls"]
        self._named[id(cls)] = name
        path = cls.__name__
        config = schema.get("config", {})
        self._check_config(cls.model_config, path)
        extra = {"root_model", "custom_init", "post_init", "strict"} & {key for key in schema if schema[key]}
        if extra:
            raise self.refusal(path, f"what {', '.join(sorted(extra))} does")
        inner = self.resolve(schema["schema"])
        if inner["type"] != "model-fields":
            raise self.refusal(path, _function(inner))
        if inner.get("computed_fields"):
            raise self.refusal(path, "computed fields")
        if inner.get("extras_schema") or inner.get("extras_keys_schema"):
            raise self.refusal(path, "what further keys must be")
        extra = config.get("extra_fields_behavior", "ignore")
        fields = [self.field(f"{path}.{field}", field, inner["fields"][field]) for field in inner["fields"]]
        said = {"name": name, "strict": extra == "forbid", "allow_extra": extra == "allow", "fields": fields}
        return {**said, "description": cls.__doc__.strip()} if cls.__doc__ else said

    def _check_config(self, config: Mapping[str, Any], path: str) -> None:
        lawful = {
            "extra", "title", "frozen", "hide_input_in_errors", "protected_namespaces", "json_schema_extra",
            "validate_assignment", "use_attribute_docstrings", "allow_inf_nan", "ser_json_inf_nan", "defer_build",
        }  # fmt: skip
        for key, value in config.items():
            if key not in lawful and _says(value):
                raise self.refusal(path, f"the setting {key}={value!r}")

    def field(self, path: str, name: str, field: Mapping[str, Any]) -> dict[str, Any]:
        for key in sorted(
            field.keys() - _REMARKS - {"schema", "serialization_alias", "serialization_exclude", "frozen"}
        ):
            if _says(field[key]):
                raise self.refusal(path, f"`{key}`")
        said: dict[str, Any] = {"name": name, "required": True}
        inner = self.resolve(field["schema"])
        if inner["type"] == "default":
            self._default(path, inner, said)
            inner = self.resolve(inner["schema"])
        if inner["type"] == "nullable":
            self._only(path, inner, {"schema"})
            said["nullable"] = True
            inner = self.resolve(inner["schema"])
        if inner["type"] == "any":
            said["nullable"] = True
        if said.get("default", ...) is None and not said.get("nullable"):
            raise self.refusal(path, "the default None of a field that must not be null")
        self._value(path, inner, said)
        self._check_default(path, said)
        return said

    def _check_default(self, path: str, said: Mapping[str, Any]) -> None:
        """A schema converts a default as it does any value, which pydantic does not: it must be of the type."""
        default, kind = said.get("default"), said["type"]
        if default is None:
            return
        plain = {"name": "x", "type": kind, "default": default}
        try:
            check_schema({"name": "default", "coerce": False, "fields": [plain]})
            fits = kind not in ("date", "datetime", "uuid")
        except SchemaParseError:
            fits = False
        if not fits:
            raise self.refusal(path, f"a default of type {type(default).__name__}")

    def _default(self, path: str, schema: Mapping[str, Any], said: dict[str, Any]) -> None:
        self._only(path, schema, {"schema", "default", "default_factory", "default_factory_takes_data", "copy_default"})
        default = schema.get("default", ...)
        if default is ...:
            if schema.get("default_factory_takes_data") or schema["default_factory"] not in (list, dict):
                raise self.refusal(path, "a default that a function makes")
            default = schema["default_factory"]()
        if isinstance(default, Enum) or not _is_json(default):
            raise self.refusal(path, f"a default of type {type(default).__name__}")
        said |= {"required": False, "default": default}

    def _only(self, path: str, schema: Mapping[str, Any], lawful: set[str]) -> None:
        for key in schema.keys() - _REMARKS - lawful:
            value = schema[key]
            if _says(value) and _SILENT_DEFAULTS.get(key) != value:
                raise self.refusal(path, f"`{key}`")

    def _value(self, path: str, schema: Mapping[str, Any], said: dict[str, Any]) -> None:
        kind = schema["type"]
        if kind == "model":
            said |= {"type": "dict", "nested_schema": self._named_model(schema)}
            return
        if kind not in _SIMPLE:
            raise self.refusal(path, _function(schema))
        name, lawful = _SIMPLE[kind]
        self._only(path, schema, lawful)
        said["type"] = name
        said |= {"allow_inf_nan": schema.get("allow_inf_nan", True)} if kind == "float" else {}
        if None in schema.get("expected", ()):
            said["nullable"] = True
        rules = self._rules(path, schema)
        if kind == "list":
            self._items(path, self.resolve(schema.get("items_schema", {"type": "any"})), said)
        if kind == "dict":
            for key, plain in (("keys_schema", ("any", "str")), ("values_schema", ("any",))):
                inner = self.resolve(schema.get(key, {"type": "any"}))
                if inner["type"] not in plain:
                    raise self.refusal(path, f"what the {key.split('_')[0]} of a dict must be")
                if inner["type"] == "str":
                    raise self.refusal(path, "that the keys of a dict must be text; write dict[Any, Any]")
        if rules:
            said["validators"] = rules

    def _rules(self, path: str, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = []
        for key, (rule, bound) in _BOUNDS.items():
            if schema.get(key) is not None:
                rules.append({"type": rule, bound: schema[key]})
        if schema.get("gt") is not None:
            rules.append({"type": "min_value", "min_value": schema["gt"] + 1})
        if schema.get("lt") is not None:
            rules.append({"type": "max_value", "max_value": schema["lt"] - 1})
        if schema.get("pattern") is not None:
            rules.append({"type": "regex", "pattern": schema["pattern"]})
        if "expected" in schema:
            # True is 1 for a literal of pydantic's, and is not for a schema.
            plain = (value is None or type(value) in (str, int) for value in schema["expected"])
            if not all(plain) or any(value in (0, 1) for value in schema["expected"]):
                raise self.refusal(path, "a literal but for text, None and whole numbers beside 0 and 1")
            rules.append({"type": "enum", "allowed_values": list(schema["expected"])})
        return rules

    def _items(self, path: str, item: Mapping[str, Any], said: dict[str, Any]) -> None:
        if item["type"] == "model":
            said["item_schema"] = self._named_model(item)
            return
        if item["type"] not in _SIMPLE or item["type"] == "literal":
            raise self.refusal(f"{path}[]", _function(item))
        name, lawful = _SIMPLE[item["type"]]
        for key in item.keys() & lawful - {"allow_inf_nan"}:
            if key in ("keys_schema", "values_schema") and self.resolve(item[key])["type"] == "any":
                continue
            raise self.refusal(f"{path}[]", f"`{key}` of the items of a list")
        self._only(path, item, lawful)
        said["item_type"] = name
        if name == "float":
            said["allow_inf_nan"] = item.get("allow_inf_nan", True)

    def _named_model(self, schema: Mapping[str, Any]) -> str:
        cls = schema["cls"]
        if id(cls) not in self._named:
            name = cls.__name__
            while name in self._named.values():
                name += "_"
            self.definitions.append(self.model(schema, name))
        return self._named[id(cls)]


def _function(schema: Mapping[str, Any]) -> str:
    """The words for a part of a core schema that has no place in a schema of ours."""
    kind = schema["type"]
    if kind.startswith("function"):
        function = schema["function"]["function"]
        return f"the function {getattr(function, '__qualname__', function)}"
    return f"the type {kind}"


def _says(value: object) -> bool:
    """Whether a setting is made: zero is one."""
    return value is not None and value is not False


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(member) for key, member in value.items())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    return value is None or type(value) in (str, int, float, bool)
