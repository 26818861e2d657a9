"""Runs the conversion cases of ``tests/data/convert`` through prompts."""

from __future__ import annotations

import base64
import json
import warnings
from functools import partial

import pytest
from pydantic import ValidationError

from helpers import cases, chat_of, everything_said_by, secrets_in
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import (
    AnthropicIntegration,
    BedrockIntegration,
    GeminiIntegration,
    LiteLLMIntegration,
    OpenAIIntegration,
    PromptConversionWarning,
)

INTEGRATIONS = {
    "openai": OpenAIIntegration,
    "responses": partial(OpenAIIntegration, api="responses"),
    "anthropic": AnthropicIntegration,
    "litellm": LiteLLMIntegration,
    "gemini": GeminiIntegration,
    "bedrock": BedrockIntegration,
}

#: The maximum number of cases that only the tests in Rust run, because they cannot be written as prompts.
INEXPRESSIBLE = 29


def rewritten(message):
    """Return whether a prompt reformats the JSON arguments of a call, so that the expected text would differ."""
    calls = [call["function"] for call in message.get("tool_calls") or () if "function" in call]
    calls += [message["function_call"]] if message.get("function_call") else []
    texts = [call.get("arguments") for call in calls if isinstance(call.get("arguments"), str)]
    try:
        return any(json.dumps(json.loads(text), separators=(",", ":")) != text for text in texts)
    except ValueError:
        return True


def expressible(case):
    """Make a prompt of the messages of a case, or None if a prompt rejects or changes them."""
    if any(rewritten(message) for message in case["messages"]):
        return None
    try:
        return chat_of(*case["messages"]) if case["messages"] else None
    except ValidationError:
        return None


ALL = [(name, case, expressible(case)) for name, case in cases("convert")]


def test_most_cases_can_be_written_as_prompts():
    left_out = [name for name, _, prompt in ALL if prompt is None]
    assert len(ALL) - len(left_out) > 115
    assert len(left_out) <= INEXPRESSIBLE, left_out


def base64_text(value):
    """Bytes as the cases have them."""
    return base64.b64encode(value).decode()


@pytest.mark.unit
@pytest.mark.parametrize("mode", ["strict", "lenient"])
@pytest.mark.parametrize(
    ("name", "case", "prompt"), [pytest.param(*row, id=row[0]) for row in ALL if row[2] is not None]
)
def test_a_case_converts_as_expected(name, case, prompt, mode):
    kind = INTEGRATIONS[name.split(":", maxsplit=1)[0]]
    integration = kind(TemplateEngine(), strict_validation=mode == "strict", **case.get("options", {}))
    outcome = case.get(mode, case.get("both"))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        if "error" in outcome:
            with pytest.raises(ConversionError) as caught:
                integration.convert_sync(prompt, {})
            assert all(piece in caught.value.message for piece in outcome["error"]), caught.value.message
            shown = everything_said_by(caught.value)
        else:
            form = integration.convert_sync(prompt, {})
            # Compare texts, because the order of keys matters.
            assert json.dumps(form, default=base64_text) == json.dumps(outcome["expect"])
            shown = ""
    texts = [str(warning.message) for warning in warned]
    assert all(warning.category is PromptConversionWarning for warning in warned)
    if "expect" in outcome:
        expected = outcome.get("warnings", [])
        assert len(texts) == len(expected), texts
        for text, pieces in zip(texts, expected, strict=True):
            assert all(piece in text for piece in pieces), text
    shown += " ".join(texts)
    assert not [secret for secret in secrets_in(case["messages"]) if secret in shown]


@pytest.mark.unit
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("target", INTEGRATIONS)
def test_a_case_has_reasons_exactly_if_it_is_refused(target, strict):
    integration = INTEGRATIONS[target](TemplateEngine(), strict_validation=strict)
    for name, _, prompt in ALL:
        if prompt is None:
            continue
        refusals = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PromptConversionWarning)
            try:
                integration.convert_sync(prompt, {})
            except ConversionError as error:
                problem = error.message.partition(" format: ")[2]
                refusals = [f"{problem}: {error.context['hint']}"]
        assert integration.explain_compatibility(prompt)[:1] == refusals, name


OWN_NAME = {
    "openai": "OpenAI",
    "responses": "the Responses API",
    "litellm": "LiteLLM",
    "anthropic": "Anthropic",
    "gemini": "Gemini",
    "bedrock": "Bedrock",
}
OTHER_NAMES = {
    "openai": ["LiteLLM", "Anthropic", "Gemini", "Bedrock"],
    "responses": ["Chat Completions", "LiteLLM", "Anthropic", "Gemini", "Bedrock"],
    "litellm": ["OpenAI", "Chat Completions", "Responses API", "Anthropic", "Gemini", "Bedrock"],
    "anthropic": ["OpenAI", "Responses API", "LiteLLM", "Gemini", "Bedrock"],
    "gemini": ["OpenAI", "Responses API", "LiteLLM", "Anthropic", "Bedrock"],
    "bedrock": ["OpenAI", "Responses API", "LiteLLM", "Anthropic", "Gemini"],
}


@pytest.mark.unit
@pytest.mark.parametrize("target", INTEGRATIONS)
def test_a_reason_names_no_other_provider(target):
    options = {"cache_control": True} if target == "litellm" else {}
    integration = INTEGRATIONS[target](TemplateEngine(), **options)
    lists = [integration.explain_compatibility(prompt) for _, _, prompt in ALL if prompt is not None]
    reasons = sorted({reason for reasons in lists for reason in reasons})
    assert [reason for reason in reasons if any(name in reason for name in OTHER_NAMES[target])] == []
    assert any(OWN_NAME[target] in reason for reason in reasons)
