"""Lines of batch files, which the types of the providers' packages accept."""

from __future__ import annotations

import json
import warnings

import pytest

from prompt_manager import Prompt, PromptManager
from prompt_manager.exceptions import ConversionError, PromptNotFoundError
from prompt_manager.integrations import PromptConversionWarning
from providers.samples import full_prompt
from providers.sdk_types import Type

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def manager():
    manager = PromptManager()
    manager.create_prompt_sync(full_prompt(tool_choice="required"))
    return manager


def line(manager, provider, **arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptConversionWarning)
        made = manager.build_batch_line_sync("explain", {}, provider, custom_id="row-7", **arguments)
    return json.loads(json.dumps(made))


@pytest.mark.newest
def test_a_line_for_openai_has_the_body_of_a_call(manager):
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as Chat
    from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming as Responses

    made = line(manager, "openai", extra={"min_p": 0.1})
    assert [made.pop(key) for key in ("custom_id", "method", "url")] == ["row-7", "POST", "/v1/chat/completions"]
    assert made["body"].pop("min_p") == 0.1
    assert Type(Chat).mismatch(made["body"]) is None
    made = line(manager, "openai-responses")
    assert [made.pop(key) for key in ("custom_id", "method", "url")] == ["row-7", "POST", "/v1/responses"]
    assert Type(Responses).mismatch(made["body"]) is None


@pytest.mark.newest
def test_a_line_for_anthropic_has_params_with_all_of_the_body(manager):
    from anthropic.types.messages.batch_create_params import Request

    made = line(manager, "anthropic", extra={"context_management": {"edits": []}})
    assert made["params"].pop("context_management") == {"edits": []}
    assert "extra_body" not in made["params"]
    assert Type(Request).mismatch(made) is None


@pytest.mark.newest
def test_a_line_for_gemini_has_a_keyed_request(manager):
    from google.genai.types import Content, GenerationConfig, Tool, ToolConfig

    made = line(manager, "gemini", model="m", extra={"newThing": 1})
    assert made["key"] == "row-7"
    request = made["request"]
    assert request.pop("newThing") == 1
    for content in [*request.pop("contents"), request.pop("system_instruction")]:
        Content.model_validate(content)
    GenerationConfig.model_validate(request.pop("generation_config"))
    ToolConfig.model_validate(request.pop("tool_config"))
    for tool in request.pop("tools"):
        Tool.model_validate(tool)
    assert request == {}


async def test_a_line_can_be_awaited(manager):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptConversionWarning)
        made = await manager.build_batch_line("explain", {}, "anthropic", custom_id="1", extra={"temperature": 0.5})
    assert made["params"]["temperature"] == 0.5


@pytest.mark.parametrize(
    ("provider", "custom_id", "error", "message"),
    [
        ("litellm", "1", ValueError, "provider 'litellm' has no batch files; those that have are \"openai\""),
        ("openai", "", ValueError, "custom_id must be a text"),
        ("openai", 5, ValueError, "custom_id must be a text"),
        ("openai", "x" * 65, ValueError, "1 to 64 characters"),
        (
            "anthropic",
            "row 7",
            ValueError,
            "Anthropic does not accept this custom_id\n  hint: use 1 to 64 letters, digits",
        ),
        (None, "1", TypeError, "provider must be a str, not NoneType. Those that have batch files are openai"),
        ("gemini", "\ud83d", ValueError, "custom_id"),
    ],
)
def test_what_is_no_line_is_an_error(manager, provider, custom_id, error, message):
    with pytest.raises(error, match=message):
        manager.build_batch_line_sync("explain", {}, provider, custom_id=custom_id)


@pytest.mark.parametrize(
    ("provider", "arguments", "lost"),
    [
        ("openai", {"timeout": 5, "extra_headers": {"a": "b"}}, ["timeout", "extra_headers"]),
        ("anthropic", {"timeout": 5}, ["timeout"]),
        ("gemini", {"config": {"http_options": {"timeout": 5, "extra_body": {"a": 1}}}}, ["http_options.timeout"]),
    ],
)
def test_arguments_of_the_call_are_left_out_with_a_warning(provider, arguments, lost):
    manager = PromptManager()
    manager.create_prompt_sync(Prompt(id="hi", format="text", template="Hi", settings={"max_tokens": 5}))
    with pytest.warns(PromptConversionWarning) as caught:
        made = manager.build_batch_line_sync("hi", {}, provider, custom_id="1", model="m", **arguments)
    assert "timeout" not in str(made)
    assert [str(each.message).split(" ")[0].strip("`") for each in caught] == lost
    assert {each.filename for each in caught} == {__file__}


def test_errors_of_the_request_are_those_of_build_request(manager):
    for provider in ("openai", "anthropic", "gemini"):
        with pytest.raises(ValueError, match="a batch has no streams; leave out stream=True"):
            manager.build_batch_line_sync("explain", {}, provider, custom_id="1", stream=True)
    with pytest.raises(TypeError, match="did you mean 'label'"):
        manager.build_batch_line_sync("explain", {}, "openai", custom_id="1", lable="x")
    with pytest.raises(PromptNotFoundError):
        manager.build_batch_line_sync("nothing", {}, "openai", custom_id="1")


@pytest.mark.parametrize(
    ("provider", "arguments", "problem"),
    [
        ("openai", {"metadata": {"a": [b"secret"]}}, r"`metadata\.a\[0\]` has bytes"),
        ("openai-responses", {"extra": {"a": {1, 2}}}, r"`extra_body\.a` has an object of the type set"),
        ("anthropic", {"max_tokens": float("nan")}, "`max_tokens` has a number that is not finite"),
        ("gemini", {"config": {"seed": object()}}, r"`config\.seed` has an object of the type object"),
    ],
    ids=["bytes", "set", "nan", "object"],
)
def test_a_value_that_json_does_not_have_is_an_error_with_its_place(manager, provider, arguments, problem):
    with pytest.raises(ConversionError, match=f"{problem}.*a batch file has only JSON") as caught:
        line(manager, provider, **arguments)
    assert "secret" not in str(caught.value)
    assert caught.value.context["hint"].startswith("write it as a dict")


@pytest.mark.newest
def test_an_object_of_the_package_is_no_line_for_gemini(manager):
    from google.genai import types

    config = types.GenerateContentConfig(tools=[types.Tool(google_search=types.GoogleSearch())])
    with pytest.raises(ConversionError, match=r"`config\.tools\[1\]` has an object of the type Tool"):
        line(manager, "gemini", config=config)
    options = types.GenerateContentConfig(http_options=types.HttpOptions(extra_body={"newThing": 1}))
    assert line(manager, "gemini", config=options)["request"]["newThing"] == 1
