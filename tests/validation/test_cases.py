"""The cases of ``tests/data/schemas`` on Python objects; the Rust tests run the same cases on JSON."""

from __future__ import annotations

import datetime as dt
import json
from uuid import UUID

import pytest

from helpers import DATA, create_text_prompt
from prompt_manager import PromptManager
from prompt_manager._native import parse_json
from prompt_manager.exceptions import SchemaValidationError
from prompt_manager.validation import SchemaLoader

GROUPS = json.loads((DATA / "schemas" / "validate.json").read_text(encoding="utf-8"))
ANSWERS = json.loads((DATA / "schemas" / "output.json").read_text(encoding="utf-8"))
DAMAGED = json.loads((DATA / "schemas" / "answers.json").read_text(encoding="utf-8"))


def written(value):
    """Convert a value to the notation of the cases: dates, times and UUIDs as text."""
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, (dt.date, UUID)):
        return str(value)
    if isinstance(value, dict):
        return {key: written(member) for key, member in value.items()}
    if isinstance(value, list):
        return [written(item) for item in value]
    return value


def same(a, b):
    """Compare values and types: true is not 1, and 1 is not 1.0."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


@pytest.mark.parametrize("group", GROUPS, ids=[group["name"] for group in GROUPS])
def test_a_case_validates_as_expected(group):
    loader = SchemaLoader()
    schemas = group.get("schemas") or [{"name": "s", "fields": [{"name": "x", **group["field"]}]}]
    for schema in reversed(schemas):
        loader.register(schema)
    name, coerce = schemas[0]["name"], group.get("coerce")

    def check(data, expected, single):
        before = json.dumps(data)
        try:
            found = written(loader.validate_data_sync(name, data, coerce=coerce))
        except SchemaValidationError as error:
            found = [[violation["path"], violation["rule"], violation["message"]] for violation in error.errors]
            assert found == expected
        else:
            wanted = data if expected is True else {"x": expected["is"]} if single else expected["is"]
            assert same(found, wanted)
        assert json.dumps(data) == before

    if "missing" in group:
        missing = group["missing"]
        check({}, [["x", *missing]] if isinstance(missing, list) else missing, single=True)
    for data, expected, *rest in group["cases"]:
        if "schemas" in group:
            check(data, expected, single=False)
        elif rest:
            path = "x" + (rest[1] if len(rest) > 1 else "")
            check({"x": data}, [[path, expected, rest[0]]], single=True)
        else:
            check({"x": data}, expected, single=True)


@pytest.mark.parametrize("answer", ANSWERS, ids=[answer["name"] for answer in ANSWERS])
def test_an_answer_is_read_as_expected(answer):
    def read():
        return parse_json(answer["text"], strict=answer.get("strict", False), dict=answer.get("dict", False))

    if "error" in answer:
        with pytest.raises(SchemaValidationError) as caught:
            read()
        assert caught.value.errors == [{"path": "", "rule": "syntax", "message": answer["error"]}]
        return
    data, repairs, _ = read()
    assert same(data, answer["data"])
    assert [[repair["kind"], repair["line"], repair["column"]] for repair in repairs] == answer["repairs"]


@pytest.fixture(scope="module")
def manager():
    manager = PromptManager()
    for schema in reversed(DAMAGED["schemas"]):
        name = schema["name"]
        manager.register_schema(name, schema)
        manager.registry.register_sync(create_text_prompt(id=name, status="active", output_schema=name))
    return manager


@pytest.mark.parametrize("case", DAMAGED["cases"], ids=[case["name"] for case in DAMAGED["cases"]])
def test_a_damaged_answer_has_one_result_or_is_refused(manager, case):
    if case.get("refused"):
        with pytest.raises(SchemaValidationError):
            manager.parse_output(case["schema"], case["text"])
        return
    answer = manager.parse_output(case["schema"], case["text"])
    assert same(answer.data, case["data"])
    assert [repair.kind for repair in answer.repairs] == case["repairs"]
    if answer.repairs:
        with pytest.raises(SchemaValidationError):
            manager.parse_output(case["schema"], case["text"], strict=True)
