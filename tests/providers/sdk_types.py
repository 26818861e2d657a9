"""Strict checks of values against the TypedDicts of the SDKs: no unknown keys, and every value of the declared type.

Pydantic alone does not check this: it reads iterables lazily and accepts unknown keys.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import TypeAdapter


def closed(schema: Any) -> Any:
    """Return a JSON Schema in which objects with properties do not accept other keys."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(each) for key, each in schema.items()}
    if isinstance(schema.get("properties"), dict):
        schema["additionalProperties"] = False
    return schema


class Type:
    """A type annotation of an SDK."""

    def __init__(self, annotation: Any) -> None:
        self._validator = Draft202012Validator(closed(TypeAdapter(annotation).json_schema()))

    def mismatch(self, value: Any) -> str | None:
        """Return the reason why a value does not match, or None if it does."""
        error = best_match(self._validator.iter_errors(value))
        return error and f"{error.json_path}: {error.message}"
