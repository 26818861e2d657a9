"""The prompt and schema files of ``tests/data/yaml``, loaded from a directory."""

from __future__ import annotations

import json
import warnings

import pytest
from pydantic import ValidationError

from helpers import yaml_cases
from prompt_manager import PromptManager
from prompt_manager.core.models import Prompt
from prompt_manager.exceptions import StorageReadError


def lines_of(error):
    lines = [f"{error.context['line']}:{error.context['column']} {error.message}"]
    return [*lines, f"hint {error.context['hint']}"] if error.context.get("hint") else lines


def write(folder, text):
    folder.mkdir()
    (folder / "f.yaml").write_bytes(text.encode())
    return folder


@pytest.mark.parametrize(("text", "expected"), yaml_cases("bad.txt"))
def test_a_bad_prompt_file_reports_every_error_and_hint(tmp_path, text, expected):
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_directory_sync(write(tmp_path / "prompts", text))
    assert [line for error in caught.value.errors for line in lines_of(error)] == expected


@pytest.mark.parametrize(("text", "expected"), yaml_cases("bad_schemas.txt"))
def test_a_bad_schema_file_reports_every_error_and_hint(tmp_path, text, expected):
    prompts = write(tmp_path / "prompts", "id: a\nformat: text\ntemplate: x\n")
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_directory_sync(prompts, schema_dir=write(tmp_path / "schemas", text))
    assert [line for error in caught.value.errors for line in lines_of(error)] == expected


@pytest.mark.parametrize(("text", "expected"), yaml_cases("good.txt"))
def test_a_good_file_loads_the_expected_prompts(tmp_path, text, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the short prompts of the tables use undeclared variables
        manager = PromptManager.from_directory_sync(write(tmp_path / "prompts", text))
    for line in expected:
        meant = json.loads(line)
        found = manager.get_prompt_sync(meant["id"], meant["version"])
        given = {"uid": found.uid, "created_at": found.created_at, "updated_at": found.updated_at, **meant}
        assert found == Prompt.model_validate(given)
    assert len(manager.list_prompts_sync()) == len({json.loads(line)["id"] for line in expected})


FIVE_MISTAKES = """\
id: "bad id!"
version: one
format: txt
template: "{{#if"
colour: red
"""


def mistakes(tmp_path, text):
    with pytest.raises(StorageReadError) as caught:
        PromptManager.from_directory_sync(write(tmp_path / "prompts", text))
    return [(error.line, error.column, error.message.partition("`")[0].strip()) for error in caught.value.errors]


def test_a_load_reports_every_mistake_of_a_file(tmp_path):
    found = mistakes(tmp_path, FIVE_MISTAKES)
    assert [(line, column) for line, column, _ in found] == [(1, 5), (2, 10), (3, 9), (4, 15), (5, 1)], found


def test_templates_of_broken_prompts_are_looked_at_too(tmp_path):
    found = mistakes(
        tmp_path,
        "id: a\nformat: chat\nstatus: activ\nchat_template:\n  partials: {p: '{{/x}}'}\n  messages:\n"
        "    - {role: usr, content: '{{a'}\n    - 5\n    - {role: user, content: '{{b'}\n",
    )
    assert [line for line, _, _ in found] == [3, 5, 7, 7, 8, 9], found


def test_a_broken_prompt_hides_no_template_error_of_another(tmp_path):
    found = mistakes(
        tmp_path,
        "prompts:\n- {id: a b, format: text, template: x}\n- {id: c, format: text, template: '{{#if'}\n",
    )
    assert [line for line, _, _ in found] == [2, 3], found


def test_a_prompt_from_python_reports_every_mistake():
    with pytest.raises(ValidationError) as caught:
        Prompt(
            id="bad id!",
            version="one",
            format="text",
            chat_template={"messages": [{"role": "user", "content": "x"}]},
            labels=("not ok",),
            tool_choice={"name": "f"},
        )
    assert len(caught.value.errors()) == 5


def test_mistakes_of_types_and_of_rules_are_reported_together():
    with pytest.raises(ValidationError) as caught:
        Prompt(id="bad id!", version="one", format="txt", template="Hi", colour="red")
    messages = [error["msg"] for error in caught.value.errors()]
    assert len(messages) == 4, messages


BLOCKS = [
    "template: |\n  a\n  b\n",
    "template: |\n  a\n  b",
    "template: |+\n  a\n\n\n",
    "template: >\n  a\n  b\n\n  c\n",
    'template: "a\n  b\n\n  c"\n',
    "template: a\n  b\n\n  c\n",
    "# c\ntemplate: |2\n    a\n\nversion: 1.0.0\n",
    "id: f\ntemplate: |\n  a\n---\nid: g\ntemplate: |\n  b\n",
]


@pytest.mark.parametrize("line_break", ["\r", "\r\n"])
@pytest.mark.parametrize("text", BLOCKS)
def test_texts_are_the_same_with_every_line_break(tmp_path, text, line_break):
    def texts(folder, text):
        manager = PromptManager.from_directory_sync(write(tmp_path / folder, text))
        return [manager.get_prompt_sync(each.id).template.content for each in manager.list_prompts_sync()]

    assert texts("changed", text.replace("\n", line_break)) == texts("plain", text)


@pytest.mark.parametrize("line_break", ["\r", "\r\n"])
@pytest.mark.parametrize(
    "text", ["template: x\n\n vershion: 1\n", "template: |\n  a\n  {{/b}}\n", "id: a\nvershion: 1\n"]
)
def test_places_are_the_same_with_every_line_break(tmp_path, text, line_break):
    def places(folder, text):
        with pytest.raises(StorageReadError) as caught:
            PromptManager.from_directory_sync(write(tmp_path / folder, text))
        return [(error.context["line"], error.context["column"]) for error in caught.value.context["errors"]]

    assert places("changed", text.replace("\n", line_break)) == places("plain", text)
