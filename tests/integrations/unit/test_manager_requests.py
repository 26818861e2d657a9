"""`build_request` and `convert` of a manager: the calls of an integration, by the ids of prompt and provider."""

from __future__ import annotations

import inspect
import re
import warnings
from functools import reduce
from operator import getitem

import pytest

from helpers import create_chat_prompt, create_text_prompt
from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager._providers import PROVIDERS
from prompt_manager.exceptions import ConversionError, PromptNotFoundError, VersionNotFoundError
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
)
from prompt_manager.integrations._call_arguments import CALLS
from prompt_manager.observability import Observer

TOPIC = {"topic": "AI"}
ANSWER = {
    "type": "object",
    "properties": {"mood": {"type": "string"}},
    "required": ["mood"],
    "additionalProperties": False,
}

#: The integration that does the same for a prompt.
INTEGRATIONS = {
    "openai": OpenAIIntegration,
    "openai-responses": lambda engine, **options: OpenAIIntegration(engine, api="responses", **options),
    "anthropic": AnthropicIntegration,
    "litellm": LiteLLMIntegration,
    "gemini": GeminiIntegration,
    "bedrock": BedrockIntegration,
}

#: An argument or setting of the call, the mapping that it belongs to, and the mapping for what the call does not know.
EXTRA = {
    "openai": ("timeout", (), ("extra_body",)),
    "openai-responses": ("timeout", (), ("extra_body",)),
    "anthropic": ("timeout", (), ("extra_body",)),
    # LiteLLM's call takes any argument.
    "litellm": ("timeout", (), ()),
    "gemini": ("seed", ("config",), ("config", "http_options", "extra_body")),
    "bedrock": ("topP", ("inferenceConfig",), ("additionalModelRequestFields",)),
}


#: An argument that the caller adds. Gemini and Bedrock have calls of their own for streams.
ADDED = {"gemini": {"config": {"seed": 3}}, "bedrock": {"requestMetadata": {"team": "plants"}}}


def model_of(request):
    """The model of a request. Bedrock's has a key of its own."""
    return request["modelId"] if "modelId" in request else request["model"]


def manager_with(*prompts, **options):
    manager = PromptManager(**options)
    for prompt in prompts:
        manager.registry.register_sync(prompt)
    return manager


@pytest.fixture
def manager():
    settings = {"model": "m", "max_tokens": 9}
    old = create_chat_prompt(status="active", settings=settings, output_schema=ANSWER)
    new = old.replace(version="2.0.0", settings={**settings, "model": "new"})
    manager = manager_with(old, new)
    manager.set_label_sync("explain", "production", "1.0.0")
    return manager


async def called(waits, manager, method, *arguments, **options):
    """Call the coroutine or its synchronous version."""
    if waits:
        return await getattr(manager, method)(*arguments, **options)
    return getattr(manager, f"{method}_sync")(*arguments, **options)


def test_every_provider_is_tested():
    assert set(INTEGRATIONS) == set(PROVIDERS) == set(CALLS)


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("provider", PROVIDERS)
class TestByName:
    async def test_a_request_is_what_the_integration_builds(self, manager, provider, waits):
        prompt = manager.get_prompt_sync("explain")
        made = INTEGRATIONS[provider](manager.template_engine)
        added = ADDED.get(provider, {"stream": True})
        request = await called(waits, manager, "build_request", "explain", TOPIC, provider, **added)
        assert request == made.build_request_sync(prompt, TOPIC, **added)
        assert model_of(request) == "new"

    async def test_a_conversion_is_what_the_integration_makes(self, manager, provider, waits):
        prompt = manager.get_prompt_sync("explain")
        made = INTEGRATIONS[provider](manager.template_engine)
        assert await called(waits, manager, "convert", "explain", TOPIC, provider) == made.convert_sync(prompt, TOPIC)

    async def test_the_version_and_the_label_are_chosen(self, manager, provider, waits):
        for which in ({"version": "1.0.0"}, {"label": "production"}):
            request = await called(waits, manager, "build_request", "explain", TOPIC, provider, **which)
            assert model_of(request) == "m"
            assert await called(waits, manager, "convert", "explain", TOPIC, provider, **which)
        with pytest.raises(VersionNotFoundError):
            await called(waits, manager, "build_request", "explain", TOPIC, provider, version="3.0.0")
        with pytest.raises(PromptNotFoundError):
            await called(waits, manager, "convert", "nothing", TOPIC, provider)

    async def test_the_options_are_those_of_the_integration(self, manager, provider, waits):
        options = {"output_instructions": False, "structured_output": False}
        made = INTEGRATIONS[provider](manager.template_engine, **options)
        request = await called(waits, manager, "build_request", "explain", TOPIC, provider, **options)
        assert request == made.build_request_sync(manager.get_prompt_sync("explain"), TOPIC)
        plain = await called(waits, manager, "convert", "explain", TOPIC, provider, output_instructions=False)
        assert "mood" not in str(plain)

    async def test_what_is_not_strict_warns_instead_of_failing(self, provider, waits):
        broken = create_chat_prompt(
            status="active",
            settings={"model": "m", "max_tokens": 9},
            chat_template={"messages": [{"role": "user", "content": "Hi", "name": "a b"}]},
        )
        manager = manager_with(broken)
        for method in ("build_request", "convert"):
            with pytest.raises(ConversionError):
                await called(waits, manager, method, "explain", {}, provider)
            with pytest.warns(UserWarning, match="name"):
                assert "a b" not in str(await called(waits, manager, method, "explain", {}, provider, strict=False))

    async def test_observers_hear_it_once_with_target_and_label(self, manager, provider, waits):
        heard = []

        class Recording(Observer):
            def on_render_start(self, prompt_id, version, _variables, *, event):
                heard.append(("start", prompt_id, version, event.operation, event.target, event.label))

            def on_render_complete(self, prompt_id, version, _execution, *, event):
                heard.append(("complete", prompt_id, version, event.operation, event.target, event.label))

        manager.add_observer(Recording())
        for method in ("build_request", "convert"):
            heard.clear()
            await called(waits, manager, method, "explain", TOPIC, provider, label="production")
            assert heard == [
                (name, "explain", "1.0.0", method, provider, "production") for name in ("start", "complete")
            ]


@pytest.mark.parametrize("waits", [True, False])
async def test_an_engine_of_the_application_renders_the_texts(waits):
    class Shouting(TemplateEngine):
        async def render(self, template, *_, **__):
            return template.upper()

        def render_sync(self, template, *_, **__):
            return template.upper()

    manager = manager_with(create_text_prompt(status="active"), template_engine=Shouting())
    assert await called(waits, manager, "convert", "greeting", {"name": "Ada"}, "openai") == "HELLO {{NAME}}!"


def test_an_unknown_provider_is_an_error_with_the_known_ones(manager):
    with pytest.raises(
        ValueError, match=r"'opnai'; did you mean 'openai'\? The providers are openai, openai-responses, "
    ):
        manager.build_request_sync("explain", TOPIC, "opnai")
    with pytest.raises(ValueError, match=r"no provider is named 'cohere'\. The providers"):
        manager.convert_sync("explain", TOPIC, "cohere")
    with pytest.raises(ValueError, match=r"use LangChainIntegration\(manager\.template_engine\)"):
        manager.convert_sync("explain", TOPIC, "langchain")
    for wrong in (None, 1, ["openai"]):
        with pytest.raises(TypeError, match=r"provider must be a str, not \w+\. The providers are openai, "):
            manager.build_request_sync("explain", TOPIC, wrong)


# The misspelt argument, and what was meant.
SLIPS = [
    ("lable", "label"),
    ("verison", "version"),
    ("modle", "model"),
    ("output_instruction", "output_instructions"),
    ("strct", "strict"),
    ("temprature", "temperature"),
    ("max_token", "max_tokens"),
    ("steam", "stream"),
    ("tool_choise", "tool_choice"),
]


@pytest.mark.parametrize("provider", ["openai", "anthropic", "litellm"])
@pytest.mark.parametrize(("name", "meant"), SLIPS)
def test_a_misspelt_argument_is_refused_with_the_right_name(manager, provider, name, meant):
    with pytest.raises(TypeError, match=f"'{name}'; did you mean '{meant}'"):
        manager.build_request_sync("explain", TOPIC, provider, **{name: 1})


def test_extra_that_is_no_mapping_is_an_error(manager):
    with pytest.raises(TypeError, match=r"`extra` must be a mapping of arguments, such as .*, not int"):
        manager.build_request_sync("explain", TOPIC, "openai", extra=5)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_argument_that_nobody_knows_goes_through_extra(manager, provider):
    with pytest.raises(TypeError, match=r"pass extra=\{'min_p': \.\.\.\}"):
        manager.build_request_sync("explain", TOPIC, provider, min_p=0.1)
    known, known_path, unknown_path = EXTRA[provider]
    extra = {"min_p": 0.1, known: 3}
    integration = INTEGRATIONS[provider](manager.template_engine)
    for request in (
        manager.build_request_sync("explain", TOPIC, provider, extra=extra),
        integration.build_request_sync(manager.get_prompt_sync("explain"), TOPIC, extra=extra),
    ):
        assert reduce(getitem, known_path, request)[known] == 3
        assert reduce(getitem, unknown_path, request)["min_p"] == 0.1


def test_an_argument_is_given_once(manager):
    with pytest.raises(TypeError, match="pass only temperature="):
        manager.build_request_sync("explain", TOPIC, "openai", temperature=1, extra={"temperature": 2})
    with pytest.raises(TypeError, match="pass only model="):
        manager.build_request_sync("explain", TOPIC, "openai", extra={"model": "x"})


async def test_options_of_an_integration_are_taken_with_the_arguments(manager):
    given = {"sampling": True, "max_tokens": 7}
    manager.create_prompt_sync(Prompt(id="warm", template="Hi", settings={"temperature": 0.5}))
    request = manager.build_request_sync("warm", {}, "anthropic", model="m", **given)
    assert request["extra_body"] == {"temperature": 0.5}
    assert await manager.build_request("warm", {}, "anthropic", model="m", **given) == request
    messages = [
        {"role": "system", "content": "a"},
        {"role": "system", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    manager.create_prompt_sync(Prompt(id="two", format="chat", chat_template={"messages": messages}))
    for options in ({"merge_system": True}, {"strict": False}, {"strict_validation": False}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            request = manager.build_request_sync("two", {}, "anthropic", model="m", max_tokens=7, **options)
        assert request["system"] == "a\n\nb", options
    request = manager.build_request_sync("warm", {}, "openai", model="m", max_tokens_key="max_tokens", stream=True)
    assert request["stream"] is True


@pytest.mark.parametrize(
    ("provider", "given", "said"),
    [
        (
            "openai",
            {"api": "responses"},
            "unexpected keyword argument 'api'; name the API by the provider, 'openai-resp",
        ),
        ("anthropic", {"sampling": []}, "`sampling` must be true or false, not list"),
        ("anthropic", {"sampling": None}, "`sampling` must be true or false, not NoneType"),
        ("anthropic", {"samplng": True}, "unexpected keyword argument 'samplng'; did you mean 'sampling'"),
        ("openai", {"max_tokens_key": 3}, "`max_tokens_key` must be a str, not int"),
    ],
)
def test_a_wrong_option_is_named(manager, provider, given, said):
    with pytest.raises(TypeError, match=re.escape(said)):
        manager.build_request_sync("explain", TOPIC, provider, model="m", max_tokens=7, **given)


def test_extra_body_is_an_option_or_an_argument(manager):
    manager.create_prompt_sync(Prompt(id="json", template="Hi", output_schema=ANSWER))
    given = {"model": "m", "max_tokens": 7}
    format_in_body = manager.build_request_sync("json", {}, "anthropic", extra_body=True, **given)
    assert list(format_in_body["extra_body"]) == ["output_config"]
    assert "output_config" not in format_in_body
    merged = manager.build_request_sync("json", {}, "anthropic", extra_body={"a": 1}, **given)
    assert merged["extra_body"] == {"a": 1}
    assert "format" in merged["output_config"]


def test_a_setting_that_an_argument_replaces_is_no_warning(manager):
    settings = {"model": "m", "max_tokens": 7, "temperature": 0.1}
    manager.create_prompt_sync(Prompt(id="cool", template="Hi", settings=settings))
    for given in ({"temperature": 0.6}, {"extra": {"temperature": 0.6}}, {"extra_body": {"temperature": 0.6}}):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            request = manager.build_request_sync("cool", {}, "anthropic", **given)
        assert request["extra_body"] == {"temperature": 0.6}


@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic"])
def test_a_line_of_a_batch_has_no_stream_in_the_body(manager, provider):
    with pytest.raises(ValueError, match="a batch has no streams"):
        manager.build_batch_line_sync(
            "explain", TOPIC, provider, custom_id="1", model="m", extra={"max_tokens": 7}, extra_body={"stream": True}
        )


def test_an_option_where_there_is_none_is_named_as_such(manager):
    with pytest.raises(
        TypeError, match=r"option of the integration: AnthropicIntegration\(manager.* merge_turns=\.\.\."
    ):
        manager.convert_sync("explain", TOPIC, "anthropic", merge_turns=True)
    integration = AnthropicIntegration(manager.template_engine)
    with pytest.raises(TypeError, match=r"option of the integration: AnthropicIntegration\(engine, merge_turns=\.\.\."):
        integration.build_request_sync(Prompt(id="p", template="Hi"), {}, model="m", max_tokens=7, merge_turns=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'schemas'"):
        manager.build_request_sync("explain", TOPIC, "anthropic", schemas=None)


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_what_newer_packages_of_anthropic_lack_goes_into_the_body(manager, name):
    def request(**given):
        return manager.build_request_sync("explain", TOPIC, "anthropic", model="m", max_tokens=7, **given)

    assert request(**{name: 1})["extra_body"] == {name: 1}
    assert request(**{name: 1, "extra_body": {"a": 2}})["extra_body"] == {name: 1, "a": 2}
    assert request(**{name: 1, "extra_body": {name: 3}})["extra_body"] == {name: 3}
    assert request(extra={name: 1})["extra_body"] == {name: 1}
    assert name not in request(**{name: 1})
    line = manager.build_batch_line_sync(
        "explain", TOPIC, "anthropic", custom_id="1", model="m", max_tokens=7, **{name: 1}
    )
    assert line["params"][name] == 1


@pytest.mark.parametrize(
    ("given", "meant"),
    [("google", "gemini"), ("Claude", "anthropic"), ("azure", "openai"), ("mistral", "openai"), ("opnai", "openai")],
)
def test_other_names_of_providers_are_known(manager, given, meant):
    with pytest.raises(ValueError, match=f"no provider is named '{given}'; did you mean '{meant}'"):
        manager.build_request_sync("explain", TOPIC, given)


def calls_of_the_sdks():
    """The functions that requests are for, if the installed packages have them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anthropic
        import litellm
        import openai

    yield "openai", openai.resources.chat.Completions.create
    if hasattr(openai.resources, "Responses"):
        yield "openai-responses", openai.resources.Responses.create
    yield "anthropic", anthropic.resources.Messages.create
    yield "litellm", litellm.completion


def test_every_argument_of_the_packages_is_known():
    for provider, call in calls_of_the_sdks():
        parameters = inspect.signature(call).parameters.values()
        names = {each.name for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD} - {"self"}
        assert names - CALLS[provider] == set(), provider
