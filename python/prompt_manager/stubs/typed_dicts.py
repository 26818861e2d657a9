"""The ``TypedDict`` classes of a typed module: the variables of prompts, and the outputs of schemas."""

from __future__ import annotations

from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple

from prompt_manager.stubs.python_text import ClassNames, docstring, literal_type, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prompt_manager._native import CompiledPrompt, Schemas

__all__ = ["Field", "TypedDicts", "fields_of_variables"]

#: The types of variables. A date and a UUID may also be their text.
_VARIABLE_TYPES = {
    "string": "str",
    "integer": "int",
    "float": "float",
    "boolean": "bool",
    "list": "ListValue",
    "dict": "DictValue",
    "any": "Any",
    "date": "datetime_.date | str",
    "datetime": "datetime_.datetime | str",
    "uuid": "uuid_.UUID | str",
}

#: The types of validated data. A schema that does not convert keeps the text of a date or UUID.
_OUTPUT_TYPES = {
    "string": "str",
    "integer": "int",
    "float": "float",
    "boolean": "bool",
    "dict": "dict[str, Any]",
    "any": "Any",
    "date": "datetime_.date",
    "datetime": "datetime_.datetime",
    "uuid": "uuid_.UUID",
}
_CONVERTED = frozenset({"date", "datetime", "uuid"})

#: The names that the types of fields use. A field of such a name would hide them in the body of a class.
_TYPE_NAMES = frozenset(
    {"str", "int", "float", "bool", "list", "dict", "Any", "Literal", "NotRequired", "ListValue", "DictValue"}
    | {"datetime_", "uuid_"}
)


class Field(NamedTuple):
    """A key of a ``TypedDict``."""

    name: str
    type: str
    required: bool
    description: str

    @property
    def annotation(self) -> str:
        """The type, with the mark of a key that may be missing."""
        return self.type if self.required else f"NotRequired[{self.type}]"


def fields_of_variables(prompt: CompiledPrompt, schemas: Schemas) -> tuple[Field, ...]:
    """The variables of a prompt. Its input schema has the types of those that the prompt gives no type."""
    fields: dict[str, Field] = {}
    of_schema = {field["name"]: field for field in _input_fields(prompt, schemas)}
    for variable in prompt.variables():
        name, kind, values = variable["name"], variable["type"], variable["values"]
        required, nullable = variable["required"], not variable["required"]
        field = of_schema.get(name)
        if field is not None:
            required = required and _is_required(field)
            nullable = nullable or bool(field.get("nullable"))
            if kind == "any":
                kind, values = field["type"], _allowed(field)
        fields[name] = Field(
            name, _nullable(_variable_type(kind, values), nullable), required, variable["description"] or ""
        )
    for name, field in of_schema.items():
        if name not in fields:
            kind = _nullable(_variable_type(field["type"], _allowed(field)), bool(field.get("nullable")))
            fields[name] = Field(name, kind, _is_required(field), field.get("description") or "")
    return tuple(fields.values())


def _variable_type(kind: str, values: Sequence[Any]) -> str:
    return literal_type(values) or "Any" if kind == "enum" else _VARIABLE_TYPES[kind]


def _nullable(kind: str, nullable: bool) -> str:  # noqa: FBT001 - a fact about the type
    return f"{kind} | None" if nullable and kind != "Any" else kind


def _is_required(field: Mapping[str, Any]) -> bool:
    return field["required"] and field.get("default") is None


def _allowed(field: Mapping[str, Any]) -> Sequence[Any]:
    """The values that an enum allows. No values: any."""
    for rule in field.get("validators", ()):
        if rule["type"] == "enum":
            return rule.get("allowed_values") or ()
    return ()


def _input_fields(prompt: CompiledPrompt, schemas: Schemas) -> list[dict[str, Any]]:
    """The fields of the input schema. A pydantic model is not read: its prompt declares what it takes."""
    schema = _schema_of(prompt.to_dict().get("input_schema"), "input", schemas)
    return schemas.fields(schema) if isinstance(schema, dict) else []


def _schema_of(asked: Any, name: str, schemas: Schemas) -> Any:
    """The schema that a prompt names or holds; a class if it is a pydantic model, ``None`` if there is none."""
    if isinstance(asked, str):
        return schemas.get(asked)
    if asked is None:
        return None
    from prompt_manager._native import json_schema_to_schema

    return json_schema_to_schema(name, asked)


class TypedDicts:
    """Collects the classes of a module, in the order in which they are written."""

    def __init__(self, schemas: Schemas, names: ClassNames) -> None:
        self._schemas = schemas
        self._names = names
        #: The name, description and fields of each class.
        self._classes: list[tuple[str, str, tuple[Field, ...]]] = []
        self._outputs: dict[str, str] = {}
        #: The module and name of each pydantic model that a prompt's output is validated by.
        self.models: dict[str, tuple[str, str]] = {}

    def variables(self, name: str, description: str, fields: tuple[Field, ...]) -> str:
        """Add the class of a prompt's variables, and return its name."""
        return self._add(self._names.new(name, "Variables"), description, fields)

    def output(self, prompt: CompiledPrompt) -> str:
        """The type of what an answer to the prompt parses to; ``Any`` without an output schema."""
        asked = prompt.to_dict().get("output_schema")
        schema = _schema_of(asked, asked if isinstance(asked, str) else prompt.id, self._schemas)
        if schema is None:
            return "Any"
        return self._schema(schema, {})

    def _add(self, name: str, description: str, fields: tuple[Field, ...]) -> str:
        self._classes.append((name, description, fields))
        return name

    def _schema(self, schema: Any, outer: Mapping[str, Any]) -> str:
        if isinstance(schema, type):
            return self._model(schema)
        key = repr((schema, sorted(outer)))
        if key not in self._outputs:
            own = {**outer, **{each["name"]: each for each in schema.get("definitions", ())}}
            name = self._outputs[key] = self._names.new(schema["name"], "Output")
            fields = tuple(self._field(field, schema, own) for field in self._schemas.fields(schema))
            self._add(name, schema.get("description") or "", fields)
        return self._outputs[key]

    def _model(self, model: type) -> str:
        """Import a model of the application. One that no other module can import is not known to the module."""
        if "." in model.__qualname__ or model.__module__ == "__main__":
            return "Any"
        home = (model.__module__, model.__qualname__)
        for name, known in self.models.items():
            if known == home:
                return name
        name = self._names.new(model.__name__, "")
        self.models[name] = home
        return name

    def _field(self, field: Mapping[str, Any], schema: Mapping[str, Any], own: Mapping[str, Any]) -> Field:
        nullable = bool(field.get("nullable"))
        stays_missing = not field["required"] and field.get("default") is None and not nullable
        kind = _nullable(self._type(field, schema, own), nullable)
        return Field(field["name"], kind, not stays_missing, field.get("description") or "")

    def _type(self, field: Mapping[str, Any], schema: Mapping[str, Any], own: Mapping[str, Any]) -> str:
        if field.get("nested_schema"):
            return self._named(field["nested_schema"], own)
        if field["type"] == "list":
            if field.get("item_schema"):
                return f"list[{self._named(field['item_schema'], own)}]"
            return f"list[{_output_type(field.get('item_type') or 'any', schema)}]"
        if field["type"] == "enum":
            return literal_type(_allowed(field)) or "Any"
        return _output_type(field["type"], schema)

    def _named(self, name: str, own: Mapping[str, Any]) -> str:
        schema = own.get(name) or self._schemas.get(name)
        return "Any" if schema is None else self._schema(schema, own)

    def lines(self) -> list[str]:
        """The source of the classes."""
        return [line for each in self._classes for line in ("", *_class_lines(*each))]


def _output_type(kind: str, schema: Mapping[str, Any]) -> str:
    if kind in {"enum", "list"}:
        return "Any" if kind == "enum" else "list[Any]"
    return "str" if kind in _CONVERTED and not schema.get("coerce", True) else _OUTPUT_TYPES[kind]


def _class_lines(name: str, description: str, fields: tuple[Field, ...]) -> list[str]:
    if not all(_fits_class_body(field.name) for field in fields):
        members = [f"    {quoted(field.name)}: {quoted(field.annotation)}," for field in fields]
        return [f'{name} = TypedDict("{name}", {{', *members, "})"]
    lines = [f"class {name}(TypedDict):"]
    if description or not fields:
        lines.append(f"    {docstring(description or 'It has no variables.')}")
    for field in fields:
        lines.append(f"    {field.name}: {field.annotation}")
        if field.description:
            lines.append(f"    {docstring(field.description)}")
    return lines


def _fits_class_body(name: str) -> bool:
    """Whether a key can be written as the name of an attribute."""
    return name.isidentifier() and not iskeyword(name) and not name.startswith("__") and name not in _TYPE_NAMES
