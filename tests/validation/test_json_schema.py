"""Schemas as JSON Schema and back, their examples and instructions, checked by another validator."""

# ruff: noqa: E501 - rows of tables

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import BaseModel, ConfigDict, Field

from helpers import DATA, EXAMPLES
from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import SchemaError, SchemaParseError, SchemaValidationError
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.validation import Schema, SchemaLoader

RULES = {"min_length": {"min_value": 3}, "max_length": {"max_value": 5}}


def loaded(*schemas):
    loader = SchemaLoader()
    for schema in schemas:
        loader.register(schema)
    return loader


def field(kind, *rules, **more):
    return {"name": "s", "fields": [{"name": "x", "type": kind, "validators": list(rules), **more}]}


def accepted(document, data):
    return Draft202012Validator(document, format_checker=FormatChecker()).is_valid(data)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (field("string", {"type": "min_length", "min_value": 3}), {"type": "string", "minLength": 3}),
        (field("list", {"type": "max_length", "max_value": 2}, item_type="date"),
         {"type": "array", "items": {"type": "string", "format": "date"}, "maxItems": 2}),
        (field("integer", {"type": "range", "min_value": 1, "max_value": 5}), {"type": "integer", "minimum": 1, "maximum": 5}),
        (field("float", nullable=True, description="How much"), {"type": ["number", "null"], "description": "How much"}),
        (field("string", {"type": "regex", "pattern": "^a"}), {"type": "string", "pattern": "^a"}),
        (field("string", {"type": "email"}), {"type": "string", "format": "idn-email"}),
        (field("string", {"type": "url"}), {"type": "string", "format": "iri"}),
        (field("uuid"), {"type": "string", "format": "uuid"}),
        (field("datetime"), {"type": "string", "format": "date-time"}),
        (field("enum", {"type": "enum", "allowed_values": ["a", 1]}, nullable=True), {"enum": ["a", 1, None]}),
        (field("string", {"type": "regex", "pattern": "^a"}, {"type": "regex", "pattern": "b$"}),
         {"type": "string", "pattern": "^a", "allOf": [{"pattern": "b$"}]}),
        (field("string", {"type": "regex", "pattern": "(?i)^a"}), {"type": "string"}),
        (field("string", {"type": "regex", "pattern": r"^\p{L}+\z"}), {"type": "string"}),
        (field("string", {"type": "date", "format": "%d.%m.%Y"}), {"type": "string"}),
        (field("string", {"type": "min_length", "min_value": 3}, {"type": "min_length", "min_value": 2}), {"type": "string", "minLength": 3}),
        (field("integer", {"type": "max_value", "max_value": 3}, {"type": "max_value", "max_value": 2.5}), {"type": "integer", "maximum": 2.5}),
        (field("dict", {"type": "min_length", "min_value": 1}), {"type": "object", "minProperties": 1}),
        (field("any", {"type": "max_length", "max_value": 2}),
         {"type": ["string", "array", "object"], "maxLength": 2, "maxItems": 2, "maxProperties": 2}),
        (field("any", {"type": "min_value", "min_value": 2}), {"type": "number", "minimum": 2}),
        (field("any", {"type": "email"}), {"type": "string", "format": "idn-email"}),
        (field("any"), {}),
        (field("dict", read_only=True), {"type": "object", "readOnly": True}),
    ],
)  # fmt: skip
def test_a_field_converts_to_the_expected_json_schema(schema, expected):
    document = loaded(schema).to_json_schema("s")
    Draft202012Validator.check_schema(document)
    assert document["properties"]["x"] == expected
    assert document["required"] == ["x"]
    assert document["additionalProperties"] is False


def test_named_and_recursive_schemas_are_listed_under_defs():
    node = {"name": "node", "fields": [{"name": "v", "type": "integer"}, {"name": "next", "type": "dict", "nested_schema": "node", "nullable": True, "required": False},
                                       {"name": "leaves", "type": "list", "item_schema": "leaf/x", "default": []}]}  # fmt: skip
    leaf = {
        "name": "leaf/x",
        "strict": False,
        "fields": [{"name": "up", "type": "dict", "nested_schema": "node", "required": False}],
    }
    document = loaded(node, leaf).to_json_schema("node")
    Draft202012Validator.check_schema(document)
    assert document["properties"]["next"]["anyOf"] == [{"$ref": "#"}, {"type": "null"}]
    assert accepted(document, {"v": 1, "next": {"v": 2}, "leaves": [{"up": {"v": 3}, "more": 1}]})
    assert not accepted(document, {"v": 1, "next": {"v": "x"}})
    assert not accepted(document, {"v": 1, "leaves": [{"up": {}}]})


EVERY = sorted((EXAMPLES / "schemas").glob("*.yaml"))


@pytest.fixture(scope="module")
def everything():
    loader = SchemaLoader()
    loader.load_directory_sync(EXAMPLES / "schemas")
    for number, group in enumerate(json.loads((DATA / "schemas" / "validate.json").read_text(encoding="utf-8"))):
        if "schemas" not in group:
            loader.register({"name": f"group{number}", "fields": [{"name": "x", **group["field"]}]})
    loader.register({"name": "long", "fields": [
        {"name": "code", "type": "string", "validators": [{"type": "regex", "pattern": "^[A-Z]{3}-[0-9]+(a|b)?$"}, {"type": "min_length", "min_value": 8}]},
        {"name": "text", "type": "string", "validators": [{"type": "min_length", "min_value": 40}, {"type": "max_length", "max_value": 45}]},
        {"name": "short", "type": "string", "validators": [{"type": "max_length", "max_value": 2}]},
        {"name": "many", "type": "list", "item_type": "uuid", "validators": [{"type": "min_length", "min_value": 2}]},
        {"name": "none", "type": "list", "item_type": "float", "validators": [{"type": "max_length", "max_value": 0}]},
        {"name": "low", "type": "integer", "validators": [{"type": "max_value", "max_value": -5.5}]},
        {"name": "high", "type": "float", "validators": [{"type": "min_value", "min_value": 100}]}]})  # fmt: skip
    return loader


def test_every_example_satisfies_both_schemas(everything):
    shown = 0
    for name in everything.names():
        example = everything.example(name)
        if example is None:
            continue
        shown += 1
        document = everything.to_json_schema(name)
        Draft202012Validator.check_schema(document)
        assert accepted(document, example), (name, example)
        everything.validate_data_sync(name, example)
        instructions = everything.output_instructions(name)
        _, expected, _, written = instructions.split("\n\n")
        assert accepted(json.loads(expected), json.loads(written))
        assert json.loads(written) == example
    assert shown >= len(everything.names()) - 2


def test_instructions_leave_out_an_impossible_example():
    loader = loaded(field("string", {"type": "min_length", "min_value": 5}, {"type": "max_length", "max_value": 2}))
    assert loader.example("s") is None
    assert "An example" not in loader.output_instructions("s")
    endless = {"name": "n", "fields": [{"name": "next", "type": "dict", "nested_schema": "n"}]}
    assert loaded(endless).example("n") is None


def test_examples_refused_by_a_custom_rule_are_left_out():
    loader = loaded(field("integer", {"type": "custom", "custom_function": "never"}))
    loader.register_function("never", lambda _: False)
    assert loader.example("s") is None
    loader.register_function("never", lambda _: True)
    assert loader.example("s") == {"x": 1}


class TestStrict:
    def test_strict_schemas_require_all_keys_and_fit_openai(self, everything):
        document = everything.to_json_schema("document_summary", strict=True)
        Draft202012Validator.check_schema(document)

        def objects(node):
            if isinstance(node, dict):
                if node.get("type") == "object":
                    yield node
                for member in node.values():
                    yield from objects(member)

        found = list(objects(document))
        assert len(found) == 2
        for each in found:
            assert each["required"] == list(each["properties"])
            assert each["additionalProperties"] is False
        text = json.dumps(document)
        assert not any(f'"{word}"' in text for word in ("minLength", "maxLength", "default", "$schema", "iri"))

    def test_data_valid_under_strict_is_valid_for_the_schema(self, everything):
        document = everything.to_json_schema("document_summary", strict=True)
        example = everything.example("document_summary")
        assert accepted(document, example)
        assert not accepted(document, {**example, "action_items": None})

    def test_strict_enums_have_a_type_and_references_are_alone(self):
        inner = {"name": "inner", "description": "Inside", "fields": []}
        nested = {"name": "y", "type": "dict", "nested_schema": "inner", "description": "Outside"}
        each = field("enum", {"type": "enum", "allowed_values": ["a", 1, 2.5, True]}, nullable=True)
        schema = {**each, "fields": [*each["fields"], nested, {**nested, "name": "z", "nullable": True}]}
        document = loaded(schema, inner).to_json_schema("s", strict=True)
        assert document["properties"] == {
            "x": {"type": ["boolean", "integer", "number", "string", "null"], "enum": ["a", 1, 2.5, True, None]},
            # A reference can have nothing beside it, so the definition is written out for the description.
            "y": {**document["$defs"]["inner"], "description": "Outside"},
            "z": {"anyOf": [{"$ref": "#/$defs/inner"}, {"type": "null"}], "description": "Outside"},
        }
        assert document["$defs"]["inner"]["description"] == "Inside"

    @pytest.mark.parametrize(
        ("schema", "what"),
        [
            (field("enum", {"type": "enum", "allowed_values": [["a"]]}), "a list or dict as a value"),
            (field("any"), "type any"),
            (field("dict"), "a dict without a schema"),
            (field("list"), "a list of anything"),
            (field("list", item_type="dict"), "a list of dicts or lists without a schema"),
        ],
    )
    def test_strict_refuses_inexpressible_fields_by_name(self, schema, what):
        with pytest.raises(SchemaError) as caught:
            loaded(schema).to_json_schema("s", strict=True)
        assert f"field 'x' of schema 's': {what} cannot be expressed in OpenAI's strict subset" in str(caught.value)


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    name: str = Field(min_length=2, description="What it answers to")


class Dog(BaseModel):
    kind: Literal["dog"]
    barks: bool = False


class Home(BaseModel):
    model_config = ConfigDict(extra="allow")

    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Field(description="Who lives here")
    other: Cat | None = Field(None, description="Who else does")
    rooms: list[Literal[1, 2]] = Field(default=[1], min_length=1)
    above: Home | None = None


class Free(BaseModel):
    facts: dict[str, int] = {}


class Loose(BaseModel):
    fact: Any


class Pair(BaseModel):
    both: tuple[int, str]


HOME = {"pet": {"kind": "cat", "name": "Tom"}, "other": None, "rooms": [2], "above": None}


class TestStrictOfModels:
    def test_strict_schemas_of_models_require_exactly_all_keys(self):
        loader = SchemaLoader()
        loader.register_model("home", Home)
        document = loader.to_json_schema("home", strict=True)
        Draft202012Validator.check_schema(document)
        assert document["type"] == "object"
        assert document["required"] == ["pet", "other", "rooms", "above"]
        assert document["properties"]["pet"] == {
            "anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}], "description": "Who lives here", "title": "Pet",
        }  # fmt: skip
        assert document["$defs"]["Cat"]["properties"]["name"] == {
            "type": "string", "description": "What it answers to", "title": "Name",
        }  # fmt: skip
        assert not any(word in json.dumps(document) for word in ('"default"', "discriminator", "oneOf", "minLength"))
        assert accepted(document, HOME)
        assert accepted(document, {**HOME, "above": HOME})
        for key in HOME:
            assert not accepted(document, {name: value for name, value in HOME.items() if name != key})
        assert not accepted(document, {**HOME, "more": 1})
        assert not accepted(document, {**HOME, "pet": {"kind": "cat", "name": "Tom", "barks": True}})

    @pytest.mark.parametrize(
        ("model", "expected"),
        [
            (Free, "#/properties/facts: an object with any keys"),
            (Loose, "#/properties/fact: a value of any type"),
            (Pair, "#/properties/both: `prefixItems`"),
        ],
    )
    def test_strict_refuses_inexpressible_models_by_name(self, model, expected):
        loader = SchemaLoader()
        loader.register_model("m", model)
        with pytest.raises(SchemaError) as caught:
            loader.to_json_schema("m", strict=True)
        assert f"{expected} cannot be expressed in OpenAI's strict subset" in str(caught.value)

    @pytest.mark.parametrize("strict", [False, True])
    def test_definitions_of_a_model_do_not_replace_schemas(self, strict):
        loader = loaded(
            {"name": "street", "fields": [{"name": "home", "type": "dict", "nested_schema": "Home"},
                                          {"name": "cats", "type": "list", "item_schema": "Cat"}]},
            {"name": "Cat", "fields": [{"name": "lives", "type": "integer"}]},
        )  # fmt: skip
        loader.register_model("Home", Home)
        document = loader.to_json_schema("street", strict=strict)
        Draft202012Validator.check_schema(document)
        assert accepted(document, {"home": {**HOME, "above": HOME}, "cats": [{"lives": 9}]})
        assert not accepted(document, {"home": {**HOME, "above": {}}, "cats": []})
        assert not accepted(document, {"home": {**HOME, "pet": {"lives": 9}}, "cats": []})
        assert not accepted(document, {"home": HOME, "cats": [HOME["pet"]]})


DOCUMENT = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "order",
    "description": "An order",
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "n": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9, "default": 1},
        "name": {"type": ["string", "null"], "minLength": 2, "pattern": "^[a-z]+$"},
        "kind": {"enum": ["a", 1, None]},
        "fixed": {"const": "x"},
        "mail": {"type": "string", "format": "email"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "address": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "parent": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        "any": True,
        "nothing": {"type": "null"},
        "both": {"type": "string", "pattern": "^a", "allOf": [{"pattern": "b$"}]},
        "some": {"type": "object", "minProperties": 1, "maxProperties": 2},
        "odd": {"type": "string", "minimum": 3, "minItems": 2, "required": ["a"]},
        "told": {"type": "string", "default": 5},
    },
    "required": ["id", "kind"],
    "additionalProperties": False,
    "$defs": {"line": {"type": "object", "properties": {"next": {"$ref": "#/$defs/line"}, "sku": {"type": "string"}},
                       "required": ["sku"], "additionalProperties": False}},
}  # fmt: skip
GOOD = {
    "id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "n": 1,
    "name": None,
    "kind": None,
    "fixed": "x",
    "mail": "ada@example.com",
    "tags": ["a"],
    "lines": [{"sku": "x", "next": {"sku": "y"}}],
    "address": {"city": "Rome", "more": 1},
    "parent": {"id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "kind": "a"},
    "any": [1, {"a": None}],
    "nothing": None,
    "both": "ab",
    "some": {"a": 1},
    "odd": "x",
    "told": "x",
}
BAD = [
    ("id", "x"), ("n", 0), ("n", 10), ("n", "1"), ("n", True), ("name", "a"), ("name", "A!"), ("kind", "b"), ("kind", True), ("fixed", "y"),
    ("mail", "x"), ("tags", []), ("tags", [1]), ("lines", [{"sku": 1}]), ("lines", [{"sku": "x", "y": 1}]), ("lines", [{"sku": "x", "next": {}}]),
    ("address", {}), ("address", {"city": 1}), ("parent", {"id": "x"}), ("nothing", 1), ("more", 1),
    ("both", "a"), ("both", "b"), ("some", {}), ("some", {"a": 1, "b": 2, "c": 3}), ("odd", 1),
]  # fmt: skip


class TestFromJSONSchema:
    def test_a_converted_schema_accepts_the_same_data(self):
        schema = Schema.from_json_schema(DOCUMENT)
        assert (schema.name, schema.description, schema.coerce) == ("order", "An order", False)
        loader = loaded(schema)
        assert accepted(DOCUMENT, GOOD)
        found = loader.validate_data_sync("order", GOOD)
        assert found == {**GOOD, "parent": found["parent"]}
        # A missing field that may be null becomes null.
        optional = {"n": 1, "name": None, "parent": None, "any": None, "nothing": None, "told": 5}
        assert found["parent"] == {**GOOD["parent"], **optional}
        assert accepted(DOCUMENT, {**found, "parent": {**found["parent"], "told": "x"}})
        checker = FormatChecker(["uuid", "email"])
        for key, value in BAD:
            assert not Draft202012Validator(DOCUMENT, format_checker=checker).is_valid({**GOOD, key: value})
            with pytest.raises(SchemaValidationError):
                loader.validate_data_sync("order", {**GOOD, key: value})
        for key in ("id", "kind"):
            with pytest.raises(SchemaValidationError, match=f"{key}: is missing"):
                loader.validate_data_sync("order", {name: value for name, value in GOOD.items() if name != key})

    def test_converting_there_and_back_gives_an_equal_document(self):
        schema = Schema.from_json_schema(DOCUMENT)
        again = schema.to_json_schema()
        Draft202012Validator.check_schema(again)
        assert accepted(again, GOOD)
        for key, value in BAD:
            assert not Draft202012Validator(again, format_checker=FormatChecker(["uuid", "idn-email"])).is_valid(
                {**GOOD, key: value}
            ), (key, value)
        assert Schema.from_json_schema(again, name="order").to_json_schema() == again

    @pytest.mark.parametrize(
        ("says", "why"),
        [
            ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, "`oneOf` except for one type or null"),
            ({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}, "`anyOf` except for one type or null"),
            ({"not": {}}, "`not`"),
            ({"type": "integer", "multipleOf": 2}, "`multipleOf`"),
            ({"type": "number", "exclusiveMinimum": 0}, "`exclusiveMinimum`"),
            ({"type": ["string", "integer"]}, "several types except for one type or null"),
            ({"type": "array", "items": {"type": "array", "items": {}}}, "more about items than a type or a schema"),
            ({"type": "array", "items": {"type": "string", "minLength": 1}}, "more about items than a type or a schema"),
            ({"type": "array", "items": {"type": ["string", "null"]}}, "that items may be null"),
            ({"type": "array", "uniqueItems": True}, "`uniqueItems`"),
            ({"minLength": 2}, "`minLength` without a type"),
            ({"enum": ["a"], "minimum": 2}, "`minimum` without a type"),
            ({"type": "string", "allOf": [{"type": "string"}]}, "`allOf`"),
            ({"type": "string", "format": "ipv4"}, 'the format "ipv4"'),
            ({"type": "object", "patternProperties": {}}, "`patternProperties`"),
            ({"type": "object", "additionalProperties": {"type": "string"}}, "`additionalProperties`"),
            ({"$ref": "#/$defs/gone"}, "does not point to an object of this document"),
            ({"$ref": "https://example.com/x"}, "does not point to an object of this document"),
            ({"$ref": "#/$defs/loop"}, "a `$ref` leads back to itself"),
            ({"type": "wat"}, 'unknown type "wat"\n  hint: known: string, integer, number, boolean, array, object, null'),
            ({"type": "string", "pattern": "a(?=b)"}, "look-around"),
            (False, "#/properties/x: a schema cannot express `false`, which accepts no value at all"),
            ({"type": "array", "items": False}, "#/properties/x/items: a schema cannot express `false`"),
            (None, "#/properties/x: it is not a JSON Schema"),
        ],
    )  # fmt: skip
    def test_inexpressible_keywords_are_refused_by_name(self, says, why):
        document = {"type": "object", "properties": {"x": says}, "$defs": {"loop": {"$ref": "#/$defs/loop"}}}
        with pytest.raises(SchemaParseError) as caught:
            Schema.from_json_schema(document)
        assert why in str(caught.value)

    @pytest.mark.parametrize("document", [{"type": "array"}, {"type": "object", "if": {}}, {"required": [1]}, False])
    def test_a_document_that_is_not_a_plain_object_is_refused(self, document):
        with pytest.raises(SchemaParseError, match="the JSON Schema cannot be converted to a schema: #: "):
            Schema.from_json_schema(document)

    def test_fields_of_a_schema_file_are_not_json_schema(self):
        hint = "JSON Schema describes them under `properties`; `fields` is the format of schema files"
        with pytest.raises(SchemaParseError, match=hint):
            Schema.from_json_schema({"fields": {"n": {"type": "integer"}}})
        manager = PromptManager()
        manager.create_prompt_sync(Prompt(id="p", template="x", output_schema={"fields": {}}))
        with pytest.raises(SchemaParseError, match=f"`output_schema` of prompt 'p': .*\n  hint: {hint}"):
            manager.render_sync("p")

    @pytest.mark.parametrize("document", [True, {}, {"additionalProperties": {}}, {"additionalProperties": True}])
    def test_what_accepts_anything_accepts_every_object(self, document):
        schema = Schema.from_json_schema(document, name="anything")
        loader = SchemaLoader()
        loader.register(schema)
        assert loader.validate_data_sync("anything", {"a": [1], "b": None}) == {"a": [1], "b": None}
        with pytest.raises(SchemaValidationError):
            loader.validate_data_sync("anything", [1])


POINT = {"name": "point", "fields": [{"name": "x", "type": "float"}]}


def test_schemas_of_a_loader_are_found_and_not_changed():
    line = Schema(name="line", fields=[{"name": "start", "type": "dict", "nested_schema": "point"}])
    loader = loaded(POINT)
    assert "point" in line.to_json_schema(schemas=loader)["$defs"]
    assert loader.names() == ["point"]


@pytest.mark.parametrize(
    ("given", "kind"),
    [({}, "dict"), ([POINT], "list"), ("point", "str"), (SchemaLoader, "SchemaLoader"), (False, "bool")],
)
def test_schemas_must_be_a_loader(given, kind):
    schema = Schema.model_validate(POINT)
    with pytest.raises(TypeError, match=f"schemas must be a SchemaLoader, such as manager.schemas, not {kind}"):
        schema.to_json_schema(schemas=given)
    with pytest.raises(TypeError, match=f"schemas must be a SchemaLoader, such as manager.schemas, not {kind}"):
        OpenAIIntegration(TemplateEngine(), schemas=given)


@pytest.mark.parametrize("given", [5, None, "point", [POINT], b"{}", object()])
def test_values_that_are_not_schemas_are_refused(given):
    kind = type(given).__name__
    with pytest.raises(TypeError, match=f"schema must be a Schema, not {kind}"):
        SchemaLoader().create_pydantic_model(given)
    with pytest.raises(TypeError, match=f"schema must be a Schema or a mapping, not {kind}"):
        SchemaLoader().register(given)
    with pytest.raises(TypeError, match=f"schema must be a Schema or a mapping, not {kind}"):
        PromptManager().register_schema("point", given)
    with pytest.raises(TypeError, match=f"a JSON Schema must be a mapping, not {kind}"):
        Schema.from_json_schema(given)
    with pytest.raises(TypeError, match=f"a pydantic model is needed, not {kind}"):
        Schema.from_pydantic(given)
