"""Makes schemas of pydantic models."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from prompt_manager._native import check_schema
from prompt_manager.exceptions import SchemaParseError
from prompt_manager.validation._pydantic import check_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

__all__ = ["read_model"]


def read_model(model: type[BaseModel], name: str) -> dict[str, Any]:
    """Read a model into a schema that validates as it does, written as in a schema file.

    It reads the core schema that pydantic validates with, so that nothing the model does is overlooked. Anything that
    is not known here is refused by name.

    Raises:
        SchemaParseError: The model has something that a schema cannot express.
    """
    check_model(model)
    reader = _ModelReader(name)
    root = reader.resolve(model.__pydantic_core_schema__)
    if root["type"] != "model":
        raise reader.refusal(name, _function(root))
    schema = reader.model(root, name)
    return {**schema, "definitions": reader.definitions} if reader.definitions else schema


#: Keys of a core schema that have no influence on validation.
_NOT_VALIDATION = {"type", "ref", "metadata", "serialization"}

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

#: Constraints that have no influence as long as they have these values, the defaults.
_DEFAULT_CONSTRAINTS = {
    "microseconds_precision": "truncate",
    "regex_engine": "rust-regex",
    "val_temporal_unit": "infer",
}


class _ModelReader:
    """Reads a model, and all models that it refers to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.definitions: list[dict[str, Any]] = []
        self._named: dict[int, str] = {}
        self._known: dict[str, Any] = {}

    def refusal(self, path: str, what: str) -> SchemaParseError:
        return SchemaParseError(f"{path}: a schema cannot express {what}", path=path)

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow references to the schema that they lead to."""
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
        found = {"name": name, "strict": extra == "forbid", "allow_extra": extra == "allow", "fields": fields}
        return {**found, "description": cls.__doc__.strip()} if cls.__doc__ else found

    def _check_config(self, config: Mapping[str, Any], path: str) -> None:
        allowed = {
            "extra", "title", "frozen", "hide_input_in_errors", "protected_namespaces", "json_schema_extra",
            "validate_assignment", "use_attribute_docstrings", "allow_inf_nan", "ser_json_inf_nan", "defer_build",
        }  # fmt: skip
        for key, value in config.items():
            if key not in allowed and _is_set(value):
                raise self.refusal(path, f"the setting {key}={value!r}")

    def field(self, path: str, name: str, field: Mapping[str, Any]) -> dict[str, Any]:
        for key in sorted(
            field.keys() - _NOT_VALIDATION - {"schema", "serialization_alias", "serialization_exclude", "frozen"}
        ):
            if _is_set(field[key]):
                raise self.refusal(path, f"`{key}`")
        found: dict[str, Any] = {"name": name, "required": True}
        inner = self.resolve(field["schema"])
        if inner["type"] == "default":
            self._default(path, inner, found)
            inner = self.resolve(inner["schema"])
        if inner["type"] == "nullable":
            self._only(path, inner, {"schema"})
            found["nullable"] = True
            inner = self.resolve(inner["schema"])
        if inner["type"] == "any":
            found["nullable"] = True
        if found.get("default", ...) is None and not found.get("nullable"):
            raise self.refusal(path, "the default None of a field that must not be null")
        self._value(path, inner, found)
        self._check_default(path, found)
        return found

    def _check_default(self, path: str, found: Mapping[str, Any]) -> None:
        """Refuse a default that is not of the field's type: a schema would convert it, and pydantic does not."""
        default, kind = found.get("default"), found["type"]
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

    def _default(self, path: str, schema: Mapping[str, Any], found: dict[str, Any]) -> None:
        self._only(path, schema, {"schema", "default", "default_factory", "default_factory_takes_data", "copy_default"})
        default = schema.get("default", ...)
        if default is ...:
            if schema.get("default_factory_takes_data") or schema["default_factory"] not in (list, dict):
                raise self.refusal(path, "a default that a function makes")
            default = schema["default_factory"]()
        if isinstance(default, Enum) or not _is_json(default):
            raise self.refusal(path, f"a default of type {type(default).__name__}")
        found |= {"required": False, "default": default}

    def _only(self, path: str, schema: Mapping[str, Any], allowed: set[str]) -> None:
        for key in schema.keys() - _NOT_VALIDATION - allowed:
            value = schema[key]
            if _is_set(value) and _DEFAULT_CONSTRAINTS.get(key) != value:
                raise self.refusal(path, f"`{key}`")

    def _value(self, path: str, schema: Mapping[str, Any], found: dict[str, Any]) -> None:
        kind = schema["type"]
        if kind == "model":
            found |= {"type": "dict", "nested_schema": self._named_model(schema)}
            return
        if kind not in _SIMPLE:
            raise self.refusal(path, _function(schema))
        name, allowed = _SIMPLE[kind]
        self._only(path, schema, allowed)
        found["type"] = name
        found |= {"allow_inf_nan": schema.get("allow_inf_nan", True)} if kind == "float" else {}
        if None in schema.get("expected", ()):
            found["nullable"] = True
        rules = self._rules(path, schema)
        if kind == "list":
            self._items(path, self.resolve(schema.get("items_schema", {"type": "any"})), found)
        if kind == "dict":
            for key, plain in (("keys_schema", ("any", "str")), ("values_schema", ("any",))):
                inner = self.resolve(schema.get(key, {"type": "any"}))
                if inner["type"] not in plain:
                    raise self.refusal(path, f"what the {key.split('_')[0]} of a dict must be")
                if inner["type"] == "str":
                    raise self.refusal(path, "that the keys of a dict must be text; write dict[Any, Any]")
        if rules:
            found["validators"] = rules

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
            # A pydantic literal of 1 accepts True, and a schema does not.
            plain = (value is None or type(value) in (str, int) for value in schema["expected"])
            if not all(plain) or any(value in (0, 1) for value in schema["expected"]):
                raise self.refusal(path, "a literal but for text, None and whole numbers beside 0 and 1")
            rules.append({"type": "enum", "allowed_values": list(schema["expected"])})
        return rules

    def _items(self, path: str, item: Mapping[str, Any], found: dict[str, Any]) -> None:
        if item["type"] == "model":
            found["item_schema"] = self._named_model(item)
            return
        if item["type"] not in _SIMPLE or item["type"] == "literal":
            raise self.refusal(f"{path}[]", _function(item))
        name, allowed = _SIMPLE[item["type"]]
        for key in item.keys() & allowed - {"allow_inf_nan"}:
            if key in ("keys_schema", "values_schema") and self.resolve(item[key])["type"] == "any":
                continue
            raise self.refusal(f"{path}[]", f"`{key}` of the items of a list")
        self._only(path, item, allowed)
        found["item_type"] = name
        if name == "float":
            found["allow_inf_nan"] = item.get("allow_inf_nan", True)

    def _named_model(self, schema: Mapping[str, Any]) -> str:
        cls = schema["cls"]
        if id(cls) not in self._named:
            name = cls.__name__
            while name in self._named.values():
                name += "_"
            self.definitions.append(self.model(schema, name))
        return self._named[id(cls)]


def _function(schema: Mapping[str, Any]) -> str:
    """How an error names a part of a core schema that our schemas cannot express."""
    kind = schema["type"]
    if kind.startswith("function"):
        function = schema["function"]["function"]
        return f"the function {getattr(function, '__qualname__', function)}"
    return f"the type {kind}"


def _is_set(value: object) -> bool:
    """Whether a setting has a value. Zero is a value."""
    return value is not None and value is not False


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(member) for key, member in value.items())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    return value is None or type(value) in (str, int, float, bool)
