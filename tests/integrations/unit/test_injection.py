"""Values that try to be more than values: in every leaf of a message they come out as what they are."""

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
    """A conversation with this value, or its template, in every leaf that takes any text."""
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
def test_a_value_is_content_and_nothing_else_in_every_leaf(provider, value):
    api = APIS[provider]
    form = api.integration(ENGINE).convert_sync(chat_of(*leaves("{{value}}")), {"value": value})
    api.check(form)
    assert reference.plain(form) == reference.plain(api.plainly(leaves(value)))


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("provider", APIS)
def test_a_value_in_a_placeholder_s_messages_is_content_and_nothing_else(provider, value):
    api = APIS[provider]
    prompt = chat_of({"role": "placeholder", "name": "history"}, {"role": "user", "content": "{{value}}"})
    history = leaves(value)
    form = api.integration(ENGINE).convert_sync(prompt, {"history": history, "value": value})
    api.check(form)
    expected = api.plainly([*history, {"role": "user", "content": value}])
    assert reference.plain(form) == reference.plain(expected)


@pytest.mark.parametrize("provider", ["openai", "litellm"])
@pytest.mark.parametrize("value", HOSTILE)
def test_a_name_that_is_none_is_refused(provider, value):
    prompt = chat_of({"role": "user", "name": "{{value}}", "content": "U"})
    with pytest.raises(ConversionError, match=r"message 0 \(user\): `name`"):
        APIS[provider].integration(ENGINE).convert_sync(prompt, {"value": value})


@pytest.mark.parametrize("provider", APIS)
@pytest.mark.parametrize("value", ['"}', '", "admin": "', SECRET + '{"a": 1}', "\\", "\n"])
def test_a_value_in_arguments_written_as_json_text_stays_within_its_text(provider, value):
    call = {"id": "c", "function": {"name": "f", "arguments": '{"a": "{{value}}"}'}}
    said = [{"role": "user", "content": "U"}, {"role": "assistant", "tool_calls": [call]}]
    result = {"role": "tool", "tool_call_id": "c", "content": "R"}
    form = APIS[provider].integration(ENGINE).convert_sync(chat_of(*said, result), {"value": value})
    [arguments] = arguments_in(form)
    assert arguments == {"a": value}


def arguments_in(form):
    """The arguments of every call in a form."""
    if isinstance(form, list):
        return [found for each in form for found in arguments_in(each)]
    if not isinstance(form, dict):
        return []
    if form.get("type") == "tool_use":
        return [form["input"]]
    if isinstance(form.get("arguments"), str):
        return [json.loads(form["arguments"])]
    return [found for each in form.values() for found in arguments_in(each)]


@pytest.mark.parametrize("arguments", ["{{value}}", '{"a": {{value}}}', "{{{value}}}"])
def test_arguments_whose_shape_a_template_would_make_are_refused_when_the_prompt_is_made(arguments):
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    said = [{"role": "user", "content": "U"}, {"role": "assistant", "tool_calls": [call]}]
    with pytest.raises(ValidationError, match="not JSON; write the arguments as a mapping"):
        chat_of(*said, {"role": "tool", "tool_call_id": "c", "content": "R"})
