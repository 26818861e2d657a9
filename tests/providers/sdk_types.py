"""The SDKs' TypedDicts taken at their word: no key that they do not have, and every value of the type that they say.

Pydantic alone is no check of them: it reads iterables lazily and lets further keys pass.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from pydantic import TypeAdapter


def closed(schema: Any) -> Any:
    """A JSON Schema in which no object takes further keys, unless it says what they are."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(each) for key, each in schema.items()}
    if isinstance(schema.get("properties"), dict):
        schema["additionalProperties"] = False
    return schema


class Type:
    """What one annotation of an SDK accepts."""

    def __init__(self, annotation: Any) -> None:
        self._validator = Draft202012Validator(closed(TypeAdapter(annotation).json_schema()))

    def mismatch(self, value: Any) -> str | None:
        """Why a value does not fit."""
        error = best_match(self._validator.iter_errors(value))
        return error and f"{error.json_path}: {error.message}"
