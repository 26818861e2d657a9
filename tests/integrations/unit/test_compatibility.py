"""``explain_compatibility``: the reasons why a prompt cannot be converted, without rendering it."""

from __future__ import annotations

import pytest

from helpers import SECRET, chat_of, create_chat_prompt, create_text_prompt
from prompt_manager import Prompt, TemplateEngine
from prompt_manager.integrations import AnthropicIntegration, LiteLLMIntegration, OpenAIIntegration

SYSTEM = {"role": "system", "content": "S"}
USER = {"role": "user", "content": "{{x}}"}
ASSISTANT = {"role": "assistant", "content": "A"}
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
        "message 2 (user)",
    ]
    assert "remove `name`" in reasons[0]


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
