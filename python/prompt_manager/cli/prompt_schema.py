"""The JSON Schemas of a prompt: of its variables, and of the answer that it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prompt_manager._native import CompiledPrompt, Schemas

__all__ = ["input_schema", "output_schema"]

#: The JSON Schema of each type of a variable. A variable of another type may be anything.
_TYPES: Mapping[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "float": {"type": "number"},
    "boolean": {"type": "boolean"},
    "list": {"type": "array"},
    "dict": {"type": "object"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
}


def input_schema(prompt: CompiledPrompt, known: Schemas) -> dict[str, Any]:
    """The schema of the variables: the input schema, or else one of the variables that it declares or uses."""
    return _schema_of(prompt, "input_schema", known, strict=False) or _of_variables(prompt)


def output_schema(prompt: CompiledPrompt, known: Schemas, *, strict: bool) -> dict[str, Any] | None:
    """The schema of the answer; with ``strict`` as providers take it for strict structured output."""
    return _schema_of(prompt, "output_schema", known, strict=strict)


def _schema_of(prompt: CompiledPrompt, key: str, known: Schemas, *, strict: bool) -> dict[str, Any] | None:
    """A schema of the prompt, which it names or holds as JSON Schema."""
    named = prompt.to_dict().get(key)
    if named is None or isinstance(named, str):
        return None if named is None else known.json_schema(named, strict=strict)
    from prompt_manager._native import Schemas, json_schema_to_schema

    held = Schemas()
    held.add(json_schema_to_schema(key, named))
    return held.json_schema(key, strict=True) if strict else dict(named)


def _of_variables(prompt: CompiledPrompt) -> dict[str, Any]:
    variables = prompt.variables()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": prompt.id,
        "type": "object",
        "properties": {variable["name"]: _of_variable(variable) for variable in variables},
        "required": [variable["name"] for variable in variables if variable["required"]],
        "additionalProperties": False,
    }


def _of_variable(variable: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"enum": variable["values"]} if variable["values"] else {**_TYPES.get(variable["type"], {})}
    if variable["description"]:
        found["description"] = variable["description"]
    if variable["default"] is not None:
        found["default"] = variable["default"]
    return found
