"""The pydantic models of schemas, whose rules the Rust core checks."""

# ruff: noqa: E501 - rows of tables

from __future__ import annotations

import pytest
from pydantic import ValidationError

from prompt_manager.validation import FieldValidator, Schema, SchemaField, SchemaLoader, SchemaRegistry


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: FieldValidator(type="min_length"), "validator min_length needs `min_value`"),
        (lambda: FieldValidator(type="range"), "validator range needs `min_value` or `max_value`"),
        (lambda: FieldValidator(type="regex"), "validator regex needs `pattern`"),
        (lambda: FieldValidator(type="regex", pattern="a(?!b)"), "look-around"),
        (lambda: FieldValidator(type="enum"), "validator enum needs `allowed_values`"),
        (lambda: FieldValidator(type="custom"), "validator custom needs `custom_function`"),
        (lambda: FieldValidator(type="range", min_value=2, max_value=1), "`min_value` is greater than `max_value`"),
        (lambda: FieldValidator(type="max_value", max_value=float("inf")), "NaN and infinity cannot be written as JSON"),
        (lambda: FieldValidator(type="lenght"), "Input should be 'min_length'"),
        (lambda: SchemaField(name="x", type="text"), "Input should be 'string'"),
        (lambda: SchemaField(name="", type="string"), "the name of a field is empty"),
        (lambda: SchemaField(name="x", type="string", item_type="string"), "`item_type` belongs to a field of type list"),
        (lambda: SchemaField(name="x", type="integer", default="a"), "the default of field `x` is not of type integer"),
        (lambda: Schema(name=" "), "the name of a schema is empty"),
        (lambda: Schema(name="s", version="1"), "needs three numbers"),
        (lambda: Schema(name="s", extends="s"), "schema `s` extends itself"),
        (lambda: Schema(name="s", strict=True, allow_extra=True), "both cannot be true"),
        (lambda: Schema(name="s", fields=[{"name": "x", "type": "any"}] * 2), "field `x` is defined twice"),
        (lambda: SchemaRegistry(schemas=[Schema(name="s"), Schema(name="s")]), "two schemas are named 's'"),
    ],
)  # fmt: skip
def test_a_schema_that_breaks_a_rule_cannot_be_built(make, expected):
    with pytest.raises(ValidationError) as caught:
        make()
    assert expected in str(caught.value)


def test_schemas_built_in_code_validate_like_those_from_files():
    schema = Schema(
        name="s",
        fields=[
            SchemaField(name="n", type="integer", validators=[FieldValidator(type="min_value", min_value=2)]),
            SchemaField(name="note", type="string", default=None, nullable=True),
            SchemaField(name="tags", type="list", default=["a"]),
        ],
    )
    assert [field.required for field in schema.fields] == [True, False, False]
    loader = SchemaLoader()
    loader.register(schema)
    assert loader.validate_data_sync("s", {"n": "2"}) == {"n": 2, "note": None, "tags": ["a"]}
    assert loader.get_schema("s") == schema


def test_schema_models_cannot_be_changed():
    schema = Schema(name="s")
    with pytest.raises(ValidationError):
        schema.name = "t"  # type: ignore[misc]


def test_strict_and_allow_extra_are_opposites():
    assert (Schema(name="s").strict, Schema(name="s").allow_extra) == (True, False)
    assert Schema(name="s", strict=False).allow_extra
    assert not Schema(name="s", allow_extra=True).strict
    both = Schema(name="s", strict=False, allow_extra=False)
    assert (both.strict, both.allow_extra) == (False, False)


def test_schemas_are_added_to_a_registry_and_removed_in_place():
    registry = SchemaRegistry()
    for name in ("a", "b"):
        registry.add_schema(Schema(name=name))
    assert [schema["name"] for schema in registry.model_dump(exclude_unset=True)["schemas"]] == ["a", "b"]
    with pytest.raises(ValueError, match="a schema named 'a' already exists"):
        registry.add_schema(Schema(name="a"))
    with pytest.raises(TypeError, match="schema must be a Schema, not dict"):
        registry.add_schema({"name": "c"})
    assert registry.remove_schema("a")
    assert not registry.remove_schema("a")
    assert [schema.name for schema in registry.schemas] == ["b"]


def test_to_json_schema_includes_referenced_schemas():
    loader = SchemaLoader()
    loader.register({"name": "line", "fields": [{"name": "sku", "type": "string"}]})
    order = Schema(name="order", fields=[{"name": "lines", "type": "list", "item_schema": "line"}])
    document = order.to_json_schema(schemas=loader)
    assert document["properties"]["lines"]["items"] == {"$ref": "#/$defs/line"}
    assert document["$defs"]["line"]["required"] == ["sku"]
    assert "order" not in loader.names()
