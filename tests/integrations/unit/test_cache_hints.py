"""Cache hints: what each provider gets, and what becomes of those in histories, files and copies."""

from __future__ import annotations

import copy
import json
import pickle
import warnings

import pytest

from helpers import SECRET, chat_of, everything_said_by
from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    LangChainIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
    PromptConversionWarning,
)
from prompt_manager.storage import FileSystemStorage

pytestmark = pytest.mark.unit

ENGINE = TemplateEngine()
HISTORY = chat_of({"role": "placeholder", "name": "history"})
BREAKPOINT = "prompt_cache_breakpoint"
CHAT = OpenAIIntegration(ENGINE)
RESPONSES = OpenAIIntegration(ENGINE, api="responses")

#: A hint for OpenAI and for the others, one for OpenAI alone, and one for the others alone.
HINTED = [
    {"role": "system", "content": "Know {{topic}}.", "cache": {"ttl": "1h", "openai": {"ttl": "12h"}}},
    {"role": "user", "content": ["A", {"type": "text", "text": "B", "cache": {"openai": True}}], "cache": "5m"},
]


def breakpoints(value):
    """Every breakpoint, in order, with the text that it is on."""
    if isinstance(value, dict):
        if BREAKPOINT in value:
            yield value.get("text"), value[BREAKPOINT].get("ttl")
        for each in value.values():
            yield from breakpoints(each)
    elif isinstance(value, list):
        for each in value:
            yield from breakpoints(each)


def said(call):
    """The result, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    assert all(each.category is PromptConversionWarning for each in caught)
    return result, [str(each.message) for each in caught]


# What a prompt says.


@pytest.mark.parametrize("integration", [CHAT, RESPONSES], ids=["chat", "responses"])
def test_openai_gets_only_the_hints_that_name_it(integration):
    plain = chat_of({"role": "system", "content": "S", "cache": True}, {"role": "user", "content": "U", "cache": "1h"})
    assert "cache" not in json.dumps(integration.convert_sync(plain, {}))
    sent = integration.convert_sync(chat_of(*HINTED), {"topic": "AI"})
    assert list(breakpoints(sent)) == [("Know AI.", "12h"), ("B", None)]


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_an_integration_can_send_every_hint_to_openai(api):
    prompt = chat_of({"role": "system", "content": "S", "cache": "1h"}, {"role": "user", "content": "U"})
    sent = OpenAIIntegration(ENGINE, api=api, cache_breakpoints=True).convert_sync(prompt, {})
    assert list(breakpoints(sent)) == [("S", None)]


def test_other_providers_get_no_hint_that_is_for_openai_alone():
    prompt = chat_of({"role": "system", "content": "S", "cache": {"openai": "30m"}}, {"role": "user", "content": "U"})
    assert AnthropicIntegration(ENGINE).convert_sync(prompt, {})["system"] == "S"
    assert BedrockIntegration(ENGINE).convert_sync(prompt, {})["system"] == [{"text": "S"}]
    for options in ({}, {"cache_control": True}):
        plain = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
        assert LiteLLMIntegration(ENGINE, **options).convert_sync(prompt, {}) == plain
        template = LangChainIntegration(ENGINE, **options).convert_sync(prompt, {})
        assert [message.content for message in template.format_messages()] == ["S", "U"]


def test_the_others_get_their_part_of_a_hint_for_all():
    prompt = chat_of(*HINTED)
    system = AnthropicIntegration(ENGINE).convert_sync(prompt, {"topic": "AI"})["system"]
    assert system == [{"type": "text", "text": "Know AI.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    both = {"type": "ephemeral", "openai": {"mode": "explicit", "ttl": "30m"}}
    prompt = chat_of({"role": "user", "content": "U", "cache": both})
    assert list(breakpoints(CHAT.convert_sync(prompt, {}))) == [("U", "30m")]
    sent = AnthropicIntegration(ENGINE).convert_sync(prompt, {})
    assert sent["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}


@pytest.mark.parametrize("provider", ["openai", "openai-responses"])
def test_requests_and_batch_lines_have_breakpoints(provider):
    manager = PromptManager()
    manager.create_prompt_sync(chat_of(*HINTED, id="hinted", settings={"model": "m"}))
    request = manager.build_request_sync("hinted", {"topic": "AI"}, provider)
    assert list(breakpoints(request)) == [("Know AI.", "12h"), ("B", None)]
    line = manager.build_batch_line_sync("hinted", {"topic": "AI"}, provider, custom_id="1")
    assert line["body"] == request
    rows = list(manager.iter_batch("hinted", [{"topic": "AI"}], to=f"{provider}-request"))
    assert list(breakpoints(json.loads(json.dumps(rows)))) == [("Know AI.", "12h"), ("B", None)]


# What cannot be sent.


FIVE = [{"role": "user", "content": [{"type": "text", "text": text, "cache": {"openai": True}} for text in "ABCDE"]}]
ANSWER = [
    {"role": "user", "content": "U"},
    {"role": "assistant", "content": "A", "cache": {"openai": True}},
    {"role": "user", "content": "V"},
]


def test_explain_compatibility_finds_hints_that_cannot_be_sent():
    (reason,) = CHAT.explain_compatibility(chat_of(*FIVE))
    assert "message 0 (user): OpenAI accepts at most four cache breakpoints" in reason
    assert CHAT.explain_compatibility(chat_of(*ANSWER)) == []
    (reason,) = RESPONSES.explain_compatibility(chat_of(*ANSWER))
    assert "message 1 (assistant): OpenAI accepts no cache breakpoint on this message" in reason


def test_the_hints_of_a_prompt_and_its_history_are_counted_together():
    prompt = chat_of({"role": "system", "content": "S", "cache": {"openai": True}}, *HISTORY.chat_template.messages)
    part = {"type": "text", "text": "T", BREAKPOINT: {"mode": "explicit"}}
    history = [{"role": "user", "content": [part]}, {"role": "assistant", "content": "A"}] * 4
    with pytest.raises(ConversionError, match="at most four cache breakpoints"):
        CHAT.convert_sync(prompt, {"history": history})
    lenient = OpenAIIntegration(ENGINE, strict_validation=False)
    sent, warned = said(lambda: lenient.convert_sync(prompt, {"history": history}))
    assert list(breakpoints(sent)) == [("T", None)] * 4
    assert sent[0]["content"] == [{"type": "text", "text": "S"}]
    assert len(warned) == 1


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_tool_for_openai_carries_no_breakpoint(api):
    tool = {"provider": "openai", "type": "custom", "name": "f", BREAKPOINT: {"mode": "explicit"}}
    prompt = chat_of({"role": "user", "content": "U"}, tools=[tool], settings={"model": "m"})
    with pytest.raises(ConversionError, match=f"tool `f` has `{BREAKPOINT}`, which OpenAI accepts only in messages"):
        OpenAIIntegration(ENGINE, api=api).build_request_sync(prompt, {})
    lenient = OpenAIIntegration(ENGINE, api=api, strict_validation=False)
    sent, warned = said(lambda: lenient.build_request_sync(prompt, {}))
    assert sent["tools"] == [{"type": "custom", "name": "f"}]
    assert len(warned) == 1


def with_tool(cache, *messages):
    tools = [{"name": "f", "cache": cache}, {"type": "function", "function": {"name": "g"}}]
    return chat_of(*messages, {"role": "user", "content": "U"}, tools=tools, settings={"model": "m", "max_tokens": 5})


def test_a_hint_of_a_tool_reaches_those_that_take_it():
    prompt = with_tool({"ttl": "1h", "openai": True})
    hint = {"type": "ephemeral", "ttl": "1h"}
    first, second = AnthropicIntegration(ENGINE).build_request_sync(prompt, {})["tools"]
    assert (first["cache_control"], "cache_control" in second) == (hint, False)
    tools = BedrockIntegration(ENGINE).build_request_sync(prompt, {})["toolConfig"]["tools"]
    assert [[*tool] for tool in tools] == [["toolSpec"], ["cachePoint"], ["toolSpec"]]
    assert tools[1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    tools = LiteLLMIntegration(ENGINE, cache_control=True).build_request_sync(prompt, {})["tools"]
    assert [tool.get("cache_control") for tool in tools] == [hint, None]
    assert "cache" not in json.dumps(LiteLLMIntegration(ENGINE).build_request_sync(prompt, {}))


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_hint_of_a_tool_for_openai_is_refused(api):
    prompt = with_tool({"openai": "30m"})
    with pytest.raises(ConversionError, match="tool `f` has a cache hint, which OpenAI accepts only in messages"):
        OpenAIIntegration(ENGINE, api=api).build_request_sync(prompt, {})
    with pytest.raises(ConversionError, match="tool `f` has a cache hint"):
        OpenAIIntegration(ENGINE, api=api, cache_breakpoints=True).build_request_sync(with_tool({}), {})
    lenient = OpenAIIntegration(ENGINE, api=api, strict_validation=False)
    sent, warned = said(lambda: lenient.build_request_sync(prompt, {}))
    assert "cache" not in json.dumps(sent)
    assert len(warned) == 1
    plain = OpenAIIntegration(ENGINE, api=api).build_request_sync(with_tool("1h"), {})
    assert "cache" not in json.dumps(plain)
    # Other providers get no hint that is for OpenAI alone.
    assert "cache" not in json.dumps(AnthropicIntegration(ENGINE).build_request_sync(prompt, {}))
    assert "cache" not in json.dumps(BedrockIntegration(ENGINE).build_request_sync(prompt, {}))


@pytest.mark.parametrize("kind", [AnthropicIntegration, BedrockIntegration])
def test_the_hints_of_tools_and_messages_are_counted_together(kind):
    parts = [{"type": "text", "text": text, "cache": True} for text in "ABCD"]
    prompt = with_tool({}, {"role": "system", "content": parts})
    with pytest.raises(ConversionError, match="at most four cache hints"):
        kind(ENGINE).build_request_sync(prompt, {})
    sent, warned = said(lambda: kind(ENGINE, strict_validation=False).build_request_sync(prompt, {}))
    assert json.dumps(sent["system"]).count("cache") == 4
    assert "cache" not in json.dumps(sent.get("tools", sent.get("toolConfig")))
    assert len(warned) == 1


# Histories.


PARTS = [
    {"type": "text", "text": "A", BREAKPOINT: {"mode": "explicit", "ttl": "30m"}},
    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}, BREAKPOINT: {"mode": "explicit"}},
]
ITEMS = [
    {"type": "input_text", "text": "A", BREAKPOINT: {"mode": "explicit", "ttl": "30m"}},
    {
        "type": "input_image",
        "image_url": "https://example.com/a.png",
        "detail": "auto",
        BREAKPOINT: {"mode": "explicit"},
    },
]


def test_a_breakpoint_of_one_api_of_openai_goes_to_the_other():
    chat, responses = [{"role": "user", "content": PARTS}], [{"role": "user", "content": ITEMS}]
    assert CHAT.convert_sync(HISTORY, {"history": chat}) == chat
    assert RESPONSES.convert_sync(HISTORY, {"history": responses}) == {"input": responses}
    assert RESPONSES.convert_sync(HISTORY, {"history": chat}) == {"input": responses}
    sent = CHAT.convert_sync(HISTORY, {"history": responses})
    assert list(breakpoints(sent)) == [("A", "30m"), (None, None)]


@pytest.mark.parametrize("content", [PARTS, ITEMS], ids=["chat", "responses"])
def test_a_breakpoint_of_openai_does_not_reach_others_unnoticed(content):
    history = [{"role": "user", "content": content}]
    with pytest.raises(ConversionError, match=f"Anthropic does not accept `{BREAKPOINT}`"):
        AnthropicIntegration(ENGINE).convert_sync(HISTORY, {"history": history})
    lenient = AnthropicIntegration(ENGINE, strict_validation=False)
    sent, warned = said(lambda: lenient.convert_sync(HISTORY, {"history": history}))
    assert "cache" not in json.dumps(sent)
    assert any(BREAKPOINT in text for text in warned)


def test_a_time_that_openai_may_have_later_is_kept_for_it():
    part = {"type": "text", "text": "A", BREAKPOINT: {"mode": "explicit", "ttl": "7d"}}
    history = [{"role": "user", "content": [part]}]
    assert CHAT.convert_sync(HISTORY, {"history": history}) == history
    with pytest.raises(ConversionError, match="an unknown `ttl` of a cache breakpoint"):
        RESPONSES.convert_sync(HISTORY, {"history": history})


def test_both_hints_of_a_part_are_kept():
    part = {
        "type": "text",
        "text": "A",
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        BREAKPOINT: {"mode": "explicit"},
    }
    history = [{"role": "user", "content": [part]}]
    assert list(breakpoints(RESPONSES.convert_sync(HISTORY, {"history": history}))) == [("A", None)]
    lenient = AnthropicIntegration(ENGINE, strict_validation=False)
    sent, _ = said(lambda: lenient.convert_sync(HISTORY, {"history": history}))
    assert sent["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


@pytest.mark.parametrize("more", [{"scope": "global"}, {"type": "later"}, {"ttl": None}])
def test_a_hint_of_a_history_may_have_members_that_are_not_known(more):
    part = {"type": "text", "text": "A", "cache_control": {"type": "ephemeral", **more}}
    history = [{"role": "user", "content": [part]}]
    assert CHAT.convert_sync(HISTORY, {"history": history})[0]["content"] == [{"type": "text", "text": "A"}]
    sent = AnthropicIntegration(ENGINE).convert_sync(HISTORY, {"history": history})
    assert sent["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}


def test_a_history_of_langchain_keeps_its_breakpoints():
    from langchain_core.messages import HumanMessage

    history = [HumanMessage(content=[PARTS[0]])]
    sent = CHAT.convert_sync(HISTORY, {"history": history})
    assert sent == [{"role": "user", "content": [PARTS[0]]}]


def test_rendered_messages_keep_hints_and_go_back_in():
    manager = PromptManager()
    manager.create_prompt_sync(chat_of(*HINTED, id="hinted"))
    manager.create_prompt_sync(chat_of({"role": "placeholder", "name": "history"}, id="history"))
    rendered = manager.render_messages_sync("hinted", {"topic": "AI"})
    assert rendered[0]["cache"] == {"ttl": "1h", "openai": {"ttl": "12h"}}
    assert rendered[1]["content"][1]["cache"] == {"openai": True}
    sent = CHAT.convert_sync(HISTORY, {"history": rendered})
    assert list(breakpoints(sent)) == [("Know AI.", "12h"), ("B", None)]
    again, warned = said(
        lambda: manager.render_messages_sync("history", {"history": [{"role": "user", "content": PARTS}]})
    )
    assert again[0]["content"][0]["cache"] == {"openai": {"ttl": "30m"}}
    assert warned == []


def test_a_wrong_hint_of_a_history_is_not_quoted():
    history = [{"role": "user", "content": "x", "cache": {"openai": {"ttl": SECRET}}}]
    with pytest.raises(ConversionError, match="OpenAI does not support the `ttl`") as caught:
        CHAT.convert_sync(HISTORY, {"history": history})
    assert SECRET not in everything_said_by(caught.value)


# Copies.


def test_copies_pickles_and_saved_prompts_keep_hints(tmp_path):
    prompt = chat_of(*HINTED, id="hinted")
    sent = CHAT.convert_sync(prompt, {"topic": "AI"})
    assert list(breakpoints(sent))
    copies = [
        copy.deepcopy(prompt),
        pickle.loads(pickle.dumps(prompt)),
        Prompt.model_validate(prompt.model_dump()),
        Prompt.model_validate_json(prompt.model_dump_json()),
    ]
    manager = PromptManager.from_storage_sync(FileSystemStorage(tmp_path))
    manager.create_prompt_sync(prompt)
    copies.append(PromptManager.from_storage_sync(FileSystemStorage(tmp_path)).get_prompt_sync("hinted"))
    for made in copies:
        assert CHAT.convert_sync(made, {"topic": "AI"}) == sent
        assert made.content_hash == prompt.content_hash


def test_a_hint_for_openai_is_part_of_the_content():
    def content_hash(cache):
        return chat_of({"role": "user", "content": "x", "cache": cache}).content_hash

    hashes = {
        content_hash(cache) for cache in (True, {"openai": True}, {"openai": "30m"}, {"ttl": "1h", "openai": True})
    }
    assert len(hashes) == 4
    assert content_hash({"openai": "30m"}) == content_hash({"openai": {"mode": "explicit", "ttl": "30m"}})
