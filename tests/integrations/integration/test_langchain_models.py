"""Chat models of LangChain that have the tools, settings and schema of a prompt, and what reaches the provider."""

from __future__ import annotations

import json
import pickle
import warnings
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda
from pydantic import Field

from helpers import chat_of, create_chat_prompt, create_text_prompt
from prompt_manager import PromptManager, TemplateEngine
from prompt_manager.exceptions import ConversionError, SchemaValidationError, TemplateRenderError
from prompt_manager.integrations import LangChainIntegration, PromptConversionWarning
from prompt_manager.validation import SchemaLoader

pytestmark = pytest.mark.integration

ENGINE = TemplateEngine()
TOPIC = {"topic": "AI"}
LOOKUP = {
    "name": "lookup",
    "description": "Find an order",
    "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
}
ANSWER = {
    "type": "object",
    "properties": {"mood": {"type": "string", "minLength": 2}},
    "required": ["mood"],
    "additionalProperties": False,
}
SETTINGS = {"model": "of-the-prompt", "max_tokens": 50, "stop": ["END"], "effort": "low"}


@pytest.fixture
def integration():
    return LangChainIntegration(ENGINE)


# The environment of the oldest packages has no models.


@pytest.fixture
def chat_openai(provider):
    package = pytest.importorskip("langchain_openai")
    return package.ChatOpenAI(model="gpt-5", api_key="none", base_url=f"{provider.url}/v1", max_retries=0)


@pytest.fixture
def chat_anthropic(provider):
    package = pytest.importorskip("langchain_anthropic")
    return package.ChatAnthropic(model="claude-x", api_key="none", base_url=provider.url, max_retries=0)


@pytest.fixture
def chat_litellm(provider, lite):  # noqa: ARG001 - it imports litellm without its warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("langchain_litellm")

    def model(name):
        base = provider.url if name.startswith("anthropic") else f"{provider.url}/v1"
        return package.ChatLiteLLM(model=name, api_base=base, api_key="none", max_retries=0)

    return model


def test_openai_gets_tools_settings_and_choice(provider, integration, chat_openai):
    prompt = create_chat_prompt(tools=[LOOKUP], tool_choice="required", settings=SETTINGS)
    answer = integration.bind(chat_openai, prompt).invoke(TOPIC)
    assert answer.tool_calls[0]["name"] == "lookup"
    [body] = provider.bodies
    assert body["model"] == "gpt-5"
    assert body["tools"] == [{"type": "function", "function": LOOKUP}]
    assert (body["tool_choice"], body["stop"], body["reasoning_effort"]) == ("required", ["END"], "low")
    assert body.get("max_completion_tokens", body.get("max_tokens")) == 50


def test_anthropic_gets_tools_settings_and_cache_hints(provider, integration, chat_anthropic):
    prompt = chat_of(
        {"role": "system", "content": "Know {{topic}}.", "cache": "1h"},
        {"role": "user", "content": [{"type": "text", "text": "{{topic}}?", "cache": True}]},
        tools=[LOOKUP],
        tool_choice={"name": "lookup"},
        settings={**SETTINGS, "anthropic": {"service_tier": "auto"}},
    )
    answer = integration.bind(chat_anthropic, prompt).invoke(TOPIC)
    assert answer.tool_calls[0]["name"] == "lookup"
    [body] = provider.bodies
    assert provider.errors == []
    assert body["system"] == [{"type": "text", "text": "Know AI.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    assert body["messages"][0]["content"] == [{"type": "text", "text": "AI?", "cache_control": {"type": "ephemeral"}}]
    [tool] = body["tools"]
    assert tool["input_schema"] == LOOKUP["parameters"]
    assert body["tool_choice"] == {"type": "tool", "name": "lookup"}
    assert (body["max_tokens"], body["stop_sequences"], body["service_tier"]) == (50, ["END"], "auto")
    assert body["output_config"] == {"effort": "low"}


@pytest.mark.parametrize("name", ["chat_openai", "chat_anthropic"])
def test_an_output_schema_is_sent_once_and_gives_validated_data(name, provider, integration, request, monkeypatch):
    model = request.getfixturevalue(name)
    monkeypatch.setattr("providers.server.ANSWER", '{"mood": "good"}')
    chain = integration.bind(model, create_chat_prompt(output_schema=ANSWER, settings={"max_tokens": 9}))
    assert chain.invoke(TOPIC) == {"mood": "good"}
    [body] = provider.bodies
    assert "json_schema" in json.dumps(body)
    assert "Answer with one JSON object" not in json.dumps(body)
    monkeypatch.setattr("providers.server.ANSWER", '{"mood": "g"}')
    with pytest.raises(SchemaValidationError, match="mood"):
        chain.invoke(TOPIC)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["openai/gpt-4.1", "anthropic/claude-sonnet-4-5"])
def test_litellm_gets_tools_settings_and_choice(name, provider, integration, chat_litellm):
    prompt = create_chat_prompt(tools=[LOOKUP], tool_choice="required", settings={**SETTINGS, "effort": None})
    answer = integration.bind(chat_litellm(name), prompt).invoke(TOPIC)
    assert answer.tool_calls[0]["name"] == "lookup"
    [body] = provider.bodies
    assert provider.errors == []
    [tool] = body["tools"]
    if name.startswith("openai"):
        assert (tool["function"], body["tool_choice"], body["stop"]) == (LOOKUP, "required", ["END"])
        assert body.get("max_completion_tokens", body.get("max_tokens")) == 50
    else:
        assert (tool["name"], tool["input_schema"]["required"]) == ("lookup", ["id"])
        assert (body["tool_choice"], body["stop_sequences"]) == ({"type": "any"}, ["END"])
        assert body["max_tokens"] == 50


HINT = {"type": "ephemeral"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "option", "expected"),
    [
        ("anthropic/claude-sonnet-4-5", None, True),
        ("anthropic/claude-sonnet-4-5", False, False),
        ("openai/claude-of-a-gateway", None, False),
    ],
)
def test_litellm_gets_cache_hints_for_models_of_anthropic(name, option, expected, provider, chat_litellm):
    prompt = chat_of(
        {"role": "system", "content": "Know {{topic}}.", "cache": True},
        {"role": "user", "content": [{"type": "text", "text": "{{topic}}?", "cache": True}]},
        tools=[{**LOOKUP, "cache": True}],
    )
    chain = LangChainIntegration(ENGINE, cache_control=option).bind(chat_litellm(name).bind(n=1), prompt)
    chain.invoke(TOPIC)
    [body] = provider.bodies
    system = body.get("system") or body["messages"][0]["content"]
    marked = {"type": "text", "text": "Know AI.", "cache_control": HINT}
    unmarked = [{"type": "text", "text": "Know AI."}]
    assert system in (([marked],) if expected else ("Know AI.", unmarked))
    assert body["messages"][-1]["content"][0].get("cache_control") == (HINT if expected else None)
    assert body["tools"][0].get("cache_control") == (HINT if expected else None)


@pytest.mark.filterwarnings("ignore")
def test_a_provider_beside_the_name_decides_about_cache_hints(chat_litellm):
    model = chat_litellm("anthropic/claude-sonnet-4-5")
    prompt = chat_of({"role": "user", "content": "{{topic}}", "cache": True})
    for options, expected in [
        ({"model": "sonnet", "custom_llm_provider": "anthropic"}, True),
        ({"model": "claude-sonnet-4-5"}, True),
        ({"model": "claude-sonnet-4-5", "custom_llm_provider": "openai"}, False),
        ({"model": "gpt-5", "model_kwargs": {"model": "anthropic/claude-sonnet-4-5"}}, True),
    ]:
        chain = LangChainIntegration(ENGINE).bind(model.model_copy(update=options), prompt)
        [message] = chain.first.invoke(TOPIC).to_messages()
        assert (message.content != "AI") is expected, options


@pytest.mark.filterwarnings("ignore")
def test_an_output_schema_for_litellm_gives_validated_data(provider, integration, chat_litellm, monkeypatch):
    monkeypatch.setattr("providers.server.ANSWER", '{"mood": "good"}')
    chain = integration.bind(chat_litellm("openai/gpt-5"), create_chat_prompt(output_schema=ANSWER))
    assert chain.invoke(TOPIC) == {"mood": "good"}
    [body] = provider.bodies
    assert body["response_format"]["type"] == "json_schema"
    # LiteLLM may drop the schema on the way, so the instructions stay.
    assert "Answer with one JSON object" in json.dumps(body["messages"])


def test_openais_own_tools_reach_only_openai(provider, integration, chat_openai, chat_anthropic):
    tools = [LOOKUP, {"provider": "openai", "type": "custom", "custom": {"name": "shell"}}]
    prompt = create_chat_prompt(tools=tools, settings={"max_tokens": 9})
    chain = integration.bind(chat_openai, prompt)
    assert len(chain.steps[-1].kwargs["tools"]) == 2
    integration.bind(chat_anthropic, prompt).invoke(TOPIC)
    [body] = provider.bodies
    assert [tool["name"] for tool in body["tools"]] == ["lookup"]


class AnyModel(BaseChatModel):
    """A chat model of no known provider, which records what it is bound to and called with."""

    calls: list[dict[str, Any]] = Field(default_factory=list)
    received: list[str] = Field(default_factory=list)
    answer: str = "Gladly."

    @property
    def _llm_type(self) -> str:
        return "any"

    def _generate(self, messages: Any, stop: Any = None, _: Any = None, **arguments: Any) -> ChatResult:
        self.received.append(str([message.content for message in messages]))
        self.calls.append({"stop": stop, **arguments})
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.answer))])

    def bind_tools(self, tools: Any, *, tool_choice: Any = None, **_: Any) -> Any:
        return self.bind(bound_tools=tools, chosen=tool_choice)

    def with_structured_output(self, schema: Any, **_: Any) -> Any:
        return self.bind(schema=schema) | RunnableLambda(lambda message: json.loads(message.content))


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [(None, None), ("auto", "auto"), ("required", "any"), ("none", "none"), ({"name": "lookup"}, "lookup")],
)
def test_any_model_gets_tools_by_its_method(integration, choice, chosen):
    model = AnyModel()
    prompt = create_chat_prompt(tools=[LOOKUP], tool_choice=choice, settings=SETTINGS)
    assert integration.bind(model, prompt).invoke(TOPIC).content == "Gladly."
    [call] = model.calls
    assert call["bound_tools"] == [{"type": "function", "function": LOOKUP}]
    assert call["chosen"] == chosen
    assert (call["max_tokens"], call["stop"]) == (50, ["END"])
    assert "model" not in call


def test_any_model_gets_the_schema_by_its_method(integration):
    model = AnyModel(answer='{"mood": "good"}')
    chain = integration.bind(model, create_chat_prompt(output_schema=ANSWER, settings={"temperature": 0.5}))
    assert chain.invoke(TOPIC) == {"mood": "good"}
    [call] = model.calls
    assert call["schema"]["properties"]["mood"]["type"] == "string"
    assert call["temperature"] == 0.5
    bad = AnyModel(answer='{"mood": "g"}')
    with pytest.raises(SchemaValidationError, match="mood"):
        integration.bind(bad, create_chat_prompt(output_schema=ANSWER)).invoke(TOPIC)


def test_any_model_takes_tools_or_a_schema(integration):
    prompt = create_chat_prompt(output_schema=ANSWER, tools=[LOOKUP])
    with pytest.warns(PromptConversionWarning, match="takes one of the two; the schema is not sent"):
        chain = integration.bind(AnyModel(), prompt)
    assert chain.invoke(TOPIC).content == "Gladly."


def test_a_prompt_with_nothing_to_bind_is_the_template_before_the_model(integration):
    model = AnyModel()
    chain = integration.bind(model, create_text_prompt(), {"name": "Ada"})
    assert chain.invoke({}).content == "Gladly."
    assert model.received == ["['Hello Ada!']"]
    assert chain.steps[-1] is model


def test_a_schema_of_a_manager_and_one_by_name_are_bound():
    prompt = create_chat_prompt(output_schema=ANSWER, status="active")
    manager = PromptManager()
    manager.registry.register_sync(prompt)
    made = LangChainIntegration(manager.template_engine)
    model = AnyModel(answer='{"mood": "good"}')
    assert made.bind(model, manager.get_prompt_sync("explain")).invoke(TOPIC) == {"mood": "good"}
    schemas = SchemaLoader()
    schemas.register({"name": "mood", "fields": [{"name": "mood", "type": "string"}]})
    named = LangChainIntegration(ENGINE, schemas=schemas)
    assert named.bind(model, create_chat_prompt(output_schema="mood")).invoke(TOPIC) == {"mood": "good"}


def test_a_tool_that_cannot_be_strict_is_refused_before_a_call(integration):
    tool = {**LOOKUP, "strict": True, "parameters": {"type": "object", "properties": {"id": {"type": "string"}}}}
    with pytest.raises(ConversionError, match="tool `lookup` cannot be strict"):
        integration.bind(AnyModel(), create_chat_prompt(tools=[tool]))


def test_cache_hints_are_for_models_that_take_them():
    prompt = chat_of({"role": "system", "content": "Know {{topic}}.", "cache": "1h"}, {"role": "user", "content": "Q"})
    plain = LangChainIntegration(ENGINE).convert_sync(prompt, {})
    assert plain.format_messages(**TOPIC)[0].content == "Know AI."
    marked = LangChainIntegration(ENGINE, cache_control=True).convert_sync(prompt, {})
    expected = [{"type": "text", "text": "Know AI.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    assert marked.format_messages(**TOPIC)[0].content == expected
    assert pickle.loads(pickle.dumps(marked)).format_messages(**TOPIC)[0].content == expected


def test_a_variable_that_has_the_name_of_a_partial_is_answered_with_a_hint():
    engine = TemplateEngine()
    engine.register_partial("signature", "Yours, Ada")
    prompt = create_text_prompt(template="Hello! {{signature}}")
    with pytest.warns(PromptConversionWarning, match=r"to include the partial, write `\{\{> signature\}\}`"):
        template = LangChainIntegration(engine).convert_sync(prompt, {})
    assert template.input_variables == ["signature"]
    # A variable that is given or declared is what the author means.
    LangChainIntegration(engine).convert_sync(prompt, {"signature": "Bo"})
    declared = create_text_prompt(template={"content": "{{signature}}", "variables": {"signature": {}}})
    LangChainIntegration(engine).convert_sync(declared, {})


@pytest.mark.parametrize("place", ["prompt", "engine"])
@pytest.mark.parametrize("template", ["Hello! {{signature}}", "{{#if true}}Hello! {{signature}}{{/if}}"])
def test_a_render_says_how_to_include_a_partial_that_was_read_as_a_variable(place, template):
    manager = PromptManager()
    partials = {"signature": "Yours, Ada"}
    if place == "engine":
        manager.template_engine.register_partial("signature", partials.pop("signature"))
    prompt = create_text_prompt(template={"content": template, "partials": partials}, status="active")
    manager.registry.register_sync(prompt)
    with pytest.raises(TemplateRenderError) as caught:
        manager.render_sync("greeting", {})
    assert "include it with `{{> signature}}`" in str(caught.value)
