"""Schemas made from pydantic models, and models made from schemas, compared with each other."""

# ruff: noqa: E501 - rows of tables

from __future__ import annotations

import datetime as dt
import enum
import math
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    ValidationError,
    computed_field,
    create_model,
    field_validator,
    model_validator,
)

from prompt_manager.exceptions import SchemaParseError, SchemaValidationError
from prompt_manager.validation import Schema, SchemaLoader


class Line(BaseModel):
    sku: str = Field(min_length=2, max_length=8, pattern=r"^[A-Z0-9-]+$")
    count: int = Field(1, gt=0, le=100)
    price: float | None = None
    gift: bool = False


class Order(BaseModel):
    """An order."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    day: dt.date
    at: dt.datetime | None = None
    kind: Literal["new", "used", 3]
    weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.5
    tags: list[str] = Field(default_factory=list, max_length=3)
    sizes: list[int] = []
    lines: list[Line] = Field(min_length=1)
    extra: dict[Any, Any] = {}
    anything: Any = None
    parent: Order | None = None


ORDERS = SchemaLoader()
ORDERS.register(Schema.from_pydantic(Order))

# Values close to each type, so that many are accepted and many refused.
TEXTS = st.sampled_from(
    ["", "A1", "a", "TOO-LONG-BY-FAR", "12", " 12 ", "1_0", "1.0", "1.5", "-0", "+7", "1e3", "nan", "inf", "true", "Yes", "off",
     "2026-01-31", "2026-02-30", "2026-01-31T00:00:00", "2026-01-31T12:30:00Z", "2026-01-31 12:30:00+05:30", "1700000000",
     "2026-01-31T12:30:00.1234567", "86400", "new", "3", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
     "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}", "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "\u0661\u0662"]
)  # fmt: skip
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 120),
    st.sampled_from([10**20, -(10**20), 86400, 86401, 1_700_000_000, 1_700_000_000_000]),
    st.sampled_from([0.0, 1.0, -1.0, 1.5, 3.0, 1e20, math.nan, math.inf, 86400.0]),
    TEXTS,
    st.sampled_from([b"A1", b"12", b"\xff", Decimal(12), Decimal("1.5")]),
    st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)),
    st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)),  # noqa: DTZ001 - naive ones too
    st.uuids(),
)
VALUES = st.one_of(
    ATOMS,
    st.lists(ATOMS, max_size=3),
    st.tuples(ATOMS),
    st.dictionaries(st.text("ab", min_size=1, max_size=2), ATOMS, max_size=2),
)


def mostly(good, other=VALUES):
    """Give a valid value most of the time, so that whole records pass."""
    return st.one_of(good, good, good, good, good, good, good, other)


def is_no_float(value):
    """For 3.0 given to a literal of 3, pydantic returns 3 and a schema keeps 3.0; see docs/schemas.md."""
    return type(value) is not float


LINES = st.fixed_dictionaries(
    {"sku": mostly(st.sampled_from(["A1", "B-2", "1234"]))},
    optional={"count": mostly(st.sampled_from([1, "2", 3.0])), "price": mostly(st.sampled_from([None, 1, "1.5"])),
              "gift": mostly(st.sampled_from([True, "no", 1])), "more": ATOMS},
)  # fmt: skip
RECORDS = st.recursive(
    st.none(),
    lambda parents: st.fixed_dictionaries(
        {
            "id": mostly(st.one_of(st.uuids(), st.uuids().map(str))),
            "day": mostly(st.sampled_from(["2026-01-31", dt.date(2026, 1, 31), 86400])),
            "kind": mostly(st.sampled_from(["new", "used", 3])).filter(is_no_float),
            "lines": mostly(st.lists(LINES, min_size=1, max_size=3)),
        },
        optional={
            "at": mostly(st.sampled_from([None, "2026-01-31T12:30:00Z", 1_700_000_000])),
            "weight": mostly(st.sampled_from([0, 1.5, "2.5", True])),
            "tags": mostly(st.lists(TEXTS, max_size=3)),
            "sizes": mostly(st.lists(st.sampled_from([1, "2", 3.0]), max_size=3)),
            "extra": mostly(st.just({"a": 1})),
            "anything": VALUES,
            "parent": mostly(parents),
        },
    ),
    max_leaves=3,
).filter(lambda record: record is not None)


def plain(value):
    return value.model_dump() if isinstance(value, BaseModel) else value


def validate_with_model(model, data):
    """Validate with the model; return the data, or the paths of the errors."""
    try:
        return model.model_validate(data).model_dump(), None
    except ValidationError as error:
        return None, {tuple(map(str, violation["loc"])) for violation in error.errors()}


def validate_with_schema(loader, name, data):
    try:
        return plain(loader.validate_data_sync(name, data)), None
    except SchemaValidationError as error:
        return None, {
            tuple(step.strip('"') for step in violation["path"].replace("[", ".").replace("]", "").split("."))
            for violation in error.errors
        }


def equal(a, b):
    """Compare values and types; NaN equals itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b or (a != a and b != b)  # noqa: PLR0124 - NaN


@given(RECORDS)
@settings(max_examples=150)
def test_a_schema_of_an_order_model_validates_like_the_model(record):
    theirs, refused = validate_with_model(Order, record)
    ours, broken = validate_with_schema(ORDERS, "Order", record)
    assert (refused is None) == (broken is None), (refused, broken)
    if refused is None:
        assert equal(ours, theirs)
    else:
        assert broken == refused


class Each(BaseModel):
    text: str
    whole: int
    number: float
    truth: bool
    day: dt.date
    at: dt.datetime
    id: UUID
    texts: list[str]
    wholes: list[int]
    numbers: list[float]
    mapping: dict[Any, Any]
    choice: Literal["new", 3] | None
    maybe: int | None


EACH = SchemaLoader()
EACH.register(Schema.from_pydantic(Each))


@given(st.sampled_from(sorted(Each.model_fields)), VALUES)
@settings(max_examples=500)
@example("whole", "1" * 5000)
@example("whole", 1e300)
@example("number", 10**400)
def test_each_type_accepts_what_pydantic_accepts(field, value):
    def only(found):
        return {location for location in found if location[0] == field} if found else set()

    theirs, refused = validate_with_model(Each, {field: value})
    ours, broken = validate_with_schema(EACH, "Each", {field: value})
    assert theirs is ours is None  # the other fields are missing
    assert bool(only(refused)) == bool(only(broken)), (only(refused), only(broken))


class Ignores(BaseModel):
    x: int


class Keeps(BaseModel):
    model_config = ConfigDict(extra="allow")

    x: int


@pytest.mark.parametrize("model", [Ignores, Keeps])
def test_extra_keys_are_handled_like_in_the_model(model):
    loader = SchemaLoader()
    loader.register(Schema.from_pydantic(model, name="m"))
    data = {"x": "1", "y": 2}
    assert loader.validate_data_sync("m", data) == model.model_validate(data).model_dump()


class Colour(enum.Enum):
    RED = "red"


def with_field(annotation, default=..., **config):
    return type("M", (BaseModel,), {"__annotations__": {"x": annotation}, "model_config": ConfigDict(**config),
                                    **({} if default is ... else {"x": default})})  # fmt: skip


class Checks(BaseModel):
    x: int

    @field_validator("x")
    @classmethod
    def _even(cls, value: int) -> int:
        return value


class ChecksAll(BaseModel):
    x: int

    @model_validator(mode="after")
    def _all(self) -> ChecksAll:
        return self


class Computes(BaseModel):
    x: int

    @computed_field
    def y(self) -> int:
        return self.x


class Root(RootModel[list[int]]):
    pass


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (with_field(int | str), "M.x: a schema cannot express the type union"),
        (with_field(Decimal), "M.x: a schema cannot express the type decimal"),
        (with_field(bytes), "M.x: a schema cannot express the type bytes"),
        (with_field(tuple[int, str]), "M.x: a schema cannot express the type tuple"),
        (with_field(set[int]), "M.x: a schema cannot express the type set"),
        (with_field(Colour), "M.x: a schema cannot express the type enum"),
        (with_field(dt.timedelta), "M.x: a schema cannot express the type timedelta"),
        (with_field(AnyUrl), "M.x: a schema cannot express"),
        (with_field(list[list[int]]), "M.x[]: a schema cannot express `items_schema`"),
        (with_field(list[Literal["a"]]), "M.x[]: a schema cannot express the type literal"),
        (with_field(Literal["a", 1]), "M.x: a schema cannot express a literal"),
        (with_field(Literal["a", True]), "M.x: a schema cannot express a literal"),
        (with_field(list[int | None]), "M.x[]: a schema cannot express the type nullable"),
        (with_field(dict[str, int]), "M.x: a schema cannot express"),
        (with_field(Annotated[int, Field(multiple_of=2)]), "M.x: a schema cannot express `multiple_of`"),
        (with_field(Annotated[float, Field(gt=0)]), "M.x: a schema cannot express `gt`"),
        (with_field(Annotated[int, Field(strict=True)]), "M.x: a schema cannot express `strict`"),
        (with_field(Annotated[int, Field(alias="y")]), "M.x: a schema cannot express `validation_alias`"),
        (with_field(Annotated[int, Field(validation_alias=AliasChoices("a", "b"))]), "`validation_alias`"),
        (with_field(int, None), "M.x: a schema cannot express the default None of a field that must not be null"),
        (
            with_field(int, Field(default_factory=lambda: 1)),
            "M.x: a schema cannot express a default that a function makes",
        ),
        (with_field(dt.date, dt.date(2026, 1, 1)), "M.x: a schema cannot express a default of type date"),
        (
            with_field(str, str_strip_whitespace=True),
            "M: a schema cannot express the setting str_strip_whitespace=True",
        ),
        (with_field(int, strict=True), "M: a schema cannot express the setting strict=True"),
        (Checks, "Checks.x: a schema cannot express the function Checks._even"),
        (ChecksAll, "a schema cannot express the function ChecksAll._all"),
        (Computes, "Computes: a schema cannot express computed fields"),
        (Root, "Root: a schema cannot express"),
    ],
)
def test_inexpressible_models_are_refused_by_name(model, expected):
    with pytest.raises(SchemaParseError) as caught:
        Schema.from_pydantic(model)
    assert expected in str(caught.value)


def test_a_pattern_only_pydantic_supports_is_refused():
    class Looks(BaseModel):
        model_config = ConfigDict(regex_engine="python-re")

        x: str = Field(pattern=r"a(?!b)")

    with pytest.raises(SchemaParseError, match="the setting regex_engine='python-re'"):
        Schema.from_pydantic(Looks)


def test_only_pydantic_models_are_accepted():
    with pytest.raises(TypeError, match="a pydantic model is needed, not dict"):
        Schema.from_pydantic(dict)  # type: ignore[arg-type]


MODEL = ORDERS.create_pydantic_model(ORDERS.get_schema("Order"))


@given(RECORDS)
@settings(max_examples=80)
def test_a_model_of_a_schema_validates_like_the_schema(record):
    theirs, refused = validate_with_model(MODEL, record)
    ours, broken = validate_with_schema(ORDERS, "Order", record)
    assert (refused is None) == (broken is None), (refused, broken)
    if refused is None:
        assert equal(ours, theirs)


def test_a_model_of_a_schema_has_parents_rules_and_odd_names():
    loader = SchemaLoader()
    rule = {"type": "custom", "custom_function": "is_even", "error_message": "odd"}
    loader.register(
        {"name": "base", "description": "A base.", "fields": [{"name": "n", "type": "integer", "validators": [rule]}]}
    )
    loader.register(
        {
            "name": "child",
            "extends": "base",
            "fields": [
                {"name": "class", "type": "string", "validators": [{"type": "email"}]},
                {"name": "a-b", "type": "string", "default": "x"},
                {"name": "_private", "type": "integer", "required": False},
                {"name": "model_dump", "type": "float", "nullable": True, "required": False},
            ],
        }
    )
    loader.register_function("is_even", lambda n: n % 2 == 0)
    model = loader.create_pydantic_model(loader.get_schema("child"), model_name="Child")
    made = model.model_validate({"n": "2", "class": "ada@example.com"})
    assert model.__name__ == "Child"
    assert made.model_dump(by_alias=True) == {
        "n": 2, "class": "ada@example.com", "a-b": "x", "_private": None, "model_dump": None,
    }  # fmt: skip
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"n": 3, "class": "x", "y": 1})
    assert {violation["loc"] for violation in caught.value.errors()} == {("n",), ("class",), ("y",)}
    missing = Schema(name="s", fields=[{"name": "x", "type": "dict", "nested_schema": "gone"}])
    with pytest.raises(SchemaParseError, match="there is no schema 'gone'"):
        loader.create_pydantic_model(missing)


class Inner(BaseModel):
    n: int
    s: str = "x"


#: Annotations with values that they accept, most of them after a conversion.
KINDS = {
    "text": (Annotated[str, Field(min_length=1, max_length=4)], ["a", "A1", b"12"], "abc"),
    "pattern": (Annotated[str, Field(pattern="^[a-z]")], ["a", "new"], "b"),
    "whole": (Annotated[int, Field(ge=-2, lt=100)], [0, "12", 3.0, True], 7),
    "above": (Annotated[int, Field(gt=0, le=120)], [1, "120", 100], 1),
    "number": (Annotated[float, Field(ge=-1, le=1e20)], [0, 1.5, "1.5", True], 0.5),
    "finite": (Annotated[float, Field(allow_inf_nan=False)], [1, "1e3"], 2.5),
    "any number": (float, [1, math.inf, "nan"], 1.0),
    "truth": (bool, [True, 0, "off", "Yes", 1.0], False),
    "anything": (Any, [None, 1, {"a": [1]}], {"k": 1}),
    "day": (dt.date, ["2026-01-31", 86400, dt.date(2026, 1, 31)], None),
    "moment": (dt.datetime, ["2026-01-31T12:30:00Z", 1_700_000_000, dt.date(2026, 1, 31)], None),
    "id": (UUID, ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], None),
    "choice": (Literal["new", "used", 3], ["new", 3], "used"),
    "texts": (Annotated[list[str], Field(max_length=2)], [[], ["a"], ("a", "b")], ["x"]),
    "wholes": (list[int], [[1, "2", 3.0], (1,), []], [1]),
    "numbers": (Annotated[list[float], Field(min_length=1)], [[1, "2.5"]], [1.5]),
    "truths": (list[bool], [[True, "no", 0]], []),
    "days": (list[dt.date], [["2026-01-31", 86400]], None),
    "things": (list[Any], [[None, 1]], []),
    "mapping": (Annotated[dict[Any, Any], Field(max_length=2)], [{}, {"a": 1, 2: None}], {}),
    "model": (Inner, [{"n": "1"}, {"n": 2, "s": "y", "more": 1}], None),
    "models": (list[Inner], [[{"n": 1}, {"n": "2"}], []], []),
}


@st.composite
def models(draw):
    """Draw a model of some of the types, each optional, nullable or with a default; and a nearly valid record."""
    fields, values = {}, {}
    for at, kind in enumerate(draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))):
        annotation, good, default = KINDS[kind]
        nullable, name = draw(st.booleans()), f"f{at}"
        choices = [..., *([] if default is None else [default]), *([None] if nullable or annotation is Any else [])]
        fields[name] = ((annotation | None) if nullable else annotation, draw(st.sampled_from(choices)))
        if draw(st.integers(0, 5)):
            near = st.sampled_from([*good, *([None] if nullable else [])])
            value = mostly(near)
            values[name] = draw(value.filter(is_no_float) if kind == "choice" else value)
    if draw(st.integers(0, 3)) == 0:
        values["more"] = draw(ATOMS)
    config = ConfigDict(extra=draw(st.sampled_from(["ignore", "allow", "forbid"])))
    return create_model("Made", __config__=config, **fields), values


@given(models())
@settings(max_examples=300)
def test_a_schema_of_any_model_validates_like_the_model(made):
    model, record = made
    loader = SchemaLoader()
    loader.register(Schema.from_pydantic(model))
    theirs, refused = validate_with_model(model, record)
    ours, broken = validate_with_schema(loader, "Made", record)
    if refused is None:
        assert broken is None
        assert equal(ours, theirs)
    else:
        assert broken == refused
    # A model made from that schema validates the same again.
    again, still = validate_with_model(loader.create_pydantic_model(loader.get_schema("Made")), record)
    assert (still is None) == (refused is None)
    if still is None:
        assert equal(again, theirs)


@pytest.mark.parametrize(
    ("annotation", "default", "kind"),
    [
        (int, "1", "str"),
        (str, 1, "int"),
        (float, "1.5", "str"),
        (bool, 1, "int"),
        (dt.date, "2026-01-31", "str"),
        (list[int], "x", "str"),
    ],
)
def test_a_default_only_a_schema_would_convert_is_refused(annotation, default, kind):
    with pytest.raises(SchemaParseError, match=f"M.x: a schema cannot express a default of type {kind}"):
        Schema.from_pydantic(with_field(annotation, default))
