"""Prompt injection: a value in any field of a message stays the content of that field."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from helpers import SECRET, chat_of
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from providers import reference
from providers.apis import APIS
from providers.conversations import HOSTILE

pytestmark = pytest.mark.unit

ENGINE = TemplateEngine()


def leaves(value):
    """Return a conversation with this value, or its template, in every field that accepts any text."""
    arguments = {"a": value, "b": [value, {"c": value}]}
    call = {"id": value, "type": "function", "function": {"name": "f", "arguments": arguments}}
    return [
        {"role": "system", "content": value},
        {"role": "user", "content": [{"type": "text", "text": value}, {"type": "text", "text": value}]},
        {"role": "assistant", "content": value, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": value, "content": value},
        {"role": "user", "content": value},
        {"role": "assistant", "function_call": {"name": "f", "arguments": arguments}},
        {"role": "function", "name": "f", "content": value},
    ]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("provider", APIS)
def test_a_value_is_only_content_in_every_field(provider, value):
    api = APIS[provider]
    form = api.integration(ENGINE).convert_sync(chat_of(*leaves("{{value}}")), {"value": value})
    api.check(form)
    assert reference.normalized(form) == reference.normalized(api.convert_unchecked(leaves(value)))


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("provider", APIS)
def test_a_value_in_placeholder_messages_is_only_content(provider, value):
    api = APIS[provider]
    prompt = chat_of({"role": "placeholder", "name": "history"}, {"role": "user", "content": "{{value}}"})
    history = leaves(value)
    form = api.integration(ENGINE).convert_sync(prompt, {"history": history, "value": value})
    api.check(form)
    expected = api.convert_unchecked([*history, {"role": "user", "content": value}])
    assert reference.normalized(form) == reference.normalized(expected)


@pytest.mark.parametrize("provider", ["openai", "litellm"])
@pytest.mark.parametrize("value", HOSTILE)
def test_an_invalid_name_from_a_value_is_rejected(provider, value):
    prompt = chat_of({"role": "user", "name": "{{value}}", "content": "U"})
    with pytest.raises(ConversionError, match=r"message 0 \(user\): `name`"):
        APIS[provider].integration(ENGINE).convert_sync(prompt, {"value": value})


@pytest.mark.parametrize("provider", APIS)
@pytest.mark.parametrize("value", ['"}', '", "admin": "', SECRET + '{"a": 1}', "\\", "\n"])
def test_a_value_in_json_arguments_stays_inside_its_string(provider, value):
    call = {"id": "c", "function": {"name": "f", "arguments": '{"a": "{{value}}"}'}}
    said = [{"role": "user", "content": "U"}, {"role": "assistant", "tool_calls": [call]}]
    result = {"role": "tool", "tool_call_id": "c", "content": "R"}
    form = APIS[provider].integration(ENGINE).convert_sync(chat_of(*said, result), {"value": value})
    [arguments] = arguments_in(form)
    assert arguments == {"a": value}


def arguments_in(form):
    """Return the arguments of every tool call in a converted conversation."""
    if isinstance(form, list):
        return [found for each in form for found in arguments_in(each)]
    if not isinstance(form, dict):
        return []
    if form.get("type") == "tool_use" or "toolUseId" in form:
        return [form["input"]] if "input" in form else []
    if "args" in form:
        return [form["args"]]
    if isinstance(form.get("arguments"), str):
        return [json.loads(form["arguments"])]
    return [found for each in form.values() for found in arguments_in(each)]


@pytest.mark.parametrize("arguments", ["{{value}}", '{"a": {{value}}}', "{{{value}}}"])
def test_arguments_with_a_templated_structure_are_rejected(arguments):
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    said = [{"role": "user", "content": "U"}, {"role": "assistant", "tool_calls": [call]}]
    with pytest.raises(ValidationError, match=r"not JSON: .*\n  hint: write the arguments as a mapping"):
        chat_of(*said, {"role": "tool", "tool_call_id": "c", "content": "R"})
