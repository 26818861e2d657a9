"""The values that a placeholder accepts, and the errors for other values."""

from __future__ import annotations

import pytest

from helpers import SECRET, chat_of, everything_said_by
from prompt_manager.exceptions import ConversionError, TemplateRenderError
from prompt_manager.integrations import AnthropicIntegration, LangChainIntegration, OpenAIIntegration

pytestmark = pytest.mark.unit

PROMPT = chat_of({"role": "user", "content": "Q"}, {"role": "placeholder", "name": "history"})


@pytest.mark.parametrize("integration", [OpenAIIntegration, AnthropicIntegration])
@pytest.mark.parametrize(
    ("value", "sort"),
    [
        (SECRET, "a string"),
        (SECRET.encode(), "an object"),
        (5, "an integer"),
        (True, "a boolean"),
        ({"role": "user", "content": SECRET}, "a dict"),
    ],
    ids=["text", "bytes", "number", "boolean", "one message"],
)
def test_a_placeholder_accepts_only_a_list(engine, integration, value, sort):
    with pytest.raises(ConversionError, match=f"placeholder 'history' takes a list of messages, not {sort}") as caught:
        integration(engine).convert_sync(PROMPT, {"history": value})
    assert SECRET not in everything_said_by(caught.value)
    assert "give messages as" in caught.value.context["hint"]


@pytest.mark.parametrize(
    ("value", "error"), [(None, "Missing variable 'history'"), ("", "not a string"), (0, "not an integer")]
)
def test_a_placeholder_of_langchain_drops_no_empty_value(engine, value, error):
    template = LangChainIntegration(engine).convert_sync(PROMPT, {})
    with pytest.raises(TemplateRenderError, match=error):
        template.invoke({"history": value})


def test_an_optional_placeholder_of_langchain_may_be_null(engine):
    prompt = chat_of({"role": "user", "content": "Q"}, {"role": "placeholder", "name": "history", "optional": True})
    for variables in ({}, {"history": None}, {"history": []}):
        assert len(LangChainIntegration(engine).convert_sync(prompt, variables).invoke({}).to_messages()) == 1


@pytest.mark.parametrize("message", [{"author": "user", "text": SECRET}, {"role": "bot", "content": SECRET}])
def test_messages_in_an_unknown_format_are_rejected_by_name(engine, message):
    said = {"role": "assistant", "content": "A"}
    with pytest.raises(ConversionError, match=r"message 1 .*of placeholder 'history' is not a message") as caught:
        OpenAIIntegration(engine).convert_sync(PROMPT, {"history": [said, message]})
    assert "write messages in OpenAI's format" in caught.value.context["hint"]
    assert SECRET not in everything_said_by(caught.value)


@pytest.mark.parametrize(
    "item", [None, SECRET, 5, [], [SECRET], {}, {"role": SECRET, "content": "x"}, {"content": SECRET}]
)
def test_invalid_messages_are_rejected_with_their_position(engine, item):
    said = {"role": "assistant", "content": "A"}
    with pytest.raises(ConversionError, match="message 1 of placeholder 'history' is not a message") as caught:
        OpenAIIntegration(engine).convert_sync(PROMPT, {"history": [said, item]})
    assert SECRET not in everything_said_by(caught.value)


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ({"role": "user", "content": SECRET, SECRET: 1}, r"message 1 \(user\): OpenAI does not accept key 3 of the m"),
        ({"role": "user", "content": "x", "nmae": 1}, r"key 3 of the message \(is it meant to be `name`\?\)"),
        ({"role": "user", "content": [{"type": "text", "text": "x", SECRET: 1}]}, "not accept key 3 of a part"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example", SECRET: 1}}]},
         "not accept key 2 of `image_url`"),
        ({"role": "user", "content": "x", "cache": {SECRET: 1}}, "key 1 of a cache hint.* is unknown"),
        ({"role": "user", "content": [{SECRET: 1}]}, "key 1 of a part of a message is unknown"),
        ({"role": "assistant", "tool_calls": [{"id": "c", SECRET: 1, "function": {"name": "f", "arguments": "{}"}}]},
         "key 2 of a tool call"),
        ({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments":
            '{"a": 1, "' + SECRET + '": 1, "' + SECRET + '": 2}'}}]}, "a key is defined twice"),
        ({"type": "message", "role": "user", "content": [{"type": SECRET}]}, "not accept a part of an unknown type"),
        ({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": SECRET}}]},
         r"message 1 \(assistant\)"),
    ],
    ids=[
        "unknown key",
        "misspelt key",
        "unknown key of a part",
        "unknown key of an image",
        "unknown key of a cache hint",
        "part of unknown keys",
        "unknown key of a call",
        "arguments with a key twice",
        "part of an unknown type",
        "arguments that are no JSON",
    ],
)  # fmt: skip
def test_an_invalid_message_error_has_position_and_role(engine, message, place):
    with pytest.raises(ConversionError, match=place) as caught:
        OpenAIIntegration(engine).convert_sync(PROMPT, {"history": [message]})
    assert SECRET not in everything_said_by(caught.value)
