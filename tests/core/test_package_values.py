"""Values of NumPy, pandas, polars, pyarrow, SQLAlchemy, attrs, msgspec and pydantic in templates and schemas."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import pickle
import sqlite3
import subprocess
import sys
import types
import typing
from array import array
from enum import Enum
from fractions import Fraction
from pathlib import PurePosixPath
from uuid import UUID

import attrs
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, computed_field
from sqlalchemy import orm

from prompt_manager import Prompt, PromptManager, TemplateEngine
from prompt_manager.exceptions import PromptManagerError, SchemaValidationError, TemplateRenderError
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.validation import SchemaLoader

ENGINE = TemplateEngine()

SCALARS = [
    # value, text, JSON, true as a condition
    (np.int64(3), "3", "3", True),
    (np.uint8(0), "0", "0", False),
    (np.float64(1.5), "1.5", "1.5", True),
    (np.float32(0.1), "0.1", "0.1", True),
    (np.float16(0.5), "0.5", "0.5", True),
    (np.longdouble(2), "2.0", "2.0", True),
    (np.bool_(1), "true", "true", True),
    (np.bool_(0), "false", "false", False),
    (np.str_("é"), "é", '"é"', True),
    (np.str_(""), "", '""', False),
    (np.datetime64("2024-01-31"), "2024-01-31", '"2024-01-31"', True),
    (np.datetime64("2024-01-31T10:00:00", "s"), "2024-01-31 10:00:00", '"2024-01-31 10:00:00"', True),
    (np.datetime64("2024-01-31T10:00:00", "ns"), "2024-01-31 10:00:00", '"2024-01-31 10:00:00"', True),
    (
        np.datetime64("2024-01-31T10:00:00.000000001", "ns"),
        "2024-01-31T10:00:00.000000001",
        '"2024-01-31T10:00:00.000000001"',
        True,
    ),
    (np.timedelta64(90, "m"), "1:30:00", '"1:30:00"', True),
    (np.timedelta64(90, "ns"), "90 nanoseconds", '"90 nanoseconds"', True),
    (np.array(5), "5", "5", True),
    (np.array(0), "0", "0", False),
    (np.array("2024-01-31", "datetime64[D]"), "2024-01-31", '"2024-01-31"', True),
    (pd.Timestamp("2024-01-31 10:00"), "2024-01-31 10:00:00", '"2024-01-31 10:00:00"', True),
    (pd.Timedelta(hours=2), "0 days 02:00:00", '"0 days 02:00:00"', True),
    (pd.Period("2024-01"), "2024-01", '"2024-01"', True),
    (pd.Interval(0, 1), "(0, 1]", '"(0, 1]"', True),
    (pa.scalar(7), "7", "7", True),
    (pa.scalar("x"), "x", '"x"', True),
    (decimal.Decimal("1.10"), "1.10", '"1.10"', True),
    (Fraction(1, 2), "1/2", '"1/2"', True),
    (UUID(int=1), str(UUID(int=1)), f'"{UUID(int=1)}"', True),
    (PurePosixPath("a/b"), "a/b", '"a/b"', True),
    (collections.UserString("x"), "x", '"x"', True),
    (dt.time(1, 2), "01:02:00", '"01:02:00"', True),
]

NULLS = [
    pd.NA,
    pd.NaT,
    np.datetime64("NaT", "s"),
    np.timedelta64("NaT", "s"),
    np.ma.masked,
    np.ma.array([1], mask=[True])[0],
    pa.scalar(None),
    pa.scalar(None, pa.int64()),
    np.array(None),
]

LISTS = [
    # value, JSON, text
    (np.array([1, 2]), "[1,2]", "1,2"),
    (np.array([[1, 2], [3, 4]]), "[[1,2],[3,4]]", "1,2,3,4"),
    (np.array(["a", "b"]), '["a","b"]', "a,b"),
    (np.array([True, False]), "[true,false]", "true,false"),
    (np.array(["2024-01-31"], "datetime64[ns]"), '["2024-01-31 00:00:00"]', "2024-01-31 00:00:00"),
    (pd.Series([1, 2], index=[5, 7]), "[1,2]", "1,2"),
    (pd.Series(["a", "b"]), '["a","b"]', "a,b"),
    (pd.Series([True, False]), "[true,false]", "true,false"),
    (pd.Series(pd.to_datetime(["2024-01-31"])), '["2024-01-31 00:00:00"]', "2024-01-31 00:00:00"),
    (pd.Series(["x", "y"], dtype="category"), '["x","y"]', "x,y"),
    (pd.Index([1, 2]), "[1,2]", "1,2"),
    (pd.Categorical(["a", "b"]), '["a","b"]', "a,b"),
    (pd.array([1, 2], dtype="Int64"), "[1,2]", "1,2"),
    (pl.Series([1, 2]), "[1,2]", "1,2"),
    (pa.array([1, 2]), "[1,2]", "1,2"),
    (pa.chunked_array([[1], [2]]), "[1,2]", "1,2"),
    (collections.deque([1, 2]), "[1,2]", "1,2"),
    (array("i", [1, 2]), "[1,2]", "1,2"),
    (range(1, 3), "[1,2]", "1,2"),
    (collections.UserList([1, 2]), "[1,2]", "1,2"),
]

EMPTY = [
    np.array([]),
    np.zeros((0, 3)),
    pd.Series([], dtype=float),
    pd.Index([]),
    pl.Series([]),
    pa.array([]),
    set(),
    {}.keys(),
]

MAPPINGS = [
    collections.OrderedDict(a=1),
    collections.ChainMap({}, {"a": 1}),
    collections.UserDict(a=1),
    collections.defaultdict(int, a=1),
    types.MappingProxyType({"a": 1}),
    typing.cast("dict[str, int]", {"a": np.int64(1)}),
]


def render(template: str, value: object) -> str:
    return ENGINE.render_sync(template, {"x": value})


@pytest.mark.parametrize(("value", "text", "json", "truth"), SCALARS, ids=lambda value: type(value).__name__)
def test_scalars_are_the_values_they_hold(value, text, json, truth):
    assert render("{{x}}", value) == text
    assert render("{{json x}}", value) == json
    assert render("{{#if x}}yes{{else}}no{{/if}}", value) == ("yes" if truth else "no")


@pytest.mark.parametrize("value", NULLS, ids=lambda value: type(value).__name__)
def test_missing_values_are_null(value):
    assert render("{{json x}}", value) == "null"
    assert render('{{default x "none"}}', value) == "none"
    assert render("{{#if x}}yes{{else}}no{{/if}}", value) == "no"
    assert render("{{eq x null}}", value) == "true"
    assert TemplateEngine(allow_none=True).render_sync("[{{x}}]", {"x": value}) == "[]"
    with pytest.raises(TemplateRenderError, match="None"):
        render("{{x}}", value)


@pytest.mark.parametrize(("value", "json", "text"), LISTS, ids=lambda value: type(value).__name__)
def test_arrays_are_lists(value, json, text):
    assert render("{{json x}}", value) == json
    assert render("{{x}}", value) == text
    assert render("{{#if x}}yes{{else}}no{{/if}}", value) == "yes"
    assert render("{{x.length}} {{length x}}", value) == f"{len(value)} {len(value)}"
    assert render("{{#each x}}{{@index}}{{/each}}", value) == "".join(map(str, range(len(value))))
    assert render("{{eq x x}}", value) == "true"


@pytest.mark.parametrize("value", EMPTY, ids=lambda value: type(value).__name__)
def test_empty_collections_are_false(value):
    assert render("{{#if x}}yes{{else}}no{{/if}}", value) == "no"
    assert render("{{#each x}}a{{else}}none{{/each}}", value) == "none"
    assert render("{{x.length}}", value) == "0"
    assert render("{{json x}}", value) == "[]"


@pytest.mark.parametrize("value", MAPPINGS, ids=lambda value: type(value).__name__)
def test_mappings_are_read_by_protocol(value):
    assert render("{{x.a}} {{json x}} {{x.length}}", value) == '1 {"a":1} 1'


def test_items_of_arrays_are_read_by_index():
    assert render("{{x.[0]}}{{x.[1]}}{{lookup x 1}}", np.array([1, 2])) == "122"
    assert render("{{x.[1].[0]}}", np.array([[1, 2], [3, 4]])) == "3"
    assert render("{{x.[1]}}", pl.Series([1, 2])) == "2"
    assert render("{{x.[1]}}", pa.array(["a", "b"])) == "b"
    assert render("{{x.[0]}}{{length x}}{{x.length}}{{json x}}", {5}) == "511[5]"
    assert render("{{x.[0]}}{{json x}}", frozenset("a")) == 'a["a"]'
    assert render("{{json x}}", {"a": 1, "b": 2}.values()) == "[1,2]"


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_matrix_is_a_list_of_lists():
    assert render("{{json x}} {{x.[0].[1]}}", np.matrix([[1, 2]])) == "[[1,2]] 2"


def test_masked_items_are_null():
    value = np.ma.array([1, 2], mask=[False, True])
    assert render("{{json x}}", value) == "[1,null]"


def test_labels_of_a_series_are_its_members():
    row = pd.DataFrame({"name": ["Ada"], "length": [7], "age": [36]}).iloc[0]
    assert render("{{x.name}} {{x.age}} {{x.length}} {{x.[0]}}", row) == "Ada 36 7 Ada"
    assert render("{{#each x}}{{this}};{{/each}}", row) == "Ada;7;36;"
    with pytest.raises(TemplateRenderError, match="did you mean `name`"):
        render("{{x.nme}}", row)
    years = pd.Series([10, 20], index=[2023, 2024])
    assert render("{{x.[2024]}} {{lookup x 2023}}", years) == "20 10"
    with pytest.raises(TemplateRenderError):
        render("{{x.[0]}}", years)


def test_rows_of_structured_arrays_have_members():
    table = np.array([("Ada", 36)], dtype=[("name", "U10"), ("age", "i4")])
    assert render("{{#each x}}{{name}} {{age}}{{/each}}", table) == "Ada 36"
    assert render("{{json x}}", table) == '[{"name":"Ada","age":36}]'
    assert render("{{x.name}} {{json x}}", table[0]) == 'Ada {"name":"Ada","age":36}'


FRAMES = [
    (pd.DataFrame({"a": [1]}), 'to_dict("records")'),
    (pd.DataFrame(), 'to_dict("records")'),
    (pl.DataFrame({"a": [1]}), "to_dicts()"),
    (pl.LazyFrame({"a": [1]}), "to_dicts()"),
    (pa.table({"a": [1]}), "to_pylist()"),
    (pa.record_batch({"a": [1]}), "to_pylist()"),
]
USES = ["{{x}}", "{{json x}}", "{{#if x}}a{{/if}}", "{{#each x}}a{{/each}}", "{{#x}}a{{/x}}", "{{x.a}}", "{{length x}}"]


@pytest.mark.parametrize(("frame", "rows"), FRAMES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("template", USES)
def test_a_frame_is_an_error_that_names_its_rows(frame, rows, template):
    with pytest.raises(TemplateRenderError) as raised:
        render(template, frame)
    assert rows in str(raised.value)


def test_a_frame_reaches_a_helper():
    engine = TemplateEngine()
    engine.register_helper("columns", lambda frame: ", ".join(frame.columns))
    assert engine.render_sync("{{columns x}}", {"x": pd.DataFrame({"a": [1], "b": [2]})}) == "a, b"


# --- records ---


@attrs.define
class AttrsUser:
    name: str
    _token: str = "secret"  # noqa: S105

    def method(self):
        return "called"


class MsgspecUser(msgspec.Struct):
    name: str
    _token: str = "secret"  # noqa: S105


@dataclasses.dataclass(frozen=True, slots=True)
class SlottedUser:
    name: str
    _token: str = "secret"  # noqa: S105
    kind: typing.ClassVar[str] = "class"


class FrozenUser(BaseModel):
    model_config = ConfigDict(frozen=True)
    name: str


NamedUser = collections.namedtuple("NamedUser", "name")  # noqa: PYI024


@pytest.mark.parametrize(
    "user", [AttrsUser("Ada"), MsgspecUser("Ada"), SlottedUser("Ada"), FrozenUser(name="Ada"), NamedUser("Ada")]
)
def test_declared_fields_are_members_and_nothing_else(user):
    assert render("{{x.name}}", user) == "Ada"
    for hidden in ("_token", "token", "method", "kind", "__class__", "__dict__"):
        with pytest.raises(TemplateRenderError):
            render("{{x." + hidden + "}}", user)
    if not isinstance(user, tuple):
        assert render("{{json x}}", user) == '{"name":"Ada"}'
        assert ENGINE.render_sync("{{name}}", user) == "Ada"
    with pytest.raises(TemplateRenderError, match="did you mean `name`"):
        render("{{x.nam}}", user)


def test_computed_fields_are_members():
    class Box(BaseModel):
        width: int

        @computed_field
        @property
        def area(self) -> int:
            return self.width**2

        @property
        def hidden(self) -> int:
            return 1

    assert render("{{x.area}} {{json x}}", Box(width=3)) == '9 {"width":3,"area":9}'
    with pytest.raises(TemplateRenderError):
        render("{{x.hidden}}", Box(width=3))


class Base(orm.DeclarativeBase):
    pass


class Person(Base):
    __tablename__ = "person"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    password: orm.Mapped[str]


def people() -> list[typing.Any]:
    database = sa.create_engine("sqlite://")
    Base.metadata.create_all(database)
    with orm.Session(database) as session:
        session.add(Person(id=1, name="Ada", password="secret"))  # noqa: S106
        session.commit()
        row = session.execute(sa.select(Person.name, Person.id.label("count"))).one()
        mapping = session.execute(sa.select(Person.name)).mappings().one()
        person = session.get(Person, 1)
        session.refresh(person)
        session.expunge(person)
    database.dispose()
    return [row, mapping, person]


def test_rows_of_a_database_have_their_columns_as_members():
    row, mapping, _ = people()
    assert render("{{x.name}} {{x.count}} {{x.length}} {{x.[1]}} {{json x}}", row) == 'Ada 1 2 1 ["Ada",1]'
    assert render("{{x.name}} {{json x}}", mapping) == 'Ada {"name":"Ada"}'
    with pytest.raises(TemplateRenderError):
        render("{{x.index}}", row)


def test_rows_of_sqlite_have_their_columns_as_members():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row = connection.execute("select 'Ada' as name, 7 as keys").fetchone()
    connection.close()
    assert render("{{x.name}} {{x.keys}} {{x.length}} {{json x}}", row) == 'Ada 7 2 ["Ada",7]'


def test_a_registered_class_opens_the_named_fields():
    person = people()[2]
    with pytest.raises(TemplateRenderError):
        render("{{x.name}}", person)
    engine = TemplateEngine()
    assert engine.register_type(Person, fields=("id", "name")) is Person
    assert engine.render_sync("{{x.name}} {{x.id}} {{json x}}", {"x": person}) == 'Ada 1 {"id":1,"name":"Ada"}'
    assert engine.render_sync("{{name}}", person) == "Ada"
    for hidden in ("password", "metadata", "registry", "_sa_instance_state"):
        with pytest.raises(TemplateRenderError):
            engine.render_sync("{{x." + hidden + "}}", {"x": person})


class Account:
    def __init__(self, name):
        self.name = name

    @property
    def greeting(self):
        return f"Hi {self.name}"


class Premium(Account):
    pass


def test_a_registration_covers_subclasses_and_pickles():
    engine = TemplateEngine()

    @engine.register_type(fields=["greeting"])
    class Local(Account):
        pass

    assert engine.render_sync("{{x.greeting}}", {"x": Local("Ada")}) == "Hi Ada"
    engine = TemplateEngine()
    engine.register_type(Account, fields=["name"])
    engine.register_type(Account, fields=["greeting"])
    copy = pickle.loads(pickle.dumps(engine))
    for known in (engine, copy):
        assert known.render_sync("{{json x}}", {"x": Premium("Ada")}) == '{"greeting":"Hi Ada"}'


@pytest.mark.parametrize(
    ("cls", "fields", "error"),
    [
        (Account, "name", TypeError),
        (Account, [1], TypeError),
        (Account, [], ValueError),
        (Account, ["_private"], ValueError),
        (Account, [""], ValueError),
        ("Account", ["name"], TypeError),
        (dict, ["keys"], TypeError),
        (object, ["name"], TypeError),
        (collections.OrderedDict, ["name"], TypeError),
    ],
)
def test_a_wrong_registration_is_refused(cls, fields, error):
    with pytest.raises(error):
        TemplateEngine().register_type(cls, fields=fields)


# --- schemas, prompts, conversions ---


def prompt(**variables) -> Prompt:
    names = " ".join("{{json " + name + "}}" for name in variables)
    return Prompt(
        id="p",
        format="chat",
        status="active",
        chat_template={"messages": [{"role": "user", "content": names}], "variables": variables},
    )


def test_declared_variables_take_values_of_packages():
    declared = prompt(
        count={"type": "integer"},
        ratio={"type": "float"},
        flag={"type": "boolean"},
        day={"type": "date"},
        rows={"type": "list"},
        user={"type": "dict"},
    )
    values = {
        "count": np.int64(3),
        "ratio": np.float32(0.5),
        "flag": np.bool_(1),
        "day": np.datetime64("2024-01-31"),
        "rows": np.array([1, 2]),
        "user": AttrsUser("Ada"),
    }
    converted = OpenAIIntegration(TemplateEngine()).convert_sync(declared, values)
    assert converted[0]["content"] == '3 0.5 true "2024-01-31" [1,2] {"name":"Ada"}'


def test_declared_variables_take_registered_classes():
    engine = TemplateEngine()
    engine.register_type(Account, fields=["name"])
    converted = OpenAIIntegration(engine).convert_sync(prompt(user={"type": "dict"}), {"user": Account("Ada")})
    assert converted[0]["content"] == '{"name":"Ada"}'


def validate(data: object, **fields: dict[str, object]) -> dict[str, typing.Any]:
    loader = SchemaLoader()
    loader.register({"name": "s", "fields": [{"name": name, **field} for name, field in fields.items()]})
    return loader.validate_data_sync("s", data)


def test_schemas_take_values_of_packages():
    fields = {
        "count": {"type": "integer", "validators": [{"type": "range", "min_value": 1}]},
        "flag": {"type": "boolean"},
        "whole": {"type": "integer"},
        "day": {"type": "date"},
        "items": {"type": "list", "item_type": "integer"},
        "note": {"type": "string", "nullable": True},
    }
    data = {
        "count": np.int64(3),
        "flag": np.bool_(0),
        "whole": np.float64(2.0),
        "day": np.datetime64("2024-01-31T00:00:00", "ns"),
        "items": np.array([1, 2]),
        "note": pd.NA,
    }
    made = validate(data, **fields)
    assert (made["count"], bool(made["flag"]), made["whole"]) == (3, False, 2)
    assert made["day"] == dt.date(2024, 1, 31)
    assert list(made["items"]) == [1, 2]
    with pytest.raises(SchemaValidationError, match="at least"):
        validate({**data, "count": np.int64(0)}, **fields)


def test_a_history_takes_values_of_packages():
    chat = Prompt(
        id="p", format="chat", status="active", chat_template={"messages": [{"role": "placeholder", "name": "h"}]}
    )
    history = [{"role": np.str_("user"), "content": np.str_("hi")}]
    assert OpenAIIntegration(TemplateEngine()).convert_sync(chat, {"h": history}) == [{"role": "user", "content": "hi"}]
    assert OpenAIIntegration(TemplateEngine()).convert_sync(chat, {"h": np.array(history)}) == [
        {"role": "user", "content": "hi"}
    ]


def test_no_package_is_imported():
    code = (
        "import sys; from prompt_manager import TemplateEngine\n"
        "import collections\n"
        "class A: pass\n"
        "assert TemplateEngine().render_sync('{{json x}}', {'x': collections.UserList([1])}) == '[1]'\n"
        "TemplateEngine().render_sync('{{#if x}}{{/if}}', {'x': A()})\n"
        "print([m for m in ('numpy','pandas','polars','pyarrow','sqlalchemy','attrs','msgspec') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- values that hold others ---


class Inner(Enum):
    A = "a"


class Middle(Enum):
    A = Inner.A


class Outer(Enum):
    A = Middle.A


def test_a_chain_of_enums_is_the_last_value():
    for template in ("{{x}}", "{{upper x}}", "{{#if (eq x 'a')}}a{{/if}}"):
        assert render(template, Outer.A).lower() == "a"
    assert render("{{json x}}", Outer.A) == '"a"'
    assert render("{{x}}{{x.length}}", collections.UserString(collections.UserString("ab"))) == "ab2"


def looped_string():
    text = collections.UserString("a")
    text.data = text
    return text


class LoopedEnum(Enum):
    A = 1

    @property
    def value(self):
        return self


def looped_list():
    items = []
    items.append(items)
    return items


def looped_dict():
    members = {}
    members["x"] = members
    return members


@dataclasses.dataclass
class Node:
    child: object = None


def looped_record():
    node = Node()
    node.child = node
    return node


def looped_array():
    items = np.empty(1, dtype=object)
    items[0] = items
    return items


@pytest.mark.parametrize(
    "value",
    [looped_string(), LoopedEnum.A, looped_list(), looped_dict(), looped_record(), looped_array()],
    ids=["UserString", "Enum", "list", "dict", "dataclass", "array"],
)
def test_a_value_that_holds_itself_is_an_error(value):
    with pytest.raises(TemplateRenderError):
        render("{{json x}}", value)
    with pytest.raises(TemplateRenderError):
        render("{{x}}", value)
    with pytest.raises(PromptManagerError):
        validate({"x": value}, x={"type": "integer"})


@pytest.mark.parametrize("value", [1j, complex(1, 0), np.complex128(1), np.complex64(1j)])
@pytest.mark.parametrize("kind", ["float", "integer"])
def test_a_complex_number_is_no_number_of_a_schema(value, kind):
    manager = PromptManager()
    manager.create_prompt_sync(
        Prompt(id="a", format="text", status="active", template={"content": "{{x}}", "variables": {"x": kind}})
    )
    with pytest.raises(TemplateRenderError):
        manager.render_sync("a", {"x": value})
    loader = SchemaLoader()
    loader.register({"name": "s", "fields": [{"name": "x", "type": kind}]})
    with pytest.raises(SchemaValidationError):
        loader.validate_data_sync("s", {"x": value})


def test_complex_numbers_print_and_are_false_at_zero():
    engine = TemplateEngine()
    assert engine.render_sync("{{x}}{{#if y}}!{{/if}}", {"x": 1j, "y": 0j}) == "1j"


def test_a_member_of_another_class_is_answered_with_how_to_open_it():
    class Closed:
        def __init__(self):
            self.name = "Ada"

    for value in (Closed(), Closed, b"x"):
        with pytest.raises(TemplateRenderError, match="has no such member") as caught:
            TemplateEngine().render_sync("{{user.name}}", {"user": value})
        assert "engine.register_type(Class, fields=" in caught.value.hint
    with pytest.raises(TemplateRenderError) as caught:
        TemplateEngine().render_sync("{{user.nmae}}", {"user": {"name": "Ada"}})
    assert caught.value.hint == "did you mean `name`?"
