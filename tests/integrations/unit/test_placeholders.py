"""The values that a placeholder accepts, and the errors for other values."""

from __future__ import annotations

import pytest

from helpers import SECRET, chat_of, everything_said_by
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import AnthropicIntegration, OpenAIIntegration

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


TEXT = {"type": "text", "text": SECRET}

FOREIGN = {
    "Anthropic's format": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": SECRET}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": SECRET}]},
        {"role": "user", "content": [TEXT, {"type": "image", "source": {"type": "url", "url": SECRET}}]},
        {"role": "user", "content": [{**TEXT, "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": SECRET, "signature": "s"}, TEXT]},
        {"id": "m", "type": "message", "role": "assistant", "content": [TEXT], "stop_reason": "end_turn"},
    ],
    "LangChain's format": [
        {"type": "human", "content": SECRET},
        {"type": "ai", "data": {"content": SECRET}},
        ("human", SECRET),
        ["system", SECRET],
    ],
    "the format of OpenAI's Responses API": [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": SECRET},
        {"role": "user", "content": [{"type": "input_text", "text": SECRET}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": SECRET}]},
    ],
    "Gemini's format": [{"role": "user", "parts": [{"text": SECRET}]}],
}


@pytest.mark.parametrize(
    ("form", "message"), [pytest.param(form, each, id=form) for form, messages in FOREIGN.items() for each in messages]
)
def test_messages_in_another_format_are_rejected_by_name(engine, form, message):
    said = {"role": "assistant", "content": "A"}
    with pytest.raises(ConversionError, match=r"message 1 .*of placeholder 'history' is not a message") as caught:
        OpenAIIntegration(engine).convert_sync(PROMPT, {"history": [said, message]})
    assert f"this is {form}; write messages in OpenAI's format" in caught.value.context["hint"]
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
        ({"role": "user", "content": SECRET, "unknown": 1}, r"message 0 \(user\)"),
        ({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": SECRET}}]},
         r"message 0 \(assistant\)"),
    ],
    ids=["unknown key", "arguments that are no JSON"],
)  # fmt: skip
def test_an_invalid_message_error_has_position_and_role(engine, message, place):
    with pytest.raises(ConversionError, match=place) as caught:
        OpenAIIntegration(engine).convert_sync(PROMPT, {"history": [message]})
    assert SECRET not in everything_said_by(caught.value)
