"""The template engine from Python."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import enum
import itertools
import sys
import threading
from collections import ChainMap, OrderedDict, UserDict, UserString, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import ClassVar, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from helpers import cases
from prompt_manager import TemplateEngine
from prompt_manager.core.template import Template
from prompt_manager.exceptions import TemplateError, TemplateRenderError, TemplateSyntaxError

ERRORS = {"syntax": TemplateSyntaxError, "render": TemplateRenderError}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in cases("templates")])
async def test_every_case_renders_as_expected(case):
    engine = TemplateEngine(**case.get("options", {}))
    template, data, partials = case["template"], case["data"], case.get("partials")
    expected = case.get("error")
    if expected is None:
        assert engine.render_sync(template, data, partials=partials) == case["expect"]
        assert await engine.render(template, data, partials=partials) == case["expect"]
        assert engine.compile(template).render(data, partials=partials) == case["expect"]
        return
    with pytest.raises(TemplateError) as caught:
        engine.render_sync(template, data, partials=partials)
    error = caught.value
    assert type(error) is ERRORS[expected["kind"]]
    assert (error.message, error.line, error.column) == (
        expected["message"],
        expected["line"],
        expected["column"],
    )
    if "hint" in expected:
        assert error.hint == expected["hint"]


def test_more_than_100_cases_are_read():
    assert len(cases("templates")) > 100


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "not this"


class Number(int):
    def __repr__(self):
        return "not this"

    __str__ = __repr__


class Celsius(float):
    def __str__(self):
        return f"{float(self):.1f} °C"


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class OldStyle(str, enum.Enum):  # noqa: UP042 - older code writes it so
    RED = "red"


class Mixed(float, enum.Enum):
    HALF = 0.5


class Plain(enum.Enum):
    TEXT = "text"
    INTEGER = 3
    FLOAT = 1.5
    DECIMAL = Decimal("1.10")
    FALSE = False
    EMPTY = ""
    DATE = dt.date(2026, 11, 22)
    PAIR = (1, 2)


TEXTS = [
    ("str", "text"),
    ("an empty text", "", ""),
    ("a subclass of str, which is its text", Text("text"), "text"),
    ("true", True, "true"),
    ("false", False, "false"),
    ("an integer", -12, "-12"),
    ("an integer beyond 64 bits", 2**64, str(2**64)),
    ("an integer of a thousand digits", 10**1000, str(10**1000)),
    ("an integer with as many digits as Python prints", -(10**4299), str(-(10**4299))),
    ("a subclass of int, which is its number", Number(7), "7"),
    ("a large subclass of int", Number(2**70), str(2**70)),
    ("a float", 0.1, "0.1"),
    ("a whole float", 2.0, "2.0"),
    ("a large float", 1e22, "1e+22"),
    ("a small float", 1e-7, "1e-07"),
    ("minus zero", -0.0, "-0.0"),
    ("infinity", float("-inf"), "-inf"),
    ("not a number", float("nan"), "nan"),
    ("a subclass of float with its own text", Celsius(21.5), "21.5 °C"),
    ("a decimal with a trailing zero", Decimal("1.50"), "1.50"),
    ("a fraction", Fraction(1, 3), "1/3"),
    ("a complex number", 1j, "1j"),
    ("a date", dt.date(2026, 1, 31), "2026-01-31"),
    ("a datetime", dt.datetime(2026, 1, 31, 9, 5, tzinfo=dt.UTC), "2026-01-31 09:05:00+00:00"),
    ("a time", dt.time(9, 5), "09:05:00"),
    ("a duration", dt.timedelta(hours=1), "1:00:00"),
    ("a UUID", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ("a path", PurePosixPath("/srv/näme"), "/srv/näme"),
    ("a StrEnum member", Colour.RED, "red"),
    ("an IntEnum member", Level.HIGH, "3"),
    ("a member of str and Enum", OldStyle.RED, "red"),
    ("a member of float and Enum", Mixed.HALF, "0.5"),
    ("an Enum member of a text", Plain.TEXT, "text"),
    ("an Enum member of an integer", Plain.INTEGER, "3"),
    ("an Enum member of a float", Plain.FLOAT, "1.5"),
    ("an Enum member of a decimal", Plain.DECIMAL, "1.10"),
    ("an Enum member of false", Plain.FALSE, "false"),
    ("an Enum member of a date", Plain.DATE, "2026-11-22"),
    ("an Enum member of a tuple", Plain.PAIR, "1,2"),
    ("a list", [1, "b", [True, 2.0]], "1,b,true,2.0"),
    ("a tuple", (1, 2), "1,2"),
    ("a deque", deque([1, 2]), "1,2"),
    ("a range", range(3), "0,1,2"),
    ("an empty list", [], ""),
    ("a UserString", UserString("text"), "text"),
]


@pytest.mark.parametrize(("value", "text"), [pytest.param(row[1], row[-1], id=row[0]) for row in TEXTS])
def test_values_print_as_their_text(engine, value, text):
    assert engine.render_sync("{{a}}", {"a": value}) == text
    assert engine.render_sync("é{{a}}ж", {"a": value}) == f"é{text}ж"


@pytest.mark.parametrize("template", ["{{a}}", "{{{a}}}", "{{upper a}}", "{{join list}}", "{{list}}"])
def test_an_integer_beyond_python_s_digit_limit_is_an_error(engine, template):
    number = 10 ** sys.get_int_max_str_digits()
    with pytest.raises(TemplateRenderError, match="more digits than Python converts to text") as caught:
        engine.render_sync(template, {"a": number, "list": [number]})
    assert "sys.set_int_max_str_digits" in caught.value.hint
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_raised_digit_limit_counts_for_templates_too(engine):
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(5000)
    try:
        assert engine.render_sync("{{a}}", {"a": -(10**4500)}) == str(-(10**4500))
    finally:
        sys.set_int_max_str_digits(limit)


TRUTHS = [
    ("text", "x", True),
    ("the text 'false'", "false", True),
    ("an empty text", "", False),
    ("an empty subclass of str", Text(""), False),
    ("zero", 0, False),
    ("zero as a float", 0.0, False),
    ("zero as a decimal", Decimal(0), False),
    ("not a number", float("nan"), False),
    ("minus one", -1, True),
    ("None", None, False),
    ("an empty list", [], False),
    ("an empty tuple", (), False),
    ("an empty dict", {}, False),
    ("an empty mapping", MappingProxyType({}), False),
    ("an empty set", set(), False),
    ("a set", {0}, True),
    ("an empty deque", deque(), False),
    ("an empty range", range(0), False),
    ("a date", dt.date(2026, 1, 1), True),
    ("a generator", iter(()), True),
    ("an Enum member of a text", Plain.TEXT, True),
    ("an Enum member of an empty text", Plain.EMPTY, False),
    ("an Enum member of false", Plain.FALSE, False),
    ("an Enum member of an integer", Plain.INTEGER, True),
    ("an Enum member of a tuple", Plain.PAIR, True),
]


@pytest.mark.parametrize(("value", "truth"), [pytest.param(value, truth, id=name) for name, value, truth in TRUTHS])
def test_conditions_treat_empty_values_as_false(engine, value, truth):
    shown = engine.render_sync("{{#if a}}yes{{else}}no{{/if}}{{#unless a}} no{{/unless}}", {"a": value})
    assert shown == ("yes" if truth else "no no")


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Card:
    title: str
    size: int = 1


@dataclasses.dataclass(slots=True, frozen=True)
class SlottedCard:
    title: str
    size: int = 1


class Model(BaseModel):
    title: str
    size: int = 1


class OpenModel(BaseModel):
    model_config = ConfigDict(extra="allow")
    title: str


class OwnMapping(UserDict):
    pass


MAPPINGS = [
    ("a dict", {"title": "T", "size": 1}),
    ("an OrderedDict", OrderedDict(title="T", size=1)),
    ("a defaultdict", defaultdict(int, title="T", size=1)),
    ("a mappingproxy", MappingProxyType({"title": "T", "size": 1})),
    ("a ChainMap", ChainMap({"size": 1}, {"title": "T"})),
    ("a UserDict", OwnMapping(title="T", size=1)),
    ("a dataclass", Card("T")),
    ("a dataclass with slots", SlottedCard("T")),
    ("a pydantic model", Model(title="T")),
    ("a pydantic model with extra fields", OpenModel(title="T", size=1)),
    ("a typing.NamedTuple", NamedTuple("Row", [("title", str), ("size", int)])("T", 1)),
    ("a namedtuple", namedtuple("Row", "title size")("T", 1)),  # noqa: PYI024
]


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in MAPPINGS])
def test_members_are_found_by_name(engine, value):
    assert engine.render_sync("{{a.title}}/{{a/size}}", {"a": value}) == "T/1"
    assert engine.render_sync("{{#with a}}{{title}}{{/with}}", {"a": value}) == "T"
    assert engine.render_sync('{{lookup a "title"}}', {"a": value}) == "T"


@pytest.mark.parametrize(
    "value", [pytest.param(value, id=name) for name, value in MAPPINGS if not isinstance(value, tuple)]
)
def test_objects_with_fields_work_as_context_and_in_each(engine, value):
    assert engine.render_sync("{{title}} {{size}}", value) == "T 1"
    shown = engine.render_sync("{{#each a}}{{@key}}={{this}};{{/each}}", {"a": value})
    assert sorted(shown.strip(";").split(";")) == ["size=1", "title=T"]


@pytest.mark.parametrize("value", [Point(1, 2), namedtuple("P", "x y")(1, 2)])  # noqa: PYI024
def test_a_named_tuple_has_names_and_indexes(engine, value):
    assert engine.render_sync("{{p.x}} {{p.[1]}} {{p}} {{p.length}}", {"p": value}) == "1 2 1,2 2"
    assert engine.render_sync("{{#each p}}{{@index}}:{{this}} {{/each}}", {"p": value}) == "0:1 1:2 "


@pytest.mark.parametrize(
    ("value", "length"),
    [("é🙂", 2), (Text("abc"), 3), ([1, 2], 2), ((), 0), (deque([1]), 1), (range(5), 5), ({"a": 1}, 1)],
)
def test_strings_sequences_and_mappings_have_a_length(engine, value, length):
    assert engine.render_sync("{{a.length}}", {"a": value}) == str(length)


def test_a_key_named_length_wins_over_the_length(engine):
    assert engine.render_sync("{{a.length}}", {"a": {"length": "12 cm"}}) == "12 cm"


def test_each_works_on_a_set(engine):
    shown = engine.render_sync("{{#each a}}{{this}}{{#if @last}}.{{else}},{{/if}}{{/each}}", {"a": {1, 2}})
    assert sorted(shown[:-1].split(",")) == ["1", "2"]
    assert shown.endswith(".")


def test_a_generator_can_be_used_twice_in_a_template(engine):
    read = []

    def generate():
        for number in range(3):
            read.append(number)
            yield number

    template = "{{#each a}}{{this}}{{#unless @last}},{{/unless}}{{/each}};{{#each a}}{{this}}{{/each}}"
    assert engine.render_sync(template, {"a": generate()}) == "0,1,2;012"
    assert read == [0, 1, 2]


def test_nested_loops_over_one_generator_see_all_items(engine):
    template = "{{#each a}}{{#each ../a}}{{this}}{{/each}};{{/each}}"
    assert engine.render_sync(template, {"a": iter("ab")}) == "ab;ab;"


def test_integer_keys_are_found_by_their_digits(engine):
    value = {1: "one", 2: "two"}
    assert engine.render_sync("{{a.[1]}} {{lookup a 2}}", {"a": value}) == "one two"
    assert engine.render_sync("{{#each a}}{{@key}}={{this}};{{/each}}", {"a": value}) == "1=one;2=two;"


@pytest.mark.parametrize("template", ["{{a.x}}", "{{#if a.x}}{{/if}}", "{{#each a.x}}{{/each}}", "{{a.y.z}}"])
def test_reading_a_defaultdict_adds_nothing_to_it(engine, template):
    value = defaultdict(list)
    try:
        engine.render_sync(template, {"a": value})
    except TemplateRenderError as error:
        assert "has no value" in error.message  # noqa: PT017 - an error is acceptable too
    assert dict(value) == {}


def test_a_defaultdict_of_variables_misses_absent_keys(engine):
    variables = defaultdict(str)
    with pytest.raises(TemplateRenderError, match="Missing variable 'name'"):
        engine.render_sync("{{name}}", variables)
    assert not variables


SCRIPTS = ["plain", "Grüße", "имя", "名前", "🦀🙂", "שלום", "a\u0301", "\u0000", "\ud800", "x" * 200, "ж" * 200]


@pytest.mark.parametrize("value", SCRIPTS)
def test_text_in_any_script_is_kept_exactly(engine, value):
    assert engine.render_sync("{{a}}", {"a": value}) == value
    assert engine.render_sync("<{{a}}|{{b}}>", {"a": value, "b": "c"}) == f"<{value}|c>"
    assert engine.render_sync("é{{b}}{{a}}ж", {"a": value, "b": "c"}) == f"éc{value}ж"
    assert engine.render_sync("{{#each a}}{{this}}-{{/each}}", {"a": [value, "c", value]}) == (f"{value}-c-{value}-")


@pytest.mark.parametrize("template", ["{{v}}", "{{v}}{{v}}", "a{{v}}", "{{#each vs}}{{this}}b{{/each}}"])
@pytest.mark.parametrize("text", ["a", "ж", "a" * 2000, "ж" * 2000, "a" * 1023 + "ж", "\ud800" * 2000, "a" * 10_000])
def test_texts_of_any_length_and_script_mix(engine, template, text):
    class Own(str):
        __slots__ = ()

        def __str__(self):
            return "made up"

        __repr__ = __format__ = __str__

    expected = {"{{v}}": text, "{{v}}{{v}}": text * 2, "a{{v}}": "a" + text}.get(template, f"{text}bxb{text}b")
    for value in (text, Own(text)):
        shown = engine.render_sync(template, {"v": value, "vs": [value, "x", value]})
        assert type(shown) is str
        assert shown == expected


def test_any_script_works_in_names_keys_partials_and_data(engine):
    assert engine.render_sync("{{größe.имя}}{{[名 前]}}", {"größe": {"имя": "я"}, "名 前": "値"}) == "я値"
    assert engine.render_sync("{{#each a}}{{@key}}{{/each}}", {"a": {"ключ": 1, "k": 2}}) == "ключk"
    assert engine.render_sync("{{> ü}}", {"a": "ж"}, partials={"ü": "é{{a}}"}) == "éж"
    assert engine.render_sync("{{@имя}}", {}, data={"имя": "Ж"}) == "Ж"
    assert engine.render_sync("  {{> p}}\n", {"a": "ж\nя"}, partials={"p": "{{a}}\n"}) == "  ж\n  я\n"


@given(st.lists(st.text(), max_size=6), st.text())
def test_any_texts_render_as_in_an_f_string(values, other):
    template = TemplateEngine().compile("[{{#each values}}{{this}}; {{/each}}] é {{other}}")
    expected = f"[{''.join(f'{value}; ' for value in values)}] é {other}"
    assert template.render({"values": values, "other": other}) == expected


@given(st.text(alphabet=st.characters(exclude_characters="{\\", exclude_categories=["Cs"])))
def test_any_text_without_tags_is_its_own_output(text):
    assert TemplateEngine().render_sync(text, {}) == text


@given(st.text(max_size=80).map(lambda text: "{{" + text + "}}"))
def test_any_tag_renders_or_is_an_error_with_a_location(template):
    try:
        TemplateEngine().render_sync(template, {"a": 1})
    except TemplateError as error:
        assert error.line >= 1  # noqa: PT017
        assert error.column >= 1  # noqa: PT017
    except UnicodeEncodeError:
        assert any("\ud800" <= character <= "\udfff" for character in template)


def test_none_is_an_error_unless_allow_none_is_set(engine):
    with pytest.raises(TemplateRenderError, match="`a` is None") as caught:
        engine.render_sync("x {{a}}", {"a": None})
    assert (caught.value.line, caught.value.column) == (1, 5)
    assert TemplateEngine(allow_none=True).render_sync("[{{a}}]", {"a": None}) == "[]"
    assert engine.render_sync("{{#if a}}x{{else}}nothing{{/if}}", {"a": None}) == "nothing"


@pytest.mark.parametrize("value", [{"b": 1}, {1, 2}, object(), b"bytes", len, iter([1])])
def test_unprintable_values_are_errors_with_a_location(engine, value):
    with pytest.raises(TemplateRenderError, match="has no text") as caught:
        engine.render_sync("{{a}}", {"a": value})
    assert (caught.value.line, caught.value.column) == (1, 3)


def test_errors_have_a_location_and_show_the_source_line(engine):
    with pytest.raises(TemplateRenderError) as caught:
        engine.compile("Dear\nMr {{nmae}}", name="letter").render({"name": "x"})
    error = caught.value
    assert (error.template_name, error.line, error.column) == ("letter", 2, 6)
    assert error.source_line == "Mr {{nmae}}"
    assert error.hint == "did you mean `name`?"
    lines = str(error).splitlines()
    assert lines[0] == error.message == "Missing variable 'nmae'"
    assert "letter:2:6" in lines[1]
    assert lines[2].index("nmae") == lines[3].index("^")


@pytest.mark.parametrize("variables", [None, 5, "text", ["a"], b"x", object(), dict])
def test_variables_without_names_raise_type_error(engine, variables):
    with pytest.raises(TypeError, match="variables must be a mapping"):
        engine.render_sync("{{a}}", variables)


@pytest.mark.parametrize("template", [None, 5, b"{{a}}", ["{{a}}"]])
def test_a_template_that_is_not_a_string_raises_type_error(engine, template):
    with pytest.raises(TypeError):
        engine.render_sync(template, {"a": 1})


def test_unknown_options_and_limits_are_refused():
    with pytest.raises(TypeError):
        TemplateEngine(stritc=True)
    with pytest.raises(ValueError, match='unknown limit "step"'):
        TemplateEngine(limits={"step": 1})
    with pytest.raises((TypeError, ValueError, OverflowError)):
        TemplateEngine(limits={"steps": -1})


class TestPartials:
    def test_partials_of_the_call_win_over_those_of_the_engine(self, engine):
        engine.register_partial("p", "engine's {{a}}")
        assert engine.render_sync("{{> p}}", {"a": 1}) == "engine's 1"
        assert engine.render_sync("{{> p}}", {"a": 1}, partials={"p": "call's {{a}}"}) == "call's 1"

    def test_partials_may_be_templates_or_strings(self, engine):
        given = {"p": engine.compile("[{{> q}}]"), "q": "{{a}}"}
        assert engine.render_sync("{{> p}}", {"a": 1}, partials=given) == "[1]"

    def test_partials_may_be_any_mapping(self, engine):
        assert engine.render_sync("{{> p}}", {}, partials=MappingProxyType({"p": "text"})) == "text"

    def test_compiled_templates_find_partials_registered_later(self, engine):
        template = engine.compile("{{> p}}")
        with pytest.raises(TemplateRenderError, match="no partial `p`"):
            template.render({})
        engine.register_partial("p", "there")
        assert template.render({}) == "there"
        engine.register_partial("p", "replaced")
        assert template.render({}) == "replaced"

    def test_partials_belong_to_one_engine(self, engine):
        engine.register_partial("p", "there")
        with pytest.raises(TemplateRenderError, match="no partial"):
            TemplateEngine().render_sync("{{> p}}", {})

    def test_a_partial_with_a_syntax_error_is_refused_by_name(self, engine):
        with pytest.raises(TemplateSyntaxError) as caught:
            engine.register_partial("broken", "{{#if a}}")
        assert caught.value.template_name == "broken"
        with pytest.raises(TemplateSyntaxError) as caught:
            engine.render_sync("x", {}, partials={"given": "{{#if a}}"})
        assert caught.value.template_name == "given"

    def test_partial_arguments_win_over_the_context(self, engine):
        context = ChainMap({"a": 1, "b": 2})
        assert engine.render_sync("{{> p a=3}}", context, partials={"p": "{{a}}{{b}}"}) == "32"


class TestData:
    def test_data_is_found_in_blocks_and_partials(self, engine):
        template = "{{@user.name}}{{#each a}}{{@user.name}}{{/each}}{{> p}}"
        given = {"p": "{{@user.name}}"}
        data = {"user": {"name": "U"}}
        assert engine.render_sync(template, {"a": [1]}, partials=given, data=data) == "UUU"

    def test_data_and_variables_are_separate(self, engine):
        with pytest.raises(TemplateRenderError):
            engine.render_sync("{{user}}", {}, data={"user": "U"})
        with pytest.raises(TemplateRenderError):
            engine.render_sync("{{@user}}", {"user": "U"})


class TestCompiled:
    def test_a_template_has_its_source_and_variables(self, engine):
        template = engine.compile("Dear {{title}} {{user.name}}{{#each docs}}{{text}}{{/each}}")
        assert isinstance(template, Template)
        assert template.source.startswith("Dear {{title}}")
        assert template.variables == ["docs", "title", "user"]
        assert engine.extract_variables(template.source) == ["docs", "title", "user"]

    def test_variables_of_partials_are_included(self, engine):
        engine.register_partial("p", "{{a}}")
        assert engine.extract_variables("{{> p}}{{b}}") == ["a", "b"]
        assert engine.extract_variables("{{> q}}", partials={"q": "{{c}}"}) == ["c"]

    def test_an_engine_renders_a_compiled_template(self, engine):
        assert engine.render_sync(engine.compile("{{a}}"), {"a": 1}) == "1"

    async def test_validate_returns_true_or_the_reason(self, engine):
        assert await engine.validate("{{a}}") is True
        assert engine.validate_sync("{{a}}") is True
        with pytest.raises(TemplateSyntaxError, match="never closed"):
            await engine.validate("{{#if a}}")
        with pytest.raises(TemplateSyntaxError, match="never closed"):
            engine.validate_sync("{{#if a}}")


def test_eight_threads_render_while_partials_change():
    engine = TemplateEngine()
    engine.register_partial("p", "<0>")
    template = engine.compile("{{a}} {{> p}} {{#each b}}{{this}}é{{/each}}")
    allowed = {f"{name} <{number}> 1é2é" for name in "stuvwxyz" for number in range(50)}
    failures: list[object] = []
    start = threading.Barrier(9)

    def render(name):
        start.wait()
        for _ in range(500):
            try:
                shown = template.render({"a": name, "b": [1, 2]})
            except Exception as error:  # noqa: BLE001 - reported below
                failures.append(error)
                return
            if shown not in allowed or not shown.startswith(name):
                failures.append(shown)

    def register():
        start.wait()
        for number in itertools.islice(itertools.cycle(range(50)), 500):
            engine.register_partial("p", f"<{number}>")

    threads = [threading.Thread(target=render, args=(name,)) for name in "stuvwxyz"]
    threads.append(threading.Thread(target=register))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert template.render({"a": "s", "b": []}) == "s <49> "


async def test_concurrent_renders_of_one_engine_do_not_mix(engine):
    template = engine.compile("{{a}}{{#each b}}{{this}}{{/each}}")
    shown = await asyncio.gather(*(engine.render(template, {"a": n, "b": [n]}) for n in range(50)))
    assert shown == [f"{n}{n}" for n in range(50)]


@dataclasses.dataclass
class Account:
    owner: str
    registry: ClassVar[str] = "class-level"
    seed: dataclasses.InitVar[int] = 7


@dataclasses.dataclass
class SeededAccount:
    owner: str
    seed: dataclasses.InitVar[int]


@pytest.mark.parametrize("name", ["registry", "seed"])
def test_dataclass_fields_without_a_value_are_missing(engine, name):
    with pytest.raises(TemplateRenderError, match="has no value"):
        engine.render_sync("{{a." + name + "}}", {"a": Account("Ada")})


@pytest.mark.parametrize("account", [Account("Ada"), SeededAccount("Ada", 7)])
def test_each_over_a_dataclass_gives_its_stored_fields(engine, account):
    assert engine.render_sync("{{#each a}}{{@key}} {{/each}}", {"a": account}) == "owner "


def test_analyze_shows_how_each_variable_is_used(engine):
    engine.register_partial("card", "{{title}}")
    template = "{{user.name}} {{#if note}}{{note}}{{/if}} {{#each docs}}{{> card}} {{@index}}{{/each}}"
    assert engine.analyze(template) == {
        "docs": {"required": True, "tested": False, "iterated": True, "paths": ["docs", "docs[].title"]},
        "note": {"required": False, "tested": False, "iterated": False, "paths": ["note"]},
        "user": {"required": True, "tested": False, "iterated": False, "paths": ["user.name"]},
    }


@pytest.mark.parametrize(
    ("template", "required", "tested"),
    [
        ("{{#if v}}x{{/if}}", False, True),
        ("{{#unless (eq v 1)}}x{{/unless}}", False, True),
        ("{{#if v}}{{v}}{{/if}}", False, False),
        ("{{#v}}x{{/v}}", True, True),
        ("{{#v}}x{{else}}y{{/v}}", False, True),
        ("{{^v}}x{{/v}}", False, True),
        ("{{#v}}{{name}}{{/v}}", True, False),
        ("{{default v 'x'}}", False, False),
        ("{{> p x=v}}", False, False),
        ("{{eq v 1}}", False, False),
        ("{{#if v}}x{{/if}}{{v}}", True, False),
        ("{{#each v}}x{{/each}}", True, False),
        ("{{#each v}}x{{else}}y{{/each}}", False, False),
        ("{{#with v}}x{{else}}y{{/with}}", False, False),
    ],
)
def test_analyze_separates_tests_from_uses(engine, template, required, tested):
    account = engine.analyze(template)["v"]
    assert (account["required"], account["tested"]) == (required, tested)


def test_a_new_helper_applies_to_cached_templates(engine):
    assert engine.render_sync("{{shout}}", {"shout": "a variable"}) == "a variable"
    engine.register_helper("shout", lambda: "a helper")
    assert engine.render_sync("{{shout}}", {"shout": "a variable"}) == "a helper"


MIXED = {"a": 1, "b": 2, "html": "<b>", "items": [1, 2], "empty": {}}


@pytest.mark.parametrize(
    ("outer", "template", "partial", "text"),
    [
        ("prompt", "[{{> p}}]{{a}}", "{{html}}|{{missing}}|{{#each items}}{{this}}{{/each}}", "[&lt;b&gt;||12]1"),
        ("prompt", "{{> p}}{{#if empty}}yes{{else}}no{{/if}}", "{{#if empty}}yes{{/if}}|", "yes|no"),
        # handlebars.js adds up numbers that have no text between them.
        ("handlebars", "{{{a}}}{{{b}}}{{> p}}{{{a}}}{{{b}}}", "{{a}}{{b}}|{{html}}|{{upper html}}", "312|<b>|<B>12"),
        (
            "prompt",
            "{{#*inline 'i'}}{{a}}{{b}}{{html}}{{/inline}}{{> p}}",
            "{{{a}}}{{{b}}}{{> i}}{{{a}}}{{{b}}}",
            "312<b>12",
        ),
        ("handlebars", "{{#*inline 'i'}}{{{a}}}{{{b}}}{{/inline}}{{> p}}", "({{a}}{{> i}}{{b}})", "(132)"),
    ],
)
def test_each_template_keeps_its_own_dialect(outer, template, partial, text):
    inner = "handlebars" if outer == "prompt" else "prompt"
    compiled = TemplateEngine(dialect=inner).compile(partial)
    assert TemplateEngine(dialect=outer).render_sync(template, MIXED, partials={"p": compiled}) == text


def test_the_variables_of_a_template_do_not_depend_on_helpers_that_are_registered_later():
    engine = TemplateEngine()
    shallow, deep = (
        "{{#if name}}{{shout}}{{/if}}",
        "{{#if a}}{{#if b}}{{#if c}}{{#if d}}{{shout}}{{/if}}{{/if}}{{/if}}{{/if}}",
    )
    before = [engine.compile(source) for source in (shallow, deep)]
    engine.register_helper("shout", str.upper)
    assert ["shout" in template.variables for template in before] == [True, True]
    assert ["shout" in engine.compile(source).variables for source in (shallow, deep)] == [False, False]
