"""Schema files that the published package loads also load here: many random ones, and its own example."""

from __future__ import annotations

import json
import random
import re
import subprocess
import warnings
from typing import Any

import pytest
import yaml

from prompt_manager.exceptions import SchemaParseError
from prompt_manager.validation import SchemaLoader

pytestmark = pytest.mark.integration

#: Prints for each file whether the published package loads it, and writes the example of that package.
LOADS = r"""
import asyncio, json, pathlib, sys
import structlog
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
from prompt_manager.validation.loader import SchemaLoader

root = pathlib.Path(sys.argv[1])
SchemaLoader.create_example_schema(root / "example.yaml")
loaded = []
for path in sorted(root.iterdir()):
    try:
        asyncio.run(SchemaLoader().load_file(path))
    except Exception:
        continue
    loaded.append(path.name)
print(json.dumps(loaded))
"""

TYPES = ["string", "integer", "float", "boolean", "list", "dict", "enum", "any"]
RULES = [
    "min_length", "max_length", "min_value", "max_value", "range", "regex", "enum", "custom", "email", "url", "uuid",
    "date", "datetime",
]  # fmt: skip


VALUES = [None, 1, "x", [], {}, True, 1.5, "5", [1, {"a": None}]]


class Maker:
    """Makes random schema files with all keys of the published models."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same files each time

    def some(self, chance: float, **choices: list[Any]) -> dict[str, Any]:
        """Pick a random value for some of the keys."""
        return {key: self.random.choice(list_) for key, list_ in choices.items() if self.random.random() < chance}

    def rule(self) -> dict[str, Any]:
        kind = self.random.choice(RULES)
        needs = {
            "regex": {"pattern": "^x"}, "enum": {"allowed_values": ["a", 1]}, "custom": {"custom_function": "f"},
            "range": {"min_value": 1, "max_value": 5},
        }  # fmt: skip
        return {
            "type": kind,
            **self.some(0.4, min_value=[0, 1, 2.5, "5", None], max_value=[100, 7.5, "50", None]),
            **self.some(0.1, value=[1, "x", None, [1]], error_message=["no"], pattern=["a"]),
            **needs.get(kind, {}),
        }

    def field(self, name: str) -> dict[str, Any]:
        kind = self.random.choice(TYPES)
        return {
            "name": name,
            "type": kind,
            **({"item_type": self.random.choice(TYPES)} if kind == "list" else {}),
            **self.some(0.4, default=VALUES),
            **self.some(0.3, required=[True, False, "yes", "no", 1, 0], nullable=[True, False, "off"]),
            **self.some(0.1, description=["d", None], read_only=[True], write_only=[True]),
            **self.some(0.1, item_type=TYPES, item_schema=["s0"], nested_schema=["s0"]),
            "validators": [self.rule() for _ in range(self.random.randint(0, 2))],
        }

    def schema(self, name: str) -> dict[str, Any]:
        fields = [self.field(f"f{at}") for at in range(self.random.randint(1, 2))]
        more = self.some(
            0.2,
            version=["1.0.0", "2.10.3"],
            description=["d"],
            strict=[True, False],
            metadata=[{"a": 1}],
            extends=["s9"],
        )
        return {"name": name, "fields": fields, **more}

    def file(self) -> dict[str, Any]:
        schemas = [self.schema(f"s{number}") for number in range(self.random.randint(1, 2))]
        return {"version": "1.0.0", "schemas": schemas, **self.some(0.2, metadata=[{"x": [1]}])}


#: The only reasons to refuse a file that the published package loads.
CONTRADICTION = re.compile(
    r"`nested_schema` belongs to a field of type dict, but this field has type (?!dict|list|any)"
)


def test_published_schema_files_load_unless_contradictory(published, tmp_path):
    maker = Maker(5)
    for number in range(300):
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(maker.file(), sort_keys=False), encoding="utf-8")
    asked = subprocess.run([published, "-c", LOADS, tmp_path], check=True, capture_output=True, cwd=tmp_path)
    theirs = json.loads(asked.stdout)
    assert len(theirs) > 150
    assert "example.yaml" in theirs
    refused = {}
    for name in theirs:
        with warnings.catch_warnings():
            warnings.simplefilter("error" if name == "example.yaml" else "ignore")
            try:
                SchemaLoader().load_file_sync(tmp_path / name)
            except SchemaParseError as error:
                refused[name] = error.message
    assert {name: why for name, why in refused.items() if not CONTRADICTION.match(why)} == {}
    assert len(refused) < len(theirs) / 4
