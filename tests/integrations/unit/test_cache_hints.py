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


KINDS = [AnthropicIntegration, BedrockIntegration]


def times(value):
    """The time of every hint of a request, in order: "5m" for one without."""
    if isinstance(value, dict):
        for each in (each for key, each in value.items() if key not in ("cache_control", "cachePoint")):
            yield from times(each)
        for hint in (value[key] for key in ("cache_control", "cachePoint") if key in value):
            yield hint.get("ttl", "5m")
    elif isinstance(value, list):
        for each in value:
            yield from times(each)


def text(cache):
    return {"type": "text", "text": "T", "cache": cache}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("earlier", [True, "5m"])
@pytest.mark.parametrize("role", ["system", "user"])
def test_an_hour_after_five_minutes_is_refused_or_shortened(kind, earlier, role):
    first = {"role": role, "content": [text(earlier)] if role == "system" else [text(earlier), text("1h")]}
    last = {"role": "user", "content": [text("1h")]}
    prompt = chat_of(first, last) if role == "system" else chat_of(first)
    at = "1 " if role == "system" else "0 "
    problem = f"message {at}.user.: (Anthropic|Bedrock) accepts a cache hint of 1h only before those of 5m"
    with pytest.raises(ConversionError, match=problem) as caught:
        kind(ENGINE).convert_sync(prompt, {})
    assert caught.value.context["hint"].startswith("give the hints before it `1h` too")
    assert kind(ENGINE).explain_compatibility(prompt)
    sent, warned = said(lambda: kind(ENGINE, strict_validation=False).convert_sync(prompt, {}))
    assert [*times(sent.get("system", [])), *times(sent["messages"])] == ["5m", "5m"]
    assert [each.endswith("; sent as 5m") for each in warned] == [True]


@pytest.mark.parametrize("kind", KINDS)
def test_an_hour_before_five_minutes_is_sent(kind):
    prompt = chat_of({"role": "system", "content": [text("1h")]}, {"role": "user", "content": [text("1h"), text("5m")]})
    sent = kind(ENGINE).convert_sync(prompt, {})
    assert [*times(sent["system"]), *times(sent["messages"])] == ["1h", "1h", "5m"]


def histories():
    """A history of each provider whose last hint has the wrong time, with the integration for it."""
    user = {"role": "user", "content": "U"}
    short, long = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}
    blocks = [
        {"type": "text", "text": "A", "cache_control": short},
        {"type": "text", "text": "B", "cache_control": long},
    ]
    thinks = {"type": "thinking", "thinking": "T", "signature": "c2ln"}
    use = {"type": "tool_use", "id": "t1", "name": "f", "input": {}, "cache_control": short}
    answer = {"type": "tool_result", "tool_use_id": "t1", "content": [blocks[1]]}
    yield AnthropicIntegration, [user, {"role": "assistant", "content": [thinks, *blocks]}, user]
    yield (
        AnthropicIntegration,
        [
            user,
            {"role": "assistant", "content": [thinks, use]},
            {"role": "user", "content": [answer]},
        ],
    )
    points = [{"text": "A"}, {"cachePoint": {"type": "default"}}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    said = {"reasoningContent": {"reasoningText": {"text": "T", "signature": "c2ln"}}}
    of_bedrock = {"role": "user", "content": [{"text": "U"}]}
    yield BedrockIntegration, [of_bedrock, {"role": "assistant", "content": [said, *points]}, of_bedrock]


@pytest.mark.parametrize(("kind", "history"), [*histories()])
@pytest.mark.parametrize("strict", [True, False])
def test_a_history_keeps_its_times_with_a_warning(kind, history, strict):
    sent, warned = said(lambda: kind(ENGINE, strict_validation=strict).convert_sync(HISTORY, {"history": history}))
    assert [*times(sent["messages"])] == ["5m", "1h"]
    assert [each.endswith("only before those of 5m; sent unchanged") for each in warned] == [True]


@pytest.mark.parametrize("kind", KINDS)
def test_a_history_that_is_converted_has_its_times_checked(kind):
    part = {"type": "text", "text": "A", "cache_control": {"type": "ephemeral"}}
    history = [{"role": "user", "content": [part, {**part, "cache_control": HOUR}]}]
    with pytest.raises(ConversionError, match="accepts a cache hint of 1h only before those of 5m"):
        kind(ENGINE).convert_sync(HISTORY, {"history": history})
    sent, _ = said(lambda: kind(ENGINE, strict_validation=False).convert_sync(HISTORY, {"history": history}))
    assert [*times(sent["messages"])] == ["5m", "5m"]


def test_a_hint_of_a_prompt_follows_those_of_a_history():
    short = {"type": "ephemeral"}
    blocks = [{"type": "text", "text": "A", "cache_control": short}]
    history = [{"role": "user", "content": "U"}, {"role": "assistant", "content": blocks}]
    points = [{"text": "A"}, {"cachePoint": {"type": "default"}}]
    thinks = {"reasoningContent": {"reasoningText": {"text": "T", "signature": "c2ln"}}}
    of_bedrock = [
        {"role": "user", "content": [{"text": "U"}]},
        {"role": "assistant", "content": [thinks, *points]},
    ]
    placeholder = {"role": "placeholder", "name": "history"}
    after = chat_of(placeholder, {"role": "user", "content": "Q", "cache": "1h"})
    for kind, given in ((AnthropicIntegration, history), (BedrockIntegration, of_bedrock)):
        with pytest.raises(ConversionError, match=r"message 2 .user.: .* accepts a cache hint of 1h only before those"):
            kind(ENGINE).convert_sync(after, {"history": given})


def test_the_hint_of_a_whole_request_is_after_all_others():
    settings = {"model": "m", "max_tokens": 5, "anthropic": {"cache_control": {"type": "ephemeral", "ttl": "1h"}}}
    prompt = chat_of({"role": "system", "content": [text("5m")]}, {"role": "user", "content": "U"}, settings=settings)
    with pytest.raises(ConversionError, match="accepts a cache hint of 1h only before those of 5m"):
        AnthropicIntegration(ENGINE).build_request_sync(prompt, {})


@pytest.mark.parametrize("kind", KINDS)
def test_the_tools_come_before_the_messages(kind):
    prompt = with_tool({}, {"role": "system", "content": [text("1h")]})
    problem = "accepts a cache hint of 1h only before those of 5m; it reads the tools first"
    with pytest.raises(ConversionError, match=problem):
        kind(ENGINE).build_request_sync(prompt, {})
    sent, warned = said(lambda: kind(ENGINE, strict_validation=False).build_request_sync(prompt, {}))
    tools = sent["tools"] if "tools" in sent else sent["toolConfig"]["tools"]
    assert [*times(tools), *times(sent["system"])] == ["5m", "5m"]
    assert len(warned) == 1
    kind(ENGINE).build_request_sync(with_tool("1h", {"role": "system", "content": [text("5m")]}), {})


def of_provider(provider, **more):
    definition = {"anthropic": {"type": "bash_20250124", "name": "bash"}, "bedrock": {"systemTool": {"name": "web"}}}
    return {"provider": provider, **definition.get(provider, {"type": "custom", "name": "c"}), **more}


def test_a_hint_of_a_providers_tool_is_written_as_the_provider_has_it():
    def tools_of(kind, provider, cache, **options):
        tool = of_provider(provider, cache=cache)
        prompt = chat_of({"role": "user", "content": "U"}, tools=[tool], settings={"model": "m", "max_tokens": 5})
        sent = kind(ENGINE, **options).build_request_sync(prompt, {})
        return sent["tools"] if "tools" in sent else sent["toolConfig"]["tools"]

    bash = {"type": "bash_20250124", "name": "bash"}
    assert tools_of(AnthropicIntegration, "anthropic", cache=True) == [{**bash, "cache_control": {"type": "ephemeral"}}]
    hour = {"type": "ephemeral", "ttl": "1h"}
    for cache in ("1h", {"ttl": "1h"}, {"ttl": "1h", "openai": True}):
        assert tools_of(AnthropicIntegration, "anthropic", cache) == [{**bash, "cache_control": hour}]
    for cache in (False, None, {"openai": True}):
        assert tools_of(AnthropicIntegration, "anthropic", cache) == [bash]
    web = {"systemTool": {"name": "web"}}
    assert tools_of(BedrockIntegration, "bedrock", cache=True) == [web, {"cachePoint": {"type": "default"}}]
    custom = {"type": "custom", "name": "c"}
    assert tools_of(OpenAIIntegration, "openai", cache=True) == [custom]
    with pytest.raises(ConversionError, match="tool `c` has a cache hint, which OpenAI accepts only in messages"):
        tools_of(OpenAIIntegration, "openai", {"openai": "30m"})
    with pytest.raises(ConversionError, match="tool `bash` has a `cache` that is no cache hint"):
        tools_of(AnthropicIntegration, "anthropic", "2h")


CONTROL = {"type": "ephemeral"}


@pytest.mark.parametrize("place", ["tool", "cache", "settings", "tools of the settings", "caller"])
def test_every_hint_of_a_request_is_counted(place):
    messages = [{"role": "system", "content": [text("5m") for _ in range(4)]}, {"role": "user", "content": "U"}]
    settings = {"model": "m", "max_tokens": 5}
    tools, arguments = [], {}
    if place in ("tool", "cache"):
        tools = [of_provider("anthropic", **({"cache_control": CONTROL} if place == "tool" else {"cache": True}))]
    elif place == "settings":
        settings["anthropic"] = {"cache_control": CONTROL}
    elif place == "tools of the settings":
        settings["anthropic"] = {"tools": [{"type": "bash_20250124", "name": "bash", "cache_control": CONTROL}]}
    else:
        arguments["cache_control"] = CONTROL
    prompt = chat_of(*messages, tools=tools, settings=settings)
    with pytest.raises(ConversionError, match="Anthropic accepts at most four cache hints in a request"):
        AnthropicIntegration(ENGINE).build_request_sync(prompt, {}, **arguments)
    lenient = AnthropicIntegration(ENGINE, strict_validation=False)
    sent, warned = said(lambda: lenient.build_request_sync(prompt, {}, **arguments))
    assert len(warned) == 1
    assert json.dumps(sent).count("cache_control") == 4


HOUR = {"type": "ephemeral", "ttl": "1h"}


def given_tools(kind, *hints):
    """The argument with tools of the caller, with these hints."""
    if kind is not BedrockIntegration:
        named = [{"name": f"t{number}", "input_schema": {"type": "object"}} for number, _ in enumerate(hints)]
        return {"tools": [{**tool, "cache_control": hint} for tool, hint in zip(named, hints, strict=True)]}
    tools = []
    for number, hint in enumerate(hints):
        tools.append({"toolSpec": {"name": f"t{number}", "inputSchema": {"json": {"type": "object"}}}})
        tools.append({"cachePoint": {**hint, "type": "default"}})
    return {"toolConfig": {"tools": tools}}


@pytest.mark.parametrize("kind", KINDS)
def test_hints_of_the_callers_tools_are_counted(kind):
    settings = {"model": "m", "max_tokens": 5}
    user = {"role": "user", "content": "U"}
    prompt = chat_of({"role": "system", "content": [text("5m")] * 3}, user, settings=settings)
    kind(ENGINE).build_request_sync(prompt, {}, **given_tools(kind, CONTROL))
    given = given_tools(kind, CONTROL, CONTROL)
    with pytest.raises(ConversionError, match=r"accepts at most (four|4) cache (hints|points) in a request"):
        kind(ENGINE).build_request_sync(prompt, {}, **given)
    with_hint = chat_of(user, tools=[{"name": "f", "cache": True}, {"name": "g", "cache": True}], settings=settings)
    given = given_tools(kind, *[CONTROL] * 3)
    lenient = kind(ENGINE, strict_validation=False)
    sent, warned = said(lambda: lenient.build_request_sync(with_hint, {}, **given))
    assert [*times(sent)] == ["5m"] * 4
    assert [each.endswith("the others are left out") for each in warned] == [True]


@pytest.mark.parametrize("kind", KINDS)
def test_the_times_of_the_callers_tools_are_checked(kind):
    settings = {"model": "m", "max_tokens": 5}
    problem = "accepts a cache hint of 1h only before those of 5m"
    prompt = chat_of({"role": "system", "content": [text("1h")]}, {"role": "user", "content": "U"}, settings=settings)
    kind(ENGINE).build_request_sync(prompt, {}, **given_tools(kind, HOUR))
    with pytest.raises(ConversionError, match=problem):
        kind(ENGINE).build_request_sync(prompt, {}, **given_tools(kind, CONTROL))
    sent, _ = said(
        lambda: kind(ENGINE, strict_validation=False).build_request_sync(prompt, {}, **given_tools(kind, CONTROL))
    )
    assert [*times(sent)] == ["5m", "5m"]
    with pytest.raises(ConversionError, match=f"{problem}, and a tool of the arguments has one"):
        kind(ENGINE).build_request_sync(prompt, {}, **given_tools(kind, CONTROL, HOUR))


def test_a_hint_of_a_tool_that_the_caller_replaces_is_not_counted():
    prompt = with_tool({}, {"role": "system", "content": [text("5m")] * 3})
    given = [{"name": "f", "input_schema": {"type": "object"}, "cache_control": CONTROL}]
    sent, _ = said(lambda: AnthropicIntegration(ENGINE).build_request_sync(prompt, {}, tools=given))
    assert [*times(sent)] == ["5m"] * 4


LITELLM = {"cache_control": True}
CLAUDE = "anthropic/claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("system", "problem", "expected"),
    [
        (["5m", "1h"], "accepts a cache hint of 1h only before those of 5m", ["5m", "5m"]),
        (["5m"] * 5, "at most four cache hints in a request", ["5m"] * 4),
    ],
    ids=["order", "number"],
)
def test_hints_for_claude_are_checked_for_litellm_too(system, problem, expected):
    messages = [{"role": "system", "content": [text(time) for time in system]}, {"role": "user", "content": "U"}]
    strict, lenient = (LiteLLMIntegration(ENGINE, strict_validation=each, **LITELLM) for each in (True, False))
    with pytest.raises(ConversionError, match=problem):
        strict.build_request_sync(chat_of(*messages), {}, model=CLAUDE)
    sent, warned = said(lambda: lenient.build_request_sync(chat_of(*messages), {}, model=CLAUDE))
    assert [*times(sent)] == expected
    assert len(warned) == 1
    assert [*times(strict.build_request_sync(chat_of(*messages), {}, model="gemini/gemini-3-pro"))] == system


@pytest.mark.parametrize("kind", KINDS)
def test_data_of_a_call_are_no_hints(kind):
    data = {"cachePoint": 1, "cache_control": 2, "content": [{"cachePoint": 3}]}
    history = [
        {"role": "user", "content": [{"text": "U"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "f", "input": data}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"json": data}] * 5}}]},
    ]
    tools = [{"name": "f", "cache": True}]
    prompt = chat_of({"role": "placeholder", "name": "history"}, tools=tools, settings={"model": "m", "max_tokens": 5})
    kind(ENGINE).build_request_sync(prompt, {"history": history})


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
