"""``prompt-manager schema --files``: JSON Schemas for editors, printed and written."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from prompt_manager.schemas import KINDS, file_schema, file_schemas


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_of_a_kind_is_printed(kind, result_of):
    assert json.loads(result_of("schema", "--files", kind)) == file_schema(kind)


@pytest.mark.parametrize(
    ("value", "is_valid"),
    [
        ({"template": "Hi"}, True),
        ({"schemas": []}, True),
        ([{"name": "a", "text": "Hi"}], True),
        ({"labels": {"a": {"production": "1.0.0"}}}, True),
        ({"tempalte": "Hi"}, False),
        (["Hi"], False),
    ],
)
def test_without_a_kind_one_schema_accepts_each(value, is_valid, result_of):
    printed = json.loads(result_of("schema", "--files"))
    assert printed == file_schemas()
    Draft202012Validator.check_schema(printed)
    assert Draft202012Validator(printed).is_valid(value) is is_valid


def test_the_schemas_are_written_and_written_again(project, result_of):
    names = [f".schemas/{kind}.schema.json" for kind in KINDS]
    assert result_of("schema", "--files", "-o", ".schemas") == "".join(f"wrote {name}\n" for name in names)
    (project / names[0]).write_text("{}", encoding="utf-8")
    assert json.loads(result_of("schema", "--files", "-o", ".schemas", "--json")) == {"files": names}
    for name, kind in zip(names, KINDS, strict=True):
        assert json.loads((project / name).read_text(encoding="utf-8")) == file_schema(kind)


def test_new_files_name_the_schemas_that_the_project_has(project, result_of):
    result_of("new", "first")
    result_of("schema", "--files", "-o", ".schemas")
    result_of("new", "support/refund", "--with-test")
    assert "language-server" not in (project / "prompts" / "first.yaml").read_text(encoding="utf-8")
    for name, kind in (("refund.yaml", "prompt"), ("refund.test.yaml", "test")):
        first = (project / "prompts" / "support" / name).read_text(encoding="utf-8").partition("\n")[0]
        assert first == f"# yaml-language-server: $schema=../../.schemas/{kind}.schema.json"
        assert (project / "prompts" / "support" / first.partition("=")[2]).resolve().is_file()
    assert "1 passed" in result_of("test")


def test_an_unknown_kind_is_wrong_usage(failure_of):
    assert "'prompts' is not one of" in failure_of("schema", "--files", "prompts", status=2)


def test_schema_takes_a_prompt_or_a_kind_of_file(failure_of):
    assert "name a prompt or use --files, not both" in failure_of("schema", "greeting", "--files", "prompt", status=2)
    assert "name a prompt, or a kind of file with --files" in failure_of("schema", status=2)


def test_an_unknown_kind_is_an_error_in_programs():
    with pytest.raises(ValueError, match="there is no file schema 'prompts': it must be one of prompt, schema"):
        file_schema("prompts")
