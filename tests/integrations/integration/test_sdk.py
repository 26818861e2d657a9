"""Every example prompt, through the providers' own packages to a server, and checked by their own types."""

from __future__ import annotations

import json
from typing import Any, get_type_hints

import pytest

from helpers import EXAMPLES, create_chat_prompt_in_registry
from prompt_manager.integrations import AnthropicIntegration, OpenAIIntegration

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

pytestmark = pytest.mark.integration

IDS = sorted(
    path.relative_to(EXAMPLES / "prompts").with_suffix("").as_posix() for path in (EXAMPLES / "prompts").rglob("*.yaml")
)


def inputs(prompt_id):
    return json.loads((EXAMPLES / "inputs" / f"{prompt_id}.json").read_text(encoding="utf-8"))


def as_sent(form: Any) -> Any:
    return json.loads(json.dumps(form))


@pytest.mark.parametrize("prompt_id", IDS)
def test_openai_s_client_sends_what_was_converted(examples, provider, prompt_id):
    form = OpenAIIntegration(examples.template_engine).convert_sync(
        examples.get_prompt_sync(prompt_id), inputs(prompt_id)
    )
    with openai.OpenAI(api_key="none", base_url=f"{provider.url}/v1", max_retries=0) as client:
        if isinstance(form, str):
            answer = client.completions.create(model="test", prompt=form)
            assert answer.choices[0].text == "Gladly."
            assert provider.bodies == [{"model": "test", "prompt": form}]
        else:
            answer = client.chat.completions.create(model="test", messages=form)
            assert answer.choices[0].message.content == "Gladly."
            assert provider.bodies == [{"model": "test", "messages": as_sent(form)}]


CHATS = [
    prompt_id for prompt_id in IDS if "format: chat" in (EXAMPLES / f"prompts/{prompt_id}.yaml").read_text("utf-8")
]


@pytest.mark.parametrize("prompt_id", CHATS)
def test_anthropic_s_client_sends_what_was_converted(examples, provider, prompt_id):
    form = AnthropicIntegration(examples.template_engine).convert_sync(
        examples.get_prompt_sync(prompt_id), inputs(prompt_id)
    )
    with anthropic.Anthropic(api_key="none", base_url=provider.url, max_retries=0) as client:
        answer = client.messages.create(**form, model="test", max_tokens=5)
    assert answer.content[0].text == "Gladly."
    assert provider.bodies == [{**as_sent(form), "model": "test", "max_tokens": 5}]


async def test_a_conversation_can_go_on_with_the_answer(prompt_manager, provider):
    prompt = create_chat_prompt_in_registry(prompt_manager)
    integration = OpenAIIntegration(prompt_manager.template_engine)
    variables = {"company": "Acme Corp", "user_query": "How do I reset password?"}
    messages = await integration.convert(prompt, variables)
    assert all("role" in message and "content" in message for message in messages)
    async with openai.AsyncOpenAI(api_key="none", base_url=f"{provider.url}/v1", max_retries=0) as client:
        answer = await client.chat.completions.create(model="test", messages=messages)
    said = answer.choices[0].message
    assert said.content == "Gladly."

    follow_up = [{"role": "placeholder", "name": "history"}, {"role": "user", "content": "Thanks, {{company}}"}]
    onward = prompt.replace(id="onward", chat_template={"messages": follow_up})
    history = [*messages, said.model_dump()]
    form = await integration.convert(onward, {"history": history, "company": "Acme"})
    assert form[-2:] == [
        {"role": "assistant", "content": "Gladly."},
        {"role": "user", "content": "Thanks, Acme"},
    ]


# The SDKs' TypedDicts, taken at their word: no key that they do not have, and every value of the type that they say.


def closed(schema: Any) -> Any:
    """A JSON Schema in which no object takes further keys, unless it says what they are."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(each) for key, each in schema.items()}
    if "properties" in schema:
        schema["additionalProperties"] = False
    return schema


KINDS = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def mismatches(value: Any, schema: Any, definitions: Any, at: str = "") -> list[str]:
    """Why a value does not fit a JSON Schema, of the kinds that pydantic writes for TypedDicts."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", maxsplit=1)[1]]
        return mismatches(value, schema, definitions, at)
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices:
        return min((mismatches(value, each, definitions, at) for each in choices), key=len)
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return [f"{at}: {value!r} is not what it may be"]
    if not isinstance(value, KINDS.get(schema.get("type"), object)):
        return [f"{at}: {type(value).__name__} is no {schema['type']}"]
    found = []
    if isinstance(value, list):
        for number, each in enumerate(value):
            found += mismatches(each, schema.get("items", {}), definitions, f"{at}[{number}]")
    elif isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
        found += [f"{at}: lacks {key}" for key in schema.get("required", ()) if key not in value]
        found += [f"{at}: has {key}" for key in value if key not in known and rest is False]
        further = rest if isinstance(rest, dict) else {}
        for key, each in value.items():
            found += mismatches(each, known.get(key, further), definitions, f"{at}.{key}")
    return found


def schema_of(annotation: Any) -> Any:
    from pydantic import TypeAdapter

    return closed(TypeAdapter(annotation).json_schema())


@pytest.fixture(scope="module")
def openai_schema():
    from openai.types.chat import ChatCompletionMessageParam

    return schema_of(ChatCompletionMessageParam)


@pytest.fixture(scope="module")
def anthropic_schema():
    from anthropic.types import MessageParam

    return schema_of(MessageParam)


@pytest.fixture(scope="module")
def anthropic_system_schema():
    from anthropic.types import message_create_params

    hints = get_type_hints(message_create_params.MessageCreateParamsBase, include_extras=False)
    return schema_of(hints["system"])


def check(value, schema):
    assert mismatches(value, schema, schema.get("$defs", {})) == []


@pytest.mark.newest
def test_the_check_by_types_can_fail(openai_schema, anthropic_schema):
    for wrong in (
        {"role": "user"},
        {"role": "usr", "content": "x"},
        {"role": "user", "content": 5},
        {"role": "user", "content": "x", "cache": True},
        {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": [{"type": "text", "text": "x", "extra": 1}]},
    ):
        assert mismatches(wrong, openai_schema, openai_schema["$defs"])
        assert mismatches(wrong, anthropic_schema, anthropic_schema["$defs"])


@pytest.mark.newest
@pytest.mark.parametrize("prompt_id", CHATS)
def test_the_forms_fit_the_providers_own_types(
    examples, openai_schema, anthropic_schema, anthropic_system_schema, prompt_id
):
    prompt, variables = examples.get_prompt_sync(prompt_id), inputs(prompt_id)
    for message in OpenAIIntegration(examples.template_engine).convert_sync(prompt, variables):
        check(message, openai_schema)
    form = AnthropicIntegration(examples.template_engine).convert_sync(prompt, variables)
    for message in form["messages"]:
        check(message, anthropic_schema)
    if "system" in form:
        check(form["system"], anthropic_system_schema)


@pytest.mark.newest
def test_every_expected_form_of_the_cases_fits_the_providers_own_types(openai_schema, anthropic_schema):
    from openai.types.responses import ResponseInputItemParam

    from helpers import cases

    responses_schema = schema_of(ResponseInputItemParam)
    for name, case in cases("convert"):
        if "cache_control" in case.get("options", {}):
            # For the providers behind LiteLLM; OpenAI's types do not have it.
            continue
        for outcome in (case.get("both"), case.get("strict"), case.get("lenient")):
            form = (outcome or {}).get("expect")
            if form is None:
                continue
            schema, messages = {
                "openai": lambda form: (openai_schema, form),
                "litellm": lambda form: (openai_schema, form),
                "responses": lambda form: (responses_schema, form["input"]),
                "anthropic": lambda form: (anthropic_schema, form["messages"]),
            }[name.split(":", maxsplit=1)[0]](form)
            for message in messages:
                assert mismatches(message, schema, schema["$defs"]) == [], name
