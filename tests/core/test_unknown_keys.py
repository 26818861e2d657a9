"""A misspelt key in Python gets the explanation that it gets in a file, at any depth."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from prompt_manager import Prompt, PromptManager
from prompt_manager.core.models import ChatPromptTemplate, Message, PromptTemplate, Settings, Tool, Variable
from prompt_manager.exceptions import StorageReadError
from prompt_manager.validation.models import FieldValidator, Schema, SchemaField, SchemaRegistry

USER = {"role": "user", "content": "x"}

#: The fields of a prompt, the place of the unknown key, and what is said about it.
PROMPTS: list[tuple[dict[str, Any], str, str]] = [
    ({"messages": [{"rol": "user", "content": "x"}]}, "rol", "unknown key `rol`; did you mean `role`?"),
    ({"messages": [{"role": "user", "text": "x"}]}, "text", "the text of a message is its `content`"),
    ({"template": "x", "settings": {"temprature": 1}}, "temprature", "did you mean `temperature`?"),
    ({"template": "x", "settings": {"stop_sequences": ["a"]}}, "stop_sequences", "the setting is called `stop`"),
    ({"template": "{{a}}", "variables": {"a": {"typ": "string"}}}, "typ", "did you mean `type`?"),
    ({"template": "{{a}}", "variables": {"a": {"type": "enum", "enum": ["b"]}}}, "enum", "values: [low, high]"),
    ({"template": "x", "tools": [{"nme": "f"}]}, "nme", "did you mean `name`?"),
    ({"template": "x", "tools": [{"name": "f", "input_schema": {}}]}, "input_schema", "arguments is `parameters`"),
    ({"template": {"content": "x", "variabels": {}}}, "variabels", "did you mean `variables`?"),
    ({"chat_template": {"mesages": [USER]}}, "mesages", "did you mean `messages`?"),
    ({"chat_template": {"messages": [USER], "zzz": 1}}, "zzz", "unknown key `zzz`"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "txt": "x"}]}]}, "", "did you mean `text`?"),
]


@pytest.mark.parametrize(("fields", "key", "said"), PROMPTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_prompt_explains_a_key_as_a_file_does(fields, key, said, tmp_path):
    with pytest.raises(ValidationError) as caught:
        Prompt(id="a", **fields)
    assert said in str(caught.value)
    assert "Extra inputs" not in str(caught.value)
    assert not key or any(error["loc"][-1] == key for error in caught.value.errors())
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(fields), encoding="utf-8")
    with pytest.raises(StorageReadError) as in_file:
        PromptManager.from_directory_sync(tmp_path)
    assert said in str(in_file.value)


@pytest.mark.parametrize(
    ("model", "fields", "said"),
    [
        (Message, {"role": "user", "conten": "x"}, "did you mean `content`?"),
        (Variable, {"default_value": 1}, "unknown key `default_value`"),
        (Tool, {"name": "f", "descripton": "x"}, "did you mean `description`?"),
        (Settings, {"max_output_tokens": 3}, "the setting is called `max_tokens`"),
        (PromptTemplate, {"contents": "x"}, "did you mean `content`?"),
        (ChatPromptTemplate, {"messages": [], "partial": {}}, "did you mean `partials`?"),
        (Schema, {"name": "s", "feilds": []}, "did you mean `fields`?"),
        (Schema, {"name": "s", "fields": [{"name": "a", "typ": "string"}]}, "did you mean `type`?"),
        (SchemaField, {"name": "a", "type": "string", "requird": True}, "did you mean `required`?"),
        (FieldValidator, {"type": "min_length", "min_valu": 1}, "did you mean `min_value`?"),
        (SchemaRegistry, {"schema": []}, "did you mean `schemas`?"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_model_explains_its_own_keys(model, fields, said):
    with pytest.raises(ValidationError) as caught:
        model(**fields)
    assert said in str(caught.value)
    with pytest.raises(ValidationError, match="unknown key"):
        model.model_validate(fields)


def test_a_required_key_that_is_misspelt_is_not_reported_as_missing():
    with pytest.raises(ValidationError) as caught:
        Prompt(id="a", messages=[{"rol": "user", "content": "x"}])
    assert [error["loc"] for error in caught.value.errors()] == [("chat_template", "messages", 0, "rol")]


def test_the_other_mistakes_are_reported_too():
    with pytest.raises(ValidationError) as caught:
        Prompt(id="a", template="x", settings={"temprature": 1, "seed": "x"}, vresion="1.0.0")
    said = str(caught.value)
    assert "did you mean `temperature`?" in said
    assert "settings.seed" in said
    assert "did you mean `version`?" in said


CHAT = {"role": "user", "content": [{"type": "text", "text": "x"}]}


@pytest.mark.parametrize(
    ("fields", "locs"),
    [
        ({"template": "x", "version": "one"}, [("version",)]),
        ({"template": "x", "labels": ["good", "not good!"]}, [("labels", 1)]),
        ({"template": "x", "tools": [{"name": "f"}, {"name": "f"}]}, [("tools", 1)]),
        ({"template": "x", "tools": [{"name": "f"}], "tool_choice": "g"}, [("tool_choice",)]),
        ({"template": "x", "tool_choice": "required"}, [("tool_choice",)]),
        ({"template": "{{a}}", "variables": {"a": {"type": "enum"}}}, [("template", "variables", "a", "type")]),
        ({"messages": []}, [("chat_template",)]),
        ({"messages": [CHAT, {"role": "wizard", "content": "x"}]}, [("chat_template", "messages", 1, "role")]),
        ({"format": "text", "messages": [CHAT]}, [("chat_template",)]),
        ({"status": "active", "format": "text"}, [("format",)]),
        ({"template": "x", "settings": {"effort": "huge"}}, [("settings", "effort")]),
        ({"template": "x", "version": "one", "labels": ["b b"], "tool_choice": "g"}, [("version",), ("labels", 0)]),
    ],
    ids=str,
)
def test_a_broken_rule_names_the_field(fields, locs):
    with pytest.raises(ValidationError) as caught:
        Prompt(id="a", **fields)
    found = {error["loc"] for error in caught.value.errors()}
    assert found.issuperset(locs), caught.value
    assert () not in found


def test_a_value_is_not_shown():
    with pytest.raises(ValidationError) as caught:
        Prompt(id="a", template="x", settings={"temprature": "SECRET"})
    assert "SECRET" not in str(caught.value)
