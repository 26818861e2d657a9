"""Prompts converted for Anthropic."""

from __future__ import annotations

import pytest

from helpers import SECRET, chat_of, create_chat_prompt, create_text_prompt, everything_said_by
from prompt_manager.core.models import Prompt, Role
from prompt_manager.exceptions import (
    ConversionError,
    IncompatibleFormatError,
    IntegrationError,
    TemplateRenderError,
)
from prompt_manager.integrations import PromptConversionWarning
from prompt_manager.integrations.anthropic import AnthropicIntegration

USER = {"role": "user", "content": "Hi"}
SYSTEM = {"role": "system", "content": "S"}
ASSISTANT = {"role": "assistant", "content": "A"}

pytestmark = pytest.mark.unit


@pytest.fixture
def integration(engine):
    return AnthropicIntegration(engine)


async def test_the_system_message_is_separate_from_the_turns(integration):
    expected = {
        "system": "You are a helpful assistant.",
        "messages": [{"role": "user", "content": "Tell me about AI."}],
    }
    assert await integration.convert(create_chat_prompt(), {"topic": "AI"}) == expected
    assert integration.convert_sync(create_chat_prompt(), {"topic": "AI"}) == expected


def test_without_a_system_message_the_key_is_left_out(integration):
    assert integration.convert_sync(chat_of(USER), {}) == {"messages": [USER]}


@pytest.mark.parametrize("format", ["text", "completion", "instruction"])
async def test_a_prompt_that_is_not_a_chat_is_incompatible(integration, format):
    prompt = create_text_prompt(format=format)
    assert not integration.validate_compatibility(prompt)
    assert integration.validate_compatibility(create_chat_prompt())
    with pytest.raises(IncompatibleFormatError) as caught:
        await integration.convert(prompt, {"name": "x"})
    assert caught.value.message == f"Prompt 'greeting' uses {format.upper()} format, but Anthropic requires CHAT format"
    assert "to_messages=True" in str(caught.value)
    assert caught.value.context["prompt_id"] == "greeting"


def test_a_chat_without_its_template_is_refused(integration):
    with pytest.raises(IntegrationError, match="Chat template required"):
        integration.convert_sync(Prompt(id="test", format="chat"), {})


def test_roles_map_to_user_and_assistant(integration):
    assert integration._map_role(Role.USER) == "user"
    assert integration._map_role(Role.ASSISTANT) == "assistant"
    for role in (Role.TOOL, Role.FUNCTION):
        assert integration._map_role(role) == "user"
    with pytest.raises(ConversionError, match="Unsupported role for Anthropic: system"):
        integration._map_role(Role.SYSTEM)


def test_turns_must_alternate_and_begin_with_user(integration):
    integration._validate_alternation([USER, ASSISTANT, USER])
    integration._validate_alternation([])
    with pytest.raises(IntegrationError, match="Messages must alternate"):
        integration._validate_alternation([USER, USER])
    with pytest.raises(IntegrationError, match="First message must be from user"):
        integration._validate_alternation([ASSISTANT])


@pytest.mark.parametrize(
    ("messages", "match"),
    [
        ([ASSISTANT, USER], "First message must be .*user"),
        ([USER, USER], "Messages must alternate"),
        ([SYSTEM, SYSTEM, USER], "only one system message"),
        ([SYSTEM], "only system messages"),
        ([USER, ASSISTANT], r"message 1 \(assistant\)"),
    ],
    ids=["assistant first", "two users", "two systems", "no turn", "prefill"],
)
def test_strict_mode_rejects_what_the_api_rejects(integration, messages, match):
    with pytest.raises(ConversionError, match=f"Failed to convert prompt 'explain' to Anthropic format: .*{match}"):
        integration.convert_sync(chat_of(*messages), {})


@pytest.mark.parametrize(
    ("options", "messages", "turns"),
    [
        ({"merge_turns": True}, [USER, USER], 1),
        ({"merge_system": True}, [SYSTEM, SYSTEM, USER], 1),
        ({"allow_prefill": True}, [USER, ASSISTANT], 2),
    ],
    ids=str,
)
def test_options_allow_merging_and_prefill(engine, options, messages, turns):
    form = AnthropicIntegration(engine, **options).convert_sync(chat_of(*messages), {})
    assert len(form["messages"]) == turns


async def test_non_strict_mode_repairs_with_a_warning(engine):
    integration = AnthropicIntegration(engine, strict_validation=False)
    prompt = chat_of(USER, SYSTEM, ASSISTANT, USER)
    with pytest.warns(PromptConversionWarning, match="message 1") as warned:
        form = await integration.convert(prompt, {})
    assert form["system"] == "S"
    assert len(warned) == 1
    assert issubclass(PromptConversionWarning, UserWarning)


def test_the_warning_points_at_the_line_that_converts(engine):
    integration = AnthropicIntegration(engine, strict_validation=False)
    with pytest.warns(PromptConversionWarning, match="message 1") as warned:
        integration.convert_sync(chat_of(USER, SYSTEM), {})
    assert warned[0].filename == __file__


def test_a_missing_variable_is_a_conversion_error(integration):
    with pytest.raises(ConversionError) as caught:
        integration.convert_sync(create_chat_prompt(), {"topc": SECRET})
    assert caught.value.message == ("Failed to convert prompt 'explain' to Anthropic format: Missing variable 'topic'")
    assert isinstance(caught.value.__cause__, TemplateRenderError)
    assert SECRET not in everything_said_by(caught.value)


def test_no_warning_for_a_setting_that_the_caller_removes(integration):
    prompt = chat_of(USER, settings={"model": "claude", "max_tokens": 9, "temperature": 0.5})
    with pytest.warns(PromptConversionWarning, match=r"settings\.temperature"):
        integration.build_request_sync(prompt, {})
    request = integration.build_request_sync(prompt, {}, temperature=None)
    assert request == {"model": "claude", "max_tokens": 9, "messages": [USER]}
