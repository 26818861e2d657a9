"""Settings that providers spell differently, and arguments for one provider only, in whole requests."""

from __future__ import annotations

import warnings

import pytest

from helpers import chat_of, create_chat_prompt
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
    PromptConversionWarning,
)

ENGINE = TemplateEngine()
TARGETS = {
    "openai": OpenAIIntegration(ENGINE),
    "responses": OpenAIIntegration(ENGINE, api="responses"),
    "anthropic": AnthropicIntegration(ENGINE),
    "litellm": LiteLLMIntegration(ENGINE),
}
LIMITS = {"openai": "max_completion_tokens", "responses": "max_output_tokens"}
NOTHING = {}
ANSWER = {"type": "object", "properties": {"mood": {"type": "string"}}, "required": ["mood"]}


def sent(integration, settings, *, limit=5000, tools=(), arguments=NOTHING, **changes):
    """Build a request, and give what it has besides conversation, model, limit and tools, with the warnings."""
    prompt = create_chat_prompt(settings={"model": "m", "max_tokens": limit, **settings}, tools=list(tools), **changes)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        request = integration.build_request_sync(prompt, {"topic": "AI"}, **arguments)
    left = {"messages", "system", "input", "instructions", "model", "tools", *LIMITS.values(), "max_tokens"}
    texts = [str(warning.message) for warning in caught]
    return {key: value for key, value in request.items() if key not in left}, texts


def enabled(budget):
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


OFF = {"thinking": {"type": "disabled"}}
LEFT_OUT = "left out"
#: For each setting: what each target gets, and a word of its warning, if there is one.
ROWS = [
    (
        {"effort": "low"},
        {"openai": {"reasoning_effort": "low"}, "responses": {"reasoning": {"effort": "low"}}},
        {"anthropic": {"output_config": {"effort": "low"}}, "litellm": {"reasoning_effort": "low"}},
        {},
    ),
    (
        {"effort": "max"},
        {"openai": {"reasoning_effort": "max"}, "responses": {"reasoning": {"effort": "max"}}},
        {"anthropic": {"output_config": {"effort": "max"}}, "litellm": {"reasoning_effort": "max"}},
        {},
    ),
    (
        {"effort": "none"},
        {"openai": {"reasoning_effort": "none"}, "responses": {"reasoning": {"effort": "none"}}},
        {"anthropic": OFF, "litellm": {"reasoning_effort": "none"}},
        {"anthropic": "no effort `none`; sent without thinking"},
    ),
    (
        {"verbosity": "low"},
        {"openai": {"verbosity": "low"}, "responses": {"text": {"verbosity": "low"}}},
        {"anthropic": {}, "litellm": {"verbosity": "low"}},
        {"anthropic": LEFT_OUT},
    ),
    (
        {"thinking_budget": 2048},
        {"openai": {}, "responses": {}},
        {"anthropic": enabled(2048), "litellm": enabled(2048)},
        {"openai": LEFT_OUT, "responses": LEFT_OUT},
    ),
    (
        {"thinking_budget": 0},
        {"openai": {}, "responses": {}},
        {"anthropic": OFF, "litellm": OFF},
        {"openai": LEFT_OUT, "responses": LEFT_OUT},
    ),
    (
        {"parallel_tool_calls": False},
        {"openai": {}, "responses": {}},
        {"anthropic": {}, "litellm": {}},
        dict.fromkeys(TARGETS, "for a prompt with tools"),
    ),
    (
        {"openai": {"service_tier": "flex"}, "anthropic": {"thinking": {"type": "adaptive"}}},
        {"openai": {"service_tier": "flex"}, "responses": {"service_tier": "flex"}},
        {"anthropic": {"thinking": {"type": "adaptive"}}, "litellm": {}},
        {},
    ),
    (
        {"extra": {"min_p": 0.1}, "litellm": {"min_p": 0.2}, "gemini": {"candidate_count": 2}},
        {"openai": {"extra_body": {"min_p": 0.1}}, "responses": {"extra_body": {"min_p": 0.1}}},
        {"anthropic": {"extra_body": {"min_p": 0.1}}, "litellm": {"min_p": 0.2}},
        {},
    ),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("settings", "of_openai", "of_others", "warned"), ROWS, ids=[str(row[0]) for row in ROWS])
def test_each_provider_gets_a_setting_in_its_own_spelling(target, settings, of_openai, of_others, warned):
    request, texts = sent(TARGETS[target], settings)
    assert request == {**of_openai, **of_others}[target]
    assert len(texts) == (target in warned)
    assert all(warned[target] in text for text in texts)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("openai", {"parallel_tool_calls": False}),
        ("responses", {"parallel_tool_calls": False}),
        ("litellm", {"parallel_tool_calls": False}),
        ("anthropic", {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}),
    ],
)
def test_parallel_tool_calls_go_with_tools(target, expected):
    assert sent(TARGETS[target], {"parallel_tool_calls": False}, tools=[{"name": "now"}]) == (expected, [])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("given", [list, tuple])
def test_parallel_tool_calls_go_with_tools_of_the_caller(target, given):
    tools = given([{"name": "now"}])
    request, texts = sent(TARGETS[target], {"parallel_tool_calls": False}, arguments={"tools": tools})
    of_anthropic = {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    assert request == (of_anthropic if target == "anthropic" else {"parallel_tool_calls": False})
    assert texts == []
    # A caller who takes the tools away needs neither.
    for none in ([], None):
        choice = {"tools": [{"name": "now"}], "tool_choice": "auto"}
        assert sent(TARGETS[target], {"parallel_tool_calls": False}, arguments={"tools": none}, **choice) == ({}, [])


def test_a_tool_choice_of_the_settings_gets_the_parallel_calls():
    for settings in ({"anthropic": {"tool_choice": {"type": "any"}}}, {"extra": {"tool_choice": {"type": "any"}}}):
        given = {"parallel_tool_calls": False, **settings}
        request, texts = sent(TARGETS["anthropic"], given, tools=[{"name": "now"}])
        assert request == {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}}
        assert texts == []
    nothing = {"parallel_tool_calls": False, "anthropic": {"tool_choice": {"type": "none"}}}
    assert sent(TARGETS["anthropic"], nothing, tools=[{"name": "now"}]) == ({"tool_choice": {"type": "none"}}, [])


def test_a_tool_choice_of_the_caller_replaces_parallel_calls_with_a_warning():
    arguments = {"tool_choice": {"type": "any"}}
    request, texts = sent(
        TARGETS["anthropic"], {"parallel_tool_calls": False}, tools=[{"name": "now"}], arguments=arguments
    )
    assert request == arguments
    assert texts == [
        "the argument `tool_choice` replaces `settings.parallel_tool_calls`; set `disable_parallel_tool_use` in it"
    ]


def test_a_choice_of_a_tool_keeps_its_name_without_parallel_calls():
    choice = {"tool_choice": {"name": "now"}, "tools": [{"name": "now"}]}
    request, _ = sent(TARGETS["anthropic"], {"parallel_tool_calls": False}, **choice)
    assert request == {"tool_choice": {"type": "tool", "name": "now", "disable_parallel_tool_use": True}}


def test_effort_and_verbosity_survive_beside_an_output_schema():
    settings = {"effort": "low", "verbosity": "low"}
    for target, kept in [("responses", "verbosity"), ("anthropic", "effort")]:
        request, _ = sent(TARGETS[target], settings, output_schema=ANSWER)
        (config,) = (request[key] for key in ("text", "output_config") if key in request)
        assert config["format"]["type"] == "json_schema"
        assert config[kept] == "low"
    request, _ = sent(TARGETS["responses"], settings, arguments={"reasoning": {"summary": "auto"}})
    assert request["reasoning"] == {"effort": "low", "summary": "auto"}
    request, _ = sent(TARGETS["anthropic"], settings, arguments={"output_config": {"effort": "high"}})
    assert request["output_config"] == {"effort": "high"}


def test_older_packages_of_anthropic_get_effort_and_thinking_in_extra_body():
    older = AnthropicIntegration(ENGINE, extra_body=True)
    request, _ = sent(older, {"effort": "high", "thinking_budget": 2048})
    assert request == {"extra_body": {"output_config": {"effort": "high"}, **enabled(2048)}}


@pytest.mark.parametrize(
    ("budget", "limit", "problem", "expected"),
    [(100, 5000, "at least 1024", enabled(1024)), (2048, 2048, "below `max_tokens`", {})],
)
def test_a_budget_that_anthropic_refuses_is_an_error_or_a_warning(budget, limit, problem, expected):
    with pytest.raises(ConversionError, match=problem):
        sent(TARGETS["anthropic"], {"thinking_budget": budget}, limit=limit)
    lenient = AnthropicIntegration(ENGINE, strict_validation=False)
    request, texts = sent(lenient, {"thinking_budget": budget}, limit=limit)
    assert (request, len(texts)) == (expected, 1)


def test_settings_of_a_provider_win_over_those_for_all():
    settings = {
        "model": "m",
        "max_tokens": 10,
        "effort": "low",
        "temperature": 0.5,
        "extra": {"service_tier": "auto", "metadata": {"a": "1", "b": "2"}},
        "openai": {"model": "gpt", "max_tokens": 7, "reasoning_effort": "high", "metadata": {"a": "3"}},
        "anthropic": {"model": "claude", "max_tokens": 8},
    }
    prompt = create_chat_prompt(settings=settings)
    request = TARGETS["openai"].build_request_sync(prompt, {"topic": "AI"})
    del request["messages"]
    assert request == {
        "model": "gpt",
        "temperature": 0.5,
        "max_tokens": 7,
        "reasoning_effort": "high",
        "metadata": {"a": "3", "b": "2"},
        "service_tier": "auto",
    }
    with pytest.warns(UserWarning, match="temperature"):
        request = TARGETS["anthropic"].build_request_sync(prompt, {"topic": "AI"})
    assert (request["model"], request["max_tokens"]) == ("claude", 8)
    request = TARGETS["openai"].build_request_sync(prompt, {"topic": "AI"}, model="mine", service_tier="flex")
    assert (request["model"], request["service_tier"]) == ("mine", "flex")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"openai": {"messages": []}}, "`settings.openai.messages` is made of another part"),
        ({"openai": {"model": 5}}, "`settings.openai.model` is not a text"),
        ({"openai": {"extra_body": 5}}, "`settings.openai.extra_body` is not a mapping"),
        ({"effort": "low", "extra": {"reasoning_effort": "high"}}, "the prompt itself sets `reasoning_effort`"),
    ],
)
def test_settings_that_contradict_the_prompt_are_errors(settings, problem):
    with pytest.raises(ConversionError, match=problem):
        sent(TARGETS["openai"], settings)


@pytest.mark.parametrize("place", ["openai", "extra"])
def test_a_message_names_the_setting_that_the_prompt_has(place):
    given = {place: {"response_format": {"type": "json_object"}}}
    _, texts = sent(TARGETS["openai"], given, output_schema=ANSWER)
    assert texts == [
        f"`settings.{place}` sets `response_format`; the output schema `output_schema` is not sent",
    ]
    _, texts = sent(TARGETS["responses"], {place: {"text": {"format": {"type": "text"}}}}, output_schema=ANSWER)
    assert texts[0].startswith(f"`settings.{place}` sets `text.format`")
    with pytest.raises(ConversionError, match=rf"`settings\.{place}\.tools` is not a list"):
        sent(TARGETS["openai"], {place: {"tools": {}}}, tools=[{"name": "now"}])


def test_tools_of_the_provider_and_of_extra_are_all_sent():
    prompt = create_chat_prompt(
        settings={"model": "m", "extra": {"tools": [{"type": "a"}]}, "openai": {"tools": [{"type": "b"}]}}
    )
    assert TARGETS["responses"].build_request_sync(prompt, {"topic": "AI"})["tools"] == [{"type": "b"}, {"type": "a"}]


def test_a_setting_of_the_provider_wins_where_the_package_has_no_argument():
    settings = {"model": "m", "max_tokens": 5, "temperature": 0.5, "top_k": 7, "anthropic": {"temperature": 0.1}}
    prompt = create_chat_prompt(settings=settings)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        request = AnthropicIntegration(ENGINE, sampling=True).build_request_sync(prompt, {"topic": "AI"})
    assert request["extra_body"] == {"temperature": 0.1, "top_k": 7}
    assert caught == []
    with pytest.warns(UserWarning, match=r"settings\.top_k") as caught:
        TARGETS["anthropic"].build_request_sync(prompt, {"topic": "AI"})
    assert len(caught) == 1


def test_servers_with_an_api_like_openais_get_the_older_limit_and_top_k():
    server = OpenAIIntegration(ENGINE, max_tokens_key="max_tokens")
    prompt = create_chat_prompt(settings={"model": "m", "max_tokens": 5, "top_k": 7})
    request = server.build_request_sync(prompt, {"topic": "AI"})
    del request["messages"]
    assert request == {"model": "m", "max_tokens": 5, "extra_body": {"top_k": 7}}
    many = create_chat_prompt(settings={"stop": ["1", "2", "3", "4", "5"]})
    assert server.build_request_sync(many, {"topic": "AI"}, model="m")["stop"] == ["1", "2", "3", "4", "5"]
    with pytest.raises(ValueError, match="max_tokens_key must be"):
        OpenAIIntegration(ENGINE, max_tokens_key="limit")


FORCED = "Claude accepts no `tool_choice` that makes it call a tool while it thinks"


@pytest.mark.parametrize("in_body", [False, True])
@pytest.mark.parametrize("place", ["prompt", "settings", "caller"])
def test_thinking_beside_a_forced_tool_is_refused_or_left_out(place, in_body):
    changes = {"tools": [{"name": "f"}]}
    settings = {"thinking_budget": 2048}
    forced = {"type": "any"}
    if place == "prompt":
        changes["tool_choice"] = "required"
    elif place == "settings":
        settings["anthropic"] = {"tool_choice": forced}
    else:
        changes["arguments"] = {"tool_choice": forced}
    with pytest.raises(ConversionError, match=FORCED):
        sent(AnthropicIntegration(ENGINE, extra_body=in_body), settings, **changes)
    lenient = AnthropicIntegration(ENGINE, extra_body=in_body, strict_validation=False)
    assert sent(lenient, settings, **changes) == ({"tool_choice": forced}, [f"{FORCED}; sent without thinking"])
    off = {**settings, "thinking_budget": 0}
    assert sent(AnthropicIntegration(ENGINE), off, **changes) == ({"tool_choice": forced, **OFF}, [])


def test_thinking_of_the_caller_leaves_out_the_choice_of_the_prompt():
    changes = {"tools": [{"name": "f"}], "tool_choice": {"name": "f"}, "arguments": enabled(2048)}
    with pytest.raises(ConversionError, match=FORCED):
        sent(AnthropicIntegration(ENGINE), {}, **changes)
    lenient = AnthropicIntegration(ENGINE, strict_validation=False)
    assert sent(lenient, {}, **changes) == (enabled(2048), [f"{FORCED}; the choice is left out"])
    both = {**changes, "arguments": {**enabled(2048), "tool_choice": {"type": "any"}}}
    assert sent(AnthropicIntegration(ENGINE), {}, **both)[1] == []


def test_none_leaves_out_a_member_of_a_mapping():
    responses = TARGETS["responses"]
    assert sent(responses, {"verbosity": "low"}, arguments={"text": {"verbosity": None}}) == ({}, [])
    assert sent(responses, {}, arguments={"text": {"verbosity": None}}) == ({}, [])
    kept, said = sent(
        responses, {"verbosity": "low"}, output_schema=ANSWER, arguments={"text": {"verbosity": None, "format": None}}
    )
    assert (kept, said) == ({}, [])
    assert sent(TARGETS["anthropic"], {"effort": "low"}, arguments={"output_config": {"effort": None}}) == ({}, [])


@pytest.mark.parametrize(
    ("target", "key"), [("responses", "reasoning"), ("responses", "text"), ("anthropic", "output_config")]
)
@pytest.mark.parametrize("place", ["own", "extra"])
def test_a_mapping_of_the_settings_that_is_none_is_refused(target, key, place):
    name = {"responses": "openai"}.get(target, target) if place == "own" else "extra"
    settings = {"effort": "low", name: {key: 5}}
    with pytest.raises(ConversionError, match=f"`settings.{name}.{key}` is not a mapping"):
        sent(TARGETS[target], settings)


NAMED_TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize("thinks", [{"thinking_budget": 2048}, {"effort": "low"}], ids=["budget", "effort"])
@pytest.mark.parametrize("choice", ["required", "f"])
@pytest.mark.parametrize("is_given", [False, True])
def test_litellm_does_not_make_claude_call_a_tool_while_it_thinks(thinks, choice, is_given):
    given = {"tool_choice": NAMED_TOOL if choice == "f" else choice} if is_given else {}
    own = {} if is_given else {"tool_choice": {"name": "f"} if choice == "f" else choice}
    prompt = chat_of({"role": "user", "content": "Q"}, tools=[{"name": "f"}], settings=thinks, **own)
    problem = "Claude accepts no `tool_choice` that makes it call a tool while it thinks"
    with pytest.raises(ConversionError, match=problem):
        LiteLLMIntegration(TemplateEngine()).build_request_sync(prompt, {}, model="claude-sonnet-4-5", **given)
    lenient = LiteLLMIntegration(TemplateEngine(), strict_validation=False)
    with pytest.warns(PromptConversionWarning, match=f"{problem}; sent without thinking"):
        sent = lenient.build_request_sync(prompt, {}, model="claude-sonnet-4-5", **given)
    assert sent["tool_choice"] in ("required", NAMED_TOOL)
    assert not {"thinking", "reasoning_effort"} & {*sent}
    sent = LiteLLMIntegration(TemplateEngine()).build_request_sync(prompt, {}, model="gpt-5", **given)
    assert {"thinking", "reasoning_effort"} & {*sent}


@pytest.mark.parametrize("options", [{"effort": "none"}, {"thinking_budget": 0}])
def test_litellm_may_make_claude_call_a_tool_if_it_does_not_think(options):
    prompt = chat_of(
        {"role": "user", "content": "Q"}, tools=[{"name": "f"}], tool_choice={"name": "f"}, settings=options
    )
    sent = LiteLLMIntegration(TemplateEngine()).build_request_sync(prompt, {}, model="claude-sonnet-4-5")
    assert sent["tool_choice"] == NAMED_TOOL


@pytest.mark.parametrize("target", ["openai", "responses", "anthropic", "litellm", "gemini", "bedrock"])
def test_a_setting_of_the_provider_wins_over_that_of_all(target):
    key = "openai" if target == "responses" else target
    settings = {"model": "m", "max_tokens": 300, key: {"max_tokens": 7}}
    integration = {**TARGETS, "gemini": GeminiIntegration(ENGINE), "bedrock": BedrockIntegration(ENGINE)}[target]
    request = integration.build_request_sync(create_chat_prompt(settings=settings), {"topic": "AI"})
    text = str(request)
    assert "300" not in text
    assert text.count(": 7") == 1
    assert "extra_body" not in text
    assert "additionalModelRequestFields" not in text


def test_bedrock_and_gemini_get_their_names_for_settings_under_their_own_key():
    own = {"max_tokens": 7, "stop": "END", "temperature": 0.9, "top_p": 0.5}
    common = {"model": "m", "max_tokens": 300, "stop": ["x"], "temperature": 0.1}
    prompt = create_chat_prompt(settings={**common, "gemini": own, "bedrock": own})
    request = BedrockIntegration(ENGINE).build_request_sync(prompt, {"topic": "AI"})
    assert request["inferenceConfig"] == {"maxTokens": 7, "stopSequences": ["END"], "temperature": 0.9, "topP": 0.5}
    config = GeminiIntegration(ENGINE).build_request_sync(prompt, {"topic": "AI"})["config"]
    sent = {key: config[key] for key in config if key != "system_instruction"}
    assert sent == {"max_output_tokens": 7, "stop_sequences": ["END"], "temperature": 0.9, "top_p": 0.5}
    both = {"max_tokens": 7, "inferenceConfig": {"maxTokens": 9}}
    prompt = create_chat_prompt(settings={"model": "m", "bedrock": both})
    request = BedrockIntegration(ENGINE).build_request_sync(prompt, {"topic": "AI"})
    assert request["inferenceConfig"] == {"maxTokens": 9}
