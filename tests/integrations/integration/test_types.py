"""Checks converted examples, cases and random conversations against the types of the providers' newest packages."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from helpers import cases
from prompt_manager import TemplateEngine
from prompt_manager.integrations import PromptConversionWarning
from providers import bedrock_converse
from providers.apis import APIS
from providers.checks import RequestError
from providers.conversations import conversations
from providers.samples import CHATS, CHOICES, HISTORY, IDS, full_prompt, inputs
from providers.sdk_types import Type

pytestmark = [pytest.mark.integration, pytest.mark.newest]

ENGINE = TemplateEngine()


def body_of(form):
    """Return the body of a converted prompt, without the model and the maximum length."""
    return form if isinstance(form, dict) else {"messages": form}


def gemini_mismatch(body):
    """Check a body with the models of google-genai, which forbid unknown keys."""
    from google.genai.types import Content, GenerateContentConfig

    try:
        for content in body.get("contents", []):
            Content.model_validate(content)
        GenerateContentConfig.model_validate(body.get("config", {}))
    except ValidationError as error:
        return str(error)
    return None


def bedrock_mismatch(body):
    """Check a body with the service model of botocore. The expected results of cases have base64 for bytes."""
    try:
        bedrock_converse.check_shape(body)
    except RequestError as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def mismatch():
    """Return the reasons why a body does not match the arguments of the provider's call."""
    from anthropic.types.message_create_params import MessageCreateParamsNonStreaming as Messages
    from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming as Chat
    from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming as Responses

    types = {"openai": Type(Chat), "responses": Type(Responses), "anthropic": Type(Messages)}

    def mismatch(provider, body):
        if provider == "gemini":
            return gemini_mismatch(body)
        if provider == "bedrock":
            return bedrock_mismatch(body)
        more = {"model": "m", **({"max_tokens": 5} if provider == "anthropic" else {})}
        return types[provider].mismatch({**more, **body})

    return mismatch


TYPED = ["openai", "responses", "anthropic", "gemini", "bedrock"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "user"},
        {"role": "usr", "content": "x"},
        {"role": "user", "content": 5},
        {"role": "user", "content": "x", "cache": True},
        {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": [{"type": "text", "text": "x", "extra": 1}]},
        {"role": "user", "content": [{"type": "input_text", "text": 5}]},
    ],
    ids=str,
)
def test_the_check_against_sdk_types_can_fail(mismatch, wrong):
    keys = [("openai", "messages"), ("responses", "input"), ("anthropic", "messages")]
    for provider, key in keys:
        assert mismatch(provider, {key: [{"role": "user", "content": "x"}]}) is None
        assert mismatch(provider, {key: [wrong]})
        assert mismatch(provider, {key: [{"role": "user", "content": "x"}], "unknown": 1})


@pytest.mark.parametrize(
    ("provider", "fine", "wrong"),
    [
        ("gemini", {"contents": [{"parts": [{"text": "x"}]}]}, {"contents": [{"parts": [{"text": 5}]}]}),
        ("gemini", {"contents": [], "config": {"seed": 1}}, {"contents": [], "config": {"sed": 1}}),
        ("bedrock", {"messages": [{"role": "user", "content": [{"text": "x"}]}]}, {"messages": [{"role": "user"}]}),
        ("bedrock", {"inferenceConfig": {"topP": 1}}, {"inferenceConfig": {"topK": 1}}),
        ("bedrock", {"serviceTier": {"type": "flex"}}, {"serviceTier": {"type": "fast"}}),
    ],
)
def test_the_check_against_models_can_fail(mismatch, provider, fine, wrong):
    assert mismatch(provider, fine) is None
    assert mismatch(provider, wrong)


@pytest.mark.parametrize("provider", TYPED)
@pytest.mark.parametrize("prompt_id", CHATS)
def test_a_converted_example_matches_the_sdk_types(examples, mismatch, prompt_id, provider):
    integration = APIS[provider].integration(examples.template_engine)
    form = integration.convert_sync(examples.get_prompt_sync(prompt_id), inputs(prompt_id, provider))
    assert mismatch(provider, body_of(form)) is None


@pytest.mark.parametrize("provider", TYPED)
@pytest.mark.parametrize("prompt_id", IDS)
def test_a_request_of_an_example_matches_the_sdk_types(examples, mismatch, prompt_id, provider):
    integration = APIS[provider].integration(examples.template_engine, to_messages=True)
    further = {"max_tokens": 5} if provider == "anthropic" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptConversionWarning)
        prompt = examples.get_prompt_sync(prompt_id)
        request = integration.build_request_sync(prompt, inputs(prompt_id, provider), model="m", **further)
    assert mismatch(provider, whole(request)) is None


def whole(request):
    """Return a request, with the content of ``extra_body`` merged into it."""
    return {**{key: value for key, value in request.items() if key != "extra_body"}, **request.get("extra_body", {})}


@pytest.mark.parametrize(("choice", "_"), CHOICES, ids=str)
def test_a_full_request_matches_the_sdk_types(mismatch, choice, _):
    prompt = full_prompt(tool_choice=choice)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptConversionWarning)
        for provider in TYPED:
            request = APIS[provider].integration(ENGINE).build_request_sync(prompt, {})
            assert mismatch(provider, whole(request)) is None, provider


@pytest.mark.parametrize("provider", TYPED)
def test_a_random_conversation_matches_the_sdk_types(mismatch, provider):
    integration = APIS[provider].integration(ENGINE)

    @settings(max_examples=40, suppress_health_check=[*HealthCheck])
    @given(conversations(provider))
    def holds(messages):
        assert mismatch(provider, body_of(integration.convert_sync(HISTORY, {"history": messages}))) is None

    holds()


CASES = [
    pytest.param(name.split(":", maxsplit=1)[0], form, id=name)
    for name, case in cases("convert")
    for form in ((case.get(mode) or {}).get("expect") for mode in ("both", "strict", "lenient"))
    if form is not None and not name.startswith("litellm")
]


@pytest.mark.parametrize(("provider", "form"), CASES)
def test_the_expected_result_of_a_case_matches_the_sdk_types(mismatch, provider, form):
    assert mismatch(provider, body_of(form)) is None
