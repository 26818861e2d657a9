"""Sends converted prompts with the providers' own clients to a mock server, which checks them as the APIs do."""

from __future__ import annotations

import base64
import inspect
import json
import warnings

import anthropic
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import chat_of, create_chat_prompt, create_chat_prompt_in_registry
from prompt_manager import TemplateEngine
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
    PromptConversionWarning,
)
from providers import broken, reference
from providers.apis import APIS
from providers.conversations import conversations
from providers.reference_bedrock import bedrock_form
from providers.reference_gemini import gemini_form
from providers.samples import CHATS, CHOICES, HISTORY, IDS, full_prompt, inputs
from providers.server import ANSWER

pytestmark = pytest.mark.integration

ENGINE = TemplateEngine()


#: For LiteLLM, whose oldest release downloads pictures to send them to Anthropic.
MODELS = ["openai/test", pytest.param("anthropic/claude-sonnet-4-5", marks=pytest.mark.newest)]


#: Whether the package is older than the argument for the format of the answer.
IS_OLD = "output_config" not in inspect.signature(anthropic.resources.Messages.create).parameters


def as_sent(form):
    return json.loads(json.dumps(form, default=lambda data: base64.b64encode(data).decode()))


@pytest.mark.newest
def test_an_argument_beside_the_format_of_anthropic_is_refused_or_merged(provider, anthropic_client):
    schema = {"type": "object", "properties": {"x": {"type": "integer", "minimum": 0}}, "required": ["x"]}
    prompt = create_chat_prompt(output_schema=schema, settings={"model": "m", "max_tokens": 9})
    integration = AnthropicIntegration(ENGINE)
    request = integration.build_request_sync(prompt, {"topic": "AI"}, output_config={"effort": "low"})
    assert anthropic_client.messages.create(**request).content
    [body] = provider.bodies
    assert body["output_config"]["effort"] == "low"
    assert body["output_config"]["format"]["schema"]["properties"]["x"]["description"] == "{minimum: 0}"
    # Passed beside the request, it would replace the format.
    with pytest.raises(TypeError, match="output_config"):
        anthropic_client.messages.create(**request, output_config={"effort": "low"})


HINTED = chat_of(
    {"role": "system", "content": "Know {{topic}}.", "cache": {"ttl": "1h", "openai": {"ttl": "12h"}}},
    {
        "role": "user",
        "content": [
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}, "cache": {"openai": True}},
            {"type": "text", "text": "Q"},
        ],
    },
    {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {}}}]},
    {"role": "tool", "tool_call_id": "c", "content": "R", "cache": {"openai": "30m"}},
    settings={"model": "gpt-5.6"},
)


def breakpoints_in(body):
    """Return the breakpoints of a body, with the type of their part."""
    items = body.get("messages") or body["input"]
    contents = [item.get("output", item.get("content")) for item in items]
    found = [part for content in contents if isinstance(content, list) for part in content]
    return [(part["type"], part[BREAKPOINT]) for part in found if BREAKPOINT in part]


BREAKPOINT = "prompt_cache_breakpoint"
MARKS = [{"mode": "explicit", "ttl": "12h"}, {"mode": "explicit"}, {"mode": "explicit", "ttl": "30m"}]


def test_the_openai_client_sends_cache_breakpoints(provider, openai_client):
    request = OpenAIIntegration(ENGINE).build_request_sync(HINTED, {"topic": "AI"})
    assert openai_client.chat.completions.create(**request).choices
    [body] = provider.bodies
    assert breakpoints_in(body) == list(zip(["text", "image_url", "text"], MARKS, strict=True))


@pytest.mark.newest
def test_the_responses_client_sends_cache_breakpoints(provider, openai_client):
    request = OpenAIIntegration(ENGINE, api="responses").build_request_sync(HINTED, {"topic": "AI"})
    assert openai_client.responses.create(**request).output
    [body] = provider.bodies
    assert "instructions" not in body
    assert breakpoints_in(body) == list(zip(["input_text", "input_image", "input_text"], MARKS, strict=True))


@pytest.mark.parametrize(
    "wrong",
    [
        [{"mode": "implicit"}],
        [{"mode": "explicit", "ttl": "1h"}],
        [{"ttl": "30m"}],
        [{"mode": "explicit", "more": 1}],
        [{"mode": "explicit"}] * 5,
    ],
    ids=str,
)
def test_the_server_refuses_wrong_cache_breakpoints(openai_client, wrong):
    parts = [{"type": "text", "text": "T", BREAKPOINT: each} for each in wrong]
    with pytest.raises(openai.BadRequestError):
        openai_client.chat.completions.create(model="m", messages=[{"role": "user", "content": parts}])


# Every example, converted and as a full request.


@pytest.mark.parametrize("prompt_id", IDS)
def test_the_openai_client_sends_the_converted_prompt(examples, provider, openai_client, prompt_id):
    form = OpenAIIntegration(examples.template_engine).convert_sync(
        examples.get_prompt_sync(prompt_id), inputs(prompt_id)
    )
    if isinstance(form, str):
        answer = openai_client.completions.create(model="test", prompt=form)
        assert answer.choices[0].text == ANSWER
        assert provider.bodies == [{"model": "test", "prompt": form}]
    else:
        answer = openai_client.chat.completions.create(model="test", messages=form)
        assert answer.choices[0].message.content == ANSWER
        assert provider.bodies == [{"model": "test", "messages": as_sent(form)}]


@pytest.mark.parametrize("prompt_id", CHATS)
def test_the_anthropic_client_sends_the_converted_prompt(examples, provider, anthropic_client, prompt_id):
    form = AnthropicIntegration(examples.template_engine).convert_sync(
        examples.get_prompt_sync(prompt_id), inputs(prompt_id)
    )
    answer = anthropic_client.messages.create(**form, model="test", max_tokens=5)
    assert answer.content[0].text == ANSWER
    assert provider.bodies == [{**as_sent(form), "model": "test", "max_tokens": 5}]


def request_of(integration, examples, prompt_id, provider=None, **arguments):
    """Return the request of an example. Settings that the API lacks may be left out with a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptConversionWarning)
        return integration.build_request_sync(
            examples.get_prompt_sync(prompt_id), inputs(prompt_id, provider), model="test", **arguments
        )


@pytest.mark.parametrize("prompt_id", IDS)
def test_an_example_works_with_the_openai_client(examples, provider, openai_client, prompt_id):
    request = request_of(OpenAIIntegration(examples.template_engine), examples, prompt_id)
    assert openai_client.chat.completions.create(**request).choices
    assert provider.bodies == [as_sent(request)]


@pytest.mark.newest
@pytest.mark.parametrize("prompt_id", IDS)
def test_an_example_works_with_the_responses_client(examples, provider, openai_client, prompt_id):
    request = request_of(OpenAIIntegration(examples.template_engine, api="responses"), examples, prompt_id)
    assert openai_client.responses.create(**request).output
    assert provider.bodies == [as_sent(request)]


@pytest.mark.parametrize("prompt_id", IDS)
def test_an_example_works_with_the_anthropic_client(examples, provider, anthropic_client, prompt_id):
    integration = AnthropicIntegration(examples.template_engine, extra_body=IS_OLD)
    request = request_of(integration, examples, prompt_id, max_tokens=5)
    assert anthropic_client.messages.create(**request).content
    [body] = provider.bodies
    extra = request.pop("extra_body", {})
    assert body == as_sent({**request, **extra})


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("prompt_id", IDS)
def test_an_example_works_with_litellm(examples, provider, lite, prompt_id, model):
    integration = LiteLLMIntegration(examples.template_engine, developer_as_system=True)
    request = request_of(integration, examples, prompt_id)
    del request["model"]
    assert lite(model, **request).choices
    assert provider.errors == []
    [body] = provider.bodies
    assert texts_of(body["messages"], body.get("system")) >= texts_of(request["messages"])


def texts_of(*values):
    """Iterate over the texts in messages, blocks or parts."""
    texts = set()
    for value in values:
        if isinstance(value, list):
            texts |= texts_of(*value)
        elif isinstance(value, dict):
            texts |= texts_of(*(each for key, each in value.items() if isinstance(each, list | dict)))
            texts |= {each for key, each in value.items() if key in ("text", "content") and isinstance(each, str)}
        elif isinstance(value, str):
            texts.add(value)
    return texts


# A request with every kind of field.


@pytest.mark.parametrize(("choice", "called"), CHOICES, ids=str)
def test_a_full_request_works_with_the_openai_client(provider, openai_client, choice, called):
    prompt = full_prompt(tool_choice=choice)
    request = OpenAIIntegration(ENGINE).build_request_sync(prompt, {})
    message = openai_client.chat.completions.create(**request).choices[0].message
    assert [call.function.name for call in message.tool_calls or ()] == ([called] if called else [])
    [body] = provider.bodies
    assert body["temperature"] == 0.5
    assert body["stop"] == ["END"]
    assert [tool["function"]["name"] for tool in body["tools"]] == ["look-up", "stop"]
    assert body["response_format"]["type"] == "json_schema"


@pytest.mark.newest
@pytest.mark.parametrize(("choice", "called"), CHOICES, ids=str)
def test_a_full_request_works_with_the_responses_client(provider, openai_client, choice, called):
    prompt = full_prompt(tool_choice=choice, settings={"model": "m", "temperature": 0.5, "max_tokens": 100})
    request = OpenAIIntegration(ENGINE, api="responses").build_request_sync(prompt, {})
    [item] = openai_client.responses.create(**request).output
    assert (item.name if item.type == "function_call" else None) == called
    [body] = provider.bodies
    assert body["max_output_tokens"] == 100
    assert body["text"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize(("choice", "called"), CHOICES, ids=str)
def test_a_full_request_works_with_the_anthropic_client(provider, anthropic_client, choice, called):
    integration = AnthropicIntegration(ENGINE, sampling=True, extra_body=IS_OLD)
    request = integration.build_request_sync(full_prompt(tool_choice=choice), {})
    [block] = anthropic_client.messages.create(**request).content
    assert (block.name if block.type == "tool_use" else None) == called
    [body] = provider.bodies
    assert body["temperature"] == 0.5
    assert body["stop_sequences"] == ["END"]
    assert body["output_config"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize("prompt_id", IDS)
def test_an_example_works_with_the_gemini_client(examples, provider, gemini_client, prompt_id):
    request = request_of(GeminiIntegration(examples.template_engine), examples, prompt_id)
    assert gemini_client.models.generate_content(**request).text == ANSWER
    assert provider.errors == []


@pytest.mark.parametrize("prompt_id", IDS)
def test_an_example_works_with_the_bedrock_client(examples, provider, bedrock_client, prompt_id):
    request = request_of(BedrockIntegration(examples.template_engine), examples, prompt_id, "bedrock")
    assert bedrock_client.converse(**request)["output"]["message"]["content"] == [{"text": ANSWER}]
    [body] = provider.bodies
    assert body == {key: value for key, value in as_sent(request).items() if key != "modelId"}


@pytest.mark.parametrize(("choice", "called"), CHOICES, ids=str)
def test_a_full_request_works_with_the_gemini_client(provider, gemini_client, choice, called):
    request = GeminiIntegration(ENGINE).build_request_sync(full_prompt(tool_choice=choice), {})
    [part] = gemini_client.models.generate_content(**request).candidates[0].content.parts
    assert (part.function_call.name if part.function_call else None) == called
    [body] = provider.bodies
    config = body["generation_config"]
    assert (config["temperature"], config["stop_sequences"]) == (0.5, ["END"])
    assert config["response_json_schema"]["required"] == ["answer"]


@pytest.mark.parametrize(("choice", "called"), CHOICES, ids=str)
def test_a_full_request_works_with_the_bedrock_client(provider, bedrock_client, choice, called):
    request = BedrockIntegration(ENGINE).build_request_sync(full_prompt(tool_choice=choice), {})
    [block] = bedrock_client.converse(**request)["output"]["message"]["content"]
    assert (block["toolUse"]["name"] if "toolUse" in block else None) == called
    [body] = provider.bodies
    assert body["inferenceConfig"] == {"temperature": 0.5, "topP": 0.9, "maxTokens": 100, "stopSequences": ["END"]}
    assert body["outputConfig"]["textFormat"]["type"] == "json_schema"


def test_media_reach_gemini_and_bedrock_as_they_are(provider, gemini_client, bedrock_client):
    data = base64.b64encode(b"\x89PNG\xfb\xff\x3e").decode()
    image = {"type": "image", "media_type": "image/png", "data": data}
    prompt = chat_of({"role": "user", "content": [image, {"type": "text", "text": "T"}]})
    gemini_client.models.generate_content(**GeminiIntegration(ENGINE).build_request_sync(prompt, {}, model="m"))
    bedrock_client.converse(**BedrockIntegration(ENGINE).build_request_sync(prompt, {}, model="m"))
    of_gemini, of_bedrock = provider.bodies
    sent = of_gemini["contents"][0]["parts"][0]["inline_data"]
    assert sent["mime_type"] == "image/png"
    assert base64.urlsafe_b64decode(sent["data"].replace("+", "-").replace("/", "_")) == base64.b64decode(data)
    assert of_bedrock["messages"][0]["content"][0]["image"]["source"] == {"bytes": data}


def test_the_rows_of_a_batch_reach_bedrock_with_their_bytes(provider, bedrock_client):
    pa = pytest.importorskip("pyarrow", reason="the environment of the oldest SDKs has none")
    from prompt_manager import PromptManager
    from prompt_manager.bulk import bedrock_request

    image = {"type": "image", "media_type": "image/png", "data": base64.b64encode(b"\x89PNG").decode()}
    call = {"id": "c1", "type": "function", "function": {"name": "stop", "arguments": '{"bytes": "iVBORw=="}'}}
    prompt = full_prompt(settings={"model": "m", "max_tokens": 5})
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "{{topic}}"}, image]},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    ]
    manager = PromptManager()
    manager.create_prompt_sync(prompt.model_copy(update={"messages": messages}))
    values = {"topic": "ferns"}
    bedrock_client.converse(**manager.build_request_sync(prompt.id, values, "bedrock"))
    [row] = manager.batch(prompt.id, to="bedrock-request")(pa.table({"topic": ["ferns"]}))["request"].to_pylist()
    bedrock_client.converse(**bedrock_request(row))
    bedrock_client.converse(**bedrock_request(json.loads(row)))
    expected, *made = provider.bodies
    assert made == [expected, expected]
    content = expected["messages"][0]["content"]
    assert content[1]["image"]["source"] == {"bytes": image["data"]}


def test_a_broken_rule_is_an_error_of_gemini_and_bedrock(provider, gemini_client, bedrock_client):
    from botocore.exceptions import ClientError
    from google.genai.errors import ClientError as GeminiError

    turn = {"role": "assistant", "content": "A"}
    refused = {"model": "m", "contents": gemini_form([turn, turn])["contents"]}
    with pytest.raises(GeminiError, match="must end with a user role"):
        gemini_client.models.generate_content(**refused)
    with pytest.raises(ClientError, match="must start with a user message"):
        bedrock_client.converse(modelId="m", **bedrock_form([turn]))
    assert len(provider.errors) == 2


def test_a_full_request_without_sampling_warns_and_works(anthropic_client):
    with pytest.warns(PromptConversionWarning, match="sampling=True"):
        request = AnthropicIntegration(ENGINE, extra_body=IS_OLD).build_request_sync(full_prompt(), {})
    assert anthropic_client.messages.create(**request).content


@pytest.mark.parametrize("of_prompt", [False, True])
def test_a_request_can_fill_anthropics_cache_without_an_answer(provider, anthropic_client, of_prompt):
    settings = {"model": "m", "max_tokens": 9, **({"anthropic": {"max_tokens": 0}} if of_prompt else {})}
    prompt = chat_of(
        {"role": "system", "content": "S", "cache": "1h"}, {"role": "user", "content": "U"}, settings=settings
    )
    arguments = {} if of_prompt else {"max_tokens": 0}
    request = AnthropicIntegration(ENGINE).build_request_sync(prompt, {}, **arguments)
    assert anthropic_client.messages.create(**request).content == []
    [body] = provider.bodies
    assert body["max_tokens"] == 0
    assert provider.errors == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("choice", "called"), CHOICES, ids=str)
def test_a_full_request_works_with_litellm(provider, lite, choice, called, model):
    # For Anthropic, LiteLLM converts a response format to a tool and forces the model to call it.
    prompt = full_prompt(tool_choice=choice, **({"output_schema": None} if "anthropic" in model else {}))
    request = LiteLLMIntegration(ENGINE).build_request_sync(prompt, {})
    del request["model"]
    message = lite(model, **request).choices[0].message
    assert [call.function.name for call in message.tool_calls or ()] == ([called] if called else [])
    assert provider.errors == []


# Random conversations, through the clients.

few = settings(max_examples=15, suppress_health_check=[*HealthCheck])


def send(openai_client, anthropic_client):
    return {
        "openai": lambda form: openai_client.chat.completions.create(model="m", messages=form),
        "responses": lambda form: openai_client.responses.create(model="m", **form),
        "anthropic": lambda form: anthropic_client.messages.create(model="m", max_tokens=5, **form),
    }


CLIENTS = ["openai", pytest.param("responses", marks=pytest.mark.newest), "anthropic"]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_random_conversation_reaches_the_api_unchanged(provider, openai_client, anthropic_client, name):
    sending, api = send(openai_client, anthropic_client)[name], APIS[name]

    @few
    @given(conversations(name))
    def holds(messages):
        provider.reset()
        form = api.integration(ENGINE).convert_sync(HISTORY, {"history": messages})
        sending(form)
        body = {key: value for key, value in provider.bodies[0].items() if key not in ("model", "max_tokens")}
        assert body == as_sent(form if isinstance(form, dict) else {"messages": form})

    holds()


@pytest.mark.parametrize("name", CLIENTS)
def test_a_broken_rule_gets_an_error_from_the_api(provider, openai_client, anthropic_client, name):
    sending, api = send(openai_client, anthropic_client)[name], APIS[name]
    refused = anthropic.BadRequestError if name == "anthropic" else openai.BadRequestError

    rules = [rule for rule in broken.RULES[name] if rule not in broken.STRICTER.get(name, ())]

    @settings(max_examples=20, suppress_health_check=[*HealthCheck])
    @given(st.data())
    def holds(data):
        rule = data.draw(st.sampled_from(rules))
        messages = broken.full(name)
        rule(data.draw, messages)
        with pytest.raises(refused) as caught:
            sending(api.convert_unchecked(messages))
        assert str(provider.errors[-1]) in str(caught.value)

    holds()


# LiteLLM's oldest release does not support files.
@pytest.mark.newest
@pytest.mark.parametrize("model", MODELS)
def test_litellm_passes_on_all_content_of_a_conversation(provider, lite, model):
    # LiteLLM converts the id of a file to the format that the API accepts together with a code tool.
    @few
    @given(conversations("anthropic", also="chat").filter(lambda messages: "file_id" not in json.dumps(messages)))
    def holds(messages):
        provider.reset()
        form = LiteLLMIntegration(ENGINE, developer_as_system=True).convert_sync(HISTORY, {"history": messages})
        lite(model, messages=form)
        assert provider.errors == []
        [body] = provider.bodies
        if model.startswith("openai"):
            # LiteLLM leaves out nulls.
            expected = [{key: value for key, value in each.items() if value is not None} for each in as_sent(form)]
            assert body["messages"] == expected
        else:
            expected = reference.normalized(reference.anthropic_form(messages))
            assert texts_of(reference.normalized(body)) >= texts_of(expected)

    holds()


# The answer becomes part of the next request.


async def test_a_conversation_can_continue_with_the_answer(prompt_manager, provider):
    prompt = create_chat_prompt_in_registry(prompt_manager)
    integration = OpenAIIntegration(prompt_manager.template_engine)
    messages = await integration.convert(prompt, {"company": "Acme Corp", "user_query": "How do I reset password?"})
    async with openai.AsyncOpenAI(api_key="none", base_url=f"{provider.url}/v1", max_retries=0) as client:
        answer = await client.chat.completions.create(model="test", messages=messages)
    said = answer.choices[0].message
    assert said.content == ANSWER

    follow_up = [{"role": "placeholder", "name": "history"}, {"role": "user", "content": "Thanks, {{company}}"}]
    onward = prompt.replace(id="onward", chat_template={"messages": follow_up})
    for answered in (said, said.model_dump()):
        history = [*messages, answered]
        form = await integration.convert(onward, {"history": history, "company": "Acme"})
        assert form[-2:] == [
            {"role": "assistant", "content": ANSWER},
            {"role": "user", "content": "Thanks, Acme"},
        ]


async def test_the_next_request_can_answer_a_tool_call(openai_client):
    integration = OpenAIIntegration(ENGINE)
    request = integration.build_request_sync(full_prompt(tool_choice="required"), {})
    said = openai_client.chat.completions.create(**request).choices[0].message
    result = {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "found"}
    form = integration.convert_sync(HISTORY, {"history": [*request["messages"], said, result]})
    assert openai_client.chat.completions.create(model="m", messages=form).choices


def test_an_anthropic_answer_goes_to_openai(anthropic_client):
    form = AnthropicIntegration(ENGINE).convert_sync(chat_of({"role": "user", "content": "U"}), {})
    answer = anthropic_client.messages.create(**form, model="m", max_tokens=5)
    sent = OpenAIIntegration(ENGINE).convert_sync(HISTORY, {"history": [*form["messages"], answer]})
    assert sent[0] == {"role": "user", "content": "U"}
    assert (sent[1]["role"], len(sent)) == ("assistant", 2)
    assert [block.text for block in answer.content] == [
        sent[1]["content"] if isinstance(sent[1]["content"], str) else sent[1]["content"][0]["text"]
    ]
