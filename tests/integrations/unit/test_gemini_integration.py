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
from providers.checks import RequestError
from providers.samples import CHOICES, HISTORY, full_prompt

pytestmark = pytest.mark.unit

ENGINE = TemplateEngine()
GEMINI = GeminiIntegration(ENGINE)
USER = {"role": "user", "content": "U"}


def request(prompt, *, is_checked=True, **arguments):
    """Return the request without its contents, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        request = GEMINI.build_request_sync(prompt, {}, **{"model": "gemini-3-pro", **arguments})
    if is_checked:
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
        (
            "models/gemini-2.5-pro",
            "none",
            {"thinking_budget": 1024},
            ["the model cannot switch its thinking off; effort `none` sent as `low`"],
        ),
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


def test_functions_of_the_settings_join_those_of_the_prompt():
    more = {"function_declarations": [{"name": "g"}], "google_search": {}}
    settings = {"gemini": {"tools": [more]}}
    config, said = request(chat_of(USER, tools=[{"name": "f"}], settings=settings))
    functions, search = config["tools"]
    assert [function["name"] for function in functions["function_declarations"]] == ["f", "g"]
    assert search == {"google_search": {}}
    assert said == []
    twice = chat_of(USER, tools=[{"name": "g"}], settings=settings)
    with pytest.raises(ConversionError, match="two tools have the name `g`"):
        request(twice)
    with pytest.warns(PromptConversionWarning, match="two tools have the name `g`; the first one is left out"):
        made = GeminiIntegration(ENGINE, strict_validation=False).build_request_sync(twice, {}, model="m")
    assert made["config"]["tools"][0] == {"function_declarations": [{"name": "g"}]}


def test_a_function_of_the_caller_replaces_the_one_of_its_name():
    own = {"name": "f", "description": "Own"}
    more = {"function_declarations": [own, {"name": "h"}], "google_search": {}}
    config, said = request(chat_of(USER, tools=[{"name": "f"}, {"name": "g"}]), config={"tools": [more]})
    assert config["tools"][0]["function_declarations"][0] == own
    assert config["tools"][1] == {"function_declarations": [{"name": "h"}], "google_search": {}}
    assert said == ["the tool `f` of the arguments replaces the prompt's"]
    assert more["function_declarations"][0] == own
    config, _ = request(chat_of(USER, tools=[{"name": "f"}]), config={"tools": [{"function_declarations": [own]}]})
    assert config["tools"] == [{"function_declarations": [own]}]


def f(city: str) -> str:
    """Caller's."""
    return city


def declarations_of(tool):
    """The functions of a tool of a request, each as a dict."""
    functions = tool["function_declarations"] if isinstance(tool, dict) else []
    return [each if isinstance(each, dict) else each.model_dump(exclude_none=True) for each in functions]


@pytest.mark.newest
@pytest.mark.parametrize(
    "given",
    ["function", "declaration", "tool", "config", "rest", "rest spelling of an object", "tuple", "extra", "mcp"],
)
def test_a_function_of_the_caller_is_sent_once_however_it_is_given(given):
    from google.genai import types
    from mcp.types import Tool

    own = {"name": "f", "description": "Own"}
    declaration = types.FunctionDeclaration(**own)
    tools = {
        "function": [f],
        "declaration": [{"function_declarations": [declaration]}],
        "tool": [types.Tool(function_declarations=[declaration])],
        "config": [types.Tool(function_declarations=[declaration])],
        "rest": [{"functionDeclarations": [own]}],
        "rest spelling of an object": [{"functionDeclarations": [declaration]}],
        "tuple": ({"function_declarations": (own,)},),
        "extra": [{"functionDeclarations": [own]}],
        "mcp": [Tool(name="f", inputSchema={"type": "object"})],
    }[given]
    arguments = {"extra": {"tools": tools}} if given == "extra" else {"config": {"tools": tools}}
    if given == "config":
        arguments = {"config": types.GenerateContentConfig(tools=tools)}
    prompt = chat_of(USER, tools=[{"name": "f", "description": "Prompt's"}, {"name": "g"}])
    with pytest.warns(PromptConversionWarning, match="the tool `f` of the arguments replaces the prompt's"):
        sent = GEMINI.build_request_sync(prompt, {}, model="m", **arguments)["config"]["tools"]
    declared = [each for tool in sent for each in declarations_of(tool)]
    others = [tool for tool in sent if not isinstance(tool, dict)]
    assert sorted(each["name"] for each in declared) == (["g"] if others else ["f", "g"])
    assert [each["description"] for each in declared if each["name"] == "f"] == ([] if others else ["Own"])
    assert others == (tools if others else [])
    types.GenerateContentConfig.model_validate({"tools": sent})


def test_a_python_function_takes_the_place_of_the_only_tool():
    config = GEMINI.build_request_sync
    prompt = chat_of(USER, tools=[{"name": "f"}])
    with pytest.warns(PromptConversionWarning, match="`f` of the arguments replaces"):
        assert config(prompt, {}, model="m", config={"tools": [f]})["config"]["tools"] == [f]


@pytest.mark.parametrize("place", ["gemini", "extra", "tool"])
def test_functions_of_a_prompt_in_the_spelling_of_the_rest_api_are_found(place):
    more = {"functionDeclarations": [{"name": "g"}]}
    own = [{"name": "f"}]
    if place == "tool":
        prompt = chat_of(USER, tools=[*own, {"provider": "gemini", **more}])
    else:
        settings = {"gemini": {"tools": [more]}} if place == "gemini" else {"extra": {"tools": [more]}}
        prompt = chat_of(USER, tools=own, settings=settings)
    config, _ = request(prompt)
    assert [[each["name"] for each in tool["function_declarations"]] for tool in config["tools"]] == [["f", "g"]]
    replacing = {"function_declarations": [{"name": "g", "description": "Own"}]}
    config, said = request(prompt, config={"tools": [replacing]})
    assert config["tools"][0]["function_declarations"][1] == {"name": "g", "description": "Own"}
    assert len(config["tools"]) == len(said) == 1
    if place != "tool":
        alone = chat_of(USER, settings=prompt.settings)
        assert request(alone, config={"tools": [replacing]})[0]["tools"] == [replacing]
        with pytest.raises(ConversionError, match="two tools have the name `g`"):
            request(chat_of(USER, tools=[{"name": "g"}], settings=prompt.settings))


def test_functions_that_are_no_list_are_refused_by_name():
    with pytest.raises(
        TypeError, match=r"`config.tools\[0\].function_declarations` must be a list of functions, not dict"
    ):
        request(chat_of(USER), config={"tools": [{"functionDeclarations": {"name": "f"}}]})


def test_no_choice_is_sent_for_strict_tools_that_the_caller_removes():
    prompt = chat_of(USER, tools=[{"name": "f", "strict": True}])
    assert "tool_config" not in request(prompt, config={"tools": None})[0]


@pytest.mark.parametrize("name", ["3d", "-a"])
def test_a_name_that_gemini_does_not_accept_is_refused_or_sent(name):
    prompt = chat_of(USER, tools=[{"name": name}])
    with pytest.raises(ConversionError, match=f"Gemini accepts no tool named `{name}`") as caught:
        request(prompt)
    assert caught.value.context["hint"] == "begin the name with a letter or an underscore"
    with pytest.warns(PromptConversionWarning, match="sent unchanged"):
        GeminiIntegration(ENGINE, strict_validation=False).build_request_sync(prompt, {}, model="m")


def called(name):
    """Return a prompt with a call of a function and its result."""
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": {}}}
    answer = {"role": "tool", "tool_call_id": "c", "content": "R"}
    return chat_of(USER, {"role": "assistant", "tool_calls": [call]}, answer)


@pytest.mark.parametrize("name", ["shop.find", "mcp:find", "_a-1"])
def test_a_call_may_have_any_name_that_gemini_accepts(name):
    made = GEMINI.convert_sync(called(name), {})
    gemini_api.check(made)
    assert made["contents"][1]["parts"][0]["function_call"]["name"] == name


@pytest.mark.parametrize("name", ["3d", "-a", ".a", "a b", "a/b", "é"])
def test_a_call_of_no_function_of_gemini_is_refused(name):
    with pytest.raises(ConversionError, match=r"message 1 \(assistant\): the name of tool call 0 is not one") as caught:
        GEMINI.convert_sync(called(name), {})
    assert caught.value.context["hint"].startswith("begin it with a letter or `_`, and use only letters")
    with pytest.warns(PromptConversionWarning, match="tool call 0 is not one that Gemini accepts; sent unchanged"):
        GeminiIntegration(ENGINE, strict_validation=False).convert_sync(called(name), {})


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


def test_parameters_of_several_schemas_keep_all_their_rules():
    parameters = {
        "type": "object",
        "properties": {"size": {"type": "integer", "minimum": 1}},
        "required": ["size"],
        "allOf": [{"$ref": "#/$defs/Named"}, {"properties": {"size": {"minimum": 5}}}],
        "$defs": {
            "Named": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "more": {"$ref": "#"}},
                "required": ["name"],
            }
        },
    }
    config, said = request(chat_of(USER, tools=[{"name": "f", "parameters": parameters}]))
    [function] = config["tools"][0]["function_declarations"]
    sent = function["parameters_json_schema"]
    assert sent["required"] == ["size", "name"]
    assert sent["properties"]["size"] == {"type": "integer", "minimum": 5}
    assert sent["$defs"]["Root"]["properties"] == sent["properties"]
    assert said == []


def parameters_sent(parameters):
    config, said = request(chat_of(USER, tools=[{"name": "f", "parameters": parameters}]))
    assert said == []
    return config["tools"][0]["function_declarations"][0]["parameters_json_schema"]


@pytest.mark.parametrize(
    ("following", "words"),
    [
        ({"$ref": "#/$defs/Node", "nullable": True}, "{nullable: true}"),
        ({"$ref": "#/$defs/Node", "x-order": 1}, "{x-order: 1}"),
        ({"allOf": [{"$ref": "#/$defs/Node"}], "required": ["value"]}, '{required: ["value"]}'),
    ],
)
def test_rules_beside_a_reference_that_leads_back_become_words(following, words):
    node = {"type": "object", "properties": {"value": {"type": "string"}, "next": following}}
    sent = parameters_sent(
        {"type": "object", "properties": {"node": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}
    )
    inner = sent["$defs"]["Node"]["properties"]["next"]
    assert inner["properties"]["value"] == {"type": "string"}
    assert inner["properties"]["next"] == {"anyOf": [{"$ref": "#/$defs/Node"}], "description": words}


def test_items_in_the_older_spelling_are_items_by_position():
    first, second = {"type": "string"}, {"type": "integer"}
    sent = parameters_sent({"type": "object", "properties": {"pair": {"type": "array", "items": [first, second]}}})
    assert sent["properties"]["pair"] == {"type": "array", "prefixItems": [first, second]}


def test_a_small_schema_that_grows_without_end_is_refused():
    rule = {"type": "string"}
    for _ in range(6):
        rule = {
            "allOf": [
                {"additionalProperties": rule},
                {"type": "object", "properties": {f"p{n}": {} for n in range(12)}},
            ]
        }
    prompt = chat_of(USER, tools=[{"name": "f", "parameters": {"type": "object", "properties": {"a": rule}}}])
    with pytest.raises(ConversionError, match="a schema with so much in `allOf`"):
        request(prompt)


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("https://example.org/a.json", "a reference to another document"),
        ("other.json#/x", "a reference to another document"),
        ("#/properties/b", r"a reference to something outside `\$defs`"),
        ("#/$defs/Missing", "there is no definition `Missing`"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused_in_its_place(reference, problem):
    parameters = {"type": "object", "properties": {"a": {"$ref": reference}}}
    prompt = chat_of(USER, tools=[{"name": "f", "parameters": parameters}])
    with pytest.raises(ConversionError, match=f"tool `f`: #/properties/a: {problem}"):
        request(prompt)
    with pytest.warns(PromptConversionWarning, match=f"#/properties/a: {problem}.*; sent unchanged"):
        GeminiIntegration(ENGINE, strict_validation=False).build_request_sync(prompt, {}, model="m")


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
    with pytest.warns(PromptConversionWarning, match="the argument `response_schema` replaces the format"):
        made = GEMINI.build_request_sync(full_prompt(), {}, config={"response_schema": {"type": "STRING"}})
    assert "response_json_schema" not in made["config"]


ANSWER = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.mark.parametrize("place", ["caller", "gemini", "extra"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("response_schema", {"type": "STRING"}),
        ("response_json_schema", {"type": "string"}),
        ("response_mime_type", "text/plain"),
    ],
)
def test_another_format_is_not_sent_beside_the_schema(name, value, place):
    settings = {} if place == "caller" else {place: {name: value}}
    given = {"config": {name: value}} if place == "caller" else {}
    prompt = chat_of({"role": "system", "content": "S"}, USER, output_schema=ANSWER, settings=settings)
    config, said = request(prompt, is_checked=name == "response_mime_type", **given)
    assert {key: member for key, member in config.items() if key.startswith("response")} == {name: value}
    # The API does not enforce the schema, so the model is told.
    assert "Answer with one JSON object" in config["system_instruction"]
    words = f"the argument `{name}` replaces the format" if place == "caller" else f"`settings.{place}` sets `{name}`"
    [text] = said
    assert text.startswith(f"{words}; the output schema")


@pytest.mark.parametrize("spelling", ["responseSchema", "responseMimeType"])
def test_another_format_in_the_spelling_of_the_rest_api_is_known(spelling):
    value = {"type": "STRING"} if spelling == "responseSchema" else "text/plain"
    prompt = chat_of(USER, output_schema=ANSWER, settings={"gemini": {spelling: value}})
    config, said = request(prompt, is_checked=False)
    assert "response_json_schema" not in config
    assert len(said) == 1


def test_the_mime_type_of_json_keeps_the_schema():
    for arguments in ({"config": {"response_mime_type": "application/json"}}, {}):
        settings = {} if arguments else {"gemini": {"response_mime_type": "application/json"}}
        config, said = request(chat_of(USER, output_schema=ANSWER, settings=settings), **arguments)
        assert config["response_mime_type"] == "application/json"
        assert config["response_json_schema"]["required"] == ["a"]
        assert said == []


@pytest.mark.parametrize("name", ["response_mime_type", "response_json_schema"])
def test_a_format_that_the_caller_removes_takes_the_schema_with_it(name):
    config, said = request(chat_of(USER, output_schema=ANSWER), config={name: None})
    assert [key for key in config if key.startswith("response")] == []
    assert said == []


def test_none_leaves_out_a_member_of_a_mapping():
    prompt = chat_of(USER, settings={"effort": "low"})
    assert request(prompt, config={"thinking_config": {"thinking_level": None}})[0] == {}
    assert request(chat_of(USER), config={"thinking_config": {"thinking_level": None}})[0] == {}
    both = {"thinking_config": {"thinking_level": None, "include_thoughts": True}}
    assert request(prompt, config=both)[0] == {"thinking_config": {"include_thoughts": True}}


def test_a_body_that_is_no_mapping_is_refused():
    settings = {"gemini": {"http_options": {"extra_body": 5}, "newThing": 1}}
    with pytest.raises(ConversionError, match=r"`settings.gemini.http_options.extra_body` is not a mapping"):
        request(chat_of(USER, settings=settings))


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
        ("stream", r"to stream, pass the same request to client\.models\.generate_content_stream"),
        ("max_tokens", r"pass config=\{'max_output_tokens': \.\.\.\}"),
        ("tool_choice", "pass config=.*function_calling_config"),
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


CHOSEN = full_prompt(output_schema=None, tool_choice="required", settings={"effort": "high"})


def package_config(**arguments):
    """Return the config of a request, which the package's own type accepts."""
    from google.genai import types

    config = GEMINI.build_request_sync(CHOSEN, {}, model="gemini-3-pro", **arguments)["config"]
    types.GenerateContentConfig.model_validate(config)
    return config


@pytest.mark.newest
@pytest.mark.parametrize("place", ["config", "extra"])
def test_objects_of_the_package_keep_what_the_prompt_sets(place):
    from google.genai import types

    typed = types.GenerateContentConfig(
        temperature=0.1,
        thinking_config=types.ThinkingConfig(include_thoughts=True),
        tool_config=types.ToolConfig(retrieval_config=types.RetrievalConfig(language_code="de")),
        tools=[types.Tool(google_search=types.GoogleSearch())],
    )
    given = {"config": typed} if place == "config" else {"extra": {"config": typed}}
    config = package_config(**given)
    assert config["temperature"] == 0.1
    assert config["thinking_config"] == {"thinking_level": "HIGH", "include_thoughts": True}
    assert config["tool_config"]["function_calling_config"] == {"mode": "ANY"}
    assert config["tool_config"]["retrieval_config"].language_code == "de"
    assert len(config["tools"]) == 2


@pytest.mark.newest
def test_an_object_inside_extra_or_a_dict_is_merged():
    from google.genai import types

    thinking = types.ThinkingConfig(include_thoughts=True)
    merged = {"thinking_level": "HIGH", "include_thoughts": True}
    assert package_config(config={"thinking_config": thinking})["thinking_config"] == merged
    assert package_config(extra={"thinking_config": thinking})["thinking_config"] == merged
    options = types.GenerateContentConfig(http_options=types.HttpOptions(timeout=5))
    config = package_config(config=options, extra={"newThing": 1})
    assert config["http_options"] == {"timeout": 5, "extra_body": {"newThing": 1}}


@pytest.mark.parametrize("place", ["config", "extra"])
def test_the_spelling_of_the_rest_api_is_the_same_member(place):
    more = {"maxOutputTokens": 5, "thinkingConfig": {"includeThoughts": True}}
    config, _ = request(chat_of(USER, settings={"max_tokens": 9, "effort": "low"}), **{place: more})
    assert config == {
        "max_output_tokens": 5,
        "thinking_config": {"thinking_level": "LOW", "include_thoughts": True},
    }


def test_settings_of_gemini_in_the_spelling_of_the_rest_api_win():
    own = {"maxOutputTokens": 5, "thinkingConfig": {"thinkingBudget": 7}}
    config, _ = request(chat_of(USER, settings={"max_tokens": 9, "effort": "low", "gemini": own}))
    assert config == {"max_output_tokens": 5, "thinking_config": {"thinking_budget": 7}}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("creative", "`config` must be a mapping, such as .*, not str"),
        ([], "`config` must be a mapping, such as .*, not list"),
        ({"temprature": 1}, "`config` has no member 'temprature'; did you mean 'temperature'"),
        ({"thinking_config": 5}, "`config.thinking_config` must be a mapping, such as .*, not int"),
        ({"tools": {"google_search": {}}}, "`config.tools` must be a list of tools, not dict"),
        ({"maxOutputTokens": 5, "max_output_tokens": 6}, "has 'max_output_tokens' twice"),
    ],
    ids=str,
)
def test_a_config_that_is_none_is_refused_by_name(config, message):
    with pytest.raises(TypeError, match=message):
        request(chat_of(USER), config=config)


@pytest.mark.parametrize(
    ("more", "member", "sent"),
    [
        ({"thinking_config": {"thinking_budget": 5}}, "thinking_config", {"thinking_budget": 5}),
        (
            {"tool_config": {"function_calling_config": {"mode": "AUTO"}}},
            "tool_config",
            {"function_calling_config": {"mode": "AUTO"}},
        ),
    ],
    ids=["thinking", "choice"],
)
def test_the_choice_of_the_caller_replaces_that_of_the_prompt(more, member, sent):
    prompt = full_prompt(output_schema=None, tool_choice={"name": "stop"}, settings={"effort": "high"})
    config, _ = request(prompt, config=more)
    assert config[member] == sent
    settings = {"effort": "high", "gemini": more}
    config, _ = request(full_prompt(output_schema=None, tool_choice={"name": "stop"}, settings=settings))
    assert config[member] == sent


def test_base64_with_line_breaks_is_sent_without_them():
    parts = [
        {"type": "image", "media_type": "image/png", "data": "iVBO\nRw0K"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO\r\nRw0K"}},
    ]
    contents = GEMINI.convert_sync(chat_of({"role": "user", "content": parts}), {})["contents"]
    assert [part["inline_data"]["data"] for part in contents[0]["parts"]] == ["iVBORw0K", "iVBORw0K"]


@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        ({"role": "bot", "parts": [{"text": "T"}]}, r"message 0 of placeholder 'history'.*unknown role"),
        ({"role": 5, "parts": [{"text": "T"}]}, "`role`: expected a string, found a number"),
        ({"role": "user", "parts": [{"text": 5}]}, "`text` of part 0: expected a string, found a number"),
        ({"role": "user", "parts": [{"text": "T"}, "T"]}, "part 1: expected a mapping, found a string"),
        ({"role": "user", "parts": [{"inline_data": 5}]}, "`inline_data` of part 0: expected a mapping"),
        (
            {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "no base64!"}}]},
            "the data of part 0 are not base64",
        ),
        ({"role": "user", "parts": []}, r"message 0 \(user\): the content is empty"),
    ],
    ids=str,
)
def test_a_history_of_gemini_is_checked(turn, problem):
    with pytest.raises(ConversionError, match=problem):
        GEMINI.convert_sync(HISTORY, {"history": [turn, USER]})


def test_a_turn_without_parts_is_dropped_with_a_warning():
    lenient = GeminiIntegration(ENGINE, strict_validation=False)
    with pytest.warns(PromptConversionWarning, match="the content is empty; dropped"):
        made = lenient.convert_sync(HISTORY, {"history": [{"role": "model", "parts": []}, USER]})
    assert made["contents"] == [{"parts": [{"text": "U"}], "role": "user"}]


UPLOADED = "https://generativelanguage.googleapis.com/v1beta/files/abc"


def test_an_image_that_was_uploaded_to_google_is_sent_with_its_type():
    part = {"type": "image", "file_id": UPLOADED, "media_type": "image/{{kind}}"}
    made = GEMINI.convert_sync(chat_of({"role": "user", "content": [part]}), {"kind": "webp"})
    sent = {"file_data": {"mime_type": "image/webp", "file_uri": UPLOADED}}
    assert made["contents"] == [{"parts": [sent], "role": "user"}]
    rendered = {"type": "image", "file_id": UPLOADED, "media_type": "image/webp"}
    assert GEMINI.convert_sync(HISTORY, {"history": [{"role": "user", "content": [rendered]}]}) == made
    anthropic = AnthropicIntegration(ENGINE).convert_sync(
        HISTORY, {"history": [{"role": "user", "content": [rendered]}]}
    )
    assert anthropic["messages"][0]["content"][0]["source"] == {"type": "file", "file_id": UPLOADED}


@pytest.mark.parametrize(
    ("part", "problem", "hint"),
    [
        ({"type": "image", "file_id": UPLOADED}, "part 0 has no `media_type`", "add `media_type`, such as image/png"),
        ({"type": "image", "file_id": UPLOADED, "media_type": "image/bmp"}, "MIME type that Gemini does not", "use "),
        (
            {"type": "image_url", "image_url": {"url": UPLOADED}},
            "does not show its MIME type",
            "media_type: image/png}",
        ),
        (
            {"type": "image", "file_id": "file-1", "media_type": "image/png"},
            "is not the URI of a file at Google",
            "`uri`",
        ),
    ],
    ids=["no type", "unknown type", "as an address", "an id"],
)
def test_an_uploaded_image_without_its_type_has_a_hint(part, problem, hint):
    with pytest.raises(ConversionError, match=problem) as caught:
        GEMINI.convert_sync(HISTORY, {"history": [{"role": "user", "content": [part]}]})
    assert hint in caught.value.context["hint"]


@pytest.mark.parametrize("model", ["", " "])
def test_an_empty_name_of_a_model_is_refused(model):
    with pytest.raises(ConversionError, match="the name of the model is empty"):
        request(chat_of(USER, settings={"model": "m"}), model=model)


@pytest.mark.parametrize("budget", [0, 127])
def test_a_model_that_always_thinks_has_a_smallest_budget(budget):
    prompt = chat_of(USER, settings={"thinking_budget": budget})
    problem = "the model accepts only a `thinking_budget` of at least 128"
    with pytest.raises(ConversionError, match=problem):
        request(prompt, model="models/gemini-2.5-pro")
    with pytest.warns(PromptConversionWarning, match=f"{problem}; sent as 128"):
        sent = GeminiIntegration(TemplateEngine(), strict_validation=False).build_request_sync(
            prompt, {}, model="gemini-2.5-pro"
        )
    assert sent["config"]["thinking_config"] == {"thinking_budget": 128}
    given = {"thinking_config": {"thinking_budget": 7}}
    GeminiIntegration(TemplateEngine()).build_request_sync(prompt, {}, model="gemini-2.5-pro", config=given)
    for model in ("gemini-2.5-flash", "gemini-2.5-flash-lite"):
        config, _ = request(prompt, model=model)
        assert config["thinking_config"] == {"thinking_budget": budget}


def test_extra_settings_may_have_the_spelling_of_the_rest_api():
    extra = {
        "thinkingConfig": {"includeThoughts": True},
        "generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"},
    }
    prompt = chat_of(USER, settings={"extra": extra, "effort": "low"})
    config = GeminiIntegration(TemplateEngine()).build_request_sync(prompt, {}, model="gemini-3-pro")["config"]
    assert config["thinking_config"] == {"include_thoughts": True, "thinking_level": "LOW"}
    # The package has no argument for it, and adds it to the body as it is.
    assert config["http_options"] == {"extra_body": {"generationConfig": extra["generationConfig"]}}
    with pytest.raises(ConversionError, match=r"`settings\.extra\.max_output_tokens` is made of another part"):
        request(chat_of(USER, settings={"extra": {"maxOutputTokens": 5}}))


NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}


def recursive(**node):
    """Parameters with a node that refers to itself."""
    node = {**NODE, **node}
    return {"type": "object", "properties": {"node": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}


def test_parameters_that_repeat_in_a_required_member_are_refused():
    prompt = chat_of(USER, tools=[{"name": "f", "parameters": recursive(required=["next"])}])
    problem = "a schema that refers to itself in a required member"
    with pytest.raises(ConversionError, match=problem):
        request(prompt)
    lenient = GeminiIntegration(ENGINE, strict_validation=False)
    with pytest.warns(PromptConversionWarning, match=f"{problem}.*; sent unchanged"):
        made = lenient.build_request_sync(prompt, {}, model="m")
    with pytest.raises(RequestError, match="refers to itself in a required member"):
        gemini_api.check(made)
    _, said = request(chat_of(USER, tools=[{"name": "f", "parameters": recursive()}]))
    assert said == []
