"""Tools with `strict: true`: what a provider enforces of their parameters, and what it cannot."""

from __future__ import annotations

import warnings

import pytest

from helpers import create_chat_prompt
from prompt_manager import TemplateEngine
from prompt_manager.exceptions import ConversionError
from prompt_manager.integrations import AnthropicIntegration, LiteLLMIntegration, OpenAIIntegration
from providers.anthropic_messages import check_schema
from providers.checks import need_closed_schema

ENGINE = TemplateEngine()
TARGETS = {
    "openai": (OpenAIIntegration, {}),
    "responses": (OpenAIIntegration, {"api": "responses"}),
    "anthropic": (AnthropicIntegration, {}),
    "litellm": (LiteLLMIntegration, {}),
}
OF_OPENAI = ("openai", "responses", "litellm")


def tool_for(target, parameters, *, strict_validation=True):
    """Return the parameters and `strict` of the tool in a request, with the warnings."""
    integration, options = TARGETS[target]
    tool = {"name": "lookup", "parameters": parameters, "strict": True}
    prompt = create_chat_prompt(tools=[tool], settings={"model": "m", "max_tokens": 9})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = integration(ENGINE, strict_validation=strict_validation, **options)
        (sent,) = made.build_request_sync(prompt, {"topic": "AI"})["tools"]
    sent = sent.get("function", sent)
    texts = [str(warning.message) for warning in caught]
    return sent.get("parameters", sent.get("input_schema")), sent["strict"], texts


def of(required=("x",), **keywords):
    """Parameters with one property."""
    return {"type": "object", "properties": {"x": keywords}, "required": list(required)}


TEXT = {"type": "string"}
CLOSED = {**of(**TEXT), "additionalProperties": False}


@pytest.mark.parametrize("target", TARGETS)
def test_parameters_are_closed_all_the_way_down(target):
    inner = {"type": "object", "properties": {"y": TEXT}, "required": ["y"]}
    given = {"type": "object", "properties": {"x": {**inner, "default": {"y": "a"}}}, "required": ["x"]}
    parameters, strict, texts = tool_for(target, given)
    assert (strict, texts) == (True, [])
    assert parameters["additionalProperties"] is False
    assert parameters["properties"]["x"]["additionalProperties"] is False
    (check_schema if target == "anthropic" else need_closed_schema)(parameters, "parameters")
    assert tool_for(target, CLOSED)[0] == CLOSED


#: Parameters that cannot be enforced: for which targets, what the error names, and what it says to do.
BROKEN = [
    (of((), **TEXT), OF_OPENAI, "#/properties/x: OpenAI's strict subset has no optional keys", "under `required`"),
    (of(**TEXT, minLength=1), OF_OPENAI, "#/properties/x: `minLength`", "leave this rule out"),
    (of(**TEXT, format="uri"), OF_OPENAI, "#/properties/x: the format `uri`", "leave `strict` out"),
    (of(type="array", items=TEXT, uniqueItems=True), OF_OPENAI, "#/properties/x: `uniqueItems`", "leave `strict`"),
    ({**CLOSED, "additionalProperties": True}, OF_OPENAI, "#: an object with any keys", "leave `strict` out"),
    (of(type="object", additionalProperties=TEXT), TARGETS, "#/properties/x: an object with any keys", "declare"),
    (of(type="object"), TARGETS, "#/properties/x: an object with any keys", "declare each member"),
    (of(type="array"), TARGETS, "#/properties/x: a list of anything", "type of its `items`"),
    (of(), TARGETS, "#/properties/x: a value of any type", "give it a `type`"),
    (of(oneOf=[TEXT, {"type": "null"}]), OF_OPENAI, "#/properties/x: `oneOf`", "under `anyOf`"),
    (of(**TEXT, **{"not": {"const": "a"}}), OF_OPENAI, "#/properties/x: `not`", "leave this rule out"),
    (
        {**of(**{"$ref": "#/$defs/N"}), "$defs": {"N": of(**{"$ref": "#/$defs/N"})}},
        ("anthropic",),
        "#/$defs/N: a schema that refers to itself",
        "leave `strict` out",
    ),
]


@pytest.mark.parametrize(("parameters", "targets", "place", "remedy"), BROKEN, ids=[row[2] for row in BROKEN])
@pytest.mark.parametrize("target", TARGETS)
def test_parameters_that_cannot_be_enforced_are_never_sent_as_strict(target, parameters, targets, place, remedy):
    if target not in targets:
        sent, strict, texts = tool_for(target, parameters)
        assert (strict, texts) == (True, [])
        (check_schema if target == "anthropic" else need_closed_schema)(sent, "parameters")
        return
    with pytest.raises(ConversionError) as caught:
        tool_for(target, parameters)
    assert f"tool `lookup` cannot be strict: {place}" in caught.value.message
    assert remedy in str(caught.value)
    assert "leave `strict` out of the tool" in str(caught.value)
    # Without strict conversion, the model gets the parameters as they are, and they are not enforced.
    sent, strict, (text,) = tool_for(target, parameters, strict_validation=False)
    assert (sent, strict) == (parameters, False)
    assert place in text
    assert text.endswith("sent without strict mode")


@pytest.mark.parametrize("target", TARGETS)
def test_parameters_of_a_tool_that_is_not_strict_stay_as_they_are(target):
    integration, options = TARGETS[target]
    for strict in ({}, {"strict": False}):
        tool = {"name": "lookup", "parameters": of((), **TEXT, minLength=1), **strict}
        prompt = create_chat_prompt(tools=[tool], settings={"model": "m", "max_tokens": 9})
        (sent,) = integration(ENGINE, **options).build_request_sync(prompt, {"topic": "AI"})["tools"]
        sent = sent.get("function", sent)
        assert sent.get("parameters", sent.get("input_schema")) == tool["parameters"]


def test_a_warning_shows_a_nul_in_a_name():
    parameters = {"type": "object", "properties": {"a\0b": {"type": "string"}}}
    _, _, said = tool_for("openai", parameters, strict_validation=False)
    assert any(r"#/properties/a\0b" in warning for warning in said)
