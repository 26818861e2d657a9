"""The schemas that go to OpenAI, compared with what its own package makes of the same models."""

from __future__ import annotations

import json
from enum import Enum

import pytest
from pydantic import BaseModel, Field

from helpers import create_chat_prompt
from prompt_manager import TemplateEngine
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.validation import SchemaLoader
from providers.checks import need_closed_schema


class Mood(Enum):
    """How someone feels."""

    GOOD = "good"
    BAD = "bad"


class Address(BaseModel):
    """Where someone lives."""

    city: str = Field(description="The town.")
    mood: Mood = Field(description="Of the town.")


class Firm(BaseModel):
    seat: Address = Field(description="The main office.")
    mood: Mood = Field(description="Of the firm.")
    plain: Address
    others: list[Address] = Field(description="All others.")
    maybe: Address | None = Field(description="If there is one.")


class Person(BaseModel):
    firm: Firm = Field(description="Where the person works.", title="Employer")


class Node(BaseModel):
    value: int
    parent: Node | None = Field(description="The node above.")
    twin: Node = Field(description="The same.")


def sent(schema, *others):
    """Return the schema that a request for this model has."""
    schemas = SchemaLoader()
    for each in (schema, *others):
        if isinstance(each, type):
            schemas.register_model(each.__name__, each)
        else:
            schemas.register(each)
    name = schema.__name__ if isinstance(schema, type) else schema["name"]
    prompt = create_chat_prompt(output_schema=name, settings={"model": "m"})
    request = OpenAIIntegration(TemplateEngine(), schemas=schemas).build_request_sync(prompt, {"topic": "AI"})
    format_ = request["response_format"]["json_schema"]
    assert format_["strict"] is True
    need_closed_schema(format_["schema"], "schema")
    return format_["schema"]


def references(schema):
    """Every part of a schema that is a reference."""
    if isinstance(schema, dict):
        yield from [schema] if "$ref" in schema else []
        for each in schema.values():
            yield from references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from references(each)


@pytest.mark.parametrize("kind", [Address, Firm, Person], ids=lambda kind: kind.__name__)
def test_a_model_is_sent_as_openais_package_sends_it(kind):
    transform = pytest.importorskip("openai.lib._pydantic").to_strict_json_schema
    assert sent(kind) == transform(kind)


def test_the_description_of_a_field_takes_the_place_of_the_definitions():
    schema = sent(Firm)
    assert schema["properties"]["seat"]["description"] == "The main office."
    assert schema["properties"]["mood"] == {
        "description": "Of the firm.",
        "enum": ["good", "bad"],
        "title": "Mood",
        "type": "string",
    }
    assert schema["properties"]["plain"] == {"$ref": "#/$defs/Address"}


def test_a_described_reference_of_a_model_to_itself_is_the_only_choice():
    schema = sent(Node)
    assert all(set(each) == {"$ref"} for each in references(schema))
    described = json.dumps(schema)
    assert "The node above." in described
    assert "The same." in described


def test_fields_of_a_schema_file_keep_their_descriptions():
    address = {"name": "address", "fields": [{"name": "city", "type": "string", "description": "The town."}]}
    seat = {"name": "seat", "type": "dict", "nested_schema": "address", "description": "The main office."}
    schema = sent({"name": "firm", "fields": [seat, {**seat, "name": "other", "nullable": True}]}, address)
    assert schema["properties"]["seat"]["description"] == "The main office."
    assert schema["properties"]["seat"]["properties"]["city"]["description"] == "The town."
    assert schema["properties"]["other"]["description"] == "The main office."
    assert all(set(each) == {"$ref"} for each in references(schema))


def test_many_described_references_make_no_schema_without_end():
    kind = Address
    for number in range(30):
        fields = {"__annotations__": {"a": kind, "b": kind}, "a": Field(description="A."), "b": Field(description="B.")}
        kind = type(f"M{number}", (BaseModel,), {"__module__": __name__, **fields})
    schema = sent(kind)
    assert len(json.dumps(schema)) < 2_000_000
    assert all(set(each) == {"$ref"} for each in references(schema))
