"""An exception that the caller's code or a signal handler raises ends the call; it never becomes a default value."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import decimal
import fractions
import gc
import signal
import time
import uuid
from collections.abc import Mapping, Sequence
from enum import Enum

import pytest
from pydantic import BaseModel

from prompt_manager import Prompt, TemplateEngine
from prompt_manager.core.models import Variable
from prompt_manager.exceptions import SchemaValidationError, TemplateRenderError
from prompt_manager.integrations import OpenAIIntegration
from prompt_manager.validation import SchemaLoader

ENGINE = TemplateEngine()


class Stop(BaseException):
    """Raised by a signal handler."""


class Timeout(Exception):  # noqa: N818 - as programs name it
    """Raised by a signal handler."""


class LateError(Exception):
    """Raised by the code of a value."""


@dataclasses.dataclass
class Point:
    x: int = 1


class Model(BaseModel):
    x: int = 1


class Color(Enum):
    RED = 1


class OwnMapping(Mapping):
    def __getitem__(self, key):
        if key == "x":
            return 1
        raise KeyError(key)

    def __iter__(self):
        return iter(["x"])

    def __len__(self):
        return 1


class OwnSequence(Sequence):
    def __getitem__(self, index):
        if index < 1:
            return 1
        raise IndexError(index)

    def __len__(self):
        return 1


VALUES = [
    Point,
    Model,
    collections.namedtuple("Pair", "x", defaults=[1]),  # noqa: PYI024
    lambda: decimal.Decimal("1.5"),
    lambda: fractions.Fraction(1, 2),
    lambda: Color.RED,
    lambda: collections.UserDict(x=1),
    lambda: collections.UserList([1]),
    lambda: collections.UserString("x"),
    lambda: collections.ChainMap({"x": 1}),
    OwnMapping,
    OwnSequence,
    lambda: {1},
    lambda: dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    lambda: uuid.UUID(int=1),
]

TEMPLATE = (
    "{{#each xs}}{{#if this}}a{{/if}}{{#if this.x}}b{{/if}}{{#with this}}{{json .}}{{/with}}"
    "{{#this}}c{{else}}e{{/this}}{{#if (eq this 1)}}d{{/if}}{{/each}}"
)
TIMED = Prompt(
    id="p",
    format="chat",
    status="active",
    chat_template={"messages": [{"role": "user", "content": TEMPLATE}], "variables": {"xs": {"type": "list"}}},
)


def validate(field: dict[str, object], value: object) -> object:
    loader = SchemaLoader()
    loader.register({"name": "s", "fields": [{"name": "x", **field}]})
    return loader.validate_data_sync("s", {"x": value})


CALLS = {
    "render": lambda xs: ENGINE.render_sync(TEMPLATE, {"xs": xs}),
    "convert": lambda xs: OpenAIIntegration(TemplateEngine()).convert_sync(TIMED, {"xs": xs}),
    "validate": lambda xs: validate({"type": "list", "item_type": "float"}, xs),
}


@pytest.fixture
def no_collection():
    """Keep the garbage collector from running: Python discards what its callbacks raise, and Hypothesis adds one."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signal.setitimer")
@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("make", VALUES)
@pytest.mark.parametrize("error", [Stop, Timeout])
def test_a_signal_handlers_exception_ends_a_call(error, make, call):
    xs = [make() for _ in range(300)]

    def stop(*_):
        raise error

    def until_stopped(seconds):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            # A validation may find that the values are not numbers.
            with contextlib.suppress(SchemaValidationError):
                call(xs)

    before = signal.signal(signal.SIGALRM, stop)
    try:
        for at in range(5):
            with pytest.raises(error):
                until_stopped(0.002 + at * 0.0007)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signal.setitimer")
@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("escape", [False, True])
@pytest.mark.parametrize(
    "template",
    [
        "{{upper v}}",
        "{{lower v}}",
        "{{json v}}",
        "{{join l}}",
        "{{json l}}",
        "{{indent v}}",
        "{{truncate v 19999999}}",
        "{{trim blank}}",
        '{{#fence "doc"}}{{v}}{{/fence}}',
        '{{#fence "doc"}}{{references}}{{/fence}}',
    ],
)
def test_a_signal_handlers_exception_ends_work_on_one_large_value(template, escape):
    def stop(*_):
        raise Stop

    values = {
        "v": "<ord\n" * 4_000_000,
        "blank": "\u00a0" * 20_000_000,
        "references": "&ltdo" * 4_000_000,
        "l": range(1_000_000),
    }
    engine, after = TemplateEngine(escape=escape), []
    # Python code would run the signal handler before it does anything, and this method is none.
    engine.register_helper("after", after.append)
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        with pytest.raises(Stop):
            engine.render_sync(template + "{{#if (after 1)}}{{/if}}", values)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert after == []


def raising(name: str, error: type[BaseException], base: type = object) -> object:
    """An object whose method or property ``name`` raises."""

    def method(*_):
        raise error("SECRET")

    return type("Raising", (base,), {name: property(method) if name in PROPERTIES else method})()


PROPERTIES = {"__class__", "__pydantic_extra__"}


RAISING = [
    ("__len__", OwnSequence, "{{#if x}}a{{/if}}"),
    ("__len__", OwnMapping, "{{#if x}}a{{/if}}"),
    ("__len__", list, "{{#if x}}a{{/if}}"),
    ("__len__", OwnSequence, "{{length x}}"),
    ("__len__", OwnSequence, "{{x.length}}"),
    ("__len__", OwnSequence, "{{#each x}}a{{/each}}"),
    ("__getitem__", OwnSequence, "{{x.[0]}}"),
    ("__getitem__", OwnSequence, "{{x}}"),
    ("__getitem__", OwnMapping, "{{x.y}}"),
    ("__iter__", OwnMapping, "{{#each x}}a{{/each}}"),
    ("__iter__", set, "{{#each x}}a{{/each}}"),
    ("__iter__", set, "{{json x}}"),
    ("__iter__", object, "{{#each x}}a{{/each}}"),
    ("items", OwnMapping, "{{json x}}"),
    ("keys", OwnMapping, "{{x.nothing}}"),
    ("__bool__", decimal.Decimal, "{{#if x}}a{{/if}}"),
    ("__str__", decimal.Decimal, "{{x}}"),
    ("__eq__", fractions.Fraction, "{{eq x x}}"),
    ("__lt__", fractions.Fraction, "{{lt x 1}}"),
    ("__str__", fractions.Fraction, "{{json x}}"),
    ("__class__", object, "{{#if x}}a{{/if}}"),
    ("__class__", object, "{{#each x}}a{{/each}}"),
    ("__class__", object, "{{upper x}}"),
    ("__getattribute__", Point, "{{x.x}}"),
    ("__getattribute__", Model, "{{x.x}}"),
    ("__getattribute__", Model, "{{json x}}"),
]


@pytest.mark.parametrize("error", [KeyboardInterrupt, LateError, OSError, ValueError, RuntimeError])
@pytest.mark.parametrize(("name", "base", "template"), RAISING)
def test_an_exception_of_a_value_ends_the_render(name, base, template, error):
    with pytest.raises(BaseException) as raised:  # noqa: PT011
        ENGINE.render_sync(template, {"x": raising(name, error, base)})
    assert error in {type(raised.value), type(raised.value.__cause__)}
    assert "SECRET" not in str(raised.value) or type(raised.value) is error


def test_an_unknown_enum_member_is_an_error_of_the_value_and_not_of_a_signal_handler():
    def is_color(value):
        return Color(value) is Color.RED

    class Looking(OwnSequence):
        def __len__(self):
            return Color("blue").value

    with pytest.raises(TemplateRenderError) as raised:
        ENGINE.render_sync("{{length x}}", {"x": Looking()})
    assert isinstance(raised.value.__cause__, ValueError)
    loader = SchemaLoader()
    loader.register_function("is_color", is_color)
    rule = {"type": "custom", "custom_function": "is_color"}
    loader.register({"name": "s", "fields": [{"name": "x", "type": "any", "validators": [rule]}]})
    with pytest.raises(SchemaValidationError):
        loader.validate_data_sync("s", {"x": "blue"})


def test_an_exception_of_a_class_ends_the_render():
    class Refusing(type):
        def __getattr__(cls, name):
            raise LateError

    class Unreadable(metaclass=Refusing):
        pass

    with pytest.raises(TemplateRenderError) as raised:
        ENGINE.render_sync("{{#if x}}a{{/if}}", {"x": Unreadable()})
    assert isinstance(raised.value.__cause__, LateError)


@pytest.mark.parametrize("error", [KeyboardInterrupt, LateError])
def test_an_exception_while_variables_are_written_ends_the_construction_of_a_prompt(monkeypatch, error):
    def interrupted(*_, **__):
        raise error

    monkeypatch.setattr(Variable, "model_dump", interrupted)
    with pytest.raises(error):
        Prompt(id="p", template="{{x}}", variables={"x": {"type": "string"}})


@pytest.mark.parametrize("error", [KeyboardInterrupt, LateError])
@pytest.mark.parametrize(
    ("field", "name", "base"),
    [
        ({"type": "float"}, "__class__", object),
        ({"type": "float"}, "__float__", fractions.Fraction),
        ({"type": "list", "item_type": "any"}, "__len__", OwnSequence),
        ({"type": "list", "item_type": "any"}, "__iter__", set),
        ({"type": "string", "validators": [{"type": "min_length", "min_value": 1}]}, "__len__", str),
    ],
)
def test_an_exception_of_a_value_ends_a_validation(field, name, base, error):
    with pytest.raises(BaseException) as raised:  # noqa: PT011
        validate(field, raising(name, error, base))
    assert error in {type(raised.value), type(raised.value.__cause__)}


@pytest.mark.parametrize("error", [KeyboardInterrupt, LateError])
def test_an_exception_of_the_partials_ends_the_render(error):
    with pytest.raises(BaseException) as raised:  # noqa: PT011
        ENGINE.render_sync("a", {}, partials=raising("items", error, OwnMapping))
    assert error in {type(raised.value), type(raised.value.__cause__)}


def test_a_field_that_was_never_set_is_missing():
    value = Model.model_construct()
    del value.__dict__["x"]
    assert ENGINE.render_sync('{{default p.x "none"}}', {"p": value}) == "none"
