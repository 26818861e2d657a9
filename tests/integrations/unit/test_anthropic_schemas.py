"""The schemas that go to Anthropic, compared with what its own package makes of the same models."""

from __future__ import annotations

import json
import re
import warnings

import pytest

from helpers import create_chat_prompt
from prompt_manager import TemplateEngine
from prompt_manager.integrations import AnthropicIntegration, PromptConversionWarning
from prompt_manager.validation import SchemaLoader
from providers.anthropic_messages import check_document
from providers.anthropic_models import ANY, DIFFERENT, MAP, NOT_SENT, RECURSIVE, SAME, Address, Open, model
from providers.checks import RequestError


def request_of(schema):
    schemas = None
    if isinstance(schema, type):
        schemas, name = SchemaLoader(), schema.__name__
        schemas.register_model(name, schema)
        schema = name
    prompt = create_chat_prompt(output_schema=schema, settings={"model": "m", "max_tokens": 9})
    return AnthropicIntegration(TemplateEngine(), schemas=schemas).build_request_sync(prompt, {"topic": "AI"})


def sent(schema):
    """Return the schema that a request for this model or JSON Schema has."""
    return request_of(schema)["output_config"]["format"]["schema"]


def transformed(kind):
    transform = pytest.importorskip("anthropic.lib._parse._transform")
    return transform.transform_schema(kind.model_json_schema())


def test_there_are_many_models():
    assert len(SAME) + len(DIFFERENT) + len(NOT_SENT) >= 36


@pytest.mark.newest
@pytest.mark.parametrize("kind", SAME, ids=lambda kind: kind.__name__)
def test_a_model_is_sent_as_anthropics_package_sends_it(kind):
    schema = sent(kind)
    assert schema == transformed(kind)
    check_document(schema, "schema")


@pytest.mark.newest
@pytest.mark.parametrize(("kind", "differences"), DIFFERENT, ids=lambda value: getattr(value, "__name__", ""))
def test_each_difference_from_anthropics_package_has_a_reason(kind, differences):
    schema = sent(kind)
    ours, theirs = values_of(schema), values_of(transformed(kind))
    different = {path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path)}
    assert {path: (ours.get(path), theirs.get(path)) for path in different} == {
        path: (own, other) for path, (own, other, _) in differences.items()
    }
    check_document(schema, "schema")


def values_of(schema, path=()):
    """The values of a schema by their paths."""
    if not isinstance(schema, (dict, list)):
        return {"/".join(path): schema}
    members = schema.items() if isinstance(schema, dict) else enumerate(schema)
    return {at: value for key, member in members for at, value in values_of(member, (*path, str(key))).items()}


@pytest.mark.newest
@pytest.mark.parametrize(("kind", "reason"), NOT_SENT, ids=lambda value: getattr(value, "__name__", ""))
def test_what_anthropics_package_makes_of_a_model_that_is_not_sent(kind, reason):
    if reason == ANY:
        with pytest.raises(ValueError, match="must have a 'type'"):
            transformed(kind)
        return
    schema = transformed(kind)
    if reason == MAP:
        field = schema["properties"]["a"]
        assert (field["properties"], field["additionalProperties"]) == ({}, False)
    else:
        assert reason == RECURSIVE
        with pytest.raises(RequestError, match="recursive"):
            check_document(schema, "schema")


@pytest.mark.parametrize(("kind", "reason"), NOT_SENT, ids=lambda value: getattr(value, "__name__", ""))
def test_a_model_that_cannot_be_expressed_is_left_out_with_a_warning(kind, reason):
    with pytest.warns(PromptConversionWarning, match=r"cannot be enforced: .* Anthropic's structured output.*left out"):
        request = request_of(kind)
    assert "output_config" not in request, reason
    # The prompt describes the answer instead.
    assert "Answer with one JSON object" in request["system"]


def of(**keywords):
    """A JSON Schema with one field."""
    return {"type": "object", "properties": {"x": keywords}, "required": ["x"], "additionalProperties": False}


#: The keywords of a field, and what is sent of them.
FIELDS = [
    ({"type": "integer", "minimum": 0}, {"type": "integer", "description": "{minimum: 0}"}),
    ({"type": "number", "maximum": 1.5}, {"type": "number", "description": "{maximum: 1.5}"}),
    (
        {"type": "string", "pattern": "^a$", "description": "A."},
        {"type": "string", "description": "A.\n\n{pattern: ^a$}"},
    ),
    ({"type": "string", "format": "email"}, {"type": "string", "format": "email"}),
    (
        {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        {"type": "array", "items": {"type": "string"}, "description": "{maxItems: 3}"},
    ),
    (
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
    ),
    ({"type": "string", "enum": ["a", "b"]}, {"enum": ["a", "b"]}),
    ({"type": ["string", "null"]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    (
        {"type": "string", "minLength": 1, "maxLength": 3},
        {"type": "string", "description": "{minLength: 1, maxLength: 3}"},
    ),
    (
        {"type": "array", "items": {"type": "string"}, "minItems": 2},
        {"type": "array", "items": {"type": "string"}, "description": "{minItems: 2}"},
    ),
    ({"type": "string", "format": "uri"}, {"type": "string", "format": "uri"}),
]


@pytest.mark.parametrize(("keywords", "expected"), FIELDS, ids=str)
def test_a_rule_that_the_api_refuses_becomes_words(keywords, expected):
    schema = sent(of(**keywords))
    assert schema["properties"]["x"] == expected
    assert schema["required"] == ["x"]
    check_document(schema, "schema")


def test_a_description_beside_a_reference_is_kept():
    schema = sent(model("Firm", a=(Address, ...), b=(Address | None, None)))
    assert schema["properties"]["a"] == {"$ref": schema["properties"]["a"]["$ref"]}
    from pydantic import Field

    described = sent(model("Firm", a=(Address, Field(description="Of the firm."))))["properties"]["a"]
    assert described["description"] == "Of the firm."
    [reference] = described["anyOf"]
    assert set(reference) == {"$ref"}


def test_optional_fields_stay_optional():
    schema = sent({"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": False})
    assert "required" not in schema
    assert schema["additionalProperties"] is False


def test_an_open_model_is_closed():
    assert sent(Open)["additionalProperties"] is False


def test_the_answer_is_validated_with_all_rules():
    from prompt_manager import PromptManager
    from prompt_manager.exceptions import SchemaValidationError

    manager = PromptManager()
    prompt = create_chat_prompt(output_schema=of(type="integer", minimum=0), status="active")
    manager.registry.register_sync(prompt)
    with pytest.raises(SchemaValidationError):
        manager.parse_output("explain", '{"x": -1}')


def test_a_long_chain_of_models_has_one_reference_for_each():
    kind = model("M0", a=str)
    for number in range(1, 12):
        kind = model(f"M{number}", a=kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = sent(kind)
    assert len(re.findall(r'"\$ref"', json.dumps(schema))) >= 11
