"""Requests for the Gemini API: settings, tools, the schema of the answer, and the ``config`` of the caller."""

from __future__ import annotations

import json
import warnings

import pytest

from helpers import chat_of
from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import AnthropicIntegration, GeminiIntegration, PromptConversionWarning
from providers import gemini_api
from providers.samples import CHOICES, HISTORY, full_prompt

pytestmark = pytest.mark.unit

ENGINE = TemplateEngine()
GEMINI = GeminiIntegration(ENGINE)
USER = {"role": "user", "content": "U"}


def request(prompt, **arguments):
    """Return the request without its contents, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        request = GEMINI.build_request_sync(prompt, {}, **{"model": "gemini-3-pro", **arguments})
    gemini_api.check(request)
    return request.get("config", {}), [str(warning.message) for warning in caught]


def test_a_text_prompt_is_the_contents_and_one_user_message_in_a_request():
    prompt = Prompt(id="hi", format="text", template="Hi, {{name}}")
    assert GEMINI.convert_sync(prompt, {"name": "Ada"}) == "Hi, Ada"
    assert GEMINI.build_request_sync(prompt, {"name": "Ada"}, model="m") == {
        "model": "m",
        "contents": [{"parts": [{"text": "Hi, Ada"}], "role": "user"}],
    }


def test_settings_have_the_names_of_gemini():
    settings = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "max_tokens": 100,
        "stop": ["END"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }
    config, said = request(chat_of(USER, settings=settings))
    assert config == {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 5,
        "max_output_tokens": 100,
        "stop_sequences": ["END"],
        "seed": 7,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
    }
    assert said == []


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "said"),
    [
        ("gemini-3-pro", "none", {"thinking_level": "MINIMAL"}, ["Gemini has no effort `none`; sent as `minimal`"]),
        ("gemini-3-pro", "minimal", {"thinking_level": "MINIMAL"}, []),
        ("gemini-3-pro", "high", {"thinking_level": "HIGH"}, []),
        ("gemini-3-pro", "xhigh", {"thinking_level": "XHIGH"}, []),
        ("gemini-3-pro", "max", {"thinking_level": "XHIGH"}, ["Gemini has no effort `max`; sent as `xhigh`"]),
        ("models/gemini-2.5-flash", "none", {"thinking_budget": 0}, []),
        ("gemini-2.5-flash", "medium", {"thinking_budget": 8192}, []),
    ],
)
def test_effort_is_a_level_or_the_budget_of_an_older_model(model, effort, thinking, said):
    config, warned = request(chat_of(USER, settings={"effort": effort}), model=model)
    assert config == {"thinking_config": thinking}
    assert warned == said


def test_a_budget_for_thinking_wins_over_effort():
    config, said = request(chat_of(USER, settings={"effort": "high", "thinking_budget": 512}))
    assert config == {"thinking_config": {"thinking_budget": 512}}
    assert said == ["Gemini accepts only one of `effort` and `thinking_budget`; `effort` left out"]


def test_what_gemini_lacks_is_left_out_with_a_warning():
    config, said = request(full_prompt(output_schema=None, settings={"verbosity": "low", "parallel_tool_calls": False}))
    assert set(config) == {"system_instruction", "tools"}
    assert said == [
        "Gemini does not accept `settings.parallel_tool_calls`; left out",
        "Gemini does not accept `settings.verbosity`; left out",
    ]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"name": "stop"}, {"mode": "ANY", "allowed_function_names": ["stop"]}),
    ],
    ids=str,
)
def test_all_functions_are_in_one_tool_and_the_choice_is_a_mode(choice, sent):
    config, _ = request(full_prompt(tool_choice=choice))
    [tool] = config["tools"]
    assert [function["name"] for function in tool["function_declarations"]] == ["look-up", "stop"]
    assert config["tool_config"] == {"function_calling_config": sent}
    assert len(CHOICES) == 4


def test_a_strict_tool_makes_the_model_keep_to_the_parameters():
    parameters = {"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}, "required": ["a"]}
    config, _ = request(chat_of(USER, tools=[{"name": "f", "strict": True, "parameters": parameters}]))
    assert config["tool_config"] == {"function_calling_config": {"mode": "VALIDATED"}}
    [function] = config["tools"][0]["function_declarations"]
    assert function["parameters_json_schema"]["properties"] == {"a": {"type": "string", "description": "{pattern: x}"}}


def test_a_tool_of_gemini_is_beside_the_functions():
    tools = [{"provider": "gemini", "google_search": {}}, {"name": "f"}, {"provider": "openai", "type": "web_search"}]
    config, _ = request(chat_of(USER, tools=tools))
    assert [*config["tools"][0], *config["tools"][1]] == ["function_declarations", "google_search"]


@pytest.mark.parametrize("name", ["3d", "-a"])
def test_a_name_that_gemini_does_not_accept_is_refused_or_sent(name):
    prompt = chat_of(USER, tools=[{"name": name}])
    with pytest.raises(ConversionError, match=f"Gemini accepts no tool named `{name}`") as caught:
        request(prompt)
    assert caught.value.context["hint"] == "begin the name with a letter or an underscore"
    with pytest.warns(PromptConversionWarning, match="sent unchanged"):
        GeminiIntegration(ENGINE, strict_validation=False).build_request_sync(prompt, {}, model="m")


def test_the_schema_of_an_answer_is_enforced_and_has_no_instructions():
    config, _ = request(full_prompt())
    assert config["response_mime_type"] == "application/json"
    assert config["response_json_schema"]["required"] == ["answer"]
    assert config["system_instruction"] == "S"


def test_a_schema_outside_the_subset_stays_as_instructions():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]}
    schema = {"type": "object", "properties": {"node": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}
    config, said = request(chat_of(USER, output_schema=schema))
    assert "response_json_schema" not in config
    assert "refers to itself in a required member" in said[0]
    assert said[0].endswith("left out")


def test_the_config_of_the_caller_is_merged_and_wins():
    prompt = full_prompt(output_schema=None, settings={"temperature": 0.5, "top_p": 0.9, "effort": "low"})
    more = {
        "temperature": 0.1,
        "top_p": None,
        "labels": {"team": "a"},
        "thinking_config": {"include_thoughts": True},
        "tools": [{"google_search": {}}],
    }
    request = GEMINI.build_request_sync(prompt, {}, model="gemini-3-pro", config=more)
    config = request["config"]
    assert config["temperature"] == 0.1
    assert "top_p" not in config
    assert config["labels"] == {"team": "a"}
    assert config["thinking_config"] == {"thinking_level": "LOW", "include_thoughts": True}
    assert [[*tool] for tool in config["tools"]] == [["function_declarations"], ["google_search"]]
    assert more["tools"] == [{"google_search": {}}]


def test_a_format_of_the_caller_replaces_the_schema_with_a_warning():
    with pytest.warns(PromptConversionWarning, match="response_json_schema` replaces the format"):
        made = GEMINI.build_request_sync(full_prompt(), {}, config={"response_schema": {"type": "STRING"}})
    assert "response_json_schema" not in made["config"]


def test_what_the_package_does_not_know_goes_into_the_body():
    made = GEMINI.build_request_sync(chat_of(USER), {}, model="m", extra={"newThing": 1})
    assert made["config"] == {"http_options": {"extra_body": {"newThing": 1}}}
    prompt = chat_of(USER, settings={"model": "m", "gemini": {"safety_settings": [], "newThing": 2}})
    made = GEMINI.build_request_sync(prompt, {})
    assert made["config"] == {"safety_settings": [], "http_options": {"extra_body": {"newThing": 2}}}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("temperature", r"unexpected keyword argument 'temperature'; pass config=\{'temperature': \.\.\.\}"),
        ("contnets", "did you mean 'contents'"),
        ("stream", "the call for 'gemini' has no such argument"),
    ],
)
def test_an_unknown_argument_is_refused_by_name(name, message):
    with pytest.raises(TypeError, match=message):
        GEMINI.build_request_sync(chat_of(USER), {}, model="m", **{name: 1})


def test_a_call_gets_its_result_under_its_name_and_in_its_place():
    calls = [{"id": each, "function": {"name": "f" + each, "arguments": {}}} for each in ("1", "2")]
    results = [{"role": "tool", "tool_call_id": each, "content": each} for each in ("2", "1")]
    history = [USER, {"role": "assistant", "tool_calls": calls}, *results]
    contents = GEMINI.convert_sync(HISTORY, {"history": history})["contents"]
    assert contents[2]["parts"] == [
        {"function_response": {"id": "1", "name": "f1", "response": {"output": "1"}}},
        {"function_response": {"id": "2", "name": "f2", "response": {"output": "2"}}},
    ]


def test_calls_of_gemini_without_ids_reach_another_provider_with_ids():
    call = {"function_call": {"name": "f", "args": {}}}
    answer = {"function_response": {"name": "f", "response": {"output": "R"}}}
    history = [
        {"role": "user", "parts": [{"text": "Q"}]},
        {"role": "model", "parts": [call, call]},
        {"role": "user", "parts": [answer, answer]},
    ]
    messages = AnthropicIntegration(ENGINE).convert_sync(HISTORY, {"history": history})["messages"]
    uses = [block["id"] for block in messages[1]["content"]]
    assert uses == [block["tool_use_id"] for block in messages[2]["content"]]
    assert len(set(uses)) == 2


def test_a_manager_builds_the_request_by_the_name_of_the_provider():
    manager = PromptManager()
    manager.create_prompt_sync(full_prompt(output_schema=None))
    made = manager.build_request_sync("explain", {}, "gemini", model="gemini-3-pro", config={"seed": 1})
    assert (made["model"], made["config"]["seed"]) == ("gemini-3-pro", 1)
    assert manager.convert_sync("explain", {}, "gemini")["config"] == {"system_instruction": "S"}
    with pytest.raises(ValueError, match="did you mean 'gemini'"):
        manager.build_request_sync("explain", {}, "gemni")


def test_the_conversion_is_plain_data():
    config, _ = request(full_prompt(tool_choice="required"))
    assert json.loads(json.dumps(config)) == config
