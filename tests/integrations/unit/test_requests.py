"""Full requests: everything except the messages. ``integration/test_clients.py`` sends them with the SDKs."""

from __future__ import annotations

import warnings

import pytest

from helpers import SECRET, chat_of, create_chat_prompt, create_text_prompt
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError, IncompatibleFormatError, SchemaError
from prompt_manager.integrations import (
    AnthropicIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
    PromptConversionWarning,
)
from prompt_manager.validation import SchemaLoader

LOOKUP = {
    "name": "lookup",
    "description": "Find an order",
    "parameters": {"properties": {"id": {"type": "string"}}, "required": ["id"]},
}
PARAMETERS = {"type": "object", **LOOKUP["parameters"]}
TOPIC = {"topic": "AI"}

chat = OpenAIIntegration
anthropic = AnthropicIntegration
litellm = LiteLLMIntegration


def responses(engine, **options):
    return OpenAIIntegration(engine, api="responses", **options)


def request_of(integration, prompt, variables=TOPIC, **arguments):
    """Build a request, and remove the conversation."""
    request = integration.build_request_sync(prompt, variables, **arguments)
    return {key: value for key, value in request.items() if key not in {"messages", "system", "input", "instructions"}}


def asks(**changes):
    return create_chat_prompt(**changes)


def warned(integration, prompt, **arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        request = request_of(integration, prompt, **arguments)
    assert all(warning.category is PromptConversionWarning and warning.filename == __file__ for warning in caught)
    return request, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("make", [chat, responses, litellm])
async def test_a_request_is_the_converted_prompt_with_a_model(make):
    integration = make(TemplateEngine())
    form = integration.convert_sync(asks(), TOPIC)
    conversation = form if isinstance(form, dict) else {"messages": form}
    assert integration.build_request_sync(asks(), TOPIC, model="m") == {"model": "m", **conversation}
    assert await integration.build_request(asks(), TOPIC, model="m") == {"model": "m", **conversation}


@pytest.mark.parametrize("make", [chat, responses, litellm, anthropic])
def test_the_model_comes_from_the_argument_or_the_prompt(make):
    integration = make(TemplateEngine())
    prompt = asks(settings={"model": "from-prompt", "max_tokens": 5})
    assert request_of(integration, prompt)["model"] == "from-prompt"
    assert request_of(integration, prompt, model="given")["model"] == "given"
    with pytest.raises(ConversionError, match=r"Failed to convert prompt 'explain' .*no model is given") as caught:
        request_of(integration, asks())
    assert "model=" in str(caught.value)


def test_tools_are_converted_for_each_api():
    engine = TemplateEngine()
    prompt = asks(tools=[LOOKUP, {"name": "now", "strict": True}], settings={"model": "m", "max_tokens": 5})
    closed = {"type": "object", "properties": {}, "additionalProperties": False}
    strictly = {**closed, "required": []}
    function = {"name": "lookup", "description": "Find an order", "parameters": PARAMETERS}
    of_chat = [
        {"type": "function", "function": function},
        {"type": "function", "function": {"name": "now", "parameters": strictly, "strict": True}},
    ]
    assert request_of(chat(engine), prompt)["tools"] == of_chat
    assert request_of(litellm(engine), prompt)["tools"] == of_chat
    assert request_of(responses(engine), prompt)["tools"] == [
        {"type": "function", **function, "strict": False},
        {"type": "function", "name": "now", "parameters": strictly, "strict": True},
    ]
    assert request_of(anthropic(engine), prompt)["tools"] == [
        {"name": "lookup", "description": "Find an order", "input_schema": PARAMETERS},
        {"name": "now", "input_schema": closed, "strict": True},
    ]


@pytest.mark.parametrize(
    ("choice", "of_chat", "of_responses", "of_anthropic"),
    [
        ("auto", "auto", "auto", {"type": "auto"}),
        ("none", "none", "none", {"type": "none"}),
        ("required", "required", "required", {"type": "any"}),
        (
            {"name": "lookup"},
            {"type": "function", "function": {"name": "lookup"}},
            {"type": "function", "name": "lookup"},
            {"type": "tool", "name": "lookup"},
        ),
    ],
)
def test_tool_choice_is_converted_for_each_api(choice, of_chat, of_responses, of_anthropic):
    engine = TemplateEngine()
    prompt = asks(tools=[LOOKUP], tool_choice=choice, settings={"model": "m", "max_tokens": 5})
    assert request_of(chat(engine), prompt)["tool_choice"] == of_chat
    assert request_of(litellm(engine), prompt)["tool_choice"] == of_chat
    assert request_of(responses(engine), prompt)["tool_choice"] == of_responses
    assert request_of(anthropic(engine), prompt)["tool_choice"] == of_anthropic


def test_tool_choice_without_tools_is_not_sent():
    prompt = asks(tool_choice="auto", settings={"model": "m"})
    assert "tool_choice" not in request_of(chat(TemplateEngine()), prompt)


SETTINGS = {
    "model": "m",
    "temperature": 0.2,
    "top_p": 0.9,
    "top_k": 7,
    "max_tokens": 800,
    "stop": ["END"],
    "seed": 3,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.3,
    "extra": {"service_tier": "auto"},
}
COMMON = {"model": "m", "temperature": 0.2, "top_p": 0.9, "service_tier": "auto"}
PENALTIES = {"seed": 3, "presence_penalty": 0.1, "frequency_penalty": 0.3}


@pytest.mark.parametrize(
    ("make", "expected", "left_out"),
    [
        (chat, {**COMMON, "max_completion_tokens": 800, "stop": ["END"], **PENALTIES}, ["top_k"]),
        (
            responses,
            {**COMMON, "max_output_tokens": 800},
            ["top_k", "stop", "seed", "presence_penalty", "frequency_penalty"],
        ),
        (
            anthropic,
            {"model": "m", "max_tokens": 800, "stop_sequences": ["END"], "service_tier": "auto"},
            ["temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty"],
        ),
        (litellm, {**COMMON, "top_k": 7, "max_tokens": 800, "stop": ["END"], **PENALTIES}, []),
    ],
)
def test_settings_are_renamed_for_each_api_or_warned_about(make, expected, left_out):
    request, texts = warned(make(TemplateEngine()), asks(settings=SETTINGS))
    assert request == expected
    assert len(texts) == len(left_out)
    for text, name in zip(texts, left_out, strict=True):
        assert f"does not accept `settings.{name}`" in text
        assert "left out" in text


def test_settings_in_metadata_are_the_fallback():
    prompt = asks(metadata={"temperature": 0.5, "max_tokens": 9}, settings={"model": "m", "temperature": 0.1})
    request = request_of(chat(TemplateEngine()), prompt)
    assert request == {"model": "m", "temperature": 0.1, "max_completion_tokens": 9}


def test_sampling_for_anthropic_goes_into_extra_body():
    prompt = asks(settings={"model": "m", "max_tokens": 5, "temperature": 0.2, "top_k": 7})
    request, texts = warned(anthropic(TemplateEngine(), sampling=True), prompt)
    assert request == {"model": "m", "max_tokens": 5, "extra_body": {"temperature": 0.2, "top_k": 7}}
    assert texts == []
    with pytest.raises(ConversionError, match="temperature from 0 to 1"):
        request_of(
            anthropic(TemplateEngine(), sampling=True), prompt.replace(settings={"temperature": 1.5, "model": "m"})
        )


def test_anthropic_needs_max_tokens():
    prompt = asks(settings={"model": "m"})
    with pytest.raises(ConversionError, match="Anthropic requires `max_tokens`") as caught:
        request_of(anthropic(TemplateEngine()), prompt)
    assert "max_tokens=..." in str(caught.value)
    assert request_of(anthropic(TemplateEngine()), prompt, max_tokens=5) == {"model": "m", "max_tokens": 5}


def test_arguments_override_settings_and_none_removes_one():
    prompt = asks(settings={**SETTINGS, "top_k": None}, tools=[LOOKUP])
    request = request_of(
        chat(TemplateEngine()), prompt, max_tokens=5, temperature=None, tools=[], stream=True, seed=None
    )
    assert request == {
        "model": "m",
        "top_p": 0.9,
        "service_tier": "auto",
        "max_tokens": 5,
        "stop": ["END"],
        "stream": True,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.3,
    }


def test_too_many_stop_sequences_for_openai_are_an_error():
    prompt = asks(settings={"model": "m", "stop": list("abcde")})
    with pytest.raises(ConversionError, match="at most 4 texts in `stop`"):
        request_of(chat(TemplateEngine()), prompt)
    request, texts = warned(chat(TemplateEngine(), strict_validation=False), prompt)
    assert request["stop"] == list("abcd")
    assert len(texts) == 1
    assert request_of(litellm(TemplateEngine()), prompt)["stop"] == list("abcde")


def test_a_text_prompt_is_a_user_message_of_a_request():
    prompt = create_text_prompt(settings={"model": "m", "max_tokens": 5})
    engine = TemplateEngine()
    ada = {"name": "Ada"}
    messages = [{"role": "user", "content": "Hello Ada!"}]
    limits = {chat: "max_completion_tokens", litellm: "max_tokens", anthropic: "max_tokens"}
    for make, limit in limits.items():
        request = make(engine).build_request_sync(prompt, ada)
        assert request == {"model": "m", "messages": messages, limit: 5}
    request = responses(engine).build_request_sync(prompt, ada)
    assert request == {"model": "m", "input": messages, "max_output_tokens": 5}
    for make in (chat, litellm, responses):
        assert make(engine).convert_sync(prompt, ada) == "Hello Ada!"
    assert chat(engine, to_messages=True).convert_sync(prompt, ada) == messages
    assert litellm(engine, to_messages=True).convert_sync(prompt, ada) == messages
    assert anthropic(engine, to_messages=True).convert_sync(prompt, ada) == {"messages": messages}
    assert responses(engine, to_messages=True).convert_sync(prompt, ada) == {"input": messages}
    with pytest.raises(IncompatibleFormatError, match="to_messages=True"):
        anthropic(engine).convert_sync(prompt, ada)


@pytest.mark.parametrize("make", [chat, responses, litellm, anthropic])
def test_a_text_prompt_can_have_tools_and_an_output_schema(make):
    settings = {"model": "m", "max_tokens": 5}
    prompt = create_text_prompt(settings=settings, tools=[LOOKUP], output_schema=ANSWER)
    request = request_of(make(TemplateEngine()), prompt, {"name": "Ada"})
    assert len(request["tools"]) == 1
    assert "json_schema" in str(request)


ANSWER = {
    "type": "object",
    "properties": {"mood": {"type": "string"}, "score": {"type": "integer"}},
    "required": ["mood"],
    "additionalProperties": False,
}
STRICT = {
    "type": "object",
    "properties": {"mood": {"type": "string"}, "score": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
    "required": ["mood", "score"],
    "additionalProperties": False,
}


def test_structured_output_is_requested_from_each_api():
    engine = TemplateEngine()
    prompt = asks(output_schema=ANSWER, settings={"model": "m", "max_tokens": 5})
    of_chat = request_of(chat(engine), prompt)["response_format"]
    schema = of_chat["json_schema"]["schema"]
    assert of_chat == {
        "type": "json_schema",
        "json_schema": {"name": "output_schema", "schema": schema, "strict": True},
    }
    assert schema["required"] == ["mood", "score"]
    assert schema["additionalProperties"] is False
    assert request_of(litellm(engine), prompt)["response_format"] == of_chat
    of_responses = request_of(responses(engine), prompt)["text"]
    assert of_responses == {"format": {"type": "json_schema", **of_chat["json_schema"]}}
    of_anthropic = request_of(anthropic(engine), prompt)["output_config"]
    # Anthropic's subset has optional keys.
    assert of_anthropic == {"format": {"type": "json_schema", "schema": {**ANSWER, "title": "output_schema"}}}
    older = request_of(anthropic(engine, extra_body=True), prompt)
    assert older == {"model": "m", "max_tokens": 5, "extra_body": {"output_config": of_anthropic}}


def test_structured_output_can_be_disabled_or_overridden():
    engine = TemplateEngine()
    prompt = asks(output_schema=ANSWER, settings={"model": "m", "max_tokens": 5})
    assert "response_format" not in request_of(chat(engine, structured_output=False), prompt)
    assert "output_config" not in request_of(anthropic(engine, structured_output=False), prompt)
    given = {"type": "json_object"}
    request, texts = warned(chat(engine), prompt, response_format=given)
    assert request["response_format"] == given
    assert texts == [
        "the argument `response_format` replaces the format; the output schema `output_schema` is not sent"
    ]
    assert "response_format" not in request_of(chat(engine), prompt, response_format=None)
    assert "output_config" not in request_of(anthropic(engine), prompt, output_config=None)
    merged = request_of(anthropic(engine, extra_body=True), prompt, extra_body={"x": 1})["extra_body"]
    assert set(merged) == {"output_config", "x"}


def test_unsupported_schemas_are_requested_without_strict():
    engine = TemplateEngine()
    free = {"type": "object", "additionalProperties": True, "properties": {"x": {"type": "object"}}}
    prompt = asks(output_schema=free, settings={"model": "m", "max_tokens": 5})
    request, texts = warned(chat(engine), prompt)
    assert request["response_format"]["json_schema"]["strict"] is False
    assert len(texts) == 1
    assert "sent without strict mode" in texts[0]
    request, texts = warned(anthropic(engine), prompt)
    assert "output_config" not in request
    assert "left out" in texts[0]


def list_schemas(kind):
    from pydantic import RootModel

    schemas = SchemaLoader()
    schemas.register_model("answers", RootModel[kind])
    return schemas


@pytest.mark.parametrize("make", [chat, responses, litellm])
@pytest.mark.parametrize("kind", [list[str], str, str | None])
def test_an_output_schema_that_is_no_object_is_refused_with_a_remedy(make, kind):
    prompt = asks(output_schema="answers", settings={"model": "m"})
    with pytest.raises(ConversionError, match="output schema `answers` is not an object") as caught:
        request_of(make(TemplateEngine(), schemas=list_schemas(kind)), prompt)
    assert "put it into an object under a key" in str(caught.value)
    lenient = make(TemplateEngine(), schemas=list_schemas(kind), strict_validation=False)
    with pytest.warns(PromptConversionWarning, match="is not an object, and .* accepts no other; left out"):
        request = lenient.build_request_sync(prompt, TOPIC)
    assert "json_schema" not in str(request)
    # The prompt describes the answer instead.
    assert INSTRUCTIONS[:6] in str(request)


def test_a_model_that_refers_to_itself_is_an_object_at_its_root():
    from pydantic import BaseModel

    class Node(BaseModel):
        more: dict[str, int]
        children: list[Node] = []

    Node.model_rebuild(_types_namespace={"Node": Node})
    schemas = SchemaLoader()
    schemas.register_model("node", Node)
    prompt = asks(output_schema="node", settings={"model": "m"})
    with pytest.warns(PromptConversionWarning, match="sent without strict mode"):
        request = request_of(chat(TemplateEngine(), schemas=schemas), prompt)
    schema = request["response_format"]["json_schema"]["schema"]
    assert schema["type"] == "object"
    assert set(schema["properties"]) == {"more", "children"}


def test_a_named_schema_comes_from_the_given_schemas():
    prompt = asks(output_schema="mood", settings={"model": "m"})
    schemas = SchemaLoader()
    schemas.register({"name": "mood", "fields": [{"name": "mood", "type": "string"}]})
    request = request_of(chat(TemplateEngine(), schemas=schemas), prompt)
    assert request["response_format"]["json_schema"]["name"] == "mood"
    with pytest.raises(SchemaError, match="mood"):
        request_of(chat(TemplateEngine()), prompt)


@pytest.mark.parametrize("make", [chat, responses, anthropic, litellm])
def test_errors_and_warnings_of_a_request_show_no_value(make):
    prompt = chat_of({"role": "user", "content": "{{x}}", "name": "{{x}}"}, settings={"model": "m"})
    integration = make(TemplateEngine())
    with pytest.raises(ConversionError) as caught:
        integration.build_request_sync(prompt, {"x": f"{SECRET}!"})
    assert SECRET not in f"{caught.value} {caught.value.context}"


# What `settings.extra` sets, the API, and where the hint says it belongs.
MISPLACED = [
    ({"model": "x"}, chat, "settings.model"),
    ({"messages": []}, chat, "messages of the prompt"),
    ({"messages": []}, anthropic, "messages of the prompt"),
    ({"system": "x"}, anthropic, "messages of the prompt"),
    ({"input": "x"}, responses, "messages of the prompt"),
    ({"instructions": "x"}, responses, "messages of the prompt"),
    ({"messages": []}, litellm, "messages of the prompt"),
    ({"temperature": 1}, chat, "settings.temperature"),
    ({"max_completion_tokens": 1}, chat, "settings.max_tokens"),
    ({"max_output_tokens": 1}, responses, "settings.max_tokens"),
    ({"stop_sequences": ["x"]}, anthropic, "settings.stop"),
    ({"top_k": 1}, litellm, "settings.top_k"),
    ({"extra_body": {"model": "x"}}, chat, "settings.model"),
    ({"extra_body": {"messages": []}}, anthropic, "messages of the prompt"),
    ({"extra_body": {"input": []}}, responses, "messages of the prompt"),
    ({"extra_body": 1}, chat, "mapping"),
    ({"tools": {}}, chat, "a list of tools"),
    ({"tool_choice": "none"}, chat, "keep one of the two"),
]


@pytest.mark.parametrize(("extra", "make", "hint"), MISPLACED)
def test_extra_cannot_replace_what_the_prompt_sets(extra, make, hint):
    prompt = asks(settings={"model": "m", "max_tokens": 5, "extra": extra}, tools=[LOOKUP], tool_choice="auto")
    with pytest.raises(ConversionError, match=r"settings\.extra") as caught:
        request_of(make(TemplateEngine()), prompt)
    assert hint in str(caught.value)


def test_arguments_of_the_call_win_over_extra():
    engine = TemplateEngine()
    extra = {
        "service_tier": "flex",
        "metadata": {"a": "1", "b": "1"},
        "extra_body": {"x": 1, "y": {"z": 1}, "user": "u"},
    }
    prompt = asks(settings={"model": "m", "max_tokens": 5, "extra": extra})
    for make in (chat, responses, anthropic, litellm):
        request = request_of(
            make(engine),
            prompt,
            model="n",
            service_tier="auto",
            metadata={"b": "2"},
            extra_body={"x": 2, "y": {"w": 2}, "user": "me"},
        )
        assert request["model"] == "n"
        assert request["service_tier"] == "auto"
        assert request["metadata"] == {"a": "1", "b": "2"}
        assert request["extra_body"] == {"x": 2, "y": {"z": 1, "w": 2}, "user": "me"}
        assert "extra_body" not in request_of(make(engine), prompt, extra_body=None)
    own = {"c": "3"}
    request_of(chat(engine), prompt, metadata=own)
    assert own == {"c": "3"}


def test_the_newer_and_the_older_name_of_max_tokens_are_one_argument():
    prompt = asks(settings={"model": "m", "max_tokens": 5})
    assert request_of(chat(TemplateEngine()), prompt, max_tokens=7) == {"model": "m", "max_tokens": 7}
    prompt = asks(settings={"model": "m", "extra": {"max_tokens": 5}})
    assert request_of(chat(TemplateEngine()), prompt) == {"model": "m", "max_tokens": 5}
    request = request_of(chat(TemplateEngine()), prompt, max_completion_tokens=7)
    assert request == {"model": "m", "max_completion_tokens": 7}


def test_an_output_schema_is_merged_with_other_members():
    engine = TemplateEngine()

    def of(extra):
        return asks(output_schema=ANSWER, settings={"model": "m", "max_tokens": 9, "extra": extra})

    schema = request_of(anthropic(engine), of({}))["output_config"]["format"]
    merged = {"effort": "high", "format": schema}
    base = {"model": "m", "max_tokens": 9}
    assert request_of(anthropic(engine), of({"output_config": {"effort": "high"}})) == {**base, "output_config": merged}
    assert request_of(anthropic(engine), of({}), output_config={"effort": "high"}) == {**base, "output_config": merged}
    in_body = {"extra_body": {"output_config": {"effort": "high"}}}
    assert request_of(anthropic(engine), of(in_body)) == {**base, "extra_body": {"output_config": merged}}
    assert request_of(anthropic(engine), of({}), **in_body) == {**base, "extra_body": {"output_config": merged}}
    low = request_of(anthropic(engine), of(in_body), output_config={"effort": "low"})
    assert low == {**base, "output_config": {"effort": "low", "format": schema}}

    text = request_of(responses(engine), of({}))["text"]
    assert request_of(responses(engine), of({"text": {"verbosity": "low"}}))["text"] == {"verbosity": "low", **text}
    assert request_of(responses(engine), of({}), text={"verbosity": "low"})["text"] == {"verbosity": "low", **text}
    given = {"format": {"type": "text"}}
    request, texts = warned(responses(engine), of({}), text=given)
    assert request["text"] == given
    assert len(texts) == 1
    # A member of `extra_body` replaces the argument, so both are in one place.
    request = request_of(responses(engine), of({}), extra_body={"text": {"verbosity": "low"}})
    assert request["extra_body"] == {"text": {"verbosity": "low", **text}}
    assert "text" not in request


@pytest.mark.parametrize(
    ("make", "extra"),
    [
        (chat, {"response_format": {"type": "json_object"}}),
        (responses, {"text": {"format": {"type": "json_object"}}}),
        (anthropic, {"output_config": {"format": {"type": "other"}}}),
    ],
)
def test_a_format_in_extra_replaces_the_schemas_with_a_warning(make, extra):
    prompt = asks(output_schema=ANSWER, settings={"model": "m", "max_tokens": 9, "extra": extra})
    request, texts = warned(make(TemplateEngine()), prompt)
    (key,) = extra
    assert request[key] == extra[key]
    assert len(texts) == 1
    assert "the output schema `output_schema` is not sent" in texts[0]


@pytest.mark.parametrize("name", ["text", "reasoning", "metadata", "extra_body", "output_config"])
@pytest.mark.parametrize("value", ["low", 5, [{"verbosity": "low"}]])
def test_an_argument_that_is_no_mapping_is_refused_by_name(name, value):
    make = anthropic if name == "output_config" else responses
    with pytest.raises(TypeError, match=f"`{name}` must be a mapping, not {type(value).__name__}"):
        request_of(make(TemplateEngine()), asks(settings={"model": "m", "max_tokens": 9}), **{name: value})


def test_tools_that_are_no_list_are_refused_or_listed():
    prompt = asks(settings={"model": "m", "max_tokens": 9}, tools=[LOOKUP])
    search = {"type": "web_search"}
    for make in (responses, chat, anthropic):
        for tools in (search, "web_search"):
            with pytest.raises(TypeError, match=f"`tools` must be a list of tools, not {type(tools).__name__}"):
                request_of(make(TemplateEngine()), prompt, tools=tools)
        listed = request_of(make(TemplateEngine()), prompt, tools=(each for each in [search]))["tools"]
        assert listed == request_of(make(TemplateEngine()), prompt, tools=[search])["tools"]
        assert len(listed) == 2


def test_tools_of_the_provider_join_those_of_the_prompt():
    search = {"type": "web_search"}
    prompt = asks(settings={"model": "m", "max_tokens": 9, "extra": {"tools": [search]}}, tools=[LOOKUP])
    for make in (responses, chat, anthropic):
        tools = request_of(make(TemplateEngine()), prompt)["tools"]
        assert len(tools) == 2
        assert tools[1] == search
        # OpenAI refuses an empty list.
        assert "tools" not in request_of(make(TemplateEngine()), prompt, tools=[])
        bash = {"type": "bash_20250124", "name": "bash"}
        assert request_of(make(TemplateEngine()), prompt, tools=[bash])["tools"] == [*tools, bash]
        again = {**tools[0], "changed": True}
        request, texts = warned(make(TemplateEngine()), prompt, tools=[again])
        assert request["tools"] == [again, search]
        assert texts == ["the tool `lookup` of the arguments replaces the prompt's"]
    prompt = asks(settings={"model": "m", "extra": {"tools": [search]}})
    assert request_of(responses(TemplateEngine()), prompt)["tools"] == [search]


@pytest.mark.parametrize(
    ("make", "argument"),
    [(chat, "messages"), (litellm, "messages"), (anthropic, "messages"), (anthropic, "system"), (responses, "input")],
)
def test_an_argument_that_replaces_the_messages_is_warned_about(make, argument):
    prompt = asks(settings={"model": "m", "max_tokens": 9})
    with pytest.warns(PromptConversionWarning, match=f"the argument `{argument}` replaces what the prompt's messages"):
        request = make(TemplateEngine()).build_request_sync(prompt, TOPIC, **{argument: "x"})
    assert request[argument] == "x"


LOOSE = {"type": "object", "properties": {"mood": {"type": "string"}, "more": {"type": "object"}}}
INSTRUCTIONS = "Answer with one JSON object"

# Which requests have instructions in the prompt, besides the schema that the provider enforces.
WITH_INSTRUCTIONS = [
    (chat, {}, ANSWER, {}, False),
    (responses, {}, ANSWER, {}, False),
    (anthropic, {}, ANSWER, {}, False),
    # LiteLLM may drop the schema on the way.
    (litellm, {}, ANSWER, {}, True),
    (chat, {"output_instructions": True}, ANSWER, {}, True),
    (chat, {"output_instructions": False}, LOOSE, {}, False),
    (chat, {"structured_output": False}, ANSWER, {}, True),
    (chat, {}, ANSWER, {"response_format": None}, True),
    (responses, {}, ANSWER, {"text": {"verbosity": "low"}}, False),
    (responses, {}, ANSWER, {"text": {"format": {"type": "text"}}}, True),
    (anthropic, {}, ANSWER, {"output_config": {"effort": "low"}}, False),
    (chat, {}, LOOSE, {}, True),
    (anthropic, {}, LOOSE, {}, True),
]


@pytest.mark.parametrize("row", WITH_INSTRUCTIONS, ids=lambda row: f"{row[0].__name__} {row[1:]}")
@pytest.mark.parametrize("make_prompt", [create_text_prompt, create_chat_prompt])
def test_a_schema_that_is_enforced_is_sent_once(make_prompt, row):
    make, options, schema, arguments, has_instructions = row
    prompt = make_prompt(output_schema=schema, settings={"model": "m", "max_tokens": 9})
    integration = make(TemplateEngine(), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptConversionWarning)
        request = integration.build_request_sync(prompt, {"name": "Ada", **TOPIC}, **arguments)
    assert (INSTRUCTIONS in str(request)) is has_instructions
    if make is not anthropic or make_prompt is create_chat_prompt:
        converted = str(integration.convert_sync(prompt, {"name": "Ada", **TOPIC}))
        assert (INSTRUCTIONS in converted) is (options.get("output_instructions") is not False)
