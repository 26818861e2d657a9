"""The JSON Schemas (draft 2020-12) of prompt, schema, test and label files, for editors.

They are files of this package, such as ``prompt.schema.json``. ``prompt-manager schema --files`` prints or writes them.

>>> file_schema("prompt")["title"]
'A prompt file of prompt-manager'
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["KINDS", "file_schema", "file_schemas"]

#: The kinds of files that have a schema.
KINDS = ("prompt", "schema", "test", "labels")


def file_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of one kind of file: ``"prompt"``, ``"schema"``, ``"test"`` or ``"labels"``.

    Raises:
        ValueError: there is no such kind.
    """
    import json

    schema: dict[str, Any] = json.loads(file_schema_text(kind))
    return schema


def file_schema_text(kind: str) -> str:
    """Return the text of the file with the JSON Schema of one kind of file."""
    from importlib.resources import files

    if kind not in KINDS:
        raise ValueError(f"there is no file schema {kind!r}: it must be one of {', '.join(KINDS)}")
    return (files(__name__) / f"{kind}.schema.json").read_text(encoding="utf-8")


def file_schemas() -> dict[str, Any]:
    """Return one JSON Schema that accepts each kind of file. It contains the four others."""
    schemas = {kind: file_schema(kind) for kind in KINDS}
    return {
        "$schema": schemas["prompt"]["$schema"],
        "title": "A file of a directory of prompts",
        "anyOf": [{"$ref": schema["$id"]} for schema in schemas.values()],
        "$defs": schemas,
    }
