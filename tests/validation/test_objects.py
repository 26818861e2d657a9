"""Validation of Python objects: types that JSON lacks, objects with fields, and custom functions."""

from __future__ import annotations

import datetime as dt
import pickle
from collections import UserDict, deque
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from uuid import UUID

import pytest
from pydantic import BaseModel

from helpers import SECRET, everything_said_by
from prompt_manager.exceptions import SchemaError, SchemaValidationError
from prompt_manager.validation import SchemaLoader

UUID_TEXT = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))


def one(kind, **more):
    loader = SchemaLoader()
    loader.register({"name": "s", "fields": [{"name": "x", "type": kind, **more}]})
    return lambda value, **how: loader.validate_data_sync("s", {"x": value}, **how)["x"]


def refused(check, value, **how):
    with pytest.raises(SchemaValidationError) as caught:
        check(value, **how)
    return [(violation["path"], violation["rule"]) for violation in caught.value.errors]


@pytest.mark.parametrize("kind", ["date", "datetime"])
@pytest.mark.parametrize("text", ["0000-01-01", "0000-01-01T00:00:00Z", "10000-01-01", "2026-01-31T00:00:00+25:00"])
def test_dates_out_of_the_range_of_python_are_refused(kind, text):
    assert refused(one(kind), text) == [("x", "type")]
    assert refused(one(kind), text, coerce=False) == [("x", "type")]
    assert refused(one("string", validators=[{"type": kind}]), text) == [("x", kind)]


@pytest.mark.parametrize(
    "text", ["http:///x", "https:////x", "http:x", "http://a\\b", "http://h:99999", "http://[::1", "http://1.2.3.400"]
)
def test_ambiguous_urls_are_refused(text):
    assert refused(one("string", validators=[{"type": "url"}]), text) == [("x", "url")]


@pytest.mark.parametrize(
    ("kind", "default", "made"),
    [
        ("date", "2026-01-31", dt.date(2026, 1, 31)),
        ("datetime", "2026-01-31T12:00:00Z", dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)),
        ("uuid", UUID_TEXT, UUID(UUID_TEXT)),
        ("integer", "5", 5),
        ("boolean", "no", False),
        ("float", 1, 1),
    ],
)
def test_defaults_are_converted_like_values(kind, default, made):
    loader = SchemaLoader()
    loader.register({"name": "s", "fields": [{"name": "x", "type": kind, "default": default}]})
    found = loader.validate_data_sync("s", {})["x"]
    assert (type(found), found) == (type(made), made)
    assert loader.create_pydantic_model(loader.get_schema("s"))().x == made
    if kind in ("date", "datetime", "uuid"):
        assert loader.validate_data_sync("s", {}, coerce=False) == {"x": default}


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("kind", "given", "made"),
    [
        ("string", b"a\xc3\xa9", "aé"),
        ("string", bytearray(b"a"), "a"),
        ("integer", Decimal(12), 12),
        ("integer", 10**40, 10**40),
        ("integer", "1" + "0" * 40, 10**40),
        ("integer", 2.0**62, 2**62),
        ("float", Decimal("1.5"), Decimal("1.5")),
        ("boolean", "ON", True),
        ("list", (1, 2), [1, 2]),
        ("list", {1}, [1]),
        ("list", deque([1, 2]), [1, 2]),
        ("list", (n for n in (1, 2)), [1, 2]),
        ("date", dt.datetime(2026, 1, 31, tzinfo=dt.UTC), dt.date(2026, 1, 31)),
        ("date", "2026-01-31", dt.date(2026, 1, 31)),
        ("datetime", dt.date(2026, 1, 31), dt.datetime(2026, 1, 31)),  # noqa: DTZ001 - as pydantic does
        ("datetime", "2026-01-31T12:00:00.123456789+05:30", dt.datetime(2026, 1, 31, 12, 0, 0, 123456, INDIA)),
        ("datetime", "2026-01-31T12:00:00Z", dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)),
        ("uuid", UUID_TEXT, UUID(UUID_TEXT)),
        ("uuid", UUID_TEXT.encode(), UUID(UUID_TEXT)),
        ("uuid", UUID(UUID_TEXT).bytes, UUID(UUID_TEXT)),
    ],
)
def test_values_are_converted_to_the_type(kind, given, made):
    found = one(kind)(given)
    assert found == made
    assert type(found) is type(made)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("string", b"\xff"),
        ("string", UUID(UUID_TEXT)),
        ("integer", Decimal("1.5")),
        ("integer", float("inf")),
        ("integer", 1e40),
        ("integer", 1j),
        ("float", float("nan")),
        ("float", float("-inf")),
        ("float", 10**400),
        ("float", Decimal("NaN")),
        ("boolean", object()),
        ("list", {"a": 1}),
        ("list", b"ab"),
        ("dict", [("a", 1)]),
        ("date", dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)),
        ("date", dt.time(12)),
        ("uuid", b"short"),
        ("enum", [1]),
    ],
)
def test_a_value_of_another_type_is_refused(kind, given):
    assert refused(one(kind), given) == [("x", "type")]


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("string", b"a"),
        ("integer", True),
        ("integer", 1.0),
        ("boolean", 1),
        ("list", {1, 2}),
        ("date", dt.datetime(2026, 1, 31, tzinfo=dt.UTC)),
        ("datetime", dt.date(2026, 1, 31)),
    ],
)
def test_coerce_false_converts_nothing(kind, given):
    assert refused(one(kind), given, coerce=False) == [("x", "type")]


def test_nan_and_infinity_are_accepted_if_the_field_allows_it():
    check = one("float", allow_inf_nan=True, validators=[{"type": "min_value", "min_value": 0}])
    assert check(float("inf")) == float("inf")
    assert refused(check, float("nan")) == [("x", "min_value")]


def test_bounds_of_huge_numbers_are_exact():
    check = one("integer", validators=[{"type": "range", "min_value": 0, "max_value": 2**53}])
    assert check(2**53) == 2**53
    assert refused(check, 2**53 + 1) == [("x", "range")]
    assert refused(check, 10**400) == [("x", "range")]
    assert refused(check, -(10**400)) == [("x", "range")]


def test_an_enum_member_counts_as_its_value():
    check = one("enum", validators=[{"type": "enum", "allowed_values": ["red"]}])
    assert check(Colour.RED) is Colour.RED


def test_valid_values_are_returned_unchanged():
    loader = SchemaLoader()
    loader.register({"name": "s", "fields": [{"name": "x", "type": "list", "item_type": "integer"}]})
    data = {"x": [1, 2, 3]}
    assert loader.validate_data_sync("s", data) is data
    changed = loader.validate_data_sync("s", {"x": [1, "2"]})
    assert changed == {"x": [1, 2]}


def test_defaults_are_copied_each_time():
    loader = SchemaLoader()
    loader.register({"name": "s", "fields": [{"name": "x", "type": "list", "default": []}]})
    loader.validate_data_sync("s", {})["x"].append(1)
    assert loader.validate_data_sync("s", {}) == {"x": []}


@dataclass
class Point:
    x: object
    _hidden: int = 0


class Model(BaseModel):
    x: object


@pytest.mark.parametrize(
    "data",
    [Point("1"), Model(x="1"), MappingProxyType({"x": "1"}), UserDict({"x": "1"})],
    ids=lambda data: type(data).__name__,
)
def test_objects_with_fields_and_mappings_are_accepted_as_data(data):
    loader = SchemaLoader()
    loader.register({"name": "s", "fields": [{"name": "x", "type": "integer"}]})
    assert loader.validate_data_sync("s", data) == {"x": 1}
    assert data["x"] == "1" if hasattr(data, "__getitem__") else data.x == "1"


def test_extra_keys_are_refused_kept_or_dropped():
    field = {"name": "x", "type": "integer"}
    loader = SchemaLoader()
    loader.register({"name": "refuses", "fields": [field]})
    loader.register({"name": "keeps", "strict": False, "fields": [field]})
    loader.register({"name": "keeps_too", "allow_extra": True, "fields": [field]})
    loader.register({"name": "drops", "strict": False, "allow_extra": False, "fields": [field]})
    data = {"x": "1", "y": 2}
    assert loader.validate_data_sync("keeps", data) == loader.validate_data_sync("keeps_too", data) == {"x": 1, "y": 2}
    assert loader.validate_data_sync("drops", data) == {"x": 1}
    with pytest.raises(SchemaValidationError) as caught:
        loader.validate_data_sync("refuses", {**data, 3: 4})
    assert [violation["path"] for violation in caught.value.errors] == ["y"]
    with pytest.raises(SchemaValidationError, match="has a key that is not text"):
        loader.validate_data_sync("refuses", {"x": 1, 3: 4})


def test_data_that_contains_itself_is_an_error():
    loader = SchemaLoader()
    loader.register(
        {"name": "node", "fields": [{"name": "next", "type": "dict", "nested_schema": "node", "nullable": True}]}
    )
    node: dict[str, object] = {}
    node["next"] = node
    with pytest.raises(SchemaValidationError, match="nests deeper than 200 levels"):
        loader.validate_data_sync("node", node)
    deep: dict[str, object] = {"next": None}
    for _ in range(10_000):
        deep = {"next": deep}
    with pytest.raises(SchemaValidationError, match="nests deeper than 200 levels"):
        loader.validate_data_sync("node", deep)
    while deep is not None:  # taken apart from outside, because its destructor would recurse
        deep = deep.pop("next")


def test_the_error_for_a_million_wrong_items_is_bounded():
    check = one("list", item_type="integer")
    with pytest.raises(SchemaValidationError) as caught:
        check(["x"] * 100_000)
    assert len(caught.value.errors) == 1000


class TestFunctions:
    @pytest.fixture
    def loader(self):
        loader = SchemaLoader()
        rule = {"type": "custom", "custom_function": "check", "error_message": "will not do"}
        loader.register({"name": "s", "fields": [{"name": "x", "type": "any", "validators": [rule]}]})
        return loader

    def test_a_custom_function_accepts_or_refuses_a_value(self, loader):
        loader.register_function("check", lambda value: value == 1)
        assert loader.validate_data_sync("s", {"x": 1}) == {"x": 1}
        with pytest.raises(SchemaValidationError, match="x: will not do"):
            loader.validate_data_sync("s", {"x": 2})

    @pytest.mark.parametrize("kind", [ValueError, AssertionError])
    def test_values_in_exceptions_of_custom_functions_are_hidden(self, loader, kind):
        def check(value):
            raise kind(f"{value} will not do")

        loader.register_function("check", check)
        with pytest.raises(SchemaValidationError) as caught:
            loader.validate_data_sync("s", {"x": SECRET})
        assert SECRET not in everything_said_by(caught.value)

    def test_an_error_in_a_custom_function_keeps_its_cause(self, loader):
        loader.register_function("check", lambda value: value.nothing)
        with pytest.raises(SchemaError, match="the function 'check' raised AttributeError") as caught:
            loader.validate_data_sync("s", {"x": 1})
        assert isinstance(caught.value.__cause__, AttributeError)
        loader.register_function("check", lambda _: "yes")  # type: ignore[arg-type, return-value]
        with pytest.raises(SchemaError, match="must return True or False, and returned str"):
            loader.validate_data_sync("s", {"x": 1})

    def test_custom_functions_are_never_imported_by_name(self):
        loader = SchemaLoader()
        rule = {"type": "custom", "custom_function": "os.path.exists"}
        loader.register({"name": "s", "fields": [{"name": "x", "type": "any", "validators": [rule]}]})
        with pytest.raises(SchemaError, match="no function is registered under that name"):
            loader.validate_data_sync("s", {"x": "/"})

    def test_interrupts_in_custom_functions_pass_through(self, loader):
        def check(_):
            raise KeyboardInterrupt

        loader.register_function("check", check)
        with pytest.raises(KeyboardInterrupt):
            loader.validate_data_sync("s", {"x": 1})

    def test_a_custom_function_must_be_callable(self, loader):
        with pytest.raises(TypeError, match="function 'check' must be callable, not int"):
            loader.register_function("check", 5)


def test_errors_list_every_violation_without_the_data():
    loader = SchemaLoader()
    loader.register(
        {
            "name": "s",
            "fields": [
                {"name": "a", "type": "integer"},
                {"name": "b", "type": "string", "validators": [{"type": "email"}, {"type": "url"}]},
                {"name": "c", "type": "enum", "validators": [{"type": "enum", "allowed_values": ["x"]}]},
                {"name": "d", "type": "date"},
            ],
        }
    )
    with pytest.raises(SchemaValidationError) as caught:
        loader.validate_data_sync("s", dict.fromkeys("abcd", SECRET))
    error = pickle.loads(pickle.dumps(caught.value))
    assert [(violation["path"], violation["rule"]) for violation in error.errors] == [
        ("a", "type"), ("b", "email"), ("b", "url"), ("c", "enum"), ("d", "type"),
    ]  # fmt: skip
    assert error.context["schema"] == "s"
    assert SECRET not in everything_said_by(caught.value) + everything_said_by(error)


class Account(BaseModel):
    name: str
    age: int = 0

    model_config = {"extra": "forbid"}


class TestModels:
    @pytest.fixture
    def loader(self):
        loader = SchemaLoader()
        loader.register_model("account", Account)
        loader.register(
            {"name": "s", "fields": [{"name": "owners", "type": "list", "item_schema": "account"},
                                     {"name": "main", "type": "dict", "nested_schema": "account"}]}
        )  # fmt: skip
        return loader

    def test_registered_models_validate_and_return_instances(self, loader):
        assert loader.validate_data_sync("account", {"name": "Ada", "age": "7"}) == Account(name="Ada", age=7)
        found = loader.validate_data_sync("s", {"owners": [{"name": "Ada"}], "main": {"name": "Bo"}})
        assert found == {"owners": [Account(name="Ada")], "main": Account(name="Bo")}

    def test_violations_of_models_have_a_full_path(self, loader):
        with pytest.raises(SchemaValidationError) as caught:
            loader.validate_data_sync("s", {"owners": [{"name": "Ada"}, {"age": SECRET, "x": 1}], "main": SECRET})
        assert [(violation["path"], violation["rule"]) for violation in caught.value.errors] == [
            ("owners[1].name", "missing"), ("owners[1].age", "int_parsing"), ("owners[1].x", "extra_forbidden"),
            ("main", "type"),
        ]  # fmt: skip
        assert SECRET not in everything_said_by(caught.value)

    def test_values_that_are_not_models_are_refused(self, loader):
        with pytest.raises(TypeError, match="a pydantic model is needed, not int"):
            loader.register_model("x", 5)
        with pytest.raises(TypeError, match="a pydantic model is needed, not dict"):
            loader.register_model("x", dict)
