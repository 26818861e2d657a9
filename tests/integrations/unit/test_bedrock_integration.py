"""Requests for Bedrock's Converse API: what becomes of settings, tools, the schema of the answer and bytes."""

from __future__ import annotations

import json
import warnings

import pytest

from helpers import chat_of, everything_said_by
from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import ConversionError, IncompatibleFormatError
from prompt_manager.integrations import BedrockIntegration, OpenAIIntegration, PromptConversionWarning
from providers.samples import HISTORY, OUTPUT_SCHEMA, full_prompt

pytestmark = pytest.mark.unit

ENGINE = TemplateEngine()
BEDROCK = BedrockIntegration(ENGINE)
USER = {"role": "user", "content": "U"}
CALLED = [
    USER,
    {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "look-up", "arguments": {}}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "R"},
]
CLAUDE = "anthropic.claude-sonnet-4-5"
AS_THE_MODEL_HAS_IT = (
    " (if the model has it, write it under `settings.bedrock.additionalModelRequestFields`, as the model spells it)"
)


def request(prompt, integration=BEDROCK, **arguments):
    """Return the request without its messages, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = integration.build_request_sync(prompt, {}, **{"model": "m", **arguments})
    del made["messages"], made["modelId"]
    return made, [str(warning.message) for warning in caught]


def test_a_text_prompt_needs_to_messages_except_in_a_request():
    prompt = Prompt(id="hi", format="text", template="Hi")
    with pytest.raises(IncompatibleFormatError, match="uses TEXT format, but Bedrock requires CHAT format"):
        BEDROCK.convert_sync(prompt, {})
    message = {"role": "user", "content": [{"text": "Hi"}]}
    assert BedrockIntegration(ENGINE, to_messages=True).convert_sync(prompt, {}) == {"messages": [message]}
    assert BEDROCK.build_request_sync(prompt, {}, model="m") == {"modelId": "m", "messages": [message]}


def test_settings_have_the_names_of_bedrock():
    settings = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 100, "stop": ["END"], "effort": "high"}
    made, said = request(chat_of(USER, settings=settings))
    assert made == {
        "inferenceConfig": {"temperature": 0.5, "topP": 0.9, "maxTokens": 100, "stopSequences": ["END"]},
        "outputConfig": {"effort": "high"},
    }
    assert said == []


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (CLAUDE, {"top_k": 5}),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5", {"top_k": 5}),
        ("us.mistral.pixtral-large-2502-v1:0", {"top_k": 5}),
        ("us.amazon.nova-lite-v1:0", {"inferenceConfig": {"topK": 5}}),
        ("cohere.command-r-v1:0", {"k": 5}),
    ],
)
def test_top_k_has_the_spelling_of_the_model(model, fields):
    prompt = chat_of(USER, settings={"top_k": 5})
    assert request(prompt, model=model) == ({"additionalModelRequestFields": fields}, [])
    own = chat_of(USER, settings={"top_k": 5, "bedrock": {"top_k": 7}})
    assert request(own, model=model) == ({"additionalModelRequestFields": {"top_k": 7}}, [])


@pytest.mark.parametrize("model", ["meta.llama3-1-8b-instruct-v1:0", "arn:aws:bedrock:us-east-1:1:prompt-router/a"])
def test_top_k_is_left_out_for_a_model_that_may_not_have_it(model):
    made, said = request(chat_of(USER, settings={"top_k": 5}), model=model)
    assert made == {}
    assert said == [f"Bedrock does not accept `settings.top_k`; left out{AS_THE_MODEL_HAS_IT}"]


def test_what_bedrock_lacks_is_left_out_with_a_warning():
    settings = {"seed": 1, "presence_penalty": 0.1, "verbosity": "low", "thinking_budget": 2000, "effort": "none"}
    made, said = request(chat_of(USER, settings=settings))
    assert made == {"outputConfig": {"effort": "low"}}
    remedy = AS_THE_MODEL_HAS_IT
    assert said == [
        f"Bedrock does not accept `settings.seed`; left out{remedy}",
        f"Bedrock does not accept `settings.presence_penalty`; left out{remedy}",
        f"Bedrock does not accept `settings.thinking_budget`; left out{remedy}",
        "Bedrock has no effort `none`; sent as `low`",
        "Bedrock does not accept `settings.verbosity`; left out",
    ]


@pytest.mark.parametrize(
    ("budget", "thinking"), [(2000, {"type": "enabled", "budget_tokens": 2000}), (0, {"type": "disabled"})]
)
def test_a_budget_for_thinking_is_for_models_of_anthropic(budget, thinking):
    made, _ = request(chat_of(USER, settings={"thinking_budget": budget}), model=CLAUDE)
    assert made == {"additionalModelRequestFields": {"thinking": thinking}}


@pytest.mark.parametrize(
    "settings",
    [
        {"max_tokens": 2000},
        {"bedrock": {"inferenceConfig": {"maxTokens": 2000}}},
        {"max_tokens": 9000, "bedrock": {"inferenceConfig": {"maxTokens": 2000}}},
        {"extra": {"inferenceConfig": {"maxTokens": 2000}}},
    ],
    ids=str,
)
def test_a_budget_that_is_not_below_the_limit_is_refused_or_left_out(settings):
    prompt = chat_of(USER, settings={"thinking_budget": 2000, **settings})
    problem = "Claude accepts only a `thinking_budget` below `inferenceConfig.maxTokens`, which is 2000"
    with pytest.raises(ConversionError, match=problem) as caught:
        request(prompt, model=CLAUDE)
    assert caught.value.context["hint"] == "raise `max_tokens`, or lower `thinking_budget`"
    made, said = request(prompt, BedrockIntegration(ENGINE, strict_validation=False), model=CLAUDE)
    assert made == {"inferenceConfig": {"maxTokens": 2000}}
    assert said == [f"{problem}; left out"]


def test_a_budget_that_is_too_small_is_refused_or_raised():
    prompt = chat_of(USER, settings={"thinking_budget": 500})
    with pytest.raises(ConversionError, match="Claude accepts only a `thinking_budget` of at least 1024"):
        request(prompt, model=CLAUDE)
    made, said = request(prompt, BedrockIntegration(ENGINE, strict_validation=False), model=CLAUDE)
    assert made == {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}}}
    assert said == ["Claude accepts only a `thinking_budget` of at least 1024; sent as 1024"]


def test_thinking_of_the_provider_or_the_caller_replaces_the_budget():
    thinking = {"thinking": {"type": "adaptive"}}
    settings = {"thinking_budget": 2000, "bedrock": thinking}
    assert request(chat_of(USER, settings=settings), model=CLAUDE)[0] == {"additionalModelRequestFields": thinking}
    prompt = chat_of(USER, settings={"thinking_budget": 2000})
    made, _ = request(prompt, model=CLAUDE, additionalModelRequestFields=thinking)
    assert made == {"additionalModelRequestFields": thinking}


def test_a_temperature_above_one_is_refused_or_lowered():
    prompt = chat_of(USER, settings={"temperature": 1.5})
    with pytest.raises(ConversionError, match="Bedrock accepts only a temperature from 0 to 1"):
        request(prompt)
    made, said = request(prompt, BedrockIntegration(ENGINE, strict_validation=False))
    assert made == {"inferenceConfig": {"temperature": 1.0}}
    assert said == ["Bedrock accepts only a temperature from 0 to 1; sent as 1"]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [("auto", {"auto": {}}), ("required", {"any": {}}), ({"name": "stop"}, {"tool": {"name": "stop"}})],
    ids=str,
)
def test_tools_are_specs_with_a_choice(choice, sent):
    made, _ = request(full_prompt(tool_choice=choice, output_schema=None))
    specs = [tool["toolSpec"] for tool in made["toolConfig"]["tools"]]
    assert [spec["name"] for spec in specs] == ["look-up", "stop"]
    assert specs[0]["inputSchema"]["json"]["required"] == ["id"]
    assert made["toolConfig"]["toolChoice"] == sent


def test_without_calls_the_choice_none_leaves_out_the_tools():
    made, said = request(full_prompt(tool_choice="none", output_schema=None))
    assert "toolConfig" not in made
    assert said == []


def test_with_calls_the_choice_none_is_refused_or_left_out():
    tools = full_prompt().tools
    prompt = chat_of({"role": "placeholder", "name": "history"}, tools=tools, tool_choice="none")
    with pytest.raises(ConversionError, match="Bedrock has no `tool_choice` `none`") as caught:
        BEDROCK.build_request_sync(prompt, {"history": CALLED}, model="m")
    assert caught.value.context["hint"] == "remove `tool_choice`, or the calls of the history"
    lenient = BedrockIntegration(ENGINE, strict_validation=False)
    with pytest.warns(PromptConversionWarning, match="needs the tools of earlier calls; left out"):
        made = lenient.build_request_sync(prompt, {"history": CALLED}, model="m")
    assert [*made["toolConfig"]] == ["tools"]


def test_a_history_with_calls_needs_tools():
    with pytest.raises(ConversionError, match="Bedrock needs these tools in the request") as caught:
        BEDROCK.build_request_sync(HISTORY, {"history": CALLED}, model="m")
    assert caught.value.context["hint"] == "add the tools to the prompt"
    lenient = BedrockIntegration(ENGINE, strict_validation=False)
    with pytest.warns(PromptConversionWarning, match="sent with tools without parameters"):
        made = lenient.build_request_sync(HISTORY, {"history": CALLED}, model="m")
    spec = {"name": "look-up", "inputSchema": {"json": {"type": "object"}}}
    assert made["toolConfig"] == {"tools": [{"toolSpec": spec}]}
    config = {"tools": [{"toolSpec": {"name": "look-up", "inputSchema": {"json": {"type": "object"}}}}]}
    made = BEDROCK.build_request_sync(HISTORY, {"history": CALLED}, model="m", toolConfig=config)
    assert made["toolConfig"] == config


def test_a_tool_of_the_settings_with_the_name_of_another_is_refused_or_wins():
    own = {"toolSpec": {"name": "f", "description": "Own", "inputSchema": {"json": {"type": "object"}}}}
    settings = {"bedrock": {"toolConfig": {"tools": [own]}}}
    prompt = chat_of(USER, tools=[{"name": "f"}], settings=settings)
    with pytest.raises(ConversionError, match="two tools have the name `f`"):
        request(prompt)
    made, said = request(prompt, BedrockIntegration(ENGINE, strict_validation=False))
    assert made["toolConfig"]["tools"] == [own]
    assert said == ["two tools have the name `f`; the first one is left out"]


@pytest.mark.parametrize(
    ("config", "problem"),
    [([], "`settings.bedrock.toolConfig` is not a mapping"), ({"tools": {}}, "toolConfig.tools` is not a list")],
)
def test_tools_are_not_lost_beside_a_broken_tool_config(config, problem):
    prompt = chat_of(USER, tools=[{"name": "f"}], settings={"bedrock": {"toolConfig": config}})
    with pytest.raises(ConversionError, match=problem):
        request(prompt, BedrockIntegration(ENGINE, strict_validation=False))


def test_a_strict_tool_is_closed():
    parameters = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    made, _ = request(chat_of(USER, tools=[{"name": "f", "strict": True, "parameters": parameters}]))
    [tool] = made["toolConfig"]["tools"]
    assert tool["toolSpec"]["strict"] is True
    assert tool["toolSpec"]["inputSchema"]["json"]["additionalProperties"] is False


def test_the_schema_of_an_answer_is_a_text_and_has_no_instructions():
    made, _ = request(chat_of({"role": "system", "content": "S"}, USER, output_schema=OUTPUT_SCHEMA))
    text_format = made["outputConfig"]["textFormat"]
    assert text_format["type"] == "json_schema"
    schema = json.loads(text_format["structure"]["jsonSchema"]["schema"])
    assert (schema["required"], schema["additionalProperties"]) == (["answer"], False)
    assert made["system"] == [{"text": "S"}]


def test_the_schema_can_be_a_tool_that_the_model_must_call():
    prompt = chat_of({"role": "system", "content": "S"}, USER, output_schema=OUTPUT_SCHEMA)
    made, _ = request(prompt, BedrockIntegration(ENGINE, schema_tool=True))
    [tool] = made["toolConfig"]["tools"]
    name = tool["toolSpec"]["name"]
    assert made["toolConfig"]["toolChoice"] == {"tool": {"name": name}}
    assert tool["toolSpec"]["inputSchema"]["json"]["required"] == ["answer"]
    assert "outputConfig" not in made
    # Instructions to answer with JSON would contradict the tool.
    assert made["system"] == [{"text": "S"}]


TOOL_SCHEMA = {"type": "object", "title": "answer", "properties": {"a": {"type": "string"}}, "required": ["a"]}


@pytest.mark.parametrize("choice", [None, "required"])
def test_beside_the_schema_tool_the_model_can_call_other_tools(choice):
    chosen = {"tool_choice": choice} if choice else {}
    prompt = chat_of(USER, tools=[{"name": "f"}], output_schema=TOOL_SCHEMA, **chosen)
    made, said = request(prompt, BedrockIntegration(ENGINE, schema_tool=True))
    assert made["toolConfig"]["toolChoice"] == {"any": {}}
    assert len(made["toolConfig"]["tools"]) == 2
    assert said == []


@pytest.mark.parametrize("choice", ["auto", {"name": "f"}], ids=str)
def test_a_choice_against_the_schema_tool_is_refused_or_replaced(choice):
    prompt = chat_of(USER, tools=[{"name": "f"}], output_schema=TOOL_SCHEMA, tool_choice=choice)
    with pytest.raises(ConversionError, match="does not make the model call the tool of the output schema"):
        request(prompt, BedrockIntegration(ENGINE, schema_tool=True))
    made, said = request(prompt, BedrockIntegration(ENGINE, schema_tool=True, strict_validation=False))
    assert made["toolConfig"]["toolChoice"] == {"any": {}}
    assert said[0].endswith("the tool of the output schema; replaced")


def test_the_schema_tool_has_a_name_of_its_own():
    name = request(chat_of(USER, output_schema=TOOL_SCHEMA), BedrockIntegration(ENGINE, schema_tool=True))[0][
        "toolConfig"
    ]["tools"][0]["toolSpec"]["name"]
    prompt = chat_of(USER, tools=[{"name": name}], output_schema=TOOL_SCHEMA)
    with pytest.raises(ConversionError, match=f"the output schema and a tool are both named `{name}`"):
        request(prompt, BedrockIntegration(ENGINE, schema_tool=True))
    made, _ = request(prompt, BedrockIntegration(ENGINE, schema_tool=True, strict_validation=False))
    names = [tool["toolSpec"]["name"] for tool in made["toolConfig"]["tools"]]
    assert sorted(names) == [name, f"{name}_answer"]


SCHEMA_TOOL = BedrockIntegration(ENGINE, schema_tool=True)
ANY_SCHEMA_TOOL = BedrockIntegration(ENGINE, schema_tool=True, strict_validation=False)


def spec(name):
    return {"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}}


def test_beside_the_schema_tool_the_model_can_call_the_tools_of_the_caller():
    prompt = chat_of(USER, output_schema=TOOL_SCHEMA)
    made, said = request(prompt, SCHEMA_TOOL, toolConfig={"tools": [spec("f")]})
    assert made["toolConfig"]["toolChoice"] == {"any": {}}
    assert [tool["toolSpec"]["name"] for tool in made["toolConfig"]["tools"]] == ["output_schema", "f"]
    assert said == []
    with pytest.raises(ConversionError, match="the output schema and a tool are both named `output_schema`"):
        request(prompt, SCHEMA_TOOL, toolConfig={"tools": [spec("output_schema")]})
    made, _ = request(prompt, ANY_SCHEMA_TOOL, toolConfig={"tools": [spec("output_schema")]})
    assert [tool["toolSpec"]["name"] for tool in made["toolConfig"]["tools"]] == [
        "output_schema_answer",
        "output_schema",
    ]


def test_a_choice_of_the_caller_against_the_schema_tool_is_refused_or_wins():
    prompt = chat_of({"role": "system", "content": "S"}, USER, tools=[{"name": "f"}], output_schema=TOOL_SCHEMA)
    for choice in ({"auto": {}}, {"tool": {"name": "f"}}):
        config = {"toolChoice": choice}
        with pytest.raises(ConversionError, match="does not make the model call the tool of the output schema"):
            request(prompt, SCHEMA_TOOL, toolConfig=config)
        made, said = request(prompt, ANY_SCHEMA_TOOL, toolConfig=config)
        assert made["toolConfig"]["toolChoice"] == choice
        assert said[0].endswith("the tool of the output schema; sent unchanged")
        # The model may answer without the tool, so it is told what to answer.
        assert "Answer with one JSON object" in made["system"][0]["text"]
    for choice in ({"any": {}}, {"tool": {"name": "output_schema"}}):
        made, said = request(prompt, SCHEMA_TOOL, toolConfig={"toolChoice": choice})
        assert (made["toolConfig"]["toolChoice"], said) == (choice, [])
        assert made["system"] == [{"text": "S"}]


def test_without_a_tool_config_there_is_no_schema_tool():
    prompt = chat_of({"role": "system", "content": "S"}, USER, output_schema=TOOL_SCHEMA)
    made, _ = request(prompt, SCHEMA_TOOL, toolConfig=None)
    assert "toolConfig" not in made
    assert "Answer with one JSON object" in made["system"][0]["text"]


THINKS = {"thinking_budget": 2000}
FORCED = "Claude accepts no `tool_choice` that makes it call a tool while it thinks"


@pytest.mark.parametrize("choice", ["required", {"name": "f"}], ids=str)
def test_thinking_beside_a_forced_tool_is_refused_or_left_out(choice):
    prompt = chat_of(USER, tools=[{"name": "f"}], tool_choice=choice, settings=THINKS)
    with pytest.raises(ConversionError, match=FORCED) as caught:
        request(prompt, model=CLAUDE)
    assert caught.value.context["hint"] == "remove `thinking_budget`, or set `tool_choice` to `auto`"
    made, said = request(prompt, BedrockIntegration(ENGINE, strict_validation=False), model=CLAUDE)
    assert [*made] == ["toolConfig"]
    assert said == [f"{FORCED}; sent without thinking"]
    assert request(prompt, model="amazon.nova-lite-v1:0")[0]["toolConfig"]["toolChoice"]


def test_thinking_beside_the_schema_tool_is_refused_or_left_out():
    prompt = chat_of(USER, output_schema=TOOL_SCHEMA, settings=THINKS)
    with pytest.raises(ConversionError, match=FORCED) as caught:
        request(prompt, SCHEMA_TOOL, model=CLAUDE)
    assert caught.value.context["hint"] == "remove `thinking_budget`, or leave out schema_tool=True"
    made, _ = request(prompt, ANY_SCHEMA_TOOL, model=CLAUDE)
    assert "additionalModelRequestFields" not in made
    assert "thinking" in str(request(prompt, model=CLAUDE)[0])


def test_thinking_of_the_caller_leaves_out_the_choice_of_the_prompt():
    prompt = chat_of(USER, tools=[{"name": "f"}], tool_choice="required")
    thinking = {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}}}
    with pytest.raises(ConversionError, match=FORCED):
        request(prompt, model=CLAUDE, **thinking)
    lenient = BedrockIntegration(ENGINE, strict_validation=False)
    made, said = request(prompt, lenient, model=CLAUDE, **thinking)
    assert [*made["toolConfig"]] == ["tools"]
    assert said == [f"{FORCED}; the choice is left out"]
    both, said = request(prompt, model=CLAUDE, toolConfig={"toolChoice": {"any": {}}}, **thinking)
    assert (both["toolConfig"]["toolChoice"], said) == ({"any": {}}, [])
    off = {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}
    assert request(prompt, model=CLAUDE, **off)[0]["toolConfig"]["toolChoice"] == {"any": {}}
    chosen = chat_of(USER, tools=[{"name": "f"}], settings=THINKS)
    with pytest.raises(ConversionError, match=FORCED):
        request(chosen, model=CLAUDE, toolConfig={"toolChoice": {"any": {}}})


def test_none_leaves_out_a_member_of_a_mapping():
    prompt = chat_of(USER, settings={"max_tokens": 9, "effort": "low", "temperature": 0.5})
    made, _ = request(prompt, inferenceConfig={"maxTokens": None}, outputConfig={"effort": None})
    assert made == {"inferenceConfig": {"temperature": 0.5}}
    assert request(chat_of(USER), inferenceConfig={"maxTokens": None}, outputConfig={"effort": None})[0] == {}
    schema = chat_of(USER, output_schema=TOOL_SCHEMA)
    assert request(schema, outputConfig={"textFormat": None})[1] == []


@pytest.mark.parametrize("tools", [[], None])
def test_no_tools_of_the_caller_remove_those_of_the_prompt(tools):
    settings = {"bedrock": {"toolConfig": {"tools": [spec("g")], "toolChoice": {"any": {}}}}}
    prompt = chat_of(USER, tools=[{"name": "f"}], tool_choice="required", settings=settings)
    assert request(prompt, toolConfig={"tools": tools})[0] == {}
    assert request(chat_of(USER), toolConfig={"tools": tools})[0] == {}


def test_no_tools_of_the_caller_beside_a_history_with_calls_are_refused():
    prompt = chat_of({"role": "placeholder", "name": "history"}, tools=[{"name": "look-up"}])
    arguments = {"model": "m", "toolConfig": {"tools": []}}
    with pytest.raises(ConversionError, match="Bedrock needs these tools in the request"):
        BEDROCK.build_request_sync(prompt, {"history": CALLED}, **arguments)
    with pytest.warns(PromptConversionWarning, match="sent with tools without parameters"):
        made = BedrockIntegration(ENGINE, strict_validation=False).build_request_sync(
            prompt, {"history": CALLED}, **arguments
        )
    assert made["toolConfig"] == {"tools": [spec("look-up")]}


def test_a_choice_of_the_prompt_is_for_the_tools_of_the_settings_too():
    settings = {"bedrock": {"toolConfig": {"tools": [spec("g")]}}}
    other = {"provider": "openai", "type": "web_search"}
    prompt = chat_of(USER, tools=[other], tool_choice="required", settings=settings)
    assert request(prompt)[0]["toolConfig"]["toolChoice"] == {"any": {}}


@pytest.mark.parametrize("place", ["bedrock", "extra"])
@pytest.mark.parametrize("name", ["inferenceConfig", "outputConfig", "additionalModelRequestFields"])
def test_a_mapping_of_the_settings_that_is_none_is_refused(name, place):
    settings = {"max_tokens": 9, "effort": "low", place: {name: 5}}
    with pytest.raises(ConversionError, match=f"`settings.{place}.{name}` is not a mapping"):
        request(chat_of(USER, settings=settings))
    made, _ = request(chat_of(USER, settings={"max_tokens": 9, place: {name: None}}))
    assert made == {"inferenceConfig": {"maxTokens": 9}}


@pytest.mark.parametrize("place", ["caller", "settings"])
def test_the_choice_of_the_caller_replaces_that_of_the_prompt(place):
    choice = {"toolChoice": {"auto": {}}}
    settings = {"bedrock": {"toolConfig": choice}} if place == "settings" else {}
    prompt = full_prompt(output_schema=None, tool_choice={"name": "stop"}, settings=settings)
    made, _ = request(prompt, **({"toolConfig": choice} if place == "caller" else {}))
    assert made["toolConfig"]["toolChoice"] == {"auto": {}}


def test_thinking_of_the_caller_replaces_that_of_the_prompt():
    prompt = chat_of(USER, settings={"thinking_budget": 2000})
    made, _ = request(prompt, model=CLAUDE, additionalModelRequestFields={"thinking": {"type": "adaptive"}})
    assert made["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"inferenceConfig": "fast"}, "`inferenceConfig` must be a mapping, such as .*, not str"),
        ({"inferenceConfig": {"max_tokens": 5}}, "no member 'max_tokens'; did you mean 'maxTokens'"),
        ({"toolConfig": {"tool": []}}, "no member 'tool'; did you mean 'tools'"),
        ({"outputConfig": {"format": {}}}, "`outputConfig` has no member 'format'; its members are"),
        ({"requestMetadata": 5}, "`requestMetadata` must be a mapping"),
    ],
    ids=str,
)
def test_a_mapping_of_the_caller_is_checked(arguments, message):
    with pytest.raises(TypeError, match=message):
        request(chat_of(USER), **arguments)


def test_cache_points_of_tools_count_too():
    parts = [{"type": "text", "text": str(number), "cache": True} for number in range(3)]
    point = {"provider": "bedrock", "cachePoint": {"type": "default"}}
    prompt = chat_of({"role": "user", "content": parts}, tools=[{"name": "f"}, point, {"name": "g"}, point])
    with pytest.raises(ConversionError, match="at most 4 cache points in a request, with those of the tools"):
        request(prompt)
    made, said = request(prompt, BedrockIntegration(ENGINE, strict_validation=False))
    assert [[*tool] for tool in made["toolConfig"]["tools"]] == [["toolSpec"], ["cachePoint"], ["toolSpec"]]
    assert said[0].endswith("the others are left out")


def test_an_empty_stop_text_is_refused_or_left_out():
    prompt = chat_of(USER, settings={"stop": ["", "END"]})
    with pytest.raises(ConversionError, match="Bedrock accepts no empty text in `stop`"):
        request(prompt)
    made, _ = request(prompt, BedrockIntegration(ENGINE, strict_validation=False))
    assert made == {"inferenceConfig": {"stopSequences": ["END"]}}


@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        ({"role": "bot", "content": [{"text": "T"}]}, r"message 0 of placeholder 'history'.*unknown role"),
        ({"content": [{"text": "T"}]}, "`role` is missing"),
        ({"role": "user", "content": [{"text": 5}]}, "`text` of block 0: expected a string, found a number"),
        ({"role": "user", "content": [{"text": "T"}, {"image": 5}]}, "`image` of block 1: expected a mapping"),
    ],
    ids=str,
)
def test_a_history_of_bedrock_is_checked(turn, problem):
    with pytest.raises(ConversionError, match=problem):
        BEDROCK.convert_sync(HISTORY, {"history": [turn, USER]})


def test_a_schema_outside_the_subset_stays_as_instructions():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    schema = {"type": "object", "properties": {"node": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": node}}
    made, said = request(chat_of(USER, output_schema=schema))
    assert [*made] == ["system"]
    assert "JSON Schema" in made["system"][0]["text"]
    assert "cannot be enforced" in said[0]
    assert said[0].endswith("left out")


def test_mappings_of_the_caller_are_merged_and_win():
    prompt = full_prompt(output_schema=None, settings={"temperature": 0.5, "max_tokens": 100, "top_k": 5})
    made, _ = request(
        prompt,
        model=CLAUDE,
        inferenceConfig={"temperature": 0.1},
        additionalModelRequestFields={"top_k": 1},
        toolConfig={"tools": [{"cachePoint": {"type": "default"}}]},
        requestMetadata={"team": "a"},
    )
    assert made["inferenceConfig"] == {"temperature": 0.1, "maxTokens": 100}
    assert made["additionalModelRequestFields"] == {"top_k": 1}
    assert [[*tool] for tool in made["toolConfig"]["tools"]] == [["toolSpec"], ["toolSpec"], ["cachePoint"]]
    assert made["requestMetadata"] == {"team": "a"}


def test_what_bedrock_does_not_know_goes_to_the_model():
    made, _ = request(chat_of(USER), extra={"seed": 1, "guardrailConfig": {"trace": "enabled"}, "maxTokens": 5})
    assert made == {
        "additionalModelRequestFields": {"seed": 1},
        "guardrailConfig": {"trace": "enabled"},
        "inferenceConfig": {"maxTokens": 5},
    }
    made, _ = request(chat_of(USER, settings={"bedrock": {"serviceTier": {"type": "flex"}, "seed": 2}}))
    assert made == {"serviceTier": {"type": "flex"}, "additionalModelRequestFields": {"seed": 2}}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("maxTokens", r"unexpected keyword argument 'maxTokens'; pass inferenceConfig=\{'maxTokens': \.\.\.\}"),
        ("toolconfig", "did you mean 'toolConfig'"),
        ("stream", r"to stream, pass the same request to client\.converse_stream"),
        ("max_tokens", r"pass inferenceConfig=\{'maxTokens': \.\.\.\}"),
        ("tools", r"pass toolConfig=\{'tools': "),
        ("modelId", r"pass model=\.\.\."),
    ],
)
def test_an_unknown_argument_is_refused_by_name(name, message):
    with pytest.raises(TypeError, match=message):
        BEDROCK.build_request_sync(chat_of(USER), {}, model="m", **{name: 1})


def test_bytes_of_a_history_come_back_as_bytes_and_are_base64_for_others():
    image = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
    sealed = {"reasoningContent": {"redactedContent": b"\x00\xff"}}
    history = [
        {"role": "user", "content": [{"text": "Q"}, image]},
        {"role": "assistant", "content": [sealed, {"text": "A"}]},
        {"role": "user", "content": [{"text": "R"}]},
    ]
    assert BEDROCK.convert_sync(HISTORY, {"history": history})["messages"] == history
    with pytest.warns(PromptConversionWarning, match="OpenAI does not accept `reasoningContent`; left out"):
        sent = OpenAIIntegration(ENGINE, strict_validation=False).convert_sync(HISTORY, {"history": history})
    assert sent[0]["content"][1]["image_url"] == {"url": "data:image/png;base64,iVBORw=="}


def test_bytes_that_are_not_base64_are_refused_without_their_text():
    image = {"image": {"format": "png", "source": {"bytes": "secret text!"}}}
    with pytest.raises(ConversionError, match=r"message 0 \(user\): the bytes of block 0 are not base64") as caught:
        BEDROCK.convert_sync(HISTORY, {"history": [{"role": "user", "content": [image, {"text": "Q"}]}]})
    assert "secret" not in everything_said_by(caught.value)


def test_data_of_a_tool_keeps_its_own_bytes():
    call = {"toolUse": {"toolUseId": "c", "name": "f", "input": {"bytes": "no base64!"}}}
    result = {"toolResult": {"toolUseId": "c", "content": [{"json": {"bytes": "no base64!"}}]}}
    history = [
        {"role": "user", "content": [{"text": "Q"}]},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    assert BEDROCK.convert_sync(HISTORY, {"history": history})["messages"] == history


def test_a_manager_builds_the_request_by_the_name_of_the_provider():
    manager = PromptManager()
    manager.create_prompt_sync(full_prompt(output_schema=None))
    made = manager.build_request_sync("explain", {}, "bedrock", model="m")
    assert (made["modelId"], made["system"]) == ("m", [{"text": "S"}])
    assert manager.convert_sync("explain", {}, "bedrock") == {
        "system": [{"text": "S"}],
        "messages": [{"role": "user", "content": [{"text": "U"}]}],
    }


def test_the_model_of_the_own_settings_may_have_bedrocks_name():
    prompt = chat_of(USER, settings={"model": "other", "bedrock": {"modelId": CLAUDE}})
    assert BEDROCK.build_request_sync(prompt, {})["modelId"] == CLAUDE
    assert BEDROCK.build_request_sync(prompt, {}, model="m")["modelId"] == "m"
    with pytest.raises(ConversionError, match=r"`settings\.bedrock\.modelId` is not a text"):
        BEDROCK.build_request_sync(chat_of(USER, settings={"model": "m", "bedrock": {"modelId": 5}}), {})
