"""The schema loader: files, directories, names, and the files of the published package."""

# ruff: noqa: E501 - rows of tables

from __future__ import annotations

import json

import pytest
import yaml
from pydantic import ValidationError

from helpers import EXAMPLES
from prompt_manager import PromptManager
from prompt_manager.exceptions import SchemaError, SchemaParseError, SchemaValidationError, StorageReadError
from prompt_manager.validation import FieldType, Schema, SchemaField, SchemaLoader, SchemaRegistry, ValidationType

#: The output of `create_example_schema` of agentic-prompt-manager 0.1.0, with every other key of its models.
PUBLISHED = {
    "version": "1.0.0",
    "metadata": {"description": "Example schema definitions", "author": "System"},
    "schemas": [
        {
            "name": "user_profile", "version": "1.0.0", "description": "User profile schema", "strict": True,
            "metadata": {"owner": "accounts"},
            "fields": [
                {"name": "username", "type": "string", "required": True, "read_only": True, "write_only": False,
                 "validators": [{"type": "min_length", "min_value": 3, "error_message": "Username must be at least 3 characters"},
                                {"type": "max_length", "max_value": 20, "value": None},
                                {"type": "regex", "pattern": "^[a-zA-Z0-9_]+$"}]},
                {"name": "email", "type": "string", "required": True, "validators": [{"type": "email"}]},
                {"name": "age", "type": "integer", "required": False, "default": None, "nullable": True,
                 "validators": [{"type": "range", "min_value": 13, "max_value": 120, "error_message": "Age must be between 13 and 120"}]},
                {"name": "role", "type": "enum", "required": True, "default": "user",
                 "validators": [{"type": "enum", "allowed_values": ["user", "admin", "moderator"]}]},
                {"name": "tags", "type": "list", "item_type": "string", "required": False, "default": [],
                 "validators": [{"type": "max_length", "max_value": 10}]},
                {"name": "metadata", "type": "dict", "required": False, "default": {}},
            ],
        },
        {"name": "api_config", "strict": True,
         "fields": [{"name": "endpoint", "type": "string", "validators": [{"type": "url"}]},
                    {"name": "timeout", "type": "integer", "required": False, "default": 30}]},
        {"name": "open", "strict": False, "fields": [{"name": "x", "type": "integer"}]},
    ],
}  # fmt: skip


@pytest.fixture
def loader():
    return SchemaLoader()


@pytest.fixture(params=["", "_sync"])
def call(request):
    """Call a method of a loader, asynchronously or by its ``_sync`` version."""

    async def call(loader, name, *arguments, **named):
        found = getattr(loader, name + request.param)(*arguments, **named)
        return found if request.param else await found

    return call


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


async def test_a_schema_file_of_the_published_package_works_unchanged(loader, call, tmp_path):
    path = write(tmp_path / "schemas.yaml", yaml.safe_dump(PUBLISHED, sort_keys=False))
    registry = await call(loader, "load_file", path)
    assert isinstance(registry, SchemaRegistry)
    assert (registry.version, registry.metadata) == ("1.0.0", PUBLISHED["metadata"])
    assert [schema.name for schema in registry.schemas] == ["user_profile", "api_config", "open"]
    profile = loader.get_schema("user_profile")
    assert profile == registry.get_schema("user_profile")
    assert profile.metadata["owner"] == "accounts"
    assert profile.get_field("username").read_only
    assert [field.name for field in profile.get_required_fields()] == ["username", "email", "role"]
    found = await call(loader, "validate_data", "user_profile", {"username": "ada", "email": "ada@example.com"})
    assert found == {
        "username": "ada",
        "email": "ada@example.com",
        "age": None,
        "role": "user",
        "tags": [],
        "metadata": {},
    }
    with pytest.raises(SchemaValidationError) as caught:
        await call(
            loader,
            "validate_data",
            "user_profile",
            {"username": "a", "email": "x", "age": 3, "role": "root", "more": 1},
        )
    assert [(violation["path"], violation["rule"]) for violation in caught.value.errors] == [
        ("username", "min_length"), ("email", "email"), ("age", "range"), ("role", "enum"), ("more", "extra"),
    ]  # fmt: skip
    assert caught.value.errors[0]["message"] == "Username must be at least 3 characters"
    assert await call(loader, "validate_data", "open", {"x": 1, "y": 2}) == {"x": 1, "y": 2}


async def test_load_directory_loads_all_files(loader, call, tmp_path):
    write(tmp_path / "a.yaml", "version: 2.1.0\nschemas:\n  - {name: a, extends: b}\n")
    write(tmp_path / "below" / "b.yml", "schemas:\n  - name: b\n    fields: [{name: x, type: integer}]\n")
    write(tmp_path / ".hidden.yaml", "wrong")
    found = await call(loader, "load_directory", tmp_path)
    assert [(file.version, [schema.name for schema in file.schemas]) for file in found] == [
        ("2.1.0", ["a"]),
        ("1.0.0", ["b"]),
    ]
    assert await call(loader, "validate_data", "a", {"x": "1"}) == {"x": 1}


BROKEN = [
    ({"a.yaml": "schemas:\n  - {name: a, extends: bse}\n  - {name: base, fields: []}\n"}, "a.yaml:2", "schema 'a' extends 'bse', but no such schema exists", "did you mean 'base'?"),
    ({"a.yaml": "schemas:\n  - {name: a, extends: b}\n", "b.yaml": "schemas:\n  - {name: b, extends: a}\n"}, "b.yaml:2", "schemas extend each other in a circle: b → a → b", None),
    ({"a.yaml": "schemas:\n  - {name: a, fields: []}\n", "b.yaml": "schemas:\n  - {name: a, fields: []}\n"}, None, "schema 'a' is in ", "rename one of them"),
    ({"a.yaml": "schemas:\n  - name: a\n    fields: [{name: x, type: list, item_schema: lines}]\n  - {name: line, fields: []}\n"}, "a.yaml:2", "field 'x' of schema 'a' names 'lines', but no such schema exists", "did you mean 'line'?"),
    ({"a.yaml": "schemas:\n  - name: a\n    fields: [{name: x, type: strin}]\n"}, "a.yaml:3", "unknown type `strin`; did you mean `string`?", "known: "),
    ({"a.yaml": "schemas:\n  - name: a\n    feilds: []\n"}, "a.yaml:3", "unknown key `feilds`; did you mean `fields`?", None),
    ({"a.yaml": "schemas:\n  - name: a\n    fields: [{name: x, type: string, validators: [{type: regex, pattern: 'a(?=b)'}]}]\n"}, "a.yaml:3", "look-around", "linear time"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "place", "message", "hint"), BROKEN)
async def test_a_broken_file_loads_nothing_and_has_a_location(  # noqa: PLR0917 - fixtures and the columns of a row
    loader, call, tmp_path, files, place, message, hint
):
    for name, text in files.items():
        write(tmp_path / name, text)
    with pytest.raises(SchemaParseError) as caught:
        await call(loader, "load_directory", tmp_path)
    assert message in caught.value.message
    assert hint is None or hint in caught.value.hint
    assert place is None or place in str(caught.value)
    assert loader.names() == []


async def test_all_errors_are_reported_and_good_schemas_can_be_kept(loader, call, tmp_path):
    write(tmp_path / "a.yaml", "schemas:\n  - {name: a, fields: []}\n  - {name: a2}\n")
    write(tmp_path / "b.yaml", "schemas: 5\n")
    with pytest.raises(SchemaParseError, match="2 problems in") as caught:
        await call(loader, "load_directory", tmp_path)
    assert [error.line for error in caught.value.errors] == [3, 1]
    with pytest.warns(UserWarning, match="is") as warned:
        found = await call(loader, "load_directory", tmp_path, on_error="skip")
    (warning,) = warned
    messages = [finding.message for finding in warning.message.findings]
    assert messages == ["`fields` is missing", "expected a list of schemas, found a number"]
    assert [[schema.name for schema in file.schemas] for file in found] == [["a"], []]
    assert loader.names() == ["a"]
    with pytest.raises(ValueError, match="on_error must be 'raise' or 'skip', not 'ignore'"):
        await call(loader, "load_directory", tmp_path, on_error="ignore")


async def test_unreadable_files_are_errors(loader, call, tmp_path):
    with pytest.raises(StorageReadError, match="no such file"):
        await call(loader, "load_file", tmp_path / "gone.yaml")
    with pytest.raises(StorageReadError, match="no such file"):
        await call(loader, "load_directory", tmp_path / "gone")


EFFECTLESS = """\
schemas:
  - name: s
    fields:
      - {name: a, type: integer, default: x}
      - {name: b, type: string, item_type: string, default: b, validators: [{type: min_length}]}
"""
REMARKS = [
    "schema 's': the default of field `a` is not of type integer; it is used unchanged",
    "schema 's': `item_type` belongs to a field of type list, but field `b` is of type string: it has no effect",
    "schema 's': field `b`: validator min_length needs `min_value`; without it, it checks nothing",
]


async def test_settings_without_effect_give_warnings_with_location(loader, call, tmp_path):
    path = write(tmp_path / "s.yaml", EFFECTLESS)
    with pytest.warns(UserWarning, match="schema 's'") as warned:
        registry = await call(loader, "load_file", path)
    (warning,) = warned
    assert [finding.message for finding in warning.message.findings] == REMARKS
    assert str(warning.message).count("s.yaml:2:") == len(REMARKS)
    assert await call(loader, "validate_data", "s", {}) == {"a": "x", "b": "b"}
    # A schema that was loaded with a warning can be registered elsewhere.
    (schema,) = registry.schemas
    other = SchemaLoader()
    other.register(schema)
    assert other.get_schema("s") == loader.get_schema("s") == schema
    assert schema.to_json_schema(schemas=loader) == loader.to_json_schema("s")
    made = loader.create_pydantic_model(schema)()
    assert (made.a, made.b) == ("x", "b")
    assert SchemaRegistry(schemas=[schema]).schemas == (schema,)
    with pytest.warns(UserWarning, match="schema 's'"):
        await call(SchemaLoader(), "load_directory", tmp_path)


async def test_a_manager_warns_about_schema_settings_without_effect(call, tmp_path):
    write(tmp_path / "schemas" / "s.yaml", EFFECTLESS)
    write(tmp_path / "prompts" / "p.yaml", "id: p\nformat: text\ntemplate: x\noutput_schema: s\n")
    with pytest.warns(UserWarning, match="schema 's'") as warned:
        PromptManager.from_directory_sync(tmp_path / "prompts", schema_dir=tmp_path / "schemas")
    (warning,) = warned
    assert [finding.message for finding in warning.message.findings] == REMARKS
    with pytest.warns(UserWarning, match="schema 's'") as warned:
        assert await call(PromptManager(), "load_schemas", tmp_path / "schemas") == 1
    (warning,) = warned
    assert len(warning.message.findings) == 3


@pytest.mark.parametrize("remark", range(3))
def test_settings_without_effect_are_errors_in_code(loader, remark):
    fields = yaml.safe_load(EFFECTLESS)["schemas"][0]["fields"]
    only = [{"name": "a", "type": "integer", "default": "x"}, {**fields[1], "validators": []},
            {"name": "b", "type": "string", "validators": [{"type": "min_length"}]}][remark]  # fmt: skip
    with pytest.raises(SchemaParseError) as caught:
        loader.register({"name": "s", "fields": [only]})
    assert REMARKS[remark] in str(caught.value)
    with pytest.raises(ValidationError) as refused:
        Schema(name="s", fields=[only])
    assert REMARKS[remark].rpartition(": ")[2] in str(refused.value)


def test_min_length_and_max_length_accept_both_bounds(loader):
    for kind, good, bad in (("min_length", "ab", "abcd"), ("max_length", "ab", "a")):
        rule = {"type": kind, "min_value": 2, "max_value": 3}
        loader.register({"name": kind, "fields": [{"name": "x", "type": "string", "validators": [rule]}]})
        assert loader.validate_data_sync(kind, {"x": good}) == {"x": good}
        with pytest.raises(SchemaValidationError):
            loader.validate_data_sync(kind, {"x": bad})
        said = loader.to_json_schema(kind)["properties"]["x"]
        assert said == {"type": "string", "minLength": 2, "maxLength": 3}


async def test_a_file_may_refer_to_schemas_loaded_later(loader, call, tmp_path):
    path = write(tmp_path / "a.yaml", "schemas:\n  - name: a\n    fields: [{name: x, type: dict, nested_schema: b}]\n")
    await call(loader, "load_file", path)
    with pytest.raises(SchemaParseError, match="names 'b', but no such schema exists"):
        await call(loader, "validate_data", "a", {"x": {}})
    loader.register({"name": "b", "fields": [{"name": "y", "type": "integer"}]})
    assert await call(loader, "validate_data", "a", {"x": {"y": "1"}}) == {"x": {"y": 1}}


def test_a_schema_name_can_be_used_only_once(loader):
    schema = Schema(name="s", fields=[SchemaField(name="x", type="integer")])
    loader.register(schema)
    loader.register(schema)
    with pytest.raises(SchemaError, match="schema 's' already exists with different content"):
        loader.register({"name": "s", "fields": []})
    assert loader.get_schema("s") == schema
    loader.clear_cache()
    assert loader.names() == []


def test_an_unknown_schema_name_gets_a_suggestion(loader):
    loader.register({"name": "order", "fields": []})
    assert loader.get_schema("oder") is None
    with pytest.raises(SchemaError, match="there is no schema 'oder'") as caught:
        loader.validate_data_sync("oder", {})
    assert caught.value.hint == "did you mean 'order'?"


def test_an_inherited_field_uses_the_definitions_of_its_own_schema(loader):
    definition = {"name": "line", "fields": [{"name": "count", "type": "integer"}]}
    rows = {"name": "rows", "type": "list", "item_schema": "line"}
    loader.register({"name": "base", "fields": [rows], "definitions": [definition]})
    other = {"name": "line", "fields": [{"name": "text", "type": "string"}]}
    loader.register({"name": "order", "extends": "base", "definitions": [other]})
    data = {"rows": [{"count": 2}]}
    assert loader.validate_data_sync("order", data) == data
    assert list(loader.to_json_schema("order")["$defs"]["line"]["properties"]) == ["count"]
    assert list(loader.example("order")["rows"][0]) == ["count"]


@pytest.mark.parametrize("parent", ["s0", "s7"])
def test_a_circle_is_found_however_late_it_closes(loader, parent):
    for at in range(9):
        loader.register({"name": f"s{at}", "extends": f"s{at + 1}"})
    with pytest.raises(SchemaParseError, match=r"s9 → .*s9"):
        loader.register({"name": "s9", "extends": parent})
    loader.register({"name": "s9", "fields": [{"name": "x", "type": "integer"}]})
    assert loader.validate_data_sync("s0", {"x": 1}) == {"x": 1}


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("{name: a, type: enum, values: [x]}", "validators: [{type: enum, allowed_values: [...]}]"),
        ("{name: a, type: enum, enum: [x]}", "validators: [{type: enum, allowed_values: [...]}]"),
        ("{name: a, type: enum, validators: [{type: enum, values: [x]}]}", "write `allowed_values: [...]`"),
        ("{name: a, type: string, pattern: x}", "validators: [{type: regex, pattern: ...}]"),
        ("{name: a, type: integer, minimum: 1}", "validators: [{type: range, min_value: "),
        ("{name: a, type: string, max_length: 1}", "validators: [{type: max_length, max_value: "),
        ("{name: a, type: list, items: string}", "`item_type`"),
        ("{name: a, type: dict, fields: []}", "`nested_schema`"),
    ],
)
def test_a_key_that_belongs_elsewhere_gets_a_hint(loader, tmp_path, line, hint):
    path = tmp_path / "schemas.yaml"
    path.write_text(f"schemas:\n- name: s\n  fields:\n  - {line}\n", encoding="utf-8")
    with pytest.raises(SchemaParseError, match="unknown key") as caught:
        loader.load_file_sync(path)
    assert hint in caught.value.hint
    assert (caught.value.line, caught.value.column > 5) == (4, True)


def test_a_file_with_errors_adds_nothing(loader, tmp_path):
    good = [{"name": f"s{at}", "extends": f"s{at - 1}"} for at in range(1, 4)]
    path = tmp_path / "schemas.yaml"
    path.write_text(yaml.safe_dump({"schemas": [*good, {"name": "s0", "extends": "s3"}]}), encoding="utf-8")
    with pytest.raises(SchemaParseError, match="in a circle"):
        loader.load_file_sync(path)
    assert loader.names() == []


def test_a_long_chain_of_schemas_does_not_overflow_the_stack(loader):
    for at in range(3000):
        inner = [{"name": "x", "type": "dict", "nested_schema": f"s{at + 1}", "required": False}] if at < 2999 else []
        loader.register({"name": f"s{at}", "fields": inner})
        loader.register({"name": f"t{at}", "fields": [], **({"extends": f"t{at - 1}"} if at else {})})
    assert loader.validate_data_sync("s0", {"x": {"x": {}}}) == {"x": {"x": {}}}
    assert loader.validate_data_sync("t2999", {}) == {}
    document = loader.to_json_schema("s0")
    assert len(document["$defs"]) == 2999
    assert document["$defs"]["s7"]["properties"]["x"] == {"$ref": "#/$defs/s8"}


def test_examples_of_heavily_linked_schemas_stay_bounded(loader):
    loader.register({"name": "s0", "fields": []})
    for at in range(1, 9):
        inner = [{"name": f"f{n}", "type": "dict", "nested_schema": f"s{at - 1}"} for n in range(10)]
        loader.register({"name": f"s{at}", "fields": inner})
    assert loader.example("s8") is None
    assert "An example" not in loader.output_instructions("s8")
    assert loader.example("s2") == {f"f{a}": {f"f{b}": {} for b in range(10)} for a in range(10)}


def test_the_example_file_loads_and_is_never_overwritten(loader, tmp_path):
    path = tmp_path / "example.yaml"
    SchemaLoader.create_example_schema(path)
    names = [schema.name for schema in loader.load_file_sync(path).schemas]
    assert names == ["user_profile", "address"]
    assert loader.validate_data_sync("user_profile", loader.example("user_profile"))
    with pytest.raises(FileExistsError):
        SchemaLoader.create_example_schema(path)


def test_the_lists_of_types_and_rules_are_complete():
    assert len(FieldType) == 11
    assert len(ValidationType) == 13


def test_the_example_schemas_of_the_repository_load():
    loader = SchemaLoader()
    loader.load_directory_sync(EXAMPLES / "schemas")
    for name in loader.names():
        schema = loader.get_schema(name)
        assert Schema.model_validate(json.loads(schema.model_dump_json())) == schema
