"""``explain_compatibility``: the reasons why a prompt cannot be converted, without rendering it."""

from __future__ import annotations

import pytest

from helpers import SECRET, chat_of, create_chat_prompt, create_text_prompt
from prompt_manager import Prompt, TemplateEngine
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)

SYSTEM = {"role": "system", "content": "S"}
USER = {"role": "user", "content": "{{x}}"}
ASSISTANT = {"role": "assistant", "content": "A"}
LOCAL_IMAGE = {"type": "image_url", "image_url": {"url": "file:///tmp/cat.png"}}
HISTORY = {"role": "placeholder", "name": "history"}


def why_not(prompt, make=AnthropicIntegration, **options):
    integration = make(TemplateEngine(), **options)
    reasons = integration.explain_compatibility(prompt)
    assert integration.validate_compatibility(prompt) is (not reasons)
    return reasons


@pytest.mark.parametrize("make", [OpenAIIntegration, AnthropicIntegration, LiteLLMIntegration])
def test_a_convertible_prompt_has_no_reasons(make):
    assert why_not(create_chat_prompt(), make) == []


@pytest.mark.parametrize("format", ["text", "completion", "instruction"])
def test_a_text_prompt_is_incompatible_with_anthropic(format):
    prompt = create_text_prompt(format=format)
    (reason,) = why_not(prompt)
    assert f"uses {format.upper()} format" in reason
    assert "to_messages=True" in reason
    assert why_not(prompt, to_messages=True) == []
    assert why_not(prompt, OpenAIIntegration) == []
    assert why_not(prompt, LiteLLMIntegration) == []


def test_a_draft_without_a_template_is_incompatible():
    (reason,) = why_not(Prompt(id="x", format="chat"))
    assert "no template" in reason


def test_every_broken_rule_is_a_reason_with_position_and_hint():
    prompt = chat_of(SYSTEM, {**USER, "name": "Ada"}, {"role": "user", "content": [{"type": "text", "text": ""}]})
    reasons = why_not(prompt)
    assert [reason.partition(":")[0] for reason in reasons] == [
        "message 1 (user)",
        "message 2 (user)",
    ]
    assert "remove `name`" in reasons[0]


TARGETS = {
    "openai": (OpenAIIntegration, {}),
    "openai-responses": (OpenAIIntegration, {"api": "responses"}),
    "litellm": (LiteLLMIntegration, {}),
    "anthropic": (AnthropicIntegration, {"merge_turns": True}),
    "gemini": (GeminiIntegration, {}),
    "bedrock": (BedrockIntegration, {}),
    "langchain": (LangChainIntegration, {}),
}


def f_call(id, name="f"):
    return {"id": id, "function": {"name": name, "arguments": {}}}


@pytest.mark.parametrize("target", TARGETS)
def test_errors_of_both_modes_do_not_hide_later_ones(target):
    make, options = TARGETS[target]
    prompt = chat_of(
        {"role": "tool", "content": "T"},
        {"role": "function", "content": "F"},
        {"role": "assistant", "content": "A", "tool_calls": [f_call("", "")]},
        {"role": "user", "content": "U", "tool_call_id": "c1", "tool_calls": [f_call("c2")]},
        {"role": "user", "content": [LOCAL_IMAGE, {"type": "text", "text": "U"}]},
    )
    fatal = [
        "message 0 (tool): a tool message needs",
        "message 1 (function): a function message needs",
        "message 2 (assistant): tool call 0 has no id",
        "message 2 (assistant): tool call 0 has no name",
        "message 3 (user): calls are allowed only on",
    ]
    strict = [
        "message 3 (user): `tool_call_id` is allowed only on",
        "message 4 (user): the address of the image in part 0",
    ]
    reasons = why_not(prompt, make, **options)
    for start in [*fatal, *strict]:
        assert sum(reason.startswith(start) for reason in reasons) == 1, start
    lenient = why_not(prompt, make, strict_validation=False, **options)
    assert [start for start in [*fatal, *strict] if any(map(str.startswith, lenient, [start] * len(lenient)))] == fatal


@pytest.mark.parametrize("target", ["openai", "openai-responses", "litellm"])
def test_every_call_without_a_result_is_a_reason(target):
    make, options = TARGETS[target]
    calls = {"role": "assistant", "tool_calls": [f_call("c1"), f_call("c2"), f_call("c2")]}
    reasons = why_not(chat_of(USER, calls, USER, calls), make, **options)
    assert [reason.partition(":")[0] + reason.partition(":")[2].partition(" has")[0] for reason in reasons] == [
        "message 1 (assistant) tool call 2",
        "message 1 (assistant) tool call 0",
        "message 1 (assistant) tool call 1",
        "message 1 (assistant) tool call 2",
        "message 3 (assistant) tool call 2",
        "message 3 (assistant) tool call 0",
        "message 3 (assistant) tool call 1",
        "message 3 (assistant) tool call 2",
    ]


def test_langchain_names_every_reserved_name_and_message():
    prompt = chat_of(
        {"role": "user", "content": "{{stop}} {{self}}"},
        {"role": "user", "content": [LOCAL_IMAGE, {"type": "text", "text": "U"}]},
        {**USER, "tool_call_id": "c1"},
    )
    reasons = why_not(prompt, LangChainIntegration)
    assert sorted(reasons[:2]) == [
        "LangChain reserves the name `self`: rename the variable",
        "LangChain reserves the name `stop`: rename the variable",
    ]
    assert [reason.partition(":")[0] for reason in reasons[2:]] == ["message 1 (user)", "message 2 (user)"]
    assert len(why_not(prompt, LangChainIntegration, strict_validation=False)) == 2


def test_options_can_make_a_prompt_compatible():
    prompt = chat_of(SYSTEM, SYSTEM, USER, USER)
    assert "only one system message" in why_not(prompt)[0]
    assert why_not(prompt, merge_system=True, merge_turns=True) == []
    assert why_not(prompt, strict_validation=False) == []


def test_non_strict_mode_reports_only_unfixable_problems():
    prompt = chat_of(SYSTEM)
    assert "only system messages" in why_not(prompt, strict_validation=False)[0]


@pytest.mark.parametrize(
    "messages",
    [
        (SYSTEM, HISTORY, USER),
        (HISTORY, ASSISTANT, USER),
        (USER, HISTORY, USER),
        (HISTORY, {"role": "tool", "tool_call_id": "c1", "content": "T"}),
        (HISTORY, {"role": "tool", "tool_call_id": "{{id}}", "content": "T"}),
        (HISTORY, USER, {**HISTORY, "name": "more"}, USER),
        tuple({**HISTORY, "name": f"h{number}"} for number in range(9)),
    ],
)
def test_a_placeholder_can_make_a_conversation_valid(messages):
    assert why_not(chat_of(*messages)) == []


def test_problems_that_no_placeholder_can_fix_are_reasons():
    assert "message" in why_not(chat_of(HISTORY, USER, USER))[0]


def test_content_from_variables_is_assumed_valid():
    call = {"id": "{{id}}", "function": {"name": "{{f}}", "arguments": {"x": "{{y}}"}}}
    parts = [
        {"type": "image_url", "image_url": {"url": "{{url}}", "detail": "{{detail}}"}},
        {"type": "image", "media_type": "{{type}}", "data": "{{data}}"},
        {"type": "file", "file": {"file_data": "{{file}}"}},
    ]
    prompt = chat_of(
        {"role": "user", "content": parts},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "{{id}}", "content": "{{result}}"},
    )
    assert why_not(prompt) == []
    assert why_not(prompt, OpenAIIntegration) == []
    sound = {"type": "input_audio", "input_audio": {"data": "{{data}}", "format": "{{format}}"}}
    assert why_not(chat_of({"role": "user", "content": [sound]}), OpenAIIntegration) == []


def test_invalid_fixed_content_is_a_reason():
    sound = {"type": "input_audio", "input_audio": {"data": "{{data}}", "format": SECRET}}
    reasons = why_not(chat_of({"role": "user", "content": [sound]}), OpenAIIntegration)
    assert "audio in a format" in reasons[0]
    assert not any(SECRET in reason for reason in reasons)


def test_prompts_from_a_manager_are_compatible_with_openai(examples):
    for summary in examples.list_prompts_sync():
        prompt = examples.get_prompt_sync(summary.id)
        assert OpenAIIntegration(examples.template_engine).explain_compatibility(prompt) == []


WEB_IMAGE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]}
S3_FILE = {"type": "file", "url": "s3://bucket/a.pdf"}
FOLLOWING = {
    "the first message is dropped": ([WEB_IMAGE, ASSISTANT, USER], "message 0 (user): the address of the image"),
    "the last message is dropped": ([USER, ASSISTANT, WEB_IMAGE], "message 2 (user): the address of the image"),
    "the text beside a document is blank": (
        [{"role": "user", "content": [S3_FILE, {"type": "text", "text": " "}]}],
        "message 0 (user): part 1 is a blank text",
    ),
}


@pytest.mark.parametrize(("messages", "start"), FOLLOWING.values(), ids=FOLLOWING)
def test_what_follows_from_another_reason_is_none(messages, start):
    (reason,) = why_not(chat_of(*messages), BedrockIntegration)
    assert reason.startswith(start)


def test_the_order_of_messages_is_a_reason_of_its_own():
    named = {**ASSISTANT, "name": "Ada"}
    name, first = why_not(chat_of(named, USER), BedrockIntegration)
    assert "does not accept `name`" in name
    assert "the first message is from the assistant" in first
